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
use super::fuzzy::Graph;
use crate::core::random::{Stream, mix};
use crate::core::simd::multiversion;
use crate::core::{Result, Run, parallel};
use std::ops::Range;

/// Vertices moved in step.
pub(crate) const LANES: usize = 16;
/// No step is longer than this in any coordinate, before the learning rate.
const CLIP: f32 = 4.0;

/// The forces' parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forces {
    pub(crate) a: f32,
    pub(crate) b: f32,
    pub(crate) repulsion: f32,
    pub(crate) negatives: u32,
}

/// 2^32 w / w_max, at most 2^32 - 1.
pub(crate) fn rate(weight: f32, heaviest: f32) -> u32 {
    (f64::from(weight) / f64::from(heaviest) * 4_294_967_296.0) as u32
}

/// Whether t rate / 2^32 passed an integer between t - 1 and t.
#[inline(always)]
pub(crate) fn fires(rate: u32, t: u32) -> bool {
    rate.wrapping_mul(t) < rate
}

/// x^b for normal x > 0.
#[inline(always)]
pub(crate) fn power(x: f32, b: f32) -> f32 {
    // x = 2^e (1 + t) with 1 + t in [sqrt 1/2, sqrt 2).
    let moved = x.to_bits().wrapping_sub(0x3f35_04f3) as i32;
    let e = moved >> 23;
    let t = f32::from_bits((x.to_bits() as i32).wrapping_sub(e << 23) as u32) - 1.0;
    let log = (((0.252_662_56 * t - 0.394_576_3) * t + 0.486_685_78) * t - 0.720_241_7) * t + 1.442_578;
    let y = b * (e as f32 + log * t);
    let y = if y < -120.0 { -120.0 } else { y };
    let y = if y > 120.0 { 120.0 } else { y };
    const SHIFT: f32 = 12_582_912.0; // 1.5 x 2^23: adding it rounds to an integer
    let shifted = y + SHIFT;
    let r = y - (shifted - SHIFT);
    let part = (((0.009_567_738 * r + 0.055_917_498) * r + 0.240_248_1) * r + 0.693_121_94) * r + 0.999_999_2;
    part * f32::from_bits(shifted.to_bits().wrapping_add(127) << 23)
}

/// The next number of a random sequence (Marsaglia 2003, "Xorshift RNGs"); 0 stays 0.
#[inline(always)]
fn next(mut x: u32) -> u32 {
    x ^= x << 13;
    x ^= x >> 17;
    x ^ (x << 5)
}

#[inline(always)]
pub(crate) fn clip(x: f32) -> f32 {
    let x = if x > CLIP { CLIP } else { x };
    if x < -CLIP { -CLIP } else { x }
}

/// What sixteen vertices do in one epoch.
pub(crate) struct Bundle<'a> {
    /// Where the vertices are; moved in place. Coordinates beyond the embedding's are zero and stay so.
    pub(crate) own: [[f32; LANES]; MOST],
    /// Vertices that attract each lane, in order.
    pub(crate) targets: [&'a [u32]; LANES],
    /// Key of each lane's random vertices.
    pub(crate) keys: [u32; LANES],
}

impl Bundle<'_> {
    pub(crate) fn empty() -> Self {
        Bundle { own: [[0.0; LANES]; MOST], targets: [&[]; LANES], keys: [0; LANES] }
    }
}

/// Most components.
pub(crate) const MOST: usize = 64;

/// Moves a bundle against fixed positions. Lanes do not touch each other.
#[inline(always)]
fn drive<const D: usize>(bundle: &mut Bundle<'_>, positions: &[[f32; D]], forces: Forces, alpha: f32) {
    let Forces { a, b, repulsion, negatives } = forces;
    let n = positions.len() as u64;
    let mut own = [[0.0f32; LANES]; D];
    own.copy_from_slice(&bundle.own[..D]);
    let steps = bundle.targets.iter().map(|targets| targets.len()).max().unwrap_or(0);
    let mut draws = bundle.keys.map(|key| key | 1);
    for s in 0..steps {
        let mut alphas = [0.0f32; LANES];
        let mut other = [[0.0f32; LANES]; D];
        for l in 0..LANES {
            // A lane that has run out stays where it is.
            if let Some(&target) = bundle.targets[l].get(s) {
                alphas[l] = alpha;
                let position = &positions[target as usize];
                for d in 0..D {
                    other[d][l] = position[d];
                }
            }
        }
        let mut square = [0.0f32; LANES];
        for d in 0..D {
            for l in 0..LANES {
                let x = own[d][l] - other[d][l];
                square[l] += x * x;
            }
        }
        let mut factor = [0.0f32; LANES];
        for l in 0..LANES {
            let x = if square[l] > 1e-30 { square[l] } else { 1e-30 };
            let p = power(x, b);
            factor[l] = -2.0 * a * b * p / (x * (1.0 + a * p));
        }
        for d in 0..D {
            for l in 0..LANES {
                let apart = own[d][l] - other[d][l];
                let step = alphas[l] * clip(factor[l] * apart);
                // Not past the neighbour: two vertices that overshoot in turns leap over each other and off the picture.
                own[d][l] += if step.abs() > apart.abs() { -apart } else { step };
            }
        }
        // Repulsions all start from the position after the attraction, and are added up.
        let mut sums = [[0.0f32; LANES]; D];
        for _ in 0..negatives {
            let mut picked = [0u32; LANES];
            for l in 0..LANES {
                draws[l] = next(draws[l]);
            }
            for l in 0..LANES {
                picked[l] = ((u64::from(draws[l]) * n) >> 32) as u32;
            }
            let mut diff = [[0.0f32; LANES]; D];
            let mut square = [0.0f32; LANES];
            for l in 0..LANES {
                let position = &positions[picked[l] as usize];
                for d in 0..D {
                    diff[d][l] = position[d];
                }
            }
            for d in 0..D {
                for l in 0..LANES {
                    diff[d][l] = own[d][l] - diff[d][l];
                    square[l] += diff[d][l] * diff[d][l];
                }
            }
            let mut factor = [0.0f32; LANES];
            for l in 0..LANES {
                let x = if square[l] > 1e-30 { square[l] } else { 1e-30 };
                let p = power(x, b);
                factor[l] = 2.0 * repulsion * b / ((0.001 + x) * (1.0 + a * p));
            }
            for d in 0..D {
                for l in 0..LANES {
                    sums[d][l] += clip(factor[l] * diff[d][l]);
                }
            }
        }
        for d in 0..D {
            for l in 0..LANES {
                own[d][l] += alphas[l] * sums[d][l];
            }
        }
    }
    bundle.own[..D].copy_from_slice(&own);
}

macro_rules! drives {
    ($($name:ident $d:literal),*) => {$(
        multiversion! {
            fn $name(bundle: &mut Bundle<'_>, positions: &[[f32; $d]], forces: Forces, alpha: f32) {
                drive::<$d>(bundle, positions, forces, alpha);
            }
        }
        impl Drive for [f32; $d] {
            fn drive(bundle: &mut Bundle<'_>, positions: &[Self], forces: Forces, alpha: f32) {
                $name(bundle, positions, forces, alpha);
            }
        }
    )*};
}

/// Positions of one width, with their compiled loop.
pub(crate) trait Drive: Copy + Send + Sync + Default2 {
    fn drive(bundle: &mut Bundle<'_>, positions: &[Self], forces: Forces, alpha: f32);
}

/// Zeros, and the coordinates as a slice (arrays beyond 32 have no `Default`).
pub(crate) trait Default2 {
    fn zeros() -> Self;
    fn slice(&self) -> &[f32];
    fn slice_mut(&mut self) -> &mut [f32];
}

impl<const D: usize> Default2 for [f32; D] {
    fn zeros() -> Self {
        [0.0; D]
    }
    fn slice(&self) -> &[f32] {
        self
    }
    fn slice_mut(&mut self) -> &mut [f32] {
        self
    }
}

drives!(drive_2 2, drive_3 3, drive_4 4, drive_8 8, drive_16 16, drive_64 64);

/// Calls `$f::<[f32; D]>` with the smallest width that holds `$components`.
macro_rules! by_width {
    ($components:expr, $f:ident($($arg:expr),* $(,)?)) => {
        match $components {
            0..=2 => $f::<[f32; 2]>($($arg),*),
            3 => $f::<[f32; 3]>($($arg),*),
            4 => $f::<[f32; 4]>($($arg),*),
            5..=8 => $f::<[f32; 8]>($($arg),*),
            9..=16 => $f::<[f32; 16]>($($arg),*),
            _ => $f::<[f32; 64]>($($arg),*),
        }
    };
}
pub(crate) use by_width;

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

/// Bundles in a piece of parallel work.
const PIECE: usize = 8;

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
    let mut moved = vec![P::zeros(); block.min(n)];
    let by_vertex = |positions: &[P]| {
        let mut result = vec![0.0; n * components];
        for (position, &v) in positions.iter().zip(&order) {
            result[v as usize * components..][..components].copy_from_slice(&position.slice()[..components]);
        }
        result
    };
    let stage = run.stage("layout", epochs);
    see(0, &|| by_vertex(&positions));
    let width = P::zeros().slice().len();
    for epoch in 0..epochs {
        let alpha = plan.alpha * (1.0 - epoch as f32 / epochs as f32);
        let seed = draws.of(epoch as u64);
        for from in (0..n).step_by(block) {
            let size = block.min(n - from);
            let piece = PIECE * LANES;
            parallel::for_each_chunk(&mut moved[..size], piece, |chunk, out| {
                let first = from + chunk * piece;
                let fired = Fired::of(&starts, &rates, &targets, first..first + out.len(), epoch as u32 + 1);
                let mut bundle = Bundle::empty();
                for lanes in fired.alike.chunks(LANES) {
                    bundle.targets = [&[]; LANES];
                    for (l, &v) in lanes.iter().enumerate() {
                        bundle.keys[l] = (seed.bits((first + v) as u64) >> 32) as u32;
                        bundle.targets[l] = fired.of_vertex(v);
                        for d in 0..width {
                            bundle.own[d][l] = positions[first + v].slice()[d];
                        }
                    }
                    P::drive(&mut bundle, &positions, forces, alpha);
                    for (l, &v) in lanes.iter().enumerate() {
                        for d in 0..width {
                            out[v].slice_mut()[d] = bundle.own[d][l];
                        }
                    }
                }
            });
            positions[from..from + size].copy_from_slice(&moved[..size]);
        }
        if let Some(term) = density.filter(|term| term.counts_in(epoch, epochs)) {
            let edges = Edges { order: &order, starts: &starts, targets: &targets, rates: &rates };
            term.push(edges, forces, alpha, &mut positions);
        }
        stage.step(epoch + 1)?;
        see(epoch + 1, &|| by_vertex(&positions));
    }
    Ok(by_vertex(&positions))
}

/// The targets of a range of vertices in one epoch.
struct Fired {
    targets: Vec<u32>,
    starts: Vec<usize>,
    /// Numbers within the range, by how many targets they have: lanes run until the last of them is done.
    alike: Vec<usize>,
}

impl Fired {
    /// Of the edges that fire in epoch t, in order.
    fn of(starts: &[usize], rates: &[u32], targets: &[u32], vertices: Range<usize>, t: u32) -> Self {
        let edges = starts[vertices.start]..starts[vertices.end];
        let mut fired = Fired { targets: vec![0; edges.len()], starts: vec![0], alike: (0..vertices.len()).collect() };
        let mut count = 0;
        for v in vertices {
            let own = starts[v]..starts[v + 1];
            for (&rate, &target) in rates[own.clone()].iter().zip(&targets[own]) {
                fired.targets[count] = target;
                count += usize::from(fires(rate, t));
            }
            fired.starts.push(count);
        }
        let starts = &fired.starts;
        fired.alike.sort_unstable_by_key(|&v| (starts[v + 1] - starts[v], v));
        fired
    }

    fn of_vertex(&self, v: usize) -> &[u32] {
        &self.targets[self.starts[v]..self.starts[v + 1]]
    }
}

/// Vertices in a block: enough to share among threads, few enough that neighbours mostly take turns.
fn block_size(n: usize) -> usize {
    (n / 8).next_multiple_of(LANES).clamp(PIECE * LANES / 2, 8192)
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
    fn powers_are_near_enough() {
        for i in 1..200_000 {
            let x = i as f32 * i as f32 * 1e-6;
            for b in [0.3f32, 0.79, 0.895, 1.9] {
                let exact = libm::pow(f64::from(x), f64::from(b));
                assert!((f64::from(power(x, b)) / exact - 1.0).abs() < 1e-4, "{x}^{b}");
            }
        }
        assert!(power(1e-30, 5.0) >= 0.0 && power(1e30, 5.0).is_finite());
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
