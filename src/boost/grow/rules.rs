//! Leaf values, scores, and the acceptance of splits.

use super::split::Split;
use crate::boost::gradient::{g_of, h_of};
use crate::boost::settings::Boost;

/// The parameters of splits and leaf values, under XGBoost's names.
#[derive(Clone, Debug)]
pub(in crate::boost) struct Rules {
    pub(super) lambda: f64,
    pub(super) alpha: f64,
    pub(super) gamma: f64,
    pub(in crate::boost) min_child_weight: f64,
    /// Gains up to this are not accepted.
    pub(super) no_gain: f64,
    /// Monotone constraints: for each column 1 (increasing), -1 (decreasing) or 0; empty where there is none.
    pub(super) monotone: Vec<i8>,
    /// Columns of fewer categories are split one category against the rest.
    pub(super) max_cat_to_onehot: usize,
    /// Most categories on one side of a split.
    pub(super) max_cat_threshold: usize,
}

/// Gains up to this are not accepted; XGBoost's kRtEps. Gains are in units of weight, so it is scaled down where all
/// weights are below 1.
pub(super) const NO_GAIN: f64 = 1e-6;

/// Bounds of a node's value from monotone constraints at its ancestors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::boost) struct Bounds {
    pub(super) least: f64,
    pub(super) most: f64,
}

impl Bounds {
    pub(super) const NONE: Bounds = Bounds { least: f64::NEG_INFINITY, most: f64::INFINITY };

    pub(in crate::boost) fn clamp(self, value: f64) -> f64 {
        value.max(self.least).min(self.most)
    }

    pub(super) fn scaled(self, by: f64) -> Bounds {
        Bounds { least: self.least * by, most: self.most * by }
    }
}

impl Rules {
    /// From the settings, for rows that weigh at most `heaviest`.
    pub(in crate::boost) fn of(settings: &Boost, heaviest: f64) -> Self {
        Rules {
            lambda: settings.lambda,
            alpha: settings.alpha,
            gamma: settings.gamma,
            min_child_weight: settings.min_child_weight,
            no_gain: NO_GAIN * heaviest.min(1.0),
            monotone: if settings.monotone.iter().all(|&d| d == 0) { Vec::new() } else { settings.monotone.clone() },
            max_cat_to_onehot: settings.max_cat_to_onehot,
            max_cat_threshold: settings.max_cat_threshold,
        }
    }

    /// A node's value before the learning rate; 0 where H + λ is 0.
    pub(in crate::boost) fn weight(&self, g: f64, h: f64, bounds: Bounds) -> f64 {
        if h + self.lambda > 0.0 { bounds.clamp(weight(g, h, self.lambda, self.alpha)) } else { 0.0 }
    }

    /// [`Rules::weight`] without monotone constraints.
    pub(in crate::boost) fn unbounded_weight(&self, g: f64, h: f64) -> f64 {
        self.weight(g, h, Bounds::NONE)
    }

    /// A node's score, the loss saved at its value: G² / (H + λ) without monotone constraints.
    pub(super) fn score(&self, g: f64, h: f64, bounds: Bounds) -> f64 {
        if h + self.lambda <= 0.0 {
            0.0
        } else if self.monotone.is_empty() {
            let g = shrink(g, self.alpha);
            g * g / (h + self.lambda)
        } else {
            saved(g, h, self.weight(g, h, bounds), self.lambda, self.alpha)
        }
    }

    /// Whether a split of this gain is accepted.
    pub(super) fn accepts(&self, gain: f64) -> bool {
        gain > self.no_gain && gain >= self.gamma
    }

    /// Bounds of both children of a split.
    pub(super) fn divide(&self, split: &Split, total: i64, bounds: Bounds, step: (f64, f64)) -> [Bounds; 2] {
        let direction = self.monotone.get(split.column as usize).copied().unwrap_or(0);
        // Missing values count as above all others; where the left side is theirs alone, the direction is reversed.
        let direction = if split.bins == 0 { -direction } else { direction };
        if direction == 0 {
            return [bounds; 2];
        }
        let weight = |word| self.weight(f64::from(g_of(word)) * step.0, f64::from(h_of(word)) * step.1, bounds);
        let middle = (weight(split.left) + weight(total.wrapping_sub(split.left))) / 2.0;
        let (low, high) = (Bounds { most: middle, ..bounds }, Bounds { least: middle, ..bounds });
        if direction > 0 { [low, high] } else { [high, low] }
    }
}

/// |G| soft-thresholded by alpha.
#[inline(always)]
pub(super) fn shrink(g: f64, alpha: f64) -> f64 {
    (g.abs() - alpha).max(0.0)
}

/// -T(G) / (H + λ).
#[inline(always)]
pub(super) fn weight(g: f64, h: f64, lambda: f64, alpha: f64) -> f64 {
    -shrink(g, alpha).copysign(g) / (h + lambda)
}

/// Twice the reduction of the objective at a value w: -(2 G w + (H + λ) w² + 2 α |w|).
#[inline(always)]
pub(super) fn saved(g: f64, h: f64, w: f64, lambda: f64, alpha: f64) -> f64 {
    -(2.0 * g * w + (h + lambda) * w * w + 2.0 * alpha * w.abs())
}
