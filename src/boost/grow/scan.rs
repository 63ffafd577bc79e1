//! The best split of one column.

use super::rules::{Bounds, Rules, saved, shrink, weight};
use super::split::Split;
use crate::boost::gradient::{g_of, h_of};

/// The non-empty bins of one column in a node, and their prefix sums, g and h separately.
///
/// An empty bin splits the rows as the bin before it does and can be left out; in small nodes most bins are empty.
pub(super) struct FilledBins {
    pub(super) bins: [u8; 256 + LANES],
    pub(super) words: [i64; 256 + LANES],
    pub(super) g: [i32; 256 + LANES],
    pub(super) h: [i32; 256 + LANES],
    pub(super) len: usize,
    /// Whether the prefix sums are those of all bins, empty ones too. An empty bin scores as the bin before it does, and
    /// the first of equals is taken, so both ways find the same split.
    pub(super) all: bool,
}

/// Bins that are compared together.
pub(super) const LANES: usize = 8;

/// A score below this share of the best one in f32 is below it in f64.
const MARGIN: f64 = 1.0 - 1e-5;

/// The best score so far and the parameters of scores, on the scale of the integers.
#[derive(Clone, Copy)]
pub(super) struct Bar {
    /// Best score so far, summed over both children.
    pub(super) score: f64,
    /// λ, α and the smallest H of a child, in steps of the grid.
    pub(super) lambda: f64,
    pub(super) alpha: f64,
    pub(super) least: f64,
    /// Whether any column has a monotone constraint; values are then clamped to `bounds`.
    pub(super) bound: bool,
    pub(super) bounds: Bounds,
}

impl Bar {
    /// The score of two children; None where one of them weighs too little or their values violate the constraint.
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
        let value = |(g, h): (f64, f64)| bounds.clamp(weight(g, h, lambda, alpha));
        let (w, v) = (value(a), value(b));
        let ordered = if direction > 0 { w <= v } else { direction == 0 || w >= v };
        ordered.then(|| saved(a.0, a.1, w, lambda, alpha) + saved(b.0, b.1, v, lambda, alpha))
    }
}

impl FilledBins {
    pub(super) fn new() -> Self {
        const FULL: usize = 256 + LANES;
        FilledBins { bins: [0; FULL], words: [0; FULL], g: [0; FULL], h: [0; FULL], len: 0, all: false }
    }

    #[inline(always)]
    pub(super) fn push(&mut self, bin: usize, word: i64) {
        self.bins[self.len] = bin as u8;
        self.words[self.len] = word;
        self.len += 1;
    }

    /// Appends the non-empty ones among consecutive bins from `first` on; returns their sum.
    #[inline(always)]
    pub(super) fn collect(&mut self, slots: &[i64], first: usize) -> i64 {
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

    /// Prefix sums over all bins, for nodes where hardly any is empty.
    #[inline(always)]
    pub(super) fn run_all(&mut self, slots: &[i64]) {
        self.all = true;
        let mut sum = 0i64;
        for ((g, h), &word) in self.g.iter_mut().zip(&mut self.h).zip(slots) {
            sum = sum.wrapping_add(word);
            (*g, *h) = (g_of(sum), h_of(sum));
        }
    }

    /// Prefix sums over the non-empty bins.
    #[inline(always)]
    pub(super) fn run(&mut self) {
        self.all = false;
        let mut sum = 0i64;
        for i in 0..self.len {
            sum = sum.wrapping_add(self.words[i]);
            self.g[i] = g_of(sum);
            self.h[i] = h_of(sum);
        }
    }
}

/// The first candidate of the highest score above the best so far, which is updated. `more` is added to the left side.
///
/// A score n / d is compared as n > best · d, so that rejecting a candidate needs no division. Most candidates are
/// rejected in f32: n and d are sums of products of non-negative numbers, so their relative rounding error, about 2^-20,
/// is well within [`MARGIN`]; the others are compared in f64. Each step is a loop over [`LANES`] candidates, which the
/// compiler vectorises.
#[inline(always)]
pub(super) fn scan(
    filled: &FilledBins,
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
    // Sums are integers, and a side must have some h.
    let least = (libm::ceil(least) as i32).max(1);
    // n then stays below 2^103, so best · d can only overflow where it is above n.
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

/// The same with monotone constraints.
fn scan_bound(
    filled: &FilledBins,
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

/// The best categorical split. Few categories are tried one against the rest; many are sorted by the value that each would
/// have as a leaf, and the sorted list is cut in two (Fisher 1958), at up to `max_cat_threshold` places from either end.
/// Missing values are tried on both sides. Categories without rows in the node go left.
#[inline(never)]
pub(super) fn divide(
    filled: &FilledBins,
    total: i64,
    missing: i64,
    categories: usize,
    rules: &Rules,
    bar: &mut Bar,
) -> Option<Split> {
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
            best = Some(Split { column: 0, bins: 0, categorical: true, right: set, missing_left, gain: score, left });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::random::Stream;

    #[test]
    fn rejecting_in_f32_changes_no_choice() {
        let draw = Stream::new(7, 1);
        for case in 0..400u64 {
            let stream = draw.of(case);
            let n = 2 + stream.bits(0) as usize % 255;
            // Steep, flat and tiny sums; many equal words, so that ties occur.
            let (size, kinds) = (1 << (stream.bits(1) % 22), 1 + stream.bits(2) % 40);
            let words: Vec<i64> = (0..n as u64)
                .map(|i| {
                    let kind = stream.of(3).bits(i) % kinds;
                    let (g, h) =
                        (stream.of(4).bits(kind) as i64 % size, (stream.of(5).bits(kind) % size as u64) as i64);
                    (g << 32) + h
                })
                .collect();
            let total = words.iter().fold(0i64, |sum, &word| sum.wrapping_add(word));
            let mut filled = FilledBins::new();
            filled.run_all(&words);
            for lambda in [0.0, 1.0, 1e5, 1e30, f64::INFINITY] {
                for (alpha, start) in [(0.0, 0.0), (3.0, 0.0), (0.0, 1e3)] {
                    let (bound, bounds, least) = (false, Bounds::NONE, 5.0);
                    let mut bar = Bar { score: start, lambda, alpha, least, bound, bounds };
                    let found = scan(&filled, n, total, 0, 0, &mut bar);
                    let (mut best, mut expected) = (start, None);
                    for i in 0..n {
                        let left = words[..=i].iter().fold(0i64, |sum, &word| sum.wrapping_add(word));
                        let side = |word| (shrink(f64::from(g_of(word)), alpha), f64::from(h_of(word)));
                        let ((g, h), (g_rest, h_rest)) = (side(left), side(total.wrapping_sub(left)));
                        let (d, d_rest) = (h + lambda, h_rest + lambda);
                        let (n, d) = (g * g * d_rest + g_rest * g_rest * d, d * d_rest);
                        if h >= least && h_rest >= least && n > best * d && n / d > best {
                            best = n / d;
                            expected = Some((i, best));
                        }
                    }
                    assert_eq!(found, expected, "case {case}, lambda {lambda}, alpha {alpha}");
                }
            }
        }
    }
}
