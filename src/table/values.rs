//! Columns of values as they were read.

use super::date;
use crate::core::shape::check_count;
use crate::{Error, Result};
use ndarray::ArrayRef2;
use std::borrow::Cow;
use std::collections::HashMap;

/// Columns with distinct names and one value for each row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    columns: Vec<Column>,
    rows: usize,
}

/// A name and its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    name: String,
    values: Values,
}

/// The values of a column, by what they were in the source. What they mean is the [`Schema`](super::Schema)'s to say.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// Numbers; NaN is missing. Whole numbers are exact up to 2^53.
    Numbers(Vec<f64>),
    /// Truth values: 0, 1, or NaN for missing.
    Flags(Vec<f64>),
    /// Points in time, in days since 1 January 1970 (UTC); NaN is missing.
    Dates(Vec<f64>),
    /// Texts.
    Words(Words),
}

/// Texts, each different one kept once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Words {
    /// In the order in which they first occur.
    levels: Vec<String>,
    codes: Vec<u32>,
}

/// The code of a missing text.
const MISSING: u32 = u32::MAX;

impl Words {
    /// The different texts, in the order in which they first occur.
    pub fn levels(&self) -> &[String] {
        &self.levels
    }

    /// For a row the number of its text in [`levels`](Words::levels), or None where it is missing or there is no such row.
    pub fn code(&self, row: usize) -> Option<u32> {
        self.codes.get(row).copied().filter(|&code| code != MISSING)
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// For each level the number of its rows.
    pub(super) fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.levels.len()];
        self.codes.iter().filter(|&&code| code != MISSING).for_each(|&code| counts[code as usize] += 1);
        counts
    }
}

/// Texts one by one; None for a missing one.
impl<S: AsRef<str>> FromIterator<Option<S>> for Words {
    fn from_iter<I: IntoIterator<Item = Option<S>>>(texts: I) -> Self {
        let mut words = Words::default();
        words.extend(texts);
        words
    }
}

impl<S: AsRef<str>> Extend<Option<S>> for Words {
    fn extend<I: IntoIterator<Item = Option<S>>>(&mut self, texts: I) {
        let mut builder = WordsBuilder::from(std::mem::take(self));
        texts.into_iter().for_each(|text| builder.push(text.as_ref().map(AsRef::as_ref)));
        *self = builder.words;
    }
}

/// Texts that are still being read, with an index of their levels.
#[derive(Debug, Default)]
pub(super) struct WordsBuilder {
    pub(super) words: Words,
    known: HashMap<String, u32>,
}

impl From<Words> for WordsBuilder {
    fn from(words: Words) -> Self {
        let known = words.levels.iter().cloned().zip(0..).collect();
        WordsBuilder { words, known }
    }
}

impl WordsBuilder {
    /// The number of a text's level, a new one if need be.
    pub(super) fn level(&mut self, text: &str) -> u32 {
        if let Some(&level) = self.known.get(text) {
            return level;
        }
        let level = self.words.levels.len() as u32;
        self.words.levels.push(text.to_string());
        self.known.insert(text.to_string(), level);
        level
    }

    /// A row of a level; None is missing.
    pub(super) fn push_level(&mut self, level: Option<u32>) {
        self.words.codes.push(level.unwrap_or(MISSING));
    }

    /// A row; None is missing.
    pub(super) fn push(&mut self, text: Option<&str>) {
        let level = text.map(|text| self.level(text));
        self.push_level(level);
    }
}

impl Values {
    /// Numbers; NaN is missing.
    pub fn numbers(numbers: impl IntoIterator<Item = f64>) -> Self {
        Values::Numbers(numbers.into_iter().collect())
    }

    /// Whole numbers. If f64 cannot hold all of them exactly (beyond 2^53), they are kept as texts, which will do for ids.
    pub fn integers(numbers: impl IntoIterator<Item = Option<i64>>) -> Self {
        let numbers: Vec<Option<i64>> = numbers.into_iter().collect();
        match numbers.iter().flatten().all(|n| n.unsigned_abs() <= 1 << 53) {
            true => Values::numbers(numbers.into_iter().map(|n| n.map_or(f64::NAN, |n| n as f64))),
            false => Values::words(numbers.into_iter().map(|n| n.map(|n| n.to_string()))),
        }
    }

    /// Truth values.
    pub fn flags(flags: impl IntoIterator<Item = Option<bool>>) -> Self {
        Values::Flags(flags.into_iter().map(|flag| flag.map_or(f64::NAN, f64::from)).collect())
    }

    /// Points in time, in days since 1 January 1970 (UTC); NaN is missing.
    pub fn dates(days: impl IntoIterator<Item = f64>) -> Self {
        Values::Dates(days.into_iter().collect())
    }

    /// Texts.
    pub fn words<S: AsRef<str>>(texts: impl IntoIterator<Item = Option<S>>) -> Self {
        Values::Words(texts.into_iter().collect())
    }

    /// Rows.
    pub fn len(&self) -> usize {
        match self {
            Values::Numbers(numbers) | Values::Flags(numbers) | Values::Dates(numbers) => numbers.len(),
            Values::Words(words) => words.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the value of a row is missing.
    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Values::Numbers(numbers) | Values::Flags(numbers) | Values::Dates(numbers) => {
                numbers.get(row).is_none_or(|x| x.is_nan())
            }
            Values::Words(words) => words.code(row).is_none(),
        }
    }

    /// The value of a row as text: a number in its shortest form, "no" and "yes" for truth values, a date as in 2024-02-29,
    /// with the time of day where there is one. None where it is missing.
    pub fn text(&self, row: usize) -> Option<Cow<'_, str>> {
        if self.is_missing(row) {
            return None;
        }
        Some(match self {
            Values::Numbers(numbers) => Cow::Owned(number_text(numbers[row])),
            Values::Flags(flags) => Cow::Borrowed(if flags[row] == 0.0 { "no" } else { "yes" }),
            Values::Dates(days) => Cow::Owned(date::text(days[row])),
            Values::Words(words) => Cow::Borrowed(&words.levels[words.codes[row] as usize]),
        })
    }

    /// The values of some rows, in the order given.
    pub(super) fn select(&self, rows: &[u32]) -> Self {
        let of = |numbers: &Vec<f64>| rows.iter().map(|&row| numbers[row as usize]).collect();
        match self {
            Values::Numbers(numbers) => Values::Numbers(of(numbers)),
            Values::Flags(flags) => Values::Flags(of(flags)),
            Values::Dates(days) => Values::Dates(of(days)),
            Values::Words(words) => Values::Words(Words {
                levels: words.levels.clone(),
                codes: rows.iter().map(|&row| words.codes[row as usize]).collect(),
            }),
        }
    }
}

/// A number as text, one zero.
pub(super) fn number_text(number: f64) -> String {
    (number + 0.0).to_string()
}

impl Column {
    /// A column.
    pub fn new(name: impl Into<String>, values: Values) -> Self {
        Column { name: name.into(), values }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its values.
    pub fn values(&self) -> &Values {
        &self.values
    }
}

impl Table {
    /// A table of columns.
    ///
    /// # Errors
    /// [`Error::Shape`] for columns of unlike length, [`Error::Columns`] for a name that two have, [`Error::Empty`] without
    /// columns.
    pub fn new(columns: Vec<Column>) -> Result<Self> {
        let rows = columns.first().map_or(0, |column| column.values.len());
        if columns.is_empty() {
            return Err(Error::Empty { what: "the table", rows, columns: 0 });
        }
        for column in &columns {
            check_count("values of a column, one for each row", rows, column.values.len())?;
        }
        let names: Vec<&str> = columns.iter().map(Column::name).collect();
        crate::match_columns(&names, &names)?;
        Ok(Table { columns, rows })
    }

    /// A table of numbers (rows x columns), NaN for missing ones, with a name for each column.
    ///
    /// # Errors
    /// Those of [`Table::new`].
    pub fn from_array(names: &[impl AsRef<str>], numbers: &ArrayRef2<f32>) -> Result<Self> {
        check_count("names, one for each column", numbers.ncols(), names.len())?;
        let column = |(name, values): (&_, ndarray::ArrayView1<'_, f32>)| {
            Column::new(AsRef::<str>::as_ref(name), Values::numbers(values.iter().map(|&x| x.into())))
        };
        Table::new(names.iter().zip(numbers.columns()).map(column).collect())
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The columns, in their own order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Some rows, in the order given.
    ///
    /// # Errors
    /// [`Error::Setting`] for a number that is no row's.
    pub fn select(&self, rows: &[u32]) -> Result<Self> {
        if let Some(row) = rows.iter().find(|&&row| row as usize >= self.rows) {
            return Err(Error::setting("rows", format!("row {row}"), "must be a row of the table"));
        }
        let columns = self.columns.iter().map(|c| Column::new(c.name.clone(), c.values.select(rows))).collect();
        Ok(Table { columns, rows: rows.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_as_text() {
        let words = Values::words([Some("b"), None, Some("a"), Some("b")]);
        assert_eq!(words.text(3).as_deref(), Some("b"));
        assert!(words.is_missing(1) && words.text(1).is_none() && words.is_missing(9));
        let numbers = Values::numbers([3.0, -0.0, 0.1, f64::NAN]);
        let texts: Vec<_> = (0..4).map(|i| numbers.text(i).map(Cow::into_owned)).collect();
        assert_eq!(texts, [Some("3".into()), Some("0".into()), Some("0.1".into()), None]);
        assert_eq!(Values::flags([Some(true), None]).text(0).as_deref(), Some("yes"));
        assert_eq!(Values::dates([0.0]).text(0).as_deref(), Some("1970-01-01"));
    }

    #[test]
    fn whole_numbers_stay_exact() {
        let large = i64::MAX - 1;
        assert_eq!(Values::integers([Some(large), None]).text(0).as_deref(), Some("9223372036854775806"));
        assert_eq!(Values::integers([Some(1 << 53)]), Values::Numbers(vec![9_007_199_254_740_992.0]));
    }

    #[test]
    fn a_table_is_checked() {
        let one = |name: &str, n: usize| Column::new(name, Values::numbers(vec![1.0; n]));
        assert!(matches!(Table::new(vec![]), Err(Error::Empty { .. })));
        assert!(matches!(Table::new(vec![one("a", 2), one("b", 3)]), Err(Error::Shape { .. })));
        assert!(matches!(Table::new(vec![one("a", 2), one("a", 2)]), Err(Error::Columns { .. })));
        let table = Table::new(vec![one("a", 2), one("b", 2)]).unwrap();
        assert_eq!(table.select(&[1, 1, 0]).unwrap().rows(), 3);
        assert!(table.select(&[2]).is_err());
    }
}
