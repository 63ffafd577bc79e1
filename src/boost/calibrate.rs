//! One distribution over all labels, from the margins of one-versus-rest models.
//!
//! The K models know nothing of each other, so their probabilities do not add up to 1, and boosted trees are too sure of
//! the rows that they were trained on. With z the margins of a row, its distribution is
//!
//! ```text
//! p_k = e^(s z_k + b_k) / Σ_j e^(s z_j + b_j)
//! ```
//!
//! with one slope s (temperature scaling: Guo and others, "On Calibration of Modern Neural Networks", ICML 2017) and an
//! offset b_k for each label, which together minimise the log-loss of rows that no tree has seen. The problem is convex;
//! Newton's method with halved steps solves it. A penalty of [`RIDGE`] / 2 on the square of each offset and of s - 1
//! keeps the solution finite where held-out rows are told apart without fault.

use crate::core::{numerics, parallel};
use crate::{Error, Result};

/// Weight of the penalty, in rows.
const RIDGE: f64 = 1.0;
/// Rows whose sums one task adds up.
const PIECE: usize = 512;
/// Steps of Newton's method; five to ten are enough.
const STEPS: usize = 50;

/// What turns margins into a distribution: softmax of slope x margin + offset.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Calibration {
    pub(crate) slope: f64,
    pub(crate) offsets: Vec<f64>,
}

/// One row that the calibration learns from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    pub(super) margins: &'a [f64],
    pub(super) label: usize,
    pub(super) weight: f64,
}

impl Calibration {
    /// What margins are multiplied by; below 1 where the model is too sure.
    pub fn slope(&self) -> f64 {
        self.slope
    }

    /// What is added for each label.
    pub fn offsets(&self) -> &[f64] {
        &self.offsets
    }

    /// Turns a row's margins into its distribution.
    pub(crate) fn apply(&self, row: &mut [f64]) {
        for (z, offset) in row.iter_mut().zip(&self.offsets) {
            *z = *z * self.slope + offset;
        }
        softmax(row);
    }

    /// Whether it fits a model of that many outputs.
    #[cfg(any(feature = "serde", test))]
    pub(super) fn fits(&self, outputs: usize) -> bool {
        self.offsets.len() == outputs && self.slope.is_finite() && self.offsets.iter().all(|b| b.is_finite())
    }

    /// Fits slope and offsets to `count` rows, whose order must depend on their content alone.
    pub(super) fn fit<'a>(
        outputs: usize,
        count: usize,
        case: impl Fn(usize) -> Case<'a> + Sync + Send,
    ) -> Result<Self> {
        let mut now = Calibration { slope: 1.0, offsets: vec![0.0; outputs] };
        let mut state = now.derivatives(count, &case);
        for _ in 0..STEPS {
            let n = outputs + 1;
            let step = solve(state.second.clone(), state.first.clone(), n).ok_or(Error::Unsolved {
                method: "calibration",
                reason: "its equations have no solution; more held-out rows help",
            })?;
            // Twice the fall that the step promises.
            let promise: f64 = step.iter().zip(&state.first).map(|(a, b)| a * b).sum();
            if promise <= 1e-12 * state.value.abs().max(1.0) {
                break;
            }
            let mut size = 1.0;
            let next = loop {
                let mut next = now.clone();
                next.slope -= size * step[outputs];
                next.offsets.iter_mut().zip(&step).for_each(|(offset, step)| *offset -= size * step);
                let there = next.derivatives(count, &case);
                if there.value <= state.value - 1e-4 * size * promise {
                    break Some((next, there));
                }
                size /= 2.0;
                if size < 1e-6 {
                    break None;
                }
            };
            let Some((next, there)) = next else { break };
            (now, state) = (next, there);
        }
        Ok(now)
    }

    /// The objective with its first and second derivatives by offsets and slope.
    fn derivatives<'a>(&self, count: usize, case: &(impl Fn(usize) -> Case<'a> + Sync + Send)) -> Derivatives {
        let (k, n) = (self.offsets.len(), self.offsets.len() + 1);
        let parts = parallel::map_ranges(count, PIECE, |range| {
            let mut sum = Derivatives::zero(n);
            let mut p = vec![0.0; k];
            for i in range {
                let Case { margins, label, weight } = case(i);
                p.copy_from_slice(margins);
                self.apply(&mut p);
                sum.value -= weight * libm::log(p[label].max(f64::MIN_POSITIVE));
                let mean: f64 = p.iter().zip(margins).map(|(p, z)| p * z).sum();
                for a in 0..k {
                    sum.first[a] += weight * (p[a] - f64::from(u8::from(a == label)));
                    let by_slope = weight * p[a] * (margins[a] - mean);
                    sum.second[a * n + k] += by_slope;
                    sum.second[k * n + k] += by_slope * margins[a];
                    sum.second[a * n + a] += weight * p[a];
                    for b in 0..=a {
                        sum.second[a * n + b] -= weight * p[a] * p[b];
                    }
                }
                sum.first[k] += weight * (mean - margins[label]);
            }
            sum
        });
        let mut sum = Derivatives::zero(n);
        for part in parts {
            sum.value += part.value;
            sum.first.iter_mut().zip(&part.first).for_each(|(a, b)| *a += b);
            sum.second.iter_mut().zip(&part.second).for_each(|(a, b)| *a += b);
        }
        for a in 0..n {
            let from = if a < k { self.offsets[a] } else { self.slope - 1.0 };
            sum.value += RIDGE / 2.0 * from * from;
            sum.first[a] += RIDGE * from;
            sum.second[a * n + a] += RIDGE;
        }
        for a in 0..k {
            sum.second[k * n + a] = sum.second[a * n + k];
            for b in 0..a {
                sum.second[b * n + a] = sum.second[a * n + b];
            }
        }
        sum
    }
}

struct Derivatives {
    value: f64,
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Derivatives {
    fn zero(n: usize) -> Self {
        Derivatives { value: 0.0, first: vec![0.0; n], second: vec![0.0; n * n] }
    }
}

/// e^z over the sum of all e^z.
pub(crate) fn softmax(row: &mut [f64]) {
    let most = row.iter().fold(f64::NEG_INFINITY, |most, &z| most.max(z));
    row.iter_mut().for_each(|z| *z = numerics::exp(*z - most));
    let sum: f64 = row.iter().sum();
    row.iter_mut().for_each(|e| *e /= sum);
}

/// Solves a x = b for a symmetric positive definite matrix, by Cholesky's method; None where it is not one.
fn solve(mut a: Vec<f64>, mut b: Vec<f64>, n: usize) -> Option<Vec<f64>> {
    for j in 0..n {
        for i in j..n {
            let mut sum = a[i * n + j];
            for k in 0..j {
                sum -= a[i * n + k] * a[j * n + k];
            }
            if i == j {
                if !(sum > 0.0 && sum.is_finite()) {
                    return None;
                }
                a[j * n + j] = sum.sqrt();
            } else {
                a[i * n + j] = sum / a[j * n + j];
            }
        }
    }
    for i in 0..n {
        for k in 0..i {
            b[i] -= a[i * n + k] * b[k];
        }
        b[i] /= a[i * n + i];
    }
    for i in (0..n).rev() {
        for k in i + 1..n {
            b[i] -= a[k * n + i] * b[k];
        }
        b[i] /= a[i * n + i];
    }
    Some(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::random::Stream;

    #[test]
    fn a_known_distortion_is_found_and_undone() {
        // True log-odds t; the margins are 3 t + offsets.
        let (draws, outputs, count) = (Stream::new(5, 1), 4, 20_000);
        let shift = [0.5, -1.0, 0.0, 0.5];
        let mut rows = Vec::new();
        for i in 0..count as u64 {
            let truth: Vec<f64> = (0..outputs as u64).map(|k| draws.of(i).normal(k)).collect();
            let mut p = truth.clone();
            softmax(&mut p);
            let mut left = draws.of(i).uniform(100);
            let label = p
                .iter()
                .position(|p| {
                    left -= p;
                    left < 0.0
                })
                .unwrap_or(outputs - 1);
            rows.push((truth.iter().zip(shift).map(|(t, s)| 3.0 * (t - s)).collect::<Vec<_>>(), label));
        }
        let case = |i: usize| Case { margins: &rows[i].0, label: rows[i].1, weight: 1.0 };
        let found = Calibration::fit(outputs, count, case).unwrap();
        assert!((found.slope - 1.0 / 3.0).abs() < 0.02, "{found:?}");
        let mean = found.offsets.iter().sum::<f64>() / 4.0;
        assert!(found.offsets.iter().zip(shift).all(|(b, s)| (b - mean - s).abs() < 0.1), "{found:?}");
        // At the solution the first derivatives are zero.
        assert!(found.derivatives(count, &case).first.iter().all(|d| d.abs() < 1e-3));
    }

    #[test]
    fn separable_and_empty_cases_stay_finite() {
        let rows = [[900.0, -900.0], [-900.0, 900.0]];
        let case = |i: usize| Case { margins: &rows[i], label: i, weight: 1.0 };
        assert!(Calibration::fit(2, 2, case).unwrap().fits(2));
        let wrong = |i: usize| Case { margins: &rows[i], label: 1 - i, weight: 1.0 };
        assert!(Calibration::fit(2, 2, wrong).unwrap().fits(2));
        assert_eq!(Calibration::fit(3, 0, case).unwrap(), Calibration { slope: 1.0, offsets: vec![0.0; 3] });
    }
}
