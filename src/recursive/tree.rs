//! The fitted tree.

use super::{Node, Path};
use crate::boost::Boost;
use crate::explain::Surrogate;
use crate::{Error, Explanation, Result, Run, Settings, SparseRows};
use ndarray::ArrayRef2;

/// A fitted recursive tree; what [`RecursiveTree::fit`](super::RecursiveTree::fit) gives.
///
/// Nodes stand in preorder: a parent before its children, child 0 with all that is below it before child 1. Every row
/// has one path: that of the leaf that holds it, or that of the node in which it became noise with `.-` behind it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ClusterTree {
    /// By rising path, which is preorder.
    pub(super) nodes: Vec<Node>,
    pub(super) columns: usize,
    pub(super) seed: u64,
}

impl ClusterTree {
    /// Puts a tree together from its nodes, in any order, as
    /// [`RecursiveTree::fit_to`](super::RecursiveTree::fit_to) hands them over; of several with one path the finished one
    /// counts. `columns` are those of the table, `seed` is that of the run.
    ///
    /// # Errors
    /// [`Error::Format`] when the nodes do not make a tree: its root or a child is missing, or rows do not add up.
    pub fn from_nodes(mut nodes: Vec<Node>, columns: usize, seed: u64) -> Result<Self> {
        nodes.sort_by(|a, b| a.path.cmp(&b.path).then(a.is_open().cmp(&b.is_open())));
        nodes.dedup_by(|later, first| later.path == first.path);
        let tree = ClusterTree { nodes, columns, seed };
        match tree.check() {
            Ok(()) => Ok(tree),
            Err(reason) => Err(Error::Format { format: "tree", reason }),
        }
    }

    /// All nodes, in preorder; the root comes first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The root: all rows.
    pub fn root(&self) -> &Node {
        &self.nodes[0]
    }

    /// The node with this path, as text; [`at`](ClusterTree::at) takes a [`Path`].
    pub fn node(&self, path: &str) -> Option<&Node> {
        self.at(&path.parse().ok()?)
    }

    /// The node with this path.
    pub fn at(&self, path: &Path) -> Option<&Node> {
        self.position(path).map(|at| &self.nodes[at])
    }

    /// Place of a path among [`nodes`](ClusterTree::nodes).
    pub(super) fn position(&self, path: &Path) -> Option<usize> {
        self.nodes.binary_search_by(|node| node.path.cmp(path)).ok()
    }

    /// The parent of a node of this tree; none for the root.
    pub fn parent(&self, node: &Node) -> Option<&Node> {
        self.at(&node.path.parent()?)
    }

    /// The children of a node of this tree, by their numbers: from the largest.
    pub fn children<'a>(&'a self, node: &'a Node) -> impl ExactSizeIterator<Item = &'a Node> + Clone {
        // A child missing from a tree that was checked would be another tree's.
        let places: Vec<usize> =
            (0..node.children).filter_map(|child| self.position(&node.path.child(child))).collect();
        places.into_iter().map(|at| &self.nodes[at])
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

    /// Name of the root's embedder; "none" where the root was not looked into. Each node knows its own:
    /// [`Node::embedder`].
    pub fn embedder(&self) -> &str {
        self.root().embedder().map_or("none", Settings::method)
    }

    /// Name of the root's clusterer; "none" where the root was not looked into.
    pub fn clusterer(&self) -> &str {
        self.root().clusterer().map_or("none", Settings::method)
    }

    /// Seed of the run that fitted the tree.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Number of levels on which nodes fell apart: 1 for a root with leaves below it, 0 for a root that stayed whole. At most
    /// those of [`RecursiveTree::levels`](super::RecursiveTree::levels), and more only by a
    /// [second look](super::RecursiveTree::second_look).
    pub fn levels(&self) -> usize {
        self.nodes.iter().map(|node| node.level() - 1).max().unwrap_or(0)
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
                let path = node.path.to_string();
                node.rows.iter().for_each(|&row| paths[row as usize].clone_from(&path));
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
        let clusters = self.nodes.iter().filter(|node| node.level() > 1 && node.level() <= levels.saturating_add(1));
        crate::validity::best_node_f(clusters.map(|node| node.rows.as_slice()), classes)
    }

    /// Trains the one-versus-rest model over the leaves, on `data`, the table that the tree was fitted to (or other
    /// columns of the same rows). Noise rows are in no class, and negatives of each.
    ///
    /// # Errors
    /// [`Error::Shape`] when `data` has other rows than the tree, and those of [`Surrogate::fit`].
    pub fn surrogate(&self, data: &ArrayRef2<f32>, boost: &Boost, run: &Run) -> Result<Surrogate> {
        let surrogate = Surrogate::fit(data, &self.leaf_labels(), self.classes(data.nrows())?, boost, run)?;
        self.with_names(surrogate)
    }

    /// As [`surrogate`](ClusterTree::surrogate), with weights of the rows, such as those of
    /// [`fit_weighted`](super::RecursiveTree::fit_weighted).
    ///
    /// # Errors
    /// Those of [`surrogate`](ClusterTree::surrogate) and [`Surrogate::fit_weighted`].
    pub fn surrogate_weighted(
        &self,
        data: &ArrayRef2<f32>,
        weights: &[f64],
        boost: &Boost,
        run: &Run,
    ) -> Result<Surrogate> {
        let classes = self.classes(data.nrows())?;
        let surrogate = Surrogate::fit_weighted(data, &self.leaf_labels(), classes, weights, boost, run)?;
        self.with_names(surrogate)
    }

    /// As [`surrogate`](ClusterTree::surrogate) or [`surrogate_weighted`](ClusterTree::surrogate_weighted), on sparse rows.
    ///
    /// # Errors
    /// Those of [`surrogate_weighted`](ClusterTree::surrogate_weighted).
    pub fn surrogate_sparse(
        &self,
        rows: &SparseRows,
        weights: Option<&[f64]>,
        boost: &Boost,
        run: &Run,
    ) -> Result<Surrogate> {
        let classes = self.classes(rows.rows())?;
        let surrogate = Surrogate::fit_sparse(rows, &self.leaf_labels(), classes, weights, boost, run)?;
        self.with_names(surrogate)
    }

    /// Why the rows of a leaf are in it: exact SHAP values of the leaf's margin (log-odds) for its own rows, (row, feature, 0),
    /// with the numbers of these rows. `data` is the table that the surrogate was trained on.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recluster::explain::top_features;
    /// use recluster::{Run, boost::Boost, cluster::KMeans, embed::Identity, recursive::RecursiveTree};
    /// let data = Array2::from_shape_fn((60, 3), |(i, j)| if j == 1 { (i % 2 * 9) as f32 } else { (i * (7 + j) % 10) as f32 });
    /// let run = Run::new();
    /// let tree = RecursiveTree::new(Identity, KMeans::new(2)).levels(1).fit(&data, &run)?;
    /// let surrogate = tree.surrogate(&data, &Boost::new().rounds(5), &run)?;
    /// let (rows, why) = tree.explain_leaf("0.1", &surrogate, &data, &run)?;
    /// assert_eq!(top_features(&data.select(ndarray::Axis(0), &rows), &why, 0, 1)?[0].feature, 1);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] for a path that is no leaf's or not a class of the surrogate; [`Error::Shape`] when `data` has other
    /// rows than the tree; else as [`Surrogate::explain_class`].
    pub fn explain_leaf(
        &self,
        path: &str,
        surrogate: &Surrogate,
        data: &ArrayRef2<f32>,
        run: &Run,
    ) -> Result<(Vec<usize>, Explanation)> {
        let leaf = self.node(path).filter(|node| node.is_leaf());
        let leaf = leaf.ok_or_else(|| Error::setting("path", path, "must be that of a leaf"))?;
        let why = surrogate.explain_class(path, &leaf.select(data)?, run)?;
        Ok((leaf.rows.iter().map(|&row| row as usize).collect(), why))
    }

    /// The leaves' paths, for a table of the tree's rows.
    pub(super) fn classes(&self, rows: usize) -> Result<Vec<String>> {
        if rows != self.rows() {
            return Err(Error::Shape { what: "rows of the data", expected: self.rows(), found: rows });
        }
        Ok(self.leaves().map(|leaf| leaf.path.to_string()).collect())
    }

    /// The surrogate, with the leaves' names.
    pub(super) fn with_names(&self, mut surrogate: Surrogate) -> Result<Surrogate> {
        for leaf in self.leaves().filter(|leaf| !leaf.name().is_empty()) {
            surrogate.set_name(&leaf.path.to_string(), leaf.name())?;
        }
        Ok(surrogate)
    }
}
