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
    /// PCA: scale all components to unit variance
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
    /// UMAP's number of neighbours, the row itself included [default: 15]
    #[arg(long, value_name = "N")]
    pub(crate) neighbors: Option<usize>,
    /// UMAP's minimal distance of embedded rows [default: 0.1]
    #[arg(long, value_name = "X")]
    pub(crate) min_dist: Option<f64>,
    /// euclidean, manhattan, chebyshev, cosine, correlation, squared_euclidean, canberra, bray_curtis, hamming, jaccard or
    /// hellinger; for UMAP [default: euclidean]
    #[arg(long, value_parser = metric)]
    pub(crate) metric: Option<Metric>,
    /// Epochs of UMAP's optimisation [default: 3,000,000 / rows, within 200 (300 for --min-dist below 0.05) to 2,000]
    #[arg(long, value_name = "N")]
    pub(crate) epochs: Option<usize>,
    /// UMAP's initial layout: spectral, pca, random, or a file of rows x components [default: spectral]
    #[arg(long, value_name = "WORD|FILE")]
    pub(crate) init: Option<String>,
    /// The class of each row, for supervised UMAP: .npy, .csv of one column, IDX, or "digits"; -1 where it
    /// is unknown
    #[arg(long, value_name = "FILE")]
    pub(crate) target: Option<String>,
    /// Weight of the classes, 0 to 1 [default: 0.5]
    #[arg(long, value_name = "X", requires = "target")]
    pub(crate) target_weight: Option<f64>,
    /// densMAP: preserve local densities in UMAP's embedding
    #[arg(long)]
    pub(crate) densmap: bool,
    /// New rows, to be embedded by the fit
    #[arg(long, value_name = "FILE", requires = "new_out")]
    pub(crate) new: Option<String>,
    /// Where their embedding goes
    #[arg(long, value_name = "FILE", requires = "new")]
    pub(crate) new_out: Option<String>,
}
