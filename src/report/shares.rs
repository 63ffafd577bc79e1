//! Shares of the rows or, where rows have weights, of the population that they stand for.

use super::text::{Text, words};
use crate::core::sum_of_weights;
use crate::recursive::{ClusterTree, Node, Path};
use std::collections::BTreeMap;

/// How much the nodes of a tree hold.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Shares {
    /// Of each node its own weight and that of its noise.
    nodes: BTreeMap<Path, (f64, f64)>,
    all: f64,
    /// Whether rows have weights.
    pub(super) weighted: bool,
}

impl Shares {
    /// Weights are 1 for rows without.
    pub(super) fn of(tree: &ClusterTree, weights: &[f64], weighted: bool) -> Self {
        let own = |node: &Node| sum_of_weights(node.rows().iter().map(|&row| weights[row as usize]).collect());
        let noise = |node: &Node| {
            let lost = node.rows().iter().zip(node.labels()).filter(|(_, label)| **label < 0);
            sum_of_weights(lost.map(|(&row, _)| weights[row as usize]).collect())
        };
        let nodes = tree.nodes().iter().map(|node| (node.path().clone(), (own(node), noise(node)))).collect();
        Shares { nodes, all: own(tree.root()), weighted }
    }

    fn at(&self, path: &Path) -> (f64, f64) {
        self.nodes.get(path).copied().unwrap_or_default()
    }

    /// The node's share of all.
    pub(super) fn node(&self, node: &Node) -> f64 {
        self.at(node.path()).0 / self.all
    }

    /// The node's share of its parent; the root's is 1.
    pub(super) fn of_parent(&self, node: &Node) -> f64 {
        let own = self.at(node.path()).0;
        own / node.path().parent().map_or(own, |parent| self.at(&parent).0)
    }

    /// Of all, the share of the node's noise.
    pub(super) fn noise(&self, node: &Node) -> f64 {
        self.at(node.path()).1 / self.all
    }

    /// Of the node, the share of its noise.
    pub(super) fn noise_within(&self, node: &Node) -> f64 {
        let (own, noise) = self.at(node.path());
        noise / own
    }

    /// The share in no cluster.
    pub(super) fn all_noise(&self) -> f64 {
        self.nodes.values().fold(0.0, |sum, (_, noise)| sum + noise) / self.all
    }

    /// Whether the share of a node is known.
    pub(super) fn knows(&self, node: &Node) -> bool {
        self.nodes.contains_key(node.path())
    }

    /// What cannot be in shares that were read from a file.
    #[cfg(feature = "serde")]
    pub(super) fn check(&self) -> Result<(), String> {
        let good = |weight: f64| weight.is_finite() && weight >= 0.0;
        match self.all > 0.0 && good(self.all) && self.nodes.values().all(|own| good(own.0) && good(own.1)) {
            true => Ok(()),
            false => Err("a share is no number from 0".to_string()),
        }
    }

    /// What the shares are of.
    pub(super) fn whole(&self, text: &Text) -> String {
        if self.weighted { words!(text, "whole.population") } else { words!(text, "whole.rows") }
    }
}
