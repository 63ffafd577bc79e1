//! SHAP values of any model that is a function of rows.

use crate::core::shape::check_count;
use crate::core::{Canonical, Rows, content_hash, parallel, random::Stream};
use crate::{Error, Explainer, Explanation, Result, Run, Stage};
use ndarray::{Array1, Array2, Array3, ArrayRef2};

/// Rows of a call of the model, unless one coalition's background has more.
const BATCH: usize = 4096;

/// Upper limit of `exact_features`.
const MOST_EXACT: usize = 16;

/// Purpose of the draws.
const PERMUTATIONS: u64 = 0x7065_726d;

/// Interventional SHAP values of any model that is a function of rows.
///
/// Features outside a coalition are taken from each row of a background in turn, and the outputs averaged. Features of a row
/// that equal those of all background rows have attribution 0 and cost nothing. With at most
/// [`exact_features`](PermutationShap::exact_features) others, all their coalitions are evaluated and the values are
/// exact; else features are added one by one in random orders, each order once forwards and once backwards (*antithetic
/// sampling*, R. Mitchell, J. Cooper, E. Frank and G. Holmes, "Sampling Permutations for Shapley Value Estimation",
/// JMLR 2022), which is exact for models without interactions of three or more features and unbiased for all others.
///
/// Attributions and base value always sum to the model's output, to rounding. Orders are drawn by the run's key and the
/// row's content, and the background is sorted by content: a row's values are the same bits in any batch, at any number of
/// threads and with background rows in any order, provided that the model's outputs for a row do not depend on the other
/// rows of a call.
///
/// Cost for each row: 2^d x background rows evaluated by the model for d features where exact, else 2 (d - 1) x
/// [`permutations`](PermutationShap::permutations) x background rows.
///
/// ```
/// use ndarray::{Array2, ArrayRef2, array};
/// use recluster::{Explainer, Result, Run, explain::PermutationShap};
///
/// // The product of two columns; the third has no effect.
/// let model = |rows: &ArrayRef2<f32>| -> Result<Array2<f64>> {
///     Ok(Array2::from_shape_fn((rows.nrows(), 1), |(i, _)| f64::from(rows[[i, 0]] * rows[[i, 1]])))
/// };
/// let background = array![[0.0f32, 0.0, 5.0]];
/// let why = PermutationShap::new(model, &background).explain(&array![[2.0f32, 3.0, 7.0]], &Run::new())?;
/// assert_eq!(why.values().as_slice(), Some(&[3.0, 3.0, 0.0][..]));
/// assert_eq!(why.base()[0], 0.0);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone)]
pub struct PermutationShap<F> {
    outputs: F,
    background: Array2<f32>,
    permutations: usize,
    exact_features: usize,
}

impl<F> std::fmt::Debug for PermutationShap<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PermutationShap")
            .field("background_rows", &self.background.nrows())
            .field("permutations", &self.permutations)
            .field("exact_features", &self.exact_features)
            .finish_non_exhaustive()
    }
}

impl<F: Fn(&ArrayRef2<f32>) -> Result<Array2<f64>> + Send + Sync> PermutationShap<F> {
    /// Explains `outputs`, a function from rows (n x features) to outputs (n x at least one), against a `background`
    /// (rows x features, NaN for missing values, of which it has at least one row).
    pub fn new(outputs: F, background: &ArrayRef2<f32>) -> Self {
        PermutationShap { outputs, background: background.to_owned(), permutations: 10, exact_features: 8 }
    }

    /// Random orders of the features, each used forwards and backwards; at least 1, default 10.
    pub fn permutations(mut self, permutations: usize) -> Self {
        self.permutations = permutations;
        self
    }

    /// Up to this many differing features all coalitions are evaluated; 0 to 16, default 8.
    pub fn exact_features(mut self, features: usize) -> Self {
        self.exact_features = features;
        self
    }

    /// The model's outputs, checked: one line for each row, the known number of outputs, all finite.
    fn model_outputs(&self, rows: &ArrayRef2<f32>, known: Option<usize>) -> Result<Array2<f64>> {
        let outputs = (self.outputs)(rows)?;
        let expected = known.unwrap_or(outputs.ncols().max(1));
        check_count("outputs of the model, one line for each row", rows.nrows(), outputs.nrows())?;
        check_count("outputs of the model for a row", expected, outputs.ncols())?;
        match outputs.iter().find(|value| !value.is_finite()) {
            None => Ok(outputs),
            Some(value) => Err(Error::Contract {
                room: "explainer",
                name: "PermutationShap".into(),
                reason: format!("the model's output is {value} for a mix of a row and the background"),
                row: None,
            }),
        }
    }

    /// Attributions of one row, (feature, output).
    fn row(&self, x: &[f32], background: &Background<'_>, draws: Stream, stage: &Stage<'_>) -> Result<Array2<f64>> {
        let outputs = background.base.len();
        let differs =
            |j: &usize| background.rows.column(*j).iter().any(|&z| z != x[*j] && !(z.is_nan() && x[*j].is_nan()));
        let varying: Vec<usize> = (0..x.len()).filter(differs).collect();
        let m = varying.len();
        let mut values = Array2::zeros((x.len(), outputs));
        let whole = Array2::from_shape_fn((1, x.len()), |(_, j)| x[j]);
        let whole = self.model_outputs(&whole, Some(outputs))?.row(0).to_owned();
        let explained = Explained { x, varying: &varying, background, empty: &background.base, whole: &whole };
        if m <= self.exact_features {
            let v = self.coalition_values(&explained, 1 << m, stage, |coalition, place| coalition >> place & 1 == 1)?;
            for (place, &feature) in varying.iter().enumerate() {
                for without in (0..1usize << m).filter(|known| known >> place & 1 == 0) {
                    let weight = weight(without.count_ones() as usize, m);
                    for o in 0..outputs {
                        values[[feature, o]] += weight * (v[[without | 1 << place, o]] - v[[without, o]]);
                    }
                }
            }
            return Ok(values);
        }
        for p in 0..self.permutations {
            let mut order: Vec<usize> = (0..m).collect();
            let draws = draws.of(p as u64);
            (1..m).rev().for_each(|i| order.swap(i, draws.below(i as u64, i + 1)));
            for backwards in [false, true] {
                if backwards {
                    order.reverse();
                }
                let mut rank = vec![0; m];
                order.iter().enumerate().for_each(|(r, &place)| rank[place] = r);
                let v = self.coalition_values(&explained, m + 1, stage, |size, place| rank[place] < size)?;
                for (r, &place) in order.iter().enumerate() {
                    for o in 0..outputs {
                        values[[varying[place], o]] += v[[r + 1, o]] - v[[r, o]];
                    }
                }
            }
        }
        Ok(values / (2 * self.permutations) as f64)
    }

    /// Values v(S) of `count` coalitions, (coalition, output), the first of them empty and the last of all features;
    /// `known(coalition, place)` tells which features are in it.
    fn coalition_values(
        &self,
        explained: &Explained<'_>,
        count: usize,
        stage: &Stage<'_>,
        known: impl Fn(usize, usize) -> bool,
    ) -> Result<Array2<f64>> {
        let (z, outputs) = (explained.background.rows, explained.empty.len());
        let mut means = Array2::zeros((count, outputs));
        means.row_mut(0).assign(explained.empty);
        means.row_mut(count - 1).assign(explained.whole);
        let (n, mut first) = (z.nrows(), 1);
        while first + 1 < count {
            stage.check()?;
            let end = (first + (BATCH / n).max(1)).min(count - 1);
            let mut mixed = Array2::zeros(((end - first) * n, explained.x.len()));
            for (i, mut line) in mixed.outer_iter_mut().enumerate() {
                line.assign(&z.row(i % n));
                for (place, &feature) in explained.varying.iter().enumerate() {
                    if known(first + i / n, place) {
                        line[feature] = explained.x[feature];
                    }
                }
            }
            let answers = self.model_outputs(&mixed, Some(outputs))?;
            for (i, answer) in answers.outer_iter().enumerate() {
                means.row_mut(first + i / n).zip_mut_with(&answer, |sum, value| *sum += value);
            }
            means.slice_mut(ndarray::s![first..end, ..]).mapv_inplace(|sum: f64| sum / n as f64);
            first = end;
        }
        Ok(means)
    }
}

/// A background in the order of its contents, and the model's mean output for it.
struct Background<'a> {
    rows: &'a Array2<f32>,
    base: Array1<f64>,
}

/// A row to be explained.
struct Explained<'a> {
    x: &'a [f32],
    /// Features in which some background row differs from it.
    varying: &'a [usize],
    background: &'a Background<'a>,
    empty: &'a Array1<f64>,
    whole: &'a Array1<f64>,
}

/// s! (m - s - 1)! / m!, the weight of a coalition of s of m - 1 others.
fn weight(s: usize, m: usize) -> f64 {
    (0..s).fold(1.0 / m as f64, |weight, i| weight * (i + 1) as f64 / (m - 1 - i) as f64)
}

impl<F: Fn(&ArrayRef2<f32>) -> Result<Array2<f64>> + Send + Sync> Explainer for PermutationShap<F> {
    /// Explains all outputs of the model.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting outside its range; [`Error::Shape`] when columns of rows and background differ or
    /// the model answers with another shape than it should; [`Error::Empty`]; [`Error::NotFinite`] for infinities;
    /// [`Error::Contract`] when an output is not finite; what the model itself fails with; [`Error::Cancelled`].
    fn explain(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Explanation> {
        if self.permutations == 0 {
            return Err(Error::setting("permutations", 0, "must be at least 1"));
        }
        if self.exact_features > MOST_EXACT {
            return Err(Error::setting("exact_features", self.exact_features, "must be at most 16"));
        }
        let (table, background) = (Rows::with_missing(rows)?, Rows::with_missing(&self.background)?);
        check_count("columns of the data, as many as the background's", background.columns(), table.columns())?;
        let order: Vec<usize> = Canonical::of(&background).order.iter().map(|&row| row as usize).collect();
        let background = self.background.select(ndarray::Axis(0), &order);
        let answers = self.model_outputs(&background, None)?;
        let base = answers.sum_axis(ndarray::Axis(0)) / background.nrows() as f64;
        let background = Background { rows: &background, base };
        let (stage, draws) = (run.stage("explain", rows.nrows()), Stream::new(run.key(), PERMUTATIONS));
        let mut values = Array3::zeros((table.len(), table.columns(), background.base.len()));
        // Some rows at a time, so that progress is reported.
        for first in (0..table.len()).step_by(64) {
            let end = (first + 64).min(table.len());
            let work = |i: usize| {
                let x = table.row(first + i);
                self.row(x, &background, draws.of(content_hash(x)), &stage)
            };
            for (i, row) in run.install(|| parallel::map(end - first, work))?.into_iter().enumerate() {
                values.index_axis_mut(ndarray::Axis(0), first + i).assign(&row?);
            }
            stage.step(end)?;
        }
        Explanation::new(values, background.base)
    }
}
