//! Empty lines of a CSV file with one column: each is a row with a missing value, which CSV readers skip.

use std::io::{BufRead, Read};

/// The reader's position in the file.
#[derive(PartialEq)]
enum At {
    /// Before the end of the header line.
    Head { any: bool, quoted: bool },
    /// After it, in a file of one column.
    Body { start: bool, quoted: bool },
    /// After it, in a file of several columns.
    Rest,
}

/// Copies a file, with two quotes on each empty line after a header of one column. No line begins after the last line's
/// end.
pub(crate) struct Lines<R> {
    inner: R,
    /// Between cells.
    delimiter: u8,
    at: At,
    /// After a carriage return, whose line feed ends the same line.
    returned: bool,
    /// Whether the number of quotes so far is odd.
    odd: bool,
    /// Output that has not been read yet.
    ready: Vec<u8>,
    passed: usize,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(inner: R, delimiter: u8) -> Self {
        let at = At::Head { any: false, quoted: false };
        Lines { inner, delimiter, at, returned: false, odd: false, ready: Vec::new(), passed: 0 }
    }

    /// Whether an odd number of quotes was read: at the end of a file whose last cell has several lines, one was never closed.
    pub(crate) fn has_odd_quotes(&self) -> bool {
        self.odd
    }

    fn count_quotes(&mut self, bytes: &[u8]) {
        self.odd ^= bytes.iter().filter(|&&byte| byte == b'"').count() % 2 == 1;
    }

    fn take(&mut self, byte: u8) {
        let ends = byte == b'\n' || byte == b'\r';
        let second = byte == b'\n' && self.returned;
        self.returned = byte == b'\r';
        match &mut self.at {
            _ if second => {}
            At::Head { any, quoted } => match byte {
                b'"' => (*any, *quoted) = (true, !*quoted),
                byte if byte == self.delimiter && !*quoted => self.at = At::Rest,
                _ if ends && *any && !*quoted => self.at = At::Body { start: true, quoted: false },
                _ => *any |= !ends,
            },
            At::Body { start, quoted } => {
                if ends && *start {
                    self.ready.extend_from_slice(b"\"\"");
                }
                *quoted ^= byte == b'"';
                *start = ends && !*quoted;
            }
            At::Rest => {}
        }
        self.ready.push(byte);
    }
}

impl<R: BufRead> Read for Lines<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.at == At::Rest && self.passed == self.ready.len() {
            let count = self.inner.read(out)?;
            self.count_quotes(&out[..count]);
            return Ok(count);
        }
        if self.passed == self.ready.len() {
            self.ready.clear();
            self.passed = 0;
            let bytes = self.inner.fill_buf()?.to_vec();
            self.inner.consume(bytes.len());
            self.count_quotes(&bytes);
            bytes.into_iter().for_each(|byte| self.take(byte));
        }
        let count = (&self.ready[self.passed..]).read(out)?;
        self.passed += count;
        Ok(count)
    }
}

/// What is wrong where a quote is never closed, in the record that begins in this line.
pub(crate) fn unclosed(line: u64) -> String {
    format!("line {line}: a cell begins with a quote that is never closed, so the rest of the file is in it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_lines_of_one_column_are_marked() {
        for (text, marked) in [
            ("a\n1\n\n2\n", "a\n1\n\"\"\n2\n"),
            ("a\r\n\r\n1\r\n", "a\r\n\"\"\r\n1\r\n"),
            ("a\r\r1\r", "a\r\"\"\r1\r"),
            ("\n\na\n1\n\n", "\n\na\n1\n\"\"\n"),
            ("a\n1", "a\n1"),
            ("\"a\n\nb,c\"\n\n1\n", "\"a\n\nb,c\"\n\"\"\n1\n"),
            ("a\n\"\n\n\"\n\n", "a\n\"\n\n\"\n\"\"\n"),
            ("a,b\n1,2\n\n3,4\n", "a,b\n1,2\n\n3,4\n"),
            ("", ""),
        ] {
            for size in [1, 2, 3, 100] {
                let mut found = String::new();
                let pieces = std::io::BufReader::with_capacity(size, text.as_bytes());
                Lines::new(pieces, b',').read_to_string(&mut found).unwrap();
                assert_eq!(found, marked, "{text:?} in pieces of {size}");
            }
        }
    }
}
