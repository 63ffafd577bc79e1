//! Consensus of several runs at each node, and how stable each cluster is.

use ndarray::{Array2, ArrayRef2, Axis};
use recluster::cluster::{Hdbscan, KMeans};
use recluster::embed::{Identity, Pca, Umap};
use recluster::evidence::HeldOut;
use recluster::recursive::{ClusterTree, RecursiveTree, Repeats, StabilityGrade, StopReason};
use recluster::validity::adjusted_rand;
use recluster::{Clusterer, Clustering, Error, NOISE, Result, Run, Saved, Size};

fn draw(seed: u64, at: u64) -> f64 {
    let mut z = (seed << 40 | at).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Three groups of sums of uniform values, `apart` standard deviations from each other.
fn groups(n: usize, d: usize, apart: f64) -> Array2<f32> {
    Array2::from_shape_fn((n, d), |(i, j)| {
        let at = ((i * d + j) * 4) as u64;
        let normal: f64 = (0..4).map(|k| draw(1, at + k) - 0.5).sum::<f64>() * 3f64.sqrt();
        (normal + if j == i % 3 { apart / 2f64.sqrt() } else { 0.0 }) as f32
    })
}

/// Finds the parity of the first column, but puts some rows elsewhere, other ones under every seed.
#[derive(Clone)]
struct Careless;

impl Clusterer for Careless {
    fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering> {
        let label = |row: ndarray::ArrayView1<'_, f32>| match draw(run.key() >> 24, u64::from(row[1].to_bits())) {
            careless if careless < 0.2 => (careless * 15.0) as i32 - 1,
            _ => row[0] as i32 % 2,
        };
        Clustering::compact(rows.outer_iter().map(label).collect())
    }
}

fn parity(n: usize) -> Array2<f32> {
    Array2::from_shape_fn((n, 2), |(i, j)| if j == 0 { (i % 2) as f32 } else { i as f32 })
}

fn plan() -> RecursiveTree<Identity, Careless> {
    RecursiveTree::new(Identity, Careless).levels(1)
}

#[test]
fn what_single_runs_do_carelessly_is_put_right() {
    let rows = parity(600);
    let classes: Vec<i32> = (0..600).map(|i| i % 2).collect();
    let (single, agreed) =
        (plan().fit(&rows, &Run::new()).unwrap(), plan().consensus(11).fit(&rows, &Run::new()).unwrap());
    assert!(adjusted_rand(&single.leaf_labels(), &classes).unwrap() < 0.8);
    assert!(adjusted_rand(&agreed.leaf_labels(), &classes).unwrap() > 0.98);
    assert_eq!((single.root().split().unwrap().runs(), agreed.root().split().unwrap().runs()), (None, Some(11)));
    assert!(single.leaves().all(|leaf| leaf.stability().is_none()));
    for leaf in agreed.leaves() {
        let stability = leaf.stability().unwrap();
        assert!((stability.found, stability.runs, stability.share) == (11, 11, 1.0), "{stability}");
        assert!((0.7..0.9).contains(&stability.jaccard), "of ten rows about two are elsewhere: {stability}");
        let membership = leaf.membership().iter().sum::<f32>() / leaf.membership().len() as f32;
        assert!((0.8..0.92).contains(&membership), "the share of the runs: {membership}");
        assert!(leaf.membership().iter().all(|share| (share * 11.0).fract().min(1.0 - (share * 11.0).fract()) < 1e-4));
    }
    let one = plan().consensus(1).fit(&rows, &Run::new()).unwrap();
    assert_eq!(one.leaf_labels(), single.leaf_labels());
}

/// Finds one cluster, two thirds of the rows, by the seed. The other third is noise to it.
#[derive(Clone)]
struct Undivided;

impl Clusterer for Undivided {
    fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering> {
        let out = (3.0 * draw(run.key() >> 24, 0)) as usize;
        let third = |row: ndarray::ArrayView1<'_, f32>| 3 * row[1] as usize / rows.nrows();
        Clustering::new(rows.outer_iter().map(|row| if third(row) == out { NOISE } else { 0 }).collect())
    }
}

#[test]
fn what_no_run_divides_stays_whole() {
    let rows = parity(400);
    let plan = RecursiveTree::new(Identity, Undivided).levels(1);
    let single = plan.fit(&rows, &Run::new()).unwrap();
    let agreed = plan.consensus(30).fit(&rows, &Run::new()).unwrap();
    for tree in [&single, &agreed] {
        assert_eq!(tree.root().stop_reason(), Some(&StopReason::OneCluster { clusters: 1 }));
        assert!(tree.leaf_labels().iter().all(|&label| label == 0));
    }
}

#[test]
fn stability_changes_no_cluster() {
    let rows = groups(400, 4, 6.0);
    let plan = RecursiveTree::new(Identity, KMeans::new(3)).levels(1);
    let (plain, told) =
        (plan.fit(&rows, &Run::new()).unwrap(), plan.clone().stability(8).fit(&rows, &Run::new()).unwrap());
    assert_eq!(plain.paths(), told.paths());
    for leaf in told.leaves() {
        let stability = leaf.stability().unwrap();
        assert_eq!((stability.found, stability.runs, stability.share), (8, 8, 0.8));
        assert!(stability.grade() == StabilityGrade::HighlyStable, "{stability}");
    }
    // Five means in three groups: at least the parts of a group are not found again.
    let five =
        RecursiveTree::new(Identity, KMeans::new(6).restarts(1)).levels(1).stability(Repeats::new(12).share(0.5));
    let five = five.fit(&rows, &Run::new()).unwrap();
    let least = five.leaves().map(|leaf| leaf.stability().unwrap().grade()).min().unwrap();
    assert!(least <= StabilityGrade::Pattern, "{least}");
}

#[test]
fn splits_below_the_root_must_be_stable_where_that_is_required() {
    // Three groups, each of which k-means cuts into three parts, in another way each time.
    let rows = groups(450, 3, 9.0);
    let plan = RecursiveTree::new(Identity, KMeans::new(3).restarts(1)).stability(12);
    let free = plan.fit(&rows, &Run::new()).unwrap();
    assert_eq!((free.root().children(), free.leaves().count()), (3, 9));
    let firm = plan.clone().min_stability(0.9);
    let tree = firm.fit(&rows, &Run::new()).unwrap();
    assert_eq!(tree.leaves().count(), 3);
    for leaf in tree.leaves() {
        let Some(StopReason::Refused { why }) = leaf.stop_reason() else { panic!("{:?}", leaf.stop_reason()) };
        assert!(why.starts_with("its 3 clusters change from run to run (mean Jaccard index 0."), "{why}");
        let split = leaf.split().unwrap();
        assert_eq!((split.proposed(), split.reason(), split.judge()), (3, why.as_str(), None));
        assert!(split.clustering().is_some(), "what was refused stays on the record");
        // The mean that counts is that of the children which the plan without it makes.
        let path = leaf.path();
        let kept = || free.leaves().filter(|child| child.path().parent().as_ref() == Some(path));
        let rows = kept().map(|child| child.rows().len()).sum::<usize>() as f64;
        let mean = kept().map(|c| c.stability().unwrap().jaccard * c.rows().len() as f64).sum::<f64>() / rows;
        assert!(why.contains(&format!("{mean:.2} over 12 runs")), "{why}, {mean}");
    }
    // Where it is met, and at the root, it changes nothing.
    assert_eq!(plan.clone().min_stability(0.05).fit(&rows, &Run::new()).unwrap(), free);
    assert_eq!(firm.fit(&rows, &Run::new().threads(3)).unwrap(), tree);
    let order: Vec<usize> = (0..450).map(|i| (i * 7 + 11) % 450).collect();
    let turned = firm.fit(&rows.select(Axis(0), &order), &Run::new()).unwrap();
    assert_eq!(turned.paths(), order.iter().map(|&row| tree.paths()[row].clone()).collect::<Vec<_>>());
    // It needs runs to go by: of a consensus, if there are no others.
    let bare = RecursiveTree::new(Identity, KMeans::new(3).restarts(1)).min_stability(0.9);
    assert!(bare.fit(&rows, &Run::new()).unwrap_err().to_string().contains("min_stability"));
    assert!(bare.clone().consensus(6).fit(&rows, &Run::new()).is_ok());
    for wrong in [-0.1, 1.1, f64::NAN] {
        assert!(plan.clone().min_stability(wrong).fit(&rows, &Run::new()).is_err());
    }
}

#[test]
fn threads_and_the_order_of_rows_change_no_bit() {
    let rows = groups(300, 5, 7.0);
    let repeats =
        || Repeats::new(4).share(0.9).also(Pca::new(2), KMeans::new(3)).also(Umap::new().n_epochs(60), KMeans::new(2));
    let plan = RecursiveTree::new(Umap::new().n_epochs(60), Hdbscan::new().min_cluster_size(Size::Share(0.1)))
        .consensus(repeats())
        .stability(3)
        .judge(HeldOut::new());
    let tree = plan.fit(&rows, &Run::new().threads(1)).unwrap();
    assert!(tree.leaves().count() >= 2 && tree.leaves().all(|leaf| leaf.stability().is_some()));
    assert_eq!(plan.fit(&rows, &Run::new().threads(3)).unwrap(), tree);
    let order: Vec<usize> = (0..300).map(|i| (i * 7 + 11) % 300).collect();
    let turned = plan.fit(&rows.select(Axis(0), &order), &Run::new()).unwrap();
    let expected: Vec<String> = order.iter().map(|&row| tree.paths()[row].clone()).collect();
    assert_eq!(turned.paths(), expected);
    let stability = |tree: &ClusterTree| tree.leaves().map(|leaf| *leaf.stability().unwrap()).collect::<Vec<_>>();
    assert_eq!(stability(&turned), stability(&tree));
}

#[test]
fn evidence_judges_the_consensus() {
    // Two groups, of which k-means is asked for four clusters.
    let rows = groups(900, 4, 8.0).select(Axis(0), &(0..900).filter(|i| i % 3 < 2).collect::<Vec<_>>());
    let plan = RecursiveTree::new(Identity, KMeans::new(4)).levels(1).consensus(5).judge(HeldOut::new());
    let tree = plan.fit(&rows, &Run::new()).unwrap();
    assert_eq!(tree.leaves().count(), 2);
    for leaf in tree.leaves() {
        let stability = leaf.stability().unwrap();
        assert!(stability.jaccard > 0.9, "clusters that were joined are compared as one: {stability}");
    }
}

#[test]
fn the_majority_may_find_one_cluster_or_none() {
    /// One cluster, two, or noise, by the run.
    #[derive(Clone)]
    struct Moody(fn(u64) -> u64);
    impl Clusterer for Moody {
        fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering> {
            let mood = (self.0)(run.key());
            let label = |i: usize| [NOISE, 0, (2 * i / rows.nrows()) as i32][mood as usize];
            Clustering::new((0..rows.nrows()).map(label).collect())
        }
    }
    let fit = |mood| {
        let plan = RecursiveTree::new(Identity, Moody(mood)).levels(1).consensus(9);
        plan.fit(&parity(100), &Run::new()).unwrap()
    };
    let leaf = |tree: &ClusterTree| tree.root().stop_reason().cloned();
    assert_eq!(leaf(&fit(|_| 0)), Some(StopReason::OneCluster { clusters: 0 }));
    assert_eq!(leaf(&fit(|_| 1)), Some(StopReason::OneCluster { clusters: 1 }));
    assert_eq!(fit(|_| 2).leaves().count(), 2);
    let mixed = fit(|key| key % 2 + 1);
    assert!(mixed.leaves().count() <= 2);
}

#[test]
fn too_few_rows_in_a_run_are_noise_and_wrong_settings_errors() {
    let rows = groups(60, 3, 9.0);
    // A tenth of the rows is less than k-means needs.
    let plan = RecursiveTree::new(Identity, KMeans::new(8)).levels(1).stability(Repeats::new(3).share(0.1));
    let tree = plan.fit(&rows, &Run::new()).unwrap();
    assert!(tree.leaves().filter_map(|leaf| leaf.stability()).all(|stability| stability.found == 0));
    let name = |error: Error| match error {
        Error::Setting { name, .. } => name,
        other => panic!("{other}"),
    };
    let plan = RecursiveTree::new(Identity, KMeans::new(2));
    assert_eq!(name(plan.clone().consensus(0).fit(&rows, &Run::new()).unwrap_err()), "runs");
    for share in [0.0, -1.0, 1.5, f64::NAN] {
        let wrong = plan.clone().stability(Repeats::new(2).share(share));
        assert_eq!(name(wrong.fit(&rows, &Run::new()).unwrap_err()), "share");
    }
}

#[test]
fn weights_reach_every_run_and_files_keep_what_was_found() {
    let rows = groups(240, 3, 9.0);
    let weights: Vec<f64> = (0..240).map(|i| 1.0 + (i % 4) as f64).collect();
    let plan = RecursiveTree::new(Identity, Hdbscan::new().min_cluster_size(Size::Share(0.1))).levels(1).consensus(3);
    let tree = plan.fit_weighted(&rows, &weights, &Run::new()).unwrap();
    assert_eq!(tree.leaves().count(), 3);
    let text = tree.to_json().unwrap();
    assert_eq!(ClusterTree::from_json(&text).unwrap(), tree);
    let found = tree.leaves().next().unwrap().stability().unwrap();
    assert_eq!((found.runs, found.jaccard), (3, 1.0), "without a random step all runs are alike");
    for (sound, damaged) in [("\"jaccard\":1.0", "\"jaccard\":1.5"), ("\"found\":3", "\"found\":4")] {
        assert!(text.contains(sound));
        assert!(ClusterTree::from_json(&text.replacen(sound, damaged, 1)).is_err(), "{damaged}");
    }
}
