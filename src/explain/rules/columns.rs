//! The columns that rules of a cluster are made of: those of the highest gain in shallow boosted trees.

use crate::boost::{Bins, Boost, BoostModel, Importance};
use crate::table::{Feature, FeatureKind};
use crate::{Event, Observer, Result, Run};
use ndarray::Array2;

/// Trees of a cluster, and their depth: together they name a few dozen columns, also some that matter only together.
const TREES: usize = 6;
const DEPTH: usize = 3;

/// Trees of resamples tell nobody of their progress, nor what they could not learn.
struct Silent;

impl Observer for Silent {
    fn event(&self, _: &Event<'_>) {}
}

/// What trees of any part of the training rows are trained with.
pub(super) struct Trees {
    boost: Boost,
    bins: Bins,
    run: Run,
}

impl Trees {
    pub(super) fn new(training: &Array2<f32>, features: &[Feature], run: &Run) -> Result<Self> {
        let categorical: Vec<usize> =
            (0..features.len()).filter(|&c| features[c].kind() == FeatureKind::Category).collect();
        // A rare cluster's second derivatives are small at first.
        let boost =
            Boost::new().rounds(TREES).max_depth(DEPTH).max_bins(64).min_child_weight(0.1).categorical(&categorical);
        let boost = if categorical.is_empty() { boost } else { boost.max_bins(256) };
        let run = run.clone().observer(Silent);
        Ok(Trees { bins: boost.bins(training, &run)?, boost, run })
    }

    /// For each cluster its columns of the highest gain over the rows `places`, at most `most`, ascending. `labels` counts noise
    /// as one more cluster.
    pub(super) fn best(
        &self,
        places: &[u32],
        labels: &[i32],
        weights: &[f32],
        clusters: usize,
        most: usize,
    ) -> Result<Vec<Vec<u32>>> {
        let model = self.boost.fit_binned(&self.bins, places, labels, Some(weights), &self.run)?;
        Ok((0..clusters).map(|k| by_gain(&model, k, most)).collect())
    }
}

fn by_gain(model: &BoostModel, cluster: usize, most: usize) -> Vec<u32> {
    let gains = model.importance(cluster, Importance::TotalGain).unwrap_or_default();
    let mut columns: Vec<u32> = (0..gains.len() as u32).filter(|&c| gains[c as usize] > 0.0).collect();
    columns.sort_by(|&a, &b| gains[b as usize].total_cmp(&gains[a as usize]).then(a.cmp(&b)));
    columns.truncate(most);
    columns.sort_unstable();
    columns
}
