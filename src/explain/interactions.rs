//! SHAP interaction values: the joint effect of two features beyond their separate effects.

use super::TreeShap;
use super::prepared::Prepared;
use super::shapley::Work;
use crate::core::shape::{check_count, check_output};
use crate::core::{Canonical, Rows, parallel};
use crate::{Explanation, Result, Run};
use ndarray::{Array1, Array3, Array4, ArrayRef2, ArrayView3};

/// Interaction values of some rows: exact, in f64, (row, feature, feature, output).
///
/// Symmetric: each interaction is stored in halves on both sides of the diagonal, and the diagonal is such that a row of
/// the matrix sums to the feature's SHAP value (S. Lundberg et al., "From local explanations to global understanding
/// with explainable AI for trees", 2020, eqs. 4 to 6). Only features that some split of the explained outputs uses
/// are stored ([`Interactions::features`]); all others have none. MNIST's 784 columns would take 4.9 MB a row, the 400 or
/// so that a model uses take 1.3.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Interactions {
    /// Numbers of the stored features, ascending.
    features: Vec<usize>,
    /// Number of all features.
    columns: usize,
    values: Array4<f64>,
    base: Array1<f64>,
}

impl Interactions {
    /// Numbers of the stored features, ascending: the features of the places in [`Interactions::values`].
    pub fn features(&self) -> &[usize] {
        &self.features
    }

    /// Values by place, (row, place, place, output).
    pub fn values(&self) -> &Array4<f64> {
        &self.values
    }

    /// One row's values by place, (place, place, output); None when there is no such row.
    pub fn row(&self, row: usize) -> Option<ArrayView3<'_, f64>> {
        (row < self.values.dim().0).then(|| self.values.index_axis(ndarray::Axis(0), row))
    }

    /// Base values, one for each output.
    pub fn base(&self) -> &Array1<f64> {
        &self.base
    }

    /// One row's values for all features of the model, (feature, feature, output); None when there is no such row.
    pub fn full(&self, row: usize) -> Option<Array3<f64>> {
        let (rows, places, _, outputs) = self.values.dim();
        if row >= rows {
            return None;
        }
        let mut full = Array3::zeros((self.columns, self.columns, outputs));
        for i in 0..places {
            for j in 0..places {
                for o in 0..outputs {
                    full[[self.features[i], self.features[j], o]] = self.values[[row, i, j, o]];
                }
            }
        }
        Some(full)
    }

    /// The SHAP values: each feature's sum over its partners and itself, for all features of the model.
    ///
    /// # Errors
    /// None for a valid value of this type.
    pub fn explanation(&self) -> Result<Explanation> {
        let (rows, _, _, outputs) = self.values.dim();
        let mut values = Array3::zeros((rows, self.columns, outputs));
        for ((row, i, _, output), value) in self.values.indexed_iter() {
            values[[row, self.features[i], output]] += value;
        }
        Explanation::new(values, self.base.clone())
    }

    /// The `k` pairs of features of the largest mean absolute interaction for one output, largest first, equal ones by
    /// number: (feature, feature, mean of both halves together). Pairs without interaction are left out. `rows` are the
    /// explained rows; the same bits in any order of these. O(rows x places²).
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) when the rows are not those of these values; [`Error::Output`](crate::Error::Output);
    /// [`Error::Empty`](crate::Error::Empty); [`Error::NotFinite`](crate::Error::NotFinite) for infinities.
    pub fn top_pairs(&self, rows: &ArrayRef2<f32>, output: usize, k: usize) -> Result<Vec<(usize, usize, f64)>> {
        let (n, places, _, outputs) = self.values.dim();
        check_count("rows, as many as were explained", n, rows.nrows())?;
        check_output(outputs, output)?;
        let order = Canonical::of(&Rows::with_missing(rows)?).order;
        let mut pairs: Vec<(usize, usize, f64)> = Vec::new();
        for i in 0..places {
            for j in i + 1..places {
                let sum: f64 = order.iter().map(|&row| self.values[[row as usize, i, j, output]].abs()).sum();
                if sum > 0.0 {
                    pairs.push((self.features[i], self.features[j], 2.0 * sum / n as f64));
                }
            }
        }
        pairs.sort_by(|a, b| b.2.total_cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1))));
        pairs.truncate(k);
        Ok(pairs)
    }
}

impl TreeShap<'_> {
    /// Interaction values of all outputs: path-dependent, or interventional with a background.
    ///
    /// Memory: rows x places² x outputs x 8 bytes, places being the features that splits look at; take rows in
    /// [blocks](TreeShap::interaction_blocks) or [some outputs](TreeShap::interactions_of) where that is much. Time, for
    /// each row: O(d²) for each leaf in quadrature points of ⌈d / 2⌉ / 4 lanes, and writing the result. A row's values are
    /// the same bits alone or in any batch, at any number of threads.
    ///
    /// ```
    /// use ndarray::array;
    /// use recluster::{Run, boost::Boost, explain::TreeShap};
    ///
    /// // Exclusive or: neither column alone is informative.
    /// let rows = array![[0.0f32, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [1.0, 1.0]];
    /// let run = Run::new();
    /// let model = Boost::new().rounds(5).lambda(0.0).fit_regression(&rows, &[0.0, 1.0, 1.0, 0.0, 0.0], &run)?;
    /// let together = TreeShap::new(&model).interactions(&rows, &run)?;
    /// assert_eq!(together.values().dim(), (5, 2, 2, 1));
    /// assert_eq!(together.top_pairs(&rows, 0, 1)?[0].0, 0);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Explainer::explain`](crate::Explainer::explain).
    pub fn interactions(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Interactions> {
        let outputs: Vec<usize> = (0..self.prepared.len()).collect();
        self.interactions_of(rows, &outputs, run)
    }

    /// Interaction values of some outputs, in the order given.
    ///
    /// # Errors
    /// [`Error::Output`](crate::Error::Output) for one that does not exist, else as [`TreeShap::interactions`].
    pub fn interactions_of(&self, rows: &ArrayRef2<f32>, outputs: &[usize], run: &Run) -> Result<Interactions> {
        let table = self.model.check_rows(rows)?;
        self.check_outputs(outputs)?;
        self.interact(&table, outputs, run)
    }

    /// Interaction values of all outputs, `block_rows` rows at a time; `take` receives the number of a block's first row
    /// and its values, in order; its error ends the work.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) when `block_rows` is 0; what `take` returns; else as
    /// [`TreeShap::interactions`].
    pub fn interaction_blocks(
        &self,
        rows: &ArrayRef2<f32>,
        run: &Run,
        block_rows: usize,
        mut take: impl FnMut(usize, Interactions) -> Result<()>,
    ) -> Result<()> {
        let outputs: Vec<usize> = (0..self.prepared.len()).collect();
        self.in_blocks(rows, run, block_rows, |first, table| take(first, self.interact(table, &outputs, run)?))
    }

    fn interact(&self, rows: &Rows<'_>, outputs: &[usize], run: &Run) -> Result<Interactions> {
        // The SHAP values, checked to be additive; the diagonal makes the rows sum to them.
        let why = self.attribute(rows, outputs, run)?;
        let mut features: Vec<usize> =
            outputs.iter().flat_map(|&output| self.prepared[output].used.iter().map(|&f| f as usize)).collect();
        features.sort_unstable();
        features.dedup();
        let mut place_of = vec![0u32; self.model.features()];
        features.iter().enumerate().for_each(|(place, &feature)| place_of[feature] = place as u32);
        let places = features.len();
        let mut values = Array4::zeros((rows.len(), places, places, outputs.len()));
        let stage = run.stage("interactions", rows.len());
        run.install(|| {
            let Some(values) = values.as_slice_mut() else { return };
            parallel::for_each_chunk(values, (places * places * outputs.len()).max(1), |row, values| {
                if stage.check().is_err() {
                    return;
                }
                let mut scratch = Scratch { below: vec![0.0; places * places], ..Scratch::default() };
                for (o, &output) in outputs.iter().enumerate() {
                    scratch.below.fill(0.0);
                    add(&self.prepared[output], rows.row(row), &place_of, places, &mut scratch);
                    mirror(&mut scratch.below, places);
                    let whole = why.values().slice(ndarray::s![row, .., o]);
                    for (i, &feature) in features.iter().enumerate() {
                        let line = &mut scratch.below[i * places..(i + 1) * places];
                        line[i] = whole[feature] - line.iter().sum::<f64>();
                    }
                    values.iter_mut().skip(o).step_by(outputs.len()).zip(&scratch.below).for_each(|(to, &x)| *to = x);
                }
            });
        })?;
        stage.step(rows.len())?;
        Ok(Interactions { features, columns: self.model.features(), values, base: why.base().clone() })
    }
}

/// Work space of one row.
#[derive(Default)]
struct Scratch {
    /// Interactions by place; those below the diagonal are accumulated.
    below: Vec<f64>,
    left: Vec<bool>,
    hits: Vec<u64>,
    pairs: Vec<f64>,
    work: Work,
}

crate::core::simd::multiversion! {
    /// Accumulates one output's interactions for one row, below the diagonal.
    fn add(prepared: &Prepared, row: &[f32], place_of: &[u32], places: usize, scratch: &mut Scratch) {
        let Scratch { below, left, hits, pairs, work } = scratch;
        for tree in &prepared.trees {
            left.clear();
            left.extend(tree.splits.iter().map(|split| split.goes_left(row[split.feature as usize])));
            for leaf in &tree.leaves {
                let d = leaf.features.len();
                pairs.resize((d * d.saturating_sub(1) / 2).max(pairs.len()), 0.0);
                leaf.hits(|split| left[split], hits);
                leaf.pairs(hits, &prepared.coefficients, work, pairs);
                let place = |j: usize| place_of[leaf.features[j] as usize] as usize;
                for j in 1..d {
                    let b = place(j);
                    for i in 0..j {
                        let a = place(i);
                        below[a.max(b) * places + a.min(b)] += pairs[j * (j - 1) / 2 + i];
                    }
                }
            }
        }
    }
}

/// Mirrors the lower triangle to the upper one, tile by tile.
fn mirror(matrix: &mut [f64], n: usize) {
    const TILE: usize = 16;
    for top in (0..n).step_by(TILE) {
        for left in (0..=top).step_by(TILE) {
            for i in top..(top + TILE).min(n) {
                for j in left..(left + TILE).min(i) {
                    matrix[j * n + i] = matrix[i * n + j];
                }
            }
        }
    }
}
