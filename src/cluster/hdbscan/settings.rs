//! The settings of HDBSCAN.

use super::select::{Choice, Selection};
use crate::core::{Error, Result, Settings, Size, count_in_sample, settings_of};
use crate::neighbors::Metric;

/// Density clustering by hierarchy: finds clusters of any shape and of different densities, and leaves out noise.
///
/// The result is exact (the spanning tree is a true minimum spanning tree of mutual reachability, whatever the width
/// of the data, of distances in f64) and a function of the set of rows: neither the order of the rows nor the number of
/// threads changes it.
///
/// # Cost
/// Up to 16 columns (8 for manhattan and chebyshev) about O(n log n) on clustered data, through a k-d tree; beyond, all
/// pairs are bounded by products of f32 blocks, O(n² x columns), with more than 96 columns O(n² x 64), and few are
/// measured. Memory O(n x (columns + 16)).
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
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
#[must_use]
pub struct Hdbscan {
    min_cluster_size: Size,
    min_samples: Option<usize>,
    pub(super) count_self: bool,
    selection: Selection,
    epsilon: f64,
    allow_single_cluster: bool,
    single_cluster_weight: f64,
    max_cluster_size: Option<Size>,
    min_persistence: f64,
    reach: f64,
    max_noise: f64,
    pub(super) metric: Metric,
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
            single_cluster_weight: 1.0,
            max_cluster_size: None,
            min_persistence: 0.0,
            reach: 0.0,
            max_noise: 1.0,
            metric: Metric::Euclidean,
        }
    }

    /// Rows below which a group is no cluster: a count of at least 2, or a share of the rows (at least 2 of them);
    /// default 5. See also [`Hdbscan::max_noise`].
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

    /// Allows all rows together to be the one cluster, and sets what their excess of mass counts against that of the
    /// clusters inside; at least 0, default 1, which is Python's `allow_single_cluster`.
    ///
    /// The root has no density at which it begins, so its S(root) = Σ λ_out(x) counts from zero and outweighs all but wide
    /// gaps. With weight w the rows split only if Σ S(C) over the clusters chosen inside is above w S(root): about,
    /// if rows within the clusters connect over distances that are on average 1 / (1 + w) of the gap between these, or
    /// less. At 0 they split wherever they can. It has no part in [`Selection::Leaf`].
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recluster::{Run, Size, cluster::Hdbscan};
    ///
    /// // A grid, a little uneven: nothing that splits.
    /// let cloud = Array2::from_shape_fn((400, 2), |(i, j)| {
    ///     let place = if j == 0 { i % 20 } else { i / 20 } as f32;
    ///     place + 0.02 * ((i * 37 + j * 11) % 17) as f32
    /// });
    /// let hdbscan = Hdbscan::new().min_cluster_size(Size::Share(0.05)).min_samples(10).single_cluster_weight(0.3);
    /// assert_eq!(hdbscan.fit(&cloud, &Run::new())?.clusters(), 1);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    pub fn single_cluster_weight(mut self, weight: f64) -> Self {
        self.allow_single_cluster = true;
        self.single_cluster_weight = weight;
        self
    }

    /// Rows above which a cluster is not chosen: a count of at least 1 or a share; default no limit. `epsilon` may
    /// still join clusters beyond it.
    pub fn max_cluster_size(mut self, size: impl Into<Size>) -> Self {
        self.max_cluster_size = Some(size.into());
        self
    }

    /// Splits so shallow that one side's density (λ = 1 / distance) rises by less than this, from the split to its
    /// densest rows, are undone: that side falls out instead; at least 0, default 0. In λ as Python's
    /// `cluster_selection_persistence`, so it has the unit of the data.
    pub fn min_persistence(mut self, lambda: f64) -> Self {
        self.min_persistence = lambda;
        self
    }

    /// How far clusters reach for rows that the tree leaves as noise, in multiples of the largest core distance in the cluster; at
    /// least 0, default 0: not at all, as in Python's hdbscan.
    ///
    /// Where clusters overlap, all that is sparser than the saddle between them is noise, on their far sides too. With a
    /// reach they grow along the spanning tree, the lightest edges first, and noise joins the first cluster that it is
    /// connected with by an edge within reach. No cluster appears, vanishes or loses a row. 2 suits rows that are
    /// clustered in few columns as they are; UMAP leaves little noise to reach for. Persistence, stability, exemplars and
    /// outlier scores remain those of the tree.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recluster::{NOISE, Run, cluster::Hdbscan};
    ///
    /// // Two heaps side by side, each denser towards its middle.
    /// let heap = |i: usize| ((i * 37 % 101) as f32 - 50.0) * ((i * 37 % 101) as f32 - 50.0).abs() / 50.0;
    /// let rows = Array2::from_shape_fn((200, 1), |(i, _)| heap(i / 2) + 75.0 * (i % 2) as f32);
    /// let noise = |reach| -> recluster::Result<usize> {
    ///     let model = Hdbscan::new().min_cluster_size(30).min_samples(5).reach(reach).fit(&rows, &Run::new())?;
    ///     Ok(model.labels().iter().filter(|&&label| label == NOISE).count())
    /// };
    /// assert!(noise(2.0)? < noise(0.0)?);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    pub fn reach(mut self, factor: f64) -> Self {
        self.reach = factor;
        self
    }

    /// Halves `min_cluster_size` where more than this share of the rows would be noise: once, twice or three times, to no fewer
    /// than 10 rows, as long as each halving leaves at most nine tenths of the noise; in 0 to 1, default 1: never.
    ///
    /// Groups below the least size are in no cluster, or joined to others, and the gaps between those that are large enough are
    /// lost among them. Where there are many groups, that is most of the rows. [`HdbscanModel::min_cluster_size`] is the
    /// size that was taken. Noise is counted by weight, before clusters [reach](Hdbscan::reach) for it. `min_samples`
    /// stays what it is for `min_cluster_size`. O(rows) for each halving, beside the spanning tree.
    ///
    /// [`HdbscanModel::min_cluster_size`]: super::HdbscanModel::min_cluster_size
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recluster::{Run, Size, cluster::Hdbscan};
    ///
    /// // 30 groups of 40 rows, here and there; none has a twentieth of the rows.
    /// let rows = Array2::from_shape_fn((1200, 2), |(i, j)| {
    ///     let group = i / 40;
    ///     [group * 37 % 101, group * group * 13 % 97][j] as f32 + [i * 7 % 40, i * 11 % 40][j] as f32 / 40.0
    /// });
    /// let hdbscan = Hdbscan::new().min_cluster_size(Size::Share(0.05)).min_samples(10);
    /// let (fixed, adapted) = (hdbscan.fit(&rows, &Run::new())?, hdbscan.max_noise(0.05).fit(&rows, &Run::new())?);
    /// assert!(fixed.clusters() < 12);
    /// assert_eq!((adapted.clusters(), adapted.min_cluster_size()), (30, 30));
    /// # Ok::<(), recluster::Error>(())
    /// ```
    pub fn max_noise(mut self, share: f64) -> Self {
        self.max_noise = share;
        self
    }

    /// How far rows are from each other; default Euclidean.
    ///
    /// Cosine and correlation distances (1 - x·y / (|x| |y|)) are taken from unit vectors in f32, as half the squared
    /// distance between them.
    pub fn metric(mut self, metric: Metric) -> Self {
        self.metric = metric;
        self
    }

    /// The settings as a model needs them, for so many rows; and `min_samples`, the row itself not counted, if set.
    pub(super) fn choice(&self, rows: usize) -> Result<(Choice, Option<usize>)> {
        let (choice, min_samples) = self.resolve(rows)?;
        Ok((choice, self.min_samples.map(|_| min_samples - usize::from(self.count_self))))
    }

    /// Checks the settings for this many rows; the choice of clusters, and `min_samples` as it was meant.
    pub(super) fn resolve(&self, rows: usize) -> Result<(Choice, usize)> {
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
        if !(self.single_cluster_weight >= 0.0 && self.single_cluster_weight.is_finite()) {
            let weight = self.single_cluster_weight;
            return Err(Error::setting("single_cluster_weight", weight, "must be a finite number of at least 0"));
        }
        if !(self.min_persistence >= 0.0 && self.min_persistence.is_finite()) {
            return Err(Error::setting(
                "min_persistence",
                self.min_persistence,
                "must be a finite number of at least 0",
            ));
        }
        if !(self.reach >= 0.0 && self.reach.is_finite()) {
            return Err(Error::setting("reach", self.reach, "must be a finite number of at least 0"));
        }
        if !(0.0..=1.0).contains(&self.max_noise) {
            return Err(Error::setting("max_noise", self.max_noise, "must be in 0 to 1"));
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
            single_cluster_weight: self.single_cluster_weight,
            min_cluster_size,
            max_cluster_size,
            min_persistence: self.min_persistence,
            reach: self.reach,
            max_noise: self.max_noise,
        };
        Ok((choice, min_samples))
    }
}

impl Hdbscan {
    /// The same for a sample of the rows; see [`Clusterer::for_sample`](crate::Clusterer::for_sample).
    pub(super) fn in_sample(&self, share: f64) -> Self {
        // A cluster has two rows at least.
        let smallest = match self.min_cluster_size.in_sample(share) {
            Size::Count(count) => Size::Count(count.max(2)),
            of_any => of_any,
        };
        Hdbscan {
            min_cluster_size: smallest,
            min_samples: self.min_samples.map(|rows| count_in_sample(rows, share)),
            max_cluster_size: self.max_cluster_size.map(|size| size.in_sample(share)),
            ..self.clone()
        }
    }

    pub(super) fn listed(&self) -> Settings {
        settings_of!(
            Hdbscan {
                min_cluster_size,
                min_samples,
                count_self,
                selection,
                epsilon,
                allow_single_cluster,
                single_cluster_weight,
                max_cluster_size,
                min_persistence,
                reach,
                max_noise,
                metric
            } = self
        )
    }
}
