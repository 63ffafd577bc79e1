//! A cross-tab with intervals: the levels of an outside variable in each cluster, and how sure the shares are.

use super::colour::{self, hex};
use super::scale::Scale;
use super::svg::{AXIS, BASELINE, LINE, SIZE, SMALL, SMALL_BASELINE, SOFT, Svg, at, nothing};
use super::text;
use crate::report::interval::{LEAST, Share};
use crate::report::text::{Text, words};
use maud::{Markup, html};

/// Height of a cluster's line; the rooms above and below the lines.
const ROW: f64 = 26.0;
const HEAD: f64 = 30.0;
const FOOT: f64 = 44.0;
/// Width of a level's field, its margin on both sides, and room for a share behind it; least and most room for names.
const FIELD: f64 = 112.0;
const NUMBER: f64 = 44.0;
const GAP: f64 = 18.0;
const NAMES: (f64, f64) = (80.0, 240.0);
/// Levels with a field of their own; all others are one.
const LEVELS: usize = 8;
/// Between names and the first field; baseline of a level's name and how much larger it is written; how far the lines reach
/// above the fields and that of all rows below; baselines below of its share and of the key, which has so much room at least.
const BESIDE: f64 = 14.0;
const LEVEL_BASELINE: f64 = 16.0;
const LEVEL_SIZE: f64 = 1.05;
const ABOVE: f64 = 4.0;
const BELOW: f64 = 4.0;
const ALL_BASELINE: f64 = 17.0;
const KEY_BASELINE: f64 = 36.0;
const KEY: f64 = 330.0;
/// From the field's left end to words instead of a share; radius of a dot, solid and hollow.
const INDENT: f64 = 6.0;
const DOT: f64 = 5.0;
const HOLLOW: f64 = 4.4;
/// The shortest scale of shares. Characters of the variable's name, and clusters that are put into words.
const LEAST_SCALE: f64 = 0.01;
const NAME: usize = 80;
const SPOKEN: usize = 12;

/// How often the levels of a variable occur in each cluster: a field for each level, a line for each cluster, its share with
/// the 95 % interval (Wilson 1927), and the share in all rows as a vertical line. A share is drawn solid where its interval
/// excludes that of all rows, and hollow where it does not; of fewer than ten rows there is none.
///
/// ```
/// use recluster::report::charts::CrossTab;
/// let svg = CrossTab::new("plan", ["basic", "plus"]).line("0.0", [40, 10]).line("0.1", [12, 60]).draw();
/// assert!(svg.to_string().contains("plus"));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct CrossTab {
    variable: String,
    levels: Vec<String>,
    lines: Vec<(String, Vec<u32>)>,
    /// Rows in no cluster, which are part of all rows.
    rest: Vec<u32>,
}

impl CrossTab {
    /// A variable and its levels.
    pub fn new(variable: impl Into<String>, levels: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let levels = levels.into_iter().map(Into::into).collect();
        CrossTab { variable: variable.into(), levels, lines: Vec::new(), rest: Vec::new() }
    }

    /// Adds a cluster with its rows of each level; levels without a number have none.
    pub fn line(mut self, cluster: impl Into<String>, rows: impl IntoIterator<Item = u32>) -> Self {
        self.lines.push((cluster.into(), rows.into_iter().take(self.levels.len()).collect()));
        self
    }

    /// Rows of each level that are in no cluster; by default none.
    pub fn rest(mut self, rows: impl IntoIterator<Item = u32>) -> Self {
        self.rest = rows.into_iter().take(self.levels.len()).collect();
        self
    }

    /// The chart in English: the eight most frequent levels, all others as one. O(clusters x levels).
    pub fn draw(&self) -> Svg {
        self.draw_in(Text::english())
    }

    /// The chart with the words of a catalogue.
    pub fn draw_in(&self, text: &Text) -> Svg {
        let columns = self.columns(text);
        if columns.is_empty() || self.lines.is_empty() {
            return {
                let what = words!(text, "chart.crosstab", name = "");
                nothing(text, "crosstab", what.trim_end())
            };
        }
        let names = text::column(self.lines.iter().map(|line| line.0.as_str()), SIZE, NAMES.0, NAMES.1);
        let step = FIELD + NUMBER + GAP;
        let left = |column: usize| names + BESIDE + step * column as f64;
        let foot = HEAD + ROW * self.lines.len() as f64;
        let shares = columns.iter().flat_map(|column| &column.shares).filter(|share| share.of >= LEAST);
        let most = shares
            .map(|share| share.interval().1)
            .chain(columns.iter().map(|column| column.all))
            .fold(LEAST_SCALE, f64::max);
        let marks = html! {
            @for (i, (name, _)) in self.lines.iter().enumerate() {
                text x=(at(names)) y=(at(HEAD + ROW * i as f64 + ROW / 2.0 + BASELINE)) text-anchor="end" { title { (text::cut(name, text::TIP)) } (text::fit(name, SIZE, names)) }
            }
            @for (i, column) in columns.iter().enumerate() { (column.draw(text, &Scale::new(0.0, most, left(i), left(i) + FIELD), foot)) }
            text class="soft" fill=(SOFT) x=(at(left(0))) y=(at(foot + KEY_BASELINE)) {
                (text::fit(&words!(text, "chart.crosstab_key", name = text::cut(&self.variable, NAME)), SMALL, step * columns.len() as f64 - GAP))
            }
        };
        let what = words!(text, "chart.crosstab", name = text::cut(&self.variable, NAME));
        let list = text.listed(&columns.iter().map(|column| column.words(text)).collect::<Vec<_>>());
        let label = words!(text, "chart.label", what = what, list = list);
        let width = (left(columns.len()) - GAP).max(left(0) + KEY);
        Svg::new("crosstab", (width, foot + FOOT), label, marks)
    }

    /// Levels by falling number of rows, equal ones in their order; beyond the eighth as one.
    fn columns(&self, text: &Text) -> Vec<Column> {
        let count = |rows: &[u32], level: usize| u64::from(rows.get(level).copied().unwrap_or(0));
        let total =
            |level: usize| self.lines.iter().map(|line| count(&line.1, level)).sum::<u64>() + count(&self.rest, level);
        let mut order: Vec<usize> = (0..self.levels.len()).filter(|&level| total(level) > 0).collect();
        order.sort_by_key(|&level| (std::cmp::Reverse(total(level)), level));
        let all: u64 = order.iter().map(|&level| total(level)).sum();
        let own = if order.len() > LEVELS + 1 { LEVELS } else { order.len() };
        let mut groups: Vec<(String, Vec<usize>)> =
            order[..own].iter().map(|&level| (self.levels[level].clone(), vec![level])).collect();
        if own < order.len() {
            groups.push((words!(text, "chart.other_levels", n = order.len() - own), order[own..].to_vec()));
        }
        let narrow = |rows: u64| u32::try_from(rows).unwrap_or(u32::MAX);
        let column = |(name, levels): (String, Vec<usize>)| {
            let part = levels.iter().map(|&level| total(level)).sum::<u64>() as f64 / all as f64;
            let share = |line: &(String, Vec<u32>)| Share {
                count: narrow(levels.iter().map(|&level| count(&line.1, level)).sum()),
                of: narrow((0..self.levels.len()).map(|level| count(&line.1, level)).sum()),
                all: part,
            };
            Column { name, all: part, shares: self.lines.iter().map(share).collect() }
        };
        groups.into_iter().map(column).collect()
    }
}

/// A level, its share in all rows, and in each cluster.
struct Column {
    name: String,
    all: f64,
    shares: Vec<Share>,
}

impl Column {
    fn draw(&self, text: &Text, x: &Scale, foot: f64) -> Markup {
        let (left, right) = x.ends();
        let all = x.at(self.all);
        let words = text.whole(self.all);
        // Below the line, but not beyond the field.
        let half = text::width(&words, SMALL) / 2.0;
        html! {
            text font-weight="600" x=(at(left)) y=(at(LEVEL_BASELINE)) { title { (text::cut(&self.name, text::TIP)) } (text::fit(&self.name, SIZE * LEVEL_SIZE, FIELD + NUMBER)) }
            line class="grid" stroke=(LINE) x1=(at(left)) x2=(at(left)) y1=(at(HEAD - ABOVE)) y2=(at(foot)) {}
            line class="axis" stroke=(AXIS) stroke-dasharray="4 3" x1=(at(all)) x2=(at(all)) y1=(at(HEAD - ABOVE)) y2=(at(foot + BELOW)) {}
            text class="soft" fill=(SOFT) text-anchor="middle" x=(at(all.clamp(left + half, (right + NUMBER - half).max(left + half)))) y=(at(foot + ALL_BASELINE)) { (words) }
            @for (i, share) in self.shares.iter().enumerate() { (interval(text, share, x, HEAD + ROW * (i as f64 + 0.5))) }
        }
    }

    fn words(&self, text: &Text) -> String {
        let shares = self
            .shares
            .iter()
            .take(SPOKEN)
            .map(|share| if share.of < LEAST { words!(text, "outside.too_few") } else { text.whole(share.here()) });
        let shares = shares.collect::<Vec<_>>().join(&words!(text, "list.between"));
        format!("{} {shares} ({})", text::cut(&self.name, text::SAID_SHORT), text.whole(self.all))
    }
}

/// A share on its line, with its interval and its number.
fn interval(text: &Text, share: &Share, x: &Scale, y: f64) -> Markup {
    let end = x.ends().1;
    if share.of < LEAST {
        return html! { text class="soft" fill=(SOFT) x=(at(x.ends().0 + INDENT)) y=(at(y + SMALL_BASELINE)) { (words!(text, "outside.too_few")) } };
    }
    let (low, high) = share.interval();
    let (here, differs) = (x.at(share.here()), share.differs());
    let colour = hex(match share.here() < share.all {
        true => colour::against_to_for(-1.0),
        false => colour::against_to_for(1.0),
    });
    html! {
        @if differs {
            line stroke=(colour) stroke-width="3" x1=(at(x.at(low))) x2=(at(x.at(high))) y1=(at(y)) y2=(at(y)) {}
            circle class="edge" cx=(at(here)) cy=(at(y)) r=(at(DOT)) fill=(colour) {}
        } @else {
            line class="axis" stroke=(AXIS) stroke-width="2" x1=(at(x.at(low))) x2=(at(x.at(high))) y1=(at(y)) y2=(at(y)) {}
            circle class="axis hollow" stroke=(AXIS) stroke-width="2" cx=(at(here)) cy=(at(y)) r=(at(HOLLOW)) fill="#ffffff" {}
        }
        @let number = text.whole(share.here());
        text class=[(!differs).then_some("soft")] fill=[(!differs).then_some(SOFT)] font-size=(SMALL) font-weight=[differs.then_some("600")] text-anchor="end" x=(at(end + NUMBER)) y=(at(y + SMALL_BASELINE)) { (number) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ordered_and_the_rare_ones_are_one() {
        let levels: Vec<String> = (0..20).map(|level| format!("l{level}")).collect();
        let table = CrossTab::new("v", levels).line("a", 0..20).line("b", [5; 20]).rest([1; 20]);
        let columns = table.columns(Text::english());
        assert_eq!(columns.len(), 9);
        assert_eq!((columns[0].name.as_str(), columns[8].name.as_str()), ("l19", "12 other levels"));
        assert!((columns.iter().map(|column| column.all).sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((columns.iter().map(|column| column.shares[0].here()).sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
