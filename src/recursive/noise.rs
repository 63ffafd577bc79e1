//! Rows that a node's clusters left out, looked at once more as a group of their own.

use super::grow::Growth;
use super::{Node, NodeInfo, Separation, StopReason};
use crate::{Clusterer, Embedder, Error, Result};

/// The record of a node's noise that was clustered again: see
/// [`RecursiveTree::noise_again`](super::RecursiveTree::noise_again).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NoiseSplit {
    /// Noise rows before.
    pub(super) rows: usize,
    /// For each cluster proposed the child that it went to.
    pub(super) children: Vec<Option<u32>>,
    /// Number of the first child found here; those before it are the node's own clusters.
    pub(super) first: u32,
    pub(super) reason: String,
    /// Rows that the judge put into another cluster than their own.
    #[cfg_attr(feature = "serde", serde(default))]
    pub(super) moved: usize,
    pub(super) separations: Vec<Separation>,
    pub(super) stop_reason: Option<StopReason>,
}

impl NoiseSplit {
    /// Rows that were noise before.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Clusters that were proposed among them; 0 where they were not looked into.
    pub fn proposed(&self) -> usize {
        self.children.len()
    }

    /// The number of the child that a proposed cluster went to; none where it went to no child.
    pub fn child_of(&self, cluster: usize) -> Option<usize> {
        self.children.get(cluster).copied().flatten().map(|child| child as usize)
    }

    /// Why it was decided so, as [`Split::reason`](super::Split::reason).
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// What the judge's decision rests on, as [`Split::separations`](super::Split::separations): of the clusters found here,
    /// against each other.
    pub fn separations(&self) -> &[Separation] {
        &self.separations
    }

    /// Rows that the judge put into another child than that of their cluster.
    pub fn moved(&self) -> usize {
        self.moved
    }

    /// Why the rows stayed noise; none where clusters were found.
    pub fn stop_reason(&self) -> Option<&StopReason> {
        self.stop_reason.as_ref()
    }
}

impl Growth<'_> {
    /// Looks into the noise of a node that was split, and adds the children found there behind the others.
    ///
    /// The group is held to the limits on size, as a child of as many rows would be; not to the level, since it takes the
    /// node's own place.
    pub(super) fn again(
        &self,
        node: &mut Node,
        children: &mut Vec<Node>,
        embedder: &dyn Embedder,
        clusterer: &dyn Clusterer,
    ) -> Result<()> {
        let places: Vec<usize> = (0..node.rows.len()).filter(|&i| node.labels[i] < 0).collect();
        if places.is_empty() {
            return Ok(());
        }
        let rows: Vec<u32> = places.iter().map(|&i| node.rows[i]).collect();
        let info = NodeInfo { rows: rows.len(), parent_rows: node.rows.len(), ..node.info() };
        let membership = vec![1.0; rows.len()];
        let mut group = Node::open(info.clone(), rows, membership, None);
        group.stop_reason = self.limits().too_small(&info, true);
        let mut found = Vec::new();
        if group.stop_reason.is_none() {
            match self.explore(&mut group, &info, &format!("{}.-", node.path), embedder, clusterer) {
                Ok(looked) => found = looked,
                Err(error) => match *error.cause() {
                    Error::TooFewRows { needed, rows, .. } => {
                        group.stop_reason = Some(StopReason::TooFewRows { rows, needed });
                    }
                    _ => return Err(error),
                },
            }
        }
        let first = node.children;
        for (&i, &label) in places.iter().zip(&group.labels).filter(|(_, label)| **label >= 0) {
            node.labels[i] = first as i32 + label;
        }
        for (child, number) in found.iter_mut().zip(first..) {
            (child.path, child.parent_rows, child.in_noise) = (node.path.child(number), node.rows.len(), true);
        }
        node.children += found.len() as u32;
        node.notes.extend(group.notes.iter().map(|note| format!("of the rows left out: {note}")));
        let (proposed, reason, moved, separations) = match group.split {
            Some(split) => (split.children, split.reason, split.moved, split.separations),
            None => Default::default(),
        };
        let children_of = proposed.into_iter().map(|child| child.map(|child| child + first)).collect();
        let (rows, stop_reason) = (places.len(), group.stop_reason);
        if let Some(split) = &mut node.split {
            split.noise =
                Some(NoiseSplit { rows, children: children_of, first, reason, moved, separations, stop_reason });
        }
        children.append(&mut found);
        Ok(())
    }
}
