//! From a spanning tree to the hierarchy of its components, all merges of one weight at once.
//!
//! A binary dendrogram must put edges of equal weight in some order, and its clusters then depend on that order. Here
//! all components that edges of one weight connect become children of a single node, so the hierarchy is a function of
//! the distances alone, whichever of several minimum spanning trees it was made from.

use super::spanning::SpanningTree;

const NONE: u32 = u32::MAX;

/// Disjoint sets, joined by size.
pub(super) struct Sets {
    parent: Vec<u32>,
    size: Vec<u32>,
}

impl Sets {
    pub(super) fn new(n: usize) -> Self {
        Sets { parent: (0..n as u32).collect(), size: vec![1; n] }
    }

    /// The set's root; halves the path on the way.
    pub(super) fn find(&mut self, mut x: u32) -> u32 {
        while self.parent[x as usize] != x {
            let up = self.parent[self.parent[x as usize] as usize];
            self.parent[x as usize] = up;
            x = up;
        }
        x
    }

    /// Joins two sets; (the root that stays, the root that goes), or none if they were one.
    pub(super) fn join(&mut self, a: u32, b: u32) -> Option<(u32, u32)> {
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return None;
        }
        let (keep, goes) = if self.size[a as usize] >= self.size[b as usize] { (a, b) } else { (b, a) };
        self.parent[goes as usize] = keep;
        self.size[keep as usize] += self.size[goes as usize];
        Some((keep, goes))
    }
}

/// The hierarchy of components. Items 0..rows are rows; item rows + i is node i.
///
/// Nodes stand in ascending weight: a node's children come before it.
pub(super) struct Hierarchy {
    pub(super) rows: usize,
    /// Merge distance of each node.
    pub(super) weight: Vec<f64>,
    /// Rows under each node.
    pub(super) size: Vec<u32>,
    /// First child of each node; empty (a node merged away into one of equal weight) if there is none.
    first: Vec<u32>,
    last: Vec<u32>,
    /// Next child of the same parent, by item.
    next: Vec<u32>,
    /// Lowest place among each item's rows; the place of a row is where it first appears in the spanning tree.
    place: Vec<u32>,
}

impl Hierarchy {
    /// Builds it in O(n α(n)) from edges in ascending weight.
    pub(super) fn new(tree: &SpanningTree) -> Self {
        let rows = tree.len() + 1;
        let mut h = Hierarchy {
            rows,
            weight: Vec::new(),
            size: Vec::new(),
            first: Vec::new(),
            last: Vec::new(),
            next: vec![NONE; rows],
            place: vec![NONE; rows],
        };
        for i in 0..tree.len() {
            for row in [tree.a[i], tree.b[i]] {
                let place = &mut h.place[row as usize];
                *place = (*place).min(2 * i as u32);
            }
        }
        let mut sets = Sets::new(rows);
        // The item that stands for each set, by its root.
        let mut item: Vec<u32> = (0..rows as u32).collect();
        let mut level_start = 0;
        for i in 0..tree.len() {
            let weight = tree.weight[i];
            if i > 0 && weight != tree.weight[i - 1] {
                level_start = h.weight.len();
            }
            let (a, b) = (sets.find(tree.a[i]), sets.find(tree.b[i]));
            let Some((keep, _)) = sets.join(a, b) else { continue };
            let (x, y) = (item[a as usize], item[b as usize]);
            let new = |item: u32| item as usize >= rows + level_start;
            item[keep as usize] = match (new(x), new(y)) {
                (true, true) => h.absorb(x, y),
                (true, false) => h.append(x, y),
                (false, true) => h.append(y, x),
                (false, false) => {
                    let node = (rows + h.weight.len()) as u32;
                    h.weight.push(weight);
                    h.size.push(0);
                    h.first.push(NONE);
                    h.last.push(NONE);
                    h.next.push(NONE);
                    h.place.push(NONE);
                    h.append(node, x);
                    h.append(node, y)
                }
            };
        }
        h
    }

    /// Rows under an item.
    pub(super) fn size_of(&self, item: u32) -> u32 {
        if (item as usize) < self.rows { 1 } else { self.size[item as usize - self.rows] }
    }

    /// Lowest place among an item's rows.
    pub(super) fn place_of(&self, item: u32) -> u32 {
        self.place[item as usize]
    }

    /// Children of node `node` (0 is the lightest).
    pub(super) fn children(&self, node: usize) -> impl Iterator<Item = u32> + '_ {
        let start = Some(self.first[node]).filter(|&item| item != NONE);
        std::iter::successors(start, |&item| Some(self.next[item as usize]).filter(|&next| next != NONE))
    }

    fn append(&mut self, node: u32, child: u32) -> u32 {
        let n = node as usize - self.rows;
        match self.last[n] {
            NONE => self.first[n] = child,
            last => self.next[last as usize] = child,
        }
        self.last[n] = child;
        self.size[n] += self.size_of(child);
        self.place[node as usize] = self.place[node as usize].min(self.place[child as usize]);
        node
    }

    /// Moves all children of the later node to the earlier one, both of the same weight.
    fn absorb(&mut self, x: u32, y: u32) -> u32 {
        let (keep, goes) = (x.min(y), x.max(y));
        let (k, g) = (keep as usize - self.rows, goes as usize - self.rows);
        self.next[self.last[k] as usize] = self.first[g];
        self.last[k] = self.last[g];
        self.size[k] += self.size[g];
        self.place[keep as usize] = self.place[keep as usize].min(self.place[goes as usize]);
        (self.first[g], self.last[g], self.size[g]) = (NONE, NONE, 0);
        keep
    }
}
