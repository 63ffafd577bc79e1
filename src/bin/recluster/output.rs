//! Output files: all of a command's files appear whole, or none does.

use crate::failure::Failure;
use recluster::StagedFile;
use recluster::explain::{Assignment, Decision};
use recluster::table::Values;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Files written under temporary names; [`Staged::commit`] gives them their names.
///
/// Dropping it without a commit removes them, so that a failed command leaves no files.
#[derive(Default)]
pub(crate) struct Staged {
    files: Vec<StagedFile>,
    /// Files that go when the new ones have come.
    removed: Vec<PathBuf>,
    /// Folders that did not exist before, to be removed again if the command fails.
    created: Vec<PathBuf>,
}

impl Staged {
    /// Checks before long computations that the files can be created, each under a name of its own, whose extension does not say
    /// that it is of another kind than what is written. Outputs are given as (path, kind); those without a path are not asked for.
    pub(crate) fn check<'a>(outputs: impl IntoIterator<Item = (Option<&'a str>, &'a str)>) -> Result<(), Failure> {
        const KINDS: [&str; 9] = ["npy", "csv", "json", "svg", "txt", "html", "md", "parquet", "tsv"];
        let mut seen = Vec::new();
        for (path, kind) in outputs.into_iter().filter_map(|(path, kind)| Some((path?, kind))) {
            Self::check_place(path)?;
            let extension = Path::new(path).extension().and_then(|found| found.to_str()).map(str::to_lowercase);
            if let Some(found) = extension.filter(|found| found != kind && KINDS.contains(&found.as_str())) {
                return Err(Failure::Usage(format!("{path}: what is written there is .{kind}, not .{found}")));
            }
            if seen.contains(&path) {
                return Err(Failure::Usage(format!("{path}: two outputs under one name")));
            }
            seen.push(path);
        }
        Ok(())
    }

    /// Checks that a file can be created.
    fn check_place(path: &str) -> Result<(), Failure> {
        let folder = match Path::new(path).parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        if !folder.is_dir() {
            return Err(Failure::file(path, format!("there is no folder {}", folder.display())));
        }
        if Path::new(path).is_dir() {
            return Err(Failure::file(path, "is a folder, not a file"));
        }
        if Path::new(path).exists() && !Path::new(path).is_file() {
            return Err(Failure::file(path, "is a device or a pipe, not a file: files are written beside and renamed"));
        }
        Ok(())
    }

    /// Checks that a folder exists or can be created.
    pub(crate) fn check_folder(path: &str) -> Result<(), Failure> {
        let folder = Path::new(path);
        if folder.exists() && !folder.is_dir() {
            return Err(Failure::file(path, "is a file, not a folder"));
        }
        if folder.is_dir() { Ok(()) } else { Self::check_place(path.trim_end_matches('/')) }
    }

    /// Creates the folder of the files if it does not exist.
    pub(crate) fn folder(&mut self, path: &str) -> Result<(), Failure> {
        if !Path::new(path).is_dir() {
            std::fs::create_dir(path).map_err(|e| Failure::file(path, e))?;
            self.created.push(path.into());
        }
        Ok(())
    }

    /// Writes one file under a temporary name.
    pub(crate) fn write(
        &mut self,
        path: impl AsRef<Path>,
        content: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    ) -> Result<(), Failure> {
        let path = path.as_ref();
        let file = StagedFile::write(path, content).map_err(|e| Failure::file(&path.display().to_string(), e))?;
        self.files.push(file);
        Ok(())
    }

    /// Removes a file, if it is there, once all others have their names.
    pub(crate) fn remove(&mut self, path: PathBuf) {
        self.removed.push(path);
    }

    /// Gives all files their names.
    pub(crate) fn commit(mut self) -> Result<(), Failure> {
        for file in self.files.drain(..) {
            let path = file.path().display().to_string();
            file.commit().map_err(|e| Failure::file(&path, e))?;
        }
        for path in self.removed.drain(..).filter(|path| path.is_file()) {
            std::fs::remove_file(&path).map_err(|e| Failure::file(&path.display().to_string(), e))?;
        }
        self.created.clear();
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // A folder can only be removed once what is in it is.
        self.files.clear();
        for folder in self.created.iter().rev() {
            // The command failed already; a folder that stays adds nothing to report.
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// The lines of a file of assignments: the row's number, what names it, its paths, how sure the model is, its cluster's name.
pub(crate) struct Assignments<'a> {
    ids: &'a [(&'a str, &'a Values)],
    pub(crate) text: String,
}

impl<'a> Assignments<'a> {
    /// With the path in the tree beside that by the model.
    pub(crate) fn new(ids: &'a [(&'a str, &'a Values)]) -> Self {
        Self::with_header(ids, "core,assigned,confidence,name\n")
    }

    /// Of new rows, with what comes second; the header line only before the first of them.
    pub(crate) fn decided(ids: &'a [(&'a str, &'a Values)], first: bool) -> Self {
        match first {
            true => Self::with_header(ids, "assigned,confidence,runner_up,runner_up_confidence,name\n"),
            false => Assignments { ids, text: String::new() },
        }
    }

    fn with_header(ids: &'a [(&'a str, &'a Values)], rest: &str) -> Self {
        let mut text = "row,".to_string();
        for (name, _) in ids {
            text += &quoted(name);
            text.push(',');
        }
        text += rest;
        Assignments { ids, text }
    }

    /// Adds the row numbered `row`, whose ids stand at `place`; without an assignment for a row that is set aside.
    pub(crate) fn push(&mut self, row: usize, place: usize, core: &str, to: Option<&Assignment<'_>>) {
        self.begin(row, place);
        self.text.push(',');
        self.text += core;
        match to {
            Some(to) => self.text += &format!(",{},{:.6},{}\n", to.path, to.confidence, quoted(to.name)),
            None => self.text += ",-,,\n",
        }
    }

    /// Adds a new row: its path, or - where it is turned away.
    pub(crate) fn push_decision(&mut self, row: usize, place: usize, decision: &Decision<'_>) {
        self.begin(row, place);
        let (path, name) = decision.assigned().map_or(("-", ""), |to| (to.path, to.name));
        self.text += &format!(",{path},{:.6}", decision.best.confidence);
        match &decision.runner_up {
            Some(to) => self.text += &format!(",{},{:.6},{}\n", to.path, to.confidence, quoted(name)),
            None => self.text += &format!(",,,{}\n", quoted(name)),
        }
    }

    fn begin(&mut self, row: usize, place: usize) {
        self.text += &row.to_string();
        for (_, values) in self.ids {
            self.text.push(',');
            self.text += &values.text(place).map_or(String::new(), |text| quoted(&text));
        }
    }
}

/// A cell of CSV, in quotes where it needs them.
pub(crate) fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_string(),
    }
}

/// A number that `.npy` can hold.
pub(crate) trait Number: Copy {
    const DESCR: &'static str;
    fn bytes(self) -> impl AsRef<[u8]>;
}

macro_rules! number {
    ($($type:ty: $descr:literal),*) => {$(
        impl Number for $type {
            const DESCR: &'static str = $descr;
            fn bytes(self) -> impl AsRef<[u8]> {
                self.to_le_bytes()
            }
        }
    )*};
}
number!(f32: "<f4", f64: "<f8", i32: "<i4");

/// Writes an array in NumPy's format, version 1.0, row after row.
pub(crate) fn npy<T: Number>(
    out: &mut dyn Write,
    shape: &[usize],
    numbers: impl IntoIterator<Item = T>,
) -> std::io::Result<()> {
    let sizes: String = shape.iter().map(|n| format!("{n},")).collect();
    // NumPy writes (3,) for one axis and (3, 2) for two; it reads (3,2,) as well.
    let dict = format!("{{'descr': '{}', 'fortran_order': False, 'shape': ({sizes}), }}", T::DESCR);
    let length = (10 + dict.len() + 1).next_multiple_of(64) - 10;
    out.write_all(b"\x93NUMPY\x01\x00")?;
    out.write_all(&(length as u16).to_le_bytes())?;
    writeln!(out, "{dict:<0$}", length - 1)?;
    numbers.into_iter().try_for_each(|number| out.write_all(number.bytes().as_ref()))
}
