//! The first screen of a card: who they are, how sure we are, what to do with them.

use super::conditions::{conditions, difference};
use super::sure::{self, of_hundred};
use super::text::{say, words};
use super::{Contents, page, typical};
use crate::explain::{Difference, FeatureDifference, Rule};
use crate::recursive::Node;
use maud::{Markup, html};

/// Differences from the nearest cluster that are named.
const SAID: usize = 3;

/// The answers for leaf number `leaf`, which is `node`; `picture` is its average image.
pub(super) fn answers(contents: &Contents<'_>, leaf: usize, node: &Node, picture: Option<&str>) -> Markup {
    let text = contents.text();
    html! {
        div class="answers" {
            section { h4 { (say!(text, "answers.who")) } (who(contents, leaf, picture)) }
            section { h4 { (say!(text, "answers.sure")) } (how_sure(contents, leaf, node)) }
            section { h4 { (say!(text, "answers.do")) } (what_to_do(contents, leaf, node)) }
        }
        @if let Some(found) = contents.difference(node) { (nearest(contents, found)) }
    }
}

fn who(contents: &Contents<'_>, leaf: usize, picture: Option<&str>) -> Markup {
    let text = contents.text();
    let rules = contents.report.rules.map(|rules| &rules[leaf].rules[..]);
    let furthest = || page::distinctive(contents, leaf);
    html! {
        @if let Some(address) = picture { img class="pixels who" src=(address) alt=(words!(text, "answers.picture")); }
        @match rules {
            Some([]) => { p { (say!(text, "answers.no_rule", list = furthest())) } },
            Some(rules) => { @for (i, own) in rules.iter().enumerate() { (rule(contents, own, i > 0)) } },
            None if picture.is_some() => { p { (say!(text, "answers.looks")) } },
            None => { p { (say!(text, "answers.furthest", list = furthest())) } },
        }
    }
}

fn rule(contents: &Contents<'_>, rule: &Rule, further: bool) -> Markup {
    let text = contents.text();
    let conditions: Vec<String> = conditions(text, rule, &contents.names, &contents.meanings);
    let unseen = if further { String::new() } else { words!(text, "rule.unseen") };
    let by_weight = if contents.shares.weighted { words!(text, "rule.by_weight") } else { String::new() };
    let fits = match rule.rows {
        0 => say!(text, "rule.fits_none"),
        _ => say!(
            text,
            "rule.fits",
            precise = of_hundred(text, rule.precision),
            recall = text.whole(rule.recall),
            by_weight = by_weight,
            unseen = unseen
        ),
    };
    html! {
        p class="rule" {
            @if further { (say!(text, "rule.or")) }
            @for (i, condition) in conditions.iter().enumerate() {
                @if i > 0 { (say!(text, "rule.and")) }
                b { (condition) }
            }
        }
        p class="small" {
            (fits)
            @match rule.returned {
                Some(share) if share < 0.5 => { " " (say!(text, "rule.returned_seldom", share = text.whole(share))) },
                Some(share) => { " " (say!(text, "rule.returned", share = text.whole(share))) },
                None => {}
            }
        }
    }
}

fn how_sure(contents: &Contents<'_>, leaf: usize, node: &Node) -> Markup {
    let (report, text) = (contents.report, contents.text());
    let verdict = report.tree.least_separated(node);
    let looked_twice = sure::overlap_at_second_look(report.tree, node).map(|overlap| text.decimals(overlap, 2));
    html! {
        ul {
            @match (node.stability(), looked_twice) {
                (Some(found), _) => { li { (sure::stability(text, found)) } },
                (None, Some(overlap)) => { li { (say!(text, "sure.second_look", overlap = overlap)) } },
                (None, None) if node.level() > 1 => { li { (say!(text, "sure.no_stability")) } },
                (None, None) => {}
            }
            @match &verdict {
                Some((other, found)) => { li { (sure::separation(text, other, found)) } },
                None if node.level() > 1 => { li { (say!(text, "sure.no_separation")) } },
                None => {}
            }
            @if let Some(found) = contents.confidence[leaf] { li { (found.words(text)) } }
            @if let Some(found) = report.fidelity { li { (sure::fidelity(text, &found.clusters[leaf])) } }
        }
    }
}

fn what_to_do(contents: &Contents<'_>, leaf: usize, node: &Node) -> Markup {
    let text = contents.text();
    if node.level() == 1 {
        return html! { p { (say!(text, "todo.one_group")) } };
    }
    let verdict = contents.report.tree.least_separated(node).map(|(_, found)| found.grade);
    let grade = sure::stability_grade(contents.report.tree, node);
    // Of a cluster that is nothing to build on, rows are not to be found elsewhere.
    let best =
        contents.report.rules.filter(|_| sure::holds(grade, verdict)).and_then(|rules| rules[leaf].rules.first());
    html! {
        p { (sure::advice(text, grade, verdict)) }
        @if let Some(best) = best {
            p {
                @let comes_back = best.returned.is_none_or(|share| share >= 0.5);
                @match (best.precision >= 0.8 && comes_back, best.recall >= 0.6) {
                    (true, true) => (say!(text, "todo.rule")),
                    (true, false) => (say!(text, "todo.rule_and_model")),
                    _ => (say!(text, "todo.model")),
                }
            }
        }
    }
}

/// What tells a cluster from the nearest one.
fn nearest(contents: &Contents<'_>, found: &Difference) -> Markup {
    let text = contents.text();
    let cluster = html! { a href=(format!("#cluster-{}", found.there)) { (found.there) } };
    let apart = |own: &FeatureDifference| {
        difference(text, own, contents.names.get(own.feature), contents.meanings.get(own.feature))
    };
    let told: Vec<&FeatureDifference> = found.features.iter().filter(|own| own.contrast > 0.0).take(SAID).collect();
    html! {
        div class="near" {
        h4 { (say!(text, "near.title", cluster = cluster)) }
        @if told.is_empty() {
            p { (say!(text, "near.nothing")) }
        } @else {
            p { (say!(text, "near.most")) }
            ul class="apart" { @for own in told { li { (apart(own)) } } }
            @if contents.report.image.is_none() { (typical::rows(contents, found)) }
        }
        }
    }
}
