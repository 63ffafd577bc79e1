//! The columns of a table in its own words: what their values mean, and how often each level stands in a cluster.

use super::charts::short;
use super::names::one_line;
use super::text::{Text, words};
use crate::core::{Canonical, Rows};
use crate::table::{Feature, FeatureKind, Kind, Schema};

/// How the report reads a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Number,
    Date,
    /// Levels from low to high.
    Ordered,
    /// Levels without an order.
    Words,
}

/// One column of the encoded table.
pub(super) struct Column {
    feature: Feature,
    name: String,
    pub(super) reading: Reading,
    /// The levels; of a cycle its parts, such as the days of the week. None of numbers and dates.
    pub(super) levels: Vec<String>,
    /// Number of its question.
    pub(super) question: usize,
    /// Name of the table's column, and whether this is the first of the features made from it.
    pub(super) field: String,
    pub(super) first: bool,
    /// Whether its levels are no and yes.
    pub(super) flag: bool,
    /// Whether it is one of several answers.
    pub(super) answer: bool,
}

impl Column {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The place of a value's level; None for a missing value, and for what is not a level.
    pub(super) fn level(&self, value: f64) -> Option<usize> {
        self.feature.part_of(value)
    }

    /// A number or a date in words; an average of dates without the time of day where they spread over more than a day.
    pub(super) fn words(&self, text: &Text, number: f64, deviation: f64) -> String {
        match self.reading {
            Reading::Date if deviation >= 1.0 => self.feature.words(number.floor()),
            Reading::Date => self.feature.words(number),
            _ => text.value(number),
        }
    }

    /// Its name in two parts, of which the second is worth more: the answer, where it is one of several.
    pub(super) fn halves(&self) -> (&str, &str) {
        match self.name().strip_prefix(self.field.as_str()) {
            Some(answer) if self.answer => (&self.field, answer),
            _ => (self.name(), ""),
        }
    }

    /// The levels from `first` to `last`, behind the column's name: " = two year", ": at least 4", ": 2 to 3".
    pub(super) fn span(&self, text: &Text, first: usize, last: usize) -> String {
        let name = |level: usize| self.levels.get(level).map_or("", String::as_str);
        match (first, last + 1 == self.levels.len()) {
            _ if first == last => words!(text, "span.one", level = name(first)),
            (_, true) => words!(text, "span.above", level = name(first)),
            (0, _) => words!(text, "span.below", level = name(last)),
            _ => words!(text, "span.between", first = name(first), last = name(last)),
        }
    }
}

/// The weight of a group's rows that have each level of a column, and of those that have none.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    levels: Vec<f64>,
    missing: f64,
    rows: f64,
}

impl Tally {
    fn add(&mut self, level: Option<usize>, missing: bool, weight: f64) {
        self.rows += weight;
        if missing {
            self.missing += weight;
        }
        if let Some(sum) = level.and_then(|level| self.levels.get_mut(level)) {
            *sum += weight;
        }
    }

    /// The share of the levels from `first` to `last` among the rows that have a value; NaN where none has.
    pub(super) fn share(&self, first: usize, last: usize) -> f64 {
        let counted: f64 = self.levels.iter().take(last + 1).skip(first).sum();
        counted / (self.rows - self.missing)
    }

    /// The share of missing values.
    pub(super) fn missing(&self) -> f64 {
        self.missing / self.rows
    }
}

/// What the report knows of a table's columns.
pub(super) struct Features {
    pub(super) columns: Vec<Column>,
    /// Names of the questions.
    pub(super) questions: Vec<String>,
    /// Of all rows, for each column.
    pub(super) all: Vec<Tally>,
    /// (leaf, column).
    pub(super) leaves: Vec<Vec<Tally>>,
}

impl Features {
    /// Walks the rows in canonical order; each counts by its weight.
    pub(super) fn of(
        schema: &Schema,
        rows: &Rows<'_>,
        order: &Canonical,
        weights: &[f64],
        leaf_of_row: &[i32],
        leaves: usize,
    ) -> Self {
        let mut questions: Vec<String> = Vec::new();
        let mut before = None;
        let mut columns = Vec::new();
        for feature in schema.features() {
            let own = one_line(feature.question());
            let question = questions.iter().position(|known| *known == own).unwrap_or_else(|| {
                questions.push(own);
                questions.len() - 1
            });
            let field = schema.fields().get(feature.field());
            columns.push(Column {
                reading: match feature.kind() {
                    FeatureKind::Number => Reading::Number,
                    FeatureKind::Date => Reading::Date,
                    FeatureKind::Ordinal => Reading::Ordered,
                    _ => Reading::Words,
                },
                name: one_line(feature.name()),
                levels: feature.parts().iter().map(|level| one_line(level)).collect(),
                question,
                flag: feature.kind() == FeatureKind::Flag,
                field: field.map_or_else(String::new, |field| one_line(&field.name)),
                first: before != Some(feature.field()),
                answer: field.is_some_and(|field| field.kind == Kind::Answers),
                feature: feature.clone(),
            });
            before = Some(feature.field());
        }
        let none: Vec<Tally> =
            columns.iter().map(|column| Tally { levels: vec![0.0; column.levels.len()], ..Tally::default() }).collect();
        let (mut all, mut of_leaves) = (none.clone(), vec![none; leaves]);
        for row in order.order.iter().map(|&row| row as usize) {
            let weight = weights[row];
            let mut own = usize::try_from(leaf_of_row[row]).ok().and_then(|leaf| of_leaves.get_mut(leaf));
            for (c, (column, &value)) in columns.iter().zip(rows.row(row)).enumerate() {
                let (level, missing) = (column.level(f64::from(value)), value.is_nan());
                all[c].add(level, missing, weight);
                if let Some(own) = &mut own {
                    own[c].add(level, missing, weight);
                }
            }
        }
        Features { columns, questions, all, leaves: of_leaves }
    }

    /// What a column is called beside the name of its question; None where it has that name or is all there is of it.
    pub(super) fn part(&self, column: usize) -> Option<&str> {
        let own = &self.columns[column];
        let question = &self.questions[own.question];
        let alone = self.columns.iter().filter(|other| other.question == own.question).count() == 1;
        let name = own.name();
        let answer = name.strip_prefix(question.as_str()).and_then(|rest| rest.strip_prefix(": "));
        (!alone && name != question).then(|| answer.unwrap_or(name))
    }
}

/// A name and what is said of it, cut to fit; of the two the name is cut first.
pub(super) fn fit(name: &str, rest: &str, most: usize) -> String {
    let room = most.saturating_sub(rest.chars().count()).max(most / 3);
    short(&format!("{}{rest}", short(name, room)), most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Cycle, Field};

    #[test]
    fn levels_are_counted_and_named() {
        let mut date = Field::new("day", Kind::Date);
        date.cycles = vec![Cycle::Day, Cycle::Week, Cycle::Year];
        let rating = Field::new("rating", Kind::Ordinal).with_levels(["1", "2", "3"]);
        let schema = Schema::new(vec![date, rating]).unwrap();
        let table = ndarray::array![
            [59.5f32, 12.0, 6.0, 59.0, 2.0],
            [60.0, 23.9, 0.0, 60.0, 0.0],
            [f32::NAN, f32::NAN, f32::NAN, f32::NAN, 2.0]
        ];
        let rows = Rows::with_missing(&table).unwrap();
        let found = Features::of(&schema, &rows, &Canonical::of(&rows), &[1.0; 3], &[0, -1, 0], 1);
        let level = |column: usize, value: f64| {
            let column = &found.columns[column];
            column.level(value).map(|level| column.levels[level].as_str())
        };
        assert_eq!(
            (level(1, 12.0), level(1, 23.9), level(2, 6.0)),
            (Some("12 to 18 h"), Some("18 to 24 h"), Some("Sunday"))
        );
        assert_eq!((level(3, 0.0), level(3, 59.0), level(3, 60.0)), (Some("January"), Some("February"), Some("March")));
        assert_eq!((level(4, f64::NAN), level(4, 3.0), level(4, -1.0)), (None, None, None));
        assert_eq!((found.all[4].share(2, 2), found.all[4].share(0, 1)), (2.0 / 3.0, 1.0 / 3.0));
        assert_eq!((found.leaves[0][1].missing(), found.leaves[0][1].share(2, 2)), (0.5, 1.0));
        assert_eq!(found.questions, ["day", "rating"]);
        assert_eq!((found.part(0), found.part(1), found.part(4)), (None, Some("day (day)"), None));
        let rating = &found.columns[4];
        assert_eq!(
            [(0, 1), (1, 2), (2, 2)].map(|(a, b)| rating.span(Text::english(), a, b)),
            [": at most 2", ": at least 2", " = 3"]
        );
        assert_eq!(found.columns[0].words(Text::english(), 59.5, 9.0), "1970-03-01");
    }

    #[test]
    fn the_name_is_cut_before_what_is_said_of_it() {
        assert_eq!(fit("Contract", " = two year", 28), "Contract = two year");
        assert_eq!(fit("How long have you been with us", " = two year", 20), "How long… = two year");
        assert_eq!(fit("name", " = a very long level of it", 12), "name = a ve…");
    }
}
