//! Shapley values of many rows: a unit's values depend on a row through its bits alone, so all patterns of these are
//! tabulated once and rows look theirs up (FastTreeSHAP v2, Yang, arXiv 2109.09847, does so leaf by leaf).
//!
//! Leaves of too many features for that keep the patterns that most rows have.
//!
//! A table holds what [`Leaf::shapley`] computes, bit for bit, and both ways add leaves in the same order, so a row's
//! values are the same bits alone or among a million.

mod add;
mod patterns;
mod tabulate;

pub(super) use add::{Scratch, add_tree};
pub(super) use patterns::ROWS;

use super::paths::{Leaf, MOST_BITS, Paths, Unit};
use super::shapley::{Coefficients, Work};
use crate::core::simd::multiversion;
use patterns::{hits_of, sides};
use tabulate::{insert, tabulate};

/// Rows of a block: the accumulators of some hundred features fit into the second cache.
pub(super) const BLOCK: usize = 256;

/// Rows of which the patterns at large leaves are looked at beforehand.
pub(super) const SAMPLE: usize = 1024;

/// Most patterns of a large leaf whose values are kept: as many as the largest table has.
const MOST_FREQUENT: usize = 1 << MOST_BITS;

/// Most features of a leaf whose patterns are sorted together with the number of a row of the block.
const MOST_SORTED: usize = 64 - BLOCK.ilog2() as usize;

/// Tables of a tree's units.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    /// For each unit where its table begins, None for units to be worked out.
    starts: Vec<Option<usize>>,
    /// For each feature of a unit its values at all patterns.
    values: Vec<f64>,
    /// For each unit the patterns that many rows have, where there are too many for a table.
    frequent: Vec<FrequentPatterns>,
}

/// Frequent patterns of a large leaf.
#[derive(Clone, Debug, Default)]
struct FrequentPatterns {
    /// Ascending.
    patterns: Vec<u64>,
    /// For each pattern the values of the leaf's features.
    values: Vec<f64>,
}

impl Tables {
    /// Most numbers that the tables of a tree hold.
    pub(super) fn size(paths: &Paths) -> usize {
        let frequent = |unit| single_leaf(paths, unit).map_or(0, |leaf| MOST_FREQUENT * (leaf.features.len() + 1));
        paths.units.iter().map(|unit| unit.size() + frequent(unit)).sum()
    }

    /// Tables of all units that have one, and values of the patterns that some rows have at large leaves: `block` holds
    /// their values column after column, `stride` numbers each, and `columns` gives each feature's column.
    pub(super) fn of(
        paths: &Paths,
        coefficients: &Coefficients,
        columns: &[u32],
        block: &[f32],
        stride: usize,
        rows: usize,
    ) -> Self {
        let mut tables = Tables {
            starts: Vec::with_capacity(paths.units.len()),
            values: vec![0.0; paths.units.iter().map(Unit::size).sum()],
            frequent: frequent_patterns(paths, coefficients, columns, block, stride, rows),
        };
        let (mut start, mut leaf_table, mut work) = (0, Vec::new(), Work::default());
        for unit in &paths.units {
            if unit.bits() > MOST_BITS {
                tables.starts.push(None);
                continue;
            }
            tables.starts.push(Some(start));
            let table = &mut tables.values[start..start + unit.size()];
            for leaf in &paths.leaves[unit.leaves.clone()] {
                tabulate(leaf, coefficients, &mut work, &mut leaf_table);
                insert(unit, leaf, &leaf_table, table);
            }
            start += unit.size();
        }
        tables
    }
}

/// The leaf of a unit of too many features for a table, unless there are too many to be sorted by pattern too.
#[inline(always)]
fn single_leaf<'p>(paths: &'p Paths, unit: &Unit) -> Option<&'p Leaf> {
    match &paths.leaves[unit.leaves.clone()] {
        [leaf] if unit.bits() > MOST_BITS && leaf.features.len() <= MOST_SORTED => Some(leaf),
        _ => None,
    }
}

multiversion! {
    /// For each unit what is worth knowing of it beforehand.
    fn frequent_patterns(
        paths: &Paths, coefficients: &Coefficients, columns: &[u32], block: &[f32], stride: usize, rows: usize,
    ) -> Vec<FrequentPatterns> {
        let (mut left, mut work) = (Vec::new(), Work::default());
        if paths.units.iter().any(|unit| single_leaf(paths, unit).is_some()) {
            sides(paths, columns, block, stride, rows, &mut left);
        }
        let mut all = Vec::with_capacity(paths.units.len());
        for unit in &paths.units {
            all.push(match single_leaf(paths, unit) {
                Some(leaf) => FrequentPatterns::of(leaf, coefficients, &left, rows, &mut work),
                None => FrequentPatterns::default(),
            });
        }
        all
    }
}

impl FrequentPatterns {
    /// The patterns of most rows, of which `left` says for each split where they go.
    #[inline(always)]
    fn of(leaf: &Leaf, coefficients: &Coefficients, left: &[u8], rows: usize, work: &mut Work) -> Self {
        let mut hits = Vec::new();
        hits_of(leaf, left, rows, &mut hits);
        hits.sort_unstable();
        let runs = hits.chunk_by(|a, b| a == b);
        let mut counted: Vec<(usize, u64)> = runs.map(|run| (run.len(), run[0])).collect();
        counted.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        counted.truncate(MOST_FREQUENT);
        let mut patterns: Vec<u64> = counted.into_iter().map(|(_, pattern)| pattern).collect();
        patterns.sort_unstable();
        let d = leaf.features.len();
        let mut values = vec![0.0; patterns.len() * d];
        for (pattern, out) in patterns.iter().zip(values.chunks_exact_mut(d)) {
            leaf.shapley(&[*pattern], coefficients, work, out);
        }
        FrequentPatterns { patterns, values }
    }
}
