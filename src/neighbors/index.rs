//! Neighbours of new rows among fixed points.

use super::descent::SAMPLE;
use super::exact;
use super::graph::{Graph, Walk};
use super::lists::{Lists, NONE, distance, insert_equal, known, neighbour, worst};
use super::measure::Measure;
use super::points::{Made, Points};
use super::space::{Space, whole};
use super::tree::Tree;
use super::{Groups, Nearest, Neighbors, PURPOSE, finish, numbers};
use crate::core::random::Stream;
use crate::core::{Canonical, Rows, content_hash, parallel};
use crate::{Error, Result, Run, Stage};
use ndarray::{Array2, ArrayRef2};
use std::sync::Arc;

/// What makes searching among fixed points quick. It follows from the points, so it is never saved.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    space: Space,
    made: Made,
    /// Hash of each point's row, rising, with the point.
    hashes: Vec<(u64, u32)>,
    way: Way,
}

/// How an index is searched.
#[derive(Clone, Debug)]
enum Way {
    Walk(Graph),
    Tree(Arc<Tree>),
    /// Every point is looked at.
    Sweep,
}

impl Index {
    /// For all rows of `rows`, which must be different and in an order that follows from content; `lists` are their
    /// neighbours, `width` for each (see [`Graph::of`]), or nothing for exact search.
    pub(crate) fn of(rows: &Rows<'_>, measure: &Measure, lists: &[u32], width: usize, key: u64) -> Self {
        let draws = Stream::new(key, PURPOSE);
        let all: Vec<u32> = (0..rows.len() as u32).collect();
        let space = Space::learn(rows, &all, measure, draws.of(0));
        let points = space.points(rows, &all);
        let way = if lists.is_empty() {
            Tree::of(&points).map_or(Way::Sweep, |tree| Way::Tree(Arc::new(tree)))
        } else {
            Way::Walk(Graph::of(&points, lists, width, draws.of(2)))
        };
        let made = points.made();
        let mut hashes: Vec<(u64, u32)> = parallel::map_ranges(rows.len(), 1024, |range| {
            range.map(|i| (content_hash(rows.row(i)), i as u32)).collect::<Vec<_>>()
        })
        .concat();
        parallel::sort_by_key(&mut hashes, |&entry| entry);
        Index { space, made, hashes, way }
    }

    pub(crate) fn scale(&self) -> f32 {
        self.space.scale()
    }

    /// For each row of `new` the point whose row equals it.
    pub(crate) fn equals(&self, rows: &Rows<'_>, new: &Rows<'_>) -> Vec<Option<u32>> {
        let equal = |row: &[f32]| {
            let hash = content_hash(row);
            let from = self.hashes.partition_point(|entry| entry.0 < hash);
            let same = self.hashes[from..].iter().take_while(|entry| entry.0 == hash);
            same.map(|entry| entry.1).find(|&i| rows.row(i as usize) == row)
        };
        parallel::map_ranges(new.len(), 256, |range| range.map(|i| equal(new.row(i))).collect::<Vec<_>>()).concat()
    }

    /// The k nearest points of each row of `new` that is in `pick`, `rows` being those that the index was made of.
    pub(crate) fn nearest(&self, rows: &Rows<'_>, new: &Rows<'_>, pick: &[u32], k: usize, run: &Run) -> Result<Lists> {
        let points = self.space.again(rows, &self.made);
        let stage = run.stage("neighbours", 1);
        let search = |pick: &[u32]| {
            let queries = self.space.points(new, pick);
            match &self.way {
                Way::Walk(graph) => walked(graph, &points, &queries, &[], k, &stage),
                Way::Tree(tree) => tree.nearest(&points, &queries, false, k, &stage),
                Way::Sweep => exact::nearest(&points, &queries, false, &numbers(queries.n), k, &stage),
            }
        };
        // Rows of bytes are compared as such where all points are: those that are none must not change how, in any batch.
        let is_whole = |q: u32| self.made.bytes.is_some() && whole(new.row(pick[q as usize] as usize));
        let (bytes, others): (Vec<u32>, Vec<u32>) = numbers(pick.len()).into_iter().partition(|&q| is_whole(q));
        if bytes.is_empty() || others.is_empty() {
            return search(pick);
        }
        let mut lists = Lists::new(pick.len(), k);
        for part in [bytes, others] {
            let found = search(&part.iter().map(|&q| pick[q as usize]).collect::<Vec<u32>>())?;
            for (i, &q) in part.iter().enumerate() {
                lists.keys[q as usize * k..(q as usize + 1) * k].copy_from_slice(found.of(i));
            }
        }
        Ok(lists)
    }

    fn is_exact(&self) -> bool {
        !matches!(self.way, Way::Walk(_))
    }

    /// The share of the true k nearest that queries find, on [`SAMPLE`] points that are asked for as if they were not
    /// indexed; 1 where the search is exact. `rows` are those that the index was made of.
    fn recall(&self, rows: &Rows<'_>, k: usize, run: &Run) -> Result<f64> {
        let k = k.min(rows.len() - 1);
        let Way::Walk(graph) = &self.way else { return Ok(1.0) };
        if k == 0 {
            return Ok(1.0);
        }
        let points = self.space.again(rows, &self.made);
        let count = SAMPLE.min(points.n);
        let sample: Vec<u32> = (0..count).map(|i| (i * points.n / count) as u32).collect();
        let stage = run.stage("neighbours", 1);
        let found = walked(graph, &points, &self.space.points(rows, &sample), &sample, k, &stage)?;
        let truth = exact::nearest(&points, &points, true, &sample, k, &stage)?;
        let hits = (0..count).map(|i| {
            let (truth, far) = (truth.of(i), worst(truth.of(i)));
            // By name too: a walk adds up in another order than a sweep, so its distances may differ in the last bit.
            let hit = |&key: &u64| distance(key) <= far || known(truth, neighbour(key)).is_some();
            found.of(i).iter().filter(|&&key| key != NONE).copied().filter(hit).count()
        });
        Ok(hits.sum::<usize>() as f64 / (count * k) as f64)
    }
}

/// The k nearest points of each query that walks over the graph find; that of query q never visits point `but[q]`, if
/// there is one.
///
/// Queries of one leaf are answered one after the other, as they walk over the same points.
///
/// A walk reaches what its start is connected with, which may be fewer points than asked for: then all are compared.
fn walked(
    graph: &Graph,
    points: &Points<'_>,
    queries: &Points<'_>,
    but: &[u32],
    k: usize,
    stage: &Stage<'_>,
) -> Result<Lists> {
    let order = graph.by_leaf(points, queries);
    let blocks = parallel::map_ranges(queries.n, 32, |range| -> Result<Vec<u64>> {
        stage.check()?;
        let mut keys = vec![NONE; range.len() * k];
        let mut walk = Walk::new(points.n, k);
        for (&q, list) in order[range].iter().zip(keys.chunks_mut(k.max(1))) {
            walk.find(graph, points, queries, q as usize, but.get(q as usize).copied(), list);
        }
        Ok(keys)
    });
    let mut keys = vec![NONE; queries.n * k];
    let mut places = order.iter();
    for block in blocks {
        for (list, &q) in block?.chunks(k.max(1)).zip(&mut places) {
            keys[q as usize * k..(q as usize + 1) * k].copy_from_slice(list);
        }
    }
    let mut lists = Lists { k, keys };
    let short: Vec<u32> =
        numbers(queries.n).into_iter().filter(|&q| lists.of(q as usize).last() == Some(&NONE)).collect();
    if short.is_empty() {
        return Ok(lists);
    }
    let whole = if but.is_empty() {
        exact::nearest(points, queries, false, &short, k, stage)?
    } else {
        let own: Vec<u32> = short.iter().map(|&q| but[q as usize]).collect();
        exact::nearest(points, points, true, &own, k, stage)?
    };
    for (i, &q) in short.iter().enumerate() {
        lists.keys[q as usize * k..(q as usize + 1) * k].copy_from_slice(whole.of(i));
    }
    Ok(lists)
}

/// Rows made ready for finding the nearest of them to new rows; made by [`Nearest::index`].
#[derive(Clone, Debug)]
pub struct NeighborIndex {
    settings: Nearest,
    canonical: Canonical,
    /// The different rows, in canonical order.
    points: Array2<f32>,
    index: Index,
    /// The share of the true neighbours that queries find.
    recall: f64,
}

impl Nearest {
    /// Prepares `rows` (n x columns) for queries.
    ///
    /// Where [`Nearest::find`] would search, so do the queries, over a graph of the neighbours found here.
    ///
    /// ```
    /// use ndarray::array;
    /// use recluster::{Run, neighbors::Nearest};
    /// let run = Run::new();
    /// let index = Nearest::new(2).index(&array![[0.0f32], [1.0], [3.0], [7.0]], &run)?;
    /// let found = index.query(&array![[2.5f32], [7.0]], &run)?;
    /// assert_eq!(found.indices, array![[2, 1], [3, 2]]);
    /// assert_eq!(found.distances, array![[0.5, 1.5], [0.0, 4.0]]);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Nearest::find`].
    ///
    /// # Cost
    /// That of [`Nearest::find`] where the queries will search, else O(rows x columns). The index holds a copy of the
    /// different rows, and about 64 numbers more for each: their graph or k-d tree, or their sketches; and wide rows of whole
    /// numbers from 0 to 255 in bytes.
    pub fn index(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<NeighborIndex> {
        self.check()?;
        let rows = Rows::finite(rows)?;
        run.install(|| {
            self.metric.check_rows(&rows)?;
            let canonical = Canonical::of(&rows);
            let pick: Vec<u32> = (0..canonical.groups()).map(|g| canonical.representative(g) as u32).collect();
            let space = Space::learn(&rows, &pick, &self.metric, Stream::new(run.key(), PURPOSE).of(0));
            let (lists, width) = if self.search.approximates(&space.points(&rows, &pick), self.k) {
                Groups::find(&rows, &canonical, self.k, &self.metric, self.search, run)?.graph()
            } else {
                (Vec::new(), 0)
            };
            let points = rows.representatives(&canonical);
            let different = Rows::finite(&points)?;
            let index = Index::of(&different, &self.metric, &lists, width, run.key());
            let recall = index.recall(&different, self.k, run)?;
            Ok(NeighborIndex { settings: self.clone(), canonical, points, index, recall })
        })?
    }
}

impl NeighborIndex {
    /// The nearest indexed rows of each row of `rows` (any number x columns of the index), nearest first: as many as
    /// [`Nearest::new`] was told, or all when there are fewer.
    ///
    /// The answer for a row is the same alone or in any batch. Indexed rows equal to it are found first, at distance 0,
    /// whether or not the search is exact.
    ///
    /// # Errors
    /// [`Error::Shape`] for other columns than the index has; [`Error::Empty`]; [`Error::NotFinite`];
    /// [`Error::Cancelled`].
    ///
    /// # Cost
    /// Of a row by itself, whatever the batch: O(log n) in up to 10 columns, a walk of some hundred comparisons where the
    /// search is approximate, else n comparisons. A row whose walk reaches fewer points than asked for is compared with all.
    pub fn query(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Neighbors> {
        let rows = Rows::finite(rows)?;
        if rows.columns() != self.points.ncols() {
            return Err(Error::Shape { what: "columns", expected: self.points.ncols(), found: rows.columns() });
        }
        let points = Rows::known(&self.points);
        run.install(|| {
            self.settings.metric.check_rows(&rows)?;
            let k = self.settings.k.min(self.canonical.order.len());
            let all: Vec<u32> = (0..rows.len() as u32).collect();
            let mut lists = self.index.nearest(&points, &rows, &all, k.min(points.len()), run)?;
            let equals = self.index.equals(&points, &rows);
            for (list, equal) in lists.keys.chunks_mut(lists.k).zip(equals) {
                if let Some(point) = equal {
                    insert_equal(list, point);
                }
            }
            let mut found = Neighbors {
                indices: Array2::zeros((rows.len(), k)),
                distances: Array2::zeros((rows.len(), k)),
                exact: self.index.is_exact(),
                recall: self.recall,
            };
            for i in 0..rows.len() {
                let groups = finish(&lists, i, &self.settings.metric, self.index.scale());
                let members = groups.flat_map(|(g, d)| self.canonical.group(g as usize).iter().map(move |&r| (r, d)));
                for (slot, (row, distance)) in members.take(k).enumerate() {
                    found.indices[[i, slot]] = row;
                    found.distances[[i, slot]] = distance;
                }
            }
            Ok(found)
        })?
    }
}
