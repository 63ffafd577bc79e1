//! Sparse rows, column by column.

use super::SparseRows;
use crate::core::parallel;
use std::ops::Range;

/// Columns that one task sorts entries into.
const BLOCK: usize = 512;

/// The entries of some sparse rows, column by column (CSC).
#[derive(Clone, Debug)]
pub(crate) struct SparseColumns {
    /// Where each column's entries begin, then their number.
    starts: Vec<usize>,
    /// Places of the entries' rows among the rows that were picked, ascending.
    places: Vec<u32>,
    values: Vec<f32>,
}

impl SparseRows {
    /// The entries of the picked rows by column, rows in the order in which they were picked; all must be rows of the table.
    pub(crate) fn by_column(&self, pick: &[u32]) -> SparseColumns {
        let mut starts = vec![0usize; self.columns + 1];
        for &row in pick {
            self.row(row as usize).0.iter().for_each(|&column| starts[column as usize + 1] += 1);
        }
        for c in 0..self.columns {
            starts[c + 1] += starts[c];
        }
        let (mut places, mut values) = (vec![0u32; starts[self.columns]], vec![0.0f32; starts[self.columns]]);
        // Blocks of columns are filled side by side, each from its own stretch of every row.
        let (mut parts, mut rest) = (Vec::new(), (&mut places[..], &mut values[..]));
        for first in (0..self.columns).step_by(BLOCK) {
            let columns = first..(first + BLOCK).min(self.columns);
            let size = starts[columns.end] - starts[columns.start];
            let (own, later) = (rest.0.split_at_mut(size), rest.1.split_at_mut(size));
            parts.push((columns, own.0, later.0));
            rest = (own.1, later.1);
        }
        parallel::for_each_chunk(&mut parts, 1, |_, parts| {
            for (columns, places, values) in parts.iter_mut().filter(|part| !part.1.is_empty()) {
                let begin = starts[columns.start];
                let mut next: Vec<usize> = starts[columns.clone()].iter().map(|start| start - begin).collect();
                for (&row, place) in pick.iter().zip(0..) {
                    let (indices, there) = self.row(row as usize);
                    let from = indices.partition_point(|&column| (column as usize) < columns.start);
                    let own = indices[from..].iter().zip(&there[from..]);
                    for (&column, &value) in own.take_while(|&(&column, _)| (column as usize) < columns.end) {
                        let at = &mut next[column as usize - columns.start];
                        (places[*at], values[*at]) = (place, value);
                        *at += 1;
                    }
                }
            }
        });
        SparseColumns { starts, places, values }
    }
}

impl SparseColumns {
    /// Number of columns.
    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Places and values of a column's entries, places ascending.
    pub(crate) fn column(&self, c: usize) -> (&[u32], &[f32]) {
        let Range { start, end } = self.starts[c]..self.starts[c + 1];
        (&self.places[start..end], &self.values[start..end])
    }
}
