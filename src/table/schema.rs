//! What is known of all columns of a table.

use super::feature::{Feature, FeatureKind, Part};
use super::field::{Field, Kind, Role, Scale};
use super::infer;
use super::values::{Table, Values, Words};
use crate::core::random::mix;
use crate::core::shape::check_count;
use crate::{Error, Result};
use ndarray::{ArrayRef2, ArrayView1};
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// What each column of a table is, by name: kinds, roles, levels, questions. Plain data, which is saved with a model and
/// meets later tables by name.
///
/// Fields stand in the order of their names, so that the order of columns in a file changes nothing.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[must_use]
pub struct Schema {
    fields: Vec<Field>,
}

impl Schema {
    /// Infers what each column is from its values and, where these leave it open, from its name:
    ///
    /// - A column that is empty, has the same value in every row, or numbers the rows, is dropped.
    /// - Texts: all different, ids; almost all different, dropped; two that mean no and yes, a flag; a known scale of
    ///   answers or ranges of numbers, an ordinal; several answers between `;` or `|`, answers; else a category, of the 254
    ///   most frequent levels and "other" where there are more than 255.
    /// - Numbers: 0 and 1, a flag; large whole numbers, all different, ids; whole numbers of at most 11 levels within 0 to
    ///   10, an ordinal; whole numbers whose name says a code (such as "region" or "channel"), a category; else a count, a
    ///   share or a number. A skewness above 2 makes the scale that of logarithms, or of ranks where that leaves it skewed.
    ///
    /// [`Field::reason`] says why a column is set aside, and names what was decided by its name. The order of rows and columns
    /// does not matter. O(cells), and a sort of each column of numbers.
    pub fn infer(table: &Table) -> Self {
        Schema::sorted(infer::fields(table.columns(), table.rows()))
    }

    /// A schema of given fields.
    ///
    /// # Errors
    /// [`Error::Kinds`] for what does not fit in one, such as levels that repeat.
    pub fn new(fields: Vec<Field>) -> Result<Self> {
        let schema = Schema::sorted(fields);
        schema.check()?;
        Ok(schema)
    }

    pub(super) fn sorted(mut fields: Vec<Field>) -> Self {
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        Schema { fields }
    }

    /// The fields, by name.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.place(name).map(|place| &self.fields[place])
    }

    pub(super) fn field_mut(&mut self, name: &str) -> Result<&mut Field> {
        match self.place(name) {
            Some(place) => Ok(&mut self.fields[place]),
            None => Err(Error::Columns { missing: vec![name.into()], unknown: vec![], repeated: vec![] }),
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.fields.binary_search_by(|field| field.name.as_str().cmp(name)).ok()
    }

    /// Gives the named columns a role. An outside variable without levels keeps the reason why it has none.
    ///
    /// # Errors
    /// [`Error::Columns`] for a name that no column has.
    pub fn with_role(mut self, role: Role, names: &[impl AsRef<str>]) -> Result<Self> {
        for name in names {
            let field = self.field_mut(name.as_ref())?;
            if role != Role::Profile || !field.lacks_levels() {
                field.reason = None;
            }
            field.role = role;
        }
        Ok(self)
    }

    /// Names of the columns of a role, in alphabetical order.
    pub fn of_role(&self, role: Role) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(move |field| field.role == role)
    }

    /// What the columns of the [encoded](Schema::encode) table are: the features in the order of their fields' names, of
    /// answers one for each, of a date with cycles one for each of these, too.
    pub fn features(&self) -> Vec<Feature> {
        let mut features = Vec::new();
        for (place, field) in self.fields.iter().enumerate().filter(|(_, field)| field.role == Role::Feature) {
            let question = field.question.as_ref().unwrap_or(&field.name);
            let mut push = |name: String, kind, levels: &[String]| {
                features.push(Feature {
                    name,
                    question: question.clone(),
                    field: place,
                    kind,
                    levels: levels.to_vec(),
                });
            };
            let name = field.name.clone();
            match field.kind {
                Kind::Number | Kind::Count | Kind::Share => push(name, FeatureKind::Number, &[]),
                Kind::Ordinal => push(name, FeatureKind::Ordinal, &field.levels),
                Kind::Category => push(name, FeatureKind::Category, &field.levels),
                Kind::Flag => push(name, FeatureKind::Flag, &field.levels),
                Kind::Date => {
                    push(name, FeatureKind::Date, &[]);
                    for &cycle in &field.cycles {
                        push(format!("{} ({cycle})", field.name), FeatureKind::Cycle(cycle), &[]);
                    }
                }
                Kind::Answers => {
                    let yes_no = ["no".to_string(), "yes".to_string()];
                    for level in &field.levels {
                        push(format!("{}: {level}", field.name), FeatureKind::Flag, &yes_no);
                    }
                }
            }
        }
        features
    }

    /// Names of the questions, in the order of their first features.
    pub fn questions(&self) -> Vec<String> {
        let mut questions: Vec<String> = Vec::new();
        for feature in self.features() {
            if !questions.contains(&feature.question) {
                questions.push(feature.question);
            }
        }
        questions
    }

    /// For each feature the place of its question among the [`questions`](Schema::questions).
    pub fn question_of_features(&self) -> Vec<usize> {
        let questions = self.questions();
        let place = |name: &String| questions.iter().position(|question| question == name).unwrap_or(0);
        self.features().iter().map(|feature| place(&feature.question)).collect()
    }

    /// The features as an embedder compares them, those of a question side by side.
    pub(crate) fn parts(&self) -> Vec<Part> {
        let features = self.features();
        let number = |names: &mut Vec<String>, name: &str| match names.iter().position(|known| known == name) {
            Some(number) => number,
            None => {
                names.push(name.to_string());
                names.len() - 1
            }
        };
        let (mut questions, mut groups) = (Vec::new(), Vec::new());
        let mut parts: Vec<Part> = (0..)
            .zip(&features)
            .map(|(at, feature)| {
                let field = &self.fields[feature.field];
                // A cycle of a date is a question of its own.
                let question = match feature.kind {
                    FeatureKind::Cycle(_) => &feature.name,
                    _ => &feature.question,
                };
                Part {
                    feature: at,
                    kind: feature.kind,
                    scale: field.scale,
                    levels: feature.levels.len(),
                    question: number(&mut questions, question),
                    group: number(&mut groups, field.group.as_deref().unwrap_or_default()),
                    weight: field.weight,
                }
            })
            .collect();
        parts.sort_by_key(|part| part.question);
        parts
    }

    /// For each row of an [encoded](Schema::encode) table the share of its questions that are answered, in part at least.
    /// Questions to which a missing value is an answer ([`Field::blank`]) are left out; 1 where there are no others.
    ///
    /// # Errors
    /// [`Error::Shape`] when the columns are not the features.
    pub fn answered(&self, rows: &ArrayRef2<f32>) -> Result<Vec<f64>> {
        let (mut parts, features) = (self.parts(), self.features());
        check_count("columns, one for each feature", parts.len(), rows.ncols())?;
        parts.retain(|part| self.fields[features[part.feature].field].blank.is_none());
        if parts.is_empty() {
            return Ok(vec![1.0; rows.nrows()]);
        }
        let questions: Vec<&[Part]> = parts.chunk_by(|a, b| a.question == b.question).collect();
        let share = |row: ArrayView1<'_, f32>| {
            let has = |question: &&&[Part]| question.iter().any(|part| !row[part.feature].is_nan());
            questions.iter().filter(has).count() as f64 / questions.len().max(1) as f64
        };
        Ok(rows.outer_iter().map(share).collect())
    }

    /// Names of the features, in order.
    pub fn feature_names(&self) -> Vec<String> {
        self.features().into_iter().map(|feature| feature.name).collect()
    }

    /// Places of the features that are categories, for [`Boost::categorical`](crate::boost::Boost::categorical).
    pub fn categorical(&self) -> Vec<usize> {
        let features = self.features();
        (0..features.len()).filter(|&i| features[i].kind == FeatureKind::Category).collect()
    }

    /// A number that stands for the whole content, so that a saved schema that was cut or edited is told: a level taken away
    /// would give all others another number.
    pub(crate) fn digest(&self) -> u64 {
        let mut hash = 0;
        let mut take = |text: &str| {
            let bytes = text.bytes().map(u64::from).chain([256]);
            hash = bytes.fold(hash, |hash, byte| mix(hash ^ byte.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        };
        for field in &self.fields {
            let lists = [&field.levels, &field.missing].into_iter().flatten();
            let choices = [&field.other, &field.blank, &field.question, &field.group];
            [&field.name, &field.separator].into_iter().chain(lists).for_each(|text| take(text));
            choices.into_iter().for_each(|choice| take(choice.as_deref().unwrap_or("\0")));
            let cycles: Vec<String> = field.cycles.iter().map(ToString::to_string).collect();
            take(&format!("{} {} {} {}", field.kind, field.role, field.scale, cycles.join(" ")));
            take(&format!("{} {} {}", field.decimal_comma, field.day_first, field.weight.to_bits()));
        }
        hash
    }

    /// Says what does not fit.
    pub(crate) fn fault(&self) -> Option<(String, String)> {
        let mut before: Option<&str> = None;
        for field in &self.fields {
            let wrong = |reason: String| Some((field.name.clone(), reason));
            if before.is_some_and(|before| before >= field.name.as_str()) {
                return wrong("the column is listed twice, or out of order".into());
            }
            before = Some(&field.name);
            if !(field.weight >= 0.0 && field.weight.is_finite()) {
                return wrong(format!("weight = {}: must be a number of at least 0", field.weight));
            }
            if let Some(reason) = fault_of_levels(field) {
                return wrong(reason);
            }
        }
        let names = self.feature_names();
        let mut seen = HashSet::new();
        let twice = names.iter().find(|name| !seen.insert(name.as_str()));
        twice.map(|name| (name.clone(), "two features have this name".into()))
    }

    pub(super) fn check(&self) -> Result<()> {
        self.fault().map_or(Ok(()), |(column, reason)| Err(Error::Kinds { column, reason }))
    }
}

/// Levels of a category at most, so that they and missing values fit into the bins of boosted trees.
pub(super) const MOST_LEVELS: usize = 255;

fn fault_of_levels(field: &Field) -> Option<String> {
    if !field.kind.has_levels() || field.role != Role::Feature && field.levels.is_empty() {
        return None;
    }
    let levels = field.levels.len();
    let mut seen = HashSet::new();
    if let Some(level) = field.levels.iter().find(|level| !seen.insert(level.as_str())) {
        return Some(format!("the level \"{level}\" is listed twice"));
    }
    match field.kind {
        Kind::Flag if levels != 2 => return Some(format!("{levels} levels: a flag has two, no and yes")),
        Kind::Category if levels > MOST_LEVELS => {
            return Some(format!("{levels} levels: a category has at most {MOST_LEVELS}"));
        }
        Kind::Answers if field.separator.is_empty() => return Some("the separator of answers is empty".into()),
        _ if levels == 0 => return Some("no levels".into()),
        _ => {}
    }
    let listed = |level: &Option<String>| level.as_ref().is_none_or(|level| field.levels.contains(level));
    if !listed(&field.other) || !listed(&field.blank) {
        return Some("what unlisted or missing values count as is not among the levels".into());
    }
    None
}

/// What is set aside, and what a reader of results should know of how columns are used.
impl Schema {
    /// For each column that is not used, its name and the reason; by name.
    pub fn set_aside(&self) -> impl Iterator<Item = (&str, &str)> {
        self.of_role(Role::Dropped).map(|f| (f.name.as_str(), f.reason.as_deref().unwrap_or("left out")))
    }

    /// For each feature's column its kind in words, such as "count, on the scale of logarithms" or "category of 5 levels".
    pub fn kinds_in_words(&self) -> impl Iterator<Item = (&str, String)> {
        self.of_role(Role::Feature).map(|field| (field.name.as_str(), in_words(field)))
    }
}

fn in_words(field: &Field) -> String {
    let levels = field.levels.len();
    let scale = match field.scale {
        Scale::Linear => "",
        Scale::Log => ", compared by its logarithm",
        Scale::Rank => ", compared by rank",
    };
    match field.kind {
        kind if kind.is_numeric() => format!("{kind}{scale}"),
        Kind::Ordinal => format!("ordinal of {levels} levels"),
        Kind::Category => format!("category of {levels} levels"),
        Kind::Answers => format!("several answers of {levels}"),
        kind => kind.to_string(),
    }
}

/// The values of ids and of other columns, as text.
impl Schema {
    /// Columns of a role in a table, in alphabetical order.
    ///
    /// # Errors
    /// [`Error::Columns`] for those that the table lacks.
    pub fn columns_of<'t>(&self, role: Role, table: &'t Table) -> Result<Vec<(&'t str, &'t Values)>> {
        let fields: Vec<&Field> = self.of_role(role).collect();
        let missing: Vec<String> =
            fields.iter().filter(|f| table.column(&f.name).is_none()).map(|f| f.name.clone()).collect();
        if !missing.is_empty() {
            return Err(Error::Columns { missing, unknown: vec![], repeated: vec![] });
        }
        Ok(fields.iter().filter_map(|f| table.column(&f.name)).map(|c| (c.name(), c.values())).collect())
    }
}

/// The levels of a column of texts with their counts.
pub(super) fn counted(words: &Words) -> Vec<(&str, usize)> {
    let counts = words.counts();
    let mut levels: Vec<(&str, usize)> = words.levels().iter().map(String::as_str).zip(counts).collect();
    levels.retain(|level| level.1 > 0);
    levels
}
