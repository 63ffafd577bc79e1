//! The command `kinds`, and the files that it prints.

use crate::args;
use crate::failure::Failure;
use crate::input;
use recluster::table::{Amendment, Role, Schema};
use serde::{Deserialize, Serialize};
use std::io::Write;

/// A file of kinds.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    column: Vec<Amendment>,
}

pub(crate) fn kinds(args: &args::Kinds) -> Result<(), Failure> {
    let typed = input::typed(&args.common.data, args.common.rows)?;
    input::tell_of(&args.common.data, &typed);
    let text = print(&Schema::infer(&typed.table))?;
    std::io::stdout().write_all(text.as_bytes()).map_err(|e| Failure::data(format!("stdout: {e}")))
}

const HEAD: &str = "\
# What each column is. Change what is wrong, delete what may stay as it is, and give the file to \"recluster fit --kinds\".
# kind: number, count, share, ordinal (levels from low to high), category, flag (no, yes), date, answers (several in a cell)
# role: feature, id, weight (rows of the population that a row stands for), profile (an outside variable), label (for
# evaluation only), dropped
# scale of numbers, for comparing rows: linear, log, rank
# also: question and group (names that columns share), weight (of the question), missing (texts that count as missing),
# blank (the level that a missing value means), cycles of dates (day, week, year), decimal_comma and day_first (true where texts
# are written so: 1,5 and 31/12/2024)
";

fn print(schema: &Schema) -> Result<String, Failure> {
    let mut text = HEAD.to_string();
    for field in schema.fields() {
        text += "\n";
        if let Some(reason) = &field.reason {
            text += &format!("# {}\n", reason.replace('\n', " "));
        }
        let mut amendment = Amendment::from(field);
        if field.role != Role::Feature && field.kind.has_levels() {
            // Levels of what makes no clusters are of no use here, and may be as many as the rows.
            amendment.levels = None;
        }
        text += &toml::to_string(&File { column: vec![amendment] }).map_err(Failure::data)?;
    }
    Ok(text)
}

/// Reads a file of kinds.
pub(crate) fn read(path: &str) -> Result<Vec<Amendment>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|e| Failure::file(path, e))?;
    let file: File = toml::from_str(&text).map_err(|e| Failure::file(path, e.to_string().replace('\n', " ")))?;
    Ok(file.column)
}
