//! The calibration of one-versus-rest models: what makes their margins log-odds that hold on new rows.
//!
//! The K models know nothing of each other, and boosted trees are too sure of the rows that they were trained on. From
//! margins z of rows that no tree has seen, two things are learnt.
//!
//! 1. Which label, given that it is one of them:
//!
//! ```text
//! p_k = e^(s z_k + b_k) / Σ_j e^(s z_j + b_j)
//! ```
//!
//!    with one slope s (temperature scaling: Guo and others, "On Calibration of Modern Neural Networks", ICML 2017) and an
//!    offset b_k for each label, which together minimise the log-loss. The problem is convex; Newton's method with halved
//!    steps solves it. A penalty of [`RIDGE`] / 2 on the square of each offset and of s - 1 keeps the solution finite where
//!    rows are told apart without fault.
//! 2. Whether it is one of them at all. p_k does not change when one number c is added to all offsets; so c is free to
//!    say how high a margin must be before a row counts as known. "None of them" has the margin 0:
//!
//! ```text
//! u_k = s z_k + b_k + c,    confidence_k = e^u_k / (1 + Σ_j e^u_j)
//! ```
//!
//!    Rows of an unknown kind are not at hand, but each row is one for the models of all labels but its own. So c
//!    minimises the log-loss of telling L = log Σ_j e^(s z_j + b_j) of the rows from the same sum without the row's own
//!    label, the latter counting [`UNKNOWN`] for each row.
//!
//! The numbers u_k then replace the margins: slope and offsets go into the leaves and base margins
//! (`BoostModel::calibrated`). As they are one increasing function for all labels of a row, the label of the highest margin,
//! of the highest p_k, of the highest confidence and of the highest probability in the written XGBoost files is the same.

mod fit;
mod newton;
mod softmax;

pub(crate) use softmax::confidences;
pub(super) use softmax::softmax;

use super::notes::listed;
use crate::Run;

/// Weight of the penalty, in rows.
const RIDGE: f64 = 1.0;
/// Rows of an unknown kind that are reckoned with, for each row of a known one.
const UNKNOWN: f64 = 0.05;
/// Least slope: margins must not lose their order.
const FLATTEST: f64 = 1e-3;
/// Rows whose sums one task adds up.
const PIECE: usize = 512;
/// Steps of Newton's method; five to ten are enough.
const STEPS: usize = 50;
/// What makes margins log-odds that hold on new rows: slope x margin + offset. It is part of the model's leaves and base
/// margins already; what is kept here says what was done.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Calibration {
    pub(crate) slope: f64,
    pub(crate) offsets: Vec<f64>,
    rows: usize,
    unseen: Vec<usize>,
}

/// One row that the calibration learns from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    pub(super) margins: &'a [f64],
    pub(super) label: usize,
    pub(super) weight: f64,
}

impl Calibration {
    /// What the trees' margins were multiplied by; below 1 where the model was too sure.
    pub fn slope(&self) -> f64 {
        self.slope
    }

    /// What was added for each label.
    pub fn offsets(&self) -> &[f64] {
        &self.offsets
    }

    /// How many rows it was learnt from. 0 where it could not be, because fewer than two labels had rows that could be
    /// left out of a training: margins are then as the trees have them, slope 1 and offsets 0.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Labels that none of these rows bears, ascending: too few of their rows, or all alike. They share the slope and the
    /// offset that all labels have in common.
    pub fn unseen(&self) -> &[usize] {
        &self.unseen
    }

    /// Tells a run what could not be calibrated.
    pub(super) fn note(&self, run: &Run) {
        if self.rows == 0 {
            run.note(
                "calibration: not possible, as fewer than two labels have different rows, of which some can be left out; \
                 margins and confidence are as the trees have them",
            );
        } else if !self.unseen.is_empty() {
            let labels = listed(&self.unseen);
            run.note(&format!(
                "calibration: the rows of label {labels} are too few or too alike to be left out; \
                 it has no offset of its own"
            ));
        }
    }

    /// Whether it fits a model of that many outputs.
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

    /// Turns a row's raw margins into its distribution.
    fn apply(&self, row: &mut [f64]) {
        for (z, offset) in row.iter_mut().zip(&self.offsets) {
            *z = *z * self.slope + offset;
        }
        softmax(row);
    }
}
