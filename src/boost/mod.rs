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
//! 7. Leaves and base margins of labels are multiples of 2^-19, so that sums of them are exact in f32 (`gradient`).
//! 8. Rows and columns are sampled by counter-based draws keyed by a row's content and label, so that the order of rows
//!    does not matter.

mod bins;
mod calibration;
mod early_stopping;
mod fit;
mod gradient;
mod grow;
mod learn;
mod limits;
mod loss;
mod model;
mod notes;
mod sample;
mod settings;
mod train;
mod training_set;
#[cfg(feature = "serde")]
mod xgboost;

pub use bins::Bins;
pub use calibration::Calibration;
pub(crate) use calibration::confidences;
pub use model::{BoostModel, Ensemble, Importance, Link, Tree};
pub(crate) use model::{category_goes_left, number_goes_left};
pub use settings::{Boost, Grow, Metric};
