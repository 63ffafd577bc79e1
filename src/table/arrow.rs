//! Tables from Arrow record batches.

use super::values::{WordsBuilder, number_text};
use super::{Column, Table, Values};
use crate::{Error, Result};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Float16Type, Float32Type,
    Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};

/// Builds a [`Table`] from record batches one by one, so that they need not be in memory together.
///
/// The first batch decides the names and the order of columns; later ones are matched by name. A batch without rows will do.
#[derive(Debug, Default)]
pub struct TableBuilder {
    names: Vec<String>,
    columns: Vec<ColumnBuilder>,
}

impl Table {
    /// A table of the rows of record batches, which have the same columns.
    ///
    /// Whole numbers of any width become numbers, or texts where f64 cannot hold all of a column exactly (see
    /// [`Values::integers`]); floats and decimals numbers; Boolean flags; Utf8, LargeUtf8, Utf8View and dictionaries of these
    /// words; Date32, Date64 and timestamps of any unit dates (the instant, whatever its time zone). A column of the type Null
    /// is missing in all rows.
    ///
    /// ```
    /// use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    /// use recluster::table::{Table, Values};
    /// use std::sync::Arc;
    /// let plans: ArrayRef = Arc::new(StringArray::from(vec![Some("basic"), None, Some("pro")]));
    /// let visits: ArrayRef = Arc::new(Int64Array::from(vec![3, 40, 7]));
    /// let batch = RecordBatch::try_from_iter([("plan", plans), ("visits", visits)]).unwrap();
    /// let table = Table::from_record_batches(&[batch.slice(0, 2), batch.slice(2, 1)])?;
    /// assert_eq!(table.rows(), 3);
    /// assert_eq!(table.column("visits").unwrap().values(), &Values::numbers([3.0, 40.0, 7.0]));
    /// assert!(table.column("plan").unwrap().values().is_missing(1));
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Kinds`] for a column of another type, such as a list, or of types in two batches that do not go together;
    /// [`Error::Columns`] for batches of other columns than the first, or a name that two columns have; [`Error::Empty`]
    /// without columns.
    pub fn from_record_batches(batches: &[RecordBatch]) -> Result<Self> {
        let mut builder = TableBuilder::default();
        batches.iter().try_for_each(|batch| builder.append(batch))?;
        builder.finish()
    }
}

impl TableBuilder {
    /// Adds the rows of a batch. After an error the table is not whole.
    ///
    /// # Errors
    /// Those of [`Table::from_record_batches`].
    pub fn append(&mut self, batch: &RecordBatch) -> Result<()> {
        let schema = batch.schema();
        let found: Vec<&String> = schema.fields().iter().map(|field| field.name()).collect();
        if self.columns.is_empty() {
            self.names = found.iter().map(ToString::to_string).collect();
            self.columns.resize_with(found.len(), ColumnBuilder::default);
        }
        let places = crate::match_columns(&self.names, &found)?;
        for ((column, name), place) in self.columns.iter_mut().zip(&self.names).zip(places) {
            let array = batch.column(place);
            if let Err(fault) = column.append(array) {
                let reason = match fault {
                    Fault::Unreadable => format!("values of the type {} cannot be read", array.data_type()),
                    Fault::Other => format!("its type changes to {} from one batch to the next", array.data_type()),
                };
                return Err(Error::Kinds { column: name.clone(), reason });
            }
        }
        Ok(())
    }

    /// Rows so far.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, ColumnBuilder::len)
    }

    /// The table.
    ///
    /// # Errors
    /// [`Error::Empty`] without columns.
    pub fn finish(self) -> Result<Table> {
        Table::new(self.names.into_iter().zip(self.columns).map(|(name, c)| Column::new(name, c.finish())).collect())
    }
}

/// Why an array cannot be added.
enum Fault {
    Unreadable,
    Other,
}

type Added = std::result::Result<(), Fault>;

/// The values of a column so far.
#[derive(Debug)]
enum ColumnBuilder {
    /// As many rows, all missing: what the values are is not known yet.
    Missing(usize),
    /// Whole numbers that f64 holds exactly.
    Whole(Vec<f64>),
    /// Whole numbers as texts, as f64 does not hold all of them exactly.
    Large(WordsBuilder),
    Numbers(Vec<f64>),
    Flags(Vec<f64>),
    Dates(Vec<f64>),
    Words(WordsBuilder),
}

impl Default for ColumnBuilder {
    fn default() -> Self {
        ColumnBuilder::Missing(0)
    }
}

/// Whole numbers up to this are exact in f64: 2^53.
const EXACT: u128 = 1 << 53;
/// Powers of ten up to this are exact in f64.
const EXACT_POWER: i8 = 22;
const SECONDS_OF_DAY: f64 = 86_400.0;

impl ColumnBuilder {
    fn len(&self) -> usize {
        match self {
            ColumnBuilder::Missing(rows) => *rows,
            ColumnBuilder::Whole(numbers)
            | ColumnBuilder::Numbers(numbers)
            | ColumnBuilder::Flags(numbers)
            | ColumnBuilder::Dates(numbers) => numbers.len(),
            ColumnBuilder::Large(words) | ColumnBuilder::Words(words) => words.words.len(),
        }
    }

    fn append(&mut self, array: &dyn Array) -> Added {
        macro_rules! whole {
            ($type:ty) => {
                self.whole(array.as_primitive::<$type>().iter().map(|n| n.map(i128::from)))
            };
        }
        macro_rules! floats {
            ($type:ty) => {
                self.numbers(array.as_primitive::<$type>().iter().map(|x| x.map_or(f64::NAN, f64::from)))
            };
        }
        macro_rules! decimals {
            ($type:ty, $of:expr) => {
                self.numbers(array.as_primitive::<$type>().iter().map(|x| x.map_or(f64::NAN, $of)))
            };
        }
        macro_rules! dates {
            ($type:ty, $per_day:expr) => {
                self.dates(array.as_primitive::<$type>().iter().map(|x| x.map_or(f64::NAN, |x| x as f64 / $per_day)))
            };
        }
        match array.data_type() {
            DataType::Null => {
                self.missing(array.len());
                Ok(())
            }
            DataType::Int8 => whole!(Int8Type),
            DataType::Int16 => whole!(Int16Type),
            DataType::Int32 => whole!(Int32Type),
            DataType::Int64 => whole!(Int64Type),
            DataType::UInt8 => whole!(UInt8Type),
            DataType::UInt16 => whole!(UInt16Type),
            DataType::UInt32 => whole!(UInt32Type),
            DataType::UInt64 => whole!(UInt64Type),
            DataType::Float16 => floats!(Float16Type),
            DataType::Float32 => floats!(Float32Type),
            DataType::Float64 => floats!(Float64Type),
            DataType::Decimal32(_, scale) => decimals!(Decimal32Type, |x| decimal(x.into(), *scale)),
            DataType::Decimal64(_, scale) => decimals!(Decimal64Type, |x| decimal(x.into(), *scale)),
            DataType::Decimal128(_, scale) => decimals!(Decimal128Type, |x| decimal(x, *scale)),
            DataType::Decimal256(_, scale) => {
                decimals!(Decimal256Type, |x| x.to_i128().map_or_else(|| scaled(x, *scale), |x| decimal(x, *scale)))
            }
            DataType::Boolean => {
                let flags = array.as_boolean().iter().map(|flag| flag.map_or(f64::NAN, f64::from));
                extend(self.as_flags(), flags)
            }
            DataType::Date32 => dates!(Date32Type, 1.0),
            DataType::Date64 => dates!(Date64Type, SECONDS_OF_DAY * 1e3),
            DataType::Timestamp(TimeUnit::Second, _) => dates!(TimestampSecondType, SECONDS_OF_DAY),
            DataType::Timestamp(TimeUnit::Millisecond, _) => dates!(TimestampMillisecondType, SECONDS_OF_DAY * 1e3),
            DataType::Timestamp(TimeUnit::Microsecond, _) => dates!(TimestampMicrosecondType, SECONDS_OF_DAY * 1e6),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => dates!(TimestampNanosecondType, SECONDS_OF_DAY * 1e9),
            DataType::Utf8 => self.texts(array.as_string::<i32>().iter()),
            DataType::LargeUtf8 => self.texts(array.as_string::<i64>().iter()),
            DataType::Utf8View => self.texts(array.as_string_view().iter()),
            DataType::Dictionary(_, values) if is_text(values) => self.dictionary(array),
            _ => Err(Fault::Unreadable),
        }
    }

    fn missing(&mut self, rows: usize) {
        match self {
            ColumnBuilder::Missing(before) => *before += rows,
            ColumnBuilder::Whole(numbers)
            | ColumnBuilder::Numbers(numbers)
            | ColumnBuilder::Flags(numbers)
            | ColumnBuilder::Dates(numbers) => numbers.resize(numbers.len() + rows, f64::NAN),
            ColumnBuilder::Large(words) | ColumnBuilder::Words(words) => {
                (0..rows).for_each(|_| words.push_level(None));
            }
        }
    }

    fn whole(&mut self, numbers: impl Iterator<Item = Option<i128>>) -> Added {
        if let ColumnBuilder::Missing(rows) = self {
            *self = ColumnBuilder::Whole(vec![f64::NAN; *rows]);
        }
        for number in numbers {
            match (&mut *self, number) {
                (ColumnBuilder::Whole(before), Some(number)) if number.unsigned_abs() > EXACT => {
                    let mut words = WordsBuilder::default();
                    before.iter().for_each(|&x| words.push((!x.is_nan()).then(|| number_text(x)).as_deref()));
                    words.push(Some(&number.to_string()));
                    *self = ColumnBuilder::Large(words);
                }
                (ColumnBuilder::Whole(before) | ColumnBuilder::Numbers(before), number) => {
                    before.push(number.map_or(f64::NAN, |number| number as f64));
                }
                (ColumnBuilder::Large(words), number) => words.push(number.map(|n| n.to_string()).as_deref()),
                _ => return Err(Fault::Other),
            }
        }
        Ok(())
    }

    fn numbers(&mut self, numbers: impl Iterator<Item = f64>) -> Added {
        match self {
            ColumnBuilder::Missing(rows) => *self = ColumnBuilder::Numbers(vec![f64::NAN; *rows]),
            ColumnBuilder::Whole(whole) => *self = ColumnBuilder::Numbers(std::mem::take(whole)),
            _ => {}
        }
        let before = if let ColumnBuilder::Numbers(before) = self { Some(before) } else { None };
        extend(before, numbers)
    }

    fn dates(&mut self, days: impl Iterator<Item = f64>) -> Added {
        if let ColumnBuilder::Missing(rows) = self {
            *self = ColumnBuilder::Dates(vec![f64::NAN; *rows]);
        }
        let before = if let ColumnBuilder::Dates(before) = self { Some(before) } else { None };
        extend(before, days)
    }

    fn as_flags(&mut self) -> Option<&mut Vec<f64>> {
        if let ColumnBuilder::Missing(rows) = self {
            *self = ColumnBuilder::Flags(vec![f64::NAN; *rows]);
        }
        if let ColumnBuilder::Flags(flags) = self { Some(flags) } else { None }
    }

    fn as_words(&mut self) -> std::result::Result<&mut WordsBuilder, Fault> {
        if let ColumnBuilder::Missing(rows) = self {
            let mut words = WordsBuilder::default();
            (0..*rows).for_each(|_| words.push_level(None));
            *self = ColumnBuilder::Words(words);
        }
        if let ColumnBuilder::Words(words) = self { Ok(words) } else { Err(Fault::Other) }
    }

    fn texts<'t>(&mut self, texts: impl Iterator<Item = Option<&'t str>>) -> Added {
        let words = self.as_words()?;
        texts.for_each(|text| words.push(text));
        Ok(())
    }

    /// Texts by their numbers in a dictionary: each is looked up once.
    fn dictionary(&mut self, array: &dyn Array) -> Added {
        let words = self.as_words()?;
        let dictionary = array.as_any_dictionary();
        let texts: Vec<Option<&str>> = match dictionary.values().data_type() {
            DataType::Utf8 => dictionary.values().as_string::<i32>().iter().collect(),
            DataType::LargeUtf8 => dictionary.values().as_string::<i64>().iter().collect(),
            _ => dictionary.values().as_string_view().iter().collect(),
        };
        let keys = if texts.is_empty() { vec![0; array.len()] } else { dictionary.normalized_keys() };
        let mut levels: Vec<Option<u32>> = vec![None; texts.len()];
        for (row, key) in keys.into_iter().enumerate() {
            let text = texts.get(key).copied().flatten().filter(|_| dictionary.keys().is_valid(row));
            let level = text.map(|text| *levels[key].get_or_insert_with(|| words.level(text)));
            words.push_level(level);
        }
        Ok(())
    }

    fn finish(self) -> Values {
        match self {
            ColumnBuilder::Missing(rows) => Values::Numbers(vec![f64::NAN; rows]),
            ColumnBuilder::Whole(numbers) | ColumnBuilder::Numbers(numbers) => Values::Numbers(numbers),
            ColumnBuilder::Flags(flags) => Values::Flags(flags),
            ColumnBuilder::Dates(days) => Values::Dates(days),
            ColumnBuilder::Large(words) | ColumnBuilder::Words(words) => Values::Words(words.words),
        }
    }
}

fn extend(before: Option<&mut Vec<f64>>, numbers: impl Iterator<Item = f64>) -> Added {
    before.ok_or(Fault::Other)?.extend(numbers);
    Ok(())
}

fn is_text(of: &DataType) -> bool {
    matches!(of, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// The f64 nearest to digits x 10^-scale.
fn decimal(digits: i128, scale: i8) -> f64 {
    match digits.unsigned_abs() <= EXACT && (0..=EXACT_POWER).contains(&scale) {
        true => digits as f64 / 10u128.pow(scale as u32) as f64,
        false => scaled(digits, scale),
    }
}

fn scaled(digits: impl std::fmt::Display, scale: i8) -> f64 {
    format!("{digits}e{}", -i32::from(scale)).parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
#[path = "arrow_tests.rs"]
mod tests;
