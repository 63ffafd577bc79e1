//! Random-projection trees: the start of the descent.
//!
//! A node is split by the plane halfway between two of its points drawn at random (Dasgupta, Freund 2008; the split of
//! Annoy and of pynndescent); all pairs within a leaf are compared.

use super::limits::Limits;
use super::lists::{Lists, insert, known, pack_key, worst};
use super::panels::Panels;
use super::points::Points;
use crate::core::parallel;
use crate::core::random::Stream;
use crate::core::simd::{LANES, Ones, fold_lanes, multiversion};

/// Points of one tree by leaf: leaf i is `order[starts[i]..starts[i + 1]]`.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    pub(crate) order: Vec<u32>,
    starts: Vec<u32>,
    /// The planes, the root first; none where all points fit one leaf.
    nodes: Vec<Node>,
}

/// The plane halfway between two points, and what lies on either side: leaf l as 2 l + 1, node i as 2 i.
#[derive(Clone, Copy, Debug)]
struct Node {
    a: u32,
    b: u32,
    sides: [u32; 2],
}

multiversion! {
    /// The product of (query - halfway between a and b) and (a - b): above zero nearer to a.
    fn leaning(query: &[f32], a: &[f32], b: &[f32]) -> f32 {
        let n = query.len();
        let (a, b) = (&a[..n], &b[..n]);
        let mut lanes = [0.0f32; LANES];
        let whole = n / LANES * LANES;
        for from in (0..whole).step_by(LANES) {
            let (q, a, b) = (&query[from..from + LANES], &a[from..from + LANES], &b[from..from + LANES]);
            for l in 0..LANES {
                lanes[l] += (q[l] - 0.5 * (a[l] + b[l])) * (a[l] - b[l]);
            }
        }
        for (l, i) in (whole..n).enumerate() {
            lanes[l] += (query[i] - 0.5 * (a[i] + b[i])) * (a[i] - b[i]);
        }
        fold_lanes(lanes)
    }
}

impl Tree {
    /// The points of the leaf that a new row falls into.
    pub(crate) fn leaf(&self, points: &Points<'_>, query: &[f32]) -> &[u32] {
        let leaf = self.leaf_number(points, query);
        &self.order[self.starts[leaf] as usize..self.starts[leaf + 1] as usize]
    }

    /// The number of the leaf that a new row falls into.
    pub(crate) fn leaf_number(&self, points: &Points<'_>, query: &[f32]) -> usize {
        let mut at = if self.nodes.is_empty() { 1 } else { 0 };
        while at & 1 == 0 {
            let Node { a, b, sides } = self.nodes[at as usize >> 1];
            let near_a = a == b || leaning(query, points.swept(a as usize), points.swept(b as usize)) > 0.0;
            at = sides[usize::from(!near_a)];
        }
        at as usize >> 1
    }
}

/// Grows one tree whose leaves hold at most `leaf` points.
pub(crate) fn grow(points: &Points<'_>, leaf: usize, draws: Stream) -> Tree {
    const TRIES: u64 = 3;
    let mut order: Vec<u32> = (0..points.n as u32).collect();
    let mut starts = Vec::new();
    let (mut sides, mut right) = (Vec::new(), Vec::new());
    // Ranges still to split, the leftmost on top, so that leaves come out in order.
    // Each with the node and the side of it that it hangs from.
    let mut open = vec![(0usize, points.n, 0usize, 0usize)];
    let mut nodes: Vec<Node> = Vec::new();
    while let Some((from, to, parent, side)) = open.pop() {
        let is_leaf = to - from <= leaf;
        let own = if is_leaf { 2 * starts.len() as u32 + 1 } else { 2 * nodes.len() as u32 };
        if let Some(parent) = nodes.get_mut(parent) {
            parent.sides[side] = own;
        }
        if is_leaf {
            starts.push(from as u32);
            continue;
        }
        let mut plane = Node { a: 0, b: 0, sides: [1, 1] };
        let members = &mut order[from..to];
        let size = members.len();
        let node = draws.of(from as u64).of(to as u64);
        let mut cut = 0;
        for attempt in 0..TRIES {
            let a = node.below(2 * attempt, size);
            let b = (a + 1 + node.below(2 * attempt + 1, size - 1)) % size;
            (plane.a, plane.b) = (members[a], members[b]);
            let (normal, offset) = points.plane(plane.a, plane.b);
            points.margins(members, &normal, offset, &mut sides);
            let left = sides.iter().filter(|&&m| m > 0.0).count();
            cut = left;
            if left.min(size - left) * 16 >= size {
                break;
            }
            cut = 0;
        }
        if cut == 0 {
            // No plane parts these points: random halves, which keeps the depth logarithmic.
            cut = size / 2;
            plane.b = plane.a;
            for i in (1..size).rev() {
                members.swap(i, node.below(1000 + i as u64, i + 1));
            }
        } else {
            right.clear();
            let mut kept = 0;
            for i in 0..size {
                let member = members[i];
                if sides[i] > 0.0 {
                    members[kept] = member;
                    kept += 1;
                } else {
                    right.push(member);
                }
            }
            members[kept..].copy_from_slice(&right);
        }
        open.push((from + cut, to, nodes.len(), 1));
        open.push((from, from + cut, nodes.len(), 0));
        nodes.push(plane);
    }
    starts.push(points.n as u32);
    Tree { order, starts, nodes }
}

/// Compares all pairs within each leaf and lets them into each other's lists.
pub(crate) fn join_leaves(points: &Points<'_>, tree: &Tree, lists: &mut Lists) {
    let k = lists.k;
    let leaves = tree.starts.len() - 1;
    // Each point is in one leaf of a tree, so leaves can rewrite their members' lists side by side.
    let parts = parallel::map_ranges(leaves, 4, |range| {
        let mut all = Vec::new();
        let (mut panels, mut out0, mut out1) = (Panels::default(), Vec::new(), Vec::new());
        let (mut limits, mut words) = (Limits::default(), Vec::new());
        for l in range {
            let members = &tree.order[tree.starts[l] as usize..tree.starts[l + 1] as usize];
            let size = members.len();
            let mut keys: Vec<u64> = members.iter().flat_map(|&m| lists.of(m as usize)).copied().collect();
            panels.pack(points, members.iter().copied());
            limits.far.clear();
            limits.far.extend(keys.chunks_exact(k).map(|keys| points.limit(worst(keys), points)));
            limits.left.clear();
            limits.left.resize(size, 0.0);
            for i in (0..size).step_by(2) {
                let second = (i + 1).min(size - 1);
                let first_panel = i / LANES;
                let pair = [members[i], members[second]].map(|m| m as usize);
                panels.sweep(points, points, pair, first_panel, [&mut out0, &mut out1]);
                for (i, out) in [(i, &out0), (second, &out1)].into_iter().take(size - i) {
                    let base = first_panel * LANES;
                    let mut own = worst(&keys[i * k..(i + 1) * k]);
                    limits.promising(i, i + 1, &out[i + 1 - base..], &mut words);
                    for j in Ones::of(&words).map(|at| i + 1 + at) {
                        let value = out[j - base];
                        // The point's own limit may have come down since.
                        if value > limits.far[i] && value > limits.far[j] {
                            continue;
                        }
                        // Near pairs share a leaf in most trees: then the distance is known.
                        let exact = known(&keys[i * k..(i + 1) * k], members[j])
                            .or_else(|| known(&keys[j * k..(j + 1) * k], members[i]))
                            .unwrap_or_else(|| points.exact(members[i] as usize, points, members[j] as usize, value));
                        if exact <= own && insert(&mut keys[i * k..(i + 1) * k], pack_key(exact, members[j])) {
                            own = worst(&keys[i * k..(i + 1) * k]);
                            limits.far[i] = points.limit(own, points);
                        }
                        if insert(&mut keys[j * k..(j + 1) * k], pack_key(exact, members[i])) {
                            limits.far[j] = points.limit(worst(&keys[j * k..(j + 1) * k]), points);
                        }
                    }
                }
            }
            all.push((l, keys));
        }
        all
    });
    for (l, keys) in parts.into_iter().flatten() {
        let members = &tree.order[tree.starts[l] as usize..tree.starts[l + 1] as usize];
        for (&m, keys) in members.iter().zip(keys.chunks_exact(k)) {
            lists.keys[m as usize * k..(m as usize + 1) * k].copy_from_slice(keys);
        }
    }
}
