//! Mini-batches: Sculley, "Web-scale k-means clustering" (WWW 2010).
//!
//! Each step draws rows at random, gives them to their nearest centres, and moves each centre to the mean of all rows it
//! has got in any step. Steps end when the smoothed inertia of the batches has not fallen for ten steps, as in
//! scikit-learn, or when the rounds asked for are used up.

use super::centers::{Centers, Drift, panels_of};
use super::nearest::{Block, update};
use super::points::Points;
use crate::core::random::Stream;
use crate::core::{Result, Stage};

/// Steps without progress that end the search.
const PATIENCE: usize = 10;

/// Centres after mini-batches, the number of batches, and whether these came to rest.
pub(super) fn run(
    points: &Points,
    mut exact: Vec<f64>,
    size: usize,
    rounds: usize,
    stream: Stream,
    stage: &Stage<'_>,
) -> Result<(Vec<f64>, usize, bool)> {
    let columns = points.columns;
    let clusters = exact.len() / columns;
    let running = points.weight.iter().scan(0.0, |sum, weight| {
        *sum += weight;
        Some(*sum)
    });
    let sums: Vec<f64> = running.collect();
    let total = sums.last().copied().unwrap_or(0.0);
    let steps = rounds.saturating_mul(points.len().div_ceil(size));
    let pace = (2.0 * size as f64 / (total + 1.0)).min(1.0);
    let mut seen = vec![0.0; clusters];
    let (mut smooth, mut best, mut idle) = (None, f64::INFINITY, 0);
    let mut batch = vec![0.0f32; size * columns];
    for step in 0..steps {
        let draws = stream.of(step as u64);
        for (i, to) in batch.chunks_exact_mut(columns).enumerate() {
            let target = draws.uniform(i as u64) * total;
            to.copy_from_slice(points.row(sums.partition_point(|&sum| sum <= target).min(points.len() - 1)));
        }
        let slots = panels_of(&exact, columns);
        let centers = Centers::new(exact, columns, slots, points.largest);
        let mut blocks = Block::all(size, 256, &centers);
        update(&centers, &batch, &mut blocks, &Drift::none(&centers));
        let labels: Vec<u32> = blocks.into_iter().flat_map(|block| block.label).collect();
        let rows = || batch.chunks_exact(columns).zip(&labels);
        let inertia = rows().map(|(row, &label)| centers.squared(row, label)).sum::<f64>() / size as f64;
        exact = centers.into_parts().0;
        let mut add = vec![0.0; exact.len()];
        let mut got = vec![0.0; clusters];
        for (row, &label) in rows() {
            let label = label as usize;
            got[label] += 1.0;
            let sum = &mut add[label * columns..(label + 1) * columns];
            sum.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
        }
        for c in (0..clusters).filter(|&c| got[c] > 0.0) {
            let after = seen[c] + got[c];
            for at in c * columns..(c + 1) * columns {
                exact[at] = (exact[at] * seen[c] + add[at]) / after;
            }
            seen[c] = after;
        }
        // The first batch measures the start, not the gain of a step.
        if step > 0 {
            let now = smooth.map_or(inertia, |before| before * (1.0 - pace) + inertia * pace);
            smooth = Some(now);
            idle = if now < best { 0 } else { idle + 1 };
            best = if now < best { now } else { best };
            if idle >= PATIENCE {
                return Ok((exact, step + 1, true));
            }
        }
        stage.step(step + 1)?;
    }
    Ok((exact, steps, false))
}
