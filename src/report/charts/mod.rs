//! Charts, each of which can be drawn alone: values in, an [`Svg`] out.
//!
//! They are the report's own, in one visual language: the same colours for clusters everywhere (told apart with any colour
//! vision, and never without a number or a name beside them), blue for low or against and orange for high or in favour, light
//! or dark as the reader's system or the page is, a text for those who cannot see them, and no script.
//!
//! A chart whose parts must fit each other, such as a map's rows and labels, returns a `Result`. All others draw whatever they
//! are given: what is not finite has no mark, names may hold anything and are cut to fit, and without values the chart says
//! that there is nothing to show. The same values give the same text, in any order of the rows.
//!
//! `docs/charts.md` shows each of them; `cargo run --release --example charts FOLDER` draws them.

mod bars;
mod beeswarm;
pub(in crate::report) mod colour;
mod condensed;
mod icicle;
mod images;
mod labels;
mod map;
pub(in crate::report) mod raster;
mod say;
mod scale;
mod svg;
#[cfg(test)]
mod tests;
mod text;

pub(super) use super::drawn::tree;
pub use bars::{Bar, Bars};
pub use beeswarm::{Beeswarm, Swarm};
pub use condensed::CondensedTreeChart;
pub use icicle::Icicle;
pub(super) use icicle::number;
pub use images::ImageStrip;
pub use map::Map;
pub use svg::Svg;
pub(super) use text::short;
