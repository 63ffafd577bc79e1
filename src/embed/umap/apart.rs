//! Vertices without an edge: they have no part in the layout and are put around it.
//!
//! umap-learn gives them NaN. Here each coordinate is a number, and one that claims nothing: a place at random in a shell
//! around the picture, far from what was laid out, so that no clusterer takes such a row for a member of a cluster.

use super::fuzzy::Graph;
use crate::core::random::Stream;

/// Inner and outer radius of the shell, as a multiple of the farthest laid-out vertex's distance from the centre.
const SHELL: (f64, f64) = (1.2, 1.8);
/// The farthest distance where nothing was laid out.
const ALONE: f64 = 10.0;

/// Vertices with an edge, and those without.
pub(super) fn split(graph: &Graph) -> (Vec<u32>, Vec<u32>) {
    (0..graph.len() as u32).partition(|&v| !graph.range(v as usize).is_empty())
}

/// Positions of all vertices, from those of the vertices `inside` (their order) and a place for each of `outside`.
pub(super) fn place(inside: &[u32], laid_out: Vec<f32>, outside: &[u32], components: usize, draws: Stream) -> Vec<f32> {
    if outside.is_empty() {
        return laid_out;
    }
    let n = inside.len() + outside.len();
    let mut positions = vec![0.0f32; n * components];
    let mut centre = vec![0.0f64; components];
    for (&v, position) in inside.iter().zip(laid_out.chunks(components)) {
        positions[v as usize * components..][..components].copy_from_slice(position);
        centre.iter_mut().zip(position).for_each(|(c, &x)| *c += f64::from(x) / inside.len() as f64);
    }
    let square = |position: &[f32]| -> f64 {
        position.iter().zip(&centre).map(|(&x, c)| (f64::from(x) - c) * (f64::from(x) - c)).sum()
    };
    let farthest = libm::sqrt(laid_out.chunks(components).map(square).fold(0.0, f64::max));
    let farthest = if farthest > 0.0 { farthest } else { ALONE };
    for &v in outside {
        let own = draws.of(u64::from(v));
        let direction: Vec<f64> = (0..components).map(|d| own.normal(d as u64 + 1)).collect();
        let length = libm::sqrt(direction.iter().map(|x| x * x).sum()).max(f64::MIN_POSITIVE);
        let radius = farthest * (SHELL.0 + (SHELL.1 - SHELL.0) * own.uniform(0));
        for d in 0..components {
            positions[v as usize * components + d] = (centre[d] + radius * direction[d] / length) as f32;
        }
    }
    positions
}
