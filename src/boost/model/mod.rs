//! The fitted model: plain flat trees.

mod compact;
mod distribution;
mod importance;
mod masks;
mod predict;
mod tree;

pub use importance::Importance;
pub use tree::{Ensemble, Tree};
pub(crate) use tree::{category_goes_left, number_goes_left};

use super::calibration::Calibration;
use super::limits::MOST_FEATURES;
use crate::core::Cached;
use crate::core::shape::check_count;
use crate::{Error, Result};
pub(crate) use compact::Forest;
use ndarray::{Array2, ArrayRef2, Axis};

/// How margins become predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Link {
    /// The margin is the prediction: regression.
    Identity,
    /// 1 / (1 + e^-margin), for each output on its own: one-versus-rest.
    Logistic,
    /// e^margin over the sum of all outputs' e^margin.
    Softmax,
}

/// A fitted model: one [`Ensemble`] for each output. Made by [`Boost`](super::Boost) or read from XGBoost's JSON.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use]
pub struct BoostModel {
    pub(crate) link: Link,
    pub(crate) features: usize,
    pub(crate) feature_names: Option<Vec<String>>,
    pub(crate) outputs: Vec<Ensemble>,
    pub(crate) calibration: Option<Calibration>,
    /// The trees as prediction reads them: 28 bytes a node.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(crate) compact: Cached<Forest>,
}

#[cfg(feature = "serde")]
impl crate::Saved for BoostModel {
    const FORMAT: &'static str = "recluster boosted trees";
    const VERSION: u64 = 3;

    fn validate(&self) -> std::result::Result<(), String> {
        self.check_structure()?;
        if let Some(calibration) = self.calibration.as_ref().filter(|c| !c.fits(self.outputs.len())) {
            return Err(format!("a calibration of {} outputs, or of numbers that are none", calibration.offsets.len()));
        }
        let Some(names) = &self.feature_names else { return Ok(()) };
        if names.len() != self.features {
            return Err(format!("{} names of {} features", names.len(), self.features));
        }
        crate::match_columns(names, names).map(drop).map_err(|e| e.to_string())
    }
}

impl BoostModel {
    /// Builds a model from its parts, which are checked.
    pub(crate) fn new(link: Link, features: usize, outputs: Vec<Ensemble>) -> Result<Self> {
        let model =
            BoostModel { link, features, feature_names: None, outputs, calibration: None, compact: Cached::default() };
        model.check_structure().map_err(|reason| Error::Format { format: "boosted trees", reason })?;
        Ok(model)
    }

    /// Checks all but names and calibration.
    fn check_structure(&self) -> std::result::Result<(), String> {
        if !(1..=MOST_FEATURES).contains(&self.features) {
            return Err(format!("{} features; 1 to {MOST_FEATURES} are possible", self.features));
        }
        if self.outputs.is_empty() {
            return Err("no outputs".into());
        }
        for (o, output) in self.outputs.iter().enumerate() {
            if !output.base.is_finite() {
                return Err(format!("output {o}: base margin {}", output.base));
            }
            for (t, tree) in output.trees.iter().enumerate() {
                if let Some(fault) = tree.fault(self.features) {
                    return Err(format!("output {o}, tree {t}, {fault}"));
                }
            }
        }
        Ok(())
    }

    /// Names the features, for charts and files, and to match the columns of later tables: see
    /// [`arranged`](BoostModel::arranged).
    ///
    /// # Errors
    /// [`Error::Shape`] when there is not one name for each feature; [`Error::Columns`] for a name that two have.
    pub fn with_feature_names(mut self, names: Vec<String>) -> Result<Self> {
        check_count("feature names, one for each feature", self.features, names.len())?;
        crate::match_columns(&names, &names)?;
        self.feature_names = Some(names);
        Ok(self)
    }

    /// A table (n x features) with its columns, which have the given `names`, in the model's order. For a model without
    /// names the table is returned as it is.
    ///
    /// ```
    /// use ndarray::{Array2, array};
    /// use recluster::{Run, boost::Boost};
    /// let rows = Array2::from_shape_fn((20, 2), |(i, j)| if j == 0 { i as f32 } else { (i % 3) as f32 });
    /// let labels: Vec<i32> = (0..20).map(|i| i / 10).collect();
    /// let run = Run::new();
    /// let model = Boost::new().fit(&rows, &labels, &run)?.with_feature_names(vec!["age".into(), "visits".into()])?;
    /// let turned = array![[2.0f32, 1.0], [1.0, 18.0]];
    /// let arranged = model.arranged(&turned, &["visits", "age"])?;
    /// assert_eq!(arranged, array![[1.0, 2.0], [18.0, 1.0]]);
    /// assert_eq!(model.labels(&arranged, &run)?, [0, 1]);
    /// assert!(model.arranged(&turned, &["visits", "weight"]).is_err());
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Shape`] when there is not one name for each column, or not one column for each feature; those of
    /// [`match_columns`](crate::match_columns).
    pub fn arranged(&self, table: &ArrayRef2<f32>, names: &[impl AsRef<str>]) -> Result<Array2<f32>> {
        check_count("names, one for each column", table.ncols(), names.len())?;
        match &self.feature_names {
            Some(own) => Ok(table.select(Axis(1), &crate::match_columns(own, names)?)),
            None => {
                check_count("columns", self.features, table.ncols())?;
                Ok(table.to_owned())
            }
        }
    }

    /// One ensemble for each output.
    pub fn outputs(&self) -> &[Ensemble] {
        &self.outputs
    }

    /// How margins become predictions.
    pub fn link(&self) -> Link {
        self.link
    }

    /// Number of features.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Names of the features, where they were given.
    pub fn feature_names(&self) -> Option<&[String]> {
        self.feature_names.as_deref()
    }

    /// How the margins were calibrated, where they were.
    pub fn calibration(&self) -> Option<&Calibration> {
        self.calibration.as_ref()
    }
}
