//! Outside variables of a fit: columns of its own file, and those of other files, joined by an id or row by row.

use crate::failure::Failure;
use crate::input;
use ndarray::{Array1, Array2, Axis};
use recluster::Error;
use recluster::table::{FileRows, Role, Schema, Table, Values};
use std::borrow::Cow;
use std::collections::HashMap;

/// Outside variables: what they are, and their values by row.
pub(crate) struct Outside {
    pub(crate) schema: Schema,
    /// Rows x features; NaN is missing.
    pub(crate) values: Array2<f32>,
}

/// The rows that a file is joined to.
pub(crate) struct Rows<'a> {
    /// How many there are.
    pub(crate) count: usize,
    /// The columns that name them.
    pub(crate) ids: Vec<(&'a str, &'a Values)>,
    /// The columns of which one must be in the file.
    pub(crate) named: &'a [String],
    /// Whether they are the first of more.
    pub(crate) cut: bool,
}

impl Outside {
    /// The columns of a table that have the role; none where no column has.
    pub(crate) fn of_role(schema: &Schema, typed: &FileRows) -> Result<Option<Self>, Failure> {
        let Some(schema) = schema.profiles() else { return Ok(None) };
        // There may be no feature: none may have levels to count.
        let values = match schema.features().is_empty() {
            true => Array2::zeros((typed.table.rows(), 0)),
            false => schema.encode(&typed.table).map_err(|e| typed.error(e))?,
        };
        Ok(Some(Outside { schema, values }))
    }

    /// The columns of another file, and what a reader should know of how it was joined.
    pub(crate) fn read(path: &str, rows: &Rows<'_>) -> Result<(Self, Vec<String>), Failure> {
        let mut typed = input::typed(path, None)?;
        let mut notes: Vec<String> = typed.notes.iter().map(|note| format!("{path}: {note}")).collect();
        let id = rows.ids.iter().find_map(|&(name, ids)| Some((name, ids, typed.table.column(name)?.values())));
        let places = match id {
            Some((name, ids, theirs)) => Some(joined(ids, theirs).map_err(|e| typed.error(twice(name, e)))?),
            None if !rows.named.is_empty() => {
                let names = rows.named.join("\" or \"");
                return Err(Failure::file(path, format!("no column \"{names}\", by which --id says to join it")));
            }
            None => None,
        };
        let id = id.map(|(name, ..)| name);
        match &places {
            Some(places) => {
                let without = places.iter().filter(|place| place.is_none()).count();
                if without > 0 {
                    notes.push(format!("{without} of {} rows are not in {path}", rows.count));
                }
            }
            None => {
                let found = typed.table.rows();
                if rows.cut && found > rows.count {
                    let first: Vec<u32> = (0..rows.count as u32).collect();
                    typed.table = typed.table.select(&first)?;
                } else if found != rows.count {
                    let reason =
                        format!("{found} rows, the data has {}: give --id to join them by a column", rows.count);
                    return Err(Failure::file(path, reason));
                }
            }
        }
        let inferred = Schema::infer(&typed.table);
        for (name, reason) in inferred.set_aside().filter(|&(name, _)| Some(name) != id) {
            notes.push(format!("{path}: column \"{name}\" was set aside: {reason}"));
        }
        let names: Vec<String> = inferred.of_role(Role::Feature).map(|field| field.name.clone()).collect();
        let names: Vec<&String> = names.iter().filter(|&name| Some(name.as_str()) != id).collect();
        let schema = inferred.with_role(Role::Profile, &names)?;
        let Some(own) = Outside::of_role(&schema, &typed)? else {
            return Err(Failure::file(path, "no column is left to show"));
        };
        Ok((own.at(places.as_deref()), notes))
    }

    /// The values of each row by its place in the file; those of a row without one are missing.
    fn at(self, places: Option<&[Option<u32>]>) -> Self {
        let Some(places) = places else { return self };
        let mut values = Array2::from_elem((places.len(), self.values.ncols()), f32::NAN);
        for (mut to, from) in values.axis_iter_mut(Axis(0)).zip(places) {
            if let Some(from) = from {
                to.assign(&self.values.row(*from as usize));
            }
        }
        Outside { schema: self.schema, values }
    }

    /// Both together; a name may stand in one only.
    pub(crate) fn and(self, other: Outside) -> Result<Self, Failure> {
        let fields = self.schema.fields().iter().chain(other.schema.fields()).cloned().collect();
        let schema = Schema::new(fields)?;
        let column = |name: &String| -> Option<Array1<f32>> {
            [&self, &other].into_iter().find_map(|side| {
                let place = side.schema.feature_names().iter().position(|own| own == name)?;
                Some(side.values.column(place).to_owned())
            })
        };
        let mut values = Array2::zeros((self.values.nrows(), 0));
        for column in schema.feature_names().iter().filter_map(column) {
            values.push_column(column.view()).map_err(|e| Failure::data(e.to_string()))?;
        }
        Ok(Outside { schema, values })
    }

    /// Some of the rows.
    pub(crate) fn select(self, rows: &[usize]) -> Self {
        Outside { schema: self.schema, values: self.values.select(Axis(0), rows) }
    }
}

/// Which of the names given with `--profile` are files: those that are no column and stand on disk.
pub(crate) fn files<'a>(names: &'a [String], table: Option<&Table>) -> (Vec<&'a str>, Vec<&'a str>) {
    let is_file =
        |name: &&str| table.is_none_or(|table| table.column(name).is_none()) && std::path::Path::new(name).is_file();
    names.iter().map(String::as_str).partition(is_file)
}

/// The row of `theirs` with the same id, for each of `ids`; or a row of `theirs` whose id stood before.
fn joined(ids: &Values, theirs: &Values) -> Result<Vec<Option<u32>>, (usize, String)> {
    let mut places: HashMap<Cow<'_, str>, u32> = HashMap::with_capacity(theirs.len());
    for row in 0..theirs.len() {
        let Some(id) = theirs.text(row) else { continue };
        if places.insert(id.clone(), row as u32).is_some() {
            return Err((row, id.into_owned()));
        }
    }
    Ok((0..ids.len()).map(|row| places.get(&ids.text(row)?).copied()).collect())
}

fn twice(column: &str, (row, value): (usize, String)) -> Error {
    Error::Cell { column: column.to_string(), row, value, reason: "an id that stands twice" }
}
