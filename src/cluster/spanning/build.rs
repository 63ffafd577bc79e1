//! The minimum spanning tree of mutual reachability: what HDBSCAN is made of.

use super::boruvka;
use super::kdtree::{CAP, MOST_COLUMNS, NONE, Tree};
use super::nearest::{Ask, Kernels, MOST_COLUMNS_OF_OTHERS, ONE};
use super::norm::Norm;
use super::wide::search::{Side, core_distances};
use super::wide::{all_pairs, blocks, dense};
use crate::cluster::hdbscan::Sets;
#[cfg(feature = "serde")]
use crate::core::checks;
use crate::core::random::Stream;
use crate::core::{Canonical, Result, Rows, Run, parallel};
use crate::neighbors::{Metric, Space};
use ndarray::Array2;

/// Neighbours of each point that the search for the spanning tree starts from.
const LIST: usize = 16;

/// A spanning tree of the rows: n - 1 edges in ascending weight.
///
/// The weight of an edge is the mutual reachability of its ends: the largest of their distance and their two core
/// distances. Edges of equal weight stand in the order of their ends' distance, and those of equal distance in one
/// given by the rows' contents, so that the sequence does not depend on the order of the rows either.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SpanningTree {
    /// One end of each edge, as a row number.
    pub(crate) a: Vec<u32>,
    /// The other end.
    pub(crate) b: Vec<u32>,
    /// Weights, ascending.
    pub(crate) weight: Vec<f64>,
}

/// Two parts of the rows that become one; see [`SpanningTree::single_linkage`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Merge {
    /// One part, the lower number.
    pub a: u32,
    /// The other.
    pub b: u32,
    /// At which distance.
    pub distance: f64,
    /// Rows of both.
    pub size: u32,
}

impl SpanningTree {
    /// Edges as (row, row, weight), in ascending weight.
    pub fn edges(&self) -> impl ExactSizeIterator<Item = (usize, usize, f64)> + '_ {
        let ends = self.a.iter().zip(&self.b);
        ends.zip(&self.weight).map(|((&a, &b), &weight)| (a as usize, b as usize, weight))
    }

    /// Number of edges: one less than the rows.
    pub fn len(&self) -> usize {
        self.weight.len()
    }

    /// Whether there is no edge: a single row.
    pub fn is_empty(&self) -> bool {
        self.weight.is_empty()
    }

    /// Whether this is a spanning tree of so many rows in ascending weight: a file may be damaged.
    #[cfg(feature = "serde")]
    pub(crate) fn validate(&self, rows: usize) -> checks::Check {
        checks::count("edges and one", self.len() + 1, rows)?;
        checks::count("ends of edges", self.a.len(), self.len())?;
        checks::count("other ends of edges", self.b.len(), self.len())?;
        checks::each("weights of edges", &self.weight, |&weight| weight >= 0.0 && weight.is_finite())?;
        checks::that(self.weight.is_sorted(), || "the weights of edges fall".into())?;
        let mut sets = Sets::new(rows);
        for (i, (a, b, _)) in self.edges().enumerate() {
            let joins = a < rows && b < rows && sets.join(a as u32, b as u32).is_some();
            checks::that(joins, || format!("edge {i} of rows {a} and {b}"))?;
        }
        Ok(())
    }

    /// The single-linkage tree: what each edge joins, in the order of the edges. O(n α(n)).
    ///
    /// Parts 0..rows are rows; part rows + i is what the i-th merge made, as in SciPy's linkage matrices.
    pub fn single_linkage(&self) -> Vec<Merge> {
        let rows = self.len() + 1;
        let mut sets = Sets::new(rows);
        let mut part: Vec<(u32, u32)> = (0..rows as u32).map(|row| (row, 1)).collect();
        let mut merges = Vec::with_capacity(self.len());
        for (a, b, distance) in self.edges() {
            let (x, y) = (sets.find(a as u32) as usize, sets.find(b as u32) as usize);
            let Some((keep, _)) = sets.join(x as u32, y as u32) else { continue };
            let (first, second) = (part[x].min(part[y]), part[x].max(part[y]));
            part[keep as usize] = ((rows + merges.len()) as u32, first.1 + second.1);
            merges.push(Merge { a: first.0, b: second.0, distance, size: first.1 + second.1 });
        }
        merges
    }

    /// Weights, ascending.
    pub fn weights(&self) -> &[f64] {
        &self.weight
    }
}

/// What the spanning tree is of.
pub(crate) struct Asked<'a> {
    /// Rows in the metric's own space, as [`prepared`] gives them.
    pub(crate) rows: &'a Rows<'a>,
    pub(crate) metric: Metric,
    /// What each row weighs, in parts of [`ONE`]; none when each weighs one.
    pub(crate) weights: Option<&'a [u64]>,
    /// Neighbours that make a core distance, the row itself not counted.
    pub(crate) others: usize,
}

/// The rows in which the metric is a plain sum over the columns: unit vectors for angles, else none.
pub(crate) fn prepared(rows: &Rows<'_>, metric: Metric) -> Option<Array2<f32>> {
    matches!(metric, Metric::Cosine | Metric::Correlation).then(|| {
        let all: Vec<u32> = (0..rows.len() as u32).collect();
        let space = Space::learn(rows, &all[..1], &metric.into(), Stream::new(0, 0));
        let points = space.points(rows, &all);
        Array2::from_shape_fn((rows.len(), rows.columns() + 1), |(i, j)| points.full(i)[j])
    })
}

/// The distance that a raw value stands for.
pub(crate) fn distance(metric: Metric, raw: f64) -> f64 {
    match metric {
        Metric::Euclidean => raw.sqrt(),
        Metric::Cosine | Metric::Correlation => 0.5 * raw,
        _ => raw,
    }
}

/// Groups of equal rows, and how to ask for their core distances.
pub(crate) struct Groups {
    pub(crate) canonical: Canonical,
    weights: Option<Vec<u64>>,
    others: usize,
    k: usize,
}

impl Groups {
    pub(crate) fn new(asked: &Asked<'_>) -> Self {
        let canonical = Canonical::of(asked.rows);
        let groups = canonical.groups();
        let weights: Option<Vec<u64>> = (groups < asked.rows.len() || asked.weights.is_some()).then(|| {
            let of = |&row: &u32| asked.weights.map_or(ONE, |weights| weights[row as usize]);
            (0..groups).map(|g| canonical.group(g).iter().map(of).sum()).collect()
        });
        // As many of the lightest as it takes are enough, whichever they are.
        let enough = weights.as_ref().map_or(asked.others, |weights| {
            let mut ascending = weights.clone();
            ascending.sort_unstable();
            let need = (asked.others as u64).saturating_mul(ONE);
            let sums = ascending.iter().scan(0u64, |sum, &weight| {
                let before = *sum;
                *sum += weight;
                Some(before)
            });
            sums.take_while(|&before| before < need).count()
        });
        let k = enough.clamp(4, groups.max(5) - 1).min(groups - 1).max(1);
        // More than all other rows means all of them.
        let most = if asked.weights.is_some() { usize::MAX } else { asked.rows.len() - 1 };
        Groups { canonical, weights, others: asked.others.min(most), k }
    }

    pub(crate) fn ask(&self) -> Ask<'_> {
        Ask { others: self.others, k: self.k, width: self.k.min(LIST), weights: self.weights.as_deref() }
    }
}

/// Core distances and the spanning tree.
pub(crate) fn spanning_tree(asked: &Asked<'_>, run: &Run) -> Result<(SpanningTree, Vec<f64>)> {
    let rows = asked.rows;
    let norm = Norm::of(asked.metric);
    let groups_of = {
        let _stage = run.stage("row order", 1);
        Groups::new(asked)
    };
    let (canonical, ask) = (&groups_of.canonical, groups_of.ask());
    let groups = canonical.groups();
    let most = if norm == Norm::Squares { MOST_COLUMNS } else { MOST_COLUMNS_OF_OTHERS };
    let (mut edges, core) = if groups == 1 {
        (Vec::new(), vec![0.0])
    } else {
        macro_rules! by_columns {
            ($($columns:literal)*) => {
                match rows.columns() {
                    columns if columns > most => in_blocks(rows, norm, canonical, &ask, run)?,
                    $(..=$columns => in_tree::<$columns>(rows, norm, canonical, &ask, run)?,)*
                    _ => in_blocks(rows, norm, canonical, &ask, run)?,
                }
            };
        }
        const { assert!(MOST_COLUMNS == 16) };
        if norm == Norm::Squares { by_columns!(2 3 4 6 8 10 12 16) } else { by_columns!(2 4 8) }
    };
    // Equal rows hang on the first of them; no edge that leaves them is lighter than their core distance.
    for g in 0..groups {
        for _ in 1..canonical.weight(g) {
            edges.push((core[g], g as u32, g as u32));
        }
    }
    let mut edges: Vec<(f64, f64, u32, u32)> = parallel::map_ranges(edges.len(), 4096, |range| {
        let keyed = edges[range].iter().map(|&(raw, a, b)| {
            let (x, y) =
                (rows.row(canonical.representative(a as usize)), rows.row(canonical.representative(b as usize)));
            (distance(asked.metric, raw), norm.measure(x, y), a.min(b), a.max(b))
        });
        keyed.collect::<Vec<_>>()
    })
    .concat();
    // Equal weights in the order of the distances themselves.
    parallel::sort_by_key(&mut edges, |edge| (edge.0.to_bits(), edge.1.to_bits(), edge.2, edge.3));
    let mut hung = vec![0usize; groups];
    let mut tree = SpanningTree {
        a: Vec::with_capacity(edges.len()),
        b: Vec::with_capacity(edges.len()),
        weight: edges.iter().map(|edge| edge.0).collect(),
    };
    for &(_, _, a, b) in &edges {
        let (a, b) = (a as usize, b as usize);
        tree.a.push(canonical.representative(a) as u32);
        if a == b {
            hung[a] += 1;
            tree.b.push(canonical.group(a)[hung[a]]);
        } else {
            tree.b.push(canonical.representative(b) as u32);
        }
    }
    let group = canonical.group_of_row();
    Ok((tree, group.iter().map(|&g| distance(asked.metric, core[g as usize])).collect()))
}

/// Raw weights with their ends.
pub(super) type Edges = Vec<(f64, u32, u32)>;

/// For few columns, up to D: raw weights between groups, and raw core distances of groups. A tree's width is known to the
/// compiler, and each costs it seconds: so not each has one, and rows are filled up with zeros, which no sum notices.
fn in_tree<const D: usize>(
    rows: &Rows<'_>,
    norm: Norm,
    canonical: &Canonical,
    ask: &Ask<'_>,
    run: &Run,
) -> Result<(Edges, Vec<f64>)>
where
    Tree<D>: Kernels,
{
    let groups = canonical.groups();
    let stage = run.stage("tree", 1);
    let point = |g: usize| {
        let row = rows.row(canonical.representative(g));
        std::array::from_fn(|c| row.get(c).copied().unwrap_or(0.0))
    };
    let tree = Tree::<D>::new((0..groups).map(point), rows.columns(), norm);
    drop(stage);
    let stage = run.stage("core distances", groups);
    let done = std::sync::atomic::AtomicUsize::new(0);
    let parts = parallel::map_ranges(tree.leaves(), 64, |leaves| {
        let count = leaves.len() * CAP;
        let near = tree.nearest(leaves, ask);
        stage.step(done.fetch_add(count, std::sync::atomic::Ordering::Relaxed) + count)?;
        Ok(near)
    });
    let mut core = Vec::with_capacity(tree.leaves());
    let mut lists = Vec::with_capacity(tree.leaves() * CAP * ask.width);
    for part in parts {
        let part = part?;
        core.extend(part.core);
        lists.extend(part.lists);
    }
    drop(stage);
    let stage = run.stage("spanning tree", groups - 1);
    let mut edges = boruvka::spanning_tree(&tree, &core, lists, ask.width, groups, &stage)?;
    let id = |position: u32| tree.ids[position as usize / CAP][position as usize % CAP];
    for edge in &mut edges {
        (edge.1, edge.2) = (id(edge.1), id(edge.2));
    }
    let mut core_of = vec![0.0; groups];
    for (ids, core) in tree.ids.iter().zip(&core) {
        for (&id, &core) in ids.iter().zip(core).filter(|(id, _)| **id != NONE) {
            core_of[id as usize] = core;
        }
    }
    Ok((edges, core_of))
}

/// For more columns: all pairs, at once where they are few, else in blocks.
fn in_blocks(
    rows: &Rows<'_>,
    norm: Norm,
    canonical: &Canonical,
    ask: &Ask<'_>,
    run: &Run,
) -> Result<(Edges, Vec<f64>)> {
    let groups = canonical.groups();
    if groups <= dense::MOST {
        return dense::spanning_tree(groups, |g| rows.row(canonical.representative(g)), norm, ask, run);
    }
    let pick: Vec<u32> = (0..groups).map(|g| canonical.representative(g) as u32).collect();
    let stage = run.stage("tree", 1);
    let lens = blocks::Lens::learn(rows, &pick, norm);
    let vectors = lens.vectors(rows, &pick);
    let exact = blocks::Exact::new(rows, &pick, &lens);
    let blocks = blocks::Blocks::new(&vectors, norm, blocks::Blocks::compact(&vectors, norm));
    drop(stage);
    let stage = run.stage("core distances", groups);
    let found = core_distances(&lens, Side { blocks: &blocks, exact }, ask, &stage)?;
    drop((blocks, stage));
    let stage = run.stage("spanning tree", groups - 1);
    let edges = all_pairs::spanning_tree(&lens, &vectors, exact, &found, ask, &stage)?;
    Ok((edges.iter().map(|edge| (edge.weight, edge.a, edge.b)).collect(), found.core))
}
