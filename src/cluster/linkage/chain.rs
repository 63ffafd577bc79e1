//! Chains of nearest neighbours: from any cluster to its nearest, to that one's nearest and so on, until two are each
//! other's nearest; these are joined, and the chain goes on from what is left of it.
//!
//! For a linkage under which a union is never nearer to others than both its parts were, that finds the merges of the
//! greedy order, if not in that order: they are sorted by distance at the end. Ties go to the cluster before in the
//! chain, then to the lowest number by content.

use crate::cluster::spanning::{Norm, distance};
use crate::core::{Canonical, Result, Rows, Stage, parallel, simd};
use crate::neighbors::Metric;

/// Different rows up to which all their distances are held.
pub(super) const MOST_ROWS_OF_TABLE: usize = 20_000;

/// Work below which threads do not pay.
const SERIAL: usize = 1 << 15;
const LANES: usize = 8;

/// (group, group, distance), ascending.
pub(super) type Joins = Vec<(u32, u32, f64)>;

/// Follows chains over `n` clusters. `nearest(of, before)` finds the nearest living cluster of one, the one before it in
/// the chain if that is as near; `join(a, b)` puts b into a.
fn chains<S>(
    n: usize,
    state: &mut S,
    nearest: impl Fn(&S, u32, Option<u32>) -> (f64, u32),
    join: impl Fn(&mut S, u32, u32),
    stage: &Stage<'_>,
) -> Result<Joins> {
    let mut joins = Vec::with_capacity(n.saturating_sub(1));
    let mut chain: Vec<u32> = Vec::new();
    stage.check()?;
    while joins.len() + 1 < n {
        if chain.is_empty() {
            // A union keeps the lower number, so the first cluster is always there.
            chain.push(0);
        }
        let top = chain[chain.len() - 1];
        let before = chain.len().checked_sub(2).map(|at| chain[at]);
        let (distance, next) = nearest(state, top, before);
        if before != Some(next) {
            chain.push(next);
            continue;
        }
        chain.truncate(chain.len() - 2);
        let (a, b) = (top.min(next), top.max(next));
        join(state, a, b);
        joins.push((a, b, distance));
        if joins.len() % 256 == 0 {
            stage.step(joins.len())?;
        }
    }
    // Merges of one distance stay in the order in which they were found: a part comes before what it is part of.
    joins.sort_by(|a, b| a.2.total_cmp(&b.2));
    Ok(joins)
}

/// Means in panels of eight clusters: the columns one after the other, eight lanes each.
struct Means {
    panels: Vec<[f64; LANES]>,
    columns: usize,
    size: Vec<f64>,
    /// Cluster in each place; places are dense, so that the dead cost nothing.
    at: Vec<u32>,
    place: Vec<u32>,
}

impl Means {
    fn mean(&self, place: usize) -> impl Iterator<Item = f64> + '_ {
        let panel = &self.panels[place / LANES * self.columns..][..self.columns];
        panel.iter().map(move |lanes| lanes[place % LANES])
    }

    fn set(&mut self, place: usize, mean: &[f64], size: f64, cluster: u32) {
        let panel = &mut self.panels[place / LANES * self.columns..][..self.columns];
        panel.iter_mut().zip(mean).for_each(|(lanes, &x)| lanes[place % LANES] = x);
        self.size[place] = size;
        self.at[place] = cluster;
        self.place[cluster as usize] = place as u32;
    }

    fn len(&self) -> usize {
        self.at.len()
    }

    fn nearest(&self, of: u32, before: Option<u32>) -> (f64, u32) {
        let own = self.place[of as usize] as usize;
        let mean: Vec<f64> = self.mean(own).collect();
        let panels = self.len().div_ceil(LANES);
        let work = panels * LANES * self.columns;
        let search = |range: std::ops::Range<usize>| {
            let mut best = (f64::INFINITY, u32::MAX);
            let mut costs = [0.0; LANES];
            for panel in range {
                let first = panel * LANES;
                let there = &self.panels[panel * self.columns..(panel + 1) * self.columns];
                let last = (first + LANES).min(self.len());
                squares(&mean, there, &mut costs);
                for place in first..last {
                    let cost = costs[place - first] * (self.size[own] * self.size[place])
                        / (self.size[own] + self.size[place]);
                    if place != own && cost <= best.0 {
                        best = closer(best, (cost, self.at[place]), before);
                    }
                }
            }
            best
        };
        if work < SERIAL {
            return search(0..panels);
        }
        let parts = parallel::map_ranges(panels, (SERIAL / 2 / (LANES * self.columns)).max(1), search);
        parts.into_iter().fold((f64::INFINITY, u32::MAX), |best, part| closer(best, part, before))
    }

    fn join(&mut self, a: u32, b: u32) {
        let (x, y) = (self.place[a as usize] as usize, self.place[b as usize] as usize);
        let (p, q) = (self.size[x], self.size[y]);
        let mean: Vec<f64> = self.mean(x).zip(self.mean(y)).map(|(u, v)| (p * u + q * v) / (p + q)).collect();
        self.set(x, &mean, p + q, a);
        // The last place fills the gap.
        let last = self.len() - 1;
        if y != last {
            let moved: Vec<f64> = self.mean(last).collect();
            self.set(y, &moved, self.size[last], self.at[last]);
        }
        self.at.pop();
        self.size.pop();
    }
}

/// The nearer of two; of equally near ones the one before in the chain, else the lower number.
fn closer(best: (f64, u32), other: (f64, u32), before: Option<u32>) -> (f64, u32) {
    let first = |x: (f64, u32)| (Some(x.1) != before, x.1);
    if other.0 < best.0 || (other.0 == best.0 && first(other) < first(best)) { other } else { best }
}

simd::multiversion! {
    /// Squared distances of one mean to a panel's.
    fn squares(mean: &[f64], panel: &[[f64; LANES]], out: &mut [f64; LANES]) {
        let mut sums = [0.0f64; LANES];
        for (lanes, &x) in panel.iter().zip(mean) {
            for lane in 0..LANES {
                let gap = x - lanes[lane];
                sums[lane] += gap * gap;
            }
        }
        *out = sums;
    }
}

/// Ward's linkage, from means and sizes alone.
pub(super) fn ward(rows: &Rows<'_>, canonical: &Canonical, stage: &Stage<'_>) -> Result<Joins> {
    let (n, columns) = (canonical.groups(), rows.columns());
    let mut means = Means {
        panels: vec![[0.0; LANES]; n.div_ceil(LANES) * columns],
        columns,
        size: vec![0.0; n],
        at: vec![0; n],
        place: vec![0; n],
    };
    for g in 0..n {
        let row: Vec<f64> = rows.row(canonical.representative(g)).iter().map(|&x| f64::from(x)).collect();
        means.set(g, &row, canonical.weight(g) as f64, g as u32);
    }
    let nearest = |means: &Means, of: u32, before: Option<u32>| means.nearest(of, before);
    let mut joins = chains(n, &mut means, nearest, |means, a, b| means.join(a, b), stage)?;
    joins.iter_mut().for_each(|join| join.2 = (2.0 * join.2).sqrt());
    Ok(joins)
}

/// All distances between clusters, the lower triangle row after row.
struct Table {
    distances: Vec<f64>,
    size: Vec<f64>,
    alive: Vec<u32>,
}

impl Table {
    fn at(a: u32, b: u32) -> usize {
        let (low, high) = (a.min(b) as usize, a.max(b) as usize);
        high * (high - 1) / 2 + low
    }

    fn nearest(&self, of: u32, before: Option<u32>) -> (f64, u32) {
        let others = self.alive.iter().filter(|&&other| other != of);
        others.fold((f64::INFINITY, u32::MAX), |best, &other| {
            closer(best, (self.distances[Self::at(of, other)], other), before)
        })
    }

    fn join(&mut self, a: u32, b: u32, average: bool) {
        let (p, q) = (self.size[a as usize], self.size[b as usize]);
        self.size[a as usize] = p + q;
        if let Ok(place) = self.alive.binary_search(&b) {
            self.alive.remove(place);
        }
        for &other in self.alive.iter().filter(|&&other| other != a) {
            let (to, from) = (Self::at(a, other), self.distances[Self::at(b, other)]);
            let own = self.distances[to];
            self.distances[to] = match average {
                true => (p * own + q * from) / (p + q),
                false if own < from => from,
                false => own,
            };
        }
    }
}

/// Average or complete linkage, from the table of all distances.
pub(super) fn average_or_complete(
    rows: &Rows<'_>,
    canonical: &Canonical,
    average: bool,
    metric: Metric,
    stage: &Stage<'_>,
) -> Result<Joins> {
    let (n, norm) = (canonical.groups(), Norm::of(metric));
    let row = |g: usize| rows.row(canonical.representative(g));
    let mut distances = vec![0.0; n * (n - 1) / 2];
    parallel::for_each_chunk(&mut distances, 1 << 14, |chunk, out| {
        let first = chunk << 14;
        // The row of the triangle that holds an index, by the root of its equation, corrected in whole numbers.
        let mut high = ((1.0 + (1.0 + 8.0 * first as f64).sqrt()) / 2.0) as usize;
        while high * (high - 1) / 2 > first {
            high -= 1;
        }
        while (high + 1) * high / 2 <= first {
            high += 1;
        }
        let mut low = first - high * (high - 1) / 2;
        for out in out {
            *out = distance(metric, norm.measure(row(high), row(low)));
            low += 1;
            if low == high {
                (high, low) = (high + 1, 0);
            }
        }
    });
    let size = (0..n).map(|g| canonical.weight(g) as f64).collect();
    let mut table = Table { distances, size, alive: (0..n as u32).collect() };
    let nearest = |table: &Table, of: u32, before: Option<u32>| table.nearest(of, before);
    chains(n, &mut table, nearest, |table, a, b| table.join(a, b, average), stage)
}
