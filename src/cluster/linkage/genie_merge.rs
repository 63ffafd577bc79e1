//! Genie's order of merges.
//!
//! The smallest size never falls, and edges passed over while looking for one that touches a cluster of that size can
//! not become such edges later, for clusters only grow. So each smallest size s has one walk over the edges that are
//! left, of which there are fewer than n / s: O(n log n) over all sizes. The sizes themselves are kept in a Fenwick tree,
//! which gives the change of the Gini index in O(log n), in whole numbers.

use crate::cluster::spanning::{Sets, SpanningTree};
use crate::core::{Canonical, Result, Stage};

const NONE: u32 = u32::MAX;

/// All merges as (row, row, weight) in their order: those of equal rows, then Genie's. Rows in `out` take no part.
pub(super) fn merge(
    tree: &SpanningTree,
    canonical: &Canonical,
    out: &[u32],
    threshold: f64,
    stage: &Stage<'_>,
) -> Result<Vec<(u32, u32, f64)>> {
    let rows = tree.len() + 1;
    let mut sets = Sets::new(rows);
    let group = canonical.group_of_row();
    let mut takes_part = vec![true; rows];
    out.iter().for_each(|&row| takes_part[row as usize] = false);
    let mut joins = Vec::with_capacity(tree.len());
    let mut edges: Vec<(u32, u32, f64)> = Vec::with_capacity(tree.len());
    for (a, b, weight) in tree.edges().filter(|&(a, b, _)| takes_part[a] && takes_part[b]) {
        if group[a] == group[b] {
            sets.join(a as u32, b as u32);
            joins.push((a as u32, b as u32, weight));
        } else {
            edges.push((a as u32, b as u32, weight));
        }
    }
    let members = rows - out.len();
    let mut sizes = Sizes::new(members);
    for row in (0..rows as u32).filter(|&row| takes_part[row as usize]) {
        if sets.find(row) == row {
            sizes.change(sets.size(row), 1);
        }
    }
    sizes.gini = sizes.all_gaps();
    // The edges that are left, as a list.
    let mut after: Vec<u32> = (1..=edges.len() as u32).collect();
    let mut before: Vec<u32> = (0..edges.len() as u32).map(|e| e.wrapping_sub(1)).collect();
    if let Some(last) = after.last_mut() {
        *last = NONE;
    }
    let mut gone = vec![false; edges.len()];
    let mut first = if edges.is_empty() { NONE } else { 0 };
    let (mut least, mut cursor, mut walked_for) = (1u32, first, 0u32);
    for clusters in (2..=edges.len() + 1).rev() {
        while sizes.count_of(least) == 0 {
            least += 1;
        }
        let unequal = threshold < 1.0 && {
            let gini = sizes.gini as f64 / ((clusters as f64 - 1.0) * members as f64);
            gini > threshold
        };
        let edge = if unequal {
            if walked_for != least {
                (walked_for, cursor) = (least, first);
            }
            loop {
                let (a, b, _) = edges[cursor as usize];
                if !gone[cursor as usize] && {
                    let (x, y) = (sets.find(a), sets.find(b));
                    sets.size(x) == least || sets.size(y) == least
                } {
                    break cursor;
                }
                cursor = after[cursor as usize];
                debug_assert!(cursor != NONE, "a cluster beside others has an edge");
            }
        } else {
            first
        };
        let (a, b, weight) = edges[edge as usize];
        let (x, y) = (sets.find(a), sets.find(b));
        if threshold < 1.0 {
            sizes.merge(sets.size(x), sets.size(y));
        } else {
            sizes.change(sets.size(x), -1);
            sizes.change(sets.size(y), -1);
            sizes.change(sets.size(x) + sets.size(y), 1);
        }
        sets.join(x, y);
        joins.push((a, b, weight));
        gone[edge as usize] = true;
        let (p, n) = (before[edge as usize], after[edge as usize]);
        match p {
            NONE => first = n,
            p => after[p as usize] = n,
        }
        if n != NONE {
            before[n as usize] = p;
        }
        if clusters % 65_536 == 0 {
            stage.step(joins.len())?;
        }
    }
    Ok(joins)
}

/// How many clusters there are of each size, and Σ over pairs of |xᵢ - xⱼ|.
struct Sizes {
    count: Vec<u32>,
    /// A Fenwick tree of (number, sum of sizes).
    tree: Vec<(u32, u64)>,
    clusters: i64,
    rows: i64,
    gini: i128,
}

impl Sizes {
    fn new(rows: usize) -> Self {
        Sizes { count: vec![0; rows + 1], tree: vec![(0, 0); rows + 1], clusters: 0, rows: 0, gini: 0 }
    }

    fn count_of(&self, size: u32) -> u32 {
        self.count[size as usize]
    }

    /// Adds or takes one cluster of a size.
    fn change(&mut self, size: u32, by: i32) {
        let own = &mut self.count[size as usize];
        *own = own.wrapping_add_signed(by);
        self.clusters += i64::from(by);
        self.rows += i64::from(by) * i64::from(size);
        let mut at = size as usize;
        while at < self.tree.len() {
            let node = &mut self.tree[at];
            *node = (node.0.wrapping_add_signed(by), node.1.wrapping_add_signed(i64::from(by) * i64::from(size)));
            at += at & at.wrapping_neg();
        }
    }

    /// Σ over the clusters of |size - xᵢ|.
    fn gaps(&self, size: u32) -> i128 {
        let (mut count, mut sum) = (0i64, 0i64);
        let mut at = size as usize;
        while at > 0 {
            count += i64::from(self.tree[at].0);
            sum += self.tree[at].1 as i64;
            at &= at - 1;
        }
        let size = i128::from(size);
        size * i128::from(2 * count - self.clusters) + i128::from(self.rows - 2 * sum)
    }

    fn all_gaps(&self) -> i128 {
        let sizes = (1..self.count.len()).filter(|&size| self.count[size] > 0);
        sizes.map(|size| i128::from(self.count[size]) * self.gaps(size as u32)).sum::<i128>() / 2
    }

    fn merge(&mut self, a: u32, b: u32) {
        self.change(a, -1);
        self.gini -= self.gaps(a);
        self.change(b, -1);
        self.gini -= self.gaps(b);
        self.gini += self.gaps(a + b);
        self.change(a + b, 1);
    }
}
