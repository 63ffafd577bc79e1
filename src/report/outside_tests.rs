//! Outside variables in the report.

use super::outside::{Cell, Line, Tables, Variable};
use super::tests::{data, fitted};
use super::*;
use crate::Error;
use crate::explain::Outside;
use crate::table::{Field, Kind, Role};
use ndarray::Array2;

/// 20 rows of a first leaf, 12 of a second, 4 of a third, 4 of none.
fn leaves() -> Vec<i32> {
    [(0, 20), (1, 12), (2, 4), (-1, 4)].iter().flat_map(|&(leaf, rows)| vec![leaf; rows]).collect()
}

fn counted(fields: Vec<Field>, columns: &[Vec<f32>]) -> Tables {
    let schema = Schema::new(fields).unwrap();
    let data = Array2::from_shape_fn((columns[0].len(), columns.len()), |(row, column)| columns[column][row]);
    Tables::of(Text::english(), &schema, &Outside::new().of(&schema, &data, &leaves(), None, &Run::new()).unwrap(), 3)
}

fn repeated(runs: &[(f32, usize)]) -> Vec<f32> {
    runs.iter().flat_map(|&(value, rows)| vec![value; rows]).collect()
}

/// NL, PT.
fn country() -> Vec<f32> {
    repeated(&[(1.0, 15), (0.0, 5), (1.0, 3), (0.0, 9), (1.0, 2), (0.0, 6)])
}

fn named<'a>(found: &'a Tables, name: &str) -> &'a Variable {
    found.variables.iter().find(|variable| variable.name == name).unwrap()
}

#[test]
fn shares_are_those_counted_by_hand() {
    let field = Field::new("country", Kind::Category).with_levels(["NL", "PT", "never"]);
    let found = counted(vec![field], &[country()]);
    let country = named(&found, "country");
    assert_eq!((country.heads.join(", ").as_str(), country.kind.as_str()), ("NL, PT", "category of 3 levels"));
    let words = |line: &Line| line.cells.iter().map(|cell| cell.words.clone()).collect::<Vec<_>>();
    let some = |all: [&str; 2]| all.map(|text| Some(text.replace(' ', "\u{a0}"))).to_vec();
    assert_eq!((country.all.present, words(&country.all)), (40, some(["50 %", "50 %"])));
    assert_eq!(words(&country.leaves[0]), some(["25 %", "75 %"]));
    assert_eq!(words(&country.leaves[1]), some(["75 %", "25 %"]));
    assert_eq!(country.leaves[2], Line { present: 4, cells: vec![Cell::default(); 2] });
    // 15 of 20 against 3 of 12: Pearson's statistic is 7.619, of one degree of freedom.
    assert_eq!(country.verdict, "Differs between the clusters (adjusted p .0058).");
    assert_eq!(country.leaves[0].cells[1].index, Some(150.0));
    let tip = country.leaves[0].cells[1].tip.as_deref().unwrap().replace('\u{a0}', " ");
    assert_eq!(tip, "20 rows; 95 % interval 53.1 % to 88.8 %");
    let names = |leaf: usize| found.differences[leaf].iter().map(|d| d.name.as_str()).collect::<Vec<_>>();
    assert_eq!((names(0), names(1), names(2)), (vec!["country = PT"], vec!["country = NL"], vec![]));
}

#[test]
fn averages_leave_missing_values_out_and_name_them() {
    let mut age: Vec<f32> = (1..=20).map(|age| age as f32).collect();
    age.extend(repeated(&[(100.0, 9), (f32::NAN, 3), (10.0, 4), (f32::NAN, 4)]));
    let nothing = vec![f32::NAN; 40];
    let fields = vec![Field::new("age", Kind::Number), Field::new("empty", Kind::Number)];
    let found = counted(fields, &[age, nothing]);
    assert_eq!(found.skipped, [("empty".to_string(), "it has no values".to_string())]);
    let age = named(&found, "age");
    assert_eq!(age.heads, ["Mean", "Median", "Missing"]);
    let words = |line: &Line| {
        line.cells.iter().map(|cell| cell.words.clone().unwrap_or_default()).collect::<Vec<_>>().join(", ")
    };
    let line = |line: &Line| (line.present, words(line).replace('\u{a0}', " "));
    // (210 + 900 + 40) / 33, and the 17th of 33.
    assert_eq!(line(&age.all), (33, "34.8, 13, 18 %".into()));
    assert_eq!(line(&age.leaves[0]), (20, "10.5, 10.5, 0 %".into()));
    assert_eq!(line(&age.leaves[1]), (9, ", , 25 %".into()));
    assert_eq!(line(&age.leaves[2]), (4, ", , ".into()));
    assert_eq!(age.verdict, "Not tested.", "one leaf alone has ten values");
}

#[test]
fn frequent_levels_are_shown_and_answers_are_a_table() {
    let ten: Vec<String> = (0..10).map(|level| format!("l{level}")).collect();
    let fields = vec![
        Field::new("answers", Kind::Answers).with_levels(["a", "b"]),
        Field::new("flag", Kind::Flag).with_levels(["no", "yes"]),
        Field::new("of ten", Kind::Category).with_levels(ten.clone()),
        Field::new("steps", Kind::Ordinal).with_levels(ten),
    ];
    // Levels 0 and 1 three times each, 2 to 7 four, 8 and 9 five.
    let level = |row: usize| (if row < 38 { 9 - row % 10 } else { 9 - (row - 38) }) as f32;
    let columns: [Vec<f32>; 5] = [
        vec![1.0; 40],
        (0..40).map(|row| f32::from(row < 10)).collect(),
        vec![0.0; 40],
        (0..40).map(level).collect(),
        (0..40).map(level).collect(),
    ];
    let found = counted(fields, &columns);
    assert_eq!(named(&found, "answers").heads, ["a", "b"]);
    assert_eq!(named(&found, "flag").heads, ["yes"]);
    assert_eq!(named(&found, "of ten").heads, ["l8", "l9", "l2", "l3", "l4", "l5", "l6", "l7"]);
    assert_eq!(named(&found, "steps").heads, ["l2", "l3", "l4", "l5", "l6", "l7", "l8", "l9"]);
    assert!(named(&found, "steps").kind.ends_with(", the 8 most frequent"));
    // The flag is set in 10 of 20 rows, and in 0 of 12.
    let names = |leaf: usize| found.differences[leaf].iter().map(|d| d.name.as_str()).collect::<Vec<_>>();
    assert_eq!((names(0), names(1)), (vec!["answers: b"], vec!["answers: b"]));
}

/// The country of two in three of the first cluster is `<b>`, that of all others another; the third has an age in six rows.
fn outside(data: &Array2<f32>) -> (Schema, Array2<f32>) {
    let mut note = Field::new("<note>", Kind::Category);
    (note.role, note.reason) = (Role::Dropped, Some("texts <alike>".into()));
    let country = Field::new("<country>", Kind::Category).with_levels(["<b>", "a & c"]);
    let schema = Schema::new(vec![country, Field::new("age", Kind::Number), note]).unwrap();
    let of = |x: f32, column: usize| match column {
        0 => f32::from(x >= 20.0),
        _ if (61.0..87.0).contains(&x) => f32::NAN,
        _ => x,
    };
    let values = Array2::from_shape_fn((data.nrows(), 2), |(row, column)| of(data[[row, 0]], column));
    (schema, values)
}

fn told(schema: &Schema, values: &Array2<f32>, tree: &ClusterTree) -> Vec<OutsideVariable> {
    Outside::new().of(schema, values, &tree.leaf_labels(), None, &Run::new()).unwrap()
}

#[test]
fn the_page_has_a_table_and_each_card_a_line() {
    let data = data();
    let tree = fitted(&data);
    let (schema, values) = outside(&data);
    let found = told(&schema, &values, &tree);
    let html = Report::new(&tree, &data).outside(&schema, &found).render().unwrap().replace('\u{a0}', " ");
    for part in [
        "<h2 class=\"page\">Outside variables</h2><p>These columns did not make the clusters.</p>",
        "&lt;country&gt;",
        "a &amp; c",
        "<b>Outside:</b> age <b>",
        " &lt;country&gt; = &lt;b&gt; <b>67 %</b> (54 % to 77 %; all rows 22 %, index 300)",
        "<b>67 %</b> <small>300</small>",
        "60 rows; 95 % interval 54.1 % to 77.3 %",
        "too few",
        "Missing",
        "<b>&lt;note&gt;</b> (texts &lt;alike&gt;)",
        ".outside",
    ] {
        assert!(html.contains(part), "{part}");
    }
    assert!(["<country>", "a & c", "<note>", "<alike>"].iter().all(|raw| !html.contains(raw)));
    let turned = |table: &Array2<f32>| table.slice(ndarray::s![..;-1, ..]).to_owned();
    let (data, values) = (turned(&data), turned(&values));
    let tree = fitted(&data);
    let found = told(&schema, &values, &tree);
    let again = Report::new(&tree, &data).outside(&schema, &found).render().unwrap().replace('\u{a0}', " ");
    assert!(html == again, "the order of rows changed the report");
}

#[test]
fn without_outside_variables_the_page_is_as_it_was() {
    let data = data();
    let tree = fitted(&data);
    let plain = Report::new(&tree, &data).render().unwrap();
    assert!(!plain.contains("utside"));
    // Where none can be shown, the reasons alone are added.
    let (schema, values) = outside(&data);
    let notes = Schema::new(vec![schema.fields()[1].clone()]).unwrap();
    let html = Report::new(&tree, &data).outside(&notes, &[]).render().unwrap();
    let start = html.find("<h2 class=\"page\">Outside variables").unwrap();
    let end = start + html[start..].find("<h2 class=\"page\">How this was made").unwrap();
    let css = include_str!("outside.css");
    assert!([&html[..start], &html[end..]].concat().replace(css, "") == plain);
    let found = told(&schema, &values, &tree);
    let shape = |schema: &Schema, found: &[OutsideVariable]| {
        matches!(Report::new(&tree, &data).outside(schema, found).render(), Err(Error::Shape { .. }))
    };
    assert!(shape(&notes, &found) && shape(&schema, &found[1..]));
    // Of the leaves of another tree.
    let others = Outside::new().of(&schema, &values, &vec![0; data.nrows()], None, &Run::new()).unwrap();
    assert!(shape(&schema, &others));
}
