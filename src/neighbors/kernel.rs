//! Inner loops: one pair of rows, or two rows against a panel of sixteen.

use super::metric::Kernel;
use crate::core::simd::{LANES, multiversion, sum_lanes};

multiversion! {
    fn pair_squares(a: &[f32], b: &[f32]) -> f32 {
        sum_lanes(a, b, |x, y| (x - y) * (x - y))
    }
}

/// Sum of squared differences: what [`Kernel::Squares`] means for one pair of whole rows.
pub(crate) fn squares(a: &[f32], b: &[f32]) -> f32 {
    pair_squares(a, b)
}

/// The body of a sweep: `term` of each column, folded by `join`, in sixteen lanes for each of two queries.
///
/// A panel holds sixteen rows column by column: panel[c * 16 + l] is column c of row l. Each lane sums over the columns
/// in order, so the value for a pair is the same whichever of the two is the query and whatever else is in the panel.
#[inline(always)]
fn sweep_body(
    queries: [&[f32]; 2],
    panels: &[f32],
    out: [&mut [f32]; 2],
    term: impl Fn(f32) -> f32,
    join: impl Fn(f32, f32) -> f32,
) {
    let [q0, q1] = queries;
    let [out0, out1] = out;
    let width = q0.len();
    let q1 = &q1[..width];
    let (out0, _) = out0.as_chunks_mut::<LANES>();
    let (out1, _) = out1.as_chunks_mut::<LANES>();
    for ((panel, out0), out1) in panels.chunks_exact(width * LANES).zip(out0).zip(out1) {
        let (columns, _) = panel.as_chunks::<LANES>();
        let (mut sum0, mut sum1) = ([0.0f32; LANES], [0.0f32; LANES]);
        for ((p, &a), &b) in columns.iter().zip(q0).zip(q1) {
            for l in 0..LANES {
                sum0[l] = join(sum0[l], term(a - p[l]));
            }
            for l in 0..LANES {
                sum1[l] = join(sum1[l], term(b - p[l]));
            }
        }
        *out0 = sum0;
        *out1 = sum1;
    }
}

multiversion! {
    fn sweep_squares(q0: &[f32], q1: &[f32], panels: &[f32], out0: &mut [f32], out1: &mut [f32]) {
        sweep_body([q0, q1], panels, [out0, out1], |x| x * x, |a, b| a + b);
    }
}

multiversion! {
    fn sweep_absolutes(q0: &[f32], q1: &[f32], panels: &[f32], out0: &mut [f32], out1: &mut [f32]) {
        sweep_body([q0, q1], panels, [out0, out1], |x| x.abs(), |a, b| a + b);
    }
}

multiversion! {
    fn sweep_largest(q0: &[f32], q1: &[f32], panels: &[f32], out0: &mut [f32], out1: &mut [f32]) {
        sweep_body([q0, q1], panels, [out0, out1], |x| x.abs(), |a, b| if a > b { a } else { b });
    }
}

/// Values of two queries against every row of the panels: `out` takes 16 numbers for each panel.
pub(crate) fn sweep(kernel: Kernel, queries: [&[f32]; 2], panels: &[f32], out: [&mut [f32]; 2]) {
    let ([q0, q1], [out0, out1]) = (queries, out);
    match kernel {
        Kernel::Squares => sweep_squares(q0, q1, panels, out0, out1),
        Kernel::Absolutes => sweep_absolutes(q0, q1, panels, out0, out1),
        Kernel::Largest => sweep_largest(q0, q1, panels, out0, out1),
    }
}

/// Packs rows into panels; lanes past the last row hold zeros and their values mean nothing.
pub(crate) fn pack<'a>(rows: impl ExactSizeIterator<Item = &'a [f32]>, width: usize, panels: &mut Vec<f32>) {
    let count = rows.len();
    panels.clear();
    panels.resize(count.div_ceil(LANES) * LANES * width, 0.0);
    for (i, row) in rows.enumerate() {
        let panel = &mut panels[(i / LANES) * LANES * width..][..LANES * width];
        for (column, &value) in panel.chunks_exact_mut(LANES).zip(row) {
            column[i % LANES] = value;
        }
    }
}
