//! Small multiples: a row for each data set, a column for each clusterer.

use crate::Cell;
use crate::data::DataSet;
use std::fmt::Write;

/// Side of a panel.
const SIDE: f64 = 138.0;
const GAP: f64 = 10.0;
const LEFT: f64 = 44.0;
const TOP: f64 = 84.0;
/// Okabe and Ito's colours, which most people can tell apart, in an order that starts with strong ones.
const COLOURS: [&str; 8] = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#7f6a00", "#5b5b9e"];
const NOISE: &str = "#b8bcc4";

/// The picture as one SVG without references to anything outside.
pub(crate) fn svg(sets: &[DataSet], grid: &[Vec<(&'static str, Cell)>]) -> String {
    let columns = grid.first().map_or(0, Vec::len) as f64;
    let width = LEFT + columns * (SIDE + GAP) + GAP;
    let height = TOP + sets.len() as f64 * (SIDE + GAP) + 34.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#f6f7f9\"/>\n\
         <text x=\"{LEFT}\" y=\"34\" font-size=\"20\" font-weight=\"600\" fill=\"#1c2430\">Clusterers on the same data</text>\n"
    );
    // Writing to a String cannot fail.
    if let Some(line) = grid.first() {
        for (column, (name, _)) in line.iter().enumerate() {
            let x = LEFT + column as f64 * (SIDE + GAP) + SIDE / 2.0;
            let _ = writeln!(
                out,
                "<text x=\"{x}\" y=\"{}\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\" fill=\"#1c2430\">{name}</text>",
                TOP - 12.0
            );
        }
    }
    for (row, (set, line)) in sets.iter().zip(grid).enumerate() {
        let top = TOP + row as f64 * (SIDE + GAP);
        let (x, y) = (LEFT - 16.0, top + SIDE / 2.0);
        let _ = writeln!(
            out,
            "<text transform=\"translate({x} {y}) rotate(-90)\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\" \
             fill=\"#1c2430\">{}</text>",
            set.name
        );
        for (column, (_, cell)) in line.iter().enumerate() {
            panel(&mut out, LEFT + column as f64 * (SIDE + GAP), top, set, cell);
        }
    }
    let _ = writeln!(
        out,
        "<text x=\"{LEFT}\" y=\"{}\" font-size=\"11.5\" fill=\"#5a6472\">{} rows each. Top left: adjusted Rand index to the truth. \
         Bottom left: stability over random 80 % of the rows. Bottom right: time. Grey: noise.</text>\n</svg>",
        height - 16.0,
        sets.first().map_or(0, |set| set.truth.len())
    );
    out
}

fn panel(out: &mut String, left: f64, top: f64, set: &DataSet, cell: &Cell) {
    let _ = writeln!(
        out,
        "<rect x=\"{left}\" y=\"{top}\" width=\"{SIDE}\" height=\"{SIDE}\" rx=\"6\" fill=\"#ffffff\" stroke=\"#e1e4ea\"/>"
    );
    // All panels of a row show the same window, with room for the figures above and below.
    let ends = [0, 1].map(|c| {
        let column = || set.rows.column(c).into_iter().map(|&x| f64::from(x));
        (column().fold(f64::INFINITY, f64::min), column().fold(f64::NEG_INFINITY, f64::max))
    });
    let scale = (SIDE - 40.0) / ends.iter().fold(0.0, |most: f64, (low, high)| most.max(high - low));
    let [x0, y0] = ends.map(|(low, high)| scale * (low + high) / 2.0);
    let (x0, y0) = (left + SIDE / 2.0 - x0, top + SIDE / 2.0 + y0);
    // Clusters by their first row, so that what is alike has one colour in all panels of a row.
    let mut clusters = vec![-1];
    for &label in &cell.labels {
        if !clusters.contains(&label) {
            clusters.push(label);
        }
    }
    for (number, &label) in clusters.iter().enumerate() {
        let colour = number.checked_sub(1).map_or(NOISE, |number| COLOURS[number % COLOURS.len()]);
        let mut path = String::new();
        for (point, _) in set.rows.outer_iter().zip(&cell.labels).filter(|(_, own)| **own == label) {
            let (x, y) = (x0 + scale * f64::from(point[0]), y0 - scale * f64::from(point[1]));
            let _ = write!(path, "M{x:.1} {y:.1}h0");
        }
        if !path.is_empty() {
            let _ = writeln!(
                out,
                "<path d=\"{path}\" stroke=\"{colour}\" stroke-width=\"3.1\" stroke-linecap=\"round\" stroke-opacity=\".8\" fill=\"none\"/>"
            );
        }
    }
    // Figures stand out from the points behind them.
    let mut figure = |x: f64, y: f64, anchor: &str, weight: u32, text: String| {
        let _ = writeln!(
            out,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"10.5\" font-weight=\"{weight}\" text-anchor=\"{anchor}\" fill=\"#333c49\" \
             stroke=\"#ffffff\" stroke-width=\"3\" stroke-linejoin=\"round\" paint-order=\"stroke\">{text}</text>"
        );
    };
    figure(left + 7.0, top + 15.0, "start", 600, two_places(cell.ari));
    figure(left + 7.0, top + SIDE - 7.0, "start", 400, two_places(cell.stability));
    figure(left + SIDE - 7.0, top + SIDE - 7.0, "end", 400, time(cell.seconds));
}

/// Without a sign before what rounds to nothing.
fn two_places(x: f64) -> String {
    format!("{:.2}", (100.0 * x).round() / 100.0 + 0.0)
}

fn time(seconds: f64) -> String {
    match 1e3 * seconds {
        ms if ms < 1.0 => format!("{:.0} µs", 1e3 * ms),
        ms if ms < 100.0 => format!("{ms:.1} ms"),
        ms => format!("{ms:.0} ms"),
    }
}
