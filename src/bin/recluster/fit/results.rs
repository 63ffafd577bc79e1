//! What comes out of a fit: its report, its files, and the facts on stdout.

use super::{evidence, plan};
use crate::args::{self, ClusterMethod, EmbedMethod, EvidencePolicy};
use crate::failure::{Failure, tell};
use crate::insight;
use crate::names;
use crate::output::Staged;
use crate::report;
use crate::source::Source;
use recluster::explain::{ClusterRules, Difference, Fidelity, OutsideVariable, Surrogate};
use recluster::recursive::ClusterTree;
use recluster::report::{Draft, Report, Text};
use recluster::validity::adjusted_rand;
use recluster::{Explanation, Run, Saved, Size, presets};
use serde_json::{Map, Value, json};
use std::path::Path;

/// Rows that are explained one by one, where the report does not choose.
const EXPLAINED: usize = 2000;

/// Attributions of the rows with some numbers.
type Explain<'a> = dyn Fn(&[u32]) -> recluster::Result<Explanation> + 'a;

/// What is known of the leaves, for the report.
pub(super) struct Findings<'a> {
    pub(super) embedder: EmbedMethod,
    pub(super) surrogate: &'a Surrogate,
    pub(super) rules: &'a [ClusterRules],
    pub(super) differences: &'a [Difference],
    pub(super) outside: &'a [OutsideVariable],
    pub(super) fidelity: Option<&'a Fidelity>,
    /// How long the work took so far, in words.
    pub(super) seconds: Option<String>,
    /// What the surrogate says of rows by number, where it is not to be asked for rows of the report's own table.
    pub(super) explain: Option<&'a Explain<'a>>,
}

/// Stages whose seconds the report has.
pub(super) const TIMED: usize = 6;

/// The report but for names.
pub(super) fn draft(
    args: &args::Fit,
    data: &Source,
    tree: &ClusterTree,
    found: &Findings<'_>,
    text: Text,
    run: &Run,
) -> recluster::Result<Draft> {
    let explanation;
    let mut report = Report::new(tree, &data.values)
        .text(text)
        .rules(found.rules)
        .differences(found.differences)
        .setting("Levels", args.depth)
        .setting("Zoomed into from", format!("{} of all rows", Size::Share(args.min_node_share)));
    if let Some(advice) = on_noise(args, tree) {
        run.note(&advice);
        report = report.note_of_data(advice);
    }
    match args.clusterer {
        ClusterMethod::Hdbscan => {
            let least = Size::Share(args.min_cluster_share.unwrap_or(0.05));
            let [first, below] = args.max_noise.map_or(presets::MAX_NOISE, |noise| [noise; 2]).map(Size::Share);
            let unless = match args.max_noise {
                Some(1.0) => String::new(),
                Some(_) => format!(", less where more than {first} would be in no cluster"),
                None => {
                    format!(", less where more than {first} (below the first level {below}) would be in no cluster")
                }
            };
            let share = format!("{least} of the rows at hand{unless}");
            report = report
                .setting("Smallest cluster", share)
                .setting("Weight of staying whole", args.single_cluster_weight.unwrap_or(0.3))
                .setting("Density", format!("by {} neighbours", args.settings.min_samples.unwrap_or(10)));
            let reach = plan::reach(args, found.embedder);
            if reach > 0.0 {
                report =
                    report.setting("Noise joins a cluster within", format!("{reach} times its largest core distance"));
            }
        }
        other => {
            report = report.setting("Clustering", args::value_name(other));
            if let Some(clusters) = args.settings.clusters {
                report = report.setting("Clusters of each node", clusters);
            }
        }
    }
    if found.embedder == EmbedMethod::Umap {
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
        report = report.outside(&outside.schema, found.outside);
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
    let evidence = evidence(args, data, found.embedder);
    if evidence != EvidencePolicy::Off {
        let policy = format!("{} (level {})", args::value_name(evidence), args.alpha.unwrap_or(0.05));
        report = report.setting("Evidence of separation", policy);
    }
    if args.min_stability > 0.0 {
        report = report.setting("Least stability of a split", args.min_stability);
    }
    if args.noise_again {
        report = report.setting("Rows in no cluster", "clustered once more");
    }
    if let Some(fidelity) = found.fidelity {
        report = report.fidelity(fidelity);
    }
    let surrogate = found.surrogate;
    report = report.selectivity(surrogate.guard().map_or(surrogate.selectivity(), |guard| guard.selectivity()));
    if let Some(seconds) = &found.seconds {
        report = report.setting("Time", seconds);
    }
    let report = match found.explain {
        None => report.explained_by(found.surrogate, run)?,
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

/// The files of a fit, not yet under their names.
pub(super) fn files(
    args: &args::Fit,
    tree: &ClusterTree,
    found: &Findings<'_>,
    draft: &Draft,
    html: &str,
    assignments: &str,
) -> Result<Staged, Failure> {
    let (tree_json, model_json, draft_json) = (tree.to_json()?, found.surrogate.to_json()?, draft.to_json()?);
    let mut files = Staged::default();
    files.folder(&args.out)?;
    if let Some(before) = names::written(&Path::new(&args.out).join(names::FILE)) {
        tell(format_args!("recluster: the names of an earlier fit are kept in {}/{}", args.out, names::BEFORE));
        files.write(Path::new(&args.out).join(names::BEFORE), |out| out.write_all(&before))?;
    }
    for (name, text) in [
        ("report.html", html),
        ("report.md", &recluster::report::markdown(html)),
        ("tree.json", &tree_json),
        ("assignments.csv", assignments),
        ("model.json", &model_json),
        ("rules.csv", &insight::lines(found.rules)),
        (names::FILE, &names::lines(tree, draft)),
        (report::DRAFT, &draft_json),
    ] {
        files.write(Path::new(&args.out).join(name), |out| out.write_all(text.as_bytes()))?;
    }
    let outside = Path::new(&args.out).join("outside.csv");
    let text = insight::lines_of_outside(found.outside, tree);
    let head = text.lines().next().unwrap_or_default();
    if !found.outside.is_empty() {
        files.write(outside, |out| out.write_all(text.as_bytes()))?;
    } else if std::fs::read(&outside).is_ok_and(|before| before.starts_with(head.as_bytes())) {
        // That of an earlier fit is of other clusters.
        files.remove(outside);
    }
    if let Some(folder) = &args.xgboost_out {
        files.folder(folder)?;
        for (name, text) in found.surrogate.xgboost_files()? {
            files.write(Path::new(folder).join(name), |out| out.write_all(text.as_bytes()))?;
        }
    }
    Ok(files)
}

/// What to try where many rows are in no cluster of the first level.
fn on_noise(args: &args::Fit, tree: &ClusterTree) -> Option<String> {
    const MUCH: f64 = 0.2;
    let share = tree.root().noise() as f64 / tree.rows().max(1) as f64;
    (args.clusterer == ClusterMethod::Hdbscan && share > MUCH).then(|| {
        format!(
            "{} of the rows are in no cluster of the first level: they lie between clusters, or in groups below the least size; \
             a smaller --min-cluster-share finds smaller groups",
            Size::Share(share)
        )
    })
}

/// What the tree is, for stdout, and how it agrees with known classes.
pub(super) fn facts_of(
    args: &args::Fit,
    tree: &ClusterTree,
    classes: Option<&[i32]>,
    facts: &mut Map<String, Value>,
) -> recluster::Result<()> {
    if let Some(config) = &args.config {
        facts.insert("config".to_string(), config.as_str().into());
    }
    facts.insert("leaves".to_string(), tree.leaves().count().into());
    facts.insert("levels".to_string(), tree.levels().into());
    facts.insert("noise".to_string(), tree.nodes().iter().map(|node| node.noise()).sum::<usize>().into());
    facts.insert("coverage".to_string(), json!(tree.coverage()));
    facts.insert("nodes".to_string(), nodes(tree));
    if let Some(classes) = classes {
        facts.insert("best_node_f".to_string(), tree.best_node_f(classes, tree.levels())?.into());
        facts.insert("ari".to_string(), adjusted_rand(&tree.leaf_labels(), classes)?.into());
    }
    Ok(())
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

/// What a fit found, for whoever watches the terminal.
pub(super) fn in_words(tree: &ClusterTree, out: &str) -> String {
    const MOST: usize = 40;
    let clusters = match tree.nodes().len() {
        few if few <= MOST => tree.to_string(),
        _ => format!("{} clusters, too many to be listed here\n", tree.leaves().count()),
    };
    format!("{clusters}report: {out}/report.html; the rows: {out}/assignments.csv; the model: {out}/model.json")
}
