//! Trees of at most 32 leaves for blocks of rows, without walking.
//!
//! QuickScorer (Lucchese and others, "QuickScorer: a Fast Algorithm to Rank Documents with Additive Ensembles of Regression
//! Trees", SIGIR 2015): leaves are numbered from left to right, a bit each. Every split that a row would pass to the right
//! clears the leaves to its left, whether or not the row comes by; the lowest bit left is the row's leaf. Comparisons run
//! over the rows of a block, many at a time; there is nothing to guess and nothing to chase.

use super::tree::{Tree, number_goes_left};
use crate::core::simd::multiversion;

/// Rows of a block.
pub(super) const ROWS: usize = 128;
/// Most leaves.
const LEAVES: usize = 32;
/// Rows whose leaves stay in registers.
pub(super) const LANES: usize = 32;

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
    /// Splits whose missing values go right.
    to_the_right: Vec<Comparison>,
    /// Splits whose missing values go left.
    to_the_left: Vec<Comparison>,
    /// Values of the leaves, from left to right.
    values: [f64; LEAVES],
}

impl Masks {
    /// None for a tree of more leaves, or with categories; `place` gives a feature's column.
    pub(super) fn of(tree: &Tree, place: impl Fn(u32) -> u32) -> Option<Self> {
        if tree.leaves() > LEAVES || tree.has_categories() {
            return None;
        }
        let mut masks = Masks { to_the_right: Vec::new(), to_the_left: Vec::new(), values: [0.0; LEAVES] };
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
                    let own = (1u64 << leaves) - (1u64 << first);
                    let (column, threshold) = (place(tree.feature[node]), tree.threshold[node]);
                    let side = if tree.default_left[node] { &mut masks.to_the_left } else { &mut masks.to_the_right };
                    side.push(Comparison { column, threshold, keep: !(own as u32) });
                    stack.push((tree.right[node] as usize, None));
                }
            }
        }
        Some(masks)
    }
}

/// The values of a feature in a block.
pub(super) type Values = [[f32; LANES]; ROWS / LANES];

/// Clears the leaves that the splits rule out. Without branches, and with nothing read but values, so that it is compiled to
/// operations on many rows at a time.
#[inline(always)]
fn clear(splits: &[Comparison], default_left: bool, block: &[Values], group: usize, left: &mut [u32; LANES]) {
    for &Comparison { column, threshold, keep } in splits {
        let values = &block[column as usize][group];
        for i in 0..LANES {
            let goes_left = number_goes_left(threshold, default_left, values[i]);
            left[i] &= keep | 0u32.wrapping_sub(u32::from(goes_left));
        }
    }
}

multiversion! {
    /// Adds the values of a tree to the margins of a block of rows, stored by used feature.
    pub(super) fn add(masks: &Masks, block: &[Values], margins: &mut [f64; ROWS]) {
        let (groups, _) = margins.as_chunks_mut::<LANES>();
        for (group, margins) in groups.iter_mut().enumerate() {
            let mut left = [u32::MAX; LANES];
            clear(&masks.to_the_right, false, block, group, &mut left);
            clear(&masks.to_the_left, true, block, group, &mut left);
            for i in 0..LANES {
                margins[i] += masks.values[left[i].trailing_zeros() as usize % LEAVES];
            }
        }
    }
}
