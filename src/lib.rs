//! Recursive embedding and clustering with explanations.

#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod core;

pub mod boost;
pub mod cluster;
pub mod data;
pub mod embed;
pub mod explain;
pub mod neighbors;
pub mod recursive;
#[cfg(feature = "report")]
pub mod report;
pub mod validity;

#[cfg(feature = "serde")]
pub use self::core::Saved;
pub use self::core::{
    Cancel, Clusterer, Clustering, Embedder, Error, Event, Explainer, Explanation, NOISE, Observer, Result, Run, Size,
    Stage,
};
