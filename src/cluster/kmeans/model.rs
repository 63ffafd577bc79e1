//! What k-means found.

use super::centers::{Centers, Drift, panels_of};
use super::nearest::Block;
use super::points::largest;
#[cfg(feature = "serde")]
use crate::core::checks;
use crate::core::{Error, Result, Rows, parallel};
use ndarray::{Array2, ArrayRef2};

/// What [`KMeans`](super::KMeans) found. Plain data.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct KMeansModel {
    pub(super) centers: Array2<f64>,
    pub(super) labels: Vec<i32>,
    pub(super) inertia: f64,
    pub(super) rounds: usize,
    pub(super) converged: bool,
}

#[cfg(feature = "serde")]
impl crate::core::Saved for KMeansModel {
    const FORMAT: &'static str = "recluster k-means";
    const VERSION: u64 = 1;

    fn validate(&self) -> checks::Check {
        let (clusters, columns) = self.centers.dim();
        checks::that(clusters > 0 && columns > 0, || format!("{clusters} centres of {columns} columns"))?;
        checks::narrow("centres", &self.centers)?;
        checks::labels(&self.labels, clusters, 0)?;
        checks::that(self.inertia >= 0.0 && self.inertia.is_finite(), || format!("inertia {}", self.inertia))
    }
}

impl KMeansModel {
    /// Centres, clusters x columns.
    pub fn centers(&self) -> &Array2<f64> {
        &self.centers
    }

    /// Each row's cluster, from 0; every cluster has a row.
    pub fn labels(&self) -> &[i32] {
        &self.labels
    }

    /// Sum of the rows' squared distances to their centres.
    pub fn inertia(&self) -> f64 {
        self.inertia
    }

    /// Rounds of the start that was kept; with mini-batches, batches.
    pub fn rounds(&self) -> usize {
        self.rounds
    }

    /// Whether that start came to rest within its rounds.
    pub fn converged(&self) -> bool {
        self.converged
    }

    /// The nearest centre of each of `rows` (n x columns, finite), the first of several.
    ///
    /// # Errors
    /// [`Error::Empty`] and [`Error::NotFinite`] for the data; [`Error::Shape`] when the columns are not the fit's.
    pub fn predict(&self, rows: &ArrayRef2<f32>) -> Result<Vec<i32>> {
        let rows = Rows::finite(rows)?;
        let columns = self.centers.ncols();
        if rows.columns() != columns {
            return Err(Error::Shape { what: "columns", expected: columns, found: rows.columns() });
        }
        let exact: Vec<f64> = self.centers.iter().copied().collect();
        let slots = panels_of(&exact, columns);
        let centers = Centers::new(exact, columns, slots, largest(rows.data()));
        let drift = Drift::none(&centers);
        let labels = parallel::map_ranges(rows.len(), 512, |range| {
            let mut block = Block::new(range.start, range.len(), &centers);
            centers.update(rows.data(), &mut block, &drift);
            block.label.into_iter().map(|label| label as i32).collect::<Vec<_>>()
        });
        Ok(labels.concat())
    }
}
