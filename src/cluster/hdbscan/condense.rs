//! The condensed tree: the hierarchy read from the top, splits into parts that are too small taken as rows falling out.

use super::hierarchy::Hierarchy;
use crate::cluster::spanning::ONE;
#[cfg(feature = "serde")]
use crate::core::checks;

/// A cluster of the condensed tree.
///
/// Density is measured as λ = 1 / distance. A distance of zero counts as half the smallest positive merge distance of
/// the data (as 1 where there is none), so that λ, and all that is summed from it, stays finite.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct CondensedCluster {
    /// The cluster it split from; none for the root, cluster 0. Always a smaller number than its own.
    pub parent: Option<u32>,
    /// λ at which it split from its parent; 0 for the root.
    pub birth: f64,
    /// Largest λ at which rows left it, or at which it split.
    pub death: f64,
    /// Rows at its birth.
    pub size: u32,
    /// What these rows weigh: as many as there are, unless the fit had weights.
    pub weight: f64,
    /// Excess of mass: the sum over its rows of weight x ((λ at which the row left it or it split) - birth).
    pub stability: f64,
}

/// Which clusters exist at which densities, and where each row falls out.
///
/// Clusters are numbered as they appear while the density rises; those that appear at one split by falling weight.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CondensedTree {
    pub(super) clusters: Vec<CondensedCluster>,
    pub(super) row_cluster: Vec<u32>,
    pub(super) row_lambda: Vec<f64>,
}

impl CondensedTree {
    /// All clusters, parents before children; the first is the root, which holds all rows.
    pub fn clusters(&self) -> &[CondensedCluster] {
        &self.clusters
    }

    /// For each row the smallest cluster that it was in.
    pub fn row_cluster(&self) -> &[u32] {
        &self.row_cluster
    }

    /// For each row the λ at which it left that cluster.
    pub fn row_lambda(&self) -> &[f64] {
        &self.row_lambda
    }

    /// Whether it is a tree of so many rows: a file may be damaged.
    #[cfg(feature = "serde")]
    pub(super) fn validate(&self, rows: usize) -> checks::Check {
        checks::count("clusters of rows", self.row_cluster.len(), rows)?;
        checks::count("densities of rows", self.row_lambda.len(), rows)?;
        checks::each("clusters of rows", &self.row_cluster, |&c| (c as usize) < self.clusters.len())?;
        checks::each("densities of rows", &self.row_lambda, |&lambda| lambda >= 0.0 && lambda.is_finite())?;
        let mut sizes = vec![0u32; self.clusters.len()];
        self.row_cluster.iter().for_each(|&c| sizes[c as usize] += 1);
        for (c, cluster) in self.clusters.iter().enumerate().rev() {
            let wrong = |what: &str| Err(format!("condensed cluster {c}: {what}"));
            if sizes[c] != cluster.size || cluster.size == 0 {
                return wrong(&format!("{} rows, where {} are needed", cluster.size, sizes[c]));
            }
            let numbers = [cluster.birth, cluster.death, cluster.weight, cluster.stability];
            let begins = if c == 0 { cluster.birth == 0.0 } else { cluster.birth > 0.0 };
            if !numbers.iter().all(|x| x.is_finite()) || !begins || cluster.death < cluster.birth {
                return wrong(&format!("birth, death, weight and stability are {numbers:?}"));
            }
            match cluster.parent.map(|parent| (parent as usize, self.clusters.get(parent as usize))) {
                None if c == 0 => {}
                Some((p, Some(parent))) if p < c => {
                    if parent.birth > cluster.birth || parent.weight < cluster.weight {
                        return wrong(&format!("its parent {p} begins later or weighs less"));
                    }
                    sizes[p] += cluster.size;
                }
                _ => return wrong(&format!("parent {:?}", cluster.parent)),
            }
        }
        Ok(())
    }

    /// Condenses a hierarchy. O(n) and a sort of the clusters that appear together.
    ///
    /// A node at which two or more children weigh at least `least` ends its cluster and begins theirs; at a node
    /// with one such child the cluster goes on as that child; at a node with none it ends. Everything else falls out.
    pub(super) fn new(hierarchy: &Hierarchy<'_>, least: u64) -> Self {
        Self::with_parts(hierarchy, least).0
    }

    /// The same, and for each cluster the weight of the component that it was before the distance of its birth, at which
    /// smaller ones may have joined it.
    pub(super) fn with_parts(hierarchy: &Hierarchy<'_>, least: u64) -> (Self, Vec<u64>) {
        let rows = hierarchy.rows;
        let nodes = hierarchy.weight.len();
        let weight_of = |units: u64| units as f64 / ONE as f64;
        // Rows that stand for several equal ones come together at their core distance.
        let mass = &hierarchy.mass;
        let alone = (0..rows).filter(|&row| mass.of(row) > ONE && mass.core[row] > 0.0).map(|row| mass.core[row]);
        let lightest = hierarchy.weight.iter().copied().find(|&weight| weight > 0.0);
        let zero = match lightest.into_iter().chain(alone).reduce(f64::min) {
            Some(weight) => 2.0 / weight,
            None => 1.0,
        };
        let density = |distance: f64| if distance > 0.0 { 1.0 / distance } else { zero };
        let cluster_of = |parent: Option<u32>, birth: f64, units: u64| CondensedCluster {
            parent,
            birth,
            death: birth,
            size: 0,
            weight: weight_of(units),
            stability: 0.0,
        };
        let all = if nodes > 0 { hierarchy.size[nodes - 1] } else { hierarchy.size_of(0) };
        let mut clusters = vec![cluster_of(None, 0.0, all)];
        let mut parts = vec![all];
        let mut cluster = vec![0u32; rows + nodes];
        // λ at which an item has fallen out of its cluster; negative while it is the cluster.
        let mut fallen = vec![-1.0f64; rows + nodes];
        let mut large = Vec::new();
        for node in (0..nodes).rev() {
            let item = rows + node;
            let c = cluster[item];
            if fallen[item] >= 0.0 {
                for child in hierarchy.children(node) {
                    cluster[child as usize] = c;
                    fallen[child as usize] = fallen[item];
                }
                continue;
            }
            let distance = hierarchy.weight[node];
            let lambda = density(distance);
            large.clear();
            large.extend(hierarchy.children(node).filter(|&child| hierarchy.size_at(child, distance) >= least));
            let mut left = 0;
            for child in hierarchy.children(node) {
                cluster[child as usize] = c;
                if large.len() != 1 || large[0] != child {
                    fallen[child as usize] = lambda;
                    left += hierarchy.size_of(child);
                }
            }
            let own = &mut clusters[c as usize];
            own.stability += (lambda - own.birth) * weight_of(left);
            if left > 0 && lambda > own.death {
                own.death = lambda;
            }
            if large.len() > 1 {
                large.sort_by_key(|&child| (std::cmp::Reverse(hierarchy.size_of(child)), hierarchy.place_of(child)));
                for &child in &large {
                    cluster[child as usize] = clusters.len() as u32;
                    fallen[child as usize] = -1.0;
                    clusters.push(cluster_of(Some(c), lambda, hierarchy.size_of(child)));
                    parts.push(hierarchy.part_of(child, distance));
                }
            }
        }
        cluster.truncate(rows);
        fallen.truncate(rows);
        for row in 0..rows {
            if fallen[row] >= 0.0 {
                continue;
            }
            // A single row is all there is, or it weighs enough to be a cluster, down to its core distance.
            fallen[row] = 0.0;
            if hierarchy.mass.weights.is_some() && hierarchy.size_of(row as u32) >= least {
                let own = &mut clusters[cluster[row] as usize];
                let lambda = density(hierarchy.mass.core[row]);
                fallen[row] = if lambda > own.birth { lambda } else { own.birth };
                own.stability += (fallen[row] - own.birth) * weight_of(hierarchy.size_of(row as u32));
                own.death = if fallen[row] > own.death { fallen[row] } else { own.death };
            }
        }
        for &c in &cluster {
            clusters[c as usize].size += 1;
        }
        for c in (1..clusters.len()).rev() {
            let parent = clusters[c].parent.map_or(0, |parent| parent as usize);
            clusters[parent].size += clusters[c].size;
        }
        (CondensedTree { clusters, row_cluster: cluster, row_lambda: fallen }, parts)
    }

    /// The tree without splits that are too shallow: of the parts of a split, those whose density rises by less than
    /// `least` (in λ) from the split to their densest rows fall out; where fewer than two are left, the cluster goes on
    /// as the densest of them. O(rows + clusters).
    pub(super) fn without_shallow(&self, least: f64) -> CondensedTree {
        let n = self.clusters.len();
        let parent = |c: usize| self.clusters[c].parent.map_or(0, |parent| parent as usize);
        let mut peak: Vec<f64> = self.clusters.iter().map(|cluster| cluster.death).collect();
        let mut deep = vec![0u32; n];
        // The child that reaches the highest density; the first of several, which is the heaviest.
        let mut best = vec![0usize; n];
        for c in (1..n).rev() {
            let p = parent(c);
            peak[p] = if peak[c] > peak[p] { peak[c] } else { peak[p] };
            deep[p] += u32::from(peak[c] - self.clusters[c].birth >= least);
            if best[p] == 0 || peak[c] >= peak[best[p]] {
                best[p] = c;
            }
        }
        // Where each cluster's rows go: a cluster of the new tree, and the λ at which they have fallen out of it.
        let mut to: Vec<(u32, Option<f64>)> = vec![(0, None); n];
        let mut clusters = vec![self.clusters[0].clone()];
        for c in 1..n {
            let (p, own) = (parent(c), &self.clusters[c]);
            let (home, fallen) = to[p];
            to[c] = if fallen.is_some() {
                (home, fallen)
            } else if deep[p] > 1 && peak[c] - own.birth >= least {
                clusters.push(CondensedCluster { parent: Some(home), ..own.clone() });
                (clusters.len() as u32 - 1, None)
            } else if deep[p] < 2 && best[p] == c {
                let home_cluster = &mut clusters[home as usize];
                home_cluster.stability += own.stability;
                home_cluster.death = if own.death > home_cluster.death { own.death } else { home_cluster.death };
                (home, None)
            } else {
                let home_cluster = &mut clusters[home as usize];
                home_cluster.death = if own.birth > home_cluster.death { own.birth } else { home_cluster.death };
                (home, Some(own.birth))
            };
        }
        let rows = self.row_cluster.iter().zip(&self.row_lambda);
        let (row_cluster, row_lambda) =
            rows.map(|(&c, &lambda)| (to[c as usize].0, to[c as usize].1.unwrap_or(lambda))).unzip();
        CondensedTree { clusters, row_cluster, row_lambda }
    }
}
