//! Points in the order of the leaves of a tree's dendrogram, in which the heaviest edge on the tree's path between two
//! points is the largest gap between them.

use super::exact::Exact;
use super::kruskal::Edge;
use crate::cluster::spanning::kdtree::{NONE, larger};
use crate::cluster::spanning::sets::Sets;
use crate::core::parallel;

/// Points in the order of the leaves of a forest's dendrogram.
pub(super) struct LeafOrder {
    pub(super) order: Vec<u32>,
    /// Raw weight between each place and the next; the last is 0.
    pub(super) gap: Vec<f64>,
}

impl LeafOrder {
    /// From a forest's edges, lightest first; adds edges between its parts to make it a tree.
    pub(super) fn new(forest: &mut Vec<Edge>, core: &[f64], exact: &Exact<'_>) -> Self {
        let points = core.len();
        let mut sets = Sets::new(points);
        let mut head: Vec<u32> = (0..points as u32).collect();
        let mut tail = head.clone();
        let mut next = vec![NONE; points];
        let mut weight_after = vec![0.0; points];
        for edge in forest.iter() {
            let (a, b) = (sets.find(edge.a) as usize, sets.find(edge.b) as usize);
            let Some((keep, _)) = sets.join(edge.a, edge.b) else { continue };
            next[tail[a] as usize] = head[b];
            weight_after[tail[a] as usize] = edge.weight;
            (head[keep as usize], tail[keep as usize]) = (head[a], tail[b]);
        }
        let roots: Vec<usize> = (0..points).filter(|&i| sets.find(i as u32) as usize == i).collect();
        for pair in roots.windows(2) {
            let (a, b) = (tail[pair[0]], head[pair[1]]);
            let edge = Edge::new(core, exact.norm.measure(exact.point(a), exact.point(b)), a, b);
            next[a as usize] = b;
            weight_after[a as usize] = edge.weight;
            forest.push(edge);
        }
        let mut order = Vec::with_capacity(points);
        let mut at = head[roots[0]];
        while at != NONE {
            order.push(at);
            at = next[at as usize];
        }
        let gap = order.iter().map(|&i| weight_after[i as usize]).collect();
        LeafOrder { order, gap }
    }

    /// Brings the gaps down to the heaviest edges on the paths of a lighter tree, given lightest edge first.
    pub(super) fn tighten(&mut self, tree: &[Edge]) {
        let points = self.order.len();
        // Sets joined by size without short cuts: the way up is logarithmic, and weights rise along it.
        let mut up: Vec<(u32, f64)> = (0..points as u32).map(|i| (i, f64::INFINITY)).collect();
        let mut size = vec![1u32; points];
        let root = |up: &[(u32, f64)], mut x: u32| {
            while up[x as usize].0 != x {
                x = up[x as usize].0;
            }
            x
        };
        for edge in tree {
            let (a, b) = (root(&up, edge.a), root(&up, edge.b));
            let (keep, goes) = if size[a as usize] >= size[b as usize] { (a, b) } else { (b, a) };
            size[keep as usize] += size[goes as usize];
            up[goes as usize] = (keep, edge.weight);
        }
        let (order, gap) = (&self.order, &mut self.gap);
        parallel::for_each_chunk(gap, 4096, |chunk, gap| {
            for (i, gap) in gap.iter_mut().enumerate() {
                let place = chunk * 4096 + i;
                let Some(&other) = order.get(place + 1) else { break };
                let (mut a, mut b) = (order[place], other);
                let mut heaviest = 0.0;
                while a != b {
                    let (of_a, of_b) = (up[a as usize], up[b as usize]);
                    if of_a.1 <= of_b.1 {
                        (a, heaviest) = (of_a.0, larger(heaviest, of_a.1));
                    } else {
                        (b, heaviest) = (of_b.0, larger(heaviest, of_b.1));
                    }
                }
                *gap = heaviest;
            }
        });
    }
}
