//! The sides of a block's rows at the splits of a tree, and their bit patterns.

use crate::explain::paths::{Leaf, Paths, Split, Unit};

/// Rows that are processed together: their patterns fill one AVX2 register.
pub(in crate::explain) const ROWS: usize = 32;

/// The sides of values at a split. By one comparison each, so that the loop is vectorised: NaN compares false, which is left
/// or right as the comparison is with what stays there.
#[inline(always)]
fn compare(split: &Split, values: &[f32], left: &mut [u8]) {
    let (threshold, both) = (split.threshold, left.iter_mut().zip(values));
    match (split.categories.is_empty(), split.default_left) {
        (false, _) => both.for_each(|(left, &value)| *left = if split.goes_left(value) { 255 } else { 0 }),
        (true, false) => both.for_each(|(left, &value)| *left = if value < threshold { 255 } else { 0 }),
        (true, true) => both.for_each(|(left, &value)| *left = if value >= threshold { 0 } else { 255 }),
    }
}

/// Values of some features for a few rows, stored by column.
pub(in crate::explain) struct Table {
    pub(in crate::explain) rows: usize,
    /// Length of a column: the rows, rounded up to whole groups, and a cache line, so that columns do not collide in one
    /// cache set.
    pub(in crate::explain) stride: usize,
    values: Vec<f32>,
}

impl Table {
    /// The values of `features` in `rows` rows.
    pub(in crate::explain) fn new<'r>(features: &[u32], row: impl Fn(usize) -> &'r [f32], rows: usize) -> Self {
        let stride = rows.next_multiple_of(ROWS) + 16;
        let mut values = vec![0.0f32; features.len() * stride];
        // Transposed sixteen rows at a time: one cache line of a column.
        for tile in (0..rows).step_by(16) {
            let some: [&[f32]; 16] = std::array::from_fn(|i| if tile + i < rows { row(tile + i) } else { &[] });
            for (column, &feature) in values.chunks_exact_mut(stride).zip(features) {
                for (value, row) in column[tile..].iter_mut().zip(some) {
                    *value = row.get(feature as usize).copied().unwrap_or(0.0);
                }
            }
        }
        Table { rows, stride, values }
    }

    /// Rows, rounded up to whole groups.
    #[inline(always)]
    pub(super) fn padded(&self) -> usize {
        self.rows.next_multiple_of(ROWS)
    }
}

/// The sides of the rows at each split: 255 for left, 0 for right, the rows of a split padded to whole groups. `columns` gives
/// each feature's column.
#[inline(always)]
pub(super) fn sides(paths: &Paths, columns: &[u32], table: &Table, left: &mut Vec<u8>) {
    let Table { stride, values, .. } = table;
    let padded = table.padded();
    left.resize((paths.splits.len() * padded).max(left.len()), 0);
    for (s, split) in paths.splits.iter().enumerate() {
        let start = columns[split.feature as usize] as usize * stride;
        compare(split, &values[start..start + padded], &mut left[s * padded..(s + 1) * padded]);
    }
}

/// Patterns of all rows at a leaf of up to 64 features.
#[inline(always)]
pub(super) fn hits_of(leaf: &Leaf, left: &[u8], rows: usize, hits: &mut Vec<u64>) {
    let padded = rows.next_multiple_of(ROWS);
    hits.clear();
    hits.resize(rows, u64::MAX >> (64 - leaf.features.len()));
    for edge in &leaf.edges {
        let (flip, start) = (if edge.left { 255 } else { 0 }, edge.split as usize * padded);
        for (hits, &left) in hits.iter_mut().zip(&left[start..start + rows]) {
            *hits &= !(u64::from((left ^ flip) & 1) << edge.place);
        }
    }
}

/// Patterns of all rows at one unit of at most 8 bits.
#[inline(always)]
pub(super) fn gather(unit: &Unit, left: &[u8], padded: usize, patterns: &mut Vec<u8>) {
    patterns.clear();
    patterns.resize(padded, ((1usize << unit.above) - 1) as u8);
    for edge in &unit.edges {
        let (flip, keep) = (if edge.left { 0 } else { 255 }, !(1u8 << edge.place));
        let start = edge.split as usize * padded;
        for (pattern, &left) in patterns.iter_mut().zip(&left[start..start + padded]) {
            *pattern &= (left ^ flip) | keep;
        }
    }
    for (s, &split) in unit.splits.iter().enumerate() {
        let (bit, start) = (1u8 << (unit.above + s), split as usize * padded);
        for (pattern, &left) in patterns.iter_mut().zip(&left[start..start + padded]) {
            *pattern |= left & bit;
        }
    }
}
