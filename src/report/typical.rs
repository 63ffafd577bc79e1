//! Single rows of a table's cluster: the most typical ones, and those on its border with the nearest cluster.

use super::Contents;
use super::charts::short;
use super::conditions::figure;
use super::text::{say, words};
use crate::explain::Difference;
use maud::{Markup, html};

/// Rows of each kind, columns, and letters of a column's name.
const ROWS: usize = 3;
const COLUMNS: usize = 5;
const LETTERS: usize = 22;

/// The rows with their values in the columns that tell the two clusters apart.
pub(super) fn rows(contents: &Contents<'_>, found: &Difference) -> Markup {
    let text = contents.text();
    let known = |column: usize| contents.names.get(column).zip(contents.meanings.get(column));
    let told = found.features.iter().filter(|own| own.contrast > 0.0 && known(own.feature).is_some());
    let columns: Vec<usize> = told.map(|own| own.feature).take(COLUMNS).collect();
    let line = |row: u32, what: &str| {
        let own = contents.rows.row(row as usize);
        let value = |&column: &usize| match own[column] {
            value if value.is_nan() => words!(text, "rows.missing"),
            value => figure(text, &contents.meanings[column], contents.meanings[column].words(value.into())),
        };
        html! {
            tr {
                td { (what) } td class="figure" { (contents.number(row)) }
                @for column in &columns { td { (value(column)) } }
            }
        }
    };
    let typical = words!(text, "rows.typical");
    let there = contents.report.tree.leaves().position(|leaf| leaf.path().to_string() == found.there);
    let border = |row: u32| match usize::try_from(contents.leaf_of_row[row as usize]).ok() == there {
        true => words!(text, "rows.border_of", cluster = &found.there),
        false => words!(text, "rows.border"),
    };
    let table = html! {
        div class="scroll" {
            table class="rows" {
                thead { tr {
                    th {} th class="figure" { (say!(text, "rows.row")) }
                    @for &column in &columns { th title=(contents.names[column]) { (short(&contents.names[column], LETTERS)) } }
                } }
                tbody {
                    @for &row in found.typical_here.iter().take(ROWS) { (line(row, &typical)) }
                    @for &row in found.borderline.iter().take(ROWS) { (line(row, &border(row))) }
                }
            }
        }
    };
    html! { @if !columns.is_empty() && !found.typical_here.is_empty() { (table) } }
}
