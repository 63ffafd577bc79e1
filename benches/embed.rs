//! Embedders side by side over rows and columns (`cargo bench --bench embed -- embedders`), and UMAP stage by stage.
//!
//! The stages cannot be called one by one from outside; each group changes what only its stage does: neighbours given or
//! searched, the start, the number of epochs, new rows.

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array2;
use recluster::embed::{Given, Identity, Init, Pca, RandomProjection, Solver, Umap};
use recluster::neighbors::{Nearest, Search};
use recluster::{Embedder, Run};

/// Rows around ten centres, a function of their place.
fn blobs(n: usize, columns: usize) -> Array2<f32> {
    let noise = |i: usize| ((i.wrapping_mul(2_654_435_761)) >> 7) % 1009;
    Array2::from_shape_fn((n, columns), |(i, j)| {
        (noise((i % 10) * columns + j) as f32) / 100.0 + noise(i * columns + j + 13) as f32 / 1009.0
    })
}

fn embedders(c: &mut Criterion) {
    let run = Run::new();
    for (n, columns) in [(1000, 16), (1000, 256), (5000, 64), (5000, 1024), (20_000, 64), (20_000, 256)] {
        let mut group = c.benchmark_group(format!("embedders {n} x {columns}"));
        group.sample_size(10);
        let rows = blobs(n, columns);
        let k = 10;
        let randomized = Pca::new(k).solver(Solver::Randomized { power_iterations: 4 });
        let all: [(&str, Box<dyn Embedder>); 6] = [
            ("identity", Box::new(Identity)),
            ("random projection", Box::new(RandomProjection::new(k))),
            ("sparse random projection", Box::new(RandomProjection::new(k).sparse())),
            ("pca", Box::new(Pca::new(k).solver(Solver::Exact))),
            ("pca, randomized", Box::new(randomized)),
            ("umap", Box::new(Umap::new())),
        ];
        for (name, embedder) in all.iter().filter(|(name, _)| n * columns <= 400_000 || *name != "umap") {
            group.bench_function(*name, |b| b.iter(|| embedder.embed(&rows, &run).unwrap()));
        }
        group.finish();
    }
}

fn stages(c: &mut Criterion) {
    let mut group = c.benchmark_group("umap 20,000 x 64");
    group.sample_size(10);
    let run = Run::new();
    let rows = blobs(20_000, 64);
    let nearest = Nearest::new(15).search(Search::Approximate);
    group.bench_function("neighbours", |b| b.iter(|| nearest.find(&rows, &run).unwrap()));
    let neighbors = nearest.find(&rows, &run).unwrap();
    let given = Given::new().neighbors(&neighbors);
    // One epoch moves next to nothing: what is left is widths, the fuzzy union and the start.
    for (name, init) in [("graph", Init::Random), ("graph and spectral start", Init::Spectral)] {
        let umap = Umap::new().n_epochs(1).init(init);
        group.bench_function(name, |b| b.iter(|| umap.fit_given(&rows, &given, &run).unwrap()));
    }
    let umap = Umap::new().n_epochs(200).init(Init::Random);
    group.bench_function("graph and layout", |b| b.iter(|| umap.fit_given(&rows, &given, &run).unwrap()));
    let model = Umap::new().n_epochs(200).search(Search::Approximate).fit(&rows, &run).unwrap();
    model.prepare(&run).unwrap();
    let new = blobs(2000, 64).mapv(|x| x + 0.01);
    group.bench_function("transform of 2,000", |b| b.iter(|| model.transform(&new, &run).unwrap()));
    group.finish();
}

criterion_group!(benches, embedders, stages);
criterion_main!(benches);
