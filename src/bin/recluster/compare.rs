//! The command `compare`: which cluster became which.

use crate::args;
use crate::commands::Outcome;
use crate::failure::{Failure, tell};
use crate::output::{Staged, quoted};
use crate::progress::Progress;
use recluster::Saved;
use recluster::recursive::{ClusterTree, Comparison, compare_assignments};
use serde_json::Value;
use std::collections::HashMap;

pub(crate) fn compare(args: &args::Compare, progress: &Progress) -> Outcome {
    Staged::check([(args.out.as_deref(), "csv")])?;
    let [mut before, mut after] = [read(&args.before)?, read(&args.after)?];
    let only = match (&mut before, &mut after) {
        (Side::Assigned(before), Side::Assigned(after)) => matched(before, after, args)?,
        _ => None,
    };
    let sides = [before, after];
    let run = progress.run();
    let found = progress.work(|| {
        let _stage = run.stage("compare", 1);
        compared(&sides)
    })?;
    let mut files = Staged::default();
    if let Some(path) = &args.out {
        files.write(path, |out| out.write_all(flows(&found).as_bytes()))?;
    }
    let mut facts = match serde_json::to_value(&found).map_err(Failure::data)? {
        Value::Object(facts) => facts,
        _ => return Err(Failure::data("a comparison is an object")),
    };
    facts.insert("command".to_string(), "compare".into());
    if let Some([before, after]) = only {
        tell(format_args!("recluster: rows matched by ids; {before} only before, {after} only after"));
        facts.insert("rows_only_before".to_string(), before.into());
        facts.insert("rows_only_after".to_string(), after.into());
    }
    files.commit()?;
    tell(found.to_string().trim_end());
    Ok(facts)
}

/// One side of a comparison.
enum Side {
    Tree(Box<ClusterTree>),
    Assigned(Assigned),
}

/// A file of assignments.
struct Assigned {
    paths: Vec<String>,
    /// The columns of ids, and those of each row.
    names: Vec<String>,
    ids: Vec<Vec<String>>,
}

fn read(path: &str) -> Result<Side, Failure> {
    if !path.ends_with(".csv") {
        let tree = ClusterTree::load(path).map_err(|e| match e {
            e @ recluster::Error::Io { .. } => e.into(),
            e => Failure::file(path, e),
        })?;
        return Ok(Side::Tree(Box::new(tree)));
    }
    let mut file = csv::Reader::from_path(path).map_err(|e| Failure::file(path, e))?;
    let head = file.headers().map_err(|e| Failure::file(path, e))?;
    // Ids stand before, and may be named alike.
    let place = (0..head.len()).rev().find(|&at| &head[at] == "assigned");
    let place = place.ok_or_else(|| Failure::file(path, "has no column \"assigned\", as files of assignments have"))?;
    // Ids stand between the number of the row and what was made of it.
    let made = if place > 0 && head.get(place - 1) == Some("core") { place - 1 } else { place };
    let ids = if head.get(0) == Some("row") { 1..made.max(1) } else { 0..0 };
    let names = ids.clone().map(|id| head[id].to_string()).collect();
    let mut found = Assigned { paths: Vec::new(), names, ids: Vec::new() };
    for record in file.records() {
        let record = record.map_err(|e| Failure::file(path, e))?;
        found.paths.push(record[place].to_string());
        found.ids.push(ids.clone().map(|id| record[id].to_string()).collect());
    }
    Ok(Side::Assigned(found))
}

/// Brings the rows of two files with the same ids into one order, without those that only one of them has; how many these are.
/// Files of other ids, or of none, are compared row by row.
fn matched(before: &mut Assigned, after: &mut Assigned, args: &args::Compare) -> Result<Option<[usize; 2]>, Failure> {
    if before.names.is_empty() || before.ids == after.ids {
        return Ok(None);
    }
    if before.names != after.names {
        if !after.names.is_empty() {
            let names = [&before.names, &after.names].map(|names| names.join(", "));
            tell(format_args!(
                "recluster: the ids differ ({} and {}): rows are compared in their order",
                names[0], names[1]
            ));
        }
        return Ok(None);
    }
    let mut rows = HashMap::new();
    for (side, path) in [(&*before, &args.before), (&*after, &args.after)] {
        rows.clear();
        for (row, ids) in side.ids.iter().enumerate() {
            if rows.insert(ids.clone(), row).is_some() {
                let reason = format!("{} {} is there twice", side.names.join(", "), ids.join(", "));
                return Err(Failure::file(path, reason));
            }
        }
    }
    let pairs: Vec<(usize, usize)> =
        before.ids.iter().enumerate().filter_map(|(row, ids)| Some((row, *rows.get(ids)?))).collect();
    if pairs.is_empty() {
        return Err(Failure::file(&args.after, format!("has no {} of {}", before.names.join(", "), args.before)));
    }
    let only = [before.paths.len() - pairs.len(), after.paths.len() - pairs.len()];
    before.paths = pairs.iter().map(|pair| std::mem::take(&mut before.paths[pair.0])).collect();
    after.paths = pairs.iter().map(|pair| std::mem::take(&mut after.paths[pair.1])).collect();
    Ok(Some(only))
}

fn compared(sides: &[Side; 2]) -> recluster::Result<Comparison> {
    let paths = |side: &Side| match side {
        Side::Tree(tree) => tree.paths(),
        Side::Assigned(found) => found.paths.clone(),
    };
    match sides {
        [Side::Tree(before), Side::Tree(after)] => before.compare(after),
        [before, after] => compare_assignments(&paths(before), &paths(after)),
    }
}

/// Rows that changed cluster, from where to where.
fn flows(found: &Comparison) -> String {
    let line = |flow: &recluster::recursive::Flow| {
        format!("{},{},{},{}\n", quoted(&flow.from), quoted(&flow.to), flow.rows, flow.share)
    };
    std::iter::once("from,to,rows,share\n".to_string()).chain(found.flows.iter().map(line)).collect()
}
