//! The command-line program.

mod args;
mod boost;
mod cluster;
mod commands;
mod embed;
mod failure;
mod fit;
mod input;
mod method;
mod output;
mod predict;
mod progress;
mod shap;

use args::{Cli, Command};
use clap::Parser;
use failure::Failure;
use progress::Progress;
use serde_json::{Map, Value, json};
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Wrong arguments end the program here, with status 2.
    let cli = Cli::parse();
    let progress = Progress::new();
    let done = match &cli.command {
        Command::Embed(args) => embed::embed(args, &progress),
        Command::Cluster(args) => cluster::cluster(args, &progress),
        Command::Boost(args) => boost::boost(args, &progress),
        Command::Shap(args) => shap::shap(args, &progress),
        Command::Fit(args) => fit::fit(args, &progress),
        Command::Predict(args) => predict::predict(args, &progress),
    };
    progress.end();
    let written = done.and_then(|facts| {
        let object = object(facts, &progress);
        writeln!(std::io::stdout(), "{object}").map_err(|e| Failure::data(format!("stdout: {e}")))
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("recluster: {failure}");
            ExitCode::from(failure.status())
        }
    }
}

/// The JSON object: the results of the command, the library's notes, the seconds of each stage.
fn object(mut facts: Map<String, Value>, progress: &Progress) -> Value {
    facts.insert("notes".to_string(), json!(progress.notes()));
    facts.insert("seconds".to_string(), progress.seconds());
    Value::Object(facts)
}
