//! Fidelity against scikit-learn's figures, and of odd input.

use super::*;
use ndarray::{Axis, array};

/// scikit-learn's figures of the same predictions; made by tests/fixtures/make_fidelity.py.
#[cfg(feature = "serde")]
#[test]
fn figures_are_those_of_scikit_learn() {
    let fixture: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/fixtures/fidelity.json")).unwrap();
    let numbers = |value: &serde_json::Value| -> Vec<f64> {
        value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    };
    let labels: Vec<i32> = numbers(&fixture["labels"]).iter().map(|&label| label as i32).collect();
    let rows: Vec<Vec<f64>> = fixture["probabilities"].as_array().unwrap().iter().map(numbers).collect();
    let table = Array2::from_shape_fn((rows.len(), 3), |(i, k)| rows[i][k]);
    let weights = numbers(&fixture["weights"]);
    for (name, weights) in [("plain", None), ("weighted", Some(&weights[..]))] {
        let found = Fidelity::of(&table, &labels, &["a", "b", "c"], weights).unwrap();
        for (own, expected) in found.clusters.iter().zip(fixture[name].as_array().unwrap()) {
            for (what, figure) in [
                ("auc", own.auc.unwrap()),
                ("average_precision", own.average_precision.unwrap()),
                ("brier", own.brier),
                ("precision", own.precision),
                ("recall", own.recall),
                ("f1", own.f1),
            ] {
                let expected = expected[what].as_f64().unwrap();
                assert!((figure - expected).abs() < 1e-12, "{name} {what}: {figure}, scikit-learn {expected}");
            }
        }
        if weights.is_none() {
            let confusion: Vec<Vec<f64>> = fixture["confusion"].as_array().unwrap().iter().map(numbers).collect();
            assert_eq!(found.confusion, confusion);
        }
    }
    let kept: Vec<usize> = numbers(&fixture["curve_rows"]).iter().map(|&row| row as usize).collect();
    let own: Vec<i32> = kept.iter().map(|&row| labels[row]).collect();
    let found = Fidelity::of(&table.select(Axis(0), &kept), &own, &["a", "b", "c"], None).unwrap();
    let curve = &found.clusters[0].curve;
    let expected: Vec<Vec<f64>> = fixture["curve"].as_array().unwrap().iter().map(numbers).collect();
    assert_eq!((curve.len(), curve.iter().map(|bin| bin.rows).sum::<usize>()), (expected.len(), kept.len()));
    for (bin, expected) in curve.iter().zip(&expected) {
        assert!((bin.predicted - expected[0]).abs() < 1e-12 && (bin.observed - expected[1]).abs() < 1e-12);
    }
}

#[test]
fn the_order_of_rows_changes_no_bit() {
    let p = Array2::from_shape_fn((90, 2), |(i, k)| ((i * 37 + k * 11) % 45) as f64 / 100.0);
    let labels: Vec<i32> = (0..90).map(|i| (i * 7 % 3) - 1).collect();
    let weights: Vec<f64> = (0..90).map(|i| 0.1 + f64::from(i * 13 % 17) / 3.0).collect();
    let found = Fidelity::of(&p, &labels, &["a", "b"], Some(&weights)).unwrap();
    let order: Vec<usize> = (0..90).map(|i| i * 41 % 90).collect();
    let turn = |i: &usize| (labels[*i], weights[*i]);
    let (labels, weights): (Vec<i32>, Vec<f64>) = order.iter().map(turn).unzip();
    assert_eq!(Fidelity::of(&p.select(Axis(0), &order), &labels, &["a", "b"], Some(&weights)).unwrap(), found);
}

#[test]
fn groups_add_up_and_go_by_the_most_probable_cluster() {
    // The first two clusters together are likelier, the third is the likeliest.
    let p = array![[0.3, 0.3, 0.39], [0.9, 0.05, 0.01]];
    let found = Fidelity::of_groups(&p, &[0, 0, 1], &[0, 0], &["a", "b"], None).unwrap();
    assert_eq!(found.confusion, [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]);
    assert_eq!((found.accuracy, found.clusters[1].recall, found.clusters[1].average_precision), (0.5, 0.0, None));
    assert_eq!(found.clusters[0].auc, None);
    assert!(!found.clusters[0].explainable && found.clusters[0].to_string().starts_with("a: not explainable"));
}

/// Labels that the columns say nothing of are found not to be explainable; those that they say are.
#[test]
fn chance_is_called_chance() {
    let draws = crate::core::random::Stream::new(3, 1);
    let rows = Array2::from_shape_fn((600, 3), |(i, j)| 100.0 * draws.of(i as u64).uniform(j as u64) as f32);
    let chance: Vec<i32> = (0..600).map(|i| draws.below(i, 2) as i32).collect();
    let told: Vec<i32> = rows.column(1).iter().map(|&value| i32::from(value > 60.0)).collect();
    let of = |labels: &[i32]| {
        Fidelity::cross_fitted(&rows, labels, &["a", "b"], None, &Boost::new().rounds(10), &Run::new()).unwrap()
    };
    let (chance, told) = (of(&chance), of(&told));
    assert_eq!((chance.rows, chance.not_explainable().count()), (600, 2));
    assert!(chance.clusters.iter().all(|own| own.auc.unwrap() < 0.6), "{chance:?}");
    assert!(told.accuracy > 0.98 && told.clusters.iter().all(|own| own.explainable && own.brier < 0.03));
}

#[test]
fn odd_input_has_an_answer_or_an_error() {
    let none = Array2::<f64>::zeros((0, 2));
    let found = Fidelity::of(&none, &[], &["a", "b"], None).unwrap();
    assert_eq!((found.rows, found.accuracy, found.clusters[0].auc), (0, 0.0, None));
    let unknown = array![[f64::NAN, f64::NAN], [0.2, 0.7]];
    let found = Fidelity::of(&unknown, &[0, 1], &["a", "b"], None).unwrap();
    assert_eq!((found.rows, found.left_out, found.accuracy), (1, 1, 1.0));
    let p = array![[0.5, 0.5]];
    assert!(Fidelity::of(&p, &[0, 1], &["a", "b"], None).is_err());
    assert!(Fidelity::of(&p, &[2], &["a", "b"], None).is_err() && Fidelity::of(&p, &[-2], &["a", "b"], None).is_err());
    assert!(
        Fidelity::of(&p, &[0], &["a"], None).is_err() && Fidelity::of(&p, &[0], &["a", "b"], Some(&[0.0])).is_err()
    );
    assert!(Fidelity::of(&array![[1.5, 0.0]], &[0], &["a", "b"], None).is_err());
    // Clusters of equal rows cannot be held out, and of one cluster there is nothing to tell.
    let same = Array2::<f32>::zeros((8, 2));
    let boost = Boost::new().rounds(2);
    let found = Fidelity::cross_fitted(&same, &[0, 0, 0, 0, 1, 1, 1, -1], &["a", "b"], None, &boost, &Run::new());
    assert_eq!(found.unwrap().left_out, 7);
    assert!(Fidelity::cross_fitted(&same, &[-1; 8], &["a"], None, &boost, &Run::new()).is_err());
    // Rows that are made up for the surrogate's training are none of the table's.
    let rows = Array2::from_shape_fn((60, 2), |(i, j)| (i % 2 * 10 + i * (j + 3) % 7) as f32);
    let labels: Vec<i32> = (0..60).map(|i| i % 2).collect();
    let of = |boost: &Boost| Fidelity::cross_fitted(&rows, &labels, &["a", "b"], None, boost, &Run::new()).unwrap();
    assert_eq!(of(&boost.clone().shuffled_rows(0.25).guard_rows(0.25)), of(&boost));
}
