//! The beeswarm: a line for each feature, a dot for each row.

use super::colour::{self, Rgb, hex};
use super::scale::{Scale, range};
use super::svg::{AXIS, LINE, SIZE, SMALL, SMALL_BASELINE, SOFT, Svg, WIDE, at, nothing};
use super::text;
use crate::core::shape::check_count;
use crate::explain::top_features;
use crate::report::statistics::places;
use crate::report::text::{Text, say, words};
use crate::{Explanation, Result};
use maud::{Markup, html};
use ndarray::ArrayRef2;

/// Height of a feature's line; from the top to the first one; the room below for the scale.
const ROW: f64 = 34.0;
const HEAD: f64 = 18.0;
const FOOT: f64 = 40.0;
/// Width of the dots' field, of the legend, and least and most room for names.
const FIELD: f64 = 458.0;
const LEGEND: f64 = 80.0;
const NAMES: (f64, f64) = (100.0, 290.0);
/// A dot's diameter and the distance of dots beside each other.
const DOT: f64 = 3.7;
const STEP: f64 = 3.2;
const COLUMN: f64 = 3.0;
/// Between names and field; within the field on both sides; beside the line at 0, and least between the words on its sides.
const GAP: f64 = 12.0;
const WITHIN: f64 = 8.0;
const BESIDE: f64 = 8.0;
const APART: f64 = 16.0;
/// Baselines of the head, of the values below the field and of their name; about how many values there are.
const HEAD_BASELINE: f64 = 12.0;
const VALUES: f64 = 15.0;
const AXIS_NAME: f64 = 33.0;
const TICKS: f64 = 8.0;
/// The legend's bar: from the field to it, at its upper and lower end, its width; letters beside it, and their room; from which
/// heights on it has the lower word and its name.
const LEGEND_LEFT: f64 = 32.0;
const LEGEND_INSET: f64 = 8.0;
const LEGEND_WIDE: f64 = 9.0;
const LEGEND_WORDS: f64 = 16.0;
const LEGEND_ROOM: f64 = 50.0;
const LEGEND_NAME: f64 = 28.0;
const LEGEND_ENDS: f64 = 60.0;
const LEGEND_BASELINE: f64 = 10.0;
const LEGEND_LOW: f64 = 30.0;
const LEGEND_NAMED: f64 = 90.0;
/// Features that are put into words.
const SPOKEN: usize = 9;
/// Colours between low and high.
const SHADES: usize = 12;
const MISSING: Rgb = [0x8a, 0x8f, 0x96];

/// A feature's line in a beeswarm.
#[derive(Clone, Debug, PartialEq)]
pub struct Swarm {
    name: String,
    points: Vec<(f64, f64)>,
}

impl Swarm {
    /// For each row (attribution, value): where the dot stands, and its colour from low (0) to high (1), grey for NaN. A row
    /// whose attribution is not finite has no dot.
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Swarm { name: name.into(), points: points.into_iter().collect() }
    }
}

/// The summary of attributions: a line for each feature, the most important one first, and a dot for each row.
///
/// ```
/// use recluster::report::charts::{Beeswarm, Swarm};
/// let rows = (0..50).map(|i| f64::from(i) / 49.0);
/// let svg = Beeswarm::new([Swarm::new("visits", rows.map(|value| (2.0 * value - 1.0, value)))]).draw();
/// assert!(svg.to_string().contains("visits"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Beeswarm(Vec<Swarm>);

impl Beeswarm {
    /// A line for each of `swarms`, in their order.
    pub fn new(swarms: impl IntoIterator<Item = Swarm>) -> Self {
        Beeswarm(swarms.into_iter().collect())
    }

    /// The `most` features of the highest mean absolute attribution to an output: `rows` are the explained ones (n x features,
    /// NaN for missing), `names` those of the features. Colours go from the 5th to the 95th percentile of a feature's values.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) when rows, output or names do not fit the explanation;
    /// [`Error::Empty`](crate::Error::Empty); [`Error::NotFinite`](crate::Error::NotFinite) for infinities.
    pub fn of(
        rows: &ArrayRef2<f32>,
        why: &Explanation,
        output: usize,
        names: &[impl AsRef<str>],
        most: usize,
    ) -> Result<Self> {
        let effects = top_features(rows, why, output, most)?;
        check_count("names, one for each feature", rows.ncols(), names.len())?;
        let swarm = |feature: usize| {
            let values: Vec<f64> = rows.column(feature).iter().map(|&value| f64::from(value)).collect();
            let pushes = why.values().slice(ndarray::s![.., feature, output]);
            Swarm::new(names[feature].as_ref(), pushes.iter().copied().zip(places(&values)))
        };
        Ok(Beeswarm::new(effects.iter().map(|effect| swarm(effect.feature))))
    }

    /// The chart in English. O(dots log dots).
    pub fn draw(&self) -> Svg {
        self.draw_in(Text::english())
    }

    /// The chart with the words of a catalogue.
    pub fn draw_in(&self, text: &Text) -> Svg {
        let swarms = &self.0;
        let (low, high) = range(swarms.iter().flat_map(|swarm| &swarm.points).map(|point| point.0).chain([0.0]));
        if swarms.is_empty() {
            return nothing(text, "swarm", &words!(text, "chart.swarm"));
        }
        let names = text::column(swarms.iter().map(|swarm| swarm.name.as_str()), SIZE, NAMES.0, NAMES.1);
        let (left, right) = (names + GAP, names + GAP + FIELD);
        let foot = HEAD + ROW * swarms.len() as f64;
        let x = Scale::new(low, high, left + WITHIN, right - WITHIN);
        let marks = html! {
            (heads(text, x.at(0.0), low < 0.0, right + LEGEND))
            @for (tick, x, words) in x.ticks(text, TICKS) {
                @let (class, stroke) = if tick == 0.0 { ("axis", AXIS) } else { ("grid", LINE) };
                line class=(class) x1=(at(x)) x2=(at(x)) y1=(at(HEAD)) y2=(at(foot)) stroke=(stroke) {}
                text x=(at(x)) y=(at(foot + VALUES)) text-anchor="middle" class="soft" fill=(SOFT) { (words) }
            }
            text x=(at((left + right) / 2.0)) y=(at(foot + AXIS_NAME)) text-anchor="middle" class="soft" fill=(SOFT) { (say!(text, "chart.push")) }
            @for (i, swarm) in swarms.iter().enumerate() {
                @let middle = HEAD + ROW * (i as f64 + 0.5);
                line class="grid" stroke=(LINE) x1=(at(left)) x2=(at(right)) y1=(at(middle)) y2=(at(middle)) {}
                text x=(at(names)) y=(at(middle + SMALL_BASELINE)) text-anchor="end" {
                    title { (text::cut(&swarm.name, text::TIP)) } (text::fit(&swarm.name, SIZE, names))
                }
                g fill="none" stroke-width=(DOT) stroke-linecap="round" stroke-opacity="0.85" {
                    @for (shade, path) in dots(&swarm.points, &x, middle) { path class=(class_of(shade)) d=(path) stroke=(hex(colour_of(shade))) {} }
                }
            }
            (legend(right + LEGEND_LEFT, HEAD + LEGEND_INSET, foot - HEAD - 2.0 * LEGEND_INSET, &words!(text, "chart.value"), [&words!(text, "chart.high"), &words!(text, "chart.low")]))
        };
        let class = if right > WIDE { "swarm wide" } else { "swarm" };
        Svg::new(class, (right + LEGEND, foot + FOOT), self.words(text), marks)
    }

    fn words(&self, text: &Text) -> String {
        let names: Vec<String> = self.0.iter().take(SPOKEN).map(|swarm| text::cut(&swarm.name, text::SAID)).collect();
        let list = names.join(&words!(text, "list.between"));
        words!(text, "chart.label", what = words!(text, "chart.swarm"), list = list)
    }
}

/// What the two sides mean, within the chart's `width`.
fn heads(text: &Text, zero: f64, below: bool, width: f64) -> Markup {
    let speaks = words!(text, "chart.for");
    let after = (zero + BESIDE).min(width - text::width(&speaks, SMALL));
    html! {
        @if below {
            text x=(at((zero - BESIDE).min(after - APART))) y=(at(HEAD_BASELINE)) text-anchor="end" class="soft" fill=(SOFT) { (say!(text, "chart.against")) }
        }
        text x=(at(after)) y=(at(HEAD_BASELINE)) class="soft" fill=(SOFT) { (speaks) }
    }
}

/// The colours of values from high, on top, to low, and words for these.
pub(super) fn legend(left: f64, top: f64, tall: f64, name: &str, [high, low]: [&str; 2]) -> Markup {
    let step = tall / SHADES as f64;
    html! {
        @for i in 0..SHADES {
            @let y = format!("{:.2}", top + step * (SHADES - 1 - i) as f64);
            path class=(class_of(i)) stroke-width=(LEGEND_WIDE) stroke=(hex(colour_of(i))) d=(format!("M{} {y}v{:.2}", at(left + LEGEND_WIDE / 2.0), step + 0.3)) {}
        }
        text x=(at(left + LEGEND_WORDS)) y=(at(top + LEGEND_BASELINE)) class="soft" fill=(SOFT) { (text::fit(high, SMALL, LEGEND_ROOM)) }
        @if tall >= LEGEND_LOW { text x=(at(left + LEGEND_WORDS)) y=(at(top + tall)) class="soft" fill=(SOFT) { (text::fit(low, SMALL, LEGEND_ROOM)) } }
        @if tall >= LEGEND_NAMED {
            text transform=(format!("translate({} {}) rotate(-90)", at(left + LEGEND_NAME), at(top + tall / 2.0)))
                text-anchor="middle" class="soft" fill=(SOFT) { (text::fit(name, SMALL, tall - LEGEND_ENDS)) }
        }
    }
}

/// The place of a value's colour among [`SHADES`], and one more for a missing value.
pub(super) fn shade(value: f64) -> usize {
    if value.is_nan() { SHADES } else { (value.clamp(0.0, 1.0) * (SHADES - 1) as f64).round() as usize }
}

/// The colour of a shade.
pub(super) fn colour_of(shade: usize) -> Rgb {
    if shade >= SHADES { MISSING } else { colour::low_to_high(shade as f64 / (SHADES - 1) as f64) }
}

/// The name by which a style may brighten the darkest shades on a dark page.
pub(super) fn class_of(shade: usize) -> String {
    format!("s{shade}")
}

/// Dots that keep out of each other's way, as one path for each shade.
fn dots(points: &[(f64, f64)], x: &Scale, middle: f64) -> Vec<(usize, String)> {
    // By column of three units, then by value, so that the picture depends on nothing but the values.
    let place = |push: f64| (x.at(push) / COLUMN) as i64;
    let mut sorted: Vec<(i64, f64, f64)> =
        points.iter().filter(|p| p.0.is_finite()).map(|&(push, value)| (place(push), push, value)).collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0).then(a.2.total_cmp(&b.2)).then(a.1.total_cmp(&b.1)));
    let fullest = sorted.chunk_by(|a, b| a.0 == b.0).map(<[_]>::len).max().unwrap_or(1);
    let step = (0.92 * ROW / fullest as f64).min(STEP);
    let mut paths = vec![String::new(); SHADES + 1];
    for column in sorted.chunk_by(|a, b| a.0 == b.0) {
        for (i, &(_, push, value)) in column.iter().enumerate() {
            // 0, 1, -1, 2, -2, ..: around the middle line, thicker where there are more.
            let side = if i % 2 == 1 { 1.0 } else { -1.0 };
            let y = middle + side * i.div_ceil(2) as f64 * step;
            paths[shade(value)].push_str(&format!("M{} {}h.01", at(x.at(push)), at(y)));
        }
    }
    paths.into_iter().enumerate().filter(|(_, path)| !path.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_dot_and_stays_in_its_line() {
        let points: Vec<(f64, f64)> =
            (0..200).map(|i| (f64::from(i % 7), f64::from(i) / 199.0)).chain([(1.0, f64::NAN)]).collect();
        let paths = dots(&points, &Scale::new(0.0, 10.0, 0.0, 100.0), 50.0);
        let all: String = paths.iter().map(|p| p.1.as_str()).collect();
        assert_eq!(all.matches('M').count(), 201);
        let places = all.split('M').skip(1).map(|dot| dot.split(' ').nth(1).unwrap().split('h').next().unwrap());
        for y in places.map(|y| y.parse::<f64>().unwrap()) {
            assert!((50.0 - ROW / 2.0..=50.0 + ROW / 2.0).contains(&y), "{y}");
        }
    }
}
