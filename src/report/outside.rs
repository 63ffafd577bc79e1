//! Outside variables: what the report shows of the columns that did not make the clusters.

use super::data::kind;
use super::text::{Text, Value, words};
use crate::core::inference::Z95;
use crate::explain::{OutsideCell, OutsideMeasure, OutsidePart, OutsideVariable};
use crate::table::{Feature, FeatureKind, Field, Kind, Schema};

/// Levels that a table shows, the most frequent.
const LEVELS: usize = 8;
/// Least difference that a card names, in standard deviations, and most of them.
const LEAST: f64 = 0.1;
const NAMED: usize = 3;

/// A variable, ready for its table.
pub(super) struct Variable {
    pub(super) name: String,
    /// Its kind in words.
    pub(super) kind: String,
    /// What the test says.
    pub(super) verdict: String,
    pub(super) heads: Vec<String>,
    /// Whether its cells are shares of levels.
    pub(super) shares: bool,
    /// Whether the last head is that of missing values.
    pub(super) missing: bool,
    pub(super) all: Line,
    pub(super) leaves: Vec<Line>,
}

/// All rows, or a leaf.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    /// Rows that have a value.
    pub(super) present: usize,
    /// One for each head.
    pub(super) cells: Vec<Cell>,
}

/// A figure in words; none of too few rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Cell {
    pub(super) words: Option<String>,
    pub(super) index: Option<f64>,
    /// Rows and interval, of shares and means in a leaf.
    pub(super) tip: Option<String>,
    pub(super) differs: bool,
}

/// What sets a leaf apart from the other ones.
pub(super) struct Difference {
    /// Such as "country = PT".
    pub(super) name: String,
    pub(super) here: String,
    /// The ends of its interval.
    pub(super) interval: Option<[String; 2]>,
    pub(super) all: String,
    pub(super) index: Option<f64>,
}

/// What the page shows.
pub(super) struct Tables {
    pub(super) variables: Vec<Variable>,
    /// Variables that cannot be shown, with the reasons.
    pub(super) skipped: Vec<(String, String)>,
    /// For each leaf what differs most, furthest first.
    pub(super) differences: Vec<Vec<Difference>>,
    /// Variables that were tested.
    pub(super) tested: usize,
}

impl Tables {
    /// Of what was found of the features of `schema`, one for each.
    pub(super) fn of(text: &Text, schema: &Schema, found: &[OutsideVariable], leaves: usize) -> Self {
        let mut skipped: Vec<_> = schema.set_aside().map(|(name, why)| (name.to_string(), why.to_string())).collect();
        let features: Vec<Feature> = schema.features().into_iter().collect();
        let mut variables = Vec::new();
        let columns: Vec<usize> = (0..features.len()).collect();
        let field_of = |column: usize| schema.fields().get(features[column].field());
        let is_answer = |column: usize| field_of(column).is_some_and(|field| field.kind == Kind::Answers);
        // The answers of one question are one table.
        let together = |a: &usize, b: &usize| is_answer(*a) && features[*a].field() == features[*b].field();
        for columns in columns.chunk_by(together) {
            let (feature, own) = (&features[columns[0]], &found[columns[0]]);
            let field: Option<&Field> = field_of(columns[0]).filter(|_| is_answer(columns[0]));
            let name = field.map_or(feature.name(), |field| field.name.as_str());
            if own.rows == 0 {
                skipped.push((name.to_string(), words!(text, "outside.no_values")));
                continue;
            }
            let kind = field_of(columns[0]).map_or_else(String::new, |field| kind(text, field));
            let of: Vec<(&Feature, &OutsideVariable)> = columns.iter().map(|&c| (&features[c], &found[c])).collect();
            variables.push(variable(text, name, kind, &of, leaves));
        }
        let differences = (0..leaves).map(|leaf| differences(text, &features, found, schema, leaf)).collect();
        let tested = found.iter().filter(|variable| variable.test.is_some()).count();
        Tables { variables, skipped, differences, tested }
    }
}

/// A column of a table: a part of a feature, and what it is called.
struct Head<'a> {
    name: String,
    feature: &'a Feature,
    part: &'a OutsidePart,
}

fn variable(text: &Text, name: &str, kind: String, of: &[(&Feature, &OutsideVariable)], leaves: usize) -> Variable {
    let several = of.len() > 1;
    let mut heads = Vec::new();
    for (feature, found) in of {
        for part in found.parts.iter().filter(|part| part.measure != OutsideMeasure::Missing) {
            let level = part.level.clone().unwrap_or_default();
            let name = match part.measure {
                OutsideMeasure::Mean => words!(text, "outside.mean"),
                OutsideMeasure::Median => words!(text, "outside.median"),
                _ if several => {
                    feature.name().strip_prefix(name).unwrap_or(feature.name()).trim_start_matches(": ").into()
                }
                _ => level,
            };
            heads.push(Head { name, feature, part });
        }
    }
    let (feature, first) = of[0];
    let shares = !matches!(feature.kind(), FeatureKind::Number | FeatureKind::Date);
    let mut kind = kind;
    if shares && feature.kind() != FeatureKind::Flag {
        heads.retain(|head| head.part.all.is_some_and(|all| all > 0.0));
    }
    if shares {
        let mut order: Vec<usize> = (0..heads.len()).collect();
        order.sort_by(|&a, &b| heads[b].part.all.unwrap_or(0.0).total_cmp(&heads[a].part.all.unwrap_or(0.0)));
        let rest = order.split_off(order.len().min(LEVELS));
        if feature.kind() == FeatureKind::Ordinal || matches!(feature.kind(), FeatureKind::Cycle(_)) {
            order.sort_unstable();
        }
        if !rest.is_empty() {
            kind = words!(text, "outside.most_frequent", kind = kind, n = LEVELS);
        }
        let mut all: Vec<Option<Head<'_>>> = heads.into_iter().map(Some).collect();
        heads = order.into_iter().filter_map(|head| all[head].take()).collect();
    }
    let missing = first.parts.iter().find(|part| part.measure == OutsideMeasure::Missing);
    heads.extend(missing.map(|part| Head { name: words!(text, "outside.missing"), feature, part }));
    let leaf = |leaf: usize| Line {
        present: heads.first().map_or(0, |head| head.part.cells[leaf].rows),
        cells: heads.iter().map(|head| cell(text, head, &head.part.cells[leaf])).collect(),
    };
    let of_all = |head: &Head<'_>| Cell { words: head.part.all.map(|all| figure(text, head, all)), ..Cell::default() };
    Variable {
        name: name.to_string(),
        kind,
        verdict: verdict(text, of),
        shares,
        missing: missing.is_some(),
        all: Line { present: first.rows, cells: heads.iter().map(of_all).collect() },
        leaves: (0..leaves).map(leaf).collect(),
        heads: heads.into_iter().map(|head| head.name).collect(),
    }
}

/// What the test of a variable says, or those of its answers.
fn verdict(text: &Text, of: &[(&Feature, &OutsideVariable)]) -> String {
    let least = of.iter().filter_map(|(_, found)| found.q_value).min_by(f64::total_cmp);
    let Some(least) = least else { return words!(text, "outside.not_tested") };
    let digits = |p: f64| text.point(format!("{p:.4}").trim_start_matches('0'));
    let q = if least < 1e-4 { words!(text, "outside.least", q = digits(1e-4)) } else { digits(least) };
    let differ = of.iter().filter(|(_, found)| found.differs).count();
    match (of.len(), differ) {
        (_, 0) => words!(text, "outside.no_difference", q = q),
        (1, _) => words!(text, "outside.differs", q = q),
        (all, differ) => {
            let (n, differ) = (Value::Digits(all), Value::Digits(differ));
            words!(text, "outside.answers", differ = differ, n = n, q = q)
        }
    }
}

/// A figure of a head in words.
fn figure(text: &Text, head: &Head<'_>, number: f64) -> String {
    match head.part.measure {
        OutsideMeasure::Share | OutsideMeasure::Missing => text.whole(number),
        OutsideMeasure::Mean | OutsideMeasure::Median => average(text, head.feature, number),
    }
}

/// An average: of dates the day.
fn average(text: &Text, feature: &Feature, number: f64) -> String {
    if feature.kind() == FeatureKind::Date { feature.words(number.floor()) } else { text.value(number) }
}

fn cell(text: &Text, head: &Head<'_>, found: &OutsideCell) -> Cell {
    let tip = found.interval.map(|[low, high]| {
        let (low, high) = match head.part.measure {
            OutsideMeasure::Share | OutsideMeasure::Missing => (text.percent(low), text.percent(high)),
            _ => (average(text, head.feature, low), average(text, head.feature, high)),
        };
        words!(text, "outside.tip", n = found.rows, low = low, high = high)
    });
    Cell {
        words: found.estimate.map(|estimate| figure(text, head, estimate)),
        index: found.index.filter(|_| head.part.measure != OutsideMeasure::Missing),
        tip,
        differs: found.differs,
    }
}

/// What differs most in a leaf from what it is in all rows, of what the tests say differs; one of each column of the table.
fn differences(
    text: &Text,
    features: &[Feature],
    found: &[OutsideVariable],
    schema: &Schema,
    leaf: usize,
) -> Vec<Difference> {
    let mut all: Vec<(usize, f64, Difference)> = Vec::new();
    for (feature, variable) in features.iter().zip(found) {
        for part in &variable.parts {
            let cell = &part.cells[leaf];
            let (Some(here), Some(whole_table), true) = (cell.estimate, part.all, cell.differs) else { continue };
            let head = Head { name: String::new(), feature, part };
            let (deviation, name) = match part.measure {
                OutsideMeasure::Share => {
                    let level = part.level.as_deref().unwrap_or_default();
                    let answer = schema.fields().get(feature.field()).is_some_and(|field| field.kind == Kind::Answers);
                    let name = match answer {
                        true => feature.name().to_string(),
                        false => words!(text, "outside.level", name = feature.name(), level = level),
                    };
                    ((whole_table * (1.0 - whole_table)).sqrt(), name)
                }
                // The half of the interval is Z deviations of the mean.
                _ => (spread(cell), feature.name().to_string()),
            };
            // Of two levels that differ alike, the one that is more frequent here.
            let size = (here - whole_table).abs() / deviation + if here > whole_table { 1e-9 } else { 0.0 };
            if size >= LEAST {
                let interval = cell.interval.map(|ends| ends.map(|end| figure(text, &head, end)));
                let (here, whole_table) = (figure(text, &head, here), figure(text, &head, whole_table));
                let index = cell.index.filter(|_| part.measure != OutsideMeasure::Missing);
                let difference = Difference { name, here, interval, all: whole_table, index };
                all.push((feature.field(), size, difference));
            }
        }
    }
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut taken: Vec<usize> = Vec::new();
    all.retain(|(field, ..)| {
        let new = !taken.contains(field);
        taken.push(*field);
        new
    });
    all.truncate(NAMED);
    all.into_iter().map(|(.., difference)| difference).collect()
}

/// The standard deviation of the values in a cell, by the interval of their mean.
fn spread(cell: &OutsideCell) -> f64 {
    let half = cell.interval.map_or(f64::NAN, |[low, high]| (high - low) / 2.0);
    half / Z95 * cell.effective_rows.sqrt()
}
