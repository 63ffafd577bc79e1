//! The first screen of a card: who they are, how sure we are, what to do with them.

use super::names::{conditions, renamed};
use super::parts::term;
use super::sure::{self, of_hundred};
use super::words::whole;
use super::{Contents, page};
use crate::explain::{Difference, FeatureDifference, Rule};
use crate::recursive::Node;
use maud::{Markup, html};

/// Differences from the nearest cluster that are named.
const SAID: usize = 3;

/// The answers for leaf number `leaf`, which is `node`; `picture` is its average image.
pub(super) fn answers(contents: &Contents<'_>, leaf: usize, node: &Node, picture: Option<&str>) -> Markup {
    html! {
        div class="answers" {
            section { h4 { "Who they are" } (who(contents, leaf, picture)) }
            section { h4 { "How sure we are" } (how_sure(contents, leaf, node)) }
            section { h4 { "What to do with them" } (what_to_do(contents, leaf, node)) }
        }
        @if let Some(found) = contents.difference(node) { (nearest(contents, found)) }
    }
}

fn who(contents: &Contents<'_>, leaf: usize, picture: Option<&str>) -> Markup {
    let rules = contents.report.rules.map(|rules| &rules[leaf].rules[..]);
    html! {
        @if let Some(address) = picture { img class="pixels who" src=(address) alt="average image of the cluster"; }
        @match rules {
            Some([]) => { p { "No short rule says which rows these are. Furthest from usual: " (page::distinctive(contents, leaf)) "." } },
            Some(rules) => { @for (i, own) in rules.iter().enumerate() { (rule(contents, own, i > 0)) } },
            None if picture.is_some() => { p { "Rows that look like this on average." } },
            None => { p { "Furthest from usual: " (page::distinctive(contents, leaf)) "." } },
        }
    }
}

fn rule(contents: &Contents<'_>, rule: &Rule, further: bool) -> Markup {
    let words: Vec<String> = conditions(rule, &contents.names);
    let unseen = if further { "" } else { " (measured on rows that the rule has not seen)" };
    let by_weight = if contents.shares.weighted { ", by weight" } else { "" };
    html! {
        p class="rule" {
            @if further { "or " }
            @for (i, condition) in words.iter().enumerate() {
                @if i > 0 { " and " }
                b { (condition) }
            }
        }
        p class="small" {
            @if rule.rows == 0 {
                "None of the rows that the rule has not seen fits it."
            } @else {
                "Of 100 rows that fit this " (term("rule", "rule")) " " (of_hundred(rule.precision)) " are in the cluster; it covers " (whole(rule.recall)) " of the cluster" (by_weight) (unseen) "."
            }
            @match rule.returned {
                Some(share) if share < 0.5 => { " Other rows often give another rule: this one came back in " (whole(share)) " of resamples." },
                Some(share) => { " It came back in " (whole(share)) " of resamples." },
                None => {}
            }
        }
    }
}

fn how_sure(contents: &Contents<'_>, leaf: usize, node: &Node) -> Markup {
    let report = contents.report;
    let verdict = sure::verdict(report.tree, node);
    html! {
        ul {
            @match node.stability() {
                Some(found) => { li { (sure::stability(found)) } },
                None if node.level() > 1 => { li { "Stability was not measured." } },
                None => {}
            }
            @match &verdict {
                Some((other, found)) => { li { (sure::separation(other, found)) } },
                None if node.level() > 1 => { li { "Separation was not tested." } },
                None => {}
            }
            @if let Some(found) = contents.confidence[leaf] { li { (found.words()) } }
            @if let Some(found) = report.fidelity { li { (sure::fidelity(&found.clusters[leaf])) } }
        }
    }
}

fn what_to_do(contents: &Contents<'_>, leaf: usize, node: &Node) -> Markup {
    if node.level() == 1 {
        return html! { p { "There is nothing to tell apart: all rows are one group." } };
    }
    let verdict = sure::verdict(contents.report.tree, node).map(|(_, found)| found.grade);
    let best = contents.report.rules.and_then(|rules| rules[leaf].rules.first());
    html! {
        p { (sure::advice(node.stability().map(|found| found.grade()), verdict)) }
        @if let Some(best) = best {
            p {
                @match (best.precision >= 0.8, best.recall >= 0.6) {
                    (true, true) => "To find such rows elsewhere, the first rule will do.",
                    (true, false) => "The first rule finds a clear part of them elsewhere; the model finds the rest.",
                    _ => "To find such rows elsewhere, use the model: the rules alone are too coarse.",
                }
            }
        }
    }
}

/// What tells a cluster from the nearest one.
fn nearest(contents: &Contents<'_>, found: &Difference) -> Markup {
    let told: Vec<&FeatureDifference> = found.features.iter().filter(|own| own.contrast > 0.0).take(SAID).collect();
    html! {
        div class="near" {
        h4 { "Nearest cluster: " a href=(format!("#cluster-{}", found.there)) { (found.there) } }
        @if told.is_empty() {
            p { "No column tells them apart." }
        } @else {
            p { "What separates the two most, here and there:" }
            ul class="apart" { @for own in told { li { (apart(contents, own)) } } }
        }
        }
    }
}

/// How two clusters differ in one column.
fn apart(contents: &Contents<'_>, own: &FeatureDifference) -> String {
    let name = contents.names.get(own.feature).unwrap_or(&own.name);
    match own.levels.first() {
        Some(level) => format!("{name} = {}: {} here, {} there", level.level, whole(level.here), whole(level.there)),
        None => renamed(&own.words, &own.name, Some(name)),
    }
}
