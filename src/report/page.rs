//! The page: summary, tree, maps, cards, words.

use super::cards;
use super::charts::{self, number};
use super::colour::{self, hex};
use super::deck::Deck;
use super::draft::Shown;
use super::findings;
use super::parts::{called, chip, origin, stopped};
use super::shares::Shares;
use super::text::{Text, Value, say, words};
use super::{Contents, drawn, method, summary, sure};
use crate::Result;
use crate::recursive::{ClusterTree, Grade, Node};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// Least and usual width of a share's bar in pixels, and how much longer than that of the largest cluster it may be.
const BAR: (f64, f64) = (1.0, 150.0);
const LONGEST_BAR: f64 = 1.2;
/// Width of a map in pixels: that of all rows, and of a cluster where there are so many maps or fewer.
const WIDE_MAP: usize = 1240;
const MAP: f64 = 860.0;
const FEW_MAPS: usize = 8;
/// Letters of a column's name in the table of clusters.
const NAME: usize = 40;

/// What the page may do: show its own styles and pictures; no script, no request.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

pub(super) fn page(shown: &Shown<'_>) -> Result<Markup> {
    let (tree, draft, text) = (shown.tree, shown.draft, shown.text());
    let title = draft.title.clone().unwrap_or_else(|| words!(text, "title"));
    let split: Vec<&Node> = tree.nodes().iter().filter(|node| !node.is_leaf()).collect();
    let leaves = tree.leaves().count();
    let (mapped, left_out) = maps(&split);
    let slides = 2 + usize::from(!split.is_empty()) + mapped.len() + leaves + usize::from(!draft.deploy.is_empty());
    let mut deck = Deck::new(text, slides);
    Ok(html! {
        (DOCTYPE)
        html lang=(text.lang()) dir=[text.direction()] {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content=(format!("recluster {}", env!("CARGO_PKG_VERSION")));
                title { (title) }
                style {
                    // The look of the charts is theirs, alone and on the page.
                    (PreEscaped(include_str!("charts/chart.css").replace(".recluster", "svg")))
                    (PreEscaped(include_str!("style.css")))
                    (PreEscaped(include_str!("deck.css")))
                    @if !draft.data.is_empty() { (PreEscaped(include_str!("table.css"))) }
                    @if !draft.outside.is_empty() { (PreEscaped(include_str!("outside.css"))) }
                    @if let Some(rule) = after_rows(text) { (PreEscaped(rule)) }
                    @if text.direction().is_some() { (PreEscaped(include_str!("rtl.css"))) }
                }
            }
            body id="report" {
                (deck.slide("first", html! {
                    header {
                        h1 { bdi { (title) } }
                        a class="start" href="#slide-1" { (say!(text, "page.slides")) }
                    }
                    (summary::five_lines(shown))
                    (summary::tiles(shown))
                    @if split.is_empty() {
                        section class="panel" {
                            h2 { (say!(text, "page.whole")) }
                            @let reason = tree.root().stop_reason().map_or_else(String::new, |reason| stopped(text, reason));
                            p { (say!(text, "page.whole_why", reason = reason)) }
                        }
                    }
                }))
                @if !split.is_empty() {
                    (deck.slide("", html! {
                        h2 { (say!(text, "tree.title")) }
                        p { (say!(text, "tree.legend", whole = shown.shares().whole(text))) }
                        div class="panel" { (drawn::tree(shown)) }
                        (marks(shown))
                    }))
                }
                (deck.slide("", glance(shown)))
                @if !split.is_empty() {
                    h2 class="page" { (say!(text, "maps.title")) }
                    p { (say!(text, "maps.legend")) }
                    @if left_out > 0 { p class="small" { (say!(text, "maps.left_out", mapped = mapped.len(), n = left_out)) } }
                    div class="slides maps" {
                        @for node in &mapped {
                            (deck.slide(if node.level() == 1 { "wide" } else { "" }, map_card(shown, node, mapped.len())?))
                        }
                    }
                }
                h2 class="page" { (say!(text, "clusters.title")) }
                @if leaves > cards::FULL { p class="small" { (say!(text, "clusters.full", n = cards::FULL)) } }
                div class="slides clusters" {
                    @for (leaf, node) in tree.leaves().enumerate() { (deck.slide("", cards::card(shown, leaf, node))) }
                }
                (PreEscaped(&draft.outside))
                (PreEscaped(&draft.data))
                @if !draft.deploy.is_empty() { (deck.slide("", html! { (PreEscaped(&draft.deploy)) })) }
                h2 class="page" { (say!(text, "method.title")) }
                (PreEscaped(&draft.settings))
                h2 { (say!(text, "glossary.title")) }
                div class="panel flow" { (method::words(text, shown.shares(), &draft.glossary)) }
                footer { (say!(text, "page.footer", version = env!("CARGO_PKG_VERSION"))) }
                (method::popovers(text, shown.shares(), &draft.glossary))
            }
        }
    })
}

/// What style.css writes behind a number of rows on a narrow screen, in another language: letters by their numbers, so that
/// nothing but words can come of it.
fn after_rows(text: &Text) -> Option<String> {
    let words = words!(text, "glance.after_rows");
    let escaped: String = words.chars().map(|letter| format!("\\{:x} ", u32::from(letter))).collect();
    let rule = format!("@media (max-width: 620px) {{ .glance td.figure::after {{ content: \"{escaped}\"; }} }}");
    (words != words!(Text::english(), "glance.after_rows")).then_some(rule)
}

/// What the signs in the tree's boxes mean, where it has some.
fn marks(shown: &Shown<'_>) -> Markup {
    let (tree, text) = (shown.tree, shown.text());
    let some = |grade: Grade| {
        tree.nodes().iter().filter_map(|node| tree.least_separated(node)).any(|(_, found)| found.grade == grade)
    };
    html! {
        @if some(Grade::Continuum) { p class="small" { (say!(text, "tree.continuum")) } }
        @if some(Grade::NotFoundAgain) { p class="small" { (say!(text, "tree.not_found_again")) } }
    }
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

/// Width of a map: that of the root large, the others smaller where there are many.
fn width(node: &Node, maps: usize) -> usize {
    if node.level() == 1 {
        return WIDE_MAP;
    }
    (MAP * (FEW_MAPS as f64 / maps.max(FEW_MAPS) as f64).sqrt()) as usize
}

fn noise(tree: &ClusterTree) -> usize {
    tree.nodes().iter().map(Node::noise).sum()
}

/// All leaves in one table.
fn glance(shown: &Shown<'_>) -> Markup {
    let (tree, shares, text) = (shown.tree, shown.shares(), shown.text());
    let largest = tree.leaves().map(|leaf| shares.node(leaf)).fold(1e-9, f64::max);
    let pictures = shown.draft.images;
    let bar = |part: f64, fill: String| format!("width:{:.0}px;background:{fill}", BAR.0 + BAR.1 * part);
    let most = match (pictures, shown.draft.questions) {
        (true, _) => say!(text, "glance.origin"),
        (false, Some(_)) => say!(text, "glance.apart_all"),
        (false, None) => say!(text, "glance.apart"),
    };
    html! {
        h2 { (say!(text, "glance.title")) }
        div class="panel flow" {
            table class="glance" {
                thead { tr {
                    th { (say!(text, "head.cluster")) }
                    @if pictures { th { (say!(text, "glance.average")) } }
                    th { (say!(text, "glance.share", whole = shares.whole(text))) } th class="figure" { (say!(text, "head.rows")) }
                    th { (most) }
                } }
                tbody {
                    @for (node, leaf) in tree.leaves().zip(&shown.draft.leaves) {
                        @let fill = hex(if node.level() == 1 { colour::NOISE } else { colour::cluster(number(node)) });
                        tr {
                            td { a href=(format!("#cluster-{}", node.path())) { (chip(node)) } }
                            @if pictures { td { @if let Some(picture) = leaf.average().filter(|_| leaf.full) { img class="pixels thumb" src=(picture) alt=(words!(text, "picture")); } } }
                            td {
                                span class="share" style=(bar(shares.node(node) / largest, fill)) {}
                                " " (text.percent(shares.node(node)))
                            }
                            td class="figure" { (text.count(node.rows().len())) }
                            td {
                                @if shown.called.get(node).is_some() { div class="name" { (called(shown, node)) } }
                                @if pictures { (origin(text, tree, shares, node)) } @else { (leaf.distinctive) }
                            }
                        }
                    }
                    @if noise(tree) > 0 {
                        tr {
                            td { span class="soft" { (say!(text, "glance.none")) } }
                            @if pictures { td {} }
                            td {
                                span class="share" style=(bar((shares.all_noise() / largest).min(LONGEST_BAR), hex(colour::NOISE))) {}
                                " " (text.percent(shares.all_noise()))
                            }
                            td class="figure" { (text.count(noise(tree))) }
                            td class="soft" { (say!(text, "glance.none_why")) }
                        }
                    }
                }
            }
        }
    }
}

/// The features that set a leaf apart, in a few words.
pub(super) fn distinctive(contents: &Contents<'_>, leaf: usize) -> String {
    let text = contents.text();
    if let Some(features) = &contents.features {
        let found = findings::findings(contents, features, leaf);
        return match found.is_empty() {
            true => words!(text, "distinctive.nothing"),
            false => text.listed(&findings::clearest(&found).map(|own| own.brief(text)).collect::<Vec<_>>()),
        };
    }
    let columns = contents.statistics.distinctive(leaf, 3);
    if columns.is_empty() {
        return words!(text, "distinctive.nothing");
    }
    let part = |&c: &usize| {
        let name = charts::short(&contents.names[c], NAME);
        match contents.statistics.distance(leaf, c) > 0.0 {
            true => words!(text, "distinctive.higher", name = name),
            false => words!(text, "distinctive.lower", name = name),
        }
    };
    text.list(&columns.iter().map(part).collect::<Vec<_>>())
}

/// The map of a node that was split.
fn map_card(shown: &Shown<'_>, node: &Node, maps: usize) -> Result<Markup> {
    let (tree, shares, text) = (shown.tree, shown.shares(), shown.text());
    let Some(embedding) = node.map() else {
        return Ok(html! {});
    };
    let wide = node.level() == 1;
    let name = match wide {
        true => say!(text, "all_rows"),
        false => say!(text, "map.inside", path = node.path().to_string()),
    };
    Ok(html! {
        section class="card" id=(format!("map-{}", node.path())) {
            h3 { (name) }
            @if shown.called.get(node).is_some() { p class="name" { (called(shown, node)) } }
            p class="small" {
                (fell(text, shares, node))
                @if embedding.ncols() > 2 { " " (say!(text, "map.first_two", n = Value::Digits(embedding.ncols()))) }
                @if let Some(clustered) = node.embedding().filter(|clustered| clustered.ncols() > embedding.ncols()) {
                    " " (say!(text, "map.anew", n = Value::Digits(clustered.ncols())))
                }
                @if node.split().is_some_and(|split| split.second_look().is_some()) { " " (say!(text, "map.second_look")) }
                @for note in node.notes() { " " (note) }
            }
            @if let Some(split) = node.split() { (sure::evidence(text, tree, node, split)) }
            (drawn::drawing(shown, node, embedding, width(node, maps))?)
            div class="legend" {
                @for child in tree.children(node) {
                    span {
                        a href=(format!("#{}-{}", if child.is_leaf() { "cluster" } else { "map" }, child.path())) { (chip(child)) }
                        " " (text.percent(shares.of_parent(child))) " " (called(shown, child))
                    }
                }
                @if node.noise() > 0 {
                    span { span class="chip" style=(format!("background:{};color:#14181f", hex(colour::NOISE))) { (say!(text, "glance.none")) } " " (text.percent(shares.noise_within(node))) }
                }
            }
        }
    })
}

/// How many rows a node has, and how many clusters they fell into.
fn fell(text: &Text, shares: &Shares, node: &Node) -> Markup {
    let whole = if shares.weighted { shares.whole(text) } else { words!(text, "whole.all") };
    let rest = match node.noise() {
        0 => String::new(),
        _ => words!(text, "map.rest", share = text.percent(shares.noise_within(node))),
    };
    say!(
        text,
        "map.split",
        rows = words!(text, "rows", n = node.rows().len()),
        share = text.percent(shares.node(node)),
        whole = whole,
        n = Value::Digits(node.children()),
        rest = rest
    )
}
