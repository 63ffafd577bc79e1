//! Saved models: files of any kind, and edits of a sound one. A model that is loaded must be of use without a panic.

use super::measured;
use crate::bytes::Bytes;
use ndarray::{Array2, s};
use recluster::boost::{Boost, BoostModel, Importance};
use recluster::cluster::{
    Agglomerative, AgglomerativeModel, Covariance, Dbscan, DbscanModel, GaussianMixture, GaussianMixtureModel, Genie,
    GenieModel, Hdbscan, HdbscanModel, KMeans, KMeansModel,
};
use recluster::embed::{Densmap, Identity, Pca, PcaModel, RandomProjection, RandomProjectionModel, Umap, UmapModel};
use recluster::explain::{Abstain, DriftWatch, Rules, Surrogate, TreeShap};
use recluster::recursive::{ClusterTree, RecursiveTree};
use recluster::report::{Draft, Report};
use recluster::table::{Column, Schema, Table, Values};
use recluster::{Explainer, Result, Run, Saved};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Lists that are not made longer: an input of a few bytes would fill the memory itself.
const LONG: usize = 2000;
/// Rows of the sound models.
const ROWS: usize = 24;

fn rows() -> Array2<f32> {
    Array2::from_shape_fn((ROWS, 3), |(i, j)| (i % 3 * 40) as f32 + ((i / 3 * 7 + j * 5) % 11) as f32)
}

fn run() -> Run {
    Run::new().threads(1)
}

/// Sound models as JSON, and the tree that drafts belong to.
struct Sound {
    rows: Array2<f32>,
    table: Table,
    tree: ClusterTree,
    files: Vec<Value>,
    xgboost: Vec<Value>,
}

static SOUND: LazyLock<Sound> = LazyLock::new(|| sound().unwrap());

fn sound() -> Result<Sound> {
    let (rows, run) = (rows(), run());
    let labels: Vec<i32> = (0..ROWS as i32).map(|i| i % 3).collect();
    let names = || vec!["0.0".to_string(), "0.1".into(), "0.2".into()];
    let boost = Boost::new().rounds(2).max_depth(2).categorical(&[1]);
    let model = boost.fit(&rows, &labels, &run)?;
    let plain = Boost::new().rounds(2).max_depth(2).fit(&rows, &labels, &run)?;
    let words = |all: &'static [&'static str]| Values::words((0..ROWS).map(|i| Some(all[i % all.len()])));
    let table = Table::new(vec![
        Column::new("plan", words(&["pro", "free", "team"])),
        Column::new("tools", words(&["ink;pen", "pen", "ink;pen;chalk"])),
        Column::new("joined", Values::dates((0..ROWS).map(|i| 19_000.0 + 9.0 * i as f64))),
    ])?;
    let schema = Schema::infer(&table);
    let encoded = schema.encode(&table)?;
    let typed = boost.clone().categorical(&schema.categorical());
    let surrogate = Surrogate::fit(&encoded, &labels, names(), &typed, &run)?.with_schema(schema)?;
    let tree = RecursiveTree::new(Identity, KMeans::new(2)).levels(2).min_rows(4).fit(&rows, &run)?;
    let hdbscan = Hdbscan::new().min_cluster_size(4).min_samples(2);
    let mixture = |kind| {
        let uneven = Array2::from_shape_fn(rows.dim(), |(i, j)| rows[[i, j]] + ((i * 31 + j * 17) % 13) as f32 * 0.3);
        GaussianMixture::new(2).covariance(kind).fit(&uneven, &run)?.to_json()
    };
    let texts = [
        model.to_json()?,
        Boost::new().rounds(2).max_depth(2).fit_regression(&rows, &rows.column(0).to_vec(), &run)?.to_json()?,
        Surrogate::fit(&rows, &labels, names(), &boost.clone().calibrated(true), &run)?.to_json()?,
        surrogate.to_json()?,
        Umap::new().n_neighbors(5).n_epochs(9).densmap(Densmap::new()).fit(&rows, &run)?.to_json()?,
        Pca::new(2).fit(&rows, &run)?.to_json()?,
        RandomProjection::new(2).density(0.5).fit(&rows, &run)?.to_json()?,
        hdbscan.fit(&rows, &run)?.to_json()?,
        hdbscan.fit_weighted(&rows, &[1.5; ROWS], &run)?.to_json()?,
        Genie::new(3).noise(true).min_samples(2).fit(&rows, &run)?.to_json()?,
        Agglomerative::new(3).fit(&rows, &run)?.to_json()?,
        Dbscan::new(4.0).min_samples(3).fit(&rows, &run)?.to_json()?,
        KMeans::new(3).fit(&rows, &run)?.to_json()?,
        mixture(Covariance::Full)?,
        mixture(Covariance::Tied)?,
        tree.to_json()?,
        Report::new(&tree, &rows).draft()?.to_json()?,
    ];
    let xgboost = [model.to_xgboost_json(1)?, plain.to_xgboost_softprob_json()?, plain.to_xgboost_json(0)?];
    let parsed = |text: &String| serde_json::from_str(text).unwrap();
    let (files, xgboost) = (texts.iter().map(parsed).collect(), xgboost.iter().map(parsed).collect());
    Ok(Sound { rows, table, tree, files, xgboost })
}

/// A file as it stands, or edits of a sound model: a byte that chooses it, then a place and what becomes of it, each time.
pub fn models(data: &[u8]) {
    let text = text(data, &SOUND.files);
    measured(text.as_bytes(), || load(&text));
}

/// The same for XGBoost's JSON.
pub fn xgboost_json(data: &[u8]) {
    let text = text(data, &SOUND.xgboost);
    measured(text.as_bytes(), || {
        if let Ok(model) = BoostModel::from_xgboost_json(&text) {
            use_boost(&model);
        }
    });
}

fn text(data: &[u8], sound: &[Value]) -> String {
    if data.first() == Some(&b'{') {
        return String::from_utf8_lossy(data).into_owned();
    }
    let mut bytes = Bytes::new(data);
    let mut file = bytes.pick(sound);
    while !bytes.is_empty() {
        edit(&mut file, &mut bytes);
    }
    file.to_string()
}

/// Goes down from the root, a byte a step, and changes what it finds.
fn edit(file: &mut Value, bytes: &mut Bytes) {
    let mut at = file;
    for _ in 0..12 {
        let turn = usize::from(bytes.byte());
        let length = match at {
            Value::Array(all) => all.len(),
            Value::Object(all) => all.len(),
            _ => 0,
        };
        if length == 0 || turn >= 250 {
            break;
        }
        at = match at {
            Value::Array(all) => &mut all[turn * 31 % length],
            Value::Object(all) => all.values_mut().nth(turn % length).unwrap(),
            _ => unreachable!("a length without parts"),
        };
    }
    change(at, bytes);
}

fn change(at: &mut Value, bytes: &mut Bytes) {
    let kind = bytes.byte();
    match at {
        Value::Array(all) if kind < 200 && !all.is_empty() => {
            let place = bytes.below(all.len());
            match kind % 7 {
                0 => drop(all.remove(place)),
                1 => all.insert(place, all[place].clone()),
                2 => all.truncate(place),
                3 => all.reverse(),
                4 => all.swap(0, place),
                5 if all.len() < LONG => all.extend(all.clone()),
                _ => all[place] = other(bytes),
            }
        }
        Value::Object(all) if kind < 200 && !all.is_empty() => {
            let key = all.keys().nth(bytes.below(all.len())).unwrap().clone();
            match kind % 2 {
                0 => drop(all.remove(&key)),
                _ => drop(all.insert(key, other(bytes))),
            }
        }
        Value::Number(number) if kind < 200 => {
            let (whole, x) = (number.as_i64().unwrap_or(0), number.as_f64().unwrap_or(0.0));
            *at = match kind % 8 {
                0 => json!(whole.wrapping_add(1)),
                1 => json!(whole.wrapping_sub(1)),
                2 => json!(-x),
                3 => json!(x * 2.0),
                4 => json!(bytes.real()),
                5 => json!(bytes.byte()),
                6 => json!(bytes.value()),
                _ => json!(bytes.count()),
            };
        }
        Value::Bool(truth) if kind < 200 => *truth = !*truth,
        other_value => *other_value = other(bytes),
    }
}

fn other(bytes: &mut Bytes) -> Value {
    match bytes.below(12) {
        0 => Value::Null,
        1 => json!([]),
        2 => json!({}),
        3 => json!(bytes.flag()),
        4 => json!(bytes.word()),
        5 => json!(bytes.count()),
        6 => json!(bytes.real()),
        7 => json!([bytes.value()]),
        8 => json!([bytes.count(), bytes.byte()]),
        9 => json!(bytes.real().to_string()),
        10 => json!(-(bytes.byte() as i64)),
        _ => json!(bytes.byte()),
    }
}

/// Loads a file as each of the things that it may be.
fn load(text: &str) {
    let sound = &*SOUND;
    let (rows, run) = (&sound.rows, run());
    let new = rows.mapv(|x| x + 0.1);
    if let Ok(model) = BoostModel::from_json(text) {
        use_boost(&model);
    }
    if let Ok(surrogate) = Surrogate::from_json(text) {
        use_surrogate(&surrogate);
    }
    if let Ok(model) = UmapModel::from_json(text) {
        let _ = (model.disconnected(), model.widths().count(), model.log_radii(&run));
        let _ = model.transform(&new, &run).and_then(|placed| model.inverse_transform(&placed, &run));
    }
    if let Ok(model) = PcaModel::from_json(text) {
        let _ = model.transform(rows, &run).and_then(|placed| model.inverse_transform(&placed, &run));
    }
    if let Ok(model) = RandomProjectionModel::from_json(text) {
        let _ = (model.matrix(), model.transform(rows, &run));
    }
    if let Ok(model) = HdbscanModel::from_json(text) {
        let _ = (model.exemplars(), model.relative_validity(), model.stability(), model.sizes(), model.layers());
        let _ = (model.tree_text(5), model.tree_svg(), model.spanning_tree().single_linkage(), model.clustering());
        let _ = (model.recut(&Hdbscan::new().min_cluster_size(3)), model.medoids(rows));
        let _ = (model.top_memberships(rows, 2, &run), model.memberships(rows, &run));
        let _ = (model.predict(rows, &new, &run), Genie::new(2).fit_model(&model, rows, &run));
        let _ = Dbscan::new(2.0).fit_model(&model, rows, &run);
    }
    if let Ok(model) = GenieModel::from_json(text) {
        let _ = (model.cut(2), model.dendrogram().cut_at(5.0), model.predict(rows, &new, &run));
    }
    if let Ok(model) = AgglomerativeModel::from_json(text) {
        let _ = (model.dendrogram().cut(2), model.dendrogram().cut_at(5.0), model.predict(rows, &new, &run));
    }
    if let Ok(model) = DbscanModel::from_json(text) {
        let _ = model.predict(rows, &new, &run);
    }
    if let Ok(model) = KMeansModel::from_json(text) {
        let _ = model.predict(&new);
    }
    if let Ok(model) = GaussianMixtureModel::from_json(text) {
        let _ = (model.means(), model.covariance(0), model.sample(3, &run), model.score_samples(&new, &run));
        let _ = (model.predict_proba(&new, &run), model.predict(&new, &run));
    }
    if let Ok(mut tree) = ClusterTree::from_json(text) {
        use_tree(&mut tree, rows, &run);
    }
    if let Ok(draft) = Draft::from_json(text) {
        let _ = draft.render(&sound.tree);
    }
}

fn use_boost(model: &BoostModel) {
    let run = run();
    let some = 0..model.outputs().len().min(4);
    // A made-up model may have any number of features; what it would take for each, as the type that a written file names,
    // is no matter of its file's size.
    if model.features() > 4096 {
        return;
    }
    some.clone().for_each(|output| drop(model.to_xgboost_json(output)));
    let _ = model.to_xgboost_softprob_json();
    some.for_each(|output| drop(model.importance(output, Importance::Gain)));
    let rows =
        Array2::from_shape_fn((3, model.features()), |(i, j)| if i == 2 { f32::NAN } else { (i * 3 + j) as f32 });
    let _ = (model.probabilities(&rows, &run), model.distribution(&rows, &run), model.labels(&rows, &run));
    let shap = TreeShap::new(model);
    let _ = shap.explain(&rows, &run);
    if model.features() <= 16 {
        let _ = shap.interactions(&rows, &run);
        let _ = shap.with_background(&rows, &run).and_then(|shap| shap.explain(&rows, &run));
    }
}

fn use_surrogate(surrogate: &Surrogate) {
    let run = run();
    use_boost(surrogate.model());
    let _ = surrogate.assign_table(&SOUND.table, &run);
    if let Some(schema) = surrogate.schema() {
        schema.kinds_in_words().for_each(drop);
        schema.features().iter().for_each(|feature| drop(feature.words(1.5)));
    }
    let columns = surrogate.model().features();
    if columns > 4096 {
        return;
    }
    let rows = Array2::from_shape_fn((3, columns), |(i, j)| (i * 2 + j) as f32);
    for abstain in [Abstain::Never, Abstain::Share(0.1), Abstain::Precision(0.9), Abstain::Below(0.5)] {
        if let Ok(decided) = surrogate.decide(&rows, abstain, &run) {
            let mut watch = DriftWatch::new(surrogate);
            let _ = (watch.add(&rows, &decided), watch.drift());
        }
    }
    let _ = surrogate.explain(&rows, &run);
}

fn use_tree(tree: &mut ClusterTree, rows: &Array2<f32>, run: &Run) {
    let _ = (tree.paths(), tree.leaf_labels(), tree.levels(), tree.node("0.1"));
    for node in tree.nodes() {
        let _ = (tree.children(node).count(), tree.parent(node), node.noise());
    }
    let _ = tree.best_node_f(&[0; ROWS], 2);
    if tree.rows() == ROWS {
        let names: Vec<String> = tree.leaves().map(|leaf| leaf.path().to_string()).collect();
        let _ = Rules::new().resamples(2).find(&rows.slice(s![.., ..]), &tree.leaf_labels(), &names, None, run);
    }
    let _ = Report::new(tree, rows).render();
    let _ = (tree.set_name("0.0", "a"), tree.prune("0.0"));
    tree.to_json().expect("what was loaded can be saved");
}

/// Seeds: edits of each of the sound models, and a few of these that are small.
pub(super) fn sound_files() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let seeds = |files: &[Value], most: usize| {
        let edits = (0..files.len() as u8).map(|own| vec![own, 0, 1, 2, 3, own]);
        let whole = files.iter().map(|file| file.to_string().into_bytes()).filter(|text| text.len() < most);
        edits.chain(whole).collect()
    };
    (seeds(&SOUND.files, 5000), seeds(&SOUND.xgboost, 6000))
}
