//! Flags of `fit` from a file: `--config F.toml`.

use super::Cli;
use crate::failure::Failure;
use clap::{CommandFactory, Parser};
use std::ffi::OsString;
use toml::{Table, Value};

/// The arguments, with those of a file of settings, of which the ones that the command line has count there.
///
/// Wrong arguments end the program, with status 2.
pub(crate) fn parse() -> Result<Cli, Failure> {
    Ok(Cli::parse_from(with_file(std::env::args_os().collect())?))
}

/// Adds what the file of `--config` says, if there is one, behind the other arguments.
fn with_file(mut given: Vec<OsString>) -> Result<Vec<OsString>, Failure> {
    if given.get(1).is_none_or(|command| command != "fit") {
        return Ok(given);
    }
    let Some(path) = value_of(&given, "config") else { return Ok(given) };
    let text = std::fs::read_to_string(&path).map_err(|e| Failure::file(&path, e))?;
    let wrong = |reason: String| Failure::Usage(format!("{path}: {reason}"));
    let settings: Table = toml::from_str(&text).map_err(|e| wrong(e.message().to_string()))?;
    let cli = Cli::command();
    let known = |name: &str| {
        let mut flags = cli.find_subcommand("fit").into_iter().flat_map(|fit| fit.get_arguments());
        name != "config" && flags.any(|flag| flag.get_long() == Some(name))
    };
    for (key, value) in settings {
        let name = key.replace('_', "-");
        if !known(&name) {
            return Err(wrong(format!("\"{key}\" is no flag of fit; see recluster help fit")));
        }
        if names(&given, &name) {
            continue;
        }
        match value {
            Value::Boolean(false) => {}
            Value::Boolean(true) => given.push(format!("--{name}").into()),
            value => {
                let words =
                    words(&value).ok_or_else(|| wrong(format!("\"{key}\": must be a word, a number or a list")))?;
                given.push(format!("--{name}={words}").into());
            }
        }
    }
    Ok(given)
}

/// A value as the command line has it.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Array(all) => {
            let all: Option<Vec<String>> = all.iter().map(words).collect();
            Some(all?.join(","))
        }
        Value::Boolean(_) | Value::Datetime(_) | Value::Table(_) => None,
    }
}

/// Whether a flag is among the arguments.
fn names(given: &[OsString], name: &str) -> bool {
    let flag = format!("--{name}");
    given.iter().filter_map(|word| word.to_str()).any(|word| {
        let rest = word.strip_prefix(&flag);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    })
}

/// The value of a flag, behind it or after "=".
fn value_of(given: &[OsString], name: &str) -> Option<String> {
    let flag = format!("--{name}");
    let mut words = given.iter().map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        match word.strip_prefix(&flag) {
            Some("") => return words.next().map(Into::into),
            Some(rest) if rest.starts_with('=') => return Some(rest[1..].to_string()),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(file: &str, line: &str) -> Result<Vec<String>, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.toml");
        std::fs::write(&path, file).unwrap();
        let line = line.replace("FILE", path.to_str().unwrap());
        let words = with_file(line.split(' ').map(Into::into).collect())?;
        Ok(words.into_iter().skip(line.split(' ').count()).map(|word| word.into_string().unwrap()).collect())
    }

    #[test]
    fn the_file_says_what_the_command_line_does_not() {
        let file = "data = \"a.csv\"\nmin_cluster_share = 0.02\ndepth = 3\nresume = true\nfidelity = false\nid = [\"a\", \"b\"]\n";
        let words = expanded(file, "recluster fit --config FILE --depth 1 --out=o").unwrap();
        assert_eq!(words, ["--data=a.csv", "--id=a,b", "--min-cluster-share=0.02", "--resume"]);
        assert!(
            expanded(file, "recluster embed --config=FILE").unwrap().is_empty(),
            "the other commands have no such flag"
        );
        assert_eq!(expanded("seed = -1", "recluster fit --config=FILE").unwrap(), ["--seed=-1"]);
    }

    #[test]
    fn a_wrong_file_is_named_with_what_is_wrong() {
        for (file, reason) in [
            ("depht = 2", "\"depht\" is no flag of fit"),
            ("config = \"c.toml\"", "\"config\" is no flag"),
            ("depth = ", "c.toml: "),
            ("[depth]\nlevels = 2", "\"depth\": must be a word"),
            ("id = [1979-05-27]", "\"id\": must be a word"),
        ] {
            let failure = expanded(file, "recluster fit --config FILE").unwrap_err();
            assert!(failure.status() == 2 && failure.to_string().contains(reason), "{failure}");
        }
        assert_eq!(
            with_file(vec!["recluster".into(), "fit".into(), "--config=no.toml".into()]).unwrap_err().status(),
            1
        );
    }
}
