//! XGBoost's JSON.
