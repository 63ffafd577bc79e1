//! What every room stands on: the three traits, errors, the run, row order, random numbers, numerics.

mod cached;
#[cfg_attr(not(feature = "serde"), allow(dead_code))]
pub(crate) mod checks;
mod clustering;
mod columns;
mod error;
mod explanation;
#[cfg(any(feature = "serde", feature = "report"))]
mod file;
pub(crate) mod inference;
pub(crate) mod linalg;
pub(crate) mod numerics;
pub(crate) mod parallel;
pub(crate) mod plugin;
mod prepared;
mod progress;
pub(crate) mod random;
mod rows;
mod run;
#[cfg(feature = "serde")]
pub(crate) mod saved;
mod settings;
pub(crate) mod shape;
pub(crate) mod simd;
mod size;
pub(crate) mod spare;
mod sparse;
mod traits;
mod weights;

pub(crate) use cached::{Cached, once};
pub(crate) use clustering::cluster_sizes;
pub use clustering::{Clustering, NOISE};
pub use columns::match_columns;
pub use error::{Error, Result};
pub use explanation::Explanation;
#[cfg(any(feature = "serde", feature = "report"))]
pub use file::StagedFile;
#[cfg(any(feature = "serde", feature = "report"))]
pub(crate) use file::write_whole;
pub(crate) use prepared::gather;
pub use prepared::{Embedded, Prepared};
pub use progress::{Cancel, Event, Observer};
pub(crate) use rows::{Canonical, Rows, content_hash};
pub use rows::{canonical_order, check_finite};
pub use run::{Run, Stage};
#[cfg(feature = "serde")]
pub use saved::Saved;
pub use settings::{Setting, Settings};
pub(crate) use settings::{setting_by_debug, settings_of};
pub use size::Size;
pub(crate) use size::{count_in_sample, percent};
pub use sparse::SparseRows;
pub(crate) use sparse::{AnyRows, AnyTable, OwnTable, SparseColumns};
pub(crate) use traits::short_type_name;
pub use traits::{Clusterer, Embedder, Explainer};
pub(crate) use weights::{check_weights, sum_of_weights, with_mean_one};
