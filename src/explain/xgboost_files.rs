//! The surrogate as files that XGBoost scores, on one machine or on Dask and Spark.

use super::Surrogate;
use crate::table::Field;
use crate::{Error, Result};
use serde::Serialize;
use std::collections::HashSet;

/// What a program beside XGBoost needs to know: how a table becomes the model's columns, and what its classes mean.
#[derive(Serialize)]
struct Columns<'a> {
    classes: Vec<Class<'a>>,
    features: Vec<Column>,
    /// The fields of the table that make the features, in their order; null where all columns are numbers.
    fields: Option<Vec<&'a Field>>,
    /// Confidences, ascending: below the i-th is a share of at most i / 200 of the known rows.
    thresholds: &'a [f64],
}

#[derive(Serialize)]
struct Class<'a> {
    path: &'a str,
    file: String,
}

#[derive(Serialize)]
struct Column {
    /// Null where columns go by their order.
    name: Option<String>,
    /// XGBoost's: "c" for the number of a level, "float" for a number.
    r#type: &'static str,
}

impl Surrogate {
    /// The surrogate for XGBoost: names and contents of JSON files.
    ///
    /// - `clusters.json`: one `multi:softprob` model whose classes are the surrogate's, in order;
    ///   see [`BoostModel::to_xgboost_softprob_json`](crate::boost::BoostModel::to_xgboost_softprob_json).
    /// - `cluster_0.1.json` and so on: for each class its own `binary:logistic` model, whose probabilities are
    ///   [`probabilities`](Surrogate::probabilities).
    /// - `columns.json`: the classes with their files, the features with XGBoost's names and types, the fields of the schema
    ///   that [`encode`](crate::table::Schema::encode) uses, and the thresholds of
    ///   [`selectivity`](Surrogate::selectivity).
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recluster::{Run, boost::{Boost, BoostModel}, explain::Surrogate};
    /// let rows = Array2::from_shape_fn((400, 4), |(i, j)| (i % 2 * 50) as f32 + ((i * 7 + j * 11) % 13) as f32);
    /// let labels: Vec<i32> = (0..400).map(|i| i % 2).collect();
    /// let run = Run::new();
    /// let surrogate = Surrogate::fit(&rows, &labels, vec!["0.0".into(), "0.1".into()], &Boost::new().rounds(20), &run)?;
    /// let files = surrogate.xgboost_files()?;
    /// let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    /// assert_eq!(names, ["clusters.json", "cluster_0.0.json", "cluster_0.1.json", "columns.json"]);
    /// let clusters = BoostModel::from_xgboost_json(&files[0].1)?;
    /// assert_eq!(clusters.margins(&rows, &run)?, surrogate.model().margins(&rows, &run)?);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Format`] where a file cannot be written as JSON.
    pub fn xgboost_files(&self) -> Result<Vec<(String, String)>> {
        let model = self.model();
        let mut files = vec![("clusters.json".to_string(), model.to_xgboost_softprob_json()?)];
        let mut names = HashSet::new();
        for (class, path) in self.classes().iter().enumerate() {
            let plain: String =
                path.chars().map(|c| if c.is_alphanumeric() || ".-_".contains(c) { c } else { '_' }).collect();
            let mut name = format!("cluster_{plain}.json");
            // Names that differ in signs alone, or in case where a file system does not tell them apart.
            if !names.insert(name.to_lowercase()) {
                name = format!("cluster_{plain} ({class}).json");
                names.insert(name.to_lowercase());
            }
            files.push((name, model.to_xgboost_json(class)?));
        }
        let classes =
            self.classes().iter().zip(&files[1..]).map(|(path, (file, _))| Class { path, file: file.clone() });
        let classes = classes.collect();
        let columns = Columns {
            classes,
            features: self.columns(),
            fields: self.fields(),
            thresholds: &self.selectivity().thresholds,
        };
        let text = serde_json::to_string_pretty(&columns)
            .map_err(|e| Error::Format { format: "JSON", reason: e.to_string() })?;
        files.push(("columns.json".to_string(), text));
        Ok(files)
    }

    fn columns(&self) -> Vec<Column> {
        let names = self.model().names_for_xgboost();
        let types = self.model().is_categorical().into_iter();
        let column = |(place, c)| Column { name: names.get(place).cloned(), r#type: if c { "c" } else { "float" } };
        types.enumerate().map(column).collect()
    }

    fn fields(&self) -> Option<Vec<&Field>> {
        let schema = self.schema()?;
        Some(schema.of_role(crate::table::Role::Feature).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boost::{Boost, BoostModel};
    use crate::table::{Column, Schema, Table, Values};
    use crate::{Run, Saved};
    use ndarray::Array2;

    fn table(rows: usize) -> Table {
        let words = ["north", "south", "east", "west"];
        let of = |i: usize| (!i.is_multiple_of(11)).then(|| words[i % 3 + i % 7 / 6]);
        let number = |i: usize| if i.is_multiple_of(13) { f64::NAN } else { (i % 3 * 20 + i * 7 % 11) as f64 / 4.0 };
        let several = |i: usize| Some(["<18; b", "b; [c]", "a; <18", "a", "b; a", "[c]; a"][(i / 2 + i % 5 / 4) % 6]);
        Table::new(vec![
            Column::new("where", Values::words((0..rows).map(of))),
            Column::new("spent [€]", Values::numbers((0..rows).map(number))),
            Column::new("answers", Values::words((0..rows).map(several))),
        ])
        .unwrap()
    }

    #[test]
    fn files_give_the_classes_and_probabilities_of_the_surrogate() {
        let (table, run) = (table(900), Run::new());
        let schema = Schema::infer(&table);
        let rows = schema.encode(&table).unwrap();
        let labels: Vec<i32> = (0..900).map(|i| if i % 23 == 0 { -1 } else { i % 3 }).collect();
        let names = ["a/b", "a b", "0.2"].map(String::from).to_vec();
        let boost = Boost::new().rounds(12).categorical(&schema.categorical());
        let surrogate = Surrogate::fit(&rows, &labels, names, &boost, &run).unwrap().with_schema(schema).unwrap();
        let files = surrogate.xgboost_files().unwrap();
        let called: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            called,
            ["clusters.json", "cluster_a_b.json", "cluster_a_b (1).json", "cluster_0.2.json", "columns.json"]
        );
        let read: Vec<BoostModel> =
            files[..4].iter().map(|(_, text)| BoostModel::from_xgboost_json(text).unwrap()).collect();
        let margins = surrogate.model().margins(&rows, &run).unwrap();
        assert_eq!(read[0].margins(&rows, &run).unwrap(), margins);
        let near = |found: Array2<f64>, expected: Array2<f64>| {
            assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found} {expected}");
        };
        near(read[0].probabilities(&rows, &run).unwrap(), surrogate.model().distribution(&rows, &run).unwrap());
        for (class, model) in read[1..].iter().enumerate() {
            assert_eq!(model.margins(&rows, &run).unwrap().column(0), margins.column(class));
        }
        // XGBoost refuses names with these signs.
        let names = read[0].feature_names().unwrap();
        assert!(names.iter().all(|name| !name.contains(['[', ']', '<'])), "{names:?}");
        assert!(
            names.contains(&"spent (€)".to_string()) && names.contains(&"answers: below 18".to_string()),
            "{names:?}"
        );
        let columns: serde_json::Value = serde_json::from_str(&files[4].1).unwrap();
        assert_eq!(columns["classes"][1], serde_json::json!({"path": "a b", "file": "cluster_a_b (1).json"}));
        let types: Vec<&str> =
            columns["features"].as_array().unwrap().iter().map(|f| f["type"].as_str().unwrap()).collect();
        assert_eq!(types.iter().filter(|&&of| of == "c").count(), 1);
        assert_eq!(types.len(), names.len());
        assert_eq!(columns["fields"][2]["levels"].as_array().unwrap().len(), 4);
        assert_eq!(columns["thresholds"].as_array().unwrap().len(), 201);
        // A model read from its file writes the same.
        let again = Surrogate::from_json(&surrogate.to_json().unwrap()).unwrap();
        assert_eq!(again.xgboost_files().unwrap(), files);
    }
}
