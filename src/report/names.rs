//! Names of clusters: given by people, or proposed from a cluster's best rule.

use super::Report;
use super::charts::short;
use super::conditions::conditions;
use super::text::{Text, words};
use crate::explain::Rule;
use crate::recursive::{ClusterTree, Node, Path};
use crate::table::Feature;
use std::collections::BTreeMap;

/// Characters of a name that are shown.
const MOST: usize = 80;
/// Letters of the name of a column or a level.
const LONGEST: usize = 200;
/// Least precision of a rule that a name is made of.
const LEAST: f64 = 0.5;

/// A cluster's name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Name {
    pub(super) text: String,
    /// Whether it was made of a rule.
    pub(super) proposed: bool,
}

/// The names of a tree's nodes.
pub(super) struct Names(BTreeMap<Path, Name>);

/// What the leaves' best rules propose, by path; `columns` are the names of the columns, `features` what they mean.
pub(super) fn proposed(report: &Report<'_>, columns: &[String], features: &[Feature]) -> BTreeMap<Path, String> {
    // The name of a pixel says nothing; the average image does.
    let rules = report.rules.filter(|_| report.image.is_none()).unwrap_or_default();
    let named = leaves(report.tree).zip(rules).filter_map(|(leaf, own)| {
        let between = words!(report.text, "list.between");
        let text = best(&own.rules).map(|rule| listed(&conditions(&report.text, rule, columns, features), &between))?;
        Some((leaf.path().clone(), text))
    });
    named.collect()
}

impl Names {
    /// The names that the tree has and, for nodes without one, those that are proposed.
    pub(super) fn of(tree: &ClusterTree, proposed: &BTreeMap<Path, String>) -> Self {
        let propose = |(path, text): (&Path, &String)| (path.clone(), Name { text: plain(text), proposed: true });
        let mut names: BTreeMap<Path, Name> = proposed.iter().map(propose).collect();
        let given = tree.nodes().iter().map(|node| (node, plain(node.name()))).filter(|(_, text)| !text.is_empty());
        names.extend(given.map(|(node, text)| (node.path().clone(), Name { text, proposed: false })));
        Names(names)
    }

    pub(super) fn get(&self, node: &Node) -> Option<&Name> {
        self.0.get(node.path())
    }
}

/// The rule that says most precisely who most of a cluster's rows are, by the harmonic mean of precision and recall; of equal
/// ones the first.
fn best(rules: &[Rule]) -> Option<&Rule> {
    let score = |rule: &Rule| 2.0 * rule.precision * rule.recall / (rule.precision + rule.recall);
    let precise = rules.iter().filter(|rule| rule.precision >= LEAST);
    precise.reduce(|best, rule| if score(rule) > score(best) { rule } else { best })
}

/// The first of the conditions that a name has room for: a value that is cut says something else.
fn listed(conditions: &[String], between: &str) -> String {
    let mut name = conditions.first().map_or(String::new(), |first| plain(first));
    for (i, condition) in conditions.iter().enumerate().skip(1) {
        let longer = format!("{name}{between}{}", one_line(condition));
        let more = format!("{name}{between}…");
        // Before the last one there has to be room for what says that there are more.
        let mark = if i + 1 < conditions.len() { between.chars().count() + 1 } else { 0 };
        if longer.chars().count() + mark > MOST {
            return if more.chars().count() > MOST { name } else { more };
        }
        name = longer;
    }
    name
}

/// The leaves below the root, in their order; of a root that stayed whole nothing is to be told.
fn leaves(tree: &ClusterTree) -> impl Iterator<Item = &Node> {
    tree.leaves().filter(|leaf| leaf.level() > 1)
}

/// A column's name as the page shows it.
pub(super) fn column(text: &Text, name: &str) -> String {
    match plain(name) {
        name if name.is_empty() => words!(text, "column.no_name"),
        name => name,
    }
}

/// A name in one line that reads in one direction, cut to fit.
fn plain(name: &str) -> String {
    short(&one_line(name), MOST)
}

/// A name without breaks and marks of direction, and of a length that a sentence can bear.
pub(super) fn one_line(name: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let text: String = name.chars().filter(|&c| !turns(c)).map(|c| if c.is_control() { ' ' } else { c }).collect();
    short(text.trim(), LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_rule_is_precise_and_covers_much() {
        let rule = |precision: f64, recall: f64| Rule {
            conditions: Vec::new(),
            precision,
            recall,
            lift: 1.0,
            rows: 10,
            returned: None,
        };
        let rules = [rule(1.0, 0.2), rule(0.8, 0.7), rule(0.8, 0.7), rule(0.4, 1.0)];
        assert!(std::ptr::eq(best(&rules).unwrap(), &rules[1]));
        assert!(best(&rules[3..]).is_none() && best(&[]).is_none() && best(&[rule(f64::NAN, 0.0)]).is_none());
    }

    #[test]
    fn a_name_has_whole_conditions() {
        let of =
            |lengths: &[usize]| listed(&lengths.iter().map(|&length| "x".repeat(length)).collect::<Vec<_>>(), ", ");
        let sizes = |lengths: &[usize]| of(lengths).split(", ").map(|part| part.chars().count()).collect::<Vec<_>>();
        assert_eq!((sizes(&[20, 20]), sizes(&[40, 38])), (vec![20, 20], vec![40, 38]));
        assert_eq!(sizes(&[30, 30, 30]), [30, 30, 1]);
        assert!(of(&[30, 30, 30]).ends_with(", …"));
        assert_eq!((sizes(&[75, 20]), sizes(&[79, 20]), sizes(&[100, 20])), (vec![75, 1], vec![79], vec![MOST]));
        assert_eq!(of(&[]), "");
    }

    #[test]
    fn names_are_one_line() {
        assert_eq!(plain(" night\n\u{202e}owls\u{0} "), "night owls");
        assert_eq!(plain("\u{2066}\t"), "");
        assert_eq!(plain(&"x".repeat(500)).chars().count(), MOST);
    }
}
