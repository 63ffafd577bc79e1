//! Prediction: blocks of rows through all trees.

use super::compact::Forest;
use super::masks::ROWS;
use super::{BoostModel, Ensemble, Link};
use crate::boost::calibration::softmax;
use crate::core::numerics::sigmoid;
use crate::core::shape::check_count;
use crate::core::{Rows, parallel};
use crate::{Result, Run};
use ndarray::{Array2, ArrayRef2};
use std::sync::Arc;

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
    pub(crate) fn margins_of(&self, outputs: &[usize], rows: &Rows<'_>, run: &Run) -> Result<Array2<f64>> {
        self.linked(outputs, rows, |_| {}, run)
    }

    /// The same through a link, which gets the margins of one row at a time.
    fn linked(
        &self,
        outputs: &[usize],
        rows: &Rows<'_>,
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
                let mut block: [&[f32]; ROWS] = [&[]; ROWS];
                let block = &mut block[..by_row.len() / count];
                block.iter_mut().zip(b * ROWS..).for_each(|(to, i)| *to = rows.row(i));
                forest.margins(&outputs, block, by_row);
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
        let rows = self.check_rows(rows)?;
        let outputs: Vec<usize> = (0..self.outputs.len()).collect();
        match self.link {
            Link::Identity => self.margins_of(&outputs, &rows, run),
            Link::Logistic => self.linked(&outputs, &rows, |row| row.iter_mut().for_each(|x| *x = sigmoid(*x)), run),
            Link::Softmax => self.linked(&outputs, &rows, softmax, run),
        }
    }

    /// The output of the highest margin for each row, the first of equals: the label of a one-versus-rest model.
    ///
    /// # Errors
    /// As [`BoostModel::margins`].
    pub fn labels(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Vec<i32>> {
        let table = self.margins(rows, run)?;
        Ok(table
            .outer_iter()
            .map(|row| (1..row.len()).fold(0, |best, o| if row[o] > row[best] { o } else { best }) as i32)
            .collect())
    }
}
