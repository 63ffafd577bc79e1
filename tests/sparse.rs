//! Sparse rows as a user sees them: what is computed of them is what is computed of the dense table.

use ndarray::{Array2, Axis};
use recluster::neighbors::{Distance, Measure, Metric, Nearest, Search};
use recluster::{Error, Run, SparseRows};
use serde_json::Value;

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
