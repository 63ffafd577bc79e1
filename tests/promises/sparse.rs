//! Sparse rows as a user sees them: what is computed of them is what is computed of the dense table.

use ndarray::{Array2, Axis};
use proptest::prelude::*;
use recluster::boost::Boost;
use recluster::cluster::{Hdbscan, KMeans};
use recluster::embed::{Identity, Init, Pca, RandomProjection, Scaled, Scaling, Solver, Umap};
use recluster::evidence::HeldOut;
use recluster::explain::{Abstain, Surrogate};
use recluster::neighbors::{Distance, Measure, Metric, Nearest, Search};
use recluster::recursive::{ClusterTree, RecursiveTree};
use recluster::{Embedder, Error, Run, Size, SparseRows};
use serde_json::Value;
use std::borrow::Cow;

/// Uniform numbers in [0, 1), a function of their place.
fn noise(i: usize) -> f32 {
    let mut x = (i as u64).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 32)) >> 40) as f32 / (1 << 24) as f32
}

/// Counts of `kinds` kinds of rows, each of which has columns of its own: one value in twenty is not zero.
fn counts(n: usize, columns: usize, kinds: usize) -> Array2<f32> {
    let own = |kind: usize, j: usize| noise(700_000_001 + kind * columns + j) < 0.1;
    Array2::from_shape_fn((n, columns), |(i, j)| {
        let often = if own(i % kinds, j) { 0.4 } else { 0.01 };
        if noise(i * columns + j) < often { (1.0 + 4.0 * noise(300_000_007 + i * columns + j)).floor() } else { 0.0 }
    })
}

fn sparse(table: &Array2<f32>) -> SparseRows {
    SparseRows::from_dense(table).unwrap()
}

#[test]
fn distances_are_those_of_scikit_learn_and_umap_learn() {
    let fixture: Value = serde_json::from_str(include_str!("../fixtures/sparse.json")).unwrap();
    let numbers = |v: &Value| v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect::<Vec<f64>>();
    let shape = numbers(&fixture["shape"]);
    let (n, columns) = (shape[0] as usize, shape[1] as usize);
    let indptr = numbers(&fixture["indptr"]).into_iter().map(|x| x as usize).collect();
    let indices = numbers(&fixture["indices"]).into_iter().map(|x| x as u32).collect();
    let data = numbers(&fixture["data"]).into_iter().map(|x| x as f32).collect();
    let rows = SparseRows::new((n, columns), indptr, indices, data).unwrap();
    let dense = rows.to_dense(0..n).unwrap();
    for metric in [Metric::Euclidean, Metric::Cosine, Metric::Manhattan, Metric::Hellinger, Metric::Jaccard] {
        let theirs: Vec<Vec<f64>> = fixture[metric.name()].as_array().unwrap().iter().map(numbers).collect();
        let nearest = Nearest::new(n).metric(metric);
        for found in [nearest.find_sparse(&rows, &Run::new()).unwrap(), nearest.find(&dense, &Run::new()).unwrap()] {
            for (i, row) in found.indices.outer_iter().enumerate() {
                for (slot, &j) in row.iter().enumerate() {
                    // What two formulas leave of nothing is the root of what is left of one.
                    let (ours, theirs) = (f64::from(found.distances[[i, slot]]), theirs[i][j as usize]);
                    assert!((ours - theirs).abs() < 2e-6 * theirs.max(1.0), "{metric} {i} {j}: {ours} {theirs}");
                }
            }
        }
    }
}

#[test]
fn neighbours_are_those_of_the_dense_rows() {
    // Few columns, made dense; few rows, compared one by one; many of both, by sketches; whole numbers and others.
    for (n, columns) in [(300, 40), (200, 300), (700, 300)] {
        let mut table = counts(n, columns, 5);
        table.row_mut(17).fill(0.0);
        table.row_mut(18).fill(0.0);
        let twice = table.row(3).to_owned();
        table.row_mut(4).assign(&twice);
        for table in [table.clone(), table.mapv(|x| (x / 7.0).sqrt())] {
            let rows = sparse(&table);
            for metric in Metric::ALL.into_iter().filter(|&metric| metric != Metric::Correlation) {
                let nearest = Nearest::new(10).metric(metric).search(Search::Exact);
                let (own, dense) = (nearest.find_sparse(&rows, &Run::new()), nearest.find(&table, &Run::new()));
                assert_eq!(own.unwrap(), dense.unwrap(), "{metric} {n} x {columns}");
            }
        }
    }
}

#[test]
fn a_search_misses_as_few_as_among_dense_rows() {
    let table = counts(2500, 200, 20);
    let rows = sparse(&table);
    for metric in [Metric::Euclidean, Metric::Cosine, Metric::Hellinger] {
        let nearest = Nearest::new(15).metric(metric).search(Search::Approximate);
        let (own, dense) =
            (nearest.find_sparse(&rows, &Run::new()).unwrap(), nearest.find(&table, &Run::new()).unwrap());
        let recall =
            |found: &recluster::neighbors::Neighbors| found.measure_recall(&table, metric, 200, &Run::new()).unwrap();
        let (ours, theirs) = (recall(&own), recall(&dense));
        println!("{metric}: recall {ours:.4}, of dense rows {theirs:.4}");
        assert!(!own.exact && ours > 0.95 && ours > theirs - 0.01, "{metric}: {ours}, of dense rows {theirs}");
        assert!((own.recall - dense.recall).abs() < 0.02);
    }
    // Without sketches every sum is that of dense rows, and so is the search.
    let table = counts(800, 120, 10);
    for metric in [Metric::Jaccard, Metric::BrayCurtis, Metric::Manhattan] {
        let nearest = Nearest::new(10).metric(metric).search(Search::Approximate);
        let own = nearest.find_sparse(&sparse(&table), &Run::new()).unwrap();
        assert!(!own.exact && own == nearest.find(&table, &Run::new()).unwrap(), "{metric}");
    }
}

#[test]
fn neighbours_do_not_depend_on_threads_or_the_order_of_rows() {
    let table = counts(3000, 200, 8);
    let order: Vec<usize> = (0..3000).map(|i| i * 1237 % 3000).collect();
    let turned = sparse(&table.select(Axis(0), &order));
    let nearest = Nearest::new(10).metric(Metric::Cosine).search(Search::Approximate);
    let one = nearest.find_sparse(&sparse(&table), &Run::new().threads(1)).unwrap();
    assert_eq!(one, nearest.find_sparse(&sparse(&table), &Run::new().threads(3)).unwrap());
    let other = nearest.find_sparse(&turned, &Run::new()).unwrap();
    for (at, &row) in order.iter().enumerate() {
        assert_eq!(other.distances.row(at), one.distances.row(row));
    }
}

#[test]
fn a_part_has_the_lists_of_a_table_of_its_own() {
    let table = counts(600, 300, 4);
    let (rows, run) = (sparse(&table), Run::new());
    let part: Vec<u32> = (0..600).filter(|i| i % 5 != 0).collect();
    let all = Nearest::new(20).metric(Metric::Cosine).find_sparse(&rows, &run).unwrap();
    let cut = all.subset_sparse(&part, 12, &rows, Metric::Cosine, &run).unwrap();
    let own = Nearest::new(12).metric(Metric::Cosine).find_sparse(&rows.select(&part).unwrap(), &run).unwrap();
    assert_eq!(cut.distances, own.distances);
    // One row in five: lists are too short, and searched again.
    let few: Vec<u32> = (0..600).filter(|i| i % 5 == 0).collect();
    let cut = all.subset_sparse(&few, 12, &rows, Metric::Cosine, &run).unwrap();
    assert_eq!(
        cut.distances,
        Nearest::new(12)
            .metric(Metric::Cosine)
            .find(&table.select(Axis(0), &few.iter().map(|&i| i as usize).collect::<Vec<_>>()), &run)
            .unwrap()
            .distances
    );
}

/// Not for sparse rows.
struct Own;

impl Distance for Own {
    fn name(&self) -> &str {
        "own"
    }
    fn distance(&self, _: &[f32], _: &[f32]) -> f32 {
        0.0
    }
}

#[test]
fn what_has_no_distance_is_refused() {
    let (rows, run) = (sparse(&counts(50, 200, 2)), Run::new());
    for metric in [Measure::from(Metric::Correlation), Measure::own(Own)] {
        let refused = Nearest::new(3).metric(metric).find_sparse(&rows, &run);
        assert!(matches!(refused, Err(Error::Setting { name: "metric", .. })));
    }
    let mut table = counts(50, 200, 2);
    table[[31, 7]] = -1.0;
    let nearest = Nearest::new(3).metric(Metric::Hellinger);
    assert!(matches!(nearest.find_sparse(&sparse(&table), &run), Err(Error::Negative { row: 31, column: 7, .. })));
    assert!(matches!(nearest.find(&table, &run), Err(Error::Negative { row: 31, column: 7, .. })));
    let index = nearest.index(&counts(50, 200, 2), &run).unwrap();
    assert!(matches!(index.query(&table, &run), Err(Error::Negative { row: 31, column: 7, .. })));
    assert!(matches!(Nearest::new(0).find_sparse(&rows, &run), Err(Error::Setting { name: "k", .. })));
    // Nothing but zeros: all rows are equal.
    let empty = SparseRows::new((4, 1000), vec![0; 5], vec![], vec![]).unwrap();
    for metric in [Metric::Euclidean, Metric::Cosine, Metric::Hellinger] {
        let found = Nearest::new(3).metric(metric).find_sparse(&empty, &run).unwrap();
        assert!(found.distances.iter().all(|&d| d == 0.0));
    }
}

#[test]
fn layouts_are_those_of_the_dense_rows() {
    let mut table = counts(500, 300, 1);
    table.row_mut(4).fill(0.0);
    let (rows, run) = (sparse(&table), Run::new().seed(3));
    for (metric, init) in
        [(Metric::Cosine, Init::Spectral), (Metric::Hellinger, Init::Spectral), (Metric::Jaccard, Init::Random)]
    {
        let umap = Umap::new().n_epochs(60).metric(metric).init(init);
        assert_eq!(umap.embed_sparse(&rows, &run).unwrap(), umap.embed(&table, &run).unwrap(), "{metric}");
    }
    // Made ready, for other seeds and for parts.
    let umap = Umap::new().n_epochs(60).metric(Metric::Cosine).n_components(3);
    let (own, dense) =
        (umap.prepare_sparse(Cow::Borrowed(&rows), &run).unwrap(), umap.prepare(Cow::Borrowed(&table), &run).unwrap());
    let other = run.clone().seed(4);
    let part: Vec<u32> = (0..500).filter(|i| i % 3 != 0).collect();
    assert_eq!(own.embed(None, &other).unwrap(), dense.embed(None, &other).unwrap());
    assert_eq!(own.embed(Some(&part), &other).unwrap(), dense.embed(Some(&part), &other).unwrap());
    assert!(own.embed(Some(&[500]), &run).is_err());
    // What judges look at has few columns, and the distances of unit vectors but for what they leave out.
    assert_eq!(own.rows().dim(), (500, 40));
    assert!(own.rows().iter().all(|x| x.abs() <= 1.0));
}

#[test]
fn layouts_do_not_depend_on_threads_or_the_order_of_rows() {
    // Five kinds without a column in common, so that the start is laid out by components.
    let table =
        Array2::from_shape_fn((4500, 250), |(i, j)| f32::from(u8::from(j / 50 == i % 5 && noise(i * 250 + j) < 0.2)));
    let order: Vec<usize> = (0..4500).map(|i| i * 1237 % 4500).collect();
    let umap = Umap::new().n_epochs(20).metric(Metric::Cosine);
    let one = umap.embed_sparse(&sparse(&table), &Run::new().threads(1)).unwrap();
    let turned = umap.embed_sparse(&sparse(&table.select(Axis(0), &order)), &Run::new().threads(3)).unwrap();
    assert_eq!(turned, one.select(Axis(0), &order));
    let graph_of = sparse(&table);
    let graph = umap.graph_sparse(&graph_of, &Run::new()).unwrap();
    assert!(!graph.facts().exact);
    // Rows of a kind lie together.
    let kinds: Vec<i32> = (0..4500).map(|i| i % 5).collect();
    let near = Nearest::new(2).find(&one, &Run::new()).unwrap();
    let alike = (0..4500).filter(|&i| kinds[i] == kinds[near.indices[[i, 1]] as usize]).count();
    assert!(alike > 4400, "{alike}");
}

#[test]
fn projections_are_those_of_the_dense_rows_up_to_rounding() {
    let mut table = counts(600, 300, 3);
    table.column_mut(5).fill(2.0);
    let (rows, run) = (sparse(&table), Run::new());
    let close = |own: &Array2<f32>, dense: &Array2<f32>, within: f32| {
        let largest = dense.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        let apart = (own - dense).iter().fold(0.0f32, |most, x| most.max(x.abs()));
        assert!(own.dim() == dense.dim() && apart <= within * largest, "{apart} of {largest}");
    };
    let check = |own: &dyn Embedder, dense: &dyn Embedder, within: f32| {
        let prepared = own.prepare_sparse(Cow::Borrowed(&rows), &run).unwrap();
        close(&prepared.embed(None, &run).unwrap().embedding, &dense.embed(&table, &run).unwrap(), within);
        let part: Vec<u32> = (0..600).filter(|i| i % 4 != 0).collect();
        assert_eq!(prepared.embed(Some(&part), &run).unwrap().embedding.nrows(), 450);
        assert_eq!(prepared.rows().dim(), (600, 40));
    };
    check(&RandomProjection::new(20), &RandomProjection::new(20), 1e-6);
    check(&RandomProjection::new(20).sparse(), &RandomProjection::new(20).sparse(), 1e-6);
    check(&Pca::new(2), &Pca::new(2).solver(Solver::Exact), 1e-3);
    check(&Pca::new(2).whiten(true), &Pca::new(2).whiten(true), 1e-3);
    let model = Pca::new(2).fit_sparse(&rows, &run).unwrap();
    let dense = Pca::new(2).solver(Solver::Exact).fit(&table, &run).unwrap();
    for (own, dense) in model.explained_variance_ratio().iter().zip(dense.explained_variance_ratio()) {
        assert!((own - dense).abs() < 1e-6, "{own} {dense}");
    }
    for (own, dense) in model.mean().iter().zip(dense.mean()) {
        assert!((own - dense).abs() < 1e-12);
    }
    // Rows in another order, to the bit.
    let order: Vec<u32> = (0..600).map(|i| i * 7 % 600).collect();
    assert_eq!(Pca::new(2).fit_sparse(&rows.select(&order).unwrap(), &run.clone().threads(1)).unwrap(), model);
    assert!(matches!(model.transform_sparse(&sparse(&counts(5, 20, 1)), &run), Err(Error::Shape { .. })));
}

#[test]
fn embedders_that_take_no_sparse_rows_say_so() {
    let (rows, run) = (sparse(&counts(30, 60, 2)), Run::new());
    let refusal =
        |embedder: &dyn Embedder| embedder.prepare_sparse(Cow::Borrowed(&rows), &run).err().unwrap().to_string();
    assert!(refusal(&Identity).starts_with("embedder = Identity: takes no sparse rows"));
    assert!(refusal(&Scaled::new(Umap::new(), Scaling::Standard)).starts_with("scaling = Standard"));
    let exact = Pca::new(2).solver(Solver::Exact);
    let asked = exact.prepare_sparse(Cow::Borrowed(&rows), &run).unwrap().embed(None, &run);
    assert!(matches!(asked, Err(Error::Setting { name: "solver", .. })));
    let umap = Umap::new().metric(Metric::Correlation);
    assert!(matches!(umap.embed_sparse(&rows, &run), Err(Error::Setting { name: "metric", .. })));
    assert!(matches!(Umap::new().n_neighbors(1).embed_sparse(&rows, &run), Err(Error::Setting { .. })));
    // One row, nothing but zeros.
    let one = SparseRows::new((1, 300), vec![0, 1], vec![7], vec![1.0]).unwrap();
    assert_eq!(Umap::new().embed_sparse(&one, &run).unwrap(), Array2::<f32>::zeros((1, 2)));
    let empty = SparseRows::new((40, 300), vec![0; 41], vec![], vec![]).unwrap();
    assert!(Umap::new().embed_sparse(&empty, &run).unwrap().iter().all(|x| x.is_finite()));
    let prepared = Pca::new(2);
    let prepared = prepared.prepare_sparse(Cow::Borrowed(&empty), &run).unwrap();
    assert!(prepared.rows().iter().all(|&x| x == 0.0) && prepared.embed(None, &run).is_ok());
}

#[test]
fn models_are_those_of_the_dense_rows() {
    let mut table = counts(600, 150, 3);
    table.mapv_inplace(|x| if x > 3.0 { -x } else { x });
    // Dense columns, more values than bins, and a constant one.
    table.column_mut(0).iter_mut().enumerate().for_each(|(i, x)| *x = noise(i) - 0.5);
    table.column_mut(1).iter_mut().enumerate().for_each(|(i, x)| *x = (noise(i + 600) * 9.0).floor());
    table.column_mut(2).fill(3.0);
    let labels: Vec<i32> = (0..600).map(|i| if i % 17 == 0 { -1 } else { i % 3 }).collect();
    let weights: Vec<f32> = (0..600).map(|i| (i % 4) as f32).collect();
    let (rows, run) = (sparse(&table), Run::new());
    for boost in [
        Boost::new().rounds(8),
        Boost::new().rounds(8).max_bins(16).calibrated(true),
        Boost::new().rounds(8).subsample(0.5).categorical(&[1]).early_stopping(3),
    ] {
        let dense = boost.fit_weighted(&table, &labels, &weights, &run).unwrap();
        let own = boost.fit_sparse(&rows, &labels, Some(&weights), &run.clone().threads(3)).unwrap();
        assert!(own == dense);
        assert_eq!(own.margins_sparse(&rows, &run).unwrap(), dense.margins(&table, &run).unwrap());
        assert_eq!(own.probabilities_sparse(&rows, &run).unwrap(), dense.probabilities(&table, &run).unwrap());
        if own.calibration().is_some() {
            assert_eq!(own.distribution_sparse(&rows, &run).unwrap(), dense.distribution(&table, &run).unwrap());
        }
    }
    // Bins for any number of calls, numbers to learn included.
    let boost = Boost::new().rounds(5);
    let targets: Vec<f32> = (0..600).map(|i| (i % 7) as f32).collect();
    let all: Vec<u32> = (0..600).collect();
    let bins = boost.bins_sparse(&rows, &run).unwrap();
    let own = boost.fit_regression_binned(&bins, &all, &targets, None, &run).unwrap();
    assert!(own == boost.fit_regression(&table, &targets, &run).unwrap());
    let narrow = sparse(&counts(5, 20, 1));
    assert!(matches!(own.margins_sparse(&narrow, &run), Err(Error::Shape { expected: 150, found: 20, .. })));
    assert!(matches!(boost.fit_sparse(&rows, &labels[1..], None, &run), Err(Error::Shape { .. })));
    let categories = Boost::new().categorical(&[3]).fit_sparse(&rows, &labels, None, &run);
    assert!(matches!(categories, Err(Error::Category { column: 3, .. })));
}

#[test]
fn surrogates_are_those_of_the_dense_rows() {
    let table = counts(500, 120, 2);
    let labels: Vec<i32> = (0..500).map(|i| if i % 11 == 0 { -1 } else { i % 2 }).collect();
    let (rows, run, boost) = (sparse(&table), Run::new(), Boost::new().rounds(8).shuffled_rows(0.1));
    let names = || vec!["0.0".to_string(), "0.1".to_string()];
    let dense = Surrogate::fit(&table, &labels, names(), &boost, &run).unwrap();
    let own = Surrogate::fit_sparse(&rows, &labels, names(), None, &boost, &run).unwrap();
    // The profile of the rows included.
    assert!(own == dense);
    assert_eq!(own.assign_sparse(&rows, &run).unwrap(), dense.assign(&table, &run).unwrap());
    let abstain = Abstain::Share(0.1);
    assert_eq!(own.decide_sparse(&rows, abstain, &run).unwrap(), dense.decide(&table, abstain, &run).unwrap());
    let weights: Vec<f64> = (0..500).map(|i| 1.0 + (i % 3) as f64).collect();
    let weighted = Surrogate::fit_sparse(&rows, &labels, names(), Some(&weights), &boost, &run).unwrap();
    assert!(weighted == Surrogate::fit_weighted(&table, &labels, names(), &weights, &boost, &run).unwrap());
}

/// Paths of all rows, and which of them are found again in what share of the runs.
fn told(tree: &ClusterTree) -> (Vec<String>, Vec<Option<f64>>) {
    let paths = tree.paths().iter().map(ToString::to_string).collect();
    (paths, tree.nodes().iter().map(|node| node.stability().map(|stability| stability.jaccard)).collect())
}

#[test]
fn trees_are_those_of_the_dense_rows() {
    let table = counts(600, 150, 4);
    let (rows, run) = (sparse(&table), Run::new());
    let clusters = || Hdbscan::new().min_cluster_size(Size::Share(0.1)).min_samples(5);
    // One run; a consensus, repeated on parts; weights.
    let umap = || Umap::new().metric(Metric::Cosine).n_epochs(60).min_dist(0.0).init(Init::Random);
    let plan = RecursiveTree::new(umap(), clusters()).levels(2).min_size(0usize);
    let tree = plan.fit_sparse(&rows, &run).unwrap();
    assert_eq!(tree, plan.fit(&table, &run).unwrap());
    assert!(tree.leaves().count() >= 4);
    let weights: Vec<f64> = (0..600).map(|i| 1.0 + (i % 3) as f64).collect();
    assert_eq!(
        plan.fit_sparse_weighted(&rows, &weights, &run).unwrap(),
        plan.fit_weighted(&table, &weights, &run).unwrap()
    );
    let plan = plan.levels(1).consensus(3).stability(3);
    let own = plan.fit_sparse(&rows, &run).unwrap();
    assert_eq!(told(&own), told(&plan.fit(&table, &run).unwrap()));
    // The model that stands in for it.
    let boost = Boost::new().rounds(5);
    assert!(own.surrogate_sparse(&rows, None, &boost, &run).unwrap() == own.surrogate(&table, &boost, &run).unwrap());
    // In any order of the rows, at any number of threads.
    let order: Vec<u32> = (0..600).map(|i| i * 7 % 600).collect();
    let turned = plan.fit_sparse(&rows.select(&order).unwrap(), &run.clone().threads(3)).unwrap();
    let (paths, expected) = (told(&turned).0, told(&own).0);
    order.iter().enumerate().for_each(|(at, &row)| assert_eq!(paths[at], expected[row as usize]));
}

#[test]
fn evidence_is_found_in_sparse_rows() {
    let run = Run::new();
    let plan = |k| {
        let umap = Umap::new().metric(Metric::Cosine).n_epochs(60).min_dist(0.0);
        RecursiveTree::new(umap, KMeans::new(k)).levels(1).judge(HeldOut::new())
    };
    // Three kinds, found as such; one kind that k-means cuts in three.
    let kinds = plan(3).fit_sparse(&sparse(&counts(900, 400, 3)), &run).unwrap();
    assert_eq!(kinds.leaves().count(), 3, "{}", kinds.root().split().unwrap().reason());
    let cloud = plan(3).fit_sparse(&sparse(&counts(900, 400, 1)), &run).unwrap();
    assert_eq!(cloud.leaves().count(), 1, "{}", cloud.root().split().unwrap().reason());
}

#[test]
fn trees_name_rows_and_embedders_in_their_errors() {
    let (table, run) = (counts(200, 100, 2), Run::new());
    let refused = RecursiveTree::new(Identity, KMeans::new(2)).fit_sparse(&sparse(&table), &run);
    assert!(matches!(refused, Err(Error::Setting { name: "embedder", .. })));
    let mut below = table.clone();
    below[[123, 45]] = -2.0;
    let plan = RecursiveTree::new(Umap::new().metric(Metric::Hellinger).n_epochs(10), KMeans::new(2));
    let refused = plan.fit_sparse(&sparse(&below), &run);
    assert!(matches!(refused, Err(Error::Negative { row: 123, column: 45, value: -2.0, .. })));
    assert!(matches!(plan.fit(&below, &run), Err(Error::Negative { row: 123, column: 45, .. })));
    let weights = vec![1.0; 3];
    assert!(matches!(plan.fit_sparse_weighted(&sparse(&table), &weights, &run), Err(Error::Shape { .. })));
    let tree = plan.fit_sparse(&sparse(&table), &run).unwrap();
    let other = sparse(&counts(10, 100, 2));
    assert!(matches!(tree.surrogate_sparse(&other, None, &Boost::new(), &run), Err(Error::Shape { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever the numbers: neighbours, distances and the model are those of the dense rows.
    #[test]
    fn any_numbers_are_read_as_the_dense_ones(
        entries in prop::collection::vec(
            (0usize..12, 0usize..120, prop_oneof![any::<f32>().prop_filter("finite", |x| x.is_finite()), -2.0f32..2.0]),
            1..150,
        ),
        metric in prop::sample::select(&Metric::ALL[..]), approximate: bool,
    ) {
        let mut table = Array2::<f32>::zeros((12, 120));
        entries.iter().for_each(|&(i, j, x)| table[[i, j]] = if metric == Metric::Hellinger { x.abs() } else { x });
        let (rows, run) = (sparse(&table), Run::new());
        prop_assert_eq!(rows.to_dense(0..12).unwrap(), table.mapv(|x| x + 0.0));
        if metric != Metric::Correlation {
            let search = if approximate { Search::Approximate } else { Search::Exact };
            let nearest = Nearest::new(4).metric(metric).search(search);
            prop_assert_eq!(nearest.find_sparse(&rows, &run).unwrap(), nearest.find(&table, &run).unwrap());
        }
        let labels: Vec<i32> = (0..12).map(|i| i % 2).collect();
        let boost = Boost::new().rounds(2).min_child_weight(0.0);
        prop_assert!(boost.fit_sparse(&rows, &labels, None, &run).unwrap() == boost.fit(&table, &labels, &run).unwrap());
    }

    /// Whatever the parts: rows, or an error.
    #[test]
    fn any_parts_are_rows_or_an_error(
        shape in (0usize..5, 0usize..6), indptr in prop::collection::vec(0usize..9, 0..7),
        indices in prop::collection::vec(0u32..8, 0..9), data in prop::collection::vec(prop_oneof![Just(0.0f32), Just(f32::NAN), -1.0f32..1.0], 0..9),
        sound: bool,
    ) {
        let parts = if sound {
            // Lengths that fit, and often more.
            let n = indices.len().min(data.len());
            let mut indptr: Vec<usize> = indptr.iter().map(|&at| at.min(n)).collect();
            indptr.sort_unstable();
            indptr.extend([0, n]);
            indptr.sort_unstable();
            ((indptr.len() - 1, 8), indptr, indices[..n].to_vec(), data[..n].to_vec())
        } else {
            (shape, indptr, indices, data)
        };
        if let Ok(rows) = SparseRows::new(parts.0, parts.1, parts.2, parts.3) {
            prop_assert!(rows.rows() > 0 && rows.columns() > 0);
            let dense = rows.to_dense(0..rows.rows()).unwrap();
            prop_assert_eq!(dense.iter().filter(|&&x| x != 0.0).count(), rows.entries());
            prop_assert_eq!(SparseRows::from_dense(&dense).unwrap(), rows);
        }
    }
}
