//! The recursion itself, on plug-ins whose results are known beforehand.

use ndarray::{Array2, ArrayRef2, Axis};
use proptest::prelude::*;
use recluster::embed::{Scaled, Scaling};
use recluster::recursive::{NodeInfo, RecursiveTree, StopReason};
use recluster::{Cancel, Clusterer, Clustering, Embedder, Error, NOISE, Result, Run};

/// Leaves the rows as they are.
struct Identity;
impl Embedder for Identity {
    fn embed(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Array2<f32>> {
        Ok(rows.to_owned())
    }
}

/// The rows of a node by what stands in one column; values below zero are noise.
struct ByColumn(usize);
impl Clusterer for ByColumn {
    fn cluster(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Clustering> {
        let label = |row: ndarray::ArrayView1<'_, f32>| if row[self.0] < 0.0 { NOISE } else { row[self.0] as i32 };
        let labels: Vec<i32> = rows.axis_iter(Axis(0)).map(label).collect();
        let clustering = Clustering::compact(labels)?;
        let persistence = (0..clustering.clusters()).map(|c| 1.0 / (c + 1) as f64).collect();
        clustering.with_persistence(persistence)
    }
}

/// Column 0: 3 groups of 60, 30 and 10 rows; column 1: halves, where the first group also has 6 rows of noise;
/// column 2 tells all rows apart.
fn table() -> Array2<f32> {
    Array2::from_shape_fn((100, 3), |(i, j)| match j {
        0 => [2.0, 0.0, 1.0][usize::from(i >= 60) + usize::from(i >= 90)],
        1 if i < 60 && i % 10 == 0 => -1.0,
        1 => (i % 2) as f32,
        _ => i as f32 / 7.0,
    })
}

fn plan() -> RecursiveTree<Identity, ByColumn> {
    RecursiveTree::by_node(|_| Identity, |node| ByColumn(node.level() - 1)).min_rows(2)
}

#[test]
fn every_row_has_one_path_and_children_are_numbered_from_the_largest() {
    let tree = plan().fit(&table(), &Run::new()).unwrap();
    let paths: Vec<String> = tree.nodes().iter().map(|node| node.path().to_string()).collect();
    assert_eq!(paths, ["0", "0.0", "0.0.0", "0.0.1", "0.1", "0.1.0", "0.1.1", "0.2", "0.2.0", "0.2.1"]);
    let group = tree.node("0.0").unwrap();
    assert_eq!((group.rows().len(), group.share(), group.noise(), group.level()), (60, 0.6, 6, 2));
    assert_eq!(group.rows(), (0..60).collect::<Vec<u32>>());
    assert_eq!(group.persistence(), Some(1.0 / 3.0), "cluster 2 of the clusterer is child 0");
    assert_eq!(group.labels()[10], NOISE);
    assert_eq!(tree.paths()[10], "0.0.-");
    assert_eq!(tree.paths()[95], tree.leaves().nth(tree.leaf_labels()[95] as usize).unwrap().path().to_string());
    assert_eq!(tree.leaf_labels()[10], NOISE);
    assert_eq!(group.embedding().unwrap(), &table().slice(ndarray::s![..60, ..]));
    assert_eq!(tree.levels(), 2);
    for node in tree.nodes() {
        assert_eq!(node.is_leaf(), node.stop_reason().is_some());
        assert_eq!(tree.children(node).len(), node.children());
        assert!(tree.children(node).all(|child| tree.parent(child) == Some(node)));
    }
}

#[test]
fn each_limit_stops_with_its_reason() {
    let reason = |plan: RecursiveTree<Identity, ByColumn>, path: &str| {
        plan.fit(&table(), &Run::new()).unwrap().node(path).unwrap().stop_reason().cloned()
    };
    assert_eq!(reason(plan(), "0.0.0"), Some(StopReason::LastLevel { levels: 2 }));
    assert_eq!(reason(plan().levels(1), "0.1"), Some(StopReason::LastLevel { levels: 1 }));
    assert_eq!(reason(plan().min_size(0.3), "0.1"), None, "exactly the least share is zoomed into");
    assert_eq!(
        reason(plan().min_size(0.2), "0.2"),
        Some(StopReason::SizeOfAll { rows: 10, total_rows: 100, least: 0.2.into() })
    );
    let reason_of_parent = reason(plan().min_size_of_parent(0.5), "0.1");
    assert_eq!(reason_of_parent, Some(StopReason::SizeOfParent { rows: 30, parent_rows: 100, least: 0.5.into() }));
    assert_eq!(reason(plan().min_rows(11), "0.2"), Some(StopReason::Rows { rows: 10, least: 11 }));
    assert_eq!(reason(plan().min_rows(101), "0"), Some(StopReason::Rows { rows: 100, least: 101 }));
    let one = RecursiveTree::new(Identity, ByColumn(0)).min_rows(2);
    assert_eq!(reason(one, "0.0"), Some(StopReason::OneCluster { clusters: 1 }));
}

#[test]
fn settings_out_of_range_and_bad_tables_are_errors() {
    let fails = |plan: RecursiveTree<Identity, ByColumn>| plan.fit(&table(), &Run::new()).unwrap_err();
    assert!(matches!(fails(plan().levels(0)), Error::Setting { name: "levels", .. }));
    assert!(matches!(fails(plan().min_size(1.5)), Error::Setting { name: "min_size", .. }));
    assert!(matches!(fails(plan().min_size_of_parent(f64::NAN)), Error::Setting { .. }));
    let mut bad = table();
    bad[[17, 2]] = f32::NAN;
    let error = plan().fit(&bad, &Run::new()).unwrap_err();
    assert!(matches!(error, Error::NotFinite { row: 17, column: 2, .. }), "{error}");
    assert!(matches!(plan().fit(&Array2::zeros((0, 3)), &Run::new()), Err(Error::Empty { .. })));
}

#[test]
fn plug_ins_that_break_their_contract_are_named() {
    struct Drops;
    impl Embedder for Drops {
        fn embed(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Array2<f32>> {
            Ok(rows.slice(ndarray::s![1.., ..]).to_owned())
        }
    }
    struct Breaks;
    impl Embedder for Breaks {
        fn embed(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Array2<f32>> {
            Ok(rows.mapv(|value| if value == 3.0 { f32::NAN } else { value }))
        }
    }
    struct Short;
    impl Clusterer for Short {
        fn cluster(&self, _rows: &ArrayRef2<f32>, _run: &Run) -> Result<Clustering> {
            Clustering::new(vec![0, 1])
        }
    }
    let error = RecursiveTree::new(Drops, ByColumn(0)).fit(&table(), &Run::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the embedder \"Drops\" broke its contract: 100 rows went in, 99 rows x 3 columns came out"
    );
    let error = RecursiveTree::new(Breaks, ByColumn(0)).fit(&table(), &Run::new()).unwrap_err();
    assert!(error.to_string().ends_with("a value in column 2 is NaN (row 21)"), "{error}");
    let error = RecursiveTree::new(Identity, Short).fit(&table(), &Run::new()).unwrap_err();
    assert!(error.to_string().contains("100 rows went in, 2 labels came out"), "{error}");
}

#[test]
fn a_method_that_needs_more_rows_fails_at_the_root_and_stops_below() {
    struct Needs(usize);
    impl Embedder for Needs {
        fn embed(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Array2<f32>> {
            match rows.nrows() {
                rows if rows < self.0 => Err(Error::TooFewRows { method: "needs", needed: self.0, rows }),
                _ => Ok(rows.to_owned()),
            }
        }
    }
    let plan = |needs| RecursiveTree::by_node(move |_| Needs(needs), |node| ByColumn(node.level() - 1)).min_rows(1);
    let tree = plan(40).fit(&table(), &Run::new()).unwrap();
    assert_eq!(tree.node("0.1").unwrap().stop_reason(), Some(&StopReason::TooFewRows { rows: 30, needed: 40 }));
    assert!(matches!(plan(101).fit(&table(), &Run::new()), Err(Error::TooFewRows { rows: 100, needed: 101, .. })));
}

#[test]
fn boxed_algorithms_and_choices_by_node_plug_in() {
    let embedder = |_: &NodeInfo| -> Box<dyn Embedder> { Box::new(Identity) };
    let clusterer = |node: &NodeInfo| -> Box<dyn Clusterer> { Box::new(ByColumn(node.level() - 1)) };
    let tree = RecursiveTree::by_node(embedder, clusterer).min_rows(2).fit(&table(), &Run::new()).unwrap();
    assert_eq!(tree.clusterer(), "ByColumn");
    assert_eq!(tree, plan().fit(&table(), &Run::new()).unwrap());
}

#[test]
fn a_plan_of_boxed_parts_is_copied_and_listed() {
    let (embedder, clusterer): (Box<dyn Embedder>, Box<dyn Clusterer>) = (Box::new(Identity), Box::new(ByColumn(0)));
    let boxed = RecursiveTree::new(embedder, clusterer).levels(1).min_rows(2);
    let copy = boxed.clone();
    let listed = format!("{copy:?}");
    assert!(listed.contains("embedder: \"Identity\", clusterer: \"ByColumn\""), "{listed}");
    assert!(listed.contains("levels: 1"), "{listed}");
    assert!(format!("{:?}", plan()).contains("clusterer: \"chosen by node\""));
    let fit = |plan: &RecursiveTree<_, _>| plan.fit(&table(), &Run::new()).unwrap();
    assert_eq!(fit(&boxed), fit(&copy));
}

#[test]
fn a_cancelled_run_ends_with_an_error() {
    struct Patient;
    impl Embedder for Patient {
        fn embed(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
            run.stage("waiting", 1).check()?;
            Ok(rows.to_owned())
        }
    }
    let cancel = Cancel::default();
    cancel.cancel();
    let failed = RecursiveTree::new(Patient, ByColumn(0)).fit(&table(), &Run::new().cancel(cancel));
    assert!(matches!(failed, Err(Error::Cancelled { stage: "waiting" })));
}

#[test]
fn text_shows_each_node_on_a_line() {
    let text = plan().levels(1).fit(&table(), &Run::new()).unwrap().to_text(|node| format!("<{}>", node.level()));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "path   rows    share  persistence");
    assert_eq!(lines[1], "0       100  100.0 %            -  <1>");
    assert_eq!(lines[2], "  0.0    60   60.0 %         0.33  <2>");
}

#[cfg(feature = "serde")]
#[test]
fn a_tree_is_saved_and_loaded_whole() {
    use recluster::Saved;
    let tree = plan().fit(&table(), &Run::new().seed(9)).unwrap();
    let loaded = recluster::recursive::ClusterTree::from_json(&tree.to_json().unwrap()).unwrap();
    assert_eq!(loaded, tree);
    assert_eq!(loaded.seed(), 9);
}

#[cfg(feature = "serde")]
#[test]
fn a_surrogate_knows_its_columns_by_name() {
    use recluster::Saved;
    let (rows, run) = (table(), Run::new());
    let tree = plan().fit(&rows, &run).unwrap();
    let surrogate = tree.surrogate(&rows, &recluster::boost::Boost::new().rounds(3), &run).unwrap();
    let names: Vec<String> = (0..rows.ncols()).map(|c| format!("column {c}")).collect();
    let twice = vec!["a".to_string(); rows.ncols()];
    assert!(
        matches!(surrogate.clone().with_feature_names(twice), Err(Error::Columns { repeated, .. }) if repeated == ["a"])
    );
    let named = surrogate.clone().with_feature_names(names.clone()).unwrap();
    let loaded = recluster::explain::Surrogate::from_json(&named.to_json().unwrap()).unwrap();
    assert_eq!(loaded.model().feature_names(), Some(names.as_slice()));
    let back: Vec<usize> = (0..rows.ncols()).rev().collect();
    let (turned, turned_names) = (rows.select(Axis(1), &back), names.iter().rev().collect::<Vec<_>>());
    let arranged = loaded.model().arranged(&turned, &turned_names).unwrap();
    assert_eq!(arranged, rows);
    let unknown = loaded.model().arranged(&rows, &vec!["x"; rows.ncols()]);
    assert!(matches!(unknown, Err(Error::Columns { missing, .. }) if missing == names));
    assert!(matches!(loaded.model().arranged(&rows, &names[1..]), Err(Error::Shape { .. })));
    // Without names of its own a model has only a number of columns.
    assert_eq!(surrogate.model().arranged(&turned, &turned_names).unwrap(), turned);
    let narrow = rows.select(Axis(1), &back[1..]);
    assert!(matches!(surrogate.model().arranged(&narrow, &names[1..]), Err(Error::Shape { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    /// Shuffling the rows permutes the result alike, and nothing is lost between parent and child.
    #[test]
    fn row_order_does_not_matter(cells in prop::collection::vec((0..4i32, -1..3i32), 2..80), seed in 0..1000u64) {
        let table = Array2::from_shape_fn((cells.len(), 3), |(i, j)| match j {
            0 => cells[i].0 as f32,
            1 => cells[i].1 as f32,
            _ => i as f32,
        });
        let mut order: Vec<usize> = (0..cells.len()).collect();
        order.sort_by_key(|&i| (i as u64 * 7919 + seed * 104_729) % 1009);
        let tree = plan().min_size(0.0).fit(&table, &Run::new()).unwrap();
        let shuffled = plan().min_size(0.0).fit(&table.select(Axis(0), &order), &Run::new().threads(3)).unwrap();
        let expected: Vec<String> = { let paths = tree.paths(); order.iter().map(|&i| paths[i].clone()).collect() };
        prop_assert_eq!(shuffled.paths(), expected);
        prop_assert!(tree.paths().iter().all(|path| path.starts_with('0')));
        for node in tree.nodes().iter().filter(|node| !node.is_leaf()) {
            let below: usize = tree.children(node).map(|child| child.rows().len()).sum();
            prop_assert_eq!(below + node.noise(), node.rows().len());
        }
    }
}

/// Refuses rows that hold 3 in column 2.
struct NoThree;
impl Embedder for NoThree {
    fn embed(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Array2<f32>> {
        match rows.column(2).iter().position(|&x| x == 3.0) {
            Some(row) => Err(Error::NotFinite { what: "the data", row, column: 2, value: 3.0 }),
            None => Ok(rows.to_owned()),
        }
    }
}

#[test]
fn errors_inside_a_node_name_rows_of_the_table() {
    let (data, run) = (table(), Run::new());
    assert_eq!(data[[21, 2]], 3.0);
    type Plan = RecursiveTree<Box<dyn Embedder>, ByColumn>;
    let plan = |fault: fn() -> Box<dyn Embedder>, level: usize| -> Plan {
        RecursiveTree::by_node(
            move |node| if node.level() == level { fault() } else { Box::new(Identity) },
            |node| ByColumn(node.level() - 1),
        )
        .min_rows(2)
    };
    for level in [1, 2] {
        let refused = plan(|| Box::new(NoThree), level).fit(&data, &run);
        let error = refused.unwrap_err();
        assert!(matches!(error.cause(), Error::NotFinite { row: 21, column: 2, .. }), "{error:?}");
        assert_eq!(error.to_string().starts_with("node 0.0: value"), level == 2, "{error}");
    }
    // A column in which most values are next to equal: its own far value is to blame, not the first row.
    let mut narrow = data.clone();
    narrow.column_mut(2).iter_mut().zip(0u32..).for_each(|(x, i)| *x = f32::from_bits(i % 7));
    (narrow[[33, 2]], narrow[[20, 2]]) = (-4.0, 1.0);
    let scaled = plan(|| Box::new(Scaled::new(Identity, Scaling::Robust)), 2).fit(&narrow, &run);
    let scaled = scaled.unwrap_err();
    assert!(matches!(scaled.cause(), Error::Overflow { row: 33, column: 2, value: -4.0, .. }), "{scaled:?}");
    let alone = Scaling::Robust.apply(&narrow, &run);
    assert!(matches!(alone, Err(Error::Overflow { row: 33, column: 2, .. })), "{alone:?}");
}

/// Fails in its own way at the second level.
struct Unlucky {
    level: usize,
    panics: bool,
}
impl Clusterer for Unlucky {
    fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering> {
        match (self.level, self.panics) {
            (1, _) => ByColumn(0).cluster(rows, run),
            (_, true) => panic!("the {} rows are too many", rows.nrows()),
            _ => Err(Error::Plugin("the disk is full".into())),
        }
    }
}

#[test]
fn errors_and_panics_of_plug_ins_name_node_and_plug_in() {
    let fitted = |panics| {
        let plan = RecursiveTree::by_node(|_| Identity, move |node| Unlucky { level: node.level(), panics });
        plan.fit(&table(), &Run::new().threads(1)).unwrap_err()
    };
    let error = fitted(false);
    assert_eq!(error.to_string(), "node 0.0: clusterer \"Unlucky\": the disk is full");
    assert!(matches!(error.cause(), Error::Plugin(own) if own.to_string() == "the disk is full"));
    let error = fitted(true);
    let said = "node 0.0: the clusterer \"Unlucky\" broke its contract: it panicked: the 60 rows are too many";
    assert_eq!(error.to_string(), said);
    assert!(std::error::Error::source(&error).is_none(), "the text is whole");
}

#[test]
fn clusters_below_the_least_size_are_noise() {
    let tree = plan().min_child_size(28).fit(&table(), &Run::new()).unwrap();
    let paths: Vec<String> = tree.nodes().iter().map(|node| node.path().to_string()).collect();
    assert_eq!(paths, ["0", "0.0", "0.1"], "halves of 30 and 24 rows, 15 and 15");
    assert_eq!(tree.root().notes(), ["1 cluster of fewer than 28 rows became noise"]);
    assert_eq!((tree.root().noise(), tree.paths()[95].as_str()), (10, "0.-"));
    let group = tree.node("0.0").unwrap();
    assert_eq!(group.stop_reason(), Some(&StopReason::OneCluster { clusters: 1 }));
    let share = plan().min_child_size(0.2).fit(&table(), &Run::new()).unwrap();
    assert_eq!(share.leaves().count(), 4, "10 rows of 100 are below a fifth, 24 of 60 and 15 of 30 are not");
    assert!(plan().min_child_size(1.5).fit(&table(), &Run::new()).is_err());
}

#[test]
fn a_persistence_is_between_0_and_1() {
    for bad in [f64::NAN, -0.1, 1.5, f64::INFINITY] {
        let clusters = Clustering::compact(vec![0, 1]).unwrap().with_persistence(vec![0.5, bad]);
        assert!(matches!(clusters, Err(Error::Setting { name: "persistence", .. })));
    }
    assert!(Clustering::compact(vec![0, 1]).unwrap().with_persistence(vec![0.0, 1.0]).is_ok());
}
