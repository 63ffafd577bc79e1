//! Correlation and linear regression of attributions on values.

/// Sums of squares and products around the means of x and y.
pub(super) struct Moments {
    xx: f64,
    yy: f64,
    xy: f64,
}

impl Moments {
    /// Those of pairs (x, y), without the pairs whose x is missing.
    #[inline]
    pub(super) fn of(pairs: impl Iterator<Item = (f32, f64)> + Clone) -> Self {
        let pairs = pairs.filter(|(x, _)| !x.is_nan()).map(|(x, y)| (f64::from(x), y));
        let (mut n, mut sum_x, mut sum_y) = (0.0, 0.0, 0.0);
        for (x, y) in pairs.clone() {
            (n, sum_x, sum_y) = (n + 1.0, sum_x + x, sum_y + y);
        }
        let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
        for (x, y) in pairs {
            let (dx, dy) = (x - sum_x / n, y - sum_y / n);
            (xx, yy, xy) = (xx + dx * dx, yy + dy * dy, xy + dx * dy);
        }
        Moments { xx, yy, xy }
    }

    /// Pearson's correlation of x and y; 0 where either does not vary.
    pub(super) fn correlation(&self) -> f64 {
        let Moments { xx, yy, xy } = *self;
        if xx > 0.0 && yy > 0.0 { (xy / (libm::sqrt(xx) * libm::sqrt(yy))).clamp(-1.0, 1.0) } else { 0.0 }
    }

    /// Sum of squares of y that a linear regression on x explains.
    #[inline]
    pub(super) fn explained(&self) -> f64 {
        let Moments { xx, xy, .. } = *self;
        if xx > 0.0 { xy * xy / xx } else { 0.0 }
    }
}
