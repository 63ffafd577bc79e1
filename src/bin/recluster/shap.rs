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
use recluster::{Error, Explanation, Result, Run, Saved};
use std::io::Write;

/// Bytes of interaction values in memory at once.
const BLOCK: usize = 256 << 20;

pub(crate) fn shap(args: &args::Shap, progress: &Progress) -> Outcome {
    Staged::check([(args.out.as_deref(), "npy"), (args.importance_out.as_deref(), "csv")])?;
    let Read { model, schema, paths } = model(&args.model)?;
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
    if let Some(path) = &args.out {
        files.write(path, |out| {
            let sides: &[usize] = if args.interactions { &[slots, slots] } else { &[slots] };
            npy::<f64>(out, &[&[rows], sides, &[outputs]].concat(), [])?;
            let written = match args.interactions {
                true => interactions(&explainer, outputs, &data.values, &run, progress, out),
                false => values(&explainer, &data.values, &run, progress, out),
            };
            failed = written?.err();
            Ok(())
        })?;
    }
    if let Some(error) = failed {
        return Err(data.about(error));
    }
    if let Some(path) = &args.importance_out {
        let means = || explainer.mean_absolute(&data.values, &run).map_err(|error| data.about(error));
        let means = match args.out {
            Some(_) => progress.beside("importance", means)?,
            None => progress.work(means)?,
        };
        files.write(path, |out| table(&means, model.feature_names(), out))?;
    }
    files.commit()?;
    let mut facts = facts("shap", data.values.dim());
    facts.insert("features".to_string(), features.into());
    facts.insert("outputs".to_string(), outputs.into());
    if let Some(names) = model.feature_names() {
        facts.insert("feature_names".to_string(), names.into());
    }
    if let Some(paths) = paths {
        facts.insert("clusters".to_string(), paths.into());
    }
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
    let (mut bytes, mut failed) = (Vec::new(), None);
    let mut write = |why: &Explanation| {
        for row in why.values().outer_iter() {
            bytes.clear();
            row.iter().chain(why.base()).for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
            out.write_all(&bytes)?;
        }
        Ok(())
    };
    let all = progress.work(|| {
        explainer.explain_blocks(rows, run, explainer.block_rows(), |_, why| {
            failed = progress.outside("explain blocks", || write(why)).err();
            match failed {
                Some(_) => Err(Error::Cancelled { stage: "write" }),
                None => Ok(()),
            }
        })
    });
    failed.map_or(Ok(all), Err)
}

/// Writes interaction values for all features, the base values in the last place of both axes.
fn interactions(
    explainer: &TreeShap<'_>,
    outputs: usize,
    rows: &ArrayRef2<f32>,
    run: &Run,
    progress: &Progress,
    out: &mut dyn Write,
) -> std::io::Result<Result<()>> {
    let slots = rows.ncols() + 1;
    let block = (BLOCK / (8 * slots * slots * outputs)).max(1);
    let mut bytes = Vec::new();
    // An empty table is one block, for the library to refuse.
    for first in (0..rows.nrows().max(1)).step_by(block) {
        let part = rows.slice(s![first..(first + block).min(rows.nrows()), ..]);
        let together = match progress.work(|| explainer.interactions(&part, run)) {
            Ok(together) => together,
            Err(error) => return Ok(Err(in_block(error, first))),
        };
        for row in 0..part.nrows() {
            progress.work(|| widen(&together, row, slots, &mut bytes));
            out.write_all(&bytes)?;
        }
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

/// A model, with what a surrogate has beside it: the schema of its table, and for each output the cluster's path.
struct Read {
    model: BoostModel,
    schema: Option<Schema>,
    paths: Option<Vec<String>>,
}

/// Reads a model of this crate or of XGBoost, recognised by its content.
fn model(path: &str) -> std::result::Result<Read, Failure> {
    #[derive(serde::Deserialize)]
    struct Head {
        #[serde(default)]
        format: String,
        learner: Option<serde::de::IgnoredAny>,
    }
    let bad = |reason: &dyn std::fmt::Display| Failure::file(path, reason);
    let text = std::fs::read_to_string(path).map_err(|e| bad(&e))?;
    let head: Head = serde_json::from_str(&text).map_err(|e| bad(&format!("not a model: {e}")))?;
    let alone = |model| Read { model, schema: None, paths: None };
    let read = if head.learner.is_some() {
        BoostModel::from_xgboost_json(&text).map(alone)
    } else if head.format == <Surrogate as Saved>::FORMAT {
        Surrogate::from_json(&text).map(|surrogate| Read {
            model: surrogate.model().clone(),
            schema: surrogate.schema().cloned(),
            paths: Some(surrogate.classes().to_vec()),
        })
    } else {
        BoostModel::from_json(&text).map(alone)
    };
    read.map_err(|e| bad(&e))
}
