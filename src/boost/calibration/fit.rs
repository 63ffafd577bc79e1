//! Learning a calibration.

use super::softmax::log_sum;
use super::{Calibration, Case, FLATTEST, PIECE, RIDGE, STEPS, UNKNOWN};
use crate::Result;
use crate::core::{numerics, parallel};

impl Calibration {
    /// Fits slope and offsets to `count` rows, whose order must depend on their content alone. Only ratios of weights
    /// matter.
    pub(in crate::boost) fn fit<'a>(
        outputs: usize,
        count: usize,
        case: impl Fn(usize) -> Case<'a> + Sync + Send,
    ) -> Result<Self> {
        let mut seen = vec![false; outputs];
        (0..count).for_each(|i| seen[case(i).label] = true);
        let unseen: Vec<usize> = (0..outputs).filter(|&k| !seen[k]).collect();
        let start = Calibration { slope: 1.0, offsets: vec![0.0; outputs], rows: 0, unseen };
        if outputs - start.unseen.len() < 2 {
            return Ok(start);
        }
        let mean = (0..count).map(|i| case(i).weight).sum::<f64>() / count as f64;
        let case = |i: usize| Case { weight: case(i).weight / mean, ..case(i) };
        // The offset of a label without rows would decrease without bound.
        let mut free: Vec<bool> = seen.into_iter().chain([true]).collect();
        let mut found = start.clone().descend(count, &case, &free)?;
        if found.slope < FLATTEST {
            free[outputs] = false;
            found = Calibration { slope: FLATTEST, ..start }.descend(count, &case, &free)?;
        }
        let level = found.level(count, &case);
        found.offsets.iter_mut().for_each(|offset| *offset += level);
        found.rows = count;
        Ok(found)
    }

    /// The mean of -ln p of the rows' own labels.
    pub(in crate::boost) fn log_loss<'a>(&self, count: usize, case: impl Fn(usize) -> Case<'a> + Sync + Send) -> f64 {
        let parts = parallel::map_ranges(count, PIECE, |range| {
            range.map(&case).fold((0.0, 0.0), |(loss, all), Case { margins, label, weight }| {
                let raised = margins.iter().zip(&self.offsets).map(|(z, offset)| z * self.slope + offset);
                let own = margins[label] * self.slope + self.offsets[label];
                (loss + weight * (log_sum(raised) - own), all + weight)
            })
        });
        let (loss, weight) = parts.iter().fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
        loss / weight
    }

    /// The constant that is added to all offsets, so that the margin 0 separates known rows from unknown ones.
    fn level<'a>(&self, count: usize, case: &(impl Fn(usize) -> Case<'a> + Sync + Send)) -> f64 {
        // For each row its weight, the log-sum over all labels, and over all but its own.
        let parts = parallel::map_ranges(count, PIECE, |range| {
            let sums = range.map(|i| {
                let Case { margins, label, weight } = case(i);
                let raised = margins.iter().zip(&self.offsets).map(|(z, offset)| z * self.slope + offset);
                let others = raised.clone().enumerate().filter(|&(k, _)| k != label).map(|(_, u)| u);
                (weight, log_sum(raised), log_sum(others))
            });
            sums.collect::<Vec<_>>()
        });
        let rows = parts.concat();
        // Newton's method, bracketed: the derivative increases with c.
        let (mut low, mut high, mut c) = (-100.0, 100.0, 0.0);
        for _ in 0..STEPS {
            let (mut first, mut second) = (RIDGE * c, RIDGE);
            for &(weight, known, unknown) in &rows {
                let (p, q) = (numerics::sigmoid(known + c), numerics::sigmoid(unknown + c));
                first += weight * (UNKNOWN * q - (1.0 - p));
                second += weight * (UNKNOWN * q * (1.0 - q) + p * (1.0 - p));
            }
            if first > 0.0 {
                high = c;
            } else {
                low = c;
            }
            let next = c - first / second;
            let next = if next > low && next < high { next } else { (low + high) / 2.0 };
            let done = (next - c).abs() < 1e-9;
            c = next;
            if done {
                break;
            }
        }
        c
    }
}

#[cfg(test)]
mod tests {
    use super::super::softmax::{confidence_of, softmax};
    use super::*;
    use crate::core::random::Stream;

    #[test]
    fn a_known_distortion_is_found_and_undone() {
        // True log-odds t; the margins are 3 t + offsets.
        let (draws, outputs, count) = (Stream::new(5, 1), 4, 20_000);
        let shift = [0.5, -1.0, 0.0, 0.5];
        let mut rows = Vec::new();
        for i in 0..count as u64 {
            let truth: Vec<f64> = (0..outputs as u64).map(|k| draws.of(i).normal(k)).collect();
            let mut p = truth.clone();
            softmax(&mut p);
            let mut left = draws.of(i).uniform(100);
            let label = p
                .iter()
                .position(|p| {
                    left -= p;
                    left < 0.0
                })
                .unwrap_or(outputs - 1);
            rows.push((truth.iter().zip(shift).map(|(t, s)| 3.0 * (t - s)).collect::<Vec<_>>(), label));
        }
        let case = |i: usize| Case { margins: &rows[i].0, label: rows[i].1, weight: 1.0 };
        let found = Calibration::fit(outputs, count, case).unwrap();
        assert!((found.slope - 1.0 / 3.0).abs() < 0.02, "{found:?}");
        let mean = found.offsets.iter().sum::<f64>() / 4.0;
        assert!(found.offsets.iter().zip(shift).all(|(b, s)| (b - mean - s).abs() < 0.1), "{found:?}");
        // At the solution the first derivatives are zero; the level changes nothing between the labels.
        let start = Calibration { slope: 1.0, offsets: vec![0.0; outputs], rows: 0, unseen: Vec::new() };
        let between = start.descend(count, &case, &[true; 5]).unwrap();
        assert!(between.derivatives(count, &case, &[true; 5]).first.iter().all(|d| d.abs() < 1e-3));
        let level = found.offsets[0] - between.offsets[0];
        assert!((0..4).all(|k| (found.offsets[k] - between.offsets[k] - level).abs() < 1e-12));
        assert_eq!((found.slope, found.rows, level), (between.slope, count, between.level(count, &case)));
        // What is wrong everywhere has the least slope, not a negative one; weights count by their ratios.
        let turned: Vec<Vec<f64>> = rows.iter().map(|(z, _)| z.iter().map(|z| -z).collect()).collect();
        let against = |i: usize| Case { margins: &turned[i], label: rows[i].1, weight: 1.0 };
        assert_eq!(Calibration::fit(outputs, count, against).unwrap().slope, FLATTEST);
        let light = |i: usize| Case { weight: (0.5f64).powi(70), ..case(i) };
        assert_eq!(Calibration::fit(outputs, count, light).unwrap(), found);
    }

    /// The level is where telling known rows from unknown ones costs least, by trying.
    #[test]
    fn the_level_parts_known_rows_from_unknown_ones() {
        let draws = Stream::new(6, 2);
        let rows: Vec<[f64; 3]> = (0..600u64)
            .map(|i| [0, 1, 2].map(|k| 3.0 * draws.of(i).normal(k) + if k == i % 3 { 4.0 } else { -7.0 }))
            .collect();
        let case = |i: usize| Case { margins: &rows[i], label: i % 3, weight: 1.0 };
        let plain = Calibration { slope: 1.0, offsets: vec![0.0; 3], rows: 0, unseen: Vec::new() };
        let level = plain.level(600, &case);
        let cost = |c: f64| {
            let known = |sum: f64| c.exp() * sum / (1.0 + c.exp() * sum);
            rows.iter().enumerate().fold(RIDGE / 2.0 * c * c, |cost, (i, z)| {
                let (all, own) = (z.iter().map(|z| z.exp()).sum::<f64>(), z[i % 3].exp());
                cost - known(all).ln() - UNKNOWN * (1.0 - known(all - own)).ln()
            })
        };
        assert!(level.abs() > 0.1 && [-0.01, 0.01].iter().all(|off| cost(level) < cost(level + off)), "{level}");
        let confidences = |row: [f64; 2]| row.map(confidence_of(row.into_iter()));
        let row = confidences([-9.0, -14.0]);
        assert!((row[0] - 1.234e-4).abs() < 1e-7 && (row[1] / row[0] - (-5.0f64).exp()).abs() < 1e-9, "{row:?}");
        assert_eq!(confidences([900.0, -900.0]), [1.0, 0.0]);
    }

    #[test]
    fn separable_and_empty_cases_stay_finite() {
        let rows = [[900.0, -900.0], [-900.0, 900.0]];
        let case = |i: usize| Case { margins: &rows[i], label: i, weight: 1.0 };
        assert!(Calibration::fit(2, 2, case).unwrap().fits(2));
        let wrong = |i: usize| Case { margins: &rows[i], label: 1 - i, weight: 1.0 };
        assert!(Calibration::fit(2, 2, wrong).unwrap().fits(2));
        // Rows of fewer than two labels teach nothing, and that can be seen.
        let none = Calibration { slope: 1.0, offsets: vec![0.0; 3], rows: 0, unseen: vec![0, 1, 2] };
        assert_eq!(Calibration::fit(3, 0, case).unwrap(), none);
        let found = Calibration::fit(2, 2, |i| Case { label: 1, ..case(i) }).unwrap();
        assert_eq!((found.rows(), found.slope(), found.offsets(), found.unseen()), (0, 1.0, &[0.0; 2][..], &[0][..]));
        // A third label without rows has the common offset only.
        let rows: Vec<[f64; 3]> =
            (0..90).map(|i| [f64::from(i % 2) * 4.0 - 1.0, f64::from(i % 3) - 2.0, 0.5]).collect();
        let case = |i: usize| Case { margins: &rows[i], label: usize::from(i % 7 > 2), weight: 1.0 };
        let found = Calibration::fit(3, 90, case).unwrap();
        let start = Calibration { slope: found.slope, offsets: vec![0.0; 3], rows: 0, unseen: Vec::new() };
        let level = Calibration { offsets: found.offsets.iter().map(|b| b - found.offsets[2]).collect(), ..start };
        assert_eq!((found.unseen(), found.rows()), (&[2][..], 90));
        assert!((level.level(90, &case) - found.offsets[2]).abs() < 1e-6);
    }
}
