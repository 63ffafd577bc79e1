//! Checked rows, dense or sparse, for what reads both.

use super::SparseRows;
#[cfg(feature = "serde")]
use crate::core::rows::Content;
use crate::core::{Canonical, Result, Rows, gather};
use crate::core::{Embedded, Embedder, Prepared, Run};
use ndarray::{Array2, ArrayRef2};
use std::borrow::Cow;

/// A table as it is given, dense and not checked yet, or sparse.
#[derive(Clone, Copy)]
pub(crate) enum AnyTable<'a> {
    Dense(&'a ArrayRef2<f32>),
    Sparse(&'a SparseRows),
}

/// Some rows of such a table.
pub(crate) enum OwnTable {
    Dense(Array2<f32>),
    Sparse(SparseRows),
}

impl AnyTable<'_> {
    /// The embedder with these rows, ready.
    pub(crate) fn ready<'e>(&'e self, embedder: &'e dyn Embedder, run: &Run) -> Result<Box<dyn Prepared + 'e>> {
        match self {
            AnyTable::Dense(table) => embedder.prepare(Cow::Borrowed(table), run),
            AnyTable::Sparse(rows) => embedder.prepare_sparse(Cow::Borrowed(rows), run),
        }
    }

    /// All that the embedder makes of these rows.
    pub(crate) fn embedded(&self, embedder: &dyn Embedder, run: &Run) -> Result<Embedded> {
        match self {
            AnyTable::Dense(table) => embedder.embed_in_full(table, run),
            AnyTable::Sparse(_) => self.ready(embedder, run)?.embed(None, run),
        }
    }

    /// Rows and columns.
    pub(crate) fn dim(&self) -> (usize, usize) {
        match self {
            AnyTable::Dense(table) => table.dim(),
            AnyTable::Sparse(rows) => (rows.rows(), rows.columns()),
        }
    }

    /// A copy of some rows, in the order given.
    pub(crate) fn gather(&self, part: &[u32]) -> Result<OwnTable> {
        Ok(match self {
            AnyTable::Dense(table) => OwnTable::Dense(gather(table, part)?),
            AnyTable::Sparse(rows) => OwnTable::Sparse(rows.select(part)?),
        })
    }

    /// What `work` makes of the rows, once they are found to be finite.
    pub(crate) fn checked<T>(&self, work: impl FnOnce(AnyRows<'_>) -> Result<T>) -> Result<T> {
        match self {
            AnyTable::Dense(table) => work((&Rows::finite(table)?).into()),
            AnyTable::Sparse(rows) => work((*rows).into()),
        }
    }

    /// The same of rows that may have missing values.
    pub(crate) fn with_missing<T>(&self, work: impl FnOnce(AnyRows<'_>) -> Result<T>) -> Result<T> {
        match self {
            AnyTable::Dense(table) => work((&Rows::with_missing(table)?).into()),
            AnyTable::Sparse(rows) => work((*rows).into()),
        }
    }
}

impl OwnTable {
    pub(crate) fn lent(&self) -> AnyTable<'_> {
        match self {
            OwnTable::Dense(table) => AnyTable::Dense(table),
            OwnTable::Sparse(rows) => AnyTable::Sparse(rows),
        }
    }
}

/// Checked rows, dense or sparse.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AnyRows<'a> {
    Dense(&'a Rows<'a>),
    Sparse(&'a SparseRows),
}

impl<'a> From<&'a Rows<'_>> for AnyRows<'a> {
    fn from(rows: &'a Rows<'_>) -> Self {
        AnyRows::Dense(rows)
    }
}

impl<'a> From<&'a SparseRows> for AnyRows<'a> {
    fn from(rows: &'a SparseRows) -> Self {
        AnyRows::Sparse(rows)
    }
}

impl AnyRows<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            AnyRows::Dense(rows) => rows.len(),
            AnyRows::Sparse(rows) => rows.rows(),
        }
    }

    pub(crate) fn columns(&self) -> usize {
        match self {
            AnyRows::Dense(rows) => rows.columns(),
            AnyRows::Sparse(rows) => rows.columns(),
        }
    }

    pub(crate) fn canonical(&self) -> Canonical {
        match self {
            AnyRows::Dense(rows) => Canonical::of(*rows),
            AnyRows::Sparse(rows) => Canonical::of(*rows),
        }
    }

    /// What `work` makes of a copy of some rows, all of which must be rows of the table.
    pub(crate) fn picked<T>(&self, pick: &[u32], work: impl FnOnce(AnyRows<'_>) -> T) -> T {
        match self {
            AnyRows::Dense(rows) => work((&rows.picked(pick)).into()),
            AnyRows::Sparse(rows) => work((&rows.picked(pick)).into()),
        }
    }

    /// A number that stands for a row's content.
    #[cfg(feature = "serde")]
    pub(crate) fn hash(&self, i: usize) -> u64 {
        match self {
            AnyRows::Dense(rows) => rows.hash(i),
            AnyRows::Sparse(rows) => rows.hash(i),
        }
    }

    /// Whether two rows are equal.
    pub(crate) fn same(&self, i: usize, j: usize) -> bool {
        match self {
            AnyRows::Dense(rows) => rows.row(i) == rows.row(j),
            AnyRows::Sparse(rows) => rows.row(i) == rows.row(j),
        }
    }

    /// All values but, of sparse rows, zeros.
    pub(crate) fn values(&self) -> &[f32] {
        match self {
            AnyRows::Dense(rows) => rows.data(),
            AnyRows::Sparse(rows) => rows.values(),
        }
    }

    /// Row and column of a value, by its place among [`values`](AnyRows::values).
    pub(crate) fn place(&self, at: usize) -> (usize, usize) {
        match self {
            AnyRows::Dense(rows) => (at / rows.columns().max(1), at % rows.columns().max(1)),
            AnyRows::Sparse(rows) => rows.place(at),
        }
    }
}
