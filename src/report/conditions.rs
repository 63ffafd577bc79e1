//! What the rules and the differences of clusters say of columns, in the words of the catalogue.

use super::text::{Text, words};
use crate::explain::{Condition, FeatureDifference, Phrase, Rule};
use crate::table::{Feature, FeatureKind, RangeWords};

/// The conditions of a rule with the report's names of the columns; `features` are what the columns mean.
pub(super) fn conditions(text: &Text, rule: &Rule, names: &[String], features: &[Feature]) -> Vec<String> {
    rule.conditions.iter().map(|own| condition(text, own, names.get(own.column), features.get(own.column))).collect()
}

fn condition(text: &Text, own: &Condition, name: Option<&String>, feature: Option<&Feature>) -> String {
    let phrase = feature.map(|feature| (own.criterion.phrase(feature), feature));
    match (name, phrase) {
        // The rule may have been found by another schema, which the report does not know: then its own words stand.
        (Some(name), Some((phrase, feature))) if own.words == format!("{} {phrase}", own.name) => {
            said(text, name, phrase, feature)
        }
        _ => renamed(&own.words, &own.name, name),
    }
}

fn said(text: &Text, name: &str, phrase: Phrase, feature: &Feature) -> String {
    let value = |words: String| figure(text, feature, words);
    match phrase {
        Phrase::Range(range) => match range {
            RangeWords::Anything => words!(text, "condition.anything", name = name),
            RangeWords::Is(level) => words!(text, "condition.is", name = name, value = value(level)),
            RangeWords::FromTo(low, high) => {
                words!(text, "condition.from_to", name = name, low = value(low), high = value(high))
            }
            RangeWords::AtLeast(low) => words!(text, "condition.at_least", name = name, value = value(low)),
            RangeWords::AtMost(high) => words!(text, "condition.at_most", name = name, value = value(high)),
            RangeWords::FromOn(low) => words!(text, "condition.from_on", name = name, date = low),
            RangeWords::FromBefore(low, high) => {
                words!(text, "condition.from_before", name = name, low = low, high = high)
            }
            RangeWords::Before(high) => words!(text, "condition.before", name = name, date = high),
            RangeWords::FromBelow(low, high) => {
                words!(text, "condition.from_below", name = name, low = value(low), high = value(high))
            }
            RangeWords::Below(high) => words!(text, "condition.below", name = name, value = value(high)),
        },
        Phrase::Is(levels) => match &levels[..] {
            [first @ .., last] if !first.is_empty() => {
                let first = first.join(&words!(text, "list.between"));
                words!(text, "condition.is_one_of", name = name, first = first, last = last)
            }
            _ => words!(text, "condition.is", name = name, value = value(levels.concat())),
        },
        Phrase::IsNot(level) => words!(text, "condition.is_not", name = name, value = value(level)),
        Phrase::Missing => words!(text, "condition.is_missing", name = name),
        Phrase::NotMissing => words!(text, "condition.is_not_missing", name = name),
    }
}

/// How two clusters differ in one column.
pub(super) fn difference(
    text: &Text,
    own: &FeatureDifference,
    name: Option<&String>,
    feature: Option<&Feature>,
) -> String {
    let called = name.unwrap_or(&own.name);
    if let Some(level) = own.levels.first() {
        let (here, there) = (text.whole(level.here), text.whole(level.there));
        return words!(text, "near.level", name = called, level = &level.level, here = here, there = there);
    }
    // As above, what was found by another schema keeps its words.
    let Some(feature) = feature.filter(|feature| own.says(feature)) else {
        return renamed(&own.words, &own.name, name);
    };
    // Percentages as the difference's own words have them, whose spaces may break the line.
    let percent = |share: f64| text.percent(share).replace('\u{a0}', " ");
    let [Some(here), Some(there)] = own.mean else {
        let (here, there) = (percent(own.missing[0]), percent(own.missing[1]));
        return words!(text, "near.missing", name = called, here = here, there = there);
    };
    let [here, there] = feature.averages([here, there]).map(|mean| figure(text, feature, mean));
    let means = words!(text, "near.means", name = called, here = here, there = there);
    match own.standardised {
        Some(d) if d > 0.0 => words!(text, "near.higher", means = means, number = text.decimals(d, 1)),
        Some(d) if d != 0.0 => words!(text, "near.lower", means = means, number = text.decimals(d.abs(), 1)),
        _ => means,
    }
}

/// A value in a table's words, a number with the decimal mark of the language.
pub(super) fn figure(text: &Text, feature: &Feature, words: String) -> String {
    if feature.kind() == FeatureKind::Number { text.point(&words) } else { words }
}

/// Words that begin with a column's name, with the report's name of it instead.
fn renamed(words: &str, name: &str, instead: Option<&String>) -> String {
    match (instead, words.strip_prefix(name)) {
        (Some(instead), Some(rest)) => format!("{instead}{rest}"),
        _ => words.to_string(),
    }
}
