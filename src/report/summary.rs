//! The first page: what was found and how sure it is, in five lines, and the tiles.

use super::draft::Shown;
use super::parts::{called, chip};
use super::sure;
use super::words::{count, list, percent, things, whole};
use crate::recursive::{Grade, Node, Stability, StabilityGrade};
use maud::{Markup, html};

/// Clusters that are named.
const LARGEST: usize = 3;

/// Five lines; of a root that stayed whole, one.
pub(super) fn five_lines(shown: &Shown<'_>) -> Markup {
    let tree = shown.tree;
    let rows = things(tree.rows(), "row", "rows");
    if tree.root().is_leaf() {
        return html! {
            p class="lead" { (rows) " were searched for groups of rows that are alike; they stayed one group." }
        };
    }
    let leaves: Vec<&Node> = tree.leaves().collect();
    let levels = if tree.levels() == 1 { String::new() } else { format!(" on {} levels", tree.levels()) };
    html! {
        dl class="five panel" {
            dt { "What was found" }
            dd { (rows) " sorted into " (things(leaves.len(), "cluster", "clusters")) " of rows that are alike" (levels) "." }
            dt { "How much is in it" } dd { (coverage(shown)) }
            dt { "How stable" } dd { (stable(&leaves)) }
            dt { "How separate" } dd { (separate(shown, &leaves)) }
            dt { "The largest" } dd { (largest(shown, leaves)) }
        }
    }
}

fn coverage(shown: &Shown<'_>) -> String {
    let tree = shown.tree;
    let by_weight = shown.shares().weighted && tree.root().weight().is_some();
    let of = if by_weight { "the population" } else { "the rows" };
    let levels: Vec<String> = tree
        .coverage()
        .iter()
        .skip(1)
        .map(|at| {
            let share = at.weight.filter(|_| by_weight).unwrap_or(at.share);
            format!("{} on the {} level", percent(share), ordinal(at.level - 1))
        })
        .collect();
    let rest = match shown.shares().all_noise() > 0.0 {
        true => "the others fit none and are left out rather than forced in",
        false => "no row was left out",
    };
    match &levels[..] {
        [one] => format!("{} of {of} are in a cluster; {rest}.", one.split(" on the").next().unwrap_or(one)),
        all => format!("Of {of} {} are in a cluster; {rest}.", list(all)),
    }
}

fn ordinal(number: usize) -> String {
    match number {
        1 => "first".to_string(),
        2 => "second".to_string(),
        3 => "third".to_string(),
        n => format!("{n}th"),
    }
}

fn stable(leaves: &[&Node]) -> String {
    let found: Vec<&Stability> = leaves.iter().filter_map(|leaf| leaf.stability()).collect();
    let (Some(least), Some(most)) = (found.iter().map(|s| s.runs).min(), found.iter().map(|s| s.runs).max()) else {
        return "Not measured: recluster fit --stability 10 repeats the search.".to_string();
    };
    let of = |grade: StabilityGrade| found.iter().filter(|own| own.grade() == grade).count();
    let good = of(StabilityGrade::HighlyStable) + of(StabilityGrade::Stable);
    let runs = if least == most { count(most) } else { format!("{least} to {most}") };
    let others: Vec<String> = [StabilityGrade::Pattern, StabilityGrade::Doubtful, StabilityGrade::Dissolved]
        .into_iter()
        .filter(|&grade| of(grade) > 0)
        .map(|grade| format!("{} {} {grade}", of(grade), if of(grade) == 1 { "is" } else { "are" }))
        .collect();
    let others = if others.is_empty() { String::new() } else { format!("; {}", list(&others)) };
    let are = if good == 1 { "is" } else { "are" };
    let all = match leaves.len() - found.len() {
        0 => things(found.len(), "cluster", "clusters"),
        _ => format!("{} that were looked for again", things(found.len(), "cluster", "clusters")),
    };
    format!("{good} of {all} {are} stable or highly stable, found again in {runs} runs{others}.")
}

fn separate(shown: &Shown<'_>, leaves: &[&Node]) -> String {
    let found: Vec<Grade> =
        leaves.iter().filter_map(|leaf| sure::verdict(shown.tree, leaf)).map(|(_, own)| own.grade).collect();
    if found.is_empty() {
        return "Not tested: recluster fit --evidence mark tests it on held-out rows.".to_string();
    }
    let say = |grade: Grade, one: &str, several: &str| {
        let number = found.iter().filter(|&&own| own == grade).count();
        (number > 0).then(|| format!("{number} {}", if number == 1 { one } else { several }))
    };
    let parts: Vec<String> = [
        say(Grade::Separated, "is separated from all its siblings", "are separated from all their siblings"),
        say(Grade::Continuum, "runs over into a sibling (continuum)", "run over into a sibling (continuum)"),
        say(Grade::NotFoundAgain, "was not found again on other rows", "were not found again on other rows"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let untested = leaves.len() - found.len();
    let untested = if untested > 0 { format!("; {untested} without a test") } else { String::new() };
    match found.iter().all(|&own| own == Grade::Separated) && found.len() == leaves.len() {
        true => format!("All {} clusters are separated from all their siblings.", leaves.len()),
        false => format!("Of {} {}{untested}.", things(leaves.len(), "cluster", "clusters"), list(&parts)),
    }
}

fn largest(shown: &Shown<'_>, leaves: Vec<&Node>) -> Markup {
    let mut leaves: Vec<(usize, &Node)> = leaves.into_iter().enumerate().collect();
    // Stable: of equal shares the first in the tree.
    leaves.sort_by(|a, b| shown.shares().node(b.1).total_cmp(&shown.shares().node(a.1)));
    leaves.truncate(LARGEST);
    let named = leaves.iter().any(|(_, node)| shown.called.get(node).is_some());
    html! {
        ul class=(if named { "largest" } else { "largest row" }) {
            @for (number, leaf) in leaves {
                li {
                    a href=(format!("#cluster-{}", leaf.path())) { (chip(leaf)) } " "
                    b { (whole(shown.shares().node(leaf))) } " "
                    @if let Some(picture) = shown.leaf(number).average() { img class="pixels thumb" style="display:inline-block" src=(picture) alt="average image"; " " }
                    (called(shown, leaf))
                }
            }
        }
    }
}

pub(super) fn tiles(shown: &Shown<'_>) -> Markup {
    let tree = shown.tree;
    let (wide, one, several) = match shown.draft.questions {
        Some(questions) => (questions, "question", "questions"),
        None => (tree.columns(), "column", "columns"),
    };
    let noise = shown.shares().all_noise();
    let levels = tree.levels();
    html! {
        div class="tiles" {
            div class="tile" { b { (count(tree.rows())) } span { "rows" } }
            div class="tile" { b { (count(wide)) } span { (if wide == 1 { one } else { several }) } }
            div class="tile" { b { (count(if levels == 0 { 0 } else { tree.leaves().count() })) } span { "final clusters" } }
            div class="tile" { b { (percent(noise)) } span { (if shown.shares().weighted { "of the population in no cluster" } else { "of rows in no cluster" }) } }
            div class="tile" { b { (levels) } span { (if levels == 1 { "level of clusters" } else { "levels of clusters" }) } }
        }
    }
}
