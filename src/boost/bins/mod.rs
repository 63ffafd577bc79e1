//! Columns cut into at most 256 bins, once for all outputs of a model and all subsets of a table.
//!
//! A bin id is one byte. Columns are stored in two ways. In a *sparse* column one bin, the *default* bin, contains most
//! rows, as with pixels, counts and survey answers: only entries in other bins are listed, row by row, and a histogram
//! gets the default bin as the node's total less all other bins. *Dense* columns are stored in blocks of sixteen, row by
//! row, each with 256 slots of its own in a histogram. Missing values have a bin of their own, the last. Partitioning rows
//! reads one column for many rows, so each column is also stored by itself (`column`).

mod column;
mod cuts;

pub(super) use column::{BinIds, Column, Sparse};

use super::limits::MOST_FEATURES;
use crate::core::{AnyRows, Rows, SparseRows, parallel};
use crate::{Error, Result};
use cuts::{bin_categories, bin_entries, bin_numbers};

/// Columns that one task bins; they are read from a row together.
const BLOCK: usize = 8;
/// Dense columns in a block: their histograms and a piece of the rows fit the L1 cache.
pub(super) const ABREAST: usize = 16;
/// Slots of a group of sparse columns, so that a slot's number fits two bytes.
const GROUP_SLOTS: usize = 1 << 16;
/// Slots of a dense column in a histogram.
pub(super) const DENSE_SLOTS: usize = 256;

/// A table whose columns are cut into bins: made once by [`Boost::bins`](super::Boost::bins), then used for any number of
/// training calls, each on all of its rows or on a part of them.
///
/// Memory for each row: 2 bytes for a dense column; for a sparse one, in which at least three rows in five have the most
/// frequent value, 1.5 bits and 3 bytes for each other value, whether the table was dense or sparse.
#[derive(Clone, Debug)]
pub struct Bins {
    pub(super) rows: usize,
    pub(super) columns: Vec<Column>,
    /// Slots of a histogram over all columns.
    pub(super) slots: usize,
    /// Bin ids by column.
    ids: Vec<BinIds>,
    /// Dense columns in the order of their slots, padded with [`NO_COLUMN`] to whole blocks.
    pub(super) dense: Vec<u32>,
    /// Bin ids of the dense columns, by block and row.
    abreast: Vec<[u8; ABREAST]>,
    /// First slots of groups of sparse columns, each of at most 2^16 slots.
    groups: Vec<usize>,
    /// Offsets of the sparse entries of each row and group, then their total number.
    entry_starts: Vec<usize>,
    /// Slots, within their group, of each row's entries outside sparse columns' default bins, ascending by column.
    entries: Vec<u16>,
    /// For each row the rank of its content; equal rows share it.
    pub(super) content: Vec<u32>,
}

/// Pads the last block of dense columns.
const NO_COLUMN: u32 = u32::MAX;

impl Bins {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns of the table.
    pub fn features(&self) -> usize {
        self.columns.len()
    }

    /// Bins the rows numbered `used`, in that order; `categorical` tells which columns are categorical. O(n) for each
    /// numeric column (a radix sort), O(n log n) for each categorical one.
    pub(super) fn of<'a>(
        table: impl Into<AnyRows<'a>>,
        used: &[u32],
        max_bins: usize,
        categorical: &[bool],
    ) -> Result<Self> {
        let table = table.into();
        let (what, expected, found) = ("columns of boosted trees, at most", MOST_FEATURES, table.columns());
        if found > expected {
            return Err(Error::Shape { what, expected, found });
        }
        let blocks = match table {
            AnyRows::Dense(table) => dense(table, used, max_bins, categorical),
            AnyRows::Sparse(rows) => sparse(rows, used, max_bins, categorical),
        };
        let columns = blocks.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten();
        let group = table.canonical().group_of_row();
        Ok(Bins::arranged(used.len(), columns, used.iter().map(|&row| group[row as usize]).collect()))
    }

    /// The subset of the rows numbered `rows`, in that order, in the same bins.
    pub(super) fn part(&self, rows: &[u32]) -> Self {
        let columns = parallel::map(self.columns.len(), |c| {
            let mut column = self.columns[c].clone();
            let ids = column.store(self.ids_of_rows(c, rows));
            (column, ids)
        });
        let content = rows.iter().map(|&row| self.content[row as usize]).collect();
        Bins::arranged(rows.len(), columns.into_iter(), content)
    }

    /// The rows with `more` after them, of the bins `id(row, column)`. Each counts as different from all others.
    pub(super) fn extended(&self, more: usize, id: impl Fn(usize, usize) -> u8 + Sync) -> Self {
        let columns = parallel::map(self.columns.len(), |c| {
            let mut column = self.columns[c].clone();
            let own = (0..self.rows).map(|row| self.ids[c].id(row));
            let ids = column.store(own.chain((0..more).map(|row| id(row, c))).collect());
            (column, ids)
        });
        let next = self.content.iter().max().map_or(0, |most| most + 1);
        let content = self.content.iter().copied().chain((0..more as u32).map(|row| next + row)).collect();
        Bins::arranged(self.rows + more, columns.into_iter(), content)
    }

    /// Bin ids of some rows.
    fn ids_of_rows(&self, c: usize, rows: &[u32]) -> Vec<u8> {
        match &self.ids[c] {
            BinIds::Constant => Vec::new(),
            BinIds::Dense(ids) => rows.iter().map(|&row| ids[row as usize]).collect(),
            BinIds::Sparse(sparse) => rows.iter().map(|&row| sparse.id(row as usize)).collect(),
        }
    }

    /// Arranges binned columns for training.
    fn arranged(rows: usize, columns: impl Iterator<Item = (Column, BinIds)>, content: Vec<u32>) -> Self {
        let (mut columns, ids): (Vec<_>, Vec<_>) = columns.unzip();
        let open = |column: &Column, dense| column.bins > 1 && column.dense == dense;
        let mut dense: Vec<u32> = (0..columns.len() as u32).filter(|&c| open(&columns[c as usize], true)).collect();
        dense.resize(dense.len().next_multiple_of(ABREAST), NO_COLUMN);
        for (place, &c) in dense.iter().enumerate().filter(|&(_, &c)| c != NO_COLUMN) {
            let column = &mut columns[c as usize];
            column.first = place * DENSE_SLOTS;
            column.width = if column.bins >= DENSE_SLOTS / 2 { DENSE_SLOTS } else { column.bins };
        }
        let mut slots = dense.len() * DENSE_SLOTS;
        let mut groups = Vec::new();
        for column in columns.iter_mut().filter(|column| open(column, false)) {
            if groups.last().is_none_or(|first| slots + column.bins - first > GROUP_SLOTS) {
                groups.push(slots);
            }
            (column.first, column.width) = (slots, column.bins);
            slots += column.bins;
        }
        let (entry_starts, entries, abreast) = (vec![0], Vec::new(), Vec::new());
        let mut bins = Bins { rows, columns, slots, ids, dense, abreast, groups, entry_starts, entries, content };
        bins.put_abreast();
        bins.list_entries();
        bins
    }

    /// Copies dense columns into blocks.
    fn put_abreast(&mut self) {
        let mut abreast = vec![[0u8; ABREAST]; self.dense.len() / ABREAST * self.rows];
        parallel::for_each_chunk(&mut abreast, self.rows, |block, rows| {
            for (place, &c) in self.dense[block * ABREAST..(block + 1) * ABREAST].iter().enumerate() {
                if let Some(BinIds::Dense(ids)) = self.ids.get(c as usize) {
                    rows.iter_mut().zip(ids).for_each(|(row, &id)| row[place] = id);
                }
            }
        });
        self.abreast = abreast;
    }

    /// The sparse columns, each with its group and its first slot within the group.
    fn sparse(&self) -> impl Iterator<Item = (usize, usize, &Sparse)> {
        self.columns.iter().zip(&self.ids).filter_map(|(column, ids)| match ids {
            BinIds::Sparse(sparse) => {
                let group = self.groups.partition_point(|&first| first <= column.first) - 1;
                Some((group, column.first - self.groups[group], sparse))
            }
            _ => None,
        })
    }

    /// Lists the entries of each row outside the default bins of sparse columns.
    fn list_entries(&mut self) {
        const PIECE: usize = 512;
        let groups = self.groups.len();
        let words = |first: usize| first / 64..(first + PIECE).min(self.rows).div_ceil(64);
        let mut starts = vec![0usize; self.rows * groups + 1];
        parallel::for_each_chunk(&mut starts[1..], PIECE * groups, |piece, counts| {
            for (group, _, sparse) in self.sparse() {
                sparse.visit(words(piece * PIECE), |row, _| counts[row % PIECE * groups + group] += 1);
            }
        });
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total;
        }
        let mut entries = vec![0u16; total];
        // Each piece of rows writes a part of its own.
        let (mut parts, mut rest) = (Vec::new(), &mut entries[..]);
        for first in (0..self.rows).step_by(PIECE) {
            let starts = &starts[first * groups..(first + PIECE).min(self.rows) * groups + 1];
            let (part, later) = rest.split_at_mut(starts[starts.len() - 1] - starts[0]);
            parts.push((starts, part));
            rest = later;
        }
        parallel::for_each_chunk(&mut parts, 1, |piece, parts| {
            for (starts, part) in parts {
                let mut places: Vec<usize> = starts.iter().map(|start| start - starts[0]).collect();
                for (group, first, sparse) in self.sparse() {
                    sparse.visit(words(piece * PIECE), |row, id| {
                        let place = &mut places[row % PIECE * groups + group];
                        part[*place] = (first + usize::from(id)) as u16;
                        *place += 1;
                    });
                }
            }
        });
        (self.entry_starts, self.entries) = (starts, entries);
    }

    /// Bin ids of a column.
    pub(super) fn ids(&self, c: usize) -> &BinIds {
        &self.ids[c]
    }

    /// For each group of sparse columns its first histogram slot, and from there the slots of a row's entries outside
    /// default bins.
    #[inline(always)]
    pub(super) fn entries(&self, row: usize) -> impl Iterator<Item = (usize, &[u16])> {
        let groups = self.groups.len();
        let starts = &self.entry_starts[row * groups..][..groups + 1];
        self.groups.iter().zip(starts.windows(2)).map(|(&first, ends)| (first, &self.entries[ends[0]..ends[1]]))
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

    /// Mean number of additions that a row costs a histogram, at least 1.
    pub(super) fn density(&self) -> usize {
        (self.entries.len() / self.rows.max(1) + self.dense.len()).max(1)
    }
}

/// Binned columns, in blocks.
type Blocks = Vec<Result<Vec<(Column, BinIds)>>>;

fn dense(table: &Rows<'_>, used: &[u32], max_bins: usize, categorical: &[bool]) -> Blocks {
    parallel::map_ranges(table.columns(), BLOCK, |range| {
        let mut gathered = vec![vec![0.0f32; used.len()]; range.len()];
        for (i, &row) in used.iter().enumerate() {
            for (column, &value) in gathered.iter_mut().zip(&table.row(row as usize)[range.clone()]) {
                column[i] = value;
            }
        }
        let binned = gathered.iter().zip(range).map(|(values, c)| {
            let (mut column, ids) = match categorical[c] {
                false => bin_numbers(values, max_bins),
                true => bin_categories(values, c, used)?,
            };
            let ids = column.store(ids);
            Ok((column, ids))
        });
        binned.collect()
    })
}

/// The same bins from entries alone: zeros are sorted by being counted.
fn sparse(rows: &SparseRows, used: &[u32], max_bins: usize, categorical: &[bool]) -> Blocks {
    let columns = rows.by_column(used);
    parallel::map_ranges(columns.len(), BLOCK, |range| {
        let binned = range.map(|c| {
            let (places, values) = columns.column(c);
            let (mut column, ids) = match categorical[c] {
                false => bin_entries(places, values, used.len(), max_bins),
                true => {
                    let mut all = vec![0.0; used.len()];
                    places.iter().zip(values).for_each(|(&place, &value)| all[place as usize] = value);
                    bin_categories(&all, c, used)?
                }
            };
            let ids = column.store(ids);
            Ok((column, ids))
        });
        binned.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    fn bins(table: &Array2<f32>, max_bins: usize) -> Bins {
        let used: Vec<u32> = (0..table.nrows() as u32).collect();
        Bins::of(&Rows::with_missing(table).unwrap(), &used, max_bins, &vec![false; table.ncols()]).unwrap()
    }

    /// The bins of all rows.
    fn ids(bins: &Bins, c: usize) -> Vec<u8> {
        (0..bins.rows).map(|row| bins.ids(c).id(row)).collect()
    }

    #[test]
    fn few_distinct_values_keep_a_bin_each() {
        let b = bins(&array![[0.0f32, 5.0], [2.0, 5.0], [0.0, 5.0], [f32::NAN, 5.0], [-1.0, 5.0], [-0.0, 5.0]], 256);
        let column = &b.columns[0];
        assert_eq!(column.cuts[..2], [0.0, 2.0]);
        assert!(column.cuts[2] > 2.0 && column.has_missing());
        assert_eq!(ids(&b, 0), [1, 2, 1, 3, 0, 1]);
        assert_eq!((column.default, column.bins), (1, 4));
        assert_eq!(b.columns[1].bins, 0, "a constant column has no bins");
        // Half the rows are outside the default bin.
        assert!(column.dense && b.dense[..2] == [0, NO_COLUMN]);
        assert_eq!(b.abreast(0).iter().map(|codes| codes[0]).collect::<Vec<_>>(), ids(&b, 0));
    }

    #[test]
    fn rows_of_sparse_columns_list_what_is_outside() {
        let table =
            Array2::from_shape_fn((9, 2), |(i, j)| if j == 1 { i as f32 } else { f32::from(u8::from(i % 4 == 3)) });
        let b = bins(&table, 256);
        assert_eq!((b.columns[0].dense, b.columns[0].default, b.columns[1].dense), (false, 0, true));
        assert_eq!(ids(&b, 0), [0, 0, 0, 1, 0, 0, 0, 1, 0]);
        assert_eq!(b.columns[0].first, ABREAST * DENSE_SLOTS);
        assert_eq!(b.slots, ABREAST * DENSE_SLOTS + 2);
        let entries = |row| b.entries(row).collect::<Vec<_>>();
        assert_eq!(entries(3), [(ABREAST * DENSE_SLOTS, &[1u16][..])]);
        assert_eq!(entries(4), [(ABREAST * DENSE_SLOTS, &[][..])]);
        // A part has the same bins; what is constant in it is closed.
        let part = b.part(&[8, 7, 6]);
        assert_eq!((ids(&part, 1), part.columns[0].bins), (vec![8, 7, 6], 2));
        assert_eq!(b.part(&[0, 1]).columns[0].bins, 0);
    }

    #[test]
    fn entries_of_many_slots_stand_in_groups() {
        let value = |i: usize, j: usize| if (i + j).is_multiple_of(3) { 1 + (i * 7 + j) % 250 } else { 0 };
        let table = Array2::from_shape_fn((800, 290), |(i, j)| value(i, j) as f32);
        let b = bins(&table, 256);
        assert!(b.dense.is_empty() && b.groups.len() == 2 && b.slots > GROUP_SLOTS);
        for row in 0..b.rows {
            let listed: Vec<usize> = b
                .entries(row)
                .flat_map(|(first, own)| own.iter().map(move |&slot| first + usize::from(slot)))
                .collect();
            let outside = (0..290).filter(|&c| b.ids(c).id(row) != b.columns[c].default);
            let slots: Vec<usize> = outside.map(|c| b.columns[c].first + usize::from(b.ids(c).id(row))).collect();
            assert_eq!(listed, slots);
            assert_eq!(listed.len(), (0..290).filter(|&j| value(row, j) != 0).count());
        }
    }

    #[test]
    fn categories_have_a_bin_each_or_are_refused_by_place() {
        let table = array![[7.0f32], [f32::NAN], [2.0], [7.0]];
        let rows = Rows::with_missing(&table).unwrap();
        let b = Bins::of(&rows, &[0, 1, 2, 3], 2, &[true]).unwrap();
        assert_eq!((ids(&b, 0), &b.columns[0].cuts[..]), (vec![1, 2, 0, 1], &[2.0, 7.0][..]));
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
            ids(&b, 0).iter().for_each(|&id| counts[usize::from(id)] += 1);
            let (low, high) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
            assert!(high - low <= 1, "{counts:?}");
        }
        // Each value is in the bin of its cuts.
        let b = bins(&table, 16);
        for (i, code) in ids(&b, 0).into_iter().enumerate() {
            let (x, cuts, code) = (table[[i, 0]], &b.columns[0].cuts, usize::from(code));
            assert!(x < cuts[code] && (code == 0 || x >= cuts[code - 1]));
        }
    }

    #[test]
    fn extreme_values_and_missing_ones_are_binned() {
        let b = bins(&array![[f32::MAX, f32::NAN], [f32::MIN, f32::NAN], [0.0, f32::NAN]], 256);
        assert_eq!(ids(&b, 0), [2, 0, 1]);
        assert!(b.columns[0].cuts.iter().all(|c| c.is_finite()));
        assert_eq!(b.columns[1].bins, 0, "a column without any value has no bins");
    }
}
