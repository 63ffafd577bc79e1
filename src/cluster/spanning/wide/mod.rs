//! The spanning tree of rows of many columns, in which boxes of a k-d tree bound nothing.
//!
//! Few rows are measured all against all ([`dense`]). Of more, rows become [`vectors`] whose [`blocks`] are bounded by
//! products in f32: core distances come from [`mod@search`], the tree from [`all_pairs`].

pub(super) mod all_pairs;
mod block_pairs;
mod blocks;
pub(super) mod dense;
mod exact;
mod kruskal;
mod leaf_order;
mod ranks;
pub(super) mod search;
mod vectors;

pub(crate) use blocks::Blocks;
pub(crate) use exact::Exact;
pub(crate) use search::{Nearest, Seek, Side, search};
pub(crate) use vectors::VectorSpace;
