//! Columns cut into at most 256 bins, once for all outputs of a model.
//!
//! A bin id is one byte. Every column names its most frequent bin its *default* bin, and rows list only their entries in
//! other bins: pixels, counts and survey answers are mostly one value, and a histogram gets the default bin for free, as
//! the node's total less all other bins. The same holds for a missing value, which has a bin of its own, the last.

use crate::core::{Rows, parallel};

/// Columns that one task bins; also what is read from a row at once.
const BLOCK: usize = 16;

/// What is known of one column.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    /// Its first slot in a histogram; it owns `bins` slots.
    pub(super) first: usize,
    /// Bins in all, the one of missing values included; 0 where the column cannot split anything.
    pub(super) bins: usize,
    /// Upper ends of the bins of values, each excluded from its bin: bin b holds cuts\[b - 1\] <= x < cuts\[b\].
    pub(super) cuts: Vec<f32>,
    /// Bin that most rows are in.
    pub(super) default: u8,
}

impl Column {
    /// Whether the last bin is that of missing values.
    pub(super) fn has_missing(&self) -> bool {
        self.bins > self.cuts.len()
    }

    /// The bin of a value.
    fn code(&self, value: f32) -> u8 {
        let values = self.cuts.len();
        if value.is_nan() {
            return values as u8;
        }
        self.cuts[..values.saturating_sub(1)].partition_point(|&cut| cut <= value) as u8
    }
}

/// A binned table.
#[derive(Clone, Debug)]
pub(super) struct Bins {
    pub(super) rows: usize,
    pub(super) columns: Vec<Column>,
    /// Slots of a histogram over all columns.
    pub(super) slots: usize,
    /// Bin ids, column after column.
    codes: Vec<u8>,
    /// Where the entries of each row begin, then their number.
    row_starts: Vec<usize>,
    /// Histogram slots of each row's entries outside default bins, ascending by column.
    entries: Vec<u32>,
    /// For each column the rows outside its default bin, ascending.
    outside: Vec<Vec<u32>>,
}

impl Bins {
    /// Bins the rows numbered `used`, in that order. Each column takes O(n log n) time for its sort.
    pub(super) fn of(table: &Rows<'_>, used: &[u32], max_bins: usize) -> Self {
        let n = used.len();
        let blocks = parallel::map_ranges(table.columns(), BLOCK, |range| {
            let mut gathered = vec![vec![0.0f32; n]; range.len()];
            for (i, &row) in used.iter().enumerate() {
                for (column, &value) in gathered.iter_mut().zip(&table.row(row as usize)[range.clone()]) {
                    column[i] = value;
                }
            }
            gathered.iter().map(|values| bin_column(values, max_bins)).collect::<Vec<_>>()
        });
        let mut bins = Bins {
            rows: n,
            columns: Vec::with_capacity(table.columns()),
            slots: 0,
            codes: Vec::with_capacity(n * table.columns()),
            row_starts: vec![0],
            entries: Vec::new(),
            outside: Vec::with_capacity(table.columns()),
        };
        for (mut column, codes, outside) in blocks.into_iter().flatten() {
            column.first = bins.slots;
            bins.slots += column.bins;
            bins.columns.push(column);
            bins.codes.extend_from_slice(&codes);
            bins.outside.push(outside);
        }
        bins.list_rows();
        bins
    }

    /// Lists the entries of each row outside default bins.
    fn list_rows(&mut self) {
        let pieces = parallel::map_ranges(self.rows, 512, |range| {
            let mut counts = vec![0usize; range.len()];
            let open = || self.columns.iter().enumerate().filter(|(_, column)| column.bins > 1);
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

    /// Histogram slots of a row's entries outside default bins.
    #[inline(always)]
    pub(super) fn entries(&self, row: usize) -> &[u32] {
        &self.entries[self.row_starts[row]..self.row_starts[row + 1]]
    }

    /// Rows of a column outside its default bin.
    pub(super) fn outside(&self, c: usize) -> &[u32] {
        &self.outside[c]
    }

    /// Mean number of entries in a row, at least 1.
    pub(super) fn density(&self) -> usize {
        (self.entries.len() / self.rows.max(1)).max(1)
    }
}

/// Cuts, bin ids and the rows outside the default bin.
fn bin_column(values: &[f32], max_bins: usize) -> (Column, Vec<u8>, Vec<u32>) {
    // Adding zero makes one zero of the two.
    let mut sorted: Vec<f32> = values.iter().filter(|v| !v.is_nan()).map(|v| v + 0.0).collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let missing = sorted.len() < values.len();
    let limit = if missing { max_bins.min(255) } else { max_bins };
    let mut column = Column { cuts: cuts(&sorted, limit), ..Column::default() };
    column.bins = column.cuts.len() + usize::from(missing);
    if column.bins < 2 {
        let codes = vec![0; values.len()];
        return (Column { cuts: Vec::new(), ..Column::default() }, codes, Vec::new());
    }
    let codes: Vec<u8> = values.iter().map(|&value| column.code(value)).collect();
    let mut counts = [0usize; 256];
    for &code in &codes {
        counts[usize::from(code)] += 1;
    }
    // The first of the most frequent.
    let most = (0..column.bins).fold(0, |best, b| if counts[b] > counts[best] { b } else { best });
    column.default = most as u8;
    let outside = (0..codes.len() as u32).filter(|&i| codes[i as usize] != column.default).collect();
    (column, codes, outside)
}

/// Upper ends of at most `limit` bins. Each end but the last is a value of the data, the lowest of the next bin, as in
/// XGBoost; where there are more distinct values than bins, ends are quantiles of the rows.
fn cuts(sorted: &[f32], limit: usize) -> Vec<f32> {
    let (Some(&lowest), Some(&highest)) = (sorted.first(), sorted.last()) else { return Vec::new() };
    let mut cuts = Vec::new();
    let mut last = lowest;
    for &value in sorted {
        if value > last {
            cuts.push(value);
            last = value;
            if cuts.len() == limit {
                break;
            }
        }
    }
    if cuts.len() >= limit {
        cuts.clear();
        last = lowest;
        for i in 1..limit {
            let value = sorted[(i as u64 * sorted.len() as u64 / limit as u64) as usize];
            if value > last {
                cuts.push(value);
                last = value;
            }
        }
    }
    // Past every value, so that a split may send all values one way and all missing ones the other.
    cuts.push((highest + (highest.abs() + 1e-5)).min(f32::MAX));
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    fn bins(table: &Array2<f32>, max_bins: usize) -> Bins {
        let used: Vec<u32> = (0..table.nrows() as u32).collect();
        Bins::of(&Rows::with_missing(table).unwrap(), &used, max_bins)
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
        assert_eq!(b.outside(0), [1, 3, 4]);
        assert!(b.entries(0).is_empty());
        assert_eq!(b.entries(3), [3]);
        assert_eq!(b.slots, 4);
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
