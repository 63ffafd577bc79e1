//! The fitted model: plain flat trees.

use super::calibrate::Calibration;
use super::predict::Walk;
use crate::core::Cached;
use crate::{Error, Result};
use ndarray::{Array2, ArrayRef2, Axis};

/// Category numbers are below this: whole numbers up to it are exact in f32.
pub(crate) const MOST_CATEGORIES: u32 = 1 << 24;

/// Most features of a model: tables that wide are out of reach, and a file's claim of more must not cost memory.
pub(crate) const MOST_FEATURES: usize = 1 << 24;

/// A decision tree in flat arrays, one entry for each node; node 0 is the root and children follow their parent.
///
/// [`Tree::goes_left`] says where a split sends a value: at a numeric one left where `x < threshold` in f32, at a
/// categorical one right where the category is among [`Tree::categories`]; a missing value (NaN) goes where `default_left`
/// says.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Tree {
    /// Feature that a split looks at; 0 at leaves.
    pub(crate) feature: Vec<u32>,
    /// Value that a numeric split compares with; 0 at leaves and categorical splits.
    pub(crate) threshold: Vec<f32>,
    /// Of a categorical split the categories that go right, ascending; empty at numeric splits and leaves.
    pub(crate) categories: Vec<Vec<u32>>,
    /// Left child, above the node's own number; 0 at leaves.
    pub(crate) left: Vec<u32>,
    /// Right child, above the node's own number; 0 at leaves.
    pub(crate) right: Vec<u32>,
    /// Whether missing values go left.
    pub(crate) default_left: Vec<bool>,
    /// What a leaf adds to the margin, learning rate included; at a split what it would add if it were a leaf.
    pub(crate) value: Vec<f32>,
    /// Sum of the training rows' second derivatives; at a split the sum over its children.
    pub(crate) cover: Vec<f64>,
    /// Loss that the split saves (twice the fall of the second-order objective, as in XGBoost); 0 at leaves.
    pub(crate) gain: Vec<f32>,
}

/// [`Tree::goes_left`] at a split by category, for a value that is not missing; `right` is ascending.
pub(crate) fn category_goes_left(right: &[u32], value: f32) -> bool {
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

    /// Edges on the longest way from the root to a leaf.
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

    /// Whether a split sends a value of its feature to the left child; of no meaning at a leaf.
    ///
    /// A missing value (NaN) goes where `default_left` says. At a categorical split the value is a category number, cut
    /// to a whole one; a category that the training never saw, and a number that cannot be one (negative, or from 2^24
    /// on), goes left, as in XGBoost.
    #[inline]
    pub fn goes_left(&self, node: usize, value: f32) -> bool {
        if value.is_nan() {
            return self.default_left[node];
        }
        let right = &self.categories[node];
        if right.is_empty() { value < self.threshold[node] } else { category_goes_left(right, value) }
    }

    /// The leaf that a row ends in.
    pub(crate) fn leaf_of(&self, row: &[f32]) -> usize {
        let mut at = 0;
        while !self.is_leaf(at) {
            let left = self.goes_left(at, row[self.feature[at] as usize]);
            at = (if left { self.left[at] } else { self.right[at] }) as usize;
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

    /// What a leaf adds to the margin, by node; at a split what it would add if it were a leaf.
    pub fn value(&self) -> &[f32] {
        &self.value
    }

    /// Sums of the training rows' second derivatives, by node.
    pub fn cover(&self) -> &[f64] {
        &self.cover
    }

    /// Loss saved by the splits, by node; 0 at leaves.
    pub fn gain(&self) -> &[f32] {
        &self.gain
    }

    /// Adds a leaf; used while a tree is put together.
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

    /// Says what breaks the promises above, if anything does.
    fn fault(&self, features: usize) -> Option<String> {
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
            // Prediction reads a leaf's feature too, though nothing comes of it.
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
        parents[1..].iter().position(|&p| p == 0).map(|i| format!("node {}: no parent", i + 1))
    }
}

/// The trees of one output; their values and the base margin add up to the output's margin.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Ensemble {
    /// Margin before any tree.
    pub(crate) base: f64,
    /// Trees in the order in which they were grown.
    pub(crate) trees: Vec<Tree>,
}

impl Ensemble {
    /// Margin before any tree.
    pub fn base(&self) -> f64 {
        self.base
    }

    /// Trees in the order in which they were grown.
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }
}

/// How margins become predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Link {
    /// The margin is the prediction: regression.
    Identity,
    /// 1 / (1 + e^-margin), for each output on its own: one-versus-rest.
    Logistic,
    /// e^margin over the sum of all outputs' e^margin.
    Softmax,
}

/// A fitted model: one [`Ensemble`] for each output. Made by [`Boost`](super::Boost) or read from XGBoost's JSON.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BoostModel {
    pub(crate) link: Link,
    pub(crate) features: usize,
    pub(crate) feature_names: Option<Vec<String>>,
    pub(crate) outputs: Vec<Ensemble>,
    pub(crate) calibration: Option<Calibration>,
    /// The trees as prediction reads them, by output: 16 bytes a node.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(crate) walks: Cached<Vec<Vec<Walk>>>,
}

#[cfg(feature = "serde")]
impl crate::Saved for BoostModel {
    const FORMAT: &'static str = "recluster boosted trees";
    const VERSION: u64 = 3;

    fn validate(&self) -> std::result::Result<(), String> {
        self.sound()?;
        if let Some(calibration) = self.calibration.as_ref().filter(|c| !c.fits(self.outputs.len())) {
            return Err(format!("a calibration of {} outputs, or of numbers that are none", calibration.offsets.len()));
        }
        let Some(names) = &self.feature_names else { return Ok(()) };
        if names.len() != self.features {
            return Err(format!("{} names of {} features", names.len(), self.features));
        }
        crate::match_columns(names, names).map(drop).map_err(|e| e.to_string())
    }
}

impl BoostModel {
    /// Puts a model together; every promise of [`Tree`] is checked.
    pub(crate) fn new(link: Link, features: usize, outputs: Vec<Ensemble>) -> Result<Self> {
        let model =
            BoostModel { link, features, feature_names: None, outputs, calibration: None, walks: Cached::default() };
        model.sound().map_err(|reason| Error::Format { format: "boosted trees", reason })?;
        Ok(model)
    }

    /// Checks all but names and calibration.
    fn sound(&self) -> std::result::Result<(), String> {
        if !(1..=MOST_FEATURES).contains(&self.features) {
            return Err(format!("{} features; 1 to {MOST_FEATURES} are possible", self.features));
        }
        if self.outputs.is_empty() {
            return Err("no outputs".into());
        }
        for (o, output) in self.outputs.iter().enumerate() {
            if !output.base.is_finite() {
                return Err(format!("output {o}: base margin {}", output.base));
            }
            for (t, tree) in output.trees.iter().enumerate() {
                if let Some(fault) = tree.fault(self.features) {
                    return Err(format!("output {o}, tree {t}, {fault}"));
                }
            }
        }
        Ok(())
    }

    /// Names the features, for charts and files, and for tables that come later: see [`arranged`](BoostModel::arranged).
    ///
    /// # Errors
    /// [`Error::Shape`] when there is not one name for each feature; [`Error::Columns`] for a name that two have.
    pub fn with_feature_names(mut self, names: Vec<String>) -> Result<Self> {
        let (expected, found) = (self.features, names.len());
        if expected != found {
            return Err(Error::Shape { what: "feature names, one for each feature", expected, found });
        }
        crate::match_columns(&names, &names)?;
        self.feature_names = Some(names);
        Ok(self)
    }

    /// A table (n x features) with its columns, whose `names` are given, in the model's order. A model without names takes
    /// the table as it is.
    ///
    /// ```
    /// use ndarray::{Array2, array};
    /// use recluster::{Run, boost::Boost};
    /// let rows = Array2::from_shape_fn((20, 2), |(i, j)| if j == 0 { i as f32 } else { (i % 3) as f32 });
    /// let labels: Vec<i32> = (0..20).map(|i| i / 10).collect();
    /// let run = Run::new();
    /// let model = Boost::new().fit(&rows, &labels, &run)?.with_feature_names(vec!["age".into(), "visits".into()])?;
    /// let turned = array![[2.0f32, 1.0], [1.0, 18.0]];
    /// let arranged = model.arranged(&turned, &["visits", "age"])?;
    /// assert_eq!(arranged, array![[1.0, 2.0], [18.0, 1.0]]);
    /// assert_eq!(model.labels(&arranged, &run)?, [0, 1]);
    /// assert!(model.arranged(&turned, &["visits", "weight"]).is_err());
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Shape`] when there is not one name for each column, or not one column for each feature; those of
    /// [`match_columns`](crate::match_columns).
    pub fn arranged(&self, table: &ArrayRef2<f32>, names: &[impl AsRef<str>]) -> Result<Array2<f32>> {
        let (expected, found) = (table.ncols(), names.len());
        if expected != found {
            return Err(Error::Shape { what: "names, one for each column", expected, found });
        }
        match &self.feature_names {
            Some(own) => Ok(table.select(Axis(1), &crate::match_columns(own, names)?)),
            None if expected == self.features => Ok(table.to_owned()),
            None => Err(Error::Shape { what: "columns", expected: self.features, found }),
        }
    }

    /// One ensemble for each output.
    pub fn outputs(&self) -> &[Ensemble] {
        &self.outputs
    }

    /// How margins become predictions.
    pub fn link(&self) -> Link {
        self.link
    }

    /// Number of features.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Names of the features, where they were given.
    pub fn feature_names(&self) -> Option<&[String]> {
        self.feature_names.as_deref()
    }

    /// How the margins were calibrated, where they were.
    pub fn calibration(&self) -> Option<&Calibration> {
        self.calibration.as_ref()
    }

    /// How much each feature matters to one output, by feature; features that no split uses have 0.
    ///
    /// # Errors
    /// [`Error::Shape`] when there is no such output.
    pub fn importance(&self, output: usize, kind: Importance) -> Result<Vec<f64>> {
        let ensemble = self.outputs.get(output).ok_or(Error::Shape {
            what: "output below the number of outputs",
            expected: self.outputs.len(),
            found: output,
        })?;
        let mut splits = vec![0.0; self.features];
        let mut sums = vec![0.0; self.features];
        for tree in &ensemble.trees {
            for i in (0..tree.len()).filter(|&i| !tree.is_leaf(i)) {
                let feature = tree.feature[i] as usize;
                splits[feature] += 1.0;
                sums[feature] += match kind {
                    Importance::Weight => 1.0,
                    Importance::Gain | Importance::TotalGain => f64::from(tree.gain[i]),
                    Importance::Cover | Importance::TotalCover => tree.cover[i],
                };
            }
        }
        if matches!(kind, Importance::Gain | Importance::Cover) {
            for (sum, &count) in sums.iter_mut().zip(&splits) {
                *sum /= f64::max(count, 1.0);
            }
        }
        Ok(sums)
    }
}

/// What [`BoostModel::importance`] measures; XGBoost's kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Importance {
    /// Number of splits that use the feature.
    Weight,
    /// Mean loss saved by a split on the feature.
    Gain,
    /// Loss saved by all splits on the feature.
    TotalGain,
    /// Mean cover of a split on the feature.
    Cover,
    /// Cover of all splits on the feature.
    TotalCover,
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
