//! Arguments of `boost`, `shap`, `predict` and `compare`.

use super::common::Common;
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Boost {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The label of each row: .npy, .csv of one column, IDX, or "digits"; -1 leaves a row out
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: String,
    /// Where the model goes: JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) out: String,
    /// Trees of each booster
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) rounds: usize,
    /// Maximal depth of a tree
    #[arg(long, value_name = "N", default_value_t = 6)]
    pub(crate) max_depth: usize,
    /// Factor on the values of each tree
    #[arg(long, value_name = "X", default_value_t = 0.3)]
    pub(crate) learning_rate: f64,
    /// Most leaves of a tree, grown by highest gain first [default: no limit]
    #[arg(long, value_name = "N")]
    pub(crate) max_leaves: Option<usize>,
    /// Columns that hold categories, counted from 0: whole numbers, at most 256 different ones
    #[arg(long, value_name = "N,N,..", value_delimiter = ',')]
    pub(crate) categorical: Vec<usize>,
    /// Weight of each row: one number a row, .npy or .csv of one column
    #[arg(long, value_name = "FILE")]
    pub(crate) weights: Option<String>,
    /// Give each label's rows as much weight as all others
    #[arg(long)]
    pub(crate) balanced: bool,
    /// End a booster when N trees have not improved it on a held-out fifth of the rows
    #[arg(long, value_name = "N")]
    pub(crate) early_stopping: Option<usize>,
    /// Calibrate the probabilities of a row to a distribution over the labels, by cross-fitting in three folds
    #[arg(long)]
    pub(crate) calibrated: bool,
    /// Passes over the leaf values of all trees once they stand, each value given all others; with --calibrated the most
    /// passes: as many are made as give the lowest log-loss out of fold
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) refit: usize,
    /// Rows to predict with the model
    #[arg(long, value_name = "FILE", requires = "new_out")]
    pub(crate) new: Option<String>,
    /// Where their probabilities go: .npy, f64, rows x labels, by ascending label
    #[arg(long, value_name = "FILE", requires = "new")]
    pub(crate) new_out: Option<String>,
    /// A folder that gets one XGBoost JSON file for each label: label_0.json and so on
    #[arg(long, value_name = "FOLDER")]
    pub(crate) xgboost_out: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Shap {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The model: JSON of "recluster boost", of "recluster fit", or of XGBoost
    #[arg(long, value_name = "FILE")]
    pub(crate) model: String,
    /// Where the values go: .npy, f64, rows x (features + 1) x outputs; the last feature slot is the base value. May be left
    /// out with --importance-out, for more rows than a file of all values is wanted of
    #[arg(long, value_name = "FILE", required_unless_present = "importance_out")]
    pub(crate) out: Option<String>,
    /// Write interaction values instead: rows x (features + 1) x (features + 1) x outputs
    #[arg(long, requires = "out")]
    pub(crate) interactions: bool,
    /// Explain against these rows (interventional values) instead of by the training rows' cover
    #[arg(long, value_name = "FILE", conflicts_with = "counts")]
    pub(crate) background: Option<String>,
    /// Weigh the sides of each split by how many of these rows go there, instead of by sums of second derivatives
    #[arg(long, value_name = "FILE")]
    pub(crate) counts: Option<String>,
    /// Where each feature's mean absolute value goes: .csv with feature, output, mean_absolute
    #[arg(long, value_name = "FILE")]
    pub(crate) importance_out: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Predict {
    #[command(flatten)]
    pub(crate) common: Common,
    /// model.json of "recluster fit"
    #[arg(long, value_name = "FILE")]
    pub(crate) model: String,
    /// Where the assignments go: .csv with row, assigned path, confidence, runner-up and its confidence, and the
    /// cluster's name
    #[arg(long, value_name = "FILE")]
    pub(crate) out: String,
    /// Turn rows away, with "-" for a path, that are less sure than all but this share of the known rows: 0.05 costs one
    /// known row in twenty [default: no row is turned away]
    #[arg(long, value_name = "SHARE", conflicts_with = "precision")]
    pub(crate) abstain: Option<f64>,
    /// Turn away as few rows as leave this share of the others right, by known rows that were held out of the training
    #[arg(long, value_name = "SHARE")]
    pub(crate) precision: Option<f64>,
    /// Where the comparison of all features with the fitted rows goes: JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) drift_out: Option<String>,
}

/// Says which cluster became which, as JSON on stdout and as a table on stderr.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// The older fit's tree.json or, for fits of different rows, a .csv of one table's assignments by its model ("recluster
    /// predict")
    #[arg(value_name = "BEFORE")]
    pub(crate) before: String,
    /// The newer fit's, of the same rows in the same order; two .csv with the same columns of ids are matched by these
    #[arg(value_name = "AFTER")]
    pub(crate) after: String,
    /// Where the flows go: .csv of from, to, rows, share for the rows that changed cluster
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<String>,
}

/// Makes the report of a fit again after clusters were named in its names.csv, without fitting. The names also go into
/// tree.json, rules.csv, assignments.csv and model.json, and so into what "recluster predict" writes.
#[derive(Debug, Args)]
pub(crate) struct Report {
    /// What "recluster fit" wrote
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: String,
    /// Names of clusters: .csv with the columns path and name [default: names.csv in the folder]
    #[arg(long, value_name = "FILE")]
    pub(crate) names: Option<String>,
    /// Another title
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// The report's texts in another language: a translation of what "recluster text" prints, or of a part of it. The cards
    /// keep the language of the fit
    #[arg(long, value_name = "FILE")]
    pub(crate) text: Option<String>,
}
