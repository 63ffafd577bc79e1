//! How many neighbours make a core distance, and what rows weigh.

use super::kdtree::NONE;

/// Which neighbours core distances need.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    /// Neighbours that make a core distance, the point itself not counted.
    pub(crate) others: usize,
    /// Neighbours to look for: at least one, at most all other points.
    pub(crate) k: usize,
    /// Neighbours to keep.
    pub(crate) width: usize,
    /// What each point weighs, by index, in parts of [`ONE`]; none when each stands for one row.
    pub(crate) weights: Option<&'a [u64]>,
}

/// The weight of one row. Weights are whole numbers of small parts, so that sums of them are exact in any order.
pub(crate) const ONE: u64 = 1 << 16;

impl Ask<'_> {
    /// Raw core distance of a point from its nearest, sorted if there are weights.
    pub(super) fn core(&self, id: u32, nearest: &[(f64, u32)], id_of: impl Fn(u32) -> u32) -> f64 {
        self.core_with(self.weights.map_or(0, |weights| weights[id as usize].saturating_sub(ONE)), nearest, id_of)
    }

    /// The same for a point at which there is so much weight beside its own.
    pub(crate) fn core_with(&self, mut seen: u64, nearest: &[(f64, u32)], id_of: impl Fn(u32) -> u32) -> f64 {
        let Some(weights) = self.weights else {
            return if self.others == 0 { 0.0 } else { nearest.get(self.others - 1).map_or(0.0, |n| n.0) };
        };
        let mut reach = 0.0;
        for &(raw, position) in nearest {
            // Where all other rows together are too light, the list has places that nobody took.
            if seen >= (self.others as u64).saturating_mul(ONE) || position == NONE {
                break;
            }
            seen += weights[id_of(position) as usize];
            reach = raw;
        }
        reach
    }

    /// How many of the nearest must be sorted.
    pub(crate) fn sorted(&self) -> usize {
        if self.weights.is_some() { self.k } else { self.width }
    }
}
