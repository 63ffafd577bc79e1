use super::StopReason;
use crate::boost::Boost;
#[cfg(feature = "serde")]
use crate::core::checks;
use crate::explain::Surrogate;
use crate::{Error, Result, Run};
use ndarray::{Array2, ArrayRef2};

/// One node: a cluster of the node above it, or the whole table.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Node {
    pub(super) path: String,
    pub(super) level: usize,
    pub(super) parent: Option<usize>,
    /// In the order of the children's numbers, largest first.
    pub(super) children: Vec<usize>,
    /// Original row numbers, ascending.
    pub(super) rows: Vec<u32>,
    pub(super) share: f64,
    pub(super) share_of_parent: f64,
    /// One for each of `rows`: its strength of membership in this node, within the parent.
    pub(super) membership: Vec<f32>,
    pub(super) persistence: Option<f64>,
    /// Row i belongs to `rows[i]`; present where the node was embedded.
    pub(super) embedding: Option<Array2<f32>>,
    /// Likewise; present where the embedding has more than two columns and the embedder drew a map beside it.
    #[cfg_attr(feature = "serde", serde(default))]
    pub(super) map: Option<Array2<f32>>,
    #[cfg_attr(feature = "serde", serde(default))]
    pub(super) notes: Vec<String>,
    /// One for each of `rows`: the number of the child it went to, or -1; empty for a leaf.
    pub(super) labels: Vec<i32>,
    /// Present exactly on leaves.
    pub(super) stop_reason: Option<StopReason>,
}

impl Node {
    /// The path: `0` for the root, `0.2` for its child number 2.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The level; the root is level 1.
    pub fn level(&self) -> usize {
        self.level
    }

    /// Place of the parent among [`ClusterTree::nodes`]; none for the root.
    pub fn parent(&self) -> Option<usize> {
        self.parent
    }

    /// Places of the children among [`ClusterTree::nodes`], by child number, which counts from the largest.
    pub fn children(&self) -> &[usize] {
        &self.children
    }

    /// Original numbers of the node's rows, ascending; the parent's noise is not among them.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// The node's share of all rows, in 0 to 1.
    pub fn share(&self) -> f64 {
        self.share
    }

    /// The node's share of its parent's rows, in 0 to 1.
    pub fn share_of_parent(&self) -> f64 {
        self.share_of_parent
    }

    /// For each of [`rows`](Node::rows) its strength of membership in this cluster, in 0 to 1, as the clusterer gave
    /// it; 1 at the root.
    pub fn membership(&self) -> &[f32] {
        &self.membership
    }

    /// The cluster's persistence, in 0 to 1, where the clusterer knows it.
    pub fn persistence(&self) -> Option<f64> {
        self.persistence
    }

    /// The node's own embedding (rows x components), row i belonging to `rows()[i]`; present where the node was
    /// worked on, which a leaf may have been too.
    pub fn embedding(&self) -> Option<&Array2<f32>> {
        self.embedding.as_ref()
    }

    /// What to look at: the embedding itself, or the map of two columns that the embedder drew beside a wider one.
    pub fn map(&self) -> Option<&Array2<f32>> {
        self.map.as_ref().or(self.embedding.as_ref())
    }

    /// What the embedder has to say of the embedding, a sentence each: what was approximated, and how well.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// For each of [`rows`](Node::rows) the number of the child that it went to, or -1 for noise; empty for a leaf.
    pub fn labels(&self) -> &[i32] {
        &self.labels
    }

    /// Rows of this node that went to none of its children; 0 for a leaf.
    pub fn noise(&self) -> usize {
        self.labels.iter().filter(|&&l| l < 0).count()
    }

    /// Why the node was not zoomed into; none when it has children.
    pub fn stop_reason(&self) -> Option<&StopReason> {
        self.stop_reason.as_ref()
    }

    /// Whether the node has no children.
    pub fn is_leaf(&self) -> bool {
        self.children.is_empty()
    }
}

/// A fitted recursive tree.
///
/// Nodes stand in preorder: a parent before its children, child 0 with all that is below it before child 1. Every row
/// has one path: that of the leaf that holds it, or that of the node in which it became noise with `.-` behind it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ClusterTree {
    pub(super) nodes: Vec<Node>,
    pub(super) columns: usize,
    pub(super) embedder: String,
    pub(super) clusterer: String,
    pub(super) seed: u64,
}

impl ClusterTree {
    /// All nodes, in preorder; the root comes first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The root: all rows.
    pub fn root(&self) -> &Node {
        &self.nodes[0]
    }

    /// The node with this path.
    pub fn node(&self, path: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.path == path)
    }

    /// The leaves, in preorder: the clusters that the method ends with.
    pub fn leaves(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.is_leaf())
    }

    /// Number of rows of the table.
    pub fn rows(&self) -> usize {
        self.root().rows.len()
    }

    /// Number of columns of the table.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Name of the embedder.
    pub fn embedder(&self) -> &str {
        &self.embedder
    }

    /// Name of the clusterer.
    pub fn clusterer(&self) -> &str {
        &self.clusterer
    }

    /// Seed of the run that fitted the tree.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Number of levels, the root included.
    pub fn depth(&self) -> usize {
        self.nodes.iter().map(|node| node.level).max().unwrap_or(0)
    }

    /// For each row the number of its leaf, in the order of [`leaves`](ClusterTree::leaves), or -1 for noise at any
    /// level.
    pub fn leaf_labels(&self) -> Vec<i32> {
        let mut labels = vec![crate::NOISE; self.rows()];
        for (number, leaf) in self.leaves().enumerate() {
            for &row in &leaf.rows {
                labels[row as usize] = number as i32;
            }
        }
        labels
    }

    /// For each row its path: the leaf's, or for noise that of the node it was lost in with `.-` behind it.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = vec![String::new(); self.rows()];
        for node in &self.nodes {
            if node.is_leaf() {
                node.rows.iter().for_each(|&row| paths[row as usize].clone_from(&node.path));
            }
            for (&row, _) in node.rows.iter().zip(&node.labels).filter(|(_, label)| **label < 0) {
                paths[row as usize] = format!("{}.-", node.path);
            }
        }
        paths
    }

    /// Each known class matched to the node below the root that fits it best: see
    /// [`best_node_f`](crate::validity::best_node_f). `levels` limits it to splits down to that level, the root's own
    /// split being level 1.
    ///
    /// # Errors
    /// [`Error::Shape`] when there is not one class for each row.
    pub fn best_node_f(&self, classes: &[i32], levels: usize) -> Result<f64> {
        if classes.len() != self.rows() {
            return Err(Error::Shape {
                what: "classes, one for each row",
                expected: self.rows(),
                found: classes.len(),
            });
        }
        let clusters = self.nodes.iter().filter(|node| node.level > 1 && node.level <= levels.saturating_add(1));
        crate::validity::best_node_f(clusters.map(|node| node.rows.as_slice()), classes)
    }

    /// Trains the one-versus-rest model over the leaves, on `data`, the table that the tree was fitted to (or other
    /// columns of the same rows). Noise rows are left out of the training.
    ///
    /// # Errors
    /// [`Error::Shape`] when `data` has other rows than the tree, and those of [`Surrogate::fit`].
    pub fn surrogate(&self, data: &ArrayRef2<f32>, boost: &Boost, run: &Run) -> Result<Surrogate> {
        if data.nrows() != self.rows() {
            return Err(Error::Shape { what: "rows of the data", expected: self.rows(), found: data.nrows() });
        }
        let paths = self.leaves().map(|leaf| leaf.path.clone()).collect();
        Surrogate::fit(data, &self.leaf_labels(), paths, boost, run)
    }
}

#[cfg(feature = "serde")]
impl crate::Saved for ClusterTree {
    const FORMAT: &'static str = "recluster tree";
    const VERSION: u64 = 1;

    fn validate(&self) -> checks::Check {
        checks::that(self.columns > 0, || "no columns".into())?;
        let Some(root) = self.nodes.first() else { return Err("no nodes".into()) };
        let n = root.rows.len();
        checks::that(n > 0 && root.path == "0" && root.level == 1 && root.parent.is_none(), || {
            format!("the first node is \"{}\" of {n} rows", root.path)
        })?;
        checks::rising("rows of the root", &root.rows, n)?;
        // In preorder each node comes when all that is below its elder siblings has come.
        let mut open = vec![0];
        for (at, node) in self.nodes.iter().enumerate() {
            let wrong = |reason: String| format!("node {at}, \"{}\": {reason}", node.path);
            checks::that(open.pop() == Some(at), || wrong("out of order".into()))?;
            open.extend(node.children.iter().rev());
            let parent = node.parent.map_or(n, |parent| self.nodes[parent].rows.len());
            node.validate(n, parent).map_err(wrong)?;
            let children: Vec<&Node> = node.children.iter().map_while(|&child| self.nodes.get(child)).collect();
            checks::count("children", children.len(), node.children.len()).map_err(wrong)?;
            node.validate_children(at, &children).map_err(wrong)?;
        }
        checks::that(open.is_empty(), || "nodes are missing".into())
    }
}

#[cfg(feature = "serde")]
impl Node {
    /// The node by itself, in a tree of `total` rows below a node of `parent` rows.
    fn validate(&self, total: usize, parent: usize) -> checks::Check {
        let n = self.rows.len();
        checks::that(self.share == n as f64 / total as f64, || format!("share {}", self.share))?;
        checks::that(self.share_of_parent == n as f64 / parent as f64, || {
            format!("share of parent {}", self.share_of_parent)
        })?;
        checks::count("memberships", self.membership.len(), n)?;
        checks::each("memberships", &self.membership, |m| (0.0..=1.0).contains(m))?;
        checks::shares("persistence", &self.persistence)?;
        for (what, table) in [("embedding", &self.embedding), ("map", &self.map)] {
            if let Some(table) = table {
                checks::table(what, table, (n, table.ncols().max(1)))?;
            }
        }
        checks::that(self.embedding.is_some() || self.map.is_none(), || "a map without an embedding".into())?;
        checks::that(self.stop_reason.is_some() == self.is_leaf(), || "a reason to stop is a leaf's".into())?;
        checks::count("labels", self.labels.len(), if self.is_leaf() { 0 } else { n })
    }

    /// That the children, of this node at place `at`, hold the rows of their labels.
    fn validate_children(&self, at: usize, children: &[&Node]) -> checks::Check {
        if self.is_leaf() {
            return Ok(());
        }
        checks::labels(&self.labels, children.len(), crate::NOISE)?;
        let mut rows = vec![Vec::new(); children.len()];
        for (&row, &label) in self.rows.iter().zip(&self.labels).filter(|(_, label)| **label >= 0) {
            rows[label as usize].push(row);
        }
        for (number, (child, rows)) in children.iter().zip(&rows).enumerate() {
            let path = format!("{}.{number}", self.path);
            let fits = child.path == path && child.level == self.level + 1 && child.parent == Some(at);
            checks::that(fits && child.rows == *rows, || format!("child {number} is \"{}\"", child.path))?;
        }
        checks::that(children.is_sorted_by(|a, b| a.rows.len() >= b.rows.len()), || "children grow".into())
    }
}
