//! The three traits that algorithms plug in through.

use super::{Clustering, Embedded, Error, Explanation, Prepared, Result, Run, Settings, SparseRows, prepared::Anew};
use ndarray::{Array2, ArrayRef2};
use std::borrow::Cow;

/// Reduces many columns to a few, keeping what is near near.
///
/// One method to implement. It must be a function of the rows, the settings in `self` and [`Run::key`] alone: the
/// same at any number of threads and, as far as the method allows, in any row order.
///
/// # Example: an embedder of one's own
/// ```
/// use ndarray::{Array2, ArrayRef2, Axis, s};
/// use recluster::{Embedder, Result, Run, check_finite};
///
/// /// Keeps the first two columns.
/// struct FirstTwo;
///
/// impl Embedder for FirstTwo {
///     fn embed(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
///         check_finite(rows)?;
///         run.stage("first two", 1).check()?; // ends here when the run has been cancelled
///         Ok(rows.slice(s![.., ..rows.ncols().min(2)]).to_owned())
///     }
/// }
///
/// let rows = Array2::<f32>::zeros((10, 5));
/// assert_eq!(FirstTwo.embed(&rows, &Run::new())?.dim(), (10, 2));
/// # #[cfg(feature = "testing")]
/// recluster::testing::embedder(&FirstTwo).run().assert(); // feature `testing`: it keeps the promises
/// # Ok::<(), recluster::Error>(())
/// ```
pub trait Embedder: Send + Sync {
    /// Embeds `rows` (n x columns) into n x components, row i of the result belonging to row i of the input.
    ///
    /// # Errors
    /// Whatever makes an embedding impossible; a plug-in's own error goes into [`Error::Plugin`](crate::Error::Plugin).
    fn embed(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>>;

    /// The embedding with what a tree and its report keep beside it; default: the embedding alone.
    ///
    /// # Errors
    /// Those of [`Embedder::embed`].
    fn embed_in_full(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Embedded> {
        Ok(Embedded { embedding: self.embed(rows, run)?, map: None, notes: Vec::new() })
    }

    /// Gets ready to embed `rows` (n x columns), or parts of them, any number of times: work that the embeddings have in
    /// common is done once; default: nothing, each embedding is made anew.
    ///
    /// [`Prepared::embed`] of all rows under the same run must give what [`Embedder::embed_in_full`] gives. Rows may be
    /// handed over or lent.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recluster::{Embedder, Run, embed::Umap};
    /// use std::borrow::Cow;
    /// let rows = Array2::from_shape_fn((60, 4), |(i, j)| ((i % 3) * 10) as f32 + ((i * 7 + j * 3) % 11) as f32 * 0.1);
    /// let umap = Umap::new().n_epochs(50);
    /// let run = Run::new();
    /// // Neighbours are searched once.
    /// let prepared = umap.prepare(Cow::Borrowed(&rows), &run)?;
    /// let seeds = [0, 1].map(|seed| prepared.embed(None, &run.clone().seed(seed)));
    /// let half: Vec<u32> = (0..30).collect();
    /// assert_eq!(prepared.embed(Some(&half), &run)?.embedding.dim(), (30, 2));
    /// # let _ = seeds;
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Embedder::embed`], here or when an embedding is asked for.
    fn prepare<'a>(&'a self, rows: Cow<'a, ArrayRef2<f32>>, run: &Run) -> Result<Box<dyn Prepared + 'a>> {
        let _ = run;
        Ok(Box::new(Anew { embedder: self, rows }))
    }

    /// The same for sparse rows (n x columns), for an embedder that reads their entries; default: an error, since rows must
    /// not be made dense behind a user's back.
    ///
    /// What [`Prepared::rows`] gives of them is dense and has few columns. What is embedded should be what
    /// [`Embedder::prepare`] makes of the dense table, up to rounding.
    ///
    /// ```
    /// use recluster::{Embedder, Run, SparseRows, embed::{Identity, RandomProjection}};
    /// use std::borrow::Cow;
    /// let rows = SparseRows::new((3, 1000), vec![0, 2, 2, 3], vec![4, 999, 0], vec![1.0, 2.0, 5.0])?;
    /// let projection = RandomProjection::new(10);
    /// let prepared = projection.prepare_sparse(Cow::Borrowed(&rows), &Run::new())?;
    /// assert_eq!(prepared.embed(None, &Run::new())?.embedding.dim(), (3, 10));
    /// assert!(Identity.prepare_sparse(Cow::Borrowed(&rows), &Run::new()).is_err());
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] where the embedder takes no sparse rows; those of [`Embedder::embed`].
    fn prepare_sparse<'a>(&'a self, rows: Cow<'a, SparseRows>, run: &Run) -> Result<Box<dyn Prepared + 'a>> {
        let _ = (rows, run);
        let allowed =
            "takes no sparse rows: make them dense (SparseRows::to_dense), or take umap, pca or random projection";
        Err(Error::setting("embedder", self.name(), allowed))
    }

    /// Whether rows may have NaN for missing values; default: no, they are an error.
    fn takes_missing(&self) -> bool {
        false
    }

    /// A short name for reports; default: the type's.
    fn name(&self) -> String {
        short_type_name::<Self>()
    }

    /// Its name and settings as plain data; default: the name alone.
    fn settings(&self) -> Settings {
        Settings::new(self.name())
    }
}

/// Groups rows; may leave some out as noise.
///
/// One method to implement, under the same rule as [`Embedder`].
///
/// # Example: a clusterer of one's own
/// ```
/// use ndarray::{ArrayRef2, array};
/// use recluster::{Clusterer, Clustering, Result, Run, check_finite};
///
/// /// Splits at zero in the first column.
/// struct Sign;
///
/// impl Clusterer for Sign {
///     fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering> {
///         check_finite(rows)?;
///         run.stage("sign", 1).check()?; // ends here when the run has been cancelled
///         Clustering::compact(rows.column(0).iter().map(|&x| i32::from(x > 0.0)).collect())
///     }
/// }
///
/// let clusters = Sign.cluster(&array![[-1.0f32], [2.0], [3.0]], &Run::new())?;
/// assert_eq!(clusters.labels(), [0, 1, 1]);
/// # #[cfg(feature = "testing")]
/// recluster::testing::clusterer(&Sign).run().assert(); // feature `testing`: it keeps the promises
/// # Ok::<(), recluster::Error>(())
/// ```
pub trait Clusterer: Send + Sync {
    /// Clusters `rows` (n x columns).
    ///
    /// # Errors
    /// Whatever makes a clustering impossible; a plug-in's own error goes into [`Error::Plugin`](crate::Error::Plugin).
    fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering>;

    /// Clusters rows of which row i stands for `weights[i]` equal rows, not whole if need be; default: an error, since
    /// weights must not be ignored.
    ///
    /// Settings that count rows then count weight. A [`RecursiveTree`](crate::recursive::RecursiveTree) hands over weights
    /// with a mean of 1.
    ///
    /// # Errors
    /// [`Error::Setting`] where the clusterer has no place for weights or a weight is out of range; [`Error::Shape`] unless
    /// there is one for each row; those of [`Clusterer::cluster`].
    fn cluster_weighted(&self, rows: &ArrayRef2<f32>, weights: &[f64], run: &Run) -> Result<Clustering> {
        let _ = (rows, weights, run);
        Err(Error::setting("weights", format!("given to {}", self.name()), "this clusterer has no place for them"))
    }

    /// The clusterer for a sample of the rows, `share` of them (in 0 to 1), where its settings count rows: with half of
    /// the rows, a smallest cluster of 500 rows is one of 250. None, the default, where it can stay as it is.
    fn for_sample(&self, share: f64) -> Option<Box<dyn Clusterer>> {
        let _ = share;
        None
    }

    /// A short name for reports; default: the type's.
    fn name(&self) -> String {
        short_type_name::<Self>()
    }

    /// Its name and settings as plain data; default: the name alone.
    fn settings(&self) -> Settings {
        Settings::new(self.name())
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
    /// Whatever makes an explanation impossible; a plug-in's own error goes into [`Error::Plugin`](crate::Error::Plugin).
    fn explain(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Explanation>;

    /// Explains `block_rows` rows at a time, so that the attributions of all rows need not fit into memory. `take` is lent
    /// a block's explanation, with the number of the block's first row, in order; its error ends the work. Default: a call of
    /// [`explain`](Explainer::explain) for each block.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) when `block_rows` is 0; what `take` returns; those of
    /// [`explain`](Explainer::explain), in which rows are counted from the block's first.
    fn explain_in_blocks(
        &self,
        rows: &ArrayRef2<f32>,
        block_rows: usize,
        run: &Run,
        take: &mut dyn FnMut(usize, &Explanation) -> Result<()>,
    ) -> Result<()> {
        if block_rows == 0 {
            return Err(Error::setting("block_rows", block_rows, "must be at least 1"));
        }
        let mut first = 0usize;
        // A table without rows is a block, for the explainer to refuse.
        loop {
            let end = first.saturating_add(block_rows).min(rows.nrows());
            take(first, &self.explain(&rows.slice(ndarray::s![first..end, ..]), run)?)?;
            first = end;
            if first >= rows.nrows() {
                return Ok(());
            }
        }
    }

    /// A short name for reports; default: the type's.
    fn name(&self) -> String {
        short_type_name::<Self>()
    }
}

/// The last part of a type's path, without parameters.
pub(crate) fn short_type_name<T: ?Sized>() -> String {
    let full = std::any::type_name::<T>();
    full.split('<').next().unwrap_or(full).rsplit("::").next().unwrap_or(full).to_string()
}

// Boxes and references plug in like what they hold: every method is forwarded (tests/promises/forwarding.rs).
macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<T: Embedder + ?Sized> Embedder for $pointer {
            fn embed(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
                (**self).embed(rows, run)
            }
            fn embed_in_full(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Embedded> {
                (**self).embed_in_full(rows, run)
            }
            fn prepare<'a>(&'a self, rows: Cow<'a, ArrayRef2<f32>>, run: &Run) -> Result<Box<dyn Prepared + 'a>> {
                (**self).prepare(rows, run)
            }
            fn prepare_sparse<'a>(&'a self, rows: Cow<'a, SparseRows>, run: &Run) -> Result<Box<dyn Prepared + 'a>> {
                (**self).prepare_sparse(rows, run)
            }
            fn takes_missing(&self) -> bool {
                (**self).takes_missing()
            }
            fn name(&self) -> String {
                (**self).name()
            }
            fn settings(&self) -> Settings {
                (**self).settings()
            }
        }
        impl<T: Clusterer + ?Sized> Clusterer for $pointer {
            fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering> {
                (**self).cluster(rows, run)
            }
            fn cluster_weighted(&self, rows: &ArrayRef2<f32>, weights: &[f64], run: &Run) -> Result<Clustering> {
                (**self).cluster_weighted(rows, weights, run)
            }
            fn for_sample(&self, share: f64) -> Option<Box<dyn Clusterer>> {
                (**self).for_sample(share)
            }
            fn name(&self) -> String {
                (**self).name()
            }
            fn settings(&self) -> Settings {
                (**self).settings()
            }
        }
        impl<T: Explainer + ?Sized> Explainer for $pointer {
            fn explain(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Explanation> {
                (**self).explain(rows, run)
            }
            fn explain_in_blocks(
                &self,
                rows: &ArrayRef2<f32>,
                block_rows: usize,
                run: &Run,
                take: &mut dyn FnMut(usize, &Explanation) -> Result<()>,
            ) -> Result<()> {
                (**self).explain_in_blocks(rows, block_rows, run, take)
            }
            fn name(&self) -> String {
                (**self).name()
            }
        }
    )*};
}
forward!(Box<T>, &T, std::sync::Arc<T>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traits_are_object_safe_and_models_cross_threads() {
        fn send_sync<T: Send + Sync>() {}
        send_sync::<Box<dyn Embedder>>();
        send_sync::<Box<dyn Clusterer>>();
        send_sync::<Box<dyn Explainer>>();
        send_sync::<Run>();
    }
}
