//! Explanations: exact SHAP values of boosted trees, and what they say in short.
//!
//! [`TreeShap`] computes path-dependent SHAP values (Lundberg, Erion and Lee, "Consistent Individualized Feature
//! Attribution for Tree Ensembles", arXiv 1802.03888): a feature that is absent from a coalition sends a row down both
//! sides of a split, weighted by the training rows' cover. [`top_features`] condenses an explanation to the features that
//! matter most and the direction in which they push. [`Surrogate`] is the boosted one-versus-rest model over the leaves of
//! a tree: it explains them, and assigns new rows to them.

mod game;
mod interactions;
mod paths;
mod prepared;
mod quadrature;
mod summary;
mod surrogate;
mod tables;
mod tree_shap;

pub use interactions::Interactions;
pub use summary::{FeatureEffect, top_features};
pub use surrogate::{Assignment, Surrogate};
pub use tree_shap::TreeShap;
