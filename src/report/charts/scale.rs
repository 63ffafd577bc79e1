//! Scales: from values to places, and the round numbers beside them.

use crate::report::text::Text;

/// A linear scale from values to units; never anything but finite.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// The values' range, of those that are finite, drawn from `from` to `to`. A range of one value has it in the middle.
    pub(super) fn of(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let (low, high) = range(values);
        Scale::new(low, high, from, to)
    }

    /// From `low` at `from` to `high` at `to`.
    pub(super) fn new(low: f64, high: f64, from: f64, to: f64) -> Self {
        let (low, high) = (low.clamp(-1e300, 1e300), high.clamp(-1e300, 1e300));
        match high > low {
            true => Scale { low, high, from, to },
            false => Scale { low: low - 0.5, high: low + 0.5, from, to },
        }
    }

    /// Where a value stands, within the scale's ends.
    pub(super) fn at(&self, value: f64) -> f64 {
        let part = ((0.5 * value - 0.5 * self.low) / (0.5 * self.high - 0.5 * self.low)).clamp(0.0, 1.0);
        self.from + if part.is_nan() { 0.0 } else { part } * (self.to - self.from)
    }

    /// Where the scale begins and ends.
    pub(super) fn ends(&self) -> (f64, f64) {
        (self.from, self.to)
    }

    /// Round values within the scale, zero among them when it lies between, with their places and words.
    pub(super) fn ticks(&self, text: &Text, most: f64) -> Vec<(f64, f64, String)> {
        ticks(self.low, self.high, most).into_iter().map(|tick| (tick, self.at(tick), text.value(tick))).collect()
    }
}

/// The least and the largest of the values that are finite; (0, 0) without any.
pub(super) fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let ends = values.filter(|v| v.is_finite()).fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
    if ends.0 <= ends.1 { ends } else { (0.0, 0.0) }
}

/// About `most` round numbers from `low` to `high` at most, zero among them when it lies between.
pub(super) fn ticks(low: f64, high: f64, most: f64) -> Vec<f64> {
    let span = high - low;
    if !(span > 0.0 && span.is_finite()) {
        return vec![if low.is_finite() { low } else { 0.0 }];
    }
    let mut power = 1.0;
    while power * 10.0 <= span {
        power *= 10.0;
    }
    while power > span {
        power /= 10.0;
    }
    let step = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0]
        .into_iter()
        .map(|part| part * power)
        .find(|step| span / step <= most)
        .unwrap_or(span);
    // Values that differ by next to nothing of what they are have no round numbers between.
    let (first, last) = ((low / step).ceil(), (high / step).floor());
    if !(step > 0.0 && first.abs() < 1e15 && last.abs() < 1e15) {
        return vec![low];
    }
    (first as i64..=last as i64).map(|i| i as f64 * step).collect()
}

/// The powers of ten, and their doubles and fives where there is room, from `low` to `high`, both above 0.
pub(super) fn log_ticks(low: f64, high: f64) -> Vec<f64> {
    let (from, to) = (libm::log10(low), libm::log10(high));
    if !(from.is_finite() && to.is_finite() && from <= to) {
        return Vec::new();
    }
    let factors: &[f64] = match to - from {
        span if span > 4.0 => &[1.0],
        span if span > 2.5 => &[1.0, 3.0],
        span if span > 1.0 => &[1.0, 2.0, 5.0],
        _ => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
    };
    let powers = libm::floor(from) as i32..=libm::ceil(to) as i32;
    let all = powers.flat_map(|power| factors.iter().map(move |f| f * libm::pow(10.0, f64::from(power))));
    all.filter(|&tick| (low..=high).contains(&tick)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_include_zero() {
        assert_eq!(ticks(-1.0, 2.0, 6.0), [-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0]);
        assert_eq!(ticks(0.0, 0.0, 6.0), [0.0]);
        assert_eq!(ticks(0.0, f64::INFINITY, 6.0), [0.0]);
        assert_eq!(ticks(1e300, 1e300, 6.0).len(), 1);
        for (low, high) in [(-3.7, 12.0), (-1e-9, 4e-9), (0.0, 7e5)] {
            let found = ticks(low, high, 6.0);
            assert!((2..=8).contains(&found.len()) && found.contains(&0.0), "{found:?}");
        }
        assert_eq!(log_ticks(2.0, 900.0), [3.0, 10.0, 30.0, 100.0, 300.0]);
        assert!(log_ticks(0.0, 1.0).is_empty() && log_ticks(5.0, 2.0).is_empty());
    }

    #[test]
    fn places_are_monotone_and_finite() {
        let scale = Scale::of([3.0, f64::NAN, -1.0, f64::INFINITY].into_iter(), 10.0, 110.0);
        assert_eq!((scale.at(-1.0), scale.at(1.0), scale.at(3.0)), (10.0, 60.0, 110.0));
        assert_eq!((scale.at(f64::NAN), scale.at(1e9), scale.at(f64::NEG_INFINITY)), (10.0, 110.0, 10.0));
        let wide = Scale::new(-1e308, 1e308, 0.0, 100.0);
        assert_eq!((wide.at(0.0), wide.at(f64::MAX)), (50.0, 100.0));
        assert_eq!(Scale::of([7.0].into_iter(), 0.0, 10.0).at(7.0), 5.0);
        assert!(Scale::of(std::iter::empty(), 0.0, 10.0).at(0.0).is_finite());
    }
}
