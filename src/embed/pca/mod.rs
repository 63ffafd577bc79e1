//! Principal components (Pearson 1901; Hotelling 1933): the directions in which centred rows spread most.
//!
//! Exact, through the largest eigenpairs of the covariance (columns x columns) or, where there are fewer rows than columns,
//! of the Gram matrix of the rows; or by randomized subspace iteration (Halko, Martinsson, Tropp 2011). Sums are in f64
//! and walk the rows in canonical order. Each direction's sign is fixed by making its largest loading positive, as
//! scikit-learn does since 1.5.

mod frame;
mod orthonormal;
mod solve;
mod sparse;

use frame::Frame;
pub(crate) use solve::principal;
pub(super) use sparse::leading;

use super::narrow;
use super::sparse::SparseAnew;
#[cfg(feature = "serde")]
use crate::core::checks;
use crate::core::linalg::product;
use crate::core::random::Stream;
use crate::core::shape::check_count;
use crate::core::{Canonical, Rows, Settings, parallel, setting_by_debug, settings_of};
use crate::{Embedder, Error, Prepared, Result, Run, SparseRows};
use ndarray::{Array1, Array2, ArrayRef2};
use std::borrow::Cow;

const PURPOSE: u64 = 0x7063_6120_7261_6e64;
/// Rows in a piece of parallel work.
const PIECE: usize = 64;
/// Up to this many rows or columns, whichever are fewer, [`Solver::Auto`] is exact.
const EXACT: usize = 2048;

/// How principal components are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Solver {
    /// Exact where rows or columns are at most 2,048, or where an eighth of them or more is asked for; else randomized,
    /// with a note.
    #[default]
    Auto,
    /// Eigenpairs to the last digits; O(rows columns m + m³) in time and O(m²) in memory, m the smaller of rows and columns;
    /// with fewer rows than columns a copy of the rows in f64 as well.
    Exact,
    /// Ten more random directions than components, multiplied by the covariance `power_iterations` + 1 times, then by
    /// Rayleigh and Ritz: O(rows columns (components + 10) power_iterations) in time. What it misses falls with the power
    /// 2 (`power_iterations` + 1) of the ratio of the first eigenvalue left out to the last one kept (Halko et al. 2011,
    /// theorem 10.6 and corollary 10.10).
    Randomized {
        /// Usually 4 to 7; the covariance is what takes the time.
        power_iterations: usize,
    },
}

/// Principal component analysis: a builder.
///
/// ```
/// use ndarray::array;
/// use recluster::{Run, embed::Pca};
/// let rows = array![[0.0f32, 0.0], [1.0, 2.0], [2.0, 4.0], [3.0, 6.0]];
/// let model = Pca::new(1).fit(&rows, &Run::new())?;
/// assert!((model.explained_variance_ratio()[0] - 1.0).abs() < 1e-12);
/// let scores = model.transform(&rows, &Run::new())?;
/// assert!((model.inverse_transform(&scores, &Run::new())?[[3, 1]] - 6.0).abs() < 1e-5);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[must_use]
pub struct Pca {
    n_components: usize,
    #[cfg_attr(feature = "serde", serde(default))]
    solver: Solver,
    #[cfg_attr(feature = "serde", serde(default))]
    whiten: bool,
}

setting_by_debug!(Solver);

/// Fitted principal components. Plain data.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PcaModel {
    /// components x columns, orthonormal.
    components: Array2<f64>,
    mean: Array1<f64>,
    explained_variance: Array1<f64>,
    explained_variance_ratio: Array1<f64>,
    #[cfg_attr(feature = "serde", serde(default))]
    whiten: bool,
}

#[cfg(feature = "serde")]
impl crate::Saved for PcaModel {
    const FORMAT: &'static str = "recluster pca";
    const VERSION: u64 = 1;

    fn validate(&self) -> checks::Check {
        let (components, columns) = self.components.dim();
        checks::that(components > 0 && columns > 0, || format!("{components} components of {columns} columns"))?;
        // Of unit length, so no number is above 1 but by rounding.
        checks::each("components", &self.components, |x| x.abs() <= 1.0 + 1e-6)?;
        checks::count("means", self.mean.len(), columns)?;
        checks::narrow("means", &self.mean)?;
        checks::count("variances", self.explained_variance.len(), components)?;
        checks::each("variances", &self.explained_variance, |x| *x >= 0.0 && x.is_finite())?;
        checks::count("shares of variance", self.explained_variance_ratio.len(), components)?;
        checks::each("shares of variance", &self.explained_variance_ratio, |x| (0.0..=1.0 + 1e-6).contains(x))
    }
}

impl Pca {
    /// Keeps `n_components` components.
    pub fn new(n_components: usize) -> Self {
        Pca { n_components, solver: Solver::Auto, whiten: false }
    }

    /// How the components are found; default [`Solver::Auto`].
    pub fn solver(mut self, solver: Solver) -> Self {
        self.solver = solver;
        self
    }

    /// Divides each coordinate by its standard deviation, so that all components count alike; default off. A component
    /// without variance gives 0.
    pub fn whiten(mut self, whiten: bool) -> Self {
        self.whiten = whiten;
        self
    }

    /// Fits the components. When rows or columns are fewer than `n_components`, as many as there can be are kept.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0 components or more than 100 power iterations; [`Error::Empty`]; [`Error::NotFinite`];
    /// [`Error::Unsolved`] where squares of values cannot be added up; [`Error::Cancelled`].
    ///
    /// # Cost
    /// See [`Solver`]. In exact sums values of 0 cost next to nothing in columns that are mostly 0.
    pub fn fit(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<PcaModel> {
        self.check()?;
        let rows = Rows::finite(rows)?;
        run.install(|| {
            let stage = run.stage("principal components", 1);
            stage.check()?;
            let small = rows.len().min(rows.columns());
            let power_iterations = match self.solver {
                Solver::Exact => None,
                Solver::Auto if small <= EXACT || self.n_components >= small / 8 => None,
                Solver::Auto => {
                    run.note("more than 2,048 rows and columns: principal components are approximate (Solver::Exact)");
                    Some(5)
                }
                Solver::Randomized { power_iterations } => Some(power_iterations),
            };
            let step = || stage.check();
            let mut model = match power_iterations {
                None => {
                    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
                    let mut frame = Frame::of(&rows, &order);
                    if !frame.any_order(rows.len()) {
                        order = Canonical::of(&rows).order;
                        frame = Frame::of(&rows, &order);
                    }
                    solve::exact(frame, &rows, &order, self.n_components, &step)?
                }
                Some(power) => {
                    let order = Canonical::of(&rows).order;
                    let draws = Stream::new(run.key(), PURPOSE);
                    solve::randomized(&rows, &order, self.n_components, power, draws, &step)?
                }
            };
            model.whiten = self.whiten;
            stage.step(1)?;
            Ok(model)
        })?
    }
}

impl Pca {
    /// Fits the components of sparse rows by their entries, randomized: [`Solver::Auto`] takes five power iterations, however
    /// few rows there are. The mean is taken off, though never off a row.
    ///
    /// ```
    /// use recluster::{Run, SparseRows, embed::Pca};
    /// let rows = SparseRows::new((4, 900), vec![0, 1, 2, 3, 4], vec![7, 7, 400, 400], vec![1.0, 2.0, 1.0, 2.0])?;
    /// let model = Pca::new(1).fit_sparse(&rows, &Run::new())?;
    /// let scores = model.transform_sparse(&rows, &Run::new())?;
    /// assert!(scores[[0, 0]] * scores[[2, 0]] < 0.0 && scores[[0, 0]] * scores[[1, 0]] > 0.0);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Pca::fit`]; [`Error::Setting`] for [`Solver::Exact`].
    ///
    /// # Cost
    /// O(entries x (components + 10) x power iterations); memory O(entries + (rows + columns) x (components + 10)).
    pub fn fit_sparse(&self, rows: &SparseRows, run: &Run) -> Result<PcaModel> {
        self.check()?;
        let power = match self.solver {
            Solver::Auto => 5,
            Solver::Randomized { power_iterations } => power_iterations,
            Solver::Exact => return Err(Error::setting("solver", "exact", "must be randomized for sparse rows")),
        };
        run.install(|| {
            let stage = run.stage("principal components", 1);
            let draws = Stream::new(run.key(), PURPOSE);
            let order = Canonical::of(rows).order;
            let mut model = leading(rows, &order, self.n_components, power, draws, &|| stage.check())?;
            model.whiten = self.whiten;
            stage.step(1)?;
            Ok(model)
        })?
    }

    fn check(&self) -> Result<()> {
        if self.n_components == 0 {
            return Err(Error::setting("n_components", self.n_components, "must be at least 1"));
        }
        match self.solver {
            Solver::Randomized { power_iterations } if power_iterations > 100 => {
                Err(Error::setting("power_iterations", power_iterations, "must be at most 100"))
            }
            _ => Ok(()),
        }
    }
}

impl Embedder for Pca {
    fn embed(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
        self.fit(rows, run)?.transform(rows, run)
    }

    fn prepare_sparse<'a>(&'a self, rows: Cow<'a, SparseRows>, run: &Run) -> Result<Box<dyn Prepared + 'a>> {
        let _ = run;
        let embed = |rows: &SparseRows, run: &Run| self.fit_sparse(rows, run)?.transform_sparse(rows, run);
        Ok(Box::new(SparseAnew::new(rows, embed)))
    }

    fn settings(&self) -> Settings {
        settings_of!(Pca { n_components, solver, whiten } = self)
    }
}

impl PcaModel {
    /// Directions, components x columns; orthonormal, by falling variance.
    pub fn components(&self) -> &Array2<f64> {
        &self.components
    }

    /// Mean of each column.
    pub fn mean(&self) -> &Array1<f64> {
        &self.mean
    }

    /// Variance along each direction, over rows − 1.
    pub fn explained_variance(&self) -> &Array1<f64> {
        &self.explained_variance
    }

    /// Its share of the variance of all columns; 0 where nothing varies.
    pub fn explained_variance_ratio(&self) -> &Array1<f64> {
        &self.explained_variance_ratio
    }

    /// Coordinates of rows, rows x components. Each row by itself, so the same alone or in any batch.
    ///
    /// # Errors
    /// [`Error::Shape`] when the columns are not those of the fit; [`Error::Empty`]; [`Error::NotFinite`];
    /// [`Error::Unsolved`] when a coordinate is beyond f32; [`Error::Cancelled`].
    pub fn transform(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
        let rows = Rows::finite(rows)?;
        check_count("columns", self.mean.len(), rows.columns())?;
        run.install(|| {
            let stage = run.stage("transform", 1);
            stage.check()?;
            let (k, place) = (self.components.nrows(), Place::of(self));
            let mut scores = vec![0.0f32; rows.len() * k];
            parallel::for_each_chunk(&mut scores, PIECE * k, |piece, out| {
                let mut place = place.scratch();
                for (r, out) in out.chunks_mut(k).enumerate() {
                    let row = place.row(rows.row(piece * PIECE + r));
                    out.iter_mut().zip(row).for_each(|(out, &x)| *out = x as f32);
                }
            });
            stage.step(1)?;
            narrow("principal components", scores, rows.len(), k)
        })?
    }

    /// The same of sparse rows, by their entries.
    ///
    /// # Errors
    /// Those of [`PcaModel::transform`].
    pub fn transform_sparse(&self, rows: &SparseRows, run: &Run) -> Result<Array2<f32>> {
        check_count("columns", self.mean.len(), rows.columns())?;
        run.install(|| {
            let stage = run.stage("transform", 1);
            stage.check()?;
            let scores = self.scores_sparse(rows).into_iter().map(|x| x as f32).collect();
            stage.step(1)?;
            narrow("principal components", scores, rows.rows(), self.components.nrows())
        })?
    }

    /// Rows that have the given coordinates: mean + Σ coordinate x direction, rows x columns. What the components left out
    /// is not brought back.
    ///
    /// # Errors
    /// [`Error::Shape`] when there are not as many coordinates as components; [`Error::Empty`]; [`Error::NotFinite`];
    /// [`Error::Unsolved`] when a value is beyond f32; [`Error::Cancelled`].
    pub fn inverse_transform(&self, scores: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
        let scores = Rows::finite(scores)?;
        let (k, columns) = self.components.dim();
        if k != scores.columns() {
            return Err(Error::Shape {
                what: "coordinates, one for each component",
                expected: k,
                found: scores.columns(),
            });
        }
        run.install(|| {
            let stage = run.stage("inverse transform", 1);
            stage.check()?;
            let directions: Vec<f64> = self.components.iter().copied().collect();
            let mean: Vec<f64> = self.mean.to_vec();
            let mut all = vec![0.0f32; scores.len() * columns];
            parallel::for_each_chunk(&mut all, PIECE * columns, |piece, out| {
                let (mut wide, mut row) = (vec![0.0; k], vec![0.0; columns]);
                for (r, out) in out.chunks_mut(columns).enumerate() {
                    for (j, (wide, &x)) in wide.iter_mut().zip(scores.row(piece * PIECE + r)).enumerate() {
                        let unit = if self.whiten { libm::sqrt(self.explained_variance[j]) } else { 1.0 };
                        *wide = f64::from(x) * unit;
                    }
                    row.copy_from_slice(&mean);
                    product::add_rows(&wide, &directions, &mut row);
                    out.iter_mut().zip(&row).for_each(|(out, &x)| *out = x as f32);
                }
            });
            stage.step(1)?;
            narrow("principal components", all, scores.len(), columns)
        })?
    }

    /// Coordinates of sparse rows, row after row.
    pub(super) fn scores_sparse(&self, rows: &SparseRows) -> Vec<f64> {
        let (k, place) = (self.components.nrows(), Place::of(self));
        let width = place.origin.len();
        let mut scores = vec![0.0; rows.rows() * k];
        parallel::for_each_chunk(&mut scores, PIECE * k, |piece, out| {
            for (r, out) in out.chunks_mut(k).enumerate() {
                let (indices, values) = rows.row(piece * PIECE + r);
                for (&column, &x) in indices.iter().zip(values) {
                    let loadings = &place.loadings[column as usize * width..][..k];
                    out.iter_mut().zip(loadings).for_each(|(out, loading)| *out += f64::from(x) * loading);
                }
                out.iter_mut().zip(&place.origin).for_each(|(out, o)| *out -= o);
            }
        });
        scores
    }

    /// Coordinates of the picked rows, row after row.
    pub(crate) fn scores(&self, rows: &Rows<'_>, pick: &[u32]) -> Vec<f64> {
        let (k, place) = (self.components.nrows(), Place::of(self));
        let mut scores = vec![0.0; pick.len() * k];
        parallel::for_each_chunk(&mut scores, PIECE * k, |piece, out| {
            let mut place = place.scratch();
            for (out, &i) in out.chunks_mut(k).zip(&pick[piece * PIECE..]) {
                out.copy_from_slice(place.row(rows.row(i as usize)));
            }
        });
        scores
    }
}

/// What it takes to place rows.
struct Place {
    /// Columns x components, so that a value of 0 leaves a whole row of them out; filled up with zeros to whole vectors.
    loadings: Vec<f64>,
    /// Where the mean lies before it is taken off.
    origin: Vec<f64>,
    components: usize,
    columns: usize,
}

/// One thread's.
struct Scratch<'a> {
    place: &'a Place,
    wide: Vec<f64>,
    sums: Vec<f64>,
}

impl Place {
    fn of(model: &PcaModel) -> Self {
        let (components, columns) = model.components.dim();
        let width = components.next_multiple_of(4);
        let mut loadings = vec![0.0; columns * width];
        for ((j, c), &x) in model.components.indexed_iter() {
            let unit = if model.whiten { libm::sqrt(model.explained_variance[j]) } else { 1.0 };
            loadings[c * width + j] = if unit > 0.0 { x / unit } else { 0.0 };
        }
        // The mean goes through the same sums as the rows, so that a row that equals it lies at 0 exactly.
        let mut origin = vec![0.0; width];
        product::add_rows(&model.mean.to_vec(), &loadings, &mut origin);
        Place { loadings, origin, components, columns }
    }

    fn scratch(&self) -> Scratch<'_> {
        Scratch { place: self, wide: vec![0.0; self.columns], sums: vec![0.0; self.origin.len()] }
    }
}

impl Scratch<'_> {
    fn row(&mut self, row: &[f32]) -> &[f64] {
        self.wide.iter_mut().zip(row).for_each(|(wide, &x)| *wide = f64::from(x));
        self.sums.fill(0.0);
        product::add_rows(&self.wide, &self.place.loadings, &mut self.sums);
        self.sums.iter_mut().zip(&self.place.origin).for_each(|(sum, o)| *sum -= o);
        &self.sums[..self.place.components]
    }
}
