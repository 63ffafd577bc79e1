//! XGBoost's JSON, read and written.
//!
//! Read: boosters `gbtree` of the objectives `binary:logistic`, `reg:squarederror`, `multi:softprob` and `multi:softmax`
//! with numeric and categorical splits, as XGBoost 1.7 to 3.2 save them; `base_score` may be a number or, from 3.1 on, a bracketed list.
//! Anything else is an error that names it. Written: one output as `binary:logistic` or `reg:squarederror`, with a scalar
//! `base_score`, which every version reads.
//!
//! XGBoost adds up margins in f32 and we in f64. Leaves of models that are trained here are such that f32 does not round
//! (`Loss::kept`), so the margins are the same; of other models they agree to f32's rounding.

use super::logit;
use super::model::{BoostModel, Ensemble, Link, Tree};
use crate::core::numerics;
use crate::{Error, Result};
use serde::Deserialize;

const FORMAT: &str = "XGBoost JSON model";

fn bad(reason: impl Into<String>) -> Error {
    Error::Format { format: FORMAT, reason: reason.into() }
}

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

/// Numbers are strings in these.
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
    /// [`Error::Format`] for a damaged file and for what is not supported: boosters other than `gbtree`, objectives other
    /// than `binary:logistic`, `reg:squarederror`, `multi:softprob` and `multi:softmax`, vector leaves.
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
        // Every class has trees of its own in any file that XGBoost writes; a larger number is damage.
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

    /// Writes one output as a model that XGBoost loads (`xgboost.Booster(model_file="model.json")`).
    ///
    /// # Errors
    /// [`Error::Shape`] when there is no such output; [`Error::Format`] for a softmax model, whose outputs do not stand
    /// on their own.
    pub fn to_xgboost_json(&self, output: usize) -> Result<String> {
        let (what, expected) = ("output below the number of outputs", self.outputs.len());
        let ensemble = self.outputs.get(output).ok_or(Error::Shape { what, expected, found: output })?;
        let first = match (self.link, ensemble.trees.first()) {
            (Link::Logistic, Some(tree)) => raised(tree, ensemble.base),
            _ => None,
        };
        let (objective, score) = match self.link {
            Link::Logistic => (
                r#"{"name":"binary:logistic","reg_loss_param":{"scale_pos_weight":"1"}}"#,
                // A probability says its margin badly in f32, but one half says 0.
                if first.is_some() { 0.5 } else { numerics::sigmoid(ensemble.base) },
            ),
            Link::Identity => {
                (r#"{"name":"reg:squarederror","reg_loss_param":{"scale_pos_weight":"1"}}"#, ensemble.base)
            }
            Link::Softmax => return Err(bad("an output of a softmax model cannot be written on its own")),
        };
        let score = score as f32;
        let mut trees: Vec<String> = Vec::with_capacity(ensemble.trees.len() + 1);
        // Where the base is in no tree, one of a single leaf says what the score leaves of it.
        let rest = if first.is_some() { 0.0 } else { ensemble.base - margin_of(score, self.link) };
        if rest.abs() > 1e-7 * ensemble.base.abs().max(1.0) {
            let mut tree = Tree::default();
            tree.push_leaf(rest as f32, 0.0);
            trees.push(write_tree(&tree, 0, self.features));
        }
        let others = &ensemble.trees[usize::from(first.is_some())..];
        for tree in first.iter().chain(others) {
            trees.push(write_tree(tree, trees.len(), self.features));
        }
        let names = self.feature_names.clone().unwrap_or_default();
        let names = serde_json::to_string(&names).map_err(|e| bad(e.to_string()))?;
        let mut categorical = vec![false; self.features];
        for tree in self.outputs.iter().flat_map(|output| &output.trees) {
            (0..tree.len())
                .filter(|&i| tree.is_categorical(i))
                .for_each(|i| categorical[tree.feature[i] as usize] = true);
        }
        let typed = self.feature_names.is_some() || categorical.contains(&true);
        let types = list(categorical.iter().filter(|_| typed), |&c| if c { "\"c\"" } else { "\"float\"" }.into());
        let n = trees.len();
        Ok(format!(
            r#"{{"learner":{{"attributes":{{}},"feature_names":{names},"feature_types":{types},"gradient_booster":{{"model":{{"gbtree_model_param":{{"num_parallel_tree":"1","num_trees":"{n}"}},"iteration_indptr":{},"tree_info":{},"trees":[{}]}},"name":"gbtree"}},"learner_model_param":{{"base_score":"{score:E}","boost_from_average":"1","num_class":"0","num_feature":"{}","num_target":"1"}},"objective":{objective}}},"version":[3,0,0]}}"#,
            list(0..=n, |i| i.to_string()),
            list(0..n, |_| "0".into()),
            trees.join(","),
            self.features,
        ))
    }
}

/// The tree with the base margin in all its leaves, if f32 holds every sum exactly.
fn raised(tree: &Tree, base: f64) -> Option<Tree> {
    let mut raised = tree.clone();
    for node in 0..tree.len() {
        let value = f64::from(tree.value[node]) + base;
        if tree.is_leaf(node) && f64::from(value as f32) != value {
            return None;
        }
        raised.value[node] = value as f32;
    }
    Some(raised)
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

/// The margin that XGBoost makes of a base score: for probabilities -ln(1 / p - 1), whose argument it rounds to f32, which
/// shows near 1.
fn margin_of(score: f32, link: Link) -> f64 {
    match link {
        Link::Logistic if score > 1e-6 && score < 1.0 - 1e-6 => -libm::log(f64::from(1.0 / score - 1.0)),
        Link::Logistic => logit(f64::from(score)),
        _ => f64::from(score),
    }
}

impl FileTree {
    /// Renumbers the nodes so that children follow their parent; deleted nodes fall away.
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
        let mut tree = Tree::default();
        // Node of the file, and the new number of its parent with the side.
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

/// A JSON list.
fn list<T>(items: impl IntoIterator<Item = T>, write: impl FnMut(T) -> String) -> String {
    format!("[{}]", items.into_iter().map(write).collect::<Vec<_>>().join(","))
}

/// Our numbers of the nodes in the order that XGBoost writes them: level by level, so that a right child comes right after
/// its left one. XGBoost's loaded models give true margins in any order, but its leaves and contributions trust in this one.
fn by_level(tree: &Tree) -> Vec<usize> {
    let mut order = vec![0];
    let mut at = 0;
    while let Some(&node) = order.get(at) {
        if !tree.is_leaf(node) {
            order.extend([tree.left[node] as usize, tree.right[node] as usize]);
        }
        at += 1;
    }
    order
}

fn write_tree(tree: &Tree, id: usize, features: usize) -> String {
    let order = by_level(tree);
    let n = order.len();
    let mut place = vec![0usize; tree.len()];
    order.iter().enumerate().for_each(|(at, &node)| place[node] = at);
    let mut parents = vec![2_147_483_647usize; n];
    for (at, &node) in order.iter().enumerate().filter(|(_, node)| !tree.is_leaf(**node)) {
        parents[place[tree.left[node] as usize]] = at;
        parents[place[tree.right[node] as usize]] = at;
    }
    let float = |value: f32| format!("{value:E}");
    let nodes = |write: &dyn Fn(usize) -> String| list(&order, |&node| write(node));
    let child = |children: &[u32]| {
        nodes(&|i| if tree.is_leaf(i) { "-1".into() } else { place[children[i] as usize].to_string() })
    };
    let sets: Vec<usize> = (0..n).filter(|&at| tree.is_categorical(order[at])).collect();
    let set = |at: usize| &tree.categories[order[at]];
    let mut first = 0;
    let firsts = list(&sets, |&at| {
        first += set(at).len();
        (first - set(at).len()).to_string()
    });
    format!(
        r#"{{"base_weights":{},"categories":{},"categories_nodes":{},"categories_segments":{firsts},"categories_sizes":{},"default_left":{},"id":{id},"left_children":{},"loss_changes":{},"parents":{},"right_children":{},"split_conditions":{},"split_indices":{},"split_type":{},"sum_hessian":{},"tree_param":{{"num_deleted":"0","num_feature":"{features}","num_nodes":"{n}","size_leaf_vector":"1"}}}}"#,
        nodes(&|i| float(tree.value[i])),
        list(sets.iter().flat_map(|&at| set(at)), u32::to_string),
        list(&sets, usize::to_string),
        list(&sets, |&at| set(at).len().to_string()),
        nodes(&|i| u8::from(tree.default_left[i]).to_string()),
        child(&tree.left),
        nodes(&|i| float(tree.gain[i])),
        list(&parents, usize::to_string),
        child(&tree.right),
        nodes(&|i| float(if tree.is_leaf(i) { tree.value[i] } else { tree.threshold[i] })),
        nodes(&|i| tree.feature[i].to_string()),
        nodes(&|i| u8::from(tree.is_categorical(i)).to_string()),
        nodes(&|i| float(tree.cover[i] as f32)),
    )
}
