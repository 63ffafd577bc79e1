//! Outside variables: what is counted and averaged of the columns that did not make the clusters.

use super::features::{Column, Features, Reading, Tally};
use super::interval::{LEAST, Share};
use crate::core::{Canonical, Rows};
use crate::table::{Measure, Schema};

/// Levels that a table shows; all others are one.
const LEVELS: usize = 8;
/// Least difference of shares, and number of variables, that a card names.
const POINTS: f64 = 0.05;
const NAMED: usize = 3;

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    /// A mean or a median.
    Words(String),
    Share(Share),
    /// Fewer than [`LEAST`] rows.
    TooFew,
}

/// All rows, or a leaf.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    /// Rows that have a value.
    pub(super) present: u32,
    /// One for each head.
    pub(super) cells: Vec<Cell>,
}

/// A variable, ready for its table.
pub(super) struct Variable {
    pub(super) name: String,
    /// Its kind in words.
    pub(super) kind: String,
    pub(super) heads: Vec<String>,
    /// Whether its cells are shares of levels.
    pub(super) shares: bool,
    /// Whether the last head is that of missing values.
    pub(super) missing: bool,
    pub(super) all: Line,
    pub(super) leaves: Vec<Line>,
}

/// A level whose share in a leaf is not that in all rows.
pub(super) struct Difference {
    /// Such as "country = PT".
    pub(super) name: String,
    pub(super) share: Share,
}

pub(super) struct Outside {
    pub(super) variables: Vec<Variable>,
    /// Variables that cannot be shown, with the reasons.
    pub(super) skipped: Vec<(String, String)>,
    /// For each leaf what differs most, furthest first.
    pub(super) differences: Vec<Vec<Difference>>,
}

impl Outside {
    /// Of `rows`, encoded by `schema`; None where all of its columns are dropped.
    pub(super) fn of(schema: &Schema, rows: Option<&Rows<'_>>, leaf_of_row: &[i32], leaves: usize) -> Self {
        let mut skipped: Vec<_> = schema.set_aside().map(|(name, why)| (name.to_string(), why.to_string())).collect();
        let Some(rows) = rows else {
            return Outside { variables: Vec::new(), skipped, differences: (0..leaves).map(|_| Vec::new()).collect() };
        };
        // Intervals are of numbers of rows, so that weights have no part in them.
        let features = Features::of(schema, rows, &Canonical::of(rows), &vec![1.0; rows.len()], leaf_of_row, leaves);
        let kinds: Vec<(&str, String)> = schema.kinds_in_words().collect();
        let mut variables = Vec::new();
        for places in together(&features.columns) {
            let column = &features.columns[places[0]];
            let name = if column.answer { &column.field } else { column.name() };
            if features.all[places[0]].present() == 0 {
                skipped.push((name.to_string(), "it has no values".into()));
                continue;
            }
            let kind = kinds.iter().find(|(name, _)| column.first && *name == column.field);
            let kind = kind.map_or_else(String::new, |(_, kind)| kind.clone());
            variables.push(match column.reading {
                Reading::Number | Reading::Date => {
                    let groups = Groups::of(rows, places[0], leaf_of_row, leaves);
                    averages(&features, places[0], &groups, name, kind)
                }
                _ => shares(&features, &places, name, kind),
            });
        }
        let differences = (0..leaves).map(|leaf| differences(&features, leaf)).collect();
        Outside { variables, skipped, differences }
    }
}

/// The columns of each variable: several answers are one.
fn together(columns: &[Column]) -> Vec<Vec<usize>> {
    let mut variables: Vec<Vec<usize>> = Vec::new();
    for (place, column) in columns.iter().enumerate() {
        match variables.last_mut() {
            Some(last) if column.answer && !column.first => last.push(place),
            _ => variables.push(vec![place]),
        }
    }
    variables
}

/// What a head counts: levels of one column.
struct Head {
    name: String,
    column: usize,
    levels: Vec<usize>,
}

impl Head {
    fn count(&self, tallies: &[Tally]) -> u32 {
        self.levels.iter().map(|&level| tallies[self.column].of_level(level)).sum()
    }
}

fn shares(features: &Features, places: &[usize], name: &str, kind: String) -> Variable {
    let first = places[0];
    let column = &features.columns[first];
    let level = |column: usize, level: usize, name: &str| Head { name: name.to_string(), column, levels: vec![level] };
    let mut heads: Vec<Head> = match (column.answer, column.flag) {
        (true, _) => {
            let answer = |&c: &usize| level(c, 1, features.columns[c].halves().1.trim_start_matches(": "));
            places.iter().map(answer).collect()
        }
        // No of a flag says what yes says.
        (_, true) => vec![level(first, 1, &column.levels[1])],
        _ => column.levels.iter().enumerate().map(|(place, name)| level(first, place, name)).collect(),
    };
    if !column.flag || column.answer {
        heads.retain(|head| head.count(&features.all) > 0);
    }
    let mut order: Vec<usize> = (0..heads.len()).collect();
    order.sort_by_key(|&head| (std::cmp::Reverse(heads[head].count(&features.all)), head));
    let rest = order.split_off(order.len().min(LEVELS));
    if column.reading == Reading::Ordered || matches!(column.measure(), Measure::Cycle(_)) {
        order.sort_unstable();
    }
    // Of several answers a row may have some that are shown and some that are not.
    let others = (!rest.is_empty() && !column.answer).then(|| Head {
        name: if rest.len() == 1 { "1 other".into() } else { format!("{} others", rest.len()) },
        column: first,
        levels: rest.iter().flat_map(|&head| heads[head].levels.clone()).collect(),
    });
    let kind = match column.answer && !rest.is_empty() {
        true => format!("{kind}, the {LEVELS} most frequent"),
        false => kind,
    };
    let mut heads: Vec<Option<Head>> = heads.into_iter().map(Some).collect();
    let heads: Vec<Head> = order.into_iter().filter_map(|head| heads[head].take()).chain(others).collect();
    let line = |tallies: &[Tally]| {
        let of = tallies[first].present();
        let cell = |head: &Head| {
            let all = f64::from(head.count(&features.all)) / f64::from(features.all[first].present());
            share(Share { count: head.count(tallies), of, all })
        };
        Line { present: of, cells: heads.iter().map(cell).collect() }
    };
    let names = heads.iter().map(|head| head.name.clone()).collect();
    let (all, leaves) = (line(&features.all), features.leaves.iter().map(|leaf| line(leaf)).collect());
    let shown = Variable { name: name.to_string(), kind, heads: names, shares: true, missing: false, all, leaves };
    with_missing(shown, features, first)
}

fn share(share: Share) -> Cell {
    if share.of < LEAST { Cell::TooFew } else { Cell::Share(share) }
}

/// Adds the share of missing values, where there are any.
fn with_missing(mut variable: Variable, features: &Features, c: usize) -> Variable {
    let all = features.all[c].missing();
    if all > 0.0 {
        let cell = |tally: &Tally| share(Share { count: tally.rows() - tally.present(), of: tally.rows(), all });
        variable.heads.push("Missing".into());
        variable.missing = true;
        variable.all.cells.push(cell(&features.all[c]));
        for (line, tallies) in variable.leaves.iter_mut().zip(&features.leaves) {
            line.cells.push(cell(&tallies[c]));
        }
    }
    variable
}

/// The values of a column from low to high, so that sums do not depend on the order of rows.
struct Groups {
    all: Vec<f64>,
    leaves: Vec<Vec<f64>>,
}

impl Groups {
    fn of(rows: &Rows<'_>, column: usize, leaf_of_row: &[i32], leaves: usize) -> Self {
        let mut groups = Groups { all: Vec::new(), leaves: vec![Vec::new(); leaves] };
        for (row, &leaf) in leaf_of_row.iter().enumerate() {
            let value = f64::from(rows.row(row)[column]);
            if value.is_nan() {
                continue;
            }
            groups.all.push(value);
            if let Some(own) = usize::try_from(leaf).ok().and_then(|leaf| groups.leaves.get_mut(leaf)) {
                own.push(value);
            }
        }
        groups.all.sort_unstable_by(f64::total_cmp);
        groups.leaves.iter_mut().for_each(|leaf| leaf.sort_unstable_by(f64::total_cmp));
        groups
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn averages(features: &Features, c: usize, groups: &Groups, name: &str, kind: String) -> Variable {
    let column = &features.columns[c];
    let all = mean(&groups.all);
    let squares: Vec<f64> = groups.all.iter().map(|value| (value - all) * (value - all)).collect();
    let deviation = mean(&squares).sqrt();
    let line = |sorted: &[f64]| {
        let n = sorted.len();
        let cells = if (n as u64) < u64::from(LEAST) {
            vec![Cell::TooFew; 2]
        } else {
            let median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0;
            [mean(sorted), median].map(|number| Cell::Words(column.words(number, deviation))).to_vec()
        };
        Line { present: n as u32, cells }
    };
    let shown = Variable {
        name: name.to_string(),
        kind,
        heads: ["Mean", "Median"].map(String::from).to_vec(),
        shares: false,
        missing: false,
        all: line(&groups.all),
        leaves: groups.leaves.iter().map(|leaf| line(leaf)).collect(),
    };
    with_missing(shown, features, c)
}

/// The levels whose shares in a leaf differ most from those in all rows: by 5 points or more, the interval excluding the
/// share in all rows; one of each column of the table.
fn differences(features: &Features, leaf: usize) -> Vec<Difference> {
    let mut found: Vec<(&str, f64, Difference)> = Vec::new();
    for (c, column) in features.columns.iter().enumerate() {
        let (here, all) = (&features.leaves[leaf][c], &features.all[c]);
        let levels = if column.flag { 1..2 } else { 0..column.levels.len() };
        for level in levels.filter(|_| here.present() >= LEAST) {
            let share = Share { count: here.of_level(level), of: here.present(), all: all.share(level, level) };
            let points = (share.here() - share.all).abs();
            // Of two levels that differ alike, the one that is more frequent here.
            let size = points + if share.here() > share.all { 1e-9 } else { 0.0 };
            if points >= POINTS && share.differs() {
                let (name, answer) = column.halves();
                let rest = if column.answer { answer.to_string() } else { column.span(level, level) };
                found.push((&column.field, size, Difference { name: format!("{name}{rest}"), share }));
            }
        }
    }
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut taken: Vec<&str> = Vec::new();
    found.retain(|(field, ..)| {
        let new = !taken.contains(field);
        taken.push(field);
        new
    });
    found.truncate(NAMED);
    found.into_iter().map(|(.., difference)| difference).collect()
}
