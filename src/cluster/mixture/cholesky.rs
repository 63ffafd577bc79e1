//! Cholesky's factor of a small symmetric matrix, in f64, packed by rows: entry (i, j), j <= i, at i (i + 1) / 2 + j.

/// L with L L' = matrix.
pub(super) struct Factor {
    lower: Vec<f64>,
    n: usize,
}

/// Factors a packed matrix; `None` unless it is positive definite beyond rounding.
pub(super) fn factor(matrix: &[f64], n: usize) -> Option<Factor> {
    let mut lower = matrix.to_vec();
    for i in 0..n {
        let (before, own) = lower.split_at_mut(i * (i + 1) / 2);
        for j in 0..i {
            let row = &before[j * (j + 1) / 2..(j + 1) * (j + 2) / 2];
            own[j] = (own[j] - dot(&own[..j], &row[..j])) / row[j];
        }
        let pivot = own[i] - dot(&own[..i], &own[..i]);
        // Below this the pivot is what rounding left of the diagonal.
        if !(pivot > own[i] * (n as f64 * 4.0 * f64::EPSILON) && pivot.is_finite()) {
            return None;
        }
        own[i] = pivot.sqrt();
    }
    Some(Factor { lower, n })
}

/// A sum in four lanes.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0f64; 4];
    let ((whole_a, rest_a), (whole_b, rest_b)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    for (x, y) in whole_a.iter().zip(whole_b) {
        for lane in 0..4 {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    for (lane, (x, y)) in rest_a.iter().zip(rest_b).enumerate() {
        lanes[lane] += x * y;
    }
    (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])
}

impl Factor {
    /// L's row i, up to the diagonal.
    pub(super) fn row(&self, i: usize) -> &[f64] {
        &self.lower[i * (i + 1) / 2..(i + 1) * (i + 2) / 2]
    }

    /// L⁻¹, packed alike, and ln |L|.
    pub(super) fn inverse(&self) -> (Vec<f64>, f64) {
        let n = self.n;
        let mut inverse = vec![0.0; self.lower.len()];
        // Row i: (e_i − Σ over j < i of L_ij row j) / L_ii.
        for i in 0..n {
            let (before, own) = inverse.split_at_mut(i * (i + 1) / 2);
            let row = self.row(i);
            for j in 0..i {
                let earlier = &before[j * (j + 1) / 2..(j + 1) * (j + 2) / 2];
                own.iter_mut().zip(earlier).for_each(|(own, x)| *own -= row[j] * x);
            }
            own[i] = 1.0;
            own[..=i].iter_mut().for_each(|x| *x /= row[i]);
        }
        (inverse, (0..n).map(|i| libm::log(self.row(i)[i])).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::random::Stream;

    #[test]
    fn factors_and_inverses_satisfy_their_equations() {
        for n in [1usize, 2, 5, 40] {
            let draws = Stream::new(n as u64, 3);
            let root: Vec<f64> = (0..n * n).map(|i| draws.normal(i as u64)).collect();
            let product = |i: usize, j: usize| (0..n).map(|c| root[i * n + c] * root[j * n + c]).sum::<f64>();
            let matrix: Vec<f64> =
                (0..n).flat_map(|i| (0..=i).map(move |j| (i, j))).map(|(i, j)| product(i, j)).collect();
            let found = factor(&matrix, n).unwrap();
            let (inverse, half_log) = found.inverse();
            let mut log = 0.0;
            for i in 0..n {
                log += found.row(i)[i].ln();
                for j in 0..=i {
                    let back: f64 = (0..=j).map(|c| found.row(i)[c] * found.row(j)[c]).sum();
                    assert!((back - matrix[i * (i + 1) / 2 + j]).abs() < 1e-10 * n as f64);
                    let one: f64 = (j..=i).map(|c| inverse[i * (i + 1) / 2 + c] * found.row(c)[j]).sum();
                    assert!((one - f64::from(u8::from(i == j))).abs() < 1e-8, "{n} {i} {j} {one}");
                }
            }
            assert!((log - half_log).abs() < 1e-9);
        }
        assert!(factor(&[1.0, 1.0, 1.0], 2).is_none());
        assert!(factor(&[0.0], 1).is_none() && factor(&[f64::NAN], 1).is_none());
    }
}
