//! A split of a node, over the bins of a column.

use crate::boost::bins::Column;

/// The best split of a node over some columns.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::boost) struct Split {
    pub(in crate::boost) column: u32,
    /// At a numeric split, bins below this one go left; 0 where only missing values do.
    pub(in crate::boost) bins: u16,
    /// Whether the split is categorical.
    pub(in crate::boost) categorical: bool,
    /// At a categorical split, one bit for each bin that goes right.
    pub(in crate::boost) right: [u64; 4],
    pub(in crate::boost) missing_left: bool,
    /// Score of the children; once chosen, less the score of the node.
    pub(in crate::boost) gain: f64,
    /// Coarse sum of the left child.
    pub(in crate::boost) left: i64,
}

impl Split {
    /// Whether a bin goes left.
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
