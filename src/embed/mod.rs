//! Embedders.
