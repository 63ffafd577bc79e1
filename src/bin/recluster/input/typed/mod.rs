//! Tables of named columns with types: delimited text (CSV, TSV) and Parquet.

mod cells;
mod delimiter;
mod parquet;
mod place;
mod source;
#[cfg(test)]
mod tests;
mod text;

use crate::failure::Failure;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray, RecordBatch, cast::AsArray};
use arrow_schema::DataType;
use recluster::Error;
use recluster::table::{Table, TableBuilder};
use source::Source;
use std::sync::Arc;
use text::Layout;

/// A table with its place in a file.
#[derive(Debug)]
pub(crate) struct Typed {
    /// The rows.
    pub(crate) table: Table,
    /// What a reader of results should know of how the file was read, each without the file's name.
    pub(crate) notes: Vec<String>,
    /// The number of the table's first row among the file's rows.
    pub(crate) first: usize,
    source: Arc<Source>,
    /// Of text.
    layout: Option<Arc<Layout>>,
}

impl Typed {
    /// The line of a text file in which a row of this table begins, both as people count lines, from 1. The file is read
    /// again up to there.
    pub(crate) fn line(&self, row: usize) -> Option<u64> {
        self.layout.as_ref()?.line(&self.source, self.first + row)
    }

    /// An error about this table, with the file and the line.
    pub(crate) fn about(&self, error: Error) -> Failure {
        let path = self.source.path();
        match error {
            Error::Cell { column, row, value, reason } => {
                let place = match self.line(row) {
                    Some(line) => format!("line {line}"),
                    None => format!("row {} (counted from 0)", self.first + row),
                };
                Failure::file(path, format!("{place}, column \"{column}\": \"{value}\" is {reason}"))
            }
            Error::Columns { .. } | Error::Kinds { .. } | Error::Empty { .. } => Failure::file(path, error),
            _ => error.into(),
        }
    }
}

/// Whether a file has named columns, so that [`typed`] reads it: it is neither `digits` nor a file of `.npy` or IDX. A pipe,
/// which can be read only once, is taken to have them.
pub(crate) fn has_names(source: &str) -> Result<bool, Failure> {
    let is_pipe = std::fs::metadata(source).is_ok_and(|kind| !kind.is_file() && !kind.is_dir());
    Ok(source != "digits" && (is_pipe || !super::is_sparse(source)? && Source::open(source)?.has_names()?))
}

/// Reads a table; only the first `rows` rows, if given.
pub(crate) fn typed(source: &str, rows: Option<usize>) -> Result<Typed, Failure> {
    let mut all = None;
    read(source, rows, usize::MAX, &mut |table| {
        all = Some(table);
        Ok(())
    })?;
    all.ok_or_else(|| Failure::file(source, "no rows"))
}

/// Reads a table in blocks of at most `rows` rows, in order: at least one, which may be without rows. What the columns are
/// is found from the whole file first. The notes stand in the first block; those that a Parquet file's later blocks give,
/// in these.
pub(crate) fn blocks(
    source: &str,
    rows: usize,
    each: &mut dyn FnMut(Typed) -> Result<(), Failure>,
) -> Result<(), Failure> {
    read(source, None, rows.max(1), each)
}

fn read(
    path: &str,
    rows: Option<usize>,
    block: usize,
    each: &mut dyn FnMut(Typed) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let source = Arc::new(Source::open(path)?);
    let is_parquet = source.is_parquet()?;
    let layout = if is_parquet { None } else { Some(Arc::new(Layout::infer(&source, rows)?)) };
    let notes = layout.as_ref().map_or_else(Vec::new, |layout| layout.notes.clone());
    let builder = TableBuilder::default();
    let mut blocks = Blocks {
        source: source.clone(),
        layout: layout.clone(),
        block,
        builder,
        notes,
        infinite: Vec::new(),
        first: 0,
        each,
    };
    match layout {
        Some(layout) => layout.batches(&source, rows, &mut |batch| blocks.push(&batch))?,
        None => parquet::batches(&source, rows, &mut |batch| {
            let batch = finite(&batch, blocks.first + blocks.builder.rows(), &mut blocks.infinite)?;
            blocks.push(&batch)
        })?,
    }
    blocks.close()
}

/// Batches of any size as tables of a given size.
struct Blocks<'e> {
    source: Arc<Source>,
    layout: Option<Arc<Layout>>,
    block: usize,
    builder: TableBuilder,
    notes: Vec<String>,
    /// Of Parquet, in the rows since the last table.
    infinite: Vec<Infinite>,
    first: usize,
    each: &'e mut dyn FnMut(Typed) -> Result<(), Failure>,
}

impl Blocks<'_> {
    fn push(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let mut from = 0;
        loop {
            // A table is handed over when it is known that rows follow, so that none is empty but an only one.
            if self.builder.rows() == self.block && from < batch.num_rows() {
                self.hand_over()?;
            }
            let count = (batch.num_rows() - from).min(self.block - self.builder.rows());
            self.builder.append(&batch.slice(from, count)).map_err(|e| Failure::file(self.source.path(), e))?;
            from += count;
            if from == batch.num_rows() {
                return Ok(());
            }
        }
    }

    fn hand_over(&mut self) -> Result<(), Failure> {
        let table = std::mem::take(&mut self.builder).finish().map_err(|e| Failure::file(self.source.path(), e))?;
        let first = self.first;
        self.first += table.rows();
        let (source, layout) = (self.source.clone(), self.layout.clone());
        let mut notes = std::mem::take(&mut self.notes);
        notes.extend(self.infinite.drain(..).map(|infinite| {
            let place = format!("row {} (counted from 0)", infinite.first);
            infinite.in_words(&place)
        }));
        (self.each)(Typed { table, notes, first, source, layout })
    }

    fn close(mut self) -> Result<(), Failure> {
        self.hand_over()
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
fn finite(batch: &RecordBatch, row: usize, found: &mut Vec<Infinite>) -> Result<RecordBatch, Failure> {
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
    RecordBatch::try_new(with_nulls(&schema), columns).map_err(Failure::data)
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
