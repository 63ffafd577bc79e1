//! How sure a cluster is, in words: stability, evidence of separation, the model's confidence.

use super::parts::term;
use super::words::whole;
use crate::Explanation;
use crate::boost::confidence_of;
use crate::explain::ClusterFidelity;
use crate::recursive::{ClusterTree, Grade, Node, Separation, Split, Stability, StabilityGrade};
use maud::{Markup, html};

/// How sure the model is of a leaf's rows that were explained.
#[derive(Clone, Copy, Debug)]
pub(super) struct Confidence {
    rows: usize,
    /// Rows that the model puts into the leaf.
    here: usize,
    /// Mean probability of the leaf.
    mean: f64,
}

/// For each leaf, from what the attributions add up to; `explained` are places in the explanation, `rows` their rows.
pub(super) fn confidence(
    why: &Explanation,
    explained: &[usize],
    rows: &[u32],
    leaf_of_row: &[i32],
    leaves: usize,
) -> Vec<Option<Confidence>> {
    let margins = why.outputs();
    let mut sums = vec![Confidence { rows: 0, here: 0, mean: 0.0 }; leaves];
    for &i in explained {
        let Ok(leaf) = usize::try_from(leaf_of_row[rows[i] as usize]) else { continue };
        let margins = margins.row(i);
        let own = &mut sums[leaf];
        own.rows += 1;
        own.here += usize::from(margins.iter().all(|&margin| margin <= margins[leaf]));
        own.mean += confidence_of(margins.iter().copied())(margins[leaf]);
    }
    let mean = |own: Confidence| (own.rows > 0).then(|| Confidence { mean: own.mean / own.rows as f64, ..own });
    sums.into_iter().map(mean).collect()
}

impl Confidence {
    pub(super) fn words(&self) -> Markup {
        html! {
            b { "The " (term("model", "model")) } " puts " (of_hundred(self.here as f64 / self.rows as f64)) " of 100 of its rows here and gives them a probability of " (whole(self.mean)) " on average (it was trained on them)."
        }
    }
}

/// How well a model does on rows that it has not seen.
pub(super) fn fidelity(own: &ClusterFidelity) -> Markup {
    html! {
        b { "On rows that it has not seen" } " a model finds " (of_hundred(own.recall)) " of 100 rows of the cluster, and of 100 that it puts here " (of_hundred(own.precision)) " belong here."
        @if !own.explainable { " The columns hardly tell this cluster from other rows." }
    }
}

/// A share as a number of 100.
pub(super) fn of_hundred(share: f64) -> String {
    match share {
        s if s > 0.0 && s < 0.005 => "fewer than 1".to_string(),
        s if (0.995..1.0).contains(&s) => "more than 99".to_string(),
        s => format!("{:.0}", 100.0 * s),
    }
}

/// Stability in words; the second part says what it means.
pub(super) fn stability(found: &Stability) -> Markup {
    let meaning = match found.grade() {
        StabilityGrade::HighlyStable | StabilityGrade::Stable => "",
        StabilityGrade::Pattern => " There is a pattern, but which rows belong to it is doubtful.",
        StabilityGrade::Doubtful => " Which rows belong to it depends on chance.",
        StabilityGrade::Dissolved => " In most runs it is gone.",
    };
    html! {
        b { (capital(&found.grade().to_string())) } ": found again in " (found.found) " of " (found.runs) " runs"
        @if found.share < 1.0 { " on " (whole(found.share)) " of the rows" }
        ", with a mean " (term("stability", "overlap")) " of " (format!("{:.2}", found.jaccard)) " of 1." (meaning)
    }
}

pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The verdict on a node: the path of the sibling that it is least separated from, and how they are separated.
pub(super) fn verdict<'a>(tree: &'a ClusterTree, node: &Node) -> Option<(String, &'a Separation)> {
    let parent = tree.parent(node)?;
    let split = parent.split()?;
    let pairs = match split.noise().filter(|_| node.found_in_noise()) {
        Some(noise) => pairs(noise.separations(), |c| noise.child_of(c)),
        None => pairs(split.separations(), |c| split.child_of(c)),
    };
    let number = node.path().number()? as usize;
    // A pair that is the least separated one of both stands there once. Of equal ones the first counts.
    let own = pairs.into_iter().filter(|(of, from, _)| [of, from].contains(&&number));
    let (of, from, worst) = own.reduce(|worst, pair| if pair.2.p_value > worst.2.p_value { pair } else { worst })?;
    let other = if of == number { from } else { of };
    Some((parent.path().child(other as u32).to_string(), worst))
}

/// Pairs of different children that were compared.
fn pairs(separations: &[Separation], child_of: impl Fn(usize) -> Option<usize>) -> Vec<(usize, usize, &Separation)> {
    let child = |clusters: &[usize]| child_of(*clusters.first()?);
    let pairs = separations.iter().filter_map(|s| Some((child(&s.of)?, child(&s.from)?, s)));
    pairs.filter(|(of, from, _)| of != from).collect()
}

/// A verdict in words.
pub(super) fn separation(other: &str, found: &Separation) -> Markup {
    let words = match found.grade {
        Grade::Separated => format!("from {other}, the sibling that it is least separated from"),
        Grade::Continuum => format!("with {other}: found again on other rows, but the one runs over into the other"),
        Grade::NotFoundAgain => format!("on other rows; it was compared with {other}"),
    };
    html! { b { (capital(&found.grade.to_string())) } " " (words) (crossed(found)) "." }
}

/// What the tests on held-out rows say of a split: its reason, and each child's least separated sibling.
pub(super) fn evidence(node: &Node, split: &Split) -> Markup {
    let name = |child: usize| node.path().child(child as u32);
    html! {
        @if split.judge().is_some() {
            p class="small" { b { "Evidence: " } (split.reason()) "." }
            ul class="small" {
                @for (of, from, separation) in pairs(split.separations(), |c| split.child_of(c)) {
                    li { (name(of)) " and " (name(from)) ": " b { (separation.grade) } (crossed(separation)) "." }
                }
            }
        }
    }
}

/// How empty a boundary is, in words.
fn crossed(separation: &Separation) -> Markup {
    let Some(boundary) = separation.boundary else { return html! {} };
    let often = match boundary {
        b if b < 0.005 => "; no neighbours lie across their boundary".to_string(),
        b => format!("; their boundary is crossed {b:.2} times as often as a cut through the middle of either"),
    };
    // Half as often would be plain, had there been enough rows.
    let but =
        if separation.grade == Grade::Continuum && boundary < 0.5 { ", but the rows are too few to tell" } else { "" };
    html! { (often) (but) " (" (term("evidence", "p")) " " (small(separation.p_value)) ")" }
}

/// A p-value to two digits.
fn small(p: f64) -> String {
    match p {
        p if p < 1e-4 => "below 0.0001".to_string(),
        p if p < 0.01 => format!("{p:.4}"),
        p => format!("{p:.2}"),
    }
}

/// What a cluster is good for, from what is known of it.
pub(super) fn advice(grade: Option<StabilityGrade>, verdict: Option<Grade>) -> &'static str {
    use StabilityGrade::{Dissolved, Doubtful, Pattern};
    match (grade, verdict) {
        (Some(Dissolved | Doubtful), _) | (_, Some(Grade::NotFoundAgain)) => {
            "Do not build on it yet: other rows or another run give other clusters here. Take it together with its siblings, or collect more rows."
        }
        (Some(Pattern), _) => "Use its typical rows, not its border: which rows belong to it is doubtful.",
        (_, Some(Grade::Continuum)) => {
            "Use it as a segment of a range, not as a kind of its own: the border can be moved to suit the purpose, and rows near it are like those beyond."
        }
        (Some(_), Some(Grade::Separated)) => "Use it as a kind of its own: it can be named, counted and followed.",
        (Some(_), None) => {
            "It can be counted and followed. Whether it is a kind of its own or a segment of a range was not tested."
        }
        (None, Some(Grade::Separated)) => {
            "Use it as a kind of its own; how well it is found again in repeated runs was not measured."
        }
        (None, None) => "Take it as a suggestion: neither its stability nor its separation was tested.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_numbers_of_a_hundred() {
        let found = [0.0, 0.001, 0.942, 0.997, 1.0].map(of_hundred);
        assert_eq!(found, ["0", "fewer than 1", "94", "more than 99", "100"]);
        assert_eq!((capital("a pattern"), capital("")), ("A pattern".to_string(), String::new()));
    }

    #[test]
    fn what_was_not_found_again_is_nothing_to_build_on() {
        let stable = Some(StabilityGrade::HighlyStable);
        assert!(advice(stable, Some(Grade::NotFoundAgain)).starts_with("Do not build on it"));
        assert!(advice(Some(StabilityGrade::Dissolved), Some(Grade::Separated)).starts_with("Do not build on it"));
        assert!(advice(stable, Some(Grade::Continuum)).contains("segment of a range"));
        assert!(advice(stable, Some(Grade::Separated)).starts_with("Use it as a kind of its own"));
        assert!(advice(None, None).contains("neither"));
    }
}
