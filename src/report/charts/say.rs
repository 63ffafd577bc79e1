//! The words of the charts, in one place.

use crate::report::words::{things, value};

pub(super) const NOTHING: &str = "nothing to show";

pub(super) const BARS: &str = "Features that set the cluster apart";
pub(super) const LOWER: &str = "lower than usual";
pub(super) const HIGHER: &str = "higher than usual";
pub(super) const HERE_ALL: &str = "here (all rows)";

pub(super) const SWARM: &str = "How each feature pushes the model";
pub(super) const AGAINST: &str = "speaks against ←";
pub(super) const FOR: &str = "→ speaks for this cluster";
pub(super) const PUSH: &str = "push on the model (SHAP value, log-odds)";
pub(super) const HIGH: &str = "high";
pub(super) const LOW: &str = "low";
pub(super) const VALUE: &str = "value";
pub(super) const MISSING: &str = "missing";

pub(super) const TREE: &str = "Tree of clusters";
pub(super) const ALL_ROWS: &str = "All rows";
pub(super) const NO_CLUSTER: &str = "in no cluster";

pub(super) const MAP: &str = "Map";

pub(super) const CONDENSED: &str = "Condensed tree";
pub(super) const DISTANCE: &str = "distance";

pub(super) fn condensed(rows: &str, clusters: usize) -> String {
    let clusters = things(clusters, "selected cluster", "selected clusters");
    format!("{rows}, {clusters}; a branch is as wide as the rows still in it")
}

pub(super) fn branch(label: Option<usize>, rows: String, stability: String) -> String {
    let name = label.map_or(String::new(), |label| format!("cluster {label}: "));
    format!("{name}{rows} rows, stability {stability}")
}

pub(super) fn images(number: usize, signed: bool) -> String {
    match signed {
        true => things(number, "image of differences", "images of differences"),
        false => things(number, "image", "images"),
    }
}

pub(super) const WATERFALL: &str = "How the pushes of one row add up";
pub(super) const BASE: &str = "base value";
pub(super) const ROW: &str = "this row";

pub(super) fn unit(log_odds: bool) -> &'static str {
    if log_odds { "what the model says (log-odds of being in the cluster)" } else { "what the model says" }
}

pub(super) fn equals(name: &str, number: f64) -> String {
    if number.is_nan() { format!("{name} {MISSING}") } else { format!("{name} = {}", value(number)) }
}

pub(super) fn others(features: usize) -> String {
    things(features, "other feature", "other features")
}

pub(super) const DEPENDENCE: &str = "Dependence on";

pub(super) fn coloured_by(name: &str) -> String {
    format!(", coloured by {name}")
}

pub(super) const BESIDE: &str = "Charts side by side";

pub(super) const CONTRAST: &str = "What tells two clusters apart";
pub(super) const TELLS: &str = "how much it tells (log-odds)";

pub(super) fn apart(deviations: f64) -> String {
    format!("averages; the furthest lie {} standard deviations apart", value(deviations))
}

pub(super) const PROFILE: &str = "Averages of cluster";
pub(super) const AVERAGE_ALL: &str = "average of all rows, on their 5th to 95th percentile";

pub(super) const CROSSTAB: &str = "Shares by cluster of";
pub(super) const TOO_FEW: &str = "too few";

pub(super) fn crosstab(variable: &str) -> String {
    format!("{variable}: share with its 95 % interval; dashed: all rows; solid where they differ")
}

pub(super) fn other_levels(levels: usize) -> String {
    things(levels, "other level", "other levels")
}

pub(super) const STABILITY: &str = "How well clusters are found again";
pub(super) const JACCARD: &str = "Jaccard index: a tick for each run, a dot for their mean";
pub(super) const GRADES: [&str; 5] = ["dissolved", "doubtful", "a pattern", "stable", "highly stable"];

pub(super) fn found(found: usize, runs: usize) -> String {
    format!("found again in {found} of {runs} runs")
}

pub(super) const CALIBRATION: &str = "Calibration of cluster";
pub(super) const PREDICTED: &str = "probability that the model gives";
pub(super) const OBSERVED: &str = "share of these rows in the cluster";
pub(super) const TOO_CAREFUL: &str = "more are in it than it says";
pub(super) const TOO_SURE: &str = "fewer are in it than it says";
pub(super) const OF_THEM: &str = "predicted, observed";
pub(super) const ROWS: &str = "rows";

pub(super) const LAYERS: &str = "Clusters by the smallest size that counts";
pub(super) const CLUSTERS: &str = "clusters";
pub(super) const MIN_CLUSTER_SIZE: &str = "min_cluster_size";
pub(super) const PERSISTENCE: &str = "persistence";

pub(super) fn clusters(number: usize) -> String {
    things(number, "cluster", "clusters")
}

pub(super) fn layer(number: usize, from: usize, to: usize) -> String {
    format!("{} from {from} to {to}", clusters(number))
}
