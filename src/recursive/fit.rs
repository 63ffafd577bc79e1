//! The plan of a tree.

use super::fitting::Fitting;
use super::limits::Limits;
use super::plan::{Algorithms, Choice, Plan};
use super::{ClusterTree, Judge, Node, NodeInfo, Repeats, SecondLook};
use crate::core::AnyTable;
use crate::{Clusterer, Embedder, Result, Run, Size, SparseRows};
use ndarray::ArrayRef2;
use std::sync::Arc;

/// The plan of a recursive tree: an embedder, a clusterer, and when to stop.
///
/// Each node's rows go through the embedder and the clusterer; each cluster becomes a child, whose **original rows**
/// go through them again. A node that falls apart into fewer than two clusters stays a leaf. A [`Judge`], where there is
/// one, decides which clusters become children. The result of [`fit`](RecursiveTree::fit) is a [`ClusterTree`].
///
/// Defaults: 2 levels (the root and one zoom), no zoom into a cluster below 5 % of all rows or below 50 rows.
///
/// Any [`Embedder`] and [`Clusterer`] will do, boxed ones too; sizes given as a [`Size`](crate::Size) share scale with
/// the node, and [`by_node`](RecursiveTree::by_node) chooses a whole algorithm for each node.
///
/// ```
/// # use ndarray::Array2;
/// use recluster::cluster::Hdbscan;
/// use recluster::embed::Pca;
/// use recluster::recursive::RecursiveTree;
/// use recluster::{Run, Size};
///
/// // Two groups of rows, each of two parts.
/// let data = Array2::from_shape_fn((400, 3), |(i, j)| {
///     let jitter = ((i * 37 + j * 101) % 97) as f32 / 97.0;
///     jitter + if j == 0 { 50.0 * (i % 2) as f32 } else { 5.0 * (i / 2 % 2) as f32 }
/// });
/// let clusters = Hdbscan::new().min_cluster_size(Size::Share(0.2)).min_samples(5);
/// let tree = RecursiveTree::new(Pca::new(2), clusters).levels(2).fit(&data, &Run::new())?;
/// for leaf in tree.leaves() {
///     println!("{} {:.1} %", leaf.path(), 100.0 * leaf.share());
/// }
/// assert!(tree.leaves().count() >= 2);
/// # Ok::<(), recluster::Error>(())
/// ```
#[must_use]
pub struct RecursiveTree<E, C> {
    algorithms: Algorithms<E, C>,
    plan: Plan,
}

/// Whatever the parts: they are shared, so boxed ones will do.
impl<E, C> Clone for RecursiveTree<E, C> {
    fn clone(&self) -> Self {
        RecursiveTree { algorithms: self.algorithms.clone(), plan: self.plan.clone() }
    }
}

impl<E: Embedder, C: Clusterer> std::fmt::Debug for RecursiveTree<E, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecursiveTree")
            .field("embedder", &self.algorithms.embedder.name(|embedder| embedder.name()))
            .field("clusterer", &self.algorithms.clusterer.name(|clusterer| clusterer.name()))
            .field("judge", &self.plan.judge.as_ref().map(|judge| judge.name()))
            .field("consensus", &self.plan.consensus)
            .field("stability", &self.plan.stability)
            .field("min_stability", &self.plan.min_stability)
            .field("second_look", &self.plan.second_look)
            .field("limits", &self.plan.limits)
            .finish()
    }
}

impl<E: Embedder, C: Clusterer> RecursiveTree<E, C> {
    /// A plan with the same embedder and clusterer in every node.
    pub fn new(embedder: E, clusterer: C) -> Self {
        Self::plan(Choice::Same(Arc::new(embedder)), Choice::Same(Arc::new(clusterer)))
    }

    /// A plan that chooses both by the node. With `E` a `Box<dyn Embedder>`, and `C` a `Box<dyn Clusterer>`, each node may
    /// have another kind.
    ///
    /// ```
    /// use recluster::cluster::{Hdbscan, KMeans};
    /// use recluster::embed::Pca;
    /// use recluster::recursive::RecursiveTree;
    /// use recluster::Clusterer;
    /// let plan = RecursiveTree::by_node(
    ///     |_| Pca::new(2),
    ///     |node| -> Box<dyn Clusterer> {
    ///         if node.level() == 1 { Box::new(Hdbscan::new()) } else { Box::new(KMeans::new(3)) }
    ///     },
    /// );
    /// # let _ = plan;
    /// ```
    pub fn by_node(
        embedder: impl Fn(&NodeInfo) -> E + Send + Sync + 'static,
        clusterer: impl Fn(&NodeInfo) -> C + Send + Sync + 'static,
    ) -> Self {
        Self::plan(Choice::ByNode(Arc::new(embedder)), Choice::ByNode(Arc::new(clusterer)))
    }

    /// The same plan with another clusterer: what `change` makes of the plan's own at each node. Embedder, limits, consensus,
    /// judge and second look stay. So a [preset](crate::presets) is tuned, and plans of unlike types become one by boxing.
    ///
    /// ```
    /// use recluster::recursive::RecursiveTree;
    /// use recluster::{Clusterer, Embedder, presets};
    /// let plan = presets::numbers().map_clusterer(|clusterer, _| clusterer.min_cluster_size(0.02));
    /// # let _ = plan;
    /// let few = true;
    /// let plan: RecursiveTree<Box<dyn Embedder>, _> = match few {
    ///     true => presets::few_columns().map_embedder(|embedder, _| Box::new(embedder) as _),
    ///     false => presets::numbers().map_embedder(|embedder, _| Box::new(embedder) as _),
    /// };
    /// # let _ = plan;
    /// ```
    pub fn map_clusterer<D>(self, change: impl Fn(C, &NodeInfo) -> D + Send + Sync + 'static) -> RecursiveTree<E, D>
    where
        C: Clone + 'static,
    {
        let Algorithms { embedder, clusterer } = self.algorithms;
        RecursiveTree { algorithms: Algorithms { embedder, clusterer: clusterer.map(change) }, plan: self.plan }
    }

    /// As [`map_clusterer`](RecursiveTree::map_clusterer), of the embedder.
    pub fn map_embedder<F>(self, change: impl Fn(E, &NodeInfo) -> F + Send + Sync + 'static) -> RecursiveTree<F, C>
    where
        E: Clone + 'static,
    {
        let Algorithms { embedder, clusterer } = self.algorithms;
        RecursiveTree { algorithms: Algorithms { embedder: embedder.map(change), clusterer }, plan: self.plan }
    }

    fn plan(embedder: Choice<E>, clusterer: Choice<C>) -> Self {
        let limits = Limits {
            levels: 2,
            of_all: Size::Share(0.05),
            of_parent: Size::Share(0.0),
            rows: 50,
            child: Size::Count(1),
            noise_again: false,
        };
        RecursiveTree {
            algorithms: Algorithms { embedder, clusterer },
            plan: Plan { judge: None, consensus: None, stability: None, min_stability: 0.0, second_look: None, limits },
        }
    }

    /// Sets who decides which of the clusters found at a node become its children; default nobody: all do.
    pub fn judge(mut self, judge: impl Judge + 'static) -> Self {
        self.plan.judge = Some(Arc::new(judge));
        self
    }

    /// Sets that each node's clusters are those that several runs of its embedder and clusterer agree on, under as many
    /// seeds: see [`Consensus`](crate::cluster::Consensus). Default: one run.
    ///
    /// A row's [`membership`](Node::membership) is then the share of runs that have it in its cluster, and rows that most
    /// runs leave out are noise. The first run is the node's own: its embedding is kept. What can be shared between runs is:
    /// of [`Umap`](crate::embed::Umap) the neighbours and the graph. An evidence [`Judge`] is given the consensus, and
    /// tries one run on its halves. A run that finds a single cluster leaves the rows whole, whatever it calls noise.
    /// Where there is no setting of [`stability`](RecursiveTree::stability), the runs also say how stable each cluster is.
    ///
    /// Cost: the layout and the clustering of a node, times the runs.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recluster::{Run, cluster::KMeans, embed::Identity, recursive::RecursiveTree};
    /// // Four groups, of which k-means with one start finds a part of the runs' solutions to be others.
    /// let rows = Array2::from_shape_fn((400, 2), |(i, j)| {
    ///     let corner = [i % 2, i / 2 % 2][j] as f32 * 10.0;
    ///     corner + ((i * 37 + j * 101) % 97) as f32 / 30.0
    /// });
    /// let plan = RecursiveTree::new(Identity, KMeans::new(4).restarts(1)).levels(1).consensus(10);
    /// let tree = plan.fit(&rows, &Run::new())?;
    /// assert_eq!(tree.leaves().count(), 4);
    /// let stability = tree.leaves().next().unwrap().stability().unwrap();
    /// assert!(stability.runs == 10 && stability.jaccard > 0.5);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    pub fn consensus(mut self, repeats: impl Into<Repeats>) -> Self {
        self.plan.consensus = Some(repeats.into());
        self
    }

    /// Sets that each node that falls apart is clustered again on subsamples of its rows, 80 % by default, under other seeds,
    /// and that each child says [how well it was found again](Node::stability). Default: not, or by the runs of a
    /// [consensus](RecursiveTree::consensus).
    ///
    /// Cost: the layout and the clustering of a node, times the runs.
    pub fn stability(mut self, repeats: impl Into<Repeats>) -> Self {
        self.plan.stability = Some(repeats.into());
        self
    }

    /// Sets how stable the clusters of a split have to be, below the root: where the mean of their Jaccard indices, each
    /// cluster counting by its rows, is less than `jaccard`, the split is refused and the node stays a leaf. In 0 to 1;
    /// default 0, which refuses none. In Hennig's words clusters below .6 are doubtful, below .75 a pattern.
    ///
    /// The indices are those of [`stability`](RecursiveTree::stability), or else of the runs of a
    /// [consensus](RecursiveTree::consensus), which differ by their seed alone and refuse less. A node that is too large for
    /// either is divided whatever this says, and so is the root: a root that stays whole is never zoomed into. It comes before
    /// a [`Judge`], which tests another thing: see [`Stability`](super::Stability). A leaf that is refused may still be divided by
    /// a [second look](RecursiveTree::second_look), whose own splits are held to this as well if `stability` is set.
    ///
    /// ```
    /// use recluster::{Run, Size, cluster::KMeans, embed::Identity, recursive::RecursiveTree};
    /// // Two discs: k-means cuts each in two halves, along any line through its middle.
    /// let rows = ndarray::Array2::from_shape_fn((400, 2), |(i, j)| {
    ///     let (radius, angle) = ((i / 2) as f32, 2.4 * (i / 2) as f32);
    ///     radius.sqrt() * if j == 0 { angle.cos() } else { angle.sin() } + (i % 2 * 100) as f32
    /// });
    /// let plan = RecursiveTree::new(Identity, KMeans::new(2)).min_size(Size::Count(2)).stability(10);
    /// assert_eq!(plan.clone().fit(&rows, &Run::new())?.leaves().count(), 4);
    /// let tree = plan.min_stability(0.9).fit(&rows, &Run::new())?;
    /// assert_eq!(tree.leaves().count(), 2);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    pub fn min_stability(mut self, jaccard: f64) -> Self {
        self.plan.min_stability = jaccard;
        self
    }

    /// Sets that large leaves are looked at once more: those that did not fall apart, those whose clusters a judge refused, and
    /// those of the last level. Their rows, as the embedder compares them, go to the clusterer of `look` without an embedding.
    /// Default: not.
    ///
    /// An embedding in a few columns has no room for everything that is apart in many, least of all where rows are few.
    /// [`StableParts`](crate::cluster::StableParts) is made for this. The clusters become children as any others do: a judge
    /// judges them, and on the last level they are looked at again, as long as they are large. So a tree may be deeper than
    /// its [`levels`](RecursiveTree::levels). [`Split::second_look`](super::Split::second_look) tells such a split.
    ///
    /// Cost: getting the embedder ready once more, and the clusterer, for each such leaf.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recluster::cluster::{KMeans, StableParts};
    /// use recluster::recursive::{RecursiveTree, SecondLook};
    /// use recluster::{Run, embed::Pca};
    /// // Two clouds, which one principal component does not tell apart, and a third far from both.
    /// let draw = |i: usize, j: usize| {
    ///     let mix = |x: u64| (x ^ (x >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ///     (mix(mix(mix(((i as u64) << 32) + j as u64))) >> 40) as f32 / 16_777_216.0
    /// };
    /// let rows = Array2::from_shape_fn((300, 3), |(i, j)| match j {
    ///     0 => draw(i, 0) + if i % 3 == 0 { 50.0 } else { 0.0 },
    ///     1 => draw(i, 1) + if i % 3 == 1 { 3.0 } else { 0.0 },
    ///     _ => draw(i, j),
    /// });
    /// let plan = RecursiveTree::new(Pca::new(1), KMeans::new(2)).levels(1);
    /// assert_eq!(plan.fit(&rows, &Run::new())?.leaves().count(), 2);
    /// let tree = plan.second_look(SecondLook::new(StableParts::new())).fit(&rows, &Run::new())?;
    /// assert!(tree.leaves().count() >= 3);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    pub fn second_look(mut self, look: SecondLook) -> Self {
        self.plan.second_look = Some(look);
        self
    }

    /// Levels that are embedded and clustered, the root included; default 2, so that every cluster of the root is
    /// zoomed into once. At least 1.
    pub fn levels(mut self, levels: usize) -> Self {
        self.plan.limits.levels = levels;
        self
    }

    /// A cluster smaller than this, as a count or as a share of **all** rows, is not zoomed into; default a share of
    /// 0.05.
    pub fn min_size(mut self, size: impl Into<Size>) -> Self {
        self.plan.limits.of_all = size.into();
        self
    }

    /// A cluster smaller than this, as a count or as a share of its **parent's** rows, is not zoomed into; default a share
    /// of 0.
    pub fn min_size_of_parent(mut self, size: impl Into<Size>) -> Self {
        self.plan.limits.of_parent = size.into();
        self
    }

    /// A node with fewer rows than this is not zoomed into, be it the root; default 50.
    pub fn min_rows(mut self, rows: usize) -> Self {
        self.plan.limits.rows = rows;
        self
    }

    /// A cluster smaller than this, as a count or as a share of its parent's rows, becomes noise of the parent instead of a
    /// child; default 1 row: all become children. For clusterers without a least size of their own, such as linkages cut at a
    /// distance. The parent's [notes](Node::notes) say how many there were.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recluster::cluster::{Agglomerative, Linkage};
    /// use recluster::{Run, embed::Identity, recursive::RecursiveTree};
    /// // Two groups, and four rows far from them and from each other.
    /// let rows = Array2::from_shape_fn((100, 2), |(i, j)| if i < 4 { (i * 900 + j) as f32 } else { ((i % 2) * 300 + (i * 7 + j) % 20) as f32 });
    /// let plan = RecursiveTree::new(Identity, Agglomerative::at_distance(50.0).linkage(Linkage::Average)).levels(1);
    /// assert!(plan.fit(&rows, &Run::new())?.leaves().count() > 2);
    /// let tree = plan.min_child_size(5).fit(&rows, &Run::new())?;
    /// assert_eq!(tree.leaves().count(), 2);
    /// println!("{}", tree.root().notes()[0]); // "3 clusters of fewer than 5 rows became noise"
    /// # Ok::<(), recluster::Error>(())
    /// ```
    pub fn min_child_size(mut self, size: impl Into<Size>) -> Self {
        self.plan.limits.child = size.into();
        self
    }

    /// Whether the rows that a split leaves out as noise are embedded and clustered once more, as a group of their own, by
    /// the node's embedder and clusterer; default no.
    ///
    /// The group is held to the limits on size as a cluster of as many rows would be, and to the judge, which is given the
    /// node's path with the group's rows. Clusters found there
    /// become further children of the node, numbered behind the others, and are zoomed into like them;
    /// [`Node::found_in_noise`] tells them. Rows of no cluster still are the node's noise: this is done once. What lies thinly
    /// around the clusters may come out as clusters of its own, so look at them with care.
    pub fn noise_again(mut self, again: bool) -> Self {
        self.plan.limits.noise_again = again;
        self
    }

    /// Fits the tree to `data` (rows x columns).
    ///
    /// The nodes of a level are independent and run side by side. Beyond what the algorithms take, memory is a copy of
    /// the rows under work and the embeddings that are kept.
    ///
    /// Errors name rows by their numbers in `data`, whatever the node.
    ///
    /// # Errors
    /// Settings out of range; an empty table or one with a value that is not finite (NaN will do for an
    /// embedder that [takes missing values](Embedder::takes_missing)); whatever the embedder, the
    /// clusterer or the judge reports, except that a node below the root with too few rows for them becomes a leaf; and
    /// [`Error::Contract`](crate::Error::Contract) when one of them returns what it must not.
    pub fn fit(&self, data: &ArrayRef2<f32>, run: &Run) -> Result<ClusterTree> {
        self.fitting().begin(AnyTable::Dense(data), None, &|_, _| Ok(()), run)
    }

    /// Fits the tree to rows of which row i stands for `weights[i]` rows of the population, as in a weighted survey.
    ///
    /// Each node's clusterer is given the weights of the node's rows, scaled to a mean of 1, so that sizes and shares
    /// keep their meaning: see [`Clusterer::cluster_weighted`]. Embedders take no weights, their layouts are of the rows as
    /// they were sampled; limits, the numbers of the children and a judge's tests count rows. [`Node::weight`] is a
    /// node's share of the population.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recluster::{Run, cluster::Hdbscan, embed::Identity, recursive::RecursiveTree};
    /// // Of two groups as large, the first was asked three times as often as it should have been.
    /// let rows = Array2::from_shape_fn((200, 2), |(i, j)| ((i % 2) * 50) as f32 + ((i * 37 + j * 101) % 97) as f32 / 10.0);
    /// let weights: Vec<f64> = (0..200).map(|i| if i % 2 == 0 { 0.5 } else { 1.5 }).collect();
    /// let plan = RecursiveTree::new(Identity, Hdbscan::new()).levels(1);
    /// let tree = plan.fit_weighted(&rows, &weights, &Run::new())?;
    /// let large = tree.leaves().find(|leaf| leaf.rows().contains(&1)).unwrap();
    /// assert!(large.share() <= 0.5 && large.weight() > Some(1.4 * large.share()));
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`fit`](RecursiveTree::fit); [`Error::Shape`](crate::Error::Shape) unless there is a weight for each row;
    /// [`Error::Setting`](crate::Error::Setting) for a weight that is not finite or not above 0, and from a clusterer that has
    /// no place for weights.
    pub fn fit_weighted(&self, data: &ArrayRef2<f32>, weights: &[f64], run: &Run) -> Result<ClusterTree> {
        self.fitting().begin(AnyTable::Dense(data), Some(weights), &|_, _| Ok(()), run)
    }

    /// Fits the tree to sparse rows, for embedders that [take them](Embedder::prepare_sparse): no dense table is made, not even
    /// of a node's rows.
    ///
    /// The tree is that of the dense table as far as the embedder's layouts are: see [`Umap::graph_sparse`]. A [`Judge`] is
    /// given [few dense columns](crate::Prepared::rows) that stand for the rows.
    ///
    /// ```
    /// use recluster::{Run, SparseRows, cluster::KMeans, embed::Pca, recursive::RecursiveTree};
    /// // Two kinds of rows, each with entries in columns of its own.
    /// let columns: Vec<u32> = (0..400).map(|e| e / 4 % 2 * 500 + e % 4 * 50 + e / 4 * 7 % 40).collect();
    /// let rows = SparseRows::new((100, 1000), (0..=100).map(|i| 4 * i).collect(), columns, vec![1.0; 400])?;
    /// let tree = RecursiveTree::new(Pca::new(2), KMeans::new(2)).levels(1).fit_sparse(&rows, &Run::new())?;
    /// assert_eq!(tree.leaves().count(), 2);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// [`Umap::graph_sparse`]: crate::embed::Umap::graph_sparse
    ///
    /// # Errors
    /// Those of [`fit`](RecursiveTree::fit); [`Error::Setting`](crate::Error::Setting) from an embedder that takes no sparse rows.
    pub fn fit_sparse(&self, rows: &SparseRows, run: &Run) -> Result<ClusterTree> {
        self.fitting().begin(AnyTable::Sparse(rows), None, &|_, _| Ok(()), run)
    }

    /// As [`fit_sparse`](RecursiveTree::fit_sparse), with weights.
    ///
    /// # Errors
    /// Those of [`fit_sparse`](RecursiveTree::fit_sparse) and [`fit_weighted`](RecursiveTree::fit_weighted).
    pub fn fit_sparse_weighted(&self, rows: &SparseRows, weights: &[f64], run: &Run) -> Result<ClusterTree> {
        self.fitting().begin(AnyTable::Sparse(rows), Some(weights), &|_, _| Ok(()), run)
    }

    /// As [`fit`](RecursiveTree::fit), handing each node to `sink` as soon as it is finished, with its children, which are open yet: for
    /// checkpoints of one's own, where the files of `fit_resumable` will not do. Calls come from any thread and in any order, a parent's before its children's.
    ///
    /// All nodes handed over so far make a [`ClusterTree`] that [`fit_from`](RecursiveTree::fit_from) goes on with:
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recluster::recursive::{ClusterTree, RecursiveTree};
    /// use recluster::{Run, cluster::KMeans, embed::Identity};
    /// use std::sync::Mutex;
    /// let rows = Array2::from_shape_fn((300, 2), |(i, j)| ((i * (7 + j)) % 101) as f32);
    /// let (plan, run) = (RecursiveTree::new(Identity, KMeans::new(3)), Run::new());
    /// let nodes = Mutex::new(Vec::new());
    /// let tree = plan.fit_to(
    ///     &rows,
    ///     |node, children| {
    ///         let mut nodes = nodes.lock().unwrap();
    ///         nodes.push(node.clone());
    ///         nodes.extend_from_slice(children);
    ///         Ok(())
    ///     },
    ///     &run,
    /// )?;
    /// // As if the fit had ended after two nodes: the root, and the first of its three children to be finished.
    /// let mut nodes = nodes.into_inner().unwrap();
    /// nodes.truncate(4 + 4);
    /// let partial = ClusterTree::from_nodes(nodes, rows.ncols(), run.seed_value())?;
    /// assert!(partial.nodes().iter().any(|node| node.is_open()));
    /// assert_eq!(plan.fit_from(partial, &rows, |_, _| Ok(()), &run)?, tree);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`fit`](RecursiveTree::fit); an error of the sink's ends the fit.
    pub fn fit_to(
        &self,
        data: &ArrayRef2<f32>,
        sink: impl Fn(&Node, &[Node]) -> Result<()> + Sync,
        run: &Run,
    ) -> Result<ClusterTree> {
        self.fitting().begin(AnyTable::Dense(data), None, &sink, run)
    }

    /// As [`fit_to`](RecursiveTree::fit_to), with weights.
    ///
    /// # Errors
    /// Those of [`fit_weighted`](RecursiveTree::fit_weighted); an error of the sink's ends the fit.
    pub fn fit_to_weighted(
        &self,
        data: &ArrayRef2<f32>,
        weights: &[f64],
        sink: impl Fn(&Node, &[Node]) -> Result<()> + Sync,
        run: &Run,
    ) -> Result<ClusterTree> {
        self.fitting().begin(AnyTable::Dense(data), Some(weights), &sink, run)
    }

    /// Goes on from a tree of the same table: open nodes are worked on, and leaves that another plan's limits had stopped,
    /// if this plan's do not. So an interrupted fit is resumed, and a tree is deepened. Nodes that are there stay as they
    /// are.
    ///
    /// The result is that of [`fit`](RecursiveTree::fit) where the tree came from the same algorithms and seed.
    ///
    /// # Errors
    /// Those of [`fit_to`](RecursiveTree::fit_to); [`Error::Shape`](crate::Error::Shape) when the table has other rows or
    /// columns than the tree; [`Error::Setting`](crate::Error::Setting) when the run's seed is not the tree's, and when the tree was fitted with weights.
    pub fn fit_from(
        &self,
        tree: ClusterTree,
        data: &ArrayRef2<f32>,
        sink: impl Fn(&Node, &[Node]) -> Result<()> + Sync,
        run: &Run,
    ) -> Result<ClusterTree> {
        self.fitting().resume(tree, AnyTable::Dense(data), None, &sink, run)
    }

    /// As [`fit_from`](RecursiveTree::fit_from), with the weights that the tree was fitted with.
    ///
    /// # Errors
    /// Those of [`fit_from`](RecursiveTree::fit_from) and [`fit_weighted`](RecursiveTree::fit_weighted);
    /// [`Error::Setting`](crate::Error::Setting) when the tree was fitted with other weights or without.
    pub fn fit_from_weighted(
        &self,
        tree: ClusterTree,
        data: &ArrayRef2<f32>,
        weights: &[f64],
        sink: impl Fn(&Node, &[Node]) -> Result<()> + Sync,
        run: &Run,
    ) -> Result<ClusterTree> {
        self.fitting().resume(tree, AnyTable::Dense(data), Some(weights), &sink, run)
    }

    pub(super) fn fitting(&self) -> Fitting<'_> {
        Fitting { algorithms: &self.algorithms, plan: &self.plan }
    }
}
