//! What stands between the cells of a text file.

use std::io::Read;

/// Bytes that are looked at.
const SAMPLE: u64 = 1 << 16;
/// Those that are rarer within a cell come first.
const DELIMITERS: [u8; 4] = [b'\t', b'|', b';', b','];

/// The delimiter that divides the header line and cuts most of the next records into as many cells; of several, the one
/// that gives more cells. A comma where there is none: a file of one column.
pub(super) fn find(reader: impl Read) -> std::io::Result<u8> {
    let mut sample = Vec::new();
    reader.take(SAMPLE).read_to_end(&mut sample)?;
    let is_cut = sample.len() as u64 == SAMPLE;
    let mut best = (b',', 0.0, 1);
    for delimiter in DELIMITERS {
        let (share, cells) = fit(&sample, is_cut, delimiter);
        if share > 0.0 && cells > 1 && (share, cells) > (best.1, best.2) {
            best = (delimiter, share, cells);
        }
    }
    Ok(best.0)
}

/// The share of records that have as many cells as the header line, and how many it has.
fn fit(sample: &[u8], is_cut: bool, delimiter: u8) -> (f64, usize) {
    let mut reader = ::csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(sample);
    let cells = reader.byte_headers().map_or(0, ::csv::ByteRecord::len);
    let mut counts: Vec<usize> = reader.byte_records().map_while(Result::ok).map(|record| record.len()).collect();
    if is_cut {
        counts.pop();
    }
    let equal = counts.iter().filter(|&&count| count == cells).count();
    let share = if counts.is_empty() { 1.0 } else { equal as f64 / counts.len() as f64 };
    (share, cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_that_divides_lines_alike_is_found() {
        for (text, delimiter) in [
            ("a,b\n1,2\n", b','),
            ("a;b\n1,5;2,5\n3,0;4\n", b';'),
            ("a\tb, c\n1\tx, y\n", b'\t'),
            ("a|b\n1|2\n", b'|'),
            ("a;b, in EUR\n1;1,5\n2;2,5\n", b';'),
            ("name,tags\nx,a;b\ny,a\nz,\"b;c\"\n", b','),
            ("text\nwell, yes\nno\n", b','),
            ("height; cm\n180\n175\n", b','),
            ("\"a;b\",c\n\"x;y\",2\n", b','),
            ("a;b;c", b';'),
            ("a", b','),
            ("", b','),
        ] {
            assert_eq!(find(text.as_bytes()).unwrap() as char, delimiter as char, "{text:?}");
        }
        // The last record of the sample is not whole.
        let long = format!("a;b\n1;{}", "x".repeat(SAMPLE as usize));
        assert_eq!(find(long.as_bytes()).unwrap(), b';');
    }
}
