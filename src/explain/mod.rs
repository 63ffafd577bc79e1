//! Explanations: exact SHAP values of boosted trees and of any other model, and summaries of them.
//!
//! [`TreeShap`] computes SHAP values of boosted trees, exactly: path-dependent ones by cover or by counts of rows (Lundberg,
//! Erion and Lee, "Consistent Individualized Feature Attribution for Tree Ensembles", arXiv 1802.03888), or interventional
//! ones against a background; and [`Interactions`] of features. [`PermutationShap`] needs only a function of rows.
//! [`top_features`], [`mean_absolute`] and [`dependence`] summarise an explanation, [`attribution_matrix`] makes it data
//! that can be clustered. [`Surrogate`] is the boosted one-versus-rest model over the leaves of a tree: it explains
//! them, and assigns new rows to them. [`Rules`] say what each cluster is in a few conditions, [`Fidelity`] how well rows that a
//! model has not seen are told, [`Differences`] and [`Why`] what tells two clusters apart, [`Outside`] how columns differ between
//! clusters that they did not shape.

mod abstain;
mod background;
mod dependence;
mod differences;
mod drift;
mod fidelity;
mod guard;
mod interactions;
mod moments;
mod outside;
mod paths;
mod permutation;
mod predictor;
mod prepared;
mod profile;
mod quadrature;
mod rules;
mod shapley;
mod summary;
mod sums;
mod surrogate;
mod tables;
mod tree_shap;
#[cfg(feature = "serde")]
mod xgboost_files;

pub use crate::table::UnseenLevels;
pub use abstain::{Abstain, Selectivity};
pub use dependence::{Dependence, attribution_matrix, dependence};
pub use differences::{Difference, Differences, FeatureDifference, LevelDifference, QuestionContrast, Reason, Why};
pub use drift::{ClusterDrift, Drift, DriftWatch, FeatureDrift};
pub use fidelity::{ClusterFidelity, CurveBin, Fidelity};
pub use guard::Guard;
pub use interactions::Interactions;
pub use outside::{Outside, OutsideCell, OutsideMeasure, OutsidePart, OutsideTest, OutsideTestKind, OutsideVariable};
pub use permutation::PermutationShap;
pub use predictor::Predictor;
pub use profile::{ColumnProfile, DataProfile};
#[cfg(feature = "report")]
pub(crate) use rules::Phrase;
pub use rules::{ClusterRules, Condition, Criterion, Rule, Rules};
pub use summary::{FeatureEffect, mean_absolute, top_features};
pub use sums::{AttributionSums, RowFeature, attribution_sums, top_of_rows};
pub use surrogate::{Assignment, Decision, Surrogate};
pub use tree_shap::TreeShap;
