//! NumPy's `.npy` format, versions 1 to 3 (NEP 1): a magic string, a Python dict as text, the numbers.

use super::raw::{Head, Kind};
use std::io::Read;

/// Reads the header.
pub(crate) fn head(reader: &mut impl Read) -> Result<Head, String> {
    let mut start = [0; 8];
    let mut length = [0; 4];
    let short = |_| "the file ends inside its .npy header".to_string();
    reader.read_exact(&mut start).map_err(short)?;
    let width = if start[6] == 1 { 2 } else { 4 };
    reader.read_exact(&mut length[..width]).map_err(short)?;
    let mut text = Vec::new();
    let length = u64::from(u32::from_le_bytes(length));
    reader.take(length).read_to_end(&mut text).map_err(|e| e.to_string())?;
    if (text.len() as u64) < length {
        return Err("the file ends inside its .npy header".to_string());
    }
    parse(&String::from_utf8_lossy(&text)).ok_or_else(|| "its .npy header cannot be understood".to_string())?
}

/// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }`; `None` when it is something else.
fn parse(text: &str) -> Option<Result<Head, String>> {
    let value = |key: &str| {
        let after = text.split_once(&format!("'{key}'")).or_else(|| text.split_once(&format!("\"{key}\"")))?.1;
        after.trim_start().strip_prefix(':').map(str::trim_start)
    };
    let by_column = match value("fortran_order")? {
        v if v.starts_with("True") => true,
        v if v.starts_with("False") => false,
        _ => return None,
    };
    let shape = value("shape")?.strip_prefix('(')?.split_once(')')?.0;
    let sizes = shape.split(',').map(|n| n.trim().trim_end_matches('L')).filter(|n| !n.is_empty());
    let shape = sizes.map(|n| n.parse().ok()).collect::<Option<Vec<usize>>>()?;
    let descr = value("descr")?;
    let quote = descr.chars().next().filter(|c| matches!(c, '\'' | '"'));
    let Some(descr) = quote.and_then(|q| descr[1..].split_once(q)).map(|d| d.0) else {
        return Some(Err("holds records of several fields; a plain table of numbers is needed".to_string()));
    };
    let (big_endian, name) = match descr.split_at_checked(1)? {
        (">", name) => (true, name),
        ("<" | "|" | "=", name) => (false, name),
        _ => (false, descr),
    };
    let kind = match name {
        "u1" | "b1" | "?" | "B" => Kind::U8,
        "i1" | "b" => Kind::I8,
        "u2" => Kind::U16,
        "i2" => Kind::I16,
        "u4" => Kind::U32,
        "i4" => Kind::I32,
        "u8" => Kind::U64,
        "i8" => Kind::I64,
        "f4" => Kind::F32,
        "f8" => Kind::F64,
        _ => return Some(Err(format!("numbers of NumPy's type '{descr}' cannot be read: save them as float32"))),
    };
    Some(Ok(Head { kind, big_endian, by_column, shape }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file as NumPy writes it.
    fn file(head: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes =
            [crate::input::header::NPY, &[1, 0], &(head.len() as u16).to_le_bytes(), head.as_bytes()].concat();
        bytes.extend_from_slice(data);
        bytes
    }

    fn table(bytes: &[u8], rows: Option<usize>) -> Result<Vec<Vec<f32>>, String> {
        let mut reader = bytes;
        let table = head(&mut reader)?.table(&mut reader, rows)?;
        Ok(table.values.outer_iter().map(|row| row.to_vec()).collect())
    }

    #[test]
    fn all_types_and_orders_are_read() {
        let rows = vec![vec![1.0, 2.0, 3.0], vec![4.0, 5.0, 6.0]];
        let numbers = [1u8, 2, 3, 4, 5, 6];
        let f64s: Vec<u8> = numbers.iter().flat_map(|&n| f64::from(n).to_be_bytes()).collect();
        let i64s: Vec<u8> = numbers.iter().flat_map(|&n| i64::from(n).to_le_bytes()).collect();
        let f32s: Vec<u8> = [1u8, 4, 2, 5, 3, 6].iter().flat_map(|&n| f32::from(n).to_le_bytes()).collect();
        let of = |descr: &str, fortran: &str, data: &[u8]| {
            let head = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': (2, 3), }}    \n");
            (table(&file(&head, data), None).unwrap(), table(&file(&head, data), Some(1)).unwrap())
        };
        for (descr, fortran, data) in
            [("|u1", "False", &numbers[..]), (">f8", "False", &f64s), ("<i8", "False", &i64s), ("<f4", "True", &f32s)]
        {
            let (all, first) = of(descr, fortran, data);
            assert_eq!((&all, &first[..]), (&rows, &rows[..1]), "{descr}");
        }
    }

    #[test]
    fn tables_are_the_rows_in_parts() {
        let numbers: Vec<u8> = (0..15).collect();
        for fortran in ["False", "True"] {
            let of = |data: &[u8], size, rows| {
                let text = format!("{{'descr': '|u1', 'fortran_order': {fortran}, 'shape': (5, 3), }}\n");
                let bytes = file(&text, data);
                let (mut reader, mut found, mut firsts) = (&bytes[..], Vec::new(), Vec::new());
                let read = head(&mut reader)?.tables(&mut reader, rows, size, &mut |table, first| {
                    firsts.push(first);
                    found.extend(table.values);
                    Ok(())
                });
                read.map(|()| (found, firsts))
            };
            let (all, _) = of(&numbers, 9, None).unwrap();
            let (parts, firsts) = of(&numbers, 2, None).unwrap();
            assert_eq!((&parts, firsts), (&all, if fortran == "True" { vec![0] } else { vec![0, 2, 4] }));
            assert_eq!(of(&numbers, 2, Some(3)).unwrap().0, all[..9]);
            assert!(of(&numbers[..14], 2, None).unwrap_err().contains("ends after"));
            assert!(of(&[&numbers[..], &[1]].concat(), 2, None).unwrap_err().contains("more data"));
            assert!(of(&[&numbers[..], &[1]].concat(), 2, Some(4)).is_ok() == (fortran == "False"));
        }
    }

    #[test]
    fn a_bad_file_says_why() {
        let head =
            |descr: &str, shape: &str| format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n");
        let why = |head: String, data: &[u8]| table(&file(&head, data), None).unwrap_err();
        assert!(why(head("'|u1'", "(2, 3)"), &[1; 5]).contains("ends after 5 of 6 bytes"));
        assert!(why(head("'|u1'", "(2, 3)"), &[1; 7]).contains("more data"));
        assert!(why(head("'|u1'", "(6,)"), &[1; 6]).contains("1 axes"));
        assert!(why(head("'|u1'", "()"), &[1]).contains("single number"));
        assert!(why(head("'<c16'", "(2, 3)"), &[]).contains("<c16"));
        assert!(why(head("[('a', '<f4')]", "(2, 3)"), &[]).contains("fields"));
        assert!(why(head("'<f4'", "(99999999999, 99999999999)"), &[]).contains("impossible"));
        // A header that claims terabytes allocates nothing.
        assert!(why(head("'<f4'", "(99999999, 99999)"), &[0; 4]).contains("ends after"));
        assert!(why("{'nothing': 1}".to_string(), &[]).contains("understood"));
        assert!(why(head("'<f8'", "(1, 1)"), &1e300f64.to_le_bytes()).contains("row 0, column 0"));
        assert!(super::head(&mut &b"\x93NUMPY\x01\x00\xff\xff{"[..]).is_err());
        assert!(super::head(&mut &b"\x93NUM"[..]).is_err());
    }
}
