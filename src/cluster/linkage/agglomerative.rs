//! Agglomerative clustering: the two nearest clusters become one, until one is left.
//!
//! Single linkage is read off the spanning tree (Gower and Ross 1969). The others follow chains of nearest neighbours,
//! [`super::chain`], which give the same hierarchy for these linkages in O(n²) (Murtagh 1983; Müllner, "Modern
//! hierarchical, agglomerative clustering algorithms", arXiv 1109.2378, 2011).

use super::chain::{MOST_ROWS_OF_TABLE, average_or_complete, ward};
use super::dendrogram::Dendrogram;
#[cfg(feature = "serde")]
use crate::cluster::spanning::check_metric;
use crate::cluster::spanning::metric_rows;
use crate::cluster::tree_fit::{TreeFit, label_of_nearest};
#[cfg(feature = "serde")]
use crate::core::checks;
use crate::core::{
    Canonical, Clusterer, Clustering, Error, Result, Rows, Run, Settings, setting_by_debug, settings_of,
};
use crate::neighbors::Metric;
use ndarray::ArrayRef2;

/// How far two clusters A and B are from each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Linkage {
    /// √(2 |A| |B| / (|A| + |B|)) times the distance of their means: what joining them adds to the squared distances from
    /// the means, doubled, under a root (Ward 1963), as SciPy and scikit-learn count it. O(n² x columns) time, O(n x
    /// columns) memory.
    #[default]
    Ward,
    /// The mean distance of a row of A to a row of B. O(n² x columns) time, 4 n² bytes: at most 20,000 different rows.
    Average,
    /// The largest such distance. Cost as for the mean.
    Complete,
    /// The least such distance. Cost as for [`Hdbscan`](crate::cluster::Hdbscan)'s spanning tree.
    Single,
}

/// Where the hierarchy is cut.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Cut {
    Clusters(usize),
    Distance(f64),
}

setting_by_debug!(Cut, Linkage);

/// Hierarchical clustering by a linkage, cut at a number of clusters or at a distance.
///
/// # Cost
/// That of its [`Linkage`].
///
/// # Example
/// ```
/// use ndarray::array;
/// use recluster::{Run, cluster::{Agglomerative, Linkage}};
/// let rows = array![[0.0f32], [1.0], [10.0], [11.0], [12.5]];
/// let model = Agglomerative::new(2).linkage(Linkage::Average).fit(&rows, &Run::new())?;
/// assert_eq!(model.labels(), [1, 1, 0, 0, 0]);
/// assert_eq!(model.dendrogram().merges()[2].distance, 2.0);
/// assert_eq!(Agglomerative::at_distance(1.5).linkage(Linkage::Average).fit(&rows, &Run::new())?.clusters(), 3);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default = "unset", deny_unknown_fields))]
#[must_use]
pub struct Agglomerative {
    cut: Cut,
    linkage: Linkage,
    metric: Metric,
}

/// What settings in a file do not say. The number of clusters they must: 0 is refused where it is used.
#[cfg(feature = "serde")]
fn unset() -> Agglomerative {
    Agglomerative::new(0)
}

impl Agglomerative {
    /// This many clusters, at least 1, by Ward's linkage.
    pub fn new(clusters: usize) -> Self {
        Agglomerative { cut: Cut::Clusters(clusters), linkage: Linkage::Ward, metric: Metric::Euclidean }
    }

    /// As many clusters as are at least this far from each other by the linkage; at least 0. What is at that distance or
    /// farther stays apart, as with scikit-learn's `distance_threshold`.
    pub fn at_distance(distance: f64) -> Self {
        Agglomerative { cut: Cut::Distance(distance), linkage: Linkage::Ward, metric: Metric::Euclidean }
    }

    /// The linkage; default Ward.
    pub fn linkage(mut self, linkage: Linkage) -> Self {
        self.linkage = linkage;
        self
    }

    /// How far rows are from each other: euclidean (the default, and the only one for Ward's linkage), manhattan,
    /// chebyshev, cosine or correlation.
    pub fn metric(mut self, metric: Metric) -> Self {
        self.metric = metric;
        self
    }

    /// Clusters `rows` (n x columns, finite).
    ///
    /// # Errors
    /// [`Error::Empty`] and [`Error::NotFinite`] for the data, [`Error::Setting`] for a setting outside its range,
    /// [`Error::TooFewRows`] if there are fewer different rows than clusters, [`Error::TooManyRows`] where the linkage
    /// needs all distances and there are too many, [`Error::Cancelled`].
    pub fn fit(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<AgglomerativeModel> {
        match self.cut {
            Cut::Clusters(0) => return Err(Error::setting("clusters", 0, "must be at least 1")),
            Cut::Distance(distance) if !(distance >= 0.0 && distance.is_finite()) => {
                return Err(Error::setting("distance", distance, "must be a finite number of at least 0"));
            }
            _ => {}
        }
        if self.linkage == Linkage::Ward && self.metric != Metric::Euclidean {
            return Err(Error::setting("metric", self.metric, "must be euclidean for Ward's linkage"));
        }
        run.install(|| {
            let rows = metric_rows(rows, self.metric)?;
            let dendrogram = self.dendrogram(&rows, run)?;
            let labels = match self.cut {
                Cut::Clusters(clusters) => dendrogram.cut(clusters)?,
                Cut::Distance(distance) => dendrogram.cut_at(distance)?,
            };
            let clusters = labels.iter().max().map_or(0, |&most| (most + 1) as usize);
            Ok(AgglomerativeModel { labels, clusters, dendrogram, metric: self.metric })
        })?
    }

    fn dendrogram(&self, rows: &Rows<'_>, run: &Run) -> Result<Dendrogram> {
        if self.linkage == Linkage::Single {
            let fit = TreeFit::new(rows, self.metric, 1, run)?;
            let edges = fit.spanning.edges();
            let mut joins: Vec<(u32, u32, f64)> = edges.map(|(a, b, weight)| (a as u32, b as u32, weight)).collect();
            // Equal rows weigh nothing and come first, but so may rows that differ by less than a distance can show.
            let group = fit.canonical.group_of_row();
            joins.sort_by_key(|&(a, b, _)| group[a as usize] != group[b as usize]);
            return Ok(Dendrogram::new(&joins, &fit.canonical, Vec::new()));
        }
        let canonical = Canonical::of(rows);
        if self.linkage != Linkage::Ward && canonical.groups() > MOST_ROWS_OF_TABLE {
            return Err(Error::TooManyRows { rows: canonical.groups(), most: MOST_ROWS_OF_TABLE });
        }
        let stage = run.stage("linkage", canonical.groups());
        let found = match self.linkage {
            Linkage::Ward => ward(rows, &canonical, &stage)?,
            linkage => average_or_complete(rows, &canonical, linkage == Linkage::Average, self.metric, &stage)?,
        };
        let equal = (0..canonical.groups()).flat_map(|g| {
            let group = canonical.group(g);
            group[1..].iter().map(move |&row| (group[0], row, 0.0))
        });
        let representative = |g: u32| canonical.representative(g as usize) as u32;
        let all: Vec<(u32, u32, f64)> =
            equal.chain(found.into_iter().map(|(a, b, d)| (representative(a), representative(b), d))).collect();
        Ok(Dendrogram::new(&all, &canonical, Vec::new()))
    }
}

impl Clusterer for Agglomerative {
    fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering> {
        Clustering::new(self.fit(rows, run)?.labels)
    }

    fn settings(&self) -> Settings {
        settings_of!(Agglomerative { cut, linkage, metric } = self)
    }
}

/// What [`Agglomerative`] found. Plain data; everything is by original row number.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AgglomerativeModel {
    labels: Vec<i32>,
    clusters: usize,
    dendrogram: Dendrogram,
    metric: Metric,
}

#[cfg(feature = "serde")]
impl crate::core::Saved for AgglomerativeModel {
    const FORMAT: &'static str = "recluster agglomerative";
    const VERSION: u64 = 1;

    fn validate(&self) -> checks::Check {
        check_metric(self.metric).map_err(|e| e.to_string())?;
        self.dendrogram.validate()?;
        let same = self.dendrogram.cut(self.clusters).is_ok_and(|labels| labels == self.labels);
        checks::that(same, || format!("the labels are not those of {} clusters of the dendrogram", self.clusters))
    }
}

impl AgglomerativeModel {
    /// Each row's cluster, from 0 by falling size.
    pub fn labels(&self) -> &[i32] {
        &self.labels
    }

    /// Number of clusters.
    pub fn clusters(&self) -> usize {
        self.clusters
    }

    /// All merges; cut it for another number of clusters or another distance.
    pub fn dendrogram(&self) -> &Dendrogram {
        &self.dendrogram
    }

    /// Labels of `new` rows: that of the nearest of `rows`, which are those of the fit in its order.
    ///
    /// # Errors
    /// The table errors for either table; [`Error::Shape`] when they do not fit; [`Error::Cancelled`].
    pub fn predict(&self, rows: &ArrayRef2<f32>, new: &ArrayRef2<f32>, run: &Run) -> Result<Vec<i32>> {
        label_of_nearest(rows, &self.labels, new, self.metric, run)
    }
}
