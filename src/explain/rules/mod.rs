//! Rules: for each cluster one to three short conditions, four at most, that most of its rows meet and few others do.
//!
//! What is aimed at: many of the cluster's rows, few others, few conditions, and none of the rules worse than another in all
//! three (Cluster-Explorer: Ofek and Somech, "Explaining Black-Box Clustering Pipelines With Cluster-Explorer", PVLDB 2025).
//! Thresholds lie at deciles alone, and a rule is judged by how often it comes back over resamples (SIRUS: Bénard and
//! others, "SIRUS: Stable and Interpretable RUle Set for classification", EJS 15, 2021).
//!
//! 1. A third of the rows is held out (`split`): no candidate and no choice below sees them.
//! 2. Shallow boosted trees of all clusters choose the columns, by gain (`columns`).
//! 3. A beam search over conjunctions of conditions (`search`), from histograms of the columns' codes (`codes`).
//! 4. The same search for what the best rules leave out (`choose`); of all rules that no other beats in precision, recall and
//!    length, the few that together are the most precise and cover enough of the cluster (`set`).
//! 5. Precision and recall on the held-out rows; the same search on halves of the other rows says how stable a rule is.

mod choose;
mod codes;
mod columns;
mod rule;
mod search;
mod set;
mod settings;
mod split;
#[cfg(test)]
mod tests;

#[cfg(feature = "report")]
pub(crate) use rule::Phrase;
pub use rule::{ClusterRules, Condition, Criterion, Rule};
pub use settings::Rules;

use crate::core::shape::check_count;
use crate::core::{Rows, check_weights, with_mean_one};
use crate::table::Feature;
use crate::{Error, Result, Run};
use choose::{Chosen, Task};
use codes::Codes;
use ndarray::{ArrayRef2, Axis};
use split::Split;

impl Rules {
    /// Finds rules for each cluster.
    ///
    /// `rows` are n x features as boosted trees see them: NaN for a missing answer, which meets no comparison and no level,
    /// categories as numbers of their levels. `labels` has each row's cluster, the number of a name in `names`, or -1 for noise,
    /// which is in no cluster. Gives one entry for each name, in their order. A cluster has no rules where it has fewer than
    /// 5 rows to learn from or none to measure on, and where no condition makes its rows more frequent.
    ///
    /// The same bits at any number of threads and in any order of the rows. O(n x features), then for each of
    /// 1 + `resamples` runs six shallow trees a cluster on at most `max_rows` rows, and a search of
    /// O(`max_conditions` x 16 x `columns` x rows) for each of `max_rules` and each cluster. Memory: 2 bytes for each of these rows and each column
    /// used, the trees' bins, and 4 bytes for each row that one of the candidates of a cluster meets, at most 40 for each of
    /// `max_rules`.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting outside its range; [`Error::Shape`] when rows, labels, weights or features do not fit each
    /// other; [`Error::Label`] for a label that no name has; [`Error::Empty`]; [`Error::NotFinite`] for infinities;
    /// [`Error::Category`]; [`Error::Cancelled`].
    pub fn find(
        &self,
        rows: &ArrayRef2<f32>,
        labels: &[i32],
        names: &[impl AsRef<str>],
        weights: Option<&[f64]>,
        run: &Run,
    ) -> Result<Vec<ClusterRules>> {
        self.check()?;
        let table = Rows::with_missing(rows)?;
        check_count("labels, one for each row", table.len(), labels.len())?;
        if let Some(row) = labels.iter().position(|&label| label < -1 || label >= 0 && label as usize >= names.len()) {
            let reason = "must be -1 (noise) or the number of a cluster that has a name";
            return Err(Error::Label { row, label: labels[row].into(), reason });
        }
        let weights = match weights {
            Some(weights) => {
                check_weights(weights, table.len())?;
                with_mean_one(weights.to_vec())
            }
            None => vec![1.0; table.len()],
        };
        let features = self.features_of(table.columns())?;
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        let split = Split::of(&table, labels, &weights, names.len(), self.max_rows, run.key());
        let places: Vec<usize> = split.training.iter().map(|&row| row as usize).collect();
        let training = rows.select(Axis(0), &places);
        let codes = Codes::new(&training, &features, self.quantiles);
        let task = Task::new(self, &split, &codes, labels, &weights, names.len());
        let stage = run.stage("rules", 1 + self.resamples);
        let trees = columns::Trees::new(&training, &features, run)?;
        let all: Vec<u32> = (0..split.training.len() as u32).collect();
        let chosen = task.run(&all, &trees, run)?;
        stage.step(1)?;
        let mut returned: Vec<Vec<usize>> = chosen.iter().map(|own| vec![0; own.len()]).collect();
        for resample in 0..self.resamples {
            let part = split.half(resample, run.key());
            let again = task.run(&part, &trees, run)?;
            for ((counts, own), again) in returned.iter_mut().zip(&chosen).zip(&again) {
                for (count, rule) in counts.iter_mut().zip(own) {
                    *count += usize::from(again.iter().any(|other| rule.is_nearly_equal(other, &codes)));
                }
            }
            stage.step(2 + resample)?;
        }
        let found = |(k, own): (usize, &Vec<Chosen>)| {
            let share = |count: &usize| (self.resamples > 0).then(|| *count as f64 / self.resamples as f64);
            let rules = own.iter().zip(&returned[k]).map(|(rule, count)| {
                let conditions = rule.conditions(&codes, &features);
                Rule { conditions, precision: 0.0, recall: 0.0, lift: 0.0, rows: 0, returned: share(count) }
            });
            rule::measured(names[k], k, rules.collect(), &table, &split.held_out, labels, &weights)
        };
        run.install(|| chosen.iter().enumerate().map(found).collect())
    }

    /// What the columns mean.
    fn features_of(&self, columns: usize) -> Result<Vec<Feature>> {
        if self.features.is_empty() {
            return Ok(Feature::numbered(columns));
        }
        check_count("features of the schema or feature names, one for each column", columns, self.features.len())?;
        Ok(self.features.clone())
    }
}
