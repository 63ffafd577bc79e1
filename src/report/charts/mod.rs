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

mod axes;
mod bars;
mod beeswarm;
mod beside;
mod calibration;
pub(in crate::report) mod colour;
mod condensed;
mod contrast;
mod crosstab;
mod dependence;
mod icicle;
mod images;
mod labels;
mod layers;
mod map;
mod profile;
pub(in crate::report) mod raster;
mod scale;
mod stability;
mod svg;
#[cfg(test)]
mod tests;
mod text;
mod waterfall;

pub use bars::{Bar, Bars};
pub use beeswarm::{Beeswarm, Swarm};
pub use beside::SideBySide;
pub use calibration::CalibrationChart;
pub use condensed::CondensedTreeChart;
pub use contrast::{Contrast, ContrastLine};
pub use crosstab::CrossTab;
pub use dependence::DependenceChart;
pub use icicle::Icicle;
pub use images::ImageStrip;
pub use layers::LayersChart;
pub use map::Map;
pub use profile::{Profile, ProfileLine};
pub use stability::{StabilityChart, StabilityLine};
pub use svg::Svg;
pub use waterfall::{Push, Waterfall};

pub(super) use icicle::number;
pub(super) use text::short;
