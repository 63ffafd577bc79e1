//! The recursive tree: embed, cluster, zoom into each cluster on its original rows, and again.
//!
//! [`RecursiveTree`] holds the plan: an embedder, a clusterer, and how deep to go. Its `fit` gives a [`ClusterTree`]:
//! every node with its path, its rows by their original numbers, its embedding and labels, and for every leaf the
//! reason why it was not zoomed into. [`ClusterTree::surrogate`] trains the model that explains the leaves and assigns
//! new rows.
//!
//! A fit that may be interrupted keeps a `Checkpoint`. A tree is edited ([`ClusterTree::set_name`], [`ClusterTree::prune`],
//! [`RecursiveTree::deepen`]) and compared with another ([`ClusterTree::compare`]).
//!
//! A cluster's zoom starts from its original rows, not from their places in the parent's embedding: neighbours that
//! the parent's map had no room for are found anew, so that "local" and "global" mean something new in each node.
//!
//! Source: G. Pereira, "Recursive Embedding and Clustering", 2023.

mod check;
#[cfg(feature = "serde")]
mod checkpoint;
mod compare;
mod compare_text;
mod coverage;
mod divide;
mod edit;
mod fidelity;
mod fit;
mod fitting;
mod grow;
mod judge;
mod limits;
mod node;
mod noise;
mod path;
mod plan;
mod repeats;
mod second_look;
mod separations;
mod stability;
mod step;
mod text;
mod tree;
mod weights;

#[cfg(feature = "serde")]
pub use checkpoint::Checkpoint;
pub use compare::{Compared, Comparison, Fate, Flow, Match, compare_assignments};
pub use coverage::Coverage;
pub use fidelity::{LevelFidelity, NodeFidelity};
pub use fit::RecursiveTree;
pub use judge::{Grade, Judge, Move, Proposal, Separation, Verdict};
pub use limits::{NodeInfo, StopReason};
pub use node::{Node, Split};
pub use noise::NoiseSplit;
pub use path::Path;
pub use repeats::Repeats;
pub use second_look::SecondLook;
pub use stability::{Stability, StabilityGrade};
pub use step::{Step, step};
pub use tree::ClusterTree;
