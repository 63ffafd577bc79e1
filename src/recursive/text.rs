//! The tree as text, for a terminal.

use super::{ClusterTree, Node};
use crate::core::percent;
use std::fmt::Write;

impl ClusterTree {
    /// The tree as text: a line for each node with its path, rows, share of all rows and persistence, its name if it has
    /// one, then what `remark` adds for it, such as its most important features; last the [coverage](ClusterTree::coverage),
    /// of which level 1 is here the first below the root.
    pub fn to_text(&self, mut remark: impl FnMut(&Node) -> String) -> String {
        let names: Vec<String> =
            self.nodes.iter().map(|node| format!("{}{}", indent(node.level()), node.path)).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(4);
        let digits = self.rows().to_string().len().max(4);
        let mut text = format!("{:width$}  {:>digits$}  {:>7}  persistence\n", "path", "rows", "share");
        for (node, name) in self.nodes.iter().zip(names) {
            let persistence = node.persistence.map_or_else(|| "          -".into(), |p| format!("{p:>11.2}"));
            let share = percent(node.share());
            let found = if node.in_noise { "found in noise".to_string() } else { String::new() };
            let remark = [shown(&node.name), found, remark(node)].into_iter().filter(|part| !part.is_empty());
            let remark = remark.collect::<Vec<_>>().join("  ");
            let line = format!("{name:width$}  {:>digits$}  {share:>7}  {persistence}  {remark}", node.rows.len());
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}", line.trim_end());
            if node.noise() > 0 {
                let share = percent(node.noise() as f64 / self.rows() as f64);
                let name = format!("{}{}.-", indent(node.level() + 1), node.path);
                let _ = writeln!(text, "{name:width$}  {:>digits$}  {share:>7}            -  noise", node.noise());
            }
        }
        if let Some(coverage) = self.coverage_in_words() {
            let _ = writeln!(text, "{coverage}");
        }
        text
    }
}

impl std::fmt::Display for ClusterTree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(
            &self.to_text(|node| node.stop_reason.as_ref().map_or_else(String::new, |reason| reason.to_string())),
        )
    }
}

/// A name in one line, in quotes and cut to fit; nothing for none.
pub(super) fn shown(name: &str) -> String {
    const MOST: usize = 40;
    let plain = name.chars().map(|c| if c.is_control() { ' ' } else { c });
    match name.chars().count() {
        0 => String::new(),
        n if n > MOST => format!("\"{}…\"", plain.take(MOST - 1).collect::<String>()),
        _ => format!("\"{}\"", plain.collect::<String>()),
    }
}

fn indent(level: usize) -> String {
    "  ".repeat(level.saturating_sub(1))
}
