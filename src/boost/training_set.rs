//! The rows of a training call with their labels or targets and weights, checked.

use crate::core::shape::check_count;
use crate::{Error, Result};

/// The rows to train on, their labels or targets, and their weights.
pub(super) struct TrainingSet<T> {
    /// Numbers of the rows.
    pub(super) rows: Vec<u32>,
    pub(super) values: Vec<T>,
    pub(super) weights: Option<Vec<f32>>,
}

impl<T: Copy> TrainingSet<T> {
    /// Without rows that `counts` refuses, and without rows of weight 0, which would only affect the bins.
    fn of(values: &[T], weights: Option<&[f32]>, counts: impl Fn(T) -> bool) -> Result<Self> {
        let mut rows: Vec<u32> = (0..values.len() as u32).filter(|&row| counts(values[row as usize])).collect();
        if rows.is_empty() {
            return Err(Error::TooFewRows { method: "boosted trees (rows to learn from)", needed: 1, rows: 0 });
        }
        rows.retain(|&row| weights.is_none_or(|weights| weights[row as usize] > 0.0));
        if rows.is_empty() {
            return Err(no_weight(0.0));
        }
        let values = rows.iter().map(|&row| values[row as usize]).collect();
        let weights = weights.map(|weights| rows.iter().map(|&row| weights[row as usize]).collect());
        Ok(TrainingSet { rows, values, weights })
    }

    /// The numbers of its rows in a table of which the call was given the rows numbered `rows`.
    pub(super) fn among(&self, rows: &[u32]) -> Vec<u32> {
        self.rows.iter().map(|&row| rows[row as usize]).collect()
    }
}

/// Most rows x labels: at 12 bytes each, 13 GB of training state.
const MOST_OUTPUTS_OF_ROWS: usize = 1 << 30;

/// The number of labels, and the rows that have one.
pub(super) fn labelled(rows: usize, labels: &[i32], weights: Option<&[f32]>) -> Result<(usize, TrainingSet<i32>)> {
    check_count("labels, one for each row", rows, labels.len())?;
    let outputs = check_labels(labels)?;
    check_weights(rows, weights)?;
    let set = TrainingSet::of(labels, weights, |label| label >= 0)?;
    if set.rows.len().saturating_mul(outputs) > MOST_OUTPUTS_OF_ROWS {
        let found = format!("{outputs} labels of {} rows", set.rows.len());
        let allowed = "rows x labels must be at most 1,073,741,824 (13 GB): are row numbers taken for labels?";
        return Err(Error::setting("labels", found, allowed));
    }
    Ok((outputs, set))
}

pub(super) fn with_targets(rows: usize, targets: &[f32], weights: Option<&[f32]>) -> Result<TrainingSet<f32>> {
    check_count("targets, one for each row", rows, targets.len())?;
    if let Some(row) = targets.iter().position(|t| !t.is_finite()) {
        return Err(Error::NotFinite { what: "the targets", row, column: 0, value: targets[row] });
    }
    check_weights(rows, weights)?;
    TrainingSet::of(targets, weights, |_| true)
}

pub(super) fn no_weight(all: f64) -> Error {
    Error::setting("weights", all, "must have a sum above 0 over the rows that are trained on")
}

/// The highest weight; 1 where there are none.
pub(super) fn heaviest(weights: Option<&[f32]>) -> f64 {
    weights.map_or(1.0, |weights| weights.iter().fold(0.0f32, |most, &w| most.max(w)).into())
}

fn check_weights(rows: usize, weights: Option<&[f32]>) -> Result<()> {
    let Some(weights) = weights else { return Ok(()) };
    check_count("weights, one for each row", rows, weights.len())?;
    for (row, &value) in weights.iter().enumerate() {
        if !value.is_finite() {
            return Err(Error::NotFinite { what: "the weights", row, column: 0, value });
        }
        if value < 0.0 {
            return Err(Error::setting("weights", format!("{value} at row {row}"), "must be at least 0"));
        }
    }
    Ok(())
}

/// The number of labels.
fn check_labels(labels: &[i32]) -> Result<usize> {
    let mut outputs = 0;
    for (row, &label) in labels.iter().enumerate() {
        let reason = if label < -1 {
            "must be -1 (left out) or a label from 0"
        } else if i64::from(label) >= labels.len() as i64 {
            "must be below the number of rows: labels are numbered from 0, and `Clustering::compact` numbers them"
        } else {
            outputs = outputs.max((label + 1) as usize);
            continue;
        };
        return Err(Error::Label { row, label: label.into(), reason });
    }
    Ok(outputs)
}
