//! What a caller may give to a fit beside the rows.

use super::fuzzy::Nearby;
use super::target::{Target, mean};
use crate::core::shape::check_count;
use crate::core::{AnyRows, Canonical, Rows};
use crate::neighbors::Neighbors;
use crate::{Error, Result, Run};
use ndarray::{Array2, ArrayRef2};

/// What a caller may give to a fit beside the rows: neighbours found before, a target, a start, a callback for the
/// layout under way.
///
/// Everything goes row by row, in the order of the rows.
///
/// ```
/// use ndarray::Array2;
/// use recluster::{Run, embed::{Given, Umap}, neighbors::Nearest};
/// let rows = Array2::from_shape_fn((60, 4), |(i, j)| ((i % 3) * 10) as f32 + ((i * 7 + j * 3) % 11) as f32 * 0.1);
/// let run = Run::new();
/// let neighbors = Nearest::new(15).find(&rows, &run)?;
/// let given = Given::new().neighbors(&neighbors);
/// // Searched once, drawn twice.
/// let loose = Umap::new().n_epochs(50).min_dist(0.5).fit_given(&rows, &given, &run)?;
/// let tight = Umap::new().n_epochs(50).min_dist(0.0).fit_given(&rows, &given, &run.clone().seed(1))?;
/// assert_ne!(loose.embedding(), tight.embedding());
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Copy, Default)]
#[must_use]
pub struct Given<'a> {
    neighbors: Option<&'a Neighbors>,
    target: Option<&'a Target>,
    start: Option<&'a ArrayRef2<f32>>,
    watch: Option<Watch<'a>>,
}

/// A closure that receives the layout under way.
#[derive(Clone, Copy)]
pub(super) struct Watch<'a> {
    pub(super) every: usize,
    pub(super) see: &'a (dyn Fn(usize, Array2<f32>) + Sync),
}

impl std::fmt::Debug for Given<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Given")
            .field("neighbors", &self.neighbors)
            .field("target", &self.target)
            .field("start", &self.start)
            .field("watch_every", &self.watch.map(|watch| watch.every))
            .finish()
    }
}

impl<'a> Given<'a> {
    /// Nothing beside the rows.
    pub fn new() -> Self {
        Given::default()
    }

    /// Takes neighbours found before, as [`Nearest::find`](crate::neighbors::Nearest::find) gives them: rows x k, the
    /// row itself (or an equal one) first, distances rising. Then no neighbours are searched.
    ///
    /// At least `n_neighbors` of them are wanted, and the first are taken. Equal rows are one point, with the nearest
    /// neighbours of them all; where a list is filled up with equal rows, the point has fewer neighbours than one that
    /// was searched for, with a note. Without equal rows the embedding is, to the bit, that of a fit whose own
    /// search finds the same neighbours. New rows are still searched for by the settings' metric.
    pub fn neighbors(mut self, neighbors: &'a Neighbors) -> Self {
        self.neighbors = Some(neighbors);
        self
    }

    /// Takes what is known of each row: a class or a number, by which the rows are drawn together.
    pub fn target(mut self, target: &'a Target) -> Self {
        self.target = Some(target);
        self
    }

    /// Takes where the layout starts, rows x components, instead of [`Init`](super::Init).
    ///
    /// Each axis is brought to [0, 10], as from any other start. Equal rows start from the mean of theirs. Where two
    /// different rows would start from one place, all starts are moved a little at random (a standard deviation of
    /// 0.0001 on that scale), since nothing else could part them.
    pub fn start(mut self, start: &'a ArrayRef2<f32>) -> Self {
        self.start = Some(start);
        self
    }

    /// Shows the layout under way: `see(epoch, picture)` after every `every`-th epoch and the last, first the start as
    /// epoch 0; pictures are rows x components in the order of the rows. The result does not depend on it.
    ///
    /// A table without a layout (one different row, or none with a neighbour left) shows nothing. Nothing is kept: to
    /// collect pictures, share a list with the closure.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recluster::{Run, embed::{Given, Umap}};
    /// use std::sync::Mutex;
    /// let rows = Array2::from_shape_fn((60, 4), |(i, j)| ((i % 3) * 10) as f32 + ((i * 7 + j * 3) % 11) as f32);
    /// let film = Mutex::new(Vec::new());
    /// let see = |epoch: usize, picture: Array2<f32>| film.lock().unwrap().push((epoch, picture));
    /// let model = Umap::new().n_epochs(50).fit_given(&rows, &Given::new().watch(20, &see), &Run::new())?;
    /// let film = film.into_inner().unwrap();
    /// assert_eq!(film.iter().map(|shot| shot.0).collect::<Vec<_>>(), [0, 20, 40, 50]);
    /// assert_eq!(film[3].1, model.embedding());
    /// # Ok::<(), recluster::Error>(())
    /// ```
    pub fn watch(mut self, every: usize, see: &'a (dyn Fn(usize, Array2<f32>) + Sync)) -> Self {
        self.watch = Some(Watch { every, see });
        self
    }

    /// Everything checked against the rows and settings.
    pub(super) fn check(&self, rows: AnyRows<'_>, n_neighbors: usize, components: usize) -> Result<CheckedGiven<'a>> {
        if let Some(neighbors) = self.neighbors {
            check_neighbors(neighbors, rows, n_neighbors)?;
        }
        if let Some(target) = self.target {
            target.check(rows.len())?;
        }
        let start = self.start.map(|start| check_start(start, rows.len(), components)).transpose()?;
        if let Some(watch) = self.watch.filter(|watch| watch.every == 0) {
            return Err(Error::setting("watch", watch.every, "must be every epoch (1) or fewer"));
        }
        Ok(CheckedGiven { neighbors: self.neighbors, target: self.target, start, watch: self.watch })
    }
}

/// What was given, checked.
pub(super) struct CheckedGiven<'a> {
    pub(super) neighbors: Option<&'a Neighbors>,
    pub(super) target: Option<&'a Target>,
    pub(super) watch: Option<Watch<'a>>,
    start: Option<Rows<'a>>,
}

impl CheckedGiven<'_> {
    /// The start of each group of equal rows, if one was given.
    pub(super) fn start(&self, canonical: &Canonical) -> Option<Vec<f64>> {
        let start = self.start.as_ref()?;
        let components = start.columns();
        let column = |d: usize| -> Vec<f32> { (0..start.len()).map(|i| start.row(i)[d]).collect() };
        let mut positions = vec![0.0; canonical.groups() * components];
        for d in 0..components {
            let column = column(d);
            for g in 0..canonical.groups() {
                positions[g * components + d] = mean(&column, canonical.group(g));
            }
        }
        Some(positions)
    }
}

fn check_start<'a>(start: &'a ArrayRef2<f32>, rows: usize, components: usize) -> Result<Rows<'a>> {
    check_count("rows of the start", rows, start.nrows())?;
    check_count("columns of the start", components, start.ncols())?;
    Rows::finite(start).map_err(|error| match error {
        Error::NotFinite { row, column, value, .. } => Error::NotFinite { what: "the start", row, column, value },
        other => other,
    })
}

fn check_neighbors(found: &Neighbors, rows: AnyRows<'_>, n_neighbors: usize) -> Result<()> {
    let (n, k) = found.indices.dim();
    check_count("rows of the neighbours", rows.len(), n)?;
    check_count("rows of the neighbours' distances", n, found.distances.nrows())?;
    check_count("columns of the neighbours' distances", k, found.distances.ncols())?;
    let needed = n_neighbors.min(n);
    if k < needed {
        return Err(Error::Shape { what: "neighbours of each row, at least", expected: needed, found: k });
    }
    let bad = |row: usize, place: usize, allowed| {
        let (index, distance) = (found.indices[[row, place]], found.distances[[row, place]]);
        Err(Error::setting(
            "neighbors",
            format!("row {index} at distance {distance} (row {row}, column {place})"),
            allowed,
        ))
    };
    for row in 0..n {
        let mut last = 0.0f32;
        for place in 0..k {
            let (index, distance) = (found.indices[[row, place]] as usize, found.distances[[row, place]]);
            if index >= n {
                return bad(row, place, "must be a row of the table");
            }
            if !(distance.is_finite() && distance >= 0.0) {
                return bad(row, place, "must be at a finite distance of at least 0");
            }
            if distance < last {
                return bad(row, place, "must not be nearer than the one before");
            }
            last = distance;
        }
        let first = found.indices[[row, 0]] as usize;
        if first != row && !rows.same(first, row) {
            return bad(row, 0, "must be the row itself");
        }
    }
    Ok(())
}

/// The k − 1 nearest other groups of each group of equal rows, as far as the rows' lists name them.
pub(super) fn by_group(found: &Neighbors, canonical: &Canonical, k: usize, run: &Run) -> Nearby {
    let group = canonical.group_of_row();
    let mut nearby = Nearby { starts: vec![0], ..Default::default() };
    let mut short = 0;
    let mut seen = vec![u32::MAX; canonical.groups()];
    for g in 0..canonical.groups() {
        // Of one row this is its own list; several rows' lists are merged, whatever the order of the rows.
        let mut list: Vec<(f32, usize, u32)> = Vec::new();
        for &row in canonical.group(g) {
            let (indices, distances) = (found.indices.row(row as usize), found.distances.row(row as usize));
            let places = indices.iter().zip(distances).enumerate();
            list.extend(places.map(|(place, (&index, &distance))| (distance + 0.0, place, group[index as usize])));
        }
        list.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        seen[g] = g as u32;
        let before = nearby.neighbours.len();
        for (distance, _, other) in list {
            if seen[other as usize] != g as u32 && nearby.neighbours.len() - before + 1 < k {
                seen[other as usize] = g as u32;
                nearby.neighbours.push(other);
                nearby.distances.push(distance);
            }
        }
        short += usize::from(nearby.neighbours.len() - before + 1 < k);
        nearby.starts.push(nearby.neighbours.len());
    }
    if short > 0 {
        run.note(&format!(
            "{short} different rows have fewer than {k} different neighbours in the lists given, because of equal rows"
        ));
    }
    nearby
}
