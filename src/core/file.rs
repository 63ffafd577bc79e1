//! Files that appear whole or not at all.

use super::{Error, Result};
use std::path::Path;

/// Writes a file so that no reader ever sees half of it.
///
/// # Errors
/// [`Error::Io`] when it cannot be written; a file that stood there before is then untouched.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    std::fs::write(&temporary, bytes).and_then(|()| std::fs::rename(&temporary, path)).map_err(|e| {
        // The write failed already; a temporary file that cannot be removed adds nothing to say.
        let _ = std::fs::remove_file(&temporary);
        Error::io(path, e)
    })
}
