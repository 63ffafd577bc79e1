//! Sketches of sparse rows: what [`super::sketch`] does, by entries alone.
//!
//! The mean is never taken off a row, which would make it dense, but off what comes of it: (x − m)'b = x'b − m'b and
//! |x − m|² = |x|² − 2 x'm + |m|². These sums are in f64, since what is left of them may be small.

use super::kernel::Entries;
use super::sketch::{SKETCH, orthonormalise, random_basis};
use crate::core::random::Stream;
use crate::core::{SparseRows, parallel};

type Sums = [f64; SKETCH];

/// Adds a value's multiple of a basis row.
#[inline(always)]
fn add(sums: &mut Sums, x: f64, basis: &[f32; SKETCH]) {
    sums.iter_mut().zip(basis).for_each(|(sum, &b)| *sum += x * f64::from(b));
}

/// Mean, and an orthonormal basis of the leading directions of the picked rows; see [`super::sketch::basis`].
pub(super) fn sparse_basis(sample: &SparseRows, pick: &[u32], draws: Stream) -> (Vec<f32>, Vec<f32>) {
    const ROUNDS: usize = 2;
    let by_column = sample.by_column(pick);
    let columns = by_column.len();
    let mean = |c: usize| by_column.column(c).1.iter().map(|&x| f64::from(x)).sum::<f64>() / pick.len() as f64;
    let mean: Vec<f32> = (0..columns).map(|c| mean(c) as f32).collect();
    let mut basis = random_basis(columns, draws);
    for _ in 0..ROUNDS {
        // basis := X' (X basis), X being the centred sample.
        let projection = Projection::new(&mean, &basis);
        let scores: Vec<Sums> = parallel::map_ranges(pick.len(), 16, |range| {
            pick[range].iter().map(|&row| projection.inside(sample.row(row as usize))).collect::<Vec<_>>()
        })
        .concat();
        let mut all = [0.0; SKETCH];
        scores.iter().for_each(|score| all.iter_mut().zip(score).for_each(|(all, x)| *all += x));
        parallel::for_each_chunk(&mut basis, 16 * SKETCH, |chunk, out| {
            for (c, out) in (chunk * 16..).zip(out.chunks_mut(SKETCH)) {
                let mut sums = all.map(|x| -f64::from(mean[c]) * x);
                let (places, values) = by_column.column(c);
                for (&place, &x) in places.iter().zip(values) {
                    let score = &scores[place as usize];
                    sums.iter_mut().zip(score).for_each(|(sum, s)| *sum += f64::from(x) * s);
                }
                out.iter_mut().zip(sums).for_each(|(out, sum)| *out = sum as f32);
            }
        });
        orthonormalise(&mut basis, columns);
    }
    (mean, basis)
}

/// A basis, with what the mean comes to in it.
pub(super) struct Projection<'a> {
    mean: &'a [f32],
    basis: &'a [[f32; SKETCH]],
    /// m'b for each direction, and |m|².
    of_mean: Sums,
    square: f64,
}

impl<'a> Projection<'a> {
    pub(super) fn new(mean: &'a [f32], basis: &'a [f32]) -> Self {
        let (basis, _) = basis.as_chunks::<SKETCH>();
        let (mut of_mean, mut square) = ([0.0; SKETCH], 0.0);
        for (&m, b) in mean.iter().zip(basis).filter(|(m, _)| **m != 0.0) {
            add(&mut of_mean, m.into(), b);
            square += f64::from(m) * f64::from(m);
        }
        Projection { mean, basis, of_mean, square }
    }

    /// The row's coordinates from the mean.
    fn inside(&self, (indices, values): Entries<'_>) -> Sums {
        let mut sums = [0.0; SKETCH];
        for (&column, &x) in indices.iter().zip(values) {
            add(&mut sums, x.into(), &self.basis[column as usize]);
        }
        sums.iter_mut().zip(&self.of_mean).for_each(|(sum, m)| *sum -= m);
        sums
    }

    /// Writes the sketch of a row and returns the row's length from the mean.
    pub(super) fn project(&self, (indices, values): Entries<'_>, out: &mut [f32]) -> f32 {
        let sums = self.inside((indices, values));
        let inside: f64 = sums.iter().map(|x| x * x).sum();
        let mut whole = self.square;
        for (&column, &x) in indices.iter().zip(values) {
            let (x, m) = (f64::from(x), f64::from(self.mean[column as usize]));
            whole += x * (x - 2.0 * m);
        }
        let whole = whole.max(0.0);
        out.iter_mut().zip(&sums).for_each(|(out, &sum)| *out = sum as f32);
        out[SKETCH - 1] = (whole - inside).max(0.0).sqrt() as f32;
        whole.sqrt() as f32
    }
}
