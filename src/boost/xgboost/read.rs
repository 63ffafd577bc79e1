//! Reading XGBoost's JSON.

use super::{bad, margin_of};
use crate::Result;
use crate::boost::model::{BoostModel, Ensemble, Link, Tree};
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    learner: Learner,
}

#[derive(Deserialize)]
struct Learner {
    #[serde(default)]
    feature_names: Vec<String>,
    gradient_booster: serde_json::Value,
    learner_model_param: ModelParam,
    objective: Named,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

/// Numbers in these are strings.
#[derive(Deserialize)]
struct ModelParam {
    base_score: String,
    #[serde(default)]
    num_class: String,
    num_feature: String,
    #[serde(default)]
    num_target: String,
}

#[derive(Deserialize)]
struct Booster {
    model: Trees,
}

#[derive(Deserialize)]
struct Trees {
    trees: Vec<FileTree>,
    tree_info: Vec<i64>,
}

#[derive(Deserialize)]
struct FileTree {
    left_children: Vec<i64>,
    right_children: Vec<i64>,
    split_indices: Vec<i64>,
    split_conditions: Vec<f32>,
    default_left: Vec<serde_json::Value>,
    loss_changes: Vec<f32>,
    sum_hessian: Vec<f32>,
    #[serde(default)]
    base_weights: Vec<f32>,
    #[serde(default)]
    split_type: Vec<i64>,
    /// The sets of all categorical splits, one after the other.
    #[serde(default)]
    categories: Vec<i64>,
    /// Nodes with a set, where it begins and how long it is.
    #[serde(default)]
    categories_nodes: Vec<i64>,
    #[serde(default)]
    categories_segments: Vec<i64>,
    #[serde(default)]
    categories_sizes: Vec<i64>,
}

impl BoostModel {
    /// Reads a model that XGBoost saved as JSON (`booster.save_model("model.json")`).
    ///
    /// # Errors
    /// [`Error::Format`](crate::Error::Format) for a damaged file and for what is not supported: boosters other than
    /// `gbtree`, objectives other than `binary:logistic`, `reg:squarederror`, `multi:softprob` and `multi:softmax`,
    /// vector leaves.
    pub fn from_xgboost_json(text: &str) -> Result<Self> {
        let learner = serde_json::from_str::<File>(text).map_err(|e| bad(e.to_string()))?.learner;
        let link = match learner.objective.name.as_str() {
            "binary:logistic" => Link::Logistic,
            "reg:squarederror" => Link::Identity,
            "multi:softprob" | "multi:softmax" => Link::Softmax,
            other => return Err(bad(format!("objective \"{other}\" is not supported"))),
        };
        let booster = learner.gradient_booster.get("name").and_then(|name| name.as_str()).unwrap_or("");
        if booster != "gbtree" {
            return Err(bad(format!("booster \"{booster}\" is not supported")));
        }
        let booster: Booster = serde_json::from_value(learner.gradient_booster).map_err(|e| bad(e.to_string()))?;
        let Trees { trees, tree_info } = booster.model;
        let param = learner.learner_model_param;
        let features = number(&param.num_feature, "num_feature")?;
        let classes = number(&param.num_class, "num_class")?;
        if number(&param.num_target, "num_target")? > 1 {
            return Err(bad("several targets are not supported"));
        }
        let count = if link == Link::Softmax { classes } else { 1 };
        // In XGBoost's files every class has trees; more classes than trees is damage.
        if count == 0 || count > trees.len().max(1) {
            return Err(bad(format!("{count} outputs with {} trees", trees.len())));
        }
        let bases = base_margins(&param.base_score, link, count)?;
        let mut outputs: Vec<Ensemble> = bases.into_iter().map(|base| Ensemble { base, trees: Vec::new() }).collect();
        if trees.len() != tree_info.len() {
            return Err(bad(format!("{} trees, but {} entries of tree_info", trees.len(), tree_info.len())));
        }
        for (t, (tree, output)) in trees.iter().zip(tree_info).enumerate() {
            let output = usize::try_from(output).ok().and_then(|output| outputs.get_mut(output));
            let output = output.ok_or_else(|| bad(format!("tree {t} belongs to no output")))?;
            output.trees.push(tree.read().map_err(|reason| bad(format!("tree {t}: {reason}")))?);
        }
        let model = BoostModel::new(link, features, outputs)?;
        if learner.feature_names.is_empty() { Ok(model) } else { model.with_feature_names(learner.feature_names) }
    }
}

/// A whole number in a string; an absent one counts as 0.
fn number(text: &str, name: &str) -> Result<usize> {
    if text.is_empty() { Ok(0) } else { text.parse().map_err(|_| bad(format!("{name} = \"{text}\""))) }
}

/// Margins before any tree, one for each output.
fn base_margins(text: &str, link: Link, outputs: usize) -> Result<Vec<f64>> {
    let scores: Vec<f32> = text
        .trim()
        .trim_start_matches('[')
        .trim_end_matches(']')
        .split(',')
        .map(|score| score.trim().parse::<f32>().map_err(|_| bad(format!("base_score = \"{text}\""))))
        .collect::<Result<_>>()?;
    let margins: Vec<f64> = scores.iter().map(|&score| margin_of(score, link)).collect();
    match margins.len() {
        1 => Ok(vec![margins[0]; outputs]),
        n if n == outputs => Ok(margins),
        n => Err(bad(format!("{n} base scores for {outputs} outputs"))),
    }
}

impl FileTree {
    /// Renumbers the nodes so that children follow their parent; deleted nodes are dropped.
    fn read(&self) -> std::result::Result<Tree, String> {
        let n = self.left_children.len();
        let lengths = [
            self.right_children.len(),
            self.split_indices.len(),
            self.split_conditions.len(),
            self.default_left.len(),
            self.loss_changes.len(),
            self.sum_hessian.len(),
        ];
        if n == 0 || lengths.iter().any(|&length| length != n) {
            return Err(format!("{n} nodes, but arrays of {lengths:?} (leaves with several values are not supported)"));
        }
        let sets = [self.categories_segments.len(), self.categories_sizes.len()];
        let typed =
            if self.split_type.is_empty() { self.categories_nodes.is_empty() } else { self.split_type.len() == n };
        if !typed || sets.iter().any(|&length| length != self.categories_nodes.len()) {
            return Err(format!(
                "{n} nodes, {} of them typed; {} with categories, but arrays of {sets:?}",
                self.split_type.len(),
                self.categories_nodes.len()
            ));
        }
        let mut tree = Tree::default();
        // Node of the file, and the new number of its parent and the side there.
        let mut stack: Vec<(usize, Option<(usize, bool)>)> = vec![(0, None)];
        while let Some((node, parent)) = stack.pop() {
            if tree.len() == n {
                return Err("its nodes form a cycle".into());
            }
            let (left, right) = (self.left_children[node], self.right_children[node]);
            let leaf = left == -1;
            if leaf && right != -1 {
                return Err(format!("node {node}: a right child, but no left one"));
            }
            let value = if leaf { self.split_conditions[node] } else { *self.base_weights.get(node).unwrap_or(&0.0) };
            let at = tree.push_leaf(value, f64::from(self.sum_hessian[node]));
            match parent {
                Some((parent, true)) => tree.left[parent] = at as u32,
                Some((parent, false)) => tree.right[parent] = at as u32,
                None => {}
            }
            if leaf {
                continue;
            }
            if self.split_type.get(node).is_some_and(|&kind| kind != 0) {
                tree.categories[at] = self.set(node)?;
            } else {
                tree.threshold[at] = self.split_conditions[node];
            }
            let child = |child: i64| {
                usize::try_from(child)
                    .ok()
                    .filter(|&c| c < n)
                    .ok_or_else(|| format!("node {node}: child {child} of {n}"))
            };
            stack.push((child(right)?, Some((at, false))));
            stack.push((child(left)?, Some((at, true))));
            tree.feature[at] =
                u32::try_from(self.split_indices[node]).map_err(|_| format!("node {node}: negative feature"))?;
            tree.default_left[at] = match (self.default_left[node].as_bool(), self.default_left[node].as_i64()) {
                (Some(left), _) => left,
                (None, Some(left @ 0..=1)) => left == 1,
                _ => return Err(format!("node {node}: default_left = {}", self.default_left[node])),
            };
            tree.gain[at] = self.loss_changes[node];
        }
        Ok(tree)
    }

    /// The categories that a categorical split sends right.
    fn set(&self, node: usize) -> std::result::Result<Vec<u32>, String> {
        let bad = || format!("node {node}: damaged categories");
        let place = self.categories_nodes.iter().position(|&n| n == node as i64).ok_or_else(bad)?;
        let number = |list: &[i64]| list.get(place).and_then(|&n| usize::try_from(n).ok()).ok_or_else(bad);
        let (first, count) = (number(&self.categories_segments)?, number(&self.categories_sizes)?);
        let end = first.checked_add(count).filter(|_| count > 0).ok_or_else(bad)?;
        let set = self.categories.get(first..end).ok_or_else(bad)?;
        let mut set =
            set.iter().map(|&c| u32::try_from(c).map_err(|_| bad())).collect::<std::result::Result<Vec<_>, _>>()?;
        set.sort_unstable();
        set.dedup();
        Ok(set)
    }
}
