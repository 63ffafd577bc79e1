//! Embedders: UMAP, principal components, random projection, rows as they are, and wrappers that
//! scale columns, or bring a table's questions into one space, first.

mod identity;
mod pca;
mod questions;
mod random_projection;
mod scaled;
mod sparse;
mod umap;

pub use identity::Identity;
pub use pca::{Pca, PcaModel, Solver};
pub use questions::Questions;
pub use random_projection::{RandomProjection, RandomProjectionModel};
pub use scaled::{Scaled, Scaling};
pub use umap::{Densmap, Given, GraphFacts, Init, Start, Target, Umap, UmapGraph, UmapModel};

use crate::{Error, Result};
use ndarray::Array2;

/// Coordinates that were summed in f64, as a table of f32, if they fit.
fn narrow(method: &'static str, all: Vec<f32>, rows: usize, columns: usize) -> Result<Array2<f32>> {
    let reason = "a coordinate is beyond the range of f32; divide the columns by some constant";
    if all.iter().any(|x| !x.is_finite()) {
        return Err(Error::Unsolved { method, reason });
    }
    Array2::from_shape_vec((rows, columns), all).map_err(|_| Error::Unsolved { method, reason })
}
