//! Where a table is read from, more than once: a file, or in memory what came from a pipe.

use super::header::{GZIP, NPY, PARQUET, ZIP};
use crate::{Error, Result};
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is read from, decompressed.
pub(super) type Reader = BufReader<Box<dyn Read>>;

/// Bytes that are looked at to recognise a format.
const START: usize = 1024;
const UTF_8_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    /// All of it, from what cannot be read twice.
    bytes: Option<Arc<[u8]>>,
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let mut source = Source { path: path.to_path_buf(), bytes: None };
        let kind = std::fs::metadata(path).map_err(|e| source.io(e))?;
        if kind.is_dir() {
            return Err(source.fault("is a folder, not a file"));
        }
        if !kind.is_file() {
            source.bytes = Some(std::fs::read(path).map_err(|e| source.io(e))?.into());
        }
        Ok(source)
    }

    /// An error of what the file holds.
    pub(super) fn fault(&self, reason: impl std::fmt::Display) -> Error {
        Error::File { path: self.path.display().to_string(), reason: reason.to_string() }
    }

    /// An error of the system.
    pub(super) fn io(&self, error: std::io::Error) -> Error {
        Error::Io { path: self.path.display().to_string(), error }
    }

    /// The file itself.
    pub(super) fn file(&self) -> Result<File> {
        match self.bytes {
            None => File::open(&self.path).map_err(|e| self.io(e)),
            Some(_) => Err(self.fault("Parquet cannot be read from a pipe: a file is needed")),
        }
    }

    /// Reads from the start, decompressing gzip.
    fn raw(&self) -> Result<Reader> {
        let inner: Box<dyn Read> = match &self.bytes {
            Some(bytes) => Box::new(Cursor::new(bytes.clone())),
            None => Box::new(self.file()?),
        };
        let mut reader: Reader = BufReader::with_capacity(1 << 16, inner);
        if self.filled(&mut reader)?.starts_with(GZIP) {
            reader = BufReader::with_capacity(1 << 16, Box::new(flate2::bufread::MultiGzDecoder::new(reader)));
        }
        if self.filled(&mut reader)?.is_empty() {
            return Err(self.fault("the file is empty"));
        }
        Ok(reader)
    }

    fn filled<'r>(&self, reader: &'r mut Reader) -> Result<&'r [u8]> {
        reader.fill_buf().map_err(|e| self.io(e))
    }

    /// The first bytes, decompressed.
    fn start(&self) -> Result<Vec<u8>> {
        let mut start = Vec::new();
        let read = self.raw()?.take(START as u64).read_to_end(&mut start);
        read.map_err(|e| self.io(e))?;
        Ok(start)
    }

    pub(super) fn is_parquet(&self) -> Result<bool> {
        Ok(self.start()?.starts_with(PARQUET))
    }

    /// Whether it has named columns: it is no array of numbers.
    pub(super) fn has_names(&self) -> Result<bool> {
        let start = self.start()?;
        Ok(!start.starts_with(NPY) && !start.starts_with(&[0, 0]))
    }

    /// Reads text in UTF-8 from its start, which is after a byte order mark.
    pub(super) fn text(&self) -> Result<Reader> {
        let start = self.start()?;
        let wrong = |reason: &str| Err(self.fault(reason));
        if !self.has_names()? {
            return wrong("is an array of numbers, without named columns");
        }
        if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
            return wrong("is text in UTF-16: save it as UTF-8");
        }
        if start.starts_with(ZIP.0) {
            return wrong(ZIP.1);
        }
        if start.contains(&0) {
            return wrong("is neither text in UTF-8 nor Parquet");
        }
        let mut reader = self.raw()?;
        if start.starts_with(UTF_8_MARK) {
            let mut mark = [0; UTF_8_MARK.len()];
            reader.read_exact(&mut mark).map_err(|e| self.io(e))?;
        }
        Ok(reader)
    }
}
