//! Weighted edges, and Kruskal's algorithm over them.

use crate::cluster::spanning::kdtree::larger;
use crate::cluster::spanning::sets::Sets;
use crate::core::parallel;

/// A pair of points with its raw weight and raw distance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) weight: f64,
    pub(super) raw: f64,
    pub(crate) a: u32,
    pub(crate) b: u32,
}

impl Edge {
    pub(super) fn new(core: &[f64], raw: f64, a: u32, b: u32) -> Self {
        let weight = larger(raw, larger(core[a as usize], core[b as usize]));
        Edge { weight, raw, a: a.min(b), b: a.max(b) }
    }
}

/// Sorts the edges and keeps those of a minimum spanning forest, lightest first.
pub(super) fn kruskal(edges: &mut Vec<Edge>, points: usize) -> Sets {
    parallel::sort_by_key(edges, |edge| (edge.weight.to_bits(), edge.raw.to_bits(), edge.a, edge.b));
    let mut sets = Sets::new(points);
    edges.retain(|edge| sets.join(edge.a, edge.b).is_some());
    sets
}
