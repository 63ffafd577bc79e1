//! The records of a text file, made plain for a CSV reader: trimmed cells between commas, empty where they are missing.

use super::Infinite;
use super::lines::{Lines, unclosed};
use arrow_array::types::{Date32Type, Float64Type, Int64Type};
use arrow_cast::parse::{Parser, string_to_timestamp_nanos};
use std::io::{BufRead, Read};

/// Output that is made ready at once.
const READY: usize = 1 << 16;
/// Digits before which no number without an exponent is infinite.
const DIGITS: usize = 300;

/// Why the records cannot be read.
#[derive(Debug)]
pub(super) enum Fault {
    /// As many cells in a row.
    Width(usize, usize),
    /// A cell that is not in UTF-8: row and column.
    Text(usize, usize),
    /// The header line is not in UTF-8.
    Header,
    Read(String),
}

/// What was seen of a column that its type must respect.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// Digits after a zero: a code.
    pub(super) is_code: bool,
    /// What looks like a number or a date, and is none.
    pub(super) is_odd: bool,
    /// How many infinite numbers, and the first one's row.
    infinite: usize,
    first: usize,
}

pub(super) struct Cells<R> {
    reader: ::csv::Reader<Lines<R>>,
    record: ::csv::StringRecord,
    pub(super) names: Vec<String>,
    /// The first row that is not read.
    end: usize,
    row: usize,
    /// For each column, whether infinite numbers in it are missing values.
    numeric: Vec<bool>,
    pub(super) seen: Vec<Seen>,
    watch: bool,
    /// Output that has not been read yet.
    ready: Vec<u8>,
    passed: usize,
    /// The line of the last record, if its last cell has several lines.
    long: Option<u64>,
    pub(super) fault: Option<Fault>,
}

impl<R: BufRead> Cells<R> {
    /// Reads the header line. Until the columns' types are [known](Cells::with_numeric), all infinite numbers are missing.
    pub(super) fn new(reader: R, delimiter: u8, rows: Option<usize>) -> Result<Self, Fault> {
        let mut reader = ::csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(false)
            .from_reader(Lines::new(reader, delimiter));
        let mut record = ::csv::StringRecord::new();
        match reader.read_record(&mut record) {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ::csv::ErrorKind::Utf8 { .. }) => return Err(Fault::Header),
            Err(error) => return Err(Fault::Read(error.to_string())),
        }
        let name = |(place, name): (usize, &str)| match name.trim() {
            "" => format!("unnamed: {}", place + 1),
            name => name.to_string(),
        };
        let names: Vec<String> = record.iter().enumerate().map(name).collect();
        Ok(Cells {
            reader,
            record,
            end: rows.unwrap_or(usize::MAX),
            row: 0,
            numeric: vec![true; names.len()],
            seen: vec![Seen::default(); names.len()],
            watch: true,
            names,
            ready: Vec::new(),
            passed: 0,
            long: None,
            fault: None,
        })
    }

    /// For each column, whether it has numbers; nothing more needs to be seen of them.
    pub(super) fn with_numeric(mut self, numeric: Vec<bool>) -> Self {
        (self.numeric, self.watch) = (numeric, false);
        self
    }

    /// Infinite numbers in a column.
    pub(super) fn infinite(&self, column: usize) -> Option<Infinite> {
        let Seen { infinite: count, first, .. } = self.seen[column];
        (count > 0).then(|| Infinite { column: self.names[column].clone(), count, first })
    }

    /// Makes some records ready, none at the end.
    fn fill(&mut self) -> Result<(), Fault> {
        self.ready.clear();
        self.passed = 0;
        while self.ready.len() < READY && self.row < self.end {
            match self.reader.read_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => match self.long.filter(|_| self.reader.get_ref().has_odd_quotes()) {
                    Some(line) => return Err(Fault::Read(unclosed(line))),
                    None => break,
                },
                Err(error) => {
                    return Err(match error.kind() {
                        ::csv::ErrorKind::Utf8 { err, .. } => Fault::Text(self.row, err.field()),
                        _ => Fault::Read(error.to_string()),
                    });
                }
            }
            let last = self.record.iter().next_back();
            let line = || self.record.position().map_or(0, ::csv::Position::line);
            self.long = last.filter(|cell| cell.contains('\n')).map(|_| line());
            let width = self.record.len();
            if width != self.names.len() {
                // A line of blanks.
                if width == 1 && self.record[0].trim().is_empty() {
                    continue;
                }
                return Err(Fault::Width(self.row, width));
            }
            for (column, cell) in self.record.iter().enumerate() {
                if column > 0 {
                    self.ready.push(b',');
                }
                let cell = cell.trim();
                if is_missing(cell) {
                    continue;
                }
                let is_infinite = self.numeric[column] && is_infinite(cell);
                if self.watch {
                    self.seen[column].see(cell, is_infinite, self.row);
                }
                if !is_infinite {
                    put(cell, &mut self.ready);
                }
            }
            if width == 1 && self.ready.last().is_none_or(|&byte| byte == b'\n') {
                // Else the line is empty, and skipped.
                self.ready.extend_from_slice(b"\"\"");
            }
            self.ready.push(b'\n');
            self.row += 1;
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Cells<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.passed == self.ready.len()
            && let Err(fault) = self.fill()
        {
            self.fault = Some(fault);
            return Err(std::io::Error::other("a record cannot be read"));
        }
        let count = (&self.ready[self.passed..]).read(out)?;
        self.passed += count;
        Ok(count)
    }
}

impl Seen {
    fn see(&mut self, cell: &str, is_infinite: bool, row: usize) {
        if is_infinite {
            if self.infinite == 0 {
                self.first = row;
            }
            self.infinite += 1;
            return;
        }
        let bytes = cell.as_bytes();
        if !cell.is_ascii() {
            // Digits of other scripts are taken for numbers, but are not read.
            self.is_odd = true;
            return;
        }
        if !matches!(bytes[0], b'0'..=b'9' | b'+' | b'-' | b'.') {
            return;
        }
        if bytes.iter().all(u8::is_ascii_digit) {
            self.is_code |= bytes[0] == b'0' && bytes.len() > 1;
            return;
        }
        self.is_odd |= match bytes.get(4) {
            Some(b'-') if bytes.len() == 10 => Date32Type::parse(cell).is_none(),
            Some(b'-') => string_to_timestamp_nanos(cell).is_err(),
            _ if bytes[1..].iter().all(u8::is_ascii_digit) => Int64Type::parse(cell).is_none(),
            _ => Float64Type::parse(cell).is_none(),
        };
    }
}

/// Whether a cell, without spaces around it, has no value.
fn is_missing(cell: &str) -> bool {
    matches!(cell, "" | "NA" | "N/A" | "#N/A" | "n/a" | "NaN" | "nan" | "null" | "NULL" | "Null")
}

/// Whether a cell is an infinite number, or one beyond f64.
fn is_infinite(cell: &str) -> bool {
    let bare = cell.strip_prefix(['+', '-']).unwrap_or(cell);
    match bare.as_bytes().first() {
        Some(b'i' | b'I') => bare.eq_ignore_ascii_case("inf") || bare.eq_ignore_ascii_case("infinity"),
        Some(b'0'..=b'9' | b'.') => {
            let may_be = bare.contains(['e', 'E']) || bare.len() > DIGITS && bare.contains('.');
            may_be && cell.parse().is_ok_and(f64::is_infinite)
        }
        _ => false,
    }
}

/// Writes a cell, between quotes where it needs them.
fn put(cell: &str, out: &mut Vec<u8>) {
    if !cell.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
        out.extend_from_slice(cell.as_bytes());
        return;
    }
    out.push(b'"');
    for byte in cell.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}
