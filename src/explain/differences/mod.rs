//! Differences: what tells two clusters apart, their typical and their borderline rows, and why a row is in the one and not
//! in the other.

mod measures;
#[cfg(test)]
mod tests;
mod why;

pub use measures::{Difference, FeatureDifference, LevelDifference, QuestionContrast};
pub use why::{Reason, Why};

use super::Surrogate;
use crate::core::shape::{check_count, check_output};
use crate::core::{Canonical, Rows, check_weights, with_mean_one};
use crate::table::Feature;
use crate::{Error, Explanation, Result, Run};
use ndarray::{ArrayRef2, Axis};

/// Rows of a cluster whose attributions are computed.
const SAMPLE: usize = 300;
/// Typical and borderline rows that are named.
const NAMED: usize = 5;

/// Compares the clusters of a surrogate over the rows that they are made of.
///
/// ```
/// use ndarray::Array2;
/// use recluster::{Run, boost::Boost, explain::{Differences, Surrogate}};
///
/// let rows = Array2::from_shape_fn((120, 2), |(i, j)| if j == 0 { (i / 60 * 30 + i % 20) as f32 } else { (i * 7 % 11) as f32 });
/// let labels: Vec<i32> = (0..120).map(|i| i / 60).collect();
/// let run = Run::new();
/// let surrogate = Surrogate::fit(&rows, &labels, vec!["0.0".into(), "0.1".into()], &Boost::new().rounds(10), &run)?
///     .with_feature_names(vec!["visits".into(), "age".into()])?;
/// let compared = Differences::new(&surrogate, &rows, &labels)?;
/// let found = compared.between(1, 0, &run)?;
/// assert_eq!((found.features[0].name.as_str(), found.features[0].difference), ("visits", Some(30.0)));
/// println!("{found}");
/// println!("{}", compared.why(&rows.slice(ndarray::s![..1, ..]), 0, 1, &run)?[0]);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct Differences<'a> {
    surrogate: &'a Surrogate,
    data: &'a ArrayRef2<f32>,
    rows: Rows<'a>,
    weights: Vec<f64>,
    /// For each cluster its rows, in canonical order: by content, then by weight.
    members: Vec<Vec<u32>>,
    /// Each row's place in it.
    place: Vec<u32>,
    labels: &'a [i32],
    features: Vec<Feature>,
}

impl<'a> Differences<'a> {
    /// Of `data` (rows x features, NaN for missing), the rows that the surrogate was trained on or others of which the clusters
    /// are known: `labels` has each row's class, or -1 for noise, which counts nowhere. Names of columns and levels are those of
    /// the surrogate. O(rows x features).
    ///
    /// # Errors
    /// [`Error::Shape`] when data and labels do not fit the surrogate; [`Error::Label`] for a label that is no class;
    /// [`Error::Empty`]; [`Error::NotFinite`] for infinities.
    pub fn new(surrogate: &'a Surrogate, data: &'a ArrayRef2<f32>, labels: &'a [i32]) -> Result<Self> {
        let rows = surrogate.model().check_rows(data)?;
        check_count("labels, one for each row", rows.len(), labels.len())?;
        let classes = surrogate.classes().len();
        if let Some(row) = labels.iter().position(|&label| label < -1 || label >= 0 && label as usize >= classes) {
            let reason = "must be -1 (noise) or the number of a class";
            return Err(Error::Label { row, label: labels[row].into(), reason });
        }
        let weights = vec![1.0; rows.len()];
        let mut found = Differences {
            surrogate,
            data,
            weights,
            members: Vec::new(),
            place: Vec::new(),
            labels,
            features: features_of(surrogate),
            rows,
        };
        found.arrange();
        Ok(found)
    }

    /// Says how many rows of the population each row stands for: averages and shares are then those of the population.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there is a weight for each row; [`Error::Setting`] for one that is not finite and above 0.
    pub fn weights(mut self, weights: &[f64]) -> Result<Self> {
        check_weights(weights, self.rows.len())?;
        self.weights = with_mean_one(weights.to_vec());
        self.arrange();
        Ok(self)
    }

    fn arrange(&mut self) {
        let mut order = Canonical::of(&self.rows);
        order.order_equal_rows(&self.weights);
        self.place = vec![0; order.order.len()];
        self.members = vec![Vec::new(); self.surrogate.classes().len()];
        for (&row, place) in order.order.iter().zip(0..) {
            self.place[row as usize] = place;
            if let Ok(label) = usize::try_from(self.labels[row as usize]) {
                self.members[label].push(row);
            }
        }
    }

    /// The cluster that is most like `cluster`: of its siblings, those whose path has most of its own path in common, the one
    /// with the highest average margin over the cluster's rows. None where there is no other cluster.
    ///
    /// # Errors
    /// [`Error::Output`] for a cluster that does not exist; [`Error::Setting`] for one without rows; [`Error::Cancelled`].
    pub fn nearest(&self, cluster: usize, run: &Run) -> Result<Option<usize>> {
        let rows = self.sample(cluster)?;
        let names = self.surrogate.classes();
        let common = |other: usize| {
            let pairs = names[cluster].split('.').zip(names[other].split('.'));
            pairs.take_while(|(a, b)| a == b).count()
        };
        let others = || (0..names.len()).filter(|&other| other != cluster);
        let most = others().map(common).max().unwrap_or(0);
        let margins = self.surrogate.model().margins(&self.data.select(Axis(0), &rows), run)?;
        let mean = |other: usize| margins.column(other).sum();
        let siblings = others().filter(|&other| common(other) == most);
        Ok(siblings.max_by(|&a, &b| mean(a).total_cmp(&mean(b)).then(b.cmp(&a))))
    }

    /// What tells the cluster `here` from the cluster `there`.
    ///
    /// Figures are of all rows of both; attributions of at most 300 rows of each, spread evenly over their order by content.
    /// The same bits for any order of the rows.
    ///
    /// # Errors
    /// [`Error::Output`] for a cluster that does not exist; [`Error::Setting`] for one without rows, and for two that are the
    /// same; [`Error::Cancelled`].
    pub fn between(&self, here: usize, there: usize, run: &Run) -> Result<Difference> {
        let pair = [here, there];
        self.check_pair(here, there)?;
        let rows = [self.sample(here)?, self.sample(there)?];
        let shap = self.surrogate.shap()?;
        let explain = |k: usize| shap.explain_outputs(&self.data.select(Axis(0), &rows[k]), &pair, run);
        let explained = [explain(0)?, explain(1)?];
        let typical = |k: usize| self.typical(&rows[k], &explained[k], k);
        let mut found = measures::measured(self, pair, &explained);
        (found.typical_here, found.typical_there) = (typical(0), typical(1));
        found.borderline = self.borderline(here, there, run)?;
        Ok(found)
    }

    /// Why each of `rows` (n x features) is in the class `here` and not in the class `there`, or how far it is from that: the
    /// attributions of the difference of the two margins.
    ///
    /// # Errors
    /// [`Error::Output`] for a cluster that does not exist; [`Error::Shape`] for columns that are not the surrogate's; [`Error::Setting`] for two
    /// clusters that are the same; [`Error::Empty`]; [`Error::NotFinite`] for infinities; [`Error::Cancelled`].
    pub fn why(&self, rows: &ArrayRef2<f32>, here: usize, there: usize, run: &Run) -> Result<Vec<Why>> {
        Why::of(self.surrogate, rows, here, there, run)
    }

    fn check_pair(&self, here: usize, there: usize) -> Result<()> {
        check_pair(self.surrogate, here, there)
    }

    /// Some rows of a cluster, evenly over their order.
    fn sample(&self, cluster: usize) -> Result<Vec<usize>> {
        check_output(self.members.len(), cluster)?;
        let rows = &self.members[cluster];
        if rows.is_empty() {
            return Err(Error::setting("cluster", &self.surrogate.classes()[cluster], "must have a row"));
        }
        let taken = rows.len().min(SAMPLE);
        Ok((0..taken).map(|i| rows[i * rows.len() / taken] as usize).collect())
    }

    /// The rows whose attributions to their own cluster lie nearest the average of these: those that are in it for the
    /// usual reasons, whatever the units and kinds of the columns.
    fn typical(&self, rows: &[usize], explained: &Explanation, output: usize) -> Vec<u32> {
        let own = explained.values().index_axis(Axis(2), output);
        let mut mean = vec![0.0; own.ncols()];
        for row in own.outer_iter() {
            mean.iter_mut().zip(row).for_each(|(sum, push)| *sum += push / rows.len() as f64);
        }
        let distance = |i: usize| own.row(i).iter().zip(&mean).map(|(a, b)| (a - b) * (a - b)).sum();
        let mut near: Vec<(f64, usize)> = (0..rows.len()).map(|i| (distance(i), i)).collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        near.into_iter().take(NAMED).map(|(_, i)| rows[i] as u32).collect()
    }

    /// The rows of both whose margins for the two lie closest together.
    fn borderline(&self, here: usize, there: usize, run: &Run) -> Result<Vec<u32>> {
        let rows: Vec<usize> = [here, there].iter().flat_map(|&k| &self.members[k]).map(|&row| row as usize).collect();
        let table = self.data.select(Axis(0), &rows);
        let margins = self.surrogate.model().margins_of(&[here, there], &Rows::with_missing(&table)?, run)?;
        let mut near: Vec<(f64, u32)> =
            rows.iter().zip(margins.outer_iter()).map(|(&row, own)| ((own[0] - own[1]).abs(), row as u32)).collect();
        let place = |row: u32| self.place[row as usize];
        near.sort_by(|a, b| a.0.total_cmp(&b.0).then(place(a.1).cmp(&place(b.1))));
        Ok(near.into_iter().take(NAMED).map(|(_, row)| row).collect())
    }
}

fn check_pair(surrogate: &Surrogate, here: usize, there: usize) -> Result<()> {
    [here, there].into_iter().try_for_each(|k| check_output(surrogate.classes().len(), k))?;
    match here == there {
        true => Err(Error::setting("there", there, "must be another cluster than the first")),
        false => Ok(()),
    }
}

/// What the surrogate's columns mean.
fn features_of(surrogate: &Surrogate) -> Vec<Feature> {
    let model = surrogate.model();
    match (surrogate.schema(), model.feature_names()) {
        (Some(schema), _) => schema.features(),
        (None, Some(names)) => names.iter().map(|name| Feature::number(name.clone())).collect(),
        (None, None) => Feature::numbered(model.features()),
    }
}
