//! The conformance kit: all of the crate's own algorithms keep every promise, and each promise that a plug-in breaks is
//! found out, alone.

mod broken;
mod ours;
