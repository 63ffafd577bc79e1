//! How well models tell the clusters of a tree, level by level and node by node.

use super::{ClusterTree, Path};
use crate::boost::Boost;
use crate::core::NOISE;
use crate::core::shape::check_count;
use crate::explain::{Fidelity, Surrogate};
use crate::{Result, Run};
use ndarray::{Array2, ArrayRef2, Axis};

/// How well the surrogate, cross-fitted, tells the clusters of one level.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct LevelFidelity {
    /// The level: 2 for the children of the root. Leaves above it stand for themselves.
    pub level: usize,
    /// Names of its clusters are paths.
    pub fidelity: Fidelity,
}

/// How well a model of a node's rows tells its children from each other.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct NodeFidelity {
    /// The node.
    pub path: Path,
    /// Clusters are its children; its noise is that of the split.
    pub fidelity: Fidelity,
}

impl ClusterTree {
    /// The model of [`surrogate`](ClusterTree::surrogate), or of [`surrogate_weighted`](ClusterTree::surrogate_weighted), with
    /// how well it does on rows that it has not seen: for each level from the second to the deepest, whose clusters are the
    /// leaves, a [`Fidelity`] of paths cut to that level. (A root without children has one entry, of level 1.)
    ///
    /// Cost: four training calls, where the surrogate alone takes two to four.
    ///
    /// # Errors
    /// Those of [`surrogate_weighted`](ClusterTree::surrogate_weighted).
    pub fn surrogate_with_fidelity(
        &self,
        data: &ArrayRef2<f32>,
        weights: Option<&[f64]>,
        boost: &Boost,
        run: &Run,
    ) -> Result<(Surrogate, Vec<LevelFidelity>)> {
        let classes = self.classes(data.nrows())?;
        let (model, shares) = Surrogate::fit_out_of_fold(data, &self.leaf_labels(), classes, weights, boost, run)?;
        let deepest = self.leaves().map(|leaf| leaf.level()).max().unwrap_or(1);
        let level = |level: usize| Ok(LevelFidelity { level, fidelity: self.at_level(level, &shares, weights)? });
        let levels = (deepest.min(2)..=deepest).map(level).collect::<Result<_>>()?;
        Ok((self.with_names(model)?, levels))
    }

    /// For each node with children how well a model of its own rows, trained and cross-fitted on these alone, tells its
    /// children from each other. `data` is the table that the tree was fitted to.
    ///
    /// Cost: four training calls for each such node, on its rows.
    ///
    /// # Errors
    /// Those of [`surrogate_with_fidelity`](ClusterTree::surrogate_with_fidelity).
    pub fn sibling_fidelity(
        &self,
        data: &ArrayRef2<f32>,
        weights: Option<&[f64]>,
        boost: &Boost,
        run: &Run,
    ) -> Result<Vec<NodeFidelity>> {
        check_count("rows of the data", self.rows(), data.nrows())?;
        if let Some(weights) = weights {
            check_count("weights, one for each row", self.rows(), weights.len())?;
        }
        let of = |node: &super::Node| {
            let rows: Vec<usize> = node.rows.iter().map(|&row| row as usize).collect();
            let own: Option<Vec<f64>> = weights.map(|weights| rows.iter().map(|&row| weights[row]).collect());
            let names: Vec<String> = self.children(node).map(|child| child.path.to_string()).collect();
            let (table, run) = (data.select(Axis(0), &rows), run.at(&node.path.to_string()));
            let fidelity = Fidelity::cross_fitted(&table, &node.labels, &names, own.as_deref(), boost, &run);
            Ok(NodeFidelity { path: node.path.clone(), fidelity: fidelity.map_err(|e| e.of_part(&node.rows))? })
        };
        self.nodes.iter().filter(|node| node.children > 0).map(of).collect()
    }

    /// Fidelity of the leaves' probabilities (rows x leaves) to the clusters of a level.
    fn at_level(&self, level: usize, shares: &Array2<f64>, weights: Option<&[f64]>) -> Result<Fidelity> {
        let clusters: Vec<_> =
            self.nodes.iter().filter(|n| n.level() == level || n.is_leaf() && n.level() < level).collect();
        let mut labels = vec![NOISE; self.rows()];
        let mut groups = Vec::new();
        for (number, cluster) in clusters.iter().enumerate() {
            cluster.rows.iter().for_each(|&row| labels[row as usize] = number as i32);
            // Leaves come in preorder, so that those of a cluster follow each other.
            let own = self.leaves().filter(|leaf| leaf.path == cluster.path || leaf.path.is_below(&cluster.path));
            groups.extend(own.map(|_| number));
        }
        let names: Vec<String> = clusters.iter().map(|cluster| cluster.path.to_string()).collect();
        Fidelity::of_groups(shares, &groups, &labels, &names, weights)
    }
}
