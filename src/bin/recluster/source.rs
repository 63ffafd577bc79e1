//! The data of a fit: plain numbers, or a table with kinds of columns.

use crate::args;
use crate::commands::refuse;
use crate::failure::{Failure, tell};
use crate::input;
use crate::kinds;
use crate::outside::{self, Outside};
use ndarray::{Array2, Axis};
use recluster::Error;
use recluster::table::{FileRows, Role, Schema, Table, Values};
use std::collections::HashMap;
use std::path::Path;

/// Rows that answer a smaller share of the questions are set aside.
const ANSWERED: f64 = 0.1;

/// What is fitted.
pub(crate) struct Source {
    /// Rows x columns; NaN is missing.
    pub(crate) values: Array2<f32>,
    pub(crate) names: Option<Vec<String>>,
    /// Width and height, where each row is an image.
    pub(crate) image: Option<(usize, usize)>,
    /// Known classes of the rows.
    pub(crate) classes: Option<Vec<i32>>,
    /// How many rows of the population each row stands for.
    pub(crate) weights: Option<Vec<f64>>,
    /// The outside variables of the fitted rows, if there are any.
    pub(crate) outside: Option<Outside>,
    /// What a reader has to know of the values.
    pub(crate) note: Option<String>,
    origin: Origin,
}

enum Origin {
    Numbers(input::Table),
    Table(Box<Questions>),
}

/// Rows for a model that was fitted before.
pub(crate) struct Like {
    /// Rows x the model's features; NaN is missing.
    pub(crate) values: Array2<f32>,
    place: Place,
}

enum Place {
    Numbers(input::Table),
    Table(Box<FileRows>),
}

impl Like {
    /// Reads rows as the model's schema says or, without one, as numbers with the model's columns.
    pub(crate) fn read(
        path: &str,
        rows: Option<usize>,
        schema: Option<&Schema>,
        names: Option<&[String]>,
    ) -> Result<Self, Failure> {
        // Numbers without names are the model's features in their order.
        if let Some(schema) = schema.filter(|_| !matches!(input::has_names(path), Ok(false))) {
            let typed = input::typed(path, rows)?;
            input::tell_of(path, &typed);
            let values = schema.encode(&typed.table).map_err(|e| typed.error(e))?;
            return Ok(Like { values, place: Place::Table(Box::new(typed)) });
        }
        let mut table = input::table_like(path, rows, names)?;
        Ok(Like { values: std::mem::take(&mut table.values), place: Place::Numbers(table) })
    }

    /// An error about the values, with the place in the file.
    pub(crate) fn about(&self, error: recluster::Error) -> Failure {
        match &self.place {
            Place::Numbers(table) => table.about(error),
            Place::Table(typed) => typed.error(error).into(),
        }
    }
}

/// A table behind the values.
pub(crate) struct Questions {
    typed: FileRows,
    pub(crate) schema: Schema,
    /// Rows of the file that are fitted, where some are set aside.
    pub(crate) kept: Option<Vec<u32>>,
}

impl Source {
    pub(crate) fn read(args: &args::Fit) -> Result<Self, Failure> {
        let numbers = args.scale.is_some() || args.image.is_some() || !input::has_names(&args.common.data)?;
        let mut source = if numbers { Self::numbers(args)? } else { Self::table(args)? };
        if let Some(path) = &args.labels {
            let is_column = source.questions().is_some_and(|own| own.typed.table.column(path).is_some());
            if is_column && !Path::new(path).exists() {
                return Err(Failure::data(format!("--labels takes a file; for the column: --label {path}")));
            }
            let classes = input::labels(path, args.common.rows)?;
            let rows = source.rows();
            if classes.len() != rows {
                return Err(Failure::data(format!("the data has {rows} rows, --labels {}", classes.len())));
            }
            source.classes = Some(match source.questions().and_then(|questions| questions.kept.as_ref()) {
                Some(kept) => kept.iter().map(|&row| classes[row as usize]).collect(),
                None => classes,
            });
        }
        Ok(source)
    }

    /// Numbers that were not read as they are.
    pub(crate) fn of_numbers(values: Array2<f32>, names: Vec<String>, note: Option<String>) -> Self {
        let origin = Origin::Numbers(input::Table::unread());
        Source { values, names: Some(names), image: None, classes: None, weights: None, outside: None, note, origin }
    }

    fn numbers(args: &args::Fit) -> Result<Self, Failure> {
        let (files, columns) = outside::files(&args.table.profile, None);
        let given = args.table.given();
        // Outside variables may come from files of their own.
        let given: Vec<_> = given.into_iter().filter(|flag| flag.0 != "--profile" || !columns.is_empty()).collect();
        refuse("columns that are numbers without kinds", &given)?;
        let mut table = input::fitted(&args.common.data, args.common.rows)?;
        let values = std::mem::take(&mut table.values);
        let (names, image) = (table.names.clone(), args.image.or(table.image));
        let rows =
            outside::Rows { count: values.nrows(), ids: Vec::new(), named: &[], cut: args.common.rows.is_some() };
        let (outside, notes) = with_files(None, &files, &rows)?;
        notes.iter().for_each(tell);
        Ok(Source {
            values,
            names,
            image,
            classes: None,
            weights: None,
            outside,
            note: None,
            origin: Origin::Numbers(table),
        })
    }

    fn table(args: &args::Fit) -> Result<Self, Failure> {
        let mut typed = input::typed(&args.common.data, args.common.rows)?;
        input::tell_of(&args.common.data, &typed);
        let (files, columns) = outside::files(&args.table.profile, Some(&typed.table));
        let schema = schema(&args.table, &columns, &typed)?;
        let mut values = schema.encode(&typed.table).map_err(|e| typed.error(e))?;
        // Only a schema that was given or edited can lack levels of its own table.
        for found in schema.unseen_levels(&typed.table)? {
            let (levels, more) = found.levels.split_at(found.levels.len().min(5));
            let more = if more.is_empty() { "" } else { ", ..." };
            let note = format!(
                "column \"{}\": {} rows have a level that is not listed, and count as missing: \"{}\"{more}",
                found.column,
                found.rows,
                levels.join("\", \"")
            );
            tell(format_args!("recluster: {}: {note}", args.common.data));
            typed.notes.push(note);
        }
        let answered = schema.answered(&values)?;
        let kept: Vec<u32> =
            (0..).zip(&answered).filter(|(_, share)| **share >= ANSWERED).map(|(row, _)| row).collect();
        let kept = (kept.len() < values.nrows()).then_some(kept);
        let rows = outside::Rows {
            count: typed.table.rows(),
            ids: ids(&schema, &typed.table),
            named: &args.table.id,
            cut: args.common.rows.is_some(),
        };
        let (mut outside, notes) = with_files(Outside::of_role(&schema, &typed)?, &files, &rows)?;
        typed.notes.extend(notes);
        if let Some(kept) = &kept {
            if kept.is_empty() {
                return Err(Failure::file(&args.common.data, "no row answers a tenth of the questions"));
            }
            let places: Vec<usize> = kept.iter().map(|&row| row as usize).collect();
            values = values.select(Axis(0), &places);
            outside = outside.map(|outside| outside.select(&places));
        }
        let classes = schema.of_role(Role::Label).next().and_then(|field| typed.table.column(&field.name));
        let classes = classes.map(|column| classes_of(column.values(), kept.as_deref()));
        let weights = weights(&schema, &typed, kept.as_deref())?;
        let names = Some(schema.feature_names());
        let origin = Origin::Table(Box::new(Questions { typed, schema, kept }));
        Ok(Source { values, names, image: None, classes, weights, outside, note: None, origin })
    }

    /// The table behind the values, if there is one.
    pub(crate) fn questions(&self) -> Option<&Questions> {
        match &self.origin {
            Origin::Numbers(_) => None,
            Origin::Table(questions) => Some(questions),
        }
    }

    /// Rows of the file.
    pub(crate) fn rows(&self) -> usize {
        self.questions().map_or(self.values.nrows(), |questions| questions.typed.table.rows())
    }

    /// An error about the values, with the place in the file.
    pub(crate) fn about(&self, error: recluster::Error) -> Failure {
        match &self.origin {
            Origin::Numbers(table) => table.about(error),
            Origin::Table(questions) => questions.typed.error(error).into(),
        }
    }
}

impl Questions {
    /// Rows of the file.
    pub(crate) fn rows(&self) -> usize {
        self.typed.table.rows()
    }

    /// What a reader should know of how the file was read.
    pub(crate) fn notes(&self) -> &[String] {
        &self.typed.notes
    }

    /// How many rows are set aside, in words.
    pub(crate) fn set_aside(&self) -> Option<String> {
        let rows = self.rows() - self.kept.as_ref()?.len();
        let some = if rows == 1 { "1 row answers".to_string() } else { format!("{rows} rows answer") };
        Some(format!("{some} fewer than a tenth of the questions and belong to no cluster"))
    }

    /// The columns that name the rows.
    pub(crate) fn ids(&self) -> Vec<(&str, &Values)> {
        ids(&self.schema, &self.typed.table)
    }
}

/// The columns of a table that name its rows.
pub(crate) fn ids<'t>(schema: &Schema, table: &'t Table) -> Vec<(&'t str, &'t Values)> {
    schema.of_role(Role::Id).filter_map(|f| table.column(&f.name)).map(|c| (c.name(), c.values())).collect()
}

/// What the columns are: inferred, then as the file of kinds and the flags say.
fn schema(args: &args::Table, profiles: &[&str], typed: &FileRows) -> Result<Schema, Failure> {
    let amendments = args.kinds.as_deref().map(kinds::read).transpose()?.unwrap_or_default();
    let (weight, label) = (args.weight.as_slice(), args.label.as_slice());
    let named = [("--id", args.id.as_slice()), ("--drop", &args.drop), ("--weight", weight), ("--label", label)];
    for (flag, names) in named {
        if let Some(name) = names.iter().find(|name| typed.table.column(name).is_none()) {
            return Err(Failure::data(format!("{flag}: the table has no column \"{name}\"")));
        }
    }
    let said = || {
        Schema::infer(&typed.table)
            .amended(&typed.table, &amendments)?
            .with_role(Role::Id, &args.id)?
            .with_role(Role::Dropped, &args.drop)?
            .with_role(Role::Profile, profiles)?
            .with_role(Role::Weight, args.weight.as_slice())?
            .with_role(Role::Label, args.label.as_slice())
    };
    said().map_err(|e| typed.error(e).into())
}

/// The weights of the rows that are kept, where a column has them.
fn weights(schema: &Schema, typed: &FileRows, kept: Option<&[u32]>) -> Result<Option<Vec<f64>>, Failure> {
    let columns = schema.columns_of(Role::Weight, &typed.table)?;
    let (column, values) = match columns[..] {
        [] => return Ok(None),
        [one] => one,
        [(a, _), (b, _), ..] => return Err(Failure::Usage(format!("columns \"{a}\" and \"{b}\" are both weights"))),
    };
    let of = |row: usize| match values {
        Values::Numbers(numbers) if numbers[row] > 0.0 && numbers[row].is_finite() => Ok(numbers[row]),
        _ => Err(typed.error(Error::Cell {
            column: column.to_string(),
            row,
            value: values.text(row).map_or_else(String::new, String::from),
            reason: "no weight, which is a number above 0",
        })),
    };
    let weights: Result<Vec<f64>, Error> = match kept {
        Some(kept) => kept.iter().map(|&row| of(row as usize)).collect(),
        None => (0..values.len()).map(of).collect(),
    };
    Ok(Some(weights?))
}

/// Outside variables with those of other files, and what a reader should know of these.
fn with_files(
    own: Option<Outside>,
    files: &[&str],
    rows: &outside::Rows<'_>,
) -> Result<(Option<Outside>, Vec<String>), Failure> {
    let (mut all, mut notes) = (own, Vec::new());
    for path in files {
        let (read, of_file) = Outside::read(path, rows)?;
        all = Some(match all {
            Some(all) => all.and(read).map_err(|e| Failure::file(path, e))?,
            None => read,
        });
        notes.extend(of_file);
    }
    Ok((all, notes))
}

/// Classes by number, in the order in which they occur; rows without one are a class of their own.
fn classes_of(values: &Values, kept: Option<&[u32]>) -> Vec<i32> {
    let mut numbers = HashMap::new();
    let mut of = |row: usize| {
        let next = numbers.len() as i32;
        *numbers.entry(values.text(row).map(String::from)).or_insert(next)
    };
    match kept {
        Some(kept) => kept.iter().map(|&row| of(row as usize)).collect(),
        None => (0..values.len()).map(of).collect(),
    }
}
