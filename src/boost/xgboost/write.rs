//! Writing XGBoost's JSON.

use super::{bad, margin_of};
use crate::Result;
use crate::boost::model::{BoostModel, Ensemble, Link, Tree};
use crate::core::numerics;
use crate::core::shape::check_output;
use std::borrow::Borrow;
use std::collections::HashSet;

impl BoostModel {
    /// Writes one output as a model that XGBoost loads (`xgboost.Booster(model_file="model.json")`).
    ///
    /// # Errors
    /// [`Error::Output`](crate::Error::Output) when there is no such output; [`Error::Format`](crate::Error::Format) for
    /// a softmax model, whose outputs are not independent.
    pub fn to_xgboost_json(&self, output: usize) -> Result<String> {
        check_output(self.outputs.len(), output)?;
        let ensemble = &self.outputs[output];
        let first = match (self.link, ensemble.trees.first()) {
            (Link::Logistic, Some(tree)) => raised(tree, ensemble.base),
            _ => None,
        };
        let (objective, score) = match self.link {
            Link::Logistic => (
                r#"{"name":"binary:logistic","reg_loss_param":{"scale_pos_weight":"1"}}"#,
                // A probability in f32 determines its margin badly, except that 0.5 is exactly 0.
                if first.is_some() { 0.5 } else { numerics::sigmoid(ensemble.base) },
            ),
            Link::Identity => {
                (r#"{"name":"reg:squarederror","reg_loss_param":{"scale_pos_weight":"1"}}"#, ensemble.base)
            }
            Link::Softmax => return Err(bad("an output of a softmax model cannot be written on its own")),
        };
        let score = score as f32;
        let mut trees: Vec<Tree> = Vec::with_capacity(ensemble.trees.len() + 1);
        // Where the base margin was not added to a tree, a single leaf holds what the score cannot express.
        let rest = if first.is_some() { 0.0 } else { ensemble.base - margin_of(score, self.link) };
        if rest.abs() > 1e-7 * ensemble.base.abs().max(1.0) {
            trees.push(leaf(rest));
        }
        let others = &ensemble.trees[usize::from(first.is_some())..];
        trees.extend(first.into_iter().chain(others.iter().cloned()));
        self.write_file(objective, score, None, &trees)
    }

    /// Writes all outputs as the classes of one `multi:softprob` model that XGBoost loads. Its margins are this model's
    /// [`margins`](BoostModel::margins), its probabilities the [`distribution`](BoostModel::distribution): those of each class
    /// given that the row is of one of them.
    ///
    /// Margins e^u_k / (1 + Σ e^u_j) of a calibrated one-versus-rest model are its confidences; XGBoost gives margins with
    /// `output_margin=True`. Between equal ones XGBoost takes the lower class, as this crate does; its probabilities, in f32,
    /// may be equal where the margins are not.
    ///
    /// # Errors
    /// [`Error::Format`](crate::Error::Format) for a regression, whose outputs are no classes.
    pub fn to_xgboost_softprob_json(&self) -> Result<String> {
        if self.link == Link::Identity {
            return Err(bad("the outputs of a regression are no classes"));
        }
        // Of all versions only some keep a base for each class, so that each class's stands in its trees.
        let classes: Vec<Vec<Tree>> = self.outputs.iter().map(Ensemble::trees_from_zero).collect();
        let rounds = classes.iter().map(Vec::len).max().unwrap_or(0);
        let nothing = leaf(0.0);
        // XGBoost takes a round to have a tree for each class.
        let trees: Vec<&Tree> = (0..rounds)
            .flat_map(|round| classes.iter().map(move |trees| (trees, round)))
            .map(|(trees, round)| trees.get(round).unwrap_or(&nothing))
            .collect();
        let objective =
            format!(r#"{{"name":"multi:softprob","softmax_multiclass_param":{{"num_class":"{}"}}}}"#, classes.len());
        self.write_file(&objective, 0.0, Some(classes.len()), &trees)
    }

    /// The trees of a model, round by round, each round with one for each class, if it has classes.
    fn write_file<T: Borrow<Tree>>(
        &self,
        objective: &str,
        score: f32,
        classes: Option<usize>,
        trees: &[T],
    ) -> Result<String> {
        let (of_round, num_class) = (classes.unwrap_or(1), classes.unwrap_or(0));
        let names = serde_json::to_string(&self.names_for_xgboost()).map_err(|e| bad(e.to_string()))?;
        let categorical = self.is_categorical();
        let typed = self.feature_names.is_some() || categorical.contains(&true);
        let types = list(categorical.iter().filter(|_| typed), |&c| if c { "\"c\"" } else { "\"float\"" }.into());
        let n = trees.len();
        Ok(format!(
            r#"{{"learner":{{"attributes":{{}},"feature_names":{names},"feature_types":{types},"gradient_booster":{{"model":{{"gbtree_model_param":{{"num_parallel_tree":"1","num_trees":"{n}"}},"iteration_indptr":{},"tree_info":{},"trees":{}}},"name":"gbtree"}},"learner_model_param":{{"base_score":"{score:E}","boost_from_average":"1","num_class":"{}","num_feature":"{}","num_target":"1"}},"objective":{objective}}},"version":[3,0,0]}}"#,
            list((0..=n).step_by(of_round), |i| i.to_string()),
            list(0..n, |i| (i % of_round).to_string()),
            list(trees.iter().enumerate(), |(id, tree)| write_tree(tree.borrow(), id, self.features)),
            num_class,
            self.features,
        ))
    }

    /// For each column whether any tree splits it by category.
    pub(crate) fn is_categorical(&self) -> Vec<bool> {
        let mut categorical = vec![false; self.features];
        for tree in self.outputs.iter().flat_map(|output| &output.trees) {
            (0..tree.len())
                .filter(|&i| tree.is_categorical(i))
                .for_each(|i| categorical[tree.feature[i] as usize] = true);
        }
        categorical
    }

    /// The names of the columns as the written files have them. XGBoost takes none with "[", "]" or "<": these become "(",
    /// ")" and "below ", and a name that then repeats gets a number.
    pub(crate) fn names_for_xgboost(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        let name = |name: &String| {
            let plain = name.replace('[', "(").replace(']', ")").replace('<', "below ");
            let mut tried = plain.clone();
            let mut number = 2;
            while !seen.insert(tried.clone()) {
                tried = format!("{plain} ({number})");
                number += 1;
            }
            tried
        };
        self.feature_names.iter().flatten().map(name).collect()
    }
}

impl Ensemble {
    /// The trees with the base margin in them, so that they add up from 0.
    fn trees_from_zero(&self) -> Vec<Tree> {
        if self.base == 0.0 {
            return self.trees.clone();
        }
        match self.trees.split_first().and_then(|(first, others)| Some((raised(first, self.base)?, others))) {
            Some((first, others)) => [&[first], others].concat(),
            None => [&[leaf(self.base)], &self.trees[..]].concat(),
        }
    }
}

/// A tree of one leaf.
fn leaf(value: f64) -> Tree {
    let mut tree = Tree::default();
    tree.push_leaf(value as f32, 0.0);
    tree
}

/// The tree with the base margin added to its leaves, if every sum is exact in f32.
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

/// A JSON list.
fn list<T>(items: impl IntoIterator<Item = T>, write: impl FnMut(T) -> String) -> String {
    format!("[{}]", items.into_iter().map(write).collect::<Vec<_>>().join(","))
}

/// The nodes in the order in which XGBoost writes them: level by level, so that a right child follows its left one.
/// XGBoost predicts margins correctly from any order, but its leaf indices and contributions require this one.
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
