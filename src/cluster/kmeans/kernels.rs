//! The loops that k-means spends its time in.

use crate::core::simd;

/// Centres in a panel.
pub(super) const LANES: usize = 8;
/// Points whose panels are measured before any of them is decided; their bounds lie panel after panel.
pub(super) const ROWS: usize = 128;
/// Points measured at once against a panel.
pub(super) const TILE: usize = 4;

simd::multiversion! {
    /// Squared distance in f64, in eight lanes.
    pub(super) fn squared(row: &[f32], center: &[f64]) -> f64 {
        let mut lanes = [0.0f64; 8];
        let ((rows, row_rest), (centers, center_rest)) = (row.as_chunks::<8>(), center.as_chunks::<8>());
        for (x, c) in rows.iter().zip(centers) {
            for lane in 0..8 {
                let gap = f64::from(x[lane]) - c[lane];
                lanes[lane] += gap * gap;
            }
        }
        for (lane, (&x, &c)) in row_rest.iter().zip(center_rest).enumerate() {
            let gap = f64::from(x) - c;
            lanes[lane] += gap * gap;
        }
        let [a, b, c, d, e, f, g, h] = lanes;
        ((a + e) + (c + g)) + ((b + f) + (d + h))
    }
}

simd::multiversion! {
    /// Squared distances in f32 of the rows with the numbers `picked` to their own centres.
    pub(super) fn squared_to_own(
        rows: &[f32], centers: &[f32], columns: usize, picked: &[usize], labels: &[u32], out: &mut [f32; ROWS],
    ) {
        for (out, &i) in out.iter_mut().zip(picked) {
            let center = labels[i] as usize * columns;
            let (row, center) = (&rows[i * columns..(i + 1) * columns], &centers[center..center + columns]);
            *out = simd::sum_lanes(row, center, |x, c| (x - c) * (x - c));
        }
    }
}

simd::multiversion! {
    /// Bounds of distances from squares in f32: (√(factor · square + plus) + error) · up.
    pub(super) fn roots(squared: &[f32], factor: f64, plus: f64, error: f64, up: f64, out: &mut [f64]) {
        for (out, &squared) in out.iter_mut().zip(squared) {
            *out = ((f64::from(squared) * factor + plus).sqrt() + error) * up;
        }
    }
}

simd::multiversion! {
    /// Squared distances of four rows to a panel, in f32.
    pub(super) fn tile(rows: [&[f32]; TILE], panel: &[[f32; LANES]], out: &mut [[f32; LANES]; TILE]) {
        let n = panel.len();
        let [p, q, r, s] = rows.map(|row| &row[..n]);
        let mut sums = [[0.0f32; LANES]; TILE];
        for c in 0..n {
            let lanes = &panel[c];
            let x = [p[c], q[c], r[c], s[c]];
            for t in 0..TILE {
                for lane in 0..LANES {
                    let gap = x[t] - lanes[lane];
                    sums[t][lane] += gap * gap;
                }
            }
        }
        *out = sums;
    }
}

simd::multiversion! {
    /// Lets the lower bounds of [`ROWS`] points (panel after panel) fall by their panels' drift; the least of each point.
    pub(super) fn decay(lower: &mut [[f32; ROWS]], drift: &[f32], least: &mut [f32; ROWS]) {
        least.fill(f32::MAX);
        for (lower, drift) in lower.iter_mut().zip(drift) {
            for (lower, least) in lower.iter_mut().zip(least.iter_mut()) {
                let left = (*lower - drift) * (1.0 - 2.5e-7);
                let left = if left < 1e-30 { 0.0 } else { left };
                *lower = left;
                *least = if left < *least { left } else { *least };
            }
        }
    }
}

/// The least of a panel's lanes.
#[inline(always)]
pub(super) fn least_of(lanes: &[f32; LANES]) -> f32 {
    let mut lanes = *lanes;
    for width in [4, 2, 1] {
        for lane in 0..width {
            lanes[lane] = if lanes[lane + width] < lanes[lane] { lanes[lane + width] } else { lanes[lane] };
        }
    }
    lanes[0]
}

/// Numbers kept in order, for loops that choose without a branch.
pub(super) struct Picked {
    numbers: [usize; ROWS],
    count: usize,
}

impl Picked {
    pub(super) fn new() -> Self {
        Picked { numbers: [0; ROWS], count: 0 }
    }

    /// Those of at most [`ROWS`] candidates that are `wanted`.
    #[inline(always)]
    pub(super) fn fill(&mut self, candidates: impl Iterator<Item = usize>, wanted: impl Fn(usize) -> bool) {
        self.count = 0;
        for number in candidates.take(ROWS) {
            self.numbers[self.count & (ROWS - 1)] = number;
            self.count += usize::from(wanted(number));
        }
    }

    pub(super) fn all(&self) -> &[usize] {
        &self.numbers[..self.count.min(ROWS)]
    }
}
