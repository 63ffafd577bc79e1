//! Arguments of `cluster`, and the settings of clustering methods.

use super::common::{Common, at_least_one, metric};
use clap::{Args, ValueEnum};
use recluster::neighbors::Metric;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClusterMethod {
    Hdbscan,
    Genie,
    /// Gaussian mixture
    Gmm,
    Kmeans,
    Dbscan,
    Agglomerative,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CovarianceName {
    Full,
    Tied,
    Diagonal,
    Spherical,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LinkageName {
    Ward,
    Average,
    Complete,
    Single,
}

/// Settings of the clustering methods, each with the methods that have it.
#[derive(Debug, Args)]
pub(crate) struct Method {
    /// Genie, gmm, k-means, agglomerative: number of clusters
    #[arg(long, value_name = "K", value_parser = at_least_one)]
    pub(crate) clusters: Option<usize>,
    /// Gmm: as many clusters up to this as give the lowest BIC, instead of --clusters
    #[arg(long, value_name = "K", value_parser = at_least_one, conflicts_with = "clusters")]
    pub(crate) clusters_up_to: Option<usize>,
    /// HDBSCAN, Genie: neighbours of a row's core distance, the row itself not counted [default: as --min-cluster-size; in
    /// "fit" 10; Genie 1]. DBSCAN: rows within --epsilon, the row itself counted [default: 5]
    #[arg(long, value_name = "N")]
    pub(crate) min_samples: Option<usize>,
    /// HDBSCAN: do not split clusters below this distance [default: 0]. DBSCAN: largest distance of a neighbour
    #[arg(long, value_name = "X")]
    pub(crate) epsilon: Option<f64>,
    /// Genie: threshold of the Gini index of cluster sizes, 0 to 1 [default: 0.3]
    #[arg(long, value_name = "X")]
    pub(crate) gini: Option<f64>,
    /// Genie: mark rows at the fringe as noise
    #[arg(long)]
    pub(crate) fringe_noise: bool,
    /// Gmm: kind of covariance [default: full]
    #[arg(long, value_enum)]
    pub(crate) covariance: Option<CovarianceName>,
    /// Agglomerative: linkage [default: ward]
    #[arg(long, value_enum)]
    pub(crate) linkage: Option<LinkageName>,
    /// Agglomerative: do not merge clusters at this distance or farther, instead of --clusters
    #[arg(long, value_name = "X", conflicts_with = "clusters")]
    pub(crate) distance: Option<f64>,
    /// Gmm, k-means: number of initialisations [default: 1; k-means 3]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) restarts: Option<usize>,
    /// Gmm, k-means: initial centres, clusters x columns, instead of random ones
    #[arg(long, value_name = "FILE", conflicts_with = "restarts")]
    pub(crate) start: Option<String>,
    /// K-means: train on random batches of this many rows, for very many rows
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) mini_batch: Option<usize>,
    /// HDBSCAN, Genie, DBSCAN, agglomerative but for ward: euclidean, manhattan, chebyshev, cosine or correlation
    /// [default: euclidean]
    #[arg(long, value_parser = metric)]
    pub(crate) metric: Option<Metric>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Selection {
    /// The clusters that persist the most
    Eom,
    /// The finest clusters
    Leaf,
}

#[derive(Debug, Args)]
pub(crate) struct Cluster {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Where the labels go: .npy, i32, -1 for noise
    #[arg(long, value_name = "FILE")]
    pub(crate) out: String,
    #[arg(long, value_enum, default_value = "hdbscan")]
    pub(crate) method: ClusterMethod,
    /// HDBSCAN: minimal number of rows of a cluster [default: 5]
    #[arg(long, value_name = "N")]
    pub(crate) min_cluster_size: Option<usize>,
    #[command(flatten)]
    pub(crate) settings: Method,
    /// HDBSCAN: how clusters are selected from the tree [default: eom]
    #[arg(long, value_enum)]
    pub(crate) selection: Option<Selection>,
    /// HDBSCAN: allow a single cluster
    #[arg(long)]
    pub(crate) allow_single_cluster: bool,
    /// HDBSCAN: allow a single cluster, and weigh it so against the clusters inside: 1 as --allow-single-cluster does, less to
    /// find more clusters
    #[arg(long, value_name = "X", conflicts_with = "allow_single_cluster")]
    pub(crate) single_cluster_weight: Option<f64>,
    /// HDBSCAN, gmm: membership of each row in its cluster, .npy, f64
    #[arg(long, value_name = "FILE")]
    pub(crate) probabilities_out: Option<String>,
    /// HDBSCAN: outlier score of each row, .npy, f64
    #[arg(long, value_name = "FILE")]
    pub(crate) outlier_scores_out: Option<String>,
    /// HDBSCAN: undo splits with a side of less persistence than this in density (1 / distance) [default: 0]
    #[arg(long, value_name = "X")]
    pub(crate) min_persistence: Option<f64>,
    /// HDBSCAN: noise joins the cluster that it is connected with in the spanning tree, over distances up to this many
    /// times the cluster's largest core distance [default: 0, none]
    #[arg(long, value_name = "X")]
    pub(crate) reach: Option<f64>,
    /// HDBSCAN: where more than this share of the rows would be noise, --min-cluster-size is halved, up to three times, as
    /// long as that leaves less noise [default: 1, never]
    #[arg(long, value_name = "SHARE")]
    pub(crate) max_noise: Option<f64>,
    /// HDBSCAN: weight of each row, as if repeated: one number a row, .npy or .csv of one column
    #[arg(long, value_name = "FILE")]
    pub(crate) weights: Option<String>,
    /// HDBSCAN: the spanning tree, .npy, f64, (rows - 1) x (a, b, weight)
    #[arg(long, value_name = "FILE")]
    pub(crate) tree_out: Option<String>,
    /// HDBSCAN: the condensed tree as a picture, .svg
    #[arg(long, value_name = "FILE")]
    pub(crate) tree_svg: Option<String>,
    /// HDBSCAN: the 200 largest clusters of the condensed tree as text
    #[arg(long, value_name = "FILE")]
    pub(crate) tree_text: Option<String>,
    /// HDBSCAN: the clusterings over all minimal cluster sizes, .csv; "peak" marks the sizes to try
    #[arg(long, value_name = "FILE")]
    pub(crate) layers_out: Option<String>,
    /// HDBSCAN, gmm: soft memberships in all clusters, .npy, f64, rows x clusters
    #[arg(long, value_name = "FILE")]
    pub(crate) memberships_out: Option<String>,
    /// The whole model as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) model_out: Option<String>,
    /// New rows, to be assigned to the clusters of the fit
    #[arg(long, value_name = "FILE", requires = "new_out")]
    pub(crate) new: Option<String>,
    /// Where their labels go: .npy, i32, -1 for noise
    #[arg(long, value_name = "FILE", requires = "new")]
    pub(crate) new_out: Option<String>,
    /// HDBSCAN: also compute density-based validity (DBCV), in time quadratic in the rows
    #[arg(long)]
    pub(crate) validity: bool,
}
