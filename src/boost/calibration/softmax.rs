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

/// The probability of each label among all of them and none: e^u_k / (1 + Σ e^u_j) of the margins u of a row.
pub(crate) fn confidences(row: &mut [f64]) {
    let most = row.iter().fold(0.0f64, |most, &u| most.max(u));
    row.iter_mut().for_each(|u| *u = numerics::exp(*u - most));
    let sum = row.iter().sum::<f64>() + numerics::exp(-most);
    row.iter_mut().for_each(|e| *e /= sum);
}
