//! The command `embed`.

mod sparse;

use crate::args::{self, EmbedMethod};
use crate::commands::{Outcome, facts, refuse, run};
use crate::failure::Failure;
use crate::input;
use crate::output::{Staged, npy};
use crate::progress::Progress;
use ndarray::Array2;
use recluster::embed::{Densmap, Given, Identity, Init, Pca, RandomProjection, Solver, Target, Umap};
use recluster::{Embedder, Error};
use serde_json::{Map, Value, json};

pub(crate) fn embed(args: &args::Embed, progress: &Progress) -> Outcome {
    if input::is_sparse(&args.common.data)? {
        return sparse::embed(args, progress);
    }
    check_flags(args)?;
    check_outputs(args)?;
    let data = input::table(&args.common.data, args.common.rows)?;
    let columns = data.names.as_deref();
    let new = args.new.as_deref().map(|new| input::table_like(new, None, columns)).transpose()?;
    let run = run(&args.common, progress);
    let named = |e| data.about(e);
    let named_new = |e| new.as_ref().unwrap_or(&data).about(e);
    let mut facts = facts("embed", data.values.dim());
    let new_rows = new.as_ref().map(|new| &new.values);
    let (embedding, placed) = match args.method {
        EmbedMethod::Pca => {
            let model = progress.work(|| pca(args).fit(&data.values, &run)).map_err(named)?;
            facts.insert("explained_variance_ratio".to_string(), json!(model.explained_variance_ratio().to_vec()));
            let own = progress.work(|| model.transform(&data.values, &run)).map_err(named)?;
            let placed = new_rows.map(|new| progress.beside("transform", || model.transform(new, &run))).transpose();
            (own, placed.map_err(named_new)?)
        }
        EmbedMethod::RandomProjection => {
            let model = progress.work(|| random_projection(args).fit(&data.values, &run)).map_err(named)?;
            let own = progress.work(|| model.transform(&data.values, &run)).map_err(named)?;
            let placed = new_rows.map(|new| progress.beside("transform", || model.transform(new, &run))).transpose();
            (own, placed.map_err(named_new)?)
        }
        EmbedMethod::Identity => {
            let expected = data.values.ncols();
            if let Some(found) = new_rows.map(|new| new.ncols()).filter(|&found| found != expected) {
                return Err(named_new(Error::Shape { what: "columns", expected, found }));
            }
            let own = progress.work(|| Identity.embed(&data.values, &run)).map_err(named)?;
            let placed = new_rows.map(|new| progress.beside("transform", || Identity.embed(new, &run))).transpose();
            (own, placed.map_err(named_new)?)
        }
        EmbedMethod::Umap => {
            let (umap, start) = umap(args)?;
            let labels = args.target.as_deref().map(|path| input::labels(path, args.common.rows)).transpose()?;
            let target = labels.map(|labels| Target::classes(&labels).weight(args.target_weight.unwrap_or(0.5)));
            let mut given = Given::new();
            if let Some(target) = &target {
                given = given.target(target);
            }
            if let Some(start) = &start {
                given = given.start(start);
            }
            let model = progress.work(|| umap.fit_given(&data.values, &given, &run)).map_err(|e| match (e, args) {
                (e @ Error::NotFinite { what: "the start", .. }, args::Embed { init: Some(path), .. }) => {
                    Failure::file(path, e)
                }
                (e @ Error::Label { .. }, args::Embed { target: Some(path), .. }) => Failure::file(path, e),
                (e, _) => named(e),
            })?;
            facts.insert("graph".to_string(), json!(model.graph()));
            facts.insert("start".to_string(), json!(model.start()));
            facts.insert("epochs".to_string(), model.epochs().into());
            if new_rows.is_some() {
                progress.beside("index", || model.prepare(&run)).map_err(named)?;
            }
            let placed = new_rows.map(|new| progress.beside("transform", || model.transform(new, &run))).transpose();
            (model.embedding().clone(), placed.map_err(named_new)?)
        }
    };
    write(args, &embedding, placed.as_ref(), &mut facts)?;
    Ok(facts)
}

/// Writes the embedding, and that of new rows.
fn write(
    args: &args::Embed,
    embedding: &Array2<f32>,
    placed: Option<&Array2<f32>>,
    facts: &mut Map<String, Value>,
) -> Result<(), Failure> {
    let mut files = Staged::default();
    files.write(&args.out, |out| npy(out, embedding.shape(), embedding.iter().copied()))?;
    if let (Some(path), Some(placed)) = (&args.new_out, placed) {
        files.write(path, |out| npy(out, placed.shape(), placed.iter().copied()))?;
        facts.insert("new_rows".to_string(), placed.nrows().into());
    }
    files.commit()?;
    facts.insert("components".to_string(), embedding.ncols().into());
    Ok(())
}

fn pca(args: &args::Embed) -> Pca {
    let pca = Pca::new(args.components.unwrap_or(2)).whiten(args.whiten);
    match args.power_iterations {
        Some(power_iterations) => pca.solver(Solver::Randomized { power_iterations }),
        None => pca,
    }
}

fn random_projection(args: &args::Embed) -> RandomProjection {
    let projection = match args.eps {
        Some(eps) => RandomProjection::within(eps),
        None => RandomProjection::new(args.components.unwrap_or(2)),
    };
    args.density.map_or(projection.clone(), |share| projection.density(share))
}

fn check_outputs(args: &args::Embed) -> Result<(), Failure> {
    Staged::check([(Some(args.out.as_str()), "npy"), (args.new_out.as_deref(), "npy")])
}

/// Refuses flags of other methods.
fn check_flags(args: &args::Embed) -> Result<(), Failure> {
    use EmbedMethod::{Identity, Pca, RandomProjection, Umap};
    let of = |owner: EmbedMethod, given: bool| given && args.method != owner;
    let given = [
        ("--neighbors", of(Umap, args.neighbors.is_some())),
        ("--min-dist", of(Umap, args.min_dist.is_some())),
        ("--metric", of(Umap, args.metric.is_some())),
        ("--epochs", of(Umap, args.epochs.is_some())),
        ("--init", of(Umap, args.init.is_some())),
        ("--target", of(Umap, args.target.is_some())),
        ("--densmap", of(Umap, args.densmap)),
        ("--whiten", of(Pca, args.whiten)),
        ("--power-iterations", of(Pca, args.power_iterations.is_some())),
        ("--density", of(RandomProjection, args.density.is_some())),
        ("--eps", of(RandomProjection, args.eps.is_some())),
        ("--components", args.method == Identity && args.components.is_some()),
    ];
    refuse(args::value_name(args.method), &given)
}

/// UMAP's settings, and the initial layout if it is a file.
fn umap(args: &args::Embed) -> Result<(Umap, Option<Array2<f32>>), Failure> {
    let mut umap = Umap::new().n_components(args.components.unwrap_or(2));
    umap = args.neighbors.map_or(umap.clone(), |n| umap.n_neighbors(n));
    umap = args.min_dist.map_or(umap.clone(), |x| umap.min_dist(x));
    umap = args.metric.map_or(umap.clone(), |m| umap.metric(m));
    umap = args.epochs.map_or(umap.clone(), |n| umap.n_epochs(n));
    if args.densmap {
        umap = umap.densmap(Densmap::new());
    }
    match args.init.as_deref() {
        None => Ok((umap, None)),
        Some("spectral") => Ok((umap.init(Init::Spectral), None)),
        Some("pca") => Ok((umap.init(Init::Pca), None)),
        Some("random") => Ok((umap.init(Init::Random), None)),
        Some(file) => Ok((umap, Some(input::table(file, args.common.rows)?.values))),
    }
}
