//! Whether nodes make a tree: they may come from a file, or from a fit that was interrupted.

use super::weights::ROUNDED;
use super::{ClusterTree, Node, Separation, Stability};
use crate::core::checks::{self, Check};
use crate::{Clustering, NOISE};

impl ClusterTree {
    /// That every node is sound, and holds the rows that its parent's labels say.
    pub(super) fn check(&self) -> Check {
        checks::that(self.columns > 0, || "no columns".into())?;
        let Some(root) = self.nodes.first() else { return Err("no nodes".into()) };
        let n = root.rows.len();
        checks::that(n > 0 && root.path == "0" && root.parent_rows == n, || {
            format!("the first node is \"{}\" of {n} rows", root.path)
        })?;
        checks::rising("rows of the root", &root.rows, n)?;
        let rising = self.nodes.is_sorted_by(|a, b| a.path < b.path);
        checks::that(rising, || "nodes are out of order".into())?;
        let mut below = 0;
        for node in &self.nodes {
            let wrong = |reason: String| format!("node \"{}\": {reason}", node.path);
            checks::count("rows of all", node.total_rows, n).map_err(wrong)?;
            node.check().map_err(wrong)?;
            let like_root = node.weight.is_some() == root.weight.is_some();
            checks::that(like_root, || wrong("a weight where others have none, or none where they have".into()))?;
            // No file makes us look for billions of children.
            checks::that((node.children as usize) < self.nodes.len(), || wrong("children are missing".into()))?;
            let children: Vec<&Node> = self.children(node).collect();
            checks::count("children", children.len(), node.children as usize).map_err(wrong)?;
            node.check_children(&children).map_err(wrong)?;
            below += children.len();
        }
        checks::that(below + 1 == self.nodes.len(), || "a node is no node's child".into())
    }
}

impl Node {
    /// The node by itself.
    fn check(&self) -> Check {
        let n = self.rows.len();
        checks::count("memberships", self.membership.len(), n)?;
        checks::each("memberships", &self.membership, |m| (0.0..=1.0).contains(m))?;
        checks::shares("persistence", &self.persistence)?;
        checks::shares("weight", &self.weight)?;
        if let Some(Stability { jaccard, found, runs, share }) = self.stability {
            checks::shares("stability", &[jaccard, share])?;
            checks::that(found <= runs, || format!("found again in {found} of {runs} runs"))?;
        }
        for (what, table) in [("embedding", &self.embedding), ("map", &self.map)] {
            if let Some(table) = table {
                checks::table(what, table, (n, table.ncols().max(1)))?;
            }
        }
        checks::that(self.embedding.is_some() || self.map.is_none(), || "a map without an embedding".into())?;
        checks::that(self.stop_reason.is_none() || self.is_leaf(), || "a reason to stop is a leaf's".into())?;
        checks::that(self.split.is_some() || self.is_leaf(), || "children without a split".into())?;
        checks::count("labels", self.labels.len(), if self.is_leaf() { 0 } else { n })?;
        let Some(split) = &self.split else { return Ok(()) };
        let own = self.own_children();
        checks::that(split.children.iter().flatten().all(|&child| child < own), || {
            "a cluster went to a child that is not there".into()
        })?;
        if let Some(noise) = &split.noise {
            checks::that((2..=self.children).contains(&noise.first) && noise.rows <= n, || {
                "noise of a node that was not split".into()
            })?;
            checks::that(
                noise.children.iter().flatten().all(|child| (noise.first..self.children).contains(child)),
                || "a cluster of the noise went to a child that is not there".into(),
            )?;
            checks::that((self.children > own) == noise.stop_reason.is_none(), || {
                "noise with clusters and a reason to stop".into()
            })?;
            separations(&noise.separations, noise.children.len())?;
        }
        separations(&split.separations, split.children.len())?;
        checks::that(split.moved == 0 || split.moved <= n && split.clustering.is_some() && !self.is_leaf(), || {
            "moved rows without what they were moved from".into()
        })?;
        // A proposal that is kept is one that a clusterer could have made.
        match &split.clustering {
            None => checks::count("clusters proposed", split.children.len(), own as usize),
            Some(proposed) => {
                checks::count("labels proposed", proposed.labels().len(), n)?;
                let sound = Clustering::new(proposed.labels().to_vec())
                    .and_then(|sound| sound.with_membership(proposed.membership().to_vec()))
                    .and_then(|sound| match proposed.persistence() {
                        None => Ok(sound),
                        Some(persistence) => sound.with_persistence(persistence.to_vec()),
                    })
                    .map_err(|error| error.to_string())?;
                checks::that(sound == *proposed, || "clusters proposed do not agree".into())?;
                checks::count("clusters proposed", split.children.len(), sound.clusters())
            }
        }
    }

    /// That the children hold the rows of their labels.
    fn check_children(&self, children: &[&Node]) -> Check {
        if self.is_leaf() {
            return Ok(());
        }
        checks::labels(&self.labels, children.len(), NOISE)?;
        let mut rows = vec![Vec::new(); children.len()];
        for (&row, &label) in self.rows.iter().zip(&self.labels).filter(|(_, label)| **label >= 0) {
            rows[label as usize].push(row);
        }
        for (child, rows) in children.iter().zip(&rows) {
            let fits = child.rows == *rows && child.parent_rows == self.rows.len();
            checks::that(fits, || format!("child \"{}\" has other rows", child.path))?;
        }
        if let Some(weight) = self.weight {
            let below: f64 = children.iter().filter_map(|child| child.weight).sum();
            checks::that(below <= weight + ROUNDED, || format!("children weigh {below} of {weight}"))?;
        }
        // From the largest: first the node's own clusters, then those of its noise.
        let (own, noise) = children.split_at(self.own_children() as usize);
        checks::that(own.iter().all(|child| !child.in_noise) && noise.iter().all(|child| child.in_noise), || {
            "children of the noise are not the last".into()
        })?;
        let shrink = |all: &[&Node]| all.is_sorted_by(|a, b| a.rows.len() >= b.rows.len());
        checks::that(shrink(own) && shrink(noise), || "children grow".into())
    }

    /// Children that are not of the noise.
    fn own_children(&self) -> u32 {
        let noise = self.split.as_ref().and_then(|split| split.noise.as_ref());
        noise.map_or(self.children, |noise| noise.first.min(self.children))
    }
}

/// That separations are of clusters that were proposed.
fn separations(all: &[Separation], proposed: usize) -> Check {
    for separation in all {
        checks::that((0.0..=1.0).contains(&separation.p_value), || "a p-value outside 0 to 1".into())?;
        let mut clusters = separation.of.iter().chain(&separation.from);
        checks::that(clusters.all(|&cluster| cluster < proposed), || "a cluster not proposed".into())?;
    }
    Ok(())
}

#[cfg(feature = "serde")]
impl crate::Saved for ClusterTree {
    const FORMAT: &'static str = "recluster tree";
    const VERSION: u64 = 2;

    fn validate(&self) -> Check {
        self.check()
    }
}
