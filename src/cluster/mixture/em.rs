//! Expectation and maximisation (Dempster, Laird, Rubin 1977) in one pass over the rows.
//!
//! Each pass finds the rows' shares in the components and at once the sums that the next parameters are made of, taken
//! around the means that the pass began with: Σ r, Σ r (x − m), Σ r (x − m)(x − m)'. Nothing is kept for a row.

use super::density::{Covariance, Density, Lanes, Params, ROWS, factor, shares, shift};
use crate::cluster::kmeans::Points;
use crate::core::{parallel, simd};

/// Bytes that partial sums of a pass may take.
const BUDGET: usize = 256 << 20;
/// Shares below which a component has lost its rows.
const LOST: f64 = 1e-10;

/// Where the shares of a pass come from.
pub(super) enum Source<'a> {
    Soft(&'a Density),
    Hard(&'a [u32]),
}

/// Sums of a pass.
pub(super) struct Sums {
    /// Σ weight x ln density.
    pub(super) log: f64,
    /// By component: Σ r, then Σ r (x − m), then the second moments.
    parts: Vec<f64>,
    width: usize,
}

/// What the passes of one fit share.
pub(super) struct Passes<'a> {
    pub(super) points: &'a Points,
    pub(super) kind: Covariance,
    pub(super) total: f64,
    pub(super) reg_covar: f64,
    /// Mean variance of a column: what a variance is small against.
    scale: f64,
    center: Vec<f64>,
    /// Tied: the second moments of all rows around the centre.
    whole: Vec<f64>,
}

impl<'a> Passes<'a> {
    pub(super) fn new(points: &'a Points, kind: Covariance, reg_covar: f64) -> Self {
        let d = points.columns;
        let total = points.weight.iter().sum();
        let mut passes = Passes { points, kind, total, reg_covar, scale: 0.0, center: vec![0.0; d], whole: Vec::new() };
        let all = vec![0; points.len()];
        passes.kind = Covariance::Diagonal;
        // Around the first row, then around the mean.
        let first: Vec<f64> = points.row(0).iter().map(|&x| f64::from(x)).collect();
        let sums = passes.sums(&Source::Hard(&all), &first, 1);
        passes.center = (0..d).map(|c| first[c] + sums.parts[1 + c] / total).collect();
        passes.kind = if kind == Covariance::Tied { Covariance::Full } else { Covariance::Diagonal };
        let sums = passes.sums(&Source::Hard(&all), &passes.center, 1);
        let moments = &sums.parts[1 + d..];
        let at = |c: usize| if kind == Covariance::Tied { c * (c + 3) / 2 } else { c };
        passes.scale = (0..d).map(|c| moments[at(c)]).sum::<f64>() / total / d as f64;
        if kind == Covariance::Tied {
            passes.whole = moments.to_vec();
        }
        passes.kind = kind;
        passes
    }

    /// Second moments that a component needs.
    fn moments(&self) -> usize {
        match self.kind {
            Covariance::Full => Params::width(Covariance::Full, self.points.columns),
            Covariance::Tied => 0,
            Covariance::Diagonal | Covariance::Spherical => self.points.columns,
        }
    }

    /// One pass around `means` of `count` components.
    pub(super) fn sums(&self, source: &Source<'_>, means: &[f64], count: usize) -> Sums {
        let (points, d) = (self.points, self.points.columns);
        let width = 1 + d + self.moments();
        let most = (BUDGET / (8 * width * count)).clamp(1, 64);
        let size = points.len().div_ceil(most).next_multiple_of(ROWS);
        let parts = parallel::map_ranges(points.len(), size, |range| {
            let mut sums = vec![0.0; width * count];
            let mut log = 0.0;
            let mut block = Blocks::new(d, count);
            for start in range.clone().step_by(ROWS) {
                let rows = ROWS.min(range.end - start);
                block.load(points, start, rows);
                match source {
                    Source::Soft(density) => {
                        density.logs(&block.x, &mut block.scratch, &mut block.shares);
                        shares(&mut block.shares, &mut block.total);
                        log += block.total.iter().zip(&block.weight).map(|(log, weight)| log * weight).sum::<f64>();
                    }
                    Source::Hard(labels) => {
                        block.shares.iter_mut().for_each(|share| *share = [0.0; ROWS]);
                        for lane in 0..rows {
                            block.shares[labels[start + lane] as usize][lane] = 1.0;
                        }
                    }
                }
                for (c, sums) in sums.chunks_exact_mut(width).enumerate() {
                    let share = &mut block.shares[c];
                    share.iter_mut().zip(&block.weight).for_each(|(share, weight)| *share *= weight);
                    // Most shares of most rows are none at all.
                    if share.iter().all(|&share| share == 0.0) {
                        continue;
                    }
                    let (diff, product) = block.scratch.split_at_mut(d);
                    shift(&block.x, &means[c * d..(c + 1) * d], diff);
                    gather(share, diff, &mut product[0], self.kind == Covariance::Full, sums);
                }
            }
            (log, sums)
        });
        let mut all = Sums { log: 0.0, parts: vec![0.0; width * count], width };
        for (log, part) in parts {
            all.log += log;
            all.parts.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        all
    }

    /// The next parameters, and whether a covariance had to be raised. `before` keeps what lost all its rows.
    pub(super) fn next(&self, sums: &Sums, means: &[f64], before: Option<&Params>) -> (Params, bool) {
        let d = self.points.columns;
        let count = means.len() / d;
        let mut params = Params {
            kind: self.kind,
            columns: d,
            weights: Vec::with_capacity(count),
            means: means.to_vec(),
            covariances: Vec::new(),
        };
        let mut raised = false;
        let mut tied = self.whole.clone();
        for (c, part) in sums.parts.chunks_exact(sums.width).enumerate() {
            let size = part[0] + 10.0 * f64::EPSILON;
            params.weights.push(size);
            let lost = part[0] < LOST;
            let delta: Vec<f64> = part[1..1 + d].iter().map(|sum| if lost { 0.0 } else { sum / size }).collect();
            let mean = &mut params.means[c * d..(c + 1) * d];
            mean.iter_mut().zip(&delta).for_each(|(mean, delta)| *mean += delta);
            let moments = &part[1 + d..];
            let width = Params::width(self.kind, d);
            if let (true, Some(before)) = (lost && self.kind != Covariance::Tied, before) {
                params.covariances.extend_from_slice(&before.covariances[c * width..(c + 1) * width]);
                continue;
            }
            match self.kind {
                Covariance::Full => {
                    let first = params.covariances.len();
                    for i in 0..d {
                        let row = &moments[i * (i + 1) / 2..];
                        params.covariances.extend((0..=i).map(|j| row[j] / size - delta[i] * delta[j]));
                    }
                    raised |= self.raise(&mut params.covariances[first..], d);
                }
                Covariance::Tied => {
                    let mean = &params.means[c * d..(c + 1) * d];
                    let gap: Vec<f64> = mean.iter().zip(&self.center).map(|(mean, center)| mean - center).collect();
                    for i in 0..d {
                        for j in 0..=i {
                            tied[i * (i + 1) / 2 + j] -= part[0] * gap[i] * gap[j];
                        }
                    }
                }
                Covariance::Diagonal => {
                    for i in 0..d {
                        let variance = moments[i] / size - delta[i] * delta[i] + self.reg_covar;
                        raised |= variance < self.least();
                        params.covariances.push(variance.max(self.least()));
                    }
                }
                Covariance::Spherical => {
                    let sum: f64 = (0..d).map(|i| moments[i] / size - delta[i] * delta[i]).sum();
                    let variance = sum / d as f64 + self.reg_covar;
                    raised |= variance < self.least();
                    params.covariances.push(variance.max(self.least()));
                }
            }
        }
        if self.kind == Covariance::Tied {
            tied.iter_mut().for_each(|x| *x /= self.total);
            raised |= self.raise(&mut tied, d);
            params.covariances = tied;
        }
        let total: f64 = params.weights.iter().sum();
        params.weights.iter_mut().for_each(|weight| *weight /= total);
        (params, raised)
    }

    /// The least variance that can be told from none.
    fn least(&self) -> f64 {
        (1e-12 * self.scale).max(1e-30)
    }

    /// Adds `reg_covar` to a packed matrix's diagonal, and more until it is positive definite.
    fn raise(&self, matrix: &mut [f64], d: usize) -> bool {
        let mut add = self.reg_covar;
        let mut more = self.least();
        let mut raised = false;
        loop {
            (0..d).for_each(|i| matrix[i * (i + 3) / 2] += add);
            if factor(matrix, d).is_some() {
                return raised;
            }
            raised = true;
            (add, more) = (more, more * 10.0);
            if more > f64::MAX / 100.0 {
                // Numbers beyond all scales: a unit ball is as good a guess as any.
                matrix.fill(0.0);
                (0..d).for_each(|i| matrix[i * (i + 3) / 2] = 1.0);
                return true;
            }
        }
    }
}

/// Room for a block of rows, by column.
pub(super) struct Blocks {
    pub(super) x: Vec<Lanes>,
    pub(super) scratch: Vec<Lanes>,
    pub(super) shares: Vec<Lanes>,
    pub(super) total: Lanes,
    pub(super) weight: Lanes,
}

impl Blocks {
    pub(super) fn new(columns: usize, count: usize) -> Self {
        Blocks {
            x: vec![[0.0; ROWS]; columns],
            scratch: vec![[0.0; ROWS]; 2 * columns],
            shares: vec![[0.0; ROWS]; count],
            total: [0.0; ROWS],
            weight: [0.0; ROWS],
        }
    }

    /// Takes `rows` rows from `start`; lanes beyond repeat the last and weigh nothing.
    fn load(&mut self, points: &Points, start: usize, rows: usize) {
        self.take(rows, |lane| points.row(start + lane));
        for lane in 0..ROWS {
            self.weight[lane] = if lane < rows { points.weight[start + lane] } else { 0.0 };
        }
    }

    pub(super) fn take<'a>(&mut self, rows: usize, row: impl Fn(usize) -> &'a [f32]) {
        for lane in 0..ROWS {
            for (column, &x) in self.x.iter_mut().zip(row(lane.min(rows - 1))) {
                column[lane] = f64::from(x);
            }
        }
    }
}

simd::multiversion! {
    /// Adds Σ r, Σ r diff, and Σ r diff diff' (packed) or Σ r diff², as far as `sums` has room.
    fn gather(share: &Lanes, diff: &[Lanes], product: &mut Lanes, full: bool, sums: &mut [f64]) {
        const WIDE: usize = 8;
        #[inline(always)]
        fn fold(x: [f64; WIDE]) -> f64 {
            ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]))
        }
        #[inline(always)]
        fn dot(a: &Lanes, b: &Lanes) -> f64 {
            let mut lanes = [0.0f64; WIDE];
            for (a, b) in a.as_chunks::<WIDE>().0.iter().zip(b.as_chunks::<WIDE>().0) {
                for lane in 0..WIDE {
                    lanes[lane] += a[lane] * b[lane];
                }
            }
            fold(lanes)
        }
        let d = diff.len();
        let mut lanes = [0.0f64; WIDE];
        for share in share.as_chunks::<WIDE>().0 {
            for lane in 0..WIDE {
                lanes[lane] += share[lane];
            }
        }
        let (head, moments) = sums.split_at_mut(1 + d);
        head[0] += fold(lanes);
        for i in 0..d {
            for lane in 0..ROWS {
                product[lane] = share[lane] * diff[i][lane];
            }
            let mut lanes = [0.0f64; WIDE];
            for product in product.as_chunks::<WIDE>().0 {
                for lane in 0..WIDE {
                    lanes[lane] += product[lane];
                }
            }
            head[1 + i] += fold(lanes);
            if full {
                let row = &mut moments[i * (i + 1) / 2..(i + 1) * (i + 2) / 2];
                let (quads, rest) = row.as_chunks_mut::<4>();
                let (columns, columns_rest) = diff[..=i].as_chunks::<4>();
                for (sums, columns) in quads.iter_mut().zip(columns) {
                    let mut lanes = [[0.0f64; WIDE]; 4];
                    for start in (0..ROWS).step_by(WIDE) {
                        let p = &product[start..start + WIDE];
                        for q in 0..4 {
                            let x = &columns[q][start..start + WIDE];
                            for lane in 0..WIDE {
                                lanes[q][lane] += p[lane] * x[lane];
                            }
                        }
                    }
                    for q in 0..4 {
                        sums[q] += fold(lanes[q]);
                    }
                }
                for (sum, column) in rest.iter_mut().zip(columns_rest) {
                    *sum += dot(product, column);
                }
            } else if !moments.is_empty() {
                moments[i] += dot(product, &diff[i]);
            }
        }
    }
}
