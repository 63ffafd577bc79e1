//! CSV with a header line and numeric columns; an empty cell is a missing value.

use super::Table;
use ndarray::Array2;
use std::io::Read;

/// Reads a table.
pub(crate) fn table(reader: impl Read, rows: Option<usize>) -> Result<Table, String> {
    let mut values = Vec::new();
    let names = walk(reader, rows, |cell, place| {
        values.push(match cell {
            "" => f32::NAN,
            _ => match cell.parse::<f32>() {
                Ok(value) if value.is_infinite() => {
                    return Err(format!("{}: \"{cell}\" is not a finite number", place()));
                }
                Ok(value) => value,
                Err(_) => return Err(format!("{}: \"{cell}\" is not a number", place())),
            },
        });
        Ok(())
    })?;
    let shape = (values.len() / names.len().max(1), names.len());
    let values = Array2::from_shape_vec(shape, values).map_err(|e| e.to_string())?;
    Ok(Table { values, names: Some(names), image: None })
}

/// Reads labels: one column of whole numbers under its name.
pub(crate) fn labels(reader: impl Read, rows: Option<usize>) -> Result<Vec<i64>, String> {
    let mut labels = Vec::new();
    let names = walk(reader, rows, |cell, place| {
        labels.push(cell.parse::<i64>().map_err(|_| format!("{}: \"{cell}\" is not a whole number", place()))?);
        Ok(())
    })?;
    match names.len() {
        1 => Ok(labels),
        columns => Err(format!("has {columns} columns; labels are one column of whole numbers")),
    }
}

/// Goes through the cells row after row and returns the column names.
fn walk(
    reader: impl Read,
    rows: Option<usize>,
    mut cell: impl FnMut(&str, &dyn Fn() -> String) -> Result<(), String>,
) -> Result<Vec<String>, String> {
    let mut reader = ::csv::ReaderBuilder::new().trim(::csv::Trim::All).from_reader(reader);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let names: Vec<String> = reader.byte_headers().map_err(explain)?.iter().map(text).collect();
    let mut record = ::csv::ByteRecord::new();
    let mut read = 0;
    while read < rows.unwrap_or(usize::MAX) && reader.read_byte_record(&mut record).map_err(explain)? {
        let line = record.position().map_or(0, ::csv::Position::line);
        for (bytes, name) in record.iter().zip(&names) {
            let place = || format!("line {line}, column \"{name}\"");
            match std::str::from_utf8(bytes) {
                Ok(text) => cell(text, &place)?,
                Err(_) => return Err(format!("{}: not text in UTF-8", place())),
            }
        }
        read += 1;
    }
    Ok(names)
}

fn explain(error: ::csv::Error) -> String {
    match error.kind() {
        ::csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, ::csv::Position::line);
            format!("line {line} has {len} cells, the header line has {expected_len}")
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_numbers_or_missing() {
        let found = table(&b"a,\"b c\"\r\n1,\n-2.5,3e2\n"[..], None).unwrap();
        assert_eq!(found.names.unwrap(), ["a", "b c"]);
        assert_eq!((found.values.dim(), found.values[[1, 0]], found.values[[1, 1]]), ((2, 2), -2.5, 300.0));
        assert!(found.values[[0, 1]].is_nan());
        assert_eq!(table(&b"a\n1\n2\n3\n"[..], Some(2)).unwrap().values.dim(), (2, 1));
        assert_eq!(labels(&b"label\n3\n-1\n"[..], None).unwrap(), [3, -1]);
    }

    #[test]
    fn a_bad_cell_is_named_by_line_and_column() {
        let why = |text: &str| table(text.as_bytes(), None).unwrap_err();
        assert_eq!(why("age,income\n1,2\n3,much\n"), "line 3, column \"income\": \"much\" is not a number");
        assert_eq!(why("a,b\n1,2\n3\n"), "line 3 has 1 cells, the header line has 2");
        assert!(why("a\n1e99\n").contains("not a finite number"));
        assert!(labels(&b"l\n1.5\n"[..], None).unwrap_err().contains("line 2, column \"l\""));
        assert!(labels(&b"l,m\n1,2\n"[..], None).unwrap_err().contains("2 columns"));
    }
}
