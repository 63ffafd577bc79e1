//! Outside variables in the report.
