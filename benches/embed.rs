//! Embedders: UMAP with its defaults, and principal components.

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array2;
use recluster::embed::{Pca, Umap};
use recluster::{Embedder, Run};

/// Rows around ten centres, a function of their place.
fn blobs(n: usize, columns: usize) -> Array2<f32> {
    let noise = |i: usize| ((i.wrapping_mul(2_654_435_761)) >> 7) % 1009;
    Array2::from_shape_fn((n, columns), |(i, j)| {
        (noise((i % 10) * columns + j) as f32) / 100.0 + noise(i * columns + j + 13) as f32 / 1009.0
    })
}

fn embed(c: &mut Criterion) {
    let mut group = c.benchmark_group("embed");
    group.sample_size(10);
    let run = Run::new();
    for n in [1000, 5000] {
        let rows = blobs(n, 64);
        group.bench_function(format!("umap {n} x 64"), |b| b.iter(|| Umap::new().embed(&rows, &run).unwrap()));
    }
    let rows = blobs(5000, 256);
    group.bench_function("pca 5,000 x 256", |b| b.iter(|| Pca::new(50).embed(&rows, &run).unwrap()));
    group.finish();
}

criterion_group!(benches, embed);
criterion_main!(benches);
