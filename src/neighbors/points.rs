//! Rows made ready for distances: brought to the metric's own space, and sketched where they are wide.

use super::kernel::{self, Entries, Kernel, sound};
use super::sketch::{AHEAD, SKETCH, WIDE, sketch_values};
use crate::core::simd::{LANES, fold_lanes, multiversion, prefetch, sum_lanes};
use crate::core::{SparseRows, parallel};
use std::borrow::Cow;

/// What was computed for points, to be kept beside their rows.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    /// None where the rows are used as they are.
    pub(super) prepared: Option<Vec<f32>>,
    pub(super) sketches: Option<Vec<f32>>,
    /// Of rows that are used as they are.
    pub(super) bytes: Option<Vec<u8>>,
    pub(super) slack: f32,
}

/// Rows in the metric's own space.
pub(super) enum Full<'a> {
    /// Row after row.
    Dense(Cow<'a, [f32]>),
    Sparse(Cow<'a, SparseRows>),
}

/// Rows in a space.
pub(crate) struct Points<'a> {
    pub(crate) n: usize,
    pub(crate) kernel: Kernel,
    pub(super) rows: Full<'a>,
    pub(super) columns: usize,
    /// The row of each point; empty when point i is row i.
    pub(super) pick: Vec<u32>,
    pub(super) sketches: Option<Cow<'a, [f32]>>,
    /// The sketched rows again, where all values are whole and from 0 to 255, as pixels and many counts and answers
    /// are: what a full comparison reads from memory is then a quarter.
    pub(super) bytes: Option<Cow<'a, [u8]>>,
    /// The same of sparse rows, which are not copied: whether all values are such.
    pub(super) whole: bool,
    /// What a bound may exceed the true value by, in units of distance.
    pub(super) slack: f32,
}

impl Points<'_> {
    /// The same points in another order, in which sketches, and rows of few columns, lie in memory too.
    pub(crate) fn renumbered(&self, order: &[u32]) -> Points<'_> {
        let pick: Vec<u32> = order.iter().map(|&i| self.row_of(i as usize) as u32).collect();
        let (rows, pick) = match &self.rows {
            Full::Dense(rows) if self.sketches.is_none() && self.columns <= WIDE => {
                (Full::Dense(Cow::Owned(gathered(rows, self.columns, &pick))), Vec::new())
            }
            Full::Dense(rows) => (Full::Dense(Cow::Borrowed(&**rows)), pick),
            Full::Sparse(rows) => (Full::Sparse(Cow::Borrowed(&**rows)), pick),
        };
        Points {
            n: self.n,
            kernel: self.kernel.clone(),
            rows,
            columns: self.columns,
            pick,
            sketches: self.sketches.as_deref().map(|sketches| Cow::Owned(gathered(sketches, SKETCH, order))),
            bytes: self.bytes.as_deref().map(|bytes| Cow::Owned(gathered(bytes, self.columns, order))),
            whole: self.whole,
            slack: self.slack,
        }
    }

    /// What to keep so that the points of a whole table can be had [again](super::Space::again).
    pub(crate) fn made(self) -> Made {
        let (prepared, bytes) = match self.rows {
            Full::Dense(Cow::Owned(rows)) => (Some(rows), None),
            Full::Dense(Cow::Borrowed(_)) => (None, self.bytes.map(Cow::into_owned)),
            Full::Sparse(_) => (None, None),
        };
        Made { prepared, sketches: self.sketches.map(Cow::into_owned), bytes, slack: self.slack }
    }

    /// Lower bounds of the values between point `q` of `queries` and the points `ids` here; the values themselves where
    /// there are no sketches.
    pub(crate) fn bounds(&self, queries: &Points<'_>, q: usize, ids: &[u32], out: &mut Vec<f32>) {
        let query = queries.swept(q);
        out.clear();
        match &self.sketches {
            Some(sketches) => sketch_values(sketches, query, ids, out),
            None => out.extend(ids.iter().map(|&i| sound(kernel::pair(&self.kernel, query, self.full(i as usize))))),
        }
    }

    /// Whether points are compared one with one, as by a metric of one's own and where rows are sparse and have no sketches:
    /// then sweeps go over no panels.
    pub(super) fn one_by_one(&self) -> bool {
        matches!(self.kernel, Kernel::Own(_)) || matches!(self.rows, Full::Sparse(_)) && self.sketches.is_none()
    }

    /// The value between point `i` here and point `j` of `other`, where they are compared [one by one](Points::one_by_one);
    /// the same both ways round.
    pub(super) fn one(&self, i: usize, other: &Points<'_>, j: usize) -> f32 {
        let (i, j) = if std::ptr::eq(self, other) && i > j { (j, i) } else { (i, j) };
        sound(match self.rows {
            Full::Sparse(_) => kernel::swept_sparse(&self.kernel, self.entries(i), other.entries(j), self.columns),
            Full::Dense(_) => kernel::pair(&self.kernel, self.full(i), other.full(j)),
        })
    }

    /// The plane halfway between two points: its normal, and what products with it are above on the side of `a`.
    pub(super) fn plane(&self, a: u32, b: u32) -> (Vec<f32>, f32) {
        if !self.is_sparse() || self.is_sketched() {
            let (a, b) = (self.swept(a as usize), self.swept(b as usize));
            let normal: Vec<f32> = a.iter().zip(b).map(|(x, y)| x - y).collect();
            let offset = a.iter().zip(b).zip(&normal).map(|((x, y), n)| 0.5 * (x + y) * n).sum();
            return (normal, offset);
        }
        let (mut normal, mut offset) = (vec![0.0; self.columns], 0.0);
        kernel::either(self.entries(a as usize), self.entries(b as usize), |column, x, y| {
            normal[column as usize] = x - y;
            offset += 0.5 * (x + y) * (x - y);
        });
        (normal, offset)
    }

    /// For each member the side of a plane: its product with the normal, less the plane's own.
    pub(super) fn margins(&self, members: &[u32], normal: &[f32], offset: f32, out: &mut Vec<f32>) {
        out.clear();
        if !self.is_sparse() || self.is_sketched() {
            return margins(self, members, normal, offset, out);
        }
        // The lanes of a dense row's sum.
        out.extend(members.iter().map(|&m| {
            let mut lanes = [0.0f32; LANES];
            let (indices, values) = self.entries(m as usize);
            for (&column, &value) in indices.iter().zip(values) {
                lanes[column as usize % LANES] += value * normal[column as usize];
            }
            fold_lanes(lanes) - offset
        }));
    }

    /// The length that point i's sketch leaves over; 0 where there are no sketches.
    #[inline(always)]
    pub(crate) fn left_over(&self, i: usize) -> f32 {
        self.sketches.as_ref().map_or(0.0, |sketches| sketches[(i + 1) * SKETCH - 1])
    }

    #[inline(always)]
    fn row_of(&self, i: usize) -> usize {
        if self.pick.is_empty() { i } else { self.pick[i] as usize }
    }

    /// The whole prepared row, where rows are dense.
    #[inline(always)]
    pub(crate) fn full(&self, i: usize) -> &[f32] {
        let row = self.row_of(i);
        match &self.rows {
            Full::Dense(rows) => &rows[row * self.columns..(row + 1) * self.columns],
            Full::Sparse(_) => &[],
        }
    }

    /// The entries of the prepared row, where rows are sparse.
    #[inline(always)]
    pub(super) fn entries(&self, i: usize) -> Entries<'_> {
        match &self.rows {
            Full::Sparse(rows) => rows.row(self.row_of(i)),
            Full::Dense(_) => (&[], &[]),
        }
    }

    /// What sweeps run over: the sketch where there is one, else the row.
    #[inline(always)]
    pub(crate) fn swept(&self, i: usize) -> &[f32] {
        match &self.sketches {
            Some(sketches) => &sketches[i * SKETCH..(i + 1) * SKETCH],
            None => self.full(i),
        }
    }

    /// Asks for what [`Points::swept`] gives, ahead of its use.
    #[inline(always)]
    pub(super) fn prefetch(&self, i: usize) {
        let (values, from) = match (&self.sketches, &self.rows) {
            (Some(sketches), _) => (&**sketches, i * SKETCH),
            (None, Full::Dense(rows)) => (&**rows, self.row_of(i) * self.columns),
            (None, Full::Sparse(_)) => return,
        };
        for part in (0..self.width()).step_by(LANES) {
            prefetch(values, from + part);
        }
    }

    /// Length of [`Points::swept`].
    pub(crate) fn width(&self) -> usize {
        if self.sketches.is_some() { SKETCH } else { self.columns }
    }

    /// Whether prepared rows are sparse.
    pub(super) fn is_sparse(&self) -> bool {
        matches!(self.rows, Full::Sparse(_))
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
            _ if self.is_sparse() => match self.whole && other.whole {
                true => kernel::sparse_bytes(self.entries(i), other.entries(j)),
                false => kernel::sparse_squares(self.entries(i), other.entries(j)),
            },
            (Some(own), Some(others)) => {
                let row = |i: usize| i * self.columns..(i + 1) * self.columns;
                kernel::bytes(&own[row(i)], &others[row(j)])
            }
            _ => kernel::squares(self.full(i), other.full(j)),
        }
    }
}

multiversion! {
    fn margins(points: &Points<'_>, members: &[u32], normal: &[f32], offset: f32, out: &mut Vec<f32>) {
        out.resize(members.len(), 0.0);
        for (i, (margin, &m)) in out.iter_mut().zip(members).enumerate() {
            if let Some(&later) = members.get(i + AHEAD) {
                points.prefetch(later as usize);
            }
            *margin = sum_lanes(points.swept(m as usize), normal, |x, y| x * y) - offset;
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
