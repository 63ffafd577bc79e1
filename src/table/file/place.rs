//! The line of a row in a text file.

use std::io::BufRead;

/// The line, counted from 1, in which the record of a row begins, counted from 0 after the header line. As in reading, a
/// blank line is a record only in a file of one column.
pub(super) fn line(reader: impl BufRead, delimiter: u8, columns: usize, row: usize) -> std::io::Result<Option<u64>> {
    let mut scan = Scan { delimiter, columns, left: row + 1, line: 1, ..Scan::default() };
    for byte in reader.bytes() {
        if let Some(line) = scan.take(byte?) {
            return Ok(Some(line));
        }
    }
    // The last line may be without an end.
    Ok(if scan.any { scan.end() } else { None })
}

#[derive(Default)]
struct Scan {
    delimiter: u8,
    columns: usize,
    /// Records still to come, with the one that is looked for.
    left: usize,
    line: u64,
    /// The line in which the record at hand began, and whether it has any bytes, and more than blanks.
    began: u64,
    any: bool,
    filled: bool,
    header: bool,
    at: At,
    /// After a carriage return, whose line feed ends the same line.
    returned: bool,
}

#[derive(Default, PartialEq)]
enum At {
    #[default]
    Start,
    Inside,
    Quoted,
    /// After a quote within quotes, which ends them unless another follows.
    Quote,
}

impl Scan {
    fn take(&mut self, byte: u8) -> Option<u64> {
        let second = byte == b'\n' && self.returned;
        self.returned = byte == b'\r';
        let ends = byte == b'\n' || byte == b'\r';
        let before = self.line;
        self.line += u64::from(ends && !second);
        if self.at == At::Quoted {
            if byte == b'"' {
                self.at = At::Quote;
            }
            self.filled |= byte != b'"' && !byte.is_ascii_whitespace();
            return None;
        }
        if ends {
            return if second { None } else { self.end() };
        }
        if !self.any {
            (self.any, self.began) = (true, before);
        }
        match byte {
            b'"' if self.at != At::Inside => self.at = At::Quoted,
            _ if byte == self.delimiter => (self.at, self.filled) = (At::Start, true),
            _ => {
                self.at = At::Inside;
                self.filled |= !byte.is_ascii_whitespace();
            }
        }
        None
    }

    /// Ends a record; its line, if it is the one that is looked for.
    fn end(&mut self) -> Option<u64> {
        let counts = match (self.header, self.columns) {
            (false, _) => self.any,
            (true, 1) => true,
            (true, _) => self.filled,
        };
        // An empty record began in the line that it ended.
        let began = if self.any { self.began } else { self.line - 1 };
        (self.any, self.filled, self.at) = (false, false, At::Start);
        if counts && !self.header {
            self.header = true;
            return None;
        }
        self.left -= usize::from(counts);
        (self.left == 0).then_some(began)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_line() {
        let lines = |text: &str, columns: usize| -> Vec<u64> {
            (0..).map_while(|row| line(text.as_bytes(), b',', columns, row).unwrap()).collect()
        };
        assert_eq!(lines("a,b\n1,2\n3,4\n", 2), [2, 3]);
        assert_eq!(lines("a,b\r\n1,2\r\n\r\n  \r\n3,4", 2), [2, 5]);
        assert_eq!(lines("\n\na,b\n\"x\ny\",2\n\"\"\"\n\"\"\",3\n5\",6\n", 2), [4, 6, 8]);
        assert_eq!(lines("a\n1\n\n\"\n\n\"\n2\n\n", 1), [2, 3, 4, 7, 8]);
        assert_eq!(lines("a\r1\r\r2", 1), [2, 3, 4]);
        assert!(lines("a,b\n", 2).is_empty());
    }
}
