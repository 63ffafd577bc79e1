//! Files that appear whole or not at all.

use super::{Error, Result};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A file written under a temporary name beside its final one; [`StagedFile::commit`] renames it.
///
/// Dropped without a commit it is removed, and a file of the final name is untouched. Public for the command-line
/// program alone.
#[derive(Debug)]
#[must_use]
pub struct StagedFile {
    temporary: PathBuf,
    path: PathBuf,
    committed: bool,
}

impl StagedFile {
    /// Writes `content` under the temporary name.
    ///
    /// # Errors
    /// What `content` returns, and those of creating and writing the file; also where a folder, a device or a pipe has the
    /// final name, whose place a file would take.
    pub fn write(path: &Path, content: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> std::io::Result<Self> {
        if std::fs::metadata(path).is_ok_and(|kind| !kind.is_file()) {
            let reason = "is no file that could be replaced, but a folder, a device or a pipe";
            return Err(std::io::Error::new(std::io::ErrorKind::AlreadyExists, reason));
        }
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        // Threads of one process may write files of one name.
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        name.push(format!(".{}-{}.tmp", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)));
        let staged = StagedFile { temporary: path.with_file_name(name), path: path.to_path_buf(), committed: false };
        let mut file = BufWriter::with_capacity(1 << 16, File::create(&staged.temporary)?);
        content(&mut file)?;
        file.flush()?;
        Ok(staged)
    }

    /// The final name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its final name.
    ///
    /// # Errors
    /// Those of renaming it.
    pub fn commit(mut self) -> std::io::Result<()> {
        std::fs::rename(&self.temporary, &self.path)?;
        self.committed = true;
        Ok(())
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if !self.committed {
            // The write failed already; a temporary file that cannot be removed adds nothing to report.
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

/// Writes a file so that no reader ever sees half of it.
///
/// # Errors
/// [`Error::Io`] when it cannot be written; a file that was there before is then untouched.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let staged = StagedFile::write(path, |out| out.write_all(bytes));
    staged.and_then(StagedFile::commit).map_err(|e| Error::io(path, e))
}

#[cfg(test)]
mod tests {
    use super::write_whole;

    #[test]
    fn threads_that_write_one_file_leave_a_whole_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one.txt");
        std::thread::scope(|scope| {
            for number in 0..4u8 {
                let path = &path;
                scope.spawn(move || (0..50).for_each(|_| write_whole(path, &[number; 100_000]).unwrap()));
            }
        });
        let found = std::fs::read(&path).unwrap();
        assert!(found.len() == 100_000 && found.iter().all(|byte| *byte == found[0]));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
