//! From the picture back to rows.

use super::data::*;
use ndarray::{Array2, Axis, array, s};
use recluster::embed::Umap;
use recluster::neighbors::Metric;
use recluster::{Error, Run};

/// Root of the mean squared difference.
fn rms(a: &Array2<f32>, b: &Array2<f32>) -> f64 {
    (a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / a.len() as f64).sqrt()
}

#[test]
fn rows_of_points_are_nearer_the_truth_than_those_of_umap_learn() {
    let rows = digits();
    let (old, new) = (rows.slice(s![..1200, ..]).to_owned(), rows.slice(s![1200..1400, ..]).to_owned());
    let theirs = |which: &str| {
        let all = umap_fixture()["inverse"].as_array().unwrap().clone();
        all.iter().map(|run| run[which].as_f64().unwrap()).fold(f64::INFINITY, f64::min)
    };
    for seed in 0..3 {
        let run = Run::new().seed(seed);
        let model = Umap::new().fit(&old, &run).unwrap();
        let first = model.embedding().slice(s![..200, ..]).to_owned();
        let fitted = rms(&model.inverse_transform(&first, &run).unwrap(), &old.slice(s![..200, ..]).to_owned());
        let placed = model.transform(&new, &run).unwrap();
        let unseen = rms(&model.inverse_transform(&placed, &run).unwrap(), &new);
        println!("fitted {fitted:.3} (umap-learn {:.3}), unseen {unseen:.3} ({:.3})", theirs("fitted"), theirs("new"));
        assert!(fitted < theirs("fitted") && unseen < theirs("new"));
    }
}

#[test]
fn points_among_neighbours_become_rows_among_them() {
    let rows = iris();
    let run = Run::new();
    let model = Umap::new().n_neighbors(10).min_dist(0.01).fit(&rows, &run).unwrap();
    for i in (1..150).step_by(20) {
        let near: Vec<usize> = ranked(model.embedding(), i)[..5].iter().map(|r| r.1).collect();
        let centre = model.embedding().select(Axis(0), &near).mean_axis(Axis(0)).unwrap().insert_axis(Axis(0));
        let row = model.inverse_transform(&centre, &run).unwrap();
        let mut all: Vec<(f32, usize)> =
            (0..150).map(|j| ((&rows.row(j) - &row.row(0)).mapv(|x| x * x).sum(), j)).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        // umap-learn's own test: three of the five among the ten nearest rows.
        let hits = all[..10].iter().filter(|(_, j)| near.contains(j)).count();
        assert!(hits >= 3, "row {i}: {hits}");
    }
}

#[test]
fn a_point_gives_the_same_row_alone_and_in_any_batch() {
    let rows = digits().slice(s![..400, ..]).to_owned();
    let run = Run::new();
    let model = Umap::new().n_epochs(50).n_components(3).fit(&rows, &run).unwrap();
    let together = model.inverse_transform(model.embedding(), &run).unwrap();
    for i in [0, 17, 399] {
        let alone = model.inverse_transform(&model.embedding().slice(s![i..=i, ..]), &run.clone().threads(1)).unwrap();
        assert_eq!(alone.row(0), together.row(i));
    }
    let order = shuffled(400);
    let again = Umap::new().n_epochs(50).n_components(3).fit(&rows.select(Axis(0), &order), &run).unwrap();
    assert_eq!(again.inverse_transform(model.embedding(), &run).unwrap(), together);
}

#[test]
fn rows_change_smoothly_with_the_point() {
    let rows = digits().slice(s![..400, ..]).to_owned();
    let run = Run::new();
    let model = Umap::new().n_epochs(100).fit(&rows, &run).unwrap();
    let (from, to) = (model.embedding().row(0).to_owned(), model.embedding().row(1).to_owned());
    let longest = |steps: usize| {
        let path =
            Array2::from_shape_fn((steps + 1, 2), |(i, d)| from[d] + (to[d] - from[d]) * i as f32 / steps as f32);
        let found = model.inverse_transform(&path, &run).unwrap();
        let step = |i: usize| (&found.row(i) - &found.row(i + 1)).mapv(|x| x * x).sum().sqrt();
        (0..steps).map(step).fold(0.0f32, f32::max)
    };
    // A jump would stay as long however short the steps.
    let (coarse, fine) = (longest(1000), longest(20_000));
    println!("longest step {coarse} of 1,000, {fine} of 20,000");
    assert!(fine < coarse / 5.0, "{coarse} {fine}");
}

#[test]
fn awkward_points_give_rows() {
    let run = Run::new();
    let rows = blobs(60, 5, 3);
    let model = Umap::new().n_epochs(20).fit(&rows, &run).unwrap();
    let points = array![[0.0f32, 0.0], [1e10, -1e10], [f32::MAX, f32::MIN], [1e-40, 5.0]];
    let found = model.inverse_transform(&points, &run).unwrap();
    assert!(found.dim() == (4, 5) && all_finite(&found));
    for n in [1, 2, 3, 15, 16] {
        let model = Umap::new().n_epochs(20).fit(&blobs(n, 5, 3), &run).unwrap();
        assert!(all_finite(&model.inverse_transform(&points, &run).unwrap()), "{n} rows");
    }
    let one = Umap::new().fit(&Array2::from_elem((9, 5), 2.0), &run).unwrap();
    assert_eq!(one.inverse_transform(&points, &run).unwrap(), Array2::from_elem((4, 5), 2.0));
    // Rows that had no part in the layout have none here.
    let mut far = rows.clone();
    far.row_mut(7).fill(1e6);
    let model = Umap::new().n_epochs(20).disconnection_distance(1e3).fit(&far, &run).unwrap();
    assert_eq!(model.disconnected(), [7]);
    let back = model.inverse_transform(model.embedding(), &run).unwrap();
    assert!(back.iter().all(|&x| x < 100.0));
    let bad = |points: Array2<f32>| model.inverse_transform(&points, &run);
    assert!(matches!(bad(Array2::zeros((3, 3))), Err(Error::Shape { expected: 2, found: 3, .. })));
    assert!(matches!(bad(Array2::zeros((0, 2))), Err(Error::Empty { .. })));
    assert!(matches!(bad(array![[0.0, f32::NAN]]), Err(Error::NotFinite { row: 0, column: 1, .. })));
    let model = Umap::new().n_epochs(5).metric(Metric::Cosine).fit(&rows, &run).unwrap();
    assert!(matches!(model.inverse_transform(&points, &run), Err(Error::Setting { name: "metric", .. })));
}
