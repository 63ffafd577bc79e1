//! The recursive tree.
