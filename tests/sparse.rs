//! Sparse rows as a user sees them: what is computed of them is what is computed of the dense table.

use ndarray::{Array2, Axis};
use recluster::embed::{Identity, Init, Pca, RandomProjection, Scaled, Scaling, Solver, Umap};
use recluster::neighbors::{Distance, Measure, Metric, Nearest, Search};
use recluster::{Embedder, Error, Run, SparseRows};
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
    let fixture: Value = serde_json::from_str(include_str!("fixtures/sparse.json")).unwrap();
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
    let table = counts(5000, 400, 30);
    let rows = sparse(&table);
    for metric in [Metric::Euclidean, Metric::Cosine, Metric::Hellinger] {
        let nearest = Nearest::new(15).metric(metric).search(Search::Approximate);
        let (own, dense) =
            (nearest.find_sparse(&rows, &Run::new()).unwrap(), nearest.find(&table, &Run::new()).unwrap());
        let recall =
            |found: &recluster::neighbors::Neighbors| found.measure_recall(&table, metric, 300, &Run::new()).unwrap();
        let (ours, theirs) = (recall(&own), recall(&dense));
        println!("{metric}: recall {ours:.4}, of dense rows {theirs:.4}");
        assert!(!own.exact && ours > 0.95 && ours > theirs - 0.01, "{metric}: {ours}, of dense rows {theirs}");
        assert!((own.recall - dense.recall).abs() < 0.02);
    }
    // Without sketches every sum is that of dense rows, and so is the search.
    let table = counts(1500, 120, 10);
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
    let embedders: [(Box<dyn Embedder>, Box<dyn Embedder>, f32); 4] = [
        (Box::new(RandomProjection::new(20)), Box::new(RandomProjection::new(20)), 1e-6),
        (Box::new(RandomProjection::new(20).sparse()), Box::new(RandomProjection::new(20).sparse()), 1e-6),
        (Box::new(Pca::new(3)), Box::new(Pca::new(3).solver(Solver::Exact)), 1e-3),
        (Box::new(Pca::new(2).whiten(true)), Box::new(Pca::new(2).whiten(true)), 1e-3),
    ];
    for (own, dense, within) in embedders {
        let prepared = own.prepare_sparse(Cow::Borrowed(&rows), &run).unwrap();
        close(&prepared.embed(None, &run).unwrap().embedding, &dense.embed(&table, &run).unwrap(), within);
        let part: Vec<u32> = (0..600).filter(|i| i % 4 != 0).collect();
        assert_eq!(prepared.embed(Some(&part), &run).unwrap().embedding.nrows(), 450);
        assert_eq!(prepared.rows().dim(), (600, 40));
    }
    let model = Pca::new(3).fit_sparse(&rows, &run).unwrap();
    let dense = Pca::new(3).solver(Solver::Exact).fit(&table, &run).unwrap();
    for (own, dense) in model.explained_variance_ratio().iter().zip(dense.explained_variance_ratio()) {
        assert!((own - dense).abs() < 1e-6, "{own} {dense}");
    }
    for (own, dense) in model.mean().iter().zip(dense.mean()) {
        assert!((own - dense).abs() < 1e-12);
    }
    // Rows in another order, to the bit.
    let order: Vec<u32> = (0..600).map(|i| i * 7 % 600).collect();
    assert_eq!(Pca::new(3).fit_sparse(&rows.select(&order).unwrap(), &run.clone().threads(1)).unwrap(), model);
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
