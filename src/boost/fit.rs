//! The training calls.

use super::bins::Bins;
use super::cross_fit::Crossing;
use super::model::BoostModel;
use super::settings::{Boost, EvalMetric};
use super::training_set::{labelled, with_targets};
use crate::core::{AnyRows, Rows};
use crate::{Error, Result, Run, SparseRows};
use ndarray::{Array2, ArrayRef2};
use std::borrow::Cow;

impl Boost {
    /// Trains one binary logistic model for each label against all other rows.
    ///
    /// `rows` is n x features, NaN for missing values. `labels` has one label for each row: 0..K, or -1 for a row that
    /// is left out. The model has K outputs, K being the highest label plus 1; the output of a label without rows never
    /// predicts it. The same bits at any number of threads and in any order of the rows.
    ///
    /// O(K x rounds x max_depth x entries), an entry being a value outside its column's most frequent bin. Memory: 12 bytes
    /// for each row and label, besides the bins.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting outside its range, a column of too many categories, or labelled rows x K above
    /// 2^30, which is 13 GB and usually means row numbers given as labels; [`Error::Shape`] for labels
    /// of another number than rows; [`Error::Label`] for a label below -1 or not below the number of rows;
    /// [`Error::TooFewRows`] when all labels are -1; [`Error::Empty`]; [`Error::NotFinite`] for infinities;
    /// [`Error::Category`] for a value of a categorical column that is no category; [`Error::Cancelled`].
    pub fn fit(&self, rows: &ArrayRef2<f32>, labels: &[i32], run: &Run) -> Result<BoostModel> {
        self.fit_dense(rows, labels, None, run)
    }

    /// As [`Boost::fit`], with row weights: finite and at least 0, not all of them 0. Rows of weight 0 are left out, like
    /// those of label -1.
    ///
    /// # Errors
    /// As [`Boost::fit`]; [`Error::Shape`] for weights of another number than rows; [`Error::NotFinite`] for a weight that
    /// is not finite; [`Error::Setting`] for negative weights, where they sum to 0, and where they sum to less than a
    /// millionth of `lambda` and `min_child_weight` together, which are in units of weight and would then prevent any split.
    pub fn fit_weighted(
        &self,
        rows: &ArrayRef2<f32>,
        labels: &[i32],
        weights: &[f32],
        run: &Run,
    ) -> Result<BoostModel> {
        self.fit_dense(rows, labels, Some(weights), run)
    }

    fn fit_dense(
        &self,
        rows: &ArrayRef2<f32>,
        labels: &[i32],
        weights: Option<&[f32]>,
        run: &Run,
    ) -> Result<BoostModel> {
        self.check_for_labels()?;
        self.fit_any((&Rows::with_missing(rows)?).into(), labels, weights, run)
    }

    /// As [`Boost::fit_weighted`], of sparse rows: the model, to the bit, of the dense table. Zero is a value, nothing is missing.
    ///
    /// Bins are made from the entries, in O(entries log entries + rows x columns / 8); memory is that of the entries, twice, and
    /// of the [`Bins`].
    ///
    /// ```
    /// use recluster::{Run, SparseRows, boost::Boost};
    /// let columns: Vec<u32> = (0..60).map(|i| i % 2 * 700 + i % 5).collect();
    /// let rows = SparseRows::new((60, 1000), (0..=60).collect(), columns, vec![1.0; 60])?;
    /// let labels: Vec<i32> = (0..60).map(|i| i % 2).collect();
    /// let run = Run::new();
    /// let boost = Boost::new().rounds(5).min_child_weight(0.0);
    /// let model = boost.fit_sparse(&rows, &labels, None, &run)?;
    /// assert_eq!(model, boost.fit(&rows.to_dense(0..60)?, &labels, &run)?);
    /// assert_eq!(model.margins_sparse(&rows, &run)?, model.margins(&rows.to_dense(0..60)?, &run)?);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Boost::fit_weighted`].
    pub fn fit_sparse(
        &self,
        rows: &SparseRows,
        labels: &[i32],
        weights: Option<&[f32]>,
        run: &Run,
    ) -> Result<BoostModel> {
        self.fit_any(rows.into(), labels, weights, run)
    }

    fn fit_any(&self, table: AnyRows<'_>, labels: &[i32], weights: Option<&[f32]>, run: &Run) -> Result<BoostModel> {
        self.check_for_labels()?;
        let (outputs, set) = labelled(table.len(), labels, weights)?;
        let bins = self.bin(table, &set.rows, run)?;
        Ok(self.learn_labels(&bins, outputs, &set, self.crossing(), run)?.0)
    }

    /// As [`Boost::fit_weighted`], with margins (rows x K) of every row by a model that was not trained on it: what the fit
    /// is worth for rows that it has not seen.
    ///
    /// The model is that of [`Boost::calibrated`], and the margins are on its scale, calibrated by the same slope and
    /// offsets. Labelled rows get those of cross-fitting in three stratified folds, equal rows of one label in one fold;
    /// rows that are left out of the fit (label -1 or weight 0) get the model's own. A row is NaN where its label's rows
    /// are all equal, so that none can be held out.
    ///
    /// Cost: four training calls, where calibration alone takes two to four.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recluster::{Run, boost::Boost};
    /// let rows = Array2::from_shape_fn((90, 2), |(i, j)| (i / 30 * 10 + (i * 7 + j) % 5) as f32);
    /// let labels: Vec<i32> = (0..90).map(|i| i / 30).collect();
    /// let (model, margins) = Boost::new().rounds(10).fit_out_of_fold(&rows, &labels, None, &Run::new())?;
    /// assert!(margins.dim() == (90, 3) && margins[[0, 0]] > margins[[0, 1]]);
    /// assert_eq!(model, Boost::new().rounds(10).calibrated(true).fit(&rows, &labels, &Run::new())?);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Boost::fit_weighted`].
    pub fn fit_out_of_fold(
        &self,
        rows: &ArrayRef2<f32>,
        labels: &[i32],
        weights: Option<&[f32]>,
        run: &Run,
    ) -> Result<(BoostModel, Array2<f64>)> {
        self.check_for_labels()?;
        let table = Rows::with_missing(rows)?;
        let (outputs, set) = labelled(table.len(), labels, weights)?;
        let bins = self.bin(&table, &set.rows, run)?;
        let (model, found) = self.learn_labels(&bins, outputs, &set, Crossing::All, run)?;
        let margins = found.of_all((&table).into(), &set.rows, &model, run)?;
        Ok((model, margins))
    }

    /// Bins the columns of a table, for any number of calls of [`Boost::fit_binned`]. `max_bins` and `categorical` are those
    /// of these settings, not of the later calls; a later call with a monotone constraint on a categorical column is an
    /// error.
    ///
    /// # Errors
    /// As [`Boost::fit`], for the settings and the table.
    pub fn bins(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Bins> {
        self.check()?;
        let table = Rows::with_missing(rows)?;
        self.bin(&table, &(0..table.len() as u32).collect::<Vec<_>>(), run)
    }

    /// The bins of sparse rows, which are those of the dense table: for [`Boost::fit_binned`] and
    /// [`Boost::fit_regression_binned`].
    ///
    /// # Errors
    /// As [`Boost::bins`].
    pub fn bins_sparse(&self, rows: &SparseRows, run: &Run) -> Result<Bins> {
        self.check()?;
        self.bin(rows, &(0..rows.rows() as u32).collect::<Vec<_>>(), run)
    }

    /// As [`Boost::fit_weighted`], on the rows numbered `rows` of a binned table: `labels` and `weights` have one entry
    /// for each of these. No column is sorted again, and thresholds are those of the whole table's bins.
    ///
    /// # Errors
    /// As [`Boost::fit_weighted`]; [`Error::Shape`] for a row number that does not exist.
    pub fn fit_binned(
        &self,
        bins: &Bins,
        rows: &[u32],
        labels: &[i32],
        weights: Option<&[f32]>,
        run: &Run,
    ) -> Result<BoostModel> {
        self.check_for_labels()?;
        let (outputs, set) = labelled(rows.len(), labels, weights)?;
        let bins = part(bins, &set.among(rows))?;
        Ok(self.learn_labels(&bins, outputs, &set, self.crossing(), run)?.0)
    }

    /// Trains one model of the targets by squared error.
    ///
    /// `rows` is n x features, NaN for missing values; `targets` has one finite number for each row.
    ///
    /// # Errors
    /// As [`Boost::fit`]; [`Error::NotFinite`] for a target that is not finite.
    pub fn fit_regression(&self, rows: &ArrayRef2<f32>, targets: &[f32], run: &Run) -> Result<BoostModel> {
        self.regress(rows, targets, None, run)
    }

    /// As [`Boost::fit_regression`], with row weights.
    ///
    /// # Errors
    /// As [`Boost::fit_regression`], and those of [`Boost::fit_weighted`] for weights.
    pub fn fit_regression_weighted(
        &self,
        rows: &ArrayRef2<f32>,
        targets: &[f32],
        weights: &[f32],
        run: &Run,
    ) -> Result<BoostModel> {
        self.regress(rows, targets, Some(weights), run)
    }

    fn regress(
        &self,
        rows: &ArrayRef2<f32>,
        targets: &[f32],
        weights: Option<&[f32]>,
        run: &Run,
    ) -> Result<BoostModel> {
        self.check_for_targets()?;
        let table = Rows::with_missing(rows)?;
        let set = with_targets(table.len(), targets, weights)?;
        let bins = self.bin(&table, &set.rows, run)?;
        self.learn_targets(&bins, &set, run)
    }

    /// As [`Boost::fit_regression_weighted`], on the rows numbered `rows` of a binned table.
    ///
    /// # Errors
    /// As [`Boost::fit_regression_weighted`]; [`Error::Shape`] for a row number that does not exist.
    pub fn fit_regression_binned(
        &self,
        bins: &Bins,
        rows: &[u32],
        targets: &[f32],
        weights: Option<&[f32]>,
        run: &Run,
    ) -> Result<BoostModel> {
        self.check_for_targets()?;
        let set = with_targets(rows.len(), targets, weights)?;
        let bins = part(bins, &set.among(rows))?;
        self.learn_targets(&bins, &set, run)
    }

    fn crossing(&self) -> Crossing {
        if self.calibrated { Crossing::Calibration } else { Crossing::None }
    }

    pub(super) fn check_for_labels(&self) -> Result<()> {
        self.check_no_made_up_rows()?;
        match self.base_score.filter(|&score| !(score > 0.0 && score < 1.0)) {
            Some(score) => Err(Error::setting("base_score", score, "must be between 0 and 1, both excluded")),
            None => Ok(()),
        }
    }

    fn check_no_made_up_rows(&self) -> Result<()> {
        self.check()?;
        let both = [("shuffled_rows", self.shuffled_rows), ("guard_rows", self.guard_rows)];
        match both.into_iter().find(|(_, share)| *share != 0.0) {
            None => Ok(()),
            Some((name, share)) => Err(Error::setting(name, share, "must be 0 but for a surrogate")),
        }
    }

    fn check_for_targets(&self) -> Result<()> {
        self.check_no_made_up_rows()?;
        if self.scale_pos_weight != 1.0 {
            return Err(Error::setting("scale_pos_weight", self.scale_pos_weight, "must be 1 for regression"));
        }
        for (name, set) in [("balanced", self.balanced), ("calibrated", self.calibrated)] {
            if set {
                return Err(Error::setting(name, set, "is not for regression"));
            }
        }
        if self.metric == EvalMetric::Auc {
            return Err(Error::setting("metric", "auc", "is not for regression"));
        }
        match self.base_score.filter(|&score| !(score as f32).is_finite()) {
            Some(score) => Err(Error::setting("base_score", score, "must be finite, in 32 bits")),
            None => Ok(()),
        }
    }

    pub(super) fn bin<'a>(&self, table: impl Into<AnyRows<'a>>, used: &[u32], run: &Run) -> Result<Bins> {
        let table = table.into();
        let categorical = self.categories(table.columns())?;
        let stage = run.stage("bin columns", 1);
        let bins = run.install(|| Bins::of(table, used, self.max_bins, &categorical))??;
        stage.step(1)?;
        Ok(bins)
    }
}

/// Some rows of a binned table; the table itself where these are all rows in their order.
fn part<'a>(bins: &'a Bins, rows: &[u32]) -> Result<Cow<'a, Bins>> {
    if let Some(&row) = rows.iter().find(|&&row| row as usize >= bins.rows) {
        let (what, expected) = ("row number below the number of binned rows", bins.rows);
        return Err(Error::Shape { what, expected, found: row as usize });
    }
    let all = rows.len() == bins.rows && rows.iter().enumerate().all(|(i, &row)| i == row as usize);
    Ok(if all { Cow::Borrowed(bins) } else { Cow::Owned(bins.part(rows)) })
}
