//! Rows made ready for distances: brought to the metric's own space, and sketched where they are wide.

use super::kernel::{self, Kernel, sound};
use super::sketch::{SKETCH, sketch_values};
use crate::core::parallel;
use std::borrow::Cow;

/// What was computed for points, to be kept beside their rows.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    /// None where the rows are used as they are.
    pub(super) prepared: Option<Vec<f32>>,
    pub(super) sketches: Option<Vec<f32>>,
    pub(super) slack: f32,
}

/// Rows in a space.
pub(crate) struct Points<'a> {
    pub(crate) n: usize,
    pub(crate) kernel: Kernel,
    pub(super) rows: Cow<'a, [f32]>,
    pub(super) columns: usize,
    /// The row of each point; empty when point i is row i.
    pub(super) pick: Vec<u32>,
    pub(super) sketches: Option<Cow<'a, [f32]>>,
    /// The sketched rows again, where all values are whole and from 0 to 255, as pixels and many counts and answers
    /// are: what a full comparison reads from memory is then a quarter.
    pub(super) bytes: Option<Vec<u8>>,
    /// What a bound may exceed the true value by, in units of distance.
    pub(super) slack: f32,
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

    /// What to keep so that the points of a whole table can be had [again](super::Space::again).
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
        let query = queries.swept(q);
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
    pub(crate) fn swept(&self, i: usize) -> &[f32] {
        match &self.sketches {
            Some(sketches) => &sketches[i * SKETCH..(i + 1) * SKETCH],
            None => self.full(i),
        }
    }

    /// Length of [`Points::swept`].
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
