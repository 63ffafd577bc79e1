//! Rows that are noise of the condensed tree, taken into the clusters near them.
//!
//! A cluster of the tree ends where its density falls to that of its lowest saddle towards another cluster, on all sides. Where
//! clusters overlap, the saddle is high and their outskirts are noise although they lead to one cluster alone. With a reach
//! the clusters grow along the spanning tree, the lightest edges first: a component of noise joins the first cluster within whose
//! reach an edge connects it with, at most `reach` times the largest core distance in the cluster. So the outskirts of a sparse
//! cluster pass by a dense one that is as near.
//!
//! Growth from labelled rows along the spanning tree of mutual reachability: L. Lelis and J. Sander, "Semi-supervised
//! density-based clustering" (ICDM 2009), and J. C. Gertrudes, A. Zimek, J. Sander, R. J. G. B. Campello, "A unified view of
//! density-based methods for semi-supervised clustering and classification", Data Mining and Knowledge Discovery 33 (2019).
//! The limit by the cluster's own density is ours.

use super::condense::CondensedTree;
use super::model::Fitted;
use super::select::Scores;
use crate::cluster::spanning::Sets;
use crate::core::NOISE;

/// The heaviest edge by which each cluster takes in noise.
pub(super) fn limits(labels: &[i32], core_distances: &[f64], clusters: usize, reach: f64) -> Vec<f64> {
    let mut largest = vec![0.0f64; clusters];
    for (&label, &core) in labels.iter().zip(core_distances) {
        if let Some(largest) = usize::try_from(label).ok().and_then(|label| largest.get_mut(label)) {
            *largest = largest.max(core);
        }
    }
    largest.iter_mut().for_each(|core| *core *= reach);
    largest
}

/// Labels the noise within reach of the clusters `selected`, and sets its membership as for any row of a cluster. O(rows α(rows)).
pub(super) fn take_in(scores: &mut Scores, selected: &[u32], tree: &CondensedTree, fitted: &Fitted, reach: f64) {
    if reach == 0.0 || selected.is_empty() {
        return;
    }
    let Scores { labels, membership, .. } = scores;
    let limits = limits(labels, &fitted.core_distances, selected.len(), reach);
    let mut sets = Sets::new(labels.len());
    // By the root of each set: its cluster, and the weight of the edge by which a component of noise came in.
    let mut own = labels.clone();
    let mut entry = vec![f64::INFINITY; labels.len()];
    for (a, b, weight) in fitted.spanning.edges() {
        let (a, b) = (sets.find(a as u32), sets.find(b as u32));
        let (noise, label) = match (own[a as usize], own[b as usize]) {
            (NOISE, label) => (a, label),
            (label, NOISE) => (b, label),
            // Both have a cluster.
            _ => continue,
        };
        if label == NOISE {
            sets.join(a, b);
        } else if weight <= limits[label as usize] {
            // The component is complete: an edge to more noise finds a cluster here, and brings that noise in by itself.
            own[noise as usize] = label;
            entry[noise as usize] = weight;
        }
    }
    for row in 0..labels.len() {
        let root = sets.find(row as u32) as usize;
        if labels[row] == NOISE && own[root] != NOISE {
            labels[row] = own[root];
            let most = tree.clusters[selected[own[root] as usize] as usize].death;
            membership[row] = if most > 0.0 { (1.0 / entry[root]).min(most) / most } else { 1.0 };
        }
    }
}
