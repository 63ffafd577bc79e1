//! How the clusters are used: what the model does on rows that it has not seen, and how new rows are scored.

use super::Contents;
use super::charts::CalibrationChart;
use super::sure::of_hundred;
use super::text::{Text, Value, say, words};
use crate::explain::{Fidelity, Selectivity};
use maud::{Markup, html};

/// Lines of a table of clusters, and of the list of mistakes.
const LINES: usize = 40;
const MISTAKES: usize = 8;
/// Shares of the known rows that are turned away, in steps of the curve.
const TURNED_AWAY: [usize; 4] = [0, 2, 10, 20];
/// Bins of a calibration curve.
const BINS: usize = 10;

/// The command that scores new rows, and what is added to it.
const COMMAND: &str = "recluster predict --model model.json --data new.csv --out assigned.csv";
const PRECISION: &str = " --precision 0.95";
const DRIFT: &str = " --drift-out drift.json";

/// The section; nothing where there is no model.
pub(super) fn section(contents: &Contents<'_>) -> Markup {
    let (report, text) = (contents.report, contents.text());
    if report.explained.is_none() && report.fidelity.is_none() {
        return html! {};
    }
    let commands =
        [("", say!(text, "use.predict")), (PRECISION, say!(text, "use.precision")), (DRIFT, say!(text, "use.drift"))];
    html! {
        h2 class="page" { (say!(text, "use.title")) }
        div class="panel flow" {
            h3 class="top" { (say!(text, "use.how_well")) }
            @match report.fidelity {
                Some(found) => (measured(text, found)),
                None => p { (say!(text, "use.not_measured")) },
            }
            @if let Some(found) = report.selectivity.filter(|found| !found.thresholds.is_empty()) { (turned_away(text, found)) }
            h3 { (say!(text, "use.new_rows")) }
            p { (say!(text, "use.no_map")) }
            dl class="commands" {
                @for (added, use_of_it) in commands { dt { code { (COMMAND) (added) } } dd { (use_of_it) } }
            }
        }
    }
}

/// What it costs and gains to turn away rows that the model is not sure of.
fn turned_away(text: &Text, found: &Selectivity) -> Markup {
    let steps = found.thresholds.len() - 1;
    let lines = TURNED_AWAY.into_iter().filter(|&step| step <= steps && step < found.precision.len());
    html! {
        h3 { (say!(text, "use.away")) }
        p { (say!(text, "use.away_means", rows = words!(text, "rows", n = found.known))) }
        div class="scroll" {
            table class="fidelity" {
                thead { tr {
                    th class="figure" { (say!(text, "use.away_known")) } th class="figure" { (say!(text, "use.away_right")) }
                    @if found.unknown > 0 { th class="figure" { (say!(text, "use.away_none", rows = words!(text, "rows", n = found.unknown))) } }
                } }
                tbody {
                    @for step in lines {
                        tr {
                            td class="figure" { (text.percent(step as f64 / steps as f64)) }
                            td class="figure" { (text.percent(found.precision[step])) }
                            @if found.unknown > 0 { td class="figure" { (text.percent(found.turned_away[step])) } }
                        }
                    }
                }
            }
        }
    }
}

fn measured(text: &Text, found: &Fidelity) -> Markup {
    let figure = |value: Option<f64>| value.map_or("–".to_string(), |value| text.decimals(value, 2));
    let telling = found.clusters.iter().filter(|own| own.explainable).count();
    let summary = say!(
        text,
        "use.of_hundred",
        found = of_hundred(text, found.accuracy),
        rows = words!(text, "rows", n = found.rows),
        telling = Value::Digits(telling),
        clusters = words!(text, "clusters", n = found.clusters.len())
    );
    html! {
        p { (summary) }
        div class="scroll" {
            table class="fidelity" {
                thead { tr {
                    th { (say!(text, "head.cluster")) } th class="figure" { (say!(text, "head.rows")) }
                    th class="figure" { (say!(text, "use.found")) } th class="figure" { (say!(text, "use.right")) }
                    th class="figure" { (say!(text, "use.auc")) } th class="figure" { (say!(text, "use.brier")) } th { (say!(text, "use.tell")) }
                } }
                tbody {
                    @for own in found.clusters.iter().take(LINES) {
                        tr {
                            td { a href=(format!("#cluster-{}", own.name)) { (own.name) } }
                            td class="figure" { (text.count(own.rows)) }
                            td class="figure" { (of_hundred(text, own.recall)) }
                            td class="figure" { (of_hundred(text, own.precision)) }
                            td class="figure" { (figure(own.auc)) }
                            td class="figure" { (text.decimals(own.brier, 3)) }
                            td { (if own.explainable { say!(text, "use.yes") } else { say!(text, "use.hardly") }) }
                        }
                    }
                }
            }
        }
        @if found.clusters.len() > LINES { p class="small" { (say!(text, "use.first", shown = LINES, n = found.clusters.len())) } }
        p class="small" { (say!(text, "use.heads")) }
        (mistakes(text, found))
        (calibration(text, found))
    }
}

/// The commonest confusions.
fn mistakes(text: &Text, found: &Fidelity) -> Markup {
    let clusters = found.clusters.len();
    let mut wrong: Vec<(f64, usize, usize)> = Vec::new();
    for (i, line) in found.confusion.iter().enumerate().take(clusters) {
        let all: f64 = line.iter().sum();
        let pairs = line.iter().enumerate().filter(|&(j, &weight)| j != i && weight > 0.0);
        wrong.extend(pairs.map(|(j, weight)| (weight / all, i, j)));
    }
    // Stable: of equal ones the first cluster's.
    wrong.sort_by(|a, b| b.0.total_cmp(&a.0));
    wrong.truncate(MISTAKES);
    let name = |cluster: usize| found.clusters.get(cluster).map_or("", |own| own.name.as_str());
    let line = |(share, of, to): (f64, usize, usize)| {
        say!(text, "use.mistake", share = text.percent(share), of = name(of), to = name(to))
    };
    html! {
        h3 { (say!(text, "use.mistakes")) }
        @if wrong.is_empty() { p { (say!(text, "use.no_mistakes")) } } @else {
            ul { @for pair in wrong { li { (line(pair)) } } }
        }
    }
}

/// What is observed where the model says a probability, over all clusters.
fn calibration(text: &Text, found: &Fidelity) -> Markup {
    let mut bins = [(0, 0.0, 0.0, 0.0); BINS];
    for own in found.clusters.iter().flat_map(|own| &own.curve) {
        let bin = &mut bins[((own.predicted * BINS as f64) as usize).min(BINS - 1)];
        bin.0 += own.rows;
        bin.1 += own.weight;
        bin.2 += own.predicted * own.weight;
        bin.3 += own.observed * own.weight;
    }
    let filled: Vec<(f64, f64, usize)> =
        bins.into_iter().filter(|bin| bin.0 > 0).map(|(n, all, said, seen)| (said / all, seen / all, n)).collect();
    html! {
        @if !filled.is_empty() {
            h3 { (say!(text, "use.calibration")) }
            div class="scroll" { (CalibrationChart::new(words!(text, "use.all_clusters"), filled).draw_in(text).inline()) }
            p class="small" { (say!(text, "use.diagonal")) }
        }
    }
}
