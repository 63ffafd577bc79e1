//! Trees with a limited number of leaves: open nodes are queued, and the first in order is split next.

use super::split::Split;
use super::{Grower, Halves, Node, OpenNode, Position, joined};

/// A node of a tree being grown.
enum Step {
    Leaf { first: usize, rows: usize, position: Position },
    Split { split: Split, position: Position, left: usize, right: usize },
}

/// A queued node, with its best split.
struct Waiting {
    /// Its index among the steps.
    node: usize,
    open: OpenNode,
    split: Split,
    /// Columns that its descendants may split on.
    columns: Vec<u32>,
}

impl Grower<'_> {
    /// As [`Grower::tree`], with at most `max_leaves` leaves. The queued node of the highest gain is split next, or with
    /// `by_level` that of the lowest depth; of equals the one created first.
    pub(in crate::boost) fn limited(
        &self,
        rows: &mut [u32],
        columns: &[u32],
        root: Vec<i64>,
        total: i64,
        max_leaves: usize,
        by_level: bool,
    ) -> Vec<Node> {
        let mut steps = vec![Step::Leaf { first: 0, rows: rows.len(), position: Position::ROOT }];
        let mut line: Vec<Waiting> = Vec::new();
        if let Some(open) = self.root(rows, root, total) {
            self.queue(&mut line, 0, open, columns, rows.len());
        }
        let mut leaves = 1;
        while leaves < max_leaves {
            let before = |a: &Waiting, b: &Waiting| {
                if by_level { a.open.position.depth < b.open.position.depth } else { a.split.gain > b.split.gain }
            };
            let next = (0..line.len()).reduce(|best, i| {
                let (a, b) = (&line[i], &line[best]);
                if before(a, b) || (!before(b, a) && a.node < b.node) { i } else { best }
            });
            let Some(next) = next else { break };
            let Waiting { node, open, split, columns } = line.swap_remove(next);
            let Step::Leaf { first, rows: count, position } = steps[node] else { break };
            let own = &mut rows[first..first + count];
            let Halves { middle, positions, open } = self.halve(own, open, &split, &columns);
            let (left, right) = (steps.len(), steps.len() + 1);
            steps.push(Step::Leaf { first, rows: middle, position: positions[0] });
            steps.push(Step::Leaf { first: first + middle, rows: count - middle, position: positions[1] });
            steps[node] = Step::Split { split, position, left, right };
            leaves += 1;
            for (child, open) in [left, right].into_iter().zip(open) {
                if let Some(open) = open {
                    let count = if child == left { middle } else { count - middle };
                    self.queue(&mut line, child, open, &columns, count);
                }
            }
        }
        line.into_iter().for_each(|waiting| self.buffers.give(waiting.open.histogram));
        self.lay_out(&steps, 0, rows)
    }

    /// Queues a node if it has an accepted split.
    fn queue(&self, line: &mut Vec<Waiting>, node: usize, open: OpenNode, columns: &[u32], rows: usize) {
        match self.search(&open, columns, rows) {
            (Some(split), columns) => line.push(Waiting { node, open, split, columns }),
            (None, _) => self.buffers.give(open.histogram),
        }
    }

    /// The nodes in their final order. Recursion as deep as the tree.
    fn lay_out(&self, steps: &[Step], node: usize, rows: &[u32]) -> Vec<Node> {
        match steps[node] {
            Step::Leaf { first, rows: count, position } => vec![self.leaf(&rows[first..first + count], position)],
            Step::Split { split, position, left, right } => {
                joined(split, position, self.lay_out(steps, left, rows), self.lay_out(steps, right, rows))
            }
        }
    }
}
