//! One function for each fuzz target. It returns, whatever it is given: an answer and an error are both fine.

mod files;
mod models;
mod pipeline;
mod seeds;
mod settings;
mod texts;

pub use files::{csv, idx, npy, parquet, sparse_files};
pub use models::{models, xgboost_json};
pub use pipeline::pipeline;
pub use seeds::seeds;
pub use settings::settings;
pub use texts::texts;

use crate::heap;
use recluster::{Error, Result};

/// Memory that any input may take, and for each of its bytes.
const FREE: usize = 96 << 20;
const EACH: usize = 4096;

/// Runs `work`, which may take memory as its input's size justifies.
fn measured<T>(data: &[u8], work: impl FnOnce() -> T) -> T {
    heap::within(FREE + EACH * data.len(), work)
}

/// A result of algorithms of the crate. A tree makes errors of their panics and broken contracts, which are faults here.
fn unbroken<T>(result: Result<T>) -> Result<T> {
    match result {
        Err(error) if matches!(error.cause(), Error::Contract { .. }) => panic!("{error}"),
        result => result,
    }
}
