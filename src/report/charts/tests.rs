//! What holds for every chart: well formed, within its frame, no text over another, whatever the values and names.

use super::*;
use crate::cluster::{Hdbscan, KMeans, Layer};
use crate::embed::Identity;
use crate::explain::{Dependence, dependence};
use crate::recursive::RecursiveTree;
use crate::{Error, Explanation, Run};
use ndarray::{Array1, Array2, Array3, array};

/// Names that break drawings that trust them.
fn absurd() -> Vec<String> {
    let mut names: Vec<String> = [
        "</text><script>alert(1)</script>",
        "a \"quoted\" & 'odd' <name>",
        "\u{202e}desrever\u{0}\u{1b}[31m\u{fffe}",
        "نسبة العملاء الذين عادوا خلال الشهر الماضي مرة أخرى",
        "顧客の平均的な利用時間と利用回数の合計値についての長い名前",
        "",
    ]
    .map(String::from)
    .into();
    names.push("W".repeat(9000));
    names
}

const ODD: [f64; 7] = [f64::NAN, f64::INFINITY, -1e308, 1e308, 0.0, -0.3, 2.5];

/// One of each kind that takes values and names, with the same number of lines as names.
fn each(names: &[String], values: &[f64]) -> Vec<Svg> {
    let value = |i: usize| values.get(i % values.len().max(1)).copied().unwrap_or(0.5);
    let lines = || names.iter().cloned().enumerate();
    let points = |i: usize| (0..40).map(move |j| (value(i + j), value(i + 2 * j)));
    let first = || names.first().cloned().unwrap_or_default();
    let rows: Vec<u32> = (0..names.len() as u32).map(|i| i * i).collect();
    let all: Vec<f64> = (0..names.len() * 5).map(value).collect();
    let of = |v: f64| (v as f32).clamp(f32::MIN, f32::MAX);
    let found = Dependence {
        values: all.iter().map(|&v| of(v)).collect(),
        attributions: all.clone(),
        partner: None,
        strength: 0.0,
    };
    let mut charts = vec![
        Bars::new(lines().map(|(i, name)| Bar::new(name.clone(), value(i)).note(name))).draw(),
        Beeswarm::new(lines().map(|(i, name)| Swarm::new(name, points(i)))).draw(),
        Waterfall::new(value(0), lines().map(|(i, name)| Push::new(name, value(i)))).log_odds().draw(),
        Contrast::new(
            first(),
            first(),
            lines().map(|(i, name)| {
                ContrastLine::new(name.clone(), value(i), Some(value(i + 1))).values(name.clone(), name)
            }),
        )
        .draw(),
        Profile::new(
            first(),
            lines().map(|(i, name)| {
                ProfileLine::new(name, value(i), value(i + 1))
                    .range([value(i + 2), value(i + 3)], [value(i), value(i + 2)])
            }),
        )
        .draw(),
        lines().fold(CrossTab::new(first(), names), |table, (_, name)| table.line(name, rows.clone())).draw(),
        StabilityChart::new(lines().map(|(i, name)| StabilityLine::new(name, [value(i), 0.4, 0.9]))).draw(),
        CalibrationChart::new(first(), lines().map(|(i, _)| (value(i).abs(), value(i + 1).abs(), i + 1))).draw(),
        LayersChart::new(lines().map(|(i, _)| layer(i + 1, i + 1, value(i)))).draw(),
    ];
    if let Ok(chart) = DependenceChart::of(&found, first()).draw() {
        charts.push(chart);
    }
    charts.push(SideBySide::new(charts.iter().cloned().map(|chart| (first(), chart))).draw());
    charts.into_iter().map(|chart| chart.title(first())).collect()
}

fn layer(min_cluster_size: usize, clusters: usize, persistence: f64) -> Layer {
    Layer { min_cluster_size, up_to: min_cluster_size, clusters, persistence, peak: clusters.is_multiple_of(2) }
}

/// A map of so many rows in three clusters and none.
fn spots(rows: usize) -> (Array2<f32>, Vec<i32>) {
    let labels: Vec<i32> = (0..rows as i32).map(|i| i % 4 - 1).collect();
    let places =
        Array2::from_shape_fn((rows, 2), |(i, j)| (i % 4 * 10) as f32 + ((i * (7 + 4 * j)) % 97) as f32 * 0.05);
    (places, labels)
}

/// Tags that close in their order, attributes in quotes, no bare `<` or `&`, no control character.
fn check_well_formed(svg: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = svg;
    assert!(
        !svg.chars().any(|c| (c.is_control() && c != '\n') || matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{202e}')),
        "{svg}"
    );
    while let Some(start) = rest.find('<') {
        check_entities(&rest[..start]);
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..end];
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None => {
                assert!(tag.matches('"').count().is_multiple_of(2) && !tag.contains('<'), "{tag}");
                tag.split('"').skip(1).step_by(2).for_each(check_entities);
                open.push(tag.split_whitespace().next().expect("a tag has a name"));
            }
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty() && rest.is_empty(), "{open:?} {rest}");
}

fn check_entities(text: &str) {
    for (at, _) in text.match_indices('&') {
        assert!(["&amp;", "&lt;", "&gt;", "&quot;"].iter().any(|own| text[at..].starts_with(own)), "{text}");
    }
}

/// A tag's attribute as a number.
fn number(tag: &str, name: &str) -> Option<f64> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag[start..].split('"').next()?.parse().ok()
}

/// The boxes of all texts with a place, and what they say; marks with a place must lie within the frame.
fn boxes(chart: &Svg) -> Vec<([f64; 4], String)> {
    let (width, height, marks) = chart.parts();
    let marks = marks.into_string();
    let mut found = Vec::new();
    for tag in marks.split('<').skip(1) {
        let (own, said) = tag.split_once('>').unwrap();
        for (names, most) in [(["x", "cx", "x1", "x2"], width), (["y", "cy", "y1", "y2"], height)] {
            for place in names.iter().filter_map(|name| number(own, name)) {
                assert!((-1.0..=most + 1.0).contains(&place), "{own} in {width} x {height}");
            }
        }
        let (Some(x), Some(y), true) = (number(own, "x"), number(own, "y"), own.starts_with("text ")) else { continue };
        // A tooltip comes first, where there is one.
        let start = marks.find(&format!("<{tag}")).unwrap() + own.len() + 2;
        let inside = &marks[start..start + marks[start..].find("</text>").unwrap()];
        let inside = inside.split_once("</title>").map_or(inside, |parts| parts.1);
        let text: String = inside.split('<').map(|part| part.split_once('>').map_or(part, |p| p.1)).collect();
        let text = if said.is_empty() || !text.is_empty() { text } else { said.to_string() };
        let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
        let size = number(own, "font-size").unwrap_or(if own.contains("soft") { 12.0 } else { 13.0 });
        let wide = text::width(&text, size);
        let left = match own {
            _ if own.contains("\"end\"") => x - wide,
            _ if own.contains("\"middle\"") => x - wide / 2.0,
            _ => x,
        };
        if !text.trim().is_empty() {
            found.push(([left, y - 0.72 * size, left + wide, y + 0.2 * size], text));
        }
    }
    found
}

fn check_texts(chart: &Svg) {
    let (width, height, _) = chart.parts();
    let boxes = boxes(chart);
    for (i, ([left, top, right, bottom], text)) in boxes.iter().enumerate() {
        assert!(
            *left >= -2.0 && *right <= width + 2.0 && *top >= -2.0 && *bottom <= height + 2.0,
            "{text} at {left} {top} {right} {bottom} in {width} x {height}"
        );
        for ([l, t, r, b], other) in &boxes[i + 1..] {
            let apart = right.min(*r) - left.max(*l) <= 0.5 || bottom.min(*b) - top.max(*t) <= 0.5;
            assert!(
                apart,
                "{}: {text} over {other}: {:?} and {:?}",
                chart.label(),
                [left, top, right, bottom],
                [l, t, r, b]
            );
        }
    }
}

#[test]
fn absurd_names_and_values_are_drawn_within_the_frame() {
    for values in [&ODD[..], &ODD[4..], &[0.1, 0.2, -0.4, 1e-12], &[0.0]] {
        for chart in each(&absurd(), values) {
            let svg = chart.to_string();
            check_well_formed(&svg);
            assert!(!svg.contains("<script") && !svg.contains("NaN") && !svg.contains("inf") && svg.len() < 400_000);
            assert!(svg.contains("role=\"img\"") && svg.contains("aria-label=\"") && svg.contains("<title>"));
        }
    }
    let plain: Vec<String> =
        ["visits a month", "files", "a rather long name of a column that is cut to fit"].map(String::from).into();
    for names in [&plain[..], &plain[..1], &absurd()[..]] {
        for values in [&[0.9, 0.35, -0.2, 0.6][..], &ODD[..], &[0.5], &[-3.0, -2.0, -0.001]] {
            let charts = each(names, values);
            charts.iter().take(charts.len() - 1).for_each(check_texts);
        }
    }
}

#[test]
fn nothing_and_one_thing_are_shown_as_such() {
    for chart in each(&[], &[]) {
        assert!(chart.to_string().contains("nothing to show"));
        check_well_formed(&chart.to_string());
    }
    for chart in each(&["one".to_string()], &[1.0]) {
        check_well_formed(&chart.to_string());
    }
    let empty = Dependence { values: vec![], attributions: vec![], partner: None, strength: 0.0 };
    assert!(matches!(DependenceChart::of(&empty, "x").draw(), Err(Error::Empty { .. })));
    let short = Dependence { values: vec![1.0], ..empty };
    assert!(matches!(DependenceChart::of(&short, "x").draw(), Err(Error::Shape { .. })));
}

#[test]
fn maps_are_marks_up_to_two_thousand_rows_and_pixels_above() {
    for rows in [1, 2, 100, 2000, 2001] {
        let (places, labels) = spots(rows);
        let map = Map::new(&places, &labels).names(absurd()).draw().unwrap();
        let svg = map.to_string();
        check_well_formed(&svg);
        assert_eq!(svg.contains("data:image/png;base64,"), rows > 2000);
        assert!(rows > 2000 || svg.matches("h.01").count() == rows);
        assert!(map.label().contains("cluster"));
        let (width, height, marks) = map.parts();
        for dot in marks.into_string().split(['M', '"']).filter_map(|part| part.strip_suffix("h.01")) {
            let (x, y) = dot.split_once(' ').unwrap();
            let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
            assert!((0.0..=width).contains(&x) && (0.0..=height).contains(&y));
        }
        // In any order of the rows.
        let turned = places.slice(ndarray::s![..;-1, ..]).to_owned();
        let back: Vec<i32> = labels.iter().rev().copied().collect();
        assert_eq!(Map::new(&turned, &back).names(absurd()).draw().unwrap().to_string(), svg);
    }
    let (places, labels) = spots(5);
    assert!(matches!(Map::new(&places, &labels[1..]).draw(), Err(Error::Shape { .. })));
    assert!(matches!(Map::new(&Array2::zeros((0, 2)), &[]).draw(), Err(Error::Empty { .. })));
    assert!(matches!(Map::new(&array![[f32::NAN, 0.0]], &[0]).draw(), Err(Error::NotFinite { .. })));
    assert!(matches!(Map::new(&places, &labels).width(0).png(), Err(Error::Setting { .. })));
    assert!(Map::new(&array![[1.0f32]], &[7]).png().unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn images_must_have_one_size() {
    let strip = |images: Vec<Vec<f64>>| ImageStrip::new(2, absurd().into_iter().zip(images));
    let drawn = strip(vec![vec![0.0, f64::NAN, 1.0, f64::INFINITY], vec![1e308, -1e308, 0.0, 0.5]]);
    check_well_formed(&drawn.draw().unwrap().to_string());
    check_well_formed(&drawn.clone().signed().draw().unwrap().to_string());
    assert!(matches!(drawn.png(2), Err(Error::Setting { .. })));
    for bad in [vec![vec![0.0; 3]], vec![vec![0.0; 4], vec![0.0; 2]], vec![vec![]], vec![]] {
        assert!(strip(bad).draw().is_err());
    }
    assert!(ImageStrip::new(0, [("a", vec![1.0])]).draw().is_err());
}

#[test]
fn what_was_fitted_is_drawn() {
    let rows = Array2::from_shape_fn((120, 2), |(i, j)| (i / 40 * 30) as f32 + ((i * 7 + j * 3) % 11) as f32 * 0.1);
    let run = Run::new();
    let model = Hdbscan::new().min_cluster_size(5).fit(&rows, &run).unwrap();
    for chart in [CondensedTreeChart::of(&model).draw(), LayersChart::new(model.layers()).draw()] {
        check_well_formed(&chart.to_string());
        check_texts(&chart);
    }
    let mut tree = RecursiveTree::new(Identity, KMeans::new(3)).levels(2).stability(3).fit(&rows, &run).unwrap();
    for (path, name) in ["0.0", "0.1", "0.2", "0"].into_iter().zip(absurd()) {
        tree.set_name(path, name).unwrap();
    }
    let icicle = Icicle::of(&tree).draw();
    assert!(!icicle.to_string().contains("href"));
    for chart in [icicle, StabilityChart::of(&tree).draw()] {
        check_well_formed(&chart.to_string());
        check_texts(&chart);
        assert!(chart.to_string().contains("0.2"));
    }
}

#[test]
fn an_explanation_is_drawn_and_must_fit() {
    let rows = Array2::from_shape_fn((50, 3), |(i, j)| if i % 9 == j { f32::NAN } else { ((i * (j + 3)) % 17) as f32 });
    let values = Array3::from_shape_fn((50, 3, 2), |(i, f, k)| ((i + f * 5) % 13) as f64 * 0.1 - 0.5 * k as f64);
    let why = Explanation::new(values, Array1::zeros(2)).unwrap();
    let names = ["a", "b", "c"];
    let swarm = Beeswarm::of(&rows, &why, 1, &names, 2).unwrap().draw();
    assert_eq!(swarm.to_string().matches("h.01").count(), 100, "a dot for each row and feature");
    let waterfall = Waterfall::of(&why, 4, 0, &[1.0, f32::NAN, 3.0], &names).unwrap().draw();
    assert!(waterfall.to_string().contains("b missing") && waterfall.to_string().contains("c = 3"));
    let found = dependence(&rows, &why, 0, 1).unwrap();
    let chart = DependenceChart::of(&found, "b").partner("c", rows.column(2)).draw().unwrap();
    assert!(chart.to_string().contains("missing"));
    [&swarm, &waterfall, &chart].into_iter().for_each(check_texts);
    assert!(Beeswarm::of(&rows, &why, 2, &names, 2).is_err() && Beeswarm::of(&rows, &why, 1, &names[1..], 2).is_err());
    assert!(
        Waterfall::of(&why, 50, 0, &[1.0; 3], &names).is_err() && Waterfall::of(&why, 0, 0, &[1.0; 2], &names).is_err()
    );
    let none: Vec<f32> = Vec::new();
    assert!(matches!(DependenceChart::of(&found, "b").partner("c", &none).draw(), Err(Error::Shape { .. })));
    // Many rows are pixels, and in any order the same.
    let many = Dependence {
        values: (0..5000).map(|i| (i % 100) as f32).collect(),
        attributions: (0..5000).map(|i| f64::from(i % 77)).collect(),
        partner: None,
        strength: 0.0,
    };
    let back = Dependence {
        values: many.values.iter().rev().copied().collect(),
        attributions: many.attributions.iter().rev().copied().collect(),
        ..many
    };
    let svg = DependenceChart::of(&many, "x").draw().unwrap().to_string();
    assert!(svg.contains("data:image/png") && svg == DependenceChart::of(&back, "x").draw().unwrap().to_string());
}

#[test]
fn a_chart_in_a_page_leaves_its_style_to_it() {
    let chart = Bars::new([Bar::new("x", 1.0)]).draw().title("t");
    let inline = chart.inline().into_string();
    assert!(!inline.contains("<style") && inline.contains("class=\"bars\"") && chart.to_string().contains("<style"));
    let folder = tempfile::tempdir().unwrap();
    chart.write(folder.path().join("a.svg")).unwrap();
    assert!(matches!(chart.write(folder.path().join("no/a.svg")), Err(Error::Io { .. })));
}
