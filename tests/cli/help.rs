//! The program as its tests run it.
#![allow(dead_code, missing_docs, unreachable_pub)]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs the program in `folder`.
pub fn recluster(folder: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_recluster"));
    command.current_dir(folder).args(line.split_whitespace()).output().unwrap()
}

/// Runs the program and expects one JSON object on stdout, nothing on stderr (which is no terminal here: no bar).
pub fn good(folder: &Path, line: &str) -> Value {
    let output = recluster(folder, line);
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""), "{line}");
    assert_eq!(stdout.trim_end().lines().count(), 1, "{line}: {stdout}");
    let object: Value = serde_json::from_str(&stdout).unwrap();
    let seconds = object["seconds"].as_object().unwrap();
    assert!(seconds["total"].as_f64().unwrap() > 0.0, "{line}: {object}");
    assert!(seconds.len() > 1 && seconds.values().all(|s| s.as_f64().unwrap() >= 0.0), "{line}: {object}");
    object
}

/// Runs the program and expects it to end with `status`, one line on stderr, nothing on stdout and no new file.
pub fn bad(folder: &Path, line: &str, status: i32) -> String {
    let before = files(folder);
    let output = recluster(folder, line);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{line}: {stderr}");
    assert!(output.stdout.is_empty(), "{line}");
    assert_eq!(files(folder), before, "{line} left something behind");
    // The argument parser itself says more than a line.
    if !stderr.contains("Usage: recluster") && !stderr.starts_with("error: ") {
        assert!(stderr.starts_with("recluster: ") && stderr.trim_end().lines().count() == 1, "{line}: {stderr}");
    }
    stderr
}

/// All files below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { [vec![path.clone()], files(&path)].concat() } else { vec![path] })
        .collect();
    found.sort();
    found
}

/// A `.npy` file's type, shape and numbers.
pub fn npy(path: PathBuf) -> (String, Vec<usize>, Vec<f64>) {
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert_eq!((10 + length) % 64, 0, "numbers must begin at a multiple of 64 bytes");
    let head = std::str::from_utf8(&bytes[10..10 + length]).unwrap();
    assert!(head.ends_with('\n') && head.contains("'fortran_order': False"));
    let descr = head.split("'descr': '").nth(1).unwrap().split('\'').next().unwrap().to_string();
    let shape = head.split("'shape': (").nth(1).unwrap().split(')').next().unwrap();
    let shape: Vec<usize> =
        shape.split(',').filter(|s| !s.trim().is_empty()).map(|s| s.trim().parse().unwrap()).collect();
    let data = &bytes[10 + length..];
    let numbers: Vec<f64> = match descr.as_str() {
        "<f4" => data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()).into()).collect(),
        "<i4" => data.chunks_exact(4).map(|b| i32::from_le_bytes(b.try_into().unwrap()).into()).collect(),
        "<f8" => data.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect(),
        other => panic!("{other}"),
    };
    assert_eq!(numbers.len(), shape.iter().product::<usize>());
    (descr, shape, numbers)
}

/// The report without its pictures, whose letters may spell anything.
pub fn report(folder: &Path) -> String {
    let html = std::fs::read_to_string(folder.join("report.html")).unwrap();
    let mut parts = html.split("base64,");
    let first = parts.next().unwrap().to_string();
    parts.fold(first, |text, part| text + part.split_once('"').unwrap().1)
}

pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

pub fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) {
    std::fs::write(folder.join(name), text).unwrap();
}
