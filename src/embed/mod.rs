//! Embedders: UMAP, principal components, and a wrapper that scales columns first.

mod pca;
mod scaled;
mod umap;

pub use pca::{Pca, PcaModel};
pub use scaled::{Scaled, Scaling};
pub use umap::{Densmap, Given, GraphFacts, Init, Start, Target, Umap, UmapModel};
