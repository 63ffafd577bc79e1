//! Principal components (Pearson 1901; Hotelling 1933): the directions in which centred rows spread most.
//!
//! Exact, through the eigenpairs of the covariance (columns x columns) or, where there are fewer rows than columns, of
//! the Gram matrix of the rows. Sums are in f64 and walk the rows in canonical order. Each direction's sign is fixed by
//! making its largest loading positive.

use crate::core::linalg::{self, dense};
use crate::core::{Canonical, Rows, parallel};
use crate::{Embedder, Error, Result, Run};
use ndarray::{Array1, Array2, ArrayRef2};

/// Principal component analysis: a builder.
///
/// ```
/// use ndarray::array;
/// use recluster::{Run, embed::Pca};
/// let rows = array![[0.0f32, 0.0], [1.0, 2.0], [2.0, 4.0], [3.0, 6.0]];
/// let model = Pca::new(1).fit(&rows, &Run::new())?;
/// assert!((model.explained_variance_ratio()[0] - 1.0).abs() < 1e-12);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Pca {
    n_components: usize,
}

/// Fitted principal components.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PcaModel {
    /// components x columns, orthonormal.
    components: Array2<f64>,
    mean: Array1<f64>,
    explained_variance: Array1<f64>,
    explained_variance_ratio: Array1<f64>,
}

#[cfg(feature = "serde")]
impl crate::Saved for PcaModel {
    const FORMAT: &'static str = "recluster pca";
    const VERSION: u64 = 1;
}

impl Pca {
    /// Keeps `n_components` components.
    pub fn new(n_components: usize) -> Self {
        Pca { n_components }
    }

    /// Fits the components. When rows or columns are fewer than `n_components`, as many as there can be are kept.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0 components; [`Error::Empty`]; [`Error::NotFinite`]; [`Error::Cancelled`].
    ///
    /// # Cost
    /// O(rows columns m + m³) with m the smaller of rows and columns; memory O(m²).
    pub fn fit(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<PcaModel> {
        if self.n_components == 0 {
            return Err(Error::setting("n_components", self.n_components, "must be at least 1"));
        }
        let rows = Rows::finite(rows)?;
        run.install(|| {
            let stage = run.stage("principal components", 1);
            stage.check()?;
            let model = principal(&rows, &Canonical::of(&rows).order, self.n_components)?;
            stage.step(1)?;
            Ok(model)
        })?
    }
}

impl Embedder for Pca {
    fn embed(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
        self.fit(rows, run)?.transform(rows, run)
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
    /// [`Error::Shape`] when the columns are not those of the fit; [`Error::Empty`]; [`Error::NotFinite`].
    pub fn transform(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
        let rows = Rows::finite(rows)?;
        let (expected, found) = (self.mean.len(), rows.columns());
        if expected != found {
            return Err(Error::Shape { what: "columns", expected, found });
        }
        run.install(|| {
            let all: Vec<u32> = (0..rows.len() as u32).collect();
            let scores = self.scores(&rows, &all);
            Ok(Array2::from_shape_fn((rows.len(), self.components.nrows()), |(i, j)| {
                scores[i * self.components.nrows() + j] as f32
            }))
        })?
    }

    /// Coordinates of the picked rows, row after row.
    pub(crate) fn scores(&self, rows: &Rows<'_>, pick: &[u32]) -> Vec<f64> {
        let (k, columns) = self.components.dim();
        let directions: Vec<f64> = self.components.iter().copied().collect();
        let mut scores = vec![0.0; pick.len() * k];
        parallel::for_each_chunk(&mut scores, 64 * k, |chunk, out| {
            let mut centred = vec![0.0; columns];
            for (r, out) in out.chunks_mut(k).enumerate() {
                let row = rows.row(pick[chunk * 64 + r] as usize);
                for ((c, &x), m) in centred.iter_mut().zip(row).zip(&self.mean) {
                    *c = f64::from(x) - m;
                }
                for (out, direction) in out.iter_mut().zip(directions.chunks_exact(columns)) {
                    *out = dense::dot(&centred, direction);
                }
            }
        });
        scores
    }
}

/// Principal components of the picked rows, whose order must depend on content alone.
pub(crate) fn principal(rows: &Rows<'_>, pick: &[u32], most: usize) -> Result<PcaModel> {
    let (n, columns) = (pick.len(), rows.columns());
    let mut mean = vec![0.0f64; columns];
    for &i in pick {
        mean.iter_mut().zip(rows.row(i as usize)).for_each(|(m, &x)| *m += f64::from(x));
    }
    mean.iter_mut().for_each(|m| *m /= n as f64);
    let centre = |i: usize, out: &mut [f64]| {
        for ((out, &x), m) in out.iter_mut().zip(rows.row(pick[i] as usize)).zip(&mean) {
            *out = f64::from(x) - m;
        }
    };
    let keep = most.min(n).min(columns);
    let degrees = (n.max(2) - 1) as f64;
    // The eigenvalues of both sides are the squared singular values of the centred rows.
    let (values, directions) = if columns <= n {
        let sums = dense::outer_sum(n, columns, centre);
        let eigen = linalg::symmetric(&sums, columns).ok_or(UNSETTLED)?;
        (eigen.values, eigen.vectors)
    } else {
        gram_side(n, columns, keep, centre)?
    };
    let total: f64 = values.iter().map(|v| v.max(0.0)).sum();
    let explained: Vec<f64> = values.iter().take(keep).map(|v| v.max(0.0) / degrees).collect();
    let ratio = explained.iter().map(|v| if total > 0.0 { v * degrees / total } else { 0.0 }).collect();
    let components = Array2::from_shape_fn((keep, columns), |(j, c)| directions[j * columns + c]);
    Ok(PcaModel {
        components,
        mean: mean.into(),
        explained_variance: explained.into(),
        explained_variance_ratio: ratio,
    })
}

const UNSETTLED: Error = Error::Unsolved {
    method: "principal components",
    reason: "the squares of the values are too large to be added up; divide the columns by some constant",
};

/// Fewer rows than columns: eigenpairs (λ, u) of X X' give directions X'u / √λ. Directions without variance are filled
/// up with unit vectors made orthogonal to the others.
fn gram_side(
    n: usize,
    columns: usize,
    keep: usize,
    centre: impl Fn(usize, &mut [f64]) + Sync + Send,
) -> Result<(Vec<f64>, Vec<f64>)> {
    let mut centred = vec![0.0; n * columns];
    centred.chunks_mut(columns).enumerate().for_each(|(i, out)| centre(i, out));
    let gram = parallel::map(n, |i| {
        let x = &centred[i * columns..(i + 1) * columns];
        (0..n)
            .map(|j| if j <= i { dense::dot(x, &centred[j * columns..(j + 1) * columns]) } else { 0.0 })
            .collect::<Vec<_>>()
    })
    .concat();
    let eigen = linalg::symmetric(&gram, n).ok_or(UNSETTLED)?;
    let mut directions: Vec<Vec<f64>> = Vec::with_capacity(keep);
    for j in 0..keep {
        let mut direction = vec![0.0; columns];
        if eigen.values[j] > 1e-12 * eigen.values[0].max(0.0) && eigen.values[j] > 0.0 {
            for (u, row) in eigen.vectors[j * n..(j + 1) * n].iter().zip(centred.chunks_exact(columns)) {
                direction.iter_mut().zip(row).for_each(|(d, x)| *d += u * x);
            }
        }
        complete(&mut direction, &directions);
        let sign = linalg::sign_of_largest(&direction);
        direction.iter_mut().for_each(|x| *x *= sign);
        directions.push(direction);
    }
    Ok((eigen.values, directions.concat()))
}

/// Makes a vector orthonormal to the others; from a unit vector where nothing of it is left.
fn complete(direction: &mut [f64], others: &[Vec<f64>]) {
    let mut axis = 0;
    loop {
        let before = dense::dot(direction, direction).sqrt();
        for _ in 0..2 {
            for other in others {
                let along = dense::dot(direction, other);
                direction.iter_mut().zip(other).for_each(|(d, o)| *d -= along * o);
            }
        }
        let norm = dense::dot(direction, direction).sqrt();
        if norm > 1e-3 * before && norm > 0.0 {
            direction.iter_mut().for_each(|x| *x /= norm);
            return;
        }
        if axis == direction.len() {
            return;
        }
        direction.fill(0.0);
        direction[axis] = 1.0;
        axis += 1;
    }
}
