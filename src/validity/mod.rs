//! How good a clustering or an embedding is, judged from outside.
//!
//! Against known classes: [`adjusted_rand`], [`adjusted_mutual_information`], [`best_node_f`]. Of an embedding against
//! the rows that it stands for: [`trustworthiness`].

mod agreement;
mod embedding;

pub use agreement::{adjusted_mutual_information, adjusted_rand, best_node_f};
pub use embedding::trustworthiness;
