//! The examination: one check after the other, each with its verdict.

use super::answer::{Answer, Call, Subject};
use super::{Check, Report, Verdict, tables};
use crate::{Cancel, Clustering, Error, Event, NOISE, Observer, Run};
use ndarray::{Array2, ArrayRef2, Axis, ShapeBuilder};

/// How far attributions may miss the model's outputs, as a share of the largest.
const ADDITIVITY: f64 = 1e-6;

struct Examiner<'a> {
    subject: &'a Subject<'a>,
    allowed: &'a [Check],
    run: &'a Run,
    verdicts: Vec<(Check, Verdict)>,
    /// The first panic: what was done, what it said.
    panic: Option<(String, String)>,
}

/// A broken promise: what was done, what came.
type Fault = (String, String);

pub(super) fn examine(subject: &Subject<'_>, rows: Option<Array2<f32>>, allowed: &[Check], run: &Run) -> Report {
    let mut examiner = Examiner { subject, allowed, run, verdicts: Vec::new(), panic: None };
    let rows = rows.unwrap_or_else(tables::groups);
    examiner.ordinary(&rows);
    examiner.odd(&rows);
    let panic = examiner.panic.take();
    examiner.judge(Check::Panics, panic);
    let (room, name) = (subject.room(), subject.name());
    let mut verdicts = examiner.verdicts;
    verdicts.sort_by_key(|(check, _)| *check);
    Report { room, name, verdicts }
}

impl Examiner<'_> {
    fn judge(&mut self, check: Check, fault: Option<Fault>) {
        let allowed = self.allowed.contains(&check);
        let verdict = fault.map_or(Verdict::Kept, |(done, came)| Verdict::Broken { done, came, allowed });
        self.verdicts.push((check, verdict));
    }

    fn leave(&mut self, checks: &[Check], reason: &str) {
        for &check in checks {
            self.verdicts.push((check, Verdict::NotJudged { reason: reason.to_string() }));
        }
    }

    /// An answer or an error; a panic is written down, and is neither.
    fn call(&mut self, done: &str, rows: &ArrayRef2<f32>, run: &Run) -> Option<Result<Answer, Error>> {
        match self.subject.call(rows, run) {
            Call::Answer(answer) => Some(Ok(answer)),
            Call::Error(error) => Some(Err(error)),
            Call::Panic(said) => {
                self.panic.get_or_insert_with(|| (done.to_string(), format!("a panic: {said}")));
                None
            }
        }
    }

    fn ordinary(&mut self, rows: &ArrayRef2<f32>) {
        use Check::{Determinism, Duplicates, Layout, RowOrder, Seed, Threads};
        let clusterer = matches!(self.subject, Subject::Clusterer(_));
        let mut rest = vec![Determinism, Seed, Threads, RowOrder, Duplicates, Layout, Check::Cancellation];
        rest.extend(match self.subject {
            Subject::Clusterer(_) => vec![Check::Numbering],
            Subject::Embedder(_) => vec![],
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
                self.leave(&left, reason);
                self.leave(&rest, reason);
                self.leave(&[Check::Shape], reason);
                if labels {
                    self.leave(&[Check::Answers], reason);
                }
                return;
            }
            None => {
                let reason = "it panicked on ordinary rows";
                self.leave(kinds, reason);
                self.leave(&rest, reason);
                self.leave(&[Check::Answers, Check::Shape], reason);
                return;
            }
        };
        self.judge(Check::Answers, None);
        let shape = shape(&first, rows);
        let bad_shape = shape.is_some();
        self.judge(Check::Shape, shape.map(|came| (what.clone(), came)));
        if bad_shape {
            let reason = "the answer has not the table's shape";
            self.leave(kinds, reason);
            self.leave(&rest, reason);
            return;
        }
        match &first {
            Answer::Clusters(clusters) => {
                let faults = [labels(clusters), noise(clusters), membership(clusters)];
                for (check, fault) in kinds.iter().zip(faults) {
                    self.judge(*check, fault.map(|came| (what.clone(), came)));
                }
            }
            Answer::Places(_) | Answer::Values(_) => {
                self.judge(Check::Finite, first.not_finite().map(|came| (what.clone(), came)));
            }
        }
        self.additivity(rows, &first);
        self.cancellation(rows);
        self.repeated(rows, &first);
    }

    /// What must not change the answer.
    fn repeated(&mut self, rows: &ArrayRef2<f32>, first: &Answer) {
        let all: Vec<usize> = (0..rows.nrows()).collect();
        let again = self.other("called it twice with the same rows and run", rows, self.run, first, &all);
        let stable = again.is_none();
        self.judge(Check::Determinism, again);
        if !stable {
            let mut left = vec![Check::Seed, Check::Threads, Check::RowOrder, Check::Duplicates, Check::Layout];
            if matches!(self.subject, Subject::Clusterer(_)) {
                left.push(Check::Numbering);
            }
            return self.leave(&left, "two calls that are the same differ already");
        }
        let (one, two) = (self.run.clone().seed(1), self.run.clone().seed(2));
        let mut fault = None;
        if let Some(Ok(with_one)) = self.call("called it with seed 1", rows, &one) {
            self.call("called it with seed 2", rows, &two);
            fault = self.other("called it with seeds 1, 2 and 1 again", rows, &one, &with_one, &all);
        }
        self.judge(Check::Seed, fault);
        let mut fault = None;
        for threads in [1, 2, 4] {
            let run = self.run.clone().threads(threads);
            fault = fault.or_else(|| {
                let done = format!("called it with Run::threads({threads})");
                self.other(&done, rows, &run, first, &all)
            });
        }
        self.judge(Check::Threads, fault);
        // A table as `t()` gives it: row i, column j lies at j x rows + i.
        let mut by_column = Array2::zeros(rows.raw_dim().f());
        by_column.assign(rows);
        let fault = self.other("gave it the rows stored column by column", &by_column, self.run, first, &all);
        self.judge(Check::Layout, fault);
        self.duplicates(rows);
        self.row_order(rows, first);
    }

    fn duplicates(&mut self, rows: &ArrayRef2<f32>) {
        let table = tables::threefold(rows);
        let done = format!("gave it {} rows, each of them three times", table.nrows() / 3);
        let fault = match self.call(&done, &table, self.run) {
            Some(Ok(answer)) if answer.rows() == table.nrows() => answer.unlike_twins(&table),
            Some(Ok(answer)) => Some(format!("{} rows for {}", answer.rows(), table.nrows())),
            Some(Err(error)) => Some(format!("the error \"{error}\"")),
            None => return self.leave(&[Check::Duplicates], "it panicked"),
        };
        self.judge(Check::Duplicates, fault.map(|came| (done, came)));
    }

    fn row_order(&mut self, rows: &ArrayRef2<f32>, first: &Answer) {
        let ties = tables::ties(rows.ncols());
        let mut faults: [Option<Fault>; 2] = [None, None];
        let clusterer = matches!(self.subject, Subject::Clusterer(_));
        let tied = self.call("gave it rows with many ties", &ties, self.run);
        let tied = tied.and_then(Result::ok).filter(|answer| answer.rows() == ties.nrows());
        let cases = [("ordinary rows", rows, Some(first)), ("rows with many ties", &ties, tied.as_ref())];
        for (name, table, expected) in cases {
            let Some(expected) = expected else { continue };
            let n = table.nrows();
            for (how, order) in [
                ("backwards", (0..n).rev().collect::<Vec<_>>()),
                ("shuffled", tables::shuffled(n, 5)),
                ("shuffled otherwise", tables::shuffled(n, 6)),
            ] {
                let done = format!("gave it {name} {how}");
                let turned = table.select(Axis(0), &order);
                match self.call(&done, &turned, self.run) {
                    Some(Ok(answer)) => {
                        let grouped = expected.differs(&answer, &order, !clusterer);
                        if clusterer && grouped.is_none() {
                            let numbered = expected.differs(&answer, &order, true);
                            faults[1] = faults[1].take().or(numbered.map(|came| (done.clone(), came)));
                        }
                        faults[0] = faults[0].take().or(grouped.map(|came| (done, came)));
                    }
                    Some(Err(error)) => {
                        let came = format!("the error \"{error}\", where the order before gave an answer");
                        faults[0] = faults[0].take().or(Some((done, came)));
                    }
                    None => {}
                }
            }
        }
        let [grouped, numbered] = faults;
        let regrouped = grouped.is_some();
        self.judge(Check::RowOrder, grouped);
        if clusterer && regrouped {
            self.leave(&[Check::Numbering], "rows in another order are grouped otherwise");
        } else if clusterer {
            self.judge(Check::Numbering, numbered);
        }
    }

    /// Whether a call gives another answer than `expected`. A panic is judged elsewhere.
    fn other(
        &mut self,
        done: &str,
        rows: &ArrayRef2<f32>,
        run: &Run,
        expected: &Answer,
        order: &[usize],
    ) -> Option<Fault> {
        let came = match self.call(done, rows, run)? {
            Ok(answer) => expected.differs(&answer, order, true)?,
            Err(error) => format!("the error \"{error}\", where an answer came before"),
        };
        Some((done.to_string(), came))
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
                self.run.clone().cancel(during.clone()).observer(AtFirstSign(during)),
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

    /// Tables at the edges, and values that are no numbers.
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

    /// What is wrong with an answer for an odd table, if its kind of fault did not show on ordinary rows already.
    fn malformed(&self, answer: &Answer, table: &ArrayRef2<f32>) -> Option<String> {
        let known = |check| self.verdicts.iter().any(|(c, v)| *c == check && *v != Verdict::Kept);
        let fault = |check, fault: Option<String>| if known(check) { None } else { fault };
        let shape = fault(Check::Shape, shape(answer, table));
        if known(Check::Shape) || shape.is_some() {
            return shape;
        }
        match answer {
            Answer::Clusters(c) => fault(Check::Labels, labels(c))
                .or_else(|| fault(Check::Noise, noise(c)))
                .or_else(|| fault(Check::Membership, membership(c))),
            Answer::Places(_) | Answer::Values(_) => fault(Check::Finite, answer.not_finite()),
        }
    }
}

/// Cancels a run at its first event.
struct AtFirstSign(Cancel);

impl Observer for AtFirstSign {
    fn event(&self, _: &Event<'_>) {
        self.0.cancel();
    }
}

fn shape(answer: &Answer, table: &ArrayRef2<f32>) -> Option<String> {
    let (rows, columns) = table.dim();
    match answer {
        Answer::Clusters(c) if c.labels().len() != rows => Some(format!("{} labels for {rows} rows", c.labels().len())),
        Answer::Clusters(c) if c.membership().len() != rows => {
            Some(format!("{} memberships for {rows} rows", c.membership().len()))
        }
        Answer::Places(p) if p.nrows() != rows => Some(format!("{} positions for {rows} rows", p.nrows())),
        Answer::Places(p) if p.ncols() == 0 => Some("positions without coordinates".to_string()),
        Answer::Values(v) if (v.values().dim().0, v.values().dim().1) != (rows, columns) || v.base().is_empty() => {
            let found = v.values().dim();
            Some(format!("attributions of {found:?}, where (row, feature, output) has to begin ({rows}, {columns}"))
        }
        _ => None,
    }
}

fn labels(clusters: &Clustering) -> Option<String> {
    let largest = clusters.clusters() as i64;
    for (row, &label) in clusters.labels().iter().enumerate() {
        if label < NOISE || i64::from(label) >= largest {
            return Some(format!("label {label} for row {row}, of {largest} clusters"));
        }
    }
    (0..clusters.clusters())
        .find(|&c| !clusters.labels().contains(&(c as i32)))
        .map(|empty| format!("{largest} clusters, of which number {empty} has no row"))
}

fn noise(clusters: &Clustering) -> Option<String> {
    let mut pairs = clusters.labels().iter().zip(clusters.membership());
    let row = pairs.position(|(&label, &m)| label == NOISE && m != 0.0)?;
    Some(format!("membership {} for row {row}, which is noise", clusters.membership()[row]))
}

fn membership(clusters: &Clustering) -> Option<String> {
    if let Some(row) = clusters.membership().iter().position(|m| !(0.0..=1.0).contains(m)) {
        return Some(format!("membership {} for row {row}", clusters.membership()[row]));
    }
    let persistence = clusters.persistence()?;
    if persistence.len() != clusters.clusters() {
        return Some(format!("{} persistences for {} clusters", persistence.len(), clusters.clusters()));
    }
    let bad = persistence.iter().position(|p| !(0.0..=1.0).contains(p))?;
    Some(format!("persistence {} of cluster {bad}", persistence[bad]))
}
