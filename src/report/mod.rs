//! The HTML report.
mod charts;
mod colour;
mod raster;
mod view;
mod words;
