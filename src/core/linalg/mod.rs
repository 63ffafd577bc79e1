//! The one seam to linear algebra: what the rooms above need, in f64, with the same bits everywhere.
//!
//! Dense symmetric eigenproblems ([`symmetric`]) and triangular factors ([`cholesky`]) are found by our own code
//! ([`dense`], [`factor`]) or, with the feature `linalg`, by LAPACK through `ndarray-linalg`; the largest eigenpairs of a
//! sparse operator by a bounded filtered subspace iteration ([`sparse`]), whose cost is fixed before it starts. [`product`]
//! and [`pairs`] are sums of outer products, of f64 and of small whole numbers; they depend on nothing else here.

#[cfg_attr(feature = "linalg", allow(dead_code))] // With LAPACK behind the seam, our own code is the oracle.
pub(crate) mod dense;
pub(crate) mod factor;
pub(crate) mod pairs;
pub(crate) mod product;
pub(crate) mod sparse;

#[cfg(not(feature = "linalg"))]
use crate::core::parallel;
pub(crate) use factor::{invert_lower, log_determinant};

/// Eigenpairs of a symmetric matrix, largest eigenvalue first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Eigen {
    /// Falling.
    pub(crate) values: Vec<f64>,
    /// One orthonormal vector after the other, in the order of the values; the largest component is positive.
    pub(crate) vectors: Vec<f64>,
}

/// All eigenpairs of the symmetric n x n `matrix` (row after row; only its lower triangle is read). O(n^3).
///
/// `None` when an entry is not finite or the iteration does not converge, which no finite matrix has been seen to cause.
pub(crate) fn symmetric(matrix: &[f64], n: usize) -> Option<Eigen> {
    if n == 0 || matrix.len() != n * n || matrix.iter().any(|x| !x.is_finite()) {
        return None;
    }
    #[cfg(feature = "linalg")]
    let (values, vectors) = lapack(matrix, n)?;
    #[cfg(not(feature = "linalg"))]
    let (values, vectors) = parallel::within(|| dense::symmetric(matrix, n))?;
    Some(ordered(&values, &vectors, n))
}

/// The `k` largest eigenpairs of the symmetric n x n `matrix`, as [`symmetric`] gives them. O(n³ + n² k), several times
/// faster than all of them where k is a small part of n.
pub(crate) fn largest(matrix: &[f64], n: usize, k: usize) -> Option<Eigen> {
    #[cfg(not(feature = "linalg"))]
    if 4 * k <= n
        && matrix.len() == n * n
        && matrix.iter().all(|x| x.is_finite())
        && let Some((values, vectors)) = parallel::within(|| dense::largest(matrix, n, k))
    {
        return Some(ordered(&values, &vectors, n));
    }
    let mut eigen = symmetric(matrix, n)?;
    eigen.values.truncate(k);
    eigen.vectors.truncate(k * n);
    Some(eigen)
}

#[cfg(feature = "linalg")]
fn lapack(matrix: &[f64], n: usize) -> Option<(Vec<f64>, Vec<f64>)> {
    use ndarray_linalg::{Eigh, UPLO};
    let full = ndarray::Array2::from_shape_fn((n, n), |(i, j)| matrix[i.max(j) * n + i.min(j)]);
    let (values, vectors) = full.eigh(UPLO::Lower).ok()?;
    Some((values.to_vec(), vectors.t().iter().copied().collect()))
}

/// The lower triangle L with L L' = `matrix` (n x n, row after row; only its lower triangle is read), zeros above the
/// diagonal; `None` when the matrix is not positive definite. O(n³). What it is for: [`invert_lower`],
/// [`log_determinant`].
pub(crate) fn cholesky(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    if matrix.len() != n * n {
        return None;
    }
    #[cfg(feature = "linalg")]
    return lapack_cholesky(matrix, n);
    #[cfg(not(feature = "linalg"))]
    factor::cholesky(matrix, n)
}

#[cfg(feature = "linalg")]
fn lapack_cholesky(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    use ndarray_linalg::{Cholesky, UPLO};
    if n == 0 {
        return Some(Vec::new());
    }
    let full = ndarray::Array2::from_shape_fn((n, n), |(i, j)| matrix[i.max(j) * n + i.min(j)]);
    // LAPACK passes NaN on.
    let lower = full.cholesky(UPLO::Lower).ok().filter(|l| l.iter().all(|x| x.is_finite()))?;
    Some(lower.iter().copied().collect())
}

/// Sorts eigenpairs by falling value and fixes each vector's sign.
fn ordered(values: &[f64], vectors: &[f64], n: usize) -> Eigen {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
    let mut sorted = Vec::with_capacity(vectors.len());
    for &i in &order {
        let vector = &vectors[i * n..(i + 1) * n];
        let sign = sign_of_largest(vector);
        sorted.extend(vector.iter().map(|x| sign * x));
    }
    Eigen { values: order.iter().map(|&i| values[i]).collect(), vectors: sorted }
}

/// The sign that makes the component of largest magnitude (the first of equals) positive.
pub(crate) fn sign_of_largest(vector: &[f64]) -> f64 {
    let mut largest = 0.0f64;
    for &x in vector {
        if x.abs() > largest.abs() {
            largest = x;
        }
    }
    if largest < 0.0 { -1.0 } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::random::Stream;

    fn random_symmetric(n: usize, seed: u64) -> Vec<f64> {
        let draws = Stream::new(seed, 0);
        let mut matrix = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let x = draws.normal((i * n + j) as u64);
                matrix[i * n + j] = x;
                matrix[j * n + i] = x;
            }
        }
        matrix
    }

    fn check(matrix: &[f64], n: usize) {
        let eigen = symmetric(matrix, n).unwrap();
        let size = matrix.iter().fold(1e-300f64, |m, x| m.max(x.abs()));
        for i in 0..n {
            let v = &eigen.vectors[i * n..(i + 1) * n];
            for r in 0..n {
                let product: f64 = (0..n).map(|c| matrix[r * n + c] * v[c]).sum();
                assert!((product - eigen.values[i] * v[r]).abs() < 1e-11 * size * n as f64, "n {n}, pair {i}");
            }
            for j in 0..=i {
                let w = &eigen.vectors[j * n..(j + 1) * n];
                let dot: f64 = v.iter().zip(w).map(|(a, b)| a * b).sum();
                assert!((dot - f64::from(i == j)).abs() < 1e-11 * n as f64);
            }
            assert!(i == 0 || eigen.values[i] <= eigen.values[i - 1]);
        }
    }

    #[test]
    fn eigenpairs_satisfy_their_equation() {
        for (n, seed) in [(1, 1), (2, 2), (3, 3), (10, 4), (63, 5), (130, 6)] {
            check(&random_symmetric(n, seed), n);
        }
    }

    #[test]
    fn matrices_of_low_rank_are_solved() {
        // As the covariance of images: most columns vary, some never do, and far fewer rows than columns are different.
        for (n, rank, constant) in [(120, 7, 0), (200, 60, 40), (300, 100, 3)] {
            let draws = Stream::new(n as u64, 1);
            let entry = |r: usize, c: usize| if c % 100 < constant { 0.0 } else { draws.of(r as u64).normal(c as u64) };
            let matrix: Vec<f64> =
                (0..n * n).map(|at| (0..rank).map(|r| 1e4 * entry(r, at / n) * entry(r, at % n)).sum()).collect();
            check(&matrix, n);
        }
    }

    #[test]
    fn awkward_matrices_are_solved() {
        let n = 20;
        check(&vec![0.0; n * n], n);
        check(&vec![1.0; n * n], n);
        let identity: Vec<f64> = (0..n * n).map(|i| f64::from(i % (n + 1) == 0)).collect();
        check(&identity, n);
        // Very unlike sizes on the diagonal.
        let graded: Vec<f64> =
            (0..n * n).map(|i| if i % (n + 1) == 0 { 10f64.powi((i / n) as i32 - 10) } else { 1e-12 }).collect();
        check(&graded, n);
        assert!(symmetric(&[f64::NAN], 1).is_none());
        assert!(symmetric(&[], 0).is_none());
    }

    #[test]
    fn the_largest_pairs_are_those_of_the_whole() {
        let draws = Stream::new(5, 5);
        let random = random_symmetric(90, 7);
        let low_rank: Vec<f64> = (0..90 * 90)
            .map(|at| (0..9).map(|r| draws.of(r).normal((at / 90) as u64) * draws.of(r).normal((at % 90) as u64)).sum())
            .collect();
        // Every eigenvalue four times; blocks that do not touch; one number everywhere; nothing but a diagonal.
        let repeated: Vec<f64> = (0..90 * 90).map(|i| if i % 91 == 0 { (i / 91 / 4) as f64 } else { 0.0 }).collect();
        let blocks: Vec<f64> = (0..90 * 90).map(|i| f64::from(i / 90 / 9 == i % 90 / 9)).collect();
        let ones = vec![1.0; 90 * 90];
        let graded: Vec<f64> =
            (0..90 * 90).map(|i| if i % 91 == 0 { 10f64.powi(i / 91 - 80) } else { 1e-70 }).collect();
        for (name, matrix) in [
            ("random", random),
            ("low rank", low_rank),
            ("repeated", repeated),
            ("blocks", blocks),
            ("ones", ones),
            ("graded", graded),
        ] {
            let n = 90;
            let (some, all) = (largest(&matrix, n, 20).unwrap(), symmetric(&matrix, n).unwrap());
            let size = all.values[0].abs().max(all.values[n - 1].abs());
            for i in 0..20 {
                assert!((some.values[i] - all.values[i]).abs() < 1e-12 * size, "{name}, value {i}");
                let v = &some.vectors[i * n..(i + 1) * n];
                for r in 0..n {
                    let product: f64 = (0..n).map(|c| matrix[r * n + c] * v[c]).sum();
                    assert!((product - some.values[i] * v[r]).abs() < 1e-11 * size, "{name}, pair {i}");
                }
                for j in 0..=i {
                    let w = &some.vectors[j * n..(j + 1) * n];
                    let product: f64 = v.iter().zip(w).map(|(a, b)| a * b).sum();
                    assert!((product - f64::from(i == j)).abs() < 1e-12, "{name}, pairs {i} and {j}");
                }
            }
        }
        assert!(largest(&[f64::NAN], 1, 1).is_none());
    }

    #[cfg(feature = "linalg")]
    #[test]
    fn lapack_and_our_own_code_agree() {
        let n = 80;
        let matrix = random_symmetric(n, 9);
        let theirs = symmetric(&matrix, n).unwrap();
        let (values, vectors) = dense::symmetric(&matrix, n).unwrap();
        let ours = ordered(&values, &vectors, n);
        for (a, b) in ours.values.iter().zip(&theirs.values) {
            assert!((a - b).abs() < 1e-11 * n as f64);
        }
        for (a, b) in ours.vectors.iter().zip(&theirs.vectors) {
            assert!((a - b).abs() < 1e-8);
        }
    }

    #[cfg(feature = "linalg")]
    #[test]
    fn lapack_and_our_own_code_find_the_same_largest_pairs() {
        let (n, k) = (120, 20);
        let matrix = random_symmetric(n, 10);
        let theirs = largest(&matrix, n, k).unwrap();
        let (values, vectors) = dense::largest(&matrix, n, k).unwrap();
        let ours = ordered(&values, &vectors, n);
        assert_eq!((theirs.values.len(), theirs.vectors.len()), (k, k * n));
        assert!(ours.values.iter().zip(&theirs.values).all(|(a, b)| (a - b).abs() < 1e-11 * n as f64));
        assert!(ours.vectors.iter().zip(&theirs.vectors).all(|(a, b)| (a - b).abs() < 1e-8));
    }

    #[cfg(feature = "linalg")]
    #[test]
    fn principal_components_by_lapack_are_our_own() {
        use crate::embed::{Pca, Solver};
        let draws = Stream::new(8, 8);
        let rows = ndarray::Array2::from_shape_fn((200, 50), |(i, j)| {
            (draws.of(i as u64).normal(j as u64) * (1.0 + 50.0 / (j + 1) as f64) + 3.0) as f32
        });
        // The covariance in plain loops, solved by our own code.
        let mean: Vec<f64> =
            (0..50).map(|c| rows.column(c).iter().map(|&x| f64::from(x)).sum::<f64>() / 200.0).collect();
        let centred = |i: usize, c: usize| f64::from(rows[[i, c]]) - mean[c];
        let sums: Vec<f64> =
            (0..2500).map(|at| (0..200).map(|i| centred(i, at / 50) * centred(i, at % 50)).sum::<f64>()).collect();
        let (values, vectors) = dense::largest(&sums, 50, 6).unwrap();
        let ours = ordered(&values, &vectors, 50);
        for solver in [Solver::Exact, Solver::Randomized { power_iterations: 40 }] {
            let model = Pca::new(6).solver(solver).fit(&rows, &crate::Run::new()).unwrap();
            assert!(
                model.explained_variance().iter().zip(&ours.values).all(|(a, b)| (a * 199.0 / b - 1.0).abs() < 1e-10)
            );
            assert!(model.components().iter().zip(&ours.vectors).all(|(a, b)| (a - b).abs() < 1e-6));
        }
    }
}
