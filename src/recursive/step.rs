//! One step of the recursion: embed some rows, cluster their embedding, and hold both to their contracts.

use crate::core::{plugin, with_mean_one};
use crate::{Clusterer, Clustering, Embedded, Embedder, Error, Prepared, Result, Run};
use ndarray::{Array2, ArrayRef2};

/// What [`step`] gives.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// The embedding, rows x components, with what the embedder gave beside it.
    pub embedded: Embedded,
    /// The clusters found in it.
    pub clustering: Clustering,
}

/// Embeds `rows` (n x columns) and clusters the embedding: what a [`RecursiveTree`](super::RecursiveTree) does at each of
/// its nodes, on whatever rows one likes, such as half of a node's or a table without structure.
///
/// A tree's node is given its rows in [canonical order](crate::canonical_order), under `run.at("0.2")` for the node `0.2`.
///
/// ```
/// use ndarray::Array2;
/// use recluster::{Run, cluster::KMeans, embed::Pca, recursive::step};
/// let rows = Array2::from_shape_fn((40, 3), |(i, j)| ((i % 2) * 10) as f32 + ((i * 7 + j * 3) % 11) as f32 * 0.1);
/// let half = step(&Pca::new(2), &KMeans::new(2), &rows.slice(ndarray::s![..20, ..]), &Run::new())?;
/// assert_eq!(half.embedded.embedding.dim(), (20, 2));
/// assert_eq!(half.clustering.clusters(), 2);
/// # Ok::<(), recluster::Error>(())
/// ```
///
/// # Errors
/// Those of the embedder and the clusterer; [`Error::Contract`] when one of them returns what it must not.
pub fn step(
    embedder: &(impl Embedder + ?Sized),
    clusterer: &(impl Clusterer + ?Sized),
    rows: &ArrayRef2<f32>,
    run: &Run,
) -> Result<Step> {
    let embedded = embed(&embedder, rows.nrows(), run, || embedder.embed_in_full(rows, run))?;
    let clustering = cluster(&clusterer, &embedded.embedding, None, run)?;
    Ok(Step { embedded, clustering })
}

/// What a node does with its rows or some of them: its embedder, made ready for all of them, and its clusterer.
#[derive(Clone, Copy)]
pub(super) struct Procedure<'a> {
    pub(super) embedder: &'a dyn Embedder,
    pub(super) prepared: &'a dyn Prepared,
    pub(super) clusterer: &'a dyn Clusterer,
    /// Number of the node's rows.
    pub(super) rows: usize,
    /// Of all rows of the node, with a mean of 1.
    pub(super) weights: Option<&'a [f64]>,
}

impl Procedure<'_> {
    /// One step on a part of the node's rows; settings that count rows are scaled to it, and so are weights.
    pub(super) fn once(&self, part: &[u32], run: &Run) -> Result<Step> {
        let rows = self.rows;
        let whole = part.len() == rows;
        let smaller = if whole { None } else { self.clusterer.for_sample(part.len() as f64 / rows.max(1) as f64) };
        let clusterer = smaller.as_deref().unwrap_or(self.clusterer);
        let work = || self.prepared.embed((!whole).then_some(part), run);
        let embedded = embed(self.embedder, part.len(), run, work).map_err(|error| match error {
            // The row of a broken embedding is counted within the part; other errors name the node's.
            Error::Contract { .. } => error.of_part(part),
            other => other,
        })?;
        let weights = self.weights.map(|all| with_mean_one(part.iter().map(|&row| all[row as usize]).collect()));
        let clustering =
            cluster(clusterer, &embedded.embedding, weights.as_deref(), run).map_err(|error| error.of_part(part))?;
        Ok(Step { embedded, clustering })
    }
}

/// What `work` makes of `rows` rows, which must be an embedding and perhaps a map of them.
pub(super) fn embed(
    embedder: &dyn Embedder,
    rows: usize,
    run: &Run,
    work: impl FnOnce() -> Result<Embedded>,
) -> Result<Embedded> {
    let embedded = {
        let _stage = run.stage("embed", 1);
        plugin::call("embedder", || embedder.name(), work)?
    };
    check_embedding(&embedded.embedding, embedder, rows)?;
    embedded.map.as_ref().map_or(Ok(()), |map| check_embedding(map, embedder, rows))?;
    Ok(embedded)
}

/// The clusters of an embedding, whose rows may have weights.
pub(super) fn cluster(
    clusterer: &dyn Clusterer,
    embedding: &ArrayRef2<f32>,
    weights: Option<&[f64]>,
    run: &Run,
) -> Result<Clustering> {
    let clustering = {
        let _stage = run.stage("cluster", 1);
        plugin::call(
            "clusterer",
            || clusterer.name(),
            || match weights {
                Some(weights) => clusterer.cluster_weighted(embedding, weights, run),
                None => clusterer.cluster(embedding, run),
            },
        )?
    };
    let (rows, found) = (embedding.nrows(), clustering.labels().len());
    if found == rows {
        return Ok(clustering);
    }
    let reason = format!("{rows} rows went in, {found} labels came out");
    Err(Error::Contract { room: "clusterer", name: clusterer.name(), reason, row: None })
}

fn check_embedding(embedding: &Array2<f32>, embedder: &dyn Embedder, rows: usize) -> Result<()> {
    let broken = |reason, row| Err(Error::Contract { room: "embedder", name: embedder.name(), reason, row });
    let (found, columns) = embedding.dim();
    if found != rows || columns == 0 {
        return broken(format!("{rows} rows went in, {found} rows x {columns} columns came out"), None);
    }
    match embedding.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some(((row, column), value)) => broken(format!("a value in column {column} is {value}"), Some(row)),
        None => Ok(()),
    }
}
