//! From neighbours to a weighted graph (McInnes, Healy, Melville 2018, algorithms 2 and 3).

use crate::core::simd::multiversion;
use crate::core::{numerics, parallel};

/// Bisections, and how near the sum must come to its target: umap-learn's.
const BISECTIONS: usize = 64;
const TOLERANCE: f64 = 1e-5;
/// A width is at least this share of the mean distance.
const LEAST_SHARE: f64 = 1e-3;

/// Neighbours of each vertex, itself not among them, nearest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Nearby {
    /// Where each vertex's neighbours begin, then their number.
    pub(crate) starts: Vec<usize>,
    pub(crate) neighbours: Vec<u32>,
    pub(crate) distances: Vec<f32>,
}

impl Nearby {
    pub(crate) fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    pub(crate) fn range(&self, i: usize) -> std::ops::Range<usize> {
        self.starts[i]..self.starts[i + 1]
    }

    /// Leaves out the neighbours at `limit` or beyond; how many they were.
    pub(crate) fn cut(&mut self, limit: f64) -> usize {
        let before = self.neighbours.len();
        let mut kept = 0;
        for i in 0..self.len() {
            let range = self.starts[i]..self.starts[i + 1];
            self.starts[i] = kept;
            for at in range {
                if f64::from(self.distances[at]) < limit {
                    self.neighbours[kept] = self.neighbours[at];
                    self.distances[kept] = self.distances[at];
                    kept += 1;
                }
            }
        }
        if let Some(end) = self.starts.last_mut() {
            *end = kept;
        }
        self.neighbours.truncate(kept);
        self.distances.truncate(kept);
        before - kept
    }
}

/// A symmetric weighted graph by rows, columns rising within a row, weights in (0, 1].
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Graph {
    pub(crate) starts: Vec<usize>,
    pub(crate) columns: Vec<u32>,
    pub(crate) weights: Vec<f32>,
}

impl Graph {
    /// Puts consecutive pieces together: columns, weights, and the number of edges of each vertex.
    pub(crate) fn of_parts(parts: Vec<(Vec<u32>, Vec<f32>, Vec<usize>)>) -> Graph {
        let edges = parts.iter().map(|part| part.0.len()).sum();
        let mut graph =
            Graph { starts: vec![0], columns: Vec::with_capacity(edges), weights: Vec::with_capacity(edges) };
        for (columns, weights, sizes) in parts {
            let mut end = graph.columns.len();
            graph.columns.extend(columns);
            graph.weights.extend(weights);
            for size in sizes {
                end += size;
                graph.starts.push(end);
            }
        }
        graph
    }

    pub(crate) fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    pub(crate) fn range(&self, i: usize) -> std::ops::Range<usize> {
        self.starts[i]..self.starts[i + 1]
    }

    /// The edges between `members`, renumbered by their places there; no member has an edge to any other vertex.
    pub(crate) fn part(&self, members: &[u32]) -> Graph {
        let mut place = vec![0u32; self.len()];
        members.iter().enumerate().for_each(|(at, &v)| place[v as usize] = at as u32);
        let mut part = Graph { starts: vec![0], columns: Vec::new(), weights: Vec::new() };
        for &v in members {
            part.columns.extend(self.columns[self.range(v as usize)].iter().map(|&u| place[u as usize]));
            part.weights.extend(&self.weights[self.range(v as usize)]);
            part.starts.push(part.columns.len());
        }
        part
    }

    /// Without the edges lighter than `least`.
    pub(crate) fn pruned(&self, least: f32) -> Graph {
        let mut graph = Graph { starts: vec![0], columns: Vec::new(), weights: Vec::new() };
        for i in 0..self.len() {
            for at in self.range(i).filter(|&at| self.weights[at] >= least) {
                graph.columns.push(self.columns[at]);
                graph.weights.push(self.weights[at]);
            }
            graph.starts.push(graph.columns.len());
        }
        graph
    }
}

/// The distance that counts as none, ρ: of the `local_connectivity`-th non-zero neighbour, interpolated between two.
pub(crate) fn nearest_distance(distances: &[f32], local_connectivity: f64) -> f64 {
    let positive = || distances.iter().copied().filter(|&d| d > 0.0).map(f64::from);
    let count = positive().count();
    let index = local_connectivity.floor() as usize;
    let part = local_connectivity - index as f64;
    if count as f64 >= local_connectivity {
        let below = if index > 0 { positive().nth(index - 1).unwrap_or(0.0) } else { 0.0 };
        // umap-learn reads past the list when a fractional value lands on its end; the last distance is what is meant.
        match positive().nth(index) {
            Some(above) if part > TOLERANCE => below + part * (above - below),
            _ => below,
        }
    } else {
        positive().next_back().unwrap_or(0.0)
    }
}

multiversion! {
    /// The sum of the memberships, in order.
    fn memberships(distances: &[f32], rho: f64, sigma: f64) -> f64 {
        let mut sum = 0.0;
        for some in distances.chunks(16) {
            let mut own = [0.0; 16];
            for (own, &d) in own.iter_mut().zip(some) {
                let beyond = f64::from(d) - rho;
                let fall = numerics::exp(-(beyond / sigma));
                *own = if beyond > 0.0 { fall } else { 1.0 };
            }
            own[..some.len()].iter().for_each(|own| sum += own);
        }
        sum
    }
}

/// The width σ at which the memberships of the neighbours sum to `target`, by bisection.
///
/// `distances` are those of the neighbours without the row itself; `mean` is what bounds it from below.
pub(crate) fn width(distances: &[f32], rho: f64, target: f64, mean: f64) -> f64 {
    let (mut low, mut high, mut middle) = (0.0f64, f64::INFINITY, 1.0f64);
    for _ in 0..BISECTIONS {
        let sum = memberships(distances, rho, middle);
        if (sum - target).abs() < TOLERANCE {
            break;
        }
        if sum > target {
            high = middle;
            middle = (low + high) / 2.0;
        } else {
            low = middle;
            middle = if high == f64::INFINITY { middle * 2.0 } else { (low + high) / 2.0 };
        }
    }
    middle.max(LEAST_SHARE * mean)
}

/// σ and ρ of every vertex; `k` counts the vertex itself, as `n_neighbors` does.
pub(crate) fn smooth(nearby: &Nearby, k: usize, local_connectivity: f64) -> Vec<(f64, f64)> {
    let target = libm::log2(k as f64);
    let n = nearby.len();
    // Means count the row's zero distance to itself, as umap-learn's do.
    let sum = |distances: &[f32]| distances.iter().map(|&d| f64::from(d)).sum::<f64>();
    let total: f64 =
        parallel::map_ranges(n, 1024, |range| range.map(|i| sum(&nearby.distances[nearby.range(i)])).sum::<f64>())
            .into_iter()
            .sum();
    let overall = total / (nearby.distances.len() + n).max(1) as f64;
    parallel::map_ranges(n, 256, |range| {
        range
            .map(|i| {
                let distances = &nearby.distances[nearby.range(i)];
                let rho = nearest_distance(distances, local_connectivity);
                let mean = if rho > 0.0 { sum(distances) / (distances.len() + 1) as f64 } else { overall };
                (width(distances, rho, target, mean), rho)
            })
            .collect::<Vec<_>>()
    })
    .concat()
}

/// The membership of a neighbour at distance `d`.
#[inline(always)]
pub(crate) fn membership(d: f32, sigma: f64, rho: f64) -> f32 {
    let beyond = f64::from(d) - rho;
    if beyond <= 0.0 || sigma == 0.0 { 1.0 } else { numerics::exp(-(beyond / sigma)) as f32 }
}

/// The fuzzy union of all local memberships: mix (a + b − ab) + (1 − mix) ab for the two directions of an edge.
pub(crate) fn union(nearby: &Nearby, widths: &[(f64, f64)], mix: f32) -> Graph {
    let n = nearby.len();
    // Local memberships, columns rising.
    let rows: Vec<Vec<(u32, f32)>> = parallel::map_ranges(n, 256, |range| {
        range
            .map(|i| {
                let (sigma, rho) = widths[i];
                let mut row: Vec<(u32, f32)> = nearby
                    .range(i)
                    .map(|at| (nearby.neighbours[at], membership(nearby.distances[at], sigma, rho)))
                    .filter(|edge| edge.1 > 0.0)
                    .collect();
                row.sort_unstable_by_key(|edge| edge.0);
                row
            })
            .collect::<Vec<_>>()
    })
    .concat();
    // The transpose, by counting; its columns rise because rows are visited in order.
    let mut starts = vec![0usize; n + 1];
    for &(column, _) in rows.iter().flatten() {
        starts[column as usize + 1] += 1;
    }
    for i in 0..n {
        starts[i + 1] += starts[i];
    }
    let mut next = starts.clone();
    let mut turned = vec![(0u32, 0.0f32); starts[n]];
    for (i, row) in rows.iter().enumerate() {
        for &(column, weight) in row {
            let at = &mut next[column as usize];
            turned[*at] = (i as u32, weight);
            *at += 1;
        }
    }
    let merged = parallel::map_ranges(n, 256, |range| {
        let (mut columns, mut weights, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
        for i in range {
            let (mut a, mut b) = (rows[i].iter().peekable(), turned[starts[i]..starts[i + 1]].iter().peekable());
            let before = columns.len();
            loop {
                let column = match (a.peek(), b.peek()) {
                    (Some(x), Some(y)) => x.0.min(y.0),
                    (Some(x), None) => x.0,
                    (None, Some(y)) => y.0,
                    (None, None) => break,
                };
                let there = a.next_if(|x| x.0 == column).map_or(0.0, |x| x.1);
                let back = b.next_if(|y| y.0 == column).map_or(0.0, |y| y.1);
                let both = there * back;
                let weight = mix * (there + back - both) + (1.0 - mix) * both;
                if weight > 0.0 {
                    columns.push(column);
                    weights.push(weight);
                }
            }
            sizes.push(columns.len() - before);
        }
        (columns, weights, sizes)
    });
    Graph::of_parts(merged)
}

/// The connected component of each vertex, numbered by their smallest vertex, and how many there are.
pub(crate) fn components(graph: &Graph) -> (Vec<u32>, usize) {
    const UNSEEN: u32 = u32::MAX;
    let mut component = vec![UNSEEN; graph.len()];
    let mut count = 0;
    let mut open = Vec::new();
    for start in 0..graph.len() {
        if component[start] != UNSEEN {
            continue;
        }
        component[start] = count;
        open.push(start);
        while let Some(i) = open.pop() {
            for &j in &graph.columns[graph.range(i)] {
                if component[j as usize] == UNSEEN {
                    component[j as usize] = count;
                    open.push(j as usize);
                }
            }
        }
        count += 1;
    }
    (component, count as usize)
}
