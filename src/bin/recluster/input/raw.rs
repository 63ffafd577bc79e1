//! Consecutive numbers after a header with their type and shape: the common part of `.npy` and IDX.

use super::{Rounded, Table};
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

/// The contents of a header.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Head {
    pub(crate) kind: Kind,
    pub(crate) big_endian: bool,
    /// Column-major (Fortran order) instead of row-major.
    pub(crate) by_column: bool,
    pub(crate) shape: Vec<usize>,
}

/// Bytes that are read at a time: a multiple of any type's size.
const CHUNK: usize = 1 << 16;

/// Reads `count` numbers of `SIZE` bytes each, a chunk at a time, so that a file's bytes and its numbers are never both in
/// memory. Memory grows with the actual size of the file, not with that in its header.
fn stream<const SIZE: usize, T>(
    reader: &mut impl Read,
    count: usize,
    mut convert: impl FnMut([u8; SIZE]) -> T,
) -> Result<Vec<T>, String> {
    let mut numbers = Vec::new();
    let mut chunk = Vec::with_capacity(CHUNK);
    while numbers.len() < count {
        let wanted = CHUNK.min((count - numbers.len()) * SIZE);
        chunk.clear();
        reader.take(wanted as u64).read_to_end(&mut chunk).map_err(|e| e.to_string())?;
        if chunk.len() < wanted {
            let (read, size) = (numbers.len() * SIZE + chunk.len(), count * SIZE);
            return Err(format!("the file ends after {read} of {size} bytes of data"));
        }
        let (whole, _) = chunk.as_chunks::<SIZE>();
        numbers.extend(whole.iter().map(|&bytes| convert(bytes)));
    }
    Ok(numbers)
}

/// Calls `$stream(bytes to number)` for the header's type.
macro_rules! by_kind {
    ($head:expr, $reader:expr, $count:expr, $number:ident => $convert:expr) => {{
        let big = $head.big_endian;
        macro_rules! of {
            ($type:ty) => {
                stream($reader, $count, |bytes| {
                    let $number = if big { <$type>::from_be_bytes(bytes) } else { <$type>::from_le_bytes(bytes) };
                    $convert
                })
            };
        }
        match $head.kind {
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

impl Head {
    /// Numbers to read, and rows to keep of them: only the first `rows` along the first axis, if given.
    fn sizes(&self, rows: Option<usize>) -> Result<(usize, usize), String> {
        let Some((&all, inner)) = self.shape.split_first() else {
            return Err("holds a single number, not a table".to_string());
        };
        let keep = rows.unwrap_or(all).min(all);
        // A column-major file must be read to its end even for its first rows.
        let stored = if self.by_column { all } else { keep };
        // Also where there are no rows, a row must be possible.
        let row = inner.iter().try_fold(1usize, |count, &n| count.checked_mul(n));
        let count = row.and_then(|row| row.checked_mul(stored));
        match count.filter(|count| count.checked_mul(self.kind.bytes()).is_some()) {
            Some(count) => Ok((count, keep)),
            None => Err(format!("its header claims an impossible shape, {:?}", self.shape)),
        }
    }

    /// After the numbers: nothing may follow, and of column-major data only the first `keep` rows are kept.
    fn close<T: Copy>(&mut self, reader: &mut impl Read, keep: usize, mut numbers: Vec<T>) -> Result<Vec<T>, String> {
        let all = self.shape[0];
        if (self.by_column || keep == all) && reader.read(&mut [0]).map_err(|e| e.to_string())? > 0 {
            return Err(format!("the file holds more data than its header says ({:?})", self.shape));
        }
        if self.by_column && keep < all {
            numbers = numbers.chunks_exact(all).flat_map(|column| column[..keep].iter().copied()).collect();
        }
        self.shape[0] = keep;
        Ok(numbers)
    }

    /// The numbers as a table; the axes after the first are flattened, and two of them make an image.
    pub(crate) fn table(mut self, reader: &mut impl Read, rows: Option<usize>) -> Result<Table, String> {
        let (count, keep) = self.sizes(rows)?;
        let all = self.shape[0];
        let mut place = 0;
        let mut too_large = None;
        let mut rounded = Rounded::default();
        let per_row = self.shape[1..].iter().product::<usize>().max(1);
        let (by_column, floats) = (self.by_column, matches!(self.kind, Kind::F32 | Kind::F64));
        let at = |place: usize| {
            if by_column { (place % all.max(1), place / all.max(1)) } else { (place / per_row, place % per_row) }
        };
        let kept = |whole: i128, wide: f64, narrow: f32| match floats {
            true => Rounded::is_kept(wide),
            false => narrow as i128 == whole,
        };
        let values = by_kind!(self, reader, count, number => {
            let narrow = number as f32;
            if narrow.abs() >= Rounded::FROM && !kept(number as i128, number as f64, narrow) {
                let (row, column) = at(place);
                if row < keep {
                    rounded.put(column, || format!("row {row}, column {column}: {number} is read as {narrow}"));
                }
            }
            // Only a finite number of 64 bits can overflow; infinities in the file are checked by the caller.
            if narrow.is_infinite() && (number as f64).is_finite() && too_large.is_none() {
                too_large = Some(place);
            }
            place += 1;
            narrow
        })?;
        let values = self.close(reader, keep, values)?;
        let (rows, image) = match self.shape[..] {
            [rows, _] => (rows, None),
            [rows, height, width] => (rows, Some((width, height))),
            _ => {
                let axes = self.shape.len();
                return Err(format!("has {axes} axes; a table of rows x columns (or rows x height x width) is needed"));
            }
        };
        let columns = self.shape[1..].iter().product::<usize>();
        if let Some(place) = too_large {
            let (row, column) = at(place);
            if row < keep {
                return Err(format!("the value at row {row}, column {column} is too large for a float of 32 bits"));
            }
        }
        let values = match (self.by_column, image) {
            (false, _) => Array2::from_shape_vec((rows, columns), values),
            (true, None) => Array2::from_shape_vec((rows, columns).f(), values)
                .map(|by_column| Array2::from_shape_fn((rows, columns), |at| by_column[at])),
            (true, Some((width, height))) => ndarray::Array3::from_shape_vec((rows, height, width).f(), values)
                .map(|images| Array2::from_shape_fn((rows, columns), |(i, j)| images[[i, j / width, j % width]])),
        };
        Ok(Table { values: values.map_err(|e| e.to_string())?, names: None, image, places: None, rounded })
    }

    /// The numbers as tables of at most `size` rows, in order, at least one; each with the number of its first row. What is
    /// stored by column is read whole.
    pub(crate) fn tables(
        self,
        reader: &mut impl Read,
        rows: Option<usize>,
        size: usize,
        each: &mut dyn FnMut(Table, usize) -> Result<(), String>,
    ) -> Result<(), String> {
        let all = self.shape.first().copied().unwrap_or(0);
        let keep = rows.unwrap_or(all).min(all);
        // Rows without columns are as many as the header says, whatever the file's size: they are no blocks' worth.
        if self.by_column || keep <= size || self.shape[1..].contains(&0) {
            return each(self.table(reader, rows)?, 0);
        }
        // What its header claims of all rows must be possible, too.
        self.sizes(rows)?;
        for first in (0..keep).step_by(size) {
            let count = size.min(keep - first);
            // After a part, more data may follow; only after the last row of the file none.
            let more = usize::from(first + count < all);
            let mut part = self.clone();
            part.shape[0] = count + more;
            let read = part.table(reader, Some(count));
            each(read.map_err(|reason| format!("in the rows from {first} on (counted from 0): {reason}"))?, first)?;
        }
        Ok(())
    }

    /// The numbers as labels.
    pub(crate) fn labels(mut self, reader: &mut impl Read, rows: Option<usize>) -> Result<Vec<i128>, String> {
        let (count, keep) = self.sizes(rows)?;
        let labels = by_kind!(self, reader, count, number => number as i128)?;
        let labels = self.close(reader, keep, labels)?;
        match self.shape[..] {
            [_] | [_, 1] => {}
            _ => return Err(format!("has the shape {:?}; labels are one whole number for each row", self.shape)),
        }
        if matches!(self.kind, Kind::F32 | Kind::F64) {
            return Err("labels must be stored as whole numbers, not as floats".to_string());
        }
        Ok(labels)
    }
}
