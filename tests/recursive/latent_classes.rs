//! Rows at the border between two clusters: reassigned by their answers where these predict clusters better than trees do.

use ndarray::{Array2, ArrayRef2, Axis};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use recluster::cluster::{GaussianMixture, KMeans};
use recluster::embed::{Identity, Questions};
use recluster::evidence::{HeldOut, LatentClasses, Policy};
use recluster::recursive::{ClusterTree, Judge, Move, Proposal, RecursiveTree, Verdict};
use recluster::table::{Column, Schema, Table, Values};
use recluster::validity::adjusted_rand;
use recluster::{Clusterer, Clustering, Embedder, Error, Result, Run};

fn uniform(draws: &mut ChaCha8Rng) -> f64 {
    (draws.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// Rows of three latent classes: `questions` answers of 1 to 5, one in three of words, whose shares differ by class; one in
/// ten left out where `missing`.
fn survey(rows: usize, questions: usize, missing: bool, seed: u64) -> (Table, Vec<i32>) {
    let mut draws = ChaCha8Rng::seed_from_u64(seed);
    let classes: Vec<i32> = (0..rows).map(|i| if i % 10 < 5 { 0 } else { 1 + i32::from(i % 10 < 8) }).collect();
    let mut columns = Vec::new();
    for q in 0..questions {
        let shares: Vec<Vec<f64>> =
            (0..3).map(|_| (0..5).map(|_| 0.05 + uniform(&mut draws).powi(3)).collect()).collect();
        let answers: Vec<Option<usize>> = classes
            .iter()
            .map(|&class| {
                let shares = &shares[class as usize];
                let mut left = uniform(&mut draws) * shares.iter().sum::<f64>();
                let below = |share: &f64| {
                    left -= share;
                    left < 0.0
                };
                let answer = shares.iter().position(below).unwrap_or(4);
                (!missing || uniform(&mut draws) < 0.9).then_some(answer)
            })
            .collect();
        let values = match q % 3 {
            0 => Values::words(answers.iter().map(|a| a.map(|a| ["tea", "coffee", "milk", "juice", "wine"][a]))),
            _ => Values::numbers(answers.iter().map(|a| a.map_or(f64::NAN, |a| (a + 1) as f64))),
        };
        columns.push(Column::new(format!("q{q}"), values));
    }
    (Table::new(columns).unwrap(), classes)
}

fn plan(schema: &Schema, judge: impl Judge + 'static) -> RecursiveTree<Questions<Identity>, KMeans> {
    RecursiveTree::new(Questions::new(Identity, schema), KMeans::new(3)).levels(1).judge(judge)
}

fn mark() -> HeldOut {
    HeldOut::new().policy(Policy::Mark)
}

#[test]
fn rows_between_latent_classes_are_reassigned_by_their_answers() {
    for (seed, missing) in [(1, false), (2, false), (3, true)] {
        let (table, classes) = survey(1500, 40, missing, seed);
        let schema = Schema::infer(&table);
        let rows = schema.encode(&table).unwrap();
        let plain = plan(&schema, mark()).fit(&rows, &Run::new()).unwrap();
        let tree = plan(&schema, LatentClasses::new(mark(), &schema)).fit(&rows, &Run::new()).unwrap();
        let found = |tree: &ClusterTree| adjusted_rand(tree.root().labels(), &classes).unwrap();
        assert!(found(&plain) < 0.99 && found(&tree) > 0.999, "{} after {}", found(&tree), found(&plain));
        let split = tree.root().split().unwrap();
        let proposed = split.clustering().expect("what was moved is kept as it was proposed").labels();
        let child = |&cluster: &i32| split.child_of(cluster as usize).unwrap() as i32;
        let moved = proposed.iter().zip(tree.root().labels()).filter(|(cluster, label)| child(cluster) != **label);
        assert_eq!(split.moved(), moved.count());
        assert!(split.moved() > 1 && split.reason().ends_with("rows were reassigned by their answers"));
        // A row that was reassigned has its posterior as membership.
        let memberships = tree.leaves().flat_map(|leaf| leaf.membership()).filter(|m| **m < 1.0);
        assert!(memberships.into_iter().all(|m| *m > 1.0 / 3.0));
        assert_eq!(tree.leaves().map(|leaf| leaf.rows().len()).sum::<usize>(), 1500);
    }
}

#[test]
fn neither_threads_nor_the_order_of_rows_change_a_move() {
    let (table, _) = survey(900, 40, true, 4);
    let schema = Schema::infer(&table);
    let rows = schema.encode(&table).unwrap();
    let plan = plan(&schema, LatentClasses::new(mark(), &schema));
    let tree = plan.fit(&rows, &Run::new()).unwrap();
    assert!(tree.root().split().unwrap().moved() > 0);
    assert_eq!(plan.fit(&rows, &Run::new().threads(1)).unwrap(), tree);
    let order: Vec<usize> = (0..900).map(|i| (i * 517 + 40) % 900).collect();
    let other = plan.fit(&rows.select(Axis(0), &order), &Run::new()).unwrap();
    let labels = tree.root().labels();
    assert_eq!(other.root().labels(), order.iter().map(|&row| labels[row]).collect::<Vec<_>>());
    #[cfg(feature = "serde")]
    {
        use recluster::Saved;
        assert_eq!(ClusterTree::from_json(&tree.to_json().unwrap()).unwrap(), tree);
    }
    let mut pruned = tree;
    pruned.prune("0").unwrap();
    assert_eq!(pruned.root().split().unwrap().moved(), 0);
}

/// Gives each row its class beside its columns, by its values.
struct Known(Vec<(f32, f32)>);

impl Embedder for Known {
    fn embed(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Array2<f32>> {
        let class = |x, y| self.0.iter().position(|row| *row == (x, y)).unwrap_or(0) % 2;
        let column = |i: usize, j: usize| if j == 2 { class(rows[[i, 0]], rows[[i, 1]]) as f32 } else { rows[[i, j]] };
        Ok(Array2::from_shape_fn((rows.nrows(), 3), |(i, j)| column(i, j)))
    }
}

/// The class that `Known` gave.
struct Told;

impl Clusterer for Told {
    fn cluster(&self, embedding: &ArrayRef2<f32>, _run: &Run) -> Result<Clustering> {
        Clustering::new(embedding.column(2).iter().map(|&class| class as i32).collect())
    }
}

#[test]
fn nothing_is_reassigned_where_columns_depend_on_each_other_within_clusters() {
    let mut draws = ChaCha8Rng::seed_from_u64(5);
    let points = Array2::from_shape_simple_fn((1200, 2), || uniform(&mut draws));
    let crescent = |i: usize| {
        let angle = std::f64::consts::PI * points[[i, 0]];
        let (x, y) =
            if i.is_multiple_of(2) { (angle.cos(), angle.sin()) } else { (1.0 - angle.cos(), 0.4 - angle.sin()) };
        (x + 0.1 * points[[i, 1]], y)
    };
    let column = |name: &str, at: &dyn Fn(usize) -> f64| Column::new(name, Values::numbers((0..1200).map(at)));
    let table = Table::new(vec![column("x", &|i| crescent(i).0), column("y", &|i| crescent(i).1)]).unwrap();
    let schema = Schema::infer(&table);
    let rows = schema.encode(&table).unwrap();
    let known = Known(rows.outer_iter().map(|row| (row[0], row[1])).collect());
    let judge = LatentClasses::new(mark(), &schema);
    let tree = RecursiveTree::new(known, Told).levels(1).judge(judge).fit(&rows, &Run::new()).unwrap();
    let split = tree.root().split().unwrap();
    assert_eq!((tree.leaves().count(), split.moved()), (2, 0), "{}", split.reason());
}

/// Moves what it is told to.
struct Moves(Vec<Move>);

impl Judge for Moves {
    fn judge(&self, proposal: &Proposal<'_>, _run: &Run) -> Result<Verdict> {
        assert_eq!(proposal.clustering.clusters(), 2);
        Ok(Verdict::keep("told").with_moves(self.0.clone()))
    }
}

#[test]
fn moves_that_cannot_be_are_errors_that_name_the_judge() {
    let rows = Array2::from_shape_fn((100, 2), |(i, j)| (i % 2 * 10) as f32 + ((i * 7 + j * 3) % 11) as f32 * 0.1);
    let fit = |moves: Vec<Move>| {
        RecursiveTree::new(Identity, GaussianMixture::new(2)).levels(1).judge(Moves(moves)).fit(&rows, &Run::new())
    };
    let one = Move { row: 3, to: 1, membership: 0.5 };
    let tree = fit(vec![one]).unwrap();
    assert_eq!((tree.leaves().count(), tree.root().noise()), (2, 0));
    let wrong = [
        vec![Move { row: 100, ..one }],
        vec![Move { to: 2, ..one }],
        vec![Move { membership: f32::NAN, ..one }],
        vec![Move { membership: 1.5, ..one }],
        vec![one, one],
        (0..100).map(|row| Move { row, ..one }).collect(),
    ];
    for moves in wrong {
        let error = fit(moves.clone()).unwrap_err();
        assert!(matches!(&error, Error::Contract { room: "judge", name, .. } if name == "Moves"), "{moves:?}: {error}");
    }
}

#[test]
fn questions_that_nobody_or_everybody_answers_alike_say_nothing() {
    let (table, classes) = survey(900, 40, false, 2);
    let schema = Schema::infer(&table);
    let mut rows = schema.encode(&table).unwrap();
    rows.column_mut(3).fill(f32::NAN);
    rows.column_mut(4).fill(2.0);
    // A row without any answer stays where it is, or goes to the largest class: it is in one.
    rows.row_mut(0).fill(f32::NAN);
    let plan = plan(&schema, LatentClasses::new(mark(), &schema));
    let tree = plan.fit(&rows, &Run::new()).unwrap();
    assert!(adjusted_rand(tree.root().labels(), &classes).unwrap() > 0.98);
    assert_eq!(tree.root().noise(), 0);
}

/// k-means for fits with weights, which it leaves to the judge.
struct Unweighted;

impl Clusterer for Unweighted {
    fn cluster(&self, embedding: &ArrayRef2<f32>, run: &Run) -> Result<Clustering> {
        KMeans::new(3).cluster(embedding, run)
    }

    fn cluster_weighted(&self, embedding: &ArrayRef2<f32>, _weights: &[f64], run: &Run) -> Result<Clustering> {
        self.cluster(embedding, run)
    }
}

#[test]
fn only_ratios_of_weights_count_and_light_rows_teach_little() {
    let (table, _) = survey(900, 40, false, 2);
    let schema = Schema::infer(&table);
    let rows = schema.encode(&table).unwrap();
    let plan = RecursiveTree::new(Questions::new(Identity, &schema), Unweighted)
        .levels(1)
        .judge(LatentClasses::new(mark(), &schema));
    let labels = |weights: &[f64]| plan.fit_weighted(&rows, weights, &Run::new()).unwrap().root().labels().to_vec();
    let even = labels(&[3.0; 900]);
    assert_eq!(even, plan.fit(&rows, &Run::new()).unwrap().root().labels());
    // Nine rows in ten of next to no weight: what is left teaches something else.
    let few: Vec<f64> = (0..900).map(|i| if i % 10 == 3 { 1.0 } else { 1e-4 }).collect();
    assert_ne!(labels(&few), even);
}

#[test]
fn a_table_of_another_schema_is_an_error() {
    let (table, _) = survey(300, 6, false, 6);
    let schema = Schema::infer(&table);
    let rows = schema.encode(&table).unwrap();
    let judge = LatentClasses::new(mark(), &schema);
    let narrow = rows.slice(ndarray::s![.., ..3]);
    let fit = RecursiveTree::new(Identity, KMeans::new(2)).levels(1).judge(judge).fit(&narrow, &Run::new());
    assert!(matches!(fit.unwrap_err(), Error::Shape { .. }));
}
