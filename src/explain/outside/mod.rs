//! Outside variables: columns that did not shape the clusters, described and tested cluster by cluster.

mod groups;
mod variable;

use crate::core::shape::check_count;
use crate::core::{Canonical, Rows, check_weights, parallel, with_mean_one};
use crate::table::Schema;
use crate::{Error, Result, Run};
use groups::Groups;
use ndarray::ArrayRef2;

/// How outside variables, columns that did **not** shape the clusters, differ between them: shares and means with intervals,
/// and tests with control of false discoveries.
///
/// # What is tested
/// For each variable whether it differs between the clusters at all. Levels, flags and single answers: Pearson's chi-square
/// test of clusters x levels, rare levels counted together until at most a fifth of the expected counts is below 5 (Cochran,
/// "Some methods for strengthening the common χ² tests", Biometrics 1954). Numbers, dates and ordinals: the rank test of
/// Kruskal and Wallis ("Use of ranks in one-criterion variance analysis", JASA 1952), corrected for ties. The p-values of all
/// variables are adjusted together, whatever their dependence (Benjamini and Yekutieli, "The control of the false discovery
/// rate in multiple testing under dependency", Annals of Statistics 2001), and those up to [`fdr`](Outside::fdr) differ.
///
/// Within a variable that differs, each cell (one level or the mean, in one cluster) is tested against the rows of all other
/// clusters, and adjusted for the variable's cells (Benjamini and Hochberg, "Controlling the false discovery rate", JRSS B
/// 1995) and for the selection of the variable (Benjamini and Bogomolov, "Selective
/// inference on multiple families of hypotheses", JRSS B 2014).
///
/// **Do not give it columns that the clusters were made from**: clusters differ in those because they were chosen to, and such a
/// test is significant in a table without any structure.
///
/// # Intervals and weights
/// 95 % intervals: Wilson's of shares ("Probable inference", JASA 1927), the normal one of means. With weights, shares, means,
/// medians and ranks are weighted, and intervals and tests count w rows as (Σw)² / Σw² (Kish, "Survey Sampling", 1965).
/// Cells of fewer rows than [`least_rows`](Outside::least_rows) are suppressed, and such clusters are left out of the tests.
///
/// # Cost
/// O(rows x variables), and a sort of each column of numbers; memory for the table once more.
///
/// ```
/// use recluster::table::{Column, Role, Schema, Table, Values};
/// use recluster::{Run, explain::Outside};
/// let age = (0..600).map(|i| f64::from(20 + i % 3 * 15 + i * 7 % 11));
/// let country = (0..600).map(|i| Some(["PT", "NL"][i / 3 % 2]));
/// let table = Table::new(vec![Column::new("age", Values::numbers(age)), Column::new("country", Values::words(country))])?;
/// let outside = Schema::infer(&table).with_role(Role::Profile, &["age", "country"])?.profiles().unwrap();
/// let clusters: Vec<i32> = (0..600).map(|i| i % 3).collect();
///
/// let found = Outside::new().of(&outside, &outside.encode(&table)?, &clusters, None, &Run::new())?;
/// assert_eq!((found[0].name.as_str(), found[0].differs, found[1].differs), ("age", true, false));
/// let mean = &found[0].parts[0];
/// assert!(mean.cells[0].differs && mean.cells[0].estimate.unwrap() < mean.all.unwrap());
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use]
pub struct Outside {
    fdr: f64,
    least_rows: usize,
}

impl Default for Outside {
    fn default() -> Self {
        Outside { fdr: 0.05, least_rows: 10 }
    }
}

/// One outside variable.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct OutsideVariable {
    /// Name of the feature: the column's, or for one of several answers `column: answer`.
    pub name: String,
    /// Rows that have a value, noise included.
    pub rows: usize,
    /// How the clusters were compared; none where fewer than two of them have rows enough, or all rows have one value.
    pub test: Option<OutsideTest>,
    /// p-value of the test, adjusted for the number of variables: the variable differs where it is at most the false discovery
    /// rate.
    pub q_value: Option<f64>,
    /// Whether it differs between the clusters.
    pub differs: bool,
    /// Its mean and median, or the shares of its levels, and the share of missing values where there are any.
    pub parts: Vec<OutsidePart>,
}

/// A test of one variable against the clusters.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct OutsideTest {
    /// Which test.
    pub kind: OutsideTestKind,
    /// Its chi-square statistic.
    pub statistic: f64,
    /// Degrees of freedom.
    pub degrees: usize,
    /// The probability of so large a statistic where nothing differs.
    pub p_value: f64,
    /// Size of the effect, in 0 to 1: of levels Cramér's V, of ranks the share of the variance of ranks that is between the
    /// clusters (η²).
    pub effect: f64,
}

/// A kind of test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum OutsideTestKind {
    /// Pearson's chi-square test.
    ChiSquare,
    /// The test of Kruskal and Wallis.
    KruskalWallis,
}

/// What a part of a variable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum OutsideMeasure {
    /// The mean of the values, tested by ranks.
    Mean,
    /// Their median; not tested.
    Median,
    /// The share of a level among the rows that have a value, of an ordinal tested by all its levels' ranks at once.
    Share,
    /// The share of rows without a value; not tested.
    Missing,
}

/// One figure of a variable, in all rows and in each cluster.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct OutsidePart {
    /// What it is.
    pub measure: OutsideMeasure,
    /// The level, for shares; of a flag "yes".
    pub level: Option<String>,
    /// The figure in all rows, noise included; none where no row has a value.
    pub all: Option<f64>,
    /// One for each cluster, by number.
    pub cells: Vec<OutsideCell>,
}

/// A figure in one cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct OutsideCell {
    /// Rows that it rests on.
    pub rows: usize,
    /// As how many rows of equal weight they count; their number without weights.
    pub effective_rows: f64,
    /// The mean, the median, or the share, in 0 to 1; none where it is suppressed.
    pub estimate: Option<f64>,
    /// Its 95 % interval; none of a median.
    pub interval: Option<[f64; 2]>,
    /// 100 times the share over that in all rows; none of means and medians.
    pub index: Option<f64>,
    /// p-value against the rows of all other clusters, adjusted for the variable's cells and for its selection: at most the
    /// false discovery rate where the cell differs. None where it was not tested, or the variable does not differ.
    pub q_value: Option<f64>,
    /// Whether it differs from the other clusters.
    pub differs: bool,
}

impl Outside {
    /// A false discovery rate of .05, and cells of ten rows and more.
    pub fn new() -> Self {
        Outside::default()
    }

    /// Sets the false discovery rate, above 0 and below 1: the expected share of false ones among the variables that are said to
    /// differ; default 0.05.
    pub fn fdr(mut self, rate: f64) -> Self {
        self.fdr = rate;
        self
    }

    /// Sets the least rows of a cell, 2 at least; fewer are suppressed. Default 10.
    pub fn least_rows(mut self, rows: usize) -> Self {
        self.least_rows = rows;
        self
    }

    /// Describes and tests the columns of `values` (n x features of `schema`, as [`Schema::encode`] makes them) by clusters:
    /// `labels` has one for each row, -1 for noise; `weights` one for each row if there are any. The same bits for any order
    /// of the rows.
    ///
    /// # Errors
    /// [`Error::Setting`], also for weights that are not positive; [`Error::Shape`] for tables that do not fit together; [`Error::Label`] for a label below -1;
    /// [`Error::Empty`]; [`Error::NotFinite`] for infinities.
    pub fn of(
        &self,
        schema: &Schema,
        values: &ArrayRef2<f32>,
        labels: &[i32],
        weights: Option<&[f64]>,
        run: &Run,
    ) -> Result<Vec<OutsideVariable>> {
        self.check()?;
        let rows = Rows::with_missing(values)?;
        check_count("columns, as many as the schema has features", schema.features().len(), values.ncols())?;
        check_count("labels, one for each row", rows.len(), labels.len())?;
        let most = rows.len().max(1 << 16) as i64;
        if let Some(row) = labels.iter().position(|&label| label < -1 || i64::from(label) >= most) {
            let reason = "must be -1 (noise) or a cluster's number, below 65,536 or the number of rows";
            return Err(Error::Label { row, label: labels[row].into(), reason });
        }
        if let Some(weights) = weights {
            check_weights(weights, rows.len())?;
        }
        let clusters = labels.iter().copied().max().map_or(0, |most| (most + 1) as usize);
        let weights = weights.map(|weights| with_mean_one(weights.to_vec()));
        let order = {
            let mut canonical = Canonical::of(&rows);
            weights.iter().for_each(|weights| canonical.order_equal_rows(weights));
            canonical.order
        };
        let features: Vec<_> = schema.features().into_iter().collect();
        let stage = run.stage("outside variables", features.len());
        let mut variables = run.install(|| {
            parallel::map(features.len(), |column| {
                stage.check()?;
                let groups = Groups::of(&rows, column, &order, labels, clusters, weights.as_deref());
                Ok(variable::of(&features[column], groups, self.least_rows))
            })
        })?;
        let mut variables = variables.drain(..).collect::<Result<Vec<_>>>()?;
        self.adjust(&mut variables);
        Ok(variables)
    }

    fn check(&self) -> Result<()> {
        if !(self.fdr > 0.0 && self.fdr < 1.0) {
            return Err(Error::setting("fdr", self.fdr, "must be above 0 and below 1"));
        }
        if self.least_rows < 2 {
            return Err(Error::setting("least_rows", self.least_rows, "must be 2 or more"));
        }
        Ok(())
    }

    /// Adjusts the p-values of variables together, then those of the cells of each that differs; cells come with their own
    /// p-values as q-values.
    fn adjust(&self, variables: &mut [OutsideVariable]) {
        let tested: Vec<usize> = (0..variables.len()).filter(|&v| variables[v].test.is_some()).collect();
        let p_values: Vec<f64> = tested.iter().filter_map(|&v| variables[v].test.map(|test| test.p_value)).collect();
        // Columns of one table depend on each other in any way: age on income, one answer on another.
        let dependence: f64 = (1..=tested.len()).map(|i| 1.0 / i as f64).sum();
        for (&v, q) in tested.iter().zip(adjusted(&p_values)) {
            let q = (q * dependence).min(1.0);
            (variables[v].q_value, variables[v].differs) = (Some(q), q <= self.fdr);
        }
        let selected = variables.iter().filter(|variable| variable.differs).count();
        let factor = tested.len() as f64 / selected.max(1) as f64;
        for variable in variables.iter_mut() {
            let differs = variable.differs;
            let mut cells: Vec<&mut OutsideCell> = variable
                .parts
                .iter_mut()
                .flat_map(|part| &mut part.cells)
                .filter(|cell| cell.q_value.is_some())
                .collect();
            let p_values: Vec<f64> = cells.iter().filter_map(|cell| cell.q_value).collect();
            for (cell, q) in cells.iter_mut().zip(adjusted(&p_values)) {
                let q = (q * factor).min(1.0);
                cell.q_value = differs.then_some(q);
                cell.differs = differs && q <= self.fdr;
            }
        }
    }
}

/// p-values adjusted by Benjamini and Hochberg: each the least false discovery rate at which it would pass.
fn adjusted(p_values: &[f64]) -> Vec<f64> {
    let count = p_values.len();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| p_values[b].total_cmp(&p_values[a]));
    let (mut least, mut adjusted) = (1.0f64, vec![1.0; count]);
    for (place, &i) in order.iter().enumerate() {
        least = least.min(p_values[i] * count as f64 / (count - place) as f64);
        adjusted[i] = least;
    }
    adjusted
}
