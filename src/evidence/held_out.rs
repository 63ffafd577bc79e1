//! The judge that tests boundaries on held-out rows.

use super::boundary::{Boundary, Crossing, ratio, score, upper_tail};
use super::discriminant;
use super::trial::{Trial, halves, space};
use crate::core::random::Stream;
use crate::core::{setting_by_debug, settings_of};
use crate::neighbors::Nearest;
use crate::recursive::{Grade, Judge, Proposal, Separation, Verdict};
use crate::{Clustering, Error, Result, Run, Settings};
use ndarray::ArrayRef2;
use std::collections::HashMap;

const PURPOSE: u64 = 0x6576_6964;
/// Principal components that distances are measured in.
const COMPONENTS: usize = 30;
/// Edges of a row, and neighbours that vote for its cluster.
const EDGES: usize = 10;
const VOTES: usize = 15;
/// Neighbours searched of each row among both halves: enough that each half has its part.
const SEARCHED: usize = 45;
/// A boundary that is crossed more often than this for each crossing of a middle is one of a bent cloud.
const MOST_CROSSED: f64 = 1.25;
/// A boundary that is crossed less often than this for each crossing of a middle would be separated, had there been enough rows.
const PLAIN: f64 = 0.5;
/// Clusters of fewer rows have some 20 in a half at most, by which hardly anything is separated.
const FEW: usize = 40;
/// Most rows of a half.
const MOST: usize = 10_000;

/// What becomes of clusters that are not separated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Policy {
    /// Siblings that are not separated are joined, the least separated first; a split of which one is left is refused.
    #[default]
    Require,
    /// All clusters are kept, and the record of the split says which are separated.
    Mark,
}

setting_by_debug!(Policy);

/// Tests on held-out rows whether siblings are separated, at each node of a tree.
///
/// The rows are cut into two random halves (of at most 10,000 rows each). On one half the node's embedder and clusterer run
/// again; each cluster found there counts for the proposed one that it shares most rows with, and a proposed cluster is
/// *found again* if the two share more than half of the rows that either has (Jaccard). Each row of the other half takes the
/// cluster of most of its 15 nearest clustered rows. In the graph of its 10 nearest neighbours among the held-out rows (up
/// to 30 principal components of the rows as the embedder compares them), the edges from one sibling to the other are
/// counted, and those across a cut through the middle of the sibling, parallel to the boundary, from one side. A boundary
/// inside one cloud is crossed at least as often as the middle of its parts; between separate groups it is crossed by fewer
/// edges. The difference of the two counts in standard errors is the score of a side, of which the smaller counts; then the
/// halves change places, and the two scores are added as if their correlation were one half. Where that does not separate two
/// siblings it is done again in five columns, their discriminant and the first four principal components of both, and the
/// smaller p-value counts. It is doubled in either case, for two tests of each pair. A boundary that is crossed more than 1.25
/// times as often as the smallest middle, as in a bent cloud, separates nothing.
///
/// A pair is [`Grade::Separated`] if its p-value is at most `alpha` x (n − 1) / (N − 1), with n rows of the node and N of the
/// table, so that all tests down the tree err together at about `alpha` (as in sc-SHC, Grabski, Street, Irizarry 2023); a leaf that a
/// [second look](crate::recursive::RecursiveTree::second_look) proposes to divide is judged a second time at its level.
/// Otherwise it is [`Grade::NotFoundAgain`] if either cluster was not found again; [`Grade::Undecided`] if not even an empty
/// boundary would have such a p-value, or if the boundary is crossed less than half as often as the middles; else a
/// [`Grade::Continuum`].
///
/// # Cost
/// That of the node's embedder and clusterer on two halves, and of 45 nearest neighbours in 30 columns. Memory O(rows).
///
/// ```
/// use ndarray::Array2;
/// use recluster::evidence::HeldOut;
/// use recluster::recursive::RecursiveTree;
/// use recluster::{Run, cluster::KMeans, embed::Identity};
///
/// // One cloud, of which k-means makes three clusters all the same.
/// let draw = |i: usize, j: usize| ((i * 7919 + j * 104_729 + i * i * 31) % 10_007) as f32 / 10_007.0;
/// let cloud = Array2::from_shape_fn((600, 3), |(i, j)| draw(i, j) + draw(i + 4_001, j + 5) + draw(i + 7_013, j + 9));
/// let plan = RecursiveTree::new(Identity, KMeans::new(3)).levels(1);
/// assert_eq!(plan.fit(&cloud, &Run::new())?.leaves().count(), 3);
/// let judged = plan.clone().judge(HeldOut::new()).fit(&cloud, &Run::new())?;
/// assert_eq!(judged.leaves().count(), 1);
///
/// // Two of them, far apart: what is one cloud is joined again.
/// let two = Array2::from_shape_fn((600, 3), |(i, j)| cloud[[i, j]] + if i % 2 == 0 && j == 0 { 6.0 } else { 0.0 });
/// assert_eq!(plan.judge(HeldOut::new()).fit(&two, &Run::new())?.leaves().count(), 2);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
#[must_use]
pub struct HeldOut {
    alpha: f64,
    policy: Policy,
}

impl Default for HeldOut {
    fn default() -> Self {
        HeldOut { alpha: 0.05, policy: Policy::Require }
    }
}

impl HeldOut {
    /// The level .05, and separation required.
    pub fn new() -> Self {
        HeldOut::default()
    }

    /// Sets the level of the test at the root, above 0 and at most 1; default 0.05. Nodes have their part of it.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets what becomes of clusters that are not separated; default [`Policy::Require`].
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    fn level(&self, proposal: &Proposal<'_>) -> f64 {
        let (n, all) = (proposal.node.rows, proposal.node.total_rows);
        self.alpha * n.saturating_sub(1) as f64 / all.saturating_sub(1).max(1) as f64
    }
}

impl Judge for HeldOut {
    fn settings(&self) -> Settings {
        settings_of!(HeldOut { alpha, policy } = self)
    }

    fn check(&self) -> Result<()> {
        match self.alpha > 0.0 && self.alpha <= 1.0 {
            true => Ok(()),
            false => Err(Error::setting("alpha", self.alpha, "must be above 0 and at most 1")),
        }
    }

    fn judge(&self, proposal: &Proposal<'_>, run: &Run) -> Result<Verdict> {
        let level = self.level(proposal);
        let clusters = proposal.clustering.clusters();
        let halves = halves(proposal.rows.nrows(), MOST, Stream::new(run.key(), PURPOSE).of(0));
        let draws = Stream::new(run.key(), PURPOSE);
        let space = space(&proposal.prepared.rows(), &halves, COMPONENTS, draws.of(1), run)?;
        let graph = Nearest::new(SEARCHED).find(&space, run)?;
        let sizes = [halves[0].len(), halves[1].len()];
        let mut tests = Vec::new();
        for (half, (own, other)) in [(0, sizes[0]), (sizes[0], 0)].into_iter().enumerate() {
            let trial =
                Trial::run(proposal, &halves[half], &run.at(if half == 0 { "first half" } else { "second half" }))?;
            let boundary = Boundary::new(&space, &graph, &trial.labels, own, other, EDGES, VOTES);
            tests.push(Test { boundary, trial, other });
        }
        let judge =
            |groups: &[Vec<usize>], known: &[Separation]| pairs(&tests, &space, groups, known, clusters, level, run);
        let confused = |a: &[usize], b: &[usize]| -> usize {
            let both = |a: usize, b: usize| [a * clusters + b, b * clusters + a];
            let cells = a.iter().flat_map(|&a| b.iter().flat_map(move |&b| both(a, b)));
            cells.map(|cell| tests.iter().map(|test| test.trial.confused[cell]).sum::<usize>()).sum()
        };
        let mut groups: Vec<Vec<usize>> = (0..clusters).map(|cluster| vec![cluster]).collect();
        let (mut record, mut separations) = (Vec::new(), Vec::new());
        loop {
            separations = judge(&groups, &separations)?;
            let worst = worst(&separations, &confused).filter(|_| self.policy == Policy::Require);
            match worst {
                Some(worst) if worst.grade != Grade::Separated => {
                    record.push(worst.clone());
                    groups.retain(|group| *group != worst.from);
                    for group in groups.iter_mut().filter(|group| **group == worst.of) {
                        group.extend(&worst.from);
                        group.sort_unstable();
                    }
                }
                _ => {
                    let found = |group: &[usize]| tests.iter().any(|test| test.found(group));
                    record.extend(nearest(&separations, &groups, &found, &confused));
                    break;
                }
            }
        }
        let reason = reason(self.policy, clusters, groups.len(), &record, &small(proposal.clustering));
        let verdict = match (self.policy, groups.len()) {
            (Policy::Require, 1) => Verdict::refuse(reason),
            (Policy::Require, kept) if kept < clusters => Verdict::merge(groups, reason),
            _ => Verdict::keep(reason),
        };
        Ok(verdict.with_separations(record))
    }
}

/// One trial with its groups carried over; its held-out rows begin at row `other` of the space.
struct Test<'a> {
    boundary: Boundary<'a>,
    trial: Trial,
    other: usize,
}

impl Test<'_> {
    fn found(&self, group: &[usize]) -> bool {
        group.iter().any(|&cluster| self.trial.found[cluster])
    }

    /// The two sides of the boundary between two groups in the columns in which they differ most.
    fn in_discriminant(
        &self,
        space: &ArrayRef2<f32>,
        pair: [&[usize]; 2],
        clusters: usize,
        run: &Run,
    ) -> Result<Option<[Side; 2]>> {
        let [(first, first_out), (second, second_out)] = pair.map(|group| self.boundary.rows_of(group, self.other));
        let own: Vec<u32> = first.iter().chain(&second).copied().collect();
        let rows: Vec<u32> = own.iter().chain(&first_out).chain(&second_out).copied().collect();
        let labels: Vec<i32> = own.iter().map(|&row| self.boundary.label(row)).collect();
        let Some(table) = discriminant::project(space, &first, &second, &rows) else { return Ok(None) };
        let graph = Nearest::new(SEARCHED).find(&table, run)?;
        let boundary = Boundary::new(&table, &graph, &labels, 0, own.len(), EDGES, VOTES);
        let crossings = boundary.crossings(&[pair[0].to_vec(), pair[1].to_vec()], clusters);
        Ok(Some([(0, 1), (1, 0)].map(|(from, to)| {
            Side::of(&boundary, crossings[from * 2 + to], boundary_middle(&boundary, pair[from]), pair[from], pair[to])
        })))
    }
}

fn boundary_middle(boundary: &Boundary<'_>, group: &[usize]) -> Crossing {
    fullest(group, |part| boundary.middle(part))
}

/// Every two groups, tested both ways; those that are `known` are not tested again.
fn pairs(
    tests: &[Test<'_>],
    space: &ArrayRef2<f32>,
    groups: &[Vec<usize>],
    known: &[Separation],
    clusters: usize,
    level: f64,
    run: &Run,
) -> Result<Vec<Separation>> {
    let stage = run.stage("evidence", 1);
    let m = groups.len();
    let count = |test: &Test<'_>| {
        let middles: Vec<Crossing> = groups.iter().map(|group| boundary_middle(&test.boundary, group)).collect();
        (test.boundary.crossings(groups, clusters), middles)
    };
    let counts: Vec<(Vec<Crossing>, Vec<Crossing>)> = tests.iter().map(count).collect();
    let known: HashMap<_, _> = known.iter().map(|pair| ((&pair.of, &pair.from), pair)).collect();
    let mut separations = Vec::new();
    for (a, b) in (0..m).flat_map(|a| (a + 1..m).map(move |b| (a, b))) {
        if let Some(&same) = known.get(&(&groups[a], &groups[b])) {
            separations.push(same.clone());
            continue;
        }
        stage.check()?;
        let pair = [groups[a].as_slice(), groups[b].as_slice()];
        let found: Vec<usize> = (0..tests.len()).filter(|&t| pair.iter().all(|group| tests[t].found(group))).collect();
        let sides = |t: usize| {
            let (crossings, middles) = &counts[t];
            let boundary = &tests[t].boundary;
            [(a, b), (b, a)].map(|(i, j)| Side::of(boundary, crossings[i * m + j], middles[i], &groups[i], &groups[j]))
        };
        let mut best = Score::of(&found.iter().map(|&t| sides(t)).collect::<Vec<_>>());
        if !found.is_empty() && 2.0 * best.p_value > level {
            let mut fewer = Vec::new();
            for &t in &found {
                fewer.extend(tests[t].in_discriminant(space, pair, clusters, run)?);
            }
            let fewer = Score::of(&fewer);
            let least = best.least.min(fewer.least);
            if fewer.p_value < best.p_value {
                best = fewer;
            }
            best.least = least;
        }
        // Two tests of each pair.
        let p_value = (2.0 * best.p_value).min(1.0);
        let grade = match found.is_empty() {
            true => Grade::NotFoundAgain,
            false if p_value <= level => Grade::Separated,
            false if 2.0 * best.least > level || best.boundary.is_some_and(|boundary| boundary < PLAIN) => {
                Grade::Undecided
            }
            false => Grade::Continuum,
        };
        let boundary = best.boundary.filter(|_| !found.is_empty());
        separations.push(Separation { of: groups[a].clone(), from: groups[b].clone(), grade, p_value, boundary });
    }
    Ok(separations)
}

/// One side of a boundary in one trial.
#[derive(Clone, Copy)]
struct Side {
    crossing: Crossing,
    middle: Crossing,
    parallel: Crossing,
}

impl Side {
    fn of(boundary: &Boundary<'_>, crossing: Crossing, middle: Crossing, from: &[usize], to: &[usize]) -> Self {
        Side { crossing, middle, parallel: fullest(from, |part| boundary.parallel_middle(part, to)) }
    }
}

/// What the sides of both trials say.
struct Score {
    p_value: f64,
    /// The p-value that an empty boundary would have.
    least: f64,
    boundary: Option<f64>,
}

impl Score {
    /// In each trial the side counts whose boundary is less empty; scores of the two trials, which share no held-out row but
    /// the proposal, are added up as if they were correlated by one half (after Stouffer), and a single one counts twice.
    fn of(trials: &[[Side; 2]]) -> Self {
        let p_value = |score: &dyn Fn(&Side) -> f64| {
            let z = |sides: &[Side; 2]| sides.iter().map(score).fold(f64::MAX, f64::min);
            match trials {
                [first, second] => upper_tail((z(first) + z(second)) / 3.0f64.sqrt()),
                [one] => (2.0 * upper_tail(z(one))).min(1.0),
                _ => 1.0,
            }
        };
        let found = p_value(&|side| score(side.crossing, side.parallel));
        let least = p_value(&|side| score(Crossing::default(), side.parallel));
        let boundary = trials.iter().flatten().map(|side| ratio(side.crossing, side.middle)).reduce(f64::max);
        let bent = boundary.is_none_or(|boundary| boundary > MOST_CROSSED);
        Score { p_value: if bent { 1.0 } else { found }, least, boundary }
    }
}

/// The middle of a group: the fullest of those of its parts and its own, since clusters that were joined may leave a gap
/// between them.
fn fullest(group: &[usize], middle: impl Fn(&[usize]) -> Crossing) -> Crossing {
    let parts = group.iter().map(|&cluster| middle(&[cluster]));
    let all = parts.chain((group.len() > 1).then(|| middle(group)));
    all.max_by(|a, b| a.sum().total_cmp(&b.sum())).unwrap_or_default()
}

/// The least separated pair: of the largest p-value, then of most rows that one trial gave to the one and the node to the
/// other, then of the boundary that is crossed most.
fn worst<'a>(separations: &'a [Separation], confused: &dyn Fn(&[usize], &[usize]) -> usize) -> Option<&'a Separation> {
    let rows = |s: &Separation| confused(&s.of, &s.from);
    let boundary = |s: &Separation| s.boundary.unwrap_or(0.0);
    separations.iter().max_by(|a, b| {
        let by_p = a.p_value.total_cmp(&b.p_value);
        by_p.then_with(|| rows(a).cmp(&rows(b))).then_with(|| boundary(a).total_cmp(&boundary(b)))
    })
}

/// For each group the pair in which it is least separated, each pair once. That a sibling was not found again says nothing of
/// a group that was, where it has others to be compared with.
fn nearest(
    separations: &[Separation],
    groups: &[Vec<usize>],
    found: &dyn Fn(&[usize]) -> bool,
    confused: &dyn Fn(&[usize], &[usize]) -> usize,
) -> Vec<Separation> {
    let mut kept: Vec<Separation> = Vec::new();
    for group in groups {
        let own: Vec<Separation> = separations.iter().filter(|s| s.of == *group || s.from == *group).cloned().collect();
        let tested: Vec<Separation> = own.iter().filter(|s| s.grade != Grade::NotFoundAgain).cloned().collect();
        let Some(mut worst) = worst(if tested.is_empty() { &own } else { &tested }, confused).cloned() else {
            continue;
        };
        if worst.grade == Grade::NotFoundAgain && found(group) == (worst.of == *group) {
            // First the one that was not found again: this group, or else its sibling.
            std::mem::swap(&mut worst.of, &mut worst.from);
        }
        if !kept.contains(&worst) {
            kept.push(worst);
        }
    }
    kept
}

/// The verdict in words. `small` is added where clusters were joined.
fn reason(policy: Policy, clusters: usize, kept: usize, record: &[Separation], small: &str) -> String {
    let count = |grade: Grade| record.iter().filter(|s| s.grade == grade).count();
    match (policy, kept) {
        (Policy::Mark, _) => {
            let told = |grade: Grade, one: &str, more: &str| match count(grade) {
                0 => None,
                1 => Some(format!("one {one}")),
                number => Some(format!("{number} {more}")),
            };
            let parts = [
                told(Grade::NotFoundAgain, "cluster is not found again", "clusters are not found again"),
                told(Grade::Continuum, "pair of siblings is not separated", "pairs of siblings are not separated"),
                told(Grade::Undecided, "pair of siblings has too few rows to tell", "pairs have too few rows to tell"),
            ];
            match parts.into_iter().flatten().collect::<Vec<_>>() {
                none if none.is_empty() => "every cluster is separated from its siblings".to_string(),
                found => found.join("; "),
            }
        }
        (_, 1) if count(Grade::NotFoundAgain) == record.len() => {
            format!("its clusters are not found again on half of the rows{small}")
        }
        (_, 1) if count(Grade::Continuum) == 0 => format!("its clusters have too few rows to tell them apart{small}"),
        (_, 1) => {
            format!(
                "its clusters are parts of one cloud: no boundary between them is emptier than their middles{small}"
            )
        }
        (_, kept) if kept == clusters => "every cluster is separated from its siblings".to_string(),
        (_, kept) => format!("{clusters} clusters were found, {kept} are separated{small}"),
    }
}

/// What is to be said of clusters of too few rows for the test; nothing if there are none.
fn small(clustering: &Clustering) -> String {
    let sizes = clustering.sizes();
    match sizes.iter().filter(|&&size| size < FEW).count() {
        0 => String::new(),
        few => format!(" ({few} of {} have fewer than {FEW} rows, too few for this test to tell)", sizes.len()),
    }
}
