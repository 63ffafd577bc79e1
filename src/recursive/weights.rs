//! The weights of a fit's rows.

use super::{ClusterTree, Node};
use crate::core::{check_weights, sum_of_weights, with_mean_one};
use crate::{Error, Result};

/// What rounding may add to a share.
pub(super) const ROUNDED: f64 = 1e-9;

/// One for each row of the table.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a> {
    pub(super) all: &'a [f64],
    sum: f64,
}

impl<'a> Weights<'a> {
    pub(super) fn new(all: &'a [f64], rows: usize) -> Result<Self> {
        Ok(Weights { all, sum: check_weights(all, rows)? })
    }

    fn among(&self, rows: &[u32]) -> Vec<f64> {
        rows.iter().map(|&row| self.all[row as usize]).collect()
    }

    /// The rows' share of the sum.
    pub(super) fn share(&self, rows: &[u32]) -> f64 {
        sum_of_weights(self.among(rows)) / self.sum
    }

    /// The weights of a node's rows, with a mean of 1: sizes in rows and shares mean in the node what they mean without
    /// weights.
    pub(super) fn of(&self, rows: &[u32]) -> Vec<f64> {
        with_mean_one(self.among(rows))
    }
}

/// That a tree was fitted with these weights, or without any.
pub(super) fn check_same(tree: &ClusterTree, weights: Option<&Weights<'_>>) -> Result<()> {
    let other = |node: &&Node| match (weights, node.weight) {
        (Some(weights), Some(share)) => (weights.share(&node.rows) - share).abs() > ROUNDED,
        (None, None) => false,
        _ => true,
    };
    match (tree.nodes.iter().find(other), weights, tree.root().weight) {
        (None, ..) => Ok(()),
        (_, None, _) => Err(Error::setting("weights", "none", "must be given: the tree was fitted with weights")),
        (_, _, None) => {
            Err(Error::setting("weights", "given", "must be left out: the tree was fitted without weights"))
        }
        (Some(node), ..) => {
            Err(Error::setting("weights", format!("others in node {}", node.path), "must be those of the tree"))
        }
    }
}
