//! The conformance kit (feature `testing`): does a plug-in keep the promises that the rest of the crate relies on?
//!
//! Give it a [`Clusterer`], an [`Embedder`] or an [`Explainer`]; it runs the plug-in on small tables made for the purpose
//! and reports for each [`Check`] whether it is kept: what was done, what was expected, what the result was, how to fix it.
//!
//! ```
//! use ndarray::ArrayRef2;
//! use recluster::testing::{self, Check};
//! use recluster::{Clusterer, Clustering, Result, Run, check_finite};
//!
//! /// Splits at zero in the first column.
//! struct Sign;
//!
//! impl Clusterer for Sign {
//!     fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering> {
//!         run.stage("sign", 1).check()?; // ends here when the run has been cancelled
//!         check_finite(rows)?;
//!         Clustering::compact(rows.column(0).iter().map(|&x| i32::from(x > 0.0)).collect())
//!     }
//! }
//!
//! let report = testing::clusterer(&Sign).run();
//! println!("{report}");
//! report.assert(); // panics with the report where a check is broken; for use in tests
//! assert!(report.broken().is_empty() && report.kept(Check::RowOrder));
//! ```
//!
//! A promise that a plug-in cannot keep is declared: `testing::clusterer(&mine).allow(Check::RowOrder).run()`. The report
//! still shows the result, and `assert` lets it pass. Panics of a plug-in are caught, and
//! their messages are in the report.

mod answer;
mod check;
mod examination;
mod examine;
mod examiner;
mod invariance;
mod quiet;
mod tables;
mod well_formed;

pub use check::Check;
pub use examination::{Examination, Outcome};

use crate::{Clusterer, Embedder, Explainer, Result, Run};
use answer::Subject;
use ndarray::{Array2, ArrayRef2};

/// A builder of an examination. Made by [`clusterer`], [`embedder`] or [`explainer`].
#[must_use]
pub struct Conformance<'a> {
    subject: Subject<'a>,
    allowed: Vec<Check>,
    rows: Option<Array2<f32>>,
    run: Run,
}

impl std::fmt::Debug for Conformance<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (room, name) = (self.subject.room(), self.subject.name());
        f.debug_struct("Conformance").field(room, &name).field("allowed", &self.allowed).finish_non_exhaustive()
    }
}

/// Examines a clusterer.
pub fn clusterer<C: Clusterer>(clusterer: &C) -> Conformance<'_> {
    Conformance::of(Subject::Clusterer(clusterer))
}

/// Examines an embedder.
pub fn embedder<E: Embedder>(embedder: &E) -> Conformance<'_> {
    Conformance::of(Subject::Embedder(embedder))
}

/// Examines an explainer.
///
/// An explainer belongs to a model, so the kit needs some `rows` that the model can take (a dozen or more, finite), and
/// the model's `outputs` for rows (rows x outputs), to which attributions and base values must add up.
pub fn explainer<'a, X: Explainer>(
    explainer: &'a X,
    rows: &ArrayRef2<f32>,
    outputs: impl Fn(&ArrayRef2<f32>) -> Result<Array2<f64>> + 'a,
) -> Conformance<'a> {
    Conformance::of(Subject::Explainer(explainer, Box::new(outputs))).rows(rows)
}

impl<'a> Conformance<'a> {
    fn of(subject: Subject<'a>) -> Self {
        Conformance { subject, allowed: Vec::new(), rows: None, run: Run::new() }
    }

    /// Declares that the plug-in does not keep a promise: [`Examination::assert`] lets it pass.
    pub fn allow(mut self, check: Check) -> Self {
        self.allowed.push(check);
        self
    }

    /// Ordinary rows that the plug-in must be able to work with, in place of the kit's own 190 rows x 4 columns (three
    /// groups, a few rows between them). A few hundred at most: the plug-in is called some forty times.
    pub fn rows(mut self, rows: &ArrayRef2<f32>) -> Self {
        self.rows = Some(rows.to_owned());
        self
    }

    /// Examines. Cost: some forty calls of the plug-in on a few hundred rows.
    pub fn run(self) -> Examination {
        examine::examine(&self.subject, self.rows, &self.allowed, &self.run)
    }
}
