//! A split of a node, over the bins of a column.

use crate::boost::bins::Column;

/// The best split of a node over some columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::boost) struct Split {
    pub(in crate::boost) column: u32,
    /// Bins below this one go left, at a numeric split; 0 where the missing values stand alone on the left.
    pub(in crate::boost) bins: u16,
    /// Whether the column holds categories.
    pub(in crate::boost) categorical: bool,
    /// Bins that go right, at a categorical split: one bit each.
    pub(in crate::boost) right: [u64; 4],
    pub(in crate::boost) missing_left: bool,
    /// Score of the children; less that of the node once chosen.
    pub(in crate::boost) gain: f64,
    /// Coarse sum of the left child.
    pub(in crate::boost) left: i64,
}

impl Split {
    /// Whether rows of a bin go left.
    #[inline(always)]
    pub(in crate::boost) fn goes_left(&self, code: u8, column: &Column) -> bool {
        if usize::from(code) == column.cuts.len() {
            self.missing_left
        } else if self.categorical {
            self.right[usize::from(code >> 6)] >> (code & 63) & 1 == 0
        } else {
            u16::from(code) < self.bins
        }
    }
}
