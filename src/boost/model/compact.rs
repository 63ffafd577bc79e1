//! Trees as prediction reads them.

use super::tree::{Tree, number_goes_left};

/// Rows that descend a tree together, so that their loads overlap.
const ABREAST: usize = 8;

/// A node as prediction reads it: 16 bytes. A leaf's children are itself.
#[derive(Clone, Copy)]
struct CompactNode {
    threshold: f32,
    /// Feature, with the highest bit set where missing values go left.
    feature: u32,
    left: u32,
    right: u32,
}

const MISSING_LEFT: u32 = 1 << 31;

/// A tree as prediction reads it.
pub(crate) struct CompactTree {
    nodes: Vec<CompactNode>,
    depth: usize,
    /// Whether some split is categorical; the tree itself is then used.
    categorical: bool,
}

impl CompactTree {
    pub(super) fn of(tree: &Tree) -> Self {
        let nodes = (0..tree.len())
            .map(|i| {
                let leaf = tree.is_leaf(i);
                let own = |child: u32| if leaf { i as u32 } else { child };
                CompactNode {
                    threshold: tree.threshold[i],
                    feature: tree.feature[i] | if tree.default_left[i] { MISSING_LEFT } else { 0 },
                    left: own(tree.left[i]),
                    right: own(tree.right[i]),
                }
            })
            .collect();
        CompactTree { nodes, depth: tree.depth(), categorical: tree.has_categories() }
    }

    /// The child that a row goes to, where all splits are numeric.
    #[inline(always)]
    fn next(&self, at: usize, row: &[f32]) -> usize {
        let node = &self.nodes[at];
        let x = row[(node.feature & !MISSING_LEFT) as usize];
        let left = number_goes_left(node.threshold, node.feature & MISSING_LEFT != 0, x);
        // By a mask, since the compiler makes a branch of a choice now and then, which is guessed wrong half of the time.
        (node.right ^ ((node.left ^ node.right) & 0u32.wrapping_sub(u32::from(left)))) as usize
    }

    /// Adds the value of `tree`, whose compact form this is, to each row's margin.
    #[inline(never)]
    pub(super) fn add(&self, tree: &Tree, rows: &[&[f32]], margins: &mut [f64]) {
        if self.categorical {
            for (row, margin) in rows.iter().zip(margins) {
                *margin += f64::from(tree.value[tree.descend(row, |_| {})]);
            }
            return;
        }
        let (full, rest) = rows.as_chunks::<ABREAST>();
        let (full_margins, rest_margins) = margins.split_at_mut(full.len() * ABREAST);
        for (rows, margins) in full.iter().zip(full_margins.chunks_exact_mut(ABREAST)) {
            let mut at = [0usize; ABREAST];
            for _ in 0..self.depth {
                for i in 0..ABREAST {
                    at[i] = self.next(at[i], rows[i]);
                }
            }
            for (margin, at) in margins.iter_mut().zip(at) {
                *margin += f64::from(tree.value[at]);
            }
        }
        for (row, margin) in rest.iter().zip(rest_margins) {
            let leaf = (0..self.depth).fold(0, |at, _| self.next(at, row));
            *margin += f64::from(tree.value[leaf]);
        }
    }
}
