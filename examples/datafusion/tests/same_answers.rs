//! `assign` and `decide` over Parquet give the bits of the library's `Predictor`, and the lines of `recluster predict`.

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{Float64Type, Int64Type};
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use recluster::boost::Boost;
use recluster::explain::{Abstain, Predictor, Surrogate};
use recluster::table::{Column, Field, Kind, Schema, Table, Values};
use recluster::{Run, Saved};
use recluster_datafusion::{columns_of, constant, register};
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A number of 0 to 1 that looks random.
fn draw(row: usize, salt: u64) -> f64 {
    let x = (row as u64 * 64 + salt ^ 0x5bd1_e995).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((x ^ x >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f64 / (1u64 << 24) as f64
}

/// The cells of one row; None where there is no answer.
struct Person {
    plan: Option<&'static str>,
    spent: Option<f64>,
    visits: Option<i64>,
    member: Option<bool>,
    since: Option<i32>,
    seen: Option<i64>,
    uses: Option<&'static str>,
}

fn kind(row: usize) -> usize {
    (draw(row, 1) * 4.0) as usize
}

/// Four kinds of people; a twentieth of the cells are empty, and every hundredth row has a plan that the fit never saw.
fn person(row: usize) -> Person {
    let kind = kind(row);
    let at = |salt| if draw(row, salt) < 0.1 { (draw(row, salt + 1) * 4.0) as usize } else { kind };
    let nothing = row % 5000 == 4999;
    let there = |salt| !nothing && draw(row, salt) > 0.05;
    let plans = ["free", "team", "pro", "trial"];
    let plan = if row >= 3000 && row % 100 == 0 { "gold" } else { plans[at(10)] };
    Person {
        plan: there(30).then_some(plan),
        spent: there(31).then(|| [3.0, 40.0, 9.0, 80.0][kind] * (0.5 + draw(row, 12))),
        visits: there(32).then(|| (at(13) as f64 * 30.0 + 20.0 * draw(row, 15)) as i64),
        member: there(33).then(|| at(16) % 2 == 1),
        since: there(34).then(|| 15_000 + at(18) as i32 * 500 + (400.0 * draw(row, 20)) as i32),
        seen: there(35).then(|| 1_700_000_000_000_000 + (draw(row, 21) * 1e15) as i64),
        uses: there(36).then_some(["mail;chat", "chat", "calls;mail", "calls"][at(22)]),
    }
}

fn table(rows: std::ops::Range<usize>) -> Table {
    let people: Vec<Person> = rows.map(person).collect();
    let or_nan = |value: Option<f64>| value.unwrap_or(f64::NAN);
    Table::new(vec![
        Column::new("plan", Values::words(people.iter().map(|p| p.plan))),
        Column::new("spent €", Values::numbers(people.iter().map(|p| or_nan(p.spent)))),
        Column::new("visits", Values::integers(people.iter().map(|p| p.visits))),
        Column::new("member", Values::flags(people.iter().map(|p| p.member))),
        Column::new("since", Values::dates(people.iter().map(|p| or_nan(p.since.map(f64::from))))),
        Column::new("seen", Values::dates(people.iter().map(|p| or_nan(p.seen.map(|micros| micros as f64 / 86.4e9))))),
        Column::new("uses", Values::words(people.iter().map(|p| p.uses))),
    ])
    .unwrap()
}

fn batch(rows: std::ops::Range<usize>) -> RecordBatch {
    let people: Vec<Person> = rows.clone().map(person).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from_iter_values(rows.map(|row| row as i64)))),
        ("uses", Arc::new(people.iter().map(|p| p.uses).collect::<StringArray>())),
        ("seen", Arc::new(people.iter().map(|p| p.seen).collect::<TimestampMicrosecondArray>())),
        ("since", Arc::new(people.iter().map(|p| p.since).collect::<Date32Array>())),
        ("member", Arc::new(people.iter().map(|p| p.member).collect::<BooleanArray>())),
        ("visits", Arc::new(people.iter().map(|p| p.visits).collect::<Int64Array>())),
        ("spent €", Arc::new(people.iter().map(|p| p.spent).collect::<Float64Array>())),
        ("plan", Arc::new(people.iter().map(|p| p.plan).collect::<StringArray>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

/// A file of several row groups.
fn write(path: &Path, rows: usize) {
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(rows.div_ceil(5)))
        .set_compression(Compression::SNAPPY)
        .build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch(0..1).schema(), Some(properties)).unwrap();
    for first in (0..rows).step_by(50_000) {
        writer.write(&batch(first..(first + 50_000).min(rows))).unwrap();
    }
    writer.close().unwrap();
}

/// A model of words, numbers, dates and several answers.
fn surrogate() -> Surrogate {
    let (rows, run) = (3000, Run::new());
    let table = table(0..rows);
    let mut fields: Vec<Field> = Schema::infer(&table).fields().to_vec();
    for field in &mut fields {
        field.role = recluster::table::Role::Feature;
        if field.name == "seen" {
            field.cycles = vec![recluster::table::Cycle::Week, recluster::table::Cycle::Year];
        }
    }
    let schema = Schema::new(fields).unwrap();
    assert_eq!(schema.field("uses").unwrap().kind, Kind::Answers);
    let labels: Vec<i32> = (0..rows).map(|row| if row % 37 == 0 { -1 } else { kind(row) as i32 }).collect();
    let names = ["0.0", "0.1", "0.2.0", "0.2.1"].map(String::from).to_vec();
    let boost = Boost::new().rounds(20).categorical(&schema.categorical());
    let data = schema.encode(&table).unwrap();
    Surrogate::fit(&data, &labels, names, &boost, &run).unwrap().with_schema(schema).unwrap()
}

struct Place {
    folder: tempfile::TempDir,
    model: String,
    columns: String,
}

impl Place {
    fn new(surrogate: &Surrogate) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path: PathBuf = folder.path().join("it's a model.json");
        surrogate.save(&path).unwrap();
        let model = constant(path.to_str().unwrap());
        Place { folder, model, columns: columns_of(surrogate).unwrap().join(", ") }
    }

    async fn context(&self, rows: usize, abstain: Abstain) -> SessionContext {
        let path = self.folder.path().join("rows.parquet");
        write(&path, rows);
        let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(3));
        register(&context, abstain);
        context.register_parquet("rows", path.to_str().unwrap(), ParquetReadOptions::default()).await.unwrap();
        context
    }
}

async fn answer(context: &SessionContext, sql: &str) -> Vec<RecordBatch> {
    context.sql(sql).await.unwrap().collect().await.unwrap()
}

async fn refusal(context: &SessionContext, sql: &str) -> String {
    match context.sql(sql).await {
        Ok(frame) => frame.collect().await.unwrap_err().to_string(),
        Err(error) => error.to_string(),
    }
}

type Answer = (String, u64, Option<String>, Option<u64>);

/// For each id what was decided.
fn decisions(batches: &[RecordBatch]) -> HashMap<i64, Answer> {
    let mut found = HashMap::new();
    for batch in batches {
        let ids = batch.column(0).as_primitive::<Int64Type>();
        let decided = batch.column(1).as_struct();
        let (path, second) = (decided.column(0).as_string::<i32>(), decided.column(2).as_string::<i32>());
        let confidence = |column: usize, row: usize| {
            let column = decided.column(column).as_primitive::<Float64Type>();
            column.is_valid(row).then(|| column.value(row).to_bits())
        };
        for row in 0..batch.num_rows() {
            let runner_up = second.is_valid(row).then(|| second.value(row).to_string());
            let answer = (path.value(row).to_string(), confidence(1, row).unwrap(), runner_up, confidence(3, row));
            assert!(found.insert(ids.value(row), answer).is_none());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_get_the_bits_of_the_predictor() {
    let surrogate = surrogate();
    let place = Place::new(&surrogate);
    let rows = 20_000;
    for abstain in [Abstain::Never, Abstain::Share(0.1)] {
        let context = place.context(rows, abstain).await;
        let predictor = Predictor::new(surrogate.clone(), abstain).unwrap();
        let table = table(0..rows);
        let expected = predictor.decide_table(&table, &Run::new()).unwrap();
        let (model, columns) = (&place.model, &place.columns);
        let found = decisions(&answer(&context, &format!("SELECT id, decide({model}, {columns}) FROM rows")).await);
        assert_eq!(found.len(), rows);
        let mut away = 0;
        for (row, decision) in expected.iter().enumerate() {
            let path = decision.assigned().map_or("-", |to| to.path).to_string();
            away += usize::from(path == "-");
            let second = decision.runner_up.unwrap();
            let bits = (decision.best.confidence.to_bits(), second.confidence.to_bits());
            assert_eq!(found[&(row as i64)], (path, bits.0, Some(second.path.to_string()), Some(bits.1)), "{row}");
        }
        assert_eq!(away > rows / 20, abstain != Abstain::Never, "{away}");
        // The paths alone, in groups and in a condition; columns in another order, and more than are needed.
        let mut counts: HashMap<&str, i64> = HashMap::new();
        expected.iter().for_each(|to| *counts.entry(to.assigned().map_or("-", |to| to.path)).or_default() += 1);
        let call = format!("assign({model}, id, {})", columns.split(", ").collect::<Vec<_>>().join(", "));
        for batch in answer(&context, &format!("SELECT {call} AS c, count(*) FROM rows GROUP BY c")).await {
            for row in 0..batch.num_rows() {
                let (path, count) = (batch.column(0).as_string::<i32>(), batch.column(1).as_primitive::<Int64Type>());
                assert_eq!(counts.remove(path.value(row)), Some(count.value(row)));
            }
        }
        assert!(counts.is_empty(), "{counts:?}");
        let wanted = expected.iter().filter(|to| to.assigned().is_some_and(|to| to.path == "0.1")).count();
        let query = format!("SELECT count(*) FROM rows WHERE {call} = '0.1'");
        assert_eq!(answer(&context, &query).await[0].column(0).as_primitive::<Int64Type>().value(0), wanted as i64);
    }
}

/// A column of a subquery keeps its name, whatever it is computed from; so does a field of a struct.
#[tokio::test]
async fn columns_go_by_their_names() {
    let surrogate = surrogate();
    let place = Place::new(&surrogate);
    let context = place.context(5000, Abstain::Never).await;
    let (model, columns) = (&place.model, &place.columns);
    let plain = decisions(&answer(&context, &format!("SELECT id, decide({model}, {columns}) FROM rows")).await);
    let renamed = format!(
        "SELECT id, decide({model}, {columns}) FROM (SELECT id, amount AS \"spent €\", lower(p) AS plan, uses, seen, since, \
         member, visits + 0 AS visits FROM (SELECT id, \"spent €\" AS amount, upper(plan) AS p, uses, seen, since, member, \
         visits FROM rows))"
    );
    assert_eq!(decisions(&answer(&context, &renamed).await), plain);
    let fields: Vec<String> = columns.split(", ").map(|name| format!("'{}', {name}", name.trim_matches('"'))).collect();
    let as_struct = format!("SELECT id, decide({model}, named_struct({})) FROM rows", fields.join(", "));
    assert_eq!(decisions(&answer(&context, &as_struct).await), plain);
    let mixed = columns.replace("\"visits\"", "named_struct('visits', visits * 2 / 2)");
    assert_eq!(decisions(&answer(&context, &format!("SELECT id, decide({model}, {mixed}) FROM rows")).await), plain);
    // No rows are no error.
    assert!(
        decisions(&answer(&context, &format!("SELECT id, decide({model}, {columns}) FROM rows WHERE id < 0")).await)
            .is_empty()
    );
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let surrogate = surrogate();
    let place = Place::new(&surrogate);
    let context = place.context(200, Abstain::Never).await;
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
        println!("skipped: there is no program; build it by `cargo build --release --features cli` in the library's folder");
        return;
    };
    let rows = if cfg!(debug_assertions) { 50_000 } else { 1_000_000 };
    let surrogate = surrogate();
    let place = Place::new(&surrogate);
    let context = place.context(rows, Abstain::Share(0.05)).await;
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
