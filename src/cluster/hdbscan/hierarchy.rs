//! From a spanning tree to the hierarchy of its components, all merges of one weight at once.
//!
//! Mutual reachability has many ties: every edge inside a core distance weighs that core distance. A binary
//! dendrogram must put such edges in some order, and then shows clusters that exist at no density, only between two
//! edges of one weight. Here, as in the paper (Campello et al. 2013, algorithm 1, step 4: tied edges are removed
//! simultaneously), all components that edges of one weight connect become children of a single node.
//!
//! One thing is left to decide: where two or more clusters merge at a weight, rows that join both at that very weight (a
//! row between them, whose core distance is the weight) could go to either, or be noise. They go where their shortest
//! edge leads, as members that leave at once; Python's hdbscan assigns them to one side too, but to which depends on the
//! order of its edges.

use crate::cluster::spanning::{ONE, Sets, SpanningTree};

const NONE: u32 = u32::MAX;

/// What rows weigh, in parts of [`ONE`], and where a row of several is so dense that it is a component by itself.
#[derive(Clone, Copy)]
pub(super) struct Mass<'a> {
    /// None when each row weighs one.
    pub(super) weights: Option<&'a [u64]>,
    pub(super) core: &'a [f64],
}

impl Mass<'_> {
    pub(super) fn of(&self, row: usize) -> u64 {
        self.weights.map_or(ONE, |weights| weights[row])
    }
}

/// The hierarchy of components. Items 0..rows are rows; item rows + i is node i.
///
/// Nodes stand in ascending weight: a node's children come before it.
pub(super) struct Hierarchy<'a> {
    pub(super) rows: usize,
    pub(super) mass: Mass<'a>,
    /// Merge distance of each node.
    pub(super) weight: Vec<f64>,
    /// Weight of the rows under each node.
    pub(super) size: Vec<u64>,
    /// First child of each node.
    first: Vec<u32>,
    /// Next child of the same parent, by item.
    next: Vec<u32>,
    /// Lowest place among each item's rows; the place of a row is where it first appears in the spanning tree.
    place: Vec<u32>,
}

impl<'a> Hierarchy<'a> {
    /// Builds it in O(n α(n)) from edges in ascending weight, for clusters that weigh at least `least`.
    pub(super) fn new(tree: &SpanningTree, mass: Mass<'a>, least: u64) -> Self {
        let rows = tree.len() + 1;
        let mut h = Hierarchy {
            rows,
            mass,
            weight: Vec::with_capacity(rows),
            size: Vec::with_capacity(rows),
            first: Vec::with_capacity(rows),
            next: vec![NONE; rows],
            place: vec![NONE; rows],
        };
        for i in 0..tree.len() {
            for row in [tree.a[i], tree.b[i]] {
                let place = &mut h.place[row as usize];
                *place = (*place).min(i as u32);
            }
        }
        let mut sets = Sets::new(rows);
        // The item that stands for each set, by its root.
        let mut item: Vec<u32> = (0..rows as u32).collect();
        let mut level = Level { sides: Sets::new(rows), largest: vec![0; rows], ..Level::default() };
        let mut at = 0;
        while at < tree.len() {
            let weight = tree.weight[at];
            let end = at + tree.weight[at..].iter().take_while(|&&w| w == weight).count();
            if end - at == 1 {
                let (a, b) = (sets.find(tree.a[at]), sets.find(tree.b[at]));
                let node = h.node(weight, [item[a as usize], item[b as usize]].into_iter());
                if let Some((keep, _)) = sets.join(a, b) {
                    item[keep as usize] = node;
                }
            } else {
                level.merge(tree, at..end, least, &mut h, &mut sets, &mut item);
            }
            at = end;
        }
        h
    }

    /// Weight of the rows under an item.
    pub(super) fn size_of(&self, item: u32) -> u64 {
        let item = item as usize;
        if item < self.rows { self.mass.of(item) } else { self.size[item - self.rows] }
    }

    /// The same, of an item that joins others at a distance: a row that weighs several stands for equal rows, which
    /// come together at their core distance, and below it are as many components.
    pub(super) fn size_at(&self, item: u32, distance: f64) -> u64 {
        let row = item as usize;
        if row < self.rows && self.mass.core[row] >= distance { self.mass.of(row).min(ONE) } else { self.size_of(item) }
    }

    /// Weight of the largest component of an item just below a distance at which its parts may have come together.
    pub(super) fn part_of(&self, item: u32, distance: f64) -> u64 {
        let node = (item as usize).checked_sub(self.rows).filter(|&node| self.weight[node] >= distance);
        let parts = node.map(|node| self.children(node).map(|child| self.size_at(child, distance)).max());
        parts.flatten().unwrap_or_else(|| self.size_at(item, distance))
    }

    /// Lowest place among an item's rows.
    pub(super) fn place_of(&self, item: u32) -> u32 {
        self.place[item as usize]
    }

    /// Children of node `node` (0 is the lightest).
    pub(super) fn children(&self, node: usize) -> impl Iterator<Item = u32> + '_ {
        let some = |item: u32| Some(item).filter(|&item| item != NONE);
        std::iter::successors(some(self.first[node]), move |&item| some(self.next[item as usize]))
    }

    /// A new node over at least one child; its item.
    fn node(&mut self, weight: f64, children: impl Iterator<Item = u32>) -> u32 {
        let (mut first, mut size, mut place) = (NONE, 0, NONE);
        for child in children {
            self.next[child as usize] = first;
            first = child;
            size += self.size_of(child);
            place = place.min(self.place[child as usize]);
        }
        self.weight.push(weight);
        self.size.push(size);
        self.first.push(first);
        self.next.push(NONE);
        self.place.push(place);
        (self.rows + self.weight.len() - 1) as u32
    }
}

/// What it takes to merge along several edges of one weight; kept from level to level to spare allocations.
#[derive(Default)]
struct Level {
    /// Components that go to the same side: one large component and the small ones that follow it.
    sides: Sets,
    /// Weight of the largest component of each side.
    largest: Vec<u64>,
    /// Edges as roots of the components before the merge.
    edges: Vec<(u32, u32)>,
    /// The components, in the order in which the edges name them.
    components: Vec<u32>,
    /// (component after the merge, side, component before the merge), each by first appearance.
    parts: Vec<(u32, u32, u32)>,
    /// Children of one new node.
    children: Vec<u32>,
}

impl Level {
    fn merge(
        &mut self,
        tree: &SpanningTree,
        edges: std::ops::Range<usize>,
        least: u64,
        h: &mut Hierarchy<'_>,
        sets: &mut Sets,
        item: &mut [u32],
    ) {
        let weight = tree.weight[edges.start];
        self.edges.clear();
        self.edges.extend(edges.map(|i| (sets.find(tree.a[i]), sets.find(tree.b[i]))));
        self.components.clear();
        self.components.extend(self.edges.iter().flat_map(|&(a, b)| [a, b]));
        // All that matters is whether a side holds a large component.
        for &c in &self.components {
            self.sides.parent[c as usize] = c;
            self.largest[c as usize] = h.size_at(item[c as usize], weight);
        }
        for &(a, b) in &self.edges {
            let (a, b) = (self.sides.find(a), self.sides.find(b));
            let (keep, goes) = if self.largest[a as usize] >= self.largest[b as usize] { (a, b) } else { (b, a) };
            if a != b && self.largest[goes as usize] < least {
                self.sides.parent[goes as usize] = keep;
            }
        }
        for &(a, b) in &self.edges {
            sets.join(a, b);
        }
        self.parts.clear();
        for &c in &self.components {
            self.parts.push((sets.find(c), self.sides.find(c), c));
        }
        // Groups stand in the order of their lowest place, which no row order changes.
        let key = |&(whole, side, c): &(u32, u32, u32)| (whole, side, c);
        self.parts.sort_unstable_by_key(key);
        self.parts.dedup();
        let mut wholes = Vec::new();
        for whole in self.parts.chunk_by(|a, b| a.0 == b.0) {
            let place = whole.iter().map(|part| h.place_of(item[part.2 as usize])).min().unwrap_or(NONE);
            wholes.push((place, whole));
        }
        wholes.sort_unstable_by_key(|whole| whole.0);
        for (_, whole) in wholes {
            let one_side = whole.iter().all(|part| part.1 == whole[0].1);
            self.children.clear();
            if one_side {
                self.children.extend(whole.iter().map(|part| item[part.2 as usize]));
            } else {
                for side in whole.chunk_by(|a, b| a.1 == b.1) {
                    let child = match side {
                        [only] => item[only.2 as usize],
                        _ => h.node(weight, side.iter().map(|part| item[part.2 as usize])),
                    };
                    self.children.push(child);
                }
            }
            item[whole[0].0 as usize] = h.node(weight, self.children.iter().copied());
        }
    }
}
