//! The rounds: gradients, root histograms, trees, margins.

use super::bins::Bins;
use super::early_stopping::{self, BestRound, HeldOutRow};
use super::gradient::{self, Gradients, UNIT};
use super::grow::{Buffers, Grower, Leaves, Node, Roots, Rules, SIDE_BY_SIDE};
use super::loss::Loss;
use super::model::{Ensemble, Tree};
use super::sample::{Sampler, TreeSample};
use super::settings::{Boost, EvalMetric, Grow};
use crate::core::parallel;
use crate::core::spare::Spare;
use crate::{Error, Result, Run};
use std::ops::Range;

/// Sums over this many rows fit the coarse grid of `gradient`.
const MOST_ROWS: usize = 1 << 29;

/// From this many outputs on, their root histograms are built together.
const FEW_OUTPUTS: usize = 3;

/// Writes the targets of an output at some rows.
pub(super) type Targets<'a> = dyn Fn(usize, Range<usize>, &mut [f64]) + Sync + 'a;

/// What is to be learnt from the binned rows.
pub(super) struct Problem<'a> {
    pub(super) bins: &'a Bins,
    /// Of each output.
    pub(super) losses: Vec<Loss>,
    /// Margin of each output before any tree.
    pub(super) bases: Vec<f64>,
    /// Writes the targets of an output at some rows.
    pub(super) targets: &'a Targets<'a>,
    /// Weights of the rows; None where all are 1.
    pub(super) weights: Option<&'a [f32]>,
    /// The highest weight.
    pub(super) heaviest: f64,
    /// Most trees of each output.
    pub(super) rounds: Vec<usize>,
    /// The metric of early stopping for each output.
    pub(super) metrics: Vec<EvalMetric>,
    /// Rounds without improvement on the held-out rows after which an output stops; None without early stopping.
    pub(super) patience: Option<usize>,
    /// Rows in the order of content, target and weight; empty where nothing is drawn at random.
    pub(super) order: &'a [u32],
    /// Held-out rows, in that order.
    pub(super) held_out: Vec<u32>,
}

impl Problem<'_> {
    /// Whether outputs are judged on held-out rows.
    fn early_stops(&self) -> bool {
        self.patience.is_some() && !self.held_out.is_empty()
    }

    /// Computes the gradients of an output at margins `base` + `moves`, 0 for rows that the sample leaves out. `fine` is work
    /// space.
    pub(super) fn differentiate(
        &self,
        output: usize,
        base: f64,
        moves: &[f32],
        sample: &TreeSample<'_>,
        fine: &Spare<Vec<(i64, i64)>>,
        gradients: &mut Gradients,
    ) {
        let Problem { losses, targets, weights, heaviest, .. } = self;
        let write_targets = |rows: Range<usize>, y: &mut [f64], w: &mut [f64]| {
            targets(output, rows.clone(), y);
            match weights {
                Some(weights) => w.iter_mut().zip(&weights[rows.clone()]).for_each(|(w, &given)| *w = f64::from(given)),
                None if sample.all() => {}
                None => w.fill(1.0),
            }
            if !sample.all() {
                rows.zip(w).filter(|(row, _)| !sample.row(*row)).for_each(|(_, w)| *w = 0.0);
            }
        };
        let mut work = fine.take(Vec::new);
        gradients.compute(losses[output], base, moves, *heaviest, write_targets, &mut work);
        fine.give(work);
    }

    /// Margins `base` + `moves` of the held-out rows.
    pub(super) fn held_out_margins(&self, base: f64, moves: &[f32]) -> Vec<f64> {
        self.held_out.iter().map(|&row| gradient::margin(base, moves[row as usize])).collect()
    }
}

/// One output in training.
struct Output {
    number: usize,
    /// The sum of its trees for each row, in [`UNIT`]s.
    moves: Vec<f32>,
    gradients: Gradients,
    ensemble: Ensemble,
    best: BestRound,
    stopped: bool,
}

/// What all trees share.
struct Context<'a> {
    settings: &'a Boost,
    problem: &'a Problem<'a>,
    rules: Rules,
    buffers: Buffers,
    /// Work space for the gradients of a tree before they are rounded.
    fine: Spare<Vec<(i64, i64)>>,
    /// Work space for the rows of a tree and their leaves.
    rows: Spare<(Vec<u32>, Leaves)>,
}

/// Trains all outputs, as a stage of that name.
pub(super) fn train(settings: &Boost, problem: &Problem<'_>, stage: &'static str, run: &Run) -> Result<Vec<Ensemble>> {
    let bins = problem.bins;
    let n = bins.rows;
    if n > MOST_ROWS {
        return Err(Error::TooManyRows { rows: n, most: MOST_ROWS });
    }
    let sampler = Sampler::new(settings, bins, problem.order, &problem.held_out, run.key());
    let (rules, buffers) = (Rules::of(settings, problem.heaviest), Buffers::new(bins.slots));
    let context = Context { settings, problem, rules, buffers, fine: Spare::default(), rows: Spare::default() };
    let output = |(number, base): (usize, f64)| Output {
        number,
        moves: vec![0.0; n],
        gradients: Gradients::default(),
        ensemble: Ensemble { base, trees: Vec::with_capacity(problem.rounds[number]) },
        best: BestRound::default(),
        stopped: problem.rounds[number] == 0,
    };
    let mut outputs: Vec<Output> = {
        let bases = problem.bases.iter().zip(&problem.losses).map(|(&base, loss)| loss.rounded(base));
        bases.enumerate().map(output).collect()
    };
    let rounds = problem.rounds.iter().copied().max().unwrap_or(0);
    let stage = run.stage(stage, rounds);
    for round in 0..rounds {
        let mut active: Vec<&mut Output> = outputs.iter_mut().filter(|output| !output.stopped).collect();
        parallel::for_each_chunk(&mut active, 1, |_, output| {
            for Output { number, moves, gradients, ensemble, .. } in output {
                let sample = sampler.of(round, *number);
                problem.differentiate(*number, ensemble.base, moves, &sample, &context.fine, gradients);
            }
        });
        // Root histograms of several outputs built together cost little more than one.
        for group in active.chunks_mut(SIDE_BY_SIDE) {
            let packed: Vec<&[i64]> = group.iter().map(|output| &output.gradients.packed[..]).collect();
            let roots = (packed.len() >= FEW_OUTPUTS).then(|| Roots::of(bins, &packed));
            parallel::for_each_chunk(group, 1, |place, output| {
                let roots = roots.as_ref().map(|roots| (roots, place));
                output.iter_mut().for_each(|output| output.grow(&context, &sampler.of(round, output.number), roots));
            });
        }
        stage.step(round + 1)?;
        if outputs.iter().all(|output| output.stopped) {
            break;
        }
    }
    let trained = outputs.into_iter().map(|Output { mut ensemble, best, .. }| {
        if problem.early_stops() {
            ensemble.trees.truncate(best.trees);
        }
        ensemble
    });
    Ok(trained.collect())
}

impl Output {
    /// Grows the next tree and updates the margins; `roots` has the root histograms, if built, and this output's index
    /// there.
    fn grow(&mut self, context: &Context<'_>, sample: &TreeSample<'_>, roots: Option<(&Roots<'_>, usize)>) {
        let Context { settings, problem, rules, buffers, .. } = context;
        let Problem { bins, losses, .. } = *problem;
        let (mut rows, mut leaves) = context.rows.take(|| (Vec::new(), Leaves::new(bins.rows)));
        let seen = sample.order(bins.rows, &mut rows);
        let (seen, rest) = rows.split_at_mut(seen);
        leaves.clear();
        let tree_columns = &sample.columns(bins.features());
        let gradients = &self.gradients;
        let grower = Grower {
            bins,
            gradients,
            rules,
            max_depth: settings.max_depth,
            columns: tree_columns,
            buffers,
            leaves: &leaves,
        };
        let total = gradients.total;
        let mut root = buffers.take();
        match roots {
            Some((roots, place)) => roots.write(place, &mut root),
            None => grower.build(&mut root, seen, &tree_columns.tree),
        }
        let nodes = match settings.max_leaves {
            // Every accepted split is made, so their order does not matter.
            0 => grower.tree(seen, &tree_columns.tree, root, total),
            leaves => grower.limited(seen, &tree_columns.tree, root, total, leaves, settings.grow == Grow::ByLevel),
        };
        for &mut row in rest {
            leaves.put(row, nodes[leaf_of(&nodes, bins, row as usize)].leaf);
        }
        let sums = gradients.sums(leaves.count(), |row| leaves.of(row) as usize);
        let tree = finish(settings, bins, gradients, rules, &nodes, &sums, losses[self.number]);
        let mut values = vec![0.0; sums.len()];
        for (node, &value) in nodes.iter().zip(&tree.value).filter(|(node, _)| node.split.is_none()) {
            values[node.leaf as usize] = value / UNIT;
        }
        leaves.add_values(&mut self.moves, &values);
        context.rows.give((rows, leaves));
        self.ensemble.trees.push(tree);
        let trees = self.ensemble.trees.len();
        self.stopped = trees >= problem.rounds[self.number];
        if problem.early_stops() {
            let score = self.score(problem);
            self.stopped |= self.best.update(score, trees, problem.patience);
        }
    }

    /// The metric of its trees on the held-out rows.
    fn score(&self, problem: &Problem<'_>) -> Option<f64> {
        let margins = problem.held_out_margins(self.ensemble.base, &self.moves);
        let row_of = |i: usize| {
            let (row, mut target) = (problem.held_out[i] as usize, [0.0]);
            (problem.targets)(self.number, row..row + 1, &mut target);
            HeldOutRow { target: target[0], weight: problem.weights.map_or(1.0, |weights| f64::from(weights[row])) }
        };
        early_stopping::score(problem.metrics[self.number], problem.losses[self.number], &margins, row_of)
    }
}

/// The leaf of a binned row.
fn leaf_of(nodes: &[Node], bins: &Bins, row: usize) -> usize {
    let mut at = 0;
    while let Some(split) = &nodes[at].split {
        let c = split.column as usize;
        let left = split.goes_left(bins.ids(c).id(row), &bins.columns[c]);
        at += if left { 1 } else { nodes[at].right as usize };
    }
    at
}

/// The tree in real units.
fn finish(
    settings: &Boost,
    bins: &Bins,
    gradients: &Gradients,
    rules: &Rules,
    nodes: &[Node],
    leaves: &[(i64, i64)],
    loss: Loss,
) -> Tree {
    // Children follow their parent, so in reverse order each node's children come before it.
    let mut sums = vec![(0, 0); nodes.len()];
    for (i, node) in nodes.iter().enumerate().rev() {
        let below: ((i64, i64), (i64, i64)) = (sums[(i + 1) % nodes.len()], sums[i + node.right as usize]);
        sums[i] = match node.split {
            Some(_) => (below.0.0 + below.1.0, below.0.1 + below.1.1),
            None => leaves[node.leaf as usize],
        };
    }
    let mut tree = Tree::default();
    for (i, node) in nodes.iter().enumerate() {
        let (g, h) = gradients.real(sums[i]);
        // As in XGBoost, a node below min_child_weight has value 0, clamped to its bounds.
        let weighs = h > 0.0 && h >= rules.min_child_weight;
        let value = if weighs { rules.weight(g, h, node.bounds) } else { node.bounds.clamp(0.0) };
        tree.push_leaf((loss.rounded(value * settings.learning_rate) as f32).clamp(f32::MIN, f32::MAX), h);
        if let Some(split) = &node.split {
            let cuts = &bins.columns[split.column as usize].cuts;
            tree.feature[i] = split.column;
            if split.categorical {
                let right = (0..cuts.len()).filter(|bin| split.right[bin / 64] >> (bin % 64) & 1 == 1);
                tree.categories[i] = right.map(|bin| cuts[bin] as u32).collect();
            } else {
                // No value is below f32::MIN: only missing values go left.
                tree.threshold[i] = usize::from(split.bins).checked_sub(1).map_or(f32::MIN, |bin| cuts[bin]);
            }
            tree.left[i] = i as u32 + 1;
            tree.right[i] = i as u32 + node.right;
            tree.default_left[i] = split.missing_left;
            tree.gain[i] = (split.gain as f32).min(f32::MAX);
        }
    }
    tree
}
