//! The exact minimum spanning tree of mutual reachability.
//!
//! [`build`] chooses the way: in few columns a k-d tree ([`kdtree`], [`nearest`]) and Boruvka's rounds over it
//! ([`boruvka`]), in more columns [`wide`]; of given distances see [`precomputed`].

mod boruvka;
mod build;
mod core_distance;
mod groups;
mod kbest;
mod kdtree;
mod kernels;
mod lightest;
mod metric;
mod nearest;
mod norm;
pub(super) mod precomputed;
mod rough_kbest;
mod sets;
mod tree;
mod wide;

pub(super) use build::spanning_tree;
pub(super) use core_distance::ONE;
pub(super) use groups::{Asked, Groups};
pub(super) use kdtree::larger;
pub(super) use metric::{check_metric, distance, in_space, metric_rows};
pub(super) use norm::Norm;
pub(super) use sets::Sets;
pub(super) use tree::merges;
pub use tree::{Merge, SpanningTree};
pub(super) use wide::{Blocks, Exact, Nearest, Seek, Side, VectorSpace, search};
