//! What is known of each row beside its columns, and how it bends the graph.
//!
//! The graph of the rows is intersected with a graph of the targets (McInnes, Healy, Melville 2018, section 6.4 names
//! the idea; the constants are umap-learn's):
//!
//! - **Classes.** An edge between two classes is weighed e^(−2.5 / (1 − weight)), one with an unknown end e^(−1).
//! - **Numbers.** A second graph is made of the target's own neighbours (algorithms 2 and 3). With t its memberships and
//!   w those of the rows, an edge of either becomes w t^(m/(1−m)) for a weight m below one half, else w^((1−m)/m) t; a
//!   membership that only the other graph has counts as half its own graph's smallest.
//!
//! Then each vertex's strongest edge counts as certain again: memberships are divided by the vertex's largest, and both
//! directions united, a + b − ab.

use super::fuzzy::{self, Graph, Nearby};
use crate::core::{Canonical, parallel};
use crate::{Error, Result};

/// Distance between an unknown class and any other.
const UNKNOWN: f64 = 1.0;
/// Distance between two classes at weight 0.
const FAR: f64 = 2.5;
/// A missing membership is never taken as less than this, nor one of a target as more than the second.
const LEAST: (f64, f64) = (1e-8, 1e-4);

/// What is known of each row, and how much it counts.
///
/// ```
/// use ndarray::Array2;
/// use recluster::{Run, embed::{Given, Target, Umap}};
/// let rows = Array2::from_shape_fn((60, 4), |(i, j)| ((i % 3) * 2) as f32 + ((i * 7 + j * 3) % 11) as f32 * 0.1);
/// // Every second class is known.
/// let classes: Vec<i32> = (0..60).map(|i| if i % 2 == 0 { i % 3 } else { -1 }).collect();
/// let target = Target::classes(&classes).weight(0.8);
/// let model = Umap::new().n_epochs(50).fit_given(&rows, &Given::new().target(&target), &Run::new())?;
/// assert_eq!(model.embedding().nrows(), 60);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Target {
    kind: Kind,
    weight: f64,
    n_neighbors: Option<usize>,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Classes(Vec<i32>),
    Numbers(Vec<f32>),
}

impl Target {
    /// The class of each row; -1 where it is unknown.
    ///
    /// Equal rows are one point: its class is that of most of them, unknown ones not counted, and none if two classes
    /// are level.
    pub fn classes(classes: &[i32]) -> Self {
        Target { kind: Kind::Classes(classes.to_vec()), weight: 0.5, n_neighbors: None }
    }

    /// A number for each row, such as a rating: rows with near numbers belong together. Equal rows have their mean.
    pub fn numbers(numbers: &[f32]) -> Self {
        Target { kind: Kind::Numbers(numbers.to_vec()), weight: 0.5, n_neighbors: None }
    }

    /// Sets how much the target counts against the rows; 0 to 1, default 0.5.
    ///
    /// At 1 edges between classes are cut, and of numbers only the target's own graph is left. At 0 numbers change next
    /// to nothing, but edges between classes still weigh a twelfth: leave the target out to do without.
    pub fn weight(mut self, weight: f64) -> Self {
        self.weight = weight;
        self
    }

    /// Sets the neighbourhood in the numbers, the row itself included; at least 2, default that of the rows. Classes
    /// have none.
    pub fn n_neighbors(mut self, n_neighbors: usize) -> Self {
        self.n_neighbors = Some(n_neighbors);
        self
    }

    pub(super) fn check(&self, rows: usize) -> Result<()> {
        if !(0.0..=1.0).contains(&self.weight) {
            return Err(Error::setting("target_weight", self.weight, "must be between 0 and 1"));
        }
        let found = match &self.kind {
            Kind::Classes(classes) => {
                if let Some(n) = self.n_neighbors {
                    return Err(Error::setting("target n_neighbors", n, "is for numbers: classes have no neighbours"));
                }
                if let Some(row) = classes.iter().position(|&class| class < -1) {
                    let reason = "must be a class from 0 up, or -1 for unknown";
                    return Err(Error::Label { row, label: classes[row].into(), reason });
                }
                classes.len()
            }
            Kind::Numbers(numbers) => {
                if let Some(n) = self.n_neighbors.filter(|&n| n < 2) {
                    return Err(Error::setting("target n_neighbors", n, "must be at least 2"));
                }
                if let Some(row) = numbers.iter().position(|x| !x.is_finite()) {
                    return Err(Error::NotFinite { what: "the target", row, column: 0, value: numbers[row] });
                }
                numbers.len()
            }
        };
        if found == rows { Ok(()) } else { Err(Error::Shape { what: "rows of the target", expected: rows, found }) }
    }

    /// The graph bent by the target; `k` is the neighbourhood of the rows.
    pub(super) fn bend(&self, graph: &Graph, canonical: &Canonical, k: usize) -> Graph {
        let weighed = match &self.kind {
            Kind::Classes(classes) => {
                let classes: Vec<i32> =
                    (0..canonical.groups()).map(|g| majority(classes, canonical.group(g))).collect();
                between_classes(graph, &classes, self.weight)
            }
            Kind::Numbers(numbers) => {
                let numbers: Vec<f64> = (0..canonical.groups()).map(|g| mean(numbers, canonical.group(g))).collect();
                let k = self.n_neighbors.unwrap_or(k).min(numbers.len());
                let nearby = line(&numbers, k);
                let widths = fuzzy::smooth(&nearby, k, 1.0);
                intersection(graph, &fuzzy::union(&nearby, &widths, 1.0), self.weight)
            }
        };
        certain_again(&weighed)
    }
}

/// The known class of most of the rows, or -1.
fn majority(classes: &[i32], rows: &[u32]) -> i32 {
    let mut known: Vec<i32> = rows.iter().map(|&row| classes[row as usize]).filter(|&class| class >= 0).collect();
    known.sort_unstable();
    let (mut best, mut most) = (-1, 0);
    for run in known.chunk_by(|a, b| a == b) {
        if run.len() > most {
            (best, most) = (run[0], run.len());
        } else if run.len() == most {
            best = -1;
        }
    }
    best
}

/// The mean of the rows' numbers, whatever their order.
pub(super) fn mean(numbers: &[f32], rows: &[u32]) -> f64 {
    let mut values: Vec<f32> = rows.iter().map(|&row| numbers[row as usize]).collect();
    values.sort_unstable_by(f32::total_cmp);
    values.iter().map(|&x| f64::from(x)).sum::<f64>() / values.len() as f64
}

fn between_classes(graph: &Graph, classes: &[i32], weight: f64) -> Graph {
    let far = if weight < 1.0 { libm::exp(-FAR / (1.0 - weight)) } else { 0.0 };
    let unknown = libm::exp(-UNKNOWN);
    let mut weighed = graph.clone();
    for i in 0..graph.len() {
        for at in graph.range(i) {
            let (own, other) = (classes[i], classes[graph.columns[at] as usize]);
            let factor = if own < 0 || other < 0 {
                unknown
            } else if own == other {
                1.0
            } else {
                far
            };
            weighed.weights[at] = (f64::from(graph.weights[at]) * factor) as f32;
        }
    }
    weighed.pruned(f32::MIN_POSITIVE)
}

/// The k − 1 nearest others of each number. Of equally far ones those next to it in the order of (number, vertex), so
/// that many equal numbers are joined in a chain and not all to the same few.
fn line(numbers: &[f64], k: usize) -> Nearby {
    let n = numbers.len();
    let mut order: Vec<u32> = (0..n as u32).collect();
    order.sort_by(|&a, &b| numbers[a as usize].total_cmp(&numbers[b as usize]).then(a.cmp(&b)));
    let mut place = vec![0usize; n];
    order.iter().enumerate().for_each(|(at, &v)| place[v as usize] = at);
    let value = |at: usize| numbers[order[at] as usize];
    let mut nearby = Nearby { starts: vec![0], ..Default::default() };
    for own in place {
        let (mut low, mut high) = (own, own);
        for _ in 1..k {
            let below = (low > 0).then(|| (value(own) - value(low - 1), own - low));
            let above = (high + 1 < n).then(|| (value(high + 1) - value(own), high - own));
            let take_below = match (below, above) {
                (Some(b), Some(a)) => b.0 < a.0 || b.0 == a.0 && b.1 <= a.1,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (None, None) => break,
            };
            let at = if take_below { low - 1 } else { high + 1 };
            (low, high) = (low.min(at), high.max(at));
            nearby.neighbours.push(order[at]);
            nearby.distances.push(((value(own) - value(at)).abs() as f32).min(f32::MAX));
        }
        nearby.starts.push(nearby.neighbours.len());
    }
    nearby
}

/// Edges of either graph, weighed by both.
fn intersection(rows: &Graph, target: &Graph, weight: f64) -> Graph {
    let least = |graph: &Graph| {
        let smallest = graph.weights.iter().fold(f32::INFINITY, |m, &w| m.min(w));
        (f64::from(smallest) / 2.0).max(LEAST.0)
    };
    let (no_row, no_target) = (least(rows), least(target).min(LEAST.1));
    let both = |w: f64, t: f64| {
        if weight < 0.5 { w * libm::pow(t, weight / (1.0 - weight)) } else { libm::pow(w, (1.0 - weight) / weight) * t }
    };
    let parts = parallel::map_ranges(rows.len(), 256, |range| {
        let mut part = Graph::default();
        for i in range {
            let (mut a, mut b) = (rows.range(i).peekable(), target.range(i).peekable());
            loop {
                let column = match (a.peek(), b.peek()) {
                    (Some(&x), Some(&y)) => rows.columns[x].min(target.columns[y]),
                    (Some(&x), None) => rows.columns[x],
                    (None, Some(&y)) => target.columns[y],
                    (None, None) => break,
                };
                let w = a.next_if(|&x| rows.columns[x] == column).map_or(no_row, |x| f64::from(rows.weights[x]));
                let t = b.next_if(|&y| target.columns[y] == column).map_or(no_target, |y| f64::from(target.weights[y]));
                part.columns.push(column);
                part.weights.push(both(w, t) as f32);
            }
            part.starts.push(part.columns.len());
        }
        part
    });
    let mut joined = Graph { starts: vec![0], columns: Vec::new(), weights: Vec::new() };
    for part in parts {
        let before = joined.columns.len();
        joined.columns.extend(part.columns);
        joined.weights.extend(part.weights);
        joined.starts.extend(part.starts.iter().map(|end| before + end));
    }
    joined.pruned(f32::MIN_POSITIVE)
}

/// Each vertex's largest membership made 1, and the two directions united.
fn certain_again(graph: &Graph) -> Graph {
    let largest: Vec<f32> =
        (0..graph.len()).map(|i| graph.weights[graph.range(i)].iter().fold(0.0f32, |m, &w| m.max(w))).collect();
    let mut united = graph.clone();
    for i in 0..graph.len() {
        for at in graph.range(i) {
            let weight = graph.weights[at];
            let (there, back) = (weight / largest[i], weight / largest[graph.columns[at] as usize]);
            united.weights[at] = there + back - there * back;
        }
    }
    united
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_vote_and_level_votes_are_unknown() {
        let classes = [2, -1, 2, 0, 0, 0, 1, -1, -1];
        assert_eq!(majority(&classes, &[0, 1]), 2);
        assert_eq!(majority(&classes, &[0, 2, 3]), 2);
        assert_eq!(majority(&classes, &[0, 3]), -1);
        assert_eq!(majority(&classes, &[0, 2, 3, 4, 6]), -1);
        assert_eq!(majority(&classes, &[6, 0, 2, 3, 4, 5]), 0);
        assert_eq!(majority(&classes, &[1, 7, 8]), -1);
    }

    #[test]
    fn neighbours_on_a_line_are_the_nearest() {
        let numbers: Vec<f64> = (0..60).map(|i| f64::from(i * i % 37)).collect();
        for k in [2, 5, 60] {
            let nearby = line(&numbers, k);
            for i in 0..60 {
                let mut all: Vec<f64> = (0..60).filter(|&j| j != i).map(|j| (numbers[i] - numbers[j]).abs()).collect();
                all.sort_by(f64::total_cmp);
                let found = &nearby.distances[nearby.range(i)];
                assert!(found.iter().zip(&all).all(|(&a, &b)| f64::from(a) == b) && found.len() == k - 1);
                assert!(nearby.neighbours[nearby.range(i)].iter().all(|&j| j as usize != i));
            }
        }
        // Ten equal numbers with two neighbours each: a chain.
        assert_eq!(fuzzy::components(&fuzzy::union(&line(&[1.0; 10], 3), &[(1.0, 0.0); 10], 1.0)).1, 1);
    }
}
