//! The density term of densMAP (Narayan, Berger, Cho 2021, "Assessing single-cell transcriptomic variability through
//! density-preserving data visualization", Nature Biotechnology 39; constants and scale as in umap-learn).
//!
//! A vertex's local radius is the mean squared distance to its neighbours, weighed by membership: R by the rows' graph,
//! r by the curve's memberships φ in the picture, over the same edges. The term adds λ corr(ln R, ln r) to what the
//! layout maximises, over the last epochs.
//!
//! umap-learn adds an edge's share of the gradient whenever it samples the edge. Here the whole gradient is taken once
//! an epoch, after the epoch's moves, for all vertices from the same positions: each vertex sums over its own edges in
//! order, so the result depends on neither threads nor schedule. Each edge's share is what umap-learn's sampling gives it
//! on average, clipped likewise.

use super::forces::{Forces, clip, power};
use super::fuzzy::{Graph, Nearby};
use super::moves::Place;
use crate::core::parallel;
use crate::core::{Setting, settings_of};
use crate::{Error, Result};

/// Added to a mean of squares before its logarithm.
const LEAST: f64 = 1e-8;
/// The logarithm of no radius, ln 1e-8.
pub(super) const NOTHING: f64 = -18.420680743952367;
/// Squared distances are not taken as less than this.
const TOUCHING: f32 = 1e-12;
/// umap-learn stores both directions of an edge and moves both ends for each, which makes 2. Pulls fall short of that where
/// both ends of umap-learn's would overshoot; so does what they leave of the densities, unless the term counts for more.
const TURNS: f32 = 2.5;
/// Vertices in a piece of parallel work.
const PIECE: usize = 256;

/// How much a picture's densities are to follow the rows'; for [`Umap::densmap`](super::Umap::densmap).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
#[must_use]
pub struct Densmap {
    lambda: f64,
    frac: f64,
    var_shift: f64,
}

impl From<Densmap> for Setting {
    fn from(densmap: Densmap) -> Self {
        settings_of!(Densmap { lambda, frac, var_shift } = &densmap).into()
    }
}

impl Default for Densmap {
    fn default() -> Self {
        Densmap { lambda: 2.0, frac: 0.3, var_shift: 0.1 }
    }
}

impl Densmap {
    /// umap-learn's defaults.
    pub fn new() -> Self {
        Densmap::default()
    }

    /// Sets the weight of density against neighbourhood; at least 0, default 2.
    pub fn lambda(mut self, lambda: f64) -> Self {
        self.lambda = lambda;
        self
    }

    /// Sets the share of the epochs, the last ones, in which density counts; 0 to 1, default 0.3.
    pub fn frac(mut self, frac: f64) -> Self {
        self.frac = frac;
        self
    }

    /// Sets what is added to the variance of the picture's log radii, for stability; above 0, default 0.1.
    pub fn var_shift(mut self, shift: f64) -> Self {
        self.var_shift = shift;
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        if !(0.0..1e6).contains(&self.lambda) {
            return Err(Error::setting("densmap lambda", self.lambda, "must be at least 0, below 1e6"));
        }
        if !(0.0..=1.0).contains(&self.frac) {
            return Err(Error::setting("densmap frac", self.frac, "must be between 0 and 1"));
        }
        if !(self.var_shift > 0.0 && self.var_shift < 1e6) {
            return Err(Error::setting("densmap var_shift", self.var_shift, "must be above 0 and below 1e6"));
        }
        Ok(())
    }
}

/// ln R of each vertex: over its edges in the graph whose distance is in its neighbours' lists, weighed by the graph.
pub(super) fn log_radii(graph: &Graph, nearby: &Nearby) -> Vec<f64> {
    let told = |i: usize, j: u32| {
        nearby.range(i).find(|&at| nearby.neighbours[at] == j).map(|at| f64::from(nearby.distances[at]))
    };
    parallel::map_ranges(graph.len(), PIECE, |range| {
        range
            .map(|i| {
                let (mut sum, mut weights) = (0.0, 0.0);
                for at in graph.range(i) {
                    let j = graph.columns[at];
                    if let Some(distance) = told(i, j).or_else(|| told(j as usize, i as u32)) {
                        sum += f64::from(graph.weights[at]) * distance * distance;
                        weights += f64::from(graph.weights[at]);
                    }
                }
                libm::log(LEAST + if weights > 0.0 { sum / weights } else { 0.0 })
            })
            .collect::<Vec<_>>()
    })
    .concat()
}

/// The term of one layout.
pub(crate) struct Term {
    settings: Densmap,
    /// ln R of each vertex, standardised.
    wanted: Vec<f64>,
}

/// The edges of a layout as it walks them: vertices renumbered, weights as rates of 2^32.
#[derive(Clone, Copy)]
pub(crate) struct Edges<'a> {
    pub(crate) order: &'a [u32],
    pub(crate) starts: &'a [usize],
    pub(crate) targets: &'a [u32],
    pub(crate) rates: &'a [u32],
}

/// What the gradient of an edge needs of a vertex at its end.
#[derive(Clone, Copy, Default)]
struct End {
    /// Sum of φ over the vertex's edges, and of φ d² over that of φ.
    weight: f64,
    square: f64,
    log: f64,
    /// How much a larger radius would serve the correlation.
    gain: f64,
}

impl Term {
    /// `None` where the rows' radii are all alike: there is nothing to follow.
    pub(super) fn new(settings: &Densmap, radii: &[f64]) -> Option<Self> {
        let n = radii.len() as f64;
        let mean = radii.iter().sum::<f64>() / n;
        let deviation = libm::sqrt(radii.iter().map(|r| (r - mean) * (r - mean)).sum::<f64>() / n);
        let wanted = radii.iter().map(|r| (r - mean) / deviation).collect();
        (deviation > 1e-9 && settings.lambda > 0.0).then(|| Term { settings: settings.clone(), wanted })
    }

    /// Whether the epoch (from 0) is one of the last.
    pub(crate) fn counts_in(&self, epoch: usize, epochs: usize) -> bool {
        (epoch + 1) as f64 / epochs as f64 > 1.0 - self.settings.frac
    }

    /// Moves every vertex along the term's gradient.
    pub(crate) fn push<P: Place>(&self, edges: Edges<'_>, forces: Forces, alpha: f32, positions: &mut [P]) {
        let Forces { a, b, .. } = forces;
        let n = positions.len();
        let squared_distance = |i: usize, j: usize| {
            let pairs = positions[i].slice().iter().zip(positions[j].slice());
            pairs.map(|(x, y)| (x - y) * (x - y)).sum::<f32>().max(TOUCHING)
        };
        let range = |i: usize| edges.starts[i]..edges.starts[i + 1];
        let mut ends = parallel::map_ranges(n, PIECE, |vertices| {
            let mut ends = Vec::with_capacity(vertices.len());
            for i in vertices {
                let mut end = End::default();
                for at in range(i) {
                    let square = squared_distance(i, edges.targets[at] as usize);
                    let phi = f64::from(1.0 / (1.0 + a * power(square, b)));
                    end.weight += phi;
                    end.square += phi * f64::from(square);
                }
                end.square = LEAST + if end.weight > 0.0 { end.square / end.weight } else { 0.0 };
                end.log = libm::log(end.square);
                ends.push(end);
            }
            ends
        })
        .concat();
        let mean = ends.iter().map(|end| end.log).sum::<f64>() / n as f64;
        let variance = ends.iter().map(|end| (end.log - mean) * (end.log - mean)).sum::<f64>() / n as f64;
        let variance = variance + self.settings.var_shift;
        let wanted = |i: usize| self.wanted[edges.order[i] as usize];
        let covariance = ends.iter().enumerate().map(|(i, end)| end.log * wanted(i)).sum::<f64>() / (n - 1) as f64;
        for (i, end) in ends.iter_mut().enumerate() {
            end.gain = wanted(i) - covariance * (end.log - mean) / variance;
        }
        let rates: f64 = edges.rates.iter().map(|&rate| f64::from(rate)).sum::<f64>() / 4_294_967_296.0;
        let scale = self.settings.lambda * rates / (libm::sqrt(variance) * n as f64);
        let moved = parallel::map_ranges(n, PIECE, |vertices| {
            let mut moved = Vec::with_capacity(vertices.len());
            for i in vertices {
                let mut own = positions[i];
                for at in range(i) {
                    let j = edges.targets[at] as usize;
                    let square = squared_distance(i, j);
                    let rate = (f64::from(edges.rates[at]) / 4_294_967_296.0).max(1e-9);
                    let phi = f64::from(1.0 / (1.0 + a * power(square, b)));
                    // d ln r² and d ln of the weights' sum, by the squared distance.
                    let rise = 1.0 - f64::from(b) * (1.0 - phi);
                    let fall = f64::from(b) * (1.0 - phi) / f64::from(square);
                    // umap-learn's sums of φ hold both directions of an edge.
                    let share = |end: &End| {
                        end.gain * phi / (2.0 * end.weight).max(f64::MIN_POSITIVE) * (rise / end.square + fall)
                    };
                    let factor = (2.0 * scale / rate * (share(&ends[i]) + share(&ends[j]))) as f32;
                    let turns = TURNS * alpha * rate as f32;
                    let there = positions[j];
                    let here = positions[i];
                    for ((x, &from), &to) in own.slice_mut().iter_mut().zip(here.slice()).zip(there.slice()) {
                        *x += turns * clip(factor * (from - to));
                    }
                }
                moved.push(own);
            }
            moved
        })
        .concat();
        positions.copy_from_slice(&moved);
    }
}
