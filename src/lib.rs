//! Recursive embedding and clustering, with explanations.
//!
//! A table of many columns goes in. UMAP makes it manageable, HDBSCAN finds the clusters that exist, and then the method
//! zooms: each cluster's original rows are embedded and clustered again. A boosted one-versus-rest model and exact SHAP
//! values say why each cluster is what it is, and assign new rows without UMAP or HDBSCAN.
//!
//! ```
//! use recluster::{Explainer, Run, Size, boost::Boost, cluster::Hdbscan, embed::Umap, recursive::RecursiveTree};
//!
//! # let data = ndarray::Array2::from_shape_fn((300, 6), |(i, j)| (i % 3 * 20) as f32 + ((i * 37 + j * 101) % 97) as f32 / 97.0);
//! let run = Run::new().seed(7);
//! let clusters = Hdbscan::new().min_cluster_size(Size::Share(0.05)).min_samples(10).single_cluster_weight(0.3);
//! let tree = RecursiveTree::new(Umap::new().min_dist(0.0), clusters).levels(2).fit(&data, &run)?;
//! for leaf in tree.leaves() {
//!     println!("{} {:.1} %", leaf.path(), 100.0 * leaf.share());
//! }
//! let surrogate = tree.surrogate(&data, &Boost::new().rounds(10), &run)?;
//! // (row, feature, leaf), base values apart, 8 bytes each: of a sample, or of all in blocks by `TreeShap::explain_blocks`
//! let why = surrogate.explain(&data.slice(ndarray::s![..100, ..]), &run)?;
//! let assigned = surrogate.assign(&data, &run)?; // no UMAP, no HDBSCAN
//! assert_eq!((why.values().dim().0, assigned.len()), (100, 300));
//! # Ok::<(), recluster::Error>(())
//! ```
//!
//! # In your Cargo.toml
//!
//! ```toml
//! [dependencies]
//! recluster = { path = "../recluster" }
//! ndarray = "0.17" # tables are arrays of this version, also found at `recluster::ndarray`
//!
//! [profile.dev.package."*"] # debug builds: this crate's own profile does not reach its dependents
//! opt-level = 3
//! debug = false
//! ```
//!
//! # The rooms
//!
//! One direction of dependence, from top to bottom; each room is usable alone.
//!
//! - `report` (feature): the HTML report. `testing` (feature): whether a plug-in of one's own keeps the promises.
//! - [`recursive`]: the tree of embeddings and clusterings, with paths and reasons to stop. [`evidence`]: whether a split is real.
//! - [`explain`]: exact SHAP values, the surrogate. [`embed`]: UMAP, principal components, random projection.
//! - [`boost`]: gradient-boosted trees. [`cluster`]: HDBSCAN, Genie, DBSCAN, linkages, mixtures, k-means.
//! - [`table`]: columns of words, numbers, dates and missing answers, and what the rooms above see of them.
//! - [`neighbors`]: exact and approximate nearest neighbours. [`validity`]: agreement and faithfulness.
//! - The root: [`Embedder`], [`Clusterer`], [`Explainer`], the traits that algorithms plug in through; [`Run`]; [`Error`].
//!
//! # Promises
//!
//! The same rows, settings and seed give the same bits: at any number of threads, with the rows in any order, on
//! x86-64 and aarch64 (without the feature `linalg`). No input makes it panic: there is an answer, or an [`Error`] that says
//! what is wrong and where. Memory grows linearly with rows x (columns + neighbours).

#![deny(missing_docs)]
// No input makes the crate panic: what can fail gives an `Error`.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::todo,
        clippy::unimplemented
    )
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod core;

pub mod boost;
pub mod cluster;
pub mod data;
pub mod embed;
pub mod evidence;
pub mod explain;
pub mod neighbors;
pub mod presets;
pub mod recursive;
#[cfg(feature = "report")]
pub mod report;
pub mod table;
#[cfg(feature = "testing")]
pub mod testing;
pub mod validity;

/// The version of `ndarray` that the public functions take and give.
pub use ndarray;

#[cfg(feature = "serde")]
pub use self::core::Saved;
#[cfg(any(feature = "serde", feature = "report"))]
#[doc(hidden)]
pub use self::core::StagedFile;
pub use self::core::{
    Cancel, Clusterer, Clustering, Embedded, Embedder, Error, Event, Explainer, Explanation, NOISE, Observer, Prepared,
    Result, Run, Setting, Settings, Size, SparseRows, Stage, canonical_order, check_finite, match_columns,
};

/// The code blocks of README and of the page on plug-ins are compiled and run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../docs/plug-ins.md")]
struct Pages;
