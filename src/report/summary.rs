//! The first page: what was found and how sure it is, in five lines, and the tiles.

use super::draft::Shown;
use super::parts::{called, chip};
use super::sure;
use super::text::{Text, Value, say, words};
use crate::recursive::{Grade, Node, Stability, StabilityGrade};
use maud::{Markup, html};

/// Clusters that are named.
const LARGEST: usize = 3;

/// Five lines; of a root that stayed whole, one.
pub(super) fn five_lines(shown: &Shown<'_>) -> Markup {
    let (tree, text) = (shown.tree, shown.text());
    let rows = words!(text, "rows", n = tree.rows());
    if tree.root().is_leaf() {
        return html! { p class="lead" { (say!(text, "summary.whole", rows = rows)) } };
    }
    let leaves: Vec<&Node> = tree.leaves().collect();
    let levels = match tree.levels() {
        1 => String::new(),
        levels => words!(text, "summary.levels", n = Value::Digits(levels)),
    };
    let clusters = words!(text, "clusters", n = leaves.len());
    html! {
        dl class="five panel" {
            dt { (say!(text, "summary.found")) }
            dd { (say!(text, "summary.sorted", rows = rows, clusters = clusters, levels = levels)) }
            dt { (say!(text, "summary.coverage")) } dd { (coverage(shown)) }
            dt { (say!(text, "summary.stable")) } dd { (stable(text, &leaves)) }
            dt { (say!(text, "summary.separate")) } dd { (separate(shown, &leaves)) }
            dt { (say!(text, "summary.largest")) } dd { (largest(shown, leaves)) }
        }
    }
}

fn coverage(shown: &Shown<'_>) -> String {
    let (tree, text) = (shown.tree, shown.text());
    let by_weight = shown.shares().weighted && tree.root().weight().is_some();
    let of = if by_weight { words!(text, "whole.population") } else { words!(text, "whole.the_rows") };
    let rest = match shown.shares().all_noise() > 0.0 {
        true => words!(text, "coverage.left_out"),
        false => words!(text, "coverage.all"),
    };
    let all = tree.coverage();
    let share = |share: f64, weight: Option<f64>| text.percent(weight.filter(|_| by_weight).unwrap_or(share));
    let levels: Vec<(usize, String)> =
        all.iter().skip(1).map(|at| (at.level - 1, share(at.share, at.weight))).collect();
    if let [(_, one)] = &levels[..] {
        return words!(text, "coverage.one", share = one, of = of, rest = rest);
    }
    let parts: Vec<String> = levels
        .into_iter()
        .map(|(level, share)| words!(text, "coverage.level", share = share, ordinal = ordinal(text, level)))
        .collect();
    words!(text, "coverage.levels", of = of, parts = text.list(&parts), rest = rest)
}

fn ordinal(text: &Text, number: usize) -> String {
    match number {
        1 => words!(text, "ordinal.first"),
        2 => words!(text, "ordinal.second"),
        3 => words!(text, "ordinal.third"),
        n => words!(text, "ordinal.other", n = Value::Digits(n)),
    }
}

fn stable(text: &Text, leaves: &[&Node]) -> String {
    let found: Vec<&Stability> = leaves.iter().filter_map(|leaf| leaf.stability()).collect();
    let (Some(least), Some(most)) = (found.iter().map(|s| s.runs).min(), found.iter().map(|s| s.runs).max()) else {
        return words!(text, "stable.not_measured");
    };
    let of = |grade: StabilityGrade| found.iter().filter(|own| own.grade() == grade).count();
    let good = of(StabilityGrade::HighlyStable) + of(StabilityGrade::Stable);
    let runs = match least == most {
        true => text.count(most),
        false => words!(text, "stable.range", least = Value::Digits(least), most = Value::Digits(most)),
    };
    let others: Vec<String> = [StabilityGrade::Pattern, StabilityGrade::Doubtful, StabilityGrade::Dissolved]
        .into_iter()
        .filter(|&grade| of(grade) > 0)
        .map(|grade| words!(text, "stable.grade", n = Value::Digits(of(grade)), grade = sure::grade(text, grade)))
        .collect();
    let others = match others.is_empty() {
        true => String::new(),
        false => format!("{}{}", words!(text, "list.apart"), text.list(&others)),
    };
    let clusters = words!(text, "clusters", n = found.len());
    let all = match leaves.len() - found.len() {
        0 => clusters,
        _ => words!(text, "stable.again", clusters = clusters),
    };
    words!(text, "stable.line", n = Value::Digits(good), all = all, runs = runs, others = others)
}

fn separate(shown: &Shown<'_>, leaves: &[&Node]) -> String {
    let text = shown.text();
    let found: Vec<Grade> =
        leaves.iter().filter_map(|leaf| shown.tree.least_separated(leaf)).map(|(_, own)| own.grade).collect();
    if found.is_empty() {
        return words!(text, "separate.not_tested");
    }
    if found.iter().all(|&own| own == Grade::Separated) && found.len() == leaves.len() {
        return words!(text, "separate.all", n = Value::Digits(leaves.len()));
    }
    let parts: Vec<String> = [Grade::Separated, Grade::Continuum, Grade::Undecided, Grade::NotFoundAgain]
        .into_iter()
        .map(|grade| (grade, found.iter().filter(|&&own| own == grade).count()))
        .filter(|&(_, number)| number > 0)
        .map(|(grade, number)| match grade {
            Grade::Separated => words!(text, "separate.separated", n = Value::Digits(number)),
            Grade::Continuum => words!(text, "separate.continuum", n = Value::Digits(number)),
            Grade::Undecided => words!(text, "separate.undecided", n = Value::Digits(number)),
            Grade::NotFoundAgain => words!(text, "separate.not_found_again", n = Value::Digits(number)),
        })
        .collect();
    let untested = match leaves.len() - found.len() {
        0 => String::new(),
        untested => words!(text, "separate.untested", n = Value::Digits(untested)),
    };
    let clusters = words!(text, "clusters", n = leaves.len());
    words!(text, "separate.line", clusters = clusters, parts = text.list(&parts), untested = untested)
}

fn largest(shown: &Shown<'_>, leaves: Vec<&Node>) -> Markup {
    let text = shown.text();
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
                    b { (text.whole(shown.shares().node(leaf))) } " "
                    @if let Some(picture) = shown.leaf(number).average() { img class="pixels thumb" style="display:inline-block" src=(picture) alt=(words!(text, "picture")); " " }
                    (called(shown, leaf))
                }
            }
        }
    }
}

pub(super) fn tiles(shown: &Shown<'_>) -> Markup {
    let (tree, text) = (shown.tree, shown.text());
    let wide = shown.draft.questions.unwrap_or(tree.columns());
    let columns = match shown.draft.questions {
        Some(questions) => say!(text, "tile.questions", n = questions),
        None => say!(text, "tile.columns", n = wide),
    };
    let levels = tree.levels();
    let clusters = if levels == 0 { 0 } else { tree.leaves().count() };
    let noise = match shown.shares().weighted {
        true => say!(text, "tile.noise_population"),
        false => say!(text, "tile.noise"),
    };
    let tile = |figure: String, words: Markup| html! { div class="tile" { b { (figure) } span { (words) } } };
    html! {
        div class="tiles" {
            (tile(text.count(tree.rows()), say!(text, "tile.rows", n = tree.rows())))
            (tile(text.count(wide), columns))
            (tile(text.count(clusters), say!(text, "tile.clusters", n = clusters)))
            (tile(text.percent(shown.shares().all_noise()), noise))
            (tile(levels.to_string(), say!(text, "tile.levels", n = levels)))
        }
    }
}
