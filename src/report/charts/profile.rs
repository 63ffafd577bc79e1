//! A cluster's profile: its averages beside the population's, each in its column's own units.

use super::colour::{self, hex};
use super::scale::Scale;
use super::svg::{AXIS, BASELINE, LINE, SIZE, SMALL, SMALL_BASELINE, SOFT, Svg, at, nothing};
use super::text;
use crate::core::shape::check_count;
use crate::report::text::{Text, say, words};
use crate::{Error, Result};
use maud::{Markup, html};
use ndarray::ArrayRef2;

/// Height of a line; the rooms above and below.
const ROW: f64 = 34.0;
const HEAD: f64 = 34.0;
const FOOT: f64 = 12.0;
/// Least and most room for names; width of the field, and of the numbers on both sides of it.
const NAMES: (f64, f64) = (120.0, 300.0);
const FIELD: f64 = 380.0;
const BESIDE: f64 = 62.0;
const NOTES: f64 = 150.0;
/// Between names and numbers; between numbers and field, and what their room leaves.
const GAP: f64 = 12.0;
const NUMBER_GAP: f64 = 10.0;
const NUMBER_INSET: f64 = 12.0;
/// The key: its middle and baseline, the places of the dot, of the cluster's name, of the mark and of its words from where each
/// begins; room for the name and how much larger it is written.
const KEY_MIDDLE: f64 = 14.0;
const KEY_BASELINE: f64 = 18.0;
const KEY_NAME: f64 = 17.0;
const KEY_NEXT: f64 = 24.0;
const KEY_MARK: f64 = 8.0;
const KEY_ROOM: f64 = 130.0;
const KEY_SIZE: f64 = 1.05;
/// Radius of a dot; width and height of the mark of all rows, in the key and on a line; height of the middle half, and its
/// least width.
const DOT: f64 = 6.0;
const MARK: f64 = 2.4;
const KEY_MARK_TALL: f64 = 16.0;
const MARK_TALL: f64 = 18.0;
const BAND: f64 = 12.0;
const LEAST_BAND: f64 = 1.0;

/// One column of a profile, in its own units.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct ProfileLine {
    name: String,
    here: f64,
    all: f64,
    range: [f64; 2],
    middle: [f64; 2],
}

impl ProfileLine {
    /// A column, its average in the cluster, and that of all rows.
    pub fn new(name: impl Into<String>, here: f64, all: f64) -> Self {
        ProfileLine { name: name.into(), here, all, range: [f64::NAN; 2], middle: [f64::NAN; 2] }
    }

    /// The range of all rows that the line covers, such as their 5th and 95th percentiles, and its middle half.
    pub fn range(mut self, range: [f64; 2], middle: [f64; 2]) -> Self {
        (self.range, self.middle) = (range, middle);
        self
    }
}

/// A cluster's averages beside the population's, in units: each column has a line of its own from the 5th to the 95th
/// percentile of all rows, with their middle half and their average, and the cluster's average on it.
///
/// ```
/// use recluster::report::charts::{Profile, ProfileLine};
/// let line = ProfileLine::new("visits a month", 12.1, 4.0).range([0.0, 15.0], [2.0, 6.0]);
/// let svg = Profile::new("0.1", [line]).draw();
/// assert!(svg.to_string().contains("visits a month"));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Profile {
    name: String,
    number: i32,
    lines: Vec<ProfileLine>,
}

impl Profile {
    /// A cluster of this name, and a line for each column.
    pub fn new(name: impl Into<String>, lines: impl IntoIterator<Item = ProfileLine>) -> Self {
        Profile { name: name.into(), number: 0, lines: lines.into_iter().collect() }
    }

    /// The cluster's number, which its colour goes by; by default 0.
    pub fn number(mut self, number: usize) -> Self {
        self.number = number.min(i32::MAX as usize) as i32;
        self
    }

    /// The cluster's name; by default, of [`Profile::of`], its label.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The `most` columns of `rows` (n x columns, NaN for missing) in which the average of the rows with the label `cluster`
    /// lies furthest from that of all, in standard deviations, furthest first. O(n log n x columns); the same for any order
    /// of the rows.
    ///
    /// # Errors
    /// [`Error::Shape`] when labels or names do not fit the rows; [`Error::Setting`] when no row has the label.
    pub fn of(
        rows: &ArrayRef2<f32>,
        labels: &[i32],
        cluster: i32,
        names: &[impl AsRef<str>],
        most: usize,
    ) -> Result<Self> {
        check_count("labels, one for each row", rows.nrows(), labels.len())?;
        check_count("names, one for each column", rows.ncols(), names.len())?;
        if !labels.contains(&cluster) {
            return Err(Error::setting("cluster", cluster, "a label that some row has"));
        }
        let mut lines: Vec<(f64, ProfileLine)> = (0..rows.ncols())
            .filter_map(|c| {
                line(
                    rows.column(c).iter().copied().zip(labels.iter().map(|&label| label == cluster)),
                    names[c].as_ref(),
                )
            })
            .collect();
        lines.sort_by(|a, b| b.0.total_cmp(&a.0));
        lines.truncate(most);
        let profile = Profile::new(cluster.to_string(), lines.into_iter().map(|line| line.1));
        Ok(profile.number(usize::try_from(cluster).unwrap_or(0)))
    }

    /// The chart in English. O(lines).
    pub fn draw(&self) -> Svg {
        self.draw_in(Text::english())
    }

    /// The chart with the words of a catalogue.
    pub fn draw_in(&self, text: &Text) -> Svg {
        let lines = &self.lines;
        if lines.is_empty() {
            return {
                let what = words!(text, "chart.profile", name = "");
                nothing(text, "profile", what.trim_end())
            };
        }
        let names = text::column(lines.iter().map(|line| line.name.as_str()), SIZE, NAMES.0, NAMES.1);
        let left = names + GAP + BESIDE;
        let (end, right) = (left + FIELD, left + FIELD + BESIDE + NOTES);
        let height = HEAD + ROW * lines.len() as f64 + FOOT;
        let marks = html! {
            (self.key(text, left, right))
            @for (i, line) in lines.iter().enumerate() {
                @let middle = HEAD + ROW * (i as f64 + 0.5);
                text x=(at(names)) y=(at(middle + BASELINE)) text-anchor="end" { title { (text::cut(&line.name, text::TIP)) } (text::fit(&line.name, SIZE, names)) }
                (line.draw(text, left, end, middle, self.number))
                text x=(at(right)) y=(at(middle + BASELINE)) text-anchor="end" {
                    tspan font-weight="700" { (text.value(line.here)) } tspan class="soft" { " (" (text.value(line.all)) ")" }
                }
            }
        };
        let said = lines.iter().map(|line| {
            format!("{} {} ({})", text::cut(&line.name, text::SAID), text.value(line.here), text.value(line.all))
        });
        let list = text.listed(&said.collect::<Vec<_>>());
        let what = words!(text, "chart.profile", name = text::cut(&self.name, text::SAID));
        let label = words!(text, "chart.label", what = what, list = list);
        Svg::new("profile", (right, height), label, marks)
    }

    /// What the marks mean.
    fn key(&self, text: &Text, left: f64, right: f64) -> Markup {
        let name = text::fit(&self.name, SIZE * KEY_SIZE, KEY_ROOM);
        let next = left + KEY_NEXT + text::width(&name, SIZE * KEY_SIZE);
        html! {
            circle class="edge" cx=(at(left + DOT)) cy=(at(KEY_MIDDLE)) r=(at(DOT)) fill=(hex(colour::cluster(self.number))) {}
            text font-weight="600" x=(at(left + KEY_NAME)) y=(at(KEY_BASELINE)) { (name) }
            rect class="stroke ink" x=(at(next + KEY_MARK)) y=(at(KEY_MIDDLE - KEY_MARK_TALL / 2.0)) width=(at(MARK)) height=(at(KEY_MARK_TALL)) {}
            text class="soft" fill=(SOFT) x=(at(next + KEY_NAME)) y=(at(KEY_BASELINE)) { (say!(text, "chart.average_all")) }
            text class="soft" fill=(SOFT) text-anchor="end" x=(at(right)) y=(at(KEY_BASELINE)) { (say!(text, "chart.here_all")) }
        }
    }
}

impl ProfileLine {
    /// The line from end to end with its numbers, the middle half, both averages.
    fn draw(&self, text: &Text, left: f64, end: f64, y: f64, number: i32) -> Markup {
        let ends = self.range.into_iter().chain([self.here, self.all]);
        let (low, high) = super::scale::range(ends);
        let x = Scale::new(low, high, left, end);
        let number_of = |value: f64| text::fit(&text.value(value), SMALL, BESIDE - NUMBER_INSET);
        let band = self.middle.iter().all(|v| v.is_finite());
        html! {
            line class="grid" stroke=(LINE) stroke-width="2" x1=(at(left)) x2=(at(end)) y1=(at(y)) y2=(at(y)) {}
            text class="soft" fill=(SOFT) text-anchor="end" x=(at(left - NUMBER_GAP)) y=(at(y + SMALL_BASELINE)) { (number_of(low)) }
            text class="soft" fill=(SOFT) x=(at(end + NUMBER_GAP)) y=(at(y + SMALL_BASELINE)) { (number_of(high)) }
            @if band {
                @let (a, b) = (x.at(self.middle[0]), x.at(self.middle[1]));
                rect class="band" fill=(LINE) x=(at(a.min(b))) y=(at(y - BAND / 2.0)) width=(at((b - a).abs().max(LEAST_BAND))) height=(at(BAND)) rx="3" {}
            }
            @if self.here.is_finite() && self.all.is_finite() {
                line class="axis" stroke=(AXIS) stroke-width="2" x1=(at(x.at(self.all))) x2=(at(x.at(self.here))) y1=(at(y)) y2=(at(y)) {}
            }
            @if self.all.is_finite() { rect class="ink" x=(at(x.at(self.all) - MARK / 2.0)) y=(at(y - MARK_TALL / 2.0)) width=(at(MARK)) height=(at(MARK_TALL)) {} }
            @if self.here.is_finite() { circle class="edge" cx=(at(x.at(self.here))) cy=(at(y)) r=(at(DOT)) fill=(hex(colour::cluster(number))) {} }
        }
    }
}

/// A column's line and how far the averages lie apart; none without values on both sides. Sums go by value, so that the order
/// of rows does not matter.
fn line(values: impl Iterator<Item = (f32, bool)>, name: &str) -> Option<(f64, ProfileLine)> {
    let mut sorted: Vec<(f64, bool)> = values.filter(|v| v.0.is_finite()).map(|(v, own)| (f64::from(v), own)).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let n = sorted.len();
    let own = sorted.iter().filter(|v| v.1).count();
    if own == 0 {
        return None;
    }
    let all = sorted.iter().map(|v| v.0).sum::<f64>() / n as f64;
    let here = sorted.iter().filter(|v| v.1).map(|v| v.0).sum::<f64>() / own as f64;
    let deviation = (sorted.iter().map(|v| (v.0 - all) * (v.0 - all)).sum::<f64>() / n as f64).sqrt();
    let at = |part: f64| sorted[(part * (n - 1) as f64).round() as usize].0;
    let distance = if deviation > 0.0 { ((here - all) / deviation).abs() } else { 0.0 };
    Some((distance, ProfileLine::new(name, here, all).range([at(0.05), at(0.95)], [at(0.25), at(0.75)])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn the_columns_that_set_a_cluster_apart_come_first() {
        let rows = Array2::from_shape_fn((100, 3), |(i, j)| [i as f32, (i % 10) as f32, f32::NAN][j]);
        let labels: Vec<i32> = (0..100).map(|i| i32::from(i >= 80)).collect();
        let profile = Profile::of(&rows, &labels, 1, &["a", "b", "c"], 9).unwrap();
        assert_eq!(profile.lines.len(), 2);
        let first = &profile.lines[0];
        assert_eq!((first.name.as_str(), first.here, first.all), ("a", 89.5, 49.5));
        assert_eq!((first.range, first.middle), ([5.0, 94.0], [25.0, 74.0]));
        assert!(matches!(Profile::of(&rows, &labels, 2, &["a", "b", "c"], 9), Err(Error::Setting { .. })));
        assert!(matches!(Profile::of(&rows, &labels, 1, &["a"], 9), Err(Error::Shape { .. })));
    }
}
