//! The settings of rules.

use crate::explain::Surrogate;
use crate::table::{Feature, Schema};
use crate::{Error, Result};

/// Finds rules that say what each cluster is; see [`Rules::find`].
///
/// ```
/// use ndarray::Array2;
/// use recluster::{Run, explain::Rules};
///
/// // Two clusters: the second has high values in the first column.
/// let rows = Array2::from_shape_fn((300, 2), |(i, j)| if j == 0 { (i / 150 * 50 + i % 40) as f32 } else { (i * 37 % 97) as f32 });
/// let labels: Vec<i32> = (0..300).map(|i| i / 150).collect();
/// let found = Rules::new()
///     .feature_names(["visits", "age"])
///     .find(&rows, &labels, &["0.0", "0.1"], None, &Run::new())?;
/// let rule = &found[1].rules[0];
/// assert_eq!(rule.conditions[0].name, "visits");
/// assert!(rule.precision > 0.9 && rule.recall > 0.9);
/// println!("{}", found[1]);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Rules {
    pub(super) max_conditions: usize,
    pub(super) max_rules: usize,
    pub(super) coverage: f64,
    pub(super) quantiles: usize,
    pub(super) resamples: usize,
    pub(super) max_rows: usize,
    pub(super) columns: usize,
    /// Empty where nothing is said of the columns.
    pub(super) features: Vec<Feature>,
}

impl Default for Rules {
    fn default() -> Self {
        Rules::new()
    }
}

impl Rules {
    /// The defaults: at most three rules of at most four conditions, thresholds at deciles, 10 resamples.
    pub fn new() -> Self {
        Rules {
            max_conditions: 4,
            max_rules: 3,
            coverage: 0.6,
            quantiles: 10,
            resamples: 10,
            max_rows: 20_000,
            columns: 24,
            features: Vec::new(),
        }
    }

    /// Conditions of a rule at most, a range with both ends counting as two; 1 to 6, default 4. Those beyond the third are
    /// there only where they add much.
    pub fn max_conditions(mut self, conditions: usize) -> Self {
        self.max_conditions = conditions;
        self
    }

    /// Rules of a cluster at most; 1 to 20, default 3.
    pub fn max_rules(mut self, rules: usize) -> Self {
        self.max_rules = rules;
        self
    }

    /// Share of a cluster's rows that its rules should cover together: less of it costs score, more of it gains little;
    /// 0 to 1, default 0.6.
    pub fn coverage(mut self, share: f64) -> Self {
        self.coverage = share;
        self
    }

    /// Thresholds lie at the quantiles of this many equal parts, at half a part from both ends, and at each value of a column
    /// of few; 2 to 100, default 10 (deciles). Where more than half of a column's values are the same, such as 0, the
    /// quantiles are those of the others.
    pub fn quantiles(mut self, parts: usize) -> Self {
        self.quantiles = parts;
        self
    }

    /// Resamples over which it is counted how often a rule comes back, each a half of the rows that rules are found on; at
    /// most 1,000, default 10. Time grows with them; with 0 it is not counted.
    pub fn resamples(mut self, resamples: usize) -> Self {
        self.resamples = resamples;
        self
    }

    /// Rows that rules are found on at most, drawn from two thirds of all; at least 100, default 20,000. Rules are measured on
    /// all rows of the third that is held out.
    pub fn max_rows(mut self, rows: usize) -> Self {
        self.max_rows = rows;
        self
    }

    /// Columns that a cluster's rules are made of at most: those of the highest gain in shallow boosted trees that tell it
    /// from all other rows; 1 to 1,000, default 24.
    pub fn columns(mut self, columns: usize) -> Self {
        self.columns = columns;
        self
    }

    /// Says what the columns mean: `schema` is that by which the rows were [encoded](Schema::encode). Categories and flags then
    /// have conditions on levels, and all conditions are in the table's words.
    pub fn schema(mut self, schema: &Schema) -> Self {
        self.features = schema.features();
        self
    }

    /// Takes what the columns are called and mean from a surrogate that knows: its [schema](Surrogate::schema), else its
    /// [names](crate::boost::BoostModel::feature_names). Replaces a schema and names.
    pub fn columns_of(self, surrogate: &Surrogate) -> Self {
        match (surrogate.schema(), surrogate.model().feature_names()) {
            (Some(schema), _) => self.schema(schema),
            (None, names) => self.feature_names(names.unwrap_or_default()),
        }
    }

    /// Names of the columns, which are numbers; by default "column 1", "column 2" and so on. Replaces a schema.
    pub fn feature_names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.features = names.into_iter().map(|name| Feature::number(name.into())).collect();
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        let counts = [
            ("max_conditions", self.max_conditions, 1, 6, "must be from 1 to 6"),
            ("max_rules", self.max_rules, 1, 20, "must be from 1 to 20"),
            ("quantiles", self.quantiles, 2, 100, "must be from 2 to 100"),
            ("resamples", self.resamples, 0, 1000, "must be at most 1000"),
            ("max_rows", self.max_rows, 100, usize::MAX, "must be at least 100"),
            ("columns", self.columns, 1, 1000, "must be from 1 to 1000"),
        ];
        for (name, value, least, most, allowed) in counts {
            if !(least..=most).contains(&value) {
                return Err(Error::setting(name, value, allowed));
            }
        }
        if !(0.0..=1.0).contains(&self.coverage) {
            return Err(Error::setting("coverage", self.coverage, "must be between 0 and 1"));
        }
        Ok(())
    }
}
