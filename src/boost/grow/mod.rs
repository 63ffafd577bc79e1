//! One tree, grown from its root's histogram.
//!
//! Nodes are visited depth first, so that a node's histogram is still in the cache when its children need it; without a
//! limit on the number of leaves the tree is the same as level by level. Only the smaller child's histogram is built, the
//! other one is the parent's less it. The recursion is as deep as `max_depth`, at most 64; both children of a large node
//! are tasks of their own. `limited` grows trees of a given number of leaves from the same steps.

mod histogram;
mod leaves;
mod limited;
mod roots;
mod rules;
mod scan;
mod search;
mod split;

pub(super) use histogram::SIDE_BY_SIDE;
pub(super) use leaves::{Leaves, partition};
pub(super) use roots::Roots;
pub(super) use rules::Rules;
pub(super) use split::Split;

use super::bins::{ABREAST, Bins, DENSE_SLOTS};
use super::gradient::{Gradients, h_of};
use super::sample::TreeColumns;
use crate::core::spare::Spare;
use crate::core::{parallel, random};
use rules::Bounds;
use search::SearchedNode;
use std::ops::Range;

/// Columns that are searched as one piece; fixed, so that ties are resolved alike at any number of threads.
const COLUMNS: usize = 128;
/// From this many rows on, a node's parts are tasks of their own.
pub(super) const TASK_ROWS: usize = 2048;
/// From this many rows on, few bins of a node's dense columns are empty.
const CROWD: usize = 512;
/// Rows that one task adds to a histogram.
const BUILD_ROWS: usize = 16_384;

/// A node of a grown tree; children follow their parent.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The split, None for a leaf.
    pub(super) split: Option<Split>,
    /// Distance to the right child; the left one is next.
    pub(super) right: u32,
    /// Number of a leaf among the tree's [`Leaves`].
    pub(super) leaf: u32,
    /// Bounds of its value from monotone constraints.
    pub(super) bounds: Bounds,
}

/// What the nodes of a tree share.
pub(super) struct Grower<'a> {
    pub(super) bins: &'a Bins,
    pub(super) gradients: &'a Gradients,
    pub(super) rules: &'a Rules,
    pub(super) max_depth: usize,
    pub(super) columns: &'a TreeColumns,
    pub(super) buffers: &'a Buffers,
    pub(super) leaves: &'a Leaves,
}

/// Histograms to use again.
pub(super) struct Buffers {
    slots: usize,
    free: Spare<Vec<i64>>,
}

impl Buffers {
    pub(super) fn new(slots: usize) -> Self {
        Buffers { slots, free: Spare::default() }
    }

    /// A histogram of unspecified content.
    pub(super) fn take(&self) -> Vec<i64> {
        self.free.take(|| vec![0; self.slots])
    }

    fn give(&self, buffer: Vec<i64>) {
        self.free.give(buffer);
    }
}

/// The position of a node in its tree.
#[derive(Clone, Copy, Debug)]
struct Position {
    depth: usize,
    /// Distinguishes the nodes of a tree.
    id: u64,
    bounds: Bounds,
}

impl Position {
    const ROOT: Position = Position { depth: 0, id: 1, bounds: Bounds::NONE };

    fn child(self, side: u64, bounds: Bounds) -> Position {
        Position { depth: self.depth + 1, id: random::mix(self.id.wrapping_mul(2).wrapping_add(side)), bounds }
    }
}

/// A node about to be split.
struct OpenNode {
    histogram: Vec<i64>,
    /// Coarse sum over its rows.
    total: i64,
    position: Position,
}

/// A node after its split: the number of rows on the left, and the children that may be split.
struct Halves {
    middle: usize,
    positions: [Position; 2],
    open: [Option<OpenNode>; 2],
}

impl Grower<'_> {
    /// Grows the tree from the root's histogram, over `columns` (ascending). Reorders `rows`, and assigns each to its leaf.
    pub(super) fn tree(&self, rows: &mut [u32], columns: &[u32], root: Vec<i64>, total: i64) -> Vec<Node> {
        match self.root(rows, root, total) {
            Some(root) => self.grow(rows, columns, root),
            None => vec![self.leaf(rows, Position::ROOT)],
        }
    }

    /// The root, if it may be split.
    fn root(&self, rows: &[u32], histogram: Vec<i64>, total: i64) -> Option<OpenNode> {
        if self.may_split(rows.len(), total, 0) {
            return Some(OpenNode { histogram, total, position: Position::ROOT });
        }
        self.buffers.give(histogram);
        None
    }

    /// Whether a node at this depth could have two children of at least `min_child_weight`.
    fn may_split(&self, rows: usize, total: i64, depth: usize) -> bool {
        let weight = f64::from(h_of(total)) * self.gradients.step.1;
        depth < self.max_depth && rows > 1 && weight >= 2.0 * self.rules.min_child_weight
    }

    fn leaf(&self, rows: &[u32], position: Position) -> Node {
        Node { split: None, right: 0, leaf: self.leaves.add(rows), bounds: position.bounds }
    }

    fn grow(&self, rows: &mut [u32], columns: &[u32], node: OpenNode) -> Vec<Node> {
        let position = node.position;
        let (split, open) = self.search(&node, columns, rows.len());
        let Some(split) = split else {
            self.buffers.give(node.histogram);
            return vec![self.leaf(rows, position)];
        };
        let totals = [split.left, node.total.wrapping_sub(split.left)];
        if totals.iter().all(|&total| !self.may_split(rows.len(), total, position.depth + 1)) {
            let bounds = self.rules.divide(&split, node.total, position.bounds, self.gradients.step);
            self.buffers.give(node.histogram);
            let first = self.leaves.add_both(self.bins, rows, &split);
            let leaf =
                |side: usize| vec![Node { split: None, right: 0, leaf: first + side as u32, bounds: bounds[side] }];
            return joined(split, position, leaf(0), leaf(1));
        }
        let Halves { middle, positions, open: [left_open, right_open] } = self.halve(rows, node, &split, &open);
        let (left, right) = rows.split_at_mut(middle);
        let grow = |rows: &mut [u32], child, position| match child {
            Some(child) => self.grow(rows, &open, child),
            None => vec![self.leaf(rows, position)],
        };
        let (left_nodes, right_nodes) = if left.len().min(right.len()) >= TASK_ROWS {
            parallel::join(|| grow(left, left_open, positions[0]), || grow(right, right_open, positions[1]))
        } else {
            (grow(left, left_open, positions[0]), grow(right, right_open, positions[1]))
        };
        joined(split, position, left_nodes, right_nodes)
    }

    /// The best split that is accepted, and the columns that its descendants may split on.
    fn search(&self, node: &OpenNode, columns: &[u32], rows: usize) -> (Option<Split>, Vec<u32>) {
        let drawn = self.columns.at(node.position.depth, node.position.id);
        let (bounds, step) = (node.position.bounds, self.gradients.step);
        let searched = SearchedNode { total: node.total, bounds, drawn: &drawn, step, crowded: rows >= CROWD };
        let piece = |range: Range<usize>| {
            let mut open = Vec::with_capacity(range.len());
            let found = search::search(self.bins, &node.histogram, &columns[range], searched, self.rules, &mut open);
            (found, open)
        };
        let pieces = if rows >= TASK_ROWS {
            parallel::map_ranges(columns.len(), COLUMNS, piece)
        } else {
            (0..columns.len()).step_by(COLUMNS).map(|at| piece(at..(at + COLUMNS).min(columns.len()))).collect()
        };
        let (found, open): (Vec<_>, Vec<_>) = pieces.into_iter().unzip();
        (search::decide(&found, searched, self.rules), open.concat())
    }

    /// Partitions a node's rows and prepares its children.
    fn halve(&self, rows: &mut [u32], node: OpenNode, split: &Split, columns: &[u32]) -> Halves {
        let middle = leaves::partition(self.bins, rows, split);
        let (left, right) = rows.split_at(middle);
        let totals = [split.left, node.total.wrapping_sub(split.left)];
        let bounds = self.rules.divide(split, node.total, node.position.bounds, self.gradients.step);
        let positions = [node.position.child(0, bounds[0]), node.position.child(1, bounds[1])];
        let open = self.children([left, right], totals, columns, node.histogram, positions);
        Halves { middle, positions, open }
    }

    /// Histograms of those children that may be split. The parent's is reused for the child with more rows.
    fn children(
        &self,
        rows: [&[u32]; 2],
        totals: [i64; 2],
        columns: &[u32],
        parent: Vec<i64>,
        positions: [Position; 2],
    ) -> [Option<OpenNode>; 2] {
        let wanted = [0, 1].map(|i| self.may_split(rows[i].len(), totals[i], positions[i].depth));
        let open = |i: usize, histogram| Some(OpenNode { histogram, total: totals[i], position: positions[i] });
        let small = usize::from(rows[1].len() < rows[0].len());
        let large = 1 - small;
        let mut children = [None, None];
        if !wanted[0] && !wanted[1] {
            self.buffers.give(parent);
            return children;
        }
        let mut histogram = self.buffers.take();
        // Only the larger child is needed, and it is hardly larger: building it is cheaper than subtracting.
        let direct =
            !wanted[small] && (rows[large].len() - rows[small].len()) * self.bins.density() < self.slots_of(columns);
        let built = if direct { large } else { small };
        self.build(&mut histogram, rows[built], columns);
        if direct {
            self.buffers.give(parent);
            children[large] = open(large, histogram);
            return children;
        }
        if wanted[large] {
            let mut rest = parent;
            for range in self.runs(columns) {
                histogram::subtract(&mut rest[range.clone()], &histogram[range]);
            }
            children[large] = open(large, rest);
        } else {
            self.buffers.give(parent);
        }
        if wanted[small] {
            children[small] = open(small, histogram);
        } else {
            self.buffers.give(histogram);
        }
        children
    }

    fn slots_of(&self, columns: &[u32]) -> usize {
        columns.iter().map(|&c| self.bins.columns[c as usize].width).sum()
    }

    /// Slot ranges of the columns, adjacent ones merged: first dense columns, then sparse ones.
    fn runs(&self, columns: &[u32]) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::new();
        for dense in [true, false] {
            for column in columns.iter().map(|&c| &self.bins.columns[c as usize]).filter(|c| c.dense == dense) {
                match runs.last_mut() {
                    Some(run) if run.end == column.first => run.end += column.width,
                    _ => runs.push(column.first..column.first + column.width),
                }
            }
        }
        runs
    }

    /// Sets the slots of `columns` to the sums over `rows`; other slots are unspecified afterwards.
    pub(super) fn build(&self, histogram: &mut [i64], rows: &[u32], columns: &[u32]) {
        let runs = self.runs(columns);
        let mut blocks: Vec<usize> = Vec::new();
        for column in columns.iter().map(|&c| &self.bins.columns[c as usize]).filter(|column| column.dense) {
            let block = column.first / (ABREAST * DENSE_SLOTS);
            if blocks.last() != Some(&block) {
                blocks.push(block);
            }
        }
        for run in &runs {
            histogram[run.clone()].fill(0);
        }
        let packed = &self.gradients.packed;
        if rows.len() < 2 * BUILD_ROWS {
            return histogram::build(self.bins, packed, rows, &blocks, histogram);
        }
        let parts = parallel::map_ranges(rows.len(), BUILD_ROWS.max(rows.len() / 16), |range| {
            let mut part = self.buffers.take();
            runs.iter().for_each(|run| part[run.clone()].fill(0));
            histogram::build(self.bins, packed, &rows[range], &blocks, &mut part);
            part
        });
        for part in parts {
            runs.iter().for_each(|run| histogram::add(&mut histogram[run.clone()], &part[run.clone()]));
            self.buffers.give(part);
        }
    }
}

/// A split node with all nodes below it, parents first and left before right.
fn joined(split: Split, position: Position, mut left: Vec<Node>, right: Vec<Node>) -> Vec<Node> {
    let top = Node { split: Some(split), right: left.len() as u32 + 1, leaf: 0, bounds: position.bounds };
    left.insert(0, top);
    left.extend(right);
    left
}
