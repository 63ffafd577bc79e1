//! A k-d tree with tight boxes over distinct points, in leaves of sixteen that one vector loop measures at once.
//!
//! Every leaf but the last is full, so points, core distances and component numbers lie in panels of [`CAP`] lanes and a
//! point's *position* (leaf x CAP + lane) is its index everywhere. The tree is a function of the sequence of points
//! alone: splits go by (coordinate, index), which tells any two points apart, and leaves are sorted by index.
//!
//! Boxes hold exact f32 corners. The gap between boxes is summed over the columns in the same order as a distance, and
//! rounding is monotone, so a gap never exceeds a computed distance it bounds: pruning with `>` loses nothing.

use super::norm::{Add, Norm};
use crate::core::parallel;

/// Points in a leaf.
pub(super) const CAP: usize = 16;
/// No point: fills the lanes of the last leaf.
pub(super) const NONE: u32 = u32::MAX;
/// Most columns that have a tree.
pub(super) const MOST_COLUMNS: usize = 16;

/// A node; nodes lie in preorder, so the left child follows its parent.
#[derive(Clone, Debug)]
pub(super) struct Node<const D: usize> {
    /// Lowest coordinates of its points.
    pub(super) lo: [f32; D],
    /// Highest coordinates of its points.
    pub(super) hi: [f32; D],
    /// The right child; 0 for a leaf.
    pub(super) right: u32,
    /// The first leaf under it.
    pub(super) first: u32,
}

/// The tree.
#[derive(Clone, Debug)]
pub(super) struct Tree<const D: usize> {
    pub(super) nodes: Vec<Node<D>>,
    /// Coordinates by leaf, column, lane; infinite in unused lanes, so that their distances are infinite.
    pub(super) panels: Vec<[[f32; CAP]; D]>,
    /// Index of the point by leaf and lane; [`NONE`] in unused lanes.
    pub(super) ids: Vec<[u32; CAP]>,
    /// The node of each leaf.
    pub(super) leaf_node: Vec<u32>,
    /// What is summed over the columns.
    pub(super) norm: Norm,
    /// Whether raw values stay within f32, so that f32 can screen them.
    pub(super) screens: bool,
    /// The columns that are not all zero, as a number unknown to the compiler: loops over them then stay loops
    /// around sixteen lanes, which fill registers; unrolled, they are vectorised across columns instead, at half the speed.
    pub(super) columns: usize,
}

impl<const D: usize> Tree<D> {
    /// Builds the tree over `points`, at least one, zero from number `columns` on. O(n log n).
    pub(super) fn new(points: impl ExactSizeIterator<Item = [f32; D]>, columns: usize, norm: Norm) -> Self {
        let mut items: Vec<([f32; D], u32)> = points.enumerate().map(|(i, p)| (p.map(|x| x + 0.0), i as u32)).collect();
        let leaves = items.len().div_ceil(CAP).max(1);
        let empty = Node { lo: [0.0; D], hi: [0.0; D], right: 0, first: 0 };
        let mut tree = Tree {
            nodes: vec![empty; 2 * leaves - 1],
            panels: vec![[[f32::INFINITY; CAP]; D]; leaves],
            ids: vec![[NONE; CAP]; leaves],
            leaf_node: vec![0; leaves],
            norm,
            screens: false,
            columns: std::hint::black_box(columns.min(D)),
        };
        build(Part {
            items: &mut items,
            nodes: &mut tree.nodes,
            panels: &mut tree.panels,
            ids: &mut tree.ids,
            leaf_node: &mut tree.leaf_node,
            node: 0,
            leaf: 0,
        });
        let root = &tree.nodes[0];
        tree.screens = root.lo.iter().zip(&root.hi).all(|(lo, hi)| hi - lo < 1e17);
        tree
    }

    /// Number of leaves.
    pub(super) fn leaves(&self) -> usize {
        self.panels.len()
    }

    /// Coordinates of the point at a position.
    #[inline(always)]
    pub(super) fn point(&self, position: usize) -> [f64; D] {
        let panel = &self.panels[position / CAP];
        std::array::from_fn(|c| f64::from(panel[c][position % CAP]))
    }
}

/// A subtree to build and where it goes.
struct Part<'a, const D: usize> {
    items: &'a mut [([f32; D], u32)],
    nodes: &'a mut [Node<D>],
    panels: &'a mut [[[f32; CAP]; D]],
    ids: &'a mut [[u32; CAP]],
    leaf_node: &'a mut [u32],
    node: u32,
    leaf: u32,
}

/// Recursion as deep as the tree, log2 of its leaves, whatever the points.
fn build<const D: usize>(part: Part<'_, D>) {
    let Part { items, nodes, panels, ids, leaf_node, node, leaf } = part;
    let leaves = panels.len();
    let (mut lo, mut hi) = ([f32::INFINITY; D], [f32::NEG_INFINITY; D]);
    for (point, _) in items.iter() {
        for c in 0..D {
            lo[c] = if point[c] < lo[c] { point[c] } else { lo[c] };
            hi[c] = if point[c] > hi[c] { point[c] } else { hi[c] };
        }
    }
    let left = leaves / 2;
    let right = if leaves == 1 { 0 } else { node + 2 * left as u32 };
    nodes[0] = Node { lo, hi, right, first: leaf };
    if leaves == 1 {
        items.sort_unstable_by_key(|item| item.1);
        for (lane, (point, id)) in items.iter().enumerate() {
            ids[0][lane] = *id;
            for c in 0..D {
                panels[0][c][lane] = point[c];
            }
        }
        leaf_node[0] = node;
        return;
    }
    let mut widest = 0;
    for c in 1..D {
        if f64::from(hi[c]) - f64::from(lo[c]) > f64::from(hi[widest]) - f64::from(lo[widest]) {
            widest = c;
        }
    }
    items.select_nth_unstable_by(left * CAP, |a, b| a.0[widest].total_cmp(&b.0[widest]).then(a.1.cmp(&b.1)));
    let (items_a, items_b) = items.split_at_mut(left * CAP);
    let (nodes_a, nodes_b) = nodes[1..].split_at_mut(2 * left - 1);
    let (panels_a, panels_b) = panels.split_at_mut(left);
    let (ids_a, ids_b) = ids.split_at_mut(left);
    let (leaf_node_a, leaf_node_b) = leaf_node.split_at_mut(left);
    let a = Part {
        items: items_a,
        nodes: nodes_a,
        panels: panels_a,
        ids: ids_a,
        leaf_node: leaf_node_a,
        node: node + 1,
        leaf,
    };
    let b = Part {
        items: items_b,
        nodes: nodes_b,
        panels: panels_b,
        ids: ids_b,
        leaf_node: leaf_node_b,
        node: right,
        leaf: leaf + left as u32,
    };
    if leaves > 128 {
        parallel::join(|| build(a), || build(b));
    } else {
        build(a);
        build(b);
    }
}

/// Raw values from a point to the sixteen of a panel, summed over the columns in order.
#[inline(always)]
pub(super) fn distances<N: Add>(panel: &[[f32; CAP]], point: &[f64]) -> [f64; CAP] {
    let mut sums = [0.0; CAP];
    for (column, &x) in panel.iter().zip(point) {
        for lane in 0..CAP {
            sums[lane] = N::add(sums[lane], f64::from(column[lane]) - x);
        }
    }
    sums
}

#[inline(always)]
pub(crate) fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

/// The f32 threshold below which a sum computed in f32 lies if the sum computed in f64 is below `bound`.
///
/// Each of at most 16 terms is off by at most 3 roundings and their sum by 16, 1.2e-6 in all, and products below the
/// normal range of f32 by less than 1e-44 each.
#[inline(always)]
pub(super) fn screen(bound: f64) -> f32 {
    (bound * 1.00001 + 1e-40) as f32
}

/// [`distances`] in f32, for screening.
#[inline(always)]
pub(super) fn rough_distances<N: Add>(panel: &[[f32; CAP]], point: &[f32]) -> [f32; CAP] {
    let mut sums = [0.0; CAP];
    for (column, &x) in panel.iter().zip(point) {
        for lane in 0..CAP {
            sums[lane] = N::add_rough(sums[lane], column[lane] - x);
        }
    }
    sums
}

/// Gaps (raw) between the sixteen points of a panel and a box in f32, for screening.
#[inline(always)]
pub(super) fn rough_gaps<N: Add>(panel: &[[f32; CAP]], lo: &[f32], hi: &[f32]) -> [f32; CAP] {
    let mut sums = [0.0; CAP];
    for ((column, &lo), &hi) in panel.iter().zip(lo).zip(hi) {
        for lane in 0..CAP {
            let below = lo - column[lane];
            let above = column[lane] - hi;
            let outside = if below > above { below } else { above };
            sums[lane] = N::add_rough(sums[lane], if outside > 0.0 { outside } else { 0.0 });
        }
    }
    sums
}

/// Gap (raw) between two boxes; 0 where they touch.
#[inline(always)]
pub(super) fn box_gap<N: Add, const D: usize>(a: &Node<D>, b: &Node<D>) -> f64 {
    let mut sum = 0.0;
    for c in 0..D {
        let below = f64::from(a.lo[c]) - f64::from(b.hi[c]);
        let above = f64::from(b.lo[c]) - f64::from(a.hi[c]);
        sum = N::add(sum, larger(larger(below, above), 0.0));
    }
    sum
}

/// Gap (raw) between a point and a box; 0 inside.
#[inline(always)]
pub(super) fn point_gap<N: Add, const D: usize>(point: &[f64; D], node: &Node<D>) -> f64 {
    let mut sum = 0.0;
    for c in 0..D {
        sum = N::add(sum, larger(larger(f64::from(node.lo[c]) - point[c], point[c] - f64::from(node.hi[c])), 0.0));
    }
    sum
}
