//! The space of a metric: how rows become points, scaled, at unit length or sketched.

use super::kernel::{self, Kernel};
use super::measure::Measure;
use super::metric::Metric;
use super::points::{Full, Made, Points};
use super::sketch::{SKETCH, WIDE, basis, project};
use super::sketch_sparse::{Projection, sparse_basis};
use crate::core::random::Stream;
use crate::core::{AnyRows, Rows, SparseRows, parallel};
use std::borrow::Cow;

/// Rows that the basis is learned from.
const SAMPLE: usize = 512;
/// Bound on the error of a sketch's coordinates, as a share of the largest row. The left-over length is the difference
/// of two squares, so its error is the root of theirs (a few 1e-7).
const SLACK: f32 = 1e-3;

/// How rows of one table are made into points; kept so that new rows can be made into points of the same space.
#[derive(Clone, Debug)]
pub(crate) struct Space {
    measure: Measure,
    columns: usize,
    /// Power of two that every value is multiplied by, so that squares stay in range.
    scale: f32,
    /// Taken off before projecting, then columns x SKETCH, whose last column is zero.
    basis: Option<(Vec<f32>, Vec<f32>)>,
}

impl Space {
    /// Learns the space from the rows in `pick`, whose order must depend on content alone.
    pub(crate) fn learn<'a>(rows: impl Into<AnyRows<'a>>, pick: &[u32], measure: &Measure, draws: Stream) -> Self {
        let rows = rows.into();
        let columns = rows.columns();
        let scale = match measure.built_in() {
            Some(Metric::Euclidean | Metric::SquaredEuclidean | Metric::Manhattan) => scale_of(rows.values()),
            Some(Metric::Chebyshev | Metric::BrayCurtis) => scale_of(rows.values()),
            // Unit vectors; or each column by itself; or not ours to change.
            _ => 1.0,
        };
        let mut space = Space { measure: measure.clone(), columns, scale, basis: None };
        if matches!(measure.kernel(), Kernel::Squares) && columns > WIDE && pick.len() > 4 * SKETCH {
            let sample: Vec<u32> = pick.iter().copied().take(SAMPLE).collect();
            space.basis = Some(match rows {
                AnyRows::Dense(rows) => basis(&space.prepare(rows, &sample), sample.len(), draws),
                AnyRows::Sparse(rows) => {
                    let all: Vec<u32> = (0..sample.len() as u32).collect();
                    sparse_basis(&space.prepare_sparse(Cow::Owned(rows.picked(&sample))), &all, draws)
                }
            });
        }
        space
    }

    pub(crate) fn scale(&self) -> f32 {
        self.scale
    }

    /// Columns of prepared rows: one more where a zero row needs a direction of its own.
    fn width(&self) -> usize {
        prepared_width(&self.measure, self.columns)
    }

    /// Copies of the picked rows, in the metric's own space.
    fn prepare(&self, rows: &Rows<'_>, pick: &[u32]) -> Vec<f32> {
        let width = self.width();
        let mut prepared = vec![0.0; pick.len() * width];
        parallel::for_each_chunk(&mut prepared, 64 * width, |chunk, out| {
            for (r, out) in out.chunks_mut(width).enumerate() {
                let row = rows.row(pick[chunk * 64 + r] as usize);
                match self.measure.built_in() {
                    Some(Metric::Cosine) => unit(row, 0.0, out),
                    Some(Metric::Hellinger) => roots_of_shares(row, out),
                    Some(Metric::Correlation) => {
                        let sum: f64 = row.iter().map(|&x| f64::from(x)).sum();
                        unit(row, sum / row.len() as f64, out);
                    }
                    _ => out.iter_mut().zip(row).for_each(|(out, &x)| *out = x * self.scale),
                }
            }
        });
        prepared
    }

    /// Sparse rows in the metric's own space, as [`prepare`](Space::prepare) has dense ones.
    pub(crate) fn prepare_sparse<'a>(&self, rows: Cow<'a, SparseRows>) -> Cow<'a, SparseRows> {
        match self.measure.built_in() {
            Some(Metric::Cosine) => Cow::Owned(rows.with_column(|row| {
                let norm = length(row, 0.0)?;
                row.iter_mut().for_each(|x| *x = (f64::from(*x) / norm) as f32);
                Some(())
            })),
            Some(Metric::Hellinger) => Cow::Owned(rows.with_column(|row| {
                let total = total(row)?;
                row.iter_mut().for_each(|x| *x = root_of_share(*x, total));
                Some(())
            })),
            _ if self.scale == 1.0 => rows,
            _ => Cow::Owned(rows.mapped(|x| x * self.scale)),
        }
    }

    /// Whether rows are used as they are.
    fn is_plain(&self) -> bool {
        self.width() == self.columns && self.scale == 1.0
    }

    /// Makes points of the picked rows; borrows where nothing has to be changed.
    pub(crate) fn points<'a>(&self, rows: impl Into<AnyRows<'a>>, pick: &[u32]) -> Points<'a> {
        let (n, plain) = (pick.len(), self.is_plain());
        let (rows, pick) = match rows.into() {
            AnyRows::Dense(rows) if plain => (Full::Dense(Cow::Borrowed(rows.data())), pick.to_vec()),
            AnyRows::Dense(rows) => (Full::Dense(Cow::Owned(self.prepare(rows, pick))), Vec::new()),
            // No wider than their sketches would be.
            AnyRows::Sparse(rows) if self.columns <= WIDE => {
                let dense = Rows::owned(rows.dense(pick));
                (Full::Dense(Cow::Owned(self.prepare(&dense, &(0..pick.len() as u32).collect::<Vec<_>>()))), Vec::new())
            }
            AnyRows::Sparse(rows) if plain => (Full::Sparse(Cow::Borrowed(rows)), pick.to_vec()),
            AnyRows::Sparse(rows) => {
                (Full::Sparse(Cow::Owned(self.prepare_sparse(Cow::Owned(rows.picked(pick))).into_owned())), Vec::new())
            }
        };
        let mut points = Points {
            n,
            kernel: self.measure.kernel(),
            rows,
            columns: self.width(),
            pick,
            sketches: None,
            bytes: None,
            whole: false,
            slack: 0.0,
        };
        if let Some((mean, basis)) = &self.basis {
            let mut sketches = vec![0.0; points.n * SKETCH];
            let largest = std::sync::Mutex::new(0.0f32);
            let sparse = points.is_sparse().then(|| Projection::new(mean, basis));
            parallel::for_each_chunk(&mut sketches, 32 * SKETCH, |chunk, out| {
                let mut most = 0.0f32;
                for (r, out) in out.chunks_mut(SKETCH).enumerate() {
                    let i = chunk * 32 + r;
                    most = most.max(match &sparse {
                        Some(projection) => projection.project(points.entries(i), out),
                        None => project(points.full(i), mean, basis, out),
                    });
                }
                // The largest of all is the same in whatever order chunks report.
                if let Ok(mut largest) = largest.lock() {
                    *largest = largest.max(most);
                }
            });
            points.slack = SLACK * largest.into_inner().unwrap_or(f32::INFINITY);
            points.sketches = Some(Cow::Owned(sketches));
            points.bytes = if points.is_sparse() { None } else { as_bytes(&points) };
            points.whole = points.is_sparse() && is_whole(&points);
        }
        points
    }

    /// The points of all `rows` again, from what [`Points::made`] kept.
    pub(crate) fn again<'a>(&self, rows: &'a Rows<'_>, made: &'a Made) -> Points<'a> {
        Points {
            n: rows.len(),
            kernel: self.measure.kernel(),
            rows: Full::Dense(Cow::Borrowed(made.prepared.as_deref().unwrap_or(rows.data()))),
            columns: self.width(),
            pick: Vec::new(),
            sketches: made.sketches.as_deref().map(Cow::Borrowed),
            bytes: made.bytes.as_deref().map(Cow::Borrowed),
            whole: false,
            slack: made.slack,
        }
    }
}

/// Sparse rows at unit length, or roots of shares, where the metric compares such.
pub(crate) fn in_metric_space<'a>(rows: &'a SparseRows, measure: &Measure) -> Cow<'a, SparseRows> {
    let space = Space { measure: measure.clone(), columns: rows.columns(), scale: 1.0, basis: None };
    space.prepare_sparse(Cow::Borrowed(rows))
}

/// Whether a row could be bytes.
pub(super) fn whole(row: &[f32]) -> bool {
    row.iter().all(|&x| f32::from(x as u8) == x)
}

/// Whether sparse rows could be bytes.
fn is_whole(points: &Points<'_>) -> bool {
    points.columns <= kernel::MOST_BYTES
        && parallel::map_ranges(points.n, 256, |range| range.into_iter().all(|i| whole(points.entries(i).1)))
            .into_iter()
            .all(|block| block)
}

/// The rows in bytes, if they can be.
fn as_bytes<'a>(points: &Points<'_>) -> Option<Cow<'a, [u8]>> {
    let columns = points.columns;
    if columns > kernel::MOST_BYTES || points.n == 0 || !whole(points.full(0)) {
        return None;
    }
    let blocks = parallel::map_ranges(points.n, 256, |range| {
        let rows = || range.clone().map(|i| points.full(i));
        rows().all(whole).then(|| rows().flatten().map(|&x| x as u8).collect::<Vec<u8>>())
    });
    let mut bytes = Vec::with_capacity(points.n * columns);
    for block in blocks {
        bytes.extend(block?);
    }
    Some(Cow::Owned(bytes))
}

/// Columns that rows of `columns` columns have once they are prepared.
fn prepared_width(measure: &Measure, columns: usize) -> usize {
    match measure.built_in() {
        Some(Metric::Cosine | Metric::Correlation | Metric::Hellinger) => columns + 1,
        _ => columns,
    }
}

/// 1, or the power of two that brings the largest magnitude near 1 when its square would overflow or vanish.
fn scale_of(data: &[f32]) -> f32 {
    let largest = parallel::map_ranges(data.len(), 1 << 16, |range| {
        data[range].iter().fold(0.0f32, |most, x| if x.abs() > most { x.abs() } else { most })
    })
    .into_iter()
    .fold(0.0f32, f32::max);
    if largest == 0.0 || (1e-12..1e15).contains(&largest) {
        return 1.0;
    }
    let exponent = (largest.to_bits() >> 23) as i32 - 127;
    f32::from_bits(((127 - exponent.clamp(-120, 120)) as u32) << 23)
}

/// The length of a row with `mean` taken off; none for a row without direction.
fn length(row: &[f32], mean: f64) -> Option<f64> {
    let mut square = 0.0f64;
    let mut largest = 0.0f64;
    for &x in row {
        let centred = f64::from(x) - mean;
        square += centred * centred;
        largest = largest.max(f64::from(x).abs());
    }
    let norm = square.sqrt();
    // What rounding of the mean leaves of a constant row is no direction.
    (norm > 1e-12 * largest && norm > 0.0).then_some(norm)
}

/// The extra last column, which a row without direction has as its own.
fn own_direction(out: &mut [f32]) {
    if let Some(last) = out.last_mut() {
        *last = 1.0;
    }
}

/// The row with `mean` taken off, at length one; a row without direction gets the extra last column as its own.
fn unit(row: &[f32], mean: f64, out: &mut [f32]) {
    match length(row, mean) {
        Some(norm) => out.iter_mut().zip(row).for_each(|(out, &x)| *out = ((f64::from(x) - mean) / norm) as f32),
        None => own_direction(out),
    }
}

/// What the values of a row add up to; none for a row of zeros.
fn total(row: &[f32]) -> Option<f64> {
    Some(row.iter().map(|&x| f64::from(x)).sum::<f64>()).filter(|&sum| sum > 0.0)
}

fn root_of_share(x: f32, total: f64) -> f32 {
    (f64::from(x) / total).sqrt() as f32
}

/// The roots of a row's shares, which are at length one; a row of zeros gets the extra last column as its own.
fn roots_of_shares(row: &[f32], out: &mut [f32]) {
    match total(row) {
        Some(total) => out.iter_mut().zip(row).for_each(|(out, &x)| *out = root_of_share(x, total)),
        None => own_direction(out),
    }
}
