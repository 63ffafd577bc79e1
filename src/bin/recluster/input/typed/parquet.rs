//! Parquet files.

use super::source::Source;
use crate::failure::Failure;
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow_array::RecordBatch;

/// Rows of a batch.
const ROWS: usize = 1 << 16;

/// Reads batches in order, the first without rows.
pub(super) fn batches(
    source: &Source,
    rows: Option<usize>,
    each: &mut dyn FnMut(RecordBatch) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let bad = |e: ::parquet::errors::ParquetError| Failure::file(source.path(), e);
    let mut builder = ParquetRecordBatchReaderBuilder::try_new(source.file()?).map_err(bad)?;
    each(RecordBatch::new_empty(builder.schema().clone()))?;
    if let Some(rows) = rows {
        builder = builder.with_limit(rows);
    }
    for batch in builder.with_batch_size(ROWS).build().map_err(bad)? {
        each(batch.map_err(|e| Failure::file(source.path(), e))?)?;
    }
    Ok(())
}
