//! Whether the clusters found at a node become its children.

use super::step::Procedure;
use super::{NodeInfo, Step};
use crate::core::short_type_name;
use crate::{Clusterer, Clustering, Embedded, Embedder, Error, Prepared, Result, Run, Settings};
use ndarray::ArrayRef2;

/// Decides, at each node that falls apart, which of the clusters found become children: all as they are, some of them
/// joined, or none.
///
/// One method to implement, under the same rule as [`Embedder`]: a function of the proposal, the settings in `self` and
/// [`Run::key`] alone.
///
/// # Example: a judge of one's own
/// ```
/// use ndarray::Array2;
/// use recluster::recursive::{Judge, Proposal, RecursiveTree, Verdict};
/// use recluster::{Result, Run, cluster::KMeans, embed::Identity};
///
/// /// Refuses splits in which a row in ten or more belongs to no cluster.
/// struct LittleNoise;
///
/// impl Judge for LittleNoise {
///     fn judge(&self, proposal: &Proposal<'_>, _run: &Run) -> Result<Verdict> {
///         let labels = proposal.clustering.labels();
///         let noise = labels.iter().filter(|&&label| label < 0).count();
///         Ok(if 10 * noise < labels.len() {
///             Verdict::keep(format!("{noise} rows of noise"))
///         } else {
///             Verdict::refuse(format!("{noise} of {} rows are noise", labels.len()))
///         })
///     }
/// }
///
/// let rows = Array2::from_shape_fn((100, 2), |(i, j)| ((i % 2) * 10) as f32 + ((i * 7 + j * 3) % 11) as f32 * 0.1);
/// let tree = RecursiveTree::new(Identity, KMeans::new(2)).levels(1).judge(LittleNoise).fit(&rows, &Run::new())?;
/// let split = tree.root().split().unwrap();
/// assert_eq!((split.proposed(), split.judge(), split.reason()), (2, Some("LittleNoise"), "0 rows of noise"));
/// # Ok::<(), recluster::Error>(())
/// ```
pub trait Judge: Send + Sync {
    /// Judges what was found at one node. Random draws come from `run`, which is the node's own for judging.
    ///
    /// # Errors
    /// Whatever makes a judgement impossible; an error of a plug-in's own goes into [`Error::Plugin`].
    fn judge(&self, proposal: &Proposal<'_>, run: &Run) -> Result<Verdict>;

    /// Checks the judge's settings, before a fit begins; default: nothing to check.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting outside its range.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// A short name for the node's record; default: the type's.
    fn name(&self) -> String {
        short_type_name::<Self>()
    }

    /// Its name and settings as plain data, which the checkpoint of a fit keeps; default: the name alone.
    fn settings(&self) -> Settings {
        Settings::new(self.name())
    }
}

/// What was found at a node, and all that it was found with, so that it can be tried again on other rows; see
/// [`step`](super::step).
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Proposal<'a> {
    /// The node.
    pub node: &'a NodeInfo,
    /// Its original rows, n x columns, in [canonical order](crate::canonical_order). Of a
    /// [sparse fit](super::RecursiveTree::fit_sparse) what [`Prepared::rows`] gives: few dense columns that stand for them.
    pub rows: &'a ArrayRef2<f32>,
    /// Their numbers in the table.
    pub numbers: &'a [u32],
    /// Their weights, with a mean of 1, where the fit has weights.
    pub weights: Option<&'a [f64]>,
    /// The node's embedder.
    pub embedder: &'a dyn Embedder,
    /// The same made ready for `rows`: for other seeds and for parts.
    pub prepared: &'a dyn Prepared,
    /// The node's clusterer.
    pub clusterer: &'a dyn Clusterer,
    /// The embedding of `rows`.
    pub embedded: &'a Embedded,
    /// Two clusters or more, label i being that of row i of `rows`.
    pub clustering: &'a Clustering,
}

impl std::fmt::Debug for Proposal<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proposal")
            .field("node", self.node)
            .field("embedder", &self.embedder.settings())
            .field("clusterer", &self.clusterer.settings())
            .field("clusters", &self.clustering.clusters())
            .finish_non_exhaustive()
    }
}

impl Proposal<'_> {
    /// The node's embedder and clusterer on a part of its rows, by their places in [`rows`](Proposal::rows): settings that
    /// count rows are scaled to it, see [`Clusterer::for_sample`], and so are weights, to a mean of 1. One run, also where the
    /// node's clusters are a [consensus](super::RecursiveTree::consensus) of several.
    ///
    /// # Errors
    /// Those of [`step`](super::step()), rows named by their places in the node.
    pub fn again(&self, part: &[u32], run: &Run) -> Result<Step> {
        let Proposal { embedder, prepared, clusterer, weights, .. } = *self;
        Procedure { embedder, prepared, clusterer, rows: self.numbers.len(), weights }.once(part, run)
    }
}

/// What a [`Judge`] decides.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Verdict {
    pub(super) decision: Decision,
    pub(super) reason: String,
    pub(super) separations: Vec<Separation>,
    pub(super) moves: Vec<Move>,
}

/// A row that goes to another child than the rest of its cluster.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Move {
    /// Its place among the rows of the [`Proposal`].
    pub row: usize,
    /// The number of the child's group of clusters: for [`Verdict::keep`] that of the cluster.
    pub to: usize,
    /// Its strength of membership there, in 0 to 1.
    pub membership: f32,
}

/// How well two clusters, or groups of clusters, are separated.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Separation {
    /// Numbers of the proposed clusters of one group; where one of the two was not found again, of that one.
    pub of: Vec<usize>,
    /// Those of the other.
    pub from: Vec<usize>,
    /// The verdict.
    pub grade: Grade,
    /// The probability to see so clear a boundary between parts of one cloud, in 0 to 1.
    pub p_value: f64,
    /// How often the boundary is crossed for each crossing of the groups' middles: near 0 for separate groups, 1 and more
    /// within one cloud; none where a group was not found again.
    pub boundary: Option<f64>,
}

/// A verdict on two clusters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Grade {
    /// The boundary is emptier than chance makes it in one cloud.
    Separated,
    /// Found again, but a cut through one cloud: perhaps useful, not natural.
    Continuum,
    /// Found again, but the rows are too few to tell a boundary from a cut through one cloud.
    Undecided,
    /// Not found again on other rows.
    NotFoundAgain,
}

/// "separated", "continuum", "undecided", "not found again".
impl std::fmt::Display for Grade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Grade::Separated => "separated",
            Grade::Continuum => "continuum",
            Grade::Undecided => "undecided",
            Grade::NotFoundAgain => "not found again",
        })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Decision {
    Keep,
    Merge(Vec<Vec<usize>>),
    Refuse,
}

impl Verdict {
    fn new(decision: Decision, reason: impl Into<String>) -> Self {
        Verdict { decision, reason: reason.into(), separations: Vec::new(), moves: Vec::new() }
    }

    /// All clusters become children; why, in words for a reader.
    pub fn keep(reason: impl Into<String>) -> Self {
        Verdict::new(Decision::Keep, reason)
    }

    /// Each group of clusters becomes one child. Every cluster must be in one group; one group alone refuses the split.
    pub fn merge(groups: Vec<Vec<usize>>, reason: impl Into<String>) -> Self {
        Verdict::new(Decision::Merge(groups), reason)
    }

    /// None becomes a child: the node stays a leaf.
    pub fn refuse(reason: impl Into<String>) -> Self {
        Verdict::new(Decision::Refuse, reason)
    }

    /// Adds what the decision rests on, for the node's record; clusters by their proposed numbers.
    pub fn with_separations(mut self, separations: Vec<Separation>) -> Self {
        self.separations = separations;
        self
    }

    /// Puts rows into other children than their clusters': what a judge knows better of a row than the clusterer. Each row at
    /// most once; rows of noise may be among them.
    pub fn with_moves(mut self, moves: Vec<Move>) -> Self {
        self.moves = moves;
        self
    }

    /// Adds what else was decided to the reason.
    pub(crate) fn and(mut self, what: &str) -> Self {
        self.reason += if self.reason.is_empty() { "" } else { "; " };
        self.reason += what;
        self
    }

    /// Whether rows were moved.
    pub(crate) fn moves_rows(&self) -> bool {
        !self.moves.is_empty()
    }

    /// The clusters of each child; fewer than two where the split is refused.
    pub(crate) fn groups(&self, clusters: usize, judge: &dyn Judge) -> Result<Vec<Vec<usize>>> {
        match &self.decision {
            Decision::Keep => Ok((0..clusters).map(|cluster| vec![cluster]).collect()),
            Decision::Refuse => Ok(Vec::new()),
            Decision::Merge(groups) => {
                let mut all: Vec<usize> = groups.iter().flatten().copied().collect();
                all.sort_unstable();
                if all.iter().copied().eq(0..clusters) && groups.iter().all(|group| !group.is_empty()) {
                    return Ok(groups.clone());
                }
                let reason = format!("{clusters} clusters were proposed, it joined {groups:?}");
                Err(Error::Contract { room: "judge", name: judge.name(), reason, row: None })
            }
        }
    }
}
