//! Random projections: distances survive a random matrix of enough columns (Johnson, Lindenstrauss 1984).
//!
//! Gaussian entries N(0, 1/k) (Dasgupta, Gupta 2003, "An elementary proof of a theorem of Johnson and Lindenstrauss"), or
//! sparse ones: ±√(1 / (s k)) with probability s / 2 each, else 0 (s = 1/3: Achlioptas 2003, "Database-friendly random
//! projections"; s = 1/√columns: Li, Hastie, Church 2006, "Very sparse random projections").
//!
//! An entry is a function of (run key, column, component) alone, so nothing depends on the rows: a row has the same place
//! in any table, in any order, alone or not.

use super::narrow;
use super::sparse::SparseAnew;
#[cfg(feature = "serde")]
use crate::core::checks;
use crate::core::linalg::product;
use crate::core::random::Stream;
use crate::core::{Rows, Settings, parallel, setting_by_debug, settings_of};
use crate::{Embedder, Error, Prepared, Result, Run, SparseRows};
use ndarray::{Array2, ArrayRef2};
use std::borrow::Cow;

const PURPOSE: u64 = 0x7270_726f_6a65_6374;
/// Rows in a piece of parallel work.
const PIECE: usize = 64;

/// Random projection: a builder.
///
/// ```
/// use recluster::{Run, embed::RandomProjection};
/// let rows = ndarray::Array2::from_shape_fn((50, 1000), |(i, j)| ((i * 31 + j * 17) % 101) as f32);
/// let model = RandomProjection::new(20).fit(&rows, &Run::new().seed(1))?;
/// assert_eq!(model.transform(&rows, &Run::new())?.dim(), (50, 20));
/// // So many that all distances stay within 10 % of what they were, for a million rows.
/// assert_eq!(RandomProjection::components_within(0.1, 1_000_000)?, 11_842);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default = "unset", deny_unknown_fields))]
#[must_use]
pub struct RandomProjection {
    size: Size,
    entries: Entries,
}

#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Size {
    Components(usize),
    Within(f64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Entries {
    Gaussian,
    /// 1 / √columns.
    VerySparse,
    /// The share of entries that are not 0.
    Sparse(f64),
}

setting_by_debug!(Size, Entries);

/// A random matrix that rows are multiplied by. Plain data.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RandomProjectionModel {
    components: usize,
    matrix: Matrix,
}

#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Matrix {
    /// columns x components, row after row.
    Dense { columns: usize, entries: Vec<f64> },
    /// For each column the components it goes to, with a sign; all to be multiplied by `scale`.
    Sparse { columns: Vec<Vec<(u32, bool)>>, scale: f64 },
}

#[cfg(feature = "serde")]
impl crate::Saved for RandomProjectionModel {
    const FORMAT: &'static str = "recluster random projection";
    const VERSION: u64 = 1;

    fn validate(&self) -> checks::Check {
        /// A column of the result costs memory even where no entry of a sparse matrix goes to it.
        const MOST_EMPTY: usize = 1 << 20;
        let k = self.components;
        checks::that(k > 0 && self.columns() > 0, || format!("{k} components of {} columns", self.columns()))?;
        match &self.matrix {
            Matrix::Dense { columns, entries } => {
                let fits = entries.len().is_multiple_of(k) && entries.len() / k == *columns;
                checks::that(fits, || format!("{} entries of {columns} columns x {k} components", entries.len()))?;
                checks::narrow("entries", entries)
            }
            Matrix::Sparse { columns, scale } => {
                let entries = columns.iter().map(Vec::len).sum::<usize>();
                checks::that(k <= entries.max(MOST_EMPTY), || format!("{k} components of {entries} entries"))?;
                checks::each("scale", [*scale], |scale| scale > 0.0 && scale <= f64::from(f32::MAX))?;
                for (c, entries) in columns.iter().enumerate() {
                    let to: Vec<u32> = entries.iter().map(|entry| entry.0).collect();
                    checks::rising(&format!("entries of column {c}"), &to, k)?;
                }
                Ok(())
            }
        }
    }
}

/// What settings in a file do not say. The number of components they must: 0 is refused where it is used.
#[cfg(feature = "serde")]
fn unset() -> RandomProjection {
    RandomProjection::new(0)
}

impl RandomProjection {
    /// To this many columns; Gaussian entries.
    pub fn new(n_components: usize) -> Self {
        RandomProjection { size: Size::Components(n_components), entries: Entries::Gaussian }
    }

    /// To as many columns as keep all squared distances within a factor of 1 ± `eps`, `eps` in (0, 1), with a fair chance:
    /// [`components_within`](RandomProjection::components_within) of the rows at hand.
    pub fn within(eps: f64) -> Self {
        RandomProjection { size: Size::Within(eps), entries: Entries::Gaussian }
    }

    /// Entries of which one in √columns is not 0: √columns times less work, for tables of hundreds of columns or more.
    pub fn sparse(mut self) -> Self {
        self.entries = Entries::VerySparse;
        self
    }

    /// Entries of which this share is not 0, in (0, 1]; 1/3 are Achlioptas's.
    pub fn density(mut self, share: f64) -> Self {
        self.entries = Entries::Sparse(share);
        self
    }

    /// The least k with k ≥ 4 ln(rows) / (ε²/2 − ε³/3) (Dasgupta, Gupta 2003, theorem 2.1). scikit-learn rounds down where
    /// this rounds up.
    ///
    /// # Errors
    /// [`Error::Setting`] for an `eps` outside (0, 1).
    pub fn components_within(eps: f64, rows: usize) -> Result<usize> {
        if !(eps > 0.0 && eps < 1.0) {
            return Err(Error::setting("eps", eps, "must be above 0 and below 1"));
        }
        let bound = 4.0 * libm::log(rows.max(1) as f64) / (eps * eps / 2.0 - eps * eps * eps / 3.0);
        // Casts end at the largest usize.
        Ok((libm::ceil(bound) as usize).max(1))
    }

    /// Draws the matrix. The rows' values play no part, their number and their columns do.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0 components, an `eps` outside (0, 1) or so small that more components than columns are
    /// needed, a density outside (0, 1]; [`Error::Empty`]; [`Error::NotFinite`]; [`Error::Cancelled`].
    ///
    /// # Cost
    /// O(columns x components) in time; memory as many numbers, or that times the density.
    pub fn fit(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<RandomProjectionModel> {
        let rows = Rows::finite(rows)?;
        self.draw(rows.len(), rows.columns(), run)
    }

    /// The same for sparse rows: the matrix of a dense table of as many rows and columns.
    ///
    /// # Errors
    /// Those of [`RandomProjection::fit`].
    pub fn fit_sparse(&self, rows: &SparseRows, run: &Run) -> Result<RandomProjectionModel> {
        self.draw(rows.rows(), rows.columns(), run)
    }

    fn draw(&self, rows: usize, columns: usize, run: &Run) -> Result<RandomProjectionModel> {
        let components = match self.size {
            Size::Components(0) => return Err(Error::setting("n_components", 0, "must be at least 1")),
            Size::Components(components) => components,
            Size::Within(eps) => {
                let components = Self::components_within(eps, rows)?;
                if components > columns {
                    let allowed = "asks for more components than there are columns; take a larger one, or Identity";
                    return Err(Error::setting("eps", eps, allowed));
                }
                components
            }
        };
        let fits = |count: usize| Vec::<f64>::new().try_reserve_exact(count).is_ok();
        if components > u32::MAX as usize || !components.checked_mul(columns.max(rows)).is_some_and(fits) {
            return Err(Error::setting("n_components", components, "needs more memory than there can be"));
        }
        let density = match self.entries {
            Entries::Gaussian => None,
            Entries::VerySparse => Some(1.0 / libm::sqrt(columns as f64)),
            Entries::Sparse(share) if share > 0.0 && share <= 1.0 => Some(share),
            Entries::Sparse(share) => {
                return Err(Error::setting("density", share, "must be above 0 and at most 1"));
            }
        };
        run.install(|| {
            run.stage("random projection", 1).step(1)?;
            let draws = Stream::new(run.key(), PURPOSE);
            let matrix = match density {
                None => {
                    let scale = 1.0 / libm::sqrt(components as f64);
                    let mut all = vec![0.0; columns * components];
                    parallel::for_each_chunk(&mut all, components, |c, out| {
                        let draws = draws.of(c as u64);
                        out.iter_mut().enumerate().for_each(|(j, x)| *x = scale * draws.normal(j as u64));
                    });
                    Matrix::Dense { columns, entries: all }
                }
                Some(density) => Matrix::Sparse {
                    columns: parallel::map_ranges(columns, 16, |range| {
                        range.map(|c| entries(draws.of(c as u64), components, density)).collect::<Vec<_>>()
                    })
                    .concat(),
                    scale: 1.0 / libm::sqrt(density * components as f64),
                },
            };
            Ok(RandomProjectionModel { components, matrix })
        })?
    }
}

/// The components that a column goes to, and whether with a plus.
fn entries(draws: Stream, components: usize, density: f64) -> Vec<(u32, bool)> {
    (0..components as u32)
        .filter_map(|j| {
            let draw = draws.uniform(u64::from(j));
            (draw < density).then_some((j, draw < 0.5 * density))
        })
        .collect()
}

impl Embedder for RandomProjection {
    fn embed(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
        self.fit(rows, run)?.transform(rows, run)
    }

    fn prepare_sparse<'a>(&'a self, rows: Cow<'a, SparseRows>, run: &Run) -> Result<Box<dyn Prepared + 'a>> {
        let _ = run;
        let embed = |rows: &SparseRows, run: &Run| self.fit_sparse(rows, run)?.transform_sparse(rows, run);
        Ok(Box::new(SparseAnew::new(rows, embed)))
    }

    fn settings(&self) -> Settings {
        settings_of!(RandomProjection { size, entries } = self)
    }
}

impl RandomProjectionModel {
    /// The random matrix, columns x components.
    pub fn matrix(&self) -> Array2<f64> {
        match &self.matrix {
            Matrix::Dense { columns, entries } => {
                Array2::from_shape_fn((*columns, self.components), |(c, j)| entries[c * self.components + j])
            }
            Matrix::Sparse { columns, scale } => {
                let mut all = Array2::zeros((columns.len(), self.components));
                for (mut row, entries) in all.rows_mut().into_iter().zip(columns) {
                    for &(component, plus) in entries {
                        row[component as usize] = if plus { *scale } else { -scale };
                    }
                }
                all
            }
        }
    }

    /// Columns of the result.
    pub fn components(&self) -> usize {
        self.components
    }

    /// Columns of the rows it takes.
    pub fn columns(&self) -> usize {
        match &self.matrix {
            Matrix::Dense { columns, .. } => *columns,
            Matrix::Sparse { columns, .. } => columns.len(),
        }
    }

    /// Rows times the matrix, rows x components, summed in f64. Each row by itself, so the same alone or in any batch.
    ///
    /// # Errors
    /// [`Error::Shape`] when the columns are not those of the fit; [`Error::Empty`]; [`Error::NotFinite`];
    /// [`Error::Unsolved`] when a coordinate is beyond f32; [`Error::Cancelled`].
    ///
    /// # Cost
    /// O(rows x columns x components), times the density where sparse; values of 0 cost nothing.
    pub fn transform(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
        let rows = Rows::finite(rows)?;
        let columns = self.columns();
        let wide = || vec![0.0f64; columns];
        self.placed(rows.len(), rows.columns(), run, wide, |i, wide, sums| {
            let row = rows.row(i);
            match &self.matrix {
                Matrix::Dense { entries, .. } => {
                    wide.iter_mut().zip(row).for_each(|(wide, &x)| *wide = f64::from(x));
                    product::add_rows(wide, entries, sums);
                }
                Matrix::Sparse { columns, scale } => {
                    let entries = row.iter().zip(columns).filter(|(x, _)| **x != 0.0);
                    entries.for_each(|(&x, to)| add_signed(scale * f64::from(x), to, sums));
                }
            }
        })
    }

    /// The same of sparse rows, by their entries.
    ///
    /// # Errors
    /// Those of [`RandomProjectionModel::transform`].
    ///
    /// # Cost
    /// O(entries x components), times the density where sparse.
    pub fn transform_sparse(&self, rows: &SparseRows, run: &Run) -> Result<Array2<f32>> {
        let k = self.components;
        self.placed(
            rows.rows(),
            rows.columns(),
            run,
            || (),
            |i, (), sums| {
                let (indices, values) = rows.row(i);
                for (&column, &x) in indices.iter().zip(values) {
                    let (column, x) = (column as usize, f64::from(x));
                    match &self.matrix {
                        Matrix::Dense { entries, .. } => {
                            let row = &entries[column * k..(column + 1) * k];
                            sums.iter_mut().zip(row).for_each(|(sum, m)| *sum += x * m);
                        }
                        Matrix::Sparse { columns, scale } => add_signed(scale * x, &columns[column], sums),
                    }
                }
            },
        )
    }

    /// Coordinates of `n` rows, of which `add(i, scratch, sums)` adds up row i's.
    fn placed<S>(
        &self,
        n: usize,
        found: usize,
        run: &Run,
        scratch: impl Fn() -> S + Sync + Send,
        add: impl Fn(usize, &mut S, &mut [f64]) + Sync + Send,
    ) -> Result<Array2<f32>> {
        let (k, expected) = (self.components, self.columns());
        if expected != found {
            return Err(Error::Shape { what: "columns", expected, found });
        }
        run.install(|| {
            let stage = run.stage("transform", 1);
            stage.check()?;
            let mut all = vec![0.0f32; n * k];
            parallel::for_each_chunk(&mut all, PIECE * k, |piece, out| {
                let (mut scratch, mut sums) = (scratch(), vec![0.0f64; k]);
                for (r, out) in out.chunks_mut(k).enumerate() {
                    sums.fill(0.0);
                    add(piece * PIECE + r, &mut scratch, &mut sums);
                    out.iter_mut().zip(&sums).for_each(|(out, &sum)| *out = sum as f32);
                }
            });
            stage.step(1)?;
            narrow("random projection", all, n, k)
        })?
    }
}

/// Adds a value to the components it goes to, with their signs.
fn add_signed(x: f64, to: &[(u32, bool)], sums: &mut [f64]) {
    for &(component, plus) in to {
        sums[component as usize] += if plus { x } else { -x };
    }
}
