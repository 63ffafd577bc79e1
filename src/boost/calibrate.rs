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

use super::gradient::log_odds;
use super::model::Ensemble;
use super::told::listed;
use crate::core::{numerics, parallel};
use crate::{Result, Run};

/// Weight of the penalty, in rows.
pub(super) const RIDGE: f64 = 1.0;
/// Rows of an unknown kind that are reckoned with, for each row of a known one.
const UNKNOWN: f64 = 0.05;
/// Least slope: margins must not lose their order.
const FLATTEST: f64 = 1e-3;
/// Rows whose sums one task adds up.
pub(super) const PIECE: usize = 512;
/// Steps of Newton's method; five to ten are enough.
pub(super) const STEPS: usize = 50;

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
    pub(super) fn tell(&self, run: &Run) {
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

    /// Puts it into the trees of a label.
    pub(super) fn put_into(&self, label: usize, ensemble: &mut Ensemble) {
        ensemble.base = log_odds(ensemble.base * self.slope + self.offsets[label]);
        for value in ensemble.trees.iter_mut().flat_map(|tree| &mut tree.value) {
            *value = log_odds(f64::from(*value) * self.slope) as f32;
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
    pub(super) fn apply(&self, row: &mut [f64]) {
        for (z, offset) in row.iter_mut().zip(&self.offsets) {
            *z = *z * self.slope + offset;
        }
        softmax(row);
    }

    /// Learns slope and offsets from `count` rows, whose order must depend on their content alone. Weights count by their
    /// ratios.
    pub(super) fn fit<'a>(
        outputs: usize,
        count: usize,
        case: impl Fn(usize) -> Case<'a> + Sync + Send,
    ) -> Result<Self> {
        let mut seen = vec![false; outputs];
        (0..count).for_each(|i| seen[case(i).label] = true);
        let unseen: Vec<usize> = (0..outputs).filter(|&k| !seen[k]).collect();
        let start = Calibration { slope: 1.0, offsets: vec![0.0; outputs], rows: 0, unseen };
        if outputs - start.unseen.len() < 2 {
            return Ok(start);
        }
        let mean = (0..count).map(|i| case(i).weight).sum::<f64>() / count as f64;
        let case = |i: usize| Case { weight: case(i).weight / mean, ..case(i) };
        // A label without rows has no offset, which would only fall.
        let mut free: Vec<bool> = seen.into_iter().chain([true]).collect();
        let mut found = start.clone().descend(count, &case, &free)?;
        if found.slope < FLATTEST {
            free[outputs] = false;
            found = Calibration { slope: FLATTEST, ..start }.descend(count, &case, &free)?;
        }
        let level = found.level(count, &case);
        found.offsets.iter_mut().for_each(|offset| *offset += level);
        found.rows = count;
        Ok(found)
    }

    /// What is added to all offsets, so that the margin 0 parts known rows from unknown ones.
    fn level<'a>(&self, count: usize, case: &(impl Fn(usize) -> Case<'a> + Sync + Send)) -> f64 {
        // For each row its weight, the sum over all labels, and over all but its own.
        let parts = parallel::map_ranges(count, PIECE, |range| {
            let sums = range.map(|i| {
                let Case { margins, label, weight } = case(i);
                let raised = margins.iter().zip(&self.offsets).map(|(z, offset)| z * self.slope + offset);
                let others = raised.clone().enumerate().filter(|&(k, _)| k != label).map(|(_, u)| u);
                (weight, log_sum(raised), log_sum(others))
            });
            sums.collect::<Vec<_>>()
        });
        let rows = parts.concat();
        // The derivative rises with c, so its zero lies between two values of unlike sign.
        let (mut low, mut high, mut c) = (-100.0, 100.0, 0.0);
        for _ in 0..STEPS {
            let (mut first, mut second) = (RIDGE * c, RIDGE);
            for &(weight, known, unknown) in &rows {
                let (p, q) = (numerics::sigmoid(known + c), numerics::sigmoid(unknown + c));
                first += weight * (UNKNOWN * q - (1.0 - p));
                second += weight * (UNKNOWN * q * (1.0 - q) + p * (1.0 - p));
            }
            if first > 0.0 {
                high = c;
            } else {
                low = c;
            }
            let next = c - first / second;
            let next = if next > low && next < high { next } else { (low + high) / 2.0 };
            let done = (next - c).abs() < 1e-9;
            c = next;
            if done {
                break;
            }
        }
        c
    }
}

/// log Σ e^z.
fn log_sum(z: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = z.clone().fold(f64::NEG_INFINITY, f64::max);
    most + libm::log(z.map(|z| numerics::exp(z - most)).sum::<f64>())
}

/// e^z over the sum of all e^z.
pub(crate) fn softmax(row: &mut [f64]) {
    let most = row.iter().fold(f64::NEG_INFINITY, |most, &z| most.max(z));
    row.iter_mut().for_each(|z| *z = numerics::exp(*z - most));
    let sum: f64 = row.iter().sum();
    row.iter_mut().for_each(|e| *e /= sum);
}

/// The probability of each label among all of them and none: e^u_k / (1 + Σ e^u_j) of the margins u of a row.
pub(crate) fn confidences(row: &mut [f64]) {
    let most = row.iter().fold(0.0f64, |most, &u| most.max(u));
    row.iter_mut().for_each(|u| *u = numerics::exp(*u - most));
    let sum = row.iter().sum::<f64>() + numerics::exp(-most);
    row.iter_mut().for_each(|e| *e /= sum);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::random::Stream;

    #[test]
    fn a_known_distortion_is_found_and_undone() {
        // True log-odds t; the margins are 3 t + offsets.
        let (draws, outputs, count) = (Stream::new(5, 1), 4, 20_000);
        let shift = [0.5, -1.0, 0.0, 0.5];
        let mut rows = Vec::new();
        for i in 0..count as u64 {
            let truth: Vec<f64> = (0..outputs as u64).map(|k| draws.of(i).normal(k)).collect();
            let mut p = truth.clone();
            softmax(&mut p);
            let mut left = draws.of(i).uniform(100);
            let label = p
                .iter()
                .position(|p| {
                    left -= p;
                    left < 0.0
                })
                .unwrap_or(outputs - 1);
            rows.push((truth.iter().zip(shift).map(|(t, s)| 3.0 * (t - s)).collect::<Vec<_>>(), label));
        }
        let case = |i: usize| Case { margins: &rows[i].0, label: rows[i].1, weight: 1.0 };
        let found = Calibration::fit(outputs, count, case).unwrap();
        assert!((found.slope - 1.0 / 3.0).abs() < 0.02, "{found:?}");
        let mean = found.offsets.iter().sum::<f64>() / 4.0;
        assert!(found.offsets.iter().zip(shift).all(|(b, s)| (b - mean - s).abs() < 0.1), "{found:?}");
        // At the solution the first derivatives are zero; the level changes nothing between the labels.
        let start = Calibration { slope: 1.0, offsets: vec![0.0; outputs], rows: 0, unseen: Vec::new() };
        let between = start.descend(count, &case, &[true; 5]).unwrap();
        assert!(between.derivatives(count, &case, &[true; 5]).first.iter().all(|d| d.abs() < 1e-3));
        let level = found.offsets[0] - between.offsets[0];
        assert!((0..4).all(|k| (found.offsets[k] - between.offsets[k] - level).abs() < 1e-12));
        assert_eq!((found.slope, found.rows, level), (between.slope, count, between.level(count, &case)));
        // What is wrong everywhere has the least slope, not a negative one; weights count by their ratios.
        let turned: Vec<Vec<f64>> = rows.iter().map(|(z, _)| z.iter().map(|z| -z).collect()).collect();
        let against = |i: usize| Case { margins: &turned[i], label: rows[i].1, weight: 1.0 };
        assert_eq!(Calibration::fit(outputs, count, against).unwrap().slope, FLATTEST);
        let light = |i: usize| Case { weight: (0.5f64).powi(70), ..case(i) };
        assert_eq!(Calibration::fit(outputs, count, light).unwrap(), found);
    }

    /// The level is where telling known rows from unknown ones costs least, by trying.
    #[test]
    fn the_level_parts_known_rows_from_unknown_ones() {
        let draws = Stream::new(6, 2);
        let rows: Vec<[f64; 3]> = (0..600u64)
            .map(|i| [0, 1, 2].map(|k| 3.0 * draws.of(i).normal(k) + if k == i % 3 { 4.0 } else { -7.0 }))
            .collect();
        let case = |i: usize| Case { margins: &rows[i], label: i % 3, weight: 1.0 };
        let plain = Calibration { slope: 1.0, offsets: vec![0.0; 3], rows: 0, unseen: Vec::new() };
        let level = plain.level(600, &case);
        let cost = |c: f64| {
            let known = |sum: f64| c.exp() * sum / (1.0 + c.exp() * sum);
            rows.iter().enumerate().fold(RIDGE / 2.0 * c * c, |cost, (i, z)| {
                let (all, own) = (z.iter().map(|z| z.exp()).sum::<f64>(), z[i % 3].exp());
                cost - known(all).ln() - UNKNOWN * (1.0 - known(all - own)).ln()
            })
        };
        assert!(level.abs() > 0.1 && [-0.01, 0.01].iter().all(|off| cost(level) < cost(level + off)), "{level}");
        let mut row = [-9.0, -14.0];
        confidences(&mut row);
        assert!((row[0] - 1.234e-4).abs() < 1e-7 && (row[1] / row[0] - (-5.0f64).exp()).abs() < 1e-9, "{row:?}");
        let mut row = [900.0, -900.0];
        confidences(&mut row);
        assert_eq!(row, [1.0, 0.0]);
    }

    #[test]
    fn separable_and_empty_cases_stay_finite() {
        let rows = [[900.0, -900.0], [-900.0, 900.0]];
        let case = |i: usize| Case { margins: &rows[i], label: i, weight: 1.0 };
        assert!(Calibration::fit(2, 2, case).unwrap().fits(2));
        let wrong = |i: usize| Case { margins: &rows[i], label: 1 - i, weight: 1.0 };
        assert!(Calibration::fit(2, 2, wrong).unwrap().fits(2));
        // Rows of fewer than two labels teach nothing, and that can be seen.
        let none = Calibration { slope: 1.0, offsets: vec![0.0; 3], rows: 0, unseen: vec![0, 1, 2] };
        assert_eq!(Calibration::fit(3, 0, case).unwrap(), none);
        let found = Calibration::fit(2, 2, |i| Case { label: 1, ..case(i) }).unwrap();
        assert_eq!((found.rows(), found.slope(), found.offsets(), found.unseen()), (0, 1.0, &[0.0; 2][..], &[0][..]));
        // A third label that no row bears has the common offset only.
        let rows: Vec<[f64; 3]> =
            (0..90).map(|i| [f64::from(i % 2) * 4.0 - 1.0, f64::from(i % 3) - 2.0, 0.5]).collect();
        let case = |i: usize| Case { margins: &rows[i], label: usize::from(i % 7 > 2), weight: 1.0 };
        let found = Calibration::fit(3, 90, case).unwrap();
        let start = Calibration { slope: found.slope, offsets: vec![0.0; 3], rows: 0, unseen: Vec::new() };
        let level = Calibration { offsets: found.offsets.iter().map(|b| b - found.offsets[2]).collect(), ..start };
        assert_eq!((found.unseen(), found.rows()), (&[2][..], 90));
        assert!((level.level(90, &case) - found.offsets[2]).abs() < 1e-6);
    }
}
