//! How stable a cluster is: how well it is found again.

use crate::cluster::found_again;
use std::fmt;

/// How well a cluster was found again when its parent's step was repeated; see
/// [`RecursiveTree::stability`](super::RecursiveTree::stability).
///
/// In each run the cluster is compared with the run's cluster that is most like it, by the Jaccard index of their rows among
/// those that the run was given: of the rows that either has, the share that both have. A cluster that a [`Judge`](super::Judge)
/// joined of several is compared with the union of those of the run's clusters that have most of their clustered rows in it.
///
/// Stable is not separated: half of one cloud can be found again every time, by its slant. And a cluster of rows that are
/// truly apart may be unstable where the rows are too few.
///
/// Source: C. Hennig, "Cluster-wise assessment of cluster stability", Computational Statistics & Data Analysis 52 (2007),
/// 258-271; words for ranges of the index as in its `clusterboot`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Stability {
    /// The mean index over the runs, in 0 to 1.
    pub jaccard: f64,
    /// Runs in which the index is above 0.5.
    pub found: usize,
    /// Runs that were given a row of the cluster.
    pub runs: usize,
    /// The share of its parent's rows that each run was given: 1 where runs differ by their seed alone.
    pub share: f64,
}

/// What a mean index says, in Hennig's ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum StabilityGrade {
    /// At most 0.5: the cluster is gone in most runs.
    Dissolved,
    /// Up to 0.6: not to be trusted.
    Doubtful,
    /// Up to 0.75: there is a pattern, but which rows belong to it is doubtful.
    Pattern,
    /// Up to 0.85: stable.
    Stable,
    /// From 0.85.
    HighlyStable,
}

/// "highly stable", "stable", "a pattern", "doubtful", "dissolved".
impl fmt::Display for StabilityGrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StabilityGrade::HighlyStable => "highly stable",
            StabilityGrade::Stable => "stable",
            StabilityGrade::Pattern => "a pattern",
            StabilityGrade::Doubtful => "doubtful",
            StabilityGrade::Dissolved => "dissolved",
        })
    }
}

impl StabilityGrade {
    /// What a mean index says.
    pub(crate) fn of(jaccard: f64) -> Self {
        match jaccard {
            j if j >= 0.85 => StabilityGrade::HighlyStable,
            j if j >= 0.75 => StabilityGrade::Stable,
            j if j >= 0.6 => StabilityGrade::Pattern,
            j if j > 0.5 => StabilityGrade::Doubtful,
            _ => StabilityGrade::Dissolved,
        }
    }
}

impl Stability {
    /// The mean index in words.
    pub fn grade(&self) -> StabilityGrade {
        StabilityGrade::of(self.jaccard)
    }

    /// Those of the children: `child_of` has one for each row, or -1, and a child of several clusters is `joined`.
    pub(super) fn of(child_of: &[i32], joined: &[bool], runs: &[Vec<i32>], share: f64) -> Vec<Option<Stability>> {
        let stability = |indices: Vec<Option<f64>>| {
            let indices: Vec<f64> = indices.into_iter().flatten().collect();
            let found = indices.iter().filter(|&&index| index > 0.5).count();
            let jaccard = indices.iter().sum::<f64>() / indices.len() as f64;
            (!indices.is_empty()).then_some(Stability { jaccard, found, runs: indices.len(), share })
        };
        found_again(child_of, joined, runs).into_iter().map(stability).collect()
    }
}

/// "stable (.81; found again in 9 of 10 runs on 80 % of the rows)".
impl fmt::Display for Stability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stability { jaccard, found, runs, share } = self;
        write!(f, "{} ({jaccard:.2}; found again in {found} of {runs} runs", self.grade())?;
        match *share < 1.0 {
            true => write!(f, " on {:.0} % of the rows)", 100.0 * share),
            false => f.write_str(")"),
        }
    }
}
