//! Outside variables on the page: a table for each, and a line in each card.

use super::Contents;
use super::charts::short;
use super::outside::{Line, Tables, Variable};
use super::parts::chip;
use super::text::{Text, Value, say, words};
use maud::{Markup, html};

/// Letters of a level's name.
const NAME: usize = 30;

/// The section; nothing where there are no outside variables.
pub(super) fn section(contents: &Contents<'_>) -> Markup {
    let Some(outside) = &contents.outside else { return html! {} };
    let text = contents.text();
    let skipped =
        outside.skipped.iter().map(|(name, reason)| say!(text, "outside.skipped", name = name, reason = reason));
    html! {
        h2 class="page" { (say!(text, "outside.title")) }
        p { (say!(text, "outside.what")) }
        (notes(text, outside))
        div class="outsides" { @for variable in &outside.variables { (table(contents, variable)) } }
        @if !outside.skipped.is_empty() {
            p class="small" { (say!(text, "outside.not_shown", list = listed(text, skipped))) }
        }
    }
}

/// Parts with what stands between longer ones.
fn listed(text: &Text, parts: impl Iterator<Item = Markup>) -> Markup {
    html! { @for (i, part) in parts.enumerate() { @if i > 0 { (words!(text, "list.apart")) } (part) } }
}

fn notes(text: &Text, outside: &Tables) -> Markup {
    let shares = outside.variables.iter().any(|variable| variable.shares || variable.missing);
    let cells = outside.variables.iter().flat_map(|variable| &variable.leaves).flat_map(|line| &line.cells);
    html! {
        @if outside.tested > 0 {
            p class="small" { (say!(text, "outside.tested", n = Value::Digits(outside.tested))) }
        }
        @if shares {
            p class="small" { (say!(text, "outside.shares")) }
        }
        @if cells.into_iter().any(|cell| cell.words.is_none()) {
            p class="small" { (say!(text, "outside.few")) }
        }
    }
}

fn table(contents: &Contents<'_>, variable: &Variable) -> Markup {
    let (tree, text) = (contents.report.tree, contents.text());
    html! {
        div class="panel flow outside" {
            h3 class="top" {
                (variable.name)
                @if !variable.kind.is_empty() { span class="soft" { " " (variable.kind) } }
            }
            p class="small" { (variable.verdict) }
            div class="scroll" {
                table {
                    thead { tr {
                        th { (say!(text, "head.cluster")) }
                        th class="figure" { (say!(text, "head.rows")) }
                        @for (i, head) in variable.heads.iter().enumerate() {
                            @let last = variable.missing && i + 1 == variable.heads.len();
                            th class=(if last { "figure soft" } else { "figure" }) title=(head) { (short(head, NAME)) }
                        }
                    } }
                    tbody {
                        tr class="all" { td { (say!(text, "all_rows")) } (figures(text, &variable.all)) }
                        @if !tree.root().is_leaf() {
                            @for (node, line) in tree.leaves().zip(&variable.leaves) {
                                tr {
                                    td { a href=(format!("#cluster-{}", node.path())) { (chip(node)) } }
                                    (figures(text, line))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn figures(text: &Text, line: &Line) -> Markup {
    html! {
        td class="figure" { (text.count(line.present)) }
        @for cell in &line.cells {
            @match &cell.words {
                None => td class="figure soft" { (say!(text, "outside.too_few")) },
                Some(figure) => td class="figure" title=[&cell.tip] {
                    @if cell.differs { b { (figure) } } @else { (figure) }
                    @if let Some(index) = cell.index { " " small { (format!("{index:.0}")) } }
                },
            }
        }
    }
}

/// What differs most in a leaf: one line of its card.
pub(super) fn line(contents: &Contents<'_>, leaf: usize) -> Markup {
    let differences = contents.outside.as_ref().and_then(|outside| outside.differences.get(leaf));
    let Some(differences) = differences.filter(|differences| !differences.is_empty()) else { return html! {} };
    let text = contents.text();
    let parts = differences.iter().map(|own| {
        let interval = own.interval.as_ref().map(|[low, high]| words!(text, "outside.between", low = low, high = high));
        let index = own.index.map(|index| words!(text, "outside.index", index = text.decimals(index, 0)));
        let (interval, index) = (interval.unwrap_or_default(), index.unwrap_or_default());
        say!(
            text,
            "outside.part",
            name = &own.name,
            here = &own.here,
            interval = interval,
            all = &own.all,
            index = index
        )
    });
    html! { p { (say!(text, "outside.line", list = listed(text, parts))) } }
}
