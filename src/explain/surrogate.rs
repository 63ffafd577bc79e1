//! The surrogate: a boosted one-versus-rest model of the clustering.

use super::TreeShap;
use super::abstain::{Abstain, Selectivity};
use super::guard::Guard;
use super::prepared::Prepared;
use super::profile::DataProfile;
use crate::boost::{Boost, BoostModel, confidence_of};
use crate::core::shape::check_count;
use crate::core::{AnyTable, Cached, check_weights, parallel, with_mean_one};
use crate::table::{Schema, Table};
use crate::{Error, Explainer, Explanation, Result, Run, SparseRows};
#[cfg(feature = "serde")]
use crate::{boost::Link, core::checks};
use ndarray::{Array2, ArrayRef2};
use std::ops::Range;

/// Rows that are ranked together.
const PIECE: usize = 1024;

/// A model that assigns rows to classes, with a confidence and an explanation.
///
/// One binary booster for each class (the leaves of a tree) against all other rows. It needs neither embedder nor clusterer
/// to assign new rows.
///
/// Rows in no class, the noise of the clustering, are negatives of each booster, and so are shuffled rows where
/// [`Boost::shuffled_rows`] asks for them. So a row that is unlike all classes gets a low confidence, and
/// [`decide`](Surrogate::decide) can turn it away. A [`Guard`], for which [`Boost::guard_rows`] asks, tells such rows better and
/// leaves the model as it is.
///
/// Its agreement with the clustering is its *fidelity*. Fidelity is no evidence that the clusters are real: two halves of
/// one Gaussian can be learnt perfectly too.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use]
pub struct Surrogate {
    classes: Vec<String>,
    /// The names that people gave the classes; empty as long as none has one.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    names: Vec<String>,
    model: BoostModel,
    /// How a table becomes the model's features.
    #[cfg_attr(feature = "serde", serde(default))]
    schema: Option<Schema>,
    /// The schema's digest, 0 without one.
    #[cfg_attr(feature = "serde", serde(default))]
    digest: u64,
    /// What thresholds on confidence cost and gain.
    selectivity: Selectivity,
    /// The model that says which rows to turn away, where there is one.
    #[cfg_attr(feature = "serde", serde(default))]
    guard: Option<Guard>,
    /// The fitted rows in brief.
    profile: DataProfile,
    /// The trees prepared for SHAP.
    #[cfg_attr(feature = "serde", serde(skip))]
    paths: Cached<Vec<Prepared>>,
}

/// The class that the surrogate assigns to a row.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Assignment<'a> {
    /// Number of the class.
    pub class: usize,
    /// Name of the class: for a tree's surrogate the path of the leaf.
    pub path: &'a str,
    /// The name that people gave the class, by [`Surrogate::set_name`] or in the tree; empty without one.
    pub name: &'a str,
    /// The class's probability in 0 to 1, among all classes and none of them: e^u / (1 + Σ e^u_j) of the row's calibrated
    /// margins u. It is calibrated for rows that the model was not trained on, and low where every class's model rejects the
    /// row.
    pub confidence: f64,
}

/// What the surrogate makes of a row, and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Decision<'a> {
    /// The most probable class, as [`Surrogate::assign`] gives it, whether or not the row is turned away.
    pub best: Assignment<'a>,
    /// The second most probable class; None where there is one class only.
    pub runner_up: Option<Assignment<'a>>,
    /// How sure it is that the row belongs to a known class, 0 to 1: the confidence of the best class, or where there is a
    /// [`Guard`] what that says.
    pub sureness: f64,
    /// Whether the row is turned away: its sureness is below the threshold.
    pub abstained: bool,
}

impl<'a> Decision<'a> {
    /// The class, unless the row is turned away.
    pub fn assigned(&self) -> Option<Assignment<'a>> {
        (!self.abstained).then_some(self.best)
    }
}

impl Surrogate {
    /// Trains on `data` (rows x columns, NaN for missing) and `labels`: for each row the number of its class in
    /// `classes`, or -1 for a row of no class, such as noise.
    ///
    /// The model is always calibrated by cross-fitting, whatever the setting [`Boost::calibrated`]. Where there are too
    /// few rows for that, the run gets a note, and `model().calibration()` has 0 rows.
    ///
    /// Cost: two training calls of [`Boost`] with as many outputs as classes; four for fewer than 200 rows a class in a
    /// third of the rows; with a guard eight.
    ///
    /// # Errors
    /// Those of [`Boost::fit`], and [`Error::Label`] when a class has no row or a label no class.
    pub fn fit(data: &ArrayRef2<f32>, labels: &[i32], classes: Vec<String>, boost: &Boost, run: &Run) -> Result<Self> {
        Ok(Self::train(AnyTable::Dense(data), labels, classes, None, false, boost, run)?.0)
    }

    /// As [`Surrogate::fit`] and [`Surrogate::fit_weighted`], of sparse rows: the surrogate, to the bit, of the dense table. See
    /// [`Boost::fit_sparse`]; new rows may be sparse or dense.
    ///
    /// # Errors
    /// Those of [`Surrogate::fit_weighted`].
    pub fn fit_sparse(
        rows: &SparseRows,
        labels: &[i32],
        classes: Vec<String>,
        weights: Option<&[f64]>,
        boost: &Boost,
        run: &Run,
    ) -> Result<Self> {
        Ok(Self::train(AnyTable::Sparse(rows), labels, classes, weights, false, boost, run)?.0)
    }

    /// As [`Surrogate::fit`], with row i standing for `weights[i]` rows of the population; see [`Boost::fit_weighted`].
    /// Weights are scaled to a mean of 1, so that settings in units of weight keep their meaning.
    ///
    /// # Errors
    /// Those of [`Surrogate::fit`]; [`Error::Shape`] unless there is a weight for each row; [`Error::Setting`] for a weight
    /// that is not finite or not above 0.
    pub fn fit_weighted(
        data: &ArrayRef2<f32>,
        labels: &[i32],
        classes: Vec<String>,
        weights: &[f64],
        boost: &Boost,
        run: &Run,
    ) -> Result<Self> {
        Ok(Self::train(AnyTable::Dense(data), labels, classes, Some(weights), false, boost, run)?.0)
    }

    /// As [`Surrogate::fit`], or [`fit_weighted`](Surrogate::fit_weighted), with the confidences (rows x classes) that models
    /// give to rows that they were not trained on, rows of noise too: what [`Fidelity::of`](super::Fidelity::of) takes. Rows
    /// that could not be held out are NaN. See [`Boost::fit_out_of_fold`], also for the cost.
    ///
    /// # Errors
    /// Those of [`Surrogate::fit_weighted`].
    pub fn fit_out_of_fold(
        data: &ArrayRef2<f32>,
        labels: &[i32],
        classes: Vec<String>,
        weights: Option<&[f64]>,
        boost: &Boost,
        run: &Run,
    ) -> Result<(Self, Array2<f64>)> {
        let (surrogate, margins) = Self::train(AnyTable::Dense(data), labels, classes, weights, true, boost, run)?;
        let shares = super::fidelity::shares(margins, surrogate.classes.len());
        Ok((surrogate, shares))
    }

    fn train(
        data: AnyTable<'_>,
        labels: &[i32],
        classes: Vec<String>,
        weights: Option<&[f64]>,
        out_of_fold: bool,
        boost: &Boost,
        run: &Run,
    ) -> Result<(Self, Array2<f64>)> {
        let weights = narrow(weights, data.dim().0)?;
        if let Some(twice) = (1..classes.len()).find(|&k| classes[..k].contains(&classes[k])) {
            return Err(Error::setting("classes", &classes[twice], "must not be the name of two classes"));
        }
        let mut seen = vec![false; classes.len()];
        for (row, &label) in labels.iter().enumerate().filter(|(_, label)| **label >= 0) {
            match seen.get_mut(label as usize) {
                Some(seen) => *seen = true,
                None => {
                    return Err(Error::Label { row, label: label.into(), reason: "there is no class of this number" });
                }
            }
        }
        if let Some(missing) = seen.iter().position(|seen| !seen) {
            return Err(Error::Label { row: 0, label: missing as i64, reason: "the class of this number has no row" });
        }
        if classes.len() == 1 {
            run.note(&format!("there is one class, \"{}\": every row is assigned to it", classes[0]));
        }
        let guarded = boost.guard_rows > 0.0;
        let all = out_of_fold || guarded;
        let (model, margins, held_out, guard, profile) = data.with_missing(|rows| {
            let (model, margins, held_out) = boost.fit_open_set(rows, labels, weights.as_deref(), all, false, run)?;
            let guard = match guarded {
                true => Guard::train(rows, labels, weights.as_deref(), &margins, boost, run)?,
                false => None,
            };
            let profile = run.install(|| DataProfile::of(rows, labels, classes.len()))?;
            Ok((model, margins, held_out, guard, profile))
        })?;
        let selectivity = Selectivity::of(held_out);
        let surrogate = Surrogate {
            model,
            classes,
            names: Vec::new(),
            schema: None,
            digest: 0,
            selectivity,
            guard,
            profile,
            paths: Cached::default(),
        };
        Ok((surrogate, margins))
    }

    /// Names the columns, for charts and files, and to match the columns of later tables: see
    /// [`arranged`](BoostModel::arranged).
    ///
    /// # Errors
    /// Those of [`BoostModel::with_feature_names`].
    pub fn with_feature_names(mut self, names: Vec<String>) -> Result<Self> {
        self.model = self.model.with_feature_names(names)?;
        Ok(self)
    }

    /// Keeps the schema that [encoded](Schema::encode) the data, so that later tables can be assigned by
    /// [`assign_table`](Surrogate::assign_table), here or from a saved file. Names the columns, too.
    ///
    /// # Errors
    /// [`Error::Shape`] when the schema has another number of features than the model; [`Error::Setting`] where the model has
    /// other names for them, and where it splits a column of categories as if they were numbers: train it with
    /// [`Boost::categorical`] and [`Schema::categorical`].
    pub fn with_schema(mut self, schema: Schema) -> Result<Self> {
        let names = schema.feature_names();
        check_count("features of the schema", self.model.features(), names.len())?;
        if self.model.feature_names().is_some_and(|own| own != names) {
            return Err(Error::setting("schema", "another", "must have the features that the model was trained on"));
        }
        let categories = schema.categorical();
        let trees = self.model.outputs().iter().flat_map(|output| output.trees());
        for (tree, node) in trees.flat_map(|tree| (0..tree.len()).map(move |node| (tree, node))) {
            // What sends missing values alone to one side has no threshold.
            let by_number = !tree.is_leaf(node) && !tree.is_categorical(node) && tree.threshold()[node].is_finite();
            let feature = tree.feature()[node] as usize;
            if by_number && categories.contains(&feature) {
                let reason = "are categories, which the model takes for numbers: train it with Boost::categorical";
                return Err(Error::setting("features", &names[feature], reason));
            }
        }
        self = self.with_feature_names(schema.feature_names())?;
        (self.digest, self.schema) = (schema.digest(), Some(schema));
        Ok(self)
    }

    /// How a table becomes the model's features, where the data was a table.
    pub fn schema(&self) -> Option<&Schema> {
        self.schema.as_ref()
    }

    /// The class of each row of a table, by the schema: columns in any order, others than the model's ignored.
    ///
    /// # Errors
    /// [`Error::Setting`] for a surrogate without a schema; those of [`Schema::encode`], such as [`Error::Columns`] for a
    /// missing column; those of [`assign`](Surrogate::assign).
    pub fn assign_table(&self, table: &Table, run: &Run) -> Result<Vec<Assignment<'_>>> {
        self.assign(&self.encoded(table)?, run)
    }

    /// Why each row of a table is where it is, by question: SHAP values (row, question, class), those of a question's columns added
    /// up, the questions in the order of [`Schema::questions`]. 8 bytes each: of many rows explain a sample.
    ///
    /// ```
    /// use recluster::{Run, boost::Boost, explain::Surrogate, table::{Column, Schema, Table, Values}};
    /// let plans = (0..60).map(|i| Some(["basic", "pro", "team"][i % 3]));
    /// let visits = Values::numbers((0..60).map(|i| (i * 7 % 41) as f64));
    /// let table = Table::new(vec![Column::new("plan", Values::words(plans)), Column::new("visits", visits)])?;
    /// let schema = Schema::infer(&table);
    /// let labels: Vec<i32> = (0..60).map(|i| i % 3).collect(); // the plan
    /// let boost = Boost::new().rounds(10).categorical(&schema.categorical());
    /// let classes = ["a", "b", "c"].map(String::from).to_vec();
    /// let data = schema.encode(&table)?;
    /// let model = Surrogate::fit(&data, &labels, classes, &boost, &Run::new())?.with_schema(schema)?;
    /// let why = model.explain_table(&table, &Run::new())?;
    /// assert_eq!(model.schema().unwrap().questions(), ["plan", "visits"]);
    /// assert_eq!(why.values().dim(), (60, 2, 3));
    /// assert!(why.values()[[0, 0, 0]] > 0.5 && why.values()[[0, 1, 0]].abs() < 0.1);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`assign_table`](Surrogate::assign_table) and of [`explain`](Explainer::explain).
    pub fn explain_table(&self, table: &Table, run: &Run) -> Result<Explanation> {
        let schema = self.given_schema()?;
        self.explain(&schema.encode(table)?, run)?.summed(&schema.question_of_features())
    }

    /// Names of the classes, by number.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The number of the class of this name, such as a leaf's path: its output in explanations and probabilities.
    pub fn class_of(&self, name: &str) -> Option<usize> {
        self.classes.iter().position(|class| class == name)
    }

    /// Names a class for people, such as "Night owls": each [`Assignment`] to it says so. An empty name takes it away. A tree's
    /// surrogate has the names that the tree had when it was trained.
    ///
    /// # Errors
    /// [`Error::Setting`] for a class that does not exist.
    pub fn set_name(&mut self, class: &str, name: impl Into<String>) -> Result<()> {
        let class = self.class_of(class).ok_or_else(|| Error::setting("class", class, "must be one of the classes"))?;
        self.names.resize(self.classes.len(), String::new());
        self.names[class] = name.into();
        if self.names.iter().all(String::is_empty) {
            self.names.clear();
        }
        Ok(())
    }

    /// The name that people gave a class; empty without one, or where there is no such class.
    pub fn name_of(&self, class: &str) -> &str {
        self.class_of(class).map_or("", |class| self.named(class))
    }

    fn named(&self, class: usize) -> &str {
        self.names.get(class).map_or("", String::as_str)
    }

    /// Exact SHAP values of one class's margin for every row: (row, feature, 0). As [`explain`](Explainer::explain), in a
    /// fraction of its time and memory.
    ///
    /// # Errors
    /// [`Error::Setting`] for a class that does not exist, else as [`explain`](Explainer::explain).
    pub fn explain_class(&self, class: &str, rows: &ArrayRef2<f32>, run: &Run) -> Result<Explanation> {
        let output =
            self.class_of(class).ok_or_else(|| Error::setting("class", class, "must be one of the classes"))?;
        self.shap()?.explain_outputs(rows, &[output], run)
    }

    /// The explainer of the model, on paths that are listed once.
    pub(super) fn shap(&self) -> Result<TreeShap<'_>> {
        Ok(TreeShap::with(&self.model, self.paths.get(|| Ok(Prepared::all(&self.model)))?))
    }

    /// The boosted model, one output for each class.
    pub fn model(&self) -> &BoostModel {
        &self.model
    }

    /// Each class's own one-versus-rest probability, rows x classes. Rows need not sum to 1.
    ///
    /// # Errors
    /// [`Error::Shape`] when the columns are not those of the training data, and the table errors.
    pub fn probabilities(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f64>> {
        self.model.probabilities(rows, run)
    }

    /// The most probable class of each row, the lower number where two are equally probable. Margins, confidences,
    /// [`BoostModel::distribution`] and the probabilities of the XGBoost files all give the same class.
    ///
    /// # Errors
    /// Those of [`probabilities`](Surrogate::probabilities).
    pub fn assign(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Vec<Assignment<'_>>> {
        let margins = self.model.margins(rows, run)?;
        self.each(&margins, |_, margins| self.ranked(margins).0, run)
    }

    /// The same for sparse rows, of which a block at a time is made dense.
    ///
    /// # Errors
    /// Those of [`assign`](Surrogate::assign).
    pub fn assign_sparse(&self, rows: &SparseRows, run: &Run) -> Result<Vec<Assignment<'_>>> {
        let margins = self.model.margins_sparse(rows, run)?;
        self.each(&margins, |_, margins| self.ranked(margins).0, run)
    }

    /// As [`assign`](Surrogate::assign), with the runner-up of each row, and rows turned away of which the model is not sure
    /// enough: strangers, which belong to no class, and rows between classes.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recluster::{Run, boost::Boost, explain::{Abstain, Surrogate}};
    /// let rows = Array2::from_shape_fn((400, 4), |(i, j)| (i % 2 * 50) as f32 + ((i * 7 + j * 11) % 13) as f32);
    /// let labels: Vec<i32> = (0..400).map(|i| i % 2).collect();
    /// let run = Run::new();
    /// let surrogate = Surrogate::fit(&rows, &labels, vec!["0.0".into(), "0.1".into()], &Boost::new().rounds(20), &run)?;
    /// let decided = surrogate.decide(&rows, Abstain::Share(0.05), &run)?;
    /// assert_eq!(decided[3].best.path, "0.1");
    /// assert_eq!(decided[3].runner_up.unwrap().path, "0.0");
    /// assert!(decided.iter().filter(|decision| decision.abstained).count() <= 40);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`probabilities`](Surrogate::probabilities) and of [`Selectivity::threshold`].
    pub fn decide(&self, rows: &ArrayRef2<f32>, abstain: Abstain, run: &Run) -> Result<Vec<Decision<'_>>> {
        self.decide_by(|model| model.margins(rows, run), abstain, run)
    }

    /// [`decide`](Surrogate::decide) for sparse rows.
    ///
    /// # Errors
    /// Those of [`decide`](Surrogate::decide).
    pub fn decide_sparse(&self, rows: &SparseRows, abstain: Abstain, run: &Run) -> Result<Vec<Decision<'_>>> {
        self.decide_by(|model| model.margins_sparse(rows, run), abstain, run)
    }

    /// [`decide`](Surrogate::decide) for the rows of a table, by the schema.
    ///
    /// # Errors
    /// Those of [`assign_table`](Surrogate::assign_table) and [`decide`](Surrogate::decide).
    pub fn decide_table(&self, table: &Table, abstain: Abstain, run: &Run) -> Result<Vec<Decision<'_>>> {
        self.decide(&self.encoded(table)?, abstain, run)
    }

    /// What thresholds on confidence cost and gain, by held-out rows. A [`Guard`] has its own, by sureness.
    pub fn selectivity(&self) -> &Selectivity {
        &self.selectivity
    }

    /// The model that says which rows to turn away, where [`Boost::guard_rows`] asked for one.
    pub fn guard(&self) -> Option<&Guard> {
        self.guard.as_ref()
    }

    /// The sureness below which [`decide`](Surrogate::decide) turns rows away.
    ///
    /// # Errors
    /// Those of [`Selectivity::threshold`].
    pub fn threshold(&self, abstain: Abstain) -> Result<f64> {
        self.guard.as_ref().map_or(&self.selectivity, Guard::selectivity).threshold(abstain)
    }

    /// The fitted rows in brief, which [`DriftWatch`](super::DriftWatch) compares new ones with.
    pub fn profile(&self) -> &DataProfile {
        &self.profile
    }

    fn encoded(&self, table: &Table) -> Result<Array2<f32>> {
        self.given_schema()?.encode(table)
    }

    fn given_schema(&self) -> Result<&Schema> {
        let none = || Error::setting("schema", "none", "must be given to the surrogate by with_schema");
        self.schema.as_ref().ok_or_else(none)
    }

    /// The decisions about rows of which `margins` gives a model's margins.
    fn decide_by(
        &self,
        margins: impl Fn(&BoostModel) -> Result<Array2<f64>>,
        abstain: Abstain,
        run: &Run,
    ) -> Result<Vec<Decision<'_>>> {
        let threshold = self.threshold(abstain)?;
        let own = margins(&self.model)?;
        let guards = match &self.guard {
            Some(guard) => margins(guard.model())?,
            None => Array2::zeros((own.nrows(), 0)),
        };
        let (count, guards) = (guards.ncols(), guards.as_slice().unwrap_or_default());
        self.each(&own, |i, own| self.decided(own, &guards[i * count..(i + 1) * count], threshold), run)
    }

    /// What `of` makes of each row's number and margins.
    fn each<T: Send>(
        &self,
        margins: &Array2<f64>,
        of: impl Fn(usize, &[f64]) -> T + Sync + Send,
        run: &Run,
    ) -> Result<Vec<T>> {
        let (count, all) = (margins.ncols().max(1), margins.as_slice().unwrap_or_default());
        let some = |rows: Range<usize>| rows.map(|i| of(i, &all[i * count..(i + 1) * count])).collect();
        let parts: Vec<Vec<T>> = run.install(|| parallel::map_ranges(margins.nrows(), PIECE, some))?;
        Ok(parts.into_iter().flatten().collect())
    }

    /// By its margins and, where there is a guard, that one's.
    pub(super) fn decided(&self, margins: &[f64], guards: &[f64], threshold: f64) -> Decision<'_> {
        let (best, runner_up) = self.ranked(margins);
        let sureness = self.guard.as_ref().map_or(best.confidence, |guard| guard.sureness(margins, guards));
        Decision { best, runner_up, sureness, abstained: sureness < threshold }
    }

    /// The two most probable classes of a row, by its margins, which order the classes even where probabilities have rounded
    /// to 0 or 1; the lower number of equal ones.
    fn ranked(&self, margins: &[f64]) -> (Assignment<'_>, Option<Assignment<'_>>) {
        let (mut best, mut second) = ((0, f64::NEG_INFINITY), None::<(usize, f64)>);
        for (class, &margin) in margins.iter().enumerate() {
            if class == 0 {
                best = (0, margin);
            } else if margin > best.1 {
                (second, best) = (Some(best), (class, margin));
            } else if second.is_none_or(|second| margin > second.1) {
                second = Some((class, margin));
            }
        }
        let share = confidence_of(margins.iter().copied());
        let of = |(class, margin): (usize, f64)| Assignment {
            class,
            path: &self.classes[class],
            name: self.named(class),
            confidence: share(margin),
        };
        (of(best), second.map(of))
    }
}

/// Weights of a mean of 1, as boosted trees take them.
pub(super) fn narrow(weights: Option<&[f64]>, rows: usize) -> Result<Option<Vec<f32>>> {
    let Some(weights) = weights else { return Ok(None) };
    check_weights(weights, rows)?;
    Ok(Some(with_mean_one(weights.to_vec()).into_iter().map(|weight| weight as f32).collect()))
}

impl Explainer for Surrogate {
    /// Exact SHAP values of every class's margin (log-odds) for every row: (row, feature, class).
    ///
    /// Memory: rows x features x classes in f64; take rows in blocks when that is much. The first call lists the paths of
    /// the trees, as [`TreeShap::new`] does, and keeps them: O(nodes x depth).
    fn explain(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Explanation> {
        self.shap()?.explain(rows, run)
    }

    fn name(&self) -> String {
        "Surrogate".into()
    }
}

#[cfg(feature = "serde")]
impl crate::Saved for Surrogate {
    const FORMAT: &'static str = "recluster surrogate";
    const VERSION: u64 = 5;

    fn validate(&self) -> checks::Check {
        self.model.validate()?;
        self.selectivity.check()?;
        if let Some(guard) = &self.guard {
            guard.check(self.classes.len(), self.model.features())?;
        }
        self.profile.check(self.classes.len(), self.model.features())?;
        checks::count("names of classes", self.classes.len(), self.model.outputs().len())?;
        if !self.names.is_empty() {
            checks::count("names that people gave classes", self.names.len(), self.classes.len())?;
        }
        checks::that(self.schema.is_some() || self.digest == 0, || "the schema is missing".into())?;
        if let Some(schema) = &self.schema {
            let said = |(column, reason): (String, String)| Err(format!("column \"{column}\": {reason}"));
            schema.fault().map_or(Ok(()), said)?;
            checks::that(schema.digest() == self.digest, || "the schema is not the one that was saved".into())?;
            checks::count("features of the schema", schema.feature_names().len(), self.model.features())?;
        }
        checks::that(self.model.link() == Link::Logistic, || format!("outputs of the kind {:?}", self.model.link()))
    }
}
