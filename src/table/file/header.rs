//! How files begin.

/// Of an array of numbers as NumPy saves it.
pub(crate) const NPY: &[u8] = b"\x93NUMPY";

/// Of a zip archive, and what to do with one.
pub(crate) const ZIP: (&[u8], &str) =
    (b"PK\x03\x04", "is a zip archive, as spreadsheets (.xlsx) and .npz are: save it as CSV");

/// Of gzip.
pub(crate) const GZIP: &[u8] = &[0x1f, 0x8b];

/// Of Parquet.
pub(crate) const PARQUET: &[u8] = b"PAR1";

/// What to say of a text file whose first line are numbers.
pub(crate) fn numbers_as_names(names: &[String]) -> Option<String> {
    let numbers = !names.is_empty() && names.iter().all(|name| name.parse::<f64>().is_ok_and(f64::is_finite));
    numbers.then(|| {
        let first = names.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = if names.len() > 3 { ", ..." } else { "" };
        format!("the first line ({first}{more}) is taken as the names of the columns: if it is a row, put a line of names above it")
    })
}
