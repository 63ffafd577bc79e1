//! The report of tables and trees that are odd.

use crate::made::{self, Grid, Lead, Nothing, why};
use ndarray::Array2;
use recluster::Run;
use recluster::recursive::RecursiveTree;
use recluster::report::Report;
use recluster::table::{Column, Schema, Table, Values};

/// That every tag that opens closes, and that no script is among them.
fn sound(html: &str) {
    assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>"));
    for tag in ["section", "div", "article", "svg", "table", "ul", "dl", "p", "button", "bdi", "title", "text"] {
        let opened = html.matches(&format!("<{tag} ")).count() + html.matches(&format!("<{tag}>")).count();
        assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{tag}");
    }
    let lower = html.to_ascii_lowercase();
    for bad in ["<script", "<img src=x", "onerror=\"", "javascript:\""] {
        assert!(!lower.contains(bad), "{bad}");
    }
    let texts = html.split("base64,").map(|part| part.split_once('"').map_or(part, |p| p.1));
    assert!(!texts.clone().any(|text| text.contains("NaN") || text.contains(">inf")), "a number that is none");
}

#[test]
fn ten_thousand_columns_with_absurd_names() {
    let data = made::table(300, 10_000);
    let names: Vec<String> = (0..10_000)
        .map(|c| match c % 6 {
            0 => String::new(),
            1 => "<script>alert(1)</script>".to_string(),
            2 => "x".repeat(10_000),
            3 => "\u{202e}\u{2066}مرحبا\u{0}\n\t".to_string(),
            4 => "\"><img src=x onerror=\"alert(1)\">".to_string(),
            _ => "👩‍👩‍👧‍👦 ą̷̧̛̳̥͙".to_string(),
        })
        .collect();
    let mut tree = RecursiveTree::new(Lead, Grid { width: 3 }).levels(1).fit(&data, &Run::new()).unwrap();
    for (path, name) in
        [("0", names[1].clone()), ("0.0", names[2].clone()), ("0.1", names[3].clone()), ("0.2", names[4].clone())]
    {
        tree.set_name(path, name).unwrap();
    }
    let report = Report::new(&tree, &data).title(&*names[4]).feature_names(&names).setting(&*names[1], &names[4]);
    let rows = report.sample(40).unwrap();
    let why = why(&data, &rows, 3);
    let html = report.explanation(rows, &why).render().unwrap();
    sound(&html);
    assert!(html.len() < 2_000_000, "{}", html.len());
}

#[test]
fn one_node_ten_rows_and_rows_that_are_all_noise() {
    let data = made::table(10, 3);
    let whole = RecursiveTree::new(Lead, Grid { width: 1 }).fit(&data, &Run::new()).unwrap();
    assert_eq!(whole.nodes().len(), 1);
    let html = Report::new(&whole, &data)
        .explanation((0..10).collect(), &why(&data, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 1))
        .render();
    let html = html.unwrap();
    sound(&html);
    assert!(html.contains("No clusters were found"));
    let split = RecursiveTree::new(Lead, Grid { width: 2 }).min_size(1usize).levels(3).fit(&data, &Run::new()).unwrap();
    sound(&Report::new(&split, &data).render().unwrap());
    let noise = RecursiveTree::new(Lead, Nothing).fit(&made::table(500, 4), &Run::new()).unwrap();
    let html = Report::new(&noise, &made::table(500, 4)).render().unwrap();
    sound(&html);
    let equal = Array2::from_elem((40, 5), 7.0f32);
    let same = RecursiveTree::new(Lead, Grid { width: 2 }).fit(&equal, &Run::new()).unwrap();
    sound(&Report::new(&same, &equal).render().unwrap());
}

#[test]
fn a_table_of_words_only() {
    let words = ["<b>да</b>", "نعم", "はい", "no", "\u{202e}sey"];
    let answers = |step: usize| Values::words((0..200).map(|i| Some(words[i * step % 5])));
    let table = Table::new(vec![
        Column::new("<i>first</i>", answers(1)),
        Column::new("السؤال الثاني", answers(2)),
        Column::new("三", answers(3)),
    ])
    .unwrap();
    let schema = Schema::infer(&table);
    let data = schema.encode(&table).unwrap();
    let tree = RecursiveTree::new(Lead, Grid { width: 3 }).levels(1).fit(&data, &Run::new()).unwrap();
    let rows: Vec<u32> = (0..200).collect();
    let why = why(&data, &rows, tree.leaves().count());
    let html = Report::new(&tree, &data).schema(&schema).explanation(rows, &why).render().unwrap();
    sound(&html);
    assert!(html.contains("&lt;i&gt;first") && !html.contains("<i>"));
}
