//! What one pass over the rows tells of the columns, and the model of directions found in them.

use super::PcaModel;
use super::orthonormal::complete;
use crate::core::linalg::{self, pairs};
use crate::core::simd::multiversion;
use crate::core::{Rows, parallel};
use ndarray::Array2;
use std::ops::Range;

/// Adding and subtracting it rounds an f32 of less than 2²² to a whole number; larger ones do not come into question.
const ROUND: f32 = 12_582_912.0;

/// What is known of the columns before any product: mean, and what is taken off each value.
pub(super) struct Frame {
    pub(super) mean: Vec<f64>,
    /// Columns that vary.
    pub(super) live: Vec<usize>,
    /// For each live column 0, where a quarter of the values or more are 0, else the mean. Either way the mean is at most
    /// √3 standard deviations away (with a share p of zeros, variance ≥ p mean²/(1 − p)), so that sums of products about
    /// the shift lose at most two bits when they are moved to the mean; and zeros stay zeros, which need no products.
    pub(super) shift: Vec<f64>,
    /// mean − shift, in live columns.
    pub(super) rest: Vec<f64>,
    /// Whether all shifted values are whole numbers small enough for [`pairs::outer_sum`]: then no sum is rounded, and the
    /// order of the rows does not matter.
    pub(super) narrow: bool,
}

/// What is counted of each column in one pass.
struct Tally {
    sums: Vec<f64>,
    zeros: Vec<u32>,
    low: Vec<f32>,
    high: Vec<f32>,
    /// Values that are no whole numbers.
    broken: Vec<u32>,
}

multiversion! {
    /// Counts one row.
    fn tally(row: &[f32], sums: &mut [f64], zeros: &mut [u32], low: &mut [f32], high: &mut [f32], broken: &mut [u32]) {
        for (sum, &x) in sums.iter_mut().zip(row) {
            *sum += f64::from(x);
        }
        for (((zeros, broken), (low, high)), &x) in
            zeros.iter_mut().zip(broken).zip(low.iter_mut().zip(high)).zip(row)
        {
            *zeros += u32::from(x == 0.0);
            *broken |= u32::from((x + ROUND) - ROUND != x);
            *low = if x < *low { x } else { *low };
            *high = if x > *high { x } else { *high };
        }
    }
}

multiversion! {
    /// The whole numbers of at most 15 bits that stretches of a row are once they are shifted.
    pub(super) fn whole(row: &[f32], stretches: &[Range<usize>], shift: &[f32], out: &mut [i16]) {
        let mut at = 0;
        for stretch in stretches {
            let values = &row[stretch.clone()];
            let end = at + values.len();
            for ((out, &x), &s) in out[at..end].iter_mut().zip(values).zip(&shift[at..end]) {
                // The lowest bits of what rounds to a whole number hold it.
                *out = ((x - s) + ROUND).to_bits() as i16;
            }
            at = end;
        }
    }
}

impl Tally {
    fn new(columns: usize) -> Self {
        Tally {
            sums: vec![0.0; columns],
            zeros: vec![0; columns],
            low: vec![f32::INFINITY; columns],
            high: vec![f32::NEG_INFINITY; columns],
            broken: vec![0; columns],
        }
    }

    fn add(&mut self, row: &[f32]) {
        tally(row, &mut self.sums, &mut self.zeros, &mut self.low, &mut self.high, &mut self.broken);
    }

    fn merge(&mut self, other: &Tally) {
        for c in 0..self.sums.len() {
            self.sums[c] += other.sums[c];
            self.zeros[c] += other.zeros[c];
            self.low[c] = self.low[c].min(other.low[c]);
            self.high[c] = self.high[c].max(other.high[c]);
            self.broken[c] |= other.broken[c];
        }
    }
}

impl Frame {
    pub(super) fn of(rows: &Rows<'_>, pick: &[u32]) -> Frame {
        let (n, columns) = (pick.len(), rows.columns());
        // Pieces of a fixed size, added up in their order.
        let parts = parallel::map_ranges(n, 2048, |range| {
            let mut tally = Tally::new(columns);
            pick[range].iter().for_each(|&i| tally.add(rows.row(i as usize)));
            tally
        });
        let mut all = Tally::new(columns);
        parts.iter().for_each(|part| all.merge(part));
        let varies = |c: usize| all.low[c] < all.high[c];
        // A constant column's mean is that constant, whatever rounding makes of its sum. A zero has one sign.
        let mean = |c: usize| if varies(c) { all.sums[c] / n as f64 } else { f64::from(all.low[c]) };
        let mean: Vec<f64> = (0..columns).map(|c| mean(c) + 0.0).collect();
        let live: Vec<usize> = (0..columns).filter(|&c| varies(c)).collect();
        // The shift is a value of the column's range, or a mean within it, rounded.
        let narrow = live.iter().all(|&c| {
            let (low, high) = (f64::from(all.low[c]), f64::from(all.high[c]));
            all.broken[c] == 0 && high - low <= pairs::NARROW && low.abs().max(high.abs()) < 1e6
        });
        let shift: Vec<f64> = live
            .iter()
            .map(|&c| match narrow {
                _ if 4 * all.zeros[c] as usize >= n => 0.0,
                true => libm::round(mean[c]),
                false => mean[c],
            })
            .collect();
        let rest = live.iter().zip(&shift).map(|(&c, s)| mean[c] - s).collect();
        Frame { mean, live, shift, rest, narrow }
    }

    /// Whether [`exact`] gives the same bits for any order of `n` rows.
    pub(super) fn any_order(&self, n: usize) -> bool {
        self.narrow && self.live.len() <= n
    }

    /// Stretches of live columns.
    pub(super) fn stretches(&self) -> Vec<Range<usize>> {
        self.live.chunk_by(|a, b| a + 1 == *b).map(|s| s[0]..s[0] + s.len()).collect()
    }

    /// A row's live columns, shifted.
    pub(super) fn shifted(&self, row: &[f32], out: &mut [f64]) {
        if self.live.len() == row.len() {
            out.iter_mut().zip(row).zip(&self.shift).for_each(|((out, &x), s)| *out = f64::from(x) - s);
        } else {
            out.iter_mut().zip(&self.live).zip(&self.shift).for_each(|((out, &c), s)| *out = f64::from(row[c]) - s);
        }
    }

    /// The model of eigenpairs of the sums of squares: `values` falling, `vectors` over live columns, row after row.
    pub(super) fn model(self, n: usize, keep: usize, values: &[f64], vectors: &[f64], total: f64) -> PcaModel {
        let (columns, live) = (self.mean.len(), self.live.len());
        let degrees = (n.max(2) - 1) as f64;
        let mut found: Vec<Vec<f64>> = Vec::with_capacity(keep);
        for j in 0..keep {
            let mut direction = vec![0.0; columns];
            if let Some(vector) = vectors.get(j * live..(j + 1) * live).filter(|_| live > 0) {
                self.live.iter().zip(vector).for_each(|(&c, &x)| direction[c] = x);
            } else {
                // Columns that never vary, or dimensions that rows do not reach: any direction that is left.
                complete(&mut direction, &found);
            }
            let sign = linalg::sign_of_largest(&direction);
            direction.iter_mut().for_each(|x| *x *= sign);
            found.push(direction);
        }
        let explained: Vec<f64> = (0..keep).map(|j| values.get(j).map_or(0.0, |v| v.max(0.0) / degrees)).collect();
        let ratio: Vec<f64> =
            explained.iter().map(|v| if total > 0.0 { (v * degrees / total).min(1.0) } else { 0.0 }).collect();
        PcaModel {
            components: Array2::from_shape_fn((keep, columns), |(j, c)| found[j][c]),
            mean: self.mean.into(),
            explained_variance: explained.into(),
            explained_variance_ratio: ratio.into(),
            whiten: false,
        }
    }
}
