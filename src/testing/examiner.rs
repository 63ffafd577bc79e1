//! The plug-in under examination, and the verdicts so far.

use super::answer::{Answer, Call, Subject};
use super::{Check, Verdict};
use crate::{Error, Run};
use ndarray::ArrayRef2;

/// A broken promise: what was done, and the result.
pub(super) type Fault = (String, String);

pub(super) struct Examiner<'a> {
    pub(super) subject: &'a Subject<'a>,
    pub(super) allowed: &'a [Check],
    pub(super) run: &'a Run,
    pub(super) verdicts: Vec<(Check, Verdict)>,
    /// The first panic: what was done, and its message.
    pub(super) panic: Option<(String, String)>,
}

impl Examiner<'_> {
    pub(super) fn judge(&mut self, check: Check, fault: Option<Fault>) {
        let allowed = self.allowed.contains(&check);
        let verdict = fault.map_or(Verdict::Kept, |(done, came)| Verdict::Broken { done, came, allowed });
        self.verdicts.push((check, verdict));
    }

    pub(super) fn not_judged(&mut self, checks: &[Check], reason: &str) {
        for &check in checks {
            self.verdicts.push((check, Verdict::NotJudged { reason: reason.to_string() }));
        }
    }

    /// An answer or an error; a panic is recorded and gives None.
    pub(super) fn call(&mut self, done: &str, rows: &ArrayRef2<f32>, run: &Run) -> Option<Result<Answer, Error>> {
        match self.subject.call(rows, run) {
            Call::Answer(answer) => Some(Ok(answer)),
            Call::Error(error) => Some(Err(error)),
            Call::Panic(said) => {
                self.panic.get_or_insert_with(|| (done.to_string(), format!("a panic: {said}")));
                None
            }
        }
    }
}
