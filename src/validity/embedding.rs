//! How faithful an embedding is to its rows.

use crate::core::shape::check_count;
use crate::core::{Rows, parallel, simd};
use crate::{Error, Result, Run};
use ndarray::ArrayRef2;

/// Trustworthiness of an embedding: 1 when every row's k nearest neighbours in the embedding are also its nearest rows.
///
/// Euclidean distances on both sides. Cost: O(n² columns) time, O(n) memory for each thread; take a subset of some
/// ten thousand rows of a large table.
///
/// # Formula
/// T = 1 − 2 / (n k (2n − 3k − 1)) Σᵢ Σ_{j in Uᵢ} (r(i, j) − k), where Uᵢ are the k nearest of i in the embedding
/// and r(i, j) is the rank of j among the rows by distance to i, counted from 1.
/// Venna and Kaski, "Neighborhood preservation in nonlinear projection methods", ICANN 2001.
///
/// # Errors
/// [`Error::Shape`] when the numbers of rows differ, [`Error::Setting`] unless 1 ≤ k < n / 2, and the table errors.
pub fn trustworthiness(rows: &ArrayRef2<f32>, embedding: &ArrayRef2<f32>, k: usize, run: &Run) -> Result<f64> {
    let (rows, embedding) = (Rows::finite(rows)?, Rows::finite(embedding)?);
    let n = rows.len();
    check_count("rows of the embedding", n, embedding.len())?;
    if k < 1 || k >= n.div_ceil(2) {
        return Err(Error::setting("k", k, "must be at least 1 and below half the number of rows"));
    }
    let stage = run.stage("trustworthiness", n);
    let penalties = run.install(|| {
        parallel::map_ranges(n, 16, |range| {
            stage.check()?;
            let (mut near, mut far) = (vec![0.0f32; n], vec![0.0f32; n]);
            let mut order: Vec<u32> = Vec::with_capacity(n);
            let mut penalty = 0u64;
            for i in range {
                squared_distances(rows.row(i), rows.data(), &mut far);
                squared_distances(embedding.row(i), embedding.data(), &mut near);
                (far[i], near[i]) = (f32::INFINITY, f32::INFINITY);
                order.clear();
                order.extend(0..n as u32);
                // Of equally near ones those that are nearer in the rows, so that no order of the rows counts.
                let by_distance = |a: &u32, b: &u32| {
                    let (a, b) = (*a as usize, *b as usize);
                    near[a].total_cmp(&near[b]).then(far[a].total_cmp(&far[b]))
                };
                order.select_nth_unstable_by(k, by_distance);
                for &j in &order[..k] {
                    let d = far[j as usize];
                    let rank = 1 + far.iter().filter(|&&other| other < d).count() as u64;
                    penalty += rank.saturating_sub(k as u64);
                }
            }
            Ok(penalty)
        })
    })?;
    let mut sum = 0u64;
    for penalty in penalties {
        sum += penalty?;
    }
    let (n, k) = (n as f64, k as f64);
    Ok(1.0 - 2.0 / (n * k * (2.0 * n - 3.0 * k - 1.0)) * sum as f64)
}

simd::multiversion! {
    fn squared_distances(row: &[f32], all: &[f32], out: &mut [f32]) {
        for (other, out) in all.chunks_exact(row.len()).zip(out) {
            *out = simd::sum_lanes(row, other, |x, y| (x - y) * (x - y));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn matches_scikit_learn() {
        // scikit-learn 1.9.1: trustworthiness(X, X[:, :2], n_neighbors=5) on the same numbers.
        let rows = Array2::from_shape_fn((40, 4), |(i, j)| ((i * i * 31 + j * 173 * i + j) % 1009) as f32);
        let embedding = rows.slice(ndarray::s![.., ..2]).to_owned();
        let found = trustworthiness(&rows, &embedding, 5, &Run::new()).unwrap();
        approx::assert_abs_diff_eq!(found, EXPECTED, epsilon = 1e-9);
        assert_eq!(trustworthiness(&rows, &rows, 5, &Run::new()).unwrap(), 1.0);
        // Ties in the embedding: the order of the rows does not count.
        let coarse = embedding.mapv(|x| (x / 250.0).floor());
        let turned: Vec<usize> = (0..40).rev().collect();
        let [rows_turned, coarse_turned] = [&rows, &coarse].map(|all| all.select(ndarray::Axis(0), &turned));
        let found = trustworthiness(&rows, &coarse, 5, &Run::new()).unwrap();
        assert_eq!(trustworthiness(&rows_turned, &coarse_turned, 5, &Run::new()).unwrap(), found);
        // Half of the rows is too much; so is what doubled is beyond 64 bits.
        for k in [0, 20, usize::MAX / 2 + 1, usize::MAX] {
            assert!(trustworthiness(&rows, &rows, k, &Run::new()).is_err());
        }
    }
    const EXPECTED: f64 = 0.8245312499999999;
}
