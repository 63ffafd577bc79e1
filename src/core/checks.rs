//! What the checks of saved things are made of; see [`Saved::validate`](super::Saved::validate).

use ndarray::Array2;
use std::fmt::Display;

/// Nothing, or what is wrong.
pub(crate) type Check = std::result::Result<(), String>;

/// That something holds.
pub(crate) fn that(good: bool, reason: impl FnOnce() -> String) -> Check {
    if good { Ok(()) } else { Err(reason()) }
}

/// That there are as many as there must be.
pub(crate) fn count(what: &str, found: usize, expected: usize) -> Check {
    that(found == expected, || format!("{found} {what}, where {expected} are needed"))
}

/// That each of several is good; else the first that is not, by its place.
pub(crate) fn each<T: Copy + Display>(what: &str, all: impl IntoIterator<Item = T>, good: impl Fn(T) -> bool) -> Check {
    match all.into_iter().enumerate().find(|&(_, value)| !good(value)) {
        Some((place, value)) => Err(format!("{what}: {value} at place {place}")),
        None => Ok(()),
    }
}

/// That all numbers are finite in f32, which is where all data come from.
pub(crate) fn narrow<'a>(what: &str, all: impl IntoIterator<Item = &'a f64>) -> Check {
    each(what, all, |x| x.abs() <= f64::from(f32::MAX))
}

/// That numbers of rows, or of whatever is counted, rise strictly and stay below a bound.
pub(crate) fn rising(what: &str, all: &[u32], below: usize) -> Check {
    each(what, all, |&x| (x as usize) < below)?;
    that(all.windows(2).all(|pair| pair[0] < pair[1]), || format!("{what} do not rise"))
}

/// That a table has the shape that it must have, with finite values.
pub(crate) fn table(what: &str, table: &Array2<f32>, shape: (usize, usize)) -> Check {
    let (rows, columns) = table.dim();
    that(table.dim() == shape, || format!("{what}: {rows} x {columns}, where {} x {} are needed", shape.0, shape.1))?;
    each(what, table, |x| x.is_finite())
}

/// That labels are those of so many clusters, each with a row, or `least`, which is 0 or -1 for noise.
pub(crate) fn labels(labels: &[i32], clusters: usize, least: i32) -> Check {
    that(clusters <= labels.len(), || format!("{clusters} clusters of {} rows", labels.len()))?;
    each("labels", labels, |&label| label >= least && i64::from(label) < clusters as i64)?;
    let mut seen = vec![false; clusters];
    labels.iter().filter_map(|&label| usize::try_from(label).ok()).for_each(|label| seen[label] = true);
    match seen.iter().position(|seen| !seen) {
        Some(cluster) => Err(format!("cluster {cluster} has no row")),
        None => Ok(()),
    }
}

/// That numbers are shares.
pub(crate) fn shares<'a>(what: &str, all: impl IntoIterator<Item = &'a f64>) -> Check {
    each(what, all, |x| (0.0..=1.0).contains(x))
}
