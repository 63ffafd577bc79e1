//! The report of a table in its own words.
