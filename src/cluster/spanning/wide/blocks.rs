//! Lower bounds on the distances of whole blocks of points: what makes wide data fast and keeps it exact.
//!
//! Beyond a few columns boxes prune nothing, so nearly all pairs have to be compared. What can be made cheap is the bound:
//! a block of 128 points against another is one product of two f32 matrices, whose entries bound the true values from
//! below ([`super::vectors`]), and only pairs whose bound passes are measured in f64 ([`super::exact`]).
//!
//! Which pairs are measured may differ from machine to machine, in pairs that do not matter; what comes out does not.

use super::vectors::{VectorSpace, Vectors};
use crate::cluster::spanning::kdtree::{CAP, larger};
use crate::cluster::spanning::norm::{Absolutes, Add, Largest, Norm};
use crate::core::{Rows, parallel, simd};
use ndarray::{ArrayView2, ArrayViewMut2, linalg::general_mat_mul};

/// Points in a block.
pub(crate) const BLOCK: usize = 128;

impl VectorSpace {
    /// The rows in `pick` in compact blocks.
    pub(crate) fn blocks(&self, rows: &Rows<'_>, pick: &[u32]) -> Blocks {
        let vectors = self.vectors(rows, pick);
        Blocks::new(&vectors, self.norm, Blocks::compact(&vectors, self.norm))
    }
}

/// Vectors in an order, in blocks.
pub(crate) struct Blocks {
    /// The point at each place.
    pub(crate) order: Vec<u32>,
    data: Vec<f32>,
    width: usize,
    norm: Norm,
    pub(crate) slack: f64,
    /// Mean of each block's vectors, and the distance of the farthest of them from it.
    centres: Vec<f64>,
    radius: Vec<f64>,
}

impl Blocks {
    pub(crate) fn new(vectors: &Vectors, norm: Norm, order: Vec<u32>) -> Self {
        let width = vectors.width;
        let inner = if norm == Norm::Squares { width - 2 } else { width };
        let mut data = vec![0.0; order.len() * width];
        parallel::for_each_chunk(&mut data, BLOCK * width, |chunk, out| {
            for (r, out) in out.chunks_mut(width).enumerate() {
                let from = order[chunk * BLOCK + r] as usize * width;
                out.copy_from_slice(&vectors.data[from..from + width]);
            }
        });
        let balls = parallel::map_ranges(order.len(), BLOCK, |range| {
            let vector = |i: usize| data[i * width..i * width + inner].iter().map(|&x| f64::from(x));
            let mut centre = vec![0.0; inner];
            for i in range.clone() {
                centre.iter_mut().zip(vector(i)).for_each(|(c, x)| *c += x);
            }
            centre.iter_mut().for_each(|c| *c /= range.len() as f64);
            let radius =
                range.fold(0.0, |most, i| larger(most, norm.distance(&vector(i).collect::<Vec<_>>(), &centre)));
            (centre, radius * (1.0 + 1e-9))
        });
        let radius = balls.iter().map(|ball| ball.1).collect();
        let centres = balls.into_iter().flat_map(|ball| ball.0).collect();
        Blocks { order, data, width, norm, slack: vectors.slack, centres, radius }
    }

    pub(crate) fn count(&self) -> usize {
        self.radius.len()
    }

    /// Places of a block.
    pub(crate) fn places(&self, block: usize) -> std::ops::Range<usize> {
        block * BLOCK..((block + 1) * BLOCK).min(self.order.len())
    }

    /// Distance of the centres of a block here and one of `other`, and the least distance of their vectors.
    pub(crate) fn gap(&self, block: usize, other: &Blocks, at: usize) -> (f64, f64) {
        let inner = self.centres.len() / self.radius.len();
        let (a, b) = (&self.centres[block * inner..][..inner], &other.centres[at * inner..][..inner]);
        let between = self.norm.distance(a, b);
        (between, between * (1.0 - 1e-9) - self.radius[block] - other.radius[at])
    }

    /// A block as queries.
    pub(crate) fn queries(&self, block: usize) -> Vec<f32> {
        let range = self.places(block);
        let mut left = self.data[range.start * self.width..range.end * self.width].to_vec();
        if self.norm == Norm::Squares {
            for vector in left.chunks_mut(self.width) {
                let (x, last) = vector.split_at_mut(self.width - 2);
                x.iter_mut().for_each(|x| *x *= -2.0);
                last.swap(0, 1);
            }
        }
        left
    }

    /// Bounds of queries against a block here, a row of [`BLOCK`] for each query.
    pub(crate) fn tile(&self, queries: &[f32], block: usize, out: &mut [f32]) {
        let range = self.places(block);
        let points = &self.data[range.start * self.width..range.end * self.width];
        match self.norm {
            Norm::Squares => {
                let count = queries.len() / self.width;
                let shapes = (
                    ArrayView2::from_shape((count, self.width), queries),
                    ArrayView2::from_shape((range.len(), self.width), points),
                    ArrayViewMut2::from_shape((count, BLOCK), &mut out[..count * BLOCK]),
                );
                if let (Ok(queries), Ok(points), Ok(mut out)) = shapes {
                    let mut out = out.slice_mut(ndarray::s![.., ..range.len()]);
                    general_mat_mul(1.0, &queries, &points.t(), 0.0, &mut out);
                }
            }
            Norm::Absolutes => absolutes(queries, points, self.width, out),
            Norm::Largest => largest(queries, points, self.width, out),
        }
    }

    /// The points in an order in which blocks are compact: halves along the column of the largest variance.
    pub(crate) fn compact(vectors: &Vectors, norm: Norm) -> Vec<u32> {
        let width = vectors.width;
        let inner = if norm == Norm::Squares { width - 2 } else { width };
        let mut order: Vec<u32> = (0..(vectors.data.len() / width) as u32).collect();
        halve(vectors, inner, &mut order);
        order
    }
}

/// Recursion as deep as the logarithm of the blocks.
fn halve(vectors: &Vectors, inner: usize, order: &mut [u32]) {
    if order.len() <= BLOCK {
        order.sort_unstable();
        return;
    }
    let (mut sum, mut square) = (vec![0.0f64; inner], vec![0.0f64; inner]);
    for &i in order.iter() {
        let vector = &vectors.data[i as usize * vectors.width..][..inner];
        for ((sum, square), &x) in sum.iter_mut().zip(&mut square).zip(vector) {
            *sum += f64::from(x);
            *square += f64::from(x) * f64::from(x);
        }
    }
    let n = order.len() as f64;
    let spread = |c: usize| square[c] - sum[c] * sum[c] / n;
    let widest = (1..inner).fold(0, |best, c| if spread(c) > spread(best) { c } else { best });
    let value = |i: u32| vectors.data[i as usize * vectors.width + widest];
    let half = order.len().div_ceil(BLOCK) / 2 * BLOCK;
    order.select_nth_unstable_by(half, |&a, &b| value(a).total_cmp(&value(b)).then(a.cmp(&b)));
    let (a, b) = order.split_at_mut(half);
    parallel::join(|| halve(vectors, inner, a), || halve(vectors, inner, b));
}

#[inline(always)]
fn sweep<N: Add>(queries: &[f32], points: &[f32], width: usize, out: &mut [f32]) {
    let mut panel = vec![[0.0f32; CAP]; width];
    for (first, group) in points.chunks(CAP * width).enumerate() {
        for (lane, point) in group.chunks(width).enumerate() {
            panel.iter_mut().zip(point).for_each(|(column, &x)| column[lane] = x);
        }
        for (query, out) in queries.chunks(width).zip(out.chunks_mut(BLOCK)) {
            let mut sums = [0.0f32; CAP];
            for (column, &x) in panel.iter().zip(query) {
                for lane in 0..CAP {
                    sums[lane] = N::add_rough(sums[lane], column[lane] - x);
                }
            }
            out[first * CAP..(first + 1) * CAP].copy_from_slice(&sums);
        }
    }
}

simd::multiversion! {
    fn absolutes(queries: &[f32], points: &[f32], width: usize, out: &mut [f32]) {
        sweep::<Absolutes>(queries, points, width, out);
    }
}

simd::multiversion! {
    fn largest(queries: &[f32], points: &[f32], width: usize, out: &mut [f32]) {
        sweep::<Largest>(queries, points, width, out);
    }
}

simd::multiversion! {
    /// Places in a row of a tile whose bound is within the limit, or is no number: rows may be so far that f32 overflows.
    pub(crate) fn within(bounds: &[f32], limit: f32, found: &mut Vec<u32>) {
        #[allow(clippy::neg_cmp_op_on_partial_ord)] // One comparison for both.
        let is_within = |bound: f32| !(bound > limit);
        for (first, lanes) in bounds.chunks(CAP).enumerate() {
            let mut any = false;
            for &bound in lanes {
                any |= is_within(bound);
            }
            if any {
                let hits = lanes.iter().enumerate().filter(|(_, bound)| is_within(**bound));
                found.extend(hits.map(|(lane, _)| (first * CAP + lane) as u32));
            }
        }
    }
}
