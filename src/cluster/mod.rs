//! Clusterers.
