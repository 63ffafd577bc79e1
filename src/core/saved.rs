//! Fitted things as files: JSON with the format's name and version around the plain data.

use super::{Error, Result, write_whole};
use serde::{Serialize, de::DeserializeOwned};
use std::path::Path;

/// A fitted thing that can be saved and loaded.
///
/// The file is one JSON object, `{"format": .., "version": .., "model": ..}`. A file of another format or of an unknown
/// version is an error, never a guess; so is one whose parts do not fit each other, which [`Saved::validate`] finds out.
pub trait Saved: Serialize + DeserializeOwned {
    /// Name of the format, such as `recluster tree`.
    const FORMAT: &'static str;
    /// Version of the format that this version of the crate writes and reads.
    const VERSION: u64;

    /// Says what does not fit in a thing that may come from a damaged or made-up file: lengths that disagree, numbers out of
    /// their range, references to what is not there, trees that are none. No method of a thing that passes may panic, or
    /// take memory for more than the thing itself holds.
    ///
    /// [`Saved::from_json`] calls it. A thing that serde has read without the file around it, as part of something else, is
    /// unchecked until this is called. O(size of the thing), unless it says otherwise.
    ///
    /// # Errors
    /// What is wrong, and where.
    fn validate(&self) -> std::result::Result<(), String>;

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
    /// [`Error::Format`] when it is something else, damaged or made up, [`Error::Version`] when its version is unknown.
    fn from_json(text: &str) -> Result<Self> {
        let bad = |reason: String| Error::Format { format: Self::FORMAT, reason };
        let head: Head = serde_json::from_str(text).map_err(|e| bad(e.to_string()))?;
        if head.format != Self::FORMAT {
            return Err(bad(format!("this is a \"{}\"", head.format)));
        }
        if head.version != Self::VERSION {
            return Err(Error::Version { format: Self::FORMAT, found: head.version, supported: Self::VERSION });
        }
        let model = serde_json::from_str::<File<Self>>(text).map_err(|e| bad(e.to_string()))?.model;
        model.validate().map_err(bad)?;
        Ok(model)
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
    use crate::core::checks;

    #[derive(serde::Serialize, serde::Deserialize, Debug, PartialEq)]
    struct Point(f64, f32);
    impl Saved for Point {
        const FORMAT: &'static str = "test point";
        const VERSION: u64 = 3;
        fn validate(&self) -> std::result::Result<(), String> {
            checks::that(self.0 >= 0.0, || format!("{} is below 0", self.0))
        }
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
        let edited = text.replace("[0.3", "[-0.3");
        assert_eq!(
            Point::from_json(&edited).unwrap_err().to_string(),
            "not a valid test point: -0.30000000000000004 is below 0"
        );
        let folder = tempfile::tempdir().unwrap();
        point.save(folder.path().join("p.json")).unwrap();
        assert_eq!(Point::load(folder.path().join("p.json")).unwrap(), point);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(matches!(Point::load(folder.path().join("none.json")), Err(Error::Io { .. })));
    }
}
