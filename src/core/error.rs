//! One error type for the whole crate: a variant for each cause, carrying the value and the place that caused it.

/// What can go wrong, and where.
///
/// Every public function that can fail returns this type; none of them panics on any input. Its text is whole: what it is made of
/// is in its fields, and [`source`](std::error::Error::source) has nothing to add to it, save where a plug-in's own error has.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A table without rows or without columns.
    #[error("{what} is empty: {rows} rows x {columns} columns")]
    Empty {
        /// Which table.
        what: &'static str,
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
    },
    /// A value that is NaN or infinite where only finite numbers can be used.
    #[error("value {value} at row {row}, column {column} of {what}: only finite numbers can be used here")]
    NotFinite {
        /// Which table.
        what: &'static str,
        /// Row of the first such value, counted from 0.
        row: usize,
        /// Its column, counted from 0.
        column: usize,
        /// The value itself.
        value: f32,
    },
    /// An entry of a sparse table that cannot stand where it does; see [`SparseRows`](crate::SparseRows).
    #[error("entry {entry} of the sparse rows, in row {row}: {reason}")]
    Entry {
        /// Row of the first such entry, counted from 0.
        row: usize,
        /// Its place among all entries, counted from 0.
        entry: usize,
        /// What is wrong with it, such as "its column comes twice".
        reason: &'static str,
    },
    /// A value below 0 where only others make sense.
    #[error("value {value} at row {row}, column {column}: {what} takes no value below 0")]
    Negative {
        /// What was asked for, such as "hellinger distance".
        what: &'static str,
        /// Row of the first such value, counted from 0.
        row: usize,
        /// Its column, counted from 0.
        column: usize,
        /// The value itself.
        value: f32,
    },
    /// Fewer rows than the method can work with.
    #[error("{method} needs at least {needed} rows, the data has {rows}")]
    TooFewRows {
        /// The method that was asked for.
        method: &'static str,
        /// Rows that it needs.
        needed: usize,
        /// Rows that it was given.
        rows: usize,
    },
    /// More rows than row numbers of 32 bits can name.
    #[error("{rows} rows: at most {most} are supported")]
    TooManyRows {
        /// Rows given.
        rows: usize,
        /// Rows supported.
        most: usize,
    },
    /// Two things that must agree in size do not.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// What was compared.
        what: &'static str,
        /// The size that fits.
        expected: usize,
        /// The size that was given.
        found: usize,
    },
    /// An output (a class, a cluster) that a model does not have.
    #[error("there is no output {output}: outputs are numbered from 0, and there are {outputs}")]
    Output {
        /// The number that was given.
        output: usize,
        /// How many outputs there are.
        outputs: usize,
    },
    /// Columns that are not those of a model, by name; see [`match_columns`](crate::match_columns).
    #[error("columns do not match: {}", faults(&[("missing", missing), ("unknown", unknown), ("more than once", repeated)]))]
    Columns {
        /// Those that the model has and the table lacks, in the model's order.
        missing: Vec<String>,
        /// Those that the table has and the model does not know, in the table's order.
        unknown: Vec<String>,
        /// Those that either has more than once, in alphabetical order.
        repeated: Vec<String>,
    },
    /// A setting outside its range.
    #[error("{name} = {value}: {allowed}")]
    Setting {
        /// Name of the setting.
        name: &'static str,
        /// Its value, as text.
        value: String,
        /// What is allowed, such as "must be at least 1".
        allowed: &'static str,
    },
    /// A number in a table of distances that is no distance.
    #[error("{value} at row {row}, column {column} of the table of distances: {reason}")]
    Distance {
        /// Row, counted from 0.
        row: usize,
        /// Column, counted from 0.
        column: usize,
        /// The value.
        value: f64,
        /// Why it cannot be a distance.
        reason: &'static str,
    },
    /// A value of a table's column that is not of the column's kind; see [`Schema::encode`](crate::table::Schema::encode).
    #[error("column \"{column}\", row {row}: \"{value}\" is {reason}")]
    Cell {
        /// Name of the column.
        column: String,
        /// Row of the first such value, counted from 0.
        row: usize,
        /// The value as text.
        value: String,
        /// What is wrong with it, such as "not a number".
        reason: &'static str,
    },
    /// What was said of a column does not fit together; see [`Schema`](crate::table::Schema).
    #[error("column \"{column}\": {reason}")]
    Kinds {
        /// Name of the column.
        column: String,
        /// What does not fit.
        reason: String,
    },
    /// A value of a categorical column that is no category number.
    #[error("value {value} at row {row}, column {column}: a category is a whole number from 0 to 16777215")]
    Category {
        /// Row of the first such value, counted from 0.
        row: usize,
        /// Its column, counted from 0.
        column: usize,
        /// The value itself.
        value: f32,
    },
    /// A value that is beyond f32 once its column is scaled, because most of the column's values lie so close together.
    #[error(
        "value {value} at row {row}, column {column} cannot be scaled: divided by the column's spread of {spread:e} it is \
         beyond f32; leave the column out or scale otherwise"
    )]
    Overflow {
        /// Row of the value, counted from 0: of those in its column, the farthest from the centre.
        row: usize,
        /// Its column, counted from 0.
        column: usize,
        /// The value itself.
        value: f32,
        /// What the column is divided by.
        spread: f64,
    },
    /// A label that cannot be used.
    #[error("label {label} at row {row}: {reason}")]
    Label {
        /// Row of the label, counted from 0.
        row: usize,
        /// The label.
        label: i64,
        /// Why it cannot be used.
        reason: &'static str,
    },
    /// A plug-in algorithm returned something that breaks its trait's contract.
    #[error("the {room} \"{name}\" broke its contract: {reason}{}", row.map_or_else(String::new, |row| format!(" (row {row})")))]
    Contract {
        /// "embedder", "clusterer", "explainer" or "judge".
        room: &'static str,
        /// The plug-in's own name.
        name: String,
        /// What is wrong with what it returned.
        reason: String,
        /// The row where it shows, counted from 0, if it is one row's.
        row: Option<usize>,
    },
    /// An error of a plug-in's own.
    #[error(transparent)]
    Plugin(Box<dyn std::error::Error + Send + Sync>),
    /// An error inside a larger piece of work, such as a node of a tree or a plug-in; [`cause`](Error::cause) is the error itself.
    #[error("{place}: {error}")]
    Within {
        /// Where: "node 0.2", or the kind and name of a plug-in, such as "clusterer \"Halves\"".
        place: String,
        /// What happened there. Its rows are numbered as in the whole table.
        error: Box<Error>,
    },
    /// A numerical problem that has no solution in f64.
    #[error("{method}: {reason}")]
    Unsolved {
        /// The method that met it.
        method: &'static str,
        /// Why, and what helps.
        reason: &'static str,
    },
    /// The run was cancelled through its [`Cancel`](crate::Cancel) handle.
    #[error("cancelled during {stage}")]
    Cancelled {
        /// The stage that noticed.
        stage: &'static str,
    },
    /// A thread pool could not be started.
    #[error("{threads} threads could not be started: {reason}")]
    Threads {
        /// Threads asked for.
        threads: usize,
        /// The system's reason.
        reason: String,
    },
    /// A saved file that is not what its reader expects.
    #[error("not a valid {format}: {reason}")]
    Format {
        /// The format that was expected.
        format: &'static str,
        /// What does not fit, and where.
        reason: String,
    },
    /// A saved file of a format version that this version of the crate does not know.
    #[error("{format} version {found} is unknown here: this version of recluster reads version {supported}")]
    Version {
        /// The format.
        format: &'static str,
        /// The version in the file.
        found: u64,
        /// The version that can be read.
        supported: u64,
    },
    /// A checkpoint that is another fit's; see `Checkpoint` in [`recursive`](crate::recursive).
    #[error("{path} is the checkpoint of another fit, remove it to begin anew: {}", differs.join("; "))]
    Checkpoint {
        /// Its folder.
        path: String,
        /// Each setting that is not the same, and how it differs.
        differs: Vec<String>,
    },
    /// A file that does not hold what it is read as.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What does not fit, and where.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {error}")]
    Io {
        /// The file or folder.
        path: String,
        /// The system's reason.
        error: std::io::Error,
    },
}

/// The first few names of each fault that there is.
fn faults(faults: &[(&str, &Vec<String>)]) -> String {
    const FEW: usize = 5;
    let listed = |(what, names): &(&str, &Vec<String>)| {
        let few: Vec<String> = names.iter().take(FEW).map(|name| format!("\"{name}\"")).collect();
        let more = names.len().saturating_sub(FEW);
        format!("{what} {}{}", few.join(", "), if more > 0 { format!(" and {more} more") } else { String::new() })
    };
    faults.iter().filter(|(_, names)| !names.is_empty()).map(listed).collect::<Vec<_>>().join("; ")
}

/// A result whose error is this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A setting outside its range; for use at the door of a fit.
    pub fn setting(name: &'static str, value: impl std::fmt::Display, allowed: &'static str) -> Self {
        Error::Setting { name, value: value.to_string(), allowed }
    }

    /// The error without the [places](Error::Within) that it came through: what to match on.
    ///
    /// ```
    /// use ndarray::array;
    /// use recluster::{Clusterer, Clustering, Error, Result, Run, embed::Identity, recursive::RecursiveTree};
    /// struct Offline;
    /// impl Clusterer for Offline {
    ///     fn cluster(&self, _: &ndarray::ArrayRef2<f32>, _: &Run) -> Result<Clustering> {
    ///         Err(Error::Plugin("the service does not answer".into()))
    ///     }
    /// }
    /// let plan = RecursiveTree::new(Identity, Offline).min_rows(2);
    /// let error = plan.fit(&array![[0.0f32], [1.0]], &Run::new()).unwrap_err();
    /// assert_eq!(error.to_string(), "clusterer \"Offline\": the service does not answer");
    /// assert!(matches!(error.cause(), Error::Plugin(_)));
    /// ```
    pub fn cause(&self) -> &Error {
        match self {
            Error::Within { error, .. } => error.cause(),
            error => error,
        }
    }

    /// The error with the place where it happened. One that says that the run was cancelled stays as it is.
    pub(crate) fn within(self, place: impl FnOnce() -> String) -> Self {
        match self {
            Error::Cancelled { .. } => self,
            error => Error::Within { place: place(), error: Box::new(error) },
        }
    }

    /// The error with the rows of a part of a table named by their numbers in the table: row i of the part is `rows[i]`.
    pub(crate) fn of_part(mut self, rows: &[u32]) -> Self {
        self.number_by(rows);
        self
    }

    fn number_by(&mut self, rows: &[u32]) {
        let whole = |row: &mut usize| *row = rows.get(*row).map_or(*row, |&row| row as usize);
        match self {
            Error::NotFinite { row, .. }
            | Error::Negative { row, .. }
            | Error::Entry { row, .. }
            | Error::Category { row, .. }
            | Error::Overflow { row, .. }
            | Error::Label { row, .. }
            | Error::Cell { row, .. }
            | Error::Contract { row: Some(row), .. } => whole(row),
            Error::Within { error, .. } => error.number_by(rows),
            // Here columns are rows too.
            Error::Distance { row, column, .. } => [row, column].into_iter().for_each(whole),
            _ => {}
        }
    }

    /// A file that could not be read or written.
    pub fn io(path: impl AsRef<std::path::Path>, error: std::io::Error) -> Self {
        Error::Io { path: path.as_ref().display().to_string(), error }
    }
}
