//! No reduction at all: rows as they are.

use crate::core::Rows;
use crate::{Embedder, Result, Run};
use ndarray::{Array2, ArrayRef2};

/// Hands rows on as they are, for clusterers that need no map: few columns, or a comparison without one.
///
/// # Errors
/// [`Error::Empty`](crate::Error::Empty); [`Error::NotFinite`](crate::Error::NotFinite);
/// [`Error::Cancelled`](crate::Error::Cancelled).
///
/// ```
/// use recluster::{Embedder, Run, embed::Identity};
/// let rows = ndarray::array![[0.0f32, 1.0], [2.0, 3.0]];
/// assert_eq!(Identity.embed(&rows, &Run::new())?, rows);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Identity;

impl Embedder for Identity {
    fn embed(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
        run.stage("identity", 1).step(1)?;
        Rows::finite(rows)?;
        Ok(rows.to_owned())
    }
}
