//! The contrast of two clusters: what tells them from each other, and how far apart they are in it.

use super::colour::{self, hex};
use super::scale::Scale;
use super::svg::{AXIS, BASELINE, LINE, SIZE, SMALL, SMALL_BASELINE, SOFT, Svg, at, nothing};
use super::text;
use crate::explain::{Difference, FeatureDifference};
use crate::report::text::{Text, words};
use maud::{Markup, html};

/// Height of a line; the rooms above and below.
const ROW: f64 = 30.0;
const HEAD: f64 = 48.0;
const FOOT: f64 = 40.0;
/// Least and most room for names; widths of the bars' field, and of that of the averages with room for numbers beside.
const NAMES: (f64, f64) = (120.0, 300.0);
const PUSHES: f64 = 150.0;
const AVERAGES: f64 = 300.0;
const BESIDE: f64 = 70.0;
/// Between names and bars; what a bar's room leaves for its number; its height and least length; from it to the number.
const GAP: f64 = 14.0;
const FOR_NUMBER: f64 = 44.0;
const BAR: f64 = 14.0;
const LEAST: f64 = 1.0;
const NUMBER_GAP: f64 = 6.0;
/// Baseline of the head, and the middle of its dots; what a head leaves of its room; from the field's left end to the first
/// cluster's dot, and from a dot to its name, which is written so much larger.
const HEAD_BASELINE: f64 = 36.0;
const HEAD_MIDDLE: f64 = 32.0;
const HEAD_INSET: f64 = 8.0;
const KEY: f64 = 20.0;
const KEY_NAME: f64 = 11.0;
const KEY_SIZE: f64 = 1.05;
/// Baseline of the axis's name below the lines; from a dot to its value, and what the value's room leaves.
const AXIS_NAME: f64 = 26.0;
const VALUE_GAP: f64 = 9.0;
const VALUE_INSET: f64 = 12.0;
/// Radius of a round dot, side of a square one.
const DOT: f64 = 6.0;
const SQUARE: f64 = 11.0;
/// Features of [`Contrast::of`].
const MOST: usize = 9;

/// One feature in which two clusters differ.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct ContrastLine {
    name: String,
    push: f64,
    distance: Option<f64>,
    values: Values,
}

impl ContrastLine {
    /// A feature, how much it tells the clusters apart (the SHAP contrast, in log-odds), and how far the first cluster's
    /// average lies from the second's in standard deviations; none where that means nothing.
    pub fn new(name: impl Into<String>, push: f64, distance: Option<f64>) -> Self {
        let distance = distance.filter(|distance| distance.is_finite());
        ContrastLine {
            name: name.into(),
            push: if push.is_finite() { push } else { 0.0 },
            distance,
            values: Values::Words(Default::default()),
        }
    }

    /// The averages or shares here and there, in words.
    pub fn values(mut self, here: impl Into<String>, there: impl Into<String>) -> Self {
        self.values = Values::Words([here.into(), there.into()]);
        self
    }
}

/// Two clusters side by side: for each feature how much it tells them apart, and their averages on one scale.
///
/// ```
/// use recluster::report::charts::{Contrast, ContrastLine};
/// let lines = [ContrastLine::new("visits", 2.4, Some(1.8)).values("12.1", "4.0")];
/// let svg = Contrast::new("0.1", "0.2", lines).draw();
/// assert!(svg.to_string().contains("12.1"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Contrast {
    names: [String; 2],
    lines: Vec<ContrastLine>,
}

impl Contrast {
    /// The names of the first cluster ("here") and of the second, and a line for each feature.
    pub fn new(
        here: impl Into<String>,
        there: impl Into<String>,
        lines: impl IntoIterator<Item = ContrastLine>,
    ) -> Self {
        Contrast { names: [here.into(), there.into()], lines: lines.into_iter().collect() }
    }

    /// The nine features that tell two clusters apart most: of numbers their averages, of levels the one whose share differs
    /// most.
    pub fn of(found: &Difference) -> Self {
        Contrast::new(&found.here, &found.there, found.features.iter().take(MOST).map(line))
    }

    /// The chart in English. O(lines).
    pub fn draw(&self) -> Svg {
        self.draw_in(Text::english())
    }

    /// The chart with the words of a catalogue.
    pub fn draw_in(&self, text: &Text) -> Svg {
        let lines = &self.lines;
        if lines.is_empty() {
            return nothing(text, "contrast", &words!(text, "chart.contrast"));
        }
        let names = text::column(lines.iter().map(|line| line.name.as_str()), SIZE, NAMES.0, NAMES.1);
        let pushes = names + GAP;
        let left = pushes + PUSHES + BESIDE;
        let (right, foot) = (left + AVERAGES + 2.0 * BESIDE, HEAD + ROW * lines.len() as f64);
        let longest = lines.iter().map(|line| line.push.abs()).fold(1e-300, f64::max);
        let furthest =
            lines.iter().filter_map(|line| line.distance).fold(0.0, |most: f64, d| most.max(d.abs())).max(1e-300);
        let x = Scale::new(-furthest / 2.0, furthest / 2.0, left + BESIDE, left + BESIDE + AVERAGES);
        let marks = html! {
            text class="soft" fill=(SOFT) x=(at(pushes)) y=(at(HEAD_BASELINE)) { (text::fit(&words!(text, "chart.tells"), SMALL, PUSHES + BESIDE - HEAD_INSET)) }
            (self.key(left + BESIDE))
            line class="grid" stroke=(LINE) x1=(at(x.at(0.0))) x2=(at(x.at(0.0))) y1=(at(HEAD)) y2=(at(foot)) {}
            @for (i, line) in lines.iter().enumerate() {
                @let middle = HEAD + ROW * (i as f64 + 0.5);
                @let long = (PUSHES - FOR_NUMBER) * (line.push.abs() / longest);
                text x=(at(names)) y=(at(middle + BASELINE)) text-anchor="end" { title { (text::cut(&line.name, text::TIP)) } (text::fit(&line.name, SIZE, names)) }
                rect class="quiet" fill=(SOFT) x=(at(pushes)) y=(at(middle - BAR / 2.0)) width=(at(long.max(LEAST))) height=(at(BAR)) rx="2" {}
                text class="soft" fill=(SOFT) x=(at(pushes + long.max(LEAST) + NUMBER_GAP)) y=(at(middle + SMALL_BASELINE)) { (text.value(line.push)) }
                (line.averages(text, &x, middle))
            }
            text class="soft" fill=(SOFT) text-anchor="middle" x=(at(left + BESIDE + AVERAGES / 2.0)) y=(at(foot + AXIS_NAME)) { (text::fit(&words!(text, "chart.apart", part = text.value(furthest)), SMALL, AVERAGES + 2.0 * BESIDE)) }
        };
        let said = lines.iter().map(|line| {
            format!(
                "{} {}",
                text::cut(&line.name, text::SAID),
                text::cut(&line.values.words(text).join(" / "), text::SAID_SHORT)
            )
        });
        let names = self.names.each_ref().map(|name| text::cut(name, text::SAID_SHORT)).join(" / ");
        let what = format!("{} {names}", words!(text, "chart.contrast"));
        let label = words!(text, "chart.label", what = what, list = text.listed(&said.collect::<Vec<_>>()));
        Svg::new("contrast", (right, foot + FOOT), label, marks)
    }

    /// Which dot is which cluster.
    fn key(&self, left: f64) -> Markup {
        let half = AVERAGES / 2.0;
        html! {
            @for (i, name) in self.names.iter().enumerate() {
                @let x = left - KEY + (half + KEY) * i as f64;
                (dot(x, HEAD_MIDDLE, i))
                text font-weight="600" x=(at(x + KEY_NAME)) y=(at(HEAD_BASELINE)) { (text::fit(name, SIZE * KEY_SIZE, half)) }
            }
        }
    }
}

/// A cluster's dot: round for the first, square for the second, so that they differ by more than colour.
fn dot(x: f64, y: f64, which: usize) -> Markup {
    let fill = hex(colour::cluster(which as i32));
    html! {
        @if which == 0 {
            circle class="edge" cx=(at(x)) cy=(at(y)) r=(at(DOT)) fill=(fill) {}
        } @else {
            rect class="edge" x=(at(x - SQUARE / 2.0)) y=(at(y - SQUARE / 2.0)) width=(at(SQUARE)) height=(at(SQUARE)) rx="1" fill=(fill) {}
        }
    }
}

/// What stands beside the dots of the two clusters.
#[derive(Clone, Debug, PartialEq)]
enum Values {
    Words([String; 2]),
    Numbers([f64; 2]),
    Shares([f64; 2]),
}

impl Values {
    fn words(&self, text: &Text) -> [String; 2] {
        match self {
            Values::Words(words) => words.clone(),
            Values::Numbers(numbers) => numbers.map(|number| text.value(number)),
            Values::Shares(shares) => shares.map(|share| text.whole(share)),
        }
    }
}

impl ContrastLine {
    /// The two averages, around their middle, with their values outside.
    fn averages(&self, text: &Text, x: &Scale, y: f64) -> Markup {
        let values = self.values.words(text);
        let Some(distance) = self.distance else {
            return html! { text class="soft" fill=(SOFT) text-anchor="middle" x=(at(x.at(0.0))) y=(at(y + SMALL_BASELINE)) { (text::fit(&values.join(" / "), SMALL, AVERAGES)) } };
        };
        let ends = [x.at(distance / 2.0), x.at(-distance / 2.0)];
        let side =
            |which: usize| if (which == 0) == (distance >= 0.0) { (VALUE_GAP, "start") } else { (-VALUE_GAP, "end") };
        html! {
            line class="axis" stroke=(AXIS) stroke-width="2" x1=(at(ends[0])) x2=(at(ends[1])) y1=(at(y)) y2=(at(y)) {}
            @for which in [1, 0] {
                (dot(ends[which], y, which))
                text class="soft" fill=(SOFT) text-anchor=(side(which).1) x=(at(ends[which] + side(which).0)) y=(at(y + SMALL_BASELINE)) { (text::fit(&values[which], SMALL, BESIDE - VALUE_INSET)) }
            }
        }
    }
}

/// Of levels the one whose share differs most, its difference in standard deviations of a row's membership.
fn line(found: &FeatureDifference) -> ContrastLine {
    if let ([Some(here), Some(there)], Some(distance)) = (found.mean, found.standardised) {
        let line = ContrastLine::new(&found.name, found.contrast, Some(distance));
        return ContrastLine { values: Values::Numbers([here, there]), ..line };
    }
    let Some(level) = found.levels.first() else {
        let line = ContrastLine::new(&found.name, found.contrast, None);
        return ContrastLine { values: Values::Shares(found.missing.map(|missing| 1.0 - missing)), ..line };
    };
    let all = 0.5 * (level.here + level.there);
    let distance = (level.here - level.there) / (all * (1.0 - all)).sqrt();
    let line = ContrastLine::new(format!("{} = {}", found.name, level.level), found.contrast, Some(distance));
    ContrastLine { values: Values::Shares([level.here, level.there]), ..line }
}
