//! The condensed tree of HDBSCAN: which clusters there are at which density, and where they split.

use super::colour::{self, hex};
use super::scale::log_ticks;
use super::svg::{AXIS, LINE, SMALL_BASELINE, SOFT, Svg, at};
use super::text;
use crate::cluster::{CondensedTree, HdbscanModel, Shown};
use crate::report::text::{Text, Value, say, words};
use maud::{Markup, html};
use std::fmt::Write;

/// Width and height of the chart; left, top, right and bottom of its field.
const WIDE: f64 = 1000.0;
const TALL: f64 = 600.0;
const MARGIN: [f64; 4] = [74.0, 30.0, 12.0, 24.0];
/// Baseline of the head; from the field to the values of the distance, and the baseline of its name from the left end.
const HEAD_BASELINE: f64 = 14.0;
const VALUE_GAP: f64 = 8.0;
const NAME_BESIDE: f64 = 14.0;
/// A label's size; inside a branch with so much more room and so tall, at this baseline; else below it, within the chart.
const LETTERS: f64 = 12.0;
const AROUND: f64 = 8.0;
const ROOM: f64 = 22.0;
const INSIDE: f64 = 17.0;
const BELOW: f64 = 14.0;
const LOWEST: f64 = 6.0;
/// Least width and height of a branch; the least part of the chart that stands above the first split.
const THINNEST: f64 = 1.2;
const SHORTEST: f64 = 1.5;
const ABOVE_SPLIT: f64 = 0.06;
/// The space between two branches.
const GAP: f64 = 8.0;
/// Clusters that are drawn.
const MOST: usize = 500;
/// Branches outside of selected clusters.
const BRANCH: &str = "#c0c7d0";

/// The condensed tree of a fitted HDBSCAN: the distance shrinks downwards, a branch is as wide as the rows that are still in
/// it, and selected clusters are coloured and carry their label.
///
/// The distances have a logarithmic scale, which leaves out where only a few rows are lost before the first split. Of trees
/// with more than 500 clusters the 500 largest are drawn.
///
/// ```
/// # use ndarray::Array2;
/// # use recluster::{Run, cluster::Hdbscan};
/// use recluster::report::charts::CondensedTreeChart;
/// let rows = Array2::from_shape_fn((60, 2), |(i, j)| (i / 20 * 30) as f32 + ((i * 7 + j * 3) % 11) as f32 * 0.1);
/// let model = Hdbscan::new().min_cluster_size(5).fit(&rows, &Run::new())?;
/// assert!(CondensedTreeChart::of(&model).draw().to_string().starts_with("<svg"));
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CondensedTreeChart<'a>(&'a HdbscanModel);

impl<'a> CondensedTreeChart<'a> {
    /// The tree of a fitted model.
    pub fn of(model: &'a HdbscanModel) -> Self {
        CondensedTreeChart(model)
    }

    /// The chart in English. O(rows log rows).
    pub fn draw(&self) -> Svg {
        self.draw_in(Text::english())
    }

    /// The chart with the words of a catalogue.
    pub fn draw_in(&self, text: &Text) -> Svg {
        let model = self.0;
        let tree = model.condensed_tree();
        let scale = Scale::new(tree);
        let mut label = vec![None; tree.clusters().len()];
        model.selected().iter().enumerate().for_each(|(number, &c)| label[c as usize] = Some(number));
        let branches = layout(&Shown::of(tree, MOST), tree, &scale);
        let owner = owners(tree, &label);
        let rows = words!(text, "rows", n = model.labels().len());
        let selected = words!(text, "chart.selected", n = model.selected().len());
        let said = words!(text, "chart.branches", rows = rows, selected = selected);
        let middle = (MARGIN[1] + TALL - MARGIN[3]) / 2.0;
        let marks = html! {
            text class="soft" x=(MARGIN[0]) y=(at(HEAD_BASELINE)) fill=(SOFT) { (said) }
            @for (distance, y) in scale.ticks() {
                line class="grid" x1=(MARGIN[0]) x2=(WIDE - MARGIN[2]) y1=(at(y)) y2=(at(y)) stroke=(LINE) {}
                text class="soft" x=(MARGIN[0] - VALUE_GAP) y=(at(y + SMALL_BASELINE)) text-anchor="end" fill=(SOFT) { (text.value(distance)) }
            }
            text class="soft" transform=(format!("translate({} {}) rotate(-90)", at(NAME_BESIDE), at(middle))) text-anchor="middle" fill=(SOFT) { (say!(text, "chart.distance")) }
            @for branch in &branches {
                (branch.draw(owner[branch.cluster], label[branch.cluster].is_some(), &self.tip(text, branch.cluster, label[branch.cluster])))
            }
            // Names last, so that no branch covers them.
            @for branch in &branches {
                @if let Some(label) = label[branch.cluster] { (branch.name(label)) }
            }
        };
        let label = words!(text, "chart.label", what = words!(text, "chart.condensed"), list = said);
        Svg::new("condensed", (WIDE, TALL), label, marks)
    }

    fn tip(&self, text: &Text, c: usize, label: Option<usize>) -> String {
        let cluster = &self.0.condensed_tree().clusters()[c];
        let own = label.map_or(String::new(), |label| words!(text, "chart.cluster", number = Value::Digits(label)));
        let stability = text.value(cluster.stability);
        words!(text, "chart.branch", cluster = own, n = cluster.size as usize, stability = stability)
    }
}

impl HdbscanModel {
    /// The condensed tree as a picture (SVG): [`CondensedTreeChart`] with a heading. Needs the feature `report`.
    pub fn tree_svg(&self) -> String {
        CondensedTreeChart::of(self).draw().title(words!(Text::english(), "chart.condensed")).to_string()
    }
}

/// The number of the selected cluster that each cluster is, or is in.
fn owners(tree: &CondensedTree, label: &[Option<usize>]) -> Vec<Option<usize>> {
    let mut owner: Vec<Option<usize>> = Vec::with_capacity(label.len());
    for (c, cluster) in tree.clusters().iter().enumerate() {
        let above = cluster.parent.and_then(|parent| owner[parent as usize]);
        owner.push(above.or(label[c]));
    }
    owner
}

/// A cluster as it is drawn: half its width from some height on down.
struct Branch {
    cluster: usize,
    centre: f64,
    /// (y, width)
    steps: Vec<(f64, f64)>,
    /// Where it splits: y and the outer ends of its children.
    bar: Option<(f64, f64, f64)>,
}

impl Branch {
    fn outline(&self) -> String {
        let mut path = String::new();
        let mut put = |x: f64, y: f64| {
            let _ = write!(path, "{}{x:.1} {y:.1}", if path.is_empty() { "M" } else { "L" });
        };
        let halves = |width: f64| width.max(THINNEST) / 2.0;
        let ends = self.steps.windows(2);
        for step in ends.clone() {
            put(self.centre - halves(step[0].1), step[0].0);
            put(self.centre - halves(step[0].1), step[1].0);
        }
        for step in ends.rev() {
            put(self.centre + halves(step[0].1), step[1].0);
            put(self.centre + halves(step[0].1), step[0].0);
        }
        path.push('Z');
        path
    }

    /// Its shape, and the line from which its children hang. What is inside a selected cluster has its colour, lighter.
    fn draw(&self, owner: Option<usize>, selected: bool, tip: &str) -> Markup {
        let fill = owner.map_or(BRANCH.to_string(), |number| hex(colour::cluster(number as i32)));
        let light = owner.is_some() && !selected;
        html! {
            @if let Some((y, left, right)) = self.bar {
                line class="axis" x1=(at(left)) x2=(at(right)) y1=(at(y)) y2=(at(y)) stroke=(AXIS) stroke-width="0.8" {}
            }
            path class="edge" stroke-width="0.7" d=(self.outline()) fill=(fill) fill-opacity=[light.then_some("0.55")] { title { (tip) } }
        }
    }

    /// Its label: inside where there is room, else below.
    fn name(&self, label: usize) -> Markup {
        let (top, wide) = self.steps[0];
        let bottom = self.steps.last().map_or(top, |step| step.0);
        let name = label.to_string();
        let inside = wide > text::width(&name, LETTERS) + AROUND && bottom - top > ROOM;
        let y = if inside { top + INSIDE } else { (bottom + BELOW).min(TALL - LOWEST) };
        let fill = inside.then(|| colour::text_on(colour::cluster(label as i32)));
        html! {
            g class=[inside.then_some("on")] fill=[fill] {
                text x=(at(self.centre)) y=(at(y)) text-anchor="middle" font-weight="600" { (name) }
            }
        }
    }
}

/// Where each branch stands: children beside each other below their parent, in the middle of it.
fn layout(shown: &Shown, tree: &CondensedTree, scale: &Scale) -> Vec<Branch> {
    let clusters = tree.clusters();
    let room = WIDE - MARGIN[0] - MARGIN[2];
    let splits: f64 = (shown.count.max(1) - 1) as f64;
    let gap = if splits * GAP > room / 4.0 { room / 4.0 / splits } else { GAP };
    let of_row = (room - splits * gap) / f64::from(clusters[0].size.max(1));
    // What each branch needs with all that hangs below it.
    let mut extent = vec![0.0f64; clusters.len()];
    for &c in shown.order.iter().rev() {
        let below: f64 = shown.children(c).map(|child| extent[child] + gap).sum::<f64>() - gap;
        extent[c] = below.max(f64::from(clusters[c].size) * of_row);
    }
    let mut centre = vec![MARGIN[0] + room / 2.0; clusters.len()];
    for &c in &shown.order {
        let below: f64 = shown.children(c).map(|child| extent[child] + gap).sum::<f64>() - gap;
        let mut left = centre[c] - below / 2.0;
        for child in shown.children(c) {
            centre[child] = left + extent[child] / 2.0;
            left += extent[child] + gap;
        }
    }
    // Rows that leave each shown cluster, by height; those of hidden clusters leave where these begin.
    let mut leaves: Vec<Vec<(f64, u32)>> = vec![Vec::new(); clusters.len()];
    let mut home: Vec<(usize, f64)> = (0..clusters.len()).map(|c| (c, f64::INFINITY)).collect();
    let mut is_shown = vec![false; clusters.len()];
    shown.order.iter().for_each(|&c| is_shown[c] = true);
    for c in 1..clusters.len() {
        let parent = clusters[c].parent.map_or(0, |parent| parent as usize);
        if !is_shown[c] {
            let (above, fallen) = home[parent];
            home[c] = (above, fallen.min(clusters[c].birth));
        }
    }
    for (&c, &lambda) in tree.row_cluster().iter().zip(tree.row_lambda()) {
        let (c, fallen) = home[c as usize];
        leaves[c].push((scale.y(lambda.min(fallen)), 1));
    }
    let mut branches = Vec::with_capacity(shown.count);
    for &c in &shown.order {
        let mut out = std::mem::take(&mut leaves[c]);
        let split = shown.children(c).next().map(|child| scale.y(clusters[child].birth));
        out.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut left = clusters[c].size;
        let mut steps = vec![(scale.y(clusters[c].birth), f64::from(left) * of_row)];
        // A step a pixel at most.
        for group in out.chunk_by(|a, b| a.0.round() == b.0.round()) {
            let y = group[group.len() - 1].0.max(steps[steps.len() - 1].0);
            left -= group.iter().map(|leaving| leaving.1).sum::<u32>();
            steps.push((y, f64::from(left) * of_row));
        }
        let end = split.unwrap_or(0.0).max(steps[steps.len() - 1].0);
        steps.push((end.max(steps[0].0 + SHORTEST), 0.0));
        let outer = |child: usize| f64::from(clusters[child].size) * of_row / 2.0;
        let ends = shown.children(c).map(|child| (centre[child] - outer(child), centre[child] + outer(child)));
        let ends = ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        let bar = split.zip(ends).map(|(y, (left, right))| (y, left, right));
        branches.push(Branch { cluster: c, centre: centre[c], steps, bar });
    }
    branches
}

/// The logarithmic scale of distances: λ to height.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// Down to the densest λ of the tree, from a little before its first split, or where one row in fifty has left.
    fn new(tree: &CondensedTree) -> Self {
        let mut all: Vec<f64> = tree.row_lambda().iter().copied().filter(|&lambda| lambda > 0.0).collect();
        all.sort_unstable_by(f64::total_cmp);
        let (Some(&first), Some(&high)) = (all.get(all.len() / 50), all.last()) else {
            return Scale { low: -0.5, high: 0.5 };
        };
        let split = tree.clusters().get(1).map_or(first, |cluster| cluster.birth);
        let (low, high) = (libm::log10(first.min(split)), libm::log10(high));
        let low = low - ABOVE_SPLIT * (high - low);
        if high - low < 1e-3 { Scale { low: low - 0.5, high: low + 0.5 } } else { Scale { low, high } }
    }

    fn y(&self, lambda: f64) -> f64 {
        let at = if lambda > 0.0 { (libm::log10(lambda) - self.low) / (self.high - self.low) } else { 0.0 };
        MARGIN[1] + at.clamp(0.0, 1.0) * (TALL - MARGIN[3] - MARGIN[1])
    }

    /// Round distances within the range, and where they are.
    fn ticks(&self) -> Vec<(f64, f64)> {
        let (near, far) = (libm::pow(10.0, -self.high), libm::pow(10.0, -self.low));
        log_ticks(near, far).into_iter().map(|d| (d, self.y(1.0 / d))).collect()
    }
}
