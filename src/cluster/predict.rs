//! New rows put into the clusters of a fit.
//!
//! A new row hangs onto the fitted tree by its lightest edge: with core(x) its distance to its `min_samples`-th fitted
//! row, the fitted row y of the least mutual reachability max(core(x), core(y), d(x, y)), the nearest of them in a tie.
//! λ(x) = 1 / that. Like any row of the tree it is in y's clusters as long as the density is below λ(x), and no longer
//! than y is. Fitted rows keep their core distances, so one new row changes nothing for another.

use super::kdtree::larger;
use super::model::HdbscanModel;
use super::search::{Nearest, Seek, Side, search};
use super::select::{densest, owners};
use super::spanning::{Asked, Groups, distance, prepared};
use super::tiles::{Blocks, Exact, Lens, Vectors};
use crate::core::{Error, NOISE, Result, Rows, Run};
use ndarray::{Array2, ArrayRef2};

/// What new rows are to the clusters of a fit.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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

/// Rows in the space of a fit.
pub(super) struct Space {
    rows: Array2<f32>,
    unit: Option<Array2<f32>>,
}

impl Space {
    pub(super) fn new(model: &HdbscanModel, rows: &ArrayRef2<f32>) -> Result<Self> {
        let Some(metric) = model.metric() else {
            let allowed = "rows have no place: the model was fitted on distances alone";
            return Err(Error::setting("rows", "given", allowed));
        };
        let unit = prepared(&Rows::finite(rows)?, metric);
        let rows = if unit.is_some() { Array2::zeros((0, 0)) } else { rows.to_owned() };
        Ok(Space { rows, unit })
    }

    pub(super) fn rows(&self) -> Result<Rows<'_>> {
        Rows::finite(self.unit.as_ref().unwrap_or(&self.rows))
    }
}

impl HdbscanModel {
    /// Checks that these are the rows of the fit: each edge of the spanning tree must weigh what its ends say.
    pub(super) fn check_rows(&self, rows: &Rows<'_>) -> Result<()> {
        let (n, core) = (self.labels.len(), &self.fitted.core_distances);
        if rows.len() != n {
            return Err(Error::Shape { what: "rows of the fit", expected: n, found: rows.len() });
        }
        let metric = self.fitted.metric.unwrap_or_default();
        let norm = super::norm::Norm::of(metric);
        let same = self.fitted.spanning.edges().all(|(a, b, weight)| {
            let apart = distance(metric, norm.measure(rows.row(a), rows.row(b)));
            larger(apart, larger(core[a], core[b])).to_bits() == weight.to_bits()
        });
        if same { Ok(()) } else { Err(Error::setting("rows", "others", "must be the rows of the fit")) }
    }

    /// Finds the clusters of `new` rows. `rows` are those of the fit, in its order.
    ///
    /// A row of the fit among the new ones gets exactly what it got there. What a new row gets does not depend on what
    /// other new rows come with it.
    ///
    /// # Errors
    /// The table errors for either table; [`Error::Shape`] and [`Error::Setting`] if `rows` are not those of the fit or
    /// the fit had distances alone; [`Error::Cancelled`].
    ///
    /// # Cost
    /// At most O(new rows x rows x columns); blocks of rows that are too far are skipped, in few columns nearly all.
    ///
    /// # Source
    /// As `approximate_predict` of Python's hdbscan, from which it differs in that equal rows get equal answers and that
    /// a new row is never a stronger member than the row it hangs on.
    pub fn predict(&self, rows: &ArrayRef2<f32>, new: &ArrayRef2<f32>, run: &Run) -> Result<Prediction> {
        if new.ncols() != rows.ncols() {
            return Err(Error::Shape { what: "columns of the new rows", expected: rows.ncols(), found: new.ncols() });
        }
        let (space, new) = (Space::new(self, rows)?, Space::new(self, new)?);
        let (rows, new) = (space.rows()?, new.rows()?);
        run.install(|| {
            self.check_rows(&rows)?;
            let hooks = self.hooks(&rows, &new, run)?;
            Ok(self.place(&hooks))
        })?
    }

    /// For each new row the λ at which it joins the tree (infinite for a row of the fit) and the fitted row it hangs on.
    fn hooks(&self, rows: &Rows<'_>, new: &Rows<'_>, run: &Run) -> Result<Vec<(f64, usize)>> {
        let metric = self.fitted.metric.unwrap_or_default();
        let weights = self.fitted.weights.as_deref();
        let groups = Groups::new(&Asked { rows, metric, weights, others: self.fitted.others });
        let canonical = &groups.canonical;
        let pick: Vec<u32> = (0..canonical.groups()).map(|g| canonical.representative(g) as u32).collect();
        let all: Vec<u32> = (0..new.len() as u32).collect();
        let lens = Lens::learn(rows, &pick, super::norm::Norm::of(metric));
        let blocks = |vectors: &Vectors| Blocks::new(vectors, lens.norm, Blocks::compact(vectors, lens.norm));
        let (here, there) = (blocks(&lens.vectors(rows, &pick)), blocks(&lens.vectors(new, &all)));
        let points = Side { blocks: &here, exact: Exact::new(rows, &pick, &lens) };
        let queries = Side { blocks: &there, exact: Exact::new(new, &all, &lens) };
        let stage = run.stage("neighbours", new.len());
        let mut ask = groups.ask();
        ask.k = if ask.weights.is_some() { (ask.k + 1).min(pick.len()) } else { ask.others.clamp(1, pick.len()) };
        let begin = |queries: &[u32]| Nearest::new(queries.len(), ask.k);
        let end = |queries: &[u32], mut seek: Nearest| {
            let core = |q: usize| ask.core_with(0, seek.finish(q, ask.sorted().min(ask.k)), |point| point);
            (0..queries.len()).map(core).collect::<Vec<_>>()
        };
        let core = search(&lens, points, queries, false, &stage, begin, end)?;
        drop(stage);
        let stage = run.stage("edges", new.len());
        let fitted: Vec<f64> = pick.iter().map(|&row| self.raw_core(row as usize)).collect();
        let begin = |queries: &[u32]| Hook {
            core: queries.iter().map(|&query| core[query as usize]).collect(),
            fitted: &fitted,
            best: vec![(f64::INFINITY, f64::INFINITY, u32::MAX); queries.len()],
        };
        let found = search(&lens, points, queries, false, &stage, begin, |_, seek: Hook<'_>| seek.best)?;
        let hook = |((_, raw, point), core): ((f64, f64, u32), f64)| {
            let row = pick[point as usize] as usize;
            let weight = larger(distance(metric, larger(raw, core)), self.fitted.core_distances[row]);
            (if raw == 0.0 { f64::INFINITY } else { 1.0 / weight }, row)
        };
        Ok(found.into_iter().zip(core.iter().copied()).map(hook).collect())
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

    /// What hanging on a fitted row at a λ makes of a row.
    fn place(&self, hooks: &[(f64, usize)]) -> Prediction {
        let tree = &self.condensed;
        let clusters = &tree.clusters;
        let mut label = vec![NOISE; clusters.len()];
        self.selected.iter().enumerate().for_each(|(number, &c)| label[c as usize] = number as i32);
        let owner = owners(tree, |c| label[c] >= 0);
        let densest = densest(tree);
        let mut found = Prediction { labels: vec![], membership: vec![], outlier_scores: vec![], neighbor: vec![] };
        for &(joins, row) in hooks {
            found.neighbor.push(row);
            if joins == f64::INFINITY {
                found.labels.push(self.labels[row]);
                found.membership.push(self.membership[row]);
                found.outlier_scores.push(self.outlier_scores[row]);
                continue;
            }
            let mut c = tree.row_cluster[row] as usize;
            let lambda = if joins < tree.row_lambda[row] { joins } else { tree.row_lambda[row] };
            while lambda < tree.row_lambda[row] && clusters[c].birth >= lambda {
                let Some(parent) = clusters[c].parent else { break };
                c = parent as usize;
            }
            let own = owner[c].filter(|&c| c != 0 || lambda >= self.threshold);
            found.labels.push(own.map_or(NOISE, |c| label[c as usize]));
            found.membership.push(own.map_or(0.0, |c| {
                let most = clusters[c as usize].death;
                if most > 0.0 { lambda.min(most) / most } else { 1.0 }
            }));
            let most = densest[c];
            found.outlier_scores.push(if most > lambda { (most - lambda) / most } else { 0.0 });
        }
        found
    }
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
