//! Means of clusters, kept up to date by the points that changed clusters.
//!
//! Sums are whole numbers, in units of a column's own: nothing is rounded but the values, once, to 2⁻⁴⁰ or so of the
//! column's largest (61 bits less those of the total weight). So the order of additions does not matter, what was added
//! can be taken off again, and a point that stays costs nothing.

use super::nearest::Block;
use super::points::Points;
use crate::core::{parallel, simd};

/// Changes that are worth being shared out.
const MANY: usize = 8192;
/// Parts that they are shared out in.
const PARTS: usize = 8;
const NONE: u32 = u32::MAX;

/// Sums and weights of the clusters.
pub(super) struct Means<'a> {
    points: &'a Points,
    /// Units in 1, by column: a power of two.
    units: Vec<f64>,
    sums: Sums,
    /// The cluster whose sums each point is in.
    counted: Vec<u32>,
}

struct Sums {
    columns: usize,
    /// Clusters x columns.
    values: Vec<i64>,
    weights: Vec<i64>,
}

/// A point that goes from one cluster to another.
struct Change {
    point: u32,
    from: u32,
    to: u32,
}

simd::multiversion! {
    /// A row in units, times its weight.
    fn in_units(row: &[f32], units: &[f64], weight: i64, out: &mut [i64]) {
        for ((out, &x), unit) in out.iter_mut().zip(row).zip(units) {
            *out = (f64::from(x) * unit).round_ties_even() as i64 * weight;
        }
    }
}

impl Sums {
    fn new(clusters: usize, columns: usize) -> Self {
        Sums { columns, values: vec![0; clusters * columns], weights: vec![0; clusters] }
    }

    fn of(&mut self, cluster: u32) -> (&mut [i64], &mut i64) {
        let c = cluster as usize;
        (&mut self.values[c * self.columns..(c + 1) * self.columns], &mut self.weights[c])
    }

    fn apply(&mut self, changes: &[Change], points: &Points, units: &[f64]) {
        let mut row = vec![0; self.columns];
        for change in changes {
            let point = change.point as usize;
            let weight = points.weight[point] as i64;
            in_units(points.row(point), units, weight, &mut row);
            if change.from != NONE {
                let (sums, weights) = self.of(change.from);
                sums.iter_mut().zip(&row).for_each(|(sum, x)| *sum -= x);
                *weights -= weight;
            }
            let (sums, weights) = self.of(change.to);
            sums.iter_mut().zip(&row).for_each(|(sum, x)| *sum += x);
            *weights += weight;
        }
    }

    fn merge(&mut self, other: &Sums) {
        self.values.iter_mut().zip(&other.values).for_each(|(a, b)| *a += b);
        self.weights.iter_mut().zip(&other.weights).for_each(|(a, b)| *a += b);
    }
}

impl<'a> Means<'a> {
    pub(super) fn new(points: &'a Points, clusters: usize) -> Self {
        let columns = points.columns;
        let parts = parallel::map_ranges(points.len(), points.block, |range| {
            range.fold(vec![0.0f32; columns], |mut most, i| {
                most.iter_mut().zip(points.row(i)).for_each(|(m, x)| *m = if x.abs() > *m { x.abs() } else { *m });
                most
            })
        });
        let largest = parts.into_iter().fold(vec![0.0f32; columns], |mut most, part| {
            most.iter_mut().zip(part).for_each(|(m, x)| *m = if x > *m { x } else { *m });
            most
        });
        // 2^bits and 2^exponent are above the total weight and the largest value.
        let (_, bits) = libm::frexp(points.weight.iter().sum());
        let unit = |&x: &f32| libm::scalbn(1.0, 61 - bits - libm::frexp(f64::from(x)).1);
        let units = largest.iter().map(unit).collect();
        Means { points, units, sums: Sums::new(clusters, columns), counted: vec![NONE; points.len()] }
    }

    /// Means of the clusters, each of which has a point.
    pub(super) fn update(&mut self, blocks: &[Block]) -> Vec<f64> {
        let (points, counted) = (self.points, &self.counted);
        let changes = parallel::map(blocks.len(), |b| {
            let block = &blocks[b];
            let pairs = block.label.iter().zip(&counted[block.first..]).enumerate();
            let changed = pairs.filter(|(_, (to, from))| to != from);
            changed.map(|(i, (&to, &from))| Change { point: (block.first + i) as u32, from, to }).collect::<Vec<_>>()
        });
        let changes: Vec<Change> = changes.into_iter().flatten().collect();
        let (clusters, columns) = (self.sums.weights.len(), points.columns);
        if changes.len() < MANY {
            self.sums.apply(&changes, points, &self.units);
        } else {
            let units = &self.units;
            let parts = parallel::map_ranges(changes.len(), changes.len().div_ceil(PARTS), |range| {
                let mut sums = Sums::new(clusters, columns);
                sums.apply(&changes[range], points, units);
                sums
            });
            parts.iter().for_each(|part| self.sums.merge(part));
        }
        changes.iter().for_each(|change| self.counted[change.point as usize] = change.to);
        let mut means = Vec::with_capacity(clusters * columns);
        for (sums, &weight) in self.sums.values.chunks_exact(columns).zip(&self.sums.weights) {
            means.extend(sums.iter().zip(&self.units).map(|(&sum, unit)| sum as f64 / weight as f64 / unit));
        }
        means
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Run;
    use crate::core::random::Stream;
    use crate::core::{Canonical, Rows};
    use ndarray::Array2;

    /// Kept up to date or made anew, the means have the same bits, and they are the means.
    #[test]
    fn means_follow_their_points() {
        let draws = Stream::new(3, 4);
        for (n, columns, scale, offset) in
            [(500, 3, 1.0, 0.0), (20_000, 2, 1e-30, 0.0), (700, 5, 1e30, 0.0), (900, 2, 1.0, 1e6)]
        {
            // Some rows several times.
            let value =
                |(i, c): (usize, usize)| (offset + scale * draws.of((i % (n - n / 9)) as u64).normal(c as u64)) as f32;
            let table = Array2::from_shape_fn((n, columns), value);
            let rows = Rows::finite(&table).unwrap();
            let points = Points::new(&rows, &Canonical::of(&rows));
            let clusters = 7;
            let mut kept = Means::new(&points, clusters);
            for round in 0..4u64 {
                let mut blocks = Block::plain(points.len(), points.block);
                let mut labels = Vec::new();
                for block in &mut blocks {
                    for (i, label) in block.label.iter_mut().enumerate() {
                        let point = (block.first + i) as u64;
                        let moved = draws.of(7).of(round).below(point, 10) == 0;
                        *label = ((point + if moved { round } else { 0 }) % clusters as u64) as u32;
                        labels.push(*label as usize);
                    }
                }
                let means = kept.update(&blocks);
                assert_eq!(means, Means::new(&points, clusters).update(&blocks));
                for cluster in 0..clusters {
                    for c in 0..columns {
                        let own = || (0..points.len()).filter(|&i| labels[i] == cluster);
                        let weight: f64 = own().map(|i| points.weight[i]).sum();
                        let sum: f64 = own().map(|i| points.weight[i] * f64::from(points.row(i)[c])).sum();
                        let off = (means[cluster * columns + c] - sum / weight).abs();
                        assert!(off <= 1e-11 * (scale + offset), "{n} x {columns}: {off}");
                    }
                }
            }
        }
        // A cluster of equal values has that value for its mean.
        let table = Array2::from_shape_fn((40, 1), |(i, _)| if i % 2 == 0 { 0.1 } else { 3e7 + i as f32 });
        let model = super::super::KMeans::new(2).fit(&table, &Run::new()).unwrap();
        assert!(model.centers().iter().any(|&x| x == f64::from(0.1f32)));
    }
}
