//! What a plan consists of.

use super::limits::Limits;
use super::repeats::Repeats;
use super::{Judge, NodeInfo, SecondLook};
use crate::{Clusterer, Embedder};
use std::sync::Arc;

/// What a plan does with the rows of a node, whatever its embedder and clusterer.
#[derive(Clone)]
pub(super) struct Plan {
    pub(super) judge: Option<Arc<dyn Judge>>,
    pub(super) consensus: Option<Repeats>,
    pub(super) stability: Option<Repeats>,
    /// The least mean stability of the clusters of a split below the root.
    pub(super) min_stability: f64,
    pub(super) second_look: Option<SecondLook>,
    pub(super) limits: Limits,
}

impl Plan {
    /// What a node of so many rows is the consensus of.
    pub(super) fn consensus_of(&self, rows: usize) -> Option<&Repeats> {
        self.consensus.as_ref().filter(|repeats| repeats.repeats(rows))
    }

    /// What says how stable the clusters of a node of so many rows are, beside a consensus.
    pub(super) fn stability_of(&self, rows: usize) -> Option<&Repeats> {
        self.stability.as_ref().filter(|repeats| repeats.repeats(rows))
    }

    /// Whether a node of so many rows is embedded and clustered once, and that is all.
    pub(super) fn is_single(&self, rows: usize) -> bool {
        self.judge.is_none() && self.consensus_of(rows).is_none() && self.stability_of(rows).is_none()
    }
}

/// The embedder and the clusterer of a plan.
pub(super) struct Algorithms<E, C> {
    pub(super) embedder: Choice<E>,
    pub(super) clusterer: Choice<C>,
}

impl<E, C> Clone for Algorithms<E, C> {
    fn clone(&self) -> Self {
        Algorithms { embedder: self.embedder.clone(), clusterer: self.clusterer.clone() }
    }
}

/// [`Algorithms`] of any type, so that the work on a tree is compiled once and not for each pair of types.
pub(super) trait AnyAlgorithms: Sync {
    fn embedder<'a>(&'a self, node: &NodeInfo) -> Arc<dyn Embedder + 'a>;
    fn clusterer<'a>(&'a self, node: &NodeInfo) -> Arc<dyn Clusterer + 'a>;
}

impl<E: Embedder, C: Clusterer> AnyAlgorithms for Algorithms<E, C> {
    fn embedder<'a>(&'a self, node: &NodeInfo) -> Arc<dyn Embedder + 'a> {
        self.embedder.at(node)
    }

    fn clusterer<'a>(&'a self, node: &NodeInfo) -> Arc<dyn Clusterer + 'a> {
        self.clusterer.at(node)
    }
}

/// One algorithm for all nodes, or one chosen for each.
pub(super) enum Choice<T> {
    Same(Arc<T>),
    ByNode(Arc<dyn Fn(&NodeInfo) -> T + Send + Sync>),
}

impl<T> Clone for Choice<T> {
    fn clone(&self) -> Self {
        match self {
            Choice::Same(same) => Choice::Same(same.clone()),
            Choice::ByNode(choose) => Choice::ByNode(choose.clone()),
        }
    }
}

impl<T> Choice<T> {
    /// What to call it in a listing of the plan.
    pub(super) fn name(&self, of: impl Fn(&T) -> String) -> String {
        match self {
            Choice::Same(same) => of(same),
            Choice::ByNode(_) => "chosen by node".into(),
        }
    }

    /// What `change` makes of it at each node.
    pub(super) fn map<U>(self, change: impl Fn(T, &NodeInfo) -> U + Send + Sync + 'static) -> Choice<U>
    where
        T: Clone + Send + Sync + 'static,
    {
        Choice::ByNode(Arc::new(move |node| change(Arc::unwrap_or_clone(self.at(node)), node)))
    }

    fn at(&self, node: &NodeInfo) -> Arc<T> {
        match self {
            Choice::Same(same) => same.clone(),
            Choice::ByNode(choose) => Arc::new(choose(node)),
        }
    }
}
