//! Embeddings of sparse rows that share nothing, and what stands for sparse rows where dense ones are needed.

use super::pca;
use crate::core::random::Stream;
use crate::core::{Canonical, SparseRows, once};
use crate::{Embedded, Prepared, Result, Run};
use ndarray::{Array2, ArrayView2};
use std::borrow::Cow;
use std::sync::OnceLock;

/// Principal components that stand for sparse rows; a judge looks at 30 of them.
const LEADING: usize = 40;
/// Power iterations towards them.
const POWER: usize = 2;
/// Draws do not follow the seed, so that rows look alike under every seed.
const PURPOSE: u64 = 0x6c65_6164;

/// The leading principal components of sparse rows, n x at most 40; rows of so few columns themselves. `order` is canonical.
pub(super) fn leading(rows: &SparseRows, order: &[u32]) -> Array2<f32> {
    let all: Vec<u32> = (0..rows.rows() as u32).collect();
    if rows.columns() <= LEADING {
        return rows.dense(&all);
    }
    let draws = Stream::new(0, PURPOSE);
    // Squares of f32 add up in f64, and nothing here can be cancelled.
    let found = pca::leading(rows, order, LEADING, POWER, draws, &|| Ok(()));
    match found.map(|model| (model.scores_sparse(rows), model.components().nrows())) {
        Ok((scores, width)) => Array2::from_shape_fn((rows.rows(), width), |(i, j)| {
            (scores[i * width + j] as f32).clamp(f32::MIN, f32::MAX)
        }),
        Err(_) => Array2::zeros((rows.rows(), 1)),
    }
}

/// An embedder with sparse rows, of which each embedding is made anew by `embed`.
pub(super) struct SparseAnew<'a, F> {
    embed: F,
    rows: Cow<'a, SparseRows>,
    dense: OnceLock<Array2<f32>>,
}

impl<'a, F> SparseAnew<'a, F>
where
    F: Fn(&SparseRows, &Run) -> Result<Array2<f32>> + Send + Sync,
{
    pub(super) fn new(rows: Cow<'a, SparseRows>, embed: F) -> Self {
        SparseAnew { embed, rows, dense: OnceLock::new() }
    }
}

impl<F: Fn(&SparseRows, &Run) -> Result<Array2<f32>> + Send + Sync> Prepared for SparseAnew<'_, F> {
    fn embed(&self, part: Option<&[u32]>, run: &Run) -> Result<Embedded> {
        let embedding = match part {
            None => (self.embed)(&self.rows, run)?,
            Some(part) => (self.embed)(&self.rows.select(part)?, run).map_err(|error| error.of_part(part))?,
        };
        Ok(Embedded { embedding, map: None, notes: Vec::new() })
    }

    /// Their leading principal components.
    fn rows(&self) -> ArrayView2<'_, f32> {
        once(&self.dense, || leading(&self.rows, &Canonical::of(&*self.rows).order)).view()
    }
}
