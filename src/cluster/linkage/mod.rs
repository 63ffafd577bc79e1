//! Hierarchies of merges, cut into as many clusters as asked for: agglomerative linkages and Genie.

mod agglomerative;
mod chain;
mod dendrogram;
mod genie;
mod genie_merge;
mod graph_degree;
mod graph_degree_merge;
mod stable_parts;

pub use agglomerative::{Agglomerative, AgglomerativeModel, Linkage};
pub use dendrogram::Dendrogram;
pub(super) use dendrogram::numbered;
pub use genie::{Genie, GenieModel};
pub use graph_degree::GraphDegree;
pub use stable_parts::StableParts;
