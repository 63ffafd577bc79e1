//! Loss functions, and the rounding of log-odds.

/// Leaf values in log-odds are multiples of this: 2^-19.
const LEAF_STEP: f64 = 1.0 / (1u32 << 19) as f64;

/// The loss that a model minimises.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Loss {
    /// Log-loss: -ln of the probability of the label; g = (p - y) w, h = max(p (1 - p), 1e-16) w.
    Logistic {
        /// Factor on the weights of rows that have the label.
        positive_weight: f64,
    },
    /// Half the squared error; g = (margin - y) w, h = w.
    Squared,
}

impl Loss {
    /// A leaf value or a base margin as stored: log-odds are rounded to the nearest multiple of 2^-19.
    ///
    /// That is negligible on their scale, and sums of such numbers below 32 are exact in f32 in any order: XGBoost, which
    /// sums in f32, gets the same margins to the last bit. Regression targets are not rounded, as their scale is unknown.
    pub(super) fn rounded(self, value: f64) -> f64 {
        match self {
            Loss::Logistic { .. } => round_log_odds(value),
            Loss::Squared => value,
        }
    }
}

/// Log-odds as stored: multiples of 2^-19.
pub(super) fn round_log_odds(value: f64) -> f64 {
    (value / LEAF_STEP).round() * LEAF_STEP
}

/// ln(p / (1 - p)), with p clamped to 1e-6 from 0 and 1, so that a label of all rows or of none has a finite margin.
pub(super) fn logit(p: f64) -> f64 {
    let p = p.clamp(1e-6, 1.0 - 1e-6);
    libm::log(p / (1.0 - p))
}
