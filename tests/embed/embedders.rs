//! Embedders besides UMAP: principal components against scikit-learn, random projections against their theorem.

use ndarray::{Array2, Axis, s};
use recluster::embed::{Identity, Pca, PcaModel, RandomProjection, RandomProjectionModel, Scaled, Scaling, Solver};
use recluster::{Cancel, Embedder, Error, Run, Saved};
use serde_json::Value;

fn fixture() -> Value {
    serde_json::from_str(include_str!("../fixtures/pca.json")).unwrap()
}

fn table(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = serde_json::from_value(value.clone()).unwrap();
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
}

fn list(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

fn digits() -> Array2<f32> {
    let symbol = |c: u8| f32::from(if c >= b'a' { c - b'a' + 10 } else { c - b'0' });
    let text = include_str!("../fixtures/embed_digits.txt");
    let values: Vec<f32> =
        text.lines().flat_map(|line| line.bytes().take(64).map(symbol).collect::<Vec<_>>()).collect();
    Array2::from_shape_vec((values.len() / 64, 64), values).unwrap()
}

fn noise(i: usize) -> f64 {
    let mut x = (i as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Columns that lean on a few hidden ones with falling weight, far from 0 where `offset` is large.
fn leaning(n: usize, columns: usize, offset: f32) -> Array2<f32> {
    let hidden = Array2::from_shape_fn((n, 12), |(i, t)| (noise(i * 12 + t) - 0.5) * 8.0 / (t + 1) as f64);
    let weights = Array2::from_shape_fn((12, columns), |(t, j)| noise(1_000_003 + t * columns + j) - 0.5);
    let small = |i: usize, j: usize| 0.01 * (noise(9_000_011 + i * columns + j) - 0.5);
    let exact = hidden.dot(&weights);
    Array2::from_shape_fn((n, columns), |(i, j)| (exact[[i, j]] + small(i, j)) as f32 + offset)
}

/// How far one orthonormal set leaves the space of another: the largest sine of an angle is at most this.
fn apart(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    let rest = a - &a.dot(&b.t()).dot(b);
    rest.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn close(a: &Array2<f32>, b: &Array2<f64>, within: f64) {
    assert_eq!(a.dim(), b.dim());
    for (x, y) in a.iter().zip(b) {
        assert!((f64::from(*x) - y).abs() < within, "{x} {y}");
    }
}

#[test]
fn principal_components_are_those_of_scikit_learn() {
    let (fixture, rows, run) = (fixture(), digits(), Run::new());
    let model = Pca::new(10).fit(&rows, &run).unwrap();
    let theirs = table(&fixture["components"]);
    assert!(apart(model.components(), &theirs) < 1e-8);
    // Signs too: both make the largest loading positive.
    assert!(model.components().iter().zip(&theirs).all(|(a, b)| (a - b).abs() < 1e-7));
    assert!(model.mean().iter().zip(list(&fixture["mean"])).all(|(a, b)| (a - b).abs() < 1e-8));
    for (ours, name) in [(model.explained_variance(), "variance"), (model.explained_variance_ratio(), "ratio")] {
        assert!(ours.iter().zip(list(&fixture[name])).all(|(a, b)| (a / b - 1.0).abs() < 1e-8), "{name}");
    }
    let some = rows.slice(s![..4, ..]).to_owned();
    let scores = model.transform(&some, &run).unwrap();
    close(&scores, &table(&fixture["scores"]), 1e-5);
    close(&model.inverse_transform(&scores, &run).unwrap(), &table(&fixture["back"]), 1e-5);
    let white = Pca::new(10).whiten(true).fit(&rows, &run).unwrap();
    let scores = white.transform(&some, &run).unwrap();
    close(&scores, &table(&fixture["white_scores"]), 1e-6);
    close(&white.inverse_transform(&scores, &run).unwrap(), &table(&fixture["white_back"]), 1e-5);
    let randomized = Pca::new(10).solver(Solver::Randomized { power_iterations: 20 }).fit(&rows, &run).unwrap();
    assert!(apart(randomized.components(), &theirs) < 1e-6, "{}", apart(randomized.components(), &theirs));
}

#[test]
fn all_ways_to_the_components_agree() {
    let run = Run::new();
    // More rows than columns, fewer, far from 0, whole numbers with many zeros, columns that never vary.
    let mut counts = leaning(400, 90, 0.0).mapv(|x| (3.0 * x).round().max(0.0));
    counts.column_mut(3).fill(0.0);
    counts.column_mut(40).fill(9.0);
    let shifted = counts.mapv(|x| x + 200.0);
    let cases = [
        ("tall", leaning(500, 60, 0.0)),
        ("wide", leaning(60, 500, 0.0)),
        ("far", leaning(500, 60, 300.0)),
        ("counts", counts),
        ("counts far from 0", shifted),
    ];
    for (name, rows) in cases {
        let exact = Pca::new(5).solver(Solver::Exact).fit(&rows, &run).unwrap();
        // The definition, in plain f64: no other direction is left with more, none of the kept ones leans on another.
        let wide = rows.mapv(f64::from);
        let centred = &wide - &wide.mean_axis(Axis(0)).unwrap();
        let projected = centred.dot(&exact.components().t());
        let products = projected.t().dot(&projected) / (rows.nrows() - 1) as f64;
        for i in 0..5 {
            for j in 0..5 {
                let expected = if i == j { exact.explained_variance()[i] } else { 0.0 };
                assert!((products[[i, j]] - expected).abs() < 1e-9 * exact.explained_variance()[0], "{name}");
            }
        }
        let total = centred.iter().map(|x| x * x).sum::<f64>() / (rows.nrows() - 1) as f64;
        for (ratio, variance) in exact.explained_variance_ratio().iter().zip(exact.explained_variance()) {
            assert!((ratio - variance / total).abs() < 1e-12, "{name}");
        }
        let near = Pca::new(5).solver(Solver::Randomized { power_iterations: 12 }).fit(&rows, &run).unwrap();
        assert!(apart(near.components(), exact.components()) < 1e-5, "{name}");
        for (a, b) in near.explained_variance().iter().zip(exact.explained_variance()) {
            assert!((a / b - 1.0).abs() < 1e-9, "{name}: {a} {b}");
        }
        assert!((near.explained_variance_ratio().sum() - exact.explained_variance_ratio().sum()).abs() < 1e-9);
        // One power more cannot take from what is explained.
        let poor = Pca::new(5).solver(Solver::Randomized { power_iterations: 0 }).fit(&rows, &run).unwrap();
        assert!(poor.explained_variance().sum() <= exact.explained_variance().sum() * (1.0 + 1e-12), "{name}");
    }
}

#[test]
fn all_components_bring_rows_back() {
    for rows in [leaning(40, 12, 5.0), leaning(9, 30, 5.0)] {
        for whiten in [false, true] {
            let model = Pca::new(100).whiten(whiten).fit(&rows, &Run::new()).unwrap();
            let scores = model.transform(&rows, &Run::new()).unwrap();
            let back = model.inverse_transform(&scores, &Run::new()).unwrap();
            assert!(rows.iter().zip(&back).all(|(a, b)| (a - b).abs() < 1e-4));
        }
    }
    let model = Pca::new(2).fit(&leaning(40, 12, 0.0), &Run::new()).unwrap();
    let wrong = model.inverse_transform(&Array2::zeros((3, 5)), &Run::new());
    assert!(matches!(wrong, Err(Error::Shape { expected: 2, found: 5, .. })));
    // Without variance there is nothing to divide by.
    let flat = Pca::new(2).whiten(true).embed(&Array2::from_elem((9, 4), 3.3), &Run::new()).unwrap();
    assert!(flat.iter().all(|&x| x == 0.0));
}

#[test]
fn neither_row_order_nor_threads_change_a_bit() {
    let rows = leaning(3000, 40, 1.0);
    let order: Vec<usize> = (0..3000).map(|i| i * 1301 % 3000).collect();
    let turned = rows.select(Axis(0), &order);
    for solver in [Solver::Exact, Solver::Randomized { power_iterations: 3 }] {
        let pca = Pca::new(6).solver(solver);
        let a = pca.fit(&rows, &Run::new().seed(3).threads(1)).unwrap();
        assert_eq!(a, pca.fit(&turned, &Run::new().seed(3).threads(3)).unwrap());
        let b = pca.fit(&rows, &Run::new().seed(4)).unwrap();
        assert_eq!(a == b, solver == Solver::Exact);
        // A row's place does not depend on its batch.
        let all = a.transform(&rows, &Run::new()).unwrap();
        let one = a.transform(&rows.slice(s![77..78, ..]).to_owned(), &Run::new()).unwrap();
        assert_eq!(all.row(77), one.row(0));
    }
    for projection in [RandomProjection::new(9), RandomProjection::new(9).sparse()] {
        let all = projection.embed(&rows, &Run::new().seed(3)).unwrap();
        let one = projection.embed(&turned.slice(s![5..6, ..]).to_owned(), &Run::new().seed(3).threads(2)).unwrap();
        assert_eq!(all.row(order[5]), one.row(0));
        assert_ne!(all, projection.embed(&rows, &Run::new().seed(4)).unwrap());
    }
}

#[test]
fn models_are_saved_and_read() {
    let (rows, run) = (leaning(60, 20, 0.0), Run::new());
    let white = Pca::new(3).whiten(true).fit(&rows, &run).unwrap();
    let read = PcaModel::from_json(&white.to_json().unwrap()).unwrap();
    assert_eq!(read, white);
    assert_eq!(read.transform(&rows, &run).unwrap(), white.transform(&rows, &run).unwrap());
    for projection in [RandomProjection::new(4), RandomProjection::new(4).density(0.3)] {
        let model = projection.fit(&rows, &run).unwrap();
        let read = RandomProjectionModel::from_json(&model.to_json().unwrap()).unwrap();
        assert_eq!(read.transform(&rows, &run).unwrap(), projection.embed(&rows, &run).unwrap());
        assert!(RandomProjectionModel::from_json(&white.to_json().unwrap()).is_err());
        assert!(matches!(read.transform(&leaning(5, 21, 0.0), &run), Err(Error::Shape { expected: 20, .. })));
    }
}

#[test]
fn random_matrices_have_the_moments_of_their_papers() {
    let (columns, k) = (400, 250);
    let rows = Array2::zeros((2, columns));
    // Share of entries that are not 0, and the fourth moment over the squared second: 3 if normal, 1 / density if sparse.
    let third = 1.0 / 3.0;
    for (projection, share, fourth) in [
        (RandomProjection::new(k), 1.0, 3.0),
        (RandomProjection::new(k).density(third), third, 3.0),
        (RandomProjection::new(k).density(1.0), 1.0, 1.0),
        (RandomProjection::new(k).sparse(), 0.05, 20.0),
    ] {
        let matrix = projection.fit(&rows, &Run::new().seed(1)).unwrap().matrix();
        assert_eq!(matrix.dim(), (columns, k));
        let n = (columns * k) as f64;
        let moment = |p: i32| matrix.iter().map(|x| x.powi(p)).sum::<f64>() / n;
        let found = matrix.iter().filter(|x| **x != 0.0).count() as f64 / n;
        assert!((found - share).abs() < 0.01, "{found} {share}");
        assert!(moment(1).abs() < 6.0 / (n * k as f64).sqrt());
        assert!((moment(2) * k as f64 - 1.0).abs() < 0.06, "{}", moment(2) * k as f64);
        assert!((moment(4) / moment(2).powi(2) / fourth - 1.0).abs() < 0.1, "{}", moment(4) / moment(2).powi(2));
        // Columns of the matrix lean on each other no more than chance has it.
        let (a, b) = (matrix.column(0), matrix.column(1));
        let cosine = a.dot(&b) / (a.dot(&a) * b.dot(&b)).sqrt();
        assert!(cosine.abs() < 0.25, "{cosine}");
    }
}

#[test]
fn distances_stay_within_what_the_theorem_allows() {
    for entry in fixture()["least_components"].as_array().unwrap() {
        let (rows, eps, theirs) = (entry[0].as_u64().unwrap(), entry[1].as_f64().unwrap(), entry[2].as_u64().unwrap());
        assert_eq!(RandomProjection::components_within(eps, rows as usize).unwrap() as u64, theirs + 1);
    }
    let rows = Array2::from_shape_fn((60, 2000), |(i, j)| noise(i * 2000 + j) as f32);
    let eps = 0.35;
    for projection in [RandomProjection::within(eps), RandomProjection::within(eps).sparse()] {
        let places = projection.embed(&rows, &Run::new()).unwrap();
        assert_eq!(places.ncols(), RandomProjection::components_within(eps, 60).unwrap());
        for i in 0..60 {
            for j in 0..i {
                let square = |t: &Array2<f32>| -> f64 {
                    t.row(i).iter().zip(t.row(j)).map(|(a, b)| f64::from(a - b).powi(2)).sum()
                };
                let ratio = square(&places) / square(&rows);
                assert!((ratio - 1.0).abs() < eps, "{ratio}");
            }
        }
    }
    assert_eq!(RandomProjection::components_within(0.5, 1).unwrap(), 1);
}

#[test]
fn wrong_settings_and_bad_tables_are_named() {
    let (rows, run) = (leaning(30, 8, 0.0), Run::new());
    let setting = |result: Result<Array2<f32>, Error>, expected: &str| match result {
        Err(Error::Setting { name, .. }) => assert_eq!(name, expected),
        other => panic!("{expected}: {other:?}"),
    };
    setting(RandomProjection::new(0).embed(&rows, &run), "n_components");
    setting(RandomProjection::new(usize::MAX).embed(&rows, &run), "n_components");
    setting(RandomProjection::new(4_000_000_000).embed(&Array2::zeros((3000, 8)), &run), "n_components");
    setting(RandomProjection::new(2).density(0.0).embed(&rows, &run), "density");
    setting(RandomProjection::new(2).density(f64::NAN).embed(&rows, &run), "density");
    setting(RandomProjection::within(1.0).embed(&rows, &run), "eps");
    setting(RandomProjection::within(f64::NAN).embed(&rows, &run), "eps");
    // More than the 8 columns would be needed.
    setting(RandomProjection::within(0.1).embed(&rows, &run), "eps");
    setting(Pca::new(2).solver(Solver::Randomized { power_iterations: 101 }).embed(&rows, &run), "power_iterations");
    let cancel = Cancel::default();
    cancel.cancel();
    let cancelled = Run::new().cancel(cancel);
    let mut bad = rows.clone();
    bad[[7, 3]] = f32::NEG_INFINITY;
    let embedders: [Box<dyn Embedder>; 4] = [
        Box::new(Identity),
        Box::new(RandomProjection::new(2)),
        Box::new(Pca::new(2).solver(Solver::Randomized { power_iterations: 2 })),
        Box::new(Scaled::new(Identity, Scaling::Standard)),
    ];
    for embedder in embedders {
        assert!(matches!(embedder.embed(&bad, &run), Err(Error::NotFinite { row: 7, column: 3, .. })));
        assert!(matches!(embedder.embed(&rows, &cancelled), Err(Error::Cancelled { .. })), "{}", embedder.name());
    }
    // Sums of the largest values leave f32.
    let huge = Array2::from_elem((3, 50), f32::MAX);
    assert!(matches!(RandomProjection::new(1).density(1.0).embed(&huge, &run), Ok(_) | Err(Error::Unsolved { .. })));
}

#[test]
fn identity_hands_rows_on() {
    let rows = leaning(30, 8, 0.0);
    assert_eq!(Identity.embed(&rows, &Run::new()).unwrap(), rows);
    assert_eq!(Identity.name(), "Identity");
    let scaled = Scaled::new(Identity, Scaling::Robust).embed(&rows, &Run::new()).unwrap();
    assert_eq!(scaled, Scaling::Robust.apply(&rows, &Run::new()).unwrap());
}
