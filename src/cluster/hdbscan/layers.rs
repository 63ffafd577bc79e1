//! At which sizes the data split: the leaves of the condensed tree for every `min_cluster_size` at once.
//!
//! Bot, McInnes, Aerts, "Persistent Multiscale Density-based Clustering" (PLSCAN, arXiv 2512.16558, 2025): while the
//! smallest size that counts as a cluster grows, leaves of the tree appear (when all splits below them have become too
//! small) and vanish (when they or their siblings have). A leaf's persistence is the range of sizes over which it is a
//! leaf; a size's is the sum over the leaves that there are. Sizes where this sum peaks are where the partition into
//! leaves is the most stable: the layers. EVoC (Tutte Institute, 2025) picks its layers by such peaks too.

use super::condense::CondensedTree;
use super::hierarchy::Hierarchy;
use super::model::HdbscanModel;
use crate::cluster::spanning::ONE;

/// A range of sizes over which the leaves of the condensed tree stay the same.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Layer {
    /// The least `min_cluster_size` of the range; what to recut with.
    pub min_cluster_size: usize,
    /// The last one of the range.
    pub up_to: usize,
    /// Leaves of the tree: clusters of a recut with [`Selection::Leaf`](super::Selection::Leaf).
    pub clusters: usize,
    /// Sum of the leaves' persistences, each the number of sizes over which it is a leaf.
    pub persistence: f64,
    /// Whether the ranges on both sides persist less.
    pub peak: bool,
}

impl HdbscanModel {
    /// All sizes at which the data split in another way, by ascending size; the peaks among them are the layers
    /// that the data suggest. O(n log n), from the fitted tree.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recluster::{Run, cluster::{Hdbscan, Selection}};
    ///
    /// // Nine groups of ten rows, three groups each near each other.
    /// let at = |i: usize, j: usize| [i % 3, i / 3 % 3][j] as f32 * 10.0 + if j == 0 { 100.0 * (i / 3 % 3) as f32 } else { 0.0 };
    /// let rows = Array2::from_shape_fn((90, 2), |(i, j)| at(i, j) + ((i * 7 + j * 13) % 11) as f32 * 0.1);
    /// let model = Hdbscan::new().min_samples(3).fit(&rows, &Run::new())?;
    /// let sizes: Vec<usize> = model.layers().iter().filter(|l| l.peak).map(|l| l.clusters).collect();
    /// assert!(sizes.contains(&9));
    /// # Ok::<(), recluster::Error>(())
    /// ```
    pub fn layers(&self) -> Vec<Layer> {
        let least = 2 * ONE;
        let hierarchy = Hierarchy::new(&self.fitted.spanning, self.fitted.mass(), least);
        let (tree, parts) = CondensedTree::with_parts(&hierarchy, least);
        layers(&tree, &parts)
    }
}

/// `parts` weighs each cluster without what joined it only where it begins: that does not make it large enough.
fn layers(tree: &CondensedTree, parts: &[u64]) -> Vec<Layer> {
    let clusters = &tree.clusters;
    let n = clusters.len();
    let parent = |c: usize| clusters[c].parent.map_or(0, |parent| parent as usize);
    let size = |c: usize| (parts[c] / ONE) as usize;
    // The two heaviest children of each cluster: the second is the size up to which its split counts.
    let mut heaviest = vec![(0usize, 0usize); n];
    for c in 1..n {
        let (first, second) = &mut heaviest[parent(c)];
        if size(c) > *first {
            (*first, *second) = (size(c), *first);
        } else if size(c) > *second {
            *second = size(c);
        }
    }
    // The size up to which anything below splits.
    let mut inner: Vec<usize> = heaviest.iter().map(|&(_, second)| second).collect();
    for c in (1..n).rev() {
        inner[parent(c)] = inner[parent(c)].max(inner[c]);
    }
    // (size, change of leaves, change of persistence)
    let mut events: Vec<(usize, i64, i64)> = Vec::new();
    for c in 1..n {
        let (first, second) = heaviest[parent(c)];
        // Up to which it is one of several parts: its own size and that of the heaviest other part.
        let last = if size(c) == first { second } else { size(c) };
        let from = inner[c].max(1);
        if last > from {
            let persistence = (last - from) as i64;
            events.push((from + 1, 1, persistence));
            events.push((last + 1, -1, -persistence));
        }
    }
    events.sort_unstable();
    let mut layers: Vec<Layer> = Vec::new();
    let (mut leaves, mut total) = (0i64, 0i64);
    for group in events.chunk_by(|a, b| a.0 == b.0) {
        if let Some(last) = layers.last_mut() {
            last.up_to = group[0].0 - 1;
        }
        leaves += group.iter().map(|event| event.1).sum::<i64>();
        total += group.iter().map(|event| event.2).sum::<i64>();
        layers.push(Layer {
            min_cluster_size: group[0].0,
            up_to: group[0].0,
            clusters: leaves as usize,
            persistence: total as f64,
            peak: false,
        });
    }
    // The last event leaves nothing.
    layers.pop();
    for i in 0..layers.len() {
        let before = if i > 0 { layers[i - 1].persistence } else { 0.0 };
        let after = layers.get(i + 1).map_or(0.0, |layer| layer.persistence);
        layers[i].peak = layers[i].persistence > before && layers[i].persistence > after;
    }
    layers
}
