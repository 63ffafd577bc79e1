//! When to say nothing: the confidence below which a row is turned away.

use crate::boost::OutOfFold;
#[cfg(feature = "serde")]
use crate::core::checks;
use crate::{Error, Result};

/// Steps of the curve.
const STEPS: usize = 200;

/// Which rows are turned away, that is assigned to no class. How sure a surrogate is of a row is its confidence, or what its
/// [`Guard`](super::Guard) says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Abstain {
    /// None.
    #[default]
    Never,
    /// Those less sure than all but this share of the rows of known classes, 0 to 1: `Share(0.05)` turns away one in twenty
    /// of them, and whatever else is as unsure.
    Share(f64),
    /// As few as leave the assigned rows of known classes right in this share, 0 to 1.
    Precision(f64),
    /// Those of a sureness below this, 0 to 1.
    Below(f64),
}

/// What a threshold on confidence costs and gains, by rows that the surrogate was not trained on: the risk-coverage curve
/// of selective classification (El-Yaniv and Wiener, "On the Foundations of Noise-free Selective Classification", JMLR 11,
/// 2010), in 201 points.
///
/// The rows are those that cross-fitting held out. Where rows have weights, shares are of weight.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Selectivity {
    /// Held-out rows of known classes.
    pub known: usize,
    /// Held-out rows of no class: noise of the clustering.
    pub unknown: usize,
    /// Confidences, ascending: below the i-th is a share of at most i / 200 of the known rows. Empty without held-out rows.
    pub thresholds: Vec<f64>,
    /// At each threshold the share of right classes among the known rows that are not turned away; 1 where all are.
    pub precision: Vec<f64>,
    /// At each threshold the share of the unknown rows that are turned away; 0 where there are none.
    pub turned_away: Vec<f64>,
}

impl Selectivity {
    pub(super) fn of(mut rows: Vec<OutOfFold>) -> Self {
        // Sums in an order that depends on the rows' content alone.
        rows.sort_unstable_by(|a, b| {
            let by = |row: &OutOfFold| (row.known, row.right);
            a.confidence.total_cmp(&b.confidence).then(by(a).cmp(&by(b))).then(a.weight.total_cmp(&b.weight))
        });
        let (known, unknown): (Vec<OutOfFold>, Vec<OutOfFold>) = rows.into_iter().partition(|row| row.known);
        let weight = |rows: &[OutOfFold]| rows.iter().map(|row| row.weight).sum::<f64>();
        let (all, strange) = (weight(&known), weight(&unknown));
        let mut curve = Selectivity { known: known.len(), unknown: unknown.len(), ..Selectivity::default() };
        if known.is_empty() || all <= 0.0 {
            return curve;
        }
        let right = |rows: &[OutOfFold]| rows.iter().filter(|row| row.right).map(|row| row.weight).sum::<f64>();
        let all_right = right(&known);
        let (mut first, mut below, mut below_right) = (0, 0.0, 0.0);
        let (mut strange_first, mut strange_below) = (0, 0.0);
        for step in 0..=STEPS {
            let most = all * step as f64 / STEPS as f64 * (1.0 + 1e-12);
            // Rows of one confidence are turned away together or not at all.
            while let Some(next) = known.get(first) {
                let end = first + known[first..].partition_point(|row| row.confidence <= next.confidence);
                let own = weight(&known[first..end]);
                if below + own > most {
                    break;
                }
                (below, below_right) = (below + own, below_right + right(&known[first..end]));
                first = end;
            }
            let threshold = known.get(first).map_or(1.0, |row| row.confidence);
            while let Some(row) = unknown.get(strange_first).filter(|row| row.confidence < threshold) {
                (strange_first, strange_below) = (strange_first + 1, strange_below + row.weight);
            }
            let kept = all - below;
            let none_left = first == known.len() || kept <= 0.0;
            let precision = if none_left { 1.0 } else { ((all_right - below_right) / kept).clamp(0.0, 1.0) };
            curve.thresholds.push(threshold);
            curve.precision.push(precision);
            curve.turned_away.push(if strange > 0.0 { (strange_below / strange).min(1.0) } else { 0.0 });
        }
        curve
    }

    /// The confidence below which rows are turned away; 0 turns none away. Shares are rounded down to 1 / 200.
    ///
    /// # Errors
    /// [`Error::Setting`] for a share, precision or confidence outside 0 to 1, where no threshold reaches the precision, and
    /// for a share or precision where no row could be held out.
    pub fn threshold(&self, abstain: Abstain) -> Result<f64> {
        let within = |name, x: f64| match (0.0..=1.0).contains(&x) {
            true => Ok(x),
            false => Err(Error::setting(name, x, "must be from 0 to 1")),
        };
        let known = |name, x: f64| match self.thresholds.is_empty() {
            true => {
                Err(Error::setting(name, x, "needs rows that could be held out of the training; a confidence will do"))
            }
            false => Ok(()),
        };
        match abstain {
            Abstain::Never => Ok(0.0),
            Abstain::Below(confidence) => within("confidence", confidence),
            Abstain::Share(share) => {
                within("share", share)?;
                if share == 0.0 {
                    return Ok(0.0);
                }
                known("share", share)?;
                Ok(self.thresholds[((share * STEPS as f64 + 1e-9) as usize).min(STEPS)])
            }
            Abstain::Precision(precision) => {
                within("precision", precision)?;
                known("precision", precision)?;
                // With every row turned away none is wrong, which is no answer.
                let reached = (0..STEPS).find(|&step| self.precision[step] >= precision);
                match reached {
                    Some(0) => Ok(0.0),
                    Some(step) => Ok(self.thresholds[step]),
                    None => Err(Error::setting("precision", precision, "is beyond what any threshold reaches")),
                }
            }
        }
    }

    #[cfg(feature = "serde")]
    pub(super) fn check(&self) -> checks::Check {
        if self.thresholds.is_empty() {
            checks::count("precisions", self.precision.len(), 0)?;
            return checks::count("shares of unknown rows", self.turned_away.len(), 0);
        }
        let all = [&self.thresholds, &self.precision, &self.turned_away];
        for (what, all) in ["thresholds", "precisions", "shares of unknown rows"].into_iter().zip(all) {
            checks::count(what, all.len(), STEPS + 1)?;
            checks::shares(what, all)?;
        }
        checks::that(self.thresholds.is_sorted(), || "thresholds that do not rise".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(confidence: f64, right: bool, known: bool) -> OutOfFold {
        OutOfFold { confidence, right, known, weight: 1.0 }
    }

    #[test]
    fn thresholds_are_those_of_the_shares() {
        // A hundred known rows of confidence 0.00 to 0.99, right from 0.10 on; ten unknown ones below 0.3.
        let known = (0..100).map(|i| row(f64::from(i) / 100.0, i >= 10, true));
        let unknown = (0..10).map(|i| row(f64::from(i) * 0.03, false, false));
        let rows: Vec<OutOfFold> = known.chain(unknown).collect();
        let curve = Selectivity::of(rows.clone());
        assert_eq!((curve.known, curve.unknown, curve.thresholds.len()), (100, 10, 201));
        assert_eq!(curve.threshold(Abstain::Share(0.05)).unwrap(), 0.05);
        assert_eq!(curve.threshold(Abstain::Share(0.0)).unwrap(), 0.0);
        assert_eq!(curve.threshold(Abstain::Share(1.0)).unwrap(), 1.0);
        assert_eq!((curve.precision[0], curve.precision[20], curve.turned_away[20]), (0.9, 1.0, 0.4));
        assert_eq!(curve.threshold(Abstain::Precision(1.0)).unwrap(), 0.1);
        assert_eq!(curve.threshold(Abstain::Precision(0.9)).unwrap(), 0.0);
        assert_eq!(curve.threshold(Abstain::Below(0.7)).unwrap(), 0.7);
        for bad in [Abstain::Share(-0.1), Abstain::Precision(1.5), Abstain::Below(f64::NAN)] {
            assert!(matches!(curve.threshold(bad), Err(Error::Setting { .. })), "{bad:?}");
        }
        let turned = Selectivity::of(rows.into_iter().rev().collect());
        assert_eq!(turned, curve);
        // Rows that are all alike are kept together.
        let alike = Selectivity::of(vec![row(0.4, true, true); 50]);
        assert_eq!(alike.threshold(Abstain::Share(0.9)).unwrap(), 0.4);
        let wrong = Selectivity::of(vec![row(0.4, false, true); 50]);
        assert!(wrong.threshold(Abstain::Precision(0.5)).is_err());
        let none = Selectivity::of(Vec::new());
        assert!(none.threshold(Abstain::Share(0.1)).is_err() && none.threshold(Abstain::Never).unwrap() == 0.0);
    }
}
