//! What the model goes by, a line for each question of a table, in its words.

use super::cards::{belongs, chosen, lines};
use super::charts::{Beeswarm, Swarm};
use super::features::{Column, Features, Reading, Tally};
use super::pushes::Pushes;
use super::text::{say, words};
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
    let text = contents.text();
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
        return Ok(html! { p { (say!(text, "model.nothing_of_table")) } });
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
    let others = dots.len() - own;
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
                    (0, Some(part)) => words!(text, "model.part", part = part, sentence = sentence),
                    (_, part) => {
                        let part = part.unwrap_or(features.columns[column].name());
                        words!(text, "model.next_part", part = part, sentence = sentence)
                    }
                }
            })
            .collect();
        let (name, share) = (&features.questions[effect.question], text.percent(effect.mean_absolute / all));
        say!(text, "model.line_of_table", name = name, words = text.listed(&sentences), share = share)
    });
    let own = words!(text, "rows", n = own);
    let leading = |effect: &Effect| effect.columns.first().map(|&column| &features.columns[column]);
    let reads = |wanted: fn(&Column) -> bool| effects.iter().filter_map(leading).any(wanted);
    Ok(html! {
        h4 { (say!(text, "model.title")) }
        ul { @for line in said { li { (line) } } }
        div class="scroll" { (Beeswarm::new(swarms).draw_in(text).inline()) }
        p class="small" {
            (say!(text, "model.swarm_of_table", own = own, n = others))
            @if reads(|column| column.reading != Reading::Words) {
                " " (say!(text, "model.colours"))
            }
            @if reads(|column| column.reading == Reading::Words) {
                " " (say!(text, "model.colours_of_words"))
            }
            " " (say!(text, "model.grey"))
            @if effects.iter().any(|effect| effect.columns.len() > 1) {
                " " (say!(text, "model.added"))
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
    let (column, found, text) = (&features.columns[c], &contents.statistics, contents.text());
    let (speak, missing) = (pushes.speak(), pushes.missing_speak());
    let share = |of: &[Tally]| match speak.spans() {
        _ if missing && speak.is_against() => of[c].missing(),
        spans => spans.iter().map(|&(first, last)| of[c].share(first, last)).sum(),
    };
    let figures = match column.reading {
        Reading::Number | Reading::Date => {
            let words = |mean: f64| column.words(text, mean, found.deviation[c]);
            let (here, all) = (words(found.leaf_mean[leaf][c]), words(found.mean[c]));
            words!(text, "model.averages", here = here, all = all)
        }
        _ if speak.spans().is_empty() => String::new(),
        _ => {
            let (here, all) = (text.whole(share(&features.leaves[leaf])), text.whole(share(&features.all)));
            words!(text, "model.shares", here = here, all = all)
        }
    };
    format!("{}{figures}", speak.sentence(text, column, missing, found.deviation[c], direction))
}
