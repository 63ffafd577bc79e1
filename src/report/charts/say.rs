//! The words of the charts, in one place.

use crate::report::words::things;

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
