//! How well scores tell rows that have a label from rows that do not.

/// Area under the ROC curve: the probability that a row that has the label scores higher than one that does not, a tie
/// counting half. None where all rows or no rows have it.
///
/// `rows` are (score, whether the row has the label, weight); scores are not NaN, weights above 0. Sums do not depend on
/// the order of the rows. O(n log n).
pub(crate) fn roc_auc(mut rows: Vec<(f64, bool, f64)>) -> Option<f64> {
    in_order(&mut rows);
    let (mut below, mut won, mut positive) = (0.0, 0.0, 0.0);
    for tied in rows.chunk_by(|a, b| a.0 == b.0) {
        let (others, own) = (weight_of(tied, false), weight_of(tied, true));
        won += own * (below + others / 2.0);
        below += others;
        positive += own;
    }
    (positive > 0.0 && below > 0.0).then(|| won / (positive * below))
}

/// Average precision, Σ (recall_i − recall_{i−1}) precision_i over the thresholds from the highest score down, equal scores
/// at once: the step-wise area under the curve of precision and recall, as scikit-learn's `average_precision_score`. None
/// where no row has the label. Rows and cost are those of [`roc_auc`].
pub(crate) fn average_precision(mut rows: Vec<(f64, bool, f64)>) -> Option<f64> {
    in_order(&mut rows);
    let (mut taken, mut hits, mut area) = (0.0, 0.0, 0.0);
    let chunks: Vec<_> = rows.chunk_by(|a, b| a.0 == b.0).collect();
    for tied in chunks.into_iter().rev() {
        let (others, own) = (weight_of(tied, false), weight_of(tied, true));
        taken += others + own;
        hits += own;
        area += own * (hits / taken);
    }
    (hits > 0.0).then(|| area / hits)
}

/// By score, then by all else, so that sums over equal scores have one order.
fn in_order(rows: &mut [(f64, bool, f64)]) {
    // One zero, so that both tie.
    rows.iter_mut().for_each(|row| row.0 += 0.0);
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.total_cmp(&b.2)));
}

fn weight_of(rows: &[(f64, bool, f64)], own: bool) -> f64 {
    rows.iter().filter(|row| row.1 == own).map(|row| row.2).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_those_of_their_definitions() {
        // Pairs (weight): 2 over 1 (2) and over -3 (1) won; 1 ties 1 (2, half) and beats -3 (1): 5 of 6.
        let rows = vec![(2.0, true, 1.0), (1.0, false, 2.0), (1.0, true, 1.0), (-3.0, false, 1.0)];
        assert!((roc_auc(rows.clone()).unwrap() - 5.0 / 6.0).abs() < 1e-12);
        // At 2 all that is taken is right; at 1 half of a weight of 4.
        assert!((average_precision(rows.clone()).unwrap() - 0.75).abs() < 1e-12);
        let turned: Vec<_> = rows.iter().rev().copied().collect();
        assert_eq!(
            (roc_auc(turned.clone()), average_precision(turned)),
            (roc_auc(rows.clone()), average_precision(rows))
        );
        assert_eq!(roc_auc(vec![(0.0, true, 1.0), (-0.0, false, 1.0)]), Some(0.5));
        for label in [true, false] {
            assert_eq!(roc_auc(vec![(1.0, label, 1.0)]), None);
        }
        assert_eq!((average_precision(vec![(1.0, false, 1.0)]), average_precision(Vec::new())), (None, None));
    }
}
