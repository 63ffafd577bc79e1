//! Gradient-boosted trees.
