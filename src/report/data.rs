//! The data in the report: which columns were used and what they are, which were set aside and why.

use super::Contents;
use super::features::Features;
use super::names::column;
use super::words::{count, list, whole};
use crate::table::{Field, Kind, Role, Schema};
use maud::{Markup, html};

/// Levels that are listed of a column, and columns of a table.
const LEVELS: usize = 8;
const COLUMNS: usize = 1000;

/// Whether a schema or a note says anything of the data.
pub(super) fn is_known(contents: &Contents<'_>) -> bool {
    contents.report.schema.is_some() || !contents.report.notes.is_empty()
}

/// The section; nothing where nothing is known.
pub(super) fn data(contents: &Contents<'_>) -> Markup {
    let report = contents.report;
    let known = report.schema.zip(contents.features.as_ref());
    if !is_known(contents) {
        return html! {};
    }
    html! {
        h2 class="page" { "The data" }
        div class="panel flow" {
            @for note in &report.notes { p { (note) } }
            @if let Some((schema, features)) = known {
                (used(schema, features))
                (beside(schema))
                (set_aside(schema))
            }
        }
    }
}

fn used(schema: &Schema, features: &Features) -> Markup {
    let missing = |name: &str| {
        let place = features.columns.iter().position(|column| column.first && column.field == name);
        place.map_or_else(String::new, |place| whole(features.all[place].missing()))
    };
    html! {
        h3 class="top" { "Columns that make the clusters" }
        table class="columns" {
            thead { tr { th { "Column" } th { "What it is" } th class="figure" { "Missing" } } }
            tbody {
                @for (field, (name, kind)) in schema.of_role(Role::Feature).zip(schema.kinds_in_words()).take(COLUMNS) {
                    tr {
                        td { (column(name)) }
                        td {
                            (kind)
                            @if field.kind.has_levels() { span class="soft" { ": " (levels(field)) } }
                            @for remark in remarks(field) { span class="soft" { "; " (remark) } }
                        }
                        td class="figure" { (missing(name)) }
                    }
                }
            }
        }
        (more(schema.of_role(Role::Feature).count()))
    }
}

/// That a table has more lines than are shown.
fn more(lines: usize) -> Markup {
    html! { @if lines > COLUMNS { p class="small" { "The first " (count(COLUMNS)) " of " (count(lines)) "." } } }
}

/// The first levels of a field.
fn levels(field: &Field) -> String {
    let between = if field.kind == Kind::Ordinal { " < " } else { ", " };
    let mut names = field.levels.iter().take(LEVELS).map(|level| column(level)).collect::<Vec<_>>().join(between);
    if field.levels.len() > LEVELS {
        names.push_str(between);
        names.push('…');
    }
    names
}

/// What else a reader should know of a column that is used.
fn remarks(field: &Field) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(question) = field.question.as_ref().filter(|question| **question != field.name) {
        remarks.push(format!("part of the question “{question}”"));
    }
    if !field.cycles.is_empty() {
        let cycles: Vec<String> = field.cycles.iter().map(ToString::to_string).collect();
        remarks.push(format!("also by its place in the {}", list(&cycles)));
    }
    if field.weight != 1.0 {
        remarks.push(format!("weight {}", field.weight));
    }
    if let Some(blank) = &field.blank {
        remarks.push(format!("a missing value counts as “{blank}”"));
    }
    remarks.extend(field.reason.clone());
    remarks
}

/// Columns that stand beside the features.
fn beside(schema: &Schema) -> Markup {
    const ROLES: [(Role, &str); 4] = [
        (Role::Id, "names the rows"),
        (Role::Weight, "how many rows of the population a row stands for"),
        (Role::Profile, "an outside variable"),
        (Role::Label, "a known class, for comparison only"),
    ];
    let words = |field: &Field, use_of_it: &str| match &field.reason {
        Some(reason) => format!("{use_of_it} ({reason})"),
        None => use_of_it.to_string(),
    };
    let named: Vec<(&str, String)> = ROLES
        .iter()
        .flat_map(|&(role, use_of_it)| schema.of_role(role).map(move |f| (f.name.as_str(), words(f, use_of_it))))
        .collect();
    html! {
        @if !named.is_empty() {
            h3 { "Columns that do not make the clusters" }
            (pairs("Use", named))
        }
    }
}

fn set_aside(schema: &Schema) -> Markup {
    let named: Vec<(&str, String)> = schema.set_aside().map(|(name, reason)| (name, reason.to_string())).collect();
    html! {
        @if !named.is_empty() {
            h3 { "Columns that were set aside" }
            (pairs("Reason", named))
        }
    }
}

fn pairs(heading: &str, named: Vec<(&str, String)>) -> Markup {
    html! {
        table class="columns" {
            thead { tr { th { "Column" } th { (heading) } } }
            tbody { @for (name, text) in named.iter().take(COLUMNS) { tr { td { (column(name)) } td { (text) } } } }
        }
        (more(named.len()))
    }
}
