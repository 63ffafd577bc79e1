//! The calibration of one-versus-rest models: their margins become calibrated log-odds for new rows.
//!
//! The K models are trained independently, and boosted trees are overconfident on their training rows. Two things are
//! learnt from the margins z of rows that were not used in training.
//!
//! 1. The label, given that it is one of the K:
//!
//! ```text
//! p_k = e^(s z_k + b_k) / Σ_j e^(s z_j + b_j)
//! ```
//!
//!    with one slope s (temperature scaling: Guo and others, "On Calibration of Modern Neural Networks", ICML 2017) and an
//!    offset b_k for each label, which together minimise the log-loss. The problem is convex; Newton's method with halved
//!    steps solves it. A penalty of [`RIDGE`] / 2 on the square of each offset and of s - 1 keeps the solution finite where
//!    the labels are separable.
//! 2. Whether it is one of them at all. p_k does not change when a constant c is added to all offsets, so c can set how
//!    high a margin must be for a row to count as known. "None of them" has the margin 0:
//!
//! ```text
//! u_k = s z_k + b_k + c,    confidence_k = e^u_k / (1 + Σ_j e^u_j)
//! ```
//!
//!    There are no rows of unknown classes to learn from, but each row is of an unknown class to the models of all other
//!    labels. So c minimises the log-loss of a classifier between L = log Σ_j e^(s z_j + b_j) of each row and the same
//!    sum without the row's own label, the latter with weight [`UNKNOWN`].
//!
//! The u_k then replace the margins: slope and offsets are applied to the leaves and base margins
//! (`BoostModel::calibrated`). p_k, confidence_k and the probabilities in the written XGBoost files all increase with u_k,
//! so the label of the highest one is the same for each.

mod fit;
mod newton;
mod softmax;

pub(crate) use softmax::{confidence_of, softmax};

use super::notes::listed;
use crate::Run;

/// Weight of the penalty, in rows.
const RIDGE: f64 = 1.0;
/// Weight of a row of an unknown class relative to one of a known class.
const UNKNOWN: f64 = 0.05;
/// Least slope, so that margins keep their order.
const FLATTEST: f64 = 1e-3;
/// Rows of one task.
const PIECE: usize = 512;
/// Most steps of Newton's method; five to ten are usual.
const STEPS: usize = 50;
/// A calibration of margins, slope x margin + offset. It has been applied to the model's leaves and base margins already;
/// this is a record of it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Calibration {
    pub(crate) slope: f64,
    pub(crate) offsets: Vec<f64>,
    rows: usize,
    unseen: Vec<usize>,
}

/// One row of the calibration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    pub(super) margins: &'a [f64],
    pub(super) label: usize,
    pub(super) weight: f64,
}

impl Calibration {
    /// Factor on the trees' margins; below 1 where the model was overconfident.
    pub fn slope(&self) -> f64 {
        self.slope
    }

    /// Offset of each label.
    pub fn offsets(&self) -> &[f64] {
        &self.offsets
    }

    /// Number of rows it was fitted to. 0 where fewer than two labels had rows that could be held out: margins are then
    /// uncalibrated, slope 1 and offsets 0.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Labels that none of these rows has, ascending: too few rows, or all of them equal. They get the common slope and the
    /// common part of the offsets.
    pub fn unseen(&self) -> &[usize] {
        &self.unseen
    }

    /// Notes to a run what could not be calibrated.
    pub(super) fn note(&self, run: &Run) {
        if self.rows == 0 {
            run.note(
                "calibration: not possible, as fewer than two labels have different rows, of which some can be left out; \
                 margins and confidence are uncalibrated",
            );
        } else if !self.unseen.is_empty() {
            let labels = listed(&self.unseen);
            run.note(&format!(
                "calibration: the rows of label {labels} are too few or too alike to be left out; \
                 it has no offset of its own"
            ));
        }
    }

    /// Whether it is valid for a model of that many outputs.
    #[cfg(any(feature = "serde", test))]
    pub(super) fn fits(&self, outputs: usize) -> bool {
        self.offsets.len() == outputs
            && self.slope.is_finite()
            && self.slope > 0.0
            && self.offsets.iter().all(|b| b.is_finite())
            && self.unseen.iter().all(|&label| label < outputs)
            && self.unseen.is_sorted_by(|a, b| a < b)
            && (self.rows == 0 || self.unseen.len() + 1 < outputs)
    }

    /// Turns a row's uncalibrated margins into calibrated ones.
    pub(super) fn raise(&self, row: &mut [f64]) {
        for (z, offset) in row.iter_mut().zip(&self.offsets) {
            *z = *z * self.slope + offset;
        }
    }

    /// Turns a row's uncalibrated margins into its distribution.
    fn apply(&self, row: &mut [f64]) {
        self.raise(row);
        softmax(row);
    }
}
