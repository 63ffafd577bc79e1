//! Cross-fitting: models of folds say what to expect of rows that a model was not trained on.

use super::calibration::{Calibration, Case};
use super::learn::{Labelled, weight_of};
use super::model::BoostModel;
use super::open_set::OutOfFold;
use super::{refit, sample, train};
use crate::core::AnyRows;
use crate::{Result, Run};
use ndarray::{Array2, ArrayView1};

/// Folds of cross-fitting.
const FOLDS: usize = 3;

/// Rows for each label after which the calibration uses no further folds.
const ENOUGH: usize = 200;

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

/// What cross-fitting says of a model of all rows.
pub(super) struct CrossFitted {
    /// Passes over the leaf values that gave the lowest log-loss.
    pub(super) passes: usize,
    pub(super) calibration: Calibration,
    pub(super) held_out: HeldOut,
}

/// Out-of-fold rows and their margins.
struct Part {
    rows: Vec<u32>,
    /// For each number of passes that is in question the margins, (row, output).
    tables: Vec<Vec<f64>>,
}

impl Part {
    fn new(choices: usize) -> Self {
        Part { rows: Vec::new(), tables: vec![Vec::new(); choices] }
    }

    /// Adds the row that is number `i` of the held-out ones; `margins` are by output, passes and held-out row.
    fn add(&mut self, row: u32, i: usize, passes: &[usize], margins: &[Vec<Vec<f64>>]) {
        self.rows.push(row);
        for (table, &passes) in self.tables.iter_mut().zip(passes) {
            table.extend(margins.iter().map(|output| output[passes][i]));
        }
    }
}

impl Labelled<'_> {
    /// Cross-fits models of `rounds` trees for each output: out-of-fold margins say how many passes over the leaf values pay,
    /// and calibrate the margins of the held-out rows and of the model. Rows without a label are no part of either.
    ///
    /// Both use no more folds than the calibration needs, so that the model is the same whether or not the others are wanted.
    pub(super) fn cross_fit(&self, rounds: Vec<usize>, crossing: Crossing, run: &Run) -> Result<CrossFitted> {
        let Labelled { settings, bins, classes, outputs, .. } = *self;
        let has_label = |row: u32| (classes[row as usize] as usize) < outputs;
        let mut passes: Vec<usize> = (0..=settings.refit).collect();
        let (mut known, mut unknown) = (Part::new(passes.len()), Part::new(passes.len()));
        let mut calibrated = None;
        for mut held_out in sample::folds(bins, self.order, |i| classes[i], FOLDS, run.key()) {
            held_out.retain(|&row| classes[row as usize] as usize <= outputs);
            if !held_out.iter().any(|&row| has_label(row)) {
                continue;
            }
            let sums = self.class_weights(&held_out);
            let problem = self.problem(held_out, sums, rounds.clone());
            let trees = run.install(|| train::train(settings, &problem, "cross-fit", run))??;
            let most = passes[passes.len() - 1];
            let margins = run.install(|| refit::refit(settings, &problem, trees, most, run))??.held_out_margins;
            for (i, &row) in problem.held_out.iter().enumerate() {
                let part = if has_label(row) { &mut known } else { &mut unknown };
                part.add(row, i, &passes, &margins);
            }
            if calibrated.is_none() && known.rows.len() >= ENOUGH * outputs {
                calibrated = Some(self.calibrate(&mut passes, &mut known, &mut unknown, run)?);
                if crossing == Crossing::Calibration {
                    break;
                }
            }
        }
        let (calibration, fared) = match calibrated {
            Some(calibrated) => calibrated,
            None => self.calibrate(&mut passes, &mut known, &mut unknown, run)?,
        };
        let (mut rows, mut table) = (known.rows, known.tables.swap_remove(0));
        rows.extend(unknown.rows);
        table.extend(unknown.tables.swap_remove(0));
        table.chunks_mut(outputs).for_each(|margins| calibration.raise(margins));
        Ok(CrossFitted { passes: passes[0], calibration, held_out: HeldOut { rows, table, fared } })
    }

    /// Of the numbers of passes in question that of the lowest log-loss on the known rows once calibrated, the fewest of equal
    /// ones; only it and its tables are kept. Also its calibration, and how the rows fare by it.
    fn calibrate(
        &self,
        passes: &mut Vec<usize>,
        known: &mut Part,
        unknown: &mut Part,
        run: &Run,
    ) -> Result<(Calibration, Vec<OutOfFold>)> {
        let calibrated = |table: &[f64]| {
            let case = |i: usize| self.case(&known.rows, table, i);
            let calibration = Calibration::fit(self.outputs, known.rows.len(), case)?;
            Ok((calibration.log_loss(known.rows.len(), case), calibration))
        };
        let mut found: Vec<(f64, Calibration)> =
            run.install(|| known.tables.iter().map(|table| calibrated(table)).collect::<Result<_>>())??;
        // Where nothing can be calibrated there is nothing to choose by.
        let lower = |a: usize, b: usize| found[b].1.rows() > 0 && found[b].0 < found[a].0;
        let best = (1..found.len()).fold(0, |best, choice| if lower(best, choice) { choice } else { best });
        *passes = vec![passes[best]];
        for part in [&mut *known, &mut *unknown] {
            part.tables = vec![part.tables.swap_remove(best)];
        }
        let (_, calibration) = found.swap_remove(best);
        calibration.note(run);
        let mut fared = Vec::with_capacity(known.rows.len() + unknown.rows.len());
        for part in [&*known, &*unknown] {
            fared.extend((0..part.rows.len()).map(|i| {
                let Case { margins, label, weight } = self.case(&part.rows, &part.tables[0], i);
                OutOfFold::of(margins, &calibration, (label < self.outputs).then_some(label), weight)
            }));
        }
        Ok((calibration, fared))
    }

    fn case<'a>(&self, rows: &[u32], table: &'a [f64], i: usize) -> Case<'a> {
        let (row, margins) = (rows[i], &table[i * self.outputs..(i + 1) * self.outputs]);
        Case { margins, label: self.classes[row as usize] as usize, weight: weight_of(self.weights, row as usize) }
    }
}
