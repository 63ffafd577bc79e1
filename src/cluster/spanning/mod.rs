//! The exact minimum spanning tree of mutual reachability.
//!
//! [`build`] chooses the way: in few columns a k-d tree ([`kdtree`], [`nearest`]) and Boruvka's rounds over it
//! ([`boruvka`]), in more columns [`wide`], and of given distances [`precomputed`].

mod boruvka;
mod build;
mod kdtree;
mod nearest;
mod norm;
pub(super) mod precomputed;
mod rough_kbest;
mod wide;

pub(super) use build::{Asked, Groups, distance, prepared, spanning_tree};
pub use build::{Merge, SpanningTree};
pub(super) use kdtree::larger;
pub(super) use nearest::ONE;
pub(super) use norm::Norm;
pub(super) use wide::{Blocks, Exact, Lens, Nearest, Seek, Side, search};
