//! The columns of a call as a table of the library.

use crate::cross::crossed;
use arrow_array::{ArrayRef, RecordBatch};
use datafusion::arrow::array::{Array, AsArray};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::ScalarFunctionArgs;
use ndarray::Array2;
use recluster::boost::BoostModel;
use recluster::explain::Surrogate;
use recluster::table::{Role, Table, Values};
use recluster::{Error, match_columns};

/// Names of the columns that a model needs; None where they go by their order.
pub(crate) fn needed(surrogate: &Surrogate) -> Option<Vec<String>> {
    match surrogate.schema() {
        Some(schema) => Some(schema.of_role(Role::Feature).map(|field| field.name.clone()).collect()),
        None => surrogate.model().feature_names().map(<[String]>::to_vec),
    }
}

/// The columns of a call but for its first argument; of structs their fields. What the model has no use for is left out.
pub(crate) fn table(surrogate: &Surrogate, call: &ScalarFunctionArgs) -> Result<Table> {
    let needed = needed(surrogate);
    let needs = |name: &str| needed.as_ref().is_none_or(|needed| needed.iter().any(|known| known == name));
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    for (value, field) in call.args.iter().zip(&call.arg_fields).skip(1) {
        let array = value.to_array_of_size(call.number_rows)?;
        match array.as_struct_opt() {
            Some(parts) => {
                for (name, part) in parts.column_names().into_iter().zip(parts.columns()) {
                    if needs(name) {
                        columns.push((name.to_string(), crossed(part, parts.nulls())?));
                    }
                }
            }
            None if needs(field.name()) => columns.push((field.name().clone(), crossed(&array, None)?)),
            None => {}
        }
    }
    if columns.is_empty() {
        let missing = needed.unwrap_or_default();
        return Err(failed(Error::Columns { missing, unknown: vec![], repeated: vec![] }));
    }
    let batch = RecordBatch::try_from_iter(columns).map_err(failed)?;
    Table::from_record_batches(&[batch]).map_err(failed)
}

fn failed(reason: impl std::fmt::Display) -> DataFusionError {
    DataFusionError::Execution(reason.to_string())
}

/// The table of a model without a schema: all columns are numbers, matched by name where the model has names.
pub(crate) fn numbers(model: &BoostModel, table: &Table) -> recluster::Result<Array2<f32>> {
    let names: Vec<&str> = table.columns().iter().map(|column| column.name()).collect();
    let places = match model.feature_names() {
        Some(known) => match_columns(known, &names)?,
        None => (0..names.len()).collect(),
    };
    let mut all = Array2::zeros((table.rows(), places.len()));
    for (mut to, place) in all.columns_mut().into_iter().zip(places) {
        match table.columns()[place].values() {
            Values::Numbers(numbers) | Values::Flags(numbers) => {
                to.iter_mut().zip(numbers).for_each(|(to, &number)| *to = number as f32);
            }
            _ => {
                let (column, reason) = (names[place].to_string(), "the model takes numbers".to_string());
                return Err(Error::Kinds { column, reason });
            }
        }
    }
    Ok(all)
}
