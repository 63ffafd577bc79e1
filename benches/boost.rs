//! Training and prediction of boosted trees on data shaped like digits (mostly zeros) and on dense data.
#![allow(missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array2;
use recluster::Run;
use recluster::boost::Boost;
use std::hint::black_box;

/// Pixels: four in five are zero, the rest depend on the label.
fn pixels(n: usize) -> (Array2<f32>, Vec<i32>) {
    let labels: Vec<i32> = (0..n).map(|i| (i * 7919 % 10) as i32).collect();
    let rows = Array2::from_shape_fn((n, 196), |(i, j)| {
        let draw = (i * 2_654_435_761 + j * 40_503 + i * j * 97) % 1009;
        let near = j / 20 == labels[i] as usize || draw % 7 == 0;
        if near && draw % 5 != 0 { (draw % 256) as f32 } else { 0.0 }
    });
    (rows, labels)
}

/// Real numbers in every column.
fn dense(n: usize) -> (Array2<f32>, Vec<i32>) {
    let rows = Array2::from_shape_fn((n, 30), |(i, j)| ((i * 7919 + j * 104_729 + i * j) % 10_007) as f32 * 1e-3);
    let labels = rows.outer_iter().map(|row| i32::from(row[0] + row[1] * row[2] > 20.0)).collect();
    (rows, labels)
}

fn boosting(c: &mut Criterion) {
    let run = Run::new();
    let mut group = c.benchmark_group("boost");
    group.sample_size(10);
    let (rows, labels) = pixels(4_000);
    let boost = Boost::new().rounds(10);
    group.bench_function("fit, 10 labels x 10 rounds, 4,000 x 196 sparse", |b| {
        b.iter(|| boost.fit(black_box(&rows), &labels, &run))
    });
    if let Ok(model) = boost.fit(&rows, &labels, &run) {
        group
            .bench_function("predict, 10 x 10 trees, 4,000 rows", |b| b.iter(|| model.margins(black_box(&rows), &run)));
    }
    group.bench_function("bins, 4,000 x 196 sparse", |b| b.iter(|| boost.bins(black_box(&rows), &run)));
    if let Ok(bins) = boost.bins(&rows, &run) {
        let all: Vec<u32> = (0..4_000).collect();
        let one = Boost::new().rounds(1);
        group.bench_function("one round, 10 labels, 4,000 x 196 sparse, binned before", |b| {
            b.iter(|| one.fit_binned(black_box(&bins), &all, &labels, None, &run))
        });
    }
    let (rows, labels) = dense(20_000);
    group.bench_function("fit, 2 labels x 10 rounds, 20,000 x 30 dense", |b| {
        b.iter(|| boost.fit(black_box(&rows), &labels, &run))
    });
    group.bench_function("bins, 20,000 x 30 dense", |b| b.iter(|| boost.bins(black_box(&rows), &run)));
    group.finish();
}

criterion_group!(benches, boosting);
criterion_main!(benches);
