//! Early stopping: the metric of an output on held-out rows.

use super::loss::Loss;
use super::settings::EvalMetric;
use crate::core::numerics;
use crate::validity::roc_auc;

/// The best round of an output so far.
#[derive(Clone, Debug, Default)]
pub(super) struct BestRound {
    /// Its score; lower is better.
    score: f64,
    /// Number of trees after it; 0 before the first round.
    pub(super) trees: usize,
}

impl BestRound {
    /// Takes account of the round of the `trees`-th tree; returns whether `patience` rounds have passed without improvement.
    pub(super) fn update(&mut self, score: Option<f64>, trees: usize, patience: Option<usize>) -> bool {
        let better = match (score, patience) {
            (Some(score), Some(_)) => self.trees == 0 || score < self.score,
            _ => true,
        };
        if better {
            *self = BestRound { score: score.unwrap_or(0.0), trees };
        }
        patience.is_some_and(|patience| trees - self.trees >= patience)
    }
}

/// A held-out row's target for one output.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeldOutRow {
    pub(super) target: f64,
    pub(super) weight: f64,
}

/// The metric of the rows' margins, lower being better. None where there are no rows, and for the AUC where none or all of
/// them have the label.
pub(super) fn score(metric: EvalMetric, loss: Loss, margins: &[f64], row: impl Fn(usize) -> HeldOutRow) -> Option<f64> {
    let rows = || (0..margins.len()).map(|i| (margins[i], row(i)));
    let weight = rows().fold(0.0, |sum, (_, row)| sum + row.weight);
    let mean = |bad: &dyn Fn(f64, f64) -> f64| {
        rows().fold(0.0, |sum, (margin, row)| sum + bad(margin, row.target) * row.weight) / weight
    };
    if weight <= 0.0 {
        return None;
    }
    match (loss, metric) {
        (Loss::Squared, _) => Some(libm::sqrt(mean(&|margin, target| (margin - target) * (margin - target)))),
        (Loss::Logistic { .. }, EvalMetric::Loss) => Some(mean(&|margin, target| {
            let wrong = if target > 0.5 { -margin } else { margin };
            wrong.max(0.0) + libm::log1p(numerics::exp(-wrong.abs()))
        })),
        (Loss::Logistic { .. }, EvalMetric::Auc) => {
            let rows = rows().map(|(margin, row)| (margin, row.target > 0.5, row.weight)).collect();
            roc_auc(rows).map(|auc| -auc)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(target: f64, weight: f64) -> HeldOutRow {
        HeldOutRow { target, weight }
    }

    #[test]
    fn scores_are_those_of_their_definitions() {
        let logistic = Loss::Logistic { positive_weight: 1.0 };
        let rows = [row(1.0, 1.0), row(0.0, 2.0), row(1.0, 1.0), row(0.0, 1.0)];
        let margins = [2.0, 1.0, 1.0, -3.0];
        // Pairs (weight): 2 over 1 (2) and over -3 (1) won; 1 ties 1 (2, half) and beats -3 (1): 5 of 6.
        let found = score(EvalMetric::Auc, logistic, &margins, |i| rows[i]).unwrap();
        assert!((found + 5.0 / 6.0).abs() < 1e-12);
        let loss = |m: f64, y: f64| -(y * (1.0 / (1.0 + (-m).exp())).ln() + (1.0 - y) * (1.0 / (1.0 + m.exp())).ln());
        let expected = (loss(2.0, 1.0) + 2.0 * loss(1.0, 0.0) + loss(1.0, 1.0) + loss(-3.0, 0.0)) / 5.0;
        assert!((score(EvalMetric::Loss, logistic, &margins, |i| rows[i]).unwrap() - expected).abs() < 1e-12);
        let rmse = score(EvalMetric::Loss, Loss::Squared, &[1.0, 4.0], |_| row(1.0, 3.0)).unwrap();
        assert!((rmse - 4.5f64.sqrt()).abs() < 1e-12);
        // Rows of one kind have a log-loss and no area.
        for label in [0.0, 1.0] {
            let found = score(EvalMetric::Loss, logistic, &margins, |_| row(label, 0.5)).unwrap();
            let expected = margins.iter().map(|&margin| loss(margin, label)).sum::<f64>() / 4.0;
            assert!((found - expected).abs() < 1e-12);
            assert_eq!(score(EvalMetric::Auc, logistic, &margins, |_| row(label, 1.0)), None);
        }
        assert_eq!(score(EvalMetric::Loss, logistic, &[], |_| row(1.0, 1.0)), None);
    }

    #[test]
    fn the_best_round_is_kept_and_patience_ends() {
        let mut best = BestRound::default();
        let scores = [0.5, 0.3, 0.4, 0.3, 0.35];
        let stops: Vec<bool> = (0..5).map(|r| best.update(Some(scores[r]), r + 1, Some(3))).collect();
        assert_eq!((stops, best.trees), (vec![false, false, false, false, true], 2));
        let mut blind = BestRound::default();
        assert!(!(1..20).any(|r| blind.update(None, r, Some(3))) && blind.trees == 19);
    }
}
