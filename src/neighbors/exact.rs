//! Exact search by comparing every query with every point, block against block.

use super::kernel::sound;
use super::lists::{Lists, NONE, insert, pack_key, worst};
use super::panels::Panels;
use super::points::Points;
use crate::core::simd::LANES;
use crate::core::{Result, Stage, parallel};

/// Queries in a piece of parallel work.
const BLOCK: usize = 64;
/// Points packed at a time: with 64 columns a tile is 64 kB.
const TILE: usize = 256;

/// The k nearest points of each query in `pick`; with `same`, queries are the points and each is left out of its own
/// list.
///
/// O(queries x points x width) time; memory for the lists alone.
pub(crate) fn nearest(
    points: &Points<'_>,
    queries: &Points<'_>,
    same: bool,
    pick: &[u32],
    k: usize,
    stage: &Stage<'_>,
) -> Result<Lists> {
    let width = points.width();
    let tile = (TILE * 64 / width.max(1)).clamp(LANES, TILE).next_multiple_of(LANES);
    let blocks = parallel::map_ranges(pick.len(), BLOCK, |range| -> Result<Vec<u64>> {
        stage.check()?;
        let pick = &pick[range.clone()];
        let mut keys = vec![NONE; range.len() * k];
        let mut panels = Panels::default();
        let (mut out0, mut out1) = (Vec::new(), Vec::new());
        for start in (0..points.n).step_by(tile) {
            let end = (start + tile).min(points.n);
            panels.pack(points, start as u32..end as u32);
            for (q, pair) in pick.chunks(2).enumerate() {
                let numbers = [pair[0] as usize, pair[pair.len() - 1] as usize];
                panels.sweep(points, queries, numbers, 0, [&mut out0, &mut out1]);
                for (i, (query, out)) in numbers.into_iter().zip([&out0, &out1]).take(pair.len()).enumerate() {
                    let list = &mut keys[(2 * q + i) * k..(2 * q + i + 1) * k];
                    let mut limit = points.limit(worst(list), queries);
                    for (l, &value) in out[..end - start].iter().enumerate() {
                        if sound(value) <= limit && !(same && start + l == query) {
                            let exact = queries.exact(query, points, start + l, value);
                            if insert(list, pack_key(sound(exact), (start + l) as u32)) {
                                limit = points.limit(worst(list), queries);
                            }
                        }
                    }
                }
            }
        }
        Ok(keys)
    });
    let mut keys = Vec::with_capacity(pick.len() * k);
    for block in blocks {
        keys.extend(block?);
    }
    Ok(Lists { k, keys })
}
