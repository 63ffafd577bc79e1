//! A second model that only says which rows to turn away.

use super::abstain::Selectivity;
use crate::boost::{Boost, BoostModel, OutOfFold};
use crate::core::AnyRows;
use crate::{Result, Run};
#[cfg(feature = "serde")]
use crate::{Saved, core::checks};
use ndarray::Array2;

/// The smallest values of which each one's rank is kept; beyond, ranks grow by a twentieth from one to the next.
const SMALLEST: usize = 64;

/// Tells rows of the known classes from strangers, for a surrogate that was trained with
/// [`Boost::guard_rows`](crate::boost::Boost::guard_rows).
///
/// It has a one-versus-rest model of its own, with shuffled rows and rows mixed of two classes as negatives of all classes.
/// Such rows would blur the explanations of the model that assigns rows, which is therefore trained without them. A row is
/// judged by two numbers: by how much the highest margin of the assigning model is above the second highest, which is small
/// between classes, and the guard's highest margin, which is small far from all of them. The share of held-out known rows that
/// have less is a p-value, and the row's *sureness* is the geometric mean of the two, in 0 to 1: Fisher's combination of p-values
/// ("Statistical Methods for Research Workers", 1925), from which it differs by a monotone function alone. The two are not
/// independent, so that sureness is no p-value itself; thresholds on it come from held-out rows.
///
/// Missing values and categories are those of the boosted trees. It is no part of the XGBoost files.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Guard {
    model: BoostModel,
    ranks: Vec<Ranks>,
    selectivity: Selectivity,
}

/// Ranks of one number among those of held-out known rows.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Ranks {
    /// Ascending.
    values: Vec<f64>,
    /// For each of them the share of rows up to it.
    shares: Vec<f64>,
}

impl Ranks {
    /// `values` in any order; at least one, none of them NaN.
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let n = values.len();
        let next = |&rank: &usize| Some((rank + 1).max(if rank < SMALLEST { 0 } else { rank + rank / 20 }));
        let ranks: Vec<usize> = std::iter::successors(Some(1), next).take_while(|&rank| rank < n).chain([n]).collect();
        let shares = ranks.iter().map(|&rank| rank as f64 / (n + 1) as f64).collect();
        Ranks { values: ranks.iter().map(|&rank| values[rank - 1]).collect(), shares }
    }

    /// The share of rows that have less, about; at least that of one row.
    fn share(&self, x: f64) -> f64 {
        let above = self.values.partition_point(|&value| value <= x);
        let (Some(&low), Some(&high)) = (self.values.get(above.wrapping_sub(1)), self.values.get(above)) else {
            return if above == 0 { self.shares.first().map_or(1.0, |&share| share) } else { 1.0 };
        };
        let (from, to) = (self.shares[above - 1], self.shares[above]);
        from + (to - from) * ((x - low) / (high - low)).clamp(0.0, 1.0)
    }

    #[cfg(feature = "serde")]
    fn check(&self) -> checks::Check {
        checks::that(!self.values.is_empty(), || "ranks of no value".into())?;
        checks::count("shares of ranks", self.shares.len(), self.values.len())?;
        checks::shares("shares of ranks", &self.shares)?;
        checks::that(self.shares.iter().all(|&share| share > 0.0), || "a share of 0".into())?;
        let finite = self.values.iter().all(|value| value.is_finite());
        checks::that(finite && self.values.is_sorted(), || "ranked values that do not rise".into())?;
        checks::that(self.shares.is_sorted(), || "shares of ranks that do not rise".into())
    }
}

/// By how much the highest margin of a row is above the second highest, 0 where there is one only; and the guard's highest.
fn numbers(margins: &[f64], guards: &[f64]) -> [f64; 2] {
    let most = |margins: &[f64]| {
        margins.iter().fold([f64::NEG_INFINITY; 2], |[first, second], &margin| {
            if margin > first { [margin, first] } else { [first, second.max(margin)] }
        })
    };
    let ([first, second], [guard, _]) = (most(margins), most(guards));
    let lead = first - second;
    [if lead.is_finite() { lead } else { 0.0 }, guard]
}

impl Guard {
    /// Trains a guard. `margins` are those of the surrogate's own models for rows that they were not trained on. None where no
    /// row of a class could be held out.
    pub(super) fn train(
        rows: AnyRows<'_>,
        labels: &[i32],
        weights: Option<&[f32]>,
        margins: &Array2<f64>,
        boost: &Boost,
        run: &Run,
    ) -> Result<Option<Self>> {
        let boost = boost.clone().shuffled_rows(boost.guard_rows).guard_rows(0.0);
        let run = run.at("guard");
        let (model, guards, _) = boost.fit_open_set(rows, labels, weights, true, true, &run)?;
        let tables = [margins, &guards];
        let held_out = |row: &usize| tables.iter().all(|table| table.row(*row).iter().all(|margin| margin.is_finite()));
        let rows: Vec<usize> = (0..labels.len()).filter(held_out).collect();
        let known: Vec<usize> = rows.iter().copied().filter(|&row| labels[row] >= 0).collect();
        if known.is_empty() {
            run.note("no guard: no row of a class could be held out of the training");
            return Ok(None);
        }
        let of = |row: usize| numbers(&margins.row(row).to_vec(), &guards.row(row).to_vec());
        let ranks = (0..2).map(|i| Ranks::of(known.iter().map(|&row| of(row)[i]).collect())).collect();
        let mut guard = Guard { model, ranks, selectivity: Selectivity::default() };
        let fared = rows.iter().map(|&row| {
            let own = margins.row(row);
            let first = (0, f64::NEG_INFINITY);
            let best = own.iter().enumerate().fold(first, |best, (i, &x)| if x > best.1 { (i, x) } else { best });
            OutOfFold {
                confidence: guard.combined(of(row)),
                right: labels[row] == best.0 as i32,
                known: labels[row] >= 0,
                weight: weights.map_or(1.0, |weights| f64::from(weights[row])),
            }
        });
        guard.selectivity = Selectivity::of(fared.collect());
        Ok(Some(guard))
    }

    /// The guard's own boosted model, one output for each class.
    pub fn model(&self) -> &BoostModel {
        &self.model
    }

    /// What thresholds on sureness cost and gain, by held-out rows.
    pub fn selectivity(&self) -> &Selectivity {
        &self.selectivity
    }

    /// By the margins of the surrogate's model and of the guard's.
    pub(super) fn sureness(&self, margins: &[f64], guards: &[f64]) -> f64 {
        self.combined(numbers(margins, guards))
    }

    /// The geometric mean of the two shares.
    fn combined(&self, numbers: [f64; 2]) -> f64 {
        let shares = self.ranks.iter().zip(numbers).map(|(ranks, x)| ranks.share(x));
        shares.product::<f64>().sqrt()
    }

    #[cfg(feature = "serde")]
    pub(super) fn check(&self, classes: usize, features: usize) -> checks::Check {
        self.model.validate()?;
        checks::count("outputs of the guard", self.model.outputs().len(), classes)?;
        checks::count("features of the guard", self.model.features(), features)?;
        checks::count("ranks of the guard", self.ranks.len(), 2)?;
        self.ranks.iter().try_for_each(Ranks::check)?;
        self.selectivity.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::{Abstain, Predictor, Surrogate};
    use ndarray::{ArrayRef2, s};

    #[test]
    fn shares_are_those_of_the_rows() {
        let ranks = Ranks::of((1..=1000).rev().map(f64::from).collect());
        assert!(ranks.values.len() < 150 && ranks.values.is_sorted());
        for x in [1.0, 17.0, 64.0, 65.0, 400.0, 777.0] {
            assert!((ranks.share(x) - x / 1001.0).abs() < 1e-12, "{x}");
        }
        assert_eq!((ranks.share(-5.0), ranks.share(1e9)), (1.0 / 1001.0, 1.0));
        let alike = Ranks::of(vec![2.0; 50]);
        assert_eq!((alike.share(2.0), alike.share(1.0)), (1.0, 1.0 / 51.0));
        assert_eq!(Ranks::of(vec![3.0]).share(3.0), 1.0);
        assert_eq!(numbers(&[1.0, 4.0, 3.0], &[2.0, -1.0]), [1.0, 2.0]);
        assert_eq!((numbers(&[4.0, 4.0], &[5.0]), numbers(&[3.0], &[3.0])), ([0.0, 5.0], [0.0, 3.0]));
    }

    /// Three rings in columns 0 and 1, that fill their square but for the middle; the other columns are noise.
    fn rings(n: usize) -> (Array2<f32>, Vec<i32>) {
        let draw = |i: usize, j: usize| ((i * 7919 + j * 104_729 + i * i % 89) % 997) as f32 / 997.0;
        let place = |i: usize| (std::f32::consts::TAU * draw(i, 0), 4.0 + draw(i, 1));
        let rows = Array2::from_shape_fn((n, 4), |(i, j)| {
            let (angle, far) = place(i);
            match j {
                0 => far * angle.cos(),
                1 => far * angle.sin(),
                _ => draw(i, j),
            }
        });
        let labels = (0..n).map(|i| (place(i).0 / std::f32::consts::TAU * 3.0) as i32).collect();
        (rows, labels)
    }

    #[test]
    fn a_guard_turns_away_strangers_and_changes_nothing_else() {
        let ((rows, labels), run) = (rings(1500), Run::new());
        let (fitted, own) = (rows.slice(s![..1000, ..]), &labels[..1000]);
        let names: Vec<String> = (0..3).map(|i| format!("0.{i}")).collect();
        let boost = Boost::new().rounds(20).max_depth(4);
        let plain = Surrogate::fit(&fitted, own, names.clone(), &boost, &run).unwrap();
        let guarded = Surrogate::fit(&fitted, own, names.clone(), &boost.clone().guard_rows(0.5), &run).unwrap();
        assert_eq!((guarded.model(), guarded.selectivity()), (plain.model(), plain.selectivity()));
        assert!(plain.guard().is_none());
        let guard = guarded.guard().unwrap();
        assert_eq!((guard.selectivity().known, guard.model().outputs().len()), (1000, 3));
        // The middle, which no row of a class is near.
        let middle = Array2::from_shape_fn((200, 4), |(i, j)| ((i * 31 + j * 17) % 23) as f32 / 23.0);
        let share = |surrogate: &Surrogate, rows: &ArrayRef2<f32>| {
            let all = surrogate.decide(rows, Abstain::Share(0.05), &run).unwrap();
            all.iter().filter(|decision| decision.abstained).count() as f64 / rows.nrows() as f64
        };
        let new = rows.slice(s![1000.., ..]);
        assert!(share(&guarded, &new) < 0.12, "{}", share(&guarded, &new));
        assert!(share(&guarded, &middle) > 0.9, "{}", share(&guarded, &middle));
        assert!(share(&guarded, &middle) > share(&plain, &middle) + 0.3);
        // Assignments are those of the plain one; a predictor, rows alone and a saved file say the same.
        let (a, b) = (guarded.assign(&new, &run).unwrap(), plain.assign(&new, &run).unwrap());
        assert_eq!(a, b);
        let all = guarded.decide(&new, Abstain::Share(0.05), &run).unwrap();
        let predictor = Predictor::new(guarded.clone(), Abstain::Share(0.05)).unwrap();
        assert_eq!(predictor.decide(&new, &run).unwrap(), all);
        for (row, decision) in new.outer_iter().zip(&all).take(50) {
            assert_eq!(predictor.decide_row(&row.to_vec()).unwrap(), *decision);
            assert_eq!(decision.abstained, decision.sureness < predictor.threshold());
        }
        #[cfg(feature = "serde")]
        {
            let text = guarded.to_json().unwrap();
            assert_eq!(Surrogate::from_json(&text).unwrap(), guarded);
            let cut = text.replacen("\"ranks\":[{\"values\":[", "\"ranks\":[{\"values\":[1e300,", 1);
            assert!(cut != text && Surrogate::from_json(&cut).is_err());
        }
        // The same bits in any order of the rows and at any number of threads.
        let order: Vec<usize> = (0..1000).map(|i| i * 7 % 1000).collect();
        let turned: Vec<i32> = order.iter().map(|&i| own[i]).collect();
        let run = Run::new().threads(1);
        let again = Surrogate::fit(
            &fitted.select(ndarray::Axis(0), &order),
            &turned,
            names.clone(),
            &boost.clone().guard_rows(0.5),
            &run,
        );
        assert_eq!(again.unwrap().guard(), guarded.guard());
    }

    #[test]
    fn odd_input_has_an_answer_or_an_error() {
        let run = Run::new();
        let boost = Boost::new().rounds(3).guard_rows(0.25);
        // One class, missing values, equal rows, a constant column.
        let rows =
            Array2::from_shape_fn((60, 3), |(i, j)| if j == 0 && i % 3 == 0 { f32::NAN } else { (i % 5 * j) as f32 });
        for labels in [vec![0; 60], (0..60).map(|i| i % 2).collect(), (0..60).map(|i| i % 3 - 1).collect()] {
            let classes = 1 + *labels.iter().max().unwrap() as usize;
            let names = (0..classes).map(|i| i.to_string()).collect();
            let surrogate = Surrogate::fit(&rows, &labels, names, &boost, &run).unwrap();
            for decision in surrogate.decide(&rows, Abstain::Never, &run).unwrap() {
                assert!(!decision.abstained && (0.0..=1.0).contains(&decision.sureness));
            }
        }
        let two = ndarray::array![[0.0f32], [1.0]];
        let surrogate = Surrogate::fit(&two, &[0, 1], vec!["a".into(), "b".into()], &boost, &run).unwrap();
        assert_eq!(surrogate.decide(&two, Abstain::Never, &run).unwrap().len(), 2);
        let wrong = Boost::new().guard_rows(-1.0);
        assert!(Surrogate::fit(&rows, &[0; 60], vec!["a".into()], &wrong, &run).is_err());
        assert!(boost.fit(&rows, &[0; 60], &run).is_err());
    }
}
