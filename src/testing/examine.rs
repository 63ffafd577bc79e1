//! The examination: all checks, each with its outcome.

use super::answer::{Answer, Subject};
use super::examiner::Examiner;
use super::well_formed::{labels, membership, noise, shape};
use super::{Check, Examination, Outcome, tables};
use crate::{Cancel, Error, Event, Observer, Run};
use ndarray::{Array2, ArrayRef2};

/// Tolerance of additivity, relative to the largest output.
const ADDITIVITY: f64 = 1e-6;

pub(super) fn examine(subject: &Subject<'_>, rows: Option<Array2<f32>>, allowed: &[Check], run: &Run) -> Examination {
    let mut examiner = Examiner { subject, allowed, run, outcomes: Vec::new(), panic: None };
    let rows = rows.unwrap_or_else(tables::groups);
    examiner.ordinary(&rows);
    examiner.odd(&rows);
    let panic = examiner.panic.take();
    examiner.judge(Check::Panics, panic);
    let (room, name) = (subject.room(), subject.name());
    let mut outcomes = examiner.outcomes;
    outcomes.sort_by_key(|(check, _)| *check);
    Examination { room, name, outcomes }
}

impl Examiner<'_> {
    fn ordinary(&mut self, rows: &ArrayRef2<f32>) {
        use Check::{Determinism, Duplicates, Layout, RowOrder, Seed, Threads};
        let clusterer = matches!(self.subject, Subject::Clusterer(_));
        let mut rest = vec![Determinism, Seed, Threads, RowOrder, Duplicates, Layout, Check::Cancellation];
        rest.extend(match self.subject {
            Subject::Clusterer(_) => vec![Check::Provided, Check::Numbering],
            Subject::Embedder(_) => vec![Check::Provided],
            Subject::Explainer(..) => vec![Check::Additivity],
        });
        let kinds: &[Check] =
            if clusterer { &[Check::Labels, Check::Noise, Check::Membership] } else { &[Check::Finite] };
        let what = format!("called it with {} ordinary rows of {} columns", rows.nrows(), rows.ncols());
        let first = match self.call(&what, rows, self.run) {
            Some(Ok(answer)) => answer,
            Some(Err(error)) => {
                // Labels that `Clustering` refuses come back as an error of the plug-in's.
                let labels = clusterer && matches!(error, Error::Label { .. });
                let blamed = if labels { Check::Labels } else { Check::Answers };
                self.judge(blamed, Some((what, format!("the error \"{error}\""))));
                let left: Vec<Check> = kinds.iter().copied().filter(|&c| c != blamed).collect();
                let reason = "ordinary rows got no answer";
                self.not_judged(&left, reason);
                self.not_judged(&rest, reason);
                self.not_judged(&[Check::Shape], reason);
                if labels {
                    self.not_judged(&[Check::Answers], reason);
                }
                return;
            }
            None => {
                let reason = "it panicked on ordinary rows";
                self.not_judged(kinds, reason);
                self.not_judged(&rest, reason);
                self.not_judged(&[Check::Answers, Check::Shape], reason);
                return;
            }
        };
        self.judge(Check::Answers, None);
        let shape = shape(&first, rows);
        let bad_shape = shape.is_some();
        self.judge(Check::Shape, shape.map(|came| (what.clone(), came)));
        if bad_shape {
            let reason = "the answer has not the table's shape";
            self.not_judged(kinds, reason);
            self.not_judged(&rest, reason);
            return;
        }
        match &first {
            Answer::Clusters(clusters) => {
                let faults = [labels(clusters), noise(clusters), membership(clusters)];
                for (check, fault) in kinds.iter().zip(faults) {
                    self.judge(*check, fault.map(|came| (what.clone(), came)));
                }
            }
            Answer::Positions(_) | Answer::Values(_) => {
                self.judge(Check::Finite, first.not_finite().map(|came| (what.clone(), came)));
            }
        }
        self.additivity(rows, &first);
        self.cancellation(rows);
        self.repeated(rows, &first);
    }

    fn additivity(&mut self, rows: &ArrayRef2<f32>, answer: &Answer) {
        let (Answer::Values(why), Subject::Explainer(_, outputs)) = (answer, self.subject) else { return };
        let done = "added attributions and base values up for each row".to_string();
        let fault = match outputs(rows) {
            Err(error) => Some(format!("the model itself says \"{error}\"")),
            Ok(expected) if expected.dim() != why.outputs().dim() => {
                Some(format!("{:?} (rows, outputs), where the model has {:?}", why.outputs().dim(), expected.dim()))
            }
            Ok(expected) => {
                let scale = expected.iter().fold(1.0f64, |most, x| most.max(x.abs()));
                let sums = why.outputs();
                let missed = sums.indexed_iter().find(|found| {
                    let (at, sum) = *found;
                    (sum - expected[at]).abs() > ADDITIVITY * scale || sum.is_nan()
                });
                missed.map(|(at, sum)| format!("row {}, output {}: {sum}, the model says {}", at.0, at.1, expected[at]))
            }
        };
        self.judge(Check::Additivity, fault.map(|came| (done, came)));
    }

    fn cancellation(&mut self, rows: &ArrayRef2<f32>) {
        let before = Cancel::default();
        before.cancel();
        let during = Cancel::default();
        let runs = [
            ("called it under a run that had been cancelled", self.run.clone().cancel(before)),
            (
                "cancelled the run as soon as it told of its progress",
                self.run.clone().cancel(during.clone()).observer(CancelAtFirstEvent(during)),
            ),
        ];
        let mut fault = None;
        for (i, (done, run)) in runs.into_iter().enumerate() {
            let came = match self.call(done, rows, &run) {
                Some(Err(Error::Cancelled { .. })) | None => continue,
                Some(Err(error)) => format!("the error \"{error}\""),
                Some(Ok(_)) if i == 1 && fault.is_some() => continue,
                Some(Ok(_)) => "an answer".to_string(),
            };
            fault = fault.or(Some((done.to_string(), came)));
        }
        self.judge(Check::Cancellation, fault);
    }

    /// Degenerate tables, and values that are not finite.
    fn odd(&mut self, rows: &ArrayRef2<f32>) {
        let mut fault = None;
        for (name, table) in tables::odd(rows.ncols()) {
            let done = format!("gave it a table with {name}, {} x {}", table.nrows(), table.ncols());
            let came = match self.call(&done, &table, self.run) {
                Some(Ok(answer)) => self.malformed(&answer, &table),
                _ => None,
            };
            fault = fault.or(came.map(|came| (done, came)));
        }
        self.judge(Check::Degenerate, fault);
        let mut fault = None;
        let (n, columns) = rows.dim();
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for (row, column) in [(0, 0), (n.saturating_sub(1), columns / 2)] {
                let mut table = rows.to_owned();
                if let Some(value) = table.get_mut((row, column)) {
                    *value = bad;
                }
                let done = format!("put {bad} into row {row}, column {column} of ordinary rows");
                let came = match self.call(&done, &table, self.run) {
                    Some(Ok(answer)) if matches!(self.subject, Subject::Explainer(..)) => answer.not_finite(),
                    Some(Ok(_)) => Some("an answer".to_string()),
                    _ => None,
                };
                fault = fault.or(came.map(|came| (done, came)));
            }
        }
        self.judge(Check::NotFinite, fault);
    }

    /// What is wrong with an answer for a degenerate table, unless ordinary rows showed the same kind of fault.
    fn malformed(&self, answer: &Answer, table: &ArrayRef2<f32>) -> Option<String> {
        let known = |check| self.outcomes.iter().any(|(c, v)| *c == check && *v != Outcome::Kept);
        let fault = |check, fault: Option<String>| if known(check) { None } else { fault };
        let shape = fault(Check::Shape, shape(answer, table));
        if known(Check::Shape) || shape.is_some() {
            return shape;
        }
        match answer {
            Answer::Clusters(c) => fault(Check::Labels, labels(c))
                .or_else(|| fault(Check::Noise, noise(c)))
                .or_else(|| fault(Check::Membership, membership(c))),
            Answer::Positions(_) | Answer::Values(_) => fault(Check::Finite, answer.not_finite()),
        }
    }
}

/// Cancels a run at its first event.
struct CancelAtFirstEvent(Cancel);

impl Observer for CancelAtFirstEvent {
    fn event(&self, _: &Event<'_>) {
        self.0.cancel();
    }
}
