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
//! 3. Gradients are not added up for a column's most frequent bin (`bins`), and a column whose other bins weigh less than
//!    `min_child_weight` is dropped from a node and its descendants (`grow/search`). Both only save time.
//! 4. Columns of more distinct values than `max_bins` are binned by exact quantiles of the rows, not by a sketch.
//! 5. Of equal gains the lowest feature is taken, then the lowest bin.
//! 6. With `scale_pos_weight` the base score is the weighted mean of the labels, which minimises the loss; XGBoost takes
//!    one Newton step from one half instead. Without it both take the mean.
//! 7. Leaf values and base margins of classifiers are multiples of 2^-19, so that their sums are exact in f32 (`loss`).
//! 8. Rows and columns are sampled by counter-based draws keyed by a row's content and label, so that the order of rows
//!    does not matter.

mod bins;
mod calibration;
mod cross_fit;
mod early_stopping;
mod fit;
mod gradient;
mod grow;
mod learn;
mod limits;
mod loss;
mod model;
mod notes;
mod open_set;
mod refit;
mod sample;
mod settings;
mod train;
mod training_set;
#[cfg(feature = "serde")]
mod xgboost;

pub use bins::Bins;
pub use calibration::Calibration;
pub(crate) use calibration::{confidence_of, softmax};
pub(crate) use model::Forest;
pub use model::{BoostModel, Ensemble, Importance, Link, Tree};
pub(crate) use model::{category_goes_left, number_goes_left};
pub(crate) use open_set::OutOfFold;
pub use settings::{Boost, EvalMetric, Grow};
