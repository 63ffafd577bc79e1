//! The crate's own algorithms.

use ndarray::{Array2, ArrayRef2, s};
use recluster::boost::Boost;
use recluster::cluster::{
    Agglomerative, Covariance, Dbscan, GaussianMixture, Genie, GraphDegree, Hdbscan, KMeans, Linkage, Selection,
    StableParts,
};
use recluster::data::digits;
use recluster::embed::{Densmap, Identity, Init, Pca, RandomProjection, Scaled, Scaling, Solver, Umap};
use recluster::explain::{Surrogate, TreeShap};
use recluster::testing::{self, Check};
use recluster::{Clusterer, Embedder, Run};

#[test]
fn clusterers_keep_every_promise() {
    let mixture = |covariance| Box::new(GaussianMixture::new(3).covariance(covariance));
    let linked = |linkage| Box::new(Agglomerative::new(3).linkage(linkage));
    let own: [(&str, Box<dyn Clusterer>); 24] = [
        ("k-means", Box::new(KMeans::new(3))),
        ("k-means, one start, many clusters", Box::new(KMeans::new(20).restarts(1))),
        ("k-means by mini-batches", Box::new(KMeans::new(3).mini_batch(32))),
        ("Genie", Box::new(Genie::new(3))),
        ("graph degree linkage", Box::new(GraphDegree::new(3))),
        ("stable parts", Box::new(StableParts::new())),
        ("Genie, smoothed", Box::new(Genie::new(3).min_samples(5))),
        ("Genie, smoothed, with noise", Box::new(Genie::new(3).min_samples(5).noise(true))),
        ("DBSCAN", Box::new(Dbscan::new(1.2))),
        ("DBSCAN, wide", Box::new(Dbscan::new(2.0).min_samples(3))),
        ("Ward's linkage", linked(Linkage::Ward)),
        ("mean linkage", linked(Linkage::Average)),
        ("complete linkage", linked(Linkage::Complete)),
        ("single linkage", linked(Linkage::Single)),
        ("Ward's linkage up to a distance", Box::new(Agglomerative::at_distance(3.0))),
        ("mixture, full", mixture(Covariance::Full)),
        ("mixture, tied", mixture(Covariance::Tied)),
        ("mixture, diagonal", mixture(Covariance::Diagonal)),
        ("mixture, spherical", mixture(Covariance::Spherical)),
        ("mixture by BIC", Box::new(GaussianMixture::choose(1..=5))),
        ("HDBSCAN", Box::new(Hdbscan::new())),
        ("HDBSCAN of leaves", Box::new(Hdbscan::new().min_cluster_size(8).selection(Selection::Leaf))),
        ("HDBSCAN with one cluster", Box::new(Hdbscan::new().min_samples(3).allow_single_cluster(true))),
        ("HDBSCAN by share", Box::new(Hdbscan::new().min_cluster_size(0.1).epsilon(0.5))),
    ];
    let mut told = String::new();
    for (name, clusterer) in own {
        let report = testing::clusterer(&clusterer).run();
        if !report.broken().is_empty() {
            told += &format!("{name}\n{report}\n");
        }
    }
    assert!(told.is_empty(), "{told}");
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
