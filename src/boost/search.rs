//! Reading the best split of a node off its histogram.

use super::bins::{Bins, Column};
use super::gradient::{g_of, h_of};
use crate::core::simd::multiversion;

/// What makes a split good; XGBoost's names.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) lambda: f64,
    pub(super) alpha: f64,
    pub(super) gamma: f64,
    pub(super) min_child_weight: f64,
    /// For each column 1 or -1 where predictions may only rise or only fall with it, else 0; empty where none is bound.
    pub(super) monotone: Vec<i8>,
    /// Columns of fewer categories are split one category against all others.
    pub(super) max_cat_to_onehot: usize,
    /// Most categories tried on one side.
    pub(super) max_cat_threshold: usize,
}

/// Gains up to this count as none; XGBoost's kRtEps.
const NO_GAIN: f64 = 1e-6;

/// What monotone columns further up allow of a node's values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bounds {
    pub(super) least: f64,
    pub(super) most: f64,
}

impl Bounds {
    pub(super) const NONE: Bounds = Bounds { least: f64::NEG_INFINITY, most: f64::INFINITY };

    pub(super) fn hold(self, value: f64) -> f64 {
        value.max(self.least).min(self.most)
    }

    fn scaled(self, by: f64) -> Bounds {
        Bounds { least: self.least * by, most: self.most * by }
    }
}

impl Rules {
    /// A node's value before the learning rate; 0 where there is nothing to divide by.
    pub(super) fn weight(&self, g: f64, h: f64, bounds: Bounds) -> f64 {
        if h + self.lambda > 0.0 { bounds.hold(weight(g, h, self.lambda, self.alpha)) } else { 0.0 }
    }

    /// What a node saves at its own value: G² / (H + λ) where that value is free.
    fn score(&self, g: f64, h: f64, bounds: Bounds) -> f64 {
        if h + self.lambda <= 0.0 {
            0.0
        } else if self.monotone.is_empty() {
            let g = shrink(g, self.alpha);
            g * g / (h + self.lambda)
        } else {
            saved(g, h, self.weight(g, h, bounds), self.lambda, self.alpha)
        }
    }

    /// Whether a split of this gain is made.
    fn accepts(&self, gain: f64) -> bool {
        gain > NO_GAIN && gain >= self.gamma
    }

    /// Bounds of both children of a split.
    pub(super) fn divide(&self, split: &Split, total: i64, bounds: Bounds, step: (f64, f64)) -> [Bounds; 2] {
        let direction = self.monotone.get(split.column as usize).copied().unwrap_or(0);
        if direction == 0 {
            return [bounds; 2];
        }
        let weight = |word| self.weight(f64::from(g_of(word)) * step.0, f64::from(h_of(word)) * step.1, bounds);
        let middle = (weight(split.left) + weight(total.wrapping_sub(split.left))) / 2.0;
        let (low, high) = (Bounds { most: middle, ..bounds }, Bounds { least: middle, ..bounds });
        if direction > 0 { [low, high] } else { [high, low] }
    }
}

/// G pulled towards zero by alpha, without its sign.
#[inline(always)]
fn shrink(g: f64, alpha: f64) -> f64 {
    (g.abs() - alpha).max(0.0)
}

/// -T(G) / (H + λ).
#[inline(always)]
fn weight(g: f64, h: f64, lambda: f64, alpha: f64) -> f64 {
    -shrink(g, alpha).copysign(g) / (h + lambda)
}

/// Twice what the objective falls by at a value w: -(2 G w + (H + λ) w² + 2 α |w|).
#[inline(always)]
fn saved(g: f64, h: f64, w: f64, lambda: f64, alpha: f64) -> f64 {
    -(2.0 * g * w + (h + lambda) * w * w + 2.0 * alpha * w.abs())
}

/// The best split of a node over some columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Split {
    pub(super) column: u32,
    /// Bins up to this one go left, at a numeric split.
    pub(super) bin: u8,
    /// Whether the column holds categories.
    pub(super) categorical: bool,
    /// Bins that go right, at a categorical split: one bit each.
    pub(super) right: [u64; 4],
    pub(super) missing_left: bool,
    /// Score of the children; less that of the node once chosen.
    pub(super) gain: f64,
    /// Coarse sum of the left child.
    pub(super) left: i64,
}

impl Split {
    /// Whether rows of a bin go left.
    #[inline(always)]
    pub(super) fn goes_left(&self, code: u8, column: &Column) -> bool {
        if usize::from(code) == column.cuts.len() {
            self.missing_left
        } else if self.categorical {
            self.right[usize::from(code >> 6)] >> (code & 63) & 1 == 0
        } else {
            code <= self.bin
        }
    }
}

/// A node whose split is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) total: i64,
    pub(super) bounds: Bounds,
    /// For each column whether it may be tried here; empty where all may.
    pub(super) drawn: &'a [bool],
    /// Size of a step of the coarse grid, for g and h.
    pub(super) step: (f64, f64),
    /// Whether the node has so many rows that few bins of a dense column are empty.
    pub(super) crowded: bool,
}

/// The bins of one column that hold anything in a node, and their running sums with g and h apart.
///
/// An empty bin divides the rows as the bin before it does, so the search loses nothing by leaving it out; in small nodes
/// most bins are empty.
struct Filled {
    bins: [u8; 256 + LANES],
    words: [i64; 256 + LANES],
    g: [i32; 256 + LANES],
    h: [i32; 256 + LANES],
    len: usize,
    /// Whether the running sums are those of all bins in their order, empty ones too. An empty bin scores as the bin
    /// before it does, and the first of equals is taken, so both ways find the same split.
    all: bool,
}

/// Bins that the search looks at together.
const LANES: usize = 8;

/// What is below this share of the bar in f32 is below the bar.
const MARGIN: f64 = 1.0 - 1e-5;

/// What the search compares against: the best so far, on the integers' own scale.
#[derive(Clone, Copy)]
struct Bar {
    /// Score summed over both children.
    score: f64,
    /// λ, α and the smallest H of a child in steps of the grid; a side without any h is no side.
    lambda: f64,
    alpha: f64,
    least: f64,
    /// Whether any column is bound; values are then held within `bounds`.
    bound: bool,
    bounds: Bounds,
}

impl Bar {
    /// The score of two children, None where one of them weighs too little or their values are in the wrong order.
    fn score_of(&self, left: i64, total: i64, direction: i8) -> Option<f64> {
        let right = total.wrapping_sub(left);
        let (a, b) = ((f64::from(g_of(left)), f64::from(h_of(left))), (f64::from(g_of(right)), f64::from(h_of(right))));
        let least = self.least.max(1.0);
        if a.1 < least || b.1 < least {
            return None;
        }
        let Bar { lambda, alpha, bounds, .. } = *self;
        if !self.bound {
            let score = |(g, h): (f64, f64)| shrink(g, alpha) * shrink(g, alpha) / (h + lambda);
            return Some(score(a) + score(b));
        }
        let value = |(g, h): (f64, f64)| bounds.hold(weight(g, h, lambda, alpha));
        let (w, v) = (value(a), value(b));
        let ordered = if direction > 0 { w <= v } else { direction == 0 || w >= v };
        ordered.then(|| saved(a.0, a.1, w, lambda, alpha) + saved(b.0, b.1, v, lambda, alpha))
    }
}

/// Finds the best split of a node over `columns`, and keeps in `open` those columns that could split its descendants.
///
/// Where all of a column's entries outside its default bin weigh less than `min_child_weight`, one side of any split
/// would weigh less too, here and in every descendant, so the column is closed for good.
pub(super) fn search(
    bins: &Bins,
    histogram: &[i64],
    columns: &[u32],
    place: Place<'_>,
    rules: &Rules,
    open: &mut Vec<u32>,
) -> Option<Split> {
    let step = place.step;
    let (mut best, unit) = (None, step.0 * step.0 / step.1);
    let mut bar = Bar {
        score: 0.0,
        lambda: rules.lambda / step.1,
        alpha: rules.alpha / step.0,
        least: rules.min_child_weight / step.1,
        bound: !rules.monotone.is_empty(),
        bounds: place.bounds.scaled(step.1 / step.0),
    };
    search_columns(bins, histogram, columns, place, rules, &mut bar, open, &mut best);
    best.map(|split: Split| Split { gain: split.gain * unit, ..split })
}

multiversion! {
    fn search_columns(
        bins: &Bins, histogram: &[i64], columns: &[u32], place: Place<'_>, rules: &Rules, bar: &mut Bar,
        open: &mut Vec<u32>, best: &mut Option<Split>,
    ) {
        const FULL: usize = 256 + LANES;
        let mut filled = Filled { bins: [0; FULL], words: [0; FULL], g: [0; FULL], h: [0; FULL], len: 0, all: false };
        let total = place.total;
        for &c in columns {
            if place.drawn.get(c as usize) == Some(&false) {
                open.push(c);
                continue;
            }
            let column = &bins.columns[c as usize];
            let slots = &histogram[column.first..column.first + column.bins];
            let values = column.cuts.len();
            let default = usize::from(column.default);
            if column.dense && place.crowded && !column.categorical && !bar.bound {
                let outside = total.wrapping_sub(slots[default]);
                if outside == 0 || f64::from(h_of(outside)) < bar.least {
                    continue;
                }
                open.push(c);
                filled.run_all(&slots[..values]);
                let missing = if column.has_missing() { slots[values] } else { 0 };
                for (more, missing_left) in [(0, false), (missing, true)] {
                    if !missing_left || missing != 0 {
                        let found = scan(&filled, values, total, more, 0, bar);
                        keep(found, c, missing_left, &filled, more, best);
                    }
                }
                continue;
            }
            filled.len = 0;
            let before = filled.collect(&slots[..default.min(values)], 0);
            let middle = filled.len;
            if default < values {
                // The default bin, which is known once all others are.
                filled.push(default, 0);
            }
            let after = if default < values { filled.collect(&slots[default + 1..values], default + 1) } else { 0 };
            let absent = if column.has_missing() { slots[values] } else { 0 };
            // Where missing values are the default, theirs is the slot to be worked out.
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
            // With missing values, these alone may go right.
            let candidates = if missing == 0 { filled.len.saturating_sub(1) } else { filled.len };
            let direction = rules.monotone.get(c as usize).copied().unwrap_or(0);
            let found = scan(&filled, candidates, total, 0, direction, bar);
            keep(found, c, false, &filled, 0, best);
            if missing != 0 {
                let found = scan(&filled, filled.len.saturating_sub(1), total, missing, direction, bar);
                keep(found, c, true, &filled, missing, best);
            }
        }
    }
}

impl Filled {
    #[inline(always)]
    fn push(&mut self, bin: usize, word: i64) {
        self.bins[self.len] = bin as u8;
        self.words[self.len] = word;
        self.len += 1;
    }

    /// Takes the filled ones among consecutive bins from `first` on; returns their sum.
    #[inline(always)]
    fn collect(&mut self, slots: &[i64], first: usize) -> i64 {
        let mut sum = 0i64;
        let mut len = self.len;
        for (chunk, slots) in slots.chunks(LANES).enumerate() {
            if slots.iter().fold(0, |any, &word| any | word) == 0 {
                continue;
            }
            for (i, &word) in slots.iter().enumerate() {
                self.bins[len] = (first + chunk * LANES + i) as u8;
                self.words[len] = word;
                len += usize::from(word != 0);
                sum = sum.wrapping_add(word);
            }
        }
        self.len = len;
        sum
    }

    /// Sums up to each bin, where hardly any is empty.
    #[inline(always)]
    fn run_all(&mut self, slots: &[i64]) {
        self.all = true;
        let mut sum = 0i64;
        for ((g, h), &word) in self.g.iter_mut().zip(&mut self.h).zip(slots) {
            sum = sum.wrapping_add(word);
            (*g, *h) = (g_of(sum), h_of(sum));
        }
    }

    /// Sums up to each filled bin.
    #[inline(always)]
    fn run(&mut self) {
        self.all = false;
        let mut sum = 0i64;
        for i in 0..self.len {
            sum = sum.wrapping_add(self.words[i]);
            self.g[i] = g_of(sum);
            self.h[i] = h_of(sum);
        }
    }
}

fn keep(found: Option<(usize, f64)>, c: u32, missing_left: bool, filled: &Filled, more: i64, best: &mut Option<Split>) {
    if let Some((i, gain)) = found {
        let word = (i64::from(filled.g[i]) << 32) + i64::from(filled.h[i]);
        let (bin, left) = (if filled.all { i as u8 } else { filled.bins[i] }, word.wrapping_add(more));
        *best = Some(Split { column: c, bin, categorical: false, right: [0; 4], missing_left, gain, left });
    }
}

/// The first candidate of the highest score above the bar, which is raised to it. `more` joins the left side.
///
/// Scores are compared crosswise, n > bar · d for the score n / d, so that no division is needed to see that a
/// candidate is not the best. Most are seen to be far below in f32 already: n and d are sums of products without a minus,
/// so their rounding, at most some 2^-20 of them, is well within [`MARGIN`], and what passes is looked at in f64. Each
/// step is a loop over [`LANES`] candidates, so that it becomes vector instructions.
#[inline(always)]
fn scan(
    filled: &Filled,
    candidates: usize,
    total: i64,
    more: i64,
    direction: i8,
    bar: &mut Bar,
) -> Option<(usize, f64)> {
    if bar.bound {
        return scan_bound(filled, candidates, total, more, direction, bar);
    }
    let (g_total, h_total) = (g_of(total), h_of(total));
    let (g_more, h_more) = (g_of(more), h_of(more));
    let Bar { lambda, alpha, least, .. } = *bar;
    // Sums are whole numbers, and a side without any h is no side.
    let least = (libm::ceil(least) as i32).max(1);
    // With these n stays below 2^103, so that bar · d may only be infinite where it is above n.
    let rough = alpha == 0.0 && lambda <= (1u64 << 40) as f64;
    let (rough_lambda, mut rough_bar) = (lambda as f32, (bar.score * MARGIN) as f32);
    let mut found = None;
    for at in (0..candidates).step_by(LANES) {
        let (Some(g), Some(h)) = (filled.g[at..].first_chunk::<LANES>(), filled.h[at..].first_chunk::<LANES>()) else {
            break;
        };
        let mut passes = [0u32; LANES];
        for i in 0..LANES {
            let (h, g) = (h[i].wrapping_add(h_more), g[i].wrapping_add(g_more));
            let (h_rest, g_rest) = (h_total.wrapping_sub(h), g_total.wrapping_sub(g));
            let (d_left, d_rest) = (h as f32 + rough_lambda, h_rest as f32 + rough_lambda);
            let (g, g_rest) = (g as f32, g_rest as f32);
            let n = g * g * d_rest + g_rest * g_rest * d_left;
            let fits = u32::from(h >= least) & u32::from(h_rest >= least);
            passes[i] = fits & (u32::from(n >= rough_bar * (d_left * d_rest)) | u32::from(!rough));
        }
        if passes.iter().fold(0, |any, &one| any | one) == 0 {
            continue;
        }
        for i in 0..LANES.min(candidates - at) {
            let (h, g) = (h[i].wrapping_add(h_more), g[i].wrapping_add(g_more));
            let (h_rest, g_rest) = (h_total.wrapping_sub(h), g_total.wrapping_sub(g));
            let (d_left, d_rest) = (f64::from(h) + lambda, f64::from(h_rest) + lambda);
            let (g, g_rest) = (shrink(f64::from(g), alpha), shrink(f64::from(g_rest), alpha));
            let n = g * g * d_rest + g_rest * g_rest * d_left;
            let d = d_left * d_rest;
            if passes[i] != 0 && n > bar.score * d && n / d > bar.score {
                bar.score = n / d;
                rough_bar = (bar.score * MARGIN) as f32;
                found = Some((at + i, bar.score));
            }
        }
    }
    found
}

/// The same where monotone columns bind the children's values.
fn scan_bound(
    filled: &Filled,
    candidates: usize,
    total: i64,
    more: i64,
    direction: i8,
    bar: &mut Bar,
) -> Option<(usize, f64)> {
    let mut found = None;
    for i in 0..candidates {
        let left = ((i64::from(filled.g[i]) << 32) + i64::from(filled.h[i])).wrapping_add(more);
        if let Some(score) = bar.score_of(left, total, direction).filter(|&score| score > bar.score) {
            bar.score = score;
            found = Some((i, score));
        }
    }
    found
}

/// The best split by category. Of few categories each is tried against all others; of many, they are sorted by the value
/// that each would have as a leaf, and the sorted list is cut in two (Fisher 1958), from either end up to
/// `max_cat_threshold`. Missing values join either side. Categories without rows here go left.
#[inline(never)]
fn divide(filled: &Filled, total: i64, missing: i64, categories: usize, rules: &Rules, bar: &mut Bar) -> Option<Split> {
    let words = &filled.words[..filled.len];
    let (lambda, alpha) = (bar.lambda, bar.alpha);
    let mut best = None;
    let mut offer = |right: &[usize], left: i64, missing_left: bool| {
        if let Some(score) = bar.score_of(left, total, 0).filter(|&score| score > bar.score) {
            bar.score = score;
            let mut set = [0u64; 4];
            for &i in right {
                set[usize::from(filled.bins[i] >> 6)] |= 1 << (filled.bins[i] & 63);
            }
            best = Some(Split { column: 0, bin: 0, categorical: true, right: set, missing_left, gain: score, left });
        }
    };
    if categories < rules.max_cat_to_onehot {
        for (i, &word) in words.iter().enumerate() {
            offer(&[i], total.wrapping_sub(word), missing != 0);
            if missing != 0 {
                offer(&[i], total.wrapping_sub(word).wrapping_sub(missing), false);
            }
        }
        return best;
    }
    let value = |i: usize| weight(f64::from(g_of(words[i])), f64::from(h_of(words[i])).max(1.0), lambda, alpha);
    let mut order: Vec<usize> = (0..words.len()).collect();
    order.sort_by(|&a, &b| value(a).total_cmp(&value(b)).then(a.cmp(&b)));
    let tried = categories.min(rules.max_cat_threshold).min(order.len()).saturating_sub(1);
    let mut right = 0i64;
    for i in 0..tried {
        right = right.wrapping_add(words[order[i]]);
        offer(&order[..=i], total.wrapping_sub(right), missing != 0);
    }
    let mut left = 0i64;
    for i in (order.len() - tried..order.len()).rev() {
        left = left.wrapping_add(words[order[i]]);
        offer(&order[..i], left, false);
    }
    best
}

/// The better of splits found over consecutive columns, if making it pays: its gain is then over the node's own score.
pub(super) fn decide(found: &[Option<Split>], place: Place<'_>, rules: &Rules) -> Option<Split> {
    let best = found.iter().flatten().copied().reduce(|best, next| if next.gain > best.gain { next } else { best })?;
    let (total, step) = (place.total, place.step);
    let own = rules.score(f64::from(g_of(total)) * step.0, f64::from(h_of(total)) * step.1, place.bounds);
    let gain = best.gain - own;
    rules.accepts(gain).then_some(Split { gain, ..best })
}
