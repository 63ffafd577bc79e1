//! A tree as the set of its leaves' paths.
//!
//! For SHAP a leaf is a product game. Let D be the distinct features on its path, d of them. A feature's *ratio* r is the
//! share of its parent's cover that follows the path, multiplied over all splits on the feature; its *hit* o is 1 where
//! the row follows the path at all of these splits, else 0. A coalition S of features makes the leaf worth
//! value · Π_{j in S} o_j · Π_{j in D, not in S} r_j, so the Shapley value of feature j is
//!
//! ```text
//! φ_j = value · (o_j - r_j) · ∫₀¹ Π_{i in D, i ≠ j} (t o_i + (1 - t) r_i) dt,
//! ```
//!
//! because the weight |S|! (d - 1 - |S|)! / d! of a coalition S of the others is ∫ t^|S| (1 - t)^(d - 1 - |S|) dt. The
//! integrand is a polynomial of degree d - 1 in t, so Gauss-Legendre quadrature with ⌈d / 2⌉ points is exact. Nothing is
//! divided, all factors lie in 0 to 1, and no cover is too small.

use super::quadrature::{LANES, Rule};
use crate::boost::Tree;

/// A split, as a row is compared with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Split {
    pub(super) feature: u32,
    pub(super) threshold: f32,
    pub(super) default_left: bool,
}

/// One step of a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    /// Number of the split in [`Paths::splits`].
    pub(super) split: u32,
    /// Place of its feature among the path's distinct ones.
    pub(super) place: u32,
    /// The side that the path takes.
    pub(super) left: bool,
}

/// A leaf with its path.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) value: f64,
    /// Distinct features, in the order of their first split.
    pub(super) features: Vec<u32>,
    /// The ratio of each.
    pub(super) ratios: Vec<f64>,
    pub(super) edges: Vec<Edge>,
}

/// All leaves of a tree, from left to right.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    pub(super) splits: Vec<Split>,
    pub(super) leaves: Vec<Leaf>,
    /// Mean value of the leaves by cover: what the tree says of an unknown row.
    pub(super) mean: f64,
    /// Most distinct features on a path.
    pub(super) longest: usize,
}

impl Paths {
    pub(super) fn of(tree: &Tree) -> Self {
        let mut paths = Paths { splits: Vec::new(), leaves: Vec::new(), mean: 0.0, longest: 0 };
        let root = Leaf { value: 0.0, features: Vec::new(), ratios: Vec::new(), edges: Vec::new() };
        let mut stack = vec![(0usize, root)];
        while let Some((node, mut path)) = stack.pop() {
            if tree.is_leaf(node) {
                path.value = f64::from(tree.value()[node]);
                paths.mean += path.value * path.ratios.iter().product::<f64>();
                paths.longest = paths.longest.max(path.features.len());
                paths.leaves.push(path);
                continue;
            }
            let (left, right) = (tree.left()[node] as usize, tree.right()[node] as usize);
            let covers = [tree.cover()[left], tree.cover()[right]];
            // The children's own sum, so that ratios add up to 1 whatever rounding a file's covers went through. A split
            // without any cover says nothing: half each.
            let sum = covers[0] + covers[1];
            let left_ratio = if sum > 0.0 { covers[0] / sum } else { 0.5 };
            let right_ratio = if sum > 0.0 { covers[1] / sum } else { 0.5 };
            let split = paths.splits.len() as u32;
            let feature = tree.feature()[node];
            let (threshold, default_left) = (tree.threshold()[node], tree.default_left()[node]);
            paths.splits.push(Split { feature, threshold, default_left });
            let other = path.clone();
            stack.push((right, other.step(split, feature, false, right_ratio)));
            stack.push((left, path.step(split, feature, true, left_ratio)));
        }
        paths
    }
}

impl Leaf {
    /// The path one split further; a feature seen before keeps its place.
    fn step(mut self, split: u32, feature: u32, left: bool, ratio: f64) -> Self {
        let place = self.features.iter().position(|&f| f == feature).unwrap_or_else(|| {
            self.features.push(feature);
            self.ratios.push(1.0);
            self.features.len() - 1
        });
        self.ratios[place] *= ratio;
        self.edges.push(Edge { split, place: place as u32, left });
        self
    }

    /// Shapley values of the leaf's features at the given hits. `rule` must have at least ⌈features / 2⌉ points.
    ///
    /// The products over all features but one come from running products from both ends.
    #[inline(always)]
    pub(super) fn shapley(
        &self,
        hit: impl Fn(usize) -> bool,
        rule: &Rule,
        before: &mut Vec<[f64; LANES]>,
        out: &mut [f64],
    ) {
        let d = self.features.len();
        out[..d].fill(0.0);
        before.resize(d.max(before.len()), [0.0; LANES]);
        for group in &rule.groups {
            let factor = |j: usize| {
                let (o, r) = (f64::from(u8::from(hit(j))), self.ratios[j]);
                let mut factor = [0.0; LANES];
                for lane in 0..LANES {
                    factor[lane] = group.t[lane] * o + group.rest[lane] * r;
                }
                factor
            };
            let mut running = [1.0; LANES];
            for j in 0..d {
                before[j] = running;
                let factor = factor(j);
                for lane in 0..LANES {
                    running[lane] *= factor[lane];
                }
            }
            let mut running = group.weight;
            for j in (0..d).rev() {
                let factor = factor(j);
                let mut products = [0.0; LANES];
                for lane in 0..LANES {
                    products[lane] = running[lane] * before[j][lane];
                    running[lane] *= factor[lane];
                }
                out[j] += (products[0] + products[1]) + (products[2] + products[3]);
            }
        }
        for j in 0..d {
            out[j] *= self.value * (f64::from(u8::from(hit(j))) - self.ratios[j]);
        }
    }
}
