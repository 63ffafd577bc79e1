//! Columns brought to one scale before any embedder.

use crate::core::{Canonical, Rows, parallel};
use crate::{Embedded, Embedder, Error, Prepared, Result, Run, Settings, SparseRows};
use ndarray::{Array2, ArrayRef2};
use std::borrow::Cow;

/// How columns are brought to one scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Scaling {
    /// As they are.
    #[default]
    None,
    /// Mean 0, standard deviation 1 (over rows, not rows − 1).
    Standard,
    /// Median 0, interquartile range 1; where half the rows agree and that range is 0, the range of all values.
    Robust,
}

/// An embedder that scales the columns of the rows it is given, anew each time, before handing them on.
///
/// Columns on unlike scales make an embedding meaningless: the widest decides alone. A constant column becomes 0.
///
/// ```
/// use recluster::embed::{Pca, Scaled, Scaling};
/// use recluster::{Embedder, Run};
/// let rows = ndarray::array![[0.0f32, 1e6], [1.0, 3e6], [2.0, 2e6]];
/// let embedding = Scaled::new(Pca::new(2), Scaling::Standard).embed(&rows, &Run::new())?;
/// assert_eq!(embedding.dim(), (3, 2));
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Scaled<E> {
    embedder: E,
    scaling: Scaling,
}

impl<E> Scaled<E> {
    /// Puts scaling in front of an embedder.
    pub fn new(embedder: E, scaling: Scaling) -> Self {
        Scaled { embedder, scaling }
    }

    /// The embedder behind.
    pub fn embedder(&self) -> &E {
        &self.embedder
    }
}

impl Scaling {
    /// The scaled table, n x columns.
    ///
    /// # Errors
    /// [`Error::Empty`]; [`Error::NotFinite`]; [`Error::Overflow`] for a value beyond f32 once it is scaled, which takes a
    /// column of which half the values or more are next to equal, and [`Scaling::Robust`].
    pub fn apply(self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
        let checked = Rows::finite(rows)?;
        if self == Scaling::None {
            return Ok(rows.to_owned());
        }
        run.install(|| {
            let order = Canonical::of(&checked).order;
            let frames: Vec<(f64, f64)> = parallel::map_ranges(checked.columns(), 8, |range| {
                range.map(|c| self.frame(&order, |i| checked.row(i)[c])).collect::<Vec<_>>()
            })
            .concat();
            let scaled = Array2::from_shape_fn(checked_dim(&checked), |(i, c)| {
                let (centre, width) = frames[c];
                if width > 0.0 { ((f64::from(checked.row(i)[c]) - centre) / width) as f32 } else { 0.0 }
            });
            let beyond = scaled.indexed_iter().filter(|(_, value)| !value.is_finite());
            let Some(column) = beyond.map(|((_, column), _)| column).min() else { return Ok(scaled) };
            let (centre, spread) = frames[column];
            // To blame is the farthest value, the first in canonical order of several.
            let far = |row: usize| (f64::from(checked.row(row)[column]) - centre).abs();
            let rows = order.iter().map(|&row| row as usize);
            let row = rows.reduce(|a, b| if far(b) > far(a) { b } else { a }).unwrap_or(0);
            Err(Error::Overflow { row, column, value: checked.row(row)[column], spread })
        })?
    }

    /// Centre and width of one column; the sums walk the rows in canonical order.
    fn frame(self, order: &[u32], value: impl Fn(usize) -> f32) -> (f64, f64) {
        let mut values: Vec<f64> = order.iter().map(|&i| f64::from(value(i as usize))).collect();
        match self {
            Scaling::None => (0.0, 1.0),
            Scaling::Standard => {
                let n = values.len() as f64;
                let mean = values.iter().sum::<f64>() / n;
                let square = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
                // What rounding leaves of a constant column is no spread.
                let width = square.sqrt();
                (mean, if width > 1e-12 * mean.abs() { width } else { 0.0 })
            }
            Scaling::Robust => {
                values.sort_by(f64::total_cmp);
                let at = |share: f64| {
                    let place = share * (values.len() - 1) as f64;
                    let below = place.floor() as usize;
                    let above = (below + 1).min(values.len() - 1);
                    values[below] + (place - below as f64) * (values[above] - values[below])
                };
                let middle = at(0.75) - at(0.25);
                (at(0.5), if middle > 0.0 { middle } else { at(1.0) - at(0.0) })
            }
        }
    }
}

fn checked_dim(rows: &Rows<'_>) -> (usize, usize) {
    (rows.len(), rows.columns())
}

impl<E: Embedder> Embedder for Scaled<E> {
    fn embed(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
        match self.scaling {
            Scaling::None => self.embedder.embed(rows, run),
            scaling => self.embedder.embed(&scaling.apply(rows, run)?, run),
        }
    }

    fn embed_in_full(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Embedded> {
        match self.scaling {
            Scaling::None => self.embedder.embed_in_full(rows, run),
            scaling => self.embedder.embed_in_full(&scaling.apply(rows, run)?, run),
        }
    }

    fn prepare<'a>(&'a self, rows: Cow<'a, ArrayRef2<f32>>, run: &Run) -> Result<Box<dyn Prepared + 'a>> {
        match self.scaling {
            Scaling::None => self.embedder.prepare(rows, run),
            // All parts are scaled as the whole is.
            scaling => self.embedder.prepare(Cow::Owned(scaling.apply(&rows, run)?), run),
        }
    }

    fn prepare_sparse<'a>(&'a self, rows: Cow<'a, SparseRows>, run: &Run) -> Result<Box<dyn Prepared + 'a>> {
        let allowed = "must be none for sparse rows, which it would make dense";
        match self.scaling {
            Scaling::None => self.embedder.prepare_sparse(rows, run),
            scaling => Err(Error::setting("scaling", format!("{scaling:?}"), allowed)),
        }
    }

    fn takes_missing(&self) -> bool {
        self.scaling == Scaling::None && self.embedder.takes_missing()
    }

    fn name(&self) -> String {
        self.embedder.name()
    }

    fn settings(&self) -> Settings {
        self.embedder.settings().with("scaling", format!("{:?}", self.scaling))
    }
}
