//! Histograms of gradients: building, subtracting, and reading the best split off them.
//!
//! A histogram has one word for each bin of each column (see `gradient`). Default bins stay at zero in it: they are the
//! node's total less the column's other bins, and that is worked out when the column is read.

use super::bins::Bins;
use super::gradient::{g_of, h_of};
use crate::core::simd::multiversion;

/// What makes a split good; XGBoost's names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) lambda: f64,
    pub(super) alpha: f64,
    pub(super) gamma: f64,
    pub(super) min_child_weight: f64,
}

/// Gains up to this count as none; XGBoost's kRtEps.
const NO_GAIN: f64 = 1e-6;

impl Rules {
    /// G pulled towards zero by alpha.
    pub(super) fn shrink(&self, g: f64) -> f64 {
        if g > self.alpha {
            g - self.alpha
        } else if g < -self.alpha {
            g + self.alpha
        } else {
            0.0
        }
    }

    /// G² / (H + λ), 0 where there is nothing to divide by.
    fn score(&self, g: f64, h: f64) -> f64 {
        let g = self.shrink(g);
        if h + self.lambda > 0.0 { g * g / (h + self.lambda) } else { 0.0 }
    }

    /// Whether a split of this gain is made.
    fn accepts(&self, gain: f64) -> bool {
        gain > NO_GAIN && gain >= self.gamma
    }
}

/// The best split of a node over some columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Split {
    pub(super) column: u32,
    /// Bins up to this one go left.
    pub(super) bin: u8,
    pub(super) missing_left: bool,
    /// Score of the children; less that of the node once chosen.
    pub(super) gain: f64,
    /// Coarse sum of the left child.
    pub(super) left: i64,
}

multiversion! {
    /// Adds the gradients of `rows` to the slots of their entries.
    pub(super) fn build(bins: &Bins, packed: &[i64], rows: &[u32], histogram: &mut [i64]) {
        for &row in rows {
            let word = packed[row as usize];
            for &slot in bins.entries(row as usize) {
                let slot = &mut histogram[slot as usize];
                *slot = slot.wrapping_add(word);
            }
        }
    }
}

multiversion! {
    /// a - b, slot by slot.
    pub(super) fn subtract(a: &mut [i64], b: &[i64]) {
        for (a, b) in a.iter_mut().zip(b) {
            *a = a.wrapping_sub(*b);
        }
    }
}

multiversion! {
    /// a + b, slot by slot.
    pub(super) fn add(a: &mut [i64], b: &[i64]) {
        for (a, b) in a.iter_mut().zip(b) {
            *a = a.wrapping_add(*b);
        }
    }
}

/// Models whose roots are summed in one pass; a multiple of four.
pub(super) const SIDE_BY_SIDE: usize = 12;

multiversion! {
    /// Root histograms of one column for several models at once: `words` holds [`SIDE_BY_SIDE`] words for each row,
    /// `out` as many for each bin.
    pub(super) fn build_roots(rows: &[u32], codes: &[u8], words: &[i64], out: &mut [i64]) {
        let (words, _) = words.as_chunks::<SIDE_BY_SIDE>();
        let (out, _) = out.as_chunks_mut::<SIDE_BY_SIDE>();
        for &row in rows {
            let from = &words[row as usize];
            let to = &mut out[usize::from(codes[row as usize])];
            for i in 0..SIDE_BY_SIDE {
                to[i] = to[i].wrapping_add(from[i]);
            }
        }
    }
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
}

/// Bins that the search looks at together.
const LANES: usize = 8;

/// What the search compares against: the best so far, on the integers' own scale.
#[derive(Clone, Copy)]
struct Bar {
    /// G² / (H + λ) summed over both children.
    score: f64,
    /// λ, α and the smallest H of a child in steps of the grid.
    lambda: f64,
    alpha: f64,
    least: f64,
}

/// Finds the best split of a node over `columns`, and keeps in `open` those columns that could split its descendants.
///
/// Where all of a column's entries outside its default bin weigh less than `min_child_weight`, one side of any split
/// would weigh less too, here and in every descendant, so the column is closed for good.
pub(super) fn search(
    bins: &Bins,
    histogram: &[i64],
    columns: &[u32],
    total: i64,
    rules: &Rules,
    step: (f64, f64),
    open: &mut Vec<u32>,
) -> Option<Split> {
    let (mut best, unit) = (None, step.0 * step.0 / step.1);
    let mut bar = Bar {
        score: 0.0,
        lambda: rules.lambda / step.1,
        alpha: rules.alpha / step.0,
        least: rules.min_child_weight / step.1,
    };
    search_columns(bins, histogram, columns, total, &mut bar, open, &mut best);
    best.map(|split: Split| Split { gain: split.gain * unit, ..split })
}

multiversion! {
    fn search_columns(
        bins: &Bins, histogram: &[i64], columns: &[u32], total: i64, bar: &mut Bar, open: &mut Vec<u32>,
        best: &mut Option<Split>,
    ) {
        const FULL: usize = 256 + LANES;
        let mut filled = Filled { bins: [0; FULL], words: [0; FULL], g: [0; FULL], h: [0; FULL], len: 0 };
        for &c in columns {
            let column = &bins.columns[c as usize];
            let slots = &histogram[column.first..column.first + column.bins];
            let values = column.cuts.len();
            let place = usize::from(column.default);
            filled.len = 0;
            let before = filled.collect(&slots[..place.min(values)], 0);
            let middle = filled.len;
            if place < values {
                // The default bin, which is known once all others are.
                filled.push(place, 0);
            }
            let after = if place < values { filled.collect(&slots[place + 1..values], place + 1) } else { 0 };
            let absent = if column.has_missing() { slots[values] } else { 0 };
            let outside = before.wrapping_add(after).wrapping_add(absent);
            if outside == 0 || f64::from(h_of(outside)) < bar.least {
                continue;
            }
            open.push(c);
            let default = total.wrapping_sub(outside);
            let missing = if place == values { default } else { absent };
            if place < values {
                filled.words[middle] = default;
            }
            filled.run();
            // With missing values, these alone may go right.
            let candidates = if missing == 0 { filled.len.saturating_sub(1) } else { filled.len };
            let found = scan(&filled, candidates, total, 0, bar);
            keep(found, c, false, &filled, 0, best);
            if missing != 0 {
                let found = scan(&filled, filled.len.saturating_sub(1), total, missing, bar);
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

    /// Sums up to each filled bin.
    #[inline(always)]
    fn run(&mut self) {
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
        *best = Some(Split { column: c, bin: filled.bins[i], missing_left, gain, left: word.wrapping_add(more) });
    }
}

/// The first candidate of the highest score above the bar, which is raised to it. `more` joins the left side.
///
/// Scores are compared crosswise, n > bar · d for the score n / d, so that no division is needed to see that a
/// candidate is not the best. Each step is a loop over [`LANES`] candidates, so that it becomes vector instructions.
#[inline(always)]
fn scan(filled: &Filled, candidates: usize, total: i64, more: i64, bar: &mut Bar) -> Option<(usize, f64)> {
    let (g_total, h_total) = (g_of(total), h_of(total));
    let (g_more, h_more) = (g_of(more), h_of(more));
    let Bar { lambda, alpha, least, .. } = *bar;
    // Sums are whole numbers, and a side without any h is no side.
    let least = (libm::ceil(least) as i32).max(1);
    let mut found = None;
    for at in (0..candidates).step_by(LANES) {
        let (Some(g), Some(h)) = (filled.g[at..].first_chunk::<LANES>(), filled.h[at..].first_chunk::<LANES>()) else {
            break;
        };
        let (mut n, mut d, mut fits) = ([0.0f64; LANES], [0.0f64; LANES], [false; LANES]);
        for i in 0..LANES {
            let (h, g) = (h[i].wrapping_add(h_more), g[i].wrapping_add(g_more));
            let (h_rest, g_rest) = (h_total.wrapping_sub(h), g_total.wrapping_sub(g));
            fits[i] = (h >= least) & (h_rest >= least);
            let (d_left, d_rest) = (f64::from(h) + lambda, f64::from(h_rest) + lambda);
            let (mut g, mut g_rest) = (f64::from(g), f64::from(g_rest));
            if alpha > 0.0 {
                (g, g_rest) = (shrink(g, alpha), shrink(g_rest, alpha));
            }
            n[i] = g * g * d_rest + g_rest * g_rest * d_left;
            d[i] = d_left * d_rest;
        }
        let mut any = 0;
        for i in 0..LANES {
            any |= u32::from(n[i] > bar.score * d[i]) & u32::from(fits[i]);
        }
        if any != 0 {
            for i in 0..LANES.min(candidates - at) {
                if fits[i] && n[i] > bar.score * d[i] && n[i] / d[i] > bar.score {
                    bar.score = n[i] / d[i];
                    found = Some((at + i, bar.score));
                }
            }
        }
    }
    found
}

#[inline(always)]
fn shrink(g: f64, alpha: f64) -> f64 {
    (g.abs() - alpha).max(0.0)
}

/// The better of splits found over consecutive columns, if making it pays: its gain is then over the node's own score.
pub(super) fn decide(found: &[Option<Split>], total: i64, rules: &Rules, step: (f64, f64)) -> Option<Split> {
    let best = found.iter().flatten().copied().reduce(|best, next| if next.gain > best.gain { next } else { best })?;
    let own = rules.score(f64::from(g_of(total)) * step.0, f64::from(h_of(total)) * step.1);
    let gain = best.gain - own;
    rules.accepts(gain).then_some(Split { gain, ..best })
}
