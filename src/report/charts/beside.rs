//! Charts beside each other.

use super::svg::{SIZE, Svg, at, nothing};
use super::text;
use crate::report::text::{Text, words};
use maud::html;

/// The gap between two charts, and the room for a caption.
const GAP: f64 = 28.0;
const CAPTION: f64 = 26.0;
/// Baseline of a caption, and how much larger it is written.
const CAPTION_BASELINE: f64 = 14.0;
const CAPTION_SIZE: f64 = 1.08;
/// Widths of a chart: usual, least and most.
const WIDTH: f64 = 520.0;
const WIDTHS: (f64, f64) = (40.0, 4000.0);

/// Charts side by side, each with a caption: PCA beside UMAP, one cluster beside another.
///
/// ```
/// use ndarray::array;
/// use recluster::report::charts::{Map, SideBySide};
/// let (pca, umap, labels) = (array![[0.0f32, 0.0], [1.0, 2.0]], array![[5.0f32, 1.0], [0.0, 2.0]], [0, 1]);
/// let svg = SideBySide::new([("PCA", Map::new(&pca, &labels).draw()?), ("UMAP", Map::new(&umap, &labels).draw()?)]).draw();
/// assert!(svg.to_string().contains("PCA") && svg.to_string().contains("UMAP"));
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct SideBySide {
    charts: Vec<(String, Svg)>,
    width: f64,
    across: usize,
}

impl SideBySide {
    /// Captions and charts, from left to right. Headings of the charts are left out.
    pub fn new(charts: impl IntoIterator<Item = (impl Into<String>, Svg)>) -> Self {
        let charts = charts.into_iter().map(|(caption, chart)| (caption.into(), chart)).collect();
        SideBySide { charts, width: WIDTH, across: 2 }
    }

    /// Width of each chart, to which wider ones are scaled down with their text; 40 to 4000, by default 520.
    pub fn width(mut self, units: f64) -> Self {
        self.width = if units.is_finite() { units.clamp(WIDTHS.0, WIDTHS.1) } else { WIDTH };
        self
    }

    /// Charts in a line, at least 1; by default 2.
    pub fn across(mut self, charts: usize) -> Self {
        self.across = charts.max(1);
        self
    }

    /// The chart in English.
    pub fn draw(&self) -> Svg {
        self.draw_in(Text::english())
    }

    /// The chart with the words of a catalogue.
    pub fn draw_in(&self, text: &Text) -> Svg {
        if self.charts.is_empty() {
            return nothing(text, "beside", &words!(text, "chart.beside"));
        }
        let parts: Vec<_> = self.charts.iter().map(|(caption, chart)| (caption, chart.parts())).collect();
        let wide = parts.iter().map(|(_, (width, ..))| width.min(self.width)).fold(WIDTHS.0, f64::max);
        let scale = |width: f64| (wide / width).min(1.0);
        let columns = self.across.min(parts.len());
        let mut y = 0.0;
        let mut placed = Vec::new();
        for line in parts.chunks(columns) {
            let tall = line.iter().map(|(_, (width, height, _))| height * scale(*width)).fold(0.0, f64::max);
            for (i, (caption, (width, height, marks))) in line.iter().enumerate() {
                placed.push(((wide + GAP) * i as f64, y, caption, width, height, marks));
            }
            y += CAPTION + tall + GAP;
        }
        let marks = html! {
            @for (x, y, caption, width, height, marks) in placed {
                text class="strong" font-weight="700" x=(at(x)) y=(at(y + CAPTION_BASELINE)) { (text::fit(caption, SIZE * CAPTION_SIZE, wide)) }
                svg x=(at(x)) y=(at(y + CAPTION)) width=(at(width * scale(*width))) height=(at(height * scale(*width)))
                    viewBox=(format!("0 0 {} {}", at(*width), at(*height))) { (marks) }
            }
        };
        let said: Vec<String> = self
            .charts
            .iter()
            .map(|(caption, chart)| format!("{}: {}", text::cut(caption, text::SAID), chart.label()))
            .collect();
        Svg::new("beside", (columns as f64 * (wide + GAP) - GAP, y - GAP), text.listed(&said), marks)
    }
}
