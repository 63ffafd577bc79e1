//! The contrast of two clusters: what tells them from each other, and how far apart they are in it.

use super::colour::{self, hex};
use super::scale::Scale;
use super::svg::{AXIS, LINE, SIZE, SMALL, SOFT, Svg, at, nothing};
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
/// Features of [`Contrast::of`].
const MOST: usize = 9;

/// One feature in which two clusters differ.
#[derive(Clone, Debug, PartialEq)]
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
        let pushes = names + 14.0;
        let left = pushes + PUSHES + BESIDE;
        let (right, foot) = (left + AVERAGES + 2.0 * BESIDE, HEAD + ROW * lines.len() as f64);
        let longest = lines.iter().map(|line| line.push.abs()).fold(1e-300, f64::max);
        let furthest =
            lines.iter().filter_map(|line| line.distance).fold(0.0, |most: f64, d| most.max(d.abs())).max(1e-300);
        let x = Scale::new(-furthest / 2.0, furthest / 2.0, left + BESIDE, left + BESIDE + AVERAGES);
        let marks = html! {
            text class="soft" fill=(SOFT) x=(at(pushes)) y="36" { (text::fit(&words!(text, "chart.tells"), SMALL, PUSHES + BESIDE - 8.0)) }
            (self.key(left + BESIDE))
            line class="grid" stroke=(LINE) x1=(at(x.at(0.0))) x2=(at(x.at(0.0))) y1=(at(HEAD)) y2=(at(foot)) {}
            @for (i, line) in lines.iter().enumerate() {
                @let middle = HEAD + ROW * (i as f64 + 0.5);
                @let long = (PUSHES - 44.0) * (line.push.abs() / longest);
                text x=(at(names)) y=(at(middle + 4.5)) text-anchor="end" { title { (text::cut(&line.name, 400)) } (text::fit(&line.name, SIZE, names)) }
                rect class="quiet" fill=(SOFT) x=(at(pushes)) y=(at(middle - 7.0)) width=(at(long.max(1.0))) height="14" rx="2" {}
                text class="soft" fill=(SOFT) x=(at(pushes + long.max(1.0) + 6.0)) y=(at(middle + 4.0)) { (text.value(line.push)) }
                (line.averages(text, &x, middle))
            }
            text class="soft" fill=(SOFT) text-anchor="middle" x=(at(left + BESIDE + AVERAGES / 2.0)) y=(at(foot + 26.0)) { (text::fit(&words!(text, "chart.apart", part = text.value(furthest)), SMALL, AVERAGES + 2.0 * BESIDE)) }
        };
        let said = lines.iter().map(|line| {
            format!("{} {}", text::cut(&line.name, 60), text::cut(&line.values.words(text).join(" / "), 40))
        });
        let names = self.names.each_ref().map(|name| text::cut(name, 40)).join(" / ");
        let what = format!("{} {names}", words!(text, "chart.contrast"));
        let label = words!(text, "chart.label", what = what, list = text.apart(&said.collect::<Vec<_>>()));
        Svg::new("contrast", (right, foot + FOOT), label, marks)
    }

    /// Which dot is which cluster.
    fn key(&self, left: f64) -> Markup {
        let half = AVERAGES / 2.0;
        html! {
            @for (i, name) in self.names.iter().enumerate() {
                @let x = left - 20.0 + (half + 20.0) * i as f64;
                (dot(x, 32.0, i))
                text font-weight="600" x=(at(x + 11.0)) y="36" { (text::fit(name, SIZE * 1.05, half)) }
            }
        }
    }
}

/// A cluster's dot: round for the first, square for the second, so that they differ by more than colour.
fn dot(x: f64, y: f64, which: usize) -> Markup {
    let fill = hex(colour::cluster(which as i32));
    html! {
        @if which == 0 {
            circle class="edge" cx=(at(x)) cy=(at(y)) r="6" fill=(fill) {}
        } @else {
            rect class="edge" x=(at(x - 5.5)) y=(at(y - 5.5)) width="11" height="11" rx="1" fill=(fill) {}
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
            return html! { text class="soft" fill=(SOFT) text-anchor="middle" x=(at(x.at(0.0))) y=(at(y + 4.0)) { (text::fit(&values.join(" / "), SMALL, AVERAGES)) } };
        };
        let ends = [x.at(distance / 2.0), x.at(-distance / 2.0)];
        let side = |which: usize| if (which == 0) == (distance >= 0.0) { (9.0, "start") } else { (-9.0, "end") };
        html! {
            line class="axis" stroke=(AXIS) stroke-width="2" x1=(at(ends[0])) x2=(at(ends[1])) y1=(at(y)) y2=(at(y)) {}
            @for which in [1, 0] {
                (dot(ends[which], y, which))
                text class="soft" fill=(SOFT) text-anchor=(side(which).1) x=(at(ends[which] + side(which).0)) y=(at(y + 4.0)) { (text::fit(&values[which], SMALL, BESIDE - 12.0)) }
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
