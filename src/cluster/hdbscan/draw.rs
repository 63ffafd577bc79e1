//! The condensed tree as text and as a picture.

use super::condense::CondensedTree;
use super::model::HdbscanModel;
use std::fmt::Write;

const WIDE: f64 = 1000.0;
const TALL: f64 = 640.0;
/// Left, top, right, bottom.
const MARGIN: [f64; 4] = [74.0, 64.0, 24.0, 30.0];
/// Fills of the selected clusters, told apart by neighbours in the picture.
const FILLS: [&str; 8] = ["#3b6fb6", "#d9822b", "#3a9a6b", "#c4514e", "#7d63b8", "#8a6d3b", "#c864a0", "#4a9fb0"];
const INK: &str = "#22303f";
const QUIET: &str = "#6b7785";
const BRANCH: &str = "#c9d0d8";

impl HdbscanModel {
    /// The condensed tree as indented text, a line for each of its `most` largest clusters: rows, the distances at which
    /// it begins and ends, stability, and its label if it is selected.
    pub fn tree_text(&self, most: usize) -> String {
        let clusters = &self.condensed.clusters;
        let shown = self.shown(most);
        let label = self.label_of_cluster();
        let mut text = String::new();
        // (cluster, lines to the left of it)
        let mut stack: Vec<(usize, String)> = vec![(0, String::new())];
        while let Some((c, lines)) = stack.pop() {
            let cluster = &clusters[c];
            let far = |lambda: f64| if lambda > 0.0 { short(1.0 / lambda) } else { "all".to_string() };
            let name = label[c].map_or(String::new(), |label| format!("  = cluster {label}"));
            let _ = writeln!(
                text,
                "{lines}{} rows, distance {} to {}, stability {}{name}",
                cluster.size,
                far(cluster.birth),
                far(cluster.death),
                short(cluster.stability)
            );
            let children: Vec<usize> = shown.children(c).collect();
            // The lines of very deep trees are cut, so that text grows with the clusters alone.
            let stem: String = lines.replace("├─ ", "│  ").replace("└─ ", "   ");
            let stem = if stem.chars().count() > 150 { "… ".to_string() } else { stem };
            for (i, &child) in children.iter().enumerate().rev() {
                let corner = if i + 1 == children.len() { "└─ " } else { "├─ " };
                stack.push((child, format!("{stem}{corner}")));
            }
        }
        let hidden = clusters.len() - shown.count;
        if hidden > 0 {
            let _ = writeln!(text, "({hidden} smaller clusters not shown)");
        }
        text
    }

    /// The condensed tree as a picture (SVG): time runs down as the distance shrinks, a branch is as wide as the rows
    /// that are still in it, and selected clusters are coloured and carry their label.
    ///
    /// The distances have a logarithmic scale, which leaves out where only a few rows are lost before the first split. Of
    /// trees with more than 500 clusters the 500 largest are drawn.
    pub fn tree_svg(&self) -> String {
        let shown = self.shown(500);
        let scale = Scale::new(&self.condensed);
        let label = self.label_of_cluster();
        let branches = shown.layout(&self.condensed, &scale);
        let mut svg = String::new();
        let _ = write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDE} {TALL}\" font-family=\"system-ui, sans-serif\" \
             font-size=\"12\" fill=\"{INK}\">\n<rect width=\"{WIDE}\" height=\"{TALL}\" fill=\"#ffffff\"/>\n\
             <text x=\"{0}\" y=\"26\" font-size=\"17\" font-weight=\"600\">Condensed tree</text>\n\
             <text x=\"{0}\" y=\"45\" fill=\"{QUIET}\">{1} rows, {2} selected clusters; a branch is as wide as the rows \
             still in it</text>\n",
            MARGIN[0],
            thousands(self.labels.len()),
            self.selected.len()
        );
        for (distance, y) in scale.ticks() {
            let _ = writeln!(
                svg,
                "<line x1=\"{}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#e8ebef\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"{QUIET}\">{}</text>",
                MARGIN[0],
                WIDE - MARGIN[2],
                MARGIN[0] - 8.0,
                y + 4.0,
                short(distance)
            );
        }
        let middle = (MARGIN[1] + TALL - MARGIN[3]) / 2.0;
        let _ = writeln!(
            svg,
            "<text transform=\"translate(20 {middle:.1}) rotate(-90)\" text-anchor=\"middle\" fill=\"{QUIET}\">distance</text>"
        );
        let owner = super::select::owners(&self.condensed, |c| label[c].is_some());
        for branch in &branches {
            let own = owner[branch.cluster].and_then(|c| label[c as usize]);
            let fill = own.map_or(BRANCH, |label| FILLS[label % FILLS.len()]);
            // What is inside a selected cluster is drawn in its colour, lighter.
            let light = if own.is_some() && label[branch.cluster].is_none() { " fill-opacity=\"0.55\"" } else { "" };
            if let Some((y, left, right)) = branch.bar {
                let _ = writeln!(
                    svg,
                    "<line x1=\"{left:.1}\" x2=\"{right:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"{QUIET}\" stroke-width=\"0.8\"/>"
                );
            }
            let _ = writeln!(
                svg,
                "<path d=\"{}\" fill=\"{fill}\"{light}><title>{}</title></path>",
                branch.outline(),
                self.words(branch.cluster, label[branch.cluster])
            );
        }
        // Names last, so that no branch covers them: inside where there is room, else below.
        for branch in &branches {
            if let Some(label) = label[branch.cluster] {
                let (top, wide) = branch.steps[0];
                let bottom = branch.steps.last().map_or(top, |step| step.0);
                let inside = wide > 18.0 && bottom - top > 22.0;
                let y = if inside { top + 17.0 } else { (bottom + 14.0).min(TALL - 6.0) };
                let fill = if inside { "#ffffff" } else { INK };
                let _ = writeln!(
                    svg,
                    "<text x=\"{:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" font-weight=\"600\" fill=\"{fill}\">{label}</text>",
                    branch.centre
                );
            }
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn words(&self, c: usize, label: Option<usize>) -> String {
        let cluster = &self.condensed.clusters[c];
        let name = label.map_or(String::new(), |label| format!("cluster {label}: "));
        format!("{name}{} rows, stability {}", thousands(cluster.size as usize), short(cluster.stability))
    }

    fn label_of_cluster(&self) -> Vec<Option<usize>> {
        let mut label = vec![None; self.condensed.clusters.len()];
        self.selected.iter().enumerate().for_each(|(number, &c)| label[c as usize] = Some(number));
        label
    }

    /// The largest clusters; parents are never smaller than their children, so these are connected.
    fn shown(&self, most: usize) -> Shown {
        let clusters = &self.condensed.clusters;
        let mut order: Vec<usize> = (0..clusters.len()).collect();
        order.sort_by(|&a, &b| clusters[b].weight.total_cmp(&clusters[a].weight).then(a.cmp(&b)));
        order.truncate(most.max(1));
        order.sort_unstable();
        let mut shown =
            Shown { first: vec![0; clusters.len()], next: vec![0; clusters.len()], count: order.len(), order };
        for at in (1..shown.order.len()).rev() {
            let c = shown.order[at];
            let parent = clusters[c].parent.map_or(0, |parent| parent as usize);
            shown.next[c] = shown.first[parent];
            shown.first[parent] = c;
        }
        shown
    }
}

/// Clusters that are shown, with links from child to child; 0, the root, ends a list.
struct Shown {
    order: Vec<usize>,
    first: Vec<usize>,
    next: Vec<usize>,
    count: usize,
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
        let halves = |width: f64| width.max(1.2) / 2.0;
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
}

impl Shown {
    fn children(&self, c: usize) -> impl Iterator<Item = usize> + '_ {
        let some = |c: usize| Some(c).filter(|&c| c != 0);
        std::iter::successors(some(self.first[c]), move |&c| some(self.next[c]))
    }

    fn layout(&self, tree: &CondensedTree, scale: &Scale) -> Vec<Branch> {
        const GAP: f64 = 8.0;
        let clusters = &tree.clusters;
        let room = WIDE - MARGIN[0] - MARGIN[2];
        let splits: f64 = (self.count.max(1) - 1) as f64;
        let gap = if splits * GAP > room / 4.0 { room / 4.0 / splits } else { GAP };
        let of_row = (room - splits * gap) / f64::from(clusters[0].size.max(1));
        // What each branch needs with all that hangs below it.
        let mut extent = vec![0.0f64; clusters.len()];
        for &c in self.order.iter().rev() {
            let below: f64 = self.children(c).map(|child| extent[child] + gap).sum::<f64>() - gap;
            extent[c] = below.max(f64::from(clusters[c].size) * of_row);
        }
        let mut centre = vec![MARGIN[0] + room / 2.0; clusters.len()];
        for &c in &self.order {
            let below: f64 = self.children(c).map(|child| extent[child] + gap).sum::<f64>() - gap;
            let mut left = centre[c] - below / 2.0;
            for child in self.children(c) {
                centre[child] = left + extent[child] / 2.0;
                left += extent[child] + gap;
            }
        }
        // Rows that leave each shown cluster, by height; those of hidden clusters leave where these begin.
        let mut leaves: Vec<Vec<(f64, u32)>> = vec![Vec::new(); clusters.len()];
        let mut home: Vec<(usize, f64)> = (0..clusters.len()).map(|c| (c, f64::INFINITY)).collect();
        let mut is_shown = vec![false; clusters.len()];
        self.order.iter().for_each(|&c| is_shown[c] = true);
        for c in 1..clusters.len() {
            let parent = clusters[c].parent.map_or(0, |parent| parent as usize);
            if !is_shown[c] {
                let (above, fallen) = home[parent];
                home[c] = (above, fallen.min(clusters[c].birth));
            }
        }
        for (&c, &lambda) in tree.row_cluster.iter().zip(&tree.row_lambda) {
            let (c, fallen) = home[c as usize];
            leaves[c].push((scale.y(lambda.min(fallen)), 1));
        }
        let mut branches = Vec::with_capacity(self.count);
        for &c in &self.order {
            let mut out = std::mem::take(&mut leaves[c]);
            let split = self.children(c).next().map(|child| scale.y(clusters[child].birth));
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
            steps.push((end.max(steps[0].0 + 1.5), 0.0));
            let outer = |child: usize| f64::from(clusters[child].size) * of_row / 2.0;
            let ends = self.children(c).map(|child| (centre[child] - outer(child), centre[child] + outer(child)));
            let ends = ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
            let bar = split.zip(ends).map(|(y, (left, right))| (y, left, right));
            branches.push(Branch { cluster: c, centre: centre[c], steps, bar });
        }
        branches
    }
}

/// The logarithmic scale of distances: λ to height.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// Down to the densest λ of the tree, from a little before its first split, or where one row in fifty has left.
    fn new(tree: &CondensedTree) -> Self {
        let mut all: Vec<f64> = tree.row_lambda.iter().copied().filter(|&lambda| lambda > 0.0).collect();
        all.sort_unstable_by(f64::total_cmp);
        let (Some(&first), Some(&high)) = (all.get(all.len() / 50), all.last()) else {
            return Scale { low: -0.5, high: 0.5 };
        };
        let split = tree.clusters.get(1).map_or(first, |cluster| cluster.birth);
        let (low, high) = (libm::log10(first.min(split)), libm::log10(high));
        let low = low - 0.06 * (high - low);
        if high - low < 1e-3 { Scale { low: low - 0.5, high: low + 0.5 } } else { Scale { low, high } }
    }

    fn y(&self, lambda: f64) -> f64 {
        let at = if lambda > 0.0 { (libm::log10(lambda) - self.low) / (self.high - self.low) } else { 0.0 };
        MARGIN[1] + at.clamp(0.0, 1.0) * (TALL - MARGIN[3] - MARGIN[1])
    }

    /// Round distances within the range, and where they are.
    fn ticks(&self) -> Vec<(f64, f64)> {
        let (first, last) = (libm::floor(-self.high) as i32, libm::ceil(-self.low) as i32);
        let factors: &[f64] = match self.high - self.low {
            span if span > 4.0 => &[1.0],
            span if span > 1.5 => &[1.0, 3.0],
            _ => &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0],
        };
        let all = (first..=last).flat_map(|power| factors.iter().map(move |f| f * libm::pow(10.0, f64::from(power))));
        all.filter(|&d| (self.low..=self.high).contains(&-libm::log10(d))).map(|d| (d, self.y(1.0 / d))).collect()
    }
}

/// A count with commas.
fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let comma = |i: usize| i > 0 && (digits.len() - i).is_multiple_of(3);
    digits.chars().enumerate().flat_map(|(i, c)| comma(i).then_some(',').into_iter().chain([c])).collect()
}

/// A number in few characters.
fn short(x: f64) -> String {
    let size = x.abs();
    let text = match size {
        _ if size != 0.0 && !(1e-3..1e6).contains(&size) => return format!("{x:.1e}"),
        _ if size >= 100.0 => format!("{x:.0}"),
        _ if size >= 1.0 => format!("{x:.2}"),
        _ => format!("{x:.4}"),
    };
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}
