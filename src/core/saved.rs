//! Fitted things as files: JSON with the format's name and version around the plain data.

use super::{Error, Result, write_whole};
use serde::{Serialize, de::DeserializeOwned};
use std::path::Path;

/// A fitted thing that can be saved and loaded.
///
/// The file is one JSON object, `{"format": .., "version": .., "model": ..}`. A file of another format or of an unknown
/// version is an error, never a guess.
pub trait Saved: Serialize + DeserializeOwned {
    /// Name of the format, such as `recluster tree`.
    const FORMAT: &'static str;
    /// Version of the format that this version of the crate writes and reads.
    const VERSION: u64;

    /// The file's text.
    ///
    /// # Errors
    /// [`Error::Format`] when the data cannot be written as JSON.
    fn to_json(&self) -> Result<String> {
        let file = FileRef { format: Self::FORMAT, version: Self::VERSION, model: self };
        serde_json::to_string(&file).map_err(|e| Error::Format { format: Self::FORMAT, reason: e.to_string() })
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// [`Error::Format`] when it is something else or damaged, [`Error::Version`] when its version is unknown.
    fn from_json(text: &str) -> Result<Self> {
        let bad = |e: serde_json::Error| Error::Format { format: Self::FORMAT, reason: e.to_string() };
        let head: Head = serde_json::from_str(text).map_err(bad)?;
        if head.format != Self::FORMAT {
            return Err(Error::Format { format: Self::FORMAT, reason: format!("this is a \"{}\"", head.format) });
        }
        if head.version != Self::VERSION {
            return Err(Error::Version { format: Self::FORMAT, found: head.version, supported: Self::VERSION });
        }
        Ok(serde_json::from_str::<File<Self>>(text).map_err(bad)?.model)
    }

    /// Writes the file whole or not at all: a neighbouring temporary file is renamed over it.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written.
    fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        write_whole(path.as_ref(), self.to_json()?.as_bytes())
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, and those of [`Saved::from_json`].
    fn load(path: impl AsRef<Path>) -> Result<Self> {
        let text = std::fs::read_to_string(&path).map_err(|e| Error::io(&path, e))?;
        Self::from_json(&text)
    }
}

#[derive(serde::Deserialize)]
struct Head {
    #[serde(default)]
    format: String,
    #[serde(default)]
    version: u64,
}

#[derive(serde::Serialize)]
struct FileRef<'a, T> {
    format: &'static str,
    version: u64,
    model: &'a T,
}

#[derive(serde::Deserialize)]
struct File<T> {
    model: T,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Serialize, serde::Deserialize, Debug, PartialEq)]
    struct Point(f64, f32);
    impl Saved for Point {
        const FORMAT: &'static str = "test point";
        const VERSION: u64 = 3;
    }

    #[test]
    fn what_is_saved_is_loaded_and_nothing_else_is() {
        let point = Point(0.1 + 0.2, f32::MIN_POSITIVE);
        let text = point.to_json().unwrap();
        assert_eq!(Point::from_json(&text).unwrap(), point);
        let newer = text.replace("\"version\":3", "\"version\":4");
        assert!(matches!(Point::from_json(&newer), Err(Error::Version { found: 4, supported: 3, .. })));
        assert!(matches!(Point::from_json("{\"format\":\"x\"}"), Err(Error::Format { .. })));
        assert!(matches!(Point::from_json("[1"), Err(Error::Format { .. })));
        let folder = tempfile::tempdir().unwrap();
        point.save(folder.path().join("p.json")).unwrap();
        assert_eq!(Point::load(folder.path().join("p.json")).unwrap(), point);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(matches!(Point::load(folder.path().join("none.json")), Err(Error::Io { .. })));
    }
}
