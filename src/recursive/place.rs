use crate::Size;
use crate::core::percent;

/// A node before it is worked on: what its embedder and clusterer may be chosen by.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The node's path, `0` for the root.
    pub path: String,
    /// Its level; the root is level 1.
    pub level: usize,
    /// Its rows.
    pub rows: usize,
    /// Rows of the whole table.
    pub total_rows: usize,
    /// Rows of its parent; of the whole table at the root.
    pub parent_rows: usize,
}

/// Why a node was not zoomed into any further.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "reason", rename_all = "snake_case"))]
#[non_exhaustive]
pub enum StopReason {
    /// It is on the last level that was asked for.
    LastLevel {
        /// Levels asked for, the root included.
        levels: usize,
    },
    /// It holds too small a part of all rows.
    ShareOfAll {
        /// Its share of all rows.
        share: f64,
        /// The least share that is zoomed into.
        least: f64,
    },
    /// It holds too small a part of its parent's rows.
    ShareOfParent {
        /// Its share of its parent's rows.
        share: f64,
        /// The least share that is zoomed into.
        least: f64,
    },
    /// It has too few rows.
    Rows {
        /// Its rows.
        rows: usize,
        /// The least number that is zoomed into.
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
}

impl std::fmt::Display for StopReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StopReason::LastLevel { levels } => write!(f, "last of {levels} levels"),
            StopReason::ShareOfAll { share, least } => {
                write!(f, "{} of all rows, below {}", percent(*share), percent(*least))
            }
            StopReason::ShareOfParent { share, least } => {
                write!(f, "{} of its parent, below {}", percent(*share), percent(*least))
            }
            StopReason::Rows { rows, least } => write!(f, "{rows} rows, below {least}"),
            StopReason::TooFewRows { rows, needed } => write!(f, "{rows} rows, the method needs {needed}"),
            StopReason::OneCluster { .. } => write!(f, "does not fall apart"),
        }
    }
}

/// When a node is worth zooming into.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) levels: usize,
    pub(crate) share_of_all: f64,
    pub(crate) share_of_parent: f64,
    pub(crate) rows: usize,
}

impl Limits {
    /// The first limit that the node falls under, or none. The root is only held to the number of rows.
    pub(crate) fn reached(&self, place: &Place) -> Option<StopReason> {
        let share = place.rows as f64 / place.total_rows as f64;
        let of_parent = place.rows as f64 / place.parent_rows as f64;
        if place.level > self.levels {
            Some(StopReason::LastLevel { levels: self.levels })
        } else if place.level > 1 && place.rows < Size::Share(self.share_of_all).of(place.total_rows) {
            Some(StopReason::ShareOfAll { share, least: self.share_of_all })
        } else if place.level > 1 && place.rows < Size::Share(self.share_of_parent).of(place.parent_rows) {
            Some(StopReason::ShareOfParent { share: of_parent, least: self.share_of_parent })
        } else if place.rows < self.rows {
            Some(StopReason::Rows { rows: place.rows, least: self.rows })
        } else {
            None
        }
    }
}
