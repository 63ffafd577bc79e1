//! Clusterers: HDBSCAN and, to compare with, k-means.

mod boruvka;
mod condense;
mod hdbscan;
mod hierarchy;
mod kdtree;
mod kmeans;
mod prim;
mod select;
mod spanning;

pub use condense::{CondensedCluster, CondensedTree};
pub use hdbscan::{Hdbscan, HdbscanModel};
pub use kmeans::{KMeans, KMeansModel};
pub use select::Selection;
pub use spanning::SpanningTree;
