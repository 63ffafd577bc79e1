//! Neighbours, targets and starts that the caller brings, and neighbours that are cut.

use super::data::*;
use ndarray::{Array2, Axis, array, concatenate, s};
use proptest::prelude::*;
use recluster::embed::{Densmap, Given, Start, Target, Umap, UmapModel};
use recluster::neighbors::{Metric, Nearest, Neighbors, Search};
use recluster::{Error, Event, Observer, Run};
use std::sync::{Arc, Mutex};

struct Notes(Arc<Mutex<Vec<String>>>);

impl Observer for Notes {
    fn event(&self, event: &Event<'_>) {
        if let Event::Note { text, .. } = event {
            self.0.lock().unwrap().push(text.to_string());
        }
    }
}

/// A run, and what it is told.
fn told() -> (Run, Arc<Mutex<Vec<String>>>) {
    let notes = Arc::new(Mutex::new(Vec::new()));
    (Run::new().observer(Notes(notes.clone())), notes)
}

fn fit(umap: &Umap, rows: &Array2<f32>, given: &Given<'_>) -> UmapModel {
    umap.fit_given(rows, given, &Run::new()).unwrap()
}

#[test]
fn given_neighbours_give_the_same_bits_as_a_search() {
    let cases = [
        (digits().slice(s![..500, ..]).to_owned(), Metric::Euclidean, Search::Auto),
        (digits().slice(s![..500, ..]).to_owned(), Metric::Cosine, Search::Exact),
        (blobs(2000, 20, 12), Metric::Manhattan, Search::Approximate),
    ];
    for (rows, metric, search) in cases {
        let umap = Umap::new().n_epochs(20).metric(metric).search(search);
        for seed in [0, 3] {
            let run = Run::new().seed(seed);
            let found = Nearest::new(15).metric(metric).search(search).find(&rows, &run).unwrap();
            let model = umap.fit_given(&rows, &Given::new().neighbors(&found), &run).unwrap();
            assert_eq!(model, umap.fit(&rows, &run).unwrap(), "{metric}");
        }
    }
}

#[test]
fn longer_lists_serve_shorter_neighbourhoods() {
    let rows = digits().slice(s![..400, ..]).to_owned();
    let found = Nearest::new(40).find(&rows, &Run::new()).unwrap();
    for (k, min_dist) in [(5, 0.0), (15, 0.1), (40, 0.5)] {
        let umap = Umap::new().n_epochs(20).n_neighbors(k).min_dist(min_dist);
        assert_eq!(fit(&umap, &rows, &Given::new().neighbors(&found)), fit(&umap, &rows, &Given::new()));
    }
}

#[test]
fn equal_rows_in_given_neighbours_are_one_point() {
    let mut rows = digits().slice(s![..300, ..]).to_owned();
    for i in 0..6 {
        let first = rows.row(i % 2).to_owned();
        rows.row_mut(100 + i).assign(&first);
    }
    let umap = Umap::new().n_epochs(20);
    // Enough neighbours to make up for equal rows: the fit without them.
    let found = Nearest::new(30).find(&rows, &Run::new()).unwrap();
    let (run, notes) = told();
    let model = umap.fit_given(&rows, &Given::new().neighbors(&found), &run).unwrap();
    assert_eq!(model, fit(&umap, &rows, &Given::new()));
    assert!(notes.lock().unwrap().is_empty());
    // Too few: told, and still one place for equal rows.
    let found = Nearest::new(15).find(&rows, &Run::new()).unwrap();
    let model = umap.fit_given(&rows, &Given::new().neighbors(&found), &run).unwrap();
    assert_eq!(model.embedding().row(0), model.embedding().row(104));
    assert!(notes.lock().unwrap()[0].contains("because of equal rows"));
    // Any order of the rows.
    let order = shuffled(300);
    let again = rows.select(Axis(0), &order);
    let found = Nearest::new(15).find(&again, &Run::new()).unwrap();
    let shuffled = fit(&umap, &again, &Given::new().neighbors(&found));
    for (place, &row) in order.iter().enumerate() {
        assert_eq!(shuffled.embedding().row(place), model.embedding().row(row));
    }
    let equal = Array2::from_elem((20, 3), 1.0);
    let found = Nearest::new(15).find(&equal, &Run::new()).unwrap();
    assert_eq!(fit(&umap, &equal, &Given::new().neighbors(&found)).embedding(), &Array2::<f32>::zeros((20, 2)));
}

#[test]
fn neighbours_that_are_none_are_refused() {
    let rows = blobs(40, 3, 2);
    let umap = Umap::new().n_epochs(5).n_neighbors(5);
    let good = Nearest::new(5).find(&rows, &Run::new()).unwrap();
    let refused = |change: &dyn Fn(&mut Neighbors)| {
        let mut bad = good.clone();
        change(&mut bad);
        umap.fit_given(&rows, &Given::new().neighbors(&bad), &Run::new()).unwrap_err()
    };
    for (error, words) in [
        (refused(&|n| n.indices[[7, 2]] = 40), "row 40"),
        (refused(&|n| n.distances[[7, 4]] = f32::NAN), "row 7, column 4"),
        (refused(&|n| n.distances[[7, 4]] = f32::INFINITY), "finite"),
        (refused(&|n| n.distances[[7, 0]] = -1.0), "at least 0"),
        (refused(&|n| n.distances[[7, 4]] = 0.0), "nearer"),
        (refused(&|n| n.indices[[7, 0]] = 8), "itself"),
    ] {
        assert!(matches!(error, Error::Setting { name: "neighbors", .. }), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    for error in [
        refused(&|n| n.indices = n.indices.slice(s![..39, ..]).to_owned()),
        refused(&|n| n.distances = n.distances.slice(s![..39, ..]).to_owned()),
        refused(&|n| n.distances = n.distances.slice(s![.., ..4]).to_owned()),
        refused(&|n| {
            n.indices = n.indices.slice(s![.., ..4]).to_owned();
            n.distances = n.distances.slice(s![.., ..4]).to_owned();
        }),
        refused(&|n| (n.indices, n.distances) = (Array2::zeros((40, 0)), Array2::zeros((40, 0)))),
    ] {
        assert!(matches!(error, Error::Shape { .. }), "{error}");
    }
}

#[test]
fn targets_do_not_depend_on_order_or_threads() {
    let mut rows = digits().slice(s![..400, ..]).to_owned();
    for i in 0..30 {
        let first = rows.row(i).to_owned();
        rows.row_mut(200 + i).assign(&first);
    }
    let classes: Vec<i32> = (0..400).map(|i| (noise(i) * 5.0) as i32 - 1).collect();
    let numbers: Vec<f32> = (0..400).map(|i| (noise(i) * 20.0).floor()).collect();
    let order = shuffled(400);
    let again = rows.select(Axis(0), &order);
    let other_classes: Vec<i32> = order.iter().map(|&i| classes[i]).collect();
    let other_numbers: Vec<f32> = order.iter().map(|&i| numbers[i]).collect();
    let umap = Umap::new().n_epochs(30);
    for (a, b) in [
        (Target::classes(&classes), Target::classes(&other_classes)),
        (Target::numbers(&numbers), Target::numbers(&other_numbers)),
    ] {
        let first = umap.fit_given(&rows, &Given::new().target(&a), &Run::new().threads(1)).unwrap();
        let second = umap.fit_given(&again, &Given::new().target(&b), &Run::new().threads(3)).unwrap();
        for (place, &row) in order.iter().enumerate() {
            assert_eq!(first.embedding().row(row), second.embedding().row(place), "row {row}");
        }
    }
}

#[test]
fn awkward_targets_are_drawn_without_nan() {
    let rows = blobs(80, 3, 2);
    let umap = Umap::new().n_epochs(20);
    let alone: Vec<i32> = (0..80).collect();
    let huge: Vec<f32> = (0..80).map(|i| if i % 2 == 0 { f32::MAX } else { f32::MIN }).collect();
    let steep: Vec<f32> = (0..80).map(|i| 1e-30 * i as f32).collect();
    for weight in [0.0, 0.3, 0.5, 0.99, 1.0] {
        for target in [
            Target::classes(&[-1; 80]),
            Target::classes(&[7; 80]),
            Target::classes(&alone),
            Target::numbers(&[1.5; 80]),
            Target::numbers(&huge),
            Target::numbers(&steep).n_neighbors(200),
        ] {
            let target = target.weight(weight);
            let model = fit(&umap, &rows, &Given::new().target(&target));
            assert!(all_finite(model.embedding()), "{weight}");
        }
    }
    // No edge is left where each row is a class of its own and only classes count.
    let target = Target::classes(&alone).weight(1.0);
    let model = fit(&umap, &rows, &Given::new().target(&target));
    assert_eq!((model.graph().edges, model.graph().disconnected, model.disconnected().len()), (0, 80, 80));
    for (n, labels) in [(1, [3, 0]), (2, [0, 1])] {
        let target = Target::classes(&labels[..n]);
        assert!(all_finite(fit(&umap, &blobs(n, 3, 2), &Given::new().target(&target)).embedding()));
    }
}

#[test]
fn bad_targets_and_starts_are_named() {
    let rows = blobs(30, 3, 2);
    let error = |given: &Given<'_>| Umap::new().fit_given(&rows, given, &Run::new()).unwrap_err();
    let classes = [0; 30];
    let mut bad = classes;
    bad[4] = -2;
    assert!(matches!(error(&Given::new().target(&Target::classes(&bad))), Error::Label { row: 4, label: -2, .. }));
    let short = Target::classes(&classes[..29]);
    assert!(matches!(error(&Given::new().target(&short)), Error::Shape { expected: 30, found: 29, .. }));
    for target in [
        Target::classes(&classes).weight(1.5),
        Target::classes(&classes).weight(f64::NAN),
        Target::classes(&classes).n_neighbors(5),
        Target::numbers(&[0.0; 30]).n_neighbors(1),
    ] {
        assert!(matches!(error(&Given::new().target(&target)), Error::Setting { .. }));
    }
    let mut numbers = [0.0; 30];
    numbers[9] = f32::INFINITY;
    let target = Target::numbers(&numbers);
    assert!(matches!(error(&Given::new().target(&target)), Error::NotFinite { what: "the target", row: 9, .. }));
    let mut start = Array2::<f32>::zeros((30, 2));
    start[[3, 1]] = f32::NAN;
    let given = Given::new().start(&start);
    assert!(matches!(error(&given), Error::NotFinite { what: "the start", row: 3, column: 1, .. }));
    for shape in [(29, 2), (30, 3), (0, 0)] {
        let start = Array2::zeros(shape);
        assert!(matches!(error(&Given::new().start(&start)), Error::Shape { .. }));
    }
}

#[test]
fn a_given_start_is_where_the_layout_starts() {
    let mut rows = digits().slice(s![..300, ..]).to_owned();
    let first = rows.row(0).to_owned();
    rows.row_mut(1).assign(&first);
    let start = Array2::from_shape_fn((300, 2), |(i, d)| noise(i * 2 + d) * 3.0 - 7.0);
    let umap = Umap::new().n_epochs(1).learning_rate(1e-9);
    let model = fit(&umap, &rows, &Given::new().start(&start));
    assert_eq!(model.start(), Start::Given);
    // Equal rows start from the mean of theirs, and each axis is brought to [0, 10].
    let mut expected = start.clone();
    let mean = (&start.row(0) + &start.row(1)) / 2.0;
    expected.row_mut(0).assign(&mean);
    expected.row_mut(1).assign(&mean);
    for mut axis in expected.columns_mut() {
        let low = axis.iter().copied().fold(f32::INFINITY, f32::min);
        let high = axis.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        axis.mapv_inplace(|x| 10.0 * (x - low) / (high - low));
    }
    assert!(model.embedding().iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-4));
    // In any order of the rows.
    let order = shuffled(300);
    let (again, start_again) = (rows.select(Axis(0), &order), start.select(Axis(0), &order));
    let umap = Umap::new().n_epochs(30);
    let model = fit(&umap, &rows, &Given::new().start(&start));
    let shuffled = fit(&umap, &again, &Given::new().start(&start_again));
    for (place, &row) in order.iter().enumerate() {
        assert_eq!(shuffled.embedding().row(place), model.embedding().row(row));
    }
}

#[test]
fn awkward_starts_are_drawn_without_nan() {
    let rows = blobs(60, 4, 3);
    let umap = Umap::new().n_epochs(50).n_neighbors(8);
    for start in [
        Array2::zeros((60, 2)),
        Array2::from_elem((60, 2), f32::MAX),
        Array2::from_shape_fn((60, 2), |(i, _)| if i % 2 == 0 { f32::MAX } else { f32::MIN }),
        Array2::from_shape_fn((60, 2), |(i, d)| if d == 0 { 1.0 } else { i as f32 * 1e-38 }),
    ] {
        let model = fit(&umap, &rows, &Given::new().start(&start));
        assert!(all_finite(model.embedding()));
        // Even from one single place the rows part.
        for i in 1..60 {
            assert_ne!(model.embedding().row(0), model.embedding().row(i));
        }
    }
}

#[test]
fn far_rows_are_cut_and_named() {
    let fixture = umap_fixture();
    let rows = table(&super::data::fixture()["iris_rows"], 4);
    let limit = fixture["limit"].as_f64().unwrap();
    let alone: Vec<u32> = numbers(&fixture["limited_alone"]).into_iter().map(|x| x as u32).collect();
    let (run, notes) = told();
    let model = Umap::new().disconnection_distance(limit).fit(&rows, &run).unwrap();
    // The links and rows that umap-learn cuts.
    assert_eq!(model.graph().cut as u64, fixture["limited_cut"].as_u64().unwrap());
    assert_eq!(model.graph().edges as u64, fixture["limited_edges"].as_u64().unwrap());
    assert_eq!((&model.disconnected(), model.graph().disconnected), (&alone, alone.len()));
    assert!(!alone.is_empty() && notes.lock().unwrap().iter().any(|note| note.contains("no neighbours left")));
    // They lie around the picture of the others.
    let picture = model.embedding();
    assert!(all_finite(picture));
    let inside: Vec<usize> = (0..rows.nrows()).filter(|&i| !alone.contains(&(i as u32))).collect();
    let others = picture.select(Axis(0), &inside);
    let centre = others.mean_axis(Axis(0)).unwrap();
    let far = |i: usize| (&picture.row(i) - &centre).mapv(|x| x * x).sum().sqrt();
    let reach = inside.iter().map(|&i| far(i)).fold(0.0, f32::max);
    for &i in &alone {
        assert!((1.19 * reach..1.81 * reach).contains(&far(i as usize)), "row {i}");
    }
    // A limit beyond every neighbour changes nothing; one below all leaves nothing.
    let umap = Umap::new().n_epochs(20);
    let whole = fit(&umap.clone().disconnection_distance(1e6), &rows, &Given::new());
    assert_eq!(whole.embedding(), fit(&umap, &rows, &Given::new()).embedding());
    let none = fit(&umap.disconnection_distance(1e-6), &rows, &Given::new());
    assert!(all_finite(none.embedding()) && none.disconnected().len() == rows.nrows());
    assert_eq!(none.graph().components, 0);
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let umap = Umap::new().disconnection_distance(bad);
        assert!(matches!(umap.fit(&rows, &Run::new()), Err(Error::Setting { name: "disconnection_distance", .. })));
    }
}

#[test]
fn cut_rows_keep_their_bits_in_any_order_and_their_equals_company() {
    let mut rows = blobs(200, 5, 4);
    for i in [3, 50, 51, 120] {
        rows.row_mut(i).mapv_inplace(|x| x + 500.0 * (i as f32 + 1.0));
    }
    let twins = concatenate![Axis(0), rows, rows.slice(s![50..51, ..])];
    let umap = Umap::new().n_epochs(30).disconnection_distance(100.0);
    let model = fit(&umap, &twins, &Given::new());
    assert_eq!(model.disconnected(), [3, 50, 51, 120, 200]);
    assert_eq!(model.graph().disconnected, 4);
    assert_eq!(model.embedding().row(50), model.embedding().row(200));
    let order = shuffled(201);
    let again = fit(&umap, &twins.select(Axis(0), &order), &Given::new());
    for (place, &row) in order.iter().enumerate() {
        assert_eq!(again.embedding().row(place), model.embedding().row(row));
    }
    // New rows: near ones are placed among the others, far ones around them, each by itself.
    let mut new = rows.slice(s![..10, ..]).mapv(|x| x + 0.01);
    new.row_mut(4).fill(-700.0);
    let placed = model.transform(&new, &Run::new()).unwrap();
    assert!(all_finite(&placed));
    assert_eq!(model.transform(&new.slice(s![4..5, ..]).to_owned(), &Run::new()).unwrap().row(0), placed.row(4));
    let inside: Vec<usize> = (0..200).filter(|i| !model.disconnected().contains(&(*i as u32))).collect();
    let others = model.embedding().select(Axis(0), &inside);
    let centre = others.mean_axis(Axis(0)).unwrap();
    let reach = |picture: &Array2<f32>| (picture - &centre).mapv(|x| x * x).sum_axis(Axis(1)).mapv(f32::sqrt);
    let farthest = reach(&others).fold(0.0f32, |m, &x| m.max(x));
    let far = reach(&placed);
    assert!((1.19 * farthest..1.81 * farthest).contains(&far[4]), "{} {farthest}", far[4]);
    assert!([0, 1, 2, 5, 6, 7].iter().all(|&i| far[i] < 1.1 * farthest));
    // One row is nobody's neighbour in any case.
    assert_eq!(fit(&umap, &array![[1.0f32, 2.0]], &Given::new()).disconnected(), [0u32; 0]);
}

#[cfg(feature = "serde")]
#[test]
fn models_of_given_things_are_saved_whole() {
    use recluster::Saved;
    let (rows, species) = (iris(), iris_species());
    let target = Target::classes(&species);
    let start = rows.slice(s![.., ..2]).to_owned();
    let umap = Umap::new().n_epochs(20).disconnection_distance(0.5);
    let model = fit(&umap, &rows, &Given::new().target(&target).start(&start));
    let text = model.to_json().unwrap();
    assert_eq!(UmapModel::from_json(&text).unwrap(), model);
    let older = text.replacen("\"version\":2", "\"version\":1", 1);
    assert!(matches!(UmapModel::from_json(&older), Err(Error::Version { found: 1, supported: 2, .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever is brought, in whatever order the rows come, with however many equal ones: numbers, and the same.
    #[test]
    fn anything_brought_is_drawn_the_same_in_any_order(
        n in 1usize..50,
        columns in 1usize..4,
        values in 1usize..6,
        salt in 0usize..1000,
        weight in 0.0f64..=1.0,
        limit in 0.5f64..6.0,
        numeric: bool,
        dense: bool,
    ) {
        let pick = |at: usize, below: usize| (noise(salt * 100_000 + at) * below as f32) as usize;
        let rows = Array2::from_shape_fn((n, columns), |(i, j)| pick(i * columns + j, values) as f32);
        let start = Array2::from_shape_fn((n, 2), |(i, d)| pick(50_000 + i * 2 + d, 4) as f32);
        let labels: Vec<i32> = (0..n).map(|i| pick(60_000 + i, 4) as i32 - 1).collect();
        let drawn = |order: &[usize], threads: usize| {
            let (rows, start) = (rows.select(Axis(0), order), start.select(Axis(0), order));
            let labels: Vec<i32> = order.iter().map(|&i| labels[i]).collect();
            let numbers: Vec<f32> = labels.iter().map(|&x| x as f32).collect();
            let target = if numeric { Target::numbers(&numbers) } else { Target::classes(&labels) }.weight(weight);
            let run = Run::new().threads(threads);
            let found = Nearest::new(8).find(&rows, &run).unwrap();
            let given = Given::new().neighbors(&found).target(&target).start(&start);
            let mut umap = Umap::new().n_neighbors(6).n_epochs(8).disconnection_distance(limit);
            if dense {
                umap = umap.densmap(Densmap::new());
            }
            let model = umap.fit_given(&rows, &given, &run).unwrap();
            (model.embedding().clone(), model.log_radii(&run).unwrap())
        };
        let order = shuffled(n);
        let plain: Vec<usize> = (0..n).collect();
        let (first, radii) = drawn(&plain, 1);
        prop_assert!(all_finite(&first) && radii.iter().all(|x| x.is_finite()));
        let (second, other_radii) = drawn(&order, 2);
        prop_assert_eq!(first.select(Axis(0), &order), second);
        prop_assert_eq!(radii.select(Axis(0), &order), other_radii);
    }
}
