//! The figures of fidelity, in sums that do not depend on the order of rows.

use super::{ClusterFidelity, CurveBin, Fidelity, LEAST_AUC};
use crate::core::parallel;
use crate::validity::{average_precision, roc_auc};

/// Bins of the calibration curve.
const BINS: usize = 10;

/// One row with a prediction.
pub(super) struct Row {
    /// None for noise.
    pub(super) cluster: Option<usize>,
    pub(super) predicted: usize,
    pub(super) weight: f64,
}

/// All rows with a prediction.
pub(super) struct Predicted {
    pub(super) rows: Vec<Row>,
    /// Probabilities, (row, cluster).
    pub(super) table: Vec<f64>,
}

pub(super) fn fidelity(found: &Predicted, names: &[impl AsRef<str>], all: usize) -> Fidelity {
    let clusters = names.len();
    let mut confusion = vec![vec![0.0; clusters]; clusters + 1];
    // From the lightest row up, so that the order of rows changes no bit.
    let mut order: Vec<usize> = (0..found.rows.len()).collect();
    order.sort_unstable_by(|&a, &b| found.rows[a].weight.total_cmp(&found.rows[b].weight));
    for row in order.into_iter().map(|i| &found.rows[i]) {
        confusion[row.cluster.unwrap_or(clusters)][row.predicted] += row.weight;
    }
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let (right, clustered) = (0..clusters).fold((0.0, 0.0), |(right, all): (f64, f64), k| {
        (right + confusion[k][k], all + confusion[k].iter().sum::<f64>())
    });
    Fidelity {
        clusters: parallel::map(clusters, |k| cluster(found, k, names[k], &confusion)),
        accuracy: share(right, clustered),
        rows: found.rows.len(),
        left_out: all - found.rows.len(),
        confusion,
    }
}

fn cluster(found: &Predicted, k: usize, name: &str, confusion: &[Vec<f64>]) -> ClusterFidelity {
    let clusters = confusion.len() - 1;
    let mut rows: Vec<(f64, bool, f64)> = (0..)
        .zip(&found.rows)
        .map(|(i, row): (usize, _)| (found.table[i * clusters + k], row.cluster == Some(k), row.weight))
        .collect();
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.total_cmp(&b.2)));
    let (mut all, mut own, mut squares) = (0.0, 0.0, 0.0);
    let mut bins = [(0.0, 0.0, 0.0, 0); BINS];
    for &(p, is, weight) in &rows {
        let (truth, bin) = (f64::from(u8::from(is)), &mut bins[((p * BINS as f64) as usize).min(BINS - 1)]);
        all += weight;
        own += weight * truth;
        squares += weight * (p - truth) * (p - truth);
        *bin = (bin.0 + weight, bin.1 + weight * p, bin.2 + weight * truth, bin.3 + 1);
    }
    let number = rows.iter().filter(|row| row.1).count();
    let (auc, average_precision) = (roc_auc(rows.clone()), average_precision(rows));
    let hits = confusion[k][k];
    let precision = share(hits, confusion.iter().map(|line| line[k]).sum());
    let recall = share(hits, confusion[k].iter().sum());
    let f1 = share(2.0 * precision * recall, precision + recall);
    let part = share(own, all);
    ClusterFidelity {
        name: name.to_string(),
        rows: number,
        share: part,
        explainable: auc.is_some_and(|auc| auc >= LEAST_AUC) && f1 > 2.0 * part / (1.0 + part),
        auc,
        average_precision,
        precision,
        recall,
        f1,
        brier: share(squares, all),
        curve: bins
            .into_iter()
            .filter(|bin| bin.3 > 0)
            .map(|(weight, p, own, rows)| CurveBin { predicted: p / weight, observed: own / weight, rows, weight })
            .collect(),
    }
}

/// A part of a whole, 0 of nothing.
fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
