//! Numbers one after another, behind a header that says their type and shape: what `.npy` and IDX have in common.

use super::Table;
use ndarray::{Array2, ShapeBuilder};
use std::io::Read;

/// The type of one number in a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

impl Kind {
    fn bytes(self) -> usize {
        match self {
            Kind::U8 | Kind::I8 => 1,
            Kind::U16 | Kind::I16 => 2,
            Kind::U32 | Kind::I32 | Kind::F32 => 4,
            Kind::U64 | Kind::I64 | Kind::F64 => 8,
        }
    }
}

/// What a header says.
#[derive(Debug, PartialEq)]
pub(crate) struct Head {
    pub(crate) kind: Kind,
    pub(crate) big_endian: bool,
    /// Column after column (Fortran's order) instead of row after row.
    pub(crate) by_column: bool,
    pub(crate) shape: Vec<usize>,
}

/// The numbers themselves, still as bytes; as many as the shape says.
#[derive(Debug)]
pub(crate) struct Raw {
    head: Head,
    bytes: Vec<u8>,
}

impl Head {
    /// Reads the numbers; only the first `rows` along the first axis, where asked for.
    ///
    /// Memory grows with what the file really holds, not with what its header claims.
    pub(crate) fn read(mut self, reader: &mut impl Read, rows: Option<usize>) -> Result<Raw, String> {
        let Some((&all, inner)) = self.shape.split_first() else {
            return Err("holds a single number, not a table".to_string());
        };
        let keep = rows.unwrap_or(all).min(all);
        let row = inner.iter().try_fold(self.kind.bytes(), |size, &n| size.checked_mul(n));
        // A file that goes column by column has to be read to its end before its first rows are known.
        let stored = if self.by_column { all } else { keep };
        let Some(size) = row.and_then(|row| row.checked_mul(stored)) else {
            return Err(format!("its header claims an impossible shape, {:?}", self.shape));
        };
        let mut bytes = Vec::new();
        reader.take(size as u64).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
        if bytes.len() < size {
            return Err(format!("the file ends after {} of {size} bytes of data", bytes.len()));
        }
        if stored == all && reader.read(&mut [0]).map_err(|e| e.to_string())? > 0 {
            return Err(format!("the file holds more data than its header says ({:?})", self.shape));
        }
        if self.by_column && keep < all {
            let (kind, columns) = (self.kind.bytes(), size / self.kind.bytes() / all);
            bytes = (0..columns).flat_map(|c| bytes[c * all * kind..][..keep * kind].iter().copied()).collect();
        }
        self.shape[0] = keep;
        Ok(Raw { head: self, bytes })
    }
}

/// Calls `$body` with `$at` an iterator over the numbers in their own type.
macro_rules! numbers {
    ($raw:expr, $at:ident => $body:expr) => {{
        let raw = $raw;
        macro_rules! of {
            ($type:ty) => {{
                const SIZE: usize = size_of::<$type>();
                let big = raw.head.big_endian;
                let $at = raw.bytes.chunks_exact(SIZE).map(move |bytes| {
                    let mut number = [0; SIZE];
                    number.copy_from_slice(bytes);
                    if big { <$type>::from_be_bytes(number) } else { <$type>::from_le_bytes(number) }
                });
                $body
            }};
        }
        match raw.head.kind {
            Kind::U8 => of!(u8),
            Kind::I8 => of!(i8),
            Kind::U16 => of!(u16),
            Kind::I16 => of!(i16),
            Kind::U32 => of!(u32),
            Kind::I32 => of!(i32),
            Kind::U64 => of!(u64),
            Kind::I64 => of!(i64),
            Kind::F32 => of!(f32),
            Kind::F64 => of!(f64),
        }
    }};
}

impl Raw {
    /// The numbers as a table; the axes after the first are laid side by side, and two of them make an image.
    pub(crate) fn table(&self) -> Result<Table, String> {
        let (rows, image) = match self.head.shape[..] {
            [rows, _] => (rows, None),
            [rows, height, width] => (rows, Some((width, height))),
            _ => {
                let axes = self.head.shape.len();
                return Err(format!("has {axes} axes; a table of rows x columns (or rows x height x width) is needed"));
            }
        };
        let columns = self.head.shape[1..].iter().product::<usize>();
        let values: Vec<f32> = numbers!(self, numbers => numbers.map(|number| number as f32).collect());
        // Only a number of 64 bits can be finite and yet too large; a file's own infinities are the reader's to judge.
        if self.head.kind == Kind::F64 {
            let mut wide = numbers!(self, numbers => Box::new(numbers.map(|number| number as f64)) as Box<dyn Iterator<Item = f64>>);
            let mut narrow = values.iter();
            if let Some(place) = narrow.by_ref().zip(wide.by_ref()).position(|(n, w)| n.is_infinite() && w.is_finite())
            {
                let (row, column) =
                    if self.head.by_column { (place % rows, place / rows) } else { (place / columns, place % columns) };
                return Err(format!("the value at row {row}, column {column} is too large for a float of 32 bits"));
            }
        }
        let values = match (self.head.by_column, image) {
            (false, _) => Array2::from_shape_vec((rows, columns), values),
            (true, None) => Array2::from_shape_vec((rows, columns).f(), values),
            (true, Some((width, height))) => ndarray::Array3::from_shape_vec((rows, height, width).f(), values)
                .map(|images| Array2::from_shape_fn((rows, columns), |(i, j)| images[[i, j / width, j % width]])),
        };
        let values = values.map_err(|e| e.to_string())?.as_standard_layout().into_owned();
        Ok(Table { values, names: None, image })
    }

    /// The numbers as labels.
    pub(crate) fn labels(&self) -> Result<Vec<i64>, String> {
        match self.head.shape[..] {
            [_] | [_, 1] => {}
            _ => return Err(format!("has the shape {:?}; labels are one whole number for each row", self.head.shape)),
        }
        if matches!(self.head.kind, Kind::F32 | Kind::F64) {
            return Err("labels must be stored as whole numbers, not as floats".to_string());
        }
        Ok(numbers!(self, numbers => numbers.map(|number| number as i64).collect()))
    }
}
