//! HDBSCAN against a brute-force oracle, its promises, and bad input.

use ndarray::Array2;
use proptest::prelude::*;
use recluster::cluster::{Hdbscan, HdbscanModel, Selection};
use recluster::neighbors::Metric;
use recluster::{Error, Run};

/// Uniform numbers in [0, 1), the same everywhere.
struct Lcg(u64);

impl Lcg {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Sum of twelve uniforms: normal enough.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }

    fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, (self.next() * (i + 1) as f64) as usize);
        }
        order
    }
}

fn blobs(n: usize, columns: usize, centers: usize, spread: f64, seed: u64) -> Array2<f32> {
    let mut random = Lcg(seed);
    let at: Vec<f64> = (0..centers * columns).map(|_| 20.0 * random.next() - 10.0).collect();
    Array2::from_shape_fn((n, columns), |(i, j)| (at[i % centers * columns + j] + spread * random.normal()) as f32)
}

fn distance(rows: &Array2<f32>, i: usize, j: usize) -> f64 {
    let mut sum = 0.0;
    for c in 0..rows.ncols() {
        let gap = f64::from(rows[[i, c]]) - f64::from(rows[[j, c]]);
        sum += gap * gap;
    }
    sum.sqrt()
}

/// Core distances by sorting all distances, and the sorted weights of Prim's tree over all pairs.
fn oracle(rows: &Array2<f32>, min_samples: usize) -> (Vec<f64>, Vec<f64>) {
    let n = rows.nrows();
    let core: Vec<f64> = (0..n)
        .map(|i| {
            let mut all: Vec<f64> = (0..n).filter(|&j| j != i).map(|j| distance(rows, i, j)).collect();
            all.sort_by(f64::total_cmp);
            if all.is_empty() { 0.0 } else { all[min_samples.min(n - 1) - 1] }
        })
        .collect();
    let mut lightest = vec![f64::INFINITY; n];
    let mut inside = vec![false; n];
    let mut weights = Vec::new();
    let mut newest = 0;
    for _ in 1..n {
        inside[newest] = true;
        for j in (0..n).filter(|&j| !inside[j]) {
            lightest[j] = lightest[j].min(distance(rows, newest, j).max(core[newest]).max(core[j]));
        }
        newest = (0..n).filter(|&j| !inside[j]).min_by(|&a, &b| lightest[a].total_cmp(&lightest[b])).unwrap();
        weights.push(lightest[newest]);
    }
    weights.sort_by(f64::total_cmp);
    (core, weights)
}

fn check_tree(rows: &Array2<f32>, min_samples: usize) -> HdbscanModel {
    let model = Hdbscan::new().min_samples(min_samples).fit(rows, &Run::new()).unwrap();
    let (core, weights) = oracle(rows, min_samples);
    assert_eq!(model.core_distances(), core);
    assert_eq!(model.spanning_tree().weights(), weights);
    // It spans: joining along all edges leaves one set; and each edge weighs what its ends say.
    let mut set: Vec<usize> = (0..rows.nrows()).collect();
    for (a, b, weight) in model.spanning_tree().edges() {
        assert_eq!(weight, distance(rows, a, b).max(core[a]).max(core[b]));
        let (from, to) = (set[a], set[b]);
        assert_ne!(from, to, "a cycle");
        set.iter_mut().filter(|s| **s == from).for_each(|s| *s = to);
    }
    model
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_tree_is_a_minimum_spanning_tree(
        n in 1usize..400,
        columns in 1usize..61,
        min_samples in 1usize..40,
        kind in 0usize..6,
        seed in any::<u64>(),
    ) {
        let mut random = Lcg(seed);
        let blobs = blobs(n, columns, 4, 0.5, seed);
        let rows = Array2::from_shape_fn((n, columns), |(i, j)| match kind {
            0 => blobs[[i, j]],
            1 => (random.next() * 3.0) as i32 as f32, // a grid with duplicates
            2 if j % 2 == 0 => 7.0,                   // constant columns
            3 => blobs[[i / 3 * 3, j]],               // triplets
            4 => (random.next() - 0.5) as f32 * 1e-3 * (i + 1) as f32,
            _ => random.next() as f32,
        });
        check_tree(&rows, min_samples);
    }
}

#[test]
fn the_tree_is_right_where_leaves_are_many() {
    for (n, columns, min_samples) in [
        (3000, 2, 5),
        (2500, 3, 1),
        (2000, 10, 10),
        (1500, 2, 100),
        (600, 17, 5),
        (1500, 40, 1),
        (1300, 17, 60),
        (900, 60, 12),
        (700, 130, 4),
    ] {
        check_tree(&blobs(n, columns, 5, 0.7, 3), min_samples);
        // Far from the origin, where f32 has few digits left, and in parts of unlike density.
        check_tree(&blobs(n / 2, columns, 5, 0.7, 3).mapv(|x| x + 3000.0), min_samples);
        let uneven = blobs(n / 2, columns, 3, 0.7, 4);
        check_tree(&Array2::from_shape_fn(uneven.dim(), |(i, j)| uneven[[i, j]] * (1 + i % 3 * 7) as f32), min_samples);
    }
    // Rows that are all equally far from each other.
    check_tree(&Array2::eye(300), 5);
    let grid = Array2::from_shape_fn((45 * 45, 2), |(i, j)| if j == 0 { (i % 45) as f32 } else { (i / 45) as f32 });
    check_tree(&grid, 4);
    let line = Array2::from_shape_fn((2000, 1), |(i, _)| i as f32);
    check_tree(&line, 3);
    // Squares beyond f32 on either side.
    for scale in [1e36, 1e18, 1e-18, 1e-22, 1e-40] {
        for columns in [3, 30, 110] {
            check_tree(&blobs(500, columns, 4, 0.7, 3).mapv(|x| (f64::from(x) * scale) as f32), 5);
        }
    }
}

/// Whether two models say the same of the same rows: row i of `b` is row `order[i]` of `a`.
fn same(a: &HdbscanModel, b: &HdbscanModel, order: &[usize]) {
    for (i, &j) in order.iter().enumerate() {
        assert_eq!(a.labels()[j], b.labels()[i]);
        assert_eq!(a.membership()[j].to_bits(), b.membership()[i].to_bits());
        assert_eq!(a.outlier_scores()[j].to_bits(), b.outlier_scores()[i].to_bits());
    }
    assert_eq!(a.persistence(), b.persistence());
    assert_eq!(a.stability(), b.stability());
    assert_eq!(a.condensed_tree().clusters(), b.condensed_tree().clusters());
    assert_eq!(a.spanning_tree().weights(), b.spanning_tree().weights());
}

#[test]
fn neither_row_order_nor_threads_change_a_bit() {
    let mut random = Lcg(5);
    let smooth = blobs(3000, 2, 6, 0.8, 9);
    let ties = Array2::from_shape_fn((2500, 2), |_| (random.next() * random.next() * 60.0) as i32 as f32);
    let wide = blobs(700, 20, 3, 0.8, 9);
    let wider = blobs(500, 110, 3, 2.5, 9);
    let ties_of_wide = Array2::from_shape_fn((600, 18), |_| (random.next() * 3.0) as i32 as f32);
    for rows in [smooth, ties, wide, wider, ties_of_wide] {
        for settings in [
            Hdbscan::new(),
            Hdbscan::new().min_samples(60).metric(Metric::Cosine),
            Hdbscan::new().min_samples(40).metric(Metric::Manhattan),
            Hdbscan::new().min_cluster_size(20).min_samples(3),
            Hdbscan::new().selection(Selection::Leaf).min_samples(1),
            Hdbscan::new().epsilon(1.0).allow_single_cluster(true),
        ] {
            let model = settings.fit(&rows, &Run::new().threads(1)).unwrap();
            assert_eq!(model, settings.fit(&rows, &Run::new().threads(2)).unwrap());
            assert_eq!(model, settings.fit(&rows, &Run::new().threads(4)).unwrap());
            let order = random.permutation(rows.nrows());
            let shuffled = rows.select(ndarray::Axis(0), &order);
            same(&model, &settings.fit(&shuffled, &Run::new().threads(3)).unwrap(), &order);
        }
    }
}

#[test]
fn settings_out_of_range_are_named() {
    let rows = blobs(50, 2, 2, 0.5, 1);
    let run = Run::new();
    for (settings, name) in [
        (Hdbscan::new().min_cluster_size(1), "min_cluster_size"),
        (Hdbscan::new().min_cluster_size(1.5), "min_cluster_size"),
        (Hdbscan::new().min_samples(0), "min_samples"),
        (Hdbscan::new().epsilon(-1.0), "epsilon"),
        (Hdbscan::new().epsilon(f64::NAN), "epsilon"),
        (Hdbscan::new().max_cluster_size(0), "max_cluster_size"),
    ] {
        match settings.fit(&rows, &run) {
            Err(Error::Setting { name: found, .. }) => assert_eq!(found, name),
            other => panic!("{other:?}"),
        }
    }
    let mut bad = rows.clone();
    bad[[7, 1]] = f32::NAN;
    assert!(matches!(Hdbscan::new().fit(&bad, &run), Err(Error::NotFinite { row: 7, column: 1, .. })));
    assert!(matches!(Hdbscan::new().fit(&Array2::zeros((0, 2)), &run), Err(Error::Empty { .. })));
    let model = Hdbscan::new().min_samples(3).fit(&rows, &run).unwrap();
    assert!(model.recut(&Hdbscan::new().min_samples(4)).is_err());
    assert_eq!(model.recut(&Hdbscan::new().min_samples(4).count_self(true)).unwrap(), model);
}

#[test]
fn few_rows_and_equal_rows_are_answered() {
    let run = Run::new();
    for n in [1, 2, 3, 6, 40] {
        for columns in [1, 2, 20] {
            for allow in [false, true] {
                let settings = Hdbscan::new().allow_single_cluster(allow);
                let equal = settings.fit(&Array2::from_elem((n, columns), 3.5f32), &run).unwrap();
                let whole = allow && n >= 5;
                assert!(equal.labels().iter().all(|&l| l == if whole { 0 } else { -1 }), "{n} {columns} {allow}");
                assert!(equal.outlier_scores().iter().chain(equal.membership()).all(|x| (0.0..=1.0).contains(x)));
                let line = Array2::from_shape_fn((n, columns), |(i, _)| i as f32);
                assert_eq!(settings.fit(&line, &run).unwrap().spanning_tree().len(), n - 1);
            }
        }
    }
}

/// What hdbscan 0.8.44 says in its exact mode; made by `tests/fixtures/make_cluster.py`, which also found out what of it
/// does not depend on the order of the rows ("steady"): only that can be compared.
fn fixtures() -> Vec<serde_json::Value> {
    let files = [
        include_str!("../fixtures/hdbscan_1.json"),
        include_str!("../fixtures/hdbscan_2.json"),
        include_str!("../fixtures/hdbscan_3.json"),
        include_str!("../fixtures/hdbscan_4.json"),
    ];
    files.into_iter().flat_map(|text| serde_json::from_str::<Vec<serde_json::Value>>(text).unwrap()).collect()
}

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn close(what: &str, ours: &[f64], theirs: &[f64]) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!((a - b).abs() <= 1e-6 * b.abs().max(1.0), "{what} {i}: {a} is not {b}");
    }
}

fn settings_of(case: &serde_json::Value) -> Hdbscan {
    let mut settings = Hdbscan::new();
    for (key, value) in case["settings"].as_object().unwrap() {
        let count = value.as_u64().unwrap_or(0) as usize;
        settings = match key.as_str() {
            "min_cluster_size" => settings.min_cluster_size(count),
            "min_samples" => settings.min_samples(count),
            "max_cluster_size" => settings.max_cluster_size(count),
            "allow_single_cluster" => settings.allow_single_cluster(value.as_bool().unwrap()),
            "cluster_selection_epsilon" => settings.epsilon(value.as_f64().unwrap()),
            "cluster_selection_persistence" => settings.min_persistence(value.as_f64().unwrap()),
            "cluster_selection_method" => settings.selection(Selection::Leaf),
            "metric" => settings.metric(value.as_str().unwrap().parse().unwrap()),
            other => panic!("{other}"),
        };
    }
    settings
}

#[test]
fn labels_and_scores_are_those_of_hdbscan() {
    for case in fixtures() {
        let name = case["name"].as_str().unwrap();
        let columns = case["columns"].as_u64().unwrap() as usize;
        let values: Vec<f32> = numbers(&case["rows"]).into_iter().map(|x| x as f32).collect();
        let rows = Array2::from_shape_vec((values.len() / columns, columns), values).unwrap();
        let settings = settings_of(&case);
        // hdbscan gives other strengths to rows of undone splits.
        let undone = case["settings"].get("cluster_selection_persistence").is_some();
        let model = settings.fit(&rows, &Run::new()).unwrap();
        close(&format!("{name}: weight"), model.spanning_tree().weights(), &numbers(&case["weights"]));
        let steady: Vec<&str> = case["steady"].as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect();
        let tree = model.condensed_tree();
        if steady.contains(&"outlier_scores") && !undone {
            // Rows that leave their cluster where it begins lie on a tie between two clusters, and may be in the other
            // one there.
            let untied: Vec<usize> = (0..model.labels().len())
                .filter(|&i| {
                    let c = tree.row_cluster()[i] as usize;
                    c == 0 || tree.row_lambda()[i] > tree.clusters()[c].birth
                })
                .collect();
            assert!(untied.len() + tree.clusters().len() >= model.labels().len(), "{name}");
            let theirs = numbers(&case["outlier_scores"]);
            let of = |scores: &[f64]| untied.iter().map(|&i| scores[i]).collect::<Vec<_>>();
            close(&format!("{name}: outlier score"), &of(model.outlier_scores()), &of(&theirs));
        }
        if !steady.contains(&"labels") {
            continue;
        }
        // The same partition under other numbers: a one-to-one map of labels, noise to noise. Rows that leave their
        // cluster where it begins lie on a tie between two clusters, and go to another of them there.
        let theirs: Vec<i32> = numbers(&case["labels"]).into_iter().map(|l| l as i32).collect();
        let persistence = numbers(&case["persistence"]);
        assert_eq!(model.clusters(), persistence.len(), "{name}");
        let mut map = vec![None; model.clusters()];
        let tied: Vec<bool> = (0..theirs.len())
            .map(|i| {
                let own = usize::try_from(model.labels()[i]).ok().map(|label| model.selected()[label] as usize);
                own.is_some_and(|c| c > 0 && tree.row_lambda()[i] <= tree.clusters()[c].birth)
            })
            .collect();
        let ties = tied.iter().filter(|t| **t).count();
        assert!(ties <= model.clusters(), "{name}: {ties} ties");
        for (i, (&ours, &theirs)) in model.labels().iter().zip(&theirs).enumerate() {
            match ours {
                _ if tied[i] => {}
                -1 => assert_eq!(theirs, -1, "{name} {i}"),
                _ => assert_eq!(*map[ours as usize].get_or_insert(theirs), theirs, "{name} {i}"),
            }
        }
        println!("{name}: {steady:?}, {ties} tied rows");
        if ties > 0 || undone {
            continue;
        }
        let theirs: Vec<f64> = map.iter().map(|l| persistence[l.unwrap() as usize].min(1.0)).collect();
        if steady.contains(&"persistence") {
            close(&format!("{name}: persistence"), model.persistence(), &theirs);
        }
        if steady.contains(&"probabilities") {
            close(&format!("{name}: membership"), model.membership(), &numbers(&case["probabilities"]));
        }
    }
}

fn fixture(name: &str) -> Array2<f32> {
    let case = fixtures().into_iter().find(|case| case["name"] == name).unwrap();
    let values: Vec<f32> = numbers(&case["rows"]).into_iter().map(|x| x as f32).collect();
    let columns = case["columns"].as_u64().unwrap() as usize;
    Array2::from_shape_vec((values.len() / columns, columns), values).unwrap()
}

fn sizes(model: &HdbscanModel) -> Vec<usize> {
    (0..model.clusters()).map(|c| model.labels().iter().filter(|&&l| l == c as i32).count()).collect()
}

/// The tests of hdbscan itself that say something of results.
#[test]
fn the_tests_of_hdbscan_pass() {
    let run = Run::new();
    let rows = fixture("blobs");
    let model = Hdbscan::new().fit(&rows, &run).unwrap();
    assert_eq!(sizes(&model), [67, 67, 66]);
    // Every path to the tree: k-d trees of each width, and brute force beyond.
    for columns in 2..=18 {
        let padded = Array2::from_shape_fn((200, columns), |(i, j)| if j < 2 { rows[[i, j]] } else { 3.0 });
        assert_eq!(Hdbscan::new().fit(&padded, &run).unwrap().labels(), model.labels());
    }
    for size in 2..200 {
        let settings = Hdbscan::new().min_cluster_size(size);
        let recut = model.recut(&settings).unwrap();
        assert!(sizes(&recut).iter().all(|&n| n >= size), "{size}");
        let own = settings.fit(&rows, &run).unwrap();
        assert!(sizes(&own).iter().all(|&n| n >= size), "{size}");
        assert_eq!(own.min_samples(), size.min(199));
    }
    let noise = fixture("noise");
    let count = |settings: Hdbscan| {
        let model = settings.allow_single_cluster(true).fit(&noise, &run).unwrap();
        (model.clusters(), model.labels().iter().filter(|l| **l < 0).count())
    };
    assert_eq!(count(Hdbscan::new()), (1, 46));
    assert_eq!(count(Hdbscan::new().epsilon(0.2)), (1, 2));
}

#[test]
fn a_recut_is_a_fit_with_the_same_neighbours() {
    let rows = blobs(800, 3, 5, 1.5, 11);
    let model = Hdbscan::new().min_samples(6).fit(&rows, &Run::new()).unwrap();
    for settings in [
        Hdbscan::new().min_cluster_size(20),
        Hdbscan::new().min_cluster_size(0.03).selection(Selection::Leaf),
        Hdbscan::new().min_cluster_size(9).epsilon(0.8).allow_single_cluster(true),
        Hdbscan::new().min_cluster_size(8).max_cluster_size(0.15),
    ] {
        let fitted = settings.clone().min_samples(6).fit(&rows, &Run::new()).unwrap();
        assert_eq!(model.recut(&settings).unwrap(), fitted);
        assert!(sizes(&fitted).iter().all(|&n| n >= fitted.min_cluster_size()));
    }
    let limited = model.recut(&Hdbscan::new().min_cluster_size(8).max_cluster_size(0.15)).unwrap();
    assert!(limited.clusters() > 0 && sizes(&limited).iter().all(|&n| n <= 120));
}

/// Each row closer to the next than the one before: a chain of as many levels as rows.
#[test]
fn a_chain_of_a_million_rows_is_no_deeper_than_the_stack() {
    let rows = Array2::from_shape_fn((1_000_000, 1), |(i, _)| (i as f32 + 1.0).sqrt() * 1e3);
    let model = Hdbscan::new().min_samples(1).min_cluster_size(2).fit(&rows, &Run::new()).unwrap();
    assert_eq!(model.spanning_tree().len(), 999_999);
    assert!(model.outlier_scores().iter().all(|s| (0.0..=1.0).contains(s)));
}

#[test]
fn equal_rows_leave_everything_finite() {
    let rows = Array2::from_shape_fn((120, 2), |(i, j)| ((i / 12) * (j + 1)) as f32);
    for settings in [Hdbscan::new(), Hdbscan::new().min_samples(1).selection(Selection::Leaf)] {
        let model = settings.fit(&rows, &Run::new()).unwrap();
        assert_eq!(sizes(&model), [12; 10]);
        assert!(model.condensed_tree().clusters().iter().all(|c| c.stability.is_finite() && c.birth.is_finite()));
        assert!(model.membership().iter().all(|&m| m == 1.0));
        assert!(model.persistence().iter().all(|p| (0.0..=1.0).contains(p)));
    }
}

#[cfg(feature = "serde")]
#[test]
fn a_saved_model_is_the_model() {
    use recluster::Saved;
    let model = Hdbscan::new().fit(&blobs(300, 2, 3, 0.5, 2), &Run::new()).unwrap();
    let text = model.to_json().unwrap();
    assert_eq!(HdbscanModel::from_json(&text).unwrap(), model);
    let a = model.spanning_tree().edges().next().unwrap().0;
    for damage in [text.replacen(&format!("\"a\":[{a},"), "\"a\":[300,", 1), text.replacen("\"a\":[", "\"a\":[0,", 1)] {
        assert_ne!(damage, text);
        assert!(matches!(HdbscanModel::from_json(&damage), Err(Error::Format { .. })));
    }
}

#[test]
fn a_cancelled_fit_says_so() {
    let cancel = recluster::Cancel::default();
    cancel.cancel();
    for columns in [2, 20] {
        let run = Run::new().cancel(cancel.clone());
        assert!(matches!(Hdbscan::new().fit(&blobs(300, columns, 3, 0.5, 2), &run), Err(Error::Cancelled { .. })));
    }
}
