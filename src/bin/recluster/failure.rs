//! Errors of the program, in one line, with their exit status.

use recluster::Error;
use recluster::table::TableFile;
use std::io::Write;

/// Writes a line to stderr. Where that is closed or full nobody can be told, and the work goes on.
pub(crate) fn tell(words: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{words}");
}

/// From now on a panic whose message becomes an error of a file is not also written to stderr.
pub(crate) fn quiet_panics() {
    static HOOK: std::sync::Once = std::sync::Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !TableFile::catches_panics() {
                usual(info);
            }
        }));
    });
}

/// The exit status of a program that Ctrl-C ended, as a shell gives it: 128 and the signal's number.
pub(crate) const INTERRUPTED: u8 = 130;

/// The reason, by exit status.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The data, a file or the system: exit status 1.
    Data(String),
    /// The arguments: exit status 2.
    Usage(String),
    /// Ctrl-C: exit status [`INTERRUPTED`].
    Interrupted(String),
}

impl Failure {
    pub(crate) fn data(reason: impl std::fmt::Display) -> Self {
        Failure::Data(reason.to_string())
    }

    /// A reason that belongs to one file.
    pub(crate) fn file(path: &str, reason: impl std::fmt::Display) -> Self {
        Failure::Data(format!("{path}: {reason}"))
    }

    pub(crate) fn status(&self) -> u8 {
        match self {
            Failure::Data(_) => 1,
            Failure::Usage(_) => 2,
            Failure::Interrupted(_) => INTERRUPTED,
        }
    }

    /// Adds the column's name, if the file has names, to an error with its number.
    pub(crate) fn about(error: Error, names: Option<&[String]>) -> Self {
        if let Error::Within { place, error } = error {
            return match Self::about(*error, names) {
                Failure::Data(reason) => Failure::Data(format!("{place}: {reason}")),
                Failure::Usage(reason) => Failure::Usage(format!("{place}: {reason}")),
                interrupted => interrupted,
            };
        }
        match (&error, names) {
            (Error::NotFinite { row, column, value, .. }, Some(names)) if *column < names.len() => {
                let name = &names[*column];
                let what = if value.is_nan() { "a missing value" } else { "an infinite value" };
                Failure::Data(format!(
                    "row {row}, column \"{name}\" (column {column}, both counted from 0): {what} cannot be used here"
                ))
            }
            (Error::Category { row, column, value }, Some(names)) if *column < names.len() => Failure::Data(format!(
                "row {row}, column \"{}\" (column {column}, both counted from 0): {value} is no category, which is a \
                 whole number from 0 to 16777215",
                names[*column]
            )),
            (Error::Overflow { row, column, value, spread }, Some(names)) if *column < names.len() => {
                Failure::Data(format!(
                    "row {row}, column \"{}\" (column {column}, both counted from 0): {value} divided by the column's \
                     spread of {spread:e} is beyond f32; leave the column out or scale otherwise",
                    names[*column]
                ))
            }
            _ => error.into(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.cause() {
            // A setting out of its range came from a flag.
            Error::Setting { name, .. } => Failure::Usage(match flag(name) {
                Some(flag) => format!("{flag}: {error}"),
                None => error.to_string(),
            }),
            Error::Cancelled { .. } => Failure::Interrupted(error.to_string()),
            _ => Failure::Data(error.to_string()),
        }
    }
}

/// The flag of a setting that the library calls otherwise.
fn flag(setting: &str) -> Option<&'static str> {
    match setting {
        "levels" => Some("--depth"),
        "min_size" => Some("--min-node-share"),
        "min_child_size" => Some("--min-child-rows"),
        "n_neighbors" => Some("--neighbors"),
        "n_components" => Some("--components"),
        _ => None,
    }
}

impl std::fmt::Display for Failure {
    /// In one line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Failure::Data(reason) | Failure::Usage(reason) | Failure::Interrupted(reason)) = self;
        f.write_str(&reason.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}
