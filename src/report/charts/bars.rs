//! Diverging bars: what is lower and what is higher than usual.

use super::svg::{AXIS, SIZE, SOFT, Svg, WIDE, at, nothing};
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
/// Between names, bars and notes; on both sides of the middle line; right of the notes.
const GAP: f64 = 10.0;
const BESIDE: f64 = 8.0;
/// Baselines of the head and, in its line, of a name; how far a bar stays from its line's upper and lower end together.
const HEAD_BASELINE: f64 = 13.0;
const NAME_BASELINE: f64 = 15.0;
const INSET: (f64, f64) = (3.0, 7.0);
/// The least length of a bar, and how far the middle line reaches beyond the bars.
const LEAST: f64 = 1.0;
const BEYOND: f64 = 2.0;
/// Room below the bars; the colour of bars on the scale from against (-1) to for (1).
const FOOT: f64 = 4.0;
const SHADE: f64 = 0.85;
/// Bars that are put into words.
const SPOKEN: usize = 6;

/// One bar, to the left (below 0) or to the right (above 0) of a middle line.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
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
        let middle = names + GAP + REACH;
        let right = middle + REACH + NOTES;
        let height = ROW * bars.len() as f64 + HEAD + FOOT;
        let size = |bar: &Bar| if bar.length.is_finite() { bar.length.abs() } else { 0.0 };
        let longest = bars.iter().map(size).fold(1e-300, f64::max);
        let marks = html! {
            text x=(at(middle - BESIDE)) y=(at(HEAD_BASELINE)) class="soft" fill=(SOFT) text-anchor="end" { (say!(text, "chart.lower")) }
            text x=(at(middle + BESIDE)) y=(at(HEAD_BASELINE)) class="soft" fill=(SOFT) { (say!(text, "chart.higher")) }
            @if bars.iter().any(|bar| !bar.note.is_empty()) {
                text x=(at(right)) y=(at(HEAD_BASELINE)) class="soft" fill=(SOFT) text-anchor="end" { (say!(text, "chart.here_all")) }
            }
            @for (i, bar) in bars.iter().enumerate() {
                @let top = HEAD + ROW * i as f64;
                @let long = (REACH * (size(bar) / longest)).max(LEAST);
                @let left = if bar.length < 0.0 { middle - long } else { middle };
                @let fill = colour::against_to_for(if bar.length < 0.0 { -SHADE } else { SHADE });
                text x=(at(names)) y=(at(top + NAME_BASELINE)) text-anchor="end" {
                    title { (text::cut(&bar.name, text::TIP)) } (text::fit(bar.name(), SIZE, names))
                }
                rect x=(at(left)) y=(at(top + INSET.0)) width=(at(long)) height=(at(ROW - INSET.1)) rx="2" fill=(colour::hex(fill)) {}
                text x=(at(right)) y=(at(top + NAME_BASELINE)) text-anchor="end" class="figure" { (text::fit(&bar.note, SIZE, NOTES - GAP)) }
            }
            line class="axis" x1=(at(middle)) x2=(at(middle)) y1=(at(HEAD - BEYOND)) y2=(at(height - BEYOND)) stroke=(AXIS) {}
        };
        let class = if right > WIDE { "bars wide" } else { "bars" };
        Svg::new(class, (right + GAP, height), self.words(text), marks)
    }

    fn words(&self, text: &Text) -> String {
        let said = self.0.iter().take(SPOKEN).map(|bar| {
            let way = match bar.length < 0.0 {
                true => words!(text, "chart.lower"),
                false => words!(text, "chart.higher"),
            };
            format!("{} {way} {}", text::cut(bar.name(), text::SAID), text::cut(&bar.note, text::SAID_SHORT))
                .trim_end()
                .to_string()
        });
        let list = text.listed(&said.collect::<Vec<_>>());
        words!(text, "chart.label", what = words!(text, "chart.bars"), list = list)
    }
}

impl Bar {
    fn name(&self) -> &str {
        self.shown.as_deref().unwrap_or(&self.name)
    }
}
