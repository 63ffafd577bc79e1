//! The rows of a fit, given to its model again.

use super::model::HdbscanModel;
use crate::cluster::spanning::{Norm, distance, in_space, larger};
use crate::core::{Error, Result, Rows};
use crate::neighbors::Metric;
use ndarray::ArrayRef2;

/// The metric of a model that was fitted on rows.
pub(crate) fn metric_of(model: &HdbscanModel) -> Result<Metric> {
    let allowed = "rows have no place: the model was fitted on distances alone";
    model.metric().ok_or_else(|| Error::setting("rows", "given", allowed))
}

impl HdbscanModel {
    /// Checks that these are the rows of the fit: each edge of the spanning tree must have the weight of its ends.
    pub(crate) fn check_rows(&self, rows: &Rows<'_>) -> Result<()> {
        let (n, core) = (self.labels.len(), &self.fitted.core_distances);
        if rows.len() != n {
            return Err(Error::Shape { what: "rows of the fit", expected: n, found: rows.len() });
        }
        let metric = self.fitted.metric.unwrap_or_default();
        let norm = Norm::of(metric);
        let same = self.fitted.spanning.edges().all(|(a, b, weight)| {
            let between = distance(metric, norm.measure(rows.row(a), rows.row(b)));
            larger(between, larger(core[a], core[b])).to_bits() == weight.to_bits()
        });
        if same { Ok(()) } else { Err(Error::setting("rows", "others", "must be the rows of the fit, in their order")) }
    }

    /// Rows in the space of the fit.
    pub(super) fn in_space<'a>(&self, rows: &'a ArrayRef2<f32>) -> Result<Rows<'a>> {
        let rows = Rows::finite(rows)?;
        Ok(in_space(rows, metric_of(self)?))
    }
}
