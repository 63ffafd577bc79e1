//! Which cluster became which: two trees, or two assignments, of the same rows.

use super::{ClusterTree, Path};
use crate::core::cluster_sizes;
use crate::validity::adjusted_rand;
use crate::{Error, NOISE, Result};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Two clusters are the same if they share more than this part of the rows that either has (Jaccard); no cluster shares so
/// much with two that have no row in common. At most this much is *dissolved* in C. Hennig, "Cluster-wise assessment of
/// cluster stability" (2007), from .75 on a cluster is stable.
const SAME: f64 = 0.5;

/// How two clusterings of the same rows go together; what [`ClusterTree::compare`] and [`compare_assignments`] give.
///
/// As text, by [`Display`](std::fmt::Display): a table of at most 100 columns.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Comparison {
    /// Rows compared.
    pub rows: usize,
    /// Adjusted Rand index of the leaves, noise as one class: see [`adjusted_rand`].
    pub adjusted_rand: f64,
    /// Rows in noise, before and after.
    pub noise: [usize; 2],
    /// Rows that changed cluster: all but those of clusters that were kept, in both, and those in noise before and after.
    pub moved: usize,
    /// What became of each leaf of the first, by path.
    pub before: Vec<Compared>,
    /// Where each leaf of the second came from, by path.
    pub after: Vec<Compared>,
    /// Rows that changed cluster, from where to where; the largest flows first.
    pub flows: Vec<Flow>,
    /// For each node below the root of the first its match among those of the second, at any depth, and the other way round;
    /// empty for assignments.
    pub nodes: [Vec<Match>; 2],
}

/// One cluster and what it most resembles in another clustering.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Match {
    /// The cluster's path.
    pub cluster: String,
    /// Its name; empty without one.
    pub name: String,
    /// Its rows.
    pub rows: usize,
    /// The cluster with the largest Jaccard similarity; none where no row is in any.
    pub best: Option<String>,
    /// Of the rows that either has the share that both have, in 0 to 1.
    pub jaccard: f64,
    /// Rows that both have.
    pub common: usize,
}

/// A leaf, its match among the leaves of another clustering, and the verdict.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Compared {
    /// The match.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub matched: Match,
    /// The verdict.
    pub fate: Fate,
    /// The clusters of the other clustering that the verdict is about.
    pub with: Vec<String>,
}

/// A verdict on a cluster, from before to after; the first that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Fate {
    /// One cluster shares more than half of the rows that either has.
    Kept,
    /// Before: two clusters or more have most of their rows from it, and together hold most of its rows. After: most rows
    /// come from one cluster.
    Split,
    /// Before: most rows went to one cluster. After: two clusters or more had most of their rows here, and together make up
    /// most of it.
    Merged,
    /// After: none of these.
    New,
    /// Before: none of these.
    Gone,
}

/// Rows that went from one cluster to another.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Flow {
    /// The cluster before, or "noise".
    pub from: String,
    /// The cluster after, or "noise".
    pub to: String,
    /// Rows.
    pub rows: usize,
    /// Of all rows compared, in 0 to 1.
    pub share: f64,
}

impl ClusterTree {
    /// Compares with another tree of the same rows, in the same order: this one is before, `other` after. For trees of
    /// different tables, assign one table by the surrogates of both and use [`compare_assignments`].
    ///
    /// O(rows x levels of one x levels of the other).
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recluster::recursive::{Fate, RecursiveTree};
    /// use recluster::{Run, cluster::KMeans, embed::Identity};
    /// let rows = Array2::from_shape_fn((200, 2), |(i, j)| ((i % 2) * 50 + (i % 4) / 2 * 9 * j) as f32 + (i % 7) as f32 * 0.1);
    /// let plan = RecursiveTree::new(Identity, KMeans::new(2));
    /// let (one, two) = (plan.clone().levels(1).fit(&rows, &Run::new())?, plan.levels(2).fit(&rows, &Run::new())?);
    /// let change = one.compare(&two)?;
    /// assert!(change.before.iter().all(|leaf| leaf.fate == Fate::Split && leaf.with.len() == 2));
    /// assert!(change.nodes[0].iter().all(|node| node.jaccard == 1.0)); // each is there as a node
    /// println!("{change}");
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Shape`] when the trees have different numbers of rows.
    pub fn compare(&self, other: &ClusterTree) -> Result<Comparison> {
        if self.rows() != other.rows() {
            return Err(Error::Shape { what: "rows of the other tree", expected: self.rows(), found: other.rows() });
        }
        let mut all = compare_assignments(&self.paths(), &other.paths())?;
        for (side, tree) in [(&mut all.before, self), (&mut all.after, other)] {
            for leaf in side {
                leaf.matched.name = tree.node(&leaf.matched.cluster).map_or(String::new(), |node| node.name.clone());
            }
        }
        all.nodes = nodes(self, other);
        Ok(all)
    }
}

/// Compares two assignments of the same rows to clusters, such as the paths of [`Surrogate::assign`] by the models of two
/// fits: an old one, and one on newer rows. Noise is what is empty, `-`, or ends in `.-`.
///
/// ```
/// use recluster::recursive::{Fate, compare_assignments};
/// let change = compare_assignments(&["0.0", "0.0", "0.0", "0.1", "0.1"], &["0.1", "0.1", "0.0", "0.0", "0.0"])?;
/// assert!(change.before.iter().all(|leaf| leaf.fate == Fate::Kept));
/// assert_eq!((change.before[0].with[0].as_str(), change.moved), ("0.1", 1));
/// # Ok::<(), recluster::Error>(())
/// ```
///
/// [`Surrogate::assign`]: crate::explain::Surrogate::assign
///
/// # Errors
/// [`Error::Shape`] when the lengths differ, [`Error::Empty`] without rows.
pub fn compare_assignments(before: &[impl AsRef<str>], after: &[impl AsRef<str>]) -> Result<Comparison> {
    let rows = before.len();
    if rows == 0 {
        return Err(Error::Empty { what: "the assignment", rows, columns: 1 });
    }
    let sides = [Labels::of(before), Labels::of(after)];
    let adjusted_rand = adjusted_rand(&sides[0].of_row, &sides[1].of_row)?;
    let mut cells = BTreeMap::new();
    for (&from, &to) in sides[0].of_row.iter().zip(&sides[1].of_row) {
        *cells.entry((from, to)).or_insert(0) += 1;
    }
    let mut common = Common::new();
    for (&(from, to), &rows) in cells.iter().filter(|((from, to), _)| *from >= 0 && *to >= 0) {
        common.insert((from as usize, to as usize), rows);
    }
    let back: Common = common.iter().map(|(&(from, to), &rows)| ((to, from), rows)).collect();
    let compared = [fates(&sides[0], &sides[1], &common, false), fates(&sides[1], &sides[0], &back, true)];
    let stays = |from: i32, to: i32| match (usize::try_from(from), usize::try_from(to)) {
        (Ok(from), Ok(to)) => {
            compared[0][from].fate == Fate::Kept && compared[0][from].with == [sides[1].name(to as i32)]
        }
        (from, to) => from.is_err() && to.is_err(),
    };
    let mut changed: Vec<_> = cells.iter().filter(|((from, to), _)| !stays(*from, *to)).collect();
    changed.sort_by_key(|(place, rows)| (Reverse(**rows), **place));
    let flow = |(&(from, to), &count): (&(i32, i32), &usize)| Flow {
        from: sides[0].name(from),
        to: sides[1].name(to),
        rows: count,
        share: count as f64 / rows as f64,
    };
    let flows: Vec<Flow> = changed.into_iter().map(flow).collect();
    let moved = flows.iter().map(|flow| flow.rows).sum();
    let noise = [0, 1].map(|side| rows - sides[side].sizes.iter().sum::<usize>());
    let [before, after] = compared;
    Ok(Comparison { rows, adjusted_rand, noise, moved, before, after, flows, nodes: [Vec::new(), Vec::new()] })
}

/// The clusters of an assignment, by path.
struct Labels {
    names: Vec<String>,
    sizes: Vec<usize>,
    /// The number of each row's cluster, or -1.
    of_row: Vec<i32>,
}

impl Labels {
    fn of(rows: &[impl AsRef<str>]) -> Self {
        let is_noise = |name: &str| name.is_empty() || name == "-" || name.ends_with(".-");
        let mut numbers: BTreeMap<&str, i32> =
            rows.iter().map(AsRef::as_ref).filter(|name| !is_noise(name)).map(|name| (name, 0)).collect();
        let mut names: Vec<String> = numbers.keys().map(ToString::to_string).collect();
        // Paths by their numbers, 0.2 before 0.10, then other names.
        names.sort_by_cached_key(|name| {
            (name.parse::<Path>().map_or((true, Path::root()), |path| (false, path)), name.clone())
        });
        for (name, number) in names.iter().zip(0..) {
            numbers.insert(name, number);
        }
        let of_row: Vec<i32> = rows.iter().map(|name| numbers.get(name.as_ref()).copied().unwrap_or(NOISE)).collect();
        Labels { sizes: cluster_sizes(&of_row, names.len()), of_row, names }
    }

    fn name(&self, label: i32) -> String {
        usize::try_from(label).map_or_else(|_| "noise".to_string(), |label| self.names[label].clone())
    }
}

/// Rows in common of a cluster here and one there, where there are any.
type Common = BTreeMap<(usize, usize), usize>;

fn jaccard(here: usize, there: usize, common: usize) -> f64 {
    common as f64 / (here + there - common) as f64
}

/// The match of cluster `here` among those of the other side: the number, Jaccard, rows in common.
fn best(here: usize, size: usize, others: &[usize], common: &Common) -> Option<(usize, f64, usize)> {
    let mut best: Option<(usize, f64, usize)> = None;
    for (&(_, there), &rows) in common.range((here, 0)..=(here, usize::MAX)) {
        let similarity = jaccard(size, others[there], rows);
        if best.is_none_or(|(_, most, _)| similarity > most) {
            best = Some((there, similarity, rows));
        }
    }
    best
}

/// The match and the fate of each cluster of one side.
fn fates(own: &Labels, other: &Labels, common: &Common, after: bool) -> Vec<Compared> {
    let fate = |here: usize| -> (Fate, Vec<usize>) {
        let size = own.sizes[here];
        if let Some((there, similarity, _)) = best(here, size, &other.sizes, common)
            && similarity > SAME
        {
            return (Fate::Kept, vec![there]);
        }
        let overlaps = || common.range((here, 0)..=(here, usize::MAX)).map(|(&(_, there), &rows)| (there, rows));
        let parts: Vec<(usize, usize)> = overlaps().filter(|&(there, rows)| 2 * rows > other.sizes[there]).collect();
        let within = overlaps().find(|&(_, rows)| 2 * rows > size);
        let (apart, into) = if after { (Fate::Merged, Fate::Split) } else { (Fate::Split, Fate::Merged) };
        if parts.len() > 1 && 2 * parts.iter().map(|part| part.1).sum::<usize>() > size {
            (apart, parts.into_iter().map(|part| part.0).collect())
        } else if let Some((there, _)) = within {
            (into, vec![there])
        } else {
            (if after { Fate::New } else { Fate::Gone }, Vec::new())
        }
    };
    let compared = |here: usize| {
        let (fate, with) = fate(here);
        let found = best(here, own.sizes[here], &other.sizes, common);
        let matched =
            matched(own.names[here].clone(), String::new(), own.sizes[here], found, |there| other.names[there].clone());
        Compared { matched, fate, with: with.into_iter().map(|there| other.names[there].clone()).collect() }
    };
    (0..own.names.len()).map(compared).collect()
}

fn matched(
    cluster: String,
    name: String,
    rows: usize,
    best: Option<(usize, f64, usize)>,
    other: impl Fn(usize) -> String,
) -> Match {
    let (jaccard, common) = best.map_or((0.0, 0), |(_, jaccard, common)| (jaccard, common));
    Match { cluster, name, rows, best: best.map(|(there, ..)| other(there)), jaccard, common }
}

/// The matches of the nodes below the roots.
fn nodes(before: &ClusterTree, after: &ClusterTree) -> [Vec<Match>; 2] {
    let trees = [before, after];
    // For each row the deepest node that holds it: nodes stand in preorder.
    let deepest = trees.map(|tree| {
        let mut deepest = vec![0; tree.rows()];
        for (number, node) in tree.nodes().iter().enumerate() {
            node.rows().iter().for_each(|&row| deepest[row as usize] = number);
        }
        deepest
    });
    let above = trees.map(|tree| {
        let up = |node: &super::Node| node.path().parent().and_then(|path| tree.position(&path));
        tree.nodes().iter().map(up).collect::<Vec<_>>()
    });
    let mut cells = Common::new();
    for cell in deepest[0].iter().copied().zip(deepest[1].iter().copied()) {
        *cells.entry(cell).or_insert(0) += 1;
    }
    let lineage = |side: usize, from: usize| {
        let above = &above[side];
        std::iter::successors(Some(from), move |&node| above[node]).filter(move |&node| above[node].is_some())
    };
    let mut common = [Common::new(), Common::new()];
    for (&(from, to), &rows) in &cells {
        for (a, b) in lineage(0, from).flat_map(|a| lineage(1, to).map(move |b| (a, b))) {
            *common[0].entry((a, b)).or_insert(0) += rows;
            *common[1].entry((b, a)).or_insert(0) += rows;
        }
    }
    let sizes = trees.map(|tree| tree.nodes().iter().map(|node| node.rows().len()).collect::<Vec<_>>());
    [0, 1].map(|side| {
        let (own, other) = (trees[side], trees[1 - side]);
        let of = |(number, node): (usize, &super::Node)| {
            let found = best(number, sizes[side][number], &sizes[1 - side], &common[side]);
            let path = |there: usize| other.nodes()[there].path().to_string();
            matched(node.path().to_string(), node.name().to_string(), node.rows().len(), found, path)
        };
        own.nodes().iter().enumerate().skip(1).map(of).collect()
    })
}
