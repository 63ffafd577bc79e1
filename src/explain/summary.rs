//! Summaries of an explanation: the most important features of an output, and their direction.

use super::moments::Moments;
use crate::core::shape::{check_count, check_output};
use crate::core::{Canonical, Rows};
use crate::{Explanation, Result};
use ndarray::{Array2, ArrayRef2};

/// The effect of one feature on one output, over some rows.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct FeatureEffect {
    /// The feature's number.
    pub feature: usize,
    /// Mean absolute attribution, in the unit of the output's margin.
    pub mean_absolute: f64,
    /// Pearson correlation, -1 to 1, of the feature's values with its attributions over the rows where it is not missing:
    /// above 0, high values increase the output; below 0, low values do. 0 where either does not vary.
    pub direction: f64,
}

/// The `k` features of the highest mean absolute attribution to one output, highest first, equal ones by number. Features
/// without any attribution are left out, so there may be fewer.
///
/// `rows` are the explained rows (n x features), NaN for missing values. O(n x features).
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) when rows or features do not fit the explanation; [`Error::Output`](crate::Error::Output);
/// [`Error::Empty`](crate::Error::Empty); [`Error::NotFinite`](crate::Error::NotFinite) for infinities.
pub fn top_features(rows: &ArrayRef2<f32>, why: &Explanation, output: usize, k: usize) -> Result<Vec<FeatureEffect>> {
    let places = fitting(rows, why)?;
    let (n, features, outputs) = why.values().dim();
    check_output(outputs, output)?;
    let values = why.values().index_axis(ndarray::Axis(2), output);
    let mut sums = vec![0.0; features];
    for &row in &places {
        for (sum, value) in sums.iter_mut().zip(values.row(row as usize)) {
            *sum += value.abs();
        }
    }
    let mut order: Vec<usize> = (0..features).filter(|&f| sums[f] > 0.0).collect();
    order.sort_by(|&a, &b| sums[b].total_cmp(&sums[a]).then(a.cmp(&b)));
    order.truncate(k);
    let effect = |feature: usize| FeatureEffect {
        feature,
        mean_absolute: sums[feature] / n as f64,
        direction: Moments::of(
            places.iter().map(|&row| (rows[[row as usize, feature]], values[[row as usize, feature]])),
        )
        .correlation(),
    };
    Ok(order.into_iter().map(effect).collect())
}

/// Mean absolute attribution, (feature, output): the importance of each feature for each output over the explained
/// `rows`, in the unit of the margins. [`TreeShap::mean_absolute`](super::TreeShap::mean_absolute) gives it without
/// holding the attributions of all rows. The same bits with rows in any order. O(n x features x outputs).
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) when the rows do not fit the explanation;
/// [`Error::Empty`](crate::Error::Empty); [`Error::NotFinite`](crate::Error::NotFinite) for infinities.
pub fn mean_absolute(rows: &ArrayRef2<f32>, why: &Explanation) -> Result<Array2<f64>> {
    let places = fitting(rows, why)?;
    let (n, features, outputs) = why.values().dim();
    let mut sums = Array2::zeros((features, outputs));
    for &row in &places {
        let row = why.values().index_axis(ndarray::Axis(0), row as usize);
        sums.zip_mut_with(&row, |sum: &mut f64, value| *sum += value.abs());
    }
    Ok(sums / n as f64)
}

/// Checks that rows are those of an explanation; returns their order by content, in which sums are the same bits for any
/// order of the rows.
pub(super) fn fitting(rows: &ArrayRef2<f32>, why: &Explanation) -> Result<Vec<u32>> {
    let (n, features, _) = why.values().dim();
    check_count("rows, as many as were explained", n, rows.nrows())?;
    check_count("columns, as many as were explained", features, rows.ncols())?;
    Ok(Canonical::of(&Rows::with_missing(rows)?).order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, array};

    #[test]
    fn features_come_by_size_with_their_direction() {
        let rows = array![[0.0f32, 1.0, 5.0], [1.0, 2.0, f32::NAN], [2.0, 3.0, 5.0]];
        // One output: the first feature pushes up, the second down and harder, the third not at all.
        let values = array![[[-1.0], [3.0], [0.0]], [[0.0], [0.0], [0.0]], [[1.0], [-3.0], [0.0]]];
        let why = Explanation::new(values, Array1::zeros(1)).unwrap();
        let top = top_features(&rows, &why, 0, 5).unwrap();
        assert_eq!(top.iter().map(|e| e.feature).collect::<Vec<_>>(), [1, 0]);
        assert_eq!((top[0].mean_absolute, top[1].mean_absolute), (2.0, 2.0 / 3.0));
        assert!((top[0].direction + 1.0).abs() < 1e-12 && (top[1].direction - 1.0).abs() < 1e-12);
        assert_eq!(top_features(&rows, &why, 0, 1).unwrap().len(), 1);
        assert_eq!(mean_absolute(&rows, &why).unwrap(), array![[2.0 / 3.0], [2.0], [0.0]]);
        assert!(mean_absolute(&array![[0.0f32]], &why).is_err());
        assert!(top_features(&rows, &why, 1, 1).is_err());
        assert!(top_features(&array![[0.0f32]], &why, 0, 1).is_err());
    }
}
