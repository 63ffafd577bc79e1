//! Clusterers: HDBSCAN and, to compare with, k-means.
//!
//! Both are exact functions of the set of rows: row order and threads change nothing, and k-means' random start depends
//! on the run's seed alone. Anything else that groups rows plugs in through [`Clusterer`](crate::Clusterer).

mod boruvka;
mod condense;
mod crowd;
mod draw;
mod hdbscan;
mod hierarchy;
mod kdtree;
mod kmeans;
mod layers;
mod members;
mod model;
mod near;
mod norm;
mod precomputed;
mod predict;
mod search;
mod select;
mod spanning;
mod tiles;
mod wide;

pub use condense::{CondensedCluster, CondensedTree};
pub use hdbscan::Hdbscan;
pub use kmeans::{KMeans, KMeansModel};
pub use layers::Layer;
pub use members::TopMemberships;
pub use model::HdbscanModel;
pub use predict::Prediction;
pub use select::Selection;
pub use spanning::{Merge, SpanningTree};
