//! One clustering that several clusterings of the same rows agree on.

mod cells;
mod groups;
mod shared;

use crate::core::cluster_sizes;
use crate::core::shape::check_count;
use crate::{Clustering, Error, NOISE, Result};
use groups::Group;

/// The label of a row that a run was not given: neither in a cluster nor noise.
pub const ABSENT: i32 = -2;

/// Finds the clusters that several clusterings (*runs*) of the same rows agree on, such as those of an algorithm under
/// several seeds, on several subsamples, or with several settings.
///
/// 1. Every two clusters of different runs are compared by their Jaccard index: of the rows that either has, the share that
///    both have, among the rows that both runs were given.
/// 2. Clusters are grouped by average linkage; groups whose mean index is not above [`threshold`](Consensus::threshold) stay
///    apart. A group is one cluster as the runs saw it.
/// 3. Groups are taken from the one that most runs found, then by their mean index, then by size, as long as at least
///    [`least_share`](Consensus::least_share) of the runs found them; one that has half of its core (rows that half of
///    its clusters have), or half of the other's, in common with a group already taken is left out. So where the runs
///    disagree whether two clusters are one, the majority counts.
/// 4. Each row goes to the group that most runs put it into, or to noise where more runs say so. The share of runs is its
///    membership.
/// 5. Rows that no group holds though at least half of the runs have them in a cluster may still stay together: those with the
///    same labels in all runs are a cell, and cells are joined while more than `threshold` of the runs have them in one
///    cluster. So small clusters, which each run joins to others as they happen to lie, are clusters of their own, if they
///    have at least 5 rows and three eighths of those of the smallest cluster of any run.
///
/// Clusters are numbered from the largest.
///
/// Cost: O(rows x runs²) integer additions and, for rows that are left over, a sort, which is little beside finding the clusters;
/// memory O(rows x runs), plus the pairs of clusters that overlap and of at most 1,000 cells.
///
/// Sources: meta-clusters by Jaccard index, A. Strehl and J. Ghosh, "Cluster ensembles", JMLR 3 (2002), section 3.4 (MCLA;
/// average linkage here, where it partitions a graph); the index as a measure of stability, C. Hennig, "Cluster-wise
/// assessment of cluster stability", Computational Statistics & Data Analysis 52 (2007).
///
/// ```
/// use recluster::cluster::Consensus;
/// // Two runs keep the rows of two groups apart, one joins them; one numbers them otherwise.
/// let runs = [vec![0, 0, 0, 1, 1, -1], vec![1, 1, 1, 0, 0, 0], vec![0, 0, 0, 0, 0, -1]];
/// let agreed = Consensus::new().of(&runs)?;
/// assert_eq!(agreed.labels(), [0, 0, 0, 1, 1, -1]);
/// assert_eq!(agreed.membership()[3], 2.0 / 3.0);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
#[must_use]
pub struct Consensus {
    threshold: f64,
    least_share: f64,
}

impl Default for Consensus {
    fn default() -> Self {
        Consensus { threshold: 0.5, least_share: 0.3 }
    }
}

impl Consensus {
    /// A threshold of .5, and groups that at least .3 of the runs found.
    pub fn new() -> Self {
        Consensus::default()
    }

    /// Sets the mean Jaccard index above which clusters of different runs are one; at least 0 and below 1, default 0.5, at
    /// and below which Hennig calls a cluster dissolved.
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    /// Sets the share of runs that must have found a cluster for it to be kept, in 0 to 1; default 0.3.
    pub fn least_share(mut self, share: f64) -> Self {
        self.least_share = share;
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Setting`] for one outside its range.
    pub fn check(&self) -> Result<()> {
        if !(0.0..1.0).contains(&self.threshold) {
            return Err(Error::setting("threshold", self.threshold, "must be at least 0 and below 1"));
        }
        if !(0.0..=1.0).contains(&self.least_share) {
            return Err(Error::setting("least_share", self.least_share, "must be in 0 to 1"));
        }
        Ok(())
    }

    /// The consensus of `runs`, each with a label for every row: a number from 0, [`NOISE`] or [`ABSENT`].
    ///
    /// Rows that were absent from all runs are noise.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting outside its range or without any run; [`Error::Shape`] where the runs have
    /// unlike numbers of rows; [`Error::Label`] for a label below -2 or not below the number of rows.
    pub fn of(&self, runs: &[impl AsRef<[i32]> + Sync]) -> Result<Clustering> {
        self.check()?;
        let runs: Vec<&[i32]> = runs.iter().map(AsRef::as_ref).collect();
        let Some(first) = runs.first() else { return Err(Error::setting("runs", 0, "must be at least 1")) };
        for run in &runs {
            check_count("labels, as many in each run", first.len(), run.len())?;
            let wrong = |&label: &i32| label < ABSENT || label >= 0 && label as usize >= run.len();
            if let Some(row) = run.iter().position(wrong) {
                let label = run[row].into();
                return Err(Error::Label { row, label, reason: "must be -2, -1 or a number below that of the rows" });
            }
        }
        let least = (self.least_share * runs.len() as f64 - 1e-9).ceil().max(1.0) as usize;
        let groups = groups::of(&runs, self.threshold);
        let taken = groups::taken(&runs, &groups, least);
        assigned(&runs, &groups, &taken, self.threshold)
    }
}

/// Each row's group among those taken, numbered from the largest.
fn assigned(runs: &[&[i32]], groups: &groups::Groups, taken: &[usize], threshold: f64) -> Result<Clustering> {
    let rows = runs[0].len();
    let mut place = vec![None; groups.all.len()];
    taken.iter().enumerate().for_each(|(at, &group)| place[group] = Some(at));
    let (mut labels, mut membership) = (vec![NOISE; rows], vec![0.0f32; rows]);
    let mut votes = vec![0u32; taken.len()];
    let mut left = Vec::new();
    for row in 0..rows {
        votes.fill(0);
        let (mut present, mut noise) = (0, 0);
        for (run, labels) in runs.iter().enumerate() {
            present += u32::from(labels[row] != ABSENT);
            noise += u32::from(labels[row] == NOISE);
            if let Some(at) = groups.at(run, labels[row]).and_then(|group| place[group]) {
                votes[at] += 1;
            }
        }
        // Of equally many votes the group that was taken first.
        let most = votes.iter().copied().enumerate().max_by_key(|&(at, votes)| (votes, std::cmp::Reverse(at)));
        match most {
            Some((at, most)) if most > 0 && most >= noise => {
                labels[row] = at as i32;
                membership[row] = most as f32 / present as f32;
            }
            _ if present > 0 && 2 * noise <= present => left.push(row as u32),
            _ => {}
        }
    }
    let together = cells::of(runs, left, smallest(runs), threshold);
    for (together, at) in together.iter().zip(taken.len()..) {
        for (&row, &share) in together.rows.iter().zip(&together.membership) {
            (labels[row as usize], membership[row as usize]) = (at as i32, share);
        }
    }
    let count = taken.len() + together.len();
    let sizes = cluster_sizes(&labels, count);
    let mut order: Vec<usize> = (0..count).filter(|&at| sizes[at] > 0).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(sizes[at]));
    let mut number = vec![NOISE; count];
    order.iter().zip(0..).for_each(|(&at, to)| number[at] = to);
    labels.iter_mut().filter(|label| **label >= 0).for_each(|label| *label = number[*label as usize]);
    Clustering::new(labels)?.with_membership(membership)
}

/// The size of the smallest cluster of any run.
fn smallest(runs: &[&[i32]]) -> usize {
    let of = |run: &&[i32]| cluster_sizes(run, shared::clusters(run)).into_iter().filter(|&size| size > 0).min();
    runs.iter().filter_map(of).min().unwrap_or(0)
}

/// How well the clusters of `labels` are found again by other runs, with labels as for [`Consensus::of`]: for each cluster
/// and run the largest Jaccard index of the cluster with one of the run's, among the rows that the run was given; for a
/// cluster that is `joined` of several, its index with the union of the run's clusters that have most of their rows in it.
///
/// A cluster of which a run was given no row has no value in it.
pub(crate) fn found_again(labels: &[i32], joined: &[bool], runs: &[Vec<i32>]) -> Vec<Vec<Option<f64>>> {
    let mut found = vec![Vec::with_capacity(runs.len()); joined.len()];
    for run in runs {
        let table = shared::Table::of(labels, run);
        for (cluster, found) in found.iter_mut().enumerate() {
            found.push(if joined[cluster] { table.union(cluster) } else { table.best(cluster) });
        }
    }
    found
}

impl Group {
    /// Whether a row that `votes` of the group's clusters have is of its core.
    fn is_core(&self, votes: u32) -> bool {
        2 * votes as usize >= self.clusters
    }
}

#[cfg(test)]
mod tests;
