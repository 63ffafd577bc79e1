//! Models whose margins are calibrated, and the distributions that these give.

use super::{BoostModel, Ensemble, Link};
use crate::boost::calibration::{Calibration, Case, softmax};
use crate::boost::loss::round_log_odds;
use crate::core::shape::check_count;
use crate::core::{Cached, Canonical};
use crate::{Error, Result, Run, SparseRows};
use ndarray::{Array2, ArrayRef2};

impl BoostModel {
    /// The probability of each label given that it is one of them, rows x outputs, each row summing to 1: the softmax of the
    /// margins. It is calibrated for new rows, whereas [`BoostModel::probabilities`] of a one-versus-rest model are
    /// those of each label on its own. Where the calibration had too few rows ([`Calibration::rows`] is 0) the margins are
    /// uncalibrated.
    ///
    /// # Errors
    /// [`Error::Setting`] when the model was not calibrated ([`Boost::calibrated`](crate::boost::Boost::calibrated),
    /// [`BoostModel::calibrate`]); else as [`BoostModel::margins`].
    pub fn distribution(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f64>> {
        self.check_distribution()?;
        Ok(shares(self.margins(rows, run)?))
    }

    /// The same for sparse rows.
    ///
    /// # Errors
    /// As [`BoostModel::distribution`].
    pub fn distribution_sparse(&self, rows: &SparseRows, run: &Run) -> Result<Array2<f64>> {
        self.check_distribution()?;
        Ok(shares(self.margins_sparse(rows, run)?))
    }

    fn check_distribution(&self) -> Result<()> {
        match self.link != Link::Softmax && self.calibration.is_none() {
            true => Err(Error::setting("calibrated", false, "must be true for a distribution over all labels")),
            false => Ok(()),
        }
    }

    /// Calibrates the margins on rows that the model was not trained on; leaves and base margins change. `labels` are the
    /// outputs' numbers, -1 for rows to leave out. Rows of fewer than two labels change nothing, with a note to the run.
    ///
    /// # Errors
    /// [`Error::Setting`] for a model that is not one-versus-rest; [`Error::Label`] for a label that is no output;
    /// [`Error::Shape`] for labels of another number than rows; else as [`BoostModel::margins`].
    pub fn calibrate(self, rows: &ArrayRef2<f32>, labels: &[i32], run: &Run) -> Result<Self> {
        if self.link != Link::Logistic {
            return Err(Error::setting("calibrated", true, "is for one-versus-rest models"));
        }
        check_count("labels, one for each row", rows.nrows(), labels.len())?;
        let outputs = self.outputs.len();
        if let Some(row) = labels.iter().position(|&label| label < -1 || label >= outputs as i32) {
            let reason = "must be -1 (left out) or the number of an output";
            return Err(Error::Label { row, label: labels[row].into(), reason });
        }
        let table = self.check_rows(rows)?;
        let margins = self.margins_of(&(0..outputs).collect::<Vec<_>>(), &table, run)?;
        // Equal rows have equal margins, so content and label determine the order.
        let content = Canonical::of(&table).group_of_row();
        let mut order: Vec<usize> = (0..labels.len()).filter(|&i| labels[i] >= 0).collect();
        order.sort_unstable_by_key(|&i| (content[i], labels[i]));
        let margins = margins.as_slice().unwrap_or_default();
        let case = |i: usize| {
            let row = order[i];
            Case { margins: &margins[row * outputs..(row + 1) * outputs], label: labels[row] as usize, weight: 1.0 }
        };
        let calibration = run.install(|| Calibration::fit(outputs, order.len(), case))??;
        calibration.note(run);
        Ok(self.calibrated(calibration))
    }

    /// The model with a calibration applied to its leaves and base margins.
    pub(in crate::boost) fn calibrated(mut self, calibration: Calibration) -> Self {
        if calibration.rows() > 0 {
            // What was prepared holds the old values.
            self.compact = Cached::default();
            self.outputs.iter_mut().enumerate().for_each(|(label, ensemble)| put_into(&calibration, label, ensemble));
        }
        self.calibration = Some(calibration);
        self
    }
}

/// The softmax of each row.
fn shares(mut margins: Array2<f64>) -> Array2<f64> {
    for mut row in margins.rows_mut() {
        row.as_slice_mut().into_iter().for_each(softmax);
    }
    margins
}

/// Applies a calibration to the trees of a label.
fn put_into(calibration: &Calibration, label: usize, ensemble: &mut Ensemble) {
    ensemble.base = round_log_odds(ensemble.base * calibration.slope + calibration.offsets[label]);
    for value in ensemble.trees.iter_mut().flat_map(|tree| &mut tree.value) {
        *value = round_log_odds(f64::from(*value) * calibration.slope) as f32;
    }
}
