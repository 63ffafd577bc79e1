//! Trees as prediction reads them.

use super::Ensemble;
use super::masks::{self, LANES, Masks, ROWS, Values};
use super::tree::{Tree, number_goes_left};
use crate::core::parallel;

/// From this many rows on, a block goes through comparisons rather than row by row.
const BLOCK_FROM: usize = 48;

/// Values of a line of the cache.
const LINE: usize = 16;

/// All trees of a model as prediction reads them.
pub(crate) struct Forest {
    /// Features that splits use, ascending.
    used: Vec<u32>,
    /// By output.
    trees: Vec<Vec<CompactTree>>,
}

impl Forest {
    pub(super) fn of(outputs: &[Ensemble]) -> Self {
        let trees = outputs.iter().flat_map(|output| &output.trees);
        let of_splits =
            |tree: &'_ Tree| (0..tree.len()).filter(|&i| !tree.is_leaf(i)).map(|i| tree.feature[i]).collect::<Vec<_>>();
        let mut used: Vec<u32> = trees.flat_map(of_splits).collect();
        used.sort_unstable();
        used.dedup();
        let trees = parallel::map(outputs.len(), |o| {
            outputs[o].trees.iter().map(|tree| CompactTree::of(tree, &used)).collect()
        });
        Forest { used, trees }
    }

    /// Margins of at most [`ROWS`] rows for some outputs: `by_row` is rows x outputs. A row's margin is the same bits by
    /// whichever way, since its trees are added in their order.
    pub(super) fn margins(&self, outputs: &[(usize, &Ensemble)], rows: &[&[f32]], by_row: &mut [f64]) {
        let mut column = [0.0; ROWS];
        let block = (rows.len() >= BLOCK_FROM).then(|| self.block(rows));
        for (place, &(output, Ensemble { base, trees })) in outputs.iter().enumerate() {
            column[..if block.is_some() { ROWS } else { rows.len() }].fill(*base);
            for (tree, compact) in trees.iter().zip(&self.trees[output]) {
                match (&compact.masks, &block) {
                    (Some(own), Some(block)) => masks::add(own, block, &mut column),
                    _ => compact.add(tree, rows, &mut column[..rows.len()]),
                }
            }
            for (i, &margin) in column[..rows.len()].iter().enumerate() {
                by_row[i * outputs.len() + place] = margin;
            }
        }
    }

    /// The used features of a block by column, as many rows at a time as fill a line of the cache.
    fn block(&self, rows: &[&[f32]]) -> Vec<Values> {
        let mut block: Vec<Values> = vec![[[0.0; LANES]; ROWS / LANES]; self.used.len()];
        for (group, rows) in rows.chunks(LINE).enumerate() {
            for (column, &feature) in block.iter_mut().zip(&self.used) {
                let to = &mut column.as_flattened_mut()[group * LINE..][..rows.len()];
                to.iter_mut().zip(rows).for_each(|(to, row)| *to = row[feature as usize]);
            }
        }
        block
    }
}

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
struct CompactTree {
    nodes: Vec<CompactNode>,
    depth: usize,
    /// Whether some split is categorical; the tree itself is then used.
    categorical: bool,
    /// For blocks of rows.
    masks: Option<Masks>,
}

impl CompactTree {
    fn of(tree: &Tree, used: &[u32]) -> Self {
        let place = |feature: u32| used.binary_search(&feature).unwrap_or(0) as u32;
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
        CompactTree { nodes, depth: tree.depth(), categorical: tree.has_categories(), masks: Masks::of(tree, place) }
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
    fn add(&self, tree: &Tree, rows: &[&[f32]], margins: &mut [f64]) {
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
