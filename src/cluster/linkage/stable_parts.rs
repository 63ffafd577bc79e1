//! Parts of the graph of nearest neighbours that many runs of graph degree linkage agree on.

use super::graph_degree::Graph;
use crate::cluster::consensus::{ABSENT, Consensus};
use crate::core::random::Stream;
use crate::core::{
    Clusterer, Clustering, Error, NOISE, Result, Run, Settings, Size, check_weights, parallel, settings_of,
};
use crate::neighbors::Metric;
use ndarray::ArrayRef2;
use std::cmp::Reverse;

const PURPOSE: u64 = 0x7061_7274;
/// Neighbours of a row in a run: the runs take turns.
const NEIGHBORS: [usize; 3] = [10, 12, 15];
/// Neighbours searched once: of four rows in five, enough are left to each row nearly always.
const SEARCHED: usize = 30;
/// Parts that a run cuts the rows into, at most: the runs take turns.
const PARTS: [usize; 2] = [2, 3];
/// The share of the rows that each run is given.
const SHARE: f64 = 0.8;

/// Parts of the rows, at most a few, that [`GraphDegree`](super::GraphDegree) finds again and again on subsamples and with
/// more or fewer neighbours; one cluster of all rows where there are none.
///
/// Made for a second look at rows that an embedding leaves whole: neighbours in all columns may tell apart what has no room
/// to be apart in a few. [`RecursiveTree::second_look`](crate::recursive::RecursiveTree::second_look) takes it.
///
/// 1. Each run is given 80 % of the rows, and cuts the hierarchy of [`GraphDegree`](super::GraphDegree) with 10, 12 or 15
///    neighbours in turn into at most two or three clusters.
/// 2. The clusters are those that the runs agree on: see [`Consensus`].
/// 3. The stability of a cluster is the mean of its Jaccard index with those of a run's clusters, taken as one, that have more
///    rows in it than in any other: a run that cuts once more, inside of it, has found it all the same. Of three clusters it is
///    the mean over the runs that may cut into three. While a stability is below
///    [`least_stability`](StableParts::least_stability), the least stable cluster is joined to the one with which it is most
///    stable.
///
/// A cluster's persistence is its stability. In a cloud without parts, runs disagree, and nothing is left; a long one may be
/// cut across. Rows that are in no cluster of the consensus are noise.
///
/// # Cost
/// One search for 30 neighbours, and the merging of [`GraphDegree`](super::GraphDegree) times the runs. Memory O(n) for each
/// run.
///
/// # Example
/// ```
/// use ndarray::Array2;
/// use recluster::{Clusterer, Run, cluster::StableParts};
/// // Two clouds of 100 rows.
/// let draw = |i: usize, j: usize| {
///     let mix = |x: u64| (x ^ (x >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
///     (mix(mix(mix(((i as u64) << 32) + j as u64))) >> 40) as f32 / 16_777_216.0
/// };
/// let rows = Array2::from_shape_fn((200, 5), |(i, j)| draw(i, j) + 2.0 * (i % 2 * usize::from(j == 0)) as f32);
/// let parts = StableParts::new().cluster(&rows, &Run::new())?;
/// assert_eq!(parts.clusters(), 2);
/// assert!(parts.persistence().unwrap().iter().all(|&stability| stability > 0.85));
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
#[must_use]
pub struct StableParts {
    runs: usize,
    least_stability: f64,
    min_cluster_size: Size,
    metric: Metric,
}

impl Default for StableParts {
    fn default() -> Self {
        StableParts { runs: 60, least_stability: 0.85, min_cluster_size: Size::Share(0.1), metric: Metric::Euclidean }
    }
}

impl StableParts {
    /// 60 runs, stability of .85 at least, parts of 10 % of the rows or more, Euclidean.
    pub fn new() -> Self {
        StableParts::default()
    }

    /// Sets the number of runs, at least 1; default 60.
    pub fn runs(mut self, runs: usize) -> Self {
        self.runs = runs;
        self
    }

    /// Sets the stability that each part must have, in 0 to 1; default .85, from which on Hennig calls a cluster highly stable
    /// (C. Hennig, "Cluster-wise assessment of cluster stability", 2007).
    pub fn least_stability(mut self, stability: f64) -> Self {
        self.least_stability = stability;
        self
    }

    /// Sets the size of the smallest part; default 10 % of the rows.
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
        if self.runs == 0 {
            return Err(Error::setting("runs", self.runs, "must be at least 1"));
        }
        if !(0.0..=1.0).contains(&self.least_stability) {
            return Err(Error::setting("least_stability", self.least_stability, "must be in 0 to 1"));
        }
        self.min_cluster_size.check("min_cluster_size")
    }

    fn found(&self, rows: &ArrayRef2<f32>, weights: Option<&[f64]>, run: &Run) -> Result<Clustering> {
        self.check()?;
        run.install(|| {
            let graph = Graph::of(rows, weights, self.metric, SEARCHED, run)?;
            let least = (SHARE * self.min_cluster_size.of(rows.nrows()) as f64).max(1.0);
            let stage = run.stage("stable parts", self.runs);
            let draws = Stream::new(run.key(), PURPOSE);
            let runs: Result<Vec<Vec<i32>>> = parallel::map(self.runs, |number| {
                let given = sample(graph.sizes.len(), draws.of(number as u64));
                let k = NEIGHBORS[number % NEIGHBORS.len()];
                let labels = graph.cut(&given, k, parts_in(number), least, run)?;
                stage.advance()?;
                Ok(split_or_whole(labels))
            })
            .into_iter()
            .collect();
            self.agreed(&runs?)
        })?
    }

    /// The parts that the runs agree on, the unstable ones joined to others.
    fn agreed(&self, runs: &[Vec<i32>]) -> Result<Clustering> {
        let consensus = Consensus::new().of(runs)?;
        let mut parts = Parts::new(consensus.labels(), consensus.clusters(), runs);
        let mut stability = parts.stability();
        while let Some(worst) = lowest(&stability).filter(|&worst| stability[worst] < self.least_stability) {
            let others = (0..parts.count).filter(|&other| other != worst);
            let together = |other: usize| (parts.joined(worst, other).stability_of(worst.min(other)), Reverse(other));
            let best = others.map(together).max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let Some((_, Reverse(other))) = best else { break };
            parts = parts.joined(worst, other);
            stability = parts.stability();
        }
        let labels = consensus.labels();
        if parts.count < 2 {
            return Clustering::new(vec![0; labels.len()]);
        }
        let membership = labels.iter().zip(consensus.membership());
        let membership = membership.map(|(&label, &share)| if label < 0 { 0.0 } else { share }).collect();
        let labels = labels.iter().map(|&label| usize::try_from(label).map_or(NOISE, |of| parts.of[of])).collect();
        Clustering::new(labels)?.with_membership(membership)?.with_persistence(stability)
    }
}

/// Parts under way.
struct Parts {
    count: usize,
    /// The part of each cluster of the consensus.
    of: Vec<i32>,
    /// For each run and each of its clusters, the last those in none: how many rows each part has of it, the last those in none.
    shared: Vec<Vec<Vec<usize>>>,
}

impl Parts {
    fn new(labels: &[i32], count: usize, runs: &[Vec<i32>]) -> Self {
        let shared = |run: &Vec<i32>| {
            let clusters = run.iter().max().map_or(0, |&most| (most + 1).max(0) as usize);
            let mut shared = vec![vec![0; count + 1]; clusters + 1];
            for (&own, &label) in run.iter().zip(labels).filter(|(own, _)| **own != ABSENT) {
                shared[usize::try_from(own).unwrap_or(clusters)][usize::try_from(label).unwrap_or(count)] += 1;
            }
            shared
        };
        Parts { count, of: (0..count as i32).collect(), shared: runs.iter().map(shared).collect() }
    }

    fn stability(&self) -> Vec<f64> {
        (0..self.count).map(|part| self.stability_of(part)).collect()
    }

    /// The mean of a part's Jaccard index with those clusters of a run, as one, that have more rows of it than of others; over
    /// the runs that may cut into as many clusters as there are parts.
    fn stability_of(&self, part: usize) -> f64 {
        let index = |run: &Vec<Vec<usize>>| {
            let (mut both, mut any) = (0, 0);
            for (number, cluster) in run.iter().enumerate() {
                let own = &cluster[..self.count];
                let first = own.iter().position(|rows| own.iter().max() == Some(rows));
                let mostly = number + 1 < run.len() && first == Some(part);
                both += if mostly { cluster[part] } else { 0 };
                any += if mostly { cluster.iter().sum() } else { cluster[part] };
            }
            both as f64 / any.max(1) as f64
        };
        let asked = (0..self.shared.len()).filter(|&run| parts_in(run) >= self.count);
        let indices = asked.map(|run| index(&self.shared[run]));
        let (sum, runs) = indices.fold((0.0, 0usize), |(sum, runs), index| (sum + index, runs + 1));
        sum / runs.max(1) as f64
    }

    /// Parts `a` and `b` as one.
    fn joined(&self, a: usize, b: usize) -> Self {
        let (low, high) = (a.min(b), a.max(b));
        let of = |&part: &i32| match part {
            part if part == high as i32 => low as i32,
            part => part - i32::from(part > high as i32),
        };
        let mut shared = self.shared.clone();
        for cluster in shared.iter_mut().flatten() {
            let gone = cluster.remove(high);
            cluster[low] += gone;
        }
        Parts { count: self.count - 1, of: self.of.iter().map(of).collect(), shared }
    }
}

/// How many parts run `number` cuts the rows into, at most.
fn parts_in(number: usize) -> usize {
    PARTS[number % PARTS.len()]
}

fn lowest(stability: &[f64]) -> Option<usize> {
    (0..stability.len()).min_by(|&a, &b| stability[a].total_cmp(&stability[b]))
}

/// The vertices that a run is given: for each its number among them.
fn sample(vertices: usize, draws: Stream) -> Vec<Option<u32>> {
    let mut order: Vec<u32> = (0..vertices as u32).collect();
    order.sort_unstable_by_key(|&vertex| (draws.bits(vertex.into()), vertex));
    order.truncate(((SHARE * vertices as f64).round() as usize).max(1));
    order.sort_unstable();
    let mut number = vec![None; vertices];
    order.iter().zip(0..).for_each(|(&vertex, at)| number[vertex as usize] = Some(at));
    number
}

/// A run that finds one part leaves the rows whole.
fn split_or_whole(mut labels: Vec<i32>) -> Vec<i32> {
    if labels.iter().all(|&label| label <= 0) {
        labels.iter_mut().filter(|label| **label != ABSENT).for_each(|label| *label = 0);
    }
    labels
}

impl Clusterer for StableParts {
    fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering> {
        self.found(rows, None, run)
    }

    fn cluster_weighted(&self, rows: &ArrayRef2<f32>, weights: &[f64], run: &Run) -> Result<Clustering> {
        check_weights(weights, rows.nrows())?;
        self.found(rows, Some(weights), run)
    }

    fn for_sample(&self, share: f64) -> Option<Box<dyn Clusterer>> {
        Some(Box::new(StableParts { min_cluster_size: self.min_cluster_size.in_sample(share), ..self.clone() }))
    }

    fn settings(&self) -> Settings {
        settings_of!(StableParts { runs, least_stability, min_cluster_size, metric } = self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_found_in_pieces_is_found() {
        let labels = [0, 0, 0, 0, 1, 1, 1, 1, NOISE];
        let stability = |run: &[i32]| Parts::new(&labels, 2, &[run.to_vec()]).stability();
        assert_eq!(stability(&labels), [1.0, 1.0]);
        assert_eq!(stability(&[2, 2, 0, 0, 1, 1, 1, 1, NOISE]), [1.0, 1.0]);
        // One row lies with the others, and one that is in no part is counted where it lies.
        assert_eq!(stability(&[0, 0, 0, 1, 1, 1, 1, 1, 1]), [3.0 / 4.0, 4.0 / 6.0]);
        // Rows that the run was not given count for nothing, those that it calls noise against a part.
        assert_eq!(stability(&[ABSENT, 0, 0, 0, 1, 1, 1, NOISE, ABSENT]), [1.0, 3.0 / 4.0]);
    }

    #[test]
    fn a_run_of_two_clusters_is_not_asked_for_three() {
        let labels = [0, 0, 1, 1, 2, 2];
        let parts = Parts::new(&labels, 3, &[vec![0, 0, 1, 1, 1, 1], labels.to_vec()]);
        assert_eq!(parts.stability(), [1.0; 3]);
        // Of two parts the first run is asked too: it has the third with the second, as they are here.
        assert_eq!(parts.joined(2, 1).stability(), [1.0; 2]);
        assert_eq!(parts.joined(0, 1).stability(), [(4.0 / 6.0 + 1.0) / 2.0, (0.0 + 1.0) / 2.0]);
        assert_eq!(parts.joined(0, 1).of, [0, 0, 1]);
        // Nor is it let off where it could have found more than it did.
        assert_eq!(Parts::new(&labels, 3, &[vec![0; 6], vec![0; 6]]).stability(), [2.0 / 6.0, 0.0, 0.0]);
    }
}
