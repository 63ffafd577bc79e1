//! When a node is looked into, and why it was not.

use super::Path;
#[cfg(feature = "serde")]
use crate::Settings;
use crate::core::percent;
use crate::{Result, Size};

/// A node before it is worked on: what its embedder and clusterer may be chosen by.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NodeInfo {
    /// Its path.
    pub path: Path,
    /// Its rows.
    pub rows: usize,
    /// Rows of its parent; of the whole table at the root.
    pub parent_rows: usize,
    /// Rows of the whole table.
    pub total_rows: usize,
}

impl NodeInfo {
    /// The level; the root is level 1.
    pub fn level(&self) -> usize {
        self.path.level()
    }
}

/// Why a node was not zoomed into any further.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "reason", rename_all = "snake_case"))]
#[non_exhaustive]
pub enum StopReason {
    /// It is below the last level that was asked for.
    LastLevel {
        /// Levels asked for, the root included.
        levels: usize,
    },
    /// It holds too few of all rows.
    SizeOfAll {
        /// Its rows.
        rows: usize,
        /// Rows of the table.
        total_rows: usize,
        /// The smallest size that is zoomed into.
        least: Size,
    },
    /// It holds too few of its parent's rows.
    SizeOfParent {
        /// Its rows.
        rows: usize,
        /// Its parent's rows.
        parent_rows: usize,
        /// The smallest size that is zoomed into.
        least: Size,
    },
    /// It has too few rows.
    Rows {
        /// Its rows.
        rows: usize,
        /// The smallest number that is zoomed into.
        least: usize,
    },
    /// The embedder or the clusterer cannot work with so few rows.
    TooFewRows {
        /// Its rows.
        rows: usize,
        /// Rows that the method needs.
        needed: usize,
    },
    /// It was embedded and clustered, and did not fall apart: fewer than two clusters were found.
    OneCluster {
        /// Clusters found: 0 or 1.
        clusters: usize,
    },
    /// It fell apart, but the judge left fewer than two of the clusters; see [`Split`](super::Split).
    Refused {
        /// Why, in the judge's words.
        why: String,
    },
    /// Its children were dropped, or it is never to be looked into: see [`ClusterTree::prune`](super::ClusterTree::prune).
    Pruned,
}

impl StopReason {
    /// Whether the plan set this limit, so that another plan may look into the node.
    pub fn is_limit(&self) -> bool {
        match self {
            StopReason::LastLevel { .. }
            | StopReason::SizeOfAll { .. }
            | StopReason::SizeOfParent { .. }
            | StopReason::Rows { .. } => true,
            StopReason::TooFewRows { .. }
            | StopReason::OneCluster { .. }
            | StopReason::Refused { .. }
            | StopReason::Pruned => false,
        }
    }
}

impl std::fmt::Display for StopReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StopReason::LastLevel { levels: 1 } => write!(f, "one level was asked for"),
            StopReason::LastLevel { levels } => write!(f, "last of {levels} levels"),
            StopReason::SizeOfAll { rows, total_rows, least } => {
                write!(f, "{}", small(*rows, *total_rows, *least, "all rows"))
            }
            StopReason::SizeOfParent { rows, parent_rows, least } => {
                write!(f, "{}", small(*rows, *parent_rows, *least, "its parent"))
            }
            StopReason::Rows { rows, least } => write!(f, "{rows} rows, below {least}"),
            StopReason::TooFewRows { rows, needed } => write!(f, "{rows} rows, the method needs {needed}"),
            StopReason::OneCluster { clusters: 0 } => write!(f, "no cluster was found in it"),
            StopReason::OneCluster { .. } => write!(f, "does not fall apart"),
            StopReason::Pruned => write!(f, "pruned"),
            StopReason::Refused { why } => write!(f, "its split was refused: {why}"),
        }
    }
}

/// "4.1 % of all rows, below 5.0 %".
fn small(rows: usize, of: usize, least: Size, whole: &str) -> String {
    match least {
        Size::Count(least) => format!("{rows} rows, below {least}"),
        share => format!("{} of {whole}, below {share}", percent(rows as f64 / of as f64)),
    }
}

/// When a node is worth zooming into.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) levels: usize,
    pub(super) of_all: Size,
    pub(super) of_parent: Size,
    pub(super) rows: usize,
    /// The smallest child.
    pub(super) child: Size,
    /// Whether noise is looked into once more.
    pub(super) noise_again: bool,
}

impl Limits {
    pub(super) fn check(&self) -> Result<()> {
        if self.levels == 0 {
            return Err(crate::Error::setting("levels", 0, "must be at least 1: the root is a level"));
        }
        self.of_all.check("min_size")?;
        self.of_parent.check("min_size_of_parent")?;
        self.child.check("min_child_size")
    }

    /// The limits behind other settings, to the last digit.
    #[cfg(feature = "serde")]
    pub(super) fn list(&self, settings: Settings) -> Settings {
        settings
            .with("levels", self.levels)
            .with("min_size", self.of_all)
            .with("min_size_of_parent", self.of_parent)
            .with("min_rows", self.rows)
            .with("min_child_size", self.child)
            .with("noise_again", self.noise_again)
    }

    /// The first limit that the node falls under, or none. The root is only held to the number of rows.
    pub(super) fn reached(&self, node: &NodeInfo) -> Option<StopReason> {
        match node.level() > self.levels {
            true => Some(StopReason::LastLevel { levels: self.levels }),
            false => self.too_small(node, node.level() > 1),
        }
    }

    /// The first limit on size that the rows fall under, or none.
    pub(super) fn too_small(&self, node: &NodeInfo, below_root: bool) -> Option<StopReason> {
        let NodeInfo { rows, parent_rows, total_rows, .. } = *node;
        if below_root && rows < self.of_all.of(total_rows) {
            Some(StopReason::SizeOfAll { rows, total_rows, least: self.of_all })
        } else if below_root && rows < self.of_parent.of(parent_rows) {
            Some(StopReason::SizeOfParent { rows, parent_rows, least: self.of_parent })
        } else if rows < self.rows {
            Some(StopReason::Rows { rows, least: self.rows })
        } else {
            None
        }
    }
}
