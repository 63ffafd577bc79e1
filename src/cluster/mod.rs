//! Clusterers: HDBSCAN, and what it is compared with: Genie, DBSCAN, agglomerative linkages, Gaussian mixtures, k-means.
//!
//! All are functions of the set of rows: row order and threads change nothing, and random starts depend on the run's
//! seed alone. Anything else that groups rows plugs in through [`Clusterer`](crate::Clusterer).

mod agglomerative;
mod boruvka;
mod chain;
mod condense;
mod crowd;
mod dbscan;
mod dendrogram;
mod dense;
mod draw;
mod genie;
mod genie_merge;
mod hdbscan;
mod hierarchy;
mod kdtree;
mod kmeans;
mod layers;
mod members;
mod mixture;
mod model;
mod near;
mod norm;
mod precomputed;
mod predict;
mod ranks;
mod search;
mod select;
mod spanning;
mod tiles;
mod tree_fit;
mod wide;

pub use agglomerative::{Agglomerative, AgglomerativeModel, Linkage};
pub use condense::{CondensedCluster, CondensedTree};
pub use dbscan::{Dbscan, DbscanModel};
pub use dendrogram::Dendrogram;
pub use genie::{Genie, GenieModel};
pub use hdbscan::Hdbscan;
pub use kmeans::{KMeans, KMeansModel};
pub use layers::Layer;
pub use members::TopMemberships;
pub use mixture::{Covariance, GaussianMixture, GaussianMixtureModel};
pub use model::HdbscanModel;
pub use predict::{HdbscanPredictor, Prediction};
pub use select::Selection;
pub use spanning::{Merge, SpanningTree};
