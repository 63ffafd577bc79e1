//! Adding the Shapley values of a tree for a block of rows.

use super::patterns::{ROWS, Table, gather, hits_of, sides};
use super::{BLOCK, FrequentPatterns, Tables, single_leaf};
use crate::core::simd::multiversion;
use crate::explain::paths::{Leaf, Paths, Unit};
use crate::explain::shapley::{Coefficients, Work};

/// Work space for a block of rows.
#[derive(Default)]
pub(in crate::explain) struct Scratch {
    /// For each split and row 255 where the row goes left, else 0.
    left: Vec<u8>,
    patterns: Vec<u8>,
    work: Work,
    hits: Vec<u64>,
    /// For each row the offset of its pattern's values in `out`.
    places: Vec<u32>,
    out: Vec<f64>,
    sums: Vec<f64>,
}

multiversion! {
    /// Adds a tree's Shapley values for the rows of a block.
    ///
    /// `from` gives each feature's column in `table`, `columns` that in `sums`, which are stored like the table. Without
    /// tables of Shapley values they are computed row by row.
    pub(in crate::explain) fn add_tree(
        paths: &Paths, tables: Option<&Tables>, coefficients: &Coefficients, from: &[u32], table: &Table, columns: &[u32],
        scratch: &mut Scratch, sums: &mut [f64],
    ) {
        let (rows, stride, padded) = (table.rows, table.stride, table.padded());
        sides(paths, from, table, &mut scratch.left);
        for (u, unit) in paths.units.iter().enumerate() {
            let Some(start) = tables.and_then(|tables| tables.starts[u]) else {
                match single_leaf(paths, unit) {
                    Some(leaf) => {
                        let frequent = tables.map(|tables| &tables.frequent[u]);
                        by_pattern(leaf, frequent, coefficients, columns, stride, rows, scratch, sums);
                    }
                    None => row_by_row(paths, unit, coefficients, columns, stride, rows, scratch, sums),
                }
                continue;
            };
            let Scratch { left, patterns, .. } = scratch;
            gather(unit, left, padded, patterns);
            let (bits, tables) = (unit.bits(), tables.map_or(&[][..], |tables| &tables.values[..]));
            for (j, &feature) in unit.features.iter().enumerate() {
                let table = &tables[start + (j << bits)..start + ((j + 1) << bits)];
                let sum = columns[feature as usize] as usize * stride;
                let sums = &mut sums[sum..sum + padded];
                match bits {
                    8 => look_up::<256>(table, patterns, sums),
                    7 => look_up::<128>(table, patterns, sums),
                    6 => look_up::<64>(table, patterns, sums),
                    5 => look_up::<32>(table, patterns, sums),
                    4 => look_up::<16>(table, patterns, sums),
                    3 => look_up::<8>(table, patterns, sums),
                    2 => look_up::<4>(table, patterns, sums),
                    1 => look_up::<2>(table, patterns, sums),
                    _ => {}
                }
            }
        }
    }
}

/// Adds the values of one feature for the rows' patterns.
#[inline(always)]
fn look_up<const N: usize>(table: &[f64], patterns: &[u8], sums: &mut [f64]) {
    if let Some(table) = table.first_chunk::<N>() {
        for (sum, &pattern) in sums.iter_mut().zip(patterns) {
            *sum += table[usize::from(pattern) & (N - 1)];
        }
    }
}

/// The values of a large leaf that is a unit of its own: looked up where the pattern is frequent, else computed, once for
/// each distinct pattern among the rows.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn by_pattern(
    leaf: &Leaf,
    frequent: Option<&FrequentPatterns>,
    coefficients: &Coefficients,
    columns: &[u32],
    stride: usize,
    rows: usize,
    scratch: &mut Scratch,
    sums: &mut [f64],
) {
    let Scratch { left, work, hits, out, places, .. } = scratch;
    let d = leaf.features.len();
    hits_of(leaf, left, rows, hits);
    let row_bits = BLOCK.ilog2();
    hits.iter_mut().zip(0..).for_each(|(hits, i)| *hits = *hits << row_bits | i);
    hits.sort_unstable();
    let (frequent, values) =
        frequent.map_or((&[][..], &[][..]), |frequent| (&frequent.patterns[..], &frequent.values[..]));
    let (mut last, mut next) = (None, 0);
    out.clear();
    places.resize(rows.max(places.len()), 0);
    for &keyed in &*hits {
        let pattern = keyed >> row_bits;
        if last != Some(pattern) {
            last = Some(pattern);
            while next < frequent.len() && frequent[next] < pattern {
                next += 1;
            }
            if frequent.get(next) == Some(&pattern) {
                out.extend_from_slice(&values[next * d..(next + 1) * d]);
            } else {
                let start = out.len();
                out.resize(start + d, 0.0);
                leaf.shapley(&[pattern], coefficients, work, &mut out[start..]);
            }
        }
        places[(keyed % BLOCK as u64) as usize] = (out.len() - d) as u32;
    }
    for (j, &feature) in leaf.features.iter().enumerate() {
        let (start, out) = (columns[feature as usize] as usize * stride, &out[j..]);
        for (sum, &place) in sums[start..start + rows].iter_mut().zip(&*places) {
            *sum += out[place as usize];
        }
    }
}

/// A unit's values, computed for each row.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn row_by_row(
    paths: &Paths,
    unit: &Unit,
    coefficients: &Coefficients,
    columns: &[u32],
    stride: usize,
    rows: usize,
    scratch: &mut Scratch,
    sums: &mut [f64],
) {
    let padded = rows.next_multiple_of(ROWS);
    let Scratch { left, work, hits, out, sums: own, .. } = scratch;
    let d = unit.features.len();
    out.resize(d.max(out.len()), 0.0);
    for i in 0..rows {
        own.clear();
        own.resize(d, 0.0);
        for leaf in &paths.leaves[unit.leaves.clone()] {
            leaf.hits(|split| left[split * padded + i] != 0, hits);
            leaf.shapley(hits, coefficients, work, out);
            for (&place, &value) in leaf.places.iter().zip(&*out) {
                own[place as usize] += value;
            }
        }
        for (&feature, &value) in unit.features.iter().zip(&*own) {
            sums[columns[feature as usize] as usize * stride + i] += value;
        }
    }
}
