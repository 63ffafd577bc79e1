//! A fitted mixture: shares, densities, new rows.

use super::density::{Covariance, Density, Params, ROWS, factor, shares};
use super::em::Blocks;
#[cfg(feature = "serde")]
use crate::core::checks;
use crate::core::random::Stream;
use crate::core::{Error, Result, Rows, Run, parallel};
use ndarray::{Array2, ArrayRef2};

const PURPOSE: u64 = 0x676d_6d73;

/// What [`GaussianMixture`](super::GaussianMixture) found. Plain data.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GaussianMixtureModel {
    pub(super) params: Params,
    pub(super) labels: Vec<i32>,
    pub(super) membership: Vec<f64>,
    pub(super) score: f64,
    pub(super) bic: f64,
    pub(super) aic: f64,
    pub(super) bic_of: Vec<(usize, f64)>,
    pub(super) rounds: usize,
    pub(super) converged: bool,
}

#[cfg(feature = "serde")]
impl crate::core::Saved for GaussianMixtureModel {
    const FORMAT: &'static str = "recluster gaussian mixture";
    const VERSION: u64 = 1;

    /// O(components x columns³) for the covariances beside the size of the model.
    fn validate(&self) -> checks::Check {
        self.params.validate()?;
        let (rows, clusters) = (self.labels.len(), self.components());
        checks::that(rows > 0, || "no rows".into())?;
        checks::each("labels", &self.labels, |&label| label >= 0 && (label as usize) < clusters)?;
        checks::count("memberships", self.membership.len(), rows)?;
        checks::shares("memberships", &self.membership)?;
        checks::each("scores", [self.score, self.bic, self.aic], f64::is_finite)?;
        checks::each("BIC", self.bic_of.iter().map(|tried| tried.1), f64::is_finite)
    }
}

impl GaussianMixtureModel {
    /// Each row's component of the largest share, the first of several. A component may be no row's largest.
    pub fn labels(&self) -> &[i32] {
        &self.labels
    }

    /// Each row's share in that component, in 0 to 1.
    pub fn membership(&self) -> &[f64] {
        &self.membership
    }

    /// Number of components.
    pub fn components(&self) -> usize {
        self.params.count()
    }

    /// The components' shares of all rows, falling; they add up to 1.
    pub fn weights(&self) -> &[f64] {
        &self.params.weights
    }

    /// Means, components x columns.
    pub fn means(&self) -> Array2<f64> {
        let (k, d) = (self.params.count(), self.params.columns);
        Array2::from_shape_fn((k, d), |(c, j)| self.params.means.get(c * d + j).copied().unwrap_or(0.0))
    }

    /// A component's covariance, columns x columns, whatever its shape; `None` beyond the last component.
    pub fn covariance(&self, component: usize) -> Option<Array2<f64>> {
        if component >= self.components() {
            return None;
        }
        let (d, kind) = (self.params.columns, self.params.kind);
        let width = Params::width(kind, d);
        let at = if kind == Covariance::Tied { 0 } else { component };
        let own = self.params.covariances.get(at * width..(at + 1) * width)?;
        Some(Array2::from_shape_fn((d, d), |(i, j)| match kind {
            Covariance::Full | Covariance::Tied => own[i.max(j) * (i.max(j) + 1) / 2 + i.min(j)],
            Covariance::Diagonal if i == j => own[i],
            Covariance::Spherical if i == j => own[0],
            _ => 0.0,
        }))
    }

    /// Mean log-likelihood of a row of the fit.
    pub fn score(&self) -> f64 {
        self.score
    }

    /// Bayesian information criterion: lower is better.
    pub fn bic(&self) -> f64 {
        self.bic
    }

    /// Akaike's information criterion: lower is better.
    pub fn aic(&self) -> f64 {
        self.aic
    }

    /// The BIC of every number of components that was tried.
    pub fn bic_of(&self) -> &[(usize, f64)] {
        &self.bic_of
    }

    /// Rounds of the start that was kept.
    pub fn rounds(&self) -> usize {
        self.rounds
    }

    /// Whether that start converged within its rounds.
    pub fn converged(&self) -> bool {
        self.converged
    }

    /// The component of each of `rows` (n x columns, finite). The result of a row does not depend on the others.
    ///
    /// # Errors
    /// [`Error::Empty`] and [`Error::NotFinite`] for the data; [`Error::Shape`] when the columns are not the fit's;
    /// [`Error::Format`] for a damaged model.
    pub fn predict(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Vec<i32>> {
        let rows = self.rows(rows)?;
        run.install(|| Ok(self.label(rows.len(), |i| rows.row(i))?.into_iter().map(|found| found.0).collect()))?
    }

    /// Each row's shares in the components, rows x components; they add up to 1.
    ///
    /// # Errors
    /// Those of [`GaussianMixtureModel::predict`].
    pub fn predict_proba(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f64>> {
        let rows = self.rows(rows)?;
        let k = self.components();
        run.install(|| {
            let parts = self.each(
                rows.len(),
                |i| rows.row(i),
                |block, lane, out: &mut Vec<f64>| {
                    out.extend(block.shares.iter().map(|share| share[lane]));
                },
            )?;
            Array2::from_shape_vec((rows.len(), k), parts).map_err(|_| damaged())
        })?
    }

    /// The logarithm of the mixture's density at each row.
    ///
    /// # Errors
    /// Those of [`GaussianMixtureModel::predict`].
    pub fn score_samples(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Vec<f64>> {
        let rows = self.rows(rows)?;
        run.install(|| self.each(rows.len(), |i| rows.row(i), |block, lane, out| out.push(block.total[lane])))?
    }

    /// `count` draws from the mixture by the run's seed, count x columns, and the component of each. Draw i is the same
    /// whatever the count.
    ///
    /// # Errors
    /// [`Error::Format`] for a damaged model; [`Error::Setting`] for more rows than memory has room for.
    pub fn sample(&self, count: usize, run: &Run) -> Result<(Array2<f32>, Vec<i32>)> {
        let (d, k) = (self.params.columns, self.components());
        let draws = Stream::new(run.key(), PURPOSE);
        let width = Params::width(self.params.kind, d);
        let matrices = self.params.covariances.chunks_exact(width);
        let full = matches!(self.params.kind, Covariance::Full | Covariance::Tied);
        let factors = matrices.filter(|_| full).map(|matrix| factor(matrix, d).ok_or_else(damaged));
        let factors = factors.collect::<Result<Vec<_>>>()?;
        let mut values = Vec::new();
        let room = count.checked_mul(d).is_some_and(|size| values.try_reserve_exact(size).is_ok());
        if !room {
            return Err(Error::setting("count", count, "so many rows have no room in memory"));
        }
        values.resize(count * d, 0.0);
        let mut rows = Array2::from_shape_vec((count, d), values).map_err(|_| damaged())?;
        let mut labels = Vec::with_capacity(count);
        for (i, mut row) in rows.outer_iter_mut().enumerate() {
            let draw = draws.of(i as u64);
            let (target, mut sum) = (draw.uniform(0), 0.0);
            let found = self.params.weights.iter().position(|weight| {
                sum += weight;
                sum > target
            });
            let c = found.unwrap_or(k - 1);
            let normal: Vec<f64> = (0..d).map(|j| draw.normal(1 + j as u64)).collect();
            let at = if self.params.kind == Covariance::Tied { 0 } else { c };
            for (j, x) in row.iter_mut().enumerate() {
                let off = match factors.get(at) {
                    Some(lower) => lower[j * d..=j * d + j].iter().zip(&normal).map(|(l, z)| l * z).sum(),
                    None => {
                        let variance = self.params.covariances[at * width + if width == 1 { 0 } else { j }];
                        variance.sqrt() * normal[j]
                    }
                };
                *x = (self.params.means[c * d + j] + off) as f32;
            }
            labels.push(c as i32);
        }
        Ok((rows, labels))
    }

    fn rows<'a>(&self, rows: &'a ArrayRef2<f32>) -> Result<Rows<'a>> {
        let rows = Rows::finite(rows)?;
        let (expected, found) = (self.params.columns, rows.columns());
        if expected != found {
            return Err(Error::Shape { what: "columns", expected, found });
        }
        Ok(rows)
    }

    /// The component of the largest share of each row, and that share.
    pub(super) fn label<'a>(
        &self,
        n: usize,
        row: impl Fn(usize) -> &'a [f32] + Sync + Send,
    ) -> Result<Vec<(i32, f64)>> {
        self.each(n, row, |block, lane, out| {
            let shares = block.shares.iter().map(|share| share[lane]).enumerate();
            out.push(shares.fold((0, -1.0), |best, (c, share)| if share > best.1 { (c as i32, share) } else { best }));
        })
    }

    /// What `tell` makes of each row, from the shares and the log density in its block.
    fn each<'a, T: Send>(
        &self,
        n: usize,
        row: impl Fn(usize) -> &'a [f32] + Sync + Send,
        tell: impl Fn(&Blocks, usize, &mut Vec<T>) + Sync + Send,
    ) -> Result<Vec<T>> {
        let density = Density::new(&self.params).ok_or_else(damaged)?;
        let parts = parallel::map_ranges(n, 16 * ROWS, |range| {
            let mut block = Blocks::new(self.params.columns, density.count());
            let mut out = Vec::with_capacity(range.len());
            for start in range.clone().step_by(ROWS) {
                let rows = ROWS.min(range.end - start);
                block.take(rows, |lane| row(start + lane));
                density.logs(&block.x, &mut block.scratch, &mut block.shares);
                shares(&mut block.shares, &mut block.total);
                (0..rows).for_each(|lane| tell(&block, lane, &mut out));
            }
            out
        });
        Ok(parts.into_iter().flatten().collect())
    }
}

fn damaged() -> Error {
    Error::Format { format: "recluster gaussian mixture", reason: "the parameters do not fit each other".to_string() }
}
