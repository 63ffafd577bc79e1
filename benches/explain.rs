//! SHAP values of boosted trees: a batch, and one row.
#![allow(missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::{Array2, s};
use recluster::boost::Boost;
use recluster::explain::TreeShap;
use recluster::{Explainer, Run};
use std::hint::black_box;

fn explaining(c: &mut Criterion) {
    let run = Run::new();
    let rows = Array2::from_shape_fn((4_000, 50), |(i, j)| ((i * 7919 + j * 104_729 + i * j) % 997) as f32);
    let targets: Vec<f32> = rows.outer_iter().map(|row| row[0] + row[1] * row[2] * 1e-3 - row[3]).collect();
    let mut group = c.benchmark_group("explain");
    group.sample_size(10);
    for depth in [6, 10] {
        let Ok(model) = Boost::new().rounds(50).max_depth(depth).fit_regression(&rows, &targets, &run) else {
            continue;
        };
        let shap = TreeShap::new(&model);
        let few = rows.slice(s![..if depth > 8 { 200 } else { 4_000 }, ..]);
        group.bench_function(format!("{} rows, 50 trees of depth {depth}", few.nrows()), |b| {
            b.iter(|| shap.explain(black_box(&few), &run))
        });
        let one = rows.slice(s![..1, ..]);
        group.bench_function(format!("1 row, 50 trees of depth {depth}"), |b| {
            b.iter(|| shap.explain(black_box(&one), &run))
        });
    }
    group.finish();
}

criterion_group!(benches, explaining);
criterion_main!(benches);
