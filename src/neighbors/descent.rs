//! Nearest-neighbour descent (Dong, Moses, Li 2011, "Efficient k-nearest neighbor graph construction for generic
//! similarity measures", algorithm 2), made reproducible and lock-free.
//!
//! A neighbour of a neighbour is likely a neighbour: each round compares, around every vertex, its new neighbours (in
//! both directions of the edges) with each other and with the old ones. Deviations from the paper:
//!
//! 1. Which candidates a full vertex keeps is decided by a hash of (round, vertex, candidate), not by arrival.
//! 2. Rounds run in blocks of vertices. Within a block all lists are read-only; what is found is sorted by owner and
//!    then inserted by owner. The best k of a set do not depend on the order of insertion, so neither does the result.
//! 3. The start is a forest of random-projection trees (see [`super::forest`]), as in pynndescent.
//! 4. Pairs are rejected by the bound of their sketches before the rows are looked at (see [`super::sketch`]).

use super::exact;
use super::forest;
use super::limits::Limits;
use super::lists::{Lists, NONE, distance, insert, is_new, known, neighbour, pack_key, renamed, worst};
use super::panels::Panels;
use super::points::Points;
use crate::core::random::{Stream, mix};
use crate::core::simd::{LANES, Ones};
use crate::core::{Result, Run, parallel};

/// How hard to search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) trees: usize,
    pub(crate) leaf: usize,
    /// New, and old, candidates that a vertex takes part with in a round.
    pub(crate) candidates: usize,
    pub(crate) rounds: usize,
    /// A round that changes less than this share of all list entries is the last.
    pub(crate) enough: f64,
}

impl Effort {
    pub(crate) fn usual(k: usize) -> Self {
        Effort {
            trees: 7,
            leaf: (10 * k).clamp(96, 256),
            candidates: (4 * k / 3).clamp(16, 60),
            rounds: 12,
            enough: 0.005,
        }
    }
}

/// Vertices in a piece of parallel work.
const PIECE: usize = 128;
/// Pieces in a block, after which lists are brought up to date.
const PIECES: usize = 64;
/// Points that the recall is measured on.
pub(crate) const SAMPLE: usize = 128;
/// Ranges of owners that insert side by side.
const OWNERS: usize = 64;

/// The k nearest other points of each point, approximately.
///
/// The points are renumbered by the leaves of a tree first: what is compared then lies close together in memory.
pub(crate) fn nearest(points: &Points<'_>, k: usize, effort: Effort, draws: Stream, run: &Run) -> Result<Lists> {
    let order = forest::grow(points, effort.leaf, draws.of(1 << 33)).order;
    let found = search(&points.renumbered(&order), k, effort, draws, run)?;
    let mut lists = Lists::new(points.n, k);
    for (keys, &v) in found.keys.chunks_exact(k).zip(&order) {
        let list = &mut lists.keys[v as usize * k..(v as usize + 1) * k];
        list.iter_mut().zip(keys).for_each(|(to, &key)| *to = renamed(key, &order));
        // Equally far neighbours are listed by number.
        list.sort_unstable();
    }
    Ok(lists)
}

fn search(points: &Points<'_>, k: usize, effort: Effort, draws: Stream, run: &Run) -> Result<Lists> {
    let n = points.n;
    let mut lists = Lists::new(n, k);
    {
        let stage = run.stage("neighbour trees", effort.trees);
        let trees = parallel::map(effort.trees, |t| {
            stage.check()?;
            Ok(forest::grow(points, effort.leaf, draws.of(t as u64)))
        });
        for (t, tree) in trees.into_iter().enumerate() {
            forest::join_leaves(points, &tree?, &mut lists);
            stage.step(t + 1)?;
        }
    }
    let stage = run.stage("neighbour descent", effort.rounds);
    for round in 0..effort.rounds {
        let reverse = Reverse::of(&lists, n);
        let key = draws.of(1 << 32).bits(round as u64);
        let candidates = choose(&mut lists, &reverse, effort.candidates, key);
        for block in (0..n).step_by(PIECE * PIECES) {
            stage.check()?;
            let end = (block + PIECE * PIECES).min(n);
            let found = parallel::map_ranges(end - block, PIECE, |range| {
                compare(points, &lists, &candidates, block + range.start..block + range.end)
            });
            let span = n.div_ceil(OWNERS);
            parallel::for_each_chunk(&mut lists.keys, span * k, |owner, keys| {
                for (vertex, key) in found.iter().flat_map(|piece| &piece[owner]) {
                    let at = (*vertex as usize - owner * span) * k;
                    insert(&mut keys[at..at + k], *key);
                }
            });
        }
        stage.step(round + 1)?;
        let changed = parallel::map_ranges(lists.keys.len(), 1 << 16, |range| {
            lists.keys[range].iter().filter(|&&key| key != NONE && is_new(key)).count()
        });
        if (changed.iter().sum::<usize>() as f64) < effort.enough * (n * k) as f64 {
            break;
        }
    }
    fill(points, lists, run)
}

/// The share of the true `k` nearest that the lists hold, by exact search for [`SAMPLE`] points.
pub(crate) fn recall(points: &Points<'_>, lists: &Lists, k: usize, run: &Run) -> Result<f64> {
    let count = SAMPLE.min(points.n);
    let sample: Vec<u32> = (0..count).map(|i| (i * points.n / count) as u32).collect();
    let truth = exact::nearest(points, points, true, &sample, k, &run.stage("neighbours", 1))?;
    let hits = sample.iter().enumerate().map(|(i, &v)| {
        let far = worst(truth.of(i));
        lists.of(v as usize)[..k].iter().filter(|&&key| key != NONE && distance(key) <= far).count()
    });
    Ok(hits.sum::<usize>() as f64 / (count * k) as f64)
}

/// Searches exactly for the few vertices that met fewer than k others, as in many tiny leaves.
fn fill(points: &Points<'_>, mut lists: Lists, run: &Run) -> Result<Lists> {
    let short: Vec<u32> = (0..points.n as u32).filter(|&v| lists.of(v as usize).last() == Some(&NONE)).collect();
    if short.is_empty() {
        return Ok(lists);
    }
    let k = lists.k;
    let found = exact::nearest(points, points, true, &short, k, &run.stage("neighbours", 1))?;
    for (&v, list) in short.iter().zip(found.keys.chunks_exact(k)) {
        lists.keys[v as usize * k..(v as usize + 1) * k].copy_from_slice(list);
    }
    Ok(lists)
}

/// For each vertex the vertices whose lists hold it, with the edge's flag in the lowest bit.
struct Reverse {
    starts: Vec<u32>,
    sources: Vec<u32>,
}

impl Reverse {
    fn of(lists: &Lists, n: usize) -> Self {
        let mut starts = vec![0u32; n + 1];
        for &key in lists.keys.iter().filter(|&&key| key != NONE) {
            starts[neighbour(key) as usize + 1] += 1;
        }
        for i in 0..n {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut sources = vec![0u32; starts[n] as usize];
        for v in 0..n {
            for &key in lists.of(v).iter().filter(|&&key| key != NONE) {
                let at = &mut next[neighbour(key) as usize];
                sources[*at as usize] = (v as u32) << 1 | u32::from(is_new(key));
                *at += 1;
            }
        }
        Reverse { starts, sources }
    }
}

/// Who takes part around each vertex: `members[starts[v]..]`, the first `fresh[v]` of them new.
struct Candidates {
    starts: Vec<u32>,
    fresh: Vec<u32>,
    members: Vec<u32>,
}

/// Chooses the candidates of all vertices, and marks as old what takes part as new.
fn choose(lists: &mut Lists, reverse: &Reverse, most: usize, key: u64) -> Candidates {
    let k = lists.k;
    let n = reverse.starts.len() - 1;
    /// The members of a piece's vertices, then for each vertex how many, and how many of them are new.
    type Part = (Vec<u32>, Vec<(u32, u32)>);
    let mut parts: Vec<Part> = Vec::new();
    parts.resize_with(n.div_ceil(PIECE), Default::default);
    // Lists and results are cut alike, so that each piece marks its own lists.
    let mut pieces: Vec<_> = lists.keys.chunks_mut(PIECE * k).zip(&mut parts).collect();
    parallel::for_each_chunk(&mut pieces, 1, |piece, slot| {
        let Some((keys, (members, counts))) = slot.first_mut() else { return };
        let (mut new, mut old) = (Vec::new(), Vec::new());
        for (r, list) in keys.chunks_mut(k).enumerate() {
            let v = piece * PIECE + r;
            new.clear();
            old.clear();
            let forward = list.iter().filter(|&&key| key != NONE).map(|&key| (neighbour(key), is_new(key)));
            let sources = &reverse.sources[reverse.starts[v] as usize..reverse.starts[v + 1] as usize];
            let backward = sources.iter().map(|&source| (source >> 1, source & 1 == 1));
            for (u, fresh) in forward.chain(backward) {
                let priority = mix(key ^ ((v as u64) << 32 | u64::from(u))) >> 32;
                if fresh { &mut new } else { &mut old }.push(priority << 32 | u64::from(u));
            }
            cut(&mut new, most);
            cut(&mut old, most);
            let begin = members.len();
            members.extend(new.iter().map(|&c| c as u32));
            let fresh = members.len() - begin;
            for slot in list.iter_mut().filter(|key| **key != NONE && is_new(**key)) {
                if members[begin..].contains(&neighbour(*slot)) {
                    *slot &= !1;
                }
            }
            for &c in &old {
                if !members[begin..begin + fresh].contains(&(c as u32)) {
                    members.push(c as u32);
                }
            }
            counts.push(((members.len() - begin) as u32, fresh as u32));
        }
    });
    drop(pieces);
    let mut starts = vec![0u32];
    let (mut fresh, mut members) = (Vec::with_capacity(n), Vec::new());
    for (part, counts) in parts {
        members.extend(part);
        for (size, new) in counts {
            starts.push(starts[starts.len() - 1] + size);
            fresh.push(new);
        }
    }
    Candidates { starts, fresh, members }
}

/// Keeps the `most` candidates of lowest priority number, each once.
fn cut(candidates: &mut Vec<u64>, most: usize) {
    candidates.sort_unstable();
    candidates.dedup();
    candidates.truncate(most);
}

/// Compares the candidates around each vertex of a range; what may enter a list comes back by range of owners.
fn compare(
    points: &Points<'_>,
    lists: &Lists,
    candidates: &Candidates,
    range: std::ops::Range<usize>,
) -> Vec<Vec<(u32, u64)>> {
    let span = points.n.div_ceil(OWNERS);
    let mut found = vec![Vec::new(); OWNERS];
    let (mut panels, mut out0, mut out1) = (Panels::default(), Vec::new(), Vec::new());
    let (mut limits, mut worsts, mut words) = (Limits::default(), Vec::new(), Vec::new());
    let around = |v: usize| &candidates.members[candidates.starts[v] as usize..candidates.starts[v + 1] as usize];
    for v in range.clone() {
        if v + 1 < range.end {
            around(v + 1).iter().for_each(|&m| points.prefetch(m as usize));
        }
        let members = around(v);
        let (size, fresh) = (members.len(), candidates.fresh[v] as usize);
        if fresh == 0 || size < 2 {
            continue;
        }
        panels.pack(points, members.iter().copied());
        worsts.clear();
        worsts.extend(members.iter().map(|&m| worst(lists.of(m as usize))));
        limits.far.clear();
        limits.far.extend(worsts.iter().map(|&w| points.limit(w, points)));
        limits.left.clear();
        limits.left.extend(members.iter().map(|&m| points.left_over(m as usize)));
        for i in (0..fresh).step_by(2) {
            let second = (i + 1).min(fresh - 1);
            let first_panel = i / LANES;
            let pair = [members[i], members[second]].map(|m| m as usize);
            panels.sweep(points, points, pair, first_panel, [&mut out0, &mut out1]);
            for (i, out) in [(i, &out0), (second, &out1)].into_iter().take(fresh - i) {
                let base = first_panel * LANES;
                limits.promising(i, i + 1, &out[i + 1 - base..], &mut words);
                for j in Ones::of(&words).map(|at| i + 1 + at) {
                    let value = out[j - base];
                    // Near pairs are candidates around many vertices: then the distance is known to one of them or to both.
                    let sides = [(i, j), (j, i)];
                    let had = sides.map(|(a, b)| known(lists.of(members[a] as usize), members[b]));
                    let exact = match had {
                        [Some(_), Some(_)] => continue,
                        [Some(distance), None] | [None, Some(distance)] => distance,
                        [None, None] => points.exact(members[i] as usize, points, members[j] as usize, value),
                    };
                    for ((a, b), had) in sides.into_iter().zip(had) {
                        if exact <= worsts[a] && had.is_none() {
                            let owner = members[a];
                            found[owner as usize / span].push((owner, pack_key(exact, members[b])));
                        }
                    }
                }
            }
        }
    }
    found
}
