//! Small pieces of the page that more than one of its parts shows.

use super::charts::number;
use super::colour::{self, hex};
use super::draft::Shown;
use super::shares::Shares;
use super::words::percent;
use crate::recursive::{ClusterTree, Node};
use maud::{Markup, html};

/// The colour and path of a node, as a small label.
pub(super) fn chip(node: &Node) -> Markup {
    let fill = if node.level() == 1 { [0x3c, 0x46, 0x57] } else { colour::cluster(number(node)) };
    html! {
        span class="chip" style=(format!("background:{};color:{}", hex(fill), colour::text_on(fill))) { (node.path()) }
    }
}

/// Where a node came from, in words.
pub(super) fn origin(tree: &ClusterTree, shares: &Shares, node: &Node) -> String {
    match tree.parent(node) {
        None => "all rows".to_string(),
        Some(root) if root.level() == 1 => "all rows, directly".to_string(),
        Some(parent) => format!("cluster {} ({} of {})", parent.path(), percent(shares.node(parent)), shares.whole()),
    }
}

/// What a node is called, if anything: a proposed name is marked as such.
pub(super) fn called(shown: &Shown<'_>, node: &Node) -> Markup {
    html! {
        @if let Some(name) = shown.called.get(node) {
            @if name.proposed {
                bdi class="proposed" { (name.text) } " " span class="tag" { "proposed" }
            } @else {
                bdi class="given" { (name.text) }
            }
        }
    }
}

/// A word that the glossary explains: a button that opens its entry, in place.
pub(super) fn term(key: &str, word: &str) -> Markup {
    html! { button type="button" class="term" popovertarget=(format!("term-{key}")) { (word) } }
}
