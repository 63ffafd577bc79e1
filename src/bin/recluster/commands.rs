//! What all commands share.

use crate::args::Common;
use crate::failure::Failure;
use crate::progress::Progress;
use recluster::Run;
use serde_json::{Map, Value};

/// What a command found, for the JSON object on stdout.
pub(crate) type Outcome = Result<Map<String, Value>, Failure>;

/// The part of the JSON object that every command has.
pub(crate) fn facts(command: &str, (rows, columns): (usize, usize)) -> Map<String, Value> {
    let mut facts = Map::new();
    facts.insert("command".to_string(), command.into());
    facts.insert("rows".to_string(), rows.into());
    facts.insert("columns".to_string(), columns.into());
    facts
}

/// The run of the arguments.
pub(crate) fn run(common: &Common, progress: &Progress) -> Run {
    progress.run().seed(common.seed).threads(common.threads.unwrap_or(0))
}

/// Refuses flags that the method does not have, so that none is ignored.
pub(crate) fn refuse(method: impl std::fmt::Display, flags: &[(&str, bool)]) -> Result<(), Failure> {
    match flags.iter().find(|flag| flag.1) {
        Some((flag, _)) => Err(Failure::Usage(format!("{flag} means nothing to {method}"))),
        None => Ok(()),
    }
}
