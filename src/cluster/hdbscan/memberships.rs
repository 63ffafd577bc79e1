//! What rows are to all clusters, and which rows stand for a cluster.
//!
//! Soft membership of row x in cluster c is the product of two parts, each brought to sum 1 over the clusters, times the
//! chance that x is in any cluster at all, as in Python's hdbscan ("How soft clustering works", its documentation):
//!
//! - by distance, 1 / (distance to the nearest exemplar of c);
//! - by density, exp(exp(−L / h)), where h(x, c) is the λ at which the cluster that x fell out of and c are one, or λ(x)
//!   where one contains the other, and L the largest λ of that cluster of x;
//! - the chance: the largest h over the clusters, as a share of that cluster's largest λ, or of λ(x) if that is larger.

use super::condense::CondensedTree;
use super::model::HdbscanModel;
use crate::cluster::spanning::{Blocks, Exact, Nearest, Norm, Side, VectorSpace, distance, search};
use crate::core::numerics::exp;
use crate::core::{Error, Result, Rows, Run};
use ndarray::{Array2, ArrayRef2};

/// Each row's strongest memberships.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct TopMemberships {
    /// Clusters, rows x k, the strongest first.
    pub clusters: Array2<u32>,
    /// Memberships, rows x k, falling along each row.
    pub values: Array2<f64>,
}

/// Rows whose memberships are held at once.
const CHUNK: usize = 16_384;

impl HdbscanModel {
    /// The most central row of each cluster: the member with the least sum of squared Euclidean distances to all
    /// members, weighted by their membership; the densest of several. `rows` are those of the fit.
    ///
    /// That is the member nearest to the weighted mean, found in O(rows x columns). For cosine and correlation rows
    /// count as unit vectors.
    ///
    /// # Errors
    /// Those of [`HdbscanModel::predict`].
    pub fn medoids(&self, rows: &ArrayRef2<f32>) -> Result<Vec<usize>> {
        let rows = self.in_space(rows)?;
        self.check_rows(&rows)?;
        let columns = rows.columns();
        // Members by content, so that sums do not depend on the order of the rows.
        let order = crate::core::Canonical::of(&rows).order;
        let mut members = vec![Vec::new(); self.clusters()];
        for &row in &order {
            if let Ok(label) = usize::try_from(self.labels[row as usize]) {
                members[label].push(row as usize);
            }
        }
        let mut medoids = Vec::with_capacity(members.len());
        for members in &members {
            let mass = |row: usize| self.membership[row] * self.fitted.mass().of(row) as f64;
            let (mut mean, mut sum) = (vec![0.0; columns], 0.0);
            for &row in members {
                mean.iter_mut().zip(rows.row(row)).for_each(|(m, &x)| *m += mass(row) * f64::from(x));
                sum += mass(row);
            }
            mean.iter_mut().for_each(|m| *m /= if sum > 0.0 { sum } else { 1.0 });
            let far = |row: usize| {
                let gaps = rows.row(row).iter().zip(&mean).map(|(&x, m)| f64::from(x) - m);
                gaps.fold(0.0, |sum, gap| sum + gap * gap)
            };
            let key = |row: usize| (far(row), -self.membership[row]);
            let best = members.iter().copied().map(|row| (key(row), row));
            medoids.extend(best.reduce(|a, b| if b.0 < a.0 { b } else { a }).map(|best| best.1));
        }
        Ok(medoids)
    }

    /// Soft memberships, rows x clusters, in 0 to 1; a row's sum is the chance that it is in any cluster. `rows` are those
    /// of the fit.
    ///
    /// A row that has a label has its largest membership there: where another cluster's would be larger, the two
    /// change places. Memory is rows x clusters; see [`HdbscanModel::top_memberships`] for many clusters.
    ///
    /// # Errors
    /// Those of [`HdbscanModel::predict`].
    ///
    /// # Cost
    /// At most O(rows x exemplars x columns).
    pub fn memberships(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f64>> {
        let mut all = Array2::zeros((self.labels.len(), self.clusters()));
        self.each_membership(rows, run, |row, values| {
            all.row_mut(row).iter_mut().zip(values).for_each(|(slot, &value)| *slot = value);
        })?;
        Ok(all)
    }

    /// Each row's `k` strongest soft memberships, or as many as there are clusters; see
    /// [`HdbscanModel::memberships`]. Memory is rows x k.
    ///
    /// # Errors
    /// [`Error::Setting`] for `k` = 0, and those of [`HdbscanModel::predict`].
    pub fn top_memberships(&self, rows: &ArrayRef2<f32>, k: usize, run: &Run) -> Result<TopMemberships> {
        if k == 0 {
            return Err(Error::setting("k", k, "must be at least 1"));
        }
        let shape = (self.labels.len(), k.min(self.clusters()));
        let mut top = TopMemberships { clusters: Array2::zeros(shape), values: Array2::zeros(shape) };
        let mut order: Vec<u32> = Vec::new();
        self.each_membership(rows, run, |row, values| {
            order.clear();
            order.extend(0..values.len() as u32);
            let own = self.labels[row];
            // The row's own label comes first in a tie.
            order.sort_unstable_by(|&a, &b| {
                values[b as usize]
                    .total_cmp(&values[a as usize])
                    .then((a as i32 != own).cmp(&(b as i32 != own)))
                    .then(a.cmp(&b))
            });
            for (slot, &c) in order.iter().take(shape.1).enumerate() {
                top.clusters[[row, slot]] = c;
                top.values[[row, slot]] = values[c as usize];
            }
        })?;
        Ok(top)
    }

    fn each_membership(
        &self,
        rows: &ArrayRef2<f32>,
        run: &Run,
        mut take: impl FnMut(usize, &[f64]) + Send,
    ) -> Result<()> {
        let rows = self.in_space(rows)?;
        run.install(|| {
            self.check_rows(&rows)?;
            if self.clusters() == 0 {
                return Ok(());
            }
            let metric = self.fitted.metric.unwrap_or_default();
            let space = VectorSpace::learn(&rows, &crate::core::Canonical::of(&rows).order, Norm::of(metric));
            let sides: Vec<(Vec<u32>, Blocks)> = self
                .exemplars()
                .iter()
                .map(|exemplars| {
                    let pick: Vec<u32> = exemplars.iter().map(|&row| row as u32).collect();
                    let blocks = space.blocks(&rows, &pick);
                    (pick, blocks)
                })
                .collect();
            let heights = Heights::new(&self.condensed, &self.selected);
            let stage = run.stage("memberships", rows.len());
            for first in (0..rows.len()).step_by(CHUNK) {
                let here: Vec<u32> = (first as u32..(first + CHUNK).min(rows.len()) as u32).collect();
                let distances = self.to_exemplars(&rows, &here, &space, &sides, run)?;
                let mut values = vec![0.0; self.clusters()];
                for (i, &row) in here.iter().enumerate() {
                    values.iter_mut().zip(&distances).for_each(|(value, far)| *value = distance(metric, far[i]));
                    self.soften(row as usize, &heights, &mut values);
                    take(row as usize, &values);
                }
                stage.step(first + here.len())?;
            }
            Ok(())
        })?
    }

    /// For each cluster the raw value of each row's nearest exemplar.
    fn to_exemplars(
        &self,
        rows: &Rows<'_>,
        here: &[u32],
        space: &VectorSpace,
        sides: &[(Vec<u32>, Blocks)],
        run: &Run,
    ) -> Result<Vec<Vec<f64>>> {
        let blocks = space.blocks(rows, here);
        let queries = Side { blocks: &blocks, exact: Exact::new(rows, here, space) };
        let quiet = run.stage("exemplars", sides.len());
        let nearest = |(pick, blocks): &(Vec<u32>, Blocks)| {
            let points = Side { blocks, exact: Exact::new(rows, pick, space) };
            let end = |queries: &[u32], mut seek: Nearest| {
                (0..queries.len()).map(|q| seek.finish(q, 1)[0].0).collect::<Vec<f64>>()
            };
            search(space, points, queries, false, &quiet, |queries| Nearest::new(queries.len(), 1), end)
        };
        sides.iter().map(nearest).collect()
    }

    /// From distances to exemplars to memberships.
    fn soften(&self, row: usize, heights: &Heights<'_>, values: &mut [f64]) {
        let (tree, clusters) = (&self.condensed, &self.condensed.clusters);
        let lambda = tree.row_lambda[row];
        let own = &clusters[tree.row_cluster[row] as usize];
        let touching = values.iter().filter(|far| **far == 0.0).count();
        for far in values.iter_mut() {
            *far = match touching {
                0 => 1.0 / *far,
                _ => f64::from(u8::from(*far == 0.0)),
            };
        }
        let closeness: f64 = values.iter().sum();
        let mut height = vec![lambda; values.len()];
        heights.of(tree.row_cluster[row] as usize, &mut height);
        let score = |h: f64| if h > 0.0 { exp(exp(-own.death / h)) } else { 1.0 };
        let dense: f64 = height.iter().map(|&h| score(h)).sum();
        for (value, &h) in values.iter_mut().zip(&height) {
            *value *= score(h) / dense / closeness;
        }
        let sum: f64 = values.iter().sum();
        // The first of the largest.
        let top = (1..height.len()).fold(0, |best, c| if height[c] > height[best] { c } else { best });
        let most = clusters[self.selected[top] as usize].death.max(lambda);
        let chance = if most > 0.0 { (height[top] / most).min(1.0) } else { 1.0 };
        values.iter_mut().for_each(|value| *value *= chance / sum);
        if let Ok(label) = usize::try_from(self.labels[row]) {
            let best = (0..values.len()).fold(label, |best, c| if values[c] > values[best] { c } else { best });
            values.swap(label, best);
        }
    }
}

/// At which λ condensed clusters and selected ones are one.
struct Heights<'a> {
    tree: &'a CondensedTree,
    /// Selected clusters in the order of a walk through the tree that enters children one after the other, with their
    /// numbers.
    selected: Vec<(u32, usize)>,
    /// When that walk enters each cluster, and the number of clusters entered by when it has left.
    walk: Vec<(u32, u32)>,
}

impl<'a> Heights<'a> {
    fn new(tree: &'a CondensedTree, selected: &[u32]) -> Self {
        let n = tree.clusters.len();
        let parent = |c: usize| tree.clusters[c].parent.map_or(0, |parent| parent as usize);
        let mut under = vec![1u32; n];
        for c in (1..n).rev() {
            under[parent(c)] += under[c];
        }
        let mut walk = vec![(0, n as u32); n];
        let mut next: Vec<u32> = vec![1; n];
        for c in 1..n {
            let p = parent(c);
            walk[c] = (next[p], next[p] + under[c]);
            next[c] = next[p] + 1;
            next[p] += under[c];
        }
        let mut selected: Vec<(u32, usize)> =
            selected.iter().enumerate().map(|(number, &c)| (walk[c as usize].0, number)).collect();
        selected.sort_unstable();
        Heights { tree, selected, walk }
    }

    /// Sets the height of each selected cluster that neither contains `cluster` nor lies in it.
    fn of(&self, cluster: usize, heights: &mut [f64]) {
        let place = |time: u32| self.selected.partition_point(|s| s.0 < time);
        let (mut from, mut to) = (place(self.walk[cluster].0), place(self.walk[cluster].1));
        let mut at = cluster;
        while let Some(parent) = self.tree.clusters[at].parent {
            if from == 0 && to == self.selected.len() {
                break;
            }
            let height = self.tree.clusters[at].birth;
            at = parent as usize;
            let (first, last) = (place(self.walk[at].0), place(self.walk[at].1));
            for &(time, number) in self.selected[first..from].iter().chain(&self.selected[to..last]) {
                if time != self.walk[at].0 {
                    heights[number] = height;
                }
            }
            (from, to) = (first, last);
        }
    }
}
