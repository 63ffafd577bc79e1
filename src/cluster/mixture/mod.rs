//! Gaussian mixtures by expectation and maximisation (Dempster, Laird, Rubin 1977; Bishop 2006, section 9.2).
//!
//! # Formula
//! p(x) = Σ over components c of w_c N(x; μ_c, Σ_c). Shares r_c(x) = w_c N(x; μ_c, Σ_c) / p(x); then w_c = Σ r_c / n,
//! μ_c = Σ r_c x / Σ r_c, Σ_c = Σ r_c (x − μ_c)(x − μ_c)' / Σ r_c + `reg_covar` I; until the mean of ln p(x) rises by less
//! than `tol`. BIC = −2 Σ ln p(x) + f ln n and AIC = −2 Σ ln p(x) + 2 f for f free parameters (Schwarz 1978, Akaike 1974).
//!
//! # Deviations
//! Everything is as in scikit-learn's `GaussianMixture` but for this:
//! - A covariance that is not positive definite (a component on fewer rows than columns, with little `reg_covar`) is raised
//!   along its diagonal until it is, with a note to the run; there it is an error.
//! - A component that loses all its rows stays where it was.
//! - The spread is summed around the means before the step instead of as differences of large squares.
//! - Components are numbered by falling weight.

mod density;
mod em;
mod model;

use crate::cluster::kmeans::{KMeans, Points};
use crate::core::{
    Canonical, Clusterer, Clustering, Error, Result, Rows, Run, Setting, Settings, setting_by_debug, settings_of,
};
pub use density::Covariance;
use density::{Density, Params};
use em::{Passes, Source};
pub use model::GaussianMixtureModel;
use ndarray::{Array2, ArrayRef2};
use std::ops::RangeInclusive;

/// Where a fit starts.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
enum Start {
    KMeans,
    PlusPlus,
    Means(Array2<f64>),
}

setting_by_debug!(Covariance);

impl From<Start> for Setting {
    fn from(start: Start) -> Self {
        match start {
            Start::Means(means) => means.into(),
            other => format!("{other:?}").into(),
        }
    }
}

/// Gaussian mixture: rows as draws from a few normal distributions, each row with its share in every one of them.
///
/// # Cost
/// A round O(rows x components x columns²) for full covariances (columns for the others); memory O(rows x columns +
/// components x columns²).
///
/// # Example
/// ```
/// use ndarray::Array2;
/// use recluster::{Run, cluster::GaussianMixture};
///
/// // Two squares of 25 points, 100 apart.
/// let rows = Array2::from_shape_fn((50, 2), |(i, j)| match j {
///     0 => (i % 5) as f32 + 100.0 * (i / 25) as f32,
///     _ => (i % 25 / 5) as f32,
/// });
/// let run = Run::new();
/// let model = GaussianMixture::new(2).fit(&rows, &run)?;
/// assert_ne!(model.labels()[0], model.labels()[49]);
/// assert!((model.weights()[0] - 0.5).abs() < 1e-9);
/// assert_eq!(model.predict_proba(&rows, &run)?.dim(), (50, 2));
/// let chosen = GaussianMixture::choose(1..=4).fit(&rows, &run)?;
/// assert_eq!(chosen.bic_of().len(), 4);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default = "unset", deny_unknown_fields))]
#[must_use]
pub struct GaussianMixture {
    least: usize,
    most: usize,
    covariance: Covariance,
    start: Start,
    restarts: usize,
    max_iter: usize,
    tol: f64,
    reg_covar: f64,
}

/// What settings in a file do not say. The number of components they must: 0 is refused where it is used.
#[cfg(feature = "serde")]
fn unset() -> GaussianMixture {
    GaussianMixture::new(0)
}

impl GaussianMixture {
    /// This many components, at least 1; full covariances, one start from k-means.
    pub fn new(components: usize) -> Self {
        Self::choose(components..=components)
    }

    /// As many components as give the lowest BIC, of a range that begins at 1 or above.
    pub fn choose(components: RangeInclusive<usize>) -> Self {
        GaussianMixture {
            least: *components.start(),
            most: *components.end(),
            covariance: Covariance::Full,
            start: Start::KMeans,
            restarts: 1,
            max_iter: 100,
            tol: 1e-3,
            reg_covar: 1e-6,
        }
    }

    /// The shapes; default full.
    pub fn covariance(mut self, covariance: Covariance) -> Self {
        self.covariance = covariance;
        self
    }

    /// Starts from k-means++ centres and the rows nearest to each, without the rounds of k-means.
    pub fn start_plus_plus(mut self) -> Self {
        self.start = Start::PlusPlus;
        self
    }

    /// Starts from the rows nearest to each of these, components x columns, finite; every restart would be the same.
    pub fn start_means(mut self, means: Array2<f64>) -> Self {
        self.start = Start::Means(means);
        self
    }

    /// How often to start anew from another k-means, at least 1, default 1; the fit of the highest likelihood is kept.
    pub fn restarts(mut self, restarts: usize) -> Self {
        self.restarts = restarts;
        self
    }

    /// Most rounds of each start, at least 1; default 100.
    pub fn max_iter(mut self, rounds: usize) -> Self {
        self.max_iter = rounds;
        self
    }

    /// Stops when the mean log-likelihood of a row changes by less than this; at least 0, default 0.001.
    pub fn tol(mut self, tol: f64) -> Self {
        self.tol = tol;
        self
    }

    /// Added to all variances, in squared units of the data; at least 0, default 1e-6.
    pub fn reg_covar(mut self, variance: f64) -> Self {
        self.reg_covar = variance;
        self
    }

    /// Fits `rows` (n x columns, finite). Notes to the run if a fit did not converge within its rounds, and if a component
    /// collapsed and its covariance was raised.
    ///
    /// # Errors
    /// [`Error::Empty`] and [`Error::NotFinite`] for the data; [`Error::Setting`] for a setting outside its range;
    /// [`Error::TooFewRows`] when there are fewer different rows than the least components; [`Error::Shape`] when given
    /// means do not fit; [`Error::Cancelled`].
    pub fn fit(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<GaussianMixtureModel> {
        let rows = Rows::finite(rows)?;
        self.check(rows.columns())?;
        run.install(|| {
            let canonical = Canonical::of(&rows);
            if canonical.groups() < self.least {
                let method = "a Gaussian mixture (equal rows counted once)";
                return Err(Error::TooFewRows { method, needed: self.least, rows: canonical.groups() });
            }
            let points = Points::new(&rows, &canonical);
            let passes = Passes::new(&points, self.covariance, self.reg_covar);
            let mut best: Option<(f64, Fit)> = None;
            let mut bics = Vec::new();
            for components in self.least..=self.most.min(canonical.groups()) {
                let fit = self.best(&passes, components, run)?;
                let bic = -2.0 * fit.log * passes.total + fit.params.free() as f64 * libm::log(passes.total);
                bics.push((components, bic));
                if best.as_ref().is_none_or(|best| bic < best.0) {
                    best = Some((bic, fit));
                }
            }
            let Some((_, fit)) = best else { return Err(Error::setting("components", 0, "must be at least 1")) };
            if !fit.converged {
                run.note(
                    "the Gaussian mixture did not converge within its rounds: more of them, or a larger tol, may help",
                );
            }
            if fit.raised {
                run.note("a component of the Gaussian mixture collapsed onto too few rows: its covariance was raised");
            }
            let free = fit.params.free();
            let mut model = GaussianMixtureModel {
                params: fit.params,
                labels: Vec::new(),
                membership: Vec::new(),
                score: fit.log,
                bic: -2.0 * fit.log * passes.total + free as f64 * libm::log(passes.total),
                aic: -2.0 * fit.log * passes.total + 2.0 * free as f64,
                bic_of: bics,
                rounds: fit.rounds,
                converged: fit.converged,
            };
            let found = model.label(points.len(), |i| points.row(i))?;
            let group = canonical.group_of_row();
            model.labels = group.iter().map(|&g| found[g as usize].0).collect();
            model.membership = group.iter().map(|&g| found[g as usize].1).collect();
            Ok(model)
        })?
    }

    fn check(&self, columns: usize) -> Result<()> {
        for (name, value) in [("components", self.least), ("restarts", self.restarts), ("max_iter", self.max_iter)] {
            if value == 0 {
                return Err(Error::setting(name, value, "must be at least 1"));
            }
        }
        if self.most < self.least {
            let range = format!("{}..={}", self.least, self.most);
            return Err(Error::setting("components", range, "must not end before it begins"));
        }
        for (name, value) in [("tol", self.tol), ("reg_covar", self.reg_covar)] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Error::setting(name, value, "must be a finite number of at least 0"));
            }
        }
        if let Start::Means(means) = &self.start {
            if self.least != self.most || means.nrows() != self.least {
                let (expected, found) = (self.most, means.nrows());
                return Err(Error::Shape { what: "means to start from, one for each component", expected, found });
            }
            if means.ncols() != columns {
                let what = "columns of the means to start from";
                return Err(Error::Shape { what, expected: columns, found: means.ncols() });
            }
            if let Some(bad) = means.iter().find(|x| x.is_nan() || x.abs() > f64::from(f32::MAX)) {
                return Err(Error::setting("start_means", bad, "means must be finite numbers within f32"));
            }
        }
        Ok(())
    }

    /// The likeliest of the starts.
    fn best(&self, passes: &Passes<'_>, components: usize, run: &Run) -> Result<Fit> {
        let restarts = if matches!(self.start, Start::Means(_)) { 1 } else { self.restarts };
        let stage = run.stage("mixture", restarts.saturating_mul(self.max_iter));
        let mut best: Option<Fit> = None;
        for restart in 0..restarts {
            let place = run.at(&format!("{components} components, start {restart}"));
            let kmeans = KMeans::new(components).restarts(1);
            let start = match &self.start {
                Start::KMeans => kmeans.best(passes.points, &place)?,
                Start::PlusPlus => kmeans.nearest_to_start(passes.points, &place)?,
                Start::Means(means) => kmeans.start(means.clone()).nearest_to_start(passes.points, &place)?,
            };
            let sums = passes.sums(&Source::Hard(&start.labels), &start.centers, components);
            let (mut params, mut raised) = passes.next(&sums, &start.centers, None);
            let (mut before, mut converged, mut rounds) = (f64::NEG_INFINITY, false, 0);
            while !converged && rounds < self.max_iter {
                let sums = passes.sums(&Source::Soft(&density(&params)?), &params.means, components);
                (params, raised) = passes.next(&sums, &params.means, Some(&params));
                let log = sums.log / passes.total;
                converged = (log - before).abs() < self.tol;
                before = log;
                rounds += 1;
                stage.step(restart.saturating_mul(self.max_iter).saturating_add(rounds))?;
            }
            if best.as_ref().is_none_or(|best| before > best.log) {
                best = Some(Fit { params, log: before, rounds, converged, raised });
            }
        }
        let Some(mut fit) = best else { return Err(Error::setting("restarts", 0, "must be at least 1")) };
        // The likelihood of what is returned, not of the parameters before the last step.
        fit.log = passes.sums(&Source::Soft(&density(&fit.params)?), &fit.params.means, components).log / passes.total;
        fit.params = by_weight(&fit.params);
        Ok(fit)
    }
}

/// One start's result.
struct Fit {
    params: Params,
    /// Mean log-likelihood of a row.
    log: f64,
    rounds: usize,
    converged: bool,
    raised: bool,
}

fn density(params: &Params) -> Result<Density> {
    let reason = "a covariance cannot be factored: scale the columns or raise reg_covar";
    Density::new(params).ok_or(Error::Unsolved { method: "the Gaussian mixture", reason })
}

/// The components by falling weight, those of one weight by their means.
fn by_weight(params: &Params) -> Params {
    let (d, width) = (params.columns, Params::width(params.kind, params.columns));
    let mean = |c: usize| &params.means[c * d..(c + 1) * d];
    let mut order: Vec<usize> = (0..params.count()).collect();
    order.sort_by(|&a, &b| {
        let by_mean = mean(a).iter().zip(mean(b)).map(|(x, y)| x.total_cmp(y)).find(|order| order.is_ne());
        params.weights[b].total_cmp(&params.weights[a]).then(by_mean.unwrap_or(std::cmp::Ordering::Equal))
    });
    let covariances = match params.kind {
        Covariance::Tied => params.covariances.clone(),
        _ => order.iter().flat_map(|&c| params.covariances[c * width..(c + 1) * width].to_vec()).collect(),
    };
    Params {
        kind: params.kind,
        columns: d,
        weights: order.iter().map(|&c| params.weights[c]).collect(),
        means: order.iter().flat_map(|&c| mean(c).to_vec()).collect(),
        covariances,
    }
}

impl Clusterer for GaussianMixture {
    /// Rows go to the component of their largest share; components that are no row's largest are no clusters.
    fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering> {
        let model = self.fit(rows, run)?;
        let membership = model.membership.iter().map(|&share| share as f32).collect();
        Clustering::compact(model.labels)?.with_membership(membership)
    }

    fn settings(&self) -> Settings {
        settings_of!(GaussianMixture { least, most, covariance, start, restarts, max_iter, tol, reg_covar } = self)
    }
}
