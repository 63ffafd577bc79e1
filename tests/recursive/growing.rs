//! What happens between finding clusters and numbering children, and fits that go on from a part of a tree.

use ndarray::{Array2, ArrayRef2, Axis};
use recluster::cluster::{Dbscan, Genie, Hdbscan, KMeans};
use recluster::embed::{Identity, Pca, Scaled, Scaling, Umap};
use recluster::recursive::{ClusterTree, Judge, Node, Path, Proposal, RecursiveTree, StopReason, Verdict, step};
use recluster::{Clusterer, Embedder, Error, NOISE, Result, Run, Setting, Size, canonical_order};
use std::borrow::Cow;
use std::sync::Mutex;

/// Four groups of 40, 30, 20 and 10 rows along column 0, in mixed order, column 1 telling rows apart.
fn table() -> Array2<f32> {
    Array2::from_shape_fn((100, 2), |(i, j)| {
        let at = (i * 37) % 100;
        let group = usize::from(at >= 40) + usize::from(at >= 70) + usize::from(at >= 90);
        if j == 0 { (group * 100) as f32 + (at % 7) as f32 * 0.1 } else { at as f32 * 0.01 }
    })
}

/// Decides by the node's path.
struct ByPath<F>(F);
impl<F: Fn(&str) -> Verdict + Send + Sync> Judge for ByPath<F> {
    fn judge(&self, proposal: &Proposal<'_>, _run: &Run) -> Result<Verdict> {
        Ok(self.0(&proposal.node.path.to_string()))
    }

    fn name(&self) -> String {
        "by path".into()
    }
}

fn plan() -> RecursiveTree<Identity, KMeans> {
    RecursiveTree::new(Identity, KMeans::new(4)).levels(1)
}

/// Proposed cluster of the group that starts at this multiple of 100.
fn proposed(tree: &ClusterTree, group: usize) -> usize {
    let row = (0..100).find(|&i| table()[[i, 0]] as usize / 100 == group).unwrap();
    let root = tree.root();
    root.split().unwrap().clustering().unwrap().labels()[root.rows().iter().position(|&r| r as usize == row).unwrap()]
        as usize
}

#[test]
fn a_refused_split_is_kept_on_the_node() {
    let judge = ByPath(|_: &str| Verdict::refuse("the gap is not empty"));
    let tree = plan().judge(judge).fit(&table(), &Run::new()).unwrap();
    let root = tree.root();
    assert!(root.is_leaf() && !root.is_open() && tree.nodes().len() == 1);
    assert_eq!(root.stop_reason(), Some(&StopReason::Refused { why: "the gap is not empty".into() }));
    assert_eq!(root.stop_reason().unwrap().to_string(), "its split was refused: the gap is not empty");
    let split = root.split().unwrap();
    assert_eq!((split.proposed(), split.judge(), split.reason()), (4, Some("by path"), "the gap is not empty"));
    assert!((0..4).all(|cluster| split.child_of(cluster).is_none()));
    // The proposal is what the clusterer said of the rows in the tree's order.
    let (rows, run) = (table(), Run::new());
    let canonical = canonical_order(&rows).unwrap();
    let order: Vec<usize> = canonical.clone();
    let alone = step(&Identity, &KMeans::new(4), &rows.select(Axis(0), &order), &run.at("0")).unwrap();
    let clustering = split.clustering().unwrap();
    for (place, &row) in order.iter().enumerate() {
        assert_eq!(clustering.labels()[row], alone.clustering.labels()[place]);
        assert_eq!(root.embedding().unwrap().row(row), alone.embedded.embedding.row(place));
    }
}

#[test]
fn siblings_are_merged_and_numbered_anew() {
    let refused = plan().judge(ByPath(|_: &str| Verdict::refuse(""))).fit(&table(), &Run::new()).unwrap();
    let group = [0, 1, 2, 3].map(|group| proposed(&refused, group));
    // 40 and 10 rows become one child of 50, the others stay.
    let groups = vec![vec![group[1]], vec![group[3], group[0]], vec![group[2]]];
    let judge = ByPath(move |_: &str| Verdict::merge(groups.clone(), "too near"));
    let tree = plan().judge(judge).fit(&table(), &Run::new()).unwrap();
    let sizes: Vec<usize> = tree.children(tree.root()).map(|child| child.rows().len()).collect();
    assert_eq!(sizes, [50, 30, 20]);
    let split = tree.root().split().unwrap();
    assert_eq!(group.map(|cluster| split.child_of(cluster)), [Some(0), Some(1), Some(2), Some(0)]);
    assert_eq!(split.clustering(), refused.root().split().unwrap().clustering(), "what was merged is kept as proposed");
    assert!(
        tree.node("0.0").unwrap().rows().iter().all(|&row| [0, 3].contains(&(table()[[row as usize, 0]] as u32 / 100)))
    );
    assert_eq!(split.reason(), "too near");
}

#[test]
fn a_kept_split_is_that_of_no_judge() {
    let judged = plan().judge(ByPath(|_: &str| Verdict::keep("fine"))).fit(&table(), &Run::new()).unwrap();
    let free = plan().fit(&table(), &Run::new()).unwrap();
    assert_eq!(judged.paths(), free.paths());
    let (with, without) = (judged.root().split().unwrap(), free.root().split().unwrap());
    assert_eq!((with.judge(), with.reason(), without.judge(), without.reason()), (Some("by path"), "fine", None, ""));
    assert_eq!(with.clustering(), None, "labels and children say it all");
    assert_eq!(
        (0..4).map(|c| with.child_of(c)).collect::<Vec<_>>(),
        (0..4).map(|c| without.child_of(c)).collect::<Vec<_>>()
    );
}

#[test]
fn groups_that_are_no_partition_break_the_contract() {
    for groups in [
        vec![vec![0, 1], vec![2]],
        vec![vec![0, 1], vec![1, 2, 3]],
        vec![vec![0, 1, 2], vec![3], vec![]],
        vec![vec![0, 1, 2, 3], vec![4]],
    ] {
        let judge = ByPath(move |_: &str| Verdict::merge(groups.clone(), ""));
        let error = plan().judge(judge).fit(&table(), &Run::new()).unwrap_err();
        assert!(matches!(error, Error::Contract { room: "judge", .. }), "{error}");
    }
    let one = ByPath(|_: &str| Verdict::merge(vec![vec![3, 2, 1, 0]], "all one"));
    let tree = plan().judge(one).fit(&table(), &Run::new()).unwrap();
    assert!(matches!(tree.root().stop_reason(), Some(StopReason::Refused { why }) if why == "all one"));
}

/// What a judge is shown fits together, and lets it run the node's own procedure again.
#[test]
fn a_judge_can_try_the_node_again() {
    struct Again;
    impl Judge for Again {
        fn judge(&self, proposal: &Proposal<'_>, run: &Run) -> Result<Verdict> {
            let data = table();
            for (row, &number) in proposal.rows.axis_iter(Axis(0)).zip(proposal.numbers) {
                assert_eq!(row, data.row(number as usize));
            }
            let node = Run::new().seed(3).at(&proposal.node.path.to_string());
            assert_eq!(run.key(), node.at("judge").key());
            assert_eq!(&proposal.prepared.embed(None, &node)?, proposal.embedded, "{}", proposal.node.path);
            let again = step(proposal.embedder, proposal.clusterer, proposal.rows, &node)?;
            assert_eq!(&again.clustering, proposal.clustering);
            let half: Vec<u32> = (0..proposal.rows.nrows() as u32 / 2).collect();
            let part = proposal.prepared.embed(Some(&half), run)?;
            assert_eq!(part.embedding.nrows(), half.len());
            Ok(Verdict::keep(format!("{} rows", proposal.rows.nrows())))
        }
    }
    let plan = RecursiveTree::new(Umap::new().n_epochs(20), KMeans::new(2)).min_rows(20).judge(Again);
    let tree = plan.fit(&table(), &Run::new().seed(3)).unwrap();
    assert!(tree.levels() >= 2);
    for node in tree.nodes().iter().filter(|node| !node.is_leaf()) {
        assert_eq!(node.split().unwrap().reason(), format!("{} rows", node.rows().len()));
    }
}

#[test]
fn a_clustering_that_did_not_fall_apart_is_kept() {
    struct AllNoiseButOne;
    impl Clusterer for AllNoiseButOne {
        fn cluster(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<recluster::Clustering> {
            let label = |x: &f32| if *x < 50.0 { 0 } else { NOISE };
            recluster::Clustering::new(rows.column(0).iter().map(label).collect())
        }
    }
    let tree = RecursiveTree::new(Identity, AllNoiseButOne).fit(&table(), &Run::new()).unwrap();
    let root = tree.root();
    assert_eq!(root.stop_reason(), Some(&StopReason::OneCluster { clusters: 1 }));
    let split = root.split().unwrap();
    assert_eq!((split.proposed(), split.child_of(0), split.judge()), (1, None, None));
    let expected: Vec<i32> = table().column(0).iter().map(|&x| if x < 50.0 { 0 } else { NOISE }).collect();
    assert_eq!(split.clustering().unwrap().labels(), expected);
    assert!(root.labels().is_empty());
}

type Finished = Vec<(Node, Vec<Node>)>;

fn collected(plan: &RecursiveTree<Pca, KMeans>, rows: &Array2<f32>, run: &Run) -> (ClusterTree, Finished) {
    let finished = Mutex::new(Vec::new());
    let tree = plan
        .fit_to(
            rows,
            |node, children| {
                finished.lock().unwrap().push((node.clone(), children.to_vec()));
                Ok(())
            },
            run,
        )
        .unwrap();
    (tree, finished.into_inner().unwrap())
}

fn deep() -> RecursiveTree<Pca, KMeans> {
    RecursiveTree::new(Pca::new(2), KMeans::new(2)).levels(4).min_rows(8)
}

#[test]
fn a_fit_goes_on_from_any_part_of_its_tree() {
    let (rows, run) = (table(), Run::new().seed(5).threads(1));
    let (tree, finished) = collected(&deep(), &rows, &run);
    assert_eq!(finished.len(), tree.nodes().len(), "each node is handed over once");
    for kept in 1..=finished.len() {
        let nodes = finished[..kept].iter().flat_map(|(node, children)| std::iter::once(node).chain(children).cloned());
        let partial = ClusterTree::from_nodes(nodes.collect(), 2, 5).unwrap();
        assert_eq!(partial.nodes().iter().filter(|node| !node.is_open()).count(), kept);
        let worked = Mutex::new(Vec::new());
        let resumed = deep()
            .fit_from(
                partial,
                &rows,
                |node, _| {
                    worked.lock().unwrap().push(node.path().clone());
                    Ok(())
                },
                &run,
            )
            .unwrap();
        assert_eq!(resumed, tree);
        // Only what was not finished, and leaves that a limit had stopped, which are asked again.
        let worked = worked.into_inner().unwrap();
        let done: Vec<&Path> =
            finished[..kept].iter().filter(|(n, _)| n.stop_reason().is_none()).map(|(n, _)| n.path()).collect();
        assert!(worked.iter().all(|path| !done.contains(&path)));
    }
}

#[test]
fn a_tree_is_deepened() {
    let (rows, run) = (table(), Run::new());
    let shallow = deep().levels(2).fit(&rows, &run).unwrap();
    assert_eq!(shallow.levels(), 2);
    let deepened = deep().fit_from(shallow, &rows, |_, _| Ok(()), &run).unwrap();
    assert_eq!(deepened, deep().fit(&rows, &run).unwrap());
    assert!(deepened.levels() > 2);
}

#[test]
fn what_is_no_part_of_a_fit_is_refused() {
    let (rows, run) = (table(), Run::new().seed(1));
    let tree = deep().fit(&rows, &run).unwrap();
    let from =
        |tree: &ClusterTree, rows: &Array2<f32>, run: &Run| deep().fit_from(tree.clone(), rows, |_, _| Ok(()), run);
    assert!(matches!(from(&tree, &rows, &Run::new()), Err(Error::Setting { name: "seed", .. })));
    let fewer = rows.slice(ndarray::s![1.., ..]).to_owned();
    assert!(matches!(from(&tree, &fewer, &run), Err(Error::Shape { .. })));
    let wider = Array2::zeros((100, 3));
    assert!(matches!(from(&tree, &wider, &run), Err(Error::Shape { .. })));
    // A child without its siblings, no root, nothing.
    for drop in ["0.1", "0"] {
        let nodes = tree.nodes().iter().filter(|node| *node.path() != *drop).cloned().collect();
        assert!(matches!(ClusterTree::from_nodes(nodes, 2, 1), Err(Error::Format { .. })), "without {drop}");
    }
    assert!(ClusterTree::from_nodes(Vec::new(), 2, 1).is_err());
    assert_eq!(ClusterTree::from_nodes(tree.nodes().iter().rev().cloned().collect(), 2, 1).unwrap(), tree);
    let failed = deep().fit_to(&rows, |_, _| Err(Error::setting("disk", "full", "must have room")), &run);
    assert!(matches!(failed, Err(Error::Setting { name: "disk", .. })));
}

#[test]
fn each_node_keeps_the_settings_it_was_made_with() {
    let plan = RecursiveTree::by_node(
        |_| Scaled::new(Pca::new(2), Scaling::Standard),
        |node| -> Box<dyn Clusterer> {
            if node.level() == 1 { Box::new(KMeans::new(2)) } else { Box::new(Genie::new(2)) }
        },
    );
    let tree = plan.min_rows(40).fit(&table(), &Run::new()).unwrap();
    assert_eq!((tree.embedder(), tree.clusterer()), ("Pca", "KMeans"));
    assert_eq!(tree.root().embedder().unwrap().get("scaling"), Some(&Setting::Text("Standard".into())));
    assert_eq!(tree.root().clusterer().unwrap().get("clusters"), Some(&Setting::Count(2)));
    assert_eq!(tree.node("0.0").unwrap().clusterer(), Some(&Genie::new(2).settings()));
    let unseen = tree.nodes().iter().find(|node| node.embedding().is_none()).unwrap();
    assert_eq!((unseen.embedder(), unseen.clusterer()), (None, None));
}

/// The names of settings are those of a saved builder, so that a report and a file speak of the same thing.
#[cfg(feature = "serde")]
#[test]
fn settings_have_the_names_of_the_saved_builder() {
    fn same<T: serde::Serialize>(builder: &T, settings: &recluster::Settings) {
        let saved = serde_json::to_value(builder).unwrap();
        let mut saved: Vec<&str> = saved.as_object().unwrap().keys().map(String::as_str).collect();
        let mut named: Vec<&str> = settings.iter().map(|(name, _)| name).collect();
        saved.sort_unstable();
        named.sort_unstable();
        assert_eq!(named, saved, "{}", settings.method());
    }
    use recluster::cluster::{Agglomerative, GaussianMixture};
    use recluster::embed::{Densmap, RandomProjection};
    same(&Umap::new().densmap(Densmap::default()), &Umap::new().settings());
    same(&Pca::new(2), &Pca::new(2).settings());
    same(&RandomProjection::new(2), &RandomProjection::new(2).settings());
    same(&Hdbscan::new(), &Hdbscan::new().settings());
    same(&KMeans::new(2), &KMeans::new(2).settings());
    same(&GaussianMixture::new(2), &GaussianMixture::new(2).settings());
    same(&Genie::new(2), &Genie::new(2).settings());
    same(&Agglomerative::new(2), &Agglomerative::new(2).settings());
    same(&Dbscan::new(1.0), &Dbscan::new(1.0).settings());
}

#[test]
fn settings_that_count_rows_shrink_with_a_sample() {
    let hdbscan = Hdbscan::new().min_cluster_size(Size::Count(100)).min_samples(10).max_cluster_size(Size::Count(400));
    let half = Hdbscan::new().min_cluster_size(Size::Count(50)).min_samples(5).max_cluster_size(Size::Count(200));
    let settings = |clusterer: &dyn Clusterer, share| clusterer.for_sample(share).map(|c| c.settings());
    assert_eq!(settings(&hdbscan, 0.5), Some(half.settings()));
    assert_eq!(settings(&hdbscan, 1.0), Some(hdbscan.settings()));
    let shares = Hdbscan::new().min_cluster_size(Size::Share(0.05));
    assert_eq!(settings(&shares, 0.5), Some(shares.settings()));
    // Never below what makes sense.
    let least = settings(&hdbscan, 0.001).unwrap();
    assert_eq!(
        (least.get("min_cluster_size"), least.get("min_samples")),
        (Some(&Setting::Count(2)), Some(&Setting::Count(1)))
    );
    assert_eq!(settings(&Genie::new(3).min_samples(8), 0.25), Some(Genie::new(3).min_samples(2).settings()));
    assert_eq!(settings(&Dbscan::new(1.0), 0.4), Some(Dbscan::new(1.0).min_samples(2).settings()));
    assert_eq!(settings(&KMeans::new(3), 0.5), None, "counts no rows");
}

#[test]
fn umap_made_ready_shares_its_graph_and_changes_nothing() {
    let rows = Array2::from_shape_fn((240, 6), |(i, j)| (i % 3 * 20) as f32 + ((i * (31 + 7 * j)) % 89) as f32 * 0.1);
    let (umap, run) = (Umap::new().n_neighbors(8).n_epochs(30).n_components(3), Run::new().seed(2));
    let whole = umap.embed_in_full(&rows, &run).unwrap();
    for lent in [true, false] {
        let prepared = umap.prepare(if lent { Cow::Borrowed(&rows) } else { Cow::Owned(rows.clone()) }, &run).unwrap();
        assert_eq!(prepared.embed(None, &run).unwrap(), whole);
        let other = prepared.embed(None, &run.clone().seed(3)).unwrap();
        assert_eq!(other, umap.embed_in_full(&rows, &run.clone().seed(3)).unwrap(), "this table is searched exactly");
        // Exact lists that are cut are exact: a part is what it would be alone.
        let part: Vec<u32> = (0..rows.nrows() as u32).filter(|i| i % 5 != 2).rev().collect();
        let places: Vec<usize> = part.iter().map(|&row| row as usize).collect();
        let alone = umap.embed_in_full(&rows.select(Axis(0), &places), &run).unwrap();
        assert_eq!(prepared.embed(Some(&part), &run).unwrap().embedding, alone.embedding);
        // A small part is searched by itself.
        let few: Vec<u32> = part.iter().copied().step_by(4).collect();
        let places: Vec<usize> = few.iter().map(|&row| row as usize).collect();
        let alone = umap.embed_in_full(&rows.select(Axis(0), &places), &run).unwrap();
        assert_eq!(prepared.embed(Some(&few), &run).unwrap(), alone);
        assert!(matches!(prepared.embed(Some(&[999]), &run), Err(Error::Setting { name: "part", .. })));
        assert!(matches!(prepared.embed(Some(&[1, 1]), &run), Err(Error::Setting { name: "part", .. })));
        assert!(matches!(prepared.embed(Some(&[]), &run), Err(Error::Empty { .. })));
    }
    // More neighbours than there are rows are all of them, in a part too.
    let all = Umap::new().n_neighbors(usize::MAX).n_epochs(5);
    let part: Vec<u32> = (0..100).collect();
    let among = all.prepare(Cow::Borrowed(&rows), &run).unwrap().embed(Some(&part), &run).unwrap();
    let alone = all.embed_in_full(&rows.slice(ndarray::s![..100, ..]).to_owned(), &run).unwrap();
    assert_eq!(among.embedding, alone.embedding);
    let mut bad = rows.clone();
    bad[[7, 1]] = f32::INFINITY;
    assert!(matches!(umap.prepare(Cow::Owned(bad), &run).err(), Some(Error::NotFinite { row: 7, column: 1, .. })));
}

/// A file that claims billions of children is refused at once, not after a search for each.
#[cfg(feature = "serde")]
#[test]
fn billions_of_children_are_not_looked_for() {
    use recluster::Saved;
    let judge = ByPath(|_: &str| Verdict::merge(vec![vec![0, 1], vec![2, 3]], ""));
    let tree = plan().judge(judge).fit(&table(), &Run::new()).unwrap();
    let mut saved: serde_json::Value = serde_json::from_str(&tree.to_json().unwrap()).unwrap();
    saved["model"]["nodes"][0]["children"] = u32::MAX.into();
    let error = ClusterTree::from_json(&saved.to_string()).unwrap_err();
    assert!(error.to_string().contains("children are missing"), "{error}");
}

#[test]
fn a_judge_is_checked_before_the_fit() {
    let plan = RecursiveTree::new(Identity, KMeans::new(2)).min_rows(1000);
    let alpha = recluster::evidence::HeldOut::new().alpha(2.0);
    // The root is never split, and still the setting is wrong.
    assert!(matches!(plan.judge(alpha).fit(&table(), &Run::new()), Err(Error::Setting { name: "alpha", .. })));
}

#[test]
fn copies_of_rows_do_not_hide_their_neighbours() {
    // Three clouds of 16 rows, each row eight times: among a row's fifteen nearest others are mostly copies.
    let spread = |i: usize, j: usize| ((i * 7919 + j * 104_729) % 97) as f32 / 48.5 - 1.0;
    let rows = Array2::from_shape_fn((384, 4), |(i, j)| (i % 3 * 30 * usize::from(j == 0)) as f32 + spread(i % 48, j));
    let clusters = Hdbscan::new().min_cluster_size(Size::Share(0.1));
    let plan = RecursiveTree::new(Umap::new().min_dist(0.0), clusters).levels(1).stability(6);
    let tree = plan.fit(&rows, &Run::new().seed(1)).unwrap();
    assert_eq!(tree.leaves().count(), 3);
    for leaf in tree.leaves() {
        let stability = leaf.stability().unwrap();
        assert!(stability.jaccard > 0.9, "{}: {stability}", leaf.path());
    }
}
