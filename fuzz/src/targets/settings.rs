//! Arbitrary settings on a small table of arbitrary numbers. Only what means long work by right is bounded.

use super::{measured, unbroken};
use crate::bytes::Bytes;
use ndarray::Array2;
use recluster::boost::{self, Boost, Grow};
use recluster::cluster::{
    Agglomerative, Consensus, Covariance, Dbscan, GaussianMixture, Genie, Hdbscan, KMeans, Linkage, Selection,
};
use recluster::embed::{Densmap, Given, Identity, Init, Pca, RandomProjection, Scaled, Scaling, Solver, Target, Umap};
use recluster::evidence::{HeldOut, Policy};
use recluster::explain::{Fidelity, PermutationShap, Rules, Surrogate, TreeShap};
use recluster::neighbors::{Metric, Nearest, Search};
use recluster::recursive::{RecursiveTree, Repeats};
use recluster::{Clusterer, Embedder, Explainer, Run, Size};

/// Rounds, epochs and restarts.
const WORK: usize = 6;
/// Columns that an embedder makes, and clusters or components that a clusterer is asked for.
const WIDE: usize = 300;
const SEARCHES: [Search; 3] = [Search::Auto, Search::Exact, Search::Approximate];

pub fn settings(data: &[u8]) {
    measured(data, || {
        let mut bytes = Bytes::new(data);
        let run = Run::new().threads(1).seed(bytes.byte().into());
        match bytes.below(14) {
            0 | 1 => embedders(&mut bytes, &run),
            2 | 3 => hdbscan(&mut bytes, &run),
            4 => linkages(&mut bytes, &run),
            5 => centers(&mut bytes, &run),
            6..=8 => boosted(&mut bytes, &run),
            9 | 10 => trees(&mut bytes, &run),
            11 => rules(&mut bytes, &run),
            12 => explainers(&mut bytes, &run),
            _ => others(&mut bytes, &run),
        }
    });
}

pub(super) fn table(bytes: &mut Bytes) -> Array2<f32> {
    let (rows, columns) = (bytes.below(25), bytes.below(5));
    let tame = !bytes.byte().is_multiple_of(4);
    Array2::from_shape_simple_fn((rows, columns), || match bytes.value() {
        x if tame && (x.is_nan() || x.abs() >= 1e6) => 0.5,
        x => x,
    })
}

fn labels(bytes: &mut Bytes, rows: usize) -> Vec<i32> {
    let odd = bytes.byte();
    let rows = if odd == 1 { rows + 1 } else { rows };
    (0..rows).map(|_| if odd == 2 { bytes.count() as i32 } else { bytes.below(4) as i32 - 1 }).collect()
}

fn weights(bytes: &mut Bytes, rows: usize) -> Vec<f64> {
    let odd = bytes.byte().is_multiple_of(4);
    (0..rows).map(|_| if odd { bytes.real() } else { 0.5 + f64::from(bytes.byte()) }).collect()
}

fn size(bytes: &mut Bytes) -> Size {
    if bytes.flag() { Size::Count(bytes.count()) } else { Size::Share(bytes.real()) }
}

/// A setting that is left alone, or not.
fn maybe<S, T>(bytes: &mut Bytes, settings: S, value: impl FnOnce(&mut Bytes) -> T, set: impl FnOnce(S, T) -> S) -> S {
    if !bytes.byte().is_multiple_of(3) {
        return settings;
    }
    let value = value(bytes);
    set(settings, value)
}

pub(super) fn a_umap(bytes: &mut Bytes) -> Umap {
    let mut umap = Umap::new().n_epochs(bytes.few(WORK));
    umap = maybe(bytes, umap, Bytes::count, Umap::n_neighbors);
    umap = maybe(bytes, umap, |bytes| bytes.few(WIDE), Umap::n_components);
    umap = maybe(bytes, umap, Bytes::real, Umap::min_dist);
    umap = maybe(bytes, umap, Bytes::real, Umap::spread);
    umap = maybe(bytes, umap, |bytes| bytes.pick(&Metric::ALL), Umap::metric);
    umap = maybe(bytes, umap, Bytes::real, Umap::learning_rate);
    umap = maybe(bytes, umap, Bytes::real, Umap::repulsion_strength);
    umap = maybe(bytes, umap, |bytes| bytes.few(WORK), Umap::negative_sample_rate);
    umap = maybe(bytes, umap, Bytes::real, Umap::set_op_mix_ratio);
    umap = maybe(bytes, umap, Bytes::real, Umap::local_connectivity);
    umap = maybe(bytes, umap, Bytes::real, Umap::disconnection_distance);
    umap = maybe(bytes, umap, |bytes| bytes.pick(&[Init::Spectral, Init::Pca, Init::Random]), Umap::init);
    umap = maybe(bytes, umap, |bytes| bytes.pick(&SEARCHES), Umap::search);
    let dens = |bytes: &mut Bytes| Densmap::new().lambda(bytes.real()).frac(bytes.real()).var_shift(bytes.real());
    maybe(bytes, umap, dens, Umap::densmap)
}

fn embedders(bytes: &mut Bytes, run: &Run) {
    let rows = table(bytes);
    match bytes.below(6) {
        0..=2 => {
            let umap = a_umap(bytes);
            let fitted = match bytes.below(3) {
                0 => umap.fit(&rows, run),
                1 => {
                    let target = Target::classes(&labels(bytes, rows.nrows())).weight(bytes.real());
                    let target = target.n_neighbors(bytes.count());
                    umap.fit_given(&rows, &Given::new().target(&target), run)
                }
                _ => {
                    let start = table(bytes);
                    umap.fit_given(&rows, &Given::new().start(&start), run)
                }
            };
            if let Ok(model) = fitted {
                assert!(model.embedding().iter().all(|x| x.is_finite()), "an embedding that is not finite");
                let new = table(bytes);
                if let Ok(placed) = model.transform(&new, run) {
                    assert!(placed.iter().all(|x| x.is_finite()), "new rows at places that are not finite");
                    let _ = model.inverse_transform(&placed, run);
                }
                let _ = model.log_radii(run);
            }
        }
        3 => {
            let solver = match bytes.below(3) {
                0 => Solver::Auto,
                1 => Solver::Exact,
                _ => Solver::Randomized { power_iterations: bytes.few(WORK) },
            };
            let pca = Pca::new(bytes.count()).whiten(bytes.flag()).solver(solver);
            if let Ok(model) = pca.fit(&rows, run) {
                // Scores beyond 32 bits are an error.
                if let Ok(placed) = model.transform(&rows, run) {
                    assert!(placed.iter().all(|x| x.is_finite()), "a score that is not finite");
                }
                let _ = model.transform(&table(bytes), run);
            }
        }
        4 => {
            let projection = match bytes.below(3) {
                0 => RandomProjection::new(bytes.few(WIDE)),
                1 => RandomProjection::new(bytes.few(WIDE)).density(bytes.real()),
                // As many columns as an eps asks for; one near 0 asks for many.
                _ => RandomProjection::within(bytes.real().max(0.05)).sparse(),
            };
            let _ = projection.fit(&rows, run).and_then(|model| model.transform(&rows, run));
        }
        _ => {
            let scaling = bytes.pick(&[Scaling::None, Scaling::Standard, Scaling::Robust]);
            let _ = scaling.apply(&rows, run);
            let _ = Scaled::new(Pca::new(2), scaling).embed(&rows, run);
        }
    }
}

pub(super) fn a_hdbscan(bytes: &mut Bytes) -> Hdbscan {
    let mut hdbscan = Hdbscan::new();
    hdbscan = maybe(bytes, hdbscan, size, Hdbscan::min_cluster_size);
    hdbscan = maybe(bytes, hdbscan, Bytes::count, Hdbscan::min_samples);
    hdbscan = maybe(bytes, hdbscan, Bytes::flag, Hdbscan::count_self);
    hdbscan = maybe(bytes, hdbscan, |bytes| bytes.pick(&[Selection::Eom, Selection::Leaf]), Hdbscan::selection);
    hdbscan = maybe(bytes, hdbscan, Bytes::real, Hdbscan::epsilon);
    hdbscan = maybe(bytes, hdbscan, Bytes::flag, Hdbscan::allow_single_cluster);
    hdbscan = maybe(bytes, hdbscan, Bytes::real, Hdbscan::single_cluster_weight);
    hdbscan = maybe(bytes, hdbscan, size, Hdbscan::max_cluster_size);
    hdbscan = maybe(bytes, hdbscan, Bytes::real, Hdbscan::min_persistence);
    maybe(bytes, hdbscan, |bytes| bytes.pick(&Metric::ALL), Hdbscan::metric)
}

fn hdbscan(bytes: &mut Bytes, run: &Run) {
    let rows = table(bytes);
    let settings = a_hdbscan(bytes);
    let fitted = match bytes.below(4) {
        0 => settings.fit_weighted(&rows, &weights(bytes, rows.nrows()), run),
        1 => {
            let own: Vec<f64> = (0..64).map(|_| bytes.real().abs()).collect();
            let n = rows.nrows();
            let distances = Array2::from_shape_fn((n, n), |(i, j)| match i.cmp(&j) {
                std::cmp::Ordering::Equal => 0.0,
                _ => own[(i.min(j) * 7 + i.max(j)) % own.len()],
            });
            settings.fit_distances(&distances, run)
        }
        _ => settings.fit(&rows, run),
    };
    let Ok(model) = fitted else { return };
    assert_eq!(model.labels().len(), rows.nrows());
    assert!(model.membership().iter().all(|x| (0.0..=1.0).contains(x)), "a membership that is no share");
    let _ = (model.exemplars(), model.relative_validity(), model.stability(), model.layers(), model.tree_text(9));
    let _ = model.clustering().expect("labels that are no clustering");
    let _ = model.recut(&a_hdbscan(bytes));
    let _ = (model.medoids(&rows), model.memberships(&rows, run), model.top_memberships(&rows, bytes.count(), run));
    let _ = model.predict(&rows, &table(bytes), run);
    let _ = (
        Genie::new(bytes.count()).fit_model(&model, &rows, run),
        Dbscan::new(bytes.real()).fit_model(&model, &rows, run),
    );
}

fn linkages(bytes: &mut Bytes, run: &Run) {
    let rows = table(bytes);
    let metric = bytes.pick(&Metric::ALL);
    match bytes.below(3) {
        0 => {
            let mut genie = Genie::new(bytes.count()).noise(bytes.flag()).metric(metric);
            genie = maybe(bytes, genie, Bytes::real, Genie::gini_threshold);
            genie = maybe(bytes, genie, Bytes::count, Genie::min_samples);
            if let Ok(model) = genie.fit(&rows, run) {
                assert_eq!(model.labels().len(), rows.nrows());
                let _ = (model.cut(bytes.count()), model.dendrogram().cut_at(bytes.real()));
                let _ = model.predict(&rows, &table(bytes), run);
            }
        }
        1 => {
            let linkage = bytes.pick(&[Linkage::Ward, Linkage::Average, Linkage::Complete, Linkage::Single]);
            let settings =
                if bytes.flag() { Agglomerative::at_distance(bytes.real()) } else { Agglomerative::new(bytes.count()) };
            let settings = settings.linkage(linkage);
            let settings = maybe(bytes, settings, |_| metric, Agglomerative::metric);
            if let Ok(model) = settings.fit(&rows, run) {
                assert_eq!(model.labels().len(), rows.nrows());
                let _ = (model.dendrogram().cut(bytes.count()), model.dendrogram().cut_at(bytes.real()));
                let _ = model.predict(&rows, &table(bytes), run);
            }
        }
        _ => {
            let dbscan = Dbscan::new(bytes.real()).min_samples(bytes.count()).metric(metric);
            if let Ok(model) = dbscan.fit(&rows, run) {
                assert_eq!(model.labels().len(), rows.nrows());
                let _ = model.predict(&rows, &table(bytes), run);
            }
        }
    }
}

/// Few clusters, or absurdly many: hundreds of thousands of centres are work that was asked for.
fn clusters(bytes: &mut Bytes) -> usize {
    match bytes.count() {
        many if (WIDE..1 << 32).contains(&many) => WIDE,
        other => other,
    }
}

fn centers(bytes: &mut Bytes, run: &Run) {
    let rows = table(bytes);
    let start = |bytes: &mut Bytes| table(bytes).mapv(f64::from);
    if bytes.flag() {
        let mut means = KMeans::new(clusters(bytes)).restarts(bytes.few(3));
        means = maybe(bytes, means, |bytes| bytes.few(WORK), KMeans::max_iter);
        means = maybe(bytes, means, Bytes::real, KMeans::tol);
        means = maybe(bytes, means, start, KMeans::start);
        means = maybe(bytes, means, Bytes::count, KMeans::mini_batch);
        if let Ok(model) = means.fit(&rows, run) {
            assert!(model.centers().iter().all(|x| x.is_finite()), "a centre that is not finite");
            let _ = model.predict(&table(bytes));
        }
        return;
    }
    let kinds = [Covariance::Full, Covariance::Tied, Covariance::Diagonal, Covariance::Spherical];
    let mixture = if bytes.flag() {
        GaussianMixture::new(clusters(bytes))
    } else {
        let from = bytes.few(5);
        GaussianMixture::choose(from..=bytes.few(8))
    };
    let mut mixture = mixture.covariance(bytes.pick(&kinds)).restarts(bytes.few(3));
    mixture = maybe(bytes, mixture, |bytes| bytes.few(WORK), GaussianMixture::max_iter);
    mixture = maybe(bytes, mixture, |_| (), |mixture, ()| mixture.start_plus_plus());
    mixture = maybe(bytes, mixture, Bytes::real, GaussianMixture::tol);
    mixture = maybe(bytes, mixture, Bytes::real, GaussianMixture::reg_covar);
    mixture = maybe(bytes, mixture, start, GaussianMixture::start_means);
    if let Ok(model) = mixture.fit(&rows, run) {
        assert_eq!(model.labels().len(), rows.nrows());
        assert!(model.membership().iter().all(|x| (0.0..=1.0).contains(x)), "a membership that is no share");
        let _ = (model.sample(3, run), model.score_samples(&rows, run), model.predict_proba(&table(bytes), run));
    }
}

pub(super) fn a_boost(bytes: &mut Bytes) -> Boost {
    let mut boost = Boost::new().rounds(bytes.few(WORK));
    boost = maybe(bytes, boost, Bytes::real, Boost::learning_rate);
    boost = maybe(bytes, boost, Bytes::count, Boost::max_depth);
    boost = maybe(bytes, boost, Bytes::count, Boost::max_bins);
    boost = maybe(bytes, boost, Bytes::real, Boost::lambda);
    boost = maybe(bytes, boost, Bytes::real, Boost::alpha);
    boost = maybe(bytes, boost, Bytes::real, Boost::gamma);
    boost = maybe(bytes, boost, Bytes::real, Boost::min_child_weight);
    boost = maybe(bytes, boost, Bytes::real, Boost::subsample);
    boost = maybe(bytes, boost, Bytes::real, Boost::colsample_bytree);
    boost = maybe(bytes, boost, Bytes::real, Boost::colsample_bylevel);
    boost = maybe(bytes, boost, Bytes::real, Boost::colsample_bynode);
    boost = maybe(bytes, boost, Bytes::real, Boost::scale_pos_weight);
    boost = maybe(bytes, boost, Bytes::real, Boost::base_score);
    boost = maybe(bytes, boost, Bytes::flag, Boost::balanced);
    boost = maybe(bytes, boost, Bytes::count, Boost::max_leaves);
    boost = maybe(bytes, boost, |bytes| bytes.pick(&[Grow::ByLevel, Grow::ByLoss]), Boost::grow);
    let directions = |bytes: &mut Bytes| [bytes.byte() as i8 % 3, bytes.byte() as i8 % 2, 1, 0, 0];
    boost = maybe(bytes, boost, directions, |boost, own| boost.monotone(&own[..4]));
    boost = maybe(bytes, boost, |bytes| [bytes.below(5), bytes.below(5)], |boost, own| boost.categorical(&own));
    boost = maybe(bytes, boost, Bytes::count, Boost::max_cat_to_onehot);
    boost = maybe(bytes, boost, Bytes::count, Boost::max_cat_threshold);
    boost = maybe(bytes, boost, Bytes::count, Boost::early_stopping);
    let metrics = [boost::EvalMetric::Loss, boost::EvalMetric::Auc];
    boost = maybe(bytes, boost, |bytes| bytes.pick(&metrics), Boost::metric);
    boost = maybe(bytes, boost, Bytes::real, Boost::held_out);
    boost = maybe(bytes, boost, Bytes::flag, Boost::calibrated);
    boost = maybe(bytes, boost, Bytes::real, Boost::shuffled_rows);
    maybe(bytes, boost, Bytes::real, Boost::guard_rows)
}

fn boosted(bytes: &mut Bytes, run: &Run) {
    let rows = table(bytes);
    let boost = a_boost(bytes);
    let classes = labels(bytes, rows.nrows());
    let narrow: Vec<f32> = weights(bytes, rows.nrows()).iter().map(|&x| x as f32).collect();
    let fitted = match bytes.below(6) {
        0 => boost.fit_weighted(&rows, &classes, &narrow, run),
        1 => boost.fit_regression(&rows, &narrow, run),
        2 => boost.fit_out_of_fold(&rows, &classes, None, run).map(|(model, _)| model),
        3 => {
            let some: Vec<u32> = (0..bytes.below(30)).map(|_| bytes.below(26) as u32).collect();
            boost.bins(&rows, run).and_then(|bins| boost.fit_binned(&bins, &some, &classes, None, run))
        }
        4 => {
            let names = (0..bytes.below(5)).map(|i| format!("0.{i}")).collect();
            Surrogate::fit(&rows, &classes, names, &boost, run).map(|surrogate| surrogate.model().clone())
        }
        _ => boost.fit(&rows, &classes, run),
    };
    let Ok(model) = fitted else { return };
    if let Ok(found) = model.margins(&rows, run) {
        assert!(found.iter().all(|x| x.is_finite()), "a margin that is not finite");
    }
    let shap = TreeShap::new(&model);
    if let Ok(why) = shap.explain(&rows, run) {
        assert!(why.values().iter().all(|x| x.is_finite()), "an attribution that is not finite");
    }
    let _ = (shap.interactions(&rows, run), model.to_xgboost_json(0), model.distribution(&rows, run));
}

fn trees(bytes: &mut Bytes, run: &Run) {
    let rows = table(bytes);
    let (umap, hdbscan) = (a_umap(bytes), a_hdbscan(bytes));
    let plain = bytes.flag();
    match (plain, bytes.flag()) {
        (true, true) => grow(bytes, Identity, KMeans::new(2).restarts(1), &rows, run),
        (true, false) => grow(bytes, Identity, hdbscan, &rows, run),
        (false, true) => grow(bytes, umap, KMeans::new(3).restarts(1), &rows, run),
        (false, false) => grow(bytes, umap, hdbscan, &rows, run),
    }
}

fn repeats(bytes: &mut Bytes) -> Repeats {
    let mut repeats = Repeats::new(bytes.few(3));
    repeats = maybe(bytes, repeats, Bytes::real, Repeats::share);
    maybe(bytes, repeats, Bytes::count, Repeats::most_rows)
}

fn grow<E: Embedder + 'static, C: Clusterer + 'static>(
    bytes: &mut Bytes,
    embedder: E,
    clusterer: C,
    rows: &Array2<f32>,
    run: &Run,
) {
    let mut tree = RecursiveTree::new(embedder, clusterer);
    tree = maybe(bytes, tree, Bytes::count, RecursiveTree::levels);
    tree = maybe(bytes, tree, size, RecursiveTree::min_size);
    tree = maybe(bytes, tree, size, RecursiveTree::min_size_of_parent);
    tree = maybe(bytes, tree, Bytes::count, RecursiveTree::min_rows);
    tree = maybe(bytes, tree, Bytes::flag, RecursiveTree::noise_again);
    tree = maybe(bytes, tree, repeats, RecursiveTree::consensus);
    tree = maybe(bytes, tree, repeats, RecursiveTree::stability);
    let judge =
        |bytes: &mut Bytes| HeldOut::new().alpha(bytes.real()).policy(bytes.pick(&[Policy::Require, Policy::Mark]));
    tree = maybe(bytes, tree, judge, RecursiveTree::judge);
    let fitted = if bytes.byte().is_multiple_of(4) {
        tree.fit_weighted(rows, &weights(bytes, rows.nrows()), run)
    } else {
        tree.fit(rows, run)
    };
    let Ok(tree) = unbroken(fitted) else { return };
    assert_eq!(tree.root().rows().len(), rows.nrows());
    assert_eq!(tree.paths().len(), rows.nrows());
    if let Ok(surrogate) = tree.surrogate(rows, &a_boost(bytes), run) {
        let _ = surrogate.assign(rows, run);
    }
}

fn rules(bytes: &mut Bytes, run: &Run) {
    let rows = table(bytes);
    let classes = labels(bytes, rows.nrows());
    let mut rules = Rules::new().resamples(bytes.few(WORK));
    rules = maybe(bytes, rules, Bytes::count, Rules::max_conditions);
    rules = maybe(bytes, rules, Bytes::count, Rules::max_rules);
    rules = maybe(bytes, rules, Bytes::real, Rules::coverage);
    rules = maybe(bytes, rules, Bytes::count, Rules::quantiles);
    rules = maybe(bytes, rules, Bytes::count, Rules::max_rows);
    rules = maybe(bytes, rules, Bytes::count, Rules::columns);
    let own = weights(bytes, rows.nrows());
    let weights = bytes.flag().then_some(&own[..]);
    let names: Vec<String> = (0..bytes.below(5)).map(|_| bytes.word()).collect();
    let _ = rules.find(&rows, &classes, &names, weights, run);
    let _ = Fidelity::cross_fitted(&rows, &classes, &names, weights, &Boost::new().rounds(2), run);
}

fn explainers(bytes: &mut Bytes, run: &Run) {
    let (rows, background) = (table(bytes), table(bytes));
    let kind = bytes.byte();
    let model = |rows: &ndarray::ArrayRef2<f32>| {
        let columns = usize::from(kind % 4);
        Ok(Array2::from_shape_fn((rows.nrows(), columns), |(i, j)| {
            rows.row(i).iter().map(|&x| if x.is_nan() { 1.0 } else { f64::from(x) }).sum::<f64>() + j as f64
        }))
    };
    let mut shap = PermutationShap::new(model, &background).permutations(bytes.few(WORK));
    shap = maybe(bytes, shap, Bytes::count, PermutationShap::exact_features);
    let _ = shap.explain(&rows, run);
}

fn others(bytes: &mut Bytes, run: &Run) {
    let rows = table(bytes);
    match bytes.below(3) {
        0 => {
            let nearest = Nearest::new(bytes.count()).metric(bytes.pick(&Metric::ALL)).search(bytes.pick(&SEARCHES));
            let _ = nearest.find(&rows, run);
        }
        1 => {
            let n = bytes.below(20);
            let runs: Vec<Vec<i32>> = (0..bytes.below(4)).map(|_| labels(bytes, n)).collect();
            let _ = Consensus::new().threshold(bytes.real()).least_share(bytes.real()).of(&runs);
        }
        _ => {
            let classes = labels(bytes, rows.nrows());
            let _ = recluster::validity::dbcv(&rows, &classes, run);
            let _ = recluster::validity::trustworthiness(&rows, &table(bytes), bytes.count(), run);
            let other = labels(bytes, rows.nrows());
            let _ = (
                recluster::validity::adjusted_rand(&classes, &other),
                recluster::validity::adjusted_mutual_information(&classes, &other),
            );
        }
    }
}
