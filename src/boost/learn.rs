//! From a training set to a model.

use super::bins::Bins;
use super::cross_fit::{Crossing, HeldOut};
use super::loss::{Loss, logit};
use super::model::{BoostModel, Ensemble, Link};
use super::notes::listed;
use super::refit;
use super::sample;
use super::settings::{Boost, EvalMetric};
use super::train::{self, Problem, Targets};
use super::training_set::{TrainingSet, heaviest, no_weight};
use crate::{Error, Result, Run};

/// Weights must sum to at least this share of `lambda` and `min_child_weight`.
const LIGHTEST: f64 = 1e-6;

/// All rows of the bins with their labels.
pub(super) struct Labelled<'a> {
    pub(super) settings: &'a Boost,
    pub(super) bins: &'a Bins,
    pub(super) outputs: usize,
    /// Classes from `outputs` on are those of rows of no label, negatives of all; see [`super::open_set`].
    pub(super) classes: &'a [u32],
    pub(super) weights: Option<&'a [f32]>,
    targets: &'a Targets<'a>,
    pub(super) order: &'a [u32],
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
        note_no_split(&trained, run);
        let rounds = trained.iter().map(|output| output.trees.len()).collect();
        let crossed = if crosses { Some(labelled.cross_fit(rounds, crossing, run)?) } else { None };
        let passes = crossed.as_ref().map_or(self.refit, |crossed| crossed.passes);
        let trees = self.refitted(&problem, trained, passes, run)?;
        let model = BoostModel::new(Link::Logistic, bins.features(), trees)?;
        Ok(match crossed {
            Some(crossed) => (model.calibrated(crossed.calibration), crossed.held_out),
            None => (model, HeldOut::default()),
        })
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
        note_no_split(&trained, run);
        BoostModel::new(Link::Identity, bins.features(), self.refitted(&problem, trained, self.refit, run)?)
    }

    /// Trees after so many passes over their leaf values.
    fn refitted(&self, problem: &Problem<'_>, trees: Vec<Ensemble>, passes: usize, run: &Run) -> Result<Vec<Ensemble>> {
        match passes {
            0 => Ok(trees),
            _ => Ok(run.install(|| refit::refit(self, problem, trees, passes, run))??.ensembles),
        }
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
    pub(super) fn problem(&self, held_out: Vec<u32>, sums: Vec<f64>, rounds: Vec<usize>) -> Problem<'a> {
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
    pub(super) fn class_weights(&self, held_out: &[u32]) -> Vec<f64> {
        let mut parts: Vec<(u32, f64)> =
            trained_on(self.classes.len(), held_out).map(|i| (self.classes[i], weight_of(self.weights, i))).collect();
        parts.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut sums = vec![0.0; self.all_classes()];
        parts.into_iter().for_each(|(class, weight)| sums[class as usize] += weight);
        sums
    }

    /// The metric of early stopping for each output: log-loss where the AUC of the held-out rows is undefined.
    fn metrics(&self, held_out: &[u32], run: &Run) -> Vec<EvalMetric> {
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
        counts.iter().map(|&count| if has_both(count) { metric } else { EvalMetric::Loss }).collect()
    }
}

/// The rows that are not held out.
fn trained_on(rows: usize, held_out: &[u32]) -> impl Iterator<Item = usize> {
    let mut trained = vec![true; rows];
    held_out.iter().for_each(|&row| trained[row as usize] = false);
    (0..rows).filter(move |&i| trained[i])
}

pub(super) fn weight_of(weights: Option<&[f32]>, row: usize) -> f64 {
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
