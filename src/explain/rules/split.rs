//! Which rows are held out, and which rules are found on.
//!
//! Draws are keyed by the rank of a row by content: equal rows stand on one side, and the order of the table does not
//! matter.

use crate::core::random::Stream;
use crate::core::{Canonical, Rows};

/// Purposes of random draws.
const HELD_OUT: u64 = 0x7275_6c65_7301;
const HALVES: u64 = 0x7275_6c65_7302;

/// Original row numbers, in canonical order: by content, then by label and weight.
pub(super) struct Split {
    pub(super) training: Vec<u32>,
    pub(super) held_out: Vec<u32>,
    /// For each row of the training its rank by content.
    rank: Vec<u32>,
}

impl Split {
    /// Holds out about a third of each cluster, and of noise; of the rest at most about `most` rows are kept.
    ///
    /// A group of equal rows goes with its lowest label. A cluster whose rows are all equal is trained on.
    pub(super) fn of(rows: &Rows<'_>, labels: &[i32], weights: &[f64], clusters: usize, most: usize, key: u64) -> Self {
        let mut order = Canonical::of(rows);
        for group in 0..order.groups() {
            let (first, end) = (order.starts[group] as usize, order.starts[group + 1] as usize);
            let kind = |row: u32| (labels[row as usize], weights[row as usize].to_bits(), row);
            order.order[first..end].sort_unstable_by_key(|&row| kind(row));
        }
        let draws = Stream::new(key, HELD_OUT);
        let mut of_cluster = vec![Vec::new(); clusters + 1];
        for group in 0..order.groups() {
            let label = labels[order.representative(group)];
            of_cluster[(label + 1) as usize].push((draws.bits(group as u64), group));
        }
        let (mut held, mut kept) = (vec![false; order.groups()], vec![false; order.groups()]);
        let mut rest = Vec::new();
        for groups in &mut of_cluster {
            groups.sort_unstable();
            let all: usize = groups.iter().map(|&(_, group)| order.weight(group)).sum();
            let mut taken = 0;
            for &(_, group) in groups.iter().filter(|_| groups.len() > 1) {
                if (taken + order.weight(group)) * 3 <= all + 2 {
                    taken += order.weight(group);
                    held[group] = true;
                }
            }
            rest.push(all - taken);
        }
        let trained: usize = rest.iter().sum();
        for (groups, &rest) in of_cluster.iter().zip(&rest) {
            let share =
                if trained > most { (rest as f64 * (most as f64 / trained as f64)).ceil() as usize } else { rest };
            let mut taken = 0;
            for &(_, group) in groups.iter().filter(|&&(_, group)| !held[group]) {
                if taken < share {
                    taken += order.weight(group);
                    kept[group] = true;
                }
            }
        }
        let mut split = Split { training: Vec::new(), held_out: Vec::new(), rank: Vec::new() };
        for group in 0..order.groups() {
            if held[group] {
                split.held_out.extend(order.group(group));
            } else if kept[group] {
                split.training.extend(order.group(group));
                split.rank.extend(order.group(group).iter().map(|_| group as u32));
            }
        }
        split
    }

    /// About half of the training, as places in it, ascending.
    pub(super) fn half(&self, resample: usize, key: u64) -> Vec<u32> {
        let draws = Stream::new(key, HALVES).of(resample as u64);
        (0..self.training.len() as u32).filter(|&place| draws.uniform(self.rank[place as usize].into()) < 0.5).collect()
    }
}
