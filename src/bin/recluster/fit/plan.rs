//! The plan of a fit, by its arguments.

use crate::args::{self, ClusterMethod, EmbedMethod, EvidencePolicy};
use crate::commands::refuse;
use crate::failure::Failure;
use crate::method;
use crate::source::{Questions, Source};
use recluster::boost::Boost;
use recluster::cluster::StableParts;
use recluster::embed::{Identity, Pca, RandomProjection};
use recluster::evidence::{HeldOut, LatentClasses, Policy};
use recluster::recursive::{RecursiveTree, Repeats, SecondLook};
use recluster::table::{FeatureKind, Schema};
use recluster::{Clusterer, Embedder, Size, presets};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Columns of numbers that are clustered as they are, where no embedder is asked for.
const FEW: usize = 3;

/// A plan whose parts the arguments choose.
type Plan = RecursiveTree<Arc<dyn Embedder>, Arc<dyn Clusterer>>;

/// The plan of the tree; the `schema` is that of a table of answers.
pub(super) fn plan(
    args: &args::Fit,
    embedder: Arc<dyn Embedder>,
    [root, below]: [Arc<dyn Clusterer>; 2],
    evidence: EvidencePolicy,
    schema: Option<&Schema>,
) -> Result<Plan, Failure> {
    let mut plan = RecursiveTree::by_node(
        move |_| embedder.clone(),
        move |node| if node.level() == 1 { root.clone() } else { below.clone() },
    )
    .levels(args.depth)
    .min_size(args.min_node_share)
    .min_child_size(args.min_child_rows)
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
        let judge = HeldOut::new().alpha(alpha).policy(policy);
        plan = match schema {
            Some(schema) => plan.judge(LatentClasses::new(judge, schema)),
            None => plan.judge(judge),
        };
    }
    if let Some(repeats) = consensus(args) {
        plan = plan.consensus(repeats);
    }
    let usual = (args.min_stability > 0.0).then(presets::consensus);
    if let Some(repeats) = args.stability.map(Repeats::new).or(usual) {
        plan = plan.stability(repeats);
    }
    plan = plan.min_stability(args.min_stability);
    Ok(plan)
}

/// The plan with a second look at its leaves, if the arguments say so, or else if it is `usual`.
pub(super) fn with_second_look(plan: Plan, args: &args::Fit, usual: bool) -> Plan {
    let parts = match args.min_cluster_share {
        Some(share) if share > 0.1 => StableParts::new().min_cluster_size(Size::Share(share)),
        _ => StableParts::new(),
    };
    match args.second_look.or(usual.then_some(0.125)) {
        Some(share) if share != 1.0 => plan.second_look(SecondLook::new(parts).min_size(Size::Share(share))),
        _ => plan,
    }
}

/// With evidence that refuses splits, and with another embedder or clusterer, it is for the user to ask for a second look.
pub(super) fn usual_second_look(args: &args::Fit, method: EmbedMethod, evidence: EvidencePolicy) -> bool {
    method == EmbedMethod::Umap && args.clusterer == ClusterMethod::Hdbscan && evidence != EvidencePolicy::Require
}

/// The model that stands in for the tree.
pub(super) fn boost(args: &args::Fit) -> Boost {
    Boost::new()
        .rounds(args.rounds)
        .max_depth(args.max_depth)
        .refit(args.refit)
        .shuffled_rows(args.shuffled_rows)
        .guard_rows(args.guard_rows)
}

fn consensus(args: &args::Fit) -> Option<Repeats> {
    let repeats = args.consensus.map_or(presets::consensus(), Repeats::new);
    (args.consensus != Some(1)).then_some(repeats)
}

/// The embedder that was asked for, else the one that suits the data: UMAP in two columns has nothing to leave out of a few
/// columns of numbers, and tears what is one piece in them.
pub(super) fn method(args: &args::Fit, data: &Source) -> EmbedMethod {
    let of_umap = args.components.is_some() || for_umap(args).iter().any(|flag| flag.1);
    let few = are_few_numbers(data) && !of_umap;
    args.embedder.unwrap_or(if few { EmbedMethod::Identity } else { EmbedMethod::Umap })
}

/// Whether the columns are so few, and all of them numbers, that they can be clustered as they are.
pub(super) fn are_few_numbers(data: &Source) -> bool {
    let numbers = |questions: &Questions| questions.schema.features().iter().all(|f| f.kind() == FeatureKind::Number);
    data.values.ncols() <= FEW && data.questions().is_none_or(numbers)
}

fn for_umap(args: &args::Fit) -> [(&'static str, bool); 3] {
    [
        ("--neighbors", args.neighbors.is_some()),
        ("--min-dist", args.min_dist.is_some()),
        ("--umap-metric", args.umap_metric.is_some()),
    ]
}

pub(super) fn embedder(args: &args::Fit, method: EmbedMethod) -> Result<Box<dyn Embedder>, Failure> {
    let components = args.components.unwrap_or(2);
    let for_umap = for_umap(args);
    let embedder: Box<dyn Embedder> = match method {
        EmbedMethod::Umap => Box::new(
            match args.min_dist {
                Some(distance) => presets::umap().min_dist(distance),
                None => presets::umap(),
            }
            .n_components(components)
            .n_neighbors(args.neighbors.unwrap_or(15))
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
pub(super) fn clusterers(args: &args::Fit, method: EmbedMethod) -> Result<[Arc<dyn Clusterer>; 2], Failure> {
    let settings = &args.settings;
    match method::chosen(args.clusterer, settings, || Ok(None))?.clusterer() {
        Some(clusterer) => {
            let for_hdbscan = [
                ("--min-cluster-share", args.min_cluster_share.is_some()),
                ("--single-cluster-weight", args.single_cluster_weight.is_some()),
                ("--reach", args.reach.is_some()),
                ("--max-noise", args.max_noise.is_some()),
            ];
            refuse(args::value_name(args.clusterer), &for_hdbscan)?;
            let clusterer: Arc<dyn Clusterer> = clusterer.into();
            Ok([clusterer.clone(), clusterer])
        }
        None => {
            let mut both = presets::hdbscan();
            if let Some(share) = args.min_cluster_share {
                both = both.map(|clusterer| clusterer.min_cluster_size(Size::Share(share)));
            }
            if let Some(noise) = args.max_noise {
                both = both.map(|clusterer| clusterer.max_noise(noise));
            }
            if let Some(samples) = settings.min_samples {
                both = both.map(|clusterer| clusterer.min_samples(samples));
            }
            if let Some(epsilon) = settings.epsilon {
                both = both.map(|clusterer| clusterer.epsilon(epsilon));
            }
            if let Some(metric) = settings.metric {
                both = both.map(|clusterer| clusterer.metric(metric));
            }
            let [root, below] = both.map(|clusterer| clusterer.reach(reach(args, method)));
            // At 0 the root of a tree without clusters would still be one: there the setting is left out.
            let below = match args.single_cluster_weight {
                Some(0.0) => root.clone(),
                Some(weight) => below.single_cluster_weight(weight),
                None => below,
            };
            Ok([Arc::new(root), Arc::new(below)])
        }
    }
}

/// How far HDBSCAN's clusters reach for noise: an embedding by UMAP leaves little of it.
pub(super) fn reach(args: &args::Fit, method: EmbedMethod) -> f64 {
    args.reach.unwrap_or(if method == EmbedMethod::Umap { 0.0 } else { presets::REACH })
}

/// Where finished nodes are kept: beside the output or, where the output is a folder without a name such as `.`, in it.
pub(super) fn partial(out: &str) -> PathBuf {
    let out = Path::new(out);
    match out.file_name() {
        Some(name) => out.with_file_name(format!("{}.partial", name.display())),
        None => out.join("fit.partial"),
    }
}
