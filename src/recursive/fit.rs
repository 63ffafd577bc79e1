use super::place::Limits;
use super::{ClusterTree, Node, Place, StopReason};
use crate::core::{Canonical, Rows, parallel};
use crate::{Clusterer, Clustering, Embedded, Embedder, Error, Result, Run};
use ndarray::{Array2, ArrayRef2, Axis};
use std::sync::Arc;

/// The plan of a recursive tree: an embedder, a clusterer, and when to stop.
///
/// Each node's rows go through the embedder and the clusterer; each cluster becomes a child, whose **original rows**
/// go through them again. A node that falls apart into fewer than two clusters stays a leaf.
///
/// Defaults: 2 levels (the root and one zoom), no zoom into a cluster below 5 % of all rows or below 50 rows.
///
/// Any [`Embedder`] and [`Clusterer`] will do, boxed ones too; sizes given as a [`Size`](crate::Size) share scale with
/// the node, and [`embedder_by`](RecursiveTree::embedder_by) and [`clusterer_by`](RecursiveTree::clusterer_by) choose a
/// whole algorithm for each node.
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
pub struct RecursiveTree<E, C> {
    embedder: Choice<E>,
    clusterer: Choice<C>,
    limits: Limits,
}

/// Whatever the parts: they are shared, so boxed ones will do.
impl<E, C> Clone for RecursiveTree<E, C> {
    fn clone(&self) -> Self {
        RecursiveTree {
            embedder: self.embedder.clone(),
            clusterer: self.clusterer.clone(),
            limits: self.limits.clone(),
        }
    }
}

impl<E: Embedder, C: Clusterer> std::fmt::Debug for RecursiveTree<E, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecursiveTree")
            .field("embedder", &self.embedder.name(|embedder| embedder.name()))
            .field("clusterer", &self.clusterer.name(|clusterer| clusterer.name()))
            .field("limits", &self.limits)
            .finish()
    }
}

/// One algorithm for all nodes, or one chosen for each.
enum Choice<T> {
    Same(Arc<T>),
    ByNode(Arc<dyn Fn(&Place) -> T + Send + Sync>),
}

impl<T> Clone for Choice<T> {
    fn clone(&self) -> Self {
        match self {
            Choice::Same(same) => Choice::Same(same.clone()),
            Choice::ByNode(choose) => Choice::ByNode(choose.clone()),
        }
    }
}

impl<T> Choice<T> {
    /// What to call it in a listing of the plan.
    fn name(&self, of: impl Fn(&T) -> String) -> String {
        match self {
            Choice::Same(same) => of(same),
            Choice::ByNode(_) => "chosen by node".into(),
        }
    }

    fn at(&self, place: &Place) -> Arc<T> {
        match self {
            Choice::Same(same) => same.clone(),
            Choice::ByNode(choose) => Arc::new(choose(place)),
        }
    }
}

impl<E: Embedder, C: Clusterer> RecursiveTree<E, C> {
    /// A plan with the same embedder and clusterer in every node.
    pub fn new(embedder: E, clusterer: C) -> Self {
        RecursiveTree {
            embedder: Choice::Same(Arc::new(embedder)),
            clusterer: Choice::Same(Arc::new(clusterer)),
            limits: Limits { levels: 2, share_of_all: 0.05, share_of_parent: 0.0, rows: 50 },
        }
    }

    /// Chooses the embedder by the node. With `E` a `Box<dyn Embedder>` each node may have another kind.
    pub fn embedder_by(mut self, choose: impl Fn(&Place) -> E + Send + Sync + 'static) -> Self {
        self.embedder = Choice::ByNode(Arc::new(choose));
        self
    }

    /// Chooses the clusterer by the node. With `C` a `Box<dyn Clusterer>` each node may have another kind.
    pub fn clusterer_by(mut self, choose: impl Fn(&Place) -> C + Send + Sync + 'static) -> Self {
        self.clusterer = Choice::ByNode(Arc::new(choose));
        self
    }

    /// Levels that are embedded and clustered, the root included; default 2, so that every cluster of the root is
    /// zoomed into once. At least 1.
    pub fn levels(mut self, levels: usize) -> Self {
        self.limits.levels = levels;
        self
    }

    /// A cluster below this share of **all** rows is not zoomed into; default 0.05, in 0 to 1.
    pub fn min_share(mut self, share: f64) -> Self {
        self.limits.share_of_all = share;
        self
    }

    /// A cluster below this share of its **parent's** rows is not zoomed into; default 0, in 0 to 1.
    pub fn min_share_of_parent(mut self, share: f64) -> Self {
        self.limits.share_of_parent = share;
        self
    }

    /// A node with fewer rows than this is not zoomed into; default 50.
    pub fn min_rows(mut self, rows: usize) -> Self {
        self.limits.rows = rows;
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
    /// Settings out of range; an empty table or one with a value that is not finite; whatever the embedder or the
    /// clusterer reports, except that a node below the root with too few rows for them becomes a leaf; and
    /// [`Error::Contract`] when one of them returns what it must not.
    pub fn fit(&self, data: &ArrayRef2<f32>, run: &Run) -> Result<ClusterTree> {
        self.check()?;
        let rows = Rows::finite(data)?;
        let canonical = Canonical::of(&rows);
        let mut nodes = vec![Draft::root(canonical.order)];
        let mut level = vec![0];
        while !level.is_empty() {
            let split = run.install(|| parallel::map(level.len(), |i| self.split(&nodes[level[i]], data, run)))?;
            let mut below = Vec::new();
            for (&at, split) in level.iter().zip(split) {
                let first = nodes.len();
                let children = nodes[at].take(split?, at, first);
                nodes.extend(children);
                below.extend(first..nodes.len());
            }
            level = below;
        }
        let root =
            Place { path: "0".into(), level: 1, rows: rows.len(), total_rows: rows.len(), parent_rows: rows.len() };
        Ok(ClusterTree {
            nodes: preorder(nodes, rows.len()),
            columns: rows.columns(),
            embedder: self.embedder.at(&root).name(),
            clusterer: self.clusterer.at(&root).name(),
            seed: run.seed_value(),
        })
    }

    fn check(&self) -> Result<()> {
        if self.limits.levels == 0 {
            return Err(Error::setting("levels", 0, "must be at least 1: the root is a level"));
        }
        for (name, share) in
            [("min_share", self.limits.share_of_all), ("min_share_of_parent", self.limits.share_of_parent)]
        {
            crate::Size::Share(share).check(name)?;
        }
        Ok(())
    }

    /// Embeds and clusters one node, unless a limit forbids it.
    fn split(&self, node: &Draft, data: &ArrayRef2<f32>, run: &Run) -> Result<Split> {
        let place = node.place(data.nrows());
        if let Some(reason) = self.limits.reached(&place) {
            return Ok(Split { embedding: None, map: None, notes: Vec::new(), clusters: Err(reason) });
        }
        let run = run.at(&place.path);
        let rows = gather(data, &node.rows);
        let (embedder, clusterer) = (self.embedder.at(&place), self.clusterer.at(&place));
        let embedding = {
            let _stage = run.stage("embed", 1);
            embedder.embed_in_full(&rows, &run)
        };
        drop(rows);
        let Embedded { embedding, map, notes } = match embedding {
            Err(Error::TooFewRows { needed, rows, .. }) if place.level > 1 => {
                return Ok(Split {
                    embedding: None,
                    map: None,
                    notes: Vec::new(),
                    clusters: Err(StopReason::TooFewRows { rows, needed }),
                });
            }
            other => other.map_err(|error| error.of_part(&node.rows))?,
        };
        check_embedding(&embedding, &*embedder, &node.rows)?;
        map.as_ref().map_or(Ok(()), |map| check_embedding(map, &*embedder, &node.rows))?;
        let clustering = {
            let _stage = run.stage("cluster", 1);
            clusterer.cluster(&embedding, &run)
        };
        let clusters = match clustering {
            Err(Error::TooFewRows { needed, rows, .. }) if place.level > 1 => {
                Err(StopReason::TooFewRows { rows, needed })
            }
            other => {
                let clustering = other.map_err(|error| error.of_part(&node.rows))?;
                check_clustering(&clustering, &*clusterer, place.rows)?;
                match clustering.clusters() {
                    clusters @ 0..2 => Err(StopReason::OneCluster { clusters }),
                    _ => Ok(clustering),
                }
            }
        };
        Ok(Split { embedding: Some(embedding), map, notes, clusters })
    }
}

/// The rows of a node, in their order.
fn gather(data: &ArrayRef2<f32>, rows: &[u32]) -> Array2<f32> {
    let mut table = Array2::zeros((rows.len(), data.ncols()));
    for (mut to, &from) in table.axis_iter_mut(Axis(0)).zip(rows) {
        to.assign(&data.row(from as usize));
    }
    table
}

fn check_embedding(embedding: &Array2<f32>, embedder: &dyn Embedder, numbers: &[u32]) -> Result<()> {
    let rows = numbers.len();
    let broken = |reason| Err(Error::Contract { room: "embedder", name: embedder.name(), reason });
    if embedding.nrows() != rows || embedding.ncols() == 0 {
        return broken(format!(
            "{rows} rows went in, {} rows x {} columns came out",
            embedding.nrows(),
            embedding.ncols()
        ));
    }
    match embedding.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some(((row, column), value)) => {
            broken(format!("the value at row {}, column {column} is {value}", numbers[row]))
        }
        None => Ok(()),
    }
}

fn check_clustering(clustering: &Clustering, clusterer: &dyn Clusterer, rows: usize) -> Result<()> {
    let found = clustering.labels().len();
    if found == rows {
        return Ok(());
    }
    let reason = format!("{rows} rows went in, {found} labels came out");
    Err(Error::Contract { room: "clusterer", name: clusterer.name(), reason })
}

/// What became of a node.
struct Split {
    embedding: Option<Array2<f32>>,
    map: Option<Array2<f32>>,
    notes: Vec<String>,
    clusters: std::result::Result<Clustering, StopReason>,
}

/// A node under work; its rows are in canonical order, so that no algorithm sees the order of the input.
struct Draft {
    path: String,
    level: usize,
    parent: Option<usize>,
    parent_rows: usize,
    children: Vec<usize>,
    rows: Vec<u32>,
    membership: Vec<f32>,
    persistence: Option<f64>,
    embedding: Option<Array2<f32>>,
    map: Option<Array2<f32>>,
    notes: Vec<String>,
    labels: Vec<i32>,
    stop_reason: Option<StopReason>,
}

impl Draft {
    fn root(rows: Vec<u32>) -> Self {
        Draft {
            path: "0".into(),
            level: 1,
            parent: None,
            parent_rows: rows.len(),
            children: Vec::new(),
            membership: vec![1.0; rows.len()],
            rows,
            persistence: None,
            embedding: None,
            map: None,
            notes: Vec::new(),
            labels: Vec::new(),
            stop_reason: None,
        }
    }

    fn place(&self, total_rows: usize) -> Place {
        let (path, level, rows, parent_rows) = (self.path.clone(), self.level, self.rows.len(), self.parent_rows);
        Place { path, level, rows, total_rows, parent_rows }
    }

    /// Records what became of this node, number `at`, and gives its children, which are numbered from `first`.
    fn take(&mut self, split: Split, at: usize, first: usize) -> Vec<Draft> {
        self.embedding = split.embedding;
        self.map = split.map;
        self.notes = split.notes;
        let clustering = match split.clusters {
            Ok(clustering) => clustering,
            Err(reason) => {
                self.stop_reason = Some(reason);
                return Vec::new();
            }
        };
        // Children are numbered from the largest; ties go to the one with the first row in canonical order.
        let mut members = vec![Vec::new(); clustering.clusters()];
        for (place, &label) in clustering.labels().iter().enumerate() {
            if label >= 0 {
                members[label as usize].push(place);
            }
        }
        let mut order: Vec<usize> = (0..members.len()).collect();
        order.sort_by_key(|&c| (std::cmp::Reverse(members[c].len()), members[c].first().copied()));
        self.labels = vec![crate::NOISE; self.rows.len()];
        order
            .iter()
            .enumerate()
            .map(|(number, &cluster)| {
                members[cluster].iter().for_each(|&place| self.labels[place] = number as i32);
                self.children.push(first + number);
                Draft {
                    path: format!("{}.{number}", self.path),
                    level: self.level + 1,
                    parent: Some(at),
                    parent_rows: self.rows.len(),
                    children: Vec::new(),
                    rows: members[cluster].iter().map(|&place| self.rows[place]).collect(),
                    membership: members[cluster].iter().map(|&place| clustering.membership()[place]).collect(),
                    persistence: clustering.persistence().map(|all| all[cluster]),
                    embedding: None,
                    map: None,
                    notes: Vec::new(),
                    labels: Vec::new(),
                    stop_reason: None,
                }
            })
            .collect()
    }

    /// The finished node, its rows by ascending original number.
    fn finish(self, total_rows: usize) -> Node {
        let mut by_row: Vec<usize> = (0..self.rows.len()).collect();
        by_row.sort_unstable_by_key(|&place| self.rows[place]);
        Node {
            path: self.path,
            level: self.level,
            parent: self.parent,
            children: self.children,
            share: self.rows.len() as f64 / total_rows as f64,
            share_of_parent: self.rows.len() as f64 / self.parent_rows as f64,
            rows: by_row.iter().map(|&place| self.rows[place]).collect(),
            membership: by_row.iter().map(|&place| self.membership[place]).collect(),
            persistence: self.persistence,
            embedding: self.embedding.map(|embedding| embedding.select(Axis(0), &by_row)),
            map: self.map.map(|map| map.select(Axis(0), &by_row)),
            notes: self.notes,
            labels: if self.labels.is_empty() { Vec::new() } else { by_row.iter().map(|&p| self.labels[p]).collect() },
            stop_reason: self.stop_reason,
        }
    }
}

/// Brings nodes that were made level by level into preorder.
fn preorder(drafts: Vec<Draft>, total_rows: usize) -> Vec<Node> {
    let mut order = Vec::with_capacity(drafts.len());
    let mut open = vec![0];
    while let Some(at) = open.pop() {
        order.push(at);
        open.extend(drafts[at].children.iter().rev());
    }
    let mut place = vec![0; drafts.len()];
    order.iter().enumerate().for_each(|(to, &from)| place[from] = to);
    let mut nodes: Vec<(usize, Node)> =
        drafts.into_iter().enumerate().map(|(from, draft)| (place[from], draft.finish(total_rows))).collect();
    nodes.sort_unstable_by_key(|(to, _)| *to);
    for (_, node) in &mut nodes {
        node.parent = node.parent.map(|from| place[from]);
        node.children.iter_mut().for_each(|child| *child = place[*child]);
    }
    nodes.into_iter().map(|(_, node)| node).collect()
}
