//! Graph degree linkage: agglomerative clustering of the graph of nearest neighbours.
//!
//! W. Zhang, X. Wang, D. Zhao, X. Tang, "Graph Degree Linkage: Agglomerative Clustering on a Directed Graph", ECCV 2012.
//! The merging itself is in [`super::graph_degree_merge`].
//!
//! # Deviations
//! - Equal rows are one vertex.
//! - A cut asks for clusters of a least size: what is smaller and joins a cluster late is noise, not a cluster.

use super::graph_degree_merge::{Edges, Merged, merge};
use crate::cluster::consensus::ABSENT;
use crate::core::numerics::exp;
use crate::core::{
    AnyRows, Canonical, Clusterer, Clustering, Error, NOISE, Result, Rows, Run, Settings, Size, check_weights,
    settings_of,
};
use crate::neighbors::{Groups, Measure, Metric, Search};
use ndarray::ArrayRef2;

/// Neighbours whose distances give the scale of the weights.
const OF_SCALE: usize = 3;

/// Agglomerative clustering on the directed graph of nearest neighbours: it finds parts that are linked densely within and
/// sparsely between, in many columns, without an embedding.
///
/// # Formula
/// Each row has an edge to each of its K nearest rows, of weight w = exp(−d² / σ²), with σ² the mean of the squared
/// distances to the three nearest. Clusters begin as the rows linked by edges to their nearest row. Those of the largest
/// affinity are merged, time and again:
///
/// A(a, b) = 1/|b|² Σ over i in a of (Σ over j in b of w_ji) (Σ over j in b of w_ij), and the same with a and b changed.
///
/// # Cost
/// The search for neighbours, then about O(n K log n) for the merging. Memory O(n K).
///
/// # Example
/// ```
/// use ndarray::Array2;
/// use recluster::{Clusterer, Run, cluster::GraphDegree};
/// // Two squares of 49 points each.
/// let rows = Array2::from_shape_fn((98, 2), |(i, j)| match j {
///     0 => (i % 7) as f32 + 10.0 * (i / 49) as f32,
///     _ => (i % 49 / 7) as f32,
/// });
/// let clusters = GraphDegree::new(2).cluster(&rows, &Run::new())?;
/// assert_eq!(clusters.sizes(), [49, 49]);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default = "unset", deny_unknown_fields))]
#[must_use]
pub struct GraphDegree {
    clusters: usize,
    neighbors: usize,
    min_cluster_size: Size,
    metric: Metric,
}

/// What settings in a file do not say. The number of clusters they must: 0 is refused where it is used.
#[cfg(feature = "serde")]
fn unset() -> GraphDegree {
    GraphDegree::new(0)
}

impl GraphDegree {
    /// At most this many clusters, at least 1, of 5 % of the rows or more; 15 neighbours, Euclidean.
    pub fn new(clusters: usize) -> Self {
        GraphDegree { clusters, neighbors: 15, min_cluster_size: Size::Share(0.05), metric: Metric::Euclidean }
    }

    /// Sets the number of nearest neighbours that a row has edges to, itself not counted; at least 1, default 15.
    pub fn n_neighbors(mut self, neighbors: usize) -> Self {
        self.neighbors = neighbors;
        self
    }

    /// Sets the size of the smallest cluster; default 5 % of the rows.
    pub fn min_cluster_size(mut self, size: impl Into<Size>) -> Self {
        self.min_cluster_size = size.into();
        self
    }

    /// How far rows are from each other; default Euclidean.
    pub fn metric(mut self, metric: Metric) -> Self {
        self.metric = metric;
        self
    }

    fn check(&self) -> Result<()> {
        if self.clusters == 0 {
            return Err(Error::setting("clusters", self.clusters, "must be at least 1"));
        }
        if self.neighbors == 0 {
            return Err(Error::setting("n_neighbors", self.neighbors, "must be at least 1"));
        }
        self.min_cluster_size.check("min_cluster_size")
    }

    fn found(&self, rows: &ArrayRef2<f32>, weights: Option<&[f64]>, run: &Run) -> Result<Clustering> {
        self.check()?;
        run.install(|| {
            let graph = Graph::of(rows, weights, self.metric, self.neighbors, run)?;
            let all: Vec<Option<u32>> = (0..graph.sizes.len() as u32).map(Some).collect();
            let least = self.min_cluster_size.of(rows.nrows()) as f64;
            Clustering::new(graph.cut(&all, self.neighbors, self.clusters, least, run)?)
        })?
    }
}

/// Neighbours among the different rows of a table.
pub(super) struct Graph {
    neighbors: Groups,
    /// The weight of each vertex, which is that of its equal rows.
    pub(super) sizes: Vec<f64>,
    vertex_of_row: Vec<u32>,
}

impl Graph {
    /// Up to `k` neighbours of each vertex.
    pub(super) fn of(
        rows: &ArrayRef2<f32>,
        weights: Option<&[f64]>,
        metric: Metric,
        k: usize,
        run: &Run,
    ) -> Result<Self> {
        let rows = Rows::finite(rows)?;
        let canonical = Canonical::of(&rows);
        let measure = Measure::from(metric);
        measure.check_rows(AnyRows::from(&rows))?;
        let neighbors = Groups::find(&rows, &canonical, k.saturating_add(1), &measure, Search::Auto, run)?;
        let weight = |row: &u32| weights.map_or(1.0, |weights| weights[*row as usize]);
        let sizes = (0..canonical.groups()).map(|g| canonical.group(g).iter().map(weight).sum()).collect();
        Ok(Graph { neighbors, sizes, vertex_of_row: canonical.group_of_row() })
    }

    /// The label of each row in at most so many clusters of the vertices that are `given`, each with its number among them;
    /// [`ABSENT`] for rows of others.
    pub(super) fn cut(
        &self,
        given: &[Option<u32>],
        k: usize,
        clusters: usize,
        least: f64,
        run: &Run,
    ) -> Result<Vec<i32>> {
        let own: Vec<usize> = (0..given.len()).filter(|&vertex| given[vertex].is_some()).collect();
        let mut edges = Edges { first: vec![0], to: Vec::new(), weight: Vec::new() };
        for &vertex in &own {
            let near =
                self.neighbors.of(vertex).filter_map(|(other, distance)| Some((given[other as usize]?, distance)));
            for (other, distance) in near.take(k) {
                edges.to.push(other);
                edges.weight.push(f64::from(distance).powi(2));
            }
            edges.first.push(edges.to.len());
        }
        weigh(&mut edges);
        let merged = merge(&edges, &run.stage("graph degree linkage", own.len()))?;
        let sizes: Vec<f64> = own.iter().map(|&vertex| self.sizes[vertex]).collect();
        let found = Hierarchy::new(&merged, &sizes).cut(clusters, least);
        let label = |&vertex: &u32| given[vertex as usize].map_or(ABSENT, |own| found[own as usize]);
        Ok(self.vertex_of_row.iter().map(label).collect())
    }
}

/// Makes squared distances the weights of the edges.
fn weigh(edges: &mut Edges) {
    let nearest = edges.first.windows(2).flat_map(|own| &edges.weight[own[0]..own[1].min(own[0] + OF_SCALE)]);
    let (sum, count) = nearest.fold((0.0, 0usize), |(sum, count), square| (sum + square, count + 1));
    let scale = sum / count.max(1) as f64;
    let weight = |square: f64| if scale > 0.0 && scale.is_finite() { exp(-square / scale) } else { 1.0 };
    edges.weight.iter_mut().for_each(|value| *value = weight(*value));
}

impl Clusterer for GraphDegree {
    fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering> {
        self.found(rows, None, run)
    }

    fn cluster_weighted(&self, rows: &ArrayRef2<f32>, weights: &[f64], run: &Run) -> Result<Clustering> {
        check_weights(weights, rows.nrows())?;
        self.found(rows, Some(weights), run)
    }

    fn for_sample(&self, share: f64) -> Option<Box<dyn Clusterer>> {
        Some(Box::new(GraphDegree { min_cluster_size: self.min_cluster_size.in_sample(share), ..self.clone() }))
    }

    fn settings(&self) -> Settings {
        settings_of!(GraphDegree { clusters, neighbors, min_cluster_size, metric } = self)
    }
}

/// Parts that were merged of parts, with their sizes.
struct Hierarchy<'a> {
    merged: &'a Merged,
    /// Of each part, the initial clusters first.
    sizes: Vec<f64>,
    initial: usize,
}

impl<'a> Hierarchy<'a> {
    fn new(merged: &'a Merged, of_vertex: &[f64]) -> Self {
        let initial = merged.initial.iter().max().map_or(0, |&most| most as usize + 1);
        let mut sizes = vec![0.0; initial];
        for (&cluster, size) in merged.initial.iter().zip(of_vertex) {
            sizes[cluster as usize] += size;
        }
        for merger in &merged.mergers {
            sizes.push(merger.parts.iter().map(|&part| sizes[part as usize]).sum());
        }
        Hierarchy { merged, sizes, initial }
    }

    /// The parts of the first merger at or below a part whose both parts have the least size, with its affinity.
    fn split(&self, mut part: u32, least: f64) -> Option<(f64, [u32; 2])> {
        loop {
            let merger = &self.merged.mergers[(part as usize).checked_sub(self.initial)?];
            let [a, b] = merger.parts;
            let size = |part: u32| self.sizes[part as usize];
            if size(a).min(size(b)) >= least {
                return Some((merger.affinity, [a, b]));
            }
            part = if size(a) >= size(b) { a } else { b };
        }
    }

    /// The label of each vertex in at most so many clusters of the least size.
    fn cut(&self, clusters: usize, least: f64) -> Vec<i32> {
        let mut whole = vec![true; self.sizes.len()];
        let made_of = self.merged.mergers.iter().flat_map(|merger| merger.parts);
        made_of.for_each(|part| whole[part as usize] = false);
        let large = |&part: &u32| whole[part as usize] && self.sizes[part as usize] >= least;
        let mut parts: Vec<u32> = (0..self.sizes.len() as u32).filter(large).collect();
        while parts.len() < clusters {
            let splits = parts.iter().enumerate().filter_map(|(at, &part)| Some((at, self.split(part, least)?)));
            // Of equal affinities the first.
            let Some((at, (_, [a, b]))) = splits.min_by(|x, y| x.1.0.total_cmp(&y.1.0)) else { break };
            parts[at] = a;
            parts.push(b);
        }
        parts.sort_by(|&a, &b| self.sizes[b as usize].total_cmp(&self.sizes[a as usize]).then(a.cmp(&b)));
        let mut label = vec![NOISE; self.sizes.len()];
        parts.iter().zip(0..).for_each(|(&part, number)| label[part as usize] = number);
        for (at, merger) in self.merged.mergers.iter().enumerate().rev() {
            let own = label[self.initial + at];
            if own >= 0 {
                merger.parts.iter().for_each(|&part| label[part as usize] = own);
            }
        }
        self.merged.initial.iter().map(|&cluster| label[cluster as usize]).collect()
    }
}
