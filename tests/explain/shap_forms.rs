//! Interactions, backgrounds and row counts against the definitions, and against XGBoost and shap.

use crate::trees::{Absent, Draft, Draw, chain, interactions, model_of, random_rows, random_tree, shapley, worth};
use ndarray::{Array2, Axis, array, s};
use proptest::prelude::*;
use recluster::boost::BoostModel;
use recluster::explain::{Interactions, TreeShap};
use recluster::{Error, Explainer, Run};
use serde_json::Value;

/// Values, base and interactions of the first rows against the definition.
fn assert_exact(shap: &TreeShap<'_>, model: &BoostModel, rows: &Array2<f32>, absent: Absent<'_>) {
    let run = Run::new();
    let (why, together) = (shap.explain(rows, &run).unwrap(), shap.interactions(rows, &run).unwrap());
    assert!(shap.additivity(rows, &why, &run).unwrap() < 1e-12);
    for (i, row) in rows.outer_iter().take(3).enumerate() {
        let full = together.full(i).unwrap();
        for o in 0..model.outputs().len() {
            let worth = worth(model, o, &row.to_vec(), absent);
            let (values, pairs) = (shapley(&worth), interactions(&worth));
            assert!((why.base()[o] - worth[0]).abs() < 1e-10);
            for j in 0..rows.ncols() {
                let found = why.values()[[i, j, o]];
                assert!((found - values[j]).abs() < 1e-10, "row {i}, feature {j}: {found}, not {}", values[j]);
                for k in 0..rows.ncols() {
                    let (found, value) = (full[[j, k, o]], pairs[[j, k]]);
                    assert!((found - value).abs() < 1e-10, "row {i}, pair {j}, {k}: {found}, not {value}");
                }
            }
        }
    }
    let sums = together.explanation().unwrap();
    assert!((sums.values() - why.values()).iter().all(|gap| gap.abs() < 1e-12));
}

fn bits(values: impl IntoIterator<Item = f64>) -> Vec<u64> {
    values.into_iter().map(f64::to_bits).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn all_forms_equal_the_definition(
        seed in any::<u64>(), features in 1usize..11, splits in 0usize..22, many in any::<bool>(),
    ) {
        let mut draw = Draw(seed);
        let outputs: Vec<_> = (0..2)
            .map(|o| (f64::from(o), (0..2).map(|_| random_tree(&mut draw, features, splits)).collect()))
            .collect();
        let model = model_of(features, &outputs);
        let (n, run) = (if many { 130 } else { 3 }, Run::new());
        let rows = random_rows(&mut draw, n, features);
        let others = { let n = 1 + draw.below(12); random_rows(&mut draw, n, features) };
        assert_exact(&TreeShap::new(&model), &model, &rows, Absent::Cover);
        let counted = TreeShap::new(&model).with_counts(&others, &run).unwrap();
        assert_exact(&counted, &model, &rows, Absent::Counts(&others));
        let met = TreeShap::new(&model).with_background(&others, &run).unwrap();
        assert_exact(&met, &model, &rows, Absent::Background(&others));
        // A background in another order, and each row twice.
        let turned = others.select(Axis(0), &(0..others.nrows()).rev().collect::<Vec<_>>());
        let again = TreeShap::new(&model).with_background(&turned, &run).unwrap().explain(&rows, &run).unwrap();
        prop_assert_eq!(&again, &met.explain(&rows, &run).unwrap());
    }

    /// The same bits at any number of threads, in any order of the rows, alone or in a batch.
    #[test]
    fn bits_do_not_depend_on_the_batch(seed in any::<u64>(), features in 1usize..14) {
        let mut draw = Draw(seed);
        let model = model_of(features, &[(0.5, (0..4).map(|_| random_tree(&mut draw, features, 25)).collect())]);
        let (rows, others) = (random_rows(&mut draw, 300, features), random_rows(&mut draw, 9, features));
        let (run, plain) = (Run::new(), TreeShap::new(&model));
        let order: Vec<usize> = (0..300).map(|i| i * 7 % 300).collect();
        let turned = rows.select(Axis(0), &order);
        let counted = plain.clone().with_counts(&others, &run).unwrap();
        for shap in [plain.clone().with_background(&others, &run).unwrap(), plain, counted] {
            let whole = shap.explain(&rows, &run).unwrap();
            let pairs = shap.interactions(&rows, &run).unwrap();
            for threads in [1, 3] {
                let run = Run::new().threads(threads);
                prop_assert_eq!(&shap.explain(&rows, &run).unwrap(), &whole);
                prop_assert_eq!(&shap.interactions(&rows, &run).unwrap(), &pairs);
            }
            let moved = shap.explain(&turned, &run).unwrap();
            for (i, &from) in order.iter().enumerate() {
                let (a, b) = (moved.values().index_axis(Axis(0), i), whole.values().index_axis(Axis(0), from));
                prop_assert_eq!(bits(a.iter().copied()), bits(b.iter().copied()));
            }
            for i in [0, 17, 299] {
                let one = rows.slice(s![i..=i, ..]);
                let alone = shap.explain(&one, &run).unwrap();
                prop_assert_eq!(bits(alone.values().iter().copied()), bits(whole.values().slice(s![i, .., ..]).iter().copied()));
                let alone = shap.interactions(&one, &run).unwrap();
                prop_assert_eq!(bits(alone.values().iter().copied()), bits(pairs.row(i).unwrap().iter().copied()));
            }
            let means = shap.mean_absolute(&rows, &run).unwrap();
            prop_assert_eq!(&shap.mean_absolute(&turned, &Run::new().threads(1)).unwrap(), &means);
            let mean = whole.values().mapv(f64::abs).mean_axis(Axis(0)).unwrap();
            prop_assert!((&mean - &means).iter().all(|gap| gap.abs() < 1e-12));
        }
    }

    /// A feature that no split looks at interacts with none; equal parts of swapped features are equal.
    #[test]
    fn dummies_do_not_interact_and_symmetric_features_interact_alike(seed in any::<u64>(), value in -5.0f32..5.0) {
        let mut draw = Draw(seed);
        let model = crate::trees::both_orders_of_and(value);
        let mut rows = random_rows(&mut draw, 20, 3);
        (0..20).for_each(|i| rows[[i, 1]] = rows[[i, 0]]);
        for shap in [TreeShap::new(&model), TreeShap::new(&model).with_background(&rows, &Run::new()).unwrap()] {
            let together = shap.interactions(&rows, &Run::new()).unwrap();
            prop_assert_eq!(together.features(), [0, 1]);
            for i in 0..20 {
                let full = together.full(i).unwrap();
                prop_assert!((full[[0, 0, 0]] - full[[1, 1, 0]]).abs() < 1e-13);
                prop_assert_eq!(full[[0, 1, 0]], full[[1, 0, 0]]);
                prop_assert!((0..3).all(|j| full[[2, j, 0]] == 0.0 && full[[j, 2, 0]] == 0.0));
            }
        }
    }
}

#[test]
fn the_and_of_two_features_in_all_forms() {
    let mut tree = Draft::default();
    let root = tree.node(0.0, 4.0);
    let [_, right] = tree.split(root, 0, 0.5, true, [(0.0, 2.0), (0.0, 2.0)]);
    tree.split(right, 1, 0.5, true, [(0.0, 1.0), (1.0, 1.0)]);
    let (model, run) = (model_of(2, &[(0.0, vec![tree])]), Run::new());
    let rows = array![[1.0f32, 1.0], [0.0, 1.0]];
    let together = TreeShap::new(&model).interactions(&rows, &run).unwrap();
    // Off the diagonal one half of 1 - 1/2 - 1/2 + 1/4.
    assert_eq!(together.full(0).unwrap().as_slice().unwrap(), [0.25, 0.125, 0.125, 0.25]);
    assert_eq!(together.top_pairs(&rows, 0, 3).unwrap(), [(0, 1, 0.25)]);
    assert_eq!(together.full(2), None);
    // All four rows as a background are the same cover.
    let all = array![[0.0f32, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    for shap in [
        TreeShap::new(&model).with_background(&all, &run).unwrap(),
        TreeShap::new(&model).with_counts(&all, &run).unwrap(),
    ] {
        let why = shap.explain(&rows, &run).unwrap();
        assert_eq!(why.values().as_slice().unwrap(), [0.375, 0.375, -0.375, 0.125]);
        assert_eq!(why.base()[0], 0.25);
        assert_eq!(shap.interactions(&rows, &run).unwrap(), together);
    }
    // Against one row that has neither, each of the two has one half.
    let shap = TreeShap::new(&model).with_background(&all.slice(s![..1, ..]), &run).unwrap();
    assert_eq!(shap.explain(&rows, &run).unwrap().values().as_slice().unwrap(), [0.5, 0.5, 0.0, 0.0]);
}

#[test]
fn deep_chains_are_exact_in_all_forms() {
    let model = model_of(9, &[(0.0, vec![chain(9, 64)])]);
    let rows = Array2::from_shape_fn((3, 9), |(i, j)| (i * 30 + j) as f32);
    let others = Array2::from_shape_fn((20, 9), |(i, j)| ((i * 31 + j * 17) % 70) as f32);
    assert_exact(&TreeShap::new(&model), &model, &rows, Absent::Cover);
    let met = TreeShap::new(&model).with_background(&others, &Run::new()).unwrap();
    assert_exact(&met, &model, &rows, Absent::Background(&others));
    // 64 and 100 features: more than one word of hits.
    for features in [64, 100] {
        let model = model_of(features, &[(0.0, vec![chain(features as u32, 100)])]);
        let rows = Array2::from_shape_fn((130, features), |(i, j)| ((i * 31 + j * 17) % 70) as f32);
        let shap = TreeShap::new(&model).with_background(&rows.slice(s![..50, ..]), &Run::new()).unwrap();
        for shap in [shap, TreeShap::new(&model)] {
            let why = shap.explain(&rows, &Run::new()).unwrap();
            assert!(shap.additivity(&rows, &why, &Run::new()).unwrap() < 1e-12);
            let sums = shap.interactions(&rows.slice(s![..2, ..]), &Run::new()).unwrap().explanation().unwrap();
            assert!((sums.values() - &why.values().slice(s![..2, .., ..])).iter().all(|gap| gap.abs() < 1e-11));
        }
    }
}

fn rows_of(file: &Value) -> Array2<f32> {
    let rows: Vec<Vec<Option<f32>>> = serde_json::from_value(file.clone()).unwrap();
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j].unwrap_or(f32::NAN))
}

/// XGBoost's and shap's figures are sums in f32.
#[test]
fn equals_xgboosts_interactions_and_shaps_values_against_a_background() {
    let path = format!("{}/tests/fixtures/shap.json", env!("CARGO_MANIFEST_DIR"));
    let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let run = Run::new();
    for case in cases {
        let model = BoostModel::from_xgboost_json(&case["model"].to_string()).unwrap();
        let (rows, background) = (rows_of(&case["rows"]), rows_of(&case["background"]));
        let margins: Vec<f64> = serde_json::from_value(case["margins"].clone()).unwrap();
        let tolerance = 1e-5 * margins.iter().fold(1.0, |most: f64, m| most.max(m.abs()));
        let together = TreeShap::new(&model).interactions(&rows, &run).unwrap();
        let theirs: Vec<Vec<Vec<f64>>> = serde_json::from_value(case["interactions"].clone()).unwrap();
        for (i, theirs) in theirs.iter().enumerate() {
            let full = together.full(i).unwrap();
            for ((j, k, _), &value) in full.indexed_iter() {
                assert!((value - theirs[j][k]).abs() < tolerance, "row {i}, {j}, {k}: {value}, not {}", theirs[j][k]);
            }
        }
        let why = TreeShap::new(&model).with_background(&background, &run).unwrap().explain(&rows, &run).unwrap();
        let theirs: Vec<Vec<f64>> = serde_json::from_value(case["interventional"].clone()).unwrap();
        for ((i, j, _), &value) in why.values().indexed_iter() {
            assert!((value - theirs[i][j]).abs() < tolerance, "row {i}, {j}: {value}, not {}", theirs[i][j]);
        }
        assert!((why.base()[0] - case["expected"].as_f64().unwrap()).abs() < tolerance);
    }
}

/// One category against all others, sorted lists cut in two, and several classes; missing values, categories that the
/// training never saw, and numbers that are none. XGBoost's figures are sums in f32.
#[test]
fn equals_xgboosts_values_and_interactions_of_splits_by_category() {
    let path = format!("{}/tests/fixtures/shap_categories.json", env!("CARGO_MANIFEST_DIR"));
    let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let run = Run::new();
    for (case, largest) in cases.iter().zip([1, 10, 11]) {
        let model = BoostModel::from_xgboost_json(&case["model"].to_string()).unwrap();
        let trees = || model.outputs().iter().flat_map(|output| output.trees());
        let sets = trees().flat_map(|tree| (0..tree.len()).map(|node| tree.categories(node).len()));
        assert_eq!(sets.max(), Some(largest));
        let missing = |left: bool| {
            let went = |tree: &recluster::boost::Tree| {
                (0..tree.len()).any(|i| tree.is_categorical(i) && tree.default_left()[i] == left)
            };
            trees().any(went)
        };
        assert!(missing(true) && missing(false), "missing values go both ways");
        let rows = rows_of(&case["rows"]);
        let features = rows.ncols();
        let shap = TreeShap::new(&model);
        let (why, together) = (shap.explain(&rows, &run).unwrap(), shap.interactions(&rows, &run).unwrap());
        let margins = model.margins(&rows, &run).unwrap();
        let most = margins.iter().fold(1.0, |most: f64, m| most.max(m.abs()));
        let close = |ours: f64, theirs: &Value, what: &str| {
            let theirs = theirs.as_f64().unwrap();
            assert!((ours - theirs).abs() < 2e-6 * most, "{what}: {ours}, not {theirs}");
        };
        for i in 0..rows.nrows() {
            let full = together.full(i).unwrap();
            for o in 0..model.outputs().len() {
                // A model of one output has no list of outputs.
                let of = |name: &str| if margins.ncols() == 1 { &case[name][i] } else { &case[name][i][o] };
                close(margins[[i, o]], of("margins"), "margin");
                // XGBoost's last place is the base value.
                close(why.base()[o], &of("contribs")[features], "base");
                close(why.base()[o], &of("interactions")[features][features], "base");
                for j in 0..features {
                    let value = why.values()[[i, j, o]];
                    close(value, &of("contribs")[j], &format!("row {i}, feature {j}, output {o}"));
                    for k in 0..features {
                        let pair = full[[j, k, o]];
                        close(pair, &of("interactions")[j][k], &format!("row {i}, pair {j}, {k}, output {o}"));
                    }
                }
            }
        }
        // As many rows as make tables say the same.
        let many = ndarray::concatenate(Axis(0), &vec![rows.view(); 6]).unwrap();
        let tabled = shap.explain(&many, &run).unwrap();
        assert_eq!(tabled.values().slice(s![..rows.nrows(), .., ..]), why.values());
    }
}

#[test]
fn parts_are_parts_of_the_whole_and_bad_input_is_named() {
    let mut draw = Draw(11);
    let outputs: Vec<_> = (0..3).map(|o| (f64::from(o), vec![random_tree(&mut draw, 5, 12)])).collect();
    let (model, run) = (model_of(7, &outputs), Run::new());
    let rows = random_rows(&mut draw, 40, 7).mapv(|x| if x.is_nan() { 0.5 } else { x });
    let shap = TreeShap::new(&model);
    let whole = shap.interactions(&rows, &run).unwrap();
    let some = shap.interactions_of(&rows, &[2], &run).unwrap();
    let strip = |all: &Interactions, i: usize, o: usize| all.full(i).unwrap().index_axis(Axis(2), o).to_owned();
    for i in 0..40 {
        assert_eq!(strip(&some, i, 0), strip(&whole, i, 2));
    }
    let mut next = 0;
    let blocks = shap.interaction_blocks(&rows, &run, 7, |first, block| {
        assert_eq!(first, next);
        next += block.values().dim().0;
        assert_eq!(block.values(), &whole.values().slice(s![first..next, .., .., ..]));
        Ok(())
    });
    assert!(blocks.is_ok() && next == 40);
    let labels: Vec<i32> = (0..40).map(|i| i % 3 - 1).collect();
    let (own, why) = shap.explain_own(&rows, &labels, 1, &run).unwrap();
    assert_eq!(own, (0..40).filter(|i| i % 3 == 2).collect::<Vec<_>>());
    let all = shap.explain(&rows, &run).unwrap();
    assert_eq!(why.values().slice(s![.., .., 0]), all.values().select(Axis(0), &own).slice(s![.., .., 1]));
    assert!(matches!(shap.explain_own(&rows, &[0], 0, &run), Err(Error::Shape { .. })));
    assert!(matches!(shap.explain_own(&rows, &labels, 2, &run), Err(Error::Empty { .. })));
    assert!(matches!(shap.interactions_of(&rows, &[3], &run), Err(Error::Output { output: 3, .. })));
    assert!(shap.interaction_blocks(&rows, &run, 0, |_, _| Ok(())).is_err());
    let narrow = Array2::<f32>::zeros((1, 6));
    assert!(matches!(shap.clone().with_background(&narrow, &run), Err(Error::Shape { .. })));
    assert!(matches!(shap.clone().with_counts(&narrow, &run), Err(Error::Shape { .. })));
    assert!(matches!(shap.clone().with_background(&Array2::zeros((0, 7)), &run), Err(Error::Empty { .. })));
    let cancel = recluster::Cancel::default();
    cancel.cancel();
    let stopped = Run::new().cancel(cancel);
    assert!(matches!(shap.interactions(&rows, &stopped), Err(Error::Cancelled { .. })));
    assert!(matches!(shap.clone().with_background(&rows, &stopped), Err(Error::Cancelled { .. })));
}
