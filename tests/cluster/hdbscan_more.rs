//! What a fitted HDBSCAN model says beyond labels: predictions, memberships, layers, pictures, validity; and other inputs.

use ndarray::{Array2, Axis};
use proptest::prelude::*;
use recluster::cluster::{Hdbscan, HdbscanModel, Prediction, Selection};
use recluster::neighbors::Metric;
use recluster::validity::dbcv;
use recluster::{Error, Run, Saved, Size};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// What hdbscan 0.8.44 says of some of its own fits; made by `tests/fixtures/make_cluster.py`.
fn details() -> Vec<(Value, Value)> {
    let files = [
        include_str!("../fixtures/hdbscan_1.json"),
        include_str!("../fixtures/hdbscan_2.json"),
        include_str!("../fixtures/hdbscan_3.json"),
    ];
    let cases: Vec<Value> =
        files.into_iter().flat_map(|text| serde_json::from_str::<Vec<Value>>(text).unwrap()).collect();
    let of = |name: &Value| cases.iter().find(|case| case["name"] == *name).unwrap().clone();
    let details: Vec<Value> = serde_json::from_str(include_str!("../fixtures/hdbscan_5.json")).unwrap();
    details.into_iter().map(|detail| (of(&detail["name"]), detail)).collect()
}

fn table(values: &Value, columns: usize) -> Array2<f32> {
    let values: Vec<f32> = numbers(values).into_iter().map(|x| x as f32).collect();
    Array2::from_shape_vec((values.len() / columns, columns), values).unwrap()
}

fn fit(case: &Value) -> (Array2<f32>, HdbscanModel) {
    let rows = table(&case["rows"], case["columns"].as_u64().unwrap() as usize);
    let count = |key: &str| case["settings"].get(key).and_then(Value::as_u64).map(|n| n as usize);
    let mut settings = Hdbscan::new().min_cluster_size(count("min_cluster_size").unwrap());
    settings = count("min_samples").map_or(settings.clone(), |n| settings.min_samples(n));
    if case["settings"].get("cluster_selection_method").is_some() {
        settings = settings.selection(Selection::Leaf);
    }
    let model = settings.fit(&rows, &Run::new()).unwrap();
    (rows, model)
}

/// Their label of each of our clusters.
fn numbering(model: &HdbscanModel, theirs: &[i32]) -> Vec<usize> {
    let mut number = vec![0; model.clusters()];
    for (&ours, &theirs) in model.labels().iter().zip(theirs) {
        if ours >= 0 && theirs >= 0 {
            number[ours as usize] = theirs as usize;
        }
    }
    number
}

#[test]
fn exemplars_memberships_and_predictions_are_those_of_hdbscan_where_it_agrees_with_itself() {
    let mut compared = 0;
    for (case, detail) in details() {
        let name = case["name"].as_str().unwrap();
        let (rows, model) = fit(&case);
        let run = Run::new();
        let theirs: Vec<i32> = numbers(&detail["labels"]).into_iter().map(|l| l as i32).collect();
        let number = numbering(&model, &theirs);
        let steady = detail["steady"].as_array().unwrap();
        if steady.iter().any(|s| s == "exemplars") {
            for (ours, &c) in model.exemplars().iter().zip(&number) {
                let theirs: Vec<usize> = numbers(&detail["exemplars"][c]).into_iter().map(|i| i as usize).collect();
                assert_eq!(*ours, theirs, "{name}");
            }
            let soft = model.memberships(&rows, &run).unwrap();
            let values = numbers(&detail["memberships"]);
            let (mut same, mut swapped) = (0, 0);
            for (row, &is_steady) in numbers(&detail["steady_memberships"]).iter().enumerate() {
                let mut theirs: Vec<f64> = number.iter().map(|c| values[row * number.len() + c]).collect();
                if is_steady == 0.0 {
                    continue;
                }
                // Ours puts the largest where the label is.
                if let Ok(label) = usize::try_from(model.labels()[row]) {
                    let best = (0..theirs.len()).fold(label, |b, c| if theirs[c] > theirs[b] + 1e-9 { c } else { b });
                    swapped += usize::from(best != label);
                    theirs.swap(best, label);
                }
                let off = soft.row(row).iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(off < 1e-6, "{name} row {row}: {} is not {theirs:?}", soft.row(row));
                same += 1;
            }
            println!("{name}: {same} rows with the same memberships, {swapped} of them swapped");
            compared += same;
        }
        let new = table(&detail["new"], rows.ncols());
        let found = model.predict(&rows, &new, &run).unwrap();
        let (labels, strengths) = (numbers(&detail["predicted"]), numbers(&detail["strengths"]));
        let steady = numbers(&detail["steady_predicted"]);
        let (mut same, mut other, mut off) = (0, 0, 0.0);
        for i in (0..new.nrows()).filter(|&i| steady[i] != 0.0) {
            let theirs = if labels[i] < 0.0 { None } else { number.iter().position(|&c| c == labels[i] as usize) };
            if usize::try_from(found.labels[i]).ok() == theirs {
                same += 1;
                off += (found.membership[i] - strengths[i]).abs();
            } else {
                other += 1;
            }
        }
        // There a fitted row counts itself among its neighbours, so densities differ a little.
        println!(
            "{name}: {same} new rows with the same label, {other} others; strengths {} off",
            off / f64::from(same)
        );
        assert!(other <= 4, "{name}");
        hangs_by_its_lightest_edge(&rows, &model, &new, &found);
    }
    assert!(compared > 500, "{compared} rows");
}

/// What prediction means, by looking at all rows.
fn hangs_by_its_lightest_edge(rows: &Array2<f32>, model: &HdbscanModel, new: &Array2<f32>, found: &Prediction) {
    let (tree, core) = (model.condensed_tree(), model.core_distances());
    for (i, row) in new.outer_iter().enumerate() {
        let far: Vec<f64> = rows
            .outer_iter()
            .map(|other| {
                other.iter().zip(row).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum::<f64>().sqrt()
            })
            .collect();
        let mut sorted = far.clone();
        sorted.sort_by(f64::total_cmp);
        let own = sorted[model.min_samples() - 1];
        let weight = |j: usize| far[j].max(own).max(core[j]);
        let best =
            (0..far.len()).min_by(|&a, &b| (weight(a), far[a]).partial_cmp(&(weight(b), far[b])).unwrap()).unwrap();
        assert_eq!(found.neighbor[i], best);
        let (left, mut c) = (tree.row_lambda()[best], tree.row_cluster()[best] as usize);
        let lambda = (1.0 / weight(best)).min(left);
        while lambda < left && tree.clusters()[c].birth >= lambda && c != 0 {
            c = tree.clusters()[c].parent.unwrap() as usize;
        }
        let inside =
            |s: u32| std::iter::successors(Some(c as u32), |&c| tree.clusters()[c as usize].parent).any(|c| c == s);
        let label = model.selected().iter().position(|&s| inside(s));
        assert_eq!(usize::try_from(found.labels[i]).ok(), label);
        let strength = label.map_or(0.0, |l| (lambda / tree.clusters()[model.selected()[l] as usize].death).min(1.0));
        approx::assert_abs_diff_eq!(found.membership[i], strength, epsilon = 1e-12);
    }
}

#[test]
fn validity_is_near_what_hdbscan_says_in_different_row_orders() {
    for (case, detail) in details() {
        let name = case["name"].as_str().unwrap();
        let (rows, model) = fit(&case);
        let theirs: Vec<i32> = numbers(&detail["labels"]).into_iter().map(|l| l as i32).collect();
        let score = dbcv(&rows, &theirs, &Run::new()).unwrap().score;
        let spread = numbers(&detail["validity_of_orders"]);
        println!("{name}: {score} in {spread:?}; {} {}", model.relative_validity(), detail["relative_validity"]);
        approx::assert_abs_diff_eq!(score, detail["validity_densest_first"].as_f64().unwrap(), epsilon = 1e-6);
        // Ours takes the densest rows for internal; theirs any that can be.
        assert!((spread[0]..=spread[1] + 0.15).contains(&score), "{name}: {score} {spread:?}");
        if detail["steady"].as_array().unwrap().iter().any(|s| s == "relative_validity") {
            // A row on a tie between two clusters may be in the other one there, and brings its edges with it.
            let number = numbering(&model, &theirs);
            let of = |label: i32| usize::try_from(label).map_or(-1, |label| number[label] as i32);
            let tied = model.labels().iter().zip(&theirs).filter(|&(&ours, &theirs)| of(ours) != theirs).count();
            let off = (model.relative_validity() - detail["relative_validity"].as_f64().unwrap()).abs();
            assert!(off < if tied == 0 { 1e-6 } else { 0.02 }, "{name}: {off} off, {tied} rows elsewhere");
        }
    }
}

/// Uniform numbers in [0, 1), the same everywhere.
fn uniform(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn blobs(n: usize, columns: usize, centers: usize, spread: f64, seed: u64) -> Array2<f32> {
    let mut next = uniform(seed);
    let at: Vec<f64> = (0..centers * columns).map(|_| 20.0 * next() - 10.0).collect();
    Array2::from_shape_fn((n, columns), |(i, j)| {
        (at[i % centers * columns + j] + spread * ((0..12).map(|_| next()).sum::<f64>() - 6.0)) as f32
    })
}

#[test]
fn a_row_of_the_fit_is_predicted_as_it_was_fitted_alone_or_in_company() {
    for (rows, metric) in [
        (blobs(900, 2, 5, 0.9, 1), Metric::Euclidean),
        (blobs(500, 24, 4, 2.0, 2), Metric::Euclidean),
        (blobs(500, 3, 4, 1.0, 3), Metric::Manhattan),
        (blobs(400, 10, 4, 1.0, 4), Metric::Chebyshev),
        (blobs(400, 6, 4, 1.0, 5), Metric::Cosine),
        (blobs(400, 130, 4, 3.0, 6), Metric::Correlation),
        (Array2::from_shape_fn((300, 2), |(i, j)| (i * (j + 3) % 17) as f32), Metric::Euclidean),
    ] {
        let run = Run::new();
        for settings in [
            Hdbscan::new(),
            Hdbscan::new().min_samples(2).allow_single_cluster(true).epsilon(0.5),
            Hdbscan::new().reach(1.5),
        ] {
            let model = settings.metric(metric).min_cluster_size(10).fit(&rows, &run).unwrap();
            let again = model.predict(&rows, &rows, &run).unwrap();
            assert_eq!(again.labels, model.labels());
            assert_eq!(again.membership, model.membership());
            assert_eq!(again.outlier_scores, model.outlier_scores());
            let mut next = uniform(9);
            let near = rows.mapv(|x| x + (next() as f32 - 0.5));
            let many = model.predict(&rows, &near, &run.clone().threads(1)).unwrap();
            assert!(many.membership.iter().chain(&many.outlier_scores).all(|x| (0.0..=1.0).contains(x)));
            let predictor = model.predictor(&rows, &run).unwrap();
            assert!(matches!(predictor.predict(&Array2::zeros((1, 40)), &run), Err(Error::Shape { .. })));
            for i in [0, 7, 133] {
                let alone = model.predict(&rows, &near.select(Axis(0), &[i]), &run).unwrap();
                assert_eq!((alone.labels[0], alone.membership[0]), (many.labels[i], many.membership[i]));
                assert_eq!(predictor.predict(&near.select(Axis(0), &[i]), &run).unwrap(), alone);
            }
            if model.clusters() > 0 {
                let soft = model.memberships(&rows, &run).unwrap();
                let top = model.top_memberships(&rows, 2, &run).unwrap();
                for (i, values) in soft.outer_iter().enumerate() {
                    assert!(values.iter().all(|v| (0.0..=1.0).contains(v)) && values.sum() <= 1.0 + 1e-9);
                    let best = values.iter().copied().fold(0.0, f64::max);
                    assert_eq!(top.values[[i, 0]], best);
                    if let Ok(label) = usize::try_from(model.labels()[i]) {
                        assert_eq!(values[label], best);
                        assert_eq!(top.clusters[[i, 0]] as usize, label);
                    }
                }
                let medoids = model.medoids(&rows).unwrap();
                for (c, (&medoid, exemplars)) in medoids.iter().zip(model.exemplars()).enumerate() {
                    assert_eq!(model.labels()[medoid], c as i32);
                    assert!(!exemplars.is_empty() && exemplars.iter().all(|&i| model.labels()[i] == c as i32));
                }
            }
        }
        let model = Hdbscan::new().metric(metric).fit(&rows, &run).unwrap();
        let other = rows.mapv(|x| x * 1.5 + 1.0);
        assert!(
            metric == Metric::Correlation || matches!(model.predict(&other, &rows, &run), Err(Error::Setting { .. }))
        );
        assert!(model.predict(&rows, &Array2::zeros((3, rows.ncols() + 1)), &run).is_err());
    }
}

/// The fit of rows repeated as often as their weight.
#[test]
fn whole_weights_are_repeated_rows() {
    for (columns, seed) in [(1, 1), (2, 2), (3, 3), (20, 4)] {
        let rows = blobs(150, columns, 4, 1.0, seed);
        let mut next = uniform(seed);
        let weights: Vec<f64> =
            (0..150).map(|i| if i == 17 { 30.0 } else { 1.0 + (4.0 * next() * next()).floor() }).collect();
        let copies: Vec<usize> = (0..150).flat_map(|i| std::iter::repeat_n(i, weights[i] as usize)).collect();
        let repeated = rows.select(Axis(0), &copies);
        for settings in [
            Hdbscan::new(),
            Hdbscan::new().min_samples(1).min_cluster_size(8),
            Hdbscan::new().min_samples(12).selection(Selection::Leaf),
            Hdbscan::new().min_samples(40).min_cluster_size(20).allow_single_cluster(true),
            Hdbscan::new().min_samples(5).min_cluster_size(15).reach(2.0),
            Hdbscan::new().min_samples(5).min_cluster_size(150).max_noise(0.1),
        ] {
            let a = settings.fit_weighted(&rows, &weights, &Run::new()).unwrap();
            let b = settings.fit(&repeated, &Run::new()).unwrap();
            for (i, &row) in copies.iter().enumerate() {
                assert_eq!(a.labels()[row], b.labels()[i], "{columns} {settings:?} {row}");
                assert_eq!(a.membership()[row], b.membership()[i], "{columns} {settings:?} {row}");
                assert_eq!(a.core_distances()[row], b.core_distances()[i]);
                approx::assert_abs_diff_eq!(a.outlier_scores()[row], b.outlier_scores()[i], epsilon = 1e-12);
            }
            for (x, y) in a.persistence().iter().zip(b.persistence()) {
                approx::assert_relative_eq!(*x, *y, epsilon = 1e-9);
            }
            assert_eq!((a.clusters(), a.min_cluster_size()), (b.clusters(), b.min_cluster_size()));
        }
    }
    let rows = blobs(60, 2, 2, 1.0, 1);
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e12] {
        let mut weights = vec![1.0; 60];
        weights[5] = bad;
        let told = Hdbscan::new().fit_weighted(&rows, &weights, &Run::new());
        assert!(matches!(told, Err(Error::Setting { name: "weights", .. })), "{bad}");
    }
    assert!(matches!(Hdbscan::new().fit_weighted(&rows, &[1.0], &Run::new()), Err(Error::Shape { .. })));
    // Weights below one: half weights and half sizes are the same clusters.
    let a = Hdbscan::new().min_samples(6).min_cluster_size(10).fit(&rows, &Run::new()).unwrap();
    let settings = Hdbscan::new().min_samples(3).min_cluster_size(5);
    let b = settings.fit_weighted(&rows, &[0.5; 60], &Run::new()).unwrap();
    assert_eq!((a.labels(), a.core_distances()), (b.labels(), b.core_distances()));
}

fn distances(rows: &Array2<f32>, norm: impl Fn(f64, f64) -> f64) -> Array2<f64> {
    Array2::from_shape_fn((rows.nrows(), rows.nrows()), |(i, j)| {
        (0..rows.ncols()).fold(0.0, |sum, c| norm(sum, (f64::from(rows[[i, c]]) - f64::from(rows[[j, c]])).abs()))
    })
}

#[test]
fn distances_alone_give_the_same_clusters_as_rows() {
    for (rows, metric) in
        [(blobs(300, 2, 4, 1.0, 1), Metric::Manhattan), (blobs(200, 12, 3, 1.0, 2), Metric::Chebyshev)]
    {
        let norm = |sum: f64, gap: f64| if metric == Metric::Manhattan { sum + gap } else { sum.max(gap) };
        let table = distances(&rows, norm);
        let settings = Hdbscan::new().min_cluster_size(8).min_samples(4).metric(metric);
        let a = settings.fit(&rows, &Run::new()).unwrap();
        let b = settings.fit_distances(&table, &Run::new()).unwrap();
        assert_eq!(a.spanning_tree().weights(), b.spanning_tree().weights());
        assert_eq!((a.labels(), a.core_distances()), (b.labels(), b.core_distances()));
        // In another order.
        let order: Vec<usize> = (0..rows.nrows()).map(|i| i * 7 % rows.nrows()).collect();
        let shuffled = table.select(Axis(0), &order).select(Axis(1), &order);
        let c = settings.fit_distances(&shuffled, &Run::new().threads(2)).unwrap();
        assert!(
            order
                .iter()
                .enumerate()
                .all(|(i, &j)| c.labels()[i] == b.labels()[j] && c.membership()[i] == b.membership()[j])
        );
        assert!(b.predict(&rows, &rows, &Run::new()).is_err());
    }
    let good = distances(&blobs(20, 2, 2, 1.0, 1), |sum, gap| sum + gap);
    let run = Run::new();
    let mut bad = good.clone();
    bad[[3, 4]] += 1.0;
    assert!(matches!(Hdbscan::new().fit_distances(&bad, &run), Err(Error::Distance { row: 4, column: 3, .. })));
    bad[[3, 4]] = -1.0;
    assert!(matches!(Hdbscan::new().fit_distances(&bad, &run), Err(Error::Distance { row: 3, column: 4, .. })));
    bad[[3, 4]] = f64::NAN;
    assert!(matches!(Hdbscan::new().fit_distances(&bad, &run), Err(Error::NotFinite { row: 3, column: 4, .. })));
    assert!(matches!(Hdbscan::new().fit_distances(&Array2::zeros((3, 2)), &run), Err(Error::Shape { .. })));
    assert!(Hdbscan::new().fit_distances(&Array2::zeros((0, 0)), &run).is_err());
    let one = Hdbscan::new().fit_distances(&Array2::zeros((1, 1)), &run).unwrap();
    assert_eq!(one.labels(), [-1]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    /// The tree of every metric against all pairs.
    #[test]
    fn trees_of_other_metrics_are_minimum_spanning_trees(
        n in 2usize..300,
        columns in 1usize..30,
        min_samples in 1usize..60,
        grid in any::<bool>(),
        largest in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let mut next = uniform(seed);
        let rows = Array2::from_shape_fn((n, columns), |_| if grid { (next() * 4.0).floor() as f32 } else { next() as f32 });
        let metric = if largest { Metric::Chebyshev } else { Metric::Manhattan };
        let settings = Hdbscan::new().min_samples(min_samples).metric(metric);
        let model = settings.fit(&rows, &Run::new()).unwrap();
        let table = distances(&rows, |sum, gap| if largest { sum.max(gap) } else { sum + gap });
        let oracle = settings.fit_distances(&table, &Run::new()).unwrap();
        prop_assert_eq!(model.core_distances(), oracle.core_distances());
        prop_assert_eq!(model.spanning_tree().weights(), oracle.spanning_tree().weights());
    }

    /// Clusters that reach for noise keep their rows and take in rows that are within reach of one of theirs, equal rows alike,
    /// whatever the order of the rows.
    #[test]
    fn clusters_reach_for_noise(
        n in 2usize..150,
        columns in 1usize..4,
        grid in any::<bool>(),
        size in 2usize..12,
        min_samples in 1usize..12,
        reach in 0.1f64..4.0,
        seed in any::<u64>(),
    ) {
        let mut next = uniform(seed);
        // Denser towards 0, so that there is noise.
        let mut value = || {
            let x = next() * 8.0 - 4.0;
            (if grid { x.round() } else { x * x * x.abs() }) as f32
        };
        let rows = Array2::from_shape_fn((n, columns), |_| value());
        let run = Run::new();
        let settings = Hdbscan::new().min_cluster_size(size).min_samples(min_samples).allow_single_cluster(seed % 2 == 0);
        let strict = settings.fit(&rows, &run).unwrap();
        let model = settings.clone().reach(reach).fit(&rows, &run).unwrap();
        prop_assert_eq!(&strict.recut(&settings.clone().reach(reach)).unwrap(), &model);
        prop_assert_eq!(strict.persistence(), model.persistence());
        let core = model.core_distances();
        let mut limit = vec![0.0f64; model.clusters()];
        for (&label, &core) in strict.labels().iter().zip(core).filter(|row| *row.0 >= 0) {
            limit[label as usize] = limit[label as usize].max(reach * core);
        }
        let gaps = distances(&rows, |sum, gap| sum + gap * gap);
        let weight = |i: usize, j: usize| gaps[[i, j]].sqrt().max(core[i]).max(core[j]);
        for i in 0..n {
            let (before, after) = (strict.labels()[i], model.labels()[i]);
            prop_assert!(before == after || before < 0);
            if before >= 0 || after < 0 {
                prop_assert_eq!(strict.membership()[i], model.membership()[i]);
            } else {
                prop_assert!((0.0..=1.0).contains(&model.membership()[i]));
                let nearest = (0..n).filter(|&j| j != i && model.labels()[j] == after).map(|j| weight(i, j));
                prop_assert!(nearest.fold(f64::INFINITY, f64::min) <= limit[after as usize] * (1.0 + 1e-9));
            }
            for j in 0..i {
                prop_assert!(rows.row(i) != rows.row(j) || after == model.labels()[j]);
            }
        }
        let turned: Vec<usize> = (0..n).rev().collect();
        let again = settings.reach(reach).fit(&rows.select(Axis(0), &turned), &run).unwrap();
        prop_assert!(turned.iter().zip(again.labels()).all(|(&row, &label)| model.labels()[row] == label));
    }

    /// The least size is halved while too much is noise and less of it is left, and not once more; whatever the order of the rows.
    #[test]
    fn smaller_clusters_where_too_much_is_noise(
        n in 2usize..400,
        columns in 1usize..3,
        groups in 1usize..12,
        spread in 0.1f64..3.0,
        size in 2usize..200,
        most in 0.0f64..0.6,
        single in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let rows = blobs(n, columns, groups, spread, seed);
        let run = Run::new();
        let settings = Hdbscan::new().min_cluster_size(size).min_samples(5).allow_single_cluster(single);
        let noise = |model: &HdbscanModel| {
            model.labels().iter().filter(|&&label| label < 0).count() as f64 / n as f64
        };
        let mut expected = settings.fit(&rows, &run).unwrap();
        for half in [size / 2, size / 4, size / 8] {
            if noise(&expected) <= most || half < 10 {
                break;
            }
            let finer = settings.clone().min_cluster_size(half).fit(&rows, &run).unwrap();
            if noise(&finer) > 0.9 * noise(&expected) {
                break;
            }
            expected = finer;
        }
        let settings = settings.max_noise(most);
        let model = settings.fit(&rows, &run).unwrap();
        prop_assert_eq!(&model, &expected);
        prop_assert_eq!(&expected.recut(&settings).unwrap(), &model);
        let turned: Vec<usize> = (0..n).rev().collect();
        let again = settings.fit(&rows.select(Axis(0), &turned), &run).unwrap();
        prop_assert!(turned.iter().zip(again.labels()).all(|(&row, &label)| model.labels()[row] == label));
    }

    /// Anything that is asked of any model has an answer without NaN.
    #[test]
    fn nothing_is_ever_nan(n in 1usize..60, columns in 1usize..4, kinds in 1u32..9, size in 2usize..9, seed in any::<u64>()) {
        let mut next = uniform(seed);
        let rows = Array2::from_shape_fn((n, columns), |_| (next() * f64::from(kinds)).floor() as f32);
        let run = Run::new();
        let settings = Hdbscan::new().min_cluster_size(size).allow_single_cluster(seed % 2 == 0).min_persistence(0.1);
        let model = settings.reach((seed % 3) as f64).fit(&rows, &run).unwrap();
        prop_assert!((-1.0..=1.0).contains(&model.relative_validity()));
        let validity = dbcv(&rows, model.labels(), &run).unwrap();
        prop_assert!((-1.0..=1.0).contains(&validity.score));
        prop_assert!(validity.clusters.iter().all(|v| (-1.0..=1.0).contains(v)));
        prop_assert!(model.memberships(&rows, &run).unwrap().iter().all(|v| (0.0..=1.0).contains(v)));
        prop_assert_eq!(model.predict(&rows, &rows, &run).unwrap().labels, model.labels());
        prop_assert_eq!(model.medoids(&rows).unwrap().len(), model.clusters());
        let svg = model.tree_svg();
        prop_assert!(svg.ends_with("</svg>") && !svg.contains("NaN") && !svg.contains("inf"));
        prop_assert!(!model.tree_text(10).contains("NaN"));
        prop_assert!(model.layers().iter().all(|l| l.min_cluster_size <= l.up_to && l.persistence > 0.0));
        prop_assert_eq!(model.spanning_tree().single_linkage().len(), n - 1);
    }
}

/// Two normal clouds that touch: what is noise on their far sides comes in, what is far from both does not.
#[test]
fn a_reach_takes_in_outskirts_and_leaves_outliers() {
    let mut next = uniform(3);
    let mut normal = || (-2.0 * (1.0 - next()).ln()).sqrt() * (std::f64::consts::TAU * next()).cos();
    let mut rows =
        Array2::from_shape_fn((1_200, 2), |(i, j)| normal() as f32 + if j == 0 { 5.0 * (i % 2) as f32 } else { 0.0 });
    rows.row_mut(0).fill(60.0);
    let settings = Hdbscan::new().min_cluster_size(100).min_samples(10);
    let noise = |model: &HdbscanModel| model.labels().iter().filter(|&&label| label < 0).count();
    let run = Run::new();
    let strict = settings.fit(&rows, &run).unwrap();
    let model = settings.clone().reach(2.0).fit(&rows, &run).unwrap();
    assert_eq!((strict.clusters(), model.clusters()), (2, 2));
    assert!(noise(&strict) > 60 && noise(&model) < 25, "{} and {}", noise(&strict), noise(&model));
    assert_eq!(model.labels()[0], -1);
    let right =
        (0..1_200).filter(|&i| model.labels()[i] >= 0 && model.labels()[i] == model.labels()[2 - i % 2]).count();
    assert!(right > 1_100, "{right}");
    // A new row beside one that was taken in.
    let taken = (1..1_200).find(|&i| strict.labels()[i] < 0 && model.labels()[i] >= 0).unwrap();
    let new = rows.select(Axis(0), &[taken]).mapv(|x| x + 0.001);
    let found = model.predict(&rows, &new, &run).unwrap();
    assert_eq!(found.labels[0], model.labels()[taken]);
    let most = model.membership()[found.neighbor[0]];
    assert!(found.membership[0] > 0.0 && found.membership[0] <= most);
    assert_eq!(strict.predict(&rows, &new, &run).unwrap().labels[0], -1);
    assert_eq!(HdbscanModel::from_json(&model.to_json().unwrap()).unwrap(), model);
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(settings.clone().reach(bad).fit(&rows, &run), Err(Error::Setting { name: "reach", .. })));
    }
}

/// Thirty groups, all below the least size, are found, and a share that is no share is refused.
#[test]
fn many_groups_below_the_least_size_are_found() {
    let rows = blobs(1_500, 6, 30, 0.3, 5);
    let settings = Hdbscan::new().min_cluster_size(Size::Share(0.05)).min_samples(10);
    let run = Run::new();
    let (fixed, model) =
        (settings.fit(&rows, &run).unwrap(), settings.clone().max_noise(0.1).fit(&rows, &run).unwrap());
    assert!(fixed.clusters() < 15, "{}", fixed.clusters());
    assert_eq!((model.clusters(), model.min_cluster_size(), model.min_samples()), (30, 37, 10));
    assert_eq!(HdbscanModel::from_json(&model.to_json().unwrap()).unwrap(), model);
    for bad in [-0.1, 1.1, f64::NAN] {
        assert!(matches!(
            settings.clone().max_noise(bad).fit(&rows, &run),
            Err(Error::Setting { name: "max_noise", .. })
        ));
    }
}

#[test]
fn layers_count_the_leaves_of_every_size() {
    for rows in [blobs(700, 2, 7, 1.2, 3), blobs(500, 5, 12, 1.5, 8)] {
        let model = Hdbscan::new().min_samples(4).fit(&rows, &Run::new()).unwrap();
        let layers = model.layers();
        assert!(layers.windows(2).all(|pair| pair[0].up_to + 1 == pair[1].min_cluster_size));
        for layer in &layers {
            for size in [layer.min_cluster_size, layer.up_to] {
                let cut = model.recut(&Hdbscan::new().min_cluster_size(size).selection(Selection::Leaf)).unwrap();
                assert_eq!(cut.clusters(), layer.clusters, "{layer:?}");
            }
        }
        assert!(layers.iter().any(|layer| layer.peak));
    }
    // As many groups as there are, over the widest range of sizes.
    let rows = blobs(600, 2, 6, 0.3, 5);
    let layers = Hdbscan::new().fit(&rows, &Run::new()).unwrap().layers();
    let best = layers.iter().max_by(|a, b| a.persistence.total_cmp(&b.persistence)).unwrap();
    assert!(best.peak && best.clusters == 6, "{best:?}");
}

#[test]
fn trees_are_told_in_words_and_in_the_order_of_scipy() {
    let rows = blobs(300, 2, 3, 0.5, 5);
    let model = Hdbscan::new().min_cluster_size(20).fit(&rows, &Run::new()).unwrap();
    let text = model.tree_text(100);
    assert_eq!(text.lines().count(), model.condensed_tree().clusters().len());
    assert!(text.starts_with("300 rows, distance all to"));
    assert!((0..3).all(|c| text.contains(&format!("= cluster {c}"))));
    assert!(model.tree_text(1).contains("smaller clusters not shown"));
    let svg = model.tree_svg();
    assert_eq!(svg.matches("<path").count(), model.condensed_tree().clusters().len());
    let merges = model.spanning_tree().single_linkage();
    let last = merges[merges.len() - 1];
    assert_eq!((merges.len(), last.size), (299, 300));
    for (i, merge) in merges.iter().enumerate() {
        let size = |part: u32| if part < 300 { 1 } else { merges[part as usize - 300].size };
        assert!(merge.a < merge.b && (merge.b as usize) < 300 + i);
        assert_eq!(merge.size, size(merge.a) + size(merge.b));
    }
}

#[test]
fn a_million_rows_that_say_little_are_answered() {
    let run = Run::new();
    let equal = Hdbscan::new().fit(&Array2::from_elem((1_000_000, 2), 1.5f32), &run).unwrap();
    assert!(equal.labels().iter().all(|&l| l == -1) && equal.core_distances().iter().all(|&d| d == 0.0));
    let two = Array2::from_shape_fn((1_000_000, 2), |(i, _)| (i % 3 == 0) as u8 as f32);
    let model = Hdbscan::new().fit(&two, &run).unwrap();
    assert_eq!(model.sizes(), [666_666, 333_334]);
    assert!(model.membership().iter().all(|&m| m == 1.0));
    assert!(model.stability().iter().chain(model.persistence()).all(|x| x.is_finite()));
    assert!(model.layers().len() < 3);
}

#[test]
fn the_root_counts_by_its_weight() {
    // At some weight the root begins to win over the three groups, and then keeps winning.
    let rows = blobs(600, 2, 3, 0.7, 5);
    let base = Hdbscan::new().min_cluster_size(30).min_samples(10);
    let clusters = |hdbscan: Hdbscan| hdbscan.fit(&rows, &Run::new()).unwrap().clusters();
    let all = clusters(base.clone());
    assert!(all >= 2);
    assert_eq!(clusters(base.clone().single_cluster_weight(1e9)), 1);
    assert_eq!(
        base.clone().single_cluster_weight(1.0).fit(&rows, &Run::new()).unwrap().labels(),
        base.clone().allow_single_cluster(true).fit(&rows, &Run::new()).unwrap().labels()
    );
    let found: Vec<usize> = (0..60)
        .map(|w| clusters(base.clone().single_cluster_weight(if w == 0 { 0.0 } else { 2f64.powi(w - 20) })))
        .collect();
    assert_eq!(found[0], all, "at no weight the root is never chosen");
    let whole = found.iter().position(|&count| count == 1).unwrap();
    assert!(found[..whole].iter().all(|&count| count == all) && found[whole..].iter().all(|&count| count == 1));
    for weight in [-0.1, f64::NAN, f64::INFINITY] {
        assert!(base.clone().single_cluster_weight(weight).fit(&rows, &Run::new()).is_err());
    }
}

/// One point of little weight has no neighbour that could make up for it; its core distance is 0.
#[test]
fn rows_too_light_for_min_samples_have_the_neighbours_that_there_are() {
    let run = Run::new();
    let equal = Array2::from_elem((5, 2), 3.0f32);
    let apart = Array2::from_shape_fn((15, 2), |(i, j)| (i * i + 7 * j) as f32);
    for rows in [equal, apart] {
        let weights = vec![0.01; rows.nrows()];
        for samples in [1, 15, usize::MAX] {
            let hdbscan = Hdbscan::new().min_cluster_size(2).min_samples(samples).allow_single_cluster(true);
            let model = hdbscan.fit_weighted(&rows, &weights, &run).unwrap();
            assert!(model.core_distances().iter().all(|x| x.is_finite()));
            assert_eq!(model.labels().len(), rows.nrows());
        }
    }
}

/// 1 / distance must be a number: with less, memberships were not.
#[test]
fn distances_without_a_density_are_refused() {
    let table =
        |near: f64| Array2::from_shape_fn((6, 6), |(i, j)| if i == j { 0.0 } else { near * (1 + i + j) as f64 });
    let fit = |near| Hdbscan::new().min_cluster_size(2).fit_distances(&table(near), &Run::new());
    let refused = fit(5e-324).unwrap_err();
    assert!(matches!(refused, Error::Distance { row: 0, column: 1, .. }), "{refused}");
    let model = fit(1e-289).unwrap();
    assert!(model.membership().iter().chain(model.outlier_scores()).all(|x| (0.0..=1.0).contains(x)));
}
