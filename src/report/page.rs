//! The page: summary, tree, maps, cards, words.

use super::cards;
use super::charts::{self, number};
use super::colour::{self, hex};
use super::findings::{self, Finding};
use super::map;
use super::parts::{chip, origin};
use super::shares::Shares;
use super::words::{count, list, percent, things};
use super::{Contents, Rows, data, outside_tables};
use crate::Result;
use crate::recursive::{ClusterTree, Grade, Node, Separation, Split};
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
                    p class="lead" { (lead(tree, &contents.shares)) }
                }
                (tiles(contents))
                @if split.is_empty() {
                    section class="panel" {
                        h3 { "No clusters were found" }
                        p { "All rows stayed together: " (tree.root().stop_reason().map_or_else(String::new, ToString::to_string)) ". The card below describes them as one group." }
                    }
                } @else {
                    h2 { "The tree" }
                    p { "Every column of boxes is one step closer. A box is a cluster, as tall as its share of " (contents.shares.whole()) "; to its right stand the clusters found inside it. A number such as 0.2.1 is a path: cluster 1 inside cluster 2 of all rows (0)." }
                    section class="panel" { (charts::tree(tree, &contents.shares)) }
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
                (settings(contents))
                h2 { "Words in this report" }
                section class="panel" { (glossary(contents)) }
                footer { "Made by recluster " (env!("CARGO_PKG_VERSION")) ". The same data, settings and seed give this report again, figure for figure." }
            }
        }
    })
}

fn noise(tree: &ClusterTree) -> usize {
    tree.nodes().iter().map(Node::noise).sum()
}

fn lead(tree: &ClusterTree, shares: &Shares) -> String {
    let rows = things(tree.rows(), "row", "rows");
    if tree.root().is_leaf() {
        return format!("{rows} were searched for groups of rows that are alike; they stayed one group.");
    }
    let of_two = |least: bool| {
        let (leaves, by_share) = (tree.leaves(), |a: &&Node, b: &&Node| shares.node(a).total_cmp(&shares.node(b)));
        if least { leaves.min_by(by_share) } else { leaves.max_by(by_share) }
    };
    let of = if shares.weighted { "the population" } else { "them" };
    let sizes = match (of_two(false), of_two(true)) {
        (Some(large), Some(small)) => format!(
            " The largest, {}, holds {} of {of}, the smallest, {}, {}.",
            large.path(),
            percent(shares.node(large)),
            small.path(),
            percent(shares.node(small))
        ),
        _ => String::new(),
    };
    format!(
        "{rows} sorted into {} of rows that are alike.{sizes}",
        things(tree.leaves().count(), "cluster", "clusters")
    )
}

fn tiles(contents: &Contents<'_>) -> Markup {
    let tree = contents.report.tree;
    let (wide, one, several) = match &contents.features {
        Some(features) => (features.questions.len(), "question", "questions"),
        None => (tree.columns(), "column", "columns"),
    };
    let noise = contents.shares.all_noise();
    let levels = tree.levels();
    html! {
        div class="tiles" {
            div class="tile" { b { (count(tree.rows())) } span { "rows" } }
            div class="tile" { b { (count(wide)) } span { (if wide == 1 { one } else { several }) } }
            div class="tile" { b { (count(if levels == 0 { 0 } else { tree.leaves().count() })) } span { "final clusters" } }
            div class="tile" { b { (percent(noise)) } span { (if contents.shares.weighted { "of the population in no cluster" } else { "of rows in no cluster" }) } }
            div class="tile" { b { (levels) } span { (if levels == 1 { "level of clusters" } else { "levels of clusters" }) } }
        }
    }
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
fn distinctive(contents: &Contents<'_>, leaf: usize) -> String {
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
            @if let Some(split) = node.split() { (evidence(node, split)) }
            (map::drawing(embedding, node.labels(), if wide { 1240 } else { 860 }, &format!("Map: {name}"))?)
            div class="legend" {
                @for child in tree.children(node) {
                    span {
                        a href=(format!("#{}-{}", if child.is_leaf() { "cluster" } else { "map" }, child.path())) { (chip(child)) }
                        " " (percent(shares.of_parent(child)))
                    }
                }
                @if node.noise() > 0 {
                    span { span class="chip" style=(format!("background:{};color:#14181f", hex(colour::NOISE))) { "none" } " " (percent(shares.noise_within(node))) }
                }
            }
        }
    })
}

/// What the tests on held-out rows say of a split: its reason, and each child's least separated sibling.
fn evidence(node: &Node, split: &Split) -> Markup {
    let pairs = split
        .separations()
        .iter()
        .filter_map(|s| Some((split.child_of(*s.of.first()?)?, split.child_of(*s.from.first()?)?, s)));
    let name = |child: usize| format!("{}.{child}", node.path());
    html! {
        @if split.judge().is_some() {
            p class="small" { b { "Evidence: " } (split.reason()) "." }
            ul class="small" {
                @for (of, from, separation) in pairs.filter(|(of, from, _)| of != from) {
                    li { (name(of)) " and " (name(from)) ": " b { (separation.grade) } (crossed(separation)) "." }
                }
            }
        }
    }
}

/// How empty a boundary is, in words.
fn crossed(separation: &Separation) -> String {
    let Some(boundary) = separation.boundary else { return String::new() };
    let often = match boundary {
        b if b < 0.005 => "; no neighbours lie across their boundary".to_string(),
        b => format!("; their boundary is crossed {b:.2} times as often as a cut through the middle of either"),
    };
    // Half as often would be plain, had there been enough rows.
    let but =
        if separation.grade == Grade::Continuum && boundary < 0.5 { ", but the rows are too few to tell" } else { "" };
    format!("{often}{but} (p {})", small(separation.p_value))
}

/// A p-value to two digits.
fn small(p: f64) -> String {
    match p {
        p if p < 1e-4 => "below 0.0001".to_string(),
        p if p < 0.01 => format!("{p:.4}"),
        p => format!("{p:.2}"),
    }
}

fn settings(contents: &Contents<'_>) -> Markup {
    let tree = contents.report.tree;
    html! {
        section class="panel" {
            p { "All rows were drawn as a map on which rows that are alike lie close together (" (tree.embedder()) "). Dense places on the map became clusters (" (tree.clusterer()) "). Then each cluster was looked at alone: from its original rows a new map was drawn, and the search repeated." }
            dl {
                dt { "Map" } dd { (tree.embedder()) }
                dt { "Clusters" } dd { (tree.clusterer()) }
                @for (name, value) in &contents.report.settings { dt { (name) } dd { (value) } }
                dt { "Seed" } dd { (tree.seed()) " (the number that all random choices follow from)" }
                dt { "Version" } dd { "recluster " (env!("CARGO_PKG_VERSION")) }
                @if let Some((rows, _)) = &contents.report.explained {
                    dt { "Explained" } dd { (explained(rows.len(), &contents.rows)) }
                }
            }
        }
    }
}

fn glossary(contents: &Contents<'_>) -> Markup {
    html! {
        dl {
            dt { "Row, column" } dd { "One thing that was measured, such as a customer or an image; one property of it." }
            @if contents.features.is_some() {
                dt { "Question" } dd { "What one or several columns answer together; it counts once, however many columns it has." }
            }
            dt { "Cluster" } dd { "Rows that are more like each other than like the rest. Nobody said beforehand what the clusters should be." }
            dt { "Path" } dd { "A cluster's address in the tree. 0 is all rows, 0.2 a cluster found among all rows, 0.2.1 one found inside 0.2. Clusters are numbered from the largest." }
            dt { "Share" } dd {
                "A cluster's part of " (contents.shares.whole()) "."
                @if contents.shares.weighted { " Rows count by their weights: how many of the population each stands for. Averages and shares of levels do, too; numbers of rows do not." }
            }
            dt { "In no cluster" } dd { "Rows in thin or mixed places of a map. They are named as such, not forced into the nearest cluster." }
            @if contents.report.tree.nodes().iter().any(|node| node.persistence().is_some()) {
                dt { "Persistence" } dd { "How firmly a cluster stands out, from 0 (just about) to 1 (at every density that was looked at)." }
            }
            dt { "Standard deviation" } dd { "How far rows usually lie from the average; about two thirds of rows lie closer than one." }
            @if contents.report.explained.is_some() {
                dt { "The model" } dd { "A set of decision trees, trained afterwards to tell each cluster from all other rows by the original columns alone. What it looks at tells what the cluster is about." }
                dt { "SHAP value" } dd { "How much one column of one row pushed the model towards the cluster (above 0) or away from it (below 0). A row's values add up to the model's answer, in log-odds: 0 is even, +2 about 88 %, -2 about 12 %." }
            }
        }
    }
}

fn explained(explained: usize, rows: &Rows<'_>) -> String {
    match explained == rows.len() {
        true => format!("all {}", things(explained, "row", "rows")),
        false => format!(
            "a sample of {} of {}: one half spread over all rows, the other evenly over the clusters",
            count(explained),
            things(rows.len(), "row", "rows")
        ),
    }
}
