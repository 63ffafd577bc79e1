//! What is known of one column.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Kind {
    /// A measured number.
    Number,
    /// How many: a whole number from 0 on.
    Count,
    /// A part of a whole, from 0 to 1.
    Share,
    /// One of several levels that have an order.
    Ordinal,
    /// One of several levels without an order.
    Category,
    /// No or yes.
    Flag,
    /// A point in time.
    Date,
    /// Several answers in one cell, between separators.
    Answers,
}

/// What a column is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Role {
    /// It makes the clusters.
    Feature,
    /// It names the row, and stands beside it in results.
    Id,
    /// How many rows of the population the row stands for.
    Weight,
    /// An outside variable, shown for each cluster, that does not make the clusters.
    Profile,
    /// A known class, for evaluation only.
    Label,
    /// Not used; [`Field::reason`] says why.
    Dropped,
}

/// How numbers are brought to a scale on which differences mean alike everywhere, before an embedding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Scale {
    /// As they are.
    #[default]
    Linear,
    /// ln(1 + x).
    Log,
    /// Their mid-ranks among the rows at hand.
    Rank,
}

/// A cycle in which dates are placed, besides their place in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Cycle {
    /// The time of day.
    Day,
    /// The day of the week.
    Week,
    /// The day of the year.
    Year,
}

/// What is known of one column. Plain data: change what is wrong, or [amend](super::Schema::amended) the schema.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
#[must_use]
pub struct Field {
    /// Name of the column.
    pub name: String,
    /// What its values are.
    pub kind: Kind,
    /// What it is used for.
    pub role: Role,
    /// The levels of an ordinal (from low to high), a category, a flag (no, yes) or answers, as the table's text.
    pub levels: Vec<String>,
    /// The level that stands for all levels that are not listed, if there is one; else these count as missing.
    pub other: Option<String>,
    /// Texts that count as missing, besides missing values themselves.
    pub missing: Vec<String>,
    /// Whether a comma stands before the decimals of numbers that are texts; else commas stand between thousands.
    pub decimal_comma: bool,
    /// Whether dates that are texts, such as 4/9/2012, begin with the day; else with the month.
    pub day_first: bool,
    /// What a missing value means, if it means something, such as "does not apply": one of the levels.
    pub blank: Option<String>,
    /// The scale of numbers.
    pub scale: Scale,
    /// Between several answers in a cell.
    pub separator: String,
    /// Cycles of a date, each a feature of its own.
    pub cycles: Vec<Cycle>,
    /// The question that the column is a part of, where it has several columns.
    pub question: Option<String>,
    /// The group of questions that it stands in, where there are several.
    pub group: Option<String>,
    /// Weight of its question; at least 0, default 1.
    pub weight: f64,
    /// Why it has this role or this kind, where that needs saying.
    pub reason: Option<String>,
}

impl Field {
    /// A feature of the given kind, without levels.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Field {
            name: name.into(),
            kind,
            role: Role::Feature,
            levels: Vec::new(),
            other: None,
            missing: Vec::new(),
            decimal_comma: false,
            day_first: false,
            blank: None,
            scale: Scale::Linear,
            separator: ";".into(),
            cycles: Vec::new(),
            question: None,
            group: None,
            weight: 1.0,
            reason: None,
        }
    }

    /// The same with levels.
    pub fn with_levels(mut self, levels: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.levels = levels.into_iter().map(Into::into).collect();
        self
    }

    /// Whether it has no levels where its kind has some: of texts that are mostly different, or the same in every row.
    pub(super) fn lacks_levels(&self) -> bool {
        self.kind.has_levels() && self.levels.is_empty()
    }

    pub(super) fn with_role(mut self, role: Role, reason: impl Into<String>) -> Self {
        (self.role, self.reason) = (role, Some(reason.into()));
        self
    }
}

impl Kind {
    /// Whether the values are numbers on a scale: a number, a count or a share.
    pub fn is_numeric(self) -> bool {
        matches!(self, Kind::Number | Kind::Count | Kind::Share)
    }

    /// Whether the values are levels.
    pub fn has_levels(self) -> bool {
        matches!(self, Kind::Ordinal | Kind::Category | Kind::Flag | Kind::Answers)
    }
}

macro_rules! named {
    ($($type:ident: $($variant:ident $name:literal),*;)*) => {$(
        /// The name as in a file of kinds.
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $($type::$variant => $name),* })
            }
        }
    )*};
}
named! {
    Kind: Number "number", Count "count", Share "share", Ordinal "ordinal", Category "category", Flag "flag", Date "date",
        Answers "answers";
    Role: Feature "feature", Id "id", Weight "weight", Profile "profile", Label "label", Dropped "dropped";
    Scale: Linear "linear", Log "log", Rank "rank";
    Cycle: Day "day", Week "week", Year "year";
}
