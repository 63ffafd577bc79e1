//! The sides of a block's rows at the splits of a tree, and their bit patterns.

use crate::boost::number_goes_left;
use crate::explain::paths::{Leaf, Paths, Split, Unit};

/// Rows that are processed together: their patterns fill one AVX2 register.
pub(in crate::explain) const ROWS: usize = 32;

#[inline(always)]
fn compare(split: &Split, values: &[f32], left: &mut [u8]) {
    if !split.categories.is_empty() {
        left.iter_mut().zip(values).for_each(|(left, &value)| *left = if split.goes_left(value) { 255 } else { 0 });
        return;
    }
    // Without the branch on categories, so that the loop is vectorised.
    for (left, &value) in left.iter_mut().zip(values) {
        *left = if number_goes_left(split.threshold, split.default_left, value) { 255 } else { 0 };
    }
}

/// The sides of the rows at each split: 255 for left, 0 for right, the rows of a split padded to whole groups.
#[inline(always)]
pub(super) fn sides(paths: &Paths, columns: &[u32], block: &[f32], stride: usize, rows: usize, left: &mut Vec<u8>) {
    let padded = rows.next_multiple_of(ROWS);
    left.resize((paths.splits.len() * padded).max(left.len()), 0);
    for (s, split) in paths.splits.iter().enumerate() {
        let start = columns[split.feature as usize] as usize * stride;
        compare(split, &block[start..start + padded], &mut left[s * padded..(s + 1) * padded]);
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
