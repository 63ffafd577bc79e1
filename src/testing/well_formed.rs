//! Whether an answer is well formed: as many rows as the table, labels and memberships in their ranges.

use super::answer::Answer;
use crate::{Clustering, NOISE};
use ndarray::ArrayRef2;

pub(super) fn shape(answer: &Answer, table: &ArrayRef2<f32>) -> Option<String> {
    let (rows, columns) = table.dim();
    match answer {
        Answer::Clusters(c) if c.labels().len() != rows => Some(format!("{} labels for {rows} rows", c.labels().len())),
        Answer::Clusters(c) if c.membership().len() != rows => {
            Some(format!("{} memberships for {rows} rows", c.membership().len()))
        }
        Answer::Positions(p) if p.nrows() != rows => Some(format!("{} positions for {rows} rows", p.nrows())),
        Answer::Positions(p) if p.ncols() == 0 => Some("positions without coordinates".to_string()),
        Answer::Values(v) if (v.values().dim().0, v.values().dim().1) != (rows, columns) || v.base().is_empty() => {
            let found = v.values().dim();
            Some(format!("attributions of {found:?}, where (row, feature, output) has to begin ({rows}, {columns}"))
        }
        _ => None,
    }
}

pub(super) fn labels(clusters: &Clustering) -> Option<String> {
    let largest = clusters.clusters() as i64;
    for (row, &label) in clusters.labels().iter().enumerate() {
        if label < NOISE || i64::from(label) >= largest {
            return Some(format!("label {label} for row {row}, of {largest} clusters"));
        }
    }
    (0..clusters.clusters())
        .find(|&c| !clusters.labels().contains(&(c as i32)))
        .map(|empty| format!("{largest} clusters, of which number {empty} has no row"))
}

pub(super) fn noise(clusters: &Clustering) -> Option<String> {
    let mut pairs = clusters.labels().iter().zip(clusters.membership());
    let row = pairs.position(|(&label, &m)| label == NOISE && m != 0.0)?;
    Some(format!("membership {} for row {row}, which is noise", clusters.membership()[row]))
}

pub(super) fn membership(clusters: &Clustering) -> Option<String> {
    if let Some(row) = clusters.membership().iter().position(|m| !(0.0..=1.0).contains(m)) {
        return Some(format!("membership {} for row {row}", clusters.membership()[row]));
    }
    let persistence = clusters.persistence()?;
    if persistence.len() != clusters.clusters() {
        return Some(format!("{} persistences for {} clusters", persistence.len(), clusters.clusters()));
    }
    let bad = persistence.iter().position(|p| !(0.0..=1.0).contains(p))?;
    Some(format!("persistence {} of cluster {bad}", persistence[bad]))
}
