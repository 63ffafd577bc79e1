//! Sketches of wide rows, which bound their distances.
//!
//! For sums of squares over many columns, each row also has a short row of [`SKETCH`] numbers: its
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

use super::kernel::{self, sound};
use crate::core::linalg::dense;
use crate::core::parallel;
use crate::core::random::Stream;
use crate::core::simd::{LANES, multiversion, prefetch, sum_lanes};

/// Length of a sketch.
pub(crate) const SKETCH: usize = 64;
/// Rows with no more columns are their own sketch.
pub(super) const WIDE: usize = 96;
/// How many points ahead memory is asked for: they lie scattered, and their numbers are known.
pub(super) const AHEAD: usize = 6;

multiversion! {
    /// Values between a sketch and those of the points `ids`.
    pub(super) fn sketch_values(sketches: &[f32], query: &[f32], ids: &[u32], out: &mut Vec<f32>) {
        let (points, _) = sketches.as_chunks::<SKETCH>();
        let Some(query) = query.first_chunk::<SKETCH>() else { return };
        out.resize(ids.len(), 0.0);
        for (i, (value, &id)) in out.iter_mut().zip(ids).enumerate() {
            if let Some(&later) = ids.get(i + AHEAD) {
                for part in (0..SKETCH).step_by(LANES) {
                    prefetch(sketches, later as usize * SKETCH + part);
                }
            }
            *value = sound(sum_lanes(&points[id as usize], query, |x, y| (x - y) * (x - y)));
        }
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
pub(super) fn project(row: &[f32], mean: &[f32], basis: &[f32], out: &mut [f32]) -> f32 {
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
pub(super) fn basis(sample: &[f32], count: usize, draws: Stream) -> (Vec<f32>, Vec<f32>) {
    const ROUNDS: usize = 2;
    let columns = sample.len() / count;
    let mut mean = vec![0.0f64; columns];
    for row in sample.chunks(columns) {
        mean.iter_mut().zip(row).for_each(|(m, &x)| *m += f64::from(x));
    }
    let mean: Vec<f32> = mean.iter().map(|m| (m / count as f64) as f32).collect();
    let mut basis = random_basis(columns, draws);
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

/// Where the iteration starts, columns x [`SKETCH`].
pub(super) fn random_basis(columns: usize, draws: Stream) -> Vec<f32> {
    let mut basis: Vec<f32> = (0..columns * SKETCH)
        .map(|at| if at % SKETCH == SKETCH - 1 { 0.0 } else { (draws.uniform(at as u64) - 0.5) as f32 })
        .collect();
    orthonormalise(&mut basis, columns);
    basis
}

/// Gram and Schmidt, each column against the earlier ones twice; columns that vanish stay zero, which is a valid basis.
pub(super) fn orthonormalise(basis: &mut [f32], columns: usize) {
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
