//! How long clusterings take: `cargo bench --bench cluster`.

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array2;
use recluster::cluster::{Agglomerative, Covariance, Dbscan, GaussianMixture, Genie, Hdbscan, KMeans, Linkage};
use recluster::neighbors::Metric;
use recluster::{Clusterer, Event, Observer, Run};
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Blobs around the corners of a lattice, the same on every machine.
fn blobs(n: usize, columns: usize, centers: usize) -> Array2<f32> {
    let uniform = |i: usize| {
        let mut x = (i as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    };
    Array2::from_shape_fn((n, columns), |(i, j)| {
        let center = 20.0 * uniform(usize::MAX / 2 + i % centers * columns + j);
        (center + (0..6).map(|k| uniform((i * columns + j) * 6 + k)).sum::<f64>()) as f32
    })
}

/// How long each stage of a fit takes, as its observer is told.
#[derive(Clone, Default)]
struct Clock(Arc<Mutex<HashMap<&'static str, f64>>>);

impl Observer for Clock {
    fn event(&self, event: &Event<'_>) {
        if let Event::Finished { stage, seconds, .. } = event {
            *self.0.lock().expect("no panic here").entry(stage).or_default() += seconds;
        }
    }
}

fn shapes() -> [(&'static str, Array2<f32>, Hdbscan); 6] {
    let of = |n, columns| blobs(n, columns, 10);
    let samples = |min_samples| Hdbscan::new().min_samples(min_samples);
    [
        ("70,000 x 2", of(70_000, 2), samples(10).min_cluster_size(500)),
        ("70,000 x 2, min_samples 500", of(70_000, 2), samples(500).min_cluster_size(500)),
        ("100,000 x 10", of(100_000, 10), samples(10).min_cluster_size(100)),
        ("20,000 x 50", of(20_000, 50), samples(10).min_cluster_size(50)),
        ("5,000 x 784", of(5_000, 784), samples(10).min_cluster_size(50)),
        ("20,000 x 4, manhattan", of(20_000, 4), samples(10).min_cluster_size(50).metric(Metric::Manhattan)),
    ]
}

fn hdbscan(c: &mut Criterion) {
    let mut group = c.benchmark_group("hdbscan");
    group.sample_size(10);
    for (name, rows, settings) in shapes() {
        group.bench_function(name, |b| b.iter(|| settings.fit(black_box(&rows), &Run::new())));
    }
    group.finish();
}

/// The stages of the same fits: a stage takes those that another one needed before, and more where it needs more.
fn stages(c: &mut Criterion) {
    let mut group = c.benchmark_group("hdbscan, a stage");
    group.sample_size(10);
    for (name, rows, settings) in shapes() {
        let fit = || {
            let clock = Clock::default();
            let _ = black_box(settings.fit(black_box(&rows), &Run::new().observer(clock.clone())));
            clock
        };
        let mut fits = Vec::new();
        for stage in ["row order", "tree", "core distances", "spanning tree", "condensing", "selection"] {
            let mut taken = 0;
            group.bench_function(format!("{name}: {stage}"), |b| {
                b.iter_custom(|times| {
                    let own = taken..taken + times as usize;
                    taken = own.end;
                    fits.resize_with(own.end.max(fits.len()), fit);
                    let seconds = |clock: &Clock| clock.0.lock().expect("no panic here").get(stage).copied();
                    Duration::from_secs_f64(fits[own].iter().filter_map(seconds).sum::<f64>().max(1e-9))
                })
            });
        }
    }
    group.finish();
}

fn model(c: &mut Criterion) {
    let mut group = c.benchmark_group("hdbscan, a fitted model");
    group.sample_size(10);
    let (rows, run) = (blobs(70_000, 2, 10), Run::new());
    let model = Hdbscan::new().min_samples(10).min_cluster_size(500).fit(&rows, &run).expect("finite rows");
    let new = blobs(10_000, 2, 10).mapv(|x| x + 0.01);
    group.bench_function("recut", |b| b.iter(|| model.recut(&Hdbscan::new().min_cluster_size(200))));
    group.bench_function("layers", |b| b.iter(|| model.layers()));
    group.bench_function("predict 10,000", |b| b.iter(|| model.predict(&rows, &new, &run)));
    group.bench_function("memberships", |b| b.iter(|| model.memberships(&rows, &run)));
    group.finish();
}

/// Which is faster on this machine: all clusterers on the same rows, over size and width.
fn compared(c: &mut Criterion) {
    for (n, columns) in [(2_000, 2), (20_000, 2), (20_000, 10), (5_000, 50)] {
        let mut group = c.benchmark_group(format!("clusterers, {n} x {columns}"));
        group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
        let rows = blobs(n, columns, 10);
        let mut methods: Vec<(&str, Box<dyn Clusterer>)> = vec![
            ("hdbscan", Box::new(Hdbscan::new().min_samples(10).min_cluster_size(50))),
            ("dbscan", Box::new(Dbscan::new(columns as f64 / 4.0).min_samples(11))),
            ("genie", Box::new(Genie::new(10))),
            ("genie, min_samples 10", Box::new(Genie::new(10).min_samples(10))),
            ("single linkage", Box::new(Agglomerative::new(10).linkage(Linkage::Single))),
            ("k-means, 1 start", Box::new(KMeans::new(10).restarts(1))),
            ("k-means, mini-batches", Box::new(KMeans::new(10).restarts(1).mini_batch(1_000))),
            ("mixture, full", Box::new(GaussianMixture::new(10))),
            ("mixture, diagonal", Box::new(GaussianMixture::new(10).covariance(Covariance::Diagonal))),
        ];
        if n <= 5_000 {
            methods.push(("ward", Box::new(Agglomerative::new(10))));
            methods.push(("average linkage", Box::new(Agglomerative::new(10).linkage(Linkage::Average))));
        }
        for (name, method) in methods {
            group.bench_function(name, |b| b.iter(|| method.cluster(black_box(&rows), &Run::new())));
        }
        group.finish();
    }
}

/// Cuts of one fitted tree.
fn cuts(c: &mut Criterion) {
    let mut group = c.benchmark_group("cuts of a fitted tree, 70,000 x 2");
    group.sample_size(10).measurement_time(Duration::from_secs(2));
    let (rows, run) = (blobs(70_000, 2, 10), Run::new());
    let model = Hdbscan::new().min_samples(10).min_cluster_size(500).fit(&rows, &run).expect("finite rows");
    group.bench_function("genie", |b| b.iter(|| Genie::new(10).fit_model(&model, &rows, &run)));
    group.bench_function("dbscan", |b| b.iter(|| Dbscan::new(0.1).fit_model(&model, &rows, &run)));
    let genie = Genie::new(10).fit_model(&model, &rows, &run).expect("rows of the fit");
    group.bench_function("genie, another number of clusters", |b| b.iter(|| genie.cut(20)));
    group.finish();
}

/// Starts from given centres, so that only the rounds are timed.
fn rounds(c: &mut Criterion) {
    let mut group = c.benchmark_group("rounds from a given start");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    let rows = blobs(70_000, 50, 12);
    let start = Array2::from_shape_fn((50, 50), |(i, j)| f64::from(rows[[i * 1_399, j]]));
    let kmeans = KMeans::new(50).start(start);
    group.bench_function("k-means, 70,000 x 50, 50 clusters", |b| b.iter(|| kmeans.fit(black_box(&rows), &Run::new())));
    let rows = blobs(70_000, 10, 12);
    let start = Array2::from_shape_fn((20, 10), |(i, j)| f64::from(rows[[i * 3_499, j]]));
    for (name, covariance) in [
        ("full", Covariance::Full),
        ("tied", Covariance::Tied),
        ("diagonal", Covariance::Diagonal),
        ("spherical", Covariance::Spherical),
    ] {
        let mixture = GaussianMixture::new(20).covariance(covariance).start_means(start.clone()).max_iter(10);
        let name = format!("mixture, {name}, 70,000 x 10, 20 components, at most 10 rounds");
        group.bench_function(name, |b| b.iter(|| mixture.fit(black_box(&rows), &Run::new())));
    }
    group.finish();
}

criterion_group!(benches, hdbscan, stages, model, compared, cuts, rounds);
criterion_main!(benches);
