//! The command `compare`: which cluster became which.

use crate::args;
use crate::commands::Outcome;
use crate::failure::{Failure, tell};
use crate::output::{Staged, quoted};
use crate::progress::Progress;
use recluster::Saved;
use recluster::recursive::{ClusterTree, Comparison, compare_assignments};
use serde_json::Value;

pub(crate) fn compare(args: &args::Compare, progress: &Progress) -> Outcome {
    Staged::check(args.out.as_deref())?;
    let sides = [read(&args.before)?, read(&args.after)?];
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
    files.commit()?;
    tell(found.to_string().trim_end());
    Ok(facts)
}

/// One side of a comparison.
enum Side {
    Tree(Box<ClusterTree>),
    Assigned(Vec<String>),
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
    let place = head.iter().position(|name| name == "assigned");
    let place = place.ok_or_else(|| Failure::file(path, "has no column \"assigned\", as files of assignments have"))?;
    let cell = |record: csv::Result<csv::StringRecord>| record.map(|record| record[place].to_string());
    file.records().map(cell).collect::<csv::Result<_>>().map(Side::Assigned).map_err(|e| Failure::file(path, e))
}

fn compared(sides: &[Side; 2]) -> recluster::Result<Comparison> {
    let paths = |side: &Side| match side {
        Side::Tree(tree) => tree.paths(),
        Side::Assigned(paths) => paths.clone(),
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
