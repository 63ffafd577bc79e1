//! Settings that are one of several words.

/// Which node of a tree is split next, where the number of leaves is limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Grow {
    /// One of the upper levels; XGBoost's `depthwise`.
    #[default]
    ByLevel,
    /// The one that saves the most loss; XGBoost's `lossguide`.
    ByLoss,
}

/// What early stopping watches on held-out rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Metric {
    /// Mean negative log-likelihood of each label against all others, as XGBoost's `logloss`; for regression the root mean
    /// squared error. It is defined where no held-out row bears the label too: it then says how surely the others' rows are
    /// told not to be the label's.
    #[default]
    Loss,
    /// Area under the ROC curve of each label against all others; not for regression. A label that none or all of the
    /// held-out rows bear has no such area; [`Metric::Loss`] is watched in its place, and the run is told.
    Auc,
}
