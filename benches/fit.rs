//! The whole method on the built-in digits: the tree, the surrogate, the explanation.

use criterion::{Criterion, criterion_group, criterion_main};
use recluster::boost::Boost;
use recluster::cluster::Hdbscan;
use recluster::data::digits;
use recluster::embed::Umap;
use recluster::recursive::RecursiveTree;
use recluster::{Explainer, Run, Size};

fn whole(c: &mut Criterion) {
    let rows = digits().images;
    let run = Run::new();
    let plan = RecursiveTree::new(
        Umap::new().min_dist(0.0),
        Hdbscan::new().min_cluster_size(Size::Share(0.05)).min_samples(10),
    );
    let boost = Boost::new().rounds(50).max_depth(4);
    let tree = plan.fit(&rows, &run).expect("the digits can be fitted");
    let surrogate = tree.surrogate(&rows, &boost, &run).expect("the leaves can be learned");

    let mut group = c.benchmark_group("digits, 1,797 x 64");
    group.sample_size(10);
    group.bench_function("tree", |b| b.iter(|| plan.fit(&rows, &run)));
    group.bench_function("surrogate", |b| b.iter(|| tree.surrogate(&rows, &boost, &run)));
    group.bench_function("assign", |b| b.iter(|| surrogate.assign(&rows, &run).map(|a| a.len())));
    group.bench_function("explain", |b| b.iter(|| surrogate.explain(&rows, &run)));
    group.finish();
}

criterion_group!(benches, whole);
criterion_main!(benches);
