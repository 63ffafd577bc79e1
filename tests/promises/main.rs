//! What holds in every room: damaged files, forwarding of traits, any thread count and row order, sparse rows.

mod damaged;
mod forwarding;
mod pipeline;
mod sparse;
