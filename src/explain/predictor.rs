//! A surrogate in service: made ready once, then asked row by row or block by block.

use super::abstain::Abstain;
use super::surrogate::{Decision, Surrogate};
use crate::boost::Forest;
use crate::core::shape::check_count;
use crate::table::Table;
use crate::{Error, Result, Run};
use ndarray::ArrayRef2;
use std::sync::Arc;

/// Classes whose margins stand on the stack.
const FEW: usize = 64;

/// A [`Surrogate`] with all that prediction needs prepared, and with a threshold of sureness.
///
/// It can be shared between threads. A row gets the same bits alone, in a block, and from [`Surrogate::decide`].
///
/// ```
/// use ndarray::Array2;
/// use recluster::{Run, boost::Boost, explain::{Abstain, Predictor, Surrogate}};
/// let rows = Array2::from_shape_fn((400, 4), |(i, j)| (i % 2 * 50) as f32 + ((i * 7 + j * 11) % 13) as f32);
/// let labels: Vec<i32> = (0..400).map(|i| i % 2).collect();
/// let run = Run::new();
/// let surrogate = Surrogate::fit(&rows, &labels, vec!["0.0".into(), "0.1".into()], &Boost::new().rounds(20), &run)?;
/// let predictor = Predictor::new(surrogate, Abstain::Share(0.01))?;
/// let all = predictor.decide(&rows, &run)?;
/// assert_eq!(predictor.decide_row(&[3.0, 5.0, 2.0, 8.0])?.best.path, "0.0");
/// assert_eq!(predictor.decide_row(rows.row(7).as_slice().unwrap())?, all[7]);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone)]
pub struct Predictor {
    surrogate: Arc<Surrogate>,
    forest: Arc<Forest>,
    /// The guard's.
    guard: Option<Arc<Forest>>,
    threshold: f64,
}

impl Predictor {
    /// Reads all trees: O(nodes). Memory: 28 bytes a node, beside the surrogate.
    ///
    /// # Errors
    /// Those of [`Selectivity::threshold`](super::Selectivity::threshold).
    pub fn new(surrogate: impl Into<Arc<Surrogate>>, abstain: Abstain) -> Result<Self> {
        let surrogate = surrogate.into();
        let threshold = surrogate.threshold(abstain)?;
        let guard = surrogate.guard().map(|guard| guard.model().forest()).transpose()?;
        Ok(Predictor { forest: surrogate.model().forest()?, guard, surrogate, threshold })
    }

    /// The surrogate.
    pub fn surrogate(&self) -> &Surrogate {
        &self.surrogate
    }

    /// The sureness below which rows are turned away.
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// Decides one row, on the calling thread; NaN is a missing value. O(trees x depth), without an allocation for up to 64
    /// classes.
    ///
    /// # Errors
    /// [`Error::Shape`] when the row's values are not the model's features; [`Error::NotFinite`] for an infinity.
    pub fn decide_row(&self, row: &[f32]) -> Result<Decision<'_>> {
        let model = self.surrogate.model();
        check_count("values of the row, as many as the model's features", model.features(), row.len())?;
        if let Some(column) = row.iter().position(|value| value.is_infinite()) {
            return Err(Error::NotFinite { what: "the data", row: 0, column, value: row[column] });
        }
        let classes = model.outputs().len();
        let (mut few, mut many) = ([0.0; 2 * FEW], Vec::new());
        let margins = match few.get_mut(..2 * classes) {
            Some(margins) => margins,
            None => {
                many.resize(2 * classes, 0.0);
                &mut many[..]
            }
        };
        let (margins, guards) = margins.split_at_mut(classes);
        model.margins_of_row(&self.forest, row, margins);
        let mut families = 0;
        if let (Some(guard), Some(forest)) = (self.surrogate.guard(), &self.guard) {
            families = guard.model().outputs().len();
            guard.model().margins_of_row(forest, row, &mut guards[..families]);
        }
        Ok(self.surrogate.decided(margins, &guards[..families], self.threshold))
    }

    /// Decides a block of rows, on the run's threads.
    ///
    /// # Errors
    /// Those of [`Surrogate::probabilities`].
    pub fn decide(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Vec<Decision<'_>>> {
        self.surrogate.decide(rows, Abstain::Below(self.threshold), run)
    }

    /// Decides the rows of a table, by the surrogate's schema.
    ///
    /// # Errors
    /// Those of [`Surrogate::assign_table`].
    pub fn decide_table(&self, table: &Table, run: &Run) -> Result<Vec<Decision<'_>>> {
        self.surrogate.decide_table(table, Abstain::Below(self.threshold), run)
    }
}

impl std::fmt::Debug for Predictor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let classes = self.surrogate.classes().len();
        f.debug_struct("Predictor").field("classes", &classes).field("threshold", &self.threshold).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boost::Boost;
    use ndarray::{Array2, s};

    #[test]
    fn a_row_gets_the_same_bits_alone_and_in_any_block() {
        fn shared<T: Send + Sync>(_: &T) {}
        let run = Run::new();
        let rows = Array2::from_shape_fn((300, 9), |(i, j)| match (i * 31 + j * 17) % 29 {
            0 => f32::NAN,
            _ => (i % 5 * 3) as f32 + ((i * 7 + j * j * 5 + i * j) % 11) as f32,
        });
        let labels: Vec<i32> = (0..300).map(|i| if i % 17 == 0 { -1 } else { i % 5 }).collect();
        let names: Vec<String> = (0..5).map(|k| format!("0.{k}")).collect();
        // Trees of few leaves go through blocks by comparisons, trees of many and of categories row by row.
        for boost in
            [Boost::new().max_depth(4), Boost::new().max_depth(9).min_child_weight(0.0), Boost::new().categorical(&[2])]
        {
            let whole =
                if boost == Boost::new().categorical(&[2]) { rows.mapv(|x| x.floor().max(0.0)) } else { rows.clone() };
            let surrogate = Surrogate::fit(&whole, &labels, names.clone(), &boost.rounds(12), &run).unwrap();
            // The middle one of the confidences turns some rows away, and keeps some.
            let mut sure: Vec<f64> = surrogate.assign(&whole, &run).unwrap().iter().map(|to| to.confidence).collect();
            sure.sort_by(f64::total_cmp);
            let predictor = Predictor::new(surrogate, Abstain::Below(sure[150])).unwrap();
            shared(&predictor);
            let all = predictor.decide(&whole, &run).unwrap();
            assert!(all.iter().any(|decision| decision.abstained) && !all.iter().all(|decision| decision.abstained));
            for (i, row) in whole.outer_iter().enumerate() {
                assert_eq!(predictor.decide_row(row.as_slice().unwrap()).unwrap(), all[i], "{i}");
            }
            for size in [1, 47, 48, 127, 128, 129, 200] {
                assert_eq!(predictor.decide(&whole.slice(s![..size, ..]), &run).unwrap(), all[..size], "{size}");
            }
            let assigned = predictor.surrogate().assign(&whole, &run).unwrap();
            assert!(assigned.iter().zip(&all).all(|(to, decision)| *to == decision.best));
            for decision in &all {
                assert!(decision.runner_up.unwrap().confidence <= decision.best.confidence);
                assert_eq!(decision.assigned().is_none(), decision.best.confidence < predictor.threshold());
            }
            assert!(matches!(predictor.decide_row(&[0.0; 8]), Err(Error::Shape { .. })));
            assert!(matches!(predictor.decide_row(&[f32::INFINITY; 9]), Err(Error::NotFinite { column: 0, .. })));
        }
    }
}
