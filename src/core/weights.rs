//! Weights of rows: how many rows of the population each row stands for.

use super::shape::check_count;
use super::{Error, Result};

/// Checks that there is one for each row, all finite and above 0; gives their sum.
pub(crate) fn check_weights(weights: &[f64], rows: usize) -> Result<f64> {
    check_count("weights, one for each row", rows, weights.len())?;
    if let Some(row) = weights.iter().position(|weight| !(weight.is_finite() && *weight > 0.0)) {
        let found = format!("{} at row {row}", weights[row]);
        return Err(Error::setting(
            "weights",
            found,
            "must be finite and above 0; leave out rows that stand for nobody",
        ));
    }
    let sum = sum_of_weights(weights.to_vec());
    if sum.is_finite() { Ok(sum) } else { Err(Error::setting("weights", sum, "must have a finite sum")) }
}

/// The sum, taken from the smallest up, so that the order of rows changes no bit.
pub(crate) fn sum_of_weights(mut weights: Vec<f64>) -> f64 {
    weights.sort_unstable_by(f64::total_cmp);
    // Std's sum of nothing is -0.
    weights.into_iter().fold(0.0, |sum, weight| sum + weight)
}

/// Scales weights to a mean of 1, so that sizes in rows keep their meaning. Equal weights become 1 exactly.
pub(crate) fn with_mean_one(mut weights: Vec<f64>) -> Vec<f64> {
    if weights.windows(2).all(|pair| pair[0] == pair[1]) {
        weights.fill(1.0);
        return weights;
    }
    let mean = sum_of_weights(weights.clone()) / weights.len() as f64;
    weights.iter_mut().for_each(|weight| *weight /= mean);
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_checked_and_scaled() {
        assert_eq!(check_weights(&[1.0, 3.0], 2).unwrap(), 4.0);
        assert!(matches!(check_weights(&[1.0], 2), Err(Error::Shape { .. })));
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let told = check_weights(&[1.0, wrong], 2).unwrap_err().to_string();
            assert!(told.contains("at row 1"), "{told}");
        }
        assert!(check_weights(&[f64::MAX, f64::MAX], 2).is_err());
        assert_eq!(with_mean_one(vec![0.1; 10]), [1.0; 10]);
        assert_eq!(with_mean_one(vec![10.0, 30.0]), [0.5, 1.5]);
        assert!(with_mean_one(Vec::new()).is_empty());
        let (mut rising, mut falling) = (vec![1e16, 1.0, 1.0, 3.0], vec![3.0, 1.0, 1.0, 1e16]);
        assert_eq!(sum_of_weights(rising.clone()), sum_of_weights(falling.clone()));
        (rising, falling) = (with_mean_one(rising), with_mean_one(falling));
        falling.reverse();
        assert_eq!(rising[0].to_bits(), falling[0].to_bits());
    }
}
