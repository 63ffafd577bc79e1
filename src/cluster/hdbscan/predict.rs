//! New rows put into the clusters of a fit.
//!
//! A new row hangs onto the fitted tree by its lightest edge: with core(x) its distance to its `min_samples`-th fitted
//! row, the fitted row y of the least mutual reachability max(core(x), core(y), d(x, y)), the nearest of them in a tie.
//! λ(x) = 1 / that. Like any row of the tree it is in y's clusters as long as the density is below λ(x), and no longer
//! than y is; where that is none of them, and the clusters reach for noise, it is in that of y if they are within reach. Fitted rows keep their core distances, so one new row changes nothing for another.

use super::model::HdbscanModel;
use super::reach;
use super::select::{densest, owners};
use crate::cluster::spanning::{
    Asked, Blocks, Exact, Groups, Nearest, Norm, Seek, Side, VectorSpace, distance, larger, search,
};
use crate::core::{Error, NOISE, Result, Rows, Run};
use ndarray::ArrayRef2;
use std::fmt;

/// What new rows are to the clusters of a fit.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Prediction {
    /// Each new row's cluster, or [`NOISE`](crate::NOISE).
    pub labels: Vec<i32>,
    /// Strength of membership, in 0 to 1; 0 for noise.
    pub membership: Vec<f64>,
    /// GLOSH outlier scores, in 0 to 1.
    pub outlier_scores: Vec<f64>,
    /// The fitted row that each new row hangs on.
    pub neighbor: Vec<usize>,
}

/// A fit with its rows, ready for new ones; made by [`HdbscanModel::predictor`].
pub struct HdbscanPredictor<'a> {
    model: &'a HdbscanModel,
    /// Columns of the fit.
    columns: usize,
    /// The fitted rows in the metric's own space.
    rows: Rows<'a>,
    groups: Groups,
    /// One row of each group of equal ones, with its core distance as a raw value, to within rounding.
    pick: Vec<u32>,
    core: Vec<f64>,
    space: VectorSpace,
    blocks: Blocks,
    /// By condensed cluster: its label, the selected one that it is in, and the largest λ in it.
    label: Vec<i32>,
    owner: Vec<Option<u32>>,
    densest: Vec<f64>,
    /// By label: the least λ at which noise joins the cluster; see [`Hdbscan::reach`](super::Hdbscan::reach).
    reached: Vec<f64>,
}

impl fmt::Debug for HdbscanPredictor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clusters = self.model.clusters();
        f.debug_struct("HdbscanPredictor")
            .field("columns", &self.columns)
            .field("clusters", &clusters)
            .finish_non_exhaustive()
    }
}

impl HdbscanModel {
    /// Finds the clusters of `new` rows. `rows` are those of the fit, in its order. For rows that come one by one see
    /// [`HdbscanModel::predictor`].
    ///
    /// A row of the fit among the new ones has exactly its result of the fit. The result of a new row does not depend on
    /// the other new rows.
    ///
    /// # Errors
    /// The table errors for either table; [`Error::Shape`] and [`Error::Setting`] if `rows` are not those of the fit or
    /// the fit had distances alone; [`Error::Cancelled`].
    ///
    /// # Cost
    /// That of [`HdbscanModel::predictor`] and [`HdbscanPredictor::predict`].
    ///
    /// # Source
    /// As `approximate_predict` of Python's hdbscan, from which it differs in that equal rows get equal answers and that
    /// a new row is never a stronger member than the row it hangs on.
    pub fn predict(&self, rows: &ArrayRef2<f32>, new: &ArrayRef2<f32>, run: &Run) -> Result<Prediction> {
        same_columns(rows.ncols(), new)?;
        self.predictor(rows, run)?.predict(new, run)
    }

    /// Makes the fit ready for new rows: what depends on the fitted `rows` alone, in their order at the fit, is done here
    /// once. It holds the rows as vectors of their columns, or of 64 numbers beyond 96 columns, and for cosine and
    /// correlation a copy of them.
    ///
    /// ```
    /// use ndarray::{Array2, array};
    /// use recluster::{Run, cluster::Hdbscan};
    /// let rows = Array2::from_shape_fn((60, 2), |(i, j)| (i % 3 * 50) as f32 + ((i * 7 + j * 5) % 11) as f32);
    /// let run = Run::new();
    /// let model = Hdbscan::new().min_cluster_size(10).fit(&rows, &run)?;
    /// let predictor = model.predictor(&rows, &run)?;
    /// for new in [array![[3.0f32, 4.0]], array![[52.0, 55.0]]] {
    ///     assert_eq!(predictor.predict(&new, &run)?, model.predict(&rows, &new, &run)?);
    /// }
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`HdbscanModel::predict`] for `rows` and the model.
    ///
    /// # Cost
    /// O(rows x columns) and a sort of the rows.
    pub fn predictor<'a>(&'a self, rows: &'a ArrayRef2<f32>, run: &Run) -> Result<HdbscanPredictor<'a>> {
        let columns = rows.ncols();
        let rows = self.in_space(rows)?;
        run.install(|| {
            self.check_rows(&rows)?;
            let metric = self.fitted.metric.unwrap_or_default();
            let weights = self.fitted.weights.as_deref();
            let groups = Groups::new(&Asked { rows: &rows, metric, weights, others: self.fitted.others });
            let canonical = &groups.canonical;
            let pick: Vec<u32> = (0..canonical.groups()).map(|g| canonical.representative(g) as u32).collect();
            let space = VectorSpace::learn(&rows, &pick, Norm::of(metric));
            let blocks = space.blocks(&rows, &pick);
            let core = pick.iter().map(|&row| self.raw_core(row as usize)).collect();
            let mut label = vec![NOISE; self.condensed.clusters.len()];
            self.selected.iter().enumerate().for_each(|(number, &c)| label[c as usize] = number as i32);
            let owner = owners(&self.condensed, |c| label[c] >= 0);
            let densest = densest(&self.condensed);
            let cores = &self.fitted.core_distances;
            let limits = reach::limits(&self.scores().labels, cores, self.clusters(), self.reach);
            let reached = limits.iter().map(|&limit| if limit > 0.0 { 1.0 / limit } else { f64::INFINITY }).collect();
            Ok(HdbscanPredictor {
                model: self,
                columns,
                rows,
                groups,
                pick,
                core,
                space,
                blocks,
                label,
                owner,
                densest,
                reached,
            })
        })?
    }

    /// A fitted row's core distance as a raw value, to within rounding.
    fn raw_core(&self, row: usize) -> f64 {
        let core = self.fitted.core_distances[row];
        match self.fitted.metric.unwrap_or_default() {
            crate::neighbors::Metric::Euclidean => core * core,
            crate::neighbors::Metric::Cosine | crate::neighbors::Metric::Correlation => 2.0 * core,
            _ => core,
        }
    }
}

impl HdbscanPredictor<'_> {
    /// Finds the clusters of `new` rows (any number x columns of the fit), as [`HdbscanModel::predict`].
    ///
    /// # Errors
    /// The table errors; [`Error::Shape`] for other columns than the fit's; [`Error::Cancelled`].
    ///
    /// # Cost
    /// At most O(new rows x rows x columns); blocks of rows that are too far are skipped, in few columns nearly all.
    pub fn predict(&self, new: &ArrayRef2<f32>, run: &Run) -> Result<Prediction> {
        same_columns(self.columns, new)?;
        let new = self.model.in_space(new)?;
        run.install(|| Ok(self.place(&self.hooks(&new, run)?)))?
    }

    /// For each new row the λ at which it joins the tree (infinite for a row of the fit) and the fitted row it hangs on.
    fn hooks(&self, new: &Rows<'_>, run: &Run) -> Result<Vec<(f64, usize)>> {
        let HdbscanPredictor { model, rows, pick, space, .. } = self;
        let metric = model.fitted.metric.unwrap_or_default();
        let all: Vec<u32> = (0..new.len() as u32).collect();
        let there = space.blocks(new, &all);
        let points = Side { blocks: &self.blocks, exact: Exact::new(rows, pick, space) };
        let queries = Side { blocks: &there, exact: Exact::new(new, &all, space) };
        let stage = run.stage("neighbours", new.len());
        let mut ask = self.groups.ask();
        ask.k = if ask.weights.is_some() { (ask.k + 1).min(pick.len()) } else { ask.others.clamp(1, pick.len()) };
        let begin = |queries: &[u32]| Nearest::new(queries.len(), ask.k);
        let end = |queries: &[u32], mut seek: Nearest| {
            let core = |q: usize| ask.core_with(0, seek.finish(q, ask.sorted().min(ask.k)), |point| point);
            (0..queries.len()).map(core).collect::<Vec<_>>()
        };
        let core = search(space, points, queries, false, &stage, begin, end)?;
        drop(stage);
        let stage = run.stage("edges", new.len());
        let begin = |queries: &[u32]| Hook {
            core: queries.iter().map(|&query| core[query as usize]).collect(),
            fitted: &self.core,
            best: vec![(f64::INFINITY, f64::INFINITY, u32::MAX); queries.len()],
        };
        let found = search(space, points, queries, false, &stage, begin, |_, seek: Hook<'_>| seek.best)?;
        let hook = |((_, raw, point), core): ((f64, f64, u32), f64)| {
            // Farther from all rows than any number says.
            if point == u32::MAX {
                return (0.0, pick[0] as usize);
            }
            let row = pick[point as usize] as usize;
            let weight = larger(distance(metric, larger(raw, core)), model.fitted.core_distances[row]);
            (if raw == 0.0 { f64::INFINITY } else { 1.0 / weight }, row)
        };
        Ok(found.into_iter().zip(core.iter().copied()).map(hook).collect())
    }

    /// What hanging on a fitted row at a λ makes of a row.
    fn place(&self, hooks: &[(f64, usize)]) -> Prediction {
        let HdbscanPredictor { model, label, owner, densest, reached, .. } = self;
        let tree = &model.condensed;
        let clusters = &tree.clusters;
        let mut found = Prediction { labels: vec![], membership: vec![], outlier_scores: vec![], neighbor: vec![] };
        for &(joins, row) in hooks {
            found.neighbor.push(row);
            if joins == f64::INFINITY {
                found.labels.push(model.labels[row]);
                found.membership.push(model.membership[row]);
                found.outlier_scores.push(model.outlier_scores[row]);
                continue;
            }
            let mut c = tree.row_cluster[row] as usize;
            let lambda = if joins < tree.row_lambda[row] { joins } else { tree.row_lambda[row] };
            while lambda < tree.row_lambda[row] && clusters[c].birth >= lambda {
                let Some(parent) = clusters[c].parent else { break };
                c = parent as usize;
            }
            let share = |c: u32, lambda: f64| {
                let most = clusters[c as usize].death;
                if most > 0.0 { lambda.min(most) / most } else { 1.0 }
            };
            let own = owner[c].filter(|&c| c != 0 || lambda >= model.threshold);
            let near = usize::try_from(model.labels[row]).ok().filter(|&label| joins >= reached[label]);
            let (label, membership) = match (own, near) {
                (Some(c), _) => (label[c as usize], share(c, lambda)),
                (None, Some(near)) => (near as i32, share(model.selected[near], joins).min(model.membership[row])),
                (None, None) => (NOISE, 0.0),
            };
            found.labels.push(label);
            found.membership.push(membership);
            let most = densest[c];
            found.outlier_scores.push(if most > lambda { (most - lambda) / most } else { 0.0 });
        }
        found
    }
}

fn same_columns(expected: usize, new: &ArrayRef2<f32>) -> Result<()> {
    let found = new.ncols();
    if expected == found { Ok(()) } else { Err(Error::Shape { what: "columns of the new rows", expected, found }) }
}

/// Lightest edges of a block of new rows.
struct Hook<'a> {
    core: Vec<f64>,
    fitted: &'a [f64],
    /// (raw weight, raw distance, point)
    best: Vec<(f64, f64, u32)>,
}

impl Seek for Hook<'_> {
    fn bound(&self, query: usize) -> f64 {
        larger(self.best[query].0, 0.0)
    }

    fn offer(&mut self, query: usize, raw: f64, point: u32) {
        // A row of the fit hangs on itself, whatever would be lighter.
        let weight = if raw == 0.0 { -1.0 } else { larger(raw, larger(self.core[query], self.fitted[point as usize])) };
        let best = &mut self.best[query];
        if (weight, raw, point) < *best {
            *best = (weight, raw, point);
        }
    }
}
