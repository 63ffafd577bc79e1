//! One row's explanation: why it is in one cluster and not in another.

use super::{check_pair, features_of};
use crate::explain::Surrogate;
use crate::{Result, Run};
use ndarray::ArrayRef2;
use std::fmt;

/// Reasons that are put into words, for and against.
const SAID: (usize, usize) = (3, 2);

/// What one column adds to the difference of two clusters' margins.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Reason {
    /// Number of the column.
    pub feature: usize,
    /// The column and the row's value in words: "contract is two years".
    pub words: String,
    /// Its attribution to the margin of the first cluster less that to the margin of the second, in log-odds: above 0 it
    /// speaks for the first.
    pub push: f64,
}

/// Why a row is in one cluster and not in another: the exact attributions of the difference of the two margins.
/// `base` and all pushes add up to `margin`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Why {
    /// Name of the first cluster.
    pub here: String,
    /// Name of the second.
    pub there: String,
    /// Margin of the first less that of the second, in log-odds: below 0 the model puts the row into the second.
    pub margin: f64,
    /// The same of nothing in particular, as far as the trees know.
    pub base: f64,
    /// The columns with a part in it, the largest first, equal ones by number.
    pub reasons: Vec<Reason>,
}

impl Why {
    /// For each of `rows` (n x features), of the classes `here` and `there` of a surrogate.
    ///
    /// # Errors
    /// Those of [`Differences::why`](super::Differences::why).
    pub fn of(surrogate: &Surrogate, rows: &ArrayRef2<f32>, here: usize, there: usize, run: &Run) -> Result<Vec<Self>> {
        check_pair(surrogate, here, there)?;
        let explained = surrogate.shap()?.explain_outputs(rows, &[here, there], run)?;
        let (features, names) = (features_of(surrogate), surrogate.classes());
        let base = explained.base()[0] - explained.base()[1];
        let of = |(row, own): (ndarray::ArrayView1<'_, f32>, ndarray::ArrayView2<'_, f64>)| {
            let mut reasons: Vec<Reason> = (0..features.len())
                .map(|c| {
                    let words = format!("{} is {}", features[c].name(), features[c].words(row[c].into()));
                    Reason { feature: c, words, push: own[[c, 0]] - own[[c, 1]] }
                })
                .filter(|reason| reason.push != 0.0)
                .collect();
            let margin = base + reasons.iter().map(|reason| reason.push).sum::<f64>();
            reasons.sort_by(|a, b| b.push.abs().total_cmp(&a.push.abs()).then(a.feature.cmp(&b.feature)));
            Why { here: names[here].clone(), there: names[there].clone(), margin, base, reasons }
        };
        Ok(rows.outer_iter().zip(explained.values().outer_iter()).map(of).collect())
    }
}

impl fmt::Display for Why {
    /// "why 0.1 and not 0.0: contract is two years (+1.20), tenure is 41 (+0.80); against it: visits is 3 (-0.30)".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |speaks: fn(f64) -> bool, most: usize| {
            let some = self.reasons.iter().filter(|reason| speaks(reason.push)).take(most);
            some.map(|reason| format!("{} ({:+.2})", reason.words, reason.push)).collect::<Vec<_>>().join(", ")
        };
        let (pro, con) = (listed(|push| push > 0.0, SAID.0), listed(|push| push < 0.0, SAID.1));
        write!(f, "why {} and not {}: {}", self.here, self.there, if pro.is_empty() { "nothing" } else { &pro })?;
        if con.is_empty() { Ok(()) } else { write!(f, "; against it: {con}") }
    }
}
