//! Settings in files, and uses that give no answer.

use ndarray::Array2;
use recluster::boost::Boost;
use recluster::cluster::{Agglomerative, Dbscan, GaussianMixture, Genie, GraphDegree, Hdbscan, KMeans, StableParts};
use recluster::embed::{Densmap, Pca, RandomProjection, Umap};
use recluster::evidence::HeldOut;
use recluster::explain::Surrogate;
use recluster::table::{Column, Schema, Table, Values};
use recluster::{Clusterer, Error, Run, Size};
use serde::de::DeserializeOwned;

/// What the settings in a file become.
fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn files_say_only_what_differs_and_nothing_else() {
    assert_eq!(read(r#"{"min_samples":7}"#), Ok(Hdbscan::new().min_samples(7)));
    assert_eq!(read(r#"{"min_cluster_size":30}"#), Ok(Hdbscan::new().min_cluster_size(30)));
    assert_eq!(read(r#"{"min_cluster_size":0.05}"#), Ok(Hdbscan::new().min_cluster_size(Size::Share(0.05))));
    assert_eq!(read(r#"{"clusters":7}"#), Ok(KMeans::new(7)));
    assert_eq!(read(r#"{"clusters":7,"noise":true}"#), Ok(Genie::new(7).noise(true)));
    assert_eq!(read(r#"{"eps":0.5}"#), Ok(Dbscan::new(0.5)));
    assert_eq!(read(r#"{"runs":20}"#), Ok(StableParts::new().runs(20)));
    assert_eq!(read(r#"{"alpha":0.01}"#), Ok(HeldOut::new().alpha(0.01)));
    assert_eq!(read(r#"{"n_neighbors":30}"#), Ok(Umap::new().n_neighbors(30)));
    assert_eq!(read(r#"{"rounds":3}"#), Ok(Boost::new().rounds(3)));
    // A name that is none is no setting, and is not passed over.
    fn refuses<T: DeserializeOwned>(text: &str) {
        let error = read::<T>(text).err().unwrap_or_default();
        assert!(error.contains("unknown field"), "{}: {error}", std::any::type_name::<T>());
    }
    refuses::<Umap>(r#"{"n_neighbours":50}"#);
    refuses::<Densmap>(r#"{"foo":1}"#);
    refuses::<Pca>(r#"{"n_components":2,"foo":1}"#);
    refuses::<RandomProjection>(r#"{"foo":1}"#);
    refuses::<Hdbscan>(r#"{"min_size":1}"#);
    refuses::<KMeans>(r#"{"k":1}"#);
    refuses::<GaussianMixture>(r#"{"components":1}"#);
    refuses::<Genie>(r#"{"k":1}"#);
    refuses::<Dbscan>(r#"{"epsilon":1}"#);
    refuses::<Agglomerative>(r#"{"k":1}"#);
    refuses::<GraphDegree>(r#"{"k":1}"#);
    refuses::<StableParts>(r#"{"k":1}"#);
    refuses::<HeldOut>(r#"{"level":1}"#);
    refuses::<Boost>(r#"{"eta":1}"#);
    // What has no default is asked for when it is used.
    let rows = Array2::from_shape_fn((20, 2), |(i, j)| (i * (j + 1)) as f32);
    let all: [Box<dyn Clusterer>; 6] = [
        Box::new(read::<KMeans>("{}").unwrap()),
        Box::new(read::<GaussianMixture>("{}").unwrap()),
        Box::new(read::<Genie>("{}").unwrap()),
        Box::new(read::<Dbscan>("{}").unwrap()),
        Box::new(read::<Agglomerative>("{}").unwrap()),
        Box::new(read::<GraphDegree>("{}").unwrap()),
    ];
    for unset in all {
        let refused = unset.cluster(&rows, &Run::new());
        assert!(matches!(refused, Err(Error::Setting { .. })), "{}: {refused:?}", unset.name());
    }
}

#[test]
fn what_has_no_answer_is_an_error() {
    let run = Run::new();
    let rows = Array2::from_shape_fn((60, 2), |(i, j)| if j == 0 { (i % 3) as f32 } else { (i % 7) as f32 });
    let targets: Vec<f32> = (0..60).map(|i| i as f32).collect();
    let regression = Boost::new().rounds(2).fit_regression(&rows, &targets, &run).unwrap();
    assert!(matches!(regression.labels(&rows, &run), Err(Error::Setting { name: "model", .. })));
    let labels: Vec<i32> = (0..60).map(|i| i % 2).collect();
    let boost = Boost::new().rounds(2).min_child_weight(0.0);
    let twice = Surrogate::fit(&rows, &labels, vec!["a".into(), "a".into()], &boost, &run);
    assert!(matches!(twice, Err(Error::Setting { name: "classes", .. })));
    let refused = Surrogate::fit(&rows, &labels, vec!["a".into(), "b".into()], &boost, &run.clone().threads(1_000_000));
    assert!(matches!(refused, Err(Error::Threads { threads: 1_000_000, .. })), "{refused:?}");
}

#[test]
fn a_schema_that_the_model_does_not_follow_is_refused() {
    let run = Run::new();
    let plans = ["free", "pro", "team"];
    let table = |second: &str| {
        let plan = Values::words((0..90).map(|i| Some(plans[i % 3].to_string())));
        Table::new(vec![
            Column::new("plan", plan),
            Column::new(second, Values::numbers((0..90).map(|i| f64::from(i * i % 37)))),
        ])
    };
    let (table, other) = (table("visits").unwrap(), table("age").unwrap());
    let (schema, another) = (Schema::infer(&table), Schema::infer(&other));
    let (rows, names) = (schema.encode(&table).unwrap(), vec!["a".to_string(), "b".into()]);
    let labels: Vec<i32> = (0..90).map(|i| i32::from(i % 3 == 1)).collect();
    let boost = Boost::new().rounds(2).min_child_weight(0.0);
    let fit = |boost: &Boost| Surrogate::fit(&rows, &labels, names.clone(), boost, &run).unwrap();
    let told = fit(&boost).with_schema(schema.clone()).unwrap_err().to_string();
    assert!(told.contains("plan") && told.contains("Boost::categorical"), "{told}");
    let right = fit(&boost.categorical(&schema.categorical())).with_schema(schema).unwrap();
    assert!(right.assign_table(&table, &run).is_ok());
    let refused = right.with_schema(another);
    assert!(matches!(refused, Err(Error::Setting { name: "schema", .. })), "{:?}", refused.map(|_| ()));
}
