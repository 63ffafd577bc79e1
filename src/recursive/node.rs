//! One node of a tree.

use super::{NodeInfo, NoiseSplit, Path, Separation, Stability, StopReason};
use crate::core::shape::check_count;
use crate::{Clustering, Result, Settings};
use ndarray::{Array2, ArrayRef2, Axis};

/// One node: a cluster of the node above it, or the whole table.
///
/// A node is *open* until it has been looked into, then it has children or a reason to be a leaf.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Node {
    pub(super) path: Path,
    /// Given by people; empty without one.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "String::is_empty"))]
    pub(super) name: String,
    /// Original row numbers, ascending.
    pub(super) rows: Vec<u32>,
    pub(super) parent_rows: usize,
    pub(super) total_rows: usize,
    /// Share of the sum of all weights, where the fit had weights.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(super) weight: Option<f64>,
    /// One for each of `rows`: its strength of membership in this node, within the parent.
    pub(super) membership: Vec<f32>,
    pub(super) persistence: Option<f64>,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(super) stability: Option<Stability>,
    /// Whether it was found among the parent's noise.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub(super) in_noise: bool,
    /// Those of the node's own embedder and clusterer; present where it was worked on.
    pub(super) embedder: Option<Settings>,
    pub(super) clusterer: Option<Settings>,
    /// Row i belongs to `rows[i]`; present where the node was embedded.
    pub(super) embedding: Option<Array2<f32>>,
    /// Likewise; present where the embedding has more than two columns and the embedder drew a map beside it.
    pub(super) map: Option<Array2<f32>>,
    pub(super) notes: Vec<String>,
    /// Present where the node was clustered.
    pub(super) split: Option<Split>,
    /// One for each of `rows`: the number of the child it went to, or -1; empty for a leaf.
    pub(super) labels: Vec<i32>,
    /// Number of children.
    pub(super) children: u32,
    /// Present on leaves that are not open.
    pub(super) stop_reason: Option<StopReason>,
}

impl Node {
    /// A node that has not been looked into.
    pub(super) fn open(info: NodeInfo, rows: Vec<u32>, membership: Vec<f32>, persistence: Option<f64>) -> Self {
        Node {
            path: info.path,
            name: String::new(),
            rows,
            parent_rows: info.parent_rows,
            total_rows: info.total_rows,
            weight: None,
            membership,
            persistence,
            stability: None,
            in_noise: false,
            embedder: None,
            clusterer: None,
            embedding: None,
            map: None,
            notes: Vec::new(),
            split: None,
            labels: Vec::new(),
            children: 0,
            stop_reason: None,
        }
    }

    pub(super) fn info(&self) -> NodeInfo {
        NodeInfo {
            path: self.path.clone(),
            rows: self.rows.len(),
            parent_rows: self.parent_rows,
            total_rows: self.total_rows,
        }
    }

    /// The path: `0` for the root, `0.2` for its child number 2.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name that people gave it by [`ClusterTree::set_name`](super::ClusterTree::set_name); empty without one.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The level; the root is level 1.
    pub fn level(&self) -> usize {
        self.path.level()
    }

    /// Number of children; 0 for a leaf. [`ClusterTree::children`](super::ClusterTree::children) gives them.
    pub fn children(&self) -> usize {
        self.children as usize
    }

    /// Original numbers of the node's rows, ascending; the parent's noise is not among them.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Its rows of a table that has all of them, such as the one that the tree was fitted to, in the order of
    /// [`rows`](Node::rows).
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) when the table has other rows than the tree.
    pub fn select(&self, data: &ArrayRef2<f32>) -> Result<Array2<f32>> {
        check_count("rows of the data", self.total_rows, data.nrows())?;
        let rows: Vec<usize> = self.rows.iter().map(|&row| row as usize).collect();
        Ok(data.select(Axis(0), &rows))
    }

    /// The node's share of all rows, in 0 to 1.
    pub fn share(&self) -> f64 {
        self.rows.len() as f64 / self.total_rows as f64
    }

    /// The node's share of the population, in 0 to 1: of the sum of all rows' weights, that of its own; none where the
    /// fit had no weights.
    pub fn weight(&self) -> Option<f64> {
        self.weight
    }

    /// The node's share of its parent's rows, in 0 to 1.
    pub fn share_of_parent(&self) -> f64 {
        self.rows.len() as f64 / self.parent_rows as f64
    }

    /// For each of [`rows`](Node::rows) its strength of membership in this cluster, in 0 to 1, as the clusterer gave
    /// it; 1 at the root.
    pub fn membership(&self) -> &[f32] {
        &self.membership
    }

    /// The cluster's persistence, in 0 to 1, where the clusterer knows it; none for clusters that were joined.
    pub fn persistence(&self) -> Option<f64> {
        self.persistence
    }

    /// How well the cluster was found again when its parent's step was repeated; present where it was, by
    /// [`RecursiveTree::stability`](super::RecursiveTree::stability) or [`consensus`](super::RecursiveTree::consensus).
    pub fn stability(&self) -> Option<&Stability> {
        self.stability.as_ref()
    }

    /// Whether the cluster was found among the rows that the parent's own clusters left out: see
    /// [`RecursiveTree::noise_again`](super::RecursiveTree::noise_again).
    pub fn found_in_noise(&self) -> bool {
        self.in_noise
    }

    /// Name and settings of the embedder; present where the node was worked on.
    pub fn embedder(&self) -> Option<&Settings> {
        self.embedder.as_ref()
    }

    /// Name and settings of the clusterer; present where the node was worked on.
    pub fn clusterer(&self) -> Option<&Settings> {
        self.clusterer.as_ref()
    }

    /// The node's own embedding (rows x components), row i belonging to `rows()[i]`; present where the node was
    /// worked on, which a leaf may have been too.
    pub fn embedding(&self) -> Option<&Array2<f32>> {
        self.embedding.as_ref()
    }

    /// What to look at: the embedding itself, or the map of two columns that the embedder drew beside a wider one.
    pub fn map(&self) -> Option<&Array2<f32>> {
        self.map.as_ref().or(self.embedding.as_ref())
    }

    /// What the embedder has to say of the embedding, a sentence each: what was approximated, and how well.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What the clusterer proposed here and what became of it; present where the node was clustered, which a leaf may
    /// have been too.
    pub fn split(&self) -> Option<&Split> {
        self.split.as_ref()
    }

    /// For each of [`rows`](Node::rows) the number of the child that it went to, or -1 for noise; empty for a leaf.
    pub fn labels(&self) -> &[i32] {
        &self.labels
    }

    /// Rows of this node that went to none of its children; 0 for a leaf.
    pub fn noise(&self) -> usize {
        self.labels.iter().filter(|&&l| l < 0).count()
    }

    /// Why the node was not zoomed into; none when it has children or is open.
    pub fn stop_reason(&self) -> Option<&StopReason> {
        self.stop_reason.as_ref()
    }

    /// Whether the node has no children.
    pub fn is_leaf(&self) -> bool {
        self.children == 0
    }

    /// Whether the node has not been looked into, as in the checkpoint of a fit that was interrupted.
    pub fn is_open(&self) -> bool {
        self.is_leaf() && self.stop_reason.is_none()
    }
}

/// The record of a node's split: what the clusterer proposed, what was kept, and why.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Split {
    /// The clusterer of a second look, where the clusters are its.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(super) second_look: Option<Settings>,
    /// For each cluster proposed the child it went to.
    pub(super) children: Vec<Option<u32>>,
    /// Runs that the proposal is the consensus of.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(super) runs: Option<usize>,
    pub(super) judge: Option<String>,
    pub(super) reason: String,
    pub(super) separations: Vec<Separation>,
    /// Rows that went to another child than their cluster.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_none"))]
    pub(super) moved: usize,
    /// The proposal, where the children do not say it all.
    pub(super) clustering: Option<Clustering>,
    /// Present where the noise was looked into again.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(super) noise: Option<NoiseSplit>,
}

#[cfg(feature = "serde")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

impl Split {
    /// Clusters that were proposed.
    pub fn proposed(&self) -> usize {
        self.children.len()
    }

    /// The number of the child that a proposed cluster went to; none where it went to no child.
    pub fn child_of(&self, cluster: usize) -> Option<usize> {
        self.children.get(cluster).copied().flatten().map(|child| child as usize)
    }

    /// Name and settings of the clusterer of a [second look](super::RecursiveTree::second_look), where the clusters proposed are
    /// its; none for the node's own clusterer.
    pub fn second_look(&self) -> Option<&Settings> {
        self.second_look.as_ref()
    }

    /// Runs that the clusters proposed are the [consensus](super::RecursiveTree::consensus) of; none for a single run.
    pub fn runs(&self) -> Option<usize> {
        self.runs
    }

    /// Name of the [`Judge`](super::Judge) that decided; none without one, and for fewer than two clusters.
    pub fn judge(&self) -> Option<&str> {
        self.judge.as_deref()
    }

    /// Why it was decided so, in the judge's words, or that the clusters are [not stable](super::RecursiveTree::min_stability);
    /// else empty.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// What the judge's decision rests on: first the pairs that it joined, in that order, then for each child the pair in
    /// which it is least separated. Empty without a judge, or where it gave none.
    pub fn separations(&self) -> &[Separation] {
        &self.separations
    }

    /// Rows that the judge put into another child than [`child_of`](Split::child_of) says of their cluster; usually 0, see
    /// [`Verdict::with_moves`](super::Verdict::with_moves).
    pub fn moved(&self) -> usize {
        self.moved
    }

    /// The clustering that was proposed, row i being `rows()[i]` of the node, unless every cluster became a child of its
    /// own with the very same rows: then the node's labels and the children hold it.
    pub fn clustering(&self) -> Option<&Clustering> {
        self.clustering.as_ref()
    }

    /// What became of the rows that these clusters left out, where they were clustered again.
    pub fn noise(&self) -> Option<&NoiseSplit> {
        self.noise.as_ref()
    }
}
