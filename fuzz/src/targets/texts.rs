//! Files that people write: kinds of columns, names of clusters, texts of a report.

use super::files::with_file;
use super::measured;
use crate::{kinds, names};
use ndarray::Array2;
use recluster::Run;
use recluster::cluster::KMeans;
use recluster::embed::Identity;
use recluster::recursive::{ClusterTree, RecursiveTree};
use recluster::report::{Report, Text};
use recluster::table::{Column, Schema, Table, Values};
use std::sync::LazyLock;

fn table() -> Table {
    let words = |all: &'static [&'static str]| Values::words((0..12).map(|i| Some(all[i % all.len()])));
    let numbers = Values::numbers((0..12).map(|i| if i == 5 { f64::NAN } else { f64::from(i) * 1.5 }));
    Table::new(vec![
        Column::new("n", numbers),
        Column::new("w", words(&["low", "high", "middle", "2,5"])),
        Column::new("a", words(&["x;y", "y", "z;x"])),
        Column::new("d", Values::dates((0..12).map(|i| 19_000.0 + f64::from(i)))),
        Column::new("f", Values::flags((0..12).map(|i| Some(i % 3 == 0)))),
    ])
    .unwrap()
}

static TABLE: LazyLock<(Table, Schema)> = LazyLock::new(|| {
    let table = table();
    let schema = Schema::infer(&table);
    (table, schema)
});

static TREE: LazyLock<(Array2<f32>, ClusterTree)> = LazyLock::new(|| {
    let rows = Array2::from_shape_fn((30, 2), |(i, j)| (i % 3 * 50 + i / 3 + j) as f32);
    let tree = RecursiveTree::new(Identity, KMeans::new(3)).levels(1).fit(&rows, &Run::new().threads(1)).unwrap();
    (rows, tree)
});

pub fn texts(data: &[u8]) {
    let ((table, schema), (rows, tree)) = (&*TABLE, &*TREE);
    with_file(".txt", data, |path| {
        measured(data, || {
            if let Ok(amendments) = kinds::read(path)
                && let Ok(schema) = schema.clone().amended(table, &amendments)
                && let Ok(values) = schema.encode(table)
            {
                assert_eq!(values.dim(), (table.rows(), schema.features().len()));
                schema.kinds_in_words().for_each(drop);
                schema.features().iter().for_each(|feature| drop(feature.words(1.5)));
                let _ = schema.profiles().map(|profiles| profiles.encode(table));
            }
            if let Ok(names) = names::read(path, tree) {
                let mut tree = tree.clone();
                names.iter().for_each(|(at, name)| drop(tree.set_name(&at.to_string(), name.as_str())));
                Report::new(&tree, rows).render().unwrap();
            }
            if let Ok(text) = Text::read(path) {
                Report::new(tree, rows).text(text).render().unwrap();
            }
        });
    });
}
