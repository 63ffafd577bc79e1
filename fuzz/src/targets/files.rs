//! Data files, as the program reads them.

use super::measured;
use crate::heap;
use crate::{failure, input};
use recluster::Error;
use recluster::table::{FileRows, Schema, TableFile};
use std::io::Write;
use std::path::Path;

/// Rows of a block: few, so that small files have several.
const BLOCK: usize = 3;
/// A Matrix Market file may say that it has 2^24 rows of no entry, 8 bytes each.
const SPARSE: usize = 512 << 20;

/// Calls `work` with the path of a file of these bytes, in memory where the system has such a folder.
pub(super) fn with_file<T>(ending: &str, data: &[u8], work: impl FnOnce(&str) -> T) -> T {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let mut file = tempfile::Builder::new().prefix("recluster-").suffix(ending).tempfile_in(folder).unwrap();
    file.write_all(data).unwrap();
    work(file.path().to_str().unwrap())
}

/// Delimited text of numbers and of anything.
pub fn csv(data: &[u8]) {
    with_file(".csv", data, |path| {
        measured(data, || {
            numbers(path);
            let _ = (input::names(path), input::labels(path, None), input::weights(path, None));
            words(path);
        });
    });
}

pub fn parquet(data: &[u8]) {
    failure::quiet_panics();
    with_file(".parquet", data, |path| measured(data, || words(path)));
}

pub fn npy(data: &[u8]) {
    arrays(".npy", data);
}

/// IDX, also packed.
pub fn idx(data: &[u8]) {
    arrays(".idx", data);
}

fn arrays(ending: &str, data: &[u8]) {
    with_file(ending, data, |path| {
        measured(data, || {
            numbers(path);
            let _ = (input::labels(path, None), input::labels(path, Some(2)), input::weights(path, None));
        });
    });
}

/// Matrix Market and svmlight.
pub fn sparse_files(data: &[u8]) {
    with_file(".svm", data, |path| {
        heap::within(SPARSE, || {
            if !input::is_sparse(path).unwrap_or(false) {
                return;
            }
            for (rows, columns) in [(None, None), (Some(2), None), (None, Some(5))] {
                let Ok(found) = input::sparse(path, rows, columns) else { continue };
                assert!(rows.is_none_or(|most| found.rows.rows() <= most));
                assert!(found.labels.is_none_or(|labels| labels.len() == found.rows.rows()));
                let few = found.rows.rows().min(8);
                if found.rows.columns() <= 4096 {
                    let dense = found.rows.to_dense(0..few).unwrap();
                    assert_eq!(dense.dim(), (few, found.rows.columns()));
                }
            }
            let _ = (input::labels(path, None), input::table(path, None));
        });
    });
}

/// A table of numbers, whole and in blocks, which must be the same.
fn numbers(path: &str) {
    let whole = input::table(path, None);
    let first = input::table(path, Some(2));
    let mut seen = Vec::new();
    let parts = input::blocks_like(path, None, None, None, BLOCK, &mut |table, first| {
        assert_eq!(first * table.values.ncols(), seen.len());
        seen.extend(table.values.iter().map(|x| x.to_bits()));
        Ok(())
    });
    if let Ok(whole) = whole {
        assert!(parts.is_ok(), "whole, but not in parts: {parts:?}");
        assert!(whole.values.iter().map(|x| x.to_bits()).eq(seen));
        let first = first.expect("whole, but not its first rows");
        assert_eq!(first.values.nrows(), whole.values.nrows().min(2));
    }
}

/// A table with types, whole and in blocks; and what its columns are.
fn words(path: &str) {
    if !input::has_names(path).unwrap_or(false) {
        return;
    }
    let Ok(file) = TableFile::open(path) else { return };
    let whole = file.read();
    let mut rows = 0;
    let parts = file.blocks(BLOCK, |block| -> recluster::Result<()> {
        assert_eq!(block.first, rows);
        rows += block.table.rows();
        Ok(())
    });
    assert_eq!(whole.is_ok(), parts.is_ok(), "{:?} {:?}", whole.err(), parts.err());
    let Ok(whole) = whole else { return };
    assert_eq!(rows, whole.table.rows());
    known(&whole);
    if let Ok(first) = file.head(2) {
        assert_eq!(first.table.rows(), rows.min(2));
        known(&first);
    }
}

/// The kinds of the columns and what boosted trees see of them.
fn known(typed: &FileRows) {
    let _ = typed.line(typed.table.rows().saturating_sub(1));
    let schema = Schema::infer(&typed.table);
    schema.kinds_in_words().for_each(drop);
    schema.set_aside().for_each(drop);
    let values = match schema.encode(&typed.table) {
        Ok(values) => values,
        // No column says anything of the rows; or a number is beyond 32 bits, which its place is told for.
        Err(
            Error::Empty { .. } | Error::Kinds { .. } | Error::Cell { reason: "not a finite number of 32 bits", .. },
        ) => return,
        Err(other) => panic!("a table does not fit what was inferred from it: {other}"),
    };
    assert_eq!(values.dim(), (typed.table.rows(), schema.features().len()));
    assert!(values.iter().all(|x| !x.is_infinite()), "an infinite number in a table of words");
    let _ = schema.answered(&values);
}
