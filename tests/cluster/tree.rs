//! Genie, DBSCAN and agglomerative clustering against genieclust and scikit-learn, and their promises.

use ndarray::{Array2, Axis};
use proptest::prelude::*;
use recluster::cluster::{Agglomerative, Dbscan, Genie, Hdbscan, Linkage};
use recluster::validity::adjusted_rand;
use recluster::{Clusterer, Error, NOISE, Run, Saved};
use serde_json::Value;
use std::sync::LazyLock;

struct Case {
    name: String,
    rows: Array2<f32>,
    value: Value,
}

static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let all: Vec<Value> = serde_json::from_str(include_str!("../fixtures/clusterers_tree.json")).unwrap();
    let case = |value: Value| {
        let columns = value["columns"].as_u64().unwrap() as usize;
        let numbers: Vec<f32> = value["rows"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect();
        let rows = Array2::from_shape_vec((numbers.len() / columns, columns), numbers).unwrap();
        Case { name: value["name"].as_str().unwrap().to_string(), rows, value }
    };
    all.into_iter().map(case).collect()
});

fn labels(value: &Value) -> Vec<i32> {
    value.as_array().unwrap().iter().map(|x| x.as_i64().unwrap() as i32).collect()
}

fn squared(rows: &Array2<f32>, a: usize, b: usize) -> f64 {
    (0..rows.ncols()).map(|c| (f64::from(rows[[a, c]]) - f64::from(rows[[b, c]])).powi(2)).sum()
}

fn number(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

/// A row order that mixes everything.
fn shuffled(n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|&i| (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23));
    order
}

#[test]
fn genie_gives_genieclusts_partitions() {
    assert!(CASES.len() > 20);
    let mut compared = 0;
    for case in CASES.iter() {
        for genie in case.value["genie"].as_array().unwrap() {
            let settings = Genie::new(number(&genie["clusters"]))
                .gini_threshold(genie["threshold"].as_f64().unwrap())
                .min_samples(number(&genie["m"]).max(1));
            let model = settings.fit(&case.rows, &Run::new()).unwrap();
            let ari = adjusted_rand(model.labels(), &labels(&genie["labels"])).unwrap();
            assert_eq!(ari, 1.0, "{} {settings:?}", case.name);
            assert!(model.dendrogram().merges().is_sorted_by(|a, b| a.distance <= b.distance));
            compared += 1;
        }
    }
    assert!(compared >= 300, "{compared}");
}

#[test]
fn one_tree_serves_hdbscan_genie_and_dbscan() {
    let run = Run::new();
    for case in &CASES[..8] {
        let fitted = Hdbscan::new().min_samples(4).fit(&case.rows, &run).unwrap();
        for clusters in [1, 2, 7] {
            let alone = Genie::new(clusters).min_samples(4).fit(&case.rows, &run).unwrap();
            assert_eq!(Genie::new(clusters).fit_model(&fitted, &case.rows, &run).unwrap(), alone);
            assert_eq!(
                Genie::new(3).min_samples(4).fit(&case.rows, &run).unwrap().cut(clusters).unwrap(),
                alone.labels()
            );
        }
        let alone = Dbscan::new(0.7).min_samples(5).fit(&case.rows, &run).unwrap();
        assert_eq!(Dbscan::new(0.7).fit_model(&fitted, &case.rows, &run).unwrap(), alone);
        assert!(Dbscan::new(0.7).min_samples(4).fit_model(&fitted, &case.rows, &run).is_err());
        assert!(Genie::new(2).min_samples(5).fit_model(&fitted, &case.rows, &run).is_err());
        assert!(Genie::new(2).fit_model(&fitted, &CASES[9].rows, &run).is_err());
    }
}

/// What the rule for noise says, from the spanning tree of HDBSCAN by hand.
#[test]
fn genies_noise_is_what_hangs_loosely_on_the_tree() {
    let run = Run::new();
    for case in CASES.iter() {
        let fitted = Hdbscan::new().min_samples(5).fit(&case.rows, &run).unwrap();
        let n = case.rows.nrows();
        let mut beside = vec![Vec::new(); n];
        for (a, b, _) in fitted.spanning_tree().edges() {
            beside[a].push(b);
            beside[b].push(a);
        }
        let model = Genie::new(2).min_samples(5).noise(true).fit(&case.rows, &run).unwrap();
        for row in 0..n {
            let [on] = beside[row][..] else {
                assert_ne!(model.labels()[row], NOISE, "{} {row}", case.name);
                continue;
            };
            let others = (0..n).filter(|&other| other != on && other != row);
            let near = others.filter(|&other| squared(&case.rows, on, other) < squared(&case.rows, on, row));
            let expected = if near.count() < 5 { model.labels()[on] } else { NOISE };
            assert_eq!(model.labels()[row], expected, "{} {row}", case.name);
        }
    }
}

#[test]
fn dbscan_gives_scikit_learns_clusters() {
    for case in CASES.iter() {
        for fit in case.value["dbscan"].as_array().unwrap() {
            let eps = fit["eps"].as_f64().unwrap();
            let model = Dbscan::new(eps).min_samples(number(&fit["min_samples"])).fit(&case.rows, &Run::new()).unwrap();
            let theirs = labels(&fit["labels"]);
            let core = labels(&fit["core"]);
            assert_eq!(
                model.core_rows().iter().map(|&row| row as i32).collect::<Vec<_>>(),
                core,
                "{} {eps}",
                case.name
            );
            let at = |all: &[i32]| core.iter().map(|&row| all[row as usize]).collect::<Vec<_>>();
            if !core.is_empty() {
                assert_eq!(adjusted_rand(&at(model.labels()), &at(&theirs)).unwrap(), 1.0, "{} {eps}", case.name);
            }
            for (row, (&ours, &theirs)) in model.labels().iter().zip(&theirs).enumerate() {
                assert_eq!(ours == NOISE, theirs == NOISE, "{} {eps} {row}", case.name);
                // A border row is with its nearest core row.
                let squared = |other: i32| squared(&case.rows, row, other as usize);
                if ours != NOISE {
                    let nearest = core.iter().map(|&c| squared(c)).fold(f64::INFINITY, f64::min);
                    assert!(core.iter().any(|&c| squared(c) == nearest && model.labels()[c as usize] == ours));
                }
            }
            assert_eq!(model.predict(&case.rows, &case.rows, &Run::new()).unwrap(), model.labels());
        }
    }
}

#[test]
fn linkages_give_scikit_learns_clusters_and_distances() {
    for case in CASES.iter() {
        for fit in case.value["linkages"].as_array().unwrap() {
            let linkage = match fit["linkage"].as_str().unwrap() {
                "ward" => Linkage::Ward,
                "average" => Linkage::Average,
                "complete" => Linkage::Complete,
                _ => Linkage::Single,
            };
            let what = format!("{} {linkage:?}", case.name);
            let model = Agglomerative::new(number(&case.value["clusters"])).linkage(linkage);
            let model = model.fit(&case.rows, &Run::new()).unwrap();
            assert_eq!(adjusted_rand(model.labels(), &labels(&fit["labels"])).unwrap(), 1.0, "{what}");
            let at = Agglomerative::at_distance(fit["threshold"].as_f64().unwrap()).linkage(linkage);
            let at = at.fit(&case.rows, &Run::new()).unwrap();
            assert_eq!(adjusted_rand(at.labels(), &labels(&fit["cut"])).unwrap(), 1.0, "{what}");
            let top: Vec<f64> = fit["top"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
            let merges = model.dendrogram().merges();
            for (merge, theirs) in merges[merges.len() - top.len()..].iter().zip(&top) {
                assert!((merge.distance / theirs - 1.0).abs() < 1e-6, "{what}: {} {theirs}", merge.distance);
            }
        }
    }
}

fn all_of_them(k: usize) -> Vec<Box<dyn Clusterer>> {
    vec![
        Box::new(Genie::new(k)),
        Box::new(Genie::new(k).min_samples(3).gini_threshold(0.1)),
        Box::new(Genie::new(1).min_samples(4).noise(true)),
        Box::new(Dbscan::new(1.5).min_samples(3)),
        Box::new(Agglomerative::new(k)),
        Box::new(Agglomerative::new(k).linkage(Linkage::Average)),
        Box::new(Agglomerative::new(k).linkage(Linkage::Complete)),
        Box::new(Agglomerative::new(k).linkage(Linkage::Single)),
        Box::new(Agglomerative::at_distance(2.0).linkage(Linkage::Average)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// On grids, where nearly everything ties and rows repeat.
    #[test]
    fn neither_row_order_nor_threads_change_a_label(
        cells in prop::collection::vec((0i32..6, 0i32..5), 4..70),
        k in 1usize..4,
    ) {
        let rows = Array2::from_shape_fn((cells.len(), 2), |(i, j)| if j == 0 { cells[i].0 as f32 } else { cells[i].1 as f32 });
        let order = shuffled(cells.len());
        let other = rows.select(Axis(0), &order);
        for method in all_of_them(k) {
            let a = method.cluster(&rows, &Run::new().threads(1));
            let b = method.cluster(&other, &Run::new().threads(3));
            match (a, b) {
                (Ok(a), Ok(b)) => {
                    for (i, &j) in order.iter().enumerate() {
                        prop_assert_eq!(b.labels()[i], a.labels()[j], "{}", method.name());
                    }
                    for (i, x) in cells.iter().enumerate() {
                        let j = cells.iter().position(|y| x == y).unwrap();
                        prop_assert_eq!(a.labels()[i], a.labels()[j], "equal rows, {}", method.name());
                    }
                }
                (Err(Error::TooFewRows { .. }), Err(Error::TooFewRows { .. })) => {}
                (a, b) => prop_assert!(false, "{}: {a:?} {b:?}", method.name()),
            }
        }
    }
}

#[test]
fn awkward_rows_and_settings_are_answered() {
    let run = Run::new();
    let tables = [
        Array2::from_elem((1, 3), 2.0),
        Array2::from_elem((9, 2), 1.0),
        Array2::from_shape_fn((2, 1), |(i, _)| i as f32),
        Array2::from_shape_fn((8, 2), |(i, _)| if i % 2 == 0 { f32::MAX } else { -f32::MAX }),
        Array2::from_shape_fn((40, 30), |(i, j)| ((i * 7 + j * 3) % 11) as f32 * 1e-30),
    ];
    for rows in &tables {
        for method in all_of_them(1) {
            let found =
                method.cluster(rows, &run).unwrap_or_else(|e| panic!("{} {:?}: {e}", method.name(), rows.dim()));
            assert_eq!(found.labels().len(), rows.nrows());
        }
        for method in all_of_them(1000) {
            let answer = method.cluster(rows, &run);
            assert!(matches!(answer, Ok(_) | Err(Error::TooFewRows { .. })), "{answer:?}");
        }
    }
    let rows = &CASES[0].rows;
    let mut bad = rows.clone();
    bad[[7, 1]] = f32::NAN;
    for method in all_of_them(2) {
        assert!(matches!(method.cluster(&bad, &run), Err(Error::NotFinite { row: 7, column: 1, .. })));
        assert!(matches!(method.cluster(&Array2::zeros((0, 2)), &run), Err(Error::Empty { .. })));
        let cancel = recluster::Cancel::default();
        cancel.cancel();
        let cancelled = method.cluster(rows, &Run::new().cancel(cancel));
        assert!(matches!(cancelled, Err(Error::Cancelled { .. })), "{}: {cancelled:?}", method.name());
    }
    let name = |answer: recluster::Result<recluster::Clustering>| match answer {
        Err(Error::Setting { name, .. }) => name,
        other => panic!("{other:?}"),
    };
    assert_eq!(name(Genie::new(0).cluster(rows, &run)), "clusters");
    assert_eq!(name(Genie::new(2).gini_threshold(1.1).cluster(rows, &run)), "gini_threshold");
    assert_eq!(name(Genie::new(2).gini_threshold(f64::NAN).cluster(rows, &run)), "gini_threshold");
    assert_eq!(name(Genie::new(2).min_samples(0).cluster(rows, &run)), "min_samples");
    assert_eq!(name(Dbscan::new(0.0).cluster(rows, &run)), "eps");
    assert_eq!(name(Dbscan::new(f64::INFINITY).cluster(rows, &run)), "eps");
    assert_eq!(name(Dbscan::new(1.0).min_samples(0).cluster(rows, &run)), "min_samples");
    assert_eq!(name(Agglomerative::new(0).cluster(rows, &run)), "clusters");
    assert_eq!(name(Agglomerative::at_distance(f64::NAN).cluster(rows, &run)), "distance");
    assert_eq!(name(Agglomerative::new(2).metric(recluster::neighbors::Metric::Cosine).cluster(rows, &run)), "metric");
    assert!(matches!(Genie::new(151).cluster(rows, &run), Err(Error::TooFewRows { needed: 151, .. })));
    assert_eq!(Genie::new(150).fit(rows, &run).unwrap().clusters(), 150);
    assert_eq!(Dbscan::new(1e30).min_samples(151).fit(rows, &run).unwrap().clusters(), 0);
}

#[test]
fn models_are_saved_and_put_new_rows_where_they_belong() {
    let (rows, run) = (&CASES[0].rows, Run::new());
    let near = rows.mapv(|x| x + 1e-5);
    let genie = Genie::new(3).fit(rows, &run).unwrap();
    assert_eq!(genie.predict(rows, &near, &run).unwrap(), genie.labels());
    let again = recluster::cluster::GenieModel::from_json(&genie.to_json().unwrap()).unwrap();
    assert_eq!(again.cut(5).unwrap(), genie.cut(5).unwrap());
    let ward = Agglomerative::new(3).fit(rows, &run).unwrap();
    assert_eq!(ward.predict(rows, &near, &run).unwrap(), ward.labels());
    assert_eq!(recluster::cluster::AgglomerativeModel::from_json(&ward.to_json().unwrap()).unwrap(), ward);
    let dbscan = Dbscan::new(0.8).fit(rows, &run).unwrap();
    assert_eq!(recluster::cluster::DbscanModel::from_json(&dbscan.to_json().unwrap()).unwrap(), dbscan);
    let far = Array2::from_elem((1, 2), 1e6f32);
    assert_eq!(dbscan.predict(rows, &far, &run).unwrap(), [NOISE]);
    assert!(matches!(genie.predict(rows, &Array2::zeros((1, 3)), &run), Err(Error::Shape { .. })));
    assert!(matches!(genie.predict(&far, &far, &run), Err(Error::Shape { .. })));
    let text = genie.to_json().unwrap().replacen("\"merges\":[{\"a\":", "\"merges\":[{\"a\":4000000", 1);
    let damaged = recluster::cluster::GenieModel::from_json(&text);
    assert!(matches!(damaged, Err(Error::Format { reason, .. }) if reason.contains("merge 0")));
}

/// Distances of rows far beyond those of the fit leave the range of f32, not that of f64.
#[test]
fn rows_at_the_end_of_the_numbers_have_a_nearest_one() {
    let run = Run::new();
    let values = [0.0f32, 1e-45, -1.0, 1e20, 3e29, 1e30, f32::MAX, f32::MIN];
    for columns in [1, 2, 20, 130] {
        let rows = Array2::from_shape_fn((3, columns), |(i, j)| ((i * 5 + j) % 7) as f32 * [1e-3, 1.0][i / 2]);
        let model = Agglomerative::new(3).linkage(Linkage::Single).fit(&rows, &run).unwrap();
        let new = Array2::from_shape_fn((64, columns), |(i, j)| values[if j % 2 == 0 { i % 8 } else { i / 8 }]);
        for row in new.rows() {
            let label = model.predict(&rows, &row.to_owned().insert_axis(Axis(0)), &run).unwrap()[0];
            let far = |i: usize| -> f64 {
                row.iter().zip(rows.row(i)).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum()
            };
            let least = (0..3).map(far).fold(f64::INFINITY, f64::min);
            let own = (0..3).find(|&i| model.labels()[i] == label).unwrap();
            assert!(far(own) <= least * (1.0 + 1e-12), "{columns} columns, {row}: {} for {least}", far(own));
        }
    }
}

/// What else is in a batch, rows at the end of the numbers too, changes nothing, be the fitted rows narrow, wide or sketched.
#[test]
fn far_rows_in_a_batch_change_nothing_for_the_others() {
    let run = Run::new();
    let values = [0.0f32, -1.0, 1e15, 1e20, 3e29, f32::MAX, f32::MIN];
    for (n, columns) in [(40, 3), (40, 30), (3000, 40), (3000, 130)] {
        // Few directions, so that sketches tell rows apart.
        let rows = Array2::from_shape_fn((n, columns), |(i, j)| {
            (i % 7 * (j % 5) + i % 11 * (j % 3)) as f32 + ((i * 31 + j * 17) % 13) as f32 * 0.01
        });
        let single = Agglomerative::new(5).linkage(Linkage::Single).fit(&rows, &run).unwrap();
        let hdbscan = Hdbscan::new().min_cluster_size(5).fit(&rows, &run).unwrap();
        let new = Array2::from_shape_fn((140, columns), |(i, j)| match i % 2 {
            0 => rows[[i % n, j]] + 0.003,
            _ => values[(i / 2 * (1 + j % 3)) % 7],
        });
        let labels = single.predict(&rows, &new, &run).unwrap();
        let predicted = hdbscan.predict(&rows, &new, &run).unwrap();
        for (i, row) in new.rows().into_iter().enumerate() {
            let alone = row.to_owned().insert_axis(Axis(0));
            assert_eq!(single.predict(&rows, &alone, &run).unwrap()[0], labels[i], "{columns} columns, row {i}");
            assert_eq!(hdbscan.predict(&rows, &alone, &run).unwrap().labels[0], predicted.labels[i]);
            let far = |k: usize| -> f64 {
                row.iter().zip(rows.row(k)).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum()
            };
            let least = (0..n).map(far).fold(f64::INFINITY, f64::min);
            let own = (0..n).filter(|&k| single.labels()[k] == labels[i]).map(far).fold(f64::INFINITY, f64::min);
            assert!(own <= least * (1.0 + 1e-12), "{columns} columns, row {i}: {own} for {least}");
        }
    }
}
