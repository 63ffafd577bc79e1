//! From margins to probabilities.

use crate::core::numerics;

/// log Σ e^z.
pub(super) fn log_sum(z: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = z.clone().fold(f64::NEG_INFINITY, f64::max);
    most + libm::log(z.map(|z| numerics::exp(z - most)).sum::<f64>())
}

/// e^z over the sum of all e^z.
pub(crate) fn softmax(row: &mut [f64]) {
    let most = row.iter().fold(f64::NEG_INFINITY, |most, &z| most.max(z));
    row.iter_mut().for_each(|z| *z = numerics::exp(*z - most));
    let sum: f64 = row.iter().sum();
    row.iter_mut().for_each(|e| *e /= sum);
}

/// The probability of a label among all of them and none, e^u_k / (1 + Σ e^u_j), as a function of its margin u_k, from the
/// margins of a row.
pub(crate) fn confidence_of(row: impl Iterator<Item = f64> + Clone) -> impl Fn(f64) -> f64 {
    let most = row.clone().fold(0.0f64, f64::max);
    let sum = row.map(|u| numerics::exp(u - most)).sum::<f64>() + numerics::exp(-most);
    move |u| numerics::exp(u - most) / sum
}
