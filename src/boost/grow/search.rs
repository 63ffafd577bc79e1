//! The best split of a node, from its histogram.

use super::rules::{Bounds, Rules};
use super::scan::{Bar, FilledBins, divide, scan};
use super::split::Split;
use crate::boost::bins::Bins;
use crate::boost::gradient::{g_of, h_of};
use crate::core::simd::multiversion;

/// A node that is searched for a split.
#[derive(Clone, Copy, Debug)]
pub(super) struct SearchedNode<'a> {
    pub(super) total: i64,
    pub(super) bounds: Bounds,
    /// For each column whether it was sampled for the node; empty where all were.
    pub(super) drawn: &'a [bool],
    /// Step of the coarse grid, for g and h.
    pub(super) step: (f64, f64),
    /// Whether the node has so many rows that few bins of a dense column are empty.
    pub(super) crowded: bool,
}

/// Finds the best split of a node over `columns`, and appends to `open` those columns that its descendants may split on.
///
/// Where all of a column's entries outside its default bin weigh less than `min_child_weight`, so does one side of any
/// split on it, here and in every descendant, so the column is dropped.
pub(super) fn search(
    bins: &Bins,
    histogram: &[i64],
    columns: &[u32],
    node: SearchedNode<'_>,
    rules: &Rules,
    open: &mut Vec<u32>,
) -> Option<Split> {
    let step = node.step;
    let (mut best, unit) = (None, step.0 * step.0 / step.1);
    let mut bar = Bar {
        // Values clamped to bounds may have negative scores, and a split still a positive gain.
        score: if rules.monotone.is_empty() { 0.0 } else { f64::NEG_INFINITY },
        lambda: rules.lambda / step.1,
        alpha: rules.alpha / step.0,
        least: rules.min_child_weight / step.1,
        bound: !rules.monotone.is_empty(),
        bounds: node.bounds.scaled(step.1 / step.0),
    };
    search_columns(bins, histogram, columns, node, rules, &mut bar, open, &mut best);
    best.map(|split: Split| Split { gain: split.gain * unit, ..split })
}

multiversion! {
    widest:
    fn search_columns(
        bins: &Bins, histogram: &[i64], columns: &[u32], node: SearchedNode<'_>, rules: &Rules, bar: &mut Bar,
        open: &mut Vec<u32>, best: &mut Option<Split>,
    ) {
        let mut filled = FilledBins::new();
        let total = node.total;
        for &c in columns {
            if node.drawn.get(c as usize) == Some(&false) {
                open.push(c);
                continue;
            }
            let column = &bins.columns[c as usize];
            let slots = &histogram[column.first..column.first + column.bins];
            let values = column.cuts.len();
            let default = usize::from(column.default);
            if column.dense && node.crowded && !column.categorical && !bar.bound {
                let outside = total.wrapping_sub(slots[default]);
                if outside == 0 || f64::from(h_of(outside)) < bar.least {
                    continue;
                }
                open.push(c);
                filled.run_all(&slots[..values]);
                let missing = if column.has_missing() { slots[values] } else { 0 };
                let found = scan(&filled, values, total, 0, 0, bar);
                keep(found, c, &filled, MissingSide::Right { total, missing }, best);
                if missing != 0 {
                    let found = scan(&filled, values, total, missing, 0, bar);
                    keep(found, c, &filled, MissingSide::Left { missing }, best);
                }
                continue;
            }
            filled.len = 0;
            let before = filled.collect(&slots[..default.min(values)], 0);
            let middle = filled.len;
            if default < values {
                // The default bin, whose sum follows from all others.
                filled.push(default, 0);
            }
            let after = if default < values { filled.collect(&slots[default + 1..values], default + 1) } else { 0 };
            let absent = if column.has_missing() { slots[values] } else { 0 };
            // Where missing values are the default bin, their sum follows from all others.
            let absent = if default == values { 0 } else { absent };
            let outside = before.wrapping_add(after).wrapping_add(absent);
            if outside == 0 || f64::from(h_of(outside)) < bar.least {
                continue;
            }
            open.push(c);
            let inside = total.wrapping_sub(outside);
            let missing = if default == values { inside } else { absent };
            if default < values {
                filled.words[middle] = inside;
            }
            if column.categorical {
                if let Some(split) = divide(&filled, total, missing, values, rules, bar) {
                    *best = Some(Split { column: c, ..split });
                }
                continue;
            }
            filled.run();
            // With missing values, these may be alone on the right.
            let candidates = if missing == 0 { filled.len.saturating_sub(1) } else { filled.len };
            let direction = rules.monotone.get(c as usize).copied().unwrap_or(0);
            let found = scan(&filled, candidates, total, 0, direction, bar);
            keep(found, c, &filled, MissingSide::Right { total, missing }, best);
            if missing != 0 {
                let found = scan(&filled, filled.len.saturating_sub(1), total, missing, direction, bar);
                keep(found, c, &filled, MissingSide::Left { missing }, best);
            }
        }
    }
}

/// The side of the missing values, and their sum.
enum MissingSide {
    Left { missing: i64 },
    Right { total: i64, missing: i64 },
}

fn keep(found: Option<(usize, f64)>, c: u32, filled: &FilledBins, side: MissingSide, best: &mut Option<Split>) {
    if let Some((i, gain)) = found {
        let word = (i64::from(filled.g[i]) << 32) + i64::from(filled.h[i]);
        let bins = 1 + if filled.all { i as u16 } else { u16::from(filled.bins[i]) };
        let (bins, missing_left, left) = match side {
            MissingSide::Left { missing } => (bins, true, word.wrapping_add(missing)),
            // Missing values alone on one side: as no threshold is above all values, they go left, below the lowest one.
            MissingSide::Right { total, missing } if word.wrapping_add(missing) == total => (0, true, missing),
            MissingSide::Right { .. } => (bins, false, word),
        };
        *best = Some(Split { column: c, bins, categorical: false, right: [0; 4], missing_left, gain, left });
    }
}

/// The best of the splits found over consecutive columns, if it is accepted; its gain is then less the node's own score.
pub(super) fn decide(found: &[Option<Split>], node: SearchedNode<'_>, rules: &Rules) -> Option<Split> {
    let best = found.iter().flatten().copied().reduce(|best, next| if next.gain > best.gain { next } else { best })?;
    let (total, step) = (node.total, node.step);
    let own = rules.score(f64::from(g_of(total)) * step.0, f64::from(h_of(total)) * step.1, node.bounds);
    let gain = best.gain - own;
    rules.accepts(gain).then_some(Split { gain, ..best })
}
