//! From the picture back to rows.
//!
//! A point of the picture becomes the mean of the k fitted rows nearest to it there, weighed by the fitted curve
//! φ(d) = 1 / (1 + a d^(2b)) less its value at the (k + 1)-th, so that a row fades out before it leaves the list and the
//! result changes smoothly with the point. That mean minimises Σ w |x − x_j|² in the input space.
//!
//! umap-learn starts from such a mean (of as many rows as there are columns) and then descends a cross-entropy between
//! the curve and the fitted rows' memberships. Its force on each row has a fixed length whatever the distance; descending
//! it took every result we tried farther from the true rows, so it is left out: see `docs/umap.md` for the figures.

use super::UmapModel;
use crate::core::random::Stream;
use crate::core::{Rows, parallel};
use crate::neighbors::{Measure, Metric, Space, finish, nearest_exact};
use crate::{Error, Result, Run};
use ndarray::{Array2, ArrayRef2};

/// How much of the (k + 1)-th weight is left on, so that equally far rows keep a weight.
const LEFT: f64 = 1e-9;

impl UmapModel {
    /// What rows the given points of the picture (n x components) stand for: n x columns of the fit.
    ///
    /// A point's row is the same alone or in any batch. It is made of the `n_neighbors` fitted rows nearest to it in the
    /// picture, never of rows that had no part in the layout; a point far outside the picture has the row of its edge.
    ///
    /// # Errors
    /// [`Error::Setting`] for a metric other than the Euclidean, whose means have no meaning; [`Error::Shape`] when the
    /// columns are not the components of the fit; [`Error::Empty`]; [`Error::NotFinite`]; [`Error::Cancelled`].
    ///
    /// # Cost
    /// An exact search among the fitted positions, then O(n x n_neighbors x columns).
    pub fn inverse_transform(&self, positions: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
        let metric = &self.settings.metric;
        if !matches!(metric.built_in(), Some(Metric::Euclidean | Metric::SquaredEuclidean)) {
            return Err(Error::setting("metric", metric.name(), "must be euclidean or its square to go back to rows"));
        }
        let positions = Rows::finite(positions)?;
        let (expected, found) = (self.positions.ncols(), positions.columns());
        if expected != found {
            return Err(Error::Shape { what: "columns, the fit's components", expected, found });
        }
        run.install(|| self.rows_at(&positions, run))?
    }

    fn rows_at(&self, positions: &Rows<'_>, run: &Run) -> Result<Array2<f32>> {
        let fitted = Rows::finite(&self.positions)?;
        let points = Rows::finite(&self.points)?;
        let laid_out: Vec<u32> = (0..fitted.len() as u32).filter(|v| self.outside.binary_search(v).is_err()).collect();
        let picked = if laid_out.is_empty() { (0..fitted.len() as u32).collect() } else { laid_out };
        let k = self.graph.neighbors.min(picked.len());
        let all: Vec<u32> = (0..positions.len() as u32).collect();
        let euclidean = Measure::default();
        let space = Space::learn(&fitted, &picked, &euclidean, Stream::new(self.key, super::PURPOSE));
        let lists = nearest_exact(
            &space.points(&fitted, &picked),
            &space.points(positions, &all),
            false,
            (k + 1).min(picked.len()),
            run,
        )?;
        let stage = run.stage("rows of points", positions.len());
        let columns = points.columns();
        let blocks = parallel::map_ranges(positions.len(), 32, |range| -> Result<Vec<f32>> {
            stage.check()?;
            let mut block = Vec::with_capacity(range.len() * columns);
            for i in range {
                let found: Vec<(u32, f64)> = finish(&lists, i, &euclidean, space.scale())
                    .map(|(at, d)| (picked[at as usize], self.fade(f64::from(d))))
                    .collect();
                let last = found.get(k).map_or(0.0, |beyond| beyond.1);
                let mut sums = vec![0.0f64; columns];
                let mut total = 0.0;
                for &(v, weight) in found.iter().take(k) {
                    let weight = weight - (1.0 - LEFT) * last;
                    total += weight;
                    sums.iter_mut().zip(points.row(v as usize)).for_each(|(s, &x)| *s += weight * f64::from(x));
                }
                if total > 0.0 {
                    block.extend(sums.iter().map(|s| (s / total) as f32));
                } else if let Some(&(nearest, _)) = found.first() {
                    // So far out that every weight is nothing.
                    block.extend(points.row(nearest as usize));
                }
            }
            Ok(block)
        });
        let mut values = Vec::with_capacity(positions.len() * columns);
        for block in blocks {
            values.extend(block?);
        }
        stage.step(positions.len())?;
        let found = values.len();
        Array2::from_shape_vec((positions.len(), columns), values).map_err(|_| Error::Shape {
            what: "values",
            expected: positions.len() * columns,
            found,
        })
    }

    /// The fitted curve.
    fn fade(&self, distance: f64) -> f64 {
        1.0 / (1.0 + self.a * libm::pow(distance, 2.0 * self.b))
    }
}
