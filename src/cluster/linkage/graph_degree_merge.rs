//! The merging of [`GraphDegree`](super::GraphDegree): clusters of a directed graph, those of the largest affinity first.

use crate::cluster::spanning::Sets;
use crate::core::{Result, Stage};
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap};

/// A merger of two parts: parts 0..initial are the initial clusters, part initial + i is what merger i made.
pub(super) struct Merger {
    pub(super) parts: [u32; 2],
    pub(super) affinity: f64,
}

/// What was merged: the initial cluster of each vertex, and the mergers in their order.
pub(super) struct Merged {
    pub(super) initial: Vec<u32>,
    pub(super) mergers: Vec<Merger>,
}

/// Edges from each vertex, the nearest first.
pub(super) struct Edges {
    /// Where those of each vertex begin, and where the last ones end.
    pub(super) first: Vec<usize>,
    pub(super) to: Vec<u32>,
    pub(super) weight: Vec<f64>,
}

impl Edges {
    fn of(&self, vertex: usize) -> impl Iterator<Item = (u32, f64)> + '_ {
        let own = self.first[vertex]..self.first[vertex + 1];
        self.to[own.clone()].iter().copied().zip(self.weight[own].iter().copied())
    }

    fn vertices(&self) -> usize {
        self.first.len() - 1
    }

    /// The initial cluster of each vertex: those linked by edges to nearest neighbours are one.
    fn initial(&self) -> Vec<u32> {
        let mut sets = Sets::new(self.vertices());
        for vertex in 0..self.vertices() {
            if let Some((nearest, _)) = self.of(vertex).next() {
                sets.join(vertex as u32, nearest);
            }
        }
        let mut number = vec![u32::MAX; self.vertices()];
        let mut next = 0;
        (0..self.vertices())
            .map(|vertex| {
                let own = &mut number[sets.find(vertex as u32) as usize];
                if *own == u32::MAX {
                    (*own, next) = (next, next + 1);
                }
                *own
            })
            .collect()
    }
}

/// How strongly one vertex is linked with a cluster other than its own.
#[derive(Clone, Copy, Default)]
struct Link {
    /// Sums of the weights of edges from the cluster to the vertex, and from the vertex to the cluster.
    inward: f64,
    outward: f64,
}

/// Clusters under way.
struct Clusters {
    /// The cluster of each vertex.
    of: Vec<u32>,
    /// By the other cluster.
    links: Vec<BTreeMap<u32, Link>>,
    members: Vec<Vec<u32>>,
    /// The vertices that are linked with a cluster.
    linked: Vec<Vec<u32>>,
    /// `flow[a][b]`: Σ over the vertices of cluster a of inward x outward with cluster b.
    flow: Vec<BTreeMap<u32, f64>>,
    /// How often a cluster has grown; `u32::MAX` once it is part of another.
    age: Vec<u32>,
}

/// Merges until no two clusters are linked both ways.
pub(super) fn merge(edges: &Edges, stage: &Stage) -> Result<Merged> {
    let initial = edges.initial();
    let mut clusters = Clusters::new(edges, &initial);
    let count = clusters.members.len();
    let mut part: Vec<u32> = (0..count as u32).collect();
    let mut mergers = Vec::new();
    let mut queue: BinaryHeap<Candidate> = (0..count as u32).flat_map(|a| clusters.candidates(a, true)).collect();
    while let Some(best) = queue.pop() {
        let [a, b] = best.pair;
        if [a, b].map(|c| clusters.age[c as usize]) != best.ages {
            continue;
        }
        stage.advance()?;
        // What fewer vertices are linked with is what fewer links name.
        let fewer = |c: u32| (clusters.linked[c as usize].len(), c);
        let (to, from) = if fewer(a) >= fewer(b) { (a, b) } else { (b, a) };
        clusters.join(to, from);
        mergers.push(Merger { parts: [part[to as usize], part[from as usize]], affinity: best.affinity });
        part[to as usize] = (count + mergers.len() - 1) as u32;
        queue.extend(clusters.candidates(to, false));
    }
    Ok(Merged { initial, mergers })
}

impl Clusters {
    fn new(edges: &Edges, initial: &[u32]) -> Self {
        let count = initial.iter().max().map_or(0, |&most| most as usize + 1);
        let mut clusters = Clusters {
            of: initial.to_vec(),
            links: vec![BTreeMap::new(); initial.len()],
            members: vec![Vec::new(); count],
            linked: vec![Vec::new(); count],
            flow: vec![BTreeMap::new(); count],
            age: vec![0; count],
        };
        for (vertex, &own) in initial.iter().enumerate() {
            clusters.members[own as usize].push(vertex as u32);
            for (other, weight) in edges.of(vertex) {
                let of_other = initial[other as usize];
                if own != of_other {
                    clusters.link(vertex as u32, of_other).outward += weight;
                    clusters.link(other, own).inward += weight;
                }
            }
        }
        for (vertex, links) in clusters.links.iter().enumerate() {
            let own = initial[vertex];
            for (&cluster, link) in links {
                *clusters.flow[own as usize].entry(cluster).or_default() += link.inward * link.outward;
                clusters.flow[cluster as usize].entry(own).or_default();
            }
        }
        clusters
    }

    fn link(&mut self, vertex: u32, cluster: u32) -> &mut Link {
        self.links[vertex as usize].entry(cluster).or_insert_with(|| {
            self.linked[cluster as usize].push(vertex);
            Link::default()
        })
    }

    /// Takes a vertex's link with a cluster away.
    fn unlink(&mut self, vertex: u32, cluster: u32) -> Option<Link> {
        self.links[vertex as usize].remove(&cluster)
    }

    fn affinity(&self, a: u32, b: u32) -> f64 {
        let flow = |a: u32, b: u32| self.flow[a as usize].get(&b).copied().unwrap_or(0.0);
        let square = |c: u32| (self.members[c as usize].len() as f64).powi(2);
        flow(a, b) / square(b) + flow(b, a) / square(a)
    }

    /// The pairs of a cluster with others that it has an affinity to; only those of a higher number, or all.
    fn candidates(&self, a: u32, higher: bool) -> Vec<Candidate> {
        let others = self.flow[a as usize].keys().copied().filter(|&b| !higher || b > a);
        let candidate = |b: u32| {
            let pair = [a.min(b), a.max(b)];
            Candidate { affinity: self.affinity(a, b), pair, ages: pair.map(|c| self.age[c as usize]) }
        };
        others.map(candidate).filter(|candidate| candidate.affinity > 0.0).collect()
    }

    /// Makes cluster `from` part of `to`.
    fn join(&mut self, to: u32, from: u32) {
        // A vertex's link with both becomes one, and (i + j) (k + l) adds two products to the flow.
        let mut crossed: BTreeMap<u32, f64> = BTreeMap::new();
        for vertex in std::mem::take(&mut self.linked[from as usize]) {
            let own = self.of[vertex as usize];
            let Some(gone) = self.unlink(vertex, from) else { continue };
            if own == to {
                continue;
            }
            let link = self.link(vertex, to);
            let products = link.inward * gone.outward + gone.inward * link.outward;
            link.inward += gone.inward;
            link.outward += gone.outward;
            *crossed.entry(own).or_default() += products;
        }
        let members = std::mem::take(&mut self.members[from as usize]);
        for &vertex in &members {
            self.unlink(vertex, to);
            self.of[vertex as usize] = to;
        }
        self.members[to as usize].extend(members);
        let gone = std::mem::take(&mut self.flow[from as usize]);
        self.flow[to as usize].remove(&from);
        for (other, flow) in gone.into_iter().filter(|(other, _)| *other != to) {
            *self.flow[to as usize].entry(other).or_default() += flow;
            let back = &mut self.flow[other as usize];
            let flow = back.remove(&from).unwrap_or(0.0);
            *back.entry(to).or_default() += flow + crossed.get(&other).copied().unwrap_or(0.0);
        }
        self.age[from as usize] = u32::MAX;
        self.age[to as usize] += 1;
    }
}

/// Two clusters that may be merged, as they were at these ages; of equal affinities the lower numbers come first.
#[derive(PartialEq)]
struct Candidate {
    affinity: f64,
    pair: [u32; 2],
    ages: [u32; 2],
}

impl Eq for Candidate {}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.affinity.total_cmp(&other.affinity).then_with(|| Reverse(self.pair).cmp(&Reverse(other.pair)))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Run;
    use crate::core::random::Stream;

    /// A graph of `n` vertices with `k` edges each, to vertices and with weights drawn at random.
    fn graph(n: usize, k: usize, draws: Stream) -> Edges {
        let mut edges = Edges { first: vec![0], to: Vec::new(), weight: Vec::new() };
        for vertex in 0..n {
            let mut others: Vec<u32> = (0..n as u32).filter(|&other| other as usize != vertex).collect();
            others.sort_by_key(|&other| draws.bits((vertex * n) as u64 + u64::from(other)));
            for &other in &others[..k] {
                edges.to.push(other);
                edges.weight.push(draws.uniform((1 << 20) + edges.to.len() as u64));
            }
            edges.first.push(edges.to.len());
        }
        edges
    }

    /// The affinity by its formula, from the matrix of all weights.
    fn affinity(weight: &[Vec<f64>], a: &[u32], b: &[u32]) -> f64 {
        let flow = |a: &[u32], b: &[u32]| -> f64 {
            let of = |&i: &u32| {
                let inward: f64 = b.iter().map(|&j| weight[j as usize][i as usize]).sum();
                let outward: f64 = b.iter().map(|&j| weight[i as usize][j as usize]).sum();
                inward * outward
            };
            a.iter().map(of).sum::<f64>() / (b.len() as f64).powi(2)
        };
        flow(a, b) + flow(b, a)
    }

    #[test]
    fn merges_are_those_of_the_formula() -> Result<()> {
        for seed in 0..20 {
            let (n, k) = (60, 5);
            let edges = graph(n, k, Stream::new(seed, 1));
            let mut weight = vec![vec![0.0; n]; n];
            for (vertex, row) in weight.iter_mut().enumerate() {
                edges.of(vertex).for_each(|(other, w)| row[other as usize] = w);
            }
            let merged = merge(&edges, &Run::new().stage("test", 1))?;
            let mut parts: Vec<Vec<u32>> = Vec::new();
            for (vertex, &cluster) in merged.initial.iter().enumerate() {
                parts.resize(parts.len().max(cluster as usize + 1), Vec::new());
                parts[cluster as usize].push(vertex as u32);
            }
            let mut alive: Vec<usize> = (0..parts.len()).collect();
            for merger in &merged.mergers {
                let pairs = alive.iter().flat_map(|&a| alive.iter().filter(move |&&b| b > a).map(move |&b| (a, b)));
                let best = pairs.map(|(a, b)| affinity(&weight, &parts[a], &parts[b])).fold(0.0, f64::max);
                let [a, b] = merger.parts.map(|part| part as usize);
                assert!((merger.affinity - affinity(&weight, &parts[a], &parts[b])).abs() < 1e-12);
                assert!((merger.affinity - best).abs() < 1e-12, "{} of {best}", merger.affinity);
                alive.retain(|&part| part != a && part != b);
                alive.push(parts.len());
                parts.push([parts[a].clone(), parts[b].clone()].concat());
            }
            let left = alive.iter().flat_map(|&a| alive.iter().filter(move |&&b| b > a).map(move |&b| (a, b)));
            assert!(left.map(|(a, b)| affinity(&weight, &parts[a], &parts[b])).all(|affinity| affinity < 1e-12));
        }
        Ok(())
    }
}
