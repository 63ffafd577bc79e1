//! A smaller graph that stands for a large one, to be laid out first.
//!
//! Descent moves a vertex by the vertices it has edges to. Two groups that lie across each other at the start must pass
//! through one another vertex by vertex, which takes many epochs; in a graph of an eighth of the vertices these cost
//! far less. So a large graph is laid out coarse first, and its vertices start where the coarse
//! vertices have come to lie (multilevel layout: Walshaw 2003, "A multilevel algorithm for force-directed graph
//! drawing"; pairs along the heaviest edges: Karypis, Kumar 1998, "A fast and high quality multilevel scheme for
//! partitioning irregular graphs", section 3.1).

use super::forces::Forces;
use super::fuzzy::Graph;
use super::layout::Plan;
use crate::core::parallel;
use crate::core::random::{Stream, mix};

/// Graphs of fewer vertices have epochs enough of their own.
const LARGE: usize = 16_384;
/// A coarse graph of fewer vertices is not made smaller.
const SMALL: usize = 8192;
/// Rounds of pairing, each of which about halves the vertices.
const ROUNDS: usize = 3;
/// A coarse vertex holds at most this many times the vertices of the round before.
const GROWTH: u32 = 3;
/// Coarse weights are cut off at this quantile: what is heavier counts as surely connected.
const SURE: f64 = 0.99;
/// Standard deviation of the distance at which vertices start from their coarse vertex.
const SCATTER: f32 = 0.05;

/// Epochs of the coarsest layout for each of the fine one, as a fraction.
const EPOCHS: (usize, usize) = (5, 2);
/// Repulsion of a coarse layout for that of the fine one.
const REPULSION: f32 = 3.0;

/// Epochs of the coarsest layout, in which groups pass through one another; those between it and the fine one have as many
/// as that.
pub(crate) fn epochs_of_coarsest(fine: usize) -> usize {
    fine.saturating_mul(EPOCHS.0) / EPOCHS.1
}

/// How a coarse graph is laid out where the fine one is by `fine`.
///
/// With more room between the groups: two groups that some rows belong to by halves then come to lie apart
/// from each other, and these rows take a side when the fine layout draws the groups together.
pub(crate) fn plan<'a>(fine: Plan<'a>, epochs: usize, draws: Stream) -> Plan<'a> {
    let forces = Forces { repulsion: fine.forces.repulsion * REPULSION, ..fine.forces };
    Plan { epochs, forces, draws, density: None, seen: false, ..fine }
}

/// A coarse graph, and which of its vertices stands for each vertex of the fine one.
pub(crate) struct Coarse {
    pub(crate) graph: Graph,
    parent: Vec<u32>,
}

impl Coarse {
    /// The coarse graph of `graph`, if that is large and can be made smaller.
    ///
    /// O(edges) time and memory. Depends on the graph and the draws alone.
    pub(crate) fn of(graph: &Graph, draws: Stream) -> Option<Coarse> {
        if graph.len() < LARGE {
            return None;
        }
        let mut coarse: Option<Coarse> = None;
        let mut sizes = vec![1u32; graph.len()];
        let mut most = 1;
        for round in 0..ROUNDS {
            let current = coarse.as_ref().map_or(graph, |coarse| &coarse.graph);
            if current.len() < SMALL {
                break;
            }
            most *= GROWTH;
            let (into, count) = pair(current, &sizes, most, draws.of(round as u64));
            if count * 10 > current.len() * 9 {
                break;
            }
            let mut joined = vec![0; count];
            into.iter().zip(&sizes).for_each(|(&to, &size)| joined[to as usize] += size);
            let contracted = contract(current, &into, count);
            let parent = match coarse {
                Some(coarse) => coarse.parent.iter().map(|&v| into[v as usize]).collect(),
                None => into,
            };
            coarse = Some(Coarse { graph: contracted, parent });
            sizes = joined;
        }
        if let Some(coarse) = &mut coarse {
            cut_off(&mut coarse.graph.weights);
        }
        coarse
    }

    /// Of `names`, one for each fine vertex, the first of each coarse vertex.
    pub(crate) fn firsts(&self, names: &[u32]) -> Vec<u32> {
        let mut firsts = vec![u32::MAX; self.graph.len()];
        for (&parent, &name) in self.parent.iter().zip(names).rev() {
            firsts[parent as usize] = name;
        }
        firsts
    }

    /// A start for the fine vertices (x components): near the places of the coarse ones.
    pub(crate) fn spread(&self, places: &[f32], components: usize, draws: Stream) -> Vec<f32> {
        let place = |v: usize, d: usize| places[self.parent[v] as usize * components + d];
        (0..self.parent.len() * components)
            .map(|at| place(at / components, at % components) + SCATTER * draws.normal(at as u64) as f32)
            .collect()
    }
}

/// Pairs each vertex, in a random order, with the free neighbour of the heaviest edge: the new number of each vertex,
/// and how many there are. Edges to large vertices are sums of many, so weights count by vertex of the smaller end.
fn pair(graph: &Graph, sizes: &[u32], most: u32, draws: Stream) -> (Vec<u32>, usize) {
    const FREE: u32 = u32::MAX;
    let n = graph.len();
    let mut order: Vec<(u64, u32)> = (0..n as u32).map(|v| (mix(draws.bits(u64::from(v))), v)).collect();
    parallel::sort_by_key(&mut order, |&key| key);
    let mut mate = vec![FREE; n];
    for (_, v) in order {
        let v = v as usize;
        if mate[v] != FREE {
            continue;
        }
        let (mut best, mut heaviest) = (v, 0.0f32);
        for at in graph.range(v) {
            let u = graph.columns[at] as usize;
            let weight = graph.weights[at] / sizes[v].min(sizes[u]) as f32;
            if weight > heaviest && mate[u] == FREE && u != v && sizes[v] + sizes[u] <= most {
                (best, heaviest) = (u, weight);
            }
        }
        mate[v] = best as u32;
        mate[best] = v as u32;
    }
    let mut into = vec![0; n];
    let mut count = 0;
    for v in 0..n {
        let other = mate[v] as usize;
        into[v] = if other < v { into[other] } else { count };
        count += u32::from(other >= v);
    }
    (into, count as usize)
}

/// The graph of the new vertices: weights between the same two are added up, edges within one are gone.
fn contract(graph: &Graph, into: &[u32], count: usize) -> Graph {
    let mut members = vec![[u32::MAX; 2]; count];
    for (v, &to) in into.iter().enumerate() {
        let members = &mut members[to as usize];
        members[usize::from(members[0] != u32::MAX)] = v as u32;
    }
    let parts = parallel::map_ranges(count, 256, |range| {
        let (mut columns, mut weights, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
        let mut edges: Vec<(u32, u32)> = Vec::new();
        for to in range {
            edges.clear();
            for &v in members[to].iter().filter(|&&v| v != u32::MAX) {
                edges.extend(graph.range(v as usize).map(|at| (into[graph.columns[at] as usize], at as u32)));
            }
            // By new column, then by place in the old graph: sums run in one fixed order.
            edges.sort_unstable();
            let before = columns.len();
            for &(column, at) in edges.iter().filter(|edge| edge.0 as usize != to) {
                let weight = graph.weights[at as usize];
                if columns.len() > before && columns.last() == Some(&column) {
                    if let Some(sum) = weights.last_mut() {
                        *sum += weight;
                    }
                } else {
                    columns.push(column);
                    weights.push(weight);
                }
            }
            sizes.push(columns.len() - before);
        }
        (columns, weights, sizes)
    });
    Graph::of_parts(parts)
}

/// Divides by the quantile of [`SURE`] and cuts off at 1.
fn cut_off(weights: &mut [f32]) {
    if weights.is_empty() {
        return;
    }
    let mut sorted = weights.to_vec();
    let place = ((weights.len() - 1) as f64 * SURE) as usize;
    let sure = *sorted.select_nth_unstable_by(place, f32::total_cmp).1;
    weights.iter_mut().for_each(|w| *w = if *w < sure { *w / sure } else { 1.0 });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ring of cliques of `size` vertices, with light edges between neighbours in the ring.
    fn ring(cliques: usize, size: usize) -> Graph {
        let n = cliques * size;
        let mut graph = Graph { starts: vec![0], columns: Vec::new(), weights: Vec::new() };
        for v in 0..n {
            let own = v / size * size;
            let mut row: Vec<(u32, f32)> = (own..own + size).filter(|&u| u != v).map(|u| (u as u32, 0.9)).collect();
            row.push((((v + size) % n) as u32, 0.1));
            row.push((((v + n - size) % n) as u32, 0.1));
            row.sort_by_key(|edge| edge.0);
            graph.columns.extend(row.iter().map(|edge| edge.0));
            graph.weights.extend(row.iter().map(|edge| edge.1));
            graph.starts.push(graph.columns.len());
        }
        graph
    }

    #[test]
    fn coarse_vertices_lie_within_cliques_and_nothing_is_lost() {
        let graph = ring(2000, 16);
        let coarse = Coarse::of(&graph, Stream::new(1, 1)).unwrap();
        assert!(coarse.graph.len() < SMALL && coarse.graph.len() >= 32_000 / 6);
        assert_eq!(coarse.parent.len(), 32_000);
        let mut clique = vec![None; coarse.graph.len()];
        let mut crossing = 0;
        for (v, &p) in coarse.parent.iter().enumerate() {
            let own = *clique[p as usize].get_or_insert(v / 16);
            crossing += usize::from(own != v / 16);
        }
        assert!(clique.iter().all(Option::is_some), "a coarse vertex of nothing");
        assert_eq!(crossing, 0);
        assert!(coarse.graph.weights.iter().all(|w| (0.0..=1.0).contains(w)));
        assert_eq!(coarse.firsts(&(0..32_000).collect::<Vec<_>>())[coarse.parent[0] as usize], 0);
    }

    #[test]
    fn contracting_adds_weights_up() {
        let graph = ring(3, 4);
        let into: Vec<u32> = (0..12).map(|v| v / 2).collect();
        let small = contract(&graph, &into, 6);
        for i in 0..6u32 {
            for j in 0..6u32 {
                let mut sum = 0.0;
                for v in (0..12).filter(|&v| into[v] == i && i != j) {
                    sum += graph
                        .range(v)
                        .filter(|&at| into[graph.columns[at] as usize] == j)
                        .map(|at| graph.weights[at])
                        .sum::<f32>();
                }
                let found =
                    small.range(i as usize).find(|&at| small.columns[at] == j).map_or(0.0, |at| small.weights[at]);
                assert!((sum - found).abs() < 1e-6, "{i} {j}: {sum} {found}");
            }
        }
    }

    #[test]
    fn small_graphs_and_graphs_without_edges_stay() {
        assert!(Coarse::of(&ring(10, 16), Stream::new(1, 1)).is_none());
        let lonely = Graph { starts: vec![0; 20_001], columns: Vec::new(), weights: Vec::new() };
        assert!(Coarse::of(&lonely, Stream::new(1, 1)).is_none());
    }
}
