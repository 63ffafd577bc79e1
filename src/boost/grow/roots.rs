//! Root histograms of several outputs, summed in one pass over the columns.

use super::histogram;
use crate::boost::bins::{BinIds, Bins};
use crate::core::parallel;

/// Columns whose histograms one task builds.
const COLUMNS: usize = 16;

/// Rows that are added at a time, so that their words stay in the cache for all columns of a task; a multiple of 64.
const ROWS: usize = 2048;

/// Rows whose words one task interleaves.
const PIECE: usize = 1024;

/// Root histograms of several outputs.
pub(in crate::boost) struct Roots<'a> {
    bins: &'a Bins,
    /// The columns that have slots.
    open: Vec<usize>,
    /// For each task's columns the words of their bins, output after output.
    sums: Vec<Vec<i64>>,
    outputs: usize,
}

impl<'a> Roots<'a> {
    /// Sums the roots of some outputs, of each of which `packed` has the words of all rows.
    pub(in crate::boost) fn of(bins: &'a Bins, packed: &[&[i64]]) -> Self {
        let width = histogram::side_by_side(packed.len());
        let mut words = vec![0i64; bins.rows * width];
        parallel::for_each_chunk(&mut words, width * PIECE, |piece, words| {
            for (place, packed) in packed.iter().enumerate() {
                for (words, &word) in words.chunks_exact_mut(width).zip(&packed[piece * PIECE..]) {
                    words[place] = word;
                }
            }
        });
        let open: Vec<usize> = (0..bins.columns.len()).filter(|&c| bins.columns[c].bins > 1).collect();
        let outputs = packed.len();
        let sums = parallel::map_ranges(open.len(), COLUMNS, |range| {
            // Turned here, while the sums are in the cache.
            by_output(outputs, width, &sum(bins, &open[range], width, &words))
        });
        Roots { bins, open, sums, outputs }
    }

    /// Writes the histogram of one output.
    pub(in crate::boost) fn write(&self, output: usize, histogram: &mut [i64]) {
        for (sums, columns) in self.sums.iter().zip(self.open.chunks(COLUMNS)) {
            let bins = sums.len() / self.outputs;
            let mut sums = &sums[output * bins..(output + 1) * bins];
            for column in columns.iter().map(|&c| &self.bins.columns[c]) {
                let (own, rest) = sums.split_at(column.bins);
                histogram[column.first..column.first + column.bins].copy_from_slice(own);
                sums = rest;
            }
        }
    }
}

/// The words of each output together, from `width` words of each bin.
fn by_output(outputs: usize, width: usize, sums: &[i64]) -> Vec<i64> {
    /// Bins whose words fill a cache line of each output.
    const BINS: usize = 8;
    let bins = sums.len() / width;
    let mut turned = vec![0i64; outputs * bins];
    for (first, sums) in (0..bins).step_by(BINS).zip(sums.chunks(BINS * width)) {
        for (output, own) in turned.chunks_exact_mut(bins).enumerate() {
            own[first..].iter_mut().zip(sums.chunks_exact(width)).for_each(|(to, words)| *to = words[output]);
        }
    }
    turned
}

/// Sums of the rows' words, `width` for each row, over the bins of some columns, one column after the other.
fn sum(bins: &Bins, columns: &[usize], width: usize, words: &[i64]) -> Vec<i64> {
    let slots = |c: usize| bins.columns[c].bins * width;
    let mut sums = vec![0i64; columns.iter().map(|&c| slots(c)).sum()];
    for first in (0..bins.rows).step_by(ROWS) {
        let rows = first..(first + ROWS).min(bins.rows);
        let words = &words[first * width..rows.end * width];
        let (mut columns, mut rest) = (columns, &mut sums[..]);
        while let [c, later @ ..] = columns {
            let pair = (bins.ids(*c), later.first().map(|&next| bins.ids(next)));
            let taken = if let (BinIds::Dense(_), Some(BinIds::Dense(_))) = pair { 2 } else { 1 };
            let (sums, others) = rest.split_at_mut(columns[..taken].iter().map(|&c| slots(c)).sum());
            match pair {
                (BinIds::Constant, _) => {}
                (BinIds::Sparse(sparse), _) => histogram::build_sparse_roots(width, sparse, first, words, sums),
                (BinIds::Dense(one), Some(BinIds::Dense(other))) => {
                    let ids = [&one[rows.clone()], &other[rows.clone()]];
                    histogram::build_dense_roots(width, ids, words, bins.columns[*c].bins, sums);
                }
                (BinIds::Dense(one), _) => {
                    histogram::build_dense_roots(width, [&one[rows.clone()], &[]], words, bins.columns[*c].bins, sums);
                }
            }
            (columns, rest) = (&columns[taken..], others);
        }
    }
    sums
}
