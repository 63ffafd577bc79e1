//! A comparison as text, for a terminal.

use super::text::shown;
use super::{Compared, Comparison, Fate, Match};
use crate::core::percent;
use std::fmt::Write;

impl Compared {
    /// "kept as 0.1", "split into 0.0, 0.3", "new".
    fn verdict(&self, after: bool) -> String {
        let word = match (self.fate, after) {
            (Fate::Kept, false) => "kept as",
            (Fate::Kept, true) => "kept from",
            (Fate::Split, false) => "split into",
            (Fate::Split, true) => "split off",
            (Fate::Merged, false) => "merged into",
            (Fate::Merged, true) => "merged from",
            (Fate::New, _) => "new",
            (Fate::Gone, _) => "gone",
        };
        let with: Vec<String> = self.with.iter().map(|path| cell(path)).collect();
        format!("{word} {}", with.join(", ")).trim_end().to_string()
    }
}

/// Columns of text.
const WIDTH: usize = 100;
/// Most characters of a path in a table.
const PATH: usize = 18;
/// Most flows that are listed as text.
const FLOWS: usize = 20;

/// Text in one line, cut to fit.
fn cell(text: &str) -> String {
    cut(text, PATH)
}

fn cut(text: &str, most: usize) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    match text.chars().count() > most {
        true => plain.take(most - 1).chain(['…']).collect(),
        false => plain.collect(),
    }
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let share = |rows: usize| percent(rows as f64 / self.rows as f64);
        let mut text = format!(
            "Of {} rows {} changed cluster. Noise: {} before, {} after.\nAdjusted Rand index of the leaves: {:.3}\n",
            self.rows,
            share(self.moved),
            share(self.noise[0]),
            share(self.noise[1]),
            self.adjusted_rand
        );
        for (side, leaves, after) in [("before", &self.before, false), ("after", &self.after, true)] {
            // After, only what has no line yet.
            let leaves: Vec<&Compared> = leaves.iter().filter(|leaf| !after || leaf.fate != Fate::Kept).collect();
            if leaves.is_empty() {
                continue;
            }
            let best = if after { "before" } else { "after" };
            let _ =
                writeln!(text, "\n{side:PATH$} {:>8}  most like {best:7} {:>8}  Jaccard  verdict", "rows", "common");
            for leaf in leaves {
                let Match { cluster, name, rows, best, jaccard, common } = &leaf.matched;
                let best = best.as_deref().map_or("-".to_string(), cell);
                let line = format!(
                    "{:PATH$} {rows:>8}  {best:PATH$}{common:>8}  {jaccard:>7.2}  {}  {}",
                    cell(cluster),
                    leaf.verdict(after),
                    shown(name)
                );
                let _ = writeln!(text, "{}", cut(line.trim_end(), WIDTH));
            }
        }
        if !self.flows.is_empty() {
            let _ = writeln!(text, "\n{:PATH$} {:PATH$} {:>8} {:>8}", "from", "to", "rows", "share");
        }
        for flow in self.flows.iter().take(FLOWS) {
            let share = percent(flow.share);
            let _ = writeln!(text, "{:PATH$} {:PATH$} {:>8} {share:>8}", cell(&flow.from), cell(&flow.to), flow.rows);
        }
        if self.flows.len() > FLOWS {
            let _ = writeln!(text, "and {} smaller ones", self.flows.len() - FLOWS);
        }
        f.write_str(&text)
    }
}
