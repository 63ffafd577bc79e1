//! UMAP (McInnes, Healy, Melville 2018, "UMAP: Uniform Manifold Approximation and Projection for Dimension Reduction",
//! arXiv:1802.03426v3; section, equation and algorithm numbers are those of that version).
//!
//! The steps of [`Umap::fit`]: different rows and their neighbours, widths ([`fuzzy`], algorithm 3), the fuzzy union
//! (algorithm 2), the start ([`start`], algorithm 4), the curve ([`curve`], definition 11), the layout ([`layout`],
//! algorithm 5). Deviations:
//!
//! 1. Equal rows are one point of the graph and share one position (umap-learn's `unique`). Otherwise a row that
//!    occurs more often than `n_neighbors` times is its own cluster, however near its neighbours are.
//! 2. The layout is deterministic and parallel; see [`layout`] for how it differs from sequential descent.
//! 3. The spectral start is bounded; see [`start`].
//! 4. `transform` treats each new row by itself; see [`transform`].
//! 5. Small tables get more epochs (umap-learn: 500 up to 10,000 rows): a part of a table is often harder to unfold
//!    than the whole, and what 500 epochs leave tangled looks like clusters.

mod curve;
mod fuzzy;
mod layout;
mod start;
#[cfg(test)]
mod tests;
mod transform;

use crate::core::random::Stream;
use crate::core::{Canonical, Rows};
use crate::neighbors::{Groups, Measure, Search};
use crate::{Embedder, Error, Result, Run};
use ndarray::{Array2, ArrayRef2};

const PURPOSE: u64 = 0x756d_6170;
/// Rows x epochs of the default, within [`EPOCHS`]: 500 epochs at 10,000 rows, as in umap-learn.
const MOVES: usize = 5_000_000;
/// Least and most epochs of the default.
const EPOCHS: (usize, usize) = (200, 2000);

/// Where the layout starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Init {
    /// Eigenvectors of the graph's normalised Laplacian.
    #[default]
    Spectral,
    /// Principal components of the rows.
    Pca,
    /// Uniform random points.
    Random,
}

/// The start that was used: what was asked for, or what took its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Start {
    /// Eigenvectors of the graph's normalised Laplacian, component by component.
    Spectral,
    /// Principal components of the rows.
    Pca,
    /// Uniform random points.
    Random,
}

/// Facts about the neighbour graph of a fit.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GraphFacts {
    /// Different rows: vertices of the graph.
    pub points: usize,
    /// Neighbours of each vertex, itself counted: `n_neighbors`, or the number of different rows if that is less.
    pub neighbors: usize,
    /// Edges, each counted once.
    pub edges: usize,
    /// Connected components of the graph that was laid out.
    pub components: usize,
    /// Whether the neighbours are the true ones.
    pub exact: bool,
}

/// Uniform manifold approximation and projection: a builder.
///
/// The result is the same for any number of threads and any order of the rows (permuted alike).
///
/// ```
/// use ndarray::Array2;
/// use recluster::{Run, embed::Umap};
/// let rows = Array2::from_shape_fn((60, 4), |(i, j)| ((i % 3) * 10) as f32 + ((i * 7 + j * 3) % 11) as f32 * 0.1);
/// let model = Umap::new().n_neighbors(10).n_epochs(50).fit(&rows, &Run::new())?;
/// assert_eq!(model.embedding().dim(), (60, 2));
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Umap {
    n_neighbors: usize,
    n_components: usize,
    min_dist: f64,
    spread: f64,
    metric: Measure,
    n_epochs: Option<usize>,
    learning_rate: f64,
    repulsion_strength: f64,
    negative_sample_rate: usize,
    set_op_mix_ratio: f64,
    local_connectivity: f64,
    init: Init,
    search: Search,
}

impl Default for Umap {
    fn default() -> Self {
        Umap {
            n_neighbors: 15,
            n_components: 2,
            min_dist: 0.1,
            spread: 1.0,
            metric: Measure::default(),
            n_epochs: None,
            learning_rate: 1.0,
            repulsion_strength: 1.0,
            negative_sample_rate: 5,
            set_op_mix_ratio: 1.0,
            local_connectivity: 1.0,
            init: Init::Spectral,
            search: Search::Auto,
        }
    }
}

/// A fitted UMAP: plain data.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UmapModel {
    settings: Umap,
    key: u64,
    embedding: Array2<f32>,
    a: f64,
    b: f64,
    graph: GraphFacts,
    start: Start,
    epochs: usize,
    /// The different rows, in canonical order, and where each went.
    points: Array2<f32>,
    positions: Array2<f32>,
    /// Where neighbours were searched, their lists: what later searches walk over.
    nearby: Vec<u32>,
    #[cfg_attr(feature = "serde", serde(skip))]
    index: transform::Cached,
}

#[cfg(feature = "serde")]
impl crate::Saved for UmapModel {
    const FORMAT: &'static str = "recluster umap";
    const VERSION: u64 = 2;
}

impl Umap {
    /// The defaults of umap-learn, which are the paper's.
    pub fn new() -> Self {
        Umap::default()
    }

    /// Sets how many rows count as the neighbourhood of a row, itself included; at least 2, default 15. Small values
    /// show local structure, large ones global.
    pub fn n_neighbors(mut self, n_neighbors: usize) -> Self {
        self.n_neighbors = n_neighbors;
        self
    }

    /// Sets the columns of the embedding; 1 to 64, default 2.
    pub fn n_components(mut self, n_components: usize) -> Self {
        self.n_components = n_components;
        self
    }

    /// Sets how near points may come in the embedding; 0 to `spread`, default 0.1. Zero suits clustering.
    pub fn min_dist(mut self, min_dist: f64) -> Self {
        self.min_dist = min_dist;
        self
    }

    /// Sets the scale of the embedding; above 0, default 1.
    pub fn spread(mut self, spread: f64) -> Self {
        self.spread = spread;
        self
    }

    /// Sets the metric of the rows, a [`Metric`](crate::neighbors::Metric) or [`Measure::own`]; default Euclidean. A
    /// saved model holds the name of a metric of one's own; see [`UmapModel::restore_metric`].
    pub fn metric(mut self, metric: impl Into<Measure>) -> Self {
        self.metric = metric.into();
        self
    }

    /// Sets the number of epochs of the layout; at least 1. Default 5,000,000 / rows, but at
    /// least 200 and at most 2,000: 500 for 10,000 rows, and the more the fewer rows there are, at the same cost.
    pub fn n_epochs(mut self, n_epochs: usize) -> Self {
        self.n_epochs = Some(n_epochs);
        self
    }

    /// Sets the learning rate that the layout begins with; above 0, default 1.
    pub fn learning_rate(mut self, learning_rate: f64) -> Self {
        self.learning_rate = learning_rate;
        self
    }

    /// Sets the weight of repulsion; at least 0, default 1.
    pub fn repulsion_strength(mut self, repulsion_strength: f64) -> Self {
        self.repulsion_strength = repulsion_strength;
        self
    }

    /// Sets how many random vertices repel for each sampled edge; default 5.
    pub fn negative_sample_rate(mut self, negative_sample_rate: usize) -> Self {
        self.negative_sample_rate = negative_sample_rate;
        self
    }

    /// Sets the mix of fuzzy union (1, the default) and intersection (0) of the two directions of an edge.
    pub fn set_op_mix_ratio(mut self, set_op_mix_ratio: f64) -> Self {
        self.set_op_mix_ratio = set_op_mix_ratio;
        self
    }

    /// Sets how many neighbours count as connected outright; at least 0, default 1, fractions are interpolated.
    pub fn local_connectivity(mut self, local_connectivity: f64) -> Self {
        self.local_connectivity = local_connectivity;
        self
    }

    /// Sets where the layout starts; default [`Init::Spectral`].
    pub fn init(mut self, init: Init) -> Self {
        self.init = init;
        self
    }

    /// Sets how neighbours are searched; default [`Search::Auto`].
    pub fn search(mut self, search: Search) -> Self {
        self.search = search;
        self
    }

    fn check(&self) -> Result<()> {
        self.metric.check()?;
        let positive = |name, value: f64| {
            if value > 0.0 && value < 1e6 {
                Ok(())
            } else {
                Err(Error::setting(name, value, "must be above 0 and below 1e6"))
            }
        };
        if self.n_neighbors < 2 {
            return Err(Error::setting("n_neighbors", self.n_neighbors, "must be at least 2"));
        }
        if !(1..=layout::MOST).contains(&self.n_components) {
            return Err(Error::setting("n_components", self.n_components, "must be between 1 and 64"));
        }
        positive("spread", self.spread)?;
        positive("learning_rate", self.learning_rate)?;
        if !(self.min_dist >= 0.0 && self.min_dist <= self.spread) {
            return Err(Error::setting("min_dist", self.min_dist, "must be between 0 and spread"));
        }
        if self.n_epochs.is_some_and(|n| n == 0 || n > 1_000_000) {
            return Err(Error::setting("n_epochs", self.n_epochs.unwrap_or(0), "must be between 1 and 1,000,000"));
        }
        if !(0.0..1e6).contains(&self.repulsion_strength) {
            return Err(Error::setting("repulsion_strength", self.repulsion_strength, "must be at least 0, below 1e6"));
        }
        if self.negative_sample_rate > 1000 {
            return Err(Error::setting("negative_sample_rate", self.negative_sample_rate, "must be at most 1,000"));
        }
        if !(0.0..=1.0).contains(&self.set_op_mix_ratio) {
            return Err(Error::setting("set_op_mix_ratio", self.set_op_mix_ratio, "must be between 0 and 1"));
        }
        if !(0.0..1e6).contains(&self.local_connectivity) {
            return Err(Error::setting("local_connectivity", self.local_connectivity, "must be at least 0, below 1e6"));
        }
        Ok(())
    }

    /// Embeds `rows` (n x columns) and keeps what is needed to place new rows.
    ///
    /// With fewer different rows than `n_neighbors`, each row's neighbours are all others, and the run is told so. A
    /// single different row lands on the origin.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting out of its range; [`Error::Empty`]; [`Error::NotFinite`] names the row and
    /// column of a NaN or infinity; [`Error::Cancelled`].
    ///
    /// # Cost
    /// That of the neighbours (see [`Nearest::find`](crate::neighbors::Nearest::find)), plus O(n x n_neighbors x
    /// epochs) for the layout. Memory O(n x (n_neighbors + columns)).
    pub fn fit(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<UmapModel> {
        self.check()?;
        let rows = Rows::finite(rows)?;
        run.install(|| {
            let canonical = Canonical::of(&rows);
            let drawn = self.draw(&rows, &canonical, run)?;
            let points = rows.representatives(&canonical);
            let positions = Array2::from_shape_fn((canonical.groups(), self.n_components), |(g, d)| {
                drawn.positions[g * self.n_components + d]
            });
            Ok(UmapModel {
                settings: self.clone(),
                key: run.key(),
                embedding: drawn.by_row(&canonical, self.n_components),
                a: drawn.curve.0,
                b: drawn.curve.1,
                graph: drawn.facts,
                start: drawn.start,
                epochs: drawn.epochs,
                points,
                positions,
                nearby: drawn.nearby,
                index: transform::Cached::default(),
            })
        })?
    }

    /// The method's steps, on the different rows.
    fn draw(&self, rows: &Rows<'_>, canonical: &Canonical, run: &Run) -> Result<Drawing> {
        let n = canonical.groups();
        let k = self.n_neighbors.min(n);
        if k < self.n_neighbors {
            run.note(&format!(
                "{n} different rows are fewer than {} neighbours: each has all others",
                self.n_neighbors
            ));
        }
        let epochs = self.n_epochs.unwrap_or((MOVES / rows.len()).clamp(EPOCHS.0, EPOCHS.1));
        let curve = curve::fit(self.spread, self.min_dist);
        if n == 1 {
            let facts = GraphFacts { points: 1, neighbors: 1, edges: 0, components: 1, exact: true };
            let positions = vec![0.0; self.n_components];
            return Ok(Drawing { positions, curve, facts, start: Start::Random, epochs, nearby: Vec::new() });
        }
        let pick: Vec<u32> = (0..n).map(|g| canonical.representative(g) as u32).collect();
        let groups = Groups::find(rows, canonical, k, &self.metric, self.search, run)?;
        let nearby = nearby(&groups, n);
        let widths = fuzzy::smooth(&nearby, k, self.local_connectivity);
        let graph = fuzzy::union(&nearby, &widths, self.set_op_mix_ratio as f32);
        // An edge that would not be sampled once is dropped.
        let heaviest = graph.weights.iter().fold(0.0f32, |m, &w| m.max(w));
        let graph = graph.pruned(heaviest / epochs as f32);
        let draws = Stream::new(run.key(), PURPOSE);
        let (begin, start) = start::find(&graph, self.init, self.n_components, rows, &pick, draws.of(1), run)?;
        let positions = layout::lay_out(
            &graph,
            &begin,
            self.n_components,
            epochs,
            self.forces(curve),
            self.learning_rate as f32,
            draws.of(2),
            run,
        )?;
        let facts = GraphFacts {
            points: n,
            neighbors: k,
            edges: graph.columns.len() / 2,
            components: fuzzy::components(&graph).1,
            exact: groups.exact,
        };
        Ok(Drawing { positions, curve, facts, start, epochs, nearby: groups.graph().0 })
    }

    fn forces(&self, curve: (f64, f64)) -> layout::Forces {
        layout::Forces {
            a: curve.0 as f32,
            b: curve.1 as f32,
            repulsion: self.repulsion_strength as f32,
            negatives: self.negative_sample_rate as u32,
        }
    }
}

/// What [`Umap::draw`] made, by group of equal rows.
struct Drawing {
    positions: Vec<f32>,
    curve: (f64, f64),
    facts: GraphFacts,
    start: Start,
    epochs: usize,
    nearby: Vec<u32>,
}

impl Drawing {
    fn by_row(&self, canonical: &Canonical, components: usize) -> Array2<f32> {
        let group = canonical.group_of_row();
        Array2::from_shape_fn((group.len(), components), |(i, d)| self.positions[group[i] as usize * components + d])
    }
}

fn nearby(groups: &Groups, n: usize) -> fuzzy::Nearby {
    let mut nearby = fuzzy::Nearby { starts: vec![0], ..Default::default() };
    for g in 0..n {
        for (neighbour, distance) in groups.of(g) {
            nearby.neighbours.push(neighbour);
            nearby.distances.push(distance);
        }
        nearby.starts.push(nearby.neighbours.len());
    }
    nearby
}

impl Embedder for Umap {
    fn embed(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
        self.check()?;
        let rows = Rows::finite(rows)?;
        run.install(|| {
            let canonical = Canonical::of(&rows);
            Ok(self.draw(&rows, &canonical, run)?.by_row(&canonical, self.n_components))
        })?
    }
}

impl UmapModel {
    /// Where each row went, rows x components.
    pub fn embedding(&self) -> &Array2<f32> {
        &self.embedding
    }

    /// The curve's parameters: memberships in the embedding are 1 / (1 + a d^(2b)).
    pub fn curve(&self) -> (f64, f64) {
        (self.a, self.b)
    }

    /// Facts about the neighbour graph.
    pub fn graph(&self) -> &GraphFacts {
        &self.graph
    }

    /// The start that was used.
    pub fn start(&self) -> Start {
        self.start
    }

    /// The epochs that were run.
    pub fn epochs(&self) -> usize {
        self.epochs
    }

    /// The settings of the fit.
    pub fn settings(&self) -> &Umap {
        &self.settings
    }
}
