//! Neighbours by stage (comparison, k-d tree, descent, queries), over rows that lie near a curved surface of few dimensions.

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::{Array2, s};
use recluster::Run;
use recluster::neighbors::{Metric, Nearest, Search};

/// Rows on a surface of five dimensions in `columns` columns, a function of their place.
fn surface(n: usize, columns: usize) -> Array2<f32> {
    let angle = |i: usize, t: usize| ((i * (2 * t + 7919) + t * t) % 10_007) as f32 / 10_007.0 * 6.0;
    Array2::from_shape_fn((n, columns), |(i, j)| {
        (0..5).map(|t| (angle(i, t) * (1.0 + (j % 7) as f32 * 0.3) + (j * (t + 1)) as f32).sin()).sum()
    })
}

fn neighbors(c: &mut Criterion) {
    let mut group = c.benchmark_group("neighbors");
    group.sample_size(10);
    let run = Run::new();
    let wide = surface(4000, 784);
    for metric in [Metric::Euclidean, Metric::Manhattan] {
        group.bench_function(format!("exact {metric} 4,000 x 784"), |b| {
            b.iter(|| Nearest::new(15).metric(metric).search(Search::Exact).find(&wide, &run).unwrap())
        });
    }
    let flat = surface(50_000, 2);
    group.bench_function("k-d tree euclidean 50,000 x 2", |b| b.iter(|| Nearest::new(15).find(&flat, &run).unwrap()));
    let many = surface(20_000, 784);
    group.bench_function("descent euclidean 20,000 x 784", |b| {
        b.iter(|| Nearest::new(15).search(Search::Approximate).find(&many, &run).unwrap())
    });
    let all = surface(30_000, 784);
    for metric in [Metric::Euclidean, Metric::Manhattan, Metric::Cosine] {
        let index = Nearest::new(15).metric(metric).index(&all.slice(s![..20_000, ..]), &run).unwrap();
        group.bench_function(format!("query {metric} 1,000 among 20,000 x 784"), |b| {
            b.iter(|| index.query(&all.slice(s![20_000..21_000, ..]), &run).unwrap())
        });
    }
    let index = Nearest::new(15).index(&flat, &run).unwrap();
    group.bench_function("query euclidean 1,000 among 50,000 x 2", |b| {
        b.iter(|| index.query(&surface(1000, 2), &run).unwrap())
    });
    group.finish();
}

criterion_group!(benches, neighbors);
criterion_main!(benches);
