//! The command `shap`: SHAP values and interactions of a model that was saved.

use crate::args;
use crate::commands::{Outcome, facts, run};
use crate::failure::Failure;
use crate::output::{Staged, npy};
use crate::progress::Progress;
use crate::source::Like;
use ndarray::{Array2, ArrayRef2, s};
use recluster::boost::BoostModel;
use recluster::explain::{Interactions, Surrogate, TreeShap};
use recluster::table::Schema;
use recluster::{Error, Explainer, Result, Run, Saved};
use std::io::Write;

/// Bytes of values in memory at once.
const BLOCK: usize = 256 << 20;

pub(crate) fn shap(args: &args::Shap, progress: &Progress) -> Outcome {
    Staged::check([Some(args.out.as_str()), args.importance_out.as_deref()].into_iter().flatten())?;
    let (model, schema) = model(&args.model)?;
    let read = |file: &str, rows| Like::read(file, rows, schema.as_ref(), model.feature_names());
    let data = read(&args.common.data, args.common.rows)?;
    let other = args.background.as_deref().or(args.counts.as_deref());
    let other = other.map(|file| read(file, None)).transpose()?;
    let run = run(&args.common, progress);
    let mut explainer = TreeShap::new(&model);
    if let Some(other) = &other {
        let ready = progress.work(|| match args.background {
            Some(_) => explainer.with_background(&other.values, &run),
            None => explainer.with_counts(&other.values, &run),
        });
        explainer = ready.map_err(|e| other.about(e))?;
    }
    let (rows, features, outputs) = (data.values.nrows(), model.features(), model.outputs().len());
    let slots = features + 1;
    let mut files = Staged::default();
    let mut failed = None;
    files.write(&args.out, |out| {
        let (shape, row): (&[usize], usize) = match args.interactions {
            true => (&[rows, slots, slots, outputs], 8 * slots * slots * outputs),
            false => (&[rows, slots, outputs], 8 * slots * outputs),
        };
        npy::<f64>(out, shape, [])?;
        let block = (BLOCK / row).max(1);
        // An empty table is one block, for the library to refuse.
        for first in (0..rows.max(1)).step_by(block) {
            let part = data.values.slice(s![first..(first + block).min(rows), ..]);
            let written = match args.interactions {
                true => interactions(&explainer, &part, &run, progress, out),
                false => values(&explainer, &part, &run, progress, out),
            };
            if let Err(error) = written? {
                failed = Some(in_block(error, first));
                break;
            }
        }
        Ok(())
    })?;
    if let Some(error) = failed {
        return Err(data.about(error));
    }
    if let Some(path) = &args.importance_out {
        let means = progress.beside("importance", || explainer.mean_absolute(&data.values, &run))?;
        files.write(path, |out| table(&means, model.feature_names(), out))?;
    }
    files.commit()?;
    let mut facts = facts("shap", data.values.dim());
    facts.insert("features".to_string(), features.into());
    facts.insert("outputs".to_string(), outputs.into());
    Ok(facts)
}

/// Writes SHAP values, each row with the base values after its features. The outer error is the file's.
fn values(
    explainer: &TreeShap<'_>,
    rows: &ArrayRef2<f32>,
    run: &Run,
    progress: &Progress,
    out: &mut dyn Write,
) -> std::io::Result<Result<()>> {
    let why = match progress.work(|| explainer.explain(rows, run)) {
        Ok(why) => why,
        Err(error) => return Ok(Err(error)),
    };
    for row in why.values().outer_iter() {
        row.iter().chain(why.base()).try_for_each(|value| out.write_all(&value.to_le_bytes()))?;
    }
    Ok(Ok(()))
}

/// Writes interaction values for all features, the base values in the last place of both axes.
fn interactions(
    explainer: &TreeShap<'_>,
    rows: &ArrayRef2<f32>,
    run: &Run,
    progress: &Progress,
    out: &mut dyn Write,
) -> std::io::Result<Result<()>> {
    let together = match progress.work(|| explainer.interactions(rows, run)) {
        Ok(together) => together,
        Err(error) => return Ok(Err(error)),
    };
    let mut bytes = Vec::new();
    for row in 0..rows.nrows() {
        progress.work(|| widen(&together, row, rows.ncols() + 1, &mut bytes));
        out.write_all(&bytes)?;
    }
    Ok(Ok(()))
}

/// One row's interaction values for all features, as bytes.
fn widen(together: &Interactions, row: usize, slots: usize, bytes: &mut Vec<u8>) {
    let (features, outputs) = (together.features(), together.base().len());
    bytes.clear();
    bytes.resize(8 * slots * slots * outputs, 0);
    let mut put = |at: usize, value: f64| bytes[8 * at..8 * at + 8].copy_from_slice(&value.to_le_bytes());
    if let Some(values) = together.row(row) {
        for ((i, j, output), &value) in values.indexed_iter() {
            put((features[i] * slots + features[j]) * outputs + output, value);
        }
    }
    for (output, &base) in together.base().iter().enumerate() {
        put((slots * slots - 1) * outputs + output, base);
    }
}

/// Writes mean absolute SHAP values as CSV, a line for each feature and output that has any.
fn table(means: &Array2<f64>, names: Option<&[String]>, out: &mut dyn Write) -> std::io::Result<()> {
    let mut file = csv::Writer::from_writer(out);
    file.write_record(["feature", "output", "mean_absolute"])?;
    for ((feature, output), &mean) in means.indexed_iter().filter(|(_, mean)| **mean > 0.0) {
        let name = names.map_or(feature.to_string(), |names| names[feature].clone());
        file.write_record([name, output.to_string(), mean.to_string()])?;
    }
    file.flush()
}

/// Turns an error's row number within a block into that of the table.
fn in_block(error: Error, first: usize) -> Error {
    match error {
        Error::NotFinite { what, row, column, value } => Error::NotFinite { what, row: row + first, column, value },
        other => other,
    }
}

/// Reads a model of this crate or of XGBoost, recognised by its content, with the schema of its table if there is one.
fn model(path: &str) -> std::result::Result<(BoostModel, Option<Schema>), Failure> {
    #[derive(serde::Deserialize)]
    struct Head {
        #[serde(default)]
        format: String,
        learner: Option<serde::de::IgnoredAny>,
    }
    let bad = |reason: &dyn std::fmt::Display| Failure::file(path, reason);
    let text = std::fs::read_to_string(path).map_err(|e| bad(&e))?;
    let head: Head = serde_json::from_str(&text).map_err(|e| bad(&format!("not a model: {e}")))?;
    let read = if head.learner.is_some() {
        BoostModel::from_xgboost_json(&text).map(|model| (model, None))
    } else if head.format == <Surrogate as Saved>::FORMAT {
        Surrogate::from_json(&text).map(|surrogate| (surrogate.model().clone(), surrogate.schema().cloned()))
    } else {
        BoostModel::from_json(&text).map(|model| (model, None))
    };
    read.map_err(|e| bad(&e))
}
