//! The condensed tree: the hierarchy read from the top, splits into parts that are too small taken as rows falling out.

use super::hierarchy::Hierarchy;

/// A cluster of the condensed tree.
///
/// Density is measured as λ = 1 / distance. A distance of zero counts as half the smallest positive merge distance of
/// the data (as 1 where there is none), so that λ, and all that is summed from it, stays finite.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CondensedCluster {
    /// The cluster it split from; none for the root, cluster 0. Always a smaller number than its own.
    pub parent: Option<u32>,
    /// λ at which it split from its parent; 0 for the root.
    pub birth: f64,
    /// Largest λ at which rows left it, or at which it split.
    pub death: f64,
    /// Rows at its birth.
    pub size: u32,
    /// Excess of mass: the sum over its rows of (λ at which the row left it or it split) - birth.
    pub stability: f64,
}

/// Which clusters exist at which densities, and where each row falls out.
///
/// Clusters are numbered as they appear while the density rises; those that appear at one split by falling size.
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

    /// Condenses a hierarchy. O(n) and a sort of the clusters that appear together.
    ///
    /// A node at which two or more children have `min_cluster_size` rows ends its cluster and begins theirs; at a node
    /// with one such child the cluster goes on as that child; at a node with none it ends. Everything else falls out.
    pub(super) fn new(hierarchy: &Hierarchy, min_cluster_size: usize) -> Self {
        let rows = hierarchy.rows;
        let nodes = hierarchy.weight.len();
        let zero = match hierarchy.weight.iter().find(|&&weight| weight > 0.0) {
            Some(&weight) => 2.0 / weight,
            None => 1.0,
        };
        let root = CondensedCluster { parent: None, birth: 0.0, death: 0.0, size: rows as u32, stability: 0.0 };
        let mut clusters = vec![root];
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
            let weight = hierarchy.weight[node];
            let lambda = if weight > 0.0 { 1.0 / weight } else { zero };
            large.clear();
            large.extend(
                hierarchy.children(node).filter(|&child| hierarchy.size_of(child) as usize >= min_cluster_size),
            );
            let mut left = 0;
            for child in hierarchy.children(node) {
                cluster[child as usize] = c;
                if large.len() != 1 || large[0] != child {
                    fallen[child as usize] = lambda;
                    left += u64::from(hierarchy.size_of(child));
                }
            }
            let own = &mut clusters[c as usize];
            own.stability += (lambda - own.birth) * left as f64;
            if left > 0 && lambda > own.death {
                own.death = lambda;
            }
            if large.len() > 1 {
                large.sort_by_key(|&child| (std::cmp::Reverse(hierarchy.size_of(child)), hierarchy.place_of(child)));
                for &child in &large {
                    cluster[child as usize] = clusters.len() as u32;
                    fallen[child as usize] = -1.0;
                    let size = hierarchy.size_of(child);
                    clusters.push(CondensedCluster {
                        parent: Some(c),
                        birth: lambda,
                        death: lambda,
                        size,
                        stability: 0.0,
                    });
                }
            }
        }
        cluster.truncate(rows);
        fallen.truncate(rows);
        for lambda in &mut fallen {
            *lambda = if *lambda < 0.0 { 0.0 } else { *lambda }; // A single row never falls.
        }
        CondensedTree { clusters, row_cluster: cluster, row_lambda: fallen }
    }
}
