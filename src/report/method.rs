//! How the report was made: settings, and every term explained.

use super::Contents;
use super::shares::Shares;
use super::text::{Text, Value, say, words};
use crate::core::{Rows, Settings};
use crate::recursive::{Node, Split, Stability};
use maud::{Markup, html};

pub(super) fn settings(contents: &Contents<'_>) -> Markup {
    let (tree, text) = (contents.report.tree, contents.text());
    html! {
        div class="panel" {
            p { (say!(text, "made.how", embedder = tree.embedder(), clusterer = tree.clusterer())) }
            dl {
                dt { (say!(text, "made.map")) } dd { (tree.embedder()) }
                dt { (say!(text, "made.clusters")) } dd { (tree.clusterer()) }
                @for (name, value) in &contents.report.settings { dt { (name) } dd { (value) } }
                @if let Some(runs) = consensus(contents) { dt { (say!(text, "made.consensus")) } dd { (runs) } }
                @if let Some(found) = second_look(contents) { dt { (say!(text, "made.second_look")) } dd { (found) } }
                @if let Some(runs) = stability(contents) { dt { (say!(text, "made.stability")) } dd { (runs) } }
                dt { (say!(text, "made.seed")) } dd { (say!(text, "made.seed_is", number = tree.seed().to_string())) }
                dt { (say!(text, "made.version")) } dd { "recluster " (env!("CARGO_PKG_VERSION")) }
                @if let Some((rows, _)) = &contents.report.explained {
                    dt { (say!(text, "made.explained")) } dd { (explained(text, rows.len(), &contents.rows)) }
                }
            }
        }
    }
}

/// Runs that the clusters are the consensus of, and of how many searches: those of many rows may be single runs. A second look
/// has runs of its own.
fn consensus(contents: &Contents<'_>) -> Option<String> {
    let splits = contents.report.tree.nodes().iter().filter_map(Node::split);
    let splits: Vec<&Split> = splits.filter(|split| split.second_look().is_none()).collect();
    let repeated: Vec<usize> = splits.iter().filter_map(|split| split.runs()).collect();
    let text = contents.text();
    let runs = words!(text, "runs", n = repeated.iter().copied().max()?);
    Some(match repeated.len() == splits.len() {
        true => words!(text, "made.consensus_of_all", runs = runs),
        false => words!(
            text,
            "made.consensus_of_some",
            runs = runs,
            some = Value::Digits(repeated.len()),
            n = Value::Digits(splits.len())
        ),
    })
}

/// How many clusters a second look divided, and by what.
fn second_look(contents: &Contents<'_>) -> Option<String> {
    let looks = contents.report.tree.nodes().iter().filter_map(Node::split).filter_map(Split::second_look);
    let looks: Vec<&Settings> = looks.collect();
    let clusterer = looks.first()?.method().to_string();
    Some(words!(contents.text(), "made.second_look_divided", n = Value::Digits(looks.len()), clusterer = clusterer))
}

/// Runs that stability was measured in.
fn stability(contents: &Contents<'_>) -> Option<String> {
    let found: Vec<&Stability> = contents.report.tree.nodes().iter().filter_map(Node::stability).collect();
    let text = contents.text();
    let runs = words!(text, "runs", n = found.iter().map(|own| own.runs).max()?);
    // The least share: equal but for rounding.
    let share = found.iter().map(|own| own.share).fold(1.0, f64::min);
    Some(match share < 1.0 {
        true => words!(text, "made.stability_of_part", runs = runs, share = text.whole(share)),
        false => words!(text, "made.stability_of_seeds", runs = runs),
    })
}

/// A word of the report that the glossary explains; the buttons that open it refer to it by its key.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub(super) enum Term {
    Row,
    Question,
    Cluster,
    Path,
    Share,
    Interval,
    None,
    Persistence,
    Consensus,
    Stability,
    Evidence,
    Rule,
    Deviation,
    Model,
    Shap,
}

impl Term {
    /// Key, word and meaning.
    fn entry(self, text: &Text, shares: &Shares) -> (&'static str, String, String) {
        let share = || {
            let weighted = if shares.weighted { words!(text, "meaning.weighted") } else { String::new() };
            words!(text, "meaning.share", whole = shares.whole(text), weighted = weighted)
        };
        match self {
            Term::Row => ("row", words!(text, "term.row"), words!(text, "meaning.row")),
            Term::Question => ("question", words!(text, "term.question"), words!(text, "meaning.question")),
            Term::Cluster => ("cluster", words!(text, "term.cluster"), words!(text, "meaning.cluster")),
            Term::Path => ("path", words!(text, "term.path"), words!(text, "meaning.path")),
            Term::Share => ("share", words!(text, "term.share"), share()),
            Term::Interval => ("interval", words!(text, "term.interval"), words!(text, "meaning.interval")),
            Term::None => ("none", words!(text, "term.none"), words!(text, "meaning.none")),
            Term::Persistence => ("persistence", words!(text, "term.persistence"), words!(text, "meaning.persistence")),
            Term::Consensus => ("consensus", words!(text, "term.consensus"), words!(text, "meaning.consensus")),
            Term::Stability => ("stability", words!(text, "term.stability"), words!(text, "meaning.stability")),
            Term::Evidence => ("evidence", words!(text, "term.evidence"), words!(text, "meaning.evidence")),
            Term::Rule => ("rule", words!(text, "term.rule"), words!(text, "meaning.rule")),
            Term::Deviation => ("deviation", words!(text, "term.deviation"), words!(text, "meaning.deviation")),
            Term::Model => ("model", words!(text, "term.model"), words!(text, "meaning.model")),
            Term::Shap => ("shap", words!(text, "term.shap"), words!(text, "meaning.shap")),
        }
    }
}

/// The words that the page uses, in the order of the glossary.
pub(super) fn glossary(contents: &Contents<'_>) -> Vec<Term> {
    let report = contents.report;
    let nodes = report.tree.nodes();
    let judged = nodes.iter().filter_map(Node::split).any(|split| split.judge().is_some());
    let explained = report.explained.is_some();
    [
        (Term::Row, true),
        (Term::Question, contents.features.is_some()),
        (Term::Cluster, true),
        (Term::Path, true),
        (Term::Share, true),
        (Term::Interval, true),
        (Term::None, true),
        (Term::Persistence, nodes.iter().any(|node| node.persistence().is_some())),
        (Term::Consensus, consensus(contents).is_some()),
        (Term::Stability, stability(contents).is_some()),
        (Term::Evidence, judged),
        (Term::Rule, report.rules.is_some()),
        (Term::Deviation, true),
        (Term::Model, explained),
        (Term::Shap, explained),
    ]
    .into_iter()
    .filter_map(|(term, used)| used.then_some(term))
    .collect()
}

/// All entries as a list.
pub(super) fn words(text: &Text, shares: &Shares, glossary: &[Term]) -> Markup {
    html! { dl { @for (_, word, meaning) in glossary.iter().map(|term| term.entry(text, shares)) { dt { (word) } dd { (meaning) } } } }
}

/// All entries as what a button opens.
pub(super) fn popovers(text: &Text, shares: &Shares, glossary: &[Term]) -> Markup {
    html! {
        div class="terms" {
            @for (key, word, meaning) in glossary.iter().map(|term| term.entry(text, shares)) {
                div popover id=(format!("term-{key}")) { p { b { (word) } } p { (meaning) } }
            }
        }
    }
}

fn explained(text: &Text, explained: usize, rows: &Rows<'_>) -> String {
    match explained == rows.len() {
        true => words!(text, "made.all_rows", rows = words!(text, "rows", n = explained)),
        false => {
            words!(text, "made.sample", n = explained, rows = words!(text, "rows", n = rows.len()))
        }
    }
}
