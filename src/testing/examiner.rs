//! The plug-in under examination, and the outcomes so far.

use super::answer::{Answer, Call, Subject};
use super::{Check, Outcome};
use crate::{Error, Run};
use ndarray::ArrayRef2;

/// A broken promise: what was done, and the result.
pub(super) type Fault = (String, String);

pub(super) struct Examiner<'a> {
    pub(super) subject: &'a Subject<'a>,
    pub(super) allowed: &'a [Check],
    pub(super) run: &'a Run,
    pub(super) outcomes: Vec<(Check, Outcome)>,
    /// The first panic: what was done, and its message.
    pub(super) panic: Option<(String, String)>,
}

impl Examiner<'_> {
    pub(super) fn judge(&mut self, check: Check, fault: Option<Fault>) {
        let allowed = self.allowed.contains(&check);
        let outcome = fault.map_or(Outcome::Kept, |(done, came)| Outcome::Broken { done, came, allowed });
        self.outcomes.push((check, outcome));
    }

    pub(super) fn not_judged(&mut self, checks: &[Check], reason: &str) {
        for &check in checks {
            self.outcomes.push((check, Outcome::NotJudged { reason: reason.to_string() }));
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
