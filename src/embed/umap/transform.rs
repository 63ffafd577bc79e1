//! New rows in a fitted embedding, each by itself.
//!
//! umap-learn normalises the weights of new rows by the batch and runs one random stream through it, so a row's place
//! depends on its company. Here a row's widths, edges, schedule and random draws (keyed by its content) are its own,
//! and fitted points do not move. A row that equals a fitted one takes its place.

use super::layout::{self, Bundle, Drive, LANES, by_width};
use super::{PURPOSE, Umap, UmapModel, fuzzy};
use crate::core::random::{Stream, mix};
use crate::core::{Rows, parallel};
use crate::neighbors::{Space, finish, nearest_exact};
use crate::{Error, Result, Run};
use ndarray::{Array2, ArrayRef2};

/// Share of the fit's epochs and learning rate that new rows are moved with: umap-learn's.
const EPOCHS: usize = 3;
const RATE: f64 = 0.25;

impl UmapModel {
    /// Places new rows (n x columns of the fit) among the fitted ones, which stay where they are; n x components.
    ///
    /// A row gets the same place alone or in any batch; a row of the fit gets its own place again. One that has no fitted
    /// row nearer than [`Umap::disconnection_distance`] is put at random in a shell around the picture.
    ///
    /// # Errors
    /// [`Error::Shape`] when the columns are not those of the fit; [`Error::Empty`]; [`Error::NotFinite`];
    /// [`Error::Cancelled`].
    ///
    /// # Cost
    /// Neighbours are searched exactly: O(n x fitted rows) distances, most of them of 64 columns at most.
    pub fn transform(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
        let rows = Rows::finite(rows)?;
        let (expected, found) = (self.points.ncols(), rows.columns());
        if expected != found {
            return Err(Error::Shape { what: "columns", expected, found });
        }
        let fitted = Rows::finite(&self.points)?;
        run.install(|| by_width!(self.settings.n_components, place(self, &fitted, &rows, run)))?
    }
}

fn place<P: Drive>(model: &UmapModel, fitted: &Rows<'_>, rows: &Rows<'_>, run: &Run) -> Result<Array2<f32>> {
    let Umap { metric, learning_rate, local_connectivity, .. } = model.settings;
    let components = model.settings.n_components;
    let (n, k) = (rows.len(), model.graph.neighbors);
    let all_fitted: Vec<u32> = (0..fitted.len() as u32).collect();
    let all_new: Vec<u32> = (0..n as u32).collect();
    let space = Space::learn(fitted, &all_fitted, metric, Stream::new(model.key, PURPOSE));
    let (points, queries) = (space.points(fitted, &all_fitted), space.points(rows, &all_new));
    let lists = nearest_exact(&points, &queries, false, k, run)?;
    let positions: Vec<P> = model
        .positions
        .rows()
        .into_iter()
        .map(|row| {
            let mut position = P::zeros();
            position.slice_mut().iter_mut().zip(&row).for_each(|(p, &x)| *p = x);
            position
        })
        .collect();
    let epochs = (model.epochs / EPOCHS).max(1);
    let alpha = (learning_rate * RATE) as f32;
    let forces = model.settings.forces((model.a, model.b));
    let draws = Stream::new(model.key, PURPOSE).of(3);
    let target = libm::log2(k as f64);
    let shell = model.shell();
    let stage = run.stage("new rows", n);
    let mut result = vec![0.0f32; n * components];
    let blocks = parallel::map_ranges(n, LANES * 4, |range| -> Result<Vec<f32>> {
        stage.check()?;
        let mut out = vec![0.0; range.len() * components];
        for first in range.clone().step_by(LANES) {
            let lanes = first..(first + LANES).min(range.end);
            let mut bundle = Bundle {
                own: [[0.0; LANES]; layout::MOST],
                targets: std::array::from_fn(|_| Vec::new()),
                keys: [0; LANES],
            };
            let mut edges: [Vec<(u32, u32)>; LANES] = std::array::from_fn(|_| Vec::new());
            for (l, i) in lanes.clone().enumerate() {
                let near = finish(&lists, i, metric, space.scale()).filter(|near| model.settings.is_near(near.1));
                let (neighbours, distances): (Vec<u32>, Vec<f32>) = near.unzip();
                let Some(&nearest) = neighbours.first() else {
                    let place: Vec<f32> = shell.place(draws.of(content(rows.row(i))).of(1)).collect();
                    set(&mut bundle, l, &place);
                    continue;
                };
                if distances[0] == 0.0 || k == 1 {
                    set(&mut bundle, l, positions[nearest as usize].slice());
                    continue;
                }
                // As in umap-learn: one connection less than in the fit, since a new row is not its own neighbour.
                let rho = fuzzy::nearest_distance(&distances, (local_connectivity - 1.0).max(0.0));
                let mean = distances.iter().map(|&d| f64::from(d)).sum::<f64>() / distances.len() as f64;
                let sigma = fuzzy::width(&distances[1..], rho, target, mean);
                let weights: Vec<f32> = distances.iter().map(|&d| fuzzy::membership(d, sigma, rho)).collect();
                let sum: f32 = weights.iter().sum();
                let heaviest = weights.iter().fold(0.0f32, |m, &w| m.max(w));
                if sum <= 0.0 {
                    set(&mut bundle, l, positions[nearest as usize].slice());
                    continue;
                }
                let mut begin = P::zeros();
                for (&j, &w) in neighbours.iter().zip(&weights) {
                    for (b, x) in begin.slice_mut().iter_mut().zip(positions[j as usize].slice()) {
                        *b += w / sum * x;
                    }
                }
                set(&mut bundle, l, begin.slice());
                edges[l] = neighbours.iter().zip(&weights).map(|(&j, &w)| (layout::rate(w, heaviest), j)).collect();
            }
            for epoch in 0..epochs {
                for (l, i) in lanes.clone().enumerate() {
                    bundle.keys[l] = (draws.of(content(rows.row(i))).bits(epoch as u64) >> 32) as u32;
                    bundle.targets[l].clear();
                    let fired = edges[l].iter().filter(|edge| layout::fires(edge.0, epoch as u32 + 1));
                    bundle.targets[l].extend(fired.map(|edge| edge.1));
                }
                P::drive(&mut bundle, &positions, forces, alpha * (1.0 - epoch as f32 / epochs as f32));
            }
            for (l, i) in lanes.enumerate() {
                for d in 0..components {
                    out[(i - range.start) * components + d] = bundle.own[d][l];
                }
            }
        }
        Ok(out)
    });
    for (block, out) in blocks.into_iter().zip(result.chunks_mut(LANES * 4 * components)) {
        out.copy_from_slice(&block?);
    }
    Array2::from_shape_vec((n, components), result).map_err(|_| Error::Shape {
        what: "coordinates",
        expected: n * components,
        found: 0,
    })
}

fn set(bundle: &mut Bundle, lane: usize, position: &[f32]) {
    for (d, &x) in position.iter().enumerate() {
        bundle.own[d][lane] = x;
    }
}

/// A number that stands for a row's content.
fn content(row: &[f32]) -> u64 {
    row.iter().fold(0, |key, &x| mix(key ^ u64::from((x + 0.0).to_bits())))
}
