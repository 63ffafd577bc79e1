//! What an explainer gives.

use super::{Error, Result};
use ndarray::{Array1, Array2, Array3};

/// What an [`Explainer`](crate::Explainer) says: an attribution for each row, feature and output, the base values separately.
///
/// Always of the shape (row, feature, output), whatever the model.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Explanation {
    values: Array3<f64>,
    base: Array1<f64>,
}

impl Explanation {
    /// Puts attributions (row, feature, output) and base values (output) together.
    ///
    /// # Errors
    /// [`Error::Shape`] when the outputs do not agree.
    pub fn new(values: Array3<f64>, base: Array1<f64>) -> Result<Self> {
        let (expected, found) = (values.dim().2, base.len());
        if expected != found {
            return Err(Error::Shape { what: "base values, one for each output", expected, found });
        }
        Ok(Explanation { values, base })
    }

    /// Attributions, (row, feature, output).
    pub fn values(&self) -> &Array3<f64> {
        &self.values
    }

    /// Base values, one for each output: what the model says of nothing in particular.
    pub fn base(&self) -> &Array1<f64> {
        &self.base
    }

    /// What the attributions add up to, (row, output): the model's outputs.
    pub fn outputs(&self) -> Array2<f64> {
        self.values.sum_axis(ndarray::Axis(1)) + &self.base
    }
}
