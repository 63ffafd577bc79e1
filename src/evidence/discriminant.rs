//! Few columns in which two groups differ most: where noise of many columns hides a boundary from neighbours.

use crate::core::linalg;
use ndarray::{Array2, ArrayRef2};

/// Principal components beside the discriminant.
const COMPONENTS: usize = 4;

/// The rows `wanted` of a table (n x d) in the discriminant of two groups and the first principal components of both together, each in
/// units of the spread within the groups: wanted x (1 + 4), or fewer components where there are fewer columns. Learnt on the
/// numbered rows of the groups alone; none where these are too few or do not differ.
///
/// The discriminant is Fisher's, w = Σ⁻¹ (μ₁ − μ₂), with the covariance within the groups shrunk towards a multiple of the
/// identity (Ledoit and Wolf 2004).
pub(super) fn project(rows: &ArrayRef2<f32>, first: &[u32], second: &[u32], wanted: &[u32]) -> Option<Array2<f32>> {
    let d = rows.ncols();
    if first.len() < 2 || second.len() < 2 {
        return None;
    }
    let (mean_1, mean_2) = (mean(rows, first), mean(rows, second));
    let within = Spread::of(rows, &[(first, &mean_1), (second, &mean_2)]);
    let eigen = linalg::symmetric(&within.shrunk(), d)?;
    let difference: Vec<f64> = mean_1.iter().zip(&mean_2).map(|(a, b)| a - b).collect();
    let mut discriminant = vec![0.0; d];
    for (vector, &value) in eigen.vectors.chunks(d).zip(&eigen.values).filter(|(_, value)| **value > 0.0) {
        let share = dot(vector, &difference) / value;
        discriminant.iter_mut().zip(vector).for_each(|(w, v)| *w += share * v);
    }
    let length = dot(&discriminant, &discriminant).sqrt();
    if !(length > 0.0 && length.is_finite()) {
        return None;
    }
    discriminant.iter_mut().for_each(|w| *w /= length);
    let both: Vec<u32> = first.iter().chain(second).copied().collect();
    let all = Spread::of(rows, &[(&both, &mean(rows, &both))]);
    let components = linalg::largest(&all.covariance, d, COMPONENTS.min(d))?.vectors;
    let directions = std::iter::once(discriminant.as_slice()).chain(components.chunks(d));
    let scaled: Vec<Vec<f64>> = directions
        .filter_map(|direction| {
            let spread = within.along(direction).sqrt();
            (spread > 0.0).then(|| direction.iter().map(|w| w / spread).collect())
        })
        .collect();
    let along = |i: usize, w: &[f64]| {
        rows.row(wanted[i] as usize).iter().zip(w).map(|(&x, w)| f64::from(x) * w).sum::<f64>() as f32
    };
    let table = Array2::from_shape_fn((wanted.len(), scaled.len()), |(i, c)| along(i, &scaled[c]));
    (!scaled.is_empty() && table.iter().all(|x| x.is_finite())).then_some(table)
}

fn mean(rows: &ArrayRef2<f32>, part: &[u32]) -> Vec<f64> {
    let mut mean = vec![0.0; rows.ncols()];
    for &row in part {
        mean.iter_mut().zip(rows.row(row as usize)).for_each(|(sum, &x)| *sum += f64::from(x));
    }
    mean.iter_mut().for_each(|sum| *sum /= part.len() as f64);
    mean
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// The covariance of rows around the means of their groups.
struct Spread {
    covariance: Vec<f64>,
    d: usize,
    n: f64,
    /// Σ |x|⁴ of the centred rows.
    fourth: f64,
}

impl Spread {
    fn of(rows: &ArrayRef2<f32>, groups: &[(&[u32], &Vec<f64>)]) -> Self {
        let d = rows.ncols();
        let mut spread = Spread { covariance: vec![0.0; d * d], d, n: 0.0, fourth: 0.0 };
        for (part, mean) in groups {
            for &row in *part {
                let centred: Vec<f64> =
                    rows.row(row as usize).iter().zip(*mean).map(|(&x, m)| f64::from(x) - m).collect();
                for (i, x) in centred.iter().enumerate() {
                    let line = &mut spread.covariance[i * d..(i + 1) * d];
                    line.iter_mut().zip(&centred).for_each(|(sum, y)| *sum += x * y);
                }
                spread.fourth += dot(&centred, &centred).powi(2);
            }
            spread.n += part.len() as f64;
        }
        spread.covariance.iter_mut().for_each(|sum| *sum /= spread.n);
        spread
    }

    /// (1 − δ) S + δ m I, with m the mean variance and δ the share of |S − m I|² that is the error of S.
    fn shrunk(&self) -> Vec<f64> {
        let d = self.d;
        let mean = (0..d).map(|i| self.covariance[i * d + i]).sum::<f64>() / d as f64;
        let squares = dot(&self.covariance, &self.covariance);
        let distance = squares - d as f64 * mean * mean;
        let error = (self.fourth / self.n - squares).max(0.0) / self.n;
        let delta = if distance > 0.0 { (error / distance).min(1.0) } else { 1.0 };
        let mut shrunk: Vec<f64> = self.covariance.iter().map(|x| (1.0 - delta) * x).collect();
        (0..d).for_each(|i| shrunk[i * d + i] += delta * mean);
        shrunk
    }

    /// The variance along a direction.
    fn along(&self, direction: &[f64]) -> f64 {
        self.covariance.chunks(self.d).zip(direction).map(|(line, w)| w * dot(line, direction)).sum()
    }
}
