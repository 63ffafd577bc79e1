//! Graph degree linkage, the parts that its runs agree on, and the second look of a tree at its leaves.

use ndarray::{Array2, Axis};
use recluster::cluster::{GraphDegree, KMeans, StableParts};
use recluster::embed::{Identity, Pca};
use recluster::evidence::HeldOut;
use recluster::recursive::{ClusterTree, Judge, Proposal, RecursiveTree, SecondLook, StopReason, Verdict};
use recluster::{Clusterer, Error, Result, Run, Saved, Size};

/// A draw that is uniform enough in 0 to 1.
fn uniform(i: usize, j: usize) -> f32 {
    let mut x = (i as u64) << 32 | j as u64;
    for _ in 0..3 {
        x = (x ^ (x >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    (x >> 40) as f32 / (1u64 << 24) as f32
}

fn normal(i: usize, j: usize) -> f32 {
    (0..12).map(|k| uniform(i, 1000 * j + k)).sum::<f32>() - 6.0
}

/// Normal clouds of equal size in `columns` columns, each `apart` from the others along a column of its own.
fn clouds(rows: usize, columns: usize, groups: usize, apart: f32) -> Array2<f32> {
    Array2::from_shape_fn((rows, columns), |(i, j)| normal(i, j) + if i % groups == j { apart } else { 0.0 })
}

/// The share of rows that are in their group's cluster, with cluster numbers matched by the groups' most frequent.
fn found(labels: &[i32], groups: usize) -> f64 {
    let in_group = |group: usize| {
        let own: Vec<i32> = labels.iter().skip(group).step_by(groups).copied().filter(|&label| label >= 0).collect();
        (0..=labels.iter().copied().max().unwrap_or(0)).map(|k| own.iter().filter(|&&l| l == k).count()).max().unwrap()
    };
    (0..groups).map(in_group).sum::<usize>() as f64 / labels.len() as f64
}

#[test]
fn clouds_are_found_in_many_columns() -> Result<()> {
    let rows = clouds(600, 30, 3, 5.0);
    let clusters = GraphDegree::new(3).cluster(&rows, &Run::new())?;
    assert_eq!(clusters.clusters(), 3);
    assert!(found(clusters.labels(), 3) > 0.97, "{}", found(clusters.labels(), 3));
    let parts = StableParts::new().cluster(&rows, &Run::new())?;
    assert_eq!(parts.clusters(), 3);
    assert!(found(parts.labels(), 3) > 0.97);
    assert!(parts.persistence().is_some_and(|stability| stability.iter().all(|&s| s > 0.85 && s <= 1.0)));
    Ok(())
}

#[test]
fn one_cloud_has_no_stable_parts() -> Result<()> {
    let mut split = 0;
    for draw in 0..10 {
        let rows = Array2::from_shape_fn((500, 10), |(i, j)| normal(i + 1000 * draw, j));
        let parts = StableParts::new().cluster(&rows, &Run::new())?;
        split += usize::from(parts.clusters() > 1);
        // A single run always finds something.
        assert_eq!(GraphDegree::new(2).cluster(&rows, &Run::new())?.clusters(), 2);
    }
    assert_eq!(split, 0);
    Ok(())
}

#[test]
fn clouds_of_other_shapes_have_no_stable_parts() -> Result<()> {
    let skewed = |i, j| normal(i, j).exp();
    let answer = |i, j| (5.0 * uniform(i, j)).floor();
    for shape in [uniform, skewed, answer] as [fn(usize, usize) -> f32; 3] {
        for draw in 0..5 {
            let rows = Array2::from_shape_fn((200, 5), |(i, j)| shape(i + 1000 * draw, j));
            assert_eq!(StableParts::new().cluster(&rows, &Run::new())?.clusters(), 1, "{draw}");
        }
    }
    Ok(())
}

#[test]
fn nothing_depends_on_row_order_or_threads() -> Result<()> {
    let rows = clouds(300, 8, 2, 4.0);
    let order: Vec<usize> = (0..300).map(|i| (i * 7) % 300).map(|i| if i % 2 == 0 { i } else { 300 - i }).collect();
    let shuffled = rows.select(Axis(0), &order);
    let methods: [&dyn Clusterer; 2] = [&GraphDegree::new(4), &StableParts::new().runs(5)];
    for method in methods {
        let one = method.cluster(&rows, &Run::new().threads(1))?;
        assert_eq!(one, method.cluster(&rows, &Run::new().threads(2))?);
        let other = method.cluster(&shuffled, &Run::new())?;
        let expected: Vec<i32> = order.iter().map(|&row| one.labels()[row]).collect();
        assert_eq!(other.labels(), expected);
    }
    Ok(())
}

#[test]
fn odd_tables_and_settings() -> Result<()> {
    for method in [&GraphDegree::new(3) as &dyn Clusterer, &StableParts::new()] {
        let name = method.name();
        for rows in [1, 2, 3, 5] {
            let table = Array2::from_shape_fn((rows, 2), |(i, j)| (i * 3 + j) as f32);
            assert_eq!(method.cluster(&table, &Run::new())?.labels().len(), rows, "{name}");
        }
        let equal = Array2::from_elem((40, 3), 7.0f32);
        let clusters = method.cluster(&equal, &Run::new())?;
        assert!(clusters.clusters() <= 1, "{name}: equal rows in {} clusters", clusters.clusters());
        // Equal rows stay together.
        let twice = Array2::from_shape_fn((200, 4), |(i, j)| normal(i / 2, j));
        let labels = method.cluster(&twice, &Run::new())?;
        assert!(labels.labels().chunks(2).all(|pair| pair[0] == pair[1]), "{name}");
        assert!(matches!(method.cluster(&Array2::zeros((0, 3)), &Run::new()), Err(Error::Empty { .. })), "{name}");
        let mut bad = clouds(50, 3, 2, 3.0);
        bad[[7, 1]] = f32::NAN;
        assert!(matches!(method.cluster(&bad, &Run::new()), Err(Error::NotFinite { .. })), "{name}");
        let extreme = Array2::from_shape_fn((30, 2), |(i, j)| if (i + j) % 2 == 0 { f32::MAX } else { f32::MIN });
        assert_eq!(method.cluster(&extreme, &Run::new())?.labels().len(), 30, "{name}");
    }
    let rows = clouds(50, 3, 2, 3.0);
    let most = GraphDegree::new(usize::MAX).n_neighbors(usize::MAX).cluster(&rows, &Run::new())?;
    assert_eq!(most.labels().len(), 50, "more neighbours and clusters than rows");
    let wrong: [&dyn Clusterer; 6] = [
        &GraphDegree::new(0),
        &GraphDegree::new(2).n_neighbors(0),
        &GraphDegree::new(2).min_cluster_size(Size::Share(2.0)),
        &StableParts::new().runs(0),
        &StableParts::new().least_stability(1.5),
        &StableParts::new().min_cluster_size(Size::Share(-1.0)),
    ];
    for method in wrong {
        assert!(matches!(method.cluster(&rows, &Run::new()), Err(Error::Setting { .. })), "{:?}", method.settings());
    }
    Ok(())
}

#[test]
fn weights_count_for_the_least_size() -> Result<()> {
    // Ten of 200 rows are a cloud of their own: 5 % of the rows, and with their weights a third of the population.
    let rows = Array2::from_shape_fn((200, 4), |(i, j)| normal(i, j) * 0.3 + if i < 16 && j == 0 { 9.0 } else { 0.0 });
    let method = GraphDegree::new(2).n_neighbors(5).min_cluster_size(Size::Share(0.2));
    let small = |clusters: &recluster::Clustering| clusters.sizes().contains(&16);
    assert!(!small(&method.cluster(&rows, &Run::new())?));
    let weights: Vec<f64> = (0..200).map(|i| if i < 16 { 5.0 } else { 120.0 / 184.0 }).collect();
    assert!(small(&method.cluster_weighted(&rows, &weights, &Run::new())?));
    Ok(())
}

/// Three clouds, of which one principal component shows two.
fn hidden() -> Array2<f32> {
    Array2::from_shape_fn((450, 6), |(i, j)| match (i % 3, j) {
        (0, 0) => 60.0 + normal(i, j),
        (1, 1) => 7.0 + normal(i, j),
        _ => normal(i, j),
    })
}

fn plan() -> RecursiveTree<Pca, KMeans> {
    RecursiveTree::new(Pca::new(1), KMeans::new(2)).levels(1)
}

#[test]
fn a_second_look_finds_what_the_embedding_hid() -> Result<()> {
    let rows = hidden();
    let whole = plan().fit(&rows, &Run::new())?;
    assert_eq!(whole.leaves().count(), 2);
    let tree = plan().second_look(SecondLook::new(StableParts::new())).fit(&rows, &Run::new())?;
    assert_eq!(tree.leaves().count(), 3);
    let split = tree.node("0.0").and_then(|node| node.split()).unwrap();
    assert_eq!(split.second_look().map(|settings| settings.method().to_string()), Some("StableParts".into()));
    assert!(tree.root().split().unwrap().second_look().is_none());
    let node = tree.node("0.0").unwrap();
    assert!(node.embedding().is_some() && node.stop_reason().is_none());
    assert!(tree.leaves().filter(|leaf| leaf.path().level() == 3).all(|leaf| leaf.persistence() > Some(0.85)));
    // Its children say how well they were found again, where that is asked for.
    let again = plan().stability(4).second_look(SecondLook::new(StableParts::new())).fit(&rows, &Run::new())?;
    let stable =
        |leaf: &recluster::recursive::Node| leaf.stability().is_some_and(|own| own.runs == 4 && own.jaccard > 0.8);
    assert!(again.leaves().filter(|leaf| leaf.path().level() == 3).all(stable));
    // What is small, and what is large, is left alone; and so is what nobody asked for.
    for look in [SecondLook::new(StableParts::new()).min_size(0.9), SecondLook::new(StableParts::new()).most_rows(200)]
    {
        assert_eq!(plan().second_look(look).fit(&rows, &Run::new())?, whole);
    }
    assert!(plan().second_look(SecondLook::new(StableParts::new()).min_size(1.5)).fit(&rows, &Run::new()).is_err());
    Ok(())
}

#[test]
fn a_second_look_is_the_same_at_any_thread_count_and_is_saved() -> Result<()> {
    let rows = hidden();
    let plan = plan().second_look(SecondLook::new(StableParts::new()));
    let tree = plan.fit(&rows, &Run::new().threads(1))?;
    assert_eq!(tree, plan.fit(&rows, &Run::new().threads(2))?);
    assert_eq!(ClusterTree::from_json(&tree.to_json()?)?, tree);
    let order: Vec<usize> = (0..450).map(|i| (i * 7 + 3) % 450).collect();
    let shuffled = plan.fit(&rows.select(Axis(0), &order), &Run::new())?;
    for (node, other) in tree.nodes().iter().zip(shuffled.nodes()) {
        let mut rows: Vec<u32> = other.rows().iter().map(|&row| order[row as usize] as u32).collect();
        rows.sort_unstable();
        assert_eq!((node.path(), node.rows()), (other.path(), &rows[..]));
    }
    Ok(())
}

/// Refuses every split below the root.
struct RootOnly;

impl Judge for RootOnly {
    fn judge(&self, proposal: &Proposal<'_>, run: &Run) -> Result<Verdict> {
        let half: Vec<u32> = (0..proposal.rows.nrows() as u32).step_by(2).collect();
        let again = proposal.again(&half, run)?;
        assert_eq!(again.clustering.labels().len(), half.len());
        Ok(if proposal.node.level() == 1 { Verdict::keep("root") } else { Verdict::refuse("not the root") })
    }
}

#[test]
fn a_judge_judges_a_second_look() -> Result<()> {
    let rows = hidden();
    let look = SecondLook::new(StableParts::new());
    let tree = plan().judge(RootOnly).second_look(look.clone()).fit(&rows, &Run::new())?;
    assert_eq!(tree.leaves().count(), 2);
    assert!(tree.leaves().all(|leaf| matches!(leaf.stop_reason(), Some(StopReason::LastLevel { levels: 1 }))));
    let tree = plan().judge(HeldOut::new()).second_look(look).fit(&rows, &Run::new())?;
    assert_eq!(tree.leaves().count(), 3, "two clouds at a distance of seven are separated");
    let split = tree.node("0.0").and_then(|node| node.split()).unwrap();
    assert_eq!(split.judge(), Some("HeldOut"));
    Ok(())
}

#[test]
fn a_second_look_must_be_stable_where_that_is_required() -> Result<()> {
    // Three means of one cloud or of two are others each time; a judge would join them, but is not asked.
    let rows = hidden();
    let look = SecondLook::new(KMeans::new(3).restarts(1));
    let free = plan().stability(8).second_look(look.clone());
    let firm = free.clone().min_stability(0.95);
    assert!(free.fit(&rows, &Run::new())?.leaves().count() > 2);
    let tree = firm.fit(&rows, &Run::new())?;
    assert_eq!(tree, plan().stability(8).fit(&rows, &Run::new())?);
    assert_eq!(firm.judge(Never).fit(&rows, &Run::new())?.leaves().count(), 2);
    // The parts that are there come back each time.
    let parts = plan().stability(8).min_stability(0.8).second_look(SecondLook::new(StableParts::new()));
    assert_eq!(parts.fit(&rows, &Run::new())?.leaves().count(), 3);
    Ok(())
}

/// Is asked about the root alone.
struct Never;

impl Judge for Never {
    fn judge(&self, proposal: &Proposal<'_>, _run: &Run) -> Result<Verdict> {
        assert_eq!(proposal.node.level(), 1);
        Ok(Verdict::keep("root"))
    }
}

#[test]
fn a_root_that_stays_whole_is_looked_at_again() -> Result<()> {
    let rows = clouds(400, 20, 2, 6.0);
    let plan = RecursiveTree::new(Identity, KMeans::new(1)).levels(1);
    let tree = plan.second_look(SecondLook::new(StableParts::new())).fit(&rows, &Run::new())?;
    assert_eq!(tree.leaves().count(), 2);
    Ok(())
}
