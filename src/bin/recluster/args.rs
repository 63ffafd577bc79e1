//! The arguments.

use clap::{Args, Parser, Subcommand, ValueEnum};
use recluster::embed::Scaling;
use recluster::neighbors::Metric;

/// Recursive embedding and clustering, with explanations.
///
/// Data is a file: .npy (rows x columns), .csv (a header line, numeric columns, an empty cell for a missing value), IDX
/// or IDX gzip; or the word "digits" for 1,797 built-in handwritten digits. Where two files, or a file and a model, name
/// their columns, these are matched by name, in any order. Progress goes to stderr; stdout gets one JSON object, in which
/// "seconds" says how long each stage took. Exit status: 0; 1 for bad data, with the reason in one line; 2 for bad
/// arguments.
#[derive(Debug, Parser)]
#[command(name = "recluster", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Reduce many columns to a few
    Embed(Embed),
    /// Group rows
    Cluster(Cluster),
    /// Train boosted trees, one booster for each label against all others
    Boost(Boost),
    /// Explain a model's outputs for each row by exact SHAP values
    Shap(Shap),
    /// The whole method: embed, cluster, zoom into each cluster, explain, report
    Fit(Fit),
    /// Put new rows into the clusters of a fit, without embedding or clustering
    Predict(Predict),
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The data: a file, or "digits"
    #[arg(long, value_name = "FILE")]
    pub(crate) data: String,
    /// Read only the first N rows of the data (and of its labels)
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) rows: Option<usize>,
    /// Threads; all by default. Results do not depend on it
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) threads: Option<usize>,
    /// Seed of all random choices
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EmbedMethod {
    Umap,
    Pca,
    /// Multiplies rows by a random matrix
    RandomProjection,
    /// Rows as they are
    Identity,
}

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

/// Settings of the clustering methods; each says which it is for, and is refused with any other.
#[derive(Debug, Args)]
pub(crate) struct Method {
    /// Genie, gmm, k-means, agglomerative: number of clusters
    #[arg(long, value_name = "K", value_parser = at_least_one)]
    pub(crate) clusters: Option<usize>,
    /// Gmm: as many clusters up to this as give the lowest BIC, instead of --clusters
    #[arg(long, value_name = "K", value_parser = at_least_one, conflicts_with = "clusters")]
    pub(crate) clusters_up_to: Option<usize>,
    /// HDBSCAN, Genie: neighbours that make a place dense, the row itself not counted [default: as --min-cluster-size; in
    /// "fit" 10; Genie 1]. DBSCAN: rows within --epsilon, the row itself counted [default: 5]
    #[arg(long, value_name = "N")]
    pub(crate) min_samples: Option<usize>,
    /// HDBSCAN: do not split clusters below this distance [default: 0]. DBSCAN: how far a neighbour may be
    #[arg(long, value_name = "X")]
    pub(crate) epsilon: Option<f64>,
    /// Genie: how unequal the clusters' sizes may become, 0 to 1 [default: 0.3]
    #[arg(long, value_name = "X")]
    pub(crate) gini: Option<f64>,
    /// Genie: leave rows at the fringe out as noise
    #[arg(long)]
    pub(crate) fringe_noise: bool,
    /// Gmm: the clusters' shapes [default: full]
    #[arg(long, value_enum)]
    pub(crate) covariance: Option<CovarianceName>,
    /// Agglomerative: how far two clusters are from each other [default: ward]
    #[arg(long, value_enum)]
    pub(crate) linkage: Option<LinkageName>,
    /// Agglomerative: keep apart what is at this distance or farther, instead of --clusters
    #[arg(long, value_name = "X", conflicts_with = "clusters")]
    pub(crate) distance: Option<f64>,
    /// Gmm, k-means: how often to start anew [default: 1; k-means 3]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) restarts: Option<usize>,
    /// Gmm, k-means: centres to start from, clusters x columns, instead of random ones
    #[arg(long, value_name = "FILE", conflicts_with = "restarts")]
    pub(crate) start: Option<String>,
    /// K-means: learn from random batches of this many rows, for very many rows
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
pub(crate) struct Embed {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Where the embedding goes: .npy, f32, rows x components
    #[arg(long, value_name = "FILE")]
    pub(crate) out: String,
    #[arg(long, value_enum, default_value = "umap")]
    pub(crate) method: EmbedMethod,
    /// Columns of the embedding [default: 2]
    #[arg(long, value_name = "N")]
    pub(crate) components: Option<usize>,
    /// PCA: brings all components to one scale
    #[arg(long)]
    pub(crate) whiten: bool,
    /// PCA: approximate, by this many multiplications with the covariance; exact where it can be by default
    #[arg(long, value_name = "N")]
    pub(crate) power_iterations: Option<usize>,
    /// Random projection: the share of the matrix that is not 0, such as 0.333 [default: all, normally distributed]
    #[arg(long, value_name = "SHARE")]
    pub(crate) density: Option<f64>,
    /// Random projection: as many columns as keep squared distances within this share of what they were
    #[arg(long, value_name = "SHARE", conflicts_with = "components")]
    pub(crate) eps: Option<f64>,
    /// Neighbours of each row that UMAP looks at, itself included [default: 15]
    #[arg(long, value_name = "N")]
    pub(crate) neighbors: Option<usize>,
    /// How close UMAP puts rows that are alike [default: 0.1]
    #[arg(long, value_name = "X")]
    pub(crate) min_dist: Option<f64>,
    /// euclidean, manhattan, chebyshev, cosine, correlation, squared_euclidean, canberra, bray_curtis, hamming or
    /// jaccard; for UMAP [default: euclidean]
    #[arg(long, value_parser = metric)]
    pub(crate) metric: Option<Metric>,
    /// Rounds of UMAP's layout [default: 3,000,000 / rows, within 200 (300 for --min-dist below 0.05) to 2,000]
    #[arg(long, value_name = "N")]
    pub(crate) epochs: Option<usize>,
    /// Where UMAP's layout starts: spectral, pca, random, or a file of rows x components [default: spectral]
    #[arg(long, value_name = "WORD|FILE")]
    pub(crate) init: Option<String>,
    /// The class of each row, by which UMAP draws rows together: .npy, .csv of one column, IDX, or "digits"; -1 where it
    /// is unknown
    #[arg(long, value_name = "FILE")]
    pub(crate) target: Option<String>,
    /// How much the classes count, 0 to 1 [default: 0.5]
    #[arg(long, value_name = "X", requires = "target")]
    pub(crate) target_weight: Option<f64>,
    /// Makes dense groups of rows dense in UMAP's picture too
    #[arg(long)]
    pub(crate) densmap: bool,
    /// Rows that were not in the fit, to be embedded with it
    #[arg(long, value_name = "FILE", requires = "new_out")]
    pub(crate) new: Option<String>,
    /// Where their embedding goes
    #[arg(long, value_name = "FILE", requires = "new")]
    pub(crate) new_out: Option<String>,
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
    /// HDBSCAN: the least rows of a cluster [default: 5]
    #[arg(long, value_name = "N")]
    pub(crate) min_cluster_size: Option<usize>,
    #[command(flatten)]
    pub(crate) settings: Method,
    /// HDBSCAN: which clusters of the tree to take [default: eom]
    #[arg(long, value_enum)]
    pub(crate) selection: Option<Selection>,
    /// HDBSCAN: one cluster is an answer too
    #[arg(long)]
    pub(crate) allow_single_cluster: bool,
    /// HDBSCAN, gmm: how strongly each row belongs to its cluster, .npy, f64
    #[arg(long, value_name = "FILE")]
    pub(crate) probabilities_out: Option<String>,
    /// HDBSCAN: how much of an outlier each row is, .npy, f64
    #[arg(long, value_name = "FILE")]
    pub(crate) outlier_scores_out: Option<String>,
    /// HDBSCAN: undo splits of which one side rises by less than this in density (1 / distance) [default: 0]
    #[arg(long, value_name = "X")]
    pub(crate) min_persistence: Option<f64>,
    /// HDBSCAN: how many rows each row stands for: one number a row, .npy or .csv of one column
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
    /// HDBSCAN: at which cluster sizes the data fall apart in which way, .csv; "peak" marks the sizes to try
    #[arg(long, value_name = "FILE")]
    pub(crate) layers_out: Option<String>,
    /// HDBSCAN, gmm: soft memberships in all clusters, .npy, f64, rows x clusters
    #[arg(long, value_name = "FILE")]
    pub(crate) memberships_out: Option<String>,
    /// The whole model as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) model_out: Option<String>,
    /// Rows that were not in the fit, to be put into its clusters
    #[arg(long, value_name = "FILE", requires = "new_out")]
    pub(crate) new: Option<String>,
    /// Where their labels go: .npy, i32, -1 for noise
    #[arg(long, value_name = "FILE", requires = "new")]
    pub(crate) new_out: Option<String>,
    /// HDBSCAN: also judge the clusters by density (DBCV), in time quadratic in the rows
    #[arg(long)]
    pub(crate) validity: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Boost {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The label of each row: .npy, .csv of one column, IDX, or "digits"; -1 leaves a row out
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: String,
    /// Where the model goes: JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) out: String,
    /// Trees of each booster
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) rounds: usize,
    /// Levels of a tree
    #[arg(long, value_name = "N", default_value_t = 6)]
    pub(crate) max_depth: usize,
    /// How much of each tree is taken
    #[arg(long, value_name = "X", default_value_t = 0.3)]
    pub(crate) learning_rate: f64,
    /// Most leaves of a tree; the split that saves the most loss comes first [default: no limit]
    #[arg(long, value_name = "N")]
    pub(crate) max_leaves: Option<usize>,
    /// Columns that hold categories, counted from 0: whole numbers, at most 256 different ones
    #[arg(long, value_name = "N,N,..", value_delimiter = ',')]
    pub(crate) categorical: Vec<usize>,
    /// How much each row counts: one number a row, .npy or .csv of one column
    #[arg(long, value_name = "FILE")]
    pub(crate) weights: Option<String>,
    /// Give each label's rows as much weight as all others
    #[arg(long)]
    pub(crate) balanced: bool,
    /// End a booster when N trees have not made it better on a fifth of the rows, which is held out
    #[arg(long, value_name = "N")]
    pub(crate) early_stopping: Option<usize>,
    /// Make the probabilities of a row one distribution over the labels, fitted by cross-fitting in three parts
    #[arg(long)]
    pub(crate) calibrated: bool,
    /// Rows to predict with the model
    #[arg(long, value_name = "FILE", requires = "new_out")]
    pub(crate) new: Option<String>,
    /// Where their probabilities go: .npy, f64, rows x labels, by ascending label
    #[arg(long, value_name = "FILE", requires = "new")]
    pub(crate) new_out: Option<String>,
    /// A folder that gets one XGBoost JSON file for each label: label_0.json and so on
    #[arg(long, value_name = "FOLDER")]
    pub(crate) xgboost_out: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Shap {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The model: JSON of "recluster boost", of "recluster fit", or of XGBoost
    #[arg(long, value_name = "FILE")]
    pub(crate) model: String,
    /// Where the values go: .npy, f64, rows x (features + 1) x outputs; the last feature slot is the base value
    #[arg(long, value_name = "FILE")]
    pub(crate) out: String,
    /// Write interaction values instead: rows x (features + 1) x (features + 1) x outputs
    #[arg(long)]
    pub(crate) interactions: bool,
    /// Explain against these rows (interventional values) instead of by the training rows' cover
    #[arg(long, value_name = "FILE", conflicts_with = "counts")]
    pub(crate) background: Option<String>,
    /// Weigh the sides of each split by how many of these rows go there, instead of by sums of second derivatives
    #[arg(long, value_name = "FILE")]
    pub(crate) counts: Option<String>,
    /// Where each feature's mean absolute value goes: .csv with feature, output, mean_absolute
    #[arg(long, value_name = "FILE")]
    pub(crate) importance_out: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Fit {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The folder that gets report.html, tree.json, assignments.csv and model.json
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: String,
    #[arg(long, value_enum, default_value = "umap")]
    pub(crate) embedder: EmbedMethod,
    #[arg(long, value_enum, default_value = "hdbscan")]
    pub(crate) clusterer: ClusterMethod,
    /// Levels that are embedded and clustered, all rows being the first: 2 zooms into each cluster once
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) depth: usize,
    /// HDBSCAN: the least share of a node's rows that makes a cluster [default: 0.05]
    #[arg(long, value_name = "SHARE")]
    pub(crate) min_cluster_share: Option<f64>,
    /// HDBSCAN, below the root: what all rows of a node together count against the clusters inside. The more, the wider a
    /// gap has to be before a cluster falls apart; 0 splits whatever can be split [default: 0.3]
    #[arg(long, value_name = "X")]
    pub(crate) single_cluster_weight: Option<f64>,
    /// A cluster below this share of all rows is not zoomed into
    #[arg(long, value_name = "SHARE", default_value_t = 0.05)]
    pub(crate) min_node_share: f64,
    #[command(flatten)]
    pub(crate) settings: Method,
    /// Neighbours of each row that UMAP looks at, itself included [default: 15]
    #[arg(long, value_name = "N")]
    pub(crate) neighbors: Option<usize>,
    /// How close UMAP puts rows that are alike [default: 0]
    #[arg(long, value_name = "X")]
    pub(crate) min_dist: Option<f64>,
    /// Columns of each embedding [default: 2]
    #[arg(long, value_name = "N")]
    pub(crate) components: Option<usize>,
    /// Trees of each cluster's booster, in the model that explains the clusters and assigns new rows
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) rounds: usize,
    /// Levels of such a tree
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) max_depth: usize,
    /// How columns are brought to one scale, in each node anew: none, standard or robust
    #[arg(long, value_parser = scaling, default_value = "none")]
    pub(crate) scale: Scaling,
    /// Known classes, for judging only: adds best_node_f and ari to the JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<String>,
    /// Says that each row is an image, for the report, where the file does not say it
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = image)]
    pub(crate) image: Option<(usize, usize)>,
    /// The report's title
    #[arg(long)]
    pub(crate) title: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Predict {
    #[command(flatten)]
    pub(crate) common: Common,
    /// model.json of "recluster fit"
    #[arg(long, value_name = "FILE")]
    pub(crate) model: String,
    /// Where the assignments go: .csv with row, assigned path, confidence
    #[arg(long, value_name = "FILE")]
    pub(crate) out: String,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".to_string()),
        Ok(number) => Ok(number),
        Err(_) => Err("must be a whole number of at least 1".to_string()),
    }
}

fn metric(text: &str) -> Result<Metric, String> {
    text.parse().map_err(|e: recluster::Error| e.to_string())
}

fn scaling(text: &str) -> Result<Scaling, String> {
    match text {
        "none" => Ok(Scaling::None),
        "standard" => Ok(Scaling::Standard),
        "robust" => Ok(Scaling::Robust),
        _ => Err("must be none, standard or robust".to_string()),
    }
}

fn image(text: &str) -> Result<(usize, usize), String> {
    let sides = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    sides.filter(|&(w, h): &(usize, usize)| w > 0 && h > 0).ok_or_else(|| "must look like 28x28".to_string())
}
