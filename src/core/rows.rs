//! The door: a table is checked once, then read as plain rows; and the canonical order of rows by their content.

use super::{Error, Result, parallel, random};
use ndarray::{Array2, ArrayRef2, ArrayView2};
use std::borrow::Cow;
use std::cmp::Ordering;

/// A checked table of f32, row after row. Borrows the caller's memory where its layout allows.
#[derive(Clone, Debug)]
pub(crate) struct Rows<'a> {
    data: Cow<'a, [f32]>,
    rows: usize,
    columns: usize,
}

impl<'a> Rows<'a> {
    /// Accepts a table with at least one row and one column, of finite values only.
    pub(crate) fn finite(table: &'a ArrayRef2<f32>) -> Result<Self> {
        Self::checked(table, f32::is_finite)
    }

    /// The same of a table that is lent or handed over.
    pub(crate) fn finite_cow(table: Cow<'a, ArrayRef2<f32>>) -> Result<Self> {
        match table {
            Cow::Borrowed(table) => Self::finite(table),
            Cow::Owned(table) => {
                Rows::finite(&table)?;
                Ok(Rows::owned(table))
            }
        }
    }

    /// Accepts NaN as "missing"; infinities are still an error.
    pub(crate) fn with_missing(table: &'a ArrayRef2<f32>) -> Result<Self> {
        Self::checked(table, |value| !value.is_infinite())
    }

    /// A table that was found to be finite before.
    pub(crate) fn known(table: &'a ArrayRef2<f32>) -> Self {
        let (rows, columns) = table.dim();
        Rows { data: plain(table), rows, columns }
    }

    /// A table of one's own making, which is finite.
    pub(crate) fn owned(table: Array2<f32>) -> Rows<'static> {
        let (rows, columns) = table.dim();
        let data = table.as_standard_layout().into_owned().into_raw_vec_and_offset().0;
        Rows { data: Cow::Owned(data), rows, columns }
    }

    fn checked(table: &'a ArrayRef2<f32>, good: impl Fn(f32) -> bool + Sync + Send) -> Result<Self> {
        let (rows, columns) = table.dim();
        if rows == 0 || columns == 0 {
            return Err(Error::Empty { what: "the data", rows, columns });
        }
        if rows > u32::MAX as usize - 1 {
            return Err(Error::TooManyRows { rows, most: u32::MAX as usize - 1 });
        }
        let data = plain(table);
        let bad = parallel::map_ranges(data.len(), 1 << 20, |range| {
            // A piece is looked at as a whole, which goes many values at a time, and value by value if something is wrong.
            let mut start = range.start;
            for piece in data[range].chunks(1024) {
                if !piece.iter().fold(true, |all, &value| all & good(value)) {
                    return piece.iter().position(|&value| !good(value)).map(|i| start + i);
                }
                start += piece.len();
            }
            None
        });
        if let Some(at) = bad.into_iter().flatten().next() {
            return Err(Error::NotFinite {
                what: "the data",
                row: at / columns,
                column: at % columns,
                value: data[at],
            });
        }
        Ok(Rows { data, rows, columns })
    }

    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    pub(crate) fn row(&self, i: usize) -> &[f32] {
        &self.data[i * self.columns..(i + 1) * self.columns]
    }

    /// A copy of some rows.
    pub(crate) fn picked(&self, pick: &[u32]) -> Rows<'static> {
        let data: Vec<f32> = pick.iter().flat_map(|&row| self.row(row as usize)).copied().collect();
        Rows { data: Cow::Owned(data), rows: pick.len(), columns: self.columns }
    }

    /// A copy of the different rows, in canonical order.
    pub(crate) fn representatives(&self, canonical: &Canonical) -> Array2<f32> {
        let mut all = Array2::zeros((canonical.groups(), self.columns));
        if let Some(values) = all.as_slice_mut().filter(|_| self.columns > 0) {
            parallel::for_each_chunk(values, 256 * self.columns, |chunk, out| {
                for (r, out) in out.chunks_mut(self.columns).enumerate() {
                    out.copy_from_slice(self.row(canonical.representative(chunk * 256 + r)));
                }
            });
        }
        all
    }

    /// The table as an array.
    pub(crate) fn view(&self) -> ArrayView2<'_, f32> {
        // Rows and columns are those of the data, so that no table is lost here.
        ArrayView2::from_shape((self.rows, self.columns), &self.data).unwrap_or(ArrayView2::from(&[[0.0; 0]; 0]))
    }

    /// All values, row after row.
    pub(crate) fn data(&self) -> &[f32] {
        &self.data
    }
}

/// The values row after row.
fn plain(table: &ArrayRef2<f32>) -> Cow<'_, [f32]> {
    match table.as_slice() {
        Some(slice) => Cow::Borrowed(slice),
        None => Cow::Owned(table.iter().copied().collect()),
    }
}

/// Rows that can be put into canonical order: one order for dense and sparse rows of the same content.
pub(crate) trait Content: Sync {
    fn count(&self) -> usize;
    /// A number that stands for a row's content; see [`content_hash`].
    fn hash(&self, i: usize) -> u64;
    /// The order of two rows by the bits of their values.
    fn compare(&self, i: usize, j: usize) -> Ordering;
}

impl Content for Rows<'_> {
    fn count(&self) -> usize {
        self.rows
    }

    fn hash(&self, i: usize) -> u64 {
        content_hash(self.row(i))
    }

    fn compare(&self, i: usize, j: usize) -> Ordering {
        self.row(i).iter().map(|&v| bits(v)).cmp(self.row(j).iter().map(|&v| bits(v)))
    }
}

/// The rows in an order given by their content alone, equal rows side by side.
///
/// Shuffling a table's rows leaves the sequence of contents unchanged, so an algorithm that walks the rows in this
/// order, and treats equal rows alike, computes the same bits for any order of its input.
#[derive(Clone, Debug)]
pub(crate) struct Canonical {
    /// Original row at each canonical place; a permutation.
    pub(crate) order: Vec<u32>,
    /// Canonical place at which each group of equal rows begins, then the number of rows.
    pub(crate) starts: Vec<u32>,
}

impl Canonical {
    /// Sorts by a 64-bit hash of the content, then by the content itself. O(rows x columns) and one sort of rows.
    pub(crate) fn of(rows: &impl Content) -> Self {
        let mut keyed: Vec<(u64, u32)> = parallel::map_ranges(rows.count(), 1024, |range| {
            range.map(|i| (rows.hash(i), i as u32)).collect::<Vec<_>>()
        })
        .concat();
        parallel::sort_by_key(&mut keyed, |&key| key);
        // Equal hashes of unequal rows are settled by content, so that not even a collision depends on input order.
        let mut at = 0;
        while at < keyed.len() {
            let end = at + keyed[at..].iter().take_while(|k| k.0 == keyed[at].0).count();
            if end - at > 1 {
                keyed[at..end].sort_by(|a, b| rows.compare(a.1 as usize, b.1 as usize).then(a.1.cmp(&b.1)));
            }
            at = end;
        }
        let order: Vec<u32> = keyed.iter().map(|k| k.1).collect();
        let equal = |a: u32, b: u32| rows.compare(a as usize, b as usize).is_eq();
        let mut starts: Vec<u32> = (0..order.len())
            .filter(|&i| i == 0 || keyed[i].0 != keyed[i - 1].0 || !equal(order[i], order[i - 1]))
            .map(|i| i as u32)
            .collect();
        starts.push(order.len() as u32);
        Canonical { order, starts }
    }

    /// Puts rows that are equal but for their weights in an order of their own: by rising weight.
    pub(crate) fn order_equal_rows(&mut self, weights: &[f64]) {
        let weight = |row: u32| weights[row as usize];
        for group in self.starts.windows(2) {
            self.order[group[0] as usize..group[1] as usize]
                .sort_unstable_by(|&a, &b| weight(a).total_cmp(&weight(b)).then(a.cmp(&b)));
        }
    }

    /// Number of different rows.
    pub(crate) fn groups(&self) -> usize {
        self.starts.len() - 1
    }

    /// Original numbers of the rows in one group of equal rows.
    pub(crate) fn group(&self, g: usize) -> &[u32] {
        &self.order[self.starts[g] as usize..self.starts[g + 1] as usize]
    }

    /// One original row that stands for the group.
    pub(crate) fn representative(&self, g: usize) -> usize {
        self.order[self.starts[g] as usize] as usize
    }

    /// Number of rows in the group.
    pub(crate) fn weight(&self, g: usize) -> usize {
        (self.starts[g + 1] - self.starts[g]) as usize
    }

    /// For each original row the group it belongs to.
    pub(crate) fn group_of_row(&self) -> Vec<u32> {
        let mut group = vec![0; self.order.len()];
        for g in 0..self.groups() {
            for &row in self.group(g) {
                group[row as usize] = g as u32;
            }
        }
        group
    }
}

/// The bits of a value, with one zero and one NaN.
#[inline(always)]
pub(super) fn bits(value: f32) -> u32 {
    if value.is_nan() { 0x7fc0_0000 } else { (value + 0.0).to_bits() }
}

/// A number that stands for a row's content; equal for both zeros.
///
/// Four lanes of multiply-and-mix, so that the loop is not bound by the latency of one chain.
pub(crate) fn content_hash(row: &[f32]) -> u64 {
    let mut lanes = hash_lanes();
    let mut chunks = row.chunks_exact(4);
    for chunk in &mut chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = stirred(*lane, u64::from(bits(value)));
        }
    }
    for (lane, &value) in lanes.iter_mut().zip(chunks.remainder()) {
        *lane = stirred(*lane, u64::from(bits(value)) ^ 1 << 40);
    }
    hash_of(lanes)
}

fn hash_lanes() -> [u64; 4] {
    [1u64, 2, 3, 4].map(random::mix)
}

#[inline(always)]
fn stirred(lane: u64, bits: u64) -> u64 {
    (lane ^ bits).wrapping_mul(0x9fb2_1c65_1e98_df25).rotate_left(29)
}

fn hash_of(lanes: [u64; 4]) -> u64 {
    lanes.iter().fold(0, |hash, &lane| random::mix(hash ^ lane))
}

/// [`content_hash`] of a row of `columns` columns by its entries, columns ascending. Zeros are stirred in too, so that the
/// hash is that of the dense row: O(columns), a quarter of a nanosecond each.
pub(super) fn sparse_content_hash(columns: usize, indices: &[u32], values: &[f32]) -> u64 {
    let mut lanes = hash_lanes();
    let mut entries = indices.iter().map(|&index| index as usize).zip(values).peekable();
    let whole = columns / 4;
    let mut chunk = 0;
    while chunk < whole {
        let next = entries.peek().map_or(whole, |&(column, _)| (column / 4).min(whole));
        for _ in chunk..next {
            lanes.iter_mut().for_each(|lane| *lane = stirred(*lane, 0));
        }
        chunk = next + 1;
        if next < whole {
            let mut own = [0u64; 4];
            while let Some((column, &value)) = entries.next_if(|&(column, _)| column / 4 == next) {
                own[column % 4] = u64::from(bits(value));
            }
            lanes.iter_mut().zip(own).for_each(|(lane, bits)| *lane = stirred(*lane, bits));
        }
    }
    for (column, lane) in (whole * 4..columns).zip(&mut lanes) {
        let value = entries.next_if(|&(other, _)| other == column).map_or(0, |(_, &value)| bits(value));
        *lane = stirred(*lane, u64::from(value) ^ 1 << 40);
    }
    hash_of(lanes)
}

/// For plug-ins: a table with at least one row and one column, of finite values only, or the error that says what is wrong.
///
/// # Errors
/// [`Error::Empty`]; [`Error::NotFinite`] with the first such value's place; [`Error::TooManyRows`].
///
/// ```
/// let rows = ndarray::array![[1.0f32, 2.0], [f32::NAN, 4.0]];
/// assert!(matches!(recluster::check_finite(&rows), Err(recluster::Error::NotFinite { row: 1, column: 0, .. })));
/// ```
pub fn check_finite(table: &ArrayRef2<f32>) -> Result<()> {
    Rows::finite(table).map(drop)
}

/// For plug-ins: the numbers of the rows in an order that their content alone decides, equal rows side by side.
///
/// An algorithm that walks the rows in this order, and settles ties by it, gives each row the same answer in whatever
/// order the table stands, provided that it treats equal rows alike. O(rows x columns) and one sort of the rows.
///
/// # Errors
/// As [`check_finite`].
///
/// ```
/// let rows = ndarray::array![[3.0f32], [1.0], [2.0]];
/// let turned = ndarray::array![[2.0f32], [3.0], [1.0]];
/// let walk = |t: &ndarray::Array2<f32>| -> recluster::Result<Vec<f32>> {
///     Ok(recluster::canonical_order(t)?.into_iter().map(|i| t[[i, 0]]).collect())
/// };
/// assert_eq!(walk(&rows)?, walk(&turned)?);
/// # Ok::<(), recluster::Error>(())
/// ```
pub fn canonical_order(table: &ArrayRef2<f32>) -> Result<Vec<usize>> {
    let rows = Rows::finite(table)?;
    Ok(Canonical::of(&rows).order.into_iter().map(|row| row as usize).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn order_depends_on_content_alone() {
        let table = Array2::from_shape_fn((97, 5), |(i, j)| ((i * 7 + j * j) % 23) as f32 - 11.0);
        let shuffled = Array2::from_shape_fn((97, 5), |(i, j)| table[[i * 31 % 97, j]]);
        let (a, b) = (Rows::finite(&table).unwrap(), Rows::finite(&shuffled).unwrap());
        let (ca, cb) = (Canonical::of(&a), Canonical::of(&b));
        for (&i, &j) in ca.order.iter().zip(&cb.order) {
            assert_eq!(a.row(i as usize), b.row(j as usize));
        }
        assert_eq!(ca.starts, cb.starts);
        assert_eq!(ca.groups(), 23);
    }

    #[test]
    fn both_zeros_are_equal_and_bad_values_are_named() {
        let table = array![[0.0f32, 1.0], [-0.0, 1.0]];
        assert_eq!(Canonical::of(&Rows::finite(&table).unwrap()).groups(), 1);
        let table = array![[0.0f32, 1.0], [2.0, f32::NAN]];
        assert!(matches!(Rows::finite(&table), Err(Error::NotFinite { row: 1, column: 1, .. })));
        assert!(Rows::with_missing(&table).is_ok());
        assert!(matches!(Rows::finite(&Array2::zeros((0, 3))), Err(Error::Empty { .. })));
        // A transposed view is read in its own row order.
        let wide = array![[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]];
        let turned = wide.t();
        assert_eq!(Rows::finite(&turned).unwrap().row(1), &[2.0, 5.0]);
    }
}
