//! Parameters of a mixture, and the logarithms of its densities for blocks of rows.
//!
//! With Σ = L L', |L⁻¹ (x − μ)|² is the squared Mahalanobis distance. Rows stand in lanes: each lane sums its own row's
//! terms in a fixed order, so a row's density depends on nothing beside it.

#[cfg(feature = "serde")]
use crate::core::checks;
use crate::core::{linalg, numerics, simd};

/// Rows in a block.
pub(super) const ROWS: usize = 128;
/// Rows in a vector loop.
const LANES: usize = 16;

/// Values of a block's rows.
pub(super) type Lanes = [f64; ROWS];

/// What shapes components may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Covariance {
    /// Any ellipsoid, each its own.
    #[default]
    Full,
    /// Any ellipsoid, one for all.
    Tied,
    /// Ellipsoids along the axes.
    Diagonal,
    /// Balls of any size.
    Spherical,
}

/// Weights, means and covariances.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Params {
    pub(super) kind: Covariance,
    pub(super) columns: usize,
    pub(super) weights: Vec<f64>,
    /// Components x columns.
    pub(super) means: Vec<f64>,
    /// Full: a packed lower triangle for each component; tied: one; diagonal: components x columns; spherical: one number
    /// for each component.
    pub(super) covariances: Vec<f64>,
}

impl Params {
    pub(super) fn count(&self) -> usize {
        self.weights.len()
    }

    /// Numbers of one component's covariance (of all, if tied).
    pub(super) fn width(kind: Covariance, columns: usize) -> usize {
        match kind {
            Covariance::Full | Covariance::Tied => columns * (columns + 1) / 2,
            Covariance::Diagonal => columns,
            Covariance::Spherical => 1,
        }
    }

    /// Free parameters.
    pub(super) fn free(&self) -> usize {
        let matrices = if self.kind == Covariance::Tied { 1 } else { self.count() };
        matrices * Self::width(self.kind, self.columns) + self.count() * self.columns + self.count() - 1
    }

    /// Whether sizes fit and all numbers can be used: a file may be damaged.
    #[cfg(feature = "serde")]
    pub(super) fn validate(&self) -> checks::Check {
        let (k, d) = (self.count(), self.columns);
        checks::that(k > 0 && d > 0, || format!("{k} components of {d} columns"))?;
        checks::that(self.means.len().is_multiple_of(k) && self.means.len() / k == d, || {
            format!("{} numbers in {k} means of {d} columns", self.means.len())
        })?;
        let matrices = if self.kind == Covariance::Tied { 1 } else { k };
        checks::count("numbers in covariances", self.covariances.len(), matrices * Self::width(self.kind, d))?;
        checks::each("weights", &self.weights, |&weight| weight > 0.0 && weight <= 1.0)?;
        let sum: f64 = self.weights.iter().sum();
        checks::that((sum - 1.0).abs() < 1e-6, || format!("the weights add up to {sum}"))?;
        checks::narrow("means", &self.means)?;
        checks::each("covariances", &self.covariances, |x| x.is_finite())?;
        checks::that(Density::new(self).is_some(), || "a covariance is not positive definite".into())
    }
}

/// A mixture ready to be evaluated.
pub(super) struct Density {
    kind: Covariance,
    columns: usize,
    means: Vec<f64>,
    /// L⁻¹ as the covariances are stored; for spherical 1/σ.
    whiten: Vec<f64>,
    /// ln weight − ½ (columns ln 2π + ln |Σ|), by component.
    constant: Vec<f64>,
    /// Tied: the whitened means, from `center`.
    tied: Vec<f64>,
    center: Vec<f64>,
}

impl Density {
    /// `None` where a covariance is not positive definite.
    pub(super) fn new(params: &Params) -> Option<Self> {
        let (k, d) = (params.count(), params.columns);
        let (mut whiten, mut half_logs) = (Vec::with_capacity(params.covariances.len()), Vec::with_capacity(k));
        match params.kind {
            Covariance::Full | Covariance::Tied => {
                for matrix in params.covariances.chunks_exact(Params::width(params.kind, d)) {
                    let lower = factor(matrix, d)?;
                    let inverse = linalg::invert_lower(&lower, d);
                    (0..d).for_each(|i| whiten.extend_from_slice(&inverse[i * d..=i * d + i]));
                    half_logs.push(0.5 * linalg::log_determinant(&lower, d));
                }
            }
            Covariance::Diagonal | Covariance::Spherical => {
                if params.covariances.iter().any(|v| v.is_nan() || *v <= 0.0) {
                    return None;
                }
                whiten.extend(params.covariances.iter().map(|v| 1.0 / v.sqrt()));
                let (width, times) = if params.kind == Covariance::Diagonal { (d, 1.0) } else { (1, d as f64) };
                let variances = params.covariances.chunks_exact(width);
                half_logs.extend(variances.map(|v| 0.5 * times * v.iter().map(|&v| libm::log(v)).sum::<f64>()));
            }
        }
        let base = -0.5 * d as f64 * libm::log(std::f64::consts::TAU);
        let constant = (0..k).map(|c| libm::log(params.weights[c]) + base - half_logs[c.min(half_logs.len() - 1)]);
        let constant = constant.collect();
        let mut center = vec![0.0; d];
        let mut tied = Vec::new();
        if params.kind == Covariance::Tied {
            for c in 0..k {
                let mean = &params.means[c * d..(c + 1) * d];
                center.iter_mut().zip(mean).for_each(|(sum, x)| *sum += x / k as f64);
            }
            for mean in params.means.chunks_exact(d) {
                tied.extend((0..d).map(|i| {
                    let row = &whiten[i * (i + 1) / 2..];
                    (0..=i).map(|j| row[j] * (mean[j] - center[j])).sum::<f64>()
                }));
            }
        }
        Some(Density { kind: params.kind, columns: d, means: params.means.clone(), whiten, constant, tied, center })
    }

    pub(super) fn count(&self) -> usize {
        self.constant.len()
    }

    /// ln (weight x density) of the block's rows, by component. `scratch` has twice as many as there are columns.
    pub(super) fn logs(&self, x: &[Lanes], scratch: &mut [Lanes], out: &mut [Lanes]) {
        let d = self.columns;
        let (diff, white) = scratch.split_at_mut(d);
        if self.kind == Covariance::Tied {
            shift(x, &self.center, diff);
            whitened(diff, &self.whiten, white);
        }
        for (c, out) in out.iter_mut().enumerate() {
            *out = [0.0; ROWS];
            let mean = &self.means[c * d..(c + 1) * d];
            match self.kind {
                Covariance::Full => {
                    shift(x, mean, diff);
                    let width = d * (d + 1) / 2;
                    mahalanobis(diff, &self.whiten[c * width..(c + 1) * width], out);
                }
                Covariance::Tied => squares(white, &self.tied[c * d..(c + 1) * d], &[], out),
                Covariance::Diagonal => squares(x, mean, &self.whiten[c * d..(c + 1) * d], out),
                Covariance::Spherical => {
                    squares(x, mean, &[], out);
                    let scale = self.whiten[c] * self.whiten[c];
                    out.iter_mut().for_each(|sum| *sum *= scale);
                }
            }
            let constant = self.constant[c];
            out.iter_mut().for_each(|sum| *sum = constant - 0.5 * *sum);
        }
    }
}

/// The lower triangle L, columns x columns, with L L' = the covariance that `packed` holds by rows: entry (i, j), j <= i,
/// at i (i + 1) / 2 + j. `None` unless it is positive definite beyond rounding.
pub(super) fn factor(packed: &[f64], columns: usize) -> Option<Vec<f64>> {
    let mut matrix = vec![0.0; columns * columns];
    for (i, row) in matrix.chunks_exact_mut(columns).enumerate() {
        row[..=i].copy_from_slice(&packed[i * (i + 1) / 2..(i + 1) * (i + 2) / 2]);
    }
    let lower = linalg::cholesky(&matrix, columns)?;
    // Below this a pivot is what rounding left of the diagonal.
    let share = columns as f64 * 4.0 * f64::EPSILON;
    (0..columns).map(|i| i * (columns + 1)).all(|at| lower[at] * lower[at] > matrix[at] * share).then_some(lower)
}

simd::multiversion! {
    /// x − mean, by column.
    pub(super) fn shift(x: &[Lanes], mean: &[f64], out: &mut [Lanes]) {
        for ((x, out), &mean) in x.iter().zip(out).zip(mean) {
            for lane in 0..ROWS {
                out[lane] = x[lane] - mean;
            }
        }
    }
}

simd::multiversion! {
    /// Adds |W diff|², W a packed lower triangle.
    fn mahalanobis(diff: &[Lanes], triangle: &[f64], out: &mut Lanes) {
        for start in (0..ROWS).step_by(LANES) {
            let mut total = [0.0f64; LANES];
            let mut at = 0;
            for i in 0..diff.len() {
                let mut sums = [0.0f64; LANES];
                for (column, &factor) in diff[..=i].iter().zip(&triangle[at..at + i + 1]) {
                    let x = &column[start..start + LANES];
                    for lane in 0..LANES {
                        sums[lane] += factor * x[lane];
                    }
                }
                at += i + 1;
                for lane in 0..LANES {
                    total[lane] += sums[lane] * sums[lane];
                }
            }
            out[start..start + LANES].copy_from_slice(&total);
        }
    }
}

simd::multiversion! {
    /// W diff, by column.
    fn whitened(diff: &[Lanes], triangle: &[f64], out: &mut [Lanes]) {
        let mut at = 0;
        for (i, out) in out.iter_mut().enumerate().take(diff.len()) {
            *out = [0.0; ROWS];
            for (column, &factor) in diff[..=i].iter().zip(&triangle[at..at + i + 1]) {
                for lane in 0..ROWS {
                    out[lane] += factor * column[lane];
                }
            }
            at += i + 1;
        }
    }
}

simd::multiversion! {
    /// Adds the squares of (x − mean) x scale over the columns; without scales, of x − mean.
    fn squares(x: &[Lanes], mean: &[f64], scale: &[f64], out: &mut Lanes) {
        for (c, (x, &mean)) in x.iter().zip(mean).enumerate() {
            let scale = if scale.is_empty() { 1.0 } else { scale[c] };
            for lane in 0..ROWS {
                let gap = (x[lane] - mean) * scale;
                out[lane] += gap * gap;
            }
        }
    }
}

simd::multiversion! {
    /// Turns logs into shares that add up to 1 in each row; the log of the rows' sums.
    pub(super) fn shares(logs: &mut [Lanes], total: &mut Lanes) {
        let mut most = [f64::NEG_INFINITY; ROWS];
        for logs in logs.iter() {
            for lane in 0..ROWS {
                most[lane] = if logs[lane] > most[lane] { logs[lane] } else { most[lane] };
            }
        }
        let mut sums = [0.0f64; ROWS];
        for logs in logs.iter_mut() {
            for lane in 0..ROWS {
                let share = numerics::exp(logs[lane] - most[lane]);
                logs[lane] = share;
                sums[lane] += share;
            }
        }
        for lane in 0..ROWS {
            total[lane] = most[lane] + libm::log(sums[lane]);
            sums[lane] = 1.0 / sums[lane];
        }
        for logs in logs.iter_mut() {
            for lane in 0..ROWS {
                logs[lane] *= sums[lane];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_covariance_has_a_factor_only_beyond_rounding() {
        // L = (2 0 0; 1 3 0; -1 2 1).
        let lower = factor(&[4.0, 2.0, 10.0, -2.0, 5.0, 6.0], 3).unwrap();
        let expected = [2.0, 0.0, 0.0, 1.0, 3.0, 0.0, -1.0, 2.0, 1.0];
        assert!(lower.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{lower:?}");
        assert!(factor(&[1.0, 1.0, 1.0], 2).is_none());
        // Positive definite, but by no more than rounding leaves.
        assert!(factor(&[1.0, 1.0, 1.0 + 4.0 * f64::EPSILON], 2).is_none());
        assert!(factor(&[1.0, 1.0, 1.0 + 1e-12], 2).is_some());
        assert!(factor(&[0.0], 1).is_none() && factor(&[f64::NAN], 1).is_none());
    }
}
