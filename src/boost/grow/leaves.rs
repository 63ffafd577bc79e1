//! Partitioning a node's rows by a split, and the leaf of each row.
//!
//! Rows of a node that will be split again are reordered, so that those of each child are contiguous. Where both children
//! are leaves only each row's leaf is stored. Sums and margins are then computed in the order of the rows in memory.

use super::split::Split;
use crate::boost::bins::{BinIds, Bins};
use crate::core::parallel;
use crate::core::simd::{multiversion, prefetch};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Rows whose bin ids are read before any row is moved, so that cache misses overlap.
const FETCH: usize = 64;

/// Prefetch distance, in rows.
const AHEAD: usize = 128;

/// Rows whose sums one task updates.
const PIECE: usize = 16_384;

/// Leaves of the tree being grown, numbered in order of creation: with several threads the numbers differ from run to run,
/// the results do not.
pub(in crate::boost) struct Leaves {
    of_row: Vec<AtomicU32>,
    count: AtomicU32,
}

impl Leaves {
    pub(in crate::boost) fn new(rows: usize) -> Self {
        Leaves { of_row: (0..rows).map(|_| AtomicU32::new(0)).collect(), count: AtomicU32::new(0) }
    }

    /// Forgets all leaves.
    pub(in crate::boost) fn clear(&mut self) {
        *self.count.get_mut() = 0;
    }

    pub(in crate::boost) fn count(&self) -> usize {
        self.count.load(Relaxed) as usize
    }

    /// The leaf of a row.
    #[inline(always)]
    pub(in crate::boost) fn of(&self, row: usize) -> u32 {
        self.of_row[row].load(Relaxed)
    }

    #[inline(always)]
    pub(in crate::boost) fn put(&self, row: u32, leaf: u32) {
        self.of_row[row as usize].store(leaf, Relaxed);
    }

    /// The leaf of every row, for leaves of numbers below 256.
    pub(in crate::boost) fn kept(&self) -> Vec<u8> {
        self.of_row.iter().map(|leaf| leaf.load(Relaxed) as u8).collect()
    }

    /// Puts every row into its leaf again.
    pub(in crate::boost) fn restore(&self, kept: &[u8]) {
        self.of_row.iter().zip(kept).for_each(|(leaf, &kept)| leaf.store(kept.into(), Relaxed));
    }

    /// Assigns some rows to a new leaf; returns its number.
    pub(super) fn add(&self, rows: &[u32]) -> u32 {
        let leaf = self.count.fetch_add(1, Relaxed);
        rows.iter().for_each(|&row| self.put(row, leaf));
        leaf
    }

    /// Assigns the rows of a node to two new leaves by a split; returns the number of the left one, the right one is next.
    pub(super) fn add_both(&self, bins: &Bins, rows: &[u32], split: &Split) -> u32 {
        let leaf = self.count.fetch_add(2, Relaxed);
        self.put_both(bins, rows, split, [leaf, leaf + 1]);
        leaf
    }

    /// Puts the rows of a node into two leaves by a split, the left one first.
    pub(in crate::boost) fn put_both(&self, bins: &Bins, rows: &[u32], split: &Split, leaves: [u32; 2]) {
        let (rule, mut sides) = (Sides::of(bins, split), [0u8; FETCH]);
        for rows in rows.chunks(FETCH) {
            rule.look(rows, &mut sides);
            for (&row, &left) in rows.iter().zip(&sides) {
                self.put(row, leaves[usize::from(1 - left)]);
            }
        }
    }

    /// Adds the value of its leaf to each row's sum.
    pub(in crate::boost) fn add_values(&self, sums: &mut [f32], values: &[f32]) {
        parallel::for_each_chunk(sums, PIECE, |piece, sums| {
            for i in 0..sums.len() {
                prefetch(sums, i + AHEAD);
                sums[i] += values[self.of(piece * PIECE + i) as usize];
            }
        });
    }
}

/// The side of each bin of a split's column.
struct Sides<'a> {
    ids: &'a BinIds,
    /// 1 where a bin goes left.
    left: [u8; 256],
}

impl<'a> Sides<'a> {
    fn of(bins: &'a Bins, split: &Split) -> Self {
        let (ids, column) = (bins.ids(split.column as usize), &bins.columns[split.column as usize]);
        let mut left = [0; 256];
        for (id, left) in left[..column.bins].iter_mut().enumerate() {
            *left = u8::from(split.goes_left(id as u8, column));
        }
        Sides { ids, left }
    }

    /// The sides of some rows, at most [`FETCH`].
    #[inline(always)]
    fn look(&self, rows: &[u32], sides: &mut [u8; FETCH]) {
        let pairs = sides.iter_mut().zip(rows);
        match self.ids {
            BinIds::Dense(ids) => pairs.for_each(|(side, &row)| *side = self.left[usize::from(ids[row as usize])]),
            BinIds::Sparse(sparse) => {
                pairs.for_each(|(side, &row)| *side = self.left[usize::from(sparse.id(row as usize))])
            }
            BinIds::Constant => {}
        }
    }
}

multiversion! {
    /// Moves the rows that go left before those that go right, each side in its old order; returns how many go left.
    pub(in crate::boost) fn partition(bins: &Bins, rows: &mut [u32], split: &Split) -> usize {
        let rule = Sides::of(bins, split);
        let mut right: Vec<u32> = Vec::with_capacity(rows.len() + FETCH);
        let (mut sides, mut left, mut moved) = ([0u8; FETCH], [0u32; FETCH], [0u32; FETCH]);
        let (mut lefts, mut first) = (0, 0);
        while let Some(own) = rows[first..].first_chunk::<FETCH>() {
            rule.look(own, &mut sides);
            let mut count = 0;
            for i in 0..FETCH {
                // Written to the next free place of both sides; the wrong one is overwritten.
                left[count % FETCH] = own[i];
                moved[(i - count) % FETCH] = own[i];
                count += usize::from(sides[i]);
            }
            // A fixed length is faster to copy than the exact one; the rows overwritten were read before.
            if let Some(to) = rows[lefts..].first_chunk_mut::<FETCH>() {
                to.copy_from_slice(&left);
            }
            right.extend_from_slice(&moved);
            first += FETCH;
            lefts += count;
            right.truncate(first - lefts);
        }
        rule.look(&rows[first..], &mut sides);
        for i in first..rows.len() {
            if sides[i - first] == 1 {
                rows[lefts] = rows[i];
                lefts += 1;
            } else {
                right.push(rows[i]);
            }
        }
        rows[lefts..].copy_from_slice(&right);
        lefts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Rows;
    use ndarray::Array2;

    #[test]
    fn rows_are_parted_and_put_into_leaves_by_their_bins() {
        let table =
            Array2::from_shape_fn(
                (700, 2),
                |(i, j)| if j == 1 && i % 7 == 0 { f32::NAN } else { (i * 37 % 101) as f32 },
            );
        let used: Vec<u32> = (0..700).collect();
        let bins = Bins::of(&Rows::with_missing(&table).unwrap(), &used, 256, &[false; 2]).unwrap();
        let split = |column, below, missing_left| Split {
            column,
            bins: below,
            categorical: false,
            right: [0; 4],
            missing_left,
            gain: 0.0,
            left: 0,
        };
        for (column, below, missing_left) in
            [(0, 51, false), (1, 51, true), (1, 1, false), (1, 100, true), (1, 0, true)]
        {
            let split = split(column, below, missing_left);
            let goes_left = |row: u32| {
                let code = bins.ids(column as usize).id(row as usize);
                split.goes_left(code, &bins.columns[column as usize])
            };
            for count in [0, 1, 63, 64, 65, 128, 500] {
                let rows: Vec<u32> = (0..count).map(|i| (i * 3 + 5) % 700).collect();
                let (left, right): (Vec<u32>, Vec<u32>) = rows.iter().partition(|&&row| goes_left(row));
                let mut moved = rows.clone();
                assert_eq!(partition(&bins, &mut moved, &split), left.len());
                assert_eq!(moved, [left, right].concat());
                let leaves = Leaves::new(700);
                leaves.add(&[699]);
                let first = leaves.add_both(&bins, &rows, &split);
                assert_eq!((first, leaves.count()), (1, 3));
                assert!(rows.iter().all(|&row| leaves.of(row as usize) == if goes_left(row) { 1 } else { 2 }));
                let mut margins = vec![0.5; 700];
                leaves.add_values(&mut margins, &[1.0, 2.0, 3.0]);
                assert!((0..700).all(|row| margins[row] == 1.5 + leaves.of(row) as f32));
            }
        }
    }
}
