//! The flat clustering of a spanning tree: condensed, chosen, and with smaller clusters where too much would be noise.
//!
//! A least size that is above the size of real groups leaves them in no cluster, or joined to others. Their rows are then noise,
//! much of it, and it goes when the least size falls below the groups. Rows between clusters stay noise at any size; there
//! halving the size gains nothing and is undone.

use super::condense::CondensedTree;
use super::hierarchy::Hierarchy;
use super::model::Fitted;
use super::select::{Choice, Flat, flat};
use crate::cluster::spanning::ONE;
use crate::core::{NOISE, Run};

/// How often the least size is halved: to an eighth.
const MOST_HALVINGS: usize = 3;

/// Rows below which halving makes no cluster.
const FEWEST_ROWS: usize = 10;

/// What a halving may leave of the noise; where more is left, the rows are noise for other reasons.
const MOST_LEFT: f64 = 0.9;

/// A cut of the tree at one least size.
pub(super) struct Cut {
    pub(super) condensed: CondensedTree,
    pub(super) flat: Flat,
    pub(super) min_cluster_size: usize,
}

/// The cut at the chosen least size, or at a smaller one where more than [`Choice::max_noise`] of the rows would be noise.
pub(super) fn cut(fitted: &Fitted, choice: &Choice, run: Option<&Run>) -> Cut {
    let mut best = at(fitted, *choice, run);
    let mut noise = best.noise(fitted);
    for _ in 0..MOST_HALVINGS {
        let half = best.min_cluster_size / 2;
        if noise <= choice.max_noise || half < FEWEST_ROWS {
            break;
        }
        let finer = at(fitted, Choice { min_cluster_size: half, ..*choice }, run);
        let left = finer.noise(fitted);
        if left > MOST_LEFT * noise {
            break;
        }
        (best, noise) = (finer, left);
    }
    if let Some(run) = run.filter(|_| best.min_cluster_size < choice.min_cluster_size) {
        run.note("clusters below the least size were admitted, as too many rows were in none");
    }
    best
}

fn at(fitted: &Fitted, choice: Choice, run: Option<&Run>) -> Cut {
    let least = (choice.min_cluster_size as u64).saturating_mul(ONE);
    let stage = run.map(|run| run.stage("condensing", 1));
    let mut condensed = CondensedTree::new(&Hierarchy::new(&fitted.spanning, fitted.mass(), least), least);
    if choice.min_persistence > 0.0 {
        condensed = condensed.without_shallow(choice.min_persistence);
    }
    drop(stage);
    let _stage = run.map(|run| run.stage("selection", 1));
    let flat = flat(&condensed, &choice, fitted.mass());
    Cut { condensed, flat, min_cluster_size: choice.min_cluster_size }
}

impl Cut {
    /// The share of the rows, by weight, that are in no cluster of the tree.
    fn noise(&self, fitted: &Fitted) -> f64 {
        let (mut noise, mut all) = (0u64, 0u64);
        for (row, &label) in self.flat.scores.labels.iter().enumerate() {
            let mass = fitted.mass().of(row);
            all += mass;
            noise += if label == NOISE { mass } else { 0 };
        }
        noise as f64 / all.max(1) as f64
    }
}
