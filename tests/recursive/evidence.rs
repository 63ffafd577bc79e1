//! Evidence: one cloud is not split, separate groups are, whatever the order of the rows and the number of threads.

use ndarray::{Array2, ArrayRef2, Axis};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use recluster::cluster::{GaussianMixture, Genie, Hdbscan, KMeans};
use recluster::embed::{Identity, Scaled, Scaling, Umap};
use recluster::evidence::{HeldOut, Policy};
use recluster::recursive::{ClusterTree, Grade, RecursiveTree, StopReason};
use recluster::validity::adjusted_rand;
use recluster::{Clusterer, Clustering, Error, Result, Run, Size};

struct Draws(ChaCha8Rng);

impl Draws {
    fn new(seed: u64) -> Self {
        Draws(ChaCha8Rng::seed_from_u64(seed))
    }

    fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

fn table(n: usize, d: usize, seed: u64, cell: impl Fn(usize, usize, &mut Draws) -> f64) -> Array2<f32> {
    let mut draws = Draws::new(seed);
    let values: Vec<f64> = (0..n * d).map(|at| cell(at / d, at % d, &mut draws)).collect();
    Array2::from_shape_fn((n, d), |(i, j)| values[i * d + j] as f32)
}

/// Groups 5 standard deviations apart, each along a column of its own.
fn groups(n: usize, d: usize, groups: usize, seed: u64) -> Array2<f32> {
    let step = if groups == 2 { 5.0 } else { 5.0 / std::f64::consts::SQRT_2 };
    table(n, d, seed, |i, j, draws| draws.normal() + if j == i % groups && (groups > 2 || j == 0) { step } else { 0.0 })
}

fn judged(clusters: usize, policy: Policy) -> RecursiveTree<Identity, KMeans> {
    RecursiveTree::new(Identity, KMeans::new(clusters)).levels(1).judge(HeldOut::new().policy(policy))
}

fn leaves(rows: &Array2<f32>, clusters: usize, seed: u64) -> usize {
    judged(clusters, Policy::Require).fit(rows, &Run::new().seed(seed)).unwrap().leaves().count()
}

#[test]
fn one_cloud_is_not_split() {
    let mut split = Vec::new();
    for seed in 0..6 {
        let tables = [
            ("Gaussian", table(500, 10, seed, |_, _, draws| draws.normal())),
            ("uniform", table(500, 10, seed, |_, _, draws| draws.uniform())),
            ("log-normal", table(500, 20, seed, |_, _, draws| draws.normal().exp())),
            ("elongated", table(500, 10, seed, |_, j, draws| draws.normal() * (-(j as f64)).exp())),
            ("flags", table(500, 10, seed, |_, _, draws| f64::from(draws.uniform() < 0.3))),
            ("answers", table(500, 20, seed, |_, _, draws| (3.0 + draws.normal()).round().clamp(1.0, 5.0))),
        ];
        for (kind, rows) in tables {
            if leaves(&rows, 3, seed) > 1 {
                split.push((kind, seed));
            }
        }
    }
    // The level is .05: 36 draws may have one, hardly three.
    assert!(split.len() < 3, "{split:?}");
}

#[test]
fn separate_groups_are_kept_and_too_many_clusters_are_joined_to_them() {
    let two = (0..8).filter(|&seed| leaves(&groups(500, 10, 2, seed), 2, seed) == 2).count();
    assert!(two >= 7, "{two} of 8");
    // k-means is asked for twice as many as there are.
    let three = (0..8).filter(|&seed| leaves(&groups(900, 10, 3, seed), 6, seed) == 3).count();
    assert!(three >= 6, "{three} of 8");
}

/// Cuts the first column at its quantiles: a clusterer of a user's own.
struct Quantiles(usize);

impl Clusterer for Quantiles {
    fn cluster(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Clustering> {
        let mut sorted: Vec<f32> = rows.column(0).to_vec();
        sorted.sort_by(f32::total_cmp);
        let cuts: Vec<f32> = (1..self.0).map(|k| sorted[k * sorted.len() / self.0]).collect();
        Clustering::compact(rows.column(0).iter().map(|x| cuts.iter().filter(|cut| x >= *cut).count() as i32).collect())
    }
}

#[test]
fn a_number_of_clusters_chosen_too_large_is_merged_back_whatever_the_clusterer() {
    type Plugin = (&'static str, fn(usize) -> Box<dyn Clusterer>);
    let plugins: [Plugin; 4] = [
        ("k-means", |k| Box::new(KMeans::new(k))),
        ("Gaussian mixture", |k| Box::new(GaussianMixture::new(k))),
        ("Genie", |k| Box::new(Genie::new(k))),
        ("quantiles", |k| Box::new(Quantiles(k))),
    ];
    for (name, of) in plugins {
        // Two groups, of which each clusterer is asked for five parts.
        let found = |seed: u64| {
            let plan = RecursiveTree::new(Identity, of(5)).levels(1).judge(HeldOut::new());
            let rows =
                table(900, 6, seed, |i, j, draws| draws.normal() + if j == 0 { 8.0 * (i % 2) as f64 } else { 0.0 });
            let tree = plan.fit(&rows, &Run::new().seed(seed)).unwrap();
            let truth: Vec<i32> = (0..900).map(|i| i % 2).collect();
            (tree.leaves().count(), adjusted_rand(&tree.leaf_labels(), &truth).unwrap())
        };
        let all: Vec<(usize, f64)> = (0..5).map(found).collect();
        // A quantile in the gap's middle parts the groups; those of the others may not lie there.
        let right = all.iter().filter(|(leaves, ari)| *leaves == 2 && *ari > 0.95).count();
        let never_more = all.iter().all(|(leaves, _)| *leaves <= 2);
        assert!(never_more && (right >= 4 || name == "quantiles"), "{name}: {all:?}");
    }
}

#[test]
fn a_refused_split_says_why_and_keeps_its_figures() {
    let rows = table(500, 10, 1, |_, _, draws| draws.normal());
    let tree = judged(3, Policy::Require).fit(&rows, &Run::new()).unwrap();
    assert!(matches!(tree.root().stop_reason(), Some(StopReason::Refused { .. })));
    let split = tree.root().split().unwrap();
    assert_eq!((split.proposed(), split.judge()), (3, Some("HeldOut")));
    assert!(!split.reason().contains("too few"), "{}", split.reason());
    let few = judged(3, Policy::Require).fit(&rows.slice(ndarray::s![..100, ..]).to_owned(), &Run::new()).unwrap();
    let reason = few.root().split().unwrap().reason();
    assert!(reason.ends_with("(2 of 3 have fewer than 40 rows, too few for this test to tell)"), "{reason}");
    // Two were joined, then the third to them.
    assert_eq!(split.separations().len(), 2);
    for separation in split.separations() {
        assert_ne!(separation.grade, Grade::Separated);
        assert!((0.05..=1.0).contains(&separation.p_value), "{separation:?}");
    }
    let last = &split.separations()[1];
    assert_eq!(last.of.len() + last.from.len(), 3);
}

#[test]
fn mark_keeps_all_clusters_and_says_which_are_separated() {
    // Two groups, one of which k-means cuts in two.
    let rows = table(600, 6, 3, |i, j, draws| draws.normal() + if j == 0 && i % 3 == 0 { 9.0 } else { 0.0 });
    let plan = judged(3, Policy::Mark);
    let tree = plan.fit(&rows, &Run::new()).unwrap();
    assert_eq!(tree.root().children(), 3);
    let split = tree.root().split().unwrap();
    let graded = |grade| split.separations().iter().filter(|s| s.grade == grade).count();
    assert!(graded(Grade::Separated) >= 1 && graded(Grade::Separated) < split.separations().len(), "{split:?}");
    assert_eq!(split.reason(), "one pair of siblings is not separated");
    for separation in split.separations().iter().filter(|s| s.grade == Grade::Separated) {
        assert!(separation.p_value <= 0.05 && separation.boundary.unwrap() < 0.5, "{separation:?}");
    }
}

/// Finds the groups of `k` along the first column, and in the whole table one more of every tenth row.
struct WithChance(usize);

impl Clusterer for WithChance {
    fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering> {
        let mut labels = KMeans::new(self.0).cluster(rows, run)?.labels().to_vec();
        if rows.nrows() == 900 {
            labels.iter_mut().step_by(10).for_each(|label| *label = self.0 as i32);
        }
        Clustering::compact(labels)
    }
}

#[test]
fn a_cluster_that_is_not_found_again_says_nothing_of_its_siblings() {
    let fit = |groups: usize| {
        let rows =
            table(900, 4, 8, |i, j, draws| draws.normal() + if j == 0 { 12.0 * (i % groups) as f64 } else { 0.0 });
        let judge = HeldOut::new().policy(Policy::Mark);
        RecursiveTree::new(Identity, WithChance(groups)).levels(1).judge(judge).fit(&rows, &Run::new()).unwrap()
    };
    let grades = |tree: &ClusterTree| -> Vec<Grade> {
        let grade = |node| tree.least_separated(node).map(|(_, found)| found.grade);
        tree.children(tree.root()).map(|child| grade(child).unwrap()).collect()
    };
    let tree = fit(3);
    let split = tree.root().split().unwrap();
    assert_eq!(split.reason(), "one cluster is not found again");
    let lost: Vec<usize> = (0..4).filter(|&c| tree.children(tree.root()).nth(c).unwrap().rows().len() == 90).collect();
    for (child, grade) in grades(&tree).into_iter().enumerate() {
        let expected = if lost.contains(&child) { Grade::NotFoundAgain } else { Grade::Separated };
        assert_eq!(grade, expected, "{child}: {:?}", split.separations());
    }
    let records = split.separations().iter().filter(|s| s.grade == Grade::NotFoundAgain);
    assert_eq!(records.map(|s| s.of.clone()).collect::<Vec<_>>(), [lost]);
    // Without another sibling there is nothing to be compared with.
    assert_eq!(grades(&fit(1)), [Grade::NotFoundAgain; 2]);
}

fn in_columns_of_one_scale(scaling: Scaling) -> ClusterTree {
    // A column a thousand times as wide as the one that separates.
    let rows = groups(600, 5, 2, 4);
    let wide =
        Array2::from_shape_fn((600, 6), |(i, j)| if j < 5 { rows[[i, j]] } else { ((i * 7919) % 601) as f32 * 1e3 });
    let plan = RecursiveTree::new(Scaled::new(Umap::new(), scaling), Hdbscan::new().min_cluster_size(Size::Share(0.2)));
    plan.levels(1).judge(HeldOut::new()).fit(&wide, &Run::new()).unwrap()
}

#[test]
fn evidence_sees_the_rows_as_the_embedder_does() {
    assert_eq!(in_columns_of_one_scale(Scaling::Standard).leaves().count(), 2);
    assert_eq!(in_columns_of_one_scale(Scaling::None).leaves().count(), 1);
}

#[test]
fn threads_and_row_order_change_nothing() {
    let rows = groups(500, 8, 3, 5);
    let plan = RecursiveTree::new(Umap::new().n_epochs(50), KMeans::new(5)).min_rows(40).judge(HeldOut::new());
    let tree = plan.fit(&rows, &Run::new().seed(2).threads(1)).unwrap();
    assert!(tree.leaves().count() > 1);
    assert_eq!(plan.fit(&rows, &Run::new().seed(2).threads(3)).unwrap(), tree);
    let order: Vec<usize> = (0..500).map(|i| (i * 217) % 500).collect();
    let shuffled = plan.fit(&rows.select(Axis(0), &order), &Run::new().seed(2)).unwrap();
    let paths = tree.paths();
    assert_eq!(shuffled.paths(), order.iter().map(|&i| paths[i].clone()).collect::<Vec<_>>());
    let figures = |tree: &ClusterTree| {
        format!("{:?}", tree.nodes().iter().map(|n| n.split().map(|s| s.separations().to_vec())).collect::<Vec<_>>())
    };
    assert_eq!(figures(&shuffled), figures(&tree));
}

#[test]
fn odd_tables_end_in_an_answer() {
    let fit = |rows: &Array2<f32>| {
        RecursiveTree::new(Identity, KMeans::new(2)).levels(1).min_rows(2).judge(HeldOut::new()).fit(rows, &Run::new())
    };
    for n in [2, 3, 5, 9, 30] {
        let rows = Array2::from_shape_fn((n, 1), |(i, _)| if i % 2 == 0 { 0.0 } else { 1e30 });
        fit(&rows).unwrap();
        fit(&Array2::from_shape_fn((n, 40), |(i, j)| ((i * j) % 3) as f32)).ok();
    }
    // Half of the rows are equal, the others too.
    let twins = Array2::from_shape_fn((200, 3), |(i, _)| (i % 2) as f32);
    fit(&twins).unwrap();
    let huge = Array2::from_shape_fn((60, 2), |(i, j)| if (i + j) % 2 == 0 { f32::MAX } else { -f32::MAX });
    fit(&huge).unwrap();
    for alpha in [0.0, -1.0, 1.5, f64::NAN] {
        let plan = RecursiveTree::new(Identity, KMeans::new(2)).judge(HeldOut::new().alpha(alpha));
        assert!(matches!(plan.fit(&groups(100, 2, 2, 1), &Run::new()), Err(Error::Setting { name: "alpha", .. })));
    }
}

#[cfg(feature = "serde")]
#[test]
fn figures_are_saved_with_the_tree() {
    use recluster::Saved;
    let tree = judged(4, Policy::Require).fit(&groups(400, 6, 2, 7), &Run::new()).unwrap();
    assert!(!tree.root().split().unwrap().separations().is_empty());
    assert_eq!(ClusterTree::from_json(&tree.to_json().unwrap()).unwrap(), tree);
}
