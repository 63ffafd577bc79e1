//! Random-projection trees: the start of the descent.
//!
//! A node is split by the plane halfway between two of its points drawn at random (Dasgupta, Freund 2008; the split of
//! Annoy and of pynndescent); all pairs within a leaf are compared.

use super::kernel::{pack, sweep};
use super::lists::{Lists, insert, known, pack_key, worst};
use super::points::Points;
use crate::core::parallel;
use crate::core::random::Stream;
use crate::core::simd::{LANES, multiversion, sum_lanes};

/// Points of one tree by leaf: leaf i is `order[starts[i]..starts[i + 1]]`.
pub(crate) struct Tree {
    order: Vec<u32>,
    starts: Vec<u32>,
}

multiversion! {
    /// For each member the side of the plane: its product with the normal, less the plane's own.
    fn margins(points: &Points<'_>, members: &[u32], normal: &[f32], offset: f32, out: &mut Vec<f32>) {
        out.clear();
        out.extend(members.iter().map(|&m| sum_lanes(points.near(m as usize), normal, |x, y| x * y) - offset));
    }
}

/// Grows one tree whose leaves hold at most `leaf` points.
pub(crate) fn grow(points: &Points<'_>, leaf: usize, draws: Stream) -> Tree {
    const TRIES: u64 = 3;
    let mut order: Vec<u32> = (0..points.n as u32).collect();
    let mut starts = Vec::new();
    let (mut sides, mut right) = (Vec::new(), Vec::new());
    // Ranges still to split, the leftmost on top, so that leaves come out in order.
    let mut open = vec![(0usize, points.n)];
    while let Some((from, to)) = open.pop() {
        if to - from <= leaf {
            starts.push(from as u32);
            continue;
        }
        let members = &mut order[from..to];
        let size = members.len();
        let node = draws.of(from as u64).of(to as u64);
        let mut cut = 0;
        for attempt in 0..TRIES {
            let a = node.below(2 * attempt, size);
            let b = (a + 1 + node.below(2 * attempt + 1, size - 1)) % size;
            let (a, b) = (points.near(members[a] as usize), points.near(members[b] as usize));
            let normal: Vec<f32> = a.iter().zip(b).map(|(x, y)| x - y).collect();
            let offset = a.iter().zip(b).zip(&normal).map(|((x, y), n)| 0.5 * (x + y) * n).sum();
            margins(points, members, &normal, offset, &mut sides);
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
        open.push((from + cut, to));
        open.push((from, from + cut));
    }
    starts.push(points.n as u32);
    Tree { order, starts }
}

/// Compares all pairs within each leaf and lets them into each other's lists.
pub(crate) fn join_leaves(points: &Points<'_>, tree: &Tree, lists: &mut Lists) {
    let k = lists.k;
    let leaves = tree.starts.len() - 1;
    let width = points.width();
    // Each point is in one leaf of a tree, so leaves can rewrite their members' lists side by side.
    let parts = parallel::map_ranges(leaves, 4, |range| {
        let mut all = Vec::new();
        let (mut panels, mut out0, mut out1) = (Vec::new(), Vec::new(), Vec::new());
        for l in range {
            let members = &tree.order[tree.starts[l] as usize..tree.starts[l + 1] as usize];
            let size = members.len();
            let mut keys: Vec<u64> = members.iter().flat_map(|&m| lists.of(m as usize)).copied().collect();
            pack(members.iter().map(|&m| points.near(m as usize)), width, &mut panels);
            out0.resize(panels.len() / width, 0.0);
            out1.resize(panels.len() / width, 0.0);
            for i in (0..size).step_by(2) {
                let second = (i + 1).min(size - 1);
                let first_panel = i / LANES;
                let near = [members[i], members[second]].map(|m| points.near(m as usize));
                sweep(points.kernel, near, &panels[first_panel * LANES * width..], [&mut out0, &mut out1]);
                for (i, out) in [(i, &out0), (second, &out1)].into_iter().take(size - i) {
                    let base = first_panel * LANES;
                    let mut own = worst(&keys[i * k..(i + 1) * k]);
                    for j in i + 1..size {
                        let value = out[j - base];
                        let limit = own.max(worst(&keys[j * k..(j + 1) * k]));
                        if value > points.limit(limit, points) {
                            continue;
                        }
                        // Near pairs meet in most trees: then the distance is known.
                        let exact = known(&keys[i * k..(i + 1) * k], members[j])
                            .or_else(|| known(&keys[j * k..(j + 1) * k], members[i]))
                            .unwrap_or_else(|| points.exact(members[i] as usize, points, members[j] as usize, value));
                        if exact <= own && insert(&mut keys[i * k..(i + 1) * k], pack_key(exact, members[j])) {
                            own = worst(&keys[i * k..(i + 1) * k]);
                        }
                        insert(&mut keys[j * k..(j + 1) * k], pack_key(exact, members[i]));
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
