//! Each setting of boosted trees against a computation of its own: the first tree is that of the definition.

use crate::help::{awkward, leaf};
use ndarray::Array2;
use recluster::Run;
use recluster::boost::Boost;

/// What the definition is told.
#[derive(Clone, Copy, Debug)]
struct Rule {
    lambda: f64,
    alpha: f64,
    gamma: f64,
    least: f64,
    rate: f64,
    positive: f64,
    base: Option<f64>,
}

const PLAIN: Rule = Rule { lambda: 1.0, alpha: 0.0, gamma: 0.0, least: 1.0, rate: 0.3, positive: 1.0, base: None };

impl Rule {
    fn boost(self) -> Boost {
        let boost = Boost::new().rounds(1).max_depth(1).lambda(self.lambda).alpha(self.alpha).gamma(self.gamma);
        let boost = boost.min_child_weight(self.least).learning_rate(self.rate).scale_pos_weight(self.positive);
        match self.base {
            Some(base) => boost.base_score(base),
            None => boost,
        }
    }

    fn pulled(self, g: f64) -> f64 {
        g.signum() * (g.abs() - self.alpha).max(0.0)
    }

    fn score(self, (g, h): (f64, f64)) -> f64 {
        self.pulled(g).powi(2) / (h + self.lambda)
    }

    fn value(self, (g, h): (f64, f64)) -> f64 {
        -self.pulled(g) / (h + self.lambda) * self.rate
    }
}

/// First and second derivatives of the loss of one label before any tree, and the base margin.
fn derivatives(rule: Rule, labels: &[i32], label: i32) -> (f64, Vec<(f64, f64)>) {
    let weight = |l: i32| if l == label { rule.positive } else { 1.0 };
    let (own, all) =
        labels.iter().fold((0.0, 0.0), |sum, &l| (sum.0 + if l == label { weight(l) } else { 0.0 }, sum.1 + weight(l)));
    let share = rule.base.unwrap_or(own / all);
    let each = labels.iter().map(|&l| {
        let y = f64::from(u8::from(l == label));
        ((share - y) * weight(l), share * (1.0 - share) * weight(l))
    });
    ((share / (1.0 - share)).ln(), each.collect())
}

fn sum<'a>(pairs: impl Iterator<Item = &'a (f64, f64)>) -> (f64, f64) {
    pairs.fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1))
}

/// The gain of the best split there is, of every column, threshold and side of the missing values.
fn best_gain(rule: Rule, rows: &Array2<f32>, pairs: &[(f64, f64)]) -> f64 {
    let own = rule.score(sum(pairs.iter()));
    let mut best = f64::NEG_INFINITY;
    for column in rows.columns() {
        let mut values: Vec<f32> = column.iter().copied().filter(|x| !x.is_nan()).collect();
        values.sort_by(f32::total_cmp);
        values.dedup();
        // Past the last one all values are on the left.
        for cut in values.into_iter().chain([f32::INFINITY]) {
            for missing_left in [false, true] {
                let left = |x: f32| if x.is_nan() { missing_left } else { x < cut };
                let side =
                    |side: bool| sum(column.iter().zip(pairs).filter(|(x, _)| left(**x) == side).map(|(_, p)| p));
                let (a, b) = (side(true), side(false));
                if a.1.min(b.1) >= rule.least.max(1e-9) {
                    best = best.max(rule.score(a) + rule.score(b) - own);
                }
            }
        }
    }
    best
}

#[test]
fn the_first_tree_is_that_of_the_definition() {
    let (rows, labels) = awkward(300, 51);
    let labels: Vec<i32> = labels.iter().map(|&label| label.max(0)).collect();
    let rules = [
        PLAIN,
        Rule { lambda: 0.0, ..PLAIN },
        Rule { lambda: 25.0, ..PLAIN },
        Rule { alpha: 4.0, ..PLAIN },
        Rule { rate: 0.05, ..PLAIN },
        Rule { least: 12.0, ..PLAIN },
        Rule { least: 0.0, gamma: 8.0, ..PLAIN },
        Rule { gamma: 1e4, ..PLAIN },
        Rule { least: 1e3, ..PLAIN },
        Rule { positive: 7.0, ..PLAIN },
        Rule { positive: 0.2, alpha: 1.0, ..PLAIN },
        Rule { base: Some(0.9), ..PLAIN },
    ];
    for rule in rules {
        let model = rule.boost().fit(&rows, &labels, &Run::new()).unwrap();
        let mut splits = 0;
        for (label, output) in model.outputs().iter().enumerate() {
            let (base, pairs) = derivatives(rule, &labels, label as i32);
            // Margins and leaves are multiples of 2^-19.
            let close = |a: f64, b: f64| (a - b).abs() <= 2f64.powi(-19) + 1e-6 * b.abs();
            assert!(close(output.base(), base), "{rule:?}: {} {base}", output.base());
            let (tree, best) = (&output.trees()[0], best_gain(rule, &rows, &pairs));
            let pays = best > 1e-6 && best >= rule.gamma;
            assert_eq!(tree.leaves(), if pays { 2 } else { 1 }, "{rule:?} {label}: {best}");
            if pays {
                splits += 1;
                let gain = f64::from(tree.gain()[0]);
                assert!((gain - best).abs() <= 1e-5 * best.max(1.0), "{rule:?} {label}: {gain} {best}");
            }
            for node in (0..tree.len()).filter(|&node| tree.is_leaf(node)) {
                let own = |i: &usize| leaf(tree, &rows.row(*i).to_vec()) == node;
                let total = sum((0..300).filter(own).map(|i| &pairs[i]));
                assert!((tree.cover()[node] - total.1).abs() <= 1e-6 * total.1, "{rule:?}");
                // A node that weighs too little has no value.
                let value = if total.1 >= rule.least { rule.value(total) } else { 0.0 };
                assert!(close(f64::from(tree.value()[node]), value), "{rule:?}: {} {value}", tree.value()[node]);
            }
        }
        assert_eq!(splits > 0, rule.gamma < 1e4 && rule.least < 1e3, "{rule:?}");
    }
}

/// Rows that a tree sees, by the root's cover: all before any tree have the same second derivative.
#[test]
fn shares_of_rows_and_bins_are_what_the_settings_say() {
    let n = 3000;
    let rows = Array2::from_shape_fn((n, 2), |(i, j)| ((i * (7919 + 13 * j)) % 4001) as f32);
    let labels: Vec<i32> = (0..n).map(|i| i32::from(rows[[i, 0]] > 1500.0) ^ i32::from(i % 5 == 0)).collect();
    let seen = |boost: Boost| {
        let model = boost.rounds(1).max_depth(3).fit(&rows, &labels, &Run::new()).unwrap();
        let p = 1.0 / (1.0 + (-model.outputs()[0].base()).exp());
        model.outputs()[0].trees()[0].cover()[0] / (p * (1.0 - p))
    };
    assert!((seen(Boost::new()) - 3000.0).abs() < 0.5);
    for share in [0.25, 0.6] {
        let (drawn, expected) = (seen(Boost::new().subsample(share)), 3000.0 * share);
        assert!((drawn - expected).abs() < 4.0 * (expected * (1.0 - share)).sqrt(), "{share}: {drawn}");
        // Each label's share is rounded on its own.
        let kept = seen(Boost::new().early_stopping(1).held_out(share));
        assert!((kept - (3000.0 - expected)).abs() < 1.5, "{share}: {kept}");
    }
    for bins in [2, 5, 64] {
        let model = Boost::new().rounds(30).max_bins(bins).fit(&rows, &labels, &Run::new()).unwrap();
        let mut cuts: Vec<f32> = Vec::new();
        for tree in model.outputs()[0].trees() {
            let splits = (0..tree.len()).filter(|&node| !tree.is_leaf(node) && tree.feature()[node] == 0);
            cuts.extend(splits.map(|node| tree.threshold()[node]));
        }
        cuts.sort_by(f32::total_cmp);
        cuts.dedup();
        assert!(!cuts.is_empty() && cuts.len() < bins, "{bins}: {cuts:?}");
        // Quantiles of the rows: each threshold has a multiple of n / bins of them below it.
        for cut in cuts {
            let below = rows.column(0).iter().filter(|&&x| x < cut).count();
            let step = n as f64 / bins as f64;
            let off = below as f64 / step - (below as f64 / step).round();
            assert!(off.abs() * step < 1.5, "{bins}: {below}");
        }
    }
}
