//! Trees under construction, random ones, and Shapley values by their definition.
#![allow(dead_code, unreachable_pub)]

use ndarray::Array2;
use recluster::boost::{BoostModel, Tree};
use recluster::{Run, Saved};
use serde_json::{Value, json};

/// A tree under construction: the public way to a model of one's own is its saved form.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    feature: Vec<u32>,
    threshold: Vec<f32>,
    categories: Vec<Vec<u32>>,
    left: Vec<u32>,
    right: Vec<u32>,
    default_left: Vec<bool>,
    value: Vec<f32>,
    pub cover: Vec<f64>,
}

impl Draft {
    pub fn node(&mut self, value: f32, cover: f64) -> usize {
        self.feature.push(0);
        self.threshold.push(0.0);
        self.categories.push(Vec::new());
        self.left.push(0);
        self.right.push(0);
        self.default_left.push(false);
        self.value.push(value);
        self.cover.push(cover);
        self.feature.len() - 1
    }

    pub fn split(
        &mut self,
        at: usize,
        feature: u32,
        threshold: f32,
        default_left: bool,
        sides: [(f32, f64); 2],
    ) -> [usize; 2] {
        let children = sides.map(|(value, cover)| self.node(value, cover));
        (self.feature[at], self.threshold[at], self.default_left[at]) = (feature, threshold, default_left);
        (self.left[at], self.right[at]) = (children[0] as u32, children[1] as u32);
        children
    }

    /// Makes a split one by category.
    pub fn send_right(&mut self, at: usize, categories: Vec<u32>) {
        (self.threshold[at], self.categories[at]) = (0.0, categories);
    }

    fn json(&self) -> Value {
        let gain = vec![0.0; self.feature.len()];
        json!({"feature": self.feature, "threshold": self.threshold, "categories": self.categories, "left": self.left,
            "right": self.right, "default_left": self.default_left, "value": self.value, "cover": self.cover,
            "gain": gain})
    }
}

pub fn model_of(features: usize, outputs: &[(f64, Vec<Draft>)]) -> BoostModel {
    BoostModel::from_json(&file_of(features, outputs).to_string()).unwrap()
}

pub fn file_of(features: usize, outputs: &[(f64, Vec<Draft>)]) -> Value {
    let outputs: Vec<Value> = outputs
        .iter()
        .map(|(base, trees)| json!({"base": base, "trees": trees.iter().map(Draft::json).collect::<Vec<_>>()}))
        .collect();
    json!({"format": BoostModel::FORMAT, "version": BoostModel::VERSION,
        "model": {"link": "logistic", "features": features, "feature_names": null, "outputs": outputs}})
}

/// Where the features outside a coalition come from.
#[derive(Clone, Copy)]
pub enum Absent<'a> {
    /// Both sides of a split, by cover.
    Cover,
    /// Both sides of a split, by how many of these rows go there.
    Counts(&'a Array2<f32>),
    /// Each of these rows in turn.
    Background(&'a Array2<f32>),
}

/// What a tree expects of a row when only the features in `known` are known: the definition, by recursion.
fn expectation(tree: &Tree, cover: &[f64], node: usize, row: &[f32], known: u32) -> f64 {
    if tree.is_leaf(node) {
        return f64::from(tree.value()[node]);
    }
    let (left, right) = (tree.left()[node] as usize, tree.right()[node] as usize);
    let feature = tree.feature()[node] as usize;
    if known >> feature & 1 == 1 {
        let next = if tree.goes_left(node, row[feature]) { left } else { right };
        return expectation(tree, cover, next, row, known);
    }
    let (l, r) = (cover[left], cover[right]);
    let share = if l + r > 0.0 { l / (l + r) } else { 0.5 };
    share * expectation(tree, cover, left, row, known) + (1.0 - share) * expectation(tree, cover, right, row, known)
}

fn counts(tree: &Tree, rows: &Array2<f32>) -> Vec<f64> {
    let mut counts = vec![0.0; tree.len()];
    for row in rows.outer_iter() {
        let mut node = 0;
        loop {
            counts[node] += 1.0;
            if tree.is_leaf(node) {
                break;
            }
            let left = tree.goes_left(node, row[tree.feature()[node] as usize]);
            node = if left { tree.left()[node] } else { tree.right()[node] } as usize;
        }
    }
    counts
}

/// What each coalition (as bits) of a row's features makes the model say.
pub fn worth(model: &BoostModel, output: usize, row: &[f32], absent: Absent<'_>) -> Vec<f64> {
    let (trees, base) = (model.outputs()[output].trees(), model.outputs()[output].base());
    let coalitions = 0..1u32 << row.len();
    match absent {
        Absent::Background(background) => {
            let mut mixed = Array2::zeros((background.nrows() << row.len(), row.len()));
            for (i, mut line) in mixed.outer_iter_mut().enumerate() {
                let (known, z) = (i / background.nrows(), background.row(i % background.nrows()));
                (0..row.len()).for_each(|j| line[j] = if known >> j & 1 == 1 { row[j] } else { z[j] });
            }
            let margins = model.margins(&mixed, &Run::new()).unwrap().column(output).to_vec();
            margins.chunks(background.nrows()).map(|m| m.iter().sum::<f64>() / m.len() as f64).collect()
        }
        _ => {
            let covers: Vec<Vec<f64>> = trees
                .iter()
                .map(|tree| if let Absent::Counts(rows) = absent { counts(tree, rows) } else { tree.cover().to_vec() })
                .collect();
            let all = |known| trees.iter().zip(&covers).map(|(t, c)| expectation(t, c, 0, row, known)).sum::<f64>();
            coalitions.map(|known| base + all(known)).collect()
        }
    }
}

fn factorial(n: usize) -> f64 {
    (1..=n).map(|i| i as f64).product()
}

/// Shapley values by going through all coalitions.
pub fn shapley(worth: &[f64]) -> Vec<f64> {
    let m = worth.len().trailing_zeros() as usize;
    let weight = |s: usize| factorial(s) * factorial(m - s - 1) / factorial(m);
    let weights: Vec<f64> = (0..m).map(weight).collect();
    let value = |j: usize| {
        let others = (0..worth.len()).filter(|known| known >> j & 1 == 0);
        others.map(|known| weights[known.count_ones() as usize] * (worth[known | 1 << j] - worth[known])).sum()
    };
    (0..m).map(value).collect()
}

/// Interactions by going through all coalitions, halved; the diagonal holds the rest.
pub fn interactions(worth: &[f64]) -> Array2<f64> {
    let m = worth.len().trailing_zeros() as usize;
    let mut all = Array2::zeros((m, m));
    for i in 0..m {
        for j in (0..m).filter(|&j| j != i) {
            for known in (0..worth.len()).filter(|known| known >> i & 1 == 0 && known >> j & 1 == 0) {
                let s = known.count_ones() as usize;
                let weight = factorial(s) * factorial(m - s - 2) / factorial(m - 1) / 2.0;
                let both = worth[known | 1 << i | 1 << j] - worth[known | 1 << i] - worth[known | 1 << j];
                all[[i, j]] += weight * (both + worth[known]);
            }
        }
    }
    for (i, value) in shapley(worth).into_iter().enumerate() {
        all[[i, i]] = value - all.row(i).sum();
    }
    all
}

/// Random numbers for drafts.
pub struct Draw(pub u64);

impl Draw {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }
}

/// A random tree: features repeat on paths, some covers are zero, some splits are by category.
pub fn random_tree(draw: &mut Draw, features: usize, splits: usize) -> Draft {
    let mut tree = Draft::default();
    let mut leaves = vec![tree.node(0.0, 100.0)];
    for _ in 0..splits {
        let at = leaves.swap_remove(draw.below(leaves.len()));
        let share = [0.0, 0.1, 0.25, 0.5, 0.9, 1.0][draw.below(6)];
        let cover = tree.cover[at];
        let sides = [share, 1.0 - share].map(|share| (draw.below(2001) as f32 / 100.0 - 10.0, share * cover));
        let threshold = draw.below(5) as f32 - 1.5;
        let (feature, default_left) = (draw.below(features) as u32, draw.below(2) == 0);
        leaves.extend(tree.split(at, feature, threshold, default_left, sides));
        if draw.below(4) == 0 {
            tree.send_right(at, [vec![0], vec![1], vec![0, 2], vec![1, 2, 40]][draw.below(4)].clone());
        }
    }
    tree
}

pub fn random_rows(draw: &mut Draw, n: usize, features: usize) -> Array2<f32> {
    Array2::from_shape_fn((n, features), |_| match draw.below(6) {
        0 => f32::NAN,
        x => x as f32 - 3.0,
    })
}

/// `value` where features 0 and 1 are both at least 0, each by half of the cover; in both orders of splits.
pub fn both_orders_of_and(value: f32) -> BoostModel {
    let and = |first: u32, second: u32| {
        let mut tree = Draft::default();
        let root = tree.node(0.0, 8.0);
        let [_, right] = tree.split(root, first, 0.0, true, [(0.0, 4.0), (0.0, 4.0)]);
        tree.split(right, second, 0.0, true, [(0.0, 2.0), (value, 2.0)]);
        tree
    };
    model_of(3, &[(0.0, vec![and(0, 1), and(1, 0)])])
}

/// A tree that is one path of `depth` splits, on the features in turn.
pub fn chain(features: u32, depth: u32) -> Draft {
    let mut tree = Draft::default();
    let mut at = tree.node(0.0, 2.0f64.powi(depth as i32));
    for level in 0..depth {
        let cover = tree.cover[at] / 2.0;
        let sides = [(1.0 + level as f32, cover), (-1.0, cover)];
        at = tree.split(at, level % features, 64.0 - level as f32, true, sides)[0];
    }
    tree
}
