//! Embedders and neighbours, against umap-learn and scikit-learn.

mod embedders;
mod neighbors;
mod umap;
