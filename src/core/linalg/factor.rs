//! Triangular factors of positive definite matrices, and their inverses (Golub, Van Loan, "Matrix Computations",
//! algorithms 4.2.1 and 3.1.1). Matrices are small (as many rows as a table has columns), stored row after row.

use super::dense::dot;

/// The lower triangle L with L L' = `matrix` (n x n; only its lower triangle is read), zeros above the diagonal.
///
/// Row by row: entry (i, j) needs the inner product of two rows of L that are contiguous, so that it vectorises.
/// `None` when the matrix is not positive definite in f64. O(n³ / 3).
#[cfg_attr(feature = "linalg", allow(dead_code))] // With LAPACK behind the seam, our own code is the oracle.
pub(crate) fn cholesky(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut lower = vec![0.0; n * n];
    for i in 0..n {
        let (above, row) = lower.split_at_mut(i * n);
        for j in 0..i {
            let other = &above[j * n..j * n + j + 1];
            row[j] = (matrix[i * n + j] - dot(&row[..j], &other[..j])) / other[j];
        }
        let left = matrix[i * n + i] - dot(&row[..i], &row[..i]);
        if !(left > 0.0 && left.is_finite()) {
            return None;
        }
        row[i] = libm::sqrt(left);
    }
    Some(lower)
}

/// L⁻¹, lower triangular too.
pub(crate) fn invert_lower(lower: &[f64], n: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; n * n];
    for i in 0..n {
        let (above, row) = inverse.split_at_mut(i * n);
        // Row i of the inverse: (e_i − Σ_{j<i} L_ij row j of the inverse) / L_ii.
        row[i] = 1.0;
        for j in 0..i {
            let factor = lower[i * n + j];
            for (x, y) in row[..=j].iter_mut().zip(&above[j * n..j * n + j + 1]) {
                *x -= factor * y;
            }
        }
        let diagonal = lower[i * n + i];
        row[..=i].iter_mut().for_each(|x| *x /= diagonal);
    }
    inverse
}

/// ln det(L L') = 2 Σ ln L_ii.
pub(crate) fn log_determinant(lower: &[f64], n: usize) -> f64 {
    2.0 * (0..n).map(|i| libm::log(lower[i * n + i])).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::random::Stream;

    /// B B' + I / 10 for a random B.
    pub(crate) fn positive(n: usize, seed: u64) -> Vec<f64> {
        let draws = Stream::new(seed, 0);
        let b: Vec<f64> = (0..n * n).map(|i| draws.normal(i as u64)).collect();
        (0..n * n)
            .map(|at| {
                let (i, j) = (at / n, at % n);
                (0..n).map(|k| b[i * n + k] * b[j * n + k]).sum::<f64>() + if i == j { 0.1 } else { 0.0 }
            })
            .collect()
    }

    #[test]
    fn the_factor_multiplies_back_and_is_inverted() {
        for n in [1, 2, 5, 31, 64] {
            let matrix = positive(n, n as u64);
            let lower = cholesky(&matrix, n).unwrap();
            let inverse = invert_lower(&lower, n);
            for i in 0..n {
                for j in 0..n {
                    let back = dot(&lower[i * n..(i + 1) * n], &lower[j * n..(j + 1) * n]);
                    assert!((back - matrix[i * n + j]).abs() < 1e-11 * n as f64);
                    let one: f64 = (0..n).map(|k| inverse[i * n + k] * lower[k * n + j]).sum();
                    assert!((one - f64::from(i == j)).abs() < 1e-9, "{n}: {one}");
                    assert!(j <= i || (lower[i * n + j] == 0.0 && inverse[i * n + j] == 0.0));
                }
            }
        }
        // det of diag(2, 3) is 6.
        let lower = cholesky(&[2.0, 0.0, 0.0, 3.0], 2).unwrap();
        assert!((log_determinant(&lower, 2) - 6f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn what_is_not_positive_definite_has_no_factor() {
        assert!(cholesky(&[1.0, 2.0, 2.0, 1.0], 2).is_none());
        assert!(cholesky(&[0.0], 1).is_none());
        assert!(cholesky(&[f64::NAN], 1).is_none());
        assert!(cholesky(&[f64::INFINITY], 1).is_none());
        assert_eq!(cholesky(&[], 0), Some(Vec::new()));
    }

    #[cfg(feature = "linalg")]
    #[test]
    fn lapack_finds_the_same_factor() {
        let n = 60;
        let matrix = positive(n, 3);
        let ours = cholesky(&matrix, n).unwrap();
        let theirs = super::super::lapack_cholesky(&matrix, n).unwrap();
        for (a, b) in ours.iter().zip(&theirs) {
            assert!((a - b).abs() < 1e-10, "{a} {b}");
        }
    }
}
