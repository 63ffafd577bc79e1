//! Outside variables on the page: a table for each, and a line in each card.

use super::Contents;
use super::charts::short;
use super::outside::{Line, Tables, Variable};
use super::parts::chip;
use super::words::count;
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

fn notes(outside: &Tables) -> Markup {
    let shares = outside.variables.iter().any(|variable| variable.shares || variable.missing);
    let cells = outside.variables.iter().flat_map(|variable| &variable.leaves).flat_map(|line| &line.cells);
    html! {
        @if outside.tested > 0 {
            p class="small" {
                "Each variable was tested for a difference between the clusters (levels: chi-square; numbers and ordered levels: Kruskal and Wallis), the p-values adjusted for " (outside.tested) " variables so that at most one in twenty of those said to differ is expected to be a false one. A figure is bold where the cluster then differs from the other ones."
            }
        }
        @if shares {
            p class="small" {
                "Shares are of the rows that have a value. The small number beside a share is its index: 100 is the share in all rows, 200 twice that. The interval shows when the pointer rests on a figure."
            }
        }
        @if cells.into_iter().any(|cell| cell.words.is_none()) {
            p class="small" { "“Too few” stands where fewer than ten rows of a cluster have a value." }
        }
    }
}

fn table(contents: &Contents<'_>, variable: &Variable) -> Markup {
    let tree = contents.report.tree;
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
        td class="figure" { (count(line.present)) }
        @for cell in &line.cells {
            @match &cell.words {
                None => td class="figure soft" { "too few" },
                Some(words) => td class="figure" title=[&cell.tip] {
                    @if cell.differs { b { (words) } } @else { (words) }
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
    html! {
        p {
            b { "Outside:" }
            @for (i, difference) in differences.iter().enumerate() {
                @if i > 0 { ";" }
                " " (difference.name) " " b { (difference.here) } " (all rows " (difference.all) ")"
            }
            "."
        }
    }
}
