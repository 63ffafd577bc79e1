//! A decision tree, and the trees of an output.

use crate::boost::limits::{MOST_CATEGORIES, MOST_STEPS};

/// A decision tree in flat arrays, one entry for each node; node 0 is the root and children follow their parent.
///
/// [`Tree::goes_left`] decides the side of a value: at a numeric split left where `x < threshold` in f32, at a categorical
/// one right where the category is among [`Tree::categories`]; a missing value (NaN) goes to the default side.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Tree {
    /// Feature of a split; 0 at leaves.
    pub(crate) feature: Vec<u32>,
    /// Threshold of a numeric split; 0 at leaves and categorical splits.
    pub(crate) threshold: Vec<f32>,
    /// Categories that a categorical split sends right, ascending; empty at numeric splits and leaves.
    pub(crate) categories: Vec<Vec<u32>>,
    /// Left child, above the node's own number; 0 at leaves.
    pub(crate) left: Vec<u32>,
    /// Right child, above the node's own number; 0 at leaves.
    pub(crate) right: Vec<u32>,
    /// Whether missing values go left.
    pub(crate) default_left: Vec<bool>,
    /// Value of a leaf, learning rate included; at a split the value that it would have had as a leaf.
    pub(crate) value: Vec<f32>,
    /// Sum of the training rows' second derivatives; at a split the sum over its children.
    pub(crate) cover: Vec<f64>,
    /// Gain of a split (twice the reduction of the second-order objective, as in XGBoost); 0 at leaves.
    pub(crate) gain: Vec<f32>,
}

/// [`Tree::goes_left`] at a numeric split, without branches.
#[inline(always)]
pub(crate) fn number_goes_left(threshold: f32, default_left: bool, value: f32) -> bool {
    (value < threshold) | (value.is_nan() & default_left)
}

/// [`Tree::goes_left`] at a categorical split; `right` is ascending.
pub(crate) fn category_goes_left(right: &[u32], default_left: bool, value: f32) -> bool {
    if value.is_nan() {
        return default_left;
    }
    !(0.0..MOST_CATEGORIES as f32).contains(&value) || right.binary_search(&(value as u32)).is_err()
}

impl Tree {
    /// Number of nodes, leaves included.
    pub fn len(&self) -> usize {
        self.feature.len()
    }

    /// Whether the tree has no node; never true of a tree of a model.
    pub fn is_empty(&self) -> bool {
        self.feature.is_empty()
    }

    /// Number of leaves.
    pub fn leaves(&self) -> usize {
        (0..self.len()).filter(|&i| self.is_leaf(i)).count()
    }

    /// Whether a node is a leaf.
    pub fn is_leaf(&self, node: usize) -> bool {
        self.left[node] == 0
    }

    /// Edges on the longest path from the root to a leaf.
    pub fn depth(&self) -> usize {
        let mut depth = vec![0usize; self.len()];
        for i in 0..self.len() {
            if !self.is_leaf(i) {
                depth[self.left[i] as usize] = depth[i] + 1;
                depth[self.right[i] as usize] = depth[i] + 1;
            }
        }
        depth.into_iter().max().unwrap_or(0)
    }

    /// Features of the splits, by node; 0 at leaves.
    pub fn feature(&self) -> &[u32] {
        &self.feature
    }

    /// Thresholds of the splits, by node: a row goes left where its value is below, compared in f32.
    pub fn threshold(&self) -> &[f32] {
        &self.threshold
    }

    /// The categories that a categorical split sends right, ascending; empty at numeric splits and leaves.
    pub fn categories(&self, node: usize) -> &[u32] {
        &self.categories[node]
    }

    /// Whether a node splits by category.
    pub fn is_categorical(&self, node: usize) -> bool {
        !self.categories[node].is_empty()
    }

    /// Whether any node splits by category.
    pub fn has_categories(&self) -> bool {
        self.categories.iter().any(|set| !set.is_empty())
    }

    /// Whether a split sends a value of its feature to the left child; unspecified at a leaf.
    ///
    /// A missing value (NaN) goes to the default side. At a categorical split the value is truncated to a category number;
    /// unseen categories and invalid ones (negative, or from 2^24 on) go left, as in XGBoost.
    #[inline]
    pub fn goes_left(&self, node: usize, value: f32) -> bool {
        let (right, default_left) = (&self.categories[node], self.default_left[node]);
        match right.is_empty() {
            true => number_goes_left(self.threshold[node], default_left, value),
            false => category_goes_left(right, default_left, value),
        }
    }

    /// The leaf that a row ends in; `visit` gets each node on the way, the leaf too.
    pub(crate) fn descend(&self, row: &[f32], mut visit: impl FnMut(usize)) -> usize {
        let mut at = 0;
        visit(at);
        while !self.is_leaf(at) {
            let left = self.goes_left(at, row[self.feature[at] as usize]);
            at = (if left { self.left[at] } else { self.right[at] }) as usize;
            visit(at);
        }
        at
    }

    /// Left children, by node; 0 at leaves.
    pub fn left(&self) -> &[u32] {
        &self.left
    }

    /// Right children, by node; 0 at leaves.
    pub fn right(&self) -> &[u32] {
        &self.right
    }

    /// Whether missing values go left, by node.
    pub fn default_left(&self) -> &[bool] {
        &self.default_left
    }

    /// Values of the leaves, by node; at a split the value that it would have had as a leaf.
    pub fn value(&self) -> &[f32] {
        &self.value
    }

    /// Sums of the training rows' second derivatives, by node.
    pub fn cover(&self) -> &[f64] {
        &self.cover
    }

    /// Gains of the splits, by node; 0 at leaves.
    pub fn gain(&self) -> &[f32] {
        &self.gain
    }

    /// Adds a leaf; used while a tree is built.
    pub(crate) fn push_leaf(&mut self, value: f32, cover: f64) -> usize {
        self.feature.push(0);
        self.threshold.push(0.0);
        self.categories.push(Vec::new());
        self.left.push(0);
        self.right.push(0);
        self.default_left.push(false);
        self.value.push(value);
        self.cover.push(cover);
        self.gain.push(0.0);
        self.len() - 1
    }

    /// What is invalid in the tree, if anything.
    pub(super) fn fault(&self, features: usize) -> Option<String> {
        let n = self.len();
        let lengths = [
            self.threshold.len(),
            self.categories.len(),
            self.left.len(),
            self.right.len(),
            self.default_left.len(),
            self.value.len(),
            self.cover.len(),
            self.gain.len(),
        ];
        if n == 0 || lengths.iter().any(|&l| l != n) {
            return Some(format!("{n} nodes, but arrays of {lengths:?}"));
        }
        let mut parents = vec![0u8; n];
        for i in 0..n {
            let (value, cover, gain) = (self.value[i], self.cover[i], self.gain[i]);
            if !(value.is_finite() && gain.is_finite() && cover.is_finite() && cover >= 0.0) {
                return Some(format!("node {i}: value {value}, cover {cover}, gain {gain}"));
            }
            // Prediction reads a leaf's feature too, though it has no effect.
            if self.feature[i] as usize >= features || self.threshold[i].is_nan() {
                return Some(format!("node {i}: feature {} of {features}", self.feature[i]));
            }
            let children = [self.left[i] as usize, self.right[i] as usize];
            if children == [0, 0] {
                if !self.categories[i].is_empty() {
                    return Some(format!("node {i}: a leaf with categories"));
                }
                continue;
            }
            for child in children {
                if child <= i || child >= n || parents[child] > 0 {
                    return Some(format!("node {i}: child {child} of {n}"));
                }
                parents[child] = 1;
            }
            let set = &self.categories[i];
            if set.windows(2).any(|pair| pair[0] >= pair[1]) || set.last().is_some_and(|&last| last >= MOST_CATEGORIES)
            {
                return Some(format!("node {i}: categories {set:?}"));
            }
        }
        if let Some(i) = parents[1..].iter().position(|&p| p == 0) {
            return Some(format!("node {}: no parent", i + 1));
        }
        // Explanations list the path of each leaf, which must not take far more memory than the tree.
        let (mut depth, mut leaves, mut steps) = (vec![0usize; n], 0, 0);
        for i in 0..n {
            match self.is_leaf(i) {
                true => (leaves, steps) = (leaves + 1, steps + depth[i]),
                false => [self.left[i], self.right[i]].iter().for_each(|&child| depth[child as usize] = depth[i] + 1),
            }
        }
        (steps > MOST_STEPS * leaves).then(|| format!("paths of {} splits on average", steps / leaves))
    }
}

/// The trees of one output; the output's margin is the sum of their values and the base margin.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Ensemble {
    /// Margin before any tree.
    pub(crate) base: f64,
    /// Trees in the order of training.
    pub(crate) trees: Vec<Tree>,
}

impl Ensemble {
    /// Margin before any tree.
    pub fn base(&self) -> f64 {
        self.base
    }

    /// Trees in the order of training.
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A split by category over two leaves.
    fn split(default_left: bool, right: &[u32]) -> Tree {
        let mut tree = Tree::default();
        tree.push_leaf(0.0, 2.0);
        tree.push_leaf(-1.0, 1.0);
        tree.push_leaf(1.0, 1.0);
        (tree.left[0], tree.right[0], tree.default_left[0]) = (1, 2, default_left);
        tree.categories[0] = right.to_vec();
        tree
    }

    #[test]
    fn values_go_where_xgboost_sends_them() {
        let tree = split(false, &[0, 2, 11]);
        for right in [0.0, -0.0, 0.9, 2.0, 2.5, 11.0] {
            assert!(!tree.goes_left(0, right), "{right}");
        }
        for left in [1.0, 1.99, -0.5, -1.0, 3.0, 12.0, 500.0, 16_777_216.0, 3e9, 1e20, f32::MAX] {
            assert!(tree.goes_left(0, left), "{left}");
        }
        assert!(!tree.goes_left(0, f32::NAN) && split(true, &[0]).goes_left(0, f32::NAN));
        assert!(tree.is_categorical(0) && !tree.is_categorical(1) && tree.has_categories());
        assert_eq!(tree.fault(1), None);
    }

    #[test]
    fn sets_that_are_none_are_refused() {
        for bad in [&[2, 1][..], &[1, 1], &[MOST_CATEGORIES]] {
            assert!(split(true, bad).fault(1).is_some_and(|fault| fault.contains("categories")), "{bad:?}");
        }
        let mut leaf = split(true, &[1]);
        leaf.categories[1] = vec![1];
        assert!(leaf.fault(1).is_some());
    }
}
