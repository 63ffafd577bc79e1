//! Neighbours as a user sees them: metrics, exact and searched, of the rows themselves and of new ones.

use ndarray::{Array2, Axis, array, s};
use proptest::prelude::*;
use recluster::neighbors::{Distance, Measure, Metric, Nearest, Neighbors, Search};
use recluster::{Cancel, Error, Run};
use serde_json::Value;

/// Uniform numbers in [0, 1), a function of their place.
fn noise(i: usize) -> f32 {
    let mut x = (i as u64).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 32)) >> 40) as f32 / (1 << 24) as f32
}

/// `n` rows in `columns` columns around `centres` centres.
fn blobs(n: usize, columns: usize, centres: usize) -> Array2<f32> {
    Array2::from_shape_fn((n, columns), |(i, j)| {
        let centre = 20.0 * noise(1_000_000_007 + (i % centres) * columns + j);
        let spread: f32 = (0..4).map(|t| noise((i * columns + j) * 4 + t) - 0.5).sum();
        centre + spread
    })
}

/// `n` rows in `columns` columns near a curved surface of four dimensions, as wide data usually are.
fn surface(n: usize, columns: usize) -> Array2<f32> {
    Array2::from_shape_fn((n, columns), |(i, j)| {
        let wave = |t: usize| (noise(i * 4 + t) * 6.0 * noise(500_000_003 + j * 4 + t) + (j * (t + 1)) as f32).sin();
        (0..4).map(wave).sum::<f32>() + 0.05 * noise(900_000_011 + i * columns + j)
    })
}

fn brute(rows: &Array2<f32>, metric: Metric, i: usize, j: usize) -> f64 {
    let x: Vec<f64> = rows.row(i).iter().map(|&x| f64::from(x)).collect();
    let y: Vec<f64> = rows.row(j).iter().map(|&x| f64::from(x)).collect();
    let pairs = || x.iter().zip(&y);
    let cosine = |x: &[f64], y: &[f64]| {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let (xx, yy) = (dot(x, x), dot(y, y));
        match (xx == 0.0, yy == 0.0) {
            (true, true) => 0.0,
            (false, false) => 1.0 - dot(x, y) / (xx * yy).sqrt(),
            _ => 1.0,
        }
    };
    match metric {
        Metric::Manhattan => pairs().map(|(a, b)| (a - b).abs()).sum(),
        Metric::Chebyshev => pairs().map(|(a, b)| (a - b).abs()).fold(0.0, f64::max),
        Metric::Cosine => cosine(&x, &y),
        Metric::Correlation => {
            let centred = |v: &[f64]| {
                let mean = v.iter().sum::<f64>() / v.len() as f64;
                v.iter().map(|x| x - mean).collect::<Vec<_>>()
            };
            cosine(&centred(&x), &centred(&y))
        }
        Metric::Hellinger => {
            let roots = |v: &[f64]| v.iter().map(|x| x.sqrt()).collect::<Vec<_>>();
            cosine(&roots(&x), &roots(&y)).max(0.0).sqrt()
        }
        Metric::SquaredEuclidean => pairs().map(|(a, b)| (a - b) * (a - b)).sum::<f64>(),
        Metric::Canberra => {
            pairs().filter(|(a, b)| **a != 0.0 || **b != 0.0).map(|(a, b)| (a - b).abs() / (a.abs() + b.abs())).sum()
        }
        Metric::BrayCurtis => {
            let (top, bottom) = pairs().fold((0.0, 0.0), |(t, u), (a, b)| (t + (a - b).abs(), u + (a + b).abs()));
            if top == 0.0 { 0.0 } else { top / bottom }
        }
        Metric::Hamming => pairs().filter(|(a, b)| a != b).count() as f64 / x.len() as f64,
        Metric::Jaccard => {
            let count =
                |f: &dyn Fn(bool, bool) -> bool| pairs().filter(|(a, b)| f(**a != 0.0, **b != 0.0)).count() as f64;
            let (either, one) = (count(&|a, b| a || b), count(&|a, b| a != b));
            if either == 0.0 { 0.0 } else { one / either }
        }
        _ => pairs().map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt(),
    }
}

#[test]
fn exact_neighbours_are_those_of_the_slow_way() {
    // Few columns (k-d tree), some (plain rows), many (sketches).
    for columns in [1, 3, 10, 11, 64, 130] {
        let mut rows = blobs(250, columns, 9);
        rows.row_mut(17).fill(0.0);
        for metric in Metric::ALL {
            if columns < 3 && matches!(metric, Metric::Cosine | Metric::Correlation | Metric::Hellinger) {
                continue;
            }
            let rows = &if metric == Metric::Hellinger { rows.mapv(f32::abs) } else { rows.clone() };
            let found = Nearest::new(12).metric(metric).search(Search::Exact).find(rows, &Run::new()).unwrap();
            assert!(found.exact);
            for i in 0..rows.nrows() {
                let mut truth: Vec<f64> =
                    (0..rows.nrows()).filter(|&j| j != i).map(|j| brute(rows, metric, i, j)).collect();
                truth.sort_by(f64::total_cmp);
                assert_eq!((found.indices[[i, 0]] as usize, found.distances[[i, 0]]), (i, 0.0));
                for slot in 1..12 {
                    let (distance, j) = (f64::from(found.distances[[i, slot]]), found.indices[[i, slot]] as usize);
                    let scale = truth[slot - 1].max(1e-2);
                    assert!(
                        (distance - truth[slot - 1]).abs() < 2e-5 * scale,
                        "{metric} {columns} row {i} slot {slot}"
                    );
                    assert!((distance - brute(rows, metric, i, j)).abs() < 2e-5 * scale, "{metric} {columns} row {i}");
                }
            }
        }
    }
}

#[test]
fn searched_neighbours_miss_few() {
    for (rows, metric) in [
        (blobs(6000, 20, 30), Metric::Euclidean),
        (surface(5000, 120), Metric::Euclidean),
        (blobs(5000, 30, 5), Metric::Manhattan),
        (blobs(5000, 30, 5), Metric::Correlation),
        (surface(5000, 30), Metric::SquaredEuclidean),
        (blobs(5000, 30, 5), Metric::Canberra),
        (blobs(5000, 30, 5), Metric::BrayCurtis),
    ] {
        let found = Nearest::new(15).metric(metric).search(Search::Approximate).find(&rows, &Run::new()).unwrap();
        assert!(!found.exact);
        let recall = found.measure_recall(&rows, metric, 500, &Run::new()).unwrap();
        println!("recall {recall:.4}, on its own sample {:.4}", found.recall);
        assert!(recall >= 0.97, "{metric}: {recall}");
        assert!(found.recall < 1.0 + 1e-12 && (found.recall - recall).abs() < 0.02, "{metric}: {}", found.recall);
    }
    let few = Nearest::new(15).find(&blobs(500, 20, 5), &Run::new()).unwrap();
    assert_eq!(few.measure_recall(&blobs(500, 20, 5), Metric::Euclidean, 500, &Run::new()).unwrap(), 1.0);
    assert_eq!((few.exact, few.recall), (true, 1.0));
    // Noise in many columns: what was missed is told.
    let noisy = Array2::from_shape_fn((5000, 120), |(i, j)| noise(i * 120 + j));
    let found = Nearest::new(15).search(Search::Approximate).find(&noisy, &Run::new()).unwrap();
    let recall = found.measure_recall(&noisy, Metric::Euclidean, 500, &Run::new()).unwrap();
    println!("noise: recall {recall:.4}, on its own sample {:.4}", found.recall);
    // The row itself, which is never missed, counts in one and not in the other.
    assert!(found.recall < 0.9 && (found.recall - (15.0 * recall - 1.0) / 14.0).abs() < 0.03);
    let found = Nearest::new(15).find(&noisy, &Run::new()).unwrap();
    assert_eq!((found.exact, found.recall), (true, 1.0));
    let mut cut = few.clone();
    cut.distances = cut.distances.slice(s![.., ..14]).to_owned();
    let refused = cut.measure_recall(&blobs(500, 20, 5), Metric::Euclidean, 50, &Run::new());
    assert!(matches!(refused, Err(Error::Shape { expected: 15, found: 14, .. })));
}

/// A k-d tree cannot split what nearly all rows have in common, and would look at all of it for each row.
#[test]
fn columns_that_hardly_vary_are_not_left_to_a_tree() {
    let run = Run::new();
    let flags = |n: usize, share: f32| {
        Array2::from_shape_fn((n, 8), |(i, j)| match j {
            0 => noise(i * 8) * 10.0,
            _ => f32::from(u8::from(noise(i * 8 + j) < share)),
        })
    };
    let (rare, even, few) = (flags(65_000, 0.01), flags(65_000, 0.4), flags(3000, 0.01));
    let constant = Array2::from_shape_fn((65_000, 8), |(i, j)| if j == 0 { noise(i) * 10.0 } else { j as f32 });
    for (rows, exact) in [(&rare, false), (&constant, false), (&even, true), (&few, true)] {
        let found = Nearest::new(15).find(rows, &run).unwrap();
        let recall = found.measure_recall(rows, Metric::Euclidean, 100, &run).unwrap();
        println!("exact {}, recall {recall:.4}", found.exact);
        assert_eq!(found.exact, exact);
        assert!(recall > if exact { 1.0 - 1e-12 } else { 0.9 }, "{recall}");
        let index = Nearest::new(15).index(rows, &run).unwrap();
        let own = index.query(&rows.slice(s![..200, ..]), &run).unwrap();
        assert!((0..200).all(|i| own.indices[[i, 0]] == i as u32 && own.distances[[i, 0]] == 0.0));
    }
    // Fewer of them, and any that are to be found exactly, are.
    let rows = rare.slice(s![..6000, ..]);
    let found = Nearest::new(15).find(&rows, &run).unwrap();
    assert_eq!(found, Nearest::new(15).search(Search::Exact).find(&rows, &run).unwrap());
    assert_eq!((found.exact, found.measure_recall(&rows, Metric::Euclidean, 300, &run).unwrap()), (true, 1.0));
}

#[test]
fn an_exact_search_misses_nothing_of_many_equal_rows() {
    // So few different rows that they have no sketches, which all rows together have.
    let rows = Array2::from_shape_fn((300, 120), |(i, j)| noise((i % 200) * 120 + j));
    let found = Nearest::new(15).find(&rows, &Run::new()).unwrap();
    assert_eq!(found.measure_recall(&rows, Metric::Euclidean, 300, &Run::new()).unwrap(), 1.0);
}

/// Rows of whole numbers, most of them zero: what sets and shares of columns are made for.
fn counts(n: usize, columns: usize, kinds: usize) -> Array2<f32> {
    Array2::from_shape_fn((n, columns), |(i, j)| {
        let usual = noise(700_000_001 + (i % kinds) * columns + j) < 0.3;
        let now = if noise(i * columns + j) < 0.08 { !usual } else { usual };
        if now { (1.0 + 3.0 * noise(300_000_007 + i * columns + j)).floor() } else { 0.0 }
    })
}

#[test]
fn distances_are_those_of_scipy() {
    let fixture: Value = serde_json::from_str(include_str!("../fixtures/metrics.json")).unwrap();
    let number = |v: &Value| v.as_f64();
    let table = |v: &Value| -> Vec<Vec<Option<f64>>> {
        v.as_array().unwrap().iter().map(|row| row.as_array().unwrap().iter().map(number).collect()).collect()
    };
    let values = table(&fixture["rows"]);
    let n = values.len();
    let rows = Array2::from_shape_fn((n, values[0].len()), |(i, j)| values[i][j].unwrap() as f32);
    // Hellinger distance, which takes no value below 0, is held to umap-learn's in sparse.rs.
    for metric in Metric::ALL.into_iter().filter(|&metric| metric != Metric::Hellinger) {
        let theirs = table(&fixture[metric.name()]);
        for search in [Search::Exact, Search::Approximate] {
            // A search has to have something to leave out.
            let k = if search == Search::Exact { n } else { n / 2 };
            let index = Nearest::new(k).metric(metric).search(search).index(&rows, &Run::new()).unwrap();
            let found = index.query(&rows, &Run::new()).unwrap();
            for (i, row) in found.indices.outer_iter().enumerate() {
                for (slot, &j) in row.iter().enumerate() {
                    let ours = f64::from(found.distances[[i, slot]]);
                    match theirs[i][j as usize] {
                        Some(theirs) => {
                            assert!(
                                (ours - theirs).abs() < 2e-6 * theirs.max(1.0),
                                "{metric} {i} {j}: {ours} {theirs}"
                            );
                        }
                        // scipy leaves 0 / 0 open: equal rows are at 0, a row without direction is at 1 from others.
                        None => {
                            let alike = rows.row(i) == rows.row(j as usize)
                                || metric == Metric::Correlation
                                    && rows.row(i).iter().all(|x| *x == rows[[i, 0]])
                                    && rows.row(j as usize).iter().all(|x| *x == rows[[j as usize, 0]]);
                            let expected = if alike { 0.0 } else { 1.0 };
                            assert!((ours - expected).abs() < 1e-6, "{metric} {i} {j}: {ours}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn awkward_shares_are_defined() {
    let rows = array![[1.0f32, -2.0, 0.0], [-1.0, 2.0, 0.0], [0.0, 0.0, 0.0], [-0.0, 0.0, 0.0], [3e38, -3e38, 3e38]];
    for metric in Metric::ALL {
        let rows = if metric == Metric::Hellinger { rows.mapv(f32::abs) } else { rows.clone() };
        let found = Nearest::new(5).metric(metric).find(&rows, &Run::new()).unwrap();
        assert!(found.distances.iter().all(|d| d.is_finite()), "{metric}");
        assert_eq!((found.indices[[2, 1]], found.distances[[2, 1]]), (3, 0.0), "{metric}");
    }
    let found = Nearest::new(5).metric(Metric::BrayCurtis).find(&rows, &Run::new()).unwrap();
    let place = found.indices.row(0).iter().position(|&j| j == 1).unwrap();
    assert_eq!(found.distances[[0, place]], f32::MAX);
}

#[test]
fn sets_and_shares_are_searched_as_well() {
    let rows = counts(5000, 200, 40);
    for metric in [Metric::Jaccard, Metric::Hamming] {
        let found = Nearest::new(15).metric(metric).search(Search::Approximate).find(&rows, &Run::new()).unwrap();
        let recall = found.measure_recall(&rows, metric, 300, &Run::new()).unwrap();
        println!("{metric} {recall:.4}");
        assert!(recall >= 0.95, "{metric}: {recall}");
    }
}

/// Manhattan distance, as one's own.
struct Blocks;

impl Distance for Blocks {
    fn name(&self) -> &str {
        "blocks"
    }
    fn distance(&self, a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(x, y)| (x - y).abs()).sum()
    }
}

/// Half of its values are no distances.
struct Broken;

impl Distance for Broken {
    fn name(&self) -> &str {
        "broken"
    }
    fn distance(&self, a: &[f32], b: &[f32]) -> f32 {
        if a[0] < b[0] { f32::NAN } else { -1.0 }
    }
}

#[test]
fn a_metric_of_ones_own_is_searched_like_a_built_in() {
    let run = Run::new();
    let rows = blobs(5000, 20, 30);
    for search in [Search::Exact, Search::Approximate] {
        let nearest = Nearest::new(15).search(search);
        let own = nearest.clone().metric(Measure::own(Blocks)).find(&rows, &run).unwrap();
        let built = nearest.metric(Metric::Manhattan).find(&rows, &run).unwrap();
        let same = own.indices.iter().zip(&built.indices).filter(|(a, b)| a == b).count() as f64;
        assert!(same / own.indices.len() as f64 > 0.99, "{search:?}");
    }
    let broken = Nearest::new(15).metric(Measure::own(Broken)).search(Search::Approximate).find(&rows, &run).unwrap();
    assert!(broken.distances.iter().all(|d| d.is_finite() && *d >= 0.0));
}

/// Manhattan distance within a kind (first column); between kinds, and where the second column is negative, no number.
struct Kinds;

impl Distance for Kinds {
    fn name(&self) -> &str {
        "kinds"
    }
    fn distance(&self, a: &[f32], b: &[f32]) -> f32 {
        if a[0] != b[0] || a[1].min(b[1]) < 0.0 { f32::NAN } else { Blocks.distance(a, b) }
    }
}

#[test]
fn what_is_no_number_is_farthest() {
    let run = Run::new();
    // Kinds 0 to 3 by turns, five rows of kind 4, and two equal rows that are at no distance even from themselves.
    let mut rows = blobs(2000, 20, 30);
    rows.column_mut(0).iter_mut().enumerate().for_each(|(i, kind)| *kind = (i % 4) as f32);
    rows.column_mut(1).mapv_inplace(f32::abs);
    (100..105).for_each(|i| rows[[i, 0]] = 4.0);
    let lost = rows.row(200).mapv(|x| -1.0 - x.abs());
    [200, 201].into_iter().for_each(|i| rows.row_mut(i).assign(&lost));
    for search in [Search::Exact, Search::Approximate] {
        let nearest = Nearest::new(15).metric(Measure::own(Kinds)).search(search);
        let found = nearest.find(&rows, &run).unwrap();
        assert_eq!(found.exact, search == Search::Exact);
        let queried = nearest.index(&rows, &run).unwrap().query(&rows, &run).unwrap();
        for lists in [&found, &queried] {
            for i in 0..rows.nrows() {
                let (list, distances) = (lists.indices.row(i), lists.distances.row(i));
                assert!(distances.iter().zip(distances.iter().skip(1)).all(|(a, b)| a <= b), "{search:?} row {i}");
                let mut different = list.to_vec();
                different.sort_unstable();
                different.dedup();
                assert_eq!(different.len(), 15, "{search:?} row {i}: {list}");
                for (&j, &distance) in list.iter().zip(distances) {
                    let own = Kinds.distance(rows.row(i).as_slice().unwrap(), rows.row(j as usize).as_slice().unwrap());
                    let equal = rows.row(i) == rows.row(j as usize);
                    let expected = if equal {
                        0.0
                    } else if own.is_nan() {
                        f32::MAX
                    } else {
                        own
                    };
                    assert_eq!(distance, expected, "{search:?} {i} {j}");
                }
                let finite = distances.iter().filter(|&&d| d < f32::MAX).count();
                match i {
                    200 | 201 => assert_eq!(finite, 2),
                    // A search may miss some of the four others, but names nothing else before them.
                    100..105 if search == Search::Approximate => assert!((1..=5).contains(&finite)),
                    100..105 => assert_eq!(finite, 5),
                    _ => assert_eq!(finite, 15, "{search:?} row {i}"),
                }
            }
        }
    }
}

/// The difference in the first column, minus zero where there is none.
struct Signed;

impl Distance for Signed {
    fn name(&self) -> &str {
        "signed"
    }
    fn distance(&self, a: &[f32], b: &[f32]) -> f32 {
        if a[0] == b[0] { -0.0 } else { (a[0] - b[0]).abs() }
    }
}

#[test]
fn minus_zero_is_nearest() {
    let rows = array![[0.0f32, 1.0], [5.0, 1.0], [0.0, 2.0], [7.0, 1.0]];
    let found = Nearest::new(3).metric(Measure::own(Signed)).find(&rows, &Run::new()).unwrap();
    assert_eq!(found.indices.row(0), array![0, 2, 1]);
    assert_eq!(found.distances.row(0), array![0.0, 0.0, 5.0]);
    assert!(found.distances.iter().all(|d| d.is_sign_positive()));
}

/// The share of the true neighbours that were found: by number, or as near as the farthest. Not by distance alone, as a walk
/// and a sweep may differ in its last bit.
fn share_found(found: &Neighbors, truth: &Neighbors) -> f64 {
    let k = truth.distances.ncols();
    let hits = truth.indices.rows().into_iter().enumerate().map(|(i, list)| {
        let hit = |(j, &d): (&u32, &f32)| list.iter().any(|other| other == j) || d <= truth.distances[[i, k - 1]];
        found.indices.row(i).iter().zip(found.distances.row(i)).filter(|&pair| hit(pair)).count()
    });
    hits.sum::<usize>() as f64 / truth.distances.len() as f64
}

#[test]
fn queries_miss_few() {
    let run = Run::new();
    let tiny = Array2::from_shape_fn((6500, 30), |(i, j)| {
        100.0 * noise(1_000_000_007 + (i % 1000) * 30 + j) + noise(i * 30 + j)
    });
    for (all, metric) in [
        (surface(6500, 120), Metric::Euclidean),
        (surface(6500, 120), Metric::Cosine),
        (blobs(6500, 20, 30), Metric::Manhattan),
        (counts(6500, 120, 40), Metric::Jaccard),
        (tiny, Metric::Euclidean),
    ] {
        let (old, new) = (all.slice(s![..6000, ..]).to_owned(), all.slice(s![6000.., ..]).to_owned());
        let k = 5;
        let nearest = Nearest::new(k).metric(metric);
        let index = nearest.clone().index(&old, &run).unwrap();
        let found = index.query(&new, &run).unwrap();
        let truth = nearest.search(Search::Exact).index(&old, &run).unwrap().query(&new, &run).unwrap();
        assert!(!found.exact && truth.exact);
        let share = share_found(&found, &truth);
        println!("{metric} {share:.4}, told {:.4}", found.recall);
        assert!(share >= 0.95, "{metric}: {share}");
        assert!((found.recall - share).abs() < 0.03 && truth.recall == 1.0, "{metric}: {}", found.recall);
        // Alone, at any number of threads, and with the indexed rows turned around.
        let alone = index.query(&new.slice(s![77..78, ..]).to_owned(), &run.clone().threads(1)).unwrap();
        assert_eq!(alone.indices.row(0), found.indices.row(77));
        let back = Nearest::new(k).metric(metric).index(&old.slice(s![..;-1, ..]).to_owned(), &run).unwrap();
        let turned = back.query(&new, &run.clone().threads(3)).unwrap();
        assert_eq!(turned.distances, found.distances);
        // Known rows find themselves.
        let own = index.query(&old, &run).unwrap();
        assert!((0..6000).all(|i| own.distances[[i, 0]] == 0.0 && old.row(own.indices[[i, 0]] as usize) == old.row(i)));
    }
}

/// Rows of whole numbers from 0 to 255 are compared as bytes among their like: what else is in a batch changes nothing.
#[test]
fn a_query_is_answered_alone_as_in_any_batch() {
    let whole = surface(4700, 120).mapv(|x| (31.0 * (x + 4.0)).round().clamp(0.0, 255.0));
    let (old, mut new) = (whole.slice(s![..4600, ..]).to_owned(), whole.slice(s![4600.., ..]).to_owned());
    new.rows_mut().into_iter().step_by(3).for_each(|mut row| row[7] += 0.25);
    new.row_mut(50).assign(&old.row(9));
    let run = Run::new();
    for search in [Search::Approximate, Search::Exact] {
        let index = Nearest::new(6).search(search).index(&old, &run).unwrap();
        let found = index.query(&new, &run).unwrap();
        for i in 0..100 {
            let alone = index.query(&new.slice(s![i..=i, ..]).to_owned(), &run).unwrap();
            assert_eq!((alone.indices.row(0), alone.distances.row(0)), (found.indices.row(i), found.distances.row(i)));
            let distance = |j: u32| {
                let pairs = new.row(i).to_vec().into_iter().zip(old.row(j as usize).to_vec());
                pairs.map(|(x, y)| f64::from(x - y).powi(2)).sum::<f64>().sqrt()
            };
            for (&j, &told) in found.indices.row(i).iter().zip(found.distances.row(i)) {
                assert!((distance(j) - f64::from(told)).abs() <= 1e-5 * distance(j), "{i} {j}: {told}");
            }
        }
        assert_eq!(found.indices[[50, 0]], 9);
    }
}

#[test]
fn equal_rows_come_first() {
    let mut rows = blobs(300, 30, 4);
    for i in 0..40 {
        let first = rows.row(0).to_owned();
        rows.row_mut(100 + i).assign(&first);
    }
    let found = Nearest::new(5).find(&rows, &Run::new()).unwrap();
    assert_eq!((found.indices[[120, 0]], found.distances.row(120).sum()), (120, 0.0));
    let index = Nearest::new(50).index(&rows, &Run::new()).unwrap();
    let found = index.query(&rows.select(Axis(0), &[0]), &Run::new()).unwrap();
    assert_eq!(found.distances.row(0).iter().filter(|&&d| d == 0.0).count(), 41);
}

/// Four of five rows, in another order than the table's.
fn four_fifths(n: usize) -> Vec<u32> {
    let mut part: Vec<u32> = (0..n as u32).filter(|&i| noise(65_000_003 + i as usize) < 0.8).collect();
    part.sort_by_key(|&i| noise(60_000_011 + i as usize).to_bits());
    part
}

/// The lists name rows at the same distances, and the same rows but for those equally far.
fn assert_same_lists(found: &Neighbors, truth: &Neighbors, what: &str) {
    assert_eq!(found.distances, truth.distances, "{what}");
    for ((i, slot), index) in found.indices.indexed_iter() {
        let (list, distances) = (truth.indices.row(i), truth.distances.row(i));
        let farthest = distances[distances.len() - 1];
        let alike = |t: usize| list[t] == *index && distances[t] == distances[slot];
        assert!(distances[slot] == farthest || (0..list.len()).any(alike), "{what}: row {i}, slot {slot}");
        assert!(found.indices.row(i).iter().filter(|&other| other == index).count() == 1, "{what}: row {i}");
        assert_eq!(found.indices[[i, 0]] as usize, i, "{what}");
    }
}

#[test]
fn a_part_of_exact_lists_is_the_search_of_the_part() {
    let run = Run::new();
    let own = || Measure::own(Kinds);
    // One row in ten is one of forty equal ones; the last rows of a kind of their own.
    let with_equals = |columns: usize| {
        let mut rows = blobs(600, columns, 9).mapv(f32::abs);
        let first = rows.row(0).to_owned();
        (100..140).for_each(|i| rows.row_mut(i).assign(&first));
        rows.column_mut(0).iter_mut().enumerate().for_each(|(i, kind)| *kind = ((i >= 590) as u8).into());
        rows[[300, 1]] = -1.0;
        rows
    };
    for columns in [3, 20, 120] {
        let rows = with_equals(columns);
        let part = four_fifths(rows.nrows());
        let numbers: Vec<usize> = part.iter().map(|&i| i as usize).collect();
        let table = rows.select(Axis(0), &numbers);
        for measure in [Metric::Euclidean.into(), Metric::Cosine.into(), Metric::Manhattan.into(), own()] {
            let nearest = |k| Nearest::new(k).metric(measure.clone()).search(Search::Exact);
            let truth = nearest(15).find(&table, &run).unwrap();
            // Lists that nearly all stay long enough; many that do not; hardly one that does.
            for (length, seed) in [(30, 0), (19, 1), (15, 2)] {
                let what = format!("{measure}, {columns} columns, cut from {length}");
                let lists = nearest(length).find(&rows, &run).unwrap();
                let found = lists.subset(&part, 15, &rows, measure.clone(), &run.clone().seed(seed)).unwrap();
                assert_same_lists(&found, &truth, &what);
                assert_eq!((found.exact, found.recall), (true, 1.0));
                for threads in [1, 2] {
                    let again =
                        lists.subset(&part, 15, &rows, measure.clone(), &run.clone().seed(seed).threads(threads));
                    assert_eq!(again.unwrap(), found, "{what}");
                }
            }
        }
    }
    // As many as the part has, and the row alone.
    let rows = with_equals(3);
    let lists = Nearest::new(30).find(&rows, &run).unwrap();
    let all = lists.subset(&[110, 7, 595, 3], 9, &rows, Metric::Euclidean, &run).unwrap();
    assert_eq!(all.indices.dim(), (4, 4));
    let own = lists.subset(&[110, 7, 595, 3], 1, &rows, Metric::Euclidean, &run).unwrap();
    assert_eq!((own.indices, own.distances), (array![[0], [1], [2], [3]], Array2::zeros((4, 1))));
}

#[test]
fn a_part_of_searched_lists_keeps_what_they_found() {
    let run = Run::new();
    let rows = surface(6000, 30);
    let part = four_fifths(6000);
    let numbers: Vec<usize> = part.iter().map(|&i| i as usize).collect();
    let table = rows.select(Axis(0), &numbers);
    let find = |k| Nearest::new(k).search(Search::Approximate).find(&rows, &run).unwrap();
    for length in [30, 20] {
        let lists = find(length);
        let found = lists.subset(&part, 15, &rows, Metric::Euclidean, &run).unwrap();
        assert_eq!((found.exact, found.recall), (false, lists.recall));
        let recall = found.measure_recall(&table, Metric::Euclidean, 300, &run).unwrap();
        println!("cut from {length}: {recall:.4}");
        assert!(recall >= 0.97, "{recall}");
        let again = lists.subset(&part, 15, &rows, Metric::Euclidean, &run.clone().threads(1)).unwrap();
        assert_eq!(again, found);
    }
    // Too short to be cut: searched again, which a small part is exactly.
    let lists = find(15);
    assert!(!lists.subset(&part, 15, &rows, Metric::Euclidean, &run).unwrap().exact);
    let small = lists.subset(&part[..900], 15, &rows, Metric::Euclidean, &run).unwrap();
    assert_eq!((small.exact, small.recall), (true, 1.0));
    let truth = Nearest::new(15).find(&table.slice(s![..900, ..]), &run).unwrap();
    assert_same_lists(&small, &truth, "searched again");
}

#[test]
fn a_part_that_is_none_is_refused() {
    let run = Run::new();
    let rows = blobs(50, 4, 2);
    let lists = Nearest::new(6).find(&rows, &run).unwrap();
    let subset = |part: &[u32], k| lists.subset(part, k, &rows, Metric::Euclidean, &run);
    let words = |found: recluster::Result<Neighbors>| {
        let error = found.unwrap_err();
        assert!(matches!(error, Error::Setting { name: "part", .. }), "{error}");
        error.to_string()
    };
    assert!(words(subset(&[3, 50, 4], 2)).contains("row 50 (place 1): must be a row"));
    assert!(words(subset(&[3, 4, 7, 4], 2)).contains("row 4 (place 3): must not be named twice"));
    assert!(matches!(subset(&[3, 4], 0), Err(Error::Setting { name: "k", .. })));
    assert!(matches!(subset(&[], 2), Err(Error::Empty { rows: 0, columns: 4, .. })));
    let other = blobs(49, 4, 2);
    let refused = lists.subset(&[1, 2], 2, &other, Metric::Euclidean, &run);
    assert!(matches!(refused, Err(Error::Shape { expected: 50, found: 49, .. })));
    // Lists that were changed are refused, or answered without a panic.
    let mut bad = lists.clone();
    bad.distances = bad.distances.slice(s![..49, ..]).to_owned();
    assert!(matches!(bad.subset(&[1, 2], 2, &rows, Metric::Euclidean, &run), Err(Error::Shape { .. })));
    let mut bad = lists.clone();
    bad.indices.fill(u32::MAX);
    assert_same_lists(
        &bad.subset(&[9, 3, 4], 3, &rows, Metric::Euclidean, &run).unwrap(),
        &Nearest::new(3).find(&rows.select(Axis(0), &[9, 3, 4]), &run).unwrap(),
        "lists of no rows",
    );
    // A value that is none is met where lists are completed, few or all, and named by its row in the table.
    let mut gone = rows.clone();
    gone[[7, 3]] = f32::NAN;
    for length in [6, 7] {
        let lists = Nearest::new(length).find(&rows, &run).unwrap();
        let part: Vec<u32> = (0..50).rev().filter(|i| i % 10 != 3).collect();
        let refused = lists.subset(&part, 6, &gone, Metric::Euclidean, &run);
        assert!(matches!(refused, Err(Error::NotFinite { row: 7, column: 3, .. })));
    }
    let cancel = Cancel::default();
    cancel.cancel();
    let cancelled = lists.subset(&[1, 2], 2, &rows, Metric::Euclidean, &run.cancel(cancel));
    assert!(matches!(cancelled, Err(Error::Cancelled { .. })));
}

#[test]
fn bad_input_is_named() {
    let run = Run::new();
    let good = blobs(50, 4, 2);
    let mut rows = good.clone();
    rows[[7, 3]] = f32::NAN;
    assert!(matches!(Nearest::new(3).find(&rows, &run), Err(Error::NotFinite { row: 7, column: 3, .. })));
    assert!(matches!(Nearest::new(3).index(&rows, &run), Err(Error::NotFinite { row: 7, column: 3, .. })));
    assert!(matches!(Nearest::new(0).find(&good, &run), Err(Error::Setting { name: "k", .. })));
    assert!(matches!(Nearest::new(0).index(&good, &run), Err(Error::Setting { name: "k", .. })));
    let index = Nearest::new(3).index(&good, &run).unwrap();
    assert!(matches!(index.query(&rows, &run), Err(Error::NotFinite { row: 7, column: 3, .. })));
    assert!(matches!(index.query(&blobs(5, 3, 2), &run), Err(Error::Shape { expected: 4, found: 3, .. })));
    assert!(matches!(index.query(&Array2::zeros((0, 4)), &run), Err(Error::Empty { .. })));
    assert!(matches!("angular".parse::<Metric>(), Err(Error::Setting { name: "metric", .. })));
    for metric in Metric::ALL {
        assert_eq!(metric.name().parse::<Metric>().unwrap(), metric);
    }
    assert_eq!("braycurtis".parse::<Metric>().unwrap(), Metric::BrayCurtis);
    let cancel = Cancel::default();
    cancel.cancel();
    let cancelled = run.cancel(cancel);
    assert!(matches!(index.query(&good, &cancelled), Err(Error::Cancelled { .. })));
}

#[test]
fn a_query_gets_as_many_neighbours_as_it_asked_for() {
    // Clusters of 40 that no edge connects: a walk ends where its own two or three are.
    let rows = Array2::from_shape_fn((1200, 5), |(i, j)| {
        1000.0 * ((i % 30) * (j + 1) % 31) as f32 + ((i * 37 + j * 101) % 97) as f32 / 97.0
    });
    let (nearest, run) = (Nearest::new(500).search(Search::Approximate), Run::new());
    let new = rows.slice(s![..20, ..]).mapv(|x| x + 0.003);
    let found = nearest.index(&rows, &run).unwrap().query(&new, &run).unwrap();
    let truth = nearest.search(Search::Exact).index(&rows, &run).unwrap().query(&new, &run).unwrap();
    assert!(!found.exact && truth.exact);
    for i in 0..new.nrows() {
        let mut named = found.indices.row(i).to_vec();
        named.sort_unstable();
        named.dedup();
        assert_eq!(named.len(), 500, "row {i} names a row twice");
        assert_eq!(found.distances.row(i), truth.distances.row(i));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever the numbers: distances are finite and rise, each row is first in its own list, nothing panics.
    #[test]
    fn any_numbers_have_neighbours(
        values in prop::collection::vec(prop_oneof![any::<f32>().prop_filter("finite", |x| x.is_finite()), Just(0.0), -2.0f32..2.0], 36..360),
        k in 1usize..9, metric in prop::sample::select(&Metric::ALL[..]), approximate: bool,
    ) {
        let n = values.len() / 4;
        let mut rows = Array2::from_shape_vec((n, 4), values[..n * 4].to_vec()).unwrap();
        if metric == Metric::Hellinger {
            rows.mapv_inplace(f32::abs);
        }
        let search = if approximate { Search::Approximate } else { Search::Exact };
        let nearest = Nearest::new(k).metric(metric).search(search);
        let found = nearest.find(&rows, &Run::new()).unwrap();
        let queried = nearest.index(&rows, &Run::new()).unwrap().query(&rows, &Run::new()).unwrap();
        for i in 0..n {
            prop_assert_eq!(found.indices[[i, 0]] as usize, i);
            for list in [found.distances.row(i), queried.distances.row(i)] {
                prop_assert!(list[0] == 0.0 && list.iter().all(|d| d.is_finite()));
                prop_assert!(list.iter().zip(list.iter().skip(1)).all(|(a, b)| a <= b));
            }
        }
    }
}

/// Twice the neighbours is no number of 64 bits: all rows are each row's neighbours.
#[test]
fn absurdly_many_neighbours_are_all_rows() {
    let rows = Array2::from_shape_fn((9, 2), |(i, j)| (i * i + j) as f32);
    for search in [Search::Auto, Search::Exact, Search::Approximate] {
        for k in [usize::MAX, usize::MAX / 2 + 1, 9] {
            let found = Nearest::new(k).search(search).find(&rows, &Run::new()).unwrap();
            assert_eq!((found.indices.dim(), found.recall), ((9, 9), 1.0));
        }
    }
}
