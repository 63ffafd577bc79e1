//! Exact searches by blocks: each query is offered all points within its bound, the nearest blocks first.

use super::blocks::{BLOCK, Blocks, within};
use super::exact::Exact;
use super::vectors::VectorSpace;
use crate::cluster::spanning::core_distance::Ask;
use crate::cluster::spanning::kbest::KBest;
use crate::cluster::spanning::kdtree::{CAP, NONE, larger};
use crate::core::{Result, Stage, parallel};

/// What a search for neighbours found.
pub(crate) struct Found {
    /// Raw core distance by point.
    pub(crate) core: Vec<f64>,
    /// (raw value, point) of the nearest, `ask.width` a point, by point; [`NONE`] where there are fewer.
    pub(crate) lists: Vec<(f64, u32)>,
}

/// What a search keeps of a block of queries.
pub(crate) trait Seek {
    /// Raw value up to which a point still matters to a query.
    fn bound(&self, query: usize) -> f64;
    /// Takes a point and its raw value.
    fn offer(&mut self, query: usize, raw: f64, point: u32);
}

/// Points on one side of a search.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a> {
    pub(crate) blocks: &'a Blocks,
    pub(crate) exact: Exact<'a>,
}

/// Offers each query all the points within its bound, nearest blocks first. With `same`, the queries are the points
/// themselves and none is offered to itself.
///
/// `begin` gets the queries of a block, and so does `end`, with what was kept; the results of all blocks come back by
/// query.
pub(crate) fn search<S: Seek, R: Send + Clone>(
    space: &VectorSpace,
    points: Side<'_>,
    queries: Side<'_>,
    same: bool,
    stage: &Stage<'_>,
    begin: impl Fn(&[u32]) -> S + Sync + Send,
    end: impl Fn(&[u32], S) -> Vec<R> + Sync + Send,
) -> Result<Vec<R>> {
    let slack = points.blocks.slack + queries.blocks.slack;
    let done = std::sync::atomic::AtomicUsize::new(0);
    let parts = parallel::map(queries.blocks.count(), |block| -> Result<Vec<R>> {
        stage.check()?;
        let asking = &queries.blocks.order[queries.blocks.places(block)];
        let left = queries.blocks.queries(block);
        let mut by_distance: Vec<(f64, f64, usize)> = (0..points.blocks.count())
            .map(|other| {
                let (between, gap) = queries.blocks.gap(block, points.blocks, other);
                (between, gap, other)
            })
            .collect();
        by_distance.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
        let mut seek = begin(asking);
        let limit = |bound: f64| if bound < f64::INFINITY { space.limit(bound, slack) } else { f32::INFINITY };
        let mut limits: Vec<f32> = (0..asking.len()).map(|q| limit(seek.bound(q))).collect();
        let mut worst = (0..asking.len()).fold(0.0, |worst, q| larger(worst, seek.bound(q)));
        let mut tile = vec![0.0; BLOCK * BLOCK];
        let mut found = Vec::with_capacity(BLOCK);
        for &(_, gap, other) in &by_distance {
            // A new row may be so far from the points that its vector has no place in f32.
            if gap.is_finite() && gap > space.reach(worst, slack) {
                continue;
            }
            points.blocks.tile(&left, other, &mut tile);
            let there = points.blocks.places(other);
            worst = 0.0;
            for (q, &query) in asking.iter().enumerate() {
                within(&tile[q * BLOCK..q * BLOCK + there.len()], limits[q], &mut found);
                let bound = seek.bound(q);
                if !found.is_empty() {
                    for hit in &mut found {
                        *hit = points.blocks.order[there.start + *hit as usize];
                    }
                    if same {
                        found.retain(|&point| point != query);
                    }
                    let from = queries.exact.point(query);
                    points.exact.measure(from, &mut found, bound, |point, raw| seek.offer(q, raw, point));
                    if seek.bound(q) < bound {
                        limits[q] = limit(seek.bound(q));
                    }
                }
                worst = larger(worst, seek.bound(q));
            }
        }
        stage.step(done.fetch_add(asking.len(), std::sync::atomic::Ordering::Relaxed) + asking.len())?;
        Ok(end(asking, seek))
    });
    let mut in_order: Vec<R> = Vec::with_capacity(queries.blocks.order.len());
    for part in parts {
        in_order.extend(part?);
    }
    let mut place = vec![0u32; in_order.len()];
    queries.blocks.order.iter().enumerate().for_each(|(at, &query)| place[query as usize] = at as u32);
    Ok(place.iter().map(|&at| in_order[at as usize].clone()).collect())
}

/// The k nearest of each of a block's queries.
pub(crate) struct Nearest(Vec<KBest>);

impl Nearest {
    pub(crate) fn new(queries: usize, k: usize) -> Self {
        Nearest((0..queries.div_ceil(CAP)).map(|_| KBest::new(k)).collect())
    }

    /// The k nearest, the first `sorted` of them in ascending order.
    pub(crate) fn finish(&mut self, query: usize, sorted: usize) -> &[(f64, u32)] {
        self.0[query / CAP].finish(query % CAP, sorted)
    }
}

impl Seek for Nearest {
    #[inline(always)]
    fn bound(&self, query: usize) -> f64 {
        self.0[query / CAP].bound[query % CAP]
    }

    #[inline(always)]
    fn offer(&mut self, query: usize, raw: f64, point: u32) {
        self.0[query / CAP].insert(query % CAP, raw, point);
    }
}

/// Core distances and neighbour lists of all points.
pub(crate) fn core_distances(space: &VectorSpace, side: Side<'_>, ask: &Ask<'_>, stage: &Stage<'_>) -> Result<Found> {
    let begin = |queries: &[u32]| Nearest::new(queries.len(), ask.k);
    let end = |queries: &[u32], mut seek: Nearest| {
        let one = |(q, &query): (usize, &u32)| {
            let nearest = seek.finish(q, ask.sorted());
            let mut list = nearest[..nearest.len().min(ask.width)].to_vec();
            list.resize(ask.width, (f64::INFINITY, NONE));
            (ask.core(query, nearest, |point| point), list)
        };
        queries.iter().enumerate().map(one).collect::<Vec<_>>()
    };
    let (core, lists): (_, Vec<_>) = search(space, side, side, true, stage, begin, end)?.into_iter().unzip();
    Ok(Found { core, lists: lists.concat() })
}
