//! UMAP, principal components and neighbours as a user sees them.

mod data;
mod density;
mod figures;
mod fit;
mod given;
mod inverse;
mod watch;
