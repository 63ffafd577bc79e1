//! TreeSHAP against the definition of Shapley values, and against XGBoost.

use crate::trees::{Absent, Draft, Draw, chain, file_of, model_of, random_rows, random_tree, shapley, worth};
use ndarray::{Array2, array, s};
use proptest::prelude::*;
use recluster::boost::{Boost, BoostModel};
use recluster::explain::TreeShap;
use recluster::{Error, Explainer, Run, Saved};
use serde_json::{Value, json};

fn assert_close(model: &BoostModel, rows: &Array2<f32>, tolerance: f64) {
    let why = TreeShap::new(model).explain(rows, &Run::new()).unwrap();
    for (i, row) in rows.outer_iter().enumerate() {
        for o in 0..model.outputs().len() {
            let worth = worth(model, o, row.as_slice().unwrap(), Absent::Cover);
            for (j, &value) in shapley(&worth).iter().enumerate() {
                let found = why.values()[[i, j, o]];
                assert!((found - value).abs() <= tolerance, "row {i}, feature {j}, output {o}: {found}, not {value}");
            }
            assert!((why.base()[o] - worth[0]).abs() <= tolerance);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn equals_the_definition(seed in any::<u64>(), features in 1usize..11, splits in 0usize..24, many in any::<bool>()) {
        let mut draw = Draw(seed);
        let outputs: Vec<_> = (0..2)
            .map(|o| (f64::from(o) - 0.5, (0..3).map(|_| random_tree(&mut draw, features, splits)).collect()))
            .collect();
        let model = model_of(features, &outputs);
        // Either a few rows, or enough for tables.
        let n = if many { 130 } else { 4 };
        let rows = random_rows(&mut draw, n, features);
        let run = Run::new();
        let why = TreeShap::new(&model).explain(&rows, &run).unwrap();
        prop_assert!(TreeShap::new(&model).additivity(&rows, &why, &run).unwrap() < 1e-12);
        let head = rows.slice(s![..4, ..]).to_owned();
        assert_close(&model, &head, 1e-10);
        // The same bits alone, among four and among many.
        let of_head = TreeShap::new(&model).explain(&head, &run).unwrap();
        prop_assert_eq!(of_head.values(), &why.values().slice(s![..4, .., ..]));
        let alone = TreeShap::new(&model).explain(&head.slice(s![2..3, ..]), &run).unwrap();
        prop_assert_eq!(alone.values(), &why.values().slice(s![2..3, .., ..]));
    }

    /// A feature that no split looks at has no part; features that may be swapped have equal parts.
    #[test]
    fn dummies_get_nothing_and_symmetric_features_the_same(seed in any::<u64>(), value in -5.0f32..5.0) {
        let mut draw = Draw(seed);
        let model = crate::trees::both_orders_of_and(value);
        let mut rows = random_rows(&mut draw, 20, 3);
        for i in 0..20 {
            rows[[i, 1]] = rows[[i, 0]];
        }
        let why = TreeShap::new(&model).explain(&rows, &Run::new()).unwrap();
        for row in why.values().outer_iter() {
            prop_assert!((row[[0, 0]] - row[[1, 0]]).abs() < 1e-14);
            prop_assert_eq!(row[[2, 0]], 0.0);
        }
    }
}

#[test]
fn the_and_of_two_features_is_shared_equally() {
    let mut tree = Draft::default();
    let root = tree.node(0.0, 4.0);
    let [_, right] = tree.split(root, 0, 0.5, true, [(0.0, 2.0), (0.0, 2.0)]);
    tree.split(right, 1, 0.5, true, [(0.0, 1.0), (1.0, 1.0)]);
    let why = TreeShap::new(&model_of(2, &[(0.0, vec![tree])])).explain(&array![[1.0f32, 1.0]], &Run::new()).unwrap();
    assert_eq!(why.values().as_slice().unwrap(), [0.375, 0.375]);
    assert_eq!(why.base()[0], 0.25);
}

#[test]
fn deep_chains_are_exact() {
    let run = Run::new();
    // 64 splits on one feature: it has all of the difference.
    let model = model_of(1, &[(0.5, vec![chain(1, 64)])]);
    let rows = Array2::from_shape_fn((130, 1), |(i, _)| i as f32 * 0.5);
    let why = TreeShap::new(&model).explain(&rows, &run).unwrap();
    let margins = model.margins(&rows, &run).unwrap();
    for i in 0..130 {
        assert!((why.values()[[i, 0, 0]] + why.base()[0] - margins[[i, 0]]).abs() < 1e-12);
    }
    // 64 splits on 9 features against the definition, and on 64 features by additivity.
    let rows = Array2::from_shape_fn((2, 9), |(i, j)| (i * 60 + j) as f32);
    assert_close(&model_of(9, &[(0.0, vec![chain(9, 64)])]), &rows, 1e-10);
    // Paths of more than 64 features share quadrature rules.
    for deep in [64, 65, 66, 130, 300] {
        let model = model_of(deep as usize, &[(0.0, vec![chain(deep, deep)])]);
        let rows = Array2::from_shape_fn((130, deep as usize), |(i, j)| ((i * 31 + j * 17) % 70) as f32);
        let why = TreeShap::new(&model).explain(&rows, &run).unwrap();
        assert!(TreeShap::new(&model).additivity(&rows, &why, &run).unwrap() < 1e-12);
    }
    // A path far deeper than any that we grow.
    assert_close(&model_of(5, &[(0.0, vec![chain(5, 1000)])]), &Array2::zeros((1, 5)), 1e-9);
    // A file of a few kilobytes that would take megabytes.
    let deeper = BoostModel::from_json(&file_of(5, &[(0.0, vec![chain(5, 1023)])]).to_string());
    assert!(deeper.unwrap_err().to_string().contains("paths of 512 splits on average"));
}

#[test]
fn some_outputs_and_blocks_are_parts_of_the_whole() {
    let mut draw = Draw(5);
    let outputs: Vec<_> =
        (0..4).map(|o| (f64::from(o), vec![random_tree(&mut draw, 6, 20), random_tree(&mut draw, 6, 3)])).collect();
    let model = model_of(6, &outputs);
    // Without NaN, which equals nothing.
    let rows = random_rows(&mut draw, 700, 6).mapv(|x| if x.is_nan() { 0.5 } else { x });
    let shap = TreeShap::new(&model);
    let whole = shap.explain(&rows, &Run::new()).unwrap();
    let some = shap.explain_outputs(&rows, &[3, 1], &Run::new()).unwrap();
    for (place, output) in [3, 1].into_iter().enumerate() {
        assert_eq!(some.values().slice(s![.., .., place]), whole.values().slice(s![.., .., output]));
        assert_eq!(some.base()[place], whole.base()[output]);
    }
    for block_rows in [1, 99, 256, 10_000] {
        let mut next = 0;
        shap.explain_blocks(&rows, &Run::new(), block_rows, |first, block| {
            assert_eq!(first, next);
            next += block.values().dim().0;
            assert_eq!(block.values(), &whole.values().slice(s![first..next, .., ..]));
            assert_eq!(block.base(), whole.base());
            Ok(())
        })
        .unwrap();
        assert_eq!(next, 700);
    }
    let mut calls = 0;
    let stop = shap.explain_blocks(&rows, &Run::new(), 100, |_, _| {
        calls += 1;
        Err(Error::Cancelled { stage: "wanted" })
    });
    assert!(stop.is_err() && calls == 1);
    for threads in [1, 2, 4] {
        assert_eq!(shap.explain(&rows, &Run::new().threads(threads)).unwrap(), whole);
    }
}

#[test]
fn bad_input_is_named() {
    let model = model_of(2, &[(0.0, vec![random_tree(&mut Draw(1), 2, 4)])]);
    let (shap, run) = (TreeShap::new(&model), Run::new());
    assert!(matches!(shap.explain(&array![[1.0f32]], &run), Err(Error::Shape { expected: 2, found: 1, .. })));
    assert!(matches!(shap.explain(&Array2::zeros((0, 2)), &run), Err(Error::Empty { .. })));
    let bad = array![[1.0f32, f32::INFINITY]];
    assert!(matches!(shap.explain(&bad, &run), Err(Error::NotFinite { row: 0, column: 1, .. })));
    assert!(matches!(
        shap.explain_outputs(&array![[1.0f32, 1.0]], &[1], &run),
        Err(Error::Output { output: 1, outputs: 1 })
    ));
    assert!(shap.explain_blocks(&array![[1.0f32, 1.0]], &run, 0, |_, _| Ok(())).is_err());
    let cancel = recluster::Cancel::default();
    cancel.cancel();
    let cancelled = shap.explain(&array![[1.0f32, 1.0]], &Run::new().cancel(cancel));
    assert!(matches!(cancelled, Err(Error::Cancelled { .. })));
}

#[test]
fn damaged_models_are_refused() {
    let good = file_of(2, &[(0.0, vec![random_tree(&mut Draw(1), 2, 4)])]);
    assert!(BoostModel::from_json(&good.to_string()).is_ok());
    let tree = "/model/outputs/0/trees/0";
    for (place, value) in [
        ("/left/0", json!(0)),
        ("/right/0", json!(1)),
        ("/left/0", json!(77)),
        ("/feature/0", json!(2)),
        ("/value/1", json!(1e300)),
        ("/cover/1", json!(-1.0)),
        ("/gain", json!([])),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(&format!("{tree}{place}")).unwrap() = value.clone();
        assert!(matches!(BoostModel::from_json(&bad.to_string()), Err(Error::Format { .. })), "{place} = {value}");
    }
    let mut bad = good.clone();
    bad["model"]["feature_names"] = json!(["only one"]);
    assert!(BoostModel::from_json(&bad.to_string()).is_err());
    bad["model"]["outputs"] = json!([]);
    assert!(BoostModel::from_json(&bad.to_string()).is_err());
}

#[test]
fn a_fitted_model_adds_up_and_saves() {
    let rows = Array2::from_shape_fn((400, 7), |(i, j)| match (i * 31 + j * 17 + i * i * j) % 11 {
        0 => f32::NAN,
        x => x as f32,
    });
    let labels: Vec<i32> = (0..400).map(|i| i32::from(rows[[i, 2]] > 4.0) + i32::from(rows[[i, 5]] > 7.0)).collect();
    let run = Run::new();
    let model = Boost::new().rounds(20).fit(&rows, &labels, &run).unwrap();
    assert_eq!(model.outputs().len(), 3);
    let why = TreeShap::new(&model).explain(&rows, &run).unwrap();
    assert!(TreeShap::new(&model).additivity(&rows, &why, &run).unwrap() < 1e-12);
    assert_close(&model, &rows.slice(s![..3, ..]).to_owned(), 1e-10);
    let again = BoostModel::from_json(&model.to_json().unwrap()).unwrap();
    assert_eq!(again, model);
}

#[test]
fn equals_xgboosts_contributions() {
    for name in ["xgboost_logistic.json", "xgboost_squared.json", "xgboost_softprob.json"] {
        let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
        let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let model = BoostModel::from_xgboost_json(&file["model"].to_string()).unwrap();
        let rows: Vec<Vec<Option<f32>>> = serde_json::from_value(file["rows"].clone()).unwrap();
        let (n, features) = (rows.len(), model.features());
        let rows = Array2::from_shape_fn((n, features), |(i, j)| rows[i][j].unwrap_or(f32::NAN));
        let why = TreeShap::new(&model).explain(&rows, &Run::new()).unwrap();
        for i in 0..n {
            for o in 0..model.outputs().len() {
                let row = &file["contribs"][i];
                let row = if row[0].is_array() { &row[o] } else { row };
                let theirs: Vec<f64> = serde_json::from_value(row.clone()).unwrap();
                let scale = theirs.iter().fold(1.0, |most: f64, v| most.max(v.abs()));
                for (j, &value) in theirs[..features].iter().enumerate() {
                    let found = why.values()[[i, j, o]];
                    assert!((found - value).abs() < 1e-5 * scale, "{name} row {i} feature {j}: {found}, not {value}");
                }
                assert!((why.base()[o] - theirs[features]).abs() < 1e-5 * scale, "{name} row {i}: base");
            }
        }
    }
}
