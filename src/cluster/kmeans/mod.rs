//! k-means by Lloyd's rounds (1982) from a greedy k-means++ start (Arthur and Vassilvitskii 2007, section 2.2; the
//! greedy variant tries 2 + ln k candidates for each centre and keeps the best).
//!
//! Rounds measure few distances ([`nearest`]) and give what measuring all of them gives, bit for bit.
//!
//! # Deviations
//! - Rows are walked in an order given by their contents, equal rows as one row with a weight; means come from
//!   sums of whole numbers ([`means`]), other sums are taken in blocks whose size depends on the number of rows only: the
//!   same bits for any row order and number of threads.
//! - A cluster that loses its last row takes the row farthest from its centre, out of a cluster that has others.
//! - Clusters are numbered by falling size.

mod batches;
mod centers;
mod kernels;
mod means;
mod model;
mod nearest;
mod points;

use crate::core::random::Stream;
use crate::core::{Canonical, Clusterer, Clustering, Error, Result, Rows, Run, Settings, Stage, parallel, settings_of};
use centers::{Centers, Drift, panels_of};
use means::Means;
pub use model::KMeansModel;
use ndarray::{Array2, ArrayRef2};
use nearest::{Block, update};
pub(crate) use points::Points;

const PURPOSE: u64 = 0x6b6d_6561;

/// k-means: k clusters around means, each row with its nearest. What density clustering is compared with.
///
/// # Cost
/// At most O(restarts x rounds x rows x columns x clusters) time; where labels no longer change, bounds save most of it.
/// O(rows x (columns + clusters / 8) + 10 x clusters x columns) memory.
///
/// # Example
/// ```
/// use ndarray::array;
/// use recluster::{Run, cluster::KMeans};
/// let model = KMeans::new(2).fit(&array![[0.0f32], [1.0], [10.0], [11.0], [12.0]], &Run::new())?;
/// assert_eq!(model.labels(), [1, 1, 0, 0, 0]);
/// assert_eq!(model.centers()[[0, 0]], 11.0);
/// assert_eq!(model.predict(&array![[2.0f32], [9.0]])?, [1, 0]);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default = "unset", deny_unknown_fields))]
#[must_use]
pub struct KMeans {
    clusters: usize,
    restarts: usize,
    max_iter: usize,
    tol: f64,
    start: Option<Array2<f64>>,
    mini_batch: Option<usize>,
}

/// What settings in a file do not say. The number of clusters they must: 0 is refused where it is used.
#[cfg(feature = "serde")]
fn unset() -> KMeans {
    KMeans::new(0)
}

impl KMeans {
    /// This many clusters; 3 restarts of at most 300 rounds.
    pub fn new(clusters: usize) -> Self {
        KMeans { clusters, restarts: 3, max_iter: 300, tol: 1e-4, start: None, mini_batch: None }
    }

    /// How often to start anew, at least 1, default 3; the result of the lowest inertia is kept. A given start is used
    /// once.
    pub fn restarts(mut self, restarts: usize) -> Self {
        self.restarts = restarts;
        self
    }

    /// Most rounds of each start, at least 1; default 300. With mini-batches, most times that as many rows are drawn as
    /// there are.
    pub fn max_iter(mut self, rounds: usize) -> Self {
        self.max_iter = rounds;
        self
    }

    /// Stops when the centres' squared shifts add up to at most this times the mean variance of a column; at least 0,
    /// default 1e-4. Mini-batches end by their own rule.
    pub fn tol(mut self, tol: f64) -> Self {
        self.tol = tol;
        self
    }

    /// Starts from these centres, clusters x columns, finite, instead of k-means++.
    pub fn start(mut self, centers: Array2<f64>) -> Self {
        self.start = Some(centers);
        self
    }

    /// Learns the centres from random batches of this many rows, at least 1, instead of all rows in each round: for very
    /// many rows. Labels and inertia are still those of all rows. Default: no batches.
    pub fn mini_batch(mut self, rows: usize) -> Self {
        self.mini_batch = Some(rows);
        self
    }

    /// Clusters `rows` (n x columns, finite). Notes to the run if no start came to rest within its rounds.
    ///
    /// # Errors
    /// [`Error::Empty`] and [`Error::NotFinite`] for the data; [`Error::Setting`] for a setting outside its range;
    /// [`Error::TooFewRows`] when there are fewer different rows than clusters; [`Error::Shape`] when a given start is
    /// not clusters x columns; [`Error::Cancelled`].
    pub fn fit(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<KMeansModel> {
        let rows = Rows::finite(rows)?;
        self.check(rows.columns())?;
        run.install(|| {
            let canonical = Canonical::of(&rows);
            if canonical.groups() < self.clusters {
                let method = "k-means (equal rows counted once)";
                return Err(Error::TooFewRows { method, needed: self.clusters, rows: canonical.groups() });
            }
            let points = Points::new(&rows, &canonical);
            let fit = self.best(&points, run)?;
            if !fit.converged {
                run.note("k-means did not come to rest within its rounds: more of them may change the clusters");
            }
            Ok(fit.numbered(&points, &canonical, self.clusters))
        })?
    }

    fn check(&self, columns: usize) -> Result<()> {
        let batch = self.mini_batch.unwrap_or(1);
        let sizes = [
            ("clusters", self.clusters),
            ("restarts", self.restarts),
            ("max_iter", self.max_iter),
            ("mini_batch", batch),
        ];
        for (name, value) in sizes {
            if value == 0 {
                return Err(Error::setting(name, value, "must be at least 1"));
            }
        }
        if !(self.tol >= 0.0 && self.tol.is_finite()) {
            return Err(Error::setting("tol", self.tol, "must be a finite number of at least 0"));
        }
        if let Some(start) = &self.start {
            let (expected, found) = (self.clusters, start.nrows());
            if expected != found {
                return Err(Error::Shape { what: "centres to start from", expected, found });
            }
            if columns != start.ncols() {
                let what = "columns of the centres to start from";
                return Err(Error::Shape { what, expected: columns, found: start.ncols() });
            }
            if let Some(bad) = start.iter().find(|x| x.is_nan() || x.abs() > f64::from(f32::MAX)) {
                return Err(Error::setting("start", bad, "centres must be finite numbers within f32"));
            }
        }
        Ok(())
    }

    /// The best of the starts.
    pub(crate) fn best(&self, points: &Points, run: &Run) -> Result<Fit> {
        let tolerance = self.tol * points.mean_variance();
        let restarts = if self.start.is_some() { 1 } else { self.restarts };
        let rounds = match self.mini_batch {
            Some(size) => self.max_iter.saturating_mul(points.len().div_ceil(size)),
            None => self.max_iter,
        };
        let stage = run.stage("k-means", restarts.saturating_mul(rounds));
        let mut best: Option<Fit> = None;
        for restart in 0..restarts {
            let stream = Stream::new(run.key(), PURPOSE).of(restart as u64);
            let start = match &self.start {
                Some(start) => start.iter().copied().collect(),
                None => points.start(self.clusters, stream, &stage)?,
            };
            let fit = match self.mini_batch {
                Some(size) => {
                    let size = size.min(points.len());
                    let (centers, rounds, converged) =
                        batches::run(points, start, size, self.max_iter, stream.of(u64::MAX), &stage)?;
                    let mut fit = lloyd(points, centers, 0, tolerance, restart, &stage)?;
                    (fit.rounds, fit.converged) = (rounds, converged);
                    fit
                }
                None => parallel::within(|| lloyd(points, start, self.max_iter, tolerance, restart, &stage))?,
            };
            if best.as_ref().is_none_or(|best| fit.inertia < best.inertia) {
                best = Some(fit);
            }
        }
        best.ok_or_else(|| Error::setting("restarts", 0, "must be at least 1"))
    }

    /// The rows nearest to the centres that a fit would start from, and these centres.
    pub(crate) fn nearest_to_start(&self, points: &Points, run: &Run) -> Result<Fit> {
        let stage = run.stage("k-means", 1);
        let start = match &self.start {
            Some(start) => start.iter().copied().collect(),
            None => points.start(self.clusters, Stream::new(run.key(), PURPOSE).of(0), &stage)?,
        };
        lloyd(points, start, 0, 0.0, 0, &stage)
    }
}

/// At most `rounds` of Lloyd's rounds, and the rows' nearest centres.
fn lloyd(
    points: &Points,
    start: Vec<f64>,
    most: usize,
    tolerance: f64,
    restart: usize,
    stage: &Stage<'_>,
) -> Result<Fit> {
    let (columns, clusters) = (points.columns, start.len() / points.columns);
    let slots = panels_of(&start, columns);
    let mut centers = Centers::new(start, columns, slots, points.largest);
    let mut blocks = Block::all(points.len(), points.block, &centers);
    let mut drift = Drift::none(&centers);
    let mut means = Means::new(points, clusters);
    let (mut rounds, mut converged) = (0, false);
    while !converged && rounds < most {
        update(&centers, &points.data, &mut blocks, &drift);
        points.fill_empty(&mut blocks, &centers, clusters);
        let moved = means.update(&blocks);
        let (before, slots) = centers.into_parts();
        let shift: f64 = moved.iter().zip(&before).map(|(a, b)| (a - b) * (a - b)).sum();
        centers = Centers::new(moved, columns, slots, points.largest);
        drift = Drift::between(&before, &centers);
        converged = shift <= tolerance;
        rounds += 1;
        stage.step(restart.saturating_mul(most).saturating_add(rounds))?;
    }
    update(&centers, &points.data, &mut blocks, &drift);
    let filled = points.fill_empty(&mut blocks, &centers, clusters);
    if !filled.is_empty() {
        let mut exact = centers.exact().to_vec();
        for (cluster, point) in filled {
            let row = points.row(point).iter().map(|&x| f64::from(x));
            exact[cluster * columns..(cluster + 1) * columns].iter_mut().zip(row).for_each(|(to, x)| *to = x);
        }
        let slots = centers.into_parts().1;
        centers = Centers::new(exact, columns, slots, points.largest);
    }
    let inertia = points.squared(&blocks, &centers).iter().zip(&points.weight).map(|(d, w)| d * w).sum();
    let labels = blocks.into_iter().flat_map(|block| block.label).collect();
    Ok(Fit { centers: centers.into_parts().0, labels, inertia, rounds, converged })
}

impl Clusterer for KMeans {
    fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering> {
        Clustering::new(self.fit(rows, run)?.labels)
    }

    fn settings(&self) -> Settings {
        settings_of!(KMeans { clusters, restarts, max_iter, tol, start, mini_batch } = self)
    }
}

/// One start's result.
pub(crate) struct Fit {
    pub(crate) centers: Vec<f64>,
    /// By point.
    pub(crate) labels: Vec<u32>,
    inertia: f64,
    rounds: usize,
    converged: bool,
}

impl Fit {
    /// Numbers the clusters by falling size and gives every original row its label.
    fn numbered(self, points: &Points, canonical: &Canonical, clusters: usize) -> KMeansModel {
        let mut size = vec![0.0; clusters];
        for (i, &label) in self.labels.iter().enumerate() {
            size[label as usize] += points.weight[i];
        }
        let mut order: Vec<usize> = (0..clusters).collect();
        order.sort_by(|&a, &b| size[b].total_cmp(&size[a]));
        let mut number = vec![0i32; clusters];
        for (n, &cluster) in order.iter().enumerate() {
            number[cluster] = n as i32;
        }
        let columns = points.columns;
        let centers = Array2::from_shape_fn((clusters, columns), |(i, j)| self.centers[order[i] * columns + j]);
        let group = canonical.group_of_row();
        let labels = group.iter().map(|&g| number[self.labels[g as usize] as usize]).collect();
        KMeansModel { centers, labels, inertia: self.inertia, rounds: self.rounds, converged: self.converged }
    }
}
