//! Clusters of several runs that are one: groups by average linkage of the Jaccard index.

use super::shared::{Table, clusters};
use crate::core::parallel;
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap};

/// Clusters of the runs that are taken for one.
pub(super) struct Group {
    /// How many there are.
    pub(super) clusters: usize,
    /// Runs that found it.
    runs: usize,
    /// The mean index of its clusters, each with itself included.
    cohesion: f64,
}

pub(super) struct Groups {
    pub(super) all: Vec<Group>,
    /// The group of each cluster, those of run r from `first[r]` on.
    of: Vec<usize>,
    first: Vec<usize>,
}

impl Groups {
    /// The group of a run's cluster; none for noise.
    pub(super) fn at(&self, run: usize, label: i32) -> Option<usize> {
        usize::try_from(label).ok().map(|label| self.of[self.first[run] + label])
    }
}

/// Groups the clusters of all runs, a cluster's number being its run's first number plus its label.
pub(super) fn of(runs: &[&[i32]], threshold: f64) -> Groups {
    let mut first = vec![0];
    for run in runs {
        first.push(first[first.len() - 1] + clusters(run));
    }
    let pairs: Vec<(usize, usize)> = (0..runs.len()).flat_map(|a| (a + 1..runs.len()).map(move |b| (a, b))).collect();
    let alike = parallel::map(pairs.len(), |p| {
        let (a, b) = pairs[p];
        let table = Table::of(runs[a], runs[b]);
        let cell =
            |&cell: &(u32, u32, u32)| (first[a] + cell.0 as usize, first[b] + cell.1 as usize, table.jaccard(cell));
        table.cells.iter().map(cell).collect::<Vec<_>>()
    });
    let total = first[runs.len()];
    let linked = linked(total, &alike.concat(), threshold);
    let run_of = |cluster: usize| first.partition_point(|&first| first <= cluster) - 1;
    let mut of = vec![0; total];
    let mut all = Vec::with_capacity(linked.len());
    for (number, linked) in linked.into_iter().enumerate() {
        let mut runs: Vec<usize> = linked.clusters.iter().map(|&cluster| run_of(cluster)).collect();
        runs.sort_unstable();
        runs.dedup();
        let clusters = linked.clusters.len();
        let cohesion = (2.0 * linked.within + clusters as f64) / (clusters * clusters) as f64;
        linked.clusters.iter().for_each(|&cluster| of[cluster] = number);
        all.push(Group { clusters, runs: runs.len(), cohesion });
    }
    Groups { all, of, first }
}

/// A group under way.
#[derive(Default)]
pub(super) struct Linked {
    clusters: Vec<usize>,
    /// The sum of the index over its pairs.
    within: f64,
    /// The sum over the pairs with each other group, where there are any that overlap.
    with: BTreeMap<usize, f64>,
}

impl Linked {
    /// The rows of its clusters, each given by its rows; ascending.
    pub(super) fn of(&self, clusters: &[&[u32]]) -> Vec<u32> {
        let mut rows: Vec<u32> = self.clusters.iter().flat_map(|&cluster| clusters[cluster]).copied().collect();
        rows.sort_unstable();
        rows
    }
}

/// A possible merger; of equal means the one of the lower numbers comes first.
#[derive(PartialEq)]
struct Merger {
    mean: f64,
    pair: (usize, usize),
}

impl Eq for Merger {}

impl Ord for Merger {
    fn cmp(&self, other: &Self) -> Ordering {
        self.mean.total_cmp(&other.mean).then_with(|| Reverse(self.pair).cmp(&Reverse(other.pair)))
    }
}

impl PartialOrd for Merger {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Average linkage of `total` clusters, of which those that overlap have an index in `alike`, until no two groups have a
/// mean index above `threshold`.
pub(super) fn linked(total: usize, alike: &[(usize, usize, f64)], threshold: f64) -> Vec<Linked> {
    let single = |cluster| Some(Linked { clusters: vec![cluster], ..Linked::default() });
    let mut groups: Vec<Option<Linked>> = (0..total).map(single).collect();
    let mut queue = BinaryHeap::new();
    for &(a, b, index) in alike {
        for (from, to) in [(a, b), (b, a)] {
            groups[from].as_mut().map(|group| group.with.insert(to, index));
        }
        queue.extend((index > threshold).then_some(Merger { mean: index, pair: (a, b) }));
    }
    while let Some(Merger { mean, pair: (a, b) }) = queue.pop() {
        // A merger of groups that have changed since is void; those that hold were entered anew.
        let current = groups[a].as_ref().and_then(|group| Some((group.clusters.len(), *group.with.get(&b)?)));
        let Some((size, sum)) = current else { continue };
        let Some(gone) = groups[b].take_if(|other| mean == sum / (size * other.clusters.len()) as f64) else {
            continue;
        };
        for &other in gone.with.keys().filter(|&&other| other != a) {
            groups[other].as_mut().map(|other| other.with.remove(&b));
        }
        let Some(group) = groups[a].as_mut() else { continue };
        group.with.remove(&b);
        group.clusters.extend(gone.clusters);
        group.within += gone.within + sum;
        for (other, sum) in gone.with.into_iter().filter(|(other, _)| *other != a) {
            *group.with.entry(other).or_default() += sum;
        }
        let (size, with) = (group.clusters.len(), group.with.clone());
        for (other, sum) in with {
            let Some(linked) = groups[other].as_mut() else { continue };
            linked.with.insert(a, sum);
            let mean = sum / (size * linked.clusters.len()) as f64;
            queue.extend((mean > threshold).then_some(Merger { mean, pair: (a.min(other), a.max(other)) }));
        }
    }
    groups.into_iter().flatten().collect()
}

/// The groups to keep, by the runs that found them, none with a core that is half another's.
pub(super) fn taken(runs: &[&[i32]], groups: &Groups, least: usize) -> Vec<usize> {
    let (sizes, overlaps) = cores(runs, groups);
    let mut candidates: Vec<usize> = (0..groups.all.len()).filter(|&group| groups.all[group].runs >= least).collect();
    candidates.sort_by(|&a, &b| {
        let (x, y) = (&groups.all[a], &groups.all[b]);
        let by_cohesion = y.cohesion.total_cmp(&x.cohesion);
        y.runs.cmp(&x.runs).then(by_cohesion).then(sizes[b].cmp(&sizes[a])).then(a.cmp(&b))
    });
    let mut taken: Vec<usize> = Vec::new();
    for group in candidates {
        let apart = |&other: &usize| {
            let both = overlaps.get(&(group.min(other), group.max(other))).copied().unwrap_or(0);
            2 * both < sizes[group].min(sizes[other])
        };
        if sizes[group] > 0 && taken.iter().all(apart) {
            taken.push(group);
        }
    }
    taken
}

/// The number of rows in each group's core, and those in the cores of two groups.
fn cores(runs: &[&[i32]], groups: &Groups) -> (Vec<usize>, BTreeMap<(usize, usize), usize>) {
    let mut sizes = vec![0; groups.all.len()];
    let mut overlaps = BTreeMap::new();
    let mut of_row: Vec<usize> = Vec::with_capacity(runs.len());
    for row in 0..runs[0].len() {
        of_row.clear();
        of_row.extend(runs.iter().enumerate().filter_map(|(run, labels)| groups.at(run, labels[row])));
        of_row.sort_unstable();
        let cores: Vec<usize> = of_row
            .chunk_by(|a, b| a == b)
            .filter(|votes| groups.all[votes[0]].is_core(votes.len() as u32))
            .map(|votes| votes[0])
            .collect();
        for (at, &group) in cores.iter().enumerate() {
            sizes[group] += 1;
            cores[at + 1..].iter().for_each(|&other| *overlaps.entry((group, other)).or_insert(0) += 1);
        }
    }
    (sizes, overlaps)
}
