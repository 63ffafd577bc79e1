//! How much of the table is in clusters, level by level.

use super::{ClusterTree, Node};
use crate::core::percent;

/// How many rows are still in clusters on one level.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Coverage {
    /// The level; that of the root, which holds all rows, is 1.
    pub level: usize,
    /// Rows in a node of this level, or in a leaf above it.
    pub clustered: usize,
    /// Their share of all rows, in 0 to 1.
    pub share: f64,
    /// Rows that are noise of a node above this level: all others.
    pub noise: usize,
    /// The clustered rows' share of the population, in 0 to 1; none where the fit had no weights.
    pub weight: Option<f64>,
}

impl ClusterTree {
    /// The rows in clusters on each level, from the root's down: noise adds up from level to level.
    ///
    /// ```
    /// use ndarray::{Array2, ArrayRef2};
    /// use recluster::{Clusterer, Clustering, NOISE, Result, Run, embed::Identity, recursive::RecursiveTree};
    /// struct ByTen;
    /// impl Clusterer for ByTen {
    ///     fn cluster(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Clustering> {
    ///         Clustering::new(rows.column(0).iter().map(|&x| if x < 10.0 { NOISE } else { (x as i32 % 2).abs() }).collect())
    ///     }
    /// }
    /// let rows = Array2::from_shape_fn((100, 1), |(i, _)| i as f32);
    /// let tree = RecursiveTree::new(Identity, ByTen).levels(1).fit(&rows, &Run::new())?;
    /// let shares: Vec<f64> = tree.coverage().iter().map(|level| level.share).collect();
    /// assert_eq!(shares, [1.0, 0.9]);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    pub fn coverage(&self) -> Vec<Coverage> {
        let n = self.rows();
        let of = |level: usize| {
            let counts = |node: &&Node| node.level() == level || (node.level() < level && node.is_leaf());
            let nodes = || self.nodes.iter().filter(counts);
            let clustered: usize = nodes().map(|node| node.rows.len()).sum();
            // All rows weigh 1, whatever rounding says.
            let weight = self.root().weight.map(|_| nodes().filter_map(|node| node.weight).sum::<f64>().min(1.0));
            Coverage { level, clustered, share: clustered as f64 / n as f64, noise: n - clustered, weight }
        };
        (1..=self.levels() + 1).map(of).collect()
    }

    /// A line on the levels below the root; nothing where there is none.
    pub(super) fn coverage_in_words(&self) -> Option<String> {
        let levels = self.coverage();
        let below: Vec<String> =
            levels.iter().skip(1).map(|at| format!("{} on level {}", percent(at.share), at.level - 1)).collect();
        (!below.is_empty()).then(|| format!("in clusters: {}", below.join(", ")))
    }
}
