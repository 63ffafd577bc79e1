//! The clusterers, against hdbscan, scikit-learn, scipy and genieclust.

mod centers;
mod consensus;
mod hdbscan;
mod hdbscan_more;
mod kmeans;
mod tree;
