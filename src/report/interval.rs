//! A share of a cluster's rows beside that of all rows.

/// Of fewer rows nothing is said.
pub(super) const LEAST: u32 = 10;
/// The 97.5th percentile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

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

    /// 100 where the share is that of all rows; None where none of all rows has it.
    pub(super) fn index(&self) -> Option<f64> {
        (self.all > 0.0).then(|| 100.0 * self.here() / self.all)
    }

    /// The 95 % interval of the share (Wilson 1927).
    pub(super) fn interval(&self) -> (f64, f64) {
        let (rows, here) = (f64::from(self.of), self.here());
        let widen = 1.0 + Z * Z / rows;
        let middle = (here + Z * Z / (2.0 * rows)) / widen;
        let half = Z * (here * (1.0 - here) / rows + Z * Z / (4.0 * rows * rows)).sqrt() / widen;
        ((middle - half).max(0.0), (middle + half).min(1.0))
    }

    /// Whether the interval excludes the share in all rows.
    pub(super) fn differs(&self) -> bool {
        let (low, high) = self.interval();
        self.all < low || self.all > high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_wilsons() {
        let near = |share: Share, low: f64, high: f64| {
            let found = share.interval();
            assert!((found.0 - low).abs() < 5e-5 && (found.1 - high).abs() < 5e-5, "{found:?}");
        };
        let share = Share { count: 8, of: 10, all: 0.5 };
        near(share, 0.4902, 0.9433);
        assert_eq!((share.index(), share.differs()), (Some(160.0), false));
        assert!(Share { all: 0.49, ..share }.differs() && Share { all: 0.95, ..share }.differs());
        // Of none and of all of ten: z² / (10 + z²).
        near(Share { count: 0, ..share }, 0.0, 0.2775);
        near(Share { count: 10, ..share }, 0.7225, 1.0);
        assert_eq!(Share { all: 0.0, ..share }.index(), None);
    }
}
