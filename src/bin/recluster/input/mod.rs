//! Data files, recognised by their first bytes; svmlight's, which begin like any text, by their names.

mod csv;
// Of the library's tables from files: what stands between cells, how files begin, the empty lines of a file of one column.
#[path = "../../../table/file/delimiter.rs"]
mod delimiter;
#[path = "../../../table/file/header.rs"]
mod header;
mod idx;
#[path = "../../../table/file/lines.rs"]
mod lines;
mod npy;
mod raw;
mod sparse;

use crate::failure::{Failure, tell};
use header::{GZIP, NPY, PARQUET, ZIP, numbers_as_names};
use ndarray::Array2;
use recluster::Error;
use recluster::table::{FileRows, TableFile};
pub(crate) use sparse::{SparseTable, is_sparse, sparse, whole};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read};

/// A table, with its file's information about the columns.
#[derive(Debug)]
pub(crate) struct Table {
    /// Rows x columns; NaN stands for a missing value.
    pub(crate) values: Array2<f32>,
    /// Column names, from a CSV file's header.
    pub(crate) names: Option<Vec<String>>,
    /// Width and height, where each row is an image.
    pub(crate) image: Option<(usize, usize)>,
    /// For each column of `values` its number in the file and among the `names`, where the order differs.
    places: Option<Vec<usize>>,
    rounded: Rounded,
}

impl Table {
    /// Of no file.
    pub(crate) fn unread() -> Self {
        Table { values: Array2::zeros((0, 0)), names: None, image: None, places: None, rounded: Rounded::default() }
    }

    /// An error about this table, with the column's number and name in the file.
    pub(crate) fn about(&self, error: Error) -> Failure {
        self.about_from(error, 0)
    }

    /// The same, of a table whose first row is the file's row `first`.
    pub(crate) fn about_from(&self, mut error: Error, first: usize) -> Failure {
        if let Error::NotFinite { row, .. } | Error::Category { row, .. } = &mut error {
            *row += first;
        }
        if let (Error::NotFinite { column, .. } | Error::Category { column, .. }, Some(places)) =
            (&mut error, &self.places)
            && let Some(&place) = places.get(*column)
        {
            *column = place;
        }
        Failure::about(error, self.names.as_deref())
    }
}

/// Whole numbers that f32 cannot represent: keys, dates and large counts.
#[derive(Debug, Default)]
pub(crate) struct Rounded {
    columns: HashSet<usize>,
    /// The first number of each of a few columns.
    first: Vec<String>,
}

impl Rounded {
    /// Whole numbers below this are exact: 2^24.
    const FROM: f32 = 16_777_216.0;
    /// Columns that are named.
    const FEW: usize = 3;

    /// Whether a number is fractional or exact in f32. From 2^53 on all floats are whole numbers and no longer counts.
    fn is_kept(wide: f64) -> bool {
        wide.fract() != 0.0 || wide.abs() >= 9_007_199_254_740_992.0 || f64::from(wide as f32) == wide
    }

    fn put(&mut self, column: usize, words: impl FnOnce() -> String) {
        if self.columns.insert(column) && self.first.len() < Self::FEW {
            self.first.push(words());
        }
    }

    fn words(&self) -> Option<String> {
        let more = match self.columns.len() - self.first.len() {
            0 => String::new(),
            1 => "; so it is in 1 more column".to_string(),
            more => format!("; so it is in {more} more columns"),
        };
        (!self.first.is_empty()).then(|| format!("{}{more}", self.first.join("; ")))
    }
}

/// Reads a table: a file, or the word `digits`; only the first `rows` rows, if given.
pub(crate) fn table(source: &str, rows: Option<usize>) -> Result<Table, Failure> {
    let table = read(source, rows)?;
    tell_of_names(source, &table);
    Ok(table)
}

fn read(source: &str, rows: Option<usize>) -> Result<Table, Failure> {
    if source == "digits" {
        let images = recluster::data::digits().images;
        let keep = rows.unwrap_or(usize::MAX).min(images.nrows());
        let values = images.slice_move(ndarray::s![..keep, ..]);
        return Ok(Table { values, names: None, image: Some((8, 8)), places: None, rounded: Rounded::default() });
    }
    let read = match open(source)? {
        Opened::Raw(mut reader, head) => head.table(&mut reader, rows),
        Opened::Text(reader) => csv::table(reader, rows),
        Opened::Market(_) | Opened::Svm(_) => Err(NOT_DENSE.to_string()),
        Opened::Other(reason) => Err(reason.to_string()),
    };
    let table = read.map_err(|reason| Failure::file(source, reason))?;
    if let Some(words) = table.rounded.words() {
        tell(format_args!("recluster: {source}: whole numbers from 16777216 on are rounded to 32 bits: {words}"));
    }
    Ok(table)
}

/// Reads a table that must have the columns of another table or of a model; where both have names, in the other's order.
pub(crate) fn table_like(source: &str, rows: Option<usize>, names: Option<&[String]>) -> Result<Table, Failure> {
    like(table(source, rows)?, source, names)
}

fn like(mut table: Table, source: &str, names: Option<&[String]>) -> Result<Table, Failure> {
    if let (Some(expected), Some(found)) = (names, &table.names) {
        let places = recluster::match_columns(expected, found).map_err(|e| Failure::file(source, e))?;
        if !places.is_sorted() {
            table.values = table.values.select(ndarray::Axis(1), &places);
            table.places = Some(places);
        }
    }
    Ok(table)
}

/// Reads a table as [`table_like`] does, in blocks of at most `size` rows, at least one; each with the number of its first row.
/// Sparse rows are read whole, with `columns` columns, and made dense block by block.
pub(crate) fn blocks_like(
    source: &str,
    rows: Option<usize>,
    names: Option<&[String]>,
    columns: Option<usize>,
    size: usize,
    each: &mut dyn FnMut(Table, usize) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if source == "digits" {
        return each(table_like(source, rows, names)?, 0);
    }
    if is_sparse(source)? {
        return sparse::blocks(&sparse(source, rows, columns)?, size, each);
    }
    let mut failed = None;
    let mut take = |table: Table, first: usize| {
        if first == 0 {
            tell_of_names(source, &table);
        }
        if let Some(words) = table.rounded.words() {
            tell(format_args!("recluster: {source}: whole numbers from 16777216 on are rounded to 32 bits: {words}"));
        }
        like(table, source, names).and_then(|table| each(table, first)).map_err(|failure| {
            failed = Some(failure);
            String::new()
        })
    };
    let read = match open(source)? {
        Opened::Raw(mut reader, head) => head.tables(&mut reader, rows, size, &mut take),
        Opened::Text(reader) => {
            let mut first = 0;
            csv::blocks(reader, rows, size, &mut |table| {
                let count = table.values.nrows();
                take(table, first)?;
                first += count;
                Ok(())
            })
        }
        Opened::Market(_) | Opened::Svm(_) => Err(NOT_DENSE.to_string()),
        Opened::Other(reason) => Err(reason.to_string()),
    };
    match failed {
        Some(failure) => Err(failure),
        None => read.map_err(|reason| Failure::file(source, reason)),
    }
}

/// Reads a table to fit a model to; column names must be distinct, as later tables are matched by them.
pub(crate) fn fitted(source: &str, rows: Option<usize>) -> Result<Table, Failure> {
    let table = read(source, rows)?;
    distinct(source, table.names.as_deref().unwrap_or_default())?;
    tell_of_names(source, &table);
    Ok(table)
}

/// Checks that no two columns have one name.
fn distinct(source: &str, names: &[String]) -> Result<(), Failure> {
    let checked = recluster::match_columns(names, names);
    checked.map(drop).map_err(|e| match numbers_as_names(names) {
        Some(words) => Failure::file(source, format!("{e}; {words}")),
        None => Failure::file(source, e),
    })
}

/// Whether a file has named columns, so that [`typed`] reads it: it is neither `digits` nor a file of `.npy`, IDX or sparse rows. A
/// pipe, which can be read only once, is taken to have them.
pub(crate) fn has_names(source: &str) -> Result<bool, Failure> {
    let is_pipe = std::fs::metadata(source).is_ok_and(|kind| !kind.is_file() && !kind.is_dir());
    Ok(source != "digits" && (is_pipe || !is_sparse(source)? && TableFile::open(source)?.has_names()?))
}

/// Reads a table of named columns with types; only the first `rows` rows, if given.
pub(crate) fn typed(source: &str, rows: Option<usize>) -> Result<FileRows, Failure> {
    let file = TableFile::open(source)?;
    Ok(rows.map_or_else(|| file.read(), |rows| file.head(rows))?)
}

/// Says how a table was read.
pub(crate) fn tell_of(source: &str, typed: &FileRows) {
    typed.notes.iter().for_each(|note| tell(format_args!("recluster: {source}: {note}")));
}

/// Reads only the column names of a table, if it has any.
pub(crate) fn names(source: &str) -> Result<Option<Vec<String>>, Failure> {
    if source == "digits" {
        return Ok(None);
    }
    match open(source)? {
        Opened::Raw(..) | Opened::Market(_) | Opened::Svm(_) | Opened::Other(_) => Ok(None),
        Opened::Text(reader) => csv::names(reader).map(Some).map_err(|reason| Failure::file(source, reason)),
    }
}

/// Says so where the names of a table are numbers.
fn tell_of_names(source: &str, table: &Table) {
    if let Some(words) = table.names.as_deref().and_then(numbers_as_names) {
        tell(format_args!("recluster: {source}: {words}"));
    }
}

/// Reads labels: one whole number for each row, or those of an svmlight file.
pub(crate) fn labels(source: &str, rows: Option<usize>) -> Result<Vec<i32>, Failure> {
    if source == "digits" {
        let mut labels = recluster::data::digits().labels;
        labels.truncate(rows.unwrap_or(usize::MAX));
        return Ok(labels);
    }
    let read = || match open(source)? {
        Opened::Raw(mut reader, head) => head.labels(&mut reader, rows).map_err(|reason| Failure::file(source, reason)),
        Opened::Text(reader) => csv::labels(reader, rows).map_err(|reason| Failure::file(source, reason)),
        Opened::Svm(reader) => sparse::labels(reader, rows).map_err(|reason| Failure::file(source, reason)),
        Opened::Market(_) => Err(Failure::file(source, NOT_DENSE)),
        Opened::Other(reason) => Err(Failure::file(source, reason)),
    };
    let labels = read()?;
    labels
        .into_iter()
        .enumerate()
        .map(|(row, label)| {
            i32::try_from(label)
                .map_err(|_| Failure::file(source, format!("label {label} at row {row} needs more than 32 bits")))
        })
        .collect()
}

/// Reads weights: one number for each row.
pub(crate) fn weights(path: &str, rows: Option<usize>) -> Result<Vec<f64>, Failure> {
    let table = table(path, rows)?;
    match table.values.ncols() {
        1 => Ok(table.values.iter().map(|&x| f64::from(x)).collect()),
        columns => Err(Failure::file(path, format!("{columns} columns: weights are one number a row"))),
    }
}

type Reader = BufReader<Box<dyn Read>>;

enum Opened {
    /// Binary numbers after a header with their type and shape.
    Raw(Reader, raw::Head),
    /// Sparse rows of a Matrix Market file.
    Market(Reader),
    /// Sparse rows of an svmlight file.
    Svm(Reader),
    /// What is not read here, and why.
    Other(&'static str),
    /// Anything else is taken for CSV.
    Text(Reader),
}

const NOT_DENSE: &str = "sparse rows are taken as the data of embed, boost, fit and predict";

/// Opens the file, decompressing gzip, and recognises its format.
fn open(path: &str) -> Result<Opened, Failure> {
    let bad = |e: std::io::Error| Failure::file(path, e);
    let file = std::fs::File::open(path).map_err(bad)?;
    if file.metadata().map_err(bad)?.is_dir() {
        return Err(Failure::file(path, "is a folder, not a file"));
    }
    let mut reader: Reader = BufReader::with_capacity(1 << 16, Box::new(file));
    if reader.fill_buf().map_err(bad)?.starts_with(GZIP) {
        reader = BufReader::with_capacity(1 << 16, Box::new(flate2::bufread::MultiGzDecoder::new(reader)));
    }
    let start = reader.fill_buf().map_err(bad)?;
    if start.is_empty() {
        return Err(Failure::file(path, "the file is empty"));
    }
    let is_npy = start.starts_with(NPY);
    let is_idx = start.starts_with(&[0, 0]);
    if is_npy {
        let head = npy::head(&mut reader).map_err(|reason| Failure::file(path, reason))?;
        Ok(Opened::Raw(reader, head))
    } else if is_idx {
        let head = idx::head(&mut reader).map_err(|reason| Failure::file(path, reason))?;
        Ok(Opened::Raw(reader, head))
    } else if start.starts_with(PARQUET) {
        Ok(Opened::Other(
            "is Parquet, which is read as a table with kinds of columns: here tables are CSV or arrays of numbers",
        ))
    } else if start.starts_with(ZIP.0) {
        Ok(Opened::Other(ZIP.1))
    } else if start.starts_with(sparse::MARKET) {
        Ok(Opened::Market(reader))
    } else if sparse::is_svm(path) {
        Ok(Opened::Svm(reader))
    } else {
        Ok(Opened::Text(reader))
    }
}
