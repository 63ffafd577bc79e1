//! What a saved surrogate keeps of the rows that it was fitted to.

#[cfg(feature = "serde")]
use crate::core::checks;
use crate::core::{AnyRows, Rows, SparseRows, parallel};

/// Rows whose quantiles are taken.
const SAMPLE: usize = 10_000;
/// Bins of a column that has more different values.
const BINS: usize = 10;
/// Most different values that have a bin each.
const FEW: usize = 20;

/// The fitted rows in brief: how many each class has, and for each feature its range, the bounds of tenths of its values
/// and how many values each has. Some twenty numbers a feature.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct DataProfile {
    /// Rows, those of no class included.
    pub rows: usize,
    /// Rows of each class.
    pub classes: Vec<usize>,
    /// Rows whose values the columns' counts are of: all, or 10,000 by a hash of their content.
    pub sample: usize,
    /// By feature.
    pub columns: Vec<ColumnProfile>,
}

/// A feature of the fitted rows.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ColumnProfile {
    /// Least and greatest value of all rows; both 0 where all are missing.
    pub range: [f32; 2],
    /// Bounds between the bins, ascending: bin b has the values from bound b - 1 (included) to bound b (excluded).
    pub bounds: Vec<f32>,
    /// Values of the sample in each bin, one more than bounds.
    pub counts: Vec<usize>,
    /// Missing values of the sample.
    pub missing: usize,
}

impl ColumnProfile {
    /// Of a sample's values, without missing ones; `range` is that of all rows.
    fn of(mut values: Vec<f32>, missing: usize, range: [f32; 2]) -> Self {
        values.sort_unstable_by(f32::total_cmp);
        let mut bounds: Vec<f32> = values.chunk_by(|a, b| a == b).skip(1).map(|equal| equal[0]).take(FEW).collect();
        if bounds.len() >= FEW {
            let at = |tenth: usize| values[tenth * values.len() / BINS];
            bounds.clear();
            for tenth in 1..BINS {
                // A value that fills a tenth is a bin of its own.
                let after = values.partition_point(|&x| x <= at(tenth));
                bounds.push(at(tenth));
                if at(tenth) == at(tenth - 1) {
                    bounds.extend(values.get(after));
                }
            }
            bounds.sort_unstable_by(f32::total_cmp);
            bounds.dedup();
            bounds.retain(|&bound| bound > values[0]);
        }
        let mut column = ColumnProfile { range, counts: vec![0; bounds.len() + 1], bounds, missing };
        for x in values {
            let bin = column.bin(x);
            column.counts[bin] += 1;
        }
        column
    }

    /// The bin of a value.
    pub(super) fn bin(&self, x: f32) -> usize {
        self.bounds.partition_point(|&bound| bound <= x)
    }

    /// Whether a value is within the range.
    pub(super) fn contains(&self, x: f32) -> bool {
        (self.range[0]..=self.range[1]).contains(&x)
    }
}

impl DataProfile {
    /// Of checked rows and their classes, -1 for none.
    pub(super) fn of(rows: AnyRows<'_>, labels: &[i32], classes: usize) -> Self {
        let mut counts = vec![0; classes];
        for label in labels.iter().filter_map(|&label| usize::try_from(label).ok()) {
            counts[label] += 1;
        }
        // The canonical order is by a hash of the content.
        let order = rows.canonical().order;
        let sample = &order[..order.len().min(SAMPLE)];
        let columns = match rows {
            AnyRows::Dense(rows) => Self::columns(rows, sample),
            AnyRows::Sparse(rows) => Self::sparse_columns(rows, sample),
        };
        DataProfile { rows: rows.len(), classes: counts, sample: sample.len(), columns }
    }

    fn columns(rows: &Rows<'_>, sample: &[u32]) -> Vec<ColumnProfile> {
        let none = || vec![[f32::INFINITY, f32::NEG_INFINITY]; rows.columns()];
        let ranges = parallel::map_ranges(rows.len(), 4096, |range| {
            let mut own = none();
            for i in range {
                for (own, &x) in own.iter_mut().zip(rows.row(i)) {
                    *own = [own[0].min(x), own[1].max(x)];
                }
            }
            own
        });
        let mut all = none();
        for part in ranges {
            all.iter_mut().zip(part).for_each(|(all, own)| *all = [all[0].min(own[0]), all[1].max(own[1])]);
        }
        parallel::map(rows.columns(), |c| {
            let values = sample.iter().map(|&row| rows.row(row as usize)[c]);
            // Zeros are one value, whatever their sign.
            let present: Vec<f32> = values.filter(|x| !x.is_nan()).map(|x| x + 0.0).collect();
            let missing = sample.len() - present.len();
            let range = if all[c][0] <= all[c][1] { all[c].map(|x| x + 0.0) } else { [0.0; 2] };
            ColumnProfile::of(present, missing, range)
        })
    }

    /// The same from entries, a column at a time.
    fn sparse_columns(rows: &SparseRows, sample: &[u32]) -> Vec<ColumnProfile> {
        let mut ranges = vec![([f32::INFINITY, f32::NEG_INFINITY], 0usize); rows.columns()];
        for row in 0..rows.rows() {
            let (indices, values) = rows.row(row);
            for (&column, &x) in indices.iter().zip(values) {
                let (range, entries) = &mut ranges[column as usize];
                (*range, *entries) = ([range[0].min(x), range[1].max(x)], *entries + 1);
            }
        }
        let by_column = rows.by_column(sample);
        parallel::map(rows.columns(), |c| {
            let (range, entries) = ranges[c];
            let range = if entries < rows.rows() { [range[0].min(0.0), range[1].max(0.0)] } else { range };
            let mut values = by_column.column(c).1.to_vec();
            values.resize(sample.len(), 0.0);
            ColumnProfile::of(values, 0, range)
        })
    }

    #[cfg(feature = "serde")]
    pub(super) fn check(&self, classes: usize, features: usize) -> checks::Check {
        checks::count("counts of classes", self.classes.len(), classes)?;
        checks::count("profiles of features", self.columns.len(), features)?;
        let sum = |counts: &[usize]| counts.iter().try_fold(0usize, |sum, &count| sum.checked_add(count));
        let within = |sum: Option<usize>, most| sum.is_some_and(|sum| sum <= most) && most <= u32::MAX as usize;
        checks::that(within(sum(&self.classes), self.rows), || "more rows of classes than rows".into())?;
        for (place, column) in self.columns.iter().enumerate() {
            let bad = |what: &str| Err(format!("profile of feature {place}: {what}"));
            if column.counts.len() != column.bounds.len() + 1 {
                return bad("a count for each bin is needed");
            }
            let all = sum(&column.counts).and_then(|all| all.checked_add(column.missing));
            if all != Some(self.sample) || self.sample > self.rows {
                return bad("its counts are not those of the sample");
            }
            if column.bounds.iter().chain(&column.range).any(|x| !x.is_finite()) || column.range[0] > column.range[1] {
                return bad("its numbers");
            }
            if !column.bounds.windows(2).all(|pair| pair[0] < pair[1]) {
                return bad("bounds that do not rise");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_have_a_bin_each_and_many_are_cut_into_tenths() {
        let of = |values: Vec<f32>| ColumnProfile::of(values, 0, [0.0, 1.0]);
        let column = of(vec![2.0, 0.0, 2.0, 5.0]);
        assert_eq!((column.bounds, column.counts), (vec![2.0, 5.0], vec![1, 2, 1]));
        let column = of((0..1000).map(|i| i as f32).collect());
        assert_eq!((column.bounds[0], column.bounds.len(), column.counts), (100.0, 9, vec![100; 10]));
        // Zeros nine times in ten: they are a bin, and so is what is above.
        let column = of((0..1000).map(|i| if i % 10 == 0 { i as f32 } else { 0.0 }).collect());
        assert_eq!((column.bounds.len(), column.counts[0]), (column.counts.len() - 1, 901));
        assert_eq!(column.counts.iter().sum::<usize>(), 1000);
        let empty = of(Vec::new());
        assert_eq!((empty.bounds.len(), empty.counts), (0, vec![0]));
    }
}
