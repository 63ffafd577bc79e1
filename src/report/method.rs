//! How the report was made: settings, and every term explained.

use super::Contents;
use super::words::{count, things, whole};
use crate::core::Rows;
use crate::recursive::{Node, Split, Stability};
use maud::{Markup, html};

pub(super) fn settings(contents: &Contents<'_>) -> Markup {
    let tree = contents.report.tree;
    html! {
        div class="panel" {
            p { "All rows were drawn as a map on which rows that are alike lie close together (" (tree.embedder()) "). Dense places on the map became clusters (" (tree.clusterer()) "). Then each cluster was looked at alone: from its original rows a new map was drawn, and the search repeated." }
            dl {
                dt { "Map" } dd { (tree.embedder()) }
                dt { "Clusters" } dd { (tree.clusterer()) }
                @for (name, value) in &contents.report.settings { dt { (name) } dd { (value) } }
                @if let Some(runs) = consensus(contents) { dt { "Consensus" } dd { (runs) } }
                @if let Some(runs) = stability(contents) { dt { "Stability" } dd { (runs) } }
                dt { "Seed" } dd { (tree.seed()) " (the number that all random choices follow from)" }
                dt { "Version" } dd { "recluster " (env!("CARGO_PKG_VERSION")) }
                @if let Some((rows, _)) = &contents.report.explained {
                    dt { "Explained" } dd { (explained(rows.len(), &contents.rows)) }
                }
            }
        }
    }
}

/// Runs that the clusters are the consensus of, and of how many searches: those of many rows may be single runs.
fn consensus(contents: &Contents<'_>) -> Option<String> {
    let splits: Vec<&Split> = contents.report.tree.nodes().iter().filter_map(Node::split).collect();
    let repeated: Vec<usize> = splits.iter().filter_map(|split| split.runs()).collect();
    let runs = things(repeated.iter().copied().max()?, "run", "runs");
    Some(match repeated.len() == splits.len() {
        true => format!("of {runs} of each search"),
        false => format!("of {runs}, in {} of {} searches", repeated.len(), splits.len()),
    })
}

/// Runs that stability was measured in.
fn stability(contents: &Contents<'_>) -> Option<String> {
    let found: Vec<&Stability> = contents.report.tree.nodes().iter().filter_map(Node::stability).collect();
    let runs = things(found.iter().map(|own| own.runs).max()?, "run", "runs");
    // The least share: equal but for rounding.
    let share = found.iter().map(|own| own.share).fold(1.0, f64::min);
    Some(if share < 1.0 {
        format!("{runs}, each on {} of a node's rows", whole(share))
    } else {
        format!("{runs} under other seeds")
    })
}

/// A word of the report and what it means.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) word: String,
    pub(super) meaning: String,
}

fn entry(key: &str, word: &str, meaning: &str) -> Entry {
    Entry { key: key.to_string(), word: word.to_string(), meaning: meaning.to_string() }
}

/// The words that the page uses; [`term`](super::parts::term) refers to them by their keys.
pub(super) fn glossary(contents: &Contents<'_>) -> Vec<Entry> {
    let report = contents.report;
    let mut all = vec![entry(
        "row",
        "Row, column",
        "One thing that was measured, such as a customer or an image; one property of it.",
    )];
    if contents.features.is_some() {
        all.push(entry(
            "question",
            "Question",
            "What one or several columns answer together; it counts once, however many columns it has.",
        ));
    }
    all.push(entry(
        "cluster",
        "Cluster",
        "Rows that are more like each other than like the rest. Nobody said beforehand what the clusters should be.",
    ));
    all.push(entry("path", "Path", "A cluster's address in the tree. 0 is all rows, 0.2 a cluster found among all rows, 0.2.1 one found inside 0.2. Clusters are numbered from the largest."));
    let weighted = match contents.shares.weighted {
        true => {
            " Rows count by their weights: how many of the population each stands for. Averages and shares of levels do, too; numbers of rows do not."
        }
        false => "",
    };
    all.push(entry("share", "Share", &format!("A cluster's part of {}.{weighted}", contents.shares.whole())));
    all.push(entry("interval", "Interval", "If the rows are a sample of more, the share among all lies in the 95 % interval in 95 of 100 such samples (Wilson 1927). It says nothing of where the cluster's border lies."));
    all.push(entry(
        "none",
        "In no cluster",
        "Rows in thin or mixed places of a map. They are named as such, not forced into the nearest cluster.",
    ));
    if report.tree.nodes().iter().any(|node| node.persistence().is_some()) {
        all.push(entry(
            "persistence",
            "Persistence",
            "How firmly a cluster stands out, from 0 (just about) to 1 (at every density that was looked at).",
        ));
    }
    sureness(contents, &mut all);
    all.push(entry(
        "deviation",
        "Standard deviation",
        "How far rows usually lie from the average; about two thirds of rows lie closer than one.",
    ));
    if report.explained.is_some() {
        all.push(entry("model", "The model", "A set of decision trees, trained afterwards to tell each cluster from all other rows by the original columns alone. What it looks at tells what the cluster is about."));
        all.push(entry("shap", "SHAP value", "How much one column of one row pushed the model towards the cluster (above 0) or away from it (below 0). A row's values add up to the model's answer, in log-odds: 0 is even, +2 about 88 %, -2 about 12 %."));
    }
    all
}

/// Words that say how sure a cluster is; those that the page uses.
fn sureness(contents: &Contents<'_>, all: &mut Vec<Entry>) {
    let report = contents.report;
    if consensus(contents).is_some() {
        all.push(entry("consensus", "Consensus", "Each search was repeated under other seeds. Rows that most runs put together are a cluster; what one run alone found is not."));
    }
    if stability(contents).is_some() {
        all.push(entry("stability", "Stability", "How well a cluster is found again when the search is repeated: of the rows that the cluster or its likeness in a run has, the share that both have (Jaccard index), averaged over the runs. Found again: above 0.5. In words, after Hennig (2007): from 0.85 highly stable; from 0.75 stable; from 0.6 a pattern, of which it is doubtful which rows belong to it; above 0.5 doubtful; else dissolved, gone in most runs. Stable does not mean separate: half of one cloud can be found again every time."));
    }
    if report.tree.nodes().iter().filter_map(Node::split).any(|split| split.judge().is_some()) {
        all.push(entry("evidence", "Evidence", "A cluster was searched for again on rows that were held out, and compared with the sibling it is least separated from. Separated: the boundary between them is emptier than chance makes it inside one cloud. Continuum: found again, but a cut through one cloud; perhaps useful, not natural. Not found again: other rows give other clusters. p is the probability of so clear a boundary inside one cloud."));
    }
    if report.rules.is_some() {
        all.push(entry("rule", "Rule", "Conditions that most rows of a cluster meet and few others do. Its precision is the share of the rows that fit it that are in the cluster, its recall the share of the cluster that fits it; both are of a third of the rows, which were held out when rules were looked for. How often it came back in resamples: how often a search on half of the other rows gives the rule again."));
    }
}

/// All entries as a list.
pub(super) fn words(glossary: &[Entry]) -> Markup {
    html! { dl { @for Entry { word, meaning, .. } in glossary { dt { (word) } dd { (meaning) } } } }
}

/// All entries as what a button opens.
pub(super) fn popovers(glossary: &[Entry]) -> Markup {
    html! {
        div class="terms" {
            @for Entry { key, word, meaning } in glossary {
                div popover id=(format!("term-{key}")) { p { b { (word) } } p { (meaning) } }
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
