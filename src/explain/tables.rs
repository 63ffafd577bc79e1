//! Shapley values of many rows: a unit's values depend on a row through its bits alone, so all patterns of these are
//! tabulated once and rows look theirs up (FastTreeSHAP v2, Yang, arXiv 2109.09847, does so leaf by leaf).
//!
//! Leaves of too many features for that keep the patterns that most rows have.
//!
//! A table holds what [`Leaf::shapley`] computes, bit for bit, and both ways add leaves in the same order, so a row's
//! values are the same bits alone or among a million.

use super::paths::{Leaf, MOST_BITS, Paths, Split, Unit};
use super::quadrature::LANES;
use super::shapley::{Kit, Work, add_up};
use crate::core::simd::multiversion;

/// Rows that are worked on together: patterns of as many rows fill one AVX2 register.
pub(super) const ROWS: usize = 32;

/// Rows of a block: the accumulators of some hundred features fit into the second cache.
pub(super) const BLOCK: usize = 256;

/// Rows of which the patterns at large leaves are looked at beforehand.
pub(super) const SAMPLE: usize = 1024;

/// Most patterns of a large leaf whose values are kept: as many as the largest table has.
const MOST_KNOWN: usize = 1 << MOST_BITS;

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
    known: Vec<Known>,
}

/// Frequent patterns of a large leaf.
#[derive(Clone, Debug, Default)]
struct Known {
    /// Ascending.
    patterns: Vec<u64>,
    /// For each pattern the values of the leaf's features.
    values: Vec<f64>,
}

impl Tables {
    /// Most numbers that the tables of a tree hold.
    pub(super) fn size(paths: &Paths) -> usize {
        let known = |unit| lone(paths, unit).map_or(0, |leaf| MOST_KNOWN * (leaf.features.len() + 1));
        paths.units.iter().map(|unit| unit.size() + known(unit)).sum()
    }

    /// Tables of all units that have one, and values of the patterns that some rows have at large leaves: `block` holds
    /// their values column after column, `stride` numbers each, and `columns` gives each feature's column.
    pub(super) fn of(paths: &Paths, kit: &Kit, columns: &[u32], block: &[f32], stride: usize, rows: usize) -> Self {
        let mut tables = Tables {
            starts: Vec::with_capacity(paths.units.len()),
            values: vec![0.0; paths.units.iter().map(Unit::size).sum()],
            known: know(paths, kit, columns, block, stride, rows),
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
                tabulate(leaf, kit, &mut work, &mut leaf_table);
                insert(unit, leaf, &leaf_table, table);
            }
            start += unit.size();
        }
        tables
    }
}

/// The leaf of a unit of too many features for a table, unless there are too many to be sorted by pattern too.
#[inline(always)]
fn lone<'p>(paths: &'p Paths, unit: &Unit) -> Option<&'p Leaf> {
    match &paths.leaves[unit.leaves.clone()] {
        [leaf] if unit.bits() > MOST_BITS && leaf.features.len() <= MOST_SORTED => Some(leaf),
        _ => None,
    }
}

multiversion! {
    /// For each unit what is worth knowing of it beforehand.
    fn know(
        paths: &Paths, kit: &Kit, columns: &[u32], block: &[f32], stride: usize, rows: usize,
    ) -> Vec<Known> {
        let (mut left, mut work) = (Vec::new(), Work::default());
        if paths.units.iter().any(|unit| lone(paths, unit).is_some()) {
            go(paths, columns, block, stride, rows, &mut left);
        }
        let mut all = Vec::with_capacity(paths.units.len());
        for unit in &paths.units {
            all.push(match lone(paths, unit) {
                Some(leaf) => Known::of(leaf, kit, &left, rows, &mut work),
                None => Known::default(),
            });
        }
        all
    }
}

impl Known {
    /// The patterns of most rows, of which `left` says for each split where they go.
    #[inline(always)]
    fn of(leaf: &Leaf, kit: &Kit, left: &[u8], rows: usize, work: &mut Work) -> Self {
        let mut hits = Vec::new();
        hits_of(leaf, left, rows, &mut hits);
        hits.sort_unstable();
        let runs = hits.chunk_by(|a, b| a == b);
        let mut counted: Vec<(usize, u64)> = runs.map(|run| (run.len(), run[0])).collect();
        counted.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        counted.truncate(MOST_KNOWN);
        let mut patterns: Vec<u64> = counted.into_iter().map(|(_, pattern)| pattern).collect();
        patterns.sort_unstable();
        let d = leaf.features.len();
        let mut values = vec![0.0; patterns.len() * d];
        for (pattern, out) in patterns.iter().zip(values.chunks_exact_mut(d)) {
            leaf.shapley(&[*pattern], kit, work, out);
        }
        Known { patterns, values }
    }
}

multiversion! {
    /// The table of one leaf: for each feature its values at all patterns of hits.
    ///
    /// The integral for feature j is a sum over points of a product of those below j and a product of those above, each
    /// the same for many patterns; all products are those that [`Leaf::shapley`] makes, in the same order.
    fn tabulate(leaf: &Leaf, kit: &Kit, work: &mut Work, table: &mut Vec<f64>) {
        let d = leaf.features.len();
        let patterns = 1usize << d;
        table.clear();
        table.resize(d << d, 0.0);
        let [group] = kit.rules[d].groups[..] else { return };
        if leaf.background.is_some() {
            let mut out = [0.0; MOST_BITS];
            for pattern in 0..patterns {
                leaf.shapley(&[pattern as u64][..leaf.words()], kit, work, &mut out);
                for j in 0..d {
                    table[j * patterns + pattern] = out[j];
                }
            }
            return;
        }
        const HALF: usize = 1 << (MOST_BITS - 1);
        // Products over the features above j, at [2^(d - 1 - j)..]; below j, by lane.
        let mut above = [[0.0; LANES]; 2 * HALF];
        let mut below = [[1.0; HALF]; LANES];
        above[1] = group.weight;
        for j in (1..d).rev() {
            let (start, factors) = (1usize << (d - 1 - j), [0.0, 1.0].map(|o| leaf.factor(&group, j, o)));
            for high in 0..start {
                for bit in 0..2 {
                    for lane in 0..LANES {
                        above[2 * start + 2 * high + bit][lane] = above[start + high][lane] * factors[bit][lane];
                    }
                }
            }
        }
        for j in 0..d {
            let (count, low) = (1usize << (d - 1 - j), 1usize << j);
            let table = &mut table[j * patterns..(j + 1) * patterns];
            let scale = [0.0, 1.0].map(|o| leaf.value * (o - leaf.ratios[j]));
            for (high, both) in table.chunks_exact_mut(2 * low).enumerate() {
                let after = above[count + high];
                let (miss, hit) = both.split_at_mut(low);
                for i in 0..low.min(HALF) {
                    let mut products = [0.0; LANES];
                    for lane in 0..LANES {
                        products[lane] = after[lane] * below[lane][i];
                    }
                    let sum = add_up(products);
                    (miss[i], hit[i]) = (sum * scale[0], sum * scale[1]);
                }
            }
            if 2 * low <= HALF {
                let factors = [0.0, 1.0].map(|o| leaf.factor(&group, j, o));
                for lane in 0..LANES {
                    for i in 0..low {
                        below[lane][low + i] = below[lane][i] * factors[1][lane];
                        below[lane][i] *= factors[0][lane];
                    }
                }
            }
        }
    }
}

multiversion! {
    /// Adds a leaf's table to its unit's.
    fn insert(unit: &Unit, leaf: &Leaf, from: &[f64], to: &mut [f64]) {
        let (low, d) = (1usize << unit.above, leaf.features.len());
        let inner = &leaf.edges[unit.edges.len()..];
        for high in 0..1usize << unit.splits.len() {
            let mut hits = (1usize << d) - 1;
            for edge in inner {
                let bit = unit.splits.iter().position(|&split| split == edge.split).unwrap_or(0);
                if (high >> bit & 1 == 1) != edge.left {
                    hits &= !(1 << edge.place);
                }
            }
            // What the splits in the unit leave of the features above it, and what they say of the others.
            let (keep, own) = (hits & (low - 1), hits & !(low - 1));
            for (j, &place) in leaf.places.iter().enumerate() {
                let from = &from[(j << d) + own..][..low];
                let to = &mut to[((place as usize) << unit.bits()) + high * low..][..low];
                if keep == low - 1 {
                    for i in 0..low {
                        to[i] += from[i];
                    }
                } else {
                    for i in 0..low {
                        to[i] += from[i & keep];
                    }
                }
            }
        }
    }
}

/// Where rows go, and work space for a block of them.
#[derive(Default)]
pub(super) struct Scratch {
    /// For each split, for each row, whether it goes left: 255 or 0.
    left: Vec<u8>,
    patterns: Vec<u8>,
    work: Work,
    hits: Vec<u64>,
    /// For each row where its pattern's values begin in `out`.
    places: Vec<u32>,
    out: Vec<f64>,
    sums: Vec<f64>,
}

multiversion! {
    /// Adds a tree's Shapley values for the rows of a block.
    ///
    /// `block` and `sums` are column after column, `stride` numbers each, of which whole groups of [`ROWS`] are worked
    /// on; `columns` gives each feature's column. Without tables everything is worked out row by row.
    pub(super) fn add_tree(
        paths: &Paths, tables: Option<&Tables>, kit: &Kit, columns: &[u32], block: &[f32], stride: usize, rows: usize,
        scratch: &mut Scratch, sums: &mut [f64],
    ) {
        let padded = rows.next_multiple_of(ROWS);
        go(paths, columns, block, stride, rows, &mut scratch.left);
        for (u, unit) in paths.units.iter().enumerate() {
            let Some(start) = tables.and_then(|tables| tables.starts[u]) else {
                match lone(paths, unit) {
                    Some(leaf) => {
                        let known = tables.map(|tables| &tables.known[u]);
                        by_pattern(leaf, known, kit, columns, stride, rows, scratch, sums);
                    }
                    None => one_by_one(paths, unit, kit, columns, stride, rows, scratch, sums),
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

/// Adds what the rows' patterns say of one feature.
#[inline(always)]
fn look_up<const N: usize>(table: &[f64], patterns: &[u8], sums: &mut [f64]) {
    if let Some(table) = table.first_chunk::<N>() {
        for (sum, &pattern) in sums.iter_mut().zip(patterns) {
            *sum += table[usize::from(pattern) & (N - 1)];
        }
    }
}

/// Patterns of all rows at one unit of at most 8 bits.
#[inline(always)]
fn gather(unit: &Unit, left: &[u8], padded: usize, patterns: &mut Vec<u8>) {
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

#[inline(always)]
fn compare(split: &Split, values: &[f32], left: &mut [u8]) {
    if !split.categories.is_empty() {
        left.iter_mut().zip(values).for_each(|(left, &value)| *left = if split.goes_left(value) { 255 } else { 0 });
        return;
    }
    // Once more without the question, so that the loop runs in lanes.
    for (left, &value) in left.iter_mut().zip(values) {
        let goes = (value < split.threshold) | (value.is_nan() & split.default_left);
        *left = if goes { 255 } else { 0 };
    }
}

/// Where rows go at each split: 255 for left, 0 for right, the rows of a split rounded up to whole groups.
#[inline(always)]
fn go(paths: &Paths, columns: &[u32], block: &[f32], stride: usize, rows: usize, left: &mut Vec<u8>) {
    let padded = rows.next_multiple_of(ROWS);
    left.resize((paths.splits.len() * padded).max(left.len()), 0);
    for (s, split) in paths.splits.iter().enumerate() {
        let start = columns[split.feature as usize] as usize * stride;
        compare(split, &block[start..start + padded], &mut left[s * padded..(s + 1) * padded]);
    }
}

/// Patterns of all rows at a leaf of up to 64 features.
#[inline(always)]
fn hits_of(leaf: &Leaf, left: &[u8], rows: usize, hits: &mut Vec<u64>) {
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

/// The values of a large leaf that is a unit of its own: looked up where the pattern is known, else worked out, once for
/// each pattern among the rows.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn by_pattern(
    leaf: &Leaf,
    known: Option<&Known>,
    kit: &Kit,
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
    let (known, values) = known.map_or((&[][..], &[][..]), |known| (&known.patterns[..], &known.values[..]));
    let (mut last, mut next) = (None, 0);
    out.clear();
    places.resize(rows.max(places.len()), 0);
    for &keyed in &*hits {
        let pattern = keyed >> row_bits;
        if last != Some(pattern) {
            last = Some(pattern);
            while next < known.len() && known[next] < pattern {
                next += 1;
            }
            if known.get(next) == Some(&pattern) {
                out.extend_from_slice(&values[next * d..(next + 1) * d]);
            } else {
                let start = out.len();
                out.resize(start + d, 0.0);
                leaf.shapley(&[pattern], kit, work, &mut out[start..]);
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

/// A unit's values for each row, worked out.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn one_by_one(
    paths: &Paths,
    unit: &Unit,
    kit: &Kit,
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
            leaf.shapley(hits, kit, work, out);
            for (&place, &value) in leaf.places.iter().zip(&*out) {
                own[place as usize] += value;
            }
        }
        for (&feature, &value) in unit.features.iter().zip(&*own) {
            sums[columns[feature as usize] as usize * stride + i] += value;
        }
    }
}
