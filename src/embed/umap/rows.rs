//! The rows that a graph is of, dense or sparse.

use super::UmapGraph;
use super::start::Dense;
use crate::core::{AnyRows, AnyTable, Canonical, Rows, SparseRows, once};
use crate::embed::sparse::leading;
use crate::neighbors::in_metric_space;
use ndarray::Array2;
use std::borrow::Cow;
use std::sync::OnceLock;

/// Rows of a graph.
#[derive(Clone, Debug)]
pub(super) enum GraphRows<'a> {
    Dense(Rows<'a>),
    /// With what stands for them where dense rows are needed.
    Sparse(Cow<'a, SparseRows>, OnceLock<Rows<'static>>),
}

impl<'a> From<Rows<'a>> for GraphRows<'a> {
    fn from(rows: Rows<'a>) -> Self {
        GraphRows::Dense(rows)
    }
}

impl<'a> From<Cow<'a, SparseRows>> for GraphRows<'a> {
    fn from(rows: Cow<'a, SparseRows>) -> Self {
        GraphRows::Sparse(rows, OnceLock::new())
    }
}

impl GraphRows<'_> {
    pub(super) fn any(&self) -> AnyRows<'_> {
        match self {
            GraphRows::Dense(rows) => rows.into(),
            GraphRows::Sparse(rows, _) => (&**rows).into(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.any().len()
    }

    /// What `work` makes of them as a table.
    pub(super) fn lent<T>(&self, work: impl FnOnce(AnyTable<'_>) -> T) -> T {
        match self {
            GraphRows::Dense(rows) => work(AnyTable::Dense(&rows.view())),
            GraphRows::Sparse(rows, _) => work(AnyTable::Sparse(rows)),
        }
    }

    /// The different rows, in canonical order.
    pub(super) fn representatives(&self, canonical: &Canonical) -> Array2<f32> {
        match self {
            GraphRows::Dense(rows) => rows.representatives(canonical),
            GraphRows::Sparse(rows, _) => {
                rows.dense(&(0..canonical.groups()).map(|g| canonical.representative(g) as u32).collect::<Vec<_>>())
            }
        }
    }
}

/// For sparse rows their leading principal components in the metric's own space.
impl Dense for UmapGraph<'_> {
    fn dense(&self) -> &Rows<'_> {
        match &self.rows {
            GraphRows::Dense(rows) => rows,
            GraphRows::Sparse(rows, dense) => once(dense, || {
                let own = in_metric_space(rows, &self.settings().metric);
                Rows::owned(leading(&own, &self.canonical.order))
            }),
        }
    }
}
