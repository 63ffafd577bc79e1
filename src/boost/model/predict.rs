//! Prediction: blocks of rows through all trees.

use super::compact::CompactTree;
use super::{BoostModel, Ensemble, Link};
use crate::boost::calibration::softmax;
use crate::core::shape::check_count;
use crate::core::{Rows, numerics, parallel};
use crate::{Error, Result, Run};
use ndarray::{Array2, ArrayRef2};

/// Rows that one task predicts.
const BLOCK: usize = 256;
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
    /// [`Error::Shape`] when the columns are not the model's features; [`Error::Empty`]; [`Error::NotFinite`] for
    /// infinities; [`Error::Cancelled`].
    pub fn margins(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f64>> {
        let rows = self.check_rows(rows)?;
        self.margins_of(&(0..self.outputs.len()).collect::<Vec<_>>(), &rows, run)
    }

    /// Margins of checked `rows` for some outputs, which must exist, (row, output).
    pub(crate) fn margins_of(&self, outputs: &[usize], rows: &Rows<'_>, run: &Run) -> Result<Array2<f64>> {
        let stage = run.stage("predict", rows.len());
        let blocks = run.install(|| {
            let compact = self.compact.get(|| {
                let outputs = self.outputs.iter();
                Ok(outputs.map(|output| output.trees.iter().map(CompactTree::of).collect()).collect())
            })?;
            let blocks = parallel::map_ranges(rows.len(), BLOCK, |range| {
                stage.check()?;
                let block: Vec<&[f32]> = range.map(|i| rows.row(i)).collect();
                let mut by_row = vec![0.0; block.len() * outputs.len()];
                let mut column = vec![0.0; block.len()];
                for (o, &output) in outputs.iter().enumerate() {
                    let Ensemble { base, trees } = &self.outputs[output];
                    column.fill(*base);
                    let trees = trees.iter().zip(&compact[output]);
                    trees.for_each(|(tree, compact)| compact.add(tree, &block, &mut column));
                    for (i, &margin) in column.iter().enumerate() {
                        by_row[i * outputs.len() + o] = margin;
                    }
                }
                Ok(by_row)
            });
            blocks.into_iter().collect::<Result<Vec<_>>>()
        })??;
        let all = blocks.concat();
        let (expected, found) = (rows.len() * outputs.len(), all.len());
        Array2::from_shape_vec((rows.len(), outputs.len()), all).map_err(|_| Error::Shape {
            what: "margins",
            expected,
            found,
        })
    }

    /// Predictions, rows x outputs: margins through the model's [`Link`]. For a one-versus-rest model these are the
    /// probabilities of each label against all others; a row's need not sum to 1.
    ///
    /// # Errors
    /// As [`BoostModel::margins`].
    pub fn probabilities(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f64>> {
        let mut table = self.margins(rows, run)?;
        match self.link {
            Link::Identity => {}
            Link::Logistic => table.mapv_inplace(numerics::sigmoid),
            Link::Softmax => {
                for mut row in table.rows_mut() {
                    row.as_slice_mut().into_iter().for_each(softmax);
                }
            }
        }
        Ok(table)
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
