//! Small pieces of the page that more than one of its parts shows.

use super::charts::number;
use super::colour::{self, hex};
use super::draft::Shown;
use super::shares::Shares;
use super::text::{Text, Value, say, words};
use crate::Size;
use crate::recursive::{ClusterTree, Node, StopReason};
use maud::{Markup, html};

/// The colour and path of a node, as a small label.
pub(super) fn chip(node: &Node) -> Markup {
    let fill = if node.level() == 1 { [0x3c, 0x46, 0x57] } else { colour::cluster(number(node)) };
    html! {
        span class="chip" style=(format!("background:{};color:{}", hex(fill), colour::text_on(fill))) { (node.path()) }
    }
}

/// Where a node came from, in words.
pub(super) fn origin(text: &Text, tree: &ClusterTree, shares: &Shares, node: &Node) -> String {
    match tree.parent(node) {
        None => words!(text, "origin.root"),
        Some(root) if root.level() == 1 => words!(text, "origin.top"),
        Some(parent) => words!(
            text,
            "origin.cluster",
            path = parent.path().to_string(),
            share = text.percent(shares.node(parent)),
            whole = shares.whole(text)
        ),
    }
}

/// Why a node was not looked into further, in words.
pub(super) fn stopped(text: &Text, reason: &StopReason) -> String {
    // Percentages as the tree's own words have them, whose spaces may break the line.
    let percent = |share: f64| text.percent(share).replace('\u{a0}', " ");
    let share = |rows: usize, of: usize| percent(rows as f64 / of as f64);
    let few =
        |rows: usize, least: usize| words!(text, "stop.rows", n = Value::Digits(rows), least = Value::Digits(least));
    match reason {
        StopReason::LastLevel { levels } => words!(text, "stop.last_level", n = Value::Digits(*levels)),
        StopReason::SizeOfAll { rows, total_rows, least } => match *least {
            Size::Count(least) => few(*rows, least),
            Size::Share(least) => {
                words!(text, "stop.share_of_all", share = share(*rows, *total_rows), least_share = percent(least))
            }
        },
        StopReason::SizeOfParent { rows, parent_rows, least } => match *least {
            Size::Count(least) => few(*rows, least),
            Size::Share(least) => {
                words!(text, "stop.share_of_parent", share = share(*rows, *parent_rows), least_share = percent(least))
            }
        },
        StopReason::Rows { rows, least } => few(*rows, *least),
        StopReason::TooFewRows { rows, needed } => {
            words!(text, "stop.too_few", n = Value::Digits(*rows), needed = Value::Digits(*needed))
        }
        StopReason::OneCluster { clusters: 0 } => words!(text, "stop.no_cluster"),
        StopReason::OneCluster { .. } => words!(text, "stop.one_cluster"),
        StopReason::Pruned => words!(text, "stop.pruned"),
        StopReason::Refused { why } => words!(text, "stop.refused", why = why),
    }
}

/// What a node is called, if anything: a proposed name is marked as such.
pub(super) fn called(shown: &Shown<'_>, node: &Node) -> Markup {
    html! {
        @if let Some(name) = shown.called.get(node) {
            @if name.proposed {
                bdi class="proposed" { (name.text) } " " span class="tag" { (say!(shown.text(), "proposed")) }
            } @else {
                bdi class="given" { (name.text) }
            }
        }
    }
}
