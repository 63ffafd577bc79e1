//! Boosted trees against XGBoost, and the promises of every fit.

use ndarray::{Array2, Axis, array, s};
use proptest::prelude::*;
use recluster::boost::{Boost, BoostModel, Importance, Link};
use recluster::{Cancel, Error, Run};

use crate::help::{awkward, fixture, floats, losses, table};

#[test]
fn training_is_as_good_as_xgboosts() {
    for name in ["losses_iris.json", "losses_digits.json", "losses_digits_regularised.json", "losses_counts.json"] {
        let file = fixture(name);
        let rows = table(&file["rows"]);
        let labels: Vec<i32> = floats(&file["labels"]).iter().map(|&l| l as i32).collect();
        let train = file["train"].as_u64().unwrap() as usize;
        let mut boost = Boost::new().rounds(file["rounds"].as_u64().unwrap() as usize);
        for (setting, value) in file["settings"].as_object().unwrap() {
            let value = value.as_f64().unwrap();
            boost = match setting.as_str() {
                "max_depth" => boost.max_depth(value as usize),
                "min_child_weight" => boost.min_child_weight(value),
                "lambda" => boost.lambda(value),
                "alpha" => boost.alpha(value),
                "gamma" => boost.gamma(value),
                "eta" => boost.learning_rate(value),
                "scale_pos_weight" => boost.scale_pos_weight(value),
                "base_score" => boost.base_score(value),
                other => panic!("{other}"),
            };
        }
        let model = boost.fit(&rows.slice(s![..train, ..]), &labels[..train], &Run::new()).unwrap();
        for (part, range) in [("fitted", 0..train), ("held_out", train..labels.len())] {
            let theirs = floats(&file[part]);
            let ours = losses(&model, &rows.slice(s![range.clone(), ..]), &labels[range]);
            let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
            println!("{name} {part}: ours {:.6}, XGBoost {:.6}", mean(&ours), mean(&theirs));
            assert!((mean(&ours) / mean(&theirs) - 1.0).abs() <= 0.01, "{name} {part}: {ours:?} {theirs:?}");
            for (ours, theirs) in ours.iter().zip(&theirs) {
                assert!((ours - theirs).abs() <= 0.02 * theirs + 1e-4, "{name} {part}: {ours} {theirs}");
            }
        }
    }
}

#[cfg(feature = "serde")]
#[test]
fn the_one_class_of_a_table_that_stays_whole_is_read_back() {
    let rows = Array2::from_shape_fn((40, 2), |(i, j)| (i * (3 + j) % 11) as f32);
    let labels: Vec<i32> = (0..40).map(|i| if i % 4 == 0 { -1 } else { 0 }).collect();
    let model = Boost::new().rounds(3).fit(&rows, &labels, &Run::new()).unwrap();
    let text = model.to_xgboost_softprob_json().unwrap();
    assert!(text.contains(r#""num_class":"1","num_feature""#));
    let back = BoostModel::from_xgboost_json(&text).unwrap();
    assert_eq!((back.outputs().len(), back.link()), (1, Link::Softmax));
}

#[cfg(feature = "serde")]
#[test]
fn models_of_xgboost_predict_the_same() {
    for (name, link) in [
        ("xgboost_logistic.json", Link::Logistic),
        ("xgboost_squared.json", Link::Identity),
        ("xgboost_softprob.json", Link::Softmax),
        ("xgboost_categories.json", Link::Logistic),
    ] {
        let file = fixture(name);
        let model = BoostModel::from_xgboost_json(&file["model"].to_string()).unwrap();
        assert_eq!(model.link(), link);
        let rows = table(&file["rows"]);
        let compare = |found: Array2<f64>, expected: &serde_json::Value| {
            let expected: Vec<f64> = expected
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|v| v.as_f64().map_or_else(|| floats(v), |v| vec![v]))
                .collect();
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() <= 1e-6 * expected.abs().max(1.0), "{name}: {found}, not {expected}");
            }
        };
        compare(model.margins(&rows, &Run::new()).unwrap(), &file["margins"]);
        compare(model.probabilities(&rows, &Run::new()).unwrap(), &file["predictions"]);
        // Written and read again it is the same model.
        if link == Link::Softmax {
            assert!(matches!(model.to_xgboost_json(0), Err(Error::Format { .. })));
        } else {
            let text = model.to_xgboost_json(0).unwrap();
            let again = BoostModel::from_xgboost_json(&text).unwrap();
            assert_eq!(again.outputs()[0].trees(), model.outputs()[0].trees());
            // XGBoost's leaves and contributions take the node after the left child for the right one.
            let written: serde_json::Value = serde_json::from_str(&text).unwrap();
            for tree in written.pointer("/learner/gradient_booster/model/trees").unwrap().as_array().unwrap() {
                let (left, right) = (floats(&tree["left_children"]), floats(&tree["right_children"]));
                assert!(left.iter().zip(&right).all(|(l, r)| *l == -1.0 && *r == -1.0 || *r == l + 1.0), "{name}");
            }
            assert!((again.outputs()[0].base() - model.outputs()[0].base()).abs() < 1e-6);
        }
    }
}

#[cfg(feature = "serde")]
#[test]
fn other_and_damaged_models_of_xgboost_are_refused_by_name() {
    let good = fixture("xgboost_logistic.json")["model"].clone();
    let tree = "/learner/gradient_booster/model/trees/0";
    let refused = |place: &str, value: serde_json::Value| {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = value;
        match BoostModel::from_xgboost_json(&bad.to_string()) {
            Err(Error::Format { reason, .. }) => reason,
            other => panic!("{place}: {other:?}"),
        }
    };
    assert!(refused("/learner/objective/name", "survival:cox".into()).contains("survival:cox"));
    assert!(refused("/learner/gradient_booster/name", "dart".into()).contains("dart"));

    // A split by category needs its set.
    assert!(refused(&format!("{tree}/split_type/0"), 1.into()).contains("damaged categories"));
    assert!(refused(&format!("{tree}/split_type"), serde_json::json!([0])).contains("typed"));
    assert!(refused(&format!("{tree}/categories_nodes"), serde_json::json!([1])).contains("with categories"));
    assert!(refused(&format!("{tree}/left_children/0"), 0.into()).contains("cycle"));
    assert!(refused(&format!("{tree}/left_children/0"), 10_000.into()).contains("child"));
    assert!(refused(&format!("{tree}/split_indices/0"), 30.into()).contains("feature"));
    assert!(refused(&format!("{tree}/sum_hessian"), serde_json::json!([])).contains("arrays"));
    refused("/learner/learner_model_param/base_score", "[1E-1,2E-1]".into());
    refused("/learner/learner_model_param/base_score", "half".into());
    refused("/learner/gradient_booster/model/tree_info/0", 1.into());
    assert!(BoostModel::from_xgboost_json("{").is_err());
    // Both forms of the base score are read.
    let mut scalar = good.clone();
    scalar["learner"]["learner_model_param"]["base_score"] = "2.5E-1".into();
    let scalar = BoostModel::from_xgboost_json(&scalar.to_string()).unwrap();
    assert!((scalar.outputs()[0].base() + 3f64.ln()).abs() < 1e-12);
}

#[test]
fn shuffled_rows_and_threads_change_no_bit() {
    let (rows, labels) = awkward(3000, 1);
    let shuffle: Vec<usize> = (0..3000).map(|i| (i * 1009 + 17) % 3000).collect();
    let shuffled = rows.select(Axis(0), &shuffle);
    let shuffled_labels: Vec<i32> = shuffle.iter().map(|&i| labels[i]).collect();
    let targets: Vec<f32> = labels.iter().map(|&l| l as f32 * 0.37).collect();
    let shuffled_targets: Vec<f32> = shuffle.iter().map(|&i| targets[i]).collect();
    let sampled = Boost::new().rounds(8).subsample(0.6).colsample_bytree(0.7);
    for boost in [Boost::new().rounds(8), sampled] {
        let run = Run::new().seed(3);
        let model = boost.fit(&rows, &labels, &run.clone().threads(1)).unwrap();
        let regression = boost.fit_regression(&rows, &targets, &run.clone().threads(1)).unwrap();
        for threads in [1, 2, 4] {
            let run = run.clone().threads(threads);
            assert_eq!(boost.fit(&rows, &labels, &run).unwrap(), model);
            assert_eq!(boost.fit(&shuffled, &shuffled_labels, &run).unwrap(), model);
            assert_eq!(boost.fit_regression(&shuffled, &shuffled_targets, &run).unwrap(), regression);
        }
        // A row has the same margins alone, in any order, at any number of threads.
        let margins = model.margins(&rows, &run).unwrap();
        let turned = model.margins(&shuffled, &run.clone().threads(2)).unwrap();
        assert_eq!(turned, margins.select(Axis(0), &shuffle));
        assert_eq!(model.margins(&rows.slice(s![5..6, ..]), &run).unwrap().row(0), margins.row(5));
    }
    let seed = |seed| Boost::new().rounds(4).subsample(0.5).fit(&rows, &labels, &Run::new().seed(seed)).unwrap();
    assert_ne!(seed(1), seed(2));
}

#[test]
fn large_nodes_built_in_pieces_give_the_same_bits() {
    let n = 70_000;
    let rows = Array2::from_shape_fn((n, 3), |(i, j)| ((i * 7919 + j * 104_729) % 1013) as f32);
    let labels: Vec<i32> = (0..n).map(|i| i32::from((rows[[i, 0]] > 500.0) ^ (rows[[i, 1]] > 300.0))).collect();
    let one = Boost::new().rounds(3).fit(&rows, &labels, &Run::new().threads(1)).unwrap();
    assert_eq!(Boost::new().rounds(3).fit(&rows, &labels, &Run::new().threads(3)).unwrap(), one);
    assert!(losses(&one, &rows.view(), &labels)[0] < 0.4);
}

#[test]
fn left_out_rows_have_no_say() {
    let (mut rows, labels) = awkward(400, 9);
    let kept: Vec<usize> = (0..400).filter(|&i| labels[i] >= 0).collect();
    let kept_labels: Vec<i32> = kept.iter().map(|&i| labels[i]).collect();
    let alone = Boost::new().rounds(5).fit(&rows.select(Axis(0), &kept), &kept_labels, &Run::new()).unwrap();
    for i in (0..400).filter(|&i| labels[i] < 0) {
        rows.row_mut(i).fill(1e30);
    }
    assert_eq!(Boost::new().rounds(5).fit(&rows, &labels, &Run::new()).unwrap(), alone);
}

#[test]
fn loss_falls_with_every_round() {
    let (rows, labels) = awkward(600, 4);
    let kept: Vec<usize> = (0..600).filter(|&i| labels[i] >= 0).collect();
    let (rows, labels) = (rows.select(Axis(0), &kept), kept.iter().map(|&i| labels[i]).collect::<Vec<_>>());
    let mut last = vec![f64::INFINITY; 3];
    for rounds in [1, 2, 3, 5, 8, 13, 21, 34] {
        let model = Boost::new().rounds(rounds).fit(&rows, &labels, &Run::new()).unwrap();
        let now = losses(&model, &rows.view(), &labels);
        assert!(now.iter().zip(&last).all(|(now, last)| now < last), "{now:?} {last:?}");
        last = now;
    }
}

#[test]
fn missing_values_go_where_they_belong() {
    // Missing means label 1 as much as a high value does; below, as much as a low value.
    for high in [true, false] {
        let rows = Array2::from_shape_fn((90, 1), |(i, _)| match i % 3 {
            0 => f32::NAN,
            1 => 1.0,
            _ => -1.0,
        });
        let labels: Vec<i32> = (0..90).map(|i| i32::from(i % 3 == 1 || (i % 3 == 0 && high))).collect();
        let model = Boost::new().fit(&rows, &labels, &Run::new()).unwrap();
        let tree = &model.outputs()[1].trees()[0];
        assert_eq!((tree.len(), tree.default_left()[0], tree.threshold()[0]), (3, !high, 1.0));
        assert_eq!(model.labels(&rows, &Run::new()).unwrap(), labels);
    }
    // Only whether the value is missing matters.
    let rows = Array2::from_shape_fn((100, 1), |(i, _)| if i % 4 == 0 { f32::NAN } else { i as f32 });
    let labels: Vec<i32> = (0..100).map(|i| i32::from(i % 4 == 0)).collect();
    let model = Boost::new().fit(&rows, &labels, &Run::new()).unwrap();
    assert_eq!(model.labels(&rows, &Run::new()).unwrap(), labels);
    assert_eq!(model.outputs()[0].trees()[0].leaves(), 2);
}

#[test]
fn regression_follows_its_targets() {
    let rows = Array2::from_shape_fn((500, 3), |(i, j)| ((i * 31 + j * 57 + i * i) % 101) as f32);
    let targets: Vec<f32> = rows.outer_iter().map(|r| 1000.0 + r[0] * 3.0 - r[1] * r[1] * 0.1).collect();
    let model = Boost::new().fit_regression(&rows, &targets, &Run::new()).unwrap();
    let predicted = model.probabilities(&rows, &Run::new()).unwrap();
    let mean = targets.iter().sum::<f32>() / 500.0;
    let (mut error, mut spread) = (0.0, 0.0);
    for (p, &t) in predicted.column(0).iter().zip(&targets) {
        error += (p - f64::from(t)).powi(2);
        spread += f64::from(t - mean).powi(2);
    }
    assert!(error < 1e-3 * spread, "{error} {spread}");
    // XGBoost's smallest gain of 1e-6 makes no difference to targets of any size above it.
    for scale in [1e-3f32, 1e30] {
        let targets: Vec<f32> = targets.iter().map(|t| t * scale).collect();
        let model = Boost::new().rounds(30).fit_regression(&rows, &targets, &Run::new()).unwrap();
        let predicted = model.margins(&rows, &Run::new()).unwrap();
        assert!(predicted.iter().zip(&targets).all(|(p, &t)| (p / f64::from(t) - 1.0).abs() < 0.1));
    }
}

#[test]
fn importance_counts_what_trees_do() {
    let (rows, labels) = awkward(800, 2);
    let model = Boost::new().rounds(10).fit(&rows, &labels, &Run::new()).unwrap();
    let of = |kind| model.importance(1, kind).unwrap();
    let weight = of(Importance::Weight);
    let splits: usize = model.outputs()[1].trees().iter().map(|t| t.leaves() - 1).sum();
    assert_eq!(weight.iter().sum::<f64>(), splits as f64);
    assert_eq!(weight[..2], [0.0, 0.0], "constant and empty columns");
    for (mean, total) in [(Importance::Gain, Importance::TotalGain), (Importance::Cover, Importance::TotalCover)] {
        let (mean, total) = (of(mean), of(total));
        for f in 0..8 {
            assert!((mean[f] * weight[f] - total[f]).abs() < 1e-9 * total[f].max(1.0));
        }
        assert!(total[4] > total[7], "the labels follow column 4");
    }
    assert!(model.importance(3, Importance::Gain).is_err());
}

#[test]
fn degenerate_data_has_an_answer() {
    let run = Run::new();
    let fit = |rows: &Array2<f32>, labels: &[i32]| Boost::new().rounds(3).fit(rows, labels, &run).unwrap();
    // One row; one label; equal rows; constant and empty columns: the shares of the labels.
    let model = fit(&array![[1.0f32, f32::NAN]], &[0]);
    assert!(model.probabilities(&array![[0.0f32, 0.0]], &run).unwrap()[[0, 0]] > 0.99);
    let model = fit(&array![[1.0f32], [2.0], [3.0]], &[0, 0, 0]);
    assert!(model.probabilities(&array![[9.0f32]], &run).unwrap()[[0, 0]] > 0.999);
    let model = fit(&Array2::from_elem((8, 2), 5.0), &[0, 1, 0, 1, 0, 1, 1, 1]);
    let p = model.probabilities(&array![[5.0f32, f32::NAN]], &run).unwrap();
    // Base margins are multiples of 2^-19.
    assert!((p[[0, 0]] - 0.375).abs() < 1e-6 && (p[[0, 1]] - 0.625).abs() < 1e-6);
    let _ = fit(&Array2::from_elem((8, 2), f32::NAN), &[0, 1, 0, 1, 0, 1, 1, 1]);
    let _ = fit(&array![[f32::MAX], [f32::MIN], [0.0], [f32::MIN_POSITIVE]], &[0, 1, 0, 1]);
    // A label without rows is never predicted.
    let model = fit(&array![[1.0f32], [2.0], [3.0], [4.0]], &[0, 2, 0, 2]);
    assert!(model.probabilities(&array![[1.0f32]], &run).unwrap()[[0, 1]] < 1e-5);
    // No penalty at all, nothing to divide by.
    let bare = Boost::new().rounds(200).lambda(0.0).min_child_weight(0.0).learning_rate(1.0);
    let model = bare.fit(&array![[1.0f32], [2.0], [3.0]], &[0, 1, 0], &run).unwrap();
    assert!(model.margins(&array![[2.0f32]], &run).unwrap().iter().all(|m| m.is_finite()));
    assert!(bare.fit_regression(&array![[1.0f32], [2.0]], &[1.0, 1.0], &run).is_ok());
}

#[test]
fn bad_input_is_named() {
    let (rows, run, boost) = (array![[1.0f32], [2.0]], Run::new(), Boost::new());
    assert!(matches!(boost.fit(&rows, &[0], &run), Err(Error::Shape { expected: 2, found: 1, .. })));
    assert!(matches!(boost.fit(&rows, &[0, -2], &run), Err(Error::Label { row: 1, label: -2, .. })));
    assert!(matches!(boost.fit(&rows, &[0, i32::MAX], &run), Err(Error::Label { row: 1, .. })));
    // Row numbers taken for labels would fill any memory.
    let (many, numbers) = (Array2::zeros((40_000, 1)), (0..40_000).collect::<Vec<i32>>());
    assert!(matches!(boost.fit(&many, &numbers, &run), Err(Error::Setting { name: "labels", .. })));
    let bins = boost.bins(&many, &run).unwrap();
    let all: Vec<u32> = (0..40_000).collect();
    let refused = boost.fit_binned(&bins, &all, &numbers, None, &run);
    assert!(matches!(refused, Err(Error::Setting { name: "labels", .. })));
    let classes = numbers.iter().map(i32::to_string).collect();
    let refused = recluster::explain::Surrogate::fit(&many, &numbers, classes, &boost, &run);
    assert!(matches!(refused, Err(Error::Setting { name: "labels", .. })));
    assert!(matches!(boost.fit(&rows, &[-1, -1], &run), Err(Error::TooFewRows { .. })));
    assert!(matches!(boost.fit(&Array2::zeros((0, 1)), &[], &run), Err(Error::Empty { .. })));
    let bad = array![[1.0f32], [f32::NEG_INFINITY]];
    assert!(matches!(boost.fit(&bad, &[0, 1], &run), Err(Error::NotFinite { row: 1, column: 0, .. })));
    let target = boost.fit_regression(&rows, &[0.0, f32::NAN], &run);
    assert!(matches!(target, Err(Error::NotFinite { row: 1, what: "the targets", .. })));
    for wrong in [
        Boost::new().rounds(0),
        Boost::new().learning_rate(0.0),
        Boost::new().learning_rate(f64::NAN),
        Boost::new().max_depth(0),
        Boost::new().max_depth(65),
        Boost::new().max_bins(1),
        Boost::new().max_bins(257),
        Boost::new().lambda(-1.0),
        Boost::new().alpha(f64::INFINITY),
        Boost::new().gamma(-0.1),
        Boost::new().min_child_weight(f64::NAN),
        Boost::new().subsample(0.0),
        Boost::new().colsample_bytree(1.1),
        Boost::new().scale_pos_weight(0.0),
        Boost::new().base_score(1.0),
    ] {
        assert!(matches!(wrong.fit(&rows, &[0, 1], &run), Err(Error::Setting { .. })), "{wrong:?}");
    }
    assert!(Boost::new().scale_pos_weight(2.0).fit_regression(&rows, &[0.0, 1.0], &run).is_err());
    let model = boost.fit(&rows, &[0, 1], &run).unwrap();
    assert!(matches!(model.margins(&array![[1.0f32, 2.0]], &run), Err(Error::Shape { .. })));
    assert!(model.clone().with_feature_names(vec![]).is_err());
    let cancel = Cancel::default();
    cancel.cancel();
    let cancelled = boost.fit(&rows, &[0, 1], &Run::new().cancel(cancel));
    assert!(matches!(cancelled, Err(Error::Cancelled { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Any settings on awkward data: a finite answer whose trees keep their promises.
    #[test]
    fn any_fit_is_finite_and_within_its_settings(
        n in 1usize..60, seed in any::<u64>(), depth in 1usize..8, bins in 2usize..20, lambda in 0.0f64..3.0,
        alpha in 0.0f64..1.0, gamma in 0.0f64..1.0, weight in 0.0f64..3.0, share in 0.1f64..1.0,
    ) {
        let (rows, mut labels) = awkward(n, seed);
        labels.iter_mut().for_each(|l| *l = (*l).min(n as i32 - 1));
        let boost = Boost::new().rounds(4).max_depth(depth).max_bins(bins).lambda(lambda).alpha(alpha).gamma(gamma)
            .min_child_weight(weight).subsample(share).colsample_bytree(share);
        match boost.fit(&rows, &labels, &Run::new()) {
            Err(error) => {
                let expected = matches!(error, Error::TooFewRows { .. });
                prop_assert!(expected);
            }
            Ok(model) => {
                prop_assert!(model.margins(&rows, &Run::new()).unwrap().iter().all(|m| m.is_finite()));
                for tree in model.outputs().iter().flat_map(|o| o.trees()) {
                    prop_assert!(tree.depth() <= depth);
                    for i in 0..tree.len() {
                        if !tree.is_leaf(i) {
                            let (l, r) = (tree.left()[i] as usize, tree.right()[i] as usize);
                            prop_assert!(tree.gain()[i] >= gamma as f32 && tree.gain()[i] > 0.0);
                            // Splits are chosen on the coarse grid, covers come from the fine one.
                            prop_assert!(tree.cover()[l].min(tree.cover()[r]) >= weight * (1.0 - 1e-6));
                            prop_assert!((tree.cover()[l] + tree.cover()[r] - tree.cover()[i]).abs() < 1e-9);
                        }
                    }
                }
            }
        }
    }
}
