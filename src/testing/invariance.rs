//! What must not change an answer: repetition, seeds, threads, layout, equal rows, the order of the rows.

use super::answer::{Answer, Call, Subject};
use super::examiner::{Examiner, Fault};
use super::{Check, tables};
use crate::Run;
use ndarray::{Array2, ArrayRef2, Axis, ShapeBuilder};

impl Examiner<'_> {
    pub(super) fn repeated(&mut self, rows: &ArrayRef2<f32>, first: &Answer) {
        let all: Vec<usize> = (0..rows.nrows()).collect();
        let again = self.changed("called it twice with the same rows and run", rows, self.run, first, &all);
        let stable = again.is_none();
        self.judge(Check::Determinism, again);
        if !stable {
            let mut left = vec![Check::Seed, Check::Threads, Check::RowOrder, Check::Duplicates, Check::Layout];
            left.extend(match self.subject {
                Subject::Clusterer(_) => vec![Check::Provided, Check::Numbering],
                Subject::Embedder(_) => vec![Check::Provided],
                Subject::Explainer(..) => vec![],
            });
            return self.not_judged(&left, "two calls that are the same differ already");
        }
        let (one, two) = (self.run.clone().seed(1), self.run.clone().seed(2));
        let mut fault = None;
        if let Some(Ok(with_one)) = self.call("called it with seed 1", rows, &one) {
            self.call("called it with seed 2", rows, &two);
            fault = self.changed("called it with seeds 1, 2 and 1 again", rows, &one, &with_one, &all);
        }
        self.judge(Check::Seed, fault);
        let mut fault = None;
        for threads in [1, 2, 4] {
            let run = self.run.clone().threads(threads);
            fault = fault.or_else(|| {
                let done = format!("called it with Run::threads({threads})");
                self.changed(&done, rows, &run, first, &all)
            });
        }
        self.judge(Check::Threads, fault);
        // A table as `t()` gives it: row i, column j lies at j x rows + i.
        let mut by_column = Array2::zeros(rows.raw_dim().f());
        by_column.assign(rows);
        let fault = self.changed("gave it the rows stored column by column", &by_column, self.run, first, &all);
        self.judge(Check::Layout, fault);
        self.provided(rows, first);
        self.duplicates(rows);
        self.row_order(rows, first);
    }

    fn provided(&mut self, rows: &ArrayRef2<f32>, first: &Answer) {
        if matches!(self.subject, Subject::Explainer(..)) {
            return;
        }
        let all: Vec<usize> = (0..rows.nrows()).collect();
        let mut fault = None;
        for (method, call) in self.subject.by_provided(rows, self.run) {
            let came = match call {
                Call::Answer(answer) if answer.rows() != rows.nrows() => Some(format!("{} rows", answer.rows())),
                Call::Answer(answer) => first.differs(&answer, &all, true),
                Call::Error(error) => Some(format!("the error \"{error}\"")),
                Call::Panic(said) => Some(format!("a panic: {said}")),
            };
            fault = fault.or(came.map(|came| (format!("called {method} with the same rows and run"), came)));
        }
        self.judge(Check::Provided, fault);
    }

    fn duplicates(&mut self, rows: &ArrayRef2<f32>) {
        let table = tables::threefold(rows);
        let done = format!("gave it {} rows, each of them three times", table.nrows() / 3);
        let fault = match self.call(&done, &table, self.run) {
            Some(Ok(answer)) if answer.rows() == table.nrows() => answer.unequal_duplicates(&table),
            Some(Ok(answer)) => Some(format!("{} rows for {}", answer.rows(), table.nrows())),
            Some(Err(error)) => Some(format!("the error \"{error}\"")),
            None => return self.not_judged(&[Check::Duplicates], "it panicked"),
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
            self.not_judged(&[Check::Numbering], "rows in another order are grouped otherwise");
        } else if clusterer {
            self.judge(Check::Numbering, numbered);
        }
    }

    /// How a call's answer differs from `expected`. A panic is judged elsewhere.
    fn changed(
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
}
