//! One trial: the node's procedure on one half of the rows, its clusters carried over to the other half.

use crate::core::gather;
use crate::core::random::Stream;
use crate::recursive::Proposal;
use crate::{Error, NOISE, Result, Run};
use ndarray::{Array2, ArrayRef2, ArrayViewMut1};

/// A cluster is found again if the rows that either has and those that both have are at most this many to one.
const FOUND_AGAIN: f64 = 0.5;

/// Two random halves of the rows, or of a sample of them, by their places in the node; ascending.
pub(super) fn halves(rows: usize, most: usize, draws: Stream) -> [Vec<u32>; 2] {
    let mut places: Vec<u32> = (0..rows as u32).collect();
    places.sort_unstable_by_key(|&place| (draws.bits(place.into()), place));
    places.truncate(2 * most);
    let mut second = places.split_off(places.len() / 2);
    let mut first = places;
    first.sort_unstable();
    second.sort_unstable();
    [first, second]
}

/// What the node's clusters are on one half, found without the other.
pub(super) struct Trial {
    /// For each row of the half the proposed cluster that it belongs to, or noise.
    pub(super) labels: Vec<i32>,
    /// For each proposed cluster, whether it was found again.
    pub(super) found: Vec<bool>,
    /// Rows of a proposed cluster that another one has in this trial, clusters x clusters: with which it is confused.
    pub(super) confused: Vec<usize>,
}

impl Trial {
    /// Runs the node's embedder and clusterer on the rows of one half.
    pub(super) fn run(proposal: &Proposal<'_>, half: &[u32], run: &Run) -> Result<Self> {
        let clusters = proposal.clustering.clusters();
        let proposed: Vec<i32> = half.iter().map(|&row| proposal.clustering.labels()[row as usize]).collect();
        match proposal.again(half, run) {
            Ok(again) => Ok(matched(again.clustering.labels(), &proposed, clusters)),
            // A half may be too small for what the whole was enough for.
            Err(Error::TooFewRows { .. }) => Ok(matched(&vec![NOISE; half.len()], &proposed, clusters)),
            Err(error) => Err(error),
        }
    }
}

/// Gives each new cluster to the proposed one that it shares most rows with.
fn matched(again: &[i32], proposed: &[i32], clusters: usize) -> Trial {
    let new = again.iter().copied().max().map_or(0, |most| (most + 1).max(0) as usize);
    let mut shared = vec![0usize; new * clusters];
    for (&a, &p) in again.iter().zip(proposed).filter(|(a, p)| **a >= 0 && **p >= 0) {
        shared[a as usize * clusters + p as usize] += 1;
    }
    let best = |a: usize| {
        let row = &shared[a * clusters..(a + 1) * clusters];
        // Of equal ones the first.
        let (cluster, &most) = row.iter().enumerate().max_by_key(|&(p, &rows)| (rows, clusters - p))?;
        (most > 0).then_some(cluster as i32)
    };
    let to: Vec<i32> = (0..new).map(|a| best(a).unwrap_or(NOISE)).collect();
    let labels: Vec<i32> = again.iter().map(|&a| if a < 0 { NOISE } else { to[a as usize] }).collect();
    let mut confused = vec![0usize; clusters * clusters];
    for (&p, &label) in proposed.iter().zip(&labels).filter(|(p, label)| **p >= 0 && **label >= 0 && p != label) {
        confused[p as usize * clusters + label as usize] += 1;
    }
    let (mut both, mut either) = (vec![0usize; clusters], vec![0usize; clusters]);
    for (&label, &p) in labels.iter().zip(proposed) {
        for cluster in [label, p].into_iter().filter(|&cluster| cluster >= 0) {
            either[cluster as usize] += 1;
        }
        if label >= 0 && label == p {
            both[label as usize] += 1;
            either[label as usize] -= 1;
        }
    }
    let found = both.iter().zip(&either).map(|(&both, &either)| both as f64 > FOUND_AGAIN * either as f64).collect();
    Trial { labels, found, confused }
}

/// The rows of both halves, in the order of the halves, in at most `components` principal components of theirs.
pub(super) fn space(
    rows: &ArrayRef2<f32>,
    halves: &[Vec<u32>; 2],
    components: usize,
    draws: Stream,
    run: &Run,
) -> Result<Array2<f32>> {
    let used: Vec<u32> = halves.iter().flatten().copied().collect();
    let mut rows = gather(rows, &used)?;
    for (c, mut column) in rows.columns_mut().into_iter().enumerate() {
        jitter(&mut column, draws.of(c as u64));
    }
    if rows.ncols() <= components {
        return Ok(rows);
    }
    let pca = crate::embed::Pca::new(components.min(rows.nrows()));
    pca.fit(&rows, run)?.transform(&rows, run)
}

/// Columns of at most so many different values are answers, counts or flags, rounded from something finer.
const ROUNDED: usize = 32;

/// Spreads each value of a column of few values evenly over what would be rounded to it: halfway to its neighbours. Else
/// any cut between two answers would be an empty boundary.
fn jitter(column: &mut ArrayViewMut1<'_, f32>, draws: Stream) {
    let mut values: Vec<f32> = Vec::new();
    for &x in column.iter() {
        if let Err(at) = values.binary_search_by(|value| value.total_cmp(&x)) {
            if values.len() == ROUNDED {
                return;
            }
            values.insert(at, x);
        }
    }
    if values.len() < 2 {
        return;
    }
    for (i, x) in column.iter_mut().enumerate() {
        let Ok(at) = values.binary_search_by(|value| value.total_cmp(x)) else { continue };
        // At either end as far outwards as inwards.
        let gap = |a: usize, b: usize| (f64::from(values[b]) - f64::from(values[a])) / 2.0;
        let below = if at > 0 { gap(at - 1, at) } else { gap(0, 1) };
        let above = if at + 1 < values.len() { gap(at, at + 1) } else { gap(at - 1, at) };
        let to = f64::from(*x) - below + draws.uniform(i as u64) * (below + above);
        *x = to.clamp(f32::MIN.into(), f32::MAX.into()) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_are_matched_by_the_rows_they_share() {
        let proposed = [0, 0, 0, 1, 1, 1, 2, -1];
        // Cluster 0 in two parts, 1 as it was, 2 and a row of noise as one with a row of 1.
        let trial = matched(&[3, 3, 0, 1, 1, 2, 2, 2], &proposed, 3);
        assert_eq!(trial.labels, [0, 0, 0, 1, 1, 1, 1, 1]);
        assert_eq!(trial.found, [true, true, false]);
        assert_eq!(trial.confused, [0, 0, 0, 0, 0, 0, 0, 1, 0], "the row of 2 is 1's now");
        let nothing = matched(&[-1; 8], &proposed, 3);
        assert_eq!((nothing.labels, nothing.found), (vec![-1; 8], vec![false; 3]));
    }

    #[test]
    fn halves_share_no_row_and_are_bounded() {
        let [first, second] = halves(101, 1000, Stream::new(1, 2));
        assert_eq!((first.len(), second.len()), (50, 51));
        let mut all: Vec<u32> = first.iter().chain(&second).copied().collect();
        all.sort_unstable();
        assert_eq!(all, (0..101).collect::<Vec<u32>>());
        assert_eq!(halves(101, 10, Stream::new(1, 2)).map(|half| half.len()), [10, 10]);
    }
}
