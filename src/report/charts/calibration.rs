//! Calibration: whether rows that a model is so sure of are in the cluster as often as it says.

use super::axes::{BELOW, BESIDE, Field};
use super::colour::{self, hex};
use super::scale::Scale;
use super::svg::{AXIS, LINE, PAPER, SMALL, SMALL_BASELINE, SOFT, Svg, at, nothing};
use super::text;
use crate::explain::{ClusterFidelity, CurveBin};
use crate::report::interval::Share;
use crate::report::text::{Text, say, words};
use maud::{Markup, html};

/// The field's side; the room below it for the histogram of rows, and the gap between them.
const SIDE: f64 = 380.0;
const ROWS: f64 = 76.0;
const GAP: f64 = 12.0;
/// Room above the field with the name, its baseline and size of letters; room right of the field.
const HEAD: f64 = 26.0;
const NAME_BASELINE: f64 = 14.0;
const NAME: f64 = 14.0;
const RIGHT: f64 = 18.0;
/// Where the words in the field's corners stand: from its sides, from its top and from its bottom.
const CORNER: f64 = 8.0;
const CORNER_TOP: f64 = 18.0;
const CORNER_BOTTOM: f64 = 10.0;
/// The histogram: width of a bar, room above for numbers, between a bar and its number, least between two numbers, and from the
/// field to its name.
const BAR: f64 = 14.0;
const NUMBERS: f64 = 18.0;
const ABOVE_BAR: f64 = 4.0;
const APART: f64 = 4.0;
const NAME_BESIDE: f64 = 14.0;
/// Radius of a dot; ticks of both axes.
const DOT: f64 = 5.0;
const TICKS: [f64; 6] = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];

/// A reliability curve: of rows whose probability of a cluster lies in the same bin, the share that are in it, with its 95 %
/// interval (Wilson 1927), against the mean probability; on the diagonal a model says what is so. Below, how many rows each
/// bin has, on a logarithmic scale, for most rows are clear cases.
///
/// ```
/// use recluster::report::charts::CalibrationChart;
/// let svg = CalibrationChart::new("0.1", [(0.05, 0.04, 900), (0.5, 0.47, 40), (0.96, 0.98, 300)]).draw();
/// assert!(svg.to_string().contains("0.1"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CalibrationChart {
    name: String,
    /// Predicted, observed, rows.
    bins: Vec<(f64, f64, usize)>,
}

impl CalibrationChart {
    /// A cluster, and for each bin (mean probability, share of its rows that are in the cluster, rows). A bin that is not of
    /// probabilities or has no rows is left out.
    pub fn new(name: impl Into<String>, bins: impl IntoIterator<Item = (f64, f64, usize)>) -> Self {
        let fits = |&(predicted, observed, rows): &(f64, f64, usize)| {
            (0.0..=1.0).contains(&predicted) && (0.0..=1.0).contains(&observed) && rows > 0
        };
        let mut bins: Vec<_> = bins.into_iter().filter(fits).collect();
        bins.sort_by(|a, b| a.0.total_cmp(&b.0));
        CalibrationChart { name: name.into(), bins }
    }

    /// The curve that was measured on rows that the model has not seen.
    pub fn of(found: &ClusterFidelity) -> Self {
        CalibrationChart::new(
            &found.name,
            found.curve.iter().map(|&CurveBin { predicted, observed, rows, .. }| (predicted, observed, rows)),
        )
    }

    /// The chart in English. O(bins).
    pub fn draw(&self) -> Svg {
        self.draw_in(Text::english())
    }

    /// The chart with the words of a catalogue.
    pub fn draw_in(&self, text: &Text) -> Svg {
        if self.bins.is_empty() {
            return {
                let what = words!(text, "chart.calibration", name = "");
                nothing(text, "calibration", what.trim_end())
            };
        }
        let field = Field { left: BESIDE, top: HEAD, right: BESIDE + SIDE, bottom: HEAD + SIDE };
        let below = Field { top: field.bottom + GAP, bottom: field.bottom + GAP + ROWS, ..field };
        let (x, y) = (Scale::new(0.0, 1.0, field.left, field.right), Scale::new(0.0, 1.0, field.bottom, field.top));
        let ticks = |scale: &Scale| TICKS.map(|tick| (scale.at(tick), text.whole(tick))).to_vec();
        let colour = hex(colour::cluster(0));
        let line: Vec<String> =
            self.bins.iter().map(|bin| format!("{} {}", at(x.at(bin.0)), at(y.at(bin.1)))).collect();
        let marks = html! {
            (field.up(&ticks(&y), &words!(text, "chart.observed")))
            (below.across(&ticks(&x), &words!(text, "chart.predicted")))
            g class="grid" stroke=(LINE) { @for (x, _) in ticks(&x) { line x1=(at(x)) x2=(at(x)) y1=(at(field.top)) y2=(at(field.bottom)) {} } }
            line class="axis" stroke=(AXIS) stroke-dasharray="5 4" x1=(at(field.left)) y1=(at(field.bottom)) x2=(at(field.right)) y2=(at(field.top)) {}
            path class="first" fill="none" stroke=(colour) stroke-width="2" stroke-opacity="0.7" d=(format!("M{}", line.join("L"))) {}
            @for &bin in &self.bins { (point(text, bin, &x, &y)) }
            (self.rows(text, &x, &below))
            // Last, on a seam of paper, for intervals may cross them.
            g class="halo" stroke=(PAPER) stroke-width="5" stroke-linejoin="round" paint-order="stroke" {
                text class="soft" fill=(SOFT) x=(at(field.left + CORNER)) y=(at(field.top + CORNER_TOP)) { (say!(text, "chart.too_careful")) }
                text class="soft" fill=(SOFT) text-anchor="end" x=(at(field.right - CORNER)) y=(at(field.bottom - CORNER_BOTTOM)) { (say!(text, "chart.too_sure")) }
            }
            text font-weight="600" x=(at(field.left)) y=(at(NAME_BASELINE)) { (text::fit(&self.name, NAME, SIDE)) }
        };
        let said = self.bins.iter().map(|bin| {
            let (predicted, observed) = (text.whole(bin.0), text.whole(bin.1));
            words!(text, "chart.predicted_observed", predicted = predicted, observed = observed)
        });
        let list = said.collect::<Vec<_>>().join(&words!(text, "list.between"));
        let what = words!(text, "chart.calibration", name = text::cut(&self.name, text::SAID));
        let label = words!(text, "chart.label", what = what, list = list);
        Svg::new("calibration", (field.right + RIGHT, below.bottom + BELOW), label, marks)
    }

    /// A bar for each bin, as tall as the logarithm of its rows, with the number on it where there is room.
    fn rows(&self, text: &Text, x: &Scale, below: &Field) -> Markup {
        let size = |rows: usize| libm::log10(rows as f64 + 1.0);
        let most = self.bins.iter().map(|bin| size(bin.2)).fold(1e-9, f64::max);
        let mut end = f64::MIN;
        let bars: Vec<_> = self
            .bins
            .iter()
            .map(|bin| {
                let (middle, tall) = (x.at(bin.0), (ROWS - NUMBERS) * size(bin.2) / most);
                let words = text.count(bin.2);
                let half = text::width(&words, SMALL) / 2.0;
                let shown = middle - half >= end;
                if shown {
                    end = middle + half + APART;
                }
                (middle, tall, words, shown)
            })
            .collect();
        html! {
            @for (middle, tall, words, shown) in bars {
                rect class="quiet" fill=(SOFT) fill-opacity="0.55" x=(at(middle - BAR / 2.0)) y=(at(below.bottom - tall)) width=(at(BAR)) height=(at(tall)) {}
                @if shown { text class="soft" fill=(SOFT) text-anchor="middle" x=(at(middle)) y=(at(below.bottom - tall - ABOVE_BAR)) { (words) } }
            }
            text class="soft" fill=(SOFT) text-anchor="end" x=(at(below.left - NAME_BESIDE)) y=(at((below.top + below.bottom) / 2.0 + SMALL_BASELINE)) { (say!(text, "chart.rows")) }
        }
    }
}

/// A bin's share with its interval.
fn point(text: &Text, (predicted, observed, rows): (f64, f64, usize), x: &Scale, y: &Scale) -> Markup {
    let of = u32::try_from(rows).unwrap_or(u32::MAX);
    let (low, high) = Share { count: (observed * f64::from(of)).round() as u32, of, all: predicted }.interval();
    let tip = words!(text, "chart.point", predicted = text.whole(predicted), observed = text.whole(observed), n = rows);
    let (place, fill) = (at(x.at(predicted)), hex(colour::cluster(0)));
    html! {
        line class="axis" stroke=(AXIS) stroke-width="1.6" x1=(place) x2=(place) y1=(at(y.at(low))) y2=(at(y.at(high))) {}
        circle class="edge" cx=(place) cy=(at(y.at(observed))) r=(at(DOT)) fill=(fill) { title { (tip) } }
    }
}
