//! Settings that are one of several choices.

/// Which node of a tree is split next, where the number of leaves is limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Grow {
    /// That of the lowest depth; XGBoost's `depthwise`.
    #[default]
    ByLevel,
    /// That of the highest gain; XGBoost's `lossguide`.
    ByLoss,
}

/// The metric of early stopping on held-out rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum EvalMetric {
    /// Mean negative log-likelihood of each label against all others, as XGBoost's `logloss`; for regression the root mean
    /// squared error. It is also defined where no held-out row has the label.
    #[default]
    Loss,
    /// Area under the ROC curve of each label against all others; not for regression. It is undefined for a label that none
    /// or all of the held-out rows have: [`EvalMetric::Loss`] is then used instead, with a note to the run.
    Auc,
}
