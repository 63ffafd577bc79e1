//! What boosting minimises, and log-odds as they are kept.

/// Leaves of log-odds are multiples of it: 2^-19.
const LEAF_STEP: f64 = 1.0 / (1u32 << 19) as f64;

/// What a model learns to predict.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Loss {
    /// -ln of the probability of the label; g = (p - y) w, h = max(p (1 - p), 1e-16) w.
    Logistic {
        /// Weight of rows that bear the label.
        positive_weight: f64,
    },
    /// Half the squared error; g = (margin - y) w, h = w.
    Squared,
}

impl Loss {
    /// A leaf's value or a base margin as it is kept: of log-odds the nearest multiple of 2^-19.
    ///
    /// That is nothing on their scale, and below 32 sums of such numbers are exact in f32, in any order: XGBoost, which
    /// adds up in f32, gets our margins to the last bit. Targets of a regression have no scale that is known beforehand.
    pub(super) fn rounded(self, value: f64) -> f64 {
        match self {
            Loss::Logistic { .. } => round_log_odds(value),
            Loss::Squared => value,
        }
    }
}

/// Log-odds as they are kept.
pub(super) fn round_log_odds(value: f64) -> f64 {
    (value / LEAF_STEP).round() * LEAF_STEP
}

/// ln(p / (1 - p)), with p kept off 0 and 1 by 1e-6 so that a label of all rows or of none has a finite margin.
pub(super) fn logit(p: f64) -> f64 {
    let p = p.clamp(1e-6, 1.0 - 1e-6);
    libm::log(p / (1.0 - p))
}
