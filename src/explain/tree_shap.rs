//! The explainer of boosted trees.

use super::prepared::{self, Prepared, gap};
use super::sums::attribution_sums;
use super::tables::BLOCK;
use crate::boost::{BoostModel, Tree};
use crate::core::Rows;
use crate::core::shape::{check_count, check_output};
use crate::{Error, Explainer, Explanation, NOISE, Result, Run};
use ndarray::{Array2, ArrayRef2, Axis};
use std::sync::Arc;

/// Exact SHAP values of a [`BoostModel`], in f64, for its margins (log-odds of a classifier).
///
/// A coalition's absent features are by default averaged by the training rows' cover (*path-dependent* values);
/// [`with_counts`](TreeShap::with_counts) weighs by the rows of a table instead, and
/// [`with_background`](TreeShap::with_background) takes absent features from the rows of a background (*interventional*
/// values). Numeric and categorical splits; missing values follow each split's default side.
///
/// Attributions of a row and the base value sum to its margin; each run checks this to 1e-9 of the margin's scale.
/// A row's attributions are the same bits alone or in any batch, at any number of threads, with a background in any order.
///
/// Cost for each row: in batches, for each unit of neighbouring leaves (a subtree whose distinct features above and splits
/// within are at most 8 together), O(features of the unit) look-ups; at a leaf of more features an uncommon pattern takes
/// O(d²), or with a background O(d x its different patterns).
///
/// ```
/// use ndarray::array;
/// use recluster::{Explainer, Run, boost::Boost, explain::TreeShap};
///
/// let (rows, run) = (array![[0.0f32, 1.0], [0.1, 3.0], [0.9, 2.0], [1.0, 1.5]], Run::new());
/// let model = Boost::new().rounds(20).min_child_weight(0.0).fit(&rows, &[0, 0, 1, 1], &run)?;
/// let why = TreeShap::new(&model).explain(&rows, &run)?;
/// assert_eq!(why.values().dim(), (4, 2, 2)); // rows, features, outputs
/// let margins = model.margins(&rows, &run)?;
/// assert!((&why.outputs() - &margins).iter().all(|difference| difference.abs() < 1e-12));
/// // Against a background the base value is the mean margin of its rows.
/// let why = TreeShap::new(&model).with_background(&rows, &run)?.explain(&rows, &run)?;
/// assert!((why.base()[0] - margins.column(0).sum() / 4.0).abs() < 1e-12);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct TreeShap<'a> {
    pub(super) model: &'a BoostModel,
    /// One for each output.
    pub(super) prepared: Arc<Vec<Prepared>>,
}

impl<'a> TreeShap<'a> {
    /// An explainer of all outputs of a model, path-dependent by the training rows' cover, that is their sums of second
    /// derivatives, as in XGBoost. Lists the paths of its trees, O(nodes x depth) in time and memory; worth keeping where
    /// rows come one by one.
    pub fn new(model: &'a BoostModel) -> Self {
        Self::with(model, Arc::new(Prepared::all(model)))
    }

    /// From what [`Prepared::all`] made of the model.
    pub(super) fn with(model: &'a BoostModel, prepared: Arc<Vec<Prepared>>) -> Self {
        TreeShap { model, prepared }
    }

    /// Weighs the sides of each split by how many of `rows` (n x features, NaN for missing) go there, instead of by sums
    /// of second derivatives: with the training rows this is LightGBM's cover. At a split that no row reaches both sides
    /// have equal weight. Replaces a background. O(rows x nodes visited).
    ///
    /// # Errors
    /// [`Error::Shape`] when the columns are not the model's features; [`Error::Empty`]; [`Error::NotFinite`] for
    /// infinities; [`Error::Cancelled`].
    pub fn with_counts(mut self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Self> {
        let table = self.model.check_rows(rows)?;
        let (model, stage) = (self.model, run.stage("count rows", self.prepared.len()));
        for (output, ensemble) in model.outputs().iter().enumerate() {
            let count = |tree: &Tree| counts(tree, &table);
            Arc::make_mut(&mut self.prepared)[output] = run.install(|| Prepared::of(ensemble, count))?;
            stage.step(output + 1)?;
        }
        Ok(self)
    }

    /// Takes absent features from each row of `background` (rows x features, NaN for missing) and averages: interventional
    /// SHAP values (Janzing, Minorics and Blöbaum, "Feature relevance quantification in explainable AI", AISTATS 2020).
    /// The base value is the mean margin of the background. Some hundred representative rows are usual.
    ///
    /// O(background rows x nodes), once; what a row then costs does not depend on the number of background rows, but for
    /// leaves of more than 8 distinct features.
    ///
    /// # Errors
    /// As [`with_counts`](TreeShap::with_counts).
    pub fn with_background(mut self, background: &ArrayRef2<f32>, run: &Run) -> Result<Self> {
        let table = self.model.check_rows(background)?;
        let stage = run.stage("background", self.prepared.len());
        for (output, ensemble) in self.model.outputs().iter().enumerate() {
            let prepared = Arc::make_mut(&mut self.prepared);
            run.install(|| prepared[output].set_background(ensemble, &table))?;
            stage.step(output + 1)?;
        }
        Ok(self)
    }

    /// Explains some outputs only; the explanation's outputs are these, in the order given.
    ///
    /// # Errors
    /// [`Error::Output`] for one that does not exist, else as [`Explainer::explain`].
    pub fn explain_outputs(&self, rows: &ArrayRef2<f32>, outputs: &[usize], run: &Run) -> Result<Explanation> {
        let table = self.model.check_rows(rows)?;
        self.check_outputs(outputs)?;
        self.attribute(&table, outputs, run)
    }

    /// Explains one output for the rows of its label only: why a cluster's rows are in it. Returns the numbers of these
    /// rows, ascending, and their explanation for the one output.
    ///
    /// # Errors
    /// [`Error::Shape`] when there is not one label for each row; [`Error::Output`] for one that does not exist; [`Error::Empty`] when no
    /// row has the label; else as [`Explainer::explain`].
    pub fn explain_own(
        &self,
        rows: &ArrayRef2<f32>,
        labels: &[i32],
        output: usize,
        run: &Run,
    ) -> Result<(Vec<usize>, Explanation)> {
        check_count("labels, one for each row", rows.nrows(), labels.len())?;
        let own: Vec<usize> = (0..labels.len()).filter(|&i| usize::try_from(labels[i]) == Ok(output)).collect();
        let why = self.explain_outputs(&rows.select(Axis(0), &own), &[output], run)?;
        Ok((own, why))
    }

    /// Explains all outputs, `block_rows` rows at a time, so that the attributions of all rows need not fit into memory.
    /// `take` is lent a block's explanation, with the number of the block's first row, in order; its error ends the work.
    /// All blocks are written to the same memory and share the tables of the trees where these take up to 256 MB;
    /// [`block_rows`](TreeShap::block_rows) is a good size.
    ///
    /// # Errors
    /// [`Error::Setting`] when `block_rows` is 0; what `take` returns; else as [`Explainer::explain`].
    pub fn explain_blocks(
        &self,
        rows: &ArrayRef2<f32>,
        run: &Run,
        block_rows: usize,
        mut take: impl FnMut(usize, &Explanation) -> Result<()>,
    ) -> Result<()> {
        let outputs: Vec<usize> = (0..self.prepared.len()).collect();
        let mut memory = Vec::new();
        self.in_blocks(rows, run, block_rows, |first, table| {
            let why = self.attribute_in(std::mem::take(&mut memory), table, &outputs, run)?;
            take(first, &why)?;
            memory = why.into_memory();
            Ok(())
        })
    }

    /// Rows of a block that suits [`explain_blocks`](TreeShap::explain_blocks): their attributions take about 16 MB, which
    /// caches hold, if these are 512 rows; at most 256 MB, and so much where tables of the trees are too large to be kept from block to block.
    pub fn block_rows(&self) -> usize {
        let row = 8 * self.model.features().max(1) * self.prepared.len().max(1);
        let size = if prepared::keeps(&self.prepared) { 1 << 24 } else { 1 << 28 };
        // Whole pieces of work, an even number of them.
        (size / row).max(1).next_multiple_of(2 * BLOCK).min((1 << 28) / row).max(1)
    }

    /// Mean absolute attribution of each feature to each output over `rows`, (feature, output): the SHAP importance of
    /// a model's features for these rows, in the unit of the margins. Memory does not grow with the rows; the same bits
    /// with the rows in any order.
    ///
    /// # Errors
    /// As [`Explainer::explain`].
    pub fn mean_absolute(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f64>> {
        Ok(attribution_sums(self, rows, &vec![NOISE; rows.nrows()], run)?.mean_absolute)
    }

    /// The additivity error of an explanation of `rows` for all outputs: the largest difference between a row's margin and
    /// the sum of its attributions and base value, relative to the larger of 1, the margin and the attributions.
    ///
    /// # Errors
    /// [`Error::Shape`] when the explanation is not of these rows and this model; else as [`BoostModel::margins`].
    pub fn additivity(&self, rows: &ArrayRef2<f32>, explanation: &Explanation, run: &Run) -> Result<f64> {
        let margins = self.model.margins(rows, run)?;
        let sums = explanation.outputs();
        for (expected, found) in [(margins.nrows(), sums.nrows()), (margins.ncols(), sums.ncols())] {
            check_count("explanation of these rows and outputs", expected, found)?;
        }
        let sizes = explanation.values().mapv(f64::abs).sum_axis(Axis(1));
        let gaps = margins.iter().zip(&sums).zip(&sizes);
        Ok(gaps.map(|((&margin, &sum), &size)| gap(margin, sum, size)).fold(0.0, f64::max))
    }

    /// Calls `work` with `block_rows` checked rows at a time and the number of the first.
    pub(super) fn in_blocks(
        &self,
        rows: &ArrayRef2<f32>,
        run: &Run,
        block_rows: usize,
        mut work: impl FnMut(usize, &Rows<'_>) -> Result<()>,
    ) -> Result<()> {
        if block_rows == 0 {
            return Err(Error::setting("block_rows", block_rows, "must be at least 1"));
        }
        let table = self.model.check_rows(rows)?;
        let (stage, all) = (run.stage("explain blocks", table.len()), table.view());
        self.keep_tables(&(0..self.prepared.len()).collect::<Vec<_>>(), &table, run)?;
        let mut first = 0;
        while first < rows.nrows() {
            let end = first.saturating_add(block_rows).min(rows.nrows());
            work(first, &Rows::known(&all.slice(ndarray::s![first..end, ..])))?;
            stage.step(end)?;
            first = end;
        }
        Ok(())
    }

    /// Refuses outputs that do not exist.
    pub(super) fn check_outputs(&self, outputs: &[usize]) -> Result<()> {
        outputs.iter().try_for_each(|&output| check_output(self.prepared.len(), output))
    }

    /// Attributions of checked rows for existing outputs.
    pub(super) fn attribute(&self, rows: &Rows<'_>, outputs: &[usize], run: &Run) -> Result<Explanation> {
        self.keep_tables(outputs, rows, run)?;
        self.attribute_in(Vec::new(), rows, outputs, run)
    }

    /// The same in memory that is new or had the attributions of other rows for the same outputs.
    fn attribute_in(&self, memory: Vec<f64>, rows: &Rows<'_>, outputs: &[usize], run: &Run) -> Result<Explanation> {
        let stage = run.stage("explain", outputs.len());
        let margins = self.model.margins_of(outputs, rows, run)?;
        let shape = (rows.len(), self.model.features(), outputs.len());
        let mut values = Explanation::in_memory(memory, shape);
        let base = outputs.iter().map(|&output| self.prepared[output].base).collect();
        let prepared = self.some(outputs);
        run.install(|| prepared::write(&prepared, rows, &margins, &mut values, &stage))??;
        Explanation::new(values, base)
    }

    /// Makes the tables of some outputs, if they are to be kept.
    fn keep_tables(&self, outputs: &[usize], rows: &Rows<'_>, run: &Run) -> Result<()> {
        match prepared::keeps(&self.prepared) {
            true => run.install(|| prepared::keep(&self.some(outputs), rows))?,
            false => Ok(()),
        }
    }

    fn some(&self, outputs: &[usize]) -> Vec<&Prepared> {
        outputs.iter().map(|&output| &self.prepared[output]).collect()
    }
}

/// How many rows go through each node of a tree.
fn counts(tree: &Tree, rows: &Rows<'_>) -> Vec<f64> {
    let mut counts = vec![0.0; tree.len()];
    for i in 0..rows.len() {
        tree.descend(rows.row(i), |node| counts[node] += 1.0);
    }
    counts
}

impl Explainer for TreeShap<'_> {
    /// Explains all outputs.
    ///
    /// # Errors
    /// [`Error::Shape`] when the columns are not the model's features; [`Error::Empty`]; [`Error::NotFinite`] for
    /// infinities; [`Error::Cancelled`]; [`Error::Contract`] if attributions are not additive to 1e-9, which cannot happen
    /// with finite sums of a model's values.
    fn explain(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Explanation> {
        let outputs: Vec<usize> = (0..self.prepared.len()).collect();
        self.explain_outputs(rows, &outputs, run)
    }

    fn explain_in_blocks(
        &self,
        rows: &ArrayRef2<f32>,
        block_rows: usize,
        run: &Run,
        take: &mut dyn FnMut(usize, &Explanation) -> Result<()>,
    ) -> Result<()> {
        self.explain_blocks(rows, run, block_rows, take)
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::boost::Boost;
    use crate::core::simd::narrowed::to_baseline;

    #[test]
    fn a_lesser_processor_says_the_same_bits() {
        let rows = Array2::from_shape_fn((300, 12), |(i, j)| ((i * 31 + j * 17 + i * i * j) % 23) as f32);
        let targets: Vec<f32> = rows.outer_iter().map(|row| row[0] * row[1] - row[2] * row[3] + row[4]).collect();
        let run = Run::new();
        for depth in [4, 12] {
            let model = Boost::new().rounds(6).max_depth(depth).fit_regression(&rows, &targets, &run).unwrap();
            let (plain, few) = (TreeShap::new(&model), rows.slice(ndarray::s![..20, ..]));
            for shap in [plain.clone().with_background(&few, &run).unwrap(), plain] {
                let all = || (shap.explain(&rows, &run).unwrap(), shap.interactions(&few, &run).unwrap());
                assert_eq!(to_baseline(all), all());
            }
        }
    }
}
