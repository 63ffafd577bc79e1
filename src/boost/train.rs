//! The rounds: gradients, root histograms, trees, margins.

use super::Boost;
use super::bins::Bins;
use super::gradient::{Gradients, Loss};
use super::grow::{Buffers, Grower, Node};
use super::histogram::{self, Rules, SIDE_BY_SIDE};
use super::model::{Ensemble, Tree};
use crate::core::random::Stream;
use crate::core::{Canonical, Rows, parallel};
use crate::{Error, Result, Run};

/// Purposes of random draws.
const ROWS_OF_TREE: u64 = 0x626f_6f73_7401;
const COLUMNS_OF_TREE: u64 = 0x626f_6f73_7402;

/// Sums of that many rows fit the coarse grid of `gradient`.
const MOST_ROWS: usize = 1 << 29;

/// From this many outputs on, their roots are summed side by side.
const FEW_OUTPUTS: usize = 3;

/// Columns whose root histograms one task builds.
const COLUMNS: usize = 16;

/// What is to be learnt. Rows are counted among those used for training.
pub(super) struct Problem<'a> {
    pub(super) table: &'a Rows<'a>,
    /// Rows of the table that are used for training.
    pub(super) used: &'a [u32],
    pub(super) loss: Loss,
    /// Margin of each output before any tree.
    pub(super) bases: Vec<f64>,
    /// Target of an output at a row.
    pub(super) target: &'a (dyn Fn(usize, usize) -> f64 + Sync),
    /// Tells rows of equal content but different targets apart.
    pub(super) kind: &'a (dyn Fn(usize) -> u32 + Sync),
}

/// One output under training.
struct Output {
    margins: Vec<f64>,
    gradients: Gradients,
    /// Rows of the present tree, by leaf once it is grown.
    rows: Vec<u32>,
    columns: Vec<u32>,
    ensemble: Ensemble,
}

/// Trains all outputs.
pub(super) fn train(settings: &Boost, problem: &Problem<'_>, run: &Run) -> Result<Vec<Ensemble>> {
    let n = problem.used.len();
    if n > MOST_ROWS {
        return Err(Error::TooManyRows { rows: n, most: MOST_ROWS });
    }
    let bins = {
        let stage = run.stage("bin columns", 1);
        let bins = Bins::of(problem.table, problem.used, settings.max_bins);
        stage.step(1)?;
        bins
    };
    let sampler = Sampler::new(settings, problem, &bins, run);
    let buffers = Buffers::new(bins.slots);
    let mut outputs: Vec<Output> = problem
        .bases
        .iter()
        .map(|&base| Output {
            margins: vec![base; n],
            gradients: Gradients::default(),
            rows: Vec::new(),
            columns: Vec::new(),
            ensemble: Ensemble { base, trees: Vec::with_capacity(settings.rounds) },
        })
        .collect();
    let stage = run.stage("boost", settings.rounds);
    for round in 0..settings.rounds {
        parallel::for_each_chunk(&mut outputs, 1, |o, output| {
            let draws = sampler.of(round, o);
            for output in output {
                let target = |i| draws.row(i).then(|| (problem.target)(o, i));
                output.gradients.compute(problem.loss, &output.margins, target);
                output.rows.clear();
                output.rows.extend((0..n as u32).filter(|&i| draws.row(i as usize)));
                output.columns = draws.columns();
            }
        });
        // Side by side the roots of all outputs cost little more than one.
        for group in outputs.chunks_mut(SIDE_BY_SIDE) {
            let roots = (group.len() >= FEW_OUTPUTS).then(|| roots(&bins, group));
            parallel::for_each_chunk(group, 1, |place, output| {
                for output in output {
                    grow(settings, &bins, &buffers, output, roots.as_ref().map(|roots| (roots, place)));
                }
            });
        }
        stage.step(round + 1)?;
    }
    Ok(outputs.into_iter().map(|output| output.ensemble).collect())
}

/// Grows the next tree of one output and moves its margins.
fn grow(settings: &Boost, bins: &Bins, buffers: &Buffers, output: &mut Output, roots: Option<(&Roots, usize)>) {
    let Output { margins, gradients, rows, columns, ensemble } = output;
    let rules = Rules {
        lambda: settings.lambda,
        alpha: settings.alpha,
        gamma: settings.gamma,
        min_child_weight: settings.min_child_weight,
    };
    let grower = Grower { bins, gradients, rules, max_depth: settings.max_depth, buffers };
    let total = gradients.packed.iter().fold(0i64, |sum, &word| sum.wrapping_add(word));
    let mut root = buffers.take();
    match roots {
        Some((roots, place)) => roots.copy(place, &mut root),
        None => grower.build(&mut root, rows, columns),
    }
    let nodes = grower.tree(rows, columns, root, total);
    let tree = finish(settings, bins, gradients, &rules, &nodes);
    if rows.len() == margins.len() {
        for (i, node) in nodes.iter().enumerate().filter(|(_, node)| node.split.is_none()) {
            for &row in &rows[node.rows.clone()] {
                margins[row as usize] += f64::from(tree.value[i]);
            }
        }
    } else {
        parallel::for_each_chunk(margins, 4096, |piece, margins| {
            for (row, margin) in (piece * 4096..).zip(margins) {
                *margin += f64::from(tree.value[leaf_of(&nodes, bins, row)]);
            }
        });
    }
    ensemble.trees.push(tree);
}

/// The leaf that a training row falls into.
fn leaf_of(nodes: &[Node], bins: &Bins, row: usize) -> usize {
    let mut at = 0;
    while let Some(split) = &nodes[at].split {
        let code = bins.column(split.column as usize)[row];
        let missing = usize::from(code) == bins.columns[split.column as usize].cuts.len();
        let left = if missing { split.missing_left } else { code <= split.bin };
        at += if left { 1 } else { nodes[at].right as usize };
    }
    at
}

/// The tree in real units.
fn finish(settings: &Boost, bins: &Bins, gradients: &Gradients, rules: &Rules, nodes: &[Node]) -> Tree {
    let mut tree = Tree::default();
    for (i, node) in nodes.iter().enumerate() {
        let (g, h) = gradients.real(node.sum);
        // XGBoost gives a node that weighs too little no value at all.
        let weighs = h > 0.0 && h >= rules.min_child_weight;
        let value = if weighs { -rules.shrink(g) / (h + rules.lambda) * settings.learning_rate } else { 0.0 };
        tree.push_leaf((value as f32).clamp(f32::MIN, f32::MAX), h);
        if let Some(split) = &node.split {
            tree.feature[i] = split.column;
            tree.threshold[i] = bins.columns[split.column as usize].cuts[usize::from(split.bin)];
            tree.left[i] = i as u32 + 1;
            tree.right[i] = i as u32 + node.right;
            tree.default_left[i] = split.missing_left;
            tree.gain[i] = (split.gain as f32).min(f32::MAX);
        }
    }
    tree
}

/// Root histograms of several outputs.
struct Roots {
    /// For each block of columns the block's slots of the first output, of the second, ...
    blocks: Vec<Vec<i64>>,
    /// Outputs in it.
    outputs: usize,
}

/// Sums the roots of a group of outputs in one pass over the entries.
fn roots(bins: &Bins, group: &[Output]) -> Roots {
    let mut words = vec![0i64; bins.rows * SIDE_BY_SIDE];
    parallel::for_each_chunk(&mut words, SIDE_BY_SIDE * 1024, |piece, words| {
        for (row, words) in (piece * 1024..).zip(words.chunks_mut(SIDE_BY_SIDE)) {
            for (word, output) in words.iter_mut().zip(group) {
                *word = output.gradients.packed[row];
            }
        }
    });
    let blocks = parallel::map_ranges(bins.columns.len(), COLUMNS, |range| {
        let first = bins.columns[range.start].first;
        let slots = bins.columns[range.clone()].iter().map(|c| c.bins).sum::<usize>();
        let mut out = vec![0i64; slots * group.len()];
        let mut sums = vec![0i64; 256 * SIDE_BY_SIDE];
        for c in range {
            let column = &bins.columns[c];
            let sums = &mut sums[..column.bins * SIDE_BY_SIDE];
            sums.fill(0);
            histogram::build_roots(bins.outside(c), bins.column(c), &words, sums);
            for o in 0..group.len() {
                let to = &mut out[o * slots + column.first - first..][..column.bins];
                for (to, sums) in to.iter_mut().zip(sums.chunks(SIDE_BY_SIDE)) {
                    *to = sums[o];
                }
            }
        }
        out
    });
    Roots { blocks, outputs: group.len() }
}

impl Roots {
    /// Writes the histogram of one output.
    fn copy(&self, output: usize, histogram: &mut [i64]) {
        let mut at = 0;
        for block in &self.blocks {
            let slots = block.len() / self.outputs;
            histogram[at..at + slots].copy_from_slice(&block[output * slots..(output + 1) * slots]);
            at += slots;
        }
    }
}

/// Draws rows and columns for each tree.
struct Sampler {
    subsample: f64,
    colsample: f64,
    rows: Stream,
    columns: Stream,
    /// Place of each row in an order given by content and target alone; empty when all rows are taken.
    places: Vec<u32>,
    /// Columns that can split.
    open: Vec<u32>,
}

/// The draws for one tree.
struct Draws<'a> {
    sampler: &'a Sampler,
    rows: Stream,
    columns: Stream,
}

impl Sampler {
    fn new(settings: &Boost, problem: &Problem<'_>, bins: &Bins, run: &Run) -> Self {
        let places = if settings.subsample < 1.0 { places(problem) } else { Vec::new() };
        Sampler {
            subsample: settings.subsample,
            colsample: settings.colsample_bytree,
            rows: Stream::new(run.key(), ROWS_OF_TREE),
            columns: Stream::new(run.key(), COLUMNS_OF_TREE),
            places,
            open: (0..bins.columns.len() as u32).filter(|&c| bins.columns[c as usize].bins > 1).collect(),
        }
    }

    fn of(&self, round: usize, output: usize) -> Draws<'_> {
        let of = |stream: Stream| stream.of(round as u64).of(output as u64);
        Draws { sampler: self, rows: of(self.rows), columns: of(self.columns) }
    }
}

impl Draws<'_> {
    /// Whether the tree sees a row.
    fn row(&self, i: usize) -> bool {
        match self.sampler.places.get(i) {
            Some(&place) => self.rows.uniform(u64::from(place)) < self.sampler.subsample,
            None => true,
        }
    }

    /// The columns that the tree sees, ascending.
    fn columns(&self) -> Vec<u32> {
        let open = &self.sampler.open;
        if self.sampler.colsample >= 1.0 {
            return open.clone();
        }
        let count = ((open.len() as f64 * self.sampler.colsample) as usize).max(1);
        let mut drawn: Vec<u32> = open.clone();
        drawn.sort_unstable_by_key(|&c| (self.columns.bits(u64::from(c)), c));
        drawn.truncate(count);
        drawn.sort_unstable();
        drawn
    }
}

/// Places of the used rows in an order given by content and target alone: rows that differ in neither may swap.
fn places(problem: &Problem<'_>) -> Vec<u32> {
    let group = Canonical::of(problem.table).group_of_row();
    let mut order: Vec<u32> = (0..problem.used.len() as u32).collect();
    parallel::sort_by_key(&mut order, |&i| (group[problem.used[i as usize] as usize], (problem.kind)(i as usize), i));
    let mut places = vec![0; order.len()];
    for (place, &i) in order.iter().enumerate() {
        places[i as usize] = place as u32;
    }
    places
}
