//! Parquet files.

use super::source::Source;
use crate::failure::Failure;
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow_array::RecordBatch;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

/// Rows of a batch.
const ROWS: usize = 1 << 16;

/// Reads batches in order, the first without rows.
pub(super) fn batches(
    source: &Source,
    rows: Option<usize>,
    each: &mut dyn FnMut(RecordBatch) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let bad = |e: ::parquet::errors::ParquetError| Failure::file(source.path(), e);
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
        let batch = batch.map_err(|e| Failure::file(source.path(), e))?;
        found += batch.num_rows();
        each(batch)?;
    }
    // The library goes by the numbers of rows that parts of the file say, which in a damaged one disagree.
    match found == expected {
        true => Ok(()),
        false => {
            Err(Failure::file(source.path(), format!("is damaged: {expected} rows are announced, {found} are there")))
        }
    }
}

thread_local! {
    /// Whether a panic of this thread is an error of a file, of which the panic itself says nothing.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// A step of the Parquet library, which panics on some damaged files, such as those with a negative length of a column.
fn guarded<T>(source: &Source, step: impl FnOnce() -> T) -> Result<T, Failure> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                usual(info);
            }
        }));
    });
    let before = GUARDED.replace(true);
    // A reader is not used again after a panic.
    let done = catch_unwind(AssertUnwindSafe(step));
    GUARDED.set(before);
    done.map_err(|cause| {
        let text = cause.downcast_ref::<String>().map(String::as_str).or(cause.downcast_ref::<&str>().copied());
        Failure::file(source.path(), format!("is damaged: {}", text.unwrap_or("it cannot be read")))
    })
}
