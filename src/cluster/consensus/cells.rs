//! What stays together among rows that no group holds: runs may join small clusters to others as they happen to lie, so that
//! no two runs have a cluster in common, though each small one is whole in all of them.

use super::groups::linked;
use super::{ABSENT, NOISE};

/// Most cells, each having its part of the rows at least, so that pairs of them are few.
const MOST_CELLS: usize = 1000;
/// Rows of a group at least.
const SMALLEST: usize = 5;

/// Rows that most runs have together, with each one's share of the runs.
pub(super) struct Together {
    pub(super) rows: Vec<u32>,
    pub(super) membership: Vec<f32>,
}

/// Groups of some of the rows. `smallest` is the size of the smallest cluster of any run.
///
/// A cell is all rows that have the same labels in all runs. Cells are linked by the share of runs that have both in one
/// cluster, of the runs that were given both, as long as the mean is above `threshold`. Groups below three eighths of
/// the smallest cluster or 5 rows stay noise, and cells below an eighth.
pub(super) fn of(runs: &[&[i32]], mut rows: Vec<u32>, smallest: usize, threshold: f64) -> Vec<Together> {
    let least = (smallest / 8).max(runs[0].len().div_ceil(MOST_CELLS)).max(1);
    let labels = |row: u32| runs.iter().map(move |run| run[row as usize]);
    rows.sort_unstable_by(|&a, &b| labels(a).cmp(labels(b)).then(a.cmp(&b)));
    let cells: Vec<&[u32]> =
        rows.chunk_by(|&a, &b| labels(a).eq(labels(b))).filter(|cell| cell.len() >= least).collect();
    let mut alike = Vec::new();
    for (a, first) in cells.iter().enumerate() {
        for (b, second) in cells.iter().enumerate().skip(a + 1) {
            let share = share_together(labels(first[0]).zip(labels(second[0])));
            alike.extend((share > 0.0).then_some((a, b, share)));
        }
    }
    let groups = linked(cells.len(), &alike, threshold).into_iter().map(|group| group.of(&cells));
    groups
        .filter(|rows| rows.len() >= SMALLEST && 8 * rows.len() >= 3 * smallest)
        .map(|rows| Together::of(runs, rows))
        .collect()
}

/// Of the runs that were given both rows, the share that has them in one cluster.
fn share_together(labels: impl Iterator<Item = (i32, i32)>) -> f64 {
    let (mut given, mut together) = (0u32, 0u32);
    for (a, b) in labels.filter(|(a, b)| *a != ABSENT && *b != ABSENT) {
        given += 1;
        together += u32::from(a == b && a != NOISE);
    }
    f64::from(together) / f64::from(given.max(1))
}

impl Together {
    /// A row's membership is the share of runs that have it in the cluster which has most of the group.
    fn of(runs: &[&[i32]], rows: Vec<u32>) -> Self {
        let (mut given, mut inside) = (vec![0u32; rows.len()], vec![0u32; rows.len()]);
        for run in runs {
            let most = most_frequent(rows.iter().map(|&row| run[row as usize]).filter(|label| *label >= 0).collect());
            for ((&row, given), inside) in rows.iter().zip(&mut given).zip(&mut inside) {
                *given += u32::from(run[row as usize] != ABSENT);
                *inside += u32::from(Some(run[row as usize]) == most);
            }
        }
        let membership =
            inside.iter().zip(&given).map(|(&inside, &given)| inside as f32 / given.max(1) as f32).collect();
        Together { rows, membership }
    }
}

/// The label that most rows have; of equally many the lowest.
fn most_frequent(mut labels: Vec<i32>) -> Option<i32> {
    labels.sort_unstable();
    let most = labels.chunk_by(|a, b| a == b).max_by(|a, b| a.len().cmp(&b.len()).then(b[0].cmp(&a[0])));
    most.map(|same| same[0])
}
