//! Rules of all clusters from one set of rows: columns, searches, and the choice of what stands together.

use super::codes::Codes;
use super::columns::Trees;
use super::rule::{Condition, Criterion};
use super::search::{Found, Part, Problem};
use super::set::Pool;
use super::settings::Rules;
use super::split::Split;
use crate::core::{NOISE, parallel, with_mean_one};
use crate::table::Feature;
use crate::{Result, Run};

/// Rows of a cluster at least.
const LEAST_ROWS: usize = 5;
/// Rules that are kept of each search.
const FRONT: usize = 40;

/// What rules are found from: the training rows, by their places.
pub(super) struct Task<'a> {
    settings: &'a Rules,
    codes: &'a Codes<'a>,
    labels: Vec<i32>,
    weights: Vec<f64>,
    clusters: usize,
}

/// A rule in codes.
pub(super) struct Chosen(Found);

impl<'a> Task<'a> {
    pub(super) fn new(
        settings: &'a Rules,
        split: &Split,
        codes: &'a Codes<'a>,
        labels: &[i32],
        weights: &[f64],
        clusters: usize,
    ) -> Self {
        let labels = split.training.iter().map(|&row| labels[row as usize]).collect();
        let weights = split.training.iter().map(|&row| weights[row as usize]).collect();
        Task { settings, codes, labels, weights, clusters }
    }

    /// The rules of each cluster over some of the rows, best first.
    pub(super) fn run(&self, places: &[u32], trees: &Trees, run: &Run) -> Result<Vec<Vec<Chosen>>> {
        let noise = self.clusters as i32;
        let of = |&place: &u32| match self.labels[place as usize] {
            NOISE => noise,
            label => label,
        };
        let labels: Vec<i32> = places.iter().map(of).collect();
        // Scaled anew, as the heaviest rows may not be among them.
        let weights = with_mean_one(places.iter().map(|&place| self.weights[place as usize]).collect());
        let weights: Vec<f32> = weights.into_iter().map(|weight| weight as f32).collect();
        if places.len() <= self.clusters {
            return Ok((0..self.clusters).map(|_| Vec::new()).collect());
        }
        let columns = trees.best(places, &labels, &weights, self.clusters, self.settings.columns)?;
        run.install(|| parallel::map(self.clusters, |k| self.rules(k as i32, places, &columns[k])))
    }

    /// Rules of one cluster.
    fn rules(&self, cluster: i32, places: &[u32], columns: &[u32]) -> Vec<Chosen> {
        let own: Vec<bool> = self.labels.iter().map(|&label| label == cluster).collect();
        let number = places.iter().filter(|&&place| own[place as usize]).count();
        if number < LEAST_ROWS || number == places.len() || columns.is_empty() {
            return Vec::new();
        }
        let weigh = |places: &[u32]| {
            places.iter().fold((0.0, 0.0), |sum: (f64, f64), &place| {
                let weight = self.weights[place as usize];
                (sum.0 + if own[place as usize] { weight } else { 0.0 }, sum.1 + weight)
            })
        };
        let problem = |total: (f64, f64)| Problem {
            codes: self.codes,
            columns,
            weights: &self.weights,
            own: &own,
            total,
            max_conditions: self.settings.max_conditions,
        };
        // Each search is for what the best rules of those before leave out.
        let (mut rest, mut pool) = (places.to_vec(), Vec::new());
        for _ in 0..self.settings.max_rules {
            let total = weigh(&rest);
            if total.0 <= 0.0 {
                break;
            }
            let problem = problem(total);
            let mut front = problem.front(&rest);
            front.truncate(FRONT);
            let Some(best) = front.first() else { break };
            // What the best covers of the cluster is neither to be found nor to be avoided.
            rest.retain(|&place| !(own[place as usize] && problem.meets(best, place)));
            pool.append(&mut front);
        }
        let whole = problem(weigh(places));
        let pool = Pool::new(pool, &whole, places, (self.settings.coverage, self.settings.max_rules));
        pool.best().into_iter().map(Chosen).collect()
    }
}

impl Chosen {
    /// Whether another rule has the same columns and directions, and thresholds at most one quantile away; of sets of levels
    /// half of all that they name in common.
    pub(super) fn is_nearly_equal(&self, other: &Chosen, codes: &Codes<'_>) -> bool {
        let (a, b) = (&self.0.pieces, &other.0.pieces);
        a.len() == b.len()
            && a.iter()
                .zip(b)
                .all(|(a, b)| a.column == b.column && nearly_equal(&a.part, &b.part, codes.column(a.column).values))
    }

    /// The conditions, in the order of columns.
    pub(super) fn conditions(&self, codes: &Codes<'_>, features: &[Feature]) -> Vec<Condition> {
        let condition = |piece: &super::search::Piece| {
            let (column, feature) = (codes.column(piece.column), &features[piece.column as usize]);
            let cut = |code: u16| column.cuts.get((code as usize).checked_sub(1)?).copied();
            let criterion = match &piece.part {
                Part::Range(first, end) => Criterion::Range { at_least: cut(*first), below: cut(*end) },
                Part::Levels(levels) => Criterion::Is(levels.iter().map(|&level| level.into()).collect()),
                Part::Not(level) => Criterion::IsNot((*level).into()),
                Part::Missing => Criterion::Missing,
                Part::Answered => Criterion::NotMissing,
            };
            Condition::new(piece.column as usize, feature, criterion)
        };
        self.0.pieces.iter().map(condition).collect()
    }
}

fn nearly_equal(a: &Part, b: &Part, values: usize) -> bool {
    match (a, b) {
        (&Part::Range(a, b), &Part::Range(c, d)) => {
            let end = values as u16;
            (a > 0) == (c > 0) && (b < end) == (d < end) && a.abs_diff(c) <= 1 && b.abs_diff(d) <= 1
        }
        (Part::Levels(a), Part::Levels(b)) => {
            let both = a.iter().filter(|level| b.contains(level)).count();
            2 * both >= a.len() + b.len() - both
        }
        _ => a == b,
    }
}
