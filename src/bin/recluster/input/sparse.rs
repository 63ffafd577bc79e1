//! Sparse rows: Matrix Market and svmlight files.

use super::{Opened, Table, open};
use crate::failure::Failure;
use recluster::{Error, SparseRows};
use std::io::BufRead;

/// How a Matrix Market file begins.
pub(super) const MARKET: &[u8] = b"%%MatrixMarket";
/// Endings of svmlight files, which have no beginning of their own.
const SVM: [&str; 3] = ["svm", "libsvm", "svmlight"];
/// Rows up to which a file may say that it has them whatever its entries; beyond, one row in this many must have one.
const FREE_ROWS: usize = 1 << 24;
const EMPTY: usize = 64;

/// Sparse rows of a file.
#[derive(Debug)]
pub(crate) struct SparseTable {
    pub(crate) rows: SparseRows,
    /// What svmlight has before each row's entries.
    pub(crate) labels: Option<Vec<f64>>,
}

/// Entries under way.
#[derive(Default)]
struct Entries {
    rows: Vec<u32>,
    columns: Vec<u32>,
    values: Vec<f32>,
}

impl Entries {
    fn push(&mut self, row: usize, column: usize, value: f32) -> Result<(), String> {
        let narrow = |number: usize| u32::try_from(number).map_err(|_| format!("{number} needs more than 32 bits"));
        self.rows.push(narrow(row)?);
        self.columns.push(narrow(column)?);
        self.values.push(value);
        Ok(())
    }

    fn table(self, shape: (usize, usize), labels: Option<Vec<f64>>) -> Result<SparseTable, String> {
        let rows = SparseRows::from_entries(shape, &self.rows, &self.columns, &self.values);
        let twice = |error: Error| match error {
            Error::Entry { row, reason, .. } => format!("row {row} (counted from 0), one of its entries: {reason}"),
            other => other.to_string(),
        };
        Ok(SparseTable { rows: rows.map_err(twice)?, labels })
    }
}

/// Whether a file has sparse rows.
pub(crate) fn is_sparse(source: &str) -> Result<bool, Failure> {
    Ok(source != "digits" && std::fs::metadata(source).is_ok_and(|kind| kind.is_file()) && {
        matches!(open(source)?, Opened::Market(_) | Opened::Svm(_))
    })
}

/// Whether a file is svmlight's, by its name.
pub(super) fn is_svm(path: &str) -> bool {
    let name = path.strip_suffix(".gz").unwrap_or(path);
    name.rsplit_once('.').is_some_and(|(_, ending)| SVM.contains(&ending.to_ascii_lowercase().as_str()))
}

/// Reads sparse rows, only the first `rows` if given; of `columns` columns, where these are a model's.
pub(crate) fn sparse(source: &str, rows: Option<usize>, columns: Option<usize>) -> Result<SparseTable, Failure> {
    let read = match open(source)? {
        Opened::Market(reader) => market(reader, rows),
        Opened::Svm(reader) => svm(reader, rows, columns),
        Opened::Raw(..) | Opened::Text(_) | Opened::Other(_) => Err("is no file of sparse rows".to_string()),
    };
    let table = read.map_err(|reason| Failure::file(source, reason))?;
    let found = table.rows.columns();
    match columns.filter(|&expected| expected != found) {
        Some(expected) => Err(Failure::file(source, format!("{found} columns, expected {expected}"))),
        None => Ok(table),
    }
}

/// The labels of a file of sparse rows.
pub(super) fn labels(reader: impl BufRead, rows: Option<usize>) -> Result<Vec<i128>, String> {
    let labels = svm(reader, rows, None)?.labels.ok_or("the rows have no labels")?;
    labels.into_iter().map(|label| whole(label).ok_or(format!("label {label} is not a whole number"))).collect()
}

/// A number as a whole one, if it is.
pub(crate) fn whole(number: f64) -> Option<i128> {
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i128)
}

/// Blocks of the rows, made dense, each with the number of its first row.
pub(super) fn blocks(
    table: &SparseTable,
    size: usize,
    each: &mut dyn FnMut(Table, usize) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let all = table.rows.rows();
    // One block at least, if need be without rows.
    for first in (0..all.max(1)).step_by(size.max(1)) {
        let values = table.rows.to_dense(first..(first + size.max(1)).min(all))?;
        each(Table { values, ..Table::unread() }, first)?;
    }
    Ok(())
}

/// Calls `each(number, line)` for the lines, counted from 1.
fn lines(mut reader: impl BufRead, mut each: impl FnMut(usize, &str) -> Result<(), String>) -> Result<(), String> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(|e| e.to_string())? == 0 {
            break;
        }
        let text = std::str::from_utf8(&line).map_err(|_| format!("line {number} is no text"))?;
        each(number, text.trim()).map_err(|reason| format!("line {number}: {reason}"))?;
    }
    Ok(())
}

fn number(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(format!("\"{text}\" cannot be used: only finite numbers can")),
        Err(_) => Err(format!("\"{text}\" is not a number")),
    }
}

fn count(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("\"{text}\" is not a whole number"))
}

/// Coordinates of real, integer or pattern values; no symmetry, which tables of rows and columns have not.
fn market(reader: impl BufRead, most: Option<usize>) -> Result<SparseTable, String> {
    let (mut pattern, mut shape, mut entries) = (false, None, Entries::default());
    let mut seen = 0usize;
    lines(reader, |at, line| {
        if at == 1 {
            let lower = line.to_ascii_lowercase();
            let words: Vec<&str> = lower.split_whitespace().skip(1).collect();
            pattern = match words[..] {
                ["matrix", "coordinate", "real" | "integer", "general"] => false,
                ["matrix", "coordinate", "pattern", "general"] => true,
                _ => {
                    let takes = "must be \"matrix coordinate\", real, integer or pattern, general";
                    return Err(format!("\"{}\": {takes}", words.join(" ")));
                }
            };
            return Ok(());
        }
        if line.is_empty() || line.starts_with('%') {
            return Ok(());
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some((rows, columns, _)) = shape else {
            let [rows, columns, entries] = words[..] else {
                return Err("must have the numbers of rows, columns and entries".to_string());
            };
            shape = Some((count(rows)?, count(columns)?, count(entries)?));
            return Ok(());
        };
        let (row, column, value) = match words[..] {
            [row, column] if pattern => (row, column, 1.0),
            [row, column, value] if !pattern => (row, column, number(value)?),
            _ => return Err("must have a row and a column, and a value unless the file is a pattern".to_string()),
        };
        let place = |text: &str, most: usize, what: &str| match count(text)? {
            place if (1..=most).contains(&place) => Ok(place - 1),
            place => Err(format!("{what} {place} of {most}")),
        };
        let (row, column) = (place(row, rows, "row")?, place(column, columns, "column")?);
        seen += 1;
        if most.is_none_or(|most| row < most) { entries.push(row, column, value) } else { Ok(()) }
    })?;
    let (rows, columns, claimed) = shape.ok_or("the line with the numbers of rows, columns and entries is missing")?;
    if seen != claimed {
        return Err(format!("{claimed} entries are announced, {seen} are there"));
    }
    let rows = most.map_or(rows, |most| rows.min(most));
    if rows > FREE_ROWS && rows / EMPTY > seen {
        return Err(format!("{rows} rows are announced, which have {seen} entries"));
    }
    entries.table((rows, columns), None)
}

/// Lines of an optional label and `column:value` pairs, with comments after `#`; `qid:` is passed over. Columns count from 1,
/// or from 0 where a 0 is among them, as scikit-learn reads them.
fn svm(reader: impl BufRead, most: Option<usize>, columns: Option<usize>) -> Result<SparseTable, String> {
    let (mut entries, mut labels, mut from_zero, mut widest) = (Entries::default(), Vec::new(), false, 0);
    let mut rows = 0usize;
    lines(reader, |_, line| {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() || most.is_some_and(|most| rows >= most) {
            return Ok(());
        }
        let mut words = line.split_whitespace().peekable();
        if let Some(label) = words.next_if(|word| !word.contains(':')) {
            labels.push(label.parse::<f64>().map_err(|_| format!("label \"{label}\" is not a number"))?);
        }
        if !labels.is_empty() && labels.len() != rows + 1 {
            return Err("all rows must have labels, or none".to_string());
        }
        for word in words.filter(|word| !word.starts_with("qid:")) {
            let (column, value) = word.split_once(':').ok_or(format!("\"{word}\" is no pair of column and value"))?;
            let column = count(column)?;
            from_zero |= column == 0;
            widest = widest.max(column);
            entries.push(rows, column, number(value)?)?;
        }
        rows += 1;
        Ok(())
    })?;
    if !from_zero {
        entries.columns.iter_mut().for_each(|column| *column -= 1);
    }
    let found = widest + usize::from(from_zero);
    let labels = (!labels.is_empty()).then_some(labels);
    // Columns of no entry at the end are not in the file.
    entries.table((rows, columns.map_or(found, |columns| columns.max(found))), labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SparseTable, String> {
        market(text.as_bytes(), None)
    }

    #[test]
    fn matrix_market_files_are_read() {
        let text = "%%MatrixMarket matrix coordinate real general\n% a comment\n\n3 4 3\n3 1 2.5\n1 4 -1\n1 2 1e0\n";
        let table = read(text).unwrap().rows;
        assert_eq!((table.rows(), table.columns(), table.entries()), (3, 4, 3));
        assert_eq!(table.row(0), (&[1, 3][..], &[1.0, -1.0][..]));
        assert_eq!(market(text.as_bytes(), Some(2)).unwrap().rows.rows(), 2);
        let pattern = "%%MatrixMarket MATRIX Coordinate pattern general\r\n2 2 1\r\n2 2\r\n";
        assert_eq!(read(pattern).unwrap().rows.row(1), (&[1][..], &[1.0][..]));
    }

    #[test]
    fn broken_matrix_market_files_are_told() {
        let real = "%%MatrixMarket matrix coordinate real general\n";
        for (text, told) in [
            (
                "%%MatrixMarket matrix array real general\n2 2\n1\n1\n1\n1\n".to_string(),
                "must be \"matrix coordinate\"",
            ),
            ("%%MatrixMarket matrix coordinate real symmetric\n".to_string(), "general"),
            (real.to_string(), "is missing"),
            (format!("{real}2 2\n"), "numbers of rows, columns and entries"),
            (format!("{real}2 2 2\n1 1 1\n"), "2 entries are announced, 1 are there"),
            (format!("{real}2 2 1\n1 1 1\n2 2 1\n"), "1 entries are announced, 2 are there"),
            (format!("{real}2 2 1000000000000000\n1 1 1\n"), "1000000000000000 entries are announced, 1 are there"),
            (format!("{real}4000000000 2 1\n1 1 1\n"), "4000000000 rows are announced"),
            (format!("{real}2 99999999999 1\n1 1 1\n"), "columns"),
            (format!("{real}99999999999999999999 2 1\n"), "is not a whole number"),
            (format!("{real}2 2 1\n0 1 1\n"), "line 3: row 0 of 2"),
            (format!("{real}2 2 1\n1 3 1\n"), "column 3 of 2"),
            (format!("{real}2 2 1\n1 1 nan\n"), "only finite numbers"),
            (format!("{real}2 2 1\n1 1 1e99\n"), "only finite numbers"),
            (format!("{real}2 2 1\n1 1\n"), "and a value"),
            (format!("{real}2 2 2\n1 1 1\n1 1 2\n"), "its column comes twice"),
            (format!("{real}0 2 0\n"), "empty"),
        ] {
            let error = read(&text).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
        assert!(market(&[0xff, 0xfe, b'\n'][..], None).unwrap_err().contains("no text"));
    }

    #[test]
    fn svmlight_files_are_read_by_their_lowest_column() {
        let read = |text: &str| svm(text.as_bytes(), None, None);
        let table = read("1 qid:3 1:2 4:0.5 # one\n\n# nothing\n-1 2:1\n3\n").unwrap();
        assert_eq!(table.labels, Some(vec![1.0, -1.0, 3.0]));
        assert_eq!((table.rows.rows(), table.rows.columns()), (3, 4));
        assert_eq!(table.rows.row(0), (&[0, 3][..], &[2.0, 0.5][..]));
        let table = read("0:2 3:1\n1:5\n").unwrap();
        assert_eq!((table.labels, table.rows.columns()), (None, 4));
        assert_eq!(svm("1:2\n2:1\n".as_bytes(), Some(1), Some(9)).unwrap().rows.columns(), 9);
        assert_eq!(labels("2 1:1\n-1 1:1\n".as_bytes(), None).unwrap(), [2, -1]);
        for (text, told) in [
            ("1 1:1\n2:1\n", "line 2: all rows must have labels"),
            ("1:1 3\n", "is no pair"),
            ("1:1 1:2\n", "its column comes twice"),
            ("1:x\n", "\"x\" is not a number"),
            ("1:inf\n", "only finite numbers"),
            ("99999999999:1\n", "more than 32 bits"),
            ("4294967295:1\n", "columns"),
            ("a 1:1\n", "label \"a\""),
            ("\n", "empty"),
            ("1\n2\n", "empty"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
        assert!(labels("0.5 1:1\n".as_bytes(), None).is_err() && labels("1:1\n".as_bytes(), None).is_err());
    }
}
