//! The report, opened in a browser, of odd and of large trees.

mod browser;
mod made;
mod odd;
mod sizes;
