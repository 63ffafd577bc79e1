//! Principal components of sparse rows: the randomized directions of [`super::solve`], by entries alone.
//!
//! The mean is taken off what comes of a row, not off the row: with Y = X Z − 1 (m'Z), C Z = X'Y − m (1'Y).

use super::PcaModel;
use super::frame::Frame;
use super::orthonormal::orthonormal;
use super::solve::{MORE, UNSOLVED, ritz};
use crate::core::random::Stream;
use crate::core::{Result, SparseColumns, SparseRows, parallel};

/// Rows in a piece of parallel work, and columns.
const PIECE: usize = 256;

impl Frame {
    /// What the entries tell of the columns: those that vary, and means, which are never taken off.
    fn sparse(columns: &SparseColumns, n: usize) -> Frame {
        let ends = |c: usize| {
            let (_, values) = columns.column(c);
            let zero = if values.len() < n { (0.0f32, 0.0f32) } else { (f32::INFINITY, f32::NEG_INFINITY) };
            values.iter().fold(zero, |(low, high), &x| (low.min(x), high.max(x)))
        };
        let mean = |c: usize| match ends(c) {
            (low, high) if low < high => columns.column(c).1.iter().map(|&x| f64::from(x)).sum::<f64>() / n as f64,
            (low, _) => f64::from(low),
        };
        let live: Vec<usize> = (0..columns.len()).filter(|&c| ends(c).0 < ends(c).1).collect();
        let mean: Vec<f64> = (0..columns.len()).map(mean).collect();
        let rest = live.iter().map(|&c| mean[c]).collect();
        Frame { shift: vec![0.0; live.len()], mean, live, rest, narrow: false }
    }
}

/// The leading principal components of sparse rows, `order` being canonical; see [`super::solve::randomized`].
pub(crate) fn leading(
    rows: &SparseRows,
    order: &[u32],
    most: usize,
    power: usize,
    draws: Stream,
    step: &(dyn Fn() -> Result<()> + Sync),
) -> Result<PcaModel> {
    let n = order.len();
    let columns = rows.by_column(order);
    let keep = most.min(n).min(columns.len());
    let frame = Frame::sparse(&columns, n);
    let m = frame.live.len();
    if m == 0 {
        return Ok(frame.model(n, keep, &[], &[], 0.0));
    }
    let block = (keep + MORE).min(m);
    let mut z: Vec<f64> = (0..m * block).map(|at| draws.normal(at as u64)).collect();
    let mut image = Vec::new();
    let product = Product::new(rows, order, &columns, &frame);
    for round in 0..power + 2 {
        step()?;
        z = orthonormal(z, m, block);
        image = product.times_covariance(&z, block);
        if image.iter().any(|x| !x.is_finite()) {
            return Err(UNSOLVED);
        }
        if round <= power {
            z.copy_from_slice(&image);
        }
    }
    let total = product.total;
    ritz(frame, n, keep, &z, &image, block, total)
}

/// The centred rows' sums of products, as something to multiply by.
struct Product<'a> {
    rows: &'a SparseRows,
    order: &'a [u32],
    columns: &'a SparseColumns,
    frame: &'a Frame,
    /// Place of each column among those that vary, or a number beyond them.
    place: Vec<u32>,
    total: f64,
}

impl<'a> Product<'a> {
    fn new(rows: &'a SparseRows, order: &'a [u32], columns: &'a SparseColumns, frame: &'a Frame) -> Self {
        let mut place = vec![u32::MAX; columns.len()];
        frame.live.iter().zip(0..).for_each(|(&c, at)| place[c] = at);
        let squares = |c: &usize| columns.column(*c).1.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>();
        let n = order.len() as f64;
        let total = frame.live.iter().map(|c| (squares(c) - n * frame.mean[*c] * frame.mean[*c]).max(0.0)).sum();
        Product { rows, order, columns, frame, place, total }
    }

    /// C Z (columns that vary x block).
    fn times_covariance(&self, z: &[f64], block: usize) -> Vec<f64> {
        let mut of_mean = vec![0.0; block];
        for (&m, z) in self.frame.rest.iter().zip(z.chunks_exact(block)) {
            of_mean.iter_mut().zip(z).for_each(|(sum, z)| *sum += m * z);
        }
        let mut y = vec![0.0; self.order.len() * block];
        parallel::for_each_chunk(&mut y, PIECE * block, |piece, out| {
            for (out, &row) in out.chunks_mut(block).zip(&self.order[piece * PIECE..]) {
                let (indices, values) = self.rows.row(row as usize);
                for (&column, &x) in indices.iter().zip(values) {
                    let at = self.place[column as usize] as usize;
                    if let Some(z) = z.get(at * block..(at + 1) * block) {
                        out.iter_mut().zip(z).for_each(|(y, z)| *y += f64::from(x) * z);
                    }
                }
                out.iter_mut().zip(&of_mean).for_each(|(y, m)| *y -= m);
            }
        });
        let mut all = vec![0.0; block];
        y.chunks_exact(block).for_each(|y| all.iter_mut().zip(y).for_each(|(sum, y)| *sum += y));
        let mut image = vec![0.0; z.len()];
        parallel::for_each_chunk(&mut image, PIECE * block, |piece, out| {
            for (i, out) in (piece * PIECE..).zip(out.chunks_mut(block)) {
                let mean = self.frame.rest[i];
                out.iter_mut().zip(&all).for_each(|(out, sum)| *out = -mean * sum);
                let (places, values) = self.columns.column(self.frame.live[i]);
                for (&place, &x) in places.iter().zip(values) {
                    let y = &y[place as usize * block..][..block];
                    out.iter_mut().zip(y).for_each(|(out, y)| *out += f64::from(x) * y);
                }
            }
        });
        image
    }
}
