//! What rules must find, what they must not see, and odd input.

use super::*;
use crate::core::random::Stream;
use crate::table::{Field, Kind, Schema};
use ndarray::{Array2, array};

/// Four columns of noise, a category, a flag, an ordinal. Cluster 0: a high column 0 and category 2, one row in fifty besides;
/// cluster 1: a low column 1, or the flag with a missing column 2; cluster 2 and noise: what is left.
fn planted(rows: usize) -> (Array2<f32>, Vec<i32>, Schema) {
    let draws = Stream::new(11, 5);
    let mut labels = Vec::new();
    let mut table = Array2::zeros((rows, 6));
    for i in 0..rows {
        let of = |k: u64| draws.of(i as u64).uniform(k);
        let mut row = [of(0) as f32 * 80.0, of(1) as f32, of(2) as f32, 0.0, 0.0, 0.0];
        row[3] = (of(3) * 4.0).floor() as f32;
        row[4] = f32::from(u8::from(of(4) < 0.4));
        row[5] = (of(5) * 3.0).floor() as f32;
        if of(6) < 0.3 {
            row[2] = f32::NAN;
        }
        let odd = of(7) < 0.02;
        labels.push(match row {
            r if (r[0] >= 48.0 && r[3] == 2.0) != odd => 0,
            r if r[1] < 0.2 || r[4] == 1.0 && r[2].is_nan() => 1,
            _ if of(8) < 0.5 => 2,
            _ => -1,
        });
        table.row_mut(i).assign(&ndarray::ArrayView1::from(&row));
    }
    let schema = Schema::new(vec![
        Field::new("a tenure", Kind::Number),
        Field::new("b rate", Kind::Number),
        Field::new("c income", Kind::Number),
        Field::new("d contract", Kind::Category).with_levels(["monthly", "one year", "two years", "none"]),
        Field::new("e paperless", Kind::Flag).with_levels(["no", "yes"]),
        Field::new("f rating", Kind::Ordinal).with_levels(["low", "medium", "high"]),
    ]);
    (table, labels, schema.unwrap())
}

const NAMES: [&str; 3] = ["0.0", "0.1", "0.2"];

#[test]
fn planted_rules_are_found_in_words() {
    let (table, labels, schema) = planted(3000);
    let found = Rules::new().schema(&schema).find(&table, &labels, &NAMES, None, &Run::new()).unwrap();
    let words = |k: usize, rule: usize| {
        let mut words: Vec<&str> = found[k].rules[rule].conditions.iter().map(|c| c.words.as_str()).collect();
        words.sort_unstable();
        words.join("; ")
    };
    let first = &found[0].rules[0];
    let (tenure, contract) = (&first.conditions[0], &first.conditions[1]);
    assert_eq!((first.conditions.len(), contract.words.as_str()), (2, "d contract is two years"));
    assert!(
        matches!(tenure.criterion, Criterion::Range { at_least: Some(t), below: None } if (44.0..=52.0).contains(&t)),
        "{tenure:?}"
    );
    assert!(first.precision > 0.85 && first.recall > 0.6 && first.returned.unwrap() > 0.8, "{first}");
    // One rule covers too little of the second cluster, which is made of two parts.
    let rate = found[1].rules[0].conditions.iter().find(|condition| condition.name == "b rate").unwrap();
    assert!(
        matches!(rate.criterion, Criterion::Range { at_least: None, below: Some(t) } if (0.17..0.23).contains(&t)),
        "{rate:?}"
    );
    assert!(found[1].rules.len() > 1 && words(1, 1).contains("c income is missing"), "{}", found[1]);
    assert!(words(1, 1).contains("e paperless is yes"), "{}", found[1]);
    assert!(found[1].recall > found[1].rules[0].recall && found[1].precision > 0.8, "{}", found[1]);
    assert!(found[1].to_string().starts_with("0.1: 2 rules, together"), "{}", found[1]);
}

/// Precision and recall are counted by another way on rows that the figures name.
#[test]
fn figures_are_of_held_out_rows_alone() {
    let (table, labels, schema) = planted(900);
    let rules = Rules::new().schema(&schema).resamples(0);
    let found = rules.find(&table, &labels, &NAMES, None, &Run::new()).unwrap();
    let rows = Rows::with_missing(&table).unwrap();
    let split = Split::of(&rows, &labels, &[1.0; 900], 3, 20_000, Run::new().key());
    let mut all: Vec<u32> = split.training.iter().chain(&split.held_out).copied().collect();
    all.sort_unstable();
    assert_eq!(all, (0..900).collect::<Vec<u32>>());
    assert!((290..=310).contains(&split.held_out.len()));
    for (k, own) in found.iter().enumerate() {
        let held: Vec<usize> = split.held_out.iter().map(|&row| row as usize).collect();
        let is = |row: &&usize| labels[**row] == k as i32;
        for rule in &own.rules {
            let met: Vec<usize> =
                held.iter().copied().filter(|&row| rule.holds(table.row(row).as_slice().unwrap())).collect();
            let hits = met.iter().filter(is).count() as f64;
            assert_eq!((rule.rows, rule.returned), (met.len(), None));
            assert!((rule.precision - hits / met.len() as f64).abs() < 1e-12);
            assert!((rule.recall - hits / held.iter().filter(is).count() as f64).abs() < 1e-12);
            assert!((rule.lift - rule.precision / own.share).abs() < 1e-9);
        }
    }
    // What was held out says nothing to the search: with its labels turned the same rules are found.
    let mut turned = labels.clone();
    split.held_out.iter().for_each(|&row| turned[row as usize] = (turned[row as usize] + 1) % 3);
    let codes = Codes::new(&table, &rules.features, 10);
    let conditions = |labels: &[i32]| -> Vec<Vec<Vec<Condition>>> {
        let task = Task::new(&rules, &split, &codes, labels, &[1.0; 900], 3);
        let part = table.select(Axis(0), &split.training.iter().map(|&row| row as usize).collect::<Vec<_>>());
        let trees = columns::Trees::new(&part, &rules.features, &Run::new()).unwrap();
        let places: Vec<u32> = (0..split.training.len() as u32).collect();
        let chosen = task.run(&places, &trees, &Run::new()).unwrap();
        chosen.iter().map(|own| own.iter().map(|rule| rule.conditions(&codes, &rules.features)).collect()).collect()
    };
    assert_eq!(conditions(&labels), conditions(&turned));
}

/// Labels drawn at random have rules that look good only on the rows they were found on.
#[test]
fn chance_has_no_precision_on_held_out_rows() {
    let table = planted(1200).0.slice(ndarray::s![.., ..2]).to_owned();
    let draws = Stream::new(1, 2);
    let labels: Vec<i32> = (0..1200).map(|i| draws.below(i, 2) as i32).collect();
    let found = Rules::new().resamples(8).find(&table, &labels, &["a", "b"], None, &Run::new()).unwrap();
    for rule in found.iter().flat_map(|own| &own.rules) {
        assert!(rule.precision < 0.65 && rule.returned.unwrap() < 0.6, "{rule}");
    }
}

#[test]
fn the_order_of_rows_and_the_threads_change_no_bit() {
    let (table, labels, schema) = planted(700);
    let weights: Vec<f64> = (0..700).map(|i| 0.5 + f64::from(i * 13 % 7)).collect();
    let rules = Rules::new().schema(&schema).resamples(4);
    let found = rules.find(&table, &labels, &NAMES, Some(&weights), &Run::new().threads(1)).unwrap();
    assert!(found.iter().all(|own| !own.rules.is_empty()));
    let order: Vec<usize> = (0..700).map(|i| i * 453 % 700).collect();
    let (other_labels, other_weights): (Vec<i32>, Vec<f64>) = order.iter().map(|&i| (labels[i], weights[i])).unzip();
    let again = table.select(Axis(0), &order);
    let again = rules.find(&again, &other_labels, &NAMES, Some(&other_weights), &Run::new().threads(2)).unwrap();
    assert_eq!(found, again);
    let other = rules.find(&table, &labels, &NAMES, Some(&weights), &Run::new().seed(3)).unwrap();
    assert_ne!(found, other);
}

/// A weight of three counts as three equal rows would, in all shares.
#[test]
fn weights_count_as_rows_do() {
    let (table, labels, schema) = planted(400);
    let rules = Rules::new().schema(&schema).resamples(0);
    let weights: Vec<f64> = (0..400).map(|i| 1.0 + f64::from(u8::from(i % 2 == 0)) * 2.0).collect();
    let found = rules.find(&table, &labels, &NAMES, Some(&weights), &Run::new()).unwrap();
    let rows = Rows::with_missing(&table).unwrap();
    let held = Split::of(&rows, &labels, &weights, 3, 20_000, Run::new().key()).held_out;
    let sum = |of: &dyn Fn(usize) -> bool| -> f64 {
        held.iter().map(|&row| row as usize).filter(|&row| of(row)).map(|row| weights[row]).sum()
    };
    for (k, own) in found.iter().enumerate() {
        for rule in &own.rules {
            let met = |row: usize| rule.holds(table.row(row).as_slice().unwrap());
            let is = |row: usize| labels[row] == k as i32;
            assert!((rule.precision - sum(&|row| met(row) && is(row)) / sum(&met)).abs() < 1e-12);
            assert!((rule.recall - sum(&|row| met(row) && is(row)) / sum(&is)).abs() < 1e-12);
        }
    }
}

#[test]
fn odd_input_has_an_answer_or_an_error() {
    let find = |rules: &Rules, table: &Array2<f32>, labels: &[i32], names: &[&str]| {
        rules.find(table, labels, names, None, &Run::new())
    };
    let rules = Rules::new().resamples(2);
    // One row, rows that are all equal, missing everywhere, one cluster, no cluster, clusters without rows.
    for (table, labels) in [
        (array![[1.0f32]], vec![0]),
        (Array2::zeros((40, 3)), (0..40).map(|i| i % 2).collect()),
        (Array2::from_elem((40, 3), f32::NAN), (0..40).map(|i| i % 2).collect()),
        (Array2::from_shape_fn((40, 3), |(i, j)| (i + j) as f32), vec![0; 40]),
        (Array2::from_shape_fn((40, 3), |(i, j)| (i + j) as f32), vec![-1; 40]),
        (
            Array2::from_shape_fn((40, 3), |(i, j)| (i * j) as f32 * (f32::MAX / 100.0)),
            (0..40).map(|i| i / 30).collect(),
        ),
    ] {
        let found = find(&rules, &table, &labels, &["a", "b", "c"]).unwrap();
        assert_eq!((found.len(), found[2].rules.len()), (3, 0));
        let figures = |rule: &Rule| [rule.precision, rule.recall].iter().all(|x| (0.0..=1.0).contains(x));
        assert!(found.iter().flat_map(|own| &own.rules).all(figures));
    }
    let table = Array2::from_shape_fn((40, 3), |(i, j)| (i + j) as f32);
    let labels: Vec<i32> = (0..40).map(|i| i / 20).collect();
    assert!(!find(&rules, &table, &labels, &["a", "b"]).unwrap()[1].rules.is_empty());
    assert!(find(&rules, &table, &labels, &["a"]).is_err() && find(&rules, &table, &labels[1..], &["a", "b"]).is_err());
    assert!(find(&rules, &array![[f32::INFINITY]], &[0], &["a"]).is_err());
    assert!(find(&rules, &Array2::zeros((0, 3)), &[], &["a"]).is_err());
    assert!(find(&rules.clone().feature_names(["x"]), &table, &labels, &["a", "b"]).is_err());
    assert!(rules.find(&table, &labels, &["a", "b"], Some(&[1.0]), &Run::new()).is_err());
    for wrong in [
        Rules::new().max_conditions(0),
        Rules::new().max_conditions(7),
        Rules::new().max_rules(0),
        Rules::new().quantiles(1),
        Rules::new().resamples(1001),
        Rules::new().max_rows(99),
        Rules::new().columns(0),
        Rules::new().coverage(f64::NAN),
    ] {
        assert!(matches!(find(&wrong, &table, &labels, &["a", "b"]), Err(Error::Setting { .. })), "{wrong:?}");
    }
    let cancel = crate::Cancel::default();
    cancel.cancel();
    let run = Run::new().cancel(cancel);
    assert!(matches!(rules.find(&table, &labels, &["a", "b"], None, &run), Err(Error::Cancelled { .. })));
}

#[cfg(feature = "serde")]
#[test]
fn rules_are_saved_and_loaded() {
    let (table, labels, schema) = planted(500);
    let found = Rules::new().schema(&schema).resamples(2).find(&table, &labels, &NAMES, None, &Run::new()).unwrap();
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Vec<ClusterRules>>(&text).unwrap(), found);
}
