//! Genie: single linkage with a limit on how unequal the sizes of clusters become.
//!
//! Gagolewski, Bartoszuk, Cena, "Genie: A new, fast, and outlier-resistant hierarchical clustering algorithm",
//! Information Sciences 363 (2016), 8-23. The merging itself is in [`super::genie_merge`].
//!
//! # Deviations
//! - Equal rows are one cluster from the start, so that no result depends on which of them comes first; otherwise merges
//!   of distance zero would compete with the correction.
//! - Clusters are numbered by falling size.

use super::dendrogram::Dendrogram;
use super::genie_merge::merge;
use crate::cluster::hdbscan::{HdbscanModel, metric_of};
#[cfg(feature = "serde")]
use crate::cluster::spanning::check_metric;
use crate::cluster::spanning::{Norm, distance, metric_rows};
use crate::cluster::tree_fit::{TreeFit, label_of_nearest};
#[cfg(feature = "serde")]
use crate::core::checks;
use crate::core::{Clusterer, Clustering, Error, Result, Rows, Run, Settings, count_in_sample, settings_of};
use crate::neighbors::Metric;
use ndarray::ArrayRef2;

/// Hierarchical clustering of the spanning tree into as many clusters as asked for, of sizes not too unequal.
///
/// # Formula
/// While more than one cluster remains: with sizes x, k clusters and n rows, the Gini index is
/// Σ over i < j of |xᵢ - xⱼ| / ((k - 1) n), in 0 to 1. If it is above the threshold, the lightest edge that touches a
/// cluster of the smallest size is merged along, else the lightest of all.
///
/// # Cost
/// The spanning tree as in [`Hdbscan`](crate::cluster::Hdbscan); the merging O(n log n). Memory O(n x (columns + 16)).
///
/// # Example
/// ```
/// use ndarray::Array2;
/// use recluster::{Run, cluster::{Genie, Hdbscan}};
///
/// // Two squares of 25 points, 100 apart.
/// let rows = Array2::from_shape_fn((50, 2), |(i, j)| match j {
///     0 => (i % 5) as f32 + 100.0 * (i / 25) as f32,
///     _ => (i % 25 / 5) as f32,
/// });
/// let model = Genie::new(2).fit(&rows, &Run::new())?;
/// assert_ne!(model.labels()[0], model.labels()[49]);
/// assert_eq!(model.cut(1)?, [0; 50]); // any other number from the same merges
///
/// // The tree of a fitted HDBSCAN serves too.
/// let hdbscan = Hdbscan::new().fit(&rows, &Run::new())?;
/// assert_eq!(Genie::new(2).fit_model(&hdbscan, &rows, &Run::new())?.labels()[49], model.labels()[49]);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default = "unset", deny_unknown_fields))]
#[must_use]
pub struct Genie {
    clusters: usize,
    gini_threshold: f64,
    min_samples: Option<usize>,
    noise: bool,
    metric: Metric,
}

/// What settings in a file do not say. The number of clusters they must: 0 is refused where it is used.
#[cfg(feature = "serde")]
fn unset() -> Genie {
    Genie::new(0)
}

impl Genie {
    /// This many clusters, at least 1; Gini threshold 0.3, plain distances, no noise.
    pub fn new(clusters: usize) -> Self {
        Genie { clusters, gini_threshold: 0.3, min_samples: None, noise: false, metric: Metric::Euclidean }
    }

    /// How unequal sizes may become, in 0 to 1, default 0.3; 1 gives single linkage.
    pub fn gini_threshold(mut self, threshold: f64) -> Self {
        self.gini_threshold = threshold;
        self
    }

    /// Smooths distances to mutual reachability with the distance of this neighbour, at least 1, as in
    /// [`Hdbscan::min_samples`](crate::cluster::Hdbscan::min_samples); 1, the default, changes nothing. `M` of genieclust
    /// 1.3.
    pub fn min_samples(mut self, neighbours: usize) -> Self {
        self.min_samples = Some(neighbours);
        self
    }

    /// Whether rows at the fringe may be noise; default no.
    ///
    /// With it, leaves of the spanning tree take no part in the merging. Afterwards a leaf that is among the
    /// `min_samples` nearest of the row it hangs on joins that row's cluster; the others are noise. What genieclust
    /// up to 1.1 does with M > 1.
    pub fn noise(mut self, noise: bool) -> Self {
        self.noise = noise;
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
    /// [`Error::TooFewRows`] if there are fewer different rows (that take part) than clusters, [`Error::Cancelled`].
    pub fn fit(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<GenieModel> {
        self.check()?;
        run.install(|| {
            let rows = metric_rows(rows, self.metric)?;
            let fit = TreeFit::new(&rows, self.metric, self.min_samples.unwrap_or(1), run)?;
            self.cut(&fit, &rows, self.metric, run)
        })?
    }

    /// Clusters the rows of a fitted HDBSCAN by its spanning tree; metric and `min_samples` are the model's.
    ///
    /// # Errors
    /// Those of [`Genie::fit`]; [`Error::Setting`] and [`Error::Shape`] if `rows` are not those of the model, if it was
    /// fitted with weights or without rows, or if `min_samples` is set to another number.
    pub fn fit_model(&self, model: &HdbscanModel, rows: &ArrayRef2<f32>, run: &Run) -> Result<GenieModel> {
        self.check()?;
        if let Some(asked) = self.min_samples.filter(|&asked| asked != model.min_samples()) {
            return Err(Error::setting("min_samples", asked, "must be what the model was fitted with"));
        }
        let metric = metric_of(model)?;
        run.install(|| {
            let rows = metric_rows(rows, metric)?;
            self.cut(&TreeFit::of(model, &rows)?, &rows, metric, run)
        })?
    }

    fn check(&self) -> Result<()> {
        if self.clusters == 0 {
            return Err(Error::setting("clusters", self.clusters, "must be at least 1"));
        }
        if !(0.0..=1.0).contains(&self.gini_threshold) {
            return Err(Error::setting("gini_threshold", self.gini_threshold, "must be between 0 and 1"));
        }
        if self.min_samples == Some(0) {
            return Err(Error::setting("min_samples", 0, "must be at least 1"));
        }
        Ok(())
    }

    fn cut(&self, fit: &TreeFit<'_>, rows: &Rows<'_>, metric: Metric, run: &Run) -> Result<GenieModel> {
        let stage = run.stage("merging", rows.len());
        let leaves = if self.noise { leaves(fit) } else { Vec::new() };
        let out: Vec<u32> = leaves.iter().map(|leaf| leaf.0).collect();
        let joins = merge(&fit.spanning, &fit.canonical, &out, self.gini_threshold, &stage)?;
        let dendrogram = Dendrogram::new(&joins, &fit.canonical, out);
        let norm = Norm::of(metric);
        let within_core = |&(leaf, on): &(u32, u32)| {
            let length = distance(metric, norm.measure(rows.row(leaf as usize), rows.row(on as usize)));
            length <= fit.core[on as usize]
        };
        let hang = leaves.into_iter().filter(within_core).collect();
        let mut model = GenieModel { labels: Vec::new(), clusters: self.clusters, dendrogram, hang, metric };
        model.labels = model.cut(self.clusters)?;
        Ok(model)
    }
}

/// Rows with a single edge, each with the row at its other end; none where nothing else would remain.
fn leaves(fit: &TreeFit<'_>) -> Vec<(u32, u32)> {
    let mut degree = vec![0u32; fit.core.len()];
    for (a, b, _) in fit.spanning.edges() {
        degree[a] += 1;
        degree[b] += 1;
    }
    let group = fit.canonical.group_of_row();
    // One of several equal rows is no fringe.
    let leaf = |row: usize| degree[row] == 1 && fit.canonical.weight(group[row] as usize) == 1;
    let ends = fit.spanning.edges().flat_map(|(a, b, _)| [(a, b), (b, a)]);
    ends.filter(|&(a, b)| leaf(a) && !leaf(b)).map(|(a, b)| (a as u32, b as u32)).collect()
}

impl Clusterer for Genie {
    fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering> {
        Clustering::new(self.fit(rows, run)?.labels)
    }

    fn for_sample(&self, share: f64) -> Option<Box<dyn Clusterer>> {
        let min_samples = self.min_samples.map(|rows| count_in_sample(rows, share));
        Some(Box::new(Genie { min_samples, ..self.clone() }))
    }

    fn settings(&self) -> Settings {
        settings_of!(Genie { clusters, gini_threshold, min_samples, noise, metric } = self)
    }
}

/// What [`Genie`] found. Plain data; everything is by original row number.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GenieModel {
    labels: Vec<i32>,
    clusters: usize,
    dendrogram: Dendrogram,
    /// Leaves that took no part but join the cluster of a row, and that row.
    hang: Vec<(u32, u32)>,
    metric: Metric,
}

#[cfg(feature = "serde")]
impl crate::core::Saved for GenieModel {
    const FORMAT: &'static str = "recluster genie";
    const VERSION: u64 = 1;

    fn validate(&self) -> checks::Check {
        check_metric(self.metric).map_err(|e| e.to_string())?;
        self.dendrogram.validate()?;
        let out = self.dendrogram.is_left_out();
        for &(leaf, on) in &self.hang {
            let fits = out.get(leaf as usize) == Some(&true) && out.get(on as usize) == Some(&false);
            checks::that(fits, || format!("row {leaf} hangs on row {on}"))?;
        }
        let same = self.cut(self.clusters).is_ok_and(|labels| labels == self.labels);
        checks::that(same, || format!("the labels are not those of {} clusters of the dendrogram", self.clusters))
    }
}

impl GenieModel {
    /// Each row's cluster, from 0 by falling size, or [`NOISE`](crate::NOISE).
    pub fn labels(&self) -> &[i32] {
        &self.labels
    }

    /// Number of clusters.
    pub fn clusters(&self) -> usize {
        self.clusters
    }

    /// All merges, in the order in which they were made.
    pub fn dendrogram(&self) -> &Dendrogram {
        &self.dendrogram
    }

    /// Labels for another number of clusters, by the same merges: what a fit with that number gives. O(rows).
    ///
    /// # Errors
    /// Those of [`Dendrogram::cut`].
    pub fn cut(&self, clusters: usize) -> Result<Vec<i32>> {
        let mut labels = self.dendrogram.cut(clusters)?;
        for &(leaf, on) in &self.hang {
            labels[leaf as usize] = labels[on as usize];
        }
        Ok(labels)
    }

    /// Labels of `new` rows: that of the nearest of `rows`, which are those of the fit in its order.
    ///
    /// # Errors
    /// The table errors for either table; [`Error::Shape`] when they do not fit; [`Error::Cancelled`].
    pub fn predict(&self, rows: &ArrayRef2<f32>, new: &ArrayRef2<f32>, run: &Run) -> Result<Vec<i32>> {
        label_of_nearest(rows, &self.labels, new, self.metric, run)
    }
}
