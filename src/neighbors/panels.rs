//! Points packed in panels of sixteen, for sweeps of queries over all of them.

use super::kernel::sweep;
use super::points::Points;
use crate::core::simd::LANES;

/// Points side by side, to be swept.
#[derive(Debug, Default)]
pub(crate) struct Panels {
    ids: Vec<u32>,
    values: Vec<f32>,
}

impl Panels {
    /// Packs points; lanes past the last one hold zeros and their values mean nothing.
    pub(crate) fn pack(&mut self, points: &Points<'_>, ids: impl ExactSizeIterator<Item = u32>) {
        self.ids.clear();
        self.ids.extend(ids);
        let width = points.width();
        self.values.clear();
        if points.one_by_one() {
            return;
        }
        self.values.resize(self.ids.len().div_ceil(LANES) * LANES * width, 0.0);
        for (i, &id) in self.ids.iter().enumerate() {
            let panel = &mut self.values[(i / LANES) * LANES * width..][..LANES * width];
            for (column, &value) in panel.chunks_exact_mut(LANES).zip(points.swept(id as usize)) {
                column[i % LANES] = value;
            }
        }
    }

    /// Values of two of `queries` against the packed points from panel number `first` on. The outputs are made long
    /// enough.
    pub(crate) fn sweep(
        &self,
        points: &Points<'_>,
        queries: &Points<'_>,
        [q0, q1]: [usize; 2],
        first: usize,
        [out0, out1]: [&mut Vec<f32>; 2],
    ) {
        let length = (self.ids.len() - first * LANES).next_multiple_of(LANES);
        out0.resize(length, 0.0);
        out1.resize(length, 0.0);
        if points.one_by_one() {
            for (l, &id) in self.ids[first * LANES..].iter().enumerate() {
                out0[l] = queries.one(q0, points, id as usize);
                out1[l] = if q0 == q1 { out0[l] } else { queries.one(q1, points, id as usize) };
            }
            return;
        }
        let panels = &self.values[first * LANES * points.width()..];
        sweep(&points.kernel, [queries.swept(q0), queries.swept(q1)], panels, [out0, out1]);
    }
}
