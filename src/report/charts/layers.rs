//! Layers over sizes: how the clusters of a tree change while the smallest size that counts as one grows.

use super::axes::{BELOW, BESIDE, Field};
use super::colour::{self, hex};
use super::scale::{Scale, log_ticks};
use super::svg::{AXIS, LINE, SMALL, Svg, at, nothing};
use super::text;
use crate::cluster::Layer;
use crate::report::text::{Text, Value, words};
use maud::{Markup, html};

/// Width of the fields, heights of that of the clusters and of that of the persistence, the gap between them, and the head.
const WIDE: f64 = 620.0;
const CLUSTERS: f64 = 210.0;
const PERSISTENCE: f64 = 110.0;
const GAP: f64 = 26.0;
const HEAD: f64 = 28.0;
/// Right of the fields; around a peak's number, which may reach so far beyond them; its baseline above them.
const RIGHT: f64 = 18.0;
const AROUND: f64 = 3.0;
const BEYOND: f64 = 16.0;
const NUMBER_BASELINE: f64 = 9.0;
/// Widths of the steps and of a peak's mark, and the least of its band; the shortest scale of clusters, in powers of ten.
const STEPS: f64 = 2.2;
const MARK: f64 = 5.0;
const LEAST_BAND: f64 = 1.5;
const LEAST_SCALE: f64 = 0.3;
/// Peaks that are named.
const NAMED: usize = 5;

/// Layers over sizes: above, how many clusters (leaves of the condensed tree) there are for every `min_cluster_size`; below,
/// how persistent they are together. Where that peaks the data suggest a layer of clusters.
///
/// ```
/// # use ndarray::Array2;
/// # use recluster::{Run, cluster::Hdbscan};
/// use recluster::report::charts::LayersChart;
/// # let rows = Array2::from_shape_fn((60, 2), |(i, j)| (i / 20 * 30) as f32 + ((i * 7 + j * 3) % 11) as f32 * 0.1);
/// let model = Hdbscan::new().min_cluster_size(5).fit(&rows, &Run::new())?;
/// let svg = LayersChart::new(model.layers()).draw();
/// assert!(svg.to_string().starts_with("<svg"));
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayersChart(Vec<Layer>);

impl LayersChart {
    /// The ranges of sizes of [`HdbscanModel::layers`](crate::cluster::HdbscanModel::layers), in any order.
    pub fn new(layers: impl IntoIterator<Item = Layer>) -> Self {
        let mut layers: Vec<Layer> = layers.into_iter().filter(|layer| layer.persistence.is_finite()).collect();
        layers.sort_by_key(|layer| layer.min_cluster_size);
        LayersChart(layers)
    }

    /// The chart in English. O(layers log layers).
    pub fn draw(&self) -> Svg {
        self.draw_in(Text::english())
    }

    /// The chart with the words of a catalogue.
    pub fn draw_in(&self, text: &Text) -> Svg {
        let (Some(first), Some(last)) = (self.0.first(), self.0.last()) else {
            return nothing(text, "layers", &words!(text, "chart.layers"));
        };
        let sizes = (first.min_cluster_size.max(1) as f64, (last.up_to.max(first.min_cluster_size) + 1) as f64);
        let above = Field { left: BESIDE, top: HEAD, right: BESIDE + WIDE, bottom: HEAD + CLUSTERS };
        let below = Field { top: above.bottom + GAP, bottom: above.bottom + GAP + PERSISTENCE, ..above };
        let logs = Scale::new(libm::log10(sizes.0), libm::log10(sizes.1), above.left, above.right);
        let x = |size: f64| logs.at(libm::log10(size.max(1.0)));
        let most = self.0.iter().map(|layer| layer.clusters).max().unwrap_or(1).max(1) as f64;
        let long = self.0.iter().map(|layer| layer.persistence).fold(1e-300, f64::max);
        // Many clusters of few rows would flatten those of most rows: their number has a logarithmic scale too.
        let counts = Scale::new(0.0, libm::log10(most).max(LEAST_SCALE), above.bottom, above.top);
        let clusters = |number: f64| counts.at(libm::log10(number.max(1.0)));
        let persistence = Scale::new(0.0, long, below.bottom, below.top);
        let across: Vec<(f64, String)> =
            log_ticks(sizes.0, sizes.1).into_iter().map(|size| (x(size), number(text, size))).collect();
        let up: Vec<(f64, String)> = log_ticks(1.0, most)
            .into_iter()
            .filter(|n| n.fract() == 0.0)
            .map(|n| (clusters(n), number(text, n)))
            .collect();
        let blank: Vec<(f64, String)> = across.iter().map(|(x, _)| (*x, String::new())).collect();
        let marks = html! {
            (above.across(&blank, "")) (above.up(&up, &words!(text, "chart.clusters")))
            (below.across(&across, &words!(text, "chart.min_cluster_size")))
            (below.up(&[(persistence.at(long), text.value(long))], &words!(text, "chart.persistence")))
            (self.peaks(text, &x, &clusters, &below))
            path class="first" fill="none" stroke=(hex(colour::cluster(0))) stroke-width=(STEPS) d=(steps(&self.0, &x, |layer| clusters(layer.clusters as f64))) {}
            path fill="none" stroke=(hex(colour::cluster(1))) stroke-width=(STEPS) d=(steps(&self.0, &x, |layer| persistence.at(layer.persistence))) {}
        };
        let said = self.best().into_iter().map(|layer| {
            let (from, to) = (Value::Digits(layer.min_cluster_size), Value::Digits(layer.up_to));
            words!(text, "chart.layer", clusters = words!(text, "clusters", n = layer.clusters), from = from, to = to)
        });
        let list = text.listed(&said.collect::<Vec<_>>());
        let label = words!(text, "chart.label", what = words!(text, "chart.layers"), list = list);
        Svg::new("layers", (above.right + RIGHT, below.bottom + BELOW), label, marks)
    }

    /// The peaks of the highest persistence, highest first.
    fn best(&self) -> Vec<&Layer> {
        let mut peaks: Vec<&Layer> = self.0.iter().filter(|layer| layer.peak).collect();
        peaks.sort_by(|a, b| b.persistence.total_cmp(&a.persistence).then(a.min_cluster_size.cmp(&b.min_cluster_size)));
        peaks.truncate(NAMED);
        peaks
    }

    /// The peaks as bands through both fields, with their number of clusters where there is room.
    fn peaks(&self, text: &Text, x: &impl Fn(f64) -> f64, clusters: &impl Fn(f64) -> f64, below: &Field) -> Markup {
        let mut taken: Vec<(f64, f64)> = Vec::new();
        let mut placed = Vec::new();
        for layer in self.best() {
            let (left, right) = (x(layer.min_cluster_size as f64), x(layer.up_to as f64 + 1.0));
            let words = text.count(layer.clusters);
            let half = text::width(&words, SMALL) / 2.0 + AROUND;
            let least = below.left + half;
            let middle = ((left + right) / 2.0).clamp(least, (below.right + BEYOND - half).max(least));
            let free = taken.iter().all(|&(a, b)| middle + half <= a || middle - half >= b);
            if free {
                taken.push((middle - half, middle + half));
            }
            placed.push((left, right, middle, words, free, clusters(layer.clusters as f64)));
        }
        html! {
            @for (left, right, middle, words, free, y) in placed {
                rect class="band" fill=(LINE) fill-opacity="0.7" x=(at(left)) y=(at(HEAD)) width=(at((right - left).max(LEAST_BAND))) height=(at(below.bottom - HEAD)) {}
                line class="axis" stroke=(AXIS) stroke-width=(MARK) stroke-linecap="round" x1=(at(left)) x2=(at(right)) y1=(at(y)) y2=(at(y)) {}
                @if free { text font-size=(SMALL) font-weight="600" text-anchor="middle" x=(at(middle)) y=(at(HEAD - NUMBER_BASELINE)) { (words) } }
            }
        }
    }
}

fn number(text: &Text, number: f64) -> String {
    if number >= 1.0 { text.count(number.round() as usize) } else { text.value(number) }
}

/// Steps from range to range.
fn steps(layers: &[Layer], x: &impl Fn(f64) -> f64, y: impl Fn(&Layer) -> f64) -> String {
    let mut path = String::new();
    for (i, layer) in layers.iter().enumerate() {
        let start = if i == 0 { 'M' } else { 'L' };
        let (left, right, y) = (x(layer.min_cluster_size as f64), x(layer.up_to as f64 + 1.0), y(layer));
        path.push_str(&format!("{start}{} {}H{}", at(left), at(y), at(right)));
    }
    path
}
