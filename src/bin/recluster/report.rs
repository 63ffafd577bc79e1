//! The command `report`: the report once more, with the names of now.

use crate::args;
use crate::commands::{Outcome, facts};
use crate::failure::{Failure, tell};
use crate::names;
use crate::output::Staged;
use crate::progress::Progress;
use recluster::Saved;
use recluster::explain::Surrogate;
use recluster::recursive::{ClusterTree, Path as At};
use recluster::report::{Draft, Text};
use serde_json::json;
use std::io::Write;
use std::path::Path;

/// The draft's name in the folder of a fit.
pub(crate) const DRAFT: &str = "report.json";

pub(crate) fn report(args: &args::Report, progress: &Progress) -> Outcome {
    let folder = Path::new(&args.folder);
    let path = |name: &str| folder.join(name).display().to_string();
    let mut tree: ClusterTree = load(&path("tree.json"))?;
    let mut draft: Draft = load(&path(DRAFT))?;
    let names = match &args.names {
        Some(file) => names::read(file, &tree)?,
        None => names::read(&path(names::FILE), &tree)?,
    };
    let mut renamed = Vec::new();
    for (at, name) in names {
        let before = tree.at(&at).map(|node| node.name().to_string()).unwrap_or_default();
        if before != name {
            tree.set_name(&at.to_string(), name.as_str())?;
            renamed.push(json!({"path": at.to_string(), "from": before, "to": name}));
        }
    }
    if let Some(title) = &args.title {
        draft = draft.with_title(title);
    }
    if let Some(file) = &args.text {
        draft = draft.with_text(text(file)?);
    }
    let run = progress.run();
    let html = progress
        .work(|| {
            let _stage = run.stage("report", 1);
            draft.render(&tree)
        })
        .map_err(|e| Failure::file(&path(DRAFT), e))?;
    let markdown = recluster::report::markdown(&html);
    let mut files = Staged::default();
    let texts = [
        ("report.html", html),
        ("report.md", markdown),
        (DRAFT, draft.to_json()?),
        ("tree.json", tree.to_json()?),
        (names::FILE, names::lines(&tree, &draft)),
    ];
    for (name, text) in texts {
        files.write(folder.join(name), |out| out.write_all(text.as_bytes()))?;
    }
    // Who has moved the model or the table elsewhere can still have the report.
    if folder.join("model.json").exists() {
        let mut model: Surrogate = load(&path("model.json"))?;
        for class in model.classes().to_vec() {
            let name = tree.node(&class).map_or("", |node| node.name());
            model.set_name(&class, name)?;
        }
        let text = model.to_json()?;
        files.write(folder.join("model.json"), |out| out.write_all(text.as_bytes()))?;
    }
    for (file, cluster) in [("rules.csv", "cluster"), ("assignments.csv", "assigned")] {
        if !folder.join(file).exists() {
            continue;
        }
        let Some(places) = places(&path(file), [cluster, "name"])? else {
            tell(format_args!(
                "recluster: {}: has no columns \"{cluster}\" and \"name\", and stays as it is",
                path(file)
            ));
            continue;
        };
        let mut failed = Ok(());
        files.write(folder.join(file), |out| {
            failed = with_names(&path(file), places, &tree, out);
            Ok(())
        })?;
        failed?;
    }
    files.commit()?;
    let mut facts = facts("report", (tree.rows(), tree.columns()));
    facts.insert("leaves".to_string(), tree.leaves().count().into());
    facts.insert("named".to_string(), tree.nodes().iter().filter(|node| !node.name().is_empty()).count().into());
    facts.insert("renamed".to_string(), renamed.into());
    Ok(facts)
}

/// A catalogue of texts.
pub(crate) fn text(file: &str) -> Result<Text, Failure> {
    Ok(Text::read(file)?)
}

/// The command `text`.
pub(crate) fn print_text() -> Result<(), Failure> {
    std::io::stdout().write_all(Text::ENGLISH.as_bytes()).map_err(|e| Failure::data(format!("stdout: {e}")))
}

fn load<T: Saved>(path: &str) -> Result<T, Failure> {
    T::load(path).map_err(|e| match e {
        e @ recluster::Error::Io { .. } => e.into(),
        e => Failure::file(path, e),
    })
}

/// The last columns of these titles: ids stand before them, and may be named alike.
fn places(path: &str, titles: [&str; 2]) -> Result<Option<[usize; 2]>, Failure> {
    let wrong = |e: csv::Error| Failure::file(path, e);
    let mut reader = csv::Reader::from_path(path).map_err(wrong)?;
    let head = reader.headers().map_err(wrong)?;
    let [first, second] = titles.map(|title| (0..head.len()).rev().find(|&at| &head[at] == title));
    Ok(first.zip(second).map(|(first, second)| [first, second]))
}

/// Writes the lines of a file with the names of now, in one column, of the clusters in another.
fn with_names(path: &str, places: [usize; 2], tree: &ClusterTree, out: &mut dyn Write) -> Result<(), Failure> {
    let wrong = |e: csv::Error| Failure::file(path, e);
    let mut reader = csv::Reader::from_path(path).map_err(wrong)?;
    let head = reader.headers().map_err(wrong)?.clone();
    let [cluster, name] = places;
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(&head).map_err(wrong)?;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(wrong)? {
        let called = record[cluster].parse::<At>().ok().and_then(|at| tree.at(&at)).map_or("", |node| node.name());
        let cells = record.iter().enumerate().map(|(place, cell)| if place == name { called } else { cell });
        writer.write_record(cells).map_err(wrong)?;
    }
    writer.flush().map_err(|e| Failure::file(path, e))
}
