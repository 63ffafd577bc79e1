//! Stability over runs: how well each cluster was found again.

use super::axes::{BELOW, Field};
use super::colour::{self, hex};
use super::scale::Scale;
use super::svg::{BASELINE, INK, LINE, SIZE, SMALL, SMALL_BASELINE, SOFT, Svg, at, nothing};
use super::text;
use crate::recursive::{ClusterTree, Stability, StabilityGrade};
use crate::report::sure;
use crate::report::text::{Text, Value, words};
use maud::{Markup, html};

/// Height of a cluster's line and of the head; width of the field and of the notes; least and most room for names.
const ROW: f64 = 30.0;
const HEAD: f64 = 30.0;
const FIELD: f64 = 460.0;
const NOTES: f64 = 190.0;
const NAMES: (f64, f64) = (80.0, 260.0);
/// Between names, field and notes; from the field up to the words of the ranges.
const GAP: f64 = 16.0;
const NOTE_GAP: f64 = 14.0;
const RANGE_BASELINE: f64 = 9.0;
/// Height of a run's tick, radius of the dot of the mean; values of the axis.
const TICK: f64 = 14.0;
const DOT: f64 = 6.5;
const TICKS: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
/// Clusters that are put into words.
const SPOKEN: usize = 12;
/// Where Hennig's ranges begin.
const GRADES: [f64; 4] = [0.5, 0.6, 0.75, 0.85];

/// How well one cluster was found again.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct StabilityLine {
    name: String,
    number: i32,
    mean: f64,
    runs: Vec<f64>,
    grade: Option<StabilityGrade>,
    /// Runs that found it again, and all of them.
    found: (usize, usize),
}

impl StabilityLine {
    /// A cluster, and for each run its Jaccard index, 0 to 1, with the cluster of the run that is most like it.
    pub fn new(name: impl Into<String>, runs: impl IntoIterator<Item = f64>) -> Self {
        let runs: Vec<f64> = runs.into_iter().filter(|run| run.is_finite()).collect();
        let mean = runs.iter().sum::<f64>() / runs.len() as f64;
        let found = runs.iter().filter(|&&run| run > 0.5).count();
        StabilityLine { name: name.into(), number: 0, mean, grade: None, found: (found, runs.len()), runs }
    }

    /// A cluster of whose runs the mean alone was kept.
    pub fn of(name: impl Into<String>, stability: &Stability) -> Self {
        let found = (stability.found, stability.runs);
        let grade = Some(stability.grade());
        StabilityLine { name: name.into(), number: 0, mean: stability.jaccard, runs: Vec::new(), grade, found }
    }

    /// The cluster's number, which its colour goes by; by default 0.
    pub fn number(mut self, number: usize) -> Self {
        self.number = number.min(i32::MAX as usize) as i32;
        self
    }
}

/// How well clusters are found again when the search is repeated: a line for each cluster, a tick for each run, the mean as a
/// dot, on the ranges of C. Hennig (Computational Statistics & Data Analysis 52, 2007): from 0.75 a cluster is stable, from
/// 0.85 highly stable, up to 0.5 it is gone.
///
/// ```
/// use recluster::report::charts::{StabilityChart, StabilityLine};
/// let lines = [StabilityLine::new("0.0", [0.94, 0.91, 0.97]), StabilityLine::new("0.1", [0.41, 0.83, 0.57])];
/// let svg = StabilityChart::new(lines).draw();
/// assert!(svg.to_string().contains("2 of 3 runs"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StabilityChart(Vec<StabilityLine>);

impl StabilityChart {
    /// A line for each cluster.
    pub fn new(lines: impl IntoIterator<Item = StabilityLine>) -> Self {
        StabilityChart(lines.into_iter().collect())
    }

    /// The nodes of a tree that were looked for again.
    pub fn of(tree: &ClusterTree) -> Self {
        let line = |node: &crate::recursive::Node| {
            let name = match node.name() {
                "" => node.path().to_string(),
                name => format!("{} {}", node.path(), text::cut(name, text::SAID_SHORT)),
            };
            Some(StabilityLine::of(name, node.stability()?).number(super::number(node) as usize))
        };
        StabilityChart(tree.nodes().iter().filter_map(line).collect())
    }

    /// The chart in English. O(lines x runs).
    pub fn draw(&self) -> Svg {
        self.draw_in(Text::english())
    }

    /// The chart with the words of a catalogue.
    pub fn draw_in(&self, text: &Text) -> Svg {
        let lines: Vec<&StabilityLine> = self.0.iter().filter(|line| line.mean.is_finite()).collect();
        if lines.is_empty() {
            return nothing(text, "stability", &words!(text, "chart.stability"));
        }
        let names = text::column(lines.iter().map(|line| line.name.as_str()), SIZE, NAMES.0, NAMES.1);
        let left = names + GAP;
        let field = Field { left, top: HEAD, right: left + FIELD, bottom: HEAD + ROW * lines.len() as f64 };
        let x = Scale::new(0.0, 1.0, field.left, field.right);
        let ticks: Vec<(f64, String)> = TICKS.map(|tick| (x.at(tick), text.point(&tick.to_string()))).into();
        let marks = html! {
            (ranges(text, &x, &field))
            (field.across(&ticks, &words!(text, "chart.jaccard")))
            @for (i, line) in lines.iter().enumerate() {
                @let middle = HEAD + ROW * (i as f64 + 0.5);
                text x=(at(names)) y=(at(middle + BASELINE)) text-anchor="end" { title { (text::cut(&line.name, text::TIP)) } (text::fit(&line.name, SIZE, names)) }
                (line.draw(text, &x, middle))
                text class="soft" fill=(SOFT) x=(at(field.right + NOTE_GAP)) y=(at(middle + SMALL_BASELINE)) { (text::fit(&line.note(text), SMALL, NOTES)) }
            }
        };
        let said = lines
            .iter()
            .take(SPOKEN)
            .map(|line| format!("{} {}", text::cut(&line.name, text::SAID_SHORT), text.decimals(line.mean, 2)));
        let list = said.collect::<Vec<_>>().join(&words!(text, "list.between"));
        let label = words!(text, "chart.label", what = words!(text, "chart.stability"), list = list);
        Svg::new("stability", (field.right + NOTE_GAP + NOTES, field.bottom + BELOW), label, marks)
    }
}

/// The ranges and their words, darker where clusters are found again.
fn ranges(text: &Text, x: &Scale, field: &Field) -> Markup {
    use StabilityGrade::{Dissolved, Doubtful, HighlyStable, Pattern, Stable};
    let grades = [Dissolved, Doubtful, Pattern, Stable, HighlyStable].map(|grade| sure::grade(text, grade));
    let ends: Vec<f64> = [0.0].into_iter().chain(GRADES).chain([1.0]).collect();
    html! {
        @for (i, (ends, word)) in ends.windows(2).zip(grades).enumerate() {
            @let (left, right) = (x.at(ends[0]), x.at(ends[1]));
            @if i >= 3 {
                rect class="band" fill=(LINE) fill-opacity=(if i == 3 { "0.45" } else { "0.9" }) x=(at(left)) y=(at(field.top)) width=(at(right - left)) height=(at(field.bottom - field.top)) {}
            }
            text class="soft" fill=(SOFT) text-anchor="middle" x=(at((left + right) / 2.0)) y=(at(field.top - RANGE_BASELINE)) { (word) }
        }
    }
}

impl StabilityLine {
    fn note(&self, text: &Text) -> String {
        let (found, runs) = self.found;
        let found = words!(text, "chart.found", found = Value::Digits(found), n = Value::Digits(runs));
        match self.grade {
            Some(grade) => format!("{}{}{found}", sure::grade(text, grade), words!(text, "list.between")),
            None => found,
        }
    }

    fn draw(&self, text: &Text, x: &Scale, y: f64) -> Markup {
        let ticks: String =
            self.runs.iter().map(|&run| format!("M{} {}v{}", at(x.at(run)), at(y - TICK / 2.0), at(TICK))).collect();
        html! {
            @if !ticks.is_empty() { path class="stroke" stroke=(INK) stroke-opacity="0.55" stroke-width="1.6" fill="none" d=(ticks) {} }
            circle class="edge" cx=(at(x.at(self.mean))) cy=(at(y)) r=(at(DOT)) fill=(hex(colour::cluster(self.number))) { title { (text.decimals(self.mean, 3)) } }
        }
    }
}
