//! The search for rules of one cluster: conjunctions of conditions, from one condition on, the best ones extended by all
//! conditions on a further column.
//!
//! A column's conditions are all judged from one histogram of the rows that meet the conditions so far: every range between
//! two cuts, the levels most frequent in the cluster, all levels but one, a missing answer, any answer.

use super::codes::{Codes, Column};
use std::cmp::Ordering;

/// Conjunctions that are extended: half of them the best rules, half those that leave out most others for what they lose of
/// the cluster.
const BEAM: usize = 16;
/// Levels that one condition names at most.
const LEVELS: usize = 3;
/// Least share of the cluster's rows that a rule covers.
const LEAST: f64 = 0.05;
/// Rows of the average frequency of the cluster that are added to those that meet a rule, so that few rows are not taken for
/// certainty (the m-estimate: Cestnik, ECAI 1990).
const SHRINK: f64 = 6.0;
/// Precision counts four times as much as recall: a rule that says little of a cluster can be joined by another, while nothing
/// mends one that says what is wrong.
const BETA: f64 = 0.25;
/// How much a further condition must add to the score of a rule.
const WORTH: f64 = 0.01;

/// F_β of precision and recall; the lower β, the more precision counts. 0 where both are.
pub(super) fn f_measure(beta: f64, precision: f64, recall: f64) -> f64 {
    let square = beta * beta;
    let whole = square * precision + recall;
    if whole > 0.0 { (1.0 + square) * precision * recall / whole } else { 0.0 }
}

/// The precision of rules that rows of weight `all` meet, `own` of it the cluster's, towards the cluster's frequency.
pub(super) fn shrunk(own: f64, all: f64, total: (f64, f64)) -> f64 {
    (own + SHRINK * total.0 / total.1) / (all + SHRINK)
}

/// A condition on a column's codes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// From the first code to below the second.
    Range(u16, u16),
    /// One of these, ascending.
    Levels(Vec<u16>),
    /// A level, but not this one.
    Not(u16),
    Missing,
    Answered,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Piece {
    pub(super) column: u32,
    pub(super) part: Part,
}

impl Piece {
    fn holds(&self, code: u16, values: usize) -> bool {
        let value = (code as usize) < values;
        match &self.part {
            Part::Range(first, end) => value && code >= *first && code < *end,
            Part::Levels(levels) => levels.contains(&code),
            Part::Not(level) => value && code != *level,
            Part::Missing => code as usize == values,
            Part::Answered => value,
        }
    }

    /// The conditions that it counts for: two for a range with both ends.
    fn length(&self, values: usize) -> usize {
        match self.part {
            Part::Range(first, end) if first > 0 && (end as usize) < values => 2,
            _ => 1,
        }
    }
}

/// The rows that rules are looked for in: places in the training.
pub(super) struct Problem<'a> {
    pub(super) codes: &'a Codes<'a>,
    pub(super) columns: &'a [u32],
    /// For each row of the training.
    pub(super) weights: &'a [f64],
    pub(super) own: &'a [bool],
    /// Weight of the cluster's rows, and of all.
    pub(super) total: (f64, f64),
    pub(super) max_conditions: usize,
}

/// A conjunction, with the weight of the cluster's rows that meet it, and that of all.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    /// By column.
    pub(super) pieces: Vec<Piece>,
    pub(super) own: f64,
    pub(super) all: f64,
}

impl Problem<'_> {
    /// Rules over the rows `places` that make the cluster more frequent than it is, and that no other beats in recall,
    /// precision and length; the best first.
    pub(super) fn front(&self, places: &[u32]) -> Vec<Found> {
        let mut beam = vec![(Found { pieces: Vec::new(), own: self.total.0, all: self.total.1 }, places.to_vec())];
        let mut pool: Vec<Found> = Vec::new();
        for _ in 0..self.max_conditions {
            let mut next: Vec<Found> = beam.iter().flat_map(|(found, rows)| self.extended(found, rows)).collect();
            // One of several orders in which the same conditions were found.
            next.sort_by(|a, b| a.pieces.cmp(&b.pieces));
            next.dedup_by(|a, b| a.pieces == b.pieces);
            let kept = self.kept(next);
            beam = kept
                .iter()
                .map(|found| {
                    let with = beam.iter().find(|(before, _)| before.pieces.iter().all(|p| found.pieces.contains(p)));
                    let rows = with.map_or(places, |(_, rows)| rows);
                    (found.clone(), rows.iter().copied().filter(|&row| self.meets(found, row)).collect())
                })
                .collect();
            pool.extend(kept);
        }
        let rate = self.total.0 / self.total.1;
        pool.retain(|found| found.own / found.all > rate);
        let unbeaten = |found: &&Found| !pool.iter().any(|other| self.beats(other, found));
        let mut front: Vec<Found> = pool.iter().filter(unbeaten).cloned().collect();
        let score = |found: &Found| self.score(found) - WORTH * self.length(found) as f64;
        front.sort_by(|a, b| score(b).total_cmp(&score(a)).then(a.pieces.cmp(&b.pieces)));
        front
    }

    /// Those to be extended.
    fn kept(&self, mut found: Vec<Found>) -> Vec<Found> {
        let by = |score: &dyn Fn(&Found) -> f64, a: &Found, b: &Found| -> Ordering {
            score(b).total_cmp(&score(a)).then(a.pieces.cmp(&b.pieces))
        };
        found.sort_by(|a, b| by(&|found| self.score(found), a, b));
        let others = found.split_off(found.len().min(BEAM / 2));
        let mut others: Vec<Found> = others;
        others.sort_by(|a, b| by(&|found| self.spread(found), a, b));
        others.truncate(BEAM / 2);
        found.extend(others);
        found
    }

    fn score(&self, found: &Found) -> f64 {
        f_measure(BETA, self.precision(found), found.own / self.total.0)
    }

    fn precision(&self, found: &Found) -> f64 {
        shrunk(found.own, found.all, self.total)
    }

    /// Share of the cluster's rows that meet it less that of other rows.
    fn spread(&self, found: &Found) -> f64 {
        found.own / self.total.0 - (found.all - found.own) / (self.total.1 - self.total.0).max(f64::MIN_POSITIVE)
    }

    /// The conditions, a range with both ends counting as two.
    pub(super) fn length(&self, found: &Found) -> usize {
        found.pieces.iter().map(|piece| self.length_of(piece)).sum()
    }

    fn length_of(&self, piece: &Piece) -> usize {
        piece.length(self.codes.column(piece.column).values)
    }

    /// Whether a rule is as good as another in all respects, and better in one.
    fn beats(&self, a: &Found, b: &Found) -> bool {
        let of = |found| (self.precision(found), found.own, self.length(found));
        let ((p, r, l), (q, s, m)) = (of(a), of(b));
        p >= q && r >= s && l <= m && (p > q || r > s || l < m)
    }

    pub(super) fn meets(&self, found: &Found, row: u32) -> bool {
        found.pieces.iter().all(|piece| {
            let column = self.codes.column(piece.column);
            piece.holds(column.codes[row as usize], column.values)
        })
    }

    /// The places that meet a rule.
    pub(super) fn met<'a>(&'a self, found: &'a Found, places: &'a [u32]) -> impl Iterator<Item = u32> + 'a {
        places.iter().copied().filter(|&row| self.meets(found, row))
    }

    /// A conjunction with one condition more: for each column the two best.
    fn extended(&self, before: &Found, rows: &[u32]) -> Vec<Found> {
        let mut all = Vec::new();
        for &c in self.columns.iter().filter(|&&c| before.pieces.iter().all(|piece| piece.column != c)) {
            let column = self.codes.column(c);
            let counts = self.histogram(column, rows);
            let mut best: [Option<(f64, Found)>; 2] = [None, None];
            let room = self.max_conditions.saturating_sub(self.length(before));
            let offer = |part: Part, own: f64, sum: f64| {
                let piece = Piece { column: c, part };
                if own < LEAST * self.total.0 || sum >= before.all || piece.length(column.values) > room {
                    return;
                }
                let found = Found { pieces: vec![piece], own, all: sum };
                for (best, score) in best.iter_mut().zip([self.score(&found), self.spread(&found)]) {
                    if best.as_ref().is_none_or(|(before, _)| score > *before) {
                        *best = Some((score, found.clone()));
                    }
                }
            };
            conditions(column, &counts, offer);
            all.extend(best.into_iter().flatten().map(|(_, mut found)| {
                found.pieces.extend(before.pieces.iter().cloned());
                found.pieces.sort();
                found
            }));
        }
        all
    }

    /// For each code the weight of the cluster's rows and that of all.
    fn histogram(&self, column: &Column, rows: &[u32]) -> Vec<(f64, f64)> {
        let mut counts = vec![(0.0, 0.0); column.values + 2];
        for &row in rows {
            let (count, weight) = (&mut counts[column.codes[row as usize] as usize], self.weights[row as usize]);
            count.0 += if self.own[row as usize] { weight } else { 0.0 };
            count.1 += weight;
        }
        counts
    }
}

/// Offers all conditions on a column with the weights of the rows that meet them.
fn conditions(column: &Column, counts: &[(f64, f64)], mut offer: impl FnMut(Part, f64, f64)) {
    let values = column.values;
    let sum = counts[..values].iter().fold((0.0, 0.0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
    offer(Part::Missing, counts[values].0, counts[values].1);
    offer(Part::Answered, sum.0, sum.1);
    if !column.levels {
        for first in 0..values {
            let mut range = (0.0, 0.0);
            for end in first + 1..=values {
                range = (range.0 + counts[end - 1].0, range.1 + counts[end - 1].1);
                if end - first < values {
                    offer(Part::Range(first as u16, end as u16), range.0, range.1);
                }
            }
        }
        return;
    }
    let mut levels: Vec<u16> = (0..values as u16).filter(|&level| counts[level as usize].1 > 0.0).collect();
    let rate = |level: u16| counts[level as usize].0 / counts[level as usize].1;
    levels.sort_by(|&a, &b| rate(b).total_cmp(&rate(a)).then(a.cmp(&b)));
    for &level in &levels {
        let (own, all) = counts[level as usize];
        offer(Part::Levels(vec![level]), own, all);
        if values > 2 {
            offer(Part::Not(level), sum.0 - own, sum.1 - all);
        }
    }
    let mut set = (0.0, 0.0);
    for (i, &level) in levels.iter().take(LEVELS).enumerate() {
        set = (set.0 + counts[level as usize].0, set.1 + counts[level as usize].1);
        if i > 0 {
            let mut levels = levels[..=i].to_vec();
            levels.sort_unstable();
            offer(Part::Levels(levels), set.0, set.1);
        }
    }
}
