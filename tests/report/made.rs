//! Trees whose shape is known beforehand, for tests of the report.
#![allow(dead_code, missing_docs, unreachable_pub)]

use ndarray::{Array1, Array2, Array3, ArrayRef2, s};
use recluster::{Clusterer, Clustering, Embedder, Explanation, Result, Run};

/// A map of the first two columns.
pub struct Lead;
impl Embedder for Lead {
    fn embed(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Array2<f32>> {
        let mut map = Array2::zeros((rows.nrows(), 2));
        let columns = rows.ncols().min(2);
        map.slice_mut(s![.., ..columns]).assign(&rows.slice(s![.., ..columns]));
        Ok(map)
    }
}

/// Equal slices of the first column's range; at most as many as there are rows.
pub struct Grid {
    pub width: u64,
}
impl Clusterer for Grid {
    fn cluster(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Clustering> {
        let column = rows.column(0);
        let (low, high) = column.iter().fold((f32::MAX, f32::MIN), |(l, h), &x| (l.min(x), h.max(x)));
        let place = |x: f32| {
            ((f64::from(x - low) / f64::from(high - low) * self.width as f64) as i32).min(self.width as i32 - 1)
        };
        Clustering::compact(column.iter().map(|&x| if high > low { place(x) } else { 0 }).collect())
    }
}

/// Puts no row into a cluster.
pub struct Nothing;
impl Clusterer for Nothing {
    fn cluster(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Clustering> {
        Clustering::compact(vec![-1; rows.nrows()])
    }
}

/// A table whose first column goes evenly through 0 to 1, the others a mixture of waves of it and of what is like chance.
pub fn table(rows: usize, columns: usize) -> Array2<f32> {
    Array2::from_shape_fn((rows, columns), |(i, j)| match j {
        0 => i as f32 / rows as f32,
        _ => {
            let chance = ((i * 2_654_435_761 + j * 40_503) % 65_521) as f32 / 65_521.0;
            (i as f32 / rows as f32 * (j % 9 + 1) as f32 * 6.3).sin() + chance
        }
    })
}

/// Attributions that follow the values.
pub fn why(data: &Array2<f32>, rows: &[u32], leaves: usize) -> Explanation {
    let values = Array3::from_shape_fn((rows.len(), data.ncols(), leaves), |(i, j, k)| {
        let value = f64::from(data[[rows[i] as usize, j]]);
        if value.is_finite() { value * ((k * 7 + j * 3) % 11) as f64 / (j + 1) as f64 } else { 0.0 }
    });
    Explanation::new(values, Array1::zeros(leaves)).unwrap()
}
