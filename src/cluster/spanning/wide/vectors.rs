//! Rows as vectors whose products or sums bound the distances of the rows from below.
//!
//! For squares, a point becomes the vector (x, n, 1) and a query (−2x, 1, n): their product is
//! n(x) + n(y) − 2 x·y ≤ |x − y|², where x is centred and n is |x|² less a margin for all that rounding can do to the
//! product, in whatever order it is summed: with K terms and u = 2⁻²⁴ at most 2 K u (|x|² + |y|²) (Higham, "Accuracy and
//! Stability of Numerical Algorithms", 2002, §3.1), and 4 u (|x|² + |y|²) for coordinates rounded to f32. With more than
//! 96 columns x is the sketch of [`crate::neighbors`], itself a bound. For the other norms the sums are plain f32 sums.

use crate::cluster::spanning::kdtree::larger;
use crate::cluster::spanning::norm::Norm;
use crate::core::random::Stream;
use crate::core::{Rows, parallel};
use crate::neighbors::{Metric, Space};

/// The unit roundoff of f32.
pub(super) const UNIT: f64 = 1.0 / (1 << 24) as f64;
/// Rows that a thread turns into vectors at a time.
const CHUNK: usize = 128;
/// Rows up to which all pairs are compared sooner than a sketch is learned.
const FEW: usize = 1024;
/// The most that sketches may leave over, as a share of all squares.
const LEFT_OVER: f64 = 0.3;

/// How rows become vectors; learned once, so that new rows become vectors of the same space.
pub(crate) struct VectorSpace {
    pub(crate) norm: Norm,
    mean: Vec<f64>,
    pub(super) scale: f64,
    pub(super) sketch: Option<Space>,
}

/// Vectors of points.
pub(crate) struct Vectors {
    pub(super) data: Vec<f32>,
    pub(super) width: usize,
    /// What a bound may exceed the true distance by.
    pub(super) slack: f64,
}

impl VectorSpace {
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
        VectorSpace { norm, mean, scale, sketch: sketched.then_some(space) }
    }

    pub(crate) fn vectors(&self, rows: &Rows<'_>, pick: &[u32]) -> Vectors {
        let points = self.sketch.as_ref().map(|space| space.points(rows, pick));
        let inner = points.as_ref().map_or(self.mean.len(), |points| points.width());
        let squares = self.norm == Norm::Squares;
        let width = if squares { inner + 2 } else { inner };
        let mut data = vec![0.0f32; pick.len() * width];
        let margin = 1.0 - (2 * width + 10) as f64 * UNIT;
        let tiny = (width + 16) as f64 * 3e-45;
        parallel::for_each_chunk(&mut data, CHUNK * width, |chunk, out| {
            for (r, out) in out.chunks_mut(width).enumerate() {
                let i = chunk * CHUNK + r;
                match &points {
                    Some(points) => out[..inner].copy_from_slice(points.swept(i)),
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
    let whole: f64 = (0..count).flat_map(|i| points.swept(i)).map(square).sum();
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
