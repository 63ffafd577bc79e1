//! Outside variables against scipy, and what is promised of them.

use ndarray::{Array2, Axis};
use proptest::prelude::*;
use recluster::explain::{Outside, OutsideMeasure, OutsideTestKind, OutsideVariable};
use recluster::table::{Field, Kind, Schema};
use recluster::{Error, Run};
use serde_json::Value;

fn schema() -> Schema {
    Schema::new(vec![
        Field::new("age", Kind::Number),
        Field::new("income", Kind::Number),
        Field::new("member", Kind::Flag).with_levels(["no", "yes"]),
        Field::new("plan", Kind::Category).with_levels(["free", "team", "business"]),
        Field::new("rating", Kind::Ordinal).with_levels(["1", "2", "3", "4", "5"]),
    ])
    .unwrap()
}

fn fixture() -> (Array2<f32>, Vec<i32>, Value) {
    let all: Value = serde_json::from_str(include_str!("../fixtures/outside.json")).unwrap();
    let labels: Vec<i32> = serde_json::from_value(all["labels"].clone()).unwrap();
    let columns = ["age", "income", "member", "plan", "rating"].map(|name| all["columns"][name].as_array().unwrap());
    let cell = |(i, j): (usize, usize)| columns[j][i].as_f64().map_or(f32::NAN, |x| x as f32);
    (Array2::from_shape_fn((labels.len(), columns.len()), cell), labels, all)
}

fn near(ours: f64, theirs: &Value, to: f64) {
    let theirs = theirs.as_f64().unwrap();
    assert!((ours - theirs).abs() <= to * theirs.abs().max(1e-12), "{ours}, scipy {theirs}");
}

#[test]
fn tests_and_intervals_are_scipys() {
    let (values, labels, all) = fixture();
    // Of every cell the p-value, adjusted for its family and the selection, is compared, which needs all variables to differ.
    let found = Outside::new().fdr(0.999_999).of(&schema(), &values, &labels, None, &Run::new()).unwrap();
    assert!(found.iter().all(|variable| variable.differs), "{found:?}");
    for (v, variable) in found.iter().enumerate() {
        let (theirs, test) = (&all["tests"][v], variable.test.unwrap());
        let ranks = [0, 1, 4].contains(&v);
        assert_eq!(test.kind == OutsideTestKind::KruskalWallis, ranks);
        near(test.statistic, &theirs["statistic"], 1e-9);
        near(test.p_value, &theirs["p"], 1e-8);
        near(variable.q_value.unwrap(), &all["adjusted"][v], 1e-8);
        if !ranks {
            near(test.effect, &theirs["effect"], 1e-9);
            for (part, level) in variable.parts.iter().zip(theirs["intervals"].as_array().unwrap()) {
                for (cell, interval) in part.cells.iter().zip(level.as_array().unwrap()) {
                    near(cell.interval.unwrap()[0], &interval[0], 1e-9);
                    near(cell.interval.unwrap()[1], &interval[1], 1e-9);
                }
            }
        }
        if v != 4 {
            let p_values: Vec<f64> =
                serde_json::from_value(theirs["cells"].clone()).map(|all: Vec<Vec<f64>>| all.concat()).unwrap();
            let cells: Vec<f64> =
                variable.parts.iter().flat_map(|part| &part.cells).filter_map(|cell| cell.q_value).collect();
            assert_eq!(cells.len(), p_values.len());
            for (i, q) in cells.iter().enumerate() {
                // The least of p n / rank over those that are no smaller.
                let rank = |p: f64| p_values.iter().filter(|other| **other <= p).count() as f64;
                let own = p_values.iter().filter(|p| **p >= p_values[i]).map(|p| p * p_values.len() as f64 / rank(*p));
                near(*q, &own.fold(1.0, f64::min).into(), 1e-7);
            }
        }
    }
}

#[test]
fn figures_are_means_medians_and_shares() {
    let (values, labels, _) = fixture();
    let found = Outside::new().of(&schema(), &values, &labels, None, &Run::new()).unwrap();
    let own: Vec<f64> = (0..labels.len()).filter(|&i| labels[i] == 2).map(|i| values[[i, 1]].into()).collect();
    let mean = own.iter().sum::<f64>() / own.len() as f64;
    let mut sorted = own.clone();
    sorted.sort_by(f64::total_cmp);
    let median = (sorted[(own.len() - 1) / 2] + sorted[own.len() / 2]) / 2.0;
    assert_eq!(found[1].parts[0].measure, OutsideMeasure::Mean);
    assert!((found[1].parts[0].cells[2].estimate.unwrap() - mean).abs() < 1e-9);
    assert!((found[1].parts[1].cells[2].estimate.unwrap() - median).abs() < 1e-9);
    // Missing values are a part of their own.
    let missing = found[0].parts.last().unwrap();
    assert_eq!(missing.measure, OutsideMeasure::Missing);
    let lost = (0..labels.len()).filter(|&i| values[[i, 0]].is_nan()).count();
    assert_eq!((found[0].rows + lost, missing.all), (labels.len(), Some(lost as f64 / labels.len() as f64)));
    // Of a flag one level is shown, and the index is that of the share in all rows.
    let member = &found[2].parts;
    assert_eq!((member.len(), member[0].level.as_deref()), (1, Some("yes")));
    let cell = member[0].cells[1];
    assert!((cell.index.unwrap() - 100.0 * cell.estimate.unwrap() / member[0].all.unwrap()).abs() < 1e-9);
}

#[test]
fn whole_weights_are_rows_repeated_but_for_how_sure_one_is() {
    let (values, labels, _) = fixture();
    let weights: Vec<f64> = (0..labels.len()).map(|i| f64::from(1 + i as u32 % 3)).collect();
    let repeated: Vec<usize> = (0..labels.len()).flat_map(|i| vec![i; 1 + i % 3]).collect();
    let of = |values: &Array2<f32>, labels: &[i32], weights: Option<&[f64]>| {
        Outside::new().of(&schema(), values, labels, weights, &Run::new()).unwrap()
    };
    let weighted = of(&values, &labels, Some(&weights));
    let plain = of(&values.select(Axis(0), &repeated), &repeated.iter().map(|&i| labels[i]).collect::<Vec<_>>(), None);
    for (a, b) in weighted.iter().zip(&plain) {
        for (a, b) in a.parts.iter().zip(&b.parts) {
            assert!((a.all.unwrap() - b.all.unwrap()).abs() < 1e-9);
            for (a, b) in a.cells.iter().zip(&b.cells) {
                assert!((a.estimate.unwrap() - b.estimate.unwrap()).abs() < 1e-9);
                if let (Some(a), Some(b)) = (a.interval, b.interval) {
                    assert!(a[1] - a[0] > b[1] - b[0], "repeated rows pretend to more than there is");
                }
            }
        }
        assert!((a.test.unwrap().effect - b.test.unwrap().effect).abs() < 1e-9);
        assert!(a.test.unwrap().p_value > b.test.unwrap().p_value);
    }
    // Equal weights are none.
    assert_eq!(of(&values, &labels, Some(&vec![7.5; labels.len()])), of(&values, &labels, None));
}

#[test]
fn a_label_that_can_be_no_clusters_number_is_refused() {
    let (values, labels, _) = fixture();
    for wrong in [-2, i32::MAX, 2_000_000_000] {
        let mut labels = labels.clone();
        labels[3] = wrong;
        let found = Outside::new().of(&schema(), &values, &labels, None, &Run::new());
        assert!(matches!(found, Err(recluster::Error::Label { row: 3, .. })), "{wrong}");
    }
}

/// Uniform in 0 to 1.
fn draw(i: usize, seed: u64) -> f64 {
    let mut x = (i as u64).wrapping_add(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 29)) >> 11) as f64 / (1u64 << 53) as f64
}

#[test]
fn a_planted_difference_is_found_among_twenty_variables_without_one() {
    let mut false_ones = 0;
    for seed in 0..10 {
        let rows = 2_000;
        let labels: Vec<i32> = (0..rows).map(|i| (draw(i, 1_000 + seed) * 6.0) as i32 - 1).collect();
        let mut fields = vec![Field::new("planted", Kind::Category).with_levels(["a", "b", "c"])];
        fields.extend((0..20).map(|k| match k % 4 {
            0 => Field::new(format!("v{k:02}"), Kind::Number),
            1 => Field::new(format!("v{k:02}"), Kind::Flag).with_levels(["no", "yes"]),
            2 => Field::new(format!("v{k:02}"), Kind::Ordinal).with_levels(["1", "2", "3", "4", "5"]),
            _ => Field::new(format!("v{k:02}"), Kind::Category).with_levels(["u", "v", "w", "x", "y", "z"]),
        }));
        let values = Array2::from_shape_fn((rows, 21), |(i, j)| {
            let at = draw(i * 32 + j, seed);
            match (j, j.wrapping_sub(1) % 4) {
                // One level more often in one cluster.
                (0, _) if labels[i] == 2 && draw(i, 77 + seed) < 0.25 => 0.0,
                (0, _) => (at * 3.0).floor() as f32,
                (_, 0) => (-(1.0 - at).ln() * 40.0) as f32,
                (_, 1) => f32::from(at < 0.07),
                (_, 2) => (at * at * 5.0).floor() as f32,
                _ => (at * at * 6.0).floor() as f32,
            }
        });
        let found = Outside::new().of(&Schema::new(fields).unwrap(), &values, &labels, None, &Run::new()).unwrap();
        assert!(found[0].differs, "seed {seed}: {:?}", found[0].test);
        let cell = found[0].parts[0].cells[2];
        assert!(cell.differs && cell.index.unwrap() > 100.0, "{cell:?}");
        false_ones += found[1..].iter().filter(|variable: &&OutsideVariable| variable.differs).count();
    }
    assert!(false_ones <= 1, "{false_ones} of 200");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn the_order_of_rows_changes_no_bit(seed in 0u64..1000, rows in 1usize..120) {
        let (all, own, _) = fixture();
        let pick: Vec<usize> = (0..rows).map(|i| (draw(i, seed) * 240.0) as usize).collect();
        let mut order: Vec<usize> = (0..rows).collect();
        order.sort_by(|&a, &b| draw(a, seed + 9).total_cmp(&draw(b, seed + 9)));
        let of = |order: &[usize], threads: usize| {
            let rows: Vec<usize> = order.iter().map(|&i| pick[i]).collect();
            let labels: Vec<i32> = rows.iter().map(|&i| own[i]).collect();
            let weights: Vec<f64> = order.iter().map(|&i| 0.5 + draw(i, seed + 3)).collect();
            let outside = Outside::new().least_rows(2);
            outside.of(&schema(), &all.select(Axis(0), &rows), &labels, Some(&weights), &Run::new().threads(threads)).unwrap()
        };
        let (first, other) = (of(&(0..rows).collect::<Vec<_>>(), 1), of(&order, 2));
        prop_assert_eq!(&first, &other);
        for variable in &first {
            let all: Vec<f64> = variable.test.iter().flat_map(|test| [test.p_value, test.effect]).chain(variable.q_value).collect();
            prop_assert!(all.iter().all(|p| (0.0..=1.0).contains(p)), "{:?}", variable);
        }
    }
}

#[test]
fn little_and_odd_data_is_an_answer_or_an_error() {
    let (values, labels, _) = fixture();
    let outside = Outside::new();
    let of = |outside: &Outside, values: &Array2<f32>, labels: &[i32]| {
        outside.of(&schema(), values, labels, None, &Run::new())
    };
    assert!(matches!(of(&outside.clone().fdr(0.0), &values, &labels), Err(Error::Setting { .. })));
    assert!(matches!(of(&outside.clone().fdr(f64::NAN), &values, &labels), Err(Error::Setting { .. })));
    assert!(matches!(of(&outside.clone().least_rows(1), &values, &labels), Err(Error::Setting { .. })));
    assert!(matches!(of(&outside, &values, &labels[1..]), Err(Error::Shape { .. })));
    assert!(matches!(of(&outside, &values, &vec![-2; labels.len()]), Err(Error::Label { row: 0, .. })));
    assert!(matches!(of(&outside, &Array2::zeros((0, 5)), &[]), Err(Error::Empty { .. })));
    assert!(matches!(of(&outside, &Array2::zeros((3, 4)), &[0; 3]), Err(Error::Shape { .. })));
    // Nothing but noise, one cluster, one row, nothing but missing values, one value: figures without tests.
    for (values, labels) in [
        (values.clone(), vec![-1; labels.len()]),
        (values.clone(), vec![0; labels.len()]),
        (values.select(Axis(0), &[3]), vec![5]),
        (Array2::from_elem(values.dim(), f32::NAN), labels.clone()),
        (Array2::from_elem(values.dim(), 1.0), labels.clone()),
    ] {
        for variable in of(&outside, &values, &labels).unwrap() {
            assert_eq!((variable.test, variable.q_value, variable.differs), (None, None, false), "{variable:?}");
        }
    }
    // A cluster of nine rows is suppressed, with its number of rows.
    let mut few = vec![0; labels.len()];
    few[..9].fill(1);
    few[9..60].fill(2);
    let found = of(&outside, &values, &few).unwrap();
    for cell in found.iter().flat_map(|variable| &variable.parts).map(|part| part.cells[1]) {
        assert!(cell.rows <= 9 && cell.estimate.is_none() && cell.interval.is_none() && cell.q_value.is_none());
    }
    assert_eq!(found[1].test.unwrap().degrees, 1);
    // Values at the end of f32 stay finite.
    let huge =
        Array2::from_shape_fn(values.dim(), |(i, j)| if j == 0 { [f32::MAX, -f32::MAX, 0.0][i % 3] } else { 0.0 });
    let found = of(&outside, &huge, &labels).unwrap();
    assert!(found[0].parts.iter().flat_map(|part| &part.cells).all(|cell| cell.estimate.unwrap().is_finite()));
}
