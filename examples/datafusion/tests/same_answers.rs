//! `assign` and `decide` over Parquet give the bits of the library's `Predictor`, and the lines of `recluster predict`.

mod common;

use common::{Place, answer, decisions, draw, refusal, same_bits, same_names, surrogate, write};
use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use recluster::boost::Boost;
use recluster::explain::{Abstain, Surrogate};
use recluster::{Run, Saved};
use recluster_datafusion::register;
use std::path::PathBuf;
use std::sync::Arc;

async fn context(place: &Place, rows: usize, abstain: Abstain) -> SessionContext {
    let path = place.folder.path().join("rows.parquet");
    write(&path, 0..rows);
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(3));
    register(&context, abstain);
    context.register_parquet("rows", path.to_str().unwrap(), ParquetReadOptions::default()).await.unwrap();
    context
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_get_the_bits_of_the_predictor() {
    let surrogate = surrogate();
    let place = Place::new(&surrogate);
    let rows = 20_000;
    for abstain in [Abstain::Never, Abstain::Share(0.1)] {
        let context = context(&place, rows, abstain).await;
        same_bits(&context, &place, &surrogate, abstain, rows).await;
    }
}

#[tokio::test]
async fn columns_go_by_their_names() {
    let place = Place::new(&surrogate());
    same_names(&context(&place, 5000, Abstain::Never).await, &place).await;
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let surrogate = surrogate();
    let place = Place::new(&surrogate);
    let context = context(&place, 200, Abstain::Never).await;
    let (model, columns) = (&place.model, &place.columns);
    let fewer = columns.replace("\"plan\", ", "");
    let said = refusal(&context, &format!("SELECT assign({model}, {fewer}) FROM rows")).await;
    assert!(said.contains("plan"), "{said}");
    let words = columns.replace("\"visits\"", "named_struct('visits', plan)");
    let said = refusal(&context, &format!("SELECT assign({model}, {words}) FROM rows")).await;
    assert!(said.contains("visits") && said.contains("not a number"), "{said}");
    let said = refusal(&context, &format!("SELECT assign('nowhere.json', {columns}) FROM rows")).await;
    assert!(said.contains("nowhere.json"), "{said}");
    let said = refusal(&context, &format!("SELECT assign(plan, {columns}) FROM rows")).await;
    assert!(said.contains("constant"), "{said}");
    let said = refusal(&context, &format!("SELECT assign({model}) FROM rows")).await;
    assert!(said.contains("columns"), "{said}");
    let lists = columns.replace("\"visits\"", "named_struct('visits', interval '1 day')");
    let said = refusal(&context, &format!("SELECT assign({model}, {lists}) FROM rows")).await;
    assert!(said.contains("cannot be read"), "{said}");
    let cut = place.folder.path().join("cut.json");
    let text = surrogate.to_json().unwrap();
    std::fs::write(&cut, &text[..text.len() / 2]).unwrap();
    let said = refusal(&context, &format!("SELECT assign('{}', {columns}) FROM rows", cut.display())).await;
    assert!(said.contains("cut.json"), "{said}");
}

/// A model without a schema takes numbers, by name where it has names, else by their order.
#[tokio::test]
async fn tables_of_numbers_need_no_schema() {
    let data = ndarray::Array2::from_shape_fn((600, 3), |(i, j)| {
        ((i % 3 * 10) as f64 * draw(j, 3) + draw(i, 5 + j as u64)) as f32
    });
    let labels: Vec<i32> = (0..600).map(|i| i % 3).collect();
    let names = ["0.0", "0.1", "0.2"].map(String::from).to_vec();
    let run = Run::new();
    let plain = Surrogate::fit(&data, &labels, names, &Boost::new().rounds(10), &run).unwrap();
    let named = plain.clone().with_feature_names(["x", "y", "z"].map(String::from).to_vec()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let column =
        |j: usize| Arc::new(Float64Array::from_iter_values(data.column(j).iter().map(|&x| x.into()))) as ArrayRef;
    let ids = Arc::new(Int64Array::from_iter_values(0..600)) as ArrayRef;
    let rows = RecordBatch::try_from_iter([("id", ids), ("z", column(2)), ("x", column(0)), ("y", column(1))]).unwrap();
    let context = SessionContext::new();
    register(&context, Abstain::Never);
    context.register_batch("rows", rows).unwrap();
    for (name, surrogate, columns) in [("plain.json", plain, "x, y, z"), ("named.json", named, "z, x, y")] {
        let path = folder.path().join(name);
        surrogate.save(&path).unwrap();
        let query = format!("SELECT id, decide('{}', {columns}) FROM rows", path.display());
        let found = decisions(&answer(&context, &query).await);
        for (row, to) in surrogate.assign(&data, &run).unwrap().iter().enumerate() {
            let found = &found[&(row as i64)];
            assert_eq!((found.0.as_str(), found.1), (to.path, to.confidence.to_bits()));
        }
    }
}

/// The command-line program: what the variable RECLUSTER names, or the library's release build.
fn program() -> Option<PathBuf> {
    let named = std::env::var_os("RECLUSTER").map(PathBuf::from);
    std::fs::canonicalize(named.unwrap_or("../../target/release/recluster".into())).ok()
}

/// The lines of `recluster predict`: a million of them where the test is optimised, else a twentieth.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_get_the_lines_of_predict() {
    let Some(program) = program() else {
        println!(
            "skipped: there is no program; build it by `cargo build --release --features cli` in the library's folder"
        );
        return;
    };
    let rows = if cfg!(debug_assertions) { 50_000 } else { 1_000_000 };
    let surrogate = surrogate();
    let place = Place::new(&surrogate);
    let context = context(&place, rows, Abstain::Share(0.05)).await;
    let start = std::time::Instant::now();
    let done = std::process::Command::new(program)
        .current_dir(place.folder.path())
        .args([
            "predict",
            "--model",
            "it's a model.json",
            "--data",
            "rows.parquet",
            "--abstain",
            "0.05",
            "--out",
            "o.csv",
        ])
        .status()
        .unwrap();
    assert!(done.success());
    println!("recluster predict: {:.1} s", start.elapsed().as_secs_f64());
    let start = std::time::Instant::now();
    let query = format!("SELECT id, decide({}, {}) FROM rows", place.model, place.columns);
    let found = decisions(&answer(&context, &query).await);
    println!("DataFusion: {:.1} s", start.elapsed().as_secs_f64());
    let text = std::fs::read_to_string(place.folder.path().join("o.csv")).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("row,assigned,confidence,runner_up,runner_up_confidence"));
    let mut count = 0;
    for (row, line) in lines.enumerate() {
        let (path, confidence, second, its) = &found[&(row as i64)];
        let (confidence, its) = (f64::from_bits(*confidence), f64::from_bits(its.unwrap()));
        let second = second.as_deref().unwrap();
        assert_eq!(line, format!("{row},{path},{confidence:.6},{second},{its:.6}"));
        count += 1;
    }
    assert_eq!(count, rows);
}
