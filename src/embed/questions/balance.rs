//! Groups of questions of equal weight.

use super::Space;
use crate::embed::Pca;
use crate::{Result, Run};
use ndarray::Axis;

/// Divides each group of questions by its first singular value, if there are several: a group then has at most a spread of 1
/// in any direction, and does not count for more by asking the same more often.
pub(super) fn groups(space: &mut Space, run: &Run) -> Result<()> {
    let Some(&last) = space.group.iter().max() else { return Ok(()) };
    let mut factors = Vec::new();
    for group in 0..=last {
        let columns: Vec<usize> = (0..space.group.len()).filter(|&c| space.group[c] == group).collect();
        if !columns.is_empty() {
            let own = space.values.select(Axis(1), &columns);
            let variance = Pca::new(1).fit(&own, &run.at("group"))?.explained_variance()[0];
            factors.push((columns, if variance > 0.0 { 1.0 / variance.sqrt() } else { 1.0 }));
        }
    }
    if factors.len() > 1 {
        for (columns, factor) in factors {
            columns
                .into_iter()
                .for_each(|c| space.values.column_mut(c).mapv_inplace(|x| (f64::from(x) * factor) as f32));
        }
    }
    Ok(())
}
