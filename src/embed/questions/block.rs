//! One question as columns of the space.

use crate::core::Rows;
use crate::table::{Cycle, FeatureKind, Part, Scale};

/// The largest squared distance within a question, in units of its mean.
const MOST: f64 = 20.0;
/// Of so many values, one at each end counts as the next.
const WINSOR: usize = 200;
/// Levels of a smaller share than one in so many are taken together.
const RARE: usize = 100;
/// Numbers of which two random rows share one more often than this are compared as levels are.
const TIES: f64 = 0.05;

/// The columns of one question, around their means, 0 where it is missing; squared distances of two rows that have an answer
/// have the mean 1, or less for an answer that is rare.
pub(super) struct Block {
    pub(super) columns: Vec<Vec<f32>>,
    pub(super) missing: Vec<bool>,
    /// Whether many pairs of rows have the very same answer.
    pub(super) discrete: bool,
    /// Mean squared distance.
    pub(super) mean: f64,
    pub(super) weight: f64,
    pub(super) group: usize,
}

/// A feature's columns with what a distance in them is.
struct Coded {
    columns: Vec<Vec<f64>>,
    missing: Vec<bool>,
    /// Mean squared distance of two rows that have the answer.
    mean: f64,
    /// Largest squared distance.
    most: f64,
    kind: FeatureKind,
    discrete: bool,
}

impl Block {
    /// The question whose features are `parts`; rows in canonical order. None where all rows have the same answer, or where
    /// the question has no weight.
    pub(super) fn of(parts: &[Part], rows: &Rows<'_>, order: &[u32]) -> Option<Self> {
        let first = parts.first().filter(|part| part.weight > 0.0)?;
        let coded: Vec<Coded> = parts
            .iter()
            .map(|part| {
                let values: Vec<f32> = order.iter().map(|&row| rows.row(row as usize)[part.feature]).collect();
                Coded::of(part, &values)
            })
            .filter(|coded| coded.mean > 0.0)
            .collect();
        let missing = (0..order.len()).map(|row| coded.iter().any(|coded| coded.missing[row])).collect();
        let discrete = coded.iter().any(|coded| coded.discrete);
        // Flags of one question share one scale; what has a unit of its own has its own scale.
        let (flags, others): (Vec<Coded>, Vec<Coded>) =
            coded.into_iter().partition(|coded| coded.kind == FeatureKind::Flag);
        let scales = usize::from(!flags.is_empty()) + others.len();
        let mut block =
            Block { columns: Vec::new(), missing, discrete, mean: 0.0, weight: first.weight, group: first.group };
        block.push(&flags, scales);
        others.iter().for_each(|coded| block.push(std::slice::from_ref(coded), scales));
        // Half an answer is none: its other half would pass for one in the middle.
        for (row, _) in block.missing.iter().enumerate().filter(|(_, missing)| **missing) {
            block.columns.iter_mut().for_each(|column| column[row] = 0.0);
        }
        (!block.columns.is_empty()).then_some(block)
    }

    /// Adds features of one scale of `scales`.
    fn push(&mut self, coded: &[Coded], scales: usize) {
        let mean: f64 = coded.iter().map(|coded| coded.mean).sum();
        let most = coded.iter().map(|coded| coded.most).fold(0.0, f64::max);
        let share = 1.0 / (mean.max(most / MOST) * scales as f64);
        if share > 0.0 && share.is_finite() {
            self.mean += mean * share;
            let narrow = |column: &Vec<f64>| column.iter().map(|x| (x * share.sqrt()) as f32).collect();
            self.columns.extend(coded.iter().flat_map(|coded| &coded.columns).map(narrow));
        }
    }
}

impl Coded {
    fn of(part: &Part, values: &[f32]) -> Self {
        let (columns, mean, most) = match part.kind {
            FeatureKind::Category => Self::levels(values, part.levels),
            FeatureKind::Cycle(cycle) => Self::circle(values, cycle),
            FeatureKind::Ordinal => Self::line(ranked(values)),
            FeatureKind::Flag => Self::line(wide(values)),
            _ => Self::line(scaled(values, part.scale)),
        };
        let levels = matches!(part.kind, FeatureKind::Category | FeatureKind::Ordinal | FeatureKind::Flag);
        let missing = values.iter().map(|x| x.is_nan()).collect();
        Coded { columns, missing, mean, most, kind: part.kind, discrete: levels || ties(values) > TIES }
    }

    /// A column on a line.
    fn line(values: Vec<f64>) -> (Vec<Vec<f64>>, f64, f64) {
        let present = || values.iter().copied().filter(|x| !x.is_nan());
        let (low, high) = (present().fold(f64::INFINITY, f64::min), present().fold(f64::NEG_INFINITY, f64::max));
        let (centred, variance) = centred(values);
        let spread = if high > low { high - low } else { 0.0 };
        let mean = if spread > 0.0 { 2.0 * variance } else { 0.0 };
        (vec![centred], mean, spread * spread)
    }

    /// A column for each level that a hundredth of the rows or more have, and one for all others together.
    fn levels(values: &[f32], levels: usize) -> (Vec<Vec<f64>>, f64, f64) {
        let mut counts = vec![0usize; levels];
        for &value in values.iter().filter(|x| !x.is_nan()) {
            if let Some(count) = counts.get_mut(value as usize) {
                *count += 1;
            }
        }
        let all = counts.iter().sum::<usize>();
        let common: Vec<usize> =
            (0..levels).filter(|&level| counts[level] * RARE >= all && counts[level] > 0).collect();
        let rare = all - common.iter().map(|&level| counts[level]).sum::<usize>();
        let mut place = vec![common.len(); levels];
        common.iter().enumerate().for_each(|(at, &level)| place[level] = at);
        let shares: Vec<f64> = common
            .iter()
            .map(|&level| counts[level])
            .chain((rare > 0).then_some(rare))
            .map(|n| n as f64 / all as f64)
            .collect();
        let column = |(at, share): (usize, &f64)| {
            let value = |x: &f32| match place.get(*x as usize) {
                Some(&place) if !x.is_nan() => f64::from(u8::from(place == at)) - share,
                _ => 0.0,
            };
            values.iter().map(value).collect()
        };
        let columns: Vec<Vec<f64>> = shares.iter().enumerate().map(column).collect();
        let equal: f64 = shares.iter().map(|share| share * share).sum();
        let mean = if columns.len() > 1 { 2.0 * (1.0 - equal) } else { 0.0 };
        (columns, mean, 2.0)
    }

    /// A point on a circle.
    fn circle(values: &[f32], cycle: Cycle) -> (Vec<Vec<f64>>, f64, f64) {
        let period = match cycle {
            Cycle::Day => 24.0,
            Cycle::Week => 7.0,
            Cycle::Year => 366.0,
        };
        let angle = |x: &f32| f64::from(*x) / period * std::f64::consts::TAU;
        let (x, of_x) = centred(values.iter().map(|v| libm::cos(angle(v))).collect());
        let (y, of_y) = centred(values.iter().map(|v| libm::sin(angle(v))).collect());
        // Rounding leaves a spread where all rows are at one place.
        let mean = 2.0 * (of_x + of_y);
        (vec![x, y], if mean > 1e-12 { mean } else { 0.0 }, 4.0)
    }
}

/// Values around their mean, 0 where they are missing, and their variance.
fn centred(mut values: Vec<f64>) -> (Vec<f64>, f64) {
    let (mut sum, mut count) = (0.0, 0.0f64);
    for &value in values.iter().filter(|x| !x.is_nan()) {
        sum += value;
        count += 1.0;
    }
    let mean = sum / count.max(1.0);
    let mut square = 0.0;
    for value in &mut values {
        *value = if value.is_nan() { 0.0 } else { *value - mean };
        square += *value * *value;
    }
    (values, square / count.max(1.0))
}

/// How often two random rows have the same value.
fn ties(values: &[f32]) -> f64 {
    let mut sorted: Vec<f32> = values.iter().copied().filter(|x| !x.is_nan()).collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let all = sorted.len().max(1) as f64;
    sorted.chunk_by(|a, b| a == b).map(|same| (same.len() as f64 / all) * (same.len() as f64 / all)).sum()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| x.into()).collect()
}

/// Numbers on their scale, those far out brought in.
fn scaled(values: &[f32], scale: Scale) -> Vec<f64> {
    let mut values = match scale {
        Scale::Linear => wide(values),
        // Below 0, which a later table may have, the scale goes on as on the other side.
        Scale::Log => values.iter().map(|&x| libm::copysign(libm::log1p(f64::from(x).abs()), x.into())).collect(),
        Scale::Rank => return ranked(values),
    };
    let mut sorted: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let end = sorted.len() / WINSOR;
    if let (Some(&low), Some(&high)) = (sorted.get(end), sorted.get(sorted.len().wrapping_sub(1 + end)))
        && low < high
    {
        values.iter_mut().for_each(|x| *x = x.clamp(low, high));
    }
    values
}

/// For each value the share of values below it, equal ones counting half.
fn ranked(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<u32> = (0..values.len() as u32).filter(|&i| !values[i as usize].is_nan()).collect();
    order.sort_unstable_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]).then(a.cmp(&b)));
    let mut ranks = vec![f64::NAN; values.len()];
    let all = order.len().max(1) as f64;
    let mut below = 0;
    for ties in order.chunk_by(|&a, &b| values[a as usize] == values[b as usize]) {
        let rank = (below as f64 + 0.5 * ties.len() as f64) / all;
        ties.iter().for_each(|&i| ranks[i as usize] = rank);
        below += ties.len();
    }
    ranks
}
