//! The command `predict`.

use crate::args;
use crate::commands::{Outcome, facts, run};
use crate::failure::Failure;
use crate::input;
use crate::output::{Assignments, Staged};
use crate::progress::Progress;
use crate::source::ids;
use ndarray::Array2;
use recluster::explain::{Abstain, Decision, Drift, DriftWatch, Predictor, Surrogate};
use recluster::table::{FileRows, Schema, Table, TableFile};
use recluster::{Error, Run, Saved};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// Rows of a block at most, and its values, about.
const ROWS: usize = 65_536;
const VALUES: usize = 1 << 24;

/// Features whose drift stdout gets.
const TOLD: usize = 10;

pub(crate) fn predict(args: &args::Predict, progress: &Progress) -> Outcome {
    Staged::check([(Some(args.out.as_str()), "csv"), (args.drift_out.as_deref(), "json")])?;
    if Path::new(&args.model).is_dir() {
        return Err(Failure::file(&args.model, "is a folder; the model of a fit is model.json in it"));
    }
    let surrogate = Surrogate::load(&args.model).map_err(|e| match e {
        e @ Error::Io { .. } => e.into(),
        e => Failure::file(&args.model, e),
    })?;
    let abstain = match (args.abstain, args.precision) {
        (Some(share), _) => Abstain::Share(share),
        (None, Some(precision)) => Abstain::Precision(precision),
        (None, None) => Abstain::Never,
    };
    let surrogate = Arc::new(surrogate);
    let predictor = Predictor::new(surrogate.clone(), abstain)?;
    let run: Run = run(&args.common, progress);
    let mut files = Staged::default();
    let mut watch = DriftWatch::new(&surrogate);
    let mut failed = None;
    files.write(&args.out, |out| {
        let mut work = Work { args, predictor: &predictor, run: &run, progress, watch: &mut watch, out, rows: 0 };
        let schema = surrogate.schema().filter(|_| !matches!(input::has_names(&args.common.data), Ok(false)));
        failed = match schema {
            Some(schema) => work.of_table(schema),
            None => work.of_numbers(),
        }
        .err();
        Ok(())
    })?;
    if let Some(failure) = failed {
        return Err(failure);
    }
    let drift = watch.drift();
    if let Some(path) = &args.drift_out {
        let text = serde_json::to_string(&drift).map_err(Failure::data)?;
        files.write(path, |out| out.write_all(text.as_bytes()))?;
    }
    files.commit()?;
    progress.sum_up(in_words(&drift, &args.out));
    let mut facts = facts("predict", (drift.rows, surrogate.model().features()));
    facts.insert("clusters".to_string(), surrogate.classes().len().into());
    facts.insert("threshold".to_string(), predictor.threshold().into());
    facts.insert("drift".to_string(), told(&drift));
    Ok(facts)
}

/// What came of the rows, for whoever watches the terminal.
fn in_words(drift: &Drift, out: &str) -> String {
    let mut lines = vec![format!("{} rows: {out}", drift.rows)];
    lines.extend(drift.unseen.iter().map(|unseen| {
        let levels: Vec<String> = unseen.levels.iter().map(|level| format!("{level:?}")).collect();
        let rows = if unseen.rows == 1 { "1 row has a level" } else { &format!("{} rows have levels", unseen.rows) };
        format!("column {:?}: {rows} that the model does not know: {}", unseen.column, levels.join(", "))
    }));
    // From .25 on a population has changed, as the index is usually read; of a few rows it says nothing.
    let many = drift.rows >= 100;
    let moved: Vec<_> = drift.features.iter().filter(|feature| many && feature.psi >= 0.25).collect();
    if let Some(most) = moved.iter().max_by(|a, b| a.psi.total_cmp(&b.psi)) {
        let (count, all, name) = (moved.len(), drift.features.len(), &most.name);
        lines.push(format!(
            "{count} of {all} features have drifted, most {name:?}: population stability index {:.2}",
            most.psi
        ));
    }
    lines.join("\n")
}

/// The drift without the features that hardly moved.
fn told(drift: &Drift) -> Value {
    let mut features: Vec<_> = drift.features.iter().collect();
    features.sort_by(|a, b| b.psi.total_cmp(&a.psi));
    features.truncate(TOLD);
    json!({"abstained": drift.abstained, "clusters": drift.clusters, "clusters_psi": drift.clusters_psi,
        "features": features, "unseen": drift.unseen})
}

/// What blocks go through; nothing of a block stays but counts.
struct Work<'w, 's> {
    args: &'w args::Predict,
    predictor: &'w Predictor,
    run: &'w Run,
    progress: &'w Progress,
    watch: &'w mut DriftWatch<'s>,
    out: &'w mut dyn Write,
    /// Rows written.
    rows: usize,
}

impl Work<'_, '_> {
    fn block(&self) -> usize {
        (VALUES / self.predictor.surrogate().model().features().max(1)).clamp(256, ROWS)
    }

    /// Rows of numbers, whose columns are the model's.
    fn of_numbers(&mut self) -> Result<(), Failure> {
        let (data, rows, size) = (&self.args.common.data, self.args.common.rows, self.block());
        let predictor = self.predictor;
        let model = predictor.surrogate().model();
        let (names, columns) = (model.feature_names(), Some(model.features()));
        input::blocks_like(data, rows, names, columns, size, &mut |mut table, first| {
            if table.values.nrows() == 0 {
                let (expected, found) = (model.features(), table.values.ncols());
                return match expected == found {
                    true => self.without_rows(&[]),
                    false => Err(table.about(Error::Shape { what: "columns", expected, found })),
                };
            }
            let values: Array2<f32> = std::mem::take(&mut table.values);
            let decided = self.decide(|run| predictor.decide(&values, run)).map_err(|e| table.about_from(e, first))?;
            self.progress.work(|| self.watch.add(&values, &decided))?;
            self.write(&[], &decided)
        })
    }

    /// Rows of a table.
    fn of_table(&mut self, schema: &Schema) -> Result<(), Failure> {
        let (data, rows, size) = (&self.args.common.data, self.args.common.rows, self.block());
        let predictor = self.predictor;
        let mut block = |typed: FileRows| {
            input::tell_of(data, &typed);
            let table: &Table = &typed.table;
            let values = match self.progress.work(|| schema.encode(table)) {
                Ok(values) => values,
                // The right columns, and none who answered: so has the file that is written.
                Err(Error::Empty { rows: 0, .. }) => return self.without_rows(&ids(schema, table)),
                Err(error) => return Err(typed.error(error).into()),
            };
            let decided = self.decide(|run| predictor.decide(&values, run)).map_err(|e| typed.error(e))?;
            let count = || self.watch.add(&values, &decided).and_then(|()| self.watch.add_levels(table));
            self.progress.work(count)?;
            self.write(&ids(schema, table), &decided)
        };
        match rows {
            Some(first) => block(input::typed(data, Some(first))?),
            None => TableFile::open(data)?.blocks(size, block),
        }
    }

    fn decide<'d>(
        &self,
        work: impl FnOnce(&Run) -> recluster::Result<Vec<Decision<'d>>>,
    ) -> recluster::Result<Vec<Decision<'d>>> {
        self.progress.work(|| {
            let stage = self.run.stage("assign", 1);
            let decided = work(self.run)?;
            stage.step(1)?;
            Ok(decided)
        })
    }

    /// Writes a file for a table of the right columns that has no rows.
    fn without_rows(&mut self, ids: &[(&str, &recluster::table::Values)]) -> Result<(), Failure> {
        let none = self.decide(|_| Ok(Vec::new()))?;
        self.write(ids, &none)
    }

    /// Writes the lines of a block, the first after the header line.
    fn write(&mut self, ids: &[(&str, &recluster::table::Values)], decided: &[Decision<'_>]) -> Result<(), Failure> {
        let mut lines = Assignments::decided(ids, self.rows == 0);
        decided
            .iter()
            .enumerate()
            .for_each(|(place, decision)| lines.push_decision(self.rows + place, place, decision));
        self.rows += decided.len();
        self.out.write_all(lines.text.as_bytes()).map_err(|e| Failure::file(&self.args.out, e))
    }
}
