//! What umap-learn's own tests and pages ask of it, asked of this one.

use super::data::*;
use ndarray::{Array2, Axis, s};
use recluster::Run;
use recluster::cluster::KMeans;
use recluster::embed::{Given, Init, Start, Target, Umap};
use recluster::validity::adjusted_rand;

fn groups(picture: &Array2<f32>, clusters: usize) -> Vec<i32> {
    KMeans::new(clusters).fit(picture, &Run::new()).unwrap().labels().to_vec()
}

fn of_iris() -> Umap {
    Umap::new().n_neighbors(10).min_dist(0.01)
}

#[test]
fn iris_is_drawn_faithfully_from_every_start() {
    let rows = iris();
    for init in [Init::Spectral, Init::Pca, Init::Random] {
        for seed in 0..3 {
            let model = of_iris().init(init).fit(&rows, &Run::new().seed(seed)).unwrap();
            let ours = trustworthiness(&rows, model.embedding(), 10);
            assert!(ours >= 0.97, "{init:?} {seed}: {ours}");
        }
    }
    // From its own last two columns.
    let start = rows.slice(s![.., 2..]).to_owned();
    let model = of_iris().n_epochs(200).fit_given(&rows, &Given::new().start(&start), &Run::new()).unwrap();
    assert_eq!(model.start(), Start::Given);
    let ours = trustworthiness(&rows, model.embedding(), 10);
    assert!(ours >= 0.97, "given: {ours}");
}

#[test]
fn unseen_iris_is_placed_faithfully() {
    let rows = iris();
    let (old, new): (Vec<usize>, Vec<usize>) = (0..150).partition(|&i| noise(i + 31) < 0.75);
    let (old, new) = (rows.select(Axis(0), &old), rows.select(Axis(0), &new));
    for seed in 0..3 {
        let run = Run::new().seed(seed);
        let model = of_iris().n_epochs(200).fit(&old, &run).unwrap();
        let ours = trustworthiness(&new, &model.transform(&new, &run).unwrap(), 10);
        println!("unseen iris: {ours:.3}");
        assert!(ours >= 0.85, "{seed}: {ours}");
    }
}

#[test]
fn blobs_are_clusters() {
    let truth: Vec<i32> = (0..500).map(|i| i % 5).collect();
    for seed in 0..3 {
        let model = Umap::new().n_epochs(100).fit(&blobs(500, 10, 5), &Run::new().seed(seed)).unwrap();
        assert_eq!(adjusted_rand(&groups(model.embedding(), 5), &truth).unwrap(), 1.0);
    }
}

#[test]
fn supervised_iris_falls_into_its_species() {
    let (rows, species) = (iris(), iris_species());
    let target = Target::classes(&species);
    let drawn = |given: &Given<'_>, seed| {
        let model = of_iris().n_epochs(200).fit_given(&rows, given, &Run::new().seed(seed)).unwrap();
        adjusted_rand(&groups(model.embedding(), 3), &species).unwrap()
    };
    let mut found: Vec<(f64, f64)> =
        (0..5).map(|seed| (drawn(&Given::new().target(&target), seed), drawn(&Given::new(), seed))).collect();
    println!("iris: ARI with its species and without {found:.3?}");
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    assert!(found[2].0 >= 0.95, "the median of five seeds: {}", found[2].0);
    assert!(found.iter().map(|f| f.0 - f.1).sum::<f64>() > 0.0);
}

#[test]
fn supervision_keeps_pictures_faithful() {
    let rows = blobs(50, 2, 3);
    let truth: Vec<i32> = (0..50).map(|i| i % 3).collect();
    let half: Vec<i32> = (0..50).map(|i| if (10..30).contains(&i) { -1 } else { i % 3 }).collect();
    let numbers: Vec<f32> = truth.iter().map(|&x| x as f32).collect();
    for target in [Target::classes(&truth), Target::classes(&half), Target::numbers(&numbers).weight(0.8)] {
        let umap = of_iris().n_epochs(100);
        let model = umap.fit_given(&rows, &Given::new().target(&target), &Run::new()).unwrap();
        let ours = trustworthiness(&rows, model.embedding(), 10);
        println!("supervised blobs: {ours:.3}");
        assert!(ours >= 0.95, "{target:?}: {ours}");
    }
}

#[test]
fn digits_are_told_apart_in_two_dimensions() {
    // umap-learn's page on new data: 5 neighbours, a quarter unseen, 5-nearest-neighbour accuracy .984.
    let (rows, shown) = (digits(), digits_shown());
    let (new, old): (Vec<usize>, Vec<usize>) = (0..rows.nrows()).partition(|i| i % 4 == 0);
    let (known, unseen) = (rows.select(Axis(0), &old), rows.select(Axis(0), &new));
    let run = Run::new();
    let model = Umap::new().n_neighbors(5).fit(&known, &run).unwrap();
    let placed = model.transform(&unseen, &run).unwrap();
    let mut right = 0;
    for (at, &i) in new.iter().enumerate() {
        let mut near: Vec<(f32, i32)> = model
            .embedding()
            .rows()
            .into_iter()
            .zip(&old)
            .map(|(p, &j)| ((&p - &placed.row(at)).mapv(|x| x * x).sum(), shown[j]))
            .collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        let votes = |digit| near[..5].iter().filter(|n| n.1 == digit).count();
        let best = (0..10).max_by_key(|&digit| (votes(digit), -digit)).unwrap();
        right += usize::from(best == shown[i]);
    }
    let accuracy = right as f64 / new.len() as f64;
    println!("unseen digits: accuracy {accuracy:.4}");
    assert!(accuracy >= 0.97, "{accuracy}");
}
