//! Exact search in few dimensions by a k-d tree.

use super::kernel::{Kernel, sound};
use super::lists::{Lists, NONE, insert, pack_key};
use super::measure::Measure;
use super::points::{Points, prepared_width};
use crate::core::{Result, Stage, parallel};
use kiddo::{Chebyshev, ImmutableKdTree, Manhattan, SquaredEuclidean};
use std::num::NonZero;

/// Most columns that the tree is used for; beyond, most of it would be visited.
const MOST_COLUMNS: usize = 10;

/// Whether the tree knows the metric and takes so many columns.
pub(crate) fn takes(measure: &Measure, columns: usize) -> bool {
    prepared_width(measure, columns) <= MOST_COLUMNS
        && matches!(measure.kernel(), Kernel::Squares | Kernel::Absolutes | Kernel::Largest)
}

/// A k-d tree over points, which it holds a copy of: some numbers a point more than their columns.
pub(crate) struct Tree(Box<dyn Find>);

impl Tree {
    /// The tree of all `points`; `None` where they are too wide or their metric is not one of the tree's, and where it
    /// cannot be built, as with very many points on one coordinate.
    pub(crate) fn of(points: &Points<'_>) -> Option<Self> {
        macro_rules! by_columns {
            ($($columns:literal)*) => {
                match points.width() {
                    $($columns => build::<$columns>(points),)*
                    _ => None,
                }
            };
        }
        let known = matches!(points.kernel, Kernel::Squares | Kernel::Absolutes | Kernel::Largest);
        if points.is_sketched() || !known { None } else { by_columns!(1 2 3 4 5 6 7 8 9 10) }
    }

    /// As [`super::exact::nearest`], in O(queries x log points) typically; `points` are those that the tree is of.
    pub(crate) fn nearest(
        &self,
        points: &Points<'_>,
        queries: &Points<'_>,
        same: bool,
        k: usize,
        stage: &Stage<'_>,
    ) -> Result<Lists> {
        self.0.find(points, queries, same, k, stage)
    }
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("k-d tree")
    }
}

/// A tree of any width.
trait Find: Send + Sync {
    fn find(&self, points: &Points<'_>, queries: &Points<'_>, same: bool, k: usize, stage: &Stage<'_>)
    -> Result<Lists>;
}

fn at<const D: usize>(points: &Points<'_>, i: usize) -> [f32; D] {
    let row = points.near(i);
    std::array::from_fn(|c| row[c])
}

fn build<const D: usize>(points: &Points<'_>) -> Option<Tree> {
    let coordinates: Vec<[f32; D]> = (0..points.n).map(|i| at(points, i)).collect();
    let tree = ImmutableKdTree::<f32, D>::new_from_slice(&coordinates).ok()?;
    Some(Tree(Box::new(tree)))
}

impl<const D: usize> Find for ImmutableKdTree<f32, D> {
    fn find(
        &self,
        points: &Points<'_>,
        queries: &Points<'_>,
        same: bool,
        k: usize,
        stage: &Stage<'_>,
    ) -> Result<Lists> {
        // One more than asked for where the query itself is among the answers.
        let Some(wanted) = NonZero::new((k + usize::from(same)).min(points.n)) else {
            return Ok(Lists::new(queries.n, k));
        };
        let blocks = parallel::map_ranges(queries.n, 256, |range| -> Result<Vec<u64>> {
            stage.check()?;
            let mut keys = vec![NONE; range.len() * k];
            for (i, list) in range.zip(keys.chunks_mut(k.max(1))) {
                let query: [f32; D] = at(queries, i);
                let mut take = |neighbour: usize| {
                    if same && neighbour == i || neighbour >= points.n {
                        return;
                    }
                    // Measured again by our own sums: the tree's may differ in the last bit from machine to machine.
                    let value = measure(&points.kernel, &query, &at(points, neighbour));
                    insert(list, pack_key(sound(value), neighbour as u32));
                };
                macro_rules! each {
                    ($metric:ty) => {
                        self.query(&query)
                            .nearest_n::<$metric>(wanted)
                            .execute()
                            .iter()
                            .for_each(|r| take(r.item as usize))
                    };
                }
                match &points.kernel {
                    Kernel::Squares => each!(SquaredEuclidean<f32>),
                    Kernel::Absolutes => each!(Manhattan<f32>),
                    Kernel::Largest => each!(Chebyshev<f32>),
                    _ => {}
                }
            }
            Ok(keys)
        });
        let mut keys = Vec::with_capacity(queries.n * k);
        for block in blocks {
            keys.extend(block?);
        }
        Ok(Lists { k, keys })
    }
}

fn measure<const D: usize>(kernel: &Kernel, a: &[f32; D], b: &[f32; D]) -> f32 {
    let terms = a.iter().zip(b).map(|(x, y)| x - y);
    match kernel {
        Kernel::Squares => terms.fold(0.0, |sum, d| sum + d * d),
        Kernel::Absolutes => terms.fold(0.0, |sum, d| sum + d.abs()),
        _ => terms.fold(0.0, |most, d| if most > d.abs() { most } else { d.abs() }),
    }
}
