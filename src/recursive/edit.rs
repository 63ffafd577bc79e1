//! Changes to a tree that was fitted: names, nodes that are cut back, one node that is taken further.

use super::fitting::Fitting;
use super::weights::{self, Weights};
use super::{ClusterTree, Node, Path, RecursiveTree, Split, StopReason};
use crate::core::AnyTable;
use crate::{Clusterer, Clustering, Embedder, Error, NOISE, Result, Run};
use ndarray::ArrayRef2;

impl ClusterTree {
    /// Names a cluster, such as "Night owls"; an empty name takes it away. Any text will do: it is saved as it is, and shown
    /// in one line. Names mean nothing to the method, and survive [`RecursiveTree::fit_from`].
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recluster::{Run, cluster::KMeans, embed::Identity, recursive::RecursiveTree};
    /// let rows = Array2::from_shape_fn((200, 2), |(i, j)| ((i % 2) * 50 + (i * 7 + j * 3) % 11) as f32);
    /// let mut tree = RecursiveTree::new(Identity, KMeans::new(2)).fit(&rows, &Run::new())?;
    /// tree.set_name("0.1", "Night owls")?;
    /// assert_eq!(tree.node("0.1").unwrap().name(), "Night owls");
    /// tree.prune("0.1")?;
    /// assert_eq!(tree.leaves().filter(|leaf| leaf.name() == "Night owls").count(), 1);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] when the tree has no node with this path.
    pub fn set_name(&mut self, path: &str, name: impl Into<String>) -> Result<()> {
        let at = self.place(path)?;
        self.nodes[at].name = name.into();
        Ok(())
    }

    /// Makes a node a leaf: its children are dropped, with all that is below them and their names, and their rows and its
    /// noise are the leaf's. Its map and the clusters that it fell into stay on record, its reason to stop is
    /// [`StopReason::Pruned`].
    ///
    /// [`RecursiveTree::fit_from`] leaves a pruned node alone, so a leaf that only a limit had stopped is pruned to say that
    /// it is never to be looked into. [`RecursiveTree::deepen`] looks into it again. A leaf that stopped for a reason of its
    /// own stays as it is.
    ///
    /// # Errors
    /// [`Error::Setting`] when the tree has no node with this path.
    pub fn prune(&mut self, path: &str) -> Result<()> {
        let at = self.place(path)?;
        let clustering = self.first_clustering(&self.nodes[at]);
        let node = &mut self.nodes[at];
        if !node.is_leaf() {
            node.labels = Vec::new();
            node.children = 0;
            node.split = node.split.take().zip(clustering).map(|(split, clustering)| Split {
                children: vec![None; clustering.clusters()],
                clustering: Some(clustering),
                moved: 0,
                noise: None,
                ..split
            });
        } else if node.stop_reason.as_ref().is_some_and(|reason| !reason.is_limit()) {
            return Ok(());
        }
        node.stop_reason = Some(StopReason::Pruned);
        let path = node.path.clone();
        self.nodes.retain(|node| !node.path.is_below(&path));
        Ok(())
    }

    /// What the clusterer proposed at a node that was split: kept there, or what labels and children say.
    fn first_clustering(&self, node: &Node) -> Option<Clustering> {
        let split = node.split.as_ref()?;
        if let Some(clustering) = &split.clustering {
            return Some(clustering.clone());
        }
        let mut cluster_of = vec![NOISE; node.children()];
        for (child, cluster) in split.children.iter().zip(0..) {
            cluster_of[(*child)? as usize] = cluster;
        }
        let labels: Vec<i32> =
            node.labels.iter().map(|&l| usize::try_from(l).map_or(NOISE, |child| cluster_of[child])).collect();
        let children: Vec<&Node> = self.children(node).collect();
        let mut next = vec![0; children.len()];
        let membership = |(&label, &cluster): (&i32, &i32)| {
            let Some(child) = usize::try_from(label).ok().filter(|_| cluster >= 0) else { return 0.0 };
            // A node's rows and its child's come in the same order.
            next[child] += 1;
            children[child].membership[next[child] - 1]
        };
        let membership = node.labels.iter().zip(&labels).map(membership).collect();
        let clustering = Clustering::new(labels).and_then(|all| all.with_membership(membership)).ok()?;
        let persistence: Option<Vec<f64>> =
            split.children.iter().map(|child| children[(*child)? as usize].persistence).collect();
        match persistence {
            Some(persistence) => clustering.with_persistence(persistence).ok(),
            None => Some(clustering),
        }
    }

    /// Place of a node by its path as text.
    fn place(&self, path: &str) -> Result<usize> {
        let parsed: Path = path.parse()?;
        self.position(&parsed).ok_or_else(|| Error::setting("path", path, "must be that of a node of the tree"))
    }
}

impl<E: Embedder, C: Clusterer> RecursiveTree<E, C> {
    /// Looks into one leaf of a tree of the same table, whatever stopped it before: a limit, pruning, or that it did not fall
    /// apart or was refused under other settings. The limits of this plan count for what comes out of it, and no other node
    /// is touched. To divide a node anew that has children, prune it first.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recluster::{Run, cluster::KMeans, embed::Identity, recursive::RecursiveTree};
    /// let rows = Array2::from_shape_fn((300, 2), |(i, j)| ((i * (7 + j)) % 101) as f32);
    /// let (plan, run) = (RecursiveTree::new(Identity, KMeans::new(3)).levels(1), Run::new());
    /// let tree = plan.deepen(plan.fit(&rows, &run)?, "0.1", &rows, &run)?;
    /// let leaves: Vec<String> = tree.leaves().map(|leaf| leaf.path().to_string()).collect();
    /// assert_eq!(leaves, ["0.0", "0.1.0", "0.1.1", "0.1.2", "0.2"]);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`fit_from`](RecursiveTree::fit_from); [`Error::Setting`] when the tree has no such leaf.
    pub fn deepen(&self, tree: ClusterTree, path: &str, data: &ArrayRef2<f32>, run: &Run) -> Result<ClusterTree> {
        self.fitting().deepen_one(tree, path, AnyTable::Dense(data), None, run)
    }

    /// As [`deepen`](RecursiveTree::deepen), with the weights that the tree was fitted with.
    ///
    /// # Errors
    /// Those of [`deepen`](RecursiveTree::deepen) and [`fit_from_weighted`](RecursiveTree::fit_from_weighted).
    pub fn deepen_weighted(
        &self,
        tree: ClusterTree,
        path: &str,
        data: &ArrayRef2<f32>,
        weights: &[f64],
        run: &Run,
    ) -> Result<ClusterTree> {
        self.fitting().deepen_one(tree, path, AnyTable::Dense(data), Some(weights), run)
    }
}

impl Fitting<'_> {
    fn deepen_one(
        &self,
        mut tree: ClusterTree,
        path: &str,
        data: AnyTable<'_>,
        weights: Option<&[f64]>,
        run: &Run,
    ) -> Result<ClusterTree> {
        let at = tree.place(path)?;
        if !tree.nodes[at].is_leaf() {
            return Err(Error::setting("path", path, "must be a leaf: prune the node first"));
        }
        self.door(&tree, data, run)?;
        self.with_rows(data, &tree.root().info(), |rows| {
            let weights = weights.map(|weights| Weights::new(weights, rows.len())).transpose()?;
            weights::check_same(&tree, weights.as_ref())?;
            tree.nodes[at].reopen();
            let only = tree.nodes[at].path.clone();
            self.grow(tree.nodes, Some(only), data, rows, weights, &|_, _| Ok(()), run)
        })
    }
}

impl Node {
    /// Forgets what was found inside.
    fn reopen(&mut self) {
        let info = self.info();
        let (rows, membership) = (std::mem::take(&mut self.rows), std::mem::take(&mut self.membership));
        let open = Node::open(info, rows, membership, self.persistence);
        let name = std::mem::take(&mut self.name);
        *self = Node { name, weight: self.weight, in_noise: self.in_noise, stability: self.stability.take(), ..open };
    }
}
