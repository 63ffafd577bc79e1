//! One card for each cluster.

use super::charts::{Bar, Bars, Beeswarm, Swarm};
use super::colour;
use super::draft::Shown;
use super::interval::Share;
use super::parts::{called, chip, origin, term};
use super::raster::Picture;
use super::statistics::{places, typical};
use super::words::{count, list, percent, things, value};
use super::{Contents, Explanation, Result, answers, findings, outside_tables, reasons};
use crate::explain::top_features;
use crate::recursive::Node;
use maud::{Markup, PreEscaped, html};

/// Cards that have all that a card can have: those of the largest clusters. The others have words and bars, so that the page
/// stays within its size.
pub(super) const FULL: usize = 150;

/// Lines of a chart.
pub(super) fn lines(contents: &Contents<'_>) -> usize {
    if contents.full.len() <= FULL { 9 } else { 6 }
}

/// Dots on a line of the summary of attributions: about 1.5 MB of them on the page.
fn dots(contents: &Contents<'_>) -> usize {
    (1_500_000 / (15 * lines(contents) * contents.full.len().clamp(1, FULL))).min(400)
}

/// The card of leaf number `number`, which is `node`.
pub(super) fn card(shown: &Shown<'_>, number: usize, node: &Node) -> Markup {
    let (tree, shares) = (shown.tree, shown.shares());
    let title = if node.level() == 1 { "All rows".to_string() } else { format!("Cluster {}", node.path()) };
    html! {
        article class="card" id=(format!("cluster-{}", node.path())) {
            div class="head" {
                (chip(node))
                h3 {
                    (title)
                    @if shown.called.get(node).is_some() { ": " (called(shown, node)) }
                }
                span class="big" { (percent(shares.node(node))) }
            }
            p {
                (things(node.rows().len(), "row", "rows")) " of " (count(tree.rows()))
                @if let Some(interval) = interval(shown, node).filter(|_| node.level() > 1) { " (95\u{a0}% " (term("interval", "interval")) " " (interval) ")" }
                @if node.level() > 1 { ", found in " (origin(tree, shares, node)) }
                @if node.found_in_noise() { ", among the rows that its clusters had left out" }
                ". "
                @if let Some(persistence) = node.persistence() {
                    (term("persistence", "Persistence")) " " (format!("{persistence:.2}")) " of 1 (how firmly it stands out). "
                }
                @if let Some(reason) = node.stop_reason() { "Not looked into further: " (reason) "." }
            }
            (PreEscaped(&shown.leaf(number).card))
        }
    }
}

/// A leaf's share with its interval, where rows have no weights.
fn interval(shown: &Shown<'_>, node: &Node) -> Option<String> {
    let rows = |n: usize| u32::try_from(n).ok();
    let share = Share { count: rows(node.rows().len())?, of: rows(shown.tree.rows())?, all: 0.0 };
    let (low, high) = share.interval();
    (!shown.shares().weighted).then(|| format!("{} to {}", percent(low), percent(high)))
}

/// The card of leaf number `leaf` below its head; `picture` is its average image.
pub(super) fn body(contents: &Contents<'_>, leaf: usize, node: &Node, picture: Option<&str>) -> Result<Markup> {
    Ok(html! {
        (answers::answers(contents, leaf, node, picture))
        @if let Some((width, height)) = contents.report.image.filter(|_| contents.full[leaf]) {
            (pictures(contents, leaf, node, width, height)?)
        } @else if contents.report.image.is_some() {
        } @else if let Some(features) = &contents.features {
            (findings::profile(contents, features, leaf))
        } @else {
            (profile(contents, leaf))
        }
        (outside_tables::line(contents, leaf))
        @if let Some((rows, explanation)) = contents.report.explained.as_ref().filter(|_| contents.full[leaf]) {
            div class="more" {
                @if let Some(features) = &contents.features {
                    (reasons::reasons(contents, features, leaf, rows, explanation)?)
                } @else {
                    (reasons(contents, leaf, rows, explanation)?)
                }
            }
        }
    })
}

/// The average image of a leaf as the address of a picture, where rows are images.
pub(super) fn average(contents: &Contents<'_>, leaf: usize) -> Result<Option<String>> {
    let Some((width, _)) = contents.report.image else {
        return Ok(None);
    };
    Ok(Some(Picture::of(&contents.statistics.leaf_mean[leaf], width, |v| grey(contents, v)).address()?))
}

fn grey(contents: &Contents<'_>, value: f64) -> colour::Rgb {
    let (low, high) = contents.statistics.range;
    colour::ink(if high > low { (value - low) / (high - low) } else { 0.0 })
}

fn pictures(contents: &Contents<'_>, leaf: usize, node: &Node, width: usize, height: usize) -> Result<Markup> {
    let mean = &contents.statistics.leaf_mean[leaf];
    let signed = |values: Vec<f64>| {
        let most = values.iter().map(|v| v.abs()).filter(|v| v.is_finite()).fold(1e-300, f64::max);
        Picture::of(&values, width, |v| colour::against_to_for(v / most)).address()
    };
    let difference = mean.iter().zip(&contents.statistics.mean).map(|(here, all)| here - all).collect();
    let mut shown = vec![
        (Picture::of(mean, width, |v| grey(contents, v)).address()?, "The average image of this cluster."),
        (signed(difference)?, "What sets it apart: orange is darker than in the average of all rows, blue is lighter."),
    ];
    if let Some(push) = own_push(contents, leaf) {
        shown.push((signed(push)?, "What the model goes by: the pixels that speak for this cluster (orange) or against it (blue) in its own rows."));
    }
    let mut members = Vec::new();
    for row in typical(&contents.rows, &contents.place, node.rows(), mean, 12) {
        let values: Vec<f64> = contents.rows.row(row as usize).iter().map(|&v| f64::from(v)).collect();
        members.push((row, Picture::of(&values, width, |v| grey(contents, v)).address()?));
    }
    let size = |long: usize| {
        let long_side = width.max(height).max(1);
        format!("width:{}px;height:{}px", (long * width / long_side).max(1), (long * height / long_side).max(1))
    };
    Ok(html! {
        div class="pictures" {
            @for (address, caption) in shown {
                figure { img class="pixels" style=(size(190)) src=(address) alt=(caption); figcaption { (caption) } }
            }
        }
        h4 { "Its most typical rows" }
        div class="members" {
            @for (row, address) in members {
                img class="pixels" style=(size(60)) src=(address) alt=(format!("row {row}")) title=(format!("row {row}"));
            }
        }
    })
}

/// The mean attribution of each feature to a leaf over the leaf's own explained rows.
fn own_push(contents: &Contents<'_>, leaf: usize) -> Option<Vec<f64>> {
    let (rows, explanation) = contents.report.explained.as_ref()?;
    let own: Vec<usize> =
        contents.explained.iter().copied().filter(|&i| contents.leaf_of_row[rows[i] as usize] == leaf as i32).collect();
    let mean =
        |feature: usize| own.iter().map(|&i| explanation.values()[[i, feature, leaf]]).sum::<f64>() / own.len() as f64;
    if own.is_empty() { None } else { Some((0..explanation.values().dim().1).map(mean).collect()) }
}

/// The features in which the leaf's mean lies furthest from that of all rows.
fn profile(contents: &Contents<'_>, leaf: usize) -> Markup {
    let found = &contents.statistics;
    let columns = found.distinctive(leaf, lines(contents));
    if columns.is_empty() {
        return html! { p { "Its averages are those of all rows in every column." } };
    }
    let longest = columns.iter().map(|&c| found.distance(leaf, c).abs()).fold(0.0, f64::max);
    let bars = columns.iter().map(|&c| {
        let note = format!("{} ({})", value(found.leaf_mean[leaf][c]), value(found.mean[c]));
        Bar::new(&contents.names[c], found.distance(leaf, c)).note(note)
    });
    let words: Vec<String> = columns
        .iter()
        .take(3)
        .map(|&c| {
            let direction = if found.distance(leaf, c) > 0.0 { "higher" } else { "lower" };
            let (here, all) = (value(found.leaf_mean[leaf][c]), value(found.mean[c]));
            format!("{} is {direction} ({here} on average, {all} over all rows)", contents.names[c])
        })
        .collect();
    html! {
        h4 { "What sets it apart" }
        p { "Compared with all rows, " (list(&words)) "." }
        div class="scroll" { (Bars::new(bars).draw().inline()) }
        p class="small" { "The longer a bar, the further this cluster's average lies from that of all rows, measured in standard deviations of the column (the longest: " (value(longest)) "). On the right: the average here and, in brackets, over all rows." }
    }
}

/// What the model goes by: in words, then as a chart.
fn reasons(contents: &Contents<'_>, leaf: usize, rows: &[u32], explanation: &Explanation) -> Result<Markup> {
    let values = explanation.values();
    let mut effects = top_features(&contents.explained_rows, explanation, leaf, usize::MAX)?;
    let all: f64 = effects.iter().map(|effect| effect.mean_absolute).sum();
    effects.truncate(lines(contents));
    if effects.is_empty() {
        return Ok(html! { p { "The model finds no column that tells this cluster from other rows." } });
    }
    let pairs = |f: usize| -> Vec<(f64, f64)> {
        contents
            .explained
            .iter()
            .map(|&i| (f64::from(contents.rows.row(rows[i] as usize)[f]), values[[i, f, leaf]]))
            .collect()
    };
    let dots = chosen(contents, leaf, rows);
    let own = dots.iter().filter(|&&i| belongs(contents, leaf, rows, i)).count();
    let swarms = effects.iter().map(|effect| {
        let f = effect.feature;
        let pairs = pairs(f);
        let place = places(&pairs.iter().map(|p| p.0).collect::<Vec<_>>());
        Swarm::new(&contents.names[f], dots.iter().map(|&i| (pairs[i].1, place[i])))
    });
    let said = effects.iter().take(4).map(|effect| {
        let f = effect.feature;
        let (here, over) = (contents.statistics.leaf_mean[leaf][f], contents.statistics.mean[f]);
        let direction = match effect.direction {
            r if r > 0.5 => "high values speak for this cluster",
            r if r < -0.5 => "low values speak for this cluster",
            _ => "values in between, or values of other columns with it, speak for this cluster",
        };
        let part = effect.mean_absolute / all;
        (&contents.names[f], format!("{direction} (average here {}, over all rows {})", value(here), value(over)), part)
    });
    Ok(html! {
        h4 { "What tells it from other rows" }
        ul {
            @for (name, words, part) in said {
                li { b { (name) } ": " (words) "; " (percent(part)) " of all attributions." }
            }
        }
        div class="scroll" { (Beeswarm::new(swarms).draw().inline()) }
        p class="small" {
            "A model was trained to tell this cluster from all other rows. Each line is a column, the most important one first; each dot is a row, "
            (things(own, "row", "rows")) " of this cluster and " (count(dots.len() - own)) " others. A dot further to the right means that the column made the model surer that the row belongs here; orange dots have high values in the column, blue ones low values."
        }
    })
}

/// Places in [`Contents::explained`] that are drawn: up to a third from this leaf, the rest from the others.
pub(super) fn chosen(contents: &Contents<'_>, leaf: usize, rows: &[u32]) -> Vec<usize> {
    let (own, others): (Vec<usize>, Vec<usize>) = (0..rows.len()).partition(|&i| belongs(contents, leaf, rows, i));
    let evenly = |all: &[usize], most: usize| -> Vec<usize> {
        let taken = most.min(all.len());
        (0..taken).map(|i| all[i * all.len() / taken]).collect()
    };
    let most = dots(contents);
    let mut taken = evenly(&own, most / 3);
    taken.extend(evenly(&others, most - taken.len()));
    taken
}

/// Whether place `i` of [`Contents::explained`] is a row of the leaf.
pub(super) fn belongs(contents: &Contents<'_>, leaf: usize, rows: &[u32], i: usize) -> bool {
    contents.leaf_of_row[rows[contents.explained[i]] as usize] == leaf as i32
}
