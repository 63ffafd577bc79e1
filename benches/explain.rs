//! SHAP values of boosted trees: depths 2 to 16, one row to 100,000, and all forms of them.
//!
//! `cargo bench --bench explain`; a part of it by name, such as `cargo bench --bench explain -- "depth 6/"`.
#![allow(missing_docs)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ndarray::{Array2, ArrayRef2, s};
use recluster::boost::{Boost, BoostModel};
use recluster::explain::{PermutationShap, TreeShap};
use recluster::{Explainer, Run};
use std::hint::black_box;
use std::time::Duration;

const FEATURES: usize = 30;

fn rows(n: usize) -> Array2<f32> {
    Array2::from_shape_fn((n, FEATURES), |(i, j)| ((i * 7919 + j * 104_729 + i * j + i * i % 89) % 997) as f32)
}

/// 20 trees of a target with interactions, grown to the depth asked for.
fn model(depth: usize) -> Option<BoostModel> {
    let rows = rows(4_000);
    let target =
        |row: ndarray::ArrayView1<'_, f32>| row[0] + row[1] * row[2] * 1e-3 - row[3] + (row[4] * row[5]).sqrt();
    let targets: Vec<f32> = rows.outer_iter().map(target).collect();
    Boost::new().rounds(20).max_depth(depth).fit_regression(&rows, &targets, &Run::new()).ok()
}

fn depths_and_rows(c: &mut Criterion) {
    let (run, all) = (Run::new(), rows(100_000));
    for depth in [2, 4, 6, 8, 10, 12, 16] {
        let Some(model) = model(depth) else { continue };
        let shap = TreeShap::new(&model);
        let mut group = c.benchmark_group(format!("depth {depth}"));
        group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(800));
        for n in [1, 10, 100, 1_000, 10_000, 100_000] {
            // Paths of more than 8 features cost far more a row.
            if depth > 8 && n > 1_000 {
                continue;
            }
            let part = all.slice(s![..n, ..]);
            group.throughput(Throughput::Elements(n as u64));
            group.bench_function(BenchmarkId::from_parameter(n), |b| b.iter(|| shap.explain(black_box(&part), &run)));
        }
        group.finish();
    }
}

fn forms(c: &mut Criterion) {
    let (run, all) = (Run::new(), rows(1_000));
    let Some(model) = model(6) else { return };
    let mut group = c.benchmark_group("forms");
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(800));
    let shap = TreeShap::new(&model);
    group.bench_function("paths, once a model", |b| b.iter(|| TreeShap::new(black_box(&model))));
    let few = all.slice(s![..200, ..]);
    group.bench_function("interactions of 200 rows", |b| b.iter(|| shap.interactions(black_box(&few), &run)));
    let background = all.slice(s![..100, ..]);
    let met = || shap.clone().with_background(black_box(&background), &run);
    group.bench_function("background of 100 rows, once", |b| b.iter(met));
    if let Ok(met) = met() {
        group.bench_function("1,000 rows against it", |b| b.iter(|| met.explain(black_box(&all), &run)));
    }
    let ask = |rows: &ArrayRef2<f32>| model.margins(rows, &run);
    let sampler = PermutationShap::new(ask, &background).permutations(2);
    let one = all.slice(s![..1, ..]);
    group.bench_function("1 row by permutations", |b| b.iter(|| sampler.explain(black_box(&one), &run)));
    group.finish();
}

criterion_group!(benches, depths_and_rows, forms);
criterion_main!(benches);
