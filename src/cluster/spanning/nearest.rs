//! Nearest neighbours of all points of a k-d tree, a leaf of sixteen at a time, and the core distances they make.

use super::kdtree::{CAP, NONE, Tree, box_gap, distances, larger, point_gap, rough_distances, rough_gaps, screen};
use super::norm::{Absolutes, Add, Largest, Norm, Squares};
use super::rough_kbest::Crowd;
use crate::core::simd;
use std::ops::Range;

/// The k nearest so far of each of a panel's sixteen points.
///
/// Up to [`KBest::SORTED`] they are kept sorted; beyond, in a buffer of twice k that is halved by selection, so that
/// large k costs no more than a constant for each candidate.
pub(super) struct KBest {
    k: usize,
    room: usize,
    found: Vec<(f64, u32)>,
    len: [usize; CAP],
    /// A candidate matters only if nearer than this.
    pub(super) bound: [f64; CAP],
    /// The same for distances in f32; see [`screen`].
    limit: [f32; CAP],
}

impl KBest {
    const SORTED: usize = 32;

    pub(super) fn new(k: usize) -> Self {
        let room = if k <= Self::SORTED { k } else { 2 * k };
        KBest {
            k,
            room,
            found: vec![(f64::INFINITY, NONE); room * CAP],
            len: [0; CAP],
            bound: [f64::INFINITY; CAP],
            limit: [f32::INFINITY; CAP],
        }
    }

    pub(super) fn clear(&mut self) {
        self.found.fill((f64::INFINITY, NONE));
        self.len = [0; CAP];
        self.bound = [f64::INFINITY; CAP];
        self.limit = [f32::INFINITY; CAP];
    }

    /// Takes the panel's points that are nearer than the bound, the excluded lane apart.
    #[inline(always)]
    pub(super) fn offer(&mut self, query: usize, squared: &[f64; CAP], ids: &[u32; CAP], but: usize) {
        let bound = self.bound[query];
        let mut mask = 0u32;
        for lane in 0..CAP {
            mask |= u32::from(squared[lane] < bound) << lane;
        }
        if but < CAP {
            mask &= !(1 << but);
        }
        while mask != 0 {
            let lane = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            self.insert(query, squared[lane], ids[lane]);
        }
    }

    /// As [`KBest::offer`], for distances in f32: only what passes the screen is measured, by `exact`.
    #[inline(always)]
    fn offer_rough(&mut self, query: usize, rough: &[f32; CAP], first: u32, but: usize, exact: impl Fn(usize) -> f64) {
        let limit = self.limit[query];
        let mut mask = 0u32;
        for lane in 0..CAP {
            mask |= u32::from(rough[lane] < limit) << lane;
        }
        if but < CAP {
            mask &= !(1 << but);
        }
        while mask != 0 {
            let lane = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            self.insert(query, exact(lane), first + lane as u32);
        }
    }

    #[inline(always)]
    pub(super) fn insert(&mut self, query: usize, x: f64, id: u32) {
        if x >= self.bound[query] {
            return;
        }
        let found = &mut self.found[query * self.room..(query + 1) * self.room];
        if self.room == self.k {
            let mut at = found.len() - 1;
            while at > 0 && found[at - 1].0 > x {
                found[at] = found[at - 1];
                at -= 1;
            }
            found[at] = (x, id);
            self.bound[query] = found[found.len() - 1].0;
        } else {
            found[self.len[query]] = (x, id);
            self.len[query] += 1;
            if self.len[query] == self.room {
                halve(found, self.k);
                self.len[query] = self.k;
                self.bound[query] = found[..self.k].iter().fold(0.0, |most, f| larger(most, f.0));
            }
        }
        self.limit[query] = screen(self.bound[query]);
    }

    /// The k nearest: the first `sorted` of them in ascending order, the last one the farthest.
    pub(super) fn finish(&mut self, query: usize, sorted: usize) -> &[(f64, u32)] {
        let found = &mut self.found[query * self.room..(query + 1) * self.room];
        if self.room == self.k {
            return found;
        }
        let len = self.len[query];
        let by = |a: &(f64, u32), b: &(f64, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        let k = self.k.min(len);
        if k < len {
            found[..len].select_nth_unstable_by(k - 1, by);
        }
        let found = &mut found[..k];
        if sorted >= k {
            found.sort_unstable_by(by);
        } else {
            found.select_nth_unstable_by(sorted, by);
            found[..sorted].sort_unstable_by(by);
            // Selection may have moved the farthest from the end.
            let last = (sorted..k).max_by(|&a, &b| by(&found[a], &found[b])).unwrap_or(k - 1);
            found.swap(last, k - 1);
        }
        found
    }
}

#[inline(never)]
fn halve(found: &mut [(f64, u32)], k: usize) {
    found.select_nth_unstable_by(k - 1, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
}

/// What a search for nearest neighbours returns for some leaves.
#[derive(Clone, Debug, Default)]
pub(super) struct Near {
    /// Squared core distance by leaf and lane; infinite in unused lanes.
    pub(super) core: Vec<[f64; CAP]>,
    /// Positions of each point's nearest, `width` a point; [`NONE`] where there are fewer.
    pub(super) lists: Vec<u32>,
}

/// What core distances ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    /// Neighbours that make a core distance, the point itself not counted.
    pub(crate) others: usize,
    /// Neighbours to look for: at least one, at most all other points.
    pub(crate) k: usize,
    /// Neighbours to keep.
    pub(crate) width: usize,
    /// What each point weighs, by index, in parts of [`ONE`]; none when each stands for one row.
    pub(crate) weights: Option<&'a [u64]>,
}

/// The weight of one row. Weights are whole numbers of small parts, so that sums of them are exact in any order.
pub(crate) const ONE: u64 = 1 << 16;

impl Ask<'_> {
    /// Raw core distance of a point from its nearest, sorted if there are weights.
    pub(super) fn core(&self, id: u32, nearest: &[(f64, u32)], id_of: impl Fn(u32) -> u32) -> f64 {
        self.core_with(self.weights.map_or(0, |weights| weights[id as usize].saturating_sub(ONE)), nearest, id_of)
    }

    /// The same for a point at which there is so much weight beside its own.
    pub(crate) fn core_with(&self, mut seen: u64, nearest: &[(f64, u32)], id_of: impl Fn(u32) -> u32) -> f64 {
        let Some(weights) = self.weights else {
            return if self.others == 0 { 0.0 } else { nearest.get(self.others - 1).map_or(0.0, |n| n.0) };
        };
        let mut reach = 0.0;
        for &(raw, position) in nearest {
            if seen >= (self.others as u64).saturating_mul(ONE) {
                break;
            }
            seen += weights[id_of(position) as usize];
            reach = raw;
        }
        reach
    }

    /// How many of the nearest must be sorted.
    pub(crate) fn sorted(&self) -> usize {
        if self.weights.is_some() { self.k } else { self.width }
    }
}

/// What gathers the nearest of a leaf's sixteen points.
#[allow(clippy::large_enum_variant)] // one for each task of many leaves
enum Best {
    /// In f64, sorted as they come: few neighbours, or squares beyond f32.
    Few(KBest),
    /// In f32 first.
    Many(Crowd),
}

/// Nearest neighbours of all points in `leaves`.
#[inline(always)]
pub(super) fn nearest<N: Add, const D: usize>(tree: &Tree<D>, leaves: Range<usize>, ask: &Ask<'_>) -> Near {
    let many = tree.screens && ask.k > KBest::SORTED;
    let mut best = if many { Best::Many(Crowd::new(ask.k)) } else { Best::Few(KBest::new(ask.k)) };
    let mut stack: Vec<(f64, u32)> = Vec::with_capacity(64);
    let mut near = Near { core: Vec::with_capacity(leaves.len()), lists: vec![NONE; leaves.len() * CAP * ask.width] };
    let first = leaves.start;
    for leaf in leaves {
        match &mut best {
            Best::Few(best) => best.clear(),
            Best::Many(best) => best.clear(),
        }
        let own = &tree.nodes[tree.leaf_node[leaf] as usize];
        let count = tree.ids[leaf].iter().take_while(|&&id| id != NONE).count();
        let points: [[f64; D]; CAP] = std::array::from_fn(|lane| tree.point(leaf * CAP + lane));
        let rough_points = points.map(|point| point.map(|x| x as f32));
        stack.clear();
        stack.push((0.0, 0));
        let mut bound = f64::INFINITY;
        while let Some((gap, at)) = stack.pop() {
            if gap >= bound {
                continue;
            }
            let mut at = at as usize;
            // Down to a leaf, the nearer child first; the child that holds the queries is nearest of all.
            let reached = loop {
                let node = &tree.nodes[at];
                if node.right == 0 {
                    break true;
                }
                let (a, b) = (at + 1, node.right as usize);
                let (gap_a, gap_b) = (box_gap::<N, D>(own, &tree.nodes[a]), box_gap::<N, D>(own, &tree.nodes[b]));
                let b_first = gap_b < gap_a || (gap_b == gap_a && tree.nodes[b].first as usize <= leaf);
                let (next, next_gap, far, far_gap) = if b_first { (b, gap_b, a, gap_a) } else { (a, gap_a, b, gap_b) };
                if far_gap < bound {
                    stack.push((far_gap, far as u32));
                }
                if next_gap >= bound {
                    break false;
                }
                at = next;
            };
            if !reached {
                continue;
            }
            let node = &tree.nodes[at];
            let other = node.first as usize;
            let positions: [u32; CAP] = std::array::from_fn(|lane| (other * CAP + lane) as u32);
            let whole = &tree.panels[other];
            let panel = &whole[..tree.columns];
            let lane_of = |query: usize| if other == leaf { query } else { CAP };
            match &mut best {
                Best::Many(best) => {
                    let columns = tree.columns;
                    let gaps = rough_gaps::<N>(&tree.panels[leaf][..columns], &node.lo[..columns], &node.hi[..columns]);
                    for query in 0..count {
                        if gaps[query] < best.limit[query] {
                            let rough = rough_distances::<N>(panel, &rough_points[query][..columns]);
                            best.offer(query, &rough, positions[0], lane_of(query));
                        }
                    }
                    bound = best.limit[..count].iter().fold(0.0, |most, &b| larger(most, f64::from(b)));
                }
                Best::Few(best) if tree.screens => {
                    let columns = tree.columns;
                    let gaps = rough_gaps::<N>(&tree.panels[leaf][..columns], &node.lo[..columns], &node.hi[..columns]);
                    for query in 0..count {
                        if gaps[query] < best.limit[query] {
                            let rough = rough_distances::<N>(panel, &rough_points[query][..columns]);
                            best.offer_rough(query, &rough, positions[0], lane_of(query), |lane| {
                                (0..D).fold(0.0, |sum, c| N::add(sum, f64::from(whole[c][lane]) - points[query][c]))
                            });
                        }
                    }
                    bound = best.bound[..count].iter().fold(0.0, |most, &b| larger(most, b));
                }
                Best::Few(best) => {
                    for query in 0..count {
                        if point_gap::<N, D>(&points[query], node) < best.bound[query] {
                            let squared = distances::<N>(panel, &points[query]);
                            best.offer(query, &squared, &positions, lane_of(query));
                        }
                    }
                    bound = best.bound[..count].iter().fold(0.0, |most, &b| larger(most, b));
                }
            }
        }
        let mut core = [f64::INFINITY; CAP];
        let id_of = |position: u32| tree.ids[position as usize / CAP][position as usize % CAP];
        for query in 0..count {
            let at = ((leaf - first) * CAP + query) * ask.width;
            let list = &mut near.lists[at..at + ask.width];
            core[query] = match &mut best {
                Best::Few(best) => {
                    let found = best.finish(query, ask.sorted());
                    list.iter_mut().zip(found).for_each(|(slot, neighbour)| *slot = neighbour.1);
                    ask.core(tree.ids[leaf][query], found, id_of)
                }
                Best::Many(best) => {
                    let exact = |position: u32| {
                        let point = tree.point(position as usize);
                        (0..D).fold(0.0, |sum, c| N::add(sum, point[c] - points[query][c]))
                    };
                    best.finish(query, tree.ids[leaf][query], ask, exact, id_of, list)
                }
            };
        }
        near.core.push(core);
    }
    near
}

/// The hot loops of a tree, compiled for wide registers too, for each number of columns.
pub(super) trait Kernels {
    /// See [`nearest`].
    fn nearest(&self, leaves: Range<usize>, ask: &Ask<'_>) -> Near;
    /// See [`super::boruvka::search`].
    fn search(&self, leaves: Range<usize>, hunt: &super::boruvka::Hunt<'_>, states: &mut [super::boruvka::State]);
}

/// Most columns that have a tree for other sums than those of squares.
pub(super) const MOST_COLUMNS_OF_OTHERS: usize = 8;

macro_rules! kernels {
    ($($columns:literal: $($norm:ident)*),*) => {$(
        impl Kernels for Tree<$columns> {
            fn nearest(&self, leaves: Range<usize>, ask: &Ask<'_>) -> Near {
                simd::multiversion! {
                    fn wide_or_not(tree: &Tree<$columns>, leaves: Range<usize>, ask: &Ask<'_>) -> Near {
                        match tree.norm {
                            $(Norm::$norm => nearest::<$norm, $columns>(tree, leaves, ask),)*
                            #[allow(unreachable_patterns)]
                            _ => nearest::<Squares, $columns>(tree, leaves, ask),
                        }
                    }
                }
                wide_or_not(self, leaves, ask)
            }

            fn search(&self, leaves: Range<usize>, hunt: &super::boruvka::Hunt<'_>, states: &mut [super::boruvka::State]) {
                use super::boruvka::search;
                simd::multiversion! {
                    fn wide_or_not(
                        tree: &Tree<$columns>,
                        leaves: Range<usize>,
                        hunt: &super::boruvka::Hunt<'_>,
                        states: &mut [super::boruvka::State],
                    ) {
                        match tree.norm {
                            $(Norm::$norm => search::<$norm, $columns>(tree, leaves, hunt, states),)*
                            #[allow(unreachable_patterns)]
                            _ => search::<Squares, $columns>(tree, leaves, hunt, states),
                        }
                    }
                }
                wide_or_not(self, leaves, hunt, states)
            }
        }
    )*};
}
kernels!(
    2: Squares Absolutes Largest, 3: Squares, 4: Squares Absolutes Largest, 6: Squares, 8: Squares Absolutes Largest,
    10: Squares, 12: Squares, 16: Squares
);
