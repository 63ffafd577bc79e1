//! Gradient-boosted trees: one-versus-rest classification of all labels in one call, and regression.
//!
//! The method is XGBoost's (Chen and Guestrin, "XGBoost: A Scalable Tree Boosting System", KDD 2016,
//! doi:10.1145/2939672.2939785) with histogram trees. With g and h the first and second derivative of the loss at a
//! row's margin, G and H their sums over a node, a leaf's value is -G / (H + λ) times the learning rate (eq. 5), and a
//! split's gain G_L² / (H_L + λ) + G_R² / (H_R + λ) - G² / (H + λ) (twice eq. 7, as XGBoost's code reports it); missing
//! values go to the side of the higher gain (algorithm 3).
//!
//! What differs, and why:
//! 1. All labels are trained in one call on one set of bins, and the roots of all labels' trees are summed in one pass.
//! 2. Gradients are integers on a fixed grid (`gradient`), so sums do not depend on threads or the order of rows.
//! 3. A column's most frequent bin is never swept (`bins`), and a column whose other bins weigh less than
//!    `min_child_weight` is dropped from a node and all below it (`histogram`). Both change nothing but time.
//! 4. Bins of columns of more distinct values than `max_bins` are exact quantiles of the rows, not a sketch's.
//! 5. Equal gains go to the lowest feature, then the lowest bin.
//! 6. With `scale_pos_weight` the base score is the weighted mean of the labels, which minimises the loss; XGBoost takes
//!    one Newton step from one half instead. Without it both take the mean.
//! 7. Rows and columns are sampled by counter-based draws keyed by a row's content and label, so that the order of rows
//!    does not matter.

mod bins;
mod gradient;
mod grow;
mod histogram;
mod model;
mod predict;
mod train;
#[cfg(feature = "serde")]
mod xgboost;

pub use model::{BoostModel, Ensemble, Importance, Link, Tree};
pub(crate) use predict::margins;

use crate::core::Rows;
use crate::{Error, Result, Run};
use gradient::Loss;
use ndarray::ArrayRef2;

/// Settings of gradient-boosted trees, under XGBoost's names and defaults.
///
/// ```
/// use ndarray::array;
/// use recluster::{Run, boost::Boost};
///
/// let rows = array![[0.0f32, 1.0], [0.1, 3.0], [0.9, 2.0], [1.0, 1.5]];
/// let model = Boost::new().rounds(20).min_child_weight(0.0).fit(&rows, &[0, 0, 1, 1], &Run::new())?;
/// assert_eq!(model.labels(&rows, &Run::new())?, [0, 0, 1, 1]);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Boost {
    rounds: usize,
    learning_rate: f64,
    max_depth: usize,
    max_bins: usize,
    lambda: f64,
    alpha: f64,
    gamma: f64,
    min_child_weight: f64,
    subsample: f64,
    colsample_bytree: f64,
    scale_pos_weight: f64,
    base_score: Option<f64>,
}

impl Default for Boost {
    fn default() -> Self {
        Boost::new()
    }
}

impl Boost {
    /// The defaults: 100 rounds of depth 6 at a learning rate of 0.3.
    pub fn new() -> Self {
        Boost {
            rounds: 100,
            learning_rate: 0.3,
            max_depth: 6,
            max_bins: 256,
            lambda: 1.0,
            alpha: 0.0,
            gamma: 0.0,
            min_child_weight: 1.0,
            subsample: 1.0,
            colsample_bytree: 1.0,
            scale_pos_weight: 1.0,
            base_score: None,
        }
    }

    /// Trees for each output; at least 1, default 100.
    pub fn rounds(mut self, rounds: usize) -> Self {
        self.rounds = rounds;
        self
    }

    /// What leaf values are multiplied by; above 0, at most 1; default 0.3.
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.learning_rate = rate;
        self
    }

    /// Longest way from root to leaf; 1 to 64, default 6.
    pub fn max_depth(mut self, depth: usize) -> Self {
        self.max_depth = depth;
        self
    }

    /// Bins of a column; 2 to 256, default 256. A column with missing values uses one of 256 for these.
    pub fn max_bins(mut self, bins: usize) -> Self {
        self.max_bins = bins;
        self
    }

    /// Quadratic penalty on leaf values; at least 0, default 1.
    pub fn lambda(mut self, lambda: f64) -> Self {
        self.lambda = lambda;
        self
    }

    /// Absolute penalty on leaf values: G is pulled towards zero by it; at least 0, default 0.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// Smallest gain that a split must have; at least 0, default 0.
    pub fn gamma(mut self, gamma: f64) -> Self {
        self.gamma = gamma;
        self
    }

    /// Smallest sum of second derivatives of a child; at least 0, default 1.
    pub fn min_child_weight(mut self, weight: f64) -> Self {
        self.min_child_weight = weight;
        self
    }

    /// Share of the rows that each tree sees, each row drawn on its own; above 0, at most 1; default 1.
    pub fn subsample(mut self, share: f64) -> Self {
        self.subsample = share;
        self
    }

    /// Share of the columns that each tree sees, at least one; above 0, at most 1; default 1.
    pub fn colsample_bytree(mut self, share: f64) -> Self {
        self.colsample_bytree = share;
        self
    }

    /// Weight of the rows that bear a label in that label's model; above 0, default 1. Not for regression,
    /// where [`Boost::fit_regression`] refuses any other value.
    pub fn scale_pos_weight(mut self, weight: f64) -> Self {
        self.scale_pos_weight = weight;
        self
    }

    /// Prediction before any tree, the same for each output: a probability between 0 and 1, for regression any number.
    /// By default it is fitted: the weighted mean of the labels, or the mean of the targets.
    pub fn base_score(mut self, score: f64) -> Self {
        self.base_score = Some(score);
        self
    }

    /// Trains one binary logistic model for each label against all other rows.
    ///
    /// `rows` is n x features, NaN for missing values. `labels` has one label for each row: 0..K, or -1 for a row that
    /// is left out of the training. The model has K outputs, K being the highest label plus 1; a label without any row
    /// has an output that never predicts it. The same bits at any number of threads and in any order of the rows.
    ///
    /// O(K x rounds x max_depth x entries), an entry being a value outside its column's most frequent bin.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting outside its range; [`Error::Shape`] for labels of another number than rows;
    /// [`Error::Label`] for a label below -1 or not below the number of rows; [`Error::TooFewRows`] when all labels are
    /// -1; [`Error::Empty`]; [`Error::NotFinite`] for infinities; [`Error::Cancelled`].
    pub fn fit(&self, rows: &ArrayRef2<f32>, labels: &[i32], run: &Run) -> Result<BoostModel> {
        self.check()?;
        if let Some(score) = self.base_score.filter(|&score| !(score > 0.0 && score < 1.0)) {
            return Err(Error::setting("base_score", score, "must be between 0 and 1, both excluded"));
        }
        let table = Rows::with_missing(rows)?;
        same_length("labels, one for each row", table.len(), labels.len())?;
        let outputs = check_labels(labels)?;
        let used: Vec<u32> = (0..labels.len() as u32).filter(|&i| labels[i as usize] >= 0).collect();
        if used.is_empty() {
            return Err(Error::TooFewRows { method: "boosted trees (rows with a label)", needed: 1, rows: 0 });
        }
        let classes: Vec<u32> = used.iter().map(|&i| labels[i as usize] as u32).collect();
        let mut counts = vec![0usize; outputs];
        classes.iter().for_each(|&class| counts[class as usize] += 1);
        let weight = self.scale_pos_weight;
        let share = |&count: &usize| weight * count as f64 / (weight * count as f64 + (used.len() - count) as f64);
        let bases = counts.iter().map(|count| self.base_score.unwrap_or_else(|| share(count)));
        let problem = train::Problem {
            table: &table,
            used: &used,
            loss: Loss::Logistic { positive_weight: self.scale_pos_weight },
            bases: bases.map(logit).collect(),
            target: &|output, i| f64::from(u8::from(classes[i] == output as u32)),
            kind: &|i| classes[i],
        };
        let ensembles = run.install(|| train::train(self, &problem, run))??;
        BoostModel::new(Link::Logistic, table.columns(), ensembles)
    }

    /// Trains one model of the targets by squared error.
    ///
    /// `rows` is n x features, NaN for missing values; `targets` has one finite number for each row.
    ///
    /// # Errors
    /// As [`Boost::fit`]; [`Error::NotFinite`] for a target that is not finite.
    pub fn fit_regression(&self, rows: &ArrayRef2<f32>, targets: &[f32], run: &Run) -> Result<BoostModel> {
        self.check()?;
        if self.scale_pos_weight != 1.0 {
            return Err(Error::setting("scale_pos_weight", self.scale_pos_weight, "must be 1 for regression"));
        }
        if let Some(score) = self.base_score.filter(|score| !score.is_finite()) {
            return Err(Error::setting("base_score", score, "must be finite"));
        }
        let table = Rows::with_missing(rows)?;
        same_length("targets, one for each row", table.len(), targets.len())?;
        if let Some(row) = targets.iter().position(|t| !t.is_finite()) {
            return Err(Error::NotFinite { what: "the targets", row, column: 0, value: targets[row] });
        }
        let used: Vec<u32> = (0..targets.len() as u32).collect();
        let problem = train::Problem {
            table: &table,
            used: &used,
            loss: Loss::Squared,
            bases: vec![self.base_score.unwrap_or_else(|| mean(targets))],
            target: &|_, i| f64::from(targets[i]),
            kind: &|i| (targets[i] + 0.0).to_bits(),
        };
        let ensembles = run.install(|| train::train(self, &problem, run))??;
        BoostModel::new(Link::Identity, table.columns(), ensembles)
    }

    fn check(&self) -> Result<()> {
        let at_least_zero = |name, value: f64| {
            if value.is_finite() && value >= 0.0 {
                Ok(())
            } else {
                Err(Error::setting(name, value, "must be a finite number, at least 0"))
            }
        };
        let share = |name, value: f64| {
            if value > 0.0 && value <= 1.0 {
                Ok(())
            } else {
                Err(Error::setting(name, value, "must be above 0 and at most 1"))
            }
        };
        if self.rounds == 0 {
            return Err(Error::setting("rounds", 0, "must be at least 1"));
        }
        if !(1..=64).contains(&self.max_depth) {
            return Err(Error::setting("max_depth", self.max_depth, "must be between 1 and 64"));
        }
        if !(2..=256).contains(&self.max_bins) {
            return Err(Error::setting("max_bins", self.max_bins, "must be between 2 and 256"));
        }
        if !(self.scale_pos_weight.is_finite() && self.scale_pos_weight > 0.0) {
            return Err(Error::setting("scale_pos_weight", self.scale_pos_weight, "must be a finite number above 0"));
        }
        at_least_zero("lambda", self.lambda)?;
        at_least_zero("alpha", self.alpha)?;
        at_least_zero("gamma", self.gamma)?;
        at_least_zero("min_child_weight", self.min_child_weight)?;
        share("learning_rate", self.learning_rate)?;
        share("subsample", self.subsample)?;
        share("colsample_bytree", self.colsample_bytree)
    }
}

fn same_length(what: &'static str, expected: usize, found: usize) -> Result<()> {
    if expected == found { Ok(()) } else { Err(Error::Shape { what, expected, found }) }
}

/// The number of labels.
fn check_labels(labels: &[i32]) -> Result<usize> {
    let mut outputs = 0;
    for (row, &label) in labels.iter().enumerate() {
        let reason = if label < -1 {
            "must be -1 (left out) or a label from 0"
        } else if i64::from(label) >= labels.len() as i64 {
            "must be below the number of rows"
        } else {
            outputs = outputs.max((label + 1) as usize);
            continue;
        };
        return Err(Error::Label { row, label: label.into(), reason });
    }
    Ok(outputs)
}

/// ln(p / (1 - p)), with p kept off 0 and 1 by 1e-6 so that a label of all rows or of none has a finite margin.
fn logit(p: f64) -> f64 {
    let p = p.clamp(1e-6, 1.0 - 1e-6);
    libm::log(p / (1.0 - p))
}

/// Mean in an order given by the values alone.
fn mean(targets: &[f32]) -> f64 {
    let mut sorted = targets.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    sorted.iter().map(|&t| f64::from(t)).sum::<f64>() / sorted.len() as f64
}
