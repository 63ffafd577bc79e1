//! Rules as plain data, and in words.

use crate::core::{Rows, percent};
use crate::table::{Feature, RangeWords};
use std::fmt;

/// What a condition asks of a column's value. A missing answer meets none but [`Criterion::Missing`].
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Criterion {
    /// A number, or the number of an ordinal's level, within these ends; at least one of them is there.
    Range {
        /// The least number that meets it.
        at_least: Option<f64>,
        /// The least number that is too high.
        below: Option<f64>,
    },
    /// One of these levels, by number, ascending.
    Is(Vec<u32>),
    /// A level, but not this one.
    IsNot(u32),
    /// No answer.
    Missing,
    /// Any answer.
    NotMissing,
}

impl Criterion {
    /// Whether a value meets it.
    pub fn holds(&self, value: f32) -> bool {
        let number = f64::from(value);
        match self {
            Criterion::Missing => value.is_nan(),
            _ if value.is_nan() => false,
            Criterion::Range { at_least, below } => {
                at_least.is_none_or(|least| number >= least) && below.is_none_or(|most| number < most)
            }
            Criterion::Is(levels) => levels.iter().any(|&level| level_of(value) == Some(level)),
            Criterion::IsNot(level) => level_of(value).is_some_and(|own| own != *level),
            Criterion::NotMissing => true,
        }
    }
}

/// The number of a value's level.
fn level_of(value: f32) -> Option<u32> {
    (value >= 0.0 && value < u32::MAX as f32).then_some(value as u32)
}

/// One condition of a rule.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Condition {
    /// Number of the column.
    pub column: usize,
    /// Its name.
    pub name: String,
    /// What it asks.
    pub criterion: Criterion,
    /// The whole in words: "tenure at least 41", "contract is two years".
    pub words: String,
}

impl Condition {
    pub(super) fn new(column: usize, feature: &Feature, criterion: Criterion) -> Self {
        let words = format!("{} {}", feature.name(), criterion.phrase(feature));
        Condition { column, name: feature.name().to_string(), criterion, words }
    }
}

/// What stands behind a column's name, its values in words.
pub(crate) enum Phrase {
    Range(RangeWords),
    Is(Vec<String>),
    IsNot(String),
    Missing,
    NotMissing,
}

impl Criterion {
    /// The criterion with the values of a feature.
    pub(crate) fn phrase(&self, feature: &Feature) -> Phrase {
        match self {
            Criterion::Range { at_least, below } => Phrase::Range(feature.range_in_words(*at_least, *below)),
            Criterion::Is(levels) => Phrase::Is(levels.iter().map(|&level| feature.words(level.into())).collect()),
            Criterion::IsNot(level) => Phrase::IsNot(feature.words((*level).into())),
            Criterion::Missing => Phrase::Missing,
            Criterion::NotMissing => Phrase::NotMissing,
        }
    }
}

/// In English.
impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Phrase::Range(range) => range.fmt(f),
            Phrase::Is(names) => match &names[..] {
                [all @ .., last] if !all.is_empty() => write!(f, "is {} or {last}", all.join(", ")),
                _ => write!(f, "is {}", names.concat()),
            },
            Phrase::IsNot(name) => write!(f, "is not {name}"),
            Phrase::Missing => f.write_str("is missing"),
            Phrase::NotMissing => f.write_str("is not missing"),
        }
    }
}

/// A rule: conditions that hold together, and how well they say which rows are in the cluster. All figures but `returned` are
/// of rows that were held out: neither the rule nor its candidates saw them.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Rule {
    /// At least one, in the order of columns, each on another column.
    pub conditions: Vec<Condition>,
    /// Share of the rows that meet the rule that are in the cluster, in 0 to 1 (by weight, where there are weights); 0 where
    /// no row meets it.
    pub precision: f64,
    /// Share of the cluster's rows that meet the rule, its coverage, in 0 to 1.
    pub recall: f64,
    /// How many times more frequent the cluster is among the rows that meet the rule than among all.
    pub lift: f64,
    /// Number of held-out rows that meet the rule.
    pub rows: usize,
    /// Share of the resamples in which a search from the start found this rule: the same columns and directions, thresholds at
    /// most one quantile away. None without resamples.
    pub returned: Option<f64>,
}

impl Rule {
    /// Whether a row, as boosted trees see it, meets all conditions; a column that the row lacks is missing.
    pub fn holds(&self, row: &[f32]) -> bool {
        let value = |condition: &Condition| row.get(condition.column).copied().unwrap_or(f32::NAN);
        self.conditions.iter().all(|condition| condition.criterion.holds(value(condition)))
    }
}

impl fmt::Display for Rule {
    /// The conditions, then the figures.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.conditions.iter().map(|condition| condition.words.as_str()).collect();
        write!(f, "{}: {} of such rows are in the cluster, ", words.join(" and "), percent(self.precision))?;
        write!(f, "and {} of the cluster's rows are such", percent(self.recall))?;
        match self.returned {
            Some(share) => write!(f, "; found again in {} of resamples", percent(share)),
            None => Ok(()),
        }
    }
}

/// The rules of one cluster.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ClusterRules {
    /// The cluster's name.
    pub name: String,
    /// Its rules, chosen together, the one that most of its training rows meet first. Empty where no rule was found.
    pub rules: Vec<Rule>,
    /// Share of the held-out rows that meet at least one rule that are in the cluster; 0 where there are none.
    pub precision: f64,
    /// Share of the cluster's held-out rows that meet at least one rule.
    pub recall: f64,
    /// Number of the cluster's held-out rows.
    pub rows: usize,
    /// The cluster's share of all held-out rows, in 0 to 1.
    pub share: f64,
}

impl fmt::Display for ClusterRules {
    /// A line for the cluster, then one for each rule.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rules[..] {
            [] => write!(f, "{}: no rule", self.name),
            [one] => write!(f, "{}: {one}", self.name),
            several => {
                write!(f, "{}: {} rules, ", self.name, several.len())?;
                write!(f, "together of precision {} and coverage {}", percent(self.precision), percent(self.recall))?;
                several.iter().try_for_each(|rule| write!(f, "\n  {rule}"))
            }
        }
    }
}

/// A cluster's rules with figures of held-out rows, which stand in canonical order.
pub(super) fn measured(
    name: &str,
    cluster: usize,
    mut rules: Vec<Rule>,
    table: &Rows<'_>,
    held_out: &[u32],
    labels: &[i32],
    weights: &[f64],
) -> ClusterRules {
    let (mut own, mut all, mut rows) = (0.0, 0.0, 0);
    let mut met = vec![(0.0, 0.0); rules.len()];
    let mut union = (0.0, 0.0);
    for &row in held_out {
        let (values, weight) = (table.row(row as usize), weights[row as usize]);
        let is = labels[row as usize] == cluster as i32;
        let part = if is { weight } else { 0.0 };
        (own, all, rows) = (own + part, all + weight, rows + usize::from(is));
        let mut any = false;
        for (rule, met) in rules.iter_mut().zip(&mut met) {
            if rule.holds(values) {
                *met = (met.0 + part, met.1 + weight);
                (rule.rows, any) = (rule.rows + 1, true);
            }
        }
        if any {
            union = (union.0 + part, union.1 + weight);
        }
    }
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    let of_all = share(own, all);
    for (rule, (hits, met)) in rules.iter_mut().zip(met) {
        rule.precision = share(hits, met);
        rule.recall = share(hits, own);
        rule.lift = share(rule.precision, of_all);
    }
    if rows == 0 {
        rules.clear();
    }
    let (precision, recall) = (share(union.0, union.1), share(union.0, own));
    ClusterRules { name: name.to_string(), rules, precision, recall, rows, share: of_all }
}
