//! How empty the boundary between two groups is, against a boundary through the middle of each.

use crate::core::linalg;
use crate::neighbors::Neighbors;
use ndarray::{ArrayRef2, ArrayView2};

/// The groups of one half, carried over to the rows of the other by their neighbours.
pub(super) struct Boundary<'a> {
    /// The rows of both halves in one space.
    space: ArrayView2<'a, f32>,
    /// Rows that the groups were found on, among those of the space, each with its cluster, or noise.
    own: Vec<(u32, i32)>,
    /// For each row that was held out, its nearest among the own and among the held out.
    held_out: Vec<Lists>,
    /// For each row that was held out the cluster of most of its nearest own rows.
    voted: Vec<i32>,
    k: usize,
}

struct Lists {
    /// Numbers within `own`, nearest first; noise is not among them.
    own: Vec<u32>,
    /// Numbers within `held_out`, nearest first.
    others: Vec<u32>,
}

/// Edges that cross, as a sum over rows of the share of a row's edges, and the sum of squares of these shares.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Crossing {
    sum: f64,
    squares: f64,
}

impl Crossing {
    fn add(&mut self, share: f64) {
        self.sum += share;
        self.squares += share * share;
    }
}

impl<'a> Boundary<'a> {
    /// `labels` are those of the half that begins at row `own` of the space; the other half begins at row `other`.
    pub(super) fn new(
        space: &'a ArrayRef2<f32>,
        graph: &Neighbors,
        labels: &[i32],
        own: usize,
        other: usize,
        k: usize,
        votes: usize,
    ) -> Self {
        let rows = space.nrows() - labels.len();
        let (mut held_out, mut voted) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        for row in other..other + rows {
            let list = graph.indices.row(row);
            let near = list.iter().map(|&near| near as usize).filter(|&near| near != row);
            let mut lists = Lists { own: Vec::with_capacity(votes), others: Vec::with_capacity(k) };
            for near in near {
                match near.checked_sub(own).filter(|&at| at < labels.len()) {
                    Some(at) if labels[at] >= 0 && lists.own.len() < votes => lists.own.push(at as u32),
                    None if lists.others.len() < k => lists.others.push((near - other) as u32),
                    _ => {}
                }
            }
            voted.push(most(lists.own.iter().map(|&at| labels[at as usize])));
            held_out.push(lists);
        }
        spread(&mut voted, &held_out);
        let own = (own as u32..).zip(labels.iter().copied()).collect();
        Boundary { space: space.view(), own, held_out, voted, k }
    }

    /// For each two groups the edges from rows of the first to rows of the second, groups x groups.
    pub(super) fn crossings(&self, groups: &[Vec<usize>], clusters: usize) -> Vec<Crossing> {
        let of = group_of(groups, clusters);
        let mut crossings = vec![Crossing::default(); groups.len() * groups.len()];
        let mut counts = vec![0usize; groups.len()];
        for (lists, &voted) in self.held_out.iter().zip(&self.voted) {
            let Some(from) = of(voted) else { continue };
            counts.fill(0);
            for to in lists.others.iter().filter_map(|&other| of(self.voted[other as usize])) {
                counts[to] += 1;
            }
            for (to, &edges) in counts.iter().enumerate().filter(|(to, edges)| *to != from && **edges > 0) {
                crossings[from * groups.len() + to].add(edges as f64 / self.k as f64);
            }
        }
        crossings
    }

    /// The edges across the middle of one group, seen from one side: it is cut at the median along its first principal
    /// component, and the rows that were held out take the side of most of their nearest own rows.
    pub(super) fn middle(&self, group: &[usize]) -> Crossing {
        let within = |label: i32| usize::try_from(label).is_ok_and(|label| group.contains(&label));
        let Some(sides) = self.sides(&within) else { return Crossing::default() };
        let side: Vec<Option<bool>> = self
            .held_out
            .iter()
            .zip(&self.voted)
            .map(|(lists, &voted)| {
                let side = |&at: &u32| sides[at as usize].map(i32::from);
                let most = most(lists.own.iter().filter_map(side));
                (within(voted) && most >= 0).then_some(most == 1)
            })
            .collect();
        let mut crossing = Crossing::default();
        for (lists, side_of) in self.held_out.iter().zip(&side) {
            let Some(own) = side_of else { continue };
            let crossed = lists.others.iter().filter(|&&other| side[other as usize] == Some(!own)).count();
            if crossed > 0 {
                crossing.add(crossed as f64 / self.k as f64);
            }
        }
        // Both sides were counted.
        Crossing { sum: crossing.sum / 2.0, squares: crossing.squares / 4.0 }
    }

    /// For each own row of the group the side of the median that it is on, along the group's first component.
    fn sides(&self, within: &dyn Fn(i32) -> bool) -> Option<Vec<Option<bool>>> {
        let members: Vec<usize> = (0..self.own.len()).filter(|&at| within(self.own[at].1)).collect();
        let d = self.space.ncols();
        let row = |at: usize| self.space.row(self.own[at].0 as usize);
        let n = members.len() as f64;
        let mean: Vec<f64> = (0..d).map(|c| members.iter().map(|&at| f64::from(row(at)[c])).sum::<f64>() / n).collect();
        let mut covariance = vec![0.0; d * d];
        for &at in &members {
            let centred: Vec<f64> = row(at).iter().zip(&mean).map(|(&x, m)| f64::from(x) - m).collect();
            for i in 0..d {
                for j in 0..=i {
                    covariance[i * d + j] += centred[i] * centred[j];
                }
            }
        }
        let direction = linalg::largest(&covariance, d, 1)?.vectors;
        let along = |at: usize| row(at).iter().zip(&direction).map(|(&x, w)| f64::from(x) * w).sum::<f64>();
        let mut scores: Vec<(f64, usize)> = members.iter().map(|&at| (along(at), at)).collect();
        scores.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut sides = vec![None; self.own.len()];
        for (place, &(_, at)) in scores.iter().enumerate() {
            sides[at] = Some(2 * place >= scores.len());
        }
        Some(sides)
    }
}

/// The label that occurs most often, of equally many the lower; noise where there is none.
fn most(labels: impl Iterator<Item = i32>) -> i32 {
    let mut labels: Vec<i32> = labels.collect();
    labels.sort_unstable();
    let runs = labels.chunk_by(|a, b| a == b);
    runs.max_by_key(|run| (run.len(), std::cmp::Reverse(run[0]))).map_or(crate::NOISE, |run| run[0])
}

/// Rows near to nothing but noise take the label of most of their neighbours that have one, those next to them thereafter.
fn spread(voted: &mut Vec<i32>, held_out: &[Lists]) {
    loop {
        let label = |(lists, &label): (&Lists, &i32)| {
            if label >= 0 {
                return label;
            }
            most(lists.others.iter().map(|&other| voted[other as usize]).filter(|&label| label >= 0))
        };
        let next: Vec<i32> = held_out.iter().zip(voted.iter()).map(label).collect();
        if next == *voted {
            return;
        }
        *voted = next;
    }
}

/// The group of a cluster.
fn group_of(groups: &[Vec<usize>], clusters: usize) -> impl Fn(i32) -> Option<usize> {
    let mut of = vec![None; clusters];
    for (number, group) in groups.iter().enumerate() {
        group.iter().for_each(|&cluster| of[cluster] = Some(number));
    }
    move |label| usize::try_from(label).ok().and_then(|label| of[label])
}

/// The probability, were the boundary no emptier than the middle of a group, to see so few edges cross it: the difference
/// of the two sums in standard errors, each row counting as one observation, against the normal distribution. Half an
/// edge is added to the variance, so that a few rows prove nothing.
pub(super) fn p_value(crossing: Crossing, middle: Crossing) -> f64 {
    let z = (middle.sum - crossing.sum) / (middle.squares + crossing.squares + 0.5).sqrt();
    0.5 * libm::erfc(z / std::f64::consts::SQRT_2)
}

/// Edges across the boundary for each edge across the middle.
pub(super) fn ratio(crossing: Crossing, middle: Crossing) -> f64 {
    crossing.sum / middle.sum.max(0.5)
}
