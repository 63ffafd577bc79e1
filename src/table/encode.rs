//! A table as numbers, one column for each feature.

use super::field::{Cycle, Field, Kind, Role};
use super::infer::split;
use super::values::{Table, Values, number_text};
use super::{Schema, date, number, orders};
use crate::core::parallel;
use crate::{Error, Result};
use ndarray::Array2;
use std::collections::{BTreeSet, HashMap, HashSet};

impl Schema {
    /// The features of a table as numbers: rows x [`features`](Schema::features), NaN for a missing value. Columns are found
    /// by name; others than the features are ignored.
    ///
    /// Numbers are as they are, dates in days, levels by their place among the field's. A level that is not listed is the
    /// field's `other` level where it has one, else missing. Answers are 0 or 1 each, all missing where the cell is.
    ///
    /// O(cells). Memory: twice the result.
    ///
    /// # Errors
    /// [`Error::Columns`] for features that the table lacks; [`Error::Cell`] for a value that is no number, or no date, where
    /// the field says that it is one; [`Error::Empty`] without rows; [`Error::Kinds`] where no column is a feature.
    pub fn encode(&self, table: &Table) -> Result<Array2<f32>> {
        let sources = self.columns_of(Role::Feature, table)?;
        let fields: Vec<&Field> = self.of_role(Role::Feature).collect();
        if let (true, true, Some(first)) = (table.rows() > 0, fields.is_empty(), self.fields().first()) {
            return Err(nothing_left(first, self.fields().len() - 1));
        }
        let encoded = parallel::map(fields.len(), |i| encode(fields[i], sources[i].1));
        let columns: Vec<Vec<f32>> = encoded.into_iter().collect::<Result<Vec<_>>>()?.concat();
        if columns.is_empty() || table.rows() == 0 {
            return Err(Error::Empty { what: "the table", rows: table.rows(), columns: table.columns().len() });
        }
        let mut all = Array2::zeros((table.rows(), columns.len()));
        if let Some(values) = all.as_slice_mut() {
            let wide = columns.len();
            parallel::for_each_chunk(values, 256 * wide, |chunk, out| {
                for (r, row) in out.chunks_mut(wide).enumerate() {
                    row.iter_mut().zip(&columns).for_each(|(to, column)| *to = column[chunk * 256 + r]);
                }
            });
        }
        Ok(all)
    }
}

/// Why a table of no features cannot be encoded.
fn nothing_left(first: &Field, others: usize) -> Error {
    let why = first.reason.as_ref().map_or(String::new(), |reason| format!(" ({reason})"));
    let too = match others {
        0 => String::new(),
        1 => " and so is the other column".to_string(),
        others => format!(" and so are the {others} other columns"),
    };
    let reason = format!("it is set aside{why}{too}: nothing is left to find clusters by");
    Error::Kinds { column: first.name.clone(), reason }
}

/// Levels of a column that the fitted rows did not have.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct UnseenLevels {
    /// The column's name.
    pub column: String,
    /// Rows with such a level.
    pub rows: usize,
    /// The levels in alphabetical order; of a [`Drift`](crate::explain::Drift) the first ten.
    pub levels: Vec<String>,
}

impl Schema {
    /// Columns with levels that are none of the schema's, which count as missing. Columns that have a level for all others are
    /// left out, as that is where such levels belong.
    ///
    /// ```
    /// use recluster::table::{Column, Schema, Table, Values};
    /// let of = |texts: [&str; 4]| Table::new(vec![Column::new("plan", Values::words(texts.map(Some)))]);
    /// let schema = Schema::infer(&of(["basic", "pro", "plus", "pro"])?);
    /// let found = schema.unseen_levels(&of(["pro", "Pro", "max", "Pro"])?)?;
    /// assert_eq!((found[0].column.as_str(), found[0].rows, &found[0].levels[..]), ("plan", 3, &["Pro".to_string(), "max".into()][..]));
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Columns`] for features that the table lacks.
    pub fn unseen_levels(&self, table: &Table) -> Result<Vec<UnseenLevels>> {
        let sources = self.columns_of(Role::Feature, table)?;
        let fields = self.of_role(Role::Feature).zip(sources);
        let unseen = fields.filter(|(field, _)| field.other.is_none()).filter_map(|(field, (_, values))| {
            let levels = Levels { blank: Some(0), ..Levels::of(field) };
            let answers: HashSet<&str> = field.levels.iter().map(String::as_str).collect();
            let is_missing = |text: &str| field.missing.iter().any(|missing| missing == text);
            let new = |text: Option<&str>| match (field.kind, text.filter(|text| !is_missing(text))) {
                (Kind::Category | Kind::Ordinal | Kind::Flag, Some(text)) => levels.code(Some(text)).is_none(),
                (Kind::Answers, Some(text)) => split(text, &field.separator).any(|answer| !answers.contains(answer)),
                _ => false,
            };
            let rows: Vec<usize> =
                (0..).zip(by_text(values, new)).filter(|(_, new)| *new).map(|(row, _)| row).collect();
            let texts: BTreeSet<String> = rows.iter().filter_map(|&row| values.text(row)).map(String::from).collect();
            let levels = texts.into_iter().collect();
            (!rows.is_empty()).then(|| UnseenLevels { column: field.name.clone(), rows: rows.len(), levels })
        });
        Ok(unseen.collect())
    }
}

/// The columns of one field.
fn encode(field: &Field, values: &Values) -> Result<Vec<Vec<f32>>> {
    match field.kind {
        Kind::Number | Kind::Count | Kind::Share => Ok(vec![numbers(field, values)?]),
        Kind::Date => {
            let days = dates(field, values)?;
            let narrow = |of: &dyn Fn(f64) -> f64| days.iter().map(|&day| of(day) as f32).collect::<Vec<f32>>();
            let mut columns = vec![narrow(&|day| day)];
            columns.extend(field.cycles.iter().map(|&cycle| narrow(&|day| of_cycle(cycle, day))));
            Ok(columns)
        }
        Kind::Ordinal | Kind::Category | Kind::Flag => {
            let levels = Levels::of(field);
            Ok(vec![by_text(values, |text| levels.code(text).map_or(f32::NAN, |code| code as f32))])
        }
        Kind::Answers => Ok(answers(field, values)),
    }
}

/// For each row what its text means; each different text is looked up once.
fn by_text<T: Copy>(values: &Values, of: impl Fn(Option<&str>) -> T) -> Vec<T> {
    let missing = of(None);
    match values {
        Values::Words(words) => {
            let levels: Vec<T> = words.levels().iter().map(|level| of(Some(level))).collect();
            (0..words.len()).map(|row| words.code(row).map_or(missing, |code| levels[code as usize])).collect()
        }
        Values::Numbers(numbers) | Values::Flags(numbers) | Values::Dates(numbers) => {
            let mut known: HashMap<u64, T> = HashMap::new();
            let look_up = |(row, number): (usize, &f64)| {
                *known.entry((number + 0.0).to_bits()).or_insert_with(|| match values.text(row) {
                    Some(text) => of(Some(&text)),
                    None => missing,
                })
            };
            numbers.iter().enumerate().map(look_up).collect()
        }
    }
}

/// The places of levels.
struct Levels<'f> {
    field: &'f Field,
    places: HashMap<&'f str, u32>,
    blank: Option<u32>,
    other: Option<u32>,
}

impl<'f> Levels<'f> {
    fn of(field: &'f Field) -> Self {
        let places: HashMap<&str, u32> = field.levels.iter().map(String::as_str).zip(0..).collect();
        let place = |level: &Option<String>| level.as_ref().and_then(|level| places.get(level.as_str()).copied());
        let (blank, other) = (place(&field.blank), place(&field.other));
        Levels { field, places, blank, other }
    }

    /// The place of a text's level; None where it is missing.
    fn code(&self, text: Option<&str>) -> Option<u32> {
        let Some(text) = text.filter(|text| !self.field.missing.iter().any(|missing| missing == text)) else {
            return self.blank;
        };
        let known = |text: &str| self.places.get(text).copied();
        known(text)
            // 1, 1.0 and "1 %" are one level, however the file writes them; so are true and yes.
            .or_else(|| text.parse::<f64>().ok().and_then(|number| known(&number_text(number))))
            .or_else(|| number::parse(text, self.field.decimal_comma).and_then(|number| known(&number_text(number))))
            .or_else(|| date::parse(text, self.field.day_first).and_then(|day| known(&date::text(day))))
            .or_else(|| self.of_flag(text))
            .or(self.other)
    }

    fn of_flag(&self, text: &str) -> Option<u32> {
        if self.field.kind != Kind::Flag {
            return None;
        }
        let yes = |text: &str| orders::means_yes(text);
        let [no, of_yes] = &self.field.levels[..] else { return None };
        (yes(no) == Some(false) && yes(of_yes) == Some(true)).then(|| yes(text)).flatten().map(u32::from)
    }
}

fn numbers(field: &Field, values: &Values) -> Result<Vec<f32>> {
    let coded: Vec<f64> = field.missing.iter().filter_map(|text| text.parse().ok()).collect();
    match values {
        Values::Numbers(numbers) | Values::Flags(numbers) | Values::Dates(numbers) => {
            let mut narrow = Vec::with_capacity(numbers.len());
            for (row, &number) in numbers.iter().enumerate() {
                let value = if coded.contains(&number) { f32::NAN } else { number as f32 };
                if value.is_infinite() {
                    return Err(cell(field, row, number.to_string(), "not a finite number of 32 bits"));
                }
                narrow.push(value);
            }
            Ok(narrow)
        }
        Values::Words(words) => {
            let parse = |text: &String| match number::parse(text, field.decimal_comma) {
                _ if field.missing.contains(text) => Some(f32::NAN),
                number => number.map(|number| number as f32).filter(|number| number.is_finite()),
            };
            let levels: Vec<Option<f32>> = words.levels().iter().map(parse).collect();
            let of_row = |row| match words.code(row) {
                None => Ok(f32::NAN),
                Some(code) => levels[code as usize].ok_or_else(|| {
                    let text = words.levels()[code as usize].clone();
                    let why = match !field.decimal_comma && number::parse(&text, true).is_some() {
                        true => "a number with a decimal comma, where the schema has a decimal point",
                        false => "not a number",
                    };
                    cell(field, row, text, why)
                }),
            };
            (0..words.len()).map(of_row).collect()
        }
    }
}

fn dates(field: &Field, values: &Values) -> Result<Vec<f64>> {
    match values {
        Values::Dates(days) => Ok(days.clone()),
        Values::Words(words) => {
            let of_row = |row| match words.code(row).map(|code| &words.levels()[code as usize]) {
                Some(text) if !field.missing.contains(text) => {
                    date::parse(text, field.day_first).ok_or_else(|| cell(field, row, text.clone(), "not a date"))
                }
                _ => Ok(f64::NAN),
            };
            (0..words.len()).map(of_row).collect()
        }
        Values::Numbers(_) | Values::Flags(_) => {
            match (0..values.len()).find_map(|row| values.text(row).map(|text| (row, text.into_owned()))) {
                Some((row, text)) => Err(cell(field, row, text, "not a date")),
                None => Ok(vec![f64::NAN; values.len()]),
            }
        }
    }
}

fn of_cycle(cycle: Cycle, day: f64) -> f64 {
    if day.is_nan() {
        return day;
    }
    let midnight = day.floor();
    match cycle {
        Cycle::Day => (day - midnight) * 24.0,
        // 1 January 1970 was a Thursday.
        Cycle::Week => (midnight + 3.0).rem_euclid(7.0),
        Cycle::Year => {
            let (_, month, of_month) = date::civil(midnight as i64);
            const BEFORE: [u32; 12] = [0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335];
            f64::from(BEFORE[month as usize - 1] + of_month - 1)
        }
    }
}

fn answers(field: &Field, values: &Values) -> Vec<Vec<f32>> {
    let places: HashMap<&str, usize> = field.levels.iter().map(String::as_str).zip(0..).collect();
    let mut columns = vec![vec![0.0; values.len()]; field.levels.len()];
    for row in 0..values.len() {
        let text = values.text(row).filter(|text| !field.missing.iter().any(|missing| missing == text));
        match text.as_deref().or(field.blank.as_deref()) {
            None => columns.iter_mut().for_each(|column| column[row] = f32::NAN),
            Some(cell) => {
                for answer in split(cell, &field.separator) {
                    if let Some(&place) = places.get(answer) {
                        columns[place][row] = 1.0;
                    }
                }
            }
        }
    }
    columns
}

fn cell(field: &Field, row: usize, value: String, reason: &'static str) -> Error {
    Error::Cell { column: field.name.clone(), row, value, reason }
}
