//! The rules of one cluster together: of all that the searches found, the few whose union is the most precise one of those that
//! cover enough of the cluster.

use super::search::{Found, Problem, f_measure, shrunk};

/// Sets are grown from this many single rules.
const STARTS: usize = 8;
/// How much each condition must add to the score, and how much each beyond the third.
const WORTH: f64 = 0.005;
const FURTHER: f64 = 0.025;
const SHORT: usize = 3;
/// Recall up to what is to be covered counts half as much as precision, and all of it a little: so what a cluster is made of
/// besides comes before the same once more.
const BETA: f64 = 0.5;
const MORE: f64 = 0.05;
/// Scores that are nearer than this are equal: sets in another order.
const EQUAL: f64 = 1e-9;

/// Rules to choose from, and the rows of the training that meet each.
pub(super) struct Pool<'a> {
    rules: Vec<Found>,
    met: Vec<Vec<u32>>,
    /// What the conditions of each cost.
    costs: Vec<f64>,
    /// Over all rows of the training.
    problem: &'a Problem<'a>,
    /// Recall that is aimed at.
    coverage: f64,
    max_rules: usize,
}

/// Some of the rules, with the weight of the cluster's rows that meet any of them, and of all such rows.
struct Union {
    rules: Vec<usize>,
    covered: Vec<bool>,
    own: f64,
    all: f64,
    cost: f64,
}

impl<'a> Pool<'a> {
    pub(super) fn new(mut rules: Vec<Found>, problem: &'a Problem<'a>, places: &[u32], settings: (f64, usize)) -> Self {
        rules.sort_by(|a, b| a.pieces.cmp(&b.pieces));
        rules.dedup_by(|a, b| a.pieces == b.pieces);
        let met = rules.iter().map(|found| problem.met(found, places).collect()).collect();
        let cost = |found: &Found| {
            let length = problem.length(found);
            WORTH * length.min(SHORT) as f64 + FURTHER * length.saturating_sub(SHORT) as f64
        };
        let costs = rules.iter().map(cost).collect();
        Pool { rules, met, costs, problem, coverage: settings.0, max_rules: settings.1 }
    }

    /// The best set found, the rule that meets most of the cluster first: grown from one rule, then as long as that helps one
    /// rule is added, replaced or left out.
    pub(super) fn best(&self) -> Vec<Found> {
        let none = self.union(&[]);
        let mut starts: Vec<(f64, usize)> = (0..self.rules.len()).map(|rule| (self.with(&none, rule), rule)).collect();
        starts.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut best = (f64::NEG_INFINITY, Vec::new());
        for &(score, start) in starts.iter().take(STARTS) {
            let (mut score, mut set) = (score, vec![start]);
            while let Some(better) = self.step(score, &set) {
                (score, set) = better;
            }
            if score > best.0 + EQUAL {
                best = (score, set);
            }
        }
        let own = |rule: usize| self.union(&[rule]).own;
        best.1.sort_by(|&a, &b| own(b).total_cmp(&own(a)).then(a.cmp(&b)));
        best.1.into_iter().map(|rule| self.rules[rule].clone()).collect()
    }

    /// The best set of those with one rule more, another one, or one less; None where none is better.
    fn step(&self, score: f64, set: &[usize]) -> Option<(f64, Vec<usize>)> {
        let mut best = (score + EQUAL, None);
        let mut offer = |score: f64, rules: &[usize], with: Option<usize>| {
            if score > best.0 {
                best = (score, Some(rules.iter().copied().chain(with).collect()));
            }
        };
        let without = |left: usize| [&set[..left], &set[left + 1..]].concat();
        let mut bases: Vec<Vec<usize>> = (0..set.len()).map(without).collect();
        if set.len() < self.max_rules {
            bases.push(set.to_vec());
        }
        for base in bases {
            let base = self.union(&base);
            if !base.rules.is_empty() {
                offer(self.score(base.own, base.all, base.cost), &base.rules, None);
            }
            for rule in (0..self.rules.len()).filter(|rule| !set.contains(rule)) {
                offer(self.with(&base, rule), &base.rules, Some(rule));
            }
        }
        best.1.map(|set| (best.0, set))
    }

    fn union(&self, rules: &[usize]) -> Union {
        let covered = vec![false; self.problem.own.len()];
        let mut union = Union { rules: rules.to_vec(), covered, own: 0.0, all: 0.0, cost: 0.0 };
        for &rule in rules {
            let (own, all) = self.added(&union, rule);
            (union.own, union.all, union.cost) = (union.own + own, union.all + all, union.cost + self.costs[rule]);
            self.met[rule].iter().for_each(|&place| union.covered[place as usize] = true);
        }
        union
    }

    /// The weight that a rule adds to a union: of the cluster's rows, and of all.
    fn added(&self, union: &Union, rule: usize) -> (f64, f64) {
        let new = self.met[rule].iter().map(|&place| place as usize).filter(|&place| !union.covered[place]);
        new.fold((0.0, 0.0), |(own, all), place| {
            let weight = self.problem.weights[place];
            (own + if self.problem.own[place] { weight } else { 0.0 }, all + weight)
        })
    }

    /// The score of a union and one rule more.
    fn with(&self, union: &Union, rule: usize) -> f64 {
        let (own, all) = self.added(union, rule);
        self.score(union.own + own, union.all + all, union.cost + self.costs[rule])
    }

    fn score(&self, own: f64, all: f64, cost: f64) -> f64 {
        let total = self.problem.total;
        let recall = own / total.0;
        f_measure(BETA, shrunk(own, all, total), (recall / self.coverage).min(1.0)) + MORE * recall - cost
    }
}
