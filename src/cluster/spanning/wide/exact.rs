//! Rows as they are, measured in f64 where a sum in f32 does not rule a pair out.

use super::vectors::{UNIT, VectorSpace};
use crate::cluster::spanning::kdtree::CAP;
use crate::cluster::spanning::norm::Norm;
use crate::core::{Rows, simd};

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
    pub(crate) fn new(rows: &'a Rows<'a>, pick: &'a [u32], space: &VectorSpace) -> Self {
        Exact { rows, pick, norm: space.norm, screens: space.sketch.is_some() && space.scale == 1.0 }
    }

    pub(crate) fn point(&self, i: u32) -> &'a [f32] {
        self.rows.row(self.pick[i as usize] as usize)
    }

    /// Whether the raw value may be below `bound`: by a sum in f32, where that is far cheaper than the exact one; one
    /// that overflows says nothing.
    pub(crate) fn may_be_below(&self, a: &[f32], b: &[f32], bound: f64) -> bool {
        if !self.screens {
            return true;
        }
        let margin = 1.0 + (a.len() / CAP + 32) as f64 * 2.0 * UNIT;
        let rough = rough_squares(a, b);
        f64::from(rough) <= bound * margin + 1e-30 || rough.is_infinite()
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
