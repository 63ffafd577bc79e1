//! Metrics that a spanning tree is found for: the space of their rows, and their distances from sums over the columns.

use crate::core::random::Stream;
use crate::core::{Error, Result, Rows};
use crate::neighbors::{Metric, Space};
use ndarray::{Array2, ArrayRef2};

/// Metrics that a spanning tree is found for.
const METRICS: [Metric; 5] =
    [Metric::Euclidean, Metric::Manhattan, Metric::Chebyshev, Metric::Cosine, Metric::Correlation];

/// Whether a spanning tree can be found for the metric.
pub(crate) fn check_metric(metric: Metric) -> Result<()> {
    let allowed = "must be euclidean, manhattan, chebyshev, cosine or correlation, or come as distances";
    if METRICS.contains(&metric) { Ok(()) } else { Err(Error::setting("metric", metric, allowed)) }
}

/// A table as rows in which the metric is a sum over the columns; see [`in_space`].
///
/// # Errors
/// Those of [`check_metric`] and of the table.
pub(crate) fn metric_rows(table: &ArrayRef2<f32>, metric: Metric) -> Result<Rows<'_>> {
    check_metric(metric)?;
    Ok(in_space(Rows::finite(table)?, metric))
}

/// The rows in which the metric is a sum over the columns: unit vectors for angles, else the rows themselves.
pub(crate) fn in_space(rows: Rows<'_>, metric: Metric) -> Rows<'_> {
    if !matches!(metric, Metric::Cosine | Metric::Correlation) {
        return rows;
    }
    let all: Vec<u32> = (0..rows.len() as u32).collect();
    let space = Space::learn(&rows, &all[..1], &metric.into(), Stream::new(0, 0));
    let points = space.points(&rows, &all);
    Rows::owned(Array2::from_shape_fn((rows.len(), rows.columns() + 1), |(i, j)| points.full(i)[j]))
}

/// The distance that a raw value stands for.
pub(crate) fn distance(metric: Metric, raw: f64) -> f64 {
    match metric {
        Metric::Euclidean => raw.sqrt(),
        Metric::Cosine | Metric::Correlation => 0.5 * raw,
        _ => raw,
    }
}
