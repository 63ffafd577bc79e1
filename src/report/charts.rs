//! Charts drawn as SVG: the tree, diverging bars, the summary of attributions. Pure functions of plain values.

use super::colour::{self, Rgb, hex};
use super::{Contents, words};
use crate::recursive::Node;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// A coordinate as SVG writes it.
fn at(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_string)
}

/// Text cut to fit.
pub(super) fn short(text: &str, most: usize) -> String {
    match text.chars().count() > most {
        true => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
        false => text.to_string(),
    }
}

/// A node's number among its siblings, which its colour goes by; 0 for the root.
pub(super) fn number(node: &Node) -> i32 {
    node.path().number().unwrap_or(0) as i32
}

/// The tree as boxes, a column for each level from left to right, heights as shares of the rows or of the population.
pub(super) fn tree(contents: &Contents<'_>) -> Markup {
    let (tree, shares) = (contents.report.tree, &contents.shares);
    const WIDTH: f64 = 1000.0;
    const GAP: f64 = 2.0;
    let smallest = tree.leaves().map(|leaf| shares.node(leaf)).fold(1.0, f64::min).max(1e-6);
    // Tall enough for a line of text in the smallest leaf, within what fits on a page.
    let height = (16.0 / smallest).clamp(260.0, 1000.0);
    let root = if tree.levels() == 0 { WIDTH } else { 120.0 };
    let column = (WIDTH - root) / tree.levels().max(1) as f64;
    let mut tops = BTreeMap::from([(tree.root().path(), 0.0)]);
    let mut boxes = Vec::new();
    for node in tree.nodes() {
        let start = tops.get(node.path()).copied().unwrap_or(0.0);
        let tall = shares.node(node) * height;
        let is_root = node.level() == 1;
        let (left, wide) = if is_root { (0.0, root) } else { (root + column * (node.level() - 2) as f64, column) };
        let fill = if is_root { [0x3c, 0x46, 0x57] } else { colour::cluster(number(node)) };
        let name = if is_root { "All rows".to_string() } else { node.path().to_string() };
        let link = format!("#{}-{}", if node.is_leaf() { "cluster" } else { "map" }, node.path());
        // Beside path and share, at 6.4 units a character.
        let room = ((wide - 115.0) / 6.4).max(0.0) as usize;
        let called = contents.called.get(node).filter(|_| room >= 8).map(|name| short(&name.text, room));
        boxes.push((left, start, wide, tall, fill, name, called, shares.node(node), Some(link)));
        let mut top = start;
        for child in tree.children(node) {
            tops.insert(child.path(), top);
            top += shares.node(child) * height;
        }
        if node.noise() > 0 {
            let share = shares.noise(node);
            let left = root + column * (node.level() - 1) as f64;
            boxes.push((
                left,
                top,
                column,
                share * height,
                colour::NOISE,
                "in no cluster".to_string(),
                None,
                share,
                None,
            ));
        }
    }
    html! {
        div class="scroll" {
            svg class="tree" viewBox=(format!("0 0 {} {}", at(WIDTH), at(height))) role="img" aria-label="Tree of clusters" {
                @for (left, top, wide, tall, fill, name, called, share, link) in boxes {
                    @let drawn = html! {
                        g fill=(colour::text_on(fill)) {
                            title { (name) ": " (words::percent(share)) @if let Some(called) = &called { ", " (called) } }
                            rect x=(at(left)) y=(at(top)) width=(at(wide - GAP)) height=(at((tall - GAP).max(0.6))) rx="2" fill=(hex(fill)) {}
                            @if tall >= 34.0 && wide < 150.0 {
                                text x=(at(left + 10.0)) y=(at(top + tall / 2.0 - 4.0)) class="strong" { (name) }
                                text x=(at(left + 10.0)) y=(at(top + tall / 2.0 + 13.0)) { (words::percent(share)) }
                            } @else if tall >= 11.0 {
                                text class=[(tall < 15.0).then_some("thin")] x=(at(left + 10.0)) y=(at(top + tall / 2.0 + if tall < 15.0 { 2.6 } else { 3.6 })) {
                                    tspan class="strong" { (name) } tspan dx="7" { (words::percent(share)) }
                                    @if let Some(called) = &called { tspan dx="10" { (called) } }
                                }
                            }
                        }
                    };
                    @if let Some(link) = link { a href=(link) { (drawn) } } @else { (drawn) }
                }
            }
        }
    }
}

/// One bar to the left (lower) or to the right (higher) of a middle line.
pub(super) struct Bar {
    pub(super) name: String,
    /// The name as far as it fits.
    pub(super) label: String,
    pub(super) length: f64,
    /// What stands behind the bar, such as "3.2 (all rows: 1.1)".
    pub(super) note: String,
}

/// Characters of a name that fit beside a bar, and of one with a level in a chart that is wider for it.
pub(super) const NAME: usize = 28;
pub(super) const WIDE_NAME: usize = 44;

/// Diverging bars with their names on the left and a note on the right.
pub(super) fn bars(bars: &[Bar], wide: bool) -> Markup {
    const ROW: f64 = 24.0;
    const REACH: f64 = 130.0;
    let more = if wide { 110.0 } else { 0.0 };
    let (names, middle, right) = (190.0 + more, 330.0 + more, 670.0 + more);
    let height = ROW * bars.len() as f64 + 26.0;
    let longest = bars.iter().map(|bar| bar.length.abs()).fold(1e-300, f64::max);
    html! {
        div class="scroll" {
            svg class=(if wide { "bars wide" } else { "bars" }) viewBox=(format!("0 0 {} {}", at(right + 10.0), at(height))) role="img" aria-label="Features that set the cluster apart" {
                text x=(at(middle - 8.0)) y="13" class="soft" text-anchor="end" { "lower than usual" }
                text x=(at(middle + 8.0)) y="13" class="soft" { "higher than usual" }
                text x=(at(right)) y="13" class="soft" text-anchor="end" { "here (all rows)" }
                @for (i, bar) in bars.iter().enumerate() {
                    @let top = 22.0 + ROW * i as f64;
                    @let long = REACH * bar.length.abs() / longest;
                    @let left = if bar.length < 0.0 { middle - long } else { middle };
                    @let fill = colour::against_to_for(if bar.length < 0.0 { -0.85 } else { 0.85 });
                    text x=(at(names)) y=(at(top + 15.0)) text-anchor="end" { title { (bar.name) } (bar.label) }
                    rect x=(at(left)) y=(at(top + 3.0)) width=(at(long.max(1.0))) height=(at(ROW - 7.0)) rx="2" fill=(hex(fill)) {}
                    text x=(at(right)) y=(at(top + 15.0)) text-anchor="end" class="figure" { (bar.note) }
                }
                line x1=(at(middle)) x2=(at(middle)) y1="20" y2=(at(height - 2.0)) stroke="#8a93a0" {}
            }
        }
    }
}

/// A feature's line in a summary of attributions.
pub(super) struct Swarm {
    pub(super) name: String,
    /// For each row the attribution, and the feature's value from low (0) to high (1); NaN where it is missing.
    pub(super) points: Vec<(f64, f64)>,
}

/// The summary of attributions: a line for each feature, a dot for each row.
pub(super) fn swarms(swarms: &[Swarm], wide: bool) -> Markup {
    const ROW: f64 = 34.0;
    let more = if wide { 110.0 } else { 0.0 };
    let (names, left, right) = (170.0 + more, 182.0 + more, 640.0 + more);
    let height = ROW * swarms.len() as f64 + 58.0;
    let foot = ROW * swarms.len() as f64 + 18.0;
    let values = || swarms.iter().flat_map(|swarm| &swarm.points).map(|p| p.0).filter(|v| v.is_finite());
    let (low, high) = (values().fold(0.0, f64::min), values().fold(0.0, f64::max));
    let span = if high > low { high - low } else { 1.0 };
    let x = |value: f64| left + 8.0 + (right - left - 16.0) * (value - low) / span;
    html! {
        div class="scroll" {
            svg class=(if wide { "swarm wide" } else { "swarm" }) viewBox=(format!("0 0 {} {}", at(right + 80.0), at(height))) role="img" aria-label="How each feature pushes the model" {
                @if low < 0.0 {
                    text x=(at(x(0.0) - 8.0)) y="12" text-anchor="end" class="soft" { "speaks against ←" }
                }
                text x=(at(x(0.0) + 8.0)) y="12" class="soft" { "→ speaks for this cluster" }
                @for tick in ticks(low, high) {
                    line x1=(at(x(tick))) x2=(at(x(tick))) y1="18" y2=(at(foot)) stroke=(if tick == 0.0 { "#8a93a0" } else { "#e7eaee" }) {}
                    text x=(at(x(tick))) y=(at(foot + 15.0)) text-anchor="middle" class="soft" { (words::value(tick)) }
                }
                text x=(at((left + right) / 2.0)) y=(at(foot + 33.0)) text-anchor="middle" class="soft" { "push on the model (SHAP value, log-odds)" }
                @for (i, swarm) in swarms.iter().enumerate() {
                    @let middle = 18.0 + ROW * (i as f64 + 0.5);
                    text x=(at(names)) y=(at(middle + 4.0)) text-anchor="end" { title { (swarm.name) } (short(&swarm.name, if wide { 40 } else { 24 })) }
                    @for (fill, path) in dots(&swarm.points, &x, middle, ROW) {
                        path d=(path) stroke=(hex(fill)) {}
                    }
                }
                // The legend: the colours of the values.
                @for step in 0..32 {
                    rect x=(at(right + 32.0)) y=(at(26.0 + (foot - 34.0) * f64::from(31 - step) / 32.0)) width="9" height=(at((foot - 34.0) / 32.0 + 0.6))
                        fill=(hex(colour::low_to_high(f64::from(step) / 31.0))) {}
                }
                text x=(at(right + 48.0)) y="36" class="soft" { "high" }
                text x=(at(right + 48.0)) y=(at(foot - 8.0)) class="soft" { "low" }
                text transform=(format!("translate({} {}) rotate(-90)", at(right + 62.0), at((foot + 18.0) / 2.0))) text-anchor="middle" class="soft" { "value" }
            }
        }
    }
}

/// Dots that keep out of each other's way, as one path for each colour.
fn dots(points: &[(f64, f64)], x: &impl Fn(f64) -> f64, middle: f64, room: f64) -> Vec<(Rgb, String)> {
    const SHADES: usize = 12;
    const MISSING: Rgb = [0x9a, 0x9f, 0xa6];
    // By column of three units, then by value, so that the picture depends on nothing but the values.
    let mut sorted: Vec<(i64, f64, f64)> =
        points.iter().filter(|p| p.0.is_finite()).map(|&(push, value)| ((x(push) / 3.0) as i64, push, value)).collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0).then(a.2.total_cmp(&b.2)).then(a.1.total_cmp(&b.1)));
    let fullest = sorted.chunk_by(|a, b| a.0 == b.0).map(<[_]>::len).max().unwrap_or(1);
    let step = (0.92 * room / fullest as f64).min(3.2);
    let mut paths = vec![String::new(); SHADES + 1];
    for column in sorted.chunk_by(|a, b| a.0 == b.0) {
        for (i, &(_, push, value)) in column.iter().enumerate() {
            // 0, 1, -1, 2, -2, ..: around the middle line, thicker where there are more.
            let side = if i % 2 == 1 { 1.0 } else { -1.0 };
            let y = middle + side * i.div_ceil(2) as f64 * step;
            let shade =
                if value.is_nan() { SHADES } else { (value.clamp(0.0, 1.0) * (SHADES - 1) as f64).round() as usize };
            paths[shade].push_str(&format!("M{} {}h.01", at(x(push)), at(y)));
        }
    }
    let colour = |shade: usize| match shade {
        SHADES => MISSING,
        _ => colour::low_to_high(shade as f64 / (SHADES - 1) as f64),
    };
    paths
        .into_iter()
        .enumerate()
        .filter(|(_, path)| !path.is_empty())
        .map(|(shade, path)| (colour(shade), path))
        .collect()
}

/// Round numbers from `low` to `high`, zero among them when it lies between.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let span = high - low;
    if !(span > 0.0 && span.is_finite()) {
        return vec![0.0];
    }
    let mut power = 1.0;
    while power * 10.0 <= span {
        power *= 10.0;
    }
    while power > span {
        power /= 10.0;
    }
    let step =
        [0.2, 0.5, 1.0, 2.0].into_iter().map(|part| part * power).find(|step| span / step <= 6.0).unwrap_or(power);
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    (first..=last).map(|i| i as f64 * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_include_zero() {
        assert_eq!(ticks(-1.0, 2.0), [-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0]);
        assert_eq!(ticks(0.0, 0.0), [0.0]);
        assert_eq!(ticks(0.0, f64::INFINITY), [0.0]);
        for (low, high) in [(-3.7, 12.0), (-1e-9, 4e-9), (0.0, 7e5)] {
            let found = ticks(low, high);
            assert!((2..=8).contains(&found.len()) && found.contains(&0.0), "{found:?}");
        }
    }

    #[test]
    fn every_row_is_a_dot_and_stays_in_its_line() {
        let points: Vec<(f64, f64)> =
            (0..200).map(|i| (f64::from(i % 7), f64::from(i) / 199.0)).chain([(1.0, f64::NAN)]).collect();
        let paths = dots(&points, &|v| 10.0 * v, 50.0, 30.0);
        let all: String = paths.iter().map(|p| p.1.as_str()).collect();
        assert_eq!(all.matches('M').count(), 201);
        for y in all
            .split('M')
            .skip(1)
            .map(|d| d.split(' ').nth(1).unwrap().split('h').next().unwrap().parse::<f64>().unwrap())
        {
            assert!((34.0..=66.0).contains(&y), "{y}");
        }
    }

    #[test]
    fn charts_survive_empty_and_odd_values() {
        assert!(bars(&[], false).into_string().contains("<svg"));
        assert!(
            bars(&[Bar { name: "<a>&".into(), label: "<a>&".into(), length: 0.0, note: String::new() }], true)
                .into_string()
                .contains("&lt;a&gt;&amp;")
        );
        let svg = swarms(&[Swarm { name: "x".into(), points: vec![(f64::NAN, 0.0), (0.0, 0.5)] }], false).into_string();
        assert!(!svg.contains("NaN"));
        assert_eq!(short("abcdef", 4), "abc…");
    }
}
