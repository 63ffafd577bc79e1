//! The main job: the tree, the model that stands in for it, the report.

mod plan;
mod results;
mod sparse;

use crate::args::{self, ClusterMethod, EmbedMethod, EvidencePolicy};
use crate::commands::{facts, run};
use crate::failure::Failure;
use crate::input;
use crate::insight;
use crate::output::{Assignments, Staged};
use crate::progress::Progress;
use crate::report;
use crate::source::Source;
use plan::{are_few_numbers, boost, clusterers, embedder, method, partial, plan, usual_second_look, with_second_look};
use recluster::embed::{Questions, Scaled};
use recluster::explain::Surrogate;
use recluster::recursive::{Checkpoint, ClusterTree};
use recluster::{Embedder, Run};
use results::{Findings, TIMED, draft, facts_of, files, in_words};
use serde_json::{Map, Value};
use std::path::Path;
use std::sync::Arc;

pub(crate) fn fit(args: &args::Fit, progress: &Progress) -> Result<Map<String, Value>, Failure> {
    if input::is_sparse(&args.common.data)? {
        return sparse::fit(args, progress);
    }
    // Flags that do not go together are refused before the data are read.
    embedder(args, args.embedder.unwrap_or(EmbedMethod::Umap))?;
    clusterers(args, args.embedder.unwrap_or(EmbedMethod::Umap))?;
    Staged::check_folder(&args.out)?;
    let text = args.text.as_deref().map(report::text).transpose()?.unwrap_or_default();
    if let Some(folder) =
        args.xgboost_out.as_deref().filter(|folder| Path::new(folder).parent() != Some(Path::new(&args.out)))
    {
        Staged::check_folder(folder)?;
    }
    let data = Source::read(args)?;
    if let Some((width, height)) = args.image.filter(|(w, h)| w.saturating_mul(*h) != data.values.ncols()) {
        let columns = data.values.ncols();
        return Err(Failure::data(format!(
            "--image {width}x{height} needs that many pixels, the data has {columns} columns"
        )));
    }
    if data.weights.is_some() && args.clusterer != ClusterMethod::Hdbscan {
        let clusterer = args::value_name(args.clusterer);
        return Err(Failure::Usage(format!("{clusterer} has no place for weights, hdbscan has")));
    }
    let run = run(&args.common, progress);
    let named = |e| data.about(e);
    let method = method(args, &data);
    let embedder = embedder(args, method)?;
    let embedder: Arc<dyn Embedder> = match data.questions() {
        Some(questions) => Arc::new(Questions::new(embedder, &questions.schema)),
        None => Arc::new(Scaled::new(embedder, args.scale.unwrap_or_default())),
    };
    let schema = data.questions().map(|questions| &questions.schema);
    let evidence = evidence(args, &data, method);
    let plan = plan(args, embedder, clusterers(args, method)?, evidence, schema)?;
    let plan = with_second_look(plan, args, usual_second_look(args, method, evidence));
    let mut boost = boost(args);
    if let Some(questions) = data.questions() {
        boost = boost.categorical(&questions.schema.categorical());
    }
    let checkpoint = args.resume.then(|| Checkpoint::new(partial(&args.out)));
    let grow = || match (&data.weights, &checkpoint) {
        (Some(weights), Some(checkpoint)) => plan.fit_resumable_weighted(&data.values, weights, checkpoint, &run),
        (None, Some(checkpoint)) => plan.fit_resumable(&data.values, checkpoint, &run),
        (Some(weights), None) => plan.fit_weighted(&data.values, weights, &run),
        (None, None) => plan.fit(&data.values, &run),
    };
    let tree = progress.work(grow).map_err(named)?;
    let weights = data.weights.as_deref();
    let train = || match (args.fidelity, weights) {
        (true, _) => tree.surrogate_with_fidelity(&data.values, weights, &boost, &run),
        (false, Some(weights)) => Ok((tree.surrogate_weighted(&data.values, weights, &boost, &run)?, Vec::new())),
        (false, None) => Ok((tree.surrogate(&data.values, &boost, &run)?, Vec::new())),
    };
    let (mut surrogate, levels) = progress.work(train).map_err(named)?;
    let siblings = match args.fidelity {
        true => progress.work(|| tree.sibling_fidelity(&data.values, weights, &boost, &run)).map_err(named)?,
        false => Vec::new(),
    };
    match (data.questions(), &data.names) {
        (Some(questions), _) => surrogate = surrogate.with_schema(questions.schema.clone())?,
        (None, Some(names)) => surrogate = surrogate.with_feature_names(names.clone())?,
        (None, None) => {}
    }
    let rules = progress.work(|| insight::rules(args, &data, &tree, &run)).map_err(named)?;
    let differences = progress.work(|| insight::differences(&data, &tree, &surrogate, &run)).map_err(named)?;
    let outside = progress.work(|| insight::outside(&data, &tree, &run)).map_err(named)?;
    let fidelity = levels.last().map(|deepest| &deepest.fidelity);
    let seconds = args.timings.then(|| progress.longest(TIMED));
    let explain = None;
    let found = Findings {
        embedder: method,
        surrogate: &surrogate,
        rules: &rules,
        differences: &differences,
        outside: &outside,
        fidelity,
        seconds,
        explain,
    };
    let draft = progress.work(|| draft(args, &data, &tree, &found, text, &run)).map_err(named)?;
    let html = progress.work(|| draft.render(&tree))?;
    let assignments = progress.work(|| assignments(&data, &tree, &surrogate, &run)).map_err(named)?;
    let files = files(args, &tree, &found, &draft, &html, &assignments)?;
    let mut facts = facts("fit", data.values.dim());
    facts_of(args, &tree, data.classes.as_deref(), &mut facts)?;
    facts.insert("rules".to_string(), insight::facts_of_rules(&rules));
    if !outside.is_empty() {
        facts.insert("outside".to_string(), insight::facts_of_outside(&outside));
    }
    if args.fidelity {
        facts.insert("fidelity".to_string(), insight::facts_of_fidelity(&levels, &siblings));
    }
    if let Some(questions) = data.questions() {
        let set_aside: Map<String, Value> =
            questions.schema.set_aside().map(|(name, reason)| (name.to_string(), reason.into())).collect();
        facts.insert("set_aside".to_string(), set_aside.into());
        facts.insert("rows_set_aside".to_string(), (questions.rows() - data.values.nrows()).into());
    }
    files.commit()?;
    progress.sum_up(in_words(&tree, &args.out));
    if let Some(checkpoint) = checkpoint {
        checkpoint.remove()?;
    }
    Ok(facts)
}

const USUAL_OF_ARRAYS: EvidencePolicy = EvidencePolicy::Mark;

/// A space made of levels shows gaps where there are none more often than one of numbers. In a few columns of numbers, as they
/// are, gaps are what they seem, and the tests miss small clusters that they show; of arrays they refuse classes that touch.
fn evidence(args: &args::Fit, data: &Source, method: EmbedMethod) -> EvidencePolicy {
    let usual = match data.questions() {
        Some(_) if are_few_numbers(data) && method == EmbedMethod::Identity => EvidencePolicy::Mark,
        Some(_) => EvidencePolicy::Require,
        None => USUAL_OF_ARRAYS,
    };
    args.evidence.unwrap_or(usual)
}

/// Row, what names it, path in the tree, path by the model, how sure the model is.
fn assignments(data: &Source, tree: &ClusterTree, surrogate: &Surrogate, run: &Run) -> recluster::Result<String> {
    let stage = run.stage("assign", 1);
    let assigned = surrogate.assign(&data.values, run)?;
    let (ids, kept) = data.questions().map_or((Vec::new(), None), |q| (q.ids(), q.kept.as_deref()));
    let paths: Vec<String> = tree.paths().iter().map(ToString::to_string).collect();
    let mut lines = Assignments::new(&ids);
    let mut fitted = 0;
    for row in 0..data.rows() {
        // Rows that are set aside are nowhere.
        if kept.is_some_and(|kept| kept.get(fitted).is_none_or(|&next| next as usize != row)) {
            lines.push(row, row, "-", None);
        } else {
            lines.push(row, row, &paths[fitted], Some(&assigned[fitted]));
            fitted += 1;
        }
    }
    stage.step(1)?;
    Ok(lines.text)
}
