//! Neighbours within a part of the rows, cut from the lists of all.

use super::{Measure, Nearest, Neighbors, PURPOSE, Search, Space, finish, nearest_exact, row_list};
use crate::core::random::Stream;
use crate::core::{AnyRows, AnyTable, parallel};
use crate::{Error, Result, Run, SparseRows};
use ndarray::{Array2, ArrayRef2};

/// Places and distances of some rows' lists, one after the other, and the places of those whose lists are short.
type Piece = (Vec<(u32, f32)>, Vec<u32>);
/// The place of a row that is not in the part.
const NOWHERE: u32 = u32::MAX;

impl Neighbors {
    /// The `k` nearest of each row of `part`, itself included, among the rows of `part` alone, as if these were a table of
    /// their own: lists are of part.len() rows, and name rows by their places in `part`.
    ///
    /// `part` holds row numbers of the table `rows` (n x columns) that was searched with `metric`, each once, in any
    /// order. What a list names outside the part falls out of it; the rest keeps its order and distances. Where fewer
    /// than `k` are left (or than there are rows in the part), the row is compared with the whole part anew, exactly; were
    /// that to happen to more than half of the rows, all are searched by [`Nearest::find`]: exactly if these lists are
    /// exact, else as [`Search::Auto`] does. Longer lists spare that: of 4 rows in 5, lists of 2 `k` nearly always leave
    /// `k`.
    ///
    /// The lists are exact where these are: what an exact list leaves out is at least as far as all that it names. Else
    /// [`Neighbors::recall`] is that of these lists, though rows compared anew missed nothing. The order of `part` decides
    /// only which of several equally far rows is named, and the number of threads nothing.
    ///
    /// ```
    /// use ndarray::array;
    /// use recluster::{Run, neighbors::{Metric, Nearest}};
    /// let rows = array![[0.0f32], [1.0], [3.0], [7.0], [8.0]];
    /// let found = Nearest::new(4).find(&rows, &Run::new())?;
    /// let part = found.subset(&[4, 0, 2], 2, &rows, Metric::Euclidean, &Run::new())?;
    /// // Rows 4, 0 and 2 are 0, 1 and 2 now.
    /// assert_eq!(part.indices, array![[0, 2], [1, 2], [2, 1]]);
    /// assert_eq!(part.distances, array![[0.0, 5.0], [0.0, 3.0], [0.0, 3.0]]);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] for `k` = 0, and for a row in `part` that the table has not or that stands there twice;
    /// [`Error::Empty`] for an empty part; [`Error::Shape`] when `rows` are not the table that was searched;
    /// [`Error::NotFinite`], where lists have to be completed, by the row's number in the table; [`Error::Cancelled`].
    ///
    /// # Cost
    /// O(n + part x list length); `rows` are not read. With lists to complete, also a copy of the part's rows, and O(short
    /// lists x part x columns), or O(part log part) where [`Nearest::find`] has a tree.
    pub fn subset(
        &self,
        part: &[u32],
        k: usize,
        rows: &ArrayRef2<f32>,
        metric: impl Into<Measure>,
        run: &Run,
    ) -> Result<Neighbors> {
        self.part_of(AnyTable::Dense(rows), part, k, metric.into(), run)
    }

    /// The same of sparse rows; see [`Nearest::find_sparse`].
    ///
    /// # Errors
    /// Those of [`Neighbors::subset`] and of [`Nearest::find_sparse`].
    pub fn subset_sparse(
        &self,
        part: &[u32],
        k: usize,
        rows: &SparseRows,
        metric: impl Into<Measure>,
        run: &Run,
    ) -> Result<Neighbors> {
        self.part_of(AnyTable::Sparse(rows), part, k, metric.into(), run)
    }

    pub(crate) fn part_of(
        &self,
        table: AnyTable<'_>,
        part: &[u32],
        k: usize,
        metric: Measure,
        run: &Run,
    ) -> Result<Neighbors> {
        let settings = Nearest::new(k).metric(metric).search(if self.exact { Search::Exact } else { Search::Auto });
        settings.check()?;
        let (rows, columns) = table.dim();
        let (n, _) = self.fitting(rows)?;
        let places = places(part, n)?;
        if part.is_empty() || columns == 0 {
            return Err(Error::Empty { what: "the part of the rows", rows: part.len(), columns });
        }
        let (mut cut, short) = run.install(|| self.cut(part, &places, k.min(part.len()), run))??;
        if short.is_empty() {
            return Ok(cut);
        }
        let table = table.gather(part)?;
        let completed = table.lent().checked(|rows| {
            if 2 * short.len() > part.len() {
                settings.found(rows, run)
            } else {
                cut.complete(&short, rows, &settings.metric, run).map(|()| cut)
            }
        });
        completed.map_err(|error| error.of_part(part))
    }

    /// Each list without the rows outside the part, and the places of those that are then shorter than `k`.
    fn cut(&self, part: &[u32], places: &[u32], k: usize, run: &Run) -> Result<(Neighbors, Vec<u32>)> {
        let stage = run.stage("neighbours", 1);
        let pieces = parallel::map_ranges(part.len(), 1024, |range| -> Result<Piece> {
            stage.check()?;
            let (mut lists, mut short) = (Vec::with_capacity(range.len() * k), Vec::new());
            for (row, at) in part[range.clone()].iter().zip(range.start as u32..) {
                let (indices, distances) = (self.indices.row(*row as usize), self.distances.row(*row as usize));
                // A number that is no row's is in no part: lists may be the caller's own.
                let place = |&index: &u32| places.get(index as usize).copied().unwrap_or(NOWHERE);
                let listed = indices.into_iter().map(place).zip(distances.into_iter().copied());
                let others = listed.filter(|&(other, _)| other != NOWHERE && other != at);
                let end = lists.len() + k;
                lists.extend(std::iter::once((at, 0.0)).chain(others).take(k));
                if lists.len() < end {
                    short.push(at);
                    lists.resize(end, (at, 0.0));
                }
            }
            Ok((lists, short))
        });
        let (indices, distances) = (Array2::zeros((part.len(), k)), Array2::zeros((part.len(), k)));
        let mut cut = Neighbors { indices, distances, exact: self.exact, recall: self.recall };
        let (mut slots, mut all) = (cut.indices.iter_mut().zip(&mut cut.distances), Vec::new());
        for piece in pieces {
            let (lists, short) = piece?;
            lists.into_iter().zip(&mut slots).for_each(|(found, (index, distance))| (*index, *distance) = found);
            all.extend(short);
        }
        drop(slots);
        Ok((cut, all))
    }

    /// Puts exact lists in place of those of the rows `short` of `table`.
    fn complete(&mut self, short: &[u32], rows: AnyRows<'_>, measure: &Measure, run: &Run) -> Result<()> {
        run.install(|| {
            measure.check_rows(rows)?;
            let canonical = rows.canonical();
            let group = canonical.group_of_row();
            // Equal rows are searched once.
            let mut asked: Vec<u32> = short.iter().map(|&row| group[row as usize]).collect();
            asked.sort_unstable();
            asked.dedup();
            let representative = |g: usize| canonical.representative(g) as u32;
            let different: Vec<u32> = (0..canonical.groups()).map(representative).collect();
            let queried: Vec<u32> = asked.iter().map(|&g| representative(g as usize)).collect();
            let space = Space::learn(rows, &different, measure, Stream::new(run.key(), PURPOSE).of(0));
            let (points, queries) = (space.points(rows, &different), space.points(rows, &queried));
            let k = self.indices.ncols();
            let lists = nearest_exact(&points, &queries, false, k.min(points.n), run)?;
            for &row in short {
                let g = group[row as usize];
                let at = asked.partition_point(|&other| other < g);
                // Its own group is known by number: a metric of one's own may not put it first.
                let neighbours = finish(&lists, at, measure, space.scale()).filter(|&(other, _)| other != g);
                for (slot, found) in row_list(&canonical, g as usize, row, neighbours).take(k).enumerate() {
                    (self.indices[[row as usize, slot]], self.distances[[row as usize, slot]]) = found;
                }
            }
            Ok(())
        })?
    }
}

/// Checks that a part names rows among `n`, each at most once.
pub(crate) fn check_part(part: &[u32], n: usize) -> Result<()> {
    places(part, n).map(drop)
}

/// For each of `n` rows its place in the part.
fn places(part: &[u32], n: usize) -> Result<Vec<u32>> {
    let mut places = vec![NOWHERE; n];
    for (&row, at) in part.iter().zip(0..) {
        let bad = |allowed| Err(Error::setting("part", format!("row {row} (place {at})"), allowed));
        match places.get_mut(row as usize) {
            Some(place) if *place == NOWHERE => *place = at,
            Some(_) => return bad("must not be named twice"),
            None => return bad("must be a row of the table that was searched"),
        }
    }
    Ok(places)
}
