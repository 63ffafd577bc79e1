//! Columns cut into at most 256 bins, once for all outputs of a model and all parts of a table.
//!
//! A bin id is one byte. Columns are held in two ways. Of a *sparse* column one bin holds most rows, its *default* bin:
//! rows list only their entries in other bins, because pixels, counts and survey answers are mostly one value, and a
//! histogram gets the default bin for free, as the node's total less all other bins. *Dense* columns are held sixteen
//! abreast, row after row, each with 256 slots of its own in a histogram. A missing value has a bin of its own, the last.

use super::cuts::{bin_categories, bin_numbers};
use crate::Result;
use crate::core::{Canonical, Rows, parallel};

/// Columns that one task bins; also what is read from a row at once.
const BLOCK: usize = 16;
/// Dense columns side by side: their histograms and a piece of the rows fit the fastest cache.
pub(super) const ABREAST: usize = 16;
/// Slots of a dense column in a histogram.
pub(super) const DENSE_SLOTS: usize = 256;

/// What is known of one column.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    /// Its first slot in a histogram; it uses `bins` slots.
    pub(super) first: usize,
    /// Slots to clear and to subtract: those in use, or all that are its own where neighbours then join.
    pub(super) width: usize,
    /// Bins in all, the one of missing values included; 0 where the column cannot split anything.
    pub(super) bins: usize,
    /// Upper ends of the bins of values, each excluded from its bin: bin b holds cuts\[b - 1\] <= x < cuts\[b\]. Of a
    /// categorical column the categories, one for each bin, ascending.
    pub(super) cuts: Vec<f32>,
    /// Whether values are categories.
    pub(super) categorical: bool,
    /// Bin that most rows are in.
    pub(super) default: u8,
    /// Whether the column is held as a dense one.
    pub(super) dense: bool,
}

impl Column {
    /// Whether the last bin is that of missing values.
    pub(super) fn has_missing(&self) -> bool {
        self.bins > self.cuts.len()
    }

    /// The bin of a value.
    pub(super) fn code(&self, value: f32) -> u8 {
        let values = self.cuts.len();
        if value.is_nan() {
            return values as u8;
        }
        if self.categorical {
            return self.cuts.partition_point(|&category| category < value) as u8;
        }
        self.cuts[..values.saturating_sub(1)].partition_point(|&cut| cut <= value) as u8
    }
}

/// A table whose columns are cut into bins: made once by [`Boost::bins`](super::Boost::bins), then used for any number of
/// training calls, each on all of its rows or on a part of them.
///
/// Memory: for each row a byte a column, another byte for a column of many values, and 8 bytes for each value outside the
/// most frequent one of a column of few.
#[derive(Clone, Debug)]
pub struct Bins {
    pub(super) rows: usize,
    pub(super) columns: Vec<Column>,
    /// Slots of a histogram over all columns.
    pub(super) slots: usize,
    /// Bin ids, column after column.
    codes: Vec<u8>,
    /// Dense columns in the order of their slots, filled up with [`NO_COLUMN`] to whole blocks.
    pub(super) dense: Vec<u32>,
    /// Bin ids of the dense columns, block after block, row after row.
    abreast: Vec<[u8; ABREAST]>,
    /// Where the sparse entries of each row begin, then their number.
    row_starts: Vec<usize>,
    /// Histogram slots of each row's entries outside sparse columns' default bins, ascending by column.
    entries: Vec<u32>,
    /// For each sparse column the rows outside its default bin, ascending.
    outside: Vec<Vec<u32>>,
    /// For each row the place of its content in an order given by content alone; equal rows share it.
    pub(super) content: Vec<u32>,
}

/// Fills up the last block of dense columns.
pub(super) const NO_COLUMN: u32 = u32::MAX;

impl Bins {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns of the table.
    pub fn features(&self) -> usize {
        self.columns.len()
    }

    /// Bins the rows numbered `used`, in that order; `categorical` says of each column whether it holds categories.
    /// Each column takes O(n log n) time for its sort.
    pub(super) fn of(table: &Rows<'_>, used: &[u32], max_bins: usize, categorical: &[bool]) -> Result<Self> {
        let n = used.len();
        let blocks = parallel::map_ranges(table.columns(), BLOCK, |range| {
            let mut gathered = vec![vec![0.0f32; n]; range.len()];
            for (i, &row) in used.iter().enumerate() {
                for (column, &value) in gathered.iter_mut().zip(&table.row(row as usize)[range.clone()]) {
                    column[i] = value;
                }
            }
            let columns = gathered.iter().zip(range);
            let binned = columns.map(|(values, c)| match categorical[c] {
                false => Ok(bin_numbers(values, max_bins)),
                true => bin_categories(values, c, used),
            });
            binned.collect::<Result<Vec<_>>>()
        });
        let blocks = blocks.into_iter().collect::<Result<Vec<_>>>()?;
        let mut columns = Vec::with_capacity(table.columns());
        let mut codes = Vec::with_capacity(n * table.columns());
        for (column, ids) in blocks.into_iter().flatten() {
            columns.push(column);
            codes.extend_from_slice(&ids);
        }
        let group = Canonical::of(table).group_of_row();
        Ok(Bins::arranged(n, columns, codes, used.iter().map(|&row| group[row as usize]).collect()))
    }

    /// The rows numbered `rows`, in that order, in the same bins.
    pub(super) fn part(&self, rows: &[u32]) -> Self {
        let codes = parallel::map(self.columns.len(), |c| {
            let column = self.column(c);
            rows.iter().map(|&row| column[row as usize]).collect::<Vec<u8>>()
        });
        let content = rows.iter().map(|&row| self.content[row as usize]).collect();
        Bins::arranged(rows.len(), self.columns.clone(), codes.concat(), content)
    }

    /// Arranges binned columns for training.
    fn arranged(rows: usize, mut columns: Vec<Column>, codes: Vec<u8>, content: Vec<u32>) -> Self {
        let outside = {
            let found = parallel::map(columns.len(), |c| look(&columns[c], &codes[c * rows..(c + 1) * rows]));
            let mut outside = Vec::with_capacity(columns.len());
            for (column, (default, rows)) in columns.iter_mut().zip(found) {
                match rows {
                    Outside::None => column.bins = 0,
                    Outside::Few(few) => {
                        (column.default, column.dense) = (default, false);
                        outside.push(few);
                        continue;
                    }
                    Outside::Many => (column.default, column.dense) = (default, true),
                }
                outside.push(Vec::new());
            }
            outside
        };
        let open = |column: &Column, dense| column.bins > 1 && column.dense == dense;
        let mut dense: Vec<u32> = (0..columns.len() as u32).filter(|&c| open(&columns[c as usize], true)).collect();
        dense.resize(dense.len().next_multiple_of(ABREAST), NO_COLUMN);
        for (place, &c) in dense.iter().enumerate().filter(|&(_, &c)| c != NO_COLUMN) {
            let column = &mut columns[c as usize];
            column.first = place * DENSE_SLOTS;
            column.width = if column.bins >= DENSE_SLOTS / 2 { DENSE_SLOTS } else { column.bins };
        }
        let mut slots = dense.len() * DENSE_SLOTS;
        for column in columns.iter_mut().filter(|column| open(column, false)) {
            (column.first, column.width) = (slots, column.bins);
            slots += column.bins;
        }
        let (row_starts, entries, abreast) = (vec![0], Vec::new(), Vec::new());
        let mut bins = Bins { rows, columns, slots, codes, dense, abreast, row_starts, entries, outside, content };
        bins.put_abreast();
        bins.list_rows();
        bins
    }

    /// Copies dense columns side by side.
    fn put_abreast(&mut self) {
        let mut abreast = vec![[0u8; ABREAST]; self.dense.len() / ABREAST * self.rows];
        parallel::for_each_chunk(&mut abreast, self.rows, |block, rows| {
            for (place, &c) in self.dense[block * ABREAST..(block + 1) * ABREAST].iter().enumerate() {
                if c != NO_COLUMN {
                    rows.iter_mut().zip(self.column(c as usize)).for_each(|(row, &code)| row[place] = code);
                }
            }
        });
        self.abreast = abreast;
    }

    /// Lists the entries of each row outside the default bins of sparse columns.
    fn list_rows(&mut self) {
        let pieces = parallel::map_ranges(self.rows, 512, |range| {
            let mut counts = vec![0usize; range.len()];
            let open = || self.columns.iter().enumerate().filter(|(_, column)| column.bins > 1 && !column.dense);
            for (c, column) in open() {
                for (count, &code) in counts.iter_mut().zip(&self.column(c)[range.clone()]) {
                    *count += usize::from(code != column.default);
                }
            }
            let mut places: Vec<usize> = Vec::with_capacity(counts.len());
            let mut total = 0;
            for &count in &counts {
                places.push(total);
                total += count;
            }
            let mut entries = vec![0u32; total];
            for (c, column) in open() {
                for (place, &code) in places.iter_mut().zip(&self.column(c)[range.clone()]) {
                    if code != column.default {
                        entries[*place] = (column.first + usize::from(code)) as u32;
                        *place += 1;
                    }
                }
            }
            (counts, entries)
        });
        self.entries.reserve_exact(pieces.iter().map(|(_, entries)| entries.len()).sum());
        let mut total = 0;
        for (counts, entries) in pieces {
            for count in counts {
                total += count;
                self.row_starts.push(total);
            }
            self.entries.extend_from_slice(&entries);
        }
    }

    /// Bin ids of a column, row by row.
    pub(super) fn column(&self, c: usize) -> &[u8] {
        &self.codes[c * self.rows..(c + 1) * self.rows]
    }

    /// Histogram slots of a row's entries outside the default bins of sparse columns.
    #[inline(always)]
    pub(super) fn entries(&self, row: usize) -> &[u32] {
        &self.entries[self.row_starts[row]..self.row_starts[row + 1]]
    }

    /// Whether any column is sparse.
    pub(super) fn has_entries(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Bin ids of a block of dense columns, row by row.
    pub(super) fn abreast(&self, block: usize) -> &[[u8; ABREAST]] {
        &self.abreast[block * self.rows..(block + 1) * self.rows]
    }

    /// How many columns a block of dense columns has.
    pub(super) fn used(&self, block: usize) -> usize {
        self.dense[block * ABREAST..(block + 1) * ABREAST].iter().filter(|&&c| c != NO_COLUMN).count()
    }

    /// Rows of a sparse column outside its default bin.
    pub(super) fn outside(&self, c: usize) -> &[u32] {
        &self.outside[c]
    }

    /// Mean number of additions that a row costs a histogram, at least 1.
    pub(super) fn density(&self) -> usize {
        (self.entries.len() / self.rows.max(1) + self.dense.len()).max(1)
    }
}

/// Rows outside the default bin.
enum Outside {
    None,
    Few(Vec<u32>),
    Many,
}

/// The first of a column's most frequent bins, and the rows outside it.
fn look(column: &Column, codes: &[u8]) -> (u8, Outside) {
    if column.bins < 2 {
        return (0, Outside::None);
    }
    let mut counts = [0usize; 256];
    for &code in codes {
        counts[usize::from(code)] += 1;
    }
    let most = (0..column.bins).fold(0, |best, b| if counts[b] > counts[best] { b } else { best });
    let out = codes.len() - counts[most];
    let rows = if out == 0 {
        Outside::None
    } else if out * 5 > codes.len() * 2 {
        Outside::Many
    } else {
        Outside::Few((0..codes.len() as u32).filter(|&i| codes[i as usize] != most as u8).collect())
    };
    (most as u8, rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use ndarray::{Array2, array};

    fn bins(table: &Array2<f32>, max_bins: usize) -> Bins {
        let used: Vec<u32> = (0..table.nrows() as u32).collect();
        Bins::of(&Rows::with_missing(table).unwrap(), &used, max_bins, &vec![false; table.ncols()]).unwrap()
    }

    #[test]
    fn few_distinct_values_keep_a_bin_each() {
        let b = bins(&array![[0.0f32, 5.0], [2.0, 5.0], [0.0, 5.0], [f32::NAN, 5.0], [-1.0, 5.0], [-0.0, 5.0]], 256);
        let column = &b.columns[0];
        assert_eq!(column.cuts[..2], [0.0, 2.0]);
        assert!(column.cuts[2] > 2.0 && column.has_missing());
        assert_eq!(b.column(0), [1, 2, 1, 3, 0, 1]);
        assert_eq!((column.default, column.bins), (1, 4));
        assert_eq!(b.columns[1].bins, 0, "a constant column has no bins");
        // Half the rows are outside the default bin.
        assert!(column.dense && b.dense[..2] == [0, NO_COLUMN]);
        assert_eq!(b.abreast(0).iter().map(|codes| codes[0]).collect::<Vec<_>>(), b.column(0));
    }

    #[test]
    fn rows_of_sparse_columns_list_what_is_outside() {
        let table =
            Array2::from_shape_fn((9, 2), |(i, j)| if j == 1 { i as f32 } else { f32::from(u8::from(i % 4 == 3)) });
        let b = bins(&table, 256);
        assert_eq!((b.columns[0].dense, b.columns[0].default, b.columns[1].dense), (false, 0, true));
        assert_eq!(b.outside(0), [3, 7]);
        assert_eq!(b.columns[0].first, ABREAST * DENSE_SLOTS);
        assert_eq!(b.slots, ABREAST * DENSE_SLOTS + 2);
        assert_eq!((b.entries(3), b.entries(4)), (&[ABREAST as u32 * 256 + 1][..], &[][..]));
        // A part has the same bins; what is constant in it is closed.
        let part = b.part(&[8, 7, 6]);
        assert_eq!((part.column(1), part.columns[0].bins), (&[8, 7, 6][..], 2));
        assert_eq!(b.part(&[0, 1]).columns[0].bins, 0);
    }

    #[test]
    fn categories_have_a_bin_each_or_are_refused_by_place() {
        let table = array![[7.0f32], [f32::NAN], [2.0], [7.0]];
        let rows = Rows::with_missing(&table).unwrap();
        let b = Bins::of(&rows, &[0, 1, 2, 3], 2, &[true]).unwrap();
        assert_eq!((b.column(0), &b.columns[0].cuts[..]), (&[1, 2, 0, 1][..], &[2.0, 7.0][..]));
        for bad in [0.5, -1.0, 16_777_216.0] {
            let table = array![[7.0f32, 0.0], [2.0, bad]];
            let refused = Bins::of(&Rows::finite(&table).unwrap(), &[0, 1], 256, &[true, true]);
            assert!(matches!(refused, Err(Error::Category { row: 1, column: 1, .. })));
        }
        let many = Array2::from_shape_fn((300, 1), |(i, _)| i as f32);
        let used: Vec<u32> = (0..300).collect();
        assert!(Bins::of(&Rows::finite(&many).unwrap(), &used, 256, &[true]).is_err());
    }

    #[test]
    fn many_values_make_bins_of_equal_shares() {
        let table = Array2::from_shape_fn((1000, 1), |(i, _)| (i * 7 % 1000) as f32);
        for max_bins in [2, 10, 255, 256] {
            let b = bins(&table, max_bins);
            assert_eq!(b.columns[0].bins, max_bins);
            let mut counts = vec![0; max_bins];
            b.column(0).iter().for_each(|&c| counts[usize::from(c)] += 1);
            let (low, high) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
            assert!(high - low <= 1, "{counts:?}");
        }
        // Each value is in the bin that its cuts say.
        let b = bins(&table, 16);
        for (i, &code) in b.column(0).iter().enumerate() {
            let (x, cuts, code) = (table[[i, 0]], &b.columns[0].cuts, usize::from(code));
            assert!(x < cuts[code] && (code == 0 || x >= cuts[code - 1]));
        }
    }

    #[test]
    fn extreme_values_and_missing_ones_are_binned() {
        let b = bins(&array![[f32::MAX, f32::NAN], [f32::MIN, f32::NAN], [0.0, f32::NAN]], 256);
        assert_eq!(b.column(0), [2, 0, 1]);
        assert!(b.columns[0].cuts.iter().all(|c| c.is_finite()));
        assert_eq!(b.columns[1].bins, 0, "a column without any value has no bins");
    }
}
