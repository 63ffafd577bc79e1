//! What a fit found.

use super::condense::CondensedTree;
use super::cut::{Cut, cut};
use super::hierarchy::Mass;
use super::reach;
use super::select::{Choice, Flat, Scores, owners, scores};
use super::settings::Hdbscan;
use crate::cluster::spanning::SpanningTree;
#[cfg(feature = "serde")]
use crate::cluster::spanning::check_metric;
use crate::core::{Clustering, Error, Result, Run, cluster_sizes};
#[cfg(feature = "serde")]
use crate::core::{NOISE, checks};
use crate::neighbors::Metric;

/// What is the same for all cuts of one spanning tree.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Fitted {
    pub(crate) spanning: SpanningTree,
    pub(crate) core_distances: Vec<f64>,
    /// Neighbours of a core distance, the row itself not counted.
    pub(super) others: usize,
    /// What each row weighs, in parts of [`ONE`](crate::cluster::spanning::ONE); none when each weighs one.
    pub(crate) weights: Option<Vec<u64>>,
    /// None when only distances were known.
    pub(super) metric: Option<Metric>,
}

impl Fitted {
    pub(super) fn mass(&self) -> Mass<'_> {
        Mass { weights: self.weights.as_deref(), core: &self.core_distances }
    }
}

/// What [`Hdbscan`] found. Plain data; everything is by original row number.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct HdbscanModel {
    pub(super) labels: Vec<i32>,
    pub(super) membership: Vec<f64>,
    pub(super) outlier_scores: Vec<f64>,
    /// The condensed cluster of each label.
    pub(super) selected: Vec<u32>,
    pub(super) persistence: Vec<f64>,
    /// λ below which rows of the root alone are noise.
    pub(super) threshold: f64,
    pub(super) min_cluster_size: usize,
    /// See [`Hdbscan::reach`]; not in files that are older than it.
    #[cfg_attr(feature = "serde", serde(default))]
    pub(super) reach: f64,
    pub(crate) fitted: Fitted,
    pub(super) condensed: CondensedTree,
}

#[cfg(feature = "serde")]
impl crate::core::Saved for HdbscanModel {
    const FORMAT: &'static str = "recluster hdbscan";
    const VERSION: u64 = 2;

    fn validate(&self) -> checks::Check {
        let (rows, fitted) = (self.labels.len(), &self.fitted);
        fitted.spanning.validate(rows)?;
        checks::count("core distances", fitted.core_distances.len(), rows)?;
        checks::each("core distances", &fitted.core_distances, |&core| core >= 0.0 && core.is_finite())?;
        if let Some(weights) = &fitted.weights {
            checks::count("weights", weights.len(), rows)?;
            checks::each("weights", weights, |&weight| weight > 0)?;
            let sum = weights.iter().try_fold(0u64, |sum, &weight| sum.checked_add(weight));
            checks::that(sum.is_some(), || "the weights are too large together".into())?;
        }
        if let Some(metric) = fitted.metric {
            check_metric(metric).map_err(|e| e.to_string())?;
        }
        checks::that(self.min_cluster_size >= 2, || format!("least cluster size {}", self.min_cluster_size))?;
        self.condensed.validate(rows)?;
        checks::rising("selected clusters", &self.selected, self.condensed.clusters.len())?;
        checks::that(self.threshold >= 0.0 && self.threshold.is_finite(), || format!("threshold {}", self.threshold))?;
        checks::that(self.reach >= 0.0 && self.reach.is_finite(), || format!("reach {}", self.reach))?;
        let mut own = self.scores();
        reach::take_in(&mut own, &self.selected, &self.condensed, fitted, self.reach);
        let same =
            own.labels == self.labels && own.membership == self.membership && own.outlier_scores == self.outlier_scores;
        checks::that(same, || "labels, memberships or outlier scores are not those of the condensed tree".into())?;
        checks::labels(&self.labels, self.selected.len(), NOISE)?;
        checks::count("persistences", self.persistence.len(), self.selected.len())?;
        checks::shares("persistences", &self.persistence)?;
        let empty = self.exemplars().iter().position(Vec::is_empty);
        checks::that(empty.is_none(), || "a cluster without its densest rows".into())
    }
}

impl HdbscanModel {
    pub(super) fn cut(fitted: Fitted, choice: &Choice, run: Option<&Run>) -> Self {
        let Cut { condensed, flat, min_cluster_size } = cut(&fitted, choice, run);
        let Flat { mut scores, selected, persistence, threshold } = flat;
        reach::take_in(&mut scores, &selected, &condensed, &fitted, choice.reach);
        let Scores { labels, membership, outlier_scores } = scores;
        HdbscanModel {
            labels,
            membership,
            outlier_scores,
            selected,
            persistence,
            threshold,
            min_cluster_size,
            reach: choice.reach,
            fitted,
            condensed,
        }
    }

    /// What the tree alone makes of each row, before clusters [reach](Hdbscan::reach) for noise.
    pub(super) fn scores(&self) -> Scores {
        scores(&self.condensed, &self.selected, self.threshold)
    }

    /// Another clustering from the same spanning tree: other sizes, selection or epsilon without fitting again. O(n).
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting outside its range, and if `settings` ask for other `min_samples` than the
    /// model was fitted with: these are what the tree is made of. The settings' metric does not matter.
    pub fn recut(&self, settings: &Hdbscan) -> Result<Self> {
        let (choice, others) = settings.choice(self.labels.len())?;
        if let Some(others) = others.filter(|&others| others != self.fitted.others) {
            return Err(Error::setting("min_samples", others, "must be what the model was fitted with"));
        }
        Ok(Self::cut(self.fitted.clone(), &choice, None))
    }

    /// Each row's cluster, from 0 without gaps, or [`NOISE`](crate::NOISE).
    ///
    /// Clusters are numbered as they appear while the density rises, those that appear together by falling weight.
    pub fn labels(&self) -> &[i32] {
        &self.labels
    }

    /// Number of clusters.
    pub fn clusters(&self) -> usize {
        self.selected.len()
    }

    /// Each row's strength of membership, in 0 to 1: its λ as a share of the largest λ at which its cluster still
    /// exists; 0 for noise.
    pub fn membership(&self) -> &[f64] {
        &self.membership
    }

    /// GLOSH outlier score of each row, in 0 to 1: how much sparser the row is than the densest part of the condensed
    /// cluster that it fell out of.
    pub fn outlier_scores(&self) -> &[f64] {
        &self.outlier_scores
    }

    /// Each cluster's persistence, in 0 to 1: its stability as a share of what its rows could reach.
    pub fn persistence(&self) -> &[f64] {
        &self.persistence
    }

    /// Each cluster's stability: its excess of mass.
    pub fn stability(&self) -> Vec<f64> {
        let cluster = |&c: &u32| self.condensed.clusters.get(c as usize);
        self.selected.iter().filter_map(cluster).map(|cluster| cluster.stability).collect()
    }

    /// The condensed cluster of each label, as an index into [`CondensedTree::clusters`].
    pub fn selected(&self) -> &[u32] {
        &self.selected
    }

    /// Rows of each cluster.
    pub fn sizes(&self) -> Vec<usize> {
        cluster_sizes(&self.labels, self.clusters())
    }

    /// The least rows (or weight) of a cluster, as resolved at fit: of a share, and of [`Hdbscan::max_noise`].
    pub fn min_cluster_size(&self) -> usize {
        self.min_cluster_size
    }

    /// The neighbour whose distance is the core distance, the row itself not counted.
    pub fn min_samples(&self) -> usize {
        self.fitted.others
    }

    /// Each row's core distance.
    pub fn core_distances(&self) -> &[f64] {
        &self.fitted.core_distances
    }

    /// The metric of the fit; none if only distances were known.
    pub fn metric(&self) -> Option<Metric> {
        self.fitted.metric
    }

    /// The minimum spanning tree of mutual reachability.
    pub fn spanning_tree(&self) -> &SpanningTree {
        &self.fitted.spanning
    }

    /// The condensed tree.
    pub fn condensed_tree(&self) -> &CondensedTree {
        &self.condensed
    }

    /// The rows that stand for each cluster, in ascending order: the densest of each of its finest parts.
    ///
    /// These are, for each leaf of the condensed tree inside the cluster, the rows that stay in it to the end (as
    /// `exemplars_` of Python's hdbscan). O(rows + clusters).
    pub fn exemplars(&self) -> Vec<Vec<usize>> {
        let tree = &self.condensed;
        let mut leaf = vec![true; tree.clusters.len()];
        tree.clusters.iter().filter_map(|c| c.parent).for_each(|parent| leaf[parent as usize] = false);
        let mut label = vec![None; tree.clusters.len()];
        self.selected.iter().enumerate().for_each(|(number, &c)| label[c as usize] = Some(number));
        let owner = owners(tree, |c| label[c].is_some());
        let mut exemplars = vec![Vec::new(); self.clusters()];
        for (row, (&c, &lambda)) in tree.row_cluster.iter().zip(&tree.row_lambda).enumerate() {
            let c = c as usize;
            let number = owner[c].and_then(|c| label[c as usize]);
            if let Some(number) = number.filter(|_| leaf[c] && lambda >= tree.clusters[c].death) {
                exemplars[number].push(row);
            }
        }
        exemplars
    }

    /// A quick relative of [`dbcv`](crate::validity::dbcv) from the fitted tree, in -1 to 1, to compare settings on the
    /// same rows; never NaN.
    ///
    /// # Formula
    /// With the spanning tree's edges for both: DSC is the heaviest edge within a cluster, DSPC the lightest one from it
    /// to another, or twice the heaviest of all where there is none (for a lone cluster twice the lightest edge between a
    /// clustered row and noise); Σ over clusters of (rows / all rows) (DSPC − DSC) / max(DSPC, DSC). As
    /// `relative_validity_` of Python's hdbscan.
    pub fn relative_validity(&self) -> f64 {
        let k = self.clusters();
        let (mut inside, mut between) = (vec![0.0f64; k], vec![f64::INFINITY; k]);
        let (mut to_noise, mut heaviest) = (f64::INFINITY, 0.0f64);
        for (a, b, weight) in self.fitted.spanning.edges() {
            heaviest = heaviest.max(weight);
            match (usize::try_from(self.labels[a]), usize::try_from(self.labels[b])) {
                (Ok(a), Ok(b)) if a == b => inside[a] = inside[a].max(weight),
                (Ok(a), Ok(b)) => (between[a], between[b]) = (between[a].min(weight), between[b].min(weight)),
                (Err(_), Err(_)) => {}
                _ => to_noise = to_noise.min(weight),
            }
        }
        let lone = if to_noise.is_finite() { to_noise } else { heaviest };
        let correction = 2.0 * if k > 1 { heaviest } else { lone };
        let sizes = self.sizes();
        let scores = (0..k).map(|c| {
            let separation = if between[c].is_finite() { between[c] } else { correction };
            let most = separation.max(inside[c]);
            if most > 0.0 { sizes[c] as f64 * (separation - inside[c]) / most } else { 0.0 }
        });
        scores.sum::<f64>() / self.labels.len().max(1) as f64
    }

    /// Labels, membership and persistence as the common type.
    ///
    /// # Errors
    /// None for a model that was fitted or loaded.
    pub fn clustering(&self) -> Result<Clustering> {
        Clustering::new(self.labels.clone())?
            .with_membership(self.membership.iter().map(|&m| m as f32).collect())?
            .with_persistence(self.persistence.clone())
    }
}
