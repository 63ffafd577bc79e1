//! What every command takes, and values that several of them read.

use clap::{Args, ValueEnum};
use recluster::neighbors::Metric;

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The data: a file, or "digits"
    #[arg(long, value_name = "FILE")]
    pub(crate) data: String,
    /// Read only the first N rows of the data (and of its labels)
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) rows: Option<usize>,
    /// Threads; all by default. Results do not depend on it
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) threads: Option<usize>,
    /// Seed of all random choices
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
}

pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".to_string()),
        Ok(number) => Ok(number),
        Err(_) => Err("must be a whole number of at least 1".to_string()),
    }
}

pub(super) fn metric(text: &str) -> Result<Metric, String> {
    text.parse().map_err(|e: recluster::Error| e.to_string())
}

/// The name of a value on the command line.
pub(crate) fn value_name(value: impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |word| word.get_name().to_string())
}
