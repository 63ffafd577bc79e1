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

/// As [`super::exact::nearest`] for at most [`MOST_COLUMNS`] columns, in O((points + queries) log points) typically;
/// `None` where the tree cannot be built, as with very many points on one coordinate.
pub(crate) fn nearest(
    points: &Points<'_>,
    queries: &Points<'_>,
    same: bool,
    k: usize,
    stage: &Stage<'_>,
) -> Result<Option<Lists>> {
    macro_rules! by_columns {
        ($($columns:literal)*) => {
            match points.width() {
                $($columns => search::<$columns>(points, queries, same, k, stage),)*
                _ => Ok(None),
            }
        };
    }
    if !matches!(points.kernel, Kernel::Squares | Kernel::Absolutes | Kernel::Largest) {
        return Ok(None);
    }
    by_columns!(1 2 3 4 5 6 7 8 9 10)
}

fn search<const D: usize>(
    points: &Points<'_>,
    queries: &Points<'_>,
    same: bool,
    k: usize,
    stage: &Stage<'_>,
) -> Result<Option<Lists>> {
    let at = |points: &Points<'_>, i: usize| -> [f32; D] { std::array::from_fn(|c| points.near(i)[c]) };
    let coordinates: Vec<[f32; D]> = (0..points.n).map(|i| at(points, i)).collect();
    let Ok(tree) = ImmutableKdTree::<f32, D>::new_from_slice(&coordinates) else { return Ok(None) };
    // One more than asked for where the query itself is among the answers.
    let Some(wanted) = NonZero::new((k + usize::from(same)).min(points.n)) else { return Ok(None) };
    let blocks = parallel::map_ranges(queries.n, 256, |range| -> Result<Vec<u64>> {
        stage.check()?;
        let mut keys = vec![NONE; range.len() * k];
        for (i, list) in range.zip(keys.chunks_mut(k.max(1))) {
            let query = at(queries, i);
            let mut take = |neighbour: usize| {
                if same && neighbour == i || neighbour >= points.n {
                    return;
                }
                // Measured again by our own sums: the tree's may differ in the last bit from machine to machine.
                let value = measure(&points.kernel, &query, &coordinates[neighbour]);
                insert(list, pack_key(sound(value), neighbour as u32));
            };
            macro_rules! each {
                ($metric:ty) => {
                    tree.query(&query).nearest_n::<$metric>(wanted).execute().iter().for_each(|r| take(r.item as usize))
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
    Ok(Some(Lists { k, keys }))
}

fn measure<const D: usize>(kernel: &Kernel, a: &[f32; D], b: &[f32; D]) -> f32 {
    let terms = a.iter().zip(b).map(|(x, y)| x - y);
    match kernel {
        Kernel::Squares => terms.fold(0.0, |sum, d| sum + d * d),
        Kernel::Absolutes => terms.fold(0.0, |sum, d| sum + d.abs()),
        _ => terms.fold(0.0, |most, d| if most > d.abs() { most } else { d.abs() }),
    }
}
