//! Attributions of more rows than memory holds: sums over blocks, and the few that matter in each row.

use crate::core::shape::{check_count, check_output};
use crate::core::{Canonical, Rows, parallel};
use crate::{Error, Explainer, Explanation, Result, Run};
use ndarray::{Array2, ArrayRef2, Axis};

/// Attributions of a block, in numbers: 16 MB, which caches hold.
const BLOCK: usize = 1 << 21;
/// Features whose sums are one piece of work.
const PIECE: usize = 32;

/// Means of attributions over many rows, each (feature, output), in the unit of the model's outputs.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct AttributionSums {
    /// Rows explained.
    pub rows: usize,
    /// Mean absolute attribution over all rows: importance.
    pub mean_absolute: Array2<f64>,
    /// Mean attribution over all rows.
    pub mean: Array2<f64>,
    /// For each output the rows that have its label.
    pub own_rows: Vec<usize>,
    /// Mean absolute attribution over the output's own rows; 0 where it has none.
    pub own_mean_absolute: Array2<f64>,
    /// Mean attribution over the output's own rows, which says in which direction a feature puts rows into it.
    pub own_mean: Array2<f64>,
}

/// Means of the attributions of `rows` (n x features) by any explainer, block by block: of memory only a block of 16 MB is
/// needed, whatever the number of rows, and a few tables of features x outputs.
///
/// `labels` has one label for each row, -1 for none: for each output, its own rows are those of its number. The same bits
/// with the rows in any order.
///
/// ```
/// use ndarray::array;
/// use recluster::explain::{TreeShap, attribution_sums};
/// use recluster::{Explainer, Run, boost::Boost};
/// let (rows, labels, run) = (array![[0.0f32, 1.0], [0.1, 3.0], [0.9, 2.0], [1.0, 1.5]], [0, 0, 1, 1], Run::new());
/// let model = Boost::new().rounds(20).min_child_weight(0.0).fit(&rows, &labels, &run)?;
/// let shap: Box<dyn Explainer + '_> = Box::new(TreeShap::new(&model));
/// let sums = attribution_sums(&*shap, &rows, &labels, &run)?;
/// assert_eq!((sums.rows, &sums.own_rows[..]), (4, &[2, 2][..]));
/// assert!(sums.own_mean[[0, 0]] > 0.0 && sums.own_mean[[0, 1]] > 0.0);
/// # Ok::<(), recluster::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] when there is not one label for each row; [`Error::Label`] for a label below -1 or of no output;
/// [`Error::NotFinite`] for infinities; [`Error::Empty`]; those of the explainer.
pub fn attribution_sums(
    explainer: &dyn Explainer,
    rows: &ArrayRef2<f32>,
    labels: &[i32],
    run: &Run,
) -> Result<AttributionSums> {
    check_count("labels, one for each row", rows.nrows(), labels.len())?;
    let table = Rows::with_missing(rows)?;
    let mut order: Vec<usize> = Canonical::of(&table).order.iter().map(|&row| row as usize).collect();
    // Rows that are equal but for their labels have the same attributions, so that their order changes no sum over all;
    // those over a label's own rows meet them in the same order as well.
    let first = explainer.explain(&rows.select(Axis(0), &order[..1]), run)?;
    let (_, features, outputs) = first.values().dim();
    if let Some(row) = labels.iter().position(|&label| label < -1 || i64::from(label) >= outputs as i64) {
        let reason = "must be -1 (none) or the number of an output";
        return Err(Error::Label { row, label: labels[row].into(), reason });
    }
    let none = || Array2::<f64>::zeros((features, outputs));
    // Of each feature and output the sum of absolute values, and the sum.
    let mut both = vec![[0.0f64; 2]; features * outputs];
    let mut sums = AttributionSums {
        rows: rows.nrows(),
        mean_absolute: none(),
        mean: none(),
        own_rows: vec![0; outputs],
        own_mean_absolute: none(),
        own_mean: none(),
    };
    let size = (BLOCK / (features * outputs).max(1)).max(1);
    let stage = run.stage("sum attributions", rows.nrows());
    let mut done = 0;
    for places in order.chunks_mut(size) {
        let why = explainer.explain(&rows.select(Axis(0), places), run)?;
        check_count("explained rows of the block", places.len(), why.values().dim().0)?;
        check_count("features of the block", features, why.values().dim().1)?;
        check_count("outputs of the block", outputs, why.values().dim().2)?;
        let values = why.values().as_standard_layout();
        run.install(|| add(&mut both, values.as_slice().unwrap_or_default(), outputs))?;
        for (values, &row) in values.outer_iter().zip(places.iter()) {
            if let Ok(own) = usize::try_from(labels[row]) {
                sums.own_rows[own] += 1;
                let column = values.column(own);
                sums.own_mean_absolute.column_mut(own).zip_mut_with(&column, |sum, value| *sum += value.abs());
                let mut mean = sums.own_mean.column_mut(own);
                mean += &column;
            }
        }
        done += places.len();
        stage.step(done)?;
    }
    let n = rows.nrows() as f64;
    for ((absolute, mean), both) in sums.mean_absolute.iter_mut().zip(&mut sums.mean).zip(both) {
        (*absolute, *mean) = (both[0] / n, both[1] / n);
    }
    for (output, &own) in sums.own_rows.iter().enumerate().filter(|(_, own)| **own > 0) {
        sums.own_mean_absolute.column_mut(output).mapv_inplace(|sum| sum / own as f64);
        sums.own_mean.column_mut(output).mapv_inplace(|sum| sum / own as f64);
    }
    Ok(sums)
}

/// Adds the attributions of a block, rows x features x outputs. Each sum meets the rows in their order.
fn add(sums: &mut [[f64; 2]], values: &[f64], outputs: usize) {
    let (row, piece) = (sums.len().max(1), PIECE * outputs);
    parallel::for_each_chunk(sums, piece, |number, sums| {
        for values in values.chunks_exact(row) {
            for (sum, value) in sums.iter_mut().zip(&values[number * piece..]) {
                sum[0] += value.abs();
                sum[1] += value;
            }
        }
    });
}

/// A feature's part in a row.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct RowFeature {
    /// The feature's number.
    pub feature: usize,
    /// Its attribution to the row's output.
    pub attribution: f64,
}

/// For each explained row the `k` features of the largest absolute attribution to one output, `outputs[row]`, largest first,
/// equal ones by number; features without any attribution are left out. For use within
/// [`Explainer::explain_in_blocks`]. O(rows x features).
///
/// # Errors
/// [`Error::Shape`] when there is not one output for each row; [`Error::Output`] for one that does not exist.
pub fn top_of_rows(why: &Explanation, outputs: &[usize], k: usize) -> Result<Vec<Vec<RowFeature>>> {
    let (n, _, count) = why.values().dim();
    check_count("outputs, one for each explained row", n, outputs.len())?;
    outputs.iter().try_for_each(|&output| check_output(count, output))?;
    let of = |(values, &output): (ndarray::ArrayView2<'_, f64>, &usize)| {
        let column = values.column(output);
        let all = column.iter().enumerate().filter(|(_, value)| **value != 0.0);
        let mut all: Vec<RowFeature> = all.map(|(feature, &attribution)| RowFeature { feature, attribution }).collect();
        let by = |a: &RowFeature, b: &RowFeature| {
            b.attribution.abs().total_cmp(&a.attribution.abs()).then(a.feature.cmp(&b.feature))
        };
        if k > 0 && k < all.len() {
            all.select_nth_unstable_by(k - 1, by);
        }
        all.truncate(k);
        all.sort_unstable_by(by);
        all
    };
    Ok(why.values().outer_iter().zip(outputs).map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boost::Boost;
    use crate::explain::{TreeShap, mean_absolute};

    #[test]
    fn sums_over_blocks_are_those_of_all_attributions() {
        let rows = Array2::from_shape_fn((90, 5), |(i, j)| ((i * 31 + j * 17 + i * i * j) % 23) as f32);
        let labels: Vec<i32> = (0..90).map(|i| (rows[[i, 0]] as i32 + i as i32 % 2) % 4 - 1).collect();
        let run = Run::new();
        let model = Boost::new().rounds(8).max_depth(4).fit(&rows, &labels, &run).unwrap();
        let shap = TreeShap::new(&model);
        let (why, sums) = (shap.explain(&rows, &run).unwrap(), attribution_sums(&shap, &rows, &labels, &run).unwrap());
        assert_eq!(sums.mean_absolute, mean_absolute(&rows, &why).unwrap());
        for output in 0..3 {
            let own: Vec<usize> = (0..90).filter(|&i| labels[i] == output as i32).collect();
            assert_eq!(sums.own_rows[output], own.len());
            for feature in 0..5 {
                let mean = |rows: &[usize], of: fn(f64) -> f64| {
                    rows.iter().map(|&i| of(why.values()[[i, feature, output]])).sum::<f64>() / rows.len() as f64
                };
                let all: Vec<usize> = (0..90).collect();
                for (found, expected) in [
                    (&sums.mean, mean(&all, |x| x)),
                    (&sums.own_mean, mean(&own, |x| x)),
                    (&sums.own_mean_absolute, mean(&own, f64::abs)),
                ] {
                    assert!((found[[feature, output]] - expected).abs() < 1e-12);
                }
            }
        }
        let order: Vec<usize> = (0..90).map(|i| i * 7 % 90).collect();
        let turned: Vec<i32> = order.iter().map(|&i| labels[i]).collect();
        assert_eq!(attribution_sums(&shap, &rows.select(Axis(0), &order), &turned, &run).unwrap(), sums);
        assert!(attribution_sums(&shap, &rows, &[3; 90], &run).is_err());
        assert!(attribution_sums(&shap, &rows, &labels[1..], &run).is_err());
    }

    #[test]
    fn blocks_are_parts_of_the_whole_and_rows_have_their_largest_features() {
        let rows = Array2::from_shape_fn((50, 6), |(i, j)| ((i * 31 + j * 17 + i * i * j) % 23) as f32);
        let labels: Vec<i32> = (0..50).map(|i| rows[[i, 2]] as i32 % 3).collect();
        let run = Run::new();
        let model = Boost::new().rounds(6).max_depth(3).fit(&rows, &labels, &run).unwrap();
        let shap = TreeShap::new(&model);
        let explainer: &dyn Explainer = &shap;
        let why = explainer.explain(&rows, &run).unwrap();
        let outputs: Vec<usize> = labels.iter().map(|&label| label as usize).collect();
        let mut top = Vec::new();
        let mut take = |first: usize, part: &Explanation| {
            top.extend(top_of_rows(part, &outputs[first..first + part.values().dim().0], 2)?);
            Ok(())
        };
        explainer.explain_in_blocks(&rows, 7, &run, &mut take).unwrap();
        assert_eq!(top, top_of_rows(&why, &outputs, 2).unwrap());
        for (i, top) in top.iter().enumerate() {
            let sizes = why.values().index_axis(Axis(0), i).column(outputs[i]).mapv(f64::abs);
            let most = sizes.iter().fold(0.0f64, |most, &x| most.max(x));
            assert_eq!(top.first().map_or(0.0, |first| first.attribution.abs()), most);
            assert!(top.len() <= 2 && top.is_sorted_by(|a, b| a.attribution.abs() >= b.attribution.abs()));
        }
        assert!(top_of_rows(&why, &outputs, 0).unwrap().iter().all(Vec::is_empty));
        assert!(top_of_rows(&why, &[3; 50], 2).is_err());
        assert!(explainer.explain_in_blocks(&rows, 0, &run, &mut |_, _| Ok(())).is_err());
        let stop = |_, _: &Explanation| Err(Error::setting("x", 0, "is the caller's"));
        assert!(explainer.explain_in_blocks(&rows, 9, &run, &mut { stop }).is_err());
    }
}
