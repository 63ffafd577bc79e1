//! Leaf values that are fitted again: the optimum of a linear model, by scikit-learn and by its conditions.

use ndarray::{Array2, Axis};
use recluster::boost::{Boost, BoostModel, Tree};
use recluster::{Error, Run};

use crate::help::{awkward, draws, fixture, floats, leaf, losses, noisy, table};

/// The trees are XGBoost's, the values after many passes those of scikit-learn's ridge and logistic regression.
#[test]
fn many_passes_reach_the_linear_model_of_the_leaves() {
    let file = fixture("refit.json");
    let (rows, run) = (table(&file["rows"]), Run::new());
    let labels: Vec<i32> = floats(&file["labels"]).iter().map(|&label| 1 - label as i32).collect();
    let targets: Vec<f32> = floats(&file["targets"]).iter().map(|&target| target as f32).collect();
    let boost = Boost::new().rounds(5).max_depth(3).learning_rate(1.0).lambda(2.0).base_score(0.5);
    let compare = |refit: usize, part: &str, within: f64| {
        let boost = boost.clone().refit(refit);
        for loss in ["squared", "logistic"] {
            let model = match loss {
                "squared" => boost.fit_regression(&rows, &targets, &run).unwrap(),
                // Output 0 is that of the fixture's label 1.
                _ => boost.fit(&rows, &labels, &run).unwrap(),
            };
            let found = model.margins(&rows, &run).unwrap();
            for (found, expected) in found.column(0).iter().zip(floats(&file[loss][part])) {
                assert!((found - expected).abs() < within, "{loss} {part}: {found}, not {expected}");
            }
        }
    };
    compare(0, "grown", 1e-5);
    compare(100, "refitted", 1e-3);
}

/// Where no pass changes anything any more, the derivative of each leaf's objective is zero: with weights, missing values,
/// categories, both penalties and labels that weigh more.
#[test]
fn the_optimum_has_no_slope() {
    let (mut rows, labels) = awkward(300, 7);
    rows.column_mut(5).iter_mut().for_each(|v| *v = v.abs().floor());
    let weights: Vec<f32> = (0..300).map(|i| [1.0, 0.5, 0.0, 2.0][i * i % 4]).collect();
    let (lambda, alpha, positive, run) = (1.5, 0.4, 3.0, Run::new());
    let boost =
        Boost::new().rounds(4).max_depth(4).learning_rate(1.0).lambda(lambda).alpha(alpha).scale_pos_weight(positive);
    let model = boost.categorical(&[5]).refit(100).fit_weighted(&rows, &labels, &weights, &run).unwrap();
    let margins = model.margins(&rows, &run).unwrap();
    let (mut seen, mut zeros) = (0, 0);
    for (k, output) in model.outputs().iter().enumerate() {
        for tree in output.trees() {
            let mut slope = vec![0.0; tree.len()];
            for (i, row) in rows.outer_iter().enumerate().filter(|&(i, _)| labels[i] >= 0) {
                let (p, own) = (1.0 / (1.0 + (-margins[[i, k]]).exp()), labels[i] == k as i32);
                let weight = f64::from(weights[i]) * if own { positive } else { 1.0 };
                slope[leaf(tree, row.as_slice().unwrap())] += (p - f64::from(u8::from(own))) * weight;
            }
            for node in (0..tree.len()).filter(|&node| tree.is_leaf(node)) {
                let value = f64::from(tree.value()[node]);
                // Without a value the slope of the loss is within the penalty on it.
                let beyond = match value {
                    0.0 => (slope[node].abs() - alpha).max(0.0),
                    _ => slope[node] + lambda * value + alpha * value.signum(),
                };
                assert!(beyond.abs() < 2e-3, "output {k}, node {node}: value {value}, slope {beyond}");
                (seen, zeros) = (seen + 1, zeros + usize::from(value == 0.0));
            }
        }
    }
    assert!(seen > 60 && zeros > 0, "{seen} {zeros}");
}

/// Structure and covers stay; the loss on the training rows falls with every pass.
#[test]
fn passes_move_values_alone_and_lower_the_loss() {
    let ((rows, labels), run) = (noisy(800, 3), Run::new());
    let boost = Boost::new().rounds(10).max_depth(4);
    let grown = boost.fit(&rows, &labels, &run).unwrap();
    let mut before = losses(&grown, &rows.view(), &labels);
    for passes in [1, 2, 5] {
        let model = boost.clone().refit(passes).fit(&rows, &labels, &run).unwrap();
        let after = losses(&model, &rows.view(), &labels);
        assert!(after.iter().zip(&before).all(|(after, before)| after < before), "{passes}: {after:?} {before:?}");
        before = after;
        for (tree, old) in trees(&model).zip(trees(&grown)) {
            assert_eq!((tree.feature(), tree.threshold(), tree.left()), (old.feature(), old.threshold(), old.left()));
            assert_eq!(tree.cover(), old.cover());
        }
    }
}

fn trees(model: &BoostModel) -> impl Iterator<Item = &Tree> {
    model.outputs().iter().flat_map(|output| output.trees())
}

/// With calibration the passes are those that pay on rows left out: all for labels without noise, none for labels that are
/// nothing but noise.
#[test]
fn as_many_passes_as_pay() {
    let run = Run::new();
    let mut draw = draws(5);
    let rows = Array2::from_shape_fn((3000, 6), |_| draw() as f32);
    let mut truth = Vec::new();
    for row in rows.outer_iter() {
        truth.push(i32::from(row[0] + row[1] > 1.0) + i32::from(row[2] * row[3] > 0.3));
    }
    let noise: Vec<i32> = (0..3000).map(|_| (draw() * 3.0) as i32).collect();
    let boost = Boost::new().rounds(20).max_depth(4).calibrated(true);
    let (old, new) = (rows.select(Axis(0), &(0..1500).collect::<Vec<_>>()), rows.slice(ndarray::s![1500.., ..]));
    let loss = |model: &BoostModel| {
        let p = model.distribution(&new, &run).unwrap();
        p.outer_iter().zip(&truth[1500..]).map(|(p, &label)| -p[label as usize].ln()).sum::<f64>() / 1500.0
    };
    let fit = |refit: usize, labels: &[i32]| boost.clone().refit(refit).fit(&old, &labels[..1500], &run).unwrap();
    let (none, three) = (loss(&fit(0, &truth)), loss(&fit(3, &truth)));
    assert!(three < 0.98 * none, "{three} {none}");
    assert_eq!(fit(3, &noise), fit(0, &noise));
}

#[test]
fn what_cannot_be_refitted_is_refused() {
    let ((rows, labels), run) = (noisy(50, 1), Run::new());
    for boost in [Boost::new().refit(101), Boost::new().refit(1).monotone(&[1])] {
        let error = boost.rounds(2).fit(&rows, &labels, &run).unwrap_err();
        assert!(matches!(error, Error::Setting { name: "refit", .. }), "{error}");
    }
    assert!(Boost::new().refit(0).monotone(&[1]).rounds(2).fit(&rows, &labels, &run).is_ok());
}

/// Without a penalty, and at the ends of f32, values stay finite.
#[test]
fn values_stay_finite() {
    let ((rows, labels), run) = (noisy(200, 2), Run::new());
    let bare = Boost::new().rounds(5).lambda(0.0).min_child_weight(0.0).learning_rate(1.0).refit(20);
    let model = bare.fit(&rows, &labels, &run).unwrap();
    assert!(model.margins(&rows, &run).unwrap().iter().all(|margin| margin.is_finite() && margin.abs() < 1e4));
    let targets: Vec<f32> = (0..200).map(|i| if i % 3 == 0 { f32::MAX } else { f32::MIN }).collect();
    let model = bare.fit_regression(&rows, &targets, &run).unwrap();
    assert!(model.margins(&rows, &run).unwrap().iter().all(|margin| margin.is_finite()));
}
