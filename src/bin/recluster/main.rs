//! The command-line program.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable))]

mod args;
mod boost;
mod cluster;
mod commands;
mod compare;
mod embed;
mod failure;
mod fit;
mod input;
mod insight;
mod interrupt;
mod kinds;
mod method;
mod names;
mod output;
mod outside;
mod predict;
mod progress;
mod report;
mod shap;
mod shown;
mod source;

use args::Command;
use failure::Failure;
use progress::Progress;
use serde_json::{Map, Value, json};
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    failure::quiet_panics();
    // Wrong arguments end the program here, with status 2.
    let cli = match args::parse() {
        Ok(cli) => cli,
        Err(failure) => return end(Err(failure)),
    };
    let progress = Progress::new(interrupt::watched());
    if let Command::Kinds(args) = &cli.command {
        return end(kinds::kinds(args));
    }
    if let Command::Text = &cli.command {
        return end(report::print_text());
    }
    let done = match &cli.command {
        Command::Embed(args) => embed::embed(args, &progress),
        Command::Cluster(args) => cluster::cluster(args, &progress),
        Command::Boost(args) => boost::boost(args, &progress),
        Command::Shap(args) => shap::shap(args, &progress),
        Command::Kinds(_) | Command::Text => Ok(Map::new()),
        Command::Fit(args) => fit::fit(args, &progress),
        Command::Compare(args) => compare::compare(args, &progress),
        Command::Predict(args) => predict::predict(args, &progress),
        Command::Report(args) => report::report(args, &progress),
    };
    progress.end();
    let written = done.and_then(|facts| {
        let object = object(facts, &progress);
        writeln!(std::io::stdout(), "{object}").map_err(|e| Failure::data(format!("stdout: {e}")))?;
        progress.summary().into_iter().for_each(failure::tell);
        Ok(())
    });
    end(written)
}

/// The exit status, after the reason on stderr if there is one.
fn end(done: Result<(), Failure>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure::tell(format_args!("recluster: {failure}"));
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
