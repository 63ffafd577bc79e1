//! The results of an examination.

use super::Check;
use std::fmt;

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
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
pub struct Report {
    pub(super) room: &'static str,
    pub(super) name: String,
    pub(super) verdicts: Vec<(Check, Verdict)>,
}

impl Report {
    /// The plug-in's own name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Each check that applies to the plug-in, with its verdict.
    pub fn verdicts(&self) -> &[(Check, Verdict)] {
        &self.verdicts
    }

    /// Whether a check was made, and the promise is kept.
    pub fn kept(&self, check: Check) -> bool {
        self.verdicts.iter().any(|(c, verdict)| *c == check && *verdict == Verdict::Kept)
    }

    /// The checks that are broken without having been allowed.
    pub fn broken(&self) -> Vec<Check> {
        let broken = |v: &Verdict| matches!(v, Verdict::Broken { allowed: false, .. });
        self.verdicts.iter().filter(|(_, verdict)| broken(verdict)).map(|(check, _)| *check).collect()
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

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |which: fn(&Verdict) -> bool| self.verdicts.iter().filter(|(_, v)| which(v)).count();
        write!(
            f,
            "the {} \"{}\": {} promises kept, {} broken",
            self.room,
            self.name,
            count(|v| *v == Verdict::Kept),
            count(|v| matches!(v, Verdict::Broken { allowed: false, .. }))
        )?;
        match count(|v| matches!(v, Verdict::Broken { allowed: true, .. })) {
            0 => {}
            allowed => write!(f, ", {allowed} broken as declared")?,
        }
        match count(|v| matches!(v, Verdict::NotJudged { .. })) {
            0 => writeln!(f)?,
            left => writeln!(f, ", {left} not judged")?,
        }
        for (check, verdict) in &self.verdicts {
            match verdict {
                Verdict::Kept => writeln!(f, "  kept       {check}: {}", check.promise())?,
                Verdict::NotJudged { reason } => writeln!(f, "  not judged {check}: {reason}")?,
                Verdict::Broken { done, came, allowed } => {
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
