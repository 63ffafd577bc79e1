//! UMAP, principal components and neighbours as a user sees them: quality, reproducibility, awkward input.

use super::data::*;
use ndarray::{Array2, Axis, s};
use recluster::embed::{Init, Pca, PcaModel, Scaled, Scaling, Start, Umap, UmapModel};
use recluster::neighbors::{Distance, Measure, Metric, Search};
use recluster::{Cancel, Embedder, Error, Event, Observer, Run};
use std::sync::{Arc, Mutex};

#[test]
fn trustworthiness_of_a_copy_is_one() {
    let rows = iris();
    assert_eq!(trustworthiness(&rows, &rows, 10), 1.0);
    let shuffled = Array2::from_shape_fn((150, 2), |(i, d)| noise(i * 2 + d));
    assert!(trustworthiness(&rows, &shuffled, 10) < 0.7);
}

#[test]
fn digits_are_drawn_as_well_as_by_umap_learn() {
    let rows = digits();
    let theirs = numbers(&fixture()["trustworthiness15_digits"]).into_iter().fold(0.0, f64::max);
    let model = Umap::new().fit(&rows, &Run::new()).unwrap();
    let ours = trustworthiness(&rows, model.embedding(), 15);
    println!("digits: ours {ours:.4}, umap-learn {theirs:.4}");
    assert!(ours > theirs - 0.01, "ours {ours}, umap-learn {theirs}");
    assert_eq!(model.start(), Start::Spectral);
    assert!(model.graph().exact);
}

#[test]
fn separate_blobs_stay_separate() {
    let rows = blobs(500, 10, 10);
    let picture = Umap::new().embed(&rows, &Run::new()).unwrap();
    for i in 0..500 {
        let nearest = ranked(&picture, i)[1].1;
        assert_eq!(nearest % 10, i % 10, "row {i}");
    }
}

/// The same pictures, bit for bit, with rows shuffled and at 1, 2 and 4 threads.
fn same_bits(rows: &Array2<f32>, umap: &Umap) {
    let first = umap.embed(rows, &Run::new().threads(1)).unwrap();
    let n = rows.nrows();
    let order = shuffled(n);
    let shuffled = rows.select(Axis(0), &order);
    for threads in [2, 4] {
        let second = umap.embed(&shuffled, &Run::new().threads(threads)).unwrap();
        for (place, &row) in order.iter().enumerate() {
            assert_eq!(first.row(row), second.row(place), "row {row} at {threads} threads");
        }
    }
    let other_seed = umap.embed(rows, &Run::new().seed(5)).unwrap();
    assert_ne!(first, other_seed);
}

#[test]
fn bits_do_not_depend_on_order_or_threads_with_exact_neighbours() {
    same_bits(&digits().slice(s![..700, ..]).to_owned(), &Umap::new().n_epochs(60));
    same_bits(&iris(), &Umap::new().n_epochs(60).init(Init::Pca).n_components(3));
}

#[test]
fn bits_do_not_depend_on_order_or_threads_with_searched_neighbours() {
    let umap = Umap::new().n_epochs(15);
    same_bits(&blobs(6000, 16, 40), &umap);
    same_bits(&blobs(6000, 120, 7), &umap.metric(Metric::Cosine));
}

#[test]
fn equal_rows_share_one_place() {
    let mut rows = digits().slice(s![..300, ..]).to_owned();
    for i in 0..40 {
        let first = rows.row(0).to_owned();
        rows.row_mut(100 + i).assign(&first);
    }
    let picture = Umap::new().n_epochs(50).embed(&rows, &Run::new()).unwrap();
    for i in 0..40 {
        assert_eq!(picture.row(0), picture.row(100 + i));
    }
}

#[test]
fn awkward_tables_are_drawn_without_nan() {
    let run = Run::new();
    let umap = Umap::new().n_epochs(30);
    assert_eq!(umap.embed(&Array2::from_elem((50, 3), 2.0), &run).unwrap(), Array2::<f32>::zeros((50, 2)));
    assert_eq!(umap.embed(&Array2::from_elem((1, 1), 2.0), &run).unwrap(), Array2::<f32>::zeros((1, 2)));
    for n in [2, 3, 4, 5, 14, 15, 16, 17, 40] {
        for columns in [1, 2, 40] {
            let picture = umap.embed(&blobs(n, columns, 2), &run).unwrap();
            assert!(picture.dim() == (n, 2) && all_finite(&picture), "{n} rows");
        }
    }
    let mut constant = blobs(200, 6, 3);
    constant.column_mut(2).fill(7.0);
    assert!(all_finite(&umap.embed(&constant, &run).unwrap()));
    for factor in [1e-30, 1e-20, 1e20, 1e37] {
        let rows = blobs(200, 6, 3).mapv(|x| x * factor / 20.0);
        assert!(all_finite(&umap.embed(&rows, &run).unwrap()), "{factor}");
        assert!(all_finite(&Pca::new(2).embed(&rows, &run).unwrap()), "{factor}");
    }
    // Many tiny components, and one far outlier.
    let pairs = Array2::from_shape_fn((600, 3), |(i, j)| (i / 2 * 100) as f32 * noise(i / 2 * 3 + j) + (i % 2) as f32);
    assert!(all_finite(&umap.clone().n_neighbors(2).embed(&pairs, &run).unwrap()));
    let mut outlier = blobs(300, 5, 3);
    outlier.row_mut(9).fill(1e6);
    assert!(all_finite(&umap.embed(&outlier, &run).unwrap()));
    for metric in Metric::ALL {
        let rows = if metric == Metric::Hellinger { outlier.mapv(f32::abs) } else { outlier.clone() };
        assert!(all_finite(&umap.clone().metric(metric).embed(&rows, &run).unwrap()));
    }
    for components in [1, 3, 5, 8, 9, 20, 64] {
        let picture = umap.clone().n_components(components).embed(&blobs(120, 6, 3), &run).unwrap();
        assert!(picture.dim() == (120, components) && all_finite(&picture));
    }
}

struct Notes(Arc<Mutex<Vec<String>>>);

impl Observer for Notes {
    fn event(&self, event: &Event<'_>) {
        if let Event::Note { text, .. } = event {
            self.0.lock().unwrap().push(text.to_string());
        }
    }
}

#[test]
fn fallbacks_are_told() {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let run = Run::new().observer(Notes(notes.clone()));
    let model = Umap::new().n_epochs(10).fit(&blobs(8, 4, 2), &run).unwrap();
    assert_eq!(model.graph().neighbors, 8);
    assert!(notes.lock().unwrap()[0].contains("fewer than 15 neighbours"));
    // More components than the bounded solver gives.
    notes.lock().unwrap().clear();
    let model = Umap::new().n_epochs(10).n_components(20).fit(&blobs(300, 30, 1), &run).unwrap();
    assert_eq!(model.start(), Start::Pca);
    assert!(notes.lock().unwrap().iter().any(|note| note.contains("principal components")));
}

#[test]
fn bad_input_is_named() {
    let run = Run::new();
    let mut rows = blobs(50, 4, 2);
    rows[[7, 3]] = f32::NAN;
    assert!(matches!(Umap::new().fit(&rows, &run), Err(Error::NotFinite { row: 7, column: 3, .. })));
    assert!(matches!(Pca::new(3).fit(&rows, &run), Err(Error::NotFinite { row: 7, column: 3, .. })));
    assert!(matches!(Umap::new().fit(&Array2::zeros((0, 3)), &run), Err(Error::Empty { .. })));
    let good = blobs(50, 4, 2);
    for umap in [
        Umap::new().n_neighbors(1),
        Umap::new().n_components(0),
        Umap::new().n_components(65),
        Umap::new().min_dist(-0.1),
        Umap::new().min_dist(1.5),
        Umap::new().min_dist(f64::NAN),
        Umap::new().spread(0.0),
        Umap::new().n_epochs(0),
        Umap::new().learning_rate(f64::INFINITY),
        Umap::new().repulsion_strength(-1.0),
        Umap::new().negative_sample_rate(5000),
        Umap::new().set_op_mix_ratio(1.1),
        Umap::new().local_connectivity(-1.0),
    ] {
        assert!(matches!(umap.fit(&good, &run), Err(Error::Setting { .. })), "{umap:?}");
    }
    let cancel = Cancel::default();
    cancel.cancel();
    assert!(matches!(Umap::new().fit(&good, &run.cancel(cancel)), Err(Error::Cancelled { .. })));
}

#[test]
fn new_rows_find_their_place_alone_or_together() {
    let rows = digits();
    let (old, new) = (rows.slice(s![..1200, ..]).to_owned(), rows.slice(s![1200.., ..]).to_owned());
    let run = Run::new();
    let model = Umap::new().fit(&old, &run).unwrap();
    assert_eq!(model.transform(&old, &run).unwrap(), *model.embedding());
    let together = model.transform(&new, &run).unwrap();
    for i in [0, 5, 100, 596] {
        let alone = model.transform(&new.slice(s![i..=i, ..]).to_owned(), &run.clone().threads(1)).unwrap();
        assert_eq!(alone.row(0), together.row(i), "row {i}");
    }
    let trust = trustworthiness(&new, &together, 15);
    println!("new rows: trustworthiness {trust:.4}");
    assert!(trust > 0.95, "{trust}");
    assert!(matches!(model.transform(&iris(), &run), Err(Error::Shape { expected: 64, found: 4, .. })));
}

/// Wide rows that the fit searches approximately, so that new rows are searched too.
#[test]
fn new_rows_are_searched_alone_as_together() {
    let all = surface(7000, 120);
    let (old, new) = (all.slice(s![..6000, ..]).to_owned(), all.slice(s![6000.., ..]).to_owned());
    let run = Run::new();
    let umap = Umap::new().n_epochs(30);
    let model = umap.fit(&old, &run).unwrap();
    assert!(!model.graph().exact);
    assert_eq!(model.transform(&old, &run.clone().threads(1)).unwrap(), *model.embedding());
    let together = model.transform(&new, &run).unwrap();
    let mixed = model.transform(&all.slice(s![..;-7, ..]).to_owned(), &run).unwrap();
    for i in [0, 3, 500, 999] {
        let alone = model.transform(&new.slice(s![i..=i, ..]).to_owned(), &run.clone().threads(1)).unwrap();
        assert_eq!(alone.row(0), together.row(i), "row {i}");
    }
    for (place, i) in (0..7000).rev().step_by(7).enumerate() {
        let expected = if i < 6000 { model.embedding().row(i) } else { together.row(i - 6000) };
        assert_eq!(mixed.row(place), expected, "row {i}");
    }
    // Rows in another order, and the exact search: the same fitted points, nearly the same places of the new ones.
    let back = umap.fit(&old.slice(s![..;-1, ..]).to_owned(), &run).unwrap();
    assert_eq!(back.transform(&new, &run).unwrap(), together);
    let exact = umap.clone().search(Search::Exact).fit(&old, &run).unwrap();
    assert!(exact.graph().exact);
    let (a, b) =
        (trustworthiness(&new, &together, 15), trustworthiness(&new, &exact.transform(&new, &run).unwrap(), 15));
    println!("new rows: searched {a:.4}, exact {b:.4}");
    // Two fits of few epochs: the layouts differ a little.
    assert!(a > b - 0.02, "{a} {b}");
    // A row from another world gets a place all the same.
    let far = Array2::from_shape_fn((3, 120), |(i, _)| [1e38, -3e38, 0.0][i]);
    assert!(all_finite(&model.transform(&far, &run).unwrap()));
}

/// Euclidean distance, as one's own.
struct Plain;

impl Distance for Plain {
    fn name(&self) -> &str {
        "plain"
    }
    fn distance(&self, a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f32>().sqrt()
    }
}

#[test]
fn a_metric_of_ones_own_draws_like_a_built_in() {
    let rows = iris();
    let run = Run::new();
    let umap = Umap::new().n_neighbors(10).metric(Measure::own(Plain));
    let model = umap.fit(&rows, &run).unwrap();
    let ours = trustworthiness(&rows, model.embedding(), 10);
    assert!(ours >= 0.97, "{ours}");
    assert_eq!(model.transform(&rows, &run).unwrap(), *model.embedding());
    #[cfg(feature = "serde")]
    {
        use recluster::Saved;
        let mut read = UmapModel::from_json(&model.to_json().unwrap()).unwrap();
        assert_eq!(read, model);
        assert!(matches!(read.transform(&rows, &run), Err(Error::Setting { name: "metric", .. })));
        assert!(matches!(read.settings().fit(&rows, &run), Err(Error::Setting { name: "metric", .. })));
        assert!(read.restore_metric(Metric::Euclidean).is_err());
        read.restore_metric(Measure::own(Plain)).unwrap();
        assert_eq!(read.transform(&rows, &run).unwrap(), *model.embedding());
    }
}

#[cfg(feature = "serde")]
#[test]
fn models_are_saved_whole() {
    use recluster::Saved;
    let rows = iris();
    let run = Run::new();
    let model = Umap::new().n_epochs(20).fit(&rows, &run).unwrap();
    let read = UmapModel::from_json(&model.to_json().unwrap()).unwrap();
    assert_eq!(read, model);
    assert_eq!(read.transform(&rows, &run).unwrap(), *model.embedding());
    // With lists of neighbours to walk over.
    let wide = surface(4500, 100);
    let model = Umap::new().n_epochs(2).fit(&wide, &run).unwrap();
    let read = UmapModel::from_json(&model.to_json().unwrap()).unwrap();
    assert_eq!(read, model);
    let new = surface(4600, 100).slice(s![4500.., ..]).to_owned();
    assert_eq!(read.transform(&new, &run).unwrap(), model.transform(&new, &run).unwrap());
    let pca = Pca::new(2).fit(&rows, &run).unwrap();
    assert_eq!(PcaModel::from_json(&pca.to_json().unwrap()).unwrap(), pca);
}

#[test]
fn principal_components_are_those_of_scikit_learn() {
    let fixture = fixture();
    for (name, rows, k) in [("pca_iris", iris(), 4), ("pca_digits50", digits().slice(s![..50, ..]).to_owned(), 5)] {
        let model = Pca::new(k).fit(&rows, &Run::new()).unwrap();
        let expected = &fixture[name];
        for (ours, theirs) in model.explained_variance().iter().zip(numbers(&expected["variance"])) {
            assert!((ours - theirs).abs() < 1e-5 * theirs, "{name}");
        }
        for (ours, theirs) in model.explained_variance_ratio().iter().zip(numbers(&expected["ratio"])) {
            assert!((ours - theirs).abs() < 1e-5, "{name}");
        }
        let theirs = Array2::from_shape_vec((k, rows.ncols()), numbers(&expected["components"])).unwrap();
        for (a, b) in model.components().rows().into_iter().zip(theirs.rows()) {
            assert!((a.dot(&b).abs() - 1.0).abs() < 1e-6, "{name}");
            let largest = a.iter().fold(0.0f64, |m, x| if x.abs() > m.abs() { *x } else { m });
            assert!(largest > 0.0);
        }
        let scores = model.transform(&rows, &Run::new()).unwrap();
        assert_eq!(scores, Pca::new(k).embed(&rows, &Run::new()).unwrap());
        let variance = scores.column(0).iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / (rows.nrows() - 1) as f64;
        assert!((variance / model.explained_variance()[0] - 1.0).abs() < 1e-5);
    }
}

#[test]
fn both_sides_of_the_decomposition_agree() {
    // More rows than columns by one, and the same rows with a zero column more than there are rows.
    let tall = blobs(21, 20, 4);
    let mut wide = Array2::zeros((21, 22));
    wide.slice_mut(s![.., ..20]).assign(&tall);
    let (a, b) = (Pca::new(6).fit(&tall, &Run::new()).unwrap(), Pca::new(6).fit(&wide, &Run::new()).unwrap());
    for j in 0..6 {
        assert!((a.explained_variance()[j] / b.explained_variance()[j] - 1.0).abs() < 1e-9);
        for c in 0..20 {
            assert!((a.components()[[j, c]] - b.components()[[j, c]]).abs() < 1e-7);
        }
    }
    let flat = Pca::new(3).fit(&Array2::from_elem((9, 5), 1.5), &Run::new()).unwrap();
    assert_eq!(flat.explained_variance_ratio().sum(), 0.0);
    assert!(flat.components().iter().all(|x| x.is_finite()));
    assert_eq!(Pca::new(50).fit(&iris(), &Run::new()).unwrap().components().dim(), (4, 4));
    assert!(matches!(Pca::new(0).fit(&iris(), &Run::new()), Err(Error::Setting { .. })));
}

#[test]
fn principal_components_do_not_depend_on_order_or_threads() {
    let rows = digits();
    let back = rows.slice(s![..;-1, ..]).to_owned();
    let a = Pca::new(8).fit(&rows, &Run::new().threads(1)).unwrap();
    let b = Pca::new(8).fit(&back, &Run::new().threads(3)).unwrap();
    assert_eq!(a, b);
}

#[test]
fn scaling_gives_every_column_its_say() {
    let run = Run::new();
    let mut rows = iris();
    rows.column_mut(2).mapv_inplace(|x| 1e6 * x + 5.0);
    let scaled = Scaling::Standard.apply(&rows, &run).unwrap();
    for column in scaled.columns() {
        let mean = column.iter().map(|&x| f64::from(x)).sum::<f64>() / 150.0;
        let square = column.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / 150.0;
        assert!(mean.abs() < 1e-6 && (square - 1.0).abs() < 1e-5);
    }
    let robust = Scaling::Robust.apply(&rows, &run).unwrap();
    let mut column: Vec<f32> = robust.column(2).to_vec();
    column.sort_by(f32::total_cmp);
    assert!(((column[74] + column[75]) / 2.0).abs() < 1e-6);
    assert_eq!(Scaling::None.apply(&rows, &run).unwrap(), rows);
    let mut constant = iris();
    constant.column_mut(1).fill(3.3);
    for scaling in [Scaling::Standard, Scaling::Robust] {
        assert!(scaling.apply(&constant, &run).unwrap().column(1).iter().all(|&x| x == 0.0));
        let embedding = Scaled::new(Pca::new(2), scaling).embed(&constant, &run).unwrap();
        assert_eq!(embedding, Pca::new(2).embed(&scaling.apply(&constant, &run).unwrap(), &run).unwrap());
    }
    assert_eq!(Scaled::new(Pca::new(2), Scaling::Standard).name(), "Pca");
}
