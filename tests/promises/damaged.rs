//! Damaged and made-up files: each field of every saved thing is cut, emptied, doubled, negated, made huge or taken away.
//! Loading must refuse the file, or the loaded thing must answer (with a result or an error) without a panic.

use ndarray::Array2;
use recluster::boost::{Boost, BoostModel, Importance};
use recluster::cluster::{
    Agglomerative, AgglomerativeModel, Covariance, Dbscan, DbscanModel, GaussianMixture, GaussianMixtureModel, Genie,
    GenieModel, Hdbscan, HdbscanModel, KMeans, KMeansModel, Linkage,
};
use recluster::embed::{Identity, Pca, PcaModel, RandomProjection, RandomProjectionModel, Umap};
use recluster::explain::{Abstain, DriftWatch, Predictor, Surrogate, TreeShap};
use recluster::neighbors::Search;
use recluster::recursive::{ClusterTree, RecursiveTree};
use recluster::report::Report;
use recluster::table::{Amendment, Column, Cycle, Kind, Schema, Table, Values};
use recluster::{Error, Explainer, Result, Run, Saved};
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Three groups of twelve rows, some of them equal.
fn rows() -> Array2<f32> {
    Array2::from_shape_fn((36, 3), |(i, j)| (i % 3 * 40) as f32 + ((i / 3 * 7 + j * 5) % 11) as f32)
}

fn labels() -> Vec<i32> {
    (0..36).map(|i| i % 3).collect()
}

/// Places of a JSON value that stand for all: of long arrays the first two, one in the middle and the last.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_string());
    match value {
        Value::Array(all) => {
            let n = all.len();
            let mut picked = vec![0, 1, n / 2, n.saturating_sub(1)];
            picked.retain(|&i| i < n);
            picked.dedup();
            picked.iter().for_each(|&i| places(&all[i], &format!("{at}/{i}"), found));
        }
        Value::Object(all) => all.iter().for_each(|(key, value)| places(value, &format!("{at}/{key}"), found)),
        _ => {}
    }
}

/// What may become of a value, and whether its length is another.
fn damages(value: &Value) -> Vec<(Value, bool)> {
    let same = |values: &[Value]| values.iter().map(|value| (value.clone(), false)).collect::<Vec<_>>();
    match value {
        Value::Number(number) => {
            let x = number.as_f64().unwrap_or(0.0);
            let mut all = vec![
                json!(-x),
                json!(2.0 * x),
                json!(x + 0.25),
                json!(1e39),
                json!(1e308),
                json!(-1e308),
                json!(1e-310),
            ];
            if let Some(n) = number.as_i64() {
                all.extend([json!(-n), json!(n.wrapping_mul(2)), json!(n.wrapping_add(1)), json!(n.wrapping_sub(1))]);
            }
            all.extend([
                json!(0),
                json!(1),
                json!(i32::MAX),
                json!(u32::MAX),
                json!(i64::MAX),
                json!(u64::MAX),
                json!(1u64 << 40),
            ]);
            all.extend([json!(i64::MIN), Value::Null, json!("7"), json!([]), json!(true)]);
            same(&all)
        }
        Value::Array(all) => {
            let first = all.first().cloned().unwrap_or(json!(0));
            let mut found = same(&[Value::Null, json!({}), json!(3), json!(all.iter().rev().collect::<Vec<_>>())]);
            found.push((json!([all.as_slice(), &[first]].concat()), true));
            if !all.is_empty() {
                found.push((json!([]), true));
                found.push((json!(all[1..]), true));
                found.push((json!(all[..all.len() / 2]), true));
                found.push((json!([all.as_slice(), all.as_slice()].concat()), true));
            }
            found
        }
        Value::Object(all) => {
            let mut found = same(&[Value::Null, json!([])]);
            for key in all.keys() {
                let mut less = all.clone();
                less.remove(key);
                found.push((Value::Object(less), false));
            }
            // A table in ndarray's form, cut so that its shape and its numbers still agree.
            if let (Some([Value::Number(r), Value::Number(c)]), Some(data)) =
                (all.get("dim").and_then(Value::as_array).map(Vec::as_slice), all.get("data").and_then(Value::as_array))
            {
                let (r, c) = (r.as_u64().unwrap() as usize, c.as_u64().unwrap() as usize);
                let table = |dim: [usize; 2], data: &[Value]| json!({"v": 1, "dim": dim, "data": data});
                found.push((table([r - 1, c], &data[c..]), true));
                // How many columns there are may be nobody else's matter.
                found.push((table([r, c - 1], &data[r..]), false));
                found.push((table([r, c + 1], &[&data[..], &data[..r]].concat()), false));
                for dim in [[0, c], [r, 0], [0, 1 << 40], [1 << 40, 0]] {
                    found.push((table(dim, &[]), true));
                }
            }
            found
        }
        Value::String(text) => same(&[json!(""), json!(format!("{text}x")), json!(4), Value::Null]),
        Value::Bool(value) => same(&[json!(!value), json!(2), Value::Null]),
        Value::Null => same(&[json!(0), json!([]), json!("a"), json!(true)]),
    }
}

/// Damages a file in every way and uses what can still be loaded. An array of another length must be refused, unless its
/// place ends with one of `free`, whose lengths are nobody else's matter, or begins with one that ends with a slash.
fn survives<T>(
    name: &str,
    text: &str,
    free: &[&str],
    load: impl Fn(&str) -> Result<T>,
    uses: impl Fn(&T) -> Result<()>,
) {
    let whole: Value = serde_json::from_str(text).unwrap();
    uses(&load(text).unwrap()).unwrap_or_else(|e| panic!("{name}, undamaged: {e}"));
    let mut all = Vec::new();
    places(&whole, "", &mut all);
    let (mut refused, mut faults) = (0, Vec::new());
    for place in &all {
        for (damage, longer) in damages(whole.pointer(place).unwrap()) {
            let mut file = whole.clone();
            *file.pointer_mut(place).unwrap() = damage.clone();
            if file == whole {
                continue;
            }
            let told = || format!("{place} = {}", damage.to_string().chars().take(80).collect::<String>());
            let file = file.to_string();
            match catch_unwind(AssertUnwindSafe(|| load(&file).map(|thing| uses(&thing)))) {
                Err(_) => faults.push(format!("{} panics", told())),
                Ok(Err(Error::Format { .. } | Error::Version { .. })) => refused += 1,
                Ok(Err(other)) => faults.push(format!("{}: {other:?}", told())),
                Ok(Ok(_)) if longer && !free.iter().any(|free| is_free(place, free)) => {
                    faults.push(format!("{} is taken", told()));
                }
                Ok(Ok(_)) => {}
            }
        }
    }
    assert!(faults.is_empty(), "{name}: {} faults\n{}", faults.len(), faults[..faults.len().min(40)].join("\n"));
    assert!(refused > 20, "{name}: {refused}");
}

fn is_free(place: &str, free: &str) -> bool {
    if free.ends_with('/') { place.contains(free) } else { place.ends_with(free) }
}

fn saved<T: Saved>(name: &str, thing: &T, free: &[&str], uses: impl Fn(&T) -> Result<()>) {
    survives(name, &thing.to_json().unwrap(), free, T::from_json, uses);
}

fn use_boost(model: &BoostModel, rows: &Array2<f32>, run: &Run) -> Result<()> {
    for output in 0..model.outputs().len() {
        let _ = (model.importance(output, Importance::Gain), model.to_xgboost_json(output));
    }
    let _ = model.to_xgboost_softprob_json();
    model.probabilities(rows, run)?;
    let _ = (model.distribution(rows, run), model.labels(rows, run));
    let shap = TreeShap::new(model);
    let _ = (shap.explain(rows, run), shap.interactions(rows, run));
    shap.with_background(rows, run)?.explain(rows, run).map(drop)
}

#[test]
fn boosted_trees() {
    let (rows, run) = (rows(), Run::new());
    let few = rows.slice(ndarray::s![..5, ..]).to_owned();
    // Which labels a calibration did not see is said, and used for nothing.
    let free = ["/trees", "/categories/", "/calibration/unseen"];
    let boost = Boost::new().rounds(2).max_depth(2).categorical(&[1]).calibrated(true);
    let names = vec!["a".to_string(), "b".into(), "c".into()];
    let model = boost.fit(&rows, &labels(), &run).unwrap().with_feature_names(names).unwrap();
    saved("one-versus-rest", &model, &free, |model| use_boost(model, &few, &run));
    let targets: Vec<f32> = rows.column(0).to_vec();
    let model = Boost::new().rounds(2).max_depth(2).fit_regression(&rows, &targets, &run).unwrap();
    saved("regression", &model, &["/trees", "/categories/", "/outputs"], |model| use_boost(model, &few, &run));
    let surrogate =
        Surrogate::fit(&rows, &labels(), vec!["0.0".into(), "0.1".into(), "0.2".into()], &boost, &run).unwrap();
    saved("surrogate", &surrogate, &free, |surrogate| {
        let decided = surrogate
            .decide(&few, Abstain::Share(0.1), &run)
            .or_else(|_| surrogate.decide(&few, Abstain::Never, &run))?;
        let mut watch = DriftWatch::new(surrogate);
        watch.add(&few, &decided)?;
        let _ = (watch.drift(), Predictor::new(surrogate.clone(), Abstain::Precision(0.9)).map(drop));
        surrogate.explain(&few, &run)?;
        use_boost(surrogate.model(), &few, &run)
    });
}

#[test]
fn a_surrogate_of_a_table() {
    let run = Run::new();
    let words = |all: &[&str]| Values::words((0..36).map(|i| Some(all[i % 3 % all.len()].to_string())));
    let table = Table::new(vec![
        Column::new("plan", words(&["pro", "free", "team"])),
        Column::new("mood", words(&["often", "never", "always"])),
        Column::new("tools", words(&["ink;pen", "pen", "ink;pen;chalk"])),
        Column::new("paid", words(&["yes", "no"])),
        Column::new("visits", Values::numbers((0..36).map(|i| f64::from(i % 3 * 40 + i / 3)))),
        Column::new("joined", Values::dates((0..36).map(|i| 19_000.0 + 9.0 * f64::from(i)))),
    ])
    .unwrap();
    let tools = Amendment { kind: Some(Kind::Answers), blank: Some("none".into()), ..Amendment::of("tools") };
    let joined = Amendment { cycles: Some(vec![Cycle::Week, Cycle::Year]), ..Amendment::of("joined") };
    let schema = Schema::infer(&table).amended(&table, &[tools, joined]).unwrap();
    let rows = schema.encode(&table).unwrap();
    let boost = Boost::new().rounds(2).max_depth(2).categorical(&schema.categorical());
    let classes = vec!["0.0".into(), "0.1".into(), "0.2".into()];
    let surrogate = Surrogate::fit(&rows, &labels(), classes, &boost, &run).unwrap().with_schema(schema).unwrap();
    saved("surrogate of a table", &surrogate, &["/trees", "/categories/", "/calibration/unseen"], |surrogate| {
        let schema = surrogate.schema().ok_or_else(|| Error::setting("schema", "none", "was taken away"))?;
        schema.kinds_in_words().chain(schema.set_aside().map(|(name, why)| (name, why.to_string()))).for_each(drop);
        schema.features().iter().for_each(|feature| drop(feature.words(1.5)));
        surrogate.assign_table(&table, &run).map(drop)
    });
}

#[test]
fn models_of_xgboost() {
    let (rows, run) = (rows(), Run::new());
    let few = rows.slice(ndarray::s![..5, ..]).to_owned();
    let boost = Boost::new().rounds(2).max_depth(2).categorical(&[1]);
    let model = boost.fit(&rows, &labels(), &run).unwrap();
    let free = [
        "/attributes",
        "/feature_types",
        "/iteration_indptr",
        "/parents",
        "/version",
        "/base_weights",
        "/split_type",
        "/categories",
        "/categories_nodes",
        "/categories_segments",
        "/categories_sizes",
    ];
    survives("XGBoost", &model.to_xgboost_json(1).unwrap(), &free, BoostModel::from_xgboost_json, |model| {
        use_boost(model, &few, &run)
    });
    // Numbers that are strings there.
    let text = model.to_xgboost_json(1).unwrap();
    for (field, value) in [("num_feature", "3"), ("num_class", "0"), ("num_target", "1")] {
        for huge in ["18446744073709551615", "4294967296", "99999999999999999999", "-1", "1e9", "NaN", "2147483648"] {
            let field_of = |value: &str| format!("\"{field}\":\"{value}\"}}").replace("\"}", "\"");
            let edited = text.replace(&field_of(value), &field_of(huge));
            assert_ne!(edited, text, "{field}");
            let read = catch_unwind(|| BoostModel::from_xgboost_json(&edited)).unwrap();
            // Of one output nobody counts the classes.
            if field != "num_class" || huge.parse::<usize>().is_err() {
                assert!(matches!(read, Err(Error::Format { .. })), "{field} = {huge}: {read:?}");
            }
        }
    }
    for score in ["NaN", "inf", "[]", "[1E-1,", "", "-inf", "1e999"] {
        let mut file: Value = serde_json::from_str(&text).unwrap();
        *file.pointer_mut("/learner/learner_model_param/base_score").unwrap() = score.into();
        file["learner"]["objective"]["name"] = "reg:squarederror".into();
        assert!(BoostModel::from_xgboost_json(&file.to_string()).is_err(), "{score}");
    }
}

#[test]
fn embeddings() {
    let (rows, run) = (rows(), Run::new().seed(3));
    let new = rows.mapv(|x| x + 0.1);
    for settings in [Umap::new(), Umap::new().search(Search::Approximate), Umap::new().n_components(3)] {
        let settings = settings.n_neighbors(5).n_epochs(9).densmap(recluster::embed::Densmap::new());
        let model = settings.fit(&rows, &run).unwrap();
        // Without lists of neighbours new rows are searched for exactly.
        saved("UMAP", &model, &["/nearby", "/outside"], |model| {
            let _ = (model.disconnected(), model.widths().count(), model.log_radii(&run)?);
            let placed = model.transform(&new, &run)?;
            model.inverse_transform(&placed, &run).map(drop)
        });
    }
    // Far rows without an edge.
    let mut far = rows.clone();
    far[[7, 0]] = 4000.0;
    let model = Umap::new().n_neighbors(5).n_epochs(9).disconnection_distance(30.0).fit(&far, &run).unwrap();
    assert_eq!(model.disconnected(), [7]);
    saved("UMAP with a row apart", &model, &["/outside"], |model| {
        let placed = model.transform(&new, &run)?;
        model.inverse_transform(&placed, &run).map(drop)
    });
    for whiten in [false, true] {
        let model = Pca::new(2).whiten(whiten).fit(&rows, &run).unwrap();
        saved("PCA", &model, &[], |model: &PcaModel| {
            let placed = model.transform(&rows, &run)?;
            model.inverse_transform(&placed, &run).map(drop)
        });
    }
    for settings in [RandomProjection::new(2), RandomProjection::new(2).density(0.5)] {
        let model = settings.fit(&rows, &run).unwrap();
        saved(
            "random projection",
            &model,
            &["/Sparse/columns", "/Sparse/columns/"],
            |model: &RandomProjectionModel| {
                let _ = model.matrix();
                model.transform(&rows, &run).map(drop)
            },
        );
    }
}

#[test]
fn hdbscan() {
    let (rows, run) = (rows(), Run::new());
    let new = rows.mapv(|x| x + 0.1);
    let hdbscan = Hdbscan::new().min_cluster_size(4).min_samples(2);
    let weights: Vec<f64> = (0..36).map(|i| f64::from(1 + i % 2)).collect();
    let uses = |model: &HdbscanModel| {
        let _ = (model.exemplars(), model.relative_validity(), model.stability(), model.sizes());
        let _ = (model.tree_text(5), model.tree_svg(), model.spanning_tree().single_linkage(), model.clustering());
        model.recut(&Hdbscan::new().min_cluster_size(3))?;
        let _ = model.layers();
        if model.metric().is_some() {
            let _ = (Genie::new(2).fit_model(model, &rows, &run), Dbscan::new(2.0).fit_model(model, &rows, &run));
            let _ = (model.medoids(&rows), model.top_memberships(&rows, 2, &run));
            model.memberships(&rows, &run)?;
            model.predict(&rows, &new, &run)?;
        }
        Ok(())
    };
    saved("HDBSCAN", &hdbscan.fit(&rows, &run).unwrap(), &[], uses);
    saved("HDBSCAN with weights", &hdbscan.fit_weighted(&rows, &weights, &run).unwrap(), &[], uses);
    let apart = |i: usize, j: usize| rows.row(i).iter().zip(rows.row(j)).map(|(x, y)| f64::from((x - y).abs())).sum();
    let distances = Array2::from_shape_fn((36, 36), |(i, j)| apart(i, j));
    saved("HDBSCAN of distances", &hdbscan.fit_distances(&distances, &run).unwrap(), &[], uses);
    saved(
        "HDBSCAN of one cluster",
        &hdbscan.clone().min_cluster_size(30).single_cluster_weight(9.0).fit(&rows, &run).unwrap(),
        &[],
        uses,
    );
}

#[test]
fn other_clusterers() {
    let (rows, run) = (rows(), Run::new());
    let new = rows.mapv(|x| x + 0.1);
    for noise in [false, true] {
        let model = Genie::new(3).noise(noise).min_samples(2).fit(&rows, &run).unwrap();
        saved("Genie", &model, &["/hang"], |model: &GenieModel| {
            let _ = (model.cut(2), model.cut(7), model.dendrogram().cut_at(5.0), model.dendrogram().cut_at(0.0));
            model.predict(&rows, &new, &run).map(drop)
        });
    }
    for linkage in [Linkage::Ward, Linkage::Single] {
        let model = Agglomerative::new(3).linkage(linkage).fit(&rows, &run).unwrap();
        saved("linkage", &model, &[], |model: &AgglomerativeModel| {
            let _ = (model.dendrogram().cut(2), model.dendrogram().cut_at(5.0), model.dendrogram().most_clusters());
            model.predict(&rows, &new, &run).map(drop)
        });
    }
    let model = Dbscan::new(4.0).min_samples(3).fit(&rows, &run).unwrap();
    // Only the rows themselves, which predict asks for, say how many there are.
    saved("DBSCAN", &model, &["/core", "/labels"], |model: &DbscanModel| model.predict(&rows, &new, &run).map(drop));
    let model = KMeans::new(3).fit(&rows, &run).unwrap();
    saved("k-means", &model, &["/labels"], |model: &KMeansModel| model.predict(&new).map(drop));
    for kind in [Covariance::Full, Covariance::Tied, Covariance::Diagonal, Covariance::Spherical] {
        let uneven = Array2::from_shape_fn(rows.dim(), |(i, j)| {
            rows[[i, j]] + ((i * 31 + j * 17 + i * i * j) % 13) as f32 * 0.3
        });
        let model = GaussianMixture::new(3).covariance(kind).fit(&uneven, &run).unwrap();
        saved("mixture", &model, &["/bic_of"], |model: &GaussianMixtureModel| {
            let _ = (model.means(), model.covariance(0), model.covariance(2), model.covariance(usize::MAX));
            model.sample(3, &run)?;
            model.predict_proba(&new, &run)?;
            model.score_samples(&new, &run)?;
            model.predict(&new, &run).map(drop)
        });
        assert!([usize::MAX, usize::MAX / 64].iter().all(|&count| model.sample(count, &run).is_err()));
    }
}

#[test]
fn trees_of_clusters() {
    let (rows, run) = (
        Array2::from_shape_fn((60, 3), |(i, j)| {
            (i % 4 / 2 * 90 + i % 2 * 20) as f32 + ((i * 7 + j * 5) % 11) as f32 * 0.5
        }),
        Run::new(),
    );
    let tree = RecursiveTree::new(Umap::new().n_epochs(9).n_components(3), KMeans::new(2))
        .levels(2)
        .min_rows(20)
        .fit(&rows, &run)
        .unwrap();
    assert_eq!((tree.nodes().len(), tree.leaves().count()), (7, 4));
    let classes: Vec<i32> = (0..60).map(|i| i % 4).collect();
    let turn = std::cell::Cell::new(0);
    saved("tree", &tree, &["/notes", "/values"], |tree: &ClusterTree| {
        let _ = (
            tree.paths(),
            tree.leaf_labels(),
            tree.levels(),
            tree.nodes()
                .iter()
                .map(|n| tree.children(n).count() + usize::from(tree.parent(n).is_some()))
                .sum::<usize>(),
            tree.node("0.1"),
            tree.nodes().iter().map(|n| n.noise()).max(),
        );
        tree.best_node_f(&classes, 2)?;
        // One in five, for it takes long.
        turn.set(turn.get() + 1);
        if turn.get() % 5 == 1 { Report::new(tree, &rows).render().map(drop) } else { Ok(()) }
    });
}

#[test]
fn drafts_of_reports() {
    let rows = Array2::from_shape_fn((60, 2), |(i, j)| (i / 20 * 50 + i % 7 + j) as f32);
    let tree = RecursiveTree::new(Identity, KMeans::new(3)).levels(1).fit(&rows, &Run::new()).unwrap();
    let draft = Report::new(&tree, &rows).draft().unwrap();
    // Whether a draft has a card for each leaf is seen where it meets its tree.
    saved("draft", &draft, &["/leaves", "/glossary"], |draft| draft.render(&tree).map(drop));
}
