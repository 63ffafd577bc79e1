//! The results of an examination.

use super::Check;
use std::fmt;

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The promise is kept.
    Kept,
    /// The promise is broken.
    Broken {
        /// What the kit did.
        done: String,
        /// What the result was.
        came: String,
        /// Whether the plug-in had declared it.
        allowed: bool,
    },
    /// It could not be judged, because of another broken promise.
    NotJudged {
        /// Why.
        reason: String,
    },
}

/// The results of an examination; `Display` prints them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Examination {
    pub(super) room: &'static str,
    pub(super) name: String,
    pub(super) outcomes: Vec<(Check, Outcome)>,
}

impl Examination {
    /// The plug-in's own name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Each check that applies to the plug-in, with its outcome.
    pub fn outcomes(&self) -> &[(Check, Outcome)] {
        &self.outcomes
    }

    /// Whether a check was made, and the promise is kept.
    pub fn kept(&self, check: Check) -> bool {
        self.outcomes.iter().any(|(c, outcome)| *c == check && *outcome == Outcome::Kept)
    }

    /// The checks that are broken without having been allowed.
    pub fn broken(&self) -> Vec<Check> {
        let broken = |v: &Outcome| matches!(v, Outcome::Broken { allowed: false, .. });
        self.outcomes.iter().filter(|(_, outcome)| broken(outcome)).map(|(check, _)| *check).collect()
    }

    /// For tests: passes where no check is broken that was not allowed.
    ///
    /// # Panics
    /// With the report, where one is.
    #[track_caller]
    pub fn assert(&self) {
        assert!(self.broken().is_empty(), "{self}");
    }
}

impl fmt::Display for Examination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |which: fn(&Outcome) -> bool| self.outcomes.iter().filter(|(_, v)| which(v)).count();
        write!(
            f,
            "the {} \"{}\": {} promises kept, {} broken",
            self.room,
            self.name,
            count(|v| *v == Outcome::Kept),
            count(|v| matches!(v, Outcome::Broken { allowed: false, .. }))
        )?;
        match count(|v| matches!(v, Outcome::Broken { allowed: true, .. })) {
            0 => {}
            allowed => write!(f, ", {allowed} broken as declared")?,
        }
        match count(|v| matches!(v, Outcome::NotJudged { .. })) {
            0 => writeln!(f)?,
            left => writeln!(f, ", {left} not judged")?,
        }
        for (check, outcome) in &self.outcomes {
            match outcome {
                Outcome::Kept => writeln!(f, "  kept       {check}: {}", check.promise())?,
                Outcome::NotJudged { reason } => writeln!(f, "  not judged {check}: {reason}")?,
                Outcome::Broken { done, came, allowed } => {
                    writeln!(f, "  {}    {check}", if *allowed { "allowed" } else { "BROKEN " })?;
                    writeln!(f, "             done:     {done}")?;
                    writeln!(f, "             expected: {}", check.promise())?;
                    writeln!(f, "             came:     {came}")?;
                    writeln!(f, "             to fix:   {}", check.remedy())?;
                }
            }
        }
        Ok(())
    }
}
