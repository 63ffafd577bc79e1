//! New rows in a fitted embedding, each by itself.
//!
//! umap-learn normalises the weights of new rows by the batch and runs one random stream through it, so a row's place
//! depends on the rows it comes with. Here a row's widths, edges and schedule are its own, the fitted points that repel it are
//! in each epoch the same for every row, and no fitted point moves. A row that equals a fitted one takes its place.

use super::forces::LANES;
use super::isolated::Shell;
use super::layout;
use super::moves::{Bundle, Place, by_width};
use super::{PURPOSE, Umap, UmapModel, fuzzy};
use crate::core::random::Stream;
use crate::core::{Cached, Rows, content_hash, parallel};
use crate::neighbors::{Index, Measure, finish};
use crate::{Error, Result, Run};
use ndarray::{Array2, ArrayRef2};
use std::sync::Arc;

/// Share of the fit's epochs and learning rate that new rows are moved with: umap-learn's.
const EPOCHS: usize = 3;
const RATE: f64 = 0.25;
/// Epochs beyond which new rows gain nothing that could be measured: 10,000 digits placed among 10,000 others are next to
/// their like as often after 66 as after 166 (5-NN accuracy .9045 and .9051, trustworthiness .9493 and .9495).
const MOST_EPOCHS: usize = 66;
/// Rows in a piece of parallel work.
const PIECE: usize = 256;

/// What placing new rows takes, made when it is first needed: a function of the model's data.
#[derive(Clone)]
pub(super) struct Ready {
    index: Index,
    /// The fitted positions at the width that the forces work in; empty where that is their own.
    padded: Vec<f32>,
    shell: Shell,
}

impl UmapModel {
    /// Places new rows (n x columns of the fit) among the fitted ones, which stay where they are; n x components.
    ///
    /// A row's place is the same alone or in any batch; a row of the fit has its place of the fit.
    ///
    /// # Errors
    /// [`Error::Shape`] when the columns are not those of the fit; [`Error::Empty`]; [`Error::NotFinite`];
    /// [`Error::Cancelled`].
    ///
    /// # Cost
    /// Where the fit searched its neighbours, so does this: a walk of some hundred comparisons for each row. Where the
    /// fit was exact (few rows, few columns, or [`Search::Exact`](crate::neighbors::Search::Exact)), this is too:
    /// O(n x fitted rows) distances, or O(n log fitted rows) in up to 10 columns. The first call prepares the search (see
    /// [`UmapModel::prepare`]) in O(fitted rows x columns) and keeps at most about 128 numbers for each fitted row, and a byte
    /// for each value where all are whole and from 0 to 255; later calls, be it of one row each, find all ready.
    pub fn transform(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
        let rows = Rows::finite(rows)?;
        let (expected, found) = (self.points.ncols(), rows.columns());
        if expected != found {
            return Err(Error::Shape { what: "columns", expected, found });
        }
        self.settings.metric.check()?;
        self.settings.metric.check_rows(&rows)?;
        run.install(|| by_width!(self.settings.n_components, place(self, &rows, run)))?
    }

    /// Makes now what the first [`UmapModel::transform`] would make: the search index over the fitted rows, and their
    /// positions as the forces read them.
    ///
    /// # Errors
    /// [`Error::Setting`] for a metric of one's own that was not restored.
    pub fn prepare(&self, run: &Run) -> Result<()> {
        self.settings.metric.check()?;
        run.install(|| by_width!(self.settings.n_components, ready(self)))?.map(drop)
    }

    /// Gives a loaded model the metric of one's own again that it was fitted with (see
    /// [`Distance`](crate::neighbors::Distance)); [`UmapModel::transform`] is an error before. It has to be the same
    /// function: only its name can be checked.
    ///
    /// # Errors
    /// [`Error::Setting`] when the metric has another name than the fit's.
    pub fn restore_metric(&mut self, metric: impl Into<Measure>) -> Result<()> {
        self.ready = Cached::default();
        self.settings.metric.restore(metric)
    }
}

/// What the model's first new rows make and its later ones use.
fn ready<P: Place>(model: &UmapModel) -> Result<Arc<Ready>> {
    model.ready.get(|| {
        let (fitted, positions) = (Rows::finite(&model.points)?, Rows::finite(&model.positions)?);
        let width = model.nearby.len() / fitted.len();
        let index = Index::of(&fitted, &model.settings.metric, &model.nearby, width, model.key);
        let padded = if positions.columns() == P::ZEROS.slice().len() {
            Vec::new()
        } else {
            (0..positions.len()).flat_map(|v| padded::<P>(positions.row(v)).slice().to_vec()).collect()
        };
        Ok(Ready { index, padded, shell: model.shell() })
    })
}

/// A position with zeros for the coordinates that it has not.
fn padded<P: Place>(row: &[f32]) -> P {
    let mut position = P::ZEROS;
    position.slice_mut().iter_mut().zip(row).for_each(|(to, &x)| *to = x);
    position
}

fn place<P: Place>(model: &UmapModel, rows: &Rows<'_>, run: &Run) -> Result<Array2<f32>> {
    let Umap { ref metric, learning_rate, n_components: components, .. } = model.settings;
    let (n, k) = (rows.len(), model.graph.neighbors);
    let ready = ready::<P>(model)?;
    let Ready { index, shell, .. } = &*ready;
    let (fitted, own) = (Rows::known(&model.points), Rows::known(&model.positions));
    let equals = index.equals(&fitted, rows);
    let searched: Vec<u32> = (0..n as u32).filter(|&i| equals[i as usize].is_none()).collect();
    let lists = index.nearest(&fitted, rows, &searched, k, run)?;
    let positions = P::all(if ready.padded.is_empty() { own.data() } else { &ready.padded });
    let epochs = (model.epochs / EPOCHS).clamp(1, MOST_EPOCHS);
    let alpha = (learning_rate * RATE) as f32;
    let forces = model.settings.forces((model.a, model.b));
    let draws = Stream::new(model.key, PURPOSE).of(3);
    let repelling = Stream::new(model.key, PURPOSE).of(7);
    let target = libm::log2(k as f64);
    let stage = run.stage("new rows", n);
    let pieces = parallel::map_ranges(searched.len(), PIECE, |range| -> Result<Vec<P>> {
        stage.check()?;
        let mut moves: Vec<Move<P>> = range
            .clone()
            .map(|q| {
                let nearest = finish(&lists, q, metric, index.scale()).filter(|found| model.settings.is_near(found.1));
                let (neighbours, distances): (Vec<u32>, Vec<f32>) = nearest.unzip();
                if neighbours.is_empty() {
                    let key = draws.of(content_hash(rows.row(searched[q] as usize)));
                    let place: Vec<f32> = shell.place(key.of(1)).collect();
                    return Move { slot: q - range.start, begin: padded(&place), edges: Vec::new() };
                }
                Move::of(q - range.start, &neighbours, &distances, model, target, positions)
            })
            .collect();
        // Lanes run until the last of them is done, so rows of like length go together.
        moves.sort_by_key(|m| (m.edges.iter().map(|&(rate, _)| u64::from(rate)).sum::<u64>(), m.slot));
        let mut targets: [Vec<u32>; LANES] = std::array::from_fn(|_| Vec::new());
        for lanes in moves.chunks_mut(LANES) {
            let mut own = P::LANES;
            targets.iter_mut().for_each(Vec::clear);
            for (l, lane) in lanes.iter().enumerate() {
                lane.begin.slice().iter().enumerate().for_each(|(d, &x)| own.as_mut()[d][l] = x);
            }
            for epoch in 0..epochs {
                for (l, lane) in lanes.iter().enumerate() {
                    targets[l].clear();
                    let fired = lane.edges.iter().filter(|edge| layout::fires(edge.0, epoch as u32 + 1));
                    targets[l].extend(fired.map(|edge| edge.1));
                }
                let key = (repelling.bits(epoch as u64) >> 32) as u32;
                let bundle = Bundle { targets: targets.each_ref().map(Vec::as_slice), key };
                let alpha = alpha * (1.0 - epoch as f32 / epochs as f32);
                P::move_bundle(&bundle, &mut own, positions, forces, alpha);
            }
            for (l, lane) in lanes.iter_mut().enumerate() {
                lane.begin.slice_mut().iter_mut().enumerate().for_each(|(d, x)| *x = own.as_ref()[d][l]);
            }
        }
        let mut out = vec![P::ZEROS; moves.len()];
        moves.iter().for_each(|m| out[m.slot] = m.begin);
        Ok(out)
    });
    let mut result = Array2::zeros((n, components));
    let mut write = |i: usize, place: &P| {
        result.row_mut(i).iter_mut().zip(place.slice()).for_each(|(out, &x)| *out = x);
    };
    let mut left = searched.iter();
    for piece in pieces {
        piece?.iter().zip(&mut left).for_each(|(place, &i)| write(i as usize, place));
    }
    for (i, equal) in equals.iter().enumerate() {
        equal.iter().for_each(|&point| write(i, &positions[point as usize]));
    }
    Ok(result)
}

/// A new row on its way.
struct Move<P> {
    /// Its number within its piece.
    slot: usize,
    begin: P,
    /// How often each fitted point attracts it.
    edges: Vec<(u32, u32)>,
}

impl<P: Place> Move<P> {
    /// Widths, weights and the weighted mean of the neighbours' places; no edges where the row just takes a place.
    fn of(slot: usize, neighbours: &[u32], distances: &[f32], model: &UmapModel, target: f64, positions: &[P]) -> Self {
        let Some(&nearest) = neighbours.first() else {
            return Move { slot, begin: P::ZEROS, edges: Vec::new() };
        };
        let taken = Move { slot, begin: positions[nearest as usize], edges: Vec::new() };
        if distances[0] == 0.0 || neighbours.len() == 1 {
            return taken;
        }
        // As in umap-learn: one connection less than in the fit, since a new row is not its own neighbour.
        let rho = fuzzy::nearest_distance(distances, (model.settings.local_connectivity - 1.0).max(0.0));
        let mean = distances.iter().map(|&d| f64::from(d)).sum::<f64>() / distances.len() as f64;
        let sigma = fuzzy::width(&distances[1..], rho, target, mean);
        let weights: Vec<f32> = distances.iter().map(|&d| fuzzy::membership(d, sigma, rho)).collect();
        let sum: f32 = weights.iter().sum();
        let heaviest = weights.iter().fold(0.0f32, |m, &w| m.max(w));
        if sum <= 0.0 {
            return taken;
        }
        let mut begin = P::ZEROS;
        for (&j, &w) in neighbours.iter().zip(&weights) {
            for (b, x) in begin.slice_mut().iter_mut().zip(positions[j as usize].slice()) {
                *b += w / sum * x;
            }
        }
        let edges = neighbours.iter().zip(&weights).map(|(&j, &w)| (layout::rate(w, heaviest), j)).collect();
        Move { slot, begin, edges }
    }
}
