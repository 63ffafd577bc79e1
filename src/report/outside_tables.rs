//! Outside variables on the page: a table for each, and a line in each card.

use super::Contents;
use super::charts::short;
use super::interval::Share;
use super::outside::{Cell, Line, Outside, Variable};
use super::parts::chip;
use super::words::{count, percent, whole};
use maud::{Markup, html};

/// Letters of a level's name.
const NAME: usize = 30;

/// The section; nothing where there are no outside variables.
pub(super) fn section(contents: &Contents<'_>) -> Markup {
    let Some(outside) = &contents.outside else { return html! {} };
    html! {
        h2 class="page" { "Outside variables" }
        p { "These columns did not make the clusters." }
        (notes(outside))
        div class="outsides" { @for variable in &outside.variables { (table(contents, variable)) } }
        @if !outside.skipped.is_empty() {
            p class="small" {
                "Not shown: "
                @for (i, (name, reason)) in outside.skipped.iter().enumerate() {
                    @if i > 0 { "; " }
                    b { (name) } " (" (reason) ")"
                }
                "."
            }
        }
    }
}

fn notes(outside: &Outside) -> Markup {
    let shares = outside.variables.iter().any(|variable| variable.shares || variable.missing);
    let cells = outside.variables.iter().flat_map(|v| v.leaves.iter().chain([&v.all])).flat_map(|line| &line.cells);
    html! {
        @if shares {
            p class="small" {
                "Shares are of the rows that have a value. The small number beside a share is its index: 100 is the share in all rows, 200 twice that. A share is bold where its 95\u{a0}% interval (Wilson) excludes that of all rows; the interval shows when the pointer rests on the share."
            }
        }
        @if cells.into_iter().any(|cell| *cell == Cell::TooFew) {
            p class="small" { "“Too few” stands where fewer than ten rows of a cluster have a value." }
        }
    }
}

fn table(contents: &Contents<'_>, variable: &Variable) -> Markup {
    let tree = contents.report.tree;
    html! {
        section class="panel flow outside" {
            h4 class="top" {
                (variable.name)
                @if !variable.kind.is_empty() { span class="soft" { " " (variable.kind) } }
            }
            div class="scroll" {
                table {
                    thead { tr {
                        th { "Cluster" }
                        th class="figure" { "Rows" }
                        @for (i, head) in variable.heads.iter().enumerate() {
                            @let last = variable.missing && i + 1 == variable.heads.len();
                            th class=(if last { "figure soft" } else { "figure" }) title=(head) { (short(head, NAME)) }
                        }
                    } }
                    tbody {
                        tr class="all" { td { "All rows" } (figures(&variable.all)) }
                        @if !tree.root().is_leaf() {
                            @for (node, line) in tree.leaves().zip(&variable.leaves) {
                                tr {
                                    td { a href=(format!("#cluster-{}", node.path())) { (chip(node)) } }
                                    (figures(line))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn figures(line: &Line) -> Markup {
    html! {
        td class="figure" { (count(line.present as usize)) }
        @for cell in &line.cells {
            @match cell {
                Cell::Words(words) => td class="figure" { (words) },
                Cell::TooFew => td class="figure soft" { "too few" },
                Cell::Share(share) => td class="figure" title=(tip(share)) {
                    @if share.differs() { b { (whole(share.here())) } } @else { (whole(share.here())) }
                    @if let Some(index) = share.index() { " " small { (format!("{index:.0}")) } }
                },
            }
        }
    }
}

fn tip(share: &Share) -> String {
    let (low, high) = share.interval();
    let (part, rows) = (count(share.count as usize), count(share.of as usize));
    format!("{part} of {rows} rows; 95\u{a0}% interval {} to {}", percent(low), percent(high))
}

/// What differs most in a leaf: one line of its card.
pub(super) fn line(contents: &Contents<'_>, leaf: usize) -> Markup {
    let differences = contents.outside.as_ref().and_then(|outside| outside.differences.get(leaf));
    let Some(differences) = differences.filter(|differences| !differences.is_empty()) else { return html! {} };
    html! {
        p {
            b { "Outside:" }
            @for (i, difference) in differences.iter().enumerate() {
                @let share = &difference.share;
                @if i > 0 { ";" }
                " " (difference.name) " " b { (whole(share.here())) } " (all rows " (whole(share.all)) ")"
            }
            "."
        }
    }
}
