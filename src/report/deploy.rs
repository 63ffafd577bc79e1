//! How the clusters are used: what the model does on rows that it has not seen, and how new rows are scored.

use super::Contents;
use super::charts::Calibration;
use super::sure::of_hundred;
use super::words::{count, percent, things};
use crate::explain::Fidelity;
use maud::{Markup, html};

/// Lines of a table of clusters, and of the list of mistakes.
const LINES: usize = 40;
const MISTAKES: usize = 8;
/// Bins of a calibration curve.
const BINS: usize = 10;

/// Commands that score new rows, and what each is for.
const COMMANDS: [(&str, &str); 3] = [
    (
        "recluster predict --model model.json --data new.csv --out assigned.csv",
        "gives each new row its cluster, how sure that is, and the runner-up; columns are matched by name.",
    ),
    (
        "recluster predict --model model.json --data new.csv --out assigned.csv --precision 0.95",
        "turns away as few rows as leave 95 % of the others right, by known rows that were held out.",
    ),
    (
        "recluster predict --model model.json --data new.csv --out assigned.csv --drift-out drift.json",
        "also compares the new rows with those that were fitted, column by column: fit again where they have moved.",
    ),
];

/// The section; nothing where there is no model.
pub(super) fn section(contents: &Contents<'_>) -> Markup {
    let report = contents.report;
    if report.explained.is_none() && report.fidelity.is_none() {
        return html! {};
    }
    html! {
        h2 class="page" { "Putting it to use" }
        div class="panel flow" {
            h3 class="top" { "How well a model finds the clusters" }
            @match report.fidelity {
                Some(found) => (measured(found)),
                None => p { "Not measured on rows that the model has not seen: recluster fit --fidelity does. What the cards say of the model is of rows that it was trained on." },
            }
            h3 { "How new rows are scored" }
            p { "No new map is drawn and no cluster moves: the model reads the original columns alone." }
            dl class="commands" {
                @for (command, use_of_it) in COMMANDS { dt { code { (command) } } dd { (use_of_it) } }
            }
        }
    }
}

fn measured(found: &Fidelity) -> Markup {
    let figure = |value: Option<f64>| value.map_or("–".to_string(), |value| format!("{value:.2}"));
    let telling = found.clusters.iter().filter(|own| own.explainable).count();
    html! {
        p {
            "Of 100 rows of clusters that the model has not seen, it puts " b { (of_hundred(found.accuracy)) } " into their own ("
            (things(found.rows, "row", "rows")) " were held out in turn). The columns tell "
            (telling) " of " (things(found.clusters.len(), "cluster", "clusters")) " from other rows."
        }
        div class="scroll" {
            table class="fidelity" {
                thead { tr {
                    th { "Cluster" } th class="figure" { "Rows" } th class="figure" { "Found, of 100" } th class="figure" { "Right, of 100" }
                    th class="figure" { "AUC" } th class="figure" { "Brier" } th { "The columns tell it" }
                } }
                tbody {
                    @for own in found.clusters.iter().take(LINES) {
                        tr {
                            td { a href=(format!("#cluster-{}", own.name)) { (own.name) } }
                            td class="figure" { (count(own.rows)) }
                            td class="figure" { (of_hundred(own.recall)) }
                            td class="figure" { (of_hundred(own.precision)) }
                            td class="figure" { (figure(own.auc)) }
                            td class="figure" { (format!("{:.3}", own.brier)) }
                            td { (if own.explainable { "yes" } else { "hardly" }) }
                        }
                    }
                }
            }
        }
        @if found.clusters.len() > LINES { p class="small" { "The first " (LINES) " of " (count(found.clusters.len())) " clusters." } }
        p class="small" { "Found: of the cluster's rows, those that the model puts there (recall). Right: of the rows that it puts there, those that belong there (precision). AUC: how often a row of the cluster has a higher probability than another row; 0.5 is chance. Brier: mean squared error of the probability; 0 is best." }
        (mistakes(found))
        (calibration(found))
    }
}

/// The commonest confusions.
fn mistakes(found: &Fidelity) -> Markup {
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
    html! {
        h3 { "What it takes for what" }
        @if wrong.is_empty() { p { "No row of a cluster was put into another one." } } @else {
            ul { @for (share, of, to) in wrong { li { (percent(share)) " of " (name(of)) " are put into " (name(to)) "." } } }
        }
    }
}

/// What is observed where the model says a probability, over all clusters.
fn calibration(found: &Fidelity) -> Markup {
    let mut bins = [(0usize, 0.0, 0.0); BINS];
    for own in found.clusters.iter().flat_map(|own| &own.curve) {
        let bin = &mut bins[((own.predicted * BINS as f64) as usize).min(BINS - 1)];
        bin.0 += own.rows;
        bin.1 += own.predicted * own.rows as f64;
        bin.2 += own.observed * own.rows as f64;
    }
    let filled: Vec<(f64, f64, usize)> =
        bins.into_iter().filter(|bin| bin.0 > 0).map(|(n, said, seen)| (said / n as f64, seen / n as f64, n)).collect();
    html! {
        @if !filled.is_empty() {
            h3 { "Whether its probabilities can be taken at their word" }
            div class="scroll" { (Calibration::new("All clusters together", filled).draw().inline()) }
            p class="small" { "Every row gives an answer for every cluster. On the dashed line a probability of 80 % is right in 80 of 100 cases." }
        }
    }
}
