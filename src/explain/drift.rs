//! Whether new rows are still like those that a surrogate was fitted to.

use super::profile::{ColumnProfile, DataProfile};
use super::surrogate::{Decision, Surrogate};
use crate::core::shape::check_count;
use crate::core::{Rows, parallel};
use crate::table::{Table, UnseenLevels};
use crate::{Error, Result};
use ndarray::ArrayRef2;
use std::collections::{BTreeMap, BTreeSet};

/// Unseen levels that are named for each column.
const NAMED: usize = 10;

/// New rows against the fitted ones. Shares are of rows, 0 to 1.
///
/// The *population stability index* of two distributions over the same bins is Σ (now - then) ln(now / then), each share
/// with half a row added to each bin (N. Siddiqi, "Credit Risk Scorecards", 2006). By the rule of thumb of that field, below
/// 0.1 little has changed, above 0.25 much has; some ten rows are needed for each bin before it means anything.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Drift {
    /// New rows.
    pub rows: usize,
    /// Share of the new rows that were turned away.
    pub abstained: f64,
    /// The classes' shares of the assigned rows, by class.
    pub clusters: Vec<ClusterDrift>,
    /// Population stability index of these shares.
    pub clusters_psi: f64,
    /// The model's features, in their order.
    pub features: Vec<FeatureDrift>,
    /// Columns with levels that the fitted rows did not have.
    pub unseen: Vec<UnseenLevels>,
}

/// A class's share of the rows that have a class.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ClusterDrift {
    /// Name of the class.
    pub path: String,
    /// Among the fitted rows, by their labels.
    pub then: f64,
    /// Among the new rows that were not turned away.
    pub now: f64,
}

/// How a feature's values have moved.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct FeatureDrift {
    /// The feature's name, or its number where the model has no names.
    pub name: String,
    /// Population stability index over tenths of the fitted rows; missing values are a bin.
    pub psi: f64,
    /// Share of missing values among the fitted rows.
    pub missing_then: f64,
    /// Share of missing values among the new rows.
    pub missing_now: f64,
    /// Share of the new rows outside the fitted rows' least and greatest value.
    pub outside: f64,
}

/// Counts new rows for a [`Drift`], block by block. Everything is counted in whole rows, so that neither the order of
/// blocks nor their size changes the result.
///
/// ```
/// use ndarray::Array2;
/// use recluster::{Run, boost::Boost, explain::{Abstain, DriftWatch, Surrogate}};
/// let rows = Array2::from_shape_fn((400, 4), |(i, j)| (i % 2 * 50) as f32 + ((i * 7 + j * 11) % 13) as f32);
/// let labels: Vec<i32> = (0..400).map(|i| i % 2).collect();
/// let run = Run::new();
/// let surrogate = Surrogate::fit(&rows, &labels, vec!["0.0".into(), "0.1".into()], &Boost::new().rounds(20), &run)?;
/// let mut watch = DriftWatch::new(&surrogate);
/// let moved = rows.mapv(|x| x + 60.0);
/// watch.add(&moved, &surrogate.decide(&moved, Abstain::Never, &run)?)?;
/// let drift = watch.drift();
/// assert!(drift.features[0].psi > 1.0 && drift.features[0].outside > 0.5);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct DriftWatch<'a> {
    surrogate: &'a Surrogate,
    rows: usize,
    abstained: usize,
    assigned: Vec<usize>,
    features: Vec<Counts>,
    unseen: BTreeMap<String, (usize, BTreeSet<String>)>,
}

/// Counts of one feature.
#[derive(Clone, Debug)]
struct Counts {
    bins: Vec<usize>,
    missing: usize,
    outside: usize,
}

impl Counts {
    fn of(column: &ColumnProfile) -> Self {
        Counts { bins: vec![0; column.counts.len()], missing: 0, outside: 0 }
    }

    fn add(&mut self, other: &Counts) {
        self.bins.iter_mut().zip(&other.bins).for_each(|(sum, more)| *sum += more);
        self.missing += other.missing;
        self.outside += other.outside;
    }
}

impl<'a> DriftWatch<'a> {
    /// No rows yet.
    pub fn new(surrogate: &'a Surrogate) -> Self {
        let features = surrogate.profile().columns.iter().map(Counts::of).collect();
        let assigned = vec![0; surrogate.classes().len()];
        DriftWatch { surrogate, rows: 0, abstained: 0, assigned, features, unseen: BTreeMap::new() }
    }

    /// Adds rows, as the model sees them, and what was decided of them. O(rows x features).
    ///
    /// # Errors
    /// [`Error::Shape`] when there is not one decision for each row, or the columns are not the model's features;
    /// [`Error::Empty`]; [`Error::NotFinite`] for infinities.
    pub fn add(&mut self, rows: &ArrayRef2<f32>, decisions: &[Decision<'_>]) -> Result<()> {
        check_count("decisions, one for each row", rows.nrows(), decisions.len())?;
        let table = self.surrogate.model().check_rows(rows)?;
        self.count(&table, decisions)
    }

    /// Adds the rows of a table, by the surrogate's schema: also the levels that it does not know.
    ///
    /// # Errors
    /// [`Error::Setting`] for a surrogate without a schema; else those of [`add`](DriftWatch::add) and of
    /// [`Schema::encode`](crate::table::Schema::encode).
    pub fn add_table(&mut self, table: &Table, decisions: &[Decision<'_>]) -> Result<()> {
        let Some(schema) = self.surrogate.schema() else {
            return Err(Error::setting("schema", "none", "must be given to the surrogate by with_schema"));
        };
        self.add(&schema.encode(table)?, decisions)?;
        self.add_levels(table)
    }

    /// Adds the levels of a table's columns that the surrogate's schema does not know, and nothing else: for tables that
    /// were encoded already, beside [`add`](DriftWatch::add). Nothing without a schema.
    ///
    /// # Errors
    /// [`Error::Columns`] for a missing column.
    pub fn add_levels(&mut self, table: &Table) -> Result<()> {
        let Some(schema) = self.surrogate.schema() else { return Ok(()) };
        for found in schema.unseen_levels(table)? {
            let own = self.unseen.entry(found.column).or_default();
            own.0 += found.rows;
            own.1.extend(found.levels);
            while own.1.len() > NAMED {
                own.1.pop_last();
            }
        }
        Ok(())
    }

    fn count(&mut self, rows: &Rows<'_>, decisions: &[Decision<'_>]) -> Result<()> {
        for decision in decisions {
            match decision.assigned().map(|to| self.assigned.get_mut(to.class)) {
                Some(Some(count)) => *count += 1,
                Some(None) => {
                    return Err(Error::Label { row: 0, label: decision.best.class as i64, reason: "is no class" });
                }
                None => self.abstained += 1,
            }
        }
        self.rows += rows.len();
        let columns = &self.surrogate.profile().columns;
        let parts = parallel::map_ranges(rows.len(), 4096, |range| {
            let mut counts: Vec<Counts> = columns.iter().map(Counts::of).collect();
            for i in range {
                for ((counts, column), &x) in counts.iter_mut().zip(columns).zip(rows.row(i)) {
                    if x.is_nan() {
                        counts.missing += 1;
                        continue;
                    }
                    if let Some(count) = counts.bins.get_mut(column.bin(x)) {
                        *count += 1;
                    }
                    counts.outside += usize::from(!column.contains(x));
                }
            }
            counts
        });
        for part in parts {
            self.features.iter_mut().zip(&part).for_each(|(sum, more)| sum.add(more));
        }
        Ok(())
    }

    /// Adds what another watch of the same surrogate has counted.
    ///
    /// # Errors
    /// [`Error::Shape`] when it is of a surrogate with other classes or features.
    pub fn merge(&mut self, other: &DriftWatch<'_>) -> Result<()> {
        check_count("classes of both", self.assigned.len(), other.assigned.len())?;
        check_count("features of both", self.features.len(), other.features.len())?;
        for (own, other) in self.features.iter().zip(&other.features) {
            check_count("bins of both", own.bins.len(), other.bins.len())?;
        }
        self.rows += other.rows;
        self.abstained += other.abstained;
        self.assigned.iter_mut().zip(&other.assigned).for_each(|(sum, more)| *sum += more);
        self.features.iter_mut().zip(&other.features).for_each(|(sum, more)| sum.add(more));
        for (column, (rows, levels)) in &other.unseen {
            let own = self.unseen.entry(column.clone()).or_default();
            own.0 += rows;
            own.1.extend(levels.iter().cloned());
            while own.1.len() > NAMED {
                own.1.pop_last();
            }
        }
        Ok(())
    }

    /// The new rows so far against the fitted ones; all zeros without any.
    pub fn drift(&self) -> Drift {
        let DataProfile { classes, columns, .. } = self.surrogate.profile();
        let share = |count: usize, of: usize| if of == 0 { 0.0 } else { count as f64 / of as f64 };
        let (then, now) = (classes.iter().sum(), self.assigned.iter().sum());
        let cluster = |(k, path): (usize, &String)| ClusterDrift {
            path: path.clone(),
            then: share(classes[k], then),
            now: share(self.assigned[k], now),
        };
        let names = self.surrogate.model().feature_names();
        let feature = |(f, (counts, column)): (usize, (&Counts, &ColumnProfile))| {
            let with_missing = |bins: &[usize], missing: usize| [bins, &[missing]].concat();
            let fitted: usize = column.counts.iter().sum::<usize>() + column.missing;
            FeatureDrift {
                name: names.map_or_else(|| f.to_string(), |names| names[f].clone()),
                psi: stability(
                    &with_missing(&column.counts, column.missing),
                    &with_missing(&counts.bins, counts.missing),
                ),
                missing_then: share(column.missing, fitted),
                missing_now: share(counts.missing, self.rows),
                outside: share(counts.outside, self.rows),
            }
        };
        let unseen = |(column, (rows, levels)): (&String, &(usize, BTreeSet<String>))| UnseenLevels {
            column: column.clone(),
            rows: *rows,
            levels: levels.iter().cloned().collect(),
        };
        Drift {
            rows: self.rows,
            abstained: share(self.abstained, self.rows),
            clusters: self.surrogate.classes().iter().enumerate().map(cluster).collect(),
            clusters_psi: stability(classes, &self.assigned),
            features: self.features.iter().zip(columns).enumerate().map(feature).collect(),
            unseen: self.unseen.iter().map(unseen).collect(),
        }
    }
}

/// The population stability index of counts in the same bins; 0 where either has none.
fn stability(then: &[usize], now: &[usize]) -> f64 {
    let (before, after) = (then.iter().sum::<usize>() as f64, now.iter().sum::<usize>() as f64);
    if before == 0.0 || after == 0.0 {
        return 0.0;
    }
    let halves = 0.5 * then.len() as f64;
    let parts = then.iter().zip(now).map(|(&then, &now)| {
        let (then, now) = ((then as f64 + 0.5) / (before + halves), (now as f64 + 0.5) / (after + halves));
        (now - then) * libm::log(now / then)
    });
    parts.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_that_of_the_formula() {
        // By hand: shares .5 and .5 against .2 and .8, in so many rows that half a row is nothing.
        let index = stability(&[500_000_000, 500_000_000], &[200_000_000, 800_000_000]);
        assert!((index - (-0.3 * (0.4f64).ln() + 0.3 * (1.6f64).ln())).abs() < 1e-6, "{index}");
        assert_eq!((stability(&[3, 4], &[3, 4]), stability(&[1], &[0])), (0.0, 0.0));
        assert!(stability(&[10, 0], &[0, 10]).is_finite());
    }
}
