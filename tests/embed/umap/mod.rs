//! UMAP, principal components and neighbours as a user sees them.

mod data;
mod density;
mod figures;
mod fit;
mod given;
mod graph;
mod inverse;
mod watch;
