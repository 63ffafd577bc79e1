//! IDX, the format of MNIST: two zeros, a type, the number of axes, their sizes, the numbers; all big-endian.

use super::raw::{Head, Kind};
use std::io::Read;

/// Reads the header.
pub(crate) fn head(reader: &mut impl Read) -> Result<Head, String> {
    let short = |_| "the file ends inside its IDX header".to_string();
    let mut start = [0; 4];
    reader.read_exact(&mut start).map_err(short)?;
    let kind = match start[2] {
        0x08 => Kind::U8,
        0x09 => Kind::I8,
        0x0b => Kind::I16,
        0x0c => Kind::I32,
        0x0d => Kind::F32,
        0x0e => Kind::F64,
        other => return Err(format!("IDX files have no number type {other:#04x}: this is another format")),
    };
    let shape = (0..start[3])
        .map(|_| {
            let mut size = [0; 4];
            reader.read_exact(&mut size).map_err(short)?;
            Ok(u32::from_be_bytes(size) as usize)
        })
        .collect::<Result<Vec<_>, String>>()?;
    Ok(Head { kind, big_endian: true, by_column: false, shape })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_become_rows_and_labels_stay_numbers() {
        let images = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];
        let mut reader = &images[..];
        let table = head(&mut reader).unwrap().table(&mut reader, None).unwrap();
        assert_eq!((table.values.dim(), table.values[[1, 0]], table.image), ((2, 3), 4.0, Some((3, 1))));
        let labels = [0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 9];
        let mut reader = &labels[..];
        assert_eq!(head(&mut reader).unwrap().labels(&mut reader, Some(2)).unwrap(), [7, 0]);
        assert!(head(&mut &[0u8, 0, 8, 3, 0][..]).is_err());
        assert!(head(&mut &[0u8, 0, 1, 3][..]).unwrap_err().contains("0x01"));
    }
}
