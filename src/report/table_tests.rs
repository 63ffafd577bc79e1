//! The report of a table in its own words.

use super::*;
use crate::Error;
use crate::recursive::RecursiveTree;
use crate::table::{Amendment, Column, Kind, Role, Table, Values};
use crate::{Clusterer, Clustering, Embedder};
use ndarray::{Array1, Array2, Array3, s};

/// Keeps the contract and the rating.
struct First;
impl Embedder for First {
    fn embed(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Array2<f32>> {
        Ok(rows.slice(s![.., ..2]).to_owned())
    }

    fn takes_missing(&self) -> bool {
        true
    }
}

/// A cluster for each contract.
struct Contracts;
impl Clusterer for Contracts {
    fn cluster(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Clustering> {
        Clustering::compact(rows.column(0).iter().map(|&x| x as i32).collect())
    }
}

/// 240 customers: the contract makes the clusters; those of two years are satisfied, stay long and often hide their income.
fn customers() -> Table {
    let contract = |i: usize| ["month-to-month", "two year"][usize::from(i.is_multiple_of(4))];
    let long = |i: usize| i.is_multiple_of(4);
    let rating = |i: usize| ["low", "medium", "high"][if long(i) { 1 + i / 4 % 2 } else { i / 4 % 2 }];
    let hidden = |i: usize| i.is_multiple_of(8) || i % 40 == 1;
    let income = |i: usize| if hidden(i) { f64::NAN } else { 1000.5 + (i * 37 % 91) as f64 };
    let channels = |i: usize| if long(i) { "email;shop" } else { ["phone", "email"][i / 4 % 2] };
    let texts = |of: &dyn Fn(usize) -> String| Values::words((0..240).map(|i| Some(of(i))));
    Table::new(vec![
        Column::new("Contract", texts(&|i| contract(i).into())),
        Column::new("customer", texts(&|i| format!("<c{i}>"))),
        Column::new("country", texts(&|_| "NL & BE".into())),
        Column::new("rating", texts(&|i| rating(i).into())),
        Column::new("reach us by (several answers are possible)", texts(&|i| channels(i).into())),
        Column::new("tenure", Values::numbers((0..240).map(|i| (if long(i) { 40 } else { 5 } + i * 7 % 23) as f64))),
        Column::new("worth", Values::numbers((0..240).map(income))),
    ])
    .unwrap()
}

fn schema(table: &Table) -> Schema {
    let ordered = Amendment {
        name: "rating".into(),
        kind: Some(Kind::Ordinal),
        levels: Some(["low", "medium", "high"].map(String::from).to_vec()),
        ..Amendment::default()
    };
    let answers = Amendment {
        name: "reach us by (several answers are possible)".into(),
        kind: Some(Kind::Answers),
        ..Amendment::default()
    };
    Schema::infer(table).amended(table, &[ordered, answers]).unwrap()
}

/// Attributions to two leaves that are a function of the row's values alone; two years speak for the second leaf.
fn why(data: &Array2<f32>, rows: &[u32]) -> Explanation {
    let values = Array3::from_shape_fn((rows.len(), data.ncols(), 2), |(i, j, leaf)| {
        let (row, sign) = (data.row(rows[i] as usize), [-1.0, 1.0][leaf]);
        sign * match (j, row[j].is_nan()) {
            (0, _) => f64::from(row[0] - 0.5) * 3.0,
            (1, _) => f64::from(row[1] - 0.5),
            (_, true) => 0.4,
            (j, _) if j + 2 == data.ncols() => f64::from((row[j] - 36.0).signum()) * 0.6,
            (j, _) => f64::from(row[j] % 2.0 - 0.5) * 0.01,
        }
    });
    Explanation::new(values, Array1::zeros(2)).unwrap()
}

fn render(table: &Table) -> String {
    let schema = schema(table);
    let data = schema.encode(table).unwrap();
    let tree = RecursiveTree::new(First, Contracts).levels(1).fit(&data, &Run::new()).unwrap();
    let report = Report::new(&tree, &data).schema(&schema).note_of_data("3 rows are in no cluster <x>.");
    let rows = report.sample(200).unwrap();
    let why = why(&data, &rows);
    report.explanation(rows, &why).render().unwrap()
}

#[test]
fn clusters_are_described_in_the_tables_words() {
    let html = render(&customers()).replace('\u{a0}', " ");
    for part in [
        // Statistics.
        "100 % have Contract = two year (25 % of all rows)",
        "<title>Contract = two year</title>",
        "100 % (25 %)",
        "Contract = two year: 100 % (25 %)",
        "<title>reach us by (several answers are possible): shop</title>",
        ">reach us by (several answers are poss…: shop<",
        "rating: at least medium",
        "<title>worth missing</title>",
        "50 % (15 %)",
        // Attributions.
        "<b>Contract</b> = two year speaks for this cluster, month-to-month against it (100 % here, 25 % of all rows)",
        "<b>Contract</b> = month-to-month speaks for this cluster, two year against it",
        "<b>rating</b>",
        "or more speaks for this cluster (average here ",
        "orange dots are the levels that speak for the cluster",
        // The data.
        "5</b><span>questions",
        "category of 2 levels",
        "ordinal of 3 levels",
        "low &lt; medium &lt; high",
        "Columns that were set aside",
        "NL &amp; BE",
        "names the rows",
        "3 rows are in no cluster &lt;x&gt;.",
    ] {
        assert!(html.contains(part), "{part}");
    }
    // No mean of level numbers, and nothing unescaped.
    for part in ["Contract is", "rating is", "high values speak for this cluster (average here 1", "<x>", "unknown"] {
        assert!(!html.contains(part), "{part}");
    }
}

#[test]
fn the_order_of_rows_changes_no_word() {
    let table = customers();
    let turned = table.select(&(0..240).rev().collect::<Vec<u32>>()).unwrap();
    assert!(render(&table) == render(&turned));
}

#[test]
fn a_schema_that_does_not_fit_is_an_error_and_roles_are_named() {
    let table = customers();
    let whole = schema(&table);
    let data = whole.encode(&table).unwrap();
    let tree = RecursiveTree::new(First, Contracts).levels(1).fit(&data, &Run::new()).unwrap();
    let other = whole.clone().with_role(Role::Profile, &["tenure"]).unwrap();
    assert!(matches!(Report::new(&tree, &data).schema(&other).render(), Err(Error::Shape { .. })));
    let data = other.encode(&table).unwrap();
    let tree = RecursiveTree::new(First, Contracts).levels(1).fit(&data, &Run::new()).unwrap();
    assert!(Report::new(&tree, &data).schema(&other).render().unwrap().contains("an outside variable"));
    // Without a schema, averages of numbers as before.
    let html = Report::new(&tree, &data).render().unwrap();
    assert!(html.contains("column 1 is higher") && !html.contains("The data"));
}
