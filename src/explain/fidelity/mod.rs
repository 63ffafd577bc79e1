//! Fidelity: how well a model that never saw a row says which cluster the row is in.
//!
//! It says what the model and the columns can tell of the clusters. It is no evidence that the clusters are real: two
//! halves of one Gaussian are told apart perfectly by a model that has not seen the rows.

mod scores;
#[cfg(test)]
mod tests;

use crate::boost::{Boost, confidence_of};
use crate::core::shape::check_count;
use crate::core::{check_weights, with_mean_one};
use crate::{Error, Result, Run};
use ndarray::{Array2, ArrayRef2};
use scores::{Predicted, Row};
use std::fmt;

/// Below this area under the ROC curve a cluster is not explainable: 0.5 is chance.
const LEAST_AUC: f64 = 0.7;

/// How well held-out predictions agree with clusters: what a model and the columns can tell of them. It is no evidence that the
/// clusters are real; two halves of one Gaussian are told apart perfectly.
///
/// Plain data, made by [`Fidelity::of`] from predictions for rows that the model was not trained on.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Fidelity {
    /// One for each cluster, each against all other rows, noise included.
    pub clusters: Vec<ClusterFidelity>,
    /// Weight of the rows (with a mean of 1; without weights their number) by cluster and predicted cluster: `confusion[i][j]` are in
    /// cluster i and predicted to be in j. The last line are the rows of noise, for which no prediction is right.
    pub confusion: Vec<Vec<f64>>,
    /// Share of the clusters' rows, noise apart, whose prediction is their own cluster, in 0 to 1; 0 without such rows.
    pub accuracy: f64,
    /// Rows that have a prediction.
    pub rows: usize,
    /// Rows without one, which count nowhere.
    pub left_out: usize,
}

/// How well held-out predictions tell one cluster from all other rows.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ClusterFidelity {
    /// The cluster's name.
    pub name: String,
    /// Its rows that have a prediction.
    pub rows: usize,
    /// Its share of the weight of all rows that have a prediction.
    pub share: f64,
    /// Area under the ROC curve of its probability: how often one of its rows has a higher one than another row. 0.5 is
    /// chance; none where all rows or no rows are in the cluster.
    pub auc: Option<f64>,
    /// Average precision of its probability; the cluster's share is chance. None where no row is in the cluster.
    pub average_precision: Option<f64>,
    /// Share of the rows predicted to be in the cluster that are; 0 where there are none.
    pub precision: f64,
    /// Share of the cluster's rows that are predicted to be in it; 0 where there are none.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Brier score: mean squared difference of its probability from 1 for its rows and from 0 for others; 0 is best.
    pub brier: f64,
    /// The calibration curve.
    pub curve: Vec<CurveBin>,
    /// Whether the columns tell the cluster from other rows at all: `auc` at least 0.7, and `f1` above 2 s / (1 + s), which
    /// predicting the cluster (of share s) for every row would give.
    pub explainable: bool,
}

/// Rows whose probability of a cluster lies in one of ten bins of equal width; a calibrated model's `observed` share is the
/// `predicted` one.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct CurveBin {
    /// Mean probability.
    pub predicted: f64,
    /// Share of these rows that are in the cluster.
    pub observed: f64,
    /// Number of rows, above 0.
    pub rows: usize,
    /// Their weight: their number where rows have no weights.
    pub weight: f64,
}

impl Fidelity {
    /// Compares predictions with clusters.
    ///
    /// `probabilities` (rows x clusters, each in 0 to 1) are those of models that were not trained on the row, such as the
    /// second of [`Surrogate::fit_out_of_fold`](super::Surrogate::fit_out_of_fold); a row of NaN has none. The prediction is
    /// the highest, the first of equals. `labels` has each row's cluster, or -1 for noise. O(rows log rows x clusters); the
    /// same bits for any order of the rows.
    ///
    /// ```
    /// use ndarray::array;
    /// use recluster::explain::Fidelity;
    /// let p = array![[0.9, 0.1], [0.6, 0.2], [0.7, 0.3], [0.1, 0.8]];
    /// let found = Fidelity::of(&p, &[0, 0, 1, 1], &["left", "right"], None)?;
    /// assert_eq!((found.accuracy, found.clusters[0].precision), (0.75, 2.0 / 3.0));
    /// assert_eq!(found.confusion, [[2.0, 0.0], [1.0, 1.0], [0.0, 0.0]]);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Shape`] when rows, labels, names, clusters or weights do not fit each other; [`Error::Label`] for a label that
    /// no name has; [`Error::Setting`] for a probability outside 0 to 1, and for a weight that is not finite and above 0.
    pub fn of(
        probabilities: &ArrayRef2<f64>,
        labels: &[i32],
        names: &[impl AsRef<str>],
        weights: Option<&[f64]>,
    ) -> Result<Self> {
        let groups: Vec<usize> = (0..probabilities.ncols()).collect();
        Self::of_groups(probabilities, &groups, labels, names, weights)
    }

    /// As [`of`](Fidelity::of) for groups of clusters, such as the nodes above the leaves of a tree: cluster k belongs to the
    /// group `groups[k]`, and `labels` and `names` are those of groups. A group's probability is the sum over its clusters;
    /// the prediction is the group of the most probable cluster.
    ///
    /// # Errors
    /// Those of [`of`](Fidelity::of); [`Error::Shape`] when there is not one group for each cluster, or a group has no name.
    pub fn of_groups(
        probabilities: &ArrayRef2<f64>,
        groups: &[usize],
        labels: &[i32],
        names: &[impl AsRef<str>],
        weights: Option<&[f64]>,
    ) -> Result<Self> {
        let (n, clusters) = probabilities.dim();
        check_count("labels, one for each row", n, labels.len())?;
        check_count("groups, one for each cluster", clusters, groups.len())?;
        if let Some(&group) = groups.iter().find(|&&group| group >= names.len()) {
            let what = "number of a group, which must be below the number of names";
            return Err(Error::Shape { what, expected: names.len(), found: group });
        }
        check_labels(labels, names.len())?;
        if let Some(&wrong) = probabilities.iter().find(|p| !p.is_nan() && !(0.0..=1.0 + 1e-9).contains(*p)) {
            return Err(Error::setting("probabilities", wrong, "must be in 0 to 1, or NaN"));
        }
        let weights = match weights {
            Some(weights) => {
                check_weights(weights, n)?;
                with_mean_one(weights.to_vec())
            }
            None => vec![1.0; n],
        };
        let mut rows = Vec::with_capacity(n);
        let mut table = Vec::new();
        for (i, own) in probabilities.outer_iter().enumerate().filter(|(_, own)| !own.iter().any(|p| p.is_nan())) {
            let mut best = None;
            let mut sums = vec![0.0; names.len()];
            for ((k, &p), &group) in own.iter().enumerate().zip(groups) {
                sums[group] += p;
                best = best.filter(|&best| own[best] >= p).or(Some(k));
            }
            let Some(best) = best else { continue };
            let cluster = usize::try_from(labels[i]).ok();
            rows.push(Row { cluster, predicted: groups[best], weight: weights[i] });
            table.extend(sums.into_iter().map(|sum| sum.min(1.0)));
        }
        Ok(scores::fidelity(&Predicted { rows, table }, names, n))
    }

    /// The fidelity of a one-versus-rest model of the clusters, cross-fitted: [`Boost::fit_out_of_fold`] and [`of`](Fidelity::of).
    ///
    /// `rows` is n x features, NaN for missing. Rows of noise (-1) are left out of the training. Four training calls.
    ///
    /// # Errors
    /// Those of [`Boost::fit_weighted`] and [`of`](Fidelity::of).
    pub fn cross_fitted(
        rows: &ArrayRef2<f32>,
        labels: &[i32],
        names: &[impl AsRef<str>],
        weights: Option<&[f64]>,
        boost: &Boost,
        run: &Run,
    ) -> Result<Self> {
        check_labels(labels, names.len())?;
        let narrow = super::surrogate::narrow(weights, rows.nrows())?;
        // Rows that are made up for the training are in no cluster.
        let boost = boost.clone().shuffled_rows(0.0).guard_rows(0.0);
        let (_, margins) = boost.fit_out_of_fold(rows, labels, narrow.as_deref(), run)?;
        Self::of(&shares(margins, names.len()), labels, names, weights)
    }

    /// The clusters that the columns do not explain.
    pub fn not_explainable(&self) -> impl Iterator<Item = &ClusterFidelity> {
        self.clusters.iter().filter(|cluster| !cluster.explainable)
    }
}

impl fmt::Display for ClusterFidelity {
    /// One sentence: the figures, or that the columns do not explain the cluster.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        if !self.explainable {
            f.write_str("not explainable from these columns; ")?;
        }
        match self.auc {
            Some(auc) => write!(f, "AUC {auc:.3}, ")?,
            None => f.write_str("no AUC, as there is nothing to tell it from; ")?,
        }
        write!(f, "precision {:.3}, recall {:.3}, F1 {:.3}, held out", self.precision, self.recall, self.f1)
    }
}

fn check_labels(labels: &[i32], names: usize) -> Result<()> {
    match labels.iter().position(|&label| label < -1 || label >= 0 && label as usize >= names) {
        Some(row) => {
            let reason = "must be -1 (noise) or the number of a cluster that has a name";
            Err(Error::Label { row, label: labels[row].into(), reason })
        }
        None => Ok(()),
    }
}

/// Probabilities of calibrated margins, NaN where these are; clusters past the margins' have probability 0.
pub(super) fn shares(margins: Array2<f64>, clusters: usize) -> Array2<f64> {
    let mut shares = Array2::zeros((margins.nrows(), clusters));
    for (mut to, own) in shares.outer_iter_mut().zip(margins.outer_iter()) {
        // One margin that is missing makes all of the row's shares NaN.
        let share = confidence_of(own.iter().copied());
        to.iter_mut().zip(own).for_each(|(to, &margin)| *to = share(margin));
    }
    shares
}
