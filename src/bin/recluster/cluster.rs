//! The command `cluster`.

use crate::args::{self, ClusterMethod};
use crate::commands::{Outcome, facts, refuse, run};
use crate::failure::Failure;
use crate::input::{self, Table};
use crate::method::{self, Chosen};
use crate::output::{Staged, npy};
use crate::progress::Progress;
use recluster::cluster::{Hdbscan, HdbscanModel, Selection};
use recluster::{Run, Saved};
use serde_json::{Map, Value, json};

pub(crate) fn cluster(args: &args::Cluster, progress: &Progress) -> Outcome {
    let outputs = [
        ("--probabilities-out", &args.probabilities_out, "npy"),
        ("--outlier-scores-out", &args.outlier_scores_out, "npy"),
        ("--tree-out", &args.tree_out, "npy"),
        ("--tree-svg", &args.tree_svg, "svg"),
        ("--tree-text", &args.tree_text, "txt"),
        ("--layers-out", &args.layers_out, "csv"),
        ("--memberships-out", &args.memberships_out, "npy"),
        ("--model-out", &args.model_out, "json"),
        ("--new-out", &args.new_out, "npy"),
    ];
    if args.method != ClusterMethod::Hdbscan {
        let given = [
            ("--min-cluster-size", args.min_cluster_size.is_some()),
            ("--selection", args.selection.is_some()),
            ("--allow-single-cluster", args.allow_single_cluster),
            ("--single-cluster-weight", args.single_cluster_weight.is_some()),
            ("--min-persistence", args.min_persistence.is_some()),
            ("--reach", args.reach.is_some()),
            ("--max-noise", args.max_noise.is_some()),
            ("--weights", args.weights.is_some()),
            ("--validity", args.validity),
        ];
        refuse(args::value_name(args.method), &given)?;
        let meant = match args.method {
            ClusterMethod::Gmm => &["--model-out", "--new-out", "--probabilities-out", "--memberships-out"][..],
            _ => &["--model-out", "--new-out"],
        };
        let others = outputs.iter().filter(|(flag, ..)| !meant.contains(flag));
        refuse(
            args::value_name(args.method),
            &others.map(|(flag, path, _)| (*flag, path.is_some())).collect::<Vec<_>>(),
        )?;
    }
    if matches!(args.selection, Some(args::Selection::Leaf)) {
        refuse("--selection leaf", &[("--single-cluster-weight", args.single_cluster_weight.is_some())])?;
    }
    let more = outputs.iter().map(|(_, path, kind)| (path.as_deref(), *kind));
    Staged::check(more.chain([(Some(args.out.as_str()), "npy")]))?;
    let chosen = method::chosen(args.method, &args.settings, || input::names(&args.common.data))?;
    let data = input::table(&args.common.data, args.common.rows)?;
    let run = run(&args.common, progress);
    let mut facts = facts("cluster", data.values.dim());
    let mut files = Staged::default();
    let labels = match &chosen {
        Chosen::Hdbscan => hdbscan(args, &data, progress, &run, &mut files, &mut facts)?.labels().to_vec(),
        chosen => method::fit(chosen, args, &data, progress, &run, &mut files, &mut facts)?,
    };
    files.write(&args.out, |out| npy(out, &[labels.len()], labels.iter().copied()))?;
    files.commit()?;
    let clusters = labels.iter().map(|&label| label + 1).max().unwrap_or(0);
    let mut sizes = vec![0usize; clusters as usize];
    labels.iter().filter(|&&label| label >= 0).for_each(|&label| sizes[label as usize] += 1);
    facts.insert("clusters".to_string(), clusters.into());
    facts.insert("sizes".to_string(), json!(sizes));
    facts.insert("noise".to_string(), labels.iter().filter(|&&label| label < 0).count().into());
    Ok(facts)
}

fn hdbscan(
    args: &args::Cluster,
    data: &Table,
    progress: &Progress,
    run: &Run,
    files: &mut Staged,
    facts: &mut Map<String, Value>,
) -> Result<HdbscanModel, Failure> {
    let named = |e| data.about(e);
    let columns = data.names.as_deref();
    let new = args.new.as_deref().map(|new| input::table_like(new, None, columns)).transpose()?;
    let weights = args.weights.as_deref().map(|path| input::weights(path, args.common.rows)).transpose()?;
    let mut hdbscan = Hdbscan::new().allow_single_cluster(args.allow_single_cluster);
    hdbscan = args.min_cluster_size.map_or(hdbscan.clone(), |n| hdbscan.min_cluster_size(n));
    hdbscan = args.settings.min_samples.map_or(hdbscan.clone(), |n| hdbscan.min_samples(n));
    hdbscan = args.settings.epsilon.map_or(hdbscan.clone(), |x| hdbscan.epsilon(x));
    hdbscan = args.settings.metric.map_or(hdbscan.clone(), |metric| hdbscan.metric(metric));
    hdbscan = args.single_cluster_weight.map_or(hdbscan.clone(), |x| hdbscan.single_cluster_weight(x));
    hdbscan = args.min_persistence.map_or(hdbscan.clone(), |x| hdbscan.min_persistence(x));
    hdbscan = args.reach.map_or(hdbscan.clone(), |x| hdbscan.reach(x));
    hdbscan = args.max_noise.map_or(hdbscan.clone(), |x| hdbscan.max_noise(x));
    hdbscan = match args.selection {
        Some(args::Selection::Leaf) => hdbscan.selection(Selection::Leaf),
        Some(args::Selection::Eom) | None => hdbscan.selection(Selection::Eom),
    };
    let fit = || match &weights {
        Some(weights) => hdbscan.fit_weighted(&data.values, weights, run),
        None => hdbscan.fit(&data.values, run),
    };
    let model = progress.work(fit).map_err(named)?;
    let rows = model.labels().len();
    facts.insert("persistence".to_string(), json!(model.persistence()));
    facts.insert("relative_validity".to_string(), model.relative_validity().into());
    if args.validity {
        let judged = progress.work(|| recluster::validity::dbcv(&data.values, model.labels(), run)).map_err(named)?;
        facts.insert("validity".to_string(), json!({ "score": judged.score, "clusters": judged.clusters }));
    }
    if let Some(path) = &args.probabilities_out {
        files.write(path, |out| npy(out, &[rows], model.membership().iter().copied()))?;
    }
    if let Some(path) = &args.outlier_scores_out {
        files.write(path, |out| npy(out, &[rows], model.outlier_scores().iter().copied()))?;
    }
    if let Some(path) = &args.tree_out {
        let tree = model.spanning_tree();
        let numbers = tree.edges().flat_map(|(a, b, weight)| [a as f64, b as f64, weight]);
        files.write(path, |out| npy(out, &[tree.len(), 3], numbers))?;
    }
    if let Some(path) = &args.tree_svg {
        files.write(path, |out| out.write_all(model.tree_svg().as_bytes()))?;
    }
    if let Some(path) = &args.tree_text {
        files.write(path, |out| out.write_all(model.tree_text(200).as_bytes()))?;
    }
    if let Some(path) = &args.layers_out {
        let layers = progress.work(|| model.layers());
        files.write(path, |out| {
            writeln!(out, "min_cluster_size,up_to,clusters,persistence,peak")?;
            layers.iter().try_for_each(|l| {
                let peak = u8::from(l.peak);
                writeln!(out, "{},{},{},{},{peak}", l.min_cluster_size, l.up_to, l.clusters, l.persistence)
            })
        })?;
        let peaks: Vec<_> = layers.iter().filter(|l| l.peak).map(|l| (l.min_cluster_size, l.clusters)).collect();
        facts.insert("layers".to_string(), json!(peaks));
    }
    if let Some(path) = &args.memberships_out {
        let soft = progress.work(|| model.memberships(&data.values, run)).map_err(named)?;
        files.write(path, |out| npy(out, soft.shape(), soft.iter().copied()))?;
    }
    if let Some(path) = &args.model_out {
        let text = model.to_json()?;
        files.write(path, |out| out.write_all(text.as_bytes()))?;
    }
    if let (Some(path), Some(new)) = (&args.new_out, &new) {
        let named_new = |e| new.about(e);
        let found = progress.work(|| model.predict(&data.values, &new.values, run)).map_err(named_new)?;
        files.write(path, |out| npy(out, &[found.labels.len()], found.labels.iter().copied()))?;
        facts.insert("new_rows".to_string(), found.labels.len().into());
        facts.insert("new_noise".to_string(), found.labels.iter().filter(|&&label| label < 0).count().into());
    }
    Ok(model)
}
