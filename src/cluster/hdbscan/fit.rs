//! From rows or distances to a model.

use super::model::{Fitted, HdbscanModel};
use super::settings::Hdbscan;
use crate::cluster::spanning::{Asked, ONE, check_metric, in_space, precomputed, spanning_tree};
use crate::core::{Clusterer, Clustering, Error, Result, Rows, Run, Settings};
use ndarray::ArrayRef2;

impl Hdbscan {
    /// Clusters `rows` (n x columns, finite).
    ///
    /// # Errors
    /// [`Error::Empty`] and [`Error::NotFinite`] for the data, [`Error::Setting`] for a setting outside its range,
    /// [`Error::Cancelled`].
    pub fn fit(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<HdbscanModel> {
        self.fit_rows(rows, None, run)
    }

    /// Clusters rows that each stand for `weights[i]` equal rows (above 0, in steps of 1/65,536; not whole if need be).
    ///
    /// All that counts rows then counts weight: `min_samples`, `min_cluster_size` and `max_cluster_size`, stabilities,
    /// persistences. With whole weights, and sizes given as counts, the result is that of the rows repeated so many times; a
    /// share is one of the number of rows.
    ///
    /// # Errors
    /// Those of [`Hdbscan::fit`]; [`Error::Shape`] unless there is a weight for each row; [`Error::Setting`] for a
    /// weight below 1/65,536 or above 1,000,000,000, or not a number.
    pub fn fit_weighted(&self, rows: &ArrayRef2<f32>, weights: &[f64], run: &Run) -> Result<HdbscanModel> {
        self.fit_rows(rows, Some(units(rows.nrows(), weights)?), run)
    }

    /// Clusters rows of which only the distances are known: `distances` is rows x rows, symmetric, 0 from each row to
    /// itself. [`Hdbscan::metric`] does not matter here. O(n²) time.
    ///
    /// Rows without content have no order of their own: they are told apart by all their distances, and only rows for
    /// which these are alike may change places in a tie when the rows come in another order.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::Shape`] when not square, [`Error::NotFinite`], [`Error::Distance`] for numbers that
    /// are no distances, [`Error::Setting`], [`Error::Cancelled`].
    pub fn fit_distances(&self, distances: &ArrayRef2<f64>, run: &Run) -> Result<HdbscanModel> {
        precomputed::check(distances)?;
        let (choice, min_samples) = self.resolve(distances.nrows())?;
        let others = min_samples - usize::from(self.count_self);
        run.install(|| {
            let (spanning, core_distances) = precomputed::spanning_tree(distances, others, run)?;
            let fitted = Fitted { spanning, core_distances, others, weights: None, metric: None };
            Ok(HdbscanModel::cut(fitted, &choice, Some(run)))
        })?
    }

    fn fit_rows(&self, rows: &ArrayRef2<f32>, weights: Option<Vec<u64>>, run: &Run) -> Result<HdbscanModel> {
        let rows = Rows::finite(rows)?;
        check_metric(self.metric)?;
        let (choice, min_samples) = self.resolve(rows.len())?;
        let others = min_samples - usize::from(self.count_self);
        run.install(|| {
            let rows = in_space(rows, self.metric);
            let asked = Asked { rows: &rows, metric: self.metric, weights: weights.as_deref(), others };
            let (spanning, core_distances) = spanning_tree(&asked, run)?;
            let fitted = Fitted { spanning, core_distances, others, weights, metric: Some(self.metric) };
            Ok(HdbscanModel::cut(fitted, &choice, Some(run)))
        })?
    }
}

impl Clusterer for Hdbscan {
    fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering> {
        self.fit(rows, run)?.clustering()
    }

    fn cluster_weighted(&self, rows: &ArrayRef2<f32>, weights: &[f64], run: &Run) -> Result<Clustering> {
        self.fit_weighted(rows, weights, run)?.clustering()
    }

    fn for_sample(&self, share: f64) -> Option<Box<dyn Clusterer>> {
        Some(Box::new(self.in_sample(share)))
    }

    fn settings(&self) -> Settings {
        self.listed()
    }
}

/// Weights in parts of [`ONE`].
fn units(rows: usize, weights: &[f64]) -> Result<Vec<u64>> {
    if weights.len() != rows {
        return Err(Error::Shape { what: "weights, one for each row", expected: rows, found: weights.len() });
    }
    let unit = |&weight: &f64| match (weight * ONE as f64).round() {
        units if (1.0..=1e9 * ONE as f64).contains(&units) => Ok(units as u64),
        _ => Err(Error::setting("weights", weight, "a weight must be between 1/65,536 and 1,000,000,000")),
    };
    let units = weights.iter().map(unit).collect::<Result<Vec<u64>>>()?;
    let sum = units.iter().try_fold(0u64, |sum, &units| sum.checked_add(units));
    sum.ok_or_else(|| Error::setting("weights", "their sum", "weights must add up to less than 2.8e14"))?;
    Ok(units)
}
