//! The file of the clusters' names: what `fit` writes, people edit, and `report` reads.

use crate::failure::Failure;
use crate::output::quoted;
use recluster::recursive::{ClusterTree, Path};
use recluster::report::Draft;
use std::collections::BTreeMap;
use std::path::Path as FilePath;

/// The file's name in the folder of a fit.
pub(crate) const FILE: &str = "names.csv";
/// What becomes of the names of an earlier fit in the same folder.
pub(crate) const BEFORE: &str = "names.before.csv";

/// A line for each node: its path, its name, the name that the report proposes, its rows.
pub(crate) fn lines(tree: &ClusterTree, draft: &Draft) -> String {
    let mut text = "path,name,proposed,rows\n".to_string();
    for node in tree.nodes() {
        let proposed = draft.proposed_name(node.path()).unwrap_or_default();
        text += &format!("{},{},{},{}\n", node.path(), quoted(node.name()), quoted(proposed), node.rows().len());
    }
    text
}

/// Names by path, of a file with a column `path` and a column `name` in any place.
pub(crate) fn read(file: &str, tree: &ClusterTree) -> Result<Vec<(Path, String)>, Failure> {
    let bytes = std::fs::read(file).map_err(|e| Failure::file(file, e))?;
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(e) => {
            let line = 1 + bytes[..e.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count();
            return Err(at(file, line as u64, "is not UTF-8"));
        }
    };
    let mut reader = reader(text);
    let failed = |e: csv::Error| at(file, e.position().map_or(1, csv::Position::line), &e.to_string());
    let head = reader.headers().map_err(failed)?.clone();
    let place = |name: &str| {
        let found = head.iter().position(|own| own.trim().eq_ignore_ascii_case(name));
        found.ok_or_else(|| at(file, 1, &format!("has no column \"{name}\"")))
    };
    let (path_at, name_at) = (place("path")?, place("name")?);
    let mut seen: BTreeMap<Path, u64> = BTreeMap::new();
    let mut names = Vec::new();
    for record in reader.records() {
        let record = record.map_err(failed)?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |place: usize| record.get(place).unwrap_or_default().trim();
        let path: Path = match cell(path_at).parse() {
            Ok(path) if tree.at(&path).is_some() => path,
            _ => return Err(at(file, line, &format!("the tree has no cluster \"{}\"", cell(path_at)))),
        };
        if let Some(first) = seen.insert(path.clone(), line) {
            return Err(at(file, line, &format!("{path} has a name on line {first} already")));
        }
        names.push((path, cell(name_at).to_string()));
    }
    Ok(names)
}

/// What a file of names holds, unless it is plain that people have written none into it.
pub(crate) fn written(file: &FilePath) -> Option<Vec<u8>> {
    let bytes = std::fs::read(file).ok()?;
    let none = std::str::from_utf8(&bytes).is_ok_and(|text| {
        let mut reader = reader(text);
        let place = reader.headers().ok().and_then(|head| head.iter().position(|own| own == "name"));
        let empty = |place| reader.records().all(|record| record.is_ok_and(|record| record.get(place) == Some("")));
        place.is_some_and(empty)
    });
    (!none).then_some(bytes)
}

fn reader(text: &str) -> csv::Reader<&[u8]> {
    // Spreadsheets of some countries write semicolons, or tabs.
    let head = text.lines().next().unwrap_or_default();
    let separator = [b',', b';', b'\t'].into_iter().max_by_key(|&s| head.bytes().filter(|&byte| byte == s).count());
    csv::ReaderBuilder::new().delimiter(separator.unwrap_or(b',')).flexible(true).from_reader(text.as_bytes())
}

fn at(file: &str, line: u64, reason: &str) -> Failure {
    Failure::file(file, format!("line {line}: {reason}"))
}
