//! Delimited text: what its columns are, and its rows.

use super::cells::{Cells, Fault};
use super::header::numbers_as_names;
use super::source::{Reader, Source};
use super::{delimiter, place};
use crate::{Error, Result};
use arrow_array::RecordBatch;
use arrow_csv::reader::{Format, ReaderBuilder};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use std::io::BufReader;
use std::sync::Arc;

/// Cells of a batch, about, and its rows at most.
const CELLS: usize = 1 << 21;
const ROWS: usize = 1 << 16;
/// What is wrong with texts of other encodings, in the words of spreadsheets.
const NOT_UTF8: &str = "not text in UTF-8; save the file as \"CSV UTF-8\"";

/// What is known of a text file.
#[derive(Debug)]
pub(super) struct Layout {
    delimiter: u8,
    schema: SchemaRef,
    pub(super) notes: Vec<String>,
}

impl Layout {
    /// Finds what the columns are from the file's first `rows` rows, or all.
    pub(super) fn infer(source: &Source, rows: Option<usize>) -> Result<Self> {
        let delimiter = delimiter::find(source.text()?).map_err(|e| source.io(e))?;
        let empty = Layout { delimiter, schema: Arc::new(Schema::empty()), notes: Vec::new() };
        let mut cells = empty.cells(source, rows)?;
        let names = cells.names.clone();
        if names.is_empty() {
            return Err(source.fault("has no header line"));
        }
        let as_names = numbers_as_names(&names);
        crate::match_columns(&names, &names).map_err(|e| match &as_names {
            Some(words) => source.fault(format_args!("{e}; {words}")),
            None => source.fault(e),
        })?;
        let inferred = Format::default().infer_schema(&mut cells, None);
        if let Some(fault) = cells.fault.take() {
            return Err(empty.explain(source, &names, fault));
        }
        let (inferred, _) = inferred.map_err(|e| source.fault(e))?;
        let known = |column: usize| match inferred.fields().get(column).map(|field| field.data_type().clone()) {
            None => DataType::Null,
            Some(DataType::Int64) if cells.seen[column].is_code => DataType::Utf8,
            Some(DataType::Null) => DataType::Null,
            Some(DataType::Boolean) => DataType::Boolean,
            Some(_) if cells.seen[column].is_odd => DataType::Utf8,
            // Nanoseconds do not reach beyond 2262.
            Some(DataType::Timestamp(TimeUnit::Nanosecond, zone)) => DataType::Timestamp(TimeUnit::Microsecond, zone),
            Some(kind) => kind,
        };
        let fields: Vec<Field> = names.iter().enumerate().map(|(i, name)| Field::new(name, known(i), true)).collect();
        let mut layout = Layout { delimiter, schema: Arc::new(Schema::new(fields)), notes: Vec::from_iter(as_names) };
        for (column, is_numeric) in layout.numeric().into_iter().enumerate() {
            if let Some(infinite) = cells.infinite(column).filter(|_| is_numeric) {
                let line = layout.line(source, infinite.first).map_or_else(String::new, |line| format!("line {line}"));
                layout.notes.push(infinite.in_words(&line));
            }
        }
        Ok(layout)
    }

    /// For each column whether it has numbers, or nothing.
    fn numeric(&self) -> Vec<bool> {
        let is_numeric = |kind: &DataType| matches!(kind, DataType::Int64 | DataType::Float64 | DataType::Null);
        self.schema.fields().iter().map(|field| is_numeric(field.data_type())).collect()
    }

    fn cells(&self, source: &Source, rows: Option<usize>) -> Result<Cells<Reader>> {
        Cells::new(source.text()?, self.delimiter, rows).map_err(|fault| self.explain(source, &[], fault))
    }

    /// Reads batches in order, the first without rows.
    pub(super) fn batches<E: From<Error>>(
        &self,
        source: &Source,
        rows: Option<usize>,
        each: &mut dyn FnMut(RecordBatch) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        each(RecordBatch::new_empty(self.schema.clone()))?;
        let mut cells = self.cells(source, rows)?.with_numeric(self.numeric());
        let size = (CELLS / self.schema.fields().len()).clamp(256, ROWS);
        let mut reader = ReaderBuilder::new(self.schema.clone())
            .with_batch_size(size)
            .build_buffered(BufReader::with_capacity(1 << 16, &mut cells))
            .map_err(|e| source.fault(e))?;
        let error = loop {
            match reader.next() {
                Some(Ok(batch)) => each(batch)?,
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        };
        drop(reader);
        match (cells.fault.take(), error) {
            (Some(fault), _) => Err(self.explain(source, &cells.names, fault).into()),
            (None, Some(error)) => Err(source.fault(error).into()),
            (None, None) => Ok(()),
        }
    }

    /// The line in which a row begins.
    pub(super) fn line(&self, source: &Source, row: usize) -> Option<u64> {
        self.line_of(source, self.schema.fields().len(), row)
    }

    fn line_of(&self, source: &Source, columns: usize, row: usize) -> Option<u64> {
        place::line(source.text().ok()?, self.delimiter, columns, row).ok().flatten()
    }

    fn explain(&self, source: &Source, names: &[String], fault: Fault) -> Error {
        let line = |row| match self.line_of(source, names.len(), row) {
            Some(line) => format!("line {line}"),
            None => format!("row {row} (counted from 0)"),
        };
        let reason = match fault {
            Fault::Width(row, width) => {
                format!("{} has {width} cells, the header line has {}", line(row), names.len())
            }
            Fault::Text(row, column) => match names.get(column) {
                Some(name) => format!("{}, column \"{name}\": {NOT_UTF8}", line(row)),
                None => format!("{}: {NOT_UTF8}", line(row)),
            },
            Fault::Header => format!("the header line is {NOT_UTF8}"),
            Fault::Read(reason) => reason,
        };
        source.fault(reason)
    }
}
