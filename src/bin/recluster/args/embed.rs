//! Arguments of `embed`.

use super::common::{Common, metric};
use clap::{Args, ValueEnum};
use recluster::neighbors::Metric;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EmbedMethod {
    Umap,
    Pca,
    /// Multiplies rows by a random matrix
    RandomProjection,
    /// Rows as they are
    Identity,
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
