//! Root histograms of several outputs, summed in one pass over the columns.

use super::bins::Bins;
use super::column::Held;
use super::histogram;
use crate::core::parallel;

/// Columns whose histograms one task builds.
const COLUMNS: usize = 16;

/// Rows that are added at a time, so that their words stay in the cache for all columns of a task. A multiple of 64.
const ROWS: usize = 2048;

/// Rows whose words one task puts side by side.
const PIECE: usize = 1024;

/// Root histograms of several outputs.
pub(super) struct Roots {
    /// For each piece of columns their histograms of the first output, of the second, ...
    pieces: Vec<Vec<i64>>,
    /// For each piece the first slot and the number of slots of each of its columns.
    columns: Vec<Vec<(usize, usize)>>,
    outputs: usize,
}

impl Roots {
    /// Sums the roots of some outputs, of each of which `packed` has the words of all rows.
    pub(super) fn of(bins: &Bins, packed: &[&[i64]]) -> Self {
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
        let made = parallel::map_ranges(open.len(), COLUMNS, |range| {
            let columns = &open[range];
            let sums = sum(bins, columns, width, &words);
            // Output after output, and nothing of the places that no output has.
            let outputs = (0..packed.len()).flat_map(|place| sums.iter().skip(place).step_by(width).copied());
            let slots = columns.iter().map(|&c| (bins.columns[c].first, bins.columns[c].bins)).collect();
            (outputs.collect(), slots)
        });
        let (pieces, columns) = made.into_iter().unzip();
        Roots { pieces, columns, outputs: packed.len() }
    }

    /// Writes the histogram of one output.
    pub(super) fn copy(&self, output: usize, histogram: &mut [i64]) {
        for (piece, columns) in self.pieces.iter().zip(&self.columns) {
            let slots = piece.len() / self.outputs;
            let mut at = output * slots;
            for &(first, bins) in columns {
                histogram[first..first + bins].copy_from_slice(&piece[at..at + bins]);
                at += bins;
            }
        }
    }
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
            let pair = (bins.held(*c), later.first().map(|&next| bins.held(next)));
            let taken = if let (Held::Dense(_), Some(Held::Dense(_))) = pair { 2 } else { 1 };
            let (sums, others) = rest.split_at_mut(columns[..taken].iter().map(|&c| slots(c)).sum());
            match pair {
                (Held::Closed, _) => {}
                (Held::Sparse(sparse), _) => histogram::build_sparse_roots(width, sparse, first, words, sums),
                (Held::Dense(one), Some(Held::Dense(other))) => {
                    let ids = [&one[rows.clone()], &other[rows.clone()]];
                    histogram::build_dense_roots(width, ids, words, bins.columns[*c].bins, sums);
                }
                (Held::Dense(one), _) => {
                    histogram::build_dense_roots(width, [&one[rows.clone()], &[]], words, bins.columns[*c].bins, sums);
                }
            }
            (columns, rest) = (&columns[taken..], others);
        }
    }
    sums
}
