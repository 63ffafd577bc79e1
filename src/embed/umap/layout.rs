//! The layout: stochastic gradient descent on the cross-entropy between the graph and its drawing (McInnes, Healy,
//! Melville 2018, section 3.2 and algorithm 5), deterministic and parallel.
//!
//! umap-learn walks the edges of the graph in parallel and moves both ends of each, so threads race and a seed costs them.
//! Here each vertex is moved by one owner, and all of an epoch's moves start from the positions at its beginning, so no
//! thread waits for another within an epoch:
//!
//! 1. **Half of a pair of moves.** An attraction of strength f (learning rate times the gradient's coefficient, at most 1)
//!    that carries both ends by f of their distance d leaves (1 − 2f) d; umap-learn stores both directions of an edge, so
//!    it does this twice, which leaves (1 − 2f)² d. Here each end goes its half of the way, 2f (1 − f) d, once. At f = 1
//!    umap-learn's ends swap places twice; here they stay. A vertex that goes all of f by itself contracts pairs at once
//!    and tears connected groups into threads that stay torn: see `docs/umap.md`.
//! 2. A vertex repels `negative_sample_rate` others for each attraction, never itself, from one position.
//! 3. The vertices that repel are drawn for a piece of up to 512 vertices and an epoch at once ([`super::forces`]).
//! 4. Vertices are numbered along a curve through the start, so that neighbours mostly lie together in memory.
//! 5. The schedule has no state: an edge fires in epoch t when t w / w_max passes an integer, kept in 32-bit fixed
//!    point.
//! 6. Random vertices are drawn from a counter keyed (seed, epoch, piece).
//! 7. Sixteen vertices are moved in step, one in each lane; those of like many samples go together, so that lanes run
//!    equally long.
//! 8. x^b is computed by short polynomials (relative error below 1e-4), far below the noise of sampling.

use super::density::{Edges, Term};
use super::forces::{Forces, LANES};
use super::fuzzy::Graph;
use super::moves::{Piece, Place, by_width};
use super::pool::Pool;
use crate::core::random::Stream;
use crate::core::simd::{Ones, multiversion};
use crate::core::spare::Spare;
use crate::core::{Result, Run, parallel};
use std::ops::Range;

/// 2^32 w / w_max, at most 2^32 - 1.
pub(crate) fn rate(weight: f32, heaviest: f32) -> u32 {
    (f64::from(weight) / f64::from(heaviest) * 4_294_967_296.0) as u32
}

/// Whether t rate / 2^32 passed an integer between t - 1 and t.
#[inline(always)]
pub(crate) fn fires(rate: u32, t: u32) -> bool {
    rate.wrapping_mul(t) < rate
}

/// Called after each epoch, with a way to get the positions then; epoch 0 is the start.
pub(crate) type See<'a> = dyn FnMut(usize, &dyn Fn() -> Vec<f32>) + 'a;

/// How a layout is run.
#[derive(Clone, Copy)]
pub(crate) struct Plan<'a> {
    pub(crate) components: usize,
    pub(crate) epochs: usize,
    pub(crate) forces: Forces,
    /// The learning rate of the first epoch, which falls to 0.
    pub(crate) alpha: f32,
    pub(crate) draws: Stream,
    pub(crate) density: Option<&'a Term>,
    /// Whether each epoch is to be shown.
    pub(crate) seen: bool,
}

/// Moves `start` (vertices x components) by the plan.
pub(crate) fn lay_out(graph: &Graph, start: &[f32], plan: Plan<'_>, see: &mut See<'_>, run: &Run) -> Result<Vec<f32>> {
    by_width!(plan.components, run_epochs(graph, start, plan, see, run))
}

/// Least and most vertices in a piece of parallel work.
const PIECE: (usize, usize) = (128, 512);
/// Vertices x epochs after which it is checked whether the run was cancelled.
const PAUSE: usize = 1 << 16;

fn run_epochs<P: Place>(
    graph: &Graph,
    start: &[f32],
    plan: Plan<'_>,
    see: &mut See<'_>,
    run: &Run,
) -> Result<Vec<f32>> {
    let Plan { components, epochs, forces, draws, density, .. } = plan;
    let n = graph.len();
    let heaviest = graph.weights.iter().fold(0.0f32, |m, &w| m.max(w));
    let order = along(start, n, components);
    let mut place = vec![0u32; n];
    for (at, &v) in order.iter().enumerate() {
        place[v as usize] = at as u32;
    }
    // Edges renumbered by place.
    let mut starts = vec![0usize];
    let (mut rates, mut targets) = (Vec::with_capacity(graph.columns.len()), Vec::with_capacity(graph.columns.len()));
    for &v in &order {
        for at in graph.range(v as usize) {
            rates.push(rate(graph.weights[at], heaviest));
            targets.push(place[graph.columns[at] as usize]);
        }
        starts.push(rates.len());
    }
    let mut positions = vec![P::ZEROS; n];
    for (position, &v) in positions.iter_mut().zip(&order) {
        position.slice_mut()[..components]
            .copy_from_slice(&start[v as usize * components..(v as usize + 1) * components]);
    }
    let by_vertex = |positions: &[P]| {
        let mut result = vec![0.0; n * components];
        for (position, &v) in positions.iter().zip(&order) {
            result[v as usize * components..][..components].copy_from_slice(&position.slice()[..components]);
        }
        result
    };
    let stage = run.stage("layout", epochs);
    see(0, &|| by_vertex(&positions));
    let size = (n / 32).next_multiple_of(LANES).clamp(PIECE.0, PIECE.1);
    let pieces = n.div_ceil(size);
    // One for each thread in the end.
    let spare = Spare::<(Fired, Pool)>::default();
    let mut epoch = 0;
    while epoch < epochs {
        let together = if plan.seen || density.is_some() { 1 } else { (PAUSE / n.max(1)).clamp(1, epochs - epoch) };
        parallel::rounds(
            &mut positions,
            &vec![pieces; together],
            |positions, round, piece| {
                let epoch = epoch + round;
                let first = piece * size;
                let vertices = first..(first + size).min(n);
                let mut moved = positions[vertices.clone()].to_vec();
                let alpha = plan.alpha * (1.0 - epoch as f32 / epochs as f32);
                let (mut fired, mut pool) = spare.take(Default::default);
                fired.fill(&starts, &rates, &targets, vertices, epoch as u32 + 1);
                let key = (draws.of(epoch as u64).bits(piece as u64) >> 32) as u32;
                P::move_piece(&fired.piece(first, key), positions, &mut moved, &mut pool, forces, alpha);
                spare.give((fired, pool));
                moved
            },
            |positions, _, moved| {
                let own = positions.chunks_mut(size);
                own.zip(moved).for_each(|(own, moved)| own.copy_from_slice(&moved));
            },
        );
        let before = epoch;
        epoch += together;
        if let Some(term) = density.filter(|term| term.counts_in(epoch - 1, epochs)) {
            let edges = Edges { order: &order, starts: &starts, targets: &targets, rates: &rates };
            let alpha = plan.alpha * (1.0 - (epoch - 1) as f32 / epochs as f32);
            term.push(edges, forces, alpha, &mut positions);
        }
        (before..epoch).try_for_each(|done| stage.step(done + 1))?;
        see(epoch, &|| by_vertex(&positions));
    }
    Ok(by_vertex(&positions))
}

/// The vertices in an order that keeps those together that start near each other: along a curve through the first three
/// coordinates (Morton 1966).
fn along(start: &[f32], n: usize, components: usize) -> Vec<u32> {
    let axes = components.min(3);
    let bits = 30 / axes;
    let ends: Vec<(f32, f32)> = (0..axes)
        .map(|d| {
            let axis = start.iter().skip(d).step_by(components);
            axis.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)))
        })
        .collect();
    let cell = |x: f32, (low, high): (f32, f32)| {
        let share = if high > low { (x - low) / (high - low) } else { 0.0 };
        (share * ((1u32 << bits) - 1) as f32) as u32
    };
    let mut order: Vec<(u32, u32)> = (0..n as u32)
        .map(|v| {
            let cells: Vec<u32> = (0..axes).map(|d| cell(start[v as usize * components + d], ends[d])).collect();
            let key = (0..bits)
                .rev()
                .flat_map(|bit| cells.iter().map(move |c| c >> bit & 1))
                .fold(0, |key, bit| key << 1 | bit);
            (key, v)
        })
        .collect();
    parallel::sort_by_key(&mut order, |&key| key);
    order.into_iter().map(|(_, v)| v).collect()
}

multiversion! {
    /// Which edges fire in epoch t: one bit each, 32 in a word; `words` holds a word for every 32 edges begun.
    fn firing(rates: &[u32], t: u32, words: &mut [u32]) {
        let (whole, rest) = rates.as_chunks::<32>();
        for (word, rates) in words.iter_mut().zip(whole) {
            let mut bits = 0;
            for i in 0..32 {
                bits |= u32::from(fires(rates[i], t)) << i;
            }
            *word = bits;
        }
        if let Some(word) = words.get_mut(whole.len()) {
            *word = rest.iter().enumerate().fold(0, |bits, (i, &rate)| bits | u32::from(fires(rate, t)) << i);
        }
    }
}

/// The targets of a range of vertices in one epoch.
#[derive(Default)]
struct Fired {
    targets: Vec<u32>,
    /// Where the targets of each vertex begin, and where the last end.
    starts: Vec<usize>,
    /// Numbers within the range, by how many targets they have: lanes run until the last of them is done.
    alike: Vec<usize>,
    /// A bit for each edge: whether it fires.
    words: Vec<u32>,
    /// Targets before each word.
    before: Vec<usize>,
}

impl Fired {
    /// Takes in the edges that fire in epoch t, in order.
    fn fill(&mut self, starts: &[usize], rates: &[u32], targets: &[u32], vertices: Range<usize>, t: u32) {
        let edges = starts[vertices.start]..starts[vertices.end];
        let targets = &targets[edges.clone()];
        self.words.clear();
        self.words.resize(targets.len() / 32 + 1, 0);
        firing(&rates[edges.clone()], t, &mut self.words);
        self.before.clear();
        let mut count = 0;
        for word in &self.words {
            self.before.push(count);
            count += word.count_ones() as usize;
        }
        self.targets.resize(count, 0);
        for (to, edge) in self.targets.iter_mut().zip(Ones::of(&self.words)) {
            *to = targets[edge];
        }
        self.starts.clear();
        self.starts.push(0);
        for v in vertices {
            let end = starts[v + 1] - edges.start;
            let own = self.words[end / 32] & !(u32::MAX << (end % 32));
            self.starts.push(self.before[end / 32] + own.count_ones() as usize);
        }
        self.sort();
    }

    fn piece(&self, first: usize, key: u32) -> Piece<'_> {
        Piece { first, alike: &self.alike, starts: &self.starts, targets: &self.targets, key }
    }

    /// Sorts by counting; beyond [`Fired::MANY`] targets the order does not matter.
    fn sort(&mut self) {
        let n = self.starts.len() - 1;
        let count = |v: usize| (self.starts[v + 1] - self.starts[v]).min(Self::MANY);
        let mut places = [0; Self::MANY + 2];
        (0..n).for_each(|v| places[count(v) + 1] += 1);
        (0..=Self::MANY).for_each(|c| places[c + 1] += places[c]);
        self.alike.clear();
        self.alike.resize(n, 0);
        for v in 0..n {
            let place = &mut places[count(v)];
            self.alike[*place] = v;
            *place += 1;
        }
    }

    const MANY: usize = 62;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_fire_as_one_by_one() {
        let draws = Stream::new(3, 3);
        // 0 to 90 edges a vertex: words begin and end within vertices, and a vertex spans several.
        let mut starts = vec![0usize];
        (0..100u64).for_each(|v| starts.push(starts[v as usize] + (draws.bits(v) % 91) as usize));
        let edges = starts[100];
        let rates: Vec<u32> = (0..edges as u64).map(|e| (draws.of(1).bits(e) >> 32) as u32).collect();
        let targets: Vec<u32> = (0..edges as u32).collect();
        let mut fired = Fired::default();
        for (vertices, t) in [(0..100, 1), (3..64, 7), (99..100, 2), (50..50, 5)] {
            fired.fill(&starts, &rates, &targets, vertices.clone(), t);
            for (at, v) in vertices.clone().enumerate() {
                let due = (starts[v]..starts[v + 1]).filter(|&e| fires(rates[e], t)).map(|e| e as u32);
                assert_eq!(fired.targets[fired.starts[at]..fired.starts[at + 1]], due.collect::<Vec<_>>());
            }
            let counts: Vec<usize> = fired.alike.iter().map(|&v| fired.starts[v + 1] - fired.starts[v]).collect();
            assert!(counts.is_sorted());
            assert_eq!(fired.alike.iter().sum::<usize>(), (0..vertices.len()).sum::<usize>());
        }
    }

    #[test]
    fn the_curve_visits_each_vertex_once_and_neighbours_in_turn() {
        for components in [1, 2, 5] {
            // A grid of 32 x 32 (or a line), in an order that is not the curve's.
            let start: Vec<f32> = (0..1024usize)
                .map(|i| i * 389 % 1024)
                .flat_map(|i| (0..components).map(move |d| if d == 0 { i % 32 } else { i / 32 } as f32))
                .collect();
            let order = along(&start, 1024, components);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..1024).collect::<Vec<u32>>());
            let place = |v: u32| &start[v as usize * components..][..components];
            let step =
                |pair: &[u32]| place(pair[0]).iter().zip(place(pair[1])).map(|(x, y)| (x - y).abs()).sum::<f32>();
            // A random order would have some 10.7 a coordinate.
            assert!(order.windows(2).map(step).sum::<f32>() / 1023.0 < 2.0 * components as f32);
        }
        assert_eq!(along(&[2.0, 2.0, 2.0, 2.0], 2, 2), [0, 1]);
    }
}
