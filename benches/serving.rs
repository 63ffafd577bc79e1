//! What a fitted model takes for one new row a call, as in production (`cargo bench --bench serving`).
//!
//! Each model is called once before it is timed: the first call prepares what the others use.

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::{Array2, s};
use recluster::boost::Boost;
use recluster::cluster::Hdbscan;
use recluster::embed::Umap;
use recluster::explain::{Abstain, Predictor, Surrogate};
use recluster::neighbors::{Nearest, Search};
use recluster::{Explainer, Run};

const FITTED: usize = 4000;

/// Rows around ten centres, a function of their place.
fn blobs(n: usize, columns: usize) -> Array2<f32> {
    let noise = |i: usize| ((i.wrapping_mul(2_654_435_761)) >> 7) % 1009;
    Array2::from_shape_fn((n, columns), |(i, j)| {
        (noise((i % 10) * columns + j) as f32) / 100.0 + noise(i * columns + j + 13) as f32 / 1009.0
    })
}

fn near(c: &mut Criterion) {
    let run = Run::new();
    let mut group = c.benchmark_group("one row");
    for (columns, search) in [(4, Search::Exact), (64, Search::Exact), (64, Search::Approximate)] {
        let all = blobs(FITTED + 1, columns);
        let (rows, new) = (all.slice(s![..FITTED, ..]), all.slice(s![FITTED.., ..]));
        let name = format!("{columns} columns, {search:?}").to_lowercase();
        let index = Nearest::new(15).search(search).index(&rows, &run).unwrap();
        index.query(&new, &run).unwrap();
        group.bench_function(format!("index query, {name}"), |b| b.iter(|| index.query(&new, &run).unwrap()));
        let model = Umap::new().n_epochs(50).search(search).fit(&rows, &run).unwrap();
        model.transform(&new, &run).unwrap();
        group.bench_function(format!("umap transform, {name}"), |b| b.iter(|| model.transform(&new, &run).unwrap()));
    }
    for columns in [2, 64] {
        let all = blobs(FITTED + 1, columns);
        let (rows, new) = (all.slice(s![..FITTED, ..]), all.slice(s![FITTED.., ..]));
        let model = Hdbscan::new().fit(&rows, &run).unwrap();
        let predictor = model.predictor(&rows, &run).unwrap();
        group.bench_function(format!("hdbscan predict, {columns} columns"), |b| {
            b.iter(|| predictor.predict(&new, &run).unwrap())
        });
    }
    group.finish();
}

fn surrogate(c: &mut Criterion) {
    let run = Run::new();
    let rows = blobs(FITTED, 30);
    let mut group = c.benchmark_group("one row");
    let labels: Vec<i32> = (0..FITTED).map(|i| ((i % 10) / 2 + (i * 7919 % 97) / 90) as i32).collect();
    let classes = (0..6).map(|c| format!("0.{c}")).collect();
    let surrogate = Surrogate::fit(&rows, &labels, classes, &Boost::new().rounds(100), &run).unwrap();
    let new = rows.slice(s![..1, ..]).mapv(|x| x + 0.01);
    surrogate.explain(&new, &run).unwrap();
    group.bench_function("surrogate assign", |b| b.iter(|| surrogate.assign(&new, &run).unwrap()));
    group.bench_function("surrogate explain", |b| b.iter(|| surrogate.explain(&new, &run).unwrap()));
    group.finish();
}

/// 25 classes of 50 trees of depth 4, one thread.
fn predictor(c: &mut Criterion) {
    let run = Run::new().threads(1);
    let rows = blobs(FITTED, 30);
    let labels: Vec<i32> = (0..FITTED).map(|i| ((i * 7919 % 97) / 20 * 5 + i % 5) as i32).collect();
    let classes = (0..25).map(|c| format!("0.{c}")).collect();
    let boost = Boost::new().rounds(50).max_depth(4);
    let surrogate = Surrogate::fit(&rows, &labels, classes, &boost, &run).unwrap();
    let predictor = Predictor::new(surrogate, Abstain::Share(0.05)).unwrap();
    let new = rows.row(0).mapv(|x| x + 0.01).to_vec();
    let mut group = c.benchmark_group("predictor");
    group.bench_function("one row", |b| b.iter(|| predictor.decide_row(&new).unwrap()));
    group.bench_function("4,000 rows", |b| b.iter(|| predictor.decide(&rows, &run).unwrap()));
    group.finish();
}

criterion_group!(benches, near, surrogate, predictor);
criterion_main!(benches);
