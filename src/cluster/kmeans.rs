//! k-means by Lloyd's rounds (1982) from a greedy k-means++ start (Arthur and Vassilvitskii 2007, section 2.2; the
//! greedy variant tries 2 + ln k candidates for each centre and keeps the best).
//!
//! # Deviations
//! - Rows are walked in an order given by their contents, equal rows as one row with a weight, and sums are taken in
//!   blocks whose size depends on the number of rows only: the same bits for any row order and number of threads.
//! - A cluster that loses its last row gets the row farthest from its centre, out of a cluster that has others.
//! - Clusters are numbered by falling size.

use crate::core::random::Stream;
use crate::core::{Canonical, Clusterer, Clustering, Error, Result, Rows, Run, parallel, simd};
use ndarray::{Array2, ArrayRef2};

/// Centres measured at once.
const LANES: usize = 8;
const PURPOSE: u64 = 0x6b6d_6561;

/// k-means: k clusters around means, each row with its nearest. What density clustering is compared with.
///
/// # Cost
/// O(restarts x rounds x rows x columns x clusters) time, O(rows + 64 x clusters x columns) memory.
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
pub struct KMeans {
    clusters: usize,
    restarts: usize,
    max_iter: usize,
    tol: f64,
}

impl KMeans {
    /// This many clusters; 3 restarts of at most 300 rounds.
    pub fn new(clusters: usize) -> Self {
        KMeans { clusters, restarts: 3, max_iter: 300, tol: 1e-4 }
    }

    /// How often to start anew, at least 1, default 3; the result of the lowest inertia is kept.
    pub fn restarts(mut self, restarts: usize) -> Self {
        self.restarts = restarts;
        self
    }

    /// Most rounds of each start, at least 1; default 300.
    pub fn max_iter(mut self, rounds: usize) -> Self {
        self.max_iter = rounds;
        self
    }

    /// Stops when the centres' squared shifts add up to at most this times the mean variance of a column; at least 0,
    /// default 1e-4.
    pub fn tol(mut self, tol: f64) -> Self {
        self.tol = tol;
        self
    }

    /// Clusters `rows` (n x columns, finite).
    ///
    /// # Errors
    /// [`Error::Empty`] and [`Error::NotFinite`] for the data; [`Error::Setting`] for a setting outside its range and
    /// when there are fewer different rows than clusters; [`Error::Cancelled`].
    pub fn fit(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<KMeansModel> {
        let rows = Rows::finite(rows)?;
        for (name, value) in [("clusters", self.clusters), ("restarts", self.restarts), ("max_iter", self.max_iter)] {
            if value == 0 {
                return Err(Error::setting(name, value, "must be at least 1"));
            }
        }
        if !(self.tol >= 0.0 && self.tol.is_finite()) {
            return Err(Error::setting("tol", self.tol, "must be a finite number of at least 0"));
        }
        run.install(|| {
            let canonical = Canonical::of(&rows);
            if canonical.groups() < self.clusters {
                return Err(Error::setting("clusters", self.clusters, "must be at most the number of different rows"));
            }
            let points = Points::new(&rows, &canonical);
            let tolerance = self.tol * points.mean_variance();
            let stage = run.stage("k-means", self.restarts * self.max_iter);
            let mut best: Option<Fit> = None;
            for restart in 0..self.restarts {
                let stream = Stream::new(run.key(), PURPOSE).of(restart as u64);
                let mut centers = points.start(self.clusters, stream);
                let mut converged = false;
                let mut rounds = 0;
                while !converged && rounds < self.max_iter {
                    let moved = points.means(&mut points.assign(&centers, true), self.clusters);
                    let shift: f64 = moved.iter().zip(&centers).map(|(a, b)| (a - b) * (a - b)).sum();
                    centers = moved;
                    converged = shift <= tolerance;
                    rounds += 1;
                    stage.step(restart * self.max_iter + rounds)?;
                }
                let mut assigned = points.assign(&centers, false);
                for (cluster, point) in points.fill_empty(&mut assigned, self.clusters) {
                    for (x, &value) in centers[cluster * points.columns..].iter_mut().zip(points.row(point)) {
                        *x = f64::from(value);
                    }
                }
                let inertia = points.inertia(&assigned);
                if best.as_ref().is_none_or(|best| inertia < best.inertia) {
                    best = Some(Fit { centers, labels: assigned.labels, inertia, rounds, converged });
                }
            }
            let Some(fit) = best else { return Err(Error::setting("restarts", 0, "must be at least 1")) };
            Ok(fit.numbered(&points, &canonical, self.clusters))
        })?
    }
}

impl Clusterer for KMeans {
    fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering> {
        Clustering::new(self.fit(rows, run)?.labels)
    }
}

/// What [`KMeans`] found. Plain data.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct KMeansModel {
    centers: Array2<f64>,
    labels: Vec<i32>,
    inertia: f64,
    rounds: usize,
    converged: bool,
}

#[cfg(feature = "serde")]
impl crate::core::Saved for KMeansModel {
    const FORMAT: &'static str = "recluster k-means";
    const VERSION: u64 = 1;
}

impl KMeansModel {
    /// Centres, clusters x columns.
    pub fn centers(&self) -> &Array2<f64> {
        &self.centers
    }

    /// Each row's cluster, from 0; every cluster has a row.
    pub fn labels(&self) -> &[i32] {
        &self.labels
    }

    /// Sum of the rows' squared distances to their centres.
    pub fn inertia(&self) -> f64 {
        self.inertia
    }

    /// Rounds of the start that was kept.
    pub fn rounds(&self) -> usize {
        self.rounds
    }

    /// Whether that start came to rest within its rounds.
    pub fn converged(&self) -> bool {
        self.converged
    }

    /// The nearest centre of each of `rows` (n x columns, finite), the first of several.
    ///
    /// # Errors
    /// [`Error::Empty`] and [`Error::NotFinite`] for the data; [`Error::Shape`] when the columns are not the fit's.
    pub fn predict(&self, rows: &ArrayRef2<f32>) -> Result<Vec<i32>> {
        let rows = Rows::finite(rows)?;
        let (clusters, columns) = self.centers.dim();
        if rows.columns() != columns {
            return Err(Error::Shape { what: "columns", expected: columns, found: rows.columns() });
        }
        let centers: Vec<f64> = self.centers.iter().copied().collect();
        let panels = panels(&centers, clusters, columns);
        let labels = parallel::map_ranges(rows.len(), 256, |range| {
            let mut squared = vec![0.0; range.len() * panels.len() / columns * LANES];
            measure(&rows.data()[range.start * columns..range.end * columns], columns, &panels, &mut squared);
            nearest(&squared, range.len(), clusters).into_iter().map(|(label, _)| label as i32).collect::<Vec<_>>()
        });
        Ok(labels.concat())
    }
}

/// The different rows in canonical order, with what each weighs.
struct Points {
    data: Vec<f32>,
    weight: Vec<f64>,
    columns: usize,
    /// Points in a block.
    block: usize,
}

/// Each point's nearest centre.
struct Assigned {
    labels: Vec<u32>,
    squared: Vec<f64>,
    /// Sums of weighted rows (clusters x columns) then weights, if asked for.
    sums: Vec<f64>,
}

impl Points {
    fn new(rows: &Rows<'_>, canonical: &Canonical) -> Self {
        let groups = canonical.groups();
        let mut data = Vec::with_capacity(groups * rows.columns());
        for g in 0..groups {
            data.extend_from_slice(rows.row(canonical.representative(g)));
        }
        let weight = (0..groups).map(|g| canonical.weight(g) as f64).collect();
        Points { data, weight, columns: rows.columns(), block: groups.div_ceil(64).max(512) }
    }

    fn len(&self) -> usize {
        self.weight.len()
    }

    fn row(&self, i: usize) -> &[f32] {
        &self.data[i * self.columns..(i + 1) * self.columns]
    }

    /// Mean over the columns of their variance, in two passes.
    fn mean_variance(&self) -> f64 {
        let total: f64 = self.weight.iter().sum();
        let mut mean = vec![0.0; self.columns];
        for i in 0..self.len() {
            for (sum, &x) in mean.iter_mut().zip(self.row(i)) {
                *sum += self.weight[i] * f64::from(x);
            }
        }
        mean.iter_mut().for_each(|sum| *sum /= total);
        let mut square = vec![0.0; self.columns];
        for i in 0..self.len() {
            for ((sum, &x), mean) in square.iter_mut().zip(self.row(i)).zip(&mean) {
                let gap = f64::from(x) - mean;
                *sum += self.weight[i] * gap * gap;
            }
        }
        square.iter().sum::<f64>() / total / self.columns as f64
    }

    /// Greedy k-means++.
    fn start(&self, clusters: usize, stream: Stream) -> Vec<f64> {
        let trials = (2 + libm::log(clusters as f64) as usize).min(LANES);
        let mut draw = 0;
        let mut pick = |mass: &[f64]| {
            let total: f64 = mass.iter().sum();
            let target = stream.uniform(draw) * total;
            draw += 1;
            let mut sum = 0.0;
            let found = mass.iter().position(|m| {
                sum += m;
                sum > target
            });
            found.or(mass.iter().rposition(|&m| m > 0.0)).unwrap_or(0)
        };
        let first = pick(&self.weight);
        let mut centers: Vec<f64> = self.row(first).iter().map(|&x| f64::from(x)).collect();
        let mut squared = self.squared_to(&[first]);
        while centers.len() < clusters * self.columns {
            let mass: Vec<f64> = squared.iter().zip(&self.weight).map(|(d, w)| d * w).collect();
            let tried: Vec<usize> = (0..trials).map(|_| pick(&mass)).collect();
            let to_tried = self.squared_to(&tried);
            let potential = |trial: usize| -> f64 {
                (0..self.len()).map(|i| self.weight[i] * squared[i].min(to_tried[i * trials + trial])).sum()
            };
            let potentials: Vec<f64> = parallel::map(trials, potential);
            let best = (0..trials).fold(0, |a, b| if potentials[b] < potentials[a] { b } else { a });
            centers.extend(self.row(tried[best]).iter().map(|&x| f64::from(x)));
            for i in 0..self.len() {
                squared[i] = squared[i].min(to_tried[i * trials + best]);
            }
        }
        centers
    }

    /// Squared distances of each point to a few others, at most [`LANES`].
    fn squared_to(&self, others: &[usize]) -> Vec<f64> {
        let centers: Vec<f64> = others.iter().flat_map(|&i| self.row(i)).map(|&x| f64::from(x)).collect();
        let panels = panels(&centers, others.len(), self.columns);
        parallel::map_ranges(self.len(), self.block, |range| {
            let mut squared = vec![0.0; range.len() * LANES];
            measure(
                &self.data[range.start * self.columns..range.end * self.columns],
                self.columns,
                &panels,
                &mut squared,
            );
            squared.chunks_exact(LANES).flat_map(|lanes| lanes[..others.len()].to_vec()).collect::<Vec<_>>()
        })
        .concat()
    }

    fn assign(&self, centers: &[f64], with_sums: bool) -> Assigned {
        let columns = self.columns;
        let clusters = centers.len() / columns;
        let panels = panels(centers, clusters, columns);
        let blocks = parallel::map_ranges(self.len(), self.block, |range| {
            let mut found = Vec::with_capacity(range.len());
            let mut squared = Vec::new();
            for start in range.clone().step_by(64) {
                let end = (start + 64).min(range.end);
                squared.resize((end - start) * panels.len() / columns * LANES, 0.0);
                measure(&self.data[start * columns..end * columns], columns, &panels, &mut squared);
                found.extend(nearest(&squared, end - start, clusters));
            }
            let mut sums = Vec::new();
            if with_sums {
                sums.resize(clusters * (columns + 1), 0.0);
                for (i, &(label, _)) in range.zip(&found) {
                    self.add(i, label as usize, self.weight[i], clusters, &mut sums);
                }
            }
            (found, sums)
        });
        let mut assigned = Assigned {
            labels: Vec::with_capacity(self.len()),
            squared: Vec::with_capacity(self.len()),
            sums: vec![0.0; if with_sums { clusters * (columns + 1) } else { 0 }],
        };
        for (found, sums) in blocks {
            assigned.labels.extend(found.iter().map(|f| f.0));
            assigned.squared.extend(found.iter().map(|f| f.1));
            assigned.sums.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
        }
        assigned
    }

    fn add(&self, i: usize, label: usize, weight: f64, clusters: usize, sums: &mut [f64]) {
        for (sum, &x) in sums[label * self.columns..(label + 1) * self.columns].iter_mut().zip(self.row(i)) {
            *sum += weight * f64::from(x);
        }
        sums[clusters * self.columns + label] += weight;
    }

    /// Means of the clusters, each of which has a point.
    fn means(&self, assigned: &mut Assigned, clusters: usize) -> Vec<f64> {
        let before = assigned.labels.clone();
        for (cluster, point) in self.fill_empty(assigned, clusters) {
            self.add(point, before[point] as usize, -self.weight[point], clusters, &mut assigned.sums);
            self.add(point, cluster, self.weight[point], clusters, &mut assigned.sums);
        }
        let (sums, weights) = assigned.sums.split_at(clusters * self.columns);
        sums.iter().enumerate().map(|(i, sum)| sum / weights[i / self.columns]).collect()
    }

    /// Gives each empty cluster the point farthest from its centre, out of clusters of several; (cluster, point).
    ///
    /// There are at least as many points as clusters, so an empty cluster implies one of several points.
    fn fill_empty(&self, assigned: &mut Assigned, clusters: usize) -> Vec<(usize, usize)> {
        let mut count = vec![0usize; clusters];
        assigned.labels.iter().for_each(|&label| count[label as usize] += 1);
        let mut filled = Vec::new();
        for cluster in 0..clusters {
            if count[cluster] > 0 {
                continue;
            }
            let several = (0..self.len()).filter(|&i| count[assigned.labels[i] as usize] > 1);
            let far = several.fold(None, |far: Option<usize>, i| match far {
                Some(best) if assigned.squared[i] <= assigned.squared[best] => far,
                _ => Some(i),
            });
            if let Some(point) = far {
                count[assigned.labels[point] as usize] -= 1;
                count[cluster] = 1;
                assigned.labels[point] = cluster as u32;
                assigned.squared[point] = 0.0;
                filled.push((cluster, point));
            }
        }
        filled
    }

    fn inertia(&self, assigned: &Assigned) -> f64 {
        assigned.squared.iter().zip(&self.weight).map(|(d, w)| d * w).sum()
    }
}

/// One start's result.
struct Fit {
    centers: Vec<f64>,
    labels: Vec<u32>,
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

/// Centres in panels: for each eight of them the columns, eight lanes each; unused lanes are infinite.
fn panels(centers: &[f64], clusters: usize, columns: usize) -> Vec<[f64; LANES]> {
    let mut panels = vec![[f64::INFINITY; LANES]; clusters.div_ceil(LANES) * columns];
    for i in 0..clusters {
        for c in 0..columns {
            panels[i / LANES * columns + c][i % LANES] = centers[i * columns + c];
        }
    }
    panels
}

simd::multiversion! {
    /// Squared distances of rows to all centres of the panels, row after row.
    fn measure(rows: &[f32], columns: usize, panels: &[[f64; LANES]], squared: &mut [f64]) {
        let width = panels.len() / columns * LANES;
        for (row, squared) in rows.chunks_exact(columns).zip(squared.chunks_exact_mut(width)) {
            for (panel, squared) in panels.chunks_exact(columns).zip(squared.chunks_exact_mut(LANES)) {
                let mut sums = [0.0f64; LANES];
                for (lanes, &x) in panel.iter().zip(row) {
                    for lane in 0..LANES {
                        let gap = f64::from(x) - lanes[lane];
                        sums[lane] += gap * gap;
                    }
                }
                squared.copy_from_slice(&sums);
            }
        }
    }
}

/// The nearest centre of each row and its squared distance, the first of several.
fn nearest(squared: &[f64], rows: usize, clusters: usize) -> Vec<(u32, f64)> {
    let width = squared.len() / rows.max(1);
    let of = |squared: &[f64]| {
        let mut best = (0, f64::INFINITY);
        for (cluster, &d) in squared[..clusters].iter().enumerate() {
            if d < best.1 {
                best = (cluster as u32, d);
            }
        }
        best
    };
    squared.chunks_exact(width.max(1)).take(rows).map(of).collect()
}
