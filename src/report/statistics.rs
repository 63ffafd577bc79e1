//! Plain statistics of the rows: what sets a cluster apart, which rows are typical, which are explained.

use crate::core::{Canonical, Rows};

/// Means and spreads of the columns, missing values left out.
#[derive(Clone, Debug)]
pub(super) struct Statistics {
    /// Of all rows, for each column.
    pub(super) mean: Vec<f64>,
    /// Standard deviation of all rows, for each column.
    pub(super) deviation: Vec<f64>,
    /// (leaf, column): mean of a leaf's rows; NaN where all values are missing.
    pub(super) leaf_mean: Vec<Vec<f64>>,
    /// Smallest and largest value anywhere.
    pub(super) range: (f64, f64),
}

impl Statistics {
    /// Walks the rows in canonical order, so that the rows' order in the file changes no digit. Each row counts by its
    /// weight.
    pub(super) fn of(rows: &Rows<'_>, order: &Canonical, weights: &[f64], leaf_of_row: &[i32], leaves: usize) -> Self {
        let columns = rows.columns();
        let mut all = Sums::new(columns);
        let mut each: Vec<Sums> = (0..leaves).map(|_| Sums::new(columns)).collect();
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for &row in &order.order {
            let (values, weight) = (rows.row(row as usize), weights[row as usize]);
            for value in values.iter().map(|&v| f64::from(v)) {
                (low, high) = (low.min(value), high.max(value));
            }
            all.add(values, weight);
            if let Some(sums) = usize::try_from(leaf_of_row[row as usize]).ok().and_then(|leaf| each.get_mut(leaf)) {
                sums.add(values, weight);
            }
        }
        let mean = all.means();
        let mut squares = Sums::new(columns);
        for &row in &order.order {
            squares.add_squares(rows.row(row as usize), &mean, weights[row as usize]);
        }
        let deviation = squares.means().into_iter().map(f64::sqrt).collect();
        let range = if low <= high { (low, high) } else { (0.0, 0.0) };
        Statistics { mean, deviation, leaf_mean: each.iter().map(Sums::means).collect(), range }
    }

    /// How far a leaf's mean lies from that of all rows, in standard deviations; 0 where that means nothing.
    pub(super) fn distance(&self, leaf: usize, column: usize) -> f64 {
        let distance = (self.leaf_mean[leaf][column] - self.mean[column]) / self.deviation[column];
        if distance.is_finite() { distance } else { 0.0 }
    }

    /// The columns in which a leaf lies furthest from all rows, furthest first.
    pub(super) fn distinctive(&self, leaf: usize, most: usize) -> Vec<usize> {
        let mut columns: Vec<usize> = (0..self.mean.len()).filter(|&c| self.distance(leaf, c) != 0.0).collect();
        columns.sort_by(|&a, &b| self.distance(leaf, b).abs().total_cmp(&self.distance(leaf, a).abs()).then(a.cmp(&b)));
        columns.truncate(most);
        columns
    }
}

/// Weighted sums over rows, with the weight of present values for each column.
struct Sums {
    sum: Vec<f64>,
    present: Vec<f64>,
}

impl Sums {
    fn new(columns: usize) -> Self {
        Sums { sum: vec![0.0; columns], present: vec![0.0; columns] }
    }

    fn add(&mut self, values: &[f32], weight: f64) {
        for ((sum, present), &value) in self.sum.iter_mut().zip(&mut self.present).zip(values) {
            if !value.is_nan() {
                *sum += weight * f64::from(value);
                *present += weight;
            }
        }
    }

    fn add_squares(&mut self, values: &[f32], mean: &[f64], weight: f64) {
        for (((sum, present), &value), &mean) in self.sum.iter_mut().zip(&mut self.present).zip(values).zip(mean) {
            if !value.is_nan() {
                let deviation = f64::from(value) - mean;
                *sum += weight * (deviation * deviation);
                *present += weight;
            }
        }
    }

    fn means(&self) -> Vec<f64> {
        self.sum.iter().zip(&self.present).map(|(&sum, &present)| sum / present).collect()
    }
}

/// The rows of a leaf that lie nearest its mean, nearest first; equal ones in canonical order.
/// `place` is each row's place in it.
pub(super) fn typical(rows: &Rows<'_>, place: &[u32], members: &[u32], mean: &[f64], most: usize) -> Vec<u32> {
    let mut near: Vec<(f64, u32)> = members
        .iter()
        .map(|&row| {
            let deviations = rows.row(row as usize).iter().zip(mean).map(|(&v, &m)| f64::from(v) - m);
            (deviations.filter(|a| a.is_finite()).map(|a| a * a).sum(), row)
        })
        .collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0).then(place[a.1 as usize].cmp(&place[b.1 as usize])));
    near.truncate(most);
    near.into_iter().map(|(_, row)| row).collect()
}

/// At most about `most` rows to explain: one half spread evenly over all rows, the other evenly over the leaves, so
/// that a small cluster is seen too. Taken from the canonical order: the same rows whatever the order of the file.
pub(super) fn sample(order: &Canonical, leaf_of_row: &[i32], leaves: usize, most: usize) -> Vec<u32> {
    fn evenly(rows: &[u32], most: usize) -> impl Iterator<Item = u32> {
        let taken = most.min(rows.len());
        (0..taken).map(move |i| rows[i * rows.len() / taken])
    }
    let mut of_leaf = vec![Vec::new(); leaves];
    for &row in &order.order {
        if let Some(rows) = usize::try_from(leaf_of_row[row as usize]).ok().and_then(|leaf| of_leaf.get_mut(leaf)) {
            rows.push(row);
        }
    }
    let mut rows: Vec<u32> = evenly(&order.order, most.div_ceil(2)).collect();
    let each = (most / 2) / leaves.max(1);
    rows.extend(of_leaf.iter().flat_map(|rows| evenly(rows, each)));
    rows.sort_unstable();
    rows.dedup();
    rows
}

/// The 5th and the 95th hundredth of the values that are finite; the least and the largest where these are the same, for nearly
/// all values are then, and the few others are what there is to see.
pub(super) fn ends(values: &[f64]) -> (f64, f64) {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let at = |part: f64| sorted.get((part * sorted.len().saturating_sub(1) as f64).round() as usize).copied();
    let ends = |a: f64, b: f64| (at(a).unwrap_or(0.0), at(b).unwrap_or(0.0));
    let (low, high) = ends(0.05, 0.95);
    if low == high { ends(0.0, 1.0) } else { (low, high) }
}

/// The places of values between low (0, the 5th hundredth) and high (1, the 95th); NaN stays NaN.
pub(super) fn places(values: &[f64]) -> Vec<f64> {
    let (low, high) = ends(values);
    let span = high - low;
    values
        .iter()
        .map(|&v| match v {
            v if v.is_nan() => f64::NAN,
            v if span > 0.0 => ((v - low) / span).clamp(0.0, 1.0),
            _ => 0.5,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn missing_values_and_constant_columns_do_no_harm() {
        let table = array![[1.0f32, 5.0, f32::NAN], [3.0, 5.0, f32::NAN], [8.0, 5.0, 2.0]];
        let rows = Rows::with_missing(&table).unwrap();
        let found = Statistics::of(&rows, &Canonical::of(&rows), &[1.0; 3], &[0, 0, -1], 1);
        assert_eq!((found.mean[0], found.mean[2], found.leaf_mean[0][0]), (4.0, 2.0, 2.0));
        assert!((found.deviation[0] - (26.0f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(found.distinctive(0, 5), [0]);
        assert_eq!(found.range, (1.0, 8.0));
        let weighted = Statistics::of(&rows, &Canonical::of(&rows), &[0.25, 0.75, 2.0], &[0, 0, -1], 1);
        assert_eq!((weighted.mean[0], weighted.mean[2], weighted.leaf_mean[0][0]), (18.5 / 3.0, 2.0, 2.5));
        assert_eq!(typical(&rows, &[0, 1, 2], &[0, 1, 2], &[2.9, 5.0, 2.0], 2), [1, 0]);
    }

    #[test]
    fn typical_rows_that_tie_do_not_depend_on_the_order_of_rows() {
        // All as far from the mean as each other.
        let table = ndarray::Array2::from_shape_fn((12, 12), |(i, j)| f32::from(u8::from(i == j)));
        let turned = table.slice(ndarray::s![..;-1, ..]).to_owned();
        let choose = |table: &ndarray::Array2<f32>| {
            let rows = Rows::finite(table).unwrap();
            let place = Canonical::of(&rows).group_of_row();
            let found = typical(&rows, &place, &(0..12).collect::<Vec<_>>(), &[0.5; 12], 3);
            table.select(ndarray::Axis(0), &found.iter().map(|&row| row as usize).collect::<Vec<_>>())
        };
        assert_eq!(choose(&table), choose(&turned));
    }

    #[test]
    fn the_sample_sees_every_leaf_and_no_row_order() {
        let table = ndarray::Array2::from_shape_fn((1000, 1), |(i, _)| ((i * 7) % 1000) as f32);
        let labels: Vec<i32> = table.iter().map(|&v| if v < 8.0 { 1 } else { 0 }).collect();
        let rows = Rows::finite(&table).unwrap();
        let taken = sample(&Canonical::of(&rows), &labels, 2, 100);
        assert!((60..=100).contains(&taken.len()));
        assert_eq!(taken.iter().filter(|&&r| labels[r as usize] == 1).count(), 8);
        let turned = table.slice(ndarray::s![..;-1, ..]).to_owned();
        let rows = Rows::finite(&turned).unwrap();
        let again = sample(&Canonical::of(&rows), &labels.iter().rev().copied().collect::<Vec<_>>(), 2, 100);
        let values = |t: &ndarray::Array2<f32>, s: &[u32]| {
            let mut v: Vec<u32> = s.iter().map(|&r| t[[r as usize, 0]] as u32).collect();
            v.sort_unstable();
            v
        };
        assert_eq!(values(&table, &taken), values(&turned, &again));
    }

    #[test]
    fn places_lie_between_low_and_high() {
        assert_eq!(places(&[0.0, 5.0, 10.0]), [0.0, 0.5, 1.0]);
        assert_eq!(places(&[3.0, 3.0]), [0.5, 0.5]);
        assert!(places(&[f64::NAN, 1.0])[0].is_nan());
    }
}
