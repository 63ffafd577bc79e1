//! A share of a cluster's rows beside that of all rows.

use crate::core::inference::wilson;

/// Of fewer rows nothing is said.
pub(super) const LEAST: u32 = 10;

/// How many of a cluster's rows have something, and the share in all rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Share {
    pub(super) count: u32,
    pub(super) of: u32,
    pub(super) all: f64,
}

impl Share {
    pub(super) fn here(&self) -> f64 {
        f64::from(self.count) / f64::from(self.of)
    }

    /// The 95 % interval of the share.
    pub(super) fn interval(&self) -> (f64, f64) {
        let [low, high] = wilson(self.here(), f64::from(self.of));
        (low, high)
    }

    /// Whether the interval excludes the share in all rows.
    pub(super) fn differs(&self) -> bool {
        let (low, high) = self.interval();
        self.all < low || self.all > high
    }
}
