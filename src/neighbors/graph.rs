//! Searching for a new row's neighbours by walking a graph of the known points.
//!
//! Best-first search in a neighbour graph (Arya, Mount 1993, "Approximate nearest neighbor queries in fixed
//! dimensions"; the search of HNSW's ground layer and of pynndescent's queries): keep the best [`beam`] points
//! seen, look at the neighbours of the best one not yet looked at, end when all were. Two things differ:
//!
//! 1. The walk compares sketches alone; only what it ends with is measured in full (see [`super::sketch`]).
//! 2. It starts from the leaves of random-projection trees, so clusters that no edge connects are found too.
//!
//! Everything is a function of the points and of the one row: no state passes from row to row.

use super::forest::{self, Tree};
use super::kernel::sound;
use super::lists::{NONE, distance, insert, is_new, neighbour, pack_key, worst};
use super::points::Points;
use crate::core::parallel;
use crate::core::random::Stream;

/// Neighbours of a point that the graph takes over from its list, and most edges that it has from others' lists.
pub(crate) const FORWARD: usize = 20;
const BACKWARD: usize = 8;
/// Trees to start from, and points in a leaf.
const TREES: usize = 2;
const LEAF: usize = 32;

/// The graph with its trees.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    starts: Vec<u32>,
    edges: Vec<u32>,
    trees: Vec<Tree>,
}

impl Graph {
    /// From the neighbour lists of the points, `width` numbers each, nearest first, `u32::MAX` where a list ends early.
    pub(crate) fn of(points: &Points<'_>, lists: &[u32], width: usize, draws: Stream) -> Self {
        let n = points.n;
        let trees = parallel::map(TREES, |t| forest::grow(points, LEAF, draws.of(t as u64)));
        let forward = |v: usize| {
            let list = &lists[v * width..(v + 1) * width];
            list.iter().copied().take(FORWARD).filter(|&u| (u as usize) < n)
        };
        let mut listed = vec![0u32; n + 1];
        for v in 0..n {
            forward(v).for_each(|u| listed[u as usize] += 1);
        }
        // Points that few others list are hard to come by: their edges are kept first.
        let mut backward: Vec<Vec<u32>> = vec![Vec::new(); n];
        let mut order: Vec<u32> = (0..n as u32).collect();
        order.sort_by_key(|&v| (listed[v as usize], v));
        for v in order {
            for u in forward(v as usize) {
                let list = &mut backward[u as usize];
                if list.len() < BACKWARD {
                    list.push(v);
                }
            }
        }
        let (mut starts, mut edges) = (Vec::with_capacity(n + 1), Vec::new());
        starts.push(0);
        for (v, backward) in backward.iter().enumerate() {
            let begin = edges.len();
            edges.extend(forward(v));
            for &u in backward {
                if !edges[begin..].contains(&u) {
                    edges.push(u);
                }
            }
            starts.push(edges.len() as u32);
        }
        Graph { starts, edges, trees }
    }

    /// The queries in an order that has those of one leaf together: what their walks read is then mostly in the cache.
    pub(crate) fn by_leaf(&self, points: &Points<'_>, queries: &Points<'_>) -> Vec<u32> {
        let Some(tree) = self.trees.first() else { return (0..queries.n as u32).collect() };
        let leaves = parallel::map_ranges(queries.n, 256, |range| {
            range.map(|q| (tree.leaf_number(points, queries.swept(q)), q as u32)).collect::<Vec<_>>()
        });
        let mut order = leaves.concat();
        parallel::sort_by_key(&mut order, |&entry| entry);
        order.into_iter().map(|(_, q)| q).collect()
    }

    fn edges(&self, v: u32) -> &[u32] {
        &self.edges[self.starts[v as usize] as usize..self.starts[v as usize + 1] as usize]
    }
}

/// Points that a walk keeps: 32 among 10,000, which finds .980 of the true 15 nearest MNIST digits, 44 among 60,000, which
/// finds .976. The cost is about in proportion.
fn beam(n: usize, k: usize) -> usize {
    (6 * n.max(2).ilog2() as usize).saturating_sub(46).max(2 * k)
}

/// What one walk after another uses again.
#[derive(Debug)]
pub(crate) struct Walk {
    pool: Vec<u64>,
    seen: Seen,
    ids: Vec<u32>,
    values: Vec<f32>,
}

impl Walk {
    /// For the `k` nearest of `n` points.
    pub(crate) fn new(n: usize, k: usize) -> Self {
        Walk { pool: vec![NONE; beam(n, k)], seen: Seen::new(), ids: Vec::new(), values: Vec::new() }
    }

    /// Inserts the nearest of `points` to point `q` of `queries` that the walk finds into `list`. It never visits point
    /// `but`.
    pub(crate) fn find(
        &mut self,
        graph: &Graph,
        points: &Points<'_>,
        queries: &Points<'_>,
        q: usize,
        but: Option<u32>,
        list: &mut [u64],
    ) {
        let Walk { pool, seen, ids, values } = self;
        pool.fill(NONE);
        seen.clear();
        seen.insert(but.as_slice(), ids);
        ids.clear();
        for tree in &graph.trees {
            seen.insert(tree.leaf(points, queries.swept(q)), ids);
        }
        loop {
            points.bounds(queries, q, ids, values);
            for (&id, &value) in ids.iter().zip(values.iter()) {
                insert(pool, pack_key(value, id));
            }
            let Some(next) = pool.iter_mut().find(|key| is_new(**key)).filter(|key| **key != NONE) else { break };
            *next &= !1;
            ids.clear();
            seen.insert(graph.edges(neighbour(*next)), ids);
        }
        for &key in pool.iter().take_while(|&&key| key != NONE) {
            let (id, bound) = (neighbour(key), distance(key));
            if bound <= points.limit(worst(list), queries) {
                insert(list, pack_key(sound(queries.exact(q, points, id as usize, bound)), id));
            }
        }
    }
}

/// A set of numbers below 2^32 - 1, cheap to clear.
#[derive(Debug)]
struct Seen {
    slots: Vec<u32>,
    count: usize,
}

impl Seen {
    const FREE: u32 = u32::MAX;

    fn new() -> Self {
        Seen { slots: vec![Self::FREE; 4096], count: 0 }
    }

    fn clear(&mut self) {
        self.slots.fill(Self::FREE);
        self.count = 0;
    }

    /// Appends those numbers to `new` that were not there. A processor cannot predict which they are, so there is no branch on it.
    fn insert(&mut self, numbers: &[u32], new: &mut Vec<u32>) {
        while 2 * (self.count + numbers.len()) > self.slots.len() {
            let slots = vec![Self::FREE; 4 * self.slots.len()];
            for slot in std::mem::replace(&mut self.slots, slots) {
                if slot != Self::FREE {
                    let at = self.place(slot);
                    self.slots[at] = slot;
                }
            }
        }
        let mut end = new.len();
        let before = end;
        new.resize(end + numbers.len(), 0);
        for &number in numbers {
            let at = self.place(number);
            new[end] = number;
            end += usize::from(self.slots[at] == Self::FREE);
            self.slots[at] = number;
        }
        new.truncate(end);
        self.count += end - before;
    }

    /// Where a number is, or where it would go.
    #[inline(always)]
    fn place(&self, number: u32) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = (number.wrapping_mul(0x9e37_79b1) >> 8) as usize & mask;
        while self.slots[at] != Self::FREE && self.slots[at] != number {
            at = (at + 1) & mask;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_knows_what_it_saw() {
        let mut seen = Seen::new();
        for turn in 0..3 {
            let numbers: Vec<u32> = (0..5000u32).map(|i| i.wrapping_mul(2_654_435) % 100_003).collect();
            let mut new = vec![7];
            numbers.chunks(100).for_each(|some| seen.insert(some, &mut new));
            assert_eq!(new[1..], numbers, "turn {turn}");
            numbers.chunks(3000).for_each(|some| seen.insert(some, &mut new));
            assert_eq!(new.len(), numbers.len() + 1);
            seen.clear();
        }
    }
}
