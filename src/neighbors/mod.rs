//! Nearest neighbours: exact for few rows or few columns, else by nearest-neighbour descent with a measured recall.

mod descent;
mod distance;
mod exact;
mod forest;
mod graph;
mod index;
mod kernel;
mod limits;
mod lists;
mod measure;
mod metric;
mod panels;
mod points;
mod sketch;
mod sketch_sparse;
mod space;
mod subset;
mod tree;

use crate::core::random::Stream;
use crate::core::{AnyRows, Canonical, Rows, percent};
use crate::{Error, Result, Run, SparseRows};
pub use distance::Distance;
pub(crate) use index::Index;
pub use index::NeighborIndex;
pub(crate) use lists::Lists;
pub use measure::Measure;
pub use metric::Metric;
use ndarray::{Array2, ArrayRef2};
pub(crate) use space::{Space, in_metric_space};
pub(crate) use subset::check_part;

/// Rows up to which every row is compared with every other, unless told otherwise.
const EXACT_ROWS: usize = 4096;
/// The same of rows that a k-d tree takes but [cannot split](tree::Tree::suits): beyond, its quadratic time is longer than that of the descent.
const NARROW_ROWS: usize = 30_000;
/// The share of the true neighbours below which a search has failed.
const ENOUGH: f64 = 0.9;
/// Rows² x columns up to which a failed search is followed by an exact one: some ten seconds of one core.
const AFFORDABLE: f64 = 1e11;
/// Fewest neighbours that a descent keeps for each row.
const LEAST: usize = 14;
const PURPOSE: u64 = 0x6e6e;

/// Which way neighbours are searched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Search {
    /// Exact up to 4,096 rows and in up to 10 columns (the latter for Euclidean, Manhattan and Chebyshev distance, in
    /// up to 9 for cosine and correlation, and where a k-d tree can split the rows: not above 30,000 of which nearly all agree
    /// in most columns, as in flags that few rows have), else approximate. Where a sample shows that less than nine tenths of the
    /// true neighbours were found, as with independent noise in many columns, a note says so; up to rows² x columns
    /// = 10¹¹ all are searched again exactly instead.
    #[default]
    Auto,
    /// Always exact: quadratic in the rows when there are more than 10 columns.
    Exact,
    /// Always nearest-neighbour descent, but for twice as many rows as neighbours or fewer.
    Approximate,
}

crate::core::setting_by_debug!(Search);

impl Search {
    /// Whether `points`, which all differ, are searched approximately for their `k` nearest, each itself included.
    fn approximates(self, points: &points::Points<'_>, k: usize) -> bool {
        let few = if tree::Tree::takes(points) { NARROW_ROWS } else { EXACT_ROWS };
        let small = || points.n <= few || tree::Tree::suits(points);
        k < points.n.div_ceil(2) && (self == Search::Approximate || self == Search::Auto && !small())
    }
}

/// The nearest neighbours of every row: a builder.
///
/// ```
/// use ndarray::array;
/// use recluster::{Run, neighbors::Nearest};
/// let rows = array![[0.0f32], [1.0], [3.0], [7.0]];
/// let found = Nearest::new(2).find(&rows, &Run::new())?;
/// assert_eq!(found.indices, array![[0, 1], [1, 0], [2, 1], [3, 2]]);
/// assert_eq!(found.distances, array![[0.0, 1.0], [0.0, 1.0], [0.0, 2.0], [0.0, 4.0]]);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Nearest {
    k: usize,
    metric: Measure,
    search: Search,
}

/// Neighbours of each row, nearest first, the row itself before all others.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Neighbors {
    /// Row numbers, rows x k.
    pub indices: Array2<u32>,
    /// Distances, rows x k, rising along each row; 0 in the first column.
    pub distances: Array2<f32>,
    /// Whether these are the true neighbours, or those that a search found which may miss some.
    pub exact: bool,
    /// The share of the true neighbours among those found: 1 where the search was exact, else as measured right after it on
    /// a sample of 128 different rows. [`Neighbors::measure_recall`] measures it on any number of rows.
    ///
    /// Of [`NeighborIndex::query`] it was measured when the index was made, on 128 of its rows that were asked for as if
    /// they were not in it.
    pub recall: f64,
}

impl Nearest {
    /// The `k` nearest of each row, itself included; Euclidean.
    pub fn new(k: usize) -> Self {
        Nearest { k, metric: Measure::default(), search: Search::Auto }
    }

    /// Sets the metric, a [`Metric`] or [`Measure::own`]; default Euclidean.
    pub fn metric(mut self, metric: impl Into<Measure>) -> Self {
        self.metric = metric.into();
        self
    }

    /// Sets the way of searching; default [`Search::Auto`].
    pub fn search(mut self, search: Search) -> Self {
        self.search = search;
        self
    }

    fn check(&self) -> Result<()> {
        self.metric.check()?;
        if self.k == 0 { Err(Error::setting("k", self.k, "must be at least 1")) } else { Ok(()) }
    }

    /// Finds them. With fewer rows than `k`, each row gets as many as there are rows.
    ///
    /// Equal rows are found for each other first, at distance 0. The result depends on the seed only where the search
    /// is approximate, never on the number of threads, and on the order of the rows only in which of several equal rows
    /// is named.
    ///
    /// # Errors
    /// [`Error::Setting`] for `k` = 0; [`Error::Empty`]; [`Error::NotFinite`]; [`Error::Cancelled`].
    ///
    /// # Cost
    /// Exact: O(rows² x columns) (with more than 96 columns and a metric of squares, most pairs cost 64 columns), or
    /// O(rows log rows) in up to 10 columns. Approximate: about O(rows^1.1 x k²). Memory O(rows x (k + 64)).
    pub fn find(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Neighbors> {
        self.check()?;
        self.found(&Rows::finite(rows)?, run)
    }

    /// The same of sparse rows, by their entries: for every built-in metric but correlation.
    ///
    /// Distances are, to the bit, those of the dense rows, and so are the neighbours where the search is exact; a search
    /// that is not may miss others. Rows of up to 96 columns are made dense.
    ///
    /// ```
    /// use recluster::{Run, SparseRows, neighbors::{Metric, Nearest}};
    /// let counts = SparseRows::new((3, 500), vec![0, 2, 4, 5], vec![7, 90, 7, 91, 300], vec![2.0, 1.0, 4.0, 2.0, 1.0])?;
    /// let found = Nearest::new(2).metric(Metric::Hellinger).find_sparse(&counts, &Run::new())?;
    /// assert_eq!(found.indices[[0, 1]], 1);
    /// // Two thirds of both rows are in column 7, the rest is in columns of their own.
    /// assert!((found.distances[[0, 1]] - (1.0f32 / 3.0).sqrt()).abs() < 1e-6);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Nearest::find`]; [`Error::Setting`] for correlation and for a metric of one's own.
    ///
    /// # Cost
    /// That of [`Nearest::find`], with a row's entries for columns; memory O(entries + rows x (k + 64)), and some 800 bytes
    /// for each column.
    pub fn find_sparse(&self, rows: &SparseRows, run: &Run) -> Result<Neighbors> {
        self.check()?;
        self.found(rows, run)
    }

    pub(crate) fn found<'a>(&self, rows: impl Into<AnyRows<'a>>, run: &Run) -> Result<Neighbors> {
        let rows = rows.into();
        run.install(|| {
            self.metric.check_rows(rows)?;
            let canonical = rows.canonical();
            let groups = Groups::find(rows, &canonical, self.k, &self.metric, self.search, run)?;
            Ok(groups.expand(&canonical, self.k.min(rows.len())))
        })?
    }
}

impl Neighbors {
    /// The share of true neighbours among those found, measured on `sample` rows spread evenly over the table.
    ///
    /// A neighbour found at the true k-th distance counts, whichever of several equally far rows it is.
    ///
    /// ```
    /// use ndarray::array;
    /// use recluster::{Run, neighbors::{Metric, Nearest}};
    /// let rows = array![[0.0f32], [1.0], [3.0], [7.0]];
    /// let found = Nearest::new(2).find(&rows, &Run::new())?;
    /// assert_eq!(found.measure_recall(&rows, Metric::Euclidean, 4, &Run::new())?, 1.0);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Nearest::find`], and [`Error::Shape`] when `rows` are not the rows that were searched or the lists are
    /// empty.
    ///
    /// # Cost
    /// O(sample x rows x columns).
    pub fn measure_recall(
        &self,
        rows: &ArrayRef2<f32>,
        metric: impl Into<Measure>,
        sample: usize,
        run: &Run,
    ) -> Result<f64> {
        let measure = metric.into();
        measure.check()?;
        let (n, k) = self.fitting(rows.nrows())?;
        if k == 0 {
            return Err(Error::Shape { what: "neighbours of each row, at least", expected: 1, found: 0 });
        }
        let rows = Rows::finite(rows)?;
        run.install(|| {
            measure.check_rows(&rows)?;
            let all: Vec<u32> = Canonical::of(&rows).order;
            let count = sample.clamp(1, n);
            let picked: Vec<u32> = (0..count).map(|i| all[i * n / count]).collect();
            let space = Space::learn(&rows, &all, &measure, Stream::new(run.key(), PURPOSE));
            let (points, queries) = (space.points(&rows, &all), space.points(&rows, &picked));
            let stage = run.stage("recall", 1);
            let truth = exact::nearest(&points, &queries, false, &numbers(queries.n), k, &stage)?;
            let mut hits = 0;
            for (i, &row) in picked.iter().enumerate() {
                let far = measure.finish(lists::worst(truth.of(i)), space.scale());
                // By name, too: the search summed up in another order where its space was learnt from other rows.
                let named = |row: u32| truth.of(i).iter().any(|&key| all[lists::neighbour(key) as usize] == row);
                let found = self.distances.row(row as usize).into_iter().zip(self.indices.row(row as usize));
                hits += found.filter(|&(&d, &row)| d <= far || named(row)).count();
            }
            Ok(hits as f64 / (count * k) as f64)
        })?
    }

    /// Rows and neighbours of each, if the lists are whole and fit the table.
    fn fitting(&self, rows: usize) -> Result<(usize, usize)> {
        let (n, k) = self.indices.dim();
        let same = |what, expected, found| {
            if expected == found { Ok(()) } else { Err(Error::Shape { what, expected, found }) }
        };
        same("rows that were searched", n, rows)?;
        same("rows of the neighbours' distances", n, self.distances.nrows())?;
        same("columns of the neighbours' distances", k, self.distances.ncols())?;
        Ok((n, k))
    }
}

/// Neighbours among the different rows of a table, by group number of its canonical order.
pub(crate) struct Groups {
    pub(crate) lists: Lists,
    pub(crate) exact: bool,
    /// The share of the true neighbours among those asked for: 1 where the search was exact, else measured on a sample.
    pub(crate) recall: f64,
    /// Neighbours that were asked for: a search may keep more.
    others: usize,
    measure: Measure,
    scale: f32,
}

impl Groups {
    /// The k - 1 nearest other groups of each group; the metric must take the rows (see [`Measure::check_rows`]).
    pub(crate) fn find<'a>(
        rows: impl Into<AnyRows<'a>>,
        canonical: &Canonical,
        k: usize,
        measure: &Measure,
        search: Search,
        run: &Run,
    ) -> Result<Self> {
        let rows = rows.into();
        let pick: Vec<u32> = (0..canonical.groups()).map(|g| canonical.representative(g) as u32).collect();
        let draws = Stream::new(run.key(), PURPOSE);
        let space = Space::learn(rows, &pick, measure, draws.of(0));
        let points = space.points(rows, &pick);
        let others = (k - 1).min(pick.len() - 1);
        let exact = others == 0 || !search.approximates(&points, k);
        let (lists, exact, recall) = if others == 0 {
            (Lists::new(pick.len(), 0), true, 1.0)
        } else if exact {
            (nearest_exact(&points, &points, true, others, run)?, true, 1.0)
        } else {
            // With short lists the descent ends at poor neighbours, and so do later walks over them.
            let kept = others.max(LEAST).min(pick.len() - 1);
            let lists = descent::nearest(&points, kept, descent::Effort::usual(kept + 1), draws.of(1), run)?;
            let recall = descent::recall(&points, &lists, others, run)?;
            let work = pick.len() as f64 * pick.len() as f64 * rows.columns() as f64;
            if recall < ENOUGH && search == Search::Auto && work < AFFORDABLE {
                (nearest_exact(&points, &points, true, others, run)?, true, 1.0)
            } else {
                if recall < ENOUGH {
                    let found = percent(recall);
                    run.note(&format!("only about {found} of the true neighbours were found: the data are hard"));
                }
                (lists, false, recall)
            }
        };
        Ok(Groups { lists, exact, recall, others, measure: measure.clone(), scale: space.scale() })
    }

    /// Distance and group of each neighbour of group `g`, nearest first, itself not among them.
    pub(crate) fn of(&self, g: usize) -> impl Iterator<Item = (u32, f32)> + '_ {
        finish(&self.lists, g, &self.measure, self.scale).take(self.others)
    }

    /// The lists as an [`Index`] takes them, and the numbers in each: none where the search was exact.
    pub(crate) fn graph(&self) -> (Vec<u32>, usize) {
        if self.exact {
            return (Vec::new(), 0);
        }
        let width = self.lists.k.min(graph::FORWARD);
        let vertex = |key: &u64| if *key == lists::NONE { u32::MAX } else { lists::neighbour(*key) };
        (self.lists.keys.chunks(self.lists.k).flat_map(|list| list[..width].iter().map(vertex)).collect(), width)
    }

    /// Lists of k rows for each row: itself, its equals, then the members of the neighbouring groups.
    fn expand(&self, canonical: &Canonical, k: usize) -> Neighbors {
        let n = canonical.order.len();
        let mut indices = Array2::zeros((n, k));
        let mut distances = Array2::zeros((n, k));
        for g in 0..canonical.groups() {
            for &row in canonical.group(g) {
                for (slot, (other, distance)) in row_list(canonical, g, row, self.of(g)).take(k).enumerate() {
                    indices[[row as usize, slot]] = other;
                    distances[[row as usize, slot]] = distance;
                }
            }
        }
        Neighbors { indices, distances, exact: self.exact, recall: self.recall }
    }
}

/// Neighbours of a row in group `g`: itself, its equals, then the members of the groups near it.
fn row_list<'a>(
    canonical: &'a Canonical,
    g: usize,
    row: u32,
    neighbours: impl Iterator<Item = (u32, f32)> + 'a,
) -> impl Iterator<Item = (u32, f32)> + 'a {
    let equals = canonical.group(g).iter().copied().filter(move |&other| other != row).map(|other| (other, 0.0));
    let others = neighbours.flat_map(|(group, d)| canonical.group(group as usize).iter().map(move |&other| (other, d)));
    std::iter::once((row, 0.0)).chain(equals).chain(others)
}

/// Approximate lists of `k` neighbours each, from elsewhere, as an [`Index`] takes them: none where they are too short for
/// a walk, so that the search is exact.
pub(crate) fn walkable(neighbours: &[u32], k: usize) -> Vec<u32> {
    if k < LEAST {
        return Vec::new();
    }
    neighbours.chunks_exact(k).flat_map(|list| &list[..k.min(graph::FORWARD)]).copied().collect()
}

/// Neighbours and distances in a list, nearest first.
pub(crate) fn finish<'a>(
    lists: &'a Lists,
    i: usize,
    measure: &'a Measure,
    scale: f32,
) -> impl Iterator<Item = (u32, f32)> + 'a {
    let filled = lists.of(i).iter().filter(|&&key| key != lists::NONE);
    filled.map(move |&key| (lists::neighbour(key), measure.finish(lists::distance(key), scale)))
}

/// The k nearest points of each query, exactly, by the way that suits the width.
pub(crate) fn nearest_exact(
    points: &points::Points<'_>,
    queries: &points::Points<'_>,
    same: bool,
    k: usize,
    run: &Run,
) -> Result<Lists> {
    let stage = run.stage("neighbours", 1);
    match tree::Tree::of(points) {
        Some(tree) => tree.nearest(points, queries, same, k, &stage),
        None => exact::nearest(points, queries, same, &numbers(queries.n), k, &stage),
    }
}

fn numbers(n: usize) -> Vec<u32> {
    (0..n as u32).collect()
}
