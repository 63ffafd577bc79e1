//! Clusterers: HDBSCAN and, to compare with, k-means.
//!
//! Both are exact functions of the set of rows: row order and threads change nothing, and k-means' random start depends
//! on the run's seed alone. Anything else that groups rows plugs in through [`Clusterer`](crate::Clusterer).

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
