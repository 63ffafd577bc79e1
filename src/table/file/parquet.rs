//! Parquet files.

use super::source::Source;
use crate::core::plugin;
use crate::{Error, Result};
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow_array::RecordBatch;
use std::cell::Cell;

/// Rows of a batch.
const ROWS: usize = 1 << 16;

/// Reads batches in order, the first without rows.
pub(super) fn batches<E: From<Error>>(
    source: &Source,
    rows: Option<usize>,
    each: &mut dyn FnMut(RecordBatch) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    let bad = |e: ::parquet::errors::ParquetError| source.fault(e);
    let file = source.file()?;
    let mut builder = guarded(source, || ParquetRecordBatchReaderBuilder::try_new(file))?.map_err(bad)?;
    each(RecordBatch::new_empty(builder.schema().clone()))?;
    let announced = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(usize::MAX);
    let expected = rows.map_or(announced, |rows| rows.min(announced));
    if let Some(rows) = rows {
        builder = builder.with_limit(rows);
    }
    let mut reader = guarded(source, || builder.with_batch_size(ROWS).build())?.map_err(bad)?;
    let mut found = 0;
    while let Some(batch) = guarded(source, || reader.next())? {
        let batch = batch.map_err(|e| source.fault(e))?;
        found += batch.num_rows();
        each(batch)?;
    }
    // The library goes by the numbers of rows that parts of the file say, which in a damaged one disagree.
    match found == expected {
        true => Ok(()),
        false => Err(source.fault(format_args!("is damaged: {expected} rows are announced, {found} are there")).into()),
    }
}

thread_local! {
    /// Whether this thread is in the Parquet library.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread is an error of a file.
pub(super) fn is_guarded() -> bool {
    GUARDED.get()
}

/// A step of the Parquet library, which panics on some damaged files, such as those with a negative length of a column.
fn guarded<T>(source: &Source, step: impl FnOnce() -> T) -> Result<T> {
    let before = GUARDED.replace(true);
    // A reader is not used again after a panic.
    let done = plugin::caught(step);
    GUARDED.set(before);
    done.map_err(|message| source.fault(format_args!("is damaged: {message}")))
}
