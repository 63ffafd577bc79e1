//! How long clusterings take: `cargo bench --bench cluster`.

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array2;
use recluster::Run;
use recluster::cluster::{Hdbscan, KMeans};
use std::hint::black_box;

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

fn hdbscan(c: &mut Criterion) {
    let mut group = c.benchmark_group("hdbscan");
    group.sample_size(10);
    for (name, n, columns, settings) in [
        ("70,000 x 2", 70_000, 2, Hdbscan::new().min_samples(10).min_cluster_size(500)),
        ("70,000 x 2, min_samples 500", 70_000, 2, Hdbscan::new().min_cluster_size(500)),
        ("100,000 x 10", 100_000, 10, Hdbscan::new().min_samples(10).min_cluster_size(100)),
        ("3,000 x 64", 3_000, 64, Hdbscan::new().min_samples(10).min_cluster_size(50)),
    ] {
        let rows = blobs(n, columns, 10);
        group.bench_function(name, |b| b.iter(|| settings.fit(black_box(&rows), &Run::new())));
    }
    let model = Hdbscan::new().min_samples(10).fit(&blobs(70_000, 2, 10), &Run::new()).expect("finite rows");
    group.bench_function("recut, 70,000 x 2", |b| b.iter(|| model.recut(&Hdbscan::new().min_cluster_size(200))));
    group.finish();
}

fn kmeans(c: &mut Criterion) {
    let mut group = c.benchmark_group("k-means");
    group.sample_size(10);
    let rows = blobs(20_000, 50, 12);
    group.bench_function("20,000 x 50, 10 clusters", |b| b.iter(|| KMeans::new(10).fit(black_box(&rows), &Run::new())));
    group.finish();
}

criterion_group!(benches, hdbscan, kmeans);
criterion_main!(benches);
