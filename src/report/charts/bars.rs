//! Diverging bars: what is lower and what is higher than usual.

use super::svg::{AXIS, SIZE, SOFT, Svg, at, nothing};
use super::{colour, text};
use crate::report::text::{Text, say, words};
use maud::html;

/// Height of a bar's line, length of the longest bar, and the room above.
const ROW: f64 = 24.0;
const REACH: f64 = 130.0;
const HEAD: f64 = 22.0;
/// Least and most room for names; room for the notes.
const NAMES: (f64, f64) = (120.0, 340.0);
const NOTES: f64 = 205.0;

/// One bar, to the left (below 0) or to the right (above 0) of a middle line.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    name: String,
    shown: Option<String>,
    length: f64,
    note: String,
}

impl Bar {
    /// A bar of so many of any unit, such as standard deviations.
    pub fn new(name: impl Into<String>, length: f64) -> Self {
        Bar { name: name.into(), shown: None, length, note: String::new() }
    }

    /// What stands behind the bar, such as "3.2 (1.1)"; by default nothing.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// The name as it is shown, where it was cut to fit; the whole one remains as a tooltip.
    pub fn shown(mut self, shown: impl Into<String>) -> Self {
        self.shown = Some(shown.into());
        self
    }
}

/// Diverging bars with their names on the left and notes on the right: what sets a cluster apart.
///
/// ```
/// use recluster::report::charts::{Bar, Bars};
/// let bars = [Bar::new("visits a month", 1.8).note("12.1 (4.0)"), Bar::new("age", -0.6).note("31 (38)")];
/// let svg = Bars::new(bars).draw();
/// assert!(svg.to_string().contains("visits a month"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bars(Vec<Bar>);

impl Bars {
    /// A line for each of `bars`, in their order. A length that is no number is none.
    pub fn new(bars: impl IntoIterator<Item = Bar>) -> Self {
        Bars(bars.into_iter().collect())
    }

    /// The chart in English. O(bars).
    pub fn draw(&self) -> Svg {
        self.draw_in(Text::english())
    }

    /// The chart with the words of a catalogue.
    pub fn draw_in(&self, text: &Text) -> Svg {
        let bars = &self.0;
        if bars.is_empty() {
            return nothing(text, "bars", &words!(text, "chart.bars"));
        }
        let names = text::column(bars.iter().map(Bar::name), SIZE, NAMES.0, NAMES.1);
        let middle = names + 10.0 + REACH;
        let right = middle + REACH + NOTES;
        let height = ROW * bars.len() as f64 + HEAD + 4.0;
        let size = |bar: &Bar| if bar.length.is_finite() { bar.length.abs() } else { 0.0 };
        let longest = bars.iter().map(size).fold(1e-300, f64::max);
        let marks = html! {
            text x=(at(middle - 8.0)) y="13" class="soft" fill=(SOFT) text-anchor="end" { (say!(text, "chart.lower")) }
            text x=(at(middle + 8.0)) y="13" class="soft" fill=(SOFT) { (say!(text, "chart.higher")) }
            @if bars.iter().any(|bar| !bar.note.is_empty()) {
                text x=(at(right)) y="13" class="soft" fill=(SOFT) text-anchor="end" { (say!(text, "chart.here_all")) }
            }
            @for (i, bar) in bars.iter().enumerate() {
                @let top = HEAD + ROW * i as f64;
                @let long = (REACH * (size(bar) / longest)).max(1.0);
                @let left = if bar.length < 0.0 { middle - long } else { middle };
                @let fill = colour::against_to_for(if bar.length < 0.0 { -0.85 } else { 0.85 });
                text x=(at(names)) y=(at(top + 15.0)) text-anchor="end" {
                    title { (text::cut(&bar.name, 400)) } (text::fit(bar.name(), SIZE, names))
                }
                rect x=(at(left)) y=(at(top + 3.0)) width=(at(long)) height=(at(ROW - 7.0)) rx="2" fill=(colour::hex(fill)) {}
                text x=(at(right)) y=(at(top + 15.0)) text-anchor="end" class="figure" { (text::fit(&bar.note, SIZE, NOTES - 10.0)) }
            }
            line class="axis" x1=(at(middle)) x2=(at(middle)) y1=(at(HEAD - 2.0)) y2=(at(height - 2.0)) stroke=(AXIS) {}
        };
        let class = if right > 700.0 { "bars wide" } else { "bars" };
        Svg::new(class, (right + 10.0, height), self.words(text), marks)
    }

    fn words(&self, text: &Text) -> String {
        let said = self.0.iter().take(6).map(|bar| {
            let way = match bar.length < 0.0 {
                true => words!(text, "chart.lower"),
                false => words!(text, "chart.higher"),
            };
            format!("{} {way} {}", text::cut(bar.name(), 60), text::cut(&bar.note, 40)).trim_end().to_string()
        });
        let list = text.apart(&said.collect::<Vec<_>>());
        words!(text, "chart.label", what = words!(text, "chart.bars"), list = list)
    }
}

impl Bar {
    fn name(&self) -> &str {
        self.shown.as_deref().unwrap_or(&self.name)
    }
}
