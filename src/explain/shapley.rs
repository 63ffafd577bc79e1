//! Shapley values and interactions of one leaf, for given hits.
//!
//! A leaf is a product game. Let D be the distinct features on its path, d of them. A feature's *ratio* r is the
//! share of its parent's cover that follows the path, multiplied over all splits on the feature; its *hit* o is 1 where
//! the row follows the path at all of these splits, else 0. A coalition S of features has the value
//! value · Π_{j in S} o_j · Π_{j in D, not in S} r_j, so the Shapley value of feature j is
//!
//! ```text
//! φ_j = value · (o_j - r_j) · ∫₀¹ Π_{i in D, i ≠ j} (t o_i + (1 - t) r_i) dt,
//! ```
//!
//! because the weight |S|! (d - 1 - |S|)! / d! of a coalition S of the others is ∫ t^|S| (1 - t)^(d - 1 - |S|) dt. The
//! integrand is a polynomial of degree d - 1 in t, so Gauss-Legendre quadrature with ⌈d / 2⌉ points is exact. There are
//! no divisions and all factors lie in 0 to 1, so small covers do no harm. The interaction of i and j, halved because
//! it is stored on both sides of the diagonal, is likewise ½ value (o_i - r_i) (o_j - r_j) ∫ Π_{k ≠ i, j} (t o_k + (1 -
//! t) r_k) dt.
//!
//! Against a background, r is the hit of a background row: 0 or 1. A feature that both rows hit has no effect, and a
//! feature that neither hits makes the leaf unreachable. Let a features be hit by the row alone and b by the background row
//! alone: a coalition has the leaf's value if it contains all of the a and none of the b, so that each of the a has
//! value · (a - 1)! b! / (a + b)! and each of the b has -value · a! (b - 1)! / (a + b)!. The background rows are counted by
//! pattern of hits once for each leaf; their number does not matter afterwards.

use super::paths::Leaf;
use super::quadrature::{LANES, Rule};

/// Coefficients that all leaves share.
#[derive(Clone, Debug, Default)]
pub(super) struct Coefficients {
    /// Quadrature rules, of 1, 2, ... [`EACH`] points, and then of twice as many as the one before.
    rules: Vec<Rule>,
    /// (a - 1)! b! / (a + b)! at row a (from 1), column b; empty where there is no background.
    weights: Vec<Vec<f64>>,
}

impl Coefficients {
    /// The rule for a path of so many distinct features: exact for polynomials of their degree.
    #[inline(always)]
    pub(super) fn rule(&self, features: usize) -> &Rule {
        &self.rules[number_of_rule(features)]
    }

    pub(super) fn new(longest: usize, background: bool) -> Self {
        let row = |a: usize| {
            let mut weight = 1.0 / a.max(1) as f64;
            let step = |b: usize| {
                weight *= if b == 0 { 1.0 } else { b as f64 / (a + b) as f64 };
                weight
            };
            (0..=longest - a.min(longest)).map(step).collect()
        };
        Coefficients {
            rules: (0..=number_of_rule(longest))
                .map(|i| Rule::new(if i < EACH { i + 1 } else { EACH << (i + 1 - EACH) }))
                .collect(),
            weights: if background { (0..=longest).map(row).collect() } else { Vec::new() },
        }
    }
}

/// Points up to which each number of them has its rule.
const EACH: usize = 32;

/// The number of the rule for so many distinct features, half as many points.
#[inline(always)]
fn number_of_rule(features: usize) -> usize {
    let points = features.div_ceil(2).max(1);
    if points <= EACH { points - 1 } else { EACH - 1 + (points.div_ceil(EACH)).next_power_of_two().ilog2() as usize }
}

/// Work space of one thread.
#[derive(Clone, Debug, Default)]
pub(super) struct Work {
    factors: Vec<[f64; LANES]>,
    before: Vec<[f64; LANES]>,
    sides: [Vec<u32>; 2],
}

#[inline(always)]
fn hit(hits: &[u64], j: usize) -> f64 {
    (hits[j / 64] >> (j % 64) & 1) as f64
}

#[inline(always)]
fn times(a: &[f64; LANES], b: &[f64; LANES]) -> [f64; LANES] {
    let mut product = [0.0; LANES];
    for lane in 0..LANES {
        product[lane] = a[lane] * b[lane];
    }
    product
}

#[inline(always)]
pub(super) fn add_up(lanes: [f64; LANES]) -> f64 {
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
}

impl Leaf {
    /// t o + (1 - t) r of one feature at the points of a rule.
    #[inline(always)]
    pub(super) fn factor(&self, group: &super::quadrature::Group, j: usize, o: f64) -> [f64; LANES] {
        let r = self.ratios[j];
        let mut factor = [0.0; LANES];
        for lane in 0..LANES {
            factor[lane] = group.t[lane] * o + group.rest[lane] * r;
        }
        factor
    }

    /// Shapley values of the leaf's features at the given hits.
    ///
    /// The products over all features but one come from running products from both ends.
    #[inline(always)]
    pub(super) fn shapley(&self, hits: &[u64], coefficients: &Coefficients, work: &mut Work, out: &mut [f64]) {
        let d = self.features.len();
        let out = &mut out[..d];
        out.fill(0.0);
        if let Some(background) = &self.background {
            let weights = &coefficients.weights;
            background.for_each_reaching(hits, d, &mut work.sides, |count, own, theirs| {
                let (a, b) = (own.len(), theirs.len());
                own.iter().for_each(|&j| out[j as usize] += count * weights[a][b]);
                theirs.iter().for_each(|&j| out[j as usize] -= count * weights[b][a]);
            });
            let scale = self.value / background.rows;
            return out.iter_mut().for_each(|value| *value *= scale);
        }
        let before = &mut work.before;
        before.resize(d.max(before.len()), [0.0; LANES]);
        for group in &coefficients.rule(d).groups {
            let mut running = [1.0; LANES];
            for j in 0..d {
                before[j] = running;
                running = times(&running, &self.factor(group, j, hit(hits, j)));
            }
            let mut running = group.weight;
            for j in (0..d).rev() {
                out[j] += add_up(times(&running, &before[j]));
                running = times(&running, &self.factor(group, j, hit(hits, j)));
            }
        }
        for j in 0..d {
            out[j] *= self.value * (hit(hits, j) - self.ratios[j]);
        }
    }

    /// Interactions of the leaf's features at the given hits, halved: that of places i < j at j (j - 1) / 2 + i.
    #[inline(always)]
    pub(super) fn pairs(&self, hits: &[u64], coefficients: &Coefficients, work: &mut Work, out: &mut [f64]) {
        let d = self.features.len();
        let out = &mut out[..d * d.saturating_sub(1) / 2];
        out.fill(0.0);
        if let Some(background) = &self.background {
            let weights = &coefficients.weights;
            let at = |i: u32, j: u32| {
                let (low, high) = (i.min(j) as usize, i.max(j) as usize);
                high * (high - 1) / 2 + low
            };
            background.for_each_reaching(hits, d, &mut work.sides, |count, own, theirs| {
                let (a, b) = (own.len(), theirs.len());
                for (n, &i) in own.iter().enumerate() {
                    own[..n].iter().for_each(|&j| out[at(i, j)] += count * weights[a - 1][b]);
                    theirs.iter().for_each(|&j| out[at(i, j)] -= count * weights[a][b - 1]);
                }
                for (n, &i) in theirs.iter().enumerate() {
                    theirs[..n].iter().for_each(|&j| out[at(i, j)] += count * weights[b - 1][a]);
                }
            });
            let scale = 0.5 * (self.value / background.rows);
            return out.iter_mut().for_each(|value| *value *= scale);
        }
        let Work { factors, before, .. } = work;
        factors.resize(d.max(factors.len()), [0.0; LANES]);
        before.resize(d.max(before.len()), [0.0; LANES]);
        for group in &coefficients.rule(d).groups {
            let mut running = [1.0; LANES];
            for j in 0..d {
                factors[j] = self.factor(group, j, hit(hits, j));
                before[j] = running;
                running = times(&running, &factors[j]);
            }
            let mut after = group.weight;
            for j in (1..d).rev() {
                let (mut running, start) = (after, j * (j - 1) / 2);
                for i in (0..j).rev() {
                    out[start + i] += add_up(times(&running, &before[i]));
                    running = times(&running, &factors[i]);
                }
                after = times(&after, &factors[j]);
            }
        }
        for j in 1..d {
            let scale = 0.5 * self.value * (hit(hits, j) - self.ratios[j]);
            for i in 0..j {
                out[j * (j - 1) / 2 + i] *= scale * (hit(hits, i) - self.ratios[i]);
            }
        }
    }
}
