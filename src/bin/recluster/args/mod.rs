//! The arguments.

mod cluster;
mod common;
mod config;
mod embed;
mod fit;
mod model;

pub(crate) use cluster::{Cluster, ClusterMethod, CovarianceName, LinkageName, Method, Selection};
pub(crate) use common::{Common, value_name};
pub(crate) use config::parse;
pub(crate) use embed::{Embed, EmbedMethod};
pub(crate) use fit::{EvidencePolicy, Fit, Kinds, Table};
pub(crate) use model::{Boost, Compare, Predict, Report, Shap};

use clap::{Parser, Subcommand};

/// Recursive embedding and clustering, with explanations.
///
/// Data is a file: .npy (rows x columns), .csv (a header line, numeric columns, an empty cell for a missing value), IDX
/// or IDX gzip; or the word "digits" for 1,797 built-in handwritten digits. For fit, predict and shap, also .csv and .tsv with
/// words, dates and truth values, and Parquet. For embed, boost, fit and predict, also sparse rows, which are never made
/// dense as a whole: Matrix Market coordinates, and svmlight files (.svm, .libsvm, .svmlight). Where two files, or a file and a model, name
/// their columns, these are matched by name, in any order. Progress goes to stderr; stdout gets one JSON object, in which
/// "seconds" has the duration of each stage; of kinds and text, the file that they make. Exit status: 0; 1 for bad data, with the reason in one line; 2 for bad
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
    Cluster(Box<Cluster>),
    /// Train boosted trees, one booster for each label against all others
    Boost(Boost),
    /// Explain a model's outputs for each row by exact SHAP values
    Shap(Shap),
    /// The whole method: embed, cluster, zoom into each cluster, explain, report
    Fit(Box<Fit>),
    /// Print what the columns of a text or Parquet file are taken for, as a file to edit and give to "fit --kinds"
    Kinds(Kinds),
    /// Put new rows into the clusters of a fit, without embedding or clustering
    Predict(Predict),
    /// Make the report of a fit again after its clusters were named
    Report(Report),
    /// Print the report's texts in English, as a file to translate and give to "fit --text" or "report --text"
    Text,
    /// Which cluster became which: two trees of the same rows, or two assignments
    Compare(Compare),
}
