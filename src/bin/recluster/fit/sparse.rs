//! The main job for sparse rows: the tree, the model that stands in for it, and a report of the columns that it uses most.

use super::USUAL_OF_ARRAYS;
use super::plan::{boost, clusterers, embedder, partial, plan, with_second_look};
use super::results::{Findings, TIMED, draft, facts_of, files, in_words};
use crate::args::{self, EmbedMethod};
use crate::commands::{Outcome, facts, refuse, run};
use crate::failure::Failure;
use crate::input::{self, SparseTable};
use crate::insight;
use crate::output::{Assignments, Staged};
use crate::progress::Progress;
use crate::report;
use crate::shown::Shown;
use recluster::embed::Scaling;
use recluster::explain::Surrogate;
use recluster::recursive::{Checkpoint, ClusterTree};
use recluster::{Run, SparseRows};
use std::path::Path;

pub(super) fn fit(args: &args::Fit, progress: &Progress) -> Outcome {
    check_flags(args)?;
    let method = args.embedder.unwrap_or(EmbedMethod::Umap);
    let (embedder, clusterers) = (embedder(args, method)?, clusterers(args, method)?);
    Staged::check_folder(&args.out)?;
    if let Some(folder) =
        args.xgboost_out.as_deref().filter(|folder| Path::new(folder).parent() != Some(Path::new(&args.out)))
    {
        Staged::check_folder(folder)?;
    }
    let text = args.text.as_deref().map(report::text).transpose()?.unwrap_or_default();
    let SparseTable { rows, labels } = input::sparse(&args.common.data, args.common.rows, None)?;
    let classes = match &args.labels {
        Some(path) => Some(input::labels(path, args.common.rows)?),
        None => labels.as_deref().and_then(classes_of),
    };
    if let Some(classes) = classes.as_ref().filter(|classes| classes.len() != rows.rows()) {
        return Err(Failure::data(format!("the data has {} rows, --labels {}", rows.rows(), classes.len())));
    }
    let run = run(&args.common, progress);
    let named = |e| Failure::about(e, None);
    let plan = plan(args, embedder.into(), clusterers, args.evidence.unwrap_or(USUAL_OF_ARRAYS), None)?;
    let plan = with_second_look(plan, args, false);
    let checkpoint = args.resume.then(|| Checkpoint::new(partial(&args.out)));
    let grow = || match &checkpoint {
        Some(checkpoint) => plan.fit_resumable_sparse(&rows, None, checkpoint, &run),
        None => plan.fit_sparse(&rows, &run),
    };
    let tree = progress.work(grow).map_err(named)?;
    let surrogate = progress.work(|| tree.surrogate_sparse(&rows, None, &boost(args), &run)).map_err(named)?;
    let shown = progress.work(|| Shown::of(&rows, &tree, &surrogate))?;
    let rules = progress.work(|| insight::rules(args, &shown.source, &shown.tree, &run)).map_err(named)?;
    let explain = |picked: &[u32]| shown.explained(&rows, picked, &surrogate, &run);
    let seconds = args.timings.then(|| progress.longest(TIMED));
    let found = Findings {
        embedder: args.embedder.unwrap_or(EmbedMethod::Umap),
        surrogate: &surrogate,
        rules: &rules,
        differences: &[],
        outside: &[],
        fidelity: None,
        seconds,
        explain: Some(&explain),
    };
    let draft = progress.work(|| draft(args, &shown.source, &shown.tree, &found, text, &run)).map_err(named)?;
    let html = progress.work(|| draft.render(&tree))?;
    let assignments = progress.work(|| assignments(&rows, &tree, &surrogate, &run)).map_err(named)?;
    let files = files(args, &tree, &found, &draft, &html, &assignments)?;
    let mut facts = facts("fit", (rows.rows(), rows.columns()));
    facts.insert("entries".to_string(), rows.entries().into());
    facts_of(args, &tree, classes.as_deref(), &mut facts)?;
    facts.insert("rules".to_string(), insight::facts_of_rules(&rules));
    files.commit()?;
    progress.sum_up(in_words(&tree, &args.out));
    if let Some(checkpoint) = checkpoint {
        checkpoint.remove()?;
    }
    Ok(facts)
}

/// Refuses what is made from dense tables alone.
fn check_flags(args: &args::Fit) -> Result<(), Failure> {
    refuse("sparse rows", &args.table.given())?;
    let scaled = args.scale.is_some_and(|scaling| scaling != Scaling::None);
    let given = [
        ("--scale", scaled),
        ("--image", args.image.is_some()),
        ("--fidelity", args.fidelity),
        ("--embedder identity", args.embedder == Some(EmbedMethod::Identity)),
    ];
    refuse("sparse rows", &given)
}

/// Labels of the file as known classes, where all are whole numbers from -1 on.
fn classes_of(labels: &[f64]) -> Option<Vec<i32>> {
    labels.iter().map(|&label| i32::try_from(input::whole(label)?).ok().filter(|&class| class >= -1)).collect()
}

/// Row, path in the tree, path by the model, how sure the model is.
fn assignments(rows: &SparseRows, tree: &ClusterTree, surrogate: &Surrogate, run: &Run) -> recluster::Result<String> {
    let stage = run.stage("assign", 1);
    let assigned = surrogate.assign_sparse(rows, run)?;
    let mut lines = Assignments::new(&[]);
    for (row, (path, assigned)) in tree.paths().iter().zip(&assigned).enumerate() {
        lines.push(row, row, &path.to_string(), Some(assigned));
    }
    stage.step(1)?;
    Ok(lines.text)
}
