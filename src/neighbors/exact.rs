//! Exact search by comparing every query with every point, block against block.

use super::kernel::{pack, sweep};
use super::lists::{Lists, NONE, insert, pack_key, worst};
use super::points::Points;
use crate::core::simd::LANES;
use crate::core::{Result, Stage, parallel};

/// Queries in a piece of parallel work.
const BLOCK: usize = 64;
/// Points packed at a time: with 64 columns a tile is 64 kB.
const TILE: usize = 256;

/// The k nearest points of each query; with `same`, queries are the points and each is left out of its own list.
///
/// O(queries x points x width) time; memory for the lists alone.
pub(crate) fn nearest(
    points: &Points<'_>,
    queries: &Points<'_>,
    same: bool,
    k: usize,
    stage: &Stage<'_>,
) -> Result<Lists> {
    let width = points.width();
    let tile = (TILE * 64 / width.max(1)).clamp(LANES, TILE).next_multiple_of(LANES);
    let blocks = parallel::map_ranges(queries.n, BLOCK, |range| -> Result<Vec<u64>> {
        stage.check()?;
        let from = range.start;
        let mut keys = vec![NONE; range.len() * k];
        let mut panels = Vec::new();
        let (mut out0, mut out1) = (vec![0.0; tile], vec![0.0; tile]);
        for start in (0..points.n).step_by(tile) {
            let end = (start + tile).min(points.n);
            pack((start..end).map(|i| points.near(i)), width, &mut panels);
            for q in range.clone().step_by(2) {
                let second = (q + 1).min(range.end - 1);
                sweep(points.kernel, [queries.near(q), queries.near(second)], &panels, [&mut out0, &mut out1]);
                for (query, out) in [(q, &out0), (second, &out1)].into_iter().take(range.end - q) {
                    let list = &mut keys[(query - from) * k..(query - from + 1) * k];
                    let mut limit = points.limit(worst(list), queries);
                    for (l, &value) in out[..end - start].iter().enumerate() {
                        if value <= limit && !(same && start + l == query) {
                            let exact = queries.exact(query, points, start + l, value);
                            if insert(list, pack_key(exact, (start + l) as u32)) {
                                limit = points.limit(worst(list), queries);
                            }
                        }
                    }
                }
            }
        }
        Ok(keys)
    });
    let mut keys = Vec::with_capacity(queries.n * k);
    for block in blocks {
        keys.extend(block?);
    }
    Ok(Lists { k, keys })
}
