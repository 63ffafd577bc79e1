//! The rows that a spanning tree is of, equal ones together.

use super::core_distance::{Ask, ONE};
use crate::core::{Canonical, Rows};
use crate::neighbors::Metric;

/// Neighbours of each point that the search for the spanning tree starts from.
const LIST: usize = 16;

/// What the spanning tree is of.
pub(crate) struct Asked<'a> {
    /// Rows in the metric's own space, as [`in_space`](super::in_space) gives them.
    pub(crate) rows: &'a Rows<'a>,
    pub(crate) metric: Metric,
    /// What each row weighs, in parts of [`ONE`]; none when each weighs one.
    pub(crate) weights: Option<&'a [u64]>,
    /// Neighbours that make a core distance, the row itself not counted.
    pub(crate) others: usize,
}

/// Groups of equal rows, and how to ask for their core distances.
pub(crate) struct Groups {
    pub(crate) canonical: Canonical,
    weights: Option<Vec<u64>>,
    others: usize,
    k: usize,
}

impl Groups {
    pub(crate) fn new(asked: &Asked<'_>) -> Self {
        let canonical = Canonical::of(asked.rows);
        let groups = canonical.groups();
        let weights: Option<Vec<u64>> = (groups < asked.rows.len() || asked.weights.is_some()).then(|| {
            let of = |&row: &u32| asked.weights.map_or(ONE, |weights| weights[row as usize]);
            (0..groups).map(|g| canonical.group(g).iter().map(of).sum()).collect()
        });
        // As many of the lightest as it takes are enough, whichever they are.
        let enough = weights.as_ref().map_or(asked.others, |weights| {
            let mut ascending = weights.clone();
            ascending.sort_unstable();
            let need = (asked.others as u64).saturating_mul(ONE);
            let sums = ascending.iter().scan(0u64, |sum, &weight| {
                let before = *sum;
                *sum += weight;
                Some(before)
            });
            sums.take_while(|&before| before < need).count()
        });
        let k = enough.clamp(4, groups.max(5) - 1).min(groups - 1).max(1);
        // More than all other rows means all of them.
        let most = if asked.weights.is_some() { usize::MAX } else { asked.rows.len() - 1 };
        Groups { canonical, weights, others: asked.others.min(most), k }
    }

    pub(crate) fn ask(&self) -> Ask<'_> {
        Ask { others: self.others, k: self.k, width: self.k.min(LIST), weights: self.weights.as_deref() }
    }
}
