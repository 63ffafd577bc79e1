//! Boosted trees at the edges: labels that held-out rows do not bear, weights of any size, values beyond those seen.

use crate::help::{awkward, noted};
use ndarray::{Array2, array};
use proptest::prelude::*;
use recluster::boost::{Boost, BoostModel, EvalMetric, Grow, Tree};
use recluster::explain::TreeShap;
use recluster::{Error, Explainer, Run};

fn trees(model: &BoostModel) -> Vec<&Tree> {
    model.outputs().iter().flat_map(|output| output.trees()).collect()
}

/// Log-loss is defined on rows that bear no label at all, the area under the curve is not: there log-loss stands in.
#[test]
fn labels_that_no_held_out_row_bears_stop_by_log_loss_and_are_named() {
    let (rows, mut labels) = awkward(400, 3);
    labels.iter_mut().for_each(|label| *label = (*label).clamp(0, 1));
    // One row bears label 2, so it cannot be held out; none bears label 3; label 4 is that of two equal rows.
    labels[10] = 2;
    (labels[3], labels[0]) = (4, 4);
    let fit = |metric, run: &Run| Boost::new().rounds(60).early_stopping(3).metric(metric).fit(&rows, &labels, run);
    let (by_loss, told) = noted(|run| fit(EvalMetric::Loss, run).unwrap());
    assert!(told.contains("no held-out row has label 2, 3, 4"), "{told}");
    let (by_area, told) = noted(|run| fit(EvalMetric::Auc, run).unwrap());
    assert!(told.contains("no held-out row has label 2, 3, 4"), "{told}");
    assert_ne!(by_area.outputs()[0].trees().len(), 60);
    for label in 2..5 {
        assert_eq!(by_area.outputs()[label], by_loss.outputs()[label]);
        let count = by_area.outputs()[label].trees().len();
        assert!((1..60).contains(&count), "label {label}: {count}");
    }
    // Nothing can be learnt of label 3: its first tree is its best, and it is a leaf of nothing.
    assert_eq!(by_loss.outputs()[3].trees().len(), 1);
    assert_eq!(by_loss.outputs()[3].trees()[0].leaves(), 1);
    let p = by_area.probabilities(&rows, &Run::new()).unwrap();
    assert!(p.iter().all(|p| p.is_finite()) && p.column(3).iter().all(|&p| p < 1e-5));
    // Nothing held out at all: all rounds, and a word about it.
    let few = Boost::new().rounds(7).early_stopping(1);
    let (model, told) = noted(|run| few.fit(&array![[1.0f32], [2.0]], &[0, 1], run).unwrap());
    assert!(told.contains("no row can be held out"), "{told}");
    assert!(model.outputs().iter().all(|output| output.trees().len() == 7));
}

/// What binned a column as categories says so to every later training call.
#[test]
fn a_column_binned_as_categories_cannot_be_bound() {
    let (run, n) = (Run::new(), 200);
    let rows = Array2::from_shape_fn((n, 2), |(i, j)| ((i * (j + 3)) % 7) as f32);
    let labels: Vec<i32> = (0..n).map(|i| i32::from([0, 3, 5].contains(&(i * 3 % 7)))).collect();
    let targets: Vec<f32> = labels.iter().map(|&label| label as f32).collect();
    let all: Vec<u32> = (0..n as u32).collect();
    let bins = Boost::new().categorical(&[0]).bins(&rows, &run).unwrap();
    for monotone in [[1, 0], [-1, 1]] {
        let bound = Boost::new().monotone(&monotone);
        let refused = bound.fit_binned(&bins, &all, &labels, None, &run);
        assert!(matches!(refused, Err(Error::Setting { name: "monotone", .. })), "{monotone:?}");
        let refused = bound.fit_regression_binned(&bins, &all[..100], &targets[..100], None, &run);
        assert!(matches!(refused, Err(Error::Setting { name: "monotone", .. })), "{monotone:?}");
        assert!(matches!(bound.clone().categorical(&[0]).fit(&rows, &labels, &run), Err(Error::Setting { .. })));
    }
    // The other column is a number; small whole numbers are held by order and bound.
    let model = Boost::new().monotone(&[0, 1]).fit_binned(&bins, &all, &labels, None, &run).unwrap();
    let plain = Boost::new().monotone(&[1]).fit(&rows, &labels, &run).unwrap();
    for (model, column) in [(model, 1), (plain, 0)] {
        for fixed in 0..7 {
            let line = Array2::from_shape_fn((7, 2), |(i, j)| if j == column { i } else { fixed } as f32);
            let margins = model.margins(&line, &run).unwrap();
            assert!((1..7).all(|i| margins[[i, 1]] >= margins[[i - 1, 1]]), "{column} {fixed}: {margins}");
        }
    }
    // A categorical column of one category is one all the same.
    let same = Array2::from_elem((n, 1), 4.0f32);
    let bins = Boost::new().categorical(&[0]).bins(&same, &run).unwrap();
    assert!(Boost::new().monotone(&[1]).fit_binned(&bins, &all, &labels, None, &run).is_err());
}

/// Without penalties only ratios of weights matter; powers of two change no bit of a leaf.
#[test]
fn weights_of_any_size_count_by_their_ratios() {
    let (rows, labels) = awkward(300, 21);
    let labels: Vec<i32> = labels.iter().map(|&label| label.max(0)).collect();
    let targets: Vec<f32> = rows.outer_iter().map(|row| row[4] * 2.0 + row[6]).collect();
    let sane: Vec<f32> = (0..300).map(|i| 1.0 + (i % 5) as f32 / 4.0).collect();
    let run = Run::new();
    let boost = Boost::new().rounds(12).max_depth(4).lambda(0.0).min_child_weight(0.0);
    let by_label = boost.fit_weighted(&rows, &labels, &sane, &run).unwrap();
    let by_target = boost.fit_regression_weighted(&rows, &targets, &sane, &run).unwrap();
    assert!(trees(&by_label).iter().all(|tree| tree.leaves() > 1));
    let margins = |model: &BoostModel| model.margins(&rows, &run).unwrap();
    // Least gains are in units of the heaviest weight below 1, and in units of 1 above, so the heavy have some splits more.
    let light = sane.iter().map(|weight| weight / 4.0).collect::<Vec<_>>();
    for (first, exponents) in [(light, [-118, -64, -20]), (sane.iter().map(|w| w * 2e9).collect(), [20, 40, 90])] {
        let model = boost.fit_weighted(&rows, &labels, &first, &run).unwrap();
        let regression = boost.fit_regression_weighted(&rows, &targets, &first, &run).unwrap();
        let gap = |a: &BoostModel, b: &BoostModel| {
            (margins(a) - margins(b)).iter().fold(0.0f64, |most, gap| most.max(gap.abs()))
        };
        assert!(gap(&model, &by_label) < 0.02 && gap(&regression, &by_target) < 0.002);
        for exponent in exponents {
            let scaled: Vec<f32> = first.iter().map(|weight| weight * 2f32.powi(exponent)).collect();
            let again = boost.fit_weighted(&rows, &labels, &scaled, &run).unwrap();
            assert_eq!(margins(&again), margins(&model), "2^{exponent}");
            let again = boost.fit_regression_weighted(&rows, &targets, &scaled, &run).unwrap();
            assert_eq!(margins(&again), margins(&regression), "2^{exponent}");
        }
    }
    // The smallest number of f32, and weights as far apart as f32 allows.
    let least = vec![f32::from_bits(1); 300];
    let model = boost.fit_weighted(&rows, &labels, &least, &run).unwrap();
    assert_eq!(margins(&model), margins(&boost.fit(&rows, &labels, &run).unwrap()));
    let apart: Vec<f32> = (0..300).map(|i| if i % 2 == 0 { 1e-38 } else { 1e38 }).collect();
    for boost in [boost.clone(), boost.clone().balanced(true), boost.clone().early_stopping(2), boost.calibrated(true)]
    {
        let model = boost.fit_weighted(&rows, &labels, &apart, &run).unwrap();
        assert!(margins(&model).iter().all(|margin| margin.is_finite()), "{boost:?}");
    }
}

/// Penalties are in units of weight: where they leave nothing to learn, that is said.
#[test]
fn weights_too_light_for_the_penalties_are_refused_or_noted() {
    let (rows, labels) = awkward(300, 22);
    let fit = |boost: &Boost, weight: f32| noted(|run| boost.fit_weighted(&rows, &labels, &vec![weight; 300], run));
    for boost in [Boost::new(), Boost::new().lambda(0.0), Boost::new().min_child_weight(0.0)] {
        let refused = fit(&boost, 1e-20).0;
        assert!(matches!(refused, Err(Error::Setting { name: "weights", .. })), "{boost:?}");
        let (model, told) = fit(&boost, 1.0);
        assert!(trees(&model.unwrap()).iter().any(|tree| tree.leaves() > 1) && told.is_empty(), "{told}");
    }
    // Weights that sum to 1, as surveys have them: no child could weigh 1.
    let (model, told) = fit(&Boost::new(), 1.0 / 300.0);
    assert!(trees(&model.unwrap()).iter().all(|tree| tree.leaves() == 1));
    assert!(told.contains("no tree has a split") && told.contains("min_child_weight"), "{told}");
    let targets: Vec<f32> = rows.column(4).to_vec();
    let refused = Boost::new().fit_regression_weighted(&rows, &targets, &[1e-20; 300], &Run::new());
    assert!(matches!(refused, Err(Error::Setting { name: "weights", .. })));
    // Equal targets leave nothing to split, and that is said too.
    let (model, told) = noted(|run| Boost::new().rounds(2).fit_regression(&rows, &[2.0; 300], run).unwrap());
    assert!(trees(&model).iter().all(|tree| tree.leaves() == 1) && told.contains("no tree has a split"), "{told}");
}

/// Targets are in 32 bits, so a base beyond them is no start; sums of such gaps would overflow.
#[test]
fn a_base_beyond_32_bits_is_refused() {
    let (rows, _) = awkward(300, 24);
    let targets: Vec<f32> = (0..300).map(|i| if i % 2 == 0 { f32::MAX } else { f32::MIN }).collect();
    let fit = |base: f64| Boost::new().rounds(8).base_score(base).fit_regression(&rows, &targets, &Run::new());
    for base in [1e300, -1e39, f64::INFINITY] {
        assert!(matches!(fit(base), Err(Error::Setting { name: "base_score", .. })), "{base}");
    }
    let model = fit(-f64::from(f32::MAX)).unwrap();
    assert!(trees(&model).iter().flat_map(|tree| tree.value()).all(|value| value.is_finite()));
}

#[test]
fn a_scale_of_labels_beyond_sense_is_refused() {
    let (rows, labels) = awkward(300, 23);
    let run = Run::new();
    for absurd in [1e300, 1e13, 1e-13, 1e-300, f64::INFINITY, f64::NAN, 0.0, -1.0] {
        let refused = Boost::new().scale_pos_weight(absurd).fit(&rows, &labels, &run);
        assert!(matches!(refused, Err(Error::Setting { name: "scale_pos_weight", .. })), "{absurd}");
    }
    for (scale, least, most) in [(1e12, 0.999_99, 1.0), (1e-12, 0.0, 1e-5)] {
        let model = Boost::new().rounds(5).scale_pos_weight(scale).fit(&rows, &labels, &run).unwrap();
        let p = model.probabilities(&rows, &run).unwrap();
        assert!(p.iter().all(|&p| (least..=most).contains(&p)), "{scale}");
    }
}

/// The largest finite value goes with the largest of a node's own rows, at every split of a column that is a number.
fn largest_go_together(tree: &Tree, rows: &Array2<f32>) {
    let mut largest = vec![f32::NEG_INFINITY; tree.len()];
    for row in rows.outer_iter() {
        let mut at = 0;
        while !tree.is_leaf(at) {
            let x = row[tree.feature()[at] as usize];
            largest[at] = largest[at].max(if x.is_nan() { f32::NEG_INFINITY } else { x });
            at = if tree.goes_left(at, x) { tree.left()[at] } else { tree.right()[at] } as usize;
        }
    }
    for at in (0..tree.len()).filter(|&at| !tree.is_leaf(at) && largest[at] > f32::NEG_INFINITY) {
        assert_eq!(tree.goes_left(at, f32::MAX), tree.goes_left(at, largest[at]), "node {at}: {}", largest[at]);
        assert!(tree.threshold()[at].is_finite());
    }
}

/// Margins of a model, of its SHAP values and of its outputs as XGBoost's JSON, for the same rows.
fn three_ways(model: &BoostModel, rows: &Array2<f32>) {
    let run = Run::new();
    let margins = model.margins(rows, &run).unwrap();
    let why = TreeShap::new(model).explain(rows, &run).unwrap();
    assert!((&why.outputs() - &margins).iter().all(|gap| gap.abs() < 1e-9));
    #[cfg(feature = "serde")]
    for output in 0..model.outputs().len() {
        let text = model.to_xgboost_json(output).unwrap();
        let read = BoostModel::from_xgboost_json(&text).unwrap().margins(rows, &run).unwrap();
        assert_eq!(read.column(0), margins.column(output));
    }
}

#[test]
fn values_above_all_seen_go_with_the_largest_and_not_with_the_missing() {
    let run = Run::new();
    // Only whether the value is there matters.
    let rows = Array2::from_shape_fn((120, 1), |(i, _)| if i % 4 == 0 { f32::NAN } else { (i % 10) as f32 });
    let labels: Vec<i32> = (0..120).map(|i| i32::from(i % 4 == 0)).collect();
    let boost = Boost::new().rounds(5);
    let model = boost.fit(&rows, &labels, &run).unwrap();
    let new = array![[9.0f32], [20.0], [1e6], [f32::MAX], [-5.0], [f32::MIN], [f32::NAN]];
    let margins = model.margins(&new, &run).unwrap();
    assert!((1..6).all(|i| margins.row(i) == margins.row(0)), "{margins}");
    assert!(margins[[6, 1]] > margins[[0, 1]] + 1.0);
    three_ways(&model, &new);
    let regression = boost.fit_regression(&rows, &labels.iter().map(|&l| l as f32).collect::<Vec<_>>(), &run).unwrap();
    let margins = regression.margins(&new, &run).unwrap();
    assert!((1..6).all(|i| margins.row(i) == margins.row(0)) && margins[[6, 0]] > 0.8, "{margins}");
    // Bound the same way it stays so.
    let bound = boost.monotone(&[1]).fit(&rows, &labels, &run).unwrap();
    let margins = bound.margins(&new, &run).unwrap();
    assert!((1..4).all(|i| margins.row(i) == margins.row(0)), "{margins}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// The same within every node of trees on data with missing values, also of large nodes and of monotone columns.
    #[test]
    fn larger_values_go_with_the_largest_in_every_node(seed in any::<u64>(), size in 0usize..3, direction in -1i8..=1) {
        let (rows, labels) = awkward([60, 400, 1500][size], seed);
        let boost = Boost::new().rounds(4).min_child_weight(0.1).monotone(&[0, 0, direction]);
        let learnt: Vec<usize> = (0..labels.len()).filter(|&i| labels[i] >= 0).collect();
        let own = rows.select(ndarray::Axis(0), &learnt);
        let model = boost.fit(&rows, &labels, &Run::new()).unwrap();
        trees(&model).into_iter().for_each(|tree| largest_go_together(tree, &own));
        let beyond = own.mapv(|x| if x > 3.0 { x * 1e9 } else { x });
        three_ways(&model, &beyond);
    }
}

/// As XGBoost's `lossguide` with `max_leaves` 0: without a limit every split that pays is made, and the order is no matter.
#[test]
fn without_a_limit_of_leaves_the_order_of_growth_changes_nothing() {
    let (rows, labels) = awkward(1500, 31);
    for boost in [
        Boost::new().rounds(3).max_depth(14).min_child_weight(0.0),
        Boost::new().rounds(3).min_child_weight(0.0).subsample(0.6),
    ] {
        let by_level = boost.fit(&rows, &labels, &Run::new()).unwrap();
        let by_loss = boost.clone().grow(Grow::ByLoss).fit(&rows, &labels, &Run::new()).unwrap();
        assert_eq!(by_loss, by_level);
        assert!(trees(&by_loss).iter().any(|tree| tree.leaves() > 20));
        // The best first is what a limit keeps: fewer leaves, and the root's split is the same.
        let limited = boost.grow(Grow::ByLoss).max_leaves(5).fit(&rows, &labels, &Run::new()).unwrap();
        let (small, whole) = (&limited.outputs()[0].trees()[0], &by_loss.outputs()[0].trees()[0]);
        assert_eq!((small.leaves(), small.feature()[0]), (5, whole.feature()[0]));
    }
}
