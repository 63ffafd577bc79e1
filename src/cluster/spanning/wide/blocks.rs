//! Lower bounds on the distances of whole blocks of points: what makes wide data fast and keeps it exact.
//!
//! Beyond a few columns boxes prune nothing, so nearly all pairs have to be looked at. What can be saved is the look:
//! a block of 128 points against another is one product of two f32 matrices, whose entries bound the true values from
//! below, and only pairs whose bound passes are measured in f64.
//!
//! **The bound.** For squares, a point becomes the vector (x, n, 1) and a query (−2x, 1, n): their product is
//! n(x) + n(y) − 2 x·y ≤ |x − y|², where x is centred and n is |x|² less a margin for all that rounding can do to the
//! product, in whatever order it is summed: with K terms and u = 2⁻²⁴ at most 2 K u (|x|² + |y|²) (Higham, "Accuracy and
//! Stability of Numerical Algorithms", 2002, §3.1), and 4 u (|x|² + |y|²) for coordinates rounded to f32. With more than
//! 96 columns x is the sketch of [`crate::neighbors`], itself a bound. For the other norms the sums are plain f32 sums.
//!
//! Which pairs are measured may differ from machine to machine, in pairs that do not matter; what comes out does not.

use crate::cluster::spanning::kdtree::{CAP, larger};
use crate::cluster::spanning::norm::{Absolutes, Add, Largest, Norm};
use crate::core::random::Stream;
use crate::core::{Rows, parallel, simd};
use crate::neighbors::{Metric, Space};
use ndarray::{ArrayView2, ArrayViewMut2, linalg::general_mat_mul};

/// Points in a block.
pub(crate) const BLOCK: usize = 128;
const UNIT: f64 = 1.0 / (1 << 24) as f64;
/// Rows up to which all pairs are compared sooner than a sketch is learned.
const FEW: usize = 1024;
/// The most that sketches may leave over, as a share of all squares.
const LEFT_OVER: f64 = 0.3;

/// How rows become vectors; learned once, so that new rows become vectors of the same space.
pub(crate) struct Lens {
    pub(crate) norm: Norm,
    mean: Vec<f64>,
    scale: f64,
    sketch: Option<Space>,
}

/// Vectors of points.
pub(crate) struct Vectors {
    data: Vec<f32>,
    width: usize,
    /// What a bound may exceed the true distance by.
    slack: f64,
}

impl Lens {
    /// From the rows in `pick`, in an order given by content.
    pub(crate) fn learn(rows: &Rows<'_>, pick: &[u32], norm: Norm) -> Self {
        let columns = rows.columns();
        // Only sums of squares have sketches, and only of many rows is one learned for less than it saves.
        let metric = if norm == Norm::Squares { Metric::Euclidean } else { Metric::Manhattan };
        let sample = if pick.len() > FEW { pick } else { &pick[..1] };
        let space = Space::learn(rows, sample, &metric.into(), Stream::new(0, 0x6864_6273));
        let scale = f64::from(space.scale());
        let mut mean = vec![0.0; columns];
        if norm == Norm::Squares {
            for &row in pick {
                mean.iter_mut().zip(rows.row(row as usize)).for_each(|(m, &x)| *m += f64::from(x) * scale);
            }
            mean.iter_mut().for_each(|m| *m /= pick.len() as f64);
        }
        let sketched = norm == Norm::Squares && tells_apart(&space, rows, sample);
        Lens { norm, mean, scale, sketch: sketched.then_some(space) }
    }

    pub(crate) fn vectors(&self, rows: &Rows<'_>, pick: &[u32]) -> Vectors {
        let points = self.sketch.as_ref().map(|space| space.points(rows, pick));
        let inner = points.as_ref().map_or(self.mean.len(), |points| points.width());
        let squares = self.norm == Norm::Squares;
        let width = if squares { inner + 2 } else { inner };
        let mut data = vec![0.0f32; pick.len() * width];
        let margin = 1.0 - (2 * width + 10) as f64 * UNIT;
        let tiny = (width + 16) as f64 * 3e-45;
        parallel::for_each_chunk(&mut data, BLOCK * width, |chunk, out| {
            for (r, out) in out.chunks_mut(width).enumerate() {
                let i = chunk * BLOCK + r;
                match &points {
                    Some(points) => out[..inner].copy_from_slice(points.near(i)),
                    None => {
                        let row = rows.row(pick[i] as usize);
                        for ((out, &x), &mean) in out.iter_mut().zip(row).zip(&self.mean) {
                            *out = (f64::from(x) * self.scale - mean) as f32;
                        }
                    }
                }
                if squares {
                    let norm: f64 = out[..inner].iter().map(|&x| f64::from(x) * f64::from(x)).sum();
                    out[inner] = down(norm * margin - tiny);
                    out[inner + 1] = 1.0;
                }
            }
        });
        // Twice the slack of one row, as the limit of a distance of zero.
        let sketch = points.as_ref().map_or(0.0, |points| f64::from(points.limit(0.0, points).sqrt()));
        let longest = data.chunks(width).fold(0.0, |most, v| {
            let zero = vec![0.0; inner];
            let v: Vec<f64> = v[..inner].iter().map(|&x| f64::from(x)).collect();
            larger(most, self.norm.distance(&v, &zero))
        });
        Vectors { data, width, slack: 1.001 * sketch + 4.0 * UNIT * longest }
    }

    /// The rows in `pick` in compact blocks.
    pub(crate) fn blocks(&self, rows: &Rows<'_>, pick: &[u32]) -> Blocks {
        let vectors = self.vectors(rows, pick);
        Blocks::new(&vectors, self.norm, Blocks::compact(&vectors, self.norm))
    }

    /// A raw value in the unit of the vectors.
    fn scaled(&self, raw: f64) -> f64 {
        if self.norm == Norm::Squares { raw * self.scale * self.scale } else { raw * self.scale }
    }

    /// The entry of a tile up to which a pair's raw value may be within `raw`.
    pub(crate) fn limit(&self, raw: f64, slack: f64) -> f32 {
        let scaled = self.scaled(raw);
        if self.norm != Norm::Squares {
            let columns = self.mean.len() as f64;
            return up(scaled * (1.0 + (columns + 16.0) * 2.0 * UNIT) + columns * 6e-45);
        }
        if self.sketch.is_none() {
            return up(scaled);
        }
        let far = scaled.sqrt() + slack;
        up(far * far)
    }

    /// The distance of vectors up to which a pair's raw value may be within `raw`.
    pub(crate) fn reach(&self, raw: f64, slack: f64) -> f64 {
        self.norm.root(self.scaled(raw)) * (1.0 + 1e-9) + slack
    }

    /// A raw value that is a lower bound, in f32.
    pub(crate) fn floor(&self, raw: f64) -> f32 {
        down(self.scaled(raw))
    }

    /// A raw value that is an upper bound, in f32.
    pub(crate) fn ceiling(&self, raw: f64) -> f32 {
        up(self.scaled(raw))
    }
}

/// Whether sketches of rows in `pick` leave so little over that they bound distances well: where columns have little in
/// common nearly all pairs would pass, and each be measured.
fn tells_apart(space: &Space, rows: &Rows<'_>, pick: &[u32]) -> bool {
    let count = pick.len().min(256);
    let sample: Vec<u32> = (0..count).map(|i| pick[i * pick.len() / count]).collect();
    let points = space.points(rows, &sample);
    let square = |x: &f32| f64::from(*x) * f64::from(*x);
    let whole: f64 = (0..count).flat_map(|i| points.near(i)).map(square).sum();
    let left: f64 = (0..count).map(|i| square(&points.left_over(i))).sum();
    points.is_sketched() && left <= LEFT_OVER * whole
}

fn up(x: f64) -> f32 {
    (x * (1.0 + 4.0 * UNIT) + 3e-45) as f32
}

/// May round numbers next to zero below it.
fn down(x: f64) -> f32 {
    (x - x.abs() * 4.0 * UNIT - 3e-45) as f32
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
    /// Places in a row of a tile whose bound is within the limit.
    pub(crate) fn within(bounds: &[f32], limit: f32, found: &mut Vec<u32>) {
        for (first, lanes) in bounds.chunks(CAP).enumerate() {
            let mut any = false;
            for &bound in lanes {
                any |= bound <= limit;
            }
            if any {
                let hits = lanes.iter().enumerate().filter(|(_, bound)| **bound <= limit);
                found.extend(hits.map(|(lane, _)| (first * CAP + lane) as u32));
            }
        }
    }
}

simd::multiversion! {
    fn rough_squares(a: &[f32], b: &[f32]) -> f32 {
        simd::sum_lanes(a, b, |x, y| (x - y) * (x - y))
    }
}

/// Points as they are.
#[derive(Clone, Copy)]
pub(crate) struct Exact<'a> {
    pub(crate) rows: &'a Rows<'a>,
    /// The row of each point.
    pub(crate) pick: &'a [u32],
    pub(crate) norm: Norm,
    /// Whether squares stay within f32, so that wide rows are screened in it.
    pub(crate) screens: bool,
}

impl<'a> Exact<'a> {
    pub(crate) fn new(rows: &'a Rows<'a>, pick: &'a [u32], lens: &Lens) -> Self {
        Exact { rows, pick, norm: lens.norm, screens: lens.sketch.is_some() && lens.scale == 1.0 }
    }

    pub(crate) fn point(&self, i: u32) -> &'a [f32] {
        self.rows.row(self.pick[i as usize] as usize)
    }

    /// Whether the raw value may be below `bound`: a look in f32, where that is far cheaper than the exact sum.
    pub(crate) fn may_be_below(&self, a: &[f32], b: &[f32], bound: f64) -> bool {
        let margin = 1.0 + (a.len() / CAP + 32) as f64 * 2.0 * UNIT;
        !self.screens || f64::from(rough_squares(a, b)) <= bound * margin + 1e-30
    }

    /// Calls `take` with each of the points that may be below `bound` and its raw value; empties the list.
    pub(crate) fn measure(&self, from: &[f32], points: &mut Vec<u32>, bound: f64, mut take: impl FnMut(u32, f64)) {
        points.retain(|&point| self.may_be_below(from, self.point(point), bound));
        let (fours, rest) = points.as_chunks::<4>();
        for four in fours {
            let raw = self.norm.measure_four(from, four.map(|i| self.point(i)));
            four.iter().zip(raw).for_each(|(&point, raw)| take(point, raw));
        }
        rest.iter().for_each(|&point| take(point, self.norm.measure(from, self.point(point))));
        points.clear();
    }
}
