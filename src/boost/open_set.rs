//! Training for rows of no known label: what the surrogate of a clustering meets in production.
//!
//! A one-versus-rest model is sure of rows unlike any that it was trained on, since trees extrapolate. Three kinds of rows
//! are therefore negatives of every label.
//!
//! 1. The rows that were given no label (noise of a clustering).
//! 2. Where asked for, *shuffled rows*: each value is that of a random row, drawn for each column by itself, for one half of them from the
//!    rows of one label, for the other from those of all. They have the
//!    rows' distribution in each column, and nothing of what holds the columns together (Breiman and Cutler's synthetic
//!    class of unsupervised random forests; Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning", 2009,
//!    section 14.2.4: "unsupervised as supervised learning"). There are as many as
//!    [`Boost::shuffled_rows`] says. One that is
//!    equal to a real row in all bins teaches nothing, and is left out.
//! 3. For a guard, as many *mixed rows*: each a weighted mean of two rows of different labels, with 0.3 to 0.7 of the first, on the
//!    scale of the bins, that is of ranks (after H. Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018).
//!    Where a column is of categories, or either value is missing, one of the two, by lot. Strangers that lie between the
//!    known classes are like them more than like shuffled rows.
//!
//! Calibration is by rows with a label alone, so that confidence stays what it is for them.

use super::bins::Bins;
use super::calibration::{Calibration, confidence_of};
use super::cross_fit::Crossing;
use super::model::BoostModel;
use super::sample;
use super::settings::Boost;
use super::training_set::labelled;
use crate::core::AnyRows;
use crate::core::random::{Stream, mix};
use crate::{Result, Run};
use ndarray::Array2;
use std::collections::HashSet;

/// Purposes of the random draws.
const SHUFFLED: u64 = 0x626f_6f73_7405;
const MIXED: u64 = 0x626f_6f73_7406;

/// How a row fared that was held out of the training.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutOfFold {
    /// Of the most probable label, among all labels and none.
    pub(crate) confidence: f64,
    /// Whether that label is the row's.
    pub(crate) right: bool,
    /// Whether the row has a label.
    pub(crate) known: bool,
    pub(crate) weight: f64,
}

impl OutOfFold {
    /// By uncalibrated margins.
    pub(super) fn of(margins: &[f64], calibration: &Calibration, label: Option<usize>, weight: f64) -> Self {
        let raised = margins.iter().zip(&calibration.offsets).map(|(z, offset)| z * calibration.slope + offset);
        let first = (0, f64::NEG_INFINITY);
        let (class, most) = raised.clone().enumerate().fold(first, |best, one| if one.1 > best.1 { one } else { best });
        OutOfFold {
            confidence: confidence_of(raised)(most),
            right: label == Some(class),
            known: label.is_some(),
            weight,
        }
    }
}

impl Boost {
    /// As [`Boost::fit_weighted`], calibrated, and with the rows of label -1, shuffled rows and, where `mixed`, as many mixed
    /// rows as negatives of every label.
    /// Also the margins of all rows by models that were not trained on them, which without `out_of_fold` is an empty table,
    /// and how the rows fared that the calibration held out.
    pub(crate) fn fit_open_set(
        &self,
        table: AnyRows<'_>,
        labels: &[i32],
        weights: Option<&[f32]>,
        out_of_fold: bool,
        mixed: bool,
        run: &Run,
    ) -> Result<(BoostModel, Array2<f64>, Vec<OutOfFold>)> {
        self.check()?;
        let share = self.shuffled_rows;
        let settings = self.clone().calibrated(true).shuffled_rows(0.0).guard_rows(0.0);
        settings.check_for_labels()?;
        let (outputs, _) = labelled(table.len(), labels, weights)?;
        let none = outputs as i32;
        let open: Vec<i32> = labels.iter().map(|&label| if label < 0 { none } else { label }).collect();
        let (_, set) = labelled(table.len(), &open, weights)?;
        let bins = settings.bin(table, &set.rows, run)?;
        let mut classes: Vec<u32> = set.values.iter().map(|&label| label as u32).collect();
        let mut weights = set.weights;
        let bins = if share > 0.0 {
            let stage = run.stage("shuffle rows", 1);
            let bins = run.install(|| made_up(&bins, outputs, share, mixed, &mut classes, &mut weights, run.key()))?;
            stage.step(1)?;
            bins
        } else {
            bins
        };
        let crossing = if out_of_fold { Crossing::All } else { Crossing::Calibration };
        let (model, found) = settings.learn_classes(&bins, outputs, &classes, weights.as_deref(), crossing, run)?;
        let margins = match out_of_fold {
            true => found.of_all(table, &set.rows, &model, run)?,
            false => Array2::zeros((0, 0)),
        };
        Ok((model, margins, found.fared))
    }
}

/// A row that is made up.
#[derive(Clone, Copy)]
enum MadeUp {
    /// Each value from a random row of the label, or of all.
    Shuffled { label: usize, draws: Stream },
    /// The mean of two rows, with `share` / 256 of the first.
    Mixed { label: usize, rows: [u32; 2], share: u32, draws: Stream },
}

/// The rows with made-up rows after them, of the class `outputs` + 1 and of their label's mean weight.
fn made_up(
    bins: &Bins,
    outputs: usize,
    share: f64,
    mixed: bool,
    classes: &mut Vec<u32>,
    weights: &mut Option<Vec<f32>>,
    key: u64,
) -> Bins {
    let kind = |i: usize| (classes[i], weights.as_ref().map_or(0, |weights| weights[i].to_bits()));
    let mut by_label = vec![Vec::new(); outputs];
    for row in sample::by_content(bins, kind) {
        if let Some(rows) = by_label.get_mut(classes[row as usize] as usize) {
            rows.push(row);
        }
    }
    let all: Vec<u32> = by_label.concat();
    let count = |label: usize| (share * by_label[label].len() as f64).ceil() as usize;
    // For each label and number of its made-up rows the stream of its draws.
    let streams = |purpose: u64| {
        let draws = Stream::new(key, purpose);
        (0..outputs).flat_map(move |label| (0..count(label)).map(move |i| (label, draws.of(label as u64).of(i as u64))))
    };
    let mut wanted: Vec<MadeUp> = streams(SHUFFLED).map(|(label, draws)| MadeUp::Shuffled { label, draws }).collect();
    if mixed && by_label.iter().filter(|rows| !rows.is_empty()).count() > 1 {
        let starts: Vec<usize> =
            by_label.iter().scan(0, |end, rows| Some(std::mem::replace(end, *end + rows.len()))).collect();
        wanted.extend(streams(MIXED).map(|(label, draws)| {
            let own = &by_label[label];
            let other = draws.below(1, all.len() - own.len());
            let other = if other < starts[label] { other } else { other + own.len() };
            let rows = [own[draws.below(0, own.len())], all[other]];
            MadeUp::Mixed { label, rows, share: 77 + draws.below(2, 103) as u32, draws: draws.of(3) }
        }));
    }
    let id = |made: MadeUp, c: usize| match made {
        // Every other one is drawn from all labels.
        MadeUp::Shuffled { label, draws } => {
            let rows = if draws.bits(u64::MAX) & 1 == 0 { &by_label[label] } else { &all };
            bins.ids(c).id(rows[draws.below(c as u64, rows.len())] as usize)
        }
        MadeUp::Mixed { rows, share, draws, .. } => {
            let (column, ids) = (&bins.columns[c], rows.map(|row| bins.ids(c).id(row as usize)));
            if column.categorical || ids.iter().any(|&id| usize::from(id) >= column.cuts.len()) {
                return ids[(draws.bits(c as u64) & 1) as usize];
            }
            ((u32::from(ids[0]) * share + u32::from(ids[1]) * (256 - share) + 128) >> 8) as u8
        }
    };
    let hash = |so_far: u64, c: usize, id: u8| mix(so_far.wrapping_add((c as u64) << 8 | u64::from(id)));
    let columns = bins.features();
    let real: HashSet<u64> = crate::core::parallel::map_ranges(bins.rows, 256, |rows| {
        rows.map(|row| (0..columns).fold(0, |so_far, c| hash(so_far, c, bins.ids(c).id(row)))).collect::<Vec<_>>()
    })
    .concat()
    .into_iter()
    .collect();
    let hashes = crate::core::parallel::map_ranges(wanted.len(), 256, |range| {
        let of = |&made: &MadeUp| (0..columns).fold(0, |so_far, c| hash(so_far, c, id(made, c)));
        wanted[range].iter().map(of).collect::<Vec<u64>>()
    })
    .concat();
    let kept: Vec<MadeUp> =
        wanted.into_iter().zip(hashes).filter(|(_, hash)| !real.contains(hash)).map(|(made, _)| made).collect();
    if let Some(weights) = weights {
        let mean = |rows: &Vec<u32>| {
            let sum: f64 = rows.iter().map(|&row| f64::from(weights[row as usize])).sum();
            (sum / rows.len().max(1) as f64) as f32
        };
        let means: Vec<f32> = by_label.iter().map(mean).collect();
        let label = |made: &MadeUp| match *made {
            MadeUp::Shuffled { label, .. } | MadeUp::Mixed { label, .. } => label,
        };
        weights.extend(kept.iter().map(|made| means[label(made)]));
    }
    classes.extend(kept.iter().map(|_| outputs as u32 + 1));
    bins.extended(kept.len(), |row, c| id(kept[row], c))
}
