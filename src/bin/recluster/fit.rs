//! The main job: the tree, the model that stands in for it, the report.

use crate::args::{self, ClusterMethod, EmbedMethod, EvidencePolicy};
use crate::commands::{facts, refuse, run};
use crate::failure::Failure;
use crate::fit_sparse;
use crate::input;
use crate::insight;
use crate::method;
use crate::names;
use crate::output::{Assignments, Staged};
use crate::progress::Progress;
use crate::report;
use crate::source::Source;
use recluster::boost::Boost;
use recluster::cluster::Hdbscan;
use recluster::embed::{Identity, Pca, Questions, RandomProjection, Scaled, Umap};
use recluster::evidence::{HeldOut, Policy};
use recluster::explain::{ClusterRules, Difference, Fidelity, OutsideVariable, Surrogate};
use recluster::recursive::{Checkpoint, ClusterTree, RecursiveTree, Repeats};
use recluster::report::{Draft, Report, Text};
use recluster::validity::adjusted_rand;
use recluster::{Clusterer, Embedder, Explanation, Run, Saved, Size};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows that are explained one by one, where the report does not choose.
const EXPLAINED: usize = 2000;

pub(crate) fn fit(args: &args::Fit, progress: &Progress) -> Result<Map<String, Value>, Failure> {
    if input::is_sparse(&args.common.data)? {
        return fit_sparse::fit(args, progress);
    }
    let (embedder, [root, below]) = (embedder(args)?, clusterers(args)?);
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
    let embedder: Arc<dyn Embedder> = match data.questions() {
        Some(questions) => Arc::new(Questions::new(embedder, &questions.schema)),
        None => Arc::new(Scaled::new(embedder, args.scale.unwrap_or_default())),
    };
    let plan = plan(args, embedder, [root, below], evidence(args, &data))?;
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
    let told = Told {
        surrogate: &surrogate,
        rules: &rules,
        differences: &differences,
        outside: &outside,
        fidelity,
        seconds,
        explain,
    };
    let draft = progress.work(|| draft(args, &data, &tree, &told, text, &run)).map_err(named)?;
    let html = progress.work(|| draft.render(&tree))?;
    let assignments = progress.work(|| assignments(&data, &tree, &surrogate, &run)).map_err(named)?;
    let mut files = files(args, &tree, &told, &draft, &html, &assignments)?;
    if !outside.is_empty() {
        let text = insight::lines_of_outside(&outside, &tree);
        files.write(Path::new(&args.out).join("outside.csv"), |out| out.write_all(text.as_bytes()))?;
    }
    let mut facts = facts("fit", data.values.dim());
    facts_of(&tree, &mut facts);
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
    if let Some(classes) = &data.classes {
        facts.insert("best_node_f".to_string(), tree.best_node_f(classes, args.depth)?.into());
        facts.insert("ari".to_string(), adjusted_rand(&tree.leaf_labels(), classes)?.into());
    }
    files.commit()?;
    if let Some(checkpoint) = checkpoint {
        checkpoint.remove()?;
    }
    Ok(facts)
}

/// A plan whose parts the arguments choose.
type Plan = RecursiveTree<Arc<dyn Embedder>, Arc<dyn Clusterer>>;

/// The plan of the tree.
pub(crate) fn plan(
    args: &args::Fit,
    embedder: Arc<dyn Embedder>,
    [root, below]: [Arc<dyn Clusterer>; 2],
    evidence: EvidencePolicy,
) -> Result<Plan, Failure> {
    let mut plan = RecursiveTree::by_node(
        move |_| embedder.clone(),
        move |node| if node.level() == 1 { root.clone() } else { below.clone() },
    )
    .levels(args.depth)
    .min_size(args.min_node_share)
    .noise_again(args.noise_again);
    let policy = match evidence {
        EvidencePolicy::Require => Some(Policy::Require),
        EvidencePolicy::Mark => Some(Policy::Mark),
        EvidencePolicy::Off => None,
    };
    if policy.is_none() {
        refuse("--evidence off", &[("--alpha", args.alpha.is_some())])?;
    }
    let alpha = args.alpha.unwrap_or(0.05);
    if let Some(policy) = policy {
        plan = plan.judge(HeldOut::new().alpha(alpha).policy(policy));
    }
    if let Some(repeats) = consensus(args) {
        plan = plan.consensus(repeats);
    }
    if let Some(runs) = args.stability {
        plan = plan.stability(runs);
    }
    Ok(plan)
}

/// The model that stands in for the tree.
pub(crate) fn boost(args: &args::Fit) -> Boost {
    Boost::new()
        .rounds(args.rounds)
        .max_depth(args.max_depth)
        .shuffled_rows(args.shuffled_rows)
        .guard_rows(args.guard_rows)
}

/// The files of a fit, not yet under their names.
pub(crate) fn files(
    args: &args::Fit,
    tree: &ClusterTree,
    told: &Told<'_>,
    draft: &Draft,
    html: &str,
    assignments: &str,
) -> Result<Staged, Failure> {
    let (tree_json, model_json, draft_json) = (tree.to_json()?, told.surrogate.to_json()?, draft.to_json()?);
    let mut files = Staged::default();
    files.folder(&args.out)?;
    for (name, text) in [
        ("report.html", html),
        ("report.md", &recluster::report::markdown(html)),
        ("tree.json", &tree_json),
        ("assignments.csv", assignments),
        ("model.json", &model_json),
        ("rules.csv", &insight::lines(told.rules)),
        (names::FILE, &names::lines(tree, draft)),
        (report::DRAFT, &draft_json),
    ] {
        files.write(Path::new(&args.out).join(name), |out| out.write_all(text.as_bytes()))?;
    }
    if let Some(folder) = &args.xgboost_out {
        files.folder(folder)?;
        for (name, text) in told.surrogate.xgboost_files()? {
            files.write(Path::new(folder).join(name), |out| out.write_all(text.as_bytes()))?;
        }
    }
    Ok(files)
}

/// What the tree is, for stdout.
pub(crate) fn facts_of(tree: &ClusterTree, facts: &mut Map<String, Value>) {
    facts.insert("leaves".to_string(), tree.leaves().count().into());
    facts.insert("levels".to_string(), tree.levels().into());
    facts.insert("noise".to_string(), tree.nodes().iter().map(|node| node.noise()).sum::<usize>().into());
    facts.insert("coverage".to_string(), json!(tree.coverage()));
    facts.insert("nodes".to_string(), nodes(tree));
}

/// Where finished nodes are kept: beside the output or, where the output is a folder without a name such as `.`, in it.
pub(crate) fn partial(out: &str) -> PathBuf {
    let out = Path::new(out);
    match out.file_name() {
        Some(name) => out.with_file_name(format!("{}.partial", name.display())),
        None => out.join("fit.partial"),
    }
}

/// Larger nodes are stable enough by their size, and would take long.
fn consensus(args: &args::Fit) -> Option<Repeats> {
    let repeats = args.consensus.map_or(Repeats::new(10).most_rows(30_000), Repeats::new);
    (args.consensus != Some(1)).then_some(repeats)
}

/// A space made of levels shows gaps where there are none more often than one of numbers; tests are cheap there.
fn evidence(args: &args::Fit, data: &Source) -> EvidencePolicy {
    let usual = if data.questions().is_some() { EvidencePolicy::Require } else { EvidencePolicy::Off };
    args.evidence.unwrap_or(usual)
}

pub(crate) fn embedder(args: &args::Fit) -> Result<Box<dyn Embedder>, Failure> {
    let components = args.components.unwrap_or(2);
    let for_umap = [
        ("--neighbors", args.neighbors.is_some()),
        ("--min-dist", args.min_dist.is_some()),
        ("--umap-metric", args.umap_metric.is_some()),
    ];
    let embedder: Box<dyn Embedder> = match args.embedder {
        EmbedMethod::Umap => Box::new(
            Umap::new()
                .n_components(components)
                .n_neighbors(args.neighbors.unwrap_or(15))
                .min_dist(args.min_dist.unwrap_or(0.0))
                .metric(args.umap_metric.unwrap_or_default()),
        ),
        EmbedMethod::Pca => {
            refuse("pca", &for_umap)?;
            Box::new(Pca::new(components))
        }
        EmbedMethod::RandomProjection => {
            refuse("random-projection", &for_umap)?;
            Box::new(RandomProjection::new(components))
        }
        EmbedMethod::Identity => {
            refuse("identity", &for_umap)?;
            refuse("identity", &[("--components", args.components.is_some())])?;
            Box::new(Identity)
        }
    };
    Ok(embedder)
}

/// The clusterer of the root, and of the nodes below.
///
/// The root is split wherever it can be: of many groups below the least share, none counts, and a root that stayed whole
/// would never be zoomed into.
pub(crate) fn clusterers(args: &args::Fit) -> Result<[Arc<dyn Clusterer>; 2], Failure> {
    let settings = &args.settings;
    match method::chosen(args.clusterer, settings, || Ok(None))?.clusterer() {
        Some(clusterer) => {
            let for_hdbscan = [
                ("--min-cluster-share", args.min_cluster_share.is_some()),
                ("--single-cluster-weight", args.single_cluster_weight.is_some()),
            ];
            refuse(args::value_name(args.clusterer), &for_hdbscan)?;
            let clusterer: Arc<dyn Clusterer> = clusterer.into();
            Ok([clusterer.clone(), clusterer])
        }
        None => {
            let share = args.min_cluster_share.unwrap_or(0.05);
            let samples = settings.min_samples.unwrap_or(10);
            let root = Hdbscan::new()
                .min_cluster_size(Size::Share(share))
                .min_samples(samples)
                .epsilon(settings.epsilon.unwrap_or(0.0))
                .metric(settings.metric.unwrap_or_default());
            // At 0 the root of a tree without clusters would still be one: there the setting is left out.
            let below = match args.single_cluster_weight.unwrap_or(0.3) {
                0.0 => root.clone(),
                weight => root.clone().single_cluster_weight(weight),
            };
            Ok([Arc::new(root), Arc::new(below)])
        }
    }
}

/// Attributions of the rows with some numbers.
type Explain<'a> = dyn Fn(&[u32]) -> recluster::Result<Explanation> + 'a;

/// What the report tells of the leaves.
pub(crate) struct Told<'a> {
    pub(crate) surrogate: &'a Surrogate,
    pub(crate) rules: &'a [ClusterRules],
    pub(crate) differences: &'a [Difference],
    pub(crate) outside: &'a [OutsideVariable],
    pub(crate) fidelity: Option<&'a Fidelity>,
    /// How long the work took so far, in words.
    pub(crate) seconds: Option<String>,
    /// What the surrogate says of rows by number, where it is not to be asked for rows of the report's own table.
    pub(crate) explain: Option<&'a Explain<'a>>,
}

/// Stages whose seconds the report has.
pub(crate) const TIMED: usize = 6;

/// The report but for names.
pub(crate) fn draft(
    args: &args::Fit,
    data: &Source,
    tree: &ClusterTree,
    told: &Told<'_>,
    text: Text,
    run: &Run,
) -> recluster::Result<Draft> {
    let explanation;
    let mut report = Report::new(tree, &data.values)
        .text(text)
        .rules(told.rules)
        .differences(told.differences)
        .setting("Levels", args.depth)
        .setting("Zoomed into from", format!("{} of all rows", Size::Share(args.min_node_share)));
    match args.clusterer {
        ClusterMethod::Hdbscan => {
            let share = format!("{} of the rows at hand", Size::Share(args.min_cluster_share.unwrap_or(0.05)));
            report = report
                .setting("Smallest cluster", share)
                .setting("Weight of staying whole", args.single_cluster_weight.unwrap_or(0.3))
                .setting("Density", format!("by {} neighbours", args.settings.min_samples.unwrap_or(10)));
        }
        other => {
            report = report.setting("Clustering", args::value_name(other));
            if let Some(clusters) = args.settings.clusters {
                report = report.setting("Clusters of each node", clusters);
            }
        }
    }
    if args.embedder == EmbedMethod::Umap {
        let (neighbours, distance) = (args.neighbors.unwrap_or(15), args.min_dist.unwrap_or(0.0));
        report = report.setting("Neighbours", neighbours).setting("Least distance on a map", distance);
        if let Some(metric) = args.umap_metric {
            report = report.setting("Distance of rows", metric);
        }
    }
    let scaling = match data.questions() {
        Some(_) => "each question alike".to_string(),
        None => format!("{:?}", args.scale.unwrap_or_default()).to_lowercase(),
    };
    report = report.setting("Scaling of columns", scaling);
    if let Some(title) = &args.title {
        report = report.title(title);
    }
    if let Some(outside) = &data.outside {
        report = report.outside(&outside.schema, told.outside);
    }
    if let Some(questions) = data.questions() {
        report = report.schema(&questions.schema);
        if let Some(kept) = &questions.kept {
            report = report.row_numbers(kept);
        }
        for note in questions.notes().iter().cloned().chain(questions.set_aside()) {
            report = report.note_of_data(note);
        }
    } else if let Some(names) = &data.names {
        report = report.feature_names(names);
    }
    if let Some(note) = &data.note {
        report = report.note_of_data(note);
    }
    if let Some(weights) = &data.weights {
        report = report.weights(weights);
    }
    if let Some((width, height)) = data.image {
        report = report.image(width, height);
    }
    let evidence = evidence(args, data);
    if evidence != EvidencePolicy::Off {
        let policy = format!("{} (level {})", args::value_name(evidence), args.alpha.unwrap_or(0.05));
        report = report.setting("Evidence of separation", policy);
    }
    if args.noise_again {
        report = report.setting("Rows in no cluster", "clustered once more");
    }
    if let Some(fidelity) = told.fidelity {
        report = report.fidelity(fidelity);
    }
    let surrogate = told.surrogate;
    report = report.selectivity(surrogate.guard().map_or(surrogate.selectivity(), |guard| guard.selectivity()));
    if let Some(seconds) = &told.seconds {
        report = report.setting("Time", seconds);
    }
    let report = match told.explain {
        None => report.explained_by(told.surrogate, run)?,
        Some(explain) => {
            let rows = report.sample(EXPLAINED)?;
            explanation = explain(&rows)?;
            report.explanation(rows, &explanation)
        }
    };
    let stage = run.stage("report", 1);
    let draft = report.draft()?;
    stage.step(1)?;
    Ok(draft)
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

fn nodes(tree: &ClusterTree) -> Value {
    let node = |node: &recluster::recursive::Node| {
        let mut facts = json!({"path": node.path().to_string(), "rows": node.rows().len(), "share": node.share(),
            "noise": node.noise(), "persistence": node.persistence(), "leaf": node.is_leaf()});
        if let Some(stability) = node.stability() {
            facts["stability"] = json!({"jaccard": stability.jaccard, "found": stability.found,
                "runs": stability.runs, "share": stability.share, "grade": stability.grade().to_string()});
        }
        if let Some(share) = node.weight() {
            facts["population_share"] = share.into();
        }
        if node.found_in_noise() {
            facts["found_in_noise"] = true.into();
        }
        facts
    };
    Value::Array(tree.nodes().iter().map(node).collect())
}
