//! k-means: its promises and bad input.

use ndarray::{Array2, Axis};
use recluster::cluster::KMeans;
use recluster::{Clusterer, Error, Run};

fn noise(i: usize) -> f64 {
    let mut x = (i as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x >> 11) as f64 / (1u64 << 53) as f64
}

/// Ten blobs, row i in blob i % 10.
fn blobs(n: usize, columns: usize) -> Array2<f32> {
    Array2::from_shape_fn((n, columns), |(i, j)| {
        (50.0 * noise(1_000_000 + i % 10 * columns + j) + noise(i * columns + j)) as f32
    })
}

#[test]
fn blobs_are_found_and_each_row_is_with_its_nearest_center() {
    for columns in [2, 7, 40] {
        let rows = blobs(2000, columns);
        let model = KMeans::new(10).fit(&rows, &Run::new()).unwrap();
        assert!(model.converged());
        for i in 10..2000 {
            assert_eq!(model.labels()[i], model.labels()[i % 10]);
        }
        assert_eq!(model.predict(&rows).unwrap(), model.labels());
        let mut inertia = 0.0;
        for (i, row) in rows.axis_iter(Axis(0)).enumerate() {
            let squared = |k: usize| -> f64 {
                row.iter().zip(model.centers().row(k)).map(|(&x, &c)| (f64::from(x) - c) * (f64::from(x) - c)).sum()
            };
            let nearest = (0..10).min_by(|&a, &b| squared(a).total_cmp(&squared(b))).unwrap();
            assert_eq!(model.labels()[i] as usize, nearest);
            inertia += squared(nearest);
        }
        assert!((inertia / model.inertia() - 1.0).abs() < 1e-12);
        let mean = rows.axis_iter(Axis(0)).step_by(10).map(|row| f64::from(row[0])).sum::<f64>() / 200.0;
        assert!((model.centers()[[model.labels()[0] as usize, 0]] - mean).abs() < 1e-9);
    }
}

#[test]
fn neither_row_order_nor_threads_change_a_bit() {
    // Without structure, with duplicates: where starts and ties would show.
    let rows = Array2::from_shape_fn((3000, 3), |(i, j)| (noise(i * 3 + j) * 12.0) as i32 as f32);
    let model = KMeans::new(13).fit(&rows, &Run::new().seed(4).threads(1)).unwrap();
    assert_eq!(model, KMeans::new(13).fit(&rows, &Run::new().seed(4).threads(4)).unwrap());
    let mut order: Vec<usize> = (0..3000).collect();
    order.sort_by(|&a, &b| noise(a + 77).total_cmp(&noise(b + 77)));
    let shuffled = KMeans::new(13).fit(&rows.select(Axis(0), &order), &Run::new().seed(4)).unwrap();
    assert_eq!(shuffled.centers(), model.centers());
    assert_eq!(shuffled.inertia().to_bits(), model.inertia().to_bits());
    for (i, &j) in order.iter().enumerate() {
        assert_eq!(shuffled.labels()[i], model.labels()[j]);
    }
    let more = KMeans::new(13).restarts(8).fit(&rows, &Run::new().seed(4)).unwrap();
    assert!(more.inertia() <= model.inertia());
}

#[test]
fn no_cluster_is_empty_however_many_there_are() {
    for n in [1, 2, 5, 64, 300] {
        let rows = Array2::from_shape_fn((n, 2), |(i, j)| if j == 0 { i as f32 } else { 0.0 });
        for clusters in [1, n.div_ceil(2), n.saturating_sub(1).max(1), n] {
            for rounds in [1, 300] {
                let model = KMeans::new(clusters).max_iter(rounds).fit(&rows, &Run::new()).unwrap();
                let mut seen = vec![false; clusters];
                model.labels().iter().for_each(|&l| seen[l as usize] = true);
                assert!(seen.iter().all(|s| *s), "{n} {clusters} {rounds}");
                if clusters == n {
                    assert_eq!(model.inertia(), 0.0);
                }
            }
        }
    }
    // Far points and copies of one: the mean of a cluster can lose all its rows to others.
    let far = Array2::from_shape_fn((40, 1), |(i, _)| if i < 30 { 0.0 } else { 10f32.powi(i as i32 - 30) });
    let clustering = KMeans::new(11).cluster(&far, &Run::new()).unwrap();
    assert_eq!(clustering.clusters(), 11);
}

#[test]
fn mini_batches_come_near_and_keep_the_promises() {
    let rows = blobs(6000, 5);
    let whole = KMeans::new(10).fit(&rows, &Run::new()).unwrap();
    let settings = KMeans::new(10).mini_batch(300);
    let model = settings.fit(&rows, &Run::new().threads(1)).unwrap();
    assert!(model.inertia() < 1.05 * whole.inertia(), "{} {}", model.inertia(), whole.inertia());
    assert_eq!(model.predict(&rows).unwrap(), model.labels());
    assert_eq!(model, settings.fit(&rows, &Run::new().threads(3)).unwrap());
    let order: Vec<usize> = (0..6000).map(|i| i * 1009 % 6000).collect();
    let other = settings.fit(&rows.select(Axis(0), &order), &Run::new()).unwrap();
    assert_eq!(other.centers(), model.centers());
    // Batches of more rows than there are.
    assert!(KMeans::new(10).mini_batch(1 << 40).fit(&rows, &Run::new()).unwrap().converged());
}

#[test]
fn bad_settings_and_data_are_named() {
    let rows = blobs(30, 2);
    let run = Run::new();
    let name = |settings: KMeans, rows: &Array2<f32>| match settings.fit(rows, &run) {
        Err(Error::Setting { name, .. }) => name,
        other => panic!("{other:?}"),
    };
    assert_eq!(name(KMeans::new(0), &rows), "clusters");
    let few = |settings: KMeans, rows: &Array2<f32>| matches!(settings.fit(rows, &run), Err(Error::TooFewRows { .. }));
    assert!(few(KMeans::new(31), &rows));
    assert!(few(KMeans::new(2), &Array2::from_elem((9, 3), 1.0)));
    assert_eq!(name(KMeans::new(2).mini_batch(0), &rows), "mini_batch");
    assert_eq!(name(KMeans::new(2).start(Array2::from_elem((2, 2), f64::NAN)), &rows), "start");
    assert!(matches!(KMeans::new(2).start(Array2::zeros((3, 2))).fit(&rows, &run), Err(Error::Shape { .. })));
    assert!(matches!(KMeans::new(2).start(Array2::zeros((2, 3))).fit(&rows, &run), Err(Error::Shape { .. })));
    assert_eq!(name(KMeans::new(2).restarts(0), &rows), "restarts");
    assert_eq!(name(KMeans::new(2).max_iter(0), &rows), "max_iter");
    assert_eq!(name(KMeans::new(2).tol(f64::NAN), &rows), "tol");
    let mut bad = rows.clone();
    bad[[3, 0]] = f32::INFINITY;
    assert!(matches!(KMeans::new(2).fit(&bad, &run), Err(Error::NotFinite { row: 3, column: 0, .. })));
    let model = KMeans::new(2).fit(&rows, &run).unwrap();
    assert!(matches!(model.predict(&blobs(3, 3)), Err(Error::Shape { expected: 2, found: 3, .. })));
    let huge = Array2::from_shape_fn((8, 2), |(i, _)| if i % 2 == 0 { f32::MAX } else { -f32::MAX });
    assert!(KMeans::new(2).fit(&huge, &run).unwrap().inertia() == 0.0);
}
