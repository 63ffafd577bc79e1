//! Importance of features by the splits of a model.

use super::BoostModel;
use crate::Result;
use crate::core::shape::check_output;

/// The measure of [`BoostModel::importance`]; XGBoost's importance types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Importance {
    /// Number of splits that use the feature.
    Weight,
    /// Mean loss saved by a split on the feature.
    Gain,
    /// Loss saved by all splits on the feature.
    TotalGain,
    /// Mean cover of a split on the feature.
    Cover,
    /// Cover of all splits on the feature.
    TotalCover,
}

impl BoostModel {
    /// Importance of each feature for one output by its splits; 0 for features that no split uses.
    /// [`TreeShap::mean_absolute`](crate::explain::TreeShap::mean_absolute) measures it by SHAP values.
    ///
    /// Memory: two numbers for each feature, of which a file may claim up to 2²⁴ (256 MiB) whatever its size. Ask
    /// [`features`](BoostModel::features) first where it is not your own.
    ///
    /// # Errors
    /// [`Error::Output`](crate::Error::Output) when there is no such output.
    pub fn importance(&self, output: usize, kind: Importance) -> Result<Vec<f64>> {
        check_output(self.outputs.len(), output)?;
        let mut splits = vec![0.0; self.features];
        let mut sums = vec![0.0; self.features];
        for tree in &self.outputs[output].trees {
            for i in (0..tree.len()).filter(|&i| !tree.is_leaf(i)) {
                let feature = tree.feature[i] as usize;
                splits[feature] += 1.0;
                sums[feature] += match kind {
                    Importance::Weight => 1.0,
                    Importance::Gain | Importance::TotalGain => f64::from(tree.gain[i]),
                    Importance::Cover | Importance::TotalCover => tree.cover[i],
                };
            }
        }
        if matches!(kind, Importance::Gain | Importance::Cover) {
            for (sum, &count) in sums.iter_mut().zip(&splits) {
                *sum /= f64::max(count, 1.0);
            }
        }
        Ok(sums)
    }
}
