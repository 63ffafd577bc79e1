//! Tables from files: delimited text (CSV, TSV) and Parquet.

mod cells;
mod delimiter;
mod header;
mod lines;
mod parquet;
mod place;
mod source;
#[cfg(test)]
mod tests;
mod text;

use super::{Table, TableBuilder};
use crate::{Error, Result};
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray, RecordBatch, cast::AsArray};
use arrow_schema::{ArrowError, DataType};
use source::Source;
use std::path::Path;
use std::sync::Arc;
use text::Layout;

impl Table {
    /// Reads a file: delimited text in UTF-8 with a line of names (CSV, TSV; also gzipped) or Parquet, which is recognised by its
    /// content. [`TableFile`] says how it was read, and reads blocks of rows.
    ///
    /// Needs the feature `files`.
    ///
    /// ```
    /// use recluster::table::{Kind, Schema, Table, Values};
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("customers.csv");
    /// std::fs::write(&path, "plan;visits;since\nbasic;3;2024-02-29\npro;;2021-07-01\n")?;
    /// let table = Table::read(&path)?;
    /// assert_eq!(table.column("plan").unwrap().values(), &Values::words([Some("basic"), Some("pro")]));
    /// assert!(table.column("visits").unwrap().values().is_missing(1));
    /// assert_eq!(Schema::infer(&table).field("since").unwrap().kind, Kind::Date);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be read; [`Error::File`] for what is no such file, has rows of unlike width or two columns
    /// of one name, with the line; [`Error::Kinds`] for a Parquet column of a type that [`Table::from_record_batches`] does not take.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        Ok(TableFile::open(path)?.read()?.table)
    }
}

/// A file with a table: delimited text with a line of names, or Parquet.
///
/// - **Text** is in UTF-8, with or without a byte order mark, gzipped or not. The delimiter is a comma, semicolon, tab or `|`,
///   whichever divides the lines alike; cells may stand between double quotes. A column is whole numbers, numbers, truth values,
///   dates or times where all of its cells are, else words; digits after a zero (`00123`) are words. Missing are empty cells, `NA`,
///   `N/A`, `#N/A`, `n/a`, `NaN`, `nan` and `null`, and infinite numbers. [`Schema::infer`](super::Schema::infer) finds more:
///   `$1,200` and `29.2.2024` are words here.
/// - **Parquet** may be compressed by snappy, gzip, zstd or LZ4.
///
/// Text is read twice, first to find what its columns are; a pipe is kept in memory for it.
///
/// ```
/// use recluster::table::TableFile;
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("customers.csv");
/// std::fs::write(&path, "plan,visits\nbasic,3\npro,inf\nteam,88\n")?;
/// let file = TableFile::open(&path)?;
/// let read = file.read()?;
/// assert_eq!(read.table.rows(), 3);
/// assert_eq!(read.notes, ["column \"visits\": the infinite number in line 3 counts as missing"]);
/// // In blocks, for a file that is larger than memory.
/// let mut firsts = Vec::new();
/// file.blocks(2, |block| -> recluster::Result<()> {
///     firsts.push(block.first);
///     Ok(())
/// })?;
/// assert_eq!(firsts, [0, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TableFile {
    source: Arc<Source>,
}

/// Rows of a [`TableFile`], with their place in it.
#[derive(Debug)]
pub struct FileRows {
    /// The rows.
    pub table: Table,
    /// How the file was read, where that may surprise: infinite numbers that count as missing, a first line of numbers.
    pub notes: Vec<String>,
    /// The number of the table's first row among the file's rows, counted from 0.
    pub first: usize,
    source: Arc<Source>,
    /// Of text.
    layout: Option<Arc<Layout>>,
}

impl TableFile {
    /// Opens a file. A pipe is read to its end.
    ///
    /// # Errors
    /// [`Error::Io`] where there is none that can be read, [`Error::File`] for a folder.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Ok(TableFile { source: Arc::new(Source::open(path.as_ref())?) })
    }

    /// Whether it has named columns: it is no array of numbers, as `.npy` and IDX files are.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::File`] for an empty file.
    pub fn has_names(&self) -> Result<bool> {
        self.source.has_names()
    }

    /// All rows.
    ///
    /// # Errors
    /// Those of [`Table::read`].
    pub fn read(&self) -> Result<FileRows> {
        self.whole(None)
    }

    /// The first rows, at most `rows`; what the columns of text are is found from these alone.
    ///
    /// # Errors
    /// Those of [`Table::read`].
    pub fn head(&self, rows: usize) -> Result<FileRows> {
        self.whole(Some(rows))
    }

    fn whole(&self, rows: Option<usize>) -> Result<FileRows> {
        let mut all = None;
        self.in_blocks(rows, usize::MAX, &mut |table| -> Result<()> {
            all = Some(table);
            Ok(())
        })?;
        all.ok_or_else(|| self.source.fault("no rows"))
    }

    /// Calls `each` with blocks of at most `rows` rows (0 counts as 1), in order: at least one, which may be without rows. What the columns of text are
    /// is found from the whole file first. The notes on text stand in the first block, those on each block of Parquet in it.
    ///
    /// # Errors
    /// Those of [`Table::read`], and those of `each`, after which nothing more is read.
    pub fn blocks<E: From<Error>>(
        &self,
        rows: usize,
        mut each: impl FnMut(FileRows) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        self.in_blocks(None, rows.max(1), &mut each)
    }

    fn in_blocks<E: From<Error>>(
        &self,
        rows: Option<usize>,
        block: usize,
        each: &mut dyn FnMut(FileRows) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let source = &self.source;
        let layout = if source.is_parquet()? { None } else { Some(Arc::new(Layout::infer(source, rows)?)) };
        let mut blocks = Blocks {
            source: source.clone(),
            layout: layout.clone(),
            block,
            builder: TableBuilder::default(),
            notes: layout.as_ref().map_or_else(Vec::new, |layout| layout.notes.clone()),
            infinite: Vec::new(),
            first: 0,
            each,
        };
        match layout {
            Some(layout) => layout.batches(source, rows, &mut |batch| blocks.push(&batch))?,
            None => parquet::batches(source, rows, &mut |batch| {
                let first = blocks.first + blocks.builder.rows();
                let batch = finite(&batch, first, &mut blocks.infinite).map_err(|e| source.fault(e))?;
                blocks.push(&batch)
            })?,
        }
        blocks.hand_over()
    }

    /// Whether a panic of the calling thread would be caught and become an error of a damaged file: for a panic hook, which then should
    /// be silent. The library for Parquet panics on some of them.
    pub fn catches_panics() -> bool {
        parquet::is_guarded()
    }
}

impl FileRows {
    /// The line of a text file in which a row of this table begins, counted from 1; `None` in Parquet. The file is read again up to
    /// there.
    pub fn line(&self, row: usize) -> Option<u64> {
        self.layout.as_ref()?.line(&self.source, self.first + row)
    }

    /// An error about this table, such as one of [`Schema::encode`](super::Schema::encode), with the file and the line.
    ///
    /// ```
    /// use recluster::table::{Column, Schema, Table, TableFile, Values};
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("customers.csv");
    /// std::fs::write(&path, "visits\n3\n4e38\n")?;
    /// let read = TableFile::open(&path)?.read()?;
    /// let fitted = Column::new("visits", Values::numbers((0..50).map(|i| f64::from(i) * 1.5)));
    /// let schema = Schema::infer(&Table::new(vec![fitted])?);
    /// let error = schema.encode(&read.table).map_err(|error| read.error(error)).unwrap_err();
    /// assert!(error.to_string().contains("customers.csv: line 3, column \"visits\""), "{error}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn error(&self, error: Error) -> Error {
        match error {
            Error::Cell { column, row, value, reason } => {
                let place = match self.line(row) {
                    Some(line) => format!("line {line}"),
                    None => format!("row {} (counted from 0)", self.first + row),
                };
                self.source.fault(format_args!("{place}, column \"{column}\": \"{value}\" is {reason}"))
            }
            Error::Columns { .. } | Error::Kinds { .. } | Error::Empty { .. } => self.source.fault(error),
            _ => error,
        }
    }
}

/// Batches of any size as tables of a given size.
struct Blocks<'e, E> {
    source: Arc<Source>,
    layout: Option<Arc<Layout>>,
    block: usize,
    builder: TableBuilder,
    notes: Vec<String>,
    /// Of Parquet, in the rows since the last table.
    infinite: Vec<Infinite>,
    first: usize,
    each: &'e mut dyn FnMut(FileRows) -> std::result::Result<(), E>,
}

impl<E: From<Error>> Blocks<'_, E> {
    fn push(&mut self, batch: &RecordBatch) -> std::result::Result<(), E> {
        let mut from = 0;
        loop {
            // A table is handed over when it is known that rows follow, so that none is empty but an only one.
            if self.builder.rows() == self.block && from < batch.num_rows() {
                self.hand_over()?;
            }
            let count = (batch.num_rows() - from).min(self.block - self.builder.rows());
            self.builder.append(&batch.slice(from, count)).map_err(|e| self.source.fault(e))?;
            from += count;
            if from == batch.num_rows() {
                return Ok(());
            }
        }
    }

    fn hand_over(&mut self) -> std::result::Result<(), E> {
        let table = std::mem::take(&mut self.builder).finish().map_err(|e| self.source.fault(e))?;
        let first = self.first;
        self.first += table.rows();
        let (source, layout) = (self.source.clone(), self.layout.clone());
        let mut notes = std::mem::take(&mut self.notes);
        notes.extend(self.infinite.drain(..).map(|infinite| {
            let place = format!("row {} (counted from 0)", infinite.first);
            infinite.in_words(&place)
        }));
        (self.each)(FileRows { table, notes, first, source, layout })
    }
}

/// Infinite numbers of a column.
#[derive(Clone, Debug)]
struct Infinite {
    column: String,
    count: usize,
    /// Row of the first.
    first: usize,
}

impl Infinite {
    fn in_words(&self, place: &str) -> String {
        let Infinite { column, count, .. } = self;
        match count {
            1 => format!("column \"{column}\": the infinite number in {place} counts as missing"),
            _ => format!("column \"{column}\": {count} infinite numbers count as missing, the first in {place}"),
        }
    }
}

/// A batch with missing values for infinite ones, which are put down; its first row is the file's row `row`.
fn finite(batch: &RecordBatch, row: usize, found: &mut Vec<Infinite>) -> std::result::Result<RecordBatch, ArrowError> {
    let schema = batch.schema();
    let column = |(array, field): (&ArrayRef, &Arc<arrow_schema::Field>)| {
        let finite = match array.data_type() {
            DataType::Float32 => without(array.as_primitive::<Float32Type>(), f32::is_finite),
            DataType::Float64 => without(array.as_primitive::<Float64Type>(), f64::is_finite),
            _ => None,
        };
        let Some((finite, count, first)) = finite else { return array.clone() };
        match found.iter_mut().find(|infinite| infinite.column == *field.name()) {
            Some(infinite) => infinite.count += count,
            None => found.push(Infinite { column: field.name().clone(), count, first: row + first }),
        }
        finite
    };
    let columns = batch.columns().iter().zip(schema.fields()).map(column).collect();
    RecordBatch::try_new(with_nulls(&schema), columns)
}

/// The schema with missing values allowed everywhere.
fn with_nulls(schema: &arrow_schema::Schema) -> arrow_schema::SchemaRef {
    let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
    Arc::new(arrow_schema::Schema::new(fields.collect::<Vec<_>>()))
}

/// An array with missing values for those that are not kept, how many these are and the place of the first; None if all
/// are kept.
fn without<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    keep: impl Fn(T::Native) -> bool,
) -> Option<(ArrayRef, usize, usize)>
where
    PrimitiveArray<T>: FromIterator<Option<T::Native>>,
{
    let left = |x: &Option<T::Native>| x.is_some_and(|x| !keep(x));
    let first = array.iter().position(|x| left(&x))?;
    let count = array.iter().filter(left).count();
    let kept: PrimitiveArray<T> = array.iter().map(|x| x.filter(|&x| keep(x))).collect();
    Some((Arc::new(kept), count, first))
}
