//! The program, run as its users run it.

mod commands;
mod deploy;
mod help;
#[cfg(target_os = "linux")]
mod hostile;
mod report;
mod resume;
mod sparse;
mod tables;
mod weights;
