//! What one column of the encoded table means.

use super::date;
use super::field::{Cycle, Scale};

/// How the numbers of a feature are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FeatureKind {
    /// A number, a count or a share, in the table's own units.
    Number,
    /// The number of a level, in order, from 0.
    Ordinal,
    /// The number of a level, in no order.
    Category,
    /// 0 for no, 1 for yes.
    Flag,
    /// Days since 1 January 1970.
    Date,
    /// A place in a cycle: hours of 24, days of 7 from Monday, days of 366.
    Cycle(Cycle),
}

/// A feature as an embedder compares it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    /// Its place among the features.
    pub(crate) feature: usize,
    pub(crate) kind: FeatureKind,
    pub(crate) scale: Scale,
    /// Number of its levels.
    pub(crate) levels: usize,
    /// Number of its question.
    pub(crate) question: usize,
    /// Number of the question's group.
    pub(crate) group: usize,
    /// Weight of the question.
    pub(crate) weight: f64,
}

/// One column of the encoded table: what it is called, which question it answers, what its numbers mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    pub(super) name: String,
    pub(super) question: String,
    /// Place of the field in the schema.
    pub(super) field: usize,
    pub(super) kind: FeatureKind,
    /// Of ordinals and categories all, of a flag no and yes.
    pub(super) levels: Vec<String>,
}

impl Feature {
    /// A column of numbers of which nothing but the name is known.
    pub(crate) fn number(name: String) -> Self {
        Feature { question: name.clone(), name, field: 0, kind: FeatureKind::Number, levels: Vec::new() }
    }

    /// So many columns of numbers without names: "column 1" and so on.
    pub(crate) fn numbered(columns: usize) -> Vec<Self> {
        (1..=columns).map(|column| Feature::number(format!("column {column}"))).collect()
    }

    /// Its name: the column's, or for one of several answers `column: answer`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The question that it answers, alone or with other features; the column's name by default.
    pub fn question(&self) -> &str {
        &self.question
    }

    /// Place of its field in the schema.
    #[cfg(feature = "report")]
    pub(crate) fn field(&self) -> usize {
        self.field
    }

    /// How its numbers are read.
    pub fn kind(&self) -> FeatureKind {
        self.kind
    }

    /// The levels of an ordinal or a category; no and yes of a flag.
    pub fn levels(&self) -> &[String] {
        &self.levels
    }

    /// A value in the table's words: a level's text, a date, a number with up to four digits that matter; "missing" for
    /// NaN. Between two levels of an ordinal (an average), both are named.
    pub fn words(&self, value: f64) -> String {
        if value.is_nan() {
            return "missing".into();
        }
        let level = |place: f64| self.levels.get(place.max(0.0) as usize).cloned();
        match self.kind {
            FeatureKind::Date => date::text(value),
            FeatureKind::Ordinal if value.fract() != 0.0 => match (level(value.floor()), level(value.ceil())) {
                (Some(low), Some(high)) => format!("{low} to {high}"),
                _ => short(value),
            },
            FeatureKind::Ordinal | FeatureKind::Category | FeatureKind::Flag if value.fract() == 0.0 => {
                level(value).unwrap_or_else(|| short(value))
            }
            FeatureKind::Cycle(cycle) => of_cycle(cycle, value),
            _ => short(value),
        }
    }
}

impl Feature {
    /// Two averages in words: of dates the days, unless they are less than a day apart.
    pub(crate) fn averages(&self, averages: [f64; 2]) -> [String; 2] {
        let days = self.kind == FeatureKind::Date && (averages[0] - averages[1]).abs() >= 1.0;
        averages.map(|average| self.words(if days { average.floor() } else { average }))
    }

    /// What its rows are counted by: levels; of a cycle its parts, such as the days of the week. None of numbers and dates.
    pub(crate) fn parts(&self) -> Vec<String> {
        match self.kind {
            FeatureKind::Cycle(Cycle::Day) => {
                ["0 to 6 h", "6 to 12 h", "12 to 18 h", "18 to 24 h"].map(String::from).to_vec()
            }
            FeatureKind::Cycle(Cycle::Week) => DAYS.map(String::from).to_vec(),
            FeatureKind::Cycle(Cycle::Year) => MONTHS.map(|(month, _)| month.to_string()).to_vec(),
            FeatureKind::Number | FeatureKind::Date => Vec::new(),
            FeatureKind::Ordinal | FeatureKind::Category | FeatureKind::Flag => self.levels.clone(),
        }
    }

    /// The place of a value's part; None for a missing value, and for what is none of the parts.
    pub(crate) fn part_of(&self, value: f64) -> Option<usize> {
        let (place, parts) = match self.kind {
            FeatureKind::Cycle(Cycle::Day) => ((value / 6.0).floor(), 4),
            FeatureKind::Cycle(Cycle::Week) => (value, DAYS.len()),
            FeatureKind::Cycle(Cycle::Year) => {
                (MONTHS.iter().take_while(|(_, first)| *first <= value).count() as f64 - 1.0, MONTHS.len())
            }
            FeatureKind::Number | FeatureKind::Date => return None,
            FeatureKind::Ordinal | FeatureKind::Category | FeatureKind::Flag => (value, self.levels.len()),
        };
        (place >= 0.0).then_some(place as usize).filter(|&part| part < parts)
    }

    /// A range of values, to stand behind the name. Numbers of an ordinal's levels are whole, so that "below 3" is "at most" the
    /// level number 2.
    pub(crate) fn range_in_words(&self, at_least: Option<f64>, below: Option<f64>) -> RangeWords {
        let last = |below: f64| self.words(below.ceil() - 1.0);
        match (self.kind, at_least, below) {
            (_, None, None) => RangeWords::Anything,
            (FeatureKind::Ordinal, Some(low), Some(high)) if low.ceil() + 1.0 >= high.ceil() => {
                RangeWords::Is(last(high))
            }
            (FeatureKind::Ordinal, Some(low), Some(high)) => RangeWords::FromTo(self.words(low.ceil()), last(high)),
            (FeatureKind::Ordinal, Some(low), None) => RangeWords::AtLeast(self.words(low.ceil())),
            (FeatureKind::Ordinal, None, Some(high)) => RangeWords::AtMost(last(high)),
            (FeatureKind::Date, Some(low), Some(high)) => RangeWords::FromBefore(self.words(low), self.words(high)),
            (FeatureKind::Date, Some(low), None) => RangeWords::FromOn(self.words(low)),
            (FeatureKind::Date, None, Some(high)) => RangeWords::Before(self.words(high)),
            (_, Some(low), Some(high)) => RangeWords::FromBelow(self.words(low), self.words(high)),
            (_, Some(low), None) => RangeWords::AtLeast(self.words(low)),
            (_, None, Some(high)) => RangeWords::Below(self.words(high)),
        }
    }
}

/// A range of a feature's values, its ends in words.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RangeWords {
    Anything,
    Is(String),
    FromTo(String, String),
    AtLeast(String),
    AtMost(String),
    FromOn(String),
    FromBefore(String, String),
    Before(String),
    FromBelow(String, String),
    Below(String),
}

/// In English: "at least 41", "below 7", "before 2024-02-29", "at most neutral".
impl std::fmt::Display for RangeWords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RangeWords::Anything => write!(f, "is anything"),
            RangeWords::Is(level) => write!(f, "is {level}"),
            RangeWords::FromTo(low, high) => write!(f, "from {low} to {high}"),
            RangeWords::AtLeast(low) => write!(f, "at least {low}"),
            RangeWords::AtMost(high) => write!(f, "at most {high}"),
            RangeWords::FromOn(low) => write!(f, "from {low} on"),
            RangeWords::FromBefore(low, high) => write!(f, "from {low} to before {high}"),
            RangeWords::Before(high) => write!(f, "before {high}"),
            RangeWords::FromBelow(low, high) => write!(f, "from {low} to below {high}"),
            RangeWords::Below(high) => write!(f, "below {high}"),
        }
    }
}

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Months, and the days of a year of 366 on which they begin.
const MONTHS: [(&str, f64); 12] = [
    ("January", 0.0),
    ("February", 31.0),
    ("March", 60.0),
    ("April", 91.0),
    ("May", 121.0),
    ("June", 152.0),
    ("July", 182.0),
    ("August", 213.0),
    ("September", 244.0),
    ("October", 274.0),
    ("November", 305.0),
    ("December", 335.0),
];

fn of_cycle(cycle: Cycle, value: f64) -> String {
    match cycle {
        Cycle::Day => format!("{:02}:{:02}", value as u32 % 24, (value.fract() * 60.0) as u32),
        Cycle::Week => DAYS[value as usize % 7].to_string(),
        Cycle::Year => format!("day {} of the year", value as u32 + 1),
    }
}

/// A number with four digits that matter, without zeros at the end.
fn short(number: f64) -> String {
    let size = number.abs();
    let decimals = match size {
        s if s >= 999.5 || s == 0.0 => 0,
        s if s >= 99.95 => 1,
        s if s >= 9.995 => 2,
        s if s >= 0.9995 => 3,
        s if s >= 1e-3 => 4,
        _ => return format!("{number:.2e}"),
    };
    let text = format!("{:.decimals$}", number + 0.0);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_said_in_words() {
        let levels = ["low", "medium", "high"].map(String::from).to_vec();
        let of = |kind| Feature { name: "f".into(), question: "f".into(), field: 0, kind, levels: levels.clone() };
        assert_eq!(of(FeatureKind::Ordinal).words(1.0), "medium");
        assert_eq!(of(FeatureKind::Ordinal).words(1.4), "medium to high");
        assert_eq!(of(FeatureKind::Category).words(2.0), "high");
        assert_eq!(of(FeatureKind::Category).words(f64::NAN), "missing");
        assert_eq!(of(FeatureKind::Category).words(7.0), "7");
        assert_eq!(of(FeatureKind::Date).words(19_782.0), "2024-02-29");
        assert_eq!(of(FeatureKind::Date).averages([19_782.3, 19_790.0]), ["2024-02-29", "2024-03-08"]);
        assert_eq!(of(FeatureKind::Date).averages([19_782.5, 19_783.0]), ["2024-02-29 12:00:00", "2024-03-01"]);
        assert_eq!(of(FeatureKind::Cycle(Cycle::Week)).words(6.5), "Sunday");
        for (number, text) in [(0.0, "0"), (12.0, "12"), (1234.4, "1234"), (0.12345, "0.1235"), (-2.5, "-2.5")] {
            assert_eq!(of(FeatureKind::Number).words(number), text);
        }
        let range = |kind, low, high| of(kind).range_in_words(low, high).to_string();
        assert_eq!(range(FeatureKind::Ordinal, Some(1.0), None), "at least medium");
        assert_eq!(range(FeatureKind::Ordinal, None, Some(2.0)), "at most medium");
        assert_eq!(range(FeatureKind::Ordinal, Some(1.0), Some(2.0)), "is medium");
        assert_eq!(range(FeatureKind::Ordinal, Some(0.0), Some(2.0)), "from low to medium");
        assert_eq!(range(FeatureKind::Date, None, Some(19_782.0)), "before 2024-02-29");
        assert_eq!(range(FeatureKind::Number, Some(3.0), Some(41.5)), "from 3 to below 41.5");
    }
}
