//! k-means and Gaussian mixtures against scikit-learn from the same starts, and the mixture's promises.

use ndarray::{Array2, Axis};
use proptest::prelude::*;
use recluster::cluster::{Covariance, GaussianMixture, GaussianMixtureModel, KMeans};
use recluster::validity::adjusted_rand;
use recluster::{Clusterer, Error, Event, Run, Saved};
use serde_json::Value;
use std::sync::{Arc, LazyLock, Mutex};

const KINDS: [(&str, Covariance); 4] = [
    ("full", Covariance::Full),
    ("tied", Covariance::Tied),
    ("diag", Covariance::Diagonal),
    ("spherical", Covariance::Spherical),
];

static CASES: LazyLock<Vec<Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../fixtures/clusterers_centers.json")).unwrap());

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn table(case: &Value, name: &str) -> Array2<f32> {
    let columns = case["columns"].as_u64().unwrap() as usize;
    let all: Vec<f32> = numbers(&case[name]).into_iter().map(|x| x as f32).collect();
    Array2::from_shape_vec((all.len() / columns, columns), all).unwrap()
}

fn labels(value: &Value) -> Vec<i32> {
    numbers(value).into_iter().map(|x| x as i32).collect()
}

fn close(ours: f64, theirs: f64, to: f64, what: &str) {
    assert!((ours - theirs).abs() <= to * theirs.abs().max(1e-3), "{what}: {ours}, scikit-learn {theirs}");
}

#[test]
fn k_means_gives_scikit_learns_clusters_from_the_same_start() {
    for case in CASES.iter() {
        let (rows, start, theirs) = (table(case, "rows"), table(case, "start"), &case["kmeans"]);
        let settings = KMeans::new(start.nrows()).start(start.mapv(f64::from));
        let model = settings.fit(&rows, &Run::new()).unwrap();
        let name = case["name"].as_str().unwrap();
        close(model.inertia(), theirs["inertia"].as_f64().unwrap(), 1e-9, name);
        assert_eq!(adjusted_rand(model.labels(), &labels(&theirs["labels"])).unwrap(), 1.0, "{name}");
        assert!(model.converged());
    }
}

#[test]
fn mixtures_give_scikit_learns_likelihoods_from_the_same_start() {
    let run = Run::new();
    for case in CASES.iter() {
        let (rows, start, new) = (table(case, "rows"), table(case, "start"), table(case, "new"));
        let k = start.nrows();
        for theirs in case["mixtures"].as_array().unwrap() {
            let kind = KINDS.iter().find(|kind| kind.0 == theirs["kind"].as_str().unwrap()).unwrap().1;
            let what = format!("{} {kind:?}", case["name"].as_str().unwrap());
            let settings = GaussianMixture::new(k).covariance(kind).start_means(start.mapv(f64::from));
            let model = settings.fit(&rows, &run).unwrap();
            close(model.score(), theirs["score"].as_f64().unwrap(), 1e-6, &what);
            close(model.bic(), theirs["bic"].as_f64().unwrap(), 1e-6, &what);
            close(model.aic(), theirs["aic"].as_f64().unwrap(), 1e-6, &what);
            assert_eq!(model.rounds() as u64, theirs["rounds"].as_u64().unwrap(), "{what}");
            assert_eq!(model.converged(), theirs["converged"].as_bool().unwrap(), "{what}");
            assert!(adjusted_rand(model.labels(), &labels(&theirs["labels"])).unwrap() >= 0.999, "{what}");
            for (ours, theirs) in model.score_samples(&new, &run).unwrap().iter().zip(numbers(&theirs["new_density"])) {
                close(*ours, theirs, 1e-5, &what);
            }
            // Theirs are numbered by the start, ours by weight.
            let (weights, shares) = (numbers(&theirs["weights"]), numbers(&theirs["new_shares"]));
            let means = numbers(&theirs["means"]);
            let columns = rows.ncols();
            let ours = model.predict_proba(&new, &run).unwrap();
            for c in 0..k {
                let apart = |t: usize| -> f64 {
                    (0..columns).map(|j| (model.means()[[c, j]] - means[t * columns + j]).powi(2)).sum()
                };
                let t = (0..k).min_by(|&a, &b| apart(a).total_cmp(&apart(b))).unwrap();
                close(model.weights()[c], weights[t], 1e-5, &what);
                let covariance = model.covariance(c).unwrap();
                let all = numbers(&theirs["covariances"]);
                for i in 0..columns {
                    for j in 0..columns {
                        let expected = match kind {
                            Covariance::Full => all[(t * columns + i) * columns + j],
                            Covariance::Tied => all[i * columns + j],
                            Covariance::Diagonal => f64::from(u8::from(i == j)) * all[t * columns + i],
                            _ => f64::from(u8::from(i == j)) * all[t],
                        };
                        assert!((covariance[[i, j]] - expected).abs() < 1e-5 * (1.0 + expected.abs()), "{what}");
                    }
                }
                for row in 0..new.nrows() {
                    assert!((ours[[row, c]] - shares[row * k + t]).abs() < 1e-5, "{what}");
                }
            }
        }
    }
}

fn uniform(i: usize) -> f64 {
    let mut x = (i as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x >> 11) as f64 / (1u64 << 53) as f64
}

#[test]
fn bic_chooses_what_was_drawn_and_draws_follow_the_model() {
    let run = Run::new().seed(3);
    let rows = Array2::from_shape_fn((600, 2), |(i, j)| {
        let noise: f64 = (0..12).map(|k| uniform((i * 2 + j) * 12 + k) - 0.5).sum();
        (noise + [[0.0, 0.0], [12.0, 0.0], [0.0, 12.0]][i % 3][j]) as f32
    });
    let model = GaussianMixture::choose(1..=6).restarts(2).fit(&rows, &run).unwrap();
    assert_eq!((model.components(), model.bic_of().len()), (3, 6));
    let best = model.bic_of().iter().map(|x| x.1).fold(f64::INFINITY, f64::min);
    assert_eq!(best, model.bic());
    for (_, kind) in KINDS {
        let model = GaussianMixture::new(3).covariance(kind).fit(&rows, &run).unwrap();
        let (drawn, from) = model.sample(30_000, &run).unwrap();
        assert_eq!(model.sample(10, &run).unwrap().0, drawn.slice(ndarray::s![..10, ..]));
        for c in 0..3 {
            let own: Vec<usize> = (0..drawn.nrows()).filter(|&i| from[i] == c as i32).collect();
            assert!((own.len() as f64 / 30_000.0 - model.weights()[c]).abs() < 0.02);
            let sum = |j: usize| own.iter().map(|&i| f64::from(drawn[[i, j]])).sum::<f64>();
            let mean = [0, 1].map(|j| sum(j) / own.len() as f64);
            let covariance = model.covariance(c).unwrap();
            for i in 0..2 {
                assert!((mean[i] - model.means()[[c, i]]).abs() < 0.1);
                for j in 0..2 {
                    let product =
                        |&row: &usize| (f64::from(drawn[[row, i]]) - mean[i]) * (f64::from(drawn[[row, j]]) - mean[j]);
                    let found = own.iter().map(product).sum::<f64>() / own.len() as f64;
                    assert!((found - covariance[[i, j]]).abs() < 0.1, "{kind:?} {found} {}", covariance[[i, j]]);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn neither_row_order_nor_threads_nor_company_change_a_bit(
        cells in prop::collection::vec((-40i32..40, -9i32..9, 0i32..2), 6..400),
        k in 1usize..4,
        kind in 0usize..4,
    ) {
        let rows = Array2::from_shape_fn((cells.len(), 3), |(i, j)| match j {
            0 => cells[i].0 as f32,
            1 => cells[i].1 as f32 * 0.3,
            _ => cells[i].2 as f32,
        });
        let settings = GaussianMixture::new(k).covariance(KINDS[kind].1).max_iter(20);
        let mut order: Vec<usize> = (0..cells.len()).collect();
        order.sort_by_key(|&i| (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23));
        let run = Run::new().threads(1);
        let one = settings.fit(&rows, &run);
        let other = settings.fit(&rows.select(Axis(0), &order), &Run::new().threads(3));
        let (Ok(one), Ok(other)) = (one, other) else { return Ok(()) };
        prop_assert_eq!(one.score().to_bits(), other.score().to_bits());
        prop_assert_eq!(one.means(), other.means());
        for (i, &j) in order.iter().enumerate() {
            prop_assert_eq!(other.labels()[i], one.labels()[j]);
            prop_assert_eq!(other.membership()[i].to_bits(), one.membership()[j].to_bits());
        }
        prop_assert_eq!(one.predict(&rows, &run).unwrap(), one.labels());
        let together = one.score_samples(&rows, &run).unwrap();
        let alone = one.score_samples(&rows.slice(ndarray::s![2..3, ..]), &run).unwrap();
        prop_assert_eq!(alone[0].to_bits(), together[2].to_bits());
        prop_assert!(one.weights().iter().chain(one.means().iter()).all(|x| x.is_finite()) && one.score().is_finite());
        let sums = one.predict_proba(&rows, &run).unwrap().sum_axis(Axis(1));
        prop_assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-12));
    }
}

#[test]
fn awkward_rows_and_settings_are_answered() {
    let told = Arc::new(Mutex::new(Vec::new()));
    struct Notes(Arc<Mutex<Vec<String>>>);
    impl recluster::Observer for Notes {
        fn event(&self, event: &Event<'_>) {
            if let Event::Note { text, .. } = event {
                self.0.lock().unwrap().push(text.to_string());
            }
        }
    }
    let run = Run::new().observer(Notes(told.clone()));
    let tables = [
        Array2::from_elem((1, 3), 2.0),
        Array2::from_elem((9, 2), 1.0),
        Array2::from_shape_fn((8, 2), |(i, _)| if i % 2 == 0 { f32::MAX } else { -f32::MAX }),
        Array2::from_shape_fn((40, 30), |(i, j)| ((i * 7 + j * 3) % 11) as f32 * 1e-30),
        Array2::from_shape_fn((12, 40), |(i, j)| ((i * i * 7 + j * 3 * i) % 11) as f32 * 1e12),
        Array2::from_shape_fn((50, 2), |(i, j)| if j == 0 { i as f32 } else { 3.0 }),
    ];
    for rows in &tables {
        for (_, kind) in KINDS {
            for k in [1, 2, 5] {
                for floor in [0.0, 1e-6] {
                    let settings = GaussianMixture::new(k).covariance(kind).reg_covar(floor);
                    match settings.fit(rows, &run) {
                        Ok(model) => {
                            assert!(model.score().is_finite() && model.bic().is_finite(), "{settings:?} {rows:?}");
                            assert_eq!(settings.cluster(rows, &run).unwrap().labels().len(), rows.nrows());
                            assert!(model.sample(3, &run).unwrap().0.iter().all(|x| !x.is_nan()));
                        }
                        Err(Error::TooFewRows { .. }) => assert!(k > 1),
                        Err(e) => panic!("{settings:?}: {e}"),
                    }
                }
            }
        }
    }
    assert!(told.lock().unwrap().iter().any(|note| note.contains("collapsed")));
    told.lock().unwrap().clear();
    let rows = table(&CASES[3], "rows");
    assert!(!GaussianMixture::new(4).max_iter(2).tol(0.0).fit(&rows, &run).unwrap().converged());
    assert!(told.lock().unwrap()[0].contains("did not converge"));
    let name = |settings: GaussianMixture| match settings.fit(&rows, &run) {
        Err(Error::Setting { name, .. }) => name,
        other => panic!("{other:?}"),
    };
    assert_eq!(name(GaussianMixture::new(0)), "components");
    #[allow(clippy::reversed_empty_ranges)]
    let empty = GaussianMixture::choose(3..=2);
    assert_eq!(name(empty), "components");
    assert_eq!(name(GaussianMixture::new(2).restarts(0)), "restarts");
    assert_eq!(name(GaussianMixture::new(2).max_iter(0)), "max_iter");
    assert_eq!(name(GaussianMixture::new(2).tol(f64::NAN)), "tol");
    assert_eq!(name(GaussianMixture::new(2).reg_covar(-1.0)), "reg_covar");
    assert_eq!(name(GaussianMixture::new(1).start_means(Array2::from_elem((1, 3), f64::NAN))), "start_means");
    let given = GaussianMixture::new(2).start_means(Array2::zeros((3, 3)));
    assert!(matches!(given.fit(&rows, &run), Err(Error::Shape { .. })));
    let mut bad = rows.clone();
    bad[[3, 1]] = f32::NEG_INFINITY;
    assert!(matches!(GaussianMixture::new(2).fit(&bad, &run), Err(Error::NotFinite { row: 3, column: 1, .. })));
    let cancel = recluster::Cancel::default();
    cancel.cancel();
    let cancelled = GaussianMixture::new(2).fit(&rows, &Run::new().cancel(cancel));
    assert!(matches!(cancelled, Err(Error::Cancelled { .. })));
}

#[test]
fn models_are_saved_and_damage_is_seen() {
    let (rows, run) = (table(&CASES[0], "rows"), Run::new());
    for (_, kind) in KINDS {
        for settings in [GaussianMixture::new(3), GaussianMixture::new(3).start_plus_plus()] {
            let model = settings.covariance(kind).fit(&rows, &run).unwrap();
            let text = model.to_json().unwrap();
            let again = GaussianMixtureModel::from_json(&text).unwrap();
            assert_eq!(again, model);
            assert_eq!(again.predict(&rows, &run).unwrap(), model.labels());
            let damaged = GaussianMixtureModel::from_json(&text.replacen("\"means\":[", "\"means\":[0.5,", 1));
            assert!(matches!(damaged, Err(Error::Format { reason, .. }) if reason.contains("means")));
        }
    }
    let model = GaussianMixture::new(3).fit(&rows, &run).unwrap();
    assert!(matches!(model.predict(&Array2::zeros((2, 3)), &run), Err(Error::Shape { .. })));
}
