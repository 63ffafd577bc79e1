//! Dependence of attributions on a feature's value, and attributions as a table to be clustered.

use super::moments::Moments;
use crate::core::shape::check_output;
use crate::{Error, Explanation, Result};
use ndarray::{Array2, ArrayRef2, Axis};

/// Bins of a feature's values, within which its attributions are regressed on other features.
const BINS: usize = 20;

/// One feature's values and its attributions to one output, row by row: the data of a dependence plot.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Dependence {
    /// The feature's value in each row; NaN where it is missing.
    pub values: Vec<f32>,
    /// Its attribution in each row.
    pub attributions: Vec<f64>,
    /// The feature to colour a dependence plot by: the one whose values explain most of the attributions' variance that the
    /// feature's own value leaves unexplained. None where no feature explains any.
    pub partner: Option<usize>,
    /// Share of that variance which the partner explains, 0 to 1; 0 without a partner. With few rows much of it is chance.
    pub strength: f64,
}

/// The dependence of the attributions of `feature` to `output` on its value.
///
/// `rows` are the explained rows (n x features, NaN for missing). The partner is found without interaction values: rows
/// are cut by the feature's value into about 20 bins of equal size (equal values together, missing ones in a bin of their
/// own), and the variance that a linear regression on another feature explains within the bins is summed.
/// [`Interactions::top_pairs`](super::Interactions::top_pairs) is exact. O(n x features); the same for any order of
/// the rows.
///
/// # Errors
/// [`Error::Shape`] when rows or feature do not fit the explanation; [`Error::Output`]; [`Error::Empty`]; [`Error::NotFinite`] for
/// infinities.
pub fn dependence(rows: &ArrayRef2<f32>, why: &Explanation, output: usize, feature: usize) -> Result<Dependence> {
    let order = super::summary::fitting(rows, why)?;
    let (_, features, outputs) = why.values().dim();
    check_output(outputs, output)?;
    if feature >= features {
        let what = "feature below the number of features";
        return Err(Error::Shape { what, expected: features, found: feature });
    }
    let values = rows.column(feature).to_vec();
    let attributions = why.values().slice(ndarray::s![.., feature, output]).to_vec();
    let mut sorted = order;
    // Stable, so that equal values stay in the order of their rows' contents; missing ones come last.
    let key = |row: u32| if values[row as usize].is_nan() { f32::INFINITY } else { values[row as usize] + 0.0 };
    sorted.sort_by(|&a, &b| key(a).total_cmp(&key(b)));
    let size = sorted.len().div_ceil(BINS).max(3);
    let (mut explained, mut rest, mut bin) = (vec![0.0; features], 0.0, Vec::new());
    for (i, &row) in sorted.iter().enumerate() {
        bin.push(row as usize);
        let next = sorted.get(i + 1).map(|&next| key(next));
        let breaks = next.is_some_and(|next| next != key(row) && (bin.len() >= size || next == f32::INFINITY));
        if !breaks && next.is_some() {
            continue;
        }
        let mean = bin.iter().map(|&row| attributions[row]).sum::<f64>() / bin.len() as f64;
        rest += bin.iter().map(|&row| (attributions[row] - mean) * (attributions[row] - mean)).sum::<f64>();
        for other in (0..features).filter(|&other| other != feature) {
            explained[other] += Moments::of(bin.iter().map(|&row| (rows[[row, other]], attributions[row]))).explained();
        }
        bin.clear();
    }
    let best = (0..features).fold(None, |best: Option<usize>, f| {
        let most = best.map_or(0.0, |best| explained[best]);
        if explained[f] > most { Some(f) } else { best }
    });
    // Rounding errors explain nothing.
    let scale: f64 = attributions.iter().map(|a| a * a).sum();
    let partner = best.filter(|&best| explained[best] > 1e-20 * scale && rest > 1e-20 * scale);
    let strength = partner.map_or(0.0, |partner| (explained[partner] / rest).min(1.0));
    Ok(Dependence { values, attributions, partner, strength })
}

/// Attributions as a table that can be embedded and clustered: rows x features of one output, or, with None, rows x
/// (outputs x features), the features of the first output first. All columns are in the unit of the margins, so they need
/// no scaling, and features that the model does not use are 0. In f32, as embedders and clusterers require.
///
/// # Errors
/// [`Error::Output`] when there is no such output.
pub fn attribution_matrix(why: &Explanation, output: Option<usize>) -> Result<Array2<f32>> {
    let (rows, features, outputs) = why.values().dim();
    let narrow = |value: f64| value.clamp(f32::MIN.into(), f32::MAX.into()) as f32;
    match output {
        Some(output) => {
            check_output(outputs, output)?;
            Ok(why.values().index_axis(Axis(2), output).mapv(narrow))
        }
        None => Ok(Array2::from_shape_fn((rows, outputs * features), |(i, c)| {
            narrow(why.values()[[i, c % features, c / features]])
        })),
    }
}
