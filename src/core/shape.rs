//! Checks that numbers of rows, columns and outputs fit each other.

use super::{Error, Result};

/// [`Error::Shape`] unless there are as many as expected.
pub(crate) fn check_count(what: &'static str, expected: usize, found: usize) -> Result<()> {
    if expected == found { Ok(()) } else { Err(Error::Shape { what, expected, found }) }
}

/// [`Error::Output`] for an output that a model of `outputs` outputs does not have.
pub(crate) fn check_output(outputs: usize, output: usize) -> Result<()> {
    if output < outputs { Ok(()) } else { Err(Error::Output { output, outputs }) }
}
