//! The command line: arguments in, library call, JSON and files out.

mod args;
mod cluster;
mod commands;
mod failure;
mod fit;
mod input;
mod method;
mod output;
mod progress;
mod shap;

use args::{Cli, Command, Common};
use clap::Parser;
use failure::Failure;
use progress::Progress;
use recluster::Run;
use serde_json::{Map, Value, json};
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Wrong arguments end the program here, with status 2.
    let cli = Cli::parse();
    let progress = Progress::new();
    let done = match &cli.command {
        Command::Embed(args) => commands::embed(args, &progress),
        Command::Cluster(args) => cluster::cluster(args, &progress),
        Command::Boost(args) => commands::boost(args, &progress),
        Command::Shap(args) => shap::shap(args, &progress),
        Command::Fit(args) => fit::fit(args, &progress),
        Command::Predict(args) => commands::predict(args, &progress),
    };
    progress.end();
    let told = done.and_then(|facts| {
        let object = tell(facts, &progress);
        writeln!(std::io::stdout(), "{object}").map_err(|e| Failure::data(format!("stdout: {e}")))
    });
    match told {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("recluster: {failure}");
            ExitCode::from(failure.status())
        }
    }
}

/// The one JSON object: what the command found, what the library noted, how long each stage took.
fn tell(mut facts: Map<String, Value>, progress: &Progress) -> Value {
    facts.insert("notes".to_string(), json!(progress.notes()));
    facts.insert("seconds".to_string(), progress.seconds());
    Value::Object(facts)
}

/// The run that the arguments ask for.
fn run(common: &Common, progress: &Progress) -> Run {
    Run::new().seed(common.seed).threads(common.threads.unwrap_or(0)).observer(progress.clone())
}

/// Refuses flags that mean nothing to the method: none is ever ignored.
fn refuse(method: &str, flags: &[(&str, bool)]) -> Result<(), Failure> {
    match flags.iter().find(|flag| flag.1) {
        Some((flag, _)) => Err(Failure::Usage(format!("{flag} means nothing to {method}"))),
        None => Ok(()),
    }
}
