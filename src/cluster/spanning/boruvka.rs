//! The exact minimum spanning tree of mutual reachability over a k-d tree, by Boruvka's rounds.
//!
//! Each round finds the lightest edge out of every component and joins along these edges. Most of them come from the
//! lists of nearest neighbours that the core distances left behind; the tree is searched only for points that might do
//! better, a whole leaf of points at a time, with one shared bound for each component.
//!
//! # Why the result depends on nothing but the points
//! Threads share bounds, so what a search looks at depends on time, but what it decides does not. Let L be a
//! component's lightest edge among the lists and W its lightest of all. If W = L, the edge is taken from the lists
//! alone. If W < L, no search prunes an edge of weight W, since it prunes only above a bound that is never below W;
//! each point that has such edges reports the one with the lowest position, and the lowest pair among these wins. Edges
//! of equal weight are added through a union-find, which keeps the result a minimum spanning tree whichever of them
//! was chosen.

use super::kdtree::{CAP, NONE, Tree, larger};
use super::kernels::Kernels;
use super::lightest::{MIXED, Round, State, lower};
use super::norm::{Absolutes, Add, Largest, Norm, Squares};
use super::sets::Sets;
use crate::core::{Result, Stage, parallel};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Leaves in a task.
const TASK: usize = 64;

/// The spanning tree over positions as (raw weight, a, b), in the order in which edges were found.
///
/// `lists` holds `width` neighbours a position. Each of them must not be empty unless there is one point only.
pub(super) fn spanning_tree<const D: usize>(
    tree: &Tree<D>,
    core: &[[f64; CAP]],
    mut lists: Vec<u32>,
    width: usize,
    points: usize,
    stage: &Stage<'_>,
) -> Result<Vec<(f64, u32, u32)>>
where
    Tree<D>: Kernels,
{
    sort_lists(tree, core, &mut lists, width);
    let node_core = fold_nodes(
        tree,
        |leaf| core[leaf].iter().fold(f64::INFINITY, |a, &b| if b < a { b } else { a }),
        |a, b| {
            if b < a { b } else { a }
        },
    );
    let mut component: Vec<[u32; CAP]> = Vec::with_capacity(tree.leaves());
    let mut components = 0u32;
    for ids in &tree.ids {
        component.push(ids.map(|id| {
            components += u32::from(id != NONE);
            if id == NONE { NONE } else { components - 1 }
        }));
    }
    let mut states: Vec<State> = core
        .iter()
        .map(|core| State {
            low: *core,
            weight: [f64::INFINITY; CAP],
            to: [NONE; CAP],
            list_weight: [f64::INFINITY; CAP],
            list_to: [NONE; CAP],
            at: [0; CAP],
        })
        .collect();
    let mut edges = Vec::with_capacity(points.saturating_sub(1));
    while components > 1 {
        let node_component =
            fold_nodes(tree, |leaf| one_component(&component[leaf]), |a, b| if a == b { a } else { MIXED });
        let bound: Vec<AtomicU64> = (0..components).map(|_| AtomicU64::new(f64::INFINITY.to_bits())).collect();
        parallel::for_each_chunk(&mut states, TASK, |task, states| {
            from_lists(tree, core, &component, &lists, width, task * TASK, states, &bound);
        });
        let listed: Vec<f64> = bound.iter().map(|b| f64::from_bits(b.load(Relaxed))).collect();
        let round = Round {
            core,
            node_core: &node_core,
            component: &component,
            node_component: &node_component,
            listed: &listed,
            bound: &bound,
        };
        parallel::for_each_chunk(&mut states, TASK, |task, states| keep_found(&round, task * TASK, states));
        parallel::for_each_chunk(&mut states, TASK, |task, states| {
            if stage.check().is_ok() {
                tree.search(task * TASK..task * TASK + states.len(), &round, states);
            }
        });
        stage.check()?;
        let chosen: Vec<AtomicU64> = (0..components).map(|_| AtomicU64::new(u64::MAX)).collect();
        parallel::for_each_chunk(&mut states, TASK, |task, states| choose(&round, task * TASK, states, &chosen));
        let before = edges.len();
        let next = join(&component, &bound, &chosen, &mut edges);
        if edges.len() == before {
            break; // Unreachable: every component of several has an edge out. Ends the loop should that ever fail.
        }
        components = next.iter().max().map_or(0, |&c| c + 1);
        parallel::for_each_chunk(&mut component, TASK, |_, leaves| {
            for c in leaves.iter_mut().flatten().filter(|c| **c != NONE) {
                *c = next[*c as usize];
            }
        });
        stage.step(edges.len())?;
    }
    Ok(edges)
}

/// Puts each point's neighbours in the order of their mutual reachability, ties in the order of their distance, in which
/// they come.
fn sort_lists<const D: usize>(tree: &Tree<D>, core: &[[f64; CAP]], lists: &mut [u32], width: usize) {
    parallel::for_each_chunk(lists, width * CAP * TASK, |task, lists| {
        let mut keyed: Vec<(f64, u32)> = Vec::with_capacity(width);
        for (i, list) in lists.chunks_exact_mut(width).enumerate() {
            let from = task * TASK * CAP + i;
            keyed.clear();
            keyed.extend(list.iter().filter(|&&to| to != NONE).map(|&to| (reach(tree, core, from, to), to)));
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            for (slot, &(_, to)) in list.iter_mut().zip(&keyed) {
                *slot = to;
            }
        }
    });
}

/// Raw mutual reachability of two positions.
#[inline(always)]
fn reach<const D: usize>(tree: &Tree<D>, core: &[[f64; CAP]], from: usize, to: u32) -> f64 {
    let to = to as usize;
    let (a, b) = (tree.point(from), tree.point(to));
    let sum = match tree.norm {
        Norm::Squares => raw::<Squares, D>(&a, &b),
        Norm::Absolutes => raw::<Absolutes, D>(&a, &b),
        Norm::Largest => raw::<Largest, D>(&a, &b),
    };
    larger(larger(sum, core[from / CAP][from % CAP]), core[to / CAP][to % CAP])
}

#[inline(always)]
fn raw<N: Add, const D: usize>(a: &[f64; D], b: &[f64; D]) -> f64 {
    (0..D).fold(0.0, |sum, c| N::add(sum, b[c] - a[c]))
}

/// A value for each node, from its leaves up.
fn fold_nodes<const D: usize, T: Copy + Default>(
    tree: &Tree<D>,
    leaf: impl Fn(usize) -> T,
    both: impl Fn(T, T) -> T,
) -> Vec<T> {
    let mut values = vec![T::default(); tree.nodes.len()];
    for i in (0..tree.nodes.len()).rev() {
        let node = &tree.nodes[i];
        let right = node.right as usize;
        values[i] = if right == 0 { leaf(node.first as usize) } else { both(values[i + 1], values[right]) };
    }
    values
}

fn one_component(lanes: &[u32; CAP]) -> u32 {
    if lanes[1..].iter().all(|&c| c == lanes[0] || c == NONE) { lanes[0] } else { MIXED }
}

/// Brings each point's list up to date and bounds the components by what the lists hold.
#[allow(clippy::too_many_arguments)]
fn from_lists<const D: usize>(
    tree: &Tree<D>,
    core: &[[f64; CAP]],
    component: &[[u32; CAP]],
    lists: &[u32],
    width: usize,
    first: usize,
    states: &mut [State],
    bound: &[AtomicU64],
) {
    let of = |position: u32| component[position as usize / CAP][position as usize % CAP];
    for (i, state) in states.iter_mut().enumerate() {
        let leaf = first + i;
        for lane in 0..CAP {
            let own = component[leaf][lane];
            if own == NONE || (state.list_to[lane] != NONE && of(state.list_to[lane]) != own) {
                if own != NONE {
                    lower(&bound[own as usize], state.list_weight[lane]);
                }
                continue;
            }
            let position = leaf * CAP + lane;
            let list = &lists[position * width..(position + 1) * width];
            let mut at = state.at[lane] as usize;
            while at < width && list[at] != NONE && of(list[at]) == own {
                at += 1;
            }
            state.at[lane] = at as u8;
            match list.get(at) {
                Some(&to) if to != NONE => {
                    state.list_to[lane] = to;
                    state.list_weight[lane] = reach(tree, core, position, to);
                    lower(&bound[own as usize], state.list_weight[lane]);
                }
                _ => (state.list_to[lane], state.list_weight[lane]) = (NONE, f64::INFINITY),
            }
        }
    }
}

/// Forgets edges of earlier rounds that no longer leave their component, and bounds components by the others.
fn keep_found(round: &Round<'_>, first: usize, states: &mut [State]) {
    for (i, state) in states.iter_mut().enumerate() {
        for lane in 0..CAP {
            let to = state.to[lane] as usize;
            if state.to[lane] != NONE {
                let own = round.component[first + i][lane];
                if round.component[to / CAP][to % CAP] == own {
                    state.to[lane] = NONE;
                    state.weight[lane] = f64::INFINITY;
                } else {
                    lower(&round.bound[own as usize], state.weight[lane]);
                }
            }
        }
    }
}

/// Among each component's edges of its lightest weight, the one of the lowest pair of positions.
fn choose(round: &Round<'_>, first: usize, states: &[State], chosen: &[AtomicU64]) {
    for (i, state) in states.iter().enumerate() {
        for lane in 0..CAP {
            let c = round.component[first + i][lane];
            if c == NONE {
                continue;
            }
            let bound = round.bound(c);
            let (weight, to) = if bound == round.listed[c as usize] {
                (state.list_weight[lane], state.list_to[lane])
            } else {
                (state.weight[lane], state.to[lane])
            };
            if to != NONE && weight == bound {
                let from = ((first + i) * CAP + lane) as u32;
                let pair = u64::from(from.min(to)) << 32 | u64::from(from.max(to));
                chosen[c as usize].fetch_min(pair, Relaxed);
            }
        }
    }
}

/// Joins components along their chosen edges; returns the new number of each component.
fn join(
    component: &[[u32; CAP]],
    bound: &[AtomicU64],
    chosen: &[AtomicU64],
    edges: &mut Vec<(f64, u32, u32)>,
) -> Vec<u32> {
    let mut sets = Sets::new(chosen.len());
    for (c, pair) in chosen.iter().enumerate() {
        let pair = pair.load(Relaxed);
        if pair == u64::MAX {
            continue;
        }
        let (a, b) = ((pair >> 32) as u32, pair as u32);
        let of = |position: u32| component[position as usize / CAP][position as usize % CAP];
        if sets.join(of(a), of(b)).is_some() {
            edges.push((f64::from_bits(bound[c].load(Relaxed)), a, b));
        }
    }
    let mut number = vec![NONE; chosen.len()];
    let mut count = 0;
    (0..chosen.len() as u32)
        .map(|c| {
            let root = sets.find(c) as usize;
            if number[root] == NONE {
                number[root] = count;
                count += 1;
            }
            number[root]
        })
        .collect()
}
