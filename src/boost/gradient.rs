//! Gradients as integers.
//!
//! Sums of floating-point numbers depend on their order; sums of integers do not. So every gradient is rounded once to a
//! multiple of a power of two, and sums are the same bits at any number of threads and in any order of the rows.
//! A word has 30 bits each for the sums of |g| and of h over all rows, so that both fit 64 bits and a histogram takes one
//! addition for each entry; splits are chosen by words. Their rounding error, at most 2^-31 of the total for each row, is
//! that of sums in f32, as in XGBoost. The next 16 bits of either, the *rest*, are stored separately; leaf values and
//! covers use both, so their rounding error is at most 2^-47 of the total for each row.

use super::loss::Loss;
use crate::core::simd::{multiversion, prefetch};
use crate::core::{numerics, parallel};
use std::ops::Range;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

/// Rows that one task works on.
const PIECE: usize = 4096;

/// Sum |g| or sum h on the coarse grid stays below 2^30 before rounding.
const COARSE_BITS: u32 = 30;

/// Bits of g and of h in a rest.
const REST_BITS: u32 = 16;

/// Prefetch distance, in rows.
const AHEAD: usize = 128;

/// Rows whose gradients are computed together.
pub(super) const LOT: usize = 256;

/// Changes of margins are stored in f32 in units of 4, so that they span the whole range of f32, as targets may.
pub(super) const UNIT: f32 = 4.0;

/// The margin of a row whose trees add up to `moved` units.
#[inline(always)]
pub(super) fn margin(base: f64, moved: f32) -> f64 {
    base + f64::from(UNIT) * f64::from(moved)
}

/// Gradients of one output at one round.
#[derive(Clone, Debug, Default)]
pub(super) struct Gradients {
    /// For each row g (upper 32 bits, signed) and h (lower 32 bits) on the coarse grid; 0 for rows that are left out.
    pub(super) packed: Vec<i64>,
    /// Sum of the words.
    pub(super) total: i64,
    /// Step of the coarse grid, for g and h.
    pub(super) step: (f64, f64),
    /// Remainders of g and h beyond the words, in fractions of their steps.
    rests: Vec<(i16, i16)>,
    /// Number of bits of the rests of g and h.
    rest_bits: (u32, u32),
}

impl Gradients {
    /// Gradients at margins `base` + `moves` (in [`UNIT`]s); no weight is above `heaviest`. `write_targets` writes the
    /// targets and the weights of some rows, at most [`LOT`] at a time; weights that it never writes are 1. `fine` is
    /// work space: gradients are first computed on a fine grid, of at most 61 bits for the sums, and rounded to the
    /// coarse one once the sums are known.
    pub(super) fn compute(
        &mut self,
        loss: Loss,
        base: f64,
        moves: &[f32],
        heaviest: f64,
        write_targets: impl Fn(Range<usize>, &mut [f64], &mut [f64]) + Sync + Send,
        fine: &mut Vec<(i64, i64)>,
    ) {
        let n = moves.len();
        let (g_limit, h_limit) = match loss {
            Loss::Logistic { positive_weight } => (positive_weight.max(1.0), positive_weight.max(1.0)),
            Loss::Squared => {
                let worst = parallel::map_ranges(n, LOT, |range| {
                    let (mut y, mut w) = ([0.0; LOT], [1.0; LOT]);
                    write_targets(range.clone(), &mut y[..range.len()], &mut w[..range.len()]);
                    let gaps = range.zip(y.iter().zip(&w));
                    gaps.map(|(i, (y, &w))| if w > 0.0 { (margin(base, moves[i]) - y).abs() } else { 0.0 })
                        .fold(0.0, f64::max)
                });
                (worst.into_iter().fold(f64::MIN_POSITIVE, f64::max), 1.0)
            }
        };
        let (g_scale, h_scale) = (fine_scale(n, g_limit * heaviest), fine_scale(n, h_limit * heaviest));
        fine.resize(n, (0, 0));
        // Sums of integers, so their order does not matter.
        let (g_total, h_total, total) = (AtomicU64::new(0), AtomicU64::new(0), AtomicI64::new(0));
        parallel::for_each_chunk(fine, PIECE, |piece, fine| {
            let (mut y, mut w, mut sums) = ([0.0; LOT], [1.0; LOT], (0u64, 0u64));
            for (lot, fine) in fine.chunks_mut(LOT).enumerate() {
                let first = piece * PIECE + lot * LOT;
                write_targets(first..first + fine.len(), &mut y[..fine.len()], &mut w[..fine.len()]);
                // Fetches the next lot while this one is computed.
                (first + LOT..first + 2 * LOT).step_by(16).for_each(|row| prefetch(moves, row));
                let moves = &moves[first..first + fine.len()];
                let sum = differentiate(loss, base, moves, &y, &w, (g_scale, h_scale), fine);
                sums = (sums.0 + sum.0, sums.1 + sum.1);
            }
            g_total.fetch_add(sums.0, Relaxed);
            h_total.fetch_add(sums.1, Relaxed);
        });
        let shift = |total: u64| (u64::BITS - total.leading_zeros()).saturating_sub(COARSE_BITS);
        let shift = (shift(g_total.into_inner()), shift(h_total.into_inner()));
        self.step = ((1u64 << shift.0) as f64 / g_scale, (1u64 << shift.1) as f64 / h_scale);
        self.rest_bits = (shift.0.min(REST_BITS), shift.1.min(REST_BITS));
        self.packed.resize(n, 0);
        self.rests.resize(n, (0, 0));
        let mut pieces: Vec<_> = self.packed.chunks_mut(PIECE).zip(self.rests.chunks_mut(PIECE)).collect();
        parallel::for_each_chunk(&mut pieces, 1, |piece, pieces| {
            for (packed, rests) in pieces {
                total.fetch_add(coarsen(&fine[piece * PIECE..], shift, packed, rests), Relaxed);
            }
        });
        self.total = total.into_inner();
    }

    /// Sums of g and h over the rows of each of `count` leaves, exact on the grid of the rests.
    pub(super) fn sums(&self, count: usize, leaf_of: impl Fn(usize) -> usize + Sync + Send) -> Vec<(i64, i64)> {
        // Consecutive rows are often of one leaf: several accumulators for each break the dependency chain.
        const APART: usize = 4;
        let parts = parallel::map_ranges(self.packed.len(), (4 * PIECE).max(count), |range| {
            let mut sums = vec![(0i64, 0i64); count * APART];
            for (i, (&word, &(g, h))) in range.clone().zip(self.packed[range.clone()].iter().zip(&self.rests[range])) {
                prefetch(&self.packed, i + AHEAD);
                let sum = &mut sums[leaf_of(i) * APART + i % APART];
                sum.0 += (i64::from(g_of(word)) << self.rest_bits.0) + i64::from(g);
                sum.1 += (i64::from(h_of(word)) << self.rest_bits.1) + i64::from(h);
            }
            sums
        });
        let mut sums = vec![(0, 0); count];
        for (sum, i) in parts.iter().flat_map(|part| part.iter().zip(0..)) {
            let to: &mut (i64, i64) = &mut sums[i / APART];
            *to = (to.0 + sum.0, to.1 + sum.1);
        }
        sums
    }

    /// A sum of [`Gradients::sums`] in real units.
    pub(super) fn real(&self, (g, h): (i64, i64)) -> (f64, f64) {
        let part = |bits: u32| 1.0 / (1u64 << bits) as f64;
        (g as f64 * (self.step.0 * part(self.rest_bits.0)), h as f64 * (self.step.1 * part(self.rest_bits.1)))
    }
}

multiversion! {
    widest:
    /// First and second derivatives, in steps of the fine grid; returns the sums of their absolute values.
    fn differentiate(
        loss: Loss, base: f64, moves: &[f32], y: &[f64; LOT], w: &[f64; LOT], scale: (f64, f64), fine: &mut [(i64, i64)],
    ) -> (u64, u64) {
        let (mut g, mut h) = ([0.0; LOT], [0.0; LOT]);
        let n = moves.len().min(LOT);
        match loss {
            Loss::Logistic { positive_weight } => {
                for i in 0..n {
                    let p = numerics::sigmoid(margin(base, moves[i]));
                    let weight = if y[i] > 0.5 { w[i] * positive_weight } else { w[i] };
                    g[i] = (p - y[i]) * weight * scale.0;
                    h[i] = (p * (1.0 - p)).max(1e-16) * weight * scale.1;
                }
            }
            Loss::Squared => {
                for i in 0..n {
                    g[i] = (margin(base, moves[i]) - y[i]) * w[i] * scale.0;
                    h[i] = w[i] * scale.1;
                }
            }
        }
        let mut sums = (0, 0);
        for (fine, (&g, &h)) in fine.iter_mut().zip(g.iter().zip(&h)) {
            *fine = (whole(g), whole(h));
            sums = (sums.0 + fine.0.unsigned_abs(), sums.1 + fine.1.unsigned_abs());
        }
        sums
    }
}

multiversion! {
    widest:
    /// Writes the words and the rests of some rows; returns the sum of the words.
    fn coarsen(fine: &[(i64, i64)], shift: (u32, u32), packed: &mut [i64], rests: &mut [(i16, i16)]) -> i64 {
        let mut sum = 0i64;
        for ((slot, rest), &(g, h)) in packed.iter_mut().zip(rests).zip(fine) {
            let (coarse_g, coarse_h) = (round_shift(g, shift.0), round_shift(h, shift.1));
            *slot = pack(coarse_g, coarse_h);
            *rest = (rest_of(g, coarse_g, shift.0), rest_of(h, coarse_h, shift.1));
            sum = sum.wrapping_add(*slot);
        }
        sum
    }
}

/// The power of two by which n values of at most `limit` stay below 2^61 in sum, and each below 2^50.
fn fine_scale(n: usize, limit: f64) -> f64 {
    let rows = libm::ceil(libm::log2(n as f64)) as i32;
    let bits = (61 - rows).min(50) - libm::ceil(libm::log2(limit)) as i32;
    libm::ldexp(1.0, bits.clamp(-900, 900))
}

/// The nearest integer to a value below 2^51: adding 1.5 x 2^52 leaves it in the low bits.
#[inline(always)]
fn whole(value: f64) -> i64 {
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    (value + SHIFT).to_bits().wrapping_sub(SHIFT.to_bits()) as i64
}

/// value / 2^shift, rounded to nearest.
#[inline(always)]
fn round_shift(value: i64, shift: u32) -> i64 {
    (value + ((1i64 << shift) >> 1)) >> shift
}

/// The highest bits of value - coarse 2^shift, which is at least -2^(shift - 1) and below 2^(shift - 1).
#[inline(always)]
fn rest_of(value: i64, coarse: i64, shift: u32) -> i16 {
    let rest = round_shift(value - (coarse << shift), shift - shift.min(REST_BITS));
    rest.min(i64::from(i16::MAX)) as i16
}

/// g and h in one word. Words add up to the word of the sums as long as sums of h stay within 0 to 2^32.
#[inline(always)]
fn pack(g: i64, h: i64) -> i64 {
    (g << 32) + h
}

/// The g of a word.
#[inline(always)]
pub(super) fn g_of(word: i64) -> i32 {
    (word >> 32) as i32
}

/// The h of a word, below 2^31.
#[inline(always)]
pub(super) fn h_of(word: i64) -> i32 {
    word as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_add_up() {
        let parts = [(5i64, 7i64), (-9, 0), (-(1 << 29), 1 << 29), (3, 2)];
        let word = parts.iter().fold(0i64, |sum, &(g, h)| sum.wrapping_add(pack(g, h)));
        assert_eq!(i64::from(g_of(word)), parts.iter().map(|p| p.0).sum::<i64>());
        assert_eq!(i64::from(h_of(word)), parts.iter().map(|p| p.1).sum::<i64>());
        assert_eq!([round_shift(5, 1), round_shift(-5, 1), round_shift(7, 0), round_shift(-7, 2)], [3, -2, 7, -2]);
    }

    #[test]
    fn both_grids_are_close_to_the_real_sums() {
        let n = 10_000;
        let moves: Vec<f32> = (0..n).map(|i| (i % 97) as f32 * 0.05 - 2.25).collect();
        let margins: Vec<f64> = moves.iter().map(|&moved| margin(0.0, moved)).collect();
        let row = |i: usize| (f64::from(i as u8 & 1), f64::from(i as u8 % 5) * 0.5);
        let write = |range: Range<usize>, y: &mut [f64], w: &mut [f64]| {
            range.zip(y.iter_mut().zip(w)).for_each(|(i, (y, w))| (*y, *w) = row(i));
        };
        for loss in [Loss::Logistic { positive_weight: 3.0 }, Loss::Squared] {
            let mut gradients = Gradients::default();
            gradients.compute(loss, 0.0, &moves, 2.0, write, &mut Vec::new());
            let (mut g, mut h) = (0.0, 0.0);
            for i in 0..n {
                let ((target, weight), p) = (row(i), numerics::sigmoid(margins[i]));
                match loss {
                    Loss::Logistic { .. } => {
                        let weight = if target > 0.5 { 3.0 * weight } else { weight };
                        g += (p - target) * weight;
                        h += p * (1.0 - p) * weight;
                    }
                    Loss::Squared => {
                        g += (margins[i] - target) * weight;
                        h += weight;
                    }
                }
            }
            let fine = gradients.real(gradients.sums(1, |_| 0)[0]);
            assert!((fine.0 - g).abs() < 1e-8 * g.abs() && (fine.1 - h).abs() < 1e-8 * h, "{fine:?} {g} {h}");
            let word = gradients.packed.iter().sum::<i64>();
            let coarse = (f64::from(g_of(word)) * gradients.step.0, f64::from(h_of(word)) * gradients.step.1);
            assert!((coarse.0 - g).abs() < 1e-5 * g.abs() && (coarse.1 - h).abs() < 1e-6 * h, "{coarse:?} {g} {h}");
        }
    }
}
