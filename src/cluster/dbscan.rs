//! DBSCAN as a cut of the spanning tree of mutual reachability.
//!
//! Ester, Kriegel, Sander, Xu, "A density-based algorithm for discovering clusters in large spatial databases with noise"
//! (KDD 1996). A row is core if at least `min_samples` rows, itself counted, are within eps: if its core distance is at
//! most eps. Core rows within eps of each other are in one cluster, and these are exactly the parts of the tree of mutual
//! reachability that edges of at most eps connect (Campello et al. 2013). So one fitted tree answers every eps.
//!
//! # Deviations
//! - A border row (not core, but within eps of a core row) goes to its nearest core row's cluster, the first by content
//!   among several. In the paper and in scikit-learn it goes to the cluster that reaches it first, which depends on the
//!   order of the rows.
//! - Clusters are numbered by falling size.

use super::hdbscan::{HdbscanModel, metric_of};
use super::linkage::numbered;
#[cfg(feature = "serde")]
use super::spanning::check_metric;
use super::spanning::{Sets, metric_rows};
use super::tree_fit::{TreeFit, nearest, same_shape};
#[cfg(feature = "serde")]
use crate::core::checks;
use crate::core::{
    Canonical, Clusterer, Clustering, Error, NOISE, Result, Rows, Run, Settings, count_in_sample, settings_of,
};
use crate::neighbors::Metric;
use ndarray::ArrayRef2;

/// Rows that make a row core, itself counted, where none are set.
const MIN_SAMPLES: usize = 5;

/// Density clustering at one distance: clusters of any shape, of one density, and noise.
///
/// # Cost
/// The spanning tree as in [`Hdbscan`](super::Hdbscan), then O(n) and one nearest-neighbour search for the rows that are
/// not core.
///
/// # Example
/// ```
/// use ndarray::array;
/// use recluster::{Run, cluster::Dbscan};
/// let rows = array![[0.0f32], [1.0], [2.0], [3.5], [10.0], [11.0], [12.0], [20.0]];
/// let model = Dbscan::new(1.5).min_samples(3).fit(&rows, &Run::new())?;
/// assert_eq!(model.labels(), [0, 0, 0, 0, 1, 1, 1, -1]);
/// assert_eq!(model.core_rows(), [1, 2, 5]);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default = "unset", deny_unknown_fields))]
#[must_use]
pub struct Dbscan {
    eps: f64,
    min_samples: Option<usize>,
    metric: Metric,
}

/// What settings in a file do not say. The density they must: 0 is refused where it is used.
#[cfg(feature = "serde")]
fn unset() -> Dbscan {
    Dbscan::new(0.0)
}

impl Dbscan {
    /// Neighbours within `eps`, a finite distance above 0; 5 of them make a row core.
    pub fn new(eps: f64) -> Self {
        Dbscan { eps, min_samples: None, metric: Metric::Euclidean }
    }

    /// Rows within eps that make a row core, **the row itself counted** as in scikit-learn; at least 1, default 5.
    pub fn min_samples(mut self, rows: usize) -> Self {
        self.min_samples = Some(rows);
        self
    }

    /// How far rows are from each other: euclidean (the default), manhattan, chebyshev, cosine or correlation.
    pub fn metric(mut self, metric: Metric) -> Self {
        self.metric = metric;
        self
    }

    /// Clusters `rows` (n x columns, finite).
    ///
    /// # Errors
    /// [`Error::Empty`] and [`Error::NotFinite`] for the data, [`Error::Setting`] for a setting outside its range,
    /// [`Error::Cancelled`].
    pub fn fit(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<DbscanModel> {
        self.check()?;
        run.install(|| {
            let rows = metric_rows(rows, self.metric)?;
            let others = self.min_samples.unwrap_or(MIN_SAMPLES) - 1;
            // A core distance to more rows than there are is of no finite eps.
            let enough = others < rows.len();
            let fit = TreeFit::new(&rows, self.metric, others, run)?;
            self.cut(&fit, &rows, self.metric, if enough { self.eps } else { -1.0 }, run)
        })?
    }

    /// Clusters the rows of a fitted HDBSCAN by its spanning tree; the metric is the model's, and so is the number of
    /// neighbours: its `min_samples` and one for the row itself.
    ///
    /// # Errors
    /// Those of [`Dbscan::fit`]; [`Error::Setting`] and [`Error::Shape`] if `rows` are not those of the model, if it was
    /// fitted with weights or without rows, or if `min_samples` is set to another number.
    pub fn fit_model(&self, model: &HdbscanModel, rows: &ArrayRef2<f32>, run: &Run) -> Result<DbscanModel> {
        self.check()?;
        let fitted = model.min_samples().saturating_add(1);
        if let Some(asked) = self.min_samples.filter(|&asked| asked != fitted) {
            return Err(Error::setting("min_samples", asked, "must be what the model was fitted with and one more"));
        }
        let metric = metric_of(model)?;
        run.install(|| {
            let rows = metric_rows(rows, metric)?;
            let eps = if fitted <= rows.len() { self.eps } else { -1.0 };
            self.cut(&TreeFit::of(model, &rows)?, &rows, metric, eps, run)
        })?
    }

    fn check(&self) -> Result<()> {
        if !(self.eps > 0.0 && self.eps.is_finite()) {
            return Err(Error::setting("eps", self.eps, "must be a finite distance above 0"));
        }
        if self.min_samples == Some(0) {
            return Err(Error::setting("min_samples", 0, "must be at least 1"));
        }
        Ok(())
    }

    /// With an `eps` below 0 nothing is core.
    fn cut(&self, fit: &TreeFit<'_>, rows: &Rows<'_>, metric: Metric, eps: f64, run: &Run) -> Result<DbscanModel> {
        let n = rows.len();
        let is_core = |row: usize| fit.core[row] <= eps;
        let mut sets = Sets::new(n);
        for (a, b, weight) in fit.spanning.edges() {
            if weight <= eps {
                sets.join(a as u32, b as u32);
            }
        }
        let mut roots: Vec<i64> =
            (0..n).map(|row| if is_core(row) { i64::from(sets.find(row as u32)) } else { -1 }).collect();
        // For rows that are not core the nearest core row is searched, for equal rows once, in an order by content.
        let groups = 0..fit.canonical.groups();
        let first = |g: usize| fit.canonical.representative(g);
        let pick: Vec<u32> = groups.clone().map(first).filter(|&row| is_core(row)).map(|row| row as u32).collect();
        let asking: Vec<usize> = groups.filter(|&g| !is_core(first(g))).collect();
        let ask: Vec<u32> = asking.iter().map(|&g| first(g) as u32).collect();
        for (&g, (distance, point)) in asking.iter().zip(nearest(rows, &pick, rows, &ask, metric, run)?) {
            if distance <= eps {
                let root = roots[pick[point as usize] as usize];
                fit.canonical.group(g).iter().for_each(|&row| roots[row as usize] = root);
            }
        }
        let labels = numbered(&roots, &fit.canonical.group_of_row());
        let core = (0..n).filter(|&row| is_core(row)).map(|row| row as u32).collect();
        let clusters = labels.iter().max().map_or(0, |&most| (most + 1) as usize);
        Ok(DbscanModel { labels, clusters, core, eps: self.eps, metric })
    }
}

impl Clusterer for Dbscan {
    fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering> {
        Clustering::new(self.fit(rows, run)?.labels)
    }

    fn for_sample(&self, share: f64) -> Option<Box<dyn Clusterer>> {
        let min_samples = Some(count_in_sample(self.min_samples.unwrap_or(MIN_SAMPLES), share));
        Some(Box::new(Dbscan { min_samples, ..self.clone() }))
    }

    fn settings(&self) -> Settings {
        settings_of!(Dbscan { eps, min_samples, metric } = self)
    }
}

/// What [`Dbscan`] found. Plain data; everything is by original row number.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DbscanModel {
    labels: Vec<i32>,
    clusters: usize,
    core: Vec<u32>,
    eps: f64,
    metric: Metric,
}

#[cfg(feature = "serde")]
impl crate::core::Saved for DbscanModel {
    const FORMAT: &'static str = "recluster dbscan";
    const VERSION: u64 = 1;

    fn validate(&self) -> checks::Check {
        check_metric(self.metric).map_err(|e| e.to_string())?;
        checks::labels(&self.labels, self.clusters, NOISE)?;
        checks::rising("core rows", &self.core, self.labels.len())?;
        let core = |&row: &u32| self.labels[row as usize];
        // Each cluster has a core row, and no core row is noise.
        checks::labels(&self.core.iter().map(core).collect::<Vec<_>>(), self.clusters, 0)?;
        checks::that(self.eps > 0.0 && self.eps.is_finite(), || format!("eps {}", self.eps))
    }
}

impl DbscanModel {
    /// Each row's cluster, from 0 by falling size, or [`NOISE`].
    pub fn labels(&self) -> &[i32] {
        &self.labels
    }

    /// Number of clusters.
    pub fn clusters(&self) -> usize {
        self.clusters
    }

    /// The core rows, ascending.
    pub fn core_rows(&self) -> &[u32] {
        &self.core
    }

    /// Labels of `new` rows: that of the nearest core row if it is within eps, else [`NOISE`]. `rows` are those of the
    /// fit, in its order; a row of the fit among the new ones has its label of the fit.
    ///
    /// # Errors
    /// The table errors for either table; [`Error::Shape`] when they do not fit; [`Error::Cancelled`].
    pub fn predict(&self, rows: &ArrayRef2<f32>, new: &ArrayRef2<f32>, run: &Run) -> Result<Vec<i32>> {
        same_shape(rows, self.labels.len(), new)?;
        let mut is_core = vec![false; self.labels.len()];
        for &row in &self.core {
            is_core[row as usize] = true;
        }
        let (rows, new) = (metric_rows(rows, self.metric)?, metric_rows(new, self.metric)?);
        run.install(|| {
            let canonical = Canonical::of(&rows);
            let firsts = (0..canonical.groups()).map(|g| canonical.representative(g));
            let pick: Vec<u32> = firsts.filter(|&row| is_core[row]).map(|row| row as u32).collect();
            let ask: Vec<u32> = (0..new.len() as u32).collect();
            let label = |(distance, point): (f64, u32)| match distance <= self.eps {
                true => self.labels[pick[point as usize] as usize],
                false => NOISE,
            };
            Ok(nearest(&rows, &pick, &new, &ask, self.metric, run)?.into_iter().map(label).collect())
        })?
    }
}
