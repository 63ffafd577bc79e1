//! Nearest neighbours of all points of a k-d tree, a leaf of sixteen at a time, and the core distances they make.

use super::core_distance::Ask;
use super::kbest::KBest;
use super::kdtree::{CAP, NONE, Tree, box_gap, distances, larger, point_gap, rough_distances, rough_gaps};
use super::norm::Add;
use super::rough_kbest::RoughKBest;
use std::ops::Range;

/// What a search for nearest neighbours returns for some leaves.
#[derive(Clone, Debug, Default)]
pub(super) struct LeafNeighbours {
    /// Squared core distance by leaf and lane; infinite in unused lanes.
    pub(super) core: Vec<[f64; CAP]>,
    /// Positions of each point's nearest, `width` a point; [`NONE`] where there are fewer.
    pub(super) lists: Vec<u32>,
}

/// What gathers the nearest of a leaf's sixteen points.
#[allow(clippy::large_enum_variant)] // one for each task of many leaves
enum Best {
    /// In f64, sorted as they come: few neighbours, or squares beyond f32.
    Few(KBest),
    /// In f32 first.
    Many(RoughKBest),
}

/// Nearest neighbours of all points in `leaves`.
#[inline(always)]
pub(super) fn nearest<N: Add, const D: usize>(tree: &Tree<D>, leaves: Range<usize>, ask: &Ask<'_>) -> LeafNeighbours {
    let many = tree.screens && ask.k > KBest::SORTED;
    let mut best = if many { Best::Many(RoughKBest::new(ask.k)) } else { Best::Few(KBest::new(ask.k)) };
    let mut stack: Vec<(f64, u32)> = Vec::with_capacity(64);
    let mut neighbours =
        LeafNeighbours { core: Vec::with_capacity(leaves.len()), lists: vec![NONE; leaves.len() * CAP * ask.width] };
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
            let list = &mut neighbours.lists[at..at + ask.width];
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
        neighbours.core.push(core);
    }
    neighbours
}
