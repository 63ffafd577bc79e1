//! Boosted trees, against XGBoost and scikit-learn.

mod calibration;
mod edges;
mod fit;
mod help;
mod refit;
mod rules;
mod settings;
mod xgboost;
