//! Exact core distances and spanning tree for wide data, where boxes prune nothing: all pairs, in panels.
//!
//! O(n² x columns) time twice over and O(n) memory beside the points. Prim's algorithm grows one tree; for each point
//! outside it keeps the lightest edge into the tree. A panel of sixteen points is measured only if the newest member of
//! the tree could improve one of them: mutual reachability is never below either core distance.

use super::kdtree::{Ask, CAP, KBest, NONE, Near, distances, larger};
use crate::core::{Result, Stage, parallel, simd};
use std::ops::Range;

/// Points in panels: for each panel the columns, sixteen lanes each.
pub(super) struct Panels {
    data: Vec<[f32; CAP]>,
    columns: usize,
    points: usize,
}

impl Panels {
    pub(super) fn new<'a>(points: impl ExactSizeIterator<Item = &'a [f32]>, columns: usize) -> Self {
        let count = points.len();
        let mut data = vec![[f32::INFINITY; CAP]; count.div_ceil(CAP) * columns];
        for (i, point) in points.enumerate() {
            for (c, &x) in point.iter().enumerate() {
                data[i / CAP * columns + c][i % CAP] = x;
            }
        }
        Panels { data, columns, points: count }
    }

    fn panels(&self) -> usize {
        self.points.div_ceil(CAP)
    }

    fn panel(&self, i: usize) -> &[[f32; CAP]] {
        &self.data[i * self.columns..(i + 1) * self.columns]
    }

    fn copy_point(&self, i: usize, into: &mut Vec<f64>) {
        into.clear();
        into.extend(self.panel(i / CAP).iter().map(|column| f64::from(column[i % CAP])));
    }
}

/// Squared distance of two rows, summed over the columns in order as everywhere here.
pub(super) fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    let mut sum = 0.0;
    for (&x, &y) in a.iter().zip(b) {
        let gap = f64::from(x) - f64::from(y);
        sum += gap * gap;
    }
    sum
}

simd::multiversion! {
    fn nearest_of(all: &Panels, panels: Range<usize>, ask: &Ask<'_>) -> Near {
        let mut best: Vec<KBest> = panels.clone().map(|_| KBest::new(ask.k)).collect();
        let mut queries = vec![Vec::with_capacity(all.columns); panels.len() * CAP];
        for (i, query) in queries.iter_mut().enumerate() {
            if panels.start * CAP + i < all.points {
                all.copy_point(panels.start * CAP + i, query);
            }
        }
        for other in 0..all.panels() {
            let panel = all.panel(other);
            let ids: [u32; CAP] = std::array::from_fn(|lane| (other * CAP + lane) as u32);
            for (i, query) in queries.iter().enumerate().filter(|(_, query)| !query.is_empty()) {
                let own = panels.start + i / CAP;
                let squared = distances(panel, query);
                best[i / CAP].offer(i % CAP, &squared, &ids, if own == other { i % CAP } else { CAP });
            }
        }
        let mut near = Near { core: Vec::new(), lists: Vec::new() };
        for (i, best) in best.iter_mut().enumerate() {
            let mut core = [f64::INFINITY; CAP];
            for lane in 0..CAP {
                let id = (panels.start + i) * CAP + lane;
                if id < all.points {
                    core[lane] = ask.core(id as u32, best.finish(lane, ask.sorted()), |position| position);
                }
            }
            near.core.push(core);
        }
        near
    }
}

/// Squared core distances by panel and lane.
pub(super) fn core_distances(all: &Panels, ask: &Ask<'_>, stage: &Stage<'_>) -> Result<Vec<[f64; CAP]>> {
    let done = std::sync::atomic::AtomicUsize::new(0);
    let parts: Vec<Result<Near>> = parallel::map_ranges(all.panels(), 4, |panels| {
        let count = panels.len() * CAP;
        let near = nearest_of(all, panels, ask);
        stage.step(done.fetch_add(count, std::sync::atomic::Ordering::Relaxed) + count)?;
        Ok(near)
    });
    let mut core = Vec::with_capacity(all.panels());
    for part in parts {
        core.extend(part?.core);
    }
    Ok(core)
}

/// A few panels' points outside the tree.
struct Block {
    /// First panel.
    first: usize,
    /// Lightest edge into the tree; negative for members of the tree, so that nothing improves them.
    weight: Vec<[f64; CAP]>,
    /// Its end in the tree.
    to: Vec<[u32; CAP]>,
    /// The lightest of all, and its point.
    best: (f64, u32),
}

const MEMBER: f64 = -1.0;
const BLOCK: usize = 16;

simd::multiversion! {
    fn improve(all: &Panels, core: &[[f64; CAP]], newest: u32, point: &[f64], block: &mut Block) {
        let own = core[newest as usize / CAP][newest as usize % CAP];
        block.best = (f64::INFINITY, NONE);
        for i in 0..block.weight.len() {
            let weight = &mut block.weight[i];
            let panel = block.first + i;
            let mut open = false;
            for lane in 0..CAP {
                open |= weight[lane] > larger(own, core[panel][lane]);
            }
            if open {
                let squared = distances(all.panel(panel), point);
                for lane in 0..CAP {
                    let reach = larger(larger(squared[lane], own), core[panel][lane]);
                    if reach < weight[lane] {
                        weight[lane] = reach;
                        block.to[i][lane] = newest;
                    }
                }
            }
            for lane in 0..CAP {
                if weight[lane] >= 0.0 && weight[lane] < block.best.0 {
                    block.best = (weight[lane], (panel * CAP + lane) as u32);
                }
            }
        }
    }
}

/// The spanning tree as (squared weight, a, b).
pub(super) fn spanning_tree(all: &Panels, core: &[[f64; CAP]], stage: &Stage<'_>) -> Result<Vec<(f64, u32, u32)>> {
    let mut blocks: Vec<Block> = (0..all.panels())
        .step_by(BLOCK)
        .map(|first| {
            let count = BLOCK.min(all.panels() - first);
            let weight = (first..first + count)
                .map(|panel| {
                    std::array::from_fn(|lane| if panel * CAP + lane < all.points { f64::INFINITY } else { MEMBER })
                })
                .collect();
            Block { first, weight, to: vec![[NONE; CAP]; count], best: (f64::INFINITY, NONE) }
        })
        .collect();
    // Below this a step is not worth waking the threads.
    let small = all.points * all.columns < 200_000;
    let size = if small { blocks.len() } else { 4 };
    let mut edges = Vec::with_capacity(all.points.saturating_sub(1));
    let mut point = Vec::with_capacity(all.columns);
    let mut newest = 0u32;
    loop {
        let at = newest as usize;
        blocks[at / CAP / BLOCK].weight[at / CAP % BLOCK][at % CAP] = MEMBER;
        all.copy_point(at, &mut point);
        if small {
            blocks.iter_mut().for_each(|block| improve(all, core, newest, &point, block));
        } else {
            parallel::for_each_chunk(&mut blocks, size, |_, blocks| {
                blocks.iter_mut().for_each(|block| improve(all, core, newest, &point, block));
            });
        }
        let best = blocks.iter().fold((f64::INFINITY, NONE), |a, b| if b.best.0 < a.0 { b.best } else { a });
        if best.1 == NONE {
            return Ok(edges);
        }
        newest = best.1;
        let at = newest as usize;
        edges.push((best.0, blocks[at / CAP / BLOCK].to[at / CAP % BLOCK][at % CAP], newest));
        if edges.len() % 256 == 0 {
            stage.step(edges.len())?;
        }
    }
}
