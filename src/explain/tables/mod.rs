//! Shapley values of many rows: a unit's values depend on a row only through its bits, so the values of all patterns are
//! tabulated once and looked up for each row (FastTreeSHAP v2, Yang, arXiv 2109.09847, does so leaf by leaf).
//!
//! For leaves of too many features the values of the most frequent patterns are stored.
//!
//! A table has the values that [`Leaf::shapley`] computes, bit for bit, and leaves are added in the same order with and
//! without tables, so a row's values are the same bits in any batch.

mod add;
mod patterns;
mod tabulate;

pub(super) use add::{Scratch, add_tree};
pub(super) use patterns::Table;

use super::paths::{Leaf, MOST_BITS, Paths, Unit};
use super::shapley::{Coefficients, Work};
use crate::core::simd::multiversion;
use patterns::{hits_of, sides};
use tabulate::{insert, tabulate};

/// Rows of a block: the accumulators of some hundred features fit the L2 cache.
pub(super) const BLOCK: usize = 256;

/// Rows sampled for the frequent patterns of large leaves.
pub(super) const SAMPLE: usize = 1024;

/// Most patterns stored for a large leaf: as many as the largest table has.
const MOST_FREQUENT: usize = 1 << MOST_BITS;

/// Most features of a leaf whose pattern fits one word together with a row's index in its block.
const MOST_SORTED: usize = 64 - BLOCK.ilog2() as usize;

/// Tables of a tree's units.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    /// Offset of each unit's table, None for units without one.
    starts: Vec<Option<usize>>,
    /// For each unit and feature the values of all patterns.
    values: Vec<f64>,
    /// For each unit without a table its frequent patterns.
    frequent: Vec<FrequentPatterns>,
}

/// Frequent patterns of a large leaf.
#[derive(Clone, Debug, Default)]
struct FrequentPatterns {
    /// Ascending.
    patterns: Vec<u64>,
    /// Shapley values of the leaf's features for each pattern.
    values: Vec<f64>,
}

impl Tables {
    /// Upper bound of the entries in the tables of a tree.
    pub(super) fn size(paths: &Paths) -> usize {
        let frequent = |unit| single_leaf(paths, unit).map_or(0, |leaf| MOST_FREQUENT * (leaf.features.len() + 1));
        paths.units.iter().map(|unit| unit.size() + frequent(unit)).sum()
    }

    /// Whether a sample of rows is needed to make the tables of a tree.
    pub(super) fn need_sample(paths: &Paths) -> bool {
        paths.units.iter().any(|unit| single_leaf(paths, unit).is_some())
    }

    /// The tables of units, and the frequent patterns of large leaves among the rows of a sample; `columns` gives each
    /// feature's column in it.
    pub(super) fn of(paths: &Paths, coefficients: &Coefficients, columns: &[u32], sample: &Table) -> Self {
        let mut tables = Tables {
            starts: Vec::with_capacity(paths.units.len()),
            values: vec![0.0; paths.units.iter().map(Unit::size).sum()],
            frequent: frequent_patterns(paths, coefficients, columns, sample),
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

/// The only leaf of a unit without a table, if its pattern fits one word with a row's index.
#[inline(always)]
fn single_leaf<'p>(paths: &'p Paths, unit: &Unit) -> Option<&'p Leaf> {
    match &paths.leaves[unit.leaves.clone()] {
        [leaf] if unit.bits() > MOST_BITS && leaf.features.len() <= MOST_SORTED => Some(leaf),
        _ => None,
    }
}

multiversion! {
    /// The frequent patterns of each unit without a table.
    fn frequent_patterns(
        paths: &Paths, coefficients: &Coefficients, columns: &[u32], sample: &Table,
    ) -> Vec<FrequentPatterns> {
        let (mut left, mut work) = (Vec::new(), Work::default());
        if Tables::need_sample(paths) {
            sides(paths, columns, sample, &mut left);
        }
        let mut all = Vec::with_capacity(paths.units.len());
        for unit in &paths.units {
            all.push(match single_leaf(paths, unit) {
                Some(leaf) => FrequentPatterns::of(leaf, coefficients, &left, sample.rows, &mut work),
                None => FrequentPatterns::default(),
            });
        }
        all
    }
}

impl FrequentPatterns {
    /// The most frequent patterns of the rows whose sides at each split are `left`.
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
