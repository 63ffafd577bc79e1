//! A drawing as a value: its size, its words, its marks.

use super::text;
use crate::core::write_whole;
use crate::report::text::{Text, words};
use crate::{Error, Result};
use maud::{Markup, PreEscaped, html};
use std::fmt;
use std::path::Path;

/// Colours that every renderer understands; a page's variables, and dark ones, take their place through [`STYLE`].
pub(super) const INK: &str = "#1b2230";
pub(super) const SOFT: &str = "#5d6876";
pub(super) const LINE: &str = "#e2e6eb";
pub(super) const AXIS: &str = "#8a93a0";
pub(super) const PAPER: &str = "#ffffff";

/// Units of a line of text, of smaller text and of a heading.
pub(super) const SIZE: f64 = 13.0;
pub(super) const SMALL: f64 = 12.0;
/// From the middle of a line of text down to its baseline, and of smaller text.
pub(super) const BASELINE: f64 = 4.5;
pub(super) const SMALL_BASELINE: f64 = 4.0;
const HEADING: f64 = 17.0;
/// From this width on a chart has the class `wide`, which keeps it legible on narrow screens.
pub(super) const WIDE: f64 = 700.0;
/// Around a chart that stands alone, and of its heading.
const MARGIN: f64 = 16.0;
const HEAD: f64 = 34.0;
/// The frame of a chart that has nothing to show, and the baseline of the words in it.
const NOTHING: (f64, f64) = (320.0, 40.0);
const NOTHING_BASELINE: f64 = 24.0;

/// The look of a chart that stands alone: first what any renderer reads, then the variables of the page that the chart is
/// put into, if it has them, else light or dark as the reader likes it.
const STYLE: &str = include_str!("chart.css");

/// A chart, drawn. Its text is an SVG that stands alone: without script, font or file from elsewhere, light or dark as the
/// reader's system is, or in the colours of the page that it is put into, where that defines the variables `--ink`,
/// `--soft`, `--line` and `--paper`.
///
/// ```
/// use recluster::report::charts::{Bar, Bars};
/// let svg = Bars::new([Bar::new("visits", 1.2)]).draw().title("Cluster 0.1");
/// assert!(svg.to_string().starts_with("<svg") && svg.to_string().contains("Cluster 0.1"));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Svg {
    /// Names of the chart's kind, by which a page may style it.
    class: &'static str,
    width: f64,
    height: f64,
    label: String,
    title: String,
    marks: String,
}

impl Svg {
    /// Marks in a frame of `width` x `height` units, with `label` for those who cannot see them.
    pub(super) fn new(class: &'static str, (width, height): (f64, f64), label: impl AsRef<str>, marks: Markup) -> Self {
        let label = text::cut(label.as_ref(), LABEL);
        Svg { class, width, height, label, title: String::new(), marks: marks.into_string() }
    }

    /// A heading above the chart; by default none.
    pub fn title(mut self, title: impl AsRef<str>) -> Self {
        self.title = text::fit(title.as_ref(), HEADING * 1.06, self.width);
        self
    }

    /// What the chart shows, for those who cannot see it; each chart has a text of its own.
    pub fn with_label(mut self, label: impl AsRef<str>) -> Self {
        self.label = text::cut(label.as_ref(), LABEL);
        self
    }

    /// The text for those who cannot see the chart.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Width and height of the chart in units (pixels at its usual size), with its heading and margin.
    pub fn size(&self) -> (f64, f64) {
        (self.width + 2.0 * MARGIN, self.height + self.head() + 2.0 * MARGIN)
    }

    fn head(&self) -> f64 {
        if self.title.is_empty() { 0.0 } else { HEAD }
    }

    /// Writes the chart to a file, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        write_whole(path.as_ref(), self.to_string().as_bytes())
    }

    /// The chart as a part of the report's page, which styles it: without heading and margin.
    pub(in crate::report) fn inline(&self) -> Markup {
        html! {
            svg class=(self.class) viewBox=(format!("0 0 {} {}", at(self.width), at(self.height))) role="img" aria-label=(self.label) {
                (PreEscaped(&self.marks))
            }
        }
    }

    /// The marks alone, to be put into another chart, and their size.
    pub(super) fn parts(&self) -> (f64, f64, Markup) {
        (self.width, self.height, PreEscaped(self.marks.clone()))
    }
}

/// The SVG, which stands alone.
impl fmt::Display for Svg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (width, height) = self.size();
        let title = if self.title.is_empty() { &self.label } else { &self.title };
        let drawn = html! {
            svg xmlns="http://www.w3.org/2000/svg" class=(format!("recluster {}", self.class)) width=(at(width)) height=(at(height))
                viewBox=(format!("0 0 {} {}", at(width), at(height))) role="img" aria-label=(self.label) direction="ltr"
                font-family="Inter, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif" font-size=(SIZE) fill=(INK) {
                title { (title) }
                style { (PreEscaped(STYLE)) }
                rect class="paper" width=(at(width)) height=(at(height)) fill=(PAPER) {}
                @if !self.title.is_empty() {
                    text class="heading" x=(at(MARGIN)) y=(at(MARGIN + HEADING)) font-size=(HEADING) font-weight="650" { (self.title) }
                }
                g transform=(format!("translate({} {})", at(MARGIN), at(MARGIN + self.head()))) { (PreEscaped(&self.marks)) }
            }
        };
        f.write_str(&drawn.into_string())
    }
}

/// Characters of a text for those who cannot see the chart.
const LABEL: usize = 600;

/// What is wrong with parts that do not fit each other.
pub(super) fn mismatch(what: &'static str, expected: usize, found: usize) -> Error {
    Error::Shape { what, expected, found }
}

/// A coordinate as SVG writes it: tenths of a unit; what is no number lies at 0.
pub(super) fn at(number: f64) -> String {
    let number = if number.is_finite() { number.clamp(-1e7, 1e7) } else { 0.0 };
    let text = format!("{number:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_string() } else { text.to_string() }
}

/// What a chart says that has nothing to show.
pub(super) fn nothing(text: &Text, class: &'static str, what: &str) -> Svg {
    let none = words!(text, "chart.nothing");
    let marks = html! { text class="soft" x="0" y=(at(NOTHING_BASELINE)) fill=(SOFT) { (none) } };
    Svg::new(class, NOTHING, words!(text, "chart.label", what = what, list = none), marks)
}
