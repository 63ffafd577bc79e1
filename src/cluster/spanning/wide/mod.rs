//! The spanning tree of rows of many columns, in which boxes of a k-d tree bound nothing.
//!
//! Few rows are measured all against all ([`dense`]). Of more, blocks are bounded by products in f32 ([`blocks`]): core
//! distances come from [`mod@search`], the tree from [`all_pairs`].

pub(super) mod all_pairs;
pub(super) mod blocks;
pub(super) mod dense;
mod ranks;
pub(super) mod search;

pub(crate) use blocks::{Blocks, Exact, Lens};
pub(crate) use search::{Nearest, Seek, Side, search};
