//! The surrogate: a boosted one-versus-rest model that stands in for the clustering.

use super::TreeShap;
use crate::boost::{Boost, BoostModel};
use crate::{Error, Explainer, Explanation, Result, Run};
#[cfg(feature = "serde")]
use crate::{boost::Link, core::checks};
use ndarray::{Array2, ArrayRef2};

/// A model that says of any row which class it belongs to, how sure it is, and why.
///
/// Trained on the rows of known classes (the leaves of a tree, noise left out), one binary booster for each class
/// against all others. It needs neither embedder nor clusterer, so it is what runs in production.
///
/// How well it repeats the clustering is *fidelity*. It is no evidence that the clusters are real: half of one Gaussian
/// is perfectly learnable too.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Surrogate {
    classes: Vec<String>,
    model: BoostModel,
}

/// Where the surrogate puts a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Assignment<'a> {
    /// Number of the class.
    pub class: usize,
    /// Its name: for a tree's surrogate the path of the leaf.
    pub path: &'a str,
    /// The class's probability in 0 to 1: of a calibrated model that of its distribution, else the class's own probability
    /// divided by the sum over all classes.
    pub confidence: f64,
}

impl Surrogate {
    /// Trains on `data` (rows x columns, NaN for missing) and `labels`: for each row the number of its class in
    /// `classes`, or -1 to leave it out.
    ///
    /// Cost: one training call of [`Boost`] with as many outputs as classes.
    ///
    /// # Errors
    /// Those of [`Boost::fit`], and [`Error::Label`] when a class has no row or a label no class.
    pub fn fit(data: &ArrayRef2<f32>, labels: &[i32], classes: Vec<String>, boost: &Boost, run: &Run) -> Result<Self> {
        let mut seen = vec![false; classes.len()];
        for (row, &label) in labels.iter().enumerate().filter(|(_, label)| **label >= 0) {
            match seen.get_mut(label as usize) {
                Some(seen) => *seen = true,
                None => {
                    return Err(Error::Label { row, label: label.into(), reason: "there is no class of this number" });
                }
            }
        }
        if let Some(missing) = seen.iter().position(|seen| !seen) {
            return Err(Error::Label { row: 0, label: missing as i64, reason: "the class of this number has no row" });
        }
        Ok(Surrogate { model: boost.fit(data, labels, run)?, classes })
    }

    /// Names the columns, for charts, and for files and tables that come later: see [`arranged`](BoostModel::arranged).
    ///
    /// # Errors
    /// Those of [`BoostModel::with_feature_names`].
    pub fn with_feature_names(mut self, names: Vec<String>) -> Result<Self> {
        self.model = self.model.with_feature_names(names)?;
        Ok(self)
    }

    /// Names of the classes, by number.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The boosted model behind it, one output for each class.
    pub fn model(&self) -> &BoostModel {
        &self.model
    }

    /// Each class's own one-versus-rest probability, rows x classes. Rows need not sum to 1.
    ///
    /// # Errors
    /// [`Error::Shape`] when the columns are not those of the training data, and the table errors.
    pub fn probabilities(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f64>> {
        self.model.probabilities(rows, run)
    }

    /// The most probable class of each row, the lower number where two are equally probable.
    ///
    /// # Errors
    /// Those of [`probabilities`](Surrogate::probabilities).
    pub fn assign(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Vec<Assignment<'_>>> {
        // Margins order the classes even where probabilities have rounded to 0 or 1.
        let margins = self.model.margins(rows, run)?;
        let assign = |margins: ndarray::ArrayView1<'_, f64>| {
            let mut class = 0;
            for (k, &margin) in margins.iter().enumerate() {
                if margin > margins[class] {
                    class = k;
                }
            }
            if let Some(calibration) = self.model.calibration() {
                let mut shares = margins.to_vec();
                calibration.apply(&mut shares);
                let class = (0..shares.len()).fold(class, |best, k| if shares[k] > shares[best] { k } else { best });
                return Assignment { class, path: &self.classes[class], confidence: shares[class] };
            }
            let sum: f64 = margins.iter().map(|&margin| crate::core::numerics::sigmoid(margin)).sum();
            let own = crate::core::numerics::sigmoid(margins[class]);
            let confidence = if sum > 0.0 { own / sum } else { 1.0 / margins.len() as f64 };
            Assignment { class, path: &self.classes[class], confidence }
        };
        Ok(margins.outer_iter().map(assign).collect())
    }
}

impl Explainer for Surrogate {
    /// Exact SHAP values of every class's margin (log-odds) for every row: (row, feature, class).
    ///
    /// Memory: rows x features x classes in f64; take rows in blocks when that is much.
    fn explain(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Explanation> {
        TreeShap::new(&self.model).explain(rows, run)
    }

    fn name(&self) -> String {
        "Surrogate".into()
    }
}

#[cfg(feature = "serde")]
impl crate::Saved for Surrogate {
    const FORMAT: &'static str = "recluster surrogate";
    const VERSION: u64 = 2;

    fn validate(&self) -> checks::Check {
        self.model.validate()?;
        checks::count("names of classes", self.classes.len(), self.model.outputs().len())?;
        checks::that(self.model.link() == Link::Logistic, || format!("outputs of the kind {:?}", self.model.link()))
    }
}
