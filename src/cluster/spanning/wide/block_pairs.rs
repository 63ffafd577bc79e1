//! The comparison of two blocks: which of their pairs are lighter than the tree's path between them.

use super::blocks::{BLOCK, Blocks};
use super::exact::Exact;
use super::kruskal::Edge;
use super::vectors::VectorSpace;
use crate::cluster::spanning::kdtree::larger;
use crate::core::simd;

/// Everything a comparison of two blocks reads.
pub(super) struct Compare<'a> {
    pub(super) space: &'a VectorSpace,
    pub(super) blocks: &'a Blocks,
    pub(super) exact: Exact<'a>,
    /// Raw core distances by point, and in f32 by place, rounded down.
    pub(super) core: &'a [f64],
    pub(super) core_floor: &'a [f32],
    pub(super) gap: &'a [f64],
    /// Largest gap among each block's places, the one after its last included; and without that one.
    pub(super) block_gap: &'a [f64],
    pub(super) inner_gap: &'a [f64],
}

simd::multiversion! {
    /// Places in a row whose bound and core distance are both within the larger of the row's limit and their own, and
    /// within the cap. Limits come as (of the bound, of the core distance).
    fn open(
        bounds: &[f32],
        cores: &[f32],
        own: &[f32],
        own_core: &[f32],
        row: (f32, f32),
        cap: (f32, f32),
        found: &mut Vec<u32>,
    ) {
        let smaller = |a: f32, b: f32| if a < b { a } else { b };
        let greater = |a: f32, b: f32| if a > b { a } else { b };
        let n = bounds.len();
        let (cores, own, own_core) = (&cores[..n], &own[..n], &own_core[..n]);
        let is_open = |i: usize| {
            (bounds[i] <= smaller(greater(row.0, own[i]), cap.0))
                & (cores[i] <= smaller(greater(row.1, own_core[i]), cap.1))
        };
        let whole = n / 16 * 16;
        for first in (0..whole).step_by(16) {
            let mut any = false;
            for i in first..first + 16 {
                any |= is_open(i);
            }
            if any {
                found.extend((first..first + 16).filter(|&i| is_open(i)).map(|i| i as u32));
            }
        }
        found.extend((whole..n).filter(|&i| is_open(i)).map(|i| i as u32));
    }
}

simd::multiversion! {
    /// The least bound of a row.
    fn least(bounds: &[f32]) -> f32 {
        let (whole, rest) = bounds.as_chunks::<16>();
        let mut lanes = [f32::INFINITY; 16];
        for chunk in whole {
            for lane in 0..16 {
                lanes[lane] = if chunk[lane] < lanes[lane] { chunk[lane] } else { lanes[lane] };
            }
        }
        lanes.iter().chain(rest).fold(f32::INFINITY, |a, &b| if b < a { b } else { a })
    }
}

impl Compare<'_> {
    /// The largest gap between any place of one block and any of another.
    fn widest(&self, i: usize, j: usize) -> f64 {
        self.block_gap[i..=j].iter().fold(0.0, |a, &b| larger(a, b))
    }

    fn limits(&self, raw: f64) -> (f32, f32) {
        (self.space.limit(raw, 2.0 * self.blocks.slack), self.space.ceiling(raw))
    }

    /// Pairs of block i with block j, i <= j, that are lighter than the tree's way between them; `least_gap` is the least
    /// distance of their vectors. `left` is empty or holds block i as queries, `tile` is room for their bounds.
    pub(super) fn pairs(
        &self,
        i: usize,
        j: usize,
        least_gap: f64,
        tile: &mut Vec<f32>,
        left: &mut Vec<f32>,
    ) -> Vec<Edge> {
        let mut kept = Vec::new();
        let between = self.block_gap[i + 1..j.max(i + 1)].iter().fold(0.0, |a, &b| larger(a, b));
        if least_gap > self.space.reach(self.widest(i, j), 2.0 * self.blocks.slack) {
            return kept;
        }
        if left.is_empty() {
            *left = self.blocks.queries(i);
            tile.resize(BLOCK * BLOCK, 0.0);
        }
        self.blocks.tile(left, j, tile);
        let (here, there) = (self.blocks.places(i), self.blocks.places(j));
        let point = |place: usize| self.blocks.order[place];
        // The heaviest on the way from each place of block j back to its first, and of i on to its end and beyond.
        let mut own = Vec::with_capacity(there.len());
        let mut heaviest = 0.0;
        for place in there.clone() {
            own.push(heaviest);
            heaviest = larger(heaviest, self.gap[place]);
        }
        let mut ahead = vec![between; here.len()];
        let mut heaviest = between;
        for place in here.clone().rev() {
            heaviest = larger(heaviest, self.gap[place]);
            ahead[place - here.start] = heaviest;
        }
        // What one pair of two blocks weighs connects all their pairs, with the gaps inside. Pairs that are kept lower the
        // cap by their exact weight, one after the other, so that what is kept does not depend on how products round.
        let inside = larger(self.inner_gap[i], self.inner_gap[j]);
        let mut cap = f64::INFINITY;
        if i != j && ahead[0] > inside {
            // Nothing here can be lighter than any way: this costs little, and is so for most blocks.
            let rows = (0..here.len()).map(|q| least(&tile[q * BLOCK..q * BLOCK + there.len()]));
            if rows.fold(f32::INFINITY, |a, b| if b < a { b } else { a }) > self.limits(self.widest(i, j)).0 {
                return kept;
            }
        }
        let (mut own_limits, mut own_cores): (Vec<f32>, Vec<f32>) = own.iter().map(|&raw| self.limits(raw)).unzip();
        let mut cap_limit = self.limits(cap);
        let mut found = Vec::new();
        for q in 0..here.len() {
            let place = here.start + q;
            let from = point(place);
            let mut row = ahead[q];
            let mut skip = 0;
            if i == j {
                // On the way from this place onwards.
                (row, skip) = (0.0, q + 1);
                let mut heaviest = 0.0;
                for p in skip..there.len() {
                    heaviest = larger(heaviest, self.gap[there.start + p - 1]);
                    own[p] = heaviest;
                    (own_limits[p], own_cores[p]) = self.limits(heaviest);
                }
            }
            let widest = larger(row, own.last().copied().unwrap_or(0.0));
            if skip >= there.len() || self.core[from as usize] >= if widest < cap { widest } else { cap } {
                continue;
            }
            let bounds = &tile[q * BLOCK + skip..q * BLOCK + there.len()];
            let cores = &self.core_floor[there.start + skip..there.end];
            let limits = [&own_limits[skip..], &own_cores[skip..]];
            open(bounds, cores, limits[0], limits[1], self.limits(row), cap_limit, &mut found);
            for hit in found.drain(..) {
                let p = hit as usize + skip;
                let way = larger(row, own[p]);
                let bound = if way < cap { way } else { cap };
                if self.core[from as usize] >= bound || self.core[point(there.start + p) as usize] >= bound {
                    continue;
                }
                let (a, b) = (self.exact.point(from), self.exact.point(point(there.start + p)));
                if !self.exact.may_be_below(a, b, bound) {
                    continue;
                }
                let edge = Edge::new(self.core, self.exact.norm.measure(a, b), from, point(there.start + p));
                if edge.weight < bound {
                    kept.push(edge);
                    let lower = larger(edge.weight, inside);
                    if i != j && lower < cap {
                        cap = lower;
                        cap_limit = self.limits(cap);
                    }
                }
            }
        }
        kept
    }
}
