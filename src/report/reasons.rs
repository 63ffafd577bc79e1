//! What the model goes by, a line for each question of a table, in its words.

use super::cards::{belongs, chosen, lines};
use super::charts::{Beeswarm, Swarm};
use super::features::{Column, Features, Reading, Tally};
use super::pushes::Pushes;
use super::words::{count, percent, things, whole};
use super::{Contents, Explanation, Result};
use crate::explain::top_features;
use maud::{Markup, html};

/// Questions that are put into words.
const SAID: usize = 4;

/// The attributions of one question to a leaf.
struct Effect {
    question: usize,
    /// Its columns, the most important first.
    columns: Vec<usize>,
    /// The sum over its columns for each explained row, in canonical order.
    pushes: Vec<f64>,
    mean_absolute: f64,
}

/// What tells a leaf from other rows: in words, then as a chart.
pub(super) fn reasons(
    contents: &Contents<'_>,
    features: &Features,
    leaf: usize,
    rows: &[u32],
    explanation: &Explanation,
) -> Result<Markup> {
    let of_columns = top_features(&contents.explained_rows, explanation, leaf, usize::MAX)?;
    let mut importance = vec![0.0; features.columns.len()];
    let mut direction = importance.clone();
    for effect in &of_columns {
        (importance[effect.feature], direction[effect.feature]) = (effect.mean_absolute, effect.direction);
    }
    let mut effects: Vec<Effect> = (0..features.questions.len())
        .map(|question| effect(contents, features, leaf, explanation, question, &importance))
        .filter(|effect| effect.mean_absolute > 0.0)
        .collect();
    effects.sort_by(|a, b| b.mean_absolute.total_cmp(&a.mean_absolute).then(a.question.cmp(&b.question)));
    let all: f64 = effects.iter().map(|effect| effect.mean_absolute).sum();
    effects.truncate(lines(contents));
    if effects.is_empty() {
        return Ok(html! { p { "The model finds no question that tells this cluster from other rows." } });
    }
    let pushes = |column: usize| {
        let pair = |&i: &usize| {
            let value = f64::from(contents.rows.row(rows[i] as usize)[column]);
            (value, explanation.values()[[i, column, leaf]])
        };
        Pushes::of(&features.columns[column], contents.explained.iter().map(pair).collect())
    };
    let dots = chosen(contents, leaf, rows);
    let own = dots.iter().filter(|&&i| belongs(contents, leaf, rows, i)).count();
    let swarms = effects.iter().map(|effect| {
        let place = effect.columns.first().map(|&column| pushes(column).places()).unwrap_or_default();
        Swarm::new(&features.questions[effect.question], dots.iter().map(|&i| (effect.pushes[i], place[i])))
    });
    let said = effects.iter().take(SAID).map(|effect| {
        let first = effect.columns.first().map_or(0.0, |&column| importance[column]);
        let weighty = effect.columns.iter().take(2).filter(|&&column| importance[column] >= first / 3.0);
        let sentences: Vec<String> = weighty
            .enumerate()
            .map(|(i, &column)| {
                let sentence = said(contents, features, leaf, column, &pushes(column), direction[column]);
                match (i, features.part(column)) {
                    (0, None) => sentence,
                    (0, Some(part)) => format!(": {part}{sentence}"),
                    (_, part) => format!("{}{sentence}", part.unwrap_or(features.columns[column].name())),
                }
            })
            .collect();
        (&features.questions[effect.question], sentences.join("; "), effect.mean_absolute / all)
    });
    let leading = |effect: &Effect| effect.columns.first().map(|&column| &features.columns[column]);
    let reads = |wanted: fn(&Column) -> bool| effects.iter().filter_map(leading).any(wanted);
    Ok(html! {
        h4 { "What tells it from other rows" }
        ul {
            @for (name, words, part) in said {
                li { b { (name) } (words) "; " (percent(part)) " of all attributions." }
            }
        }
        div class="scroll" { (Beeswarm::new(swarms).draw().inline()) }
        p class="small" {
            "A model was trained to tell this cluster from all other rows. Each line is a question, the most important one first; each dot is a row, "
            (things(own, "row", "rows")) " of this cluster and " (count(dots.len() - own)) " others. A dot further to the right means that the answer made the model surer that the row belongs here."
            @if reads(|column| column.reading != Reading::Words) {
                " Orange dots have high values, blue ones low values."
            }
            @if reads(|column| column.reading == Reading::Words) {
                " For columns of words, orange dots are the levels that speak for the cluster, blue ones those that speak against it."
            }
            " Grey dots have no value."
            @if effects.iter().any(|effect| effect.columns.len() > 1) {
                " Where a question has several columns, their pushes are added, and the colour is that of the most important one."
            }
        }
    })
}

/// The attributions of a question's columns, added up.
fn effect(
    contents: &Contents<'_>,
    features: &Features,
    leaf: usize,
    explanation: &Explanation,
    question: usize,
    importance: &[f64],
) -> Effect {
    let mut columns: Vec<usize> =
        (0..features.columns.len()).filter(|&c| features.columns[c].question == question).collect();
    let sum = |&i: &usize| columns.iter().map(|&c| explanation.values()[[i, c, leaf]]).sum();
    let pushes: Vec<f64> = contents.explained.iter().map(sum).collect();
    let absolute: f64 = pushes.iter().copied().map(f64::abs).sum();
    columns.sort_by(|&a, &b| importance[b].total_cmp(&importance[a]).then(a.cmp(&b)));
    Effect { question, columns, mean_absolute: absolute / pushes.len().max(1) as f64, pushes }
}

/// What of a column speaks for the leaf, to stand behind its name.
fn said(
    contents: &Contents<'_>,
    features: &Features,
    leaf: usize,
    c: usize,
    pushes: &Pushes<'_>,
    direction: f64,
) -> String {
    let (column, found) = (&features.columns[c], &contents.statistics);
    let (speak, missing) = (pushes.speak(), pushes.missing_speak());
    let share = |of: &[Tally]| match speak.spans() {
        _ if missing && speak.is_against() => of[c].missing(),
        spans => spans.iter().map(|&(first, last)| of[c].share(first, last)).sum(),
    };
    let figures = match column.reading {
        Reading::Number | Reading::Date => {
            let words = |mean: f64| column.words(mean, found.deviation[c]);
            format!(" (average here {}, over all rows {})", words(found.leaf_mean[leaf][c]), words(found.mean[c]))
        }
        _ if speak.spans().is_empty() => String::new(),
        _ => format!(" ({} here, {} of all rows)", whole(share(&features.leaves[leaf])), whole(share(&features.all))),
    };
    format!("{}{figures}", speak.sentence(column, missing, found.deviation[c], direction))
}
