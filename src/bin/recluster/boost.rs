//! The command `boost`.

use crate::args;
use crate::commands::{Outcome, facts, run};
use crate::input;
use crate::output::{Staged, npy};
use crate::progress::Progress;
use ndarray::Array2;
use recluster::boost::{Boost, Grow};
use recluster::{Clustering, Saved};
use serde_json::json;
use std::path::Path;

pub(crate) fn boost(args: &args::Boost, progress: &Progress) -> Outcome {
    Staged::check([Some(args.out.as_str()), args.new_out.as_deref()].into_iter().flatten())?;
    args.xgboost_out.as_deref().map_or(Ok(()), Staged::check_folder)?;
    let data = input::fitted(&args.common.data, args.common.rows)?;
    let given = input::labels(&args.labels, args.common.rows)?;
    let columns = data.names.as_deref();
    let new = args.new.as_deref().map(|new| input::table_like(new, None, columns)).transpose()?;
    let run = run(&args.common, progress);
    // Labels may have gaps (1, 2, 5); the model's outputs go by ascending label.
    let mut distinct: Vec<i32> = given.iter().copied().filter(|&label| label >= 0).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let labels = Clustering::compact(given)?.labels().to_vec();
    let weights = args.weights.as_deref().map(|path| input::weights(path, args.common.rows)).transpose()?;
    let weights: Option<Vec<f32>> = weights.map(|weights| weights.into_iter().map(|w| w as f32).collect());
    let mut model = progress
        .work(|| boost_settings(args).fit_weighted(&data.values, &labels, weights.as_deref(), &run))
        .map_err(|e| data.about(e))?;
    if let Some(names) = &data.names {
        model = model.with_feature_names(names.clone())?;
    }
    let mut files = Staged::default();
    let text = model.to_json()?;
    files.write(&args.out, |out| out.write_all(text.as_bytes()))?;
    let mut facts = facts("boost", data.values.dim());
    if let (Some(new), Some(path)) = (&new, &args.new_out) {
        let found: Array2<f64> = progress
            .work(|| match args.calibrated {
                true => model.distribution(&new.values, &run),
                false => model.probabilities(&new.values, &run),
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

fn boost_settings(args: &args::Boost) -> Boost {
    let mut boost = Boost::new()
        .rounds(args.rounds)
        .max_depth(args.max_depth)
        .learning_rate(args.learning_rate)
        .categorical(&args.categorical)
        .balanced(args.balanced)
        .calibrated(args.calibrated);
    if let Some(leaves) = args.max_leaves {
        boost = boost.max_leaves(leaves).grow(Grow::ByLoss);
    }
    if let Some(rounds) = args.early_stopping {
        boost = boost.early_stopping(rounds);
    }
    boost
}
