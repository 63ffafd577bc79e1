//! What a plan consists of.

use super::limits::Limits;
use super::repeats::Repeats;
use super::{Judge, NodeInfo, SecondLook};
use std::sync::Arc;

/// The parts of a plan.
pub(super) struct Plan<E, C> {
    pub(super) embedder: Choice<E>,
    pub(super) clusterer: Choice<C>,
    pub(super) judge: Option<Arc<dyn Judge>>,
    pub(super) consensus: Option<Repeats>,
    pub(super) stability: Option<Repeats>,
    pub(super) second_look: Option<SecondLook>,
    pub(super) limits: Limits,
}

impl<E, C> Clone for Plan<E, C> {
    fn clone(&self) -> Self {
        Plan {
            embedder: self.embedder.clone(),
            clusterer: self.clusterer.clone(),
            judge: self.judge.clone(),
            consensus: self.consensus.clone(),
            stability: self.stability.clone(),
            second_look: self.second_look.clone(),
            limits: self.limits.clone(),
        }
    }
}

impl<E, C> Plan<E, C> {
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

    pub(super) fn at(&self, node: &NodeInfo) -> Arc<T> {
        match self {
            Choice::Same(same) => same.clone(),
            Choice::ByNode(choose) => Arc::new(choose(node)),
        }
    }
}
