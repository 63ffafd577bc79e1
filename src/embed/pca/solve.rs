//! The directions themselves: exact on either side, and randomized.

use super::PcaModel;
use crate::core::linalg::{self, dense, pairs, product};
use crate::core::random::Stream;
use crate::core::simd::multiversion;
use crate::core::{Rows, parallel};
use crate::{Error, Result};
use ndarray::Array2;
use std::ops::Range;

/// Directions that a randomized fit carries beyond those it is asked for.
const MORE: usize = 10;
/// Pieces whose sums of columns x directions are held at once by a randomized fit.
const WAVE: usize = 8;
/// Rows in such a piece.
const PIECE: usize = 512;

/// Adding and subtracting it rounds an f32 of less than 2²² to a whole number; larger ones do not come into question.
const ROUND: f32 = 12_582_912.0;

const UNSETTLED: Error = Error::Unsolved {
    method: "principal components",
    reason: "the squares of the values are too large to be added up; divide the columns by some constant",
};

/// Exact principal components of the picked rows, whose order must depend on content alone.
pub(crate) fn principal(rows: &Rows<'_>, pick: &[u32], most: usize) -> Result<PcaModel> {
    exact(Frame::of(rows, pick), rows, pick, most, &|| Ok(()))
}

/// What is known of the columns before any product: mean, and what is taken off each value.
pub(super) struct Frame {
    mean: Vec<f64>,
    /// Columns that vary.
    live: Vec<usize>,
    /// For each live column 0, where a quarter of the values or more are 0, else the mean. Either way the mean is at most
    /// √3 standard deviations away (with a share p of zeros, variance ≥ p mean²/(1 − p)), so that sums of products about
    /// the shift lose at most two bits when they are moved to the mean; and zeros stay zeros, which need no products.
    shift: Vec<f64>,
    /// mean − shift, in live columns.
    rest: Vec<f64>,
    /// Whether all shifted values are whole numbers small enough for [`pairs::outer_sum`]: then no sum is rounded, and the
    /// order of the rows does not matter.
    narrow: bool,
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
    fn whole(row: &[f32], stretches: &[Range<usize>], shift: &[f32], out: &mut [i16]) {
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
        // A constant column's mean is that constant, whatever rounding makes of its sum.
        let mean: Vec<f64> =
            (0..columns).map(|c| if varies(c) { all.sums[c] / n as f64 } else { f64::from(all.low[c]) }).collect();
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
    fn stretches(&self) -> Vec<Range<usize>> {
        self.live.chunk_by(|a, b| a + 1 == *b).map(|s| s[0]..s[0] + s.len()).collect()
    }

    /// A row's live columns, shifted.
    fn shifted(&self, row: &[f32], out: &mut [f64]) {
        if self.live.len() == row.len() {
            out.iter_mut().zip(row).zip(&self.shift).for_each(|((out, &x), s)| *out = f64::from(x) - s);
        } else {
            out.iter_mut().zip(&self.live).zip(&self.shift).for_each(|((out, &c), s)| *out = f64::from(row[c]) - s);
        }
    }

    /// The model of eigenpairs of the sums of squares: `values` falling, `vectors` over live columns, row after row.
    fn model(self, n: usize, keep: usize, values: &[f64], vectors: &[f64], total: f64) -> PcaModel {
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

pub(super) fn exact(
    frame: Frame,
    rows: &Rows<'_>,
    pick: &[u32],
    most: usize,
    step: &(dyn Fn() -> Result<()> + Sync),
) -> Result<PcaModel> {
    let n = pick.len();
    let keep = most.min(n).min(rows.columns());
    let m = frame.live.len();
    step()?;
    if m == 0 {
        return Ok(frame.model(n, keep, &[], &[], 0.0));
    }
    // The eigenvalues of both sides are the squared singular values of the centred rows.
    if m <= n {
        let row = |i: usize| rows.row(pick[i] as usize);
        let mut sums = if frame.narrow {
            let stretches = frame.stretches();
            let shift: Vec<f32> = frame.shift.iter().map(|&s| s as f32).collect();
            pairs::outer_sum(n, m, |i, out| whole(row(i), &stretches, &shift, out))
        } else {
            product::outer_sum(n, m, |i, out| frame.shifted(row(i), out))
        };
        for i in 0..m {
            for j in 0..=i {
                sums[i * m + j] -= n as f64 * frame.rest[i] * frame.rest[j];
            }
        }
        step()?;
        let total = (0..m).map(|i| sums[i * m + i].max(0.0)).sum();
        let eigen = linalg::largest(&sums, m, keep.min(m)).ok_or(UNSETTLED)?;
        Ok(frame.model(n, keep, &eigen.values, &eigen.vectors, total))
    } else {
        let mut centred = vec![0.0; n * m];
        parallel::for_each_chunk(&mut centred, m, |i, out| {
            let row = rows.row(pick[i] as usize);
            out.iter_mut().zip(&frame.live).for_each(|(out, &c)| *out = f64::from(row[c]) - frame.mean[c]);
        });
        let gram = parallel::map(n, |i| {
            let x = &centred[i * m..(i + 1) * m];
            (0..n).map(|j| if j <= i { dense::dot(x, &centred[j * m..(j + 1) * m]) } else { 0.0 }).collect::<Vec<_>>()
        })
        .concat();
        step()?;
        let total = (0..n).map(|i| gram[i * n + i]).sum();
        let eigen = linalg::largest(&gram, n, keep).ok_or(UNSETTLED)?;
        let directions = from_gram(&eigen.values, &eigen.vectors, &centred, n, m);
        Ok(frame.model(n, keep, &eigen.values, &directions, total))
    }
}

/// Eigenpairs (λ, u) of X X' give directions X'u / √λ. Directions without variance are filled up with unit vectors made
/// orthogonal to the others.
fn from_gram(values: &[f64], vectors: &[f64], centred: &[f64], n: usize, m: usize) -> Vec<f64> {
    let mut directions: Vec<Vec<f64>> = Vec::with_capacity(values.len());
    for (j, &value) in values.iter().enumerate() {
        let mut direction = vec![0.0; m];
        if value > 1e-12 * values[0].max(0.0) && value > 0.0 {
            product::add_rows(&vectors[j * n..(j + 1) * n], centred, &mut direction);
        }
        complete(&mut direction, &directions);
        directions.push(direction);
    }
    directions.concat()
}

/// Randomized subspace iteration: Z := orth(C Z), `power` + 1 times from a random block, C the centred rows' sums of
/// products, then the eigenpairs of Z'C Z (Halko, Martinsson, Tropp 2011, "Finding structure with randomness", SIAM Review
/// 53(2), algorithms 4.4 and 5.3). Their block starts half a step later: it holds A'A times ours.
///
/// C is never made: C Z = Σ over rows x (x'Z).
pub(super) fn randomized(
    rows: &Rows<'_>,
    pick: &[u32],
    most: usize,
    power: usize,
    draws: Stream,
    step: &(dyn Fn() -> Result<()> + Sync),
) -> Result<PcaModel> {
    let n = pick.len();
    let keep = most.min(n).min(rows.columns());
    let frame = Frame::of(rows, pick);
    let m = frame.live.len();
    if m == 0 {
        return Ok(frame.model(n, keep, &[], &[], 0.0));
    }
    let block = (keep + MORE).min(m);
    // Rows of `z` are columns of the table: m x block.
    let mut z: Vec<f64> = (0..m * block).map(|at| draws.normal(at as u64)).collect();
    let mut total = 0.0;
    let mut image = Vec::new();
    for round in 0..power + 2 {
        step()?;
        z = orthonormal(z, m, block);
        (image, total) = times_covariance(&frame, rows, pick, &z, block);
        if image.iter().any(|x| !x.is_finite()) {
            return Err(UNSETTLED);
        }
        if round <= power {
            z.copy_from_slice(&image);
        }
    }
    let mut ritz = vec![0.0; block * block];
    for (z, p) in z.chunks_exact(block).zip(image.chunks_exact(block)) {
        product::add_product(z, p, &mut ritz);
    }
    let eigen = linalg::largest(&ritz, block, keep.min(block)).ok_or(UNSETTLED)?;
    let mut directions = vec![0.0; keep.min(block) * m];
    for (j, direction) in directions.chunks_exact_mut(m).enumerate() {
        let turn = &eigen.vectors[j * block..(j + 1) * block];
        direction.iter_mut().zip(z.chunks_exact(block)).for_each(|(out, z)| *out = dense::dot(turn, z));
    }
    Ok(frame.model(n, keep, &eigen.values, &directions, total))
}

/// C Z (m x block), and the trace of C.
fn times_covariance(frame: &Frame, rows: &Rows<'_>, pick: &[u32], z: &[f64], block: usize) -> (Vec<f64>, f64) {
    let (n, m) = (pick.len(), frame.live.len());
    let (mut sums, mut total) = (vec![0.0; m * block], 0.0);
    for wave in pick.chunks(WAVE * PIECE) {
        let parts = parallel::map_ranges(wave.len(), PIECE, |range| {
            let (mut sums, mut squares) = (vec![0.0; m * block], 0.0);
            let (mut x, mut y) = (vec![0.0; m], vec![0.0; block]);
            for &i in &wave[range] {
                frame.shifted(rows.row(i as usize), &mut x);
                y.fill(0.0);
                product::add_rows(&x, z, &mut y);
                product::add_product(&x, &y, &mut sums);
                squares += dense::dot(&x, &x);
            }
            (sums, squares)
        });
        for (part, squares) in parts {
            sums.iter_mut().zip(&part).for_each(|(sum, x)| *sum += x);
            total += squares;
        }
    }
    // From products about the shift to products about the mean.
    let mut y = vec![0.0; block];
    product::add_rows(&frame.rest, z, &mut y);
    y.iter_mut().for_each(|y| *y *= -(n as f64));
    product::add_product(&frame.rest, &y, &mut sums);
    (sums, total - n as f64 * dense::dot(&frame.rest, &frame.rest))
}

/// The block's columns made orthonormal, one after the other and twice; those that depend on others become any direction.
fn orthonormal(z: Vec<f64>, m: usize, block: usize) -> Vec<f64> {
    let mut columns: Vec<Vec<f64>> = Vec::with_capacity(block);
    for j in 0..block {
        let mut column: Vec<f64> = (0..m).map(|c| z[c * block + j]).collect();
        complete(&mut column, &columns);
        columns.push(column);
    }
    let mut z = z;
    for (j, column) in columns.iter().enumerate() {
        column.iter().enumerate().for_each(|(c, &x)| z[c * block + j] = x);
    }
    z
}

/// Makes a vector orthonormal to the others; from a unit vector where nothing of it is left.
fn complete(direction: &mut [f64], others: &[Vec<f64>]) {
    let mut axis = 0;
    loop {
        // Brought to a length near one first, so that squares neither overflow nor vanish.
        let most = direction.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        if most > 0.0 {
            direction.iter_mut().for_each(|x| *x /= most);
        }
        let before = libm::sqrt(dense::dot(direction, direction));
        for _ in 0..2 {
            for other in others {
                let along = dense::dot(direction, other);
                direction.iter_mut().zip(other).for_each(|(d, o)| *d -= along * o);
            }
        }
        let norm = libm::sqrt(dense::dot(direction, direction));
        // What came in may lean far towards the others; of some axis a good part is always left.
        let least = if axis == 0 { 1e-10 } else { 1e-3 };
        if norm > least * before {
            direction.iter_mut().for_each(|x| *x /= norm);
            return;
        }
        if axis == direction.len() {
            return;
        }
        direction.fill(0.0);
        direction[axis] = 1.0;
        axis += 1;
    }
}
