//! How good a clustering or an embedding is, judged from outside.
//!
//! Against known classes: [`adjusted_rand`], [`adjusted_mutual_information`], [`best_node_f`]. Of an embedding against
//! the rows that it stands for: [`trustworthiness`]. Of a density clustering on its own: [`dbcv`].

mod agreement;
mod density;
mod embedding;

pub use agreement::{adjusted_mutual_information, adjusted_rand, best_node_f};
pub use density::{Dbcv, dbcv};
pub use embedding::trustworthiness;
