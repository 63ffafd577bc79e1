//! The tree of clusters as boxes: an icicle that hangs from left to right.

use super::colour::{self, Rgb, hex};
use super::svg::{SIZE, Svg, at};
use super::text;
use crate::recursive::{ClusterTree, Grade, Node};
use crate::report::sure::graded;
use crate::report::text::{Text, words};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Width of the chart and of the root's box, the gap between boxes, and least and most height.
const WIDTH: f64 = 1000.0;
const ROOT: f64 = 120.0;
const GAP: f64 = 2.0;
const HEIGHT: (f64, f64) = (260.0, 1000.0);
/// Height for one line of text in a box, and for two.
const ONE_LINE: f64 = 12.5;
const TWO_LINES: f64 = 34.0;
/// Height for a line in the smallest leaf, which the chart's height goes by; least height that a box is drawn with.
const SMALLEST: f64 = 16.0;
const THINNEST: f64 = 0.6;
/// Two lines stand only in a box narrower than this: their baselines from the middle, and what they leave of the width.
const NARROW: f64 = 150.0;
const UPPER: f64 = -4.0;
const LOWER: f64 = 13.0;
const BESIDE_LINES: f64 = 18.0;
/// From the left end of a box to its text, and what one line leaves of the width.
const INDENT: f64 = 10.0;
const BESIDE_LINE: f64 = 20.0;
/// Boxes lower than this have smaller letters; the baselines of both from the middle; how much larger a path is written.
const LOW: f64 = 15.0;
const LOW_LETTERS: f64 = 10.5;
const LOW_BASELINE: f64 = 2.6;
const LINE_BASELINE: f64 = 3.6;
const PATH: f64 = 1.08;
/// Between path, share and name, and the least room for a name: one of fewer letters than about eight says little.
const BEFORE_SHARE: f64 = 7.0;
const BEFORE_NAME: f64 = 10.0;
const LEAST_NAME: f64 = 50.0;
/// Characters of a name in a tooltip, and leaves that are put into words.
const TIP: usize = 200;
const SPOKEN: usize = 12;
const ALL: Rgb = [0x3c, 0x46, 0x57];

/// The tree of clusters: a column of boxes for each level from left to right, each box as tall as its cluster's share of the
/// rows, beside the box of the cluster that it was found in. Where a [`Judge`](crate::recursive::Judge) has compared siblings, `≈`
/// marks a cluster that runs over into one of them, and `?` one that was not found again on other rows.
///
/// ```
/// # use ndarray::Array2;
/// # use recluster::{Run, cluster::KMeans, embed::Identity, recursive::RecursiveTree};
/// use recluster::report::charts::Icicle;
/// let data = Array2::from_shape_fn((90, 2), |(i, j)| (i / 30 * 50 + i % 7 + j) as f32);
/// let tree = RecursiveTree::new(Identity, KMeans::new(3)).levels(1).fit(&data, &Run::new())?;
/// let svg = Icicle::of(&tree).draw();
/// assert!(svg.to_string().contains("0.2"));
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Icicle<'a> {
    tree: &'a ClusterTree,
    /// (node, what is in no cluster below it), as shares of the whole.
    shares: BTreeMap<String, (f64, f64)>,
    names: BTreeMap<String, String>,
    links: bool,
}

impl<'a> Icicle<'a> {
    /// The boxes of a fitted tree, with the shares of its rows and the names of its nodes.
    pub fn of(tree: &'a ClusterTree) -> Self {
        let rows = tree.rows().max(1) as f64;
        let share = |node: &Node| (node.path().to_string(), (node.share(), node.noise() as f64 / rows));
        let named = tree.nodes().iter().filter(|node| !node.name().is_empty());
        Icicle {
            tree,
            shares: tree.nodes().iter().map(share).collect(),
            names: named.map(|node| (node.path().to_string(), node.name().to_string())).collect(),
            links: false,
        }
    }

    /// Other names, by path.
    pub fn names(mut self, names: impl IntoIterator<Item = (String, String)>) -> Self {
        self.names = names.into_iter().collect();
        self
    }

    /// Other shares, such as those of a population: by path a node's own and that of its rows in no cluster, each 0 to 1.
    pub fn shares(mut self, shares: impl IntoIterator<Item = (String, (f64, f64))>) -> Self {
        self.shares = shares.into_iter().collect();
        self
    }

    /// Makes each box a link to the part of the report's page about it.
    pub(in crate::report) fn links(mut self) -> Self {
        self.links = true;
        self
    }

    /// The chart in English. O(nodes log nodes).
    pub fn draw(&self) -> Svg {
        self.draw_in(Text::english())
    }

    /// The chart with the words of a catalogue.
    pub fn draw_in(&self, text: &Text) -> Svg {
        let tree = self.tree;
        let smallest = tree.leaves().map(|leaf| self.share(leaf).0).fold(1.0, f64::min).max(1e-6);
        // Tall enough for a line of text in the smallest leaf, within what fits on a page.
        let height = (SMALLEST / smallest).clamp(HEIGHT.0, HEIGHT.1);
        let boxes = self.boxes(text, height);
        let marks = html! { @for one in &boxes { (one.draw(text)) } };
        let leaves = tree.leaves().map(|leaf| format!("{} {}", self.called(leaf), text.percent(self.share(leaf).0)));
        let list = leaves.take(SPOKEN).collect::<Vec<_>>().join(&words!(text, "list.between"));
        let label = words!(text, "chart.label", what = words!(text, "chart.tree"), list = list);
        Svg::new("tree", (WIDTH, height), label, marks)
    }

    fn share(&self, node: &Node) -> (f64, f64) {
        let clean = |share: f64| if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        self.shares.get(&node.path().to_string()).map_or((0.0, 0.0), |&(own, noise)| (clean(own), clean(noise)))
    }

    fn called(&self, node: &Node) -> String {
        match self.names.get(&node.path().to_string()) {
            Some(name) => format!("{} ({})", node.path(), text::cut(name, text::SAID_SHORT)),
            None => node.path().to_string(),
        }
    }

    fn boxes(&self, text: &Text, height: f64) -> Vec<Block> {
        let tree = self.tree;
        let root = if tree.levels() == 0 { WIDTH } else { ROOT };
        let column = (WIDTH - root) / tree.levels().max(1) as f64;
        let mut tops = BTreeMap::from([(tree.root().path(), 0.0)]);
        let mut boxes = Vec::new();
        for node in tree.nodes() {
            let start = tops.get(node.path()).copied().unwrap_or(0.0);
            let (share, noise) = self.share(node);
            let is_root = node.level() == 1;
            let (left, wide) = if is_root { (0.0, root) } else { (root + column * (node.level() - 2) as f64, column) };
            let path = node.path().to_string();
            boxes.push(Block {
                frame: (left, start, wide, share * height),
                fill: if is_root { ALL } else { colour::cluster(number(node)) },
                called: self.names.get(&path).map(|name| text::cut(name, TIP)),
                name: if is_root { words!(text, "all_rows") } else { path.clone() },
                verdict: tree.least_separated(node).map(|(_, found)| found.grade),
                share: text.percent(share),
                link: self.links.then(|| format!("#{}-{path}", if node.is_leaf() { "cluster" } else { "map" })),
            });
            let mut top = start;
            for child in tree.children(node) {
                tops.insert(child.path(), top);
                top += self.share(child).0 * height;
            }
            if node.noise() > 0 {
                boxes.push(Block {
                    frame: (root + column * (node.level() - 1) as f64, top, column, noise * height),
                    fill: colour::NOISE,
                    name: words!(text, "chart.in_no_cluster"),
                    called: None,
                    verdict: None,
                    share: text.percent(noise),
                    link: None,
                });
            }
        }
        boxes
    }
}

/// A node's number among its siblings, which its colour goes by; 0 for the root.
pub(in crate::report) fn number(node: &Node) -> i32 {
    node.path().number().unwrap_or(0) as i32
}

/// The sign of a verdict that readers should see; none for what is separated, or may be.
pub(in crate::report) fn mark(verdict: Grade) -> Option<&'static str> {
    match verdict {
        Grade::Separated | Grade::Undecided => None,
        Grade::Continuum => Some("≈"),
        Grade::NotFoundAgain => Some("?"),
    }
}

/// A box: left, top, width and height, and what stands in it.
struct Block {
    frame: (f64, f64, f64, f64),
    fill: Rgb,
    name: String,
    called: Option<String>,
    /// How well it is separated from the sibling that it is least separated from.
    verdict: Option<Grade>,
    share: String,
    link: Option<String>,
}

impl Block {
    fn draw(&self, text: &Text) -> Markup {
        let Block { frame: (left, top, wide, tall), fill, name, called, verdict, share, link } = self;
        let size = (at(wide - GAP), at((tall - GAP).max(THINNEST)));
        let drawn = html! {
            g class="on" fill=(colour::text_on(*fill)) {
                title {
                    (name) ": " (share)
                    @if let Some(called) = called { ", " (called) }
                    @if let Some(verdict) = verdict { ", " (graded(text, *verdict)) }
                }
                rect class="edge" x=(at(*left)) y=(at(*top)) width=(size.0) height=(size.1) rx="2" fill=(hex(*fill)) {}
                @if *tall >= TWO_LINES && *wide < NARROW {
                    text x=(at(left + INDENT)) y=(at(top + tall / 2.0 + UPPER)) class="strong" { (text::fit(name, SIZE, wide - BESIDE_LINES)) }
                    text x=(at(left + INDENT)) y=(at(top + tall / 2.0 + LOWER)) { (text::fit(share, SIZE, wide - BESIDE_LINES)) }
                } @else if *tall >= ONE_LINE { (self.line(share)) }
            }
        };
        html! { @if let Some(link) = link { a href=(link) { (drawn) } } @else { (drawn) } }
    }

    /// Path, share and name in one line, as far as they fit.
    fn line(&self, share: &str) -> Markup {
        let (left, top, wide, tall) = self.frame;
        let thin = tall < LOW;
        let size = if thin { LOW_LETTERS } else { SIZE };
        let room = wide - BESIDE_LINE;
        let name = match self.verdict.and_then(mark) {
            Some(mark) => format!("{} {mark}", self.name),
            None => self.name.clone(),
        };
        let path = text::fit(&name, PATH * size, room);
        let mut rest = room - text::width(&path, PATH * size) - BEFORE_SHARE;
        let share = Some(share).filter(|share| text::width(share, size) <= rest);
        rest -= share.map_or(0.0, |share| text::width(share, size)) + BEFORE_NAME;
        let called = self
            .called
            .as_ref()
            .filter(|_| share.is_some() && rest >= LEAST_NAME)
            .map(|name| text::fit(name, size, rest));
        html! {
            text class=[thin.then_some("thin")] font-size=[thin.then_some(size)] x=(at(left + INDENT)) y=(at(top + tall / 2.0 + if thin { LOW_BASELINE } else { LINE_BASELINE })) {
                tspan class="strong" { (path) }
                @if let Some(share) = share { tspan dx=(BEFORE_SHARE) { (share) } }
                @if let Some(called) = called { tspan dx=(BEFORE_NAME) { (called) } }
            }
        }
    }
}
