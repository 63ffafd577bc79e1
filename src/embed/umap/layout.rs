//! The layout: stochastic gradient descent on the cross-entropy between the graph and its drawing (McInnes, Healy,
//! Melville 2018, section 3.2 and algorithm 5), deterministic and parallel.
//!
//! umap-learn walks the edges of the graph in parallel and moves both ends, so threads race and a seed costs them. Here
//! each vertex is moved by one owner only:
//!
//! 1. Vertices are dealt into blocks of a fixed size, in an order given by the graph alone. Blocks are moved one after
//!    the other, each seeing where the earlier ones have gone; within a block all positions but a vertex's own are
//!    those of the block's beginning. Most pairs of neighbours are in different blocks and so take turns, as in
//!    sequential descent. Freezing a whole epoch instead makes neighbours swap places while the learning rate is high.
//! 2. In each period of an edge its owner is attracted once and repelled from `negative_sample_rate` vertices once, as
//!    algorithm 5 has it. umap-learn stores both directions of an edge and moves both ends for each, which attracts
//!    twice; in this scheme that contracts early and keeps fewer neighbours.
//! 3. An attraction carries a vertex at most onto its neighbour. umap-learn moves both ends at once, so that overshooting
//!    cancels out; ends that move in turns would chase each other out of the picture.
//! 4. The schedule has no state: an edge fires in epoch t when t w / w_max passes an integer, kept in 32-bit fixed
//!    point.
//! 5. Random vertices are drawn from a counter keyed (seed, epoch, vertex).
//! 6. Sixteen vertices are moved in step, one in each lane; those of like many samples go together, so that lanes run
//!    equally long.
//! 7. x^b is computed by short polynomials (relative error below 1e-4), far below the noise of sampling.

use super::density::{Edges, Term};
use super::drive::{Bundle, Drive, Forces, LANES, by_width};
use super::fuzzy::Graph;
use crate::core::random::{Stream, mix};
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

/// Who is told of each epoch that is done, with a way to get the positions then; epoch 0 is the start.
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
}

/// Moves `start` (vertices x components) by the plan.
pub(crate) fn lay_out(graph: &Graph, start: &[f32], plan: Plan<'_>, see: &mut See<'_>, run: &Run) -> Result<Vec<f32>> {
    by_width!(plan.components, run_epochs(graph, start, plan, see, run))
}

/// Vertices in a piece of parallel work.
const PIECE: usize = 8 * LANES;

fn run_epochs<P: Drive>(
    graph: &Graph,
    start: &[f32],
    plan: Plan<'_>,
    see: &mut See<'_>,
    run: &Run,
) -> Result<Vec<f32>> {
    let Plan { components, epochs, forces, draws, density, .. } = plan;
    let n = graph.len();
    let heaviest = graph.weights.iter().fold(0.0f32, |m, &w| m.max(w));
    let block = block_size(n);
    let order = deal(n, draws.of(1 << 40));
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
    let mut positions = vec![P::zeros(); n];
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
    let pieces: Vec<usize> = (0..n).step_by(block).map(|from| block.min(n - from).div_ceil(PIECE)).collect();
    // One for each thread in the end.
    let spare = Spare::<Fired>::default();
    for epoch in 0..epochs {
        let alpha = plan.alpha * (1.0 - epoch as f32 / epochs as f32);
        let seed = draws.of(epoch as u64);
        parallel::rounds(
            &mut positions,
            &pieces,
            |positions, round, piece| {
                let first = round * block + piece * PIECE;
                let vertices = first..(first + PIECE).min(((round + 1) * block).min(n));
                let mut fired = spare.take(Fired::default);
                fired.fill(&starts, &rates, &targets, vertices, epoch as u32 + 1);
                let moved = fired.moved(first, positions, forces, alpha, seed);
                spare.give(fired);
                moved
            },
            |positions, round, moved| {
                let own = positions[round * block..].chunks_mut(PIECE);
                own.zip(moved).for_each(|(own, moved)| own[..moved.len()].copy_from_slice(&moved));
            },
        );
        if let Some(term) = density.filter(|term| term.counts_in(epoch, epochs)) {
            let edges = Edges { order: &order, starts: &starts, targets: &targets, rates: &rates };
            term.push(edges, forces, alpha, &mut positions);
        }
        stage.step(epoch + 1)?;
        see(epoch + 1, &|| by_vertex(&positions));
    }
    Ok(by_vertex(&positions))
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
        self.targets.clear();
        self.targets.extend(Ones::of(&self.words).map(|edge| targets[edge]));
        self.before.clear();
        let mut count = 0;
        for word in &self.words {
            self.before.push(count);
            count += word.count_ones() as usize;
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

    fn of_vertex(&self, v: usize) -> &[u32] {
        &self.targets[self.starts[v]..self.starts[v + 1]]
    }

    /// Where the vertices, of which `first` is the first, go.
    fn moved<P: Drive>(&self, first: usize, positions: &[P], forces: Forces, alpha: f32, seed: Stream) -> Vec<P> {
        let mut moved = positions[first..first + self.alike.len()].to_vec();
        let mut bundle = Bundle::empty();
        for lanes in self.alike.chunks(LANES) {
            bundle.targets = [&[]; LANES];
            for (l, &v) in lanes.iter().enumerate() {
                bundle.keys[l] = (seed.bits((first + v) as u64) >> 32) as u32;
                bundle.targets[l] = self.of_vertex(v);
                moved[v].slice().iter().enumerate().for_each(|(d, &x)| bundle.own[d][l] = x);
            }
            P::drive(&mut bundle, positions, forces, alpha);
            for (l, &v) in lanes.iter().enumerate() {
                moved[v].slice_mut().iter_mut().enumerate().for_each(|(d, x)| *x = bundle.own[d][l]);
            }
        }
        moved
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

/// Vertices in a block: enough to share among threads, few enough that neighbours mostly take turns.
fn block_size(n: usize) -> usize {
    (n / 8).next_multiple_of(LANES).clamp(PIECE / 2, 8192)
}

/// The vertices in a random order, to be cut into blocks.
fn deal(n: usize, draws: Stream) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n as u32).collect();
    order.sort_by_key(|&v| (mix(draws.bits(u64::from(v))), v));
    order
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
                assert_eq!(fired.of_vertex(at), due.collect::<Vec<_>>());
            }
            let counts: Vec<usize> = fired.alike.iter().map(|&v| fired.of_vertex(v).len()).collect();
            assert!(counts.is_sorted());
            assert_eq!(fired.alike.iter().sum::<usize>(), (0..vertices.len()).sum::<usize>());
        }
    }

    #[test]
    fn every_vertex_is_dealt_once() {
        let n = 300;
        let mut order = deal(n, Stream::new(1, 1));
        assert_ne!(order, (0..n as u32).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..n as u32).collect::<Vec<_>>());
    }
}
