//! Where a table is read from, more than once: a file, or in memory what came from a pipe.

use super::super::{Reader, npy};
use crate::failure::Failure;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::sync::Arc;

/// Bytes that are looked at to recognise a format.
const START: usize = 1024;
const UTF_8_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

#[derive(Debug)]
pub(super) struct Source {
    path: String,
    /// All of it, from what cannot be read twice.
    bytes: Option<Arc<[u8]>>,
}

impl Source {
    pub(super) fn open(path: &str) -> Result<Self, Failure> {
        let bad = |e: std::io::Error| Failure::file(path, e);
        let kind = std::fs::metadata(path).map_err(bad)?;
        if kind.is_dir() {
            return Err(Failure::file(path, "is a folder, not a file"));
        }
        let bytes = if kind.is_file() { None } else { Some(std::fs::read(path).map_err(bad)?.into()) };
        Ok(Source { path: path.to_string(), bytes })
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The file itself.
    pub(super) fn file(&self) -> Result<File, Failure> {
        match self.bytes {
            None => File::open(&self.path).map_err(|e| Failure::file(&self.path, e)),
            Some(_) => Err(Failure::file(&self.path, "Parquet cannot be read from a pipe: a file is needed")),
        }
    }

    /// Reads from the start, decompressing gzip.
    fn raw(&self) -> Result<Reader, Failure> {
        let inner: Box<dyn Read> = match &self.bytes {
            Some(bytes) => Box::new(Cursor::new(bytes.clone())),
            None => Box::new(self.file()?),
        };
        let mut reader: Reader = BufReader::with_capacity(1 << 16, inner);
        if self.filled(&mut reader)?.starts_with(&[0x1f, 0x8b]) {
            reader = BufReader::with_capacity(1 << 16, Box::new(flate2::bufread::MultiGzDecoder::new(reader)));
        }
        if self.filled(&mut reader)?.is_empty() {
            return Err(Failure::file(&self.path, "the file is empty"));
        }
        Ok(reader)
    }

    fn filled<'r>(&self, reader: &'r mut Reader) -> Result<&'r [u8], Failure> {
        reader.fill_buf().map_err(|e| Failure::file(&self.path, e))
    }

    /// The first bytes, decompressed.
    fn start(&self) -> Result<Vec<u8>, Failure> {
        let mut start = Vec::new();
        let read = self.raw()?.take(START as u64).read_to_end(&mut start);
        read.map_err(|e| Failure::file(&self.path, e))?;
        Ok(start)
    }

    pub(super) fn is_parquet(&self) -> Result<bool, Failure> {
        Ok(self.start()?.starts_with(b"PAR1"))
    }

    /// Whether it has named columns: it is no array of numbers.
    pub(super) fn has_names(&self) -> Result<bool, Failure> {
        let start = self.start()?;
        Ok(!start.starts_with(npy::MAGIC) && !start.starts_with(&[0, 0]))
    }

    /// Reads text in UTF-8 from its start, which is after a byte order mark.
    pub(super) fn text(&self) -> Result<Reader, Failure> {
        let start = self.start()?;
        let wrong = |reason: &str| Err(Failure::file(&self.path, reason));
        if !self.has_names()? {
            return wrong("is an array of numbers, without named columns");
        }
        if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
            return wrong("is text in UTF-16: save it as UTF-8");
        }
        if start.starts_with(b"PK\x03\x04") {
            return wrong(super::super::ZIP);
        }
        if start.contains(&0) {
            return wrong("is neither text in UTF-8 nor Parquet");
        }
        let mut reader = self.raw()?;
        if start.starts_with(UTF_8_MARK) {
            let mut mark = [0; UTF_8_MARK.len()];
            reader.read_exact(&mut mark).map_err(|e| Failure::file(&self.path, e))?;
        }
        Ok(reader)
    }
}
