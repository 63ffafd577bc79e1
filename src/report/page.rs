//! The page: summary, tree, maps, cards, words.

use super::cards;
use super::charts::{self, number};
use super::colour::{self, hex};
use super::deck::Deck;
use super::draft::Shown;
use super::findings::{self, Finding};
use super::parts::{called, chip, origin, term};
use super::words::{count, list, percent, things};
use super::{Contents, drawn, method, summary, sure};
use crate::Result;
use crate::recursive::{ClusterTree, Node};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// What the page may do: show its own styles and pictures; no script, no request.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

pub(super) fn page(shown: &Shown<'_>) -> Result<Markup> {
    let (tree, draft) = (shown.tree, shown.draft);
    let split: Vec<&Node> = tree.nodes().iter().filter(|node| !node.is_leaf()).collect();
    let leaves = tree.leaves().count();
    let (mapped, left_out) = maps(&split);
    let mut deck =
        Deck::new(2 + usize::from(!split.is_empty()) + mapped.len() + leaves + usize::from(!draft.deploy.is_empty()));
    Ok(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content=(format!("recluster {}", env!("CARGO_PKG_VERSION")));
                title { (draft.title) }
                style {
                    // The look of the charts is theirs, alone and on the page.
                    (PreEscaped(include_str!("charts/chart.css").replace(".recluster", "svg")))
                    (PreEscaped(include_str!("style.css")))
                    (PreEscaped(include_str!("deck.css")))
                    @if !draft.data.is_empty() { (PreEscaped(include_str!("table.css"))) }
                    @if !draft.outside.is_empty() { (PreEscaped(include_str!("outside.css"))) }
                }
            }
            body id="report" {
                (deck.slide("first", html! {
                    header {
                        h1 { bdi { (draft.title) } }
                        a class="start" href="#slide-1" { "Show as slides" }
                    }
                    (summary::five_lines(shown))
                    (summary::tiles(shown))
                    @if split.is_empty() {
                        section class="panel" {
                            h2 { "No clusters were found" }
                            p { "All rows stayed together: " (tree.root().stop_reason().map_or_else(String::new, ToString::to_string)) ". The card below describes them as one group." }
                        }
                    }
                }))
                @if !split.is_empty() {
                    (deck.slide("", html! {
                        h2 { "The tree" }
                        p { "Every column of boxes is one step closer. A box is a cluster, as tall as its share of " (shown.shares().whole()) "; to its right stand the clusters found inside it. A number such as 0.2.1 is a " (term("path", "path")) ": cluster 1 inside cluster 2 of all rows (0)." }
                        div class="panel" { (drawn::tree(shown)) }
                    }))
                }
                (deck.slide("", glance(shown)))
                @if !split.is_empty() {
                    h2 class="page" { "The maps" }
                    p { "Each dot is a row, and dots close to each other are rows that are alike. Directions and distances across a map have no unit; what counts is who lies next to whom. Grey dots belong to no cluster." }
                    @if left_out > 0 { p class="small" { "Drawn are the maps of the " (mapped.len()) " largest clusters that were looked into; " (count(left_out)) " smaller ones have none here. Their clusters have a card." } }
                    div class="slides maps" {
                        @for node in &mapped {
                            (deck.slide(if node.level() == 1 { "wide" } else { "" }, map_card(shown, node, mapped.len())?))
                        }
                    }
                }
                h2 class="page" { "The clusters, one by one" }
                @if leaves > cards::FULL { p class="small" { "The cards of the " (cards::FULL) " largest clusters have all charts and pictures, the others the main ones." } }
                div class="slides clusters" {
                    @for (leaf, node) in tree.leaves().enumerate() { (deck.slide("", cards::card(shown, leaf, node))) }
                }
                (PreEscaped(&draft.outside))
                (PreEscaped(&draft.data))
                @if !draft.deploy.is_empty() { (deck.slide("", html! { (PreEscaped(&draft.deploy)) })) }
                h2 class="page" { "How this was made" }
                (PreEscaped(&draft.settings))
                h2 { "Words in this report" }
                div class="panel flow" { (method::words(&draft.glossary)) }
                footer { "Made by recluster " (env!("CARGO_PKG_VERSION")) ". The same data, settings and seed give this report again, figure for figure." }
                (method::popovers(&draft.glossary))
            }
        }
    })
}

/// Maps that are drawn at most.
const MAPS: usize = 60;

/// The nodes whose maps are drawn, in preorder, and how many more were split.
fn maps<'a>(split: &[&'a Node]) -> (Vec<&'a Node>, usize) {
    let mut largest: Vec<&Node> = split.to_vec();
    largest.sort_by(|a, b| b.rows().len().cmp(&a.rows().len()).then(a.path().cmp(b.path())));
    largest.truncate(MAPS);
    largest.sort_by(|a, b| a.path().cmp(b.path()));
    let left_out = split.len() - largest.len();
    (largest, left_out)
}

/// Width of a map in pixels: that of the root large, the others smaller where there are many.
fn width(node: &Node, maps: usize) -> usize {
    if node.level() == 1 {
        return 1240;
    }
    (860.0 * (8.0 / maps.max(8) as f64).sqrt()) as usize
}

fn noise(tree: &ClusterTree) -> usize {
    tree.nodes().iter().map(Node::noise).sum()
}

/// All leaves in one table.
fn glance(shown: &Shown<'_>) -> Markup {
    let tree = shown.tree;
    let shares = shown.shares();
    let largest = tree.leaves().map(|leaf| shares.node(leaf)).fold(1e-9, f64::max);
    let pictures = shown.draft.images;
    html! {
        h2 { "At a glance" }
        div class="panel flow" {
            table class="glance" {
                thead { tr {
                    th { "Cluster" }
                    @if pictures { th { "Average" } }
                    th { "Share of " (shares.whole()) } th class="figure" { "Rows" }
                    th { (if pictures { "Came out of" } else if shown.draft.questions.is_some() { "What sets it apart most: here (all rows)" } else { "What sets it apart most" }) }
                } }
                tbody {
                    @for (node, leaf) in tree.leaves().zip(&shown.draft.leaves) {
                        @let fill = hex(if node.level() == 1 { colour::NOISE } else { colour::cluster(number(node)) });
                        tr {
                            td { a href=(format!("#cluster-{}", node.path())) { (chip(node)) } }
                            @if pictures { td { @if let Some(picture) = leaf.average().filter(|_| leaf.full) { img class="pixels thumb" src=(picture) alt="average image"; } } }
                            td {
                                span class="share" style=(format!("width:{:.0}px;background:{fill}", 1.0 + 150.0 * shares.node(node) / largest)) {}
                                " " (percent(shares.node(node)))
                            }
                            td class="figure" { (count(node.rows().len())) }
                            td {
                                @if shown.called.get(node).is_some() { div class="name" { (called(shown, node)) } }
                                @if pictures { (origin(tree, shares, node)) } @else { (leaf.distinctive) }
                            }
                        }
                    }
                    @if noise(tree) > 0 {
                        tr {
                            td { span class="soft" { "none" } }
                            @if pictures { td {} }
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
    }
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
fn map_card(shown: &Shown<'_>, node: &Node, maps: usize) -> Result<Markup> {
    let (tree, shares) = (shown.tree, shown.shares());
    let Some(embedding) = node.map() else {
        return Ok(html! {});
    };
    let wide = node.level() == 1;
    let name = if wide { "All rows".to_string() } else { format!("Inside cluster {}", node.path()) };
    Ok(html! {
        section class="card" id=(format!("map-{}", node.path())) {
            h3 { (name) }
            @if shown.called.get(node).is_some() { p class="name" { (called(shown, node)) } }
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
            (drawn::drawing(shown, node, embedding, width(node, maps))?)
            div class="legend" {
                @for child in tree.children(node) {
                    span {
                        a href=(format!("#{}-{}", if child.is_leaf() { "cluster" } else { "map" }, child.path())) { (chip(child)) }
                        " " (percent(shares.of_parent(child))) " " (called(shown, child))
                    }
                }
                @if node.noise() > 0 {
                    span { span class="chip" style=(format!("background:{};color:#14181f", hex(colour::NOISE))) { "none" } " " (percent(shares.noise_within(node))) }
                }
            }
        }
    })
}
