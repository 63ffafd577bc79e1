//! What a difference must say, its figures by their definitions, and odd input.

use super::*;
use crate::Explainer;
use crate::boost::Boost;
use crate::table::{Field, Kind, Schema};
use ndarray::{Array2, array};

const NAMES: [&str; 4] = ["0.0", "0.1.0", "0.1.1", "0.2"];

/// Clusters 1 and 2 differ in the contract and a little in the tenure; 0 and 3 are elsewhere by the rate.
fn clusters() -> (Array2<f32>, Vec<i32>, Surrogate) {
    let labels: Vec<i32> = (0..400).map(|i| if i % 50 == 49 { -1 } else { i % 4 }).collect();
    let table = Array2::from_shape_fn((400, 4), |(i, j)| match (j, i % 4) {
        (0, k) => (i * 37 % 20) as f32 + if k == 2 { 4.0 } else { 0.0 },
        (1, 0) => 100.0 + (i % 7) as f32,
        (1, 3) => 300.0 + (i % 7) as f32,
        (1, _) if i % 9 == 0 => f32::NAN,
        (1, _) => (i % 7) as f32,
        (2, 1) => f32::from(u8::from(i % 40 == 1)),
        (2, 2) => f32::from(u8::from(i % 40 != 2)),
        _ => (i * 7919 % 3) as f32,
    });
    let schema = Schema::new(vec![
        Field::new("a tenure", Kind::Number),
        Field::new("b rate", Kind::Number),
        Field::new("c contract", Kind::Category).with_levels(["monthly", "two years", "none"]),
        Field::new("d other", Kind::Ordinal).with_levels(["low", "medium", "high"]),
    ])
    .unwrap();
    let boost = Boost::new().rounds(15).max_depth(3).categorical(&schema.categorical());
    let names = NAMES.map(String::from).to_vec();
    let surrogate = Surrogate::fit(&table, &labels, names, &boost, &Run::new()).unwrap();
    (table, labels, surrogate.with_schema(schema).unwrap())
}

#[test]
fn what_tells_siblings_apart_comes_first() {
    let ((table, labels, surrogate), run) = (clusters(), Run::new());
    let compared = Differences::new(&surrogate, &table, &labels).unwrap();
    assert_eq!(compared.nearest(1, &run).unwrap(), Some(2));
    assert_eq!(compared.nearest(2, &run).unwrap(), Some(1));
    let found = compared.between(2, 1, &run).unwrap();
    assert_eq!((found.here.as_str(), found.there.as_str()), ("0.1.1", "0.1.0"));
    let contract = &found.features[0];
    assert_eq!((contract.name.as_str(), contract.difference, contract.standardised), ("c contract", None, None));
    let level = contract.levels.iter().find(|level| level.level == "two years").unwrap();
    assert!(level.here > 0.85 && level.there < 0.15);
    assert!((level.lift.unwrap() - level.here / level.there).abs() < 1e-12);
    assert_eq!(found.questions[0].question, "c contract");
    // Means, pooled deviation and missing shares by their definitions.
    let tenure = found.features.iter().find(|feature| feature.feature == 0).unwrap();
    let of = |k: i32, c: usize| -> Vec<f64> {
        (0..400).filter(|&i| labels[i] == k).map(|i| f64::from(table[[i, c]])).collect()
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (here, there) = (of(2, 0), of(1, 0));
    let squares = |values: &[f64]| values.iter().map(|v| (v - mean(values)).powi(2)).sum::<f64>();
    let pooled = ((squares(&here) + squares(&there)) / (here.len() + there.len() - 2) as f64).sqrt();
    assert!((tenure.difference.unwrap() - (mean(&here) - mean(&there))).abs() < 1e-9);
    assert!((tenure.standardised.unwrap() - (mean(&here) - mean(&there)) / pooled).abs() < 1e-9);
    assert!(tenure.words.contains("higher") && tenure.words.starts_with("a tenure: "), "{}", tenure.words);
    let rate = found.features.iter().find(|feature| feature.feature == 1).unwrap();
    let missing = of(2, 1).iter().filter(|v| v.is_nan()).count() as f64 / of(2, 1).len() as f64;
    assert!((rate.missing[0] - missing).abs() < 1e-12);
    // The contrast by its definition, from the explanation of all classes.
    let why = surrogate.explain(&table, &run).unwrap();
    let push = |k: i32| {
        let rows: Vec<usize> = (0..400).filter(|&i| labels[i] == k).collect();
        mean(&rows.iter().map(|&i| why.values()[[i, 2, 2]] - why.values()[[i, 2, 1]]).collect::<Vec<_>>())
    };
    assert!((contract.contrast - (push(2) - push(1)) / 2.0).abs() < 1e-9);
    // Typical rows are of their own cluster, borderline ones have the least difference of margins.
    assert!(found.typical_here.len() == 5 && found.typical_here.iter().all(|&row| labels[row as usize] == 2));
    assert!(found.typical_there.iter().all(|&row| labels[row as usize] == 1));
    let margins = surrogate.model().margins(&table, &run).unwrap();
    let gap = |row: u32| (margins[[row as usize, 2]] - margins[[row as usize, 1]]).abs();
    let least = (0..400).filter(|&row| [1, 2].contains(&labels[row as usize])).map(|row| gap(row as u32));
    assert_eq!(gap(found.borderline[0]), least.fold(f64::INFINITY, f64::min));
    assert!(found.to_string().starts_with("0.1.1 and not 0.1.0:\n  c contract: "), "{found}");
}

#[test]
fn reasons_of_a_row_add_up_and_read_well() {
    let ((table, _, surrogate), run) = (clusters(), Run::new());
    let some = table.slice(ndarray::s![..12, ..]);
    let margins = surrogate.model().margins(&some, &run).unwrap();
    for (i, why) in Why::of(&surrogate, &some, 2, 1, &run).unwrap().iter().enumerate() {
        assert!((why.margin - (margins[[i, 2]] - margins[[i, 1]])).abs() < 1e-9);
        assert!((why.base + why.reasons.iter().map(|r| r.push).sum::<f64>() - why.margin).abs() < 1e-9);
        assert!(why.reasons.windows(2).all(|pair| pair[0].push.abs() >= pair[1].push.abs()));
    }
    let text = Why::of(&surrogate, &some, 2, 1, &run).unwrap()[6].to_string();
    assert!(text.starts_with("why 0.1.1 and not 0.1.0: c contract is two years (+"), "{text}");
}

#[test]
fn the_order_of_rows_changes_no_bit() {
    let ((table, labels, surrogate), run) = (clusters(), Run::new());
    let weights: Vec<f64> = (0..400).map(|i| 1.0 + f64::from(i % 3)).collect();
    let order: Vec<usize> = (0..400).map(|i| i * 133 % 400).collect();
    let (turned, own): (Vec<i32>, Vec<f64>) = order.iter().map(|&i| (labels[i], weights[i])).unzip();
    let other = table.select(Axis(0), &order);
    let found = Differences::new(&surrogate, &table, &labels).unwrap().weights(&weights).unwrap();
    let again = Differences::new(&surrogate, &other, &turned).unwrap().weights(&own).unwrap();
    let (mut found, again) = (found.between(0, 3, &run).unwrap(), again.between(0, 3, &run).unwrap());
    // The same rows by content, under other numbers.
    let rows = |table: &Array2<f32>, rows: &[u32]| -> Vec<Vec<u32>> {
        rows.iter().map(|&row| table.row(row as usize).iter().map(|v| v.to_bits()).collect()).collect()
    };
    assert_eq!(rows(&table, &found.typical_here), rows(&other, &again.typical_here));
    assert_eq!(rows(&table, &found.borderline), rows(&other, &again.borderline));
    found.typical_here.clone_from(&again.typical_here);
    found.typical_there.clone_from(&again.typical_there);
    found.borderline.clone_from(&again.borderline);
    assert_eq!(found, again);
}

#[test]
fn odd_input_is_an_error() {
    let ((table, labels, surrogate), run) = (clusters(), Run::new());
    let compared = Differences::new(&surrogate, &table, &labels).unwrap();
    assert!(compared.between(1, 1, &run).is_err() && compared.between(0, 4, &run).is_err());
    assert!(compared.nearest(4, &run).is_err());
    assert!(compared.why(&array![[1.0f32]], 0, 1, &run).is_err());
    assert!(Differences::new(&surrogate, &table, &labels[1..]).is_err());
    assert!(Differences::new(&surrogate, &table, &[4; 400]).is_err());
    let none = vec![0; 400];
    let compared = Differences::new(&surrogate, &table, &none).unwrap();
    assert!(matches!(compared.between(0, 1, &run), Err(Error::Setting { .. })));
    assert!(compared.weights(&[1.0]).is_err());
    // A column that is missing in one cluster has no average there.
    let alone = Array2::from_shape_fn((40, 2), |(i, j)| match (i < 20, j) {
        (true, 1) => f32::NAN,
        _ => (i + j) as f32,
    });
    let labels: Vec<i32> = (0..40).map(|i| i / 20).collect();
    let names = vec!["a".to_string(), "b".to_string()];
    let surrogate = Surrogate::fit(&alone, &labels, names, &Boost::new().rounds(3), &run).unwrap();
    let found = Differences::new(&surrogate, &alone, &labels).unwrap().between(0, 1, &run).unwrap();
    let second = found.features.iter().find(|feature| feature.feature == 1).unwrap();
    assert_eq!((second.mean[0], second.difference, second.missing), (None, None, [1.0, 0.0]));
    assert_eq!(second.words, "column 2: missing 100.0 % here, 0.0 % there");
}
