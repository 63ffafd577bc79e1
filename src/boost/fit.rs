//! The training calls.

use super::bins::Bins;
use super::calibrate::{Calibration, Case};
use super::gradient::Loss;
use super::model::{BoostModel, Link};
use super::train::{self, Problem};
use super::{Boost, logit, sample};
use crate::core::Rows;
use crate::{Error, Result, Run};
use ndarray::ArrayRef2;
use std::borrow::Cow;

impl Boost {
    /// Trains one binary logistic model for each label against all other rows.
    ///
    /// `rows` is n x features, NaN for missing values. `labels` has one label for each row: 0..K, or -1 for a row that
    /// is left out of the training. The model has K outputs, K being the highest label plus 1; a label without any row
    /// has an output that never predicts it. The same bits at any number of threads and in any order of the rows.
    ///
    /// O(K x rounds x max_depth x entries), an entry being a value outside its column's most frequent bin. Memory: 12 bytes
    /// for each row and label, besides the bins.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting outside its range, a column of too many categories, or labelled rows x K above
    /// 2^30, which is 13 GB and as a rule row numbers taken for labels; [`Error::Shape`] for labels
    /// of another number than rows; [`Error::Label`] for a label below -1 or not below the number of rows;
    /// [`Error::TooFewRows`] when all labels are -1; [`Error::Empty`]; [`Error::NotFinite`] for infinities;
    /// [`Error::Category`] for a value of a categorical column that is no category; [`Error::Cancelled`].
    pub fn fit(&self, rows: &ArrayRef2<f32>, labels: &[i32], run: &Run) -> Result<BoostModel> {
        self.fit_weighted(rows, labels, None, run)
    }

    /// As [`Boost::fit`], each row counting as much as its weight says: finite and at least 0, not all of them 0. Rows of
    /// weight 0 are left out, like those of label -1.
    ///
    /// # Errors
    /// As [`Boost::fit`]; [`Error::Shape`] for weights of another number than rows; [`Error::NotFinite`] for a weight that
    /// is not finite; [`Error::Setting`] for negative weights and where they sum to 0.
    pub fn fit_weighted(
        &self,
        rows: &ArrayRef2<f32>,
        labels: &[i32],
        weights: Option<&[f32]>,
        run: &Run,
    ) -> Result<BoostModel> {
        self.check_for_labels()?;
        let table = Rows::with_missing(rows)?;
        let (outputs, told) = labelled(table.len(), labels, weights)?;
        let bins = self.bin(&table, &told.rows, run)?;
        self.fit_labelled(&bins, outputs, &told, run)
    }

    /// Cuts the columns of a table into bins, to be used by any number of calls of [`Boost::fit_binned`]. `max_bins` and
    /// `categorical` are taken from these settings, and those of the later calls are not looked at.
    ///
    /// # Errors
    /// As [`Boost::fit`], for the settings and the table.
    pub fn bins(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Bins> {
        self.check()?;
        let table = Rows::with_missing(rows)?;
        self.bin(&table, &(0..table.len() as u32).collect::<Vec<_>>(), run)
    }

    /// As [`Boost::fit_weighted`], on the rows numbered `rows` of a table that was binned before: `labels` and `weights`
    /// have one entry for each of these. No column is sorted again, and thresholds are those of the whole table's bins.
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
        let (outputs, told) = labelled(rows.len(), labels, weights)?;
        let bins = part(bins, &told.among(rows))?;
        self.fit_labelled(&bins, outputs, &told, run)
    }

    /// Trains one model of the targets by squared error.
    ///
    /// `rows` is n x features, NaN for missing values; `targets` has one finite number for each row.
    ///
    /// # Errors
    /// As [`Boost::fit`]; [`Error::NotFinite`] for a target that is not finite.
    pub fn fit_regression(&self, rows: &ArrayRef2<f32>, targets: &[f32], run: &Run) -> Result<BoostModel> {
        self.fit_regression_weighted(rows, targets, None, run)
    }

    /// As [`Boost::fit_regression`], each row counting as much as its weight says.
    ///
    /// # Errors
    /// As [`Boost::fit_regression`], and those of [`Boost::fit_weighted`] for weights.
    pub fn fit_regression_weighted(
        &self,
        rows: &ArrayRef2<f32>,
        targets: &[f32],
        weights: Option<&[f32]>,
        run: &Run,
    ) -> Result<BoostModel> {
        self.check_for_targets()?;
        let table = Rows::with_missing(rows)?;
        let told = with_targets(table.len(), targets, weights)?;
        let bins = self.bin(&table, &told.rows, run)?;
        self.fit_targets(&bins, &told, run)
    }

    /// As [`Boost::fit_regression_weighted`], on the rows numbered `rows` of a table that was binned before.
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
        let told = with_targets(rows.len(), targets, weights)?;
        let bins = part(bins, &told.among(rows))?;
        self.fit_targets(&bins, &told, run)
    }

    fn check_for_labels(&self) -> Result<()> {
        self.check()?;
        match self.base_score.filter(|&score| !(score > 0.0 && score < 1.0)) {
            Some(score) => Err(Error::setting("base_score", score, "must be between 0 and 1, both excluded")),
            None => Ok(()),
        }
    }

    fn check_for_targets(&self) -> Result<()> {
        self.check()?;
        if self.scale_pos_weight != 1.0 {
            return Err(Error::setting("scale_pos_weight", self.scale_pos_weight, "must be 1 for regression"));
        }
        for (name, set) in [("balanced", self.balanced), ("calibrated", self.calibrated)] {
            if set {
                return Err(Error::setting(name, set, "is not for regression"));
            }
        }
        if self.metric == super::Metric::Auc {
            return Err(Error::setting("metric", "auc", "is not for regression"));
        }
        match self.base_score.filter(|score| !score.is_finite()) {
            Some(score) => Err(Error::setting("base_score", score, "must be finite")),
            None => Ok(()),
        }
    }

    fn bin(&self, table: &Rows<'_>, used: &[u32], run: &Run) -> Result<Bins> {
        let categorical = self.categories(table.columns())?;
        let stage = run.stage("bin columns", 1);
        let bins = run.install(|| Bins::of(table, used, self.max_bins, &categorical))??;
        stage.step(1)?;
        Ok(bins)
    }

    /// Trains on all rows of the bins.
    fn fit_labelled(&self, bins: &Bins, outputs: usize, told: &Told<i32>, run: &Run) -> Result<BoostModel> {
        self.categories(bins.features())?;
        let Told { values, weights, .. } = told;
        let classes: Vec<u32> = values.iter().map(|&label| label as u32).collect();
        let weight = |i: usize| weights.as_ref().map_or(1.0, |weights| f64::from(weights[i]));
        let kind = |i: usize| (classes[i], weights.as_ref().map_or(0, |weights| weights[i].to_bits()));
        let draws = self.holds_out() || self.subsample < 1.0;
        let order = if draws { sample::by_content(bins, kind) } else { Vec::new() };
        let held = match self.holds_out() {
            true => sample::held_out(bins, &order, |i| classes[i], self.held_out, run.key()),
            false => Vec::new(),
        };
        let sums = self.class_weights(&classes, outputs, &held, weight);
        let all: f64 = sums.iter().sum();
        if all <= 0.0 {
            return Err(no_weight(all));
        }
        let positive = |own: f64| match self.balanced {
            true if own > 0.0 && all - own > 0.0 => (all - own) / own,
            true => 1.0,
            false => self.scale_pos_weight,
        };
        let share = |own: f64| positive(own) * own / (positive(own) * own + (all - own));
        let problem = Problem {
            bins,
            losses: sums.iter().map(|&own| Loss::Logistic { positive_weight: positive(own) }).collect(),
            bases: sums.iter().map(|&own| logit(self.base_score.unwrap_or_else(|| share(own)))).collect(),
            targets: &|output, rows, y| {
                let own = output as u32;
                y.iter_mut().zip(&classes[rows]).for_each(|(y, &class)| *y = if class == own { 1.0 } else { 0.0 });
            },
            weights: weights.as_deref(),
            heaviest: heaviest(weights.as_deref()),
            order,
            held,
        };
        let trained = run.install(|| train::train(self, &problem, run))??;
        let mut model = BoostModel::new(Link::Logistic, bins.features(), trained.ensembles)?;
        if self.calibrated {
            let held = &problem.held;
            let table: Vec<f64> =
                (0..held.len()).flat_map(|i| trained.held.iter().map(move |margins| margins[i])).collect();
            let case = |i: usize| {
                let row = held[i] as usize;
                let margins = &table[i * outputs..(i + 1) * outputs];
                Case { margins, label: classes[row] as usize, weight: weight(row) }
            };
            model.calibration = Some(run.install(|| Calibration::fit(outputs, held.len(), case))??);
        }
        Ok(model)
    }

    /// The weight of each class over the rows that are trained on, in sums that do not depend on their order.
    fn class_weights(&self, classes: &[u32], outputs: usize, held: &[u32], weight: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut trained = vec![true; classes.len()];
        held.iter().for_each(|&row| trained[row as usize] = false);
        let mut parts: Vec<(u32, f64)> =
            (0..classes.len()).filter(|&i| trained[i]).map(|i| (classes[i], weight(i))).collect();
        parts.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut sums = vec![0.0; outputs];
        parts.into_iter().for_each(|(class, weight)| sums[class as usize] += weight);
        sums
    }

    /// Trains on all rows of the bins.
    fn fit_targets(&self, bins: &Bins, told: &Told<f32>, run: &Run) -> Result<BoostModel> {
        self.categories(bins.features())?;
        let (targets, weights) = (&told.values, told.weights.as_deref());
        let weight = |i: usize| weights.map_or(1.0, |weights| f64::from(weights[i]));
        let kind = |i: usize| ((targets[i] + 0.0).to_bits(), weights.map_or(0, |weights| weights[i].to_bits()));
        let draws = self.holds_out() || self.subsample < 1.0;
        let order = if draws { sample::by_content(bins, kind) } else { Vec::new() };
        let held = match self.holds_out() {
            true => sample::held_out(bins, &order, |_| 0, self.held_out, run.key()),
            false => Vec::new(),
        };
        let mut trained = vec![true; targets.len()];
        held.iter().for_each(|&row| trained[row as usize] = false);
        let mut parts: Vec<(f64, f64)> =
            (0..targets.len()).filter(|&i| trained[i]).map(|i| (f64::from(targets[i]), weight(i))).collect();
        parts.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let (sum, all) =
            parts.iter().fold((0.0, 0.0), |sum, (target, weight)| (sum.0 + target * weight, sum.1 + weight));
        if all <= 0.0 {
            return Err(no_weight(all));
        }
        let problem = Problem {
            bins,
            losses: vec![Loss::Squared],
            bases: vec![self.base_score.unwrap_or(sum / all)],
            targets: &|_, rows, y| y.iter_mut().zip(&targets[rows]).for_each(|(y, &target)| *y = f64::from(target)),
            weights,
            heaviest: heaviest(weights),
            order,
            held,
        };
        let trained = run.install(|| train::train(self, &problem, run))??;
        BoostModel::new(Link::Identity, bins.features(), trained.ensembles)
    }
}

/// What is to be learnt: the rows that have a say, their labels or targets, and their weights.
struct Told<T> {
    /// Their numbers.
    rows: Vec<u32>,
    values: Vec<T>,
    weights: Option<Vec<f32>>,
}

impl<T: Copy> Told<T> {
    /// Leaves out rows that `counts` refuses and those of no weight, which would only add ends of bins.
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
        Ok(Told { rows, values, weights })
    }

    /// The numbers of its rows where all rows are those numbered `rows`.
    fn among(&self, rows: &[u32]) -> Vec<u32> {
        self.rows.iter().map(|&row| rows[row as usize]).collect()
    }
}

/// Rows x labels up to which trees are trained: 12 bytes for each are held throughout, 13 GB then.
const MOST_OUTPUTS_OF_ROWS: usize = 1 << 30;

/// The number of labels, and the rows that bear one.
fn labelled(rows: usize, labels: &[i32], weights: Option<&[f32]>) -> Result<(usize, Told<i32>)> {
    same_length("labels, one for each row", rows, labels.len())?;
    let outputs = check_labels(labels)?;
    check_weights(rows, weights)?;
    let told = Told::of(labels, weights, |label| label >= 0)?;
    if told.rows.len().saturating_mul(outputs) > MOST_OUTPUTS_OF_ROWS {
        let found = format!("{outputs} labels of {} rows", told.rows.len());
        let allowed = "rows x labels must be at most 1,073,741,824 (13 GB): are row numbers taken for labels?";
        return Err(Error::setting("labels", found, allowed));
    }
    Ok((outputs, told))
}

fn with_targets(rows: usize, targets: &[f32], weights: Option<&[f32]>) -> Result<Told<f32>> {
    same_length("targets, one for each row", rows, targets.len())?;
    if let Some(row) = targets.iter().position(|t| !t.is_finite()) {
        return Err(Error::NotFinite { what: "the targets", row, column: 0, value: targets[row] });
    }
    check_weights(rows, weights)?;
    Told::of(targets, weights, |_| true)
}

fn no_weight(all: f64) -> Error {
    Error::setting("weights", all, "must have a sum above 0 over the rows that are trained on")
}

/// Some rows of a binned table; all of them in their order are the table itself.
fn part<'a>(bins: &'a Bins, rows: &[u32]) -> Result<Cow<'a, Bins>> {
    if let Some(&row) = rows.iter().find(|&&row| row as usize >= bins.rows) {
        let (what, expected) = ("row number below the number of binned rows", bins.rows);
        return Err(Error::Shape { what, expected, found: row as usize });
    }
    let all = rows.len() == bins.rows && rows.iter().enumerate().all(|(i, &row)| i == row as usize);
    Ok(if all { Cow::Borrowed(bins) } else { Cow::Owned(bins.part(rows)) })
}

fn heaviest(weights: Option<&[f32]>) -> f64 {
    weights.map_or(1.0, |weights| weights.iter().fold(f32::MIN_POSITIVE, |most, &w| most.max(w)).into())
}

fn check_weights(rows: usize, weights: Option<&[f32]>) -> Result<()> {
    let Some(weights) = weights else { return Ok(()) };
    same_length("weights, one for each row", rows, weights.len())?;
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

fn same_length(what: &'static str, expected: usize, found: usize) -> Result<()> {
    if expected == found { Ok(()) } else { Err(Error::Shape { what, expected, found }) }
}

/// The number of labels.
fn check_labels(labels: &[i32]) -> Result<usize> {
    let mut outputs = 0;
    for (row, &label) in labels.iter().enumerate() {
        let reason = if label < -1 {
            "must be -1 (left out) or a label from 0"
        } else if i64::from(label) >= labels.len() as i64 {
            "must be below the number of rows"
        } else {
            outputs = outputs.max((label + 1) as usize);
            continue;
        };
        return Err(Error::Label { row, label: label.into(), reason });
    }
    Ok(outputs)
}
