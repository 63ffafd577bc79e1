//! The three traits that algorithms plug in through, and what passes between them.

use super::{Error, Result, Run};
use ndarray::{Array1, Array2, Array3, ArrayRef2};

/// Reduces many columns to a few, keeping what is near near.
///
/// One method to implement. It must be a function of the rows, the settings in `self` and [`Run::key`] alone: the
/// same at any number of threads and, as far as the method allows, in any row order.
///
/// # Example: an embedder of one's own
/// ```
/// use ndarray::{Array2, ArrayRef2, Axis, s};
/// use recluster::{Embedder, Result, Run};
///
/// /// Keeps the first two columns.
/// struct FirstTwo;
///
/// impl Embedder for FirstTwo {
///     fn embed(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Array2<f32>> {
///         Ok(rows.slice(s![.., ..rows.ncols().min(2)]).to_owned())
///     }
/// }
///
/// let rows = Array2::<f32>::zeros((10, 5));
/// assert_eq!(FirstTwo.embed(&rows, &Run::new())?.dim(), (10, 2));
/// # Ok::<(), recluster::Error>(())
/// ```
pub trait Embedder: Send + Sync {
    /// Embeds `rows` (n x columns) into n x components, row i of the result belonging to row i of the input.
    ///
    /// # Errors
    /// Whatever makes an embedding impossible; a plug-in's own error goes into [`Error::Plugin`].
    fn embed(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>>;

    /// The embedding with what a tree and its report keep beside it; default: the embedding alone.
    ///
    /// # Errors
    /// Those of [`Embedder::embed`].
    fn embed_in_full(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Embedded> {
        Ok(Embedded { embedding: self.embed(rows, run)?, map: None, notes: Vec::new() })
    }

    /// A short name for reports.
    fn name(&self) -> String {
        short_type_name::<Self>()
    }
}

/// What [`Embedder::embed_in_full`] gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedded {
    /// The embedding to cluster, rows x components.
    pub embedding: Array2<f32>,
    /// A map for people to look at, rows x 2, where the embedding has more columns and the method can draw it better than
    /// by its first two.
    pub map: Option<Array2<f32>>,
    /// What a reader should know of it, a sentence each: what was approximated, and how well.
    pub notes: Vec<String>,
}

/// Groups rows; may leave some out as noise.
///
/// One method to implement, under the same rule as [`Embedder`].
///
/// # Example: a clusterer of one's own
/// ```
/// use ndarray::{ArrayRef2, array};
/// use recluster::{Clusterer, Clustering, Result, Run};
///
/// /// Splits at zero in the first column.
/// struct Sign;
///
/// impl Clusterer for Sign {
///     fn cluster(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Clustering> {
///         Clustering::compact(rows.column(0).iter().map(|&x| i32::from(x > 0.0)).collect())
///     }
/// }
///
/// let clusters = Sign.cluster(&array![[-1.0f32], [2.0], [3.0]], &Run::new())?;
/// assert_eq!(clusters.labels(), [0, 1, 1]);
/// # Ok::<(), recluster::Error>(())
/// ```
pub trait Clusterer: Send + Sync {
    /// Clusters `rows` (n x columns).
    ///
    /// # Errors
    /// Whatever makes a clustering impossible; a plug-in's own error goes into [`Error::Plugin`].
    fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering>;

    /// A short name for reports.
    fn name(&self) -> String {
        short_type_name::<Self>()
    }
}

/// Says how much each feature of each row pushed each output of a model.
///
/// One method to implement. Values must add up: over the features of a row, plus the base value, they give the
/// model's output for that row.
///
/// # Example: an explainer of one's own
/// ```
/// use ndarray::{Array1, Array3, ArrayRef2, array};
/// use recluster::{Explainer, Explanation, Result, Run};
///
/// /// Explains the linear model 2 a - b against the row of zeros.
/// struct Linear;
///
/// impl Explainer for Linear {
///     fn explain(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Explanation> {
///         let weights = [2.0, -1.0];
///         let values = Array3::from_shape_fn((rows.nrows(), 2, 1), |(i, j, _)| weights[j] * f64::from(rows[[i, j]]));
///         Explanation::new(values, Array1::zeros(1))
///     }
/// }
///
/// let why = Linear.explain(&array![[3.0f32, 1.0]], &Run::new())?;
/// assert_eq!(why.values()[[0, 0, 0]], 6.0);
/// # Ok::<(), recluster::Error>(())
/// ```
pub trait Explainer: Send + Sync {
    /// Explains the model's outputs for `rows` (n x features).
    ///
    /// # Errors
    /// Whatever makes an explanation impossible; a plug-in's own error goes into [`Error::Plugin`].
    fn explain(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Explanation>;

    /// A short name for reports.
    fn name(&self) -> String {
        short_type_name::<Self>()
    }
}

fn short_type_name<T: ?Sized>() -> String {
    let full = std::any::type_name::<T>();
    full.split('<').next().unwrap_or(full).rsplit("::").next().unwrap_or(full).to_string()
}

// Boxes and references plug in like what they hold.
macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<T: Embedder + ?Sized> Embedder for $pointer {
            fn embed(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
                (**self).embed(rows, run)
            }
            fn embed_in_full(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Embedded> {
                (**self).embed_in_full(rows, run)
            }
            fn name(&self) -> String {
                (**self).name()
            }
        }
        impl<T: Clusterer + ?Sized> Clusterer for $pointer {
            fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering> {
                (**self).cluster(rows, run)
            }
            fn name(&self) -> String {
                (**self).name()
            }
        }
        impl<T: Explainer + ?Sized> Explainer for $pointer {
            fn explain(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Explanation> {
                (**self).explain(rows, run)
            }
            fn name(&self) -> String {
                (**self).name()
            }
        }
    )*};
}
forward!(Box<T>, &T, std::sync::Arc<T>);

/// The label of a row that belongs to no cluster.
pub const NOISE: i32 = -1;

/// What a [`Clusterer`] found.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Clustering {
    /// One for each row: 0..clusters, or [`NOISE`]. Every cluster has a row.
    labels: Vec<i32>,
    clusters: usize,
    /// One for each row, in 0 to 1; 0 for noise.
    membership: Vec<f32>,
    /// One for each cluster, in 0 to 1, where the method knows it.
    persistence: Option<Vec<f64>>,
}

impl Clustering {
    /// Takes labels as they are.
    ///
    /// # Errors
    /// [`Error::Label`] when a label is below -1, or when a number between 0 and the largest label is missing.
    pub fn new(labels: Vec<i32>) -> Result<Self> {
        let clusters = labels.iter().copied().max().unwrap_or(NOISE).max(NOISE) as i64 + 1;
        if clusters as usize > labels.len() {
            let row = labels.iter().position(|&l| i64::from(l) + 1 == clusters).unwrap_or(0);
            return Err(Error::Label {
                row,
                label: clusters - 1,
                reason: "labels must be numbered from 0 without gaps",
            });
        }
        let mut seen = vec![false; clusters as usize];
        for (row, &label) in labels.iter().enumerate() {
            match label {
                NOISE => {}
                l if l >= 0 => seen[l as usize] = true,
                l => {
                    return Err(Error::Label {
                        row,
                        label: l.into(),
                        reason: "must be -1 (noise) or a cluster's number",
                    });
                }
            }
        }
        if let Some(gap) = seen.iter().position(|&s| !s) {
            let row = labels.iter().position(|&l| l as i64 > gap as i64).unwrap_or(0);
            let label = labels[row].into();
            return Err(Error::Label { row, label, reason: "labels must be numbered from 0 without gaps" });
        }
        let membership = labels.iter().map(|&l| if l == NOISE { 0.0 } else { 1.0 }).collect();
        Ok(Clustering { labels, clusters: clusters as usize, membership, persistence: None })
    }

    /// Takes labels with gaps and closes these, keeping the order of the numbers.
    ///
    /// # Errors
    /// [`Error::Label`] when a label is below -1.
    pub fn compact(mut labels: Vec<i32>) -> Result<Self> {
        let mut used: Vec<i32> = labels.iter().copied().filter(|&l| l >= 0).collect();
        used.sort_unstable();
        used.dedup();
        for label in labels.iter_mut().filter(|l| **l >= 0) {
            *label = used.binary_search(label).map_or(NOISE, |place| place as i32);
        }
        Self::new(labels)
    }

    /// Adds each row's strength of membership, in 0 to 1.
    ///
    /// # Errors
    /// [`Error::Shape`] when there is not one for each row; [`Error::Setting`] when one is outside 0 to 1.
    pub fn with_membership(mut self, membership: Vec<f32>) -> Result<Self> {
        let (expected, found) = (self.labels.len(), membership.len());
        if expected != found {
            return Err(Error::Shape { what: "memberships, one for each row", expected, found });
        }
        if let Some(bad) = membership.iter().find(|m| !(0.0..=1.0).contains(*m)) {
            return Err(Error::setting("membership", bad, "must be between 0 and 1"));
        }
        self.membership = membership;
        Ok(self)
    }

    /// Adds each cluster's persistence, in 0 to 1: for how much of the density range it exists.
    ///
    /// # Errors
    /// [`Error::Shape`] when there is not one for each cluster, [`Error::Setting`] when one is not in 0 to 1.
    pub fn with_persistence(mut self, persistence: Vec<f64>) -> Result<Self> {
        let (expected, found) = (self.clusters, persistence.len());
        if expected != found {
            return Err(Error::Shape { what: "persistences, one for each cluster", expected, found });
        }
        if let Some(bad) = persistence.iter().find(|p| !(0.0..=1.0).contains(*p)) {
            return Err(Error::setting("persistence", bad, "must be between 0 and 1"));
        }
        self.persistence = Some(persistence);
        Ok(self)
    }

    /// The label of each row: a cluster's number, or [`NOISE`].
    pub fn labels(&self) -> &[i32] {
        &self.labels
    }

    /// The number of clusters.
    pub fn clusters(&self) -> usize {
        self.clusters
    }

    /// Each row's strength of membership in its cluster, in 0 to 1; 0 for noise.
    pub fn membership(&self) -> &[f32] {
        &self.membership
    }

    /// Each cluster's persistence, where the method knows it.
    pub fn persistence(&self) -> Option<&[f64]> {
        self.persistence.as_deref()
    }
}

/// What an [`Explainer`] says: an attribution for each row, feature and output, the base values apart.
///
/// Always of the shape (row, feature, output), whatever the model.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Explanation {
    values: Array3<f64>,
    base: Array1<f64>,
}

impl Explanation {
    /// Puts attributions (row, feature, output) and base values (output) together.
    ///
    /// # Errors
    /// [`Error::Shape`] when the outputs do not agree.
    pub fn new(values: Array3<f64>, base: Array1<f64>) -> Result<Self> {
        let (expected, found) = (values.dim().2, base.len());
        if expected != found {
            return Err(Error::Shape { what: "base values, one for each output", expected, found });
        }
        Ok(Explanation { values, base })
    }

    /// Attributions, (row, feature, output).
    pub fn values(&self) -> &Array3<f64> {
        &self.values
    }

    /// Base values, one for each output: what the model says of nothing in particular.
    pub fn base(&self) -> &Array1<f64> {
        &self.base
    }

    /// What the attributions add up to, (row, output): the model's outputs.
    pub fn outputs(&self) -> Array2<f64> {
        self.values.sum_axis(ndarray::Axis(1)) + &self.base
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_checked_and_compacted() {
        assert_eq!(Clustering::new(vec![0, -1, 1, 0]).unwrap().clusters(), 2);
        assert!(matches!(Clustering::new(vec![0, -2]), Err(Error::Label { row: 1, label: -2, .. })));
        assert!(Clustering::new(vec![0, 2, 2]).is_err());
        assert!(Clustering::new(vec![i32::MAX]).is_err());
        assert_eq!(Clustering::new(vec![]).unwrap().clusters(), 0);
        assert_eq!(Clustering::compact(vec![7, -1, 3, 7]).unwrap().labels(), [1, -1, 0, 1]);
        assert_eq!(Clustering::new(vec![-1, 0]).unwrap().membership(), [0.0, 1.0]);
    }

    #[test]
    fn traits_are_object_safe_and_models_cross_threads() {
        fn send_sync<T: Send + Sync>() {}
        send_sync::<Box<dyn Embedder>>();
        send_sync::<Box<dyn Clusterer>>();
        send_sync::<Box<dyn Explainer>>();
        send_sync::<Run>();
    }
}
