//! Shapley values of many rows: a leaf's values depend on a row through its hits alone, so where a path has few features
//! all patterns of hits are tabulated once and rows look theirs up (the idea of FastTreeSHAP v2, Yang, arXiv 2109.09847).
//!
//! A table holds what [`Leaf::shapley`] computes, bit for bit, and both ways add leaves in the same order, so a row's
//! values are the same bits alone or among a million.

use super::paths::{Leaf, Paths, Split};
use super::quadrature::Rule;
use crate::core::simd::multiversion;

/// Longest path that is tabulated: 2^8 patterns.
const MOST_FEATURES: usize = 8;

/// Rows that are worked on together: patterns of as many rows fill one AVX2 register.
pub(super) const ROWS: usize = 32;

/// Rows of a block: the accumulators of some hundred features fit into the second cache.
pub(super) const BLOCK: usize = 256;

/// Tables of a tree's leaves, or none where there are too few rows to pay for them.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    /// For each leaf where its table begins, None for leaves to be worked out row by row.
    starts: Vec<Option<usize>>,
    /// For each feature of a leaf its values at all patterns.
    values: Vec<f64>,
}

impl Tables {
    /// Numbers that the tables of a tree would hold.
    pub(super) fn size(paths: &Paths) -> usize {
        let leaves = paths.leaves.iter().map(|leaf| leaf.features.len()).filter(|&d| d <= MOST_FEATURES);
        leaves.map(|d| d << d).sum()
    }

    pub(super) fn of(paths: &Paths, rules: &[Rule]) -> Self {
        let mut tables =
            Tables { starts: Vec::with_capacity(paths.leaves.len()), values: Vec::with_capacity(Self::size(paths)) };
        for leaf in &paths.leaves {
            if leaf.features.len() > MOST_FEATURES {
                tables.starts.push(None);
                continue;
            }
            tables.starts.push(Some(tables.values.len()));
            tabulate(leaf, &rules[leaf.features.len()], &mut tables.values);
        }
        tables
    }
}

multiversion! {
    /// Appends the table of one leaf.
    fn tabulate(leaf: &Leaf, rule: &Rule, table: &mut Vec<f64>) {
        let d = leaf.features.len();
        let (start, patterns) = (table.len(), 1usize << d);
        table.resize(start + (d << d), 0.0);
        let (mut before, mut out) = (Vec::new(), [0.0; MOST_FEATURES]);
        for pattern in 0..patterns {
            leaf.shapley(|j| pattern >> j & 1 == 1, rule, &mut before, &mut out);
            for j in 0..d {
                table[start + j * patterns + pattern] = out[j];
            }
        }
    }
}

/// Work space for up to [`BLOCK`] rows.
#[derive(Default)]
pub(super) struct Scratch {
    /// For each split, for each of [`ROWS`] rows, whether it goes left: 255 or 0.
    left: Vec<[u8; ROWS]>,
    before: Vec<[f64; super::quadrature::LANES]>,
    out: Vec<f64>,
    hits: Vec<bool>,
}

multiversion! {
    /// Adds a tree's Shapley values for up to [`ROWS`] rows from row `first` of a block.
    ///
    /// `block` and `sums` are column after column, `stride` numbers each; `columns` gives each feature's column.
    pub(super) fn add_tree(
        paths: &Paths, tables: &Tables, rules: &[Rule], columns: &[u32], block: &[f32], stride: usize, first: usize,
        rows: usize,
        scratch: &mut Scratch, sums: &mut [f64],
    ) {
        scratch.left.resize(paths.splits.len().max(scratch.left.len()), [0; ROWS]);
        for (left, split) in scratch.left.iter_mut().zip(&paths.splits) {
            let start = columns[split.feature as usize] as usize * stride + first;
            if let Some(values) = block[start..].first_chunk::<ROWS>() {
                compare(split, values, left);
            }
        }
        for (l, leaf) in paths.leaves.iter().enumerate() {
            match tables.starts.get(l).copied().flatten() {
                Some(start) => {
                    let d = leaf.features.len();
                    let mut patterns = [255u8; ROWS];
                    for edge in &leaf.edges {
                        let (left, keep) = (&scratch.left[edge.split as usize], !(1u8 << edge.place));
                        let flip = if edge.left { 0 } else { 255 };
                        for i in 0..ROWS {
                            patterns[i] &= (left[i] ^ flip) | keep;
                        }
                    }
                    let mask = ((1usize << d) - 1) as u8;
                    for i in 0..ROWS {
                        patterns[i] &= mask;
                    }
                    for j in 0..d {
                        let table = &tables.values[start + (j << d)..start + ((j + 1) << d)];
                        let sum = columns[leaf.features[j] as usize] as usize * stride + first;
                        for (sum, &pattern) in sums[sum..sum + rows].iter_mut().zip(&patterns) {
                            *sum += table[usize::from(pattern)];
                        }
                    }
                }
                None => one_by_one(leaf, rules, columns, stride, first, rows, scratch, sums),
            }
        }
    }
}

#[inline(always)]
fn compare(split: &Split, values: &[f32; ROWS], left: &mut [u8; ROWS]) {
    for i in 0..ROWS {
        let goes = (values[i] < split.threshold) | (values[i].is_nan() & split.default_left);
        left[i] = if goes { 255 } else { 0 };
    }
}

/// A leaf's values for each row, worked out.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn one_by_one(
    leaf: &Leaf,
    rules: &[Rule],
    columns: &[u32],
    stride: usize,
    first: usize,
    rows: usize,
    scratch: &mut Scratch,
    sums: &mut [f64],
) {
    let d = leaf.features.len();
    let Scratch { left, before, out, hits } = scratch;
    out.resize(d.max(out.len()), 0.0);
    for i in 0..rows {
        hits.clear();
        hits.resize(d, true);
        for edge in &leaf.edges {
            hits[edge.place as usize] &= (left[edge.split as usize][i] != 0) == edge.left;
        }
        leaf.shapley(|j| hits[j], &rules[d], before, out);
        for j in 0..d {
            sums[columns[leaf.features[j] as usize] as usize * stride + first + i] += out[j];
        }
    }
}
