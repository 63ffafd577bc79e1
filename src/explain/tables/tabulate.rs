//! The table of a unit, leaf by leaf.

use crate::core::simd::multiversion;
use crate::explain::paths::{Leaf, MOST_BITS, Unit};
use crate::explain::quadrature::LANES;
use crate::explain::shapley::{Coefficients, Work, add_up};

multiversion! {
    /// The table of one leaf: for each feature its values at all patterns of hits.
    ///
    /// The integral for feature j is a sum over points of a product over the features below j times a product over those
    /// above, each shared by many patterns; all products are those of [`Leaf::shapley`], in the same order.
    pub(super) fn tabulate(leaf: &Leaf, coefficients: &Coefficients, work: &mut Work, table: &mut Vec<f64>) {
        let d = leaf.features.len();
        let patterns = 1usize << d;
        table.clear();
        table.resize(d << d, 0.0);
        let [group] = coefficients.rule(d).groups[..] else { return };
        if leaf.background.is_some() {
            let mut out = [0.0; MOST_BITS];
            for pattern in 0..patterns {
                leaf.shapley(&[pattern as u64][..leaf.words()], coefficients, work, &mut out);
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
    pub(super) fn insert(unit: &Unit, leaf: &Leaf, from: &[f64], to: &mut [f64]) {
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
            // Hits of the features above the unit as far as its splits allow, and hits of the other features.
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
