//! Slope and offsets of least log-loss: Newton's method with halved steps.

use super::{Calibration, Case, PIECE, RIDGE, STEPS};
use crate::core::parallel;
use crate::{Error, Result};

impl Calibration {
    /// Newton's method from this start over the free parameters: the offsets, then the slope.
    pub(super) fn descend<'a>(
        self,
        count: usize,
        case: &(impl Fn(usize) -> Case<'a> + Sync + Send),
        free: &[bool],
    ) -> Result<Self> {
        let outputs = self.offsets.len();
        let mut now = self;
        let mut state = now.derivatives(count, case, free);
        for _ in 0..STEPS {
            let n = outputs + 1;
            let step = solve(state.second.clone(), state.first.clone(), n).ok_or(Error::Unsolved {
                method: "calibration",
                reason: "its equations have no solution; more held-out rows help",
            })?;
            // Twice the predicted reduction.
            let promise: f64 = step.iter().zip(&state.first).map(|(a, b)| a * b).sum();
            if promise <= 1e-12 * state.value.abs().max(1.0) {
                break;
            }
            let mut size = 1.0;
            let next = loop {
                let mut next = now.clone();
                next.slope -= size * step[outputs];
                next.offsets.iter_mut().zip(&step).for_each(|(offset, step)| *offset -= size * step);
                let there = next.derivatives(count, case, free);
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
    pub(super) fn derivatives<'a>(
        &self,
        count: usize,
        case: &(impl Fn(usize) -> Case<'a> + Sync + Send),
        free: &[bool],
    ) -> Derivatives {
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
        for a in (0..n).filter(|&a| !free[a]) {
            sum.first[a] = 0.0;
            for b in 0..n {
                let own = if a == b { 1.0 } else { 0.0 };
                (sum.second[a * n + b], sum.second[b * n + a]) = (own, own);
            }
        }
        sum
    }
}

/// The objective at a point, and its first and second derivatives.
pub(super) struct Derivatives {
    value: f64,
    pub(super) first: Vec<f64>,
    second: Vec<f64>,
}

impl Derivatives {
    fn zero(n: usize) -> Self {
        Derivatives { value: 0.0, first: vec![0.0; n], second: vec![0.0; n * n] }
    }
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
