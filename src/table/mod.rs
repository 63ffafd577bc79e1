//! Tables with named columns of words, numbers, dates and missing answers, and what clustering and boosted trees see of
//! them.
//!
//! A [`Table`] holds what was read; `Table::read` (feature `files`) reads CSV, TSV and Parquet files. A [`Schema`] says what each column is: its kind, its role, the order of its levels, the
//! question it belongs to. It is inferred, can be amended, and is saved with a model. [`Schema::encode`] turns a table into
//! the numbers that a [`RecursiveTree`](crate::recursive::RecursiveTree) is fitted to, one column for each feature, NaN for
//! a missing answer, categories as numbers of their levels: what boosted trees see. An embedder sees them through
//! [`Questions`](crate::embed::Questions).
//!
//! ```
//! use recluster::table::{Column, Kind, Role, Schema, Table, Values};
//! let plans = ["basic", "pro", "basic", "basic", "pro", "team"];
//! let table = Table::new(vec![
//!     Column::new("plan", Values::words(plans.map(Some))),
//!     Column::new("visits", Values::numbers([3.0, 40.0, 7.5, f64::NAN, 21.0, 88.0])),
//!     Column::new("country", Values::words(["NL"; 6].map(Some))),
//! ])?;
//! let schema = Schema::infer(&table);
//! assert_eq!(schema.field("plan").unwrap().kind, Kind::Category);
//! assert_eq!(schema.field("visits").unwrap().kind, Kind::Number);
//! // The same in every row: set aside, with the reason.
//! assert_eq!(schema.field("country").unwrap().role, Role::Dropped);
//! let data = schema.encode(&table)?;
//! assert_eq!(data.dim(), (6, 2));
//! assert_eq!(schema.features()[0].words(data[[1, 0]].into()), "pro");
//! # Ok::<(), recluster::Error>(())
//! ```

mod amend;
#[cfg(feature = "arrow")]
mod arrow;
mod date;
mod encode;
mod feature;
mod field;
#[cfg(feature = "files")]
mod file;
mod infer;
mod number;
mod orders;
mod profiles;
mod schema;
mod values;

pub use amend::Amendment;
#[cfg(feature = "arrow")]
pub use arrow::TableBuilder;
pub use encode::UnseenLevels;
pub(crate) use feature::Part;
pub(crate) use feature::RangeWords;
pub use feature::{Feature, FeatureKind};
pub use field::{Cycle, Field, Kind, Role, Scale};
#[cfg(feature = "files")]
pub use file::{FileRows, TableFile};
pub use schema::Schema;
pub use values::{Column, Table, Values, Words};
