//! Evidence: whether the clusters found at a node are separate, or parts of one cloud.
//!
//! A clusterer finds clusters in noise, and a classifier learns any cut through a cloud, so neither proves anything. What
//! can be tested is the boundary: between separate groups it is emptier than a boundary drawn through the middle of
//! either. [`HeldOut`] does so at each node, on rows that had no part in finding the clusters, and is a
//! [`Judge`](crate::recursive::Judge). [`LatentClasses`] reassigns rows along the boundaries that are kept: in a table, all of a
//! row's answers may say better than its neighbours where it belongs.

mod boundary;
mod classes;
mod discriminant;
mod held_out;
mod trial;

pub use classes::LatentClasses;
pub use held_out::{HeldOut, Policy};
