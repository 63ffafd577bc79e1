//! How sure a cluster is, in words: stability, evidence of separation, the model's confidence.

use super::text::{Text, Value, say, words};
use crate::Clusterer;
use crate::Explanation;
use crate::boost::confidence_of;
use crate::cluster::StableParts;
use crate::explain::ClusterFidelity;
use crate::recursive::{ClusterTree, Grade, Node, Path, Separation, Split, Stability, StabilityGrade};
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
    pub(super) fn words(&self, text: &Text) -> Markup {
        let here = of_hundred(text, self.here as f64 / self.rows as f64);
        say!(text, "sure.model", here = here, mean = text.whole(self.mean))
    }
}

/// How well a model does on rows that it has not seen.
pub(super) fn fidelity(text: &Text, own: &ClusterFidelity) -> Markup {
    let (recall, precision) = (of_hundred(text, own.recall), of_hundred(text, own.precision));
    html! {
        (say!(text, "sure.unseen", recall = recall, precision = precision))
        @if !own.explainable { " " (say!(text, "sure.hardly")) }
    }
}

/// A share as a number of 100.
pub(super) fn of_hundred(text: &Text, share: f64) -> String {
    match share {
        s if s > 0.0 && s < 0.005 => words!(text, "hundred.none"),
        s if (0.995..1.0).contains(&s) => words!(text, "hundred.all"),
        s => format!("{:.0}", 100.0 * s),
    }
}

/// A grade of stability in words.
pub(super) fn grade(text: &Text, grade: StabilityGrade) -> String {
    match grade {
        StabilityGrade::HighlyStable => words!(text, "grade.highly_stable"),
        StabilityGrade::Stable => words!(text, "grade.stable"),
        StabilityGrade::Pattern => words!(text, "grade.pattern"),
        StabilityGrade::Doubtful => words!(text, "grade.doubtful"),
        StabilityGrade::Dissolved => words!(text, "grade.dissolved"),
    }
}

/// A verdict in words.
pub(super) fn graded(text: &Text, grade: Grade) -> String {
    match grade {
        Grade::Separated => words!(text, "verdict.separated"),
        Grade::Continuum => words!(text, "verdict.continuum"),
        Grade::Undecided => words!(text, "verdict.undecided"),
        Grade::NotFoundAgain => words!(text, "verdict.not_found_again"),
    }
}

/// The overlap with which the runs of a second look find a cluster: its persistence, where [`StableParts`] looked.
pub(super) fn overlap_at_second_look(tree: &ClusterTree, node: &Node) -> Option<f64> {
    let looked = tree.parent(node)?.split()?.second_look()?;
    let by_runs = looked.method() == StableParts::new().settings().method();
    node.persistence().filter(|_| by_runs)
}

/// How stable a cluster is, from repeated searches or from the runs of a second look.
pub(super) fn stability_grade(tree: &ClusterTree, node: &Node) -> Option<StabilityGrade> {
    let looked_twice = || overlap_at_second_look(tree, node).map(StabilityGrade::of);
    node.stability().map(Stability::grade).or_else(looked_twice)
}

/// Stability in words; the second part says what it means.
pub(super) fn stability(text: &Text, found: &Stability) -> Markup {
    let meaning = match found.grade() {
        StabilityGrade::HighlyStable | StabilityGrade::Stable => None,
        StabilityGrade::Pattern => Some(say!(text, "stability.pattern")),
        StabilityGrade::Doubtful => Some(say!(text, "stability.doubtful")),
        StabilityGrade::Dissolved => Some(say!(text, "stability.dissolved")),
    };
    let part = match found.share < 1.0 {
        true => words!(text, "stability.part", share = text.whole(found.share)),
        false => String::new(),
    };
    let line = say!(
        text,
        "stability.line",
        grade = capital(&grade(text, found.grade())),
        found = Value::Digits(found.found),
        n = Value::Digits(found.runs),
        part = part,
        overlap = text.decimals(found.jaccard, 2)
    );
    html! { (line) @if let Some(meaning) = meaning { " " (meaning) } }
}

pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What separates a cluster from the sibling `other`.
pub(super) fn separation(text: &Text, other: &Path, found: &Separation) -> Markup {
    let (verdict, crossed) = (capital(&graded(text, found.grade)), crossed(text, found));
    match found.grade {
        Grade::Separated => {
            say!(text, "separation.separated", verdict = verdict, other = other.to_string(), crossed = crossed)
        }
        Grade::Continuum => {
            say!(text, "separation.continuum", verdict = verdict, other = other.to_string(), crossed = crossed)
        }
        Grade::Undecided => {
            say!(text, "separation.undecided", verdict = verdict, other = other.to_string(), crossed = crossed)
        }
        Grade::NotFoundAgain => {
            say!(text, "separation.not_found_again", verdict = verdict, other = other.to_string(), crossed = crossed)
        }
    }
}

/// Pairs of siblings up to which each is told, even if all are separated.
const PAIRS: usize = 4;

/// What the tests on held-out rows say of a split: its reason, and each child's least separated sibling; of many children
/// those that are separated from all others by their names alone.
pub(super) fn evidence(text: &Text, tree: &ClusterTree, node: &Node, split: &Split) -> Markup {
    let name = |child: usize| node.path().child(child as u32).to_string();
    let pairs = split.compared();
    let is_separate =
        |child: &&Node| tree.least_separated(child).is_some_and(|(_, found)| found.grade == Grade::Separated);
    let separate: Vec<String> = match pairs.len() > PAIRS {
        true => tree.children(node).filter(is_separate).map(|child| child.path().to_string()).collect(),
        false => Vec::new(),
    };
    let told = pairs.into_iter().filter(|(_, _, found)| separate.is_empty() || found.grade != Grade::Separated);
    let pair = |of: usize, from: usize, found: &Separation| {
        let (verdict, crossed) = (graded(text, found.grade), crossed(text, found));
        match found.grade {
            Grade::NotFoundAgain => {
                say!(text, "evidence.not_found_again", one = name(of), other = name(from), verdict = verdict)
            }
            _ => say!(text, "evidence.pair", one = name(of), other = name(from), verdict = verdict, crossed = crossed),
        }
    };
    html! {
        @if split.judge().is_some() {
            p class="small" { (say!(text, "evidence.split", reason = split.reason())) }
            ul class="small" {
                @for (of, from, separation) in told { li { (pair(of, from, separation)) } }
                @if !separate.is_empty() {
                    li { (say!(text, "evidence.separated", list = text.list(&separate), n = Value::Digits(separate.len()))) }
                }
            }
        }
    }
}

/// How empty a boundary is, in words.
fn crossed(text: &Text, separation: &Separation) -> Markup {
    let Some(boundary) = separation.boundary else { return html! {} };
    let often = match boundary {
        b if b < 0.005 => words!(text, "crossed.never"),
        b => words!(text, "crossed.often", boundary = text.decimals(b, 2)),
    };
    say!(text, "crossed.line", often = often, p = small(text, separation.p_value))
}

/// A p-value to two digits.
fn small(text: &Text, p: f64) -> String {
    match p {
        p if p < 1e-4 => words!(text, "crossed.least", p = text.decimals(1e-4, 4)),
        p if p < 0.01 => text.decimals(p, 4),
        p => text.decimals(p, 2),
    }
}

/// Whether there is anything to build on: a cluster that most runs find again, and other rows too.
pub(super) fn holds(grade: Option<StabilityGrade>, verdict: Option<Grade>) -> bool {
    use StabilityGrade::{Dissolved, Doubtful};
    !matches!((grade, verdict), (Some(Dissolved | Doubtful), _) | (_, Some(Grade::NotFoundAgain)))
}

/// What a cluster is good for, from what is known of it.
pub(super) fn advice(text: &Text, grade: Option<StabilityGrade>, verdict: Option<Grade>) -> Markup {
    if !holds(grade, verdict) {
        return say!(text, "advice.nothing");
    }
    match (grade, verdict) {
        (Some(StabilityGrade::Pattern), _) => say!(text, "advice.pattern"),
        (_, Some(Grade::Continuum)) => say!(text, "advice.segment"),
        (_, Some(Grade::Undecided)) => say!(text, "advice.undecided"),
        (Some(_), None) => say!(text, "advice.counted"),
        (Some(_), Some(_)) => say!(text, "advice.kind"),
        (None, Some(_)) => say!(text, "advice.kind_not_measured"),
        (None, None) => say!(text, "advice.suggestion"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::KMeans;
    use crate::embed::Identity;
    use crate::recursive::{Judge, Proposal, RecursiveTree, Verdict};
    use crate::{Result, Run};

    /// Compares each of six clusters with the next: the last two run over into each other, the third was not found again.
    struct Chain;

    impl Judge for Chain {
        fn judge(&self, _proposal: &Proposal<'_>, _run: &Run) -> Result<Verdict> {
            let pair = |of: usize, from: usize, grade: Grade, p_value: f64| {
                let boundary = (grade != Grade::NotFoundAgain).then_some(0.2);
                Separation { of: vec![of], from: vec![from], grade, p_value, boundary }
            };
            Ok(Verdict::keep("tested").with_separations(vec![
                pair(0, 1, Grade::Separated, 0.01),
                pair(1, 3, Grade::Separated, 0.02),
                pair(2, 3, Grade::NotFoundAgain, 1.0),
                pair(3, 4, Grade::Separated, 0.03),
                pair(4, 5, Grade::Continuum, 0.6),
            ]))
        }
    }

    #[test]
    fn of_many_clusters_the_separate_ones_are_named_together() -> Result<()> {
        let rows = ndarray::Array2::from_shape_fn((600, 1), |(i, _)| (i % 6 * 100) as f32 + (i % 7) as f32);
        let tree = RecursiveTree::new(Identity, KMeans::new(6)).levels(1).judge(Chain).fit(&rows, &Run::new())?;
        let split = tree.root().split().unwrap();
        let child = |cluster: usize| tree.root().path().child(split.child_of(cluster).unwrap() as u32).to_string();
        let told = evidence(Text::english(), &tree, tree.root(), split).into_string().replace(['\u{a0}'], " ");
        let mut separate = [0, 1, 3].map(child);
        separate.sort();
        let [a, b, c] = separate;
        for line in [
            format!("<b>separated</b> from all their siblings: {a}, {b} and {c}."),
            format!("{}: <b>not found again</b> on other rows; it was compared with {}.", child(2), child(3)),
            format!("{} and {}: <b>continuum</b>;", child(4), child(5)),
        ] {
            assert!(told.contains(&line), "{line}: {told}");
        }
        assert_eq!(told.matches("<li>").count(), 3);
        Ok(())
    }

    #[test]
    fn shares_are_numbers_of_a_hundred() {
        let found = [0.0, 0.001, 0.942, 0.997, 1.0].map(|share| of_hundred(Text::english(), share));
        assert_eq!(found, ["0", "fewer than 1", "94", "more than 99", "100"]);
        assert_eq!((capital("a pattern"), capital("")), ("A pattern".to_string(), String::new()));
    }

    #[test]
    fn what_was_not_found_again_is_nothing_to_build_on() {
        let stable = Some(StabilityGrade::HighlyStable);
        let advice = |grade, verdict| advice(Text::english(), grade, verdict).into_string();
        assert!(advice(stable, Some(Grade::NotFoundAgain)).starts_with("Do not build on it"));
        assert!(advice(Some(StabilityGrade::Dissolved), Some(Grade::Separated)).starts_with("Do not build on it"));
        assert!(advice(stable, Some(Grade::Continuum)).contains("segment of a range"));
        assert!(advice(stable, Some(Grade::Undecided)).contains("too few to tell"));
        assert!(advice(stable, Some(Grade::Separated)).starts_with("Use it as a kind of its own"));
        assert!(advice(None, None).contains("neither"));
    }
}
