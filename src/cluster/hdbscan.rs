//! HDBSCAN: settings in, model out.
//!
//! Campello, Moulavi, Sander, "Density-Based Clustering Based on Hierarchical Density Estimates" (PAKDD 2013), and with
//! Zimek, "Hierarchical Density Estimates for Data Clustering, Visualization, and Outlier Detection" (TKDD 10(1), 2015).
//! Steps, with λ = 1 / distance:
//!
//! 1. core distance of a row: core(x) = distance of its `min_samples`-th neighbour;
//! 2. mutual reachability: m(x, y) = max(core(x), core(y), d(x, y));
//! 3. its minimum spanning tree: [`super::kdtree`] and [`super::boruvka`], or [`super::prim`] for wide data;
//! 4. the hierarchy (algorithm 1 of the 2013 paper, step 4), condensed by `min_cluster_size`: [`super::hierarchy`] and
//!    [`super::condense`];
//! 5. clusters by excess of mass, S(C) = Σ over rows x of C of λ_out(x) - λ_birth(C), or the leaves: [`super::select`],
//!    where memberships and GLOSH(x) = 1 - λ(x) / λ_max(x) are computed too; `epsilon` after Malzer and Baum (2020).
//!
//! # Deviations
//! From the paper: `min_samples` does not count the row itself unless asked to, and rows fall out of a cluster without
//! self-edges, both as in Python's hdbscan. From hdbscan: see `docs/hdbscan.md`; in short, edges of equal weight are one
//! event, distances of zero stay finite, sums are in f64, no persistence is above 1.

use super::condense::CondensedTree;
use super::hierarchy::Hierarchy;
use super::select::{Choice, Flat, Selection, flat};
use super::spanning::{SpanningTree, spanning_tree};
use crate::core::{Clusterer, Clustering, Error, Result, Rows, Run, Size};
use ndarray::ArrayRef2;

/// Density clustering by hierarchy: finds clusters of any shape and of different densities, and leaves out noise.
///
/// The result is exact (the spanning tree is a true minimum spanning tree of mutual reachability, whatever the width
/// of the data) and a function of the set of rows: neither the order of the rows nor the number of threads changes it.
///
/// # Cost
/// Up to 16 columns about O(n log n) on clustered data, through a k-d tree; beyond, O(n² x columns) by brute force.
/// Memory O(n x (columns + 16)).
///
/// # Example
/// ```
/// use ndarray::Array2;
/// use recluster::{Run, cluster::Hdbscan};
///
/// // Two squares of 25 points, 100 apart.
/// let rows = Array2::from_shape_fn((50, 2), |(i, j)| match j {
///     0 => (i % 5) as f32 + 100.0 * (i / 25) as f32,
///     _ => (i % 25 / 5) as f32,
/// });
/// let model = Hdbscan::new().min_cluster_size(5).fit(&rows, &Run::new())?;
/// assert_eq!(model.clusters(), 2);
/// assert_ne!(model.labels()[0], model.labels()[49]);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Hdbscan {
    min_cluster_size: Size,
    min_samples: Option<usize>,
    count_self: bool,
    selection: Selection,
    epsilon: f64,
    allow_single_cluster: bool,
    max_cluster_size: Option<Size>,
}

impl Default for Hdbscan {
    fn default() -> Self {
        Hdbscan::new()
    }
}

impl Hdbscan {
    /// Clusters of at least 5 rows, chosen by excess of mass.
    pub fn new() -> Self {
        Hdbscan {
            min_cluster_size: Size::Count(5),
            min_samples: None,
            count_self: false,
            selection: Selection::Eom,
            epsilon: 0.0,
            allow_single_cluster: false,
            max_cluster_size: None,
        }
    }

    /// Rows below which a group is no cluster: a count of at least 2, or a share of the rows (at least 2 of them);
    /// default 5.
    pub fn min_cluster_size(mut self, size: impl Into<Size>) -> Self {
        self.min_cluster_size = size.into();
        self
    }

    /// The neighbour whose distance is a row's core distance, at least 1; default: `min_cluster_size`. More of them
    /// make sparse rows noise more readily.
    ///
    /// The row itself is not counted, as in Python's hdbscan; see [`Hdbscan::count_self`]. More than all other rows
    /// means all of them.
    pub fn min_samples(mut self, neighbours: usize) -> Self {
        self.min_samples = Some(neighbours);
        self
    }

    /// Whether `min_samples` counts the row itself, as in scikit-learn and in the paper; default no. With it,
    /// `min_samples(5)` is what `min_samples(4)` is without.
    pub fn count_self(mut self, count: bool) -> Self {
        self.count_self = count;
        self
    }

    /// How clusters are chosen from the tree; default excess of mass.
    pub fn selection(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// Clusters that split at a distance below this are kept together; at least 0, default 0.
    pub fn epsilon(mut self, distance: f64) -> Self {
        self.epsilon = distance;
        self
    }

    /// Whether all rows together may be the one cluster; default no.
    pub fn allow_single_cluster(mut self, allow: bool) -> Self {
        self.allow_single_cluster = allow;
        self
    }

    /// Rows above which a cluster is not chosen: a count of at least 1 or a share; default no limit. `epsilon` may
    /// still join clusters beyond it.
    pub fn max_cluster_size(mut self, size: impl Into<Size>) -> Self {
        self.max_cluster_size = Some(size.into());
        self
    }

    /// Clusters `rows` (n x columns, finite).
    ///
    /// # Errors
    /// [`Error::Empty`] and [`Error::NotFinite`] for the data, [`Error::Setting`] for a setting outside its range,
    /// [`Error::Cancelled`].
    pub fn fit(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<HdbscanModel> {
        let rows = Rows::finite(rows)?;
        let (choice, min_samples) = self.resolve(rows.len())?;
        let others = min_samples - usize::from(self.count_self);
        run.install(|| {
            let (spanning, core_distances) = spanning_tree(&rows, others, run)?;
            let _stage = run.stage("clusters", 1);
            Ok(HdbscanModel::cut(spanning, core_distances, others, &choice))
        })?
    }

    /// Checks the settings for this many rows; the choice of clusters, and `min_samples` as it was meant.
    fn resolve(&self, rows: usize) -> Result<(Choice, usize)> {
        self.min_cluster_size.check("min_cluster_size")?;
        let min_cluster_size = match self.min_cluster_size {
            Size::Count(count) if count < 2 => {
                return Err(Error::setting("min_cluster_size", count, "must be at least 2"));
            }
            Size::Count(count) => count,
            share => share.of(rows).max(2),
        };
        let min_samples = self.min_samples.unwrap_or(min_cluster_size);
        if min_samples == 0 {
            return Err(Error::setting("min_samples", min_samples, "must be at least 1"));
        }
        if !(self.epsilon >= 0.0 && self.epsilon.is_finite()) {
            return Err(Error::setting("epsilon", self.epsilon, "must be a finite distance of at least 0"));
        }
        let max_cluster_size = match self.max_cluster_size {
            None => usize::MAX,
            Some(size) => {
                size.check("max_cluster_size")?;
                match size.of(rows) {
                    0 => return Err(Error::setting("max_cluster_size", 0, "must be at least 1 row")),
                    most => most,
                }
            }
        };
        let choice = Choice {
            selection: self.selection,
            epsilon: self.epsilon,
            allow_single_cluster: self.allow_single_cluster,
            min_cluster_size,
            max_cluster_size,
        };
        Ok((choice, min_samples))
    }
}

impl Clusterer for Hdbscan {
    fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering> {
        self.fit(rows, run)?.clustering()
    }
}

/// What [`Hdbscan`] found. Plain data; everything is by original row number.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct HdbscanModel {
    labels: Vec<i32>,
    membership: Vec<f64>,
    outlier_scores: Vec<f64>,
    /// The condensed cluster of each label.
    selected: Vec<u32>,
    persistence: Vec<f64>,
    min_cluster_size: usize,
    /// Neighbours of a core distance, the row itself not counted.
    others: usize,
    core_distances: Vec<f64>,
    spanning: SpanningTree,
    condensed: CondensedTree,
}

#[cfg(feature = "serde")]
impl crate::core::Saved for HdbscanModel {
    const FORMAT: &'static str = "recluster hdbscan";
    const VERSION: u64 = 1;
}

impl HdbscanModel {
    fn cut(spanning: SpanningTree, core_distances: Vec<f64>, others: usize, choice: &Choice) -> Self {
        let condensed =
            CondensedTree::new(&Hierarchy::new(&spanning, choice.min_cluster_size), choice.min_cluster_size);
        let Flat { labels, membership, outlier_scores, selected, persistence } = flat(&condensed, choice);
        HdbscanModel {
            labels,
            membership,
            outlier_scores,
            selected,
            persistence,
            min_cluster_size: choice.min_cluster_size,
            others,
            core_distances,
            spanning,
            condensed,
        }
    }

    /// Another clustering from the same spanning tree: other sizes, selection or epsilon without fitting again. O(n).
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting outside its range, and if `settings` ask for other `min_samples` than the
    /// model was fitted with: these are what the tree is made of. [`Error::Format`] if the model was loaded from a
    /// damaged file, so that its edges are no spanning tree.
    pub fn recut(&self, settings: &Hdbscan) -> Result<Self> {
        if !self.spanning.spans(self.labels.len()) {
            let reason = "the edges are no spanning tree of the rows".to_string();
            return Err(Error::Format { format: "recluster hdbscan", reason });
        }
        let (choice, min_samples) = settings.resolve(self.labels.len())?;
        if settings.min_samples.is_some() && min_samples - usize::from(settings.count_self) != self.others {
            return Err(Error::setting("min_samples", min_samples, "must be what the model was fitted with"));
        }
        Ok(Self::cut(self.spanning.clone(), self.core_distances.clone(), self.others, &choice))
    }

    /// Each row's cluster, from 0 without gaps, or [`NOISE`](crate::NOISE).
    ///
    /// Clusters are numbered as they appear while the density rises, those that appear together by falling size.
    pub fn labels(&self) -> &[i32] {
        &self.labels
    }

    /// Number of clusters.
    pub fn clusters(&self) -> usize {
        self.selected.len()
    }

    /// Each row's strength of membership, in 0 to 1: its λ as a share of the largest λ at which its cluster still
    /// exists; 0 for noise.
    pub fn membership(&self) -> &[f64] {
        &self.membership
    }

    /// GLOSH outlier score of each row, in 0 to 1: how much sparser the row is than the densest part of the condensed
    /// cluster that it fell out of.
    pub fn outlier_scores(&self) -> &[f64] {
        &self.outlier_scores
    }

    /// Each cluster's persistence, in 0 to 1: its stability as a share of what its rows could reach.
    pub fn persistence(&self) -> &[f64] {
        &self.persistence
    }

    /// Each cluster's stability: its excess of mass.
    pub fn stability(&self) -> Vec<f64> {
        let cluster = |&c: &u32| self.condensed.clusters.get(c as usize);
        self.selected.iter().filter_map(cluster).map(|cluster| cluster.stability).collect()
    }

    /// The condensed cluster of each label, as an index into [`CondensedTree::clusters`].
    pub fn selected(&self) -> &[u32] {
        &self.selected
    }

    /// The least rows of a cluster, as resolved at fit.
    pub fn min_cluster_size(&self) -> usize {
        self.min_cluster_size
    }

    /// The neighbour whose distance is the core distance, the row itself not counted.
    pub fn min_samples(&self) -> usize {
        self.others
    }

    /// Each row's core distance.
    pub fn core_distances(&self) -> &[f64] {
        &self.core_distances
    }

    /// The minimum spanning tree of mutual reachability.
    pub fn spanning_tree(&self) -> &SpanningTree {
        &self.spanning
    }

    /// The condensed tree.
    pub fn condensed_tree(&self) -> &CondensedTree {
        &self.condensed
    }

    /// Labels, membership and persistence as the common type.
    ///
    /// # Errors
    /// None for a fitted model; a model loaded from a damaged file may break [`Clustering`]'s rules.
    pub fn clustering(&self) -> Result<Clustering> {
        Clustering::new(self.labels.clone())?
            .with_membership(self.membership.iter().map(|&m| m as f32).collect())?
            .with_persistence(self.persistence.clone())
    }
}
