//! Rows that the clusters of two labellings have in common.

use super::ABSENT;

/// The non-empty cells of the contingency table of two labellings, and the sizes of their clusters among the rows that both
/// labellings have.
pub(super) struct Table {
    /// (cluster of the first, cluster of the second, rows), ascending.
    pub(super) cells: Vec<(u32, u32, u32)>,
    first: Vec<u32>,
    second: Vec<u32>,
}

impl Table {
    pub(super) fn of(first: &[i32], second: &[i32]) -> Self {
        let (m, k) = (clusters(first), clusters(second));
        let mut table = Table { cells: Vec::new(), first: vec![0; m], second: vec![0; k] };
        let present = || first.iter().zip(second).filter(|(a, b)| **a != ABSENT && **b != ABSENT);
        for (&a, &b) in present() {
            if a >= 0 {
                table.first[a as usize] += 1;
            }
            if b >= 0 {
                table.second[b as usize] += 1;
            }
        }
        let both = || present().filter(|(a, b)| **a >= 0 && **b >= 0);
        // Where all cells fit into the memory of the rows they are counted in place, else by sorting.
        if m.saturating_mul(k) <= first.len().max(4096) {
            let mut counts = vec![0u32; m * k];
            both().for_each(|(&a, &b)| counts[a as usize * k + b as usize] += 1);
            let cells = counts.iter().enumerate().filter(|(_, rows)| **rows > 0);
            table.cells = cells.map(|(at, &rows)| ((at / k) as u32, (at % k) as u32, rows)).collect();
        } else {
            let mut pairs: Vec<(u32, u32)> = both().map(|(&a, &b)| (a as u32, b as u32)).collect();
            pairs.sort_unstable();
            table.cells = pairs.chunk_by(|x, y| x == y).map(|run| (run[0].0, run[0].1, run.len() as u32)).collect();
        }
        table
    }

    /// The Jaccard index of the clusters of a cell.
    pub(super) fn jaccard(&self, (a, b, both): (u32, u32, u32)) -> f64 {
        f64::from(both) / f64::from(self.first[a as usize] + self.second[b as usize] - both)
    }

    /// The largest index of the first labelling's cluster `a`; none where it has no row among those of both.
    pub(super) fn best(&self, a: usize) -> Option<f64> {
        let from = self.cells.partition_point(|cell| (cell.0 as usize) < a);
        let own = self.cells[from..].iter().take_while(|cell| cell.0 as usize == a);
        let best = own.map(|&cell| self.jaccard(cell)).fold(0.0, f64::max);
        (*self.first.get(a)? > 0).then_some(best)
    }

    /// The index of the first labelling's cluster `a` with the union of the second's clusters that have most of their
    /// clustered rows in it; none where it has no row among those of both.
    pub(super) fn union(&self, a: usize) -> Option<f64> {
        let mut most = vec![(0, 0); self.second.len()];
        for &(of, in_second, both) in &self.cells {
            // Of equal ones the first.
            if both > most[in_second as usize].0 {
                most[in_second as usize] = (both, of);
            }
        }
        let own = most.iter().zip(&self.second).filter(|((both, of), _)| *both > 0 && *of as usize == a);
        let (both, size) = own.fold((0, 0), |(both, size), (most, second)| (both + most.0, size + second));
        let first = *self.first.get(a)?;
        (first > 0).then(|| f64::from(both) / f64::from(first + size - both))
    }
}

/// One more than the largest label.
pub(super) fn clusters(labels: &[i32]) -> usize {
    labels.iter().copied().max().map_or(0, |most| (most + 1).max(0) as usize)
}
