//! What an explainer gives.

use super::shape::check_count;
use super::{Error, Result};
use ndarray::{Array1, Array2, Array3, Axis};

/// What an [`Explainer`](crate::Explainer) says: an attribution for each row, feature and output, the base values separately.
///
/// Always of the shape (row, feature, output), whatever the model.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Parts"))]
pub struct Explanation {
    values: Array3<f64>,
    base: Array1<f64>,
}

/// An explanation as it is saved, not yet checked.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Parts {
    values: Array3<f64>,
    base: Array1<f64>,
}

#[cfg(feature = "serde")]
impl TryFrom<Parts> for Explanation {
    type Error = Error;

    fn try_from(parts: Parts) -> Result<Self> {
        Explanation::new(parts.values, parts.base)
    }
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

    /// An array of this shape, zeros in new memory; in memory that was used, whatever it has.
    pub(crate) fn in_memory(mut memory: Vec<f64>, shape: (usize, usize, usize)) -> Array3<f64> {
        if memory.is_empty() {
            return Array3::zeros(shape);
        }
        memory.resize(shape.0 * shape.1 * shape.2, 0.0);
        Array3::from_shape_vec(shape, memory).unwrap_or_else(|_| Array3::zeros(shape))
    }

    /// The memory of the attributions, to be used again.
    pub(crate) fn into_memory(self) -> Vec<f64> {
        self.values.into_raw_vec_and_offset().0
    }

    /// Attributions, (row, feature, output).
    pub fn values(&self) -> &Array3<f64> {
        &self.values
    }

    /// Base values, one for each output: what the model says of nothing in particular.
    pub fn base(&self) -> &Array1<f64> {
        &self.base
    }

    /// The attributions of features that belong together added up: feature f counts to the group `groups[f]`. They still add up
    /// to the model's outputs. For questions of several columns, see
    /// [`Schema::question_of_features`](crate::table::Schema::question_of_features).
    ///
    /// ```
    /// use ndarray::{Array1, Array3};
    /// use recluster::Explanation;
    /// let why = Explanation::new(Array3::from_shape_fn((1, 3, 1), |(_, f, _)| f as f64), Array1::zeros(1))?;
    /// let summed = why.summed(&[0, 1, 1])?;
    /// assert_eq!(summed.values().as_slice().unwrap(), [0.0, 3.0]);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Shape`] when there is not one group for each feature, or a group's number is not below the number of features.
    pub fn summed(&self, groups: &[usize]) -> Result<Self> {
        let (rows, features, outputs) = self.values.dim();
        check_count("groups, one for each feature", features, groups.len())?;
        let count = groups.iter().max().map_or(0, |most| most + 1);
        if count > features {
            return Err(Error::Shape { what: "groups of features", expected: features, found: count });
        }
        let mut values = Array3::zeros((rows, count, outputs));
        for (feature, &group) in groups.iter().enumerate() {
            let mut to = values.index_axis_mut(Axis(1), group);
            to += &self.values.index_axis(Axis(1), feature);
        }
        Ok(Explanation { values, base: self.base.clone() })
    }

    /// What the attributions add up to, (row, output): the model's outputs.
    pub fn outputs(&self) -> Array2<f64> {
        self.values.sum_axis(Axis(1)) + &self.base
    }
}
