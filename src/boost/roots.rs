//! Root histograms of several outputs, summed in one pass over the columns.

use super::bins::Bins;
use super::column::Held;
use super::grow::Buffers;
use super::histogram;
use crate::core::parallel;

/// Columns whose histograms one task builds.
const COLUMNS: usize = 16;

/// Rows that are added at a time, so that their words stay in the cache for all columns of a task. A multiple of 64.
const ROWS: usize = 2048;

/// Tasks whose sums are waited for together.
const AT_ONCE: usize = 16;

/// Rows whose words one task puts side by side.
const PIECE: usize = 1024;

/// Sums the root histograms of some outputs, of each of which `packed` has the words of all rows.
pub(super) fn sum(bins: &Bins, packed: &[&[i64]], buffers: &Buffers) -> Vec<Vec<i64>> {
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
    let mut roots: Vec<Vec<i64>> = packed.iter().map(|_| buffers.take()).collect();
    // Some columns at a time, so that the sums of all outputs together are never held twice.
    for open in open.chunks(AT_ONCE * COLUMNS) {
        let sums = parallel::map_ranges(open.len(), COLUMNS, |range| sum_columns(bins, &open[range], width, &words));
        parallel::for_each_chunk(&mut roots, 1, |place, root| {
            for root in root {
                for (sums, columns) in sums.iter().zip(open.chunks(COLUMNS)) {
                    let mut sums = sums.chunks_exact(width);
                    for column in columns.iter().map(|&c| &bins.columns[c]) {
                        let slots = &mut root[column.first..column.first + column.bins];
                        slots.iter_mut().zip(&mut sums).for_each(|(slot, words)| *slot = words[place]);
                    }
                }
            }
        });
    }
    roots
}

/// Sums of the rows' words, `width` for each row, over the bins of some columns, one column after the other.
fn sum_columns(bins: &Bins, columns: &[usize], width: usize, words: &[i64]) -> Vec<i64> {
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
