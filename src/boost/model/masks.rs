//! Trees of at most 32 leaves for blocks of rows, without walking.
//!
//! QuickScorer (Lucchese and others, "QuickScorer: a Fast Algorithm to Rank Documents with Additive Ensembles of Regression
//! Trees", SIGIR 2015): leaves are numbered from left to right, a bit each. Every split that a row would pass to the right
//! clears the leaves to its left, whether or not the row comes by; the lowest bit left is the row's leaf. Comparisons run
//! over the rows of a block, many at a time; there is nothing to guess and nothing to chase.

use super::tree::Tree;
use crate::core::simd::multiversion;

/// Rows of a block.
pub(super) const ROWS: usize = 128;
/// Most leaves.
const LEAVES: usize = 32;
/// Rows whose leaves stay in registers.
const LANES: usize = 32;

/// A split as a comparison of a column.
#[derive(Clone, Copy)]
struct Comparison {
    /// Place of the feature among those that the model uses.
    column: u32,
    threshold: f32,
    /// The leaves that are not to its left.
    keep: u32,
}

/// A tree as comparisons.
pub(super) struct Masks {
    /// Splits whose missing values go right, as NaN is not below a threshold.
    not_below: Vec<Comparison>,
    /// Splits whose missing values go left, as NaN is not at least a threshold.
    at_least: Vec<Comparison>,
    /// Values of the leaves, from left to right.
    values: [f64; LEAVES],
}

impl Masks {
    /// None for a tree of more leaves, or with categories; `place` gives a feature's column.
    pub(super) fn of(tree: &Tree, place: impl Fn(u32) -> u32) -> Option<Self> {
        if tree.leaves() > LEAVES || tree.has_categories() {
            return None;
        }
        let mut masks = Masks { not_below: Vec::new(), at_least: Vec::new(), values: [0.0; LEAVES] };
        let mut leaves = 0;
        // Nodes to visit, and splits whose left side has been; with the number of their first leaf.
        let mut stack = vec![(0, None)];
        while let Some((node, left_from)) = stack.pop() {
            match left_from {
                None if tree.is_leaf(node) => {
                    masks.values[leaves] = tree.value[node].into();
                    leaves += 1;
                }
                None => {
                    stack.push((node, Some(leaves)));
                    stack.push((tree.left[node] as usize, None));
                }
                Some(first) => {
                    let to_the_left = (1u64 << leaves) - (1u64 << first);
                    let (column, threshold) = (place(tree.feature[node]), tree.threshold[node]);
                    let own = if tree.default_left[node] { &mut masks.at_least } else { &mut masks.not_below };
                    own.push(Comparison { column, threshold, keep: !to_the_left as u32 });
                    stack.push((tree.right[node] as usize, None));
                }
            }
        }
        Some(masks)
    }
}

multiversion! {
    /// Adds the values of a tree to the margins of a block; `block` has [`ROWS`] values of each used feature, by column.
    pub(super) fn add(masks: &Masks, block: &[f32], margins: &mut [f64]) {
        let (groups, _) = margins.as_chunks_mut::<LANES>();
        for (group, margins) in groups.iter_mut().enumerate() {
            let mut left = [u32::MAX; LANES];
            for split in &masks.not_below {
                let x = &block[split.column as usize * ROWS + group * LANES..][..LANES];
                for i in 0..LANES {
                    left[i] &= if x[i] < split.threshold { u32::MAX } else { split.keep };
                }
            }
            for split in &masks.at_least {
                let x = &block[split.column as usize * ROWS + group * LANES..][..LANES];
                for i in 0..LANES {
                    left[i] &= if x[i] >= split.threshold { split.keep } else { u32::MAX };
                }
            }
            for i in 0..LANES {
                margins[i] += masks.values[left[i].trailing_zeros() as usize % LEAVES];
            }
        }
    }
}
