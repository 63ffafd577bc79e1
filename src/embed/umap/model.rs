//! A fitted UMAP.

use super::Umap;
use super::density::{self, NOTHING};
use super::fuzzy::{self, Nearby};
use super::isolated::Shell;
use crate::core::random::Stream;
use crate::core::{Cached, Rows};
#[cfg(feature = "serde")]
use crate::core::{Canonical, checks};
use crate::neighbors::{Measure, Space, finish, nearest_exact};
use crate::{Result, Run};
use ndarray::Array2;

/// The start that was used: what was asked for, or what took its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// Positions that the caller gave.
    Given,
}

/// Facts about the neighbour graph of a fit.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct GraphFacts {
    /// Different rows: vertices of the graph.
    pub points: usize,
    /// Neighbours of each vertex, itself counted: `n_neighbors`, or the number of different rows if that is less.
    pub neighbors: usize,
    /// Edges, each counted once.
    pub edges: usize,
    /// Connected components of the graph that was laid out.
    pub components: usize,
    /// Neighbours left out for their distance, over all vertices.
    pub cut: usize,
    /// Vertices without an edge, which had no part in the layout.
    pub disconnected: usize,
    /// Whether the neighbours are the true ones.
    pub exact: bool,
    /// The share of the true neighbours that was found, on a sample; 1 where they are exact.
    #[cfg_attr(feature = "serde", serde(default = "whole"))]
    pub recall: f64,
}

/// The recall of models saved before it was kept.
#[cfg(feature = "serde")]
fn whole() -> f64 {
    1.0
}

/// A fitted UMAP: plain data.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UmapModel {
    pub(super) settings: Umap,
    pub(super) key: u64,
    pub(super) embedding: Array2<f32>,
    pub(super) a: f64,
    pub(super) b: f64,
    pub(super) graph: GraphFacts,
    pub(super) start: Start,
    pub(super) epochs: usize,
    /// The different rows without an edge, rising.
    pub(super) outside: Vec<u32>,
    /// σ and ρ of the different rows.
    pub(super) widths: Vec<(f64, f64)>,
    /// Log radii of the different rows.
    pub(super) radii: Vec<f64>,
    /// The different row that each row is.
    pub(super) group: Vec<u32>,
    /// The different rows, in canonical order, and where each went.
    pub(super) points: Array2<f32>,
    pub(super) positions: Array2<f32>,
    /// Where neighbours were searched, their lists: what later searches walk over.
    pub(super) nearby: Vec<u32>,
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(super) ready: Cached<super::transform::Ready>,
}

#[cfg(feature = "serde")]
impl crate::Saved for UmapModel {
    const FORMAT: &'static str = "recluster umap";
    const VERSION: u64 = 2;

    fn validate(&self) -> checks::Check {
        // A metric of one's own has lost its function; transform reports that.
        self.settings.check_numbers().map_err(|e| e.to_string())?;
        let (n, components) = (self.points.nrows(), self.settings.n_components);
        // Canonical order goes by content, so that most edits of a value show in it.
        let order = Canonical::of(&Rows::finite(&self.points).map_err(|e| format!("different rows: {e}"))?);
        let different = order.groups() == n && order.order.is_sorted();
        checks::that(different, || "the different rows are not different, or not in their order".into())?;
        checks::table("positions", &self.positions, (n, components))?;
        checks::table("embedding", &self.embedding, (self.group.len(), components))?;
        let mut seen = vec![false; n];
        checks::each("different rows", &self.group, |&g| (g as usize) < n)?;
        self.group.iter().for_each(|&g| seen[g as usize] = true);
        checks::each("rows that each different row is", seen, |seen| seen)?;
        let moved =
            (0..self.group.len()).find(|&i| self.embedding.row(i) != self.positions.row(self.group[i] as usize));
        checks::that(moved.is_none(), || format!("row {moved:?} is not at the position of its different row"))?;
        checks::rising("rows without an edge", &self.outside, n)?;
        checks::count("widths", self.widths.len(), n)?;
        checks::each("widths", self.widths.iter().flat_map(|w| [w.0, w.1]), |w| w >= 0.0 && w.is_finite())?;
        checks::count("radii", self.radii.len(), n)?;
        checks::each("radii", &self.radii, |r| r.is_finite())?;
        checks::each("curve", [self.a, self.b], |x| x > 0.0 && x <= f64::from(f32::MAX))?;
        checks::count("points of the graph", self.graph.points, n)?;
        let k = self.graph.neighbors;
        checks::that((1..=n).contains(&k), || format!("{k} neighbours among {n} different rows"))?;
        checks::shares("recall", [&self.graph.recall])?;
        // No neighbour is u32::MAX, where a list ends early.
        let whole = self.nearby.len().is_multiple_of(n);
        checks::that(whole, || format!("{} neighbours of {n} different rows", self.nearby.len()))?;
        checks::each("neighbours", &self.nearby, |&v| (v as usize) < n || v == u32::MAX)
    }
}

impl UmapModel {
    /// Where rows go that have no neighbour.
    pub(super) fn shell(&self) -> Shell {
        let components = self.positions.ncols();
        let all = self.positions.as_slice().unwrap_or_default().chunks(components).enumerate();
        let laid_out = all.filter(|(v, _)| self.outside.binary_search(&(*v as u32)).is_err()).map(|(_, at)| at);
        Shell::around(laid_out, components)
    }

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

    /// Numbers of the rows that had no part in the layout, rising: all their neighbours were cut by
    /// [`Umap::disconnection_distance`] or by a target. Their places mean nothing.
    pub fn disconnected(&self) -> Vec<u32> {
        let is_outside = |row: &u32| self.outside.binary_search(&self.group[*row as usize]).is_ok();
        (0..self.group.len() as u32).filter(is_outside).collect()
    }

    /// The width σ of each row's neighbourhood and the distance ρ that counts as none: a neighbour at distance d belongs
    /// to it with e^(−max(0, d − ρ)/σ).
    pub fn widths(&self) -> impl ExactSizeIterator<Item = (f64, f64)> + '_ {
        self.group.iter().map(|&g| self.widths[g as usize])
    }

    /// Logarithms of each row's local radius: the mean squared distance to its neighbours, weighed by membership, before
    /// its root. Rows x 2: among the rows as they were given, and in the picture.
    ///
    /// Their correlation says how well the picture keeps densities, with [`Umap::densmap`] or without. The graph of the
    /// picture has its own neighbours, as many as the rows' had, searched exactly: O(rows log rows) in up to ten components,
    /// beyond quadratic in the rows.
    ///
    /// # Errors
    /// [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn log_radii(&self, run: &Run) -> Result<Array2<f64>> {
        let (n, k) = (self.positions.nrows(), self.graph.neighbors);
        let mut picture = vec![NOTHING; n];
        if n > 1 {
            let rows = Rows::finite(&self.positions)?;
            picture = run.install(|| -> Result<Vec<f64>> {
                // Vertices are numbered by their rows' content, so this order is canonical.
                let all: Vec<u32> = (0..n as u32).collect();
                let euclidean = Measure::default();
                let space = Space::learn(&rows, &all, &euclidean, Stream::new(self.key, super::PURPOSE));
                let points = space.points(&rows, &all);
                let lists = nearest_exact(&points, &points, true, k - 1, run)?;
                let mut nearby = Nearby { starts: vec![0], ..Default::default() };
                for v in 0..n {
                    for (neighbour, distance) in finish(&lists, v, &euclidean, space.scale()) {
                        nearby.neighbours.push(neighbour);
                        nearby.distances.push(distance);
                    }
                    nearby.starts.push(nearby.neighbours.len());
                }
                let widths = fuzzy::smooth(&nearby, k, 1.0);
                Ok(density::log_radii(&fuzzy::union(&nearby, &widths, 1.0), &nearby))
            })??;
        }
        let of = |i: usize, d: usize| if d == 0 { &self.radii } else { &picture }[self.group[i] as usize];
        Ok(Array2::from_shape_fn((self.group.len(), 2), |(i, d)| of(i, d)))
    }

    /// The settings of the fit.
    pub fn settings(&self) -> &Umap {
        &self.settings
    }
}
