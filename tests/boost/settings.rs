//! What the settings of boosted trees promise.

use crate::help::{awkward, draws, fixture, floats, losses, noisy, table};
use ndarray::{Array2, Axis, array, s};
use proptest::prelude::*;
use recluster::boost::{Boost, BoostModel, EvalMetric, Grow, Tree};
use recluster::explain::Surrogate;
use recluster::{Error, Run};

fn trees(model: &BoostModel) -> impl Iterator<Item = &Tree> {
    model.outputs().iter().flat_map(|output| output.trees())
}

#[test]
fn categories_are_learnt_as_well_as_by_xgboost() {
    let file = fixture("xgboost_categories.json");
    let rows = table(&file["all"]);
    let labels: Vec<i32> = floats(&file["labels"]).iter().map(|&l| l as i32).collect();
    let (train, rounds) = (file["train"].as_u64().unwrap() as usize, file["rounds"].as_u64().unwrap() as usize);
    let run = Run::new();
    let boost = Boost::new().rounds(rounds).max_depth(4).categorical(&[0, 1]);
    let model = boost.fit(&rows.slice(s![..train, ..]), &labels[..train], &run).unwrap();
    let ours = |range: std::ops::Range<usize>| losses(&model, &rows.slice(s![range.clone(), ..]), &labels[range])[1];
    let (fitted, held_out) = (ours(0..train), ours(train..labels.len()));
    println!("ours {fitted} {held_out}, XGBoost {} {}", file["fitted"], file["held_out"]);
    assert!(fitted <= 1.01 * file["fitted"].as_f64().unwrap());
    assert!(held_out <= 1.01 * file["held_out"].as_f64().unwrap());
    // Few categories are split one against all others; numbers as numbers.
    let mut seen = [0; 3];
    for tree in trees(&model) {
        for node in (0..tree.len()).filter(|&node| !tree.is_leaf(node)) {
            let feature = tree.feature()[node] as usize;
            assert_eq!(tree.is_categorical(node), feature < 2);
            assert!(feature != 1 || tree.categories(node).len() == 1);
            seen[feature] += 1;
        }
    }
    assert!(seen.iter().all(|&splits| splits > 5), "{seen:?}");
    // As numbers the same columns are worse.
    let plain =
        Boost::new().rounds(rounds).max_depth(4).fit(&rows.slice(s![..train, ..]), &labels[..train], &run).unwrap();
    assert!(losses(&plain, &rows.slice(s![..train, ..]), &labels[..train])[1] > fitted);
    #[cfg(feature = "serde")]
    {
        use recluster::Saved;
        assert_eq!(BoostModel::from_json(&model.to_json().unwrap()).unwrap(), model);
        let again = BoostModel::from_xgboost_json(&model.to_xgboost_json(1).unwrap()).unwrap();
        let (ours, read) = (model.margins(&rows, &run).unwrap(), again.margins(&rows, &run).unwrap());
        assert!(ours.column(1).iter().zip(&read).all(|(a, b)| (a - b).abs() < 1e-6));
        assert!(model.to_xgboost_json(1).unwrap().contains(r#""feature_types":["c","c","float"]"#));
    }
}

#[test]
fn categories_that_cannot_be_used_are_refused_by_place() {
    let run = Run::new();
    let boost = Boost::new().categorical(&[1]);
    let rows = array![[0.5f32, 1.0], [0.5, 1.5], [0.5, -1.0]];
    assert!(matches!(boost.fit(&rows, &[0, 1, 0], &run), Err(Error::Category { row: 1, column: 1, .. })));
    // A row that is left out may hold anything.
    assert!(matches!(boost.fit(&rows, &[0, -1, 1], &run), Err(Error::Category { row: 2, column: 1, .. })));
    for wrong in [
        Boost::new().categorical(&[2]),
        Boost::new().categorical(&[0]).monotone(&[1]),
        Boost::new().monotone(&[0, 0, 1]),
        Boost::new().monotone(&[2]),
        Boost::new().max_cat_to_onehot(0),
        Boost::new().max_cat_threshold(0),
        Boost::new().max_leaves(1),
        Boost::new().colsample_bylevel(0.0),
        Boost::new().colsample_bynode(1.5),
        Boost::new().early_stopping(0),
        Boost::new().held_out(1.0),
        Boost::new().balanced(true).scale_pos_weight(2.0),
        Boost::new().shuffled_rows(0.25),
        Boost::new().shuffled_rows(-0.1),
        Boost::new().shuffled_rows(f64::NAN),
        Boost::new().guard_rows(-0.1),
        Boost::new().guard_rows(f64::NAN),
    ] {
        assert!(matches!(wrong.fit(&rows, &[0, 1, 0], &run), Err(Error::Setting { .. })), "{wrong:?}");
    }
    // Rows that are made up are kept in memory: as many as these would be more than there is.
    for (wrong, name) in
        [(Boost::new().shuffled_rows(101.0), "shuffled_rows"), (Boost::new().guard_rows(1e300), "guard_rows")]
    {
        let refused = Surrogate::fit(&rows, &[0, 1, 0], vec!["0.0".into(), "0.1".into()], &wrong, &run);
        assert!(matches!(refused, Err(Error::Setting { name: found, .. }) if found == name), "{wrong:?}");
    }
    let (balanced, auc) = (Boost::new().balanced(true), Boost::new().metric(EvalMetric::Auc));
    for wrong in
        [balanced, Boost::new().calibrated(true), auc, Boost::new().shuffled_rows(0.25), Boost::new().guard_rows(0.25)]
    {
        assert!(matches!(wrong.fit_regression(&rows, &[0.0; 3], &run), Err(Error::Setting { .. })), "{wrong:?}");
    }
    let many = Array2::from_shape_fn((300, 2), |(i, _)| i as f32);
    let labels: Vec<i32> = (0..300).map(|i| i % 2).collect();
    assert!(matches!(boost.fit(&many, &labels, &run), Err(Error::Setting { name: "categorical", .. })));
}

#[test]
fn every_setting_gives_the_same_bits_in_any_order_and_at_any_number_of_threads() {
    let (mut rows, labels) = awkward(1500, 5);
    rows.column_mut(5).iter_mut().for_each(|v| *v = v.abs().floor());
    let weights: Vec<f32> = (0..1500).map(|i| [1.0, 0.3, 0.0, 2.5][i * i % 4]).collect();
    let shuffle: Vec<usize> = (0..1500).map(|i| (i * 1009 + 17) % 1500).collect();
    let (shuffled, shuffled_labels) =
        (rows.select(Axis(0), &shuffle), shuffle.iter().map(|&i| labels[i]).collect::<Vec<_>>());
    let shuffled_weights: Vec<f32> = shuffle.iter().map(|&i| weights[i]).collect();
    let base = Boost::new().rounds(6).categorical(&[5]);
    for boost in [
        base.clone().monotone(&[0, 0, 1, -1]).balanced(true),
        base.clone().max_leaves(7).grow(Grow::ByLoss),
        base.clone().max_leaves(9).colsample_bylevel(0.7).colsample_bynode(0.6),
        base.clone().early_stopping(2).calibrated(true).subsample(0.8),
        base.clone().refit(2).subsample(0.8),
        base.clone().refit(2).max_leaves(7).early_stopping(2).calibrated(true),
        base.early_stopping(2).metric(EvalMetric::Auc).held_out(0.4),
    ] {
        let run = Run::new().seed(11);
        let model = boost.fit_weighted(&rows, &labels, &weights, &run.clone().threads(1)).unwrap();
        for threads in [1, 3] {
            let run = run.clone().threads(threads);
            let again = boost.fit_weighted(&shuffled, &shuffled_labels, &shuffled_weights, &run).unwrap();
            assert_eq!(again, model, "{boost:?}");
        }
    }
    let targets: Vec<f32> = labels.iter().zip(&weights).map(|(&l, w)| l as f32 + w).collect();
    let shuffled_targets: Vec<f32> = shuffle.iter().map(|&i| targets[i]).collect();
    let boost = Boost::new().rounds(8).early_stopping(2);
    assert_eq!(
        boost.fit_regression_weighted(&rows, &targets, &weights, &Run::new()).unwrap(),
        boost.fit_regression_weighted(&shuffled, &shuffled_targets, &shuffled_weights, &Run::new()).unwrap(),
    );
}

#[test]
fn binned_once_is_binned_for_all() {
    // Few distinct values: a part's own bins would have the same thresholds, were they made anew.
    let (rows, labels) = awkward(900, 8);
    let run = Run::new();
    for boost in [Boost::new().rounds(5), Boost::new().rounds(5).subsample(0.7).early_stopping(3).calibrated(true)] {
        let bins = boost.bins(&rows, &run).unwrap();
        assert_eq!((bins.rows(), bins.features()), (900, 8));
        let all: Vec<u32> = (0..900).collect();
        let learnt: Vec<usize> = (0..900).filter(|&i| labels[i] >= 0).collect();
        let own = rows.select(Axis(0), &learnt);
        assert_eq!(
            boost.fit_binned(&bins, &all, &labels, None, &run).unwrap().margins(&own, &run).unwrap(),
            boost.fit(&rows, &labels, &run).unwrap().margins(&own, &run).unwrap()
        );
        // A part of all rows, in an order of its own.
        let part: Vec<u32> = (0..900).rev().filter(|i| i % 3 != 1).collect();
        let own: Vec<i32> = part.iter().map(|&i| labels[i as usize]).collect();
        let apart = rows.select(Axis(0), &part.iter().map(|&i| i as usize).collect::<Vec<_>>());
        let (binned, anew) =
            (boost.fit_binned(&bins, &part, &own, None, &run).unwrap(), boost.fit(&apart, &own, &run).unwrap());
        let (a, b) = (binned.margins(&apart, &run).unwrap(), anew.margins(&apart, &run).unwrap());
        assert_eq!(a, b);
    }
    let bins = Boost::new().bins(&rows, &run).unwrap();
    let outside = Boost::new().fit_binned(&bins, &[0, 900], &[0, 1], None, &run);
    assert!(matches!(outside, Err(Error::Shape { found: 900, .. })));
    assert!(matches!(Boost::new().fit_binned(&bins, &[], &[], None, &run), Err(Error::TooFewRows { .. })));
    assert!(matches!(Boost::new().fit_regression_binned(&bins, &[], &[], None, &run), Err(Error::TooFewRows { .. })));
    let targets: Vec<f32> = (0..900).map(|i| rows[[i, 4]]).collect();
    let all: Vec<u32> = (0..900).collect();
    assert_eq!(
        Boost::new().rounds(4).fit_regression_binned(&bins, &all, &targets, None, &run).unwrap(),
        Boost::new().rounds(4).fit_regression(&rows, &targets, &run).unwrap()
    );
}

#[test]
fn a_weight_counts_as_that_many_rows() {
    let (rows, labels) = noisy(200, 3);
    let times: Vec<usize> = (0..200).map(|i| i % 4).collect();
    let repeated: Vec<usize> = (0..200).flat_map(|i| vec![i; times[i]]).collect();
    let run = Run::new();
    let boost = Boost::new().rounds(5).max_depth(3);
    let weights: Vec<f32> = times.iter().map(|&t| t as f32).collect();
    let weighted = boost.fit_weighted(&rows, &labels, &weights, &run).unwrap();
    let copied: Vec<i32> = repeated.iter().map(|&i| labels[i]).collect();
    let copies = boost.fit(&rows.select(Axis(0), &repeated), &copied, &run).unwrap();
    let (a, b) = (weighted.margins(&rows, &run).unwrap(), copies.margins(&rows, &run).unwrap());
    // Each value that counts has a bin of its own.
    let gap = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(gap < 1e-5, "{gap}");
    let refused = |weights: &[f32]| boost.fit_weighted(&rows, &labels, weights, &run).unwrap_err();
    assert!(matches!(refused(&[1.0; 2]), Error::Shape { .. }));
    assert!(matches!(refused(&[0.0; 200]), Error::Setting { name: "weights", .. }));
    let mut bad = vec![1.0; 200];
    bad[7] = f32::NAN;
    assert!(matches!(refused(&bad), Error::NotFinite { what: "the weights", row: 7, .. }));
    bad[7] = -1.0;
    assert!(refused(&bad).to_string().contains("row 7"));
    // Weights of any size give the same regression.
    let targets: Vec<f32> = rows.column(0).to_vec();
    for scale in [1e-20f32, 1e20] {
        let weights = vec![scale; 200];
        let boost = Boost::new().rounds(5).lambda(0.0).min_child_weight(0.0);
        let (a, b) = (
            boost.fit_regression_weighted(&rows, &targets, &weights, &run).unwrap().margins(&rows, &run).unwrap(),
            boost.fit_regression(&rows, &targets, &run).unwrap().margins(&rows, &run).unwrap(),
        );
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-4), "{scale}");
    }
}

#[test]
fn monotone_columns_bind_predictions() {
    let mut draw = draws(4);
    let rows = Array2::from_shape_fn((800, 3), |_| (draw() * 2.0 - 1.0) as f32);
    let targets: Vec<f32> =
        rows.outer_iter().map(|r| r[0] + 0.6 * (9.0 * r[0]).sin() - r[1] * r[1] + r[2] + draw() as f32).collect();
    let labels: Vec<i32> = targets.iter().map(|&t| i32::from(t > 0.5)).collect();
    let run = Run::new();
    // Along a grid, all else equal, in steps below any bin.
    let rises = |model: &BoostModel, output: usize, column: usize| {
        let mut worst = (0.0f64, 0.0f64);
        for at in [[-0.9f32, 0.3, 0.1], [0.2, -0.5, 0.7], [0.6, 0.8, -0.4]] {
            let grid =
                Array2::from_shape_fn((400, 3), |(i, j)| if j == column { i as f32 / 200.0 - 1.0 } else { at[j] });
            let margins = model.margins(&grid, &run).unwrap();
            for i in 1..400 {
                let step = margins[[i, output]] - margins[[i - 1, output]];
                worst = (worst.0.min(step), worst.1.max(step));
            }
        }
        worst
    };
    let free = Boost::new().rounds(30).fit_regression(&rows, &targets, &run).unwrap();
    assert!(rises(&free, 0, 0).0 < -0.01 && rises(&free, 0, 2).0 < -0.01);
    for boost in [
        Boost::new().rounds(30).monotone(&[1, 0, -1]),
        Boost::new().rounds(30).monotone(&[1, 0, -1]).max_leaves(12).grow(Grow::ByLoss).alpha(0.3),
    ] {
        let model = boost.fit_regression(&rows, &targets, &run).unwrap();
        assert!(rises(&model, 0, 0).0 >= 0.0 && rises(&model, 0, 2).1 <= 0.0);
        assert!(rises(&model, 0, 0).1 > 0.0 && rises(&model, 0, 1).0 < 0.0);
        let model = boost.fit(&rows, &labels, &run).unwrap();
        assert!(rises(&model, 1, 0).0 >= 0.0 && rises(&model, 1, 2).1 <= 0.0);
    }
    // A column that agrees costs nothing: the constrained fit is about as good.
    let error = |model: &BoostModel| {
        let p = model.margins(&rows, &run).unwrap();
        p.iter().zip(&targets).map(|(p, &t)| (p - f64::from(t)).powi(2)).sum::<f64>() / 800.0
    };
    let bound = Boost::new().rounds(30).monotone(&[0, 0, 1]).fit_regression(&rows, &targets, &run).unwrap();
    assert!(error(&bound) < 1.6 * error(&free), "{} {}", error(&bound), error(&free));
}

#[test]
fn leaves_are_limited_and_the_best_come_first() {
    let (rows, labels) = noisy(2000, 6);
    let run = Run::new();
    let whole = Boost::new().rounds(3).max_depth(5).fit(&rows, &labels, &run).unwrap();
    // A limit that is never reached changes nothing, in either order of growth.
    for grow in [Grow::ByLevel, Grow::ByLoss] {
        let boost = Boost::new().rounds(3).max_depth(5).grow(grow);
        assert_eq!(boost.clone().max_leaves(1000).fit(&rows, &labels, &run).unwrap(), whole);
        assert_eq!(boost.fit(&rows, &labels, &run).unwrap(), whole);
    }
    let fit = |grow| Boost::new().rounds(20).max_depth(12).max_leaves(8).grow(grow).fit(&rows, &labels, &run).unwrap();
    let (level, loss) = (fit(Grow::ByLevel), fit(Grow::ByLoss));
    assert!(trees(&level).chain(trees(&loss)).all(|tree| tree.leaves() <= 8));
    assert!(trees(&level).all(|tree| tree.depth() <= 4) && trees(&loss).any(|tree| tree.depth() > 4));
    let mean = |model: &BoostModel| losses(model, &rows.view(), &labels).iter().sum::<f64>();
    assert!(mean(&loss) < mean(&level), "{} {}", mean(&loss), mean(&level));
}

#[test]
fn columns_are_drawn_by_tree_level_and_node() {
    let (rows, labels) = noisy(1000, 7);
    let run = Run::new();
    let fit = |boost: Boost| boost.rounds(10).max_depth(4).fit(&rows, &labels, &run).unwrap();
    let used = |tree: &Tree, nodes: &[usize]| {
        let mut features: Vec<u32> =
            nodes.iter().filter(|&&node| !tree.is_leaf(node)).map(|&node| tree.feature()[node]).collect();
        features.sort_unstable();
        features.dedup();
        features.len()
    };
    for tree in trees(&fit(Boost::new().colsample_bytree(0.34))) {
        assert!(used(tree, &(0..tree.len()).collect::<Vec<_>>()) <= 2);
    }
    let model = fit(Boost::new().colsample_bylevel(0.17));
    let mut several = 0;
    for tree in trees(&model) {
        let mut level = vec![0usize];
        while !level.is_empty() {
            assert!(used(tree, &level) <= 1, "one column to a level");
            let split = level.iter().filter(|&&node| !tree.is_leaf(node));
            level = split.flat_map(|&n| [tree.left()[n] as usize, tree.right()[n] as usize]).collect();
        }
        several += usize::from(used(tree, &(0..tree.len()).collect::<Vec<_>>()) > 1);
    }
    assert!(several > 10);
    let model = fit(Boost::new().colsample_bynode(0.17));
    let both = |tree: &Tree| match tree.is_leaf(0) {
        true => false,
        false => used(tree, &[tree.left()[0] as usize, tree.right()[0] as usize]) > 1,
    };
    assert!(trees(&model).filter(|tree| both(tree)).count() > 10, "nodes of a level draw on their own");
}

#[test]
fn each_label_stops_at_its_best_round() {
    let (rows, labels) = noisy(1200, 9);
    let run = Run::new().seed(2);
    let most = 200;
    for metric in [EvalMetric::Loss, EvalMetric::Auc] {
        let boost = Boost::new().rounds(most).early_stopping(5).metric(metric);
        let model = boost.fit(&rows, &labels, &run).unwrap();
        let counts: Vec<usize> = model.outputs().iter().map(|output| output.trees().len()).collect();
        assert!(counts.iter().all(|&count| (1..most).contains(&count)), "{counts:?}");
        assert!(counts.windows(2).any(|pair| pair[0] != pair[1]), "{counts:?}");
        // A shorter training gives the same first trees, and it stops where it did.
        let shorter = boost.rounds(counts[0] + 5).fit(&rows, &labels, &run).unwrap();
        assert_eq!(shorter.outputs()[0], model.outputs()[0]);
    }
    // New rows: stopping early beats 200 rounds.
    let (new, truth) = noisy(3000, 10);
    let stopped = Boost::new().rounds(most).early_stopping(10).fit(&rows, &labels, &run).unwrap();
    let full = Boost::new().rounds(most).fit(&rows, &labels, &run).unwrap();
    let mean = |model: &BoostModel| losses(model, &new.view(), &truth).iter().sum::<f64>();
    assert!(mean(&stopped) < mean(&full), "{} {}", mean(&stopped), mean(&full));
    let targets: Vec<f32> = labels.iter().map(|&l| l as f32).collect();
    let model = Boost::new().rounds(most).early_stopping(5).fit_regression(&rows, &targets, &run).unwrap();
    assert!(model.outputs()[0].trees().len() < most);
    // Nothing to hold out: all rounds are trained.
    let model = Boost::new().rounds(7).early_stopping(1).fit(&array![[1.0f32], [2.0]], &[0, 1], &run).unwrap();
    assert!(model.outputs().iter().all(|output| output.trees().len() == 7));
}

#[test]
fn balanced_labels_weigh_as_much_as_the_rest() {
    let (rows, mut labels) = noisy(900, 15);
    labels.iter_mut().enumerate().filter(|(i, _)| i % 10 != 0).for_each(|(_, l)| *l = (*l).min(1));
    let run = Run::new();
    let balanced = Boost::new().rounds(8).balanced(true).fit(&rows, &labels, &run).unwrap();
    for (k, output) in balanced.outputs().iter().enumerate() {
        assert!(output.base().abs() < 1e-12);
        // The same as its own weight set by hand.
        let own = labels.iter().filter(|&&l| l == k as i32).count() as f64;
        let by_hand = Boost::new().rounds(8).scale_pos_weight((900.0 - own) / own).fit(&rows, &labels, &run).unwrap();
        assert_eq!(by_hand.outputs()[k].trees(), output.trees());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Any new settings on awkward data: a finite answer whose trees keep within them, saved and read without loss.
    #[test]
    fn any_settings_keep_their_promises(
        n in 2usize..80, seed in any::<u64>(), leaves in 0usize..10, by_loss in any::<bool>(), share in 0.1f64..1.0,
        stop in proptest::option::of(1usize..4), calibrated in any::<bool>(), onehot in 1usize..9,
        threshold in 1usize..9, direction in -1i8..=1, balanced in any::<bool>(), zero_weights in any::<bool>(),
        refit in 0usize..3,
    ) {
        let (mut rows, mut labels) = awkward(n, seed);
        rows.column_mut(5).iter_mut().for_each(|v| *v = v.abs().floor());
        labels.iter_mut().for_each(|l| *l = (*l).min(n as i32 - 1));
        let leaves = if leaves == 1 { 2 } else { leaves };
        let mut boost = Boost::new().rounds(4).max_leaves(leaves).colsample_bylevel(share).colsample_bynode(share)
            .subsample(share).categorical(&[5]).max_cat_to_onehot(onehot).max_cat_threshold(threshold)
            .monotone(&[0, 0, 0, 0, direction]).balanced(balanced).calibrated(calibrated).min_child_weight(0.1)
            .refit(if direction == 0 { refit } else { 0 }).grow(if by_loss { Grow::ByLoss } else { Grow::ByLevel });
        if let Some(rounds) = stop {
            boost = boost.early_stopping(rounds);
        }
        let weights: Vec<f32> = (0..n).map(|i| if zero_weights && i % 2 == 0 { 0.0 } else { 1.0 + (i % 3) as f32 }).collect();
        match boost.fit_weighted(&rows, &labels, &weights, &Run::new()) {
            Err(error) => {
                let expected = matches!(error, Error::TooFewRows { .. } | Error::Setting { name: "weights", .. });
                prop_assert!(expected, "{}", error);
            }
            Ok(model) => {
                prop_assert!(model.margins(&rows, &Run::new()).unwrap().iter().all(|m| m.is_finite()));
                if calibrated {
                    let p = model.distribution(&rows, &Run::new()).unwrap();
                    prop_assert!(p.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-9));
                }
                for tree in trees(&model) {
                    prop_assert!(leaves == 0 || tree.leaves() <= leaves);
                    for node in (0..tree.len()).filter(|&node| tree.is_categorical(node)) {
                        prop_assert_eq!(tree.feature()[node], 5);
                    }
                }
            }
        }
    }
}

/// What trees add is small beside targets of a large common part, and must not be lost in it.
#[test]
fn targets_far_from_zero_are_learnt_like_those_near_it() {
    let (rows, run) = (Array2::from_shape_fn((210, 1), |(i, _)| (i % 7) as f32), Run::new());
    for offset in [0.0, 1e6, -3e6] {
        let targets: Vec<f32> = (0..210).map(|i| offset + (i * i % 7) as f32 * 0.5).collect();
        let model = Boost::new().fit_regression(&rows, &targets, &run).unwrap();
        let margins = model.margins(&rows, &run).unwrap();
        let worst = targets.iter().zip(&margins).map(|(&t, m)| (m - f64::from(t)).abs()).fold(0.0, f64::max);
        // Splits that save less than 1e-6 are not made.
        assert!(worst < 1e-3, "{offset}: {worst}");
    }
}

/// The span of these targets is beyond f32, in which training keeps what trees add.
#[test]
fn targets_at_the_ends_of_f32_give_finite_predictions() {
    let (rows, run) = (array![[1.0f32], [2.0], [3.0]], Run::new());
    let boost = Boost::new().min_child_weight(0.0).lambda(0.0);
    let model = boost.fit_regression(&rows, &[f32::MAX, f32::MIN, f32::MIN], &run).unwrap();
    let margins = model.margins(&rows, &run).unwrap();
    let largest = f64::from(f32::MAX);
    assert!(
        margins.iter().zip([largest, -largest, -largest]).all(|(m, t)| (m - t).abs() < 0.01 * largest),
        "{margins}"
    );
}
