//! Arguments of `fit`.

use super::cluster::{ClusterMethod, Method};
use super::common::{Common, at_least_one, metric};
use super::embed::EmbedMethod;
use clap::{Args, ValueEnum};
use recluster::embed::Scaling;
use recluster::neighbors::Metric;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EvidencePolicy {
    Require,
    Mark,
    Off,
}

/// What the columns of a text or Parquet file are; what is not said is inferred.
#[derive(Debug, Args)]
pub(crate) struct Table {
    /// Columns that name the rows: they stand beside them in assignments.csv and make no clusters
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    pub(crate) id: Vec<String>,
    /// Columns to leave out
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    pub(crate) drop: Vec<String>,
    /// Outside variables, which make no clusters: the report shows them for each. Columns of the data, or text or Parquet files
    /// of them, which are joined by the column of --id that they share, else row by row
    #[arg(long, value_name = "COLUMN|FILE,..", value_delimiter = ',')]
    pub(crate) profile: Vec<String>,
    /// A column of numbers above 0: how many rows of the population each row stands for. The clusters, for HDBSCAN, and the
    /// model count rows by it
    #[arg(long, value_name = "COLUMN")]
    pub(crate) weight: Option<String>,
    /// A column of known classes, for evaluation only: as --labels
    #[arg(long, value_name = "COLUMN", conflicts_with = "labels")]
    pub(crate) label: Option<String>,
    /// Corrections of what is inferred, in TOML: see "recluster kinds"
    #[arg(long, value_name = "FILE")]
    pub(crate) kinds: Option<String>,
}

impl Table {
    /// The flags that are given, for files whose columns have no kinds.
    pub(crate) fn given(&self) -> [(&'static str, bool); 6] {
        [
            ("--id", !self.id.is_empty()),
            ("--drop", !self.drop.is_empty()),
            ("--profile", !self.profile.is_empty()),
            ("--weight", self.weight.is_some()),
            ("--label", self.label.is_some()),
            ("--kinds", self.kinds.is_some()),
        ]
    }
}

/// Prints what was inferred.
#[derive(Debug, Args)]
pub(crate) struct Kinds {
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct Fit {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The folder that gets report.html, tree.json, assignments.csv and model.json
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: String,
    /// Flags of this command in TOML, such as depth = 3 or id = ["customer"]; those of the command line come first
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<String>,
    /// [default: umap; identity where the table is one to three columns of numbers, unless a flag of UMAP is given]
    #[arg(long, value_enum)]
    pub(crate) embedder: Option<EmbedMethod>,
    #[arg(long, value_enum, default_value = "hdbscan")]
    pub(crate) clusterer: ClusterMethod,
    /// Levels that are embedded and clustered, all rows being the first: 2 zooms into each cluster once
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) depth: usize,
    /// HDBSCAN: the least share of a node's rows that makes a cluster [default: 0.05]
    #[arg(long, value_name = "SHARE")]
    pub(crate) min_cluster_share: Option<f64>,
    /// HDBSCAN: where more than this share of a node's rows would be noise, --min-cluster-share is halved, up to three times,
    /// as long as that leaves less noise; 1 for never [default: 0.1, below the first level 0.2]
    #[arg(long, value_name = "SHARE")]
    pub(crate) max_noise: Option<f64>,
    /// HDBSCAN, below the root: weight of leaving a node whole against the clusters inside. The higher, the wider a gap has
    /// to be before a node is split; 0 splits whatever can be split [default: 0.3]
    #[arg(long, value_name = "X")]
    pub(crate) single_cluster_weight: Option<f64>,
    /// HDBSCAN: noise joins the cluster that it is connected with in the spanning tree, over distances up to this many
    /// times the cluster's largest core distance [default: 2, in embeddings by UMAP 0]
    #[arg(long, value_name = "X")]
    pub(crate) reach: Option<f64>,
    /// Evidence that clusters are separate, on held-out rows: "require" joins siblings that are not separated and refuses
    /// splits of one cloud, "mark" keeps all clusters and says which are separated, "off" does not test [default: require
    /// for tables, mark for those of up to three columns that are numbers, and for arrays]
    #[arg(long, value_enum)]
    pub(crate) evidence: Option<EvidencePolicy>,
    /// The level of the tests of evidence, for the whole tree [default: 0.05]
    #[arg(long, value_name = "P")]
    pub(crate) alpha: Option<f64>,
    /// Runs under other seeds that the clusters of each node are the consensus of; 1 for a single run [default: 10 in nodes of
    /// up to 30,000 rows, 1 in others]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) consensus: Option<usize>,
    /// Runs on 80 % of a node's rows that say how stable each cluster is [default: those of --consensus]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) stability: Option<usize>,
    /// Below the first level, a node stays whole where its clusters are less stable than this (mean Jaccard index, each cluster
    /// counting by its rows; 0.6 leaves out what is doubtful). By the runs of --stability, else 10 in nodes of up to 30,000 rows
    #[arg(long, value_name = "INDEX", default_value_t = 0.0)]
    pub(crate) min_stability: f64,
    /// Leaves of at least this share of all rows and at most 5,000 rows are looked at once more, at neighbours in all columns
    /// instead of an embedding: parts that many runs agree on become clusters, if they have a tenth of the leaf (or
    /// --min-cluster-share, where that is more); 1 for no second look [default: 0.125 with umap and hdbscan on dense rows, unless
    /// evidence is required; else 1]
    #[arg(long, value_name = "SHARE")]
    pub(crate) second_look: Option<f64>,
    /// A cluster below this share of all rows is not zoomed into
    #[arg(long, value_name = "SHARE", default_value_t = 0.05)]
    pub(crate) min_node_share: f64,
    /// Clusters of fewer rows become noise of the node above: for clusterers without a least size of their own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_one)]
    pub(crate) min_child_rows: usize,
    #[command(flatten)]
    pub(crate) settings: Method,
    /// UMAP's number of neighbours, the row itself included [default: 15]
    #[arg(long, value_name = "N")]
    pub(crate) neighbors: Option<usize>,
    /// UMAP's minimal distance of embedded rows [default: 0]
    #[arg(long, value_name = "X")]
    pub(crate) min_dist: Option<f64>,
    /// UMAP's distance of rows: cosine and hellinger are for counts, and see "embed --metric" [default: euclidean]
    #[arg(long, value_name = "METRIC", value_parser = metric)]
    pub(crate) umap_metric: Option<Metric>,
    /// Columns of each embedding [default: 2]
    #[arg(long, value_name = "N")]
    pub(crate) components: Option<usize>,
    /// Trees of each cluster's booster, in the model that explains the clusters and assigns new rows
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) rounds: usize,
    /// Shuffled rows that this model is trained against, as a share of the rows: with 0.25 it turns away more strangers (predict
    /// --abstain), but explains the clusters less plainly
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub(crate) shuffled_rows: f64,
    /// Made-up rows, as a share of the rows, of a second model that only says which rows to turn away (predict --abstain): with
    /// 0.25 it turns away far more strangers, and explains the clusters as before; 0 for none
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub(crate) guard_rows: f64,
    /// Maximal depth of such a tree
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) max_depth: usize,
    /// Most passes over the leaf values of such trees once they stand, each given all others; as many are made as give the
    /// lowest log-loss on rows that were left out
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) refit: usize,
    /// Resamples over which it is counted how often a rule comes back; none with 0 [default: 10]
    #[arg(long, value_name = "N")]
    pub(crate) resamples: Option<usize>,
    /// Adds to the JSON how well models that have not seen a row tell its cluster: for each cluster and level, and among the
    /// children of each node
    #[arg(long)]
    pub(crate) fidelity: bool,
    /// Scaling of columns, in each node anew: none, standard or robust. All columns are then taken for numbers; without it,
    /// those of a text or Parquet file are compared as questions, each by its kind, and other files are not scaled
    #[arg(long, value_parser = scaling)]
    pub(crate) scale: Option<Scaling>,
    #[command(flatten)]
    pub(crate) table: Table,
    /// Known classes, for evaluation only: adds best_node_f and ari to the JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<String>,
    /// A folder that gets the model for XGBoost: clusters.json of all clusters, a file for each, and columns.json
    #[arg(long, value_name = "FOLDER")]
    pub(crate) xgboost_out: Option<String>,
    /// The report says how long the stages took, so that two fits no longer write the same file; the JSON always has it
    #[arg(long)]
    pub(crate) timings: bool,
    /// Size of the image in each row, for the report, where the file does not contain it
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = image)]
    pub(crate) image: Option<(usize, usize)>,
    /// Rows that a node's clusters leave out are embedded and clustered once more, as a group of their own
    #[arg(long)]
    pub(crate) noise_again: bool,
    /// Go on from where a fit of the same data and settings was interrupted. Each finished node is kept in FOLDER.partial,
    /// which is removed at the end; without this flag nothing is kept, so give it from the start
    #[arg(long)]
    pub(crate) resume: bool,
    /// The report's title
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// The report's texts in another language: a translation of what "recluster text" prints, or of a part of it
    #[arg(long, value_name = "FILE")]
    pub(crate) text: Option<String>,
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
