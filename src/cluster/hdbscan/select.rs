//! From the condensed tree to a flat clustering: which clusters to keep, and what each row is to its own.

use super::condense::CondensedTree;
use super::hierarchy::Mass;
use crate::cluster::spanning::ONE;
use crate::core::NOISE;

/// How clusters are chosen from the condensed tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Selection {
    /// Excess of mass: the clusters whose stabilities add up to the most, none inside another.
    #[default]
    Eom,
    /// The leaves of the tree: the finest clusters.
    Leaf,
}

crate::core::setting_by_debug!(Selection);

/// Settings of the choice, resolved and checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub(super) selection: Selection,
    pub(super) epsilon: f64,
    pub(super) allow_single_cluster: bool,
    /// What the root's stability counts against that of the clusters inside.
    pub(super) single_cluster_weight: f64,
    pub(super) min_cluster_size: usize,
    pub(super) max_cluster_size: usize,
    pub(super) min_persistence: f64,
    pub(super) reach: f64,
    pub(super) max_noise: f64,
}

/// A flat clustering.
pub(super) struct Flat {
    pub(super) scores: Scores,
    /// The condensed cluster of each label.
    pub(super) selected: Vec<u32>,
    pub(super) persistence: Vec<f64>,
    /// λ below which rows of the root alone are noise.
    pub(super) threshold: f64,
}

/// Chooses clusters, then labels and scores the rows. O(rows + clusters), without recursion.
pub(super) fn flat(tree: &CondensedTree, choice: &Choice, mass: Mass<'_>) -> Flat {
    let clusters = &tree.clusters;
    let (chosen, score) = choose(tree, choice);
    let chosen = climb(tree, choice, chosen);

    let owner = owners(tree, |c| chosen[c]);
    // Rows of the root alone are noise below the density at which it ends, or below that of epsilon.
    let threshold = if choice.epsilon > 0.0 { 1.0 / choice.epsilon } else { clusters[0].death };
    let row_owner =
        |row: usize| owner[tree.row_cluster[row] as usize].filter(|&c| c != 0 || tree.row_lambda[row] >= threshold);
    let mut count = vec![0u64; clusters.len()];
    for row in 0..tree.row_cluster.len() {
        if let Some(c) = row_owner(row) {
            count[c as usize] += mass.of(row);
        }
    }
    let selected: Vec<u32> = (0..clusters.len() as u32).filter(|&c| count[c as usize] > 0).collect();
    let densest = densest(tree);
    let scores = scores(tree, &selected, threshold);
    let persistence = selected
        .iter()
        .map(|&c| {
            let most = densest[0] * (count[c as usize] as f64 / ONE as f64);
            if most > 0.0 { (score[c as usize] / most).min(1.0) } else { 1.0 }
        })
        .collect();
    Flat { scores, selected, persistence, threshold }
}

/// What each row is, by row.
pub(super) struct Scores {
    pub(super) labels: Vec<i32>,
    pub(super) membership: Vec<f64>,
    pub(super) outlier_scores: Vec<f64>,
}

/// Labels and scores the rows by the clusters that were selected. O(rows + clusters).
pub(super) fn scores(tree: &CondensedTree, selected: &[u32], threshold: f64) -> Scores {
    let mut label = vec![NOISE; tree.clusters.len()];
    for (number, &c) in selected.iter().enumerate() {
        label[c as usize] = number as i32;
    }
    let owner = owners(tree, |c| label[c] >= 0);
    let densest = densest(tree);
    let rows = tree.row_cluster.len();
    let (mut labels, mut membership) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    let mut outlier_scores = Vec::with_capacity(rows);
    for (&c, &lambda) in tree.row_cluster.iter().zip(&tree.row_lambda) {
        let own = owner[c as usize].filter(|&c| c != 0 || lambda >= threshold);
        labels.push(own.map_or(NOISE, |c| label[c as usize]));
        membership.push(own.map_or(0.0, |c| {
            let most = tree.clusters[c as usize].death;
            if most > 0.0 { lambda.min(most) / most } else { 1.0 }
        }));
        let most = densest[c as usize];
        outlier_scores.push(if most > 0.0 { (most - lambda) / most } else { 0.0 });
    }
    Scores { labels, membership, outlier_scores }
}

/// The chosen cluster that each cluster lies in, if any: the outermost. Parents come before children.
pub(super) fn owners(tree: &CondensedTree, chosen: impl Fn(usize) -> bool) -> Vec<Option<u32>> {
    let mut owner: Vec<Option<u32>> = vec![None; tree.clusters.len()];
    for (c, cluster) in tree.clusters.iter().enumerate() {
        let above = cluster.parent.and_then(|parent| owner[parent as usize]);
        owner[c] = above.or(chosen(c).then_some(c as u32));
    }
    owner
}

/// The densest λ anywhere inside each cluster.
pub(super) fn densest(tree: &CondensedTree) -> Vec<f64> {
    let mut densest: Vec<f64> = tree.clusters.iter().map(|c| c.death).collect();
    for c in (1..densest.len()).rev() {
        let parent = tree.clusters[c].parent.map_or(0, |parent| parent as usize);
        densest[parent] = densest[parent].max(densest[c]);
    }
    densest
}

/// Which clusters are chosen before epsilon, and each cluster's score: its stability, or what is inside it if better.
fn choose(tree: &CondensedTree, choice: &Choice) -> (Vec<bool>, Vec<f64>) {
    let clusters = &tree.clusters;
    let mut score: Vec<f64> = clusters.iter().map(|c| c.stability).collect();
    let mut inside = vec![0.0f64; clusters.len()];
    let mut children = vec![false; clusters.len()];
    let mut chosen = vec![false; clusters.len()];
    for c in (0..clusters.len()).rev() {
        let root = c == 0;
        let size = clusters[c].weight;
        let allowed = size <= choice.max_cluster_size as f64
            && (!root || (choice.allow_single_cluster && size >= choice.min_cluster_size as f64));
        chosen[c] = allowed
            && match choice.selection {
                // A tie goes to the larger cluster.
                Selection::Eom if root => inside[c] <= choice.single_cluster_weight * score[c],
                Selection::Eom => inside[c] <= score[c],
                Selection::Leaf => !children[c],
            };
        if choice.selection == Selection::Eom && !chosen[c] {
            score[c] = inside[c];
        }
        if let Some(parent) = clusters[c].parent {
            inside[parent as usize] += score[c];
            children[parent as usize] = true;
        }
    }
    let mut covered = vec![false; clusters.len()];
    for c in 1..clusters.len() {
        let parent = clusters[c].parent.map_or(0, |p| p as usize);
        covered[c] = covered[parent] || chosen[parent];
        chosen[c] &= !covered[c];
    }
    (chosen, score)
}

/// Replaces clusters that split off at a distance below epsilon by the ancestor that did not (Malzer and Baum 2020).
fn climb(tree: &CondensedTree, choice: &Choice, chosen: Vec<bool>) -> Vec<bool> {
    if choice.epsilon <= 0.0 || chosen[0] {
        return chosen;
    }
    let clusters = &tree.clusters;
    let distance = |c: usize| 1.0 / clusters[c].birth;
    let mut target = vec![0usize; clusters.len()];
    for c in 1..clusters.len() {
        let parent = clusters[c].parent.map_or(0, |p| p as usize);
        target[c] = match parent {
            0 if choice.allow_single_cluster => 0,
            0 => c,
            p if distance(p) > choice.epsilon => p,
            p => target[p],
        };
    }
    let mut climbed = vec![false; clusters.len()];
    for c in (1..clusters.len()).filter(|&c| chosen[c]) {
        climbed[if distance(c) < choice.epsilon { target[c] } else { c }] = true;
    }
    climbed
}
