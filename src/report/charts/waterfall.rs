//! The waterfall: how the attributions of one row add up from the base value to what the model says of it.

use super::scale::Scale;
use super::svg::{AXIS, BASELINE, LINE, SIZE, SMALL, SMALL_BASELINE, SOFT, Svg, at, nothing};
use super::{colour, text};
use crate::Explanation;
use crate::Result;
use crate::core::shape::{check_count, check_output};
use crate::report::text::{Text, say, words};
use maud::{Markup, html};

/// Height of a line; the room above and below the lines.
const ROW: f64 = 30.0;
const HEAD: f64 = 26.0;
const FOOT: f64 = 62.0;
/// Width of the field of bars; least and most room for names, and room beside the field for a number.
const FIELD: f64 = 460.0;
const NAMES: (f64, f64) = (150.0, 320.0);
const BESIDE: f64 = 64.0;
/// Length of the point of a bar.
const POINT: f64 = 6.0;
/// Between names and field; between a bar and the ends of its line; a number beside it, or what it leaves of it inside.
const GAP: f64 = 14.0;
const INSET: f64 = 4.0;
const NUMBER_GAP: f64 = 5.0;
const NUMBER_INSIDE: f64 = 4.0;
/// Baselines of the base value, and below the lines of the row's value, the values of the axis and its name; about how many
/// values there are.
const BASE: f64 = 12.0;
const LAST: f64 = 19.0;
const VALUES: f64 = 36.0;
const AXIS_NAME: f64 = 55.0;
const TICKS: f64 = 6.0;
/// Where the marks of the base value and of the row begin and end, from the first and the last line; from a bar to the mark that
/// leads to the next one, and its end.
const BASE_MARK: f64 = 8.0;
const LAST_MARK: (f64, f64) = (3.0, 7.0);
const NEXT_MARK: (f64, f64) = (1.0, 7.0);
/// Features with a line of their own.
const MOST: usize = 9;

/// What one feature adds.
#[derive(Clone, Debug, PartialEq)]
pub struct Push {
    name: String,
    /// The value to be read behind the name, where it is a number; NaN where it is missing.
    value: Option<f64>,
    push: f64,
}

impl Push {
    fn words(&self, text: &Text) -> String {
        match self.value {
            None => self.name.clone(),
            Some(value) if value.is_nan() => words!(text, "chart.is_missing", name = &self.name),
            Some(value) => words!(text, "chart.equals", name = &self.name, value = text.value(value)),
        }
    }

    /// A feature, with the row's value in it if that is to be read ("visits = 12"), and its attribution.
    pub fn new(name: impl Into<String>, push: f64) -> Self {
        Push { name: name.into(), value: None, push }
    }
}

/// The waterfall of one row: from the base value downwards each feature's push, the largest first, to the row's output. What
/// is below the largest is added up in one line, so that the lines add up exactly.
///
/// ```
/// use recluster::report::charts::{Push, Waterfall};
/// let pushes = [Push::new("visits = 12", 2.1), Push::new("age = 31", -0.4)];
/// let svg = Waterfall::new(-1.2, pushes).log_odds().draw();
/// assert!(svg.to_string().contains("visits = 12"));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Waterfall {
    base: f64,
    pushes: Vec<Push>,
    most: usize,
    log_odds: bool,
}

impl Waterfall {
    /// A base value and what the features add to it, in any order. A push that is not finite counts as 0.
    pub fn new(base: f64, pushes: impl IntoIterator<Item = Push>) -> Self {
        let clean = |push: Push| Push { push: if push.push.is_finite() { push.push } else { 0.0 }, ..push };
        let base = if base.is_finite() { base } else { 0.0 };
        Waterfall { base, pushes: pushes.into_iter().map(clean).collect(), most: MOST, log_odds: false }
    }

    /// One row of an explanation, for one of its outputs: `values` are the row's, `names` those of the features.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) when row, values or names do not fit the explanation; [`Error::Output`](crate::Error::Output).
    pub fn of(why: &Explanation, row: usize, output: usize, values: &[f32], names: &[impl AsRef<str>]) -> Result<Self> {
        let (rows, features, outputs) = why.values().dim();
        check_output(outputs, output)?;
        check_count("values, one for each feature", features, values.len())?;
        check_count("names, one for each feature", features, names.len())?;
        if row >= rows {
            return Err(super::svg::mismatch("a row below the number of rows", rows, row));
        }
        let pushes = (0..features).map(|f| Push {
            name: names[f].as_ref().to_string(),
            value: Some(values[f].into()),
            push: why.values()[[row, f, output]],
        });
        Ok(Waterfall::new(why.base()[output], pushes))
    }

    /// Features with a line of their own, at least 1; by default 9.
    pub fn most(mut self, features: usize) -> Self {
        self.most = features.max(1);
        self
    }

    /// Says that base value and pushes are log-odds, as those of a surrogate are: the ends are shown as probabilities too.
    pub fn log_odds(mut self) -> Self {
        self.log_odds = true;
        self
    }

    /// The chart in English. O(features log features).
    pub fn draw(&self) -> Svg {
        self.draw_in(Text::english())
    }

    /// The chart with the words of a catalogue.
    pub fn draw_in(&self, text: &Text) -> Svg {
        let lines = self.lines(text);
        if lines.is_empty() {
            return nothing(text, "waterfall", &words!(text, "chart.waterfall"));
        }
        let names = text::column(lines.iter().map(|line| line.name.as_str()), SIZE, NAMES.0, NAMES.1);
        let (left, right) = (names + GAP, names + GAP + FIELD + BESIDE);
        let foot = HEAD + ROW * lines.len() as f64;
        let ends = || lines.iter().flat_map(|line| [line.from, line.from + line.push]);
        let (low, high) = super::scale::range(ends());
        let x = Scale::new(low, high, left + BESIDE, right - BESIDE);
        let last = lines.last().map_or(self.base, |line| line.from + line.push);
        let unit = match self.log_odds {
            true => say!(text, "chart.unit_log_odds"),
            false => say!(text, "chart.unit"),
        };
        let base = words!(text, "chart.base_is", value = self.value(text, self.base));
        let row = words!(text, "chart.row_is", value = self.value(text, last));
        let marks = html! {
            g class="grid" stroke=(LINE) {
                @for (_, place, _) in x.ticks(text, TICKS) { line x1=(at(place)) x2=(at(place)) y1=(at(HEAD)) y2=(at(foot)) {} }
            }
            @for (_, place, words) in x.ticks(text, TICKS) {
                text class="soft" fill=(SOFT) x=(at(place)) y=(at(foot + VALUES)) text-anchor="middle" { (words) }
            }
            text class="soft" fill=(SOFT) x=(at((left + right) / 2.0)) y=(at(foot + AXIS_NAME)) text-anchor="middle" { (unit) }
            (end(x.at(self.base), BASE, &base, (left, right)))
            line class="axis" stroke=(AXIS) stroke-dasharray="3 3" x1=(at(x.at(self.base))) x2=(at(x.at(self.base))) y1=(at(HEAD - BASE_MARK)) y2=(at(HEAD + ROW)) {}
            @for (i, line) in lines.iter().enumerate() { (line.draw(text, HEAD + ROW * i as f64, names, &x, i + 1 < lines.len())) }
            line class="axis" stroke=(AXIS) x1=(at(x.at(last))) x2=(at(x.at(last))) y1=(at(foot - LAST_MARK.0)) y2=(at(foot + LAST_MARK.1)) {}
            (end(x.at(last), foot + LAST, &row, (left, right)))
        };
        let said: Vec<String> = lines
            .iter()
            .map(|line| format!("{} {}", text::cut(&line.name, text::SAID), signed(text, line.push)))
            .collect();
        let base = words!(text, "chart.base_is", value = text.value(self.base));
        let row = words!(text, "chart.row_is", value = text.value(last));
        let list = text.listed(&[base, said.join(&words!(text, "list.between")), row]);
        let label = words!(text, "chart.label", what = words!(text, "chart.waterfall"), list = list);
        Svg::new("waterfall", (right, foot + FOOT), label, marks)
    }

    /// An end's value, as a probability too where it is log-odds.
    fn value(&self, text: &Text, value: f64) -> String {
        match self.log_odds {
            true => format!("{} ({})", text.value(value), text.whole(1.0 / (1.0 + libm::exp(-value)))),
            false => text.value(value),
        }
    }

    /// The largest pushes, the rest as one, each with where it begins.
    fn lines(&self, text: &Text) -> Vec<Line> {
        let mut pushes: Vec<&Push> = self.pushes.iter().filter(|push| push.push != 0.0).collect();
        pushes.sort_by(|a, b| b.push.abs().total_cmp(&a.push.abs()));
        // A rest of one feature has its own name.
        let own = if pushes.len() > self.most + 1 { self.most } else { pushes.len() };
        let rest = pushes.split_off(own);
        let mut lines: Vec<Line> = Vec::with_capacity(own + 1);
        let mut from = self.base;
        let summed = rest.iter().map(|push| push.push).sum();
        let others = (!rest.is_empty()).then(|| (words!(text, "chart.others", n = rest.len()), summed));
        for (name, push) in pushes.iter().map(|push| (push.words(text), push.push)).chain(others) {
            lines.push(Line { name, from, push });
            from += push;
        }
        lines
    }
}

/// An end in words, at its place as far as the frame allows.
fn end(x: f64, y: f64, words: &str, (left, right): (f64, f64)) -> Markup {
    let half = text::width(words, SIZE) / 2.0;
    let x = x.clamp(left + half, (right - half).max(left + half));
    html! { text x=(at(x)) y=(at(y)) text-anchor="middle" font-weight="600" { (words) } }
}

/// A line of the chart: from where, and how far.
struct Line {
    name: String,
    from: f64,
    push: f64,
}

impl Line {
    /// Name, a bar with a point in its direction, its number inside or beside it, and where the next one begins.
    fn draw(&self, text: &Text, top: f64, names: f64, x: &Scale, next: bool) -> Markup {
        let (a, b) = (x.at(self.from), x.at(self.from + self.push));
        let (upper, lower, middle) = (top + INSET, top + ROW - INSET, top + ROW / 2.0);
        let back = if (b - a).abs() > POINT { b - POINT * (b - a).signum() } else { a };
        let outline =
            format!("M{0} {1}H{2}L{3} {4}L{2} {5}H{0}Z", at(a), at(upper), at(back), at(b), at(middle), at(lower));
        let fill = colour::against_to_for(if self.push < 0.0 { -1.0 } else { 1.0 });
        let words = signed(text, self.push);
        let inside = (b - a).abs() > text::width(&words, SMALL) + 2.0 * POINT + NUMBER_INSIDE;
        let beside = if self.push < 0.0 { ("end", a.min(b) - NUMBER_GAP) } else { ("start", a.max(b) + NUMBER_GAP) };
        html! {
            text x=(at(names)) y=(at(middle + BASELINE)) text-anchor="end" { title { (text::cut(&self.name, text::TIP)) } (text::fit(&self.name, SIZE, names)) }
            path d=(outline) fill=(colour::hex(fill)) {}
            @if inside {
                g class="on" fill=(colour::text_on(fill)) { text font-size=(SMALL) font-weight="600" text-anchor="middle" x=(at((a + b) / 2.0)) y=(at(middle + SMALL_BASELINE)) { (words) } }
            } @else {
                text class="soft" fill=(SOFT) text-anchor=(beside.0) x=(at(beside.1)) y=(at(middle + SMALL_BASELINE)) { (words) }
            }
            @if next { line class="axis" stroke=(AXIS) x1=(at(b)) x2=(at(b)) y1=(at(lower + NEXT_MARK.0)) y2=(at(lower + NEXT_MARK.1)) {} }
        }
    }
}

/// A number with its sign.
fn signed(text: &Text, number: f64) -> String {
    // Two decimals, as a sum is read; what these do not show in three digits.
    let words = match number.abs() {
        size if (0.005..1000.0).contains(&size) => text.decimals(size, 2),
        size => text.value(size),
    };
    format!("{}{words}", if number < 0.0 { "−" } else { "+" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_add_up_and_the_rest_is_one() {
        let pushes: Vec<Push> =
            (1..=20).map(|i| Push::new(format!("f{i}"), f64::from(i) * if i % 3 == 0 { -0.1 } else { 0.1 })).collect();
        let lines = Waterfall::new(-2.0, pushes.clone()).lines(Text::english());
        assert_eq!((lines.len(), lines[0].name.as_str(), lines[9].name.as_str()), (10, "f20", "11 other features"));
        let all: f64 = pushes.iter().map(|push| push.push).sum();
        let last = &lines[9];
        assert!((last.from + last.push - (all - 2.0)).abs() < 1e-12);
        assert!(lines.windows(2).all(|pair| (pair[0].from + pair[0].push - pair[1].from).abs() < 1e-12));
        assert_eq!(
            Waterfall::new(0.0, pushes.clone()).most(19).lines(Text::english()).len(),
            20,
            "a rest of one is no rest"
        );
        assert_eq!(Waterfall::new(f64::NAN, [Push::new("x", f64::NAN)]).lines(Text::english()).len(), 0);
    }
}
