//! Trees of weighted rows: whole weights are rows repeated, equal weights are none, and order does not matter.

use ndarray::{Array2, ArrayRef2, Axis};
use recluster::boost::Boost;
use recluster::cluster::{Hdbscan, KMeans};
use recluster::embed::{Identity, Umap};
use recluster::evidence::HeldOut;
use recluster::explain::Surrogate;
use recluster::recursive::{ClusterTree, Judge, Node, Proposal, RecursiveTree, Verdict};
use recluster::{Clusterer, Clustering, Embedder, Error, Result, Run, Saved, Size};
use std::sync::Mutex;

/// A number in 0 to 1 that looks random.
fn draw(i: usize, j: usize) -> f32 {
    let mut x = (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (j as u64).wrapping_mul(0xd1b5_4a32_d192_ed03);
    x = (x ^ (x >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((x >> 40) as f32) / (1u64 << 24) as f32
}

/// Groups of 160 and 100 rows far apart, the first of parts of 100 and 60.
fn table() -> Array2<f32> {
    Array2::from_shape_fn((260, 2), |(i, j)| {
        let corner = [[0.0, 0.0], [3.0, 0.0], [40.0, 0.0]][usize::from(i >= 100) + usize::from(i >= 160)][j];
        corner + draw(i, j)
    })
}

/// Of each two rows one counts three times what the other does.
fn weights() -> Vec<f64> {
    (0..260).map(|i| if i % 2 == 0 { 1.0 } else { 3.0 }).collect()
}

fn hdbscan(samples: usize) -> Hdbscan {
    Hdbscan::new().min_cluster_size(Size::Share(0.2)).min_samples(samples)
}

/// A permutation, always the same.
fn shuffled(n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| draw(a, 77).total_cmp(&draw(b, 77)).then(a.cmp(&b)));
    order
}

/// All but the weights.
fn same_but_for_weights(a: &ClusterTree, b: &ClusterTree) {
    assert_eq!(a.nodes().len(), b.nodes().len());
    for (a, b) in a.nodes().iter().zip(b.nodes()) {
        assert_eq!((a.path(), a.rows(), a.labels()), (b.path(), b.rows(), b.labels()));
        assert_eq!((a.membership(), a.persistence()), (b.membership(), b.persistence()));
        assert_eq!((a.embedding(), a.split(), a.stop_reason()), (b.embedding(), b.split(), b.stop_reason()));
    }
}

#[test]
fn whole_weights_are_rows_repeated() {
    let (rows, weights) = (table(), weights());
    let repeated: Vec<usize> = (0..260).flat_map(|row| vec![row; weights[row] as usize]).collect();
    let run = Run::new();
    // By single linkage: a smoothing by so many rows would be by so many of average weight.
    let plan = RecursiveTree::new(Identity, hdbscan(1).count_self(true));
    let weighted = plan.fit_weighted(&rows, &weights, &run).unwrap();
    let whole = plan.fit(&rows.select(Axis(0), &repeated), &run).unwrap();
    let paths = weighted.paths();
    let differ: Vec<(usize, String, String)> = (repeated.iter().zip(whole.paths()))
        .filter_map(|(&row, path)| (paths[row] != path).then(|| (row, paths[row].clone(), path)))
        .collect();
    assert!(differ.is_empty(), "{differ:?}\n{weighted}\n{whole}");
    assert!(weighted.leaves().count() >= 3, "{weighted}");
    for (a, b) in weighted.nodes().iter().zip(whole.nodes()) {
        assert!((a.weight().unwrap() - b.share()).abs() < 1e-12);
        assert_eq!((a.path(), b.weight()), (b.path(), None));
    }
}

#[test]
fn shares_of_the_population_differ_from_those_of_the_rows() {
    let (rows, mut weights) = (table(), vec![1.0; 260]);
    weights[160..].fill(0.1);
    let plan = RecursiveTree::new(Identity, hdbscan(5)).levels(1);
    // The small group weighs 10 of 170, which is no fifth.
    let tree = plan.fit_weighted(&rows, &weights, &Run::new()).unwrap();
    assert!(tree.leaves().all(|leaf| leaf.rows().iter().all(|&row| row < 160)), "{tree}");
    assert!(plan.fit(&rows, &Run::new()).unwrap().leaves().any(|leaf| leaf.rows().iter().any(|&row| row >= 160)));
    assert_eq!(tree.root().weight(), Some(1.0));
    let below: f64 = tree.leaves().filter_map(Node::weight).sum();
    assert!((below - 160.0 / 170.0).abs() < 0.05, "{below}");
}

#[test]
fn equal_weights_are_none() {
    let (rows, run) = (table(), Run::new());
    let plan = RecursiveTree::new(Umap::new().n_epochs(30), hdbscan(5)).judge(HeldOut::new());
    let none = plan.fit(&rows, &run).unwrap();
    let equal = plan.fit_weighted(&rows, &[0.37; 260], &run).unwrap();
    same_but_for_weights(&none, &equal);
    let boost = Boost::new().rounds(5);
    let model = none.surrogate(&rows, &boost, &run).unwrap();
    let weighted = equal.surrogate_weighted(&rows, &[0.37; 260], &boost, &run).unwrap();
    assert_eq!(model.probabilities(&rows, &run).unwrap(), weighted.probabilities(&rows, &run).unwrap());
}

/// Rows that are equal but for their weights are among them.
#[test]
fn order_does_not_matter() {
    let mut rows = table();
    for i in (0..260).step_by(4) {
        let copy = rows.row(i).to_owned();
        rows.row_mut(i + 1).assign(&copy);
        rows.row_mut(i + 2).assign(&copy);
    }
    let weights: Vec<f64> = (0..260).map(|i| 0.1 + f64::from(draw(i, 9))).collect();
    let order = shuffled(260);
    let turned: Vec<f64> = order.iter().map(|&row| weights[row]).collect();
    let plan = RecursiveTree::new(Umap::new().n_epochs(30), hdbscan(5)).judge(HeldOut::new());
    let run = Run::new();
    let a = plan.fit_weighted(&rows, &weights, &run).unwrap();
    let b = plan.fit_weighted(&rows.select(Axis(0), &order), &turned, &run).unwrap();
    let paths = a.paths();
    assert_eq!(order.iter().map(|&row| paths[row].clone()).collect::<Vec<_>>(), b.paths());
    for (a, b) in a.nodes().iter().zip(b.nodes()) {
        assert_eq!(a.weight().map(f64::to_bits), b.weight().map(f64::to_bits));
    }
    let boost = Boost::new().rounds(5);
    let labels = |tree: &ClusterTree| tree.leaf_labels();
    let classes: Vec<String> = a.leaves().map(|leaf| leaf.path().to_string()).collect();
    let model = Surrogate::fit_weighted(&rows, &labels(&a), classes, &weights, &boost, &run).unwrap();
    let other = b.surrogate_weighted(&rows.select(Axis(0), &order), &turned, &boost, &run).unwrap();
    assert_eq!(model.probabilities(&rows, &run).unwrap(), other.probabilities(&rows, &run).unwrap());
}

#[test]
fn weights_are_never_ignored() {
    let (rows, run) = (table(), Run::new());
    let told = RecursiveTree::new(Identity, KMeans::new(2)).fit_weighted(&rows, &weights(), &run).unwrap_err();
    assert_eq!(told.to_string(), "weights = given to KMeans: this clusterer has no place for them");
    let plan = RecursiveTree::new(Identity, hdbscan(5));
    let mut wrong = weights();
    wrong[17] = 0.0;
    let told = plan.fit_weighted(&rows, &wrong, &run).unwrap_err().to_string();
    assert!(told.starts_with("weights = 0 at row 17: "), "{told}");
    assert!(matches!(plan.fit_weighted(&rows, &[1.0], &run), Err(Error::Shape { found: 1, .. })));
    let tree = plan.fit_weighted(&rows, &weights(), &run).unwrap();
    wrong[17] = -1.0;
    assert!(tree.surrogate_weighted(&rows, &wrong, &Boost::new(), &run).is_err());
}

#[test]
fn a_weighted_fit_is_resumed_with_its_weights() {
    let (rows, weights, run) = (table(), weights(), Run::new());
    let plan = RecursiveTree::new(Identity, hdbscan(5));
    let nodes = Mutex::new(Vec::new());
    let sink = |node: &Node, children: &[Node]| {
        let mut nodes = nodes.lock().unwrap();
        nodes.push(node.clone());
        nodes.extend_from_slice(children);
        Ok(())
    };
    let tree = plan.fit_to_weighted(&rows, &weights, sink, &run).unwrap();
    let mut nodes = nodes.into_inner().unwrap();
    nodes.truncate(1 + tree.root().children());
    let part = ClusterTree::from_nodes(nodes, 2, run.seed_value()).unwrap();
    let done = |_: &Node, _: &[Node]| Ok(());
    assert_eq!(plan.fit_from_weighted(part.clone(), &rows, &weights, done, &run).unwrap(), tree);
    let refused = |result: Result<ClusterTree>| matches!(result, Err(Error::Setting { name: "weights", .. }));
    assert!(refused(plan.fit_from(part.clone(), &rows, done, &run)));
    let mut other = weights.clone();
    other.reverse();
    other[3] = 50.0;
    assert!(refused(plan.fit_from_weighted(part, &rows, &other, done, &run)));
    let without = plan.fit(&rows, &run).unwrap();
    assert!(refused(plan.fit_from_weighted(without, &rows, &weights, done, &run)));
}

#[test]
fn files_keep_the_share_and_need_none() {
    let (rows, run) = (table(), Run::new());
    let plan = RecursiveTree::new(Identity, hdbscan(5));
    let weighted = plan.fit_weighted(&rows, &weights(), &run).unwrap();
    let text = weighted.to_json().unwrap();
    assert_eq!(ClusterTree::from_json(&text).unwrap(), weighted);
    let none = plan.fit(&rows, &run).unwrap();
    let plain = none.to_json().unwrap();
    assert!(
        text.contains("\"weight\":1.0") && !plain.contains("\"weight\":"),
        "files without weights are as they were"
    );
    assert_eq!(ClusterTree::from_json(&plain).unwrap(), none);
    assert!(ClusterTree::from_json(&text.replacen("\"weight\":1.0,", "", 1)).is_err(), "a root without a weight");
    assert!(ClusterTree::from_json(&text.replacen("\"weight\":1.0", "\"weight\":0.1", 1)).is_err());
}

/// Takes nothing but weights of mean 1, and cuts column 0.
struct OnlyWeighted;
impl Clusterer for OnlyWeighted {
    fn cluster(&self, _rows: &ArrayRef2<f32>, _run: &Run) -> Result<Clustering> {
        panic!("without weights")
    }

    fn cluster_weighted(&self, rows: &ArrayRef2<f32>, weights: &[f64], _run: &Run) -> Result<Clustering> {
        assert_eq!(weights.len(), rows.nrows());
        assert!((weights.iter().sum::<f64>() / weights.len() as f64 - 1.0).abs() < 1e-12);
        Clustering::compact(rows.column(0).iter().map(|&x| i32::from(x > 20.0)).collect())
    }
}

struct TriesAgain;
impl Judge for TriesAgain {
    fn judge(&self, proposal: &Proposal<'_>, run: &Run) -> Result<Verdict> {
        // Of each node's rows the weights by their numbers, up to scale.
        let given = proposal.weights.unwrap();
        let scale = given[0] / weights()[proposal.numbers[0] as usize];
        for (&row, weight) in proposal.numbers.iter().zip(given) {
            assert!((weights()[row as usize] * scale - weight).abs() < 1e-12);
        }
        let part: Vec<u32> = (0..proposal.rows.nrows() as u32).step_by(3).collect();
        assert_eq!(proposal.again(&part, run)?.clustering.labels().len(), part.len());
        Ok(Verdict::keep("tried again"))
    }
}

#[test]
fn a_judge_tries_again_with_the_weights_of_the_part() {
    let plan = RecursiveTree::new(Identity, Box::new(OnlyWeighted) as Box<dyn Clusterer>).judge(TriesAgain);
    let tree = plan.fit_weighted(&table(), &weights(), &Run::new()).unwrap();
    assert_eq!(tree.root().children(), 2);
    assert_eq!(Identity.name(), tree.embedder());
}
