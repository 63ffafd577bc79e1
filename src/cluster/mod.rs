//! Clusterers: HDBSCAN, and what it is compared with: Genie, DBSCAN, agglomerative linkages, Gaussian mixtures, k-means.
//!
//! All are functions of the set of rows: row order and threads change nothing, and random starts depend on the run's
//! seed alone. Anything else that groups rows plugs in through [`Clusterer`](crate::Clusterer).
//!
//! Dependence runs one way: `spanning` finds the minimum spanning tree; `hdbscan` makes its hierarchy and clusters of it;
//! `linkage` and `dbscan` cut it otherwise, from rows or from a model of HDBSCAN (`tree_fit`). `mixture` starts from
//! `kmeans`; these two need none of the others. `consensus` works on labels alone.

mod consensus;
mod dbscan;
mod hdbscan;
mod kmeans;
mod linkage;
mod mixture;
mod spanning;
mod tree_fit;

pub(crate) use consensus::found_again;
pub use consensus::{ABSENT, Consensus};
pub use dbscan::{Dbscan, DbscanModel};
#[cfg(feature = "report")]
pub(crate) use hdbscan::Shown;
pub use hdbscan::{
    CondensedCluster, CondensedTree, Hdbscan, HdbscanModel, HdbscanPredictor, Layer, Prediction, Selection,
    TopMemberships,
};
pub use kmeans::{KMeans, KMeansModel};
pub use linkage::{
    Agglomerative, AgglomerativeModel, Dendrogram, Genie, GenieModel, GraphDegree, Linkage, StableParts,
};
pub use mixture::{Covariance, GaussianMixture, GaussianMixtureModel};
pub use spanning::{Merge, SpanningTree};
