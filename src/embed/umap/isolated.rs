//! Rows without a neighbour: they have no part in the layout and are put around it.
//!
//! umap-learn gives them NaN. Here each coordinate is a number, if one without meaning: a place at random in a shell
//! around the picture, far from what was laid out, so that no clusterer takes such a row for a member of a cluster.

use super::fuzzy::Graph;
use crate::core::random::Stream;

/// Inner and outer radius of the shell, as a multiple of the farthest laid-out vertex's distance from the centre.
const RADII: (f64, f64) = (1.2, 1.8);
/// The farthest distance where nothing was laid out.
const ALONE: f64 = 10.0;

/// Vertices with an edge, and those without.
pub(super) fn split(graph: &Graph) -> (Vec<u32>, Vec<u32>) {
    (0..graph.len() as u32).partition(|&v| !graph.range(v as usize).is_empty())
}

/// Around a picture.
#[derive(Clone)]
pub(super) struct Shell {
    centre: Vec<f64>,
    farthest: f64,
}

impl Shell {
    /// Around the laid-out positions.
    pub(super) fn around<'a>(positions: impl Iterator<Item = &'a [f32]> + Clone, components: usize) -> Self {
        let mut centre = vec![0.0f64; components];
        let count = positions.clone().count().max(1) as f64;
        for position in positions.clone() {
            centre.iter_mut().zip(position).for_each(|(c, &x)| *c += f64::from(x) / count);
        }
        let square = |position: &[f32]| -> f64 {
            position.iter().zip(&centre).map(|(&x, c)| (f64::from(x) - c) * (f64::from(x) - c)).sum()
        };
        let farthest = libm::sqrt(positions.map(square).fold(0.0, f64::max));
        Shell { farthest: if farthest > 0.0 { farthest } else { ALONE }, centre }
    }

    /// A place in it.
    pub(super) fn place(&self, draws: Stream) -> impl Iterator<Item = f32> + '_ {
        let direction: Vec<f64> = (0..self.centre.len()).map(|d| draws.normal(d as u64 + 1)).collect();
        let length = libm::sqrt(direction.iter().map(|x| x * x).sum()).max(f64::MIN_POSITIVE);
        let radius = self.farthest * (RADII.0 + (RADII.1 - RADII.0) * draws.uniform(0));
        self.centre.iter().zip(direction).map(move |(c, x)| (c + radius * x / length) as f32)
    }
}

/// Positions of all vertices, from those of the vertices `inside` (their order) and a place for each of `outside`.
pub(super) fn place(inside: &[u32], laid_out: Vec<f32>, outside: &[u32], components: usize, draws: Stream) -> Vec<f32> {
    if outside.is_empty() {
        return laid_out;
    }
    let shell = Shell::around(laid_out.chunks(components), components);
    let mut positions = vec![0.0f32; (inside.len() + outside.len()) * components];
    for (&v, position) in inside.iter().zip(laid_out.chunks(components)) {
        positions[v as usize * components..][..components].copy_from_slice(position);
    }
    for &v in outside {
        let place = shell.place(draws.of(u64::from(v)));
        positions[v as usize * components..][..components].iter_mut().zip(place).for_each(|(to, x)| *to = x);
    }
    positions
}
