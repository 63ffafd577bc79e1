//! What the clusterers that cut a spanning tree share: the tree with its core distances, from rows or from a model of
//! HDBSCAN, and the nearest fitted row of each new one.

use super::hdbscan::HdbscanModel;
use super::spanning::{
    Asked, Exact, Norm, Seek, Side, SpanningTree, VectorSpace, distance, metric_rows, search, spanning_tree,
};
use crate::core::{Canonical, Error, Result, Rows, Run};
use crate::neighbors::Metric;
use ndarray::ArrayRef2;
use std::borrow::Cow;

/// A spanning tree of mutual reachability and what it was made of.
pub(super) struct TreeFit<'a> {
    pub(super) spanning: Cow<'a, SpanningTree>,
    pub(super) core: Cow<'a, [f64]>,
    pub(super) canonical: Canonical,
}

impl<'a> TreeFit<'a> {
    /// Fits the tree; `others` neighbours make a core distance.
    pub(super) fn new(rows: &Rows<'_>, metric: Metric, others: usize, run: &Run) -> Result<Self> {
        let (spanning, core) = spanning_tree(&Asked { rows, metric, weights: None, others }, run)?;
        Ok(TreeFit { spanning: Cow::Owned(spanning), core: Cow::Owned(core), canonical: Canonical::of(rows) })
    }

    /// Takes the tree of a fitted model, after checking that it is of these rows.
    pub(super) fn of(model: &'a HdbscanModel, rows: &Rows<'_>) -> Result<Self> {
        if model.fitted.weights.is_some() {
            return Err(Error::setting("weights", "given", "rows are counted here: the model must be without weights"));
        }
        model.check_rows(rows)?;
        let canonical = Canonical::of(rows);
        Ok(TreeFit {
            spanning: Cow::Borrowed(&model.fitted.spanning),
            core: Cow::Borrowed(&model.fitted.core_distances),
            canonical,
        })
    }
}

/// For each of the rows `ask` of `new` its nearest among the rows `pick` of `rows`, as an index into `pick`, and how far
/// it is; the first of several.
pub(super) fn nearest(
    rows: &Rows<'_>,
    pick: &[u32],
    new: &Rows<'_>,
    ask: &[u32],
    metric: Metric,
    run: &Run,
) -> Result<Vec<(f64, u32)>> {
    if ask.is_empty() || pick.is_empty() {
        return Ok(vec![(f64::INFINITY, u32::MAX); ask.len()]);
    }
    let space = VectorSpace::learn(rows, pick, Norm::of(metric));
    let (here, there) = (space.blocks(rows, pick), space.blocks(new, ask));
    let points = Side { blocks: &here, exact: Exact::new(rows, pick, &space) };
    let queries = Side { blocks: &there, exact: Exact::new(new, ask, &space) };
    let stage = run.stage("neighbours", ask.len());
    let begin = |queries: &[u32]| Closest(vec![(f64::INFINITY, u32::MAX); queries.len()]);
    let found = search(&space, points, queries, false, &stage, begin, |_, seek: Closest| seek.0)?;
    Ok(found.into_iter().map(|(raw, point)| (distance(metric, raw), point)).collect())
}

/// The nearest point of each of a block's queries: (raw value, point).
struct Closest(Vec<(f64, u32)>);

impl Seek for Closest {
    fn bound(&self, query: usize) -> f64 {
        self.0[query].0
    }

    fn offer(&mut self, query: usize, raw: f64, point: u32) {
        if (raw, point) < self.0[query] {
            self.0[query] = (raw, point);
        }
    }
}

/// The label of each new row's nearest fitted row.
pub(super) fn label_of_nearest(
    rows: &ArrayRef2<f32>,
    labels: &[i32],
    new: &ArrayRef2<f32>,
    metric: Metric,
    run: &Run,
) -> Result<Vec<i32>> {
    same_shape(rows, labels.len(), new)?;
    let (rows, new) = (metric_rows(rows, metric)?, metric_rows(new, metric)?);
    run.install(|| {
        // In an order given by content: so is the first of several.
        let canonical = Canonical::of(&rows);
        let pick: Vec<u32> = (0..canonical.groups()).map(|g| canonical.representative(g) as u32).collect();
        let ask: Vec<u32> = (0..new.len() as u32).collect();
        let found = nearest(&rows, &pick, &new, &ask, metric, run)?;
        Ok(found.into_iter().map(|(_, point)| labels[pick[point as usize] as usize]).collect())
    })?
}

/// Checks that `rows` may be those of a fit, and that new rows have their columns.
pub(super) fn same_shape(rows: &ArrayRef2<f32>, fitted: usize, new: &ArrayRef2<f32>) -> Result<()> {
    if rows.nrows() != fitted {
        return Err(Error::Shape { what: "rows of the fit", expected: fitted, found: rows.nrows() });
    }
    if new.ncols() != rows.ncols() {
        return Err(Error::Shape { what: "columns of the new rows", expected: rows.ncols(), found: new.ncols() });
    }
    Ok(())
}
