//! One tree, grown from its root's histogram.
//!
//! A node's histogram, its split and its children's histograms follow each other while they are in the cache, so nodes
//! are visited depth first; without a limit on the number of leaves the tree is the same as level by level. Only the
//! lighter child's histogram is built, the other is the parent's less it. The recursion is as deep as `max_depth`, which
//! is at most 64; both children of a large node are tasks of their own.

use super::bins::Bins;
use super::gradient::{Gradients, h_of};
use super::histogram::{self, Rules, Split};
use crate::core::parallel;
use std::ops::Range;
use std::sync::Mutex;

/// Columns that are searched as one piece; fixed, so that ties fall alike at any number of threads.
const COLUMNS: usize = 128;
/// Rows of a node from which its parts are worth tasks of their own.
const TASK_ROWS: usize = 2048;
/// Rows that one task adds to a histogram.
const BUILD_ROWS: usize = 16_384;

/// A node of a grown tree; children follow their parent.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The split, None for a leaf.
    pub(super) split: Option<Split>,
    /// Distance to the right child; the left one is next.
    pub(super) right: u32,
    /// Where a leaf's rows lie in the row list.
    pub(super) rows: Range<usize>,
    /// Fine sums of g and h; of a split the sum of both children.
    pub(super) sum: (i64, i64),
}

/// What all nodes of a tree share.
pub(super) struct Grower<'a> {
    pub(super) bins: &'a Bins,
    pub(super) gradients: &'a Gradients,
    pub(super) rules: Rules,
    pub(super) max_depth: usize,
    pub(super) buffers: &'a Buffers,
}

/// Histograms to use again.
pub(super) struct Buffers {
    slots: usize,
    free: Mutex<Vec<Vec<i64>>>,
}

impl Buffers {
    pub(super) fn new(slots: usize) -> Self {
        Buffers { slots, free: Mutex::default() }
    }

    /// A histogram of unknown content.
    pub(super) fn take(&self) -> Vec<i64> {
        let spare = self.free.lock().ok().and_then(|mut free| free.pop());
        spare.unwrap_or_else(|| vec![0; self.slots])
    }

    pub(super) fn give(&self, buffer: Vec<i64>) {
        if let Ok(mut free) = self.free.lock() {
            free.push(buffer);
        }
    }
}

/// A node about to be split.
struct Open {
    histogram: Vec<i64>,
    /// Coarse sum over its rows.
    total: i64,
}

impl Grower<'_> {
    /// Grows the tree whose root has the given histogram, over `columns` (ascending). Reorders `rows` so that the rows
    /// of each leaf lie together.
    pub(super) fn tree(&self, rows: &mut [u32], columns: &[u32], root: Vec<i64>, total: i64) -> Vec<Node> {
        if !self.may_split(rows.len(), total, 0) {
            self.buffers.give(root);
            return vec![self.leaf(rows, 0)];
        }
        self.grow(rows, 0, columns, Open { histogram: root, total }, 0)
    }

    /// Whether a node at this depth could have two children that weigh enough.
    fn may_split(&self, rows: usize, total: i64, depth: usize) -> bool {
        let weight = f64::from(h_of(total)) * self.gradients.step.1;
        depth < self.max_depth && rows > 1 && weight >= 2.0 * self.rules.min_child_weight
    }

    fn leaf(&self, rows: &[u32], first: usize) -> Node {
        Node { split: None, right: 0, rows: first..first + rows.len(), sum: self.gradients.sum(rows) }
    }

    fn grow(&self, rows: &mut [u32], first: usize, columns: &[u32], node: Open, depth: usize) -> Vec<Node> {
        let Open { histogram, total } = node;
        let (split, open) = self.search(&histogram, columns, total, rows.len());
        let Some(split) = split else {
            self.buffers.give(histogram);
            return vec![self.leaf(rows, first)];
        };
        let middle = self.partition(rows, &split);
        let (left, right) = rows.split_at_mut(middle);
        let totals = [split.left, total.wrapping_sub(split.left)];
        let [left_open, right_open] = self.children([left, right], totals, &open, histogram, depth + 1);
        let grow = |rows: &mut [u32], first, child| match child {
            Some(child) => self.grow(rows, first, &open, child, depth + 1),
            None => vec![self.leaf(rows, first)],
        };
        let (mut left_nodes, right_nodes) = if left.len().min(right.len()) >= TASK_ROWS {
            parallel::join(|| grow(left, first, left_open), || grow(right, first + middle, right_open))
        } else {
            (grow(left, first, left_open), grow(right, first + middle, right_open))
        };
        let (a, b) = (left_nodes[0].sum, right_nodes[0].sum);
        let sum = (a.0 + b.0, a.1 + b.1);
        let top = Node { split: Some(split), right: left_nodes.len() as u32 + 1, rows: 0..0, sum };
        left_nodes.insert(0, top);
        left_nodes.extend(right_nodes);
        left_nodes
    }

    /// The best split that pays, and the columns still open below.
    fn search(&self, histogram: &[i64], columns: &[u32], total: i64, rows: usize) -> (Option<Split>, Vec<u32>) {
        let piece = |range: Range<usize>| {
            let mut open = Vec::with_capacity(range.len());
            let step = self.gradients.step;
            let found = histogram::search(self.bins, histogram, &columns[range], total, &self.rules, step, &mut open);
            (found, open)
        };
        let pieces = if rows >= TASK_ROWS {
            parallel::map_ranges(columns.len(), COLUMNS, piece)
        } else {
            (0..columns.len()).step_by(COLUMNS).map(|at| piece(at..(at + COLUMNS).min(columns.len()))).collect()
        };
        let (found, open): (Vec<_>, Vec<_>) = pieces.into_iter().unzip();
        (histogram::decide(&found, total, &self.rules, self.gradients.step), open.concat())
    }

    /// Moves the rows that go left before those that go right, each side in its old order; returns how many go left.
    fn partition(&self, rows: &mut [u32], split: &Split) -> usize {
        let codes = self.bins.column(split.column as usize);
        let column = &self.bins.columns[split.column as usize];
        let missing = column.cuts.len();
        let mut right = vec![0u32; rows.len()];
        let (mut lefts, mut rights) = (0, 0);
        for i in 0..rows.len() {
            let row = rows[i];
            let code = usize::from(codes[row as usize]);
            let goes_left = (code <= usize::from(split.bin)) | (split.missing_left & (code == missing));
            let goes_left = goes_left & (split.missing_left | (code != missing));
            rows[lefts] = row;
            right[rights] = row;
            lefts += usize::from(goes_left);
            rights += usize::from(!goes_left);
        }
        rows[lefts..].copy_from_slice(&right[..rights]);
        lefts
    }

    /// Histograms of those children that may split further. The parent's becomes that of the child with more rows.
    fn children(
        &self,
        rows: [&[u32]; 2],
        totals: [i64; 2],
        columns: &[u32],
        parent: Vec<i64>,
        depth: usize,
    ) -> [Option<Open>; 2] {
        let wanted = [0, 1].map(|i| self.may_split(rows[i].len(), totals[i], depth));
        let small = usize::from(rows[1].len() < rows[0].len());
        let large = 1 - small;
        let mut children = [None, None];
        if !wanted[0] && !wanted[1] {
            self.buffers.give(parent);
            return children;
        }
        let mut histogram = self.buffers.take();
        // Only the larger child is wanted, and it is hardly larger: no subtraction needed.
        let direct =
            !wanted[small] && (rows[large].len() - rows[small].len()) * self.bins.density() < self.slots_of(columns);
        let built = if direct { large } else { small };
        self.build(&mut histogram, rows[built], columns);
        if direct {
            self.buffers.give(parent);
            children[large] = Some(Open { histogram, total: totals[large] });
            return children;
        }
        if wanted[large] {
            let mut rest = parent;
            for range in self.runs(columns) {
                histogram::subtract(&mut rest[range.clone()], &histogram[range]);
            }
            children[large] = Some(Open { histogram: rest, total: totals[large] });
        } else {
            self.buffers.give(parent);
        }
        if wanted[small] {
            children[small] = Some(Open { histogram, total: totals[small] });
        } else {
            self.buffers.give(histogram);
        }
        children
    }

    fn slots_of(&self, columns: &[u32]) -> usize {
        columns.iter().map(|&c| self.bins.columns[c as usize].bins).sum()
    }

    /// Slots of the columns, neighbours joined.
    fn runs(&self, columns: &[u32]) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::new();
        for &c in columns {
            let column = &self.bins.columns[c as usize];
            match runs.last_mut() {
                Some(run) if run.end == column.first => run.end += column.bins,
                _ => runs.push(column.first..column.first + column.bins),
            }
        }
        runs
    }

    /// Sets the slots of `columns` to the sums over `rows`; other slots hold nothing of use afterwards.
    pub(super) fn build(&self, histogram: &mut [i64], rows: &[u32], columns: &[u32]) {
        let runs = self.runs(columns);
        for run in &runs {
            histogram[run.clone()].fill(0);
        }
        if rows.len() < 2 * BUILD_ROWS {
            return histogram::build(self.bins, &self.gradients.packed, rows, histogram);
        }
        let parts = parallel::map_ranges(rows.len(), BUILD_ROWS.max(rows.len() / 16), |range| {
            let mut part = self.buffers.take();
            runs.iter().for_each(|run| part[run.clone()].fill(0));
            histogram::build(self.bins, &self.gradients.packed, &rows[range], &mut part);
            part
        });
        for part in parts {
            runs.iter().for_each(|run| histogram::add(&mut histogram[run.clone()], &part[run.clone()]));
            self.buffers.give(part);
        }
    }
}
