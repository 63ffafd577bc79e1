//! What holds in every room: damaged files, forwarding of traits, any thread count and row order, sparse rows, settings in files.

mod damaged;
mod forwarding;
mod pipeline;
mod settings;
mod sparse;
