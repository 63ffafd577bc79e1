//! The spanning tree of rows of which only the distances are known.
//!
//! O(n²) time by Prim's algorithm, which reads each distance once, and O(n) memory beside the table.

use super::tree::SpanningTree;
use crate::core::{Error, Result, Run, Stage, parallel};
use ndarray::ArrayRef2;

/// Sums of 1 / distance over all rows stay finite from here on.
const NEAREST: f64 = 1e-290;

/// Checks that a table holds distances: square, finite, at least 0, 0 from a row to itself, and alike both ways.
pub(crate) fn check(table: &ArrayRef2<f64>) -> Result<()> {
    let (rows, columns) = table.dim();
    if rows == 0 || columns == 0 {
        return Err(Error::Empty { what: "the table of distances", rows, columns });
    }
    if rows != columns {
        return Err(Error::Shape { what: "columns of the table of distances", expected: rows, found: columns });
    }
    if rows > u32::MAX as usize - 1 {
        return Err(Error::TooManyRows { rows, most: u32::MAX as usize - 1 });
    }
    for ((row, column), &value) in table.indexed_iter() {
        if !value.is_finite() {
            return Err(Error::NotFinite { what: "the table of distances", row, column, value: value as f32 });
        }
        let reason = match value {
            v if v < 0.0 => "a distance is at least 0",
            v if row == column && v != 0.0 => "a row's distance from itself is 0",
            v if v > 0.0 && v < NEAREST => "a distance above 0 is at least 1e-290, below which densities overflow",
            v if column < row && v != table[[column, row]] => "the distance back is another",
            _ => continue,
        };
        return Err(Error::Distance { row, column, value, reason });
    }
    Ok(())
}

/// Core distances for `others` neighbours a row, and the tree.
pub(crate) fn spanning_tree(table: &ArrayRef2<f64>, others: usize, run: &Run) -> Result<(SpanningTree, Vec<f64>)> {
    let n = table.nrows();
    let stage = run.stage("core distances", n);
    let parts = parallel::map_ranges(n, 64, |range| -> Result<Vec<(f64, Vec<u64>)>> {
        stage.check()?;
        Ok(range.map(|i| profile(table, i, others)).collect())
    });
    let mut profiles = Vec::with_capacity(n);
    for part in parts {
        profiles.extend(part?);
    }
    let core: Vec<f64> = profiles.iter().map(|profile| profile.0).collect();
    // Rows have no content but their distances: what tells them apart in any order is these, sorted.
    let mut order: Vec<u32> = (0..n as u32).collect();
    order.sort_by(|&a, &b| profiles[a as usize].1.cmp(&profiles[b as usize].1).then(a.cmp(&b)));
    drop((profiles, stage));
    let mut place = vec![0u32; n];
    order.iter().enumerate().for_each(|(at, &row)| place[row as usize] = at as u32);
    let stage = run.stage("spanning tree", n - 1);
    let mut edges = prim(table, &core, &order, &stage)?;
    edges.sort_unstable_by_key(|&(weight, a, b)| {
        let (p, q) = (place[a as usize], place[b as usize]);
        (weight.to_bits(), table[[a as usize, b as usize]].to_bits(), p.min(q), p.max(q))
    });
    let tree = SpanningTree {
        a: edges.iter().map(|edge| edge.1).collect(),
        b: edges.iter().map(|edge| edge.2).collect(),
        weight: edges.iter().map(|edge| edge.0).collect(),
    };
    Ok((tree, core))
}

/// A row's core distance, and a digest of its sorted distances that no order of the rows changes.
fn profile(table: &ArrayRef2<f64>, i: usize, others: usize) -> (f64, Vec<u64>) {
    /// Quantiles of the distances that stand for all of them.
    const QUANTILES: usize = 16;
    let mut all: Vec<f64> = (0..table.ncols()).filter(|&j| j != i).map(|j| table[[i, j]] + 0.0).collect();
    all.sort_unstable_by(f64::total_cmp);
    let others = others.min(all.len());
    let core = if others == 0 { 0.0 } else { all[others - 1] };
    let digest = all.iter().fold(0u64, |hash, d| crate::core::random::mix(hash ^ d.to_bits()));
    let quantiles = (0..QUANTILES.min(all.len())).map(|q| all[q * all.len() / QUANTILES.min(all.len())].to_bits());
    (core, quantiles.chain([digest]).collect())
}

fn prim(table: &ArrayRef2<f64>, core: &[f64], order: &[u32], stage: &Stage<'_>) -> Result<Vec<(f64, u32, u32)>> {
    let n = order.len();
    // Lightest edge into the tree of each place outside it.
    let mut lightest = vec![(f64::INFINITY, f64::INFINITY, 0u32); n];
    let mut inside = vec![false; n];
    let mut edges = Vec::with_capacity(n - 1);
    let mut newest = 0;
    for step in 1..n {
        inside[newest] = true;
        let row = order[newest] as usize;
        let mut best: Option<usize> = None;
        for place in 0..n {
            if inside[place] {
                continue;
            }
            let other = order[place] as usize;
            let raw = table[[row, other]];
            let weight = raw.max(core[row]).max(core[other]);
            let known = &mut lightest[place];
            if (weight, raw) < (known.0, known.1) {
                *known = (weight, raw, newest as u32);
            }
            let lighter = |b: usize| (lightest[place].0, lightest[place].1) < (lightest[b].0, lightest[b].1);
            if best.is_none_or(lighter) {
                best = Some(place);
            }
        }
        let Some(next) = best else { break };
        edges.push((lightest[next].0, order[lightest[next].2 as usize], order[next]));
        newest = next;
        if step % 256 == 0 {
            stage.step(step)?;
        }
    }
    Ok(edges)
}
