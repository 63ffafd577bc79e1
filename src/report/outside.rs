//! Outside variables: what the report shows of the columns that did not make the clusters.

use super::words::{percent, value, whole};
use crate::core::inference::Z95;
use crate::explain::{OutsideCell, OutsideMeasure, OutsidePart, OutsideVariable};
use crate::table::{Feature, Field, Kind, Measure, Schema};

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
    pub(super) all: String,
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
    pub(super) fn of(schema: &Schema, found: &[OutsideVariable], leaves: usize) -> Self {
        let mut skipped: Vec<_> = schema.set_aside().map(|(name, why)| (name.to_string(), why.to_string())).collect();
        let features: Vec<Feature> = schema.features().into_iter().collect();
        let kinds: Vec<(&str, String)> = schema.kinds_in_words().collect();
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
                skipped.push((name.to_string(), "it has no values".into()));
                continue;
            }
            let kind = kinds.iter().find(|(of, _)| field_of(columns[0]).is_some_and(|field| field.name == *of));
            let kind = kind.map_or_else(String::new, |(_, kind)| kind.clone());
            let of: Vec<(&Feature, &OutsideVariable)> = columns.iter().map(|&c| (&features[c], &found[c])).collect();
            variables.push(variable(name, kind, &of, leaves));
        }
        let differences = (0..leaves).map(|leaf| differences(&features, found, schema, leaf)).collect();
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

fn variable(name: &str, kind: String, of: &[(&Feature, &OutsideVariable)], leaves: usize) -> Variable {
    let several = of.len() > 1;
    let mut heads = Vec::new();
    for (feature, found) in of {
        for part in found.parts.iter().filter(|part| part.measure != OutsideMeasure::Missing) {
            let level = part.level.clone().unwrap_or_default();
            let name = match part.measure {
                OutsideMeasure::Mean => "Mean".to_string(),
                OutsideMeasure::Median => "Median".to_string(),
                _ if several => {
                    feature.name().strip_prefix(name).unwrap_or(feature.name()).trim_start_matches(": ").into()
                }
                _ => level,
            };
            heads.push(Head { name, feature, part });
        }
    }
    let (feature, first) = of[0];
    let shares = !matches!(feature.measure(), Measure::Number | Measure::Date);
    let mut kind = kind;
    if shares && feature.measure() != Measure::Flag {
        heads.retain(|head| head.part.all.is_some_and(|all| all > 0.0));
    }
    if shares {
        let mut order: Vec<usize> = (0..heads.len()).collect();
        order.sort_by(|&a, &b| heads[b].part.all.unwrap_or(0.0).total_cmp(&heads[a].part.all.unwrap_or(0.0)));
        let rest = order.split_off(order.len().min(LEVELS));
        if feature.measure() == Measure::Ordinal || matches!(feature.measure(), Measure::Cycle(_)) {
            order.sort_unstable();
        }
        if !rest.is_empty() {
            kind = format!("{kind}, the {LEVELS} most frequent");
        }
        let mut all: Vec<Option<Head<'_>>> = heads.into_iter().map(Some).collect();
        heads = order.into_iter().filter_map(|head| all[head].take()).collect();
    }
    let missing = first.parts.iter().find(|part| part.measure == OutsideMeasure::Missing);
    heads.extend(missing.map(|part| Head { name: "Missing".into(), feature, part }));
    let leaf = |leaf: usize| Line {
        present: heads.first().map_or(0, |head| head.part.cells[leaf].rows),
        cells: heads.iter().map(|head| cell(head, &head.part.cells[leaf])).collect(),
    };
    let of_all = |head: &Head<'_>| Cell { words: head.part.all.map(|all| words(head, all)), ..Cell::default() };
    Variable {
        name: name.to_string(),
        kind,
        verdict: verdict(of),
        shares,
        missing: missing.is_some(),
        all: Line { present: first.rows, cells: heads.iter().map(of_all).collect() },
        leaves: (0..leaves).map(leaf).collect(),
        heads: heads.into_iter().map(|head| head.name).collect(),
    }
}

/// What the test of a variable says, or those of its answers.
fn verdict(of: &[(&Feature, &OutsideVariable)]) -> String {
    let least = of.iter().filter_map(|(_, found)| found.q_value).min_by(f64::total_cmp);
    let Some(least) = least else { return "Not tested.".into() };
    let q =
        if least < 0.0001 { "below .0001".into() } else { format!("{least:.4}").trim_start_matches('0').to_string() };
    let differ = of.iter().filter(|(_, found)| found.differs).count();
    match (of.len(), differ) {
        (_, 0) => format!("No difference between the clusters shown (adjusted p {q})."),
        (1, _) => format!("Differs between the clusters (adjusted p {q})."),
        (all, differ) => format!("{differ} of {all} answers differ between the clusters (least adjusted p {q})."),
    }
}

/// A figure of a head in words.
fn words(head: &Head<'_>, number: f64) -> String {
    match head.part.measure {
        OutsideMeasure::Share | OutsideMeasure::Missing => whole(number),
        OutsideMeasure::Mean | OutsideMeasure::Median => average(head.feature, number),
    }
}

/// An average: of dates the day.
fn average(feature: &Feature, number: f64) -> String {
    if feature.measure() == Measure::Date { feature.words(number.floor()) } else { value(number) }
}

fn cell(head: &Head<'_>, found: &OutsideCell) -> Cell {
    let tip = found.interval.map(|[low, high]| {
        let (low, high) = match head.part.measure {
            OutsideMeasure::Share | OutsideMeasure::Missing => (percent(low), percent(high)),
            _ => (average(head.feature, low), average(head.feature, high)),
        };
        format!("{} rows; 95\u{a0}% interval {low} to {high}", super::words::count(found.rows))
    });
    Cell {
        words: found.estimate.map(|estimate| words(head, estimate)),
        index: found.index.filter(|_| head.part.measure != OutsideMeasure::Missing),
        tip,
        differs: found.differs,
    }
}

/// What differs most in a leaf from what it is in all rows, of what the tests say differs; one of each column of the table.
fn differences(features: &[Feature], found: &[OutsideVariable], schema: &Schema, leaf: usize) -> Vec<Difference> {
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
                    let name = if answer { feature.name().into() } else { format!("{} = {level}", feature.name()) };
                    ((whole_table * (1.0 - whole_table)).sqrt(), name)
                }
                // The half of the interval is Z deviations of the mean.
                _ => (spread(cell), feature.name().to_string()),
            };
            // Of two levels that differ alike, the one that is more frequent here.
            let size = (here - whole_table).abs() / deviation + if here > whole_table { 1e-9 } else { 0.0 };
            if size >= LEAST {
                let (here, whole_table) = (words(&head, here), words(&head, whole_table));
                all.push((feature.field(), size, Difference { name, here, all: whole_table }));
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
