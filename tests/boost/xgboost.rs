//! What XGBoost's own tests ask of XGBoost, asked of ours. Each test names the one that it reruns; names are those of the
//! files in XGBoost's `tests/` and `python-package/xgboost/testing/`.

use crate::help::{awkward, fixture, floats, table};
use ndarray::{Array2, Axis, array, concatenate};
use proptest::prelude::*;
use recluster::boost::{Boost, BoostModel, Ensemble, Grow, Tree};
use recluster::{Error, Run};

/// Random numbers of a test, in 0 to 1.
fn draws(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The value that a tree gives a row, found with the public parts of the tree.
fn value(tree: &Tree, row: &[f32]) -> f32 {
    let mut at = 0;
    while !tree.is_leaf(at) {
        let left = tree.goes_left(at, row[tree.feature()[at] as usize]);
        at = if left { tree.left()[at] } else { tree.right()[at] } as usize;
    }
    tree.value()[at]
}

/// Root mean squared errors after no tree, one tree, and so on.
fn errors(output: &Ensemble, rows: &Array2<f32>, targets: &[f32]) -> Vec<f64> {
    let mut margins = vec![output.base(); targets.len()];
    let error = |margins: &[f64]| {
        let square = |(m, &t): (&f64, &f32)| (m - f64::from(t)).powi(2);
        (margins.iter().zip(targets).map(square).sum::<f64>() / targets.len() as f64).sqrt()
    };
    let mut all = vec![error(&margins)];
    for tree in output.trees() {
        for (margin, row) in margins.iter_mut().zip(rows.outer_iter()) {
            *margin += f64::from(value(tree, row.as_slice().unwrap()));
        }
        all.push(error(&margins));
    }
    all
}

fn non_increasing(errors: &[f64]) -> bool {
    errors.windows(2).all(|pair| pair[1] <= pair[0] * (1.0 + 1e-9) + 1e-12)
}

fn is_stump(tree: &Tree) -> bool {
    tree.len() == 1
}

/// Exact steps: whole Newton steps without penalty. With targets -g / h, weights h and a base of 0 the derivatives are g
/// and h, as C++ tests hand them to the tree builder.
fn bare() -> Boost {
    Boost::new().rounds(1).learning_rate(1.0).lambda(0.0).min_child_weight(0.0).base_score(0.0)
}

fn fit_derivatives(boost: &Boost, rows: &Array2<f32>, pairs: &[(f32, f32)]) -> BoostModel {
    let targets: Vec<f32> = pairs.iter().map(|&(g, h)| -g / h).collect();
    let weights: Vec<f32> = pairs.iter().map(|&(_, h)| h).collect();
    boost.fit_regression_weighted(rows, &targets, &weights, &Run::new()).unwrap()
}

/// The settings of a fixture's case.
fn settings(case: &serde_json::Value) -> Boost {
    let mut boost = Boost::new().rounds(case["rounds"].as_u64().unwrap() as usize);
    for (name, value) in case["settings"].as_object().unwrap() {
        let number = || value.as_f64().unwrap();
        boost = match (name.as_str(), value.as_str()) {
            ("max_bin", _) => boost.max_bins(number() as usize),
            ("min_child_weight", _) => boost.min_child_weight(number()),
            ("gamma", _) => boost.gamma(number()),
            ("max_depth", _) => boost.max_depth(number() as usize),
            ("grow_policy", Some("depthwise")) => boost,
            ("grow_policy", Some("lossguide")) => boost.grow(Grow::ByLoss),
            ("monotone_constraints", Some("(1,-1)")) => boost.monotone(&[1, -1]),
            other => panic!("{other:?}"),
        };
    }
    boost
}

/// Predictions of XGBoost, its trees being ours where nothing is left to chance. Among the cases:
/// `test_updaters.py::test_hist_degenerate_case` (a column of one value and missing ones, weights of 0),
/// `test_sparse` (mostly missing, `max_bin` 64), `test_tree_stat.cc::TestMinChildWeight` (too heavy to be split),
/// `test_prune.cc` (`gamma`), `test_fit_stump.cc` and `intercept.py` (equal targets, base scores, weighted ones),
/// `monotone_constraints.py::run_monotone_constraints` (by level and by loss).
#[test]
fn margins_are_xgboosts_on_the_data_of_its_tests() {
    let file = fixture("boost_xgboost.json");
    for case in file.as_array().unwrap() {
        let (rows, name) = (table(&case["rows"]), case["name"].as_str().unwrap());
        let targets: Vec<f32> = floats(&case["targets"]).iter().map(|&t| t as f32).collect();
        let weights = case["weights"].is_array().then(|| floats(&case["weights"]));
        let weights: Option<Vec<f32>> = weights.map(|all| all.iter().map(|&w| w as f32).collect());
        let (boost, run) = (settings(case), Run::new());
        let logistic = case["objective"] == "binary:logistic";
        let labels: Vec<i32> = targets.iter().map(|&t| t as i32).collect();
        let model = match (logistic, &weights) {
            (true, Some(weights)) => boost.fit_weighted(&rows, &labels, weights, &run),
            (true, None) => boost.fit(&rows, &labels, &run),
            (false, Some(weights)) => boost.fit_regression_weighted(&rows, &targets, weights, &run),
            (false, None) => boost.fit_regression(&rows, &targets, &run),
        };
        let model = model.unwrap();
        let own = model.outputs().len() - 1;
        let margins = model.margins(&rows, &run).unwrap();
        let theirs = floats(&case["margins"]);
        let scale = theirs.iter().fold(1.0, |most: f64, m| most.max(m.abs()));
        let worst = (0..theirs.len()).map(|i| (margins[[i, own]] - theirs[i]).abs()).fold(0.0, f64::max);
        let nodes: usize = model.outputs()[own].trees().iter().map(Tree::len).sum();
        println!("{name}: {nodes} nodes, XGBoost {}, largest difference {worst:.2e} of {scale:.3}", case["nodes"]);
        assert_eq!(nodes as u64, case["nodes"].as_u64().unwrap(), "{name}");
        if name == "equal_labels" {
            // Both stop at a probability of 1 - 1e-6; XGBoost takes 1 / p - 1 of it in f32.
            let p = 0.999_999f32;
            assert!((theirs[0] + f64::from(1.0 / p - 1.0).ln()).abs() < 1e-5, "{}", theirs[0]);
            // Ours is the multiple of 2^-19 next to it.
            assert!((margins[[0, own]] - (999_999f64).ln()).abs() <= 0.5f64.powi(20), "{}", margins[[0, own]]);
            continue;
        }
        assert!(worst < 1e-5 * scale, "{name}: {worst}");
        if !logistic && weights.is_none() {
            assert!(non_increasing(&errors(&model.outputs()[0], &rows, &targets)), "{name}");
        }
    }
}

/// XGBoost's margins are its leaves added up in f32, base first: the trees that we read, added up likewise, are its bits.
#[cfg(feature = "serde")]
#[test]
fn margins_of_models_read_are_xgboosts_bits_when_added_up_in_f32() {
    for name in ["xgboost_logistic.json", "xgboost_squared.json", "xgboost_categories.json"] {
        let file = fixture(name);
        let model = BoostModel::from_xgboost_json(&file["model"].to_string()).unwrap();
        let (rows, output) = (table(&file["rows"]), &model.outputs()[0]);
        let margins = model.margins(&rows, &Run::new()).unwrap();
        for ((row, theirs), ours) in rows.outer_iter().zip(floats(&file["margins"])).zip(margins.column(0)) {
            let leaves: Vec<f32> = output.trees().iter().map(|tree| value(tree, row.as_slice().unwrap())).collect();
            let single = leaves.iter().fold(output.base() as f32, |sum, &leaf| sum + leaf);
            assert_eq!(single.to_bits(), (theirs as f32).to_bits(), "{name}");
            let double = leaves.iter().fold(output.base(), |sum, &leaf| sum + f64::from(leaf));
            assert_eq!(double.to_bits(), ours.to_bits(), "{name}");
        }
    }
}

/// `test_tree_stat.cc::TestMinChildWeight::RunScalarTree`: the best split is too light on its left side.
#[test]
fn children_weigh_at_least_min_child_weight() {
    let rows = array![[0.0f32], [1.0], [2.0], [3.0]];
    let pairs = [(10.0, 0.2), (-9.0, 0.8), (-1.0, 1.0), (0.0, 1.0)];
    let model = fit_derivatives(&bare().max_depth(1).min_child_weight(1.0), &rows, &pairs);
    let tree = &model.outputs()[0].trees()[0];
    assert_eq!((tree.len(), tree.feature()[0], tree.threshold()[0]), (3, 0, 2.0));
    for (cover, expected) in tree.cover().iter().zip([3.0, 1.0, 2.0]) {
        assert!((cover - expected).abs() < 1e-6, "{cover}");
    }
    let free = fit_derivatives(&bare().max_depth(1), &rows, &pairs);
    assert_eq!(free.outputs()[0].trees()[0].threshold()[0], 1.0);
    // `UpdaterTreeStatTest`: at the default of 1 no leaf is lighter.
    let (rows, labels) = awkward(500, 3);
    let model = Boost::new().rounds(10).fit(&rows, &labels, &Run::new()).unwrap();
    for tree in model.outputs().iter().flat_map(|output| output.trees()).filter(|tree| !is_stump(tree)) {
        assert!((0..tree.len()).all(|node| tree.cover()[node] >= 1.0 - 1e-6));
    }
}

/// `test_tree_stat.cc::TestSplitWithEta`: the learning rate scales leaves and changes no split.
#[test]
fn the_learning_rate_changes_no_split() {
    let mut draw = draws(1);
    let rows = Array2::from_shape_fn((512, 20), |_| if draw() < 0.2 { f32::NAN } else { draw() as f32 });
    let targets: Vec<f32> = (0..512).map(|_| draw() as f32).collect();
    let fit = |rate| Boost::new().rounds(1).learning_rate(rate).fit_regression(&rows, &targets, &Run::new()).unwrap();
    let (slow, fast) = (fit(0.1), fit(0.8));
    let (slow, fast) = (&slow.outputs()[0].trees()[0], &fast.outputs()[0].trees()[0]);
    assert!(slow.len() > 32);
    assert_eq!((slow.feature(), slow.threshold()), (fast.feature(), fast.threshold()));
    for node in (0..slow.len()).filter(|&node| slow.is_leaf(node)) {
        assert_eq!(slow.value()[node] * 8.0, fast.value()[node]);
    }
}

/// `test_prune.cc`: a split that saves exactly `gamma` stays, one that saves less goes.
#[test]
fn a_split_that_saves_gamma_stays() {
    let fit = |gamma| fit_derivatives(&bare().gamma(gamma), &array![[0.0f32], [1.0]], &[(1.0, 1.0), (-1.0, 1.0)]);
    let of = |gamma| fit(gamma).outputs()[0].trees()[0].clone();
    assert_eq!((of(2.0).len(), of(2.0).gain()[0]), (3, 2.0));
    assert_eq!(of(2.001).len(), 1);
}

/// `monotone_constraints.py::run_parent_gain`: a node's own gain is that of its bounded value.
#[test]
fn gains_are_those_of_bounded_values() {
    let rows = array![[0.0f32, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 1.0, 1.0]];
    let pairs = [(3.0, 1.0), (-2.75, 0.5), (-0.125, 0.25), (0.875, 0.25)];
    let model = fit_derivatives(&bare().max_depth(3).monotone(&[1, 0, 0]), &rows, &pairs);
    let tree = &model.outputs()[0].trees()[0];
    let node = tree.right()[tree.right()[0] as usize] as usize;
    assert_eq!((tree.feature()[0], tree.feature()[node]), (0, 2));
    assert!((tree.gain()[node] - 0.25).abs() < 1e-6, "{}", tree.gain()[node]);
}

/// `monotone_constraints.py::is_correctly_constrained`: a hundred lines along each column, on numbers with more values
/// than bins; and `run_multi_output_monotone`, deep trees with columns that are not bound.
#[test]
fn monotone_columns_rise_and_fall_along_every_line() {
    let (mut draw, run) = (draws(7), Run::new());
    let rows = Array2::from_shape_fn((1000, 2), |_| draw() as f32);
    let wave = |x: f32| f64::from(x) * 10.0 * std::f64::consts::PI;
    let targets: Vec<f32> = rows
        .outer_iter()
        .map(|r| {
            let noise = (0..12).map(|_| draw()).sum::<f64>() - 6.0;
            (f64::from(5.0 * (r[0] - r[1])) + wave(r[0]).sin() - wave(r[1]).cos() + 0.01 * noise) as f32
        })
        .collect();
    let unbound = Boost::new().rounds(16).fit_regression(&rows, &targets, &run).unwrap();
    let line = |model: &BoostModel, column: usize, start: &[f32]| {
        let line =
            Array2::from_shape_fn((100, start.len()), |(i, j)| if j == column { i as f32 / 99.0 } else { start[j] });
        model.margins(&line, &Run::new()).unwrap().column(0).to_vec()
    };
    let falls = |line: &[f64]| line.windows(2).any(|pair| pair[1] < pair[0]);
    let rises = |line: &[f64]| line.windows(2).any(|pair| pair[1] > pair[0]);
    let broken = |model: &BoostModel| {
        (0..100).any(|i| {
            let fixed = [i as f32 / 99.0; 2];
            falls(&line(model, 0, &fixed)) || rises(&line(model, 1, &fixed))
        })
    };
    assert!(broken(&unbound));
    for grow in [Grow::ByLevel, Grow::ByLoss] {
        for boost in [Boost::new().rounds(16), Boost::new().rounds(10).subsample(0.7)] {
            let model = boost.grow(grow).monotone(&[1, -1]).fit_regression(&rows, &targets, &run).unwrap();
            assert!(!broken(&model), "{grow:?}");
        }
        let rows = Array2::from_shape_fn((2048, 5), |_| draw() as f32);
        let targets: Vec<f32> = rows
            .outer_iter()
            .map(|r| r[0] - r[1] + (6.0 * r[2]).sin() + 0.5 * r[3] * r[4] + 0.1 * (draw() as f32 - 0.5))
            .collect();
        let boost = Boost::new().rounds(40).alpha(0.1).min_child_weight(0.0).grow(grow).monotone(&[1, -1, 0, 0, 0]);
        let model = boost.fit_regression(&rows, &targets, &run).unwrap();
        for _ in 0..32 {
            let start: Vec<f32> = (0..5).map(|_| draw() as f32).collect();
            assert!(!falls(&line(&model, 0, &start)) && !rises(&line(&model, 1, &start)), "{grow:?}");
        }
    }
}

/// One row for each category with derivatives of its own.
fn categories(pairs: &[(f32, f32)]) -> Array2<f32> {
    Array2::from_shape_fn((pairs.len(), 1), |(i, _)| i as f32)
}

fn score(pairs: impl Iterator<Item = (f32, f32)>) -> f64 {
    let (g, h) = pairs.fold((0.0, 0.0), |sum, (g, h)| (sum.0 + f64::from(g), sum.1 + f64::from(h)));
    if h > 0.0 { g * g / h } else { 0.0 }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// `hist/test_evaluate_splits.cc::TestPartitionBasedSplit`: of all ways to part the categories in two none is better.
    /// `HistEvaluator.Categorical`: with two categories it is the same split as one against the other.
    #[test]
    fn the_best_partition_of_categories_is_found(seed in any::<u64>(), count in 2usize..9) {
        let mut draw = draws(seed);
        let pairs: Vec<(f32, f32)> =
            (0..count).map(|_| ((draw() * 8.0 - 4.0) as f32, (0.05 + draw() * 3.95) as f32)).collect();
        let rows = categories(&pairs);
        let gain_of = |sorted_from: usize| {
            let boost = bare().max_depth(1).categorical(&[0]).max_cat_to_onehot(sorted_from);
            f64::from(fit_derivatives(&boost, &rows, &pairs).outputs()[0].trees()[0].gain()[0])
        };
        let gain = |set: usize| {
            let side = |inside| {
                let chosen = (0..count).filter(move |i| (set >> i & 1 == 1) == inside);
                score(chosen.map(|i| pairs[i]).collect::<Vec<_>>().into_iter())
            };
            side(true) + side(false) - score(pairs.iter().copied())
        };
        let best = (1..(1 << count) - 1).map(gain).fold(0.0, f64::max);
        let one = (0..count).map(|i| gain(1 << i)).fold(0.0, f64::max);
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-5 * b.max(1.0);
        prop_assert!(close(gain_of(1), best), "{} {best}", gain_of(1));
        prop_assert!(close(gain_of(100), one), "{} {one}", gain_of(100));
    }

    /// `updater.py::check_categorical_ohe`: one category against all others is what columns of zeros and ones give; a
    /// partition saves at least as much at the root; errors never rise.
    #[test]
    fn one_against_all_others_is_one_hot(
        seed in any::<u64>(), n in 10usize..400, columns in 3usize..8, rounds in 1usize..3, count in 4usize..7,
    ) {
        let (mut draw, run) = (draws(seed), Run::new());
        let rows = Array2::from_shape_fn((n, columns), |_| (draw() * count as f64) as u8 as f32);
        let targets: Vec<f32> =
            rows.outer_iter().map(|r| r.iter().map(|x| (x * 2.3).sin()).sum::<f32>() + draw() as f32).collect();
        let apart = Array2::from_shape_fn((n, columns * count), |(i, j)| {
            f32::from(u8::from(rows[[i, j / count]] == (j % count) as f32))
        });
        let boost = Boost::new().rounds(rounds).lambda(0.0);
        let named = boost.clone().categorical(&(0..columns).collect::<Vec<_>>());
        let apart_model = boost.fit_regression(&apart, &targets, &run).unwrap();
        let one = named.clone().max_cat_to_onehot(1000).fit_regression(&rows, &targets, &run).unwrap();
        let sets = |model: &BoostModel| {
            let trees = model.outputs()[0].trees().iter();
            trees.flat_map(|t| (0..t.len()).map(|i| t.categories(i).len()).collect::<Vec<_>>()).max()
        };
        prop_assert!(sets(&one) <= Some(1));
        let (by_columns, by_name) =
            (errors(&apart_model.outputs()[0], &apart, &targets), errors(&one.outputs()[0], &rows, &targets));
        for (a, b) in by_columns.iter().zip(&by_name) {
            prop_assert!((a - b).abs() <= 1e-3 * b.max(1e-3), "{by_columns:?} {by_name:?}");
        }
        let parted = named.clone().max_cat_to_onehot(1).fit_regression(&rows, &targets, &run).unwrap();
        prop_assert!(non_increasing(&by_name));
        prop_assert!(non_increasing(&errors(&parted.outputs()[0], &rows, &targets)));
        let root = |model: &BoostModel| model.outputs()[0].trees()[0].gain()[0];
        prop_assert!(root(&parted) >= root(&one) * (1.0 - 1e-5));
        let more = named.lambda(1.0).rounds(32).max_cat_to_onehot(1).fit_regression(&rows, &targets, &run).unwrap();
        prop_assert!(non_increasing(&errors(&more.outputs()[0], &rows, &targets)));
    }

    /// `updater.py::check_categorical_missing` and `test_sparse`: half the values missing, in categories and numbers.
    #[test]
    fn errors_never_rise_with_missing_values(
        seed in any::<u64>(), n in 10usize..300, columns in 3usize..8, onehot in any::<bool>(), named in any::<bool>(),
    ) {
        let mut draw = draws(seed);
        let rows = Array2::from_shape_fn((n, columns), |_| {
            if draw() < 0.5 { f32::NAN } else { (draw() * 6.0) as u8 as f32 }
        });
        let targets: Vec<f32> = (0..n).map(|_| draw() as f32 * 10.0).collect();
        let mut boost = Boost::new().rounds(8).max_bins(64).max_cat_to_onehot(if onehot { 1000 } else { 1 });
        if named {
            boost = boost.categorical(&(0..columns).collect::<Vec<_>>());
        }
        let model = boost.fit_regression(&rows, &targets, &Run::new()).unwrap();
        prop_assert!(non_increasing(&errors(&model.outputs()[0], &rows, &targets)));
    }
}

/// `test_evaluate_splits.h::TestCategoricalSplitWithMissing`: four categories alike, and missing values unlike them; one
/// category stays with the missing ones, on the right.
#[test]
fn missing_values_join_a_category() {
    let rows = array![[0.0f32], [1.0], [2.0], [3.0], [f32::NAN]];
    let pairs = [(0.5, 0.5), (0.5, 0.5), (1.0, 1.0), (1.0, 1.0), (-2.0, 3.0)];
    let model = fit_derivatives(&bare().max_depth(1).categorical(&[0]).max_cat_to_onehot(1), &rows, &pairs);
    let tree = &model.outputs()[0].trees()[0];
    assert!((tree.gain()[0] - 2.97619).abs() < 1e-5 && !tree.default_left()[0]);
    assert!((tree.cover()[1] - 2.5).abs() < 1e-6 && (tree.cover()[2] - 3.5).abs() < 1e-6);
}

/// `updater.py::run_max_cat`, `run_invalid_category`, `check_categorical_bitfield_boundaries`.
#[test]
fn categories_few_rows_wrong_values_and_many_kinds() {
    let run = Run::new();
    let boost = Boost::new().rounds(10).categorical(&[0]);
    // As many rows as kinds, kinds far apart.
    let rows = array![[3.0f32], [97.0], [41.0], [12.0], [66.0]];
    let targets = [0.0, 1.0, 2.0, 3.0, 4.0];
    let model = boost.fit_regression(&rows, &targets, &run).unwrap();
    assert!(non_increasing(&errors(&model.outputs()[0], &rows, &targets)));
    for wrong in [2_147_483_648.0f32, 16_777_216.0, -1.0, 0.37, -0.5] {
        let rows = array![[3.0f32], [wrong], [1.0]];
        let refused = boost.fit_regression(&rows, &[0.0, 1.0, 2.0], &run);
        assert!(matches!(refused, Err(Error::Category { row: 1, column: 0, .. })), "{wrong}");
    }
    for kinds in [31, 32, 33, 63, 64, 65, 128, 255] {
        let mut draw = draws(kinds as u64);
        let rows = Array2::from_shape_fn((1000, 2), |(i, j)| ((i * (j + 1)) % kinds) as f32);
        let targets: Vec<f32> = rows.outer_iter().map(|r| (r[0] * 0.7).sin() + draw() as f32).collect();
        for onehot in [1, 300] {
            let boost = Boost::new().rounds(3).categorical(&[0, 1]).max_cat_to_onehot(onehot);
            let model = boost.fit_regression(&rows, &targets, &run).unwrap();
            assert!(!is_stump(&model.outputs()[0].trees()[0]));
            assert!(non_increasing(&errors(&model.outputs()[0], &rows, &targets)));
            // Kinds that the training never saw have an answer too.
            let odd = array![[500.0f32, -3.0], [f32::NAN, 1e9]];
            assert!(model.margins(&odd, &run).unwrap().iter().all(|m| m.is_finite()));
        }
    }
}

/// `test_updaters.py::test_colsample_rng`: the seed draws the columns.
#[test]
fn the_seed_draws_columns() {
    let (rows, labels) = awkward(128, 16);
    let targets: Vec<f32> = labels.iter().map(|&l| l as f32).collect();
    let fit = |seed| {
        let boost = Boost::new().rounds(4).colsample_bynode(0.5);
        boost.fit_regression(&rows, &targets, &Run::new().seed(seed)).unwrap()
    };
    assert_ne!(fit(42), fit(43));
    assert_eq!(fit(42), fit(42));
}

/// `gpu_hist/test_histogram.cu` (deterministic histograms): targets of sizes that f32 sums forget, in any order of rows.
#[test]
fn sums_do_not_depend_on_the_order_of_unlike_targets() {
    let (mut draw, n) = (draws(5), 1200);
    let rows = Array2::from_shape_fn((n, 4), |_| (draw() * 50.0) as u8 as f32);
    let targets: Vec<f32> = (0..n).map(|i| ((draw() - 0.5) * 10f64.powi([-12, 0, 9][i % 3])) as f32).collect();
    let order: Vec<usize> = (0..n).map(|i| (i * 877 + 5) % n).collect();
    let turned: Vec<f32> = order.iter().map(|&i| targets[i]).collect();
    let boost = Boost::new().rounds(6);
    let one = boost.fit_regression(&rows, &targets, &Run::new().threads(1)).unwrap();
    let two = boost.fit_regression(&rows.select(Axis(0), &order), &turned, &Run::new().threads(3)).unwrap();
    assert_eq!(one, two);
}

/// `data.py::check_inf` and the ranges of XGBoost's `param.h`: infinite values are refused; shares of 0 or above 1 are.
#[test]
fn infinite_values_and_impossible_shares_are_refused() {
    let run = Run::new();
    for wrong in [f32::INFINITY, f32::NEG_INFINITY] {
        let refused = Boost::new().fit_regression(&array![[1.0f32, 2.0], [0.0, wrong]], &[0.0, 1.0], &run);
        assert!(matches!(refused, Err(Error::NotFinite { row: 1, column: 1, .. })));
    }
    // XGBoost takes a subsample of 0 and learns nothing; here it is an error.
    let rows = array![[1.0f32], [2.0]];
    for wrong in [
        Boost::new().subsample(0.0),
        Boost::new().subsample(1.01),
        Boost::new().colsample_bytree(-0.1),
        Boost::new().max_bins(1),
        Boost::new().lambda(-1.0),
        Boost::new().min_child_weight(-1.0),
    ] {
        assert!(matches!(wrong.fit(&rows, &[0, 1], &run), Err(Error::Setting { .. })), "{wrong:?}");
    }
}

/// Rows of weight 0 change no split and no value: they only widen what bins see (`test_hist_degenerate_case`, weights).
#[test]
fn rows_of_weight_zero_have_no_say() {
    let (mut draw, run) = (draws(12), Run::new());
    let rows = Array2::from_shape_fn((150, 4), |_| if draw() < 0.3 { f32::NAN } else { (draw() * 9.0) as u8 as f32 });
    let targets: Vec<f32> = (0..150).map(|_| draw() as f32).collect();
    let odd: Vec<f32> = (0..150).map(|_| draw() as f32 * 1e3).collect();
    // Values of their own, which would be ends of bins.
    let others = rows.mapv(|value| value * 1.7 - 3.0);
    let both = concatenate(Axis(0), &[rows.view(), others.view()]).unwrap();
    let weights = [vec![1.0f32; 150], vec![0.0; 150]].concat();
    let alone = Boost::new().rounds(8).fit_regression(&rows, &targets, &run).unwrap();
    let among = Boost::new().rounds(8);
    let among = among.fit_regression_weighted(&both, &[targets, odd].concat(), &weights, &run).unwrap();
    assert_eq!(alone, among);
}

/// Additions of a trained model's leaves are exact in f32, so whoever adds them up gets our margins, in any order; the
/// base is in the first tree of the file, and the file has no tree more.
#[cfg(feature = "serde")]
#[test]
fn margins_of_written_models_are_exact_in_f32() {
    let (n, run) = (600, Run::new());
    let rows = Array2::from_shape_fn((n, 4), |(i, j)| ((i * (7 * j + 3) * 2_654_435_761) % 1009) as f32 / 97.0);
    let labels: Vec<i32> = (0..n).map(|i| ((rows[[i, 0]] + rows[[i, 1]]) as i32 / 3).min(6)).collect();
    let weights: Vec<f32> = (0..n).map(|i| 0.1 + (i % 13) as f32).collect();
    let plain = Boost::new().rounds(60);
    let settings =
        [plain.clone(), plain.clone().balanced(true).learning_rate(0.01), plain.lambda(0.0).base_score(0.123)];
    for boost in settings {
        let model = boost.fit_weighted(&rows, &labels, &weights, &run).unwrap();
        let margins = model.margins(&rows, &run).unwrap();
        assert!(margins.iter().all(|margin| margin.abs() < 32.0 && margin.abs() > 1e-3));
        for (o, output) in model.outputs().iter().enumerate() {
            let again = BoostModel::from_xgboost_json(&model.to_xgboost_json(o).unwrap()).unwrap();
            let written = &again.outputs()[0];
            assert_eq!((written.base(), written.trees().len()), (0.0, output.trees().len()));
            for (i, row) in rows.outer_iter().enumerate() {
                let leaves: Vec<f32> = written.trees().iter().map(|tree| value(tree, &row.to_vec())).collect();
                let sums = [leaves.iter().sum::<f32>(), leaves.iter().rev().sum()];
                assert!(sums.iter().all(|&sum| f64::from(sum) == margins[[i, o]]), "{sums:?}, not {}", margins[[i, o]]);
            }
        }
    }
}
