//! The condensed tree as text, and which of its clusters are shown.

use super::condense::CondensedTree;
use super::model::HdbscanModel;
use std::fmt::Write;

impl HdbscanModel {
    /// The condensed tree as indented text, a line for each of its `most` largest clusters: rows, the distances at which
    /// it begins and ends, stability, and its label if it is selected.
    pub fn tree_text(&self, most: usize) -> String {
        let clusters = &self.condensed.clusters;
        let shown = Shown::of(&self.condensed, most);
        let label = self.label_of_cluster();
        let mut text = String::new();
        // (cluster, lines to the left of it)
        let mut stack: Vec<(usize, String)> = vec![(0, String::new())];
        while let Some((c, lines)) = stack.pop() {
            let cluster = &clusters[c];
            let far = |lambda: f64| if lambda > 0.0 { short(1.0 / lambda) } else { "all".to_string() };
            let name = label[c].map_or(String::new(), |label| format!("  = cluster {label}"));
            let _ = writeln!(
                text,
                "{lines}{} rows, distance {} to {}, stability {}{name}",
                cluster.size,
                far(cluster.birth),
                far(cluster.death),
                short(cluster.stability)
            );
            let children: Vec<usize> = shown.children(c).collect();
            // The lines of very deep trees are cut, so that text grows with the clusters alone.
            let stem: String = lines.replace("├─ ", "│  ").replace("└─ ", "   ");
            let stem = if stem.chars().count() > 150 { "… ".to_string() } else { stem };
            for (i, &child) in children.iter().enumerate().rev() {
                let corner = if i + 1 == children.len() { "└─ " } else { "├─ " };
                stack.push((child, format!("{stem}{corner}")));
            }
        }
        let hidden = clusters.len() - shown.count;
        if hidden > 0 {
            let _ = writeln!(text, "({hidden} smaller clusters not shown)");
        }
        text
    }

    fn label_of_cluster(&self) -> Vec<Option<usize>> {
        let mut label = vec![None; self.condensed.clusters.len()];
        self.selected.iter().enumerate().for_each(|(number, &c)| label[c as usize] = Some(number));
        label
    }
}

/// The largest clusters of a tree, with links from child to child; 0, the root, ends a list. Parents are never smaller than
/// their children, so these are connected.
pub(crate) struct Shown {
    /// By number.
    pub(crate) order: Vec<usize>,
    first: Vec<usize>,
    next: Vec<usize>,
    pub(crate) count: usize,
}

impl Shown {
    pub(crate) fn of(tree: &CondensedTree, most: usize) -> Self {
        let clusters = &tree.clusters;
        let mut order: Vec<usize> = (0..clusters.len()).collect();
        order.sort_by(|&a, &b| clusters[b].weight.total_cmp(&clusters[a].weight).then(a.cmp(&b)));
        order.truncate(most.max(1));
        order.sort_unstable();
        let mut shown =
            Shown { first: vec![0; clusters.len()], next: vec![0; clusters.len()], count: order.len(), order };
        for at in (1..shown.order.len()).rev() {
            let c = shown.order[at];
            let parent = clusters[c].parent.map_or(0, |parent| parent as usize);
            shown.next[c] = shown.first[parent];
            shown.first[parent] = c;
        }
        shown
    }

    /// The shown ones of a cluster's children.
    pub(crate) fn children(&self, c: usize) -> impl Iterator<Item = usize> + '_ {
        let some = |c: usize| Some(c).filter(|&c| c != 0);
        std::iter::successors(some(self.first[c]), move |&c| some(self.next[c]))
    }
}

/// A number in few characters.
fn short(x: f64) -> String {
    let size = x.abs();
    let text = match size {
        _ if size != 0.0 && !(1e-3..1e6).contains(&size) => return format!("{x:.1e}"),
        _ if size >= 100.0 => format!("{x:.0}"),
        _ if size >= 1.0 => format!("{x:.2}"),
        _ => format!("{x:.4}"),
    };
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}
