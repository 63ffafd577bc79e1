//! Columns as the search reads them: small numbers, between cuts at quantiles, or of levels.

use crate::table::{Feature, FeatureKind};
use ndarray::{Array2, ArrayView1};
use std::sync::OnceLock;

/// A column's codes over the training rows.
pub(super) struct Column {
    /// One for each row: 0 to `values` - 1; `values` for a missing answer, `values` + 1 for a number that is no level.
    pub(super) codes: Vec<u16>,
    pub(super) values: usize,
    /// What code 1 and those after it begin at, ascending; none of levels.
    pub(super) cuts: Vec<f64>,
    pub(super) levels: bool,
}

/// All columns, each made when it is first asked for.
pub(super) struct Codes<'a> {
    training: &'a Array2<f32>,
    features: &'a [Feature],
    quantiles: usize,
    columns: Vec<OnceLock<Column>>,
}

impl<'a> Codes<'a> {
    pub(super) fn new(training: &'a Array2<f32>, features: &'a [Feature], quantiles: usize) -> Self {
        Codes { training, features, quantiles, columns: features.iter().map(|_| OnceLock::new()).collect() }
    }

    pub(super) fn column(&self, column: u32) -> &Column {
        let c = column as usize;
        self.columns[c].get_or_init(|| {
            let values = self.training.column(c);
            match self.features[c].kind() {
                FeatureKind::Category | FeatureKind::Flag => of_levels(values, self.features[c].levels().len()),
                _ => of_numbers(values, self.quantiles),
            }
        })
    }
}

fn of_levels(values: ArrayView1<'_, f32>, levels: usize) -> Column {
    let code = |&value: &f32| match value {
        v if v.is_nan() => levels,
        v if v >= 0.0 && (v as usize) < levels => v as usize,
        _ => levels + 1,
    };
    Column { codes: values.iter().map(|v| code(v) as u16).collect(), values: levels, cuts: Vec::new(), levels: true }
}

fn of_numbers(values: ArrayView1<'_, f32>, quantiles: usize) -> Column {
    let mut sorted: Vec<f32> = values.iter().filter(|v| !v.is_nan()).map(|&v| v + 0.0).collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let cuts = cuts(&sorted, quantiles);
    let code = |&value: &f32| match value.is_nan() {
        true => cuts.len() + 1,
        false => cuts.partition_point(|&cut| cut <= f64::from(value)),
    };
    let codes = values.iter().map(|v| code(v) as u16).collect();
    Column { codes, values: cuts.len() + 1, cuts, levels: false }
}

/// Where the codes of sorted values begin: at each distinct value where there are few, else at quantiles. Each is the
/// shortest number that parts the values in the same way.
fn cuts(sorted: &[f32], quantiles: usize) -> Vec<f64> {
    // Places at which a new value begins, the first one apart.
    let starts: Vec<usize> = (1..sorted.len()).filter(|&i| sorted[i] != sorted[i - 1]).collect();
    let begins = |value: f32| sorted.partition_point(|&v| v < value);
    let mut places = match starts.len() < 2 * quantiles {
        true => starts,
        false => {
            let ends: Vec<usize> = starts.iter().copied().chain([sorted.len()]).collect();
            let runs = [0].iter().chain(&starts).zip(&ends).map(|(&start, &end)| (end - start, start, end));
            let (most, start, end) =
                runs.max_by_key(|&(most, start, _)| (most, usize::MAX - start)).unwrap_or((0, 0, 0));
            let common = 2 * most > sorted.len();
            let of: Vec<f32> = match common {
                true => sorted[..start].iter().chain(&sorted[end..]).copied().collect(),
                false => sorted.to_vec(),
            };
            // In half parts: from one half to all but one half of the parts.
            let parts = (2..2 * quantiles).step_by(2).chain([1, 2 * quantiles - 1]);
            let mut places: Vec<usize> = parts.map(|half| begins(of[half * of.len() / (2 * quantiles)])).collect();
            if common {
                places.extend([start, end]);
            }
            places
        }
    };
    places.sort_unstable();
    places.dedup();
    places.retain(|&place| place > 0 && place < sorted.len());
    places.into_iter().map(|place| shortest(sorted[place - 1].into(), sorted[place].into())).collect()
}

/// The number of fewest digits above `low` and at most `high`.
fn shortest(low: f64, high: f64) -> f64 {
    let between = |number: &f64| *number > low && *number <= high;
    let middle = low / 2.0 + high / 2.0;
    let with = |digits: usize| {
        let rounded = [high, middle].map(|number| format!("{number:.digits$e}").parse().unwrap_or(number));
        rounded.into_iter().find(between)
    };
    (0..9).find_map(with).unwrap_or(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_are_short_and_part_values_where_quantiles_do() {
        assert_eq!(
            [(2.0, 3.0), (39.9, 41.37), (0.8101, 0.8123), (-3.0, 0.0), (-7.0, -6.5)].map(|(a, b)| shortest(a, b)),
            [3.0, 40.0, 0.812, 0.0, -6.5]
        );
        let few: Vec<f32> = [1.0, 1.0, 2.0, 5.0, 5.0].to_vec();
        assert_eq!(cuts(&few, 10), [2.0, 5.0]);
        let many: Vec<f32> = (0..1000).map(|i| i as f32).collect();
        assert_eq!(cuts(&many, 10), [50.0, 100.0, 200.0, 300.0, 400.0, 500.0, 600.0, 700.0, 800.0, 900.0, 950.0]);
        // Nine in ten are 0: the others have deciles of their own.
        let mut sparse = vec![0.0f32; 900];
        sparse.extend((0..100).map(|i| (i + 10) as f32));
        let found = cuts(&sparse, 10);
        assert_eq!((found[0], found[1], found.len()), (10.0, 15.0, 12));
        assert!(cuts(&[], 10).is_empty() && cuts(&[3.0; 9], 10).is_empty());
    }

    #[test]
    fn missing_answers_and_strange_levels_have_codes_of_their_own() {
        let column = ndarray::array![0.0f32, 2.0, f32::NAN, 3.0, -1.0];
        assert_eq!(of_levels(column.view(), 3).codes, [0, 2, 3, 4, 4]);
        let column = of_numbers(column.view(), 10);
        assert_eq!((column.cuts.as_slice(), column.codes.as_slice()), (&[0.0, 2.0, 3.0][..], &[1u16, 2, 4, 3, 0][..]));
    }
}
