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
mod calibrate;
mod column;
mod cuts;
mod distribution;
mod fit;
mod gradient;
mod grow;
mod histogram;
mod learn;
mod leaves;
mod limited;
mod model;
mod newton;
mod predict;
mod roots;
mod rules;
mod sample;
mod scan;
mod search;
mod settings;
mod stop;
mod told;
mod train;
#[cfg(feature = "serde")]
mod xgboost;

pub use bins::Bins;
pub use calibrate::Calibration;
pub(crate) use calibrate::confidences;
pub(crate) use model::category_goes_left;
pub use model::{BoostModel, Ensemble, Importance, Link, Tree};
pub use settings::{Boost, Grow};
pub use stop::Metric;

/// ln(p / (1 - p)), with p kept off 0 and 1 by 1e-6 so that a label of all rows or of none has a finite margin.
fn logit(p: f64) -> f64 {
    let p = p.clamp(1e-6, 1.0 - 1e-6);
    libm::log(p / (1.0 - p))
}
