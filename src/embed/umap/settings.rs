//! The settings of a fit, and what they may be.

use super::density::Densmap;
use super::forces;
use crate::neighbors::{Measure, Search};
use crate::{Error, Result};

/// Where the layout starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Init {
    /// Eigenvectors of the graph's normalised Laplacian.
    #[default]
    Spectral,
    /// Principal components of the rows.
    Pca,
    /// Uniform random points.
    Random,
}

crate::core::setting_by_debug!(Init);

/// Uniform manifold approximation and projection: a builder.
///
/// The result is the same for any number of threads and any order of the rows (permuted alike).
///
/// ```
/// use ndarray::Array2;
/// use recluster::{Run, embed::Umap};
/// let rows = Array2::from_shape_fn((60, 4), |(i, j)| ((i % 3) * 10) as f32 + ((i * 7 + j * 3) % 11) as f32 * 0.1);
/// let model = Umap::new().n_neighbors(10).n_epochs(50).fit(&rows, &Run::new())?;
/// assert_eq!(model.embedding().dim(), (60, 2));
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
#[must_use]
pub struct Umap {
    pub(super) n_neighbors: usize,
    pub(super) n_components: usize,
    pub(super) min_dist: f64,
    pub(super) spread: f64,
    pub(super) metric: Measure,
    pub(super) n_epochs: Option<usize>,
    pub(super) learning_rate: f64,
    pub(super) repulsion_strength: f64,
    pub(super) negative_sample_rate: usize,
    pub(super) set_op_mix_ratio: f64,
    pub(super) local_connectivity: f64,
    pub(super) disconnection_distance: Option<f64>,
    pub(super) init: Init,
    pub(super) search: Search,
    pub(super) densmap: Option<Densmap>,
}

impl Default for Umap {
    fn default() -> Self {
        Umap {
            n_neighbors: 15,
            n_components: 2,
            min_dist: 0.1,
            spread: 1.0,
            metric: Measure::default(),
            n_epochs: None,
            learning_rate: 1.0,
            repulsion_strength: 1.0,
            negative_sample_rate: 5,
            set_op_mix_ratio: 1.0,
            local_connectivity: 1.0,
            disconnection_distance: None,
            init: Init::Spectral,
            search: Search::Auto,
            densmap: None,
        }
    }
}

impl Umap {
    /// The defaults of umap-learn, which are the paper's.
    pub fn new() -> Self {
        Umap::default()
    }

    /// Sets how many rows count as the neighbourhood of a row, itself included; at least 2, default 15. Small values
    /// show local structure, large ones global.
    pub fn n_neighbors(mut self, n_neighbors: usize) -> Self {
        self.n_neighbors = n_neighbors;
        self
    }

    /// Sets the columns of the embedding; 1 to 64, default 2.
    pub fn n_components(mut self, n_components: usize) -> Self {
        self.n_components = n_components;
        self
    }

    /// Sets how near points may come in the embedding; 0 to `spread`, default 0.1. Zero suits clustering.
    pub fn min_dist(mut self, min_dist: f64) -> Self {
        self.min_dist = min_dist;
        self
    }

    /// Sets the scale of the embedding; above 0, default 1.
    pub fn spread(mut self, spread: f64) -> Self {
        self.spread = spread;
        self
    }

    /// Sets the metric of the rows, a [`Metric`](crate::neighbors::Metric) or [`Measure::own`]; default Euclidean. A
    /// saved model holds the name of a metric of one's own; see [`UmapModel::restore_metric`](super::UmapModel::restore_metric).
    pub fn metric(mut self, metric: impl Into<Measure>) -> Self {
        self.metric = metric.into();
        self
    }

    /// Sets the number of epochs of the layout; at least 1. Default 3,000,000 / rows, but at least 200 (300 where `min_dist`
    /// is below 0.05) and at most 2,000.
    pub fn n_epochs(mut self, n_epochs: usize) -> Self {
        self.n_epochs = Some(n_epochs);
        self
    }

    /// Sets the learning rate that the layout begins with; above 0, default 1.
    pub fn learning_rate(mut self, learning_rate: f64) -> Self {
        self.learning_rate = learning_rate;
        self
    }

    /// Sets the weight of repulsion; at least 0, default 1.
    pub fn repulsion_strength(mut self, repulsion_strength: f64) -> Self {
        self.repulsion_strength = repulsion_strength;
        self
    }

    /// Sets how many random vertices repel for each sampled edge; default 5.
    pub fn negative_sample_rate(mut self, negative_sample_rate: usize) -> Self {
        self.negative_sample_rate = negative_sample_rate;
        self
    }

    /// Sets the mix of fuzzy union (1, the default) and intersection (0) of the two directions of an edge.
    pub fn set_op_mix_ratio(mut self, set_op_mix_ratio: f64) -> Self {
        self.set_op_mix_ratio = set_op_mix_ratio;
        self
    }

    /// Sets how many neighbours count as connected outright; at least 0, default 1, fractions are interpolated.
    pub fn local_connectivity(mut self, local_connectivity: f64) -> Self {
        self.local_connectivity = local_connectivity;
        self
    }

    /// Sets the distance at and beyond which rows are no neighbours; above 0, default none.
    ///
    /// A row that loses all neighbours, and is the neighbour of no other, has no part in the layout: it is put at random
    /// in a shell around the picture, at 1.2 to 1.8 times the distance of the picture's farthest row from its centre, and
    /// named by [`UmapModel::disconnected`](super::UmapModel::disconnected). (umap-learn gives such rows NaN. A row that
    /// loses some of its neighbours keeps the memberships' sum of [`Umap::n_neighbors`] over the others; umap-learn's
    /// width becomes infinite, and all that are left count alike.)
    pub fn disconnection_distance(mut self, distance: f64) -> Self {
        self.disconnection_distance = Some(distance);
        self
    }

    /// Sets where the layout starts; default [`Init::Spectral`].
    pub fn init(mut self, init: Init) -> Self {
        self.init = init;
        self
    }

    /// Sets how neighbours are searched; default [`Search::Auto`].
    pub fn search(mut self, search: Search) -> Self {
        self.search = search;
        self
    }

    /// Makes dense groups of rows dense in the picture too, and sparse ones sparse (densMAP); default off.
    ///
    /// New rows are placed as without it.
    pub fn densmap(mut self, densmap: Densmap) -> Self {
        self.densmap = Some(densmap);
        self
    }

    /// Whether rows at this distance may be neighbours.
    pub(super) fn is_near(&self, distance: f32) -> bool {
        self.disconnection_distance.is_none_or(|limit| f64::from(distance) < limit)
    }

    pub(super) fn check(&self) -> Result<()> {
        self.metric.check()?;
        self.check_numbers()
    }

    /// Checks all but the metric.
    pub(super) fn check_numbers(&self) -> Result<()> {
        let positive = |name, value: f64| {
            if value > 0.0 && value < 1e6 {
                Ok(())
            } else {
                Err(Error::setting(name, value, "must be above 0 and below 1e6"))
            }
        };
        if self.n_neighbors < 2 {
            return Err(Error::setting("n_neighbors", self.n_neighbors, "must be at least 2"));
        }
        if !(1..=forces::MOST).contains(&self.n_components) {
            return Err(Error::setting("n_components", self.n_components, "must be between 1 and 64"));
        }
        positive("spread", self.spread)?;
        positive("learning_rate", self.learning_rate)?;
        if !(self.min_dist >= 0.0 && self.min_dist <= self.spread) {
            return Err(Error::setting("min_dist", self.min_dist, "must be between 0 and spread"));
        }
        if self.n_epochs.is_some_and(|n| n == 0 || n > 1_000_000) {
            return Err(Error::setting("n_epochs", self.n_epochs.unwrap_or(0), "must be between 1 and 1,000,000"));
        }
        if !(0.0..1e6).contains(&self.repulsion_strength) {
            return Err(Error::setting("repulsion_strength", self.repulsion_strength, "must be at least 0, below 1e6"));
        }
        if self.negative_sample_rate > 1000 {
            return Err(Error::setting("negative_sample_rate", self.negative_sample_rate, "must be at most 1,000"));
        }
        if !(0.0..=1.0).contains(&self.set_op_mix_ratio) {
            return Err(Error::setting("set_op_mix_ratio", self.set_op_mix_ratio, "must be between 0 and 1"));
        }
        if !(0.0..1e6).contains(&self.local_connectivity) {
            return Err(Error::setting("local_connectivity", self.local_connectivity, "must be at least 0, below 1e6"));
        }
        if let Some(distance) = self.disconnection_distance.filter(|d| !(d.is_finite() && *d > 0.0)) {
            return Err(Error::setting("disconnection_distance", distance, "must be a finite number above 0"));
        }
        if let Some(densmap) = &self.densmap {
            densmap.check()?;
        }
        Ok(())
    }

    pub(super) fn forces(&self, curve: (f64, f64)) -> forces::Forces {
        forces::Forces {
            a: curve.0 as f32,
            b: curve.1 as f32,
            repulsion: self.repulsion_strength as f32,
            negatives: self.negative_sample_rate as u32,
        }
    }
}
