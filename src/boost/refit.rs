//! Leaf values fitted again, with all trees of an output in place.
//!
//! Boosting fits the values of each tree given the trees before it, and never returns to them. Once the trees stand, all
//! their leaf values together are a linear model of the leaves' indicators, and can be fitted as one: the *fully corrective*
//! step of the regularised greedy forest (Johnson and Zhang, "Learning Nonlinear Functions Using Regularized Greedy
//! Forest", IEEE TPAMI 36, 2014, doi:10.1109/TPAMI.2013.159). What is minimised is
//!
//! ```text
//! Σ_rows loss(margin) + Σ_leaves (λ/2 v² + α |v|)
//! ```
//!
//! by passes over the trees in their order. With G and H the sums of a leaf's rows at the present margins, its value v moves
//! by the learning rate η towards the minimum of the second-order objective:
//!
//! ```text
//! v ← v + η (T(H v - G) / (H + λ) - v)
//! ```
//!
//! where T is the soft threshold by α. Structure and covers of the trees stay as they were grown.

use super::bins::Bins;
use super::gradient::{Gradients, UNIT};
use super::grow::{Leaves, Rules, Split, TASK_ROWS, partition};
use super::loss::Loss;
use super::model::{Ensemble, Tree};
use super::sample::Sampler;
use super::settings::Boost;
use super::train::Problem;
use crate::core::parallel;
use crate::core::spare::Spare;
use crate::{Result, Run};

/// Outputs after which progress is reported.
const GROUP: usize = 8;

/// Nodes of a tree that a byte can number.
const KEPT_NODES: usize = 256;

/// A log-odds leaf wants to move by at most this in a pass: without a penalty, a few rows that are told wrong with certainty
/// would have it move without bound.
const FARTHEST: f64 = 8.0;

/// Outputs after all passes.
pub(super) struct Refitted {
    pub(super) ensembles: Vec<Ensemble>,
    /// Margins of the held-out rows, for each output before the first pass and after each one.
    pub(super) held_out_margins: Vec<Vec<Vec<f64>>>,
}

/// What all outputs share.
struct Context<'a> {
    settings: &'a Boost,
    problem: &'a Problem<'a>,
    rules: Rules,
    sampler: Sampler,
    fine: Spare<Vec<(i64, i64)>>,
    /// Work space for the rows of a tree and their leaves.
    rows: Spare<(Vec<u32>, Leaves)>,
}

/// Fits the leaf values of trees that were grown on the rows of a problem again, in `passes` passes over all of them.
pub(super) fn refit(
    settings: &Boost,
    problem: &Problem<'_>,
    mut ensembles: Vec<Ensemble>,
    passes: usize,
    run: &Run,
) -> Result<Refitted> {
    let sampler =
        Sampler::new(&settings.clone().subsample(1.0), problem.bins, problem.order, &problem.held_out, run.key());
    let rules = Rules::of(settings, problem.heaviest);
    let context = Context { settings, problem, rules, sampler, fine: Spare::default(), rows: Spare::default() };
    let mut held_out_margins = vec![Vec::new(); ensembles.len()];
    let stage = run.stage("refit leaves", ensembles.len());
    let mut outputs: Vec<_> = ensembles.iter_mut().zip(&mut held_out_margins).enumerate().collect();
    let mut done = 0;
    for group in outputs.chunks_mut(GROUP) {
        parallel::for_each_chunk(group, 1, |_, outputs| {
            for (number, (ensemble, margins)) in outputs {
                **margins = context.refit(*number, ensemble, passes);
            }
        });
        done += group.len();
        stage.step(done)?;
    }
    Ok(Refitted { ensembles, held_out_margins })
}

impl Context<'_> {
    /// Fits the leaf values of an output again; returns the held-out margins before the first pass and after each one.
    fn refit(&self, output: usize, ensemble: &mut Ensemble, passes: usize) -> Vec<Vec<f64>> {
        let Context { problem, sampler, .. } = self;
        let (bins, base) = (problem.bins, ensemble.base);
        let (mut rows, leaves) = self.rows.take(|| (Vec::new(), Leaves::new(bins.rows)));
        let mut moves = vec![0.0f32; bins.rows];
        let trees: Vec<BinnedTree<'_>> = ensemble.trees.iter().map(|tree| BinnedTree::of(tree, bins)).collect();
        let mut values: Vec<Vec<f32>> = ensemble.trees.iter().map(|tree| tree.value.clone()).collect();
        let keeps = passes > 0 && self.keeps(ensemble);
        let mut kept = Vec::new();
        for (tree, values) in trees.iter().zip(&values) {
            tree.place(&mut rows, &leaves);
            if keeps {
                kept.push(leaves.kept());
            }
            leaves.add_values(&mut moves, &values.iter().map(|value| value / UNIT).collect::<Vec<_>>());
        }
        let mut margins = vec![problem.held_out_margins(base, &moves)];
        let (mut gradients, sample) = (Gradients::default(), sampler.of(0, output));
        for _ in 0..passes {
            for (number, (tree, values)) in trees.iter().zip(&mut values).enumerate() {
                problem.differentiate(output, base, &moves, &sample, &self.fine, &mut gradients);
                match kept.get(number) {
                    Some(kept) => leaves.restore(kept),
                    None => tree.place(&mut rows, &leaves),
                }
                let sums = gradients.sums(values.len(), |row| leaves.of(row) as usize);
                let mut change = vec![0.0; values.len()];
                for (node, value) in values.iter_mut().enumerate().filter(|&(node, _)| tree.tree.is_leaf(node)) {
                    let new = self.moved(*value, gradients.real(sums[node]), problem.losses[output]);
                    // Their difference itself may be beyond f32.
                    change[node] = new / UNIT - *value / UNIT;
                    *value = new;
                }
                leaves.add_values(&mut moves, &change);
            }
            margins.push(problem.held_out_margins(base, &moves));
        }
        self.rows.give((rows, leaves));
        for (tree, values) in ensemble.trees.iter_mut().zip(values) {
            tree.value = values;
        }
        margins
    }

    /// Whether the leaves of all rows in all trees are kept from pass to pass: where an output for each thread holds no more
    /// memory by that than the table does.
    fn keeps(&self, ensemble: &Ensemble) -> bool {
        let at_work = GROUP.min(self.problem.losses.len()).min(parallel::threads());
        let bytes = size_of::<f32>() * self.problem.bins.columns.len();
        at_work * ensemble.trees.len() <= bytes && ensemble.trees.iter().all(|tree| tree.len() <= KEPT_NODES)
    }

    /// The value of a leaf after a pass.
    fn moved(&self, value: f32, (g, h): (f64, f64), loss: Loss) -> f32 {
        let old = f64::from(value);
        if h <= 0.0 {
            return value;
        }
        let way = self.rules.unbounded_weight(g - h * old, h) - old;
        let way = if loss == Loss::Squared { way } else { way.clamp(-FARTHEST, FARTHEST) };
        (loss.rounded(old + self.settings.learning_rate * way) as f32).clamp(f32::MIN, f32::MAX)
    }
}

/// A tree over the bins of its columns.
struct BinnedTree<'a> {
    tree: &'a Tree,
    bins: &'a Bins,
    /// None for a leaf.
    splits: Vec<Option<Split>>,
}

impl<'a> BinnedTree<'a> {
    /// Of a tree that was grown on these bins.
    fn of(tree: &'a Tree, bins: &'a Bins) -> Self {
        let split = |node: usize| {
            let column = &bins.columns[tree.feature[node] as usize];
            let mut split = Split { column: tree.feature[node], ..Split::default() };
            split.missing_left = tree.default_left[node];
            split.categorical = tree.is_categorical(node);
            for bin in 0..column.cuts.len() {
                let left = tree.goes_left(node, column.value(bin));
                if split.categorical {
                    split.right[bin / 64] |= u64::from(!left) << (bin % 64);
                } else {
                    split.bins += u16::from(left);
                }
            }
            split
        };
        let splits = (0..tree.len()).map(|node| (!tree.is_leaf(node)).then(|| split(node))).collect();
        BinnedTree { tree, bins, splits }
    }

    /// Puts each row into the node that is its leaf; `rows` is work space.
    fn place(&self, rows: &mut Vec<u32>, leaves: &Leaves) {
        rows.clear();
        rows.extend(0..self.bins.rows as u32);
        self.place_below(0, rows, leaves);
    }

    fn place_below(&self, node: usize, rows: &mut [u32], leaves: &Leaves) {
        let Some(split) = &self.splits[node] else { return rows.iter().for_each(|&row| leaves.put(row, node as u32)) };
        let children = [self.tree.left[node], self.tree.right[node]];
        if children.iter().all(|&child| self.tree.is_leaf(child as usize)) {
            return leaves.put_both(self.bins, rows, split, children);
        }
        let middle = partition(self.bins, rows, split);
        let (left, right) = rows.split_at_mut(middle);
        let tasks = left.len().min(right.len()) >= TASK_ROWS;
        let mut left = || self.place_below(children[0] as usize, left, leaves);
        let mut right = || self.place_below(children[1] as usize, right, leaves);
        if tasks {
            parallel::join(left, right);
        } else {
            left();
            right();
        }
    }
}
