//! Cutting one column into bins.

use super::column::Column;
use crate::boost::limits::MOST_CATEGORIES;
use crate::{Error, Result};

/// A column without two different values.
fn constant(values: &[f32], categorical: bool) -> (Column, Vec<u8>) {
    (Column { categorical, ..Column::default() }, vec![0; values.len()])
}

/// Bins of numbers.
pub(super) fn bin_numbers(values: &[f32], max_bins: usize) -> (Column, Vec<u8>) {
    let order = sorted(values);
    let missing = order.len() < values.len();
    let limit = if missing { max_bins.min(255) } else { max_bins };
    let in_order: Vec<f32> = order.iter().map(|&item| values[item as u32 as usize] + 0.0).collect();
    let ascending = Ascending { low: &in_order, zeros: 0, high: &[] };
    let mut column = Column { cuts: cuts(&ascending, limit), ..Column::default() };
    column.bins = column.cuts.len() + usize::from(missing);
    if column.bins < 2 {
        return constant(values, false);
    }
    let mut codes = vec![column.cuts.len() as u8; values.len()];
    let (mut code, last) = (0, column.cuts.len().saturating_sub(1));
    for (&item, value) in order.iter().zip(in_order) {
        while code < last && column.cuts[code] <= value {
            code += 1;
        }
        codes[item as u32 as usize] = code as u8;
    }
    (column, codes)
}

/// The bins of [`bin_numbers`] for a column of `n` values of which those at `places` are given and the others are zero.
pub(super) fn bin_entries(places: &[u32], values: &[f32], n: usize, max_bins: usize) -> (Column, Vec<u8>) {
    let in_order: Vec<f32> = sorted(values).iter().map(|&item| values[item as u32 as usize]).collect();
    let (low, high) = in_order.split_at(in_order.partition_point(|&value| value < 0.0));
    let mut column =
        Column { cuts: cuts(&Ascending { low, zeros: n - values.len(), high }, max_bins), ..Column::default() };
    column.bins = column.cuts.len();
    let zero = column.code(0.0);
    let mut codes = vec![if column.bins < 2 { 0 } else { zero }; n];
    if column.bins < 2 {
        return (Column::default(), codes);
    }
    places.iter().zip(values).for_each(|(&place, &value)| codes[place as usize] = column.code(value));
    (column, codes)
}

/// Values in rising order, many of which may be zero.
struct Ascending<'a> {
    low: &'a [f32],
    zeros: usize,
    high: &'a [f32],
}

impl Ascending<'_> {
    fn len(&self) -> usize {
        self.low.len() + self.zeros + self.high.len()
    }

    /// The values, of zeros that are only counted one.
    fn values(&self) -> impl Iterator<Item = f32> + '_ {
        let zero = (self.zeros > 0).then_some(0.0);
        self.low.iter().copied().chain(zero).chain(self.high.iter().copied())
    }

    fn at(&self, i: usize) -> f32 {
        match i.checked_sub(self.low.len()) {
            None => self.low[i],
            Some(i) => i.checked_sub(self.zeros).map_or(0.0, |i| self.high[i]),
        }
    }
}

/// Bits of a digit of the radix sort.
const DIGIT: usize = 11;

/// Rows whose value is not missing, ascending by value: an order-preserving key of the value in the upper 32 bits, the row
/// in the lower ones. A least-significant-digit radix sort; a digit that all rows share is skipped.
fn sorted(values: &[f32]) -> Vec<u64> {
    let key = |value: f32| {
        // Adding zero turns -0 into 0. Negative numbers have all bits flipped, others the sign bit.
        let bits = (value + 0.0).to_bits();
        bits ^ (((bits as i32 >> 31) as u32) | 1 << 31)
    };
    let there = values.iter().zip(0u64..).filter(|(value, _)| !value.is_nan());
    let mut items: Vec<u64> = there.map(|(&value, row)| u64::from(key(value)) << 32 | row).collect();
    let digit = |item: u64, pass: usize| (item >> (32 + pass * DIGIT)) as usize % (1 << DIGIT);
    let mut counts = [[0usize; 1 << DIGIT]; 3];
    for &item in &items {
        (0..3).for_each(|pass| counts[pass][digit(item, pass)] += 1);
    }
    let mut next = vec![0u64; items.len()];
    for (pass, counts) in counts.iter_mut().enumerate() {
        if items.first().is_none_or(|&item| counts[digit(item, pass)] == items.len()) {
            continue;
        }
        let mut place = 0;
        for count in counts.iter_mut() {
            place += std::mem::replace(count, place);
        }
        for &item in &items {
            let place = &mut counts[digit(item, pass)];
            next[*place] = item;
            *place += 1;
        }
        std::mem::swap(&mut items, &mut next);
    }
    items
}

/// Bins of categories: one for each category that occurs.
pub(super) fn bin_categories(values: &[f32], c: usize, used: &[u32]) -> Result<(Column, Vec<u8>)> {
    let good = |v: f32| v.is_nan() || ((0.0..MOST_CATEGORIES as f32).contains(&v) && v.fract() == 0.0);
    // The lowest bad row number in the table.
    if let Some(row) = (0..values.len()).filter(|&i| !good(values[i])).map(|i| used[i]).min() {
        let value = used.iter().position(|&u| u == row).map_or(f32::NAN, |i| values[i]);
        return Err(Error::Category { row: row as usize, column: c, value });
    }
    let mut cuts: Vec<f32> = values.iter().filter(|v| !v.is_nan()).map(|v| v + 0.0).collect();
    cuts.sort_unstable_by(f32::total_cmp);
    cuts.dedup();
    let missing = values.iter().any(|v| v.is_nan());
    let bins = cuts.len() + usize::from(missing);
    if bins > 256 {
        let value = format!("column {c}, which has {} different categories", cuts.len());
        return Err(Error::setting("categorical", value, "at most 256 categories, or 255 and missing ones"));
    }
    if bins < 2 {
        return Ok(constant(values, true));
    }
    let column = Column { cuts, bins, categorical: true, ..Column::default() };
    let codes = values.iter().map(|&value| column.code(value)).collect();
    Ok((column, codes))
}

/// Upper bounds of at most `limit` bins. Each but the last is a value of the data, the lowest of the next bin, as in
/// XGBoost; with more distinct values than bins they are quantiles of the rows.
fn cuts(sorted: &Ascending<'_>, limit: usize) -> Vec<f32> {
    let Some(lowest) = sorted.values().next() else { return Vec::new() };
    let mut cuts = Vec::new();
    let mut last = lowest;
    for value in sorted.values() {
        if value > last {
            cuts.push(value);
            last = value;
            if cuts.len() == limit {
                break;
            }
        }
    }
    if cuts.len() >= limit {
        cuts.clear();
        last = lowest;
        for i in 1..limit {
            let value = sorted.at((i as u64 * sorted.len() as u64 / limit as u64) as usize);
            if value > last {
                cuts.push(value);
                last = value;
            }
        }
    }
    // The last bin is unbounded: values above all training values belong to it too.
    cuts.push(f32::MAX);
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_the_order_of_their_values() {
        let mut values: Vec<f32> = (0..5000u32).map(|i| f32::from_bits(i.wrapping_mul(0x9e37_79b9))).collect();
        values.extend([0.0, -0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1.0, -1.0, f32::MIN_POSITIVE]);
        let found: Vec<u32> = sorted(&values).iter().map(|&item| item as u32).collect();
        let mut expected: Vec<u32> = (0..values.len() as u32).filter(|&i| !values[i as usize].is_nan()).collect();
        expected.sort_by(|&a, &b| (values[a as usize] + 0.0).total_cmp(&(values[b as usize] + 0.0)));
        assert_eq!(found, expected);
        assert!(sorted(&[]).is_empty() && sorted(&[f32::NAN]).is_empty());
        assert_eq!(sorted(&[7.0; 3]).iter().map(|&item| item as u32).collect::<Vec<_>>(), [0, 1, 2]);
    }

    #[test]
    fn zeros_that_are_only_counted_make_the_same_bins() {
        for (every, shift) in [(1, 0), (2, 0), (5, 300), (40, 1000), (5000, 0)] {
            let value = |i: i32| if i % every == 0 { (i * 7 % 1000 - shift) as f32 / 3.0 } else { 0.0 };
            let values: Vec<f32> = (0..3000).map(value).collect();
            let places: Vec<u32> = (0..3000).filter(|&i| values[i as usize] != 0.0).collect();
            let there: Vec<f32> = places.iter().map(|&i| values[i as usize]).collect();
            for max_bins in [2, 16, 256] {
                let (own, codes) = bin_entries(&places, &there, values.len(), max_bins);
                let (column, expected) = bin_numbers(&values, max_bins);
                assert_eq!((own.cuts, own.bins, codes), (column.cuts, column.bins, expected), "{every} {max_bins}");
            }
        }
    }

    #[test]
    fn each_row_is_in_the_bin_that_its_value_says() {
        let values: Vec<f32> =
            (0..3000).map(|i| if i % 11 == 0 { f32::NAN } else { (i * 7 % 1000 - 500) as f32 }).collect();
        for max_bins in [2, 16, 256] {
            let (column, codes) = bin_numbers(&values, max_bins);
            assert!(values.iter().zip(&codes).all(|(&value, &code)| column.code(value) == code));
        }
    }
}
