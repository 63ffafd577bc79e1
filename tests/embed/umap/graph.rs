//! The neighbour graph as a thing of its own, and the tree that clusters wide and draws in two columns.

use super::data::{blobs, digits};
use ndarray::Axis;
use recluster::cluster::Hdbscan;
use recluster::embed::{Given, Scaled, Scaling, Target, Umap};
use recluster::neighbors::{Metric, Nearest, Search};
use recluster::recursive::RecursiveTree;
use recluster::{Embedder, Error, Run, Size};

#[test]
fn a_layout_of_the_graph_is_the_fit() {
    let rows = digits();
    let umap = Umap::new().n_epochs(60);
    let (run, other) = (Run::new().seed(3), Run::new().seed(4));
    let graph = umap.graph(&rows, &run).unwrap();
    for (settings, run) in [
        (umap.clone(), &run),
        (umap.clone(), &other),
        (umap.clone().min_dist(0.0).n_components(5), &run),
        (umap.clone().spread(2.0).negative_sample_rate(3), &other),
    ] {
        assert_eq!(graph.lay_out(&settings, run).unwrap(), settings.fit(&rows, run).unwrap().embedding());
    }
    let classes: Vec<i32> = (0..rows.nrows() as i32).map(|i| i % 4 - 1).collect();
    let target = Target::classes(&classes);
    let given = Given::new().target(&target);
    let bent = graph.lay_out_given(&umap, &given, &run).unwrap();
    assert_eq!(bent, umap.fit_given(&rows, &given, &run).unwrap().embedding());
    assert_ne!(bent, graph.lay_out(&umap, &run).unwrap());
    assert_eq!((graph.facts().points, graph.facts().neighbors, graph.facts().recall), (rows.nrows(), 15, 1.0));
}

#[test]
fn a_shuffled_table_has_the_same_graph() {
    let rows = blobs(300, 8, 4);
    let order: Vec<usize> = (0..300).map(|i| i * 113 % 300).collect();
    let umap = Umap::new().n_epochs(50).n_components(3);
    let graph = umap.graph(&rows, &Run::new()).unwrap();
    let shuffled = rows.select(Axis(0), &order);
    let places = umap.graph(&shuffled, &Run::new()).unwrap().lay_out(&umap, &Run::new()).unwrap();
    assert_eq!(places, graph.lay_out(&umap, &Run::new()).unwrap().select(Axis(0), &order));
}

#[test]
fn what_is_the_graphs_cannot_be_changed_at_its_layout() {
    let rows = blobs(80, 5, 3);
    let graph = Umap::new().graph(&rows, &Run::new()).unwrap();
    for (umap, setting) in [
        (Umap::new().n_neighbors(10), "n_neighbors"),
        (Umap::new().metric(Metric::Cosine), "metric"),
        (Umap::new().search(Search::Exact), "search"),
        (Umap::new().set_op_mix_ratio(0.5), "set_op_mix_ratio"),
        (Umap::new().local_connectivity(2.0), "local_connectivity"),
        (Umap::new().disconnection_distance(3.0), "disconnection_distance"),
        (Umap::new().n_components(0), "n_components"),
    ] {
        let error = graph.lay_out(&umap, &Run::new()).unwrap_err();
        assert!(matches!(error, Error::Setting { name, .. } if name == setting), "{error}");
    }
    let found = Nearest::new(15).find(&rows, &Run::new()).unwrap();
    let given = Given::new().neighbors(&found);
    assert!(graph.lay_out_given(&Umap::new(), &given, &Run::new()).is_err());
    assert_eq!(
        Umap::new().graph_given(&rows, &given, &Run::new()).unwrap().lay_out(&Umap::new(), &Run::new()).unwrap(),
        graph.lay_out(&Umap::new(), &Run::new()).unwrap()
    );
}

#[test]
fn a_table_of_one_different_row_has_a_graph_too() {
    let rows = ndarray::Array2::from_elem((6, 3), 2.5f32);
    let graph = Umap::new().graph(&rows, &Run::new()).unwrap();
    assert_eq!((graph.facts().points, graph.facts().edges), (1, 0));
    assert_eq!(
        graph.lay_out(&Umap::new().n_components(4), &Run::new()).unwrap(),
        ndarray::Array2::<f32>::zeros((6, 4))
    );
}

#[test]
fn a_tree_clusters_in_many_columns_and_draws_in_two() {
    let rows = blobs(400, 10, 3);
    let umap = Umap::new().n_components(5).min_dist(0.0).n_epochs(100);
    let hdbscan = Hdbscan::new().min_cluster_size(Size::Share(0.1)).min_samples(5).single_cluster_weight(0.3);
    let boxed: Box<dyn Embedder> = Box::new(Scaled::new(&umap, Scaling::None));
    let tree = RecursiveTree::new(boxed, hdbscan).levels(1).fit(&rows, &Run::new()).unwrap();
    let root = tree.root();
    assert_eq!((root.embedding().unwrap().dim(), root.map().unwrap().dim()), ((400, 5), (400, 2)));
    assert_eq!(root.children(), 3);
    // Equal to the layouts of one graph under the root's own draws.
    let alone = umap.embed_in_full(&rows, &Run::new().at("0")).unwrap();
    assert_eq!((&alone.embedding, alone.map.as_ref()), (root.embedding().unwrap(), root.map()));
}
