//! A second look at the leaves: at their rows as the embedder compares them, without an embedding.

use super::grow::{Found, Growth, judged};
use super::judge::Proposal;
use super::step::{self, Procedure, Repeated};
use super::{Node, NodeInfo, StopReason};
use crate::core::AnyTable;
use crate::{Clusterer, Embedder, Error, Result, Run};
use ndarray::{Array2, ArrayRef2};
use std::borrow::Cow;
use std::sync::Arc;

/// Who looks again, and at how many rows at most.
#[derive(Clone)]
pub(super) struct SecondLook {
    pub(super) clusterer: Arc<dyn Clusterer>,
    pub(super) most_rows: usize,
}

/// Rows as another embedder compares them.
struct AsCompared;

impl Embedder for AsCompared {
    fn embed(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Array2<f32>> {
        Ok(rows.to_owned())
    }
}

impl<E: Embedder, C: Clusterer> Growth<'_, E, C> {
    /// Whether a leaf is looked at once more: one that did not fall apart, or that only the last level stopped.
    fn second_look(&self, node: &Node) -> Option<&SecondLook> {
        let look = self.plan.second_look.as_ref()?;
        let small =
            node.rows.len() <= look.most_rows && self.limits().too_small(&node.info(), node.level() > 1).is_none();
        let open = match node.stop_reason {
            Some(StopReason::LastLevel { .. } | StopReason::OneCluster { .. } | StopReason::Refused { .. }) => true,
            _ => false,
        };
        (small && open && node.is_leaf()).then_some(look)
    }

    /// Looks at a leaf once more, and gives its children. A leaf that stays whole is as it was.
    pub(super) fn look_twice(&self, node: &mut Node, info: &NodeInfo, embedder: &dyn Embedder) -> Result<Vec<Node>> {
        let Some(look) = self.second_look(node) else { return Ok(Vec::new()) };
        let mut parts = None;
        let unseen = node.embedding.is_none();
        let work = |numbers: &[u32], run: &Run| {
            parts = self.parts(look, info, numbers, embedder, unseen, run)?;
            Ok(())
        };
        let place = self.in_canonical_order(node, &format!("{}.again", info.path), work)?;
        let Some(found) = parts else { return Ok(Vec::new()) };
        if unseen {
            node.embedder = Some(embedder.settings());
        }
        let children = node.take(found, &place, self.weights.as_ref());
        if let Some(split) = &mut node.split {
            split.second_look = Some(look.clusterer.settings());
        }
        Ok(children)
    }

    /// What a second look finds, if it is two children or more; with an embedding of rows that were `unseen`.
    fn parts(
        &self,
        look: &SecondLook,
        info: &NodeInfo,
        numbers: &[u32],
        embedder: &dyn Embedder,
        unseen: bool,
        run: &Run,
    ) -> Result<Option<Found>> {
        let own = self.data.gather(numbers)?;
        let table = own.lent();
        let weights = self.weights.map(|weights| weights.of(numbers));
        let weights = weights.as_deref();
        let looked = || -> Result<Option<Found>> {
            let ready = table.ready(embedder, run)?;
            let rows = ready.rows();
            let mut found = Found::default();
            let clustering = step::cluster(&*look.clusterer, &rows, weights, run)?;
            let clustering = found.propose(clustering, self.limits().child);
            if found.stop_reason.is_some() {
                return Ok(None);
            }
            if let Some(judge) = self.plan.judge.as_deref() {
                let prepared = AsCompared.prepare(Cow::Borrowed(&rows), run)?;
                let once =
                    Procedure { embedder: &AsCompared, prepared: &*prepared, clusterer: &*look.clusterer, weights };
                let embedded = prepared.embed(None, run)?;
                let original = match table {
                    AnyTable::Dense(original) => original,
                    AnyTable::Sparse(_) => &rows,
                };
                let proposal = Proposal {
                    node: info,
                    rows: original,
                    numbers,
                    weights,
                    embedder: &AsCompared,
                    prepared: &*prepared,
                    clusterer: &*look.clusterer,
                    embedded: &embedded,
                    clustering: &clustering,
                    procedure: Repeated { once, consensus: None },
                };
                let verdict = judged(judge, &proposal, &run.at("judge"))?;
                found.heed(judge, verdict, &clustering)?;
            }
            if found.stop_reason.is_some() {
                return Ok(None);
            }
            if unseen {
                let embedded = step::embed(embedder, numbers.len(), run, || ready.embed(None, run))?;
                found.embedded = Some(embedded);
            }
            found.stability = vec![None; found.groups.len()];
            found.clustering = Some(clustering);
            Ok(Some(found))
        };
        match looked() {
            Err(Error::TooFewRows { .. }) => Ok(None),
            other => other,
        }
    }
}
