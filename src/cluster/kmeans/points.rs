//! The different rows of a table, as k-means walks them.

use super::centers::Centers;
use super::kernels::{LANES, tile};
use super::nearest::Block;
use crate::core::random::Stream;
use crate::core::{Canonical, Result, Rows, Stage, parallel};

/// The different rows in canonical order, with what each weighs.
pub(crate) struct Points {
    pub(crate) data: Vec<f32>,
    pub(crate) weight: Vec<f64>,
    pub(crate) columns: usize,
    /// Points in a block.
    pub(super) block: usize,
    pub(super) largest: f32,
}

/// The largest magnitude.
pub(super) fn largest(data: &[f32]) -> f32 {
    let parts = parallel::map_ranges(data.len(), 1 << 16, |range| {
        data[range].iter().fold(0.0f32, |a, b| if b.abs() > a { b.abs() } else { a })
    });
    parts.into_iter().fold(0.0, |a, b| if b > a { b } else { a })
}

impl Points {
    pub(crate) fn new(rows: &Rows<'_>, canonical: &Canonical) -> Self {
        let (groups, columns) = (canonical.groups(), rows.columns());
        let mut data = vec![0.0; groups * columns];
        parallel::for_each_chunk(&mut data, 1024 * columns, |chunk, out| {
            for (i, out) in out.chunks_exact_mut(columns).enumerate() {
                out.copy_from_slice(rows.row(canonical.representative(chunk * 1024 + i)));
            }
        });
        let weight = (0..groups).map(|g| canonical.weight(g) as f64).collect();
        let largest = largest(&data);
        Points { data, weight, columns, block: groups.div_ceil(64).max(512), largest }
    }

    pub(crate) fn len(&self) -> usize {
        self.weight.len()
    }

    pub(crate) fn row(&self, i: usize) -> &[f32] {
        &self.data[i * self.columns..(i + 1) * self.columns]
    }

    /// Mean over the columns of their variance, in two passes.
    pub(super) fn mean_variance(&self) -> f64 {
        let total: f64 = self.weight.iter().sum();
        let columns = self.columns;
        let sum = |term: &(dyn Fn(usize, f64) -> f64 + Sync)| {
            let parts = parallel::map_ranges(self.len(), self.block, |range| {
                let mut sums = vec![0.0; columns];
                for i in range {
                    for (c, (sum, &x)) in sums.iter_mut().zip(self.row(i)).enumerate() {
                        *sum += self.weight[i] * term(c, f64::from(x));
                    }
                }
                sums
            });
            parts.into_iter().fold(vec![0.0; columns], |mut all, part| {
                all.iter_mut().zip(part).for_each(|(a, b)| *a += b);
                all
            })
        };
        let mean: Vec<f64> = sum(&|_, x| x).into_iter().map(|sum| sum / total).collect();
        sum(&|c, x| (x - mean[c]) * (x - mean[c])).iter().sum::<f64>() / total / columns as f64
    }

    /// Greedy k-means++, by squared distances in f32.
    pub(super) fn start(&self, clusters: usize, stream: Stream, stage: &Stage<'_>) -> Result<Vec<f64>> {
        let trials = (2 + libm::log(clusters as f64) as usize).min(LANES);
        let mut draw = 0;
        let mut pick = |mass: &[f64]| {
            let total: f64 = mass.iter().sum();
            let target = stream.uniform(draw) * total;
            draw += 1;
            let mut sum = 0.0;
            let found = mass.iter().position(|m| {
                sum += m;
                sum > target
            });
            found.or(mass.iter().rposition(|&m| m > 0.0)).unwrap_or(0)
        };
        let first = pick(&self.weight);
        let mut chosen = vec![false; self.len()];
        chosen[first] = true;
        let mut centers: Vec<f64> = self.row(first).iter().map(|&x| f64::from(x)).collect();
        let mut squared: Vec<f64> = self.squared_to(&[first]).into_iter().map(|lanes| f64::from(lanes[0])).collect();
        while centers.len() < clusters * self.columns {
            stage.check()?;
            let mut mass: Vec<f64> = squared.iter().zip(&self.weight).map(|(d, w)| d * w).collect();
            if mass.iter().all(|&m| m == 0.0) {
                // What is left differs from the centres by less than f32 can square.
                mass = chosen.iter().map(|&chosen| f64::from(u8::from(!chosen))).collect();
            }
            let tried: Vec<usize> = (0..trials).map(|_| pick(&mass)).collect();
            let to_tried = self.squared_to(&tried);
            let potential = |trial: usize| -> f64 {
                let nearer = |i: usize| squared[i].min(f64::from(to_tried[i][trial]));
                (0..self.len()).map(|i| self.weight[i] * nearer(i)).sum()
            };
            let potentials: Vec<f64> = parallel::map(trials, potential);
            let best = (0..trials).fold(0, |a, b| if potentials[b] < potentials[a] { b } else { a });
            chosen[tried[best]] = true;
            centers.extend(self.row(tried[best]).iter().map(|&x| f64::from(x)));
            for i in 0..self.len() {
                squared[i] = squared[i].min(f64::from(to_tried[i][best]));
            }
        }
        Ok(centers)
    }

    /// Squared distances of each point to a few others, at most [`LANES`], scaled where they would be beyond f32.
    fn squared_to(&self, others: &[usize]) -> Vec<[f32; LANES]> {
        let scale = if f64::from(self.largest) * (self.columns as f64).sqrt() > 1e18 { 1e-24 } else { 1.0 };
        let mut panel = vec![[0.0f32; LANES]; self.columns];
        for (lane, &other) in others.iter().enumerate() {
            panel.iter_mut().zip(self.row(other)).for_each(|(lanes, &x)| lanes[lane] = x * scale);
        }
        let mut squared = vec![[0.0f32; LANES]; self.len()];
        parallel::for_each_chunk(&mut squared, self.block, |chunk, out| {
            let (first, last) = (chunk * self.block, out.len() - 1);
            let mut scaled = vec![0.0f32; 4 * self.columns];
            for (four, out) in out.chunks_mut(4).enumerate() {
                let at = |t: usize| first + (four * 4 + t).min(last);
                let mut sums = [[0.0; LANES]; 4];
                if scale == 1.0 {
                    tile(std::array::from_fn(|t| self.row(at(t))), &panel, &mut sums);
                } else {
                    for (t, scaled) in scaled.chunks_exact_mut(self.columns).enumerate() {
                        scaled.iter_mut().zip(self.row(at(t))).for_each(|(to, &x)| *to = x * scale);
                    }
                    let n = self.columns;
                    tile(std::array::from_fn(|t| &scaled[t * n..(t + 1) * n]), &panel, &mut sums);
                }
                out.copy_from_slice(&sums[..out.len()]);
            }
        });
        squared
    }

    /// Gives each empty cluster the point farthest from its centre, out of clusters of several; (cluster, point).
    ///
    /// There are at least as many points as clusters, so an empty cluster implies one of several points.
    pub(super) fn fill_empty(&self, blocks: &mut [Block], centers: &Centers, clusters: usize) -> Vec<(usize, usize)> {
        let mut count = vec![0usize; clusters];
        blocks.iter().flat_map(|block| &block.label).for_each(|&label| count[label as usize] += 1);
        if count.iter().all(|&count| count > 0) {
            return Vec::new();
        }
        let mut squared = self.squared(blocks, centers);
        let mut label: Vec<u32> = blocks.iter().flat_map(|block| block.label.iter().copied()).collect();
        let mut filled = Vec::new();
        for cluster in 0..clusters {
            if count[cluster] > 0 {
                continue;
            }
            let several = (0..self.len()).filter(|&i| count[label[i] as usize] > 1);
            let far = several.fold(None, |far: Option<usize>, i| match far {
                Some(best) if squared[i] <= squared[best] => far,
                _ => Some(i),
            });
            if let Some(point) = far {
                count[label[point] as usize] -= 1;
                count[cluster] = 1;
                label[point] = cluster as u32;
                squared[point] = 0.0;
                blocks[point / self.block].assign(point, cluster as u32);
                filled.push((cluster, point));
            }
        }
        filled
    }

    /// Squared distance of each point to its centre.
    pub(super) fn squared(&self, blocks: &[Block], centers: &Centers) -> Vec<f64> {
        let parts = parallel::map(blocks.len(), |b| {
            let own = (blocks[b].first..).zip(&blocks[b].label);
            own.map(|(i, &label)| centers.squared(self.row(i), label)).collect::<Vec<_>>()
        });
        parts.concat()
    }
}
