//! Groups of questions of equal weight.

use super::Space;
use crate::embed::Pca;
use crate::{Result, Run};
use ndarray::Array2;

/// Divides each group of questions by its first singular value, if there are several: a group then has at most a spread of 1
/// in any direction, and does not count for more by asking the same more often.
pub(super) fn groups(space: &mut Space, run: &Run) -> Result<()> {
    let mut groups = space.group.clone();
    groups.sort_unstable();
    groups.dedup();
    if groups.len() < 2 {
        return Ok(());
    }
    for group in groups {
        let columns: Vec<usize> = (0..space.group.len()).filter(|&c| space.group[c] == group).collect();
        let own = Array2::from_shape_fn((space.rows, columns.len()), |(row, c)| space.columns[columns[c]][row]);
        let variance = Pca::new(1).fit(&own, &run.at("group"))?.explained_variance()[0];
        if variance > 0.0 {
            let factor = 1.0 / variance.sqrt();
            let scale = |x: &mut f32| *x = (f64::from(*x) * factor) as f32;
            columns.into_iter().for_each(|c| space.columns[c].iter_mut().for_each(scale));
        }
    }
    Ok(())
}
