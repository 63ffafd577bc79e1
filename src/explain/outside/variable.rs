//! One variable: its figures, and its tests.

use super::groups::{Groups, Size, Value};
use super::{OutsideCell, OutsideMeasure, OutsidePart, OutsideTest, OutsideTestKind, OutsideVariable};
use crate::core::inference::{Z95, chi_square_tail, wilson};
use crate::table::{Feature, FeatureKind};

/// Cochran's rule: at most a fifth of the expected counts may be below this.
const EXPECTED: f64 = 5.0;

pub(super) fn of(feature: &Feature, mut groups: Groups, least: usize) -> OutsideVariable {
    groups.sort();
    let mut found = match feature.kind() {
        FeatureKind::Number | FeatureKind::Date => averages(&groups, least),
        kind => shares(feature, kind == FeatureKind::Ordinal, &groups, least),
    };
    found.parts.extend(missing(&groups, least));
    OutsideVariable {
        name: feature.name().to_string(),
        rows: groups.values.len(),
        test: found.test,
        q_value: None,
        differs: false,
        parts: found.parts,
    }
}

struct Found {
    test: Option<OutsideTest>,
    parts: Vec<OutsidePart>,
}

/// Mean and median, and the test of ranks.
fn averages(groups: &Groups, least: usize) -> Found {
    let (_, sizes) = groups.sizes();
    let ranks = Ranks::of(groups, &sizes, least);
    let by_cluster = split(groups);
    let mut mean_cells = Vec::new();
    let mut median_cells = Vec::new();
    for (cluster, (values, size)) in by_cluster.iter().zip(&sizes).enumerate() {
        let untold = OutsideCell { rows: size.rows, effective_rows: size.effective(), ..OutsideCell::default() };
        if size.rows < least {
            mean_cells.push(untold);
            median_cells.push(untold);
            continue;
        }
        let (mean, deviation) = moments(values);
        let half = Z95 * deviation / size.effective().sqrt();
        let q_value = ranks.as_ref().and_then(|ranks| ranks.against_others(cluster));
        mean_cells.push(OutsideCell {
            estimate: Some(mean),
            interval: Some([mean - half, mean + half]),
            q_value,
            ..untold
        });
        median_cells.push(OutsideCell { estimate: median(values), ..untold });
    }
    let part = |measure, all, cells| OutsidePart { measure, level: None, all, cells };
    let all: Vec<&Value> = groups.values.iter().collect();
    let mean = (!all.is_empty()).then(|| moments(&all).0);
    Found {
        test: ranks.map(|ranks| ranks.test()),
        parts: vec![
            part(OutsideMeasure::Mean, mean, mean_cells),
            part(OutsideMeasure::Median, median(&all), median_cells),
        ],
    }
}

fn split(groups: &Groups) -> Vec<Vec<&Value>> {
    let mut by_cluster = vec![Vec::new(); groups.clusters];
    for value in &groups.values {
        if let Some(cluster) = value.cluster {
            by_cluster[cluster as usize].push(value);
        }
    }
    by_cluster
}

/// Weighted mean, and standard deviation as of a sample.
fn moments(values: &[&Value]) -> (f64, f64) {
    let mut size = Size::default();
    let mut sum = 0.0;
    for value in values {
        size.add(value.weight);
        sum += value.weight * value.value;
    }
    let mean = sum / size.weight;
    let squares: f64 = values.iter().map(|value| value.weight * (value.value - mean).powi(2)).sum();
    let n = size.effective();
    let variance = if n > 1.0 { squares / size.weight * n / (n - 1.0) } else { 0.0 };
    (mean, variance.sqrt())
}

/// The middle of sorted values by weight: where half of it lies on either side, between two values if need be.
fn median(sorted: &[&Value]) -> Option<f64> {
    let half = sorted.iter().map(|value| value.weight).sum::<f64>() / 2.0;
    let mut below = 0.0;
    for (place, value) in sorted.iter().enumerate() {
        below += value.weight;
        if below > half {
            return Some(value.value);
        }
        if below == half {
            let next = sorted.get(place + 1).unwrap_or(value);
            return Some(value.value / 2.0 + next.value / 2.0);
        }
    }
    sorted.last().map(|value| value.value)
}

/// Ranks of the rows of clusters that have rows enough, as shares of the rows below and half of those that are equal.
struct Ranks {
    /// Mean rank and share of each cluster that takes part.
    clusters: Vec<Option<(f64, f64)>>,
    /// Variance of all ranks around one half.
    variance: f64,
    effective: f64,
}

impl Ranks {
    fn of(groups: &Groups, sizes: &[Size], least: usize) -> Option<Self> {
        let taking_part = |value: &&Value| value.cluster.is_some_and(|c| sizes[c as usize].rows >= least);
        let values: Vec<&Value> = groups.values.iter().filter(taking_part).collect();
        let mut all = Size::default();
        values.iter().for_each(|value| all.add(value.weight));
        let (mut below, mut variance) = (0.0, 0.0);
        let mut sums = vec![0.0; sizes.len()];
        for equal in values.chunk_by(|a, b| a.value == b.value) {
            let weight: f64 = equal.iter().map(|value| value.weight).sum();
            let rank = (below + weight / 2.0) / all.weight;
            variance += weight / all.weight * (rank - 0.5).powi(2);
            for value in equal {
                if let Some(cluster) = value.cluster {
                    sums[cluster as usize] += value.weight * (rank - 0.5);
                }
            }
            below += weight;
        }
        let cluster =
            |(sum, size): (f64, &Size)| (size.rows >= least).then(|| (sum / size.weight, size.weight / all.weight));
        let clusters: Vec<_> = sums.into_iter().zip(sizes).map(cluster).collect();
        let several = clusters.iter().flatten().count() > 1;
        (several && variance > 0.0).then_some(Ranks { clusters, variance, effective: all.effective() })
    }

    fn test(&self) -> OutsideTest {
        let between: f64 = self.clusters.iter().flatten().map(|(mean, share)| share * mean * mean).sum();
        let effect = (between / self.variance).min(1.0);
        let statistic = (self.effective - 1.0).max(0.0) * effect;
        let degrees = self.clusters.iter().flatten().count() - 1;
        let kind = OutsideTestKind::KruskalWallis;
        OutsideTest { kind, statistic, degrees, p_value: chi_square_tail(statistic, degrees), effect }
    }

    /// p-value of the same test of one cluster against all others.
    fn against_others(&self, cluster: usize) -> Option<f64> {
        let (mean, share) = self.clusters[cluster]?;
        let between = share * mean * mean / (1.0 - share);
        (share < 1.0).then(|| chi_square_tail((self.effective - 1.0).max(0.0) * (between / self.variance).min(1.0), 1))
    }
}

/// Shares of levels, and their test.
fn shares(feature: &Feature, ordinal: bool, groups: &Groups, least: usize) -> Found {
    let levels = feature.parts();
    let (all, sizes) = groups.sizes();
    let mut counts = vec![vec![0.0; levels.len()]; groups.clusters];
    let mut total = vec![0.0; levels.len()];
    for value in &groups.values {
        let Some(level) = feature.part_of(value.value) else { continue };
        total[level] += value.weight;
        if let Some(cluster) = value.cluster {
            counts[cluster as usize][level] += value.weight;
        }
    }
    let table = Table::of(&counts, &sizes, least);
    let test = match ordinal {
        true => Ranks::of(groups, &sizes, least).map(|ranks| ranks.test()),
        false => table.test(),
    };
    // No of a flag says what yes says.
    let shown = if feature.kind() == FeatureKind::Flag { 1..levels.len() } else { 0..levels.len() };
    let part = |level: usize| {
        let whole = (all.weight > 0.0).then(|| total[level] / all.weight);
        let cell = |cluster: usize| OutsideCell {
            q_value: test.and_then(|_| table.against_others(cluster, level)),
            ..share(counts[cluster][level], sizes[cluster], whole, least)
        };
        let cells = (0..groups.clusters).map(cell).collect();
        OutsidePart { measure: OutsideMeasure::Share, level: Some(levels[level].clone()), all: whole, cells }
    };
    Found { test, parts: shown.map(part).collect() }
}

/// A share with its interval, untested.
fn share(count: f64, size: Size, all: Option<f64>, least: usize) -> OutsideCell {
    let untold = OutsideCell { rows: size.rows, effective_rows: size.effective(), ..OutsideCell::default() };
    if size.rows < least {
        return untold;
    }
    let here = (count / size.weight).min(1.0);
    let index = all.filter(|all| *all > 0.0).map(|all| 100.0 * here / all);
    OutsideCell { estimate: Some(here), interval: Some(wilson(here, size.effective())), index, ..untold }
}

fn missing(groups: &Groups, least: usize) -> Option<OutsidePart> {
    let (all, sizes) = groups.sizes();
    let everyone = all.and(groups.missing);
    let whole = (groups.missing.rows > 0).then(|| groups.missing.weight / everyone.weight)?;
    let cell = |(own, missing): (&Size, &Size)| share(missing.weight, own.and(*missing), Some(whole), least);
    let cells = sizes.iter().zip(&groups.missing_in).map(cell).collect();
    Some(OutsidePart { measure: OutsideMeasure::Missing, level: None, all: Some(whole), cells })
}

/// Weights of clusters that have rows enough, by level.
struct Table {
    /// Shares of all, cluster by level; none of clusters that do not take part.
    clusters: Vec<Option<Vec<f64>>>,
    levels: Vec<f64>,
    effective: f64,
}

impl Table {
    fn of(counts: &[Vec<f64>], sizes: &[Size], least: usize) -> Self {
        let all = sizes.iter().filter(|size| size.rows >= least).fold(Size::default(), |sum, size| sum.and(*size));
        let share = |(counts, size): (&Vec<f64>, &Size)| {
            (size.rows >= least).then(|| counts.iter().map(|count| count / all.weight).collect::<Vec<f64>>())
        };
        let clusters: Vec<Option<Vec<f64>>> = counts.iter().zip(sizes).map(share).collect();
        let mut levels = vec![0.0; counts.first().map_or(0, Vec::len)];
        for own in clusters.iter().flatten() {
            levels.iter_mut().zip(own).for_each(|(sum, share)| *sum += share);
        }
        Table { clusters, levels, effective: all.effective() }
    }

    /// Pearson's test, rare levels counted together.
    fn test(&self) -> Option<OutsideTest> {
        let sum = |own: &&Vec<f64>| own.iter().sum::<f64>();
        let clusters: Vec<&Vec<f64>> = self.clusters.iter().flatten().filter(|own| sum(own) > 0.0).collect();
        let rows: Vec<f64> = clusters.iter().map(sum).collect();
        // Levels from the most frequent on; the last of `groups` is that of the rare ones.
        let mut order: Vec<usize> = (0..self.levels.len()).filter(|&level| self.levels[level] > 0.0).collect();
        order.sort_by(|&a, &b| self.levels[b].total_cmp(&self.levels[a]).then(a.cmp(&b)));
        let mut groups: Vec<Vec<usize>> = order.into_iter().map(|level| vec![level]).collect();
        let few = |groups: &[Vec<usize>]| {
            let share = |group: &Vec<usize>| group.iter().map(|&level| self.levels[level]).sum::<f64>();
            let expected = groups.iter().flat_map(|group| rows.iter().map(move |row| row * share(group)));
            5 * expected.filter(|expected| expected * self.effective < EXPECTED).count() > groups.len() * rows.len()
        };
        while groups.len() > 2 && few(&groups) {
            let rarest = groups.pop()?;
            groups.last_mut()?.extend(rarest);
        }
        let degrees = groups.len().saturating_sub(1) * clusters.len().saturating_sub(1);
        if degrees == 0 {
            return None;
        }
        let mut phi = 0.0;
        for group in &groups {
            let column: f64 = group.iter().map(|&level| self.levels[level]).sum();
            for (own, row) in clusters.iter().zip(&rows) {
                let found: f64 = group.iter().map(|&level| own[level]).sum();
                phi += (found - row * column).powi(2) / (row * column);
            }
        }
        let statistic = self.effective * phi;
        let effect = (phi / (groups.len().min(clusters.len()) - 1) as f64).sqrt().min(1.0);
        let kind = OutsideTestKind::ChiSquare;
        Some(OutsideTest { kind, statistic, degrees, p_value: chi_square_tail(statistic, degrees), effect })
    }

    /// p-value of the same test of one level and all others in one cluster and all others.
    fn against_others(&self, cluster: usize, level: usize) -> Option<f64> {
        let own = self.clusters[cluster].as_ref()?;
        let (row, column): (f64, f64) = (own.iter().sum(), self.levels[level]);
        let within = row > 0.0 && row < 1.0 && column > 0.0 && column < 1.0;
        within.then(|| {
            let phi = (own[level] - row * column).powi(2) / (row * (1.0 - row) * column * (1.0 - column));
            chi_square_tail(self.effective * phi, 1)
        })
    }
}
