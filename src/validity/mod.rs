//! How good a clustering or an embedding is.
