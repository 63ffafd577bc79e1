//! The exact minimum spanning tree of mutual reachability for wide data, in one pass over all pairs.
//!
//! By the cycle property an edge that is nowhere the lightest way between its ends is in no minimum spanning tree that
//! matters: if some tree connects p and q along edges none of which is heavier than (p, q), the pair can be left out.
//! So:
//!
//! 1. Kruskal over the lists of nearest neighbours gives a forest; its parts are strung together somehow. That is a
//!    spanning tree, not yet the lightest.
//! 2. Its points are put in the order of the leaves of its dendrogram. There the heaviest edge on the tree's path
//!    between two points is the largest of the *gaps* between neighbours in the order, from the one to the other.
//! 3. Blocks of the order are compared, nearest first. A pair counts only if its bound ([`super::blocks`]) and both core
//!    distances are below the gaps between; it is then measured, and kept if it still is.
//! 4. After a batch of blocks, Kruskal over tree and kept pairs gives a lighter tree, and the gaps shrink to its paths.
//!    After the last batch no pair is left that could make it lighter.
//!
//! Batches are the same at any number of threads, and gaps change between batches only, so the tree is a function of
//! the points. Memory is O(n) beside the pairs kept, of which there are few once the first tree is not far off: pairs of
//! blocks are never listed ([`super::ranks`]).

use super::block_pairs::Compare;
use super::blocks::Blocks;
use super::exact::Exact;
use super::kruskal::{Edge, kruskal};
use super::leaf_order::LeafOrder;
use super::ranks;
use super::search::Found;
use super::vectors::{VectorSpace, Vectors};
use crate::cluster::spanning::core_distance::Ask;
use crate::cluster::spanning::kdtree::{NONE, larger};
use crate::core::{Result, Stage, parallel};

/// The spanning tree of all points, from their core distances and neighbour lists.
pub(crate) fn spanning_tree(
    space: &VectorSpace,
    vectors: &Vectors,
    exact: Exact<'_>,
    Found { core, lists }: &Found,
    ask: &Ask<'_>,
    stage: &Stage<'_>,
) -> Result<Vec<Edge>> {
    let mut tree: Vec<Edge> = Vec::with_capacity(lists.len());
    for (i, &(raw, to)) in lists.iter().enumerate() {
        let from = (i / ask.width) as u32;
        if to != NONE {
            tree.push(Edge::new(core, raw, from, to));
        }
    }
    kruskal(&mut tree, core.len());
    let mut leaf_order = LeafOrder::new(&mut tree, core, &exact);
    let blocks = Blocks::new(vectors, space.norm, leaf_order.order.clone());
    let core_floor: Vec<f32> = blocks.order.iter().map(|&i| space.floor(core[i as usize])).collect();
    let first = |i: usize, j: usize| order_bits(blocks.gap(i, &blocks, j).1);
    let ends = batches(blocks.count());
    let pairs = ends.last().copied().unwrap_or(0);
    // The last key of each batch.
    let last = ranks::at(&ends.iter().map(|end| end - 1).collect::<Vec<_>>(), blocks.count(), first, stage)?;
    let mut from = 0;
    for (&done, &to) in ends.iter().zip(&last) {
        let largest = |block: usize, last: usize| {
            let range = blocks.places(block);
            leaf_order.gap[range.start..range.end - last].iter().fold(0.0, |a, &b| larger(a, b))
        };
        let block_gap: Vec<f64> = (0..blocks.count()).map(|block| largest(block, 0)).collect();
        let inner_gap: Vec<f64> = (0..blocks.count()).map(|block| largest(block, 1)).collect();
        let compare = Compare {
            space,
            blocks: &blocks,
            exact,
            core,
            core_floor: &core_floor,
            gap: &leaf_order.gap,
            block_gap: &block_gap,
            inner_gap: &inner_gap,
        };
        let kept = parallel::map(blocks.count(), |i| -> Result<Vec<Edge>> {
            stage.check()?;
            let (mut tile, mut left, mut kept) = (Vec::new(), Vec::new(), Vec::new());
            for j in i..blocks.count() {
                let (_, least_gap) = blocks.gap(i, &blocks, j);
                if (from..=to).contains(&ranks::key(order_bits(least_gap), i, j)) {
                    kept.extend(compare.pairs(i, j, least_gap, &mut tile, &mut left));
                }
            }
            Ok(kept)
        });
        let before = tree.len();
        for kept in kept {
            tree.extend(kept?);
        }
        from = to + 1;
        if tree.len() > before || done == pairs {
            kruskal(&mut tree, core.len());
            leaf_order.tighten(&tree);
        }
        stage.step((done as f64 / pairs as f64 * (core.len() - 1) as f64) as usize)?;
    }
    Ok(tree)
}

/// The number of pairs of `count` blocks, each with itself too, that are done by the end of each batch: two for each block
/// or a sixteenth of all first, then twice as many each time.
fn batches(count: usize) -> Vec<u64> {
    let pairs = count as u64 * (count as u64 + 1) / 2;
    let (mut ends, mut batch, mut done) = (Vec::new(), (2 * count as u64).max(pairs / 16), 0);
    while done < pairs {
        done = (done + batch).min(pairs);
        ends.push(done);
        batch *= 2;
    }
    ends
}

/// Numbers of either sign in ascending order.
fn order_bits(x: f64) -> u64 {
    let bits = x.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}
