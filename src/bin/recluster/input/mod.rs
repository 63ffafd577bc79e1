//! Data files: what they are is told by their first bytes, not by their names.

mod csv;
mod idx;
mod npy;
mod raw;

use crate::failure::Failure;
use ndarray::Array2;
use std::io::{BufRead, BufReader, Read};

/// A table of data with what its file says about the columns.
#[derive(Debug)]
pub(crate) struct Table {
    /// Rows x columns; NaN stands for a missing value.
    pub(crate) values: Array2<f32>,
    /// Column names, from a CSV file's header.
    pub(crate) names: Option<Vec<String>>,
    /// Width and height, where each row is an image.
    pub(crate) image: Option<(usize, usize)>,
}

/// Reads a table: a file, or the word `digits`; only the first `rows` rows, where asked for.
pub(crate) fn table(source: &str, rows: Option<usize>) -> Result<Table, Failure> {
    if source == "digits" {
        let images = recluster::data::digits().images;
        let keep = rows.unwrap_or(usize::MAX).min(images.nrows());
        let values = images.slice_move(ndarray::s![..keep, ..]);
        return Ok(Table { values, names: None, image: Some((8, 8)) });
    }
    match open(source)? {
        Opened::Raw(mut reader, head) => head.table(&mut reader, rows).map_err(|reason| Failure::file(source, reason)),
        Opened::Text(reader) => csv::table(reader, rows).map_err(|reason| Failure::file(source, reason)),
    }
}

/// Reads labels: one whole number for each row.
pub(crate) fn labels(source: &str, rows: Option<usize>) -> Result<Vec<i32>, Failure> {
    if source == "digits" {
        let mut labels = recluster::data::digits().labels;
        labels.truncate(rows.unwrap_or(usize::MAX));
        return Ok(labels);
    }
    let read = || match open(source)? {
        Opened::Raw(mut reader, head) => head.labels(&mut reader, rows).map_err(|reason| Failure::file(source, reason)),
        Opened::Text(reader) => csv::labels(reader, rows).map_err(|reason| Failure::file(source, reason)),
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

type Reader = BufReader<Box<dyn Read>>;

enum Opened {
    /// Numbers after a header that says their type and shape.
    Raw(Reader, raw::Head),
    /// Anything else is taken for CSV.
    Text(Reader),
}

/// Opens the file, unpacks gzip, and looks at its first bytes.
fn open(path: &str) -> Result<Opened, Failure> {
    let bad = |e: std::io::Error| Failure::file(path, e);
    let file = std::fs::File::open(path).map_err(bad)?;
    if file.metadata().map_err(bad)?.is_dir() {
        return Err(Failure::file(path, "is a folder, not a file"));
    }
    let mut reader: Reader = BufReader::with_capacity(1 << 16, Box::new(file));
    if reader.fill_buf().map_err(bad)?.starts_with(&[0x1f, 0x8b]) {
        reader = BufReader::with_capacity(1 << 16, Box::new(flate2::bufread::MultiGzDecoder::new(reader)));
    }
    let start = reader.fill_buf().map_err(bad)?;
    if start.is_empty() {
        return Err(Failure::file(path, "the file is empty"));
    }
    let is_npy = start.starts_with(npy::MAGIC);
    let is_idx = start.starts_with(&[0, 0]);
    if is_npy {
        let head = npy::head(&mut reader).map_err(|reason| Failure::file(path, reason))?;
        Ok(Opened::Raw(reader, head))
    } else if is_idx {
        let head = idx::head(&mut reader).map_err(|reason| Failure::file(path, reason))?;
        Ok(Opened::Raw(reader, head))
    } else {
        Ok(Opened::Text(reader))
    }
}
