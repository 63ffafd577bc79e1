//! A second model that only says which rows to turn away.

use super::abstain::Selectivity;
use crate::boost::{Boost, BoostModel, OutOfFold};
use crate::core::AnyRows;
use crate::{Result, Run};
#[cfg(feature = "serde")]
use crate::{Saved, core::checks};
use ndarray::Array2;
use std::collections::BTreeMap;

/// The smallest values of which each one's rank is kept; beyond, ranks grow by a twentieth from one to the next.
const SMALLEST: usize = 64;
/// Classes of which more than this share of the smaller one's rows are taken for the other are of one family.
const MISTAKEN: f64 = 0.05;

/// Tells rows of the known classes from strangers, for a surrogate that was trained with
/// [`Boost::guard_rows`](crate::boost::Boost::guard_rows).
///
/// It has a one-versus-rest model of its own, with shuffled rows and rows mixed of two classes as negatives of all classes.
/// Such rows would blur the explanations of the model that assigns rows, which is therefore trained without them.
///
/// A row between two parts of one cloud is no stranger. So the guard's classes are *families*: classes that the assigning model
/// mistakes for each other on held-out rows, in more than 5 % of the rows of the smaller one, are of one family, and so are theirs
/// ([`families`](Guard::families)).
///
/// A row is judged by two numbers: by how much the highest margin of the assigning model is above the highest of another family,
/// which is small between families, and the guard's highest margin, which is small far from all of them. The share of held-out
/// known rows that have less is a p-value, and the row's *sureness* is the geometric mean of the two, in 0 to 1: Fisher's combination of p-values
/// ("Statistical Methods for Research Workers", 1925), from which it differs by a monotone function alone. The two are not
/// independent, so that sureness is no p-value itself; thresholds on it come from held-out rows.
///
/// Missing values and categories are those of the boosted trees. It is no part of the XGBoost files.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Guard {
    model: BoostModel,
    /// Of each class.
    families: Vec<usize>,
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

/// The class of the highest margin, the first of equal ones.
fn highest(margins: impl IntoIterator<Item = f64>) -> (usize, f64) {
    let first = (0, f64::NEG_INFINITY);
    margins.into_iter().enumerate().fold(first, |best, (class, x)| if x > best.1 { (class, x) } else { best })
}

/// For each class the number of its family, by the margins of held-out rows (`known`) of a class.
fn families(classes: usize, known: &[usize], labels: &[i32], margins: &Array2<f64>) -> Vec<usize> {
    let mut sizes = vec![0usize; classes];
    let mut mistaken: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for &row in known {
        let (own, taken) = (labels[row] as usize, highest(margins.row(row).iter().copied()).0);
        sizes[own] += 1;
        if own != taken {
            *mistaken.entry((own.min(taken), own.max(taken))).or_default() += 1;
        }
    }
    let mut family: Vec<usize> = (0..classes).collect();
    for ((a, b), rows) in mistaken {
        if rows as f64 > MISTAKEN * sizes[a].min(sizes[b]) as f64 {
            let (kept, gone) = (family[a].min(family[b]), family[a].max(family[b]));
            family.iter_mut().filter(|own| **own == gone).for_each(|own| *own = kept);
        }
    }
    let mut numbers = family.clone();
    numbers.sort_unstable();
    numbers.dedup();
    family.iter().map(|own| numbers.partition_point(|number| number < own)).collect()
}

/// By how much the highest margin of a row is above the highest of another family, 0 where there is one family only; and the
/// guard's highest.
fn numbers(families: &[usize], margins: &[f64], guards: &[f64]) -> [f64; 2] {
    let (class, first) = highest(margins.iter().copied());
    let others = margins.iter().zip(families).filter(|(_, family)| Some(*family) != families.get(class));
    let lead = first - highest(others.map(|(&margin, _)| margin)).1;
    [if lead.is_finite() { lead } else { 0.0 }, highest(guards.iter().copied()).1]
}

/// The geometric mean of the two numbers' shares.
fn combined(ranks: &[Ranks], numbers: [f64; 2]) -> f64 {
    ranks.iter().zip(numbers).map(|(ranks, x)| ranks.share(x)).product::<f64>().sqrt()
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
        let is_held_out = |table: &Array2<f64>, row: usize| table.row(row).iter().all(|margin| margin.is_finite());
        let known: Vec<usize> =
            (0..labels.len()).filter(|&row| labels[row] >= 0 && is_held_out(margins, row)).collect();
        let families = families(margins.ncols(), &known, labels, margins);
        let of_families: Vec<i32> =
            labels.iter().map(|&label| usize::try_from(label).map_or(label, |class| families[class] as i32)).collect();
        let (model, guards, _) = boost.fit_open_set(rows, &of_families, weights, true, true, &run)?;
        let held_out = |row: &usize| is_held_out(margins, *row) && is_held_out(&guards, *row);
        let rows: Vec<usize> = (0..labels.len()).filter(held_out).collect();
        let known: Vec<usize> = rows.iter().copied().filter(|&row| labels[row] >= 0).collect();
        if known.is_empty() {
            run.note("no guard: no row of a class could be held out of the training");
            return Ok(None);
        }
        let of = |row: usize| numbers(&families, &margins.row(row).to_vec(), &guards.row(row).to_vec());
        let ranks: Vec<Ranks> = (0..2).map(|i| Ranks::of(known.iter().map(|&row| of(row)[i]).collect())).collect();
        let shares: Vec<f64> = rows.iter().map(|&row| combined(&ranks, of(row))).collect();
        let fared = rows.iter().zip(shares).map(|(&row, confidence)| OutOfFold {
            confidence,
            right: labels[row] == highest(margins.row(row).iter().copied()).0 as i32,
            known: labels[row] >= 0,
            weight: weights.map_or(1.0, |weights| f64::from(weights[row])),
        });
        let selectivity = Selectivity::of(fared.collect());
        Ok(Some(Guard { model, families, ranks, selectivity }))
    }

    /// For each class the number of its family: 0 and rising, by the first class of each.
    pub fn families(&self) -> &[usize] {
        &self.families
    }

    /// The guard's own boosted model, one output for each family.
    pub fn model(&self) -> &BoostModel {
        &self.model
    }

    /// What thresholds on sureness cost and gain, by held-out rows.
    pub fn selectivity(&self) -> &Selectivity {
        &self.selectivity
    }

    /// By the margins of the surrogate's model and of the guard's.
    pub(super) fn sureness(&self, margins: &[f64], guards: &[f64]) -> f64 {
        combined(&self.ranks, numbers(&self.families, margins, guards))
    }

    #[cfg(feature = "serde")]
    pub(super) fn check(&self, classes: usize, features: usize) -> checks::Check {
        self.model.validate()?;
        checks::count("families of the guard", self.families.len(), classes)?;
        let mut families = 0;
        for &family in &self.families {
            checks::that(family <= families, || format!("family {family} before family {families}"))?;
            families = families.max(family + 1);
        }
        checks::count("outputs of the guard", self.model.outputs().len(), families)?;
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
    }

    #[test]
    fn a_lead_is_over_other_families() {
        assert_eq!(numbers(&[0, 1, 2], &[1.0, 4.0, 3.0], &[2.0, -1.0]), [1.0, 2.0]);
        assert_eq!(numbers(&[0, 1, 1], &[1.0, 4.0, 3.0], &[2.0, -1.0]), [3.0, 2.0]);
        assert_eq!(numbers(&[0, 1], &[4.0, 4.0], &[5.0]), [0.0, 5.0]);
        assert_eq!(numbers(&[0, 0], &[4.0, 2.0], &[3.0]), [0.0, 3.0]);
    }

    #[test]
    fn classes_that_are_mistaken_for_each_other_are_one_family() {
        // 20 rows of each of five classes; two of class 1 are taken for 3, one of 3 for 4, two of 4 for 3, one of 0 for 2.
        let labels: Vec<i32> = (0..100).map(|row| row / 20).collect();
        let mut taken: Vec<usize> = labels.iter().map(|&label| label as usize).collect();
        for (row, class) in [(20, 3), (21, 3), (60, 4), (80, 3), (81, 3), (0, 2)] {
            taken[row] = class;
        }
        let margins = Array2::from_shape_fn((100, 5), |(row, class)| if taken[row] == class { 2.0 } else { -1.0 });
        let all: Vec<usize> = (0..100).collect();
        assert_eq!(families(5, &all, &labels, &margins), [0, 1, 2, 1, 1]);
        // Without a mistake each class is a family of its own.
        assert_eq!(families(5, &all[2..20], &labels, &margins), [0, 1, 2, 3, 4]);
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
            for families in ["[0,2,1]", "[1,0,2]", "[0,1,18446744073709551615]"] {
                let other = text.replacen("\"families\":[0,1,2]", &format!("\"families\":{families}"), 1);
                assert!(other != text && Surrogate::from_json(&other).is_err(), "{families}");
            }
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
