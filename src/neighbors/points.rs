//! Rows made ready for distances: brought to the metric's own space, and sketched where they are wide.
//!
//! **The sketch.** For sums of squares over many columns, each row also gets a short row of [`SKETCH`] numbers: its
//! coordinates in an orthonormal basis of [`SKETCH`] − 1 directions in which the data spread most, and the length of
//! what the basis leaves over. With P the projection and r the left-over length, Pythagoras and the triangle
//! inequality give
//!
//! |x − y|² ≥ |Px − Py|² + (r(x) − r(y))²,
//!
//! so the squared distance of sketches is a lower bound of the squared distance of rows. A pair whose bound is beyond
//! what either row still takes needs no look at the rows themselves. This is exact, whatever the basis; a good basis
//! only makes it cheap. (The bound by leading components is old; the left-over length makes it tighter at the price of
//! one column.)

use super::kernel::{self, Kernel, sound};
use super::measure::Measure;
use super::metric::Metric;
use crate::core::linalg::dense;
use crate::core::random::Stream;
use crate::core::simd::{multiversion, sum_lanes};
use crate::core::{Rows, parallel};
use std::borrow::Cow;

/// Length of a sketch.
pub(crate) const SKETCH: usize = 64;
/// Rows with fewer columns are their own sketch.
const WIDE: usize = 96;
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

/// What was computed for points, to be kept beside their rows.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    /// None where the rows are used as they are.
    prepared: Option<Vec<f32>>,
    sketches: Option<Vec<f32>>,
    slack: f32,
}

/// Rows in a space.
pub(crate) struct Points<'a> {
    pub(crate) n: usize,
    pub(crate) kernel: Kernel,
    rows: Cow<'a, [f32]>,
    columns: usize,
    /// The row of each point; empty when point i is row i.
    pick: Vec<u32>,
    sketches: Option<Cow<'a, [f32]>>,
    /// The sketched rows again, where all values are whole and from 0 to 255, as pixels and many counts and answers
    /// are: what a full comparison reads from memory is then a quarter.
    bytes: Option<Vec<u8>>,
    /// What a bound may exceed the true value by, in units of distance.
    slack: f32,
}

impl Space {
    /// Learns the space from the rows in `pick`, whose order must depend on content alone.
    pub(crate) fn learn(rows: &Rows<'_>, pick: &[u32], measure: &Measure, draws: Stream) -> Self {
        let columns = rows.columns();
        let scale = match measure.built_in() {
            Some(Metric::Euclidean | Metric::SquaredEuclidean | Metric::Manhattan) => scale_of(rows.data()),
            Some(Metric::Chebyshev | Metric::BrayCurtis) => scale_of(rows.data()),
            // Unit vectors; or each column by itself; or not ours to change.
            _ => 1.0,
        };
        let mut space = Space { measure: measure.clone(), columns, scale, basis: None };
        if matches!(measure.kernel(), Kernel::Squares) && columns > WIDE && pick.len() > 4 * SKETCH {
            let sample: Vec<u32> = pick.iter().copied().take(SAMPLE).collect();
            let prepared = space.prepare(rows, &sample);
            space.basis = Some(basis(&prepared, sample.len(), draws));
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

    /// Makes points of the picked rows; borrows where nothing has to be changed.
    pub(crate) fn points<'a>(&self, rows: &'a Rows<'_>, pick: &[u32]) -> Points<'a> {
        let plain = self.width() == self.columns && self.scale == 1.0;
        let (data, pick) = if plain {
            (Cow::Borrowed(rows.data()), pick.to_vec())
        } else {
            (Cow::Owned(self.prepare(rows, pick)), Vec::new())
        };
        let n = if plain { pick.len() } else { data.len() / self.width() };
        let mut points = Points {
            n,
            kernel: self.measure.kernel(),
            rows: data,
            columns: self.width(),
            pick,
            sketches: None,
            bytes: None,
            slack: 0.0,
        };
        if let Some((mean, basis)) = &self.basis {
            let mut sketches = vec![0.0; points.n * SKETCH];
            let largest = std::sync::Mutex::new(0.0f32);
            parallel::for_each_chunk(&mut sketches, 32 * SKETCH, |chunk, out| {
                let mut most = 0.0f32;
                for (r, out) in out.chunks_mut(SKETCH).enumerate() {
                    most = most.max(project(points.full(chunk * 32 + r), mean, basis, out));
                }
                // The largest of all is the same in whatever order chunks report.
                if let Ok(mut largest) = largest.lock() {
                    *largest = largest.max(most);
                }
            });
            points.slack = SLACK * largest.into_inner().unwrap_or(f32::INFINITY);
            points.sketches = Some(Cow::Owned(sketches));
            points.bytes = as_bytes(&points);
        }
        points
    }

    /// The points of all `rows` again, from what [`Points::made`] kept.
    pub(crate) fn again<'a>(&self, rows: &'a Rows<'_>, made: &'a Made) -> Points<'a> {
        Points {
            n: rows.len(),
            kernel: self.measure.kernel(),
            rows: Cow::Borrowed(made.prepared.as_deref().unwrap_or(rows.data())),
            columns: self.width(),
            pick: Vec::new(),
            sketches: made.sketches.as_deref().map(Cow::Borrowed),
            // New rows may hold anything, and must be measured alike in any company.
            bytes: None,
            slack: made.slack,
        }
    }
}

impl Points<'_> {
    /// The same points in another order.
    pub(crate) fn renumbered(&self, order: &[u32]) -> Points<'_> {
        let row = |&i: &u32| if self.pick.is_empty() { i } else { self.pick[i as usize] };
        Points {
            n: self.n,
            kernel: self.kernel.clone(),
            rows: Cow::Borrowed(&self.rows),
            columns: self.columns,
            pick: order.iter().map(row).collect(),
            sketches: self.sketches.as_deref().map(|sketches| Cow::Owned(gathered(sketches, SKETCH, order))),
            bytes: self.bytes.as_deref().map(|bytes| gathered(bytes, self.columns, order)),
            slack: self.slack,
        }
    }

    /// What to keep so that the points of a whole table can be had [`Space::again`].
    pub(crate) fn made(self) -> Made {
        let prepared = match self.rows {
            Cow::Owned(rows) => Some(rows),
            Cow::Borrowed(_) => None,
        };
        Made { prepared, sketches: self.sketches.map(Cow::into_owned), slack: self.slack }
    }

    /// Lower bounds of the values between point `q` of `queries` and the points `ids` here; the values themselves where
    /// there are no sketches.
    pub(crate) fn bounds(&self, queries: &Points<'_>, q: usize, ids: &[u32], out: &mut Vec<f32>) {
        let query = queries.near(q);
        out.clear();
        match &self.sketches {
            Some(sketches) => sketch_values(sketches, query, ids, out),
            None => out.extend(ids.iter().map(|&i| sound(kernel::pair(&self.kernel, query, self.full(i as usize))))),
        }
    }

    /// The value of a metric of one's own between point `i` here and point `j` of `other`; the same both ways round.
    pub(crate) fn own(&self, i: usize, other: &Points<'_>, j: usize) -> f32 {
        let (i, j) = if std::ptr::eq(self, other) && i > j { (j, i) } else { (i, j) };
        sound(kernel::pair(&self.kernel, self.full(i), other.full(j)))
    }

    /// The length that point i's sketch leaves over; 0 where there are no sketches.
    #[inline(always)]
    pub(crate) fn left_over(&self, i: usize) -> f32 {
        self.sketches.as_ref().map_or(0.0, |sketches| sketches[(i + 1) * SKETCH - 1])
    }

    /// The whole prepared row.
    #[inline(always)]
    pub(crate) fn full(&self, i: usize) -> &[f32] {
        let row = if self.pick.is_empty() { i } else { self.pick[i] as usize };
        &self.rows[row * self.columns..(row + 1) * self.columns]
    }

    /// What sweeps run over: the sketch where there is one, else the row.
    #[inline(always)]
    pub(crate) fn near(&self, i: usize) -> &[f32] {
        match &self.sketches {
            Some(sketches) => &sketches[i * SKETCH..(i + 1) * SKETCH],
            None => self.full(i),
        }
    }

    /// Length of [`Points::near`].
    pub(crate) fn width(&self) -> usize {
        if self.sketches.is_some() { SKETCH } else { self.columns }
    }

    pub(crate) fn is_sketched(&self) -> bool {
        self.sketches.is_some()
    }

    /// The swept value up to which a pair may be within `worst` of a point here and a point of `other`.
    #[inline(always)]
    pub(crate) fn limit(&self, worst: f32, other: &Points<'_>) -> f32 {
        if self.sketches.is_none() || worst == f32::INFINITY {
            return worst;
        }
        let far = worst.sqrt() + (self.slack + other.slack);
        far * far
    }

    /// The exact value of a pair, from its swept value.
    #[inline(always)]
    pub(crate) fn exact(&self, i: usize, other: &Points<'_>, j: usize, swept: f32) -> f32 {
        if self.sketches.is_none() {
            return swept;
        }
        match (&self.bytes, &other.bytes) {
            (Some(own), Some(others)) => {
                let row = |i: usize| i * self.columns..(i + 1) * self.columns;
                kernel::bytes(&own[row(i)], &others[row(j)])
            }
            _ => kernel::squares(self.full(i), other.full(j)),
        }
    }
}

/// Rows of `width` values in another order.
fn gathered<T: Copy + Default + Send + Sync>(values: &[T], width: usize, order: &[u32]) -> Vec<T> {
    let mut gathered = vec![T::default(); order.len() * width];
    parallel::for_each_chunk(&mut gathered, 256 * width, |chunk, out| {
        for (row, &i) in out.chunks_mut(width).zip(&order[chunk * 256..]) {
            row.copy_from_slice(&values[i as usize * width..][..width]);
        }
    });
    gathered
}

/// The rows in bytes, if they can be.
fn as_bytes(points: &Points<'_>) -> Option<Vec<u8>> {
    let columns = points.columns;
    let whole = |row: &[f32]| row.iter().all(|&x| f32::from(x as u8) == x);
    if columns > kernel::MOST_BYTES || !whole(points.full(0)) {
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
    Some(bytes)
}

multiversion! {
    fn sketch_values(sketches: &[f32], query: &[f32], ids: &[u32], out: &mut Vec<f32>) {
        let (sketches, _) = sketches.as_chunks::<SKETCH>();
        let Some(query) = query.first_chunk::<SKETCH>() else { return };
        out.extend(ids.iter().map(|&id| sound(sum_lanes(&sketches[id as usize], query, |x, y| (x - y) * (x - y)))));
    }
}

/// Columns that rows of `columns` columns have once they are prepared.
pub(crate) fn prepared_width(measure: &Measure, columns: usize) -> usize {
    match measure.built_in() {
        Some(Metric::Cosine | Metric::Correlation) => columns + 1,
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

/// The row with `mean` taken off, at length one; a row without direction gets the extra last column as its own.
fn unit(row: &[f32], mean: f64, out: &mut [f32]) {
    let mut square = 0.0f64;
    let mut largest = 0.0f64;
    for &x in row {
        let centred = f64::from(x) - mean;
        square += centred * centred;
        largest = largest.max(f64::from(x).abs());
    }
    let norm = square.sqrt();
    // What rounding of the mean leaves of a constant row is no direction.
    if norm <= 1e-12 * largest || norm == 0.0 {
        if let Some(last) = out.last_mut() {
            *last = 1.0;
        }
        return;
    }
    for (out, &x) in out.iter_mut().zip(row) {
        *out = ((f64::from(x) - mean) / norm) as f32;
    }
}

multiversion! {
    /// sums += x b for each column's value and its row of the basis.
    fn add_products(row: &[f32], mean: &[f32], basis: &[f32], sums: &mut [f32; SKETCH]) {
        let (basis, _) = basis.as_chunks::<SKETCH>();
        let mut low = [0.0f32; SKETCH / 2];
        for ((b, &x), &m) in basis.iter().zip(row).zip(mean) {
            let x = x - m;
            for l in 0..SKETCH / 2 {
                low[l] += x * b[l];
            }
        }
        sums[..SKETCH / 2].copy_from_slice(&low);
        let mut high = [0.0f32; SKETCH / 2];
        for ((b, &x), &m) in basis.iter().zip(row).zip(mean) {
            let x = x - m;
            for l in 0..SKETCH / 2 {
                high[l] += x * b[SKETCH / 2 + l];
            }
        }
        sums[SKETCH / 2..].copy_from_slice(&high);
    }
}

/// Writes the sketch of a row and returns the row's length from the mean.
fn project(row: &[f32], mean: &[f32], basis: &[f32], out: &mut [f32]) -> f32 {
    let mut sums = [0.0f32; SKETCH];
    add_products(row, mean, basis, &mut sums);
    let inside: f64 = sums.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
    let whole = f64::from(kernel::squares(row, mean));
    sums[SKETCH - 1] = (whole - inside).max(0.0).sqrt() as f32;
    out.copy_from_slice(&sums);
    whole.sqrt() as f32
}

/// Mean, and an orthonormal basis of the leading directions, by subspace iteration on a sample (Halko, Martinsson,
/// Tropp 2011, algorithm 4.4).
fn basis(sample: &[f32], count: usize, draws: Stream) -> (Vec<f32>, Vec<f32>) {
    const ROUNDS: usize = 2;
    let columns = sample.len() / count;
    let mut mean = vec![0.0f64; columns];
    for row in sample.chunks(columns) {
        mean.iter_mut().zip(row).for_each(|(m, &x)| *m += f64::from(x));
    }
    let mean: Vec<f32> = mean.iter().map(|m| (m / count as f64) as f32).collect();
    let mut basis: Vec<f32> = (0..columns * SKETCH)
        .map(|at| if at % SKETCH == SKETCH - 1 { 0.0 } else { (draws.uniform(at as u64) - 0.5) as f32 })
        .collect();
    orthonormalise(&mut basis, columns);
    for _ in 0..ROUNDS {
        // basis := X' (X basis), X being the centred sample.
        let scores: Vec<[f32; SKETCH]> = parallel::map_ranges(count, 16, |range| {
            range
                .map(|i| {
                    let mut sums = [0.0; SKETCH];
                    add_products(&sample[i * columns..(i + 1) * columns], &mean, &basis, &mut sums);
                    sums
                })
                .collect::<Vec<_>>()
        })
        .concat();
        parallel::for_each_chunk(&mut basis, 16 * SKETCH, |chunk, out| {
            for (c, out) in out.chunks_mut(SKETCH).enumerate() {
                let column = chunk * 16 + c;
                let mut sums = [0.0f32; SKETCH];
                for (i, score) in scores.iter().enumerate() {
                    let x = sample[i * columns + column] - mean[column];
                    for l in 0..SKETCH {
                        sums[l] += x * score[l];
                    }
                }
                out.copy_from_slice(&sums);
            }
        });
        orthonormalise(&mut basis, columns);
    }
    (mean, basis)
}

/// Gram and Schmidt, each column against the earlier ones twice; columns that vanish stay zero, which is a valid basis.
fn orthonormalise(basis: &mut [f32], columns: usize) {
    let mut done: Vec<Vec<f64>> = Vec::with_capacity(SKETCH - 1);
    for l in 0..SKETCH - 1 {
        let mut v: Vec<f64> = (0..columns).map(|c| f64::from(basis[c * SKETCH + l])).collect();
        let before = dense::dot(&v, &v).sqrt();
        for _ in 0..2 {
            for u in &done {
                let along = dense::dot(u, &v);
                v.iter_mut().zip(u).for_each(|(v, u)| *v -= along * u);
            }
        }
        let norm = dense::dot(&v, &v).sqrt();
        let factor = if norm > 1e-6 * before && norm.is_finite() && norm > 0.0 { 1.0 / norm } else { 0.0 };
        v.iter_mut().for_each(|x| *x *= factor);
        for (c, &x) in v.iter().enumerate() {
            basis[c * SKETCH + l] = x as f32;
        }
        done.push(v);
    }
}
