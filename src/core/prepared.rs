//! What embedders give, and embedders made ready for many embeddings of the same rows.

use super::{Embedder, Error, Result, Run};
use ndarray::{Array2, ArrayRef2, ArrayView2, Axis};
use std::borrow::Cow;

/// What [`Embedder::embed_in_full`] gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedded {
    /// The embedding to cluster, rows x components.
    pub embedding: Array2<f32>,
    /// A map for people to look at, rows x 2, where the embedding has more columns and the method can draw it better than
    /// by its first two.
    pub map: Option<Array2<f32>>,
    /// What a reader should know of it, a sentence each: what was approximated, and how well.
    pub notes: Vec<String>,
}

/// An embedder with its rows, ready to embed all of them or a part, any number of times; from [`Embedder::prepare`].
pub trait Prepared: Send + Sync {
    /// Embeds the rows numbered `part`, in that order and each at most once, or all rows.
    ///
    /// All rows under the run that the embedder was prepared with give what [`Embedder::embed_in_full`] gives.
    ///
    /// # Errors
    /// Those of [`Embedder::embed`], rows named by their numbers in the whole; [`Error::Setting`] for a number that is no
    /// row's.
    fn embed(&self, part: Option<&[u32]>, run: &Run) -> Result<Embedded>;

    /// All rows as the embedder compares them, which [`Scaled`](crate::embed::Scaled) does after scaling; of sparse rows some
    /// dense ones of few columns that keep their structure, such as the leading principal components.
    fn rows(&self) -> ArrayView2<'_, f32>;
}

/// Shares nothing: each embedding is made anew.
pub(super) struct Anew<'a, E: ?Sized> {
    pub(super) embedder: &'a E,
    pub(super) rows: Cow<'a, ArrayRef2<f32>>,
}

impl<E: Embedder + ?Sized> Prepared for Anew<'_, E> {
    fn rows(&self) -> ArrayView2<'_, f32> {
        self.rows.view()
    }

    fn embed(&self, part: Option<&[u32]>, run: &Run) -> Result<Embedded> {
        match part {
            None => self.embedder.embed_in_full(&self.rows, run),
            Some(part) => {
                let rows = gather(&self.rows, part)?;
                self.embedder.embed_in_full(&rows, run).map_err(|error| error.of_part(part))
            }
        }
    }
}

/// A copy of some rows, in the order given.
///
/// # Errors
/// [`Error::Setting`] for a number that is no row's.
pub(crate) fn gather(table: &ArrayRef2<f32>, part: &[u32]) -> Result<Array2<f32>> {
    if let Some(row) = part.iter().find(|&&row| row as usize >= table.nrows()) {
        return Err(Error::setting("part", format!("row {row}"), "must be a row of the table"));
    }
    let mut rows = Array2::zeros((part.len(), table.ncols()));
    for (mut to, &from) in rows.axis_iter_mut(Axis(0)).zip(part) {
        to.assign(&table.row(from as usize));
    }
    Ok(rows)
}
