//! Missing answers, predicted from the others.

use super::Space;
use crate::core::parallel;
use crate::embed::Pca;
use crate::{Result, Run};

/// Principal components that predict.
const COMPONENTS: usize = 10;
/// Predictions, each from the space that the one before has filled.
const ROUNDS: usize = 2;

/// Replaces missing answers, which are 0 before, by what the principal components of the space say of them.
pub(super) fn gaps(space: &mut Space, run: &Run) -> Result<()> {
    let any = space.missing.iter().any(|missing| missing.contains(&true));
    let (rows, columns) = space.values.dim();
    let components = COMPONENTS.min(columns / 2).min(rows / 2);
    if !any || components == 0 {
        return Ok(());
    }
    for _ in 0..ROUNDS {
        let pca = Pca::new(components).fit(&space.values, &run.at("gaps"))?;
        let scores = pca.transform(&space.values, run)?;
        let (axes, mean) = (pca.components(), pca.mean());
        let missing = &space.missing;
        if let Some(values) = space.values.as_slice_mut() {
            parallel::for_each_chunk(values, 256 * columns, |chunk, out| {
                for (r, row) in out.chunks_mut(columns).enumerate() {
                    let place = chunk * 256 + r;
                    for (c, value) in row.iter_mut().enumerate().filter(|(c, _)| missing[*c][place]) {
                        let push = (0..components).map(|k| f64::from(scores[[place, k]]) * axes[[k, c]]).sum::<f64>();
                        *value = (mean[c] + push) as f32;
                    }
                }
            });
        }
    }
    Ok(())
}
