//! The surrogate: a boosted one-versus-rest model of the clustering.

use super::TreeShap;
use super::prepared::Prepared;
use crate::boost::{Boost, BoostModel, confidences};
use crate::core::{Cached, check_weights, with_mean_one};
use crate::table::{Schema, Table};
use crate::{Error, Explainer, Explanation, Result, Run};
#[cfg(feature = "serde")]
use crate::{boost::Link, core::checks};
use ndarray::{Array2, ArrayRef2};

/// A model that assigns rows to classes, with a confidence and an explanation.
///
/// Trained on the rows of known classes (the leaves of a tree, noise left out), one binary booster for each class
/// against all others. It needs neither embedder nor clusterer to assign new rows.
///
/// Its agreement with the clustering is its *fidelity*. Fidelity is no evidence that the clusters are real: two halves of
/// one Gaussian can be learnt perfectly too.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Surrogate {
    classes: Vec<String>,
    model: BoostModel,
    /// How a table becomes the model's features.
    #[cfg_attr(feature = "serde", serde(default))]
    schema: Option<Schema>,
    /// The schema's digest, 0 without one.
    #[cfg_attr(feature = "serde", serde(default))]
    digest: u64,
    /// The trees prepared for SHAP.
    #[cfg_attr(feature = "serde", serde(skip))]
    paths: Cached<Vec<Prepared>>,
}

/// The class that the surrogate assigns to a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Assignment<'a> {
    /// Number of the class.
    pub class: usize,
    /// Name of the class: for a tree's surrogate the path of the leaf.
    pub path: &'a str,
    /// The class's probability in 0 to 1, among all classes and none of them: e^u / (1 + Σ e^u_j) of the row's calibrated
    /// margins u. It is calibrated for rows that the model was not trained on, and low where every class's model rejects the
    /// row.
    pub confidence: f64,
}

impl Surrogate {
    /// Trains on `data` (rows x columns, NaN for missing) and `labels`: for each row the number of its class in
    /// `classes`, or -1 to leave it out.
    ///
    /// The model is always calibrated by cross-fitting, whatever the setting [`Boost::calibrated`]. Where there are too
    /// few rows for that, the run gets a note, and `model().calibration()` has 0 rows.
    ///
    /// Cost: two training calls of [`Boost`] with as many outputs as classes; four for fewer than 200 rows a class in a
    /// third of the rows.
    ///
    /// # Errors
    /// Those of [`Boost::fit`], and [`Error::Label`] when a class has no row or a label no class.
    pub fn fit(data: &ArrayRef2<f32>, labels: &[i32], classes: Vec<String>, boost: &Boost, run: &Run) -> Result<Self> {
        Ok(Self::train(data, labels, classes, None, false, boost, run)?.0)
    }

    /// As [`Surrogate::fit`], with row i standing for `weights[i]` rows of the population; see [`Boost::fit_weighted`].
    /// Weights are scaled to a mean of 1, so that settings in units of weight keep their meaning.
    ///
    /// # Errors
    /// Those of [`Surrogate::fit`]; [`Error::Shape`] unless there is a weight for each row; [`Error::Setting`] for a weight
    /// that is not finite or not above 0.
    pub fn fit_weighted(
        data: &ArrayRef2<f32>,
        labels: &[i32],
        classes: Vec<String>,
        weights: &[f64],
        boost: &Boost,
        run: &Run,
    ) -> Result<Self> {
        Ok(Self::train(data, labels, classes, Some(weights), false, boost, run)?.0)
    }

    /// As [`Surrogate::fit`], or [`fit_weighted`](Surrogate::fit_weighted), with the confidences (rows x classes) that models
    /// give to rows that they were not trained on: what [`Fidelity::of`](super::Fidelity::of) takes. Rows of noise, which no
    /// model is trained on, have the surrogate's own; rows that could not be held out are NaN. See
    /// [`Boost::fit_out_of_fold`], also for the cost.
    ///
    /// # Errors
    /// Those of [`Surrogate::fit_weighted`].
    pub fn fit_out_of_fold(
        data: &ArrayRef2<f32>,
        labels: &[i32],
        classes: Vec<String>,
        weights: Option<&[f64]>,
        boost: &Boost,
        run: &Run,
    ) -> Result<(Self, Array2<f64>)> {
        let (surrogate, margins) = Self::train(data, labels, classes, weights, true, boost, run)?;
        let shares = super::fidelity::shares(margins, surrogate.classes.len());
        Ok((surrogate, shares))
    }

    fn train(
        data: &ArrayRef2<f32>,
        labels: &[i32],
        classes: Vec<String>,
        weights: Option<&[f64]>,
        out_of_fold: bool,
        boost: &Boost,
        run: &Run,
    ) -> Result<(Self, Array2<f64>)> {
        let weights = narrow(weights, data.nrows())?;
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
        let (model, margins) = match out_of_fold {
            true => boost.fit_out_of_fold(data, labels, weights.as_deref(), run)?,
            false => {
                let model = boost.clone().calibrated(true).fit_weighted(data, labels, weights.as_deref(), run)?;
                (model, Array2::zeros((0, 0)))
            }
        };
        Ok((Surrogate { model, classes, schema: None, digest: 0, paths: Cached::default() }, margins))
    }

    /// Names the columns, for charts and files, and to match the columns of later tables: see
    /// [`arranged`](BoostModel::arranged).
    ///
    /// # Errors
    /// Those of [`BoostModel::with_feature_names`].
    pub fn with_feature_names(mut self, names: Vec<String>) -> Result<Self> {
        self.model = self.model.with_feature_names(names)?;
        Ok(self)
    }

    /// Keeps the schema that [encoded](Schema::encode) the data, so that later tables can be assigned by
    /// [`assign_table`](Surrogate::assign_table), here or from a saved file. Names the columns, too.
    ///
    /// # Errors
    /// [`Error::Shape`] when the schema has another number of features than the model.
    pub fn with_schema(mut self, schema: Schema) -> Result<Self> {
        self = self.with_feature_names(schema.feature_names())?;
        (self.digest, self.schema) = (schema.digest(), Some(schema));
        Ok(self)
    }

    /// How a table becomes the model's features, where the data was a table.
    pub fn schema(&self) -> Option<&Schema> {
        self.schema.as_ref()
    }

    /// The class of each row of a table, by the schema: columns in any order, others than the model's ignored.
    ///
    /// # Errors
    /// [`Error::Setting`] for a surrogate without a schema; those of [`Schema::encode`], such as [`Error::Columns`] for a
    /// missing column; those of [`assign`](Surrogate::assign).
    pub fn assign_table(&self, table: &Table, run: &Run) -> Result<Vec<Assignment<'_>>> {
        let Some(schema) = &self.schema else {
            return Err(Error::setting("schema", "none", "must be given to the surrogate by with_schema"));
        };
        self.assign(&schema.encode(table)?, run)
    }

    /// Names of the classes, by number.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The boosted model, one output for each class.
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

    /// The most probable class of each row, the lower number where two are equally probable. Margins, confidences,
    /// [`BoostModel::distribution`] and the probabilities of the XGBoost files all give the same class.
    ///
    /// # Errors
    /// Those of [`probabilities`](Surrogate::probabilities).
    pub fn assign(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Vec<Assignment<'_>>> {
        let margins = self.model.margins(rows, run)?;
        let assign = |margins: ndarray::ArrayView1<'_, f64>| {
            // Margins order the classes even where probabilities have rounded to 0 or 1.
            let mut class = 0;
            for (k, &margin) in margins.iter().enumerate() {
                if margin > margins[class] {
                    class = k;
                }
            }
            let mut shares = margins.to_vec();
            confidences(&mut shares);
            Assignment { class, path: &self.classes[class], confidence: shares[class] }
        };
        Ok(margins.outer_iter().map(assign).collect())
    }
}

/// Weights of a mean of 1, as boosted trees take them.
pub(super) fn narrow(weights: Option<&[f64]>, rows: usize) -> Result<Option<Vec<f32>>> {
    let Some(weights) = weights else { return Ok(None) };
    check_weights(weights, rows)?;
    Ok(Some(with_mean_one(weights.to_vec()).into_iter().map(|weight| weight as f32).collect()))
}

impl Explainer for Surrogate {
    /// Exact SHAP values of every class's margin (log-odds) for every row: (row, feature, class).
    ///
    /// Memory: rows x features x classes in f64; take rows in blocks when that is much. The first call lists the paths of
    /// the trees, as [`TreeShap::new`] does, and keeps them: O(nodes x depth).
    fn explain(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Explanation> {
        let paths = self.paths.get(|| Ok(Prepared::all(&self.model)))?;
        TreeShap::with(&self.model, paths).explain(rows, run)
    }

    fn name(&self) -> String {
        "Surrogate".into()
    }
}

#[cfg(feature = "serde")]
impl crate::Saved for Surrogate {
    const FORMAT: &'static str = "recluster surrogate";
    const VERSION: u64 = 4;

    fn validate(&self) -> checks::Check {
        self.model.validate()?;
        checks::count("names of classes", self.classes.len(), self.model.outputs().len())?;
        checks::that(self.schema.is_some() || self.digest == 0, || "the schema is missing".into())?;
        if let Some(schema) = &self.schema {
            let said = |(column, reason): (String, String)| Err(format!("column \"{column}\": {reason}"));
            schema.fault().map_or(Ok(()), said)?;
            checks::that(schema.digest() == self.digest, || "the schema is not the one that was saved".into())?;
            checks::count("features of the schema", schema.feature_names().len(), self.model.features())?;
        }
        checks::that(self.model.link() == Link::Logistic, || format!("outputs of the kind {:?}", self.model.link()))
    }
}
