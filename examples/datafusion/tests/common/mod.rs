//! What the tests share: made-up people, a model of them, and what queries must give.

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{Float64Type, Int64Type};
use datafusion::prelude::SessionContext;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use recluster::boost::Boost;
use recluster::explain::{Abstain, Predictor, Surrogate};
use recluster::table::{Column, Field, Kind, Schema, Table, Values};
use recluster::{Run, Saved};
use recluster_datafusion::{columns_of, constant};
use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A number of 0 to 1 that looks random.
pub fn draw(row: usize, salt: u64) -> f64 {
    let x = ((row as u64 * 64 + salt) ^ 0x5bd1_e995).wrapping_mul(0x9e37_79b9_7f4a_7c15);
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
    let plan = if row >= 3000 && row.is_multiple_of(100) { "gold" } else { plans[at(10)] };
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

pub fn table(rows: Range<usize>) -> Table {
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

fn batch(rows: Range<usize>) -> RecordBatch {
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
pub fn write(path: &Path, rows: Range<usize>) {
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(rows.len().div_ceil(5)))
        .set_compression(Compression::SNAPPY)
        .build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch(0..1).schema(), Some(properties)).unwrap();
    for first in rows.clone().step_by(50_000) {
        writer.write(&batch(first..(first + 50_000).min(rows.end))).unwrap();
    }
    writer.close().unwrap();
}

/// A model of words, numbers, dates and several answers.
pub fn surrogate() -> Surrogate {
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

/// A folder with a model.
pub struct Place {
    pub folder: tempfile::TempDir,
    /// The path of the model, as a constant of SQL.
    pub model: String,
    /// The columns that it needs.
    pub columns: String,
}

impl Place {
    pub fn new(surrogate: &Surrogate) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path: PathBuf = folder.path().join("it's a model.json");
        surrogate.save(&path).unwrap();
        let model = constant(path.to_str().unwrap());
        Place { folder, model, columns: columns_of(surrogate).unwrap().join(", ") }
    }
}

pub async fn answer(context: &SessionContext, sql: &str) -> Vec<RecordBatch> {
    context.sql(sql).await.unwrap().collect().await.unwrap()
}

pub async fn refusal(context: &SessionContext, sql: &str) -> String {
    match context.sql(sql).await {
        Ok(frame) => frame.collect().await.unwrap_err().to_string(),
        Err(error) => error.to_string(),
    }
}

pub type Answer = (String, u64, Option<String>, Option<u64>);

/// For each id what was decided.
pub fn decisions(batches: &[RecordBatch]) -> HashMap<i64, Answer> {
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

/// Each row of the table `rows`, whose ids are 0 and up, gets the bits of the predictor.
pub async fn same_bits(context: &SessionContext, place: &Place, surrogate: &Surrogate, abstain: Abstain, rows: usize) {
    let predictor = Predictor::new(surrogate.clone(), abstain).unwrap();
    let table = table(0..rows);
    let expected = predictor.decide_table(&table, &Run::new()).unwrap();
    let (model, columns) = (&place.model, &place.columns);
    let found = decisions(&answer(context, &format!("SELECT id, decide({model}, {columns}) FROM rows")).await);
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
    for batch in answer(context, &format!("SELECT {call} AS c, count(*) FROM rows GROUP BY c")).await {
        for row in 0..batch.num_rows() {
            let (path, count) = (batch.column(0).as_string::<i32>(), batch.column(1).as_primitive::<Int64Type>());
            assert_eq!(counts.remove(path.value(row)), Some(count.value(row)));
        }
    }
    assert!(counts.is_empty(), "{counts:?}");
    let wanted = expected.iter().filter(|to| to.assigned().is_some_and(|to| to.path == "0.1")).count();
    let query = format!("SELECT count(*) FROM rows WHERE {call} = '0.1'");
    assert_eq!(answer(context, &query).await[0].column(0).as_primitive::<Int64Type>().value(0), wanted as i64);
}

/// A column of a subquery keeps its name, whatever it is computed from; so does a field of a struct.
pub async fn same_names(context: &SessionContext, place: &Place) {
    let (model, columns) = (&place.model, &place.columns);
    let plain = decisions(&answer(context, &format!("SELECT id, decide({model}, {columns}) FROM rows")).await);
    let renamed = format!(
        "SELECT id, decide({model}, {columns}) FROM (SELECT id, amount AS \"spent €\", lower(p) AS plan, uses, seen, since, \
         member, visits + 0 AS visits FROM (SELECT id, \"spent €\" AS amount, upper(plan) AS p, uses, seen, since, member, \
         visits FROM rows))"
    );
    assert_eq!(decisions(&answer(context, &renamed).await), plain);
    let fields: Vec<String> = columns.split(", ").map(|name| format!("'{}', {name}", name.trim_matches('"'))).collect();
    let as_struct = format!("SELECT id, decide({model}, named_struct({})) FROM rows", fields.join(", "));
    assert_eq!(decisions(&answer(context, &as_struct).await), plain);
    let mixed = columns.replace("\"visits\"", "named_struct('visits', visits * 2 / 2)");
    assert_eq!(decisions(&answer(context, &format!("SELECT id, decide({model}, {mixed}) FROM rows")).await), plain);
    // No rows are no error.
    assert!(
        decisions(&answer(context, &format!("SELECT id, decide({model}, {columns}) FROM rows WHERE id < 0")).await)
            .is_empty()
    );
}
