//! The command `predict`.

use crate::args;
use crate::commands::{Outcome, facts, run};
use crate::failure::Failure;
use crate::input::{self, Typed};
use crate::output::{Assignments, Staged};
use crate::progress::Progress;
use crate::source::{Like, ids};
use recluster::explain::{Assignment, Surrogate};
use recluster::table::Schema;
use recluster::{Run, Saved};

pub(crate) fn predict(args: &args::Predict, progress: &Progress) -> Outcome {
    Staged::check([args.out.as_str()])?;
    let surrogate = Surrogate::load(&args.model).map_err(|e| match e {
        e @ recluster::Error::Io { .. } => e.into(),
        e => Failure::file(&args.model, e),
    })?;
    let run: Run = run(&args.common, progress);
    let mut files = Staged::default();
    let schema = surrogate.schema().filter(|_| !matches!(input::has_names(&args.common.data), Ok(false)));
    let (shape, text) = match schema {
        Some(schema) => of_table(args, &surrogate, schema, &run, progress)?,
        None => of_numbers(args, &surrogate, &run, progress)?,
    };
    files.write(&args.out, |out| out.write_all(text.as_bytes()))?;
    files.commit()?;
    let mut facts = facts("predict", shape);
    facts.insert("clusters".to_string(), surrogate.classes().len().into());
    Ok(facts)
}

/// Rows of a block.
const ROWS: usize = 65_536;

type Done = Result<((usize, usize), String), Failure>;

/// Rows of numbers, whose columns are the model's.
fn of_numbers(args: &args::Predict, surrogate: &Surrogate, run: &Run, progress: &Progress) -> Done {
    let data = Like::read(&args.common.data, args.common.rows, None, surrogate.model().feature_names())?;
    let assigned = progress.work(|| assign(run, || surrogate.assign(&data.values, run)));
    let assigned = assigned.map_err(|e| data.about(e))?;
    let mut lines = Assignments::new(&[], false);
    assigned.iter().enumerate().for_each(|(row, to)| lines.push(row, row, None, Some(to)));
    Ok((data.values.dim(), lines.text))
}

/// Rows of a table, block by block: the table may be larger than memory.
fn of_table(args: &args::Predict, surrogate: &Surrogate, schema: &Schema, run: &Run, progress: &Progress) -> Done {
    let (mut rows, mut text) = (0, String::new());
    let mut block = |typed: Typed| {
        typed.notes.iter().for_each(|note| eprintln!("recluster: {}: {note}", args.common.data));
        let assigned = progress.work(|| assign(run, || surrogate.assign_table(&typed.table, run)));
        let assigned = assigned.map_err(|e| typed.about(e))?;
        let ids = ids(schema, &typed.table);
        let mut lines = Assignments::new(&ids, false);
        assigned.iter().enumerate().for_each(|(place, to)| lines.push(rows + place, place, None, Some(to)));
        // One header line for all blocks.
        let from = if rows == 0 { 0 } else { lines.text.find('\n').map_or(0, |end| end + 1) };
        text += &lines.text[from..];
        rows += assigned.len();
        Ok(())
    };
    match args.common.rows {
        Some(first) => block(input::typed(&args.common.data, Some(first))?)?,
        None => input::blocks(&args.common.data, ROWS, &mut block)?,
    }
    Ok(((rows, surrogate.model().features()), text))
}

fn assign<'s>(
    run: &Run,
    work: impl FnOnce() -> recluster::Result<Vec<Assignment<'s>>>,
) -> recluster::Result<Vec<Assignment<'s>>> {
    let stage = run.stage("assign", 1);
    let assigned = work()?;
    stage.step(1)?;
    Ok(assigned)
}
