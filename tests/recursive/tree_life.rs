//! The life of a tree: checkpoints, names, pruning, deepening, comparison, coverage, noise that is clustered again.

use ndarray::{Array2, ArrayRef2, Axis};
use proptest::prelude::*;
use recluster::cluster::KMeans;
use recluster::embed::{Identity, Pca};
use recluster::recursive::{
    ClusterTree, Fate, Judge, Node, Proposal, RecursiveTree, StopReason, Verdict, compare_assignments,
};
use recluster::validity::adjusted_rand;
use recluster::{Clusterer, Clustering, Error, NOISE, Result, Run};

/// Column 0 says the cluster of the root, column 1 that of the nodes below, below zero for noise; column 2 tells rows apart.
fn table() -> Array2<f32> {
    Array2::from_shape_fn((300, 3), |(i, j)| match j {
        0 => [2.0, 0.0, 1.0, -1.0][[0, 150, 220, 270].iter().rposition(|&from| i >= from).unwrap()],
        1 if i % 10 == 0 => -1.0,
        1 => (i % 3) as f32,
        _ => i as f32 / 7.0,
    })
}

/// The rows by what stands in one column; where the first says noise of all, by the second.
#[derive(Clone, Copy)]
struct ByColumn(usize);
impl Clusterer for ByColumn {
    fn cluster(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Clustering> {
        let column = usize::from(self.0 == 1 || rows.column(0).iter().all(|&x| x < 0.0));
        Clustering::compact(rows.column(column).iter().map(|&x| if x < 0.0 { NOISE } else { x as i32 }).collect())
    }

    fn cluster_weighted(&self, rows: &ArrayRef2<f32>, _weights: &[f64], run: &Run) -> Result<Clustering> {
        self.cluster(rows, run)
    }
}

fn plan() -> RecursiveTree<Identity, ByColumn> {
    RecursiveTree::by_node(|_| Identity, |node| ByColumn(node.level() - 1)).min_rows(2).min_size(0.0)
}

fn paths<'a>(nodes: impl IntoIterator<Item = &'a Node>) -> Vec<String> {
    nodes.into_iter().map(|node| node.path().to_string()).collect()
}

#[test]
fn a_pruned_node_is_a_leaf_with_what_was_found() {
    let run = Run::new();
    let whole = plan().fit(&table(), &run).unwrap();
    let mut tree = whole.clone();
    assert_eq!(paths(tree.leaves()).len(), 9);
    tree.set_name("0.1", "Night owls").unwrap();
    tree.set_name("0.1.2", "lost with its node").unwrap();
    tree.prune("0.1").unwrap();
    assert_eq!(paths(tree.leaves()), ["0.0.0", "0.0.1", "0.0.2", "0.1", "0.2.0", "0.2.1", "0.2.2"]);
    let (node, before) = (tree.node("0.1").unwrap(), whole.node("0.1").unwrap());
    assert_eq!((node.stop_reason(), node.name(), node.noise()), (Some(&StopReason::Pruned), "Night owls", 0));
    assert_eq!((node.embedding(), node.rows()), (before.embedding(), before.rows()));
    let split = node.split().unwrap();
    assert_eq!((split.proposed(), split.child_of(0)), (3, None));
    // The clusters on record are those that the children were.
    let labels = split.clustering().unwrap().labels();
    for (at, &label) in before.labels().iter().enumerate() {
        let child = usize::try_from(labels[at]).ok().and_then(|cluster| before.split().unwrap().child_of(cluster));
        assert_eq!(child, usize::try_from(label).ok());
    }
    // Its noise is the leaf's again.
    assert!(whole.paths().iter().zip(tree.paths()).all(|(old, new)| match old.strip_prefix("0.1") {
        Some(_) => new == "0.1",
        None => new == *old,
    }));
    // No limit stopped it, so a fit that goes on leaves it alone; to deepen brings back what was there, but for the name.
    let on = plan().levels(5).fit_from(tree.clone(), &table(), |_, _| Ok(()), &run).unwrap();
    assert_eq!(on.node("0.1"), tree.node("0.1"));
    let mut back = plan().deepen(tree.clone(), "0.1", &table(), &run).unwrap();
    assert_eq!(back.node("0.1").unwrap().name(), "Night owls");
    back.set_name("0.1", "").unwrap();
    assert_eq!(back, whole);
    // To the root.
    tree.prune("0").unwrap();
    assert_eq!((tree.nodes().len(), tree.levels(), tree.leaf_labels()[0]), (1, 0, 0));
    for path in ["0.7", "0.0.0", "1", "", "0.-"] {
        assert!(matches!(tree.prune(path), Err(Error::Setting { name: "path", .. })), "{path}");
        assert!(tree.set_name(path, "x").is_err() && plan().deepen(tree.clone(), path, &table(), &run).is_err());
    }
}

#[test]
fn a_leaf_that_only_a_limit_stopped_is_pruned_for_good() {
    let run = Run::new();
    let mut tree = plan().levels(1).fit(&table(), &run).unwrap();
    tree.prune("0.1").unwrap();
    let on = plan().fit_from(tree, &table(), |_, _| Ok(()), &run).unwrap();
    assert_eq!(on.node("0.1").unwrap().stop_reason(), Some(&StopReason::Pruned));
    assert!(!on.node("0.0").unwrap().is_leaf() && !on.node("0.2").unwrap().is_leaf());
    // What stopped for a reason of its own keeps it.
    let one = RecursiveTree::new(Identity, ByColumn(0)).min_rows(2).min_size(0.0);
    let mut tree = one.fit(&table(), &run).unwrap();
    let before = tree.clone();
    assert_eq!(tree.node("0.0").unwrap().stop_reason(), Some(&StopReason::OneCluster { clusters: 1 }));
    tree.prune("0.0").unwrap();
    assert_eq!(tree, before);
}

#[test]
fn one_leaf_is_taken_further_and_no_other() {
    let rows = Array2::from_shape_fn((200, 4), |(i, j)| ((i * (31 + 7 * j)) % 89) as f32);
    let (plan, run) = (RecursiveTree::new(Pca::new(2), KMeans::new(2)).min_rows(8), Run::new().seed(3));
    let shallow = plan.clone().levels(1).fit(&rows, &run).unwrap();
    // Limits that would stop the node do not; they stop its children.
    let one = plan.clone().levels(1).min_size(1.0).deepen(shallow.clone(), "0.1", &rows, &run).unwrap();
    assert_eq!(paths(one.nodes()), ["0", "0.0", "0.1", "0.1.0", "0.1.1"]);
    assert_eq!(one.node("0.0"), shallow.node("0.0"));
    assert_eq!(one.node("0.1.0").unwrap().stop_reason(), Some(&StopReason::LastLevel { levels: 1 }));
    // What is found is what a whole fit finds, and a fit that goes on makes them equal.
    let deep = plan.clone().levels(2).fit(&rows, &run).unwrap();
    assert_eq!(one.node("0.1"), deep.node("0.1"));
    assert_eq!(plan.clone().levels(2).fit_from(one.clone(), &rows, |_, _| Ok(()), &run).unwrap(), deep);
    let inner = plan.deepen(deep, "0.1", &rows, &run).unwrap_err();
    assert!(inner.to_string().contains("prune the node first"), "{inner}");
    assert!(matches!(plan.deepen(one.clone(), "0.0", &rows, &Run::new()), Err(Error::Setting { name: "seed", .. })));
    let other = Array2::zeros((200, 5));
    assert!(matches!(plan.deepen(one, "0.0", &other, &run), Err(Error::Shape { .. })));
    // Weights are asked for as by `fit_from_weighted`.
    let weights: Vec<f64> = (0..200).map(|i| 1.0 + f64::from(i % 3)).collect();
    let plan = RecursiveTree::new(Pca::new(2), recluster::cluster::Hdbscan::new()).levels(1).min_rows(8);
    let tree = plan.fit_weighted(&rows, &weights, &run).unwrap();
    if let Some(leaf) = tree.leaves().next().map(|leaf| leaf.path().to_string()) {
        assert!(plan.deepen(tree.clone(), &leaf, &rows, &run).is_err());
        let deeper = plan.deepen_weighted(tree.clone(), &leaf, &rows, &weights, &run).unwrap();
        assert_eq!(deeper.node(&leaf).unwrap().weight(), tree.node(&leaf).unwrap().weight());
    }
}

#[test]
fn absurd_names_are_kept_and_shown_in_a_line() {
    let mut tree = plan().fit(&table(), &Run::new()).unwrap();
    let (long, odd) = ("x".repeat(100_000), "a\nb\t\"c\"\u{0}\u{1F989}, </script>");
    tree.set_name("0.0", &long).unwrap();
    tree.set_name("0.2", odd).unwrap();
    let text = tree.to_string();
    assert_eq!(text.lines().count(), 19, "a line for each node and each node's noise, a head and the coverage: {text}");
    assert!(text.lines().all(|line| line.chars().count() < 100));
    assert!(text.contains("\"a b \"c\" \u{1F989}, </script>\""), "{text}");
    #[cfg(feature = "serde")]
    {
        use recluster::Saved;
        let back = ClusterTree::from_json(&tree.to_json().unwrap()).unwrap();
        assert_eq!(back, tree);
        assert_eq!((back.node("0.0").unwrap().name(), back.node("0.2").unwrap().name()), (long.as_str(), odd));
        tree.prune("0.2").unwrap();
        assert_eq!(ClusterTree::from_json(&tree.to_json().unwrap()).unwrap(), tree);
        // A file without names is one from before there were any.
        assert!(!plan().fit(&table(), &Run::new()).unwrap().to_json().unwrap().contains("\"name\""));
    }
}

#[test]
fn coverage_decays_by_level() {
    let tree = plan().fit(&table(), &Run::new()).unwrap();
    let levels: Vec<(usize, usize, usize)> = tree.coverage().iter().map(|c| (c.level, c.clustered, c.noise)).collect();
    // 30 rows of noise at the root, a tenth of the others below.
    assert_eq!(levels, [(1, 300, 0), (2, 270, 30), (3, 243, 57)]);
    assert_eq!(tree.coverage()[2].noise, tree.leaf_labels().iter().filter(|&&label| label < 0).count());
    assert!(tree.to_string().ends_with("in clusters: 90.0 % on level 1, 81.0 % on level 2\n"));
    // A leaf above a level still holds its rows there.
    let mut pruned = tree;
    pruned.prune("0.0").unwrap();
    assert_eq!(pruned.coverage()[2].clustered, 243 + 15);
    pruned.prune("0").unwrap();
    assert_eq!(pruned.coverage().len(), 1);
    let weights: Vec<f64> = (0..300).map(|i| if i >= 270 { 9.0 } else { 1.0 }).collect();
    let last = plan().levels(1).fit_weighted(&table(), &weights, &Run::new()).unwrap().coverage().pop().unwrap();
    assert_eq!((last.level, last.clustered), (2, 270));
    assert!((last.weight.unwrap() - 0.5).abs() < 1e-12 && last.share == 0.9);
}

#[test]
fn noise_is_clustered_again_on_request() {
    let (run, plain) = (Run::new(), plan().fit(&table(), &Run::new()).unwrap());
    let again = plan().noise_again(true);
    let tree = again.fit(&table(), &run).unwrap();
    // The 30 rows of noise: 3 of none, 9 of each rest by 3.
    assert_eq!(paths(tree.children(tree.root())), ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5"]);
    let found: Vec<bool> = tree.children(tree.root()).map(|child| child.found_in_noise()).collect();
    assert_eq!(found, [false, false, false, true, true, true]);
    assert_eq!((tree.root().noise(), plain.root().noise()), (3, 30));
    let record = tree.root().split().unwrap().noise().unwrap();
    assert_eq!((record.rows(), record.proposed(), record.stop_reason()), (30, 3, None));
    assert_eq!(tree.root().split().unwrap().proposed(), 3, "the clusters of the rows themselves");
    assert!((0..3).all(|cluster| (3..6).contains(&record.child_of(cluster).unwrap())));
    let child = tree.node("0.3").unwrap();
    assert!(child.rows().iter().all(|&row| row >= 270) && child.share_of_parent() == 9.0 / 300.0);
    // Below, noise did not fall apart; what was there before is as it was.
    let below = tree.node("0.0").unwrap().split().unwrap().noise().unwrap();
    assert_eq!((below.rows(), below.stop_reason()), (15, Some(&StopReason::OneCluster { clusters: 0 })));
    for path in ["0.0.0", "0.1.1", "0.2"] {
        assert_eq!(tree.node(path).unwrap().rows(), plain.node(path).unwrap().rows());
    }
    assert_eq!(tree.paths().iter().zip(plain.paths()).filter(|(a, b)| *a != b).count(), 27);
    // Limits on size hold for the group as for a child of as many rows.
    let small = again.clone().min_size(31).levels(1).fit(&table(), &run).unwrap();
    let stopped = small.root().split().unwrap().noise().unwrap();
    assert!(matches!(stopped.stop_reason(), Some(StopReason::SizeOfAll { rows: 30, .. })) && stopped.proposed() == 0);
    assert_eq!(small.paths(), plan().min_size(31).levels(1).fit(&table(), &run).unwrap().paths());
    // It is a tree like any other: to go on from a part, to put together, to save, to prune, to deepen.
    let part = again.clone().levels(1).fit(&table(), &run).unwrap();
    assert_eq!(again.fit_from(part.clone(), &table(), |_, _| Ok(()), &run).unwrap(), tree);
    assert_eq!(ClusterTree::from_nodes(tree.nodes().iter().rev().cloned().collect(), 3, 0).unwrap(), tree);
    let one = again.deepen(part, "0.4", &table(), &run).unwrap();
    assert!(one.node("0.4").unwrap().found_in_noise() && one.node("0.4") == tree.node("0.4"));
    let mut pruned = tree.clone();
    pruned.prune("0").unwrap();
    assert_eq!(
        pruned.root().split().unwrap().clustering(),
        {
            let mut same = plain;
            same.prune("0").unwrap();
            same.root().split().unwrap().clustering().cloned()
        }
        .as_ref()
    );
    assert_eq!(again.deepen(pruned, "0", &table(), &run).unwrap(), tree);
    #[cfg(feature = "serde")]
    {
        use recluster::Saved;
        let text = tree.to_json().unwrap();
        assert_eq!(ClusterTree::from_json(&text).unwrap(), tree);
        let edit = |change: fn(&mut serde_json::Value)| {
            let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
            change(&mut value["model"]["nodes"]);
            ClusterTree::from_json(&value.to_string())
        };
        assert!(edit(|_| ()).is_ok());
        for change in [
            (|nodes| nodes[0]["split"]["noise"]["first"] = 1.into()) as fn(&mut serde_json::Value),
            |nodes| nodes[0]["split"]["noise"]["first"] = 4.into(),
            |nodes| nodes[0]["split"]["noise"]["first"] = u32::MAX.into(),
            |nodes| nodes[0]["split"]["noise"]["rows"] = 301.into(),
            |nodes| nodes[0]["split"]["noise"]["children"][0] = 0.into(),
            |nodes| nodes[0]["split"]["noise"]["children"][0] = 9.into(),
            |nodes| nodes[0]["split"]["noise"] = serde_json::Value::Null,
            |nodes| nodes[1]["in_noise"] = true.into(),
        ] {
            assert!(matches!(edit(change), Err(Error::Format { .. })));
        }
    }
}

#[test]
fn a_judge_has_its_say_on_the_noise() {
    struct NoneOfNoise;
    impl Judge for NoneOfNoise {
        fn judge(&self, proposal: &Proposal<'_>, run: &Run) -> Result<Verdict> {
            assert_eq!(proposal.rows.nrows(), proposal.node.rows);
            if run.scope().contains('-') {
                assert_eq!((proposal.node.rows, proposal.node.parent_rows, proposal.node.total_rows), (30, 300, 300));
                return Ok(Verdict::refuse("noise"));
            }
            Ok(Verdict::keep(""))
        }
    }
    // What became of small clusters there is told too.
    let tree = plan().levels(1).noise_again(true).min_child_size(10).fit(&table(), &Run::new()).unwrap();
    assert_eq!(tree.root().notes(), ["of the rows left out: 3 clusters of fewer than 10 rows became noise"]);
    let tree = plan().levels(1).noise_again(true).judge(NoneOfNoise).fit(&table(), &Run::new()).unwrap();
    let record = tree.root().split().unwrap().noise().unwrap();
    assert_eq!(record.stop_reason(), Some(&StopReason::Refused { why: "noise".into() }));
    assert_eq!((record.proposed(), record.child_of(0), record.reason()), (3, None, "noise"));
    assert_eq!(tree.leaves().count(), 3);
}

#[test]
fn a_judge_with_too_few_rows_stops_a_node_below_the_root() {
    struct Demanding;
    impl Judge for Demanding {
        fn judge(&self, proposal: &Proposal<'_>, _: &Run) -> Result<Verdict> {
            match proposal.node.rows {
                300 => Ok(Verdict::keep("")),
                rows => Err(Error::TooFewRows { needed: 300, rows, method: "a judge" }),
            }
        }
    }
    let tree = plan().judge(Demanding).fit(&table(), &Run::new()).unwrap();
    assert_eq!((tree.levels(), tree.leaves().count()), (1, 3));
    let stopped =
        tree.leaves().filter(|leaf| matches!(leaf.stop_reason(), Some(StopReason::TooFewRows { .. }))).count();
    assert!(stopped > 0);
    let few = table().slice(ndarray::s![..200, ..]).to_owned();
    assert!(plan().judge(Demanding).fit(&few, &Run::new()).is_err(), "at the root it is an error");
}

#[test]
fn each_fate_has_its_case() {
    // Before: a kept, b in two, c and d as one, e scattered.
    let before = "aaaaaaaaaabbbbbbbbccccddddeeeeee--";
    let after_ = "AAAAAAAAA-BBBBXXXXCCCCCCCCA-BXC-N-";
    let names = |text: &str| text.chars().map(|c| c.to_string()).collect::<Vec<_>>();
    let found = compare_assignments(&names(before), &names(after_)).unwrap();
    let fates = |side: &[recluster::recursive::Compared]| {
        side.iter().map(|c| (c.matched.cluster.clone(), c.fate, c.with.concat())).collect::<Vec<_>>()
    };
    let expected =
        |all: &[(&str, Fate, &str)]| all.iter().map(|(a, f, w)| (a.to_string(), *f, w.to_string())).collect::<Vec<_>>();
    assert_eq!(
        fates(&found.before),
        expected(&[
            ("a", Fate::Kept, "A"),
            ("b", Fate::Split, "BX"),
            ("c", Fate::Merged, "C"),
            ("d", Fate::Merged, "C"),
            ("e", Fate::Gone, ""),
        ])
    );
    assert_eq!(
        fates(&found.after),
        expected(&[
            ("A", Fate::Kept, "a"),
            ("B", Fate::Split, "b"),
            ("C", Fate::Merged, "cd"),
            ("N", Fate::New, ""),
            ("X", Fate::Split, "b"),
        ])
    );
    let first = &found.before[0].matched;
    assert_eq!((first.rows, first.common, first.jaccard, first.best.as_deref()), (10, 9, 9.0 / 11.0, Some("A")));
    assert_eq!(found.noise, [2, 4]);
    // All but the nine of a and the one row that is noise in both.
    assert_eq!((found.rows, found.moved), (34, 24));
    assert_eq!((found.flows[0].from.as_str(), found.flows[0].to.as_str(), found.flows[0].rows), ("b", "B", 4));
    let text = found.to_string();
    for part in ["kept as A", "split into B, X", "merged into C", "gone", "split off b", "merged from c, d", "new"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn trees_are_compared_leaf_by_leaf_and_node_by_node() {
    let run = Run::new();
    let (one, mut two) = (plan().levels(1).fit(&table(), &run).unwrap(), plan().fit(&table(), &run).unwrap());
    two.set_name("0.1.0", "Larks").unwrap();
    let change = one.compare(&two).unwrap();
    assert!(change.before.iter().all(|leaf| leaf.fate == Fate::Split && leaf.with.len() == 3));
    assert!(change.nodes[0].iter().all(|node| node.best.as_deref() == Some(&node.cluster) && node.jaccard == 1.0));
    assert_eq!((change.nodes[1].len(), change.noise), (12, [30, 57]));
    let below = &change.nodes[1][2];
    assert_eq!((below.cluster.as_str(), below.best.as_deref(), below.common), ("0.0.1", Some("0.0"), below.rows));
    assert_eq!(change.adjusted_rand, adjusted_rand(&one.leaf_labels(), &two.leaf_labels()).unwrap());
    assert!(change.to_string().contains("\"Larks\""));
    let same = two.compare(&two).unwrap();
    assert_eq!((same.adjusted_rand, same.moved, same.flows.len()), (1.0, 0, 0));
    assert!(same.before.iter().all(|leaf| leaf.fate == Fate::Kept && leaf.with == [leaf.matched.cluster.clone()]));
    let fewer = table().select(Axis(0), &(0..299).collect::<Vec<_>>());
    let fewer = plan().fit(&fewer, &run).unwrap();
    assert!(matches!(one.compare(&fewer), Err(Error::Shape { expected: 300, found: 299, .. })));
    assert!(matches!(compare_assignments(&[""; 0], &[""; 0]), Err(Error::Empty { .. })));
    assert!(matches!(compare_assignments(&["0"], &["0", "0"]), Err(Error::Shape { .. })));
    // One row, all noise, names that are no paths.
    assert_eq!(compare_assignments(&["-"], &["0.2.-"]).unwrap().moved, 0);
    assert_eq!(
        compare_assignments(&["0.10", "0.2", "b", "a"], &[""; 4])
            .unwrap()
            .before
            .iter()
            .map(|c| c.matched.cluster.as_str())
            .collect::<Vec<_>>(),
        ["0.2", "0.10", "a", "b"]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// Whatever the labels: rows add up, similarities are those of the sets, text fits the page, names of any length too.
    #[test]
    fn a_comparison_adds_up(rows in prop::collection::vec((0usize..6, 0usize..6), 1..80), long in 0usize..200) {
        let name = |side: &str, label: usize| if label == 0 { "-".into() } else { format!("{side}\n{}{label}", "é".repeat(long)) };
        let before: Vec<String> = rows.iter().map(|row| name("a", row.0)).collect();
        let after: Vec<String> = rows.iter().map(|row| name("b", row.1)).collect();
        let found = compare_assignments(&before, &after).unwrap();
        let moved: usize = found.flows.iter().map(|flow| flow.rows).sum();
        prop_assert_eq!(moved, found.moved);
        prop_assert!(found.to_string().lines().all(|line| line.chars().count() <= 100));
        for (leaf, rows) in found.before.iter().map(|leaf| (leaf, &before)) {
            prop_assert_eq!(leaf.matched.rows, rows.iter().filter(|row| **row == leaf.matched.cluster).count());
            if let Some(best) = &leaf.matched.best {
                let both = before.iter().zip(&after).filter(|(a, b)| **a == leaf.matched.cluster && *b == best).count();
                let either = before.iter().zip(&after).filter(|(a, b)| **a == leaf.matched.cluster || *b == best).count();
                prop_assert_eq!(leaf.matched.jaccard, both as f64 / either as f64);
            }
            // What is kept is kept both ways.
            if leaf.fate == Fate::Kept {
                let other = found.after.iter().find(|other| other.matched.cluster == leaf.with[0]).unwrap();
                prop_assert_eq!((other.fate, &other.with[0]), (Fate::Kept, &leaf.matched.cluster));
            }
        }
        // The other way round, splits are merges.
        let back = compare_assignments(&after, &before).unwrap();
        let turned = |fate| match fate { Fate::Split => Fate::Merged, Fate::Merged => Fate::Split, Fate::New => Fate::Gone, Fate::Gone => Fate::New, Fate::Kept => Fate::Kept };
        for (leaf, other) in found.after.iter().zip(&back.before) {
            prop_assert_eq!((&leaf.with, turned(leaf.fate)), (&other.with, other.fate));
        }
        prop_assert_eq!(found.moved, back.moved);
    }

    /// Trees with noise that is looked at again: nothing is lost, whatever order the rows come in.
    #[test]
    fn noise_again_loses_nothing(values in prop::collection::vec((-2i32..4, -2i32..3, 0i32..50), 3..60), turn in 0usize..60) {
        let rows = Array2::from_shape_fn((values.len(), 3), |(i, j)| [values[i].0, values[i].1, values[i].2][j] as f32);
        let plan = plan().noise_again(true).min_rows(1);
        let Ok(tree) = plan.fit(&rows, &Run::new()) else { return Ok(()) };
        for node in tree.nodes().iter().filter(|node| !node.is_leaf()) {
            let below: usize = tree.children(node).map(|child| child.rows().len()).sum();
            prop_assert_eq!(below + node.noise(), node.rows().len());
        }
        prop_assert!(ClusterTree::from_nodes(tree.nodes().to_vec(), 3, 0).is_ok());
        let order: Vec<usize> = (0..values.len()).map(|i| (i + turn) % values.len()).collect();
        let turned = plan.fit(&rows.select(Axis(0), &order), &Run::new()).unwrap();
        let (paths, turned) = (tree.paths(), turned.paths());
        for (at, &row) in order.iter().enumerate() {
            // Rows that are equal may change places.
            if values.iter().filter(|other| **other == values[row]).count() == 1 {
                prop_assert_eq!(&paths[row], &turned[at]);
            }
        }
    }
}

#[cfg(feature = "serde")]
mod checkpoints {
    use super::*;
    use recluster::recursive::Checkpoint;
    use std::path::Path;

    fn rows() -> Array2<f32> {
        Array2::from_shape_fn((160, 3), |(i, j)| ((i * (37 + 4 * j)) % 101) as f32)
    }

    fn deep() -> RecursiveTree<Pca, KMeans> {
        RecursiveTree::new(Pca::new(2), KMeans::new(2)).levels(4).min_rows(8)
    }

    fn nodes(at: &Path) -> Vec<std::path::PathBuf> {
        let mut files: Vec<_> = std::fs::read_dir(at)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("node-"))
            .collect();
        files.sort();
        files
    }

    #[test]
    fn any_part_of_a_checkpoint_gives_the_same_tree() {
        let folder = tempfile::tempdir().unwrap();
        let (rows, run) = (rows(), Run::new().seed(4));
        let tree = deep().fit(&rows, &run).unwrap();
        let checkpoint = Checkpoint::new(folder.path().join("c"));
        assert_eq!(deep().fit_resumable(&rows, &checkpoint, &run).unwrap(), tree);
        let files = nodes(checkpoint.folder());
        assert_eq!(files.len(), tree.nodes().len());
        for file in &files {
            let text = std::fs::read(file).unwrap();
            let damaged: [&dyn Fn() -> Vec<u8>; 5] = [
                &|| text[..text.len() / 2].to_vec(),
                &Vec::new,
                &|| vec![0xff; 40],
                // One digit of a number is another.
                &|| {
                    let mut edited = text.clone();
                    let at = text.iter().rposition(u8::is_ascii_digit).unwrap();
                    edited[at] = if edited[at] == b'1' { b'2' } else { b'1' };
                    edited
                },
                // Another node's record under this one's name.
                &|| std::fs::read(files.iter().find(|other| *other != file).unwrap()).unwrap(),
            ];
            for bytes in damaged {
                std::fs::write(file, bytes()).unwrap();
                let notes = Notes::default();
                let noted = run.clone().observer(notes.clone());
                assert_eq!(deep().fit_resumable(&rows, &checkpoint, &noted).unwrap(), tree, "{}", file.display());
                assert_eq!(notes.0.lock().unwrap().len(), 1);
                assert_eq!(std::fs::read(file).unwrap(), text, "worked on again");
            }
            std::fs::remove_file(file).unwrap();
            assert_eq!(deep().fit_resumable(&rows, &checkpoint, &run).unwrap(), tree);
        }
        // As many nodes as were finished before the end.
        for left in 0..files.len() {
            nodes(checkpoint.folder()).iter().skip(left).for_each(|file| std::fs::remove_file(file).unwrap());
            assert_eq!(deep().fit_resumable(&rows, &checkpoint, &run).unwrap(), tree);
        }
        std::fs::write(folder.path().join("c/node-0.1.json.77.tmp"), "left by a process that was killed").unwrap();
        checkpoint.remove().unwrap();
        assert!(!checkpoint.folder().exists() && checkpoint.remove().is_ok());
    }

    #[derive(Clone, Default)]
    struct Notes(std::sync::Arc<std::sync::Mutex<Vec<String>>>);
    impl recluster::Observer for Notes {
        fn event(&self, event: &recluster::Event<'_>) {
            if let recluster::Event::Note { text, .. } = event {
                self.0.lock().unwrap().push(text.to_string());
            }
        }
    }

    #[test]
    fn another_fit_is_told_what_differs() {
        let folder = tempfile::tempdir().unwrap();
        let (rows, run) = (rows(), Run::new());
        let checkpoint = Checkpoint::new(folder.path().join("c"));
        deep().fit_resumable(&rows, &checkpoint, &run).unwrap();
        let differs =
            |plan: RecursiveTree<Pca, KMeans>, rows: &Array2<f32>, checkpoint: &Checkpoint, run: &Run| match plan
                .fit_resumable(rows, checkpoint, run)
            {
                Err(Error::Checkpoint { differs, .. }) => differs.join("; "),
                other => panic!("{other:?}"),
            };
        let mut edited = rows.clone();
        edited[[7, 1]] += 1.0;
        assert!(differs(deep(), &edited, &checkpoint, &run).starts_with("digest of the data: "));
        let turned = rows.select(Axis(0), &(0..160).rev().collect::<Vec<_>>());
        assert!(differs(deep(), &turned, &checkpoint, &run).starts_with("digest of the data: "));
        assert_eq!(differs(deep(), &rows, &checkpoint, &run.clone().seed(9)), "seed: 0 there, 9 here");
        assert_eq!(differs(deep().levels(3), &rows, &checkpoint, &run), "levels: 4 there, 3 here");
        assert_eq!(differs(deep().min_size(0.0501), &rows, &checkpoint, &run), "min_size: 5.0 % there, 5.01 % here");
        assert_eq!(differs(deep().noise_again(true), &rows, &checkpoint, &run), "noise_again: false there, true here");
        assert_eq!(
            differs(RecursiveTree::new(Pca::new(2), KMeans::new(3)).levels(4).min_rows(8), &rows, &checkpoint, &run),
            "clusterer.clusters: 2 there, 3 here"
        );
        let judged = deep().judge(recluster::evidence::HeldOut::new().alpha(0.1));
        assert!(differs(judged, &rows, &checkpoint, &run).contains("judge.alpha: nothing there, 0.1 here"));
        let pinned = checkpoint.clone().with("survey", "2026");
        assert_eq!(differs(deep(), &rows, &pinned, &run), "also.survey: nothing there, 2026 here");
        let pinned = checkpoint.clone().with("seed", 5usize);
        assert_eq!(differs(deep(), &rows, &pinned, &run), "also.seed: nothing there, 5 here");
        // The settings of the algorithms are those of sparse rows, what they make of them is the same but for rounding.
        let sparse = recluster::SparseRows::from_dense(&rows).unwrap();
        let error = deep().fit_resumable_sparse(&sparse, None, &checkpoint, &run).unwrap_err();
        assert!(error.to_string().contains("sparse: false there, true here"), "{error}");
        // A plan that chooses by the node is compared node by node.
        let by_node = |below: usize| {
            RecursiveTree::by_node(|_| Pca::new(2), move |node| KMeans::new(if node.level() == 1 { 2 } else { below }))
                .levels(4)
                .min_rows(8)
        };
        assert!(by_node(2).fit_resumable(&rows, &checkpoint, &run).is_ok());
        assert!(
            differs(by_node(3), &rows, &checkpoint, &run)
                .starts_with("clusterer of node 0.0, clusters: 2 there, 3 here")
        );
        // Nothing was changed on the way.
        assert!(deep().fit_resumable(&rows, &checkpoint, &run).is_ok());
        let weighted = RecursiveTree::new(Pca::new(2), recluster::cluster::Hdbscan::new()).min_rows(8);
        let (weights, other) = (vec![1.5; 160], vec![2.0; 160]);
        let checkpoint = Checkpoint::new(folder.path().join("w"));
        let tree = weighted.fit_resumable_weighted(&rows, &weights, &checkpoint, &run).unwrap();
        assert_eq!(weighted.fit_resumable_weighted(&rows, &weights, &checkpoint, &run).unwrap(), tree);
        let error = weighted.fit_resumable_weighted(&rows, &other, &checkpoint, &run).unwrap_err();
        assert!(error.to_string().contains("digest of the weights"), "{error}");
        assert!(weighted.fit_resumable(&rows, &checkpoint, &run).is_err());
        assert!(weighted.fit_resumable_weighted(&rows, &weights[1..], &checkpoint, &run).is_err());
    }

    #[test]
    fn a_manifest_that_cannot_be_read_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let (rows, run) = (rows(), Run::new());
        let checkpoint = Checkpoint::new(folder.path().join("c"));
        deep().fit_resumable(&rows, &checkpoint, &run).unwrap();
        let file = folder.path().join("c/manifest.json");
        let text = std::fs::read_to_string(&file).unwrap();
        for at in (0..text.len()).step_by(7) {
            std::fs::write(&file, &text[..at]).unwrap();
            let error = deep().fit_resumable(&rows, &checkpoint, &run).unwrap_err();
            assert!(matches!(error, Error::Format { .. }) && error.to_string().contains("manifest.json"), "{error}");
        }
        std::fs::write(&file, text.replace("\"version\":1,", "\"version\":2,")).unwrap();
        assert!(deep().fit_resumable(&rows, &checkpoint, &run).unwrap_err().to_string().contains("version 2"));
        // Without a manifest, nothing says whose the nodes are: they are this fit's if their digest is.
        std::fs::remove_file(&file).unwrap();
        assert_eq!(deep().fit_resumable(&rows, &checkpoint, &run).unwrap(), deep().fit(&rows, &run).unwrap());
        let none = Checkpoint::new(folder.path().join("no/such/folder"));
        assert!(matches!(deep().fit_resumable(&rows, &none, &run), Err(Error::Io { .. })));
        // A fit that fails before it begins leaves nothing.
        let new = Checkpoint::new(folder.path().join("new"));
        assert!(deep().levels(0).fit_resumable(&rows, &new, &run).is_err() && !new.folder().exists());
        assert!(deep().fit_resumable(&Array2::zeros((0, 3)), &new, &run).is_err() && !new.folder().exists());
        // Somebody's file in the folder survives it.
        deep().fit_resumable(&rows, &new, &run).unwrap();
        let mine = ["notes.txt", "node-notes.txt", "node-red-flows.json", "manifest.json.bak", "node-0.1.json.bak.tmp"];
        mine.iter().for_each(|name| std::fs::write(new.folder().join(name), "mine").unwrap());
        new.remove().unwrap();
        assert_eq!(std::fs::read_dir(new.folder()).unwrap().count(), mine.len());
        assert!(mine.iter().all(|name| new.folder().join(name).exists()));
    }
}
