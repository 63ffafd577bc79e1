//! Validity measures of clusterings and embeddings.
//!
//! Against known classes: [`adjusted_rand`], [`adjusted_mutual_information`], [`best_node_f`]. Of an embedding against
//! its rows: [`trustworthiness`]. Of a density clustering without classes: [`dbcv`].

mod agreement;
mod density;
mod embedding;
mod ranking;

pub use agreement::{adjusted_mutual_information, adjusted_rand, best_node_f};
pub use density::{Dbcv, dbcv};
pub use embedding::trustworthiness;
pub(crate) use ranking::{average_precision, roc_auc};
