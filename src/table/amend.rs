//! What a person changes of an inferred schema.

use super::field::{Cycle, Field, Kind, Role, Scale};
use super::infer::relevel;
use super::{Schema, Table};
use crate::{Error, Result};
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// A change of one column's field: what is None stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields, default))]
pub struct Amendment {
    /// Name of the column.
    pub name: String,
    /// See [`Field::kind`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub kind: Option<Kind>,
    /// See [`Field::role`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub role: Option<Role>,
    /// See [`Field::levels`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub levels: Option<Vec<String>>,
    /// See [`Field::other`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub other: Option<String>,
    /// See [`Field::missing`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub missing: Option<Vec<String>>,
    /// See [`Field::decimal_comma`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub decimal_comma: Option<bool>,
    /// See [`Field::day_first`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub day_first: Option<bool>,
    /// See [`Field::blank`]. It is added to the levels where it is not among them.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub blank: Option<String>,
    /// See [`Field::scale`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub scale: Option<Scale>,
    /// See [`Field::separator`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub separator: Option<String>,
    /// See [`Field::cycles`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub cycles: Option<Vec<Cycle>>,
    /// See [`Field::question`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub question: Option<String>,
    /// See [`Field::group`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub group: Option<String>,
    /// See [`Field::weight`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub weight: Option<f64>,
}

impl Amendment {
    /// No change of the named column yet.
    pub fn of(name: impl Into<String>) -> Self {
        Amendment { name: name.into(), ..Amendment::default() }
    }
}

/// All that a person may want to change of a field, as it stands.
impl From<&Field> for Amendment {
    fn from(field: &Field) -> Self {
        let numeric = field.kind.is_numeric();
        let listed = field.kind.has_levels() && !field.levels.is_empty();
        Amendment {
            name: field.name.clone(),
            kind: Some(field.kind),
            role: Some(field.role),
            levels: listed.then(|| field.levels.clone()),
            other: field.other.clone(),
            missing: (!field.missing.is_empty()).then(|| field.missing.clone()),
            decimal_comma: (numeric && field.decimal_comma).then_some(true),
            day_first: (field.kind == Kind::Date && field.day_first).then_some(true),
            blank: field.blank.clone(),
            scale: numeric.then_some(field.scale),
            separator: (field.kind == Kind::Answers).then(|| field.separator.clone()),
            cycles: (field.kind == Kind::Date).then(|| field.cycles.clone()),
            question: field.question.clone(),
            group: field.group.clone(),
            weight: (field.weight != 1.0).then_some(field.weight),
        }
    }
}

impl Schema {
    /// Changes fields. A column of a new kind, or with other texts that count as missing, gets its levels from the `table`
    /// where none are given.
    ///
    /// ```
    /// use recluster::table::{Amendment, Column, Kind, Schema, Table, Values};
    /// let sizes = ["tiny", "huge", "plain", "huge"];
    /// let table = Table::new(vec![Column::new("size", Values::words(sizes.map(Some)))])?;
    /// let levels = Some(["tiny", "plain", "huge"].map(String::from).to_vec());
    /// let ordinal = Amendment { kind: Some(Kind::Ordinal), levels, ..Amendment::of("size") };
    /// let schema = Schema::infer(&table).amended(&table, &[ordinal])?;
    /// assert_eq!(schema.encode(&table)?, ndarray::array![[0.0], [2.0], [1.0], [2.0]]);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Columns`] for a column that is not there; [`Error::Kinds`] for what does not fit, such as levels that repeat
    /// or a flag of three.
    pub fn amended(mut self, table: &Table, amendments: &[Amendment]) -> Result<Self> {
        for amendment in amendments {
            let field = self.field_mut(&amendment.name)?;
            let Some(column) = table.column(&amendment.name) else {
                let missing = vec![amendment.name.clone()];
                return Err(Error::Columns { missing, unknown: vec![], repeated: vec![] });
            };
            apply(field, amendment, column.values());
        }
        self.check()?;
        Ok(self)
    }
}

fn apply(field: &mut Field, amendment: &Amendment, values: &super::Values) {
    let before = field.clone();
    let take = |to: &mut Option<String>, from: &Option<String>| {
        if from.is_some() {
            to.clone_from(from);
        }
    };
    field.kind = amendment.kind.unwrap_or(field.kind);
    field.role = amendment.role.unwrap_or(field.role);
    field.missing = amendment.missing.clone().unwrap_or_else(|| std::mem::take(&mut field.missing));
    field.separator = amendment.separator.clone().unwrap_or_else(|| std::mem::take(&mut field.separator));
    field.cycles = amendment.cycles.clone().unwrap_or_else(|| std::mem::take(&mut field.cycles));
    field.decimal_comma = amendment.decimal_comma.unwrap_or(field.decimal_comma);
    field.day_first = amendment.day_first.unwrap_or(field.day_first);
    field.scale = amendment.scale.unwrap_or(field.scale);
    field.weight = amendment.weight.unwrap_or(field.weight);
    take(&mut field.question, &amendment.question);
    take(&mut field.group, &amendment.group);
    match &amendment.levels {
        Some(levels) => {
            field.levels.clone_from(levels);
            field.other = field.other.take().filter(|other| levels.contains(other));
            field.blank = field.blank.take().filter(|blank| levels.contains(blank));
        }
        // An outside variable that inference found to have no levels worth counting stays without.
        None if field.kind != before.kind
            || field.missing != before.missing
            || field.levels.is_empty() && field.role != Role::Profile =>
        {
            (field.other, field.blank) = (None, None);
            relevel(field, values);
        }
        None => {}
    }
    take(&mut field.other, &amendment.other);
    if let Some(blank) = &amendment.blank {
        if !field.levels.contains(blank) {
            field.levels.push(blank.clone());
        }
        field.blank = Some(blank.clone());
    }
    // Why there are no levels is worth more than that they were asked for.
    if *field != before && !field.lacks_levels() {
        field.reason = Some("as asked".into());
    }
}
