//! Prediction: blocks of rows through all trees.

use super::compact::Forest;
use super::masks::ROWS;
use super::{BoostModel, Ensemble, Link};
use crate::boost::calibration::softmax;
use crate::core::numerics::sigmoid;
use crate::core::shape::check_count;
use crate::core::{AnyRows, Rows, SparseRows, parallel};
use crate::{Error, Result, Run};
use ndarray::{Array2, ArrayRef2};
use std::sync::Arc;

/// Values of sparse rows that are made dense at a time: 4 MB.
const SCRATCH: usize = 1 << 20;

impl BoostModel {
    /// Checks a table: as many columns as the model has features, NaN for missing, nothing infinite.
    pub(crate) fn check_rows<'a>(&self, rows: &'a ArrayRef2<f32>) -> Result<Rows<'a>> {
        check_count("columns of the data, as many as the model's features", self.features, rows.ncols())?;
        Rows::with_missing(rows)
    }

    /// Margins (sums of tree values and base), rows x outputs, in f64. NaN is a missing value.
    ///
    /// A row's margins are the same bits alone or in any batch. O(rows x trees x depth); the first call also reads all
    /// nodes, and keeps 16 bytes for each.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) when the columns are not the model's features;
    /// [`Error::Empty`](crate::Error::Empty); [`Error::NotFinite`](crate::Error::NotFinite) for infinities;
    /// [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn margins(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f64>> {
        let rows = self.check_rows(rows)?;
        self.margins_of(&(0..self.outputs.len()).collect::<Vec<_>>(), &rows, run)
    }

    /// Margins of sparse rows, as [`BoostModel::margins`] has them for the dense ones: 4 MB of rows are made dense at a time.
    ///
    /// # Errors
    /// As [`BoostModel::margins`].
    pub fn margins_sparse(&self, rows: &SparseRows, run: &Run) -> Result<Array2<f64>> {
        self.check_sparse(rows)?;
        self.margins_of(&(0..self.outputs.len()).collect::<Vec<_>>(), rows, run)
    }

    pub(crate) fn check_sparse(&self, rows: &SparseRows) -> Result<()> {
        check_count("columns of the data, as many as the model's features", self.features, rows.columns())
    }

    /// The trees as prediction reads them, made at first use.
    pub(crate) fn forest(&self) -> Result<Arc<Forest>> {
        self.compact.get(|| Ok(Forest::of(&self.outputs)))
    }

    fn some(&self, outputs: &[usize]) -> Vec<(usize, &Ensemble)> {
        outputs.iter().map(|&output| (output, &self.outputs[output])).collect()
    }

    /// Margins of one checked row for all outputs, by what [`forest`](BoostModel::forest) made.
    pub(crate) fn margins_of_row(&self, forest: &Forest, row: &[f32], margins: &mut [f64]) {
        for ((output, ensemble), margin) in self.outputs.iter().enumerate().zip(margins) {
            forest.margins(&[(output, ensemble)], &[row], std::slice::from_mut(margin));
        }
    }

    /// Margins of checked `rows` for some outputs, which must exist, (row, output).
    pub(crate) fn margins_of<'a>(
        &self,
        outputs: &[usize],
        rows: impl Into<AnyRows<'a>>,
        run: &Run,
    ) -> Result<Array2<f64>> {
        self.linked(outputs, rows.into(), |_| {}, run)
    }

    /// The same through a link, which gets the margins of one row at a time.
    fn linked(
        &self,
        outputs: &[usize],
        rows: AnyRows<'_>,
        link: impl Fn(&mut [f64]) + Sync + Send,
        run: &Run,
    ) -> Result<Array2<f64>> {
        let stage = run.stage("predict", rows.len());
        let count = outputs.len();
        let mut table = Array2::zeros((rows.len(), count));
        let all = table.as_slice_mut().unwrap_or_default();
        run.install(|| {
            let (forest, outputs) = (self.forest()?, self.some(outputs));
            parallel::for_each_chunk(all, ROWS * count, |b, by_row| {
                if stage.check().is_err() {
                    return;
                }
                match rows {
                    AnyRows::Dense(rows) => {
                        let mut block: [&[f32]; ROWS] = [&[]; ROWS];
                        let block = &mut block[..by_row.len() / count];
                        block.iter_mut().zip(b * ROWS..).for_each(|(to, i)| *to = rows.row(i));
                        forest.margins(&outputs, block, by_row);
                    }
                    AnyRows::Sparse(rows) => {
                        let few = (SCRATCH / rows.columns()).clamp(1, ROWS);
                        for (first, by_row) in (b * ROWS..).step_by(few).zip(by_row.chunks_mut(few * count)) {
                            let numbers: Vec<u32> = (first..).map(|i| i as u32).take(by_row.len() / count).collect();
                            let dense = rows.dense(&numbers);
                            let block: Vec<&[f32]> =
                                dense.rows().into_iter().filter_map(|row| row.to_slice()).collect();
                            forest.margins(&outputs, &block, by_row);
                        }
                    }
                }
                by_row.chunks_exact_mut(count).for_each(&link);
            });
            stage.check()
        })??;
        Ok(table)
    }

    /// Predictions, rows x outputs: margins through the model's [`Link`]. For a one-versus-rest model these are the
    /// probabilities of each label against all others; a row's need not sum to 1.
    ///
    /// # Errors
    /// As [`BoostModel::margins`].
    pub fn probabilities(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f64>> {
        self.probabilities_of((&self.check_rows(rows)?).into(), run)
    }

    /// Predictions for sparse rows, as [`BoostModel::probabilities`] has them for the dense ones.
    ///
    /// # Errors
    /// As [`BoostModel::margins`].
    pub fn probabilities_sparse(&self, rows: &SparseRows, run: &Run) -> Result<Array2<f64>> {
        self.check_sparse(rows)?;
        self.probabilities_of(rows.into(), run)
    }

    fn probabilities_of(&self, rows: AnyRows<'_>, run: &Run) -> Result<Array2<f64>> {
        let outputs: Vec<usize> = (0..self.outputs.len()).collect();
        match self.link {
            Link::Identity => self.margins_of(&outputs, rows, run),
            Link::Logistic => self.linked(&outputs, rows, |row| row.iter_mut().for_each(|x| *x = sigmoid(*x)), run),
            Link::Softmax => self.linked(&outputs, rows, softmax, run),
        }
    }

    /// The output of the highest margin for each row, the first of equals: the label of a one-versus-rest model.
    ///
    /// # Errors
    /// As [`BoostModel::margins`], which has the predictions of a regression; [`Error::Setting`] for such a model.
    pub fn labels(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Vec<i32>> {
        if self.link == Link::Identity {
            return Err(Error::setting("model", "a regression", "must have labels; its predictions are its margins"));
        }
        let table = self.margins(rows, run)?;
        Ok(table
            .outer_iter()
            .map(|row| (1..row.len()).fold(0, |best, o| if row[o] > row[best] { o } else { best }) as i32)
            .collect())
    }
}
