//! The crate's own algorithms.

use ndarray::{Array2, ArrayRef2, s};
use recluster::boost::Boost;
use recluster::cluster::{Hdbscan, KMeans, Selection};
use recluster::data::digits;
use recluster::embed::{Densmap, Identity, Init, Pca, RandomProjection, Scaled, Scaling, Solver, Umap};
use recluster::explain::{Surrogate, TreeShap};
use recluster::testing::{self, Check};
use recluster::{Clusterer, Embedder, Run};

#[test]
fn clusterers_keep_every_promise() {
    let own: [(&str, Box<dyn Clusterer>); 6] = [
        ("k-means", Box::new(KMeans::new(3))),
        ("k-means, one start, many clusters", Box::new(KMeans::new(20).restarts(1))),
        ("HDBSCAN", Box::new(Hdbscan::new())),
        ("HDBSCAN of leaves", Box::new(Hdbscan::new().min_cluster_size(8).selection(Selection::Leaf))),
        ("HDBSCAN with one cluster", Box::new(Hdbscan::new().min_samples(3).allow_single_cluster(true))),
        ("HDBSCAN by share", Box::new(Hdbscan::new().min_cluster_size(0.1).epsilon(0.5))),
    ];
    for (name, clusterer) in own {
        let report = testing::clusterer(&clusterer).run();
        assert!(report.broken().is_empty(), "{name}\n{report}");
    }
}

#[test]
fn embedders_keep_every_promise() {
    let randomized = Solver::Randomized { power_iterations: 4 };
    let own: [(&str, Box<dyn Embedder>); 11] = [
        ("identity", Box::new(Identity)),
        ("PCA", Box::new(Pca::new(2))),
        ("PCA of all", Box::new(Pca::new(9).whiten(true))),
        ("PCA, randomized", Box::new(Pca::new(2).solver(randomized))),
        ("random projection", Box::new(RandomProjection::new(3))),
        ("sparse random projection", Box::new(RandomProjection::new(5).density(1.0 / 3.0))),
        ("very sparse random projection", Box::new(RandomProjection::new(5).sparse())),
        ("scaled PCA", Box::new(Scaled::new(Pca::new(2), Scaling::Standard))),
        ("scaled rows", Box::new(Scaled::new(Identity, Scaling::Robust))),
        ("scaled random projection", Box::new(Scaled::new(RandomProjection::new(3), Scaling::Robust))),
        ("a box in a box", Box::new(Scaled::new(Box::new(Pca::new(1)) as Box<dyn Embedder>, Scaling::None))),
    ];
    for (name, embedder) in own {
        let report = testing::embedder(&embedder).run();
        assert!(report.broken().is_empty(), "{name}\n{report}");
    }
}

#[test]
fn umap_keeps_every_promise() {
    let umap = Umap::new().n_epochs(30);
    for (name, umap) in [
        ("plain", umap.clone()),
        ("from principal components", umap.clone().init(Init::Pca).n_components(3)),
        ("with density", umap.clone().densmap(Densmap::new())),
    ] {
        let report = testing::embedder(&Scaled::new(umap.clone(), Scaling::Standard)).run();
        assert!(report.broken().is_empty(), "{name}, scaled\n{report}");
        let report = testing::embedder(&umap).run();
        assert!(report.broken().is_empty(), "{name}\n{report}");
    }
}

#[test]
fn explainers_keep_every_promise() {
    let digits = digits();
    let some: Array2<f32> = digits.images.slice(s![..120, ..]).to_owned();
    let labels: Vec<i32> = digits.labels[..120].to_vec();
    let run = Run::new();
    let model = Boost::new().rounds(8).max_depth(3).fit(&some, &labels, &run).unwrap();
    let margins = |rows: &ArrayRef2<f32>| model.margins(rows, &Run::new());
    let report = testing::explainer(&TreeShap::new(&model), &some, margins).run();
    report.assert();
    assert!(report.kept(Check::Additivity));

    let names = (0..10).map(|digit| digit.to_string()).collect();
    let surrogate = Surrogate::fit(&some, &labels, names, &Boost::new().rounds(8).max_depth(3), &run).unwrap();
    let margins = |rows: &ArrayRef2<f32>| surrogate.model().margins(rows, &Run::new());
    testing::explainer(&surrogate, &some, margins).run().assert();
}
