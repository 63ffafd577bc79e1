//! One card for each cluster.

use super::charts::{Bar, Bars, Beeswarm, Swarm};
use super::colour;
use super::draft::Shown;
use super::interval::Share;
use super::parts::{called, chip, origin, stopped};
use super::raster::Picture;
use super::statistics::{places, typical};
use super::text::{say, words};
use super::{Contents, Explanation, Result, answers, findings, outside_tables, reasons};
use crate::explain::top_features;
use crate::recursive::Node;
use maud::{Markup, PreEscaped, html};

/// Cards that have all that a card can have: those of the largest clusters. The others have words and bars, so that the page
/// stays within its size.
pub(super) const FULL: usize = 150;

/// Lines of a chart, and where clusters have cards of two kinds.
const LINES: usize = 9;
const FEW_LINES: usize = 6;
/// Dots on a line of the summary of attributions at most; bytes of all dots on the page, and about those of one.
const DOTS: usize = 400;
const DOTS_BYTES: usize = 1_500_000;
const DOT_BYTES: usize = 15;
/// Typical rows of a cluster of images; the longer side of these in pixels, and of the pictures above them.
const TYPICAL: usize = 12;
const SMALL_PICTURE: usize = 60;
const PICTURE: usize = 190;
/// Columns that are put into words: those that set a cluster apart, and those that the model goes by.
const APART: usize = 3;
const MODEL: usize = 4;

/// Lines of a chart.
pub(super) fn lines(contents: &Contents<'_>) -> usize {
    if contents.full.len() <= FULL { LINES } else { FEW_LINES }
}

/// Dots on a line of the summary of attributions.
fn dots(contents: &Contents<'_>) -> usize {
    (DOTS_BYTES / (DOT_BYTES * lines(contents) * contents.full.len().clamp(1, FULL))).min(DOTS)
}

/// The card of leaf number `number`, which is `node`.
pub(super) fn card(shown: &Shown<'_>, number: usize, node: &Node) -> Markup {
    let (tree, shares, text) = (shown.tree, shown.shares(), shown.text());
    let title = match node.level() {
        1 => say!(text, "all_rows"),
        _ => say!(text, "card.cluster", path = node.path().to_string()),
    };
    let details = html! {
        @if node.level() > 1 {
            @if let Some((low, high)) = interval(shown, node) { (say!(text, "card.interval", low = low, high = high)) }
            (say!(text, "card.origin", origin = origin(text, tree, shares, node)))
        }
        @if node.found_in_noise() { (say!(text, "card.in_noise")) }
    };
    let rows = words!(text, "rows", n = node.rows().len());
    html! {
        article class="card" id=(format!("cluster-{}", node.path())) {
            div class="head" {
                (chip(node))
                h3 {
                    (title)
                    @if shown.called.get(node).is_some() { ": " (called(shown, node)) }
                }
                span class="big" { (text.percent(shares.node(node))) }
            }
            p {
                (say!(text, "card.rows", rows = rows, of = tree.rows(), details = details)) " "
                @if let Some(persistence) = node.persistence() {
                    (say!(text, "card.persistence", persistence = text.decimals(persistence, 2))) " "
                }
                @if let Some(reason) = node.stop_reason() { (say!(text, "card.stopped", reason = stopped(text, reason))) }
            }
            (PreEscaped(&shown.leaf(number).card))
        }
    }
}

/// A leaf's share with its interval, where rows have no weights.
fn interval(shown: &Shown<'_>, node: &Node) -> Option<(String, String)> {
    let rows = |n: usize| u32::try_from(n).ok();
    let share = Share { count: rows(node.rows().len())?, of: rows(shown.tree.rows())?, all: 0.0 };
    let (low, high) = share.interval();
    (!shown.shares().weighted).then(|| (shown.text().percent(low), shown.text().percent(high)))
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
    let text = contents.text();
    let mean = &contents.statistics.leaf_mean[leaf];
    let signed = |values: Vec<f64>| {
        let most = values.iter().map(|v| v.abs()).filter(|v| v.is_finite()).fold(1e-300, f64::max);
        Picture::of(&values, width, |v| colour::against_to_for(v / most)).address()
    };
    let difference = mean.iter().zip(&contents.statistics.mean).map(|(here, all)| here - all).collect();
    let mut shown = vec![
        (Picture::of(mean, width, |v| grey(contents, v)).address()?, words!(text, "pictures.average")),
        (signed(difference)?, words!(text, "pictures.difference")),
    ];
    if let Some(push) = own_push(contents, leaf) {
        shown.push((signed(push)?, words!(text, "pictures.model")));
    }
    let member = |row: u32| -> Result<(String, String)> {
        let values: Vec<f64> = contents.rows.row(row as usize).iter().map(|&v| f64::from(v)).collect();
        let name = words!(text, "pictures.row", row = contents.number(row).to_string());
        Ok((name, Picture::of(&values, width, |v| grey(contents, v)).address()?))
    };
    let typical = typical(&contents.rows, &contents.place, node.rows(), mean, TYPICAL);
    let members = typical.into_iter().map(member).collect::<Result<Vec<_>>>()?;
    let nearest = contents.difference(node);
    let border = nearest.map_or(&[][..], |found| &found.borderline).iter().map(|&row| member(row));
    let border = border.collect::<Result<Vec<_>>>()?;
    let size = |long: usize| {
        let long_side = width.max(height).max(1);
        format!("width:{}px;height:{}px", (long * width / long_side).max(1), (long * height / long_side).max(1))
    };
    Ok(html! {
        div class="pictures" {
            @for (address, caption) in shown {
                figure { img class="pixels" style=(size(PICTURE)) src=(address) alt=(caption); figcaption { (caption) } }
            }
        }
        h4 { (say!(text, "pictures.typical")) }
        div class="members" {
            @for (row, address) in members {
                img class="pixels" style=(size(SMALL_PICTURE)) src=(address) alt=(row) title=(row);
            }
        }
        @if let Some(found) = nearest.filter(|_| !border.is_empty()) {
            h4 { (say!(text, "pictures.border", cluster = found.there.clone())) }
            div class="members" {
                @for (row, address) in border {
                    img class="pixels" style=(size(SMALL_PICTURE)) src=(address) alt=(row) title=(row);
                }
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
    let (found, text) = (&contents.statistics, contents.text());
    let columns = found.distinctive(leaf, lines(contents));
    if columns.is_empty() {
        return html! { p { (say!(text, "apart.nothing")) } };
    }
    let longest = columns.iter().map(|&c| found.distance(leaf, c).abs()).fold(0.0, f64::max);
    let bars = columns.iter().map(|&c| {
        let (here, all) = (text.value(found.leaf_mean[leaf][c]), text.value(found.mean[c]));
        let note = words!(text, "apart.note", here = here, all = all);
        Bar::new(&contents.names[c], found.distance(leaf, c)).note(note)
    });
    let said: Vec<String> = columns
        .iter()
        .take(APART)
        .map(|&c| {
            let (here, all) = (text.value(found.leaf_mean[leaf][c]), text.value(found.mean[c]));
            match found.distance(leaf, c) > 0.0 {
                true => words!(text, "apart.higher", name = &contents.names[c], here = here, all = all),
                false => words!(text, "apart.lower", name = &contents.names[c], here = here, all = all),
            }
        })
        .collect();
    html! {
        h4 { (say!(text, "apart.title")) }
        p { (say!(text, "apart.list", list = text.list(&said))) }
        div class="scroll" { (Bars::new(bars).draw_in(text).inline()) }
        p class="small" { (say!(text, "apart.bars", longest = text.value(longest))) }
    }
}

/// What the model goes by: in words, then as a chart.
fn reasons(contents: &Contents<'_>, leaf: usize, rows: &[u32], explanation: &Explanation) -> Result<Markup> {
    let (values, text) = (explanation.values(), contents.text());
    let mut effects = top_features(&contents.explained_rows, explanation, leaf, usize::MAX)?;
    let all: f64 = effects.iter().map(|effect| effect.mean_absolute).sum();
    effects.truncate(lines(contents));
    if effects.is_empty() {
        return Ok(html! { p { (say!(text, "model.nothing")) } });
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
    let others = dots.len() - own;
    let swarms = effects.iter().map(|effect| {
        let f = effect.feature;
        let pairs = pairs(f);
        let place = places(&pairs.iter().map(|p| p.0).collect::<Vec<_>>());
        Swarm::new(&contents.names[f], dots.iter().map(|&i| (pairs[i].1, place[i])))
    });
    let said = effects.iter().take(MODEL).map(|effect| {
        let f = effect.feature;
        let (here, over) = (contents.statistics.leaf_mean[leaf][f], contents.statistics.mean[f]);
        let (here, over) = (text.value(here), text.value(over));
        let words = match effect.direction {
            r if r > 0.5 => words!(text, "model.high", here = here, all = over),
            r if r < -0.5 => words!(text, "model.low", here = here, all = over),
            _ => words!(text, "model.between", here = here, all = over),
        };
        let share = text.percent(effect.mean_absolute / all);
        say!(text, "model.line", name = &contents.names[f], words = words, share = share)
    });
    let own = words!(text, "rows", n = own);
    Ok(html! {
        h4 { (say!(text, "model.title")) }
        ul { @for line in said { li { (line) } } }
        div class="scroll" { (Beeswarm::new(swarms).draw_in(text).inline()) }
        p class="small" { (say!(text, "model.swarm", own = own, n = others)) }
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
