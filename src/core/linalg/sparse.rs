//! The largest eigenpairs of a sparse symmetric operator, by Chebyshev-filtered subspace iteration (Zhou, Saad,
//! Tiago, Chelikowsky 2006, "Self-consistent-field calculations using Chebyshev-filtered subspace iteration",
//! algorithm 4.1 and equation 10): a block of vectors is multiplied by a polynomial that is large above a cut and small
//! below it, orthonormalised, and rotated to its Ritz vectors.
//!
//! Why not Lanczos: its basis grows with each product, or restarts; a block of eight costs one cache line a vertex,
//! whatever the number of products, and that number is bounded before the start.

use super::{dense, symmetric};
use crate::core::parallel;
use crate::core::random::Stream;
use crate::core::simd::multiversion;

/// Columns of the block.
pub(crate) const BLOCK: usize = 8;
/// Vertices in a piece of parallel work.
const PIECE: usize = 1024;

/// A symmetric sparse matrix by rows.
pub(crate) struct Sparse<'a> {
    /// Where each row begins, then the number of entries.
    pub(crate) starts: &'a [usize],
    pub(crate) columns: &'a [u32],
    pub(crate) values: &'a [f32],
}

/// What the iteration found.
pub(crate) struct Pairs {
    /// Falling. Callers so far need the vectors alone; the oracle tests need both.
    #[cfg_attr(not(test), allow(dead_code))]
    pub(crate) values: Vec<f64>,
    /// n x [`BLOCK`], row after row; column j is the vector of value j.
    pub(crate) vectors: Vec<[f64; BLOCK]>,
    /// |S x - value x| for each pair.
    pub(crate) residuals: Vec<f64>,
}

multiversion! {
    /// out = scale (S x) + shift x - last, for rows from.. of S.
    fn product(
        starts: &[usize], columns: &[u32], values: &[f32], x: &[[f64; BLOCK]], from: usize, scale: f64, shift: f64,
        last: f64, out: &mut [[f64; BLOCK]],
    ) {
        for (r, out) in out.iter_mut().enumerate() {
            let i = from + r;
            let mut sum = [0.0f64; BLOCK];
            for at in starts[i]..starts[i + 1] {
                let (w, y) = (f64::from(values[at]), &x[columns[at] as usize]);
                for l in 0..BLOCK {
                    sum[l] += w * y[l];
                }
            }
            for l in 0..BLOCK {
                out[l] = scale * sum[l] + shift * x[i][l] - last * out[l];
            }
        }
    }
}

fn multiply(s: &Sparse<'_>, x: &[[f64; BLOCK]], scale: f64, shift: f64, last: f64, out: &mut [[f64; BLOCK]]) {
    parallel::for_each_chunk(out, PIECE, |chunk, out| {
        product(s.starts, s.columns, s.values, x, chunk * PIECE, scale, shift, last, out);
    });
}

/// The Gram matrix x'y, BLOCK x BLOCK, summed over pieces in order.
fn gram(x: &[[f64; BLOCK]], y: &[[f64; BLOCK]]) -> [[f64; BLOCK]; BLOCK] {
    let parts = parallel::map_ranges(x.len(), PIECE, |range| {
        let mut sums = [[0.0; BLOCK]; BLOCK];
        for (a, b) in x[range.clone()].iter().zip(&y[range]) {
            for i in 0..BLOCK {
                for j in 0..BLOCK {
                    sums[i][j] += a[i] * b[j];
                }
            }
        }
        sums
    });
    let mut sums = [[0.0; BLOCK]; BLOCK];
    for part in parts {
        for i in 0..BLOCK {
            for j in 0..BLOCK {
                sums[i][j] += part[i][j];
            }
        }
    }
    sums
}

/// x := x m, row by row.
fn turn(x: &mut [[f64; BLOCK]], m: &[[f64; BLOCK]; BLOCK]) {
    parallel::for_each_chunk(x, PIECE, |_, rows| {
        for row in rows {
            let mut out = [0.0; BLOCK];
            for i in 0..BLOCK {
                for j in 0..BLOCK {
                    out[j] += row[i] * m[i][j];
                }
            }
            *row = out;
        }
    });
}

/// Makes the columns orthonormal through the eigenpairs of their Gram matrix, twice, since once loses digits where the
/// columns are nearly dependent. Columns that are dependent outright become zero.
fn orthonormalise(x: &mut [[f64; BLOCK]]) -> Option<()> {
    for _ in 0..2 {
        let g = gram(x, x);
        // Columns are brought to length one first: the filter makes their lengths very unlike.
        let length: Vec<f64> = (0..BLOCK).map(|i| libm::sqrt(g[i][i]).max(1e-290)).collect();
        let scaled: Vec<f64> = (0..BLOCK * BLOCK)
            .map(|at| g[at / BLOCK][at % BLOCK] / (length[at / BLOCK] * length[at % BLOCK]))
            .collect();
        let eigen = symmetric(&scaled, BLOCK)?;
        let mut m = [[0.0; BLOCK]; BLOCK];
        for j in 0..BLOCK {
            let value = eigen.values[j];
            let factor = if value > 1e-14 * eigen.values[0] { 1.0 / libm::sqrt(value) } else { 0.0 };
            for i in 0..BLOCK {
                m[i][j] = eigen.vectors[j * BLOCK + i] * factor / length[i];
            }
        }
        turn(x, &m);
    }
    Some(())
}

/// Removes from each column its part along the unit vector `known`.
fn deflate(x: &mut [[f64; BLOCK]], known: &[f64]) {
    let parts = parallel::map_ranges(x.len(), PIECE, |range| {
        let mut sums = [0.0; BLOCK];
        for (row, k) in x[range.clone()].iter().zip(&known[range]) {
            for l in 0..BLOCK {
                sums[l] += row[l] * k;
            }
        }
        sums
    });
    let mut sums = [0.0; BLOCK];
    for part in parts {
        for l in 0..BLOCK {
            sums[l] += part[l];
        }
    }
    for (row, k) in x.iter_mut().zip(known) {
        for l in 0..BLOCK {
            row[l] -= sums[l] * k;
        }
    }
}

/// The [`BLOCK`] largest eigenpairs of `s`, whose spectrum lies in [-1, 1], apart from the unit eigenvector `known`.
///
/// Stops when the first `wanted` residuals are below `tolerance`, or after `rounds` filters of `degree` products each.
/// `step` is called before each round with its number and can end the whole. `None` when numbers go out of range.
#[allow(clippy::too_many_arguments)]
pub(crate) fn largest<E>(
    s: &Sparse<'_>,
    known: &[f64],
    wanted: usize,
    tolerance: f64,
    rounds: usize,
    degree: usize,
    draws: Stream,
    mut step: impl FnMut(usize) -> Result<(), E>,
) -> Result<Option<Pairs>, E> {
    let n = known.len();
    let mut x: Vec<[f64; BLOCK]> =
        (0..n).map(|i| std::array::from_fn(|l| draws.uniform((i * BLOCK + l) as u64) - 0.5)).collect();
    let mut y = vec![[0.0; BLOCK]; n];
    let mut cut = 0.7;
    let mut found = None;
    for round in 0..rounds {
        step(round)?;
        // Chebyshev polynomial of the interval [-1, cut], by its three-term recurrence; the block stays in range because
        // the degree is small and it is orthonormalised after each filter.
        let (centre, half) = ((cut - 1.0) / 2.0, (cut + 1.0) / 2.0);
        y.fill([0.0; BLOCK]);
        multiply(s, &x, 1.0 / half, -centre / half, 0.0, &mut y);
        std::mem::swap(&mut x, &mut y);
        for _ in 1..degree {
            multiply(s, &x, 2.0 / half, -2.0 * centre / half, 1.0, &mut y);
            std::mem::swap(&mut x, &mut y);
        }
        deflate(&mut x, known);
        if orthonormalise(&mut x).is_none() {
            return Ok(None);
        }
        deflate(&mut x, known);
        // Rayleigh and Ritz.
        multiply(s, &x, 1.0, 0.0, 0.0, &mut y);
        let h = gram(&x, &y);
        let flat: Vec<f64> = (0..BLOCK * BLOCK).map(|at| h[at / BLOCK][at % BLOCK]).collect();
        let Some(eigen) = symmetric(&flat, BLOCK) else { return Ok(None) };
        let m: [[f64; BLOCK]; BLOCK] = std::array::from_fn(|i| std::array::from_fn(|j| eigen.vectors[j * BLOCK + i]));
        turn(&mut x, &m);
        turn(&mut y, &m);
        let mut squares = [0.0; BLOCK];
        for (a, b) in x.iter().zip(&y) {
            for l in 0..BLOCK {
                let r = b[l] - eigen.values[l] * a[l];
                squares[l] += r * r;
            }
        }
        let residuals: Vec<f64> = squares.iter().map(|&r| libm::sqrt(r)).collect();
        let done = residuals.iter().take(wanted).all(|&r| r < tolerance);
        cut = eigen.values[BLOCK - 1].clamp(-0.5, 0.9999);
        found = Some((eigen.values, residuals));
        if done {
            break;
        }
    }
    Ok(found.map(|(values, residuals)| Pairs { values, vectors: x, residuals }))
}

/// Inner product in f64 of a plain vector with itself; kept here so that callers normalise as the iteration does.
pub(crate) fn norm(x: &[f64]) -> f64 {
    libm::sqrt(dense::dot(x, x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_has_its_known_spectrum() {
        // Adjacency of a ring, halved: eigenvalues cos(2 pi j / n), each twice but the first.
        let n = 200;
        let starts: Vec<usize> = (0..=n).map(|i| 2 * i).collect();
        let columns: Vec<u32> = (0..n).flat_map(|i| [((i + n - 1) % n) as u32, ((i + 1) % n) as u32]).collect();
        let values = vec![0.5f32; 2 * n];
        let s = Sparse { starts: &starts, columns: &columns, values: &values };
        let known = vec![1.0 / (n as f64).sqrt(); n];
        let pairs = largest(&s, &known, 4, 1e-9, 60, 30, Stream::new(1, 1), |_| Ok::<(), ()>(())).unwrap().unwrap();
        for (j, value) in pairs.values.iter().take(4).enumerate() {
            let exact = (std::f64::consts::TAU * (1 + j / 2) as f64 / n as f64).cos();
            assert!((value - exact).abs() < 1e-12, "{j}: {value} {exact}");
        }
        assert!(pairs.residuals[..4].iter().all(|&r| r < 1e-9));
        assert!((norm(&known) - 1.0).abs() < 1e-14);
    }

    #[test]
    fn pairs_are_those_of_the_dense_solver() {
        // The normalised graph of points on a line with some shortcuts, as the spectral start has it; solved as a whole by
        // the dense solver, which with the feature `linalg` is LAPACK.
        let n = 150;
        let mut weights = vec![0.0f64; n * n];
        let draws = Stream::new(4, 4);
        let mut join = |i: usize, j: usize, w: f64| {
            weights[i * n + j] = w;
            weights[j * n + i] = w;
        };
        for i in 1..n {
            join(i, i - 1, 0.5 + 0.5 * draws.uniform(i as u64));
            if i >= 3 {
                join(i, i - 3, 0.3);
            }
        }
        (0..8).for_each(|t| join(draws.below(1000 + t, n / 2), n / 2 + draws.below(2000 + t, n / 2), 0.05));
        let root: Vec<f64> = weights.chunks(n).map(|row| libm::sqrt(row.iter().sum())).collect();
        let (mut starts, mut columns, mut values, mut full) = (vec![0], Vec::new(), Vec::new(), vec![0.0; n * n]);
        for i in 0..n {
            for j in (0..n).filter(|&j| weights[i * n + j] > 0.0) {
                let value = (weights[i * n + j] / (root[i] * root[j])) as f32;
                full[i * n + j] = f64::from(value);
                columns.push(j as u32);
                values.push(value);
            }
            starts.push(columns.len());
        }
        let all = symmetric(&full, n).unwrap();
        let operator = Sparse { starts: &starts, columns: &columns, values: &values };
        // The trivial vector as the dense solver has it: weights in f32 move it by as much.
        let known = all.vectors[..n].to_vec();
        let pairs = largest(&operator, &known, 4, 1e-9, 60, 40, Stream::new(1, 1), |_| Ok::<(), ()>(()));
        let pairs = pairs.unwrap().unwrap();
        for j in 0..4 {
            assert!((pairs.values[j] - all.values[j + 1]).abs() < 1e-12);
            let vector = &all.vectors[(j + 1) * n..(j + 2) * n];
            let cosine: f64 = pairs.vectors.iter().zip(vector).map(|(x, y)| x[j] * y).sum();
            assert!((cosine.abs() - 1.0).abs() < 1e-12, "{j}: {cosine}");
        }
    }
}
