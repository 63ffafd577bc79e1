//! A second look at the leaves: at their rows as the embedder compares them, without an embedding.

use super::divide::stability;
use super::grow::{Found, Growth, judged};
use super::judge::Proposal;
use super::step::{self, Procedure};
use super::{Node, NodeInfo, StopReason};
#[cfg(feature = "serde")]
use crate::Settings;
use crate::core::AnyTable;
use crate::{Clusterer, Embedder, Error, Result, Run, Size};
use ndarray::{Array2, ArrayRef2};
use std::borrow::Cow;
use std::sync::Arc;

/// Which leaves are looked at once more, and by whom: see [`RecursiveTree::second_look`](super::RecursiveTree::second_look).
///
/// ```
/// use recluster::cluster::StableParts;
/// use recluster::recursive::SecondLook;
/// let look = SecondLook::new(StableParts::new()).min_size(0.2).most_rows(10_000);
/// # let _ = look;
/// ```
#[derive(Clone)]
#[must_use]
pub struct SecondLook {
    clusterer: Arc<dyn Clusterer>,
    min_size: Size,
    most_rows: usize,
}

impl std::fmt::Debug for SecondLook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecondLook")
            .field("clusterer", &self.clusterer.settings())
            .field("min_size", &self.min_size)
            .field("most_rows", &self.most_rows)
            .finish()
    }
}

impl SecondLook {
    /// By `clusterer`, at leaves of an eighth of all rows or more, and of 5,000 rows at most.
    pub fn new(clusterer: impl Clusterer + 'static) -> Self {
        SecondLook { clusterer: Arc::new(clusterer), min_size: Size::Share(0.125), most_rows: 5_000 }
    }

    /// Sets the smallest leaf that is looked at, as a count or as a share of **all** rows; default a share of .125. Large
    /// leaves are where an embedding has joined the most, and small ones fall into parts of little use.
    pub fn min_size(mut self, size: impl Into<Size>) -> Self {
        self.min_size = size.into();
        self
    }

    /// Sets the largest leaf that is looked at; default 5,000 rows. An embedding of many rows has room for what there is.
    pub fn most_rows(mut self, rows: usize) -> Self {
        self.most_rows = rows;
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        self.min_size.check("second_look")
    }

    /// What a checkpoint compares.
    #[cfg(feature = "serde")]
    pub(super) fn settings(&self) -> Settings {
        Settings::new("SecondLook")
            .with("clusterer", self.clusterer.settings())
            .with("min_size", self.min_size)
            .with("most_rows", self.most_rows)
    }

    /// Whether it is for a leaf: one that did not fall apart, whose clusters were refused, or that only the last level stopped.
    fn is_for(&self, node: &Node) -> bool {
        let open = matches!(
            node.stop_reason,
            Some(StopReason::LastLevel { .. } | StopReason::OneCluster { .. } | StopReason::Refused { .. })
        );
        let rows = node.rows.len();
        open && node.is_leaf() && rows <= self.most_rows && rows >= self.min_size.of(node.total_rows)
    }
}

/// Rows as another embedder compares them.
struct AsCompared;

impl Embedder for AsCompared {
    fn embed(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Array2<f32>> {
        Ok(rows.to_owned())
    }
}

impl Growth<'_> {
    /// Looks at a leaf once more, and gives its children. A leaf that stays whole is as it was.
    pub(super) fn look_twice(&self, node: &mut Node, info: &NodeInfo, embedder: &dyn Embedder) -> Result<Vec<Node>> {
        let look = self.plan.second_look.as_ref().filter(|look| look.is_for(node));
        let Some(look) = look else { return Ok(Vec::new()) };
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
            let prepared = AsCompared.prepare(Cow::Borrowed(&rows), run)?;
            let once = Procedure {
                embedder: &AsCompared,
                prepared: &*prepared,
                clusterer: &*look.clusterer,
                rows: numbers.len(),
                weights,
            };
            let again = || match self.plan.stability_of(numbers.len()) {
                Some(repeats) => {
                    let (all, share): (Vec<u32>, f64) = ((0..numbers.len() as u32).collect(), repeats.share_or(0.8));
                    Ok((repeats.labels(|_| once, &all, share, None, &run.at("stability"))?, share))
                }
                None => Ok::<_, Error>((Vec::new(), 1.0)),
            };
            let mut runs = None;
            if self.plan.min_stability > 0.0 && info.level() > 1 {
                let (labels, share) = runs.insert(again()?);
                found.require_stable(&clustering, labels, *share, self.plan.min_stability);
                if found.stop_reason.is_some() {
                    return Ok(None);
                }
            }
            if let Some(judge) = self.plan.judge.as_deref() {
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
            let (runs, share) = match runs {
                Some(runs) => runs,
                None => again()?,
            };
            found.stability = stability(&found.groups, &clustering, &runs, share);
            found.clustering = Some(clustering);
            Ok(Some(found))
        };
        match looked() {
            Err(Error::TooFewRows { .. }) => Ok(None),
            other => other,
        }
    }
}
