//! The command `boost`.

use crate::args;
use crate::commands::{Outcome, facts, run};
use crate::failure::Failure;
use crate::input;
use crate::output::{Staged, npy};
use crate::progress::Progress;
use ndarray::Array2;
use recluster::boost::{Boost, Grow};
use recluster::{Clustering, Error, Saved, SparseRows};
use serde_json::json;
use std::path::Path;

pub(crate) fn boost(args: &args::Boost, progress: &Progress) -> Outcome {
    Staged::check([(Some(args.out.as_str()), "json"), (args.new_out.as_deref(), "npy")])?;
    args.xgboost_out.as_deref().map_or(Ok(()), Staged::check_folder)?;
    let data = Data::read(&args.common.data, args.common.rows, None)?;
    let given = input::labels(&args.labels, args.common.rows)?;
    let new = args.new.as_deref().map(|new| Data::read(new, None, Some(&data))).transpose()?;
    let run = run(&args.common, progress);
    // Labels may have gaps (1, 2, 5); the model's outputs go by ascending label.
    let mut distinct: Vec<i32> = given.iter().copied().filter(|&label| label >= 0).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let labels = Clustering::compact(given)?.labels().to_vec();
    let weights = args.weights.as_deref().map(|path| input::weights(path, args.common.rows)).transpose()?;
    let weights: Option<Vec<f32>> = weights.map(|weights| weights.into_iter().map(|w| w as f32).collect());
    let mut model = progress
        .work(|| match (&data, &weights) {
            (Data::Dense(table), Some(all)) => boost_settings(args).fit_weighted(&table.values, &labels, all, &run),
            (Data::Dense(table), None) => boost_settings(args).fit(&table.values, &labels, &run),
            (Data::Sparse(rows), _) => boost_settings(args).fit_sparse(rows, &labels, weights.as_deref(), &run),
        })
        .map_err(|e| data.about(e))?;
    if let Data::Dense(input::Table { names: Some(names), .. }) = &data {
        model = model.with_feature_names(names.clone())?;
    }
    let mut files = Staged::default();
    let text = model.to_json()?;
    files.write(&args.out, |out| out.write_all(text.as_bytes()))?;
    let mut facts = facts("boost", data.dim());
    if let (Some(new), Some(path)) = (&new, &args.new_out) {
        let found: Array2<f64> = progress
            .work(|| match (new, args.calibrated) {
                (Data::Dense(table), true) => model.distribution(&table.values, &run),
                (Data::Dense(table), false) => model.probabilities(&table.values, &run),
                (Data::Sparse(rows), true) => model.distribution_sparse(rows, &run),
                (Data::Sparse(rows), false) => model.probabilities_sparse(rows, &run),
            })
            .map_err(|e| new.about(e))?;
        files.write(path, |out| npy(out, found.shape(), found.iter().copied()))?;
        facts.insert("new_rows".to_string(), found.nrows().into());
    }
    if let Some(folder) = &args.xgboost_out {
        files.folder(folder)?;
        for (output, label) in distinct.iter().enumerate() {
            let text = model.to_xgboost_json(output)?;
            files.write(Path::new(folder).join(format!("label_{label}.json")), |out| out.write_all(text.as_bytes()))?;
        }
    }
    files.commit()?;
    facts.insert("labels".to_string(), json!(distinct));
    facts.insert("trees".to_string(), model.outputs().iter().map(|output| output.trees().len()).sum::<usize>().into());
    Ok(facts)
}

/// Rows to learn from or to predict, dense or sparse.
enum Data {
    Dense(input::Table),
    Sparse(SparseRows),
}

impl Data {
    /// Reads rows which, if they are new ones, have the columns of those that were learnt from.
    fn read(path: &str, rows: Option<usize>, learnt: Option<&Data>) -> Result<Self, Failure> {
        let sparse = input::is_sparse(path)?;
        match learnt {
            None if sparse => Ok(Data::Sparse(input::sparse(path, rows, None)?.rows)),
            None => Ok(Data::Dense(input::fitted(path, rows)?)),
            Some(learnt) if sparse => Ok(Data::Sparse(input::sparse(path, rows, Some(learnt.dim().1))?.rows)),
            Some(Data::Dense(table)) => Ok(Data::Dense(input::table_like(path, rows, table.names.as_deref())?)),
            Some(Data::Sparse(_)) => Ok(Data::Dense(input::table_like(path, rows, None)?)),
        }
    }

    fn dim(&self) -> (usize, usize) {
        match self {
            Data::Dense(table) => table.values.dim(),
            Data::Sparse(rows) => (rows.rows(), rows.columns()),
        }
    }

    fn about(&self, error: Error) -> Failure {
        match self {
            Data::Dense(table) => table.about(error),
            Data::Sparse(_) => Failure::about(error, None),
        }
    }
}

fn boost_settings(args: &args::Boost) -> Boost {
    let mut boost = Boost::new()
        .rounds(args.rounds)
        .max_depth(args.max_depth)
        .learning_rate(args.learning_rate)
        .categorical(&args.categorical)
        .balanced(args.balanced)
        .calibrated(args.calibrated)
        .refit(args.refit);
    if let Some(leaves) = args.max_leaves {
        boost = boost.max_leaves(leaves).grow(Grow::ByLoss);
    }
    if let Some(rounds) = args.early_stopping {
        boost = boost.early_stopping(rounds);
    }
    boost
}
