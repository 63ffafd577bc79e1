//! The command `embed` for sparse rows.

use super::{check_flags, check_outputs, pca, random_projection, umap, write};
use crate::args::{self, EmbedMethod};
use crate::commands::{Outcome, facts, refuse, run};
use crate::failure::Failure;
use crate::input;
use crate::progress::Progress;
use recluster::SparseRows;
use serde_json::json;

pub(super) fn embed(args: &args::Embed, progress: &Progress) -> Outcome {
    check_flags(args)?;
    check_outputs(args)?;
    let rows = input::sparse(&args.common.data, args.common.rows, None)?.rows;
    let new = args.new.as_deref().map(|new| input::sparse(new, None, Some(rows.columns()))).transpose()?;
    let new: Option<&SparseRows> = new.as_ref().map(|new| &new.rows);
    let run = run(&args.common, progress);
    let mut facts = facts("embed", (rows.rows(), rows.columns()));
    facts.insert("entries".to_string(), rows.entries().into());
    let named = |e| Failure::about(e, None);
    let (embedding, placed) = match args.method {
        EmbedMethod::Pca => {
            let model = progress.work(|| pca(args).fit_sparse(&rows, &run)).map_err(named)?;
            facts.insert("explained_variance_ratio".to_string(), json!(model.explained_variance_ratio().to_vec()));
            let own = progress.work(|| model.transform_sparse(&rows, &run)).map_err(named)?;
            let place = |new| progress.beside("transform", || model.transform_sparse(new, &run));
            (own, new.map(place).transpose().map_err(named)?)
        }
        EmbedMethod::RandomProjection => {
            let model = progress.work(|| random_projection(args).fit_sparse(&rows, &run)).map_err(named)?;
            let own = progress.work(|| model.transform_sparse(&rows, &run)).map_err(named)?;
            let place = |new| progress.beside("transform", || model.transform_sparse(new, &run));
            (own, new.map(place).transpose().map_err(named)?)
        }
        EmbedMethod::Identity => return Err(Failure::Usage("identity has no place for sparse rows".to_string())),
        EmbedMethod::Umap => {
            refuse("umap of sparse rows", &[("--new", new.is_some()), ("--target", args.target.is_some())])?;
            let (umap, start) = umap(args)?;
            refuse("umap of sparse rows", &[("--init FILE", start.is_some())])?;
            let graph = progress.work(|| umap.graph_sparse(&rows, &run)).map_err(named)?;
            facts.insert("graph".to_string(), json!(graph.facts()));
            (progress.work(|| graph.lay_out(&umap, &run)).map_err(named)?, None)
        }
    };
    write(args, &embedding, placed.as_ref(), &mut facts)?;
    Ok(facts)
}
