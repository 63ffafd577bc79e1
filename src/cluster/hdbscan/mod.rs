//! HDBSCAN: settings in, model out.
//!
//! Campello, Moulavi, Sander, "Density-Based Clustering Based on Hierarchical Density Estimates" (PAKDD 2013), and with
//! Zimek, "Hierarchical Density Estimates for Data Clustering, Visualization, and Outlier Detection" (TKDD 10(1), 2015).
//! Steps, with λ = 1 / distance:
//!
//! 1. core distance of a row: core(x) = distance of its `min_samples`-th neighbour;
//! 2. mutual reachability: m(x, y) = max(core(x), core(y), d(x, y));
//! 3. its minimum spanning tree: [`super::spanning`];
//! 4. the hierarchy (algorithm 1 of the 2013 paper, step 4), condensed by `min_cluster_size`: [`hierarchy`] and
//!    [`condense`];
//! 5. clusters by excess of mass, S(C) = Σ over rows x of C of λ_out(x) - λ_birth(C), or the leaves: [`select`], where
//!    memberships and GLOSH(x) = 1 - λ(x) / λ_max(x) are computed too; `epsilon` after Malzer and Baum (2020);
//! 6. on request, steps 4 and 5 again for smaller clusters, where too many rows would be noise: [`cut`];
//! 7. on request, noise near a cluster joins it: [`reach`].
//!
//! # Deviations
//! From the paper: `min_samples` does not count the row itself unless asked to, and rows fall out of a cluster without
//! self-edges, both as in Python's hdbscan. From hdbscan: see `docs/hdbscan.md`; in short, edges of equal weight are one
//! event, distances of zero stay finite, sums are in f64, no persistence is above 1.

mod condense;
mod cut;
mod draw;
mod fit;
mod hierarchy;
mod layers;
mod memberships;
mod model;
mod predict;
mod reach;
mod rows;
mod select;
mod settings;

pub use condense::{CondensedCluster, CondensedTree};
#[cfg(feature = "report")]
pub(crate) use draw::Shown;
pub use layers::Layer;
pub use memberships::TopMemberships;
pub use model::HdbscanModel;
pub use predict::{HdbscanPredictor, Prediction};
pub(super) use rows::metric_of;
pub use select::Selection;
pub use settings::Hdbscan;
