//! From a training set to a model.

use super::bins::Bins;
use super::calibration::{Calibration, Case};
use super::loss::{Loss, logit};
use super::model::{BoostModel, Ensemble, Link};
use super::notes::listed;
use super::open_set::OutOfFold;
use super::sample;
use super::settings::{Boost, Metric};
use super::train::{self, Problem, Targets};
use super::training_set::{TrainingSet, heaviest, no_weight};
use crate::core::AnyRows;
use crate::{Error, Result, Run};
use ndarray::{Array2, ArrayView1};

/// Folds of cross-fitting.
const FOLDS: usize = 3;

/// Rows for each label after which the calibration uses no further folds.
const ENOUGH: usize = 200;

/// Weights must sum to at least this share of `lambda` and `min_child_weight`.
const LIGHTEST: f64 = 1e-6;

/// What is cross-fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crossing {
    None,
    /// As many folds as the calibration needs.
    Calibration,
    /// All folds.
    All,
}

/// What models make of rows that they were not trained on.
#[derive(Default)]
pub(super) struct HeldOut {
    /// Numbers of the rows in the bins: those with a label first.
    rows: Vec<u32>,
    /// Calibrated margins, (row, output).
    table: Vec<f64>,
    /// How the rows fared that the calibration needed.
    pub(super) fared: Vec<OutOfFold>,
}

impl HeldOut {
    /// The margins of all rows of a table, of which those numbered `trained` were binned: of rows that were not, the model's
    /// own; NaN for those that no fold held out.
    pub(super) fn of_all(
        &self,
        rows: AnyRows<'_>,
        trained: &[u32],
        model: &BoostModel,
        run: &Run,
    ) -> Result<Array2<f64>> {
        let outputs = model.outputs.len();
        let mut margins = Array2::from_elem((rows.len(), outputs), f64::NAN);
        for (&row, own) in self.rows.iter().zip(self.table.chunks(outputs)) {
            margins.row_mut(trained[row as usize] as usize).assign(&ArrayView1::from(own));
        }
        let mut seen = vec![false; rows.len()];
        trained.iter().for_each(|&row| seen[row as usize] = true);
        let others: Vec<u32> = (0..rows.len() as u32).filter(|&row| !seen[row as usize]).collect();
        if !others.is_empty() {
            let all: Vec<usize> = (0..outputs).collect();
            let own = rows.picked(&others, |rows| model.margins_of(&all, rows, run))?;
            others.iter().zip(own.outer_iter()).for_each(|(&row, own)| margins.row_mut(row as usize).assign(&own));
        }
        Ok(margins)
    }
}

/// All rows of the bins with their labels.
struct Labelled<'a> {
    settings: &'a Boost,
    bins: &'a Bins,
    outputs: usize,
    /// Classes from `outputs` on are those of rows of no label, negatives of all; see [`super::open_set`].
    classes: &'a [u32],
    weights: Option<&'a [f32]>,
    targets: &'a Targets<'a>,
    order: &'a [u32],
}

impl Boost {
    /// Trains one output for each label, on all rows of the bins.
    pub(super) fn learn_labels(
        &self,
        bins: &Bins,
        outputs: usize,
        set: &TrainingSet<i32>,
        crossing: Crossing,
        run: &Run,
    ) -> Result<(BoostModel, HeldOut)> {
        let classes: Vec<u32> = set.values.iter().map(|&label| label as u32).collect();
        self.learn_classes(bins, outputs, &classes, set.weights.as_deref(), crossing, run)
    }

    /// Trains one output for each label. Rows of a class from `outputs` on have no label: they are negatives of all labels,
    /// and those of classes above it are in no held-out set. `crossing` says what is cross-fitted.
    pub(super) fn learn_classes(
        &self,
        bins: &Bins,
        outputs: usize,
        classes: &[u32],
        weights: Option<&[f32]>,
        crossing: Crossing,
        run: &Run,
    ) -> Result<(BoostModel, HeldOut)> {
        self.check_columns(bins)?;
        let kind = |i: usize| (classes[i], weights.map_or(0, |weights| weights[i].to_bits()));
        let crosses = crossing != Crossing::None;
        let draws = self.early_stopping.is_some() || crosses || self.subsample < 1.0;
        let order = if draws { sample::by_content(bins, kind) } else { Vec::new() };
        let targets = |output: usize, rows: std::ops::Range<usize>, y: &mut [f64]| {
            let own = output as u32;
            y.iter_mut().zip(&classes[rows]).for_each(|(y, &class)| *y = if class == own { 1.0 } else { 0.0 });
        };
        let labelled = Labelled { settings: self, bins, outputs, classes, weights, targets: &targets, order: &order };
        let mut held_out = match self.early_stopping {
            Some(_) => sample::held_out(bins, &order, |i| classes[i], self.held_out, run.key()),
            None => Vec::new(),
        };
        held_out.retain(|&row| classes[row as usize] as usize <= outputs);
        let sums = labelled.class_weights(&held_out);
        self.check_weight_sum(weights, sums.iter().sum())?;
        let mut problem = labelled.problem(held_out, sums, vec![self.rounds; outputs]);
        problem.patience = self.early_stopping;
        problem.metrics = labelled.metrics(&problem.held_out, run);
        let trained = run.install(|| train::train(self, &problem, "boost", run))??;
        note_no_split(&trained.ensembles, run);
        let model = BoostModel::new(Link::Logistic, bins.features(), trained.ensembles)?;
        if crosses { labelled.cross_fit(model, crossing, run) } else { Ok((model, HeldOut::default())) }
    }

    /// Trains one output of the targets, on all rows of the bins.
    pub(super) fn learn_targets(&self, bins: &Bins, set: &TrainingSet<f32>, run: &Run) -> Result<BoostModel> {
        self.check_columns(bins)?;
        let (targets, weights) = (&set.values, set.weights.as_deref());
        let kind = |i: usize| ((targets[i] + 0.0).to_bits(), weights.map_or(0, |weights| weights[i].to_bits()));
        let draws = self.early_stopping.is_some() || self.subsample < 1.0;
        let order = if draws { sample::by_content(bins, kind) } else { Vec::new() };
        let held_out = match self.early_stopping {
            Some(_) => sample::held_out(bins, &order, |_| 0, self.held_out, run.key()),
            None => Vec::new(),
        };
        if self.early_stopping.is_some() && held_out.is_empty() {
            note_none_held_out(run);
        }
        let mut parts: Vec<(f64, f64)> =
            trained_on(bins.rows, &held_out).map(|i| (f64::from(targets[i]), weight_of(weights, i))).collect();
        parts.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let (sum, all) =
            parts.iter().fold((0.0, 0.0), |sum, (target, weight)| (sum.0 + target * weight, sum.1 + weight));
        self.check_weight_sum(weights, all)?;
        let problem = Problem {
            bins,
            losses: vec![Loss::Squared],
            bases: vec![self.base_score.unwrap_or(sum / all)],
            targets: &|_, rows, y| y.iter_mut().zip(&targets[rows]).for_each(|(y, &target)| *y = f64::from(target)),
            weights,
            heaviest: heaviest(weights),
            rounds: vec![self.rounds],
            metrics: vec![self.metric],
            patience: self.early_stopping,
            order: &order,
            held_out,
        };
        let trained = run.install(|| train::train(self, &problem, "boost", run))??;
        note_no_split(&trained.ensembles, run);
        BoostModel::new(Link::Identity, bins.features(), trained.ensembles)
    }

    /// Refuses settings that do not fit the binned columns.
    fn check_columns(&self, bins: &Bins) -> Result<()> {
        self.categories(bins.features())?;
        let constrained = self.monotone.iter().zip(&bins.columns).position(|(&d, column)| d != 0 && column.categorical);
        match constrained {
            Some(c) => {
                Err(Error::setting("monotone", c, "a column binned as categorical cannot have a monotone constraint"))
            }
            None => Ok(()),
        }
    }

    /// Refuses weights whose sum is too small to learn from.
    fn check_weight_sum(&self, weights: Option<&[f32]>, all: f64) -> Result<()> {
        if all <= 0.0 {
            return Err(no_weight(all));
        }
        if weights.is_some() && all < LIGHTEST * (self.lambda + self.min_child_weight) {
            let allowed = "their sum is nothing beside lambda and min_child_weight, which are in units of weight: \
                           scale the weights so that their mean is 1, or lower both";
            return Err(Error::setting("weights", all, allowed));
        }
        Ok(())
    }
}

impl<'a> Labelled<'a> {
    /// The problem of all rows but those held out, without early stopping; `sums` are the weights of its classes.
    fn problem(&self, held_out: Vec<u32>, sums: Vec<f64>, rounds: Vec<usize>) -> Problem<'a> {
        let Labelled { settings, bins, outputs, weights, .. } = *self;
        let all: f64 = sums.iter().sum();
        let positive = |own: f64| match settings.balanced {
            true if own > 0.0 && all - own > 0.0 => (all - own) / own,
            true => 1.0,
            false => settings.scale_pos_weight,
        };
        let share = |own: f64| positive(own) * own / (positive(own) * own + (all - own));
        Problem {
            bins,
            losses: sums[..outputs].iter().map(|&own| Loss::Logistic { positive_weight: positive(own) }).collect(),
            bases: sums[..outputs]
                .iter()
                .map(|&own| logit(settings.base_score.unwrap_or_else(|| share(own))))
                .collect(),
            targets: self.targets,
            weights,
            heaviest: heaviest(weights),
            rounds,
            metrics: vec![settings.metric; outputs],
            patience: None,
            order: self.order,
            held_out,
        }
    }

    /// Classes of labels and of rows without one.
    fn all_classes(&self) -> usize {
        self.classes.iter().map(|&class| class as usize + 1).fold(self.outputs, usize::max)
    }

    /// The weight of each class over the rows that are trained on, in sums that do not depend on their order.
    fn class_weights(&self, held_out: &[u32]) -> Vec<f64> {
        let mut parts: Vec<(u32, f64)> =
            trained_on(self.classes.len(), held_out).map(|i| (self.classes[i], weight_of(self.weights, i))).collect();
        parts.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut sums = vec![0.0; self.all_classes()];
        parts.into_iter().for_each(|(class, weight)| sums[class as usize] += weight);
        sums
    }

    /// The metric of early stopping for each output: log-loss where the AUC of the held-out rows is undefined.
    fn metrics(&self, held_out: &[u32], run: &Run) -> Vec<Metric> {
        let Boost { metric, early_stopping, .. } = *self.settings;
        if early_stopping.is_none() {
            return vec![metric; self.outputs];
        }
        if held_out.is_empty() {
            note_none_held_out(run);
            return vec![metric; self.outputs];
        }
        let mut counts = vec![0; self.all_classes()];
        held_out.iter().for_each(|&row| counts[self.classes[row as usize] as usize] += 1);
        let none: Vec<usize> = (0..self.outputs).filter(|&k| counts[k] == 0).collect();
        counts.truncate(self.outputs);
        if !none.is_empty() {
            let labels = listed(&none);
            run.note(&format!(
                "early stopping: no held-out row has label {labels}; log-loss on the rows of other labels is used there"
            ));
        }
        let has_both = |count: usize| count > 0 && count < held_out.len();
        counts.iter().map(|&count| if has_both(count) { metric } else { Metric::Loss }).collect()
    }

    /// Calibrates a model of all rows by the out-of-fold margins of cross-fitting; these come calibrated with it. Rows without
    /// a label are no part of the calibration.
    ///
    /// The calibration takes no more folds than it needs, so that it is the same whether or not the others are wanted.
    fn cross_fit(&self, model: BoostModel, crossing: Crossing, run: &Run) -> Result<(BoostModel, HeldOut)> {
        let Labelled { settings, bins, classes, outputs, .. } = *self;
        let rounds: Vec<usize> = model.outputs.iter().map(|output| output.trees.len()).collect();
        let has_label = |row: u32| (classes[row as usize] as usize) < outputs;
        let (mut rows, mut table): (Vec<u32>, Vec<f64>) = (Vec::new(), Vec::new());
        let (mut others, mut others_table): (Vec<u32>, Vec<f64>) = (Vec::new(), Vec::new());
        let mut enough = None;
        for mut held_out in sample::folds(bins, self.order, |i| classes[i], FOLDS, run.key()) {
            held_out.retain(|&row| classes[row as usize] as usize <= outputs);
            if !held_out.iter().any(|&row| has_label(row)) {
                continue;
            }
            let sums = self.class_weights(&held_out);
            let problem = self.problem(held_out, sums, rounds.clone());
            let trained = run.install(|| train::train(settings, &problem, "cross-fit", run))??;
            for (i, &row) in problem.held_out.iter().enumerate() {
                let (rows, table) =
                    if has_label(row) { (&mut rows, &mut table) } else { (&mut others, &mut others_table) };
                rows.push(row);
                table.extend(trained.held_out_margins.iter().map(|margins| margins[i]));
            }
            if enough.is_none() && rows.len() >= ENOUGH * outputs {
                enough = Some((rows.len(), others.len()));
                if crossing == Crossing::Calibration {
                    break;
                }
            }
        }
        let (enough, enough_others) = enough.unwrap_or((rows.len(), others.len()));
        let case = |i: usize| {
            let (row, margins) = (rows[i] as usize, &table[i * outputs..(i + 1) * outputs]);
            Case { margins, label: classes[row] as usize, weight: weight_of(self.weights, row) }
        };
        let calibration = run.install(|| Calibration::fit(outputs, enough, case))??;
        calibration.note(run);
        let fared = |(&row, margins): (&u32, &[f64])| {
            let label = has_label(row).then_some(classes[row as usize] as usize);
            OutOfFold::of(margins, &calibration, label, weight_of(self.weights, row as usize))
        };
        let known = rows.iter().zip(table.chunks_exact(outputs)).take(enough).map(fared);
        let unknown = others.iter().zip(others_table.chunks_exact(outputs)).take(enough_others).map(fared);
        let fared = known.chain(unknown).collect();
        rows.extend(others);
        table.extend(others_table);
        table.chunks_mut(outputs).for_each(|margins| calibration.raise(margins));
        Ok((model.calibrated(calibration), HeldOut { rows, table, fared }))
    }
}

/// The rows that are not held out.
fn trained_on(rows: usize, held_out: &[u32]) -> impl Iterator<Item = usize> {
    let mut trained = vec![true; rows];
    held_out.iter().for_each(|&row| trained[row as usize] = false);
    (0..rows).filter(move |&i| trained[i])
}

fn weight_of(weights: Option<&[f32]>, row: usize) -> f64 {
    weights.map_or(1.0, |weights| f64::from(weights[row]))
}

fn note_none_held_out(run: &Run) {
    run.note("early stopping: no row can be held out, as rows are too few or too alike; all rounds are trained");
}

/// Notes it where no tree of any output has a split.
fn note_no_split(ensembles: &[Ensemble], run: &Run) {
    if ensembles.iter().flat_map(|ensemble| &ensemble.trees).all(|tree| tree.is_leaf(0)) {
        run.note(
            "boosted trees: no tree has a split, as none reduces the loss with min_child_weight on both sides; \
             predictions are the same for all rows",
        );
    }
}
