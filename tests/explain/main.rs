//! SHAP values, against shap and XGBoost, and outside variables, against scipy.

mod outside;
#[cfg(feature = "serde")]
mod shap;
#[cfg(feature = "serde")]
mod shap_forms;
#[cfg(feature = "serde")]
mod shap_permutation;
mod shap_summary;
mod trees;
