//! Delimited text with a header line and numeric columns; an empty cell is a missing value.

use super::delimiter;
use super::lines::{Lines, unclosed};
use super::{Rounded, Table};
use ndarray::Array2;
use std::io::BufRead;

/// Reads a table.
pub(crate) fn table(reader: impl BufRead, rows: Option<usize>) -> Result<Table, String> {
    let mut all = None;
    blocks(reader, rows, usize::MAX, &mut |table| {
        all = Some(table);
        Ok(())
    })?;
    all.ok_or_else(|| "no rows".to_string())
}

/// Reads a table in blocks of at most `size` rows: at least one, which may be without rows.
pub(crate) fn blocks(
    reader: impl BufRead,
    rows: Option<usize>,
    size: usize,
    each: &mut dyn FnMut(Table) -> Result<(), String>,
) -> Result<(), String> {
    let (mut values, mut read, mut any) = (Vec::new(), 0, false);
    let mut rounded = Rounded::default();
    let mut hand_over = |values: &mut Vec<f32>, rounded: &mut Rounded, names: &[String]| {
        let shape = (values.len() / names.len().max(1), names.len());
        let values = Array2::from_shape_vec(shape, std::mem::take(values)).map_err(|e| e.to_string())?;
        let rounded = std::mem::take(rounded);
        each(Table { values, names: Some(names.to_vec()), image: None, places: None, rounded })
    };
    let names = walk(reader, rows, |visit| {
        let (cell, place) = match visit {
            Visit::Row(names) => {
                read += 1;
                if read == size {
                    (read, any) = (0, true);
                    return hand_over(&mut values, &mut rounded, names);
                }
                return Ok(());
            }
            Visit::Cell(cell, place) => (cell, place),
        };
        values.push(match cell {
            "" => f32::NAN,
            _ => match cell.parse::<f32>() {
                Ok(value) if value.is_infinite() => {
                    return Err(format!("{place}: \"{cell}\" is not a finite number"));
                }
                Ok(value) => {
                    if value.abs() >= Rounded::FROM && !is_whole_and_kept(cell, value) {
                        rounded.put(place.column, || format!("{place}: {cell} is read as {value}"));
                    }
                    value
                }
                Err(_) => return Err(format!("{place}: \"{cell}\" is not a number")),
            },
        });
        Ok(())
    })?;
    if read > 0 || !any { hand_over(&mut values, &mut rounded, &names) } else { Ok(()) }
}

/// Whether a number is exact in f32, or not a whole number.
fn is_whole_and_kept(cell: &str, value: f32) -> bool {
    match (cell.parse::<i128>(), cell.parse::<f64>()) {
        (Ok(whole), _) => value as i128 == whole,
        (_, Ok(wide)) => Rounded::is_kept(wide),
        _ => true,
    }
}

/// Reads only the column names.
pub(crate) fn names(reader: impl BufRead) -> Result<Vec<String>, String> {
    walk(reader, Some(0), |_| Ok(()))
}

/// Reads labels: one column of whole numbers with a header.
pub(crate) fn labels(reader: impl BufRead, rows: Option<usize>) -> Result<Vec<i128>, String> {
    let mut labels = Vec::new();
    let names = walk(reader, rows, |visit| {
        let Visit::Cell(cell, place) = visit else { return Ok(()) };
        labels.push(cell.parse::<i128>().map_err(|_| format!("{place}: \"{cell}\" is not a whole number"))?);
        Ok(())
    })?;
    match names.len() {
        1 => Ok(labels),
        columns => Err(format!("has {columns} columns; labels are one column of whole numbers")),
    }
}

/// The position of a cell.
struct Place<'a> {
    line: u64,
    column: usize,
    name: &'a str,
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column \"{}\"", self.line, self.name)
    }
}

/// What is read next.
enum Visit<'a> {
    Cell(&'a str, Place<'a>),
    /// The end of a row, and the column names.
    Row(&'a [String]),
}

/// Visits the cells row by row and returns the column names.
fn walk(
    mut reader: impl BufRead,
    rows: Option<usize>,
    mut visit: impl FnMut(Visit<'_>) -> Result<(), String>,
) -> Result<Vec<String>, String> {
    let sample = reader.fill_buf().map_err(|e| e.to_string())?;
    let delimiter = delimiter::find(sample).map_err(|e| e.to_string())?;
    let mut reader = ::csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .trim(::csv::Trim::All)
        .from_reader(Lines::new(reader, delimiter));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let names: Vec<String> = reader.byte_headers().map_err(explain)?.iter().map(text).collect();
    let mut record = ::csv::ByteRecord::new();
    let mut read = 0;
    // The line of the last record, if its last cell has several lines.
    let mut long = None;
    while read < rows.unwrap_or(usize::MAX) && reader.read_byte_record(&mut record).map_err(explain)? {
        let line = record.position().map_or(0, ::csv::Position::line);
        for (column, (bytes, name)) in record.iter().zip(&names).enumerate() {
            let place = Place { line, column, name };
            match std::str::from_utf8(bytes) {
                Ok(text) => visit(Visit::Cell(text, place))?,
                Err(_) => return Err(format!("{place}: not text in UTF-8")),
            }
        }
        visit(Visit::Row(&names))?;
        long = record.iter().next_back().filter(|cell| cell.contains(&b'\n')).map(|_| line);
        read += 1;
    }
    let ended = read < rows.unwrap_or(usize::MAX);
    match long.filter(|_| ended && reader.get_ref().has_odd_quotes()) {
        Some(line) => Err(unclosed(line)),
        None => Ok(names),
    }
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
        for text in ["a;b\n1;2\n3;4\n", "a\tb\n1\t2\n3\t4\n", "a|b\n1|2\n3|4"] {
            assert_eq!(table(text.as_bytes(), None).unwrap().values, ndarray::array![[1.0, 2.0], [3.0, 4.0]], "{text}");
        }
        assert_eq!(labels(&b"label\n3\n-1\n"[..], None).unwrap(), [3, -1]);
        // A quote that is never closed; one that is, in several lines; and one beyond the rows asked for.
        let open = walk(&b"a,b\n1,2\n3,\"4\n5,6\n"[..], None, |_| Ok(()));
        assert!(open.unwrap_err().starts_with("line 3: a cell begins with a quote"));
        assert!(walk(&b"a,b\n1,2\n3,\"4\n5\"\n"[..], None, |_| Ok(())).is_ok());
        assert!(walk(&b"a,b\n1,\"2\n\"\n3,\"4\n"[..], Some(1), |_| Ok(())).is_ok());
    }

    #[test]
    fn blocks_are_the_table_in_parts() {
        let text = "a,b\n1,\n16777217,4\n5,6\n7,8\n9,0\n";
        for (size, rows, sizes) in
            [(2, None, vec![2, 2, 1]), (5, None, vec![5]), (1, Some(3), vec![1; 3]), (9, Some(0), vec![0])]
        {
            let (mut found, mut told, mut seen) = (Vec::new(), 0, Vec::new());
            let mut take = |table: Table| {
                seen.push(table.values.nrows());
                found.extend(table.values);
                told += usize::from(table.rounded.words().is_some());
                Ok(())
            };
            blocks(text.as_bytes(), rows, size, &mut take).unwrap();
            let all = table(text.as_bytes(), rows).unwrap();
            assert_eq!((seen, told), (sizes, usize::from(rows != Some(0))));
            let bits = |x: &f32| x.to_bits();
            assert!(found.iter().map(bits).eq(all.values.iter().map(bits)));
        }
        let mut any = 0;
        let stopped = blocks(text.as_bytes(), None, 2, &mut |_| {
            any += 1;
            Err("enough".to_string())
        });
        assert_eq!((stopped, any), (Err("enough".to_string()), 1));
    }

    #[test]
    fn an_empty_line_of_one_column_is_a_missing_value() {
        let found = table(&b"a\n1\n\n3\n\n"[..], None).unwrap().values;
        assert_eq!((found.nrows(), found[[2, 0]]), (4, 3.0));
        assert!(found[[1, 0]].is_nan() && found[[3, 0]].is_nan());
        assert_eq!(table(&b"a\n1\n\n3\n"[..], Some(2)).unwrap().values.nrows(), 2);
        // Labels have no missing values, and no two may become equal by rounding.
        assert_eq!(labels(&b"l\n1\n\n2\n"[..], None).unwrap_err(), "line 3, column \"l\": \"\" is not a whole number");
        assert_eq!(labels(&b"l\n18446744073709551615\n"[..], None).unwrap(), [u64::MAX.into()]);
    }

    #[test]
    fn whole_numbers_that_32_bits_round_are_told() {
        let told = |text: &str| table(text.as_bytes(), None).unwrap().rounded.words();
        let first = "line 3, column \"id\": 16777217 is read as 16777216";
        assert_eq!(told("x,id\n0.1,16777216\n33554434.5,16777217\n1,-20000003\n").as_deref(), Some(first));
        let many = told("a,b,c,d,e\n1,16777219,16777219,33554435,2\n33554435,2,2,2,-33554435\n").unwrap();
        assert!(many.starts_with("line 2, column \"b\"") && many.ends_with("; so it is in 2 more columns"), "{many}");
        // 2^53 + 1 is not exact in f64 either; fractional numbers are rounded as usual.
        assert!(told("id\n9007199254740993\n").is_some() && told("id\n16777217.0\n").is_some());
        assert!(told("x\n0.1\n16777217.3\n16777216\n1e30\n9007199254740992\n-33554436\n").is_none());
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
