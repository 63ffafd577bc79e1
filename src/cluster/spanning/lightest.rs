//! One round of Boruvka's: the search of the tree for each point's lightest edge out of its component.

use super::kdtree::{CAP, NONE, Tree, box_gap, distances, larger, point_gap};
use super::norm::Add;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A node whose points lie in several components.
pub(super) const MIXED: u32 = u32::MAX - 1;
/// Queries whose points lie in several components; unlike [`MIXED`], so that the two are never taken for the same.
const SEVERAL: u32 = u32::MAX - 2;

/// What is known of a leaf's points from one round to the next.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// No edge out of the point's component is lighter than this (raw).
    pub(super) low: [f64; CAP],
    /// Weight (raw) of the point's lightest edge out of its component, if `to` is not [`NONE`].
    pub(super) weight: [f64; CAP],
    /// The other end of that edge, the lowest position if there are several.
    pub(super) to: [u32; CAP],
    /// Weight of the lightest edge out of the component in the point's list; infinite if there is none.
    pub(super) list_weight: [f64; CAP],
    /// Its other end.
    pub(super) list_to: [u32; CAP],
    /// Entries of the point's list before this are in its own component.
    pub(super) at: [u8; CAP],
}

/// One round's data, shared by all searches.
pub(super) struct Round<'a> {
    pub(super) core: &'a [[f64; CAP]],
    /// Lowest core distance under each node.
    pub(super) node_core: &'a [f64],
    pub(super) component: &'a [[u32; CAP]],
    /// The component of all points under a node, or [`MIXED`].
    pub(super) node_component: &'a [u32],
    /// Lightest edge out of each component among the lists.
    pub(super) listed: &'a [f64],
    /// Lightest edge out of each component so far, as bits: they order like the non-negative numbers they are.
    pub(super) bound: &'a [AtomicU64],
}

impl Round<'_> {
    #[inline(always)]
    pub(super) fn bound(&self, component: u32) -> f64 {
        f64::from_bits(self.bound[component as usize].load(Relaxed))
    }
}

/// Lowers a bound to a weight, if that is less.
#[inline(always)]
pub(super) fn lower(bound: &AtomicU64, weight: f64) {
    let bits = weight.to_bits();
    if bits < bound.load(Relaxed) {
        bound.fetch_min(bits, Relaxed);
    }
}

/// Searches the tree for the points of `leaves` whose component may have a lighter edge than any known.
#[inline(always)]
pub(super) fn search<N: Add, const D: usize>(
    tree: &Tree<D>,
    leaves: Range<usize>,
    round: &Round<'_>,
    states: &mut [State],
) {
    let mut stack: Vec<(f64, u32)> = Vec::with_capacity(64);
    for (leaf, state) in leaves.zip(states) {
        let own = &round.component[leaf];
        let mut active = [0usize; CAP];
        let mut count = 0;
        let mut lowest_core = f64::INFINITY;
        let mut common = NONE;
        for lane in 0..CAP {
            let c = own[lane];
            if c == NONE
                || state.to[lane] != NONE
                || state.low[lane] >= round.listed[c as usize]
                || state.low[lane] > round.bound(c)
            {
                continue;
            }
            active[count] = lane;
            count += 1;
            common = if common == NONE || common == c { c } else { SEVERAL };
            let core = round.core[leaf][lane];
            lowest_core = if core < lowest_core { core } else { lowest_core };
        }
        if count == 0 {
            continue;
        }
        let active = &active[..count];
        let node = &tree.nodes[tree.leaf_node[leaf] as usize];
        let points: [[f64; D]; CAP] = std::array::from_fn(|lane| tree.point(leaf * CAP + lane));
        // An edge matters to a point up to this weight.
        let limit_of = |state: &State, lane: usize| {
            let bound = round.bound(own[lane]);
            if state.weight[lane] < bound { state.weight[lane] } else { bound }
        };
        let limit_of_all = |state: &State| active.iter().fold(0.0, |most, &lane| larger(most, limit_of(state, lane)));
        let mut limit = limit_of_all(state);
        let weight_floor = |at: usize| {
            let floor = larger(round.node_core[at], lowest_core);
            larger(box_gap::<N, D>(node, &tree.nodes[at]), floor)
        };
        stack.clear();
        stack.push((0.0, 0));
        while let Some((floor, at)) = stack.pop() {
            if floor > limit {
                continue;
            }
            let mut at = at as usize;
            let reached = loop {
                if round.node_component[at] == common {
                    break false; // Wholly inside the queries' own component.
                }
                let right = tree.nodes[at].right as usize;
                if right == 0 {
                    break true;
                }
                let left = at + 1;
                let (floor_a, floor_b) = (weight_floor(left), weight_floor(right));
                let b_first = floor_b < floor_a || (floor_b == floor_a && tree.nodes[right].first as usize <= leaf);
                let (next, next_floor, far, far_floor) =
                    if b_first { (right, floor_b, left, floor_a) } else { (left, floor_a, right, floor_b) };
                if far_floor <= limit {
                    stack.push((far_floor, far as u32));
                }
                if next_floor > limit {
                    break false;
                }
                at = next;
            };
            if !reached {
                continue;
            }
            let other = tree.nodes[at].first as usize;
            let pure = round.node_component[at];
            for &lane in active {
                let c = own[lane];
                if pure == c {
                    continue;
                }
                let limit = limit_of(state, lane);
                let core = round.core[leaf][lane];
                let floor =
                    larger(point_gap::<N, D>(&points[lane], &tree.nodes[at]), larger(round.node_core[at], core));
                if floor > limit {
                    continue;
                }
                let mut weights = distances::<N>(&tree.panels[other][..tree.columns], &points[lane]);
                for l in 0..CAP {
                    let reach = larger(larger(weights[l], round.core[other][l]), core);
                    weights[l] = if round.component[other][l] == c { f64::INFINITY } else { reach };
                }
                let lightest = weights.iter().fold(f64::INFINITY, |a, &b| if b < a { b } else { a });
                if lightest <= limit && lightest < round.listed[c as usize] {
                    let at = weights.iter().position(|&w| w == lightest).unwrap_or(0);
                    let to = (other * CAP + at) as u32;
                    if lightest < state.weight[lane] || (lightest == state.weight[lane] && to < state.to[lane]) {
                        state.weight[lane] = lightest;
                        state.to[lane] = to;
                        lower(&round.bound[c as usize], lightest);
                    }
                }
            }
            limit = limit_of_all(state);
        }
        for &lane in active {
            let bound = round.bound(own[lane]);
            if state.to[lane] != NONE && state.weight[lane] <= bound {
                state.low[lane] = state.weight[lane];
            } else {
                // Others lowered the bound below what was found here: there may be more between the two.
                state.to[lane] = NONE;
                state.weight[lane] = f64::INFINITY;
                state.low[lane] = larger(state.low[lane], bound);
            }
        }
    }
}
