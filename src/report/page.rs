//! The page: summary, tree, maps, cards, words.

use super::cards;
use super::charts::{self, number};
use super::colour::{self, hex};
use super::findings::{self, Finding};
use super::parts::{called, chip, origin};
use super::words::{count, list, percent, things};
use super::{Contents, data, map, method, outside_tables, summary, sure};
use crate::Result;
use crate::recursive::{ClusterTree, Node};
use maud::{DOCTYPE, Markup, PreEscaped, html};

pub(super) fn page(contents: &Contents<'_>) -> Result<Markup> {
    let tree = contents.report.tree;
    let split: Vec<&Node> = tree.nodes().iter().filter(|node| !node.is_leaf()).collect();
    Ok(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content=(format!("recluster {}", env!("CARGO_PKG_VERSION")));
                title { (contents.report.title) }
                style {
                    (PreEscaped(include_str!("style.css")))
                    @if data::is_known(contents) { (PreEscaped(include_str!("table.css"))) }
                    @if contents.outside.is_some() { (PreEscaped(include_str!("outside.css"))) }
                }
            }
            body {
                header {
                    h1 { (contents.report.title) }
                }
                (summary::five_lines(contents)?)
                (summary::tiles(contents))
                @if split.is_empty() {
                    section class="panel" {
                        h3 { "No clusters were found" }
                        p { "All rows stayed together: " (tree.root().stop_reason().map_or_else(String::new, ToString::to_string)) ". The card below describes them as one group." }
                    }
                } @else {
                    h2 { "The tree" }
                    p { "Every column of boxes is one step closer. A box is a cluster, as tall as its share of " (contents.shares.whole()) "; to its right stand the clusters found inside it. A number such as 0.2.1 is a path: cluster 1 inside cluster 2 of all rows (0)." }
                    section class="panel" { (charts::tree(contents)) }
                }
                (glance(contents)?)
                @if !split.is_empty() {
                    h2 class="page" { "The maps" }
                    p { "Each dot is a row, and dots close to each other are rows that are alike. Directions and distances across a map have no unit; what counts is who lies next to whom. Grey dots belong to no cluster." }
                    div class="maps" {
                        @for node in &split { (map_card(contents, node)?) }
                    }
                }
                h2 class="page" { "The clusters, one by one" }
                section class="clusters" {
                    @for (leaf, node) in tree.leaves().enumerate() { (cards::card(contents, leaf, node)?) }
                }
                (outside_tables::section(contents))
                (data::data(contents))
                h2 class="page" { "How this was made" }
                (method::settings(contents))
                h2 { "Words in this report" }
                section class="panel" { (method::glossary(contents)) }
                footer { "Made by recluster " (env!("CARGO_PKG_VERSION")) ". The same data, settings and seed give this report again, figure for figure." }
            }
        }
    })
}

fn noise(tree: &ClusterTree) -> usize {
    tree.nodes().iter().map(Node::noise).sum()
}

/// All leaves in one table.
fn glance(contents: &Contents<'_>) -> Result<Markup> {
    let tree = contents.report.tree;
    let shares = &contents.shares;
    let largest = tree.leaves().map(|leaf| shares.node(leaf)).fold(1e-9, f64::max);
    let mut pictures = Vec::new();
    for leaf in 0..tree.leaves().count() {
        pictures.push(cards::average(contents, leaf)?);
    }
    let drawn = contents.report.image.is_some();
    Ok(html! {
        h2 { "At a glance" }
        section class="panel flow" {
            table class="glance" {
                thead { tr {
                    th { "Cluster" }
                    @if drawn { th { "Average" } }
                    th { "Share of " (shares.whole()) } th class="figure" { "Rows" }
                    th { (if drawn { "Came out of" } else if contents.features.is_some() { "What sets it apart most: here (all rows)" } else { "What sets it apart most" }) }
                } }
                tbody {
                    @for (leaf, (node, picture)) in tree.leaves().zip(pictures).enumerate() {
                        @let fill = hex(if node.level() == 1 { colour::NOISE } else { colour::cluster(number(node)) });
                        tr {
                            td { a href=(format!("#cluster-{}", node.path())) { (chip(node)) } }
                            @if let Some(picture) = picture { td { img class="pixels thumb" src=(picture) alt="average image"; } }
                            td {
                                span class="share" style=(format!("width:{:.0}px;background:{fill}", 1.0 + 150.0 * shares.node(node) / largest)) {}
                                " " (percent(shares.node(node)))
                            }
                            td class="figure" { (count(node.rows().len())) }
                            td {
                                @if contents.called.get(node).is_some() { div class="name" { (called(contents, node)) } }
                                @if drawn { (origin(contents, node)) } @else { (distinctive(contents, leaf)) }
                            }
                        }
                    }
                    @if noise(tree) > 0 {
                        tr {
                            td { span class="soft" { "none" } }
                            @if drawn { td {} }
                            td {
                                span class="share" style=(format!("width:{:.0}px;background:{}", 1.0 + 150.0 * (shares.all_noise() / largest).min(1.2), hex(colour::NOISE))) {}
                                " " (percent(shares.all_noise()))
                            }
                            td class="figure" { (count(noise(tree))) }
                            td class="soft" { "rows that are not enough like any cluster; they are left out rather than forced in" }
                        }
                    }
                }
            }
        }
    })
}

/// The features that set a leaf apart, in a few words.
pub(super) fn distinctive(contents: &Contents<'_>, leaf: usize) -> String {
    if let Some(features) = &contents.features {
        let found = findings::findings(contents, features, leaf);
        return match found.is_empty() {
            true => "nothing in any single column".to_string(),
            false => findings::clearest(&found).map(Finding::brief).collect::<Vec<_>>().join("; "),
        };
    }
    let columns = contents.statistics.distinctive(leaf, 3);
    if columns.is_empty() {
        return "nothing in any single column".to_string();
    }
    let part = |&c: &usize| {
        let direction = if contents.statistics.distance(leaf, c) > 0.0 { "higher" } else { "lower" };
        format!("{direction} {}", charts::short(&contents.names[c], 40))
    };
    list(&columns.iter().map(part).collect::<Vec<_>>())
}

/// The map of a node that was split.
fn map_card(contents: &Contents<'_>, node: &Node) -> Result<Markup> {
    let (tree, shares) = (contents.report.tree, &contents.shares);
    let Some(embedding) = node.map() else {
        return Ok(html! {});
    };
    let wide = node.level() == 1;
    let name = if wide { "All rows".to_string() } else { format!("Inside cluster {}", node.path()) };
    Ok(html! {
        section class=(if wide { "card wide" } else { "card" }) id=(format!("map-{}", node.path())) {
            h3 { (name) }
            @if contents.called.get(node).is_some() { p class="name" { (called(contents, node)) } }
            p class="small" {
                (things(node.rows().len(), "row", "rows")) " (" (percent(shares.node(node))) " of " (if shares.weighted { shares.whole() } else { "all" }) ") fell into " (node.children()) " clusters"
                @if node.noise() > 0 { "; " (percent(shares.noise_within(node))) " of them fit none" }
                "."
                @if embedding.ncols() > 2 { " The map shows the first two of " (embedding.ncols()) " dimensions." }
                @if let Some(clustered) = node.embedding().filter(|clustered| clustered.ncols() > embedding.ncols()) {
                    " They were found in " (clustered.ncols()) " dimensions, of which this map of two is drawn anew."
                }
                @for note in node.notes() { " " (note) }
            }
            @if let Some(split) = node.split() { (sure::evidence(node, split)) }
            (map::drawing(embedding, node.labels(), if wide { 1240 } else { 860 }, &format!("Map: {name}"))?)
            div class="legend" {
                @for child in tree.children(node) {
                    span {
                        a href=(format!("#{}-{}", if child.is_leaf() { "cluster" } else { "map" }, child.path())) { (chip(child)) }
                        " " (percent(shares.of_parent(child))) " " (called(contents, child))
                    }
                }
                @if node.noise() > 0 {
                    span { span class="chip" style=(format!("background:{};color:#14181f", hex(colour::NOISE))) { "none" } " " (percent(shares.noise_within(node))) }
                }
            }
        }
    })
}
