//! The whole method on real digits: same bits whatever the threads and the row order, a tree that finds the digits,
//! and bad input answered by an error.

use ndarray::{Array2, Axis};
use recluster::boost::Boost;
use recluster::cluster::{Hdbscan, KMeans};
use recluster::data::digits;
use recluster::embed::{Pca, Umap};
use recluster::recursive::{ClusterTree, RecursiveTree};
use recluster::validity::adjusted_rand;
use recluster::{Clusterer, Embedder, Error, Explainer, Run, Size};

fn plan() -> RecursiveTree<Umap, Hdbscan> {
    let clusters = Hdbscan::new().min_cluster_size(Size::Share(0.05)).min_samples(10);
    RecursiveTree::new(Umap::new().min_dist(0.0), clusters).min_rows(100)
}

/// Everything the method computes, as comparable bits, row by row.
#[derive(Debug, PartialEq)]
struct Outcome {
    paths: Vec<String>,
    embedding: Vec<Vec<u32>>,
    assigned: Vec<(String, u64)>,
    why: Vec<Vec<u64>>,
}

fn whole(rows: &Array2<f32>, run: &Run) -> (ClusterTree, Outcome) {
    let tree = plan().fit(rows, run).unwrap();
    let surrogate = tree.surrogate(rows, &Boost::new().rounds(10).max_depth(3), run).unwrap();
    let assigned = surrogate.assign(rows, run).unwrap();
    let why = surrogate.explain(rows, run).unwrap();
    let outcome = Outcome {
        paths: tree.paths(),
        embedding: tree
            .root()
            .embedding()
            .unwrap()
            .outer_iter()
            .map(|r| r.iter().map(|v| v.to_bits()).collect())
            .collect(),
        assigned: assigned.iter().map(|a| (a.path.to_string(), a.confidence.to_bits())).collect(),
        why: why.values().outer_iter().map(|row| row.iter().map(|v| v.to_bits()).collect()).collect(),
    };
    (tree, outcome)
}

#[test]
fn the_whole_method_gives_the_same_bits_at_any_thread_count_and_in_any_row_order() {
    // A quarter of the digits, some of them twice.
    let table = digits().images;
    let chosen: Vec<usize> = (0..450).map(|i| i * 4 % 1797).chain([8, 16, 24]).collect();
    let rows = table.select(Axis(0), &chosen);
    let (_, one) = whole(&rows, &Run::new().seed(5).threads(1));
    for threads in [2, 4] {
        let (_, other) = whole(&rows, &Run::new().seed(5).threads(threads));
        assert!(one == other, "{threads} threads changed the bits");
    }
    let mut order: Vec<usize> = (0..rows.nrows()).collect();
    order.sort_by_key(|i| i * 7919 % 1009);
    let (_, shuffled) = whole(&rows.select(Axis(0), &order), &Run::new().seed(5).threads(2));
    assert_eq!(shuffled.paths, order.iter().map(|&i| one.paths[i].clone()).collect::<Vec<_>>());
    assert!(shuffled.embedding == order.iter().map(|&i| one.embedding[i].clone()).collect::<Vec<_>>());
    assert!(shuffled.assigned == order.iter().map(|&i| one.assigned[i].clone()).collect::<Vec<_>>());
    assert!(shuffled.why == order.iter().map(|&i| one.why[i].clone()).collect::<Vec<_>>());
    let (_, reseeded) = whole(&rows, &Run::new().seed(6));
    assert!(one.embedding != reseeded.embedding, "the seed has no effect");
}

#[test]
fn the_digits_are_found_explained_and_assigned() {
    let digits = digits();
    let run = Run::new();
    let tree = plan().fit(&digits.images, &run).unwrap();
    assert!(tree.leaves().count() >= 8, "{tree}");
    let f = tree.best_node_f(&digits.labels, 2).unwrap();
    assert!(f >= 0.85, "best-node F {f}\n{tree}");
    // The first level alone, the clustered rows only: UMAP and HDBSCAN separate the digits well.
    let root = tree.root();
    let clustered: Vec<usize> = (0..root.labels().len()).filter(|&i| root.labels()[i] >= 0).collect();
    let labels: Vec<i32> = clustered.iter().map(|&i| root.labels()[i]).collect();
    let classes: Vec<i32> = clustered.iter().map(|&i| digits.labels[i]).collect();
    let ari = adjusted_rand(&labels, &classes).unwrap();
    assert!(ari > 0.6 && clustered.len() > 1500, "ARI {ari}, {} clustered", clustered.len());

    let surrogate = tree.surrogate(&digits.images, &Boost::new().rounds(30).max_depth(4), &run).unwrap();
    let paths = tree.paths();
    let core: Vec<usize> = (0..paths.len()).filter(|&i| !paths[i].ends_with('-')).collect();
    let assigned = surrogate.assign(&digits.images, &run).unwrap();
    let kept = core.iter().filter(|&&i| assigned[i].path == paths[i]).count();
    assert!(kept as f64 > 0.98 * core.len() as f64, "{kept} of {} rows kept their leaf", core.len());
    assert!(assigned.iter().all(|a| (0.0..=1.0).contains(&a.confidence)));

    // Attributions add up to the model's log-odds.
    let few = digits.images.select(Axis(0), &[3, 500, 1000]);
    let gap = (surrogate.explain(&few, &run).unwrap().outputs() - surrogate.model().margins(&few, &run).unwrap())
        .iter()
        .fold(0.0f64, |worst, gap| worst.max(gap.abs()));
    assert!(gap < 1e-9, "attributions miss the margin by {gap}");
}

/// Every way of fitting must answer or say what is wrong; none may panic.
fn fit_all(rows: &Array2<f32>) -> Vec<Result<ClusterTree, Error>> {
    let run = Run::new();
    let boxed =
        |e: Box<dyn Embedder>, c: Box<dyn Clusterer>| RecursiveTree::new(e, c).min_rows(1).min_size(0.0).levels(3);
    vec![
        boxed(Box::new(Umap::new()), Box::new(Hdbscan::new())).fit(rows, &run),
        boxed(Box::new(Umap::new().n_neighbors(50)), Box::new(Hdbscan::new().min_cluster_size(0.1))).fit(rows, &run),
        boxed(Box::new(Pca::new(2)), Box::new(Hdbscan::new().allow_single_cluster(true))).fit(rows, &run),
        boxed(Box::new(Pca::new(2)), Box::new(KMeans::new(2))).fit(rows, &run),
    ]
}

#[test]
fn bad_and_meagre_tables_get_an_answer_or_a_clear_error() {
    let tables = [
        ("one row", Array2::from_elem((1, 5), 2.0)),
        ("two rows", Array2::from_shape_fn((2, 5), |(i, j)| (i * j) as f32)),
        ("one column", Array2::from_shape_fn((60, 1), |(i, _)| (i % 17) as f32)),
        ("all rows equal", Array2::from_elem((80, 4), 1.5)),
        (
            "a constant column",
            Array2::from_shape_fn((80, 3), |(i, j)| if j == 1 { 7.0 } else { ((i * i + j) % 13) as f32 }),
        ),
        ("two values only", Array2::from_shape_fn((90, 2), |(i, _)| (i % 2) as f32)),
        ("fewer rows than neighbours", Array2::from_shape_fn((9, 3), |(i, j)| (i * i * (j + 1)) as f32)),
        ("huge values", Array2::from_shape_fn((50, 3), |(i, j)| ((i * 7 + j * 3) % 11) as f32 * 1e37)),
        ("tiny values", Array2::from_shape_fn((50, 3), |(i, j)| ((i * 7 + j * 3) % 11) as f32 * 1e-40)),
    ];
    for (name, table) in tables {
        for fitted in fit_all(&table) {
            match fitted {
                Ok(tree) => {
                    assert_eq!(tree.rows(), table.nrows(), "{name}");
                    assert!(tree.paths().iter().all(|path| !path.is_empty()), "{name}");
                    let surrogate = tree.surrogate(&table, &Boost::new().rounds(3), &Run::new());
                    if let Ok(surrogate) = surrogate {
                        let confidences = surrogate.assign(&table, &Run::new()).unwrap();
                        assert!(confidences.iter().all(|a| a.confidence.is_finite()), "{name}");
                    }
                }
                Err(error) => assert!(!error.to_string().is_empty(), "{name}"),
            }
        }
    }
    let mut table = Array2::from_shape_fn((40, 3), |(i, j)| (i + j) as f32);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        table[[11, 2]] = bad;
        for fitted in fit_all(&table) {
            assert!(matches!(fitted, Err(Error::NotFinite { row: 11, column: 2, .. })));
        }
    }
    for empty in [Array2::zeros((0, 3)), Array2::zeros((3, 0))] {
        assert!(fit_all(&empty).into_iter().all(|fitted| matches!(fitted, Err(Error::Empty { .. }))));
    }
}
