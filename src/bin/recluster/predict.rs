//! The command `predict`.

use crate::args;
use crate::commands::{Outcome, facts, run};
use crate::failure::Failure;
use crate::input;
use crate::output::Staged;
use crate::progress::Progress;
use recluster::explain::Surrogate;
use recluster::{Run, Saved};

pub(crate) fn predict(args: &args::Predict, progress: &Progress) -> Outcome {
    Staged::check([args.out.as_str()])?;
    let surrogate = Surrogate::load(&args.model).map_err(|e| match e {
        e @ recluster::Error::Io { .. } => e.into(),
        e => Failure::file(&args.model, e),
    })?;
    let data = input::table_like(&args.common.data, args.common.rows, surrogate.model().feature_names())?;
    let run: Run = run(&args.common, progress);
    let assigned = progress.work(|| {
        let stage = run.stage("assign", 1);
        let assigned = surrogate.assign(&data.values, &run)?;
        stage.step(1)?;
        Ok(assigned)
    });
    let assigned = assigned.map_err(|e| data.about(e))?;
    let mut files = Staged::default();
    files.write(&args.out, |out| {
        writeln!(out, "row,assigned,confidence")?;
        let mut rows = assigned.iter().enumerate();
        rows.try_for_each(|(row, to)| writeln!(out, "{row},{},{:.6}", to.path, to.confidence))
    })?;
    files.commit()?;
    let mut facts = facts("predict", &data);
    facts.insert("clusters".to_string(), surrogate.classes().len().into());
    Ok(facts)
}
