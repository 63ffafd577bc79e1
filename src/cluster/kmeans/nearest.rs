//! The nearest centre of each point, without measuring most of them.
//!
//! Lower bounds by groups of centres, after Hamerly (2010) and Ding et al., "Yinyang K-Means" (ICML 2015), where a group is
//! a panel of eight centres that one vector loop measures. A point keeps an upper bound u of the distance to its own
//! centre and, for each panel, a lower bound of the distance to the panel's other centres. When centres move, u grows by
//! its own centre's shift and the lower bounds fall by the largest shift of their panels; a panel whose bound stays above
//! u holds nothing nearer.
//!
//! What is looked at is measured in f32 first, |x − c'|² with the centre rounded to f32. By Higham's §3.1 the sum is
//! within a factor of 1 ± γ, γ = (columns + 4) 2⁻²³, of the true one, and |x − c| differs from |x − c'| by at most
//! |c − c'|. Only centres that these errors leave as candidates are measured in f64, and these measurements decide, ties to
//! the lowest number. All bounds leave room for rounding, so the result is what measuring everything in f64 gives.

use super::centers::{Centers, Drift, NONE, down, up};
use super::kernels::{LANES, Picked, ROWS, TILE, decay, least_of, roots, squared_to_own, tile};
use crate::core::parallel;

/// Points in a row, each with its centre and its bounds.
pub(super) struct Block {
    pub(super) first: usize,
    pub(super) label: Vec<u32>,
    upper: Vec<f64>,
    /// For each [`ROWS`] points the panels' bounds, panel after panel.
    lower: Vec<[f32; ROWS]>,
}

impl Block {
    /// Nothing known: the first search measures everything.
    pub(super) fn all(points: usize, size: usize, centers: &Centers) -> Vec<Block> {
        let firsts = (0..points).step_by(size.max(1));
        firsts.map(|first| Block::new(first, size.min(points - first), centers)).collect()
    }

    pub(super) fn new(first: usize, len: usize, centers: &Centers) -> Block {
        let lower = vec![[0.0; ROWS]; len.div_ceil(ROWS) * centers.panel_count()];
        Block { first, label: vec![0; len], upper: vec![f64::INFINITY; len], lower }
    }

    /// Labels alone.
    #[cfg(test)]
    pub(super) fn plain(points: usize, size: usize) -> Vec<Block> {
        let of = |first: usize| {
            let len = size.min(points - first);
            Block { first, label: vec![0; len], upper: Vec::new(), lower: Vec::new() }
        };
        (0..points).step_by(size).map(of).collect()
    }

    /// Assigns a point to a centre and drops its bounds.
    pub(super) fn assign(&mut self, point: usize, label: u32) {
        let at = point - self.first;
        self.label[at] = label;
        self.upper[at] = f64::INFINITY;
        let panels = self.lower.len() / self.label.len().div_ceil(ROWS);
        self.lower[at / ROWS * panels..][..panels].iter_mut().for_each(|lower| lower[at % ROWS] = 0.0);
    }
}

/// Finds the nearest centres of all blocks anew, the bounds having been true before the drift.
pub(super) fn update(centers: &Centers, data: &[f32], blocks: &mut [Block], drift: &Drift) {
    parallel::for_each_chunk(blocks, 1, |_, blocks| {
        for block in blocks {
            centers.update(data, block, drift);
        }
    });
}

impl Centers {
    pub(super) fn update(&self, data: &[f32], block: &mut Block, drift: &Drift) {
        let first = block.first;
        let row = |i: usize| &data[(first + i) * self.columns..(first + i + 1) * self.columns];
        if self.huge {
            for i in 0..block.label.len() {
                block.label[i] = (1..self.count() as u32)
                    .fold((self.squared(row(i), 0), 0), |best, c| {
                        let squared = self.squared(row(i), c);
                        if squared < best.0 { (squared, c) } else { best }
                    })
                    .1;
            }
            return;
        }
        let panels = self.panel_count();
        let (gamma, tiny) = self.rounding();
        let (mut doubtful, mut active) = (Picked::new(), Picked::new());
        let mut buffer = vec![[0.0f32; LANES]; ROWS * panels];
        let mut mins = vec![0.0f32; ROWS * panels];
        let (mut least, mut to_own, mut tight) = ([0.0; ROWS], [0.0; ROWS], [0.0; ROWS]);
        for start in (0..block.label.len()).step_by(ROWS) {
            let end = (start + ROWS).min(block.label.len());
            let (labels, upper) = (&block.label[start..end], &mut block.upper[start..end]);
            decay(&mut block.lower[start / ROWS * panels..][..panels], &drift.most, &mut least);
            for (upper, &label) in upper.iter_mut().zip(labels) {
                *upper = (*upper + drift.shift[label as usize]) * (1.0 + 1e-15);
            }
            doubtful.fill(0..end - start, |r| upper[r] >= f64::from(least[r]));
            let few = doubtful.all();
            let rows = &data[(first + start) * self.columns..(first + end) * self.columns];
            squared_to_own(rows, &self.rounded, self.columns, few, labels, &mut to_own);
            roots(&to_own[..few.len()], 1.0 + gamma, tiny, self.error, self.up(), &mut tight);
            few.iter().zip(&tight).for_each(|(&r, &tight)| upper[r] = tight);
            active.fill(few.iter().copied(), |r| upper[r] >= f64::from(least[r]));
            self.measure(rows, block, start, active.all(), &mut buffer, &mut mins);
            for (a, &r) in active.all().iter().enumerate() {
                let own = a * panels..(a + 1) * panels;
                self.decide(row(start + r), block, start + r, &buffer[own.clone()], &mut mins[own]);
            }
        }
    }

    /// Measures the panels that may hold something nearer, and finds the least of each; that of others is infinite, whatever
    /// the buffer holds.
    fn measure(
        &self,
        rows: &[f32],
        block: &Block,
        start: usize,
        active: &[usize],
        buffer: &mut [[f32; LANES]],
        mins: &mut [f32],
    ) {
        let panels = self.panel_count();
        let mut list = Picked::new();
        let mut out = [[0.0; LANES]; TILE];
        mins[..active.len() * panels].fill(f32::INFINITY);
        let row = |a: usize| &rows[active[a] * self.columns..(active[a] + 1) * self.columns];
        let upper = &block.upper[start..];
        for panel in 0..panels {
            let lower = &block.lower[start / ROWS * panels + panel];
            list.fill(0..active.len(), |a| f64::from(lower[active[a]]) <= upper[active[a]]);
            let lanes = &self.panels[panel * self.columns..(panel + 1) * self.columns];
            for four in list.all().chunks(TILE) {
                let rows = std::array::from_fn(|t| row(four[t.min(four.len() - 1)]));
                tile(rows, lanes, &mut out);
                for (&a, squared) in four.iter().zip(&out) {
                    buffer[a * panels + panel] = *squared;
                    mins[a * panels + panel] = least_of(squared);
                }
            }
        }
    }

    /// Decides the label of one point from its measured panels.
    fn decide(&self, row: &[f32], block: &mut Block, i: usize, squared: &[[f32; LANES]], mins: &mut [f32]) {
        let before = block.label[i];
        let panels = squared.len();
        let (gamma, tiny) = self.rounding();
        let least = mins.iter().fold(f32::INFINITY, |a, &b| if b < a { b } else { a });
        let found = (f64::from(least) * (1.0 + gamma) + tiny).sqrt() + self.error;
        let reach = if found < block.upper[i] { found } else { block.upper[i] } * self.up() + self.error;
        let limit = up(reach * reach * (1.0 + gamma) + tiny);
        // Its own centre is measured exactly once there is another candidate.
        let own = std::cell::LazyCell::new(|| self.squared(row, before));
        let mut best: Option<(f64, u32)> = None;
        for (panel, lanes) in squared.iter().enumerate().filter(|(panel, _)| mins[*panel] <= limit) {
            for (&center, &squared) in self.slot[panel * LANES..].iter().zip(lanes) {
                if squared <= limit && center != NONE && center != before {
                    let exact = self.squared(row, center);
                    let least = best.unwrap_or((*own, before));
                    let nearer = exact < least.0 || (exact == least.0 && center < least.1);
                    best = Some(if nearer { (exact, center) } else { least });
                }
            }
        }
        let label = best.map_or(before, |best| best.1);
        if let Some(best) = best {
            block.label[i] = label;
            block.upper[i] = best.0.sqrt() * self.up();
        }
        let former = if label == before { 0.0 } else { *own };
        let (own, old) = (self.place[label as usize] as usize, self.place[before as usize] as usize / LANES);
        // What was not measured keeps its bound.
        let measured = mins[own / LANES] < f32::INFINITY;
        if measured {
            let mut others = squared[own / LANES];
            others[own % LANES] = f32::INFINITY;
            mins[own / LANES] = least_of(&others);
        }
        let lower = &mut block.lower[i / ROWS * panels..][..panels];
        let r = i % ROWS;
        for (panel, (lower, &least)) in lower.iter_mut().map(|lower| &mut lower[r]).zip(mins.iter()).enumerate() {
            if least < f32::INFINITY || (measured && panel == own / LANES) {
                *lower = down((f64::from(least) * (1.0 - gamma) - tiny).max(0.0).sqrt() - self.error);
            }
        }
        if label != before {
            let former = down(former.sqrt() / self.up());
            lower[old][r] = if former < lower[old][r] { former } else { lower[old][r] };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::kmeans::centers::panels_of;
    use crate::core::random::Stream;

    /// Bounds kept over many moves of the centres give the labels that measuring everything gives.
    #[test]
    fn pruning_changes_nothing() {
        for (columns, count, scale) in
            [(1, 3, 1.0), (2, 9, 1e-3), (7, 30, 1e4), (33, 70, 1.0), (3, 8, 1e-24), (2, 5, 1e25)]
        {
            let draws = Stream::new(columns as u64, 9);
            let n = 700;
            // On a lattice, so that centres tie.
            let value = |at: usize| ((draws.normal(at as u64) * 3.0).round() * scale) as f32;
            let data: Vec<f32> = (0..n * columns).map(value).collect();
            let largest = data.iter().fold(0.0f32, |a, b| a.max(b.abs()));
            let mut exact: Vec<f64> = data[..count * columns].iter().map(|&x| f64::from(x)).collect();
            let slot = panels_of(&exact, columns);
            let mut centers = Centers::new(exact.clone(), columns, slot.clone(), largest);
            let mut blocks = Block::all(n, 300, &centers);
            let mut drift = Drift::none(&centers);
            for round in 0..40u64 {
                update(&centers, &data, &mut blocks, &drift);
                for block in &blocks {
                    for (i, &label) in block.label.iter().enumerate() {
                        let row = &data[(block.first + i) * columns..][..columns];
                        let all = (0..count as u32).map(|c| (centers.squared(row, c), c));
                        let best = all.fold((f64::INFINITY, 0), |a, b| if b.0 < a.0 { b } else { a });
                        assert_eq!(label, best.1, "{columns} columns, round {round}, point {i}");
                    }
                }
                let before = exact.clone();
                for (at, x) in exact.iter_mut().enumerate() {
                    let step = if round % 5 == 4 { 0.0 } else { 0.3 / (1 + round) as f64 };
                    *x += step * scale * draws.of(round).normal(at as u64);
                }
                centers = Centers::new(exact.clone(), columns, slot.clone(), largest);
                drift = Drift::between(&before, &centers);
            }
        }
    }
}
