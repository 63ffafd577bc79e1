//! The clustering methods other than HDBSCAN: settings from flags, and fitting.

use crate::args::{self, ClusterMethod, CovarianceName, LinkageName, value_name};
use crate::commands::refuse;
use crate::failure::Failure;
use crate::input::{self, Table};
use crate::output::{Staged, npy};
use crate::progress::Progress;
use recluster::cluster::{Agglomerative, Covariance, Dbscan, GaussianMixture, Genie, KMeans, Linkage};
use recluster::{Clusterer, Result, Run, Saved};
use serde_json::{Map, Value, json};

/// A method with its settings. Those of HDBSCAN differ between commands.
pub(crate) enum Chosen {
    Hdbscan,
    Genie(Genie),
    Gmm(GaussianMixture),
    KMeans(KMeans),
    Dbscan(Dbscan),
    Agglomerative(Agglomerative),
}

/// Applies a setting that was given.
fn set<T, V>(to: T, value: Option<V>, apply: impl FnOnce(T, V) -> T) -> T {
    match value {
        Some(value) => apply(to, value),
        None => to,
    }
}

/// The method of the arguments; a flag that it does not have is an error, and so is the lack of one that it needs.
/// `columns` gives the data's column names, to match those of initial centres.
pub(crate) fn chosen(
    method: ClusterMethod,
    given: &args::Method,
    columns: impl Fn() -> std::result::Result<Option<Vec<String>>, Failure>,
) -> std::result::Result<Chosen, Failure> {
    use ClusterMethod::{Agglomerative as Tree, Dbscan as Eps, Genie as Gini, Gmm, Hdbscan, Kmeans};
    let flags: [(&str, bool, &[ClusterMethod]); 13] = [
        ("--clusters", given.clusters.is_some(), &[Gini, Gmm, Kmeans, Tree]),
        ("--clusters-up-to", given.clusters_up_to.is_some(), &[Gmm]),
        ("--min-samples", given.min_samples.is_some(), &[Hdbscan, Gini, Eps]),
        ("--epsilon", given.epsilon.is_some(), &[Hdbscan, Eps]),
        ("--gini", given.gini.is_some(), &[Gini]),
        ("--fringe-noise", given.fringe_noise, &[Gini]),
        ("--covariance", given.covariance.is_some(), &[Gmm]),
        ("--linkage", given.linkage.is_some(), &[Tree]),
        ("--distance", given.distance.is_some(), &[Tree]),
        ("--restarts", given.restarts.is_some(), &[Gmm, Kmeans]),
        ("--start", given.start.is_some(), &[Gmm, Kmeans]),
        ("--mini-batch", given.mini_batch.is_some(), &[Kmeans]),
        ("--metric", given.metric.is_some(), &[Hdbscan, Gini, Eps, Tree]),
    ];
    refuse(value_name(method), &flags.map(|(flag, given, of)| (flag, given && !of.contains(&method))))?;
    let lacks = |what: &str| Failure::Usage(format!("{} needs {what}", &value_name(method)));
    let start = || {
        let read = |path| input::table_like(path, None, columns()?.as_deref());
        Ok::<_, Failure>(given.start.as_deref().map(read).transpose()?.map(|start| start.values.mapv(f64::from)))
    };
    let clusters = || given.clusters.ok_or_else(|| lacks("--clusters K"));
    Ok(match method {
        Hdbscan => Chosen::Hdbscan,
        Gini => {
            let genie = Genie::new(clusters()?).noise(given.fringe_noise);
            let genie = set(genie, given.gini, Genie::gini_threshold);
            let genie = set(genie, given.min_samples, Genie::min_samples);
            Chosen::Genie(set(genie, given.metric, Genie::metric))
        }
        Gmm => {
            let mixture = match (given.clusters, given.clusters_up_to) {
                (Some(clusters), _) => GaussianMixture::new(clusters),
                (None, Some(most)) => GaussianMixture::choose(1..=most),
                (None, None) => return Err(lacks("--clusters K or --clusters-up-to K")),
            };
            let covariance = given.covariance.map(|name| match name {
                CovarianceName::Full => Covariance::Full,
                CovarianceName::Tied => Covariance::Tied,
                CovarianceName::Diagonal => Covariance::Diagonal,
                CovarianceName::Spherical => Covariance::Spherical,
            });
            let mixture = set(mixture, covariance, GaussianMixture::covariance);
            let mixture = set(mixture, start()?, GaussianMixture::start_means);
            Chosen::Gmm(set(mixture, given.restarts, GaussianMixture::restarts))
        }
        Kmeans => {
            let kmeans = set(KMeans::new(clusters()?), given.restarts, KMeans::restarts);
            let kmeans = set(kmeans, start()?, KMeans::start);
            Chosen::KMeans(set(kmeans, given.mini_batch, KMeans::mini_batch))
        }
        Eps => {
            let dbscan = Dbscan::new(given.epsilon.ok_or_else(|| lacks("--epsilon X"))?);
            let dbscan = set(dbscan, given.min_samples, Dbscan::min_samples);
            Chosen::Dbscan(set(dbscan, given.metric, Dbscan::metric))
        }
        Tree => {
            let tree = match (given.clusters, given.distance) {
                (Some(clusters), _) => Agglomerative::new(clusters),
                (None, Some(distance)) => Agglomerative::at_distance(distance),
                (None, None) => return Err(lacks("--clusters K or --distance X")),
            };
            let linkage = given.linkage.map(|name| match name {
                LinkageName::Ward => Linkage::Ward,
                LinkageName::Average => Linkage::Average,
                LinkageName::Complete => Linkage::Complete,
                LinkageName::Single => Linkage::Single,
            });
            let tree = set(tree, linkage, Agglomerative::linkage);
            Chosen::Agglomerative(set(tree, given.metric, Agglomerative::metric))
        }
    })
}

impl Chosen {
    /// The method as a clusterer; None for HDBSCAN.
    pub(crate) fn clusterer(self) -> Option<Box<dyn Clusterer>> {
        Some(match self {
            Chosen::Hdbscan => return None,
            Chosen::Genie(method) => Box::new(method),
            Chosen::Gmm(method) => Box::new(method),
            Chosen::KMeans(method) => Box::new(method),
            Chosen::Dbscan(method) => Box::new(method),
            Chosen::Agglomerative(method) => Box::new(method),
        })
    }
}

/// The results of a fit: labels, labels of new rows, the model as JSON.
struct Fitted {
    labels: Vec<i32>,
    new: Option<Vec<i32>>,
    text: Option<String>,
}

/// Fits a method, writes the files other than the labels, and adds its results to `facts`.
pub(crate) fn fit(
    chosen: &Chosen,
    args: &args::Cluster,
    data: &Table,
    progress: &Progress,
    run: &Run,
    files: &mut Staged,
    facts: &mut Map<String, Value>,
) -> std::result::Result<Vec<i32>, Failure> {
    let columns = data.names.as_deref();
    let new = args.new.as_deref().map(|new| input::table_like(new, None, columns)).transpose()?;
    let values = &data.values;
    let named = |e| data.about(e);
    // The new rows have names of their own, but a bad value in the data is found by the fit before.
    let place = |predict: &dyn Fn(&ndarray::Array2<f32>) -> Result<Vec<i32>>| {
        let named = |e| new.as_ref().unwrap_or(data).about(e);
        new.as_ref().map(|new| progress.work(|| predict(&new.values))).transpose().map_err(named)
    };
    let text = |json: Result<String>| if args.model_out.is_some() { json.map(Some) } else { Ok(None) };
    let out = match chosen {
        Chosen::Hdbscan => return Ok(Vec::new()),
        Chosen::Genie(genie) => {
            let model = progress.work(|| genie.fit(values, run)).map_err(named)?;
            let new = place(&|new| model.predict(values, new, run))?;
            Fitted { labels: model.labels().to_vec(), new, text: text(model.to_json())? }
        }
        Chosen::Dbscan(dbscan) => {
            let model = progress.work(|| dbscan.fit(values, run)).map_err(named)?;
            facts.insert("core_rows".to_string(), model.core_rows().len().into());
            let new = place(&|new| model.predict(values, new, run))?;
            Fitted { labels: model.labels().to_vec(), new, text: text(model.to_json())? }
        }
        Chosen::Agglomerative(tree) => {
            let model = progress.work(|| tree.fit(values, run)).map_err(named)?;
            let new = place(&|new| model.predict(values, new, run))?;
            Fitted { labels: model.labels().to_vec(), new, text: text(model.to_json())? }
        }
        Chosen::KMeans(kmeans) => {
            let model = progress.work(|| kmeans.fit(values, run)).map_err(named)?;
            facts.insert("inertia".to_string(), model.inertia().into());
            facts.insert("converged".to_string(), model.converged().into());
            let new = place(&|new| model.predict(new))?;
            Fitted { labels: model.labels().to_vec(), new, text: text(model.to_json())? }
        }
        Chosen::Gmm(mixture) => {
            let model = progress.work(|| mixture.fit(values, run)).map_err(named)?;
            facts.insert("score".to_string(), model.score().into());
            facts.insert("bic".to_string(), model.bic().into());
            facts.insert("aic".to_string(), model.aic().into());
            facts.insert("bic_of".to_string(), json!(model.bic_of()));
            facts.insert("weights".to_string(), json!(model.weights()));
            facts.insert("converged".to_string(), model.converged().into());
            if let Some(path) = &args.probabilities_out {
                files.write(path, |out| npy(out, &[values.nrows()], model.membership().iter().copied()))?;
            }
            if let Some(path) = &args.memberships_out {
                let soft = progress.work(|| model.predict_proba(values, run)).map_err(named)?;
                files.write(path, |out| npy(out, soft.shape(), soft.iter().copied()))?;
            }
            let new = place(&|new| model.predict(new, run))?;
            Fitted { labels: model.labels().to_vec(), new, text: text(model.to_json())? }
        }
    };
    if let (Some(path), Some(text)) = (&args.model_out, &out.text) {
        files.write(path, |to| to.write_all(text.as_bytes()))?;
    }
    if let (Some(path), Some(new)) = (&args.new_out, &out.new) {
        files.write(path, |to| npy(to, &[new.len()], new.iter().copied()))?;
        facts.insert("new_rows".to_string(), new.len().into());
        facts.insert("new_noise".to_string(), new.iter().filter(|&&label| label < 0).count().into());
    }
    Ok(out.labels)
}
