//! The exact minimum spanning tree of mutual reachability for wide data, in one look at all pairs.
//!
//! By the cycle property an edge that is nowhere the lightest way between its ends is in no minimum spanning tree that
//! matters: if some tree connects p and q along edges none of which is heavier than (p, q), the pair can be left out.
//! So:
//!
//! 1. Kruskal over the lists of nearest neighbours gives a forest; its parts are strung together somehow. That is a
//!    spanning tree, not yet the lightest.
//! 2. Its points are put in the order of the leaves of its dendrogram. There the heaviest edge on the tree's path
//!    between two points is the largest of the *gaps* between neighbours in the order, from the one to the other.
//! 3. Blocks of the order are compared, nearest first. A pair counts only if its bound ([`super::blocks`]) and both core
//!    distances are below the gaps between; it is then measured, and kept if it still is.
//! 4. After a batch of blocks, Kruskal over tree and kept pairs gives a lighter tree, and the gaps shrink to its paths.
//!    After the last batch no pair is left that could make it lighter.
//!
//! Batches are the same at any number of threads, and gaps change between batches only, so the tree is a function of
//! the points. Memory is O(n) beside the pairs kept, of which there are few once the first tree is not far off: pairs of
//! blocks are never listed ([`super::ranks`]).

use super::blocks::{BLOCK, Blocks, Exact, Lens, Vectors};
use super::ranks;
use super::search::Found;
use crate::cluster::spanning::core_distance::Ask;
use crate::cluster::spanning::kdtree::{NONE, larger};
use crate::cluster::spanning::sets::Sets;
use crate::core::{Result, Stage, parallel, simd};

/// A pair of points with its raw weight and raw distance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) weight: f64,
    raw: f64,
    pub(crate) a: u32,
    pub(crate) b: u32,
}

impl Edge {
    fn new(core: &[f64], raw: f64, a: u32, b: u32) -> Self {
        let weight = larger(raw, larger(core[a as usize], core[b as usize]));
        Edge { weight, raw, a: a.min(b), b: a.max(b) }
    }
}

/// Sorts the edges and keeps those of a minimum spanning forest, lightest first.
fn kruskal(edges: &mut Vec<Edge>, points: usize) -> Sets {
    parallel::sort_by_key(edges, |edge| (edge.weight.to_bits(), edge.raw.to_bits(), edge.a, edge.b));
    let mut sets = Sets::new(points);
    edges.retain(|edge| sets.join(edge.a, edge.b).is_some());
    sets
}

/// Points strung up in the order of the leaves of a forest's dendrogram.
struct Strung {
    order: Vec<u32>,
    /// Raw weight between each place and the next; the last is 0.
    gap: Vec<f64>,
}

impl Strung {
    /// From a forest's edges, lightest first; adds edges between its parts to make it a tree.
    fn new(forest: &mut Vec<Edge>, core: &[f64], exact: &Exact<'_>) -> Self {
        let points = core.len();
        let mut sets = Sets::new(points);
        let mut head: Vec<u32> = (0..points as u32).collect();
        let mut tail = head.clone();
        let mut next = vec![NONE; points];
        let mut weight_after = vec![0.0; points];
        for edge in forest.iter() {
            let (a, b) = (sets.find(edge.a) as usize, sets.find(edge.b) as usize);
            let Some((keep, _)) = sets.join(edge.a, edge.b) else { continue };
            next[tail[a] as usize] = head[b];
            weight_after[tail[a] as usize] = edge.weight;
            (head[keep as usize], tail[keep as usize]) = (head[a], tail[b]);
        }
        let roots: Vec<usize> = (0..points).filter(|&i| sets.find(i as u32) as usize == i).collect();
        for pair in roots.windows(2) {
            let (a, b) = (tail[pair[0]], head[pair[1]]);
            let edge = Edge::new(core, exact.norm.measure(exact.point(a), exact.point(b)), a, b);
            next[a as usize] = b;
            weight_after[a as usize] = edge.weight;
            forest.push(edge);
        }
        let mut order = Vec::with_capacity(points);
        let mut at = head[roots[0]];
        while at != NONE {
            order.push(at);
            at = next[at as usize];
        }
        let gap = order.iter().map(|&i| weight_after[i as usize]).collect();
        Strung { order, gap }
    }

    /// Brings the gaps down to the heaviest edges on the paths of a lighter tree, given lightest edge first.
    fn tighten(&mut self, tree: &[Edge]) {
        let points = self.order.len();
        // Sets joined by size without short cuts: the way up is logarithmic, and weights rise along it.
        let mut up: Vec<(u32, f64)> = (0..points as u32).map(|i| (i, f64::INFINITY)).collect();
        let mut size = vec![1u32; points];
        let root = |up: &[(u32, f64)], mut x: u32| {
            while up[x as usize].0 != x {
                x = up[x as usize].0;
            }
            x
        };
        for edge in tree {
            let (a, b) = (root(&up, edge.a), root(&up, edge.b));
            let (keep, goes) = if size[a as usize] >= size[b as usize] { (a, b) } else { (b, a) };
            size[keep as usize] += size[goes as usize];
            up[goes as usize] = (keep, edge.weight);
        }
        let (order, gap) = (&self.order, &mut self.gap);
        parallel::for_each_chunk(gap, 4096, |chunk, gap| {
            for (i, gap) in gap.iter_mut().enumerate() {
                let place = chunk * 4096 + i;
                let Some(&other) = order.get(place + 1) else { break };
                let (mut a, mut b) = (order[place], other);
                let mut heaviest = 0.0;
                while a != b {
                    let (of_a, of_b) = (up[a as usize], up[b as usize]);
                    if of_a.1 <= of_b.1 {
                        (a, heaviest) = (of_a.0, larger(heaviest, of_a.1));
                    } else {
                        (b, heaviest) = (of_b.0, larger(heaviest, of_b.1));
                    }
                }
                *gap = heaviest;
            }
        });
    }
}

/// Everything a comparison of two blocks reads.
struct Compare<'a> {
    lens: &'a Lens,
    blocks: &'a Blocks,
    exact: Exact<'a>,
    /// Raw core distances by point, and in f32 by place, rounded down.
    core: &'a [f64],
    core_floor: &'a [f32],
    gap: &'a [f64],
    /// Largest gap among each block's places, the one after its last included; and without that one.
    block_gap: &'a [f64],
    inner_gap: &'a [f64],
}

simd::multiversion! {
    /// Places in a row whose bound and core distance are both within the larger of the row's limit and their own, and
    /// within the cap. Limits come as (of the bound, of the core distance).
    fn open(
        bounds: &[f32],
        cores: &[f32],
        own: &[f32],
        own_core: &[f32],
        row: (f32, f32),
        cap: (f32, f32),
        found: &mut Vec<u32>,
    ) {
        let smaller = |a: f32, b: f32| if a < b { a } else { b };
        let greater = |a: f32, b: f32| if a > b { a } else { b };
        let n = bounds.len();
        let (cores, own, own_core) = (&cores[..n], &own[..n], &own_core[..n]);
        let is_open = |i: usize| {
            (bounds[i] <= smaller(greater(row.0, own[i]), cap.0))
                & (cores[i] <= smaller(greater(row.1, own_core[i]), cap.1))
        };
        let whole = n / 16 * 16;
        for first in (0..whole).step_by(16) {
            let mut any = false;
            for i in first..first + 16 {
                any |= is_open(i);
            }
            if any {
                found.extend((first..first + 16).filter(|&i| is_open(i)).map(|i| i as u32));
            }
        }
        found.extend((whole..n).filter(|&i| is_open(i)).map(|i| i as u32));
    }
}

simd::multiversion! {
    /// The least bound of a row.
    fn least(bounds: &[f32]) -> f32 {
        let (whole, rest) = bounds.as_chunks::<16>();
        let mut lanes = [f32::INFINITY; 16];
        for chunk in whole {
            for lane in 0..16 {
                lanes[lane] = if chunk[lane] < lanes[lane] { chunk[lane] } else { lanes[lane] };
            }
        }
        lanes.iter().chain(rest).fold(f32::INFINITY, |a, &b| if b < a { b } else { a })
    }
}

impl Compare<'_> {
    /// The largest gap between any place of one block and any of another.
    fn widest(&self, i: usize, j: usize) -> f64 {
        self.block_gap[i..=j].iter().fold(0.0, |a, &b| larger(a, b))
    }

    fn limits(&self, raw: f64) -> (f32, f32) {
        (self.lens.limit(raw, 2.0 * self.blocks.slack), self.lens.ceiling(raw))
    }

    /// Pairs of block i with block j, i <= j, that are lighter than the tree's way between them; `apart` is the least
    /// distance of their vectors. `left` is empty or holds block i as queries, `tile` is room for their bounds.
    fn pairs(&self, i: usize, j: usize, apart: f64, tile: &mut Vec<f32>, left: &mut Vec<f32>) -> Vec<Edge> {
        let mut kept = Vec::new();
        let between = self.block_gap[i + 1..j.max(i + 1)].iter().fold(0.0, |a, &b| larger(a, b));
        if apart > self.lens.reach(self.widest(i, j), 2.0 * self.blocks.slack) {
            return kept;
        }
        if left.is_empty() {
            *left = self.blocks.queries(i);
            tile.resize(BLOCK * BLOCK, 0.0);
        }
        self.blocks.tile(left, j, tile);
        let (here, there) = (self.blocks.places(i), self.blocks.places(j));
        let point = |place: usize| self.blocks.order[place];
        // The heaviest on the way from each place of block j back to its first, and of i on to its end and beyond.
        let mut own = Vec::with_capacity(there.len());
        let mut heaviest = 0.0;
        for place in there.clone() {
            own.push(heaviest);
            heaviest = larger(heaviest, self.gap[place]);
        }
        let mut ahead = vec![between; here.len()];
        let mut heaviest = between;
        for place in here.clone().rev() {
            heaviest = larger(heaviest, self.gap[place]);
            ahead[place - here.start] = heaviest;
        }
        // What one pair of two blocks weighs connects all their pairs, with the gaps inside. Pairs that are kept lower the
        // cap by their exact weight, one after the other, so that what is kept does not depend on how products round.
        let inside = larger(self.inner_gap[i], self.inner_gap[j]);
        let mut cap = f64::INFINITY;
        if i != j && ahead[0] > inside {
            // Nothing here can be lighter than any way: this costs little, and is so for most blocks.
            let rows = (0..here.len()).map(|q| least(&tile[q * BLOCK..q * BLOCK + there.len()]));
            if rows.fold(f32::INFINITY, |a, b| if b < a { b } else { a }) > self.limits(self.widest(i, j)).0 {
                return kept;
            }
        }
        let (mut own_limits, mut own_cores): (Vec<f32>, Vec<f32>) = own.iter().map(|&raw| self.limits(raw)).unzip();
        let mut cap_limit = self.limits(cap);
        let mut found = Vec::new();
        for q in 0..here.len() {
            let place = here.start + q;
            let from = point(place);
            let mut row = ahead[q];
            let mut skip = 0;
            if i == j {
                // On the way from this place onwards.
                (row, skip) = (0.0, q + 1);
                let mut heaviest = 0.0;
                for p in skip..there.len() {
                    heaviest = larger(heaviest, self.gap[there.start + p - 1]);
                    own[p] = heaviest;
                    (own_limits[p], own_cores[p]) = self.limits(heaviest);
                }
            }
            let widest = larger(row, own.last().copied().unwrap_or(0.0));
            if skip >= there.len() || self.core[from as usize] >= if widest < cap { widest } else { cap } {
                continue;
            }
            let bounds = &tile[q * BLOCK + skip..q * BLOCK + there.len()];
            let cores = &self.core_floor[there.start + skip..there.end];
            let limits = [&own_limits[skip..], &own_cores[skip..]];
            open(bounds, cores, limits[0], limits[1], self.limits(row), cap_limit, &mut found);
            for hit in found.drain(..) {
                let p = hit as usize + skip;
                let way = larger(row, own[p]);
                let bound = if way < cap { way } else { cap };
                if self.core[from as usize] >= bound || self.core[point(there.start + p) as usize] >= bound {
                    continue;
                }
                let (a, b) = (self.exact.point(from), self.exact.point(point(there.start + p)));
                if !self.exact.may_be_below(a, b, bound) {
                    continue;
                }
                let edge = Edge::new(self.core, self.exact.norm.measure(a, b), from, point(there.start + p));
                if edge.weight < bound {
                    kept.push(edge);
                    let lower = larger(edge.weight, inside);
                    if i != j && lower < cap {
                        cap = lower;
                        cap_limit = self.limits(cap);
                    }
                }
            }
        }
        kept
    }
}

/// The spanning tree of all points, from their core distances and neighbour lists.
pub(crate) fn spanning_tree(
    lens: &Lens,
    vectors: &Vectors,
    exact: Exact<'_>,
    Found { core, lists }: &Found,
    ask: &Ask<'_>,
    stage: &Stage<'_>,
) -> Result<Vec<Edge>> {
    let mut tree: Vec<Edge> = Vec::with_capacity(lists.len());
    for (i, &(raw, to)) in lists.iter().enumerate() {
        let from = (i / ask.width) as u32;
        if to != NONE {
            tree.push(Edge::new(core, raw, from, to));
        }
    }
    kruskal(&mut tree, core.len());
    let mut strung = Strung::new(&mut tree, core, &exact);
    let blocks = Blocks::new(vectors, lens.norm, strung.order.clone());
    let core_floor: Vec<f32> = blocks.order.iter().map(|&i| lens.floor(core[i as usize])).collect();
    let first = |i: usize, j: usize| order_bits(blocks.gap(i, &blocks, j).1);
    let ends = batches(blocks.count());
    let pairs = ends.last().copied().unwrap_or(0);
    // The last key of each batch.
    let last = ranks::at(&ends.iter().map(|end| end - 1).collect::<Vec<_>>(), blocks.count(), first, stage)?;
    let mut from = 0;
    for (&done, &to) in ends.iter().zip(&last) {
        let largest = |block: usize, last: usize| {
            let range = blocks.places(block);
            strung.gap[range.start..range.end - last].iter().fold(0.0, |a, &b| larger(a, b))
        };
        let block_gap: Vec<f64> = (0..blocks.count()).map(|block| largest(block, 0)).collect();
        let inner_gap: Vec<f64> = (0..blocks.count()).map(|block| largest(block, 1)).collect();
        let compare = Compare {
            lens,
            blocks: &blocks,
            exact,
            core,
            core_floor: &core_floor,
            gap: &strung.gap,
            block_gap: &block_gap,
            inner_gap: &inner_gap,
        };
        let kept = parallel::map(blocks.count(), |i| -> Result<Vec<Edge>> {
            stage.check()?;
            let (mut tile, mut left, mut kept) = (Vec::new(), Vec::new(), Vec::new());
            for j in i..blocks.count() {
                let (_, apart) = blocks.gap(i, &blocks, j);
                if (from..=to).contains(&ranks::key(order_bits(apart), i, j)) {
                    kept.extend(compare.pairs(i, j, apart, &mut tile, &mut left));
                }
            }
            Ok(kept)
        });
        let before = tree.len();
        for kept in kept {
            tree.extend(kept?);
        }
        from = to + 1;
        if tree.len() > before || done == pairs {
            kruskal(&mut tree, core.len());
            strung.tighten(&tree);
        }
        stage.step((done as f64 / pairs as f64 * (core.len() - 1) as f64) as usize)?;
    }
    Ok(tree)
}

/// The number of pairs of `count` blocks, each with itself too, that are done by the end of each batch: two for each block
/// or a sixteenth of all first, then twice as many each time.
fn batches(count: usize) -> Vec<u64> {
    let pairs = count as u64 * (count as u64 + 1) / 2;
    let (mut ends, mut batch, mut done) = (Vec::new(), (2 * count as u64).max(pairs / 16), 0);
    while done < pairs {
        done = (done + batch).min(pairs);
        ends.push(done);
        batch *= 2;
    }
    ends
}

/// Numbers of either sign in ascending order.
fn order_bits(x: f64) -> u64 {
    let bits = x.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}
