//! What every room stands on: the three traits, errors, the run, row order, random numbers, numerics.

mod cached;
#[cfg(feature = "serde")]
pub(crate) mod checks;
mod columns;
mod error;
#[cfg(any(feature = "serde", feature = "report"))]
mod file;
pub(crate) mod linalg;
pub(crate) mod numerics;
pub(crate) mod parallel;
pub(crate) mod random;
mod rows;
mod run;
#[cfg(feature = "serde")]
pub(crate) mod saved;
pub(crate) mod shape;
pub(crate) mod simd;
mod size;
pub(crate) mod spare;
mod traits;

pub(crate) use cached::Cached;
pub use columns::match_columns;
pub use error::{Error, Result};
#[cfg(any(feature = "serde", feature = "report"))]
pub use file::StagedFile;
#[cfg(any(feature = "serde", feature = "report"))]
pub(crate) use file::write_whole;
pub(crate) use rows::{Canonical, Rows, content_hash};
pub use rows::{canonical_order, check_finite};
pub use run::{Cancel, Event, Observer, Run, Stage};
#[cfg(feature = "serde")]
pub use saved::Saved;
pub use size::Size;
pub(crate) use size::percent;
pub use traits::{Clusterer, Clustering, Embedded, Embedder, Explainer, Explanation, NOISE};
