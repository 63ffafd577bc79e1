//! A tree as the paths of its leaves, and neighbouring leaves as units with a common table.
//!
//! The Shapley values of a leaf depend on a row only through its *hits*: for each feature, whether the row follows the path
//! at all splits on it. Leaves that share the upper part of their paths share these hits, so a whole subtree, a *unit*,
//! depends on a row through one bit for each feature above it and one bit for each split in it.

use super::background::HitPatterns;
use crate::boost::{Tree, category_goes_left, number_goes_left};
use crate::core::Rows;
use std::ops::Range;

/// Most bits of a unit whose values are tabulated: 2^8 patterns.
pub(super) const MOST_BITS: usize = 8;

/// A split of a tree.
#[derive(Clone, Debug)]
pub(super) struct Split {
    pub(super) feature: u32,
    pub(super) threshold: f32,
    pub(super) default_left: bool,
    /// Categories that a categorical split sends right; else empty.
    pub(super) categories: Vec<u32>,
}

impl Split {
    /// As [`Tree::goes_left`].
    #[inline(always)]
    pub(super) fn goes_left(&self, value: f32) -> bool {
        match self.categories.is_empty() {
            true => number_goes_left(self.threshold, self.default_left, value),
            false => category_goes_left(&self.categories, self.default_left, value),
        }
    }
}

/// One step of a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    /// Number of the split in [`Paths::splits`].
    pub(super) split: u32,
    /// Index of its feature among the path's distinct ones.
    pub(super) place: u32,
    /// The side that the path takes.
    pub(super) left: bool,
}

/// A leaf with its path.
#[derive(Clone, Debug, Default)]
pub(super) struct Leaf {
    pub(super) value: f64,
    /// Distinct features, in the order of their first split.
    pub(super) features: Vec<u32>,
    /// For each feature the share of cover that follows the path, multiplied over all splits on it.
    pub(super) ratios: Vec<f64>,
    pub(super) edges: Vec<Edge>,
    /// The background's hits, for interventional values.
    pub(super) background: Option<HitPatterns>,
    /// For each feature its index among the unit's.
    pub(super) places: Vec<u32>,
}

/// Neighbouring leaves below one node, with a common table.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub(super) leaves: Range<usize>,
    /// Distinct features: those above the node, then those of the splits from it on.
    pub(super) features: Vec<u32>,
    /// The path to the node; its distinct features are the unit's first bits.
    pub(super) edges: Vec<Edge>,
    /// Number of these features.
    pub(super) above: usize,
    /// Splits from the node on, one more bit each, set where a row goes left.
    pub(super) splits: Vec<u32>,
}

impl Unit {
    pub(super) fn bits(&self) -> usize {
        self.above + self.splits.len()
    }

    /// Size of the unit's table; 0 where it has none.
    pub(super) fn size(&self) -> usize {
        if self.bits() <= MOST_BITS { self.features.len() << self.bits() } else { 0 }
    }
}

/// All leaves of a tree, from left to right.
#[derive(Clone, Debug, Default)]
pub(super) struct Paths {
    pub(super) splits: Vec<Split>,
    pub(super) leaves: Vec<Leaf>,
    pub(super) units: Vec<Unit>,
    /// Mean value of the leaves: the tree's share of the base value.
    pub(super) mean: f64,
    /// Most distinct features on a path.
    pub(super) longest: usize,
}

impl Paths {
    /// The paths of a tree, weighted by the `cover` of its nodes.
    pub(super) fn of(tree: &Tree, cover: &[f64]) -> Self {
        // Splits at and below each node; children follow their parent.
        let mut below = vec![0usize; tree.len()];
        for node in (0..tree.len()).rev().filter(|&node| !tree.is_leaf(node)) {
            below[node] = 1 + below[tree.left()[node] as usize] + below[tree.right()[node] as usize];
        }
        let mut paths = Paths::default();
        let mut stack = vec![(0usize, Leaf::default(), None)];
        while let Some((node, mut path, unit)) = stack.pop() {
            let d = path.features.len();
            let unit: Option<usize> = unit.or_else(|| {
                (tree.is_leaf(node) || d + below[node] <= MOST_BITS).then(|| {
                    let at = paths.leaves.len();
                    let (features, edges) = (path.features.clone(), path.edges.clone());
                    paths.units.push(Unit { leaves: at..at, features, edges, above: d, splits: Vec::new() });
                    paths.units.len() - 1
                })
            });
            if tree.is_leaf(node) {
                path.value = f64::from(tree.value()[node]);
                paths.mean += path.value * path.ratios.iter().product::<f64>();
                paths.longest = paths.longest.max(d);
                if let Some(unit) = unit {
                    path.join(&mut paths.units[unit]);
                }
                paths.leaves.push(path);
                continue;
            }
            let (left, right) = (tree.left()[node] as usize, tree.right()[node] as usize);
            // The children's sum, so that ratios sum to 1 even if covers were rounded in a file. Without any cover, half
            // each.
            let sum = cover[left] + cover[right];
            let left_ratio = if sum > 0.0 { cover[left] / sum } else { 0.5 };
            let right_ratio = if sum > 0.0 { cover[right] / sum } else { 0.5 };
            let split = paths.splits.len() as u32;
            if let Some(unit) = unit {
                paths.units[unit].splits.push(split);
            }
            let feature = tree.feature()[node];
            let (threshold, default_left) = (tree.threshold()[node], tree.default_left()[node]);
            let categories = tree.categories(node).to_vec();
            paths.splits.push(Split { feature, threshold, default_left, categories });
            let other = path.clone();
            stack.push((right, other.step(split, feature, false, right_ratio), unit));
            stack.push((left, path.step(split, feature, true, left_ratio), unit));
        }
        paths
    }

    /// Takes absent features from the rows of a background, at least one, instead of weighting by cover.
    pub(super) fn set_background(&mut self, background: &Rows<'_>) {
        let n = background.len();
        let goes = |split: &Split, row: usize| split.goes_left(background.row(row)[split.feature as usize]);
        let left: Vec<bool> = self.splits.iter().flat_map(|split| (0..n).map(move |row| goes(split, row))).collect();
        self.mean = 0.0;
        for leaf in &mut self.leaves {
            let hits_of = |row: usize, hits: &mut Vec<u64>| leaf.hits(|split| left[split * n + row], hits);
            let patterns = HitPatterns::of(leaf.words(), n, hits_of);
            self.mean += leaf.value * patterns.share(leaf.features.len());
            leaf.background = Some(patterns);
        }
    }
}

impl Leaf {
    /// The path one split further; a feature seen before keeps its index.
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

    /// Adds this leaf to a unit.
    fn join(&mut self, unit: &mut Unit) {
        unit.leaves.end += 1;
        for (i, &feature) in self.features.iter().enumerate() {
            // The leaf's path begins with the path to the unit's node.
            let place = if i < unit.above { Some(i) } else { unit.features.iter().position(|&f| f == feature) };
            self.places.push(place.unwrap_or(unit.features.len()) as u32);
            if place.is_none() {
                unit.features.push(feature);
            }
        }
    }

    /// 64-bit words that the hits of this leaf fill.
    #[inline(always)]
    pub(super) fn words(&self) -> usize {
        self.features.len().div_ceil(64)
    }

    /// One bit for each feature, set where a row follows the path at all splits on it.
    #[inline(always)]
    pub(super) fn hits(&self, goes_left: impl Fn(usize) -> bool, hits: &mut Vec<u64>) {
        hits.clear();
        let d = self.features.len();
        hits.extend((0..self.words()).map(|w| if d - w * 64 >= 64 { u64::MAX } else { (1 << (d - w * 64)) - 1 }));
        for edge in &self.edges {
            let bit = u64::from(goes_left(edge.split as usize) != edge.left) << (edge.place % 64);
            hits[edge.place as usize / 64] &= !bit;
        }
    }
}
