//! Exact search in few dimensions by a k-d tree.

use super::kernel::{Kernel, sound};
use super::lists::{Lists, NONE, insert, pack_key};
use super::points::Points;
use crate::core::{Result, Stage, parallel};
use kiddo::dist::DistanceMetric;
use kiddo::{Chebyshev, ImmutableKdTree, Manhattan, SquaredEuclidean};
use std::marker::PhantomData;
use std::num::NonZero;

/// Points of which a column's most frequent value is learnt.
const SAMPLE: usize = 1024;

/// Points of a leaf, about, and how many of them are a scan rather than a leaf.
const LEAF: f64 = 32.0;
const SCAN: f64 = 1024.0;

/// A k-d tree over points, which it holds a copy of: some numbers a point more than their columns.
pub(crate) struct Tree(Box<dyn Find>);

impl Tree {
    /// The tree of all `points`; `None` where they are too wide or their metric is not one of the tree's. Also where it does not
    /// [suit](Tree::suits) them: it is still faster than to compare all pairs.
    pub(crate) fn of(points: &Points<'_>) -> Option<Self> {
        Self::way(points)?.0(points)
    }

    /// Whether there is a tree for so few columns and this metric.
    pub(crate) fn takes(points: &Points<'_>) -> bool {
        Self::way(points).is_some()
    }

    /// Whether there is a tree for so few columns and this metric, and splits make small leaves of the points.
    pub(crate) fn suits(points: &Points<'_>) -> bool {
        Self::way(points).is_some_and(|(_, width)| points.n as f64 <= SCAN || fullest(points, width) <= SCAN)
    }

    /// How the tree is built, and in how many columns.
    fn way(points: &Points<'_>) -> Option<(Build, usize)> {
        if points.is_sketched() || points.is_sparse() {
            return None;
        }
        // Each width costs the compiler seconds: so not each has a tree, and rows are filled up with zeros.
        macro_rules! by_columns {
            ($metric:ty: $($columns:literal)*) => {
                match points.width() {
                    $(..=$columns => Some((build::<$columns, $metric>, $columns)),)*
                    _ => None,
                }
            };
        }
        match points.kernel {
            // The nearest along one column are so by any sum.
            Kernel::Absolutes | Kernel::Largest if points.width() == 1 => Some((build::<1, SquaredEuclidean<f32>>, 1)),
            Kernel::Squares => by_columns!(SquaredEuclidean<f32>: 1 2 3 4 6 8 10),
            Kernel::Absolutes => by_columns!(Manhattan<f32>: 2 4 6 10),
            Kernel::Largest => by_columns!(Chebyshev<f32>: 2 4 6 10),
            _ => None,
        }
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

type Build = fn(&Points<'_>) -> Option<Tree>;

/// Points in the fullest leaf of a tree of so many columns, about.
///
/// kiddo halves the points along one column after the other, whatever they hold. Points that agree in a column stay together:
/// of a flag that one row in a hundred has, 99 % of them, however often it is its turn.
fn fullest(points: &Points<'_>, width: usize) -> f64 {
    let levels = libm::ceil(libm::log2((points.n as f64 / LEAF).max(1.0))) as usize;
    let count = points.n.min(SAMPLE);
    let kept = |column: usize| {
        let turns = levels / width + usize::from(column < levels % width);
        let value = |i: usize| points.swept(i * points.n / count)[column];
        let mut values: Vec<f32> = (0..count).map(value).collect();
        values.sort_unstable_by(f32::total_cmp);
        let most = values.chunk_by(|a, b| a == b).map(<[f32]>::len).max().unwrap_or(1);
        let halved = libm::exp2(-(turns as f64));
        if most == 1 { halved } else { halved.max(most as f64 / count as f64) }
    };
    points.n as f64 * (0..points.width()).map(kept).product::<f64>()
}

/// A tree of any width.
trait Find: Send + Sync {
    fn find(&self, points: &Points<'_>, queries: &Points<'_>, same: bool, k: usize, stage: &Stage<'_>)
    -> Result<Lists>;
}

/// A row, filled up with zeros.
fn at<const D: usize>(points: &Points<'_>, i: usize) -> [f32; D] {
    let row = points.swept(i);
    std::array::from_fn(|c| row.get(c).copied().unwrap_or(0.0))
}

fn build<const D: usize, M: Metric>(points: &Points<'_>) -> Option<Tree> {
    let coordinates: Vec<[f32; D]> = (0..points.n).map(|i| at(points, i)).collect();
    let tree = ImmutableKdTree::<f32, D>::new_from_slice(&coordinates).ok()?;
    Some(Tree(Box::new(Known { tree, metric: PhantomData::<M> })))
}

/// What kiddo takes for a metric of f32.
trait Metric: DistanceMetric<f32, Output = f32> + Send + Sync + 'static {}
impl<M: DistanceMetric<f32, Output = f32> + Send + Sync + 'static> Metric for M {}

/// A tree and the metric it is searched by.
struct Known<const D: usize, M> {
    tree: ImmutableKdTree<f32, D>,
    metric: PhantomData<M>,
}

impl<const D: usize, M: Metric> Find for Known<D, M> {
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
                let found = self.tree.query(&query).nearest_n::<M>(wanted).execute();
                found.iter().for_each(|r| take(r.item as usize));
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
