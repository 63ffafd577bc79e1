//! Validity of a density clustering, from the rows alone.

use crate::core::numerics::exp;
use crate::core::shape::check_count;
use crate::core::{Canonical, Rows, Stage, parallel};
use crate::{Result, Run};
use ndarray::ArrayRef2;

/// The result of [`dbcv`].
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Dbcv {
    /// The index, in -1 to 1: the clusters' values weighted by their share of all rows, noise included.
    pub score: f64,
    /// Each cluster's validity, in -1 to 1, by ascending label.
    pub clusters: Vec<f64>,
}

/// Density-based cluster validation: whether clusters are denser inside than the regions between them.
///
/// Labels below 0 are noise. Euclidean distances. Never NaN: a cluster of one row (no density) and a
/// single cluster (no separation) score 0; and so does a cluster that has neither extent nor distance to another.
///
/// # Formula
/// With n rows in the cluster and D columns, a row's core distance is
/// a(x) = ((1 / (n − 1)) Σ over its other rows y of d(x, y)^−D)^(−1/D), equal rows left out; mutual reachability is
/// max(a(x), a(y), d(x, y)), and its minimum spanning tree's rows of more than one edge are internal. DSC is the
/// heaviest edge between internal rows (of all edges where there is none), DSPC the least mutual reachability between
/// internal rows of two clusters, and a cluster's validity (min DSPC − DSC) / max(min DSPC, DSC).
/// Moulavi, Jaskowiak, Campello, Zimek, Sander, "Density-based clustering validation", SDM 2014.
///
/// Many edges of that tree have equal weights, and the choice among them determines which rows are internal. Here ties go
/// to the densest row (the least a(x), then the nearest), so that the order of the rows does not matter; in Python's
/// hdbscan it does.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) when there is not a label for each row; the table errors;
/// [`Error::Cancelled`](crate::Error::Cancelled).
///
/// # Cost
/// O(n² columns) time, O(n) memory.
///
/// ```
/// use ndarray::Array2;
/// use recluster::{Run, validity::dbcv};
/// let rows = Array2::from_shape_fn((40, 2), |(i, j)| (i / 20 * 50 + (i * (j + 3)) % 7) as f32);
/// let halves: Vec<i32> = (0..40).map(|i| i / 20).collect();
/// let mixed: Vec<i32> = (0..40).map(|i| i % 2).collect();
/// assert!(dbcv(&rows, &halves, &Run::new())?.score > 0.5);
/// assert!(dbcv(&rows, &mixed, &Run::new())?.score < 0.0);
/// # Ok::<(), recluster::Error>(())
/// ```
pub fn dbcv(rows: &ArrayRef2<f32>, labels: &[i32], run: &Run) -> Result<Dbcv> {
    let rows = Rows::finite(rows)?;
    check_count("labels, one for each row", rows.len(), labels.len())?;
    let mut kinds: Vec<i32> = labels.iter().copied().filter(|&label| label >= 0).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let stage = run.stage("validity", rows.len());
    run.install(|| {
        let mut members: Vec<Vec<u32>> = vec![Vec::new(); kinds.len()];
        for &row in &Canonical::of(&rows).order {
            if let Ok(kind) = kinds.binary_search(&labels[row as usize]) {
                members[kind].push(row);
            }
        }
        let mut core = vec![0.0; rows.len()];
        let mut internal = Vec::with_capacity(members.len());
        for members in &members {
            for (&row, reach) in members.iter().zip(core_distances(&rows, members, &stage)?) {
                core[row as usize] = reach;
            }
            internal.push(InternalRows::new(&rows, members, &core, &stage)?);
        }
        let clusters = (0..members.len()).map(|c| {
            let others = internal.iter().enumerate().filter(|&(other, _)| other != c);
            let mut separation = f64::INFINITY;
            for (_, other) in others {
                separation = separation.min(least_reachability(&rows, &internal[c].rows, &other.rows, &core, &stage)?);
            }
            let sparseness = internal[c].sparseness;
            let most = separation.max(sparseness);
            let judged = members[c].len() > 1 && separation.is_finite() && most > 0.0;
            Ok(if judged { (separation - sparseness) / most } else { 0.0 })
        });
        let clusters: Vec<f64> = clusters.collect::<Result<_>>()?;
        let weighted = clusters.iter().zip(&members).map(|(v, members)| v * members.len() as f64);
        Ok(Dbcv { score: weighted.sum::<f64>() / rows.len() as f64, clusters })
    })?
}

fn squared(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (&x, &y)| {
        let gap = f64::from(x) - f64::from(y);
        sum + gap * gap
    })
}

/// All-points core distances of the members, in logarithms, so that no power of a distance overflows.
fn core_distances(rows: &Rows<'_>, members: &[u32], stage: &Stage<'_>) -> Result<Vec<f64>> {
    let half = rows.columns() as f64 / 2.0;
    let parts = parallel::map_ranges(members.len(), 32, |range| -> Result<Vec<f64>> {
        stage.check()?;
        let mut squares: Vec<f64> = Vec::with_capacity(members.len());
        let one = |i: usize| {
            squares.clear();
            let row = rows.row(members[i] as usize);
            squares.extend(members.iter().map(|&other| squared(row, rows.row(other as usize))).filter(|&d| d > 0.0));
            let least = squares.iter().copied().fold(f64::INFINITY, f64::min);
            if squares.is_empty() {
                return 0.0;
            }
            // Σ d^−D = least^−D Σ (least / d)^D
            let ln_least = libm::log(least);
            let sum: f64 = squares.iter().map(|&d| exp(half * (ln_least - libm::log(d)))).sum();
            least.sqrt() * exp((libm::log((members.len() - 1) as f64) - libm::log(sum)) / (2.0 * half))
        };
        Ok(range.map(one).collect())
    });
    let mut core = Vec::with_capacity(members.len());
    for part in parts {
        core.extend(part?);
    }
    Ok(core)
}

/// The internal rows of a cluster.
struct InternalRows {
    /// Internal rows.
    rows: Vec<u32>,
    /// The heaviest edge between them.
    sparseness: f64,
}

impl InternalRows {
    /// Prim's algorithm over the members, from the densest; of equal edges the one to the densest row.
    fn new(rows: &Rows<'_>, members: &[u32], core: &[f64], stage: &Stage<'_>) -> Result<Self> {
        let n = members.len();
        // Weight, core distance of the end in the tree, distance, that end.
        let mut lightest = vec![(f64::INFINITY, f64::INFINITY, f64::INFINITY, 0usize); n];
        let mut inside = vec![false; n];
        let mut edges: Vec<(usize, usize, f64)> = Vec::with_capacity(n.saturating_sub(1));
        let mut degree = vec![0u32; n];
        let denser = |a: usize, b: usize| if core[members[b] as usize] < core[members[a] as usize] { b } else { a };
        let mut newest = (0..n).reduce(denser).unwrap_or(0);
        for step in 1..n {
            inside[newest] = true;
            let from = members[newest] as usize;
            let row = rows.row(from);
            let small = n * rows.columns() < 100_000;
            let relax = |first: usize, lightest: &mut [(f64, f64, f64, usize)]| {
                for (i, known) in lightest.iter_mut().enumerate().filter(|(i, _)| !inside[first + i]) {
                    let to = members[first + i] as usize;
                    let distance = squared(row, rows.row(to)).sqrt();
                    let weight = distance.max(core[from]).max(core[to]);
                    if (weight, core[from], distance) < (known.0, known.1, known.2) {
                        *known = (weight, core[from], distance, newest);
                    }
                }
            };
            if small {
                relax(0, &mut lightest);
            } else {
                parallel::for_each_chunk(&mut lightest, 1024, |chunk, lightest| relax(chunk * 1024, lightest));
            }
            let open = (0..n).filter(|&i| !inside[i]);
            let key = |i: usize| (lightest[i].0, lightest[i].1, lightest[i].2);
            let lighter = |a: usize, b: usize| if key(b) < key(a) { b } else { a };
            let Some(next) = open.reduce(lighter) else { break };
            edges.push((lightest[next].3, next, lightest[next].0));
            degree[lightest[next].3] += 1;
            degree[next] += 1;
            newest = next;
            if step % 256 == 0 {
                stage.check()?;
            }
        }
        let heaviest =
            |edges: &mut dyn Iterator<Item = &(usize, usize, f64)>| edges.map(|edge| edge.2).reduce(f64::max);
        let among = heaviest(&mut edges.iter().filter(|edge| degree[edge.0] > 1 && degree[edge.1] > 1));
        let sparseness = among.or_else(|| heaviest(&mut edges.iter())).unwrap_or(0.0);
        let mut internal: Vec<u32> = (0..n).filter(|&i| degree[i] > 1).map(|i| members[i]).collect();
        if internal.is_empty() {
            internal = members.to_vec();
        }
        Ok(InternalRows { rows: internal, sparseness })
    }
}

/// Least mutual reachability between rows of two clusters.
fn least_reachability(rows: &Rows<'_>, a: &[u32], b: &[u32], core: &[f64], stage: &Stage<'_>) -> Result<f64> {
    let parts = parallel::map_ranges(a.len(), 64, |range| -> Result<f64> {
        stage.check()?;
        let one = |&from: &u32| {
            let row = rows.row(from as usize);
            let reach = |&to: &u32| squared(row, rows.row(to as usize)).sqrt().max(core[to as usize]);
            b.iter().map(reach).fold(f64::INFINITY, f64::min).max(core[from as usize])
        };
        Ok(a[range].iter().map(one).fold(f64::INFINITY, f64::min))
    });
    let mut least = f64::INFINITY;
    for part in parts {
        least = least.min(part?);
    }
    Ok(least)
}
